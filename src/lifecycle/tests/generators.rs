//! What the Job controller, the kubelet and the generators do by themselves.

use super::defences::Defence;
use super::objects::{Job, Pod, Stage};
use super::world::World;
use crate::lifecycle::{ActStage, LATE, Uid};

/// A generator refuses a start that it sees less than this ahead.
pub const LEAST_AHEAD: i64 = 200;
/// And more than this.
const MOST_AHEAD: i64 = 60_000;

/// A move of one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The Job controller makes the pod of an index.
    Make { job: usize, index: u8 },
    /// The process is ready and waits for its grant.
    Arm(usize),
    /// The process sees its annotations.
    See(usize),
    /// The process ends: its load is over, it was told to, or it was killed.
    End(usize),
    /// The pod of an act's Job does it, or finds its time over.
    Do(usize),
}

impl World {
    /// What can happen next by itself.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for (at, job) in self.jobs.iter().enumerate() {
            let open = (0..self.generators(job)).find(|index| job.made & 1 << index == 0);
            moves.extend(open.filter(|_| !job.terminating).map(|index| Move::Make { job: at, index }));
        }
        for (at, pod) in self.pods.iter().enumerate() {
            let told = pod.terminating || pod.stop;
            match pod.stage {
                Stage::Starting if pod.terminating => moves.push(Move::End(at)),
                Stage::Starting => moves.push(Move::Arm(at)),
                Stage::Armed if pod.terminating => {
                    moves.push(Move::End(at));
                    moves.extend(pod.grant.map(|_| Move::See(at)));
                }
                Stage::Armed if pod.grant.is_some() || pod.stop => moves.push(Move::See(at)),
                Stage::Fired if told || pod.grant.is_some_and(|(start, _)| start <= self.now) => {
                    moves.push(Move::End(at));
                }
                _ => {}
            }
        }
        for (at, job) in self.act_jobs.iter().enumerate().filter(|(_, job)| job.stage == ActStage::Runs) {
            // The one that is there before its time waits for it.
            let due = self.due(job.act).is_none_or(|due| due <= self.now);
            moves.extend(due.then_some(Move::Do(at)));
        }
        moves
    }

    fn generators(&self, job: &Job) -> u8 {
        let rows = &self.plan(job.row.of.test).rows;
        let row = rows.get(usize::from(job.row.row).saturating_sub(1));
        u8::try_from(row.map_or(0, |row| row.generators)).unwrap_or(0)
    }

    /// Does it.
    pub fn make_move(&mut self, next: Move) {
        match next {
            Move::Make { job, index } => {
                let job = &mut self.jobs[job];
                job.made |= 1 << index;
                let (row, uid) = (job.row, job.uid());
                self.pods.push(pod(row, uid, index, false));
            }
            Move::Arm(at) => self.pods[at].stage = Stage::Armed,
            Move::See(at) => self.see(at),
            Move::End(at) => {
                self.pods[at].stage = Stage::Ended;
                self.bury();
            }
            Move::Do(at) => {
                let act = self.act_jobs[at].act;
                let late = self.due(act).is_some_and(|due| self.now > due + LATE);
                self.act_jobs[at].stage = if late { ActStage::Failed } else { ActStage::Done };
                if !late {
                    self.count_once(act);
                }
            }
        }
    }

    /// A second pod of the index of pod `at`, as the Job controller may make one while a node is away.
    pub fn duplicate(&mut self, at: usize) {
        let first = &self.pods[at];
        let second = pod(first.row, first.job, first.index, true);
        self.pods.push(second);
    }

    /// The container of pod `at` starts again: its memory is lost, its files and annotations are not.
    pub fn restart(&mut self, at: usize) {
        let marks = !self.without(Defence::Marker);
        let pod = &mut self.pods[at];
        pod.stage = if pod.marker && marks { Stage::Ended } else { Stage::Starting };
        self.bury();
    }

    /// The generator's own rules: no stop, a start well ahead, a marker that nobody made before.
    fn see(&mut self, at: usize) {
        let tolerant = self.without(Defence::Marker) || self.without(Defence::LateStart);
        let marks = !self.without(Defence::Marker);
        let now = self.now;
        let pod = &mut self.pods[at];
        let ahead = pod.grant.map_or(0, |(start, _)| start - now);
        let in_time = (LEAST_AHEAD..=MOST_AHEAD).contains(&ahead) || tolerant && ahead < LEAST_AHEAD;
        if pod.stop || !in_time || marks && pod.marker {
            pod.stage = Stage::Ended;
            self.bury();
            return;
        }
        pod.stage = Stage::Fired;
        pod.marker = true;
        let hard_end = pod.grant.map(|(_, hard_end)| hard_end);
        if tolerant && hard_end.is_some_and(|end| end <= now) {
            // It takes the whole load's time from now on.
            pod.grant = pod.grant.map(|(start, end)| (start, now + (end - start)));
        }
        self.account(at);
    }

    /// What is promised of every start.
    fn account(&mut self, at: usize) {
        let (row, index) = (self.pods[at].row, self.pods[at].index);
        let count = self.sent.entry((row, index)).or_default();
        *count += 1;
        if *count > 1 {
            self.broken = Some("an index of a row sends twice");
        }
        let sized = self.setup.targets[row.of.test].iter().filter_map(|index| self.targets[*index].as_ref());
        let held = sized.into_iter().all(|target| target.claim.as_ref().is_some_and(|claim| claim.of == row.of));
        if !held || !self.stands(row.of) {
            self.broken = Some("a generator sends after its targets were put back");
        } else if self.tests[row.of.test].state.row != row.row {
            self.broken = Some("a generator sends after its row");
        }
    }
}

fn pod(row: super::world::RowKey, job: Uid, index: u8, duplicate: bool) -> Pod {
    Pod {
        row,
        job,
        index,
        duplicate,
        version: 0,
        stage: Stage::Starting,
        marker: false,
        grant: None,
        reminded: 0,
        stop: false,
        terminating: false,
    }
}
