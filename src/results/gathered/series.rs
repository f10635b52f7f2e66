//! Minute points (CloudWatch): which window can carry them, and what they say over it.

use std::collections::BTreeMap;

use crate::api::{DatabaseFigure, DatabaseSource, Statistics};

use crate::results::figures::decimal::decimal;

/// Length of a CloudWatch period here, milliseconds.
pub const MINUTE_MS: i64 = 60_000;

/// One figure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Where the points are from: CloudWatch, or Database Insights.
    pub source: DatabaseSource,
    /// Name in the API: `cpuPercent`, `freeableMemoryMiB`, …; the points are in its unit.
    pub figure: String,
    /// In any order; of several for one minute the last counts.
    pub points: Vec<Point>,
    /// Why points are missing, a sentence without secrets.
    pub problem: Option<String>,
}

/// One minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Beginning of the minute, milliseconds since the epoch (CloudWatch's timestamps are the start of the period).
    pub start_ms: i64,
    /// Mean of the minute.
    pub average: f64,
    /// Largest of the minute.
    pub maximum: f64,
}

/// The whole minutes inside a window, as numbers of minutes since the epoch; never rounded outwards.
fn whole_minutes(start_ms: i64, end_ms: i64) -> std::ops::Range<i64> {
    let first = start_ms.div_euclid(MINUTE_MS) + i64::from(start_ms.rem_euclid(MINUTE_MS) != 0);
    first..end_ms.div_euclid(MINUTE_MS).max(first)
}

/// How many whole minutes a window (milliseconds since the epoch) holds.
pub fn minutes(start_ms: i64, end_ms: i64) -> i64 {
    let range = whole_minutes(start_ms, end_ms);
    range.end - range.start
}

/// True when a row of this window can speak for itself in CloudWatch: it holds at least two whole minutes.
pub fn carries(start_ms: i64, end_ms: i64) -> bool {
    minutes(start_ms, end_ms) >= 2
}

impl Series {
    /// A figure of CloudWatch.
    pub fn of_cloudwatch(figure: &str, points: Vec<Point>, problem: Option<String>) -> Self {
        Self { source: DatabaseSource::CloudWatch, figure: figure.to_owned(), points, problem }
    }

    /// The figure over the whole minutes inside `[start_ms, end_ms]`; `settled` is the last whole minute between
    /// `end_ms` and `settled_ms`.
    ///
    /// `minimum` is the smallest mean of a minute, since no smaller period is asked for. Without any point there are
    /// only `points: 0` and `expected`.
    pub fn over(&self, start_ms: i64, end_ms: i64, settled_ms: Option<i64>) -> DatabaseFigure {
        let by_minute: BTreeMap<i64, &Point> = self
            .points
            .iter()
            .filter(|p| p.average.is_finite() && p.maximum.is_finite())
            .filter(|p| p.start_ms.rem_euclid(MINUTE_MS) == 0)
            .map(|p| (p.start_ms.div_euclid(MINUTE_MS), p))
            .collect();
        let window = whole_minutes(start_ms, end_ms);
        let inside: Vec<&Point> = by_minute.range(window.clone()).map(|(_, p)| *p).collect();
        let count = inside.len();
        let mean = inside.iter().map(|p| p.average).sum::<f64>() / count as f64;
        let last = by_minute.get(&(window.end - 1)).filter(|_| !window.is_empty());
        let settled = settled_ms.and_then(|at| {
            let after = whole_minutes(end_ms, at);
            by_minute.get(&(after.end - 1)).filter(|_| !after.is_empty())
        });
        let statistics = Statistics {
            average: decimal(mean),
            minimum: inside.iter().map(|p| p.average).reduce(f64::min).and_then(decimal),
            maximum: inside.iter().map(|p| p.maximum).reduce(f64::max).and_then(decimal),
            last: last.and_then(|p| decimal(p.average)),
            settled: settled.and_then(|p| decimal(p.average)),
            points: Some(count as i32),
            expected: Some((window.end - window.start).min(10_000_000) as i32),
        };
        DatabaseFigure { name: self.figure.clone(), source: self.source, statistics }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: i64 = MINUTE_MS;

    fn series(points: &[(i64, f64)]) -> Series {
        let points = points.iter().map(|&(m, v)| Point { start_ms: m, average: v, maximum: v + 1.0 }).collect();
        Series::of_cloudwatch("cpuPercent", points, None)
    }

    #[test]
    fn only_whole_minutes_inside_count() {
        assert_eq!(minutes(0, 2 * M), 2);
        assert_eq!(minutes(1, 2 * M), 1);
        assert_eq!(minutes(1, 2 * M - 1), 0);
        assert_eq!(minutes(5 * M + 1, 5 * M + 2), 0);
        assert!(carries(1, 3 * M) && !carries(1, 3 * M - 1));
        let figure = series(&[(0, 99.0), (M, 10.0), (2 * M, 20.0), (3 * M, 99.0)]).over(M - 1, 3 * M + 1, None);
        assert_eq!(figure.statistics.average, decimal(15.0));
        assert_eq!(figure.statistics.maximum, decimal(21.0));
        assert_eq!((figure.statistics.points, figure.statistics.expected), (Some(2), Some(2)));
    }

    #[test]
    fn of_duplicate_points_the_last_counts_once() {
        let figure = series(&[(0, 1.0), (0, 3.0), (M, 5.0)]).over(0, 2 * M, None);
        assert_eq!(figure.statistics.average, decimal(4.0));
        assert_eq!(figure.statistics.points, Some(2));
    }

    #[test]
    fn a_missing_point_is_not_zero() {
        let figure = series(&[]).over(0, 5 * M, Some(8 * M));
        assert_eq!(figure.statistics, Statistics { points: Some(0), expected: Some(5), ..Statistics::default() });
        let gap = series(&[(0, 10.0), (M, f64::NAN)]).over(0, 2 * M, None);
        assert_eq!((gap.statistics.average.clone(), gap.statistics.points), (decimal(10.0), Some(1)));
        assert_eq!(gap.statistics.last, None, "the last minute is missing, an earlier one is not the end of the load");
    }

    #[test]
    fn settled_is_the_last_whole_minute_after_the_load() {
        let points = series(&[(0, 1.0), (M, 2.0), (2 * M, 3.0), (3 * M, 4.0)]);
        assert_eq!(points.over(0, 2 * M, Some(4 * M)).statistics.settled, decimal(4.0));
        assert_eq!(points.over(0, 2 * M, Some(2 * M + 30_000)).statistics.settled, None);
    }
}
