//! The headers that a manifest gives to a step, made ready once.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};

use super::request::StepError;
use super::template::{Bound, Fill};
use crate::plan::{HeaderInput, LoadInput, StepInput, names};

/// The load's headers, each replaced by the step's of the same name. One that names a captured value begins with the step
/// after the one that captures it.
///
/// Errors: a name or value that HTTP can't carry, or one that is made from the body.
pub fn headers(
    load: &LoadInput,
    position: usize,
    bind: &impl Fn(&str, &str) -> Result<Bound, StepError>,
    unsendable: &impl Fn(&str, &'static str) -> StepError,
) -> Result<Vec<(HeaderName, Bound)>, StepError> {
    let mut merged: Vec<(HeaderName, Bound)> = Vec::new();
    let (before, step) = (&load.steps[..position], &load.steps[position]);
    let ready = |header: &&HeaderInput| !waits_for_capture(&header.value, &load.steps, before);
    for header in load.headers.iter().filter(ready).chain(&step.headers) {
        let field = format!("headers[{}]", header.name);
        let name = HeaderName::try_from(&header.name).map_err(|_| unsendable(&field, "not a header name"))?;
        if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err(unsendable(&field, "is made from the body; leave it out"));
        }
        let value = bind(&field, &header.value)?;
        HeaderValue::try_from(value.render(&Fill::default())).map_err(|_| {
            unsendable(
                &field,
                "not a header's value; a variable's value may have a line break or another character that HTTP forbids",
            )
        })?;
        merged.retain(|(known, _)| *known != name);
        merged.push((name, value));
    }
    Ok(merged)
}

/// Whether a text names a value that some step captures, but none of those before.
fn waits_for_capture(text: &str, all: &[StepInput], before: &[StepInput]) -> bool {
    let by = |steps: &[StepInput], name: &str| steps.iter().any(|step| step.capture.iter().any(|one| one.name == name));
    names(text).filter_map(|name| name.strip_prefix("vars.")).any(|name| by(all, name) && !by(before, name))
}

/// User and password with their colon; `None`: there are none, or a header of the manifest stands in their place.
///
/// Errors: an unknown variable.
pub fn basic_auth(
    load: &LoadInput,
    headers: &[(HeaderName, Bound)],
    bind: &impl Fn(&str, &str) -> Result<Bound, StepError>,
) -> Result<Option<Bound>, StepError> {
    let Some(auth) = load.basic_auth.as_ref().filter(|_| !headers.iter().any(|(name, _)| *name == AUTHORIZATION))
    else {
        return Ok(None);
    };
    let mut pair = bind("basicAuth.username", &auth.username)?;
    pair.push_text(":");
    pair.push(&bind("basicAuth.password", &auth.password)?);
    Ok(Some(pair))
}
