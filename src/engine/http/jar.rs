//! PURE: the cookies of one client, set and sent back by the rules of RFC 6265 that matter for one host.
//!
//! Invariants:
//! - A cookie goes back only where its path, its `Secure` and its lifetime allow it; those of a longer path go first.
//! - A cookie for another host's domain is not kept, nor a `Secure` one that came over plain HTTP.
//! - At most [`MOST_COOKIES`] of at most [`MOST_BYTES`] each are kept, whatever the host sends.

use cookie::Cookie;

/// Cookies that a client keeps of a host (RFC 6265, section 6.1, asks for at least so many).
const MOST_COOKIES: usize = 50;
/// Bytes of a cookie's name and value together (the same section).
const MOST_BYTES: usize = 4096;

/// A request, as far as cookies look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name or address of the host.
    pub host: &'a str,
    /// https.
    pub tls: bool,
    /// Path of the request, without its query.
    pub path: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}

/// What one client keeps. Holds secrets: has no `Debug`.
#[derive(Clone, Default)]
pub struct Jar(Vec<Kept>);

#[derive(Clone)]
struct Kept {
    name: String,
    value: String,
    path: String,
    secure: bool,
    /// Gone from then on, seconds since the epoch; `None`: as long as the client lives.
    ends: Option<i64>,
}

impl Jar {
    /// The value of the header `Cookie` of a request; `None`: none is to be sent.
    pub fn header(&self, place: &Place<'_>) -> Option<String> {
        let mut all: Vec<&Kept> =
            self.0.iter().filter(|kept| kept.goes(place) && path_matches(place.path, &kept.path)).collect();
        all.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<String> = all.iter().map(|kept| format!("{}={}", kept.name, kept.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of a cookie by its name, of whatever path: of several the one that goes with a request for `place`, then that
    /// of the longest path; `None`: none is kept.
    pub fn value(&self, name: &str, place: &Place<'_>) -> Option<&str> {
        let named = self.0.iter().filter(|kept| kept.name == name && kept.goes(place));
        let found = named.max_by_key(|kept| (path_matches(place.path, &kept.path), kept.path.len()));
        found.map(|kept| kept.value.as_str())
    }

    /// Takes in the value of a header `Set-Cookie` that answered a request; what is no cookie is passed over.
    pub fn set(&mut self, header: &str, place: &Place<'_>) {
        let Ok(cookie) = Cookie::parse(header) else { return };
        let secure = cookie.secure() == Some(true);
        let foreign = cookie.domain().is_some_and(|domain| !domain_matches(place.host, domain));
        let size = cookie.name().len() + cookie.value().len();
        if foreign || (secure && !place.tls) || size > MOST_BYTES || cookie.name().is_empty() {
            return;
        }
        let path = cookie.path().filter(|path| path.starts_with('/')).unwrap_or_else(|| default_path(place.path));
        let kept = Kept {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            path: path.to_owned(),
            secure,
            ends: ends(&cookie, place.now),
        };
        self.0.retain(|old| old.ends.is_none_or(|ends| place.now < ends));
        let gone = kept.ends.is_some_and(|ends| ends <= place.now);
        let known = self.0.iter().position(|old| old.name == kept.name && old.path == kept.path);
        match known {
            Some(at) if gone => drop(self.0.remove(at)),
            Some(at) => self.0[at] = kept,
            None if gone => {}
            None => {
                if self.0.len() == MOST_COOKIES {
                    self.0.remove(0);
                }
                self.0.push(kept);
            }
        }
    }
}

impl Kept {
    /// Whether it may go to this host now; its path is another matter.
    fn goes(&self, place: &Place<'_>) -> bool {
        self.ends.is_none_or(|ends| place.now < ends) && (place.tls || !self.secure)
    }
}

/// `Max-Age` counts before `Expires`.
fn ends(cookie: &Cookie<'_>, now: i64) -> Option<i64> {
    let age = cookie.max_age().map(|age| now.saturating_add(age.whole_seconds()));
    age.or_else(|| cookie.expires_datetime().map(|at| at.unix_timestamp()))
}

/// Section 5.1.3: the host itself or one below the domain; an address has none below it.
fn domain_matches(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let below = host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below && host.parse::<std::net::IpAddr>().is_err())
}

/// Section 5.1.4: the folder of the request's path.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(at) if at > 0 && path.starts_with('/') => &path[..at],
        _ => "/",
    }
}

/// Section 5.1.4: the same path, or one below it.
fn path_matches(path: &str, cookie: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/');
    path.strip_prefix(cookie).is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { host: "shop.example", tls: false, path: "/a/login", now: 1_000 };

    fn jar(headers: &[&str]) -> Jar {
        let mut jar = Jar::default();
        headers.iter().for_each(|header| jar.set(header, &HERE));
        jar
    }

    fn sent(jar: &Jar, path: &str) -> Option<String> {
        jar.header(&Place { path, ..HERE })
    }

    #[test]
    fn a_cookie_goes_back_below_its_path_only() {
        let kept = jar(&["id=1", "all=2; Path=/", "deep=3; Path=/a/b/"]);
        assert_eq!(sent(&kept, "/a/x").as_deref(), Some("id=1; all=2"));
        assert_eq!(sent(&kept, "/a/b/c").as_deref(), Some("deep=3; id=1; all=2"));
        assert_eq!(sent(&kept, "/ab").as_deref(), Some("all=2"));
        assert_eq!(sent(&jar(&["id=1; Path=/a"]), "/ab"), None);
    }

    #[test]
    fn a_newer_value_replaces_the_older_one_of_the_same_path() {
        assert_eq!(sent(&jar(&["id=1", "b=9", "id=2"]), "/a/x").as_deref(), Some("id=2; b=9"));
        assert_eq!(sent(&jar(&["id=1", "id=2; Path=/"]), "/a/x").as_deref(), Some("id=1; id=2"));
    }

    #[test]
    fn another_hosts_domain_is_not_kept() {
        for domain in ["other.example", "evilshop.example", "op.example", "a.shop.example"] {
            assert_eq!(sent(&jar(&[&format!("id=1; Domain={domain}")]), "/a/x"), None, "{domain}");
        }
        for domain in ["shop.example", ".Shop.example", "example"] {
            assert!(sent(&jar(&[&format!("id=1; Domain={domain}")]), "/a/x").is_some(), "{domain}");
        }
        let mut address = Jar::default();
        address.set("id=1; Domain=0.0.1", &Place { host: "127.0.0.1", ..HERE });
        assert_eq!(address.header(&HERE), None);
    }

    #[test]
    fn secure_cookies_are_for_https_only() {
        assert_eq!(sent(&jar(&["id=1; Secure"]), "/a/x"), None);
        let https = Place { tls: true, ..HERE };
        let mut kept = Jar::default();
        kept.set("id=1; Secure", &https);
        assert_eq!((kept.header(&https).as_deref(), kept.header(&HERE)), (Some("id=1"), None));
    }

    #[test]
    fn a_lifetime_ends_and_max_age_counts_before_expires() {
        let kept = jar(&["id=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:01 GMT"]);
        assert!(kept.header(&Place { now: 1_009, ..HERE }).is_some());
        assert_eq!(kept.header(&Place { now: 1_010, ..HERE }), None);
        assert_eq!(sent(&jar(&["id=1", "id=; Max-Age=0"]), "/a/x"), None);
        assert_eq!(sent(&jar(&["id=1", "id=; Expires=Thu, 01 Jan 1970 00:00:01 GMT"]), "/a/x"), None);
    }

    #[test]
    fn a_host_that_sets_without_end_fills_no_memory() {
        let mut kept = Jar::default();
        (0..500).for_each(|n| kept.set(&format!("c{n}=1"), &HERE));
        kept.set(&format!("large={}", "x".repeat(MOST_BYTES)), &HERE);
        assert_eq!(kept.0.len(), MOST_COOKIES);
        let header = sent(&kept, "/a/x").unwrap();
        assert!(header.contains("c499=1") && !header.contains("c0=1;") && !header.contains("large"), "{header}");
    }

    #[test]
    fn what_is_no_cookie_is_passed_over() {
        assert_eq!(sent(&jar(&["", "=", "no-pair", "=v"]), "/a/x"), None);
    }
    #[test]
    fn a_value_is_found_by_its_name_the_one_that_goes_with_the_request_before_others() {
        let kept = jar(&["csrf=near", "csrf=root; Path=/", "csrf=elsewhere; Path=/b/c/d", "other=9", "far=f; Path=/z"]);
        assert_eq!(kept.value("csrf", &HERE), Some("near"));
        assert_eq!(kept.value("csrf", &Place { path: "/b/c/d/e", ..HERE }), Some("elsewhere"));
        assert_eq!(kept.value("far", &HERE), Some("f"), "a server may set a token for the pages that need it");
        assert_eq!((kept.value("CSRF", &HERE), kept.value("none", &HERE)), (None, None));
    }

    #[test]
    fn a_value_that_is_over_or_was_taken_back_or_is_for_https_only_is_none() {
        assert_eq!(jar(&["csrf=1; Max-Age=10"]).value("csrf", &Place { now: 1_010, ..HERE }), None);
        assert_eq!(jar(&["csrf=1", "csrf=; Max-Age=0"]).value("csrf", &HERE), None);
        assert_eq!(jar(&["csrf=1; Secure"]).value("csrf", &HERE), None);
    }
}
