//! The limit of requests at once, over a link in virtual time: latency, a bandwidth that all answers share, and hosts that refuse.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use stellar_archive_verifier::work::{Concurrency, ConcurrencyLimit, Outcome, Ran, WorkClass, WorkScheduler, WorkSpec};

const MBIT: u64 = 1_000_000 / 8;
const LATENCY_MS: u64 = 50;
const FILE: u64 = 16_000;
const ADAPTIVE: Concurrency = Concurrency::Adaptive { first: 16, most: 64 };

/// Files over a link, as many at once as the limit allows: each comes `LATENCY_MS` after it was asked for, and when those before it are
/// through.
struct Link {
    bandwidth: u64,
    /// Requests that a host takes at once; others it refuses at once.
    takes: usize,
    /// Requests that are open at once at most, as browsers have it over HTTP/1.1; the others wait.
    connections: usize,
    /// The latency from some moment on.
    later: Option<(u64, u64)>,
    /// Files that are wanted at once at most.
    wanted: usize,
    /// From some moment on files have so many bytes.
    smaller: Option<(u64, u64)>,
}

const LINK: Link =
    Link { bandwidth: 100 * MBIT, takes: usize::MAX, connections: usize::MAX, later: None, wanted: usize::MAX, smaller: None };

#[derive(Debug, Default, PartialEq)]
struct Seen {
    limits: Vec<usize>,
    most_under_way: usize,
    refusals: usize,
    /// What came in the last second.
    last_second: u64,
}

impl Link {
    fn run(&self, concurrency: Concurrency, ms: u64) -> Seen {
        let mut limit = ConcurrencyLimit::new(concurrency);
        let mut seen = Seen { limits: vec![limit.limit()], ..Seen::default() };
        // Their bytes; when they began, were answered and ended, in microseconds; `None` for those that were refused.
        let mut under_way: Vec<(u64, u64, Option<u64>, u64)> = Vec::new();
        let (mut now, mut free) = (0u64, 0u64);
        loop {
            while under_way.len() < limit.limit().min(self.wanted) {
                let latency = match self.later {
                    Some((from, then)) if now >= from * 1000 => then,
                    _ => LATENCY_MS,
                };
                let file = self.smaller.filter(|(from, _)| now >= from * 1000).map_or(FILE, |(_, bytes)| bytes);
                if under_way.len() >= self.takes {
                    under_way.push((0, now, None, now + latency * 1000));
                    continue;
                }
                let begun = match under_way.len().checked_sub(self.connections) {
                    // The one whose connection it gets.
                    Some(before) => under_way.get(before).map_or(now, |(.., ended)| *ended),
                    None => now,
                };
                let ready = begun + latency * 1000;
                let takes = file * 1_000_000 / self.bandwidth;
                free = free.max(ready) + takes;
                under_way.push((file, now, Some(ready.max(free - takes)), free));
            }
            seen.most_under_way = seen.most_under_way.max(under_way.len());
            under_way.sort_by_key(|(.., ended)| *ended);
            let (count, (bytes, began, answered, ended)) = (under_way.len(), under_way.remove(0));
            now = now.max(ended);
            if now > ms * 1000 {
                return seen;
            }
            let outcome = match answered {
                Some(answered) => Outcome::Answered { waited_ms: (answered - began) / 1000, bytes },
                None => Outcome::Refused,
            };
            seen.refusals += usize::from(answered.is_none());
            seen.last_second += if answered.is_some() && now > (ms - 1000) * 1000 { bytes } else { 0 };
            limit.ended(outcome, began / 1000, count, now / 1000);
            if seen.limits.last() != Some(&limit.limit()) {
                seen.limits.push(limit.limit());
            }
        }
    }
}

#[test]
fn it_grows_until_the_link_is_full_and_never_past_the_most() {
    for (mbit, files) in [(20, 16), (60, 32), (100, 39), (1000, 64)] {
        let link = Link { bandwidth: mbit * MBIT, ..LINK };
        let seen = link.run(ADAPTIVE, 5000);
        // What the link carries at once, or as much of it as is allowed.
        let carried = (link.bandwidth).min(64 * FILE * 1000 / LATENCY_MS);
        assert!(seen.last_second * 100 >= carried * 90, "{mbit} Mbit/s: {seen:?}");
        assert!(*seen.limits.iter().max().unwrap() >= files && seen.most_under_way <= 64, "{mbit} Mbit/s: {seen:?}");
    }
}

#[test]
fn it_goes_back_to_what_was_enough_when_more_brings_no_more() {
    // 2 files fill this link; 16 are what a run begins with.
    let seen = Link { bandwidth: 5 * MBIT, ..LINK }.run(ADAPTIVE, 30_000);
    assert_eq!(seen.limits[..3], [16, 32, 16], "{seen:?}");
    assert!(seen.limits.iter().skip(3).all(|limit| [16, 24].contains(limit)), "probes only: {seen:?}");
    let browser = Link { connections: 6, ..LINK }.run(ADAPTIVE, 30_000);
    assert!(browser.limits.iter().skip(2).all(|limit| [16, 24].contains(limit)), "six connections carry what they carry: {browser:?}");
}

#[test]
fn a_probe_finds_a_link_that_became_faster() {
    let mut limit = ConcurrencyLimit::new(Concurrency::Adaptive { first: 2, most: 64 });
    let mut now = 0;
    // 100 ms a request whatever their number, after 40 rounds in which two fill the link.
    for round in 0..60 {
        let count = limit.limit();
        let took = if round < 40 { 50 * u64::try_from(count).unwrap() } else { 100 };
        for _ in 0..count {
            limit.ended(Outcome::Answered { waited_ms: took, bytes: FILE }, now, count, now + took);
        }
        assert!(round >= 40 || limit.limit() <= 4, "round {round}");
        now += took;
    }
    assert_eq!(limit.limit(), 64);
}

#[test]
fn small_files_after_large_ones_soon_get_the_room_they_need() {
    // 16 of the large ones fill this link; of the small ones the latency lets through as many as are under way.
    let link = Link { bandwidth: 10 * MBIT, smaller: Some((1200, 500)), ..LINK };
    assert!(link.run(ADAPTIVE, 1200).limits.ends_with(&[16]), "{:?}", link.run(ADAPTIVE, 1200));
    assert!(link.run(ADAPTIVE, 1900).limits.ends_with(&[64]), "{:?}", link.run(ADAPTIVE, 1900));
}

#[test]
fn a_refusal_halves_it_once_a_round_trip_and_it_comes_back_one_by_one_to_below_where_that_was() {
    let answered = Outcome::Answered { waited_ms: 50, bytes: FILE };
    let mut limit = ConcurrencyLimit::new(Concurrency::Adaptive { first: 16, most: 64 });
    for _ in 0..16 {
        limit.ended(Outcome::Refused, 0, 16, 100);
    }
    assert_eq!(limit.limit(), 8, "those that were on their way say nothing new");
    let mut now = 100;
    let mut seen = Vec::new();
    for _ in 0..40 {
        for _ in 0..limit.limit() {
            limit.ended(answered, now, limit.limit(), now + 50);
        }
        now += 50;
        seen.push(limit.limit());
    }
    assert_eq!(seen[..8], [9, 10, 11, 12, 13, 14, 15, 15]);
    limit.ended(Outcome::Refused, now, 15, now);
    assert_eq!(limit.limit(), 7);
    for began in 0..10 {
        now += 1;
        limit.ended(Outcome::Refused, now + began, 1, now + began);
    }
    assert_eq!(limit.limit(), 1, "never none");
}

#[test]
fn a_host_that_takes_few_at_once_is_seldom_asked_for_more() {
    let seen = Link { takes: 20, ..LINK }.run(ADAPTIVE, 60_000);
    let fixed = Link { takes: 20, ..LINK }.run(Concurrency::Fixed(32), 60_000);
    assert!(seen.refusals > 0 && seen.refusals * 100 < fixed.refusals, "{} of {}", seen.refusals, fixed.refusals);
    // Twenty at once bring that; a few less are fair.
    assert!(seen.last_second * 100 >= 60 * 20 * FILE * 1000 / LATENCY_MS, "{seen:?}");
}

#[test]
fn it_yields_when_answers_take_longer_and_bring_less_but_not_below_what_it_began_with() {
    let seen = Link { bandwidth: 1000 * MBIT, later: Some((2000, 400)), ..LINK }.run(ADAPTIVE, 4000);
    assert_eq!(seen.limits[..3], [16, 32, 64], "{seen:?}");
    assert_eq!(seen.limits.get(3), Some(&48), "{seen:?}");
    assert!(seen.limits.iter().all(|limit| *limit >= 16), "{seen:?}");
}

#[test]
fn what_is_seldom_wanted_says_nothing_of_the_link() {
    assert_eq!(Link { wanted: 4, ..LINK }.run(ADAPTIVE, 10_000).limits, [16]);
}

#[test]
fn a_fixed_limit_stays_whatever_happens() {
    for files in [1, 5, 100] {
        let seen = Link { takes: 20, ..LINK }.run(Concurrency::Fixed(files), 5000);
        assert_eq!((seen.limits, seen.most_under_way), (vec![files], files));
    }
    assert_eq!(ConcurrencyLimit::new(Concurrency::Fixed(0)).limit(), 1);
    assert_eq!(ConcurrencyLimit::new(Concurrency::Adaptive { first: 8, most: 2 }).limit(), 8);
}

#[test]
fn the_same_answers_at_the_same_times_give_the_same_limits() {
    let link = Link { takes: 40, later: Some((3000, 90)), ..LINK };
    assert_eq!(link.run(ADAPTIVE, 20_000), link.run(ADAPTIVE, 20_000));
}

#[test]
fn a_scheduler_starts_as_many_of_a_class_as_its_limit_grew_to() {
    const NET: WorkClass = WorkClass("net");
    let mut work = WorkScheduler::new([]).limiting(NET, Concurrency::Adaptive { first: 2, most: 8 });
    for index in 0..40 {
        work.add(WorkSpec::new("item", index.to_string(), NET), ()).unwrap();
    }
    let (mut now, mut rounds) = (0, Vec::new());
    let start =
        |work: &mut WorkScheduler<()>, now| core::iter::from_fn(|| work.start_next(now)).map(|started| started.id).collect::<Vec<_>>();
    let mut under_way = start(&mut work, now);
    for _ in 0..4 {
        rounds.push(under_way.len());
        now += 50;
        for id in core::mem::take(&mut under_way) {
            work.observe(NET, Outcome::Answered { waited_ms: 50, bytes: FILE }, now - 50, now);
            work.ended(id, (), Ran::Success, now, 0).unwrap();
            under_way.extend(start(&mut work, now));
        }
    }
    assert_eq!((rounds, work.limit(NET)), (vec![2, 4, 8, 8], Some(8)));
    assert_eq!(work.limit(WorkClass("other")), None);
}

#[test]
fn threads_that_share_a_run_ask_no_more_together_than_one_alone_would() {
    let adaptive = Concurrency::Adaptive { first: 16, most: 64 };
    assert_eq!(adaptive.shared_by(2), Concurrency::Adaptive { first: 8, most: 32 });
    assert_eq!(adaptive.shared_by(1), adaptive);
    assert_eq!(Concurrency::Fixed(6).shared_by(4), Concurrency::Fixed(2));
    assert_eq!(Concurrency::Fixed(1).shared_by(8), Concurrency::Fixed(1));
}
