//! What the operator writes in a run, by the product's own builders, under the operator's name: a LoadTest, its Jobs and
//! ConfigMaps, and a workload.

use loadtest_operator::api::LoadTestSpec;
use loadtest_operator::build::{
    PodContext, RunName, act_job, copied_job, generator_job, observer_job, plan_config_map, row_config_map,
};
use loadtest_operator::plan::{act_part, plan};
use serde_json::{Value, json};

use crate::actor::{Actor, OPERATOR};
use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;

/// A namespace with a held LoadTest, and the operator as an actor.
pub struct Stage {
    pub space: Space,
    pub operator: Actor,
    pub run: RunName,
    pub spec: LoadTestSpec,
}

impl Stage {
    pub async fn new(scenario: &str) -> Option<Self> {
        let space = Space::new(scenario).await?;
        let operator = Actor::named(&space.cluster, OPERATOR).await;
        let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
        let spec = json!({"suspend": true, "loads": [{"name": "main", "url": "http://web/",
                "tls": {"clientCertificateFrom": {"secretRef": {"name": "client"}}}}],
            "vars": [{"name": "token", "valueFrom": secret}], "database": {"postgres": {"urlFrom": secret}},
            "targets": [{"name": "web", "workloadRef": {"name": "web"}, "replicas": 2, "cpu": "50m", "memory": "32Mi",
                         "env": [{"name": "MODE", "value": "loaded"}, {"name": "EXTRA", "value": "x"}]}]});
        let object = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "test"}, "spec": spec});
        let created = space.cluster.create(&space.name, &object, false).await.unwrap();
        let uid = created["metadata"]["uid"].as_str().unwrap().to_owned();
        let run = RunName { namespace: space.name.clone(), test: "test".into(), uid, run: 1 };
        // Where the API server checks owners, it learns of a new kind of them within half a minute; of an administrator it asks nothing.
        let map = serde_json::to_value(plan_config_map(&run, None, "{}".into())).unwrap();
        eventually("the API server knows the owner's kind", 60, async || {
            let path = format!("/api/v1/namespaces/{}/configmaps?dryRun=All", space.name);
            operator.create(&path, &map).await
        })
        .await;
        Some(Self { space, operator, run, spec: serde_json::from_value(spec).unwrap() })
    }

    /// Where objects of a resource are.
    pub fn path(&self, resource: &str) -> String {
        let api = match resource {
            "deployments" | "statefulsets" => "/apis/apps/v1",
            "jobs" => "/apis/batch/v1",
            "loadtests" => "/apis/loadtest.dev/v1alpha1",
            _ => "/api/v1",
        };
        format!("{api}/namespaces/{}/{resource}", self.space.name)
    }

    /// Where one object is.
    pub fn at(&self, resource: &str, name: &str) -> String {
        format!("{}/{name}", self.path(resource))
    }

    /// The Jobs of the run's first row and of its observer.
    pub fn jobs(&self) -> [Value; 2] {
        let plan = plan(&self.spec).unwrap();
        let context = PodContext { run: &self.run, image: "dev.local/operator:1", spec: &self.spec, avoid: &[] };
        [generator_job(&context, &plan.rows[0], "{}", 300), observer_job(&context, "{}", 300)]
            .map(|job| serde_json::to_value(job).unwrap())
    }

    /// The Jobs of two acts of its first row: a statement, and a copy of a CronJob whose pod has a token and is root's.
    pub fn acts(&self) -> [Value; 2] {
        let context = PodContext { run: &self.run, image: "dev.local/operator:1", spec: &self.spec, avoid: &[] };
        let action = json!({"name": "cut", "when": "BeforeRow", "sql": "select $(vars.token)"});
        let action = serde_json::from_value(action).unwrap();
        let asked = act_job(&context, &action, &act_part(Some(1), 1), "{}", 60);
        let pod = json!({"serviceAccountName": "default", "containers": [{"name": "reset", "image": "dev.local/reset:1", "command": ["reset"]}]});
        let spec = serde_json::from_value(json!({"template": {"spec": pod}})).unwrap();
        let copied = copied_job(&self.run, &act_part(Some(1), 2), "reset", &spec, 60).unwrap();
        [asked, copied].map(|job| serde_json::to_value(job).unwrap())
    }

    /// ConfigMaps of the run.
    pub fn config_maps(&self) -> [Value; 3] {
        let maps = [
            plan_config_map(&self.run, Some(1), "{}".into()),
            plan_config_map(&self.run, None, "{}".into()),
            row_config_map(&self.run, 1, "{}".into()),
        ];
        maps.map(|map| serde_json::to_value(map).unwrap())
    }

    /// Gives the operator the right to delete a kind here: who may set an object's owner may delete it, where the API server checks
    /// that, and is asked before any policy.
    pub async fn let_delete(&self, resource: &str) {
        let api = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}", self.space.name);
        let rule = json!({"apiGroups": ["apps"], "resources": [resource], "verbs": ["delete"]});
        let role = json!({"metadata": {"name": "more"}, "rules": [rule]});
        let binding = json!({"metadata": {"name": "more"}, "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "more"}});
        for (resource, object) in [("roles", role), ("rolebindings", binding)] {
            self.space.cluster.post(&format!("{api}/{resource}"), &object).await.unwrap();
        }
    }

    /// A workload `web` of this kind, with fields of every sort, as its owner made it.
    pub async fn workload(&self, kind: &str) -> Value {
        let container = json!({"name": "web", "image": "dev.local/web:1", "imagePullPolicy": "IfNotPresent", "args": ["serve"],
            "env": [{"name": "MODE", "value": "plain"}, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "resources": {"requests": {"cpu": "10m", "ephemeral-storage": "1Mi"}},
            "ports": [{"containerPort": 8080}], "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
        let pod = json!({"automountServiceAccountToken": false, "containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}],
            "securityContext": {"runAsNonRoot": true, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}}});
        let labels = json!({"app": "web"});
        let mut spec = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}});
        if kind == "StatefulSet" {
            spec["serviceName"] = json!("web");
        }
        let metadata = json!({"name": "web", "labels": {"owner": "shop"}, "annotations": {"example.com/a": "b"}});
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec});
        let path = self.path(&format!("{}s", kind.to_lowercase()));
        self.space.cluster.post(&path, &object).await.unwrap()
    }
}
