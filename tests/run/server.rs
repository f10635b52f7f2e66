//! A server on loopback that answers by the number of the request, and keeps what it was asked.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The running server; its threads end with the test's process.
pub struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves on a free port; `status` gives the status line of the n-th answer, from 0. `/count` answers with a number
    /// and isn't counted.
    pub fn start(status: impl Fn(usize) -> &'static str + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (theirs, status) = (heads.clone(), Arc::new(status));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (heads, status) = (theirs.clone(), status.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &heads, &*status));
            }
        });
        Self { address, heads }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The head of every request, all but its first line in lower case.
    pub fn all(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    /// The distinct request lines.
    pub fn lines(&self) -> BTreeSet<String> {
        self.all().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

fn serve(stream: TcpStream, heads: &Mutex<Vec<String>>, status: &dyn Fn(usize) -> &'static str) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            let line = if head.is_empty() { line } else { line.to_lowercase() };
            length = line.strip_prefix("content-length: ").map_or(length, |n| n.trim().parse().unwrap());
            head += &line;
        }
        if reader.read_exact(&mut vec![0; length]).is_err() {
            return;
        }
        let answer = if head.starts_with("GET /count") {
            "200 OK"
        } else {
            let mut heads = heads.lock().unwrap();
            heads.push(head);
            status(heads.len() - 1)
        };
        // Two items that took 1 s and 1.5 s, on one page.
        let body = r#"{"count": 1, "none": 0, "next": null, "items": [
            {"from": "2026-11-21T07:00:00Z", "to": "2026-11-21T07:00:01Z"},
            {"from": "2026-11-21T07:00:00Z", "to": "2026-11-21T08:00:01.500+01:00"}]}"#;
        let text = format!("HTTP/1.1 {answer}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if writer.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}
