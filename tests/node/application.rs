//! The applications under test: the demo application around a PostgreSQL of its own, and a web server that needs none.

use serde_json::Value;

use crate::space::{Space, documents};

/// What a pod needs to be admitted as restricted; it ends at once when told to.
const POD: &str = "
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, seccompProfile: {type: RuntimeDefault}}
      volumes: [{name: tmp, emptyDir: {}}, {name: data, emptyDir: {}}]";
/// The same for its container.
const CONTAINER: &str = "
        imagePullPolicy: IfNotPresent
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: tmp, mountPath: /tmp}, {name: data, mountPath: /data}]";

/// Seconds that the web server works for one request; 10 % of it may a request be late.
pub const WORK: u32 = 3;

/// A Deployment of one pod named like its container; the body is the rest of the container.
pub fn deployment(name: &str, container: &str) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app: {name}}}, annotations: {{example.com/owner: shop}}}}
spec:
  replicas: 1
  strategy: {{rollingUpdate: {{maxSurge: 0, maxUnavailable: 1}}}}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:{POD}
      containers:
      - name: {name}{CONTAINER}{container}"
    )
}

fn service(name: &str, port: u16) -> String {
    format!(
        "---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: main, port: {port}}}]}}
"
    )
}

/// A web server: GET /cgi-bin/task works for WORK seconds, is counted in /tmp/served and answers one task. Once /tmp/eat is
/// there, it uses more memory than it may.
pub fn web(name: &str) -> String {
    let container = format!(
        r#"
        image: dev.local/busybox:1
        command:
        - sh
        - -c
        - |
          mkdir -p /tmp/www/cgi-bin
          echo ok | tee /tmp/www/ready >/tmp/www/index.html
          printf '#!/bin/sh\necho 1 >>/tmp/served\nsleep {WORK}\nprintf "Content-Type: application/json\\r\\n\\r\\n{{\\"tasks\\": 1}}"\n' >/tmp/www/cgi-bin/task
          chmod +x /tmp/www/cgi-bin/task
          httpd -f -p 8080 -h /tmp/www &
          while [ ! -e /tmp/eat ]; do sleep 0.3; done
          rm /tmp/eat
          exec dd if=/dev/zero of=/dev/null bs=300M
        env: [{{name: MODE, value: plain}}, {{name: NODE, valueFrom: {{fieldRef: {{fieldPath: spec.nodeName}}}}}}]
        resources: {{requests: {{cpu: 10m}}, limits: {{memory: 64Mi}}}}
        readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1, timeoutSeconds: 5}}
"#
    );
    deployment(name, &container) + &service(name, 8080)
}

/// The web server as a StatefulSet.
pub fn stateful(name: &str) -> String {
    let strategy = "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}";
    web(name).replace("kind: Deployment", "kind: StatefulSet").replace(strategy, &format!("serviceName: {name}"))
}

/// The demo application: PostgreSQL `db` (its URL in Secret db, key url), `api` and `worker`.
pub fn tasks() -> String {
    let url = "- {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: db, key: url}}}";
    let secret = "---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {url: 'postgres://postgres:unused@db:5432/postgres'}
";
    let db = "
        image: dev.local/postgres:dev
        resources: {requests: {cpu: 50m, memory: 64Mi}}
        readinessProbe: {exec: {command: [pg_isready, -q, -h, 127.0.0.1, -U, postgres]}, periodSeconds: 2, timeoutSeconds: 5}
";
    // The burn is small: this is about counts, not about speed.
    let api = format!(
        "
        image: dev.local/demo-app:dev
        args: [api]
        env:
        {url}
        - {{name: API_CONCURRENCY, value: '4'}}
        - {{name: BURN, value: '20000'}}
        resources: {{requests: {{cpu: 30m, memory: 32Mi}}, limits: {{memory: 64Mi}}}}
        readinessProbe: {{httpGet: {{path: /readyz, port: 8080}}, periodSeconds: 1, timeoutSeconds: 10}}
"
    );
    let worker = format!(
        "
        image: dev.local/demo-app:dev
        args: [worker]
        env:
        {url}
        - {{name: WORK_MS, value: '2'}}
"
    );
    let workloads = deployment("db", db) + &deployment("api", &api) + &deployment("worker", &worker);
    secret.to_owned() + &service("db", 5432) + &service("api", 8080) + &workloads
}

/// A LoadTest named `name` with these keys of spec in YAML (each line indented by two); small generators, short deadlines.
pub fn load_test(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: loadtest.dev/v1alpha1
kind: LoadTest
metadata: {{name: {name}}}
spec:
  pods: {{cpu: 100m, memory: 64Mi}}
  deadlines: {{prepareSeconds: 120, evidenceSeconds: 10, totalSeconds: 300, queueSeconds: 200}}
{spec}"
    )
}

/// `clients` clients that each send `iterations` requests to web server `service`, each for WORK seconds.
pub fn load_of(service: &str, clients: u32, iterations: u32) -> String {
    format!(
        "  loads:
  - name: main
    url: http://{service}:8080
    clients: {clients}
    iterations: {iterations}
    steps: [{{name: task, path: /cgi-bin/task, timeoutSeconds: 10, tasks: {{jsonPointer: /tasks}}}}]
"
    )
}

/// A target that gets two pods, CPU, memory and env.
pub const SIZED: &str = "  - {name: side, workloadRef: {name: side}, replicas: 2, cpu: 40m, memory: 48Mi, env: [{name: MODE, value: loaded}, {name: EXTRA, value: x}]}
";

impl Space {
    /// Two web servers, ready: `web` for the load and `side` to be given a size.
    pub async fn with_web_servers(&self) {
        self.create(&(web("web") + &web("side"))).await;
        self.all_ready().await;
    }

    /// Requests that web server `name` got since its pod was made; its own count.
    pub fn served(&self, name: &str) -> i64 {
        let count = self.exec(name, &["sh", "-c", "cat /tmp/served 2>/dev/null | wc -l"]).unwrap();
        count.parse().unwrap_or_else(|_| panic!("{name} counted {count:?}"))
    }

    /// What the database of the demo application answers to a statement.
    pub fn ask(&self, sql: &str) -> String {
        self.exec("db", &["psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", sql]).unwrap()
    }

    /// Creates the LoadTest of `load_test`, and gives it as created.
    pub async fn apply(&self, manifest: &str) -> Value {
        let object = documents(manifest).remove(0);
        self.cluster.create(&self.name, &object, false).await.unwrap_or_else(|error| panic!("{error}\n{manifest}"))
    }
}
