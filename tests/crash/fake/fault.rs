//! What goes wrong at a call.

use super::Millis;

/// A call that is about to be answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which client's, from 1: each operator process has one of its own.
    pub client: u32,
    /// Number of the write, from 1, over all clients; absent: it writes nothing (or it is a dry run).
    pub write: Option<usize>,
    /// What it does, in words: verb, resource, name, and what the status or the annotation becomes.
    pub what: String,
    /// Verb and resource: the class of the call.
    pub class: String,
    /// When it arrived, milliseconds since the epoch.
    pub at: Millis,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process dies; the call is not applied.
    KillBefore,
    /// It is applied and answered; the process dies at its next call.
    KillAfter,
    /// It is applied; the process dies without the answer.
    KillUnanswered,
    /// Another answer instead; the call is applied all the same, or not.
    Answer { code: u16, applied: bool },
    /// 429 with so many seconds in Retry-After; not applied.
    Busy { seconds: u32 },
    /// No answer ever; the process lives. Applied, or not.
    Silence { applied: bool },
    /// It arrives so much later, milliseconds.
    Hold(Millis),
    /// A read is answered as it was so long ago, milliseconds.
    Past(Millis),
}

type Ask = Box<dyn FnMut(&Call) -> Option<Trouble> + Send>;

/// Says for each call what goes wrong.
pub struct Plan {
    ask: Ask,
    /// What was done so far.
    pub done: Vec<(Trouble, String)>,
    /// When the first of it was done.
    pub first_at: Option<Millis>,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::of(|_| None)
    }

    /// What `ask` says.
    pub fn of(ask: impl FnMut(&Call) -> Option<Trouble> + Send + 'static) -> Self {
        Self { ask: Box::new(ask), done: Vec::new(), first_at: None }
    }

    /// For one call.
    pub fn at(&mut self, call: &Call) -> Option<Trouble> {
        let trouble = (self.ask)(call)?;
        self.first_at.get_or_insert(call.at);
        self.done.push((trouble, call.what.clone()));
        Some(trouble)
    }
}
