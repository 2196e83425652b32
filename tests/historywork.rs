//! History work, item by item and as a whole: what each brings, what makes it fail, what waits for it, how often it is
//! tried again and of whom; several archives of which one lies; runs that are interrupted and go on.
//!
//! Archives are made up (`tests/sample-archive`, 8-ledger checkpoints); readers misbehave by script and keep a log; time
//! passes only when everybody sleeps, so waits are exact and cost nothing.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions, clippy::type_complexity)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use common::TestHost;
use futures_util::future::{LocalBoxFuture, ready};
use futures_util::stream::unfold;
use sample_archive::{Archive, Config, Frequency};
use serde_json::{Value, json};
use stellar_archive_verifier::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use stellar_archive_verifier::archive::error::{ReadError, ReadErrorKind};
use stellar_archive_verifier::archive::id::ArchiveId;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::archive::state::{BucketHash, HistoryArchiveState};
use stellar_archive_verifier::codec::file::BodyCoding;
use stellar_archive_verifier::codec::gzip::GzipLimits;
use stellar_archive_verifier::codec::gzip_encoder::gzip;
use stellar_archive_verifier::codec::hash::{Hash256, sha256};
use stellar_archive_verifier::driver::event::Event;
use stellar_archive_verifier::driver::{Drive, DriveEvent, Host, RunOptions, Timeouts, UsageError, verify_archives};
use stellar_archive_verifier::historywork::archives::Archives;
use stellar_archive_verifier::historywork::batch_download_work::BatchDownloadWork;
use stellar_archive_verifier::historywork::check_single_ledger_header_work::{
    CheckSingleLedgerHeaderWork, Compared, HeaderComparison, KnownHeader,
};
use stellar_archive_verifier::historywork::checkpoint_data::{MissingData, decode};
use stellar_archive_verifier::historywork::download_buckets_work::DownloadBucketsWork;
use stellar_archive_verifier::historywork::download_ledger_headers_work::DownloadLedgerHeadersWork;
use stellar_archive_verifier::historywork::download_scp_history_work::DownloadScpHistoryWork;
use stellar_archive_verifier::historywork::download_transactions_work::DownloadTransactionsWork;
use stellar_archive_verifier::historywork::download_tx_results_work::DownloadTxResultsWork;
use stellar_archive_verifier::historywork::download_verify_tx_results_work::DownloadVerifyTxResultsWork;
use stellar_archive_verifier::historywork::get_and_unzip_remote_file_work::{FileWork, GetAndUnzipRemoteFileWork, OnFault};
use stellar_archive_verifier::historywork::get_history_archive_state_work::GetHistoryArchiveStateWork;
use stellar_archive_verifier::historywork::get_remote_file_work::{GetRemoteFileWork, Plain, PlainFile};
use stellar_archive_verifier::historywork::gunzip_file_work::{GunzipFileWork, Gunzipped};
use stellar_archive_verifier::historywork::gzip_file_work::{GzipFileWork, Zipped};
use stellar_archive_verifier::historywork::plan::{Order, Plan, Seed};
use stellar_archive_verifier::historywork::state::Hold;
use stellar_archive_verifier::historywork::verify_bucket_work::{BucketJob, BucketsDone, VerifyBucketWork};
use stellar_archive_verifier::historywork::verify_tx_results_work::VerifyTxResultsWork;
use stellar_archive_verifier::historywork::{
    COORDINATE, DOWNLOAD, HistoryEvent, HistoryWork, HistoryWorkBuilder, HistoryWorkIds, HistoryWorkStage, Scheduler, SharedHistoryState,
    build_checkpoint_data, get_progress, scheduler,
};
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::report::{Report, Verdict};
use stellar_archive_verifier::transport::pool::ArchivePool;
use stellar_archive_verifier::transport::{ArchiveReader, Body};
use stellar_archive_verifier::trust::preset::Believed;
use stellar_archive_verifier::verify::bucket::{BucketUse, ListKind};
use stellar_archive_verifier::verify::checkpoint::{Rules, Status};
use stellar_archive_verifier::verify::finding::Severity;
use stellar_archive_verifier::work::{Concurrency, RetryPolicy, WorkId, WorkSpec, WorkState};
use stellar_xdr::{BucketEntry, LedgerHeaderHistoryEntry, LedgerKey, Limits, ReadXdr, TransactionHistoryEntry};

type Files = BTreeMap<String, Vec<u8>>;

const FREQUENCY: CheckpointFrequency = CheckpointFrequency::Accelerated;
const PASSPHRASE: &str = "Sample Network ; stellar-archive-verifier";
const WELL_KNOWN: &str = ".well-known/stellar-history.json";

/// Three retries, after 100, 200 and 400 ms (the dice of [`World`] are thrown at the upper end).
const RETRY: RetryPolicy = RetryPolicy { max_retries: 3, min_delay_ms: 100, max_delay_ms: 30_000 };

// ---- archives

/// 12 checkpoints, the last of them with hot archive buckets.
fn sample() -> &'static Archive {
    static SAMPLE: OnceLock<Archive> = OnceLock::new();
    SAMPLE.get_or_init(|| made(1))
}

/// Another history under the same passphrase.
fn forged() -> &'static Archive {
    static FORGED: OnceLock<Archive> = OnceLock::new();
    FORGED.get_or_init(|| made(2))
}

fn made(seed: u64) -> Archive {
    let config = Config { seed, ledgers: LEDGERS, frequency: Frequency::Accelerated, ..Config::default() };
    sample_archive::make(&config)
}

const LEDGERS: u32 = 96;
const TIP: u32 = LEDGERS - 1;

fn files() -> Files {
    sample().files.clone()
}

fn checkpoint(last: u32) -> Checkpoint {
    FREQUENCY.ending_at(LedgerSeq::new(last)).unwrap()
}

fn path(kind: FileKind, last: u32) -> String {
    ArchivePath::of_checkpoint(kind, checkpoint(last)).as_str().to_owned()
}

fn unzipped(file: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec(&file[10..file.len() - 8]).unwrap()
}

/// Changes the content of a zipped file.
fn rewrite(files: &mut Files, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let file = files.get_mut(path).unwrap();
    let mut content = unzipped(file);
    change(&mut content);
    *file = gzip(&content);
}

/// Flips a byte of the zipped file's checksum: a fault of its gzip layer alone.
fn damage(files: &mut Files, path: &str) {
    let file = files.get_mut(path).unwrap();
    let checksum = file.len() - 8;
    file[checksum] ^= 0x55;
}

/// Flips a byte of the content, and zips it soundly.
fn flip(files: &mut Files, path: &str, at: usize) {
    rewrite(files, path, |content| content[at] ^= 1);
}

fn change_json(files: &mut Files, path: &str, change: impl FnOnce(&mut Value)) {
    let file = files.get_mut(path).unwrap();
    let mut json: Value = serde_json::from_slice(file).unwrap();
    change(&mut json);
    *file = serde_json::to_vec(&json).unwrap();
}

fn records(file: &[u8]) -> Vec<Vec<u8>> {
    let (content, mut records) = (unzipped(file), Vec::new());
    let mut rest = content.as_slice();
    while let Some((mark, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at((u32::from_be_bytes(*mark) & 0x7fff_ffff) as usize);
        records.push(record.to_vec());
        rest = after;
    }
    records
}

fn file_of(records: &[Vec<u8>]) -> Vec<u8> {
    let marked = |record: &Vec<u8>| [&(record.len() as u32 | 0x8000_0000).to_be_bytes(), record.as_slice()].concat();
    gzip(&records.iter().flat_map(marked).collect::<Vec<_>>())
}

fn change_records(files: &mut Files, path: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut list = records(&files[path]);
    change(&mut list);
    files.insert(path.to_owned(), file_of(&list));
}

fn state_at(files: &Files, last: u32) -> HistoryArchiveState {
    HistoryArchiveState::parse(&files[&path(FileKind::History, last)], &Budget::default()).unwrap()
}

/// The paths of the buckets that a list of a state names, found by a walk of its JSON that knows nothing of lists.
fn bucket_paths(files: &Files, last: u32, list: &str) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(name) if name.len() == 64 && name.bytes().any(|byte| byte != b'0') => {
                found.insert(format!("bucket/{}/{}/{}/bucket-{name}.xdr.gz", &name[..2], &name[2..4], &name[4..6]));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
            Value::Object(fields) => fields.values().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let state: Value = serde_json::from_slice(&files[&path(FileKind::History, last)]).unwrap();
    let mut found = BTreeSet::new();
    walk(&state[list], &mut found);
    found
}

fn all_buckets(files: &Files, last: u32) -> BTreeSet<String> {
    let hot = bucket_paths(files, last, "hotArchiveBuckets");
    bucket_paths(files, last, "currentBuckets").union(&hot).cloned().collect()
}

/// A checkpoint whose ledgers have transactions, so that every file has something in it.
fn busy() -> u32 {
    let last = (7..=TIP).step_by(8).find(|last| {
        let busy = sample().busy_ledgers.iter().filter(|ledger| (last - 7..=*last).contains(ledger)).count();
        busy >= 3 && *last > 8
    });
    last.unwrap()
}

// ---- the world: clock, dice, log

/// A host whose time passes when nothing else can happen, and the log of what its archives were asked.
#[derive(Default)]
struct World {
    time: Rc<Time>,
    log: Log,
    /// What the dice show; without it they are thrown from a seed.
    dice: Cell<Option<u64>>,
    seed: Cell<u64>,
    cancelled: Rc<Cell<bool>>,
}

#[derive(Default)]
struct Time {
    now_ms: Cell<u64>,
    next: Cell<u64>,
    sleepers: RefCell<BTreeMap<(u64, u64), Option<Waker>>>,
}

type Log = Rc<RefCell<Vec<Entry>>>;

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    at_ms: u64,
    archive: String,
    path: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Opened { fresh: bool },
    Closed,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Sleep(Rc<Time>, (u64, u64));

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.1.0 <= self.0.now_ms.get() {
            return Poll::Ready(());
        }
        self.0.sleepers.borrow_mut().insert(self.1, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.0.sleepers.borrow_mut().remove(&self.1);
    }
}

impl World {
    /// The pool chooses the archive at this place as long as all do alike, and delays are the longest.
    fn asking(archive: usize, of: usize) -> Self {
        let world = Self::default();
        world.dice.set(Some((1000 * archive + 500) as u64 / of as u64));
        world
    }

    fn archive(&self, name: &str, files: Files) -> Scripted {
        Scripted {
            name: name.to_owned(),
            files,
            once: RefCell::default(),
            always: RefCell::default(),
            time: Rc::clone(&self.time),
            log: Rc::clone(&self.log),
            on_open: RefCell::default(),
            remote: Cell::new(false),
        }
    }

    fn archives(&self, names: [&str; 3]) -> [Scripted; 3] {
        names.map(|name| self.archive(name, files()))
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(output) => return output,
                    Poll::Pending => continue,
                }
            }
            let mut sleepers = self.time.sleepers.borrow_mut();
            let due = sleepers.first_key_value().map(|((due, _), _)| *due).expect("the run is stuck: nobody will wake it");
            self.time.now_ms.set(due);
            sleepers.iter_mut().filter(|((at, _), _)| *at <= due).filter_map(|(_, waker)| waker.take()).for_each(Waker::wake);
        }
    }

    fn now(&self) -> u64 {
        self.time.now_ms.get()
    }

    /// What was asked, in order.
    fn asked(&self) -> Vec<String> {
        self.opened().into_iter().map(|entry| entry.path).collect()
    }

    fn asked_of(&self, archive: &str) -> Vec<String> {
        self.opened().into_iter().filter(|entry| entry.archive == archive).map(|entry| entry.path).collect()
    }

    /// Who was asked for a file, in order.
    fn who(&self, path: &str) -> Vec<String> {
        self.opened().into_iter().filter(|entry| entry.path == path).map(|entry| entry.archive).collect()
    }

    /// When a file was asked for.
    fn when(&self, path: &str) -> Vec<u64> {
        self.opened().into_iter().filter(|entry| entry.path == path).map(|entry| entry.at_ms).collect()
    }

    fn opened(&self) -> Vec<Entry> {
        self.log.borrow().iter().filter(|entry| entry.what != What::Closed).cloned().collect()
    }

    /// The most bodies that were open at once.
    fn most_at_once(&self) -> usize {
        let (mut open, mut most) = (0usize, 0);
        for entry in self.log.borrow().iter() {
            open = if entry.what == What::Closed { open - 1 } else { open + 1 };
            most = most.max(open);
        }
        assert_eq!(open, 0, "every body was closed");
        most
    }

    /// Checks that nothing of `later` was asked for before all of `earlier` was over.
    fn assert_in_order(&self, earlier: &str, later: &str) {
        let log = self.log.borrow();
        let ended = log.iter().rposition(|entry| entry.path == earlier && entry.what == What::Closed);
        let began = log.iter().position(|entry| entry.path == later);
        let (Some(ended), Some(began)) = (ended, began) else { panic!("{earlier} or {later} was not asked for") };
        assert!(ended < began, "{later} was asked for before {earlier} was over");
    }
}

impl Host for World {
    fn now_ms(&self) -> u64 {
        self.now()
    }

    fn timestamp(&self) -> String {
        "2026-01-01T00:00:00.000Z".into()
    }

    fn jitter_thousandths(&self) -> u64 {
        self.dice.get().unwrap_or_else(|| {
            self.seed.set(self.seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
            (self.seed.get() >> 33) % 1001
        })
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        self.time.next.set(self.time.next.get() + 1);
        Box::pin(Sleep(Rc::clone(&self.time), (self.now().saturating_add(ms), self.time.next.get())))
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        let cancelled = Rc::clone(&self.cancelled);
        Box::pin(poll_fn(move |_| if cancelled.get() { Poll::Ready(()) } else { Poll::Pending }))
    }
}

// ---- readers that misbehave

/// An archive in memory that misbehaves as it is told, and sends its files in small pieces.
struct Scripted {
    name: String,
    files: Files,
    once: RefCell<BTreeMap<String, VecDeque<Fault>>>,
    always: RefCell<BTreeMap<String, Fault>>,
    time: Rc<Time>,
    log: Log,
    on_open: RefCell<Option<Box<dyn Fn(&str)>>>,
    remote: Cell<bool>,
}

#[derive(Clone, Debug)]
enum Fault {
    /// Opening fails.
    Error(ReadError),
    /// The body breaks off in the middle.
    Cut,
    /// Something else comes.
    Serve(Vec<u8>),
    /// Nothing comes any more.
    Silence,
    Missing,
}

impl Fault {
    fn of(kind: ReadErrorKind) -> Self {
        Self::Error(ReadError::new(kind, format!("scripted {kind:?}")))
    }

    fn throttled(retry_after_ms: Option<u64>) -> Self {
        Self::Error(ReadError { retry_after_ms, ..ReadError::new(ReadErrorKind::Http(429), "too many requests") })
    }
}

impl Scripted {
    /// The next requests for a file go so, one after another.
    fn once(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.once.borrow_mut().entry(path.to_owned()).or_default().extend(faults);
    }

    /// Every request for a file goes so.
    fn always(&self, path: &str, fault: Fault) {
        self.always.borrow_mut().insert(path.to_owned(), fault);
    }

    fn answer(&self, path: &ArchivePath, fresh: bool) -> Result<Body, ReadError> {
        let open = Open { log: Rc::clone(&self.log), entry: self.entry(path, What::Closed), time: Rc::clone(&self.time) };
        self.log.borrow_mut().push(self.entry(path, What::Opened { fresh }));
        if let Some(hook) = &*self.on_open.borrow() {
            hook(path.as_str());
        }
        let next = self.once.borrow_mut().get_mut(path.as_str()).and_then(VecDeque::pop_front);
        let fault = next.or_else(|| self.always.borrow().get(path.as_str()).cloned());
        let file = || self.files.get(path.as_str()).cloned();
        let missing = || ReadError::new(ReadErrorKind::NotFound, "there is no such file");
        let (bytes, end) = match fault {
            None => (file().ok_or_else(missing)?, None),
            Some(Fault::Error(error)) => return Err(error),
            Some(Fault::Missing) => return Err(missing()),
            Some(Fault::Serve(bytes)) => (bytes, None),
            Some(Fault::Cut) => {
                let mut bytes = file().ok_or_else(missing)?;
                bytes.truncate(bytes.len() / 2);
                (bytes, Some(ReadError::new(ReadErrorKind::Body, "the connection broke off")))
            }
            Some(Fault::Silence) => return Ok(Body { chunks: Box::pin(futures_util::stream::pending()), coding: BodyCoding::AsStored }),
        };
        let pieces: VecDeque<_> =
            bytes.chunks(bytes.len().div_ceil(3).max(1)).map(|piece| Ok(piece.to_vec())).chain(end.map(Err)).collect();
        let chunks = unfold((pieces, open), |(mut pieces, open)| async move {
            breath().await;
            pieces.pop_front().map(|piece| (piece, (pieces, open)))
        });
        Ok(Body { chunks: Box::pin(chunks), coding: BodyCoding::AsStored })
    }

    fn entry(&self, path: &ArchivePath, what: What) -> Entry {
        Entry { at_ms: self.time.now_ms.get(), archive: self.name.clone(), path: path.as_str().to_owned(), what }
    }
}

impl ArchiveReader for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_remote(&self) -> bool {
        self.remote.get()
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        let answer = self.answer(path, false);
        Box::pin(async {
            breath().await;
            answer
        })
    }

    fn open_fresh<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        let answer = self.answer(path, true);
        Box::pin(async {
            breath().await;
            answer
        })
    }
}

/// Says in the log when a body is let go of.
struct Open {
    log: Log,
    entry: Entry,
    time: Rc<Time>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let entry = Entry { at_ms: self.time.now_ms.get(), ..self.entry.clone() };
        self.log.borrow_mut().push(entry);
    }
}

/// Lets others have their turn, once.
async fn breath() {
    let mut had = false;
    poll_fn(|context| {
        if core::mem::replace(&mut had, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// ---- driving items

fn as_reader<'a>(reader: &&'a Scripted) -> &'a dyn ArchiveReader {
    *reader
}

struct Driven {
    scheduler: Scheduler,
    downloaded: Vec<(Checkpoint, SharedHistoryState)>,
    /// Path, archive, attempt, delay.
    retries: Vec<(String, usize, u32, u64)>,
}

fn rules() -> Rules {
    Rules::new(Some(Network::from_passphrase(PASSPHRASE)), false, Budget::default())
}

fn archives(readers: &[&Scripted]) -> Archives {
    Archives::new(readers.iter().map(|reader| reader.name.clone()).collect(), rules())
}

fn drive(world: &World, readers: &[&Scripted], concurrency: usize, add: impl FnOnce(&mut Scheduler)) -> Driven {
    let pool = ArchivePool::new(readers.iter().map(as_reader).collect());
    let drive = Drive::new(&pool, world, Timeouts::default());
    let mut driven = Driven { scheduler: scheduler(concurrency), downloaded: Vec::new(), retries: Vec::new() };
    add(&mut driven.scheduler);
    let (downloaded, retries) = (&mut driven.downloaded, &mut driven.retries);
    world.block_on(drive.run_to_completion(&mut driven.scheduler, &mut |event| match event {
        DriveEvent::History(HistoryEvent::Downloaded(checkpoint, state)) => downloaded.push((checkpoint, state)),
        DriveEvent::Retry { path, archive, attempt, delay_ms, .. } => {
            let archive = readers.iter().position(|reader| reader.name == archive).unwrap();
            retries.push((path, archive, attempt, delay_ms));
        }
        _ => {}
    }));
    assert!(driven.scheduler.is_done());
    driven
}

fn add<F: FileWork + 'static>(scheduler: &mut Scheduler, archives: &Archives, file: F, retry: RetryPolicy, on_fault: OnFault) -> WorkId {
    let item = GetAndUnzipRemoteFileWork::new(file, archives.clone(), retry, on_fault);
    scheduler.add(WorkSpec::new("item", "item", DOWNLOAD).retrying(retry), Box::new(item)).unwrap()
}

/// Runs one item, and says how it ended.
fn one<F: FileWork + 'static>(
    world: &World,
    readers: &[&Scripted],
    on_fault: OnFault,
    file: impl FnOnce(Archives) -> F,
) -> (WorkState, Driven) {
    let archives = archives(readers);
    let file = file(archives.clone());
    let mut id = None;
    let driven = drive(world, readers, 4, |scheduler| id = Some(add(scheduler, &archives, file, RETRY, on_fault)));
    (driven.scheduler.state(id.unwrap()).unwrap(), driven)
}

fn found(state: &SharedHistoryState) -> Vec<(String, String)> {
    let state = state.lock();
    state.findings().map(|finding| (finding.code.as_str().to_owned(), finding.archive.clone())).collect()
}

fn found_codes(state: &SharedHistoryState) -> Vec<String> {
    found(state).into_iter().map(|(code, _)| code).collect()
}

fn holding() -> SharedHistoryState {
    SharedHistoryState::holding(Hold { records: true, buckets: true, stored: false })
}

/// Runs the graph of a checkpoint.
fn graph(
    world: &World,
    readers: &[&Scripted],
    last: u32,
    state: &SharedHistoryState,
    change: impl FnOnce(HistoryWorkBuilder) -> HistoryWorkBuilder,
) -> (HistoryWorkIds, Driven) {
    let builder = change(HistoryWorkBuilder::new(archives(readers), checkpoint(last), state.clone()).retrying(RETRY));
    let mut ids = None;
    let driven = drive(world, readers, 4, |scheduler| ids = Some(builder.register(scheduler).unwrap()));
    (ids.unwrap(), driven)
}

// ---- the items under every download

#[test]
fn a_remote_file_comes_as_it_is_from_any_archive_or_from_a_certain_one() {
    let world = World::asking(0, 2);
    let [a, b] = ["a", "b"].map(|name| world.archive(name, files()));
    let get = |only, limit| {
        let into = PlainFile::default();
        let path = ArchivePath::of_bucket(state_at(&files(), TIP).current_buckets.buckets().next().unwrap().1);
        let (state, _) = one(&world, &[&a, &b], OnFault::Fail, |_| GetRemoteFileWork::new(path.clone(), limit, only, into.clone()));
        let (plain, settled) = into.lock().unwrap().take().unwrap();
        (state, plain, settled.archive.map(ArchiveId::index), files()[path.as_str()].clone())
    };
    let (state, plain, archive, bytes) = get(None, 1 << 20);
    assert_eq!((state, &plain, archive), (WorkState::Success, &Plain::Read(bytes.clone()), Some(0)));
    let (state, plain, archive, bytes) = get(Some(ArchiveId::new(1)), bytes.len());
    assert_eq!((state, &plain, archive), (WorkState::Success, &Plain::Read(bytes.clone()), Some(1)), "the limit itself is allowed");
    let (state, plain, ..) = get(None, bytes.len() - 1);
    assert_eq!((state, plain), (WorkState::Failure, Plain::TooLarge));
}

#[test]
fn a_remote_file_that_is_missing_is_asked_of_others_unless_one_archive_is_meant() {
    let world = World::asking(0, 2);
    let [mut a, b] = ["a", "b"].map(|name| world.archive(name, files()));
    a.files.remove(WELL_KNOWN);
    let into = PlainFile::default();
    let get = |only| {
        one(&world, &[&a, &b], OnFault::Report, |_| GetRemoteFileWork::new(ArchivePath::well_known(), 1 << 20, only, into.clone())).0
    };
    assert_eq!(get(None), WorkState::Success);
    assert_eq!(into.lock().unwrap().take().unwrap().0, Plain::Read(files()[WELL_KNOWN].clone()));
    assert_eq!(world.who(WELL_KNOWN), ["a", "b"]);
    world.log.borrow_mut().clear();
    assert_eq!(get(Some(ArchiveId::new(0))), WorkState::Success);
    assert_eq!(into.lock().unwrap().take().unwrap().0, Plain::Missing);
    let fresh: Vec<_> = world.opened().iter().map(|entry| (entry.archive.clone(), entry.what)).collect();
    let asked = |fresh| ("a".to_owned(), What::Opened { fresh });
    assert_eq!(fresh, [asked(false), asked(true)], "once more past the caches, and nobody else");
}

#[test]
fn faults_of_the_way_are_tried_again_as_often_and_as_late_as_the_policy_says() {
    let has = path(FileKind::History, 15);
    for (failures, kind) in [
        (0, ReadErrorKind::Network),
        (1, ReadErrorKind::Body),
        (2, ReadErrorKind::Timeout),
        (3, ReadErrorKind::Http(503)),
        (4, ReadErrorKind::Http(500)),
    ] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        a.once(&has, vec![Fault::of(kind); failures]);
        let state = SharedHistoryState::default();
        let (ended, driven) = one(&world, &[&a], OnFault::Fail, |archives| {
            GetHistoryArchiveStateWork::new(archives, checkpoint(15), Vec::new(), state.clone())
        });
        let when = [0, 100, 300, 650];
        assert_eq!(world.when(&has), when[..(failures + 1).min(4)], "{failures} times {kind:?}");
        assert_eq!(ended, if failures < 4 { WorkState::Success } else { WorkState::Failure }, "{failures} times {kind:?}");
        let said: Vec<_> = driven.retries.iter().map(|(path, _, attempt, delay)| (path.as_str(), *attempt, *delay)).collect();
        let all = [(has.as_str(), 1, 100), (has.as_str(), 2, 200), (has.as_str(), 3, 350)];
        assert_eq!(said, all[..failures.min(3)]);
        let errors = state.lock().errors().to_vec();
        assert_eq!(errors.len(), usize::from(failures == 4));
        assert!(
            errors.iter().all(|error| error.archive == "a" && error.path.as_ref().is_some_and(|path| path.as_str() == has)),
            "{errors:?}"
        );
        assert_eq!(found(&state), [], "a fault of the way accuses nobody");
    }
}

#[test]
fn the_policies_of_stellar_core_give_as_many_attempts_as_they_are_named_for() {
    let has = path(FileKind::History, 15);
    for (retry, attempts) in [(RetryPolicy::NEVER, 1), (RetryPolicy::ONCE, 2), (RetryPolicy::A_FEW, 6), (RetryPolicy::A_LOT, 33)] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        a.always(&has, Fault::of(ReadErrorKind::Http(500)));
        let archives = archives(&[&a]);
        let file = GetHistoryArchiveStateWork::new(archives.clone(), checkpoint(15), Vec::new(), SharedHistoryState::default());
        let mut id = None;
        let driven = drive(&world, &[&a], 1, |scheduler| id = Some(add(scheduler, &archives, file, retry, OnFault::Fail)));
        assert_eq!((driven.scheduler.state(id.unwrap()), world.asked().len()), (Some(WorkState::Failure), attempts));
        let waits: Vec<_> = world.when(&has).windows(2).map(|pair| pair[1] - pair[0]).collect();
        let expected: Vec<_> = (0..).map_while(|attempt| retry.delay_ms(attempt, 500)).collect();
        assert_eq!(waits, expected);
    }
}

#[test]
fn what_no_retry_can_mend_is_not_tried_again() {
    for kind in [ReadErrorKind::Forbidden, ReadErrorKind::Http(400), ReadErrorKind::Io, ReadErrorKind::Unsupported] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        a.always(&path(FileKind::History, 15), Fault::of(kind));
        let state = SharedHistoryState::default();
        let (ended, _) = one(&world, &[&a], OnFault::Fail, |archives| {
            GetHistoryArchiveStateWork::new(archives, checkpoint(15), Vec::new(), state.clone())
        });
        assert_eq!((ended, world.asked().len(), state.lock().errors().len()), (WorkState::Failure, 1, 1), "{kind:?}");
    }
}

#[test]
fn get_and_unzip_are_retried_together_from_another_archive_each_time() {
    let (ledger, first) = (path(FileKind::Ledger, 15), 2);
    let world = World::asking(first, 3);
    let [a, b, c] = world.archives(["a", "b", "c"]);
    // Round after round everybody drops the body in its middle, but for one in the third round.
    a.once(&ledger, vec![Fault::Cut; 2]);
    b.once(&ledger, vec![Fault::Cut; 3]);
    c.once(&ledger, vec![Fault::Cut; 3]);
    let state = holding();
    let (ended, driven) = one(&world, &[&a, &b, &c], OnFault::Fail, |archives| {
        DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone())
    });
    assert_eq!(ended, WorkState::Success);
    let who = world.who(&ledger);
    for round in who.chunks(3).take(2) {
        assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 3, "another archive for each attempt: {who:?}");
    }
    assert_eq!(who.last().map(String::as_str), Some("a"), "{who:?}");
    assert_eq!(world.when(&ledger)[..6], [0, 0, 0, 100, 100, 100], "only when all have failed there is a wait");
    assert!(driven.retries.iter().take(2).all(|(.., delay)| *delay == 0) && driven.retries[2].3 == 100, "{:?}", driven.retries);
    assert_eq!(found(&state), []);
    let headers = state.lock().headers().unwrap().last().map(|header| *header.hash.as_bytes());
    assert_eq!(headers, sample().hashes.get(&15).copied(), "nothing of a body that broke off is left in the check");
}

#[test]
fn a_file_that_does_not_unzip_is_blamed_on_its_archive_and_read_from_another() {
    let ledger = path(FileKind::Ledger, 15);
    for liar in 0..3 {
        let world = World::asking(liar, 3);
        let mut all = world.archives(["a", "b", "c"]);
        damage(&mut all[liar].files, &ledger);
        let state = SharedHistoryState::default();
        let readers: Vec<_> = all.iter().collect();
        let (ended, _) = one(&world, &readers, OnFault::Fail, |archives| {
            DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone())
        });
        assert_eq!(ended, WorkState::Success);
        assert_eq!(world.who(&ledger).len(), 2, "the faulty one and a sound one");
        assert_eq!(world.when(&ledger), [0, 0], "what is wrong is no reason to wait");
        let state = state.lock();
        let finding = state.findings().next().unwrap();
        assert_eq!(
            (finding.code.as_str(), finding.severity, finding.archive.as_str()),
            ("gzip-corrupt", Severity::Warning, all[liar].name.as_str())
        );
        assert_eq!(finding.good_from.as_ref(), world.who(&ledger).last());
    }
}

#[test]
fn a_file_that_is_wrong_everywhere_is_asked_of_three_archives_and_every_answer_is_evidence() {
    let ledger = path(FileKind::Ledger, 15);
    // What a cache may have spoiled is asked for once more, past the caches.
    for (heals, requests) in [(false, 3), (true, 4)] {
        let world = World::asking(0, 5);
        let mut all = ["a", "b", "c", "d", "e"].map(|name| world.archive(name, files()));
        for archive in &mut all {
            if heals { damage(&mut archive.files, &ledger) } else { change_records(&mut archive.files, &ledger, |list| list[3][60] ^= 1) }
        }
        let state = SharedHistoryState::default();
        let readers: Vec<_> = all.iter().collect();
        let (ended, _) = one(&world, &readers, OnFault::Fail, |archives| {
            DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone())
        });
        assert_eq!(ended, WorkState::Failure);
        let who: BTreeSet<_> = world.who(&ledger).into_iter().collect();
        assert_eq!((world.who(&ledger).len(), who.len()), (requests, 3));
        let fresh = world.opened().iter().filter(|entry| entry.what == What::Opened { fresh: true }).count();
        assert_eq!(fresh, requests - 3);
        let accused: BTreeSet<_> = found(&state).into_iter().map(|(_, archive)| archive).collect();
        assert_eq!(accused, who);
        assert!(state.lock().findings().all(|finding| finding.severity == Severity::Error && finding.good_from.is_none()));
    }
}

#[test]
fn a_file_that_a_cache_spoiled_heals_past_the_caches_and_other_faults_are_not_read_twice() {
    let ledger = path(FileKind::Ledger, 15);
    let mut other = files();
    flip(&mut other, &ledger, 100);
    for (spoiled, requests, heals) in [
        (Fault::Missing, 2, true),
        (Fault::Serve(b"<html>not found</html>".to_vec()), 2, true),
        (Fault::Serve(files()[&ledger][..50].to_vec()), 2, true),
        (Fault::Serve(other[&ledger].clone()), 1, false),
    ] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        a.once(&ledger, [spoiled.clone()]);
        let state = SharedHistoryState::default();
        let (ended, _) = one(&world, &[&a], OnFault::Fail, |archives| {
            DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone())
        });
        assert_eq!((ended == WorkState::Success, world.asked().len()), (heals, requests), "{spoiled:?}");
        assert_eq!(found(&state).is_empty(), heals, "{spoiled:?}");
        let fresh: Vec<_> = world.opened().iter().map(|entry| entry.what == What::Opened { fresh: true }).collect();
        assert_eq!(fresh, [false, true][..requests]);
    }
}

#[test]
fn too_many_requests_cost_no_retry_and_nobody_comes_back_before_the_host_said() {
    let has = path(FileKind::History, 15);
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    a.once(&has, vec![Fault::throttled(Some(7_000)); 5]);
    let state = SharedHistoryState::default();
    let archives = archives(&[&a]);
    let file = GetHistoryArchiveStateWork::new(archives.clone(), checkpoint(15), Vec::new(), state.clone());
    let mut id = None;
    let driven = drive(&world, &[&a], 1, |scheduler| id = Some(add(scheduler, &archives, file, RetryPolicy::NEVER, OnFault::Fail)));
    assert_eq!(driven.scheduler.state(id.unwrap()), Some(WorkState::Success), "though the policy has no retries");
    assert_eq!(world.when(&has), [0, 7_000, 14_000, 21_000, 28_000, 35_000]);
}

#[test]
fn a_host_that_rests_is_not_waited_for_when_another_has_the_file() {
    let has = path(FileKind::History, 15);
    let world = World::asking(0, 2);
    let [a, b] = ["a", "b"].map(|name| world.archive(name, files()));
    a.always(&has, Fault::throttled(Some(60_000)));
    let state = SharedHistoryState::default();
    let (ended, _) = one(&world, &[&a, &b], OnFault::Fail, |archives| {
        GetHistoryArchiveStateWork::new(archives, checkpoint(15), Vec::new(), state.clone())
    });
    assert_eq!((ended, world.who(&has), world.now()), (WorkState::Success, vec!["a".into(), "b".into()], 0));
}

#[test]
fn silence_ends_in_a_timeout_and_another_archive_is_asked() {
    let has = path(FileKind::History, 15);
    let world = World::asking(0, 2);
    let [a, b] = ["a", "b"].map(|name| world.archive(name, files()));
    a.always(&has, Fault::Silence);
    let (ended, _) = one(&world, &[&a, &b], OnFault::Fail, |archives| {
        GetHistoryArchiveStateWork::new(archives, checkpoint(15), Vec::new(), SharedHistoryState::default())
    });
    assert_eq!((ended, world.when(&has)), (WorkState::Success, vec![0, Timeouts::default().idle_ms]));
}

#[test]
fn gunzip_gives_every_member_and_fails_on_each_fault_of_them() {
    let gunzip = |zipped: Vec<u8>, limit| {
        let into = Gunzipped::default();
        let mut id = None;
        let limits = GzipLimits::new(&Budget::default(), limit);
        let spec = WorkSpec::new("GunzipFileWork", "x", COORDINATE).retrying(RetryPolicy::A_LOT);
        let world = World::asking(0, 1);
        let driven = drive(&world, &[], 1, |scheduler| {
            id = Some(scheduler.add(spec, Box::new(GunzipFileWork::new(zipped, limits, into.clone()))).unwrap())
        });
        assert_eq!(world.now(), 0, "the same bytes unzip the same way: no retry");
        let outcome = into.lock().unwrap().take().unwrap();
        (driven.scheduler.state(id.unwrap()).unwrap(), outcome.ok())
    };
    let file = files()[&path(FileKind::Ledger, 15)].clone();
    let content = unzipped(&file);
    assert_eq!(gunzip(file.clone(), 1 << 20), (WorkState::Success, Some(content.clone())));
    assert_eq!(
        gunzip([file.clone(), gzip(b"and more")].concat(), 1 << 20),
        (WorkState::Success, Some([content.clone(), b"and more".to_vec()].concat()))
    );
    assert_eq!(gunzip(file.clone(), content.len() as u64).0, WorkState::Success, "the limit itself is allowed");
    let mut faulty =
        vec![(gunzip(file.clone(), content.len() as u64 - 1), "a limit".to_owned()), (gunzip(content, 1 << 20), "no gzip".to_owned())];
    for end in [0, 1, 9, 10, file.len() / 2, file.len() - 8, file.len() - 1] {
        faulty.push((gunzip(file[..end].to_vec(), 1 << 20), format!("cut off at {end}")));
    }
    for at in [0, 1, 2, 3, file.len() - 8, file.len() - 1] {
        let mut damaged = file.clone();
        damaged[at] ^= 0x80;
        faulty.push((gunzip(damaged, 1 << 20), format!("damaged at {at}")));
    }
    for ((state, content), what) in faulty {
        assert_eq!((state, content), (WorkState::Failure, None), "{what}");
    }
}

#[test]
fn gzip_gives_the_same_file_for_the_same_content_which_others_unzip() {
    let zipped = |content: Vec<u8>| {
        let into = Zipped::default();
        let mut id = None;
        let item = Box::new(GzipFileWork::new(content, Arc::clone(&into)));
        let driven = drive(&World::default(), &[], 1, |scheduler| {
            id = Some(scheduler.add(WorkSpec::new("GzipFileWork", "x", COORDINATE), item).unwrap())
        });
        assert_eq!(driven.scheduler.state(id.unwrap()), Some(WorkState::Success));
        into.lock().unwrap().take().unwrap().to_vec()
    };
    for content in [Vec::new(), b"a".to_vec(), unzipped(&files()[&path(FileKind::Ledger, 15)]), vec![7; 1 << 20]] {
        let file = zipped(content.clone());
        assert_eq!(file, zipped(content.clone()));
        assert_eq!(file[..4], [0x1f, 0x8b, 8, 0]);
        assert_eq!(file[4..8], [0; 4], "no time");
        // Unzipped by hand, not by our own decoder.
        assert!(unzipped(&file) == content);
        assert_eq!(file[file.len() - 8..file.len() - 4], crc32fast::hash(&content).to_le_bytes());
        assert_eq!(file[file.len() - 4..], (content.len() as u32).to_le_bytes());
    }
}

// ---- the files of a checkpoint

#[test]
fn the_state_of_a_checkpoint_comes_as_it_stands_there() {
    for last in [7, 15, TIP] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        let state = SharedHistoryState::default();
        let (ended, _) = one(&world, &[&a], OnFault::Fail, |archives| {
            GetHistoryArchiveStateWork::new(archives, checkpoint(last), Vec::new(), state.clone())
        });
        let state = state.lock();
        assert_eq!((ended, state.history(), state.files_done()), (WorkState::Success, Some(&state_at(&files(), last)), 1));
        assert_eq!(state.stage(), Some(HistoryWorkStage::FetchHistoryArchiveState));
    }
}

#[test]
fn each_fault_of_a_state_fails_the_item_or_is_reported() {
    let has = path(FileKind::History, 15);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut files = files();
        change_json(&mut files, &has, change);
        Fault::Serve(files[&has].clone())
    };
    let cases = [
        (Fault::Missing, "file-missing"),
        (Fault::Serve(b"<html></html>".to_vec()), "has-json"),
        (Fault::Serve(Vec::new()), "has-json"),
        (Fault::Serve(files()[&has][..200].to_vec()), "has-json"),
        (Fault::Serve(vec![b' '; 10_000_001]), "limit-exceeded"),
        (with(&|json| json["version"] = json!(3)), "has-version"),
        (with(&|json| json["currentLedger"] = json!(23)), "has-ledger-mismatch"),
        (with(&|json| json["networkPassphrase"] = json!("another")), "has-passphrase-mismatch"),
        (with(&|json| drop(json["currentBuckets"].as_array_mut().unwrap().pop())), "has-schema"),
        (with(&|json| json["currentBuckets"][0]["curr"] = json!("xyz")), "has-schema"),
    ];
    for (fault, code) in cases {
        for (on_fault, ended) in [(OnFault::Fail, WorkState::Failure), (OnFault::Report, WorkState::Success)] {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            a.always(&has, fault.clone());
            let state = SharedHistoryState::default();
            let (outcome, _) = one(&world, &[&a], on_fault, |archives| {
                GetHistoryArchiveStateWork::new(archives, checkpoint(15), Vec::new(), state.clone())
            });
            assert_eq!((outcome, world.now()), (ended, 0), "{code}: content is not tried again after a wait");
            assert!(found(&state).contains(&(code.to_owned(), "a".to_owned())), "{code}: {:?}", found(&state));
        }
    }
}

#[test]
fn headers_come_hashed_and_chained() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let state = SharedHistoryState::default();
    let (ended, _) =
        one(&world, &[&a], OnFault::Fail, |archives| DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone()));
    assert_eq!(ended, WorkState::Success);
    let state = state.lock();
    let headers = state.headers().unwrap();
    assert!(headers.is_complete());
    for ledger in 8..=15 {
        let hash = headers.header(LedgerSeq::new(ledger)).map(|header| *header.hash.as_bytes());
        assert_eq!(hash.as_ref(), sample().hashes.get(&ledger), "ledger {ledger}");
    }
}

#[test]
fn each_fault_of_a_ledger_file_fails_the_item_or_is_reported() {
    let ledger = path(FileKind::Ledger, 15);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = files();
        change_records(&mut files, &ledger, change);
        Fault::Serve(files[&ledger].clone())
    };
    let mut damaged = files();
    damage(&mut damaged, &ledger);
    let cases = [
        (Fault::Missing, "file-missing"),
        (Fault::Serve(damaged[&ledger].clone()), "gzip-corrupt"),
        (Fault::Serve(b"<html></html>".to_vec()), "gzip-corrupt"),
        (Fault::Serve(gzip(&[0x80, 0, 0, 9, 1])), "xdr-framing"),
        (Fault::Serve(files()[&path(FileKind::Ledger, 23)].clone()), "header-out-of-range"),
        (with(&|list| list[3][60] ^= 1), "header-hash-mismatch"),
        (with(&|list| list[3][5] ^= 1), "header-hash-mismatch"),
        (with(&|list| drop(list.remove(3))), "header-missing"),
        (with(&|list| drop(list.pop())), "header-missing"),
        (with(&|list| list.swap(2, 3)), "header-sequence"),
        (with(&|list| list.insert(3, list[3].clone())), "header-sequence"),
        (with(&|list| list[3] = vec![1, 2, 3, 4]), "xdr-decode"),
        (with(&|list| list[3] = records(&forged().files[&ledger])[3].clone()), "header-chain-break"),
    ];
    for (fault, code) in cases {
        for (on_fault, ended) in [(OnFault::Fail, WorkState::Failure), (OnFault::Report, WorkState::Success)] {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            a.always(&ledger, fault.clone());
            let state = SharedHistoryState::default();
            let (outcome, _) = one(&world, &[&a], on_fault, |archives| {
                DownloadLedgerHeadersWork::new(archives, checkpoint(15), Vec::new(), state.clone())
            });
            assert_eq!((outcome, world.now()), (ended, 0), "{code}");
            assert!(found(&state).contains(&(code.to_owned(), "a".to_owned())), "{code}: {:?}", found(&state));
            assert_eq!(state.lock().ledger_status(), Some(Status::Faulty));
        }
    }
}

/// What an item makes of the transactions, results or scp file, with the headers that it needs.
fn after_headers<F: FileWork + 'static>(
    fault: Option<(&str, Fault)>,
    on_fault: OnFault,
    file: impl FnOnce(Archives, SharedHistoryState) -> F,
) -> (WorkState, SharedHistoryState, World) {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    if let Some((path, fault)) = fault {
        a.always(path, fault);
    }
    let (archives, state) = (archives(&[&a]), SharedHistoryState::default());
    let headers = DownloadLedgerHeadersWork::new(archives.clone(), checkpoint(busy()), Vec::new(), state.clone());
    let file = file(archives.clone(), state.clone());
    let mut id = None;
    let driven = drive(&world, &[&a], 4, |scheduler| {
        let headers = add(scheduler, &archives, headers, RETRY, OnFault::Fail);
        let item = GetAndUnzipRemoteFileWork::new(file, archives.clone(), RETRY, on_fault);
        id = Some(scheduler.add(WorkSpec::new("item", "item", DOWNLOAD).after(headers).retrying(RETRY), Box::new(item)).unwrap());
    });
    (driven.scheduler.state(id.unwrap()).unwrap(), state, world)
}

fn record_faults(kind: FileKind, name: &str) -> Vec<(Fault, String)> {
    let file = path(kind, busy());
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = files();
        change_records(&mut files, &file, change);
        Fault::Serve(files[&file].clone())
    };
    let mut damaged = files();
    damage(&mut damaged, &file);
    vec![
        (Fault::Missing, "file-missing".into()),
        (Fault::Serve(damaged[&file].clone()), "gzip-corrupt".into()),
        (Fault::Serve(gzip(&[0x80, 0, 0, 9, 1])), "xdr-framing".into()),
        (with(&|list| list.swap(0, 1)), format!("{name}-sequence")),
        (with(&|list| list[0][0..4].copy_from_slice(&(busy() + 1).to_be_bytes())), format!("{name}-out-of-range")),
    ]
}

#[test]
fn each_fault_of_a_transactions_file_fails_the_item_or_is_reported() {
    let file = path(FileKind::Transactions, busy());
    let item = |archives, state| DownloadTransactionsWork::new(archives, checkpoint(busy()), Vec::new(), state);
    let (ended, state, _) = after_headers(None, OnFault::Fail, item);
    assert_eq!((ended, found(&state), state.lock().stage()), (WorkState::Success, vec![], Some(HistoryWorkStage::DownloadTransactions)));
    let mut cases = record_faults(FileKind::Transactions, "tx");
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = files();
        change_records(&mut files, &file, change);
        Fault::Serve(files[&file].clone())
    };
    cases.push((with(&|list| list.insert(1, list[1].clone())), "tx-duplicate".into()));
    cases.push((with(&|list| drop(list.remove(1))), "txset-missing".into()));
    cases.push((with(&|list| *list = records(&forged().files[&path(FileKind::Transactions, busy())])), "txset-hash-mismatch".into()));
    for (fault, code) in cases {
        for (on_fault, wanted) in [(OnFault::Fail, WorkState::Failure), (OnFault::Report, WorkState::Success)] {
            let (ended, state, world) = after_headers(Some((&file, fault.clone())), on_fault, item);
            assert_eq!((ended, world.now()), (wanted, 0), "{code}");
            assert!(found(&state).contains(&(code.clone(), "a".to_owned())), "{code}: {:?}", found(&state));
        }
    }
}

#[test]
fn each_fault_of_a_results_file_fails_the_item_or_is_reported() {
    let file = path(FileKind::Results, busy());
    let item = |archives, state| VerifyTxResultsWork::new(archives, checkpoint(busy()), Vec::new(), state);
    let (ended, state, world) = after_headers(None, OnFault::Fail, item);
    assert_eq!((ended, found(&state), state.lock().stage()), (WorkState::Success, vec![], Some(HistoryWorkStage::DownloadTxResults)));
    assert_eq!(world.asked(), [path(FileKind::Ledger, busy()), file.clone()], "no transactions are needed");
    let mut cases = record_faults(FileKind::Results, "result");
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = files();
        change_records(&mut files, &file, change);
        Fault::Serve(files[&file].clone())
    };
    cases.push((with(&|list| list.insert(1, list[1].clone())), "result-duplicate".into()));
    cases.push((with(&|list| drop(list.remove(1))), "result-missing".into()));
    cases.push((with(&|list| list[1][20] ^= 1), "result-hash-mismatch".into()));
    for (fault, code) in cases {
        for (on_fault, wanted) in [(OnFault::Fail, WorkState::Failure), (OnFault::Report, WorkState::Success)] {
            let (ended, state, world) = after_headers(Some((&file, fault.clone())), on_fault, item);
            assert_eq!((ended, world.now()), (wanted, 0), "{code}");
            assert!(found(&state).contains(&(code.clone(), "a".to_owned())), "{code}: {:?}", found(&state));
        }
    }
}

#[test]
fn results_with_transactions_are_held_against_both() {
    // The same faults as without transactions, after the transactions.
    let file = path(FileKind::Results, busy());
    for change in [None, Some(0usize), Some(1)] {
        let world = World::asking(0, 1);
        let mut a = world.archive("a", files());
        if let Some(index) = change {
            change_records(&mut a.files, &file, |list| list[index][20] ^= 1);
        }
        let state = SharedHistoryState::default();
        let (ids, driven) = graph(&world, &[&a], busy(), &state, |builder| builder.without_buckets().without_scp());
        let ended = driven.scheduler.state(ids.tx_results).unwrap();
        assert_eq!(ended, if change.is_none() { WorkState::Success } else { WorkState::Failure });
        assert_eq!(found_codes(&state).contains(&"result-hash-mismatch".to_owned()), change.is_some());
        world.assert_in_order(&path(FileKind::Transactions, busy()), &file);
    }
}

#[test]
fn each_fault_of_an_scp_file_fails_the_item_but_that_there_is_none() {
    let file = path(FileKind::Scp, busy());
    let item = |archives, state| DownloadScpHistoryWork::new(archives, checkpoint(busy()), Vec::new(), state);
    let (ended, state, _) = after_headers(None, OnFault::Fail, item);
    assert_eq!((ended, found(&state), state.lock().stage()), (WorkState::Success, vec![], Some(HistoryWorkStage::DownloadScpHistory)));
    for missing in [Fault::Missing, Fault::of(ReadErrorKind::Forbidden)] {
        let (ended, state, _) = after_headers(Some((&file, missing)), OnFault::Fail, item);
        assert_eq!(ended, WorkState::Success, "archives need not have it");
        assert!(!state.lock().findings().any(|finding| finding.is_error()), "{:?}", found(&state));
    }
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = files();
        change_records(&mut files, &file, change);
        Fault::Serve(files[&file].clone())
    };
    let mut damaged = files();
    damage(&mut damaged, &file);
    let cases = [
        (Fault::Serve(damaged[&file].clone()), "gzip-corrupt"),
        (Fault::Serve(gzip(&[0x80, 0, 0, 9, 1])), "xdr-framing"),
        (with(&|list| list.swap(0, 1)), "scp-sequence"),
        (Fault::Serve(files()[&path(FileKind::Scp, busy() + 8)].clone()), "scp-out-of-range"),
        (Fault::Serve(forged().files[&file].clone()), "scp-value-mismatch"),
        (with(&|list| list[0] = vec![1, 2, 3, 4]), "xdr-decode"),
    ];
    for (fault, code) in cases {
        for (on_fault, wanted) in [(OnFault::Fail, WorkState::Failure), (OnFault::Report, WorkState::Success)] {
            let (ended, state, _) = after_headers(Some((&file, fault.clone())), on_fault, item);
            assert!(found(&state).contains(&(code.to_owned(), "a".to_owned())), "{code}: {:?}", found(&state));
            assert_eq!(ended, wanted, "{code}");
        }
    }
}

#[test]
fn items_that_need_headers_do_nothing_without_them() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let state = SharedHistoryState::default();
    let at = checkpoint(15);
    let ended = [
        one(&world, &[&a], OnFault::Report, |archives| DownloadTransactionsWork::new(archives, at, Vec::new(), state.clone())).0,
        one(&world, &[&a], OnFault::Report, |archives| DownloadTxResultsWork::new(archives, at, Vec::new(), state.clone())).0,
        one(&world, &[&a], OnFault::Report, |archives| DownloadScpHistoryWork::new(archives, at, Vec::new(), state.clone())).0,
        one(&world, &[&a], OnFault::Report, |archives| VerifyTxResultsWork::new(archives, at, Vec::new(), state.clone())).0,
    ];
    assert_eq!(ended, [WorkState::Failure; 4]);
    assert_eq!(world.asked(), Vec::<String>::new());
}

// ---- buckets

/// The state of the newest checkpoint, and then its buckets.
fn buckets(world: &World, readers: &[&Scripted], state: &SharedHistoryState, limit: usize) -> (WorkState, Driven) {
    let archives = archives(readers);
    let has = GetHistoryArchiveStateWork::new(archives.clone(), checkpoint(TIP), Vec::new(), state.clone());
    let mut id = None;
    let driven = drive(world, readers, limit, |scheduler| {
        let has = add(scheduler, &archives, has, RETRY, OnFault::Fail);
        let item = DownloadBucketsWork::new(archives.clone(), checkpoint(TIP), RETRY, OnFault::Fail, state.clone());
        id = Some(scheduler.add(WorkSpec::new("DownloadBucketsWork", "x", COORDINATE).after(has), Box::new(item)).unwrap());
    });
    (driven.scheduler.state(id.unwrap()).unwrap(), driven)
}

#[test]
fn buckets_come_live_ones_first_then_the_hot_archives_each_once() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let (ended, driven) = buckets(&world, &[&a], &SharedHistoryState::default(), 1);
    assert_eq!(ended, WorkState::Success);
    let (live, hot) = (bucket_paths(&files(), TIP, "currentBuckets"), bucket_paths(&files(), TIP, "hotArchiveBuckets"));
    assert!(live.len() > 3 && hot.len() > 1, "the sample has both");
    let asked = world.asked();
    assert_eq!(asked[0], path(FileKind::History, TIP));
    let (first, then) = asked[1..].split_at(live.len());
    assert_eq!(first.iter().cloned().collect::<BTreeSet<_>>(), live);
    assert_eq!(then.len(), hot.len());
    assert_eq!(then.iter().cloned().collect::<BTreeSet<_>>(), hot);
    let counts = driven.scheduler.progress()["VerifyBucketWork"];
    assert_eq!(counts.success, (live.len() + hot.len()) as u64);
}

#[test]
fn a_bucket_that_is_named_many_times_comes_once() {
    let world = World::asking(0, 1);
    let mut a = world.archive("a", files());
    let has = path(FileKind::History, TIP);
    change_json(&mut a.files, &has, |json| {
        let again = json["currentBuckets"][0]["curr"].clone();
        json["currentBuckets"][5]["snap"] = again.clone();
        json["currentBuckets"][9]["curr"] = again.clone();
        let hot = json["hotArchiveBuckets"][0]["curr"].clone();
        json["hotArchiveBuckets"][7]["curr"] = hot;
    });
    let (ended, _) = buckets(&world, &[&a], &SharedHistoryState::default(), 4);
    assert_eq!(ended, WorkState::Success);
    let asked: Vec<_> = world.asked().into_iter().filter(|path| path.starts_with("bucket/")).collect();
    let distinct: BTreeSet<_> = asked.iter().cloned().collect();
    assert_eq!((asked.len(), distinct), (all_buckets(&a.files, TIP).len(), all_buckets(&a.files, TIP)));
}

#[test]
fn as_many_buckets_come_at_once_as_the_scheduler_allows() {
    let buckets_named = all_buckets(&files(), TIP).len();
    for limit in [1, 2, 6, 16] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        assert_eq!(buckets(&world, &[&a], &SharedHistoryState::default(), limit).0, WorkState::Success);
        assert_eq!(world.most_at_once(), limit.min(buckets_named));
    }
}

#[test]
fn buckets_need_the_state_that_names_them() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let archives = archives(&[&a]);
    let item = DownloadBucketsWork::new(archives, checkpoint(TIP), RETRY, OnFault::Report, SharedHistoryState::default());
    let mut id = None;
    let driven =
        drive(&world, &[&a], 4, |scheduler| id = Some(scheduler.add(WorkSpec::new("x", "x", COORDINATE), Box::new(item)).unwrap()));
    assert_eq!((driven.scheduler.state(id.unwrap()), world.asked()), (Some(WorkState::Failure), vec![]));
}

/// Verifies one bucket by itself.
fn bucket(world: &World, readers: &[&Scripted], job: BucketJob, hold: Hold, indexing: bool) -> (WorkState, BucketsDone) {
    let done = BucketsDone::default();
    let (ended, _) = one(world, readers, OnFault::Fail, |archives| {
        let file = VerifyBucketWork::new(archives, job, SharedHistoryState::holding(hold), Some(done.clone()));
        if indexing { file.indexing() } else { file }
    });
    (ended, done)
}

fn job(path: &str, list: ListKind) -> BucketJob {
    let name = path.rsplit("bucket-").next().unwrap().trim_end_matches(".xdr.gz");
    let bucket = BucketHash::new(name.parse::<Hash256>().unwrap());
    BucketJob { bucket, place: BucketUse { list, lowest: false }, checkpoint: checkpoint(TIP), protocol: Some(23) }
}

#[test]
fn nothing_of_a_bucket_is_held_unless_asked() {
    for path in all_buckets(&files(), TIP) {
        for held in [false, true] {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            let hold = Hold { records: false, buckets: held, stored: false };
            let (ended, done) = bucket(&world, &[&a], job(&path, ListKind::Live), hold, false);
            assert_eq!(ended, WorkState::Success);
            let done = done.lock().unwrap();
            let settled = &done[0].1;
            assert_eq!(settled.report.status, Status::Verified);
            assert!(settled.kept.records.is_empty());
            assert!(settled.kept.content == if held { unzipped(&files()[&path]) } else { Vec::new() });
            let account = settled.accounts.get(ArchiveId::new(0));
            assert_eq!((account.compressed, account.inflated), (files()[&path].len() as u64, unzipped(&files()[&path]).len() as u64));
        }
    }
}

#[test]
fn an_index_leads_to_every_entry_of_a_bucket_and_is_made_only_when_asked() {
    let mut entries = 0;
    for path in bucket_paths(&files(), TIP, "currentBuckets") {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        let (_, done) = bucket(&world, &[&a], job(&path, ListKind::Live), Hold::default(), false);
        assert_eq!(done.lock().unwrap()[0].1.report.index, None);
        let (ended, done) = bucket(&world, &[&a], job(&path, ListKind::Live), Hold::default(), true);
        assert_eq!(ended, WorkState::Success);
        let index = done.lock().unwrap()[0].1.report.index.clone().unwrap();
        let content = unzipped(&files()[&path]);
        let mut keys = 0;
        for record in records(&files()[&path]) {
            let key: LedgerKey = match BucketEntry::from_xdr(&record, Limits::none()).unwrap() {
                BucketEntry::Liveentry(entry) | BucketEntry::Initentry(entry) => entry.to_key(),
                BucketEntry::Deadentry(key) => key,
                BucketEntry::Metaentry(_) => continue,
            };
            let offset = index.offset(&key).unwrap() as usize;
            assert_eq!(content[offset..offset + record.len()], record);
            keys += 1;
        }
        assert_eq!(index.len(), keys);
        entries += keys;
    }
    assert!(entries > 10);
}

/// An archive with one more bucket, and its path.
fn with_bucket(content: &[u8]) -> (Files, String) {
    let name = sha256(&[content]).to_string();
    let path = format!("bucket/{}/{}/{}/bucket-{name}.xdr.gz", &name[..2], &name[2..4], &name[4..6]);
    let mut files = files();
    files.insert(path.clone(), gzip(content));
    (files, path)
}

#[test]
fn entries_that_do_not_decode_matter_only_with_an_index() {
    // A record that is no entry, under its right name.
    let (files, path) = with_bucket(&[0x80, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
    for (indexing, wanted) in [(false, WorkState::Success), (true, WorkState::Failure)] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files.clone());
        let (ended, done) = bucket(&world, &[&a], job(&path, ListKind::Live), Hold::default(), indexing);
        let report = &done.lock().unwrap()[0].1.report;
        assert_eq!((ended, report.findings.iter().any(|finding| finding.code.as_str() == "xdr-decode")), (wanted, indexing));
        assert_eq!(report.index, None);
    }
}

#[test]
fn each_fault_of_a_bucket_fails_its_item_and_names_the_archive() {
    let path = bucket_paths(&files(), TIP, "currentBuckets").into_iter().max_by_key(|path| files()[path].len()).unwrap();
    let sound = files()[&path].clone();
    let content = unzipped(&sound);
    let changed = |at: usize| {
        let mut other = content.clone();
        other[at] ^= 1;
        gzip(&other)
    };
    let (empty, nothing) = with_bucket(&[]);
    let cases = [
        (path.as_str(), Fault::Missing, "bucket-missing", 2),
        (&path, Fault::Serve(sound[..sound.len() - 4].to_vec()), "gzip-corrupt", 2),
        (&path, Fault::Serve(b"<html></html>".to_vec()), "gzip-corrupt", 2),
        (&path, Fault::Serve(changed(content.len() - 1)), "bucket-hash-mismatch", 1),
        (&path, Fault::Serve(changed(5)), "bucket-hash-mismatch", 1),
        (&path, Fault::Serve(gzip(&[])), "bucket-hash-mismatch", 1),
        (&path, Fault::Serve(gzip(&[content.as_slice(), &content].concat())), "bucket-hash-mismatch", 1),
        (&nothing, Fault::Serve(empty[&nothing].clone()), "bucket-entry", 1),
    ];
    for (path, fault, code, requests) in cases {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        a.always(path, fault);
        let (ended, done) = bucket(&world, &[&a], job(path, ListKind::Live), Hold { records: false, buckets: true, stored: false }, false);
        let done = done.lock().unwrap();
        let report = &done[0].1.report;
        assert_eq!((ended, report.status, report.facts), (WorkState::Failure, Status::Faulty, None), "{code}");
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.code.as_str(), finding.archive.as_str())).collect();
        assert!(found.contains(&(code, "a")), "{code}: {found:?}");
        assert_eq!((world.asked().len(), world.now()), (requests, 0), "{code}: once, and once more where a cache may be the reason");
    }
}

#[test]
fn a_bucket_that_is_wrong_in_one_archive_comes_from_another_and_the_first_is_blamed() {
    for path in all_buckets(&files(), TIP) {
        let world = World::asking(0, 2);
        let [mut a, b] = ["a", "b"].map(|name| world.archive(name, files()));
        let last = unzipped(&a.files[&path]).len() - 1;
        flip(&mut a.files, &path, last);
        let (ended, done) =
            bucket(&world, &[&a, &b], job(&path, ListKind::Live), Hold { records: false, buckets: true, stored: false }, false);
        let done = done.lock().unwrap();
        let settled = &done[0].1;
        assert_eq!((ended, settled.report.status, settled.archive), (WorkState::Success, Status::Verified, Some(ArchiveId::new(1))));
        assert!(settled.kept.content == unzipped(&b.files[&path]), "what is held is the sound one");
        let finding = &settled.report.findings[0];
        assert_eq!((finding.archive.as_str(), finding.good_from.as_deref(), finding.severity), ("a", Some("b"), Severity::Warning));
        assert_eq!((settled.accounts.get(ArchiveId::new(0)).faulty, settled.accounts.get(ArchiveId::new(1)).faulty), (1, 0));
    }
}

#[test]
fn one_bad_bucket_fails_the_batch_and_nothing_more_is_asked_for() {
    let (live, all) = (bucket_paths(&files(), TIP, "currentBuckets"), all_buckets(&files(), TIP));
    for (fault, code) in [(Fault::Missing, "bucket-missing"), (Fault::Serve(gzip(b"x")), "bucket-hash-mismatch")] {
        for bad in &live {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            a.always(bad, fault.clone());
            let state = holding();
            let (ended, _) = buckets(&world, &[&a], &state, 1);
            assert_eq!(ended, WorkState::Failure);
            let last = world.asked().iter().rposition(|path| path == bad);
            assert_eq!(last, Some(world.asked().len() - 1), "nothing after the bad one");
            assert!(world.asked().len() <= all.len() + 2);
            assert_eq!(found(&state), [(code.to_owned(), "a".to_owned())], "what was found is said, though the batch failed");
        }
    }
}

// ---- batches

fn whole(last: u32) -> CheckpointRange {
    CheckpointRange::covering(LedgerSeq::GENESIS, LedgerSeq::new(last), FREQUENCY).unwrap()
}

fn planned(plan: &Plan) -> Vec<u32> {
    (0..plan.count()).map(|index| plan.get(index).unwrap().last_ledger().value()).collect()
}

fn batch(world: &World, readers: &[&Scripted], item: Box<dyn HistoryWork>) -> (WorkState, Driven) {
    let mut id = None;
    let spec = WorkSpec::new("batch", "batch", COORDINATE).with_failing_children();
    let driven = drive(world, readers, 16, |scheduler| id = Some(scheduler.add(spec, item).unwrap()));
    (driven.scheduler.state(id.unwrap()).unwrap(), driven)
}

fn handed_on(driven: &Driven) -> Vec<u32> {
    driven.downloaded.iter().map(|(checkpoint, _)| checkpoint.last_ledger().value()).collect()
}

#[test]
fn a_batch_brings_the_files_of_one_kind_in_the_order_of_the_plan() {
    for kind in FileKind::ALL {
        for (order, sample) in [(Order::OldestFirst, None), (Order::NewestFirst, None), (Order::NewestFirst, Some((5, Seed(7))))] {
            let world = World::default();
            let [a, b, c] = world.archives(["a", "b", "c"]);
            // Some come late.
            a.once(&path(kind, 7), [Fault::Cut]);
            b.once(&path(kind, TIP), vec![Fault::of(ReadErrorKind::Http(500)); 2]);
            c.always(&path(kind, 47), Fault::of(ReadErrorKind::Network));
            let readers = [&a, &b, &c];
            let plan = Plan::new(whole(TIP), order, sample);
            let (ended, driven) =
                batch(&world, &readers, Box::new(BatchDownloadWork::new(archives(&readers), plan.clone(), kind, 4, RETRY)));
            assert_eq!((ended, handed_on(&driven)), (WorkState::Success, planned(&plan)), "{kind}");
            let asked: BTreeSet<_> = world.asked().into_iter().collect();
            assert_eq!(asked, planned(&plan).into_iter().map(|last| path(kind, last)).collect(), "{kind}: these files and no others");
            for (checkpoint, state) in &driven.downloaded {
                assert_eq!(found(state), [], "{kind} of {checkpoint}");
                let state = state.lock();
                assert_eq!(state.files_done(), 1);
                match kind {
                    FileKind::History => assert_eq!(state.history().map(|state| state.current_ledger), Some(checkpoint.last_ledger())),
                    FileKind::Ledger => assert_eq!(state.ledger_status(), Some(Status::Verified)),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_batch_is_never_further_ahead_than_it_was_told() {
    let none_ahead = |item: &dyn Fn(Archives, usize) -> Box<dyn HistoryWork>, kind: FileKind| {
        for ahead in [1, 2, 5, 40] {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            let slow = path(kind, 7);
            a.once(&slow, vec![Fault::Cut; 3]);
            let (ended, driven) = batch(&world, &[&a], item(archives(&[&a]), ahead));
            assert_eq!((ended, driven.downloaded.len()), (WorkState::Success, 12));
            let opened = world.opened();
            let last = opened.iter().rposition(|entry| entry.path == slow).unwrap();
            let before: BTreeSet<_> =
                opened[..=last].iter().map(|entry| entry.path.clone()).filter(|path| path.contains(kind.name())).collect();
            assert_eq!(before.len(), ahead.min(12), "{kind}, {ahead} ahead, while the first one takes its time: {before:?}");
        }
    };
    let plan = Plan::new(whole(TIP), Order::OldestFirst, None);
    none_ahead(&|archives, ahead| Box::new(BatchDownloadWork::new(archives, plan.clone(), FileKind::Scp, ahead, RETRY)), FileKind::Scp);
    none_ahead(
        &|archives, ahead| Box::new(BatchDownloadWork::new(archives, plan.clone(), FileKind::Ledger, ahead, RETRY)),
        FileKind::Ledger,
    );
    none_ahead(&|archives, ahead| Box::new(DownloadVerifyTxResultsWork::new(archives, plan.clone(), ahead, RETRY)), FileKind::Ledger);
}

#[test]
fn a_batch_says_which_of_its_files_are_faulty_or_unread_and_goes_on() {
    let world = World::asking(0, 1);
    let mut a = world.archive("a", files());
    a.files.remove(&path(FileKind::Ledger, 23));
    damage(&mut a.files, &path(FileKind::Ledger, 39));
    a.always(&path(FileKind::Ledger, 55), Fault::of(ReadErrorKind::Http(500)));
    let plan = Plan::new(whole(TIP), Order::OldestFirst, None);
    let (ended, driven) = batch(&world, &[&a], Box::new(BatchDownloadWork::new(archives(&[&a]), plan.clone(), FileKind::Ledger, 4, RETRY)));
    assert_eq!((ended, handed_on(&driven)), (WorkState::Success, planned(&plan)));
    for (checkpoint, state) in &driven.downloaded {
        let wanted: (&[&str], usize) = match checkpoint.last_ledger().value() {
            23 => (&["file-missing"], 0),
            39 => (&["gzip-corrupt"], 0),
            55 => (&[], 1),
            _ => (&[], 0),
        };
        assert_eq!(
            (found_codes(state), state.lock().errors().len()),
            (wanted.0.iter().map(|code| (*code).to_owned()).collect(), wanted.1),
            "{checkpoint}"
        );
    }
}

#[test]
fn results_of_a_range_are_verified_against_headers_alone() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let plan = Plan::new(whole(TIP), Order::NewestFirst, None);
    let (ended, driven) = batch(&world, &[&a], Box::new(DownloadVerifyTxResultsWork::new(archives(&[&a]), plan.clone(), 3, RETRY)));
    assert_eq!((ended, handed_on(&driven)), (WorkState::Success, planned(&plan)));
    assert!(driven.downloaded.iter().all(|(_, state)| found(state).is_empty()));
    let mut wanted = BTreeSet::new();
    for last in planned(&plan) {
        world.assert_in_order(&path(FileKind::Ledger, last), &path(FileKind::Results, last));
        wanted.extend([path(FileKind::Ledger, last), path(FileKind::Results, last)]);
    }
    assert_eq!((world.asked().len(), world.asked().into_iter().collect::<BTreeSet<_>>()), (24, wanted));
}

#[test]
fn results_of_a_range_that_are_wrong_are_said_by_checkpoint() {
    let world = World::asking(0, 1);
    let mut a = world.archive("a", files());
    change_records(&mut a.files, &path(FileKind::Results, 23), |list| list[1][20] ^= 1);
    a.files.remove(&path(FileKind::Results, 39));
    a.files.remove(&path(FileKind::Ledger, 55));
    a.always(&path(FileKind::Results, 71), Fault::of(ReadErrorKind::Http(500)));
    let plan = Plan::new(whole(TIP), Order::OldestFirst, None);
    let (ended, driven) = batch(&world, &[&a], Box::new(DownloadVerifyTxResultsWork::new(archives(&[&a]), plan.clone(), 3, RETRY)));
    assert_eq!((ended, handed_on(&driven)), (WorkState::Success, planned(&plan)));
    for (checkpoint, state) in &driven.downloaded {
        let wanted: (&[&str], usize) = match checkpoint.last_ledger().value() {
            23 => (&["result-hash-mismatch"], 0),
            39 | 55 => (&["file-missing"], 0),
            71 => (&[], 1),
            _ => (&[], 0),
        };
        let codes = found_codes(state);
        assert_eq!(
            (codes.iter().map(String::as_str).collect::<Vec<_>>(), state.lock().errors().len()),
            (wanted.0.to_vec(), wanted.1),
            "{checkpoint}"
        );
    }
}

#[test]
fn batches_do_not_ask_an_archive_for_what_it_does_not_announce() {
    let lagging = |item: &dyn Fn(Archives) -> Box<dyn HistoryWork>| {
        let world = World::asking(0, 2);
        let [mut a, b] = ["a", "b"].map(|name| world.archive(name, files()));
        a.files.retain(|path, _| {
            !path.contains('-')
                || path.split(['-', '.']).nth(1).is_none_or(|last| u32::from_str_radix(last, 16).is_ok_and(|last| last <= 47))
        });
        let tips = vec![Some(LedgerSeq::new(47)), Some(LedgerSeq::new(TIP))];
        let (ended, driven) = batch(&world, &[&a, &b], item(archives(&[&a, &b]).with_tips(tips)));
        assert_eq!((ended, driven.downloaded.len()), (WorkState::Success, 12));
        let newer =
            world.asked_of("a").into_iter().filter(|asked| (55..=TIP).step_by(8).any(|last| asked.contains(&format!("-{last:08x}."))));
        assert_eq!(newer.collect::<Vec<_>>(), Vec::<String>::new());
        assert!(!world.asked_of("a").is_empty());
        assert!(driven.downloaded.iter().all(|(_, state)| found(state).is_empty()), "nobody is blamed");
    };
    let plan = Plan::new(whole(TIP), Order::OldestFirst, None);
    for kind in [FileKind::History, FileKind::Ledger, FileKind::Transactions, FileKind::Scp, FileKind::Results] {
        lagging(&|archives| Box::new(BatchDownloadWork::new(archives, plan.clone(), kind, 4, RETRY)));
    }
    lagging(&|archives| Box::new(DownloadVerifyTxResultsWork::new(archives, plan.clone(), 4, RETRY)));
}

// ---- one header

fn compared(world: &World, readers: &[&Scripted], ledger: u32, known: KnownHeader) -> (WorkState, HeaderComparison) {
    let into = Compared::default();
    let (ended, _) = one(world, readers, OnFault::Fail, |archives| {
        let at = FREQUENCY.containing(LedgerSeq::new(ledger));
        CheckSingleLedgerHeaderWork::new(archives, ArchiveId::new(0), at, LedgerSeq::new(ledger), known, into.clone())
    });
    let comparison = into.lock().unwrap().take().unwrap().0;
    (ended, comparison)
}

fn entry_of(ledger: u32) -> Vec<u8> {
    let last = FREQUENCY.containing(LedgerSeq::new(ledger)).last_ledger().value();
    let all = records(&files()[&path(FileKind::Ledger, last)]);
    all.into_iter().find(|entry| LedgerHeaderHistoryEntry::from_xdr(entry, Limits::none()).unwrap().header.ledger_seq == ledger).unwrap()
}

#[test]
fn a_header_that_is_the_known_one_matches() {
    let hash = |ledger: u32| Hash256::new(sample().hashes[&ledger]);
    for ledger in [1, 7, 8, 12, 15, TIP] {
        for known in [KnownHeader::Entry(entry_of(ledger)), KnownHeader::Hash(hash(ledger)), KnownHeader::Nothing] {
            let world = World::asking(0, 2);
            let [a, b] = ["a", "b"].map(|name| world.archive(name, files()));
            let (ended, comparison) = compared(&world, &[&a, &b], ledger, known.clone());
            let HeaderComparison::Match(found) = comparison else { panic!("{ledger}: {comparison:?}") };
            assert_eq!((ended, found.entry, found.hash, found.claimed), (WorkState::Success, entry_of(ledger), hash(ledger), hash(ledger)));
        }
    }
}

#[test]
fn a_byte_that_differs_anywhere_in_the_entry_is_a_difference() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let entry = entry_of(12);
    for at in 0..entry.len() {
        let mut other = entry.clone();
        other[at] ^= 1;
        let (_, comparison) = compared(&world, &[&a], 12, KnownHeader::Entry(other));
        assert!(matches!(comparison, HeaderComparison::Differs(_)), "byte {at} of {}: {comparison:?}", entry.len());
    }
    for other in [entry[..entry.len() - 1].to_vec(), [entry.as_slice(), &[0]].concat(), Vec::new()] {
        assert!(matches!(compared(&world, &[&a], 12, KnownHeader::Entry(other)).1, HeaderComparison::Differs(_)));
    }
}

#[test]
fn a_byte_that_an_archive_changed_never_matches_also_outside_of_what_is_hashed() {
    let entry = entry_of(12);
    let hash = Hash256::new(sample().hashes[&12]);
    for at in 0..entry.len() {
        let world = World::asking(0, 1);
        let mut a = world.archive("a", files());
        change_records(&mut a.files, &path(FileKind::Ledger, 15), |list| list[4][at] ^= 1);
        for known in [KnownHeader::Entry(entry.clone()), KnownHeader::Hash(hash), KnownHeader::Nothing] {
            let (ended, comparison) = compared(&world, &[&a], 12, known.clone());
            assert!(!matches!(comparison, HeaderComparison::Match(_)), "byte {at} of {} against {known:?}", entry.len());
            assert_eq!(ended, WorkState::Failure, "byte {at}: the file is faulty");
        }
    }
}

#[test]
fn another_header_differs_and_what_is_not_there_is_missing() {
    let entry = KnownHeader::Entry(entry_of(12));
    let world = World::asking(0, 2);
    let [mut a, b] = ["a", "b"].map(|name| world.archive(name, files()));
    let file = path(FileKind::Ledger, 15);
    a.files.insert(file.clone(), forged().files[&file].clone());
    let (_, comparison) = compared(&world, &[&a, &b], 12, entry.clone());
    let HeaderComparison::Differs(found) = comparison else { panic!("{comparison:?}") };
    assert_eq!((found.hash.as_bytes(), found.claimed.as_bytes()), (&forged().hashes[&12], &forged().hashes[&12]));
    a.files.insert(file.clone(), files()[&path(FileKind::Ledger, 23)].clone());
    assert!(matches!(compared(&world, &[&a, &b], 12, entry.clone()).1, HeaderComparison::Missing(_)));
    a.files.remove(&file);
    assert!(matches!(compared(&world, &[&a, &b], 12, entry.clone()).1, HeaderComparison::Missing(_)));
    a.always(&file, Fault::of(ReadErrorKind::Http(500)));
    assert_eq!(compared(&world, &[&a, &b], 12, entry), (WorkState::Failure, HeaderComparison::Unread));
    assert_eq!(world.asked_of("b"), Vec::<String>::new(), "another archive's answer says nothing of this one");
}

#[test]
fn a_ledger_file_with_too_many_headers_fails_even_where_the_header_is_there() {
    let world = World::asking(0, 1);
    let mut a = world.archive("a", files());
    change_records(&mut a.files, &path(FileKind::Ledger, 15), |list| list.push(entry_of(16)));
    let (ended, _) = compared(&world, &[&a], 12, KnownHeader::Entry(entry_of(12)));
    assert_eq!(ended, WorkState::Failure);
}

// ---- the graph

const KINDS: [&str; 6] = [
    "GetHistoryArchiveStateWork",
    "DownloadLedgerHeadersWork",
    "DownloadTransactionsWork",
    "DownloadTxResultsWork",
    "DownloadScpHistoryWork",
    "DownloadBucketsWork",
];

#[test]
fn the_builder_gives_the_ids_of_the_drawn_graph() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let build = |change: fn(HistoryWorkBuilder) -> HistoryWorkBuilder| {
        let mut work = scheduler(16);
        let ids =
            change(HistoryWorkBuilder::new(archives(&[&a]), checkpoint(TIP), SharedHistoryState::default())).register(&mut work).unwrap();
        (work, ids)
    };
    let (mut work, ids) = build(|builder| builder);
    let all = [
        Some(ids.history_archive_state),
        Some(ids.ledger_headers),
        Some(ids.transactions),
        Some(ids.tx_results),
        ids.scp_history,
        ids.buckets,
    ];
    assert_eq!(all.iter().flatten().collect::<BTreeSet<_>>().len(), 6);
    let states = all.map(|id| work.state(id.unwrap()).unwrap());
    assert_eq!(
        states,
        [WorkState::Pending, WorkState::Blocked, WorkState::Blocked, WorkState::Blocked, WorkState::Blocked, WorkState::Blocked]
    );
    assert_eq!(work.progress().into_keys().collect::<BTreeSet<_>>(), KINDS.into());
    assert_eq!(work.start_next(0).map(|started| started.id), Some(ids.history_archive_state));
    assert!(work.start_next(0).is_none(), "the state first, and nothing beside it");

    let (work, ids) = build(|builder| builder.without_buckets().without_scp());
    assert_eq!((ids.buckets, ids.scp_history), (None, None));
    assert_eq!(work.progress().into_keys().collect::<BTreeSet<_>>(), KINDS[..4].iter().copied().collect());

    let (mut work, _) = build(|builder| builder);
    work.abort();
    let refused = HistoryWorkBuilder::new(archives(&[&a]), checkpoint(TIP), SharedHistoryState::default()).register(&mut work);
    assert!(refused.is_err());
}

#[test]
fn the_requests_of_a_checkpoint_follow_the_graph_however_many_go_at_once() {
    for limit in [1, 2, 16] {
        let world = World::asking(0, 1);
        let a = world.archive("a", files());
        let at = |kind| path(kind, TIP);
        a.once(&at(FileKind::History), [Fault::Cut]);
        a.once(&at(FileKind::Ledger), [Fault::Cut]);
        a.once(&at(FileKind::Transactions), [Fault::Cut, Fault::throttled(Some(100))]);
        let builder = HistoryWorkBuilder::new(archives(&[&a]), checkpoint(TIP), holding()).retrying(RETRY);
        let mut ids = None;
        let driven = drive(&world, &[&a], limit, |scheduler| ids = Some(builder.register(scheduler).unwrap()));
        let ids = ids.unwrap();
        for id in [
            Some(ids.history_archive_state),
            Some(ids.ledger_headers),
            Some(ids.transactions),
            Some(ids.tx_results),
            ids.scp_history,
            ids.buckets,
        ] {
            assert_eq!(driven.scheduler.state(id.unwrap()), Some(WorkState::Success));
        }
        let (has, ledger, transactions) = (at(FileKind::History), at(FileKind::Ledger), at(FileKind::Transactions));
        for bucket in all_buckets(&files(), TIP) {
            world.assert_in_order(&has, &bucket);
        }
        world.assert_in_order(&has, &ledger);
        world.assert_in_order(&has, &at(FileKind::Scp));
        world.assert_in_order(&ledger, &at(FileKind::Scp));
        world.assert_in_order(&ledger, &transactions);
        world.assert_in_order(&ledger, &at(FileKind::Results));
        world.assert_in_order(&transactions, &at(FileKind::Results));
        assert!(world.most_at_once() <= limit);
        assert_eq!(world.asked().into_iter().collect::<BTreeSet<_>>().len(), 5 + all_buckets(&files(), TIP).len());
    }
}

#[test]
fn what_depends_on_a_failed_item_never_starts_unless_faults_are_only_to_be_reported() {
    use FileKind::{History, Ledger, Results, Scp, Transactions};
    let cases: [(FileKind, &[FileKind], bool); 5] = [
        (History, &[Ledger, Transactions, Results, Scp], true),
        (Ledger, &[Transactions, Results, Scp], false),
        (Transactions, &[Results], false),
        (Results, &[], false),
        (Scp, &[], false),
    ];
    for (broken, dependents, buckets_too) in cases {
        // A fault of the file, and one of the way to it.
        for fault in [Fault::Serve(b"damaged".to_vec()), Fault::of(ReadErrorKind::Http(500))] {
            for reporting in [false, true] {
                let world = World::asking(0, 1);
                let a = world.archive("a", files());
                a.always(&path(broken, TIP), fault.clone());
                let (ids, driven) =
                    graph(
                        &world,
                        &[&a],
                        TIP,
                        &SharedHistoryState::default(),
                        |builder| if reporting { builder.reporting() } else { builder },
                    );
                let id = |kind| match kind {
                    History => ids.history_archive_state,
                    Ledger => ids.ledger_headers,
                    Transactions => ids.transactions,
                    Results => ids.tx_results,
                    Scp => ids.scp_history.unwrap(),
                };
                let asked = world.asked();
                for kind in FileKind::ALL {
                    let state = driven.scheduler.state(id(kind)).unwrap();
                    let wanted = match kind {
                        _ if reporting => WorkState::Success,
                        kind if kind == broken => WorkState::Failure,
                        kind if dependents.contains(&kind) => WorkState::Aborted,
                        _ => WorkState::Success,
                    };
                    assert_eq!(state, wanted, "{kind} with a broken {broken} file, reporting {reporting}");
                    assert_eq!(asked.contains(&path(kind, TIP)), state != WorkState::Aborted, "{kind} with a broken {broken} file");
                }
                let buckets = driven.scheduler.state(ids.buckets.unwrap()).unwrap();
                let asked_buckets = asked.iter().filter(|path| path.starts_with("bucket/")).count();
                // Without a state nobody knows of any bucket.
                let wanted = match (buckets_too, reporting) {
                    (true, false) => (WorkState::Aborted, 0),
                    (true, true) => (WorkState::Failure, 0),
                    (false, _) => (WorkState::Success, all_buckets(&files(), TIP).len()),
                };
                assert_eq!((buckets, asked_buckets), wanted, "buckets with a broken {broken} file, reporting {reporting}");
            }
        }
    }
}

#[test]
fn after_an_abort_nothing_is_asked_for_wherever_it_comes() {
    let with_buckets = 5 + all_buckets(&files(), TIP).len();
    for (limit, all) in [(1, with_buckets), (4, with_buckets), (16, with_buckets), (1, 5), (4, 5)] {
        for after in 1..=all {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            let (count, cancelled) = (Rc::new(Cell::new(0)), Rc::clone(&world.cancelled));
            *a.on_open.borrow_mut() = Some(Box::new(move |_| {
                count.set(count.get() + 1);
                if count.get() == after {
                    cancelled.set(true);
                }
            }));
            let state = holding();
            let builder = HistoryWorkBuilder::new(archives(&[&a]), checkpoint(TIP), state.clone()).retrying(RETRY);
            let builder = if all == with_buckets { builder } else { builder.without_buckets() };
            drive(&world, &[&a], limit, |scheduler| assert!(builder.register(scheduler).is_ok()));
            assert_eq!(world.asked().len(), after, "{limit} at once");
            assert_eq!(world.now(), 0, "nothing is waited for");
            assert_eq!(found(&state), [], "and nobody is accused");
            let built = build_checkpoint_data(&state);
            assert!(
                built.is_err(),
                "aborted at request {after} of {all}, {limit} at once, yet there are data: {} buckets",
                built.unwrap().buckets.len()
            );
        }
    }
}

// ---- what a checkpoint's work leaves

#[test]
fn data_are_moved_out_byte_for_byte_and_the_state_is_empty_afterwards() {
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    for last in [7, busy(), TIP] {
        let state = holding();
        graph(&world, &[&a], last, &state, |builder| builder);
        let data = build_checkpoint_data(&state).unwrap();
        assert_eq!(data.history_archive_state, state_at(&files(), last));
        assert!(data.history_json == files()[&path(FileKind::History, last)]);
        let of = |kind| records(&files()[&path(kind, last)]);
        assert!(data.headers == of(FileKind::Ledger));
        assert!(data.transactions == of(FileKind::Transactions));
        assert!(data.tx_results == of(FileKind::Results));
        assert!(data.scp_history == of(FileKind::Scp));
        assert!(!data.headers.is_empty() && !data.transactions.is_empty() && !data.tx_results.is_empty() && !data.scp_history.is_empty());
        let named: BTreeMap<_, _> =
            all_buckets(&files(), last).into_iter().map(|path| (ArchivePath::parse(&path).unwrap(), unzipped(&files()[&path]))).collect();
        let held: BTreeMap<_, _> =
            data.buckets.iter().map(|(bucket, content)| (ArchivePath::of_bucket(*bucket), content.clone())).collect();
        assert!(held == named);
        assert_eq!(decode::<LedgerHeaderHistoryEntry>(&data.headers).unwrap().len(), data.headers.len());
        assert_eq!(decode::<TransactionHistoryEntry>(&data.transactions).unwrap().len(), data.transactions.len());

        let left = state.lock();
        assert!(left.history().is_none() && left.headers().is_none() && left.stage().is_none() && left.files_done() == 0);
        drop(left);
        assert!(matches!(build_checkpoint_data(&state), Err(MissingData::NotDownloaded(_))), "they can be taken once");
    }
}

#[test]
fn data_come_without_what_was_not_wanted_and_without_an_scp_file_that_is_not_there() {
    let world = World::asking(0, 1);
    let mut a = world.archive("a", files());
    let state = holding();
    graph(&world, &[&a], TIP, &state, |builder| builder.without_buckets().without_scp());
    let data = build_checkpoint_data(&state).unwrap();
    assert!(data.buckets.is_empty() && data.scp_history.is_empty() && !data.headers.is_empty());
    a.files.remove(&path(FileKind::Scp, TIP));
    let state = holding();
    graph(&world, &[&a], TIP, &state, |builder| builder);
    let data = build_checkpoint_data(&state).unwrap();
    assert!(data.scp_history.is_empty() && !data.buckets.is_empty() && !data.headers.is_empty());
}

#[test]
fn data_of_several_archives_are_the_sound_ones() {
    for liar in 0..2 {
        let world = World::asking(liar, 2);
        let mut all = ["a", "b"].map(|name| world.archive(name, files()));
        // A signature, the hash of a transaction, a value.
        change_records(&mut all[liar].files, &path(FileKind::Transactions, TIP), |list| *list[0].last_mut().unwrap() ^= 1);
        change_records(&mut all[liar].files, &path(FileKind::Results, TIP), |list| list[0][20] ^= 1);
        all[liar].files.insert(path(FileKind::Scp, TIP), forged().files[&path(FileKind::Scp, TIP)].clone());
        all[liar].files.remove(&path(FileKind::Ledger, TIP));
        let state = holding();
        graph(&world, &all.iter().collect::<Vec<_>>(), TIP, &state, |builder| builder);
        let data = build_checkpoint_data(&state).unwrap();
        assert!(data.transactions == records(&files()[&path(FileKind::Transactions, TIP)]));
        assert!(data.tx_results == records(&files()[&path(FileKind::Results, TIP)]));
        assert!(data.headers == records(&files()[&path(FileKind::Ledger, TIP)]));
        assert!(data.scp_history == records(&files()[&path(FileKind::Scp, TIP)]));
    }
}

#[test]
fn there_are_no_data_of_faulty_or_unread_files_and_the_file_is_named() {
    let mut paths: Vec<_> = FileKind::ALL.into_iter().map(|kind| path(kind, TIP)).collect();
    paths.extend(all_buckets(&files(), TIP));
    for path in paths {
        for (fault, faulty) in [(Fault::Serve(b"damaged".to_vec()), true), (Fault::of(ReadErrorKind::Http(500)), false)] {
            for reporting in [false, true] {
                let world = World::asking(0, 1);
                let a = world.archive("a", files());
                a.always(&path, fault.clone());
                let state = holding();
                graph(&world, &[&a], TIP, &state, |builder| if reporting { builder.reporting() } else { builder });
                for _ in 0..2 {
                    // The state keeps what it has: asked again, the answer is the same.
                    match build_checkpoint_data(&state) {
                        Err(MissingData::Faulty(finding)) => {
                            assert_eq!((finding.path.as_str(), faulty, finding.archive.as_str()), (path.as_str(), true, "a"))
                        }
                        Err(MissingData::Unreadable(error)) => {
                            assert_eq!(
                                (error.path.as_ref().map(ArchivePath::as_str), faulty, error.archive.as_str()),
                                (Some(path.as_str()), false, "a")
                            );
                        }
                        other => panic!("{path}, faulty {faulty}, reporting {reporting}: {:?}", other.map(|data| data.buckets.len())),
                    }
                    assert!(build_checkpoint_data(&state).unwrap_err().to_string().contains(&path), "by name");
                }
            }
        }
    }
}

#[test]
fn there_are_no_data_of_work_that_never_ran_or_held_nothing() {
    assert!(matches!(build_checkpoint_data(&holding()), Err(MissingData::NotDownloaded("history"))));
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    for hold in [Hold::default(), Hold { records: false, buckets: true, stored: false }] {
        let state = SharedHistoryState::holding(hold);
        graph(&world, &[&a], TIP, &state, |builder| builder);
        assert!(matches!(build_checkpoint_data(&state), Err(MissingData::NotDownloaded(_))), "{hold:?}");
    }
}

#[test]
fn there_are_no_data_without_the_buckets_that_were_to_be_held() {
    // The graph ran without its buckets, though the state was to hold them.
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let state = SharedHistoryState::holding(Hold { records: true, buckets: false, stored: false });
    graph(&world, &[&a], TIP, &state, |builder| builder);
    assert!(build_checkpoint_data(&state).unwrap().buckets.is_empty(), "verified, and not held: nobody asked");
    let mut bad = world.archive("bad", files());
    let bucket = all_buckets(&files(), TIP).into_iter().next().unwrap();
    bad.files.remove(&bucket);
    let state = SharedHistoryState::holding(Hold { records: true, buckets: false, stored: false });
    graph(&world, &[&bad], TIP, &state, |builder| builder);
    let refused = build_checkpoint_data(&state).err().map(|error| error.to_string());
    assert!(
        refused.as_ref().is_some_and(|error| error.contains(&bucket)),
        "a bucket that is missing is a fault also when it is not held: {refused:?}"
    );
}

#[test]
fn progress_goes_through_the_stages() {
    use HistoryWorkStage as S;
    let stage_of = |path: &str| match path.split('/').next().unwrap() {
        "history" => S::FetchHistoryArchiveState,
        "bucket" => S::DownloadBuckets,
        "ledger" => S::DownloadLedgerHeaders,
        "transactions" => S::DownloadTransactions,
        "results" => S::DownloadTxResults,
        "scp" => S::DownloadScpHistory,
        other => panic!("{other}"),
    };
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    let state = holding();
    assert_eq!((get_progress(&state).stage, get_progress(&state).done), (None, 0));
    assert_eq!(get_progress(&state).message, "nothing was started yet");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (watched, list) = (state.clone(), Rc::clone(&seen));
    *a.on_open.borrow_mut() = Some(Box::new(move |path| list.borrow_mut().push((path.to_owned(), get_progress(&watched)))));
    let builder = HistoryWorkBuilder::new(archives(&[&a]), checkpoint(TIP), state.clone());
    drive(&world, &[&a], 1, |scheduler| assert!(builder.register(scheduler).is_ok()));
    let seen = seen.borrow();
    for (path, progress) in seen.iter() {
        assert_eq!(progress.stage, Some(stage_of(path)), "{path}");
        assert_eq!(progress.message, stage_of(path).to_string());
    }
    let mut stages: Vec<_> = seen.iter().filter_map(|(_, progress)| progress.stage).collect();
    stages.dedup();
    assert_eq!(stages.first(), Some(&S::FetchHistoryArchiveState));
    assert_eq!(stages.iter().map(|stage| stage.to_string()).collect::<BTreeSet<_>>().len(), 6);
    assert!(seen.iter().map(|(_, progress)| progress.done).is_sorted());
    let done: Vec<_> = seen.iter().map(|(_, progress)| progress.done).collect();
    assert_eq!(done, (0..seen.len() as u64).collect::<Vec<_>>(), "a file is counted when it is done, buckets as well");
    assert_eq!(get_progress(&state).done, 5 + all_buckets(&files(), TIP).len() as u64);
}

#[test]
fn a_state_is_shared_across_threads() {
    fn sound<T: Send + Sync + Clone>(_: &T) {}
    let state = holding();
    sound(&state);
    // The work runs in one thread, is watched from others, and is taken in one more.
    let worker = {
        let state = state.clone();
        std::thread::spawn(move || {
            let world = World::asking(0, 1);
            let a = world.archive("a", files());
            graph(&world, &[&a], TIP, &state, |builder| builder);
        })
    };
    let watchers: Vec<_> = (0..4)
        .map(|_| {
            let state = state.clone();
            std::thread::spawn(move || {
                let mut last = 0;
                while last < 5 {
                    let done = get_progress(&state).done;
                    assert!(done >= last, "it never goes back");
                    last = done;
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    worker.join().unwrap();
    watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
    let data = std::thread::spawn(move || build_checkpoint_data(&state)).join().unwrap().unwrap();
    assert_eq!(data.buckets.len(), all_buckets(&files(), TIP).len());
}

#[test]
fn a_thread_that_panics_with_the_state_in_its_hands_does_not_spoil_it_for_the_others() {
    let state = holding();
    let other = state.clone();
    let panicked = std::thread::spawn(move || {
        let _guard = other.lock();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    let world = World::asking(0, 1);
    let a = world.archive("a", files());
    graph(&world, &[&a], TIP, &state, |builder| builder);
    assert!(build_checkpoint_data(&state).is_ok());
}

// ---- several archives

fn run_options() -> RunOptions {
    let mut options = RunOptions::default();
    options.frequency = FREQUENCY;
    options.concurrency = 4.into();
    options.retry = RETRY;
    options
}

#[test]
fn only_over_a_network_and_only_without_a_number_of_the_callers_own_more_is_asked_for_at_once() {
    let adaptive = Concurrency::Adaptive { first: 2, most: 6 };
    let most = |remote, concurrency| {
        let world = World::asking(0, 1);
        let all = [world.archive("a", files())];
        all[0].remote.set(remote);
        let time = Rc::clone(&all[0].time);
        *all[0].on_open.borrow_mut() = Some(Box::new(move |_| time.now_ms.set(time.now_ms.get() + 30)));
        let mut options = run_options();
        options.concurrency = concurrency;
        assert_eq!(verify(&world, &all, &options).verdict, Verdict::Verified);
        world.most_at_once()
    };
    // A first round always gains.
    assert!((4..=6).contains(&most(true, adaptive)));
    assert_eq!(most(false, adaptive), 2);
    assert_eq!(most(true, Concurrency::Fixed(2)), 2);
}

fn readers(all: &[Scripted]) -> Vec<&dyn ArchiveReader> {
    all.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect()
}

fn try_verify(world: &World, all: &[Scripted], options: &RunOptions, mut watch: impl FnMut(&Event)) -> Result<Report, UsageError> {
    world.block_on(verify_archives(readers(all), world, options, &mut |event| watch(&event)))
}

/// Runs to the end and checks that the totals add up.
fn verify(world: &World, all: &[Scripted], options: &RunOptions) -> Report {
    let mut seen = 0;
    let report = try_verify(world, all, options, |event| seen += u32::from(matches!(event, Event::Checkpoint { .. }))).unwrap();
    if let (Some(range), None) = (report.range, options.sample) {
        let asked = u64::from((range.high.value() + 1) / 8 - range.low.value() / 8);
        assert!(report.totals.iter().all(|(kind, tally)| *kind == "bucket" || tally.total() == asked), "{:?}", report.totals);
        assert_eq!(u64::from(seen), asked, "every checkpoint is announced once");
    }
    report
}

fn as_json(report: &Report, without: &[&str]) -> Value {
    let mut json = serde_json::to_value(report).unwrap();
    let fields = json.as_object_mut().unwrap();
    for field in ["elapsedMs", "startedAt"].iter().chain(without) {
        fields.remove(*field).unwrap();
    }
    json
}

fn assert_same(left: &Value, right: &Value, what: &str) {
    for (field, value) in left.as_object().unwrap() {
        assert_eq!(Some(value), right.get(field), "{what}: {field}");
    }
    assert_eq!(left.as_object().unwrap().len(), right.as_object().unwrap().len(), "{what}");
}

fn summary(report: &Report) -> Vec<(String, String, String, Severity, Option<String>)> {
    let of = |finding: &stellar_archive_verifier::verify::finding::Finding| {
        (
            finding.code.as_str().to_owned(),
            finding.path.as_str().to_owned(),
            finding.archive.clone(),
            finding.severity,
            finding.good_from.clone(),
        )
    };
    report.findings.iter().map(of).collect()
}

fn all_verified(report: &Report) -> bool {
    report.totals.values().all(|tally| tally.total() == tally.verified && tally.total() > 0)
}

/// The history is verified, and exactly this archive is named and counted.
fn assert_blames(report: &Report, liar: &str, what: &str) {
    assert_eq!(report.verdict, Verdict::Verified, "{what}: {:?} {:?}", summary(report), report.errors);
    assert!(all_verified(report), "{what}: {:?}", report.totals);
    assert!(!report.findings.is_empty(), "{what}: nobody was found out");
    for (code, path, archive, severity, good_from) in summary(report) {
        assert_eq!((archive.as_str(), severity), (liar, Severity::Warning), "{what}: {code} of {path}");
        assert!(good_from.as_ref().is_some_and(|good| good != liar), "{what}: {code} of {path} is sound in {good_from:?}");
    }
    for source in &report.sources {
        assert_eq!(
            source.faulty + source.missing > 0,
            source.archive == liar,
            "{what}: {} is counted {} {}",
            source.archive,
            source.faulty,
            source.missing
        );
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Runs three archives of which each in turn is the liar, and is the first to be asked.
fn with_each_liar(what: &str, orders: &[Order], lie: impl Fn(&mut Files)) {
    for (liar, name) in NAMES.into_iter().enumerate() {
        for order in orders {
            let world = World::asking(liar, 3);
            let mut all = world.archives(NAMES);
            lie(&mut all[liar].files);
            let mut options = run_options();
            options.order = *order;
            let report = verify(&world, &all, &options);
            assert_blames(&report, name, &format!("{what}, {name} lies, {order:?}"));
        }
    }
}

/// Ends with a failure what would never end.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (ended, end) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = ended.send(());
    });
    if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(std::time::Duration::from_secs(300)) {
        panic!("the run does not come to an end");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

const OLDEST: [Order; 1] = [Order::OldestFirst];
const BOTH: [Order; 2] = [Order::OldestFirst, Order::NewestFirst];

#[test]
fn three_sound_archives_raise_nothing_and_no_file_is_read_twice() {
    for seed in 0..5 {
        let world = World::default();
        world.seed.set(seed);
        let all = world.archives(NAMES);
        let report = verify(&world, &all, &run_options());
        assert_eq!((report.verdict, summary(&report)), (Verdict::Verified, vec![]));
        assert!(all_verified(&report));
        let asked: Vec<_> = world.asked().into_iter().filter(|path| path != WELL_KNOWN).collect();
        let twice = asked.len() - asked.iter().collect::<BTreeSet<_>>().len();
        assert!(twice <= 1, "but for the look whether the archive begins at the first checkpoint: {twice}");
        for source in &report.sources {
            assert_eq!(source.requests, world.asked_of(&source.archive).len() as u64, "every request is counted");
            assert!(source.requests > 5, "all are asked: {:?}", report.sources);
            assert_eq!((source.faulty, source.missing, source.failures, source.throttled), (0, 0, 0, 0));
        }
    }
}

#[test]
fn who_flips_a_byte_of_a_file_of_any_kind_is_named() {
    for last in [7, 47, TIP] {
        for kind in [FileKind::Ledger, FileKind::Transactions, FileKind::Results, FileKind::Scp] {
            let file = path(kind, last);
            with_each_liar(&format!("{kind} of {last} damaged"), &OLDEST, |files| damage(files, &file));
            with_each_liar(&format!("{kind} of {last} cut off"), &OLDEST, |files| files.get_mut(&file).unwrap().truncate(40));
        }
        with_each_liar(&format!("a header of {last}"), &OLDEST, |files| {
            change_records(files, &path(FileKind::Ledger, last), |list| list[3][60] ^= 1)
        });
        with_each_liar(&format!("the last header of {last}"), &BOTH, |files| {
            change_records(files, &path(FileKind::Ledger, last), |list| list.last_mut().unwrap()[60] ^= 1);
        });
        with_each_liar(&format!("a signature of {last}"), &OLDEST, |files| {
            change_records(files, &path(FileKind::Transactions, last), |list| *list[0].last_mut().unwrap() ^= 1);
        });
        with_each_liar(&format!("a result of {last}"), &OLDEST, |files| {
            change_records(files, &path(FileKind::Results, last), |list| list[0][20] ^= 1)
        });
        with_each_liar(&format!("a vote of {last}"), &OLDEST, |files| {
            drop(files.insert(path(FileKind::Scp, last), forged().files[&path(FileKind::Scp, last)].clone()))
        });
        with_each_liar(&format!("the state of {last} is no JSON"), &OLDEST, |files| {
            files.get_mut(&path(FileKind::History, last)).unwrap()[0] ^= 1
        });
        with_each_liar(&format!("the state of {last} is of another ledger"), &OLDEST, |files| {
            change_json(files, &path(FileKind::History, last), |json| json["currentLedger"] = json!(79));
        });
    }
}

#[test]
fn who_changes_a_bucket_is_named() {
    for bucket in all_buckets(&files(), TIP) {
        with_each_liar(&format!("{bucket} damaged"), &OLDEST, |files| damage(files, &bucket));
        with_each_liar(&format!("{bucket} changed"), &OLDEST, |files| {
            let last = unzipped(&files[&bucket]).len() - 1;
            flip(files, &bucket, last);
        });
    }
}

#[test]
fn who_names_other_buckets_in_a_state_is_named() {
    for last in [7, 47, TIP] {
        // Another bucket that exists, as a state that was swapped would name it.
        with_each_liar(&format!("the state of {last} swaps two buckets"), &BOTH, |files| {
            change_json(files, &path(FileKind::History, last), |json| {
                let curr = json["currentBuckets"][0]["curr"].clone();
                json["currentBuckets"][0]["curr"] = json["currentBuckets"][1]["curr"].clone();
                json["currentBuckets"][1]["curr"] = curr;
            });
        });
    }
}

#[test]
fn who_forged_a_ledger_file_is_named_though_all_its_hashes_are_right() {
    in_time(|| {
        for last in [7, 47, TIP] {
            with_each_liar(&format!("ledger file of {last} forged"), &BOTH, |files| {
                let file = path(FileKind::Ledger, last);
                files.insert(file.clone(), forged().files[&file].clone());
            });
        }
    });
}

#[test]
fn who_forged_a_whole_checkpoint_is_named_though_its_files_agree() {
    in_time(|| {
        for last in [7, 47, TIP] {
            with_each_liar(&format!("checkpoint {last} forged"), &BOTH, |files| {
                for kind in FileKind::ALL {
                    files.insert(path(kind, last), forged().files[&path(kind, last)].clone());
                }
                files.extend(
                    forged().files.iter().filter(|(path, _)| path.starts_with("bucket/")).map(|(path, file)| (path.clone(), file.clone())),
                );
            });
        }
    });
}

#[test]
fn who_forged_some_checkpoints_in_a_row_is_named() {
    in_time(|| {
        with_each_liar("checkpoints 39 to 55 forged", &BOTH, |files| {
            for (last, kind) in [39, 47, 55].into_iter().flat_map(|last| FileKind::ALL.map(|kind| (last, kind))) {
                files.insert(path(kind, last), forged().files[&path(kind, last)].clone());
            }
            files.extend(
                forged().files.iter().filter(|(path, _)| path.starts_with("bucket/")).map(|(path, file)| (path.clone(), file.clone())),
            );
        });
    });
}

#[test]
fn who_forged_the_whole_history_is_outvoted() {
    in_time(|| {
        // Whoever is asked first: always the liar, or as the dice say.
        for (liar, name) in NAMES.into_iter().enumerate() {
            for (dice, seed) in [(true, 0), (false, 0), (false, 1), (false, 2)] {
                let world = if dice { World::asking(liar, 3) } else { World::default() };
                world.seed.set(seed);
                let mut all = world.archives(NAMES);
                all[liar].files = forged().files.clone();
                let report = verify(&world, &all, &run_options());
                let tip = Hash256::new(sample().tip_hash()).to_string();
                let what = format!("{name} has another history, always asked first: {dice}, seed {seed}");
                assert!(
                    report.claims.iter().any(|claim| claim.claim == "tip" && claim.statement.contains(&tip)),
                    "{what}: its tip was taken"
                );
                let honest: Vec<_> = summary(&report).into_iter().filter(|(_, _, archive, ..)| archive != name).collect();
                assert!(honest.is_empty(), "{what}: honest archives are accused {honest:?}");
            }
        }
    });
}

#[test]
fn one_liar_of_two_archives_is_named_as_well() {
    for (liar, name) in ["a", "b"].into_iter().enumerate() {
        for kind in FileKind::ALL {
            let world = World::asking(liar, 2);
            let mut all = ["a", "b"].map(|name| world.archive(name, files()));
            if kind == FileKind::History {
                all[liar].files.get_mut(&path(kind, 47)).unwrap()[0] ^= 1
            } else {
                damage(&mut all[liar].files, &path(kind, 47))
            }
            assert_blames(&verify(&world, &all, &run_options()), name, &format!("{kind} of {name}"));
        }
    }
}

#[test]
fn a_liar_is_found_out_whatever_the_dice_say_if_it_is_asked() {
    let file = path(FileKind::Results, 47);
    let mut found_out = 0;
    for seed in 0..20 {
        let world = World::default();
        world.seed.set(seed);
        let mut all = world.archives(NAMES);
        damage(&mut all[1].files, &file);
        let report = verify(&world, &all, &run_options());
        if world.who(&file).contains(&"b".to_owned()) {
            found_out += 1;
            assert_blames(&report, "b", &format!("seed {seed}"));
        } else {
            assert_eq!((report.verdict, summary(&report)), (Verdict::Verified, vec![]));
        }
    }
    assert!((2..15).contains(&found_out), "about one in three: {found_out}");
}

#[test]
fn who_lies_about_its_newest_state_is_named() {
    let lies: [(&str, fn(&mut Files)); 5] = [
        ("a page", |files| drop(files.insert(WELL_KNOWN.into(), b"<html></html>".to_vec()))),
        ("missing", |files| drop(files.remove(WELL_KNOWN))),
        ("no checkpoint", |files| change_json(files, WELL_KNOWN, |json| json["currentLedger"] = json!(90))),
        ("other buckets", |files| {
            change_json(files, WELL_KNOWN, |json| json["currentBuckets"][1]["curr"] = json["currentBuckets"][0]["curr"].clone())
        }),
        ("another version", |files| change_json(files, WELL_KNOWN, |json| json["version"] = json!(9))),
    ];
    for (what, lie) in lies {
        with_each_liar(what, &OLDEST, lie);
    }
}

#[test]
fn who_claims_a_far_future_does_not_decide_how_far_the_run_goes() {
    for (liar, name) in NAMES.into_iter().enumerate() {
        let world = World::asking(liar, 3);
        let mut all = world.archives(NAMES);
        change_json(&mut all[liar].files, WELL_KNOWN, |json| json["currentLedger"] = json!(80_007));
        let report = verify(&world, &all, &run_options());
        assert_eq!((report.verdict, report.range.map(|range| range.high.value())), (Verdict::Verified, Some(TIP)));
        assert!(all_verified(&report) && report.findings.iter().all(|finding| finding.archive == name));
        assert!(world.asked().len() < 150, "no request for every ledger that was claimed: {}", world.asked().len());
    }
}

#[test]
fn what_one_archive_has_not_comes_from_another_and_it_is_said() {
    let mut paths: Vec<_> = FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Scp).map(|kind| path(kind, 47)).collect();
    paths.extend(all_buckets(&files(), TIP).into_iter().take(2));
    for file in &paths {
        with_each_liar(&format!("{file} missing"), &OLDEST, |files| drop(files.remove(file)));
    }
    let world = World::asking(0, 3);
    let mut all = world.archives(NAMES);
    all[0].files.retain(|path, _| path.starts_with("history/") || path == WELL_KNOWN);
    let report = verify(&world, &all, &run_options());
    assert_eq!(report.verdict, Verdict::Verified, "{:?}", summary(&report));
    assert!(all_verified(&report), "scp files as well, which need not be there: {:?}", report.totals);
    let missing: Vec<_> = report.sources.iter().map(|source| source.missing).collect();
    assert_eq!((missing[0] >= 12 * 3, &missing[1..]), (true, &[0, 0][..]), "{missing:?}");
}

#[test]
fn what_all_archives_lack_is_faulty_and_the_rest_is_verified() {
    let bucket = bucket_paths(&files(), TIP, "currentBuckets").into_iter().next().unwrap();
    for (kind, file) in [
        ("history", path(FileKind::History, 47)),
        ("transactions", path(FileKind::Transactions, 47)),
        ("results", path(FileKind::Results, 47)),
        ("bucket", bucket),
    ] {
        let world = World::default();
        let mut all = world.archives(NAMES);
        all.iter_mut().for_each(|archive| drop(archive.files.remove(&file)));
        let report = verify(&world, &all, &run_options());
        assert_eq!(report.verdict, Verdict::Faulty, "{kind}");
        for (other, tally) in &report.totals {
            assert_eq!((tally.faulty, tally.unchecked), (u64::from(*other == kind), 0), "{other} without a {kind} file");
        }
        let accused: BTreeSet<_> = report.findings.iter().map(|finding| finding.archive.as_str()).collect();
        assert_eq!(accused, NAMES.into(), "{kind}: each of them");
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.path.as_str() == file && finding.severity == Severity::Error && finding.good_from.is_none())
        );
        assert!(report.sources.iter().all(|source| (source.missing, source.faulty) == (1, 0)), "{kind}: {:?}", report.sources);
    }
    // Without headers the files that need them cannot be held against anything.
    let world = World::default();
    let mut all = world.archives(NAMES);
    all.iter_mut().for_each(|archive| drop(archive.files.remove(&path(FileKind::Ledger, 47))));
    let report = verify(&world, &all, &run_options());
    assert_eq!(report.verdict, Verdict::Faulty);
    let tallies: Vec<_> = ["ledger", "transactions", "results", "scp"]
        .iter()
        .map(|kind| (report.totals[kind].verified, report.totals[kind].faulty, report.totals[kind].unchecked))
        .collect();
    assert_eq!(tallies, [(11, 1, 0), (11, 0, 1), (11, 0, 1), (11, 0, 1)]);
}

#[test]
fn what_no_archive_delivers_is_unchecked_with_the_reason_and_the_rest_is_verified() {
    let bucket = bucket_paths(&files(), TIP, "currentBuckets").into_iter().next().unwrap();
    let mut cases: Vec<_> =
        [FileKind::History, FileKind::Transactions, FileKind::Results, FileKind::Scp].map(|kind| (kind.name(), path(kind, 47))).into();
    cases.push(("bucket", bucket));
    for (kind, file) in cases {
        let world = World::default();
        let all = world.archives(NAMES);
        all.iter().for_each(|archive| archive.always(&file, Fault::of(ReadErrorKind::Http(500))));
        let report = verify(&world, &all, &run_options());
        assert_eq!((report.verdict, summary(&report)), (Verdict::Incomplete, vec![]), "{kind}");
        for (other, tally) in &report.totals {
            assert_eq!((tally.faulty, tally.unchecked), (0, u64::from(*other == kind)), "{other} without a {kind} file");
        }
        let unchecked: Vec<_> = report.unchecked.iter().map(|unchecked| (unchecked.kind, unchecked.reason, unchecked.count)).collect();
        assert_eq!(unchecked, [(kind, "the file could not be read", 1)]);
        assert_eq!(
            report.errors.iter().map(|error| error.path.as_ref().map(ArchivePath::as_str)).collect::<Vec<_>>(),
            [Some(file.as_str())]
        );
        assert_eq!(world.who(&file).len(), 12, "each of three archives four times");
        assert_eq!(report.sources.iter().map(|source| source.failures).sum::<u64>(), 12);
    }
}

#[test]
fn an_archive_of_another_network_is_left_out() {
    let other = sample_archive::make(&Config {
        passphrase: "Another Network".into(),
        ledgers: LEDGERS,
        frequency: Frequency::Accelerated,
        ..Config::default()
    });
    for stranger in 0..3 {
        let world = World::asking(stranger, 3);
        let mut all = world.archives(NAMES);
        all[stranger].files = other.files.clone();
        let report = verify(&world, &all, &run_options());
        assert_eq!(report.verdict, Verdict::Verified, "{:?}", summary(&report));
        assert!(all_verified(&report));
        assert_eq!(report.network.passphrase.as_deref(), Some(PASSPHRASE));
        assert!(world.asked_of(NAMES[stranger]).iter().all(|path| path == WELL_KNOWN), "{:?}", world.asked_of(NAMES[stranger]));
        assert_eq!(
            summary(&report).into_iter().map(|(code, _, archive, ..)| (code, archive)).collect::<Vec<_>>(),
            [("has-passphrase-mismatch".into(), NAMES[stranger].into())]
        );
    }
    // One against one: nobody can tell who is meant.
    let world = World::default();
    let all = [world.archive("a", files()), world.archive("b", other.files.clone())];
    let refused = try_verify(&world, &all, &run_options(), |_| {}).unwrap_err();
    assert!(refused.to_string().contains("different networks"), "{refused}");
    let mut options = run_options();
    options.network = Some(Network::from_passphrase("Another Network"));
    let report = verify(&world, &all, &options);
    assert_eq!((report.verdict, report.findings[0].archive.as_str()), (Verdict::Verified, "a"));
}

/// The files of an archive that ends earlier.
fn ending_at(tip: u32) -> Files {
    let mut all = files();
    let kept: BTreeSet<_> = (7..=tip).step_by(8).flat_map(|last| all_buckets(&all, last)).collect();
    let newer = |path: &str| {
        path.rsplit('-').next().and_then(|name| u32::from_str_radix(name.split('.').next()?, 16).ok()).is_some_and(|last| last > tip)
    };
    let root = all[&path(FileKind::History, tip)].clone();
    all.retain(|path, _| if path.starts_with("bucket/") { kept.contains(path) } else { !newer(path) || path == WELL_KNOWN });
    all.insert(WELL_KNOWN.into(), root);
    all
}

#[test]
fn an_archive_that_lags_is_said_to_and_not_asked_for_what_it_cannot_have() {
    for lagging in 0..3 {
        let world = World::asking(lagging, 3);
        let mut all = world.archives(NAMES);
        all[lagging].files = ending_at(47);
        let report = verify(&world, &all, &run_options());
        let note = report.notes.iter().find(|note| note.code == "archive-lags").unwrap();
        assert!(note.message.contains(NAMES[lagging]) && note.message.contains("47"), "{}", note.message);
        assert_eq!((report.verdict, report.range.map(|range| range.high.value())), (Verdict::Verified, Some(TIP)));
        assert!(all_verified(&report));
        let asked = world.asked_of(NAMES[lagging]);
        for last in (55..=TIP).step_by(8) {
            assert!(!asked.iter().any(|path| path.contains(&format!("-{last:08x}."))), "asked for checkpoint {last}");
        }
        assert!(asked.len() > 6 * 5, "but for what it has");
        assert!(
            asked.iter().all(|path| all[lagging].files.contains_key(path)),
            "buckets as well: {:?}",
            asked.iter().filter(|path| !all[lagging].files.contains_key(*path)).collect::<Vec<_>>()
        );
        assert_eq!(summary(&report), [], "who lags is not to blame for it");
    }
}

#[test]
fn the_tip_is_read_once_and_pinned_to_what_half_of_the_archives_announce() {
    let cases: [(&[u32], u32); 9] = [
        (&[47], 47),
        (&[47, TIP], TIP),
        (&[TIP, 47], TIP),
        (&[47, 47], 47),
        (&[47, 63, TIP], 63),
        (&[TIP, 47, 63], 63),
        (&[TIP, TIP, 47], TIP),
        (&[47, 47, TIP], 47),
        (&[63, TIP, TIP], TIP),
    ];
    for (tips, pinned) in cases {
        let world = World::default();
        let all: Vec<_> = tips.iter().zip(NAMES).map(|(tip, name)| world.archive(name, ending_at(*tip))).collect();
        let report = verify(&world, &all, &run_options());
        assert_eq!(report.range.map(|range| range.high.value()), Some(pinned), "{tips:?}");
        assert_eq!(report.verdict, Verdict::Verified, "{tips:?}: {:?}", summary(&report));
        assert!(
            world.asked().iter().all(|path| (pinned + 8..=TIP).step_by(8).all(|last| !path.contains(&format!("-{last:08x}.")))),
            "{tips:?}: nothing newer is read"
        );
        assert_eq!(
            report.sources.iter().map(|source| source.ledger.map(LedgerSeq::value)).collect::<Vec<_>>(),
            tips.iter().copied().map(Some).collect::<Vec<_>>()
        );
        for name in &NAMES[..tips.len()] {
            assert_eq!(world.asked_of(name).iter().filter(|path| *path == WELL_KNOWN).count(), 2, "once at the start, once in the end");
        }
    }
}

#[test]
fn a_tip_that_advances_during_the_run_is_said_and_changes_nothing() {
    for of in 1..=3usize {
        let world = World::asking(0, of);
        let all: Vec<_> = NAMES[..of].iter().map(|name| world.archive(name, files())).collect();
        let older = files()[&path(FileKind::History, 63)].clone();
        all.iter().for_each(|archive| archive.once(WELL_KNOWN, [Fault::Serve(older.clone())]));
        let report = verify(&world, &all, &run_options());
        assert_eq!((report.verdict, report.range.map(|range| range.high.value()), summary(&report)), (Verdict::Verified, Some(63), vec![]));
        assert_eq!(report.notes.iter().filter(|note| note.code == "archive-advanced").count(), of);
        assert!(
            report.sources.iter().all(|source| (source.ledger, source.end_ledger) == (Some(LedgerSeq::new(63)), Some(LedgerSeq::new(TIP))))
        );
    }
}

#[test]
fn an_archive_that_cannot_be_reached_does_not_keep_the_others_from_being_enough() {
    for dead in 0..3 {
        for kind in [ReadErrorKind::Network, ReadErrorKind::Http(500), ReadErrorKind::Timeout] {
            let world = World::asking(dead, 3);
            let all = world.archives(NAMES);
            files().keys().for_each(|path| all[dead].always(path, Fault::of(kind)));
            let report = verify(&world, &all, &run_options());
            assert_eq!((report.verdict, summary(&report)), (Verdict::Verified, vec![]));
            assert!(report.notes.iter().any(|note| note.code == "archive-unreachable" && note.message.contains(NAMES[dead])));
            assert!(world.asked_of(NAMES[dead]).iter().all(|path| path == WELL_KNOWN), "it is not asked for a file");
        }
    }
}

#[test]
fn an_archive_that_fails_from_some_moment_on_is_asked_less() {
    let world = World::default();
    let all = world.archives(NAMES);
    files().keys().filter(|path| *path != WELL_KNOWN).for_each(|path| all[2].always(path, Fault::of(ReadErrorKind::Http(500))));
    let report = verify(&world, &all, &run_options());
    assert_eq!((report.verdict, summary(&report), report.errors.len()), (Verdict::Verified, vec![], 0));
    let asked: Vec<_> = NAMES.iter().map(|name| world.asked_of(name).len()).collect();
    assert!(asked[2] * 2 < asked[0] && asked[2] * 2 < asked[1], "{asked:?}");
    let source = &report.sources[2];
    assert_eq!(source.failures, source.requests - 2, "{source:?}");
}

#[test]
fn a_sample_is_the_same_for_the_same_seed_and_its_seed_is_said() {
    let run = |seed: Option<u64>, dice: u64| {
        let world = World::default();
        world.seed.set(dice);
        let all = world.archives(NAMES);
        let mut options = run_options();
        (options.sample, options.seed) = (Some(4), seed.map(Seed));
        let report = verify(&world, &all, &options);
        assert_eq!((report.verdict, summary(&report)), (Verdict::Verified, vec![]));
        let read: BTreeSet<_> = world.asked().into_iter().filter(|path| path.starts_with("results/")).collect();
        let sample = report.options.sample.clone().unwrap();
        assert_eq!((sample.count, sample.of, read.len()), (4, 12, 4));
        assert_eq!(report.totals["results"].total(), 4);
        assert_ne!(
            report.claims.iter().find(|claim| claim.claim == "chain").unwrap().status,
            "verified",
            "nothing ties them to each other"
        );
        (read, sample.seed, as_json(&report, &["sources"]))
    };
    let (first, seed, report) = run(Some(42), 1);
    let (second, _, again) = run(Some(42), 2);
    assert_eq!((seed, &first), (Seed(42), &second));
    assert_same(&report, &again, "the same seed");
    assert_ne!(first, run(Some(43), 1).0);
    // A seed that was drawn is said, and draws the same again.
    let (drawn, seed, _) = run(None, 3);
    assert_eq!(drawn, run(Some(seed.0), 9).0);
}

/// An archive with a fault of every sort.
fn faulty_archive(world: &World, name: &str) -> Scripted {
    let mut archive = world.archive(name, files());
    change_records(&mut archive.files, &path(FileKind::Ledger, 15), |list| list[3][60] ^= 1);
    let file = path(FileKind::Ledger, 31);
    archive.files.insert(file.clone(), forged().files[&file].clone());
    archive.files.remove(&path(FileKind::Transactions, 39));
    archive.files.remove(&path(FileKind::Scp, 39));
    change_records(&mut archive.files, &path(FileKind::Results, 47), |list| list[0][20] ^= 1);
    archive.files.get_mut(&path(FileKind::History, 55)).unwrap()[0] ^= 1;
    damage(&mut archive.files, &path(FileKind::Scp, 63));
    let buckets: Vec<_> = all_buckets(&archive.files, 71).into_iter().collect();
    archive.files.remove(&buckets[0]);
    damage(&mut archive.files, &buckets[1]);
    archive.always(&path(FileKind::Results, 79), Fault::of(ReadErrorKind::Http(500)));
    archive
}

#[test]
fn newest_first_gives_the_report_of_oldest_first() {
    in_time(|| {
        let run = |order, several: bool, faulty: bool| {
            let world = World::asking(0, if several { 3 } else { 1 });
            let mut all = vec![if faulty { faulty_archive(&world, "a") } else { world.archive("a", files()) }];
            if several {
                all.extend(["b", "c"].map(|name| world.archive(name, files())));
            }
            let mut options = run_options();
            options.order = order;
            let report = verify(&world, &all, &options);
            assert_eq!(
                serde_json::to_value(report.options.order).unwrap(),
                if order == Order::NewestFirst { "newest-first" } else { "oldest-first" }
            );
            report
        };
        for (several, faulty) in [(false, false), (false, true), (true, false), (true, true)] {
            let up = run(Order::OldestFirst, several, faulty);
            let down = run(Order::NewestFirst, several, faulty);
            let mut left = as_json(&up, &["options"]);
            let mut right = as_json(&down, &["options"]);
            if several && faulty {
                // Which copies are compared depends on who was asked first.
                for json in [&mut left, &mut right] {
                    ["sources", "bytes", "metrics", "findings"].iter().for_each(|field| drop(json.as_object_mut().unwrap().remove(*field)));
                }
                let blamed = |report: &Report| {
                    report
                        .findings
                        .iter()
                        .map(|finding| (finding.path.as_str().to_owned(), finding.archive.clone()))
                        .collect::<BTreeSet<_>>()
                };
                assert_eq!(blamed(&up), blamed(&down));
                assert_blames(&down, "a", "newest first");
            }
            assert_same(&left, &right, &format!("several {several}, faulty {faulty}"));
            assert_eq!(up.verdict, if faulty && !several { Verdict::Faulty } else { Verdict::Verified }, "{:?}", summary(&up));
        }
    });
}

// ---- runs that are interrupted and go on

/// Runs until so many checkpoints were announced; gives the last state and, if the run came to its end, the report.
fn interrupted(world: &World, all: &[Scripted], options: &RunOptions, after: usize) -> (String, Report) {
    let (mut state, mut seen) = (String::new(), 0);
    let mut options = options.clone();
    options.save_state = true;
    let report = try_verify(world, all, &options, |event| match event {
        Event::Checkpoint { .. } => {
            seen += 1;
            world.cancelled.set(world.cancelled.get() || seen == after);
        }
        Event::State { state: json, .. } => state.clone_from(json),
        _ => {}
    });
    world.cancelled.set(false);
    (state, report.unwrap())
}

fn resuming(options: &RunOptions, state: &str) -> RunOptions {
    let mut options = options.clone();
    options.resume = Some(state.to_owned());
    options
}

#[test]
fn an_interrupted_run_goes_on_and_its_report_is_that_of_one_that_was_not() {
    for faulty in [false, true] {
        for (order, sample) in [(Order::OldestFirst, None), (Order::NewestFirst, None), (Order::OldestFirst, Some(5))] {
            let mut options = run_options();
            (options.order, options.sample, options.seed) = (order, sample, sample.map(|_| Seed(5)));
            let make = |world: &World| vec![if faulty { faulty_archive(world, "a") } else { world.archive("a", files()) }];
            let world = World::asking(0, 1);
            let whole = as_json(&verify(&world, &make(&world), &options), &[]);
            for after in 1..=sample.unwrap_or(12) as usize {
                let world = World::asking(0, 1);
                let all = make(&world);
                let (state, partial) = interrupted(&world, &all, &options, after);
                assert_ne!(partial.verdict, Verdict::Verified, "it says that it was stopped");
                let resumed = try_verify(&world, &all, &resuming(&options, &state), |_| {}).unwrap();
                assert_same(&whole, &as_json(&resumed, &[]), &format!("faulty {faulty}, {order:?}, sample {sample:?}, after {after}"));
            }
        }
    }
}

#[test]
fn a_run_may_be_interrupted_again_and_again() {
    let options = run_options();
    let world = World::asking(0, 1);
    let whole = as_json(&verify(&world, &[faulty_archive(&world, "a")], &options), &[]);
    let world = World::asking(0, 1);
    let all = [faulty_archive(&world, "a")];
    let (mut state, _) = interrupted(&world, &all, &options, 1);
    for _ in 0..15 {
        (state, _) = interrupted(&world, &all, &resuming(&options, &state), 1);
    }
    let resumed = try_verify(&world, &all, &resuming(&options, &state), |_| {}).unwrap();
    assert_same(&whole, &as_json(&resumed, &[]), "fifteen times");
}

#[test]
fn a_run_of_several_archives_goes_on_with_its_blame() {
    in_time(|| {
        for liar in [false, true] {
            let make = |world: &World| {
                let mut all = world.archives(NAMES);
                if liar {
                    all[1].files = faulty_archive(world, "b").files;
                }
                all
            };
            let options = run_options();
            let world = World::asking(1, 3);
            let whole = verify(&world, &make(&world), &options);
            for after in 1..=12 {
                let world = World::asking(1, 3);
                let all = make(&world);
                let (state, _) = interrupted(&world, &all, &options, after);
                let resumed = try_verify(&world, &all, &resuming(&options, &state), |_| {}).unwrap();
                assert_same(&as_json(&whole, &[]), &as_json(&resumed, &[]), &format!("liar {liar}, after {after}"));
            }
        }
    });
}

#[test]
fn cancelled_anywhere_a_run_goes_on() {
    // A host that is cancelled at any look at the flag, not only between checkpoints.
    let world = World::asking(0, 1);
    let all = [faulty_archive(&world, "a")];
    let mut options = run_options();
    options.save_state = true;
    let run = |host: &TestHost, options: &RunOptions| {
        let mut states = Vec::new();
        let report = futures_executor::block_on(verify_archives(readers(&all), host, options, &mut |event| {
            if let Event::State { state, .. } = event {
                states.push(state);
            }
        }));
        (report.unwrap(), states)
    };
    let host = TestHost::default();
    host.cancel_after.set(Some(u64::MAX));
    let (whole, states) = run(&host, &options);
    let looks = u64::MAX - host.cancel_after.get().unwrap();
    let whole = as_json(&whole, &[]);
    // Every state that is written while the run goes on is as good, when the run is killed without a warning.
    assert!(!states.is_empty());
    for state in states {
        assert_same(&whole, &as_json(&run(&TestHost::default(), &resuming(&options, &state)).0, &[]), "killed");
    }
    let mut resumed = 0;
    for after in (0..looks).step_by(usize::try_from(looks / 60).unwrap().max(1)) {
        let host = TestHost::default();
        host.cancel_after.set(Some(after));
        let (_, states) = run(&host, &options);
        // Before the range is known there is nothing to go on from.
        let Some(state) = states.last() else { continue };
        resumed += 1;
        assert_same(
            &whole,
            &as_json(&run(&TestHost::default(), &resuming(&options, state)).0, &[]),
            &format!("cancelled at look {after} of {looks}"),
        );
    }
    assert!(resumed > 20, "{resumed}");
}

/// A state from the middle of a run over an archive with faults.
fn middle_state() -> (World, [Scripted; 1], RunOptions, String) {
    let world = World::asking(0, 1);
    let all = [faulty_archive(&world, "a")];
    let options = run_options();
    let (state, _) = interrupted(&world, &all, &options, 8);
    (world, all, options, state)
}

#[test]
fn a_state_of_another_run_is_refused_with_what_differs() {
    let (world, all, options, state) = middle_state();
    let refusal = |change: &dyn Fn(&mut RunOptions)| {
        let mut options = resuming(&options, &state);
        change(&mut options);
        world.log.borrow_mut().clear();
        let refused = try_verify(&world, &all, &options, |_| {}).map(|report| report.verdict);
        assert_eq!(world.asked(), Vec::<String>::new(), "refused before anything is read");
        refused.expect_err("it is of another run").to_string()
    };
    let cases: Vec<(&str, Box<dyn Fn(&mut RunOptions)>)> = vec![
        ("lowest ledger", Box::new(|options| options.low = Some(LedgerSeq::new(8)))),
        ("highest ledger", Box::new(|options| options.high = Some(LedgerSeq::new(TIP)))),
        ("last ledgers", Box::new(|options| options.last = Some(16))),
        ("order", Box::new(|options| options.order = Order::NewestFirst)),
        ("sample", Box::new(|options| options.sample = Some(3))),
        ("deep", Box::new(|options| options.deep = true)),
        ("scp", Box::new(|options| options.skip_optional = true)),
        ("buckets", Box::new(|options| options.skip_buckets = true)),
        ("frequency", Box::new(|options| options.frequency = CheckpointFrequency::Standard)),
        ("network", Box::new(|options| options.network = Some(Network::from_passphrase("another")))),
        ("quorum set", Box::new(|options| options.trust.believed = Believed::from_name_or_json("testnet").ok())),
        ("trusted hashes", Box::new(|options| assert!(options.trust.hashes.add(LedgerSeq::new(7), Hash256::ZERO)))),
        ("all signatures", Box::new(|options| options.trust.all_signatures = true)),
    ];
    for (what, change) in cases {
        let refused = refusal(&*change);
        assert!(refused.contains(what) && refused.contains("another run"), "{what}: {refused}");
    }
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut json: Value = serde_json::from_str(&state).unwrap();
        change(&mut json);
        refusal(&|options| options.resume = Some(json.to_string()))
    };
    assert!(changed(&|json| json["schema"] = json!(1)).contains("schema"));
    assert!(changed(&|json| json["head"]["request"]["verifier"] = json!("0.0.1")).contains("verifier version"));
    assert!(changed(&|json| json["head"]["request"]["archives"] = json!(["b"])).contains("archives"));
    assert!(changed(&|json| json["head"]["roots"] = json!([])).contains("newest state"));
    for damaged in ["", "{}", "null", "[]", "\"\"", "{\"schema\":3}", &state[..state.len() / 2], &state[1..], &format!("{state}x")] {
        let refused = refusal(&|options| options.resume = Some(damaged.to_owned()));
        assert!(refused.contains("cannot be read") && refused.contains("start again"), "{refused}");
    }
    // The network that was found out is the one that is named now: the same run.
    let mut same = resuming(&options, &state);
    same.network = Some(Network::from_passphrase(PASSPHRASE));
    assert!(try_verify(&world, &all, &same, |_| {}).is_ok());
    // Other archives.
    let other = [world.archive("b", files())];
    assert!(try_verify(&world, &other, &resuming(&options, &state), |_| {}).unwrap_err().to_string().contains("list of archives"));
    let more = [world.archive("a", files()), world.archive("b", files())];
    assert!(try_verify(&world, &more, &resuming(&options, &state), |_| {}).unwrap_err().to_string().contains("list of archives"));
    // A sample's seed.
    let mut options = run_options();
    (options.sample, options.seed) = (Some(5), Some(Seed(5)));
    let (state, _) = interrupted(&world, &all, &options, 2);
    let mut other = resuming(&options, &state);
    other.seed = Some(Seed(6));
    assert!(try_verify(&world, &all, &other, |_| {}).unwrap_err().to_string().contains("seed"));
    other.seed = None;
    assert!(try_verify(&world, &all, &other, |_| {}).is_ok(), "a seed that is not said may be the one that was drawn");
}

/// The places of a JSON value: at most three of each list, which are alike.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => list.iter().enumerate().take(3).for_each(|(index, value)| places(value, &format!("{at}/{index}"), found)),
        Value::Object(fields) => {
            // Maps by hash are alike as well.
            let few = if fields.keys().all(|name| name.len() == 64) { 3 } else { fields.len() };
            fields
                .iter()
                .take(few)
                .for_each(|(name, value)| places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found));
        }
        _ => {}
    }
}

fn remove(json: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(name)),
        Value::Array(list) => drop(list.remove(name.parse().unwrap())),
        _ => panic!("{place}"),
    }
}

#[test]
fn a_state_that_was_tampered_with_never_makes_a_run_panic() {
    in_time(|| {
        let (world, all, options, state) = middle_state();
        let json: Value = serde_json::from_str(&state).unwrap();
        let mut all_places = Vec::new();
        places(&json, "", &mut all_places);
        let values = [json!(null), json!(0), json!(u64::MAX), json!("x"), json!([])];
        let asked = Rc::new(Cell::new(0));
        let (count, cancelled) = (Rc::clone(&asked), Rc::clone(&world.cancelled));
        // A range of a million checkpoints is none of the state's faults: it is stopped.
        *all[0].on_open.borrow_mut() = Some(Box::new(move |_| {
            count.set(count.get() + 1);
            cancelled.set(cancelled.get() || count.get() > 80);
        }));
        let mut panics = BTreeMap::new();
        let mut runs = 0;
        for place in &all_places[1..] {
            let deleted = std::iter::once(None);
            for value in deleted.chain(values.iter().map(Some)) {
                let mut other = json.clone();
                match value {
                    None => remove(&mut other, place),
                    Some(value) => *other.pointer_mut(place).unwrap() = value.clone(),
                }
                let options = resuming(&options, &other.to_string());
                asked.set(0);
                world.cancelled.set(false);
                world.log.borrow_mut().clear();
                let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let _ = try_verify(&world, &all, &options, |_| {});
                }));
                runs += 1;
                if let Err(panic) = run {
                    let text =
                        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    panics.entry(text.unwrap_or_default()).or_insert_with(Vec::new).push(format!("{place} = {value:?}"));
                }
            }
        }
        let said: Vec<_> = panics
            .iter()
            .map(|(text, places)| format!("{} times \"{text}\", such as {:?}", places.len(), &places[..places.len().min(6)]))
            .collect();
        assert!(panics.is_empty(), "of {runs} tampered states:\n{}", said.join("\n"));
    });
}
