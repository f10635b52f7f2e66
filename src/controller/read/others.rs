//! Other tests that send load to the same targets. A claim keeps two tests apart that both size a target; one that is only
//! watched carries none.

use kube::ResourceExt;
use kube::core::DeserializeGuard;

use crate::api::{Glance, LoadTest, Phase, RowStep};
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::controller::write::standing::not_finished;
use crate::lifecycle::Millis;

/// So many other tests of the namespace are looked at.
const MOST: usize = 32;

/// Remembers the tests whose load met the row's, which began at `since`. What can't be read is looked at again.
pub async fn look(session: &mut Session<'_>, since: Millis) {
    if session.test.spec.targets.is_empty() {
        return;
    }
    let Ok(tests) = call(session.api::<DeserializeGuard<Glance>>().list(&not_finished())).await else { return };
    let own = session.test.uid();
    let running = |test: &&Glance| {
        test.uid() != own && !matches!(test.status.phase, None | Some(Phase::Pending | Phase::Claiming))
    };
    let names: Vec<String> = tests
        .iter()
        .filter_map(|test| test.0.as_ref().ok())
        .filter(running)
        .map(ResourceExt::name_any)
        .filter(|name| !session.memory.others.contains(name))
        .take(MOST)
        .collect();
    for name in names {
        let Ok(other) = call(session.api::<DeserializeGuard<LoadTest>>().get(&name)).await else { continue };
        let Ok(other) = other.0 else { continue };
        if shares_a_target(&session.test, &other) && loaded(&other, since, session.now()) {
            session.memory.others.insert(name);
        }
    }
}

fn shares_a_target(one: &LoadTest, other: &LoadTest) -> bool {
    let theirs: Vec<_> = other.spec.targets.iter().map(|target| &target.workload_ref).collect();
    one.spec.targets.iter().any(|target| theirs.contains(&&target.workload_ref))
}

/// Whether a test sent load between two instants, by its status.
fn loaded(test: &LoadTest, from: Millis, to: Millis) -> bool {
    let Some(status) = &test.status else { return false };
    let rows = status.results.iter().filter_map(|row| Some((row.started_at?, row.load_ended_at?)));
    let done = rows.map(|(start, end)| (start.as_millis(), end.as_millis()));
    let now = status.run.as_ref().and_then(|run| {
        let loads = matches!(run.step?, RowStep::Loading | RowStep::Collecting);
        let start = run.current.as_ref()?.start_at?.as_millis();
        (loads && status.phase == Some(Phase::Running)).then_some((start, to))
    });
    done.chain(now).any(|(start, end)| start < to && end > from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn test(status: serde_json::Value, workload: &str) -> LoadTest {
        serde_json::from_value(
            json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "a"},
            "spec": {"loads": [{"name": "l", "url": "http://api"}],
                "targets": [{"name": "t", "workloadRef": {"name": workload}}]},
            "status": status}),
        )
        .expect("a test")
    }

    #[test]
    fn a_load_that_is_under_way_or_over_meets_another_only_where_their_times_do() {
        let run = json!({"id": 1, "generation": 1, "planHash": "", "hashVersion": 1, "protocolVersion": 1, "step": "Loading",
            "current": {"startAt": "1970-01-01T00:00:50Z"}});
        let loading = test(json!({"phase": "Running", "run": run}), "api");
        assert!(loaded(&loading, 10_000, 60_000));
        assert!(!loaded(&loading, 10_000, 50_000), "it begins when the other is over");
        let row = json!({"row": 1, "startedAt": "1970-01-01T00:00:20Z", "loadEndedAt": "1970-01-01T00:00:30Z"});
        let done = test(json!({"phase": "Restoring", "results": [row]}), "api");
        assert!(loaded(&done, 25_000, 60_000));
        assert!(!loaded(&done, 30_000, 60_000) && !loaded(&done, 0, 20_000));
        assert!(!loaded(&test(json!({"phase": "Claiming"}), "api"), 0, 60_000));
    }

    #[test]
    fn a_target_is_shared_when_it_is_the_same_workload() {
        let one = test(json!({}), "api");
        assert!(shares_a_target(&one, &test(json!({}), "api")));
        assert!(!shares_a_target(&one, &test(json!({}), "worker")));
    }
}
