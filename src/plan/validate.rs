//! What the schema and its CEL rules cannot say about a spec; every error at once.

use super::action_rules;
use super::field_error::FieldError;
use super::hash::hash;
use super::inputs::{RunIdentity, generator_input, observer_input};
use super::journey_rules;
use super::metric_rules;
use super::pattern::pattern;
use super::places;
use super::plan::{Plan, PlannedRow};
use super::pod_fields;
use super::unfold::unfold;
use super::worst_case::least_seconds;
use crate::api::LoadTestSpec;

/// Checks `spec` and unfolds it.
///
/// # Errors
/// Every contradiction, in the order of the spec.
pub fn plan(spec: &LoadTestSpec) -> Result<Plan, Vec<FieldError>> {
    let mut errors = Vec::new();
    places::check(spec, &mut errors);
    for (i, load) in spec.loads.iter().enumerate() {
        let is_var = |name: &str| spec.vars.iter().any(|var| var.name == name);
        journey_rules::check(&format!("spec.loads[{i}]"), load, is_var, &mut errors);
    }
    regexes(spec, &mut errors);
    one_size_each(spec, &mut errors);
    let rows = unfold(spec);
    metric_rules::check(spec, rows.as_deref().unwrap_or_default(), &mut errors);
    sampled(spec, &mut errors);
    if let Some(pods) = &spec.pods {
        pod_fields::check(pods, &mut errors);
    }
    match rows {
        Err(sweep) => errors.extend(sweep),
        Ok(rows) => {
            rows.iter().for_each(|row| arrivals(row, &mut errors));
            rows.iter().for_each(|row| quantities(row, &mut errors));
            rows.iter().for_each(|row| action_rules::check(spec, row, &mut errors));
            total_time(spec, &rows, &mut errors);
            if errors.is_empty() {
                let plan = Plan { spec: spec.clone(), rows, hash: hash(spec) };
                return match too_large(&plan) {
                    None => Ok(plan),
                    Some(error) => Err(vec![error]),
                };
            }
        }
    }
    errors.dedup();
    Err(errors)
}

/// Most bytes of what an agent is given; a ConfigMap holds 1 MiB.
const MAX_INPUT_BYTES: usize = 900 * 1024;

fn too_large(plan: &Plan) -> Option<FieldError> {
    let run = RunIdentity { name: String::new(), start_ms: 0 };
    let generators = length(&generator_input(plan, plan.rows.first()?, &run));
    let observer = observer_input(plan, &run).map_or(0, |input| length(&input));
    let too_long = |bytes: usize, what: &str| {
        format!("{what} take {} KiB; at most {} KiB fit", bytes / 1024, MAX_INPUT_BYTES / 1024)
    };
    if generators > MAX_INPUT_BYTES {
        return Some(FieldError::new("spec.loads", too_long(generators, "headers, bodies and steps")));
    }
    let what = "URLs, headers and statements, with the values of swept variables,";
    (observer > MAX_INPUT_BYTES).then(|| FieldError::new("spec.measurements", too_long(observer, what)))
}

fn length(input: &impl serde::Serialize) -> usize {
    serde_json::to_vec(input).map_or(usize::MAX, |json| json.len())
}

/// Clients and rates, with the values of one row.
fn arrivals(row: &PlannedRow, errors: &mut Vec<FieldError>) {
    for (i, load) in row.loads.iter().enumerate() {
        let at = |field: &str| format!("spec.loads[{i}].{field}");
        let mut say = |path: String, message: String| {
            let error = FieldError::new(path, message);
            if !errors.contains(&error) {
                errors.push(error);
            }
        };
        if load.rate.is_some() && load.duration_seconds.is_none() {
            say(at("durationSeconds"), "rate needs durationSeconds".into());
        }
        if load.rate.is_some() && load.iterations.is_some() {
            say(at("iterations"), "iterations belong to clients, not to rate".into());
        }
        if load.rate.is_some() && load.clients.is_some() {
            say(
                at("clients"),
                "the sweep sets clients, but the load has a rate; set at most one of clients, rate".into(),
            );
        }
        let clients = load.clients.unwrap_or(1);
        if load.rate.is_none() && clients < load.generators {
            say(
                at("generators"),
                format!(
                    "{clients} clients can't be shared out among {} generators; write at most {clients}",
                    load.generators
                ),
            );
        }
        if load.max_in_flight.is_some_and(|most| most < load.generators) {
            let most = load.max_in_flight.unwrap_or_default();
            say(
                at("maxInFlight"),
                format!("{most} open requests can't be shared out among {} generators", load.generators),
            );
        }
        if load.rate.is_none() && (load.per_seconds.is_some() || load.max_in_flight.is_some()) {
            say(at("maxInFlight"), "perSeconds and maxInFlight need rate".into());
        }
    }
}

fn total_time(spec: &LoadTestSpec, rows: &[PlannedRow], errors: &mut Vec<FieldError>) {
    let settle = i64::from(spec.settle.clone().unwrap_or_default().seconds);
    let least: i64 = rows.iter().map(|row| row.loads.iter().map(least_seconds).max().unwrap_or(0) + settle).sum();
    let total = i64::from(spec.deadlines.clone().unwrap_or_default().total_seconds);
    if least > total {
        let message = format!("the {} rows take at least {least} s, but the whole run may take {total} s", rows.len());
        errors.push(FieldError::new("spec.deadlines.totalSeconds", message));
    }
}

/// What is asked for its value at an instant can't be a count of log lines.
fn sampled(spec: &LoadTestSpec, errors: &mut Vec<FieldError>) {
    let until = spec.settle.as_ref().and_then(|s| s.until.as_ref()).map(|u| &u.measurement);
    let check = spec.tasks_check.as_ref().map(|c| &c.measurement);
    for (i, http) in spec.measurements.iter().enumerate().filter_map(|(i, m)| Some((i, m.http.as_ref()?))) {
        if http.durations.is_some() && !http.json_pointer.is_empty() {
            let message = "durations says where the numbers are; write \"\" here";
            errors.push(FieldError::new(format!("spec.measurements[{i}].http.jsonPointer"), message));
        }
    }
    if until.is_none() && spec.settle.as_ref().is_some_and(|settle| settle.measure) {
        let message = "measure needs until: the measurement that says when the work is done";
        errors.push(FieldError::new("spec.settle.measure", message));
    }
    for (path, name) in [("spec.settle.until.measurement", until), ("spec.tasksCheck.measurement", check)] {
        let Some(name) = name else { continue };
        if spec.measurements.iter().any(|m| m.name.0 == name.0 && m.log.is_some()) {
            let message = format!("{} counts log lines; name a measurement with http or sql", name.0);
            errors.push(FieldError::new(path, message));
        }
        if spec.measurements.iter().any(|m| m.name.0 == name.0 && m.durations().is_some()) {
            let message = format!("{} measures durations when the row is over; name one that gives a number", name.0);
            errors.push(FieldError::new(path, message));
        }
    }
}

fn regexes(spec: &LoadTestSpec, errors: &mut Vec<FieldError>) {
    for (i, measurement) in spec.measurements.iter().enumerate() {
        let Some(log) = &measurement.log else { continue };
        if let Err(why) = pattern(&log.regex) {
            let message = format!("the regular expression does not compile: {why}");
            errors.push(FieldError::new(format!("spec.measurements[{i}].log.regex"), message));
        }
    }
}

/// Two targets that are one workload would each undo what the other keeps.
fn one_size_each(spec: &LoadTestSpec, errors: &mut Vec<FieldError>) {
    for (i, target) in spec.targets.iter().enumerate() {
        let same = |other: &&crate::api::Target| other.workload_ref == target.workload_ref;
        if let Some(first) = spec.targets[..i].iter().find(same) {
            let reference = &target.workload_ref;
            let message =
                format!("{} {} is target {} already", reference.kind.as_str(), reference.name.0, first.name.0);
            errors.push(FieldError::new(format!("spec.targets[{i}].workloadRef"), message));
        }
    }
}

fn quantities(row: &PlannedRow, errors: &mut Vec<FieldError>) {
    for (i, target) in row.targets.iter().enumerate() {
        for (field, value) in [
            ("cpu", target.cpu.as_ref().map(|q| q.0.to_string())),
            ("memory", target.memory.as_ref().map(|q| q.0.to_string())),
        ] {
            if value.is_some_and(|v| v.trim_end_matches(|c: char| c.is_alphabetic()).parse() == Ok(0.0)) {
                let message = "0 would leave the container without any; leave the field out to keep what is there";
                let error = FieldError::new(format!("spec.targets[{i}].{field}"), message);
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
        }
    }
}
