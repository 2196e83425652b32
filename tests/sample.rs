//! Archives of a made-up network (`tests/sample-archive`), which stand in for real ones where none could be had:
//! transactions at protocol 23 and later, empty-tx-set values of protocol 28, 8-ledger checkpoints.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{TestHost, codes, options, verify, verify_on};
use sample_archive::{Config, Frequency};
use stellar_archive_verifier::archive::checkpoint::CheckpointFrequency;
use stellar_archive_verifier::driver::RunOptions;
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::transport::memory::MemoryArchive;

fn sample(protocol: u32, ledgers: u32, frequency: Frequency) -> (MemoryArchive, u32) {
    let config = Config { protocol: protocol.try_into().unwrap(), ledgers, frequency, ..Config::default() };
    let archive = sample_archive::make(&config);
    (MemoryArchive::new(archive.files), archive.tip)
}

fn whole(tip: u32, deep: bool) -> RunOptions {
    let mut options = options(1, tip, None);
    options.deep = deep;
    options
}

#[test]
fn archives_of_every_era_are_verified_from_genesis_to_tip() {
    for protocol in [1, 10, 11, 12, 13, 14, 18, 19, 20, 22, 23, 24, 25, 27, 28] {
        let (archive, tip) = sample(protocol, 128, Frequency::Standard);
        for deep in [false, true] {
            let report = verify(&archive, &whole(tip, deep));
            assert!(report.findings.is_empty(), "protocol {protocol}, deep {deep}: {:#?}", report.findings);
            assert_eq!(report.verdict, Verdict::Verified, "protocol {protocol}: {:?}", report.errors);
            assert!(
                report.totals.values().all(|tally| tally.verified == tally.total() && tally.total() > 0),
                "protocol {protocol}: {:?}",
                report.totals
            );
            assert_eq!(report.anchors.len(), 1, "protocol {protocol}: the genesis ledger is an anchor");
        }
    }
}

#[test]
fn an_archive_with_eight_ledger_checkpoints_is_verified_when_asked_for() {
    let (archive, tip) = sample(23, 64, Frequency::Accelerated);
    let mut options = whole(tip, true);
    let mistaken = verify(&archive, &options);
    assert_eq!(mistaken.verdict, Verdict::Faulty);
    options.frequency = CheckpointFrequency::Accelerated;
    let report = verify(&archive, &options);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.verdict, Verdict::Verified);
}

#[test]
fn without_a_range_everything_that_the_archive_holds_is_verified() {
    let (mut archive, tip) = sample(23, 320, Frequency::Standard);
    let report = verify(&archive, &RunOptions::default());
    assert_eq!(report.range.map(|range| (range.low.value(), range.high.value())), Some((1, tip)));
    assert_eq!(report.verdict, Verdict::Verified);

    // The first two checkpoints taken away: what is left is verified, and the report says that it begins late.
    archive.files_mut().retain(|path, _| !path.contains("-0000003f.") && !path.contains("-0000007f."));
    let report = verify(&archive, &RunOptions::default());
    assert_eq!(report.range.map(|range| (range.low.value(), range.high.value())), Some((128, tip)));
    assert_eq!(report.verdict, Verdict::Verified, "{:#?}", report.findings);
    assert!(report.notes.iter().any(|note| note.code == "starts-late"), "{:?}", report.notes);
    assert!(report.anchors.is_empty());
    // Asked for by name, what is missing is missing.
    let report = verify(&archive, &options(1, tip, None));
    assert_eq!((report.verdict, codes(&report).contains(&"file-missing")), (Verdict::Faulty, true));
}

#[test]
fn a_newest_state_that_claims_a_far_future_does_not_cost_a_request_for_every_file() {
    let (mut archive, _) = sample(23, 128, Frequency::Standard);
    let root = archive.files_mut().get_mut(".well-known/stellar-history.json").unwrap();
    *root = String::from_utf8(root.clone()).unwrap().replace("\"currentLedger\": 127", "\"currentLedger\": 4294967039").into_bytes();
    let report = verify(&archive, &RunOptions::default());
    assert_eq!(report.range.map(|range| range.high.value()), Some(191), "one missing checkpoint is enough to say so");
    assert_eq!((report.verdict, codes(&report).contains(&"file-missing")), (Verdict::Faulty, true));
    assert!(report.notes.iter().any(|note| note.code == "ends-early"));
}

#[test]
fn every_file_that_is_taken_away_is_missed() {
    let (archive, tip) = sample(23, 128, Frequency::Standard);
    let paths: Vec<_> = archive.clone().files_mut().keys().cloned().collect();
    for path in paths {
        let mut without = archive.clone();
        without.files_mut().remove(&path);
        let report = verify(&without, &whole(tip, false));
        let wanted = if path.starts_with("bucket/") { "bucket-missing" } else { "file-missing" };
        let finding = report.findings.iter().find(|finding| finding.path.as_str() == path);
        assert_eq!(finding.map(|finding| finding.code.as_str()), Some(wanted), "{path}");
        let expected = if path.starts_with("scp/") { Verdict::Verified } else { Verdict::Faulty };
        assert_eq!(report.verdict, expected, "{path}: scp files are optional, all others are not");
    }
}

#[test]
fn another_networks_archive_is_recognised_by_its_passphrase_and_genesis() {
    let (archive, tip) = sample(23, 64, Frequency::Standard);
    let mut options = whole(tip, false);
    options.network = Some(stellar_archive_verifier::archive::network::Network::from_name_or_passphrase("testnet"));
    let report = verify(&archive, &options);
    assert_eq!(report.verdict, Verdict::Faulty);
    assert!(codes(&report).contains(&"genesis-mismatch") && codes(&report).contains(&"has-passphrase-mismatch"), "{:?}", codes(&report));
}

#[test]
fn a_run_cancelled_anywhere_gives_a_partial_report_whose_totals_add_up() {
    let (archive, tip) = sample(23, 192, Frequency::Standard);
    for after in (0..400).step_by(7) {
        let host = TestHost::default();
        host.cancel_after.set(Some(after));
        let report = verify_on(&host, &archive, &whole(tip, false));
        let done = report.range.is_some() && report.totals.values().all(|tally| tally.verified == tally.total());
        let expected = if done { Verdict::Verified } else { Verdict::Incomplete };
        // Told to stop after the last file, a run is done all the same.
        let late = done && report.verdict == Verdict::Incomplete;
        assert!(report.verdict == expected || late, "cancelled after {after}: {:?} {:?}", report.verdict, report.totals);
        assert!(report.findings.is_empty(), "cancelled after {after}: a cancelled run accuses nobody: {:#?}", report.findings);
    }
}

#[test]
fn an_initialised_but_empty_archive_is_no_fault() {
    let zero = "0".repeat(64);
    let level = format!(r#"{{"curr":"{zero}","next":{{"state":0}},"snap":"{zero}"}}"#);
    let levels = vec![level; 11].join(",");
    let state = format!(r#"{{"version":1,"server":"x","currentLedger":0,"networkPassphrase":"p","currentBuckets":[{levels}]}}"#);
    let archive = MemoryArchive::new([(".well-known/stellar-history.json".to_owned(), state.into_bytes())].into());
    let report = verify(&archive, &RunOptions::default());
    assert_eq!((report.verdict, report.findings.len(), report.range), (Verdict::Incomplete, 0, None));
    assert!(report.statement.contains("initialised but empty"), "{}", report.statement);
}
