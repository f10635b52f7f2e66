//! One request of an iteration.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::Header;
use super::rules::{self, exactly_one};
use super::shared::*;

/// One request of an iteration.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::ONE_BODY)]
pub struct Step {
    /// Name, used in thresholds, sweep and results.
    pub name: Name,
    /// HTTP method.
    #[serde(default)]
    pub method: Method,
    /// Added to the load's url. Variables allowed. One that begins with a captured value, as
    /// $(vars.LOCATION) or $(vars.HREF)items/, is the whole path on the load's own host, also where the
    /// value is a full URL.
    #[serde(default)]
    #[schemars(length(max = 1024), regex(pattern = r"^((/|\$\(vars\.)\S*)?$"))]
    pub path: String,
    /// Headers to send. A secret belongs into vars, written here as $(vars.NAME).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::by_name)]
    pub headers: Vec<Header>,
    /// Body to send. Variables allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub body: Option<String>,
    /// Send a multipart form with these parts instead of body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::atomic)]
    pub upload: Vec<Part>,
    /// Send random bytes instead of body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_body: Option<RandomBody>,
    /// A request not answered in this time has failed.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: i32,
    /// What a good answer is. Default: any 2xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// How many tasks a good answer stands for. Without it the test counts requests only and Tasks is
    /// "-".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
    /// Take values out of the answer; later steps of the same iteration read them as $(vars.NAME), and
    /// headers of the load that name one are sent from the next step on. A value that is not there, that
    /// has control characters or more than 8 KiB: the request has failed, and steps that need it are not
    /// sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_name)]
    pub capture: Vec<Capture>,
    /// Send this step so many times before the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub repeat: Option<i32>,
    /// Repeat from this earlier step on, not just this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_from: Option<NameRef>,
    /// Wait so long after each answer (think time).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 600_000))]
    pub pause_milliseconds: Option<i32>,
    /// Poll: send again until the answer says it is done. The wait, from the due time of the iteration,
    /// is the item's completion time, and the load's latency is that of its items; an item not done in
    /// time has failed and counts as missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Poll>,
}

fn thirty() -> i32 {
    30
}

/// HTTP method.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
    Options,
}

/// What a good answer is.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expect {
    /// Accepted status codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(range(min = 100, max = 599)), transform = list::set)]
    pub status: Vec<i32>,
    /// Values the JSON answer must have; of a step with until, the answer that says it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), transform = list::by_json_pointer)]
    pub json: Vec<ExpectJson>,
    /// While this action lasts, other answers are good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub during_action: Option<DuringAction>,
}

/// Answers that are good while an action lasts: of requests that were open at any time from its start to the
/// end of its graceSeconds. They do not count as recovered.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DuringAction {
    /// The action.
    pub name: NameRef,
    /// Status codes good in that time.
    #[schemars(length(min = 1, max = 16), inner(range(min = 100, max = 599)), transform = list::set)]
    pub status: Vec<i32>,
}

/// A value of the JSON answer.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectJson {
    /// Where to look (RFC 6901).
    #[schemars(length(max = 256), regex(pattern = r"^(/.*)?$"))]
    pub json_pointer: String,
    /// What must stand there: a text, or a number, true or false as it is written.
    #[schemars(length(max = 256))]
    pub equals: String,
}

/// A value to take out of the answer.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one(&["jsonPointer", "header", "cookie"]))]
pub struct Capture {
    /// Variable to set.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z][A-Za-z0-9]*$"))]
    pub name: String,
    /// Where it stands in the JSON answer (RFC 6901): a text, a number, true or false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = r"^(/.*)?$"))]
    pub json_pointer: Option<String>,
    /// Or: the response header holding it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub header: Option<String>,
    /// Or: the cookie holding it, as the client keeps it after the answer: set by this answer (Set-Cookie) or
    /// an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub cookie: Option<String>,
}

/// One part of a multipart form: a text, generated bytes or a file.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = exactly_one(&["value", "bytes", "configMapKeyRef"]),
    validation = ("!has(self.filename) || !has(self.value)", "filename is for bytes and configMapKeyRef")
)]
pub struct Part {
    /// Form field.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Text of a plain field. Variables allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub value: Option<String>,
    /// File name of a file part; default: the form field's name. Variables allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub filename: Option<String>,
    /// Generate a file of so many bytes: printable characters, others for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub bytes: Option<i32>,
    /// Or: send this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,
}

/// A body of random bytes.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RandomBody {
    /// Smallest size.
    #[schemars(range(min = 0, max = 16_777_216))]
    pub min_bytes: i32,
    /// Largest size.
    #[schemars(range(min = 0, max = 16_777_216))]
    pub max_bytes: i32,
}

/// When an item is done.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Value to look at (RFC 6901). Where it is not there, the item is not done yet.
    #[schemars(length(max = 256), regex(pattern = r"^(/.*)?$"))]
    pub json_pointer: String,
    /// Done when it is one of these.
    #[schemars(length(min = 1, max = 8), inner(length(max = 64)), transform = list::set)]
    pub equals: Vec<String>,
    /// Time between an answer and the next poll.
    #[serde(default = "second")]
    #[schemars(range(min = 100, max = 600_000))]
    pub interval_milliseconds: i32,
    /// Give up on this item so long after the first poll.
    #[serde(default = "ten_minutes")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: i32,
}

fn second() -> i32 {
    1000
}

fn ten_minutes() -> i32 {
    600
}

/// How many tasks a good answer stands for.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one(&["jsonPointer", "perResponse"]))]
pub struct Tasks {
    /// The answer says it, here (RFC 6901). Missing or not a whole number: the request has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = r"^/.*$"))]
    pub json_pointer: Option<String>,
    /// Each good answer is so many tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub per_response: Option<i32>,
}
