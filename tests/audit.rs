//! Audits in parts: whatever the cut, the order and the repetitions, the report is that of one run over the whole range.
//!
//! The engine here draws from a seed what it does next, delivers parts of buckets twice, and joins late. Archives are real ones,
//! a third of the corrupted variants, and made ones long enough for a bucket table to forget.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use common::made::Named;
use common::{Overlay, TestHost, data, options, verify};
use futures_util::future::{LocalBoxFuture, ready};
use sample_archive::{Config, Frequency};
use serde_json::Value;
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::ReadError;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::ArchivePath;
use stellar_archive_verifier::driver::audit::{
    AuditError, AuditState, AuditTask, begin_audit, finish_audit, give_up_part, join_parts, verify_part, verify_shared_part,
};
use stellar_archive_verifier::driver::event::Event;
use stellar_archive_verifier::driver::workers::{Elsewhere, Workers};
use stellar_archive_verifier::driver::{Host, RunOptions, verify_archive};
use stellar_archive_verifier::historywork::plan::Order;
use stellar_archive_verifier::report::{Report, Verdict};
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::transport::{ArchiveReader, Body};

#[test]
fn parts_of_corrupted_variants_come_to_the_report_of_one_run() {
    let Some(data) = data("parts_of_corrupted_variants_come_to_the_report_of_one_run") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(data.join("variants/manifest.json")).unwrap()).unwrap();
    let mut cut = 0;
    for (seed, variant) in (1..).zip(manifest["variants"].as_array().unwrap()) {
        let ledger = |index: usize| variant["range"][index].as_u64().unwrap() as u32;
        let mut options = options(ledger(0), ledger(1), variant["networkPassphrase"].as_str());
        if variant["notes"]["open_high"] == true {
            options.high = None;
        }
        // Both sizes of parts meet both depths.
        options.deep = seed % 2 == 0;
        options.trust.all_signatures = options.deep;
        let archive = Overlay::of_variant(&data, variant);
        // Every third; which, the manifest's order decides.
        if seed % 3 > 0 {
            continue;
        }
        let Ok(begun) = begin(&archive, &options) else {
            assert!(verify(&archive, &options).range.is_none(), "{}: only what has no range cannot be begun", variant["id"]);
            continue;
        };
        cut += 1;
        let report = audited(&archive, &options, &begun, if seed % 4 < 2 { 2 } else { 1 }, seed);
        assert_same(&verify(&archive, &options), &report, &variant["id"].to_string());
    }
    assert!(cut > 100, "{cut}");
}

#[test]
fn parts_of_a_real_archive_come_to_the_report_of_one_run_whatever_their_size() {
    let Some(data) = data("parts_of_a_real_archive_come_to_the_report_of_one_run_whatever_their_size") else { return };
    for (name, low, high, network) in [("testnet-p22", 1, 3647, None), ("pubnet-12m", 12_000_000, 12_000_511, Some("pubnet"))] {
        let archive = LocalArchive::new(data.join("archives").join(name));
        let mut options = options(low, high, network);
        options.trust.all_signatures = true;
        let whole = verify(&archive, &options);
        let begun = begin(&archive, &options).unwrap();
        for (seed, size) in [(1, 1), (2, 4), (3, 64)] {
            assert_same(&whole, &audited(&archive, &options, &begun, size, seed), &format!("{name} in parts of {size}"));
        }
        options.skip_buckets = true;
        let begun = begin(&archive, &options).unwrap();
        assert_same(&verify(&archive, &options), &audited(&archive, &options, &begun, 8, 4), &format!("{name} without buckets"));
    }
}

#[test]
fn over_hundreds_of_checkpoints_the_state_stays_small_and_the_report_is_that_of_one_run() {
    let archive = made(8 * 512);
    for (damaged, size, seed) in [(false, 64, 1), (true, 32, 2)] {
        let mut files = archive.clone();
        if damaged {
            break_everywhere(&mut files);
        }
        let (reader, options) = (reader(files), accelerated());
        let whole = verify(&reader, &options);
        assert_eq!(whole.totals["history"].total(), 512);
        assert_eq!(whole.verdict, if damaged { Verdict::Faulty } else { Verdict::Verified });
        let begun = begin(&reader, &options).unwrap();
        assert_same(&whole, &audited(&reader, &options, &begun, size, seed), &format!("damaged {damaged}, parts of {size}"));
    }
    // Buckets that nobody names any more are forgotten: joined in parts, the state is as small as one run leaves it.
    let (reader, options) = (reader(archive), accelerated());
    let begun = begin(&reader, &options).unwrap();
    let mut sizes = Vec::new();
    let mut state = begun.clone();
    for first in (0..512).step_by(64) {
        let verified =
            |task| futures_executor::block_on(verify_part(&reader, &TestHost::default(), &options, &begun.bytes, task)).unwrap().bytes;
        state = join_parts(&options, &state.bytes, &[verified(AuditTask::Places { first, count: 64 })]).unwrap();
        let buckets = verified(AuditTask::Buckets { buckets: state.facts.open_buckets.clone() });
        state = join_parts(&options, &state.bytes, &[buckets]).unwrap();
        sizes.push(state.bytes.len());
    }
    assert!(sizes[7] < sizes[6], "{sizes:?}");
}

#[test]
fn a_part_that_was_given_up_is_said_to_be_unchecked_and_the_rest_is_as_it_was() {
    let (reader, options) = (reader(made(8 * 16)), accelerated());
    let begun = begin(&reader, &options).unwrap();
    let part = |task| futures_executor::block_on(verify_part(&reader, &TestHost::default(), &options, &begun.bytes, task)).unwrap().bytes;
    let parts = [
        part(AuditTask::Places { first: 0, count: 5 }),
        give_up_part(&options, &begun.bytes, AuditTask::Places { first: 5, count: 1 }, "it takes more memory than there is").unwrap().bytes,
        part(AuditTask::Places { first: 6, count: 10 }),
    ];
    let joined = join_parts(&options, &begun.bytes, &parts).unwrap();
    let (first, others) = joined.facts.open_buckets.split_first().unwrap();
    let lost = give_up_part(&options, &begun.bytes, AuditTask::Buckets { buckets: vec![*first] }, "it never ended").unwrap();
    let rest = part(AuditTask::Buckets { buckets: others.to_vec() });
    let joined = join_parts(&options, &joined.bytes, &[lost.bytes, rest]).unwrap();
    assert_eq!((joined.facts.joined, joined.facts.waiting, joined.facts.open_buckets.len()), (16, 0, 0));
    let report = finish(&reader, &options, &joined);
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let errors: BTreeSet<_> = report.errors.iter().map(|error| (error.code.as_ref(), error.message.as_str())).collect();
    assert_eq!(errors, BTreeSet::from([("GIVEN_UP", "it takes more memory than there is"), ("GIVEN_UP", "it never ended")]));
    for (kind, tally) in &report.totals {
        assert_eq!(tally.unchecked, 1, "{kind}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (reader, options) = (reader(made(8 * 16)), accelerated());
    let begun = begin(&reader, &options).unwrap();
    let places = |first, count| AuditTask::Places { first, count };
    let verified = |state: &[u8], task| futures_executor::block_on(verify_part(&reader, &TestHost::default(), &options, state, task));
    let (low, high) = (verified(&begun.bytes, places(0, 8)).unwrap(), verified(&begun.bytes, places(8, 8)).unwrap());
    let refused = |state: &[u8], parts: &[&[u8]], why: &str| {
        let error = join_parts(&options, state, parts).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(&begun.bytes, &[&high.bytes], "begins at place 8, and what was joined so far ends before place 0");
    let half = join_parts(&options, &begun.bytes, &[&low.bytes]).unwrap();
    refused(&half.bytes, &[&low.bytes], "begins at place 0, and what was joined so far ends before place 8");
    refused(&half.bytes, &[&high.bytes, &high.bytes], "begins at place 8, and what was joined so far ends before place 16");
    refused(&half.bytes, &[&begun.bytes], "ends before place 16, but it stopped at place 0");
    refused(&half.bytes, &[b"\x1f\x8b"], "cannot be read");
    refused(&half.bytes, &[b""], "cannot be read");
    let mut cut = high.bytes.clone();
    cut.truncate(cut.len() / 2);
    refused(&half.bytes, &[&cut], "cannot be read");
    // Of another audit: another range, and the same range begun at another time.
    let mut other = options.clone();
    other.high = Some(LedgerSeq::new(63));
    let another = begin(&reader, &other).unwrap();
    let part = futures_executor::block_on(verify_part(&reader, &TestHost::default(), &other, &another.bytes, places(0, 8))).unwrap();
    refused(&begun.bytes, &[&part.bytes], "of another range");
    assert!(join_parts(&other, &begun.bytes, &[&low.bytes]).unwrap_err().to_string().contains("highest ledger"));
    for task in [places(16, 1), places(15, 2), places(0, 0), places(u32::MAX, 2)] {
        assert!(matches!(verified(&begun.bytes, task), Err(AuditError::Usage(_))));
    }
    let named = Named("elsewhere", MemoryArchive::default());
    let elsewhere = futures_executor::block_on(verify_part(&named, &TestHost::default(), &options, &begun.bytes, places(0, 1)));
    assert!(elsewhere.unwrap_err().to_string().contains("list of archives"));
    let order: fn(&mut RunOptions) = |options| options.order = Order::NewestFirst;
    for change in [order, |options| options.sample = Some(3), |options| options.save_state = true] {
        let mut options = options.clone();
        change(&mut options);
        assert!(begin(&reader, &options).unwrap_err().to_string().contains("an audit goes over every checkpoint"));
    }
    // Nothing of it changed what was joined before.
    let whole = join_parts(&options, &half.bytes, &[&high.bytes]).unwrap();
    assert_same(&verify(&reader, &options), &finish(&reader, &options, &whole), "after all of it");
}

#[test]
fn an_archive_that_cannot_be_read_cannot_be_begun_and_says_why() {
    let nowhere = Named("nowhere", MemoryArchive::default());
    let error = begin(&nowhere, &accelerated()).unwrap_err();
    assert!(matches!(&error, AuditError::Unread(error) if error.archive == "nowhere" && !error.message.is_empty()), "{error}");
}

#[test]
fn a_run_shared_with_threads_comes_to_the_report_and_the_findings_of_one_thread() {
    let Some(data) = data("a_run_shared_with_threads_comes_to_the_report_and_the_findings_of_one_thread") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(data.join("variants/manifest.json")).unwrap()).unwrap();
    let mut shared = 0;
    for (seed, variant) in (1..).zip(manifest["variants"].as_array().unwrap()).filter(|(seed, _)| seed % 3 == 1) {
        let ledger = |index: usize| variant["range"][index].as_u64().unwrap() as u32;
        let mut options = options(ledger(0), ledger(1), variant["networkPassphrase"].as_str());
        if variant["notes"]["open_high"] == true {
            options.high = None;
        }
        options.deep = seed % 2 == 0;
        options.trust.all_signatures = options.deep;
        let archive: Rc<dyn ArchiveReader> = Rc::new(Overlay::of_variant(&data, variant));
        // Threads that work, that fail every other time, that are lost at once, that answer nonsense, that come back with less, and that do
        // what nobody asked for.
        let threads = Threads::new(&archive, &options, seed % 6);
        let report = verify_on_threads(&threads, &*archive, &options);
        assert_same(&verify(&*archive, &options), &report, &format!("{}, threads of kind {}", variant["id"], seed % 6));
        shared += threads.0.asked.get();
    }
    assert!(shared > 300, "{shared}");
    let archive: Rc<dyn ArchiveReader> = Rc::new(LocalArchive::new(data.join("archives/testnet-p22")));
    let options = options(1, 3647, None);
    for kind in 0..6 {
        let threads = Threads::new(&archive, &options, kind);
        assert_same(&verify(&*archive, &options), &verify_on_threads(&threads, &*archive, &options), &format!("kind {kind}"));
        assert!(threads.0.asked.get() > 4);
    }
}

#[test]
fn a_shared_run_that_is_cancelled_reports_the_checkpoints_that_were_joined() {
    let (archive, options) = (Rc::new(reader(made(8 * 64))), accelerated());
    let archive: Rc<dyn ArchiveReader> = archive;
    let mut joined = BTreeSet::new();
    for looks in [0, 10, 200, 600, 1200] {
        let threads = Threads::new(&archive, &options, 0);
        threads.1.cancel_after.set(Some(looks));
        let report = verify_on_threads(&threads, &*archive, &options);
        assert_eq!(report.verdict, Verdict::Incomplete, "after {looks} looks");
        assert!(report.findings.is_empty());
        joined.insert(report.totals.get("ledger").map_or(0, |tally| tally.verified));
    }
    assert!(joined.len() > 2 && joined.last() < Some(&64), "{joined:?}");
}

#[test]
fn the_state_of_a_shared_run_can_be_gone_on_from_by_one_thread_and_the_other_way_round() {
    let archive: Rc<dyn ArchiveReader> = Rc::new(reader(made(8 * 64)));
    let mut options = accelerated();
    let whole = verify(&*archive, &options);
    options.save_state = true;
    let mut states = Vec::new();
    let threads = Threads::new(&archive, &options, 0);
    threads.1.cancel_after.set(Some(600));
    futures_executor::block_on(verify_archive(&*archive, &threads, &options, &mut |event| {
        if let Event::State { state, .. } = event {
            states.push(state);
        }
    }))
    .unwrap();
    options.resume = states.pop();
    assert!(options.resume.is_some());
    let alone = futures_executor::block_on(verify_archive(&*archive, &TestHost::default(), &options, &mut |_| {})).unwrap();
    assert_same(&whole, &alone, "one thread goes on");
    let threads = Threads::new(&archive, &options, 1);
    assert_same(&whole, &verify_on_threads(&threads, &*archive, &options), "threads go on");
    assert!(threads.0.asked.get() > 0);
}

#[test]
fn stopped_anywhere_a_shared_run_reports_and_keeps_all_that_it_says_is_done() {
    let mut files = made(8 * 64);
    break_everywhere(&mut files);
    let counted = Rc::new(Counted { reader: reader(files), opened: RefCell::default() });
    let archive: Rc<dyn ArchiveReader> = Rc::<Counted>::clone(&counted);
    let mut options = accelerated();
    let whole = verify(&*archive, &options);
    options.save_state = true;
    let run = |threads: Option<&Threads>, alone: &TestHost, resume: Option<String>| {
        let mut options = options.clone();
        options.resume = resume;
        let (mut state, mut done, mut kept) = (None, 0, 0);
        let host: &dyn Host = threads.map_or(alone, |threads| threads);
        counted.opened.borrow_mut().clear();
        let report = futures_executor::block_on(verify_archive(&*archive, host, &options, &mut |event| match event {
            Event::State { state: latest, done } => (state, kept) = (Some(latest), done.into()),
            Event::Progress(progress) => done = progress.checkpoints.done,
            _ => {}
        }));
        assert!(state.is_none() || kept == done, "what is said to be done is kept: {kept} of {done}");
        let is_headers = |path: &&String| path.starts_with("ledger/");
        (report.unwrap(), state, done, counted.opened.borrow().iter().filter(is_headers).count())
    };
    let (mut apart, mut waited) = (0, 0);
    for (looks, kind) in (0..60).map(|step| (step * 25, if step % 2 == 0 { 0 } else { 4 })) {
        let threads = Threads::new(&archive, &options, kind);
        threads.1.cancel_after.set(Some(looks));
        let (report, state, done, _) = run(Some(&threads), &TestHost::default(), None);
        if report.verdict != whole.verdict || report.totals["ledger"].unchecked > 0 {
            let ledger = report.totals.get("ledger").map_or(0, |tally| tally.verified + tally.faulty);
            assert!(ledger <= done && done <= ledger + 3, "after {looks} looks {done} are done, and the report has {ledger}");
        }
        let Some(state) = state else { continue };
        apart += u64::from(state.contains(r#""apart":"#));
        // Stopped a second time, by one thread or by several, it goes on from there as well.
        let again = Threads::new(&archive, &options, 0);
        let alone = TestHost::default();
        again.1.cancel_after.set(Some(looks / 2));
        alone.cancel_after.set(Some(looks / 2));
        let (_, second, more, opened) = run((looks % 3 == 0).then_some(&again), &alone, Some(state.clone()));
        assert!(more >= done, "after {looks} looks {done} are done, and later {more}");
        let second = second.unwrap_or_else(|| state.clone());
        waited += u64::from(second.contains(r#""apart":"#));
        let threads = Threads::new(&archive, &options, kind);
        let (report, _, all, opened_last) = run((looks % 4 == 0).then_some(&threads), &TestHost::default(), Some(second));
        assert_same(&whole, &report, &format!("after {looks} looks, and again"));
        assert_eq!(all, 64);
        assert!(opened_last as u64 <= 64 - more, "{more} are done, and {opened_last} are asked for again, after {opened}");
    }
    assert!(apart > 10 && waited > 3, "{apart} states with parts that wait, {waited} of them by the second stop");
}

/// Runs on threads, and checks that what is said while it runs is what the report has.
fn verify_on_threads(threads: &Threads, reader: &dyn ArchiveReader, options: &RunOptions) -> Report {
    let (mut found, mut done) = (0, 0);
    let report = futures_executor::block_on(verify_archive(reader, threads, options, &mut |event| match event {
        Event::Finding { .. } => found += 1,
        Event::Progress(progress) => {
            // What a thread did unasked is done twice, and counts once in the end.
            assert!(
                threads.0.kind == 5 || progress.checkpoints.done >= done,
                "progress goes back from {done} to {}",
                progress.checkpoints.done
            );
            assert!(progress.checkpoints.done <= progress.checkpoints.total);
            done = progress.checkpoints.done;
        }
        _ => {}
    }))
    .unwrap();
    assert_eq!(found, report.findings.len(), "every finding is said once");
    report
}

/// Threads that verify when they are asked, each kind in its own way.
struct Threads(Shared, TestHost);

struct Shared {
    archive: Rc<dyn ArchiveReader>,
    options: RunOptions,
    kind: u64,
    begun: RefCell<String>,
    asked: Cell<u64>,
}

impl Threads {
    fn new(archive: &Rc<dyn ArchiveReader>, options: &RunOptions, kind: u64) -> Self {
        let mut options = options.clone();
        (options.save_state, options.resume) = (false, None);
        let shared = Shared { archive: Rc::clone(archive), options, kind, begun: RefCell::default(), asked: Cell::default() };
        Self(shared, TestHost::default())
    }
}

impl Workers for Shared {
    fn count(&self) -> usize {
        2
    }

    fn worth_sharing(&self) -> u32 {
        1
    }

    fn begin(&self, state: &str) {
        state.clone_into(&mut self.begun.borrow_mut());
    }

    fn verify(&self, task: &AuditTask) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        self.asked.set(self.asked.get() + 1);
        match self.kind {
            1 if self.asked.get().is_multiple_of(2) => return Box::pin(ready(None)),
            2 => return Box::pin(ready(None)),
            3 => return Box::pin(ready(Some(br#"{"schema":3,"head":{}}"#.to_vec()))),
            _ => {}
        }
        let (archive, options, begun) = (Rc::clone(&self.archive), self.options.clone(), self.begun.borrow().clone());
        let task = match task {
            // Of each part the last place, and the one above it, which belongs to the next.
            AuditTask::Places { first, count } if self.kind == 5 && *count > 1 => AuditTask::Places { first: first + count - 1, count: 2 },
            _ if self.kind == 5 => AuditTask::Places { first: 0, count: 1 },
            task => task.clone(),
        };
        let host = TestHost::default();
        // Every part ends where that comes to, which is less than it was asked for.
        host.cancel_after.set((self.kind == 4).then_some(150));
        Box::pin(async move {
            let part = verify_shared_part(&*archive, &host, &options, &begun, task, &mut |_| {}).await;
            part.ok().map(String::into_bytes)
        })
    }

    fn progress(&self) -> Elsewhere {
        Elsewhere::default()
    }
}

impl Host for Threads {
    fn now_ms(&self) -> u64 {
        self.1.now_ms()
    }

    fn timestamp(&self) -> String {
        self.1.timestamp()
    }

    fn jitter_thousandths(&self) -> u64 {
        self.1.jitter_thousandths()
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        self.1.sleep(ms)
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        self.1.yield_now()
    }

    fn is_cancelled(&self) -> bool {
        self.1.is_cancelled()
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        self.1.cancelled()
    }

    fn workers(&self) -> Option<&dyn Workers> {
        Some(&self.0)
    }
}

/// Says what was asked for.
struct Counted {
    reader: Named<MemoryArchive>,
    opened: RefCell<Vec<String>>,
}

impl ArchiveReader for Counted {
    fn name(&self) -> &str {
        self.reader.name()
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        self.opened.borrow_mut().push(path.as_str().to_owned());
        self.reader.open(path)
    }
}

fn begin(reader: &dyn ArchiveReader, options: &RunOptions) -> Result<AuditState, AuditError> {
    futures_executor::block_on(begin_audit(reader, &TestHost::default(), options))
}

fn finish(reader: &dyn ArchiveReader, options: &RunOptions, state: &AuditState) -> Report {
    futures_executor::block_on(finish_audit(reader, &TestHost::default(), options, &state.bytes, &mut |_| {})).unwrap()
}

/// Verifies the parts in an order that the seed decides, and joins them as they come.
fn audited(reader: &dyn ArchiveReader, options: &RunOptions, begun: &AuditState, size: u32, seed: u64) -> Report {
    let mut dice = Dice(seed);
    let verified = |task| futures_executor::block_on(verify_part(reader, &TestHost::default(), options, &begun.bytes, task)).unwrap();
    let total = begun.facts.checkpoints;
    let mut left: Vec<u32> = (0..total.div_ceil(size)).map(|part| part * size).collect();
    let (mut parts, mut of_buckets) = (BTreeMap::new(), Vec::new());
    let (mut state, mut asked) = (begun.clone(), BTreeSet::new());
    while state.facts.joined < total || !state.facts.open_buckets.is_empty() {
        match dice.below(4) {
            0 | 1 if !left.is_empty() => {
                let first = left.swap_remove(dice.below(left.len()));
                let part = verified(AuditTask::Places { first, count: size.min(total - first) });
                parts.insert(first, (part.bytes, part.facts.checkpoints));
            }
            2 => {
                let mut ready = Vec::new();
                let mut next = state.facts.joined;
                while let Some((part, count)) = parts.remove(&next) {
                    next += count;
                    ready.push(part);
                }
                // Parts of buckets in between, some of them twice.
                for part in core::mem::take(&mut of_buckets) {
                    if dice.below(4) == 0 {
                        of_buckets.push(Vec::clone(&part));
                    }
                    ready.insert(dice.below(ready.len() + 1), part);
                }
                state = join_parts(options, &state.bytes, &ready).unwrap();
            }
            _ => {
                let fresh: Vec<_> = state.facts.open_buckets.iter().filter(|job| !asked.contains(&job.bucket)).copied().collect();
                if !fresh.is_empty() {
                    let job = fresh[dice.below(fresh.len())];
                    asked.insert(job.bucket);
                    of_buckets.push(verified(AuditTask::Buckets { buckets: vec![job] }).bytes);
                }
            }
        }
        // What was forgotten in between may be asked for again.
        asked.retain(|bucket| !of_buckets.is_empty() || state.facts.open_buckets.iter().all(|job| job.bucket != *bucket));
    }
    finish(reader, options, &state)
}

/// All of it but times.
fn assert_same(one: &Report, other: &Report, what: &str) {
    let json = |report: &Report| {
        let mut json = serde_json::to_value(report).unwrap();
        for field in ["elapsedMs", "startedAt"] {
            json.as_object_mut().unwrap().remove(field).unwrap();
        }
        json
    };
    let (one, other) = (json(one), json(other));
    for (field, value) in one.as_object().unwrap() {
        assert_eq!(Some(value), other.get(field), "{what}: {field}");
    }
    assert_eq!(one, other, "{what}");
}

fn made(ledgers: u32) -> BTreeMap<String, Vec<u8>> {
    let config = Config { ledgers, frequency: Frequency::Accelerated, ..Config::default() };
    sample_archive::make(&config).files
}

fn reader(files: BTreeMap<String, Vec<u8>>) -> Named<MemoryArchive> {
    Named("made", MemoryArchive::new(files))
}

fn accelerated() -> RunOptions {
    let mut options = RunOptions::default();
    options.frequency = CheckpointFrequency::from_ledgers(8).unwrap();
    options.network = Some(Network::from_name_or_passphrase(&Config::default().passphrase));
    options.trust.nobody = true;
    options
}

/// Files of every kind are missing or damaged, wherever parts begin and end.
fn break_everywhere(files: &mut BTreeMap<String, Vec<u8>>) {
    let names: Vec<_> = files.keys().filter(|name| !name.starts_with(".well-known")).cloned().collect();
    for (place, name) in names.iter().enumerate().filter(|(place, _)| place % 97 == 0) {
        if place % 2 == 0 {
            files.remove(name);
        } else {
            let content = files.get_mut(name).unwrap();
            let middle = content.len() / 2;
            content[middle] ^= 1;
        }
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, top: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % top
    }
}
