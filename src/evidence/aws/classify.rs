//! PURE: what a failed call to AWS means, in one word and one sentence without secrets.
//!
//! The order is: what happened to the request itself, then the error code, then the HTTP status; bodies of proxies have
//! no code. What is not known is Transient, and the SDK's cap on attempts bounds it.

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Ask again later.
    Transient,
    /// Ask again later, and less often.
    Throttled,
    /// There are no credentials, or AWS does not know them.
    CredentialsMissing,
    /// They were good once: make the client anew and ask once more.
    CredentialsExpired,
    /// A right is missing; permanent until a policy is edited.
    Denied,
    /// The thing itself is not there.
    NotFound,
    /// The question is wrong, or no region is set.
    Invalid,
}

/// Why AWS gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct AwsError {
    pub kind: ErrorKind,
    /// A sentence without secrets and without the message of AWS, which names users and accounts.
    pub text: String,
}

impl AwsError {
    pub(super) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not built.
    Construction,
    /// No answer came back: no credentials, no connection.
    Dispatch,
    /// It took too long.
    Timeout,
    /// An answer came that is none.
    Response,
    /// The service, or a proxy before it, answered with an error.
    Service,
}

/// A failed call, as the SDK reports it.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// `rds:DescribeDBInstances`, as in a policy.
    pub action: &'a str,
    pub stage: Stage,
    pub status: Option<u16>,
    pub code: Option<&'a str>,
    /// Texts of all causes; only searched for words, never told.
    pub causes: &'a str,
}

const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "LimitExceededException",
    "LimitExceeded",
    "SlowDown",
];
const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired"];
const UNKNOWN_CREDENTIALS: &[&str] = &[
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestTimeTooSkewed",
    "InvalidIdentityToken",
];
const DENIED: &[&str] =
    &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorizedException", "OptInRequired"];
const NOT_FOUND: &[&str] = &[
    "DBInstanceNotFound",
    "DBInstanceNotFoundFault",
    "DBProxyNotFound",
    "DBProxyNotFoundFault",
    "DBParameterGroupNotFound",
    "DBParameterGroupNotFoundFault",
    "ResourceNotFoundException",
];
const INVALID: &[&str] = &[
    "InvalidParameterValue",
    "InvalidParameterCombination",
    "InvalidArgumentException",
    "MissingParameter",
    "MissingRequiredParameter",
    "ValidationError",
    "ValidationException",
    "InvalidAction",
];

/// What a failed call means.
pub fn classify(failure: &Failure) -> AwsError {
    let Failure { action, .. } = failure;
    match failure.stage {
        Stage::Construction | Stage::Dispatch => dispatch(failure),
        Stage::Timeout => AwsError::new(ErrorKind::Transient, format!("{action}: AWS did not answer in time")),
        Stage::Response => AwsError::new(ErrorKind::Transient, format!("{action}: the answer of AWS was cut off")),
        Stage::Service => service(failure),
    }
}

fn dispatch(failure: &Failure) -> AwsError {
    let (action, causes) = (failure.action, failure.causes.to_ascii_lowercase());
    let says = |word: &str| causes.contains(word);
    if says("signing region") {
        return no_region();
    }
    if says("credential") || says("web identity") || says("assume role") {
        let code = EXPIRED.iter().chain(DENIED).chain(UNKNOWN_CREDENTIALS).find(|code| failure.causes.contains(**code));
        let why = match code {
            Some(code) => format!("STS gave no credentials ({code}); see the role's trust policy and the token"),
            None if says("no such file") => "the web identity token's file is not there".to_owned(),
            None => "no AWS credentials were found; give the operator a role (IRSA, pod identity) or keys".to_owned(),
        };
        return AwsError::new(ErrorKind::CredentialsMissing, format!("{action}: {why}"));
    }
    if failure.stage == Stage::Construction {
        return AwsError::new(ErrorKind::Invalid, format!("{action}: the request could not be made"));
    }
    AwsError::new(ErrorKind::Transient, format!("{action}: no connection to AWS"))
}

/// No region is set anywhere.
pub(super) fn no_region() -> AwsError {
    let text = "no AWS region is set; write spec.database.rds.region, or the operator's default region";
    AwsError::new(ErrorKind::Invalid, text)
}

fn service(failure: &Failure) -> AwsError {
    let action = failure.action;
    let kind = kind_of(failure.status, failure.code);
    let cause = match (failure.code.filter(|code| is_word(code)), failure.status) {
        (Some(code), _) => code.to_owned(),
        (None, Some(status)) => format!("HTTP status {status}"),
        (None, None) => "an error without a code".to_owned(),
    };
    let text = match kind {
        ErrorKind::Throttled => format!("{action}: AWS throttles the requests ({cause})"),
        ErrorKind::CredentialsExpired => format!("{action}: the AWS credentials have expired ({cause})"),
        ErrorKind::CredentialsMissing => format!("{action}: AWS does not accept the credentials ({cause})"),
        ErrorKind::Denied => format!("{action} is not allowed ({cause}); allow it in the operator's IAM policy"),
        ErrorKind::NotFound => format!("{action}: AWS does not know it in this region ({cause})"),
        ErrorKind::Invalid => format!("{action}: AWS does not accept the question ({cause})"),
        ErrorKind::Transient if failure.status == Some(200) => format!("{action}: the answer of AWS was cut off"),
        ErrorKind::Transient => format!("{action}: AWS failed ({cause})"),
    };
    AwsError::new(kind, text)
}

fn kind_of(status: Option<u16>, code: Option<&str>) -> ErrorKind {
    let code = code.unwrap_or_default();
    let sets = [
        (THROTTLED, ErrorKind::Throttled),
        (EXPIRED, ErrorKind::CredentialsExpired),
        (UNKNOWN_CREDENTIALS, ErrorKind::CredentialsMissing),
        (DENIED, ErrorKind::Denied),
        (NOT_FOUND, ErrorKind::NotFound),
        (INVALID, ErrorKind::Invalid),
    ];
    if let Some((_, kind)) = sets.iter().find(|(set, _)| set.contains(&code)) {
        return *kind;
    }
    match status {
        Some(429) => ErrorKind::Throttled,
        Some(401 | 403) => ErrorKind::Denied,
        _ => ErrorKind::Transient,
    }
}

/// A code is one word; anything else came from somewhere else and is not told.
fn is_word(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Failure =
        Failure { action: "rds:DescribeDBInstances", stage: Stage::Service, status: None, code: None, causes: "" };

    fn kind(status: u16, code: Option<&str>) -> ErrorKind {
        classify(&Failure { status: Some(status), code, ..ASKED }).kind
    }

    #[test]
    fn a_code_decides_where_there_is_one() {
        assert_eq!(kind(400, Some("Throttling")), ErrorKind::Throttled);
        assert_eq!(kind(503, Some("RequestLimitExceeded")), ErrorKind::Throttled);
        assert_eq!(kind(403, Some("ExpiredToken")), ErrorKind::CredentialsExpired);
        assert_eq!(kind(403, Some("InvalidClientTokenId")), ErrorKind::CredentialsMissing);
        assert_eq!(kind(403, Some("AccessDenied")), ErrorKind::Denied);
        assert_eq!(kind(404, Some("DBInstanceNotFound")), ErrorKind::NotFound);
        assert_eq!(kind(400, Some("InvalidParameterValue")), ErrorKind::Invalid);
    }

    #[test]
    fn without_a_code_the_status_decides() {
        assert_eq!(kind(429, None), ErrorKind::Throttled);
        assert_eq!(kind(403, None), ErrorKind::Denied);
        assert_eq!(kind(502, None), ErrorKind::Transient);
        assert_eq!(kind(200, None), ErrorKind::Transient);
        assert_eq!(kind(404, None), ErrorKind::Transient, "a proxy's 404 says nothing about the database");
        assert_eq!(kind(500, Some("SomethingNew")), ErrorKind::Transient);
    }

    #[test]
    fn a_region_that_is_missing_is_told_with_what_to_do() {
        let failure = Failure { stage: Stage::Dispatch, causes: "dispatch failure: missing signing region", ..ASKED };
        let error = classify(&failure);
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.text.contains("spec.database.rds.region"));
    }

    #[test]
    fn what_sts_refused_is_a_matter_of_credentials() {
        let causes = "dispatch failure: an error occurred while loading credentials: AccessDenied: canary";
        let error = classify(&Failure { stage: Stage::Dispatch, causes, ..ASKED });
        assert_eq!(error.kind, ErrorKind::CredentialsMissing);
        assert!(error.text.contains("AccessDenied") && !error.text.contains("canary"));
    }

    #[test]
    fn a_code_that_is_no_word_is_not_told() {
        let error = classify(&Failure { code: Some("<b>canary"), status: Some(500), ..ASKED });
        assert!(!error.text.contains("canary") && error.text.contains("500"));
    }
}
