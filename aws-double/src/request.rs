//! A request: its service, protocol and operation, and its answer with the scripted fault applied.

use hyper::header::HeaderMap;

use crate::answer::{Answer, Protocol, Refusal, cbor_answer};
use crate::cbor;
use crate::rds::Form;
use crate::state::fault::FaultKind;
use crate::state::{Service, State};
use crate::{cloudwatch, insights, rds, sts};

/// AWS refuses a signature that is further than this from its clock, in seconds.
const MAX_SKEW_SECONDS: i64 = 300;

/// A request as far as its protocol is understood.
pub struct Asked<'a> {
    pub service: Service,
    /// `-` for an action that is not known.
    pub operation: &'a str,
    protocol: Protocol,
    input: Input,
}

enum Input {
    Form(Form),
    Cbor(cbor::Value),
}

impl<'a> Asked<'a> {
    /// `None` for what no service of the double would answer.
    pub fn read(path: &'a str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        match path.strip_prefix("/service/") {
            Some(rpc) => Self::read_cbor(rpc, headers, body),
            None => Self::read_form(body),
        }
    }

    fn read_cbor(path: &'a str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let (name, operation) = path.split_once("/operation/")?;
        let (service, shapes) = match name {
            "GraniteServiceVersion20100801" => (Service::CloudWatch, "com.amazonaws.cloudwatch"),
            "PerformanceInsightsv20180227" => (Service::Insights, "com.amazonaws.pi"),
            _ => return None,
        };
        if headers.get("smithy-protocol").is_none_or(|protocol| protocol != "rpc-v2-cbor") {
            return None;
        }
        let query_mode = headers.get("x-amzn-query-mode").is_some_and(|mode| mode == "true");
        let input = Input::Cbor(cbor::decode(body)?);
        Some(Self { service, operation, protocol: Protocol::Cbor { shapes, query_mode }, input })
    }

    fn read_form(body: &[u8]) -> Option<Self> {
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        let (service, namespace, operation) = match form.get("Action")?.as_str() {
            "DescribeDBInstances" => (Service::Rds, rds::NAMESPACE, "DescribeDBInstances"),
            "DescribeDBProxies" => (Service::Rds, rds::NAMESPACE, "DescribeDBProxies"),
            "DescribeDBParameters" => (Service::Rds, rds::NAMESPACE, "DescribeDBParameters"),
            "AssumeRoleWithWebIdentity" => (Service::Sts, sts::NAMESPACE, "AssumeRoleWithWebIdentity"),
            "GetCallerIdentity" => (Service::Sts, sts::NAMESPACE, "GetCallerIdentity"),
            _ if form.get("Version").is_some_and(|version| version == "2011-06-15") => {
                (Service::Sts, sts::NAMESPACE, "-")
            }
            _ => (Service::Rds, rds::NAMESPACE, "-"),
        };
        Some(Self { service, operation, protocol: Protocol::Query { namespace }, input: Input::Form(form) })
    }

    /// The answer with the fault applied; `None` for a reset.
    pub fn answer(&self, state: &mut State, fault: Option<FaultKind>, headers: &HeaderMap, now: i64) -> Option<Answer> {
        match fault {
            Some(FaultKind::Reset) => return None,
            Some(FaultKind::Html(status)) => return Some(Answer::html(status)),
            Some(FaultKind::Error { code, status, message, retry_after_ms }) => {
                let mut answer = self.protocol.refuse(&Refusal { code: code.into(), status, message });
                answer.headers.extend(retry_after_ms.map(|ms| ("x-amz-retry-after", ms.to_string())));
                return Some(answer);
            }
            _ => (),
        }
        let mut answer = match skewed(state, headers, now) {
            Some(refusal) => Err(refusal),
            None => self.true_answer(state, now),
        }
        .unwrap_or_else(|refusal| self.protocol.refuse(&refusal));
        if let Some(FaultKind::Truncate(bytes)) = fault {
            answer.body.truncate(bytes);
        }
        Some(answer)
    }

    fn true_answer(&self, state: &mut State, now: i64) -> Result<Answer, Refusal> {
        match (&self.input, self.operation) {
            (Input::Cbor(input), "GetMetricData") if self.service == Service::CloudWatch => {
                Ok(cbor_answer(200, &cloudwatch::get_metric_data(state, input, now)?))
            }
            (Input::Cbor(input), "GetResourceMetrics") if self.service == Service::Insights => {
                Ok(cbor_answer(200, &insights::get_resource_metrics(state, input)?))
            }
            (Input::Form(form), "DescribeDBInstances") => rds::describe_db_instances(state, form),
            (Input::Form(form), "DescribeDBProxies") => rds::describe_db_proxies(state, form),
            (Input::Form(form), "DescribeDBParameters") => rds::describe_db_parameters(state, form),
            (Input::Form(form), "AssumeRoleWithWebIdentity") => sts::assume_role_with_web_identity(state, form, now),
            (Input::Form(_), "GetCallerIdentity") => Ok(sts::get_caller_identity()),
            (Input::Cbor(_), _) => Err(Refusal::new("UnknownOperationException", 404, "This double does not know it.")),
            (Input::Form(_), _) => Err(Refusal::new("InvalidAction", 400, "This double does not know the action.")),
        }
    }
}

/// Refuses a signature whose time is too far from the double's clock; unsigned calls have none.
fn skewed(state: &State, headers: &HeaderMap, now: i64) -> Option<Refusal> {
    headers.get("authorization")?;
    let signed = headers.get("x-amz-date")?.to_str().ok()?;
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", signed).ok()?;
    let signed = signed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    if (signed - (now + state.clock_skew_seconds)).abs() <= MAX_SKEW_SECONDS {
        return None;
    }
    let code = state.clock_skew_code.clone().unwrap_or_else(|| "RequestTimeTooSkewed".to_owned());
    let status = if code == "InvalidSignatureException" { 400 } else { 403 };
    let message = "The difference between the request time and the current time is too large.".to_owned();
    Some(Refusal { code: code.into(), status, message })
}

/// Access key id and region of `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
pub fn signed_by(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let scope = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let mut parts = scope.split('/');
    let key = parts.next()?;
    Some((key.to_owned(), parts.nth(1)?.to_owned()))
}
