//! A row over time, and its latencies by percentile: small charts on one time axis.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::acts;
use super::chart::{Chart, Scale, Series, Style};
use crate::api::{Instant, Row};
use crate::results::figures::decimal::{human, number};
use crate::results::gathered::histogram::{Micros, decode};
use crate::results::gathered::record::{Bucket, Timeline};
use crate::results::shown::course::Course;
use crate::results::shown::detail::{LoadDetail, RowDetail};

/// Most points of a line.
const MOST_POINTS: i64 = 90;
const TIME: (&str, Scale) = ("seconds since the first request was due", Scale::Linear);

type Points = Vec<(f64, Option<f64>)>;

/// The charts of a row; `explained`: with the sentences that say what each shows.
pub fn charts(detail: &RowDetail, connection_limit: Option<i32>, explained: bool) -> Markup {
    let requests = Requests::of(detail);
    let marks = acts::marks(detail);
    let of = |chart: Chart| Chart { explained, marks: marks.clone(), ..chart }.markup();
    html! {
        div.charts {
            @if let Some(requests) = &requests {
                (of(requests.rates()))
                (of(requests.latencies()))
                @if requests.failed() { (of(requests.errors())) }
            }
            @for load in &detail.loads { (spectrum(load, detail.loads.len() > 1, explained)) }
            @if let Some(course) = &detail.course {
                @for chart in sampled(course, connection_limit, &detail.row) { (of(chart)) }
            }
        }
        (acts::list(detail))
        @if requests.as_ref().is_some_and(|requests| !requests.failed()) { p.muted { "No request failed." } }
        @if detail.left_out > 0 {
            p.muted { "No rates over time: " (detail.left_out) " generators' timelines are not kept." }
        }
    }
}

/// What all generators did over time.
struct Requests {
    step_ms: i64,
    /// By number of the point.
    buckets: BTreeMap<i64, Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    due: u64,
    sent: u64,
    ok: u64,
    failed: u64,
    p50: Option<u32>,
    p99: Option<u32>,
    /// Something was still due afterwards.
    under_load: bool,
}

impl Requests {
    /// `None`: nothing is known, or some generators' timelines are not.
    fn of(detail: &RowDetail) -> Option<Self> {
        let all: Vec<&Timeline> = detail.generators.iter().map(|one| &one.timeline).collect();
        if detail.left_out > 0 {
            return None;
        }
        let start = all.iter().filter(|t| !t.buckets.is_empty()).map(|t| t.start_ms).min()?;
        let coarsest = all.iter().map(|t| i64::from(t.bucket_ms)).max().filter(|ms| *ms > 0)?;
        let length = |t: &&Timeline| t.start_ms - start + i64::from(t.bucket_ms) * t.buckets.len() as i64;
        let whole = all.iter().map(length).max()?;
        let step_ms = coarsest * (whole / (coarsest * MOST_POINTS) + 1);
        let mut buckets: BTreeMap<i64, Sum> = BTreeMap::new();
        for timeline in all {
            for (at, bucket) in timeline.buckets.iter().enumerate() {
                let since = timeline.start_ms - start + i64::from(timeline.bucket_ms) * at as i64;
                buckets.entry(since / step_ms).or_default().add(bucket);
            }
        }
        // The last point is rarely whole, and what ends later is no load.
        let last = buckets.iter().filter(|(_, sum)| sum.due > 0).map(|(number, _)| *number).max();
        buckets.iter_mut().for_each(|(number, sum)| sum.under_load = last.is_some_and(|last| *number < last));
        Some(Self { step_ms, buckets })
    }

    fn failed(&self) -> bool {
        self.buckets.values().any(|sum| sum.failed > 0)
    }

    fn series(&self, name: &str, of: impl Fn(&Sum) -> Option<f64>) -> Series {
        let at = |number: i64| (number * self.step_ms) as f64 / 1000.0;
        let points: Points = self.buckets.iter().map(|(number, sum)| (at(*number), of(sum))).collect();
        Series::new(name, points, Style::Line)
    }

    fn per_second(&self, n: u64) -> Option<f64> {
        Some(n as f64 * 1000.0 / self.step_ms as f64)
    }

    fn rates(&self) -> Chart<'static> {
        let series = vec![
            self.series("due", |sum| self.per_second(sum.due).filter(|_| sum.under_load)),
            self.series("sent", |sum| self.per_second(sum.sent).filter(|_| sum.under_load)),
            self.series("good answers", |sum| self.per_second(sum.ok).filter(|_| sum.under_load || sum.due == 0)),
        ];
        let what = "Requests a second; where sent leaves due, the generator or its cap held them back.";
        Chart::new("Due, sent and answered", what, TIME, ("1/s", Scale::Linear), series)
    }

    fn latencies(&self) -> Chart<'static> {
        let ms = |micros: Option<u32>| micros.map(|micros| f64::from(micros) / 1000.0);
        let mut series = vec![self.series("p50", |sum| ms(sum.p50)), self.series("p99", |sum| ms(sum.p99))];
        series.retain(|series| series.points.iter().any(|(_, y)| y.is_some()));
        let what =
            "Response time of good answers; of several generators the worst, since percentiles can't be averaged.";
        Chart::new("Latency over time", what, TIME, ("ms", Scale::Linear), series)
    }

    fn errors(&self) -> Chart<'static> {
        let series = vec![self.series("failed", |sum| self.per_second(sum.failed))];
        Chart::new("Errors", "Requests that failed, a second.", TIME, ("1/s", Scale::Linear), series)
    }
}

impl Sum {
    fn add(&mut self, bucket: &Bucket) {
        self.due += u64::from(bucket.due);
        self.sent += u64::from(bucket.sent);
        self.ok += u64::from(bucket.ok);
        self.failed += u64::from(bucket.failed);
        self.p50 = self.p50.max(bucket.p50);
        self.p99 = self.p99.max(bucket.p99);
    }
}

/// Response and service time of a load by percentile; ends where the answers end.
fn spectrum(load: &LoadDetail, named: bool, explained: bool) -> Markup {
    let of = |name: &str, histogram| {
        let histogram = decode(histogram).ok().filter(|histogram| !histogram.is_empty())?;
        Some(Series::new(name, quantiles(&histogram), Style::Line))
    };
    let series: Vec<Series> =
        [of("response time", &load.latency), of("service time", &load.service)].into_iter().flatten().collect();
    let title = if named { format!("Latency by percentile: {}", load.name) } else { "Latency by percentile".into() };
    let what =
        "Response time counts from due, service time from sent: between them requests waited in the generator's queue.";
    let y = if wide(&series) { Scale::Log } else { Scale::Linear };
    Chart { explained, ..Chart::new(title, what, ("percentile", Scale::Percentile), ("ms", y), series) }.markup()
}

/// The largest is more than thirty times the smallest.
fn wide(series: &[Series]) -> bool {
    let all = || series.iter().flat_map(|s| s.points.iter().filter_map(|(_, y)| *y)).filter(|y| *y > 0.0);
    all().fold(0.0, f64::max) > 30.0 * all().fold(f64::MAX, f64::min)
}

/// Even steps along the axis of percentiles, up to the last answer.
fn quantiles(histogram: &Micros) -> Points {
    #[allow(clippy::cast_precision_loss)] // a count
    let nines = (histogram.len() as f64).log10().clamp(0.31, 6.0);
    let steps = 60;
    let at = |step: u32| 1.0 - 10f64.powf(-nines * f64::from(step) / f64::from(steps));
    #[allow(clippy::cast_precision_loss)] // at most an hour
    (0..=steps).map(at).map(|q| (q, Some(histogram.value_at_quantile(q) as f64 / 1000.0))).collect()
}

/// What was sampled beside the row.
fn sampled(course: &Course, connection_limit: Option<i32>, row: &Row) -> Vec<Chart<'static>> {
    let points = |name: &str| -> Option<Points> {
        let figure = course.figures.get(name)?;
        let at = |i: usize| (i as i64 * course.step_ms) as f64 / 1000.0;
        Some(figure.iter().enumerate().map(|(i, value)| (at(i), *value)).collect())
    };
    let line = |name: &str, title: &str| Some(Series::new(title, points(name)?, Style::Line));
    let chart = |title: &'static str, what: &str, unit: &'static str, series: Vec<Option<Series>>| {
        Chart::new(title, what, TIME, (unit, Scale::Linear), series.into_iter().flatten().collect())
    };
    let many = connection_limit.map_or_else(String::new, |limit| format!(" It allows {limit}."));
    let mut all = vec![
        chart(
            "Connections",
            &format!("Sessions of PostgreSQL, sampled each second.{many}"),
            "sessions",
            vec![
                line("connections", "all"),
                line("active", "active"),
                line("idleInTransaction", "idle in transaction"),
            ],
        ),
        chart(
            "Waits",
            "Active sessions of PostgreSQL that wait for something, and those that wait for a lock.",
            "sessions",
            vec![line("waiting", "waiting"), line("lock", "for a lock"), line("slow", "slow statements")],
        ),
    ];
    for (title, figure, what) in [
        (
            "CPU of the targets",
            "cpuPercent",
            "CPU of the busiest pod of each target, percent of its limit; by the metrics API.",
        ),
        (
            "Memory of the targets",
            "memoryPercent",
            "Memory of the fullest pod of each target, percent of its limit, with the slope of the second half; by the metrics API.",
        ),
    ] {
        let of = |name: &String| {
            let target = name.strip_prefix("targets.")?.strip_suffix(figure)?.strip_suffix('.')?;
            // It is looked at now and then only: between two looks there is no gap.
            let known = points(name)?.into_iter().filter(|(_, value)| value.is_some()).collect();
            Some(Some(Series::new(target, known, Style::Dots)))
        };
        let mut series: Vec<Option<Series>> = course.figures.keys().filter_map(of).collect();
        if figure == "memoryPercent" {
            let slopes = series.iter().flatten().filter_map(|series| slope(series, row)).collect::<Vec<_>>();
            series.extend(slopes.into_iter().map(Some));
        }
        all.push(chart(title, what, "%", series));
    }
    let measured = course.figures.keys().filter_map(|name| name.strip_prefix("measurements."));
    for name in measured {
        let series = vec![line(&format!("measurements.{name}"), name)];
        let what = "The measurement of that name (spec.measurements), to the end of the settle time.".into();
        all.push(Chart { what, title: name.to_owned(), ..chart("", "", "value", series) });
    }
    all.retain(|chart| chart.series.iter().any(|s| s.points.iter().any(|(_, y)| y.is_some_and(|y| y > 0.0))));
    all
}

/// How a target's memory grew in the second half of the load, through the middle of its points there; as the row says it, of the pod that
/// grew most ([`crate::evidence::cluster::memory`]).
fn slope(memory: &Series, row: &Row) -> Option<Series> {
    let target = row.targets.iter().find(|target| target.name.0 == memory.name)?;
    let percent = target.memory_slope_percent_per_minute.as_ref().and_then(number)?;
    let millis = row.load_ended_at.map(Instant::as_millis)? - row.started_at.map(Instant::as_millis)?;
    let end = millis as f64 / 1000.0;
    let (from, middle) = (end / 2.0, end * 0.75);
    let mut seen: Vec<f64> =
        memory.points.iter().filter(|(at, _)| (from..=end).contains(at)).filter_map(|(_, value)| *value).collect();
    seen.sort_by(f64::total_cmp);
    let median = *seen.get(seen.len() / 2)?;
    let at = |second: f64| (second, Some(median * (1.0 + percent / 100.0 * (second - middle) / 60.0)));
    let sign = if percent > 0.0 { "+" } else { "" };
    let name = format!("{}: {sign}{} % a minute", memory.name, human(percent));
    Some(Series::new(name, vec![at(from), at(end)], Style::Line))
}
