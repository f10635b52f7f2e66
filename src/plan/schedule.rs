//! When the actions of a row are done: each planned time is one act, in the order of their times.

use std::hash::Hasher;

use super::generator_input::ExcusedInput;
use super::plan::PlannedRow;
use super::worst_case::least_seconds;
use crate::api::{Action, LoadTestSpec, When};

/// Most acts of a row.
pub const MAX_ACTS: usize = 256;

/// One time that an action is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Position in spec.actions.
    pub action: usize,
    /// Its moment.
    pub when: When,
    /// In mid-load: milliseconds after the start of the row's load.
    pub at_ms: Option<i64>,
    /// It takes back what the action did (scale).
    pub undo: bool,
}

/// The acts of a row, one more than [`MAX_ACTS`] at most: by their moments, those of one moment as they are written, and
/// those in mid-load by their times.
pub fn acts(spec: &LoadTestSpec, row: &PlannedRow) -> Vec<Act> {
    let mut acts = Vec::new();
    for (index, action) in row.actions.iter().enumerate() {
        let act = |at_ms, undo| Act { action: index, when: action.when, at_ms, undo };
        match action.when {
            When::BeforeRun | When::AfterRun => {}
            When::BeforeRow | When::AfterLoad | When::AfterRow => acts.push(act(None, false)),
            When::DuringLoad => {
                for at in times(spec, action, span_ms(row)) {
                    acts.push(act(Some(at), false));
                    let back = action.for_seconds.map(|seconds| at + i64::from(seconds) * 1000);
                    acts.extend(back.map(|at| act(Some(at), true)));
                }
            }
        }
    }
    acts.sort_by_key(|act| (act.when, act.at_ms));
    acts.truncate(MAX_ACTS + 1);
    acts
}

/// The acts of the whole run at that moment (BeforeRun, AfterRun), as they are written.
pub fn run_acts(spec: &LoadTestSpec, when: When) -> Vec<Act> {
    let actions = spec.actions.iter().enumerate().filter(|(_, action)| action.when == when);
    actions.map(|(action, _)| Act { action, when, at_ms: None, undo: false }).collect()
}

/// What the Job of an act is called after its run's name, and its label: the number of its row (0: before the first; `None`:
/// after the run) and its own.
pub fn act_part(row: Option<i32>, act: i32) -> String {
    match row {
        Some(row) => format!("{row}-act{act}"),
        None => format!("end-act{act}"),
    }
}

/// The times in which requests of a row may fail because of its actions: of those with graceSeconds or forSeconds, from each
/// planned time to the end of the action and its grace.
pub fn windows(spec: &LoadTestSpec, row: &PlannedRow) -> Vec<ExcusedInput> {
    let during = acts(spec, row).into_iter().filter(|act| !act.undo);
    let window = |act: Act| {
        let action = &spec.actions[act.action];
        let seconds = |seconds: Option<i32>| i64::from(seconds.unwrap_or(0)) * 1000;
        let (lasts, grace) = (seconds(action.for_seconds), seconds(action.grace_seconds));
        let from_ms = act.at_ms.filter(|_| lasts + grace > 0)?;
        Some(ExcusedInput {
            action: action.name.0.clone(),
            from_ms,
            to_ms: from_ms + lasts + grace,
            end_ms: Some(from_ms + lasts),
        })
    };
    during.filter_map(window).collect()
}

/// How long the row's load takes at least, milliseconds.
pub fn span_ms(row: &PlannedRow) -> i64 {
    row.loads.iter().map(least_seconds).max().unwrap_or(0) * 1000
}

/// The planned times of an action in mid-load.
fn times(spec: &LoadTestSpec, action: &Action, span: i64) -> Vec<i64> {
    let after = i64::from(action.after_seconds.unwrap_or(0)) * 1000;
    let Some(every) = action.every else { return vec![after] };
    let mut random = Random::new(spec.seed.unwrap_or(0), &action.name.0);
    let (least, most) = (i64::from(every.min_seconds) * 1000, i64::from(every.max_seconds) * 1000);
    let mut draw = || least + random.below(u64::try_from(most - least + 1).unwrap_or(1)) as i64;
    let mut at = after + draw();
    let mut times = Vec::new();
    while at < span && times.len() <= MAX_ACTS {
        times.push(at);
        at += draw();
    }
    times
}

/// Numbers that are the same in every run of a test: SplitMix64 (Steele, Lea and Flood, 2014), from the seed and a name.
pub struct Random(u64);

impl Random {
    /// The numbers of that seed and name.
    pub fn new(seed: i32, name: &str) -> Self {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        hasher.write(name.as_bytes());
        Self(hasher.finish() ^ u64::from(seed.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next one, below `bound`; 0 when there is none below it.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
