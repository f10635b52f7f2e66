//! The Job of an act: made suspended, let go, deleted.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};

use super::decided::Decided;
use super::job::{self, create, pod_context};
use crate::api::{Action, Reason};
use crate::build::{act_config_map, act_job, copied_job, release_job_patch};
use crate::controller::error::PassError;
use crate::controller::io::call;
use crate::controller::planned::planned;
use crate::controller::read::check::{No, failed, not_yet, refused};
use crate::controller::session::Session;
use crate::lifecycle::{LATE, Preflight, Uid};
use crate::plan::{Due, Ended, act_input};

/// Makes it, with what its pod is given. What the API server will never take is remembered, and ends the act.
///
/// # Errors
/// The API server did not answer.
pub async fn make(session: &mut Session<'_>, decided: Decided) -> Result<(), PassError> {
    let number = session.state.act;
    let Some((act, action)) = planned(session, number).map(|(act, action)| (act, action.clone())) else {
        return Ok(());
    };
    let (run, part) = (session.run(), session.act_part());
    let start = session.state.fire.map(|fire| fire.start_at);
    let due = act.at_ms.zip(start).map(|(at, start)| Due { from_ms: start + at, to_ms: start + at + LATE });
    let row = (!session.state.judged && session.state.row > 0).then(|| i32::from(session.state.row));
    let input = session.plan.as_ref();
    let input = input.and_then(|plan| act_input(plan, &action, &session.identity(), row, due, ended(session)));
    let text = input.map(|input| serde_json::to_string(&input).map_err(|e| PassError::Status(e.to_string())));
    let text = text.transpose()?;
    let job = match of_action(session, &action, &part, text.as_deref().unwrap_or_default()).await {
        Ok(job) => job,
        // It may answer the next time.
        Err(no) if matches!(no.answer, Preflight::NotYet(Reason::ApiUnavailable)) => return Ok(()),
        Err(no) => {
            session.memory.act_refused = Some((run.act(&part), no.note));
            session.remember();
            return Ok(());
        }
    };
    if let Some(text) = text {
        let map = act_config_map(&run, &part, text);
        create(&session.api::<ConfigMap>(), &map, "creating an action's ConfigMap").await?;
    }
    if decided.is_stale() {
        return Ok(());
    }
    match call(session.once::<Job>().create(&PostParams::default(), &job)).await {
        Err(error) if error.already_exists() => Ok(()),
        Err(error) if error.forbidden() || error.code() == Some(422) => {
            session.memory.act_refused = Some((run.act(&part), error.message()));
            session.remember();
            Ok(())
        }
        answer => answer.map(drop).map_err(PassError::call("creating the Job of an action")),
    }
}

/// The Job of an action, whose pod is given `plan`; for a CronJob's the CronJob is read.
///
/// # Errors
/// Why there is none now, or can't be.
pub async fn of_action(session: &Session<'_>, action: &Action, part: &str, plan: &str) -> Result<Job, No> {
    let run = session.run();
    let longest = session.view.act(&session.state, session.state.act).map_or(0, |act| act.longest() / 1000);
    let seconds = longest.max(action.timeout_seconds.into());
    let Some(reference) = action.job.as_ref().map(|job| &job.cron_job_ref.name.0) else {
        return Ok(act_job(&pod_context(session, &run, &[]), action, part, plan, seconds));
    };
    let found = call(session.api::<CronJob>().get_opt(reference)).await.map_err(|e| failed("reading a CronJob", &e))?;
    let name = &action.name.0;
    let Some(spec) = found.and_then(|found| found.spec.job_template.spec) else {
        let note = format!("action {name}: there is no CronJob {reference} in namespace {}", session.namespace());
        return Err(not_yet(Reason::CronJobMissing, note));
    };
    copied_job(&run, part, reference, &spec, seconds)
        .map_err(|why| refused(Reason::CronJobMissing, format!("action {name}: {why}")))
}

/// How the run ended, for acts after it.
fn ended(session: &Session<'_>) -> Option<Ended> {
    let status = session.test.status.as_ref().filter(|_| session.state.judged)?;
    let message = status.run.as_ref().and_then(|run| run.message.clone());
    Some(Ended { verdict: format!("{:?}", status.verdict?), message: message.unwrap_or_default() })
}

/// Lets it go, if it is still that one.
///
/// # Errors
/// The API server refused or did not answer.
pub async fn let_go(session: &Session<'_>, job: Uid, decided: Decided) -> Result<(), PassError> {
    let Some(uid) = session.uids.get(&job).filter(|_| !decided.is_stale()) else { return Ok(()) };
    let patch: json_patch::Patch = serde_json::from_value(release_job_patch(uid)).unwrap_or_default();
    let name = session.run().act(&session.act_part());
    let answer = call(session.once::<Job>().patch(&name, &PatchParams::default(), &Patch::Json::<()>(patch))).await;
    answer.map(drop).map_err(PassError::call("letting the Job of an action go"))
}

/// Deletes it, and what its pod was given.
///
/// # Errors
/// The API server refused or did not answer.
pub async fn delete(session: &Session<'_>, job: Uid) -> Result<(), PassError> {
    let (run, part) = (session.run(), session.act_part());
    // A copy of a CronJob's has none, and one that stays goes with the LoadTest.
    let _ = call(session.api::<ConfigMap>().delete(&run.act_plan(&part), &kube::api::DeleteParams::default())).await;
    job::delete(session, &run.act(&part), Some(job)).await
}
