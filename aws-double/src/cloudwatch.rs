//! CloudWatch: GetMetricData over the series of `AWS/RDS`.
//!
//! Facts from the service model and the API reference: the start is inclusive, the end exclusive; the newest points come
//! first unless ScanBy says otherwise; at most 500 queries a call and 100,800 points a page; a page that is not the last
//! has `PartialData`; what doesn't exist is empty and `Complete`, never an error.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use ciborium::Value;

use crate::answer::Refusal;
use crate::cbor::{integer_of, list_of, map, member, seconds_of, text, text_of, timestamp};
use crate::state::State;
use crate::state::series::{Series, SeriesStatus};

const MAX_POINTS: usize = 100_800;
const MAX_QUERIES: usize = 500;

/// A validated MetricDataQuery.
struct Query<'a> {
    id: &'a str,
    label: String,
    /// Dimension (name and value) and metric; `None` for another namespace or several dimensions, which have no points here.
    series: Option<((&'a str, &'a str), &'a str)>,
    period: i64,
    statistic: &'a str,
}

/// One series to answer: timestamps and values in the order asked for.
struct Figures {
    points: Vec<(i64, f64)>,
    status: SeriesStatus,
    messages: Vec<(String, String)>,
}

/// GetMetricData at `now` (Unix seconds, for the publish delay).
pub fn get_metric_data(state: &mut State, input: &Value, now: i64) -> Result<Value, Refusal> {
    let (Some(start), Some(end)) = (seconds_of(input, "StartTime"), seconds_of(input, "EndTime")) else {
        return Err(invalid("The parameters StartTime and EndTime are required."));
    };
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let queries = queries(input)?;
    let ascending = text_of(input, "ScanBy") == Some("TimestampAscending");
    let visible_until = state.publish_delay_seconds.map(|delay| now - delay);
    let figures: Vec<Figures> = queries
        .iter()
        .map(|query| {
            let nothing = Figures { points: Vec::new(), status: SeriesStatus::Complete, messages: Vec::new() };
            let series = query.series.and_then(|(dimension, metric)| {
                state.series.iter_mut().find(|series| series.dimension() == dimension && series.metric == metric)
            });
            series.map_or(nothing, |series| read(series, query, (start, end), visible_until, ascending))
        })
        .collect();
    let asked = integer_of(input, "MaxDatapoints").and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_POINTS);
    let page_size = asked.min(state.points_per_page.unwrap_or(MAX_POINTS)).clamp(1, MAX_POINTS);
    let first = offset(input)?;
    Ok(page(&queries, &figures, &state.messages, (first, page_size), fingerprint(input)))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("ValidationError", 400, message)
}

fn queries(input: &Value) -> Result<Vec<Query<'_>>, Refusal> {
    let list = list_of(input, "MetricDataQueries");
    if list.is_empty() || list.len() > MAX_QUERIES {
        return Err(invalid("The collection MetricDataQueries must have a size between 1 and 500."));
    }
    let mut ids = BTreeSet::new();
    list.iter()
        .map(|query| {
            let query = self::query(query)?;
            if !ids.insert(query.id) {
                return Err(invalid(&format!(
                    "The values for parameter id in MetricDataQueries are not unique: {}",
                    query.id
                )));
            }
            Ok(query)
        })
        .collect()
}

fn query(query: &Value) -> Result<Query<'_>, Refusal> {
    let id = text_of(query, "Id").unwrap_or_default();
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(invalid(
            "The value for parameter Id must start with a lowercase letter and hold letters, digits, _.",
        ));
    }
    let Some(stat) = member(query, "MetricStat") else {
        return Err(invalid("This double knows MetricStat only, no Expression."));
    };
    let period = integer_of(stat, "Period").unwrap_or(0);
    if period <= 0 || period % 60 != 0 {
        return Err(invalid("The parameter Period must be a positive multiple of 60."));
    }
    let statistic = text_of(stat, "Stat").unwrap_or_default();
    if !["Average", "Minimum", "Maximum", "Sum", "SampleCount"].contains(&statistic) {
        return Err(invalid("This double knows the statistics Average, Minimum, Maximum, Sum and SampleCount."));
    }
    let Some(metric) = member(stat, "Metric") else {
        return Err(invalid("The parameter Metric is required."));
    };
    let name = text_of(metric, "MetricName").unwrap_or_default();
    let series = match list_of(metric, "Dimensions") {
        [only] if text_of(metric, "Namespace") == Some("AWS/RDS") => {
            text_of(only, "Name").zip(text_of(only, "Value")).map(|dimension| (dimension, name))
        }
        _ => None,
    };
    let label = text_of(query, "Label").unwrap_or(name).to_owned();
    Ok(Query { id, label, series, period, statistic })
}

fn read(
    series: &mut Series,
    query: &Query,
    window: (i64, i64),
    visible_until: Option<i64>,
    ascending: bool,
) -> Figures {
    let points = series.read(window.0, window.1, query.period, visible_until);
    let figure = |point: &crate::Point| Some((point.start, point.statistic(query.statistic)?));
    let mut points: Vec<(i64, f64)> = points.iter().filter_map(figure).collect();
    if !ascending {
        points.reverse();
    }
    Figures { points, status: series.status, messages: series.messages.clone() }
}

/// One page: the points of all series stand in one row, and a page is a piece of it. Every page lists every series, so
/// that the last one tells each series' own status.
fn page(
    queries: &[Query],
    figures: &[Figures],
    messages: &[(String, String)],
    (first, size): (usize, usize),
    fingerprint: u64,
) -> Value {
    let total: usize = figures.iter().map(|series| series.points.len()).sum();
    let last = first.saturating_add(size);
    let mut before = 0;
    let results = queries.iter().zip(figures).map(|(query, series)| {
        let inside = |offset: usize| offset.saturating_sub(before).min(series.points.len());
        let points = &series.points[inside(first)..inside(last)];
        before += series.points.len();
        let unfinished = last < total && series.status == SeriesStatus::Complete;
        let status = if unfinished { SeriesStatus::PartialData } else { series.status };
        map([
            ("Id", text(query.id)),
            ("Label", text(&query.label)),
            ("Timestamps", points.iter().map(|(start, _)| timestamp(*start)).collect::<Vec<_>>().into()),
            ("Values", points.iter().map(|(_, value)| Value::Float(*value)).collect::<Vec<_>>().into()),
            ("StatusCode", text(&format!("{status:?}"))),
            ("Messages", message_data(&series.messages)),
        ])
    });
    let mut answer = vec![
        (text("MetricDataResults"), results.collect::<Vec<_>>().into()),
        (text("Messages"), message_data(messages)),
    ];
    if last < total {
        answer.push((text("NextToken"), text(&format!("{fingerprint:016x}-{last}"))));
    }
    Value::Map(answer)
}

fn message_data(messages: &[(String, String)]) -> Value {
    messages.iter().map(|(code, value)| map([("Code", text(code)), ("Value", text(value))])).collect::<Vec<_>>().into()
}

/// Where the page begins, by the request's NextToken, which is good for the same request only.
fn offset(input: &Value) -> Result<usize, Refusal> {
    let Some(token) = text_of(input, "NextToken") else {
        return Ok(0);
    };
    let parts = token.split_once('-').filter(|(request, _)| *request == format!("{:016x}", fingerprint(input)));
    parts
        .and_then(|(_, offset)| offset.parse().ok())
        .ok_or_else(|| Refusal::new("InvalidNextToken", 400, "The next token specified is invalid."))
}

/// A number for the request without its NextToken.
fn fingerprint(input: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in input.as_map().into_iter().flatten() {
        if name.as_text() != Some("NextToken") {
            crate::cbor::encode(name).hash(&mut hasher);
            crate::cbor::encode(value).hash(&mut hasher);
        }
    }
    hasher.finish()
}
