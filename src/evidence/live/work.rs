//! When the work of a row is over: its load has ended, and settle.until holds. Then its items are timed, until each has its time.

use crate::api::Until;
use crate::plan::ObservedRow;
use crate::results::figures::drain::is_down;
use crate::results::gathered::sample::Sample;

/// The work of the row in progress.
pub struct Work {
    until: Option<Until>,
    row: ObservedRow,
    /// settle.until held after the load's end.
    down: bool,
}

impl Work {
    /// Before the first row. `until`: of settle; without it the work is over with the load.
    pub fn new(until: Option<Until>) -> Self {
        Self { until, row: ObservedRow { row: 0, start_ms: None, end_ms: None }, down: false }
    }

    /// The row in progress, as it is known now.
    pub fn of_row(&mut self, row: &ObservedRow) {
        self.down &= row.row == self.row.row;
        self.row = *row;
    }

    /// Looks at what was measured.
    pub fn saw(&mut self, sample: &Sample) {
        let Some((until, end)) = self.until.as_ref().zip(self.row.end_ms) else { return };
        let value = sample.m.get(&until.measurement.0).filter(|_| sample.t >= end);
        self.down |= value.is_some_and(|value| is_down(until, *value));
    }

    fn is_over(&self) -> bool {
        self.row.end_ms.is_some() && (self.down || self.until.is_none())
    }
}

/// A measurement that times items.
pub struct Timing {
    name: String,
    /// Its question is not answered yet.
    pub under_way: bool,
    /// The last row of which every item has its time.
    done: i32,
}

impl Timing {
    /// Of that name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), under_way: false, done: 0 }
    }

    /// It is time to ask.
    pub fn is_due(&self, work: &Work) -> bool {
        work.is_over() && !self.under_way && self.done != work.row.row
    }

    /// Looks at an answer.
    pub fn saw(&mut self, sample: &Sample, work: &Work) {
        let times = sample.d.get(&self.name);
        if times.is_none() && !sample.lost.contains_key(&self.name) {
            return;
        }
        self.under_way = false;
        let of_this_row = work.row.end_ms.is_some_and(|end| sample.t >= end);
        if times.is_some_and(|times| times.is_complete() && of_this_row) {
            self.done = work.row.row;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::gathered::durations::DurationsRecord;

    const ENDED: ObservedRow = ObservedRow { row: 2, start_ms: Some(0), end_ms: Some(1_000) };

    fn pending(t: i64, value: f64) -> Sample {
        Sample { t, m: [("pending".into(), value)].into(), ..Sample::default() }
    }

    fn times(t: i64, missing: usize) -> Sample {
        Sample { t, d: [("wait".into(), DurationsRecord::of(vec![1.0], missing))].into(), ..Sample::default() }
    }

    #[test]
    fn items_are_timed_when_the_backlog_is_gone_and_again_until_none_is_missing() {
        let until = serde_json::from_str(r#"{"measurement": "pending"}"#).unwrap();
        let (mut work, mut timing) = (Work::new(Some(until)), Timing::new("wait"));
        work.of_row(&ObservedRow { end_ms: None, ..ENDED });
        work.saw(&pending(500, 0.0));
        assert!(!timing.is_due(&work), "under load");
        work.of_row(&ENDED);
        for (t, value, due) in [(900, 0.0, false), (1_100, 5.0, false), (1_200, 0.0, true), (1_300, 1.0, true)] {
            work.saw(&pending(t, value));
            assert_eq!(timing.is_due(&work), due, "{value} at {t}");
        }
        timing.under_way = true;
        assert!(!timing.is_due(&work), "it is asked");
        timing.saw(&pending(1_400, 0.0), &work);
        assert!(!timing.is_due(&work), "another measurement's answer");
        timing.saw(&times(1_400, 3), &work);
        assert!(timing.is_due(&work), "three are missing");
        timing.saw(&times(1_500, 0), &work);
        assert!(!timing.is_due(&work), "all have their time");
        work.of_row(&ObservedRow { row: 3, ..ENDED });
        assert!(!timing.is_due(&work), "another row has other work");
        work.saw(&pending(1_600, 0.0));
        assert!(timing.is_due(&work));
    }

    #[test]
    fn without_until_the_work_is_over_with_the_load() {
        let (mut work, timing) = (Work::new(None), Timing::new("wait"));
        work.of_row(&ObservedRow { end_ms: None, ..ENDED });
        assert!(!timing.is_due(&work));
        work.of_row(&ENDED);
        assert!(timing.is_due(&work));
    }
}
