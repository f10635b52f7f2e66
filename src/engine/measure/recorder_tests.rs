use proptest::prelude::*;

use super::*;

fn ms(count: u32) -> Elapsed {
    Elapsed::from_nanos(u64::from(count) * 1_000_000)
}

fn recorder(warmup: Elapsed) -> Recorder {
    Recorder::new("load", &["one", "two"].map(|name| crate::engine::fixture::step(name, "GET", "/")), warmup, true)
}

fn sending(due: u32, sent: u32) -> Sending {
    Sending { step: 0, turn: 1, warmup: false, due: ms(due), since: ms(due), sent: ms(sent) }
}

fn answer(end: u32, outcome: Result<u64, Failure>) -> Answer {
    Answer { end: ms(end), status: outcome.is_ok().then_some(200), outcome, excused: false }
}

fn only(histogram: &crate::results::gathered::record::Histogram) -> u64 {
    let read = histogram::decode(histogram).unwrap();
    assert_eq!(read.len(), 1);
    read.max()
}

#[test]
fn latency_counts_from_due_and_service_from_sent() {
    let mut counts = recorder(Elapsed::ZERO);
    counts.sent(sending(100, 130));
    counts.answered(sending(100, 130), answer(180, Ok(3)));
    let record = counts.finish(1_000_000, None);
    assert!(histogram::empty().equivalent(only(&record.latency), 80_000));
    assert!(histogram::empty().equivalent(only(&record.service), 50_000));
    assert!(histogram::empty().equivalent(only(&record.lateness), 30_000));
    assert_eq!(
        (record.counts.first_due_ms, record.counts.last_end_ms, record.counts.tasks),
        (Some(1_000_100), Some(1_000_180), Some(3))
    );
    assert_eq!(record.steps[0].service, record.service);
    assert_eq!(record.steps[1].counts.sent, 0);
}

#[test]
fn a_failure_is_in_no_latency_and_a_timeout_is_counted_apart() {
    let mut counts = recorder(Elapsed::ZERO);
    for failure in [Failure::Timeout, Failure::ConnectTimeout, Failure::Status(503), Failure::Reset] {
        counts.sent(sending(0, 0));
        counts.answered(sending(0, 0), answer(9, Err(failure)));
    }
    let record = counts.finish(0, None);
    assert_eq!((record.counts.sent, record.counts.ok, record.counts.failed, record.counts.timed_out), (4, 0, 4, 2));
    assert_eq!(
        record.counts.failures.keys().collect::<Vec<_>>(),
        ["connect timeout", "reset", "status 503", "timeout"]
    );
    assert_eq!((record.latency.0.as_str(), record.service.0.as_str()), ("", ""));
    assert_eq!(histogram::decode(&record.lateness).unwrap().len(), 4);
    assert_eq!(record.steps[0].counts.failed, 4);
}

#[test]
fn the_warm_up_has_two_counts_of_its_own_and_no_other() {
    let mut counts = recorder(ms(1000));
    let early = Sending { warmup: true, ..sending(999, 999) };
    counts.sent(early);
    counts.answered(early, answer(5000, Ok(2)));
    counts.capped(1, ms(999));
    let record = counts.finish(0, None);
    assert_eq!((record.counts.warmup_sent, record.counts.warmup_tasks, record.counts.tasks), (1, Some(2), Some(0)));
    assert_eq!(
        (record.counts.due, record.counts.sent, record.counts.ok, record.counts.capped, record.counts.first_due_ms),
        (0, 0, 0, 0, None)
    );
    assert_eq!((record.timeline.start_ms, record.timeline.buckets.len()), (1000, 0));
}

#[test]
fn without_a_step_that_counts_tasks_there_is_no_number_of_tasks() {
    let record = Recorder::new("load", &[], Elapsed::ZERO, false).finish(0, Some("sigterm"));
    assert_eq!((record.counts.tasks, record.counts.warmup_tasks), (None, None));
    assert_eq!(record.stopped.as_deref(), Some("sigterm"));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Good(u32, u32),
    Bad(u32, u16),
    Capped(u32),
    Unsent,
    Connected(u32),
}

fn play(counts: &mut Recorder, event: Event) {
    match event {
        Event::Good(due, took) => {
            let sending = Sending { warmup: due < 1000, ..sending(due, due + 1) };
            counts.sent(sending);
            counts.answered(sending, answer(due + 1 + took, Ok(1)));
        }
        Event::Bad(due, status) => {
            let sending = Sending { step: 1, warmup: due < 1000, ..sending(due, due) };
            counts.sent(sending);
            counts.answered(sending, answer(due + 5, Err(Failure::Status(status))));
        }
        Event::Capped(due) => counts.capped(2, ms(due)),
        Event::Unsent => counts.unsent(1),
        Event::Connected(took) => counts.connected(ms(took)),
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0u32..200_000, 0u32..9000).prop_map(|(due, took)| Event::Good(due, took)),
        (0u32..200_000, 300u16..305).prop_map(|(due, status)| Event::Bad(due, status)),
        (0u32..200_000).prop_map(Event::Capped),
        Just(Event::Unsent),
        (0u32..100).prop_map(Event::Connected),
    ]
}

proptest! {
    // Encoding histograms is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_add_up_to_the_whole_in_any_order(events in proptest::collection::vec(event(), 0..40), cut in 0usize..40) {
        let of = |events: &[Event]| {
            let mut counts = recorder(ms(1000));
            events.iter().for_each(|event| play(&mut counts, *event));
            counts
        };
        let whole = of(&events).finish(7, None);
        let (left, right) = events.split_at(cut.min(events.len()));
        for (first, second) in [(left, right), (right, left)] {
            let mut sum = of(first);
            sum.merge(&of(second));
            prop_assert_eq!(&sum.finish(7, None), &whole);
        }
        prop_assert_eq!(whole.counts.due, whole.counts.sent + whole.counts.unsent + whole.counts.capped);
        prop_assert_eq!(whole.counts.sent, whole.counts.ok + whole.counts.failed);
    }

    /// As the records of many pods: each is written down, and they are added in any order and grouping.
    #[test]
    fn many_generators_merge_without_loss_in_any_order_and_grouping(
        events in proptest::collection::vec((event(), 0usize..9), 1..60),
        order in Just((0usize..9).collect::<Vec<_>>()).prop_shuffle(),
        group in 1usize..9,
    ) {
        let of = |keep: &dyn Fn(usize) -> bool| {
            let mut counts = recorder(ms(1000));
            events.iter().filter(|(_, pod)| keep(*pod)).for_each(|(event, _)| play(&mut counts, *event));
            counts
        };
        let whole = of(&|_| true).finish(7, None);
        let (mut all, mut written) = (recorder(ms(1000)), Vec::new());
        for pods in order.chunks(group) {
            let mut some = recorder(ms(1000));
            for pod in pods {
                let one = of(&|of| of == *pod);
                written.push(one.finish(7, None));
                some.merge(&one);
            }
            all.merge(&some);
        }
        prop_assert_eq!(&all.finish(7, None), &whole);
        let texts = |of: &dyn Fn(&LoadRecord) -> crate::results::gathered::record::Histogram| written.iter().map(of).collect::<Vec<_>>();
        for (parts, sum) in [
            (texts(&|record| record.latency.clone()), &whole.latency),
            (texts(&|record| record.service.clone()), &whole.service),
            (texts(&|record| record.lateness.clone()), &whole.lateness),
        ] {
            prop_assert_eq!(histogram::merge(&parts).unwrap(), histogram::decode(sum).unwrap());
        }
    }
}
