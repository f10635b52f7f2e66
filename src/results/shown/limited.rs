//! What gave out first, by rules over the figures that a row has, each with its evidence. A rule whose figure is missing says nothing.

use crate::api::{Load, LoadTestSpec, Row};
use crate::results::figures::decimal::{human, human_count, number};
use crate::results::judged::metric::{Worst, value};

/// From so much of a limit on it counts as used up, percent: a pod is throttled, and a pool refuses, before the mean says 100.
const USED_UP_PERCENT: f64 = 90.0;
/// The same of what has no peaks above it, connections and memory.
const FULL_PERCENT: f64 = 95.0;
/// From such a share of the active sessions on, what they wait for is what they do, percent.
const MOST_WAIT_PERCENT: f64 = 50.0;
/// Below so many active sessions on average their shares say little.
const FEWEST_SESSIONS: f64 = 1.0;
/// A backlog of such a share of a row's tasks is one that its workers did not keep up with, percent.
const LEFT_BEHIND_PERCENT: f64 = 10.0;

/// What is said where all load came from one client.
pub const ONE_CLIENT: &str = "one client";

/// What a row could not have more of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// A few words: `locks in the database`.
    pub what: String,
    /// The figures that say so, a clause.
    pub evidence: String,
}

/// All that had given out in a row, what explains the rest first; empty: no figure says so.
///
/// The order is that of cause: what stood at its limit makes what stands behind it wait. A generator that sent late measured itself, so it goes
/// before all; a single client, which only waits for its own answers, goes last.
pub fn gave_out(row: &Row, spec: Option<&LoadTestSpec>) -> Vec<Limit> {
    let mut found: Vec<Limit> = generator(row).into_iter().collect();
    found.extend(memory(row));
    found.extend(connections(row));
    found.extend(waits(row));
    found.extend(cpu(row));
    found.extend(workers(row));
    found.extend(cap(row));
    if found.is_empty() {
        found.extend(spec.and_then(|spec| one_client(row, spec)));
    }
    found
}

fn figure(row: &Row, metric: &str) -> Option<f64> {
    value(metric, row, Worst::Largest).ok()
}

fn limit(what: impl Into<String>, evidence: String) -> Limit {
    Limit { what: what.into(), evidence }
}

fn generator(row: &Row) -> Option<Limit> {
    if row.reason.as_deref() != Some("GeneratorSaturated") {
        return None;
    }
    let (late, sent) = (figure(row, "requests.late")?, figure(row, "requests.sent")?);
    let text = match late > sent {
        true => format!("{} requests were late or not sent, and {} were sent", human(late), human(sent)),
        false => format!("{} of {} requests were sent late", human(late), human(sent)),
    };
    Some(limit("the generator itself", text))
}

fn memory(row: &Row) -> impl Iterator<Item = Limit> {
    row.targets.iter().filter_map(|target| {
        let name = &target.name.0;
        let used = target.memory_max_percent.as_ref().and_then(number).filter(|percent| *percent >= FULL_PERCENT);
        match (target.oom_kills.filter(|kills| *kills > 0), used) {
            (Some(kills), _) => Some(limit(
                format!("memory of {name}"),
                format!("the kernel ended its containers {kills} times, out of memory"),
            )),
            (_, Some(percent)) => {
                Some(limit(format!("memory of {name}"), format!("{} % of its limit at most", human(percent))))
            }
            _ => None,
        }
    })
}

fn connections(row: &Row) -> Option<Limit> {
    let refused = figure(row, "database.refusedConnections.maximum").filter(|refused| *refused > 0.0);
    let used = figure(row, "database.connectionsPercent.maximum").filter(|percent| *percent >= FULL_PERCENT);
    let evidence = match (refused, used) {
        (Some(_), Some(percent)) => format!("{} % of them in use at most, and new ones refused", human(percent)),
        (Some(_), None) => "new ones were refused".into(),
        (None, Some(percent)) => format!("{} % of them in use at most", human(percent)),
        (None, None) => return None,
    };
    Some(limit("database connections", evidence))
}

/// What most of the database's active sessions waited for.
fn waits(row: &Row) -> Vec<Limit> {
    let busy = figure(row, "database.activeSessions.average").is_none_or(|sessions| sessions >= FEWEST_SESSIONS);
    let all = [
        ("lockWaitPercent", "locks in the database", "waited for a lock"),
        ("lwlockWaitPercent", "the database's own latches", "waited for a latch of PostgreSQL (LWLock)"),
        ("ioWaitPercent", "the database's disks", "waited for a disk"),
    ];
    let of = |(name, what, words): (&str, &str, &str)| {
        let share = figure(row, &format!("database.{name}.average")).filter(|share| *share >= MOST_WAIT_PERCENT)?;
        Some(limit(what, format!("{} % of the active sessions {words}, on average", human(share))))
    };
    all.into_iter().filter(|_| busy).filter_map(of).collect()
}

fn cpu(row: &Row) -> Vec<Limit> {
    let used_up = |percent: &f64| *percent >= USED_UP_PERCENT;
    let database = figure(row, "database.cpuPercent.maximum").filter(used_up);
    let mut found: Vec<Limit> = database
        .map(|percent| limit("CPU of the database", format!("{} % at most", human(percent))))
        .into_iter()
        .collect();
    found.extend(row.targets.iter().filter_map(|target| {
        let percent = target.cpu_max_percent.as_ref().and_then(number).filter(used_up)?;
        let evidence = format!("its busiest pod used {} % of its limit", human(percent));
        Some(limit(format!("CPU of {}", target.name.0), evidence))
    }));
    found
}

fn workers(row: &Row) -> Option<Limit> {
    let (backlog, tasks) = (row.backlog?.0, row.tasks?.0);
    let slope = row.backlog_slope_per_second.as_ref().and_then(number).filter(|slope| *slope > 0.0)?;
    #[allow(clippy::cast_precision_loss)] // counts
    let left = backlog as f64 * 100.0 >= tasks as f64 * LEFT_BEHIND_PERCENT && backlog > 0;
    let evidence = format!("their backlog grew by {} a second, to {}", human(slope), human_count(backlog));
    left.then(|| limit("the workers", evidence))
}

fn cap(row: &Row) -> Option<Limit> {
    let held = figure(row, "requests.capped").filter(|held| *held > 0.0)?;
    Some(limit(
        "what the application answers at a time",
        format!("{} due requests were held back by maxInFlight", human(held)),
    ))
}

/// All load came from one client, who waits for each answer.
fn one_client(row: &Row, spec: &LoadTestSpec) -> Option<Limit> {
    let clients = |load: &Load| {
        let swept = format!("{}.clients", load.name.0);
        let set = row.set.iter().find(|set| set.name == swept).map(|set| set.value.parse().unwrap_or(0));
        set.unwrap_or_else(|| load.clients.unwrap_or(1))
    };
    let [load] = spec.loads.as_slice() else { return None };
    let rated = load.rate.is_some() || row.set.iter().any(|set| set.name == format!("{}.rate", load.name.0));
    (!rated && clients(load) == 1)
        .then(|| limit(ONE_CLIENT, "it sends its next request when the last is answered".into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A good row with some of its parts replaced.
    fn row(parts: Value) -> Row {
        let mut row = json!({"row": 2, "verdict": "Passed", "reason": "ThresholdsMet", "tasks": 1000, "backlog": 0,
            "backlogSlopePerSecond": "0.1", "set": [{"name": "m.clients", "value": "4"}],
            "loads": [{"name": "m", "requests": {"sent": 1000, "late": 0, "capped": 0}}],
            "targets": [{"name": "api", "cpuMaxPercent": "55", "memoryMaxPercent": "40", "oomKills": 0}]});
        for (name, part) in parts.as_object().unwrap() {
            row[name] = part.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    /// Figures of the database, each with this average and maximum at all of ten points.
    fn database(figures: &[(&str, &str)]) -> Value {
        let of = |(name, seen): &(&str, &str)| {
            let source = if *name == "cpuPercent" { "CloudWatch" } else { "PostgreSQL" };
            json!({"name": name, "source": source, "average": seen, "maximum": seen, "points": 10, "expected": 10})
        };
        json!({"database": figures.iter().map(of).collect::<Vec<_>>()})
    }

    fn said(row: &Row) -> Vec<String> {
        gave_out(row, None).into_iter().map(|one| format!("{}: {}", one.what, one.evidence)).collect()
    }

    #[test]
    fn each_figure_at_its_limit_speaks_and_one_below_does_not() {
        let target = |figure: &str, value: Value| json!({"targets": [{"name": "api", figure: value}]});
        let sent =
            |late: i32, capped: i32| json!({"name": "m", "requests": {"sent": 1000, "late": late, "capped": capped}});
        let table = [
            (database(&[("connectionsPercent", "95")]), "database connections: 95 % of them in use at most"),
            (database(&[("refusedConnections", "1")]), "database connections: new ones were refused"),
            (
                database(&[("lockWaitPercent", "64"), ("activeSessions", "5")]),
                "locks in the database: 64 % of the active sessions waited for a lock, on average",
            ),
            (
                database(&[("lwlockWaitPercent", "50")]),
                "the database's own latches: 50 % of the active sessions waited for a latch of PostgreSQL (LWLock), on average",
            ),
            (
                database(&[("ioWaitPercent", "70")]),
                "the database's disks: 70 % of the active sessions waited for a disk, on average",
            ),
            (database(&[("cpuPercent", "97")]), "CPU of the database: 97 % at most"),
            (target("cpuMaxPercent", json!("99.2")), "CPU of api: its busiest pod used 99.2 % of its limit"),
            (target("memoryMaxPercent", json!("96")), "memory of api: 96 % of its limit at most"),
            (target("oomKills", json!(2)), "memory of api: the kernel ended its containers 2 times, out of memory"),
            (
                json!({"backlog": 100, "backlogSlopePerSecond": "3.5"}),
                "the workers: their backlog grew by 3.5 a second, to 100",
            ),
            (
                json!({"loads": [sent(0, 12)]}),
                "what the application answers at a time: 12 due requests were held back by maxInFlight",
            ),
            (
                json!({"loads": [sent(300, 0)], "verdict": "Invalid", "reason": "GeneratorSaturated"}),
                "the generator itself: 300 of 1,000 requests were sent late",
            ),
        ];
        for (parts, wanted) in table {
            assert_eq!(said(&row(parts)), [wanted]);
        }
        let mut few = database(&[("lockWaitPercent", "90")]);
        few["database"][0]["points"] = json!(7);
        let quiet = [
            json!({}),
            few,
            database(&[
                ("connectionsPercent", "94.9"),
                ("refusedConnections", "0"),
                ("lockWaitPercent", "49"),
                ("cpuPercent", "89"),
            ]),
            database(&[("lockWaitPercent", "100"), ("activeSessions", "0.4")]),
            target("cpuMaxPercent", json!("89")),
            json!({"backlog": 99, "backlogSlopePerSecond": "3.5"}),
            json!({"backlog": 500, "backlogSlopePerSecond": "-3.5"}),
            json!({"loads": [sent(9, 0)]}),
        ];
        for parts in quiet {
            assert_eq!(said(&row(parts)), Vec::<String>::new());
        }
    }

    #[test]
    fn what_makes_the_others_wait_goes_first() {
        let mut parts = database(&[("connectionsPercent", "100"), ("lockWaitPercent", "80")]);
        parts["targets"] = json!([{"name": "api", "cpuMaxPercent": "99"}]);
        parts["backlog"] = json!(900);
        let whats: Vec<String> = gave_out(&row(parts), None).into_iter().map(|one| one.what).collect();
        assert_eq!(whats, ["database connections", "locks in the database", "CPU of api", "the workers"]);
    }

    #[test]
    fn a_single_client_is_the_limit_only_where_nothing_else_is() {
        let spec = |load: Value| serde_json::from_value::<LoadTestSpec>(json!({"loads": [load]})).unwrap();
        let one = spec(json!({"name": "m", "url": "http://api"}));
        let said = |parts: Value, spec: &LoadTestSpec| {
            gave_out(&row(parts), Some(spec)).into_iter().map(|l| l.what).collect::<Vec<_>>()
        };
        let by_one = json!({"set": [{"name": "m.clients", "value": "1"}]});
        assert_eq!(said(by_one.clone(), &one), ["one client"]);
        assert_eq!(said(json!({"set": []}), &one), ["one client"]);
        assert_eq!(said(json!({}), &one), Vec::<String>::new(), "four clients");
        assert_eq!(
            said(json!({"set": []}), &spec(json!({"name": "m", "url": "http://api", "rate": 5, "durationSeconds": 9}))),
            Vec::<String>::new()
        );
        let mut locked = database(&[("lockWaitPercent", "80")]);
        locked["set"] = by_one["set"].clone();
        assert_eq!(said(locked, &one), ["locks in the database"]);
    }
}
