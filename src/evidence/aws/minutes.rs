//! PURE: when minute points that come late are final. Which window can carry them is said by `results::series`.

use crate::results::gathered::series::Series;

/// True when two polls of the same window agree and all expected points are there.
///
/// `expected`: whole minutes in the window. Figures that are published only under load may have fewer; when there are no
/// others, two answers that agree before the first points can be there (`late`: they can) say nothing. False is not for
/// ever: at its deadline the caller takes what there is.
pub fn settled(previous: &[Series], now: &[Series], expected: usize, late: bool) -> bool {
    let agrees = |series: &Series| {
        let before = previous.iter().find(|p| p.figure == series.figure);
        before.is_some_and(|p| p.points == series.points && p.problem == series.problem)
    };
    let whole = |series: &Series| only_under_load(&series.figure) || series.points.len() >= expected;
    let telling = late || now.iter().any(|series| !only_under_load(&series.figure));
    !now.is_empty() && telling && now.iter().all(|series| agrees(series) && whole(series))
}

/// The database's load has no point in a minute without any, and a proxy that lends no connection has no latency of it: only
/// of its connections AWS says that they are reported every minute.
fn only_under_load(figure: &str) -> bool {
    figure.starts_with("dbLoad") || figure == "proxyBorrowLatencyMs"
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
        assert!(!settled(&[], &now, 2, false));
        assert!(settled(&now, &now, 2, false));
        assert!(!settled(&[], &[], 0, false));
    }

    #[test]
    fn a_point_that_still_changes_is_not_final() {
        assert!(!settled(&[series("cpuPercent", &[1.0, 2.0])], &[series("cpuPercent", &[1.0, 2.5])], 2, false));
    }

    #[test]
    fn a_missing_point_is_waited_for_but_not_of_the_load() {
        let (cpu, load) = (series("cpuPercent", &[1.0]), series("dbLoad", &[]));
        assert!(!settled(std::slice::from_ref(&cpu), std::slice::from_ref(&cpu), 2, false));
        assert!(settled(&[cpu.clone(), load.clone()], &[cpu, load], 1, false));
    }
    #[test]
    fn figures_that_may_be_missing_settle_nothing_before_the_first_points_can_be_there() {
        for figure in ["dbLoad", "proxyBorrowLatencyMs"] {
            let none = [series(figure, &[])];
            assert!(!settled(&none, &none, 2, false), "{figure}: too early to say");
            assert!(settled(&none, &none, 2, true), "{figure}: they did not come");
            let both = [series(figure, &[4.0]), series("proxyBorrowedConnections", &[1.0, 2.0])];
            assert!(settled(&both, &both, 2, false), "{figure}: a quiet minute is not waited for");
        }
    }
}
