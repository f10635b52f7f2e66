//! `actions.http`: one request, sent once.

use std::time::Duration;

use reqwest::Method;
use url::Url;

use super::http::{AddressCheck, client, failure, literal};
use super::values::Values;
use crate::plan::{HeaderInput, TlsInput};

/// A request with variables in it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [HeaderInput],
    pub body: Option<&'a str>,
}

/// Sends it, and reads the answer's status; neither its body nor where it redirects to is looked at.
///
/// # Errors
/// Why there is no 2xx within `limit`, in words without the URL, the headers or the answer.
pub async fn send_once(
    asked: &Asked<'_>,
    values: &Values,
    denied: AddressCheck,
    limit: Duration,
) -> Result<(), String> {
    let url: Url = values.render(asked.url)?.parse().map_err(|_| "the URL cannot be read".to_owned())?;
    literal(&url, &denied)?;
    let method = Method::from_bytes(asked.method.as_bytes()).map_err(|_| "the method cannot be sent".to_owned())?;
    let client = client(&TlsInput::default(), denied, limit, "loadtest-action")?;
    let mut request = client.request(method, url);
    for header in asked.headers {
        request = request.header(&header.name, values.render(&header.value)?);
    }
    if let Some(body) = asked.body {
        request = request.body(if is_json(asked, body) { values.render_json(body)? } else { values.render(body)? });
    }
    let timed_out =
        |error: &reqwest::Error| error.is_timeout().then(|| format!("no answer within {} s", limit.as_secs()));
    let answer = request.send().await.map_err(|error| timed_out(&error).unwrap_or_else(|| failure(&error)))?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("answered status {}", status.as_u16())) }
}

/// The header says so; without one the body's first character.
fn is_json(asked: &Asked<'_>, body: &str) -> bool {
    let kind = asked.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
    kind.map_or(body.trim_start().starts_with(['{', '[']), |kind| kind.value.to_ascii_lowercase().contains("json"))
}
