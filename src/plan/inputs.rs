//! From the plan to what the agents are given.

use std::collections::BTreeMap;

use super::generator_input::*;
use super::observer_input::*;
use super::plan::{Plan, PlannedRow};
use super::schedule::windows;
use super::step_input::{plain_get, step_input};
use crate::api::{BasicAuth, Header, Load, LoadTestSpec, Tls};

/// Identity of a run, as agents and variables know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// `$(run.id)`: `<test>-<5 of its uid>-<number>`.
    pub name: String,
    /// `$(run.start)`: milliseconds since the epoch.
    pub start_ms: i64,
}

/// In flight at most, where the spec doesn't say.
pub const DEFAULT_MAX_IN_FLIGHT: u32 = 1000;

/// Environment variable of an agent that holds the connection URL of PostgreSQL.
pub const POSTGRES_URL_ENV: &str = "LOADTEST_POSTGRES_URL";
/// Environment variable of an agent: the SHA-256 of its plan, in hexadecimal. A ConfigMap may be written by others; a Job may not be changed.
pub const PLAN_SHA256_ENV: &str = "LOADTEST_PLAN_SHA256";

/// Environment variable of an agent that holds `spec.vars[index]`, when it comes from a Secret.
pub fn var_env(index: usize) -> String {
    format!("LOADTEST_VAR_{index}")
}

/// File in an agent's pod with what a key of a ConfigMap holds: CA certificates, or what is uploaded.
pub fn ca_file(config_map: &str, key: &str) -> String {
    format!("/ca/{config_map}/{key}")
}

/// Directory in an agent's pod with the client certificate of that Secret.
pub fn client_certificate_directory(secret: &str) -> String {
    format!("/tls/{secret}")
}

/// What the generators of `row` are given.
pub fn generator_input(plan: &Plan, row: &PlannedRow, run: &RunIdentity) -> GeneratorInput {
    // Without a seed another run makes other choices.
    let seed = plan.spec.seed.map_or_else(|| crc32fast::hash(run.name.as_bytes()), unsigned);
    GeneratorInput {
        protocol: PROTOCOL_VERSION,
        run_id: run.name.clone(),
        run_start_ms: run.start_ms,
        row: row.number,
        loads: row
            .loads
            .iter()
            .map(|load| LoadInput { stops: stops(&plan.spec, &load.name.0), seed, ..load_input(load) })
            .collect(),
        vars: vars(&plan.spec, &row.variables),
        excused: windows(&plan.spec, row),
    }
}

/// What the observer is given; `None` when there is nothing to sample.
pub fn observer_input(plan: &Plan, run: &RunIdentity) -> Option<ObserverInput> {
    let spec = &plan.spec;
    let postgres = spec.database.as_ref().and_then(|d| d.postgres.as_ref()).map(|p| PostgresInput {
        url_env: POSTGRES_URL_ENV.into(),
        slow_query_milliseconds: unsigned(p.slow_query_milliseconds),
    });
    let measurements: Vec<_> = spec.measurements.iter().filter_map(measurement).collect();
    (postgres.is_some() || !measurements.is_empty()).then(|| ObserverInput {
        protocol: PROTOCOL_VERSION,
        run_id: run.name.clone(),
        run_start_ms: run.start_ms,
        postgres,
        measurements,
        until: spec.settle.as_ref().and_then(|settle| settle.until.clone()),
        vars: vars(spec, &BTreeMap::new()),
        swept: swept(plan),
    })
}

fn measurement(m: &crate::api::Measurement) -> Option<MeasurementInput> {
    let source = match (&m.http, &m.sql) {
        (Some(http), _) => MeasurementSource::Http {
            url: http.url.clone(),
            json_pointer: http.json_pointer.clone(),
            headers: headers(&http.headers),
            basic_auth: http.basic_auth.as_ref().map(basic_auth),
            tls: tls(http.tls.as_ref()),
            durations: http.durations.clone().map(Box::new),
        },
        (None, Some(sql)) => MeasurementSource::Sql { statement: sql.clone() },
        (None, None) => return None,
    };
    Some(MeasurementInput { name: m.name.0.clone(), interval_seconds: unsigned(m.interval_seconds), source })
}

/// What the sweep gives variables, by the rows' numbers.
fn swept(plan: &Plan) -> BTreeMap<i32, BTreeMap<String, String>> {
    let rows = plan.rows.iter().filter(|row| !row.variables.is_empty());
    rows.map(|row| (row.number, row.variables.clone())).collect()
}

/// The entries of vars; `swept` ones have the row's value.
pub(super) fn vars(spec: &LoadTestSpec, swept: &BTreeMap<String, String>) -> Vec<VarInput> {
    let source = |(index, var): (usize, &crate::api::Var)| VarInput {
        name: var.name.clone(),
        source: match swept.get(&var.name).or(var.value.as_ref()) {
            Some(value) => VarSourceInput::Value(value.clone()),
            None => VarSourceInput::Env(var_env(index)),
        },
    };
    spec.vars.iter().enumerate().map(source).collect()
}

/// One load, as its generators are given it, but for the thresholds that stop it and the seed.
pub fn load_input(load: &Load) -> LoadInput {
    let steps = match load.steps.as_slice() {
        [] => vec![plain_get()],
        steps => steps.iter().map(|step| step_input(step, steps)).collect(),
    };
    LoadInput {
        name: load.name.0.clone(),
        url: load.url.clone(),
        arrivals: arrivals(load),
        warmup_seconds: unsigned(load.warmup_seconds.unwrap_or(0)),
        start_after_seconds: unsigned(load.start_after_seconds.unwrap_or(0)),
        connection: load.connection.unwrap_or_default(),
        seed: 0,
        generators: unsigned(load.generators).max(1),
        headers: headers(&load.headers),
        basic_auth: load.basic_auth.as_ref().map(basic_auth),
        tls: tls(load.tls.as_ref()),
        steps,
        stops: Vec::new(),
    }
}

/// The thresholds that stop the load of that name.
fn stops(spec: &LoadTestSpec, load: &str) -> Vec<StopInput> {
    let of_load = |metric: &str| match metric.strip_prefix("loads.") {
        Some(rest) => rest.split_once('.').is_some_and(|(name, _)| name == load),
        None => true,
    };
    let stopping = spec.thresholds.iter().filter(|threshold| threshold.stop && of_load(&threshold.metric));
    let stop = |threshold: &crate::api::Threshold| {
        Some(StopInput { metric: threshold.metric.clone(), max: threshold.max.as_ref()?.0.to_string() })
    };
    stopping.filter_map(stop).collect()
}

fn arrivals(load: &Load) -> Arrivals {
    let clients = unsigned(load.clients.unwrap_or(1)).max(1);
    match (load.rate, load.duration_seconds) {
        (Some(rate), seconds) => Arrivals::Rate {
            count: unsigned(rate),
            per_seconds: unsigned(load.per_seconds.unwrap_or(1)).max(1),
            seconds: unsigned(seconds.unwrap_or(0)),
            max_in_flight: load.max_in_flight.map_or(DEFAULT_MAX_IN_FLIGHT, unsigned),
        },
        (None, Some(seconds)) => Arrivals::Seconds { clients, seconds: unsigned(seconds) },
        (None, None) => {
            Arrivals::Iterations { clients, iterations_per_client: unsigned(load.iterations.unwrap_or(1)).into() }
        }
    }
}

pub(super) fn headers(headers: &[Header]) -> Vec<HeaderInput> {
    headers.iter().map(|h| HeaderInput { name: h.name.clone(), value: h.value.clone() }).collect()
}

fn basic_auth(auth: &BasicAuth) -> BasicAuthInput {
    BasicAuthInput { username: auth.username.clone(), password: auth.password.clone() }
}

fn tls(tls: Option<&Tls>) -> TlsInput {
    let ca = tls.and_then(|t| t.ca_from.as_ref()).map(|ca| &ca.config_map_key_ref);
    TlsInput {
        insecure_skip_verify: tls.is_some_and(|t| t.insecure_skip_verify),
        ca_file: ca.map(|key| ca_file(&key.name.0, &key.key.0)),
        client_certificate: tls
            .and_then(|t| t.client_certificate_from.as_ref())
            .map(|from| client_certificate_directory(&from.secret_ref.name.0)),
    }
}

/// The schema allows no negative number here.
pub(super) fn unsigned(n: i32) -> u32 {
    u32::try_from(n).unwrap_or(0)
}
