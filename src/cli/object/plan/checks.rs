//! What the cluster says to a plan, asked with the person's own rights.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::{ResourceQuota, Service};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Error};
use serde_json::Value;

use super::super::workload::{managers, workload};
use super::super::{Place, Said};
use crate::api::{LoadTest, Target, WhenManaged, WorkloadKind};
use crate::build::{container_index, sized};
use crate::evidence::cluster::demand::{Demand, add, of_workload};
use crate::evidence::cluster::quota::{agents, lacking};
use crate::evidence::cluster::route::selects;
use crate::lifecycle::PlanView;
use crate::plan::{Destination, Plan, destination};

/// One thing that was looked at.
pub enum Answer {
    Ok(String),
    /// It would keep the test from starting.
    No(String),
    /// It can't be told from here, or it may matter.
    Note(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match self {
            Self::Ok(text) => ("ok  ", text),
            Self::No(text) => ("NO  ", text),
            Self::Note(text) => ("note", text),
        };
        write!(f, "{word}  {text}")
    }
}

/// The targets' workloads by the targets' names, and all answers.
///
/// # Errors
/// Nobody could be asked at all.
pub async fn checks(place: &Place, name: &str, plan: &Plan) -> Result<(Vec<(String, Value)>, Vec<Answer>), Said> {
    let mut answers = vec![accepted(place, name, plan).await?];
    let mut live = Vec::new();
    for target in &plan.spec.targets {
        let (kind, named) = (target.workload_ref.kind, target.workload_ref.name.0.as_str());
        match workload(place, kind, named).await {
            Ok(Some(found)) => {
                answers.extend(of_target(place, plan, target, &found).await);
                live.push((target.name.0.clone(), found));
            }
            Ok(None) => {
                answers.push(Answer::No(format!("there is no {} {named} in {}", kind.as_str(), place.namespace)))
            }
            Err(said) => answers.push(Answer::Note(format!("{} {named} can't be read: {}", kind.as_str(), said.text))),
        }
    }
    answers.extend(services(place, plan, &live).await);
    answers.extend(quota(place, plan, &live).await);
    answers.extend(rights(place, plan).await);
    Ok((live, answers))
}

/// The API server takes the manifest: a dry run with schema, rules and admission policies.
async fn accepted(place: &Place, name: &str, plan: &Plan) -> Result<Answer, Said> {
    let mut test = LoadTest::new(name, plan.spec.clone());
    test.metadata.namespace = Some(place.namespace.clone());
    let params = PatchParams { dry_run: true, ..PatchParams::apply("kubectl-loadtest-plan").force() };
    match place.api::<LoadTest>().patch(name, &params, &Patch::Apply(&test)).await {
        Ok(_) => Ok(Answer::Ok("the API server takes the manifest from you (a dry run)".into())),
        Err(Error::Api(status)) if status.code != 404 => {
            Ok(Answer::No(format!("the API server would refuse it: {}", status.message)))
        }
        Err(error) => Err(place.why("LoadTest", name, &error)),
    }
}

async fn of_target(place: &Place, plan: &Plan, target: &Target, live: &Value) -> Vec<Answer> {
    let kind = target.workload_ref.kind;
    let what = format!("{} {}", kind.as_str(), target.workload_ref.name.0);
    let (wanted, ready) =
        (live["spec"]["replicas"].as_i64().unwrap_or(1), live["status"]["readyReplicas"].as_i64().unwrap_or(0));
    let mut answers = vec![if ready < wanted {
        Answer::No(format!("{ready} of {wanted} pods of {what} are ready; the test would wait for them"))
    } else {
        Answer::Ok(format!("{what} is there, {ready} of {wanted} pods ready"))
    }];
    if live["spec"]["paused"] == true {
        answers.push(Answer::No(format!("{what} is paused; resume its rollout")));
    }
    if !plan.sized().iter().any(|sized| sized.name == target.name) {
        return answers;
    }
    if container_index(live, target.container.as_deref()).is_none() {
        answers.push(Answer::No(format!("which container of {what} is meant? Write spec.targets[].container")));
    }
    for manager in managers(place, kind, live).await {
        answers.push(match target.when_managed {
            WhenManaged::Refuse => {
                Answer::No(format!("{manager} also sets {what}; pause it, or write whenManaged: Override"))
            }
            WhenManaged::Override => {
                Answer::Note(format!("{manager} also sets {what}; a row in which it does so is Invalid"))
            }
        });
    }
    answers
}

/// Each load's URL leads to a Service that is there and selects the target of its name.
async fn services(place: &Place, plan: &Plan, live: &[(String, Value)]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut urls: Vec<&str> = plan.spec.loads.iter().map(|load| load.url.as_str()).collect();
    urls.dedup();
    for url in urls {
        let name = match destination(url, &place.namespace) {
            Ok(Destination::Service(name)) => name,
            Ok(Destination::Host(host)) => {
                let text = format!(
                    "{host} is no Service of {}: the operator must allow it (config.allowedHosts)",
                    place.namespace
                );
                answers.push(Answer::Note(text));
                continue;
            }
            Err(why) => {
                answers.push(Answer::No(why));
                continue;
            }
        };
        answers.push(match place.api::<Service>().get_opt(&name).await {
            Ok(Some(service)) => leads(&name, &service, live),
            Ok(None) => Answer::No(format!("there is no Service {name} in {}", place.namespace)),
            Err(error) => Answer::Note(place.why("Service", &name, &error).text),
        });
    }
    answers
}

fn leads(name: &str, service: &Service, live: &[(String, Value)]) -> Answer {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
    let to: Vec<&str> = live
        .iter()
        .filter(|(_, workload)| {
            let labels = workload["spec"]["template"]["metadata"]["labels"].clone();
            let labels: BTreeMap<String, String> = serde_json::from_value(labels).unwrap_or_default();
            !selector.is_empty() && selects(&selector, &labels)
        })
        .map(|(target, _)| target.as_str())
        .collect();
    if !to.is_empty() {
        return Answer::Ok(format!("Service {name} leads to target {}", to.join(", ")));
    }
    let text = format!("Service {name} leads to none of the targets");
    if live.iter().any(|(target, workload)| target == name || workload["metadata"]["name"] == name) {
        Answer::No(format!("{text}, though it bears the name of one"))
    } else if live.is_empty() {
        Answer::Ok(format!("Service {name} is there"))
    } else {
        Answer::Note(text)
    }
}

/// The neediest row fits into the namespace's quotas.
async fn quota(place: &Place, plan: &Plan, live: &[(String, Value)]) -> Option<Answer> {
    let quotas = place.api::<ResourceQuota>().list(&ListParams::default()).await.ok()?.items;
    if quotas.is_empty() {
        return None;
    }
    let view = PlanView::of(plan, None);
    let short = plan.rows.iter().zip(&view.rows).find_map(|(row, of_row)| {
        let mut need: Demand = agents(&plan.spec, of_row.generators, view.observer);
        for (name, workload) in live {
            let Some(then) = row.target(name).and_then(|target| sized(workload, target)) else { continue };
            add(&mut need, &of_workload(&then), 1);
            add(&mut need, &of_workload(workload), -1);
        }
        lacking(&quotas, &need, &format!("row {}", row.number))
    });
    Some(short.map_or_else(|| Answer::Ok("the quotas leave room for every row".into()), Answer::No))
}

/// The rights that the chart's policy about authors asks for, where it is on.
async fn rights(place: &Place, plan: &Plan) -> Vec<Answer> {
    let mut asked: Vec<(&str, &str, &str, Option<&str>, &str)> = vec![("batch", "jobs", "create", None, "")];
    for target in &plan.spec.targets {
        let plural = if target.workload_ref.kind == WorkloadKind::StatefulSet { "statefulsets" } else { "deployments" };
        asked.push(("apps", plural, "patch", Some(&target.workload_ref.name.0), ""));
    }
    if plan.spec.measurements.iter().any(|measurement| measurement.log.is_some()) {
        asked.push(("", "pods", "get", None, "log"));
    }
    let api: Api<SelfSubjectAccessReview> = Api::all(place.client.clone());
    let (mut missing, mut known) = (Vec::new(), 0);
    for (group, resource, verb, name, sub) in asked {
        let attributes = ResourceAttributes {
            namespace: Some(place.namespace.clone()),
            group: Some(group.into()),
            resource: Some(resource.into()),
            verb: Some(verb.into()),
            name: name.map(str::to_owned),
            subresource: (!sub.is_empty()).then(|| sub.to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let Ok(answer) = api.create(&PostParams::default(), &review).await else { continue };
        known += 1;
        if answer.status.is_some_and(|status| !status.allowed) {
            let slash = if sub.is_empty() { String::new() } else { format!("/{sub}") };
            missing
                .push(format!("{verb} {resource}{slash}{}", name.map(|name| format!(" {name}")).unwrap_or_default()));
        }
    }
    match (missing.is_empty(), known) {
        (_, 0) => vec![Answer::Note("your rights can't be asked here".into())],
        (true, _) => vec![Answer::Ok("you have the rights that the chart's policy about authors asks for".into())],
        (false, _) => {
            let text = format!("you may not {}: refused where the chart's policies.author is on", missing.join(", "));
            vec![Answer::Note(text)]
        }
    }
}
