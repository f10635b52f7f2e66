//! Names and labels of a run's objects. A test that is deleted and applied again never meets its namesake's objects.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

/// Label of Jobs, pods and ConfigMaps: `<LoadTest uid>.<run number>`.
pub const RUN_LABEL: &str = "loadtest.dev/run";
/// Label of a row's objects: its number, or `observe`, or that of an act ([`crate::plan::act_part`]).
pub const ROW_LABEL: &str = "loadtest.dev/row";
/// Label with the LoadTest's name, for people.
pub const TEST_LABEL: &str = "loadtest.dev/test";
/// Value of [`ROW_LABEL`] on the observer's objects.
pub const OBSERVE: &str = "observe";
/// Container of a generator's pod, and the command it runs; an observer's is [`OBSERVE`].
pub const GENERATE: &str = "generate";
/// Finalizer of a LoadTest, from its claim until everything is put back.
pub const FINALIZER: &str = "loadtest.dev/put-back";

/// Which run of which LoadTest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    pub namespace: String,
    pub test: String,
    pub uid: String,
    /// Number of the run, from 1.
    pub run: i64,
}

impl RunName {
    /// `<uid>.<number>`: the claim label's and the run label's value.
    pub fn label(&self) -> String {
        format!("{}.{}", self.uid, self.run)
    }

    /// `<test>-<5 of uid>-<number>`, also `$(run.id)`.
    pub fn base(&self) -> String {
        let five: String = self.uid.chars().filter(|c| c.is_ascii_alphanumeric()).take(5).collect();
        format!("{}-{five}-{}", self.test, self.run)
    }

    /// Generator Job of a row, and the ConfigMap with what it found.
    pub fn row(&self, row: i32) -> String {
        format!("{}-{row}", self.base())
    }

    /// ConfigMap with what the row's generators are given.
    pub fn row_plan(&self, row: i32) -> String {
        format!("{}-plan", self.row(row))
    }

    /// The observer's Job.
    pub fn observer(&self) -> String {
        format!("{}-{OBSERVE}", self.base())
    }

    /// ConfigMap with what the observer is given.
    pub fn observer_plan(&self) -> String {
        format!("{}-plan", self.observer())
    }

    /// The Job of an act, by [`crate::plan::act_part`].
    pub fn act(&self, part: &str) -> String {
        format!("{}-{part}", self.base())
    }

    /// ConfigMap with what the act's pod is given.
    pub fn act_plan(&self, part: &str) -> String {
        format!("{}-plan", self.act(part))
    }

    /// ConfigMap with table.md, results.csv, results.json and junit.xml.
    pub fn report(&self) -> String {
        format!("{}-report", self.base())
    }

    /// Labels of an object of `part`: a row's number, [`OBSERVE`], or an act's.
    pub fn labels(&self, part: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("app.kubernetes.io/managed-by".into(), "loadtest-operator".into()),
            (TEST_LABEL.into(), self.test.clone()),
            (RUN_LABEL.into(), self.label()),
            (ROW_LABEL.into(), part.into()),
        ])
    }

    /// The LoadTest as controlling owner.
    pub fn owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: "loadtest.dev/v1alpha1".into(),
            kind: "LoadTest".into(),
            name: self.test.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }
}
