//! The table: one line a figure, ours and how many times as much the others have.

/// A figure.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub what: String,
    /// Digits behind the point.
    pub digits: usize,
    pub ours: Option<f64>,
    /// In the order of the columns.
    pub peers: Vec<Option<f64>>,
    pub goal: Option<Goal>,
    /// What was seen beside it.
    pub note: String,
}

/// What a figure should be.
#[derive(Clone, Debug)]
pub struct Goal {
    pub text: String,
    /// `None`: it can't be said, because what it is compared with is missing or the machine is noisy.
    pub met: Option<bool>,
}

impl Goal {
    /// At most so much.
    pub fn at_most(most: f64, ours: Option<f64>) -> Self {
        Self { text: format!("at most {}", grouped(most, 0)), met: ours.map(|ours| ours <= most) }
    }

    /// A peer has at least so many times as much.
    pub fn times(name: &str, least: f64, ours: Option<f64>, peer: Option<f64>) -> Self {
        let met = ours.zip(peer).map(|(ours, peer)| peer >= least * ours);
        Self { text: format!("{name} {least} x"), met }
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        let met = match (self.met, other.met) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        Self { text: format!("{}, {}", self.text, other.text), met }
    }
}

/// The whole table; `peers` are the names of the other columns.
pub fn table(peers: &[&str], rows: &[Row]) -> String {
    let mut lines: Vec<Vec<String>> = vec![vec!["".into(), "loadtest".into()]];
    lines[0].extend(peers.iter().map(ToString::to_string));
    lines[0].extend(["goal".into(), "".into(), "".into()]);
    for row in rows {
        let mut line = vec![row.what.clone(), row.ours.map_or("-".into(), |ours| grouped(ours, row.digits))];
        for i in 0..peers.len() {
            line.push(row.peers.get(i).copied().flatten().map_or("-".into(), |peer| cell(row, peer)));
        }
        let (goal, met) = row.goal.as_ref().map_or(("", ""), |goal| (goal.text.as_str(), word(goal.met)));
        line.extend([goal.into(), met.into(), row.note.clone()]);
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let figures = 1..2 + peers.len();
    let padded = |(column, text): (usize, &String)| {
        let width = widths[column];
        if figures.contains(&column) { format!("{text:>width$}") } else { format!("{text:<width$}") }
    };
    let line = |line: &Vec<String>| line.iter().enumerate().map(padded).collect::<Vec<_>>().join("  ");
    lines.iter().map(|one| line(one).trim_end().to_owned() + "\n").collect()
}

fn word(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "not said",
    }
}

/// A peer's figure and how many times ours it is.
fn cell(row: &Row, peer: f64) -> String {
    let figure = grouped(peer, row.digits);
    match row.ours.filter(|ours| *ours > 0.0) {
        Some(ours) => format!("{figure} ({:.1}x)", peer / ours),
        None => figure,
    }
}

/// `12,345.6`
fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_as_times_ours_and_what_is_missing_is_a_dash() {
        let row = Row {
            what: "instructions".into(),
            ours: Some(2000.0),
            peers: vec![Some(4500.0), None],
            goal: Some(Goal::at_most(3000.0, Some(2000.0))),
            ..Row::default()
        };
        let lines = table(&["wrk", "hey"], &[row]);
        let line = lines.lines().nth(1).unwrap();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
            "instructions 2,000 4,500 (2.2x) - at most 3,000 met"
        );
    }

    #[test]
    fn a_goal_beside_a_missing_peer_is_not_said_to_be_met() {
        assert_eq!(Goal::times("oha", 1.8, Some(1.0), None).met, None);
        assert_eq!(Goal::times("oha", 1.8, Some(1.0), Some(1.7)).met, Some(false));
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([grouped(999.0, 0), grouped(1_234_567.0, 1), grouped(-1000.0, 0)], ["999", "1,234,567.0", "-1,000"]);
    }
}
