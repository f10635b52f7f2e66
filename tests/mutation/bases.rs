//! Valid manifests that together have a value at every place of the schema.

use serde_json::{Value, json};

fn test(spec: Value) -> Value {
    json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "t"}, "spec": spec})
}

/// All bases; where several have a place, the first counts. None needs a workload but those with targets.
pub fn bases() -> Vec<Value> {
    vec![clients(), rate(), pods(), measured(), swept(), varied(), sized(), acted(), journey()]
        .into_iter()
        .map(test)
        .collect()
}

fn step() -> Value {
    json!({"name": "s", "method": "POST", "path": "/x", "headers": [{"name": "X-A", "value": "b"}], "body": "{}",
        "timeoutSeconds": 5, "expect": {"status": [200]}, "tasks": {"jsonPointer": "/n"}})
}

fn clients() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/", "clients": 2, "iterations": 2, "generators": 1,
            "headers": [{"name": "X-A", "value": "$(vars.v)"}], "basicAuth": {"username": "u", "password": "$(vars.w)"},
            "tls": {"insecureSkipVerify": false, "clientCertificateFrom": {"secretRef": {"name": "client"}}}, "steps": [step()]}],
        "vars": [{"name": "v", "value": "x"}, {"name": "w", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "repeats": 1, "ttlSecondsAfterFinished": 31_536_000, "runId": "a", "suspend": false, "cancel": false,
        "settle": {"seconds": 1, "timeoutSeconds": 60},
        "thresholds": [{"metric": "requests.failedPercent", "max": "1.5", "optional": false}, {"metric": "tasks", "min": 1},
            {"metric": "requests.failed", "max": 5, "stop": true}],
        "deadlines": {"queueSeconds": 60, "prepareSeconds": 60, "evidenceSeconds": 0, "totalSeconds": 604_800},
    })
}

fn rate() -> Value {
    json!({"loads": [{"name": "m", "url": "http://web/", "rate": 1, "perSeconds": 1, "durationSeconds": 10, "warmupSeconds": 1,
        "maxInFlight": 10, "generators": 1, "tls": {"caFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}},
        "steps": [{"name": "s", "tasks": {"perResponse": 1}}]}],
        "deadlines": {"totalSeconds": 604_800}})
}

fn pods() -> Value {
    json!({"loads": [{"name": "m", "url": "http://web/"}], "pods": {
        "cpu": "100m", "memory": "64Mi", "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}],
        "labels": {"a": "b"}, "annotations": {"a": "b"}, "serviceAccountName": "default",
        "imagePullSecrets": [{"name": "s"}], "priorityClassName": "system-node-critical"}})
}

fn measured() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/"}],
        "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "slowQueryMilliseconds": 100},
            "rds": {"instance": "db", "region": "eu-central-1", "proxy": "pool"}, "maxConnections": 100},
        "measurements": [
            {"name": "h", "intervalSeconds": 1, "http": {"url": "http://web/n", "jsonPointer": "/n", "headers": [{"name": "A", "value": "b"}],
                "basicAuth": {"username": "u", "password": "p"},
                "tls": {"insecureSkipVerify": true, "caFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}},
                    "clientCertificateFrom": {"secretRef": {"name": "client"}}}}},
            {"name": "w", "http": {"url": "http://web/list", "jsonPointer": "",
                "durations": {"items": "/results", "next": "/next", "from": "/created", "to": "/started"}}},
            {"name": "q", "sql": "select 1"}],
        "settle": {"seconds": 1, "until": {"measurement": "h", "atMost": 0}, "timeoutSeconds": 60, "measure": true},
        "tasksCheck": {"measurement": "q"},
        "columns": [{"title": "Run", "metric": "run"}, {"title": "Where", "text": "here"}],
    })
}

fn swept() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/"}, {"name": "r", "url": "http://web/", "rate": 1, "durationSeconds": 1}],
        "targets": [{"name": "api", "workloadRef": {"kind": "Deployment", "name": "api"}, "container": "c"}],
        "measurements": [{"name": "l", "log": {"target": "api", "regex": "x"}}],
        "sweep": [{"load": "m", "clients": [1, 2], "group": "a"}, {"load": "r", "rate": [1, 2], "group": "a"},
            {"target": "api", "replicas": [1, 2]}, {"target": "api", "cpu": ["1", "500m"]}, {"target": "api", "memory": ["64Mi", "1Gi"]}, {"action": "grow", "replicas": [3, 4]}],
        "actions": [{"name": "grow", "when": "AfterLoad", "scale": {"target": "api", "replicas": 3}}],
        "deadlines": {"totalSeconds": 604_800},
    })
}

fn varied() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/", "steps": [{"name": "s", "path": "/$(vars.v)"}]}],
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
        "vars": [{"name": "v", "value": "a"}, {"name": "c", "valueFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}],
        "sweep": [{"target": "api", "env": {"name": "WORKERS", "values": ["1", "2"]}}, {"variable": {"name": "v", "values": ["a", "b"]}}],
    })
}

fn sized() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/"}],
        "targets": [{"name": "api", "workloadRef": {"kind": "StatefulSet", "name": "api"}, "replicas": 1, "cpu": "100m", "memory": "64Mi",
            "env": [{"name": "A", "value": "b"}], "whenManaged": "Refuse"}],
    })
}

fn acted() -> Value {
    json!({
        "loads": [{"name": "m", "url": "http://web/", "clients": 1, "durationSeconds": 86_400}],
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
        "actions": [
            {"name": "a", "when": "DuringLoad", "afterSeconds": 5, "forSeconds": 5, "graceSeconds": 5, "timeoutSeconds": 60,
                "scale": {"target": "api", "replicas": 0}},
            {"name": "k", "when": "DuringLoad", "every": {"minSeconds": 3000, "maxSeconds": 4000},
                "deletePods": {"target": "api", "count": 1}},
            {"name": "r", "when": "BeforeRow", "restart": {"target": "api"}},
            {"name": "s", "when": "AfterLoad", "sql": "select 1"},
            {"name": "j", "when": "BeforeRun", "job": {"cronJobRef": {"name": "reset"}}},
            {"name": "h", "when": "AfterRun", "http": {"url": "http://web/", "method": "POST",
                "headers": [{"name": "A", "value": "b"}], "body": "$(run.verdict)"}}],
        "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        "seed": 1,
        "deadlines": {"totalSeconds": 604_800},
    })
}

fn journey() -> Value {
    json!({
        "seed": 1,
        "loads": [{"name": "m", "url": "http://web/", "rate": 1, "durationSeconds": 60, "startAfterSeconds": 1, "connection": "PerRequest",
            "steps": [
                {"name": "login", "method": "POST", "path": "/login",
                    "capture": [{"name": "token", "jsonPointer": "/t"}, {"name": "place", "header": "Location"}, {"name": "csrf", "cookie": "csrftoken"}]},
                {"name": "send", "method": "POST", "path": "/$(vars.token)", "repeat": 2, "pauseMilliseconds": 1,
                    "upload": [{"name": "a", "value": "b"}, {"name": "f", "filename": "f.txt", "bytes": 10},
                        {"name": "g", "filename": "g.txt", "configMapKeyRef": {"name": "files", "key": "g.txt"}}],
                    "expect": {"json": [{"jsonPointer": "/ok", "equals": "true"}],
                        "duringAction": {"name": "away", "status": [503]}}},
                {"name": "blob", "method": "POST", "randomBody": {"minBytes": 1, "maxBytes": 10}},
                {"name": "ready", "path": "/ready", "repeat": 2, "repeatFrom": "send",
                    "until": {"jsonPointer": "/state", "equals": ["done"], "intervalMilliseconds": 1000, "timeoutSeconds": 5}}]}],
        "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
        "actions": [{"name": "away", "when": "DuringLoad", "afterSeconds": 5, "forSeconds": 5, "scale": {"target": "api", "replicas": 0}}],
        "deadlines": {"totalSeconds": 604_800},
    })
}
