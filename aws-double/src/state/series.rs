//! Series of points, and what may be wrong with them.

use serde::{Deserialize, Serialize};

/// What CloudWatch keeps of one minute: a statistic set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Point {
    /// Start of the minute, in seconds of the Unix epoch.
    pub start: i64,
    /// Smallest sample.
    pub minimum: f64,
    /// Largest sample.
    pub maximum: f64,
    /// Sum of the samples.
    pub sum: f64,
    /// Number of samples.
    pub count: f64,
}

impl Point {
    /// The point of a single sample, as RDS publishes most metrics.
    pub fn single(start: i64, value: f64) -> Self {
        Self { start, minimum: value, maximum: value, sum: value, count: 1.0 }
    }

    /// Both points as one, which starts at `start`.
    pub(crate) fn merged(self, other: Self, start: i64) -> Self {
        Self {
            start,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
            sum: self.sum + other.sum,
            count: self.count + other.count,
        }
    }

    /// The figure of a CloudWatch statistic; `None` for one that is not known.
    pub(crate) fn statistic(&self, name: &str) -> Option<f64> {
        Some(match name {
            "Average" => self.sum / self.count,
            "Minimum" => self.minimum,
            "Maximum" => self.maximum,
            "Sum" => self.sum,
            "SampleCount" => self.count,
            _ => return None,
        })
    }
}

/// `StatusCode` of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeriesStatus {
    /// All points there are.
    #[default]
    Complete,
    /// The service failed for this series; no points.
    InternalError,
    /// Only some of the points.
    PartialData,
    /// The caller may not read it; no points.
    Forbidden,
}

/// One metric of one instance, or of one proxy, in the namespace `AWS/RDS`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Series {
    /// `DBInstanceIdentifier`; empty where `proxy` is set.
    pub instance: String,
    /// `ProxyName`.
    pub proxy: Option<String>,
    /// Metric name, for example `CPUUtilization`.
    pub metric: String,
    /// Its points, in any order.
    pub points: Vec<Point>,
    /// Beside the points: this value in every minute that is asked for.
    pub constant: Option<f64>,
    /// `StatusCode` to answer on the last page.
    pub status: SeriesStatus,
    /// Leave out so many of the newest points asked for.
    pub missing_newest: usize,
    /// Do so for so many calls, then show them; for ever when not set.
    pub missing_newest_calls: Option<u32>,
    /// Leave out each nth point asked for (1: all).
    pub missing_every: Option<usize>,
    /// Answer no point, although there are some.
    pub empty: bool,
    /// Answer each nth point twice.
    pub duplicate_every: Option<usize>,
    /// `Messages` of this series: code and text.
    pub messages: Vec<(String, String)>,
}

impl Series {
    /// A series of single samples: start of the minute (Unix seconds) and value.
    pub fn of(instance: &str, metric: &str, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        Self {
            instance: instance.to_owned(),
            metric: metric.to_owned(),
            points: points.into_iter().map(|(start, value)| Point::single(start, value)).collect(),
            ..Self::default()
        }
    }

    /// The same of a proxy.
    pub fn of_proxy(proxy: &str, metric: &str, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..Self::of("", metric, points) }
    }

    /// Name and value of its dimension.
    pub(crate) fn dimension(&self) -> (&str, &str) {
        match &self.proxy {
            Some(proxy) => ("ProxyName", proxy),
            None => ("DBInstanceIdentifier", &self.instance),
        }
    }

    /// The points from `start` (inclusive) to `end` (exclusive), oldest first, one for each `period` seconds, of the
    /// minutes that end at `visible_until` or before; with what is wrong with this series applied. Counts the call.
    pub(crate) fn read(&mut self, start: i64, end: i64, period: i64, visible_until: Option<i64>) -> Vec<Point> {
        if self.empty || matches!(self.status, SeriesStatus::Forbidden | SeriesStatus::InternalError) {
            return Vec::new();
        }
        let visible = |point: &Point| visible_until.is_none_or(|until| point.start + 60 <= until);
        let inside = |point: &Point| (start..end).contains(&point.start);
        let made = self.constant.into_iter().flat_map(|value| {
            let first = start + (60 - start.rem_euclid(60)) % 60;
            (first..end).step_by(60).map(move |minute| Point::single(minute, value))
        });
        let mut all: Vec<Point> = self.points.iter().copied().chain(made).filter(inside).filter(visible).collect();
        all.sort_by_key(|point| point.start);
        let mut points = in_periods(&all, period);
        self.spoil(&mut points);
        points
    }

    fn spoil(&mut self, points: &mut Vec<Point>) {
        match self.missing_newest_calls {
            Some(0) => (),
            left => {
                points.truncate(points.len().saturating_sub(self.missing_newest));
                self.missing_newest_calls = left.map(|calls| calls - 1);
            }
        }
        let is_nth = |index: usize, every: Option<usize>| every.is_some_and(|n| n > 0 && (index + 1).is_multiple_of(n));
        let kept = points.iter().enumerate().filter(|(index, _)| !is_nth(*index, self.missing_every));
        let kept: Vec<Point> = kept.map(|(_, point)| *point).collect();
        *points = kept
            .iter()
            .enumerate()
            .flat_map(|(index, point)| vec![*point; if is_nth(index, self.duplicate_every) { 2 } else { 1 }])
            .collect();
    }
}

/// Points put together in periods that begin at multiples of `period` seconds; `points` are sorted.
fn in_periods(points: &[Point], period: i64) -> Vec<Point> {
    let mut periods: Vec<Point> = Vec::new();
    for point in points {
        let start = point.start - point.start.rem_euclid(period);
        match periods.last_mut() {
            Some(last) if last.start == start => *last = last.merged(*point, start),
            _ => periods.push(Point { start, ..*point }),
        }
    }
    periods
}

/// One Database Insights metric of an instance, perhaps of one value of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsightsSeries {
    /// `DbiResourceId`.
    pub resource_id: String,
    /// Metric with its aggregate, for example `db.load.avg`.
    pub metric: String,
    /// The dimension, for example (`db.wait_event.name`, `Lock:transactionid`); absent for the total.
    #[serde(default)]
    pub dimension: Option<(String, String)>,
    /// END of the period (Unix seconds) and value; a value of `None` is a point without data.
    pub points: Vec<(i64, Option<f64>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(points: &[Point]) -> Vec<i64> {
        points.iter().map(|point| point.start).collect()
    }

    fn five_minutes() -> Series {
        Series::of("db", "CPUUtilization", (0..5).map(|minute| (minute * 60, 1.0)))
    }

    #[test]
    fn the_end_is_exclusive_and_the_start_inclusive() {
        assert_eq!(starts(&five_minutes().read(60, 180, 60, None)), [60, 120]);
    }

    #[test]
    fn a_minute_is_visible_only_after_its_end() {
        assert_eq!(starts(&five_minutes().read(0, 300, 60, Some(179))), [0, 60]);
        assert_eq!(starts(&five_minutes().read(0, 300, 60, Some(180))), [0, 60, 120]);
    }

    #[test]
    fn newest_points_come_late_and_then_are_there() {
        let mut series = Series { missing_newest: 2, missing_newest_calls: Some(1), ..five_minutes() };
        assert_eq!(series.read(0, 300, 60, None).len(), 3);
        assert_eq!(series.read(0, 300, 60, None).len(), 5);
    }

    #[test]
    fn every_nth_point_is_missing_or_double() {
        let mut series = Series { missing_every: Some(2), ..five_minutes() };
        assert_eq!(starts(&series.read(0, 300, 60, None)), [0, 120, 240]);
        let mut series = Series { duplicate_every: Some(5), ..five_minutes() };
        assert_eq!(starts(&series.read(0, 300, 60, None)), [0, 60, 120, 180, 240, 240]);
    }

    #[test]
    fn a_longer_period_merges_the_statistics() {
        let mut series = Series::of("db", "CPUUtilization", [(0, 1.0), (60, 5.0), (120, 9.0)]);
        let points = series.read(0, 180, 120, None);
        assert_eq!(starts(&points), [0, 120]);
        assert_eq!(points[0].statistic("Average"), Some(3.0));
        assert_eq!(points[0].statistic("Maximum"), Some(5.0));
        assert_eq!(points[0].statistic("p99"), None);
    }
}
