//! An agent has no identity: it sends what a manifest says, so it must hold nothing that others trust.

use std::path::Path;

/// Where Kubernetes mounts a service account's token.
pub const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Environment variables that give a cloud identity to whoever holds them.
const CREDENTIALS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_PASSWORD",
];

/// An identity that was found. Names it, never shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Identity {
    #[error("a service account token is mounted at {0}; the pod needs automountServiceAccountToken: false")]
    Token(String),
    #[error("the environment variable {0} holds a cloud identity; take it (or the webhook that adds it) off the pod")]
    Credentials(&'static str),
}

/// Refuses a process that has an identity; `set` says whether an environment variable is set.
///
/// Errors: the first identity that was found.
pub fn check(token: &Path, set: impl Fn(&str) -> bool) -> Result<(), Identity> {
    // A link to nowhere is a mount that is being made: also a token.
    if token.symlink_metadata().is_ok() {
        return Err(Identity::Token(token.display().to_string()));
    }
    match CREDENTIALS.iter().find(|name| set(name)) {
        Some(name) => Err(Identity::Credentials(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: &str = "/nowhere/token";

    #[test]
    fn a_process_without_token_and_credentials_may_send() {
        let harmless = ["AWS_REGION", "PATH", "JOB_COMPLETION_INDEX", "KUBERNETES_SERVICE_HOST"];
        assert_eq!(check(Path::new(NOWHERE), |name| harmless.contains(&name)), Ok(()));
    }

    #[test]
    fn a_mounted_token_is_refused() {
        let token = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(check(token.path(), |_| false), Err(Identity::Token(_))));
    }

    #[test]
    fn a_mount_that_is_being_made_is_a_token_too() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::os::unix::fs::symlink("..data/token", &token).unwrap();
        assert_eq!(check(&token, |_| false), Err(Identity::Token(token.display().to_string())));
    }

    #[test]
    fn credentials_of_each_kind_are_refused_by_name() {
        for name in CREDENTIALS {
            let refused = check(Path::new(NOWHERE), |asked| asked == *name).unwrap_err();
            assert_eq!(refused, Identity::Credentials(name));
            assert!(refused.to_string().contains(name));
        }
        // What the webhooks of the three clouds add to pods: IRSA, Pod Identity, GKE's and Azure's workload identity.
        for name in [
            "AWS_ROLE_ARN",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "AZURE_FEDERATED_TOKEN_FILE",
        ] {
            assert!(CREDENTIALS.contains(&name), "{name}");
        }
    }
}
