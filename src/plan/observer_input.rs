//! What the observer pod is given: `plan.json` in its ConfigMap. Secrets are named here, never contained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Durations, Until};

use super::generator_input::{BasicAuthInput, HeaderInput, TlsInput, VarInput};

/// What is sampled, for the whole test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObserverInput {
    /// [`super::PROTOCOL_VERSION`] of the writer.
    pub protocol: i32,
    /// `$(run.id)`.
    pub run_id: String,
    /// `$(run.start)`: milliseconds since the epoch.
    pub run_start_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresInput>,
    pub measurements: Vec<MeasurementInput>,
    /// settle.until: the work of a row is over when it holds after the load's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    pub vars: Vec<VarInput>,
    /// Entries of vars that a row gives another value, by the row's number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub swept: BTreeMap<i32, BTreeMap<String, String>>,
}

/// PostgreSQL itself, sampled once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostgresInput {
    /// Environment variable with postgres://user:password@host/database.
    pub url_env: String,
    /// A query that runs longer is a slow query.
    pub slow_query_milliseconds: u32,
}

/// One number that is asked again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasurementInput {
    pub name: String,
    pub interval_seconds: u32,
    pub source: MeasurementSource,
}

impl MeasurementInput {
    /// How its https server is checked, if it has one.
    pub fn tls_mut(&mut self) -> Option<&mut TlsInput> {
        match &mut self.source {
            MeasurementSource::Http { tls, .. } => Some(tls),
            MeasurementSource::Sql { .. } => None,
        }
    }
}

/// Where the number comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MeasurementSource {
    /// A JSON answer; when an array stands at the pointer, its length.
    Http {
        url: String,
        json_pointer: String,
        headers: Vec<HeaderInput>,
        #[serde(skip_serializing_if = "Option::is_none")]
        basic_auth: Option<BasicAuthInput>,
        tls: TlsInput,
        /// Not one number, but times between instants of items; asked when the row's work is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        durations: Option<Box<Durations>>,
    },
    /// One row with one number, in a read-only transaction; variables are bound, not pasted.
    Sql { statement: String },
}

/// The row the observer is in, as it reads it from the annotation `loadtest.dev/row`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedRow {
    /// Number of the row, from 1; 0 before the first.
    pub row: i32,
    /// `$(row.start)`: first request due, warm-up included; milliseconds since the epoch. Absent: not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    /// `$(row.end)`: load ended. Absent: it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
}
