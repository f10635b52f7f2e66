//! The requests of a load's steps: checked and filled in once, then made for each iteration.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};

use super::connection::{Body, Prebuilt, Reply};
use super::failure::Failure;
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
    authority: HeaderValue,
    basic_auth: Option<(Bound, Bound)>,
    headers: Vec<(HeaderName, Bound)>,
    body: Payload,
    expect_status: Vec<u16>,
    tasks: TasksInput,
}

enum Payload {
    Same(Bytes),
    Rendered(Bound),
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
        let basic_auth = load
            .basic_auth
            .as_ref()
            .map(|auth| Ok((bind("basicAuth.username", &auth.username)?, bind("basicAuth.password", &auth.password)?)));
        let body = bind("body", input.body.as_deref().unwrap_or_default())?;
        let step = Self {
            name: input.name.clone(),
            timeout: Duration::from_secs(u64::from(input.timeout_seconds)),
            method: input.method.parse().map_err(|_| unsendable("method", "not an HTTP method"))?,
            path: bind("path", &joined(base, &input.path))?,
            authority: HeaderValue::try_from(&target.authority).map_err(|_| unsendable("url", "not a host"))?,
            basic_auth: basic_auth.transpose()?,
            headers: headers(load, input, &bind, &unsendable)?,
            body: match body.constant() {
                Some(text) => Payload::Same(Bytes::copy_from_slice(text.as_bytes())),
                None => Payload::Rendered(body),
            },
            expect_status: input.expect_status.clone(),
            tasks: input.tasks.clone(),
        };
        step.request(Numbers::default()).map_err(|_| unsendable("", "its path or a header can't be sent"))?;
        Ok(step)
    }

    /// The request of one iteration.
    ///
    /// Errors: [`Failure::BadRequest`] when path or header are nothing that HTTP can carry.
    pub fn request(&self, numbers: Numbers) -> Result<Prebuilt, Failure> {
        let body = match &self.body {
            Payload::Same(bytes) => bytes.clone(),
            Payload::Rendered(bound) => Bytes::from(bound.render(numbers)),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::try_from(encoded(&self.path.render(numbers))).map_err(|_| Failure::BadRequest)?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.authority.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("loadtest/", env!("CARGO_PKG_VERSION"))));
        if let Some((user, password)) = &self.basic_auth {
            let pair = format!("{}:{}", user.render(numbers), password.render(numbers));
            let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)));
            headers.insert(AUTHORIZATION, value.map_err(|_| Failure::BadRequest)?);
        }
        for (name, bound) in &self.headers {
            let value = HeaderValue::try_from(bound.render(numbers)).map_err(|_| Failure::BadRequest)?;
            headers.insert(name.clone(), value);
        }
        Ok(request)
    }

    /// How much of the answer's body is needed.
    pub fn keep(&self) -> Option<usize> {
        matches!(self.tasks, TasksInput::JsonPointer(_)).then_some(MOST_BODY)
    }

    /// Whether a good answer of this step stands for tasks.
    pub fn counts_tasks(&self) -> bool {
        self.tasks != TasksInput::None
    }

    /// Whether sending twice does no more than sending once (RFC 9110, section 9.2.2).
    pub fn idempotent(&self) -> bool {
        self.method.is_idempotent()
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
        merged.retain(|(known, _)| *known != name);
        merged.push((name, bind(&field, &header.value)?));
    }
    Ok(merged)
}

/// Adds the cookies of a jar to a request, behind those that the manifest wrote.
///
/// Errors: [`Failure::BadRequest`] when HTTP can't carry them.
pub fn add_cookies(request: &mut Prebuilt, cookies: &str) -> Result<(), Failure> {
    let written = request.headers().get(COOKIE).and_then(|value| value.to_str().ok());
    let all = written.map_or_else(|| cookies.to_owned(), |written| format!("{written}; {cookies}"));
    let value = HeaderValue::try_from(all).map_err(|_| Failure::BadRequest)?;
    request.headers_mut().insert(COOKIE, value);
    Ok(())
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
mod tests {
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
        Reply { status, body: Body::Kept(Bytes::copy_from_slice(body.as_bytes())), cookies: vec![] }
    }

    #[test]
    fn a_steps_header_replaces_the_loads_and_both_replace_basic_auth() {
        let mut load = load();
        load.basic_auth = Some(BasicAuthInput { username: "u".into(), password: "p".into() });
        load.headers = vec![header("X-A", "load"), header("x-b", "load")];
        load.steps[0].headers = vec![header("x-a", "step $(seq)")];
        let numbers = Numbers { seq: 4, client: 0 };
        let request = step(&load, "").ok().unwrap().request(numbers).unwrap();
        let get = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_string();
        assert_eq!((get("x-a"), get("x-b"), get("host")), ("step 4".into(), "load".into(), "h:8000".into()));
        assert_eq!(get("authorization"), "Basic dTpw");
        load.headers.push(header("Authorization", "Bearer t"));
        let request = step(&load, "").ok().unwrap().request(numbers).unwrap();
        assert_eq!(request.headers().get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer t"]);
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
            let request = step(&load, base).ok().unwrap().request(Numbers::default()).unwrap();
            assert_eq!(request.uri().to_string(), whole);
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
        assert_eq!(
            one.judge(&Reply { status: 200, body: Body::TooLarge, cookies: vec![] }),
            Err(Failure::AnswerTooLarge)
        );
    }

    #[test]
    fn cookies_stand_behind_those_of_the_manifest() {
        let one = step(&load(), "").ok().unwrap();
        let mut request = one.request(Numbers::default()).unwrap();
        add_cookies(&mut request, "a=1").unwrap();
        add_cookies(&mut request, "b=2").unwrap();
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
        assert_eq!(add_cookies(&mut request, "c=\n"), Err(Failure::BadRequest));
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
}
