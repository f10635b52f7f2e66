//! What the pod of an act is given, which runs a statement or sends a request: `plan.json` in its ConfigMap. Secrets are named
//! here, never contained.

use serde::{Deserialize, Serialize};

use super::generator_input::{HeaderInput, PROTOCOL_VERSION, VarInput};
use super::inputs::{POSTGRES_URL_ENV, RunIdentity, headers, unsigned, vars};
use super::plan::Plan;
use super::variables::names;
use crate::api::{Action, Method};

/// One act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActInput {
    /// [`PROTOCOL_VERSION`] of the writer.
    pub protocol: i32,
    /// `$(run.id)`.
    pub run_id: String,
    /// `$(run.start)`: milliseconds since the epoch.
    pub run_start_ms: i64,
    /// `$(row.number)`; absent: it belongs to the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<i32>,
    /// How the run ended; absent: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// In mid-load: not done before, nor after, milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Longest that it may take.
    pub timeout_seconds: u32,
    #[serde(flatten)]
    pub what: ActWhat,
    pub vars: Vec<VarInput>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// `$(run.verdict)`.
    pub verdict: String,
    /// `$(run.message)`.
    pub message: String,
}

/// When an act in mid-load is done, milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Due {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ActWhat {
    /// A statement that may write; variables are bound, not pasted.
    Sql {
        statement: String,
        /// Environment variable with postgres://user:password@host/database.
        url_env: String,
    },
    /// One request; 2xx is expected.
    Http {
        url: String,
        method: Method,
        headers: Vec<HeaderInput>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
}

/// What the pod of `action` is given, with the row's values of swept variables; `None`: it is no action of a pod of ours.
pub fn act_input(
    plan: &Plan,
    action: &Action,
    run: &RunIdentity,
    row: Option<i32>,
    due: Option<Due>,
    ended: Option<Ended>,
) -> Option<ActInput> {
    let what = match (&action.sql, &action.http) {
        (Some(statement), _) => ActWhat::Sql { statement: statement.clone(), url_env: POSTGRES_URL_ENV.into() },
        (None, Some(http)) => ActWhat::Http {
            url: http.url.clone(),
            method: http.method,
            headers: headers(&http.headers),
            body: http.body.clone(),
        },
        (None, None) => return None,
    };
    let variables = row.and_then(|row| plan.row(row)).map(|row| row.variables.clone()).unwrap_or_default();
    Some(ActInput {
        protocol: PROTOCOL_VERSION,
        run_id: run.name.clone(),
        run_start_ms: run.start_ms,
        row,
        ended,
        due,
        timeout_seconds: unsigned(action.timeout_seconds),
        what,
        vars: vars(&plan.spec, &variables).into_iter().filter(|var| uses(action, &var.name)).collect(),
    })
}

/// Whether an action names that entry of spec.vars.
pub fn uses(action: &Action, var: &str) -> bool {
    let http = action.http.iter();
    let of_http = http.flat_map(|http| {
        let headers = http.headers.iter().map(|header| header.value.as_str());
        headers.chain([http.url.as_str()]).chain(http.body.as_deref())
    });
    let mut texts = of_http.chain(action.sql.as_deref());
    texts.any(|text| names(text).any(|name| name.strip_prefix("vars.") == Some(var)))
}
