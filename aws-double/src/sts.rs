//! STS over awsQuery: AssumeRoleWithWebIdentity (IRSA) and GetCallerIdentity.

use jiff::Timestamp;

use crate::answer::{Answer, Protocol, Refusal, element};
use crate::rds::Form;
use crate::state::State;

/// XML namespace of STS.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The access key that AssumeRoleWithWebIdentity gives: a call signed by it came through STS.
pub const ACCESS_KEY: &str = "ASIADOUBLEWEBIDENTITY";

const LIFETIME_SECONDS: i64 = 3600;

/// Gives credentials for any token that is not empty.
pub fn assume_role_with_web_identity(state: &State, form: &Form, now: i64) -> Result<Answer, Refusal> {
    if form.get("WebIdentityToken").is_none_or(String::is_empty) {
        return Err(Refusal::new("InvalidIdentityToken", 400, "No OpenIDConnect provider found in your account"));
    }
    let Some(role) = form.get("RoleArn") else {
        return Err(Refusal::new("ValidationError", 400, "RoleArn is required"));
    };
    let expiry = now + state.credentials_seconds.unwrap_or(LIFETIME_SECONDS);
    let expiry = Timestamp::from_second(expiry)
        .map_err(|_| Refusal::new("ValidationError", 400, "credentialsSeconds is out of range"))?;
    let session = form.get("RoleSessionName").map_or("session", String::as_str);
    let inside = format!(
        "<Credentials>{}{}{}{}</Credentials><AssumedRoleUser>{}{}</AssumedRoleUser>",
        element("AccessKeyId", ACCESS_KEY),
        element("SecretAccessKey", "double-secret-access-key"),
        element("SessionToken", "double-session-token"),
        element("Expiration", &expiry.to_string()),
        element("Arn", &format!("{}/{session}", role.replace(":role/", ":assumed-role/"))),
        element("AssumedRoleId", &format!("AROADOUBLE:{session}")),
    );
    Ok(Protocol::result(NAMESPACE, "AssumeRoleWithWebIdentity", &inside))
}

/// Says who the caller is: always the same account.
pub fn get_caller_identity() -> Answer {
    let inside = element("Arn", "arn:aws:iam::000000000000:user/double")
        + &element("UserId", "AIDADOUBLE")
        + &element("Account", "000000000000");
    Protocol::result(NAMESPACE, "GetCallerIdentity", &inside)
}
