//! An iteration of several requests: one after the other, some of them again, with what earlier answers said, until an
//! item is done.

use std::time::{Duration, Instant};

use super::iteration::Iteration;
use super::shared::Phase;
use super::worker::{Client, Flight, Ran, Request, Worker};
use crate::engine::http::failure::Failure;
use crate::engine::http::judge::Captured;
use crate::engine::http::reader::Reply;
use crate::engine::http::request::Until;
use crate::engine::http::template::Fill;
use crate::engine::measure::elapsed::Elapsed;
use crate::engine::measure::event::{Answer, Sending};
use crate::engine::measure::items::Item;
use crate::plan::Flow;

/// Sends an iteration of a client. A step that fails does not keep the next ones from being sent, unless they need a
/// value that it should have captured.
pub async fn run(worker: &Worker, flow: &Flow, iteration: &Iteration, client: &mut Client) -> Ran {
    let shared = &worker.shared;
    let mut journey = Journey { worker, iteration, captured: vec![None; shared.slots], due: iteration.due, turn: 1 };
    let mut left = shared.requests;
    for (position, turn) in flow.walk() {
        if shared.stopping() {
            return Ran { unsent: left, end: journey.due };
        }
        left -= 1;
        let step = &shared.steps[position];
        if step.lacks(&journey.captured) {
            step.judge.forget(&mut journey.captured);
            if !iteration.warmup {
                worker.recorder().skipped();
            }
            continue;
        }
        journey.send(position, turn, client).await;
        if !step.pause.is_zero() {
            journey.due = journey.due + step.pause;
            pause(worker, shared.start() + Duration::from(journey.due)).await;
        }
    }
    Ran { unsent: 0, end: journey.due }
}

/// Waits until `at`; false: the load was stopped before.
async fn pause(worker: &Worker, at: Instant) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(at.into()) => true,
        () = worker.shared.reached(Phase::Stopping) => false,
    }
}

/// One iteration under way.
struct Journey<'a> {
    worker: &'a Worker,
    iteration: &'a Iteration,
    captured: Captured,
    /// When the next request is due, from the load's start.
    due: Elapsed,
    /// Which time the step is sent that is under way.
    turn: u32,
}

/// How a step ended, and how often was asked.
struct Ended {
    status: Option<u16>,
    outcome: Result<u64, Failure>,
    polls: u64,
}

impl Journey<'_> {
    /// Sends a step, the `turn`-th time in this iteration, and counts how it ended.
    async fn send(&mut self, position: usize, turn: u32, client: &mut Client) {
        self.turn = turn;
        let now = Instant::now();
        let Iteration { warmup, due: since, numbers, .. } = *self.iteration;
        let until = self.worker.shared.steps[position].until;
        let sent = self.worker.shared.elapsed(now);
        let since = until.map_or(self.due, |_| since);
        let flight =
            Flight::begin(self.worker, Sending { step: position as u32, turn, warmup, due: self.due, since, sent });
        let ended = match until {
            None => self.ask(position, now, client).await,
            Some(until) => self.poll(position, until, now, client).await,
        };
        let end = self.worker.shared.elapsed(Instant::now());
        if ended.outcome.is_err() {
            // Not before it was sent: a step may need the value that it takes anew, such as a token that changes.
            self.worker.shared.steps[position].judge.forget(&mut self.captured);
        }
        let (outcome, excused) = match ended.outcome {
            Ok(tasks) => (Ok(tasks), false),
            Err(failure) => self.worker.shared.failed(self.iteration, position, (self.due, end), failure),
        };
        flight.end(Answer { end, status: ended.status, outcome, excused });
        if until.is_some() && !warmup {
            let took = ended.outcome.is_ok().then(|| end.since(since));
            let item = Item { seq: numbers.seq, step: position, due: since, took, polls: ended.polls };
            self.worker.recorder().item(item);
        }
        self.due = end;
    }

    /// Sends a step once.
    async fn ask(&mut self, position: usize, now: Instant, client: &mut Client) -> Ended {
        let (status, judged) = self.judged(position, now, client).await;
        Ended { status, outcome: judged.map(Option::unwrap_or_default), polls: 1 }
    }

    /// Sends a step again and again until its answer says that the item is done, the time for it is over, or an answer
    /// is not good. The last poll begins at the end of that time.
    async fn poll(&mut self, position: usize, until: Until, first: Instant, client: &mut Client) -> Ended {
        let give_up = first + until.timeout;
        let (mut now, mut polls) = (first, 0);
        loop {
            polls += 1;
            let (status, judged) = self.judged(position, now, client).await;
            let outcome = match judged {
                Ok(Some(tasks)) => Ok(tasks),
                Err(failure) => Err(failure),
                Ok(None) if now >= give_up => Err(Failure::NotDone),
                Ok(None) => {
                    let next = (Instant::now() + until.interval).min(give_up);
                    if pause(self.worker, next).await {
                        now = Instant::now();
                        continue;
                    }
                    Err(Failure::Cut)
                }
            };
            return Ended { status, outcome, polls };
        }
    }

    /// Sends one request and says what its answer is worth; `None`: the item is not done yet.
    async fn judged(
        &mut self,
        position: usize,
        now: Instant,
        client: &mut Client,
    ) -> (Option<u16>, Result<Option<u64>, Failure>) {
        let fill = Fill { numbers: self.iteration.numbers, captured: &self.captured, turn: self.turn };
        let request = Request { worker: self.worker, position, fill, cookies: None };
        let step = &self.worker.shared.steps[position];
        // As it was asked for: what the answer captures is of later requests.
        let path = step.judge.takes_cookies().then(|| step.path(&fill));
        let reply = match self.worker.shared.is_journey() {
            true => with_cookies(request, now, client).await,
            false => self.worker.exchange(&request, now, client).await,
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => return (None, Err(failure)),
        };
        let mut outcome = step.judge.judge(&reply, &mut self.captured);
        if let (Ok(Some(_)), Some(path)) = (outcome, path) {
            let place = self.worker.shared.place(&path);
            let taken = step.judge.take_cookies(&client.jar, &place, &mut self.captured);
            outcome = taken.and(outcome);
        }
        (Some(reply.status), outcome)
    }
}

/// Sends a step with the client's cookies, and keeps those of the answer.
async fn with_cookies(mut request: Request<'_>, sent: Instant, client: &mut Client) -> Result<Reply, Failure> {
    let (worker, path) = (request.worker, request.spec().path(&request.fill));
    let cookies = client.jar.header(&worker.shared.place(&path));
    request.cookies = cookies.as_deref();
    let reply = worker.exchange(&request, sent, client).await?;
    let place = worker.shared.place(&path);
    reply.cookies().iter().for_each(|cookie| client.jar.set(cookie, &place));
    Ok(reply)
}
