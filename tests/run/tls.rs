//! https with an authority of one's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{manifest, run};

/// Serves `200 OK` on loopback with a certificate that nobody else has signed; its URL, and the certificate as PEM.
fn served() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = config.clone();
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream.unwrap());
                let mut head = [0; 4096];
                // Who trusts nobody here ends the handshake.
                while stream.read(&mut head).is_ok_and(|read| read > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7").unwrap();
                }
            });
        }
    });
    (url, made.cert.pem())
}

#[test]
fn an_authority_of_ones_own_is_trusted_for_a_url_and_for_a_manifest_that_names_none() {
    let (url, pem) = served();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt").display().to_string();
    std::fs::write(&ca, pem).unwrap();
    let spec = format!(
        "  loads: [{{name: m, url: '{url}', rate: 5, durationSeconds: 3}}]\n  settle: {{seconds: 0}}\n  \
         measurements: [{{name: a, http: {{url: '{url}/', jsonPointer: ''}}, intervalSeconds: 1}}]"
    );
    let file = manifest(folder.path(), &spec);
    let report = folder.path().join("report").display().to_string();
    for what in [&[url.as_str(), "-n", "2"][..], &[&file]] {
        let trusted = run(&[what, &["--cacert", &ca, "--report", &report]].concat());
        assert!(trusted.out.contains("200: "), "{trusted:?}");
        let unknown = run(what);
        assert_ne!(unknown.code, Some(0), "{unknown:?}");
        assert!(!unknown.out.contains("200: "), "{unknown:?}");
    }
    let text = std::fs::read_to_string(folder.path().join("report/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results["rows"][0]["measurements"][0]["maximum"], "7", "{}", results["rows"][0]["measurements"]);
    assert_eq!(run(&[&url, "-n", "2", "--cacert", &format!("{ca}.none")]).code, Some(2));
}
