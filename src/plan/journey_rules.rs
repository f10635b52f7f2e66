//! What the schema cannot say about the steps of a load: repeats that fit into each other, captured values that are there
//! when they are used.

use super::field_error::FieldError;
use super::flow::Flow;
use super::inputs::load_input;
use crate::api::{Load, Step};

/// Most requests of one iteration: more is a load of its own.
const MOST_REQUESTS: u64 = 100_000;
/// Most values that an iteration keeps.
const MOST_CAPTURED: usize = 16;

/// Checks the steps of a load that stands at `at`; `is_var`: such an entry of spec.vars is there.
pub fn check(at: &str, load: &Load, is_var: impl Fn(&str) -> bool, errors: &mut Vec<FieldError>) {
    let mut names: Vec<&str> = Vec::new();
    for (j, step) in load.steps.iter().enumerate() {
        let at = format!("{at}.steps[{j}]");
        errors.extend(repeats(&at, load, j));
        if let Some(body) = step.random_body.as_ref().filter(|body| body.min_bytes > body.max_bytes) {
            let message = format!("{} is more than maxBytes, {}", body.min_bytes, body.max_bytes);
            errors.push(FieldError::new(format!("{at}.randomBody.minBytes"), message));
        }
        for (k, capture) in step.capture.iter().enumerate() {
            if is_var(&capture.name) {
                let message = format!("spec.vars has an entry {} already; choose another name", capture.name);
                errors.push(FieldError::new(format!("{at}.capture[{k}].name"), message));
            }
            if !names.contains(&capture.name.as_str()) {
                names.push(&capture.name);
            }
        }
    }
    if names.len() > MOST_CAPTURED {
        let message = format!("{} values are captured; at most {MOST_CAPTURED} are kept", names.len());
        errors.push(FieldError::new(format!("{at}.steps"), message));
    }
    let requests = Flow::new(&load_input(load).steps).requests();
    if requests > MOST_REQUESTS {
        let message = format!("an iteration would send {requests} requests; at most {MOST_REQUESTS} are allowed");
        errors.push(FieldError::new(format!("{at}.steps"), message));
    }
}

/// A round must lie within another one, or beside it.
fn repeats(at: &str, load: &Load, j: usize) -> Option<FieldError> {
    let step = &load.steps[j];
    let from = step.repeat_from.as_ref()?;
    let error = |message: String| Some(FieldError::new(format!("{at}.repeatFrom"), message));
    if step.repeat.is_none_or(|times| times < 2) {
        return error("repeatFrom needs repeat: how many times".into());
    }
    let Some(first) = first_of(load, step).filter(|first| *first <= j) else {
        return error(format!("{} is no earlier step of this load", from.0));
    };
    let crossed = (first..j).find(|k| {
        let other = &load.steps[*k];
        other.repeat.is_some_and(|times| times > 1) && first_of(load, other).is_some_and(|start| start < first)
    })?;
    error(format!(
        "{} to {} overlaps what {} repeats; one must lie within the other",
        from.0, step.name.0, load.steps[crossed].name.0
    ))
}

fn first_of(load: &Load, step: &Step) -> Option<usize> {
    let name = step.repeat_from.as_ref().map_or(&step.name.0, |from| &from.0);
    load.steps.iter().position(|one| one.name.0 == *name)
}

/// Whether the value of that name is captured before the step at `before` (`None`: by any step), or why not.
pub fn captured(load: &Load, name: &str, before: Option<usize>) -> Option<Result<(), String>> {
    let by = |step: &Step| step.capture.iter().any(|capture| capture.name == name);
    let first = load.steps.iter().position(by)?;
    Some(match before {
        Some(step) if first >= step => Err(format!(
            "$(vars.{name}) is captured by the step {}, so only later steps can use it",
            load.steps[first].name.0
        )),
        _ => Ok(()),
    })
}
