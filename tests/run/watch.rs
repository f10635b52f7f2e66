//! `loadtest watch` without a cluster: an API server that says one thing and then nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::Ran;

/// Answers the first request with a LoadTest that nobody has looked at and leaves the others open; tells of each.
fn cluster(asked: Sender<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, asked) = (stream.unwrap(), asked.clone());
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                while let Some(line) = lines.next() {
                    let _ = lines.by_ref().find(String::is_empty);
                    let one = line.contains("/loadtests/peak ") || line.contains("/loadtests/peak?");
                    let _ = asked.send(line);
                    if one {
                        let test = r#"{"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "peak"},
                            "spec": {"loads": [{"name": "m", "url": "http://web/"}]}}"#;
                        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
                        stream.write_all(format!("{head}: {}\r\n\r\n{test}", test.len()).as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    url
}

#[test]
fn an_interrupted_watch_says_that_the_test_goes_on_and_is_no_passed_verdict() {
    let (asked, requests) = channel();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: '{}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n",
        cluster(asked)
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(["watch", "peak", "--kubeconfig"]).arg(&kubeconfig);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for what in ["the test", "its changes"] {
        requests.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("nobody asked for {what}"));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::new(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.err.contains("peak goes on in the cluster"), "{ran:?}");
}
