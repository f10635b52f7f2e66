//! Answers and errors in the two protocols.

use std::borrow::Cow;

use ciborium::Value;

use crate::cbor;

/// An error of a service, whatever its protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: Cow<'static, str>,
    pub status: u16,
    pub message: String,
}

impl Refusal {
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into() }
    }
}

/// What goes back over the wire; the server adds `Date`.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn html(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
        Self { status, headers: vec![("content-type", "text/html".to_owned())], body: body.into_bytes() }
    }
}

/// The protocol of a request, which is also that of its errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Protocol {
    /// rpc-v2-cbor; `query_mode` when the caller asked for `x-amzn-query-error`.
    Cbor { shapes: &'static str, query_mode: bool },
    /// awsQuery with this XML namespace.
    Query { namespace: &'static str },
}

impl Protocol {
    pub fn refuse(self, refusal: &Refusal) -> Answer {
        let fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
        match self {
            Self::Cbor { shapes, query_mode } => {
                let mut answer = cbor_answer(
                    refusal.status,
                    &cbor::map([
                        ("__type", cbor::text(&format!("{shapes}#{}", refusal.code))),
                        ("message", cbor::text(&refusal.message)),
                    ]),
                );
                if query_mode {
                    answer.headers.push(("x-amzn-query-error", format!("{};{fault}", refusal.code)));
                }
                answer
            }
            Self::Query { namespace } => {
                let (code, message) = (escape(&refusal.code), escape(&refusal.message));
                xml_answer(
                    refusal.status,
                    format!(
                        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
                    ),
                )
            }
        }
    }

    /// A good awsQuery answer of `operation` with this inside its result element.
    pub fn result(namespace: &str, operation: &str, inside: &str) -> Answer {
        xml_answer(
            200,
            format!(
                "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{inside}</{operation}Result>\
             <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
            ),
        )
    }
}

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// An rpc-v2-cbor answer.
pub fn cbor_answer(status: u16, value: &Value) -> Answer {
    let headers = vec![
        ("content-type", "application/cbor".to_owned()),
        ("smithy-protocol", "rpc-v2-cbor".to_owned()),
        ("x-amzn-requestid", REQUEST_ID.to_owned()),
    ];
    Answer { status, headers, body: cbor::encode(value) }
}

fn xml_answer(status: u16, text: String) -> Answer {
    let headers = vec![("content-type", "text/xml".to_owned()), ("x-amzn-requestid", REQUEST_ID.to_owned())];
    Answer { status, headers, body: text.into_bytes() }
}

/// An XML element with this text in it.
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cbor_error_names_its_code_in_the_body_and_for_query_mode_in_a_header() {
        let protocol = Protocol::Cbor { shapes: "com.amazonaws.cloudwatch", query_mode: true };
        let answer = protocol.refuse(&Refusal::new("Throttling", 400, "Rate exceeded"));
        let body = cbor::decode(&answer.body).expect("CBOR");
        assert_eq!(cbor::text_of(&body, "__type"), Some("com.amazonaws.cloudwatch#Throttling"));
        assert!(answer.headers.contains(&("x-amzn-query-error", "Throttling;Sender".to_owned())));
    }

    #[test]
    fn an_xml_error_is_escaped() {
        let answer = Protocol::Query { namespace: "n" }.refuse(&Refusal::new("A", 500, "a<b"));
        let text = String::from_utf8(answer.body).expect("UTF-8");
        assert!(text.contains("<Type>Receiver</Type><Code>A</Code><Message>a&lt;b</Message>"), "{text}");
    }
}
