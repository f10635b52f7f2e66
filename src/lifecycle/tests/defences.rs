//! Each defence of the protocol is taken away in turn, by what the harness feeds, drops or applies; the explorer must
//! then find how load is fired twice, or something is not put back.

use super::explorer::{NONE, explore};
use super::turns::{DELETE, POD, RESTART, endless, with_acts};
use super::world::{Budget, Setup, World};

/// What the harness takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defence {
    /// The status is written whatever was written meanwhile.
    StatusSwap,
    /// So are targets.
    TargetVersion,
    /// Claim and size are one write.
    ClaimFirst,
    /// A grant goes to every pod of the index.
    PodUid,
    /// Each Job gets a name of its own.
    JobName,
    /// The generator has no marker file, and tolerates a late start (without that, the start itself is the marker).
    Marker,
    /// The generator tolerates a late start.
    LateStart,
    /// Jobs and pods come from a cache.
    LiveReads,
    /// Nobody asks whether generators still send before targets are put back.
    WaitForStop,
    /// A release doesn't ask whether the values are still ours.
    CompareFields,
    /// The start is granted before it is recorded.
    CommitPoint,
    /// Nobody looks for claims and Jobs of runs that are over.
    StandingRule,
    /// A deleted LoadTest is gone at once.
    Finalizer,
    /// A target doesn't carry the number of the act that wrote it last.
    ActMark,
    /// An act deletes whatever pod is there, not those that were chosen when it began.
    VictimUid,
    /// The Job of an act runs as soon as it is made, and not only when it is recorded.
    ActHeld,
    /// A process sends what it decided long ago.
    Fresh,
    /// A finished test is deleted whatever was written meanwhile.
    DeleteVersion,
}

const ALL: [Defence; 18] = [
    Defence::StatusSwap,
    Defence::TargetVersion,
    Defence::ClaimFirst,
    Defence::PodUid,
    Defence::JobName,
    Defence::Marker,
    Defence::LateStart,
    Defence::LiveReads,
    Defence::WaitForStop,
    Defence::CompareFields,
    Defence::CommitPoint,
    Defence::StandingRule,
    Defence::Finalizer,
    Defence::ActMark,
    Defence::VictimUid,
    Defence::ActHeld,
    Defence::Fresh,
    Defence::DeleteVersion,
];

/// States after which a search that found nothing is given up.
const MOST: usize = 400_000;

/// The mishaps that show what a defence is for, and how many controllers it takes.
fn mishaps(defence: Defence) -> (usize, Budget) {
    match defence {
        Defence::StatusSwap => (2, NONE),
        Defence::JobName | Defence::TargetVersion | Defence::LateStart => (1, Budget { late: 1, ..NONE }),
        Defence::ClaimFirst | Defence::StandingRule => (1, Budget { late: 1, cancel: 1, ..NONE }),
        Defence::PodUid => (1, Budget { duplicate: 1, ..NONE }),
        Defence::Marker => (1, Budget { restart: 1, ..NONE }),
        Defence::LiveReads | Defence::ActMark | Defence::VictimUid => (1, NONE),
        Defence::ActHeld => (1, Budget { delete_job: 1, ..NONE }),
        Defence::WaitForStop | Defence::CommitPoint => (1, Budget { cancel: 1, ..NONE }),
        Defence::CompareFields => (1, Budget { foreign: 1, ..NONE }),
        Defence::Finalizer => (1, Budget { delete: 1, ..NONE }),
        Defence::Fresh => (2, Budget { cancel: 1, ..NONE }),
        Defence::DeleteVersion => (1, Budget { edit: 1, ..NONE }),
    }
}

fn world(removed: Option<Defence>, (controllers, budget): (usize, Budget)) -> World {
    let setup = Setup {
        plans: vec![match removed {
            Some(Defence::ActMark) => with_acts(endless(1, 1, 1), &[(Some(10_000), RESTART)]),
            Some(Defence::VictimUid) => with_acts(endless(1, 1, 1), &[(Some(10_000), DELETE)]),
            Some(Defence::ActHeld) => with_acts(endless(1, 1, 1), &[(Some(10_000), POD)]),
            _ => endless(1, 1, 1),
        }],
        targets: vec![vec![0]],
        controllers,
        removed,
        deaf: false,
        prompt: false,
    };
    let mut world = World::new(setup, budget);
    world.tests[0].ttl = (budget.edit > 0).then_some(60_000);
    world
}

#[test]
fn each_defence_that_is_taken_away_is_missed() {
    let mut caught = 0;
    for defence in ALL {
        let found = explore(world(Some(defence), mishaps(defence)), MOST);
        match found.broken {
            Some((broken, way)) => {
                caught += 1;
                println!("{defence:?}: {broken}, after {} events ({} states)", way.len(), found.states);
            }
            None => println!("{defence:?}: NOT CAUGHT in {} states", found.states),
        }
    }
    println!("defences: {} removed, {caught} caught", ALL.len());
    assert_eq!(caught, ALL.len());
}

#[test]
fn with_all_defences_the_same_mishaps_break_nothing() {
    let mut seen = Vec::new();
    for mishaps in ALL.map(mishaps) {
        if seen.contains(&mishaps) || mishaps.1.late > 0 && mishaps.1.cancel > 0 {
            // Late writes and a cancelled test together are explored among the large ones.
            continue;
        }
        seen.push(mishaps);
        let found = explore(world(None, mishaps), MOST);
        assert!(found.complete && found.broken.is_none(), "{mishaps:?}: {:?}", found.broken);
    }
}
