//! `measurements.http`: a number out of a JSON answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::Value as Json;
use url::{Host, Url};

use super::tls::{Check, client_config};
use super::values::Values;
use crate::api::Durations;
use crate::plan::{BasicAuthInput, HeaderInput, MeasurementSource, TlsInput};

/// The whole request, answer included, takes no longer than this.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read, bytes.
const LONGEST_BODY: usize = 1 << 20;

/// Says why an address may not be asked; none when it may. It is given every address a name resolves to, each time.
pub type AddressCheck = Arc<dyn Fn(IpAddr) -> Option<&'static str> + Send + Sync>;

/// One http measurement. Holds its client, so that connections are kept.
pub struct HttpSource {
    client: Client,
    url: String,
    json_pointer: String,
    headers: Vec<HeaderInput>,
    basic_auth: Option<BasicAuthInput>,
    durations: Option<Durations>,
    denied: AddressCheck,
}

impl HttpSource {
    /// The source that `source` describes; none for another kind of measurement.
    ///
    /// # Errors
    /// When the CA file cannot be used.
    pub fn new(source: &MeasurementSource, denied: AddressCheck) -> Result<Option<Self>, String> {
        let MeasurementSource::Http { url, json_pointer, headers, basic_auth, tls, durations } = source else {
            return Ok(None);
        };
        Ok(Some(Self {
            client: client(tls, denied.clone(), TIMEOUT, "loadtest-observer")?,
            url: url.clone(),
            json_pointer: json_pointer.clone(),
            headers: headers.clone(),
            basic_auth: basic_auth.clone(),
            durations: durations.as_deref().cloned(),
            denied,
        }))
    }

    /// Texts in which variables may stand.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let basic = self.basic_auth.iter().flat_map(|b| [b.username.as_str(), b.password.as_str()]);
        std::iter::once(self.url.as_str()).chain(self.headers.iter().map(|h| h.value.as_str())).chain(basic)
    }

    /// It times items instead of giving one number.
    pub fn durations(&self) -> Option<&Durations> {
        self.durations.as_ref()
    }

    /// Asks, and takes the number.
    ///
    /// # Errors
    /// Why there is none, in words without the URL, the headers or the answer.
    pub async fn ask(&self, values: &Values) -> Result<f64, String> {
        let body = self.get(self.first(values)?, values).await?;
        number_at(&json(&body)?, &self.json_pointer)
    }

    /// The URL, with the values of its variables.
    pub(super) fn first(&self, values: &Values) -> Result<Url, String> {
        values.render(&self.url)?.parse().map_err(|_| "the URL cannot be read".to_owned())
    }

    /// The body of a good answer to a request with the headers and the password of this source.
    pub(super) async fn get(&self, url: Url, values: &Values) -> Result<Vec<u8>, String> {
        literal(&url, &self.denied)?;
        let mut request = self.client.get(url);
        for header in &self.headers {
            request = request.header(&header.name, values.render(&header.value)?);
        }
        if let Some(basic) = &self.basic_auth {
            request = request.basic_auth(values.render(&basic.username)?, Some(values.render(&basic.password)?));
        }
        let answer = request.send().await.map_err(|error| failure(&error))?;
        if !answer.status().is_success() {
            return Err(format!("answered status {}", answer.status().as_u16()));
        }
        body(answer).await
    }
}

/// A host that is written as an address may be asked.
pub(super) fn literal(url: &Url, denied: &AddressCheck) -> Result<(), String> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    denied(address).map_or(Ok(()), |why| Err(NotAllowed(why).to_string()))
}

/// An answer as JSON.
pub(super) fn json(body: &[u8]) -> Result<Json, String> {
    serde_json::from_slice(body).map_err(|_| "the answer is no JSON".to_owned())
}

/// The number at an RFC 6901 pointer; when an array stands there, its length.
///
/// # Errors
/// When nothing is there, or something else: it is never taken for 0.
pub fn number_at(json: &Json, pointer: &str) -> Result<f64, String> {
    match json.pointer(pointer) {
        None => Err(format!("the answer has nothing at {pointer:?}")),
        Some(Json::Array(items)) => Ok(items.len() as f64),
        Some(Json::Number(number)) => {
            number.as_f64().filter(|n| n.is_finite()).ok_or_else(|| format!("the number at {pointer:?} is too large"))
        }
        Some(other) => {
            let kind = match other {
                Json::Null => "null",
                Json::Bool(_) => "a truth value",
                Json::String(_) => "a text",
                _ => "an object",
            };
            Err(format!("at {pointer:?} stands {kind}, not a number or an array"))
        }
    }
}

/// A client that checks each address, follows no redirect, and gives a request up after `timeout`.
pub(super) fn client(
    tls: &TlsInput,
    denied: AddressCheck,
    timeout: Duration,
    name: &'static str,
) -> Result<Client, String> {
    let check = if tls.insecure_skip_verify { Check::Nothing } else { Check::AuthorityAndName };
    let config = client_config(check, tls.ca_file.as_deref(), tls.client_certificate.as_deref())?;
    Client::builder()
        .tls_backend_preconfigured(config)
        .dns_resolver(Arc::new(Resolver { denied }))
        .redirect(Policy::none())
        .no_proxy()
        .timeout(timeout)
        .pool_max_idle_per_host(1)
        .user_agent(name)
        .build()
        .map_err(|_| "the HTTP client cannot be made".to_owned())
}

async fn body(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
        if bytes.len() + chunk.len() > LONGEST_BODY {
            return Err("the answer is longer than 1 MiB".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What went wrong, without the URL that reqwest's own text quotes.
pub(super) fn failure(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within 10 s".into();
    }
    if error.is_builder() {
        return "a header or the URL cannot be sent as it is written".into();
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(denied) = cause.downcast_ref::<NotAllowed>() {
            return denied.to_string();
        }
        if cause.is::<rustls::Error>() {
            return "the TLS handshake failed: the certificate is not trusted".into();
        }
        source = cause.source();
    }
    if error.is_connect() { "no connection came about".into() } else { "the answer broke off".into() }
}

/// Resolves names itself, to check every address before it is connected to.
struct Resolver {
    denied: AddressCheck,
}

/// A name led to no address that may be asked.
#[derive(Debug, thiserror::Error)]
#[error("the host may not be asked: it is {0}")]
struct NotAllowed(&'static str);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let denied = self.denied.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address condemns the name: which one would be used is chance.
            if let Some(why) = found.iter().find_map(|address| denied(address.ip())) {
                return Err(NotAllowed(why).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
