//! Lies that an application can tell over the wire: a server on the loopback, loaded and asked as in a cluster, and judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::api::{LoadTestSpec, Verdict};
use crate::engine::scripted::{Act, Seen, Server};
use crate::engine::stop_switch;
use crate::plan::plan;

/// What the application says its count of tasks is.
type Count = Arc<AtomicU64>;

/// An application that makes five tasks of each POST and counts them at `/count`, unless `lie` answers instead.
pub async fn application(lie: impl Fn(&Seen, u64, &Count) -> Option<Act> + Send + Sync + 'static) -> Server {
    let (count, posts) = (Count::default(), AtomicU64::new(0));
    Server::start(move |seen| {
        if seen.line.starts_with("GET /count") {
            let text = format!("{{\"count\": {}}}", count.load(Ordering::SeqCst));
            return Act::Reply(Duration::ZERO, 200, text.leak());
        }
        let number = posts.fetch_add(1, Ordering::SeqCst);
        lie(seen, number, &count).unwrap_or_else(|| {
            count.fetch_add(5, Ordering::SeqCst);
            Act::Reply(Duration::from_millis(5), 200, r#"{"tasks_executed": 5}"#)
        })
    })
    .await
}

/// 40 requests of two clients; the tasks that they count are compared with the application's own.
fn spec(url: &str) -> Value {
    json!({
        "loads": [{"name": "ingest", "url": url, "clients": 2, "iterations": 20, "steps": [{"name": "post", "method": "POST",
            "path": "/tasks", "timeoutSeconds": 1, "tasks": {"jsonPointer": "/tasks_executed"}}]}],
        "measurements": [{"name": "created", "http": {"url": format!("{url}/count"), "jsonPointer": "/count"},
            "intervalSeconds": 1}],
        "tasksCheck": {"measurement": "created"},
        "settle": {"seconds": 2}
    })
}

async fn ended(spec: Value) -> Ended {
    ended_with(spec, HashMap::new()).await
}

/// What a test came to, with these values of secrets.
pub async fn ended_with(spec: Value, environment: HashMap<String, String>) -> Ended {
    let spec: LoadTestSpec = serde_json::from_value(spec).expect("a spec");
    let plan = plan(&spec).expect("a plan");
    let run = RunIdentity { name: "lies-00000-1".into(), start_ms: Timestamp::now().as_millisecond() };
    let test = LocalTest { plan: &plan, run, environment, ca_file: None, files: vec![] };
    let (_switch, stop) = stop_switch();
    super::run(&test, &stop, &mut |_| {}).await
}

/// The test fails for this reason, and its message, observations or breaches hold these words.
async fn caught(server: &Server, change: impl FnOnce(&mut Value), reason: Reason, words: &str) {
    let mut spec = spec(&server.url());
    change(&mut spec);
    let ended = ended(spec).await;
    let row = &ended.rows[0];
    let said = format!("{} {:?} {:?}", ended.outcome.message, row.observations, row.breaches);
    assert_eq!((ended.outcome.verdict, ended.outcome.reason), (Verdict::Failed, reason), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
    println!("lie: {:?} {}: {}", ended.outcome.verdict, reason.as_str(), ended.outcome.message);
}

fn nothing(_: &mut Value) {}

#[tokio::test]
async fn an_honest_application_passes() {
    let server = application(|_, _, _| None).await;
    let ended = ended(spec(&server.url())).await;
    assert_eq!(ended.outcome.verdict, Verdict::Passed, "{} {:?}", ended.outcome.message, ended.rows);
    assert_eq!((ended.rows[0].tasks.map(|n| n.0), ended.rows[0].tasks_unaccounted), (Some(200), Some(0)));
}

#[tokio::test]
async fn every_third_answer_is_an_instant_503() {
    let lie = |_: &Seen, n: u64, _: &Count| n.is_multiple_of(3).then_some(Act::Reply(Duration::ZERO, 503, "{}"));
    caught(&application(lie).await, nothing, Reason::RequestsFailed, "14 answers were 503").await;
}

#[tokio::test]
async fn error_body_with_status_200() {
    let full = r#"{"error": "queue full"}"#;
    let lie = move |_: &Seen, n: u64, _: &Count| (n == 7).then_some(Act::Reply(Duration::ZERO, 200, full));
    caught(&application(lie).await, nothing, Reason::RequestsFailed, "1 request failed").await;
}

#[tokio::test]
async fn number_of_tasks_as_text() {
    let text = r#"{"tasks_executed": "5"}"#;
    let lie = move |_: &Seen, n: u64, _: &Count| (n == 7).then_some(Act::Reply(Duration::ZERO, 200, text));
    caught(&application(lie).await, nothing, Reason::RequestsFailed, "1 request failed").await;
}

#[tokio::test]
async fn login_page_with_status_200() {
    let page = "<html>please log in</html>";
    let lie = move |_: &Seen, _: u64, _: &Count| Some(Act::Reply(Duration::ZERO, 200, page));
    caught(&application(lie).await, nothing, Reason::RequestsFailed, "40 requests failed").await;
}

#[tokio::test]
async fn answer_cut_short() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"tasks_executed\": 5}";
    let lie = move |_: &Seen, n: u64, _: &Count| (n == 7).then_some(Act::Raw(cut));
    caught(&application(lie).await, nothing, Reason::RequestsFailed, "1 request failed").await;
}

#[tokio::test]
async fn cached_answer_that_no_application_gave() {
    let cached = "HTTP/1.1 200 OK\r\nage: 30\r\nx-cache: HIT\r\ncontent-length: 21\r\n\r\n{\"tasks_executed\": 5}";
    let lie = move |_: &Seen, n: u64, _: &Count| (n >= 10).then_some(Act::Open(cached));
    let words = "the clients counted 150 tasks more than the application (200 and 50)";
    caught(&application(lie).await, nothing, Reason::TasksUnaccounted, words).await;
}

#[tokio::test]
async fn request_that_timed_out_and_ran() {
    let lie = |_: &Seen, n: u64, count: &Count| {
        (n == 7).then(|| {
            count.fetch_add(5, Ordering::SeqCst);
            Act::Hang
        })
    };
    let allowed = |spec: &mut Value| spec["thresholds"] = json!([{"metric": "requests.failed", "max": 1}]);
    let words = "the clients counted 5 tasks fewer than the application (195 and 200)";
    caught(&application(lie).await, allowed, Reason::TasksUnaccounted, words).await;
}

#[tokio::test]
async fn stall_that_holds_back_what_was_due() {
    // Between 1.0 s and 1.8 s of three the application answers nothing. Counted from when they were sent, two requests were slow.
    let begun = std::sync::OnceLock::new();
    let lie = move |seen: &Seen, _: u64, _: &Count| {
        let at = seen.at.saturating_duration_since(*begun.get_or_init(|| seen.at)).as_millis() as u64;
        let stall = if (1_000..1_800).contains(&at) { 1_800 - at } else { 1 };
        Some(Act::Reply(Duration::from_millis(stall), 200, r#"{"tasks_executed": 5}"#))
    };
    let rate = |spec: &mut Value| {
        spec["loads"][0] = json!({"name": "ingest", "url": spec["loads"][0]["url"], "rate": 200, "durationSeconds": 3,
            "steps": spec["loads"][0]["steps"]});
        spec["loads"][0]["steps"][0]["timeoutSeconds"] = 5.into();
        spec["thresholds"] = json!([{"metric": "latency.p90Ms", "max": 300}]);
        spec.as_object_mut().expect("a spec").remove("tasksCheck");
    };
    let server = application(lie).await;
    let mut spec = spec(&server.url());
    rate(&mut spec);
    let ended = ended(spec).await;
    // On a busy machine the generator is late besides, which makes it Invalid.
    let said = format!("{} {:?}", ended.outcome.message, ended.rows[0].breaches);
    assert!(ended.outcome.verdict != Verdict::Passed && said.contains("latency.p90Ms"), "{said}");
    println!("lie: {:?} {}: {said}", ended.outcome.verdict, ended.outcome.reason.as_str());
}

#[tokio::test]
async fn item_that_never_comes() {
    let until = json!({"jsonPointer": "/status", "equals": ["done"], "intervalMilliseconds": 100, "timeoutSeconds": 1});
    let polled = |spec: &mut Value| {
        spec["loads"][0]["iterations"] = 2.into();
        spec["loads"][0]["steps"][0]["until"] = until;
    };
    caught(&application(|_, _, _| None).await, polled, Reason::RequestsFailed, "4 items were not done in time").await;
}
