//! Where a load goes: its URL taken apart, its host resolved once and pinned.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::address::AddressRules;

/// A name server that doesn't answer is no reason to wait longer than this.
const LOOKUP: Duration = Duration::from_secs(10);

/// Why a URL is no target. Shows the host only, never path or query.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("url is not http(s)://host[:port][/path]")]
    NotAUrl,
    #[error("host {host} has no address ({why}); check the name, or whether the Service exists")]
    NoAddress { host: String, why: String },
    #[error("host {host} has the address {address}, which is {why}; a load must go to the application")]
    Denied { host: String, address: std::net::IpAddr, why: &'static str },
}

/// A host that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// https.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The Host header: with the port when it isn't the scheme's own.
    pub authority: String,
    /// At least one; all are allowed.
    pub addresses: Vec<SocketAddr>,
}

/// A URL's parts before anything is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub tls: bool,
    pub host: String,
    pub authority: String,
    pub port: u16,
    /// What follows the authority, as written; may be empty or hold variables.
    pub path: String,
}

impl Address {
    /// Takes a URL apart.
    ///
    /// Errors: another scheme, no host, or a user name in it.
    pub fn parse(url: &str) -> Result<Self, ResolveError> {
        let (scheme, rest) = url.split_once("://").ok_or(ResolveError::NotAUrl)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // Only the authority: a variable in the path is not for the URL parser.
        let parsed = Url::parse(&format!("{scheme}://{}/", &rest[..end])).map_err(|_| ResolveError::NotAUrl)?;
        let tls = match parsed.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(ResolveError::NotAUrl),
        };
        let bracketed = parsed.host_str().filter(|_| parsed.username().is_empty() && parsed.password().is_none());
        let bracketed = bracketed.ok_or(ResolveError::NotAUrl)?;
        Ok(Self {
            tls,
            host: bracketed.trim_matches(['[', ']']).to_string(),
            authority: parsed.port().map_or_else(|| bracketed.to_string(), |port| format!("{bracketed}:{port}")),
            port: parsed.port_or_known_default().ok_or(ResolveError::NotAUrl)?,
            path: rest[end..].to_string(),
        })
    }

    /// Looks the host up, once. All its addresses must be allowed, because any of them may be connected to.
    ///
    /// Errors: no address, or one that `rules` deny.
    pub async fn resolve(&self, rules: &AddressRules) -> Result<Target, ResolveError> {
        let none = |why: String| ResolveError::NoAddress { host: self.host.clone(), why };
        let lookup = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((self.host.as_str(), self.port)));
        let found = lookup.await.map_err(|_| none("no answer in 10 s".into()))?;
        let addresses: Vec<SocketAddr> = found.map_err(|error| none(error.to_string()))?.collect();
        if addresses.is_empty() {
            return Err(none("the answer is empty".into()));
        }
        for address in addresses.iter().map(SocketAddr::ip) {
            if let Some(why) = rules.denied(address) {
                return Err(ResolveError::Denied { host: self.host.clone(), address, why });
            }
        }
        Ok(Target { tls: self.tls, host: self.host.clone(), authority: self.authority.clone(), addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_path_left_as_written() {
        let one = Address::parse("http://Pulp-API:8000/api/$(vars.x)/ y?q=1").unwrap();
        assert_eq!(
            (one.tls, one.host.as_str(), one.authority.as_str(), one.port),
            (false, "pulp-api", "pulp-api:8000", 8000)
        );
        assert_eq!(one.path, "/api/$(vars.x)/ y?q=1");
        let two = Address::parse("https://[fd00::1]").unwrap();
        assert_eq!((two.tls, two.host.as_str(), two.authority.as_str(), two.port), (true, "fd00::1", "[fd00::1]", 443));
        assert_eq!(two.path, "");
        assert_eq!(Address::parse("http://host:80/").unwrap().authority, "host");
    }

    #[test]
    fn other_schemes_and_user_names_are_refused() {
        for url in ["host/path", "ftp://host/", "http:///path", "http://user@host/", "http://u:p@host/", "http://:80/"]
        {
            assert!(matches!(Address::parse(url), Err(ResolveError::NotAUrl)), "{url}");
        }
    }

    #[tokio::test]
    async fn an_address_written_in_another_way_is_still_denied() {
        let rules = AddressRules::Pod { api_server: vec![] };
        for url in ["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://[::ffff:169.254.169.254]/"] {
            let refused = Address::parse(url).unwrap().resolve(&rules).await;
            assert!(matches!(refused, Err(ResolveError::Denied { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn the_message_of_a_denied_address_names_no_query() {
        let rules = AddressRules::Pod { api_server: vec![] };
        let refused = Address::parse("http://127.0.0.1/?token=hunter2").unwrap().resolve(&rules).await;
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("127.0.0.1") && !message.contains("hunter2"), "{message}");
    }
}
