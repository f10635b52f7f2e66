//! Makes connections to a load's host.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

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

    /// A new connection; a host of several addresses gets them in turn, and the next one where one can't be reached.
    ///
    /// Errors: the class of the last address's failure.
    pub async fn connect(&self) -> Result<Stream, Failure> {
        let addresses = &self.target.addresses;
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut failed = Failure::ConnectFailed;
        for turn in 0..addresses.len() {
            match dial(&addresses[first.wrapping_add(turn) % addresses.len()]).await {
                Ok(stream) => {
                    let Some(tls) = &self.tls else { return Ok(Stream::Plain(stream)) };
                    // Boxed, because a handshake is large and most loads have none.
                    return Box::pin(handshake(tls, stream)).await;
                }
                Err(error) => failed = failure::of_connect(&error),
            }
        }
        Err(failed)
    }
}

async fn handshake(
    (connector, name): &(TlsConnector, ServerName<'static>),
    stream: TcpStream,
) -> Result<Stream, Failure> {
    let session = connector.connect(name.clone(), stream).await.map_err(|error| failure::of_handshake(&error))?;
    Ok(Stream::Tls(Box::new(session)))
}

/// A TCP connection. Ten thousand clients connect in the same moment, so this one's state is no larger than its socket;
/// that of tokio's own function would be three times the rest of the client.
async fn dial(address: &SocketAddr) -> io::Result<TcpStream> {
    let stream = begin(address)?;
    poll_fn(|cx| stream.poll_write_ready(cx)).await?;
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    // Without it the kernel holds back the end of a request until the peer has confirmed its beginning.
    stream.set_nodelay(true)?;
    Ok(stream)
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
