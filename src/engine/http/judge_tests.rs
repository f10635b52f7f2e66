use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::reader::Fields;
use super::*;
use crate::plan::CaptureInput;

fn reply(status: u16, body: &str) -> Reply {
    let headers = vec![("Location".to_owned(), "/jobs/7".to_owned()), ("X-Bad".to_owned(), "a\u{1}b".to_owned())];
    let fields = Some(Arc::new(Fields { headers, ..Fields::default() }));
    Reply { status, body: Body::Kept(body.to_owned().into()), fields }
}

fn judged(step: &StepInput, reply: &Reply) -> (Result<Option<u64>, Failure>, Captured) {
    let names: Vec<String> = step.capture.iter().map(|one| one.name.clone()).collect();
    let constants = Constants::new("run", 0, &BTreeMap::new()).capturing(names);
    let mut captured = vec![None; constants.slots()];
    (Judge::new(step, &constants).judge(reply, &mut captured), captured)
}

fn capturing(from: CaptureFrom) -> StepInput {
    StepInput { capture: vec![CaptureInput { name: "id".into(), from }], ..StepInput::default() }
}

fn at(pointer: &str) -> StepInput {
    capturing(CaptureFrom::JsonPointer(pointer.into()))
}

#[test]
fn a_value_is_taken_out_of_the_json_answer_or_a_header() {
    let body = r#"{"id": 41, "documents": [{"id": "d-1"}], "ready": true}"#;
    for (step, value) in [
        (at("/id"), "41"),
        (at("/documents/0/id"), "d-1"),
        (at("/ready"), "true"),
        (capturing(CaptureFrom::Header("location".into())), "/jobs/7"),
    ] {
        assert_eq!(judged(&step, &reply(200, body)), (Ok(Some(0)), vec![Some(value.to_owned())]));
    }
}

#[test]
fn a_value_that_is_not_there_or_can_not_be_sent_fails_the_request() {
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(MOST_CAPTURED + 1));
    for (pointer, body) in
        [("/id", "{}"), ("/id", r#"{"id": {}}"#), ("/id", r#"{"id": "a\nb"}"#), ("/id", long.as_str())]
    {
        assert_eq!(judged(&at(pointer), &reply(200, body)).0, Err(Failure::CaptureMissing), "{body:.40}");
    }
    assert_eq!(judged(&at("/id"), &reply(200, "<html>")).0, Err(Failure::BadJson));
    for header in ["x-bad", "x-none"] {
        let step = capturing(CaptureFrom::Header(header.into()));
        assert_eq!(judged(&step, &reply(200, "")).0, Err(Failure::CaptureMissing), "{header}");
    }
}

#[test]
fn nothing_is_taken_out_of_an_answer_that_is_not_good() {
    let (verdict, captured) = judged(&at("/id"), &reply(500, r#"{"id": 1}"#));
    assert_eq!((verdict, captured), (Err(Failure::Status(500)), vec![None]));
}

#[test]
fn what_must_stand_in_the_answer_is_compared_as_it_is_written() {
    let expect = |pointer: &str, equals: &str| StepInput {
        expect_json: vec![ExpectJsonInput { json_pointer: pointer.into(), equals: equals.into() }],
        ..StepInput::default()
    };
    let body = r#"{"code": "PGRST001", "n": 2, "ok": false, "none": null}"#;
    for (pointer, equals) in [("/code", "PGRST001"), ("/n", "2"), ("/ok", "false")] {
        assert_eq!(judged(&expect(pointer, equals), &reply(200, body)).0, Ok(Some(0)));
    }
    for (pointer, equals) in [("/code", "PGRST002"), ("/none", "null"), ("/missing", "")] {
        assert_eq!(judged(&expect(pointer, equals), &reply(200, body)).0, Err(Failure::UnexpectedJson));
    }
}

#[test]
fn an_item_is_done_when_its_answer_says_so_and_only_then_looked_at_further() {
    let step = StepInput {
        until: Some(UntilInput {
            json_pointer: "/status".into(),
            equals: vec!["done".into(), "failed".into()],
            interval_milliseconds: 100,
            timeout_seconds: 1,
        }),
        expect_json: vec![ExpectJsonInput { json_pointer: "/status".into(), equals: "done".into() }],
        tasks: TasksInput::PerResponse(1),
        ..StepInput::default()
    };
    for waiting in [r#"{"status": "running"}"#, "{}", "not yet"] {
        assert_eq!(judged(&step, &reply(200, waiting)).0, Ok(None), "{waiting}");
    }
    assert_eq!(judged(&step, &reply(200, r#"{"status": "done"}"#)).0, Ok(Some(1)));
    assert_eq!(judged(&step, &reply(200, r#"{"status": "failed"}"#)).0, Err(Failure::UnexpectedJson));
    assert_eq!(judged(&step, &reply(404, "{}")).0, Err(Failure::Status(404)));
}

#[test]
fn a_status_is_judged_before_the_tasks() {
    let step = StepInput { tasks: TasksInput::JsonPointer("/tasks/0/n".into()), ..StepInput::default() };
    for (status, body, verdict) in [
        (200, r#"{"tasks":[{"n":12}]}"#, Ok(Some(12))),
        (503, r#"{"tasks":[{"n":12}]}"#, Err(Failure::Status(503))),
        (200, r#"{"tasks":[{"n":1.5}]}"#, Err(Failure::TaskCountMissing)),
        (200, r#"{"tasks":[{"n":-1}]}"#, Err(Failure::TaskCountMissing)),
        (200, "{}", Err(Failure::TaskCountMissing)),
        (200, "<html>", Err(Failure::BadJson)),
    ] {
        assert_eq!(judged(&step, &reply(status, body)).0, verdict, "{status} {body}");
    }
    let large = Reply { status: 200, body: Body::TooLarge, fields: None };
    assert_eq!(judged(&step, &large).0, Err(Failure::AnswerTooLarge));
}

#[test]
fn a_listed_status_is_the_only_good_one() {
    let step = StepInput { expect_status: vec![202, 503], tasks: TasksInput::PerResponse(5), ..StepInput::default() };
    assert_eq!(judged(&step, &reply(503, "")).0, Ok(Some(5)));
    assert_eq!(judged(&step, &reply(200, "")).0, Err(Failure::Status(200)));
}

#[test]
fn a_cookie_is_taken_out_of_what_the_client_keeps_and_one_that_is_not_there_fails_the_request() {
    let place = Place { host: "shop", tls: false, path: "/login", now: 0 };
    let mut jar = Jar::default();
    let judge = |name: &str| {
        let step = capturing(CaptureFrom::Cookie(name.into()));
        Judge::new(&step, &Constants::new("run", 0, &BTreeMap::new()).capturing(vec!["id".into()]))
    };
    let mut captured = vec![None];
    assert_eq!(judge("csrftoken").take_cookies(&jar, &place, &mut captured), Err(Failure::CaptureMissing));
    jar.set("csrftoken=t-1; Path=/; SameSite=Lax", &place);
    jar.set("bad=a\u{7f}b", &place);
    assert_eq!(
        (judge("csrftoken").take_cookies(&jar, &place, &mut captured), &captured),
        (Ok(()), &vec![Some("t-1".to_owned())])
    );
    assert_eq!(judge("bad").take_cookies(&jar, &place, &mut captured), Err(Failure::CaptureMissing));
    judge("csrftoken").forget(&mut captured);
    assert_eq!(captured, [None]);
    assert_eq!(judge("csrftoken").judge(&reply(200, ""), &mut captured), Ok(Some(0)), "the answer itself may set none");
}
