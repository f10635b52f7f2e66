//! Whether a metric that a threshold or a column names can be there in a test.

use std::sync::LazyLock;

use regex::Regex;

use super::field_error::FieldError;
use super::plan::PlannedRow;
use crate::api::{Column, Load, LoadTestSpec, rules};

static METRIC: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(rules::METRIC).ok());

/// What of a row is no figure and may stand in a column all the same.
const WORDS: [&str; 4] = ["run", "verdict", "reason", "observations"];

/// Checks what the schema can't say about the metrics of thresholds, and those of columns.
pub fn check(spec: &LoadTestSpec, rows: &[PlannedRow], errors: &mut Vec<FieldError>) {
    for (i, threshold) in spec.thresholds.iter().enumerate() {
        let problem = unnamed(spec, &threshold.metric).or_else(|| impossible(spec, &threshold.metric));
        errors.extend(problem.map(|why| FieldError::new(format!("spec.thresholds[{i}].metric"), why)));
    }
    for (i, column) in spec.columns.iter().enumerate() {
        let problem = column.metric.as_ref().and_then(|metric| not_shown(spec, rows, metric));
        errors.extend(problem.map(|why| FieldError::new(format!("spec.columns[{i}].metric"), why)));
        if spec.columns[..i].iter().any(|other: &Column| other.title == column.title) {
            let message = format!("there are two columns {:?}", column.title);
            errors.push(FieldError::new(format!("spec.columns[{i}].title"), message));
        }
    }
}

/// What is wrong with the name of a threshold's metric. The schema refuses it, too, but can't say which one it is.
fn unnamed(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    if !METRIC.as_ref().is_some_and(|known| known.is_match(metric)) {
        return Some(format!("unknown metric {metric}; kubectl explain loadtest.spec.thresholds.metric lists them"));
    }
    undefined(spec, metric).map(|why| format!("{metric}: {why}"))
}

/// Why no column can have this metric.
fn not_shown(spec: &LoadTestSpec, rows: &[PlannedRow], metric: &str) -> Option<String> {
    if WORDS.contains(&metric) {
        return None;
    }
    if let Some(name) = metric.strip_prefix("set.") {
        let set: Vec<&str> = rows.first().map(|row| row.set.iter().map(|one| one.name.as_str()).collect())?;
        let known = if set.is_empty() { "nothing".to_owned() } else { set.join(", ") };
        return (!set.contains(&name)).then(|| format!("the sweep does not set {name}; it sets {known}"));
    }
    if !METRIC.as_ref().is_some_and(|known| known.is_match(metric)) {
        let words = WORDS.join(", ");
        return Some(format!("unknown metric {metric}; write one as in thresholds, or {words}, or set.NAME.FIELD"));
    }
    undefined(spec, metric).or_else(|| impossible(spec, metric))
}

/// What a metric names and the spec doesn't have.
fn undefined(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    let (head, rest) = metric.split_once('.')?;
    let name = rest.split('.').next().unwrap_or_default();
    let (what, known) = match head {
        "loads" => ("load", spec.loads.iter().any(|load| load.name.0 == name)),
        "targets" => ("target", spec.targets.iter().any(|target| target.name.0 == name)),
        "measurements" => ("measurement", spec.measurements.iter().any(|one| one.name.0 == name)),
        "database" if spec.database.is_none() => return Some("a figure of the database needs spec.database".into()),
        _ => return None,
    };
    (!known).then(|| format!("there is no {what} {name}"))
}

/// Why there will never be such a figure.
fn impossible(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    if metric == "processedPerSecond" && spec.settle.as_ref().is_none_or(|settle| settle.until.is_none()) {
        return Some("processedPerSecond needs settle.until: it says when all tasks are worked off".into());
    }
    proxy(spec, metric).or_else(|| statistic(spec, metric)).or_else(|| recovery(spec, metric))
}

/// Figures of an RDS proxy are there only where one is named.
fn proxy(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    let rds = spec.database.as_ref().and_then(|database| database.rds.as_ref());
    let named = rds.is_some_and(|rds| rds.proxy.is_some());
    (metric.starts_with("database.proxy") && !named)
        .then(|| "a figure of an RDS proxy needs spec.database.rds.proxy, its name".into())
}

/// Durations have percentiles and no last value; numbers the other way round.
fn statistic(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    let (name, which) = metric.strip_prefix("measurements.")?.rsplit_once('.')?;
    let measurement = spec.measurements.iter().find(|one| one.name.0 == name)?;
    match (measurement.durations().is_some(), which) {
        (true, "last" | "settled") => {
            Some(format!("{name} measures durations, which have average, minimum, maximum, p50 and p95"))
        }
        (false, "p50" | "p95") => {
            Some(format!("{name} gives one number at a time; p50 and p95 are of a measurement with http.durations"))
        }
        _ => None,
    }
}

/// Only a schedule says what was due while nothing answered.
fn recovery(spec: &LoadTestSpec, metric: &str) -> Option<String> {
    let (of, metric) = match metric.strip_prefix("loads.").and_then(|rest| rest.split_once('.')) {
        Some((load, metric)) => (Some(load), metric),
        None => (None, metric),
    };
    let swept = |load: &Load| {
        spec.sweep.iter().any(|s| !s.rate.is_empty() && s.load.as_ref().is_some_and(|name| name.0 == load.name.0))
    };
    let mut judged = spec.loads.iter().filter(|load| of.is_none_or(|of| of == load.name.0));
    (metric.starts_with("recovery.") && !judged.any(|load| load.rate.is_some() || swept(load)))
        .then(|| "recovery is known of loads with a rate only, because only they say what was due".into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::plan::plan;

    fn errors(columns: Value) -> Vec<String> {
        let spec = json!({
            "loads": [{"name": "m", "url": "http://a/"}],
            "targets": [{"name": "api", "workloadRef": {"name": "api"}}],
            "measurements": [{"name": "n", "http": {"url": "http://a/", "jsonPointer": "/n"}}, {"name": "wait",
                "http": {"url": "http://a/", "jsonPointer": "", "durations": {"items": "", "from": "/a", "to": "/b"}}}],
            "sweep": [{"load": "m", "clients": [1, 2]}],
            "columns": columns});
        let spec = serde_json::from_value(spec).expect("a spec");
        plan(&spec).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_threshold_that_names_nothing_is_told_with_its_place_and_its_metric() {
        let spec = |metric: &str| {
            serde_json::from_value(json!({"loads": [{"name": "m", "url": "http://a/"}],
                "thresholds": [{"metric": "tasks", "min": 1}, {"metric": metric, "max": 1}]}))
            .expect("a spec")
        };
        for (metric, why) in [
            ("loads.x.latency.p99Ms", "loads.x.latency.p99Ms: there is no load x"),
            ("targets.api.restarts", "targets.api.restarts: there is no target api"),
            ("measurements.n.last", "measurements.n.last: there is no measurement n"),
            ("database.connections.maximum", "database.connections.maximum: a figure of the database needs"),
            ("latency.p98Ms", "unknown metric latency.p98Ms"),
        ] {
            let errors = plan(&spec(metric)).expect_err(metric);
            let said = errors[0].to_string();
            assert!(errors.len() == 1 && said.starts_with(&format!("spec.thresholds[1].metric: {why}")), "{errors:?}");
        }
    }

    #[test]
    fn a_column_names_a_figure_as_thresholds_do_or_what_else_a_row_has() {
        let metrics = [
            "run",
            "set.m.clients",
            "tasks",
            "loads.m.latency.p99Ms",
            "measurements.n.average",
            "measurements.wait.p95",
            "targets.api.restarts",
            "requests.failedPercent",
            "verdict",
            "reason",
            "observations",
        ];
        let columns: Vec<Value> = metrics.iter().map(|metric| json!({"title": metric, "metric": metric})).collect();
        assert_eq!(errors(columns.into()), Vec::<String>::new());
        assert_eq!(errors(json!([{"title": "Where", "text": "k8s"}])), Vec::<String>::new());
    }

    #[test]
    fn a_column_of_an_unknown_figure_is_refused_with_its_place() {
        for (metric, want) in [
            ("tasksPerMinute", "unknown metric tasksPerMinute; write one as in thresholds"),
            ("set.m.rate", "the sweep does not set m.rate; it sets m.clients"),
            ("loads.gone.tasks", "there is no load gone"),
            ("measurements.gone.last", "there is no measurement gone"),
            ("targets.gone.restarts", "there is no target gone"),
            ("database.connections.maximum", "a figure of the database needs spec.database"),
            ("database.proxyBorrowLatencyMs.average", "a figure of the database needs spec.database"),
            ("recovery.outages", "recovery is known of loads with a rate only"),
            ("measurements.n.p95", "n gives one number at a time"),
            ("measurements.wait.last", "wait measures durations, which have average"),
            ("processedPerSecond", "processedPerSecond needs settle.until"),
        ] {
            let got = errors(json!([{"title": "Run", "metric": "run"}, {"title": "X", "metric": metric}]));
            assert!(got.len() == 1 && got[0].starts_with(&format!("spec.columns[1].metric: {want}")), "{got:?}");
        }
        let twice = errors(json!([{"title": "Run", "metric": "run"}, {"title": "Run", "text": "x"}]));
        assert_eq!(twice, ["spec.columns[1].title: there are two columns \"Run\""]);
    }
}
