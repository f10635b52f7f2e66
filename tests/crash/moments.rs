//! Actions by Jobs, and actions at every moment: each is done once, also before and after the run, and in every ending.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::ways::Pods;
use crate::fake::fault::Trouble;
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE, TEST, at, moments_spec, on_virtual_time};
use crate::reference::reference;
use crate::stories::{LIMIT, Story, in_step};
use loadtest_operator::api::{Reason, RowStep, RowVerdict};

/// One row and these actions.
fn with(actions: Value) -> Value {
    let mut spec = moments_spec();
    spec["actions"] = actions;
    spec
}

fn notification() -> Value {
    json!({"name": "tell", "when": "AfterRun", "timeoutSeconds": 30, "http": {"url": "http://api:8080/hook"}})
}

/// What comes after the run's name in the names of the Jobs whose pods did an act.
fn done(names: &[String]) -> Vec<&str> {
    names.iter().map(|name| name.splitn(4, '-').nth(3).unwrap_or_default()).collect()
}

#[test]
fn actions_at_every_moment_are_done_once_in_their_order_and_nothing_of_them_stays() {
    let found = &reference(Story::Undisturbed).end.targets;
    let reference = reference(Story::Moments);
    let end = &reference.end;
    assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Passed", "ThresholdsMet"), "{:#?}", reference.writes);
    assert_eq!(done(&end.acts.done), ["0-act1", "1-act1", "1-act2", "1-act4", "1-act5", "end-act1"]);
    assert_eq!(end.acts.replicas["proxy"], [1, 3, 1]);
    assert_eq!((&end.jobs_left, &end.targets), (&vec![], found));
    assert!(end.jobs_made.values().all(|n| *n == 1), "{:?}", end.jobs_made);
}

#[test]
fn a_row_says_when_the_pods_of_its_actions_did_them() {
    on_virtual_time(async || {
        let mut lab = Lab::with(moments_spec());
        lab.finish(LIMIT).await;
        let row = lab.status(TEST).results.remove(0);
        let said: Vec<_> = row.actions.iter().map(|a| (a.name.0.as_str(), a.times, a.failed)).collect();
        let once = |name| (name, 1, None);
        assert_eq!(said, ["reset", "cut", "grow", "flush", "clear"].map(once), "{}", lab.story());
        let (start, end) = (row.started_at.expect("a start"), row.load_ended_at.expect("an end"));
        let after = |at: usize| row.actions[at].first_at.map(|first| first.as_millis() - start.as_millis());
        assert_eq!(after(1), Some(15_000), "its pod was there before and waited");
        assert!(after(2) >= Some(end.as_millis() - start.as_millis()), "{:?}", row.actions);
    });
}

#[test]
fn a_notification_is_sent_in_every_ending_that_had_a_run_and_after_everything_is_put_back() {
    for ending in ["cancelled", "deleted", "refused", "failed before the row"] {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let mut spec = with(json!([notification()]));
            match ending {
                "refused" => spec["targets"][0]["workloadRef"]["name"] = "nobody".into(),
                "failed before the row" => lab.fake.world().cluster.ways.generators = Pods::NoImage,
                _ => {}
            }
            lab.apply(TEST, spec);
            lab.start();
            let end = match ending {
                "cancelled" | "deleted" => {
                    lab.until(LIMIT, "the row loads", |status| in_step(status, 1, RowStep::Loading)).await;
                    if ending == "cancelled" {
                        lab.edit(TEST, |spec| spec["cancel"] = true.into());
                        lab.finish(LIMIT).await
                    } else {
                        lab.fake.world().store.delete(&at(TEST));
                        lab.fake.wake();
                        lab.gone(LIMIT).await
                    }
                }
                _ => lab.finish(LIMIT).await,
            };
            assert_eq!(done(&end.acts.done), ["end-act1"], "{ending}: {}", lab.story());
            assert!(end.jobs_left.is_empty() && end.finalizers == 0, "{ending}: {end:?}");
        });
    }
}

#[test]
fn what_fails_after_the_run_is_said_and_changes_no_verdict() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.world().cluster.ways.act_says = "answered status 500";
        lab.apply(TEST, with(json!([notification()])));
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Passed", "ThresholdsMet"), "{}", lab.story());
        let ready = &lab.status(TEST).conditions[0];
        assert!(ready.message.ends_with("; action tell after the run: answered status 500"), "{}", ready.message);
        assert_eq!((done(&end.acts.done), end.jobs_left), (vec!["end-act1"], vec![]));
    });
}

#[test]
fn a_notification_to_a_host_that_is_not_allowed_is_refused_and_never_sent() {
    on_virtual_time(async || {
        let mut action = notification();
        action["http"]["url"] = "http://elsewhere.example/hook".into();
        let mut lab = Lab::with(with(json!([action])));
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "UrlNotAllowed"), "{}", lab.story());
        assert!(end.acts.done.is_empty() && end.jobs_made.is_empty(), "{}", lab.story());
    });
}

#[test]
fn a_reset_that_fails_ends_the_run_with_what_its_pod_said() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.world().cluster.ways.act_says = "the statement has a syntax error (SQLSTATE 42601)";
        lab.apply(TEST, with(json!([{"name": "reset", "when": "BeforeRow", "sql": "drop"}])));
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.reason.as_str()), ("Invalid", "ActionFailed"), "{}", lab.story());
        let ready = lab.status(TEST).conditions.remove(0).message;
        assert!(ready.contains("action reset before row 1: the statement has a syntax error"), "{ready}");
        let acts: Vec<_> = lab.status(TEST).results[0].actions.iter().map(|act| (act.times, act.failed)).collect();
        assert_eq!(acts, [(0, Some(1))], "the row says that it was not done");
        assert!(end.fires.is_empty() && end.jobs_left.is_empty(), "{}", lab.story());
    });
}

#[test]
fn a_job_that_vanishes_is_never_made_again_and_the_row_is_invalid() {
    on_virtual_time(async || {
        let mut lab =
            Lab::with(with(json!([{"name": "cut", "when": "DuringLoad", "afterSeconds": 15, "sql": "select 1"}])));
        let job = loop {
            let running =
                |job: &&Value| job["spec"]["suspend"] == false && job["metadata"]["name"].to_string().contains("act");
            let found = lab.fake.world().store.list("jobs", "").find(running).cloned();
            if let Some(job) = found {
                break job;
            }
            lab.live(Duration::from_millis(250)).await;
        };
        let name = job["metadata"]["name"].as_str().expect("a name").to_owned();
        lab.fake.world().store.delete(&key("jobs", NAMESPACE, &name));
        crate::cluster::jobs::orphans(&mut lab.fake.world());
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "ActionFailed".to_owned())], "{}", lab.story());
        assert_eq!(end.jobs_made[&name], 1, "{}", lab.story());
        assert!(end.acts.done.is_empty(), "{:?}", end.acts);
    });
}

#[test]
fn a_cron_job_that_is_missing_or_makes_several_pods_is_said_before_anything_is_changed() {
    let job = json!([{"name": "reset", "when": "BeforeRow", "job": {"cronJobRef": {"name": "reset"}}}]);
    for missing in [true, false] {
        on_virtual_time(async || {
            let mut lab = Lab::new();
            let reset = key("cronjobs", NAMESPACE, "reset");
            if missing {
                lab.fake.world().store.remove(&reset);
            } else {
                lab.fake
                    .world()
                    .store
                    .edit(&reset, |cron| cron["spec"]["jobTemplate"]["spec"]["completions"] = 2.into());
            }
            lab.apply(TEST, with(job.clone()));
            lab.start();
            let end = lab.finish(LIMIT).await;
            assert_eq!(end.reason, Reason::CronJobMissing.as_str(), "{}", lab.story());
            let said = lab.status(TEST).conditions.remove(0).message;
            let words = if missing { "there is no CronJob reset" } else { "CronJob reset makes Jobs of several pods" };
            assert!(said.contains(words) && end.jobs_made.is_empty(), "{said}");
        });
    }
}

#[test]
fn a_job_that_the_api_server_refuses_fails_its_action_with_its_words() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.trouble(|call| {
            let refused = call.class == "create jobs" && call.what.contains("act");
            refused.then_some(Trouble::Answer { code: 403, applied: false })
        });
        lab.apply(TEST, with(json!([notification()])));
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!((end.verdict.as_str(), end.acts.done.len()), ("Passed", 0), "{}", lab.story());
        let said = lab.status(TEST).conditions.remove(0).message;
        assert!(said.contains("action tell after the run: this call was made to fail"), "{said}");
    });
}

#[test]
fn an_action_after_the_load_that_fails_makes_the_row_invalid_and_the_row_goes_on() {
    on_virtual_time(async || {
        let mut lab = Lab::new();
        lab.fake.world().cluster.ways.acts = Pods::NoImage;
        let flush = json!({"name": "flush", "when": "AfterLoad", "http": {"url": "http://api:8080/flush"}});
        lab.apply(TEST, with(json!([flush])));
        lab.start();
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.rows, [(1, Some(RowVerdict::Invalid), "ActionFailed".to_owned())], "{}", lab.story());
        let row = lab.status(TEST).results.remove(0);
        assert!(row.observations[0].contains("action flush after the load of row 1"), "{:?}", row.observations);
        assert!(row.actions[0].failed == Some(1) && row.ended_at.is_some() && end.jobs_left.is_empty());
    });
}
