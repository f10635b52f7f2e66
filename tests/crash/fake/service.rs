//! The fake as a client's transport: each call goes through what may go wrong, then to the server.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::retry::RetryPolicy;
use tower::retry::RetryLayer;
use tower::{BoxError, Service, ServiceBuilder};

use super::answer::{Answer, Body};
use super::fault::{Call, Trouble};
use super::journal::Entry;
use super::path::Path;
use super::server::{self, Sent};
use super::{Fake, Millis, follow, watch};
use loadtest_operator::controller::io::{Clients, READ_TIMEOUT};

/// What a call costs on the way there.
const WAY: Duration = Duration::from_millis(2);

/// One client's connection.
#[derive(Clone)]
struct Connection {
    fake: Fake,
    client: u32,
}

impl Fake {
    /// Clients of its own for the operator process of that number: with the retries that kube's default client does, and without.
    pub fn clients(&self, number: u32) -> Clients {
        let retries = RetryLayer::new(RetryPolicy::server_retry());
        let connection = Connection { fake: self.clone(), client: number };
        let once = Client::new(connection.clone(), "default");
        Clients { patient: Client::new(ServiceBuilder::new().layer(retries).service(connection), "default"), once }
    }
}

impl Service<Request<kube::client::Body>> for Connection {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            tokio::time::sleep(WAY).await;
            let content_type = parts.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().to_owned();
            let Some(path) = Path::of(&parts.method, &parts.uri) else {
                let asked = format!("{} {}", parts.method, parts.uri);
                this.fake.world().journal.unknown.push(asked.clone());
                return Ok(Answer::no(501, asked).response());
            };
            this.answer(Sent { path, content_type, body }).await
        })
    }
}

impl Connection {
    async fn answer(&self, sent: Sent) -> Result<Response<Body>, BoxError> {
        let (call, trouble) = self.arrive(&sent);
        let trouble = match trouble {
            Arrival::Dead => return std::future::pending().await,
            // It is on the wire: it arrives also when nobody waits for the answer any more.
            Arrival::Trouble(Trouble::Hold(late)) => {
                let (this, late) = (self.clone(), Duration::from_millis(u64::try_from(late)?));
                let delivered = tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    this.well(&call, &sent, 0)
                });
                return delivered.await?;
            }
            Arrival::Trouble(trouble) => Some(trouble),
            Arrival::Well => None,
        };
        match trouble {
            None | Some(Trouble::Hold(_)) => self.well(&call, &sent, 0),
            Some(Trouble::Past(ago)) => self.well(&call, &sent, ago),
            Some(Trouble::KillBefore) => {
                self.note(&call, &sent, 0);
                self.die();
                std::future::pending().await
            }
            Some(Trouble::KillAfter) => {
                let answer = self.well(&call, &sent, 0);
                self.fake.world().dying = Some(self.client);
                answer
            }
            Some(Trouble::KillUnanswered) => {
                self.well(&call, &sent, 0)?;
                self.die();
                std::future::pending().await
            }
            Some(Trouble::Answer { code, applied }) => {
                if applied {
                    self.well(&call, &sent, 0)?;
                } else {
                    self.note(&call, &sent, code);
                }
                Ok(Answer::no(code, "this call was made to fail").response())
            }
            Some(Trouble::Busy { seconds }) => {
                self.note(&call, &sent, 429);
                let busy = Answer::no(429, "too many requests");
                Ok(Answer { retry_after: Some(seconds), ..busy }.response())
            }
            Some(Trouble::Silence { applied }) => {
                if applied {
                    self.well(&call, &sent, 0)?;
                } else {
                    self.note(&call, &sent, 0);
                }
                // The operator's connections give up by themselves.
                tokio::time::sleep(READ_TIMEOUT).await;
                Err("the connection was silent for too long".into())
            }
        }
    }

    /// What is known of a call when it arrives, and what becomes of it.
    fn arrive(&self, sent: &Sent) -> (Call, Arrival) {
        let at = self.fake.now();
        let mut world = self.fake.world();
        let mut call = Call { client: self.client, write: None, what: sent.words(), class: sent.path.class(), at };
        if world.dead.contains(&self.client) {
            return (call, Arrival::Dead);
        }
        if world.dying == Some(self.client) {
            world.dying = None;
            world.dead.push(self.client);
            drop(world);
            self.fake.wake();
            return (call, Arrival::Dead);
        }
        call.write = sent.path.writes().then(|| world.journal.next_write());
        let trouble = world.faults.at(&call);
        (call, trouble.map_or(Arrival::Well, Arrival::Trouble))
    }

    /// The answer as it should be; reads as of `ago` milliseconds before.
    fn well(&self, call: &Call, sent: &Sent, ago: Millis) -> Result<Response<Body>, BoxError> {
        if sent.path.verb == "watch" {
            self.note(call, sent, 200);
            return Ok(Response::new(watch::body(&self.fake, &sent.path, self.client)));
        }
        let follows = |path: &Path| path.sub == "log" && path.query.get("follow").is_some_and(|on| on == "true");
        if follows(&sent.path) && ago == 0 {
            self.note(call, sent, 200);
            return Ok(Response::new(follow::body(&self.fake, &sent.path)));
        }
        let mut world = self.fake.world();
        let answer = server::answer(&mut world, sent, ago);
        if answer.code == 501 {
            let asked = format!("{} {}", call.class, sent.path.name);
            world.journal.unknown.push(asked);
        }
        drop(world);
        self.note(call, sent, answer.code);
        if sent.path.writes() {
            self.fake.wake();
        }
        Ok(answer.response())
    }

    fn note(&self, call: &Call, sent: &Sent, code: u16) {
        let body: Bytes = if sent.path.writes() { sent.body.clone() } else { Bytes::new() };
        self.fake.world().journal.entries.push(Entry { call: call.clone(), path: sent.path.clone(), body, code });
    }

    fn die(&self) {
        self.fake.world().dead.push(self.client);
        self.fake.wake();
    }
}

enum Arrival {
    Well,
    Trouble(Trouble),
    Dead,
}
