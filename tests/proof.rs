//! Proofs of transactions and ledger entries: what is proven, to whom, and that nothing in the file can be changed unnoticed.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{TestHost, data};
use futures_executor::block_on;
use proptest::prelude::{ProptestConfig, prop, proptest};
use sample_archive::{Archive, Config};
use serde_json::{Value, json};
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::ArchivePath;
use stellar_archive_verifier::codec::hash::Hash256;
use stellar_archive_verifier::driver::dump::read_records;
use stellar_archive_verifier::driver::prove::{
    MAX_BUCKET_BYTES, ProveError, SearchProgress, WantedTransaction, parse_ledger_key, prove_entry, prove_transaction,
};
use stellar_archive_verifier::driver::{ReadOptions, Trust};
use stellar_archive_verifier::transport::ArchiveReader;
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::trust::checkpoint_hashes::CheckpointHashes;
use stellar_archive_verifier::trust::preset::Believed;
use stellar_archive_verifier::trust::proof::{ProofAnchor, ProofReport, ProofVerdict, Standing, Subject, verify_proof};

const TESTNET: &str = "Test SDF Network ; September 2015";

#[test]
fn a_real_transaction_is_proven_by_the_preset_of_its_network_alone() {
    let Some(data) = data("a_real_transaction_is_proven_by_the_preset_of_its_network_alone") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let (hash, ledger) = some_transaction(&archive, 0xd3f);
    let proof = by_hash(&archive, &Trust::default(), hash, 0xcc0, 0xe3f).unwrap();
    assert!(proof.len() < 64 << 10, "{} bytes", proof.len());
    let report = verify(&proof, &Trust::default());
    assert_eq!(report.verdict, ProofVerdict::Proven, "{report:#?}");
    let transaction = transaction(&report);
    assert_eq!((transaction.hash, report.facts.as_ref().unwrap().ledger), (hash, ledger));
    assert_eq!(report.network.as_deref(), Some(TESTNET));
    let [ProofAnchor::Seal { seal, quorum_set }] = report.anchors.as_slice() else { panic!("{:?}", report.anchors) };
    assert!(seal.signers.len() >= 2 && seal.of == 3 && quorum_set.starts_with("the quorum set testnet"), "{seal:?}");
    assert!(report.signers.iter().all(|signer| signer.trusted && signer.name.is_some()), "{:?}", report.signers);
    assert!(report.statement.contains(&hash.to_string()) && report.statement.contains("stroops"), "{}", report.statement);

    let by_place = prove(&archive, &Trust::default(), WantedTransaction::ByPlace { ledger, index: transaction.index }).unwrap();
    assert_eq!(by_place, proof, "the same transaction makes the same file");
    let elsewhere = verify_proof(&proof, Some(&Network::from_name_or_passphrase("pubnet")), &Trust::default());
    assert_eq!((elsewhere.verdict, elsewhere.fault.unwrap().field), (ProofVerdict::Refuted, "network".to_owned()));
}

#[test]
fn whatever_is_changed_in_a_real_proof_is_noticed_and_named() {
    let Some(data) = data("whatever_is_changed_in_a_real_proof_is_noticed_and_named") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let (hash, ledger) = some_transaction(&archive, 0xd3f);
    let proof = by_hash(&archive, &Trust::default(), hash, ledger.value(), ledger.value()).unwrap();
    tamper_with_everything(&proof, &Trust::default());
}

#[test]
fn transactions_of_every_era_are_proven_and_whatever_is_changed_is_noticed_and_named() {
    for protocol in [8, 13, 20, 22, 23, 28] {
        let archive = sample(protocol, None);
        let trust = believing(&archive);
        let reader = MemoryArchive::new(archive.files.clone());
        let mut ledgers = vec![archive.busy_ledgers[0], archive.busy_ledgers[archive.busy_ledgers.len() / 2]];
        // The ledgers below one whose set was dropped, and below one without transactions.
        ledgers.extend(archive.dropped_ledgers.iter().map(|dropped| dropped - 1).find(|below| archive.busy_ledgers.contains(below)));
        ledgers.extend(archive.busy_ledgers.iter().copied().find(|busy| !archive.busy_ledgers.contains(&(busy + 1)) && *busy % 64 < 60));
        let (mut without_set, mut on_empty_set) = (false, false);
        for ledger in ledgers {
            let wanted = WantedTransaction::ByPlace { ledger: LedgerSeq::new(ledger), index: 0 };
            let proof = prove(&reader, &trust, wanted).unwrap();
            let report = verify(&proof, &trust);
            assert_eq!(report.verdict, ProofVerdict::Proven, "protocol {protocol}, ledger {ledger}: {report:#?}");
            tamper_with_everything(&proof, &trust);
            let seal = &serde_json::from_str::<Value>(&proof).unwrap()["seal"];
            let signed = u32::try_from(seal["ledger"].as_u64().unwrap()).unwrap();
            without_set |= seal.get("transactionSet").is_none() && archive.dropped_ledgers.contains(&signed);
            on_empty_set |= seal.get("transactionSet").is_some() && !archive.busy_ledgers.contains(&signed);
        }
        assert!(on_empty_set || without_set, "protocol {protocol}: no proof was sealed by an empty ledger");
        assert_eq!(without_set, !archive.dropped_ledgers.is_empty(), "protocol {protocol}: CAP-83 seals");
    }
}

#[test]
fn a_proof_by_other_validators_is_unproven_and_says_who_signed_it() {
    let (ours, theirs) = (sample(23, None), sample(23, Some(99)));
    let reader = MemoryArchive::new(theirs.files.clone());
    let wanted = WantedTransaction::ByPlace { ledger: LedgerSeq::new(theirs.busy_ledgers[3]), index: 0 };
    let proof = prove(&reader, &believing(&theirs), wanted).unwrap();
    assert_eq!(verify(&proof, &believing(&theirs)).verdict, ProofVerdict::Proven);
    for trust in [believing(&ours), Trust::default()] {
        let report = verify(&proof, &trust);
        assert_eq!(report.verdict, ProofVerdict::Unproven);
        assert!(report.signers.len() >= 3 && report.signers.iter().all(|signer| !signer.trusted), "{:?}", report.signers);
        assert!(report.statement.contains("nobody whom you trust"), "{}", report.statement);
        assert_eq!(report.network, None, "the name of the network is the file's own word");
    }
    let fork = Trust { hashes: trusted(&ours, theirs.busy_ledgers[3]), ..Trust::default() };
    let report = verify(&proof, &fork);
    assert_eq!(report.verdict, ProofVerdict::Refuted, "another hash is trusted");
    assert!(report.fault.unwrap().message.contains("whose hash you trust"));
}

#[test]
fn without_signatures_a_trusted_hash_vouches() {
    let archive = sample(22, None);
    let mut files = archive.files.clone();
    files.retain(|path, _| !path.starts_with("scp/"));
    let reader = MemoryArchive::new(files);
    let ledger = archive.busy_ledgers[5];
    let wanted = WantedTransaction::ByPlace { ledger: LedgerSeq::new(ledger), index: 0 };
    let proof = prove(&reader, &Trust::default(), wanted.clone()).unwrap();
    let report = verify(&proof, &Trust::default());
    assert_eq!((report.verdict, report.signers.len()), (ProofVerdict::Unproven, 0), "{report:#?}");
    let checkpoint = ledger | 63;
    let trust = Trust { hashes: trusted(&archive, checkpoint), ..Trust::default() };
    let report = verify(&proof, &trust);
    assert_eq!(report.verdict, ProofVerdict::Proven, "a file of checkpoint hashes has the last header's: {report:#?}");
    let proof = prove(&reader, &trust, wanted).unwrap();
    assert_eq!(verify(&proof, &trust).verdict, ProofVerdict::Proven);
    tamper_with_everything(&proof, &trust);
}

#[test]
fn the_last_ledger_of_a_checkpoint_is_sealed_by_the_next_one() {
    let archive = (1..20).map(|seed| sample_of(23, None, seed)).find(|archive| archive.busy_ledgers.contains(&127)).unwrap();
    let reader = MemoryArchive::new(archive.files.clone());
    let trust = believing(&archive);
    let wanted = WantedTransaction::ByPlace { ledger: LedgerSeq::new(127), index: 0 };
    let report = verify(&prove(&reader, &trust, wanted).unwrap(), &trust);
    assert_eq!(report.verdict, ProofVerdict::Proven, "{report:#?}");
}

#[test]
fn a_transaction_that_is_not_there_is_not_found_and_errors_say_what_to_do() {
    let archive = sample(22, None);
    let reader = MemoryArchive::new(archive.files.clone());
    let trust = Trust::default();
    let error = by_hash(&reader, &trust, Hash256::new([7; 32]), 1, 127).unwrap_err();
    assert!(matches!(&error, ProveError::NotFound { unread: None, .. }) && error.to_string().contains("from 1 to 127"), "{error}");
    let mut holed = archive.files.clone();
    holed.remove("results/00/00/00/results-0000003f.xdr.gz");
    let error = by_hash(&MemoryArchive::new(holed), &trust, Hash256::new([7; 32]), 1, 127).unwrap_err();
    assert!(error.to_string().contains("results-0000003f.xdr.gz could not be read"), "{error}");
    let busy = LedgerSeq::new(archive.busy_ledgers[0]);
    let error = prove(&reader, &trust, WantedTransaction::ByPlace { ledger: busy, index: 999 }).unwrap_err();
    assert!(error.to_string().contains("counted from 0"), "{error}");
    let empty = (3..archive.tip).find(|ledger| !archive.busy_ledgers.contains(ledger)).unwrap();
    let error = prove(&reader, &trust, WantedTransaction::ByPlace { ledger: LedgerSeq::new(empty), index: 0 }).unwrap_err();
    assert!(error.to_string().contains("has no transactions"), "{error}");
    assert!(matches!(
        entry(&reader, &trust, "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7", 100, 0),
        Err(ProveError::Usage(_))
    ));
    assert!(parse_ledger_key("nonsense").is_err());
}

#[test]
fn a_cancelled_search_ends() {
    let archive = sample(22, None);
    let reader = MemoryArchive::new(archive.files);
    let host = TestHost::default();
    host.cancel_after.set(Some(40));
    let wanted = WantedTransaction::ByHash { hash: Hash256::new([7; 32]), low: None, high: None };
    let result = block_on(prove_transaction(vec![&reader], &host, &ReadOptions::default(), &Trust::default(), wanted, &mut |_| {}));
    assert!(result.is_err());
}

#[test]
fn entries_are_proven_with_their_buckets_and_only_then() {
    for protocol in [8, 22, 23] {
        let archive = sample(protocol, None);
        let trust = believing(&archive);
        let reader = MemoryArchive::new(archive.files.clone());
        let (live, dead) = some_keys(&reader, 127);
        let proof = entry(&reader, &trust, &live, 127, MAX_BUCKET_BYTES).unwrap();
        let report = verify(&proof, &trust);
        assert_eq!(report.verdict, ProofVerdict::Proven, "protocol {protocol}: {report:#?}");
        assert!(report.statement.contains("exists"), "{}", report.statement);
        tamper_with_everything(&proof, &trust);

        let named = entry(&reader, &trust, &live, 127, 0).unwrap();
        assert!(named.len() < proof.len());
        let report = verify(&named, &trust);
        assert_eq!(report.verdict, ProofVerdict::Unproven, "{report:#?}");
        assert!(report.statement.contains("was not looked for"), "{}", report.statement);

        if let Some(dead) = dead {
            let report = verify(&entry(&reader, &trust, &dead, 127, MAX_BUCKET_BYTES).unwrap(), &trust);
            assert_eq!((report.verdict, standing(&report)), (ProofVerdict::Proven, Standing::Dead), "{report:#?}");
        }
        let stranger = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7";
        let proof = entry(&reader, &trust, stranger, 127, MAX_BUCKET_BYTES).unwrap();
        let report = verify(&proof, &trust);
        assert_eq!((report.verdict, standing(&report)), (ProofVerdict::Proven, Standing::Absent), "{report:#?}");
        tamper_with_everything(&proof, &trust);
        let error = entry(&reader, &trust, stranger, 127, 10).unwrap_err();
        assert!(matches!(error, ProveError::Absent { .. }), "{error}");
    }
}

#[test]
fn a_real_account_is_proven() {
    let Some(data) = data("a_real_account_is_proven") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let (live, _) = some_keys(&archive, 0xd3f);
    let proof = entry(&archive, &Trust::default(), &live, 0xd3f, MAX_BUCKET_BYTES).unwrap();
    let report = verify(&proof, &Trust::default());
    assert_eq!(report.verdict, ProofVerdict::Proven, "{report:#?}");
    assert!(report.statement.contains("entry of G"), "{}", report.statement);
}

#[test]
fn what_nothing_seals_yet_is_unproven() {
    let archive = sample(23, None);
    let reader = MemoryArchive::new(archive.files.clone());
    let trust = believing(&archive);
    let (live, _) = some_keys(&reader, archive.tip);
    let proof = entry(&reader, &trust, &live, archive.tip, MAX_BUCKET_BYTES).unwrap();
    let report = verify(&proof, &trust);
    assert_eq!((report.verdict, report.signers.len()), (ProofVerdict::Unproven, 0), "{report:#?}");
    let hashes = Trust { hashes: trusted(&archive, archive.tip), ..Trust::default() };
    assert_eq!(verify(&proof, &hashes).verdict, ProofVerdict::Proven);
}

#[test]
fn a_search_says_how_far_it_is_from_the_newest_checkpoint_down() {
    let archive = sample(22, None);
    let reader = MemoryArchive::new(archive.files);
    let wanted = WantedTransaction::ByHash { hash: Hash256::new([7; 32]), low: None, high: None };
    let mut seen = Vec::new();
    let mut progress = |at: SearchProgress| seen.push((at.checkpoint.last_ledger().value(), at.done, at.total));
    let (host, options) = (TestHost::default(), ReadOptions::default());
    let found = block_on(prove_transaction(vec![&reader], &host, &options, &Trust::default(), wanted, &mut progress));
    assert!(found.is_err());
    assert_eq!(seen, [(191, 1, 3), (127, 2, 3), (63, 3, 3)]);
}

#[test]
fn several_archives_stand_in_for_each_other() {
    let archive = sample(22, None);
    let trust = believing(&archive);
    let (mut first, second) = (archive.files.clone(), archive.files.clone());
    first.retain(|path, _| !path.starts_with("results/") && !path.starts_with("bucket/"));
    let (first, second) = (MemoryArchive::new(first), MemoryArchive::new(second));
    let results = records(&second, "results/00/00/00/results-0000007f.xdr.gz");
    let hash = Hash256::new(results[0][8..40].try_into().unwrap());
    let wanted = WantedTransaction::ByHash { hash, low: None, high: None };
    let (host, options) = (TestHost::default(), ReadOptions::default());
    let proof = block_on(prove_transaction(vec![&first, &second], &host, &options, &trust, wanted, &mut |_| {})).unwrap();
    assert_eq!(verify(&proof, &trust).verdict, ProofVerdict::Proven);
    let (live, _) = some_keys(&second, 127);
    let key = parse_ledger_key(&live).unwrap();
    let proof = prove_entry(vec![&first, &second], &host, &options, &trust, &key, LedgerSeq::new(127), MAX_BUCKET_BYTES);
    assert_eq!(verify(&block_on(proof).unwrap(), &trust).verdict, ProofVerdict::Proven);
}

#[test]
fn old_entries_take_too_many_buckets_and_the_report_says_which() {
    let archive = sample(8, None);
    let reader = MemoryArchive::new(archive.files.clone());
    let (live, _) = some_keys(&reader, 127);
    let report = verify(&entry(&reader, &believing(&archive), &live, 127, 0).unwrap(), &believing(&archive));
    let Some(Subject::Entry(entry)) = report.facts.map(|facts| facts.subject) else { panic!("an entry") };
    assert!(!entry.searched && !entry.buckets.is_empty());
}

#[test]
fn what_is_no_proof_is_refuted() {
    let huge = " ".repeat((32 << 20) + 1);
    for text in ["", "{}", "[]", "null", "{\"schema\":2,\"kind\":\"transaction\"}", "{\"schema\":1,\"kind\":\"else\"}", huge.as_str()] {
        let report = verify(text, &Trust::default());
        assert_eq!(report.verdict, ProofVerdict::Refuted);
        assert!(!report.statement.is_empty() && !report.does_not_prove.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn random_damage_never_panics_and_never_proves_anything_else(
        damage in prop::collection::vec((0usize..1 << 20, 0u8..128), 1..6), kind in 0usize..2,
    ) {
        let proofs = fixed_proofs();
        let (proof, trust, facts) = &proofs[kind];
        let mut bytes = proof.clone().into_bytes();
        for (at, byte) in damage {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        let report = verify(&String::from_utf8(bytes).unwrap(), trust);
        if report.verdict == ProofVerdict::Proven {
            assert_eq!(&serde_json::to_value(&report.facts).unwrap(), facts, "only white space can have changed");
        }
    }
}

fn fixed_proofs() -> &'static [(String, Trust, Value); 2] {
    static PROOFS: std::sync::OnceLock<[(String, Trust, Value); 2]> = std::sync::OnceLock::new();
    PROOFS.get_or_init(|| {
        let archive = sample(23, None);
        let trust = believing(&archive);
        let reader = MemoryArchive::new(archive.files.clone());
        let wanted = WantedTransaction::ByPlace { ledger: LedgerSeq::new(archive.busy_ledgers[9]), index: 0 };
        let (key, _) = some_keys(&reader, 127);
        let proofs = [prove(&reader, &trust, wanted).unwrap(), entry(&reader, &trust, &key, 127, MAX_BUCKET_BYTES).unwrap()];
        proofs.map(|proof| {
            let facts = serde_json::to_value(verify(&proof, &trust).facts).unwrap();
            (proof, trust.clone(), facts)
        })
    })
}

/// Changes every leaf, drops, doubles and swaps everything, one at a time: each must be refuted, with the field in the reason.
fn tamper_with_everything(proof: &str, trust: &Trust) {
    let sound: Value = serde_json::from_str(proof).unwrap();
    let signers = verify(proof, trust).signers.len();
    let mut count = 0;
    for (path, what, changed) in tampered(&sound) {
        count += 1;
        let report = verify(&changed.to_string(), trust);
        let place = format!("{path}: {what}: {:?}", report.fault);
        // A proof with fewer signatures is another sound proof, if they are enough; one without a seal may be no proof.
        if what == "dropped" && path.starts_with("seal.envelopes[") && report.verdict != ProofVerdict::Refuted {
            assert_eq!(report.signers.len(), signers - 1, "{place}");
            continue;
        }
        // Less evidence may be too little, which is no lie.
        let unsealed_end = sound.get("seal").is_none() && path == format!("headers[{}]", sound["headers"].as_array().unwrap().len() - 1);
        let evidence = path == "seal" || path == "buckets" || (path == "buckets[0]" && report.signers.len() == signers) || unsealed_end;
        if what == "dropped" && evidence && report.verdict == ProofVerdict::Unproven {
            continue;
        }
        // What shows that one key is nowhere shows so of others.
        let absent = sound["kind"] == "ledger-entry" && sound.get("found").is_none();
        if path == "key" && absent && report.verdict == ProofVerdict::Proven {
            let Subject::Entry(entry) = &report.facts.as_ref().unwrap().subject else { panic!("an entry") };
            assert_eq!(changed["key"], entry.key.as_str(), "it says of which key it is a proof");
            continue;
        }
        assert_eq!(report.verdict, ProofVerdict::Refuted, "{place}");
        let fault = report.fault.as_ref().unwrap();
        let said = format!("{} {}", fault.field, fault.message);
        if fault.field.is_empty() {
            // What is wrong with the JSON itself has its place, or the name of the field that is missing or too many.
            assert!(fault.message.contains(" column "), "{place}");
            continue;
        }
        let least = if path.starts_with("seal.") { 2 } else { 1 };
        let segments: Vec<_> = path.split('.').collect();
        let named = (least.min(segments.len())..=segments.len()).any(|length| {
            let prefix = segments[..length].join(".");
            said.contains(&prefix) || said.contains(prefix.split('[').next().unwrap())
        });
        assert!(named || segments.last().is_some_and(|last| said.contains(last)), "the reason names the field: {place}");
    }
    assert!(count > 60, "only {count} changes were made");
}

fn tampered(sound: &Value) -> Vec<(String, String, Value)> {
    let mut changes = Vec::new();
    walk(sound, String::new(), String::new(), &mut |pointer, path, what, value| {
        let mut changed = sound.clone();
        match value {
            Some(value) => *changed.pointer_mut(pointer).unwrap() = value,
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            }
        }
        changes.push((path.to_owned(), what.to_owned(), changed));
    });
    changes
}

type Change<'a> = &'a mut dyn FnMut(&str, &str, &str, Option<Value>);

fn walk(value: &Value, pointer: String, path: String, change: Change<'_>) {
    match value {
        Value::Number(number) => {
            for other in [number.as_u64().unwrap() + 1, number.as_u64().unwrap().wrapping_sub(1), u64::from(u32::MAX)] {
                change(&pointer, &path, "another number", Some(json!(other)));
            }
            change(&pointer, &path, "a string", Some(json!(number.to_string())));
        }
        Value::String(text) => walk_text(text, &pointer, &path, change),
        Value::Array(items) => {
            for index in 0..items.len() {
                let at = format!("{path}[{index}]");
                let mut fewer = items.clone();
                fewer.remove(index);
                change(&pointer, &at, "dropped", Some(json!(fewer)));
                let mut more = items.clone();
                more.insert(index, items[index].clone());
                change(&pointer, &at, "doubled", Some(json!(more)));
                let mut swapped = items.clone();
                if index > 0 && swapped[index] != swapped[index - 1] {
                    swapped.swap(index, index - 1);
                    change(&pointer, &at, "swapped", Some(json!(swapped)));
                }
                walk(&items[index], format!("{pointer}/{index}"), at, change);
            }
        }
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("stranger".into(), json!(1));
            change(&pointer, if path.is_empty() { "stranger" } else { &path }, "stranger", Some(json!(more)));
            for (name, field) in fields {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let inside = format!("{pointer}/{name}");
                // The name of an enum's form is no field, so an object without it is of no form.
                if !["legacy", "generalized"].contains(&name.as_str()) {
                    change(&inside, &at, "dropped", None);
                } else {
                    let other = if name == "legacy" { "generalized" } else { "legacy" };
                    change(&pointer, &path, "of the other format", Some(json!({ other: field })));
                }
                walk(field, inside, at, change);
            }
        }
        Value::Bool(_) | Value::Null => panic!("{path}: proofs have neither"),
    }
}

fn walk_text(text: &str, pointer: &str, path: &str, change: Change<'_>) {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let other = |digit: &str| if digit == "0" { "1" } else { "0" };
        change(pointer, path, "first digit", Some(json!(format!("{}{}", other(&text[..1]), &text[1..]))));
        change(pointer, path, "last digit", Some(json!(format!("{}{}", &text[..63], other(&text[63..])))));
        if text.to_uppercase() != text {
            change(pointer, path, "upper case", Some(json!(text.to_uppercase())));
        }
        return;
    }
    change(pointer, path, "with a space", Some(json!(format!("{text} "))));
    let Ok(bytes) = STANDARD.decode(text) else {
        return change(pointer, path, "another word", Some(json!("pubnet")));
    };
    let length = bytes.len();
    for at in [0, 1, 3, 4, 35, 36, 40, length / 3, length / 2, length * 3 / 4, length.saturating_sub(5), length - 1] {
        for bit in [0, 7] {
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << bit;
                change(pointer, path, &format!("bit {bit} of byte {at}"), Some(json!(STANDARD.encode(flipped))));
            }
        }
    }
    change(pointer, path, "trailing bytes", Some(json!(STANDARD.encode([&bytes[..], &[0; 4]].concat()))));
    change(pointer, path, "cut short", Some(json!(STANDARD.encode(&bytes[..length - 1]))));
    change(pointer, path, "nothing", Some(json!("")));
    if text.ends_with('=') {
        change(pointer, path, "without padding", Some(json!(text.trim_end_matches('='))));
    }
}

fn sample(protocol: u32, validators_seed: Option<u64>) -> Archive {
    sample_of(protocol, validators_seed, 1)
}

fn sample_of(protocol: u32, validators_seed: Option<u64>, seed: u64) -> Archive {
    sample_archive::make(&Config { protocol: protocol.try_into().unwrap(), ledgers: 190, validators_seed, seed, ..Config::default() })
}

fn believing(archive: &Archive) -> Trust {
    let set = json!({ "threshold": archive.threshold, "validators": archive.validators }).to_string();
    Trust { believed: Some(Believed::from_name_or_json(&set).unwrap()), ..Trust::default() }
}

fn trusted(archive: &Archive, ledger: u32) -> CheckpointHashes {
    let mut hashes = CheckpointHashes::default();
    assert!(hashes.add(LedgerSeq::new(ledger), Hash256::new(archive.hashes[&ledger])));
    hashes
}

fn verify(proof: &str, trust: &Trust) -> ProofReport {
    verify_proof(proof, None, trust)
}

fn prove(reader: &dyn ArchiveReader, trust: &Trust, wanted: WantedTransaction) -> Result<String, ProveError> {
    block_on(prove_transaction(vec![reader], &TestHost::default(), &ReadOptions::default(), trust, wanted, &mut |_| {}))
}

fn by_hash(reader: &dyn ArchiveReader, trust: &Trust, hash: Hash256, low: u32, high: u32) -> Result<String, ProveError> {
    let (low, high) = (Some(LedgerSeq::new(low)), Some(LedgerSeq::new(high)));
    prove(reader, trust, WantedTransaction::ByHash { hash, low, high })
}

fn entry(reader: &dyn ArchiveReader, trust: &Trust, key: &str, checkpoint: u32, max_bucket_bytes: u64) -> Result<String, ProveError> {
    let key = parse_ledger_key(key).unwrap();
    let host = TestHost::default();
    block_on(prove_entry(vec![reader], &host, &ReadOptions::default(), trust, &key, LedgerSeq::new(checkpoint), max_bucket_bytes))
}

fn records(reader: &dyn ArchiveReader, path: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let path = ArchivePath::parse(path).unwrap();
    let mut record = |bytes: &[u8]| {
        all.push(bytes.to_vec());
        Ok(())
    };
    block_on(read_records(reader, &TestHost::default(), &ReadOptions::default(), &path, &mut record)).unwrap();
    all
}

/// The first transaction of a checkpoint's results.
fn some_transaction(reader: &dyn ArchiveReader, checkpoint: u32) -> (Hash256, LedgerSeq) {
    let results = records(reader, &format!("results/00/00/{:02x}/results-{checkpoint:08x}.xdr.gz", checkpoint >> 8));
    let first = results.first().unwrap();
    let ledger = u32::from_be_bytes(first[..4].try_into().unwrap());
    (Hash256::new(first[8..40].try_into().unwrap()), LedgerSeq::new(ledger))
}

/// The keys of an entry that is there and of one that was removed, in the newest buckets of a checkpoint.
fn some_keys(reader: &dyn ArchiveReader, checkpoint: u32) -> (String, Option<String>) {
    use stellar_xdr::{BucketEntry, Limits, ReadXdr, WriteXdr};
    let path = format!("history/00/00/{:02x}/history-{checkpoint:08x}.json", checkpoint >> 8);
    let (host, options) = (TestHost::default(), ReadOptions::default());
    let path = ArchivePath::parse(&path).unwrap();
    let state = block_on(stellar_archive_verifier::driver::dump::read_json(reader, &host, &options, &path)).unwrap();
    let (mut live, mut dead) = (None, None);
    let mut seen = std::collections::BTreeSet::new();
    for level in state["currentBuckets"].as_array().unwrap() {
        for name in [&level["curr"], &level["snap"]].map(|name| name.as_str().unwrap()) {
            if name.bytes().all(|digit| digit == b'0') {
                continue;
            }
            let path = format!("bucket/{}/{}/{}/bucket-{name}.xdr.gz", &name[..2], &name[2..4], &name[4..6]);
            for record in records(reader, &path) {
                let entry = BucketEntry::from_xdr(record, Limits::none()).unwrap();
                let (key, into) = match entry {
                    BucketEntry::Metaentry(_) => continue,
                    BucketEntry::Deadentry(key) => (key, &mut dead),
                    BucketEntry::Initentry(entry) | BucketEntry::Liveentry(entry) => (entry.to_key(), &mut live),
                };
                if seen.insert(key.clone()) && into.is_none() {
                    *into = Some(STANDARD.encode(key.to_xdr(Limits::none()).unwrap()));
                }
            }
        }
    }
    (live.unwrap(), dead)
}

fn transaction(report: &ProofReport) -> stellar_archive_verifier::trust::proof::TransactionFacts {
    match &report.facts.as_ref().unwrap().subject {
        Subject::Transaction(transaction) => transaction.clone(),
        Subject::Entry(_) => panic!("a transaction"),
    }
}

fn standing(report: &ProofReport) -> Standing {
    match &report.facts.as_ref().unwrap().subject {
        Subject::Entry(entry) => entry.standing,
        Subject::Transaction(_) => panic!("an entry"),
    }
}
