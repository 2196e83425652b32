//! Attacks on what is written: sources that lie about a part of a history, plans that list what they should not, and
//! destinations that are of another history.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use common::TestHost;
use common::made::{file, path, records};
use futures_executor::block_on;
use futures_util::future::{LocalBoxFuture, ready};
use sample_archive::Config;
use stellar_archive_verifier::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::WriteError;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::hash::sha256;
use stellar_archive_verifier::driver::copy::CopyOptions;
use stellar_archive_verifier::driver::mirror::{MirrorOptions, mirror_archive};
use stellar_archive_verifier::driver::publish::{PublishSummary, publish_checkpoint};
use stellar_archive_verifier::driver::repair::{RepairOptions, repair_archive};
use stellar_archive_verifier::driver::{ReadOptions, UsageError};
use stellar_archive_verifier::report::copy::CopyReport;
use stellar_archive_verifier::report::plan::RepairPlan;
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchiveWriter;
use stellar_archive_verifier::transport::{ArchiveReader, ArchiveWriter};
use stellar_xdr::{Hash, LedgerHeader, LedgerHeaderHistoryEntry, Limits, ReadXdr, TransactionHistoryEntry, WriteXdr};

type Files = BTreeMap<String, Vec<u8>>;

const WELL_KNOWN: &str = ".well-known/stellar-history.json";

fn made(protocol: u32, seed: u64) -> Files {
    sample_archive::make(&Config { protocol: protocol.try_into().unwrap(), seed, ledgers: 320, ..Config::default() }).files
}

/// Five checkpoints of a network whose values nobody signs: protocol 8.
fn sample() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| made(8, 1))
}

/// Another history of the same network, from ledger 2 on.
fn other() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| made(8, 99))
}

/// The sample with other headers from the first ledger of a checkpoint to the last of another: each agrees with itself and with the one
/// before it, and with the states, buckets and results, which are the real ones.
fn forged(from: u32, to: u32) -> Files {
    forged_by(from, to, |header, _| header.id_pool += 1)
}

/// The same with another change of the headers, which is told whether it is the first.
fn forged_by(from: u32, to: u32, change: impl Fn(&mut LedgerHeader, bool)) -> Files {
    let mut files = sample().clone();
    let mut previous = None;
    for last in (from..=to).step_by(64) {
        files.remove(&path(FileKind::Scp, last));
        let mut sets: BTreeMap<u32, TransactionHistoryEntry> = records(&files[&path(FileKind::Transactions, last)])
            .iter()
            .map(|record| TransactionHistoryEntry::from_xdr(record, Limits::none()).unwrap())
            .map(|entry| (entry.ledger_seq, entry))
            .collect();
        let mut headers = Vec::new();
        for record in records(&files[&path(FileKind::Ledger, last)]) {
            let mut entry = LedgerHeaderHistoryEntry::from_xdr(&record, Limits::none()).unwrap();
            let header = &mut entry.header;
            change(header, previous.is_none());
            if let Some(hash) = &previous {
                header.previous_ledger_hash = Clone::clone(hash);
            }
            let mut content = header.previous_ledger_hash.0.to_vec();
            if let Some(set) = sets.get_mut(&header.ledger_seq) {
                set.tx_set.previous_ledger_hash = header.previous_ledger_hash.clone();
                set.tx_set.txs.iter().for_each(|tx| content.extend(tx.to_xdr(Limits::none()).unwrap()));
            }
            header.scp_value.tx_set_hash = Hash(*sha256(&[&content]).as_bytes());
            entry.hash = Hash(*sha256(&[&header.to_xdr(Limits::none()).unwrap()]).as_bytes());
            previous = Some(entry.hash.clone());
            headers.push(entry.to_xdr(Limits::none()).unwrap());
        }
        let sets: Vec<_> = sets.values().map(|set| set.to_xdr(Limits::none()).unwrap()).collect();
        files.insert(path(FileKind::Ledger, last), file(&headers));
        files.insert(path(FileKind::Transactions, last), file(&sets));
    }
    files
}

/// The archive as it was when it had come to a checkpoint.
fn up_to(files: &Files, last: u32) -> Files {
    let mut files = files.clone();
    let last_of = |path: &String| path.rsplit_once('-').and_then(|(_, name)| u32::from_str_radix(name.get(..8)?, 16).ok());
    files.retain(|path, _| path.contains("bucket") || path == WELL_KNOWN || last_of(path).is_some_and(|of| of <= last));
    files.insert(WELL_KNOWN.into(), files[&path(FileKind::History, last)].clone());
    files
}

fn checkpoint(last: u32) -> Checkpoint {
    CheckpointFrequency::Standard.containing(LedgerSeq::new(last))
}

/// A destination that notes what is written to it.
struct Place {
    inner: MemoryArchiveWriter,
    order: RefCell<Vec<String>>,
}

fn place(files: Files) -> Place {
    Place { inner: MemoryArchiveWriter::new("the destination", files), order: RefCell::default() }
}

impl ArchiveWriter for Place {
    fn name(&self) -> &str {
        "the destination"
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        self.order.borrow_mut().push(path.as_str().to_owned());
        self.inner.put_bytes(path, bytes)
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        Box::pin(ready(Ok(self.inner.files().contains_key(path.as_str()))))
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        self.inner.reader()
    }
}

fn copy_options() -> CopyOptions {
    let mut options = CopyOptions::default();
    options.concurrency = 4.into();
    options
}

fn sources(list: &[(&'static str, &Files)]) -> Vec<MemoryArchiveWriter> {
    list.iter().map(|&(name, files)| MemoryArchiveWriter::new(name, files.clone())).collect()
}

fn mirror(from: &[(&'static str, &Files)], to: &Place, overwrite: bool) -> Result<CopyReport, UsageError> {
    let from = sources(from);
    let mut options = MirrorOptions::default();
    options.copy = copy_options();
    options.overwrite = overwrite;
    let readers = from.iter().map(|source| source.reader().unwrap()).collect();
    block_on(mirror_archive(readers, to, &TestHost::default(), &options, &mut |_| {}))
}

fn repair(from: &[(&'static str, &Files)], to: &Place, plan: Option<RepairPlan>) -> Result<CopyReport, UsageError> {
    let from = sources(from);
    let mut options = RepairOptions::default();
    options.copy = copy_options();
    options.plan = plan;
    let readers = from.iter().map(|source| source.reader().unwrap()).collect();
    block_on(repair_archive(readers, to, &TestHost::default(), &options, &mut |_| {}))
}

fn publish(from: &Files, to: &Place, last: u32) -> PublishSummary {
    let source = MemoryArchiveWriter::new("source", from.clone());
    let options = ReadOptions::default();
    block_on(publish_checkpoint(vec![source.reader().unwrap()], vec![to], &TestHost::default(), &options, checkpoint(last))).unwrap()
}

/// Files of `before` that are not what they were.
fn lost(before: &Files, after: &Files) -> Vec<String> {
    before.iter().filter(|(path, file)| after.get(*path) != Some(file)).map(|(path, _)| path.clone()).collect()
}

/// Files of a place that the honest archive does not have so.
fn forgeries(to: &Place) -> Vec<String> {
    let honest =
        |path: &str, file: &Vec<u8>| sample().get(path) == Some(file) || (path == WELL_KNOWN && sample().values().any(|own| own == file));
    to.inner.files().iter().filter(|(path, file)| !honest(path, file)).map(|(path, _)| path.clone()).collect()
}

fn without(path: &str) -> Files {
    let mut files = sample().clone();
    files.remove(path);
    files
}

fn say(report: &Result<CopyReport, UsageError>) -> String {
    match report {
        Ok(report) => format!("{:?} {:?} {}", report.verdict, report.well_known, report.statement),
        Err(refused) => format!("refused: {refused}"),
    }
}

/// One liar first, then last, among so many honest sources.
fn with_honest(lies: &Files, honest: usize) -> [Vec<(&'static str, &Files)>; 2] {
    let mut first = vec![("liar", lies)];
    first.extend([("honest 1", sample()), ("honest 2", sample())].into_iter().take(honest));
    let last = first.iter().copied().rev().collect();
    [first, last]
}

fn lies() -> [Files; 5] {
    [forged(63, 63), forged(191, 191), forged(319, 319), forged(191, 319), forged(63, 319)]
}

#[test]
fn nothing_of_a_liar_among_honest_sources_comes_into_a_mirror() {
    for lies in lies() {
        for from in with_honest(&lies, 1).into_iter().chain(with_honest(&lies, 2)) {
            for there in [Files::new(), up_to(sample(), 191)] {
                let to = place(there.clone());
                let report = mirror(&from, &to, false);
                assert_eq!(forgeries(&to), Vec::<String>::new(), "{}", say(&report));
                assert_eq!(to.inner.files().len(), sample().len(), "{}", say(&report));
            }
        }
    }
}

#[test]
fn nothing_of_a_liar_among_honest_sources_comes_into_a_repaired_archive() {
    for lies in lies() {
        for from in with_honest(&lies, 1).into_iter().chain(with_honest(&lies, 2)) {
            for last in [63, 191, 319] {
                let to = place(without(&path(FileKind::Ledger, last)));
                let report = repair(&from, &to, None);
                assert_eq!(lost(sample(), &to.inner.files()), Vec::<String>::new(), "{last}: {}", say(&report));
            }
        }
    }
}

#[test]
fn a_source_that_leaves_the_history_at_the_end_of_a_mirror_replaces_nothing_there() {
    // Another history from ledger 128 on, which does not even begin with the ledger before.
    let mut unlinked = up_to(sample(), 127);
    for (path, file) in other() {
        if path == WELL_KNOWN || !unlinked.contains_key(path) {
            unlinked.insert(path.clone(), file.clone());
        }
    }
    for (what, lies) in [("unlinked", unlinked), ("linked", forged(191, 319))] {
        let there = up_to(sample(), 191);
        let to = place(there.clone());
        let report = mirror(&[("liar", &lies)], &to, false);
        assert_eq!(lost(&there, &to.inner.files()), Vec::<String>::new(), "{what}: {}", say(&report));
    }
}

#[test]
fn a_checkpoint_that_does_not_fit_the_one_above_it_is_not_written() {
    let there = without(&path(FileKind::Ledger, 191));
    let to = place(there.clone());
    let report = repair(&[("liar", &forged(191, 191))], &to, None);
    assert_eq!((lost(&there, &to.inner.files()), forgeries(&to)), (Vec::new(), Vec::new()), "{}", say(&report));
}

#[test]
fn transactions_that_only_an_unsound_ledger_file_vouches_for_are_not_written() {
    let lies = forged_by(191, 191, |header, is_first| header.id_pool += u64::from(is_first));
    let there = without(&path(FileKind::Ledger, 191));
    let to = place(there.clone());
    let report = repair(&[("liar", &lies)], &to, None);
    assert_eq!((lost(&there, &to.inner.files()), forgeries(&to)), (Vec::new(), Vec::new()), "{}", say(&report));
    let to = place(Files::new());
    let report = mirror(&[("liar", &lies)], &to, false);
    assert_eq!(forgeries(&to), Vec::<String>::new(), "{}", say(&report));
}

#[test]
fn another_history_is_not_overwritten_either() {
    let there = other().clone();
    let to = place(there.clone());
    let report = mirror(&[("source", &up_to(sample(), 191))], &to, true);
    assert!(report.is_err() && to.order.borrow().is_empty(), "{}", say(&report));
}

#[test]
fn another_history_is_refused_even_if_a_file_of_its_end_is_broken() {
    for kind in [FileKind::Ledger, FileKind::History] {
        let mut there = up_to(other(), 191);
        there.remove(&path(kind, 191));
        let to = place(there.clone());
        let report = mirror(&[("source", sample())], &to, false);
        assert!(report.is_err() && to.order.borrow().is_empty(), "{kind}: {}", say(&report));
    }
}

#[test]
fn another_history_is_refused_even_if_it_has_no_newest_state_and_begins_later() {
    let mut there = other().clone();
    there.retain(|path, _| path != WELL_KNOWN && !path.contains("0000003f"));
    let to = place(there.clone());
    let report = mirror(&[("source", sample())], &to, false);
    assert!(report.is_err() && to.order.borrow().is_empty(), "{}", say(&report));
}

#[test]
fn a_plan_does_not_make_the_newest_state_name_what_lies_above_a_gap() {
    // A mirror that was interrupted.
    let mut there = up_to(sample(), 127);
    there.remove(WELL_KNOWN);
    let named = RepairPlan { well_known: Some(checkpoint(319)), ..RepairPlan::default() };
    let mut listed = RepairPlan::default();
    FileKind::ALL.into_iter().for_each(|kind| listed.add_file(checkpoint(319), kind));
    for plan in [named, listed] {
        let to = place(there.clone());
        let report = repair(&[("source", sample())], &to, Some(plan));
        let files = to.inner.files();
        let whole = files.contains_key(&path(FileKind::Ledger, 191));
        assert!(whole || files.get(WELL_KNOWN) != sample().get(WELL_KNOWN), "{}", say(&report));
    }
}

#[test]
fn nothing_is_published_onto_the_end_of_another_history() {
    for (tip, last) in [(127, 191), (127, 319)] {
        let there = up_to(other(), tip);
        let to = place(there.clone());
        let summary = publish(sample(), &to, last);
        assert!(summary.destinations[0].error.is_some() && to.order.borrow().is_empty(), "{last}: {summary:?}");
    }
}

#[test]
fn nothing_is_published_over_another_checkpoint_that_is_not_announced() {
    let mut there = up_to(other(), 127);
    there.remove(WELL_KNOWN);
    let to = place(there.clone());
    let summary = publish(sample(), &to, 127);
    assert_eq!(lost(&there, &to.inner.files()), Vec::<String>::new(), "{summary:?}");
}

#[test]
fn a_liar_about_merges_among_honest_sources_does_not_replace_sound_states() {
    let mut lies = sample().clone();
    for (_, file) in lies.iter_mut().filter(|(path, _)| path.starts_with("history/")) {
        let mut json: serde_json::Value = serde_json::from_slice(file).unwrap();
        for level in json["currentBuckets"].as_array_mut().unwrap() {
            if level["next"]["state"] != 0 {
                level["next"] = serde_json::json!({ "state": 1, "output": "0".repeat(64) });
            }
        }
        *file = json.to_string().into_bytes();
    }
    for from in with_honest(&lies, 1).into_iter().chain(with_honest(&lies, 2)) {
        let to = place(sample().clone());
        let report = repair(&from, &to, None);
        assert_eq!(*to.order.borrow(), Vec::<String>::new(), "{}", say(&report));
    }
}

/// The archive with states that do not name the network, as those of old checkpoints do not.
fn nameless(files: &Files) -> Files {
    let mut files = files.clone();
    for (_, file) in files.iter_mut().filter(|(path, _)| path.ends_with(".json")) {
        let mut json: serde_json::Value = serde_json::from_slice(file).unwrap();
        json.as_object_mut().unwrap().remove("networkPassphrase");
        *file = json.to_string().into_bytes();
    }
    files
}

/// An archive of another network.
fn of_another_network() -> Files {
    let files = sample_archive::make(&Config { passphrase: "Another Network".into(), ledgers: 64, ..Config::default() }).files;
    let json: serde_json::Value = serde_json::from_slice(&files[WELL_KNOWN]).unwrap();
    assert_eq!(json["networkPassphrase"], "Another Network");
    files
}

#[test]
fn archives_that_name_no_network_are_not_written_into_one_that_does() {
    let source = nameless(sample());
    let to = place(of_another_network());
    for report in
        [mirror(&[("source", &source)], &to, false), mirror(&[("source", &source)], &to, true), repair(&[("source", &source)], &to, None)]
    {
        let refused = report.unwrap_err().to_string();
        assert!(refused.contains("--network"), "{refused}");
    }
    let from = MemoryArchiveWriter::new("source", source);
    let options = ReadOptions::default();
    let refused =
        block_on(publish_checkpoint(vec![from.reader().unwrap()], vec![&to], &TestHost::default(), &options, checkpoint(127))).unwrap_err();
    assert!(refused.to_string().contains("--network"), "{refused}");
    assert_eq!(*to.order.borrow(), Vec::<String>::new());
}

#[test]
fn a_source_that_begins_above_the_end_of_the_destination_would_leave_a_gap() {
    let mut late = sample().clone();
    late.retain(|path, _| !["0000003f", "0000007f", "000000bf"].iter().any(|last| path.contains(last)));
    let to = place(up_to(sample(), 63));
    let refused = mirror(&[("late", &late)], &to, false).unwrap_err().to_string();
    assert!(refused.contains("gap") && to.order.borrow().is_empty(), "{refused}");
    let report = mirror(&[("late", &late), ("whole", sample())], &to, false).unwrap();
    assert_eq!(to.inner.files().len(), sample().len(), "{}", report.statement);
}

#[test]
fn a_checkpoint_is_not_published_above_a_gap() {
    let to = place(up_to(sample(), 127));
    let summary = publish(sample(), &to, 255);
    let error = summary.destinations[0].error.clone().unwrap();
    assert!(error.message.contains("gap") && to.order.borrow().is_empty(), "{error:?}");
    assert_eq!(publish(sample(), &to, 191).destinations[0].error, None);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_no_file_and_is_not_waited_for() {
    let folder = std::env::temp_dir().join(format!("stellar-archive-verifier-pipe-{}", std::process::id()));
    std::fs::create_dir_all(folder.join(".well-known")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.join(WELL_KNOWN)).status().unwrap();
    assert!(made.success());
    let opened = block_on(LocalArchive::new(&folder).open(&ArchivePath::well_known())).map(drop);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(opened.unwrap_err().message.contains("not a file"));
}

#[test]
fn a_newest_state_that_contradicts_its_checkpoint_is_mended_by_a_plan() {
    let mut there = sample().clone();
    let mut json: serde_json::Value = serde_json::from_slice(&there[WELL_KNOWN]).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&there[&path(FileKind::History, 255)]).unwrap();
    assert_ne!(json["currentBuckets"], other["currentBuckets"]);
    json["currentBuckets"] = other["currentBuckets"].clone();
    there.insert(WELL_KNOWN.into(), json.to_string().into_bytes());
    let to = place(there);
    let plan = RepairPlan { well_known: Some(checkpoint(319)), ..RepairPlan::default() };
    let report = repair(&[("source", sample())], &to, Some(plan));
    let mended: serde_json::Value = serde_json::from_slice(&to.inner.files()[WELL_KNOWN]).unwrap();
    let sound: serde_json::Value = serde_json::from_slice(&sample()[WELL_KNOWN]).unwrap();
    assert_eq!(mended["currentBuckets"], sound["currentBuckets"], "{}", say(&report));
}
