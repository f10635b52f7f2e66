//! PURE: in which order an iteration goes through its steps, with those that are sent again.

use super::step_input::StepInput;

/// The way through a load's steps. Every step is left for the next one, or for one that it repeats from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// For each step: the one that follows the turns before the last, and all its turns.
    again: Vec<(usize, u32)>,
    /// How often each step is sent in an iteration.
    each: Vec<u64>,
}

impl Flow {
    /// The way through these steps.
    pub fn new(steps: &[StepInput]) -> Self {
        let own = |(position, step): (usize, &StepInput)| {
            let again = step.again.map(|again| (again.from as usize, again.times));
            again.filter(|(from, times)| *from <= position && *times > 1).unwrap_or((position, 1))
        };
        let again: Vec<(usize, u32)> = steps.iter().enumerate().map(own).collect();
        let around = |position: usize| {
            let inside = |(end, (from, _)): &(usize, &(usize, u32))| (*from..=*end).contains(&position);
            let turns = again.iter().enumerate().filter(inside).map(|(_, (_, times))| u64::from(*times));
            turns.fold(1u64, u64::saturating_mul)
        };
        let each = (0..steps.len()).map(around).collect();
        Self { again, each }
    }

    /// How often the step at `position` is sent in an iteration.
    pub fn each(&self, position: usize) -> u64 {
        self.each.get(position).copied().unwrap_or(1)
    }

    /// Requests of an iteration; the polls of a step count as one.
    pub fn requests(&self) -> u64 {
        self.each.iter().fold(0, |sum: u64, each| sum.saturating_add(*each))
    }

    /// Where an iteration begins.
    pub fn walk(&self) -> Walk<'_> {
        Walk { flow: self, turns: vec![0; self.again.len()], sent: vec![0; self.again.len()], at: 0 }
    }
}

/// One iteration on its way.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    flow: &'a Flow,
    /// Turns of each step in the round that it repeats.
    turns: Vec<u32>,
    /// How often each step was sent.
    sent: Vec<u32>,
    at: usize,
}

impl Iterator for Walk<'_> {
    /// Position of the step, and which time it is, from 1.
    type Item = (usize, u32);

    fn next(&mut self) -> Option<(usize, u32)> {
        let position = self.at;
        let (from, times) = *self.flow.again.get(position)?;
        self.sent[position] = self.sent[position].saturating_add(1);
        self.turns[position] += 1;
        if self.turns[position] < times {
            self.turns[from..position].fill(0);
            self.at = from;
        } else {
            self.at = position + 1;
        }
        Some((position, self.sent[position]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::step_input::AgainInput;
    use super::*;

    /// Steps, each with the one it repeats from and its turns.
    fn flow(steps: &[(u32, u32)]) -> Flow {
        let step = |&(from, times)| StepInput { again: Some(AgainInput { from, times }), ..StepInput::default() };
        Flow::new(&steps.iter().map(step).collect::<Vec<_>>())
    }

    fn order(flow: &Flow) -> String {
        let letter = |(position, time): (usize, u32)| format!("{}{time}", char::from(b'a' + position as u8));
        flow.walk().map(letter).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn steps_without_repeats_are_sent_once_in_their_order() {
        assert_eq!(order(&flow(&[(0, 1), (1, 1)])), "a1 b1");
        assert_eq!(flow(&[(0, 1), (1, 1)]).requests(), 2);
    }

    #[test]
    fn a_step_is_repeated_by_itself_or_with_those_from_an_earlier_one() {
        assert_eq!(order(&flow(&[(0, 3), (1, 1)])), "a1 a2 a3 b1");
        assert_eq!(order(&flow(&[(0, 1), (1, 1), (1, 2), (3, 1)])), "a1 b1 c1 b2 c2 d1");
    }

    #[test]
    fn a_round_within_a_round_begins_anew_each_time() {
        let nested = flow(&[(0, 1), (1, 2), (0, 2)]);
        assert_eq!(order(&nested), "a1 b1 b2 c1 a2 b3 b4 c2");
        assert_eq!((nested.each(0), nested.each(1), nested.each(2), nested.requests()), (2, 4, 2, 8));
        assert_eq!(nested.walk().count() as u64, nested.requests());
    }

    #[test]
    fn a_product_of_many_repeats_does_not_overflow() {
        let all: Vec<(u32, u32)> = (0..32).map(|_| (0, 1000)).collect();
        assert_eq!(flow(&all).requests(), u64::MAX);
    }
}
