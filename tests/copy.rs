//! Mirrors and repairs: what is written, in which order, what is refused, and what a run that ends at any moment leaves.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{TestHost, options};
use futures_util::future::{LocalBoxFuture, ready};
use sample_archive::Config;
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::{ReadError, WriteError, WriteErrorKind};
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::file::BodyCoding;
use stellar_archive_verifier::driver::copy::CopyOptions;
use stellar_archive_verifier::driver::mirror::{MirrorOptions, mirror_archive};
use stellar_archive_verifier::driver::repair::{RepairOptions, repair_archive};
use stellar_archive_verifier::driver::{UsageError, verify_archive};
use stellar_archive_verifier::historywork::copying::{CopyOutcome, Problem};
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::report::copy::{CopyReport, CopyVerdict, WellKnownStatus};
use stellar_archive_verifier::transport::memory::MemoryArchiveWriter;
use stellar_archive_verifier::transport::{ArchiveReader, ArchiveWriter, Body};

type Files = BTreeMap<String, Vec<u8>>;

const WELL_KNOWN: &str = ".well-known/stellar-history.json";

/// Five checkpoints of a made-up network.
fn sample() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| sample_archive::make(&Config { ledgers: 320, ..Config::default() }).files)
}

fn path_of(kind: FileKind, last: u32) -> String {
    ArchivePath::of_checkpoint(kind, CheckpointFrequency::Standard.containing(LedgerSeq::new(last))).as_str().to_owned()
}

/// The archive as it was when it had come to a checkpoint: its newest state is that checkpoint's.
fn up_to(last: u32) -> Files {
    let mut files = sample().clone();
    let last_of = |path: &String| path.rsplit_once('-').and_then(|(_, name)| u32::from_str_radix(name.get(..8)?, 16).ok());
    files.retain(|path, _| path.contains("bucket") || path == WELL_KNOWN || last_of(path).is_some_and(|of| of <= last));
    files.insert(WELL_KNOWN.into(), sample()[&path_of(FileKind::History, last)].clone());
    files
}

/// The path of a bucket of the newest state.
fn a_bucket() -> String {
    sample().keys().find(|path| path.starts_with("bucket/")).unwrap().clone()
}

/// A source with a name and a fault or two.
struct Source {
    name: &'static str,
    files: Files,
    /// Bodies come inflated, as some servers send them.
    inflates: bool,
    /// After so many files it delivers rubbish.
    turns_after: Cell<Option<u64>>,
}

fn source(name: &'static str, files: Files) -> Source {
    Source { name, files, inflates: false, turns_after: Cell::new(None) }
}

impl ArchiveReader for Source {
    fn name(&self) -> &str {
        self.name
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        use stellar_archive_verifier::archive::error::ReadErrorKind;
        let Some(bytes) = self.files.get(path.as_str()) else {
            return Box::pin(ready(Err(ReadError::new(ReadErrorKind::NotFound, "there is no such file"))));
        };
        let mut bytes = bytes.clone();
        if let Some(left) = self.turns_after.get() {
            self.turns_after.set(Some(left.saturating_sub(1)));
            if left == 0 && path.as_str().ends_with(".gz") {
                bytes = spoiled(&bytes);
            }
        }
        let mut coding = BodyCoding::AsStored;
        if self.inflates && path.as_str().ends_with(".gz") {
            (bytes, coding) = (inflated(&bytes), BodyCoding::MaybeDecoded);
        }
        Box::pin(ready(Ok(Body::whole(bytes, coding))))
    }
}

/// What a place answers to a file and the number of files before it.
type Fault = Box<dyn Fn(&str, usize) -> Option<WriteError>>;

/// A place that notes what is written to it, and fails as it is told.
struct Place {
    inner: MemoryArchiveWriter,
    order: RefCell<Vec<String>>,
    fault: Fault,
    /// Says that it wrote, and did not.
    lies: Cell<u32>,
    puts: Cell<usize>,
}

fn place(files: Files) -> Place {
    let inner = MemoryArchiveWriter::new("the destination", files);
    Place { inner, order: RefCell::default(), fault: Box::new(|_, _| None), lies: Cell::new(0), puts: Cell::new(0) }
}

fn failing(files: Files, fault: impl Fn(&str, usize) -> Option<WriteError> + 'static) -> Place {
    Place { fault: Box::new(fault), ..place(files) }
}

impl ArchiveWriter for Place {
    fn name(&self) -> &str {
        "the destination"
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        let puts = self.puts.get();
        self.puts.set(puts + 1);
        if let Some(error) = (self.fault)(path.as_str(), puts) {
            return Box::pin(ready(Err(error)));
        }
        if self.lies.get() > 0 {
            self.lies.set(self.lies.get() - 1);
            return Box::pin(ready(Ok(())));
        }
        self.order.borrow_mut().push(path.as_str().to_owned());
        self.inner.put_bytes(path, bytes)
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        self.inner.exists(path)
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        Some(&self.inner)
    }
}

fn readers<'a>(sources: &[&'a Source]) -> Vec<&'a dyn ArchiveReader> {
    let reader = |source: &&'a Source| -> &'a dyn ArchiveReader { *source };
    sources.iter().map(reader).collect()
}

fn copy_options() -> CopyOptions {
    let mut options = CopyOptions::default();
    options.concurrency = 4.into();
    options
}

fn mirror_with(sources: &[&Source], to: &dyn ArchiveWriter, change: impl FnOnce(&mut MirrorOptions)) -> Result<CopyReport, UsageError> {
    let mut options = MirrorOptions::default();
    options.copy = copy_options();
    change(&mut options);
    futures_executor::block_on(mirror_archive(readers(sources), to, &TestHost::default(), &options, &mut |_| {}))
}

fn mirror(from: &Source, to: &dyn ArchiveWriter) -> CopyReport {
    mirror_with(&[from], to, |_| {}).unwrap()
}

fn repair_with(sources: &[&Source], to: &dyn ArchiveWriter, change: impl FnOnce(&mut RepairOptions)) -> Result<CopyReport, UsageError> {
    let mut options = RepairOptions::default();
    options.copy = copy_options();
    change(&mut options);
    futures_executor::block_on(repair_archive(readers(sources), to, &TestHost::default(), &options, &mut |_| {}))
}

fn repair(from: &Source, to: &dyn ArchiveWriter) -> CopyReport {
    repair_with(&[from], to, |_| {}).unwrap()
}

fn inflated(file: &[u8]) -> Vec<u8> {
    common::made::inflate(file)
}

/// The file with one bit of its content turned around, still well-formed gzip.
fn spoiled(file: &[u8]) -> Vec<u8> {
    let mut content = inflated(file);
    if content.is_empty() {
        content = vec![0x80, 0, 0, 0];
    } else {
        let at = content.len().min(101) - 1;
        content[at] ^= 1;
    }
    stellar_archive_verifier::codec::gzip_encoder::gzip(&content)
}

/// By other means than the verifier's: every file is sound by itself, and `.well-known` names only what is there.
fn assert_nothing_half(files: &Files, when: &str) {
    for (path, file) in files.iter().filter(|(path, _)| path.ends_with(".gz")) {
        let content = inflated(file);
        if let Some(hash) = path.strip_suffix(".xdr.gz").and_then(|path| path.rsplit_once("bucket-")) {
            assert_eq!(hex::encode(sha2(&content)), hash.1, "{when}: {path}");
        }
    }
    let states = files.iter().filter(|(path, _)| path.starts_with("history/") || *path == WELL_KNOWN);
    for (path, state) in states {
        let text = String::from_utf8(state.clone()).unwrap();
        let state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let last = u32::try_from(state["currentLedger"].as_u64().unwrap()).unwrap();
        for kind in [FileKind::History, FileKind::Ledger, FileKind::Transactions, FileKind::Results] {
            assert!(files.contains_key(&path_of(kind, last)), "{when}: {path} names ledger {last}, whose {kind} file is not there");
        }
        for bucket in text.split('"').filter(|word| word.len() == 64 && word.bytes().any(|byte| byte != b'0')) {
            let place = format!("bucket/{}/{}/{}/bucket-{bucket}.xdr.gz", &bucket[..2], &bucket[2..4], &bucket[4..6]);
            assert!(files.contains_key(&place), "{when}: {path} names a bucket that is not there: {bucket}");
        }
    }
}

fn sha2(content: &[u8]) -> [u8; 32] {
    *stellar_archive_verifier::codec::hash::sha256(&[content]).as_bytes()
}

fn differences(one: &Files, other: &Files) -> Vec<String> {
    let paths: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    paths.into_iter().filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}

fn verified(files: &Files) -> bool {
    let archive = MemoryArchiveWriter::new("check", files.clone());
    let options = options(1, 319, None);
    let report = futures_executor::block_on(verify_archive(&archive, &TestHost::default(), &options, &mut |_| {})).unwrap();
    report.verdict == Verdict::Verified
}

#[test]
fn a_mirror_has_every_file_of_the_source_byte_by_byte_and_its_newest_state_last() {
    let to = place(Files::new());
    let report = mirror(&source("source", sample().clone()), &to);
    assert_eq!((report.verdict, report.well_known.status), (CopyVerdict::Complete, WellKnownStatus::Written), "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
    assert_eq!(report.written.files, u64::try_from(sample().len()).unwrap());
    let bytes: usize = sample().values().map(Vec::len).sum();
    assert_eq!(report.written.bytes, bytes.to_string());
    assert!(report.files.is_empty(), "what is simply not there yet is no news");
    let order = to.order.borrow();
    assert_eq!(order.last().map(String::as_str), Some(WELL_KNOWN));
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len(), "nothing is written twice");
    // At every moment: what is there is sound, and states name only what is there.
    let mut files = Files::new();
    for path in order.iter() {
        files.insert(path.clone(), sample()[path].clone());
        assert_nothing_half(&files, path);
    }
}

#[test]
fn what_is_there_and_sound_is_kept() {
    let to = place(sample().clone());
    let report = mirror(&source("source", sample().clone()), &to);
    assert_eq!((report.verdict, report.written.files, report.well_known.status), (CopyVerdict::Complete, 0, WellKnownStatus::Kept));
    assert!(to.order.borrow().is_empty());
    assert_eq!(
        report.range.map(|range| (range.low.value(), range.high.value())),
        Some((256, 319)),
        "it goes on where the destination ends"
    );
}

#[test]
fn a_mirror_goes_on_where_the_destination_ends() {
    let to = place(up_to(127));
    let report = mirror(&source("source", sample().clone()), &to);
    assert_eq!(report.range.map(|range| (range.low.value(), range.high.value())), Some((64, 319)));
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
    assert!(!to.order.borrow().iter().any(|path| path.contains("0000003f") || path.contains("0000007f")));
}

#[test]
fn a_mirror_with_overwrite_fetches_all_and_replaces_it() {
    let mut files = sample().clone();
    let spoilt = path_of(FileKind::Ledger, 127);
    files.insert(spoilt.clone(), spoiled(&files[&spoilt]));
    let to = place(files);
    let report = mirror_with(&[&source("source", sample().clone())], &to, |options| options.overwrite = true).unwrap();
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
    assert_eq!(report.written.files, u64::try_from(sample().len()).unwrap() - 1, "the newest state is the same");
}

#[test]
fn a_gap_is_refused_unless_it_is_allowed() {
    let to = place(up_to(127));
    let from = source("source", sample().clone());
    let low = |options: &mut MirrorOptions| options.copy.low = Some(LedgerSeq::new(256));
    let refused = mirror_with(&[&from], &to, low).unwrap_err();
    assert!(refused.to_string().contains("would leave a gap"), "{refused}");
    assert!(to.order.borrow().is_empty());
    let report = mirror_with(&[&from], &to, |options| {
        low(options);
        options.allow_gaps = true;
    });
    assert_eq!(report.unwrap().verdict, CopyVerdict::Complete);
    assert!(!to.inner.files().contains_key(&path_of(FileKind::Ledger, 191)));
}

#[test]
fn an_archive_of_another_network_or_history_is_never_written_into() {
    let other_network = Config { passphrase: "Another Network ; 2026".into(), ledgers: 128, ..Config::default() };
    let other_history = Config { seed: 99, ledgers: 320, ..Config::default() };
    for (config, words) in [(other_network, "archive of the network"), (other_history, "another history")] {
        let there = sample_archive::make(&config).files;
        for without_root in [false, true] {
            let mut files = there.clone();
            if without_root {
                files.remove(WELL_KNOWN);
            }
            let to = place(files.clone());
            let from = source("source", sample().clone());
            for refused in [mirror_with(&[&from], &to, |_| {}), repair_with(&[&from], &to, |_| {})] {
                let refused = refused.expect_err(words);
                assert!(refused.to_string().contains(words) || without_root, "{refused}");
                assert!(to.order.borrow().is_empty() && to.inner.files() == files, "nothing was written");
            }
        }
    }
}

#[test]
fn a_file_that_no_source_has_sound_is_not_written_and_the_newest_state_stays_below_it() {
    for (kind, last) in [(FileKind::Ledger, 191), (FileKind::Transactions, 191), (FileKind::Results, 255), (FileKind::Scp, 191)] {
        for missing in [false, true] {
            let spoilt = path_of(kind, last);
            let mut files = sample().clone();
            if missing {
                files.remove(&spoilt);
            } else {
                files.insert(spoilt.clone(), spoiled(&files[&spoilt]));
            }
            let to = place(Files::new());
            let report = mirror(&source("source", files), &to);
            let there = to.inner.files();
            assert!(!there.contains_key(&spoilt), "{spoilt}");
            assert_nothing_half(&there, &spoilt);
            if kind == FileKind::Scp && missing {
                assert_eq!(report.verdict, CopyVerdict::Complete, "archives may lack scp files");
                continue;
            }
            assert_eq!(report.verdict, CopyVerdict::Faulty, "{spoilt}: {}", report.statement);
            assert_eq!(report.well_known.ledger.map(LedgerSeq::value), Some(last - 64), "{spoilt}: {:?}", report.well_known);
            assert!(report.files.iter().any(|file| file.path.as_str() == spoilt && file.outcome == CopyOutcome::NoSoundSource));
            assert!(!report.plan.is_empty());
            // With a good source the next run finishes.
            let report = mirror(&source("good", sample().clone()), &to);
            assert_eq!(report.verdict, CopyVerdict::Complete, "{spoilt}: {}", report.statement);
            assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new(), "{spoilt}");
        }
    }
}

#[test]
fn a_state_waits_for_its_buckets() {
    let bucket = a_bucket();
    let mut files = sample().clone();
    files.insert(bucket.clone(), spoiled(&files[&bucket]));
    let to = place(Files::new());
    let report = mirror(&source("source", files), &to);
    assert_eq!(report.verdict, CopyVerdict::Faulty);
    assert!(!to.inner.files().contains_key(&bucket));
    assert_nothing_half(&to.inner.files(), "a spoilt bucket");
    assert_eq!(mirror(&source("good", sample().clone()), &to).verdict, CopyVerdict::Complete);
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
}

#[test]
fn a_source_that_turns_corrupt_halfway_leaves_nothing_unsound() {
    let all = u64::try_from(sample().len()).unwrap();
    for after in (0..all).step_by(5) {
        let from = source("source", sample().clone());
        from.turns_after.set(Some(after));
        let to = place(Files::new());
        let report = mirror(&from, &to);
        assert_eq!(report.verdict, CopyVerdict::Faulty, "after {after}: {}", report.statement);
        assert_nothing_half(&to.inner.files(), &format!("after {after}"));
        assert!(to.inner.files().iter().all(|(path, file)| sample()[path] == *file || path == WELL_KNOWN), "after {after}");
    }
}

#[test]
fn a_run_that_is_stopped_at_any_moment_leaves_nothing_half_and_the_next_one_finishes() {
    let all = sample().len();
    for writes in 0..=all {
        let to = failing(Files::new(), move |path, puts| {
            (puts >= writes).then(|| WriteError::new(WriteErrorKind::Full, format!("no room for {path}")))
        });
        let report = mirror(&source("source", sample().clone()), &to);
        let there = to.inner.files();
        assert_nothing_half(&there, &format!("after {writes} writes"));
        if writes < all {
            assert_eq!(report.verdict, CopyVerdict::Incomplete, "after {writes}: {}", report.statement);
            assert!(report.statement.contains("no room for"), "{}", report.statement);
            assert!(report.errors.iter().all(|error| error.code == "FULL" && !error.advice.is_empty()));
            // Not every file that is left is tried in vain.
            assert!(to.puts.get() <= writes + 20, "{} of {all} after {writes}", to.puts.get());
        }
        let again = place(there);
        let report = mirror(&source("source", sample().clone()), &again);
        assert_eq!(report.verdict, CopyVerdict::Complete, "after {writes}: {}", report.statement);
        assert_eq!(differences(&again.inner.files(), sample()), Vec::<String>::new(), "after {writes}");
    }
}

#[test]
fn a_cancelled_run_leaves_nothing_half() {
    for looks in (1..4000).step_by(97) {
        let host = TestHost::default();
        host.cancel_after.set(Some(looks));
        let to = place(Files::new());
        let mut options = MirrorOptions::default();
        options.copy = copy_options();
        let from = source("source", sample().clone());
        let report = futures_executor::block_on(mirror_archive(vec![&from], &to, &host, &options, &mut |_| {})).unwrap();
        assert_nothing_half(&to.inner.files(), &format!("after {looks} looks"));
        assert_ne!(report.verdict, CopyVerdict::Faulty);
        let complete = differences(&to.inner.files(), sample()).is_empty();
        assert_eq!(report.verdict == CopyVerdict::Complete, complete, "after {looks}: {}", report.statement);
    }
}

#[test]
fn a_file_that_a_place_does_not_take_at_first_is_put_again() {
    let spoilt = path_of(FileKind::Results, 127);
    for (kind, taken) in [
        (WriteErrorKind::Http(503), true),
        (WriteErrorKind::Network, true),
        (WriteErrorKind::Http(400), false),
        (WriteErrorKind::Io, false),
    ] {
        let name = spoilt.clone();
        let tries = Cell::new(0);
        let to = failing(Files::new(), move |path, _| {
            if path != name {
                return None;
            }
            tries.set(tries.get() + 1);
            (tries.get() <= 2).then(|| WriteError::new(kind, "not now"))
        });
        let report = mirror(&source("source", sample().clone()), &to);
        assert_eq!(report.verdict == CopyVerdict::Complete, taken, "{kind:?}: {}", report.statement);
        assert_nothing_half(&to.inner.files(), "a place that refuses");
        if !taken {
            assert_eq!(report.well_known.ledger.map(LedgerSeq::value), Some(63));
            let file = report.files.iter().find(|file| file.path.as_str() == spoilt).unwrap();
            assert_eq!((file.outcome, file.message.as_deref()), (CopyOutcome::Failed, Some("not now")));
        }
    }
}

#[test]
fn a_place_that_lies_is_found_out_when_it_is_read_back() {
    for lies in [1, 2, 50] {
        let to = place(Files::new());
        to.lies.set(lies);
        let report = mirror_with(&[&source("source", sample().clone())], &to, |options| options.copy.read_back = true).unwrap();
        assert_eq!(report.verdict == CopyVerdict::Complete, lies < 50, "{lies}: {}", report.statement);
        assert_nothing_half(&to.inner.files(), "a place that lies");
        if lies == 50 {
            assert!(report.errors.iter().any(|error| error.code == "NOT_AS_WRITTEN"), "{:?}", report.errors);
        }
    }
}

#[test]
fn bodies_that_come_inflated_are_zipped_again() {
    let from = Source { inflates: true, ..source("source", sample().clone()) };
    let to = place(Files::new());
    let report = mirror(&from, &to);
    assert_eq!(report.verdict, CopyVerdict::Complete, "{}", report.statement);
    let there = to.inner.files();
    assert_eq!(there.len(), sample().len());
    for (path, file) in there {
        if path.ends_with(".gz") {
            assert!(inflated(&file) == inflated(&sample()[&path]), "{path}");
        }
    }
}

#[test]
fn a_repair_mends_every_kind_of_file_whether_it_is_missing_or_wrong() {
    let mut paths: Vec<_> = FileKind::ALL.into_iter().flat_map(|kind| [63, 191, 319].map(|last| path_of(kind, last))).collect();
    paths.push(a_bucket());
    paths.push(WELL_KNOWN.into());
    for path in paths {
        for fault in ["missing", "spoilt", "cut off", "empty", "a page"] {
            let mut files = sample().clone();
            let file = files[&path].clone();
            match fault {
                "missing" => drop(files.remove(&path)),
                "spoilt" if path.ends_with(".gz") => drop(files.insert(path.clone(), spoiled(&file))),
                "spoilt" => {
                    let text = String::from_utf8(file).unwrap().replacen("\"curr\": \"", "\"curr\": \"f", 1);
                    files.insert(path.clone(), text.into_bytes());
                }
                "cut off" => drop(files.insert(path.clone(), file[..file.len() / 2].to_vec())),
                "empty" => drop(files.insert(path.clone(), Vec::new())),
                _ => drop(files.insert(path.clone(), b"<html>404</html>".to_vec())),
            }
            let to = place(files.clone());
            let report = repair(&source("source", sample().clone()), &to);
            let when = format!("{path}, {fault}: {}", report.statement);
            assert_eq!(report.verdict, CopyVerdict::Complete, "{when} {report:#?}");
            assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new(), "{when}");
            assert_eq!(*to.order.borrow(), [path.as_str()], "{when}: nothing else was touched");
            assert!(report.plan.is_empty(), "{when}");
            if path != WELL_KNOWN {
                let problem = if fault == "missing" { Problem::Missing } else { Problem::Faulty };
                let named: Vec<_> = report.files.iter().map(|file| (file.path.as_str(), file.problem, file.outcome)).collect();
                assert_eq!(named, [(path.as_str(), problem, CopyOutcome::Written)], "{when}");
                assert_eq!(report.files[0].from.as_deref(), Some("source"), "{when}");
            }
        }
    }
}

#[test]
fn a_state_that_names_other_buckets_is_mended() {
    // Sound by itself, but not what the header commits to.
    let path = path_of(FileKind::History, 191);
    let mut files = sample().clone();
    let other = String::from_utf8(files[&path_of(FileKind::History, 127)].clone()).unwrap();
    files.insert(path.clone(), other.replace("\"currentLedger\": 127", "\"currentLedger\": 191").into_bytes());
    let to = place(files);
    let report = repair(&source("source", sample().clone()), &to);
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
}

#[test]
fn checkpoints_of_another_history_among_right_ones_are_mended() {
    // All files of a checkpoint agree with each other, but not with their neighbours.
    let other = sample_archive::make(&Config { seed: 99, ledgers: 320, ..Config::default() }).files;
    let mut files = sample().clone();
    for kind in FileKind::ALL {
        let path = path_of(kind, 191);
        files.insert(path.clone(), other[&path].clone());
    }
    for (path, file) in &other {
        files.entry(path.clone()).or_insert_with(|| file.clone());
    }
    let to = place(files);
    let report = repair(&source("source", sample().clone()), &to);
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    let there = to.inner.files();
    assert!(sample().iter().all(|(path, file)| there[path] == *file));
    assert!(verified(&there));
}

#[test]
fn two_sources_mend_what_neither_could_alone() {
    let (first, second) = (path_of(FileKind::Ledger, 127), path_of(FileKind::Transactions, 255));
    let without = |path: &String| {
        let mut files = sample().clone();
        files.insert(path.clone(), spoiled(&files[path]));
        files
    };
    let mut files = sample().clone();
    files.remove(&first);
    files.insert(second.clone(), spoiled(&files[&second]));
    let to = place(files);
    let (one, other) = (source("one", without(&first)), source("other", without(&second)));
    let report = repair_with(&[&one, &other], &to, |_| {}).unwrap();
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
    let from: BTreeMap<_, _> = report.files.iter().map(|file| (file.path.as_str(), file.from.as_deref())).collect();
    assert_eq!(from, BTreeMap::from([(first.as_str(), Some("other")), (second.as_str(), Some("one"))]));
}

#[test]
fn a_dry_run_writes_nothing_and_its_plan_mends() {
    let bucket = a_bucket();
    let broken = [path_of(FileKind::Ledger, 127), path_of(FileKind::History, 191), path_of(FileKind::Scp, 63), bucket];
    let mut files = sample().clone();
    for path in &broken {
        files.remove(path);
    }
    files.remove(WELL_KNOWN);
    let to = place(files.clone());
    let from = source("source", sample().clone());
    let report = repair_with(&[&from], &to, |options| options.dry_run = true).unwrap();
    assert!(to.order.borrow().is_empty() && to.inner.files() == files);
    assert_eq!(report.well_known.status, WellKnownStatus::Planned);
    let planned: BTreeSet<_> =
        report.files.iter().filter(|file| file.outcome == CopyOutcome::Planned).map(|file| file.path.as_str()).collect();
    assert_eq!(planned, broken.iter().map(String::as_str).collect());
    assert_eq!((report.plan.files.len(), report.plan.buckets.len(), report.plan.well_known.is_some()), (3, 1, true), "{:?}", report.plan);
    let plan = report.plan;
    let report = repair_with(&[&from], &to, |options| options.plan = Some(plan)).unwrap();
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
}

#[test]
fn a_plan_may_list_a_bucket_and_the_state_of_the_lowest_checkpoint() {
    let (bucket, state) = (a_bucket(), path_of(FileKind::History, 63));
    let mut files = sample().clone();
    files.remove(&bucket);
    files.remove(&state);
    let to = place(files);
    let from = source("source", sample().clone());
    let mut plan = stellar_archive_verifier::report::plan::RepairPlan::default();
    plan.add_file(CheckpointFrequency::Standard.containing(LedgerSeq::new(63)), FileKind::History);
    let hash = bucket.rsplit_once("bucket-").and_then(|(_, name)| name.split('.').next()?.parse().ok()).unwrap();
    plan.buckets.insert(stellar_archive_verifier::archive::state::BucketHash::new(hash));
    let report = repair_with(&[&from], &to, |options| options.plan = Some(plan)).unwrap();
    assert_eq!(report.verdict, CopyVerdict::Complete, "{report:#?}");
    assert_eq!(differences(&to.inner.files(), sample()), Vec::<String>::new());
}

#[test]
fn a_plan_without_checkpoints_adds_none() {
    let (bucket, high) = (a_bucket(), 191);
    let short = place(Files::new());
    mirror_with(&[&source("source", sample().clone())], &short, |options| options.copy.high = Some(LedgerSeq::new(high))).unwrap();
    let sound = short.inner.files();
    assert!(sound.contains_key(&bucket), "{bucket}");
    for (missing, written) in [(None, 0), (Some(&bucket), 1)] {
        let mut files = sound.clone();
        let mut plan = stellar_archive_verifier::report::plan::RepairPlan::default();
        if let Some(path) = missing {
            files.remove(path);
            let hash = path.rsplit_once("bucket-").and_then(|(_, name)| name.split('.').next()?.parse().ok()).unwrap();
            plan.buckets.insert(stellar_archive_verifier::archive::state::BucketHash::new(hash));
        }
        let to = place(files);
        let report = repair_with(&[&source("source", sample().clone())], &to, |options| options.plan = Some(plan)).unwrap();
        assert_eq!((report.verdict, report.written.files), (CopyVerdict::Complete, written), "{report:#?}");
        assert_eq!(differences(&to.inner.files(), &sound), Vec::<String>::new());
    }
}

#[test]
fn what_a_plan_lists_wrongly_is_kept() {
    let to = place(sample().clone());
    let from = source("source", sample().clone());
    let mut plan = stellar_archive_verifier::report::plan::RepairPlan::default();
    let checkpoint = CheckpointFrequency::Standard.containing(LedgerSeq::new(127));
    plan.add_file(checkpoint, FileKind::Ledger);
    plan.checkpoints.insert(checkpoint);
    let report = repair_with(&[&from], &to, |options| options.plan = Some(plan)).unwrap();
    assert_eq!((report.verdict, report.written.files), (CopyVerdict::Complete, 0), "{report:#?}");
}

#[test]
fn a_repair_of_what_is_no_archive_says_so() {
    let to = place(Files::new());
    let refused = repair_with(&[&source("source", sample().clone())], &to, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("mirror into it"), "{refused}");
}

#[test]
fn an_archive_that_is_both_ends_is_refused() {
    let to = MemoryArchiveWriter::new("source", sample().clone());
    let refused = mirror_with(&[&source("source", sample().clone())], &to, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("both a source and the destination"), "{refused}");
}
