use super::*;
use crate::plan::Plan;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    request: RequestArgs,
}

fn made(words: &[&str], url: &str) -> Result<Plan, String> {
    let line = Line::try_parse_from([&["run"], words].concat()).map_err(|error| error.to_string())?;
    let all = |errors: Vec<FieldError>| errors.iter().map(|error| format!("{error}\n")).collect::<String>();
    line.request.manifest(url, &[("x".into(), "1".into())])?.plan.map_err(all)
}

#[test]
fn a_url_alone_is_200_requests_of_50_clients() {
    let plan = made(&[], "http://h:1/a?b=$(seq)").unwrap();
    let load = &plan.spec.loads[0];
    assert_eq!((load.clients, load.iterations), (Some(50), Some(4)));
    assert_eq!((load.url.as_str(), load.steps[0].path.as_str()), ("http://h:1", "/a?b=$(seq)"));
    assert_eq!(made(&[], "http://h?b=1").unwrap().spec.loads[0].steps[0].path, "/?b=1");
    assert_eq!(made(&[], "https://[::1]").unwrap().spec.loads[0].url, "https://[::1]");
}

#[test]
fn a_rate_lasts_and_clients_bound_what_is_open() {
    let plan = made(&["--rate", "100", "--duration", "1m30s", "-c", "7", "--warmup", "5"], "http://h").unwrap();
    let load = &plan.spec.loads[0];
    assert_eq!(
        (load.rate, load.duration_seconds, load.max_in_flight, load.clients),
        (Some(100), Some(90), Some(7), None)
    );
    assert_eq!((load.warmup_seconds, load.per_seconds), (Some(5), None));
    let slow = made(&["-q", "30/m", "-z", "60"], "http://h").unwrap();
    assert_eq!((slow.spec.loads[0].rate, slow.spec.loads[0].per_seconds), (Some(30), Some(60)));
    assert!(made(&["--rate", "9"], "http://h").unwrap_err().contains("--rate needs --duration"));
}

#[test]
fn requests_are_shared_out_evenly_or_not_at_all() {
    let load = |words: &[&str]| made(words, "http://h").map(|plan| plan.spec.loads[0].clone());
    assert_eq!(load(&["-n", "10"]).unwrap().clients, Some(10));
    assert_eq!(load(&["-n", "120"]).unwrap().clients, Some(40));
    assert_eq!(load(&["-n", "120", "-c", "60"]).unwrap().iterations, Some(2));
    assert_eq!(load(&["-n", "101", "-c", "1"]).unwrap().iterations, Some(101));
    assert!(load(&["-n", "100", "-c", "30"]).unwrap_err().contains("-n 90 or 120 can"));
    assert!(load(&["-n", "3", "-c", "30"]).unwrap_err().contains("-n 30 can"));
}

#[test]
fn another_number_of_clients_than_the_usual_is_said_and_never_less_than_half_of_it_is_chosen() {
    let chosen = |requests: &str| {
        let request = Line::try_parse_from(["run", "-n", requests]).unwrap().request;
        let clients = made(&["-n", requests], "http://h").map(|plan| plan.spec.loads[0].clients);
        (clients, request.chosen())
    };
    assert_eq!(chosen("200"), (Ok(Some(50)), None));
    assert_eq!(chosen("24").0, Ok(Some(24)), "one request each");
    for (requests, clients) in [("25", 25), ("49", 49), ("102", 34), ("1", 1)] {
        let (made, said) = chosen(requests);
        assert_eq!(made, Ok(Some(clients)), "{requests}");
        assert!(said.unwrap().starts_with(&format!("{clients} clients send ")), "{requests}");
    }
    let (refused, said) = chosen("101");
    assert!(refused.unwrap_err().contains("among 25 to 50 clients; -n 100 or 102 can, or say with -c"));
    assert_eq!(said, None);
    assert!(chosen("4294967295").0.is_err() || chosen("4294967295").1.is_some());
    let asked = Line::try_parse_from(["run", "-n", "40", "-c", "4"]).unwrap().request;
    assert_eq!(asked.chosen(), None);
}

#[test]
fn any_good_answer_is_written_2xx() {
    let expected = |words: &[&str]| made(words, "http://h").map(|plan| plan.spec.loads[0].steps[0].expect.clone());
    assert_eq!(expected(&["--expect", "2xx"]), expected(&[]));
    assert_eq!(expected(&["--expect", "2XX,204"]), expected(&[]));
    assert!(expected(&["--expect", "2xx,404"]).unwrap_err().contains("--expect: 2xx stands alone"));
}

#[test]
fn the_request_is_as_it_was_typed() {
    let words = ["-m", "post", "-H", "X-A: b: c", "-d", "{}", "-t", "2s", "--expect", "200,202", "-a", "u:p:q", "-k"];
    let plan = made(&words, "http://h").unwrap();
    let (load, step) = (&plan.spec.loads[0], &plan.spec.loads[0].steps[0]);
    assert_eq!((step.headers[0].name.as_str(), step.headers[0].value.as_str()), ("X-A", "b: c"));
    assert_eq!((step.body.as_deref(), step.timeout_seconds), (Some("{}"), 2));
    assert_eq!(step.expect.as_ref().unwrap().status, [200, 202]);
    assert_eq!(load.basic_auth.as_ref().unwrap().password, "p:q");
    assert!(load.tls.as_ref().unwrap().insecure_skip_verify);
}

#[test]
fn a_mistyped_secret_is_not_repeated() {
    for words in [["-H", "Authorization=hunter2"], ["-a", "hunter2"]] {
        let said = made(&words, "http://h").unwrap_err();
        assert!(said.starts_with("--") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn errors_name_the_option_and_not_the_field() {
    for (words, url, says) in [
        (&["-c", "0"][..], "http://h", "--clients"),
        (&["-n", "0"], "http://h", "--requests must be at least 1"),
        (&["-n", "0", "-c", "5"], "http://h", "--requests must be at least 1"),
        (&["-t", "0"], "http://h", "--timeout: "),
        (&["-n", "20", "--warmup", "1s"], "http://h", "--warmup needs --duration"),
        (&["--expect", "3xx"], "http://h", "neither 2xx nor a status code"),
        (&["--expect", "700"], "http://h", "neither 2xx nor a status code"),
        (&["-H", "Content-Length: 5"], "http://h", "--header: Content-Length is made from the body; leave it out"),
        (&["-m", "FETCH"], "http://h", "--method: "),
        (&["-d", "$(vars.other)"], "http://h", "--body: "),
        (&["-z", "90s", "-q", "0"], "http://h", "--rate: "),
        (&["-z", "1.5s"], "http://h", "whole seconds"),
        (&["-z", ""], "http://h", "whole seconds"),
        (&["-z", "5m3"], "http://h", "whole seconds"),
        (&["-H", "plain"], "http://h", "Name: value"),
        (&[], "http://u:p@h", "--basic-auth"),
        (&[], "ftp://h", "URL: "),
        (&[], "h/path", "URL"),
    ] {
        let said = made(words, url).unwrap_err();
        assert!(said.contains(says), "{words:?} {url}: {said}");
    }
}
