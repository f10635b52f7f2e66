//! What the API server says.

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde_json::{Value, json};
use std::convert::Infallible;

/// The body of an answer; a watch's goes on.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer before it is put on the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: u16,
    pub body: Bytes,
    /// Value of the header Retry-After, seconds.
    pub retry_after: Option<u32>,
}

impl Answer {
    /// 200 or 201 with an object.
    pub fn object(code: u16, object: &Value) -> Self {
        Self { code, body: object.to_string().into(), retry_after: None }
    }

    /// Plain text.
    pub fn text(text: String) -> Self {
        Self { code: 200, body: text.into(), retry_after: None }
    }

    /// A Status that says no.
    pub fn no(code: u16, message: impl Into<String>) -> Self {
        let reason = match code {
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            422 => "Invalid",
            429 => "TooManyRequests",
            504 => "Timeout",
            _ => "InternalError",
        };
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(), "reason": reason, "code": code});
        Self { code, body: status.to_string().into(), retry_after: None }
    }

    /// The name of what is created is taken.
    pub fn exists(resource: &str, name: &str) -> Self {
        let no = Self::no(409, format!("{resource} \"{name}\" already exists"));
        let body = String::from_utf8_lossy(&no.body).replace("\"Conflict\"", "\"AlreadyExists\"");
        Self { body: body.into(), ..no }
    }

    /// As a response.
    pub fn response(self) -> Response<Body> {
        let mut builder = Response::builder().status(self.code);
        if let Some(seconds) = self.retry_after {
            builder = builder.header("Retry-After", seconds);
        }
        builder.body(Full::new(self.body).boxed_unsync()).expect("a response")
    }
}
