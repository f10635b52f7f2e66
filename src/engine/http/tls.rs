//! How an https server is checked.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;

use crate::plan::TlsInput;

/// Why the certificates to trust could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("tls.caFrom: cannot read certificates (PEM) from {path}: {why}")]
    CaFile { path: String, why: String },
    #[error("tls.clientCertificateFrom: {0}")]
    ClientCertificate(String),
    #[error("tls: {0}")]
    Config(#[from] rustls::Error),
}

/// The client's side of TLS 1.2 and 1.3 for a load, HTTP/1.1 only.
///
/// Errors: the CA file cannot be read or holds no certificate; the client certificate is not there.
pub fn client_config(input: &TlsInput) -> Result<Arc<ClientConfig>, TlsError> {
    // Given explicitly: a process may hold more than one provider and rustls then refuses to choose.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = if input.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnything(provider)))
    } else {
        builder.with_root_certificates(roots(input.ca_file.as_deref())?)
    };
    let mut config = match &input.client_certificate {
        None => builder.with_no_client_auth(),
        Some(directory) => {
            let (chain, key) = identity(directory).map_err(TlsError::ClientCertificate)?;
            let unusable = |_| TlsError::ClientCertificate("the certificate and the key do not belong together".into());
            builder.with_client_auth_cert(chain, key).map_err(unusable)?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The client's certificates and key, from `tls.crt` and `tls.key`.
fn identity(directory: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let file = |name: &str| Path::new(directory).join(name);
    let missing = |name: &str| format!("the Secret is not there, or holds no {name} (PEM)");
    let chain = CertificateDer::pem_file_iter(file("tls.crt")).map_err(|_| missing("tls.crt"))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|_| missing("tls.crt"))?;
    let key = PrivateKeyDer::from_pem_file(file("tls.key")).map_err(|_| missing("tls.key"))?;
    if chain.is_empty() { Err(missing("tls.crt")) } else { Ok((chain, key)) }
}

fn roots(ca_file: Option<&str>) -> Result<RootCertStore, TlsError> {
    let Some(path) = ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let failed = |why: String| TlsError::CaFile { path: path.to_string(), why };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(Path::new(path)).map_err(|error| failed(error.to_string()))? {
        store.add(certificate.map_err(|error| failed(error.to_string()))?)?;
    }
    if store.is_empty() { Err(failed("there is none in it".into())) } else { Ok(store) }
}

/// For `insecureSkipVerify`: any certificate, but the handshake's signatures must still be right.
#[derive(Debug)]
struct AcceptAnything(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConnection, ServerConfig, ServerConnection};

    use super::*;

    /// A server that asks for a certificate of its authority, and a folder with one.
    fn mutual() -> (Arc<ServerConfig>, tempfile::TempDir) {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let (own, own_key) = signed("localhost");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(own_key.serialize_der()).unwrap())
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (client, client_key) = signed("client");
        std::fs::write(folder.path().join("tls.crt"), client.pem()).unwrap();
        std::fs::write(folder.path().join("tls.key"), client_key.serialize_pem()).unwrap();
        (Arc::new(config), folder)
    }

    /// Speaks until both have what they want to know.
    fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Result<usize, rustls::Error> {
        let mut client = ClientConnection::new(client, "localhost".try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(server).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut said = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut said).unwrap();
            }
            let mut rest = said.as_slice();
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets()?;
            }
            let mut answered = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut answered).unwrap();
            }
            let mut rest = answered.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok(server.peer_certificates().map_or(0, |chain| chain.len()))
    }

    #[test]
    fn a_server_that_asks_for_a_certificate_gets_the_one_of_the_secret() {
        let (server, folder) = mutual();
        let input = |directory: Option<String>| TlsInput {
            insecure_skip_verify: true,
            client_certificate: directory,
            ..TlsInput::default()
        };
        let with = client_config(&input(Some(folder.path().display().to_string()))).unwrap();
        assert_eq!(handshake(with, server.clone()).unwrap(), 1);
        assert!(handshake(client_config(&input(None)).unwrap(), server).is_err());
    }

    #[test]
    fn a_secret_that_is_not_there_is_said() {
        let input = TlsInput { client_certificate: Some("/nowhere".into()), ..TlsInput::default() };
        let why = client_config(&input).unwrap_err().to_string();
        assert_eq!(why, "tls.clientCertificateFrom: the Secret is not there, or holds no tls.crt (PEM)");
    }
}
