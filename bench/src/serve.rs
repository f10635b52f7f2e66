//! A server that answers everything at once: what it costs is not measured.

use std::error::Error;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What nginx answers to a small file.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n\
    Content-Length: 13\r\nConnection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\nHello, world!";

/// The server.
#[derive(clap::Args)]
pub struct Args {
    /// With a certificate of its own that nobody trusts.
    #[arg(long)]
    tls: bool,
}

/// Serves on a free port of the loopback.
///
/// # Errors
/// No port or no certificate could be had.
pub async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let acceptor = args.tls.then(acceptor).transpose()?;
    let scheme = if args.tls { "https" } else { "http" };
    println!("{scheme}://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor {
                None => answer(stream).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(session) => answer(session).await,
                    Err(_) => None,
                },
            }
        });
    }
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string(), "localhost".to_string()])?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// One answer for each end of a head. The requests have no bodies.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
    let mut buffer = vec![0; 2048];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.ok().filter(|read| *read > 0)?;
        filled += read;
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            filled = 0;
            stream.write_all(ANSWER).await.ok()?;
            stream.flush().await.ok()?;
        }
    }
}
