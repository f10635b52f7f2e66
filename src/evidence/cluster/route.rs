//! Where a Service that is under load leads: to the pods of the targets, or past them.

use std::collections::BTreeMap;

use super::pods::PodFact;

/// What a Service names, beside what the targets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// All pods of the targets that it leads to, and no others; or nothing is known of it.
    Fits,
    /// Not all pods of a target, or others besides; what, in words.
    Partly(String),
    /// Pods, and none of them is a target's.
    Past,
}

/// Reads a Service's endpoints (uids of pods that are ready) against the pods of each target.
pub fn route(service: &str, named: &[String], targets: &[(&str, &[PodFact])]) -> Route {
    let known = |uid: &String| targets.iter().any(|(_, pods)| pods.iter().any(|pod| pod.uid == *uid));
    if named.is_empty() {
        return Route::Fits;
    }
    if !named.iter().any(known) {
        return Route::Past;
    }
    for (target, pods) in targets {
        let covered = pods.iter().filter(|pod| named.contains(&pod.uid)).count();
        if covered > 0 && covered < pods.len() {
            return Route::Partly(format!("Service {service} names {covered} of {} pods of {target}", pods.len()));
        }
    }
    match named.iter().filter(|uid| !known(uid)).count() {
        0 => Route::Fits,
        n => Route::Partly(format!("Service {service} still names pods that are not wanted ({n})")),
    }
}

/// How many pods a Service leads to that no target has; [`None`]: none.
pub fn strangers(named: &[String], targets: &[(&str, &[PodFact])]) -> Option<usize> {
    let known = |uid: &&String| targets.iter().any(|(_, pods)| pods.iter().any(|pod| pod.uid == **uid));
    Some(named.iter().filter(|uid| !known(uid)).count()).filter(|n| *n > 0)
}

/// Whether a Service's selector picks pods with these labels. One without selector picks nothing by itself.
pub fn selects(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// `app=stub, tier=web`.
pub fn in_words(selector: &BTreeMap<String, String>) -> String {
    selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(uids: &[&str]) -> Vec<PodFact> {
        uids.iter().map(|uid| PodFact { uid: (*uid).into(), ..PodFact::default() }).collect()
    }

    fn named(uids: &[&str]) -> Vec<String> {
        uids.iter().map(|uid| (*uid).to_owned()).collect()
    }

    #[test]
    fn a_service_leads_to_all_of_a_target_to_a_part_or_past_it() {
        let (api, worker) = (pods(&["a", "b"]), pods(&["w"]));
        let targets = [("api", api.as_slice()), ("worker", worker.as_slice())];
        assert_eq!(route("api", &named(&["b", "a"]), &targets), Route::Fits);
        assert_eq!(route("api", &named(&["a", "b", "w"]), &targets), Route::Fits, "one Service for two targets");
        assert_eq!(route("api", &named(&[]), &targets), Route::Fits, "nothing is ready: others say so");
        assert_eq!(route("api", &named(&["x", "y"]), &targets), Route::Past);
        let Route::Partly(why) = route("api", &named(&["a"]), &targets) else { panic!("a part") };
        assert_eq!(why, "Service api names 1 of 2 pods of api");
        let Route::Partly(why) = route("api", &named(&["a", "b", "old"]), &targets) else { panic!("another pod") };
        assert!(why.contains("not wanted"), "{why}");
    }

    #[test]
    fn only_pods_of_no_target_are_strangers() {
        let api = pods(&["a", "b"]);
        let targets = [("api", api.as_slice())];
        assert_eq!(strangers(&named(&["a"]), &targets), None, "a pod that is not ready for a while is no stranger");
        assert_eq!(strangers(&named(&["a", "x"]), &targets), Some(1));
    }

    #[test]
    fn a_selector_must_hold_whole() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let labels: BTreeMap<String, String> = map(&[("app", "api"), ("version", "2")]);
        assert!(selects(&map(&[("app", "api")]), &labels));
        assert!(!selects(&map(&[("app", "stub")]), &labels));
        assert!(!selects(&map(&[("app", "api"), ("track", "stable")]), &labels));
        assert_eq!(in_words(&labels), "app=api, version=2");
    }
}
