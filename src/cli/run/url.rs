//! `loadtest run URL`: a manifest of one load, from what people type to oha and hey.

use serde_json::{Value, json};
use url::Url;

use super::values::{Codes, basic_auth, codes, header, rate, seconds};
use crate::plan::{Checked, FieldError, check};

/// Clients when nothing is said, as hey and oha have it.
const CLIENTS: u32 = 50;
/// Fewer clients than half of them would be another test than the one that was asked for.
const FEWEST: u32 = CLIENTS / 2;
/// Requests when nothing is said, as hey and oha have it.
const REQUESTS: u32 = 200;

/// What is sent to a URL. A manifest says all this itself.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "For a URL")]
pub struct RequestArgs {
    /// Requests a second (also 30/m, 5/h), sent when they are due, whether answers come or not; needs --duration.
    #[arg(long, short = 'q', value_parser = rate)]
    rate: Option<(u32, u32)>,
    /// How long to send: 30s, 2m, 1h30m.
    #[arg(long, short = 'z', value_parser = seconds)]
    duration: Option<u32>,
    /// Clients that each send their next request when the last is answered [default: 50, or with --requests the most from
    /// 25 to 50 that share them out evenly]. With --rate: the most requests that may be open at once [default: 1000].
    #[arg(long, short)]
    clients: Option<u32>,
    /// Requests in all, shared out evenly among the clients [default: 200]. Fewer than 25 are sent by a client each.
    #[arg(long, short = 'n', conflicts_with_all = ["rate", "duration"])]
    requests: Option<u32>,
    /// Send so long before, without counting it.
    #[arg(long, value_parser = seconds)]
    warmup: Option<u32>,
    /// GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS [default: GET].
    #[arg(long, short)]
    method: Option<String>,
    /// A header, `Name: value`. May be repeated.
    #[arg(long = "header", short = 'H')]
    headers: Vec<String>,
    /// The body. Variables like $(seq) and $(uuid) are filled in here, in the URL's path and in headers.
    #[arg(long, short = 'd')]
    body: Option<String>,
    /// A file with the body.
    #[arg(long, short = 'D', conflicts_with = "body")]
    body_file: Option<std::path::PathBuf>,
    /// HTTP Basic, `user:password`.
    #[arg(long, short = 'a')]
    basic_auth: Option<String>,
    /// A request not answered in this time has failed [default: 30s].
    #[arg(long, short, value_parser = seconds)]
    timeout: Option<u32>,
    /// The status codes of good answers, for example 200,202 [default: 2xx, which is any of them].
    #[arg(long, value_delimiter = ',', value_parser = codes)]
    expect: Vec<Codes>,
    /// Accept any certificate.
    #[arg(long, short = 'k')]
    insecure: bool,
}

impl RequestArgs {
    /// The option that stands there, though a manifest was given.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            (self.rate.is_some(), "--rate"),
            (self.duration.is_some(), "--duration"),
            (self.clients.is_some(), "--clients"),
            (self.requests.is_some(), "--requests"),
            (self.warmup.is_some(), "--warmup"),
            (self.method.is_some(), "--method"),
            (!self.headers.is_empty(), "--header"),
            (self.body.is_some(), "--body"),
            (self.body_file.is_some(), "--body-file"),
            (self.basic_auth.is_some(), "--basic-auth"),
            (self.timeout.is_some(), "--timeout"),
            (!self.expect.is_empty(), "--expect"),
            (self.insecure, "--insecure"),
        ];
        all.into_iter().find_map(|(given, name)| given.then_some(name))
    }

    /// How many clients send the requests, where that was neither said nor is what people expect; a line.
    pub fn chosen(&self) -> Option<String> {
        let requests = self.requests.filter(|_| self.clients.is_none())?;
        let clients = sharing(requests).filter(|clients| *clients != CLIENTS)?;
        Some(format!(
            "{clients} clients send {} of the {requests} requests each; -c sets another number.",
            requests / clients
        ))
    }

    /// The manifest, checked like any other; its errors name the options. `vars`: values for `$(vars.NAME)`.
    ///
    /// # Errors
    /// What can't be made into a manifest, a sentence.
    pub fn manifest(&self, url: &str, vars: &[(String, String)]) -> Result<Checked, String> {
        let parsed = Url::parse(url).map_err(|error| format!("the URL can't be read: {error}"))?;
        let host = parsed.host_str().ok_or("the URL has no host")?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("the URL must not hold user and password; use --basic-auth".into());
        }
        let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
        let rest = url.split_once("://").map_or("", |(_, rest)| rest).split('#').next().unwrap_or_default();
        let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
        let slash = if path.starts_with('?') { "/" } else { "" };
        let mut load = json!({
            "name": "url",
            "url": format!("{}://{host}{port}", parsed.scheme()),
            "tls": {"insecureSkipVerify": self.insecure},
            "steps": [self.step(&format!("{slash}{path}"))?],
        });
        self.arrivals(&mut load)?;
        // Not by clap, whose message would repeat what was typed: it may be a secret.
        if let Some(pair) = &self.basic_auth {
            let (username, password) = basic_auth(pair)?;
            load["basicAuth"] = json!({"username": username, "password": password});
        }
        let vars: Vec<Value> = vars.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let manifest = json!({"apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "url"},
            "spec": {"loads": [load], "vars": vars}});
        let Checked { name, plan } = check(manifest);
        Ok(Checked { name, plan: plan.map_err(|errors| errors.into_iter().map(named).collect()) })
    }

    fn step(&self, path: &str) -> Result<Value, String> {
        let mut step = json!({"name": "request", "path": path, "timeoutSeconds": self.timeout.unwrap_or(30)});
        if let Some(method) = &self.method {
            step["method"] = method.to_ascii_uppercase().into();
        }
        let body = match &self.body_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?),
            None => self.body.clone(),
        };
        if let Some(body) = body {
            step["body"] = body.into();
        }
        let header = |text: &String| header(text).map(|(name, value)| json!({"name": name, "value": value}));
        step["headers"] = self.headers.iter().map(header).collect::<Result<Vec<Value>, String>>()?.into();
        // Any 2xx is what a manifest expects that says nothing.
        let others: Vec<u16> = self.expect.iter().filter_map(|codes| codes.one()).collect();
        match self.expect.contains(&Codes::AnyGood) {
            true if others.iter().any(|code| !(200..300).contains(code)) => {
                return Err("--expect: 2xx stands alone; beside other codes write those that are meant, for example 200,202,404".into());
            }
            false if !others.is_empty() => step["expect"] = json!({"status": others}),
            _ => {}
        }
        Ok(step)
    }

    /// Which of the three models is meant: a rate, clients for a time, or so many requests.
    fn arrivals(&self, load: &mut Value) -> Result<(), String> {
        if let Some(seconds) = self.warmup {
            if self.duration.is_none() {
                return Err("--warmup needs --duration, for example --duration 30s".into());
            }
            load["warmupSeconds"] = seconds.into();
        }
        match (self.rate, self.duration) {
            (Some(_), None) => return Err("--rate needs --duration, for example --duration 30s".into()),
            (Some((count, per_seconds)), Some(seconds)) => {
                load["rate"] = count.into();
                load["durationSeconds"] = seconds.into();
                if per_seconds != 1 {
                    load["perSeconds"] = per_seconds.into();
                }
                if let Some(most) = self.clients {
                    load["maxInFlight"] = most.into();
                }
            }
            (None, Some(seconds)) => {
                load["clients"] = self.clients.unwrap_or(CLIENTS).into();
                load["durationSeconds"] = seconds.into();
            }
            (None, None) => {
                let requests = self.requests.unwrap_or(REQUESTS);
                if requests == 0 {
                    return Err("--requests must be at least 1".into());
                }
                let clients = self.clients.or_else(|| sharing(requests)).ok_or_else(|| uneven(requests))?;
                if clients == 0 {
                    return Err("--clients must be at least 1".into());
                }
                if !requests.is_multiple_of(clients) {
                    let (less, more) = (requests / clients * clients, requests.div_ceil(clients) * clients);
                    let fits = if less == 0 { format!("{more}") } else { format!("{less} or {more}") };
                    return Err(format!(
                        "{requests} requests can't be shared out evenly among {clients} clients; -n {fits} can"
                    ));
                }
                load["clients"] = clients.into();
                load["iterations"] = (requests / clients).into();
            }
        }
        Ok(())
    }
}

/// The most clients, at least half of the usual number, that share out so many requests evenly; of fewer requests each has one.
fn sharing(requests: u32) -> Option<u32> {
    match requests {
        0 => None,
        1..FEWEST => Some(requests),
        _ => (FEWEST..=CLIENTS).rev().find(|clients| requests.is_multiple_of(*clients)),
    }
}

/// Why no number of clients was chosen, and what to do.
fn uneven(requests: u32) -> String {
    let less = (1..requests).rev().find(|fewer| sharing(*fewer).is_some());
    let more = (requests..u32::MAX).find(|more| sharing(*more).is_some());
    let fit: Vec<String> = less.into_iter().chain(more).map(|fit| fit.to_string()).collect();
    format!(
        "{requests} requests can't be shared out evenly among {FEWEST} to {CLIENTS} clients; -n {} can, or say with -c how many \
         clients there are",
        fit.join(" or ")
    )
}

/// The option behind a field of the manifest that was made.
fn named(error: FieldError) -> FieldError {
    let options = [
        ("spec.loads[0].url", "URL"),
        ("spec.loads[0].steps[0].path", "URL"),
        ("spec.loads[0].rate", "--rate"),
        ("spec.loads[0].perSeconds", "--rate"),
        ("spec.loads[0].durationSeconds", "--duration"),
        ("spec.loads[0].clients", "--clients"),
        ("spec.loads[0].maxInFlight", "--clients"),
        ("spec.loads[0].iterations", "--requests"),
        ("spec.loads[0].warmupSeconds", "--warmup"),
        ("spec.loads[0].basicAuth", "--basic-auth"),
        ("spec.loads[0].steps[0].method", "--method"),
        ("spec.loads[0].steps[0].headers", "--header"),
        ("spec.loads[0].steps[0].body", "--body"),
        ("spec.loads[0].steps[0].timeoutSeconds", "--timeout"),
        ("spec.loads[0].steps[0].expect", "--expect"),
        ("spec.vars", "--var"),
    ];
    // The rule about an address is one of the whole load.
    let of_url = error.path == "spec.loads[0]" && error.message.contains("url must be");
    let path = if of_url { "spec.loads[0].url" } else { &error.path };
    let option = options.into_iter().find(|(option, _)| path.starts_with(option));
    FieldError { path: option.map_or(error.path, |(_, option)| option.into()), ..error }
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
