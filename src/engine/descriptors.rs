//! A connection is a descriptor, and many systems begin a process with room for 1,024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections of the load: files, timers, the other loads of a process.
const OTHERS: u64 = 64;

/// Makes room for so many connections, as far as the system lets this process; says how many there is room for when
/// that is too few.
pub fn make_room(connections: u32) -> Result<(), u64> {
    let wanted = u64::from(connections) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let current = limit.maximum.map_or(wanted, |most| most.max(wanted.min(most)));
    // Refused, the old limit stays, and is what counts.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum });
    match getrlimit(Resource::Nofile).current {
        Some(current) if current < wanted => Err(current.saturating_sub(OTHERS)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_few_and_never_for_more_than_the_system_allows() {
        assert_eq!(make_room(10), Ok(()));
        if let Some(most) = getrlimit(Resource::Nofile).maximum.and_then(|most| u32::try_from(most).ok()) {
            assert!(make_room(most).is_err());
        }
    }
}
