//! The requests of a load's steps: checked and made into bytes once, with places for what each iteration has of its own.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::{HeaderName, Method, Uri};

use super::bound::write_number;
use super::headers::{basic_auth, headers};
use super::judge::Judge;
use super::path::{encoded, joined, whole};
use super::payload::{Payload, Tail};
use super::reader::Want;
use super::resolve::Target;
use super::template::{Bound, Constants, Fill, Template, TemplateError};
use crate::api::ConnectionUse;
use crate::plan::{DuringInput, LoadInput};

/// Why a step can't be sent. Shows no value.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("{field}: {error}")]
    Template { field: String, error: TemplateError },
    #[error("{field}: the file can't be read: {error}")]
    File { field: String, error: std::io::Error },
    #[error("{field}: {what}")]
    Unsendable { field: String, what: &'static str },
}

/// How a step is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// From an answer to the next poll.
    pub interval: Duration,
    /// From the first poll to the beginning of the last one.
    pub timeout: Duration,
}

/// One step, ready to be made into requests. Holds secrets: has no `Debug`.
pub struct Step {
    /// From sending until the answer's last byte, connecting included.
    pub timeout: Duration,
    /// Think time after each answer.
    pub pause: Duration,
    /// Asked again until its answer says that it is done.
    pub until: Option<Until>,
    /// Other good answers, while an action lasts.
    pub during: Option<DuringInput>,
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
    /// In place of a text.
    payload: Option<Payload>,
    /// The request asks for the connection's end.
    closes: bool,
    /// What its answers are worth.
    pub judge: Judge,
    /// What is wanted of an answer.
    pub want: Want,
    /// Slots of the captured values that it can't be sent without.
    needs: Vec<usize>,
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
        let path = match input.path.starts_with("$(") {
            true => bind("path", &input.path)?.map(encoded).beginning(whole),
            false => bind("path", &joined(base, &input.path))?.map(encoded),
        };
        Uri::try_from(path.render(&Fill::default())).map_err(|_| {
            unsendable("path", "not a path of a URL; a variable's value may have a character that a URL forbids")
        })?;
        let judge = Judge::new(input, constants);
        let mut step = Self {
            timeout: Duration::from_secs(u64::from(input.timeout_seconds)),
            pause: Duration::from_millis(u64::from(input.pause_milliseconds)),
            until: input.until.as_ref().map(|until| Until {
                interval: Duration::from_millis(u64::from(until.interval_milliseconds)),
                timeout: Duration::from_secs(u64::from(until.timeout_seconds)),
            }),
            during: input.during.clone(),
            head: Bound::default(),
            basic_auth: None,
            cookies: None,
            body: bind("body", input.body.as_deref().unwrap_or_default())?,
            payload: None,
            closes: false,
            want: Want {
                head_only: method == Method::HEAD,
                // Several steps are one client's way through the application; a single request has no cookies.
                cookies: load.steps.len() > 1 || judge.takes_cookies(),
                ..judge.want()
            },
            judge,
            needs: Vec::new(),
            method,
            path,
        };
        let read = |at: usize, file: &str| {
            let error = |error| StepError::File { field: field(&format!("upload[{at}]")), error };
            std::fs::read(file).map(Arc::from).map_err(error)
        };
        step.payload = Payload::new(input, (load.seed, position), &bind, &read)?;
        let mut headers = headers(load, position, &bind, &unsendable)?;
        if let Some(kind) = step.payload.as_ref().and_then(|payload| payload.content_type.as_ref()) {
            let mut value = Bound::default();
            value.push_text(kind);
            headers.retain(|(name, _)| *name != CONTENT_TYPE);
            headers.push((CONTENT_TYPE, value));
        }
        step.basic_auth = basic_auth(load, &headers, &bind)?;
        if let Some(pair) = step.basic_auth.take_if(|pair| pair.constant().is_some()) {
            let mut value = Bound::default();
            value.push_text(&format!("Basic {}", STANDARD.encode(pair.render(&Fill::default()))));
            headers.push((AUTHORIZATION, value));
        }
        if load.connection == ConnectionUse::PerRequest && !headers.iter().any(|(name, _)| *name == CONNECTION) {
            let mut close = Bound::default();
            close.push_text("close");
            headers.push((CONNECTION, close));
        }
        step.cookies = headers.extract_if(.., |(name, _)| *name == COOKIE).map(|(_, value)| value).next();
        step.closes = load.connection == ConnectionUse::PerRequest
            || headers.iter().any(|(name, value)| *name == CONNECTION && asks_to_close(value));
        step.head = head(&step, &headers, &target.authority);
        let texts = [Some(&step.head), Some(&step.body), step.basic_auth.as_ref(), step.cookies.as_ref()];
        step.needs = texts.into_iter().flatten().flat_map(Bound::slots).collect();
        step.needs.extend(step.payload.iter().flat_map(Payload::slots));
        Ok(step)
    }

    /// Adds the bytes of one iteration's request to `out`; `cookies` is what the client's jar has for it (`a=1; b=2`).
    pub fn write(&self, fill: &Fill<'_>, cookies: Option<&str>, out: &mut Vec<u8>) {
        self.head.write(fill, out);
        if let Some(pair) = &self.basic_auth {
            out.extend_from_slice(b"authorization: Basic ");
            out.extend_from_slice(STANDARD.encode(pair.render(fill)).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if self.cookies.is_some() || cookies.is_some() {
            out.extend_from_slice(b"cookie: ");
            let written = self.cookies.as_ref().map(|written| written.write(fill, out)).is_some();
            if let Some(cookies) = cookies {
                out.extend_from_slice(if written { b"; " } else { b"" });
                out.extend_from_slice(cookies.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        }
        let length =
            self.payload.as_ref().map_or_else(|| self.body.length(fill) as u64, |payload| payload.length(fill));
        // Without a body only where a body would mean something (RFC 9110, section 8.6).
        if length > 0 || !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE) {
            out.extend_from_slice(b"content-length: ");
            write_number(length, out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        self.body.write(fill, out);
    }

    /// What is to be sent behind what [`Step::write`] wrote, piece by piece.
    #[inline]
    pub fn tail(&self, fill: &Fill<'_>) -> Option<Box<Tail>> {
        self.payload.as_ref().map(|payload| Box::new(payload.tail(fill)))
    }

    /// One iteration's path, without its query: what cookies are for.
    pub fn path(&self, fill: &Fill<'_>) -> String {
        let mut path = self.path.render(fill);
        path.truncate(path.find('?').unwrap_or(path.len()));
        path
    }

    /// Whether a captured value that the request can't do without is missing.
    pub fn lacks(&self, captured: &[Option<String>]) -> bool {
        self.needs.iter().any(|slot| captured.get(*slot).is_none_or(Option::is_none))
    }

    /// Whether the connection may carry another request after this one, as far as we asked.
    pub fn keeps_alive(&self) -> bool {
        !self.closes
    }

    /// Whether the same request may be sent a second time: its method allows it (RFC 9110, section 9.2.2), and it would
    /// be the same, which one with a new `$(uuid)` is not.
    pub fn repeatable(&self) -> bool {
        self.method.is_idempotent()
            && !self.head.has_uuid()
            && !self.body.has_uuid()
            && !self.payload.as_ref().is_some_and(Payload::has_uuid)
    }
}

fn asks_to_close(value: &Bound) -> bool {
    value.render(&Fill::default()).split(',').any(|word| word.trim().eq_ignore_ascii_case("close"))
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

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
