//! PURE: when minute points that come late are final. Which window can carry them is said by `results::series`.

use crate::results::gathered::series::Series;

/// True when two polls of the same window agree and all expected points are there.
///
/// `expected`: whole minutes in the window. Figures of the database's load are published only under load, so theirs may be
/// missing. False is not for ever: at its deadline the caller takes what there is.
pub fn settled(previous: &[Series], now: &[Series], expected: usize) -> bool {
    let agrees = |series: &Series| {
        let before = previous.iter().find(|p| p.figure == series.figure);
        before.is_some_and(|p| p.points == series.points && p.problem == series.problem)
    };
    let whole = |series: &Series| series.figure.starts_with("dbLoad") || series.points.len() >= expected;
    !now.is_empty() && now.iter().all(|series| agrees(series) && whole(series))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::gathered::series::Point;

    fn series(figure: &str, values: &[f64]) -> Series {
        let point = |(i, v): (usize, &f64)| Point { start_ms: i as i64 * 60_000, average: *v, maximum: *v };
        Series::of_cloudwatch(figure, values.iter().enumerate().map(point).collect(), None)
    }

    #[test]
    fn one_poll_is_never_final() {
        let now = [series("cpuPercent", &[1.0, 2.0])];
        assert!(!settled(&[], &now, 2));
        assert!(settled(&now, &now, 2));
        assert!(!settled(&[], &[], 0));
    }

    #[test]
    fn a_point_that_still_changes_is_not_final() {
        assert!(!settled(&[series("cpuPercent", &[1.0, 2.0])], &[series("cpuPercent", &[1.0, 2.5])], 2));
    }

    #[test]
    fn a_missing_point_is_waited_for_but_not_of_the_load() {
        let (cpu, load) = (series("cpuPercent", &[1.0]), series("dbLoad", &[]));
        assert!(!settled(std::slice::from_ref(&cpu), std::slice::from_ref(&cpu), 2));
        assert!(settled(&[cpu.clone(), load.clone()], &[cpu, load], 1));
    }
}
