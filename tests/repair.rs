//! Every corrupted variant of the manifest as the destination of a repair, with the clean archive as its source: what was wrong is
//! mended, what was right is left alone.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use common::{TestHost, data, options, verify};
use futures_util::future::{LocalBoxFuture, ready};
use serde_json::Value;
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::archive::error::{ReadError, ReadErrorKind, WriteError};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::ArchivePath;
use stellar_archive_verifier::codec::file::BodyCoding;
use stellar_archive_verifier::driver::repair::{RepairOptions, repair_archive};
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::report::copy::CopyVerdict;
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::{ArchiveReader, ArchiveWriter, Body};

/// A corrupted archive, and what was written over it.
struct Corrupted {
    base: LocalArchive,
    changes: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
    written: RefCell<Vec<String>>,
}

impl ArchiveReader for Corrupted {
    fn name(&self) -> &str {
        "the corrupted one"
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        match self.changes.borrow().get(path.as_str()) {
            None => self.base.open(path),
            Some(None) => Box::pin(ready(Err(ReadError::new(ReadErrorKind::NotFound, "there is no such file")))),
            Some(Some(bytes)) => Box::pin(ready(Ok(Body::whole(bytes.clone(), BodyCoding::AsStored)))),
        }
    }
}

impl ArchiveWriter for Corrupted {
    fn name(&self) -> &str {
        "the corrupted one"
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        self.written.borrow_mut().push(path.as_str().to_owned());
        self.changes.borrow_mut().insert(path.as_str().to_owned(), Some(bytes.to_vec()));
        Box::pin(ready(Ok(())))
    }

    fn exists<'a>(&'a self, _: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        Box::pin(ready(Ok(true)))
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        Some(self)
    }
}

#[test]
fn every_corrupted_variant_is_mended_and_nothing_else_is_touched() {
    let Some(data) = data("every_corrupted_variant_is_mended_and_nothing_else_is_touched") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(data.join("variants/manifest.json")).unwrap()).unwrap();
    let mut failures = Vec::new();
    let mut mended = 0;
    for variant in manifest["variants"].as_array().unwrap() {
        match mend(&data, variant) {
            Ok(true) => mended += 1,
            Ok(false) => {}
            Err(problem) => failures.push(format!("{} ({}): {problem}", variant["id"], variant["expect"])),
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
    assert!(mended > 300, "{mended} were mended");
}

/// Whether there was something to mend.
fn mend(data: &Path, variant: &Value) -> Result<bool, String> {
    let id = variant["id"].as_str().unwrap();
    // Rewritten so that all of it agrees with itself: without somebody's word nothing tells it from the source.
    let is_consistent = matches!(variant["expect"]["tier"].as_str(), Some("anchor")) || id.contains("-consistent");
    let folder = data.join("variants").join(id).join("files");
    let base = data.join("archives").join(variant["base"].as_str().unwrap());
    let mut changes = BTreeMap::new();
    for change in variant["changes"].as_array().unwrap() {
        let path = change["path"].as_str().unwrap();
        let bytes = (change["action"] != "delete").then(|| std::fs::read(folder.join(path)).unwrap());
        changes.insert(path.to_owned(), bytes);
    }
    let broken = Corrupted { base: LocalArchive::new(&base), changes: RefCell::new(changes.clone()), written: RefCell::default() };
    let ledger = |index: usize| LedgerSeq::new(u32::try_from(variant["range"][index].as_u64().unwrap()).unwrap());
    let network = variant["networkPassphrase"].as_str();
    let mut check = options(ledger(0).value(), ledger(1).value(), network);
    let before = verify(&broken, &check).verdict;
    let mut repair = RepairOptions::default();
    // A repair finds out for itself how far the archive goes.
    repair.copy.low = Some(ledger(0));
    repair.copy.network = network.map(Network::from_name_or_passphrase);
    repair.copy.concurrency = 4.into();
    let source = LocalArchive::new(&base);
    let report = match futures_executor::block_on(repair_archive(vec![&source], &broken, &TestHost::default(), &repair, &mut |_| {})) {
        Ok(report) => report,
        Err(refused) => {
            // One that names another network, or has another history than the source, all of it in agreement with itself.
            let rightly = id.starts_with("root-passphrase-wrong") || (is_consistent && refused.to_string().contains("another history"));
            let untouched = broken.written.borrow().is_empty();
            return if rightly && untouched { Ok(false) } else { Err(format!("refused (untouched: {untouched}): {refused}")) };
        }
    };
    let written = broken.written.borrow().clone();
    if let Some(stranger) = written.iter().find(|path| !changes.contains_key(*path)) {
        return Err(format!("{stranger} was not corrupted, and was written"));
    }
    for path in &written {
        let (own, theirs) = (broken.changes.borrow()[path].clone().unwrap(), std::fs::read(base.join(path)).unwrap());
        // Newest states differ in their form; one that was mended is made of the state of its checkpoint.
        let lists = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap()["currentBuckets"].clone();
        let same = own == theirs || (path.starts_with(".well-known") && lists(&own) == lists(&theirs));
        if !same {
            return Err(format!("{path} was written, and is not the source's"));
        }
    }
    // Where the newest state named too much, the archive ends before.
    check.high = report.range.map(|range| range.high).min(check.high);
    let after = verify(&broken, &check);
    if is_consistent && written.is_empty() && report.verdict == CopyVerdict::Faulty {
        return Ok(false);
    }
    if after.verdict != Verdict::Verified {
        let codes: Vec<_> = after.findings.iter().map(|finding| finding.code.as_str()).collect();
        return Err(format!("it was {before:?} and is {:?}: {codes:?}; {:?} {}", after.verdict, report.verdict, report.statement));
    }
    // scp files may be missing; a source that has them is welcome.
    let undetectable = variant["expect"]["tier"] == "undetectable";
    if before == Verdict::Verified && !undetectable && written.iter().any(|path| !path.starts_with("scp/")) {
        return Err(format!("it was verified, and {written:?} was written"));
    }
    if report.verdict != CopyVerdict::Complete {
        return Err(format!("{:?}: {} {:?}", report.verdict, report.statement, report.files));
    }
    Ok(!written.is_empty())
}
