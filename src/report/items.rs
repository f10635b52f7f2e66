//! `items.csv`: one line an item that was asked for until it was done.

use serde_json::Value;

use super::ReportInput;
use crate::api::Instant;

/// Most bytes; what does not fit is in the rows' ConfigMaps.
const MOST_BYTES: usize = 128 * 1024;

/// The items of all rows, as far as they are known one by one; `None`: there are none. `seconds` is empty for one that never came.
pub fn items(input: &ReportInput) -> Option<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail; lines are equally long by construction.
    let _ = writer.write_record(["row", "load", "step", "seq", "due", "seconds", "done"]);
    let (mut any, mut room) = (false, MOST_BYTES);
    for (row, detail) in input.details {
        for load in detail["loads"].as_array().into_iter().flatten() {
            for item in load["items"]["rows"].as_array().into_iter().flatten() {
                let line = line(*row, load, item);
                let Some(left) = room.checked_sub(line.iter().map(|cell| cell.len() + 1).sum()) else { break };
                room = left;
                any = true;
                let _ = writer.write_record(line);
            }
        }
    }
    let text = writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|_| any)
}

fn line(row: i32, load: &Value, item: &Value) -> [String; 7] {
    let step = item["step"].as_u64().and_then(|step| usize::try_from(step).ok());
    let step = step.and_then(|step| load["steps"][step]["name"].as_str()).unwrap_or_default();
    let seconds = item["micros"].as_u64().map(|micros| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
    let due = item["dueMs"].as_i64().map(|ms| Instant::from_millis(ms).to_string());
    [
        row.to_string(),
        load["name"].as_str().unwrap_or_default().to_owned(),
        step.to_owned(),
        item["seq"].to_string(),
        due.unwrap_or_default(),
        seconds.clone().unwrap_or_default(),
        seconds.is_some().to_string(),
    ]
}
