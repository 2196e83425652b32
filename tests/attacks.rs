//! What attackers tried, one archive each: every change below once passed, crashed, or hid behind something else.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use core::ops::ControlFlow;

use common::{codes, options, verify};
use sample_archive::{Archive, Config};
use stellar_archive_verifier::codec::file::{BodyCoding, FileDecoder, FileError, FileLimits, RecordSink};
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipErrorKind, GzipLimits};
use stellar_archive_verifier::codec::record::Record;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::report::{Report, Verdict};
use stellar_archive_verifier::transport::memory::MemoryArchive;

fn sample(protocol: u32, ledgers: u32) -> Archive {
    sample_archive::make(&Config { protocol: protocol.try_into().unwrap(), ledgers, ..Config::default() })
}

fn run(archive: Archive, change: impl Fn(&mut MemoryArchive)) -> Report {
    let tip = archive.tip;
    let mut archive = MemoryArchive::new(archive.files);
    change(&mut archive);
    verify(&archive, &options(1, tip, None))
}

/// Rewrites the content of a gzipped file.
fn rewrite(archive: &mut MemoryArchive, path: &str, change: impl Fn(&mut Vec<u8>)) {
    let file = archive.files_mut().get_mut(path).unwrap();
    let mut content = miniz_oxide::inflate::decompress_to_vec(&file[10..file.len() - 8]).unwrap();
    change(&mut content);
    *file = gzip(&content, 0, &[]);
}

fn gzip(content: &[u8], flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
    file.extend(fields);
    file.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
    file.extend(crc32fast::hash(content).to_le_bytes());
    file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    file
}

#[test]
fn many_warnings_do_not_push_an_error_out_of_the_verdict() {
    let archive = sample(23, 640);
    let tip = archive.tip;
    let mut files = archive.files;
    files.retain(|path, _| !path.starts_with("scp/"));
    files.insert("results/00/00/02/results-0000027f.xdr.gz".into(), vec![1, 2, 3]);
    let mut options = options(1, tip, None);
    options.budget.findings = 4;
    let report = verify(&MemoryArchive::new(files), &options);
    assert_eq!((report.verdict, report.findings.len(), report.findings_dropped), (Verdict::Faulty, 4, 7));
    assert!(codes(&report).contains(&"gzip-corrupt"), "the error is kept, warnings make room: {:?}", codes(&report));
    assert!(report.statement.contains("1 fault"), "{}", report.statement);
}

#[test]
fn a_file_of_thousands_of_faults_weighs_no_more_than_one_of_a_few() {
    let report = run(sample(23, 64), |archive| {
        rewrite(archive, "results/00/00/00/results-0000003f.xdr.gz", |content| {
            content.clear();
            // Records that are no entries.
            (0..4_000).for_each(|_| content.extend([0x80, 0, 0, 4, 0, 0, 0, 1]));
        });
    });
    let decode: Vec<_> = report.findings.iter().filter(|finding| finding.code.as_str() == "xdr-decode").collect();
    assert_eq!(decode.len(), 8);
    assert_eq!(decode.iter().flat_map(|finding| finding.consequences.values()).sum::<u64>(), 4_000 - 8, "none is lost");
}

#[test]
fn the_count_and_the_extension_of_a_legacy_set_are_checked_though_no_hash_covers_them() {
    let path = "transactions/00/00/00/transactions-0000003f.xdr.gz";
    for (from_end, bit) in [(false, 1), (true, 7)] {
        let report = run(sample(19, 64), |archive| {
            rewrite(archive, path, |content| {
                let length = usize::from(u16::from_be_bytes([content[2], content[3]]));
                let at = if from_end { 4 + length - 1 } else { 4 + 39 };
                content[at] ^= bit;
            });
        });
        assert_eq!((report.verdict, codes(&report).contains(&"xdr-decode")), (Verdict::Faulty, true), "{:?}", codes(&report));
    }
}

#[test]
fn outputs_of_merges_that_stellar_core_publishes_below_protocol_12_must_be_there() {
    let report = run(sample(8, 256), |archive| {
        let state = archive.files_mut().get_mut("history/00/00/00/history-000000ff.json").unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(state).unwrap();
        json["currentBuckets"].as_array_mut().unwrap().iter_mut().for_each(|level| level["next"] = serde_json::json!({ "state": 0 }));
        *state = json.to_string().into_bytes();
    });
    assert_eq!((report.verdict, codes(&report).contains(&"has-next-invalid")), (Verdict::Faulty, true), "{:?}", codes(&report));
    assert_eq!((report.totals["history"].faulty, report.totals["history"].total()), (1, 4), "totals say what the findings say");
}

#[test]
fn a_network_that_only_old_states_name_is_still_the_network() {
    let strip = |archive: &mut MemoryArchive, path: &str, passphrase: Option<&str>| {
        let state = archive.files_mut().get_mut(path).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(state).unwrap();
        match passphrase {
            Some(passphrase) => json["networkPassphrase"] = passphrase.into(),
            None => drop(json.as_object_mut().unwrap().remove("networkPassphrase")),
        }
        *state = json.to_string().into_bytes();
    };
    let report = run(sample(22, 128), |archive| strip(archive, ".well-known/stellar-history.json", None));
    assert_eq!((report.verdict, report.anchors.len()), (Verdict::Verified, 1));
    let report = run(sample(22, 128), |archive| {
        strip(archive, ".well-known/stellar-history.json", None);
        strip(archive, "history/00/00/00/history-0000003f.json", Some("another"));
    });
    assert_eq!(codes(&report), ["has-passphrase-mismatch"]);
}

#[test]
fn a_wrong_claim_beside_a_header_does_not_hide_that_its_set_is_wrong_too() {
    let archive = sample(23, 64);
    let busy = *archive.busy_ledgers.iter().find(|ledger| **ledger > 10).unwrap();
    let report = run(archive, |archive| {
        rewrite(archive, "ledger/00/00/00/ledger-0000003f.xdr.gz", |content| edit(content, busy, 80, 0));
        rewrite(archive, "transactions/00/00/00/transactions-0000003f.xdr.gz", |content| edit(content, busy, 0, 60));
    });
    assert!(codes(&report).contains(&"header-hash-mismatch") && codes(&report).contains(&"txset-hash-mismatch"), "{:?}", codes(&report));
}

/// Flips a bit at `offset` of the record of a ledger: header files by their order, other files by their first word.
fn edit(content: &mut [u8], ledger: u32, header_size: usize, offset: usize) {
    let (mut at, mut number) = (0, 0);
    while at < content.len() {
        let length = u32::from_be_bytes(content[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        number += 1;
        let first = u32::from_be_bytes(content[at + 4..at + 8].try_into().unwrap());
        if if header_size > 0 { number == ledger } else { first == ledger } {
            content[at + 4 + offset] ^= 1;
            return;
        }
        at += 4 + usize::try_from(length).unwrap();
    }
    panic!("no record of ledger {ledger}");
}

struct Nothing;

impl RecordSink for Nothing {
    fn record(&mut self, _: Record<'_>) {}
}

#[test]
fn a_hole_is_no_late_start() {
    let archive = sample(23, 1280);
    let gone = |path: &str| path.contains("-0000003f.") || path.contains("-0000027f.");
    let files = archive.files.into_iter().filter(|(path, _)| !gone(path)).collect();
    let report = verify(&MemoryArchive::new(files), &stellar_archive_verifier::driver::RunOptions::default());
    assert_eq!(report.range.map(|range| range.low.value()), Some(64), "what is there below the hole is looked at");
    let missing: Vec<_> = report.findings.iter().filter(|finding| finding.checkpoint.map(|ledger| ledger.value()) == Some(0x27f)).collect();
    assert_eq!((report.verdict, missing.len()), (Verdict::Faulty, 5), "{:?}", report.notes);
}

#[test]
fn a_hole_is_no_early_end() {
    let config = Config { ledgers: 1200, frequency: sample_archive::Frequency::Accelerated, ..Config::default() };
    let archive = sample_archive::make(&config);
    // The newest checkpoint, and one that the search for the end comes by.
    let gone = |path: &str| path.contains("-000004af.") || path.contains("-00000257.") || path.contains("-0000025f.");
    let files = archive.files.into_iter().filter(|(path, _)| !gone(path)).collect();
    let mut options = stellar_archive_verifier::driver::RunOptions::default();
    options.frequency = stellar_archive_verifier::archive::checkpoint::CheckpointFrequency::Accelerated;
    let report = verify(&MemoryArchive::new(files), &options);
    assert_eq!(report.range.map(|range| range.high.value()), Some(1199), "{:?}", report.notes);
    assert_eq!((report.verdict, report.totals["ledger"].faulty, report.totals["ledger"].verified), (Verdict::Faulty, 3, 147));
}

#[test]
fn a_newest_state_that_is_not_at_a_checkpoint_does_not_stop_the_run() {
    let archive = sample(23, 128);
    let report = {
        let mut archive = MemoryArchive::new(archive.files);
        let root = archive.files_mut().get_mut(".well-known/stellar-history.json").unwrap();
        *root = String::from_utf8(root.clone()).unwrap().replace("\"currentLedger\": 127", "\"currentLedger\": 130").into_bytes();
        verify(&archive, &stellar_archive_verifier::driver::RunOptions::default())
    };
    assert_eq!(codes(&report), ["has-ledger-mismatch"]);
    assert_eq!(report.totals["ledger"].verified, 2);
}

#[test]
fn ledgers_that_are_asked_for_and_not_there_yet_leave_a_run_incomplete() {
    let archive = sample(23, 128);
    let report = verify(&MemoryArchive::new(archive.files), &options(1, 1000, None));
    assert_eq!((report.verdict, report.findings.len()), (Verdict::Incomplete, 0), "{}", report.statement);
}

#[test]
fn a_damaged_header_accuses_no_other_file() {
    let archive = sample(23, 64);
    let busy = *archive.busy_ledgers.iter().find(|ledger| **ledger > 10).unwrap();
    let report = run(archive, |archive| {
        // In txSetHash: 32 bytes of claimed hash, 36 of version and previous hash before it.
        rewrite(archive, "ledger/00/00/00/ledger-0000003f.xdr.gz", |content| edit(content, busy, 1, 32 + 36 + 5));
    });
    assert_eq!(codes(&report), ["header-hash-mismatch"]);
    assert_eq!((report.totals["transactions"].unchecked, report.totals["transactions"].faulty), (1, 0));
}

#[test]
fn files_that_go_on_for_ever_and_say_nothing_are_given_up() {
    let empty = gzip(&[], 0, &[]);
    for filler in [empty.repeat(1000), vec![0; 20_000]] {
        let mut decoder = FileDecoder::new(FileLimits::bucket(&Budget::default()), BodyCoding::AsStored);
        assert!(decoder.push(&empty, &mut Nothing).is_ok());
        let given_up = (0..1000).find_map(|_| decoder.push(&filler, &mut Nothing).err());
        assert!(
            matches!(&given_up, Some(FileError::Gzip(error)) if matches!(error.kind, GzipErrorKind::CompressedLimit(_))),
            "{given_up:?}"
        );
    }
}

#[test]
fn gzip_headers_with_every_field_are_read_in_pieces_of_every_size() {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CRC: u8 = 2;
    for flags in (0..32).filter(|flags| flags & 1 == 0) {
        let mut fields = Vec::new();
        if flags & EXTRA != 0 {
            fields.extend([3, 0, 9, 0, 9]);
        }
        if flags & NAME != 0 {
            fields.extend(b"ledger\0");
        }
        if flags & COMMENT != 0 {
            fields.extend(b"\0");
        }
        let mut header = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
        header.extend(&fields);
        if flags & CRC != 0 {
            fields.extend(&crc32fast::hash(&header).to_le_bytes()[..2]);
        }
        let file = gzip(b"content", flags, &fields);
        for size in 1..file.len() {
            let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), 1000));
            let mut content = Vec::new();
            for piece in file.chunks(size) {
                let flow = decoder.push(piece, &mut |bytes| {
                    content.extend_from_slice(bytes);
                    ControlFlow::Continue(())
                });
                assert!(flow.is_ok(), "flags {flags:#x}, pieces of {size}: {flow:?}");
            }
            assert!(decoder.finish().is_ok() && content == b"content", "flags {flags:#x}, pieces of {size}");
        }
        if flags & CRC != 0 {
            let mut file = file.clone();
            file[10 + fields.len() - 1] ^= 1;
            let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), 1000));
            let error = decoder.push(&file, &mut |_| ControlFlow::Continue(())).unwrap_err();
            assert_eq!(error.kind, GzipErrorKind::HeaderCrc);
        }
    }
}
