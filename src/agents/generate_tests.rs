use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::results::gathered::record::Record;

/// A pod's folders around a server on loopback that answers everything well.
struct Pod {
    folder: TempDir,
    around: Surroundings,
    requests: Arc<AtomicU32>,
    input: serde_json::Value,
}

impl Pod {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?key=hunter2", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU32::new(0));
        let count = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let count = count.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                    }
                });
            }
        });
        let step = serde_json::json!({"name": "get", "method": "GET", "path": "", "headers": [], "body": null,
            "timeoutSeconds": 5, "expectStatus": [], "tasks": "none"});
        let load = serde_json::json!({"name": "l", "url": url, "warmupSeconds": 0, "generators": 2, "headers": [],
            "arrivals": {"iterations": {"clients": 4, "iterationsPerClient": 3}}, "basicAuth": null,
            "tls": {"insecureSkipVerify": false}, "steps": [step]});
        let input = serde_json::json!({"protocol": 1, "runId": "demo-1", "runStartMs": 0, "row": 3, "loads": [load],
            "vars": [{"name": "token", "env": "LOADTEST_VAR_0"}]});
        let env = [("LOADTEST_VAR_0".to_string(), "hunter2".to_string())].into();
        let around = Surroundings { env, token: "/nowhere/token".into(), rules: AddressRules::Any };
        Self { folder: tempfile::tempdir().unwrap(), around, requests, input }
    }

    fn args(&self) -> GenerateArgs {
        let path = |name: &str| self.folder.path().join(name);
        std::fs::write(path("plan.json"), self.input.to_string()).unwrap();
        GenerateArgs {
            plan: path("plan.json"),
            annotations: path("annotations"),
            state: self.folder.path().into(),
            termination_log: path("termination"),
            index: 1,
            arm_timeout: 30,
        }
    }

    fn annotate(&self, key: &str, from_now_ms: i64) -> i64 {
        let at = Timestamp::from_millisecond(Timestamp::now().as_millisecond() + from_now_ms).unwrap();
        let next = self.folder.path().join("next");
        std::fs::write(&next, format!("{key}=\"{at:.3}\"\n")).unwrap();
        std::fs::rename(next, self.folder.path().join("annotations")).unwrap();
        at.as_millisecond()
    }

    async fn run(&self) -> (Termination, Vec<Record>) {
        let mut out = Vec::new();
        let ended = run(&self.args(), &self.around, &mut out).await;
        let text = String::from_utf8(out).unwrap();
        assert!(!format!("{text}{}", emit::termination(&ended)).contains("hunter2"));
        (ended, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn sent(&self) -> u32 {
        self.requests.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_granted_start_is_fired_once_and_recorded() {
    let pod = Pod::new().await;
    let armed = pod.folder.path().join("armed");
    assert!(!agent_ready(&armed));
    let grant = async {
        while !agent_ready(&armed) {
            tokio::time::sleep(POLL).await;
        }
        assert_eq!(pod.sent(), 0);
        pod.annotate(START_AT, 5000)
    };
    let ((ended, records), start_ms) = tokio::join!(pod.run(), grant);
    assert_eq!((ended.reason, ended.loads[0].counts.ok), (None, 6));
    let [Record::Header(header), Record::Load(load), Record::Trailer(trailer)] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!((header.start_at_ms, header.index, header.row, trailer.records), (start_ms, 1, 3, 2));
    assert_eq!((load.counts.due, load.counts.ok, load.stopped.as_deref(), pod.sent()), (6, 6, None, 6));

    pod.annotate(START_AT, 30_000);
    let (again, records) = pod.run().await;
    assert_eq!((again.reason.as_deref(), records.len(), pod.sent()), (Some("StartMissed"), 0, 6));
}

#[tokio::test]
async fn a_start_that_is_over_or_too_far_ahead_sends_nothing() {
    for ahead in [-5000, 50, 120_000] {
        let pod = Pod::new().await;
        pod.annotate(START_AT, ahead);
        let (ended, records) = pod.run().await;
        assert_eq!((ended.reason.as_deref(), records.len(), pod.sent()), (Some("StartMissed"), 0, 0));
        assert!(!pod.folder.path().join("fired").exists());
    }
}

#[tokio::test]
async fn a_stop_before_the_start_sends_nothing() {
    let pod = Pod::new().await;
    pod.annotate(STOP_AT, 0);
    assert_eq!(pod.run().await.0.message.as_deref(), Some("stopped before the start"));
    assert_eq!(pod.sent(), 0);
}

#[tokio::test]
async fn a_stop_while_loading_leaves_partial_records() {
    let mut pod = Pod::new().await;
    pod.input["loads"][0]["arrivals"] =
        serde_json::json!({"rate": {"count": 20, "perSeconds": 1, "seconds": 600, "maxInFlight": 10}});
    pod.annotate(START_AT, 2000);
    let stop = async {
        while pod.sent() < 3 {
            tokio::time::sleep(POLL).await;
        }
        pod.annotate(STOP_AT, 0);
    };
    let ((ended, records), ()) = tokio::join!(pod.run(), stop);
    let load = &ended.loads[0];
    assert_eq!((ended.reason, load.stopped.as_deref(), records.len()), (None, Some("stop-at"), 3));
    assert!(load.counts.ok >= 3);
    assert_eq!((load.counts.due, load.counts.sent + load.counts.unsent), (6000, 6000));
}

/// In a process of its own, because the signal reaches every test of this one.
#[test]
fn a_sigterm_while_loading_leaves_partial_records() {
    let own = "agents::generate::tests::terminated_in_mid_load";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", own, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{}: {said}", child.status);
}

#[tokio::test]
#[ignore = "ends its process; the test above runs it"]
async fn terminated_in_mid_load() {
    let mut pod = Pod::new().await;
    pod.input["loads"][0]["arrivals"] =
        serde_json::json!({"rate": {"count": 20, "perSeconds": 1, "seconds": 600, "maxInFlight": 10}});
    pod.annotate(START_AT, 2000);
    let terminate = async {
        while pod.sent() < 3 {
            tokio::time::sleep(POLL).await;
        }
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
    };
    let ((ended, records), ()) = tokio::join!(pod.run(), terminate);
    let load = &ended.loads[0];
    assert_eq!((ended.reason, load.stopped.as_deref(), records.len()), (None, Some("sigterm"), 3));
    assert!(load.counts.ok >= 3 && load.counts.unsent > 0, "{load:?}");
    assert_eq!((load.counts.due, load.counts.sent + load.counts.unsent), (6000, 6000));
}

#[tokio::test]
async fn a_threshold_that_is_broken_stops_the_load_and_leaves_partial_records() {
    let mut pod = Pod::new().await;
    let load = &mut pod.input["loads"][0];
    load["arrivals"] = serde_json::json!({"rate": {"count": 20, "perSeconds": 1, "seconds": 600, "maxInFlight": 10}});
    load["steps"][0]["expectStatus"] = serde_json::json!([202]);
    load["stops"] = serde_json::json!([{"metric": "requests.failedPercent", "max": "5"}]);
    pod.annotate(START_AT, 2000);
    let (ended, records) = pod.run().await;
    let load = &ended.loads[0];
    assert_eq!((ended.reason, load.stopped.as_deref(), records.len()), (None, Some("threshold"), 3));
    let breach = load.breach.as_ref().unwrap();
    assert_eq!((breach.metric.as_str(), breach.observed.as_str()), ("requests.failedPercent", "100"));
    assert!(load.counts.failed >= 3 && load.counts.sent < 600, "{load:?}");
    assert_eq!((load.counts.due, load.counts.unsent), (load.counts.sent + load.counts.capped, 0));
}

#[tokio::test]
async fn no_grant_in_time_ends_the_wait() {
    let pod = Pod::new().await;
    let args = GenerateArgs { arm_timeout: 0, ..pod.args() };
    let ended = run(&args, &pod.around, &mut Vec::new()).await;
    assert_eq!(ended.reason.as_deref(), Some("ArmTimeout"));
}

#[tokio::test]
async fn each_refusal_has_its_reason_and_arms_nothing() {
    type Spoil = fn(&mut Pod);
    let cases: [(&str, Spoil); 7] = [
        ("SecretMissing", |pod| pod.around.env.clear()),
        ("AgentHasIdentity", |pod| drop(pod.around.env.insert("AWS_SESSION_TOKEN".into(), "hunter2".into()))),
        ("AgentHasIdentity", |pod| pod.around.token = "/dev/null".into()),
        ("UrlNotAllowed", |pod| pod.around.rules = AddressRules::Pod { api_server: vec![] }),
        ("UnknownProtocol", |pod| pod.input = serde_json::json!({"protocol": 99})),
        ("InvalidSpec", |pod| pod.input["loads"][0]["steps"][0]["path"] = "/$(vars.other)".into()),
        ("InvalidSpec", |pod| pod.input["loads"] = serde_json::json!([])),
    ];
    for (reason, spoil) in cases {
        let mut pod = Pod::new().await;
        spoil(&mut pod);
        pod.annotate(START_AT, 30_000);
        let (ended, records) = pod.run().await;
        assert_eq!((ended.reason.as_deref(), records.len()), (Some(reason), 0));
        assert!(!agent_ready(&pod.folder.path().join("armed")));
    }
}

#[test]
fn the_grants_delay_is_seen_minus_written() {
    let text = "loadtest.dev/start-at=\"1970-01-01T00:01:05Z\"\nloadtest.dev/granted-at=\"1970-01-01T00:01:00Z\"\n\
                loadtest.dev/hard-end-at=\"1970-01-01T00:02:00Z\"\n";
    let now = Instant::now();
    let grant = granted(&Annotations::parse(text).unwrap(), 60_120, now).unwrap().unwrap();
    assert_eq!(grant.seen_after_ms, 120);
    assert_eq!(grant.start.at, now + Duration::from_millis(4880));
    assert_eq!(grant.hard_end, Some(now + Duration::from_millis(59_880)));
}
