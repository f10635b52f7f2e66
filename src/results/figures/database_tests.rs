//! Tests of PostgreSQL's figures over a row.

use super::*;

const WINDOW: Window = Window { start_ms: 10_000, end_ms: 20_000, settled_ms: Some(25_000) };

fn samples(from: i64, to: i64, of: impl Fn(i64) -> PostgresSample) -> Vec<Sample> {
    (from..=to).map(|t| Sample { t: t * 1000, pg: Some(of(t)), ..Sample::default() }).collect()
}

fn find<'a>(figures: &'a [DatabaseFigure], name: &str) -> Option<&'a Statistics> {
    figures.iter().find(|f| f.name == name).map(|f| &f.statistics)
}

#[test]
fn only_samples_of_the_load_count_and_settled_is_read_at_its_end() {
    let all =
        samples(0, 40, |t| PostgresSample { connections: t as u32, active: Some(0), ..PostgresSample::default() });
    let (figures, notes) = database_figures(&all, &WINDOW, Some(200));
    let connections = find(&figures, "connections").expect("sampled");
    assert_eq!(connections.minimum, decimal(10.0));
    assert_eq!(connections.maximum, decimal(20.0));
    assert_eq!(connections.last, decimal(20.0));
    assert_eq!(connections.settled, decimal(25.0));
    assert_eq!((connections.points, connections.expected), (Some(10), Some(10)));
    assert_eq!(find(&figures, "connectionsPercent").and_then(|s| s.maximum.clone()), decimal(10.0));
    assert!(notes.is_empty());
}

#[test]
fn without_limit_there_is_no_percentage_and_without_rights_no_states() {
    let all = samples(10, 20, |_| PostgresSample { connections: 3, ..PostgresSample::default() });
    let (figures, notes) = database_figures(&all, &WINDOW, None);
    assert!(notes[0].contains("pg_monitor"), "it says what it can't see: {notes:?}");
    for missing in ["connectionsPercent", "activeSessions", "lockWaitPercent", "connectMs", "deadlocks"] {
        assert!(find(&figures, missing).is_none(), "{missing}");
    }
}

#[test]
fn a_burst_of_samples_is_no_coverage() {
    let pg = || Some(PostgresSample { connections: 1, ..PostgresSample::default() });
    let all: Vec<Sample> = (0..10).map(|i| Sample { t: 15_000 + i, pg: pg(), ..Sample::default() }).collect();
    let (figures, _) = database_figures(&all, &WINDOW, None);
    assert_eq!(find(&figures, "connections").expect("seen").points, Some(1));
}

#[test]
fn shares_are_of_active_sessions() {
    let all = samples(10, 20, |t| PostgresSample {
        active: Some(if t % 2 == 0 { 4 } else { 0 }),
        lock: Some(if t % 2 == 0 { 3 } else { 0 }),
        ..PostgresSample::default()
    });
    let (figures, _) = database_figures(&all, &WINDOW, None);
    let lock = find(&figures, "lockWaitPercent").expect("seen");
    assert_eq!((lock.maximum.clone(), lock.minimum.clone()), (decimal(75.0), decimal(0.0)));
}

fn counting(t: i64) -> PostgresSample {
    PostgresSample {
        active: Some(0),
        // 50 a second of the application, 3 of the observer.
        transactions: Some(1000 + 53 * t),
        own_transactions: Some(3 * t),
        blocks_hit: Some(90 * t),
        blocks_read: Some(10 * t),
        deadlocks: Some(if t < 15 { 7 } else { 9 }),
        temp_bytes: Some(t * 1_048_576),
        ..PostgresSample::default()
    }
}

#[test]
fn counters_are_differences_over_the_load() {
    let (figures, _) = database_figures(&samples(0, 40, counting), &WINDOW, None);
    let of = |name| find(&figures, name).expect("counted").clone();
    assert_eq!(of("transactionsPerSecond").average, decimal(50.0));
    assert_eq!(of("cacheHitPercent").average, decimal(90.0));
    assert_eq!(of("deadlocks").last, decimal(2.0));
    assert_eq!(of("deadlocks").maximum, decimal(2.0));
    assert_eq!(of("tempMiB").last, decimal(10.0));
}

#[test]
fn a_counter_that_went_back_is_missing_not_negative() {
    let all = samples(0, 40, |t| counting(if t < 15 { t } else { t - 15 }));
    let (figures, notes) = database_figures(&all, &WINDOW, None);
    for missing in ["transactionsPerSecond", "cacheHitPercent", "tempMiB"] {
        assert!(find(&figures, missing).is_none(), "{missing}");
    }
    assert!(notes[0].contains("went back"), "{notes:?}");
}
