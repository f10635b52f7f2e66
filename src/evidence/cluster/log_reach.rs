//! Whether what is left of a container's logs reaches back to the start of a row. Kubernetes keeps the current log of a container
//! and the one before its last restart; the kubelet rotates a log away without a word, and `pods/log` reads the newest file only.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus};

/// Which logs of a container hold the lines since an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The current one.
    Current,
    /// The current one, and that of the container before its last restart.
    Previous,
    /// Not all of them are kept; why, a sentence.
    Lost(String),
}

/// Reads a container's status against an instant, milliseconds since the epoch. The kubelet's instants are whole seconds.
pub fn reach(status: &ContainerStatus, from_ms: i64) -> Reach {
    let began = |state: Option<&ContainerState>| {
        let running = state?.running.as_ref().and_then(|running| running.started_at.as_ref());
        let ended = || state?.terminated.as_ref().and_then(|ended| ended.started_at.as_ref());
        running.or_else(ended).map(|at| at.0.as_millisecond())
    };
    if status.restart_count == 0 || began(status.state.as_ref()).is_some_and(|at| at <= from_ms) {
        return Reach::Current;
    }
    let before = began(status.last_state.as_ref());
    if status.restart_count == 1 || before.is_some_and(|at| at <= from_ms) {
        return Reach::Previous;
    }
    Reach::Lost(format!("container {} restarted more than once, and only its last two logs are kept", status.name))
}

/// Why a current log may lack lines since an instant: its first line is later. `silent`: the log was empty then.
pub fn rotated(first_line: &str, from_ms: i64, silent: bool) -> Option<String> {
    let instant = first_line.split(' ').next().unwrap_or_default();
    let Ok(first) = instant.parse::<Timestamp>() else {
        return (!first_line.is_empty()).then(|| "its lines have no instant".to_owned());
    };
    let late = first.as_millisecond() - from_ms;
    (late > 0 && !silent).then(|| {
        let seconds = (late + 999) / 1000;
        format!("it begins {seconds} s after the row: what stood before was rotated away, or there was nothing")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(restarts: i32, started: &str, before: Option<&str>) -> ContainerStatus {
        let last = before.map(|at| json!({"terminated": {"exitCode": 1, "startedAt": at}}));
        serde_json::from_value(
            json!({"name": "api", "image": "i", "imageID": "", "ready": true, "restartCount": restarts,
            "state": {"running": {"startedAt": started}}, "lastState": last.unwrap_or(json!({}))}),
        )
        .expect("a status")
    }

    const ROW: i64 = 100_000;

    #[test]
    fn a_container_that_runs_since_before_the_row_has_all_in_its_current_log() {
        assert_eq!(reach(&status(0, "1970-01-01T00:00:10Z", None), ROW), Reach::Current);
        assert_eq!(reach(&status(7, "1970-01-01T00:01:40Z", Some("1970-01-01T00:00:10Z")), ROW), Reach::Current);
    }

    #[test]
    fn one_restart_in_the_row_is_survived_and_two_are_not() {
        assert_eq!(reach(&status(1, "1970-01-01T00:02:00Z", Some("1970-01-01T00:00:10Z")), ROW), Reach::Previous);
        assert_eq!(reach(&status(4, "1970-01-01T00:02:00Z", Some("1970-01-01T00:00:10Z")), ROW), Reach::Previous);
        let twice = reach(&status(4, "1970-01-01T00:02:00Z", Some("1970-01-01T00:01:50Z")), ROW);
        assert!(matches!(&twice, Reach::Lost(why) if why.contains("more than once")), "{twice:?}");
        assert!(matches!(reach(&status(4, "1970-01-01T00:02:00Z", None), ROW), Reach::Lost(_)));
    }

    #[test]
    fn a_log_that_begins_after_the_row_did_was_rotated_unless_it_was_empty_before() {
        assert_eq!(rotated("1970-01-01T00:01:39Z boot", ROW, false), None);
        assert!(rotated("1970-01-01T00:01:45Z fine", ROW, false).expect("rotated").contains("5 s after the row"));
        assert_eq!(rotated("1970-01-01T00:01:45Z fine", ROW, true), None);
        assert_eq!(rotated("", ROW, false), None, "a container that says nothing");
        assert!(rotated("no instant", ROW, false).is_some());
    }
}
