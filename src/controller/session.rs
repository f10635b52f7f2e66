//! One pass over one LoadTest: what is wanted, what the status says, and what was looked at so far.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::context::{Context, Memory};
use crate::api::{LoadTest, LoadTestStatus, Reason, Target};
use crate::build::{FINALIZER, Field, Fields, RunName, wanted};
use crate::evidence::cluster::pods::PodFact;
use crate::lifecycle::{Input, Intent, Millis, PlanView, Seen, State, Uid, scaled, ttl, view};
use crate::plan::{FieldError, Plan, PlannedRow, RunIdentity, act_part, plan};

/// One pass.
pub struct Session<'a> {
    pub context: &'a Context,
    /// As the API server just said.
    pub test: LoadTest,
    /// Absent: the spec contradicts itself.
    pub plan: Option<Plan>,
    pub errors: Vec<FieldError>,
    /// Names of the sized targets, in the order they are claimed.
    pub sized: Vec<String>,
    pub view: PlanView,
    pub intent: Intent,
    pub state: State,
    pub seen: Seen,
    pub memory: Memory,
    /// Why what was looked at last is as it is, for people.
    pub note: String,
    /// Uids behind their hashes.
    pub uids: HashMap<Uid, String>,
    /// Sized targets as they were read, in order.
    pub workloads: Vec<Option<Value>>,
    /// Pods of the row, as they were read.
    pub pods: Vec<Pod>,
    /// Pods of the target whose pods the act at hand deletes.
    pub victims: Vec<Pod>,
    /// When the pod of the act at hand did it, milliseconds since the epoch.
    pub act_ran_at: Option<Millis>,
    /// Pods that serve, by target, once the rollout is proved.
    pub serving: Vec<(String, i64, Vec<PodFact>)>,
}

impl<'a> Session<'a> {
    /// Plans and reads the status; looks at nothing else.
    pub fn new(context: &'a Context, test: LoadTest) -> Self {
        let planned = plan(&test.spec);
        let (plan, mut errors) = match planned {
            Ok(plan) => (Some(plan), Vec::new()),
            Err(errors) => (None, errors),
        };
        let mut refusal = (!errors.is_empty()).then_some(Reason::InvalidSpec);
        if let Some(plan) = &plan {
            errors = context.config.limits.exceeded(plan);
            refusal = (!errors.is_empty()).then_some(Reason::LimitExceeded);
        }
        let sized: Vec<String> = match &plan {
            Some(plan) => plan.sized().into_iter().map(|target| target.name.0.clone()).collect(),
            // A plan that this version can't read: what its run changed is put back all the same.
            None => test.status.iter().flat_map(|s| &s.targets).map(|record| record.name.0.clone()).collect(),
        };
        let longest = context.config.limits.max_duration_seconds * 1000;
        let view = match &plan {
            Some(plan) => PlanView::of(plan, Some(longest)),
            None => PlanView { sized: sized.len(), total: longest, ..PlanView::default() },
        };
        let state = view::state(test.status.as_ref(), &sized);
        let intent = intent(&test, plan.as_ref(), refusal);
        let memory = context.recall(&test.uid().unwrap_or_default(), state.run);
        Self {
            context,
            test,
            plan,
            errors,
            sized,
            view,
            intent,
            state,
            seen: Seen {
                refused: memory.refused,
                kept: memory.kept,
                not_yet_since: memory.not_yet_since,
                ..Seen::default()
            },
            memory,
            note: String::new(),
            uids: HashMap::new(),
            workloads: Vec::new(),
            pods: Vec::new(),
            victims: Vec::new(),
            act_ran_at: None,
            serving: Vec::new(),
        }
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        self.context.clock.now()
    }

    /// What `decide` looks at.
    pub fn input(&self) -> Input<'_> {
        Input { now: self.now(), intent: &self.intent, plan: &self.view, state: &self.state, seen: &self.seen }
    }

    /// Keeps what was learned for the next pass.
    pub fn remember(&self) {
        self.context.remember(&self.uid(), self.memory.clone());
    }

    pub fn uid(&self) -> String {
        self.test.uid().unwrap_or_default()
    }

    pub fn namespace(&self) -> String {
        self.test.namespace().unwrap_or_default()
    }

    /// The run in progress, or the last one.
    pub fn run(&self) -> RunName {
        self.run_number(self.state.run)
    }

    /// The run of that number.
    pub fn run_number(&self, run: i64) -> RunName {
        RunName { namespace: self.namespace(), test: self.test.name_any(), uid: self.uid(), run }
    }

    /// The run as its agents know it.
    pub fn identity(&self) -> RunIdentity {
        RunIdentity { name: self.run().base(), start_ms: self.state.started_at }
    }

    pub fn status(&self) -> LoadTestStatus {
        self.test.status.clone().unwrap_or_default()
    }

    /// The row in progress.
    pub fn row(&self) -> Option<&PlannedRow> {
        self.plan.as_ref()?.row(self.state.row.into())
    }

    /// A target as the row in progress (or the spec, before the first) wants it.
    pub fn target(&self, name: &str) -> Option<&Target> {
        let of_row = self.row().and_then(|row| row.target(name));
        of_row.or_else(|| self.test.spec.targets.iter().find(|target| target.name.0 == name))
    }

    /// What the row in progress wants of a target now: its size, with the replicas that an act gives it. `originals`: what
    /// its claim says stood there before.
    pub fn wanted(&self, target: &Target, originals: &Fields) -> Fields {
        let mut fields = wanted(target);
        let name = &target.name.0;
        if self.plan.as_ref().is_some_and(|plan| !plan.scales(name).is_empty()) {
            let row = self.view.rows.get(usize::from(self.state.row).saturating_sub(1));
            let at = self.sized.iter().position(|sized| sized == name);
            let scaled = row.zip(at).and_then(|(row, at)| scaled(&row.acts, self.state.act, at));
            match scaled {
                Some(replicas) => drop(fields.insert(Field::Replicas, Some(replicas.into()))),
                None => {
                    let original = originals.get(&Field::Replicas).cloned().flatten();
                    fields.entry(Field::Replicas).or_insert(original);
                }
            }
        }
        fields
    }

    /// Every field that a row or an action sets of a target.
    pub fn fields(&self, target: &str) -> Vec<Field> {
        let Some(plan) = &self.plan else { return Vec::new() };
        let rows = plan.rows.iter().filter_map(|row| row.target(target));
        let mut fields: Vec<_> = rows.flat_map(|target| wanted(target).into_keys()).collect();
        fields.extend((!plan.scales(target).is_empty()).then_some(Field::Replicas));
        fields.sort();
        fields.dedup();
        fields
    }

    /// The act under way, as a target's claim shows it.
    pub fn act_mark(&self) -> String {
        self.act_mark_of(self.state.act)
    }

    /// The same of the row's act of that number.
    pub fn act_mark_of(&self, act: u16) -> String {
        format!("{}.{act}", self.state.row)
    }

    /// The act under way (or the last one), as its Job is called and labelled.
    pub fn act_part(&self) -> String {
        let row = (!self.state.judged).then(|| i32::from(self.state.row));
        act_part(row, self.state.act.into())
    }

    /// An API of the test's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.context.client.clone(), &self.namespace())
    }

    /// The same for acts: a call of it is sent once.
    pub fn once<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.context.once.clone(), &self.namespace())
    }

    /// Remembers the uid behind a hash.
    pub fn hash(&mut self, uid: &str) -> Uid {
        let hash = Uid::of(uid);
        self.uids.insert(hash, uid.to_owned());
        hash
    }
}

fn intent(test: &LoadTest, plan: Option<&Plan>, refusal: Option<Reason>) -> Intent {
    let run = test.status.as_ref().and_then(|status| status.run.as_ref());
    let same = |plan: &Plan| {
        run.is_some_and(|run| run.hash_version == crate::plan::HASH_VERSION && run.plan_hash == plan.hash)
    };
    Intent {
        generation: test.metadata.generation.unwrap_or(0),
        refusal,
        same_plan: plan.is_some_and(same),
        suspend: test.spec.suspend,
        cancel: test.spec.cancel,
        deleting: test.metadata.deletion_timestamp.is_some(),
        finalizer: test.finalizers().iter().any(|f| f == FINALIZER),
        ttl: ttl(test.spec.ttl_seconds_after_finished.map(i64::from)),
    }
}
