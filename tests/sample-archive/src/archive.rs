//! The archive: every checkpoint is handed to the verifier's publish works, which write its files (rules A.2, B.1, B.3).

use std::collections::BTreeMap;
use std::fmt;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, pending, ready};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::id::{ArchiveId, WriterId};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::state::{BUCKET_LEVELS, BucketHash, BucketLevel, HistoryArchiveState, NextBucket};
use stellar_archive_verifier::codec::hash::Hash256;
use stellar_archive_verifier::driver::{Drive, Host, Timeouts};
use stellar_archive_verifier::historywork::archives::Archives;
use stellar_archive_verifier::historywork::{
    CheckpointData, HistoryWorkBuilder, PublishTarget, PublishWorkIds, Scheduler, SharedHistoryState, scheduler,
};
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::transport::ArchiveWriter;
use stellar_archive_verifier::transport::pool::ArchivePool;
use stellar_archive_verifier::verify::checkpoint::Rules;
use stellar_xdr::ScpHistoryEntry;

use crate::bucket::{Bucket, Entry, FIRST_WITH_HOT_ARCHIVE};
use crate::bucket_list::BucketList;
use crate::close::{Chain, Closed};
use crate::codec::xdr;

/// A checkpoint that was not published, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishError(String);

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PublishError {}

/// Collects records, and publishes each checkpoint when the ledger after it has closed.
#[derive(Debug)]
pub(crate) struct Publisher<'w> {
    place: Place<'w>,
    frequency: CheckpointFrequency,
    ledger: Vec<Vec<u8>>,
    transactions: Vec<Vec<u8>>,
    results: Vec<Vec<u8>>,
    scp: Vec<Vec<u8>>,
    /// The checkpoint that closed last.
    waiting: Option<Waiting>,
}

struct Place<'w>(&'w dyn ArchiveWriter);

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// A checkpoint whose works wait for the next ledger.
#[derive(Debug)]
struct Waiting {
    state: SharedHistoryState,
    works: Works,
    ids: PublishWorkIds,
}

struct Works(Scheduler);

impl fmt::Debug for Works {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.progress()).finish()
    }
}

impl<'w> Publisher<'w> {
    pub(crate) fn new(writer: &'w dyn ArchiveWriter, frequency: CheckpointFrequency) -> Self {
        Self {
            place: Place(writer),
            frequency,
            ledger: Vec::new(),
            transactions: Vec::new(),
            results: Vec::new(),
            scp: Vec::new(),
            waiting: None,
        }
    }

    /// Adds a ledger's records, and publishes the checkpoint before it if it is the first of one. A ledger without
    /// transactions has neither a transaction nor a result record (B.7 T4), and ledger 1 no messages.
    pub(crate) fn add(&mut self, chain: &Chain, closed: &Closed, messages: Option<&ScpHistoryEntry>) -> Result<(), PublishError> {
        let ledger = LedgerSeq::new(chain.header.ledger_seq);
        if let Some(waiting) = self.waiting.take() {
            self.publish(waiting, ledger)?;
        }
        self.ledger.push(xdr(&closed.header));
        self.transactions.extend(closed.txs.as_ref().map(xdr));
        self.results.extend(closed.results.as_ref().map(xdr));
        self.scp.extend(messages.map(xdr));
        if self.frequency.ending_at(ledger).is_some() {
            self.waiting = Some(self.checkpoint(chain));
        }
        Ok(())
    }

    fn checkpoint(&mut self, chain: &Chain) -> Waiting {
        let checkpoint = self.frequency.containing(LedgerSeq::new(chain.header.ledger_seq));
        let mut buckets = BTreeMap::new();
        let with_hot_archive = chain.header.ledger_version >= FIRST_WITH_HOT_ARCHIVE;
        let history_archive_state = HistoryArchiveState {
            version: if with_hot_archive { 2 } else { 1 },
            server: Some(concat!("sample-archive ", env!("CARGO_PKG_VERSION")).to_owned()),
            network_passphrase: Some(chain.network.passphrase.clone()),
            current_ledger: checkpoint.last_ledger(),
            current_buckets: levels(&chain.live, &mut buckets),
            hot_archive_buckets: with_hot_archive.then(|| levels(&chain.hot, &mut buckets)),
        };
        let state = SharedHistoryState::closed_here(
            checkpoint,
            CheckpointData {
                history_archive_state,
                history_json: Vec::new(),
                headers: std::mem::take(&mut self.ledger),
                transactions: std::mem::take(&mut self.transactions),
                tx_results: std::mem::take(&mut self.results),
                scp_history: std::mem::take(&mut self.scp),
                buckets,
            },
        );
        let writer = self.place.0;
        let target = PublishTarget::new(WriterId::new(0), writer.name()).reading(writer.reader().map(|_| ArchiveId::new(0)));
        let rules = Rules::new(Some(Network::from_passphrase(chain.network.passphrase.as_str())), false, Budget::default());
        let names = writer.reader().map(|reader| reader.name().to_owned()).into_iter().collect();
        let builder = HistoryWorkBuilder::new(Archives::new(names, rules), checkpoint, state.clone());
        let mut works = scheduler(1);
        let ids = builder
            .register_publish(&mut works, [target.with_folders(writer.needs_folders())], None)
            .expect("invariant: a new scheduler takes everything");
        self.run(&mut works);
        Waiting { state, works: Works(works), ids }
    }

    fn publish(&self, waiting: Waiting, closed: LedgerSeq) -> Result<(), PublishError> {
        let Waiting { state, works: Works(mut works), ids } = waiting;
        state.closed(closed);
        works.wake(ids.publish);
        self.run(&mut works);
        let state = state.lock();
        if let Some(reason) = state.publishing().refused() {
            return Err(PublishError(format!("it may not be published: {reason}")));
        }
        match state.publishing().places().into_iter().find_map(|place| place.error) {
            Some(error) => Err(PublishError(format!("{}: {}; {}", error.archive, error.message, error.advice))),
            None => Ok(()),
        }
    }

    /// Runs the works as far as they come now.
    fn run(&self, works: &mut Scheduler) {
        let pool = ArchivePool::new(self.place.0.reader().into_iter().collect());
        let drive = Drive::new(&pool, &Nowhere, Timeouts::default()).with_writers(vec![self.place.0]);
        drive.run_to_completion(works, &mut |_| {}).now_or_never().expect("invariant: the writers of sample archives never wait");
    }
}

/// A list's levels, each with the output of its merge, which the works clear where archives do not name it; and the content
/// of their buckets. An empty output has no file: right after an upgrade to protocol 23 the hot archive has some.
fn levels<E: Entry>(
    list: &BucketList<E>,
    contents: &mut BTreeMap<BucketHash, Vec<u8>>,
) -> stellar_archive_verifier::archive::state::BucketList {
    let mut named = |bucket: &Bucket<E>| {
        let name = BucketHash::new(Hash256::new(bucket.hash().0));
        if !bucket.is_empty() {
            contents.entry(name).or_insert_with(|| bucket.file().to_vec());
        }
        name
    };
    let levels: Vec<_> = list
        .levels()
        .map(|(level, output)| BucketLevel {
            curr: named(&level.curr),
            snap: named(&level.snap),
            next: output.map_or(NextBucket::Clear, |output| NextBucket::Output(named(output))),
        })
        .collect();
    let levels: [_; BUCKET_LEVELS] = levels.try_into().expect("invariant: both crates count eleven levels");
    stellar_archive_verifier::archive::state::BucketList::new(levels)
}

/// A platform where no time passes and nobody waits.
struct Nowhere;

impl Host for Nowhere {
    fn now_ms(&self) -> u64 {
        0
    }

    fn timestamp(&self) -> String {
        "1970-01-01T00:00:00.000Z".to_owned()
    }

    fn jitter_thousandths(&self) -> u64 {
        500
    }

    fn sleep(&self, _: u64) -> LocalBoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(pending())
    }
}
