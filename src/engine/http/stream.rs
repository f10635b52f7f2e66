//! The bytes of one connection, plain or in TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// An open connection.
pub enum Stream {
    Plain(TcpStream),
    /// Boxed: it is large, and most loads have none.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Reads what is there into `into` and says how many bytes; 0: the peer has closed.
    ///
    /// Errors: the connection or its TLS session broke.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        let read = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, &mut buffer),
        };
        read.map_ok(|()| buffer.filled().len())
    }

    /// Writes as much of `bytes` as the connection takes and says how many bytes; `Pending`: it takes none now.
    ///
    /// Errors: the connection or its TLS session broke.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            // There is nearly always room, and then nobody need be told to wait for it.
            Self::Plain(stream) => match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pin::new(stream).poll_write(cx, bytes),
                written => Poll::Ready(written),
            },
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    /// Sends what TLS holds back; plain TCP holds nothing back.
    ///
    /// Errors: as for [`Stream::poll_write`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }
}
