//! Tests of the act's main function with files and a small server of their own.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn args(folder: &Path, plan: &Value) -> ActArgs {
    let args = ActArgs { plan: folder.join("plan.json"), termination_log: folder.join("termination") };
    std::fs::write(&args.plan, plan.to_string()).unwrap();
    args
}

fn plan(what: Value) -> Value {
    let mut plan = json!({"protocol": PROTOCOL_VERSION, "runId": "t-1", "runStartMs": 0, "timeoutSeconds": 5,
        "vars": [{"name": "token", "env": "LOADTEST_VAR_0"}]});
    plan.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    plan
}

fn environment() -> HashMap<String, String> {
    HashMap::from([("LOADTEST_VAR_0".to_owned(), "canary".to_owned())])
}

fn anything() -> AddressCheck {
    Arc::new(|_| None)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Runs it, and gives what it left for the controller.
async fn said(plan: &Value) -> ActSaid {
    let folder = tempfile::tempdir().unwrap();
    let args = args(folder.path(), plan);
    let done = act(&args, &environment(), anything()).await;
    let said: ActSaid = serde_json::from_slice(&std::fs::read(&args.termination_log).unwrap()).unwrap();
    assert_eq!(done.err(), said.message);
    said
}

/// A server that answers one request with this status; its address, and what it got.
async fn server(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; 4096];
        let n = stream.read(&mut got).await.unwrap();
        let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret");
        stream.write_all(head.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&got[..n]).into_owned()
    });
    (port, got)
}

fn request(port: u16) -> Value {
    json!({"http": {"url": format!("http://127.0.0.1:{port}/hook?k=$(vars.token)"), "method": "POST",
        "headers": [{"name": "Authorization", "value": "Bearer $(vars.token)"}],
        "body": "{\"text\": \"$(run.id): $(run.verdict). $(run.message)\"}"}})
}

#[tokio::test]
async fn a_notification_is_sent_once_with_its_variables_and_stays_json() {
    let (port, got) = server("204 No Content").await;
    let mut plan = plan(request(port));
    plan["ended"] = json!({"verdict": "Failed", "message": "row 1: \"p99\" > 5"});
    let before = now();
    let said = said(&plan).await;
    assert_eq!(said.message, None);
    assert!((before..=now()).contains(&said.ran_at_ms.unwrap()));
    let got = got.await.unwrap();
    assert!(got.starts_with("POST /hook?k=canary HTTP/1.1\r\n") && got.contains("Bearer canary"), "{got}");
    assert!(got.ends_with(r#"{"text": "t-1: Failed. row 1: \"p99\" > 5"}"#), "{got}");
}

#[tokio::test]
async fn an_answer_that_is_not_2xx_or_leads_elsewhere_is_a_failure_of_which_only_the_status_is_said() {
    for (answer, words) in [("500 No", "answered status 500"), ("302 Found", "answered status 302")] {
        let (port, _) = server(answer).await;
        let mut plan = plan(request(port));
        plan["ended"] = json!({"verdict": "Passed", "message": ""});
        let said = said(&plan).await;
        assert_eq!(said.message.as_deref(), Some(words));
        assert!(said.ran_at_ms.is_some());
    }
}

#[tokio::test]
async fn nothing_is_sent_before_its_time_nor_long_after() {
    let (port, got) = server("200 OK").await;
    let mut plan = plan(request(port));
    plan["ended"] = json!({"verdict": "Passed", "message": ""});
    let from = now() + 300;
    plan["due"] = json!({"fromMs": from, "toMs": from + 5_000});
    assert!(said(&plan).await.ran_at_ms >= Some(from));
    drop(got.await.unwrap());
    plan["due"] = json!({"fromMs": now() - 6_000, "toMs": now() - 1_000});
    let late = said(&plan).await;
    assert_eq!(late.ran_at_ms, None);
    assert!(late.message.unwrap().contains("s after its time; at most 5 s are allowed"));
}

#[tokio::test]
async fn what_keeps_it_from_being_done_is_said_without_secrets() {
    let sql = plan(json!({"sql": {"statement": "select 1", "urlEnv": "LOADTEST_VAR_0"}}));
    let wrong = said(&sql).await.message.unwrap();
    assert!(wrong.contains("must begin with postgres://") && !wrong.contains("canary"), "{wrong}");
    let mut missing = plan(request(1));
    missing["vars"][0]["env"] = "LOADTEST_VAR_7".into();
    assert!(said(&missing).await.message.unwrap().contains("LOADTEST_VAR_7 is not there"));
    let mut newer = plan(request(1));
    newer["protocol"] = (PROTOCOL_VERSION + 1).into();
    assert!(said(&newer).await.message.unwrap().contains("speaks protocol"));
}

#[tokio::test]
async fn a_pod_with_an_identity_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let args = args(folder.path(), &plan(request(1)));
    let mut environment = environment();
    environment.insert("AWS_ROLE_ARN".into(), "x".into());
    let why = act(&args, &environment, anything()).await.unwrap_err();
    assert!(why.contains("AWS_ROLE_ARN"), "{why}");
}
