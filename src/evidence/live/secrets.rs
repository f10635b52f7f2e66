//! What the sources take from the environment of their pod.

use std::collections::{BTreeMap, HashMap};

use crate::plan::{ObserverInput, VarSourceInput};

/// What the environment holds. Has no `Debug`.
pub struct Secrets {
    /// postgres://user:password@host/database; none without database.postgres.
    pub postgres_url: Option<String>,
    /// Values of `$(vars.NAME)` by name.
    pub vars: BTreeMap<String, String>,
}

/// Values of variables, from where the plan says they are.
///
/// # Errors
/// The name of the first environment variable that isn't there.
pub fn resolve(input: &ObserverInput, environment: &HashMap<String, String>) -> Result<Secrets, String> {
    let get = |name: &str| environment.get(name).cloned().ok_or_else(|| name.to_owned());
    let mut vars = BTreeMap::new();
    for var in &input.vars {
        let value = match &var.source {
            VarSourceInput::Value(value) => value.clone(),
            VarSourceInput::Env(name) => get(name)?,
        };
        vars.insert(var.name.clone(), value);
    }
    let postgres_url = input.postgres.as_ref().map(|postgres| get(&postgres.url_env)).transpose()?;
    Ok(Secrets { postgres_url, vars })
}
