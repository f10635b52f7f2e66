//! A server that follows a script and notes what it did.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::script::Script;

/// What became of one request, by the server.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub status: u16,
    pub came: Instant,
    /// Just before the last byte went out.
    pub answered: Instant,
}

/// By the number in the request's path.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<BTreeMap<u64, Done>>>);

impl Log {
    /// Everything so far.
    pub fn all(&self) -> BTreeMap<u64, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, number: u64, done: Done) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, done);
    }
}

/// Serves on a free port of the loopback until the runtime ends; hands back the URL and the log.
///
/// # Errors
/// No port could be had.
pub async fn serve(script: Script) -> io::Result<(String, Log)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (log, begun) = (Log::default(), Instant::now());
    let noted = log.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, script, begun, noted.clone()));
        }
    });
    Ok((url, log))
}

async fn answer(mut stream: TcpStream, script: Script, begun: Instant, log: Log) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = [0; 1024];
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let came = Instant::now();
        let line = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let number: u64 = line.split(['/', ' ']).nth(2)?.parse().ok()?;
        let act = script(number, came - begun);
        tokio::time::sleep(act.before).await;
        let head = format!("HTTP/1.1 {} S\r\ncontent-length: 4\r\n\r\n", act.status);
        let mut last = format!("{head}body");
        if !act.within.is_zero() {
            stream.write_all(format!("{head}bod").as_bytes()).await.ok()?;
            tokio::time::sleep(act.within).await;
            last = "y".into();
        }
        log.note(number, Done { status: act.status, came, answered: Instant::now() });
        stream.write_all(last.as_bytes()).await.ok()?;
    }
}
