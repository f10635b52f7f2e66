use bytes::Bytes;

use super::*;
use crate::engine::fixture;
use crate::plan::{Arrivals, BasicAuthInput, HeaderInput};

fn header(name: &str, value: &str) -> HeaderInput {
    HeaderInput { name: name.into(), value: value.into() }
}

fn load() -> LoadInput {
    fixture::load("l", "http://h:8000", Arrivals::Iterations { clients: 1, iterations_per_client: 1 })
}

fn step(load: &LoadInput, base: &str) -> Result<Step, StepError> {
    let target = Target { tls: false, host: "h".into(), authority: "h:8000".into(), addresses: vec![] };
    let vars = [("secret".to_string(), "a\nb".to_string())].into();
    Step::new(load, 0, base, &target, &Constants::new("run", 0, &vars))
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: Body::Kept(Bytes::copy_from_slice(body.as_bytes())), cookies: None }
}

/// A request as text, its head in lines.
fn text(step: &Step, numbers: Numbers, cookies: Option<&str>) -> String {
    let mut out = Vec::new();
    step.write(numbers, cookies, &mut out);
    String::from_utf8(out).unwrap()
}

fn lines(step: &Step, numbers: Numbers) -> Vec<String> {
    text(step, numbers, None).split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_request_is_these_bytes() {
    let mut load = load();
    load.steps[0].method = "POST".into();
    load.steps[0].path = "/$(seq)?q=1".into();
    load.steps[0].body = Some("{\"n\": $(seq)}".into());
    let one = step(&load, "").ok().unwrap();
    let agent = concat!("user-agent: loadtest/", env!("CARGO_PKG_VERSION"));
    let numbers = Numbers { seq: 12, client: 0 };
    let expected = ["POST /12?q=1 HTTP/1.1", "host: h:8000", agent, "content-length: 9", "", "{\"n\": 12}"];
    assert_eq!(lines(&one, numbers), expected);
    assert_eq!(one.path(numbers), "/12");
}

#[test]
fn a_body_s_length_is_said_where_a_body_means_something() {
    for (method, said) in
        [("GET", 0), ("HEAD", 0), ("DELETE", 0), ("OPTIONS", 0), ("POST", 1), ("PUT", 1), ("PATCH", 1)]
    {
        let mut load = load();
        load.steps[0].method = method.into();
        let empty = step(&load, "").ok().unwrap();
        assert_eq!(text(&empty, Numbers::default(), None).matches("content-length: 0\r\n").count(), said, "{method}");
        load.steps[0].body = Some("x".into());
        let full = step(&load, "").ok().unwrap();
        assert!(text(&full, Numbers::default(), None).contains("content-length: 1\r\n"), "{method}");
    }
}

#[test]
fn the_cookies_of_the_jar_stand_behind_those_of_the_manifest() {
    let mut load = load();
    assert!(!text(&step(&load, "").ok().unwrap(), Numbers::default(), None).contains("cookie"));
    let plain = step(&load, "").ok().unwrap();
    assert!(text(&plain, Numbers::default(), Some("b=2")).contains("\r\ncookie: b=2\r\n"));
    load.headers = vec![header("Cookie", "a=$(seq)")];
    let own = step(&load, "").ok().unwrap();
    assert!(text(&own, Numbers::default(), None).contains("\r\ncookie: a=0\r\n"));
    assert!(text(&own, Numbers::default(), Some("b=2")).contains("\r\ncookie: a=0; b=2\r\n"));
}

#[test]
fn a_length_of_its_own_would_break_the_framing_and_is_refused() {
    for name in ["Content-Length", "transfer-encoding"] {
        let mut load = load();
        load.headers = vec![header(name, "5")];
        let message = step(&load, "").err().unwrap().to_string();
        assert!(message.contains(&format!("headers[{name}]")), "{message}");
    }
}

#[test]
fn a_request_with_a_new_uuid_is_not_sent_twice_and_one_that_asks_to_close_ends_its_connection() {
    let mut load = load();
    assert!(step(&load, "").ok().unwrap().repeatable() && step(&load, "").ok().unwrap().keeps_alive());
    load.headers = vec![header("x-id", "$(uuid)"), header("connection", "x, Close")];
    assert!(!step(&load, "").ok().unwrap().repeatable() && !step(&load, "").ok().unwrap().keeps_alive());
    load.headers.clear();
    load.steps[0].method = "POST".into();
    assert!(!step(&load, "").ok().unwrap().repeatable());
}

#[test]
fn a_steps_header_replaces_the_loads_and_both_replace_basic_auth() {
    let mut load = load();
    load.basic_auth = Some(BasicAuthInput { username: "u".into(), password: "p".into() });
    load.headers = vec![header("X-A", "load"), header("x-b", "load")];
    load.steps[0].headers = vec![header("x-a", "step $(seq)")];
    let numbers = Numbers { seq: 4, client: 0 };
    let sent = lines(&step(&load, "").ok().unwrap(), numbers);
    for line in ["x-a: step 4", "x-b: load", "host: h:8000", "authorization: Basic dTpw"] {
        assert_eq!(sent.iter().filter(|sent| *sent == line).count(), 1, "{line}");
    }
    assert!(!sent.contains(&"x-a: load".to_string()));
    load.basic_auth = Some(BasicAuthInput { username: "u$(seq)".into(), password: "p".into() });
    let sent = lines(&step(&load, "").ok().unwrap(), numbers);
    assert!(sent.contains(&format!("authorization: Basic {}", STANDARD.encode("u4:p"))));
    load.headers.push(header("Authorization", "Bearer t"));
    load.headers.push(header("Host", "other"));
    let sent = lines(&step(&load, "").ok().unwrap(), numbers);
    let of = |name: &str| sent.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!((of("authorization"), of("host")), (vec!["authorization: Bearer t".into()], vec!["host: other".into()]));
}

#[test]
fn paths_are_joined_by_one_slash_and_made_sendable() {
    for (base, path, whole) in [
        ("", "", "/"),
        ("/", "/x", "/x"),
        ("/api/pulp", "/t/", "/api/pulp/t/"),
        ("/api/", "", "/api/"),
        ("?a=1", "", "/?a=1"),
        ("", "/é {$(seq)}?q=a b&c=%20", "/%C3%A9%20%7B0%7D?q=a%20b&c=%20"),
    ] {
        let mut load = load();
        load.steps[0].path = path.into();
        let sent = lines(&step(&load, base).ok().unwrap(), Numbers::default());
        assert_eq!(sent[0], format!("GET {whole} HTTP/1.1"));
    }
}

#[test]
fn a_secret_with_a_line_break_in_a_header_is_refused_without_showing_it() {
    let mut load = load();
    load.headers = vec![header("token", "$(vars.secret)")];
    let message = step(&load, "").err().unwrap().to_string();
    assert!(message.contains("loads[l].steps[get]") && !message.contains("a\nb"), "{message}");
}

#[test]
fn an_unknown_variable_is_refused_with_its_field() {
    let mut load = load();
    load.steps[0].body = Some("$(vars.other)".into());
    let message = step(&load, "").err().unwrap().to_string();
    assert!(message.starts_with("loads[l].steps[get].body: $(vars.other) is not known"), "{message}");
}

#[test]
fn a_status_is_judged_before_the_tasks() {
    let mut load = load();
    load.steps[0].tasks = TasksInput::JsonPointer("/tasks/0/n".into());
    let one = step(&load, "").ok().unwrap();
    assert_eq!(one.judge(&reply(200, r#"{"tasks":[{"n":12}]}"#)), Ok(12));
    assert_eq!(one.judge(&reply(503, r#"{"tasks":[{"n":12}]}"#)), Err(Failure::Status(503)));
    assert_eq!(one.judge(&reply(200, r#"{"tasks":[{"n":1.5}]}"#)), Err(Failure::TaskCountMissing));
    assert_eq!(one.judge(&reply(200, r#"{"tasks":[{"n":-1}]}"#)), Err(Failure::TaskCountMissing));
    assert_eq!(one.judge(&reply(200, r#"{}"#)), Err(Failure::TaskCountMissing));
    assert_eq!(one.judge(&reply(200, "<html>")), Err(Failure::BadJson));
    assert_eq!(one.judge(&Reply { status: 200, body: Body::TooLarge, cookies: None }), Err(Failure::AnswerTooLarge));
}

#[test]
fn a_listed_status_is_the_only_good_one() {
    let mut load = load();
    load.steps[0].expect_status = vec![202, 503];
    load.steps[0].tasks = TasksInput::PerResponse(5);
    let one = step(&load, "").ok().unwrap();
    assert_eq!(one.judge(&reply(503, "")), Ok(5));
    assert_eq!(one.judge(&reply(200, "")), Err(Failure::Status(200)));
}
