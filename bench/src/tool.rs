//! The load generators that are compared: how each is called, and how it says what it did.

/// A load generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Ours,
    Wrk,
    Oha,
    Hey,
}

/// All of them, ours first.
pub const TOOLS: [Tool; 4] = [Tool::Ours, Tool::Wrk, Tool::Oha, Tool::Hey];

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Requests(u64),
    Seconds(u32),
}

impl Tool {
    /// Its name, as people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "loadtest",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::Hey => "hey",
        }
    }

    /// Its command line. wrk knows no number of requests: it gets a second for each 5,000.
    pub fn words(self, program: &str, url: &str, clients: u32, amount: Amount) -> Vec<String> {
        let clients = clients.to_string();
        let mut words: Vec<&str> = vec![program];
        match self {
            Self::Ours => words.extend(["load", "--clients", &clients]),
            Self::Wrk => words.extend(["--threads", "1", "--connections", &clients]),
            Self::Oha => words.extend(["--no-tui", "--insecure", "-c", &clients]),
            Self::Hey => words.extend(["-c", &clients]),
        }
        let amount = match (self, amount) {
            (Self::Ours, Amount::Requests(requests)) => ["--requests".into(), requests.to_string()],
            (Self::Ours, Amount::Seconds(seconds)) => ["--seconds".into(), seconds.to_string()],
            (Self::Wrk, Amount::Requests(requests)) => ["--duration".into(), requests.div_ceil(5000).to_string()],
            (Self::Wrk, Amount::Seconds(seconds)) => ["--duration".into(), seconds.to_string()],
            (_, Amount::Requests(requests)) => ["-n".into(), requests.to_string()],
            (_, Amount::Seconds(seconds)) => ["-z".into(), format!("{seconds}s")],
        };
        words.extend(amount.iter().map(String::as_str));
        words.push(url);
        words.into_iter().map(str::to_owned).collect()
    }

    /// The good answers that it counted; `None`: it says none, or that others came too.
    pub fn requests(self, text: &str) -> Option<u64> {
        let before = |mark: &str| {
            let line = text.lines().find(|line| line.contains(mark))?;
            line.split(mark).next()?.trim().rsplit(' ').next()?.parse::<u64>().ok()
        };
        let found = match self {
            Self::Ours if !text.contains(" 0 failed") => None,
            Self::Wrk if text.contains("Socket errors") || text.contains("Non-2xx") => None,
            Self::Ours | Self::Wrk => before(" requests in"),
            Self::Oha | Self::Hey => text.lines().find_map(|line| {
                let rest = line.trim().strip_prefix("[200]")?;
                rest.trim().strip_suffix(" responses")?.parse().ok()
            }),
        };
        found.filter(|requests| *requests > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_its_requests_in_its_own_way() {
        for (tool, text, requests) in [
            (Tool::Ours, "300 requests in 1.2 s: 300 good, 0 failed, 0 capped\n", Some(300)),
            (Tool::Ours, "300 requests in 1.2 s: 299 good, 1 failed, 0 capped\n", None),
            (Tool::Wrk, "Running 2s test\n  48771 requests in 2.10s, 11.4MB read\nRequests/sec: 232\n", Some(48_771)),
            (Tool::Wrk, "  4 requests in 2.10s, 1MB read\n  Non-2xx or 3xx responses: 4\n", None),
            (
                Tool::Oha,
                "Status code distribution:\n  [200] 4022 responses\n\nError distribution:\n  [64] x\n",
                Some(4022),
            ),
            (Tool::Hey, "Status code distribution:\n  [200]\t1800 responses\n", Some(1800)),
            (Tool::Hey, "Error distribution:\n  [64]\tdial tcp: refused\n", None),
        ] {
            assert_eq!(tool.requests(text), requests, "{tool:?}: {text}");
        }
    }

    #[test]
    fn a_command_line_names_the_amount_and_the_address() {
        let line = |tool: Tool, amount| tool.words("p", "http://h", 64, amount).join(" ");
        assert_eq!(line(Tool::Ours, Amount::Requests(9)), "p load --clients 64 --requests 9 http://h");
        assert_eq!(line(Tool::Wrk, Amount::Seconds(2)), "p --threads 1 --connections 64 --duration 2 http://h");
        assert_eq!(line(Tool::Oha, Amount::Seconds(2)), "p --no-tui --insecure -c 64 -z 2s http://h");
        assert_eq!(line(Tool::Hey, Amount::Requests(9)), "p -c 64 -n 9 http://h");
    }
}
