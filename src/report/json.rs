//! `results.json`: everything.

use serde_json::{Map, Value, json};

use crate::results::judged::verdict::whole_test_judgements;

use super::{ReportInput, junit, redact};

/// At most `room` bytes, as far as leaving out details can do it, last row first.
pub fn json(input: &ReportInput, room: usize) -> String {
    let mut details: Vec<i32> = input.details.keys().copied().collect();
    loop {
        let text = whole(input, &details);
        if text.len() <= room || details.pop().is_none() {
            return text;
        }
    }
}

fn whole(input: &ReportInput, details: &[i32]) -> String {
    let rows: Vec<Value> = input.test.rows.iter().map(|row| with_details(input, row, details)).collect();
    let once: Vec<Value> = whole_test_judgements(&input.test)
        .iter()
        .map(|(threshold, judgement)| json!({"metric": threshold.metric, "judgement": junit::words(judgement)}))
        .collect();
    let json = json!({
        "test": {"namespace": input.namespace, "name": input.name, "run": input.run, "runId": input.plan.spec.run_id},
        "startedAt": input.started_at,
        "finishedAt": input.finished_at,
        "verdict": input.outcome.verdict,
        "reason": input.outcome.reason.as_str(),
        "message": input.outcome.message,
        "plan": {"hash": input.plan.hash, "rows": input.plan.rows.len(), "spec": redact::spec(&input.plan.spec)},
        "fingerprint": input.fingerprint,
        "rows": rows,
        "database": input.test.database,
        "wholeTestThresholds": once,
    });
    json.to_string()
}

fn with_details(input: &ReportInput, row: &crate::api::Row, details: &[i32]) -> Value {
    let mut json = serde_json::to_value(row).unwrap_or(Value::Object(Map::new()));
    let Some(fields) = json.as_object_mut() else {
        return json;
    };
    match (input.details.get(&row.row), input.row_config_maps.get(&row.row)) {
        (Some(detail), _) if details.contains(&row.row) => {
            fields.insert("details".into(), detail.clone());
        }
        (_, Some(name)) => {
            fields.insert("detailsIn".into(), json!({"configMap": name, "key": "row.json"}));
        }
        _ => {}
    }
    json
}
