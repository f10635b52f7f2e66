//! What a person does with a LoadTest that is in a cluster, with the person's own rights.

pub mod cancel;
pub mod compare;
pub mod init;
mod kept;
pub mod plan;
pub mod report;
pub mod rerun;
pub mod restore;
pub mod watch;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Error};
use serde_json::Value;

use super::exit;
use crate::api::{LoadTest, Phase};

/// Which cluster, and where in it; as kubectl has them.
#[derive(Clone, Debug, clap::Args)]
pub struct Connection {
    /// Namespace; without it that of the kubeconfig's context.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Context of the kubeconfig; without it the current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig; without it that of kubectl.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Why a command ended, for people, and with which of the [`exit`] codes.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    pub code: u8,
}

/// A namespace of a cluster.
pub struct Place {
    pub client: Client,
    pub namespace: String,
}

impl Connection {
    /// Reads the kubeconfig; asks nobody.
    ///
    /// # Errors
    /// There is no cluster to be asked.
    pub async fn open(&self) -> Result<Place, Said> {
        let nobody = |error: &dyn std::fmt::Display| Said {
            text: format!("no cluster to ask: {error}; name one with --kubeconfig, --context or KUBECONFIG"),
            code: exit::UNASKED,
        };
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = match &self.kubeconfig {
            Some(file) => {
                let kubeconfig = Kubeconfig::read_from(file).map_err(|error| nobody(&error))?;
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| nobody(&error))?
            }
            None => Config::from_kubeconfig(&options).await.map_err(|error| nobody(&error))?,
        };
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| nobody(&error))?;
        Ok(Place { client, namespace })
    }
}

impl Place {
    /// Objects of a kind in the namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The LoadTest of that name.
    ///
    /// # Errors
    /// There is none, or nobody could be asked.
    pub async fn test(&self, name: &str) -> Result<LoadTest, Said> {
        self.api::<LoadTest>().get(name).await.map_err(|error| self.why("LoadTest", name, &error))
    }

    /// Merges `spec` into the LoadTest's.
    ///
    /// # Errors
    /// The API server refused, or nobody could be asked.
    pub async fn edit(&self, name: &str, spec: Value) -> Result<LoadTest, Said> {
        let patch = Patch::Merge(serde_json::json!({ "spec": spec }));
        let edited = self.api::<LoadTest>().patch(name, &PatchParams::default(), &patch).await;
        edited.map_err(|error| self.why("LoadTest", name, &error))
    }

    /// What an error of the API server means for whoever asked.
    pub fn why(&self, kind: &str, name: &str, error: &Error) -> Said {
        let namespace = &self.namespace;
        match error {
            Error::Api(status) if status.code == 404 && is_unknown(&status.message) => Said {
                text: "the cluster has no LoadTests: install the operator's chart first".into(),
                code: exit::UNASKED,
            },
            Error::Api(status) if status.code == 404 && status.message.starts_with("namespaces ") => Said {
                text: format!("there is no namespace {namespace}; name another one with --namespace"),
                code: exit::USAGE,
            },
            Error::Api(status) if status.code == 404 => {
                let all = if kind == "LoadTest" { "; kubectl get loadtests -A lists all LoadTests" } else { "" };
                Said { text: format!("no {kind} {name} in namespace {namespace}{all}"), code: exit::USAGE }
            }
            Error::Api(status) if status.code == 403 => Said {
                text: format!(
                    "{}; ask who administers the cluster for that right (docs/user/commands.md lists what each command needs)",
                    status.message
                ),
                code: exit::UNASKED,
            },
            Error::Api(status) if status.code == 401 => Said {
                text: "the cluster does not know you (401 Unauthorized): log in again, or name another context with --context".into(),
                code: exit::UNASKED,
            },
            Error::Api(status) => Said { text: status.message.clone(), code: exit::UNASKED },
            other => Said {
                text: format!("the cluster did not answer: {}; kubectl cluster-info shows whether kubectl reaches it", chain(other)),
                code: exit::UNASKED,
            },
        }
    }
}

/// The API server does not serve the resource: in a group that it knows (the first), or of a group that it does not.
fn is_unknown(message: &str) -> bool {
    message.contains("could not find the requested resource") || message.contains("page not found")
}

/// An error with what caused it; a cause that the text names already is not named again.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = error.source();
    }
    text
}

/// A run is in progress, or will be as soon as the operator looks.
pub fn is_busy(test: &LoadTest) -> bool {
    let status = test.status.as_ref();
    let seen = status.and_then(|status| status.observed_generation) == test.metadata.generation;
    !(status.and_then(|status| status.phase) == Some(Phase::Finished) && seen)
}

/// Ends a command: the code, or what was wrong.
pub fn ended(command: &str, answer: Result<u8, Said>) -> ExitCode {
    ExitCode::from(answer.unwrap_or_else(|said| {
        eprintln!("loadtest {command}: {}", said.text);
        said.code
    }))
}

/// The exit code of a finished test's verdict.
pub fn code_of(test: &LoadTest) -> u8 {
    use crate::api::Verdict;
    match test.status.as_ref().and_then(|status| status.verdict) {
        Some(Verdict::Passed) => exit::PASSED,
        Some(Verdict::Failed) => exit::FAILED,
        Some(Verdict::Aborted) => exit::ABORTED,
        Some(Verdict::Invalid) | None => exit::INVALID,
    }
}
