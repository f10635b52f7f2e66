//! One request of an iteration, as a generator is given it.

use serde::{Deserialize, Serialize};

use super::generator_input::HeaderInput;
use super::inputs::{ca_file, headers, unsigned};
use crate::api::{Capture, Method, Part, Poll, Step, Tasks};

/// One request of an iteration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepInput {
    pub name: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// Added to the load's url; may hold variables.
    pub path: String,
    /// Over the load's headers: the same name (case-insensitive) replaces.
    pub headers: Vec<HeaderInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A multipart form in place of the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upload: Vec<PartInput>,
    /// Random bytes in place of the body: least and most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_body: Option<(u32, u32)>,
    pub timeout_seconds: u32,
    /// Accepted status codes; empty: any 2xx.
    pub expect_status: Vec<u16>,
    /// Values that the JSON answer must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect_json: Vec<ExpectJsonInput>,
    /// Other good answers, while an action lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<DuringInput>,
    /// How many tasks a good answer stands for.
    pub tasks: TasksInput,
    /// Values for later steps of the iteration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<CaptureInput>,
    /// Sent again, from an earlier step or itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<AgainInput>,
    /// Think time after each answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pause_milliseconds: u32,
    /// Asked again until its answer says that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UntilInput>,
}

/// How many tasks a good answer stands for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TasksInput {
    /// Not counted.
    #[default]
    None,
    /// The whole number at this JSON pointer (RFC 6901); missing or no whole number: the request failed.
    JsonPointer(String),
    /// Each good answer is so many.
    PerResponse(u32),
}

/// A value that must stand in the JSON answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectJsonInput {
    /// RFC 6901.
    pub json_pointer: String,
    /// A text, or a number, true or false as it is written.
    pub equals: String,
}

/// Answers that are good while an action lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DuringInput {
    /// Its name.
    pub action: String,
    pub status: Vec<u16>,
}

/// One part of a multipart form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartInput {
    pub name: String,
    /// May hold variables; absent: a plain field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    pub content: PartContent,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartContent {
    /// May hold variables.
    Text(String),
    /// So many printable characters, others for each request.
    Generated(u32),
    /// A file that the generator reads once.
    File(String),
}

/// A value to take out of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureInput {
    /// Read as `$(vars.NAME)`.
    pub name: String,
    pub from: CaptureFrom,
}

/// Where such a value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CaptureFrom {
    /// In the JSON answer (RFC 6901).
    JsonPointer(String),
    /// The first header of this name.
    Header(String),
    /// The client's cookie of this name, once it has taken in those of the answer.
    Cookie(String),
}

/// After the step: back to another, until the step was sent so many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgainInput {
    /// Position of the step to go back to; at most its own.
    pub from: u32,
    /// At least 2.
    pub times: u32,
}

/// When an item is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntilInput {
    /// RFC 6901.
    pub json_pointer: String,
    /// Done when it is one of these.
    pub equals: Vec<String>,
    /// From an answer to the next poll.
    pub interval_milliseconds: u32,
    /// From the first poll.
    pub timeout_seconds: u32,
}

/// Without steps: one GET of the load's url.
pub(super) fn plain_get() -> StepInput {
    StepInput { name: "get".into(), method: "GET".into(), timeout_seconds: 30, ..StepInput::default() }
}

/// A step of a load, beside all steps of it.
pub(super) fn step_input(step: &Step, steps: &[Step]) -> StepInput {
    let expect = step.expect.clone().unwrap_or_default();
    let json = |json: crate::api::ExpectJson| ExpectJsonInput { json_pointer: json.json_pointer, equals: json.equals };
    StepInput {
        name: step.name.0.clone(),
        method: method(step.method).into(),
        path: step.path.clone(),
        headers: headers(&step.headers),
        body: step.body.clone(),
        upload: step.upload.iter().filter_map(part).collect(),
        random_body: step.random_body.as_ref().map(|body| (unsigned(body.min_bytes), unsigned(body.max_bytes))),
        timeout_seconds: unsigned(step.timeout_seconds),
        expect_status: statuses(&expect.status),
        during: expect
            .during_action
            .as_ref()
            .map(|during| DuringInput { action: during.name.0.clone(), status: statuses(&during.status) }),
        expect_json: expect.json.into_iter().map(json).collect(),
        tasks: match &step.tasks {
            Some(Tasks { json_pointer: Some(pointer), .. }) => TasksInput::JsonPointer(pointer.clone()),
            Some(Tasks { per_response: Some(tasks), .. }) => TasksInput::PerResponse(unsigned(*tasks)),
            _ => TasksInput::None,
        },
        capture: step.capture.iter().filter_map(capture).collect(),
        again: again(step, steps),
        pause_milliseconds: unsigned(step.pause_milliseconds.unwrap_or(0)),
        until: step.until.as_ref().map(until),
    }
}

fn statuses(all: &[i32]) -> Vec<u16> {
    all.iter().filter_map(|&status| u16::try_from(status).ok()).collect()
}

fn capture(capture: &Capture) -> Option<CaptureInput> {
    let from = match (&capture.json_pointer, &capture.header, &capture.cookie) {
        (Some(pointer), ..) => CaptureFrom::JsonPointer(pointer.clone()),
        (None, Some(header), _) => CaptureFrom::Header(header.clone()),
        (None, None, Some(cookie)) => CaptureFrom::Cookie(cookie.clone()),
        (None, None, None) => return None,
    };
    Some(CaptureInput { name: capture.name.clone(), from })
}

fn part(part: &Part) -> Option<PartInput> {
    let (content, is_file) = match (&part.value, part.bytes, &part.config_map_key_ref) {
        (Some(value), ..) => (PartContent::Text(value.clone()), false),
        (None, Some(bytes), _) => (PartContent::Generated(unsigned(bytes)), true),
        (None, None, Some(key)) => (PartContent::File(ca_file(&key.name.0, &key.key.0)), true),
        (None, None, None) => return None,
    };
    let filename = is_file.then(|| part.filename.clone().unwrap_or_else(|| part.name.clone()));
    Some(PartInput { name: part.name.clone(), filename, content })
}

fn again(step: &Step, steps: &[Step]) -> Option<AgainInput> {
    let times = step.repeat.map(unsigned).filter(|times| *times > 1)?;
    let first = step.repeat_from.as_ref().map_or(&step.name.0, |from| &from.0);
    let from = steps.iter().position(|one| one.name.0 == *first)?;
    Some(AgainInput { from: u32::try_from(from).ok()?, times })
}

fn until(poll: &Poll) -> UntilInput {
    UntilInput {
        json_pointer: poll.json_pointer.clone(),
        equals: poll.equals.clone(),
        interval_milliseconds: unsigned(poll.interval_milliseconds),
        timeout_seconds: unsigned(poll.timeout_seconds),
    }
}

/// The method as it is sent.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(n: &u32) -> bool {
    *n == 0
}
