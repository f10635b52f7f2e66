//! One task: its payload and the CPU work of taking it in.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

/// The payload of a task: what the client sent, and a fingerprint that costs `burn` hashes of it.
///
/// This is the work a real API does for each task (checking, serialising, signing); it makes the rate depend on the
/// API's CPU limit. `burn` 0 still hashes once.
pub fn payload(sent: &Value, burn: u32) -> Value {
    let text = sent.to_string();
    json!({ "task": sent, "fingerprint": format!("{:016x}", fingerprint(&text, burn)) })
}

fn fingerprint(text: &str, burn: u32) -> u64 {
    // Each round takes in the round before, so that no round can be optimised away.
    (0..=burn).fold(0, |before, _| {
        let mut hasher = DefaultHasher::new();
        before.hash(&mut hasher);
        text.hash(&mut hasher);
        hasher.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_keeps_what_was_sent() {
        assert_eq!(payload(&json!({"n": 1}), 3)["task"], json!({"n": 1}));
    }

    #[test]
    fn every_round_of_work_changes_the_fingerprint() {
        let sent = json!({"n": 1});
        assert_eq!(payload(&sent, 3), payload(&sent, 3));
        assert_ne!(payload(&sent, 3), payload(&sent, 4));
    }
}
