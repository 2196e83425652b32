//! Publishing: what is put where, in which order and how often, and what is not; places that fail, and publishers that are
//! stopped.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::sync::OnceLock;

use common::made::{Named, inflate, records};
use common::{TestHost, data, options, verify};
use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, pending, ready};
use sample_archive::{Archive, Config};
use stellar_archive_verifier::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::{WriteError, WriteErrorKind};
use stellar_archive_verifier::archive::id::{ArchiveId, WriterId};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::archive::state::{BucketList, HistoryArchiveState, NextBucket};
use stellar_archive_verifier::driver::download::download_checkpoint;
use stellar_archive_verifier::driver::publish::{PublishError, PublishSummary, new_history, publish_checkpoint};
use stellar_archive_verifier::driver::{Drive, DriveEvent, Host, ReadOptions, Timeouts};
use stellar_archive_verifier::historywork::archives::Archives;
use stellar_archive_verifier::historywork::metrics::PublishMetrics;
use stellar_archive_verifier::historywork::{
    CheckpointData, HistoryWorkBuilder, HistoryWorkStage, PublishTarget, SharedHistoryState, get_progress, scheduler,
};
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::transport::local::{LocalArchive, LocalArchiveWriter};
use stellar_archive_verifier::transport::memory::{MemoryArchive, MemoryArchiveWriter};
use stellar_archive_verifier::transport::pool::ArchivePool;
use stellar_archive_verifier::transport::{ArchiveReader, ArchiveWriter};
use stellar_archive_verifier::verify::checkpoint::Rules;
use stellar_archive_verifier::work::WorkState;
use stellar_xdr::{Limits, ReadXdr, ScpHistoryEntry, TransactionHistoryEntry, WriteXdr};

type Files = BTreeMap<String, Vec<u8>>;

const WELL_KNOWN: &str = ".well-known/stellar-history.json";
const PASSPHRASE: &str = "Sample Network ; stellar-archive-verifier";
/// Hash of a bucket list without a bucket (rules B.1).
const EMPTY_LIST: &str = "fe05118472ded163eec364dac2e960ba8ac910689c88cead24b394962b13a1e6";

// ---- archives and checkpoints

fn sample() -> &'static Archive {
    static SAMPLE: OnceLock<Archive> = OnceLock::new();
    SAMPLE.get_or_init(|| made(1, PASSPHRASE))
}

fn made(seed: u64, passphrase: &str) -> Archive {
    sample_archive::make(&Config { seed, ledgers: 192, passphrase: passphrase.to_owned(), ..Config::default() })
}

fn source() -> MemoryArchive {
    MemoryArchive::new(sample().files.clone())
}

fn checkpoint(last: u32) -> Checkpoint {
    CheckpointFrequency::Standard.ending_at(LedgerSeq::new(last)).unwrap()
}

fn path(kind: FileKind, last: u32) -> String {
    ArchivePath::of_checkpoint(kind, checkpoint(last)).as_str().to_owned()
}

/// What a checkpoint of the sample consists of.
fn expected(lasts: &[u32]) -> Files {
    let mut paths = BTreeSet::new();
    for last in lasts {
        paths.extend(FileKind::ALL.map(|kind| path(kind, *last)));
        let state = String::from_utf8(sample().files[&path(FileKind::History, *last)].clone()).unwrap();
        let hashes = state.split('"').filter(|part| part.len() == 64 && part.bytes().any(|byte| byte != b'0'));
        paths.extend(hashes.map(|hash| format!("bucket/{}/{}/{}/bucket-{hash}.xdr.gz", &hash[..2], &hash[2..4], &hash[4..6])));
    }
    let mut files: Files = paths.into_iter().map(|path| (path.clone(), sample().files[&path].clone())).collect();
    let newest = lasts.iter().max().unwrap();
    files.insert(WELL_KNOWN.to_owned(), sample().files[&path(FileKind::History, *newest)].clone());
    files
}

/// A checkpoint as a node has it that closed it itself.
fn closed_data(last: u32) -> CheckpointData {
    let source = source();
    block_on(download_checkpoint(vec![&source], &TestHost::default(), &ReadOptions::default(), checkpoint(last), true)).unwrap().0
}

// ---- places

/// A place that writes down what it is given, and fails as it is told.
#[derive(Default)]
struct Recorder {
    name: &'static str,
    inner: MemoryArchiveWriter,
    log: RefCell<Vec<String>>,
    /// The next puts of a file go so.
    once: RefCell<BTreeMap<String, VecDeque<WriteError>>>,
    /// All puts go so.
    always: RefCell<Option<WriteError>>,
    folders: Option<RefCell<BTreeSet<String>>>,
    /// Folders that cannot be made.
    no_folder: Option<&'static str>,
    /// Puts that succeed until the run is told to stop.
    stop_after: Cell<Option<(u32, bool)>>,
    stop: Rc<Cell<bool>>,
    unreadable: bool,
}

impl Recorder {
    fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    fn of(files: Files) -> Self {
        Self { name: "place", inner: MemoryArchiveWriter::new("place", files), ..Self::default() }
    }

    fn failing(self, kind: WriteErrorKind) -> Self {
        *self.always.borrow_mut() = Some(WriteError::new(kind, format!("scripted {kind:?}")));
        self
    }

    fn puts(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    fn take(&self, path: &ArchivePath, bytes: &[u8]) -> Result<(), WriteError> {
        self.log.borrow_mut().push(path.as_str().to_owned());
        if let Some(error) = &*self.always.borrow() {
            return Err(error.clone());
        }
        if let Some(error) = self.once.borrow_mut().get_mut(path.as_str()).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        if let Some(folders) = &self.folders {
            assert!(folders.borrow().contains(path.folder()), "{path} is put into a folder that was not made");
        }
        if let Some((left, torn)) = self.stop_after.get() {
            self.stop_after.set(Some((left.saturating_sub(1), torn)));
            if left <= 1 {
                self.stop.set(true);
            }
            if left == 0 || (left == 1 && torn) {
                return Err(WriteError::new(WriteErrorKind::Aborted, "stopped"));
            }
        }
        self.inner.put_bytes(path, bytes).now_or_never().unwrap()
    }
}

impl ArchiveWriter for Recorder {
    fn name(&self) -> &str {
        self.name
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(ready(self.take(path, bytes)))
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        self.inner.exists(path)
    }

    fn needs_folders(&self) -> bool {
        self.folders.is_some()
    }

    fn make_dir<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        let fresh = self.folders.as_ref().unwrap().borrow_mut().insert(folder.to_owned());
        assert!(fresh, "{folder} is made once");
        let forbidden = folder.starts_with(self.no_folder.unwrap_or("nowhere"));
        Box::pin(ready(if forbidden { Err(WriteError::new(WriteErrorKind::Forbidden, "no folders here")) } else { Ok(()) }))
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        if self.unreadable { None } else { Some(&self.inner) }
    }
}

/// What somebody writes who needs no more than the two things that are needed.
#[derive(Default)]
struct Bare(RefCell<Files>);

impl ArchiveWriter for Bare {
    fn name(&self) -> &str {
        "bare"
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        self.0.borrow_mut().insert(path.as_str().to_owned(), bytes.to_vec());
        Box::pin(ready(Ok(())))
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        Box::pin(ready(Ok(self.0.borrow().contains_key(path.as_str()))))
    }
}

/// A host whose clock moves by itself, and that is told to stop by whoever has the flag.
#[derive(Default)]
struct Stoppable {
    time: TestHost,
    stop: Rc<Cell<bool>>,
}

impl Host for Stoppable {
    fn now_ms(&self) -> u64 {
        self.time.now_ms()
    }

    fn timestamp(&self) -> String {
        self.time.timestamp()
    }

    /// Delays are the longest.
    fn jitter_thousandths(&self) -> u64 {
        1000
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        self.time.sleep(ms)
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        self.time.yield_now()
    }

    fn is_cancelled(&self) -> bool {
        self.stop.get()
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        if self.stop.get() { Box::pin(ready(())) } else { Box::pin(pending()) }
    }
}

// ---- publishing

fn publish(source: &dyn ArchiveReader, writers: Vec<&dyn ArchiveWriter>, last: u32) -> Result<PublishSummary, PublishError> {
    publish_on(&Stoppable::default(), source, writers, last)
}

fn publish_on(
    host: &Stoppable,
    source: &dyn ArchiveReader,
    writers: Vec<&dyn ArchiveWriter>,
    last: u32,
) -> Result<PublishSummary, PublishError> {
    block_on(publish_checkpoint(vec![source], writers, host, &ReadOptions::default(), checkpoint(last)))
}

/// Publishes what is in a state, and gives how the work ended and what was tried again.
fn publish_state(
    host: &Stoppable,
    state: &SharedHistoryState,
    writer: &dyn ArchiveWriter,
    last: u32,
) -> (Option<WorkState>, Vec<(String, u32, u64)>) {
    let pool = ArchivePool::new(writer.reader().into_iter().collect());
    let drive = Drive::new(&pool, host, Timeouts::default()).with_writers(vec![writer]);
    let rules = Rules::new(Some(Network::from_passphrase(PASSPHRASE)), false, Budget::default());
    let archives = Archives::new(pool.ids().map(|id| pool.name(id).to_owned()).collect(), rules);
    let mut work = scheduler(4);
    let target = PublishTarget::new(WriterId::new(0), writer.name()).reading(writer.reader().map(|_| ArchiveId::new(0)));
    let builder = HistoryWorkBuilder::new(archives, checkpoint(last), state.clone());
    let ids = builder.register_publish(&mut work, [target.with_folders(writer.needs_folders())], None).unwrap();
    let mut retries = Vec::new();
    block_on(drive.run_to_completion(&mut work, &mut |event| {
        if let DriveEvent::Retry { path, attempt, delay_ms, .. } = event {
            retries.push((path, attempt, delay_ms));
        }
    }));
    (work.state(ids.publish), retries)
}

/// Publishes a checkpoint that was closed here and is followed by another ledger.
fn publish_data(data: CheckpointData, writer: &dyn ArchiveWriter, last: u32) -> SharedHistoryState {
    let state = SharedHistoryState::closed_here(checkpoint(last), data);
    state.closed(LedgerSeq::new(last + 1));
    publish_state(&Stoppable::default(), &state, writer, last);
    state
}

fn refusal(state: &SharedHistoryState) -> Option<String> {
    state.lock().publishing().refused().map(ToString::to_string)
}

#[track_caller]
fn assert_sound(files: &Files, low: u32, high: u32) {
    let report = verify(&MemoryArchive::new(files.clone()), &options(low, high, None));
    assert_eq!(report.verdict, Verdict::Verified, "{:#?} {:#?}", report.findings, report.errors);
}

#[test]
fn a_checkpoint_is_put_with_its_buckets_and_files_before_its_state_and_what_announces_it_last() {
    let place = Recorder::named("place");
    let summary = publish(&source(), vec![&place], 127).unwrap();
    let puts = place.puts();
    let (state, announced) = (path(FileKind::History, 127), WELL_KNOWN.to_owned());
    assert_eq!(puts[puts.len() - 2..], [state, announced]);
    assert_eq!(puts.iter().collect::<BTreeSet<_>>().len(), puts.len(), "every file is put once");
    let files = expected(&[127]);
    assert_eq!(puts.into_iter().collect::<BTreeSet<_>>(), files.keys().cloned().collect());
    assert!(place.inner.files() == files, "byte by byte: the sample was published by the same works");
    assert_sound(&place.inner.files(), 64, 127);

    let there = &summary.destinations[0];
    let bytes: usize = files.values().map(Vec::len).sum();
    assert_eq!(
        (there.destination.as_str(), there.written.files, there.kept, there.written.bytes.clone()),
        ("place", files.len() as u64, 0, bytes.to_string())
    );
    assert_eq!((there.error.clone(), summary.network.as_deref(), summary.checkpoint), (None, Some(PASSPHRASE), LedgerSeq::new(127)));
    let PublishMetrics { success, failure, time_ms } = summary.metrics;
    assert!(success == 1 && failure == 0 && time_ms > 0);
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!((&json["metrics"]["history.publish.success"], &json["destinations"][0]["kept"]), (&1.into(), &0.into()));
}

#[test]
fn of_the_next_checkpoint_only_what_differs_is_put() {
    let place = Recorder::named("place");
    publish(&source(), vec![&place], 63).unwrap();
    place.log.borrow_mut().clear();
    let summary = publish(&source(), vec![&place], 127).unwrap();
    let (before, after) = (expected(&[63]), expected(&[127]));
    let mut lacking: BTreeSet<_> = after.keys().filter(|path| !before.contains_key(*path)).cloned().collect();
    assert!(after.keys().any(|path| path.starts_with("bucket/") && before.contains_key(path)), "they share a bucket");
    lacking.insert(WELL_KNOWN.to_owned());
    assert_eq!(place.puts().into_iter().collect::<BTreeSet<_>>(), lacking);
    assert_eq!(summary.destinations[0].kept, 0, "what it announces is not even looked for");
    assert!(place.inner.files() == expected(&[63, 127]));
    assert_sound(&place.inner.files(), 1, 127);
}

#[test]
fn what_is_there_already_is_left_alone_and_what_is_announced_never_goes_back() {
    let place = Recorder::named("place");
    publish(&source(), vec![&place], 127).unwrap();
    let files = place.inner.files();
    place.log.borrow_mut().clear();
    // The same again: only what announces it is put.
    let summary = publish(&source(), vec![&place], 127).unwrap();
    assert_eq!(place.puts(), [WELL_KNOWN]);
    assert!(place.inner.files() == files && summary.destinations[0].kept == 5);
    // An earlier one fills the gap, and what is announced stays.
    place.log.borrow_mut().clear();
    publish(&source(), vec![&place], 63).unwrap();
    assert!(!place.puts().contains(&WELL_KNOWN.to_owned()));
    assert!(place.inner.files() == expected(&[63, 127]));
}

#[test]
fn one_place_that_fails_does_not_stop_the_others_and_is_reported_by_its_name() {
    let (good, forbidden) = (Recorder::named("good"), Recorder::named("forbidden").failing(WriteErrorKind::Forbidden));
    let (full, bare) = (Recorder::named("full").failing(WriteErrorKind::Full), Bare::default());
    let (source, host, mut few) = (source(), Stoppable::default(), ReadOptions::default());
    few.concurrency = 2.into();
    let published = publish_checkpoint(vec![&source], vec![&forbidden, &good, &full, &bare], &host, &few, checkpoint(127));
    let summary = block_on(published).unwrap();
    let errors: Vec<_> =
        summary.destinations.iter().map(|place| place.error.as_ref().map(|error| (error.archive.as_str(), &*error.code))).collect();
    assert_eq!(errors, [Some(("forbidden", "FORBIDDEN")), None, Some(("full", "FULL")), None]);
    assert!(good.inner.files() == expected(&[127]) && *bare.0.borrow() == expected(&[127]));
    assert!(forbidden.inner.files().is_empty() && full.inner.files().is_empty());
    assert!(forbidden.puts().len() * 2 < good.puts().len(), "what fails for good is not tried with every file: {:?}", forbidden.puts());
    assert_eq!((summary.metrics.success, summary.metrics.failure), (0, 1));
}

#[test]
fn a_put_is_tried_twice_more_and_then_given_up_without_anything_being_announced() {
    let ledger = path(FileKind::Ledger, 127);
    for faults in [2, 3] {
        let place = Recorder::named("place");
        let busy = || WriteError::new(WriteErrorKind::Http(503), "busy");
        place.once.borrow_mut().insert(ledger.clone(), (0..faults).map(|_| busy()).collect());
        let state = SharedHistoryState::closed_here(checkpoint(127), closed_data(127));
        state.closed(LedgerSeq::new(128));
        let (ended, retries) = publish_state(&Stoppable::default(), &state, &place, 127);
        assert_eq!(retries, [(ledger.clone(), 1, 100), (ledger.clone(), 2, 200)]);
        assert_eq!(place.puts().iter().filter(|path| **path == ledger).count(), 3);
        let error = state.lock().publishing().places()[0].error.clone();
        if faults == 2 {
            assert_eq!((ended, error), (Some(WorkState::Success), None));
            assert!(place.inner.files() == expected(&[127]));
        } else {
            assert_eq!(ended, Some(WorkState::Failure));
            assert_eq!(
                error.map(|error| (error.code.into_owned(), error.path.unwrap().as_str().to_owned())),
                Some(("HTTP".into(), ledger.clone()))
            );
            assert!(!place.inner.files().keys().any(|path| path == WELL_KNOWN || path.starts_with("history/")));
        }
    }
}

#[test]
fn what_a_host_asks_to_wait_is_waited() {
    let place = Recorder::named("place");
    let ledger = path(FileKind::Ledger, 127);
    let busy = WriteError { retry_after_ms: Some(7000), ..WriteError::new(WriteErrorKind::Http(429), "slower") };
    place.once.borrow_mut().insert(ledger.clone(), [busy].into());
    let state = SharedHistoryState::closed_here(checkpoint(127), closed_data(127));
    state.closed(LedgerSeq::new(128));
    let (ended, retries) = publish_state(&Stoppable::default(), &state, &place, 127);
    assert_eq!((ended, retries), (Some(WorkState::Success), vec![(ledger, 1, 7000)]));
}

#[test]
fn folders_are_made_where_a_place_wants_them_once_each_and_before_their_files() {
    let place = Recorder { folders: Some(RefCell::default()), ..Recorder::named("place") };
    let summary = publish(&source(), vec![&place], 127).unwrap();
    assert_eq!(summary.destinations[0].error, None);
    let folders = expected(&[127]).keys().map(|path| path.rsplit_once('/').unwrap().0.to_owned()).collect();
    assert_eq!(*place.folders.as_ref().unwrap().borrow(), folders);
}

#[test]
fn a_folder_that_cannot_be_made_is_the_failure_of_its_file() {
    let place = Recorder { folders: Some(RefCell::default()), no_folder: Some("ledger/"), ..Recorder::named("place") };
    let summary = publish(&source(), vec![&place], 127).unwrap();
    let error = summary.destinations[0].error.clone().unwrap();
    assert_eq!(
        (&*error.code, error.path.unwrap().as_str(), &*error.message),
        ("FORBIDDEN", &*path(FileKind::Ledger, 127), "no folders here")
    );
    assert!(!place.inner.files().contains_key(WELL_KNOWN));
}

#[test]
fn nothing_is_announced_while_the_state_of_the_checkpoint_is_not_there() {
    let history = path(FileKind::History, 127);
    for faults in [1, 3] {
        let place = Recorder::named("place");
        let busy = (0..faults).map(|_| WriteError::new(WriteErrorKind::Http(503), "busy")).collect();
        place.once.borrow_mut().insert(history.clone(), busy);
        let summary = publish(&source(), vec![&place], 127).unwrap();
        let puts = place.puts();
        if faults == 1 {
            assert_eq!(puts[puts.len() - 3..], [history.clone(), history.clone(), WELL_KNOWN.to_owned()]);
        } else {
            assert!(puts.ends_with(&[history.clone(), history.clone(), history.clone()]) && !puts.contains(&WELL_KNOWN.to_owned()));
            assert_eq!(
                summary.destinations[0].error.as_ref().and_then(|error| error.path.as_ref()).map(ArchivePath::as_str),
                Some(&*history)
            );
        }
    }
}

#[test]
fn an_scp_file_without_messages_is_not_published_and_empty_ones_of_the_others_are() {
    let mut silent = closed_data(127);
    silent.scp_history.clear();
    let mut wordless = closed_data(127);
    for record in &mut wordless.scp_history {
        let mut entry = ScpHistoryEntry::from_xdr(record.as_slice(), Limits::none()).unwrap();
        let ScpHistoryEntry::V0(content) = &mut entry;
        content.ledger_messages.messages = Default::default();
        content.quorum_sets = Default::default();
        *record = entry.to_xdr(Limits::none()).unwrap();
    }
    for data in [silent, wordless] {
        let place = Recorder::named("place");
        assert_eq!(refusal(&publish_data(data, &place, 127)), None);
        let mut files = expected(&[127]);
        files.remove(&path(FileKind::Scp, 127));
        assert!(place.inner.files() == files);
    }
    // A checkpoint without a transaction: the files are there, and empty.
    let quiet = sample_archive::make(&Config { ledgers: 8, frequency: sample_archive::Frequency::Accelerated, ..Config::default() });
    let of = |kind: &str| inflate(&quiet.files[&format!("{kind}/00/00/00/{kind}-00000007.xdr.gz")]);
    if quiet.busy_ledgers.iter().all(|ledger| *ledger > 7) {
        assert!(of("transactions").is_empty() && of("results").is_empty());
    }
}

#[test]
fn ledgers_without_results_have_no_entries_even_if_they_are_held() {
    let mut data = closed_data(127);
    let busy: Vec<_> = data.tx_results.iter().map(|record| u32::from_be_bytes(record[..4].try_into().unwrap())).collect();
    let quiet = (64..=127).find(|ledger| !busy.contains(ledger)).unwrap();
    // As a node holds a ledger that nobody used: an empty set, an empty list of results.
    let mut set = TransactionHistoryEntry::from_xdr(data.transactions[0].as_slice(), Limits::none()).unwrap();
    set.ledger_seq = quiet;
    let place = busy.iter().filter(|ledger| **ledger < quiet).count();
    data.transactions.insert(place, set.to_xdr(Limits::none()).unwrap());
    data.tx_results.insert(place, [quiet.to_be_bytes(), [0; 4], [0; 4]].concat());
    let place = Recorder::named("place");
    assert_eq!(refusal(&publish_data(data, &place, 127)), None);
    assert!(place.inner.files() == expected(&[127]));
}

#[test]
fn the_same_content_is_the_same_file_wherever_it_is_published() {
    let places = [Recorder::named("a"), Recorder::named("b")];
    publish(&source(), places.iter().map(|place| -> &dyn ArchiveWriter { place }).collect(), 191).unwrap();
    let again = Recorder::named("c");
    publish(&source(), vec![&again], 191).unwrap();
    assert!(places[0].inner.files() == places[1].inner.files() && places[0].inner.files() == again.inner.files());
    for (path, file) in again.inner.files().iter().filter(|(path, _)| path.ends_with(".gz")) {
        assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff], "{path}: no time, no name");
    }
}

#[test]
fn publishing_waits_for_the_ledger_after_the_checkpoint() {
    let place = Recorder::named("place");
    let pool = ArchivePool::new(Vec::new());
    let host = Stoppable::default();
    let drive = Drive::new(&pool, &host, Timeouts::default()).with_writers(vec![&place]);
    let rules = Rules::new(Some(Network::from_passphrase(PASSPHRASE)), false, Budget::default());
    let state = SharedHistoryState::closed_here(checkpoint(127), closed_data(127));
    let mut work = scheduler(4);
    let builder = HistoryWorkBuilder::new(Archives::new(Vec::new(), rules), checkpoint(127), state.clone());
    let ids = builder.register_publish(&mut work, [PublishTarget::new(WriterId::new(0), "place")], None).unwrap();
    block_on(drive.run_to_completion(&mut work, &mut |_| {}));
    assert_eq!((work.state(ids.publish), get_progress(&state).stage), (Some(WorkState::Waiting), Some(HistoryWorkStage::ResolveSnapshot)));
    // Woken for a ledger that says nothing new, it waits on.
    state.closed(LedgerSeq::new(127));
    work.wake(ids.publish);
    block_on(drive.run_to_completion(&mut work, &mut |_| {}));
    assert!(work.state(ids.publish) == Some(WorkState::Waiting) && place.puts().is_empty());
    state.closed(LedgerSeq::new(128));
    work.wake(ids.publish);
    block_on(drive.run_to_completion(&mut work, &mut |_| {}));
    assert!(work.is_done() && work.state(ids.publish) == Some(WorkState::Success));
    assert!(place.inner.files() == expected(&[127]));
    let progress = get_progress(&state);
    assert_eq!(progress.stage, Some(HistoryWorkStage::PublishHistoryArchiveState));
    assert_eq!(progress.done, expected(&[127]).len() as u64);
}

#[test]
fn merges_are_resolved_as_stellar_core_does_and_one_under_way_is_not_published() {
    let bucket = |data: &CheckpointData| data.history_archive_state.current_buckets.levels()[0].curr;
    // A finished merge above a bucket of protocol 12 or later: whoever reads the state does it again.
    let mut finished = closed_data(127);
    let curr = bucket(&finished);
    finished.history_archive_state.current_buckets.levels_mut()[1].next = NextBucket::Output(curr);
    let place = Recorder::named("place");
    assert_eq!(refusal(&publish_data(finished, &place, 127)), None);
    assert!(place.inner.files() == expected(&[127]));

    let mut at_the_top = closed_data(127);
    at_the_top.history_archive_state.current_buckets.levels_mut()[0].next = NextBucket::Output(curr);
    let mut under_way = closed_data(127);
    under_way.history_archive_state.current_buckets.levels_mut()[9].next = NextBucket::Inputs { curr, snap: curr, shadow: vec![] };
    for (data, words) in [(at_the_top, "currentBuckets[0].next"), (under_way, "currentBuckets[9].next is a merge under way")] {
        let place = Recorder::named("place");
        let refused = refusal(&publish_data(data, &place, 127)).unwrap();
        assert!(refused.contains(words), "{refused}");
        assert!(place.puts().is_empty());
    }
}

#[test]
fn what_a_verifier_would_refuse_is_not_published() {
    type Change = fn(&mut CheckpointData);
    let changes: [(&str, Change); 11] = [
        ("header", |data| data.headers[5][40] ^= 1),
        ("claimed hash", |data| data.headers[5][0] ^= 1),
        ("missing header", |data| drop(data.headers.pop())),
        ("missing transactions", |data| drop(data.transactions.remove(0))),
        ("transactions", |data| *data.transactions[0].iter_mut().rev().nth(20).unwrap() ^= 1),
        ("missing results", |data| drop(data.tx_results.remove(0))),
        ("results", |data| *data.tx_results[0].iter_mut().rev().nth(20).unwrap() ^= 1),
        ("scp", |data| data.scp_history.swap(3, 4)),
        ("bucket", |data| data.buckets.values_mut().next().unwrap()[9] ^= 1),
        ("bucket list", |data| data.history_archive_state.current_buckets = BucketList::default()),
        ("network", |data| data.history_archive_state.network_passphrase = Some("another".into())),
    ];
    for (what, change) in changes {
        let place = Recorder::named("place");
        let mut data = closed_data(127);
        change(&mut data);
        let state = publish_data(data, &place, 127);
        let refused = refusal(&state);
        assert!(refused.is_some() && place.puts().is_empty(), "{what}: {refused:?}");
        assert_eq!(state.lock().publishing().metrics().failure, 1, "{what}");
    }
    // A bucket that is not held is only missed where the place lacks it.
    let mut without = closed_data(127);
    let name = *without.buckets.keys().next().unwrap();
    without.buckets.remove(&name);
    let place = Recorder::named("place");
    let state = publish_data(without.clone(), &place, 127);
    let error = state.lock().publishing().places()[0].error.clone().unwrap();
    assert!(error.message.contains(&name.to_string()) && place.puts().is_empty(), "{error:?}");
    let place = Recorder::of(expected(&[127]));
    let state = publish_data(without, &place, 127);
    assert_eq!(state.lock().publishing().places()[0].error, None);
}

#[test]
fn a_source_that_is_corrupt_is_not_published() {
    let mut files = sample().files.clone();
    let results = files.get_mut(&path(FileKind::Results, 127)).unwrap();
    let middle = results.len() / 2;
    results[middle] ^= 1;
    let place = Recorder::named("place");
    let error = publish(&MemoryArchive::new(files), vec![&place], 127).unwrap_err();
    assert!(matches!(error, PublishError::Checkpoint(_)) && error.to_string().contains("results/"), "{error}");
    assert!(place.puts().is_empty());
}

#[test]
fn another_network_and_another_history_are_not_mixed_with_what_is_there() {
    // Another network: nothing is written, not even where it would be welcome.
    let (stranger, empty) = (Recorder::of(made(1, "Another Network").files), Recorder::named("empty"));
    let error = publish(&source(), vec![&empty, &stranger], 127).unwrap_err();
    assert!(matches!(&error, PublishError::Usage(_)) && error.to_string().contains("Another Network"), "{error}");
    assert!(stranger.puts().is_empty() && empty.puts().is_empty());
    // Another history of the same network, as after a reset: told by its state of the same checkpoint.
    let other = made(2, PASSPHRASE).files;
    for tip in [127, 191] {
        let mut there = other.clone();
        there.insert(WELL_KNOWN.to_owned(), other[&path(FileKind::History, tip)].clone());
        let place = Recorder::of(there);
        let summary = publish(&source(), vec![&place, &empty], 127).unwrap();
        let error = summary.destinations[0].error.clone().unwrap();
        assert!(error.message.contains("another history") && place.puts().is_empty(), "{error:?}");
        assert_eq!(summary.destinations[1].error, None);
    }
    // A newest state that nobody understands may be of anything.
    let broken = Recorder::of([(WELL_KNOWN.to_owned(), b"{".to_vec())].into());
    let summary = publish(&source(), vec![&broken], 127).unwrap();
    assert!(summary.destinations[0].error.as_ref().unwrap().message.contains("JSON") && broken.puts().is_empty());
}

#[test]
fn a_publisher_that_is_stopped_after_any_put_leaves_a_sound_archive_and_the_next_one_finishes() {
    let begun = Recorder::named("place");
    publish(&source(), vec![&begun], 63).unwrap();
    let before = begun.inner.files();
    let (after, mut stops) = (expected(&[63, 127]), 0);
    for torn in [false, true] {
        for puts in 0.. {
            let stop = Rc::new(Cell::new(false));
            let place = Recorder { stop_after: Cell::new(Some((puts, torn))), stop: Rc::clone(&stop), ..Recorder::of(before.clone()) };
            let host = Stoppable { stop: Rc::clone(&stop), ..Stoppable::default() };
            let summary = publish_on(&host, &source(), vec![&place], 127).unwrap();
            let there = place.inner.files();
            for (path, content) in there.iter().filter(|(path, _)| *path != WELL_KNOWN) {
                assert!(after[path] == *content, "{path} is as it is to be");
            }
            let announced = HistoryArchiveState::parse(&there[WELL_KNOWN], &Budget::default()).unwrap().current_ledger.value();
            assert_sound(&there, 1, announced);
            if there == after && !stop.get() {
                break;
            }
            stops += 1;
            let unfinished = summary.destinations[0].error.is_some();
            assert!(unfinished || there == after, "what is not all there is not said to be");
            assert!(there == after || announced == 63, "what is not all there is not announced");
            let next = Recorder::of(there.clone());
            publish(&source(), vec![&next], 127).unwrap();
            let again = next.puts().into_iter().find(|path| path.starts_with("bucket/") && there.contains_key(path));
            assert_eq!(again, None, "a bucket that is there is not put again");
            assert!(next.inner.files() == after, "stopped after {puts} puts");
        }
    }
    assert!(stops > 20, "{stops}");
}

// ---- writers

/// What every writer must do.
fn conforms(writer: &dyn ArchiveWriter, visible: &dyn Fn() -> Files) {
    let path = ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint(63));
    let exists = || writer.exists(&path).now_or_never().unwrap().unwrap();
    assert!(!exists());
    block_on(async {
        // A staged file is not there before it is committed.
        let mut staged = writer.stage(&path).await.unwrap();
        staged.write(b"one ").await.unwrap();
        staged.write(b"two").await.unwrap();
        assert!(!exists() && visible().is_empty());
        staged.abort().await;
        assert!(!exists() && visible().is_empty());
        let mut dropped = writer.stage(&path).await.unwrap();
        dropped.write(b"dropped").await.unwrap();
        drop(dropped);
        assert!(!exists() && visible().is_empty());

        let mut staged = writer.stage(&path).await.unwrap();
        staged.write(b"one ").await.unwrap();
        staged.write(b"two").await.unwrap();
        staged.commit().await.unwrap();
        assert!(exists() && visible() == [(path.as_str().to_owned(), b"one two".to_vec())].into());
        // An earlier file stays until the new one is whole.
        let mut staged = writer.stage(&path).await.unwrap();
        staged.write(b"three").await.unwrap();
        assert_eq!(visible()[path.as_str()], b"one two");
        staged.commit().await.unwrap();
        assert_eq!(visible()[path.as_str()], b"three");
        writer.put_bytes(&path, b"").await.unwrap();
        assert_eq!(visible(), [(path.as_str().to_owned(), Vec::new())].into());
        // Two at once do not disturb each other; the last one counts.
        let (mut a, mut b) = (writer.stage(&path).await.unwrap(), writer.stage(&path).await.unwrap());
        a.write(b"a").await.unwrap();
        b.write(b"b").await.unwrap();
        b.commit().await.unwrap();
        a.commit().await.unwrap();
        assert_eq!(visible()[path.as_str()], b"a");
        writer.make_dir("scp/00/00/00").await.unwrap();
        writer.make_dir("scp/00/00/00").await.unwrap();
        writer.put_bytes(&ArchivePath::well_known(), b"{}").await.unwrap();
        assert_eq!(visible().len(), 2);
    });
}

/// The files of a folder that archives know by their name, and how many others there are.
fn folder(root: &Path) -> (Files, usize) {
    let (mut files, mut others, mut folders) = (Files::new(), 0, vec![root.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if ArchivePath::parse(&name).is_some() {
                files.insert(name, std::fs::read(&path).unwrap());
            } else {
                others += 1;
            }
        }
    }
    (files, others)
}

fn temporary(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("stellar-archive-verifier-publish-{name}-{}", std::process::id()))
}

#[test]
fn writers_show_only_what_is_whole() {
    let memory = MemoryArchiveWriter::default();
    conforms(&memory, &|| memory.files());
    let bare = Bare::default();
    conforms(&bare, &|| bare.0.borrow().clone());
    let root = temporary("conforms");
    let local = LocalArchiveWriter::new(&root);
    conforms(&local, &|| folder(&root).0);
    assert_eq!(folder(&root).1, 0, "nothing is left beside the files");
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn what_a_killed_writer_left_in_a_folder_is_removed_when_the_file_is_written_again() {
    let root = temporary("leftovers");
    let path = ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint(63));
    let folder_of = root.join(path.folder());
    std::fs::create_dir_all(&folder_of).unwrap();
    let leftover = |number: u32| folder_of.join(format!(".ledger-0000003f.xdr.gz.{}-{number}.partial", u32::MAX));
    std::fs::write(leftover(1), b"half").unwrap();
    std::fs::write(folder_of.join("somebody's.partial"), b"not ours").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let writer = LocalArchiveWriter::new(&root);
    // Another process that writes the same file now.
    std::thread::sleep(std::time::Duration::from_millis(50));
    std::fs::write(leftover(2), b"under way").unwrap();
    block_on(writer.put_bytes(&path, b"whole")).unwrap();
    assert_eq!(folder(&root), ([(path.as_str().to_owned(), b"whole".to_vec())].into(), 2));
    assert!(!leftover(1).exists() && leftover(2).exists());
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_folder_takes_a_checkpoint_and_one_that_may_not_be_written_to_says_so() {
    let root = temporary("folder");
    let writer = LocalArchiveWriter::new(&root);
    let summary = publish(&source(), vec![&writer], 127).unwrap();
    assert_eq!((summary.destinations[0].error.clone(), folder(&root).1), (None, 0));
    assert!(folder(&root).0 == expected(&[127]));
    std::fs::remove_dir_all(&root).unwrap();
    // A file where the folder would be.
    std::fs::write(&root, b"").unwrap();
    let summary = publish(&source(), vec![&LocalArchiveWriter::new(&root)], 127).unwrap();
    let error = summary.destinations[0].error.clone().unwrap();
    assert!(error.code == "IO" && error.archive.contains("folder"), "{error:?}");
    std::fs::remove_file(&root).unwrap();
}

// ---- new archives

#[test]
fn a_new_archive_begins_with_ledger_0_and_no_bucket_and_an_existing_one_is_left_alone() {
    let network = Network::from_name_or_passphrase("testnet");
    let begin = |writer: &dyn ArchiveWriter| block_on(new_history(writer, &Stoppable::default(), &ReadOptions::default(), &network));
    let place = Recorder::named("place");
    let state = begin(&place).unwrap();
    let initial = "history/00/00/00/history-00000000.json";
    assert_eq!(place.puts(), [initial, WELL_KNOWN]);
    let files = place.inner.files();
    assert_eq!(files[initial], files[WELL_KNOWN]);
    let read = HistoryArchiveState::parse(&files[WELL_KNOWN], &Budget::default()).unwrap();
    assert_eq!((&read, read.current_ledger.value(), read.version), (&state, 0, 1));
    assert_eq!(read.current_buckets.hash().to_string(), EMPTY_LIST);
    assert_eq!(read.network_passphrase.as_deref(), Some("Test SDF Network ; September 2015"));
    let text = String::from_utf8(files[WELL_KNOWN].clone()).unwrap();
    assert!(
        text.starts_with("{\n    \"version\": 1,\n    \"server\": \"stellar-archive-verifier ") && text.ends_with("    ]\n}"),
        "{text}"
    );
    let report = verify(&MemoryArchive::new(files), &stellar_archive_verifier::driver::RunOptions::default());
    assert!(report.findings.is_empty() && report.statement.contains("initialised but empty"), "{}", report.statement);

    for (there, content) in [(initial, b"{}".as_slice()), (WELL_KNOWN, b"{}"), (WELL_KNOWN, b"not JSON")] {
        let place = Recorder::of([(there.to_owned(), content.to_vec())].into());
        let error = begin(&place).unwrap_err();
        assert!(matches!(error, PublishError::Usage(_)) && error.to_string().contains(there), "{error}");
        assert!(place.puts().is_empty());
    }
    let error = begin(&Recorder::named("full").failing(WriteErrorKind::Full)).unwrap_err();
    assert!(matches!(&error, PublishError::Write(error) if error.code == "FULL" && error.archive == "full"), "{error}");

    // And the first checkpoint follows.
    let place = Recorder::named("place");
    let own = Network::from_passphrase(PASSPHRASE);
    block_on(new_history(&place, &Stoppable::default(), &ReadOptions::default(), &own)).unwrap();
    assert_eq!(publish(&source(), vec![&place], 63).unwrap().destinations[0].error, None);
    let mut files = place.inner.files();
    assert!(files.remove(initial).is_some() && files == expected(&[63]));
}

// ---- states and real archives

#[test]
fn states_are_written_as_stellar_core_writes_them() {
    let Some(data) = data("states_are_written_as_stellar_core_writes_them") else { return };
    let (mut folders, mut states, mut own_form) = (vec![data.join("archives"), data.join("vectors/has")], 0, 0);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let json = std::fs::read(&path).unwrap();
            let Ok(state) = HistoryArchiveState::parse(&json, &Budget::default()) else { continue };
            let lists = core::iter::once(&state.current_buckets).chain(&state.hot_archive_buckets);
            if lists.flat_map(BucketList::levels).any(|level| matches!(level.next, NextBucket::Invalid(_))) {
                continue;
            }
            let written = state.to_json();
            assert_eq!(HistoryArchiveState::parse(written.as_bytes(), &Budget::default()).unwrap(), state, "{}", path.display());
            states += 1;
            own_form += usize::from(written.as_bytes() == json);
            let real = path.starts_with(data.join("archives"));
            assert!(!real || written.as_bytes() == json, "{} is as stellar-core writes it", path.display());
        }
    }
    assert!(states >= 75 && own_form >= 70, "{states} states, {own_form} of stellar-core's form");
}

#[test]
fn merges_under_way_and_texts_with_quotes_survive_being_written() {
    let mut state = HistoryArchiveState::initial("a \"server\" \\ with\nlines", "Ünïcode ; network");
    let bucket = state.current_buckets.levels()[0].curr;
    let levels = state.current_buckets.levels_mut();
    levels[1].next = NextBucket::Inputs { curr: bucket, snap: bucket, shadow: vec![bucket, bucket] };
    levels[2].next = NextBucket::Inputs { curr: bucket, snap: bucket, shadow: vec![] };
    levels[3].next = NextBucket::Output(bucket);
    state.hot_archive_buckets = Some(BucketList::default());
    state.version = 2;
    assert_eq!(HistoryArchiveState::parse(state.to_json().as_bytes(), &Budget::default()).unwrap(), state);
}

/// Downloads every checkpoint of a real archive and publishes it, one after the other; the result is the archive again.
fn republished(test: &str, name: &str, low: u32, lasts: &[u32], network: Option<&str>) {
    let Some(data) = data(test) else { return };
    let original = Named("original", LocalArchive::new(data.join("archives").join(name)));
    let place = Recorder::named("place");
    let mut reading = ReadOptions::default();
    reading.network = network.map(Network::from_name_or_passphrase);
    for last in lasts {
        let host = Stoppable::default();
        let summary = block_on(publish_checkpoint(vec![&original], vec![&place], &host, &reading, checkpoint(*last))).unwrap();
        assert_eq!(summary.destinations[0].error, None, "{name} {last}");
    }
    let files = place.inner.files();
    for (path, content) in &files {
        let file = data.join("archives").join(name).join(path);
        if path == WELL_KNOWN {
            assert!(*content == files[&common::made::path(FileKind::History, *lasts.last().unwrap())]);
        } else if path.ends_with(".json") {
            assert!(*content == std::fs::read(&file).unwrap(), "{path}");
        } else {
            let original = std::fs::read(&file).unwrap();
            assert!(inflate(content) == inflate(&original), "{path} is the same inside");
            if path.starts_with("ledger/") {
                assert_eq!(records(content).len(), records(&original).len());
            }
        }
    }
    let report = verify(&MemoryArchive::new(files), &options(low, *lasts.last().unwrap(), network));
    assert!(report.findings.is_empty() && report.verdict == Verdict::Verified, "{:#?}", report.findings);
}

#[test]
fn real_checkpoints_published_again_are_what_they_were() {
    let test = "real_checkpoints_published_again_are_what_they_were";
    republished(test, "testnet-p22", 1, &[63, 127, 191], None);
    republished(test, "testnet-p22", 0xdc0, &[0xdff, 0xe3f], None);
    republished(test, "testnet-genesis-p24", 1, &[63, 127], None);
    // Merges whose outputs are published (state 1), and no passphrase in the states.
    republished(test, "pubnet-12m", 12_000_448, &[12_000_511], Some("Public Global Stellar Network ; September 2015"));
    // No scp file, and empty files of transactions and results.
    republished(test, "pubnet-1.2m", 0x1285c0, &[0x1285ff], Some("Public Global Stellar Network ; September 2015"));
}
