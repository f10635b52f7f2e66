//! A server on loopback for tests: counts what it gets and answers what the test says, well or badly.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Number of its connection, from 0.
    pub connection: u32,
    /// Number of the request on its connection, from 0.
    pub turn: u32,
    /// `GET /path`.
    pub line: String,
    /// Whole head, lower-case.
    pub head: String,
    pub body: String,
    pub at: Instant,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers after a while and goes on.
    Reply(Duration, u16, &'static str),
    /// Writes these bytes and closes.
    Raw(&'static str),
    /// Writes these bytes and goes on.
    Open(&'static str),
    /// Closes without a byte.
    Close,
    /// Says nothing for ever.
    Hang,
}

/// A good answer at once.
pub const OK: Act = Act::Reply(Duration::ZERO, 200, "{}");

/// The running server; ends with the test's runtime.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicU32>,
}

impl Server {
    /// Serves on a free port.
    pub async fn start(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let (theirs, count, act) = (seen.clone(), connections.clone(), Arc::new(act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, number, theirs.clone(), act.clone()));
            }
        });
        Self { address, seen, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it got so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Request lines it got so far, each once.
    pub fn lines(&self) -> BTreeSet<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: u32,
    log: Arc<Mutex<Vec<Seen>>>,
    act: Arc<impl Fn(&Seen) -> Act + Send + Sync + 'static>,
) {
    let mut buffer = Vec::new();
    for turn in 0.. {
        let Some(seen) = next(&mut stream, &mut buffer, connection, turn).await else {
            return;
        };
        log.lock().unwrap().push(seen.clone());
        match act(&seen) {
            Act::Reply(after, status, body) => {
                tokio::time::sleep(after).await;
                let length = body.len();
                let text = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}");
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Raw(text) => return drop(stream.write_all(text.as_bytes()).await),
            Act::Open(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Close => return,
            Act::Hang => std::future::pending().await,
        }
    }
}

async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: u32, turn: u32) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        (stream.read_buf(buffer).await.ok()? > 0).then_some(())?;
    };
    let at = Instant::now();
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let line = head.split(" HTTP/1.1").next().unwrap().to_string();
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
    let whole = end + length.unwrap_or(0);
    while buffer.len() < whole {
        (stream.read_buf(buffer).await.ok()? > 0).then_some(())?;
    }
    let body = String::from_utf8_lossy(&buffer[end..whole]).into_owned();
    buffer.drain(..whole);
    Some(Seen { connection, turn, line, head, body, at })
}
