//! Nothing waits for ever: in every state something is in the way for good, and the run ends, with the reason that
//! docs/protocol.md names, within the deadline of that state.
//!
//! The states come from the product's enums by matches without wildcard: a new one does not compile without its test.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::ways::{Logs, Pods, Rollouts};
use crate::end::End;
use crate::fake::fault::{Call, Trouble};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, at, on_virtual_time, reference_spec};
use crate::points::on_all_cores;
use loadtest_operator::api::{Phase, RowStep};
use loadtest_operator::build::{CLAIM, RunName};

/// Something that is in the way for good.
struct Blocker {
    what: &'static str,
    plant: fn(&mut Lab),
    /// Makes the specification fit.
    spec: fn(&mut Value),
    /// How the run ends.
    verdict: &'static str,
    reason: &'static str,
    /// Within so many seconds from the beginning of the test.
    within: u64,
}

impl Blocker {
    fn new(what: &'static str, plant: fn(&mut Lab), reason: &'static str, within: u64) -> Self {
        Self { what, plant, spec: |_| {}, verdict: "Invalid", reason, within }
    }

    fn spec(self, spec: fn(&mut Value)) -> Self {
        Self { spec, ..self }
    }

    fn verdict(self, verdict: &'static str) -> Self {
        Self { verdict, ..self }
    }
}

fn after_phase(phase: Phase) -> Option<Phase> {
    match phase {
        Phase::Pending => Some(Phase::Claiming),
        Phase::Claiming => Some(Phase::Running),
        Phase::Running => Some(Phase::Restoring),
        Phase::Restoring => Some(Phase::Evidence),
        Phase::Evidence => Some(Phase::Finished),
        Phase::Finished => None,
    }
}

fn after_step(step: RowStep) -> Option<RowStep> {
    match step {
        RowStep::Pending => Some(RowStep::Sizing),
        RowStep::Sizing => Some(RowStep::Creating),
        RowStep::Creating => Some(RowStep::Arming),
        RowStep::Arming => Some(RowStep::Starting),
        RowStep::Starting => Some(RowStep::Loading),
        RowStep::Loading => Some(RowStep::Collecting),
        RowStep::Collecting => Some(RowStep::Draining),
        RowStep::Draining => Some(RowStep::Settling),
        RowStep::Settling => Some(RowStep::Done),
        RowStep::Done => None,
    }
}

fn of_phase(phase: Phase) -> Vec<Blocker> {
    match phase {
        // Held by spec.suspend: has no deadline and holds nothing; the test below is about it.
        Phase::Pending => Vec::new(),
        Phase::Claiming => claiming(),
        Phase::Running => {
            let steps = std::iter::successors(Some(RowStep::Pending), |step| after_step(*step));
            steps.flat_map(of_step).collect()
        }
        Phase::Restoring => restoring(),
        Phase::Evidence => vec![
            Blocker::new(
                "the observer's Job can't be deleted",
                |lab| fail(lab, 500, |call| call.class == "delete jobs" && call.what.contains("observe")),
                "ThresholdsMet",
                150,
            )
            .verdict("Passed"),
        ],
        Phase::Finished => vec![
            Blocker::new(
                "targets can't be read when it is over",
                |lab| fail_once_recorded(lab, "\"Finished\"", "get deployments"),
                "ThresholdsMet",
                420,
            )
            .verdict("Passed"),
        ],
    }
}

fn claiming() -> Vec<Blocker> {
    let queue: fn(&mut Value) = |spec| spec["deadlines"]["queueSeconds"] = 30.into();
    vec![
        Blocker::new(
            "a target has no ready pod",
            |lab| pods_of_api(lab, |pod| pod["status"]["conditions"][0]["status"] = "False".into()),
            "TargetNotReady",
            75,
        ),
        Blocker::new("a target does not exist", |lab| gone(lab, "deployments", "proxy"), "TargetNotFound", 75),
        Blocker::new("a Service does not exist", |lab| gone(lab, "services", "api"), "ServiceNotFound", 75),
        Blocker::new("a quota leaves no room", quota, "QuotaExceeded", 20),
        Blocker::new(
            "a target is another test's",
            |lab| {
                let label = json!({CLAIM: "somebody.1"});
                lab.fake
                    .world()
                    .store
                    .edit(&key("deployments", NAMESPACE, "api"), |object| object["metadata"]["labels"] = label);
            },
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "the namespace is full",
            |lab| lab.config.limits.max_concurrent_tests = 0,
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "a claim is refused",
            |lab| fail(lab, 403, |call| call.class == "patch deployments"),
            "DeadlineExceeded",
            110,
        )
        .spec(queue),
        Blocker::new(
            "targets can't be read",
            |lab| fail(lab, 500, |call| call.class == "get deployments"),
            "DeadlineExceeded",
            450,
        )
        .spec(queue),
    ]
}

fn of_step(step: RowStep) -> Vec<Blocker> {
    match step {
        RowStep::Pending => vec![
            Blocker::new("the observer never arms", |lab| ways(lab).observer = Pods::NeverArm, "ObserverLost", 260),
            Blocker::new(
                "the observer's image can't be pulled",
                |lab| ways(lab).observer = Pods::NoImage,
                "GeneratorImage",
                30,
            ),
            Blocker::new(
                "the observer's Secret is missing",
                |lab| ways(lab).observer = Pods::NoSecret,
                "SecretMissing",
                30,
            ),
        ],
        RowStep::Sizing => vec![
            Blocker::new("the rollout is stuck", |lab| ways(lab).rollouts = Rollouts::Stick, "RolloutFailed", 90),
            Blocker::new(
                "the progress deadline passes",
                |lab| ways(lab).rollouts = Rollouts::Fail,
                "RolloutFailed",
                60,
            ),
            Blocker::new(
                "a size is refused",
                |lab| fail(lab, 403, |call| call.class == "patch deployments" && call.what.contains("add /spec")),
                "RolloutFailed",
                90,
            ),
        ],
        RowStep::Creating => vec![
            Blocker::new("the Job's name is taken", foreign_job, "JobNameTaken", 90),
            Blocker::new(
                "the Job can't be created",
                |lab| fail(lab, 403, |call| call.class == "create jobs" && !call.what.contains("observe")),
                "DeadlineExceeded",
                90,
            ),
        ],
        RowStep::Arming => vec![
            Blocker::new("generators never arm", |lab| ways(lab).generators = Pods::NeverArm, "ArmTimeout", 160),
            Blocker::new("the image can't be pulled", |lab| ways(lab).generators = Pods::NoImage, "GeneratorImage", 40),
            Blocker::new("no node has room", |lab| ways(lab).generators = Pods::NoRoom, "GeneratorUnschedulable", 60),
            Blocker::new(
                "a quota keeps pods from being made",
                |lab| ways(lab).generators = Pods::NotMade,
                "GeneratorQuota",
                60,
            ),
            Blocker::new("a Secret is missing", |lab| ways(lab).generators = Pods::NoSecret, "SecretMissing", 40),
        ],
        RowStep::Starting => vec![Blocker::new(
            "pods can't be granted",
            |lab| fail(lab, 403, |call| call.what.contains("start-at")),
            "StartMissed",
            60,
        )],
        RowStep::Loading => vec![
            // The load is over and its log complete; that no kubelet says so costs time, not the row.
            Blocker::new("generators are never seen ended", |lab| ways(lab).deaf = true, "ThresholdsMet", 250)
                .verdict("Passed"),
        ],
        RowStep::Collecting => vec![Blocker::new(
            "logs and last words are gone",
            |lab| {
                let ways = &mut lab.fake.world().cluster.ways;
                (ways.logs, ways.last_words) = (Logs::Unreadable, false);
            },
            "ResultsIncomplete",
            250,
        )],
        RowStep::Draining => vec![
            Blocker::new(
                "the backlog never goes, before the first row",
                |lab| ways(lab).backlog = 5.0,
                "DrainTimeout",
                100,
            ),
            Blocker::new("the observer says nothing", |lab| ways(lab).observer_speaks = false, "DrainTimeout", 100),
        ],
        // A time that passes by itself; and nothing is waited for in Done.
        RowStep::Settling | RowStep::Done => Vec::new(),
    }
}

fn restoring() -> Vec<Blocker> {
    let long: fn(&mut Value) = |spec| spec["settle"]["seconds"] = 1.into();
    vec![
        Blocker::new(
            "a release is refused",
            |lab| fail(lab, 403, |call| call.what.contains("remove /metadata/labels")),
            "ThresholdsMet",
            800,
        )
        .spec(long)
        .verdict("Passed"),
        Blocker::new(
            "targets can't be read",
            |lab| fail_once_recorded(lab, "\"Restoring\"", "get deployments"),
            "ThresholdsMet",
            800,
        )
        .spec(long)
        .verdict("Passed"),
    ]
}

fn ways(lab: &mut Lab) -> impl std::ops::DerefMut<Target = crate::cluster::ways::Ways> + '_ {
    struct Guard<'a>(std::sync::MutexGuard<'a, crate::fake::World>);
    impl std::ops::Deref for Guard<'_> {
        type Target = crate::cluster::ways::Ways;
        fn deref(&self) -> &Self::Target {
            &self.0.cluster.ways
        }
    }
    impl std::ops::DerefMut for Guard<'_> {
        fn deref_mut(&mut self) -> &mut Self::Target {
            &mut self.0.cluster.ways
        }
    }
    Guard(lab.fake.world())
}

fn fail(lab: &mut Lab, code: u16, is: fn(&Call) -> bool) {
    lab.fake.trouble(move |call| is(call).then_some(Trouble::Answer { code, applied: false }));
}

/// From the record that contains `record` on, calls of a class fail.
fn fail_once_recorded(lab: &mut Lab, record: &'static str, class: &'static str) {
    let mut on = false;
    lab.fake.trouble(move |call| {
        on = on || call.what.contains(record);
        (on && call.class == class).then_some(Trouble::Answer { code: 500, applied: false })
    });
}

fn gone(lab: &mut Lab, resource: &str, name: &str) {
    lab.fake.world().store.remove(&key(resource, NAMESPACE, name));
}

fn pods_of_api(lab: &mut Lab, change: fn(&mut Value)) {
    let mut world = lab.fake.world();
    let names: Vec<String> = world
        .store
        .list("pods", NAMESPACE)
        .filter(|pod| pod["metadata"]["labels"]["app"] == "api")
        .map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    for name in names {
        world.store.edit(&key("pods", NAMESPACE, &name), change);
    }
}

fn quota(lab: &mut Lab) {
    let quota = json!({"spec": {}, "status": {"hard": {"pods": "4"}, "used": {"pods": "3"}}});
    lab.fake.world().store.create(&key("resourcequotas", NAMESPACE, "small"), quota);
}

/// A Job of somebody else with the name of row 1's.
fn foreign_job(lab: &mut Lab) {
    let uid = lab.object(&at(TEST))["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let name = RunName { namespace: NAMESPACE.into(), test: TEST.into(), uid, run: 1 }.row(1);
    let job = json!({"metadata": {"labels": {}}, "spec": {"completions": 0}});
    lab.fake.world().store.create(&key("jobs", NAMESPACE, &name), job);
}

#[test]
fn whatever_is_in_the_way_for_good_the_run_ends_in_time_with_its_reason() {
    let phases = std::iter::successors(Some(Phase::Pending), |phase| after_phase(*phase));
    let blockers: Vec<Blocker> = phases.flat_map(of_phase).collect();
    on_all_cores(blockers.len(), |job| {
        let blocker = &blockers[job];
        let what = blocker.what;
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let mut spec = reference_spec();
            (blocker.spec)(&mut spec);
            lab.apply(TEST, spec);
            (blocker.plant)(&mut lab);
            lab.start();
            let limit = Duration::from_secs(blocker.within);
            lab.until(limit, what, |status| status.phase == Some(Phase::Finished)).await;
            let end = lab.finish(limit).await;
            let (story, reason) = (lab.story(), lab.reason(TEST));
            assert_eq!((end.verdict.as_str(), reason.as_str()), (blocker.verdict, blocker.reason), "{what}\n{story}");
            assert_eq!(end.finalizers, 0, "{what}: the finalizer stays\n{story}");
            assert!(end.fires.values().all(|all| all.windows(2).all(|pair| pair[0] < pair[1])), "{what}\n{story}");
        });
    });
}

#[test]
fn what_was_not_put_back_in_time_is_said_and_put_back_later() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        let found = End::of(&lab).targets;
        lab.apply(TEST, reference_spec());
        fail(&mut lab, 403, |call| call.what.contains("remove /metadata/labels"));
        lab.start();
        let end = lab.finish(Duration::from_secs(1_200)).await;
        let story = lab.story();
        assert_eq!(end.states, ["Sized"], "{story}");
        let said = lab.fake.world().journal.applied().any(|entry| entry.call.what.contains("RestoreTimeout"));
        assert!(said, "no event says RestoreTimeout\n{story}");
        let ready = lab.status(TEST).conditions.into_iter().find(|condition| condition.type_ == "Ready");
        assert!(ready.is_some_and(|ready| ready.message.contains("api")), "{story}");
        assert_ne!(end.targets, found);
        lab.fake.trouble(|_| None);
        lab.live(Duration::from_secs(40)).await;
        assert_eq!(End::of(&lab).targets, found, "the standing rule goes on\n{}", lab.story());
    });
}

#[test]
fn a_field_that_somebody_else_set_is_skipped_also_when_the_operator_crashes_before_it_says_so() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.apply(TEST, reference_spec());
        lab.fake.trouble(|call| call.what.contains("remove /metadata/labels").then_some(Trouble::KillUnanswered));
        lab.start();
        lab.until(Duration::from_secs(300), "row 1 loads", |status| {
            status.conditions.iter().any(|condition| condition.reason == "Loading")
        })
        .await;
        lab.fake.world().store.edit(&key("deployments", NAMESPACE, "api"), |deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "3".into();
        });
        let end = lab.finish(Duration::from_secs(1_200)).await;
        assert_eq!(end.states, ["Skipped"], "{}", lab.story());
        let cpu = &end.targets[0]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"];
        assert_eq!(*cpu, json!("3"), "what somebody else set stays");
    });
}

#[test]
fn a_suspended_test_holds_nothing_and_starts_when_it_is_let_go() {
    on_virtual_time(async || {
        let mut spec = reference_spec();
        spec["suspend"] = true.into();
        let mut lab = Lab::with(spec);
        lab.live(Duration::from_secs(4 * 3600)).await;
        assert_eq!(lab.reason(TEST), "Suspended", "{}", lab.story());
        let end = End::of(&lab);
        assert_eq!((end.finalizers, end.jobs_made.len()), (0, 0), "{}", lab.story());
        lab.edit(TEST, |spec| spec["suspend"] = false.into());
        assert_eq!(lab.finish(Duration::from_secs(1_200)).await.verdict, "Passed", "{}", lab.story());
    });
}
