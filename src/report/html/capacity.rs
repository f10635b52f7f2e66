//! The capacity curve: rate and latency over the load that the sweep set.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::Results;
use super::chart::{Chart, Scale, Series, Style};
use crate::api::{LoadTestSpec, Row, RowVerdict};
use crate::results::judged::metric::{Worst, value};
use crate::results::judged::threshold::limit_value;
use crate::results::shown::summary::rate_figure;

/// One row of the sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub row: i32,
    /// What the sweep set along the axis.
    pub x: f64,
    /// What else it set; empty: nothing.
    pub others: String,
    pub rate: f64,
    /// It proves something.
    pub valid: bool,
}

/// Rows by what the sweep set.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Name of the setting along the axis.
    pub axis: String,
    /// As in [`rate_figure`].
    pub unit: &'static str,
    pub points: Vec<Point>,
}

/// The rows at one place of a curve that prove something: one, or its repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct Place<'a> {
    pub x: f64,
    pub others: &'a str,
    /// Median.
    pub rate: f64,
    pub least: f64,
    pub most: f64,
    /// Number of them.
    pub rows: usize,
}

impl<'a> Place<'a> {
    /// Of rows in the order of their rates.
    fn of(rows: &[&'a Point]) -> Option<Self> {
        let (first, last): (&Point, &Point) = (rows.first()?, rows.last()?);
        let middle = (rows[(rows.len() - 1) / 2].rate + rows[rows.len() / 2].rate) / 2.0;
        let (others, rows) = (rows[0].others.as_str(), rows.len());
        Some(Self { x: first.x, others, rate: middle, least: first.rate, most: last.rate, rows })
    }
}

impl Curve {
    /// The places, by what else was set and along the axis.
    pub fn places(&self) -> Vec<Place<'_>> {
        let mut valid: Vec<&Point> = self.points.iter().filter(|point| point.valid).collect();
        valid.sort_by(|a, b| a.others.cmp(&b.others).then(a.x.total_cmp(&b.x)).then(a.rate.total_cmp(&b.rate)));
        let same = |a: &&Point, b: &&Point| a.x == b.x && a.others == b.others;
        valid.chunk_by(same).filter_map(Place::of).collect()
    }
}

/// The curve of a test; `None`: no number was swept, or there are fewer than two rates.
pub fn curve(results: &Results) -> Option<Curve> {
    let rows: Vec<&Row> = results.plain_rows().collect();
    let (metric, unit) = rate_figure(rows.iter().copied());
    let axis = axis(&rows)?;
    let point = |row: &&Row| {
        let others = row.set.iter().filter(|set| set.name != axis).map(|set| format!("{} {}", set.name, set.value));
        Some(Point {
            row: row.row,
            x: setting(row, &axis)?,
            others: others.collect::<Vec<_>>().join(", "),
            rate: value(metric, row, Worst::Smallest).ok()?,
            valid: matches!(row.verdict, Some(RowVerdict::Passed | RowVerdict::Failed)),
        })
    };
    let points: Vec<Point> = rows.iter().filter_map(point).collect();
    (points.len() > 1).then_some(Curve { axis, unit, points })
}

/// Clients or a rate before a size; else the first setting that took several numbers.
fn axis(rows: &[&Row]) -> Option<String> {
    let names = rows.first()?.set.iter().map(|set| set.name.clone());
    let swept: Vec<String> = names
        .filter(|name| {
            let values: Vec<Option<f64>> = rows.iter().map(|row| setting(row, name)).collect();
            values.iter().all(Option::is_some) && values.iter().any(|value| *value != values[0])
        })
        .collect();
    swept.iter().find(|name| is_load(name)).or_else(|| swept.first()).cloned()
}

/// More of it is more load.
fn is_load(name: &str) -> bool {
    name.ends_with(".clients") || name.ends_with(".rate")
}

fn setting(row: &Row, name: &str) -> Option<f64> {
    row.set.iter().find(|set| set.name == name)?.value.parse().ok()
}

/// The two panels.
pub fn panels(results: &Results) -> Markup {
    let Some(curve) = curve(results) else {
        return html! { p.muted { "No curve: the sweep set no number, or there are fewer than two rates." } };
    };
    html! {
        div.charts {
            (rates(&curve).markup())
            (latencies(results, &curve).markup())
        }
    }
}

fn rates(curve: &Curve) -> Chart<'_> {
    let mut groups: BTreeMap<&str, Vec<(f64, Option<f64>)>> = BTreeMap::new();
    let mut ranges: BTreeMap<&str, Vec<(f64, f64, f64)>> = BTreeMap::new();
    for place in curve.places() {
        groups.entry(place.others).or_default().push((place.x, Some(place.rate)));
        if place.rows > 1 {
            ranges.entry(place.others).or_default().push((place.x, place.least, place.most));
        }
    }
    let repeated = !ranges.is_empty();
    let several = groups.len() > 1;
    // A chart of more lines could not be read; the table has all of them.
    let mut series: Vec<Series> = groups
        .into_iter()
        .take(4)
        .map(|(others, points)| {
            let name = if several { others } else { curve.unit };
            Series { ranges: ranges.remove(others).unwrap_or_default(), ..Series::new(name, points, Style::Dots) }
        })
        .collect();
    if let Some(ideal) = ideal(curve).filter(|_| !several) {
        series.push(Series::new("in step with the load", ideal, Style::Line));
    }
    let invalid: Vec<_> = curve.points.iter().filter(|p| !p.valid).map(|p| (p.x, Some(p.rate))).collect();
    if !invalid.is_empty() {
        series.push(Series::new("Invalid rows", invalid, Style::Rings));
    }
    let dots = if repeated { "median of the rows at a place, with their range" } else { "rate of each row" };
    let what = format!("Rate over {}: the {dots}; a ring is a row that proves nothing.", curve.axis);
    Chart::new("Rate over load", what, (&curve.axis, Scale::Linear), (curve.unit, Scale::Linear), series)
}

/// As many times the rate of the first point as its load, up to the highest rate that was seen.
fn ideal(curve: &Curve) -> Option<Vec<(f64, Option<f64>)>> {
    if !is_load(&curve.axis) {
        return None;
    }
    let places = curve.places();
    let first = places.iter().filter(|place| place.x > 0.0).min_by(|a, b| a.x.total_cmp(&b.x))?;
    let most = curve.points.iter().map(|p| p.rate).reduce(f64::max)? * 1.1;
    let last = curve.points.iter().map(|p| p.x).reduce(f64::max)?;
    let slope = first.rate / first.x;
    let end = if slope > 0.0 { last.min(most / slope) } else { last };
    (end > first.x).then(|| vec![(first.x, Some(first.rate)), (end, Some(slope * end))])
}

fn latencies<'a>(results: &Results, curve: &'a Curve) -> Chart<'a> {
    // Rows of other sizes are no repeats.
    let sizes = curve.points.iter().any(|point| point.others != curve.points[0].others);
    let of = |metric: &str, title: &str| {
        let mut seen: Vec<(f64, f64)> = results
            .plain_rows()
            .filter(|row| row.verdict != Some(RowVerdict::Invalid))
            .filter_map(|row| Some((setting(row, &curve.axis)?, value(metric, row, Worst::Largest).ok()?)))
            .collect();
        seen.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if sizes {
            let points = seen.into_iter().map(|(x, y)| (x, Some(y))).collect();
            return Series::new(title, points, Style::Dots);
        }
        of_places(title, &seen)
    };
    let all = [("latency.p50Ms", "p50"), ("latency.p99Ms", "p99"), ("latency.maxMs", "largest")];
    let mut series: Vec<Series> = all.into_iter().map(|(metric, title)| of(metric, title)).collect();
    if series[1].points.iter().any(|(_, y)| y.is_some()) {
        series.truncate(2);
    }
    series.retain(|series| series.points.iter().any(|(_, y)| y.is_some()));
    let limit = results.spec().and_then(|spec: LoadTestSpec| {
        let threshold = spec.thresholds.iter().find(|t| t.metric == "latency.p99Ms")?;
        limit_value(threshold.max.as_ref()?)
    });
    let xs = || curve.points.iter().map(|p| p.x);
    if let (Some(limit), Some(from), Some(to)) = (limit, xs().reduce(f64::min), xs().reduce(f64::max)) {
        let points = vec![(from, Some(limit)), (to, Some(limit))];
        series.push(Series::new("allowed p99", points, Style::Line));
    }
    let known = series.iter().flat_map(|s| s.points.iter().filter_map(|(_, y)| *y)).filter(|y| *y > 0.0);
    let (least, most) = (known.clone().fold(f64::MAX, f64::min), known.fold(0.0, f64::max));
    let scale = if most > least * 30.0 { Scale::Log } else { Scale::Linear };
    let what = "Response time of good answers, from the instant a request was due; of several loads the worst, of several rows median and range.";
    Chart::new("Latency over load", what, (&curve.axis, Scale::Linear), ("ms", scale), series)
}

/// A dot at the median of each place, with the range where there are several values. They are in the order of their places, then their own.
fn of_places(title: &str, seen: &[(f64, f64)]) -> Series {
    let places = || seen.chunk_by(|a, b| a.0 == b.0);
    let median = |place: &[(f64, f64)]| (place[(place.len() - 1) / 2].1 + place[place.len() / 2].1) / 2.0;
    let points = places().map(|place| (place[0].0, Some(median(place)))).collect();
    let several = places().filter(|place| place.len() > 1);
    let ranges = several.map(|place| (place[0].0, place[0].1, place[place.len() - 1].1)).collect();
    Series { ranges, ..Series::new(title, points, Style::Dots) }
}
