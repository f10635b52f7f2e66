//! The figure at a metric's path in a row, or why there is none.

use crate::api::{DatabaseFigure, DatabaseSource, Latency, LoadFigures, Row, Statistics};
use crate::results::figures::decimal::number;
use crate::results::figures::load_figures::SAMPLE_FLOOR;
use crate::results::figures::note::plural;

/// A figure needs so many of its points to be evidence, percent.
pub const LEAST_COVERAGE_PERCENT: i64 = 80;

/// Points of memory in the second half of a load that a slope takes at least.
pub const LEAST_MEMORY_POINTS: usize = 5;

/// The figures that come from CloudWatch, late and by the minute.
pub const CLOUDWATCH_FIGURES: [&str; 15] = [
    "instanceConnections",
    "cpuPercent",
    "freeableMemoryMiB",
    "swapMiB",
    "readLatencyMs",
    "writeLatencyMs",
    "readIops",
    "writeIops",
    "queueDepth",
    "dbLoad",
    "dbLoadCpu",
    "dbLoadNonCpu",
    "proxyBorrowLatencyMs",
    "proxyBorrowedConnections",
    "proxyClientConnections",
];

/// Which of several loads' figures is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worst {
    Largest,
    Smallest,
}

/// The figure at a metric's path in a row. Without `loads.NAME.` counts and rates are sums over the loads, and of
/// latencies the worst counts; one load without the figure makes it missing.
///
/// Errors: why there is no such figure, a sentence.
pub fn value(metric: &str, row: &Row, worst: Worst) -> Result<f64, String> {
    let (head, rest) = metric.split_once('.').unwrap_or((metric, ""));
    match head {
        "tasks" => known(row.tasks.map(|n| n.0 as f64)),
        "tasksPerSecond" => known(row.tasks_per_second.as_ref().and_then(number)),
        "tasksUnaccounted" => known(row.tasks_unaccounted.map(|n| n as f64)),
        "backlog" => known(row.backlog.map(|n| n.0 as f64)),
        "backlogSlopePerSecond" => known(row.backlog_slope_per_second.as_ref().and_then(number)),
        "processedPerSecond" => known(row.processed_per_second.as_ref().and_then(number)),
        "drainSeconds" => known(row.drain_seconds.as_ref().and_then(number)),
        "requests" | "latency" | "service" | "lateness" => over_loads(metric, &row.loads, worst),
        "recovery" => recoveries(rest, &row.loads, worst),
        "loads" => one_load(rest, row),
        "database" => database(rest, &row.database),
        "targets" => target(rest, row),
        "measurements" => measurement(rest, row),
        _ => Err("no such figure is known".into()),
    }
}

fn known(value: Option<f64>) -> Result<f64, String> {
    value.ok_or_else(|| "it is not available".into())
}

fn one_load(rest: &str, row: &Row) -> Result<f64, String> {
    let (name, metric) = rest.split_once('.').unwrap_or((rest, ""));
    let load = row.loads.iter().find(|l| l.name.0 == name);
    let few = load.and_then(|load| too_few(metric, load));
    known(load.and_then(|l| load_value(metric, l))).map_err(|why| few.unwrap_or(why))
}

fn over_loads(metric: &str, loads: &[LoadFigures], worst: Worst) -> Result<f64, String> {
    if metric == "requests.failedPercent" {
        let failed = over_loads("requests.failed", loads, worst)?;
        let sent = over_loads("requests.sent", loads, worst)?;
        return if sent > 0.0 { Ok(failed * 100.0 / sent) } else { Err("no request was sent".into()) };
    }
    let values: Option<Vec<f64>> = loads.iter().map(|l| load_value(metric, l)).collect();
    let values = values.filter(|v| !v.is_empty());
    let together = |values: Vec<f64>| match (metric.starts_with("requests."), worst) {
        (true, _) => values.iter().sum(),
        (false, Worst::Largest) => values.into_iter().fold(f64::MIN, f64::max),
        (false, Worst::Smallest) => values.into_iter().fold(f64::MAX, f64::min),
    };
    values.map(together).ok_or_else(|| match metric.split_once('.') {
        Some(("latency" | "service" | "lateness", p)) if p.starts_with('p') => {
            let few = loads.iter().find_map(|load| too_few(metric, load));
            few.unwrap_or_else(|| "too few requests for a percentile, or none was measured".into())
        }
        _ => "it is not available for every load".into(),
    })
}

/// How many answers a percentile of the load needs, where there were fewer: "ingest has 150 good answers, and 459 are needed".
fn too_few(metric: &str, load: &LoadFigures) -> Option<String> {
    let (head, percentile) = metric.split_once('.')?;
    let hundredths: f64 = percentile.strip_prefix('p')?.strip_suffix("Ms")?.parse().ok()?;
    let (_, floor) = SAMPLE_FLOOR.into_iter().find(|(quantile, _)| (quantile * 100.0 - hundredths).abs() < 0.5)?;
    let requests = load.requests.as_ref()?;
    let (known, one, many) = match head {
        "latency" | "service" => (requests.ok?, "good answer", "good answers"),
        "lateness" => (requests.sent?, "request", "requests"),
        _ => return None,
    };
    let known = u64::try_from(known.0).ok().filter(|known| *known < floor)?;
    Some(format!("{} has {}, and {floor} are needed", load.name.0, plural(known, one, many)))
}

fn load_value(metric: &str, load: &LoadFigures) -> Option<f64> {
    let (head, name) = metric.split_once('.').unwrap_or((metric, ""));
    match head {
        "tasks" => load.tasks.map(|n| n.0 as f64),
        "tasksPerSecond" => load.tasks_per_second.as_ref().and_then(number),
        "requests" => request(name, load),
        "recovery" => recovery(name, load),
        "latency" => latency(name, load.latency.as_ref()?),
        "service" => latency(name, load.service.as_ref()?),
        "lateness" => {
            let lateness = load.lateness.as_ref()?;
            let figure = match name {
                "p50Ms" => &lateness.p50_ms,
                "p99Ms" => &lateness.p99_ms,
                "maxMs" => &lateness.max_ms,
                _ => return None,
            };
            figure.as_ref().and_then(number)
        }
        _ => None,
    }
}

/// Of the loads that have a rate: the sum of their outages, and of times the worst.
fn recoveries(name: &str, loads: &[LoadFigures], worst: Worst) -> Result<f64, String> {
    let known: Vec<&LoadFigures> = loads.iter().filter(|load| load.recovery.is_some()).collect();
    let values: Option<Vec<f64>> = known.iter().map(|load| recovery(name, load)).collect();
    let values = values.filter(|values| !values.is_empty()).ok_or("it is not available for every load with a rate")?;
    Ok(match (name, worst) {
        ("outages", _) => values.iter().sum(),
        (_, Worst::Largest) => values.into_iter().fold(f64::MIN, f64::max),
        (_, Worst::Smallest) => values.into_iter().fold(f64::MAX, f64::min),
    })
}

fn recovery(name: &str, load: &LoadFigures) -> Option<f64> {
    let recovery = load.recovery.as_ref()?;
    match name {
        "outages" => Some(f64::from(recovery.outages)),
        "longestMs" => recovery.longest_ms.as_ref().and_then(number),
        "recoveryMs" => recovery.recovery_ms.as_ref().and_then(number),
        _ => None,
    }
}

fn request(name: &str, load: &LoadFigures) -> Option<f64> {
    let requests = load.requests.as_ref()?;
    let count = match name {
        "sent" => requests.sent,
        "ok" => requests.ok,
        "failed" => requests.failed,
        "excused" => requests.excused,
        "timedOut" => requests.timed_out,
        "late" => requests.late,
        "capped" => requests.capped,
        "failedPercent" => return requests.failed_percent.as_ref().and_then(number),
        "perSecond" => return requests.per_second.as_ref().and_then(number),
        _ => None,
    };
    count.map(|n| n.0 as f64)
}

fn latency(name: &str, latency: &Latency) -> Option<f64> {
    let figure = match name {
        "meanMs" => &latency.mean_ms,
        "p50Ms" => &latency.p50_ms,
        "p90Ms" => &latency.p90_ms,
        "p95Ms" => &latency.p95_ms,
        "p99Ms" => &latency.p99_ms,
        "maxMs" => &latency.max_ms,
        _ => return None,
    };
    figure.as_ref().and_then(number)
}

fn target(rest: &str, row: &Row) -> Result<f64, String> {
    let (name, figure) = rest.split_once('.').unwrap_or((rest, ""));
    let target = row.targets.iter().find(|t| t.name.0 == name);
    let value = target.and_then(|t| match figure {
        "restarts" => t.restarts.map(f64::from),
        "oomKills" => t.oom_kills.map(f64::from),
        "cpuMaxPercent" => t.cpu_max_percent.as_ref().and_then(number),
        "memoryMaxMiB" => t.memory_max_mib.as_ref().and_then(number),
        "memorySlopePercentPerMinute" => t.memory_slope_percent_per_minute.as_ref().and_then(number),
        "memoryMaxPercent" => t.memory_max_percent.as_ref().and_then(number),
        _ => None,
    });
    value.ok_or_else(|| match figure {
        // What a person does about it is another thing for each.
        "memorySlopePercentPerMinute" => {
            format!("fewer than {LEAST_MEMORY_POINTS} points in the load's second half, or none for a minute")
        }
        "memoryMaxMiB" => "the metrics API had no point for a minute".into(),
        _ => "it is not available".into(),
    })
}

fn measurement(rest: &str, row: &Row) -> Result<f64, String> {
    let (name, which) = rest.split_once('.').unwrap_or((rest, ""));
    let figure = row.measurements.iter().find(|m| m.name.0 == name);
    let figure = figure.ok_or("it was never measured")?;
    let percentile = match which {
        "p50" => &figure.p50,
        "p95" => &figure.p95,
        _ => return covered(which, &figure.statistics),
    };
    covered("maximum", &figure.statistics)?;
    percentile.as_ref().and_then(number).ok_or_else(|| "too few items for a percentile".into())
}

/// A figure of the database, `FIGURE.STAT`.
///
/// Errors: as for [`value`].
pub fn database(rest: &str, figures: &[DatabaseFigure]) -> Result<f64, String> {
    let (name, which) = rest.split_once('.').unwrap_or((rest, ""));
    let source = |f: &DatabaseFigure| (f.source == DatabaseSource::CloudWatch) == CLOUDWATCH_FIGURES.contains(&name);
    let figure = figures.iter().find(|f| f.name == name && source(f));
    covered(which, &figure.ok_or("the database gave no such figure")?.statistics)
}

/// The statistic, if it rests on enough points. What was read once the settle time was over rests on that reading.
fn covered(which: &str, statistics: &Statistics) -> Result<f64, String> {
    let (points, expected) = (statistics.points.unwrap_or(0), statistics.expected.unwrap_or(0));
    if which != "settled" && !enough(points, expected) {
        return Err(format!("it has {points} of {expected} points, and {LEAST_COVERAGE_PERCENT} % are needed"));
    }
    let figure = match which {
        "average" => &statistics.average,
        "minimum" => &statistics.minimum,
        "maximum" => &statistics.maximum,
        "last" => &statistics.last,
        "settled" => &statistics.settled,
        _ => return Err("no such statistic is known".into()),
    };
    known(figure.as_ref().and_then(number))
}

/// At least 80 % of the points, and at least one.
pub fn enough(points: i32, expected: i32) -> bool {
    points > 0 && i64::from(points) * 100 >= i64::from(expected) * LEAST_COVERAGE_PERCENT
}
