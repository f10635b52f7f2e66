//! One iteration: its steps in order on one connection, each in its time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout_at;

use super::connection::{Broken, Connection, Connector, Prebuilt, Reply};
use super::failure::Failure;
use super::jar::{Jar, Place};
use super::recorder::{Answer, Recorder, Sending};
use super::request::{Step, add_cookies};
use super::template::Numbers;

/// A reused connection that ends sooner than this had been closed by its peer while the request was on its way.
const KEEP_ALIVE_RACE: Duration = Duration::from_millis(250);

/// What all workers of a load share.
pub struct Shared {
    pub connector: Connector,
    pub steps: Vec<Step>,
    recorder: Mutex<Recorder>,
    /// No new requests.
    stopping: watch::Sender<bool>,
    /// No open requests either.
    cut: watch::Sender<bool>,
    open: AtomicU32,
}

/// What a client has of its own. Holds secrets: has no `Debug`.
#[derive(Default)]
pub struct Client {
    /// An open connection that can be used again.
    pub connection: Option<Connection>,
    /// Cookies; only a load of several steps uses them.
    pub jar: Jar,
}

/// One iteration that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Iteration {
    pub numbers: Numbers,
    /// From the load's start.
    pub due: Duration,
    /// It was due in the warm-up.
    pub warmup: bool,
}

impl Shared {
    pub fn new(connector: Connector, steps: Vec<Step>, recorder: Recorder) -> Self {
        let (stopping, cut, open) = (watch::Sender::new(false), watch::Sender::new(false), AtomicU32::new(0));
        Self { connector, steps, recorder: Mutex::new(recorder), stopping, cut, open }
    }

    /// The counts. A worker that panicked leaves whole events behind, so they are still good.
    pub fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No new requests from now on.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether [`Shared::stop`] was called.
    pub fn stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits for [`Shared::stop`].
    pub async fn stopped(&self) {
        // The sender lives as long as we do, so this ends only by a stop.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Ends the open requests too.
    pub fn cut(&self) {
        self.stop();
        self.cut.send_replace(true);
    }

    /// Requests that wait for their answers.
    pub fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Sends an iteration of a client.
    ///
    /// A step that fails does not keep the next ones from being sent. Says how many requests were not sent, because
    /// the load was stopped.
    pub async fn run(&self, start: Instant, iteration: Iteration, client: &mut Client) -> u64 {
        let mut due = iteration.due;
        for (position, step) in self.steps.iter().enumerate() {
            if self.stopping() {
                return (self.steps.len() - position) as u64;
            }
            let now = Instant::now();
            let sent = now.saturating_duration_since(start);
            let sending = Sending { step: position, warmup: iteration.warmup, due, sent };
            self.recorder().sent(sending);
            self.open.fetch_add(1, Ordering::Relaxed);
            let reply = self.answer(step, iteration.numbers, now, client).await;
            self.open.fetch_sub(1, Ordering::Relaxed);
            let end = start.elapsed();
            let answer = match reply {
                Ok(reply) => Answer { end, status: Some(reply.status), outcome: step.judge(&reply) },
                Err(failure) => Answer { end, status: None, outcome: Err(failure) },
            };
            self.recorder().answered(sending, answer);
            due = end;
        }
        0
    }

    /// Several steps are one client's way through the application, with its cookies; a single request is not.
    fn is_journey(&self) -> bool {
        self.steps.len() > 1
    }

    fn place<'a>(&'a self, path: &'a str) -> Place<'a> {
        let target = self.connector.target();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Place { host: &target.host, tls: target.tls, path, now: i64::try_from(now).unwrap_or(i64::MAX) }
    }

    async fn answer(
        &self,
        step: &Step,
        numbers: Numbers,
        sent: Instant,
        client: &mut Client,
    ) -> Result<Reply, Failure> {
        let mut request = step.request(numbers)?;
        let path = self.is_journey().then(|| request.uri().path().to_owned());
        if let Some(cookies) = path.as_ref().and_then(|path| client.jar.header(&self.place(path))) {
            add_cookies(&mut request, &cookies)?;
        }
        let mut cut = self.cut.subscribe();
        let taken = client.connection.take();
        tokio::select! {
            biased;
            reply = self.exchange(step, request, sent + step.timeout, taken) => {
                let (reply, reusable) = reply?;
                client.connection = Some(reusable);
                if let Some(path) = &path {
                    reply.cookies.iter().for_each(|cookie| client.jar.set(cookie, &self.place(path)));
                }
                Ok(reply)
            }
            // The sender lives as long as we do, so this ends only by a cut.
            _ = cut.wait_for(|cut| *cut) => Err(Failure::Cut),
        }
    }

    /// Sends a request on the client's connection or a new one.
    ///
    /// Once more on a new connection only where that can't run anything twice by our doing: nothing was sent; or the
    /// method is idempotent and a reused connection ended at once without a byte of an answer.
    async fn exchange(
        &self,
        step: &Step,
        request: Prebuilt,
        deadline: Instant,
        reused: Option<Connection>,
    ) -> Result<(Reply, Connection), Failure> {
        let mut again = None;
        if let Some(mut connection) = reused
            && timed(deadline, Failure::Timeout, async { Ok(connection.usable().await) }).await?
        {
            again = step.idempotent().then(|| request.clone());
            let began = Instant::now();
            match send(step, &mut connection, request, deadline).await {
                Ok(reply) => return Ok((reply, connection)),
                Err(Broken { unsent: Some(unsent), .. }) => again = Some(*unsent),
                Err(broken) if broken.unanswered && began.elapsed() < KEEP_ALIVE_RACE && again.is_some() => {}
                Err(broken) => return Err(broken.failure),
            }
        } else {
            again.replace(request);
        }
        let Some(request) = again else {
            return Err(Failure::Reset);
        };
        let began = Instant::now();
        let mut connection = timed(deadline, Failure::ConnectTimeout, self.connector.connect()).await?;
        self.recorder().connected(began.elapsed());
        let reply = send(step, &mut connection, request, deadline).await.map_err(|broken| broken.failure)?;
        Ok((reply, connection))
    }
}

async fn send(step: &Step, connection: &mut Connection, request: Prebuilt, deadline: Instant) -> Result<Reply, Broken> {
    let late = Broken { failure: Failure::Timeout, unsent: None, unanswered: false };
    timeout_at(deadline.into(), connection.exchange(request, step.keep())).await.unwrap_or(Err(late))
}

async fn timed<T>(
    deadline: Instant,
    late: Failure,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout_at(deadline.into(), work).await.unwrap_or(Err(late))
}
