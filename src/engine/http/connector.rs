//! Makes connections to a load's host.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::alarm::Alarm;
use super::failure::{self, Failure};
use super::resolve::Target;
use super::stream::Stream;

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

    /// A new connection, by the alarm's deadline; a host of several addresses gets them in turn, and the next one where one
    /// can't be reached.
    ///
    /// Errors: the class of the last address's failure, or the deadline passed.
    pub fn connect<'a>(&'a self, alarm: &'a mut Alarm) -> Connecting<'a> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        Connecting { connector: self, alarm, first, begun: 0, failed: Failure::ConnectFailed, stage: Stage::Next }
    }
}

/// A connection that is being made. Written out by hand, as an exchange is, for ten thousand clients connect in the same
/// moment: as an async function, tokio's own inside, its state would be several times the rest of the client.
pub struct Connecting<'a> {
    connector: &'a Connector,
    alarm: &'a mut Alarm,
    /// Which address comes first.
    first: usize,
    /// Addresses that were tried, the present one with them.
    begun: u32,
    failed: Failure,
    stage: Stage<'a>,
}

enum Stage<'a> {
    /// The next address is to be tried.
    Next,
    Dialing(TcpStream),
    /// Boxed, because it is large and most loads have none.
    Handshaking(Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send + 'a>>),
}

impl Future for Connecting<'_> {
    type Output = Result<Stream, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.advance(cx) {
            Poll::Pending if this.alarm.poll(cx).is_ready() => Poll::Ready(Err(Failure::ConnectTimeout)),
            advanced => advanced,
        }
    }
}

impl Connecting<'_> {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, Failure>> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Next) {
                Stage::Next if self.dial_next() => {}
                Stage::Next => return Poll::Ready(Err(self.failed)),
                Stage::Dialing(stream) => match stream.poll_write_ready(cx) {
                    Poll::Pending => {
                        self.stage = Stage::Dialing(stream);
                        return Poll::Pending;
                    }
                    Poll::Ready(ready) => match (ready.and_then(|()| opened(&stream)), &self.connector.tls) {
                        (Err(error), _) => self.failed = failure::of_connect(&error),
                        (Ok(()), None) => return Poll::Ready(Ok(Stream::Plain(stream))),
                        (Ok(()), Some(tls)) => self.stage = Stage::Handshaking(Box::pin(handshake(tls, stream))),
                    },
                },
                Stage::Handshaking(mut handshake) => {
                    let session = handshake.as_mut().poll(cx);
                    self.stage = Stage::Handshaking(handshake);
                    return session;
                }
            }
        }
    }

    /// Begins to connect to the next address; false: all were tried.
    fn dial_next(&mut self) -> bool {
        let addresses = &self.connector.target.addresses;
        if self.begun as usize == addresses.len() {
            return false;
        }
        let turn = self.first.wrapping_add(self.begun as usize) % addresses.len();
        self.begun += 1;
        match begin(&addresses[turn]) {
            Ok(stream) => self.stage = Stage::Dialing(stream),
            Err(error) => self.failed = failure::of_connect(&error),
        }
        true
    }
}

async fn handshake(
    (connector, name): &(TlsConnector, ServerName<'static>),
    stream: TcpStream,
) -> Result<Stream, Failure> {
    let session = connector.connect(name.clone(), stream).await.map_err(|error| failure::of_handshake(&error))?;
    Ok(Stream::Tls(Box::new(session)))
}

/// Whether a stream that can be written to is a connection, and makes it ready for requests.
fn opened(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    // Without it the kernel holds back the end of a request until the peer has confirmed its beginning.
    stream.set_nodelay(true)
}

/// Begins to connect; the stream can be written to when that is over, well or not (connect(2), EINPROGRESS).
fn begin(address: &SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match connect(&socket, address) {
        Ok(()) | Err(Errno::INPROGRESS) => TcpStream::from_std(socket.into()),
        Err(error) => Err(error.into()),
    }
}
