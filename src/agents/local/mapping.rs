//! PURE: from the URLs that a manifest names inside a cluster to those that lead there from a laptop.

use url::Url;

use crate::api::LoadTestSpec;
use crate::engine::http::resolve::Address;

/// `--base-url`: `TO` for every URL of the manifest, `FROM=TO` for those of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    from: Option<Base>,
    to: Base,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    scheme: String,
    /// With brackets, if it is an IPv6 address.
    host: String,
    port: u16,
    text: String,
}

impl Base {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not http(s)://host[:port]");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) if plain && matches!(url.scheme(), "http" | "https") && url.path() == "/" => {
                Ok(Self {
                    scheme: url.scheme().into(),
                    host: host.into(),
                    port,
                    text: text.trim_end_matches('/').into(),
                })
            }
            _ => Err(wrong()),
        }
    }

    fn is_base_of(&self, authority: &str) -> bool {
        Self::read(authority)
            .is_ok_and(|other| (&self.scheme, &self.host, self.port) == (&other.scheme, &other.host, other.port))
    }
}

impl std::str::FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((from, to)) => Ok(Self { from: Some(Base::read(from)?), to: Base::read(to)? }),
            None => Ok(Self { from: None, to: Base::read(text)? }),
        }
    }
}

/// Applies every mapping to the URLs of loads, http measurements and actions; the first that fits counts.
///
/// # Errors
/// A mapping that fits no URL: it would have no effect.
pub fn map_urls(spec: &mut LoadTestSpec, mappings: &[Mapping]) -> Result<(), String> {
    let mut used = vec![false; mappings.len()];
    let loads = spec.loads.iter_mut().map(|load| &mut load.url);
    let asked = spec.measurements.iter_mut().filter_map(|m| m.http.as_mut()).map(|http| &mut http.url);
    let told = spec.actions.iter_mut().filter_map(|action| action.http.as_mut()).map(|http| &mut http.url);
    for url in loads.chain(asked).chain(told) {
        let end = url.find("://").map_or(0, |at| at + 3);
        let end = url[end..].find(['/', '?']).map_or(url.len(), |at| end + at);
        let fits = |mapping: &Mapping| mapping.from.as_ref().is_none_or(|from| from.is_base_of(&url[..end]));
        if let Some(at) = mappings.iter().position(fits) {
            used[at] = true;
            *url = format!("{}{}", mappings[at].to.text, &url[end..]);
        }
    }
    match mappings.iter().zip(used).find(|(_, used)| !used) {
        Some((Mapping { from: Some(from), .. }, _)) => {
            Err(format!("no load, measurement or action asks {}", from.text))
        }
        Some(_) => Err("no URL is left for a second one without FROM=".into()),
        None => Ok(()),
    }
}

/// How a URL's host is reached from here if it is a Service, a sentence; `None`: its name is none that a Service has.
pub fn way_to_service(url: &str) -> Option<String> {
    let Address { tls, host, authority, port, .. } = Address::parse(url).ok()?;
    let labels: Vec<&str> = host.split('.').collect();
    let (service, namespace) = match labels.as_slice() {
        [service] => (*service, String::new()),
        [service, namespace] | [service, namespace, "svc", ..] => (*service, format!(" -n {namespace}")),
        _ => return None,
    };
    let scheme = if tls { "https" } else { "http" };
    Some(format!(
        "If {service} is a Service, only its cluster knows the name: run kubectl port-forward{namespace} svc/{service} 9080:{port} \
         beside this, and add --base-url {scheme}://{authority}={scheme}://127.0.0.1:9080"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapped(mappings: &[&str]) -> Result<Vec<String>, String> {
        let mut spec: LoadTestSpec = serde_json::from_value(json!({
            "loads": [{"name": "a", "url": "http://api:8080/v1?x=1"}, {"name": "b", "url": "http://web"}],
            "measurements": [{"name": "m", "http": {"url": "http://api:8080/count?at=$(row.start)", "jsonPointer": ""}}],
        }))
        .expect("a spec");
        let mappings: Result<Vec<Mapping>, String> = mappings.iter().map(|text| text.parse()).collect();
        map_urls(&mut spec, &mappings?)?;
        let asked = spec.measurements.iter().filter_map(|m| m.http.as_ref()).map(|http| http.url.clone());
        Ok(spec.loads.iter().map(|load| load.url.clone()).chain(asked).collect())
    }

    #[test]
    fn one_host_is_mapped_with_its_paths_and_the_others_stay() {
        let urls = mapped(&["http://api:8080=http://127.0.0.1:9080"]).unwrap();
        assert_eq!(urls, ["http://127.0.0.1:9080/v1?x=1", "http://web", "http://127.0.0.1:9080/count?at=$(row.start)"]);
        assert_eq!(mapped(&["http://web:80/=https://localhost"]).unwrap()[1], "https://localhost");
    }

    #[test]
    fn without_a_host_all_are_mapped_after_those_that_have_one() {
        let urls = mapped(&["http://web=http://[::1]:1", "http://localhost:2"]).unwrap();
        assert_eq!((urls[0].as_str(), urls[1].as_str()), ("http://localhost:2/v1?x=1", "http://[::1]:1"));
    }

    #[test]
    fn a_services_name_leads_to_the_port_forward_and_the_option_that_takes_it() {
        let way = |url: &str| way_to_service(url).unwrap_or_default();
        assert!(way("http://api:8080/v1?x=$(seq)").ends_with(
            "kubectl port-forward svc/api 9080:8080 beside this, and add --base-url http://api:8080=http://127.0.0.1:9080"
        ));
        let other = way("https://api.shop.svc.cluster.local");
        assert!(other.contains("port-forward -n shop svc/api 9080:443 "), "{other}");
        let option = other.rsplit(' ').next().unwrap();
        assert!(option.parse::<Mapping>().is_ok(), "{option}");
        assert_eq!(way_to_service("http://www.shop.example/"), None);
    }

    #[test]
    fn a_mapping_without_effect_is_an_error() {
        assert_eq!(mapped(&["http://api=http://h"]).unwrap_err(), "no load, measurement or action asks http://api");
        assert!(mapped(&["http://h", "http://i"]).is_err());
        for wrong in ["api:8080", "http://api/path", "ftp://api", "http://u:p@api", "http://a=b"] {
            assert!(mapped(&[wrong]).unwrap_err().contains("is not http(s)://host[:port]"), "{wrong}");
        }
    }
}
