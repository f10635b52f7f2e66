//! The server: connections, the shared state, and the way of a request through it.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::answer::Answer;
use crate::connection::{Connection, ResetFlag};
use crate::request::{Asked, signed_by};
use crate::state::fault::FaultKind;
use crate::state::{Call, State};

/// Longest request body that is read, in bytes.
const MAX_BODY: usize = 4 << 20;

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
        Self { state: Arc::new(Mutex::new(state)) }
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
        Ok(Running { double, address, server })
    }

    async fn connection(self, stream: tokio::net::TcpStream) {
        let (stream, reset) = Connection::new(stream);
        let service = service_fn(move |request| self.clone().handle(request, reset.clone()));
        if let Err(error) =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
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
