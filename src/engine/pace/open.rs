//! A load at a rate: iterations begin when they are due, whether others wait for answers or not.
//!
//! What is due is begun by whoever sees it first: the timer, or a task whose answer has just come and which then needs
//! no waking. Either way it is begun once, in the order of the schedule, and never before its time.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::iteration::Iteration;
use super::schedule::Open;
use super::shared::Phase;
use super::timer::Timer;
use super::worker::{Client, Worker};
use crate::engine::http::jar::Jar;
use crate::engine::http::template::Numbers;
use crate::engine::measure::elapsed::Elapsed;

/// The places of a rate's open iterations, over all lanes: each lane has a stock, and takes from the others' when its own
/// is empty, so that an iteration is capped only when no place is free anywhere.
pub struct Slots(Vec<Mutex<Vec<Slot>>>);

/// One place, with the cookies of the client that stands there. Holds secrets: has no `Debug`.
pub struct Slot {
    number: u32,
    jar: Jar,
}

impl Slots {
    /// So many places, dealt to so many lanes.
    pub fn new(slots: u32, lanes: usize) -> Self {
        let slot = |number| Slot { number, jar: Jar::default() };
        let stock = |lane: usize| (lane as u32..slots).step_by(lanes).rev().map(slot).collect();
        Self((0..lanes).map(|lane| Mutex::new(stock(lane))).collect())
    }

    /// A free place; what came back last goes out first.
    pub fn take(&self, lane: usize) -> Option<Slot> {
        let lanes = self.0.len();
        (0..lanes).find_map(|turn| self.0[(lane + turn) % lanes].lock().pop())
    }

    /// Gives a place back.
    pub fn give_back(&self, lane: usize, slot: Slot) {
        self.0[lane].lock().push(slot);
    }
}

/// One lane of a rate.
pub struct OpenLane {
    worker: Arc<Worker>,
    schedule: Open,
    slots: Arc<Slots>,
    lane: usize,
    due: Mutex<Due>,
}

/// What is due next, and who could begin it.
struct Due {
    next: u64,
    /// When `next` is due; `None`: all have begun.
    at: Option<Elapsed>,
    idle: Vec<Arc<Seat>>,
}

/// An iteration and its place.
struct Job {
    slot: Slot,
    iteration: Iteration,
}

/// Where a task without work waits for some.
#[derive(Default)]
struct Seat(Mutex<(Given, Option<Waker>)>);

#[derive(Default)]
enum Given {
    #[default]
    Nothing,
    Job(Job),
    /// There is no more work.
    End,
}

impl Seat {
    fn give(&self, given: Given) {
        let mut seat = self.0.lock();
        seat.0 = given;
        let waker = seat.1.take();
        drop(seat);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for work; `None`: there is no more.
    async fn taken(&self) -> Option<Job> {
        std::future::poll_fn(|cx| {
            let mut seat = self.0.lock();
            match std::mem::take(&mut seat.0) {
                Given::Job(job) => Poll::Ready(Some(job)),
                Given::End => Poll::Ready(None),
                Given::Nothing => {
                    seat.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Begins everything of the lane when it is due, and waits for its end.
pub async fn run(lane: Arc<OpenLane>) {
    let Ok(mut timer) = Timer::new() else {
        tracing::error!("the load has no timer: no descriptor is left");
        return;
    };
    let mut tasks = Vec::new();
    let begin_all = async {
        while let Some(due) = lane.next_due() {
            if timer.until(lane.worker.shared.start() + Duration::from(due)).await.is_err() {
                return;
            }
            lane.begin(&mut tasks);
        }
    };
    tokio::select! {
        () = begin_all => {}
        () = lane.worker.shared.reached(Phase::Stopping) => {}
    }
    lane.end();
    for task in tasks {
        // One that panicked has counted what it sent.
        let _ = task.await;
    }
}

async fn work(lane: Arc<OpenLane>, mut job: Job) {
    let (seat, mut client) = (Arc::new(Seat::default()), Client::default());
    loop {
        client.jar = std::mem::take(&mut job.slot.jar);
        let ran = lane.worker.run(&job.iteration, &mut client).await;
        let slot = Slot { jar: std::mem::take(&mut client.jar), ..job.slot };
        let next = match lane.after(ran.end, slot, &seat) {
            Some(next) => Some(next),
            None => seat.taken().await,
        };
        let Some(next) = next else { return };
        job = next;
    }
}

impl OpenLane {
    /// Nothing of it has begun; `schedule` is the lane's own part.
    pub fn new(worker: Arc<Worker>, schedule: Open, slots: Arc<Slots>, lane: usize) -> Self {
        let at = (schedule.total() > 0).then(|| schedule.due(0));
        Self { worker, schedule, slots, lane, due: Mutex::new(Due { next: 0, at, idle: Vec::new() }) }
    }

    fn next_due(&self) -> Option<Elapsed> {
        self.due.lock().at
    }

    /// Begins what is due: in tasks that wait for work, and in new ones. What finds no free place is capped.
    fn begin(self: &Arc<Self>, tasks: &mut Vec<JoinHandle<()>>) {
        let now = self.worker.shared.elapsed(Instant::now());
        let mut due = self.due.lock();
        while let Some(at) = due.at.filter(|at| *at <= now) {
            match self.slots.take(self.lane) {
                None => {
                    self.worker.shared.outages().failed(self.number(due.next));
                    self.advance(&mut due);
                    self.worker.recorder().capped(self.worker.shared.requests, at);
                }
                Some(slot) => {
                    let job = self.job(&mut due, at, slot);
                    match due.idle.pop() {
                        Some(seat) => seat.give(Given::Job(job)),
                        None => tasks.push(tokio::spawn(work(self.clone(), job))),
                    }
                }
            }
        }
    }

    /// An iteration has ended at `now` and its place is free: its task goes on with what is due, or takes its seat. What
    /// else is due goes to those who wait; for new tasks, and to say what is capped, there is the timer.
    fn after(&self, now: Elapsed, slot: Slot, seat: &Arc<Seat>) -> Option<Job> {
        let mut due = self.due.lock();
        let ready = |due: &Due| due.at.filter(|at| *at <= now && !self.worker.shared.stopping());
        let Some(at) = ready(&due) else {
            self.slots.give_back(self.lane, slot);
            due.idle.push(seat.clone());
            if self.worker.shared.stopping() || due.at.is_none() {
                seat.give(Given::End);
            }
            return None;
        };
        let own = self.job(&mut due, at, slot);
        while let Some(at) = ready(&due).filter(|_| !due.idle.is_empty()) {
            let Some(slot) = self.slots.take(self.lane) else { break };
            let job = self.job(&mut due, at, slot);
            if let Some(seat) = due.idle.pop() {
                seat.give(Given::Job(job));
            }
        }
        Some(own)
    }

    /// There is no more work for those who wait.
    fn end(&self) {
        let mut due = self.due.lock();
        self.worker.shared.outages().begun(self.number(due.next));
        due.at = None;
        due.idle.drain(..).for_each(|seat| seat.give(Given::End));
    }

    fn job(&self, due: &mut Due, at: Elapsed, slot: Slot) -> Job {
        let numbers = Numbers { seq: self.schedule.seq(due.next), client: self.schedule.client(slot.number) };
        let number = Some(self.number(due.next));
        self.advance(due);
        Job { slot, iteration: Iteration { numbers, due: at, warmup: at < self.schedule.warmup, number } }
    }

    /// The generator's number of this lane's iteration `i`.
    fn number(&self, i: u64) -> u64 {
        i * self.slots.0.len() as u64 + self.lane as u64
    }

    fn advance(&self, due: &mut Due) {
        due.next += 1;
        due.at = (due.next < self.schedule.total()).then(|| self.schedule.due(due.next));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_is_given_out_once_and_to_any_lane() {
        let slots = Slots::new(7, 3);
        let taken: BTreeSet<u32> = std::iter::from_fn(|| slots.take(1)).map(|slot| slot.number).collect();
        assert_eq!(taken, (0..7).collect());
        slots.give_back(2, Slot { number: 4, jar: Jar::default() });
        assert_eq!(slots.take(0).map(|slot| slot.number), Some(4));
        assert!(slots.take(0).is_none());
    }
}
