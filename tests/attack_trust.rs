//! Attacks on who vouches for a history: forged ones that borrow real signatures, archives that lie beside honest ones, honest ones
//! with holes, and words that would claim too much.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::made::{Named, believed, believed_keys, edit, file, path, records, sealed};
use common::{TestHost, codes, options, verify};
use ed25519_dalek::{Signer, SigningKey};
use futures_executor::block_on;
use sample_archive::{Archive, Config};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::FileKind;
use stellar_archive_verifier::codec::hash::sha256;
use stellar_archive_verifier::driver::{RunOptions, Trust, verify_archives};
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::transport::ArchiveReader;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::trust::proof::{ProofVerdict, verify_proof};
use stellar_xdr::{
    Hash, LedgerHeaderHistoryEntry, Limits, NodeId, PublicKey, ReadXdr, ScpQuorumSet, ScpStatementPledges, StellarValueExt, Uint256,
    WriteXdr,
};

const PASS: &str = "A network";

/// Makes a transactions entry of a ledger, a set, and the hash of a header.
type EntryOf = dyn Fn(u32, &[u8], &[u8; 32]) -> Vec<u8>;

/// A history made up by strangers from ledger 2 on, whose newest ledger carries the value and the messages that the real
/// validators signed for that ledger of the real history. What should tie the value to the header before it is made up as well: `entry` makes
/// the tip's transactions entry of the ledger, the real set, and the hash of the forged header before.
fn grafted(entry_of: &EntryOf) -> (Archive, BTreeMap<String, Vec<u8>>) {
    let honest = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    for seed in 2..20 {
        let forged = sample_archive::make(&Config { passphrase: PASS.into(), seed, ..Config::default() });
        assert_eq!(forged.tip, honest.tip);
        let tip = honest.tip;
        let mut files = forged.files.clone();
        files.retain(|path, _| !path.starts_with("scp/"));
        let header = |archive: &Archive, index_from_end: usize| {
            let list = records(&archive.files[&path(FileKind::Ledger, tip)]);
            LedgerHeaderHistoryEntry::from_xdr(&list[list.len() - 1 - index_from_end], Limits::none()).unwrap()
        };
        let real = header(&honest, 0).header.scp_value;
        if matches!(real.ext, StellarValueExt::EmptyTxSet(_)) || real.close_time <= header(&forged, 1).header.scp_value.close_time {
            continue;
        }
        // The header of the tip says the real value.
        let name = path(FileKind::Ledger, tip);
        let mut list = records(&files[&name]);
        let mut entry = header(&forged, 0);
        entry.header.scp_value = real;
        entry.hash = Hash(*sha256(&[&entry.header.to_xdr(Limits::none()).unwrap()]).as_bytes());
        *list.last_mut().unwrap() = entry.to_xdr(Limits::none()).unwrap();
        files.insert(name, file(&list));
        let (own, real) = (header(&forged, 1).hash.0, header(&honest, 1).hash.0);
        let name = path(FileKind::Transactions, tip);
        let is_tip = |record: &Vec<u8>| record[..4] == tip.to_be_bytes();
        // The set that the real validators signed; protocol 23's empty one, if the ledger was empty.
        let empty = [&[0, 0, 0, 1], real.as_slice(), &[0, 0, 0, 2], &[0; 8], &[0, 0, 0, 1], &[0; 8]].concat();
        let set = records(&honest.files[&name]).into_iter().find(is_tip).map_or(empty, |record| record[44..].to_vec());
        let mut list: Vec<_> = records(&files[&name]).into_iter().filter(|record| !is_tip(record)).collect();
        list.push(entry_of(tip, &set, &own));
        files.insert(name, file(&list));
        // The real messages of the tip.
        let name = path(FileKind::Scp, tip);
        let last = records(&honest.files[&name]).pop().unwrap();
        files.insert(name, file(&[last]));
        return (honest, files);
    }
    panic!("no seed fits")
}

/// Four bytes of a ledger, any hash, no legacy transactions, ext 1, and no generalized set.
fn stub(ledger: u32, _set: &[u8], _previous: &[u8; 32]) -> Vec<u8> {
    [&ledger.to_be_bytes(), [0; 32].as_slice(), &[0, 0, 0, 0, 0, 0, 0, 1]].concat()
}

/// The real set, whose hash is right, behind a legacy half that names the forged header: no hash covers that half.
fn behind_a_legacy_half(ledger: u32, set: &[u8], previous: &[u8; 32]) -> Vec<u8> {
    let old = sample_archive::make(&Config { protocol: 13.try_into().unwrap(), ..Config::default() });
    let record = records(&old.files[&path(FileKind::Transactions, 63)]).remove(0);
    let legacy = &record[36..record.len() - 4];
    [&ledger.to_be_bytes(), previous.as_slice(), legacy, &[0, 0, 0, 1], set].concat()
}

#[test]
fn a_forged_history_is_not_sealed_by_real_signatures_that_do_not_commit_to_it() {
    for entry in [stub, behind_a_legacy_half] {
        let (honest, files) = grafted(&entry);
        for (deep, all) in [(false, false), (true, false), (true, true)] {
            let mut options = options(1, honest.tip, None);
            options.deep = deep;
            options.trust.all_signatures = all;
            options.trust.believed = Some(believed(&honest, honest.threshold));
            let report = verify(&MemoryArchive::new(files.clone()), &options);
            assert_eq!((report.verdict, sealed(&report)), (Verdict::Faulty, None), "{}", report.statement);
        }
    }
}

fn node(key: &SigningKey) -> NodeId {
    NodeId(PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes())))
}

/// Strangers sign the values of ledgers from `from` on, instead of the validators.
fn taken_over(archive: &Archive, passphrase: &str, from: u32) -> Archive {
    let network = Network::from_passphrase(passphrase).id();
    let strangers: Vec<_> = (1..=3).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
    let set = ScpQuorumSet {
        threshold: 2,
        validators: strangers.iter().map(node).collect::<Vec<_>>().try_into().unwrap(),
        inner_sets: Vec::new().try_into().unwrap(),
    };
    let hash = Hash(*sha256(&[&set.to_xdr(Limits::none()).unwrap()]).as_bytes());
    edit(archive, |ledger, entry| {
        if ledger < from {
            return;
        }
        entry.quorum_sets = vec![set.clone()].try_into().unwrap();
        let mut messages = entry.ledger_messages.messages.to_vec();
        messages.truncate(strangers.len());
        for (message, key) in messages.iter_mut().zip(&strangers) {
            message.statement.node_id = node(key);
            match &mut message.statement.pledges {
                ScpStatementPledges::Externalize(said) => said.commit_quorum_set_hash = hash.clone(),
                ScpStatementPledges::Confirm(said) => said.quorum_set_hash = hash.clone(),
                other => panic!("{other:?}"),
            }
            message.signature = sign(key, &network, &message.statement.to_xdr(Limits::none()).unwrap());
        }
        entry.ledger_messages.messages = messages.try_into().unwrap();
    })
}

fn sign(key: &SigningKey, network: &stellar_archive_verifier::archive::network::NetworkId, statement: &[u8]) -> stellar_xdr::Signature {
    let mut signed = network.hash().as_bytes().to_vec();
    signed.extend_from_slice(&1u32.to_be_bytes());
    signed.extend_from_slice(statement);
    stellar_xdr::Signature(key.sign(&signed).to_bytes().to_vec().try_into().unwrap())
}

#[test]
fn one_archive_of_three_with_made_up_messages_does_not_make_a_sealed_history_faulty() {
    let honest = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let liar = taken_over(&honest, PASS, honest.tip - 63);
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for turn in 0..6 {
        let names = match turn % 3 {
            0 => ["liar", "one", "two"],
            1 => ["one", "liar", "two"],
            _ => ["one", "two", "liar"],
        };
        let archives: Vec<_> = names
            .iter()
            .map(|name| Named(name, MemoryArchive::new(if *name == "liar" { liar.files.clone() } else { honest.files.clone() })))
            .collect();
        for concurrency in [1, 2, 4, 8, 16] {
            let mut options = RunOptions::default();
            options.concurrency = concurrency.into();
            options.trust.believed = Some(believed(&honest, honest.threshold));
            let readers = archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect();
            let report = block_on(verify_archives(readers, &TestHost::default(), &options, &mut |_| {})).unwrap();
            *outcomes.entry(format!("{:?} {:?} {:?}", report.verdict, codes(&report), sealed(&report))).or_default() += 1;
        }
    }
    assert!(outcomes.keys().all(|outcome| outcome.starts_with("Verified")), "{outcomes:#?}");
}

#[test]
fn a_believed_validator_that_was_away_for_eight_ledgers_makes_no_honest_archive_faulty() {
    let honest = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let mine = honest.validators[0].clone();
    let id: stellar_archive_verifier::archive::node::NodeId = mine.parse().unwrap();
    // The publisher did not hear it for the last eight ledgers (40 seconds).
    let away = edit(&honest, |ledger, entry| {
        if ledger > honest.tip - 8 {
            let messages: Vec<_> = entry
                .ledger_messages
                .messages
                .iter()
                .filter(|message| stellar_archive_verifier::archive::node::NodeId::from_xdr(&message.statement.node_id) != id)
                .cloned()
                .collect();
            entry.ledger_messages.messages = messages.try_into().unwrap();
        }
    });
    let mut options = options(1, honest.tip, None);
    options.trust.believed = Some(believed_keys(&[mine], 1));
    let report = verify(&MemoryArchive::new(away.files.clone()), &options);
    assert_ne!(report.verdict, Verdict::Faulty, "{:?} {:?}", codes(&report), sealed(&report));
}

#[test]
fn a_history_sealed_far_below_its_end_is_not_said_to_be_signed_at_its_end() {
    let archive = sample_archive::make(&Config { passphrase: PASS.into(), ledgers: 64 * 12, ..Config::default() });
    let mut files = archive.files.clone();
    for index in 1..12u32 {
        if index == 3 {
            continue;
        }
        files.remove(&path(FileKind::Scp, 64 * index + 63));
    }
    let mut options = options(1, archive.tip, None);
    options.trust.believed = Some(believed(&archive, archive.threshold));
    let report = verify(&MemoryArchive::new(files), &options);
    let tip = report.claims.iter().find(|claim| claim.claim == "tip").unwrap();
    assert_eq!((tip.status, report.meaning.title), ("unchecked", "verified, vouched for in part"));
    assert!(sealed(&report) == Some(254) && !report.meaning.proves.contains("signed its end"), "{}", report.meaning.proves);
}

#[test]
fn a_value_of_an_unknown_kind_seals_nothing_in_a_proof_either() {
    let trust = |key: &SigningKey| {
        let id = stellar_archive_verifier::archive::node::NodeId::from_xdr(&node(key)).to_string();
        Trust { believed: Some(believed_keys(&[id], 1)), ..Trust::default() }
    };
    let archive = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let network = Network::from_passphrase(PASS);
    let key = SigningKey::from_bytes(&[5; 32]);
    let trust = trust(&key);
    // Any transaction of the archive, with the seal replaced by one over a value of kind 9.
    let ledger = archive.busy_ledgers.iter().copied().find(|ledger| ledger % 64 < 60).unwrap();
    let reader = MemoryArchive::new(archive.files.clone());
    let made = block_on(stellar_archive_verifier::driver::prove::prove_transaction(
        vec![&reader],
        &TestHost::default(),
        &Default::default(),
        &Trust { believed: Some(believed(&archive, archive.threshold)), ..Trust::default() },
        stellar_archive_verifier::driver::prove::WantedTransaction::ByPlace { ledger: LedgerSeq::new(ledger), index: 0 },
        &mut |_| {},
    ))
    .unwrap();
    let mut proof: serde_json::Value = serde_json::from_str(&made).unwrap();
    let headers = proof["headers"].as_array().unwrap().clone();
    let last = STANDARD.decode(headers.last().unwrap().as_str().unwrap()).unwrap();
    let signed = u32::try_from(proof["seal"]["ledger"].as_u64().unwrap()).unwrap();
    let previous = *sha256(&[&last]).as_bytes();
    let mut set = vec![0, 0, 0, 1];
    set.extend_from_slice(&previous);
    set.extend_from_slice(&[0, 0, 0, 2]);
    set.extend_from_slice(&[0; 8]);
    set.extend_from_slice(&[0, 0, 0, 1]);
    set.extend_from_slice(&[0; 8]);
    let mut value = sha256(&[&set]).as_bytes().to_vec();
    value.extend_from_slice(&1_700_000_000u64.to_be_bytes());
    value.extend_from_slice(&[0; 4]);
    value.extend_from_slice(&9u32.to_be_bytes());
    value.extend_from_slice(b"whatever this newer kind says...");
    let quorum =
        ScpQuorumSet { threshold: 1, validators: vec![node(&key)].try_into().unwrap(), inner_sets: Vec::new().try_into().unwrap() };
    let quorum_bytes = quorum.to_xdr(Limits::none()).unwrap();
    let statement = stellar_xdr::ScpStatement {
        node_id: node(&key),
        slot_index: u64::from(signed),
        pledges: ScpStatementPledges::Externalize(stellar_xdr::ScpStatementExternalize {
            commit: stellar_xdr::ScpBallot { counter: 1, value: stellar_xdr::Value(value.clone().try_into().unwrap()) },
            n_h: 1,
            commit_quorum_set_hash: Hash(*sha256(&[&quorum_bytes]).as_bytes()),
        }),
    };
    let signature = sign(&key, &network.id(), &statement.to_xdr(Limits::none()).unwrap());
    let envelope = stellar_xdr::ScpEnvelope { statement, signature };
    proof["seal"] = serde_json::json!({
        "ledger": signed,
        "value": STANDARD.encode(&value),
        "transactionSet": { "generalized": STANDARD.encode(&set) },
        "envelopes": [STANDARD.encode(envelope.to_xdr(Limits::none()).unwrap())],
        "quorumSets": [STANDARD.encode(&quorum_bytes)],
    });
    let report = verify_proof(&proof.to_string(), Some(&network), &trust);
    assert_ne!(report.verdict, ProofVerdict::Proven);
}

#[test]
fn checkpoint_hashes_are_not_proven_by_signatures_that_do_not_commit_to_them() {
    use stellar_archive_verifier::driver::verify_checkpoints::{VerifyCheckpointsRequest, verify_checkpoints};
    let (honest, files) = grafted(&stub);
    let request = VerifyCheckpointsRequest {
        history: None,
        earlier: None,
        from: None,
        trust: Trust { believed: Some(believed(&honest, honest.threshold)), ..Trust::default() },
    };
    let reader = MemoryArchive::new(files);
    let outcome = block_on(verify_checkpoints(vec![&reader], &TestHost::default(), &Default::default(), request, &mut |_| {}));
    assert!(outcome.is_err());
}

#[test]
fn compare_does_not_call_the_honest_archive_wrong_for_a_graft() {
    use stellar_archive_verifier::driver::compare::{CompareRange, compare_archives};
    let (honest, files) = grafted(&stub);
    let archives = [Named("honest", MemoryArchive::new(honest.files.clone())), Named("graft", MemoryArchive::new(files))];
    let readers = archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect();
    let trust = Trust { believed: Some(believed(&honest, honest.threshold)), ..Trust::default() };
    let range = CompareRange { low: Some(LedgerSeq::new(1)), high: Some(LedgerSeq::new(honest.tip)), last: None };
    let comparison = block_on(compare_archives(readers, &TestHost::default(), &Default::default(), range, &trust, &mut |_| {})).unwrap();
    let text = serde_json::to_value(&comparison).unwrap();
    let standings: Vec<_> = text["archives"].as_array().unwrap().iter().map(|archive| archive["standing"].as_str().unwrap()).collect();
    assert_eq!(standings[0], "agrees", "{standings:?}");
    assert_ne!(standings[1], "agrees", "{standings:?}");
}

#[test]
fn words_fit_where_one_anchor_is_met_and_another_is_not() {
    let archive = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    // Sealed by the quorum set, and a trusted hash of a ledger that is not in the range.
    let mut options = options(1, archive.tip, None);
    options.trust.believed = Some(believed(&archive, archive.threshold));
    options.trust.hashes.add(LedgerSeq::new(100_000), stellar_archive_verifier::codec::hash::Hash256::ZERO);
    let sealed_one = verify(&MemoryArchive::new(archive.files.clone()), &options);
    // A trusted hash that is met, and no messages of the quorum set.
    let mut silent = archive.files.clone();
    silent.retain(|path, _| !path.starts_with("scp/"));
    let mut options = common::options(1, archive.tip, None);
    options.trust.believed = Some(believed(&archive, archive.threshold));
    options
        .trust
        .hashes
        .add(LedgerSeq::new(archive.tip), stellar_archive_verifier::codec::hash::Hash256::new(archive.hashes[&archive.tip]));
    let trusted = verify(&MemoryArchive::new(silent), &options);
    assert!(!sealed_one.statement.contains("no quorum of them") && !sealed_one.statement.contains("not anchored"));
    assert!(!trusted.statement.contains("not anchored"));
}

#[test]
fn the_statement_of_a_large_sample_counts_all_seals() {
    let archive = sample_archive::make(&Config {
        passphrase: PASS.into(),
        ledgers: 8 * 600,
        frequency: sample_archive::Frequency::Accelerated,
        ..Config::default()
    });
    let mut options = RunOptions::default();
    options.frequency = CheckpointFrequency::Accelerated;
    options.sample = Some(200);
    options.seed = Some(stellar_archive_verifier::historywork::plan::Seed(3));
    options.trust.believed = Some(believed(&archive, archive.threshold));
    let reader = MemoryArchive::new(archive.files.clone());
    let report = block_on(stellar_archive_verifier::driver::verify_archive(&reader, &TestHost::default(), &options, &mut |_| {})).unwrap();
    assert!(report.statement.contains("200 of them are sealed by validators whom you believe"), "{}", report.statement);
}

#[test]
fn an_optional_field_that_is_null_reads_as_absent() {
    let archive = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let reader = MemoryArchive::new(archive.files.clone());
    let trust = Trust { believed: Some(believed(&archive, archive.threshold)), ..Trust::default() };
    let root = {
        let id = Network::from_passphrase(PASS).id();
        let key = SigningKey::from_bytes(id.hash().as_bytes());
        stellar_xdr::LedgerKey::Account(stellar_xdr::LedgerKeyAccount { account_id: stellar_xdr::AccountId(node(&key).0) })
    };
    let made = block_on(stellar_archive_verifier::driver::prove::prove_entry(
        vec![&reader],
        &TestHost::default(),
        &Default::default(),
        &trust,
        &root,
        LedgerSeq::new(127),
        0,
    ));
    let made = made.unwrap();
    let mut proof: serde_json::Value = serde_json::from_str(&made).unwrap();
    proof.as_object_mut().unwrap().remove("buckets");
    let absent = verify_proof(&proof.to_string(), None, &trust).verdict;
    proof["buckets"] = serde_json::Value::Null;
    let null = verify_proof(&proof.to_string(), None, &trust);
    assert_eq!(absent, null.verdict);
}

#[test]
fn one_archive_without_messages_does_not_take_the_seal_away() {
    let honest = sample_archive::make(&Config { passphrase: PASS.into(), ledgers: 64, ..Config::default() });
    let mut mute = honest.files.clone();
    let kept = records(&mute[&path(FileKind::Scp, 63)]);
    // An honest publisher that was down for all but the first ledger of the checkpoint.
    mute.insert(path(FileKind::Scp, 63), file(&kept[..1]));
    let mut silent = edit(&honest, |_, entry| {
        let messages = entry.ledger_messages.messages.to_vec();
        entry.ledger_messages.messages = messages[..1].to_vec().try_into().unwrap();
    })
    .files;
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for other in [&mut mute, &mut silent] {
        for names in [["whole", "holes"], ["holes", "whole"]] {
            let archives: Vec<_> = names
                .iter()
                .map(|name| Named(name, MemoryArchive::new(if *name == "whole" { honest.files.clone() } else { other.clone() })))
                .collect();
            for concurrency in [1, 4] {
                let mut options = RunOptions::default();
                options.concurrency = concurrency.into();
                options.trust.believed = Some(believed(&honest, honest.threshold));
                let readers = archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect();
                let report = block_on(verify_archives(readers, &TestHost::default(), &options, &mut |_| {})).unwrap();
                *outcomes.entry(format!("{:?} {:?} {:?}", report.verdict, codes(&report), sealed(&report))).or_default() += 1;
            }
        }
    }
    assert!(outcomes.keys().all(|outcome| outcome.contains("Verified") && outcome.contains("Some(62)")), "{outcomes:#?}");
}

#[test]
fn transactions_that_were_taken_out_are_missed() {
    let archive = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let mut files = archive.files.clone();
    let mut taken = 0;
    for (name, content) in files.iter_mut().filter(|(name, _)| name.starts_with("transactions/")) {
        let _ = name;
        let list: Vec<_> = records(content)
            .into_iter()
            .map(|record| {
                if record[36..44] != [0, 0, 0, 0, 0, 0, 0, 1] {
                    return record;
                }
                taken += 1;
                let mut stub = record[..4].to_vec();
                stub.extend_from_slice(&[0; 32]);
                stub.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
                stub
            })
            .collect();
        *content = file(&list);
    }
    for deep in [false, true] {
        let mut options = options(1, archive.tip, None);
        options.deep = deep;
        options.trust.believed = Some(believed(&archive, archive.threshold));
        let report = verify(&MemoryArchive::new(files.clone()), &options);
        assert_eq!(report.verdict, Verdict::Faulty);
    }
}

#[test]
fn checkpoint_hashes_that_are_trusted_are_all_held_against_the_chain() {
    use stellar_archive_verifier::driver::verify_checkpoints::{VerifyCheckpointsRequest, verify_checkpoints};
    let honest = sample_archive::make(&Config { passphrase: PASS.into(), ..Config::default() });
    let hash = |ledger: u32| stellar_archive_verifier::codec::hash::Hash256::new(honest.hashes[&ledger]);
    let mut hashes = stellar_archive_verifier::trust::checkpoint_hashes::CheckpointHashes::default();
    hashes.add(LedgerSeq::new(honest.tip), hash(honest.tip));
    // Another hash than the archive's, of a ledger below.
    hashes.add(LedgerSeq::new(63), hash(64));
    let request = VerifyCheckpointsRequest { history: None, earlier: None, from: None, trust: Trust { hashes, ..Trust::default() } };
    let reader = MemoryArchive::new(honest.files.clone());
    let outcome = block_on(verify_checkpoints(vec![&reader], &TestHost::default(), &Default::default(), request, &mut |_| {}));
    assert!(outcome.is_err());
}
