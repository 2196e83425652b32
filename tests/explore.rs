//! Looking into archives: what is shown is what stands there, every hash is of the bytes that are named, and what is broken is
//! shown as broken.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use common::made::{edit, file, inflate, path, records};
use common::{Overlay, TestHost, data};
use futures_executor::block_on;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use proptest::prelude::{ProptestConfig, proptest};
use sample_archive::{Archive, Config};
use serde_json::Value;
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::archive::error::{ReadError, ReadErrorKind};
use stellar_archive_verifier::archive::node::NodeId;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::file::BodyCoding;
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipLimits};
use stellar_archive_verifier::codec::gzip_encoder::gzip;
use stellar_archive_verifier::codec::hash::{Hash256, sha256};
use stellar_archive_verifier::driver::ReadOptions;
use stellar_archive_verifier::driver::explore::{ExploreError, Explorer, FoundTransaction, Memory};
use stellar_archive_verifier::explore::check::{Check, CheckName, Outcome};
use stellar_archive_verifier::explore::checkpoint::CheckpointView;
use stellar_archive_verifier::explore::ledger::LedgerView;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::transport::{ArchiveReader, Body};

/// An archive that is looked into again and again.
struct Looking<'a> {
    reader: &'a dyn ArchiveReader,
    host: TestHost,
    options: ReadOptions,
    memory: Memory,
}

impl<'a> Looking<'a> {
    fn into(reader: &'a dyn ArchiveReader) -> Self {
        Self { reader, host: TestHost::default(), options: ReadOptions::default(), memory: Memory::default() }
    }

    fn explorer(&self) -> Explorer<'_> {
        Explorer::new(self.reader, &self.host, &self.options, &self.memory)
    }

    fn checkpoint(&self, ledger: u32) -> Result<CheckpointView, ExploreError> {
        block_on(self.explorer().checkpoint(LedgerSeq::new(ledger)))
    }

    fn ledger(&self, ledger: u32) -> Result<LedgerView, ExploreError> {
        block_on(self.explorer().ledger(LedgerSeq::new(ledger)))
    }

    fn transaction(&self, ledger: u32, index: u32) -> Result<Value, ExploreError> {
        let view = block_on(self.explorer().transaction(LedgerSeq::new(ledger), index));
        view.map(|view| serde_json::to_value(&view).unwrap())
    }

    fn find(&self, hash: Hash256, low: Option<u32>, high: Option<u32>) -> Result<Option<FoundTransaction>, ExploreError> {
        let (low, high) = (low.map(LedgerSeq::new), high.map(LedgerSeq::new));
        block_on(self.explorer().find_transaction(&hash, low, high, &mut |_| {}))
    }
}

/// Cuts excerpts out of the files of an archive.
struct Cutter<'a> {
    reader: &'a dyn ArchiveReader,
    files: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Cutter<'_> {
    fn cut(&self, path: &ArchivePath, offset: u64, length: u64) -> Vec<u8> {
        let mut files = self.files.borrow_mut();
        let file = files.entry(path.as_str().to_owned()).or_insert_with(|| gunzip(&stored(self.reader, path)));
        let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
        file[from..to].to_vec()
    }

    /// What `sha256sum` says of the bytes that a check names.
    fn repeat(&self, check: &Check) -> Option<Hash256> {
        let shown = [check.of.is_some(), check.hex.is_some(), !check.parts.is_empty()];
        assert!(shown.iter().filter(|shown| **shown).count() <= 1, "{check:?}");
        let parts: Vec<u8> = check.of.iter().chain(&check.parts).flat_map(|of| self.cut(&of.path, of.offset, of.length)).collect();
        match &check.hex {
            Some(hex) => Some(sha256(&[&hex::decode(hex).unwrap()])),
            None => shown.contains(&true).then(|| sha256(&[&parts])),
        }
    }

    /// Whoever repeats a check gets what it says, and its outcome follows from that.
    fn assert_repeats(&self, ledger: u32, check: &Check) {
        let repeated = self.repeat(check);
        assert_eq!(repeated, check.computed, "ledger {ledger}: {check:?}");
        if let Some(computed) = check.computed {
            let agree = check.claims.iter().all(|claim| claim.hash == computed);
            match check.outcome {
                Outcome::Holds => assert!(agree && !check.claims.is_empty(), "ledger {ledger}: {check:?}"),
                Outcome::Broken => assert!(!agree || check.why.is_some(), "ledger {ledger}: {check:?}"),
                Outcome::Unknown => assert!(check.why.is_some(), "ledger {ledger}: {check:?}"),
            }
        }
        assert!(check.outcome != Outcome::Unknown || check.why.is_some(), "ledger {ledger}: {check:?}");
    }
}

fn cutter(reader: &dyn ArchiveReader) -> Cutter<'_> {
    Cutter { reader, files: RefCell::default() }
}

fn stored(reader: &dyn ArchiveReader, path: &ArchivePath) -> Vec<u8> {
    block_on(async {
        let mut body = reader.open(path).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunks.next().await {
            bytes.extend(chunk.unwrap());
        }
        bytes
    })
}

/// As `gzip -dc`: what comes before a fault comes out.
fn gunzip(gz: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), 1 << 30));
    let _ = decoder.push(gz, &mut |part: &[u8]| {
        bytes.extend_from_slice(part);
        ControlFlow::Continue(())
    });
    bytes
}

fn sample(protocol: u32) -> Archive {
    sample_archive::make(&Config { protocol: protocol.try_into().unwrap(), ledgers: 190, ..Config::default() })
}

#[test]
fn whoever_cuts_out_the_bytes_of_a_check_of_a_real_archive_and_hashes_them_gets_what_it_says() {
    let Some(data) = data("whoever_cuts_out_the_bytes_of_a_check_of_a_real_archive_and_hashes_them_gets_what_it_says") else { return };
    let archives: [(&str, &[u32]); 5] = [
        ("testnet-p22", &[0x3f, 0x7f, 0x3ff, 0xe3f]),
        ("pubnet-1.2m", &[0x0012_85ff, 0x0012_86bf]),
        ("pubnet-12m", &[0x00b7_1aff, 0x00b7_1bff, 0x00b7_1cff]),
        ("synth-p27", &[0x277f, 0x27bf]),
        ("testnet-genesis-p24", &[0x3f, 0x7f]),
    ];
    for (name, checkpoints) in archives {
        let archive = LocalArchive::new(data.join("archives").join(name));
        let (looking, cutter) = (Looking::into(&archive), cutter(&archive));
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for checkpoint in checkpoints {
            let view = looking.checkpoint(*checkpoint).unwrap();
            assert_eq!(view.ledgers.len(), if *checkpoint == 0x3f { 63 } else { 64 });
            let state = view.state.as_ref().unwrap();
            assert_eq!(state.check.outcome, Outcome::Holds);
            cutter.assert_repeats(*checkpoint, &state.check);
            for row in &view.ledgers {
                let ledger = looking.ledger(row.ledger.value()).unwrap();
                for check in &ledger.checks {
                    cutter.assert_repeats(row.ledger.value(), check);
                    let at_an_end = matches!(check.name, CheckName::NextHeader | CheckName::PreviousHeader | CheckName::ScpValue);
                    assert!(
                        check.outcome == Outcome::Holds || (check.outcome == Outcome::Unknown && at_an_end),
                        "{name}, ledger {}: {check:?}",
                        row.ledger
                    );
                    seen.insert(format!("{:?} {}", check.name, if check.of.is_some() { "of" } else { "hex" }));
                }
                assert_eq!(ledger.transactions.len(), row.transactions);
                assert_eq!(ledger.transactions.iter().filter(|row| !row.successful).count(), row.failed);
            }
        }
        let wanted: &[&str] = match name {
            "testnet-p22" => {
                &["Genesis of", "TransactionSet of", "TransactionSet hex", "Results of", "Results hex", "BucketList hex", "ScpValue of"]
            }
            "pubnet-1.2m" => &["TransactionSet hex", "HeaderHash of", "PreviousHeader of", "NextHeader of"],
            _ => &["TransactionSet hex"],
        };
        wanted.iter().for_each(|wanted| assert!(seen.contains(*wanted), "{name}: {wanted} of {seen:?}"));
    }
}

#[test]
fn the_ledgers_and_transactions_of_every_era_hold() {
    for protocol in [8, 13, 20, 22, 23, 28] {
        let archive = sample(protocol);
        let reader = MemoryArchive::new(archive.files.clone());
        let (looking, cutter) = (Looking::into(&reader), cutter(&reader));
        for ledger in 1..=archive.tip {
            let view = looking.ledger(ledger).unwrap();
            assert_eq!(
                view.checks.iter().find(|check| check.name == CheckName::HeaderHash).unwrap().computed,
                Some(Hash256::new(archive.hashes[&ledger]))
            );
            for check in &view.checks {
                cutter.assert_repeats(ledger, check);
                let the_end = ledger == archive.tip && check.name == CheckName::NextHeader;
                assert_eq!(
                    check.outcome,
                    if the_end { Outcome::Unknown } else { Outcome::Holds },
                    "protocol {protocol}, ledger {ledger}: {check:?}"
                );
            }
            assert_eq!(!view.transactions.is_empty(), archive.busy_ledgers.contains(&ledger), "ledger {ledger}");
            for row in &view.transactions {
                let transaction = looking.transaction(ledger, u32::try_from(row.index).unwrap()).unwrap();
                assert_eq!(transaction["hash"], row.hash.to_string());
                assert!(transaction["source"].as_str().unwrap().starts_with(['G', 'M']), "{transaction}");
                let details = transaction["details"].as_array().unwrap();
                assert_eq!(details.len(), row.operations.len());
                assert!(details.iter().zip(&row.operations).all(|(detail, name)| detail["type"] == **name && detail["json"].is_object()));
                if row.successful {
                    assert!(details.iter().all(|detail| detail["resultWords"] == "success"), "{transaction}");
                }
                let checks = transaction["checks"].as_array().unwrap();
                assert_eq!(
                    checks.iter().map(|check| check["name"].as_str().unwrap()).collect::<Vec<_>>(),
                    ["transaction-hash", "result-of-transaction", "transaction-set", "results"]
                );
                assert!(checks.iter().all(|check| check["outcome"] == "holds"), "{checks:?}");
                let hashed = hex::decode(checks[0]["hex"].as_str().unwrap()).unwrap();
                assert_eq!(sha256(&[&hashed]), row.hash);
            }
        }
    }
}

#[test]
fn a_fee_bump_says_who_pays_and_who_acts() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let looking = Looking::into(&reader);
    let mut bumped = 0;
    for ledger in &archive.busy_ledgers {
        for row in looking.ledger(*ledger).unwrap().transactions {
            let view = looking.transaction(*ledger, u32::try_from(row.index).unwrap()).unwrap();
            let is_bump = view["envelope"]["json"].get("tx_fee_bump").is_some();
            assert_eq!(view["feeSource"].is_string(), is_bump);
            if is_bump {
                bumped += 1;
                assert_ne!(view["feeSource"], view["source"]);
            }
        }
    }
    assert!(bumped > 0, "the sample archive has fee bumps");
}

#[test]
fn damage_shows_as_the_check_that_it_breaks_and_as_no_other() {
    let archive = sample(22);
    let busy = *archive.busy_ledgers.iter().find(|ledger| (70..120).contains(*ledger)).unwrap();
    let index = usize::try_from(busy - 64).unwrap();
    let damaged = |kind: FileKind, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut files = archive.files.clone();
        let content = files.get_mut(&path(kind, busy)).unwrap();
        let mut list = records(content);
        change(&mut list);
        *content = file(&list);
        MemoryArchive::new(files)
    };
    let of_ledger = |list: &mut Vec<Vec<u8>>| list.iter().position(|record| record[..4] == busy.to_be_bytes()).unwrap();
    let broken = |archive: &MemoryArchive, ledger: u32| -> Vec<CheckName> {
        let looking = Looking::into(archive);
        let (view, cutter) = (looking.ledger(ledger).unwrap(), cutter(archive));
        view.checks.iter().for_each(|check| cutter.assert_repeats(ledger, check));
        let names: Vec<_> = view.checks.iter().filter(|check| check.outcome == Outcome::Broken).map(|check| check.name).collect();
        let row = looking.checkpoint(ledger).unwrap().ledgers.into_iter().find(|row| row.ledger.value() == ledger).unwrap();
        assert_eq!(row.broken, names);
        assert_eq!(row.outcome, if names.is_empty() { Outcome::Holds } else { Outcome::Broken });
        names
    };

    let claim = damaged(FileKind::Ledger, &|list| list[index][5] ^= 1);
    assert_eq!(broken(&claim, busy), [CheckName::HeaderHash]);
    assert_eq!(broken(&claim, busy + 1), []);
    // Byte 32 + 4 + 32 + 32 + 8 begins behind the value's time: the last byte of the skip list is a field that nothing else reads.
    let header = damaged(FileKind::Ledger, &|list| {
        let at = list[index].len() - 9;
        list[index][at] ^= 1;
    });
    assert_eq!(broken(&header, busy), [CheckName::HeaderHash, CheckName::NextHeader]);
    assert_eq!(broken(&header, busy + 1), [CheckName::PreviousHeader]);
    assert_eq!(broken(&header, busy - 1), []);
    let set = damaged(FileKind::Transactions, &|list| {
        let at = of_ledger(list);
        // A signature is the last thing of a set, of which only the hash tells.
        let last = list[at].len() - 20;
        list[at][last] ^= 1;
    });
    assert_eq!(broken(&set, busy), [CheckName::TransactionSet]);
    assert_eq!(broken(&set, busy + 1), []);
    let results = damaged(FileKind::Results, &|list| {
        let at = of_ledger(list);
        // The fee of the first result.
        list[at][8 + 32 + 7] ^= 1;
    });
    assert_eq!(broken(&results, busy), [CheckName::Results]);
    let no_results = damaged(FileKind::Results, &|list| {
        let at = of_ledger(list);
        list.remove(at);
    });
    assert_eq!(broken(&no_results, busy), [CheckName::Results, CheckName::ResultCount]);
    let no_set = damaged(FileKind::Transactions, &|list| {
        let at = of_ledger(list);
        list.remove(at);
    });
    assert_eq!(broken(&no_set, busy), [CheckName::TransactionSet, CheckName::ResultCount]);

    let mut files = archive.files.clone();
    let state = files.get_mut(&path(FileKind::History, busy)).unwrap();
    let text = String::from_utf8(state.clone()).unwrap();
    let curr = text.split("\"curr\": \"").nth(1).unwrap()[..64].to_owned();
    *state = text.replacen(&curr, &"ab".repeat(32), 1).into_bytes();
    let buckets = MemoryArchive::new(files);
    assert_eq!(broken(&buckets, 127), [CheckName::BucketList]);
    assert_eq!(Looking::into(&buckets).checkpoint(busy).unwrap().state.unwrap().check.outcome, Outcome::Broken);
}

#[test]
fn a_missing_file_leaves_what_it_would_show_unknown_and_everything_else_as_it_is() {
    let archive = sample(22);
    let busy = archive.busy_ledgers.iter().copied().find(|ledger| (70..120).contains(ledger)).unwrap();
    let without = |kind: FileKind| {
        let mut files = archive.files.clone();
        files.remove(&path(kind, busy)).unwrap();
        MemoryArchive::new(files)
    };
    let unknown = |kind: FileKind, ledger: u32| {
        let reader = without(kind);
        let looking = Looking::into(&reader);
        let view = looking.checkpoint(ledger).unwrap();
        let line = view.files.iter().find(|line| line.kind == kind).unwrap();
        assert_eq!(line.status, "missing");
        let checks = looking.ledger(ledger).unwrap().checks;
        assert!(checks.iter().all(|check| check.outcome != Outcome::Broken), "{checks:?}");
        let unknown: Vec<_> = checks.iter().filter(|check| check.outcome == Outcome::Unknown).collect();
        assert!(unknown.iter().all(|check| check.why.as_ref().unwrap().contains("is not in the archive")), "{unknown:?}");
        let row = view.ledgers.into_iter().find(|row| row.ledger.value() == ledger).unwrap();
        (unknown.iter().map(|check| check.name).collect::<Vec<_>>(), row.outcome)
    };
    assert_eq!(unknown(FileKind::Transactions, busy), (vec![CheckName::TransactionSet, CheckName::ResultCount], Outcome::Unknown));
    assert_eq!(unknown(FileKind::Results, busy), (vec![CheckName::Results, CheckName::ResultCount], Outcome::Unknown));
    assert_eq!(unknown(FileKind::History, 127), (vec![CheckName::BucketList], Outcome::Unknown));
    assert_eq!(unknown(FileKind::Scp, busy), (vec![CheckName::ScpValue], Outcome::Holds), "scp files are optional");

    let reader = without(FileKind::Transactions);
    let transaction = Looking::into(&reader).transaction(busy, 0).unwrap();
    assert!(transaction["source"].is_null() && transaction["envelope"].is_null() && transaction["resultPair"]["json"].is_object());
    let reader = without(FileKind::Ledger);
    let looking = Looking::into(&reader);
    let view = looking.checkpoint(busy).unwrap();
    assert!(view.ledgers.is_empty() && view.state.unwrap().check.outcome == Outcome::Unknown);
    assert_eq!(looking.ledger(busy).unwrap_err().code(), "FAULTY");
    let reader = without(FileKind::Results);
    assert_eq!(Looking::into(&reader).transaction(busy, 0).unwrap_err().code(), "FAULTY");
}

#[test]
fn every_corrupted_archive_of_the_data_set_can_be_looked_at_and_shows_what_is_wrong() {
    let Some(data) = data("every_corrupted_archive_of_the_data_set_can_be_looked_at_and_shows_what_is_wrong") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(data.join("variants/manifest.json")).unwrap()).unwrap();
    let (mut failures, mut shown) = (Vec::new(), 0);
    for variant in manifest["variants"].as_array().unwrap() {
        let archive = Overlay::of_variant(&data, variant);
        let (looking, cutter) = (Looking::into(&archive), cutter(&archive));
        let place = &variant["where"];
        let checkpoint = u32::try_from(place["checkpoint"].as_u64().unwrap()).unwrap();
        let mut wrong: BTreeSet<String> = BTreeSet::new();
        // What contradicts a neighbour may show there.
        let class = variant["expect"]["class"].as_str().unwrap_or_default();
        let around = if class.starts_with("header") { 64 } else { 0 };
        for ledger in BTreeSet::from([checkpoint.saturating_sub(around), checkpoint, checkpoint + around]) {
            let Ok(view) = looking.checkpoint(ledger.max(1)) else { continue };
            wrong.extend(view.files.iter().filter(|line| line.status != "read").map(|line| format!("{} {}", line.kind, line.status)));
            for row in &view.ledgers {
                wrong.extend(row.broken.iter().map(|name| format!("{name:?}")));
                let changed = place["ledger"].as_u64().is_some_and(|ledger| ledger.abs_diff(row.ledger.value().into()) < 2);
                let at_an_end = row.ledger == view.low || row.ledger == view.high;
                if ledger != checkpoint || !(changed || at_an_end || (row.outcome == Outcome::Broken && row.ledger.value() % 8 == 0)) {
                    continue;
                }
                let view = looking.ledger(row.ledger.value()).unwrap();
                view.checks.iter().for_each(|check| cutter.assert_repeats(row.ledger.value(), check));
                for row in view.transactions.iter().take(3) {
                    let _ = looking.transaction(view.ledger.value(), u32::try_from(row.index).unwrap());
                }
                wrong.extend(
                    view.scp
                        .iter()
                        .flat_map(|scp| &scp.nodes)
                        .filter(|node| node.signature == Outcome::Broken)
                        .map(|_| "signature".to_owned()),
                );
            }
        }
        if place["path"].as_str().is_some_and(|path| path.starts_with("bucket/")) {
            let name = place["path"].as_str().unwrap();
            let hash = name[name.len() - 71..name.len() - 7].to_owned();
            let _ = block_on(looking.explorer().bucket(&hash, 0, 10));
            match block_on(looking.explorer().verify_bucket(&hash, &mut |_| {})) {
                Ok(check) if check.holds => {}
                _ => drop(wrong.insert("bucket".into())),
            }
        }
        let expect = &variant["expect"];
        let wanted: &[&str] = match class {
            "header-hash-mismatch" => &["HeaderHash"],
            "header-chain-break" => &["PreviousHeader", "NextHeader"],
            "txset-hash-mismatch" | "txset-missing" => &["TransactionSet"],
            "txset-prev-hash-mismatch" => &["PreviousHeader"],
            "result-hash-mismatch" | "result-missing" => &["Results"],
            "bucket-list-hash-mismatch" => &["BucketList"],
            "bucket-hash-mismatch" | "bucket-missing" if place["path"].as_str().is_some_and(|path| path.starts_with("bucket/")) => {
                &["bucket"]
            }
            "scp-value-mismatch" => &["ScpValue"],
            "scp-signature" => &["signature"],
            "has-json" | "has-schema" | "has-version" | "has-ledger-mismatch" => &["history faulty"],
            "file-missing" if place["category"] != "root" && expect["tier"] == "base" => {
                &["ledger missing", "transactions missing", "results missing", "history missing"]
            }
            _ => &[],
        };
        match expect["verdict"].as_str().unwrap() {
            "fail" if expect["tier"] == "base" && !wanted.is_empty() && place["path"] != ".well-known/stellar-history.json" => {
                shown += 1;
                if !wanted.iter().any(|wanted| wrong.contains(*wanted)) {
                    failures.push(format!("{}: {class} must show as one of {wanted:?}, got {wrong:?}", variant["id"]));
                }
            }
            "pass" => {
                shown += 1;
                wrong.retain(|what| !what.starts_with("scp missing"));
                let beyond = wrong.iter().filter(|what| !what.ends_with("missing")).count();
                if beyond > 0 {
                    failures.push(format!("{}: must show nothing wrong, got {wrong:?}", variant["id"]));
                }
            }
            _ => {}
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(shown > 150, "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever stands in the files of a checkpoint, looking at it ends, and what is shown can be repeated.
    #[test]
    fn hostile_bytes_are_shown_or_refused(kind in 1usize..5, changes in proptest::collection::vec((0u32..60_000, proptest::num::u8::ANY), 1..6), cut in 0u32..4) {
        thread_local!(static ARCHIVE: Archive = sample(23));
        let mut files = ARCHIVE.with(|archive| archive.files.clone());
        let content = files.get_mut(&path(FileKind::ALL[kind], 100)).unwrap();
        let mut bytes = inflate(content);
        for (at, value) in changes {
            let length = bytes.len();
            bytes[usize::try_from(at).unwrap() % length] = value;
        }
        if cut == 0 {
            bytes.truncate(bytes.len() / 2);
        }
        *content = gzip(&bytes);
        let reader = MemoryArchive::new(files);
        let (looking, cutter) = (Looking::into(&reader), cutter(&reader));
        let view = looking.checkpoint(100).unwrap();
        serde_json::to_string(&view).unwrap();
        for row in &view.ledgers {
            let ledger = looking.ledger(row.ledger.value()).unwrap();
            serde_json::to_string(&ledger).unwrap();
            ledger.checks.iter().for_each(|check| cutter.assert_repeats(row.ledger.value(), check));
            for row in ledger.transactions.iter().take(2) {
                let _ = looking.transaction(ledger.ledger.value(), u32::try_from(row.index).unwrap());
            }
        }
    }
}

#[test]
fn who_said_what_of_a_ledger_and_whether_it_is_theirs() {
    let archive = sample(22);
    let forged = archive.validators[0].clone();
    let edited = edit(&archive, |ledger, entry| {
        if ledger == 100 {
            let mut messages = entry.ledger_messages.messages.to_vec();
            for envelope in &mut messages {
                if NodeId::from_xdr(&envelope.statement.node_id).to_string() == forged {
                    let mut signature = envelope.signature.to_vec();
                    signature[3] ^= 1;
                    envelope.signature.0 = signature.try_into().unwrap();
                }
            }
            entry.ledger_messages.messages = messages.try_into().unwrap();
        }
    });
    let reader = MemoryArchive::new(edited.files);
    let looking = Looking::into(&reader);
    for ledger in [99, 100] {
        let view = looking.ledger(ledger).unwrap().scp.unwrap();
        assert!(view.nodes.iter().all(|node| archive.validators.contains(&node.node.to_string())));
        assert!(view.nodes.len() >= 3);
        for node in &view.nodes {
            let is_forged = ledger == 100 && node.node.to_string() == forged;
            assert_eq!(node.signature, if is_forged { Outcome::Broken } else { Outcome::Holds });
            assert!(node.statements.iter().all(|kind| ["EXTERNALIZE", "CONFIRM", "PREPARE", "NOMINATE"].contains(&kind.as_str())));
            assert!(view.quorum_sets.iter().any(|set| Some(set.hash) == node.quorum_set));
            assert_eq!(node.same_value, (node.statements != ["NOMINATE"]).then_some(true));
        }
        assert!(archive.validators.contains(&view.proposer.unwrap().to_string()));
    }
}

#[test]
fn every_message_of_a_node_is_shown_with_its_ballot_its_value_and_its_signature() {
    let Some(data) = data("every_message_of_a_node_is_shown_with_its_ballot_its_value_and_its_signature") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let looking = Looking::into(&archive);
    let view = looking.ledger(10).unwrap();
    let value = view.checks.iter().find(|check| check.name == CheckName::ScpValue).unwrap().computed;
    let said: Vec<_> = view.scp.unwrap().nodes.into_iter().flat_map(|node| node.said).collect();
    assert_eq!(said.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["EXTERNALIZE", "CONFIRM", "PREPARE"]);
    for one in &said {
        assert_eq!((one.counter, one.value, one.same_value, one.signature), (Some(1), value, Some(true), Outcome::Holds));
    }
    assert_eq!(said[1].words, "prepared up to ballot 1, accepts the commit of ballots 1 to 1");
    assert_eq!(said[2].words, "prepared ballot 1, votes to commit ballots 1 to 1");
}

fn upgrades(archive: &dyn ArchiveReader, ledger: u32) -> Vec<Value> {
    let view = serde_json::to_value(Looking::into(archive).ledger(ledger).unwrap()).unwrap();
    view["upgrades"].as_array().unwrap().clone()
}

#[test]
fn upgrades_are_told_in_words_beside_what_the_header_says() {
    let Some(data) = data("upgrades_are_told_in_words_beside_what_the_header_says") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let said = upgrades(&archive, 10);
    let brief: Vec<_> =
        said.iter().map(|one| ["type", "words", "before", "header", "effect"].map(|name| one[name].as_str().unwrap())).collect();
    assert_eq!(
        brief,
        [
            ["version", "protocol 22 from this ledger on", "0", "22", "applied"],
            ["max_tx_set_size", "a transaction set takes 200 operations at most", "100", "200", "applied"],
            ["base_reserve", "the base reserve of an entry becomes 0.5 XLM (5000000 stroops)", "100000000", "5000000", "applied"],
        ]
    );
    assert_eq!(said[0]["json"], serde_json::json!({ "version": 22 }));
    assert!(upgrades(&archive, 11).is_empty());
}

/// The archive with other upgrades in the value of a ledger.
fn with_upgrades(archive: &Archive, ledger: u32, upgrades: &[&[u8]]) -> MemoryArchive {
    let mut files = archive.files.clone();
    let content = files.get_mut(&path(FileKind::Ledger, ledger)).unwrap();
    let mut list = records(content);
    let record = &mut list[usize::try_from(ledger % 64).unwrap()];
    // The claimed hash, the version, the hash before, the set's, the time: then the upgrades.
    let at = 32 + 4 + 32 + 32 + 8;
    assert_eq!(record[at..at + 4], [0; 4], "ledger {ledger} has no upgrades by itself");
    let mut bytes = u32::try_from(upgrades.len()).unwrap().to_be_bytes().to_vec();
    for upgrade in upgrades {
        bytes.extend(u32::try_from(upgrade.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(upgrade);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    record.splice(at..at + 4, bytes);
    *content = file(&list);
    MemoryArchive::new(files)
}

#[test]
fn an_upgrade_that_the_header_does_not_follow_was_skipped_and_settings_are_in_no_header() {
    let config: Vec<u8> = [&[0, 0, 0, 6][..], &[1; 32], &[2; 32]].concat();
    let archive =
        with_upgrades(&sample(22), 100, &[&[0, 0, 0, 2, 0, 0, 0, 250], &[0, 0, 0, 5, 0, 0, 0, 3], &config, &[0, 0, 0, 7, 0, 0, 0, 90]]);
    let said = upgrades(&archive, 100);
    let brief: Vec<_> = said.iter().map(|one| ["type", "effect"].map(|name| one[name].as_str().unwrap())).collect();
    assert_eq!(
        brief,
        [["base_fee", "skipped"], ["flags", "skipped"], ["config", "not-in-header"], ["max_soroban_tx_set_size", "not-in-header"]]
    );
    assert_eq!([&said[0]["value"], &said[0]["header"]], ["250", "120"]);
    assert_eq!(said[1]["words"], "liquidity pools: no trading, no deposits from this ledger on (flags 3)");
    let words = said[2]["words"].as_str().unwrap();
    assert!(words.contains(" CAAQ") && words.ends_with(&"02".repeat(32)), "{words}");
}

#[test]
fn upgrade_bytes_that_are_none_are_shown_as_they_are_and_the_ledger_with_them() {
    // Of no kind that there is; too short for any; and one with bytes behind it.
    let archive = with_upgrades(&sample(22), 100, &[&[0, 0, 0, 77, 1], &[9], &[0, 0, 0, 2, 0, 0, 0, 100, 5]]);
    let said = upgrades(&archive, 100);
    assert_eq!(said.iter().map(|one| one["hex"].as_str().unwrap()).collect::<Vec<_>>(), ["0000004d01", "09", "000000020000006405"]);
    assert!(said.iter().all(|one| one["type"].is_null() && one["json"].is_null() && one["effect"] == "unknown"));
    let looking = Looking::into(&archive);
    let checks = looking.ledger(100).unwrap().checks;
    assert!(checks.iter().any(|check| check.name == CheckName::HeaderHash && check.outcome == Outcome::Broken));
    let view = looking.checkpoint(100).unwrap();
    assert_eq!(view.ledgers.len(), 64, "the others are there as well");
    let file = view.files.iter().find(|file| file.kind == FileKind::Ledger).unwrap();
    assert_eq!(file.status, "faulty", "what is nearly a header is none");
}

#[test]
fn a_transaction_tells_its_conditions_its_resources_and_what_is_inside_of_a_fee_bump() {
    let Some(data) = data("a_transaction_tells_its_conditions_its_resources_and_what_is_inside_of_a_fee_bump") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let looking = Looking::into(&archive);
    let view = looking.transaction(3068, 3).unwrap();
    let inner = &view["resultPair"]["json"]["result"]["result"]["tx_fee_bump_inner_success"];
    assert_eq!(view["feeBump"]["innerHash"], inner["transaction_hash"]);
    assert_eq!(view["feeBump"]["innerFeeCharged"], inner["result"]["fee_charged"]);
    let envelope = &view["envelope"]["json"]["tx_fee_bump"];
    let tx = &envelope["tx"]["inner_tx"]["tx"]["tx"];
    assert_eq!(view["feeBump"]["innerMaxFee"], tx["fee"].to_string());
    assert_eq!(view["feeBump"]["signatures"].as_u64(), envelope["signatures"].as_array().map(|all| u64::try_from(all.len()).unwrap()));
    assert_eq!(view["preconditions"]["timeBounds"][1], tx["cond"]["time"]["max_time"]);
    assert_eq!(view["soroban"]["fee"], tx["ext"]["v1"]["resource_fee"]);
    assert_eq!(view["soroban"]["instructions"], tx["ext"]["v1"]["resources"]["instructions"]);
    let deploy = looking.transaction(3014, 3).unwrap();
    assert!(deploy["details"][0]["words"].as_str().unwrap().starts_with("call deploy(CCEN…VYRF, 32 bytes, "));
    assert!(
        deploy["details"][0]["outcome"]
            .as_str()
            .unwrap()
            .contains(deploy["details"][0]["result"]["op_inner"]["invoke_host_function"]["success"].as_str().unwrap())
    );
}

#[test]
fn a_state_is_there_as_the_file_has_it() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let view = serde_json::to_value(Looking::into(&reader).checkpoint(100).unwrap()).unwrap();
    let written: Value = serde_json::from_slice(&archive.files[&path(FileKind::History, 100)]).unwrap();
    assert_eq!(view["state"]["json"], written);
}

#[test]
fn an_archive_that_names_no_network_is_known_by_its_signatures() {
    let Some(data) = data("an_archive_that_names_no_network_is_known_by_its_signatures") else { return };
    let archive = LocalArchive::new(data.join("archives/pubnet-12m"));
    let looking = Looking::into(&archive);
    assert_eq!(block_on(looking.explorer().newest()).unwrap().network, None);
    let view = looking.ledger(12_000_000).unwrap().scp.unwrap();
    assert!(view.nodes.iter().all(|node| node.signature == Outcome::Holds));
}

#[test]
fn a_transaction_is_found_by_its_hash_in_the_range_alone() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let looking = Looking::into(&reader);
    for ledger in [archive.busy_ledgers[0], *archive.busy_ledgers.last().unwrap()] {
        let rows = looking.ledger(ledger).unwrap().transactions;
        let last = rows.last().unwrap();
        let found = FoundTransaction { ledger: LedgerSeq::new(ledger), index: u32::try_from(last.index).unwrap() };
        assert_eq!(looking.find(last.hash, None, None).unwrap(), Some(found));
        assert_eq!(looking.find(last.hash, Some(ledger), Some(ledger)).unwrap(), Some(found));
        let elsewhere = if ledger < 64 { (128, 191) } else { (1, 63) };
        assert_eq!(looking.find(last.hash, Some(elsewhere.0), Some(elsewhere.1)).unwrap(), None);
    }
    let stranger = Hash256::new([7; 32]);
    assert_eq!(looking.find(stranger, None, None).unwrap(), None);
    let mut files = archive.files.clone();
    files.remove(&path(FileKind::Results, 100));
    let holed = MemoryArchive::new(files);
    let error = Looking::into(&holed).find(stranger, None, None).unwrap_err();
    assert!(error.code() == "FAULTY" && error.to_string().contains("results-0000007f"), "{error}");
}

#[test]
fn a_search_covers_an_archive_that_begins_late_and_says_how_far_it_is() {
    let Some(data) = data("a_search_covers_an_archive_that_begins_late_and_says_how_far_it_is") else { return };
    let archive = LocalArchive::new(data.join("archives/synth-p27"));
    let looking = Looking::into(&archive);
    let hash = looking.ledger(10_048).unwrap().transactions[491].hash;
    let mut progress = Vec::new();
    let found = block_on(looking.explorer().find_transaction(&hash, None, None, &mut |so_far| progress.push(so_far))).unwrap();
    assert_eq!(found, Some(FoundTransaction { ledger: LedgerSeq::new(10_048), index: 491 }));
    assert_eq!(progress.iter().map(|so_far| (so_far.done, so_far.total, so_far.at.as_str())).collect::<Vec<_>>(), [(1, 2, "10175")]);
}

/// Counts what is asked of an archive, and how many bytes of it are taken.
struct Counting<R> {
    inner: R,
    asked: RefCell<Vec<String>>,
    chunks: std::rc::Rc<Cell<usize>>,
    chunk: usize,
}

impl<R: ArchiveReader> Counting<R> {
    fn new(inner: R, chunk: usize) -> Self {
        Self { inner, asked: RefCell::default(), chunks: std::rc::Rc::default(), chunk }
    }
}

impl<R: ArchiveReader> ArchiveReader for Counting<R> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        self.asked.borrow_mut().push(path.as_str().to_owned());
        Box::pin(async move {
            let mut body = self.inner.open(path).await?;
            let mut bytes = Vec::new();
            while let Some(part) = body.chunks.next().await {
                bytes.extend(part?);
            }
            let parts: Vec<Vec<u8>> = bytes.chunks(self.chunk).map(<[u8]>::to_vec).collect();
            let chunks = std::rc::Rc::clone(&self.chunks);
            let counted = futures_util::stream::iter(parts).map(move |part| {
                chunks.set(chunks.get() + 1);
                Ok(part)
            });
            Ok(Body { chunks: Box::pin(counted), coding: BodyCoding::AsStored })
        })
    }
}

#[test]
fn what_was_read_is_not_asked_for_again_and_what_is_kept_has_a_bound() {
    let archive = sample(22);
    let reader = Counting::new(MemoryArchive::new(archive.files.clone()), 1 << 18);
    let looking = Looking::into(&reader);
    looking.checkpoint(100).unwrap();
    let asked = reader.asked.borrow().len();
    assert_eq!(asked, 8, "five files, the headers around them and the state before: {:?}", reader.asked);
    for ledger in 64..=127 {
        looking.ledger(ledger).unwrap();
    }
    looking.transaction(archive.busy_ledgers.iter().copied().find(|ledger| (64..128).contains(ledger)).unwrap(), 0).unwrap();
    assert_eq!(reader.asked.borrow().len(), asked, "{:?}", &reader.asked.borrow()[asked..]);
    assert!(looking.memory.size() > 0);
    looking.memory.clear();
    assert_eq!(looking.memory.size(), 0);
    looking.ledger(100).unwrap();
    assert_eq!(reader.asked.borrow().len(), asked + 5, "without its neighbours, which a ledger in the middle does not need");

    let Some(data) = data("what_was_read_is_not_asked_for_again_and_what_is_kept_has_a_bound") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let looking = Looking::into(&archive);
    let mut most = 0;
    for checkpoint in (0x3f..=0xe3f).step_by(64) {
        looking.ledger(checkpoint).unwrap();
        most = most.max(looking.memory.size());
    }
    assert!(most <= 64 << 20, "{most}");
}

#[test]
fn a_page_of_a_bucket_is_what_stands_there_and_reads_no_further() {
    let Some(data) = data("a_page_of_a_bucket_is_what_stands_there_and_reads_no_further") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let looking = Looking::into(&archive);
    let state = looking.checkpoint(0xe3f).unwrap().state.unwrap();
    let buckets: Vec<_> = state.live.iter().flat_map(|level| [&level.curr, &level.snap]).filter(|bucket| bucket.path.is_some()).collect();
    let (largest, content) = buckets
        .iter()
        .map(|bucket| (bucket.hash.to_string(), stored(&archive, bucket.path.as_ref().unwrap())))
        .max_by_key(|(_, content)| content.len())
        .unwrap();
    let all = records(&content);
    let mut pages = Vec::new();
    loop {
        let page = block_on(looking.explorer().bucket(&largest, u64::try_from(pages.len()).unwrap(), 150)).unwrap();
        let (more, entries) = (page.more, page.entries.len());
        pages.extend(page.entries);
        if !more {
            break;
        }
        assert_eq!(entries, 150);
    }
    assert_eq!(pages.len(), all.len());
    for (place, (entry, record)) in pages.iter().zip(&all).enumerate() {
        assert_eq!((entry.index, &entry.xdr), (u64::try_from(place).unwrap(), &base64(record)));
        assert_eq!(entry.entry_type.is_none(), entry.kind == "metaentry");
        assert!(entry.json.is_some());
    }
    let checked = block_on(looking.explorer().verify_bucket(&largest, &mut |_| {})).unwrap();
    assert!(
        checked.holds
            && checked.entries == u64::try_from(all.len()).unwrap()
            && checked.compressed == u64::try_from(content.len()).unwrap()
    );
    assert_eq!(checked.inflated, u64::try_from(inflate(&content).len()).unwrap());

    let counting = Counting::new(archive.clone(), 256);
    let _ = block_on(Looking::into(&counting).explorer().bucket(&largest, 0, 5)).unwrap();
    assert!(counting.chunks.get() * 4 < content.len() / 256, "{} of {}", counting.chunks.get(), content.len() / 256);

    let hot = LocalArchive::new(data.join("archives/synth-p27"));
    let looking = Looking::into(&hot);
    let levels = looking.checkpoint(0x27bf).unwrap().state.unwrap().hot_archive.unwrap();
    let bucket = levels.iter().flat_map(|level| [&level.curr, &level.snap]).filter(|bucket| bucket.path.is_some());
    let kinds: BTreeSet<String> = bucket
        .flat_map(|bucket| block_on(looking.explorer().bucket(&bucket.hash.to_string(), 0, 100)).unwrap().entries)
        .map(|entry| entry.kind)
        .collect();
    assert!(kinds.contains("archived") || kinds.contains("live"), "{kinds:?}");
    assert!(!kinds.contains("unknown") && !kinds.contains("liveentry"), "{kinds:?}");
}

#[test]
fn a_bucket_of_other_content_does_not_hold_and_one_that_is_not_there_is_not_found() {
    let archive = sample(22);
    let mut files = archive.files.clone();
    let (name, content) = files.iter_mut().find(|(name, _)| name.starts_with("bucket/")).unwrap();
    let hash = name[name.len() - 71..name.len() - 7].to_owned();
    let mut list = records(content);
    list.pop();
    *content = file(&list);
    let reader = MemoryArchive::new(files);
    let looking = Looking::into(&reader);
    let check = block_on(looking.explorer().verify_bucket(&hash, &mut |_| {})).unwrap();
    assert!(!check.holds && check.hash != check.computed && check.hash.to_string() == hash);
    for (hash, code) in [("11".repeat(32), "NOT_FOUND"), ("00".repeat(32), "USAGE"), ("1".into(), "USAGE")] {
        assert_eq!(block_on(looking.explorer().verify_bucket(&hash, &mut |_| {})).unwrap_err().code(), code);
        assert_eq!(block_on(looking.explorer().bucket(&hash, 0, 5)).unwrap_err().code(), code);
    }
}

#[test]
fn an_entry_is_found_in_the_newest_bucket_that_has_it() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let looking = Looking::into(&reader);
    let state = looking.checkpoint(archive.tip).unwrap().state.unwrap();
    let places = state.live.iter().flat_map(|level| [(level.level, "curr", level.curr.hash), (level.level, "snap", level.snap.hash)]);
    let mut newest: BTreeMap<String, (usize, &str, String, Value)> = BTreeMap::new();
    for (level, part, hash) in places.filter(|(_, _, hash)| !hash.is_empty_bucket()) {
        for entry in block_on(looking.explorer().bucket(&hash.to_string(), 0, 1000)).unwrap().entries {
            let json: Value = serde_json::from_str(entry.json.unwrap().get()).unwrap();
            let account = json.pointer("/liveentry/data/account/account_id").or(json.pointer("/initentry/data/account/account_id"));
            let account = account.or(json.pointer("/deadentry/account/account_id"));
            if let Some(account) = account {
                newest.entry(account.as_str().unwrap().to_owned()).or_insert((level, part, hash.to_string(), json.clone()));
            }
        }
    }
    assert!(newest.len() > 3);
    for (account, (level, part, bucket, json)) in newest.iter().take(20) {
        let mut progress = 0;
        let found = block_on(looking.explorer().find_entry(account, LedgerSeq::new(archive.tip - 5), &mut |_| progress += 1)).unwrap();
        let deleted = json.get("deadentry").is_some();
        assert_eq!((found.status, found.part), (if deleted { "deleted" } else { "live" }, Some(*part)));
        assert_eq!((found.level, found.bucket.unwrap().to_string()), (Some(u32::try_from(*level).unwrap()), bucket.clone()));
        let entry: Value = serde_json::from_str(found.entry.unwrap().json.unwrap().get()).unwrap();
        assert_eq!(&entry, json);
        assert_eq!(progress, found.buckets_read);
        let again = block_on(looking.explorer().find_entry(&found.key.xdr, LedgerSeq::new(archive.tip), &mut |_| {})).unwrap();
        assert_eq!((again.status, again.level), (found.status, found.level));
    }
    let nobody = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF";
    let absent = block_on(looking.explorer().find_entry(nobody, LedgerSeq::new(archive.tip), &mut |_| {})).unwrap();
    assert!(absent.status == "absent" && absent.entry.is_none() && absent.buckets_read > 1);
    assert_eq!(block_on(looking.explorer().find_entry("GAAA", LedgerSeq::new(64), &mut |_| {})).unwrap_err().code(), "USAGE");

    let mut files = archive.files.clone();
    let missing = newest.values().next().unwrap().2.clone();
    files.retain(|name, _| !name.contains(&missing));
    let holed = MemoryArchive::new(files);
    let error = block_on(Looking::into(&holed).explorer().find_entry(nobody, LedgerSeq::new(archive.tip), &mut |_| {})).unwrap_err();
    assert!(error.code() == "FAULTY" && error.to_string().contains(&missing), "{error}");
}

#[test]
fn buckets_that_the_checkpoint_before_names_are_shared() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let looking = Looking::into(&reader);
    let buckets = |ledger: u32| -> Vec<(String, Option<bool>)> {
        let state = looking.checkpoint(ledger).unwrap().state.unwrap();
        let named = state.live.into_iter().flat_map(|level| [level.curr, level.snap]).filter(|bucket| bucket.path.is_some());
        named.map(|bucket| (bucket.hash.to_string(), bucket.shared)).collect()
    };
    assert!(buckets(63).iter().all(|(_, shared)| *shared == Some(false)));
    let before: BTreeSet<_> = buckets(127).into_iter().map(|(hash, _)| hash).collect();
    assert!(buckets(191).iter().all(|(hash, shared)| *shared == Some(before.contains(hash))));
    let mut files = archive.files.clone();
    files.remove(&path(FileKind::History, 100));
    let holed = MemoryArchive::new(files);
    let state = Looking::into(&holed).checkpoint(191).unwrap().state.unwrap();
    assert!(state.live.iter().all(|level| level.curr.shared.is_none()));
}

/// An archive whose host is dead.
struct Dead;

impl ArchiveReader for Dead {
    fn name(&self) -> &str {
        "dead"
    }

    fn open<'a>(&'a self, _: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        Box::pin(async { Err(ReadError::new(ReadErrorKind::Forbidden, "no")) })
    }
}

#[test]
fn what_cannot_be_shown_has_a_code() {
    let archive = sample(22);
    let reader = MemoryArchive::new(archive.files.clone());
    let looking = Looking::into(&reader);
    assert_eq!(looking.checkpoint(0).unwrap_err().code(), "USAGE");
    assert_eq!(looking.checkpoint(100_000).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(looking.ledger(100_000).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(looking.checkpoint(u32::MAX).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(looking.transaction(archive.busy_ledgers[0], 9999).unwrap_err().code(), "NOT_FOUND");
    let dead = Looking::into(&Dead);
    let error = dead.checkpoint(64).unwrap_err();
    assert!(error.code() == "FORBIDDEN" && error.advice().is_some(), "{error}");
    looking.host.cancel_after.set(Some(3));
    looking.memory.clear();
    assert_eq!(looking.checkpoint(100).unwrap_err().code(), "ABORTED");
    assert_eq!(looking.find(Hash256::new([7; 32]), None, None).unwrap_err().code(), "ABORTED");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
