//! Where a test may send requests: Services of its own namespace, and hosts that the operator's configuration allows.

use url::{Host, Url};

/// What a URL's host is, seen from a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A Service of the test's own namespace.
    Service(String),
    /// Anything else.
    Host(String),
}

/// Where `url` leads from `namespace`; what makes it unusable otherwise.
///
/// # Errors
/// A sentence for people: not http(s), credentials in it, no host.
pub fn destination(url: &str, namespace: &str) -> Result<Destination, String> {
    let parsed = Url::parse(url).map_err(|error| format!("the URL can't be read: {error}"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("the URL must begin with http:// or https://".into());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("the URL must not hold user and password; use basicAuth with $(vars.NAME)".into());
    }
    match parsed.host() {
        Some(Host::Domain(name)) => Ok(domain(name.trim_end_matches('.'), namespace)),
        Some(address) => Ok(Destination::Host(address.to_string())),
        None => Err("the URL has no host".into()),
    }
}

fn domain(name: &str, namespace: &str) -> Destination {
    let labels: Vec<&str> = name.split('.').collect();
    let own = match labels.as_slice() {
        [service] => Some(service),
        [service, ns] | [service, ns, "svc"] | [service, ns, "svc", "cluster", "local"] if *ns == namespace => {
            Some(service)
        }
        _ => None,
    };
    match own {
        Some(service) if *service != "localhost" => Destination::Service((*service).to_owned()),
        _ => Destination::Host(name.to_owned()),
    }
}

/// Whether `host` is on the list: the same name, or below a `*.` entry. Case does not matter. An address is below no name.
pub fn is_allowed(host: &str, allowed: &[String]) -> bool {
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    let host = host.to_ascii_lowercase();
    allowed.iter().map(|entry| entry.to_ascii_lowercase()).any(|entry| match entry.strip_prefix('*') {
        Some(below) => !is_address && below.starts_with('.') && host.len() > below.len() && host.ends_with(below),
        None => host == entry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_the_own_namespace_is_known_by_all_its_names() {
        for url in [
            "http://api",
            "http://api:80/x",
            "http://api.perf/",
            "http://api.perf.svc",
            "https://api.perf.svc.cluster.local./",
        ] {
            assert_eq!(destination(url, "perf"), Ok(Destination::Service("api".into())), "{url}");
        }
    }

    #[test]
    fn anything_else_is_a_host_that_the_operator_must_allow() {
        for (url, host) in [
            ("http://api.other.svc/", "api.other.svc"),
            ("http://localhost/", "localhost"),
            ("http://127.0.0.1/", "127.0.0.1"),
            ("http://0x7f.1/", "127.0.0.1"),
            ("http://[::ffff:169.254.169.254]/", "[::ffff:a9fe:a9fe]"),
            ("http://169.254.169.254/latest", "169.254.169.254"),
            ("http://example.com.perf.example/", "example.com.perf.example"),
        ] {
            assert_eq!(destination(url, "perf"), Ok(Destination::Host(host.into())), "{url}");
        }
        assert!(destination("http://user:pass@api/", "perf").is_err());
        assert!(destination("ftp://api/", "perf").is_err());
    }

    #[test]
    fn a_list_of_hosts_allows_what_it_names_and_what_is_below_a_star() {
        let allowed = ["a.example".to_owned(), "*.b.example".to_owned()];
        assert!(is_allowed("A.example", &allowed) && is_allowed("x.b.example", &allowed));
        assert!(
            !is_allowed("b.example", &allowed)
                && !is_allowed("xb.example", &allowed)
                && !is_allowed("x.a.example", &allowed)
        );
    }
}
