//! PostgreSQL over TLS, as each sslmode of libpq means it, against a real server with certificates made here.

use std::collections::BTreeMap;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::postgres_tests::admin;
use super::test_server::TestServer;
use super::{Server, SqlSource, Values};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { issuer: Issuer::new(params, key), pem }
}

/// A server whose certificate is for `name`.
async fn server(authority: &Authority, name: &str) -> Option<TestServer> {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority.issuer).unwrap();
    let server = TestServer::with_tls(&certificate.pem(), &key.serialize_pem())?;
    admin(&server).await;
    Some(server)
}

/// Connects with `sslmode=…`, trusting these authorities; is the connection encrypted?
async fn encrypted(server: &TestServer, mode: &str, trusted: Option<&Authority>) -> Result<bool, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut query = format!("?sslmode={mode}");
    if let Some(trusted) = trusted {
        std::fs::write(file.path(), &trusted.pem).unwrap();
        query += &format!("&sslrootcert={}", file.path().display());
    }
    let found = Server::from_url(&server.url("postgres", &query)).map_err(|lost| lost.text)?;
    let sql = "select count(*) from pg_stat_ssl where ssl and pid = pg_backend_pid()";
    let answer = SqlSource::new(found).ask(sql, &Values::of_run("r", 0, &BTreeMap::new())).await;
    answer.map(|n| n == 1.0).map_err(|lost| lost.text)
}

#[tokio::test]
async fn every_sslmode_checks_what_libpq_says() {
    let (ours, another) = (authority(), authority());
    let Some(right) = server(&ours, "127.0.0.1").await else { return };
    for mode in ["prefer", "allow", "require"] {
        assert_eq!(encrypted(&right, mode, None).await, Ok(true), "{mode}: encrypted, whoever signed");
    }
    assert_eq!(encrypted(&right, "disable", None).await, Ok(false));
    assert_eq!(encrypted(&right, "require", Some(&ours)).await, Ok(true));
    let why = encrypted(&right, "require", Some(&another)).await.unwrap_err();
    assert!(why.contains("the certificate is not trusted"), "require with a root certificate: {why}");
    for mode in ["verify-ca", "verify-full"] {
        assert_eq!(encrypted(&right, mode, Some(&ours)).await, Ok(true), "{mode}");
        for stranger in [Some(&another), None] {
            let why = encrypted(&right, mode, stranger).await.unwrap_err();
            assert!(why.contains("the certificate is not trusted"), "{mode}: {why}");
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_good_enough_for_verify_ca_only() {
    let ours = authority();
    let Some(other) = server(&ours, "db.example").await else { return };
    assert_eq!(encrypted(&other, "verify-ca", Some(&ours)).await, Ok(true));
    let why = encrypted(&other, "verify-full", Some(&ours)).await.unwrap_err();
    assert!(why.contains("the certificate is not trusted"), "{why}");
}
