//! One pass: read, decide, then record or act; again until there is something to wait for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::{Api, ResourceExt};
use tracing::{debug, info, warn};

use super::context::Context;
use super::error::PassError;
use super::io::call;
use super::metrics::Ended;
use super::read::collect;
use super::read::evidence;
use super::read::observer;
use super::read::pods;
use super::read::preflight;
use super::read::targets;
use super::read::{act_job, follow, usage, victims};
use super::session::Session;
use super::write::apply;
use super::write::record;
use super::write::signal;
use super::write::unreadable;
use crate::api::{Glance, LoadTest, Phase, Reason};
use crate::build::FINALIZER;
use crate::lifecycle::{Millis, Need, Step, decide, expires, ttl};

/// Steps of one pass; a run that needs more goes on in the next.
const STEPS: usize = 64;
/// When to look again for a LoadTest that was not there; one that is gone is not looked for.
const GONE: Duration = Duration::from_secs(5);
/// Reads of one step; each need is looked at once.
const READS: usize = 16;

/// Reconciles one LoadTest, and counts it.
///
/// # Errors
/// A call failed; the controller tries again with [`on_error`]'s delay.
pub async fn reconcile(seen: Arc<DeserializeGuard<Glance>>, context: Arc<Context>) -> Result<Action, PassError> {
    let (metrics, begun) = (context.metrics.clone(), Instant::now());
    let _under_way = metrics.began();
    let answer = passes(&seen, &context).await;
    let how = match &answer {
        Ok(action) if *action == Action::await_change() => Ended::Success,
        Ok(_) => Ended::RequeueAfter,
        Err(_) => Ended::Error,
    };
    metrics.ended(how, begun.elapsed());
    answer
}

async fn passes(seen: &DeserializeGuard<Glance>, context: &Context) -> Result<Action, PassError> {
    let (namespace, name) = (seen.namespace().unwrap_or_default(), seen.name_any());
    if let Ok(test) = &seen.0
        && at_rest(test)
    {
        context.forget(&test.uid().unwrap_or_default());
        match time_left(test, context.clock.now()) {
            None => return Ok(Action::await_change()),
            Some(left) if left > Duration::ZERO => return Ok(Action::requeue(left)),
            Some(_) => {}
        }
    }
    let api: Api<DeserializeGuard<LoadTest>> = Api::namespaced(context.client.clone(), &namespace);
    for _ in 0..STEPS {
        let test = match call(api.get_opt(&name)).await.map_err(PassError::call("reading the LoadTest"))? {
            // The watch knows it: it was just deleted, or this answer is from before it was made.
            None => {
                context.forget(&seen.uid().unwrap_or_default());
                return Ok(Action::requeue(GONE));
            }
            Some(DeserializeGuard(Ok(test))) => test,
            Some(DeserializeGuard(Err(_))) => {
                unreadable::tell(context, &namespace, &name).await?;
                return Ok(Action::await_change());
            }
        };
        match pass(context, test).await {
            Ok(Pass::Again) => {}
            Ok(Pass::Wait(delay)) => return Ok(Action::requeue(delay)),
            Ok(Pass::Rest) => return Ok(Action::await_change()),
            Err(error) if error.is_conflict() => {
                debug!(%namespace, %name, %error, "somebody else wrote first; reading again");
                return Ok(Action::requeue(Duration::from_millis(200)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Action::requeue(Duration::from_millis(100)))
}

/// A finished test that nobody edited: nothing is read or written for it until its time is over.
fn at_rest(test: &Glance) -> bool {
    let finished = test.status.phase == Some(Phase::Finished);
    let seen = test.status.observed_generation == test.metadata.generation;
    finished && seen && !test.finalizers().iter().any(|f| f == FINALIZER) && test.metadata.deletion_timestamp.is_none()
}

/// How long a test at rest stays yet; `None`: for ever. Known from what the watch says, also after a restart: nobody is asked
/// until then.
fn time_left(test: &Glance, now: Millis) -> Option<Duration> {
    let finished_at = test.status.finished_at.map(|at| at.as_millis());
    let over = expires(finished_at, ttl(test.ttl_seconds))?;
    Some(Duration::from_millis(u64::try_from(over.saturating_sub(now)).unwrap_or(0)))
}

/// After a pass that broke off.
pub fn on_error(seen: Arc<DeserializeGuard<Glance>>, error: &PassError, _: Arc<Context>) -> Action {
    warn!(namespace = seen.namespace(), name = seen.name_any(), %error, "will try again");
    // A busy API server asks for one second as a rule, and a start is only 5 s ahead.
    Action::requeue(Duration::from_secs(if error.is_busy() { 1 } else { 2 }))
}

enum Pass {
    Again,
    Wait(Duration),
    Rest,
}

async fn pass(context: &Context, test: LoadTest) -> Result<Pass, PassError> {
    let mut session = Session::new(context, test);
    for _ in 0..READS {
        let step = decide(&session.input());
        debug!(name = session.test.name_any(), ?step, "decided");
        match step {
            Step::Read(need) => read(&mut session, need).await,
            Step::Record(change) => {
                info!(namespace = session.namespace(), name = session.test.name_any(), ?change, "record");
                record::record(&mut session, &change).await?;
                return Ok(Pass::Again);
            }
            Step::Act(effect) => {
                info!(namespace = session.namespace(), name = session.test.name_any(), ?effect, "act");
                apply::apply(&mut session, &effect).await?;
                return Ok(Pass::Again);
            }
            Step::Wait { reason, until } => {
                let measures = session.test.spec.settle.as_ref().is_some_and(|settle| settle.measure);
                if reason == Reason::Loading || (reason == Reason::Draining && measures) {
                    usage::sample(&mut session).await;
                }
                if matches!(reason, Reason::Draining | Reason::Settling) {
                    signal::remind_of_end(&session).await;
                }
                follow::keep_up(&mut session).await;
                record::announce(&mut session, reason).await?;
                let delay = u64::try_from(until - session.now()).unwrap_or(0).max(100);
                return Ok(Pass::Wait(Duration::from_millis(delay)));
            }
            Step::Rest => return Ok(Pass::Rest),
        }
    }
    Ok(Pass::Wait(Duration::from_secs(1)))
}

/// Looks at what the decision needs.
async fn read(session: &mut Session<'_>, need: Need) {
    match need {
        Need::Preflight => preflight::read(session).await,
        Need::Targets => targets::read(session).await,
        Need::Rollout => targets::prove(session).await,
        Need::Job => pods::read_job(session).await,
        Need::Pods => pods::read(session).await,
        Need::Victims => victims::read(session).await,
        Need::ActJob => act_job::read(session).await,
        Need::Observer => observer::read(session).await,
        Need::Drained => observer::drained(session).await,
        Need::Collect => collect::read(session).await,
        Need::Evidence => evidence::read(session).await,
    }
    session.remember();
}
