//! Each place of the schema with odd values on a real API server: refused there with a message that names the field, or accepted
//! and then judged by the operator. None is left without a word, and the operator never restarts.
//!
//! LOADTEST_MUTATIONS=all tries all of them, and the operator runs every accepted one; without it a sample of them is tried, and the
//! operator runs at most one batch.

use std::collections::BTreeSet;

use loadtest_operator::plan::check;
use serde_json::{Value, json};

use crate::cluster::eventually::eventually;
use crate::cluster::space::Space;
use crate::mutation::{Mutation, bases, mutations};
use crate::operator::Operator;

/// Tests that the operator has at the same time.
const BATCH: usize = 40;
/// Without LOADTEST_MUTATIONS=all, each so many-th is tried: another place with each, because places have other numbers of values.
const SAMPLE: usize = 13;
/// States that a test passes through by itself.
const PASSING: [&str; 4] = ["Claiming", "RollingOut", "CreatingGenerators", "Restoring"];

/// What the API server says, as it answers `kubectl apply --validate=strict`.
async fn admitted(space: &Space, document: &Value) -> Result<(), String> {
    let path =
        format!("/apis/loadtest.dev/v1alpha1/namespaces/{}/loadtests?dryRun=All&fieldValidation=Strict", space.name);
    space.cluster.post(&path, document).await.map(drop).map_err(|error| match error {
        kube::Error::Api(status) => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let fields: Vec<&str> = causes.map(|cause| cause.field.as_str()).collect();
            format!("{} {}", status.message, fields.join(" "))
        }
        other => panic!("the API server did not answer: {other}"),
    })
}

/// The field, or one around it, is named; a rule of spec says "measurement" for one of measurements.
fn names_field(mutation: &Mutation, said: &str) -> bool {
    let named = |field: &String| said.contains(field.trim_end_matches('s'));
    mutation.fields.iter().skip(1).any(named) || mutation.place == "spec" && said.contains("spec")
}

/// Puts every mutation to the API server, and compares with what `validate` says without one. Gives the accepted ones.
async fn admit(space: &Space, all: Vec<Mutation>) -> (Vec<Mutation>, usize, Vec<String>) {
    let (mut accepted, mut refused, mut wrong) = (Vec::new(), 0, Vec::new());
    for mutation in all {
        let what = format!("{} = {}", mutation.place, mutation.put);
        match admitted(space, &mutation.document).await {
            Ok(()) => accepted.push(mutation),
            Err(said) => {
                refused += 1;
                if !names_field(&mutation, &said) {
                    wrong.push(format!("{what}: refused without naming the field: {said}"));
                }
                if check(mutation.document.clone()).plan.is_ok() {
                    wrong.push(format!("{what}: validate accepts what the API server refuses: {said}"));
                }
            }
        }
    }
    (accepted, refused, wrong)
}

/// Where a test stands, when it stands somewhere with a reason.
fn settled(test: &Value) -> Option<(String, String)> {
    let ready = test["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Ready")?;
    let (reason, message) = (ready["reason"].as_str()?, ready["message"].as_str()?);
    let current = test["status"]["observedGeneration"] == test["metadata"]["generation"];
    (current && !PASSING.contains(&reason) && !message.is_empty()).then(|| (reason.to_owned(), message.to_owned()))
}

/// The operator runs these until each says why it waits or ended; then they are deleted, and gone. Gives the number refused.
async fn run(space: &Space, batch: &[&Mutation], wrong: &mut Vec<String>) -> usize {
    for (number, mutation) in batch.iter().enumerate() {
        let mut document = mutation.document.clone();
        document["metadata"]["name"] = json!(format!("m{number}"));
        // What goes at once can't be looked at; that it goes is shown by tests of its own.
        if document["spec"]["ttlSecondsAfterFinished"].as_i64().is_some_and(|seconds| seconds < 3_600) {
            document["spec"]["ttlSecondsAfterFinished"] = json!(3_600);
        }
        space.cluster.create(&space.name, &document, false).await.unwrap();
    }
    let tests = eventually("each test ended or waits with a reason", 180, async || {
        let tests = space.list("loadtests", None).await;
        match tests.iter().find(|test| settled(test).is_none()) {
            None => Ok(tests),
            Some(test) => Err(format!("{} {}", test["spec"], test["status"])),
        }
    })
    .await;
    let mut stalled = 0;
    for (number, mutation) in batch.iter().enumerate() {
        let test = tests.iter().find(|test| test["metadata"]["name"] == format!("m{number}")).unwrap();
        let (reason, message) = settled(test).unwrap();
        let plan = check(mutation.document.clone()).plan;
        let refused =
            matches!(reason.as_str(), "InvalidSpec" | "LimitExceeded" | "UrlNotAllowed" | "DatabaseNotAllowed");
        stalled += usize::from(refused);
        if plan.is_err() && !(reason == "InvalidSpec" && message.contains("spec.")) {
            wrong.push(format!(
                "{} = {}: the plan refuses it, the operator says {reason}: {message}",
                mutation.place, mutation.put
            ));
        }
    }
    for test in &tests {
        space.delete("loadtests", test["metadata"]["name"].as_str().unwrap()).await;
    }
    eventually("the deleted tests are gone", 180, async || {
        let left = space.list("loadtests", None).await;
        left.first().map_or(Ok(()), |test| {
            Err(format!("{} are left: {} {}", left.len(), test["metadata"]["name"], test["status"]))
        })
    })
    .await;
    stalled
}

#[tokio::test]
async fn every_odd_value_is_refused_at_admission_or_answered_with_a_reason() {
    let Some(space) = Space::new("mutations").await else { return };
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    space.cluster.create(&space.name, &service, false).await.unwrap();
    for base in bases() {
        let said = admitted(&space, &base).await;
        assert!(said.is_ok(), "{base}: {said:?}");
    }
    let everything = std::env::var("LOADTEST_MUTATIONS").is_ok_and(|which| which == "all");
    let all: Vec<Mutation> = mutations().into_iter().step_by(if everything { 1 } else { SAMPLE }).collect();
    let tried = all.len();
    let (accepted, refused, mut wrong) = admit(&space, all).await;
    // The same manifest comes of several mutations: null is absent, whatever the place.
    let mut seen = BTreeSet::new();
    let mut chosen: Vec<&Mutation> =
        accepted.iter().filter(|mutation| seen.insert(mutation.document.to_string())).collect();
    if !everything {
        // Those that the operator alone refuses come first.
        chosen.sort_by_key(|mutation| check(mutation.document.clone()).plan.is_ok());
        chosen.truncate(BATCH);
    }
    let mut operator = Operator::start(&space.cluster, &space.name, "limits: {maxConcurrentTests: 100000}\n");
    let mut stalled = 0;
    for batch in chosen.chunks(BATCH) {
        stalled += run(&space, batch, &mut wrong).await;
        operator.assert_never_restarted();
    }
    // What the API server calls malformed would be tried again and again, until a deadline.
    for line in operator.log().lines().filter(|line| line.contains("will try again")) {
        if ["is invalid", "BadRequest", "nprocessable", "cannot be handled", "unmarshal"]
            .iter()
            .any(|word| line.contains(word))
        {
            wrong.push(format!("the operator wrote what the API server does not take: {line}"));
        }
    }
    eprintln!("the operator ran {} of {} accepted ones", chosen.len(), accepted.len());
    eprintln!("mutations: {tried} tried, {refused} refused, {stalled} stalled");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
