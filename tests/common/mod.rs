//! What the native tests share: the data folder, a host without waiting, archives with an overlay.

#![allow(dead_code, unreachable_pub, reason = "every test uses its own part")]
#![allow(clippy::panic, clippy::unwrap_used)]

pub mod made;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, pending, ready};
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::archive::error::ReadError;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::ArchivePath;
use stellar_archive_verifier::driver::event::Event;
use stellar_archive_verifier::driver::{Host, RunOptions, verify_archive};
use stellar_archive_verifier::report::{Report, Verdict};
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::transport::{ArchiveReader, Body};

/// The folder of real archives, corrupted variants and vectors: `STELLAR_ARCHIVE_DATA`, or `../shared/data`.
///
/// Where it is absent the test says so by name and passes; under `CI=true` that is a failure.
pub fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STELLAR_ARCHIVE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.join("variants/manifest.json").is_file() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: no real archives at {}; set STELLAR_ARCHIVE_DATA", folder.display());
    eprintln!("skipped {test}: no real archives at {}; set STELLAR_ARCHIVE_DATA", folder.display());
    None
}

/// A host that never waits, with a clock that moves by itself.
#[derive(Default)]
pub struct TestHost {
    now: Cell<u64>,
    /// Look-ups of `is_cancelled` until it says yes.
    pub cancel_after: Cell<Option<u64>>,
}

impl Host for TestHost {
    fn now_ms(&self) -> u64 {
        self.now.set(self.now.get() + 1);
        self.now.get()
    }

    fn timestamp(&self) -> String {
        "2026-01-01T00:00:00.000Z".into()
    }

    fn jitter_thousandths(&self) -> u64 {
        500
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        // Idle timeouts are longer than any retry delay; the local readers never idle.
        if ms >= 60_000 {
            return Box::pin(pending());
        }
        Box::pin(ready(()))
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn is_cancelled(&self) -> bool {
        match self.cancel_after.get() {
            None => false,
            Some(0) => true,
            Some(left) => {
                self.cancel_after.set(Some(left - 1));
                false
            }
        }
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        if self.cancel_after.get() == Some(0) { Box::pin(ready(())) } else { Box::pin(pending()) }
    }
}

/// A folder, with some files replaced or taken away.
pub struct Overlay {
    base: LocalArchive,
    changes: BTreeMap<String, Option<Vec<u8>>>,
}

impl Overlay {
    pub fn new(base: impl AsRef<Path>) -> Self {
        Self { base: LocalArchive::new(base), changes: BTreeMap::new() }
    }

    /// A corrupted archive of the data set, by its entry in the manifest.
    pub fn of_variant(data: &Path, variant: &serde_json::Value) -> Self {
        let folder = data.join("variants").join(variant["id"].as_str().unwrap()).join("files");
        let mut archive = Self::new(data.join("archives").join(variant["base"].as_str().unwrap()));
        for change in variant["changes"].as_array().unwrap() {
            let path = change["path"].as_str().unwrap();
            let bytes = (change["action"] != "delete").then(|| std::fs::read(folder.join(path)).unwrap());
            archive = archive.replace(path, bytes);
        }
        archive
    }

    pub fn replace(mut self, path: impl Into<String>, bytes: Option<Vec<u8>>) -> Self {
        self.changes.insert(path.into(), bytes);
        self
    }
}

impl ArchiveReader for Overlay {
    fn name(&self) -> &str {
        self.base.name()
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        match self.changes.get(path.as_str()) {
            None => self.base.open(path),
            Some(None) => {
                let nothing = MemoryArchive::default();
                let result = nothing.open(path).now_or_never().expect("memory never waits");
                Box::pin(ready(result))
            }
            Some(Some(bytes)) => {
                Box::pin(ready(Ok(Body::whole(bytes.clone(), stellar_archive_verifier::codec::file::BodyCoding::AsStored))))
            }
        }
    }
}

pub fn options(low: u32, high: u32, network: Option<&str>) -> RunOptions {
    let mut options = RunOptions::default();
    options.low = Some(LedgerSeq::new(low));
    options.high = Some(LedgerSeq::new(high));
    options.network = network.map(Network::from_name_or_passphrase);
    options.concurrency = 4.into();
    options
}

/// Runs to the end and checks what every report must hold: totals add up, events and report agree.
pub fn verify(reader: &dyn ArchiveReader, options: &RunOptions) -> Report {
    verify_on(&TestHost::default(), reader, options)
}

pub fn verify_on(host: &TestHost, reader: &dyn ArchiveReader, options: &RunOptions) -> Report {
    let mut checkpoints = 0;
    let report = futures_executor::block_on(verify_archive(reader, host, options, &mut |event| {
        if let Event::Checkpoint { .. } = event {
            checkpoints += 1;
        }
    }))
    .expect("the options are sound");
    if let Some(range) = report.range {
        let step = options.frequency.ledgers();
        let asked = u64::from((range.high.value() + 1 - (range.low.value() / step) * step) / step);
        for (kind, tally) in &report.totals {
            if *kind != "bucket" {
                assert_eq!(tally.total(), asked, "the totals of {kind} add up to the checkpoints asked for");
            }
        }
        let all = checkpoints == asked || (report.verdict == Verdict::Incomplete && checkpoints < asked);
        assert!(all, "every checkpoint is announced once, unless the run stopped: {checkpoints} of {asked}");
    }
    report
}

pub fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}
