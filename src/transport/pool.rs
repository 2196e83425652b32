//! Several archives of one network: which of them to ask next.
//!
//! What it is: the choice, weighed by how each archive did so far, and the rests that hosts ask for. What it is not:
//! reading (the driver's), or a judgement on what an archive served: a file that is wrong is no reason to ask less, it is
//! a finding. Time and randomness come in as arguments. Rules: A.1 (a random archive for each attempt), E 31.

use core::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;

use super::ArchiveReader;
use crate::archive::error::ReadError;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;

/// Reads in a row that fail for want of a connection before an archive rests: a network that is away for a moment must not
/// use up the retries of a hundred files.
const OUTAGE: u32 = 8;
/// Rests in a row for want of a connection before an archive is not asked any more, half a minute in all: a range of a
/// million files would otherwise take days to say what the first ones said.
const OUTAGES: u32 = 5;
/// The first rest of a host that says 429 without saying how long; doubled each time, up to [`LONGEST_REST_MS`].
const FIRST_REST_MS: u64 = 1000;
/// No host is waited for longer than that at a time, whatever its Retry-After says.
const LONGEST_REST_MS: u64 = 120_000;
/// Rests in a row of a host, without one answer in between, before its archives are not asked any more. Refusals of one and
/// the same file count once: it may be that file.
const RESTS: u32 = 16;
/// Nor is it waited for longer than that in a row.
const RESTED_MS: u64 = 300_000;
/// Share of the newest answer in the running averages, in 1/8.
const NEWEST: u64 = 1;

/// The archives of a run.
#[allow(missing_debug_implementations)] // readers need have none
pub struct ArchivePool<'a> {
    readers: Vec<&'a dyn ArchiveReader>,
    health: RefCell<Vec<Health>>,
    rests: RefCell<BTreeMap<String, Rest>>,
    /// One that is written to as well: what it lacks, the others must have.
    destination: Option<ArchiveId>,
}

/// Which archive to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    Ask(ArchiveId),
    /// All that could be asked rest until then.
    Wait {
        /// Milliseconds of the run's clock.
        until_ms: u64,
    },
    /// There is none left that can be reached.
    Nobody,
}

/// How an archive does, for whoever watches the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It answers.
    Good,
    /// Its host asked for a rest.
    Resting,
    /// It is not asked any more.
    Unreachable,
}

#[derive(Clone, Copy, Debug, Default)]
struct Health {
    /// Reads in a row without a connection.
    unreachable: u32,
    /// Rests in a row because of that.
    outages: u32,
    /// Until when it rests because of that.
    away_until_ms: u64,
    /// Left out of the run for good.
    excluded: bool,
    /// Running average: failures in 1,000 reads.
    failing: u64,
    /// Running average: milliseconds until the first byte.
    latency_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Rest {
    until_ms: u64,
    in_a_row: u32,
    rested_ms: u64,
    refused: Option<ArchivePath>,
}

impl<'a> ArchivePool<'a> {
    /// A pool of archives of one network. Their ids are their places in the list.
    #[must_use]
    pub fn new(readers: Vec<&'a dyn ArchiveReader>) -> Self {
        let health = vec![Health::default(); readers.len()];
        Self { readers, health: RefCell::new(health), rests: RefCell::default(), destination: None }
    }

    /// The same, of which one is written to as well: without the others it is of no use.
    #[must_use]
    pub fn with_destination(mut self, destination: Option<ArchiveId>) -> Self {
        self.destination = destination;
        self
    }

    /// The archives' ids.
    pub fn ids(&self) -> impl Iterator<Item = ArchiveId> + use<> {
        (0..self.readers.len()).map(ArchiveId::new)
    }

    /// An archive's reader.
    #[must_use]
    pub fn reader(&self, id: ArchiveId) -> Option<&'a dyn ArchiveReader> {
        self.readers.get(id.index()).copied()
    }

    /// An archive's name.
    #[must_use]
    pub fn name(&self, id: ArchiveId) -> &str {
        self.readers.get(id.index()).map_or("", |reader| reader.name())
    }

    /// Chooses among all archives but `avoid`. Those that fail often or answer slowly are chosen less, never not at all.
    #[must_use]
    pub fn choose(&self, avoid: &[ArchiveId], now_ms: u64, random_thousandths: u64) -> Choice {
        let alive: Vec<_> = self.ids().filter(|id| !avoid.contains(id) && self.is_usable(*id)).collect();
        let rested: Vec<_> = alive.iter().copied().filter(|id| self.resting_until(*id) <= now_ms).collect();
        let weights: Vec<_> = rested.iter().map(|id| self.weight(*id)).collect();
        let mut point = weights.iter().sum::<u64>() * random_thousandths.min(999) / 1000;
        for (id, weight) in rested.iter().zip(weights) {
            match point.checked_sub(weight) {
                None => return Choice::Ask(*id),
                Some(rest) => point = rest,
            }
        }
        alive.iter().map(|id| self.resting_until(*id)).min().map_or(Choice::Nobody, |until_ms| Choice::Wait { until_ms })
    }

    /// Whether an archive is still asked.
    #[must_use]
    pub fn is_usable(&self, id: ArchiveId) -> bool {
        let health = self.health(id);
        let rest = self.rest(id);
        !health.excluded && health.outages <= OUTAGES && rest.in_a_row < RESTS && rest.rested_ms <= RESTED_MS
    }

    /// Whether no archive is asked any more.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.ids().filter(|id| Some(*id) != self.destination).all(|id| !self.is_usable(id))
    }

    /// How an archive does.
    #[must_use]
    pub fn standing(&self, id: ArchiveId, now_ms: u64) -> Standing {
        match () {
            () if !self.is_usable(id) => Standing::Unreachable,
            () if self.resting_until(id) > now_ms => Standing::Resting,
            () => Standing::Good,
        }
    }

    /// Notes that an archive answered, with a file or with the word that there is none.
    pub fn answered(&self, id: ArchiveId, latency_ms: u64) {
        self.note(id, |health| {
            (health.unreachable, health.outages) = (0, 0);
            health.failing = average(health.failing, 0);
            health.latency_ms = average(health.latency_ms, latency_ms);
        });
        if let Some(reader) = self.reader(id)
            && let Some(rest) = self.rests.borrow_mut().get_mut(reader.host())
        {
            (rest.in_a_row, rest.rested_ms, rest.refused) = (0, 0, None);
        }
    }

    /// Notes that a read failed.
    pub fn failed(&self, id: ArchiveId, path: &ArchivePath, error: &ReadError, now_ms: u64) {
        let wants_connection = error.is_want_of_connection();
        self.note(id, |health| {
            health.failing = average(health.failing, 1000);
            health.unreachable = if wants_connection { health.unreachable + 1 } else { 0 };
            // Reads that were on their way when the rest began say nothing new.
            if health.unreachable >= OUTAGE && health.away_until_ms <= now_ms {
                health.away_until_ms = now_ms.saturating_add(FIRST_REST_MS << health.outages.min(OUTAGES));
                health.outages += 1;
            }
        });
        if let Some(reader) = self.reader(id)
            && (error.is_throttling() || error.retry_after_ms.is_some())
        {
            let mut rests = self.rests.borrow_mut();
            let rest = rests.entry(reader.host().to_owned()).or_default();
            // Requests that were on their way when the first refusal came say nothing new.
            if rest.until_ms > now_ms && error.retry_after_ms.is_none() {
                return;
            }
            let doubled = FIRST_REST_MS.saturating_mul(1u64.checked_shl(rest.in_a_row).unwrap_or(u64::MAX));
            // A wish for no rest at all is none.
            let asked = error.retry_after_ms.unwrap_or(doubled).clamp(FIRST_REST_MS, LONGEST_REST_MS);
            if rest.until_ms <= now_ms {
                rest.in_a_row += u32::from(rest.refused.as_ref() != Some(path));
                rest.rested_ms = rest.rested_ms.saturating_add(asked);
                rest.refused = Some(path.clone());
            }
            rest.until_ms = rest.until_ms.max(now_ms.saturating_add(asked));
        }
    }

    /// Leaves an archive out for good: it cannot be reached, or is of another network.
    pub fn exclude(&self, id: ArchiveId) {
        self.note(id, |health| health.excluded = true);
    }

    fn note(&self, id: ArchiveId, change: impl FnOnce(&mut Health)) {
        if let Some(health) = self.health.borrow_mut().get_mut(id.index()) {
            change(health);
        }
    }

    fn health(&self, id: ArchiveId) -> Health {
        self.health.borrow().get(id.index()).copied().unwrap_or_default()
    }

    fn resting_until(&self, id: ArchiveId) -> u64 {
        self.rest(id).until_ms.max(self.health(id).away_until_ms)
    }

    fn rest(&self, id: ArchiveId) -> Rest {
        let rests = self.rests.borrow();
        self.reader(id).and_then(|reader| rests.get(reader.host())).cloned().unwrap_or_default()
    }

    /// From 1 to 1,000: an archive that fails always, or is twenty times slower than the quickest, still gets a word in.
    fn weight(&self, id: ArchiveId) -> u64 {
        let quickest = self.ids().filter(|id| self.is_usable(*id)).map(|id| self.health(id).latency_ms).min().unwrap_or(0);
        let health = self.health(id);
        let reliable = 1000 - health.failing.min(1000);
        // Below 50 ms all are alike.
        let quick = (quickest + 50) * 1000 / (health.latency_ms + 50).max(1);
        (reliable * reliable / 1000 * quick.min(1000) / 1000).max(1)
    }
}

fn average(old: u64, new: u64) -> u64 {
    (old * (8 - NEWEST) + new * NEWEST) / 8
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)] // an index that is wrong fails the test, as it should
mod tests {
    use super::*;
    use crate::archive::error::ReadErrorKind;
    use crate::transport::memory::MemoryArchive;

    struct Named(&'static str, MemoryArchive);

    impl ArchiveReader for Named {
        fn name(&self) -> &str {
            self.0
        }

        fn host(&self) -> &str {
            self.0.split('/').next().unwrap_or_default()
        }

        fn open<'a>(
            &'a self,
            path: &'a crate::archive::path::ArchivePath,
        ) -> futures_util::future::LocalBoxFuture<'a, Result<super::super::Body, ReadError>> {
            self.1.open(path)
        }
    }

    fn with_pool(names: &[&'static str], test: impl FnOnce(&ArchivePool<'_>)) {
        let archives: Vec<_> = names.iter().map(|name| Named(name, MemoryArchive::default())).collect();
        test(&ArchivePool::new(archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect()));
    }

    fn file(number: u64) -> ArchivePath {
        let ledger = u32::try_from(number % 100_000).map_or(63, |number| number * 64 + 63);
        let checkpoint =
            crate::archive::checkpoint::CheckpointFrequency::Standard.containing(crate::archive::checkpoint::LedgerSeq::new(ledger));
        ArchivePath::of_checkpoint(crate::archive::path::FileKind::Ledger, checkpoint)
    }

    #[test]
    fn one_file_that_is_always_refused_does_not_end_the_others() {
        with_pool(&["a"], |pool| {
            let (id, mut error) = (ArchiveId::new(0), ReadError::new(ReadErrorKind::Http(429), ""));
            error.retry_after_ms = Some(0);
            let mut now = 0;
            for _ in 0..100 {
                pool.failed(id, &file(1), &error, now);
                now = pool.rest(id).until_ms;
            }
            assert!(pool.is_usable(id));
        });
    }

    fn shares(pool: &ArchivePool<'_>, avoid: &[ArchiveId]) -> Vec<usize> {
        let mut shares = vec![0; pool.readers.len()];
        for random in 0..1000 {
            if let Choice::Ask(id) = pool.choose(avoid, 0, random) {
                shares[id.index()] += 1;
            }
        }
        shares
    }

    #[test]
    fn sound_archives_are_asked_alike_and_never_those_to_avoid() {
        with_pool(&["a", "b", "c"], |pool| {
            assert!(shares(pool, &[]).iter().all(|share| (330..340).contains(share)));
            assert_eq!(shares(pool, &[ArchiveId::new(0), ArchiveId::new(2)]), [0, 1000, 0]);
            let all: Vec<_> = pool.ids().collect();
            assert_eq!(pool.choose(&all, 0, 0), Choice::Nobody);
        });
    }

    #[test]
    fn failing_and_slow_archives_are_asked_less_but_still_asked() {
        with_pool(&["bad", "slow", "good"], |pool| {
            for _ in 0..20 {
                pool.failed(ArchiveId::new(0), &file(0), &ReadError::new(ReadErrorKind::Http(500), ""), 0);
                pool.answered(ArchiveId::new(1), 1000);
                pool.answered(ArchiveId::new(2), 10);
            }
            let shares = shares(pool, &[]);
            assert!(shares[2] > 8 * shares[1] && shares[1] > shares[0], "{shares:?}");
            assert_eq!(pool.choose(&[ArchiveId::new(1), ArchiveId::new(2)], 0, 0), Choice::Ask(ArchiveId::new(0)));
        });
    }

    #[test]
    fn a_host_that_says_429_rests_with_all_its_archives_for_as_long_as_it_asks() {
        with_pool(&["host/1", "host/2", "other/1"], |pool| {
            let mut error = ReadError::new(ReadErrorKind::Http(429), "");
            error.retry_after_ms = Some(5000);
            pool.failed(ArchiveId::new(0), &file(0), &error, 1000);
            assert_eq!(shares_at(pool, 5999), [0, 0, 1000]);
            assert_eq!(pool.choose(&[ArchiveId::new(2)], 5999, 0), Choice::Wait { until_ms: 6000 });
            assert_eq!(pool.standing(ArchiveId::new(1), 5999), Standing::Resting);
            assert!(matches!(pool.choose(&[ArchiveId::new(2)], 6000, 0), Choice::Ask(_)));
        });
    }

    fn shares_at(pool: &ArchivePool<'_>, now: u64) -> Vec<usize> {
        let mut shares = vec![0; pool.readers.len()];
        for random in 0..1000 {
            if let Choice::Ask(id) = pool.choose(&[], now, random) {
                shares[id.index()] += 1;
            }
        }
        shares
    }

    #[test]
    fn rests_without_a_wish_double_and_end_in_giving_up() {
        with_pool(&["a"], |pool| {
            let (id, error) = (ArchiveId::new(0), ReadError::new(ReadErrorKind::Http(429), ""));
            let mut now = 0;
            let mut rests = Vec::new();
            while pool.is_usable(id) {
                pool.failed(id, &file(now), &error, now);
                pool.failed(id, &file(now), &error, now);
                let until = pool.rest(id).until_ms;
                rests.push(until - now);
                now = until;
            }
            assert_eq!(rests[..4], [1000, 2000, 4000, 8000]);
            assert_eq!((rests.len(), rests.iter().max()), (9, Some(&LONGEST_REST_MS)), "five minutes and no more");
            assert!(pool.is_dead());
        });
    }

    #[test]
    fn an_archive_without_a_connection_is_given_up_and_one_answer_makes_up_for_all_before() {
        with_pool(&["a"], |pool| {
            let (id, error) = (ArchiveId::new(0), ReadError::new(ReadErrorKind::Network, ""));
            (1..OUTAGE).for_each(|_| pool.failed(id, &file(0), &error, 0));
            pool.answered(id, 1);
            (1..OUTAGE).for_each(|_| pool.failed(id, &file(0), &error, 0));
            assert_eq!(pool.choose(&[], 0, 0), Choice::Ask(id));
            (0..100).for_each(|_| pool.failed(id, &file(0), &error, 0));
            assert_eq!(pool.choose(&[], 0, 0), Choice::Wait { until_ms: 1000 }, "a hundred reads at once are one outage");
            let mut now = 0;
            while let Choice::Wait { until_ms } = pool.choose(&[], now, 0) {
                now = until_ms;
                pool.failed(id, &file(0), &error, now);
            }
            assert_eq!((now, pool.is_dead(), pool.choose(&[], now, 0)), (31_000, true, Choice::Nobody));
        });
    }
}
