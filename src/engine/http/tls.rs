//! How an https server is checked.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;

use crate::plan::TlsInput;

/// Why the certificates to trust could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("tls.caFrom: cannot read certificates (PEM) from {path}: {why}")]
    CaFile { path: String, why: String },
    #[error("tls: {0}")]
    Config(#[from] rustls::Error),
}

/// The client's side of TLS 1.2 and 1.3 for a load, HTTP/1.1 only.
///
/// Errors: the CA file cannot be read or holds no certificate.
pub fn client_config(input: &TlsInput) -> Result<Arc<ClientConfig>, TlsError> {
    // Given explicitly: a process may hold more than one provider and rustls then refuses to choose.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = if input.insecure_skip_verify {
        let verifier = Arc::new(AcceptAnything(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        builder.with_root_certificates(roots(input.ca_file.as_deref())?).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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
