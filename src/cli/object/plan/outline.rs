//! PURE: a plan in words: rows, time, load, and what is changed and put back.

use serde_json::Value;

use crate::api::{Action, Load, Target, When};
use crate::build::{Field, container_index, current, wanted};
use crate::cli::percentiles::out_of_reach;
use crate::lifecycle::PlanView;
use crate::plan::{Plan, PlannedRow, least_seconds, method};
use crate::results::figures::decimal::human;
use crate::results::figures::note::plural;

/// The text. `live`: the targets' workloads by the targets' names, where they were read.
pub fn outline(name: &str, plan: &Plan, live: &[(String, Value)]) -> String {
    let view = PlanView::of(plan, None);
    let mut out =
        format!("LoadTest {name}: {}, {}\n", plural(plan.rows.len() as u64, "row", "rows"), length(plan, &view));
    for row in &plan.rows {
        let set: Vec<String> = row.set.iter().map(|set| format!("{}={}", set.name, set.value)).collect();
        let set = if set.is_empty() { "-".into() } else { set.join("  ") };
        out += &format!("  row {:>2}  {set}  {}\n", row.number, loads(row));
    }
    out += &format!("peak: {}; {}\n", peak(plan), pods(&view));
    out += "changed, and put back in every ending:\n";
    let sized: Vec<&str> = plan.sized().iter().map(|target| target.name.0.as_str()).collect();
    for target in &plan.spec.targets {
        let workload = live.iter().find(|(name, _)| *name == target.name.0).map(|(_, workload)| workload);
        out += &if sized.contains(&target.name.0.as_str()) {
            changed(plan, target, workload)
        } else {
            format!("  {}: nothing, it is only watched\n", title(target))
        };
    }
    if plan.spec.targets.is_empty() {
        out += "  nothing: no target is named\n";
    }
    let notes: String = out_of_reach(plan).iter().map(|note| format!("note: {note}\n")).collect();
    out + &done_beside(plan) + &read(plan) + &notes
}

/// `3 min 20 s at least, 25 min at most`.
fn length(plan: &Plan, view: &PlanView) -> String {
    let settle = view.settle / 1000;
    let least: i64 = plan.rows.iter().map(|row| row.loads.iter().map(least_seconds).max().unwrap_or(0) + settle).sum();
    let drain = if view.drain { view.drain_timeout } else { 0 };
    let prepare = if view.sized > 0 { view.prepare } else { 0 };
    let rows = view.rows.iter().map(|row| row.worst_case.saturating_add(drain + view.settle + prepare));
    let most = rows.fold(view.evidence, i64::saturating_add).min(view.total) / 1000;
    let iterations = plan.rows.iter().flat_map(|row| &row.loads).any(|load| load.duration_seconds.is_none());
    let least = if iterations {
        format!("{} and what the answers take", time(least))
    } else {
        format!("{} at least", time(least))
    };
    format!("{least}, {} at most", time(most))
}

fn time(seconds: i64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

fn loads(row: &PlannedRow) -> String {
    let of = |load: &Load| {
        let how = match load.rate {
            Some(rate) => {
                format!("{} a second", human(f64::from(rate) / f64::from(load.per_seconds.unwrap_or(1).max(1))))
            }
            None => plural(u64::try_from(load.clients.unwrap_or(1)).unwrap_or(1), "client", "clients"),
        };
        let long = match load.duration_seconds {
            Some(_) => time(least_seconds(load)),
            None => {
                plural(u64::try_from(load.iterations.unwrap_or(1)).unwrap_or(1), "iteration each", "iterations each")
            }
        };
        format!("{}: {how}, {long}", load.name.0)
    };
    row.loads.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// The most that any row sends.
fn peak(plan: &Plan) -> String {
    let rate = |load: &Load| {
        let starts = f64::from(load.rate.unwrap_or(0)) / f64::from(load.per_seconds.unwrap_or(1).max(1));
        starts * load.steps.len().max(1) as f64
    };
    let clients = |load: &Load| if load.rate.is_some() { 0 } else { i64::from(load.clients.unwrap_or(1)) };
    let most_rate = plan.rows.iter().map(|row| row.loads.iter().map(rate).sum::<f64>()).fold(0.0, f64::max);
    let most_clients = plan.rows.iter().map(|row| row.loads.iter().map(clients).sum::<i64>()).max().unwrap_or(0);
    let mut parts = Vec::new();
    if most_rate > 0.0 {
        parts.push(format!("{} requests a second", human(most_rate)));
    }
    if most_clients > 0 {
        parts.push(format!(
            "{} that send as fast as they are answered",
            plural(most_clients.unsigned_abs(), "client", "clients")
        ));
    }
    parts.join(" and ")
}

fn pods(view: &PlanView) -> String {
    let generators = view.rows.iter().map(|row| row.generators).max().unwrap_or(1);
    let observer = if view.observer { " and the observer" } else { "" };
    format!("{}{observer}", plural(generators.into(), "generator pod", "generator pods"))
}

fn title(target: &Target) -> String {
    format!("{} {}", target.workload_ref.kind.as_str(), target.workload_ref.name.0)
}

/// Each field with what stands there now and what the rows want.
fn changed(plan: &Plan, target: &Target, workload: Option<&Value>) -> String {
    let rows: Vec<_> = plan.rows.iter().filter_map(|row| row.target(&target.name.0)).map(wanted).collect();
    let fields: Vec<Field> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let index = workload.and_then(|workload| container_index(workload, target.container.as_deref()));
    let now = workload.zip(index).map(|(workload, index)| current(workload, index, fields.iter()));
    let mut parts = Vec::new();
    for field in &fields {
        // Values of variables may say more than people want to see in a terminal that is shared.
        let shown = |value: Option<&Value>| match (field, value) {
            (_, None) => "none".to_owned(),
            (Field::Env(_), Some(_)) => "a value".to_owned(),
            (_, Some(Value::String(text))) => text.clone(),
            (_, Some(value)) => value.to_string(),
        };
        let mut values: Vec<String> = rows.iter().map(|row| shown(row.get(field).and_then(Option::as_ref))).collect();
        values.dedup();
        let now = now.as_ref().map_or("?".to_owned(), |now| shown(now.get(field).and_then(Option::as_ref)));
        parts.push(format!("{} {now} -> {}", String::from(field.clone()), values.join(", ")));
    }
    let done_to = plan.spec.actions.iter().filter(|action| action.target().is_some_and(|name| name.0 == target.name.0));
    parts.extend(done_to.map(done));
    format!("  {}: {}\n", title(target), parts.join("; "))
}

/// What actions do to something else than a target.
fn done_beside(plan: &Plan) -> String {
    let beside: Vec<_> = plan.spec.actions.iter().filter(|action| action.target().is_none()).collect();
    if beside.is_empty() {
        return String::new();
    }
    let lines: String = beside.into_iter().map(|action| format!("  {}\n", done(action))).collect();
    format!("done, and not put back:\n{lines}")
}

/// `scaled to 0 for 20 s, 10 s after the start of each row's load (action away)`. Without the query of a URL.
fn done(action: &Action) -> String {
    let what = match (&action.scale, &action.delete_pods, &action.job, &action.http) {
        (Some(scale), ..) => match action.for_seconds {
            Some(seconds) => format!("scaled to {} for {seconds} s", scale.replicas),
            None => format!("scaled to {}", scale.replicas),
        },
        (_, Some(delete), ..) => format!("{} deleted", plural(delete.count.unsigned_abs().into(), "pod", "pods")),
        (_, _, Some(job), _) => format!("a Job of CronJob {} is run", job.cron_job_ref.name.0),
        (.., Some(http)) => {
            let url = http.url.split(['?', '$']).next().unwrap_or_default();
            format!("a {} request is sent to {url}", method(http.method))
        }
        _ if action.sql.is_some() => "a statement is run in database.postgres".to_owned(),
        _ => "restarted".to_owned(),
    };
    let when = match (action.when, &action.every) {
        (When::BeforeRun, _) => "before the first row".to_owned(),
        (When::AfterLoad, _) => "when each row's load is over".to_owned(),
        (When::AfterRow, _) => "after each row".to_owned(),
        (When::AfterRun, _) => "after the run, in every ending".to_owned(),
        (When::BeforeRow, _) => "before each row".to_owned(),
        (When::DuringLoad, None) => {
            format!("{} s after the start of each row's load", action.after_seconds.unwrap_or(0))
        }
        (When::DuringLoad, Some(every)) => {
            format!("every {} to {} s while each row's load lasts", every.min_seconds, every.max_seconds)
        }
    };
    format!("{what}, {when} (action {})", action.name.0)
}

fn read(plan: &Plan) -> String {
    let mut out = String::new();
    if let Some(database) = &plan.spec.database {
        if database.postgres.is_some() {
            out += "read: PostgreSQL, each second, by the observer pod (its Secret is not looked at here)\n";
        }
        if let Some(rds) = &database.rds {
            let proxy = rds.proxy.as_ref().map_or_else(String::new, |proxy| format!(" and RDS proxy {proxy}"));
            out += &format!("read: CloudWatch about RDS instance {}{proxy}, by the operator\n", rds.instance);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(spec: Value) -> Plan {
        crate::plan::plan(&serde_json::from_value(spec).expect("a spec")).expect("a plan")
    }

    #[test]
    fn rows_time_peak_and_what_is_changed_are_said() {
        let plan = plan(json!({
            "loads": [{"name": "m", "url": "http://api/", "rate": 30, "perSeconds": 60, "durationSeconds": 60,
                "steps": [{"name": "a"}, {"name": "b"}]}],
            "targets": [{"name": "api", "workloadRef": {"name": "api"}, "cpu": "1", "env": [{"name": "KEY", "value": "sesame"}]},
                {"name": "db", "workloadRef": {"name": "db", "kind": "StatefulSet"}}],
            "sweep": [{"target": "api", "replicas": [1, 3]}], "settle": {"seconds": 5}}));
        let workload = json!({"metadata": {"name": "api"}, "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"name": "api", "resources": {"requests": {"cpu": "250m"}}}]}}}});
        let text = outline("shop/t", &plan, &[("api".into(), workload)]);
        for words in [
            "LoadTest shop/t: 2 rows, 2 min 10 s at least, ",
            "row  2  api.replicas=3  m: 0.5 a second, 1 min\n",
            "peak: 1 requests a second; 1 generator pod\n",
            "Deployment api: replicas 2 -> 1, 3; cpuRequest 250m -> 1; cpuLimit none -> 1; env.KEY none -> a value\n",
            "StatefulSet db: nothing, it is only watched\n",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
        assert!(!text.contains("sesame"), "{text}");
    }

    #[test]
    fn what_actions_do_to_a_target_is_said_though_it_gets_no_size() {
        let plan = plan(json!({
            "loads": [{"name": "m", "url": "http://api/", "rate": 1, "durationSeconds": 90}],
            "targets": [{"name": "db", "workloadRef": {"name": "db"}}, {"name": "api", "workloadRef": {"name": "api"}}],
            "actions": [
                {"name": "away", "when": "DuringLoad", "afterSeconds": 20, "forSeconds": 10, "scale": {"target": "db", "replicas": 0}},
                {"name": "fresh", "when": "BeforeRow", "restart": {"target": "api"}},
                {"name": "kill", "when": "DuringLoad", "every": {"minSeconds": 5, "maxSeconds": 9}, "deletePods": {"target": "api"}}]}));
        let text = outline("t", &plan, &[]);
        for words in [
            "Deployment db: scaled to 0 for 10 s, 20 s after the start of each row's load (action away)\n",
            "Deployment api: restarted, before each row (action fresh); 1 pod deleted, every 5 to 9 s while each row's load lasts (action kill)\n",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
    }

    #[test]
    fn what_actions_do_beside_the_targets_is_said_without_queries() {
        let plan = plan(json!({
            "loads": [{"name": "m", "url": "http://api/", "rate": 1, "durationSeconds": 90}],
            "database": {"postgres": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
            "actions": [
                {"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}},
                {"name": "cut", "when": "DuringLoad", "afterSeconds": 20, "sql": "select 1"},
                {"name": "tell", "when": "AfterRun", "http": {"url": "http://hook/in?key=sesame"}}]}));
        let text = outline("t", &plan, &[]);
        for words in [
            "done, and not put back:\n",
            "  a Job of CronJob reset is run, before each row (action reset)\n",
            "  a statement is run in database.postgres, 20 s after the start of each row's load (action cut)\n",
            "  a POST request is sent to http://hook/in, after the run, in every ending (action tell)\n",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
        assert!(!text.contains("sesame"), "{text}");
    }

    #[test]
    fn clients_that_go_through_iterations_take_as_long_as_the_answers() {
        let plan = plan(json!({"loads": [{"name": "m", "url": "http://api/", "clients": 4, "iterations": 10}]}));
        let text = outline("t", &plan, &[]);
        assert!(text.contains("and what the answers take") && text.contains("4 clients, 10 iterations each"), "{text}");
        assert!(text.contains("nothing: no target is named"), "{text}");
    }
}
