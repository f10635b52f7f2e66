use super::*;
use crate::engine::fixture;
use crate::engine::http::template::Numbers;
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

/// A request as text, its head in lines.
fn text(step: &Step, numbers: Numbers, cookies: Option<&str>) -> String {
    let mut out = Vec::new();
    step.write(&numbers.into(), cookies, &mut out);
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
    assert_eq!(one.path(&numbers.into()), "/12");
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
fn a_header_of_the_load_that_names_a_captured_value_is_sent_from_the_step_after_the_one_that_captures_it() {
    let mut load = load();
    load.headers = vec![header("authorization", "Bearer $(vars.token)")];
    load.steps = ["login", "first", "second"].map(|name| fixture::step(name, "GET", "/$(vars.token)")).to_vec();
    load.steps[0].path = "/login".into();
    load.steps[0].capture =
        vec![crate::plan::CaptureInput { name: "token".into(), from: crate::plan::CaptureFrom::Header("x".into()) }];
    let target = Target { tls: false, host: "h".into(), authority: "h:8000".into(), addresses: vec![] };
    let constants = Constants::new("run", 0, &Default::default()).capturing(vec!["token".into()]);
    let captured = [Some("a b/c".to_owned())];
    let fill = Fill { captured: &captured, ..Fill::default() };
    let sent = [0, 1, 2].map(|position| {
        let step = Step::new(&load, position, "", &target, &constants).ok().unwrap();
        let mut out = Vec::new();
        step.write(&fill, None, &mut out);
        (step.lacks(&[None]), String::from_utf8(out).unwrap())
    });
    assert!(!sent[0].0 && !sent[0].1.contains("authorization"), "{}", sent[0].1);
    for (lacks, text) in &sent[1..] {
        assert!(*lacks && text.starts_with("GET /a%20b/c HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("authorization: Bearer a b/c\r\n"), "{text}");
    }
}

#[test]
fn a_path_that_begins_with_a_captured_link_is_that_link_on_the_load_s_own_host() {
    let mut load = load();
    load.steps =
        vec![fixture::step("create", "POST", "/things"), fixture::step("use", "GET", "$(vars.link)parts/?n=1")];
    let target = Target { tls: false, host: "h".into(), authority: "h:8000".into(), addresses: vec![] };
    let constants = Constants::new("run", 0, &Default::default()).capturing(vec!["link".into()]);
    let step = Step::new(&load, 1, "/base", &target, &constants).ok().unwrap();
    assert!(step.lacks(&[None]));
    for (link, sent) in [
        ("/api/things/7/", "/api/things/7/parts/?n=1"),
        ("https://other:9/api/7/", "/api/7/parts/?n=1"),
        ("http://other", "/parts/?n=1"),
        ("things/a b/", "/things/a%20b/parts/?n=1"),
    ] {
        let captured = [Some(link.to_owned())];
        let fill = Fill { captured: &captured, ..Fill::default() };
        let mut out = Vec::new();
        step.write(&fill, None, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(&format!("GET {sent} HTTP/1.1\r\nhost: h:8000\r\n")), "{link}: {text}");
    }
}
