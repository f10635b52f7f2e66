//! Each place of the schema with odd values, without a cluster: every one is planned, or refused with a path. What a real API
//! server and the operator make of them is `tests/api/mutations.rs`. LOADTEST_MUTATIONS=all asks all of them, not each fifth.

#[path = "mutation/mod.rs"]
mod mutation;

use loadtest_operator::plan::check;
use mutation::{bases, mutations};

#[test]
fn the_manifests_are_valid_before_they_are_mutated() {
    for base in bases() {
        let checked = check(base.clone());
        assert!(checked.plan.is_ok(), "{base}: {:?}", checked.plan.err());
    }
}

#[test]
fn every_place_of_the_schema_is_mutated_and_each_mutation_is_planned_or_refused_with_its_path() {
    let everything = std::env::var("LOADTEST_MUTATIONS").is_ok_and(|which| which == "all");
    let all: Vec<_> = mutations().into_iter().step_by(if everything { 1 } else { 5 }).collect();
    let (mut planned, mut refused) = (0, 0);
    for mutation in &all {
        match check(mutation.document.clone()).plan {
            Ok(_) => planned += 1,
            Err(errors) => {
                let named = errors.iter().all(|error| !error.path.is_empty() && !error.message.is_empty());
                assert!(!errors.is_empty() && named, "{} = {}: {errors:?}", mutation.place, mutation.put);
                refused += 1;
            }
        }
    }
    println!("mutations without a cluster: {} tried, {refused} refused, {planned} planned", all.len());
    assert!(planned > 0 && refused > planned, "{planned} planned, {refused} refused: these are not odd values");
}
