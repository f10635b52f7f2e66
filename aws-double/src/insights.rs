//! Database Insights (`pi`): GetResourceMetrics. A point's timestamp is the END of its period.

use ciborium::Value;

use crate::answer::Refusal;
use crate::cbor::{integer_of, list_of, map, member, seconds_of, text, text_of, timestamp};
use crate::state::State;
use crate::state::series::InsightsSeries;

/// GetResourceMetrics, without paging.
pub fn get_resource_metrics(state: &State, input: &Value) -> Result<Value, Refusal> {
    let identifier = text_of(input, "Identifier").unwrap_or_default();
    // Which code AWS gives for an instance without Database Insights is not documented; this one is in the model.
    let instance = state.instances.iter().find(|instance| instance.resource_id == identifier);
    if !instance.is_some_and(|instance| instance.insights_enabled) {
        return Err(Refusal::new("NotAuthorizedException", 400, format!("No Performance Insights for {identifier}.")));
    }
    let (Some(start), Some(end)) = (seconds_of(input, "StartTime"), seconds_of(input, "EndTime")) else {
        return Err(invalid("StartTime and EndTime are required."));
    };
    let period = integer_of(input, "PeriodInSeconds").unwrap_or(60);
    if ![1, 60, 300, 3600, 86_400].contains(&period) {
        return Err(invalid("PeriodInSeconds must be 1, 60, 300, 3600 or 86400."));
    }
    let queries = list_of(input, "MetricQueries");
    if queries.is_empty() || queries.len() > 15 {
        return Err(invalid("MetricQueries must have 1 to 15 entries."));
    }
    let mut list = Vec::new();
    for query in queries {
        let metric = text_of(query, "Metric").unwrap_or_default();
        if !["avg", "min", "max", "sum"].iter().any(|aggregate| metric.ends_with(&format!(".{aggregate}"))) {
            return Err(invalid("A metric needs an aggregate: .avg, .min, .max or .sum."));
        }
        let group = member(query, "GroupBy").and_then(|group| text_of(group, "Group"));
        let of_query = |series: &&InsightsSeries| {
            series.resource_id == identifier && series.metric == metric && is_of_group(series, group)
        };
        list.extend(state.insights.iter().filter(of_query).map(|series| series_map(series, start, end)));
    }
    Ok(map([
        ("AlignedStartTime", timestamp(start - start.rem_euclid(period))),
        ("AlignedEndTime", timestamp(end - end.rem_euclid(period))),
        ("Identifier", text(identifier)),
        ("MetricList", list.into()),
    ]))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidArgumentException", 400, message)
}

/// Without a group the total, with one (`db.wait_event`) the total and each of its values (`db.wait_event.name`).
fn is_of_group(series: &InsightsSeries, group: Option<&str>) -> bool {
    match (&series.dimension, group) {
        (None, _) => true,
        (Some((dimension, _)), Some(group)) => dimension.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')),
        (Some(_), None) => false,
    }
}

fn series_map(series: &InsightsSeries, start: i64, end: i64) -> Value {
    let mut key = vec![(text("Metric"), text(&series.metric))];
    if let Some((name, value)) = &series.dimension {
        key.push((text("Dimensions"), map([(name.as_str(), text(value))])));
    }
    let points = series.points.iter().filter(|(at, _)| start < *at && *at <= end).map(|(at, value)| {
        // A period without data has a timestamp and no value.
        let mut point = vec![(text("Timestamp"), timestamp(*at))];
        point.extend(value.map(|value| (text("Value"), Value::Float(value))));
        Value::Map(point)
    });
    map([("Key", Value::Map(key)), ("DataPoints", points.collect::<Vec<_>>().into())])
}
