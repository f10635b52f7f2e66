//! What the schema can't say about actions: that they fit into each row.

use super::field_error::FieldError;
use super::plan::PlannedRow;
use super::schedule::{MAX_ACTS, acts, span_ms};
use crate::api::{Action, LoadTestSpec, When};

/// Checks the actions against one row.
pub fn check(spec: &LoadTestSpec, row: &PlannedRow, errors: &mut Vec<FieldError>) {
    let mut found = Vec::new();
    for (i, action) in row.actions.iter().enumerate() {
        let mut say = |field: &str, message: String| {
            found.push(FieldError::new(format!("spec.actions[{i}].{field}"), message));
        };
        if action.when == When::DuringLoad {
            fits(action, row, &mut say);
        }
        if let Some(scale) = &action.scale {
            if row.target(&scale.target.0).and_then(|target| target.replicas) == Some(scale.replicas) {
                say("scale.replicas", format!("{} has {} replicas anyway", scale.target.0, scale.replicas));
            }
            let same = |other: &&Action| other.when == action.when && overlaps(other, action);
            if let Some(other) = row.actions[..i].iter().find(same) {
                say("scale", format!("{} scales {} at the same time", other.name.0, scale.target.0));
            }
        }
    }
    named(spec, &mut found);
    if acts(spec, row).len() > MAX_ACTS {
        let message = format!("the actions of a row come to more than {MAX_ACTS} times; write larger times for every");
        found.push(FieldError::new("spec.actions", message));
    }
    found.into_iter().for_each(|error| {
        if !errors.contains(&error) {
            errors.push(error);
        }
    });
}

/// Answers that are good while an action lasts name one in mid-load that lasts for a time.
fn named(spec: &LoadTestSpec, found: &mut Vec<FieldError>) {
    let lasts = |action: &&Action| action.for_seconds.is_some() || action.grace_seconds.is_some();
    let known: Vec<_> = spec.actions.iter().filter(lasts).map(|action| action.name.0.as_str()).collect();
    for (i, load) in spec.loads.iter().enumerate() {
        for (j, step) in load.steps.iter().enumerate() {
            let during = step.expect.as_ref().and_then(|expect| expect.during_action.as_ref());
            let Some(during) = during.filter(|during| !known.contains(&during.name.0.as_str())) else { continue };
            let path = format!("spec.loads[{i}].steps[{j}].expect.duringAction.name");
            let message = format!("there is no action {} with forSeconds or graceSeconds", during.name.0);
            found.push(FieldError::new(path, message));
        }
    }
}

/// An action in mid-load ends before the load does.
fn fits(action: &Action, row: &PlannedRow, say: &mut impl FnMut(&str, String)) {
    let span = span_ms(row) / 1000;
    if span == 0 {
        return say("when", "DuringLoad needs a load with durationSeconds: another one may end at any time".into());
    }
    let from = i64::from(action.after_seconds.unwrap_or(0)) + i64::from(action.every.map_or(0, |e| e.max_seconds));
    let to = from + i64::from(action.for_seconds.unwrap_or(0));
    if to >= span {
        let field = if action.for_seconds.is_some() { "forSeconds" } else { "afterSeconds" };
        say(field, format!("it takes until {to} s after the start, but the row's load only takes {span} s"));
    }
}

/// Two actions that scale one target overlap in time.
fn overlaps(one: &Action, other: &Action) -> bool {
    let (Some(a), Some(b)) = (&one.scale, &other.scale) else { return false };
    let time = |action: &Action| {
        let from = action.after_seconds.unwrap_or(0);
        (from, from + action.for_seconds.unwrap_or(0))
    };
    let ((from, to), (start, end)) = (time(one), time(other));
    a.target == b.target && from <= end && start <= to
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::When;
    use crate::plan::{acts, plan, run_acts, windows};

    fn spec(actions: Value) -> crate::api::LoadTestSpec {
        serde_json::from_value(json!({
            "loads": [{"name": "m", "url": "http://a/", "rate": 1, "durationSeconds": 60}],
            "targets": [{"name": "db", "workloadRef": {"name": "db"}}], "actions": actions}))
        .expect("a spec")
    }

    fn errors(actions: Value) -> Vec<String> {
        plan(&spec(actions)).expect_err("errors").iter().map(ToString::to_string).collect()
    }

    fn times(actions: Value) -> Vec<(usize, Option<i64>, bool)> {
        let plan = plan(&spec(actions)).expect("a plan");
        acts(&plan.spec, &plan.rows[0]).iter().map(|act| (act.action, act.at_ms, act.undo)).collect()
    }

    #[test]
    fn acts_come_in_the_order_of_their_times_and_what_is_undone_is_an_act_too() {
        let got = times(json!([
            {"name": "away", "when": "DuringLoad", "afterSeconds": 20, "forSeconds": 10, "scale": {"target": "db", "replicas": 0}},
            {"name": "again", "when": "DuringLoad", "afterSeconds": 25, "restart": {"target": "db"}},
            {"name": "fresh", "when": "BeforeRow", "restart": {"target": "db"}}]));
        assert_eq!(
            got,
            [(2, None, false), (0, Some(20_000), false), (1, Some(25_000), false), (0, Some(30_000), true)]
        );
    }

    #[test]
    fn random_times_lie_between_their_bounds_and_are_the_same_in_every_run() {
        let kill = |seed: i32| {
            let mut spec =
                spec(json!([{"name": "kill", "when": "DuringLoad", "every": {"minSeconds": 5, "maxSeconds": 9},
                "graceSeconds": 2, "deletePods": {"target": "db"}}]));
            spec.seed = Some(seed);
            let plan = plan(&spec).expect("a plan");
            (acts(&plan.spec, &plan.rows[0]), windows(&plan.spec, &plan.rows[0]))
        };
        let (first, excused) = kill(1);
        let at: Vec<i64> = first.iter().filter_map(|act| act.at_ms).collect();
        let gaps: Vec<i64> = std::iter::once(&0).chain(&at).zip(&at).map(|(a, b)| b - a).collect();
        assert!(gaps.iter().all(|gap| (5_000..=9_000).contains(gap)) && gaps.len() >= 6, "{gaps:?}");
        assert_eq!(first, kill(1).0);
        assert_ne!(first, kill(2).0);
        let wanted: Vec<_> = at.iter().map(|at| (*at, at + 2_000)).collect();
        assert_eq!(excused.iter().map(|w| (w.from_ms, w.to_ms)).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn an_action_that_outlasts_the_load_or_meets_another_is_refused() {
        let away = |after: i32, seconds: i32, name: &str| {
            json!({"name": name, "when": "DuringLoad", "afterSeconds": after, "forSeconds": seconds,
                "scale": {"target": "db", "replicas": 0}})
        };
        assert_eq!(
            errors(json!([away(50, 10, "a")])),
            ["spec.actions[0].forSeconds: it takes until 60 s after the start, but the row's load only takes 60 s"]
        );
        assert_eq!(
            errors(json!([away(10, 20, "a"), away(30, 5, "b")])),
            ["spec.actions[1].scale: a scales db at the same time"]
        );
        assert!(plan(&spec(json!([away(10, 20, "a"), away(31, 5, "b")]))).is_ok());
    }

    #[test]
    fn a_load_that_may_end_at_any_time_takes_no_action_in_mid_load() {
        let mut spec = spec(json!([{"name": "a", "when": "DuringLoad", "restart": {"target": "db"}}]));
        (spec.loads[0].rate, spec.loads[0].duration_seconds) = (None, None);
        let errors = plan(&spec).expect_err("an error");
        assert!(
            errors[0].to_string().starts_with("spec.actions[0].when: DuringLoad needs a load with durationSeconds")
        );
    }

    #[test]
    fn answers_that_are_good_while_an_action_lasts_need_that_action() {
        let with = |name: &str| {
            let mut spec = spec(
                json!([{"name": "away", "when": "DuringLoad", "forSeconds": 5, "scale": {"target": "db", "replicas": 0}}]),
            );
            let step = json!({"name": "s", "expect": {"duringAction": {"name": name, "status": [503]}}});
            spec.loads[0].steps = vec![serde_json::from_value(step).expect("a step")];
            plan(&spec)
        };
        assert!(with("away").is_ok());
        let errors = with("gone").expect_err("an error");
        assert!(
            errors[0]
                .to_string()
                .starts_with("spec.loads[0].steps[0].expect.duringAction.name: there is no action gone")
        );
    }

    #[test]
    fn more_than_256_acts_are_refused() {
        let mut spec = spec(json!([{"name": "a", "when": "DuringLoad", "every": {"minSeconds": 1, "maxSeconds": 1},
            "deletePods": {"target": "db"}}]));
        spec.loads[0].duration_seconds = Some(600);
        assert!(plan(&spec).expect_err("an error")[0].to_string().contains("more than 256 times"));
    }

    #[test]
    fn acts_of_a_row_come_by_their_moments_and_those_of_the_run_for_themselves() {
        let grow = |when: &str| json!({"name": when.to_lowercase(), "when": when, "http": {"url": "http://a/"}});
        let moments = ["AfterRow", "AfterLoad", "AfterRun", "BeforeRow", "BeforeRun"];
        let plan = plan(&spec(moments.map(grow).into())).expect("a plan");
        let names = |acts: Vec<crate::plan::Act>| -> Vec<String> {
            acts.iter().map(|act| plan.spec.actions[act.action].name.0.clone()).collect()
        };
        assert_eq!(names(acts(&plan.spec, &plan.rows[0])), ["beforerow", "afterload", "afterrow"]);
        assert_eq!(names(run_acts(&plan.spec, When::BeforeRun)), ["beforerun"]);
        assert_eq!(names(run_acts(&plan.spec, When::AfterRun)), ["afterrun"]);
    }

    #[test]
    fn the_replicas_of_an_action_are_swept() {
        let mut spec = spec(json!([{"name": "grow", "when": "AfterLoad", "scale": {"target": "db", "replicas": 1}}]));
        spec.sweep = vec![serde_json::from_value(json!({"action": "grow", "replicas": [2, 4]})).expect("a sweep")];
        let plan = plan(&spec).expect("a plan");
        let replicas = |row: &crate::plan::PlannedRow| row.actions[0].scale.as_ref().map(|scale| scale.replicas);
        assert_eq!(plan.rows.iter().map(replicas).collect::<Vec<_>>(), [Some(2), Some(4)]);
        assert_eq!(plan.rows[1].set[0].name, "grow.replicas");
        assert_eq!(plan.scales("db"), [2, 4]);
    }

    #[test]
    fn variables_of_the_end_are_known_after_the_run_only() {
        let told = |when: &str, name: &str| {
            let body = format!("$({name})");
            plan(&spec(json!([{"name": "a", "when": when, "http": {"url": "http://a/", "body": body}}])))
        };
        assert!(told("AfterRun", "run.verdict").is_ok() && told("AfterRow", "row.number").is_ok());
        for (when, name) in [("AfterRow", "run.message"), ("AfterRun", "row.number"), ("BeforeRun", "row.number")] {
            let errors = told(when, name).expect_err("an error");
            assert!(errors[0].to_string().starts_with("spec.actions[0].http.body: unknown variable"), "{}", errors[0]);
        }
    }
}
