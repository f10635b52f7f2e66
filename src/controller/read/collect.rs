//! Reads what the generators of a row said, and what became of the targets meanwhile: the clients' part of the row.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::LogParams;

use super::acts;
use super::others;
use super::pods::{ended_early, has_ended, index, of_part, own_container, terminated};
use super::routes;
use super::targets::pods_of;
use super::usage;
use crate::api::{Reason, TargetFigures};
use crate::build::row_config_map;
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::controller::write::row_file::write_config_map;
use crate::evidence::cluster::pods::{PodFact, digest};
use crate::evidence::cluster::target::figures;
use crate::lifecycle::{COLLECTING, Live};
use crate::results::gathered::collect::{GeneratorOutcome, parse};
use crate::results::gathered::line::line;
use crate::results::gathered::record::Termination;
use crate::results::row::{collected, merged_loads, warmup_tasks};
use crate::results::row_input::{CollectInput, Fact};
use crate::results::shown::detail::RowDetail;

/// Most bytes of one generator's log.
const MOST_BYTES: i64 = 8 * 1024 * 1024;

/// The row, from the generators' logs; kept in memory and in the row's ConfigMap until it is recorded.
pub async fn read(session: &mut Session<'_>) {
    session.seen.collected = Live::Unreachable;
    let Some(planned) = session.row().cloned() else { return };
    if let Some(row) = session.memory.collected.as_ref().filter(|row| row.row == planned.number) {
        session.note = format!("row {} was read", row.row);
        session.seen.collected = Live::Fresh(());
        return;
    }
    let expected: i32 = planned.loads.iter().map(|load| load.generators).sum();
    let (outcomes, complete) = outcomes(session, u32::try_from(expected).unwrap_or(0)).await;
    let in_time = session.now() < session.state.deadline - COLLECTING / 2;
    if !complete && in_time {
        session.note = "not all records could be read yet".into();
        session.seen.collected = Live::Unreachable;
        return;
    }
    if let Some(fire) = session.state.fire {
        others::look(session, fire.start_at).await;
    }
    let ended_at = merged_loads(&planned, &outcomes).iter().filter_map(|load| load.counts.last_end_ms).max();
    let (targets, mut facts, readable) = targets(session, ended_at).await;
    if !readable && in_time {
        session.note = "whether the targets were left alone could not be read yet".into();
        return;
    }
    facts.extend(
        session
            .memory
            .others
            .iter()
            .map(|other| disturbed(format!("test {other} sent load to the same targets at the same time"))),
    );
    facts.extend(acts::facts(session));
    if let Some(fact) = job_gone(session).await {
        facts.insert(0, fact);
    }
    let start_at_ms = session.state.fire.map(|fire| fire.start_at);
    let row = collected(&CollectInput {
        planned: &planned,
        start_at_ms,
        outcomes: &outcomes,
        targets: &targets,
        actions: &acts::figures(session),
        facts: &facts,
    });
    let loads = merged_loads(&planned, &outcomes);
    let mut detail = RowDetail::new(row.clone(), &loads, &outcomes, warmup_tasks(&planned, &loads));
    detail.acts = acts::details(session);
    write_config_map(session, &row_config_map(&session.run(), row.row, detail.json())).await;
    session.memory.collected = Some(row);
    session.seen.collected = Live::Fresh(());
}

/// How each generator ended; and whether nothing was left unread that may still be readable.
async fn outcomes(session: &mut Session<'_>, expected: u32) -> (Vec<(u32, GeneratorOutcome)>, bool) {
    let pods = call(session.api::<Pod>().list(&of_part(session, &session.state.row.to_string()))).await;
    let (pods, mut complete) = match pods {
        Ok(list) => (list.items, true),
        Err(error) => {
            session.note = error.message();
            (Vec::new(), false)
        }
    };
    session.memory.nodes.extend(pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone()));
    let mut outcomes = Vec::new();
    for wanted in 0..expected {
        let armed = |pod: &&Pod| {
            index(pod) == wanted
                && session.state.armed.contains(&crate::lifecycle::Uid::of(&pod.uid().unwrap_or_default()))
        };
        let outcome = match pods.iter().find(armed) {
            None => lost(Reason::GeneratorLost, "its pod is gone, and its records with it".into()),
            Some(pod) => match of_pod(session, pod).await {
                Ok(outcome) => outcome,
                Err(outcome) => {
                    complete = false;
                    outcome
                }
            },
        };
        outcomes.push((wanted, outcome));
    }
    (outcomes, complete)
}

fn lost(reason: Reason, message: String) -> GeneratorOutcome {
    GeneratorOutcome::Lost { reason, message }
}

/// What one generator said. `Err`: it can't be read now, perhaps later. The sentences follow "generator 2 of 3: ".
async fn of_pod(session: &Session<'_>, pod: &Pod) -> Result<GeneratorOutcome, GeneratorOutcome> {
    let params = LogParams { container: own_container(pod), limit_bytes: Some(MOST_BYTES), ..LogParams::default() };
    let log = call(session.api::<Pod>().logs(&pod.name_any(), &params)).await;
    let why = match log {
        Ok(text) => match parse(&text) {
            Ok(report) => return Ok(GeneratorOutcome::Complete(report)),
            Err(incomplete) => incomplete.0,
        },
        Err(error) => error.message(),
    };
    let Some((code, reason, message)) = terminated(pod) else {
        let outcome = lost(Reason::GeneratorLost, format!("it did not end in time: {why}"));
        return if has_ended(pod) { Ok(outcome) } else { Err(outcome) };
    };
    match line::<Termination>(&message) {
        Some(said) if said.reason.is_none() && !said.loads.is_empty() => Ok(GeneratorOutcome::Counts(said)),
        _ if code == 0 => Err(lost(Reason::ResultsIncomplete, why)),
        _ => {
            let (reason, sentence) = ended_early(code, &reason, &message);
            Ok(lost(reason, sentence))
        }
    }
}

/// Figures of each target until the load ended, and whether somebody disturbed it; false: one could not be read, which may pass.
async fn targets(session: &Session<'_>, ended_at: Option<i64>) -> (Vec<TargetFigures>, Vec<Fact>, bool) {
    let (mut all, mut facts, mut readable) = (Vec::new(), Vec::new(), true);
    let mut pods = BTreeMap::new();
    let recorded = session.status().run.and_then(|run| run.current).map(|current| current.targets).unwrap_or_default();
    for target in &session.test.spec.targets {
        let name = &target.name.0;
        let at_start = recorded.iter().find(|start| start.name.0 == *name);
        match pods_of(session, target).await {
            Ok((generation, after, _)) => {
                let same = at_start.and_then(|start| start.pods_digest.clone()) == Some(digest(&after));
                // The pods at the start are known only to the process that saw them; equal digests say they are the same.
                let before = session.memory.pods.get(name).cloned().or_else(|| same.then(|| after.clone()));
                pods.insert(name.clone(), before.iter().flatten().chain(&after).cloned().collect());
                let mut figures = figures(&target.name, before.as_deref().unwrap_or(&[]), &after);
                if before.is_none() {
                    (figures.restarts, figures.oom_kills) = (None, None);
                }
                facts.extend(usage::figures(session, ended_at, &mut figures));
                let watched_only = !session.sized.contains(name);
                if let Some(note) =
                    before.as_deref().filter(|_| watched_only && !same).and_then(|b| scaled(name, b, &after))
                {
                    facts.push(Fact { reason: None, message: note });
                } else if let Some(ours) = acts::ours(session, session.target(name).unwrap_or(target)) {
                    let start = at_start.and_then(|start| start.generation).map_or(generation, |g| g.0);
                    let grown = generation - start;
                    if figures.restarts.is_some_and(|n| n > 0) {
                        facts.push(disturbed(replaced(name, &figures, before.as_deref(), &after)));
                    } else if let Some(note) = ours.disturbed(name, grown, before.as_deref(), &after) {
                        facts.push(disturbed(note));
                    }
                } else if at_start.is_some_and(|start| start.generation.is_some_and(|g| g.0 != generation)) {
                    facts.push(disturbed(format!("somebody else changed {name} while the load ran")));
                } else if at_start.is_some() && !same {
                    facts.push(disturbed(replaced(name, &figures, before.as_deref(), &after)));
                }
                all.push(figures);
            }
            Err(error) if error.code() == Some(404) => {
                facts.push(disturbed(format!("{name} was deleted while the load ran")))
            }
            Err(error) => {
                readable = false;
                facts.push(disturbed(format!("whether {name} was left alone could not be read: {}", error.message())));
            }
        }
    }
    match routes::facts(session, &pods).await {
        Ok(routes) => facts.extend(routes),
        Err(error) => {
            readable = false;
            facts.push(disturbed(format!("where the load's Services lead could not be read: {}", error.message())));
        }
    }
    (all, facts, readable)
}

/// A target that gets no size may be scaled by its autoscaler: the pods that stayed are the same, and none is of another
/// revision.
fn scaled(name: &str, before: &[PodFact], after: &[PodFact]) -> Option<String> {
    let known = |pod: &&PodFact| before.iter().any(|b| b.uid == pod.uid && b.restarts == pod.restarts);
    let stayed = after.iter().filter(known).count();
    let owners =
        |pods: &[PodFact]| pods.iter().map(|p| (p.owner_uid.clone(), p.revision.clone())).collect::<BTreeSet<_>>();
    let only_scaled = before.len() != after.len() && stayed == before.len().min(after.len());
    (only_scaled && owners(before) == owners(after))
        .then(|| format!("{name} was scaled from {} to {} pods while the load ran", before.len(), after.len()))
}

fn disturbed(message: String) -> Fact {
    Fact { reason: Some(Reason::TargetDisturbed), message }
}

fn replaced(name: &str, figures: &TargetFigures, before: Option<&[PodFact]>, after: &[PodFact]) -> String {
    if let Some(restarts) = figures.restarts.filter(|n| *n > 0) {
        let oom = if figures.oom_kills.is_some_and(|n| n > 0) { ", out of memory" } else { "" };
        return format!("{restarts} container restarts of {name} while the load ran{oom}");
    }
    let gone = before.map(|before| before.iter().filter(|b| !after.iter().any(|a| a.uid == b.uid)).count());
    match gone {
        Some(gone) => format!("{gone} pods of {name} were replaced while the load ran"),
        None => format!("pods of {name} were replaced or restarted while the load ran"),
    }
}

async fn job_gone(session: &Session<'_>) -> Option<Fact> {
    let name = session.run().row(session.state.row.into());
    let job = call(session.api::<Job>().get_opt(&name)).await.ok()?;
    let same = |job: Job| job.uid().map(|uid| crate::lifecycle::Uid::of(&uid)) == session.state.job;
    let there = job.is_some_and(same);
    (!there)
        .then(|| Fact { reason: Some(Reason::JobGone), message: format!("Job {name} was deleted while its row ran") })
}
