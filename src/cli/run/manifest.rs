//! The manifest that `loadtest run` is given, made into what this machine can run.

use std::collections::HashMap;
use std::path::Path;

use super::super::exit;
use super::Args;
use crate::agents::local::{NotApplied, StandIns, map_urls, without_cluster};
use crate::api::LoadTestSpec;
use crate::engine::http::tls::{TlsError, client_config};
use crate::plan::{Checked, FieldError, POSTGRES_URL_ENV, Plan, TlsInput, check_documents, plan, var_env};

/// What will be run.
pub struct Manifest {
    pub name: String,
    pub plan: Plan,
    pub not_applied: Vec<NotApplied>,
    /// What was chosen for a URL and people may not expect; a line.
    pub chosen: Option<String>,
    /// Secrets, by the names that the plan gives them. Never shown.
    pub environment: HashMap<String, String>,
}

/// Why nothing is run.
#[derive(Debug)]
pub struct Refused {
    pub lines: Vec<String>,
    /// The exit code.
    pub code: u8,
}

fn usage(line: impl Into<String>) -> Refused {
    Refused { lines: vec![line.into()], code: exit::USAGE }
}

/// Reads the file, or makes a manifest for the URL.
///
/// # Errors
/// Everything that is wrong with it, or missing beside it.
pub fn read(args: &Args) -> Result<Manifest, Refused> {
    let lower = args.what.to_ascii_lowercase();
    let is_url = lower.starts_with("http://") || lower.starts_with("https://");
    let Checked { name, plan: checked } = match (is_url, args.request.given()) {
        (true, _) => args.request.manifest(&args.what, &args.vars).map_err(usage)?,
        (false, Some(option)) => {
            return Err(usage(format!("{option} is for a URL; a manifest says it itself (a URL begins with http://)")));
        }
        (false, None) => of_file(&args.what, args.name.as_deref())?,
    };
    args.cacert.as_deref().map_or(Ok(()), readable)?;
    let code = if is_url { exit::USAGE } else { exit::INVALID };
    let refused = |errors: Vec<FieldError>| Refused { lines: errors.iter().map(ToString::to_string).collect(), code };
    let mut spec = checked.map_err(refused)?.spec;
    let environment = environment(args, &mut spec, |name| std::env::var(name).ok())?;
    let stand_ins = StandIns { postgres: !args.without_postgres, ca_file: args.cacert.is_some() };
    let (mut spec, not_applied) = without_cluster(&spec, stand_ins);
    map_urls(&mut spec, &args.base_url).map_err(|error| usage(format!("--base-url: {error}")))?;
    let plan = plan(&spec).map_err(refused)?;
    let chosen = args.request.chosen();
    Ok(Manifest { name, plan, not_applied, chosen, environment })
}

fn of_file(file: &str, name: Option<&str>) -> Result<Checked, Refused> {
    let text = if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| usage(unread(file, &error)))?;
    let mut tests = check_documents(&text);
    tests.retain(|test| name.is_none_or(|name| test.name == name));
    match (tests.len(), name) {
        (1, _) => Ok(tests.remove(0)),
        (0, Some(name)) => Err(usage(format!("{file}: no LoadTest {name} in it"))),
        (0, None) => Err(usage(format!("{file}: no LoadTest in it"))),
        _ => {
            let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
            Err(usage(format!("{file} holds {}; choose one with --name", names.join(", "))))
        }
    }
}

/// Why there is no manifest; who left `http://` out is told so.
fn unread(file: &str, error: &std::io::Error) -> String {
    let is_manifest = [".yaml", ".yml", ".json"].iter().any(|end| file.ends_with(end));
    match error.kind() {
        std::io::ErrorKind::NotFound if !is_manifest => {
            format!("{file}: there is no such file; a URL begins with http:// or https://, such as http://{file}")
        }
        _ => format!("{file}: {error}"),
    }
}

/// Certificates that can't be read are found before anything is sent, and also where nothing asks for https.
fn readable(cacert: &Path) -> Result<(), Refused> {
    let input = TlsInput { ca_file: Some(cacert.display().to_string()), ..TlsInput::default() };
    match client_config(&input) {
        Ok(_) => Ok(()),
        Err(TlsError::CaFile { path, why }) => {
            Err(usage(format!("--cacert {path}: no certificates (PEM) can be read from it: {why}")))
        }
        Err(other) => Err(usage(format!("--cacert {}: {other}", cacert.display()))),
    }
}

/// The values of secrets, and the options' values in place of written ones.
fn environment(
    args: &Args,
    spec: &mut LoadTestSpec,
    env: impl Fn(&str) -> Option<String>,
) -> Result<HashMap<String, String>, Refused> {
    let (mut all, mut missing) = (HashMap::new(), Vec::new());
    for (name, _) in &args.vars {
        if !spec.vars.iter().any(|var| var.name == *name) {
            missing.push(format!("--var {name}: spec.vars has no entry {name}"));
        }
    }
    for (i, var) in spec.vars.iter_mut().enumerate() {
        let given = args.vars.iter().rev().find(|(name, _)| *name == var.name).map(|(_, value)| value.clone());
        if var.value_from.is_none() {
            var.value = given.or(var.value.take());
            continue;
        }
        let variable = format!("LOADTEST_VAR_{}", var.name);
        match given.or_else(|| env(&variable)) {
            Some(value) => drop(all.insert(var_env(i), value)),
            None => missing.push(format!(
                "spec.vars[{i}]: {0} comes from the cluster; give --var {0}=VALUE or set {variable}",
                var.name
            )),
        }
    }
    for (i, load) in spec.loads.iter().enumerate() {
        for (j, part) in
            load.steps.iter().enumerate().flat_map(|(j, step)| step.upload.iter().map(move |part| (j, part)))
        {
            let Some(key) = &part.config_map_key_ref else { continue };
            let key = format!("{}/{}", key.name.0, key.key.0);
            if !args.files.iter().any(|(given, _)| *given == key) {
                missing.push(format!(
                    "spec.loads[{i}].steps[{j}].upload: {key} is in a ConfigMap; give --file {key}=FILE"
                ));
            }
        }
    }
    let asks = spec.database.as_ref().is_some_and(|database| database.postgres.is_some());
    match &args.postgres_url {
        Some(url) if asks => drop(all.insert(POSTGRES_URL_ENV.into(), url.clone())),
        None if asks && !args.without_postgres => missing.push(format!(
            "spec.database.postgres.urlFrom is a Secret; give --postgres-url URL or set {POSTGRES_URL_ENV}, or leave the \
             database out with --without-postgres"
        )),
        _ => {}
    }
    if missing.is_empty() { Ok(all) } else { Err(Refused { lines: missing, code: exit::USAGE }) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: Args,
    }

    fn args(words: &[&str]) -> Args {
        Line::try_parse_from([&["run"], words].concat()).unwrap_or_else(|error| panic!("{error}")).run
    }

    fn spec() -> LoadTestSpec {
        let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
        serde_json::from_value(json!({
            "loads": [{"name": "a", "url": "http://a"}],
            "database": {"postgres": {"urlFrom": secret}},
            "vars": [{"name": "size", "value": "1"}, {"name": "token", "valueFrom": secret}],
        }))
        .expect("a spec")
    }

    #[test]
    fn options_and_environment_stand_in_for_secrets() {
        let args = args(&["f.yaml", "--var", "size=2", "--postgres-url", "postgres://u:p@h/d"]);
        let mut spec = spec();
        let env = |name: &str| (name == "LOADTEST_VAR_token").then(|| "t".to_owned());
        let all = environment(&args, &mut spec, env).expect("everything is there");
        assert_eq!(spec.vars[0].value.as_deref(), Some("2"));
        assert_eq!(all[&var_env(1)], "t");
        assert_eq!(all[POSTGRES_URL_ENV], "postgres://u:p@h/d");
    }

    #[test]
    fn all_that_is_missing_is_said_at_once_with_what_to_do() {
        let refused = environment(&args(&["f.yaml", "--var", "x=1"]), &mut spec(), |_| None).expect_err("missing");
        let said = refused.lines.join("\n");
        for words in ["--var x: spec.vars has no entry x", "set LOADTEST_VAR_token", "--without-postgres"] {
            assert!(said.contains(words), "{said}");
        }
        assert_eq!((refused.lines.len(), refused.code), (3, exit::USAGE));
    }

    #[test]
    fn certificates_that_cant_be_read_are_refused_also_where_none_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let [none, text, broken] =
            [folder.path().join("none").display().to_string(), file("text", "no PEM"), file("broken", no_certificate)];
        for wrong in [none, text, broken, folder.path().display().to_string()] {
            let refused = read(&args(&["http://h", "--cacert", &wrong])).err().expect("refused");
            assert!(refused.lines[0].starts_with(&format!("--cacert {wrong}: ")), "{:?}", refused.lines);
            assert_eq!(refused.code, exit::USAGE);
        }
        assert!(
            Line::try_parse_from(["run", "https://h", "-k", "--cacert", "f"]).is_err(),
            "one of the two has no effect"
        );
    }

    #[test]
    fn who_left_the_scheme_out_is_told_what_a_url_begins_with() {
        let refused = read(&args(&["localhost:18811/a"])).err().expect("refused");
        assert!(refused.lines[0].ends_with("a URL begins with http:// or https://, such as http://localhost:18811/a"));
        let refused = read(&args(&["no-such-folder/no-such-file.yaml"])).err().expect("refused");
        assert!(!refused.lines[0].contains("URL"), "{:?}", refused.lines);
    }

    #[test]
    fn an_option_for_a_url_beside_a_manifest_is_refused() {
        let refused = read(&args(&["f.yaml", "--rate", "1"])).err().expect("refused");
        assert!(refused.lines[0].starts_with("--rate is for a URL"), "{:?}", refused.lines);
    }
}
