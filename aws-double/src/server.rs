//! The server: finds service, protocol and operation of a request, applies faults, answers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::answer::{Answer, Protocol, Refusal, cbor_answer};
use crate::cbor;
use crate::connection::{Connection, ResetFlag};
use crate::rds::Form;
use crate::state::fault::FaultKind;
use crate::state::{Call, Service, State};
use crate::{cloudwatch, insights, rds, sts};

/// Longest request body that is read, in bytes.
const MAX_BODY: usize = 4 << 20;
/// AWS refuses a signature that is further than this from its clock, in seconds.
const MAX_SKEW_SECONDS: i64 = 300;

/// The double; clones share one state.
#[derive(Clone, Default)]
pub struct Double {
    state: Arc<Mutex<State>>,
}

/// A double that serves on a port of its own of 127.0.0.1; dropped, it stops.
pub struct Running {
    double: Double,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Double {
    /// A double without any instance or series.
    pub fn new() -> Self {
        Self::default()
    }

    /// A double with this state.
    pub fn with_state(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Looks at the state or changes it, between two calls.
    pub fn script<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        // A test that panicked while it scripted must not hide its own message behind a poisoned lock.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every call so far, in the order of coming.
    pub fn calls(&self) -> Vec<Call> {
        self.script(|state| state.calls.clone())
    }

    /// Serves on this listener until dropped.
    ///
    /// # Errors
    /// Never by itself; a connection that can't be accepted is logged and waited out.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            tokio::spawn(self.clone().connection(stream));
        }
    }

    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(&self) -> std::io::Result<Running> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (double, address) = (self.clone(), listener.local_addr()?);
        let serving = self.clone();
        let server = tokio::spawn(async move {
            let _ = serving.serve(listener).await;
        });
        Ok(Running {
            double,
            address,
            server,
        })
    }

    async fn connection(self, stream: tokio::net::TcpStream) {
        let (stream, reset) = Connection::new(stream);
        let service = service_fn(move |request| self.clone().handle(request, reset.clone()));
        if let Err(error) = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await
        {
            tracing::debug!("connection ended: {error}");
        }
    }

    /// `Err` ends the connection without an answer.
    async fn handle(
        self,
        request: Request<Incoming>,
        reset: ResetFlag,
    ) -> Result<Response<Full<Bytes>>, ConnectionReset> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return Ok(self.respond(Answer::html(413))),
        };
        let Some(request) = Asked::read(head.uri.path(), &head.headers, &body) else {
            return Ok(self.respond(Answer::html(404)));
        };
        let fault = self.script(|state| state.take_fault(request.service, request.operation));
        if let Some(FaultKind::Delay(milliseconds)) = fault {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        let now = Timestamp::now().as_second();
        let answer = self.script(|state| {
            let answer = request.answer(state, fault, &head.headers, now);
            state.calls.push(Call {
                service: request.service,
                operation: request.operation.to_owned(),
                status: answer.as_ref().map(|answer| answer.status),
                signed_by: signed_by(&head.headers),
            });
            answer
        });
        tracing::info!(
            "{:?} {} {}",
            request.service,
            request.operation,
            answer.as_ref().map_or(0, |answer| answer.status)
        );
        match answer {
            Some(answer) => Ok(self.respond(answer)),
            None => {
                reset.store(true, Ordering::Relaxed);
                Err(ConnectionReset)
            }
        }
    }

    fn respond(&self, answer: Answer) -> Response<Full<Bytes>> {
        let skew = self.script(|state| state.clock_skew_seconds);
        let mut response = Response::new(Full::new(Bytes::from(answer.body)));
        *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
        let clock = Timestamp::from_second(Timestamp::now().as_second() + skew).unwrap_or(Timestamp::MAX);
        let date = clock.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (name, value) in answer.headers.into_iter().chain([("date", date)]) {
            // A scripted code may hold anything; one that is no header value is left out.
            if let Ok(value) = value.parse() {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`, for AWS_ENDPOINT_URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The double that serves.
    pub fn double(&self) -> &Double {
        &self.double
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the connection is reset, as scripted")]
struct ConnectionReset;

impl From<Infallible> for ConnectionReset {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A request as far as its protocol is understood.
struct Asked<'a> {
    service: Service,
    operation: &'a str,
    protocol: Protocol,
    input: Input,
}

enum Input {
    Form(Form),
    Cbor(cbor::Value),
}

impl<'a> Asked<'a> {
    fn read(path: &'a str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        match path.strip_prefix("/service/") {
            Some(rpc) => Self::read_cbor(rpc, headers, body),
            None => Self::read_form(body),
        }
    }

    fn read_cbor(path: &'a str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let (name, operation) = path.split_once("/operation/")?;
        let (service, shapes) = match name {
            "GraniteServiceVersion20100801" => (Service::CloudWatch, "com.amazonaws.cloudwatch"),
            "PerformanceInsightsv20180227" => (Service::Insights, "com.amazonaws.pi"),
            _ => return None,
        };
        if headers
            .get("smithy-protocol")
            .is_none_or(|protocol| protocol != "rpc-v2-cbor")
        {
            return None;
        }
        let query_mode = headers.get("x-amzn-query-mode").is_some_and(|mode| mode == "true");
        let input = Input::Cbor(cbor::decode(body)?);
        Some(Self {
            service,
            operation,
            protocol: Protocol::Cbor { shapes, query_mode },
            input,
        })
    }

    fn read_form(body: &[u8]) -> Option<Self> {
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        let (service, namespace, operation) = match form.get("Action")?.as_str() {
            "DescribeDBInstances" => (Service::Rds, rds::NAMESPACE, "DescribeDBInstances"),
            "DescribeDBParameters" => (Service::Rds, rds::NAMESPACE, "DescribeDBParameters"),
            "AssumeRoleWithWebIdentity" => (Service::Sts, sts::NAMESPACE, "AssumeRoleWithWebIdentity"),
            "GetCallerIdentity" => (Service::Sts, sts::NAMESPACE, "GetCallerIdentity"),
            _ if form.get("Version").is_some_and(|version| version == "2011-06-15") => {
                (Service::Sts, sts::NAMESPACE, "-")
            }
            _ => (Service::Rds, rds::NAMESPACE, "-"),
        };
        Some(Self {
            service,
            operation,
            protocol: Protocol::Query { namespace },
            input: Input::Form(form),
        })
    }

    /// The answer with the fault applied; `None` for a reset.
    fn answer(&self, state: &mut State, fault: Option<FaultKind>, headers: &HeaderMap, now: i64) -> Option<Answer> {
        match fault {
            Some(FaultKind::Reset) => return None,
            Some(FaultKind::Html(status)) => return Some(Answer::html(status)),
            Some(FaultKind::Error {
                code,
                status,
                message,
                retry_after_ms,
            }) => {
                let mut answer = self.protocol.refuse(&Refusal {
                    code: code.into(),
                    status,
                    message,
                });
                answer
                    .headers
                    .extend(retry_after_ms.map(|ms| ("x-amz-retry-after", ms.to_string())));
                return Some(answer);
            }
            _ => (),
        }
        let mut answer = match skewed(state, headers, now) {
            Some(refusal) => Err(refusal),
            None => self.true_answer(state, now),
        }
        .unwrap_or_else(|refusal| self.protocol.refuse(&refusal));
        if let Some(FaultKind::Truncate(bytes)) = fault {
            answer.body.truncate(bytes);
        }
        Some(answer)
    }

    fn true_answer(&self, state: &mut State, now: i64) -> Result<Answer, Refusal> {
        match (&self.input, self.operation) {
            (Input::Cbor(input), "GetMetricData") if self.service == Service::CloudWatch => {
                Ok(cbor_answer(200, &cloudwatch::get_metric_data(state, input, now)?))
            }
            (Input::Cbor(input), "GetResourceMetrics") if self.service == Service::Insights => {
                Ok(cbor_answer(200, &insights::get_resource_metrics(state, input)?))
            }
            (Input::Form(form), "DescribeDBInstances") => rds::describe_db_instances(state, form),
            (Input::Form(form), "DescribeDBParameters") => rds::describe_db_parameters(state, form),
            (Input::Form(form), "AssumeRoleWithWebIdentity") => sts::assume_role_with_web_identity(state, form, now),
            (Input::Form(_), "GetCallerIdentity") => Ok(sts::get_caller_identity()),
            (Input::Cbor(_), _) => Err(Refusal::new(
                "UnknownOperationException",
                404,
                "This double does not know it.",
            )),
            (Input::Form(_), _) => Err(Refusal::new(
                "InvalidAction",
                400,
                "This double does not know the action.",
            )),
        }
    }
}

/// Refuses a signature whose time is too far from the double's clock; unsigned calls have none.
fn skewed(state: &State, headers: &HeaderMap, now: i64) -> Option<Refusal> {
    headers.get("authorization")?;
    let signed = headers.get("x-amz-date")?.to_str().ok()?;
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", signed).ok()?;
    let signed = signed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    if (signed - (now + state.clock_skew_seconds)).abs() <= MAX_SKEW_SECONDS {
        return None;
    }
    let code = state
        .clock_skew_code
        .clone()
        .unwrap_or_else(|| "RequestTimeTooSkewed".to_owned());
    let status = if code == "InvalidSignatureException" { 400 } else { 403 };
    let message = "The difference between the request time and the current time is too large.".to_owned();
    Some(Refusal {
        code: code.into(),
        status,
        message,
    })
}

/// Access key id and region of `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed_by(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let scope = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let mut parts = scope.split('/');
    let key = parts.next()?;
    Some((key.to_owned(), parts.nth(1)?.to_owned()))
}
