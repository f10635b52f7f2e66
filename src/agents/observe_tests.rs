//! Tests of the observer's main function with files and a small server of their own.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A writer that tests can read.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn lines(&self) -> Vec<ObserverLine> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn args(folder: &Path, plan: serde_json::Value) -> ObserveArgs {
    let args = ObserveArgs {
        plan: folder.join("plan.json"),
        annotations: folder.join("annotations"),
        state: folder.to_owned(),
        termination_log: folder.join("termination"),
    };
    std::fs::write(&args.plan, plan.to_string()).unwrap();
    args
}

fn anything() -> AddressCheck {
    Arc::new(|_| None)
}

fn word(args: &ObserveArgs) -> Termination {
    serde_json::from_slice(&std::fs::read(&args.termination_log).unwrap()).unwrap()
}

#[tokio::test]
async fn a_missing_secret_is_left_as_a_word_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let plan = json!({"protocol": 1, "runId": "r", "runStartMs": 0, "measurements": [], "vars": [],
        "postgres": {"urlEnv": "DATABASE_URL", "slowQueryMilliseconds": 1000}});
    let args = args(folder.path(), plan);
    let refusal = observe(&args, &HashMap::new(), anything(), Output::default()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::SecretMissing);
    let word = word(&args);
    assert_eq!(word.reason.as_deref(), Some("SecretMissing"));
    assert!(word.message.unwrap().contains("DATABASE_URL"));
    assert!(!args.state.join(ARMED).exists());
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_refused_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let plan = json!({"protocol": 1, "runId": "r", "runStartMs": 0, "measurements": [], "vars": [],
        "postgres": {"urlEnv": "U", "slowQueryMilliseconds": 1000}});
    let args = args(folder.path(), plan);
    let environment = HashMap::from([("U".to_owned(), "mysql://canary:canary@h/canary".to_owned())]);
    let refusal = observe(&args, &environment, anything(), Output::default()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidSpec);
    assert!(!refusal.message.contains("canary") && refusal.message.contains("postgres://"), "{refusal}");
}

#[tokio::test]
async fn a_plan_of_another_protocol_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = args(folder.path(), json!({"protocol": 99}));
    let refusal = observe(&args, &HashMap::new(), anything(), Output::default()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::UnknownProtocol);
}

#[tokio::test]
async fn a_pod_with_a_cloud_identity_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let args = args(folder.path(), json!({}));
    let environment = HashMap::from([("AWS_ROLE_ARN".to_owned(), "canary".to_owned())]);
    let refusal = observe(&args, &environment, anything(), Output::default()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::AgentHasIdentity);
    assert!(!refusal.message.contains("canary"));
}

/// Answers `{"n": 5}` to everything.
async fn five() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"n\": 5}").await;
        }
    });
    port
}

fn http(name: &str, url: String) -> serde_json::Value {
    json!({"name": name, "intervalSeconds": 1, "source": {"http": {"url": url, "jsonPointer": "/n", "headers": [],
        "tls": {"insecureSkipVerify": false}}}})
}

#[tokio::test]
async fn measurements_of_a_row_are_asked_only_once_its_start_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let port = five().await;
    let measurements = [
        http("pending", format!("http://127.0.0.1:{port}/")),
        http("created", format!("http://127.0.0.1:{port}/?since=$(row.start)")),
    ];
    let plan = json!({"protocol": 1, "runId": "r", "runStartMs": 0, "measurements": measurements, "vars": []});
    let args = args(folder.path(), plan);
    let output = Output::default();
    let (task_args, out) = (args.clone(), output.clone());
    let task = tokio::spawn(async move { observe(&task_args, &HashMap::new(), anything(), out).await });

    let has = |name: &str| {
        let name = name.to_owned();
        move |line: &ObserverLine| matches!(line, ObserverLine::Sample(s) if s.m.get(&name) == Some(&5.0))
    };
    until(|| output.lines().iter().any(has("pending"))).await;
    until(|| args.state.join(ARMED).exists()).await;
    assert!(!output.lines().iter().any(has("created")), "no row yet");
    std::fs::write(&args.annotations, "loadtest.dev/row=\"{\\\"row\\\":1,\\\"startMs\\\":5}\"\n").unwrap();
    until(|| output.lines().iter().any(has("created"))).await;
    std::fs::write(&args.annotations, "loadtest.dev/row=\"{\\\"row\\\":2}\"\n").unwrap();
    task.abort();
}

async fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
