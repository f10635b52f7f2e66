//! The plan as an agent finds it: the one that the operator made, and no other.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::api::Reason;

/// Reads the file. Its ConfigMap may be written by everybody who may write ConfigMaps of the namespace, who need not be allowed to have load
/// sent, nor to where it then would go. `digest` stands in the Job, which nobody may change
/// ([`PLAN_SHA256_ENV`](crate::plan::PLAN_SHA256_ENV)); `None`: there is none to compare with.
///
/// # Errors
/// It can't be read, or is not the one that the Job was made for.
pub fn read(path: &Path, digest: Option<&str>) -> Result<String, Refusal> {
    let invalid = |what: String| Refusal::new(Reason::InvalidSpec, format!("the plan in {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    let found: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest.is_some_and(|wanted| wanted != found) {
        return Err(invalid("it is not the one that the operator made; somebody else wrote its ConfigMap".into()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_somebody_else_wrote_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        std::fs::write(&file, "{}").unwrap();
        // printf '{}' | sha256sum
        let digest = Some("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_eq!(read(&file, digest).unwrap(), "{}");
        std::fs::write(&file, "{ }").unwrap();
        let refusal = read(&file, digest).unwrap_err();
        assert!(refusal.message.contains("somebody else wrote its ConfigMap"), "{}", refusal.message);
        assert_eq!(read(&file, None).unwrap(), "{ }");
    }
}
