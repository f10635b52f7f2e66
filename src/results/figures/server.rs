//! The database server itself: how many connections it allows, and whether it is the one that the row began with.

use crate::api::{LimitSource, Reason};

use crate::results::gathered::sample::DatabaseFacts;
use crate::results::row_input::Fact;

/// The most connections, and where that is known from.
pub type ConnectionLimit = (i32, LimitSource);

/// The limit by the order of trust: what the spec says, what PostgreSQL says or said earlier in the run, what AWS says (a
/// number of the parameter group, an estimate), what was known before. `None`: nobody knows, so there is no percentage.
pub fn connection_limit(
    spec: Option<i32>,
    postgres: Option<i32>,
    known: Option<ConnectionLimit>,
    aws: Option<ConnectionLimit>,
) -> Option<ConnectionLimit> {
    let said = known.filter(|(_, from)| *from == LimitSource::PostgreSql);
    spec.map(|max| (max, LimitSource::Spec))
        .or(postgres.map(|max| (max, LimitSource::PostgreSql)))
        .or(said)
        .or(aws)
        .or(known)
}

/// That PostgreSQL was started between the start of a row and the end of its settle time (milliseconds since the epoch): its
/// counters, sessions and caches are others than those that the row began with, also where the counters survived.
pub fn restarted(facts: Option<&DatabaseFacts>, start_ms: i64, ended_ms: i64) -> Option<Fact> {
    let started = facts?.started_ms.filter(|at| (start_ms..ended_ms).contains(at))?;
    let seconds = (started - start_ms) / 1000;
    let message = format!("PostgreSQL was restarted {seconds} s after the load began");
    Some(Fact { reason: Some(Reason::DatabaseRestarted), message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use LimitSource::{Estimated, ParameterGroup, PostgreSql, Spec};

    #[test]
    fn the_limit_is_taken_from_whoever_knows_it_best() {
        let aws = Some((855, Estimated));
        assert_eq!(connection_limit(Some(50), Some(100), None, aws), Some((50, Spec)));
        assert_eq!(connection_limit(None, Some(100), None, aws), Some((100, PostgreSql)));
        assert_eq!(connection_limit(None, None, None, Some((90, ParameterGroup))), Some((90, ParameterGroup)));
        assert_eq!(connection_limit(None, None, None, aws), aws);
        assert_eq!(connection_limit(None, None, None, None), None);
    }

    #[test]
    fn what_postgresql_said_in_an_earlier_row_is_not_replaced_by_an_estimate() {
        let (said, aws) = (Some((100, PostgreSql)), Some((855, Estimated)));
        assert_eq!(connection_limit(None, None, said, aws), said);
        assert_eq!(connection_limit(None, None, aws, None), aws, "AWS does not answer any more");
    }

    #[test]
    fn a_server_that_began_within_the_row_is_another_one() {
        let facts = |started_ms| DatabaseFacts { started_ms, ..DatabaseFacts::default() };
        assert!(restarted(Some(&facts(Some(15_000))), 10_000, 20_000).is_some());
        for before_after_or_unknown in [Some(9_999), Some(20_000), None] {
            assert_eq!(restarted(Some(&facts(before_after_or_unknown)), 10_000, 20_000), None);
        }
        assert_eq!(restarted(None, 10_000, 20_000), None);
    }
}
