//! What a LoadTest may ask for at most: the operator's configuration says it, no manifest gets more.

use serde::Deserialize;

use crate::api::Load;
use crate::plan::{DEFAULT_MAX_IN_FLIGHT, FieldError, Flow, Plan, PlannedRow, least_seconds, load_input};

/// The limits of the configuration's file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// Requests in a second of the open loads of a row together.
    pub max_rate_per_second: f64,
    /// Clients of the closed loads of a row together: as many requests are open at once.
    pub max_clients: i32,
    /// Length of one test in seconds, with preparation and settling.
    pub max_duration_seconds: i64,
    /// Generator pods of a row, all loads together.
    pub max_generators: i32,
    /// Tests running at the same time in one namespace; the others wait.
    pub max_concurrent_tests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rate_per_second: 10_000.0,
            max_clients: 10_000,
            max_duration_seconds: 14_400,
            max_generators: 32,
            max_concurrent_tests: 2,
        }
    }
}

impl Limits {
    /// Where the plan asks for more: of each limit the first row that does.
    pub fn exceeded(&self, plan: &Plan) -> Vec<FieldError> {
        let rate = first_beyond(plan, self.max_rate_per_second, requests_per_second).map(|(row, rate)| {
            let most = format!("{} (limits.maxRatePerSecond)", self.max_rate_per_second);
            FieldError::new(
                "spec.loads",
                format!("row {row} sends {rate} requests a second; this operator allows {most}"),
            )
        });
        let clients = first_beyond(plan, f64::from(self.max_clients), clients).map(|(row, clients)| {
            let most = format!("{} (limits.maxClients)", self.max_clients);
            FieldError::new("spec.loads", format!("row {row} has {clients} clients; this operator allows {most}"))
        });
        let generators = first_beyond(plan, f64::from(self.max_generators), |load| load.generators.into());
        let generators = generators.map(|(row, generators)| {
            let most = format!("{} (limits.maxGenerators)", self.max_generators);
            FieldError::new(
                "spec.loads",
                format!("row {row} needs {generators} generators; this operator allows {most}"),
            )
        });
        let seconds: i64 = plan.rows.iter().map(least_row_seconds).sum();
        let length = (seconds > self.max_duration_seconds).then(|| {
            let most = format!("{} s for a whole test (limits.maxDurationSeconds)", self.max_duration_seconds);
            FieldError::new("spec", format!("the loads alone take {seconds} s; this operator allows {most}"))
        });
        [rate, clients, generators, length].into_iter().flatten().collect()
    }
}

/// The first row whose loads together have more than `most` of something, with how much.
fn first_beyond(plan: &Plan, most: f64, of: impl Fn(&Load) -> f64) -> Option<(i32, f64)> {
    let mut sums = plan.rows.iter().map(|row| (row.number, row.loads.iter().map(&of).sum::<f64>()));
    sums.find(|(_, sum)| *sum > most)
}

/// Requests in a second that an open load sends at most: each start goes through all of its steps. A closed load has no rate.
fn requests_per_second(load: &Load) -> f64 {
    let starts = f64::from(load.rate.unwrap_or(0)) / f64::from(load.per_seconds.unwrap_or(1).max(1));
    let input = load_input(load);
    let polls = input.steps.iter().filter_map(|step| step.until.as_ref()).map(|until| {
        // What is not done yet is asked again, by everyone who waits.
        let waiting = (starts * f64::from(until.timeout_seconds)).min(most_in_flight(load));
        waiting * 1000.0 / f64::from(until.interval_milliseconds.max(1))
    });
    let requests = Flow::new(&input.steps).requests();
    starts * requests as f64 + polls.sum::<f64>()
}

fn most_in_flight(load: &Load) -> f64 {
    load.max_in_flight.map_or_else(|| f64::from(DEFAULT_MAX_IN_FLIGHT), f64::from)
}

/// Clients of a closed load; an open load has none.
fn clients(load: &Load) -> f64 {
    if load.rate.is_some() { 0.0 } else { load.clients.unwrap_or(1).into() }
}

fn least_row_seconds(row: &PlannedRow) -> i64 {
    row.loads.iter().map(least_seconds).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What a manifest with this spec asks for beyond limits of 100 requests a second, 40 clients, 600 seconds and 4 generators.
    fn exceeded(spec: Value) -> String {
        let limits = "{maxRatePerSecond: 100, maxClients: 40, maxDurationSeconds: 600, maxGenerators: 4}";
        let limits: Limits = serde_saphyr::from_str(limits).unwrap();
        let plan = crate::plan::plan(&serde_json::from_value(spec).unwrap()).unwrap();
        limits.exceeded(&plan).iter().map(|error| format!("{error}\n")).collect()
    }

    fn load(name: &str, more: Value) -> Value {
        let mut load = json!({"name": name, "url": "http://web/"});
        load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        load
    }

    fn rate(name: &str, rate: i32, unit: i32, steps: usize) -> Value {
        let steps: Vec<_> = (0..steps).map(|i| json!({"name": format!("s{i}")})).collect();
        load(name, json!({"rate": rate, "perSeconds": unit, "durationSeconds": 60, "steps": steps}))
    }

    fn lasting(seconds: i32, warmup: i32) -> Value {
        load("a", json!({"durationSeconds": seconds, "warmupSeconds": warmup}))
    }

    fn from(name: &str, generators: i32) -> Value {
        load(name, json!({"clients": 20, "generators": generators}))
    }

    fn clients(name: &str, clients: i32) -> Value {
        load(name, json!({"clients": clients}))
    }

    /// For each limit, and each way of asking: what is just allowed, one more, and what is said of that.
    fn ways() -> Vec<(Value, Value, &'static str)> {
        let loads = |loads: Value| json!({"loads": loads});
        let swept = |load: Value, field: &str, values: [i32; 2]| json!({"loads": [load], "sweep": [{"load": "a", field: values}]});
        let again = |load: Value, times: i32| json!({"loads": [load], "repeats": times});
        let (r, c, d, g) =
            ("limits.maxRatePerSecond", "limits.maxClients", "limits.maxDurationSeconds", "limits.maxGenerators");
        vec![
            (loads(json!([rate("a", 100, 1, 0)])), loads(json!([rate("a", 101, 1, 0)])), r),
            (loads(json!([rate("a", 6000, 60, 1)])), loads(json!([rate("a", 6060, 60, 1)])), r),
            (loads(json!([rate("a", 50, 1, 2)])), loads(json!([rate("a", 51, 1, 2)])), r),
            (
                loads(json!([rate("a", 50, 1, 1), rate("b", 50, 1, 1)])),
                loads(json!([rate("a", 50, 1, 1), rate("b", 51, 1, 1)])),
                r,
            ),
            (swept(rate("a", 9, 1, 1), "rate", [9, 100]), swept(rate("a", 9, 1, 1), "rate", [9, 101]), r),
            (loads(json!([clients("a", 40)])), loads(json!([clients("a", 41)])), c),
            (loads(json!([clients("a", 20), clients("b", 20)])), loads(json!([clients("a", 20), clients("b", 21)])), c),
            (swept(clients("a", 1), "clients", [1, 40]), swept(clients("a", 1), "clients", [1, 41]), c),
            (
                loads(json!([clients("a", 39), load("b", json!({}))])),
                loads(json!([clients("a", 40), load("b", json!({}))])),
                c,
            ),
            (loads(json!([lasting(600, 0)])), loads(json!([lasting(600, 1)])), d),
            (again(lasting(300, 0), 2), again(lasting(300, 0), 3), d),
            (loads(json!([from("a", 4)])), loads(json!([from("a", 5)])), g),
            (loads(json!([from("a", 2), from("b", 2)])), loads(json!([from("a", 2), from("b", 3)])), g),
        ]
    }

    #[test]
    fn no_manifest_gets_more_than_a_limit_however_it_asks_and_the_limit_is_named() {
        for (at_the_limit, beyond, limit) in ways() {
            assert_eq!(exceeded(at_the_limit.clone()), "", "{at_the_limit}");
            let said = exceeded(beyond.clone());
            assert!(said.contains(limit) && said.lines().count() == 1, "{beyond}: {said:?}");
        }
    }

    #[test]
    fn each_limit_that_is_exceeded_is_said_with_how_much_was_asked_for() {
        let open = load("a", json!({"rate": 101, "durationSeconds": 601, "generators": 5}));
        let said = exceeded(json!({"loads": [open, clients("b", 41)]}));
        for words in ["101 requests", "41 clients", "6 generators", "601 s"] {
            assert!(said.contains(words), "{words} is missing in {said}");
        }
    }

    #[test]
    fn an_unknown_limit_is_refused() {
        let error = serde_saphyr::from_str::<Limits>("maxRate: 1").unwrap_err().to_string();
        assert!(error.contains("maxRate"), "{error}");
    }
}
