//! Whom a TLS connection trusts.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// How a server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Not at all.
    Nothing,
    /// Signed by a trusted authority, for whatever name.
    Authority,
    /// Signed by a trusted authority, for the name that was asked for.
    AuthorityAndName,
}

/// A client's configuration. `ca_file`: PEM certificates to trust instead of Mozilla's (webpki-roots). `certificate`: directory
/// with the client's own `tls.crt` and `tls.key`.
///
/// # Errors
/// When a file cannot be read or holds no certificate.
pub fn client_config(check: Check, ca_file: Option<&str>, certificate: Option<&str>) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS 1.2 and 1.3 are not available".to_owned())?;
    let authorities = match check {
        Check::Nothing => None,
        Check::Authority | Check::AuthorityAndName => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca_file)?), provider.clone()).build();
            Some(verifier.map_err(|_| "the trusted certificates cannot be used".to_owned())?)
        }
    };
    let verifier = Arc::new(Verifier { authorities, any_name: check == Check::Authority, provider });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(directory) = certificate else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = identity(directory)?;
    let unusable = |_| "the client's certificate and key do not belong together".to_owned();
    builder.with_client_auth_cert(chain, key).map_err(unusable)
}

/// The client's certificates and key.
fn identity(directory: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let file = |name: &str| Path::new(directory).join(name);
    let missing = |name: &str| format!("tls.clientCertificateFrom: the Secret is not there, or holds no {name} (PEM)");
    let chain = CertificateDer::pem_file_iter(file("tls.crt")).map_err(|_| missing("tls.crt"))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|_| missing("tls.crt"))?;
    let key = PrivateKeyDer::from_pem_file(file("tls.key")).map_err(|_| missing("tls.key"))?;
    if chain.is_empty() { Err(missing("tls.crt")) } else { Ok((chain, key)) }
}

fn roots(ca_file: Option<&str>) -> Result<RootCertStore, String> {
    let Some(path) = ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let unreadable = |_| format!("the CA file {path} cannot be read as PEM certificates");
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let certificate = certificate.map_err(unreadable)?;
        store.add(certificate).map_err(|_| format!("the CA file {path} holds a certificate that cannot be used"))?;
    }
    if store.is_empty() {
        return Err(format!("the CA file {path} holds no certificate"));
    }
    Ok(store)
}

/// rustls' own verifier, with the name or the whole chain left out on demand.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        // The name is checked last, so an error about it means that the chain is good.
        match authorities.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) if self.any_name => {
                Ok(ServerCertVerified::assertion())
            }
            answer => answer,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
