//! The row that `kubectl get` shows.

use crate::api::{Row, RowVerdict, Summary};

use crate::results::figures::decimal::{decimal, human};
use crate::results::judged::metric::{Worst, value};

/// The figure by which rows are compared, and its unit: what the workers did where the rows were measured until the work was
/// done (settle.measure), else tasks that were taken in, else answered requests where tasks are not counted.
pub fn rate_figure<'a>(rows: impl IntoIterator<Item = &'a Row>) -> (&'static str, &'static str) {
    let (mut tasks, mut processed) = (false, false);
    for row in rows {
        tasks |= row.tasks_per_second.is_some();
        processed |= row.measured_until.is_some() && row.processed_per_second.is_some();
    }
    match (processed, tasks) {
        (true, _) => ("processedPerSecond", "tasks/s processed"),
        (_, true) => ("tasksPerSecond", "tasks/s"),
        _ => ("requests.perSecond", "req/s"),
    }
}

/// The row with the highest rate of those that prove something (Passed or Failed). `None`: there is none with a rate.
///
/// The rate is that of [`rate_figure`]; behind a full in-flight cap it is "at least".
pub fn summary(rows: &[Row]) -> Option<Summary> {
    let valid = rows.iter().filter(|r| matches!(r.verdict, Some(RowVerdict::Passed | RowVerdict::Failed)));
    let (metric, unit) = rate_figure(rows);
    let rated = valid.filter_map(|r| Some((r, value(metric, r, Worst::Smallest).ok()?)));
    // Of equal rates the first row.
    let (row, rate) = rated.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let figure = |metric| value(metric, row, Worst::Largest).ok().and_then(decimal);
    let least = if is_capped(row) { "at least " } else { "" };
    Some(Summary {
        row: Some(row.row),
        rate: Some(format!("{least}{} {unit}", human(rate))),
        p99_ms: figure("latency.p99Ms"),
        failed_percent: figure("requests.failedPercent"),
    })
}

/// maxInFlight was reached, so its rates are "at least".
pub fn is_capped(row: &Row) -> bool {
    value("requests.capped", row, Worst::Largest).is_ok_and(|n| n > 0.0)
}
