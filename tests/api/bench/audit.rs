//! The operator's calls, from the API server's audit log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use serde_json::Value;

use crate::cluster::Cluster;

const NAMESPACE: &str = "loadtest-system";
const ACCOUNT: &str = "bench-operator";

/// The log, which LOADTEST_AUDIT names.
pub struct Audit(PathBuf);

/// One call.
pub struct Call(Value);

impl Call {
    /// It changes something.
    pub fn writes(&self) -> bool {
        matches!(self.0["verb"].as_str(), Some("create" | "update" | "patch" | "delete"))
    }

    /// It writes the status of a LoadTest.
    pub fn writes_status(&self) -> bool {
        let object = &self.0["objectRef"];
        self.writes() && object["resource"] == "loadtests" && object["subresource"] == "status"
    }
}

impl Audit {
    /// Where the log ends now.
    pub fn end(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |file| file.len())
    }

    /// The calls after `from`. A watch is counted when it begins and when it ends; its first stage is left out.
    pub fn since(&self, from: u64) -> Vec<Call> {
        let mut file = File::open(&self.0).unwrap();
        file.seek(SeekFrom::Start(from)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let calls = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let user = format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
        calls.filter(|call| call["stage"] == "ResponseComplete" && call["user"]["username"] == user).map(Call).collect()
    }
}

/// An account of its own for the operator, whose calls are logged: the log, and the file with the account's token.
pub fn of_operator(cluster: &Cluster) -> (Audit, tempfile::TempPath) {
    let log = std::env::var("LOADTEST_AUDIT").expect("LOADTEST_AUDIT names the API server's audit log");
    let run = |args: &[&str]| cluster.kubectl(args).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    // What is there from before is as good.
    let _ = cluster.kubectl(&["create", "namespace", NAMESPACE]);
    let _ = cluster.kubectl(&["-n", NAMESPACE, "create", "serviceaccount", ACCOUNT]);
    let account = format!("--serviceaccount={NAMESPACE}:{ACCOUNT}");
    let _ = cluster.kubectl(&["create", "clusterrolebinding", ACCOUNT, "--clusterrole=cluster-admin", &account]);
    let token = run(&["-n", NAMESPACE, "create", "token", ACCOUNT, "--duration=2h"]);
    let mut config: Value = serde_saphyr::from_str(&std::fs::read_to_string(&cluster.config).unwrap()).unwrap();
    for user in config["users"].as_array_mut().unwrap() {
        user["user"] = serde_json::json!({"token": token});
    }
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&file, config.to_string()).unwrap();
    (Audit(log.into()), file)
}
