//! Values that are written once.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules::exactly_one;
use super::shared::*;

/// A value to use as $(vars.NAME).
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one(&["value", "valueFrom"]))]
pub struct Var {
    /// Variable.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z][A-Za-z0-9]*$"))]
    pub name: String,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub value: Option<String>,
    /// Or where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<VarSource>,
}

/// Where a value is.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one(&["secretKeyRef", "configMapKeyRef"]))]
pub struct VarSource {
    /// A key of a Secret. Read by the pods, never by the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A key of a ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,
}
