//! PURE: percentiles that thresholds ask for and that a plan can't give, because it sends too few requests.

use crate::api::Load;
use crate::plan::{Plan, PlannedRow};
use crate::results::figures::decimal::human_count;
use crate::results::figures::load_figures::SAMPLE_FLOOR;
use crate::results::figures::note::plural;

/// A sentence for each threshold on a percentile that needs more requests than a row makes due; empty: none does.
pub fn out_of_reach(plan: &Plan) -> Vec<String> {
    let mut out = Vec::new();
    for (i, threshold) in plan.spec.thresholds.iter().enumerate() {
        let Some((name, floor)) = percentile(&threshold.metric) else { continue };
        let few = |row: &PlannedRow| {
            let judged = row.loads.iter().filter(|load| name.is_none_or(|name| load.name.0 == name));
            let known = judged.filter_map(|load| Some((load.name.0.clone(), most_requests(load)?)));
            known.min_by_key(|(_, most)| *most).filter(|(_, most)| *most < floor).map(|found| (row.number, found))
        };
        let Some((row, (load, most))) = plan.rows.iter().find_map(few) else { continue };
        let ending =
            if threshold.optional { "it will be skipped" } else { "the row will be Invalid (EvidenceMissing)" };
        out.push(format!(
            "spec.thresholds[{i}]: {} needs {} good answers, and {load} has {} in row {row}: {ending}; send longer or more",
            threshold.metric,
            human_count(floor as i64),
            plural(most, "request", "requests"),
        ));
    }
    out
}

/// The load of a metric that is a percentile (`None`: all), and how many samples it needs.
fn percentile(metric: &str) -> Option<(Option<&str>, u64)> {
    let (name, figure) = match metric.strip_prefix("loads.") {
        Some(rest) => rest.split_once('.').map(|(name, figure)| (Some(name), figure))?,
        None => (None, metric),
    };
    let (of, statistic) = figure.split_once('.')?;
    let hundredths: f64 = statistic.strip_prefix('p')?.strip_suffix("Ms")?.parse().ok()?;
    let floor = SAMPLE_FLOOR.into_iter().find(|(quantile, _)| (quantile * 100.0 - hundredths).abs() < 0.5)?.1;
    ["latency", "service"].contains(&of).then_some((name, floor))
}

/// Requests that a load makes due at most. `None`: nobody knows, because its clients send as fast as they are answered, or a step
/// is sent as often as an answer says.
fn most_requests(load: &Load) -> Option<u64> {
    if load.steps.iter().any(|step| step.repeat.is_some() || step.repeat_from.is_some() || step.until.is_some()) {
        return None;
    }
    let unsigned = |n: i32| u64::try_from(n).unwrap_or(0);
    let starts = match (load.rate, load.duration_seconds) {
        (Some(rate), Some(seconds)) => {
            (unsigned(rate) * unsigned(seconds)).div_ceil(unsigned(load.per_seconds.unwrap_or(1)).max(1))
        }
        (None, None) => unsigned(load.clients.unwrap_or(1)) * unsigned(load.iterations.unwrap_or(1)),
        _ => return None,
    };
    Some(starts * load.steps.len().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(load: Value, threshold: Value) -> Vec<String> {
        let mut all = json!({"name": "m", "url": "http://a/"});
        all.as_object_mut().expect("an object").extend(load.as_object().expect("an object").clone());
        let spec = json!({"loads": [all], "thresholds": [{"metric": "tasks", "min": 0}, threshold]});
        out_of_reach(&crate::plan::plan(&serde_json::from_value(spec).expect("a spec")).expect("a plan"))
    }

    #[test]
    fn a_percentile_that_needs_more_requests_than_are_sent_is_said_before_it_is_missed() {
        let p99 = || json!({"metric": "latency.p99Ms", "max": 100});
        let few = said(json!({"rate": 30, "durationSeconds": 5}), p99());
        assert_eq!(
            few,
            [
                "spec.thresholds[1]: latency.p99Ms needs 459 good answers, and m has 150 requests in row 1: the row will be \
             Invalid (EvidenceMissing); send longer or more"
            ]
        );
        assert!(said(json!({"clients": 5, "iterations": 20}), p99())[0].contains("m has 100 requests"));
        let optional = json!({"metric": "loads.m.service.p95Ms", "max": 100, "optional": true});
        assert!(said(json!({"rate": 1, "durationSeconds": 5}), optional)[0].contains("it will be skipped"));
    }

    #[test]
    fn enough_requests_and_those_that_nobody_can_count_are_not_spoken_of() {
        let p99 = || json!({"metric": "latency.p99Ms", "max": 100});
        for load in [
            json!({"rate": 92, "durationSeconds": 5}),
            json!({"clients": 1, "durationSeconds": 5}),
            json!({"rate": 230, "durationSeconds": 1, "steps": [{"name": "a"}, {"name": "b"}]}),
        ] {
            assert!(said(load, p99()).is_empty());
        }
        let most = json!({"metric": "latency.maxMs", "max": 1});
        assert!(said(json!({"rate": 1, "durationSeconds": 5}), most).is_empty());
    }
}
