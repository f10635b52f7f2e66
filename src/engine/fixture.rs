//! Inputs for the tests of this folder.

use crate::plan::{Arrivals, LoadInput, StepInput, TlsInput};

/// A load of one `GET /` with a timeout of 5 s.
pub fn load(name: &str, url: &str, arrivals: Arrivals) -> LoadInput {
    LoadInput {
        name: name.into(),
        url: url.into(),
        arrivals,
        warmup_seconds: 0,
        start_after_seconds: 0,
        connection: crate::api::ConnectionUse::KeepAlive,
        seed: 1,
        generators: 1,
        headers: vec![],
        basic_auth: None,
        tls: TlsInput::default(),
        steps: vec![step("get", "GET", "/")],
        stops: vec![],
    }
}

/// A step with a timeout of 5 s that accepts any 2xx and counts no tasks.
pub fn step(name: &str, method: &str, path: &str) -> StepInput {
    StepInput {
        name: name.into(),
        method: method.into(),
        path: path.into(),
        timeout_seconds: 5,
        ..StepInput::default()
    }
}
