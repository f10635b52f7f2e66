//! PURE: values of options for a URL, as people type them.

/// `30`, `30s`, `2m`, `1h30m`: whole seconds.
///
/// # Errors
/// It is none of them.
pub fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no time in whole seconds, such as 30s, 2m or 1h30m");
    let (mut sum, mut number) = (0u32, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let part = number.parse::<u32>().ok().and_then(|n| n.checked_mul(unit));
        sum = part.and_then(|part| sum.checked_add(part)).ok_or_else(wrong)?;
        number.clear();
    }
    match (number.is_empty(), text.is_empty()) {
        (true, false) => Ok(sum),
        // A number alone is seconds.
        (false, _) if sum == 0 => number.parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// `100`, `100/s`, `30/m`, `5/h`: count and seconds.
///
/// # Errors
/// It is none of them.
pub fn rate(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("{text:?} is no rate, such as 100, 30/m or 5/h");
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let per_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok((count.parse().map_err(|_| wrong())?, per_seconds))
}

/// `Name: value`.
///
/// # Errors
/// It has no colon, or is made from the body.
pub fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("--header: a header is written `Name: value`")?;
    let name = name.trim();
    if ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("--header: {name} is made from the body; leave it out"));
    }
    Ok((name.into(), value.trim().into()))
}

/// `user:password`.
///
/// # Errors
/// It has no colon.
pub fn basic_auth(text: &str) -> Result<(String, String), String> {
    let (user, password) = text.split_once(':').ok_or("--basic-auth: write user:password")?;
    Ok((user.into(), password.into()))
}

/// What `--expect` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// `2xx`.
    AnyGood,
    One(u16),
}

impl Codes {
    /// The code, if it is one.
    pub fn one(self) -> Option<u16> {
        match self {
            Self::AnyGood => None,
            Self::One(code) => Some(code),
        }
    }
}

/// `2xx`, or a status code.
///
/// # Errors
/// It is neither.
pub fn codes(text: &str) -> Result<Codes, String> {
    if text.eq_ignore_ascii_case("2xx") {
        return Ok(Codes::AnyGood);
    }
    let code = text.parse().ok().filter(|code| (100..600).contains(code));
    code.map(Codes::One).ok_or_else(|| format!("{text:?} is neither 2xx nor a status code, such as 200 or 404"))
}
