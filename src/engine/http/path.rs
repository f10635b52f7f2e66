//! PURE: paths of requests, as the request line carries them.

/// The load's path and the step's, with one slash between them.
pub fn joined(base: &str, path: &str) -> String {
    let base = if path.starts_with('/') { base.strip_suffix('/').unwrap_or(base) } else { base };
    match format!("{base}{path}") {
        whole if whole.starts_with('/') => whole,
        whole => format!("/{whole}"),
    }
}

/// The path and query of a captured link, which may be a full URL (RFC 9110, section 10.2.2): it is asked of the load's own host.
pub fn whole(link: &str) -> String {
    let full = ["http://", "https://"].into_iter().find_map(|scheme| link.strip_prefix(scheme));
    let path = full.map_or(link, |rest| rest.find(['/', '?']).map_or("", |at| &rest[at..]));
    encoded(&joined("", path))
}

/// Percent-encodes what may not stand in a request's target; leaves what has a meaning there.
pub fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | ..=b' ' | 0x7f.. => {
                out.push_str(&format!("%{byte:02X}"));
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}
