use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::fixture::load;

fn rate(count: u32, per_seconds: u32, seconds: u32, warmup: u32, generators: u32, max_in_flight: u32) -> LoadInput {
    let arrivals = Arrivals::Rate { count, per_seconds, seconds, max_in_flight };
    LoadInput { warmup_seconds: warmup, generators, ..load("rate", "http://host", arrivals) }
}

fn closed(clients: u32, iterations_per_client: u64, generators: u32) -> LoadInput {
    LoadInput { generators, ..load("closed", "http://host", Arrivals::Iterations { clients, iterations_per_client }) }
}

fn shares(loads: &[LoadInput]) -> Vec<(usize, Schedule)> {
    (0..)
        .map_while(|index| Share::of_index(loads, index))
        .map(|(position, share)| (position, Schedule::new(&loads[position], share)))
        .collect()
}

/// `$(seq)` of everything a row sends, and `$(client)` of everyone who may send at once.
fn numbers(schedules: &[(usize, Schedule)]) -> (Vec<u64>, Vec<u64>) {
    let (mut seqs, mut clients) = (Vec::new(), Vec::new());
    for (_, schedule) in schedules {
        match schedule {
            Schedule::Open(open) => {
                seqs.extend((0..open.total()).map(|i| open.seq(i)));
                clients.extend((0..open.slots).map(|slot| open.client(slot)));
            }
            Schedule::Closed(closed) => {
                clients.extend((0..closed.clients).map(|client| closed.client(client)));
                for client in 0..closed.clients {
                    seqs.extend((0..closed.iterations.unwrap()).map(|iteration| closed.seq(client, iteration)));
                }
            }
        }
    }
    (seqs, clients)
}

#[test]
fn indexes_are_dealt_to_the_loads_in_order() {
    let loads = [closed(5, 1, 2), rate(1, 1, 1, 0, 3, 10)];
    let dealt: Vec<_> =
        (0..6).map(|i| Share::of_index(&loads, i).map(|(load, share)| (load, share.generator))).collect();
    assert_eq!(dealt, [Some((0, 0)), Some((0, 1)), Some((1, 0)), Some((1, 1)), Some((1, 2)), None]);
    assert_eq!(Share::of_index(&loads, 4).unwrap().1.first_client, 5);
}

#[test]
fn the_last_iteration_of_a_rate_is_due_before_its_end() {
    let [(_, Schedule::Open(open))] = shares(&[rate(3, 7, 14, 0, 1, 10)])[..] else { panic!("one open share") };
    assert_eq!(open.total(), 6);
    assert_eq!(open.due(5), Elapsed::from_nanos(11_666_666_667));
    assert_eq!(open.released(Elapsed::from(Duration::from_secs(1_000_000))), 6);
}

#[test]
fn an_iteration_at_the_end_of_the_warm_up_counts_and_one_before_it_does_not() {
    let load =
        LoadInput { warmup_seconds: 2, ..load("l", "http://host", Arrivals::Seconds { clients: 1, seconds: 3 }) };
    let Schedule::Closed(closed) = Schedule::new(&load, Share::whole(std::slice::from_ref(&load), 0)) else {
        panic!("closed")
    };
    assert_eq!(closed.warmup, Elapsed::from(Duration::from_secs(2)));
    assert!(closed.begins(1_000_000, Elapsed::from_nanos(4_999_999_999)));
    assert!(!closed.begins(0, Elapsed::from(Duration::from_secs(5))));
}

proptest! {
    #[test]
    fn the_shares_of_a_row_are_the_whole_row_and_every_number_is_there_once(
        count in 1u32..50, per in 1u32..20, seconds in 1u32..20, warmup in 0u32..5, generators in 1u32..6,
        clients in 6u32..20, iterations in 0u64..10, others in 1u32..6,
    ) {
        let loads = [rate(count, per, seconds, warmup, generators, 12), closed(clients, iterations, others)];
        let (seqs, all_clients) = numbers(&shares(&loads));
        let planned = u64::from((warmup + seconds) * count).div_ceil(u64::from(per)) + u64::from(clients) * iterations;
        prop_assert_eq!(seqs.len() as u64, planned);
        prop_assert_eq!(seqs.iter().collect::<BTreeSet<_>>().len(), seqs.len());
        prop_assert_eq!(all_clients.iter().collect::<BTreeSet<_>>().len(), 12 + clients as usize);
        prop_assert_eq!(all_clients.iter().max().copied(), Some(u64::from(11 + clients)));
    }

    #[test]
    fn nothing_is_released_before_it_is_due_and_everything_when_it_is(
        count in 1u32..1_000_000, per in 1u32..3600, seconds in 1u32..86_400, generators in 1u32..33, at in 0u64..90_000_000_000_000,
    ) {
        for (_, schedule) in shares(&[rate(count, per, seconds, 0, generators, 100)]) {
            let Schedule::Open(open) = schedule else { unreachable!() };
            let released = open.released(Elapsed::from_nanos(at));
            prop_assert!(released <= open.total());
            if released > 0 {
                prop_assert!(open.due(released - 1) <= Elapsed::from_nanos(at));
            }
            if released < open.total() {
                prop_assert!(open.due(released) > Elapsed::from_nanos(at));
            }
            if let Some(last) = open.total().checked_sub(1) {
                prop_assert!(open.due(last) < Elapsed::from(Duration::from_secs(u64::from(seconds))));
            }
        }
    }

    #[test]
    fn a_rate_does_not_drift(count in 1u32..1_000_000, per in 1u32..3600, k in 0u64..10_000_000_000) {
        let load = rate(count, per, 1, 0, 1, 1);
        let Schedule::Open(open) = Schedule::new(&load, Share::whole(std::slice::from_ref(&load), 0)) else { unreachable!() };
        let exact = u128::from(k) * u128::from(per) * NANOS;
        let due = u128::from(open.due(k).nanos()) * u128::from(count);
        let within_584_years = exact <= u128::from(u64::MAX) * u128::from(count);
        prop_assert_eq!(due >= exact, within_584_years);
        prop_assert!(!within_584_years || due - exact < u128::from(count));
    }
}
