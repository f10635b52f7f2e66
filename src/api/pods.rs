//! The pods that send and measure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::*;

/// The pods that send and measure.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pods {
    /// CPU request and limit of a generator.
    pub cpu: CpuQuantity,
    /// Memory request and limit of a generator.
    pub memory: MemoryQuantity,
    /// Nodes they may run on. They avoid the nodes of the targets anyway, where they can.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub node_selector: BTreeMap<String, LabelValue>,
    /// Taints they tolerate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = list::atomic)]
    pub tolerations: Vec<Toleration>,
    /// More labels (network policies).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub labels: BTreeMap<String, LabelValue>,
    /// More annotations, for example sidecar.istio.io/inject: "false".
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub annotations: BTreeMap<String, AnnotationValue>,
    /// Service account (OpenShift, service mesh); its token is not mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<ObjectName>,
    /// Secrets to pull the operator's image with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), transform = list::by_name)]
    pub image_pull_secrets: Vec<ImagePullSecret>,
    /// Priority class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<ObjectName>,
}

impl Default for Pods {
    fn default() -> Self {
        Self {
            cpu: CpuQuantity(IntOrString::String("1".into())),
            memory: MemoryQuantity(IntOrString::String("256Mi".into())),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            service_account_name: None,
            image_pull_secrets: Vec::new(),
            priority_class_name: None,
        }
    }
}

/// A taint that is tolerated.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Toleration {
    /// Taint key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub key: Option<String>,
    /// Exists or Equal.
    #[serde(default)]
    pub operator: TolerationOperator,
    /// Taint value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// Effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

/// How a taint's value is compared.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TolerationOperator {
    Exists,
    #[default]
    Equal,
}

/// Effect of a taint.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// A Secret to pull an image with.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImagePullSecret {
    /// Its name.
    pub name: ObjectName,
}
