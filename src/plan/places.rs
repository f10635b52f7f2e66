//! The places of a spec where variables are allowed, and those where they are not.

use super::field_error::FieldError;
use super::journey_rules::captured;
use super::variables::names;
use crate::api::{Action, Header, Load, LoadTestSpec, When};

/// Checks every text with variables.
pub fn check(spec: &LoadTestSpec, errors: &mut Vec<FieldError>) {
    Variables { spec, errors, captured: None }.check();
}

/// Looks at each place where variables are allowed, and at the ones where they are not.
struct Variables<'a> {
    spec: &'a LoadTestSpec,
    errors: &'a mut Vec<FieldError>,
    /// The load whose captured values are known here, and before which step; `None`: of all its steps.
    captured: Option<(&'a Load, Option<usize>)>,
}

const IN_LOADS: [&str; 5] = ["seq", "client", "uuid", "run.id", "run.start"];
const IN_MEASUREMENTS: [&str; 5] = ["run.id", "run.start", "row.number", "row.start", "row.end"];

impl<'a> Variables<'a> {
    fn check(&mut self) {
        let spec = self.spec;
        for (i, load) in spec.loads.iter().enumerate() {
            self.load(&format!("spec.loads[{i}]"), load);
        }
        for (i, action) in spec.actions.iter().enumerate() {
            self.action(&format!("spec.actions[{i}]"), action);
        }
        for (i, measurement) in spec.measurements.iter().enumerate() {
            let at = format!("spec.measurements[{i}]");
            if let Some(sql) = &measurement.sql {
                self.text(format!("{at}.sql"), sql, &IN_MEASUREMENTS);
            }
            if let Some(http) = &measurement.http {
                self.text(format!("{at}.http.url"), &http.url, &IN_MEASUREMENTS);
                self.headers(&format!("{at}.http"), &http.headers, &IN_MEASUREMENTS);
                if let Some(auth) = &http.basic_auth {
                    self.text(format!("{at}.http.basicAuth.username"), &auth.username, &IN_MEASUREMENTS);
                    self.text(format!("{at}.http.basicAuth.password"), &auth.password, &IN_MEASUREMENTS);
                }
            }
        }
    }

    fn load(&mut self, at: &str, load: &'a Load) {
        if names(&load.url).next().is_some() {
            let message = "variables are not allowed here; write the path into steps[].path";
            self.errors.push(FieldError::new(format!("{at}.url"), message));
        }
        self.captured = Some((load, None));
        self.headers(at, &load.headers, &IN_LOADS);
        self.captured = None;
        if let Some(auth) = &load.basic_auth {
            self.text(format!("{at}.basicAuth.username"), &auth.username, &IN_LOADS);
            self.text(format!("{at}.basicAuth.password"), &auth.password, &IN_LOADS);
        }
        for (j, step) in load.steps.iter().enumerate() {
            let at = format!("{at}.steps[{j}]");
            self.captured = Some((load, Some(j)));
            self.text(format!("{at}.path"), &step.path, &IN_LOADS);
            self.beginning(format!("{at}.path"), &step.path);
            self.headers(&at, &step.headers, &IN_LOADS);
            if let Some(body) = &step.body {
                self.text(format!("{at}.body"), body, &IN_LOADS);
            }
            for (k, part) in step.upload.iter().enumerate() {
                for (field, text) in [("value", &part.value), ("filename", &part.filename)] {
                    self.text(format!("{at}.upload[{k}].{field}"), text.as_deref().unwrap_or_default(), &IN_LOADS);
                }
                if names(&part.name).next().is_some() {
                    let message = "variables are not allowed here; write them into value or filename";
                    self.errors.push(FieldError::new(format!("{at}.upload[{k}].name"), message));
                }
            }
        }
        self.captured = None;
    }

    fn action(&mut self, at: &str, action: &Action) {
        let known: &[&str] = match action.when {
            When::BeforeRun => &["run.id", "run.start"],
            When::BeforeRow | When::DuringLoad | When::AfterLoad | When::AfterRow => {
                &["run.id", "run.start", "row.number"]
            }
            When::AfterRun => &["run.id", "run.start", "run.verdict", "run.message"],
        };
        if let Some(sql) = &action.sql {
            self.text(format!("{at}.sql"), sql, known);
        }
        if let Some(http) = &action.http {
            self.text(format!("{at}.http.url"), &http.url, known);
            self.headers(&format!("{at}.http"), &http.headers, known);
            self.text(format!("{at}.http.body"), http.body.as_deref().unwrap_or_default(), known);
        }
    }

    /// Only what an answer gave may begin a path: what stands in `vars` is a part of one.
    fn beginning(&mut self, at: String, path: &str) {
        let first = path.strip_prefix("$(vars.").and_then(|rest| rest.split_once(')')).map(|(name, _)| name);
        if let Some(name) = first.filter(|name| self.spec.vars.iter().any(|var| var.name == *name)) {
            let message = format!("only a captured value may begin a path; write /$(vars.{name})");
            self.errors.push(FieldError::new(at, message));
        }
    }

    fn headers(&mut self, at: &str, headers: &[Header], known: &[&str]) {
        for (i, header) in headers.iter().enumerate() {
            self.text(format!("{at}.headers[{i}].value"), &header.value, known);
            if header.value.bytes().any(|b| b < b' ' && b != b'\t') {
                let message = "a header value can't hold line breaks or control characters";
                self.errors.push(FieldError::new(format!("{at}.headers[{i}].value"), message));
            }
        }
    }

    fn text(&mut self, path: String, text: &str, known: &[&str]) {
        for name in names(text) {
            let own = |var: &str| self.captured.and_then(|(load, before)| captured(load, var, before));
            let message = match name.strip_prefix("vars.") {
                Some(var) if self.spec.vars.iter().any(|v| v.name == var) => continue,
                Some(var) => match own(var) {
                    Some(Ok(())) => continue,
                    Some(Err(message)) => message,
                    None => format!("unknown variable $({name}): spec.vars has no entry {var}"),
                },
                None if known.contains(&name) => continue,
                None => format!("unknown variable $({name}); known here: {}, vars.NAME", known.join(", ")),
            };
            self.errors.push(FieldError::new(path.clone(), message));
        }
    }
}
