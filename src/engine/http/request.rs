//! The requests of a load's steps: checked and made into bytes once, with places for what each iteration has of its own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Uri};

use super::bound::write_number;
use super::failure::Failure;
use super::reader::{Body, Reply, Want};
use super::resolve::Target;
use super::template::{Bound, Constants, Numbers, Template, TemplateError};
use crate::plan::{LoadInput, StepInput, TasksInput};

/// A larger answer is not searched for the number of tasks.
const MOST_BODY: usize = 1 << 20;

/// Why a step can't be sent. Shows no value.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("{field}: {error}")]
    Template { field: String, error: TemplateError },
    #[error("{field}: {what}; a variable's value may have a line break or another character that HTTP forbids")]
    Unsendable { field: String, what: &'static str },
}

/// One step, ready to be made into requests. Holds secrets: has no `Debug`.
pub struct Step {
    pub name: String,
    /// From sending until the answer's last byte, connecting included.
    pub timeout: Duration,
    method: Method,
    path: Bound,
    /// Request line and headers, each with its line end; but for `cookie`, `authorization` that is made anew for each
    /// request, and `content-length`.
    head: Bound,
    /// User and password, where they aren't the same for all.
    basic_auth: Option<Bound>,
    /// The manifest's own cookies.
    cookies: Option<Bound>,
    body: Bound,
    /// The request asks for the connection's end.
    closes: bool,
    expect_status: Vec<u16>,
    tasks: TasksInput,
}

impl Step {
    /// Checks a step of a load; `base` is the path in the load's url, `position` the step's, for messages.
    ///
    /// Errors: an unknown variable, or values that HTTP can't carry.
    pub fn new(
        load: &LoadInput,
        position: usize,
        base: &str,
        target: &Target,
        constants: &Constants,
    ) -> Result<Self, StepError> {
        let input = &load.steps[position];
        let field = |name: &str| format!("loads[{}].steps[{}].{name}", load.name, input.name);
        let bind = |name: &str, text: &str| {
            let bound = Template::parse(text).and_then(|template| template.bind(constants));
            bound.map_err(|error| StepError::Template { field: field(name), error })
        };
        let unsendable = |name: &str, what| StepError::Unsendable { field: field(name), what };
        let method: Method = input.method.parse().map_err(|_| unsendable("method", "not an HTTP method"))?;
        let path = bind("path", &joined(base, &input.path))?.map(encoded);
        Uri::try_from(path.render(Numbers::default())).map_err(|_| unsendable("path", "not a path of a URL"))?;
        let mut step = Self {
            name: input.name.clone(),
            timeout: Duration::from_secs(u64::from(input.timeout_seconds)),
            head: Bound::default(),
            basic_auth: None,
            cookies: None,
            body: bind("body", input.body.as_deref().unwrap_or_default())?,
            closes: false,
            expect_status: input.expect_status.clone(),
            tasks: input.tasks.clone(),
            method,
            path,
        };
        let mut headers = headers(load, input, &bind, &unsendable)?;
        step.basic_auth = basic_auth(load, &headers, &bind)?;
        if let Some(pair) = step.basic_auth.take_if(|pair| pair.constant().is_some()) {
            let mut value = Bound::default();
            value.push_text(&format!("Basic {}", STANDARD.encode(pair.render(Numbers::default()))));
            headers.push((AUTHORIZATION, value));
        }
        step.cookies = headers.extract_if(.., |(name, _)| *name == COOKIE).map(|(_, value)| value).next();
        step.closes = headers.iter().any(|(name, value)| *name == CONNECTION && asks_to_close(value));
        step.head = head(&step, &headers, &target.authority);
        Ok(step)
    }

    /// Adds the bytes of one iteration's request to `out`; `cookies` is what the client's jar has for it (`a=1; b=2`).
    pub fn write(&self, numbers: Numbers, cookies: Option<&str>, out: &mut Vec<u8>) {
        self.head.write(numbers, out);
        if let Some(pair) = &self.basic_auth {
            out.extend_from_slice(b"authorization: Basic ");
            out.extend_from_slice(STANDARD.encode(pair.render(numbers)).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if self.cookies.is_some() || cookies.is_some() {
            out.extend_from_slice(b"cookie: ");
            let written = self.cookies.as_ref().map(|written| written.write(numbers, out)).is_some();
            if let Some(cookies) = cookies {
                out.extend_from_slice(if written { b"; " } else { b"" });
                out.extend_from_slice(cookies.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        }
        let length = self.body.length(numbers);
        // Without a body only where a body would mean something (RFC 9110, section 8.6).
        if length > 0 || !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE) {
            out.extend_from_slice(b"content-length: ");
            write_number(length as u64, out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        self.body.write(numbers, out);
    }

    /// One iteration's path, without its query: what cookies are for.
    pub fn path(&self, numbers: Numbers) -> String {
        let mut path = self.path.render(numbers);
        path.truncate(path.find('?').unwrap_or(path.len()));
        path
    }

    /// What is wanted of the answer, but for cookies.
    pub fn want(&self) -> Want {
        let body = matches!(self.tasks, TasksInput::JsonPointer(_)).then_some(MOST_BODY);
        Want { head_only: self.method == Method::HEAD, body, cookies: false }
    }

    /// Whether the connection may carry another request after this one, as far as we asked.
    pub fn keeps_alive(&self) -> bool {
        !self.closes
    }

    /// Whether the same request may be sent a second time: its method allows it (RFC 9110, section 9.2.2), and it would
    /// be the same, which one with a new `$(uuid)` is not.
    pub fn repeatable(&self) -> bool {
        self.method.is_idempotent() && !self.head.has_uuid() && !self.body.has_uuid()
    }

    /// Whether a good answer of this step stands for tasks.
    pub fn counts_tasks(&self) -> bool {
        self.tasks != TasksInput::None
    }

    /// The tasks a good answer stands for (0: none are counted).
    ///
    /// Errors: what is wrong with the answer.
    pub fn judge(&self, reply: &Reply) -> Result<u64, Failure> {
        let accepted = match self.expect_status.as_slice() {
            [] => (200..300).contains(&reply.status),
            listed => listed.contains(&reply.status),
        };
        if !accepted {
            return Err(Failure::Status(reply.status));
        }
        match (&self.tasks, &reply.body) {
            (TasksInput::None, _) => Ok(0),
            (TasksInput::PerResponse(tasks), _) => Ok(u64::from(*tasks)),
            (TasksInput::JsonPointer(pointer), Body::Kept(body)) => tasks_at(pointer, body),
            (TasksInput::JsonPointer(_), Body::TooLarge | Body::Dropped) => Err(Failure::AnswerTooLarge),
        }
    }
}

/// The load's headers, each replaced by the step's of the same name.
fn headers(
    load: &LoadInput,
    step: &StepInput,
    bind: &impl Fn(&str, &str) -> Result<Bound, StepError>,
    unsendable: &impl Fn(&str, &'static str) -> StepError,
) -> Result<Vec<(HeaderName, Bound)>, StepError> {
    let mut merged: Vec<(HeaderName, Bound)> = Vec::new();
    for header in load.headers.iter().chain(&step.headers) {
        let field = format!("headers[{}]", header.name);
        let name = HeaderName::try_from(&header.name).map_err(|_| unsendable(&field, "not a header name"))?;
        if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err(unsendable(&field, "made from the body, and can't be written"));
        }
        let value = bind(&field, &header.value)?;
        HeaderValue::try_from(value.render(Numbers::default()))
            .map_err(|_| unsendable(&field, "not a header's value"))?;
        merged.retain(|(known, _)| *known != name);
        merged.push((name, value));
    }
    Ok(merged)
}

/// User and password with their colon; `None`: there are none, or a header of the manifest stands in their place.
fn basic_auth(
    load: &LoadInput,
    headers: &[(HeaderName, Bound)],
    bind: &impl Fn(&str, &str) -> Result<Bound, StepError>,
) -> Result<Option<Bound>, StepError> {
    let Some(auth) = load.basic_auth.as_ref().filter(|_| !headers.iter().any(|(name, _)| *name == AUTHORIZATION))
    else {
        return Ok(None);
    };
    let mut pair = bind("basicAuth.username", &auth.username)?;
    pair.push_text(":");
    pair.push(&bind("basicAuth.password", &auth.password)?);
    Ok(Some(pair))
}

fn asks_to_close(value: &Bound) -> bool {
    value.render(Numbers::default()).split(',').any(|word| word.trim().eq_ignore_ascii_case("close"))
}

/// Request line and headers; ours come first, and the manifest's replace them.
fn head(step: &Step, headers: &[(HeaderName, Bound)], authority: &str) -> Bound {
    let mut head = Bound::default();
    head.push_text(&format!("{} ", step.method));
    head.push(&step.path);
    head.push_text(" HTTP/1.1\r\n");
    let agent = concat!("loadtest/", env!("CARGO_PKG_VERSION"));
    for (name, value) in [(HOST, authority), (USER_AGENT, agent)] {
        if !headers.iter().any(|(theirs, _)| *theirs == name) {
            head.push_text(&format!("{name}: {value}\r\n"));
        }
    }
    for (name, value) in headers {
        head.push_text(&format!("{name}: "));
        head.push(value);
        head.push_text("\r\n");
    }
    head
}

/// The load's path and the step's, with one slash between them.
fn joined(base: &str, path: &str) -> String {
    let base = if path.starts_with('/') { base.strip_suffix('/').unwrap_or(base) } else { base };
    match format!("{base}{path}") {
        whole if whole.starts_with('/') => whole,
        whole => format!("/{whole}"),
    }
}

/// Percent-encodes what may not stand in a request's target; leaves what has a meaning there.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | ..=b' ' | 0x7f.. => {
                out.push_str(&format!("%{byte:02X}"));
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}

/// The whole number at an RFC 6901 pointer.
fn tasks_at(pointer: &str, body: &[u8]) -> Result<u64, Failure> {
    let json: serde_json::Value = serde_json::from_slice(body).map_err(|_| Failure::BadJson)?;
    json.pointer(pointer).and_then(serde_json::Value::as_u64).ok_or(Failure::TaskCountMissing)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
