//! What stands below a table: where its figures are from.

use std::collections::BTreeSet;

use super::table::TableInput;
use crate::api::{Column, DatabaseFigure, DatabaseSource, LimitSource, Row};
use crate::results::figures::decimal::{human, number};
use crate::results::figures::note::markdown;
use crate::results::judged::metric::{Worst, value};

/// Where the figures are from.
pub fn key(input: &TableInput, rows: &[Row]) -> String {
    let mut parts = vec!["`-` not available".to_owned()];
    let own = &input.plan.spec.columns;
    let shows = |figure: &str| {
        let named = |column: &Column| column.metric.as_ref().is_some_and(|metric| metric.contains(figure));
        own.is_empty() || own.iter().any(named)
    };
    if shows("latency.") && rows.iter().any(|r| r.loads.len() > 1) {
        parts.push("Latencies are those of the row's worst load".into());
    }
    if shows("latency.") && rows.iter().any(|r| value("latency.maxMs", r, Worst::Largest).is_ok()) {
        parts.push("Latency counts from the instant a request was due, good answers only".into());
    }
    let sources: BTreeSet<&str> = rows.iter().flat_map(|r| &r.database).map(|f| source(f.source)).collect();
    if shows("database.") && sources.contains("PostgreSQL") {
        let limit =
            input.connection_limit.map_or_else(String::new, |(_, s)| format!(", limit from {}", limit_source(s)));
        let text = "Connections and slow queries: largest of PostgreSQL's samples, one a second";
        parts.push(format!("{text}{limit}; lock wait: mean share of active sessions"));
    }
    if shows("database.cpuPercent") && sources.contains("CloudWatch") {
        parts.push("DB CPU: largest of CloudWatch's whole minutes".into());
    }
    let by_row = |figure: &str| rows.iter().flat_map(|row| &row.database).any(|one| one.name == figure);
    if shows("database.proxyBorrowLatencyMs") && by_row("proxyBorrowLatencyMs") {
        parts.push("Proxy wait: mean time of the RDS proxy to get a connection, by CloudWatch's whole minutes".into());
    }
    if rows.iter().any(|row| row.measured_until.is_some()) {
        parts.push("Figures of the database and of measurements go on until the backlog was worked off".into());
    }
    let mut out = format!("\nKey: {}.\n", parts.join(". "));
    if !input.database.is_empty() {
        let all: Vec<String> = input.database.iter().filter_map(whole_test).collect();
        out += &format!("Whole test: {}.\n", all.join("; "));
    }
    out
}

fn whole_test(figure: &DatabaseFigure) -> Option<String> {
    let statistics = &figure.statistics;
    let (average, maximum) = (number(statistics.average.as_ref()?)?, number(statistics.maximum.as_ref()?)?);
    let (points, expected) = (statistics.points.unwrap_or(0), statistics.expected.unwrap_or(0));
    let name = markdown(&figure.name);
    let source = source(figure.source);
    let (average, maximum) = (human(average), human(maximum));
    Some(format!("{name} {average} on average, {maximum} at most ({source}, {points} of {expected} minutes)"))
}

fn source(source: DatabaseSource) -> &'static str {
    match source {
        DatabaseSource::CloudWatch => "CloudWatch",
        DatabaseSource::DatabaseInsights => "Database Insights",
        DatabaseSource::PostgreSql => "PostgreSQL",
    }
}

fn limit_source(source: LimitSource) -> &'static str {
    match source {
        LimitSource::Spec => "the spec",
        LimitSource::PostgreSql => "PostgreSQL",
        LimitSource::ParameterGroup => "the parameter group",
        LimitSource::Estimated => "an estimate by instance class",
    }
}
