//! What the pods of a target really had over a row.

use super::pods::PodFact;
use crate::api::{Name, TargetFigures};

/// Figures of a target from its pods at the start and at the end of the load; CPU and memory used are filled in by
/// [`super::metrics`]. A limit that is not the same in all pods is written with two of its values, `500m..1`.
pub fn figures(name: &Name, before: &[PodFact], after: &[PodFact]) -> TargetFigures {
    let ready: Vec<_> = after.iter().filter(|p| p.ready && !p.terminating && !p.ended).collect();
    TargetFigures {
        name: name.clone(),
        replicas: i32::try_from(ready.len()).ok(),
        cpu: one_text(ready.iter().map(|p| p.resources.cpu_limit.as_deref())),
        memory: one_text(ready.iter().map(|p| p.resources.memory_limit.as_deref())),
        restarts: Some(restarts(before, after)),
        oom_kills: Some(oom_kills(before, after)),
        cpu_max_percent: None,
        memory_max_percent: None,
        memory_max_mib: None,
        memory_slope_percent_per_minute: None,
    }
}

/// Container restarts between two readings. A pod that is new counts with all its restarts; one that is gone took its
/// count with it, so this is "at least" when pods were replaced.
pub fn restarts(before: &[PodFact], after: &[PodFact]) -> i32 {
    after.iter().map(|now| (now.restarts - earlier(before, &now.uid).map_or(0, |p| p.restarts)).max(0)).sum()
}

/// Containers that ended out of memory between two readings; "at least", since only the last end of a container is known.
pub fn oom_kills(before: &[PodFact], after: &[PodFact]) -> i32 {
    let killed = |now: &PodFact| {
        let then = earlier(before, &now.uid);
        let fresh = now.containers.iter().filter(|c| c.out_of_memory).filter(|c| {
            let old = then.and_then(|p| p.containers.iter().find(|o| o.name == c.name));
            old.is_none_or(|o| c.restarts > o.restarts || !o.out_of_memory)
        });
        fresh.count()
    };
    i32::try_from(after.iter().map(killed).sum::<usize>()).unwrap_or(i32::MAX)
}

fn earlier<'a>(pods: &'a [PodFact], uid: &str) -> Option<&'a PodFact> {
    pods.iter().find(|p| p.uid == uid)
}

/// The text that all have, else the distinct ones; none when one of them has none.
fn one_text<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let mut all: Vec<&str> = texts.collect::<Option<_>>()?;
    all.sort_unstable();
    all.dedup();
    match all.as_slice() {
        [] => None,
        [one] => Some((*one).chars().take(24).collect()),
        [first, .., last] => Some(format!("{first}..{last}").chars().take(24).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::cluster::pods::{ContainerFact, Resources};

    fn pod(uid: &str, restarts: i32, out_of_memory: bool) -> PodFact {
        let container = ContainerFact { name: "api".into(), restarts, out_of_memory, ..ContainerFact::default() };
        let resources = Resources { cpu_limit: Some("1".into()), ..Resources::default() };
        PodFact { uid: uid.into(), ready: true, restarts, containers: vec![container], resources, ..PodFact::default() }
    }

    #[test]
    fn only_restarts_of_the_row_count() {
        assert_eq!(restarts(&[pod("a", 3, false)], &[pod("a", 5, false), pod("b", 1, false)]), 3);
    }

    #[test]
    fn an_old_kill_is_not_counted_again() {
        assert_eq!(oom_kills(&[pod("a", 1, true)], &[pod("a", 1, true)]), 0);
        assert_eq!(oom_kills(&[pod("a", 1, true)], &[pod("a", 2, true)]), 1);
        assert_eq!(oom_kills(&[pod("a", 0, false)], &[pod("a", 1, true)]), 1);
    }

    #[test]
    fn a_limit_that_a_pod_lacks_is_not_a_limit() {
        let name = Name("api".into());
        let seen = figures(&name, &[], &[pod("a", 0, false), pod("b", 0, false)]);
        assert_eq!((seen.replicas, seen.cpu.as_deref(), seen.memory), (Some(2), Some("1"), None));
        let mut bare = pod("b", 0, false);
        bare.resources.cpu_limit = None;
        assert_eq!(figures(&name, &[], &[pod("a", 0, false), bare]).cpu, None);
    }
}
