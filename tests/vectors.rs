//! Headers, sets and results of stellar-core for protocols 0 to 29, and real states, against the rules that read them.

#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use base64::Engine;
use serde_json::Value;
use stellar_archive_verifier::archive::checkpoint::CheckpointFrequency;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::state::HistoryArchiveState;
use stellar_archive_verifier::codec::file::{FileSummary, RecordSink};
use stellar_archive_verifier::codec::record::Record;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::verify::checkpoint::{Delivery, LedgerCheck, Rules};
use stellar_archive_verifier::verify::finding::FindingCode;
use stellar_archive_verifier::verify::results::ResultsCheck;
use stellar_archive_verifier::verify::transactions::TransactionsCheck;

/// What a lone ledger of a checkpoint cannot help but lack.
const OF_OTHER_LEDGERS: [FindingCode; 1] = [FindingCode::HeaderMissing];

#[test]
fn every_ledger_vector_verifies_and_one_changed_byte_is_found() {
    let Some(data) = common::data("every_ledger_vector_verifies_and_one_changed_byte_is_found") else { return };
    let mut count = 0;
    for file in ["ledger-vectors.json", "ledger-vectors-large.json"] {
        let vectors: Value = serde_json::from_slice(&std::fs::read(data.join("vectors").join(file)).unwrap()).unwrap();
        for vector in vectors["vectors"].as_array().unwrap() {
            let source = vector["source"].as_str().unwrap();
            let found = verify(vector, |_| {});
            assert!(found.is_empty(), "{source}: {found:?}");
            for part in ["header", "txSet", "resultSet"] {
                if part != "header" && vector["cap83EmptyTxSet"] == true {
                    continue;
                }
                let found = verify(vector, |parts| {
                    let bytes = match part {
                        "header" => &mut parts.header,
                        "txSet" => &mut parts.set,
                        _ => &mut parts.results,
                    };
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                });
                assert!(!found.is_empty(), "{source}: a changed byte of its {part} goes unnoticed");
            }
            count += 1;
        }
    }
    assert!(count > 20, "only {count} vectors");
}

struct Parts {
    header: Vec<u8>,
    set: Vec<u8>,
    results: Vec<u8>,
}

fn verify(vector: &Value, change: impl Fn(&mut Parts)) -> Vec<FindingCode> {
    let bytes = |part: &str| base64::engine::general_purpose::STANDARD.decode(vector[part]["xdr"].as_str().unwrap()).unwrap();
    let mut parts = Parts { header: bytes("header"), set: bytes("txSet"), results: bytes("resultSet") };
    change(&mut parts);
    let sequence = u32::try_from(vector["ledgerSeq"].as_u64().unwrap()).unwrap();
    let network = vector["networkPassphrase"].as_str().map(Network::from_passphrase);
    let rules = Rules::new(network.clone(), network.is_some(), Budget::default());
    let checkpoint = CheckpointFrequency::Standard.containing(stellar_archive_verifier::archive::checkpoint::LedgerSeq::new(sequence));
    let sound = Delivery::Read(Ok(FileSummary { already_inflated: false, zero_padding: 0, records: 1 }));

    let claimed = hex::decode(vector["header"]["hash"].as_str().unwrap()).unwrap();
    let mut ledger = LedgerCheck::new(&rules, checkpoint);
    feed(&mut ledger, &[&claimed, &parts.header, &[0; 4]]);
    let ledger = ledger.finish(sound.clone());
    let mut codes: Vec<_> = ledger.findings.iter().map(|finding| finding.code).filter(|code| !OF_OTHER_LEDGERS.contains(code)).collect();
    if sequence == 1 || vector["cap83EmptyTxSet"] == true {
        return codes;
    }
    let sequence = sequence.to_be_bytes();
    let mut transactions = TransactionsCheck::new(&rules, &ledger.facts);
    if vector["txSet"]["kind"] == "generalized" {
        feed(&mut transactions, &[&sequence, &[0; 32], &[0; 4], &[0, 0, 0, 1], &parts.set]);
    } else {
        feed(&mut transactions, &[&sequence, &parts.set, &[0; 4]]);
    }
    let transactions = transactions.finish(sound.clone());
    codes.extend(transactions.findings.iter().map(|finding| finding.code));
    let sets = if rules.deep { transactions.facts.transactions.as_slice() } else { &[] };
    let mut results = ResultsCheck::new(&rules, &ledger.facts, sets);
    feed(&mut results, &[&sequence, &parts.results, &[0; 4]]);
    codes.extend(results.finish(sound).findings.iter().map(|finding| finding.code));
    codes
}

fn feed(sink: &mut dyn RecordSink, parts: &[&[u8]]) {
    sink.record(Record { index: 0, offset: 4, bytes: &parts.concat() });
}

#[test]
fn every_state_vector_parses_to_its_bucket_list_hash() {
    let Some(data) = common::data("every_state_vector_parses_to_its_bucket_list_hash") else { return };
    let vectors: Value = serde_json::from_slice(&std::fs::read(data.join("vectors/has-vectors.json")).unwrap()).unwrap();
    for vector in vectors.as_array().unwrap() {
        let file = vector["file"].as_str().unwrap();
        let json = std::fs::read(data.join("vectors").join(file)).unwrap();
        let state = HistoryArchiveState::parse(&json, &Budget::default());
        if vector["expect"] != "valid" {
            assert!(state.is_err(), "{file} is not valid");
            continue;
        }
        let state = state.unwrap_or_else(|error| panic!("{file}: {error}"));
        let protocol = if state.version == 2 { 23 } else { 22 };
        assert_eq!(state.bucket_list_hash(protocol).unwrap().to_string(), vector["bucketListHash"].as_str().unwrap(), "{file}");
        assert_eq!(u64::from(state.current_ledger.value()), vector["currentLedger"].as_u64().unwrap(), "{file}");
    }
}
