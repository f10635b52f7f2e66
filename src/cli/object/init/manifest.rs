//! PURE: the commented manifest.

use super::found::Found;
use crate::api::Quantity;

/// The text: targets that are only watched until a size is written, a small load on each Service, and one threshold.
pub fn manifest(name: &str, namespace: &str, all: &[Found]) -> String {
    let mut out = format!(
        "# Made by `kubectl loadtest init` from what runs in namespace {namespace}. As it stands it changes no workload: sizes are comments.\n\
         # `kubectl loadtest validate FILE` checks it, `kubectl loadtest plan -f FILE` says what it would do.\n\
         apiVersion: loadtest.dev/v1alpha1\nkind: LoadTest\nmetadata:\n  name: {}\n  namespace: {}\nspec:\n  targets:\n",
        word(name),
        word(namespace)
    );
    all.iter().for_each(|one| out += &target(one));
    out += "  loads:\n";
    all.iter().for_each(|one| out += &load(one));
    let first = all.iter().find(|one| one.service.is_some()).map_or("-".into(), |one| word(&one.name));
    out += &format!(
        "  # A row for each value; also rate, replicas, cpu, memory.\n  # sweep:\n  # - {{load: {first}, clients: [1, 2, 4, 8]}}\n"
    );
    out += "  settle: {seconds: 10}\n  thresholds:\n  - {metric: requests.failedPercent, max: 1}\n";
    out += "  # - {metric: latency.p99Ms, max: 500}\n  # What the database does meanwhile, from PostgreSQL itself:\n";
    out += "  # database: {postgres: {urlFrom: {secretKeyRef: {name: NAME, key: url}}}}\n";
    out
}

fn target(one: &Found) -> String {
    let mut out = String::new();
    one.warnings().iter().for_each(|warning| out += &format!("  # {warning}.\n"));
    out += &format!("  - name: {}\n    workloadRef:\n", word(&one.name));
    if one.is_stateful_set {
        out += "      kind: StatefulSet\n";
    }
    out += &format!("      name: {}\n", word(&one.workload));
    if let Some(container) = one.container.as_ref().filter(|_| one.container_is_a_guess) {
        out += &format!("    container: {}\n", word(container));
    }
    if !one.managers.is_empty() {
        out += "    # whenManaged: Override\n";
    }
    out += "    # Take the comment sign away, and the test sets it and puts it back:\n";
    out += &format!("    # replicas: {}\n", one.replicas);
    for (unit, example) in [("cpu", "500m"), ("memory", "512Mi")] {
        let of = |kind: &str| one.resources.get(&format!("{kind}.{unit}"));
        let (request, limit) = (of("requests"), of("limits"));
        let size = limit.or(request).filter(|text| Quantity::parse(text).is_some()).map_or(example, String::as_str);
        let said = |what: Option<&String>| what.map_or("none", String::as_str).to_owned();
        out += &format!("    # {unit}: {size}    # now: request {}, limit {}\n", said(request), said(limit));
    }
    out
}

fn load(one: &Found) -> String {
    let Some(way) = &one.service else {
        return format!("  # No Service leads to {}: it is watched, and gets no requests of its own.\n", one.workload);
    };
    let scheme = if way.https { "https" } else { "http" };
    let mut out = format!(
        "  - name: {}\n    url: {scheme}://{}:{}\n    clients: 2            # each sends its next request when the last is answered\n    durationSeconds: 30\n    steps:\n    - name: get\n",
        word(&one.name),
        way.service,
        way.port
    );
    match &one.probe_path {
        Some(path) => {
            out += &format!("      path: {path:?}    # the readiness probe's; a path that does real work says more\n");
        }
        None => out += "      path: /             # a path that does real work says more\n",
    }
    if way.https {
        out += "    # tls: {insecureSkipVerify: true}    # for test clusters; else caFrom\n";
    }
    out
}

/// A name as YAML reads it as text.
fn word(name: &str) -> String {
    let odd = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&name);
    let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
    if letter && !odd { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::found::found;
    use super::*;
    use crate::api::WorkloadKind;
    use crate::plan::check_documents;

    fn deployment(name: &str, containers: &Value) -> Value {
        json!({"metadata": {"name": name}, "spec": {"replicas": 3, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}}})
    }

    fn service(name: &str, app: &str, ports: &Value) -> Value {
        json!({"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": ports}})
    }

    fn sized() -> Value {
        json!([{"name": "api", "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1", "memory": "256Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 80}}}])
    }

    #[test]
    fn it_is_valid_names_service_port_and_present_sizes_and_changes_nothing() {
        let services =
            [service("web", "api", &json!([{"port": 9090, "name": "metrics"}, {"port": 80, "name": "http"}]))];
        let api = found(WorkloadKind::Deployment, &deployment("api", &sized()), &services, vec![]);
        let worker =
            found(WorkloadKind::StatefulSet, &deployment("worker", &json!([{"name": "w"}])), &services, vec![]);
        let text = manifest("api", "shop", &[api, worker]);
        for words in [
            "url: http://web:80\n",
            "# cpu: 1    # now: request 250m, limit 1\n",
            "# memory: 256Mi    # now: request none, limit 256Mi\n",
            "# replicas: 3\n",
            "path: \"/ready\"",
            "kind: StatefulSet",
            "# No Service leads to worker",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
        let [checked] = &check_documents(&text)[..] else { panic!("one LoadTest:\n{text}") };
        let plan = checked.plan.as_ref().unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        assert_eq!((plan.spec.targets.len(), plan.spec.loads.len(), plan.sized().len()), (2, 1, 0));
        assert_eq!(plan.spec.loads[0].steps[0].path, "/ready");
    }

    #[test]
    fn with_the_comment_signs_taken_away_it_is_valid_still() {
        let services = [service("web", "api", &json!([{"port": 443}]))];
        let hpa = vec!["HorizontalPodAutoscaler api".to_owned()];
        let api = found(WorkloadKind::Deployment, &deployment("api", &sized()), &services, hpa);
        let text = manifest("api", "shop", &[api]);
        assert!(text.contains("  # HorizontalPodAutoscaler api also sets the size of api"), "{text}");
        let sizes = ["replicas:", "cpu:", "memory:", "whenManaged:", "sweep:", "- {load", "- {metric: latency", "tls:"];
        let open = |line: &str| match line.split_once("# ") {
            Some((indent, rest)) if indent.trim().is_empty() && sizes.iter().any(|size| rest.starts_with(size)) => {
                format!("{indent}{rest}")
            }
            _ => line.to_owned(),
        };
        let text: String = text.lines().map(|line| open(line) + "\n").collect();
        let plan = check_documents(&text).remove(0).plan.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        assert_eq!((plan.rows.len(), plan.sized().len()), (4, 1));
        assert!(plan.spec.loads[0].url.starts_with("https://web:443"), "{text}");
    }

    #[test]
    fn odd_names_are_made_into_names_that_a_target_may_have() {
        for name in [
            "123",
            "true",
            "a.b.c",
            "very-long-name-of-a-workload-that-goes-on-and-on",
            "cut-at-a-dash-of-its-own-here-xx-y",
            "on",
        ] {
            let services = [service("web", name, &json!([{"port": 80}]))];
            let containers = json!([{"name": "first"}, {"name": "second"}]);
            let one = found(WorkloadKind::Deployment, &deployment(name, &containers), &services, vec![]);
            assert!(one.warnings()[0].contains("first, the first, was taken"));
            let text = manifest("t", "shop", &[one]);
            let plan =
                check_documents(&text).remove(0).plan.unwrap_or_else(|errors| panic!("{name}: {errors:?}\n{text}"));
            assert_eq!(plan.spec.targets[0].workload_ref.name.0, name);
            assert_eq!(plan.spec.targets[0].container.as_deref(), Some("first"));
        }
    }
}
