//! Whether the process works, and what keeps it from it: what `/readyz` answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

/// Ready once it was started, while no part of it waits for something.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Why the process has not begun its work; `None`: it has.
    starting: Option<String>,
    /// What a part waits for, by its number.
    waiting: BTreeMap<u64, String>,
    /// Parts there were.
    parts: u64,
    /// That it is ready was said once.
    said: bool,
}

impl Default for Health {
    fn default() -> Self {
        let starting = Some("starting".into());
        Self(Arc::new(Mutex::new(State { starting, waiting: BTreeMap::new(), parts: 0, said: false })))
    }
}

impl Health {
    /// The process has begun its work.
    pub fn ready(&self) {
        let mut state = self.lock();
        state.starting = None;
        state.say();
    }

    /// What it waits for before it can begin.
    pub fn not_ready(&self, why: &str) {
        self.lock().starting = Some(why.to_owned());
    }

    /// A part of the work, which goes well until it says otherwise.
    pub fn part(&self) -> Part {
        let mut state = self.lock();
        state.parts += 1;
        Part { health: self.clone(), number: state.parts }
    }

    /// Everything that keeps the process from its work, a line each.
    ///
    /// # Errors
    /// These lines, when there is one.
    pub fn look(&self) -> Result<(), String> {
        let state = self.lock();
        let mut why: Vec<&str> = state.waiting.values().map(String::as_str).collect();
        why.extend(state.starting.as_deref().filter(|_| state.waiting.is_empty()));
        why.dedup();
        if why.is_empty() { Ok(()) } else { Err(why.join("\n")) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn say(&mut self) {
        if self.starting.is_none() && self.waiting.is_empty() && !self.said {
            self.said = true;
            let milliseconds = super::process::age().map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            info!(milliseconds, "ready; milliseconds since the process was started");
        }
    }
}

/// A part of the work. When it is dropped, what it waits for counts no more.
#[derive(Debug)]
pub struct Part {
    health: Health,
    number: u64,
}

impl Part {
    /// It can't go on, for a reason that a person has to remove. Each new reason is logged once.
    pub fn waits(&self, why: String) {
        let mut state = self.health.lock();
        if state.waiting.get(&self.number) != Some(&why) {
            warn!(why, "not ready");
            state.waiting.insert(self.number, why);
        }
    }

    /// It goes on.
    pub fn works(&self) {
        let mut state = self.health.lock();
        if let Some(why) = state.waiting.remove(&self.number) {
            info!(was = why, "goes on");
            state.say();
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.health.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_that_works_does_not_speak_for_another_that_waits() {
        let health = Health::default();
        assert_eq!(health.look(), Err("starting".into()));
        let (one, other) = (health.part(), health.part());
        one.waits("one".into());
        other.waits("other".into());
        health.ready();
        assert_eq!(health.look(), Err("one\nother".into()));
        other.works();
        assert_eq!(health.look(), Err("one".into()));
        one.works();
        assert_eq!(health.look(), Ok(()));
    }

    #[test]
    fn what_a_part_that_is_gone_waited_for_counts_no_more() {
        let health = Health::default();
        health.ready();
        let part = health.part();
        part.waits("a right".into());
        assert_eq!(health.look(), Err("a right".into()));
        drop(part);
        assert_eq!(health.look(), Ok(()));
    }

    #[test]
    fn the_same_reason_of_two_parts_is_said_once() {
        let health = Health::default();
        let parts = [health.part(), health.part()];
        parts.iter().for_each(|part| part.waits("no definition".into()));
        assert_eq!(health.look(), Err("no definition".into()));
    }
}
