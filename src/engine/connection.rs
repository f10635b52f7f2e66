//! The seam: one connection to a load's host, on which one request at a time is sent.
//!
//! Behind it stands hyper's HTTP/1.1 client connection; a faster reader can stand here too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::SET_COOKIE;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::failure::{self, Failure};
use super::resolve::Target;

/// A request ready to be sent.
pub type Prebuilt = Request<Full<Bytes>>;

/// Makes connections to one host.
pub struct Connector {
    target: Target,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    next: AtomicUsize,
}

impl Connector {
    /// For a host; `tls` is used when its scheme is https.
    ///
    /// Errors: the host can't be a name in a certificate.
    pub fn new(target: Target, tls: Arc<rustls::ClientConfig>) -> Result<Self, Failure> {
        let tls = match target.tls {
            true => {
                let name = ServerName::try_from(target.host.clone()).map_err(|_| Failure::Tls)?;
                Some((TlsConnector::from(tls), name))
            }
            false => None,
        };
        Ok(Self { target, tls, next: AtomicUsize::new(0) })
    }

    /// The host that it connects to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A new connection; a host of several addresses gets them in turn, and the next one where one can't be reached.
    ///
    /// Errors: the class of the last address's failure.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        let addresses = &self.target.addresses;
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut failed = Failure::ConnectFailed;
        for turn in 0..addresses.len() {
            match TcpStream::connect(addresses[first.wrapping_add(turn) % addresses.len()]).await {
                Ok(stream) => return self.over(stream).await,
                Err(error) => failed = failure::of_connect(&error),
            }
        }
        Err(failed)
    }

    async fn over(&self, stream: TcpStream) -> Result<Connection, Failure> {
        // Without it the kernel holds back the end of a request until the peer has confirmed its beginning.
        stream.set_nodelay(true).map_err(|error| failure::of_connect(&error))?;
        match &self.tls {
            None => Connection::start(stream).await,
            Some((connector, name)) => {
                let session = connector.connect(name.clone(), stream).await.map_err(|_| Failure::Tls)?;
                Connection::start(session).await
            }
        }
    }
}

/// An open connection. Closed when it is dropped, also in mid-answer.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    used: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// The body, when it was asked for.
    pub body: Body,
    /// Values of the headers `Set-Cookie`, in order.
    pub cookies: Vec<String>,
}

/// The part of a body that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Read and forgotten.
    Dropped,
    /// All of it.
    Kept(Bytes),
    /// Longer than allowed; read to its end and forgotten.
    TooLarge,
}

/// Why there is no reply.
#[derive(Debug)]
pub struct Broken {
    pub failure: Failure,
    /// The request, when nothing of it was sent.
    pub unsent: Option<Box<Prebuilt>>,
    /// Not a byte of an answer came.
    pub unanswered: bool,
}

impl Connection {
    async fn start(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Self, Failure> {
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failure::of_exchange(&error))?;
        let driver = tokio::spawn(async {
            // What breaks here is told to the request that waits; an idle connection breaks without notice.
            let _ = driver.await;
        });
        Ok(Self { sender, driver, used: false })
    }

    /// Whether another request can be sent; false when the peer has closed it.
    pub async fn usable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Whether it carried a request before.
    pub fn used(&self) -> bool {
        self.used
    }

    /// Sends a request and reads its answer to the end; keeps at most `keep` bytes of the body, `None`: keeps nothing.
    ///
    /// Errors: the connection or the answer broke; the connection must not be used again.
    pub async fn exchange(&mut self, request: Prebuilt, keep: Option<usize>) -> Result<Reply, Broken> {
        self.used = true;
        let response = self.sender.try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message().map(Box::new);
            let cause = error.error();
            let unanswered = cause.is_incomplete_message() || failure::is_reset(cause);
            Broken { failure: failure::of_exchange(cause), unsent, unanswered }
        })?;
        read(response, keep).await.map_err(|error| {
            let failure = failure::of_exchange(&error);
            Broken { failure, unsent: None, unanswered: false }
        })
    }
}

async fn read(response: Response<Incoming>, keep: Option<usize>) -> Result<Reply, hyper::Error> {
    let status = response.status().as_u16();
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect();
    let mut incoming = response.into_body();
    let mut kept = BytesMut::new();
    let mut fits = true;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        match keep {
            Some(most) if fits && kept.len() + data.len() <= most => kept.extend_from_slice(&data),
            Some(_) => fits = false,
            None => {}
        }
    }
    let body = match (keep, fits) {
        (None, _) => Body::Dropped,
        (Some(_), true) => Body::Kept(kept.freeze()),
        (Some(_), false) => Body::TooLarge,
    };
    Ok(Reply { status, body, cookies })
}
