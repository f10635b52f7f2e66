//! The pods of a target that the act at hand deletes: whom it would choose, and who of the chosen is still there.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::pods::has_ended;
use super::targets::pods_of;
use crate::controller::io::live;
use crate::controller::session::Session;
use crate::lifecycle::{ActKind, ActView, Live, Uid, VictimsSeen};
use crate::plan::Random;

/// Reads them.
pub async fn read(session: &mut Session<'_>) {
    // An act under way is the one that was begun last; else it is the next one.
    let number = session.state.act + u16::from(!session.state.acting);
    let target = match session.view.act(&session.state, number) {
        Some(ActView { kind: ActKind::DeletePods { target }, .. }) => *target,
        _ => return session.seen.victims = Live::Fresh(VictimsSeen::default()),
    };
    let Some(target) = session.sized.get(target).and_then(|name| session.target(name)).cloned() else {
        return session.seen.victims = Live::Missing;
    };
    let pods = match pods_of(session, &target).await {
        Ok((_, _, pods)) => pods,
        Err(error) => {
            session.note = format!("the pods of {} could not be read: {}", target.name.0, error.message());
            session.seen.victims = live(Err(error));
            return;
        }
    };
    let there: Vec<Pod> =
        pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none() && !has_ended(pod)).collect();
    let chosen =
        choose(&there, count(session, number), session.test.spec.seed.unwrap_or(0), &session.act_mark_of(number));
    if there.is_empty() {
        session.note = format!("there was no pod of {} to delete", target.name.0);
    }
    let doomed = session.state.doomed.clone();
    let mut seen = VictimsSeen::default();
    for pod in chosen {
        seen.chosen.push(session.hash(&pod.uid().unwrap_or_default()));
    }
    let uids = there.iter().filter_map(ResourceExt::uid).map(|uid| Uid::of(&uid));
    seen.left = uids.filter(|uid| doomed.contains(uid)).collect();
    session.victims = there;
    session.seen.victims = Live::Fresh(seen);
}

/// How many pods the act deletes.
fn count(session: &Session<'_>, number: u16) -> usize {
    let act = session.plan.as_ref().zip(session.row()).and_then(|(plan, row)| {
        let acts = crate::plan::acts(&plan.spec, row);
        acts.get(usize::from(number).checked_sub(1)?).map(|act| &plan.spec.actions[act.action])
    });
    let delete = act.and_then(|action| action.delete_pods.as_ref());
    delete.and_then(|delete| usize::try_from(delete.count).ok()).unwrap_or(1)
}

/// So many of the pods, by their names' order and the seed.
fn choose(pods: &[Pod], count: usize, seed: i32, act: &str) -> Vec<Pod> {
    let mut left: Vec<&Pod> = pods.iter().collect();
    left.sort_by_key(|pod| pod.name_any());
    let mut random = Random::new(seed, act);
    let mut chosen = Vec::new();
    while chosen.len() < count && !left.is_empty() {
        let at = usize::try_from(random.below(left.len() as u64)).unwrap_or(0);
        chosen.push(left.remove(at).clone());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(names: &[&str]) -> Vec<Pod> {
        let pod = |name: &&str| {
            let mut pod = Pod::default();
            pod.metadata.name = Some((*name).to_owned());
            pod
        };
        names.iter().map(pod).collect()
    }

    fn names(pods: &[Pod]) -> Vec<String> {
        pods.iter().map(ResourceExt::name_any).collect()
    }

    #[test]
    fn the_same_seed_chooses_the_same_pods_whatever_their_order() {
        let one = choose(&pods(&["a", "b", "c", "d"]), 2, 1, "1.1");
        assert_eq!(names(&one), names(&choose(&pods(&["d", "c", "b", "a"]), 2, 1, "1.1")));
        let others = (2..10).map(|seed| names(&choose(&pods(&["a", "b", "c", "d"]), 2, seed, "1.1")));
        assert!(others.into_iter().any(|other| other != names(&one)));
    }

    #[test]
    fn no_pod_is_chosen_twice_and_no_more_than_there_are() {
        let mut all = names(&choose(&pods(&["a", "b", "c"]), 5, 7, "1.2"));
        all.sort();
        assert_eq!(all, ["a", "b", "c"]);
        assert!(choose(&[], 1, 7, "1.2").is_empty());
    }
}
