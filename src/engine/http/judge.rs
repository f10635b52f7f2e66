//! PURE: what an answer is worth: good or why not, done or not yet, and what of it later requests need.

use serde_json::Value;

use super::failure::Failure;
use super::jar::{Jar, Place};
use super::reader::{Body, Reply, Want};
use super::template::Constants;
use crate::plan::{CaptureFrom, ExpectJsonInput, StepInput, TasksInput, UntilInput};

/// A larger answer is not searched.
const MOST_BODY: u32 = 1 << 20;
/// Most bytes of a captured value: a signed token of the usual kinds fits.
const MOST_CAPTURED: usize = 8 << 10;

/// Captured values by their slots. Holds secrets: has no `Debug`.
pub type Captured = Vec<Option<String>>;

/// What a step asks of its answers.
pub struct Judge {
    expect_status: Vec<u16>,
    expect_json: Vec<ExpectJsonInput>,
    tasks: TasksInput,
    /// Each with its slot.
    capture: Vec<(usize, CaptureFrom)>,
    /// Names of cookies to capture, each with its slot.
    cookies: Vec<(usize, String)>,
    until: Option<UntilInput>,
    reads_json: bool,
    /// Its status alone tells what an answer is worth.
    plain: bool,
    want: Want,
}

impl Judge {
    /// Of a step; `constants` has the slots of what the load captures.
    pub fn new(step: &StepInput, constants: &Constants) -> Self {
        let slot = |name: &str| constants.slot(&format!("vars.{name}"));
        let headers = step.capture.iter().any(|one| matches!(one.from, CaptureFrom::Header(_)));
        let reads_json = reads_json(step);
        let slots = step.capture.iter().filter_map(|one| Some((slot(&one.name)?, one.from.clone())));
        let (cookies, capture): (Vec<_>, Vec<_>) = slots.partition(|(_, from)| matches!(from, CaptureFrom::Cookie(_)));
        let name = |(slot, from)| if let CaptureFrom::Cookie(name) = from { Some((slot, name)) } else { None };
        Self {
            expect_status: step.expect_status.clone(),
            expect_json: step.expect_json.clone(),
            tasks: step.tasks.clone(),
            plain: !reads_json && capture.is_empty(),
            capture,
            cookies: cookies.into_iter().filter_map(name).collect(),
            until: step.until.clone(),
            reads_json,
            want: Want { body: reads_json.then_some(MOST_BODY), headers, ..Want::default() },
        }
    }

    /// What is to be kept of an answer.
    #[inline]
    pub fn want(&self) -> Want {
        self.want
    }

    /// Whether a good answer stands for tasks.
    pub fn counts_tasks(&self) -> bool {
        self.tasks != TasksInput::None
    }

    /// The tasks a good answer stands for (0: none are counted); `None`: the item is not done yet. What is captured goes
    /// into `captured`.
    ///
    /// Errors: what is wrong with the answer.
    #[inline]
    pub fn judge(&self, reply: &Reply, captured: &mut Captured) -> Result<Option<u64>, Failure> {
        let accepted = match self.expect_status.as_slice() {
            [] => (200..300).contains(&reply.status),
            listed => listed.contains(&reply.status),
        };
        if !accepted {
            return Err(Failure::Status(reply.status));
        }
        match &self.tasks {
            TasksInput::None if self.plain => Ok(Some(0)),
            TasksInput::PerResponse(tasks) if self.plain => Ok(Some(u64::from(*tasks))),
            _ => self.look(reply, captured),
        }
    }

    /// What the rest of an answer with an accepted status is worth.
    #[inline(never)]
    fn look(&self, reply: &Reply, captured: &mut Captured) -> Result<Option<u64>, Failure> {
        if !self.reads_json {
            self.take(reply, &Value::Null, captured)?;
            return Ok(Some(self.tasks(&Value::Null)?));
        }
        let Body::Kept(body) = &reply.body else { return Err(Failure::AnswerTooLarge) };
        let json = serde_json::from_slice::<Value>(body);
        if let Some(until) = &self.until {
            let value = json.as_ref().ok().and_then(|json| text_at(json, &until.json_pointer));
            if !value.is_some_and(|value| until.equals.contains(&value)) {
                return Ok(None);
            }
        }
        let json = json.map_err(|_| Failure::BadJson)?;
        let stands = |one: &ExpectJsonInput| text_at(&json, &one.json_pointer).is_some_and(|text| text == one.equals);
        if !self.expect_json.iter().all(stands) {
            return Err(Failure::UnexpectedJson);
        }
        self.take(reply, &json, captured)?;
        Ok(Some(self.tasks(&json)?))
    }

    /// Captures cookies of the client, which has taken in those of the answer; for good answers only.
    ///
    /// Errors: one is not kept, or can't be sent.
    pub fn take_cookies(&self, jar: &Jar, place: &Place<'_>, captured: &mut Captured) -> Result<(), Failure> {
        for (slot, name) in &self.cookies {
            let value = jar.value(name, place).filter(|value| is_sendable(value));
            captured[*slot] = Some(value.ok_or(Failure::CaptureMissing)?.to_owned());
        }
        Ok(())
    }

    /// Whether it captures cookies.
    pub fn takes_cookies(&self) -> bool {
        !self.cookies.is_empty()
    }

    /// Forgets what this step captured before.
    pub fn forget(&self, captured: &mut Captured) {
        let slots = self.capture.iter().map(|(slot, _)| slot).chain(self.cookies.iter().map(|(slot, _)| slot));
        slots.for_each(|slot| captured[*slot] = None);
    }

    fn tasks(&self, json: &Value) -> Result<u64, Failure> {
        match &self.tasks {
            TasksInput::None => Ok(0),
            TasksInput::PerResponse(tasks) => Ok(u64::from(*tasks)),
            TasksInput::JsonPointer(pointer) => {
                json.pointer(pointer).and_then(Value::as_u64).ok_or(Failure::TaskCountMissing)
            }
        }
    }

    fn take(&self, reply: &Reply, json: &Value, captured: &mut Captured) -> Result<(), Failure> {
        for (slot, from) in &self.capture {
            let value = match from {
                CaptureFrom::JsonPointer(pointer) => text_at(json, pointer),
                CaptureFrom::Header(name) => reply.header(name).map(str::to_owned),
                // In `cookies`: they are the client's.
                CaptureFrom::Cookie(_) => continue,
            };
            captured[*slot] = Some(value.filter(|value| is_sendable(value)).ok_or(Failure::CaptureMissing)?);
        }
        Ok(())
    }
}

fn reads_json(step: &StepInput) -> bool {
    let captures = step.capture.iter().any(|one| matches!(one.from, CaptureFrom::JsonPointer(_)));
    matches!(step.tasks, TasksInput::JsonPointer(_)) || step.until.is_some() || !step.expect_json.is_empty() || captures
}

/// A header can carry no control characters, and what a target sends without end is not kept.
fn is_sendable(value: &str) -> bool {
    !value.is_empty() && value.len() <= MOST_CAPTURED && !value.chars().any(char::is_control)
}

/// A text, number, true or false at an RFC 6901 pointer, as text.
fn text_at(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
