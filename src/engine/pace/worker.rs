//! One thread's part of a load: its own counts and buffers, and one iteration after the other through them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::iteration::Iteration;
use super::journey;
use super::shared::Shared;
use crate::engine::http::alarm::Alarm;
use crate::engine::http::connection::{Connection, Outgoing, Scratch};
use crate::engine::http::failure::Failure;
use crate::engine::http::jar::Jar;
use crate::engine::http::judge::Captured;
use crate::engine::http::payload::Tail;
use crate::engine::http::reader::{Reply, Want};
use crate::engine::http::request::Step;
use crate::engine::http::template::Fill;
use crate::engine::measure::elapsed::Elapsed;
use crate::engine::measure::event::{Answer, Sending};
use crate::engine::measure::recorder::Recorder;

/// A reused connection that ends sooner than this had been closed by its peer while the request was on its way.
const KEEP_ALIVE_RACE: Duration = Duration::from_millis(250);

/// One thread's part.
pub struct Worker {
    pub shared: Arc<Shared>,
    recorder: Mutex<Recorder>,
    scratch: Mutex<Scratch>,
    open: AtomicU32,
}

/// What a client has of its own. It belongs to one task: its timer wakes that one. Holds secrets: has no `Debug`.
#[derive(Default)]
pub struct Client {
    /// An open connection that can be used again.
    connection: Option<Connection>,
    alarm: Alarm,
    /// Cookies; only a load of several steps uses them.
    pub jar: Jar,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// Requests that were not sent, because the load was stopped.
    pub unsent: u64,
    /// From the load's start.
    pub end: Elapsed,
}

impl Worker {
    /// With counts of its own.
    pub fn new(shared: Arc<Shared>, recorder: Recorder) -> Self {
        let scratch = Mutex::new(Scratch::new(shared.steps.len()));
        Self { shared, recorder: Mutex::new(recorder), scratch, open: AtomicU32::new(0) }
    }

    /// The counts. A task that panicked leaves whole events behind, so they are still good.
    pub fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock()
    }

    /// Requests that wait for their answers.
    pub fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Sends an iteration of a client.
    pub async fn run(&self, iteration: &Iteration, client: &mut Client) -> Ran {
        if self.shared.fresh {
            client.connection = None;
        }
        if let Some(flow) = &self.shared.flow {
            // Boxed, because it is large beside a single request.
            return Box::pin(journey::run(self, flow, iteration, client)).await;
        }
        let due = iteration.due;
        if self.shared.steps.is_empty() || self.shared.stopping() {
            return Ran { unsent: self.shared.requests, end: due };
        }
        let now = Instant::now();
        let sent = self.shared.elapsed(now);
        let sending = Sending { step: 0, turn: 1, warmup: iteration.warmup, due, since: due, sent };
        let flight = Flight::begin(self, sending);
        let request = Request { worker: self, position: 0, fill: iteration.numbers.into(), cookies: None };
        let reply = self.exchange(&request, now, client).await;
        let end = self.shared.elapsed(Instant::now());
        let (status, judged) = match reply {
            Ok(reply) => (Some(reply.status), request.spec().judge.judge(&reply, &mut Captured::new())),
            Err(failure) => (None, Err(failure)),
        };
        let (outcome, excused) = match judged {
            Ok(tasks) => (Ok(tasks.unwrap_or_default()), false),
            Err(failure) => self.shared.failed(iteration, 0, (iteration.due, end), failure),
        };
        flight.end(Answer { end, status, outcome, excused });
        Ran { unsent: 0, end }
    }

    /// Sends a request on the client's connection or a new one; `sent` is now.
    pub(super) fn exchange<'a>(
        &'a self,
        request: &'a Request<'_>,
        sent: Instant,
        client: &'a mut Client,
    ) -> impl Future<Output = Result<Reply, Failure>> + 'a {
        client.alarm.set(sent, sent + request.spec().timeout);
        self.send(request, client)
    }

    /// The alarm is set for it.
    ///
    /// Once more on a new connection only where that can't run anything twice by our doing: nothing was sent; or the
    /// request may be repeated and a reused connection ended at once without a byte of an answer.
    async fn send(&self, request: &Request<'_>, client: &mut Client) -> Result<Reply, Failure> {
        loop {
            client.connection.take_if(|open| open.is_busy());
            let connection = match &mut client.connection {
                Some(open) => open,
                none => none.insert(self.connect(&mut client.alarm).await?),
            };
            let reused = connection.used();
            let answered = connection.exchange(request, &mut client.alarm).await;
            let step = request.spec();
            client.connection.take_if(|open| open.is_busy() || !step.keeps_alive());
            let broken = match answered {
                Ok(reply) => return Ok(reply),
                Err(broken) => broken,
            };
            let raced =
                || broken.unanswered && step.repeatable() && client.alarm.left() + KEEP_ALIVE_RACE > step.timeout;
            if !reused || !(broken.unsent || raced()) {
                return Err(broken.failure);
            }
        }
    }

    async fn connect(&self, alarm: &mut Alarm) -> Result<Connection, Failure> {
        let began = self.shared.elapsed(Instant::now());
        let stream = self.shared.connector.connect(alarm).await?;
        self.recorder().connected(self.shared.elapsed(Instant::now()).since(began));
        Ok(Connection::new(stream))
    }
}

/// One step of one iteration, as the connection sees it.
pub struct Request<'a> {
    pub worker: &'a Worker,
    pub position: usize,
    pub fill: Fill<'a>,
    /// What the client's jar has for it.
    pub cookies: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// The step.
    pub fn spec(&self) -> &'a Step {
        &self.worker.shared.steps[self.position]
    }
}

impl Outgoing for Request<'_> {
    fn step(&self) -> usize {
        self.position
    }

    fn want(&self) -> Want {
        self.spec().want
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.spec().write(&self.fill, self.cookies, out);
    }

    fn tail(&self) -> Option<Box<Tail>> {
        self.spec().tail(&self.fill)
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        work(&mut self.worker.scratch.lock())
    }
}

/// A request that is open. Dropped before its end, it was cut off and is counted so: nothing that was sent is lost.
pub struct Flight<'a> {
    worker: &'a Worker,
    sending: Sending,
}

impl<'a> Flight<'a> {
    /// A request is being sent.
    #[inline]
    pub fn begin(worker: &'a Worker, sending: Sending) -> Self {
        worker.recorder().sent(sending);
        worker.open.fetch_add(1, Ordering::Relaxed);
        Self { worker, sending }
    }

    /// It has ended.
    #[inline]
    pub fn end(self, answer: Answer) {
        self.close(answer);
        std::mem::forget(self);
    }

    fn close(&self, answer: Answer) {
        self.worker.open.fetch_sub(1, Ordering::Relaxed);
        self.worker.recorder().answered(self.sending, answer);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let end = self.worker.shared.elapsed(Instant::now());
        self.close(Answer { end, status: None, outcome: Err(Failure::Cut), excused: false });
    }
}
