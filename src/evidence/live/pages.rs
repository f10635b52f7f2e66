//! `measurements.http.durations`: the time between two instants of every item, page after page.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value as Json;
use url::Url;

use super::http::{HttpSource, json};
use super::values::Values;
use crate::api::Durations;
use crate::results::gathered::durations::DurationsRecord;

/// Most pages, items and bytes of all pages, and the longest that reading them may take.
const MOST_PAGES: usize = 2_000;
const MOST_ITEMS: usize = 200_000;
const MOST_BYTES: usize = 256 << 20;
const LONGEST: Duration = Duration::from_secs(300);

/// Reads all pages.
///
/// # Errors
/// Why not all could be read, in words without the URL, the headers or the answer: some of the items say nothing of all.
pub async fn durations(source: &HttpSource, of: &Durations, values: &Values) -> Result<DurationsRecord, String> {
    let began = Instant::now();
    let (mut seconds, mut missing, mut bytes) = (Vec::new(), 0, 0);
    let mut asked = BTreeSet::new();
    let mut page = Some(source.first(values)?);
    while let Some(url) = page {
        if asked.len() >= MOST_PAGES || bytes > MOST_BYTES || seconds.len() + missing > MOST_ITEMS {
            return Err(format!(
                "there are more than {MOST_PAGES} pages, {MOST_ITEMS} items or {} MiB",
                MOST_BYTES >> 20
            ));
        }
        if began.elapsed() > LONGEST {
            return Err(format!("reading all pages took longer than {} s", LONGEST.as_secs()));
        }
        if !asked.insert(url.to_string()) {
            return Err("a page was its own next one, so there is no end of them".into());
        }
        let body = source.get(url.clone(), values).await.map_err(|why| of_page(asked.len(), &why))?;
        bytes += body.len();
        let answer = json(&body).map_err(|why| of_page(asked.len(), &why))?;
        let Some(Json::Array(items)) = answer.pointer(&of.items) else {
            return Err(of_page(asked.len(), &format!("there is no array at {:?}", of.items)));
        };
        for item in items {
            match (instant(item, &of.from)?, instant(item, &of.to)?) {
                (Some(from), Some(to)) => seconds.push(to.duration_since(from).as_secs_f64()),
                _ => missing += 1,
            }
        }
        page = next(&answer, of, &url)?;
    }
    Ok(DurationsRecord::of(seconds, missing))
}

fn of_page(number: usize, why: &str) -> String {
    if number < 2 { why.to_owned() } else { format!("page {number}: {why}") }
}

/// An instant of an item; `None`: it has none yet.
fn instant(item: &Json, pointer: &str) -> Result<Option<Timestamp>, String> {
    match item.pointer(pointer) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => match text.parse() {
            Ok(instant) => Ok(Some(instant)),
            Err(_) => Err(format!("an item has no instant of RFC 3339 at {pointer:?}")),
        },
        Some(_) => Err(format!("an item has no text at {pointer:?}, so no instant of RFC 3339")),
    }
}

/// The next page, asked of the host that was asked before, whatever host the answer names: headers and password are for that one.
fn next(answer: &Json, of: &Durations, url: &Url) -> Result<Option<Url>, String> {
    let Some(pointer) = &of.next else { return Ok(None) };
    let text = match answer.pointer(pointer) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.is_empty() => return Ok(None),
        Some(Json::String(text)) => text,
        Some(_) => return Err(format!("at {pointer:?} stands no text, so no URL of the next page")),
    };
    let named = url.join(text).map_err(|_| format!("the URL of the next page, at {pointer:?}, cannot be read"))?;
    let mut next = url.clone();
    next.set_path(named.path());
    next.set_query(named.query());
    Ok(Some(next))
}
