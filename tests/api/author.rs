//! The policy about authors: who writes a LoadTest needs the rights that its run uses.

use serde_json::{Value, json};

use crate::actor::{Actor, accepted, assert_refused};
use crate::cluster::space::Space;

const NEEDS_JOBS: &str = "you need the right to create jobs.batch";

/// An author in a namespace of their own, with the right to write LoadTests and these rules beside it.
struct Author {
    space: Space,
    actor: Actor,
    tests: String,
}

impl Author {
    async fn new(scenario: &str, rules: Value) -> Option<Self> {
        let space = Space::new(scenario).await?;
        let user = format!("author-of-{}", space.name);
        let own =
            json!({"apiGroups": ["loadtest.dev"], "resources": ["loadtests"], "verbs": ["create", "patch", "get"]});
        let mut all = vec![own];
        all.extend(rules.as_array().unwrap().clone());
        let api = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}", space.name);
        let (group, kind) = ("rbac.authorization.k8s.io", "User");
        for (resource, object) in [
            ("roles", json!({"metadata": {"name": "author"}, "rules": all})),
            (
                "rolebindings",
                json!({"metadata": {"name": "author"}, "roleRef": {"apiGroup": group, "kind": "Role", "name": "author"},
                       "subjects": [{"apiGroup": group, "kind": kind, "name": user}]}),
            ),
        ] {
            space.cluster.post(&format!("{api}/{resource}"), &object).await.unwrap();
        }
        let actor = Actor::named(&space.cluster, &user).await;
        let tests = format!("/apis/loadtest.dev/v1alpha1/namespaces/{}/loadtests", space.name);
        Some(Self { space, actor, tests })
    }

    async fn create(&self, name: &str, spec: &Value) -> Result<Value, String> {
        let mut spec = spec.clone();
        spec["suspend"] = json!(true);
        spec["loads"] = json!([{"name": "main", "url": "http://web/"}]);
        let object = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": name}, "spec": spec});
        self.actor.create(&self.tests, &object).await
    }

    async fn edit(&self, name: &str, patch: Value) -> Result<Value, String> {
        self.actor.merge(&format!("{}/{name}", self.tests), &patch).await
    }
}

fn jobs() -> Value {
    json!({"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]})
}

fn target(name: &str, kind: &str, workload: &str) -> Value {
    json!({"name": name, "workloadRef": {"kind": kind, "name": workload}})
}

#[tokio::test]
async fn an_author_who_may_not_create_jobs_is_refused() {
    let Some(author) = Author::new("no-jobs", json!([])).await else { return };
    assert_refused("no right at all", &author.create("test", &json!({})).await, NEEDS_JOBS);
}

#[tokio::test]
async fn an_author_names_only_workloads_that_they_may_patch_in_every_place() {
    let one =
        json!({"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"], "verbs": ["patch"]});
    let Some(author) = Author::new("targets", json!([jobs(), one])).await else { return };
    accepted("without targets", author.create("plain", &json!({})).await);
    let own = |i: usize| target(&format!("t{i}"), "Deployment", "web");
    accepted("the own workload", author.create("own", &json!({"targets": [own(0)]})).await);
    for (kind, workload) in [("Deployment", "other"), ("StatefulSet", "web")] {
        for place in 0..8 {
            let mut targets: Vec<Value> = (0..8).map(own).collect();
            targets[place] = target("foreign", kind, workload);
            let words = format!("you need the right to patch {kind} {workload}");
            let name = format!("foreign-{place}");
            assert_refused(
                &format!("{kind} {place}"),
                &author.create(&name, &json!({"targets": targets})).await,
                &words,
            );
        }
    }
}

#[tokio::test]
async fn an_author_who_counts_log_lines_must_be_allowed_to_read_logs() {
    let patch = json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]});
    let logs = json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]});
    let measured = json!({"targets": [target("api", "Deployment", "web")],
                          "measurements": [{"name": "m", "log": {"target": "api", "regex": "x"}}]});
    let Some(author) = Author::new("logs", json!([jobs(), patch])).await else { return };
    assert_refused("without the right", &author.create("test", &measured).await, "the right to get pods/log");
    let Some(author) = Author::new("logs-too", json!([jobs(), patch, logs])).await else { return };
    accepted("with the right", author.create("test", &measured).await);
}

#[tokio::test]
async fn an_author_who_runs_what_a_cron_job_says_must_be_allowed_to_read_cron_jobs() {
    let cron_jobs = json!({"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get"]});
    let acting = json!({"actions": [{"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}}]});
    let Some(author) = Author::new("cronjobs", json!([jobs()])).await else { return };
    assert_refused("without the right", &author.create("test", &acting).await, "the right to get cronjobs.batch");
    let Some(author) = Author::new("cronjobs-too", json!([jobs(), cron_jobs])).await else { return };
    accepted("with the right", author.create("test", &acting).await);
}

#[tokio::test]
async fn who_lacks_the_rights_may_label_and_cancel_a_test_and_nothing_else() {
    let Some(author) = Author::new("edits", json!([])).await else { return };
    let spec = json!({"suspend": true, "loads": [{"name": "main", "url": "http://web/"}]});
    let object =
        json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "test"}, "spec": spec});
    author.space.cluster.create(&author.space.name, &object, false).await.unwrap();
    accepted("a label", author.edit("test", json!({"metadata": {"labels": {"a": "b"}}})).await);
    let clients = json!([{"name": "main", "url": "http://web/", "clients": 9}]);
    let cases = [
        ("more clients", json!({"spec": {"loads": clients}})),
        ("a start", json!({"spec": {"suspend": false}})),
        ("another run", json!({"spec": {"runId": "again"}})),
        ("a target behind a cancel", json!({"spec": {"cancel": true, "targets": [target("a", "Deployment", "web")]}})),
        ("clients behind a cancel", json!({"spec": {"cancel": true, "loads": clients}})),
    ];
    for (what, patch) in cases {
        assert_refused(what, &author.edit("test", patch).await, NEEDS_JOBS);
    }
    accepted("a cancel", author.edit("test", json!({"spec": {"cancel": true}})).await);
    assert_refused("taking it back", &author.edit("test", json!({"spec": {"cancel": false}})).await, NEEDS_JOBS);
}
