//! `verify-checkpoints` and the quorum sets of the last checkpoints: what is proven from a trusted end, what is refused, whom
//! it blames, and that nothing comes out of a run that fails midway.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::made::Named;
use common::{Overlay, TestHost, data};
use sample_archive::{Archive, Config, Frequency};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::ReadError;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::hash::Hash256;
use stellar_archive_verifier::driver::recent_quorum_sets::{
    QsetFiles, RecentQuorumSets, RecentQuorumSetsError, RecentRange, recent_quorum_sets,
};
use stellar_archive_verifier::driver::verify_checkpoints::{
    CheckpointsAnchor, VerifiedCheckpoints, VerifyCheckpointsError, VerifyCheckpointsEvent, VerifyCheckpointsRequest, verify_checkpoints,
};
use stellar_archive_verifier::driver::{ReadOptions, Trust};
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::transport::{ArchiveReader, Body};
use stellar_archive_verifier::trust::checkpoint_hashes::CheckpointHashes;
use stellar_archive_verifier::trust::preset::Believed;

type Files = BTreeMap<String, Vec<u8>>;

const TESTNET_TIP: u32 = 3647;
const LEDGERS: u32 = 96;
const TIP: u32 = LEDGERS - 1;

// ---- real archives

#[test]
fn the_testnet_preset_alone_proves_every_checkpoint_below_the_sealed_ledger() {
    let Some(testnet) = testnet("the_testnet_preset_alone_proves_every_checkpoint_below_the_sealed_ledger") else { return };
    let verified = run(&[&testnet], &ReadOptions::default(), VerifyCheckpointsRequest::default()).unwrap();
    let CheckpointsAnchor::Seal { seal, quorum_set } = &verified.anchor else { panic!("{:?}", verified.anchor) };
    // The signatures over the last ledger prove the one before: the last checkpoint's own hash is one ledger short.
    assert_eq!((seal.ledger.value(), seal.signers.len(), seal.of), (TESTNET_TIP - 1, 3, 3));
    assert!(quorum_set.contains("testnet"), "{quorum_set}");
    assert_eq!(verified.hashes, hashes_of(&testnet, TESTNET_TIP - 64));
    assert_eq!((verified.count, verified.newest.ledger.value(), verified.oldest.ledger.value()), (56, TESTNET_TIP - 64, 63));
    assert!(verified.genesis && verified.findings.is_empty());
    let anchor = serde_json::to_value(&verified.anchor).unwrap();
    let fields: Vec<_> = anchor.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["hash", "kind", "ledger", "of", "others", "quorumSet", "signed", "signers", "strength"]);
    assert_eq!((anchor["kind"].as_str(), anchor["strength"].as_str()), (Some("seal"), Some("accepted-commit")));
}

#[test]
fn with_the_hash_of_the_last_ledger_all_57_checkpoints_of_testnet_come_out_as_stellar_core_writes_them() {
    let Some(testnet) = testnet("with_the_hash_of_the_last_ledger_all_57_checkpoints_of_testnet_come_out_as_stellar_core_writes_them")
    else {
        return;
    };
    let all = hashes_of(&testnet, TESTNET_TIP);
    let verified = run(&[&testnet], &ReadOptions::default(), given(&all, TESTNET_TIP)).unwrap();
    assert_eq!((verified.count, &verified.hashes), (57, &all));
    let json = verified.hashes.to_json();
    let lines: Vec<_> = json.split('\n').collect();
    assert_eq!((lines[0], lines[58], lines[59], lines[60]), ("[", "[0, \"\"]", "]", ""));
    assert_eq!(lines[1], format!("[{TESTNET_TIP}, \"{}\"],", all.by_ledger()[&LedgerSeq::new(TESTNET_TIP)]));
    assert_eq!(CheckpointHashes::parse(&json).as_ref(), Ok(&all));
    let object = serde_json::to_value(&verified).unwrap();
    assert_eq!((object["json"].as_str(), object["anchor"]["kind"].as_str()), (Some(json.as_str()), Some("trusted-hash")));
}

#[test]
fn an_incremental_run_gives_the_whole_file_byte_by_byte_and_reads_only_what_is_new() {
    let Some(testnet) = testnet("an_incremental_run_gives_the_whole_file_byte_by_byte_and_reads_only_what_is_new") else { return };
    let all = hashes_of(&testnet, TESTNET_TIP);
    let earlier = run(&[&testnet], &ReadOptions::default(), given(&all, 1983)).unwrap().hashes;
    assert_eq!(earlier, hashes_of(&testnet, 1983));
    let earlier = CheckpointHashes::parse(&earlier.to_json()).unwrap();
    let request = VerifyCheckpointsRequest { earlier: Some(earlier.clone()), ..given(&all, TESTNET_TIP) };
    let added = run(&[&testnet], &ReadOptions::default(), request).unwrap();
    assert_eq!(added.hashes.to_json(), all.to_json());
    assert_eq!((added.files, added.earlier.unwrap().ledger.value(), added.genesis), (26, 1983, false));
    // With nothing new, the file is what it was.
    let request = VerifyCheckpointsRequest { earlier: Some(earlier.clone()), ..given(&all, 1983) };
    let same = run(&[&testnet], &ReadOptions::default(), request).unwrap();
    assert_eq!((same.hashes, same.files), (earlier, 0));
}

#[test]
fn earlier_hashes_that_the_chain_does_not_lead_to_are_an_anchor_mismatch_and_no_archives_fault() {
    let Some(testnet) = testnet("earlier_hashes_that_the_chain_does_not_lead_to_are_an_anchor_mismatch_and_no_archives_fault") else {
        return;
    };
    let all = hashes_of(&testnet, TESTNET_TIP);
    let mut earlier = hashes_of(&testnet, 1919);
    assert!(earlier.add(LedgerSeq::new(1983), Hash256::ZERO));
    let request = VerifyCheckpointsRequest { earlier: Some(earlier), ..given(&all, TESTNET_TIP) };
    let error = run(&[&testnet], &ReadOptions::default(), request).unwrap_err();
    let VerifyCheckpointsError::Faulty(finding, _) = &error else { panic!("{error}") };
    assert_eq!((finding.code.as_str(), finding.ledger.unwrap().value(), finding.archive.as_str()), ("anchor-mismatch", 1983, ""));
    assert_eq!(finding.expected.as_deref(), Some(Hash256::ZERO.to_string().as_str()));
    assert_eq!(finding.actual.as_deref(), Some(all.by_ledger()[&LedgerSeq::new(1983)].to_string().as_str()));
}

#[test]
fn a_wrong_history_hash_fails_and_names_the_file_the_ledger_and_both_hashes() {
    let Some(testnet) = testnet("a_wrong_history_hash_fails_and_names_the_file_the_ledger_and_both_hashes") else { return };
    let wrong = Hash256::new([7; 32]);
    let request = VerifyCheckpointsRequest { history: Some((LedgerSeq::new(TESTNET_TIP), wrong)), ..VerifyCheckpointsRequest::default() };
    let error = run(&[&testnet], &ReadOptions::default(), request).unwrap_err();
    let VerifyCheckpointsError::Faulty(finding, _) = &error else { panic!("{error}") };
    assert_eq!(finding.code.as_str(), "anchor-mismatch");
    assert_eq!(finding.path.as_str(), ledger_path(TESTNET_TIP, CheckpointFrequency::Standard));
    assert_eq!((finding.ledger.unwrap().value(), finding.expected.clone().unwrap()), (TESTNET_TIP, wrong.to_string()));
    let words = error.to_string();
    assert!(words.contains("ledger-00000e3f.xdr.gz, ledger 3647") && words.contains(&wrong.to_string()), "{words}");
    assert!(!finding.advice.is_empty());
}

#[test]
fn a_broken_header_file_in_the_middle_fails_and_names_file_and_ledger() {
    let Some(testnet) = testnet("a_broken_header_file_in_the_middle_fails_and_names_file_and_ledger") else { return };
    let all = hashes_of(&testnet, TESTNET_TIP);
    for (broken, codes) in broken_files(&testnet) {
        let archive = Overlay::new(&testnet).replace(ledger_path(1983, CheckpointFrequency::Standard), broken);
        let error = run_readers(vec![&archive], &ReadOptions::default(), given(&all, TESTNET_TIP)).unwrap_err();
        let VerifyCheckpointsError::Faulty(finding, _) = &error else { panic!("{error}") };
        assert_eq!(finding.code.as_str(), codes);
        assert_eq!(finding.path.as_str(), ledger_path(1983, CheckpointFrequency::Standard));
        assert_eq!(finding.checkpoint.unwrap().value(), 1983);
        assert!(finding.archive.ends_with("testnet-p22") && finding.is_error());
        assert!(codes == "file-missing" || codes == "gzip-corrupt" || finding.ledger.is_some(), "{finding:?}");
    }
}

#[test]
fn with_two_archives_of_which_one_is_broken_it_succeeds_and_names_the_broken_one() {
    let Some(testnet) = testnet("with_two_archives_of_which_one_is_broken_it_succeeds_and_names_the_broken_one") else { return };
    let all = hashes_of(&testnet, TESTNET_TIP);
    for (broken, code) in broken_files(&testnet) {
        let bad = Named("bad", Overlay::new(&testnet).replace(ledger_path(1983, CheckpointFrequency::Standard), broken));
        let good = Named("good", Overlay::new(&testnet));
        let mut blamed = 0;
        // Whichever of the two is asked first for that file.
        for readers in [[&bad as &dyn ArchiveReader, &good], [&good, &bad]] {
            let verified = run_readers(readers.to_vec(), &ReadOptions::default(), given(&all, TESTNET_TIP)).unwrap();
            assert_eq!(verified.hashes, all);
            for finding in &verified.findings {
                assert_eq!((finding.archive.as_str(), finding.good_from.as_deref()), ("bad", Some("good")), "{finding:?}");
                assert!(!finding.is_error());
            }
            blamed += verified.findings.iter().filter(|finding| finding.code.as_str() == code).count();
        }
        assert!(blamed > 0, "{code}");
    }
}

#[test]
fn it_stops_at_the_checkpoint_where_stellar_core_stops() {
    let Some(testnet) = testnet("it_stops_at_the_checkpoint_where_stellar_core_stops") else { return };
    let all = hashes_of(&testnet, TESTNET_TIP);
    // The last ledger of a checkpoint: that one. Any other: the checkpoint before the one that it is in, if there is one.
    for (from, oldest) in [(127, 127), (126, 63), (128, 127), (64, 63), (63, 63), (10, 63), (1, 63)] {
        let request = VerifyCheckpointsRequest { from: Some(LedgerSeq::new(from)), ..given(&all, 319) };
        let verified = run(&[&testnet], &ReadOptions::default(), request).unwrap();
        assert_eq!((verified.oldest.ledger.value(), verified.newest.ledger.value()), (oldest, 319), "from {from}");
        assert_eq!(verified.genesis, oldest == 63, "from {from}");
    }
}

#[test]
fn a_trusted_ledger_inside_a_checkpoint_proves_the_whole_checkpoints_below_it() {
    let Some(testnet) = testnet("a_trusted_ledger_inside_a_checkpoint_proves_the_whole_checkpoints_below_it") else { return };
    let hash = header_hash(&testnet, 300);
    let request = VerifyCheckpointsRequest { history: Some((LedgerSeq::new(300), hash)), ..VerifyCheckpointsRequest::default() };
    let verified = run(&[&testnet], &ReadOptions::default(), request).unwrap();
    assert_eq!(verified.hashes, hashes_of(&testnet, 255));
    assert_eq!(verified.anchor.end(), (LedgerSeq::new(300), hash));
}

#[test]
fn what_contradicts_itself_is_refused_before_anything_is_read() {
    let hashes = |pairs: &[(u32, u8)]| {
        let mut hashes = CheckpointHashes::default();
        pairs.iter().for_each(|(ledger, hash)| assert!(hashes.add(LedgerSeq::new(*ledger), Hash256::new([*hash; 32]))));
        Some(hashes)
    };
    let end = |ledger, hash| Some((LedgerSeq::new(ledger), Hash256::new([hash; 32])));
    let from = |ledger| Some(LedgerSeq::new(ledger));
    for (history, earlier, from, why) in [
        (end(127, 1), hashes(&[(63, 2)]), from(63), "not both"),
        (end(62, 1), None, None, "the first one ends at ledger 63"),
        (end(127, 1), None, from(128), "above the trusted ledger 127"),
        (end(127, 1), hashes(&[(64, 2)]), None, "ends no checkpoint"),
        (end(127, 1), hashes(&[(191, 2)]), None, "older than the newest"),
        (end(127, 1), hashes(&[(127, 2)]), None, "another history"),
    ] {
        let nothing = MemoryArchive::default();
        let request = VerifyCheckpointsRequest { history, earlier, from, trust: Trust::default() };
        let error = run_readers(vec![&nothing], &ReadOptions::default(), request).unwrap_err();
        assert!(matches!(error, VerifyCheckpointsError::Usage(_)) && error.to_string().contains(why), "{error}");
    }
}

#[test]
fn testnets_three_validators_go_by_one_set_of_two_of_three() {
    let Some(testnet) = testnet("testnets_three_validators_go_by_one_set_of_two_of_three") else { return };
    let found = quorum_sets(&[&LocalArchive::new(&testnet)], &ReadOptions::default(), RecentRange::default()).unwrap();
    assert_eq!((found.low.value(), found.high.value(), found.signatures_verified), (1, TESTNET_TIP, true));
    assert_eq!(found.checkpoints, QsetFiles { read: 57, ..QsetFiles::default() });
    let names: Vec<_> = found.nodes.iter().map(|node| (node.name.unwrap(), node.organisation.unwrap())).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|(_, organisation)| *organisation == "SDF"), "{names:?}");
    let [set] = found.quorum_sets.as_slice() else { panic!("{:?}", found.quorum_sets) };
    assert_eq!((set.quorum_set.threshold, set.quorum_set.validators.len(), set.quorum_set.inner_sets.len()), (2, 3, 0));
    assert!(found.nodes.iter().all(|node| node.quorum_set == set.hash && set.quorum_set.validators.contains(&node.node)));
    assert_eq!(found.messages.counted, found.nodes.iter().map(|node| node.messages).sum::<u64>());
    assert_eq!((found.messages.rejected, found.messages.unchecked), (0, 0));
    assert!(found.nodes.iter().all(|node| node.last_ledger.value() == TESTNET_TIP), "{:?}", found.nodes);
    assert!(found.left_out.is_empty() && found.findings.is_empty() && found.errors.is_empty());
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["quorumSets"][0]["quorumSet"]["threshold"], 2);
    assert_eq!(json["nodes"][0]["quorumSet"], json["quorumSets"][0]["hash"]);
    assert_eq!(json["nodes"][0]["lastLedger"], TESTNET_TIP);
}

#[test]
fn messages_that_are_not_signed_for_the_network_say_nothing_of_quorum_sets() {
    let Some(testnet) = testnet("messages_that_are_not_signed_for_the_network_say_nothing_of_quorum_sets") else { return };
    let mut options = ReadOptions::default();
    options.network = Some(Network::from_passphrase("another network"));
    let range = RecentRange { last: 2, high: None };
    let found = quorum_sets(&[&LocalArchive::new(&testnet)], &options, range).unwrap();
    assert!(found.nodes.is_empty() && found.quorum_sets.is_empty());
    assert!(found.messages.rejected > 0 && found.messages.counted == 0);
    assert_eq!(found.checkpoints, QsetFiles { faulty: 2, ..QsetFiles::default() });
    assert!(found.findings.iter().any(|finding| finding.code.as_str() == "scp-signature"));
}

#[test]
fn early_pubnet_shows_who_went_by_what_and_files_that_were_never_published_are_missing() {
    let Some(data) = data("early_pubnet_shows_who_went_by_what_and_files_that_were_never_published_are_missing") else { return };
    let archive = LocalArchive::new(data.join("archives/pubnet-1.2m"));
    let mut options = ReadOptions::default();
    options.network = Some(Network::from_name_or_passphrase("pubnet"));
    let range = RecentRange { last: 4, high: Some(LedgerSeq::new(0x1286bf)) };
    let found = quorum_sets(&[&archive], &options, range).unwrap();
    assert_eq!(found.checkpoints, QsetFiles { read: 2, missing: 2, ..QsetFiles::default() });
    assert_eq!(found.messages.rejected, 0);
    // Every node's set is in the files.
    assert!(found.nodes.iter().all(|node| found.quorum_sets.iter().any(|set| set.hash == node.quorum_set)));
}

// ---- made-up archives, with checkpoints of 8 ledgers

#[test]
fn a_seal_of_the_users_own_quorum_set_anchors_a_network_of_8_ledger_checkpoints() {
    let sample = sample(1);
    let request = VerifyCheckpointsRequest {
        trust: Trust { believed: Some(believed(&sample)), ..Trust::default() },
        ..VerifyCheckpointsRequest::default()
    };
    let verified = run_readers(vec![&memory("sample", &sample.files)], &accelerated(), request).unwrap();
    assert_eq!(verified.anchor.end().0.value(), TIP - 1);
    assert_eq!(verified.hashes, checkpoints_of(&sample, TIP - 8));
    assert!(verified.genesis);
}

#[test]
fn without_anybody_to_trust_it_refuses_and_says_what_to_give() {
    let sample = sample(1);
    let error = run_readers(vec![&memory("sample", &sample.files)], &accelerated(), VerifyCheckpointsRequest::default()).unwrap_err();
    assert!(matches!(error, VerifyCheckpointsError::Unanchored(_, None)), "{error:?}");
    assert!(error.to_string().contains("give the number and hash of a ledger that you trust, or the quorum set"), "{error}");
}

#[test]
fn a_history_that_only_strangers_signed_is_refused_and_the_strangers_are_named() {
    let (sample, other) = (sample(1), sample(2));
    let request = VerifyCheckpointsRequest {
        trust: Trust { believed: Some(believed(&other)), ..Trust::default() },
        ..VerifyCheckpointsRequest::default()
    };
    let error = run_readers(vec![&memory("sample", &sample.files)], &accelerated(), request).unwrap_err();
    let VerifyCheckpointsError::Unanchored(why, Some(finding)) = &error else { panic!("{error:?}") };
    assert!(why.contains("none of the newest 8 checkpoints, up to ledger 95"), "{why}");
    assert_eq!((finding.code.as_str(), finding.actual.as_deref()), ("anchor-mismatch", Some("4 others")));
}

#[test]
fn an_archive_with_another_sound_history_is_blamed_file_by_file_and_the_others_hashes_come_out() {
    let (sample, forged) = (sample(1), sample(2));
    let archives = ["forged 1", "forged 2", "forged 3", "forged 4"].map(|name| memory(name, &forged.files));
    let honest = memory("honest", &sample.files);
    let mut readers: Vec<&dyn ArchiveReader> = archives.iter().map(|archive| archive as &dyn ArchiveReader).collect();
    readers.push(&honest);
    let all = checkpoints_of(&sample, TIP);
    let mut heard = 0;
    let host = TestHost::default();
    let verified = futures_executor::block_on(verify_checkpoints(readers, &host, &accelerated(), given(&all, TIP), &mut |event| {
        heard += u32::from(matches!(event, VerifyCheckpointsEvent::Finding { .. }));
    }))
    .unwrap();
    assert_eq!(verified.hashes, all);
    assert!(!verified.findings.is_empty() && heard as usize == verified.findings.len());
    for finding in &verified.findings {
        assert!(finding.archive.starts_with("forged") && finding.good_from.as_deref() == Some("honest"), "{finding:?}");
        let wanted = if finding.ledger.unwrap().value() == TIP { "anchor-mismatch" } else { "header-chain-break" };
        assert_eq!(finding.code.as_str(), wanted);
    }
}

#[test]
fn of_two_histories_the_one_that_the_users_validators_signed_comes_out() {
    let (sample, forged) = (self::sample(1), self::sample(2));
    let (honest, forger) = (memory("honest", &sample.files), memory("forger", &forged.files));
    for readers in [[&honest as &dyn ArchiveReader, &forger], [&forger, &honest]] {
        let request = VerifyCheckpointsRequest {
            trust: Trust { believed: Some(believed(&sample)), ..Trust::default() },
            ..VerifyCheckpointsRequest::default()
        };
        let verified = run_readers(readers.to_vec(), &accelerated(), request).unwrap();
        assert_eq!(verified.hashes, checkpoints_of(&sample, TIP - 8));
        assert!(verified.findings.iter().all(|finding| finding.archive == "forger"), "{:#?}", verified.findings);
    }
}

#[test]
fn where_every_archive_has_another_history_each_of_them_is_evidence() {
    let (sample, forged) = (sample(1), sample(2));
    let (one, two) = (memory("one", &forged.files), memory("two", &forged.files));
    let error = run_readers(vec![&one, &two], &accelerated(), given(&checkpoints_of(&sample, TIP), TIP)).unwrap_err();
    let VerifyCheckpointsError::Faulty(main, others) = error else { panic!("{error}") };
    let mut blamed: Vec<_> = others.iter().chain([&*main]).map(|finding| finding.archive.as_str()).collect();
    blamed.sort_unstable();
    assert_eq!(blamed, ["one", "two"]);
    assert!(others.iter().chain([&*main]).all(|finding| finding.is_error() && finding.good_from.is_none()));
}

#[test]
fn another_networks_passphrase_fails_at_ledger_1() {
    let sample = sample(1);
    let mut options = accelerated();
    options.network = Some(Network::from_passphrase("another network"));
    let error = run_readers(vec![&memory("sample", &sample.files)], &options, given(&checkpoints_of(&sample, TIP), TIP)).unwrap_err();
    let VerifyCheckpointsError::Faulty(main, _) = error else { panic!("{error}") };
    assert_eq!((main.code.as_str(), main.ledger.unwrap().value()), ("genesis-mismatch", 1));
}

#[test]
fn where_the_archive_begins_later_it_fails_unless_it_is_told_to_stop_there() {
    let sample = sample(1);
    let mut files = sample.files.clone();
    [7, 15].iter().for_each(|last| drop(files.remove(&ledger_path(*last, CheckpointFrequency::Accelerated))));
    let (late, all) = (memory("late", &files), checkpoints_of(&sample, TIP));
    let error = run_readers(vec![&late], &accelerated(), given(&all, TIP)).unwrap_err();
    let VerifyCheckpointsError::Faulty(main, _) = error else { panic!("{error}") };
    assert_eq!((main.code.as_str(), main.checkpoint.unwrap().value()), ("file-missing", 15));
    assert!(main.advice.contains("first ledger"), "{}", main.advice);
    let request = VerifyCheckpointsRequest { from: Some(LedgerSeq::new(23)), ..given(&all, TIP) };
    let verified = run_readers(vec![&late], &accelerated(), request).unwrap();
    assert_eq!((verified.oldest.ledger.value(), verified.genesis), (23, false));
}

#[test]
fn more_checkpoints_than_are_under_way_at_once_come_out_all_the_same() {
    let config = Config { ledgers: 800, frequency: Frequency::Accelerated, ..Config::default() };
    let sample = sample_archive::make(&config);
    let all = checkpoints_of(&sample, 799);
    let verified = run_readers(vec![&memory("sample", &sample.files)], &accelerated(), given(&all, 799)).unwrap();
    assert_eq!((verified.count, verified.hashes == all), (100, true));
}

#[test]
fn a_file_that_cannot_be_read_ends_the_run_and_is_named() {
    let sample = sample(1);
    let path = ledger_path(47, CheckpointFrequency::Accelerated);
    let archive = Unreadable(memory("sample", &sample.files), path.clone());
    let error = run_readers(vec![&archive], &accelerated(), given(&checkpoints_of(&sample, TIP), TIP)).unwrap_err();
    let VerifyCheckpointsError::Unreadable(read) = &error else { panic!("{error}") };
    assert_eq!((read.code.as_ref(), read.archive.as_str()), ("TIMEOUT", "sample"));
    assert!(error.to_string().starts_with(&path), "{error}");
    let whole = memory("whole", &sample.files);
    let verified = run_readers(vec![&archive, &whole], &accelerated(), given(&checkpoints_of(&sample, TIP), TIP)).unwrap();
    assert_eq!(verified.hashes, checkpoints_of(&sample, TIP));
    assert!(verified.findings.is_empty(), "what the way did is nobody's fault");
}

#[test]
fn a_run_that_is_cancelled_midway_gives_nothing() {
    let sample = sample(1);
    let all = checkpoints_of(&sample, TIP);
    for cancel_after in (0..200).step_by(7) {
        let host = TestHost::default();
        host.cancel_after.set(Some(cancel_after));
        let archive = memory("sample", &sample.files);
        match futures_executor::block_on(verify_checkpoints(vec![&archive], &host, &accelerated(), given(&all, TIP), &mut |_| {})) {
            Ok(verified) => assert_eq!(verified.hashes, all, "cancelled after it was over"),
            Err(error) => assert!(matches!(error, VerifyCheckpointsError::Cancelled), "{error:?}"),
        }
        host.cancel_after.set(Some(cancel_after.min(10)));
        let found =
            futures_executor::block_on(recent_quorum_sets(vec![&archive], &host, &accelerated(), RecentRange::default(), &mut |_, _| {}));
        assert!(matches!(found, Err(RecentQuorumSetsError::Cancelled)), "{found:?}");
    }
}

#[test]
fn scp_files_that_are_missing_are_counted_and_asked_of_others() {
    let sample = sample(1);
    let mut files = sample.files.clone();
    [TIP, TIP - 8].iter().for_each(|last| drop(files.remove(&scp_path(*last))));
    let range = RecentRange { last: 4, high: None };
    let found = quorum_sets(&[&memory("holes", &files)], &accelerated(), range).unwrap();
    assert_eq!(found.checkpoints, QsetFiles { read: 2, missing: 2, ..QsetFiles::default() });
    assert_eq!((found.low.value(), found.high.value()), (TIP - 31, TIP));
    assert_eq!(owners(&found), validators_of(&sample));
    assert!(found.findings.is_empty() && found.nodes.iter().all(|node| node.name.is_none() && node.last_ledger.value() <= TIP - 16));
    let both = quorum_sets(&[&memory("holes", &files), &memory("whole", &sample.files)], &accelerated(), range).unwrap();
    assert_eq!(both.checkpoints, QsetFiles { read: 4, ..QsetFiles::default() });
    let below = quorum_sets(&[&memory("holes", &files)], &accelerated(), RecentRange { last: 2, high: Some(LedgerSeq::new(20)) }).unwrap();
    assert_eq!((below.low.value(), below.high.value(), below.checkpoints.read), (8, 23, 2));
}

#[test]
fn a_faulty_scp_file_is_counted_and_named_and_what_is_signed_in_it_counts() {
    let sample = sample(1);
    let mut files = sample.files.clone();
    let file = files.get_mut(&scp_path(TIP)).unwrap();
    let checksum = file.len() - 8;
    file[checksum] ^= 0x55;
    let found = quorum_sets(&[&memory("sample", &files)], &accelerated(), RecentRange { last: 1, high: None }).unwrap();
    assert_eq!(found.checkpoints, QsetFiles { faulty: 1, ..QsetFiles::default() });
    assert_eq!((found.findings[0].code.as_str(), found.findings[0].archive.as_str()), ("gzip-corrupt", "sample"));
    assert_eq!(owners(&found), validators_of(&sample));
}

// ---- helpers

fn testnet(test: &str) -> Option<PathBuf> {
    Some(data(test)?.join("archives/testnet-p22"))
}

fn run(
    archives: &[&PathBuf],
    options: &ReadOptions,
    request: VerifyCheckpointsRequest,
) -> Result<VerifiedCheckpoints, VerifyCheckpointsError> {
    let archives: Vec<_> = archives.iter().map(LocalArchive::new).collect();
    run_readers(archives.iter().map(|archive| archive as &dyn ArchiveReader).collect(), options, request)
}

fn run_readers(
    readers: Vec<&dyn ArchiveReader>,
    options: &ReadOptions,
    request: VerifyCheckpointsRequest,
) -> Result<VerifiedCheckpoints, VerifyCheckpointsError> {
    let (mut last, mut anchored) = (None, 0);
    let result =
        futures_executor::block_on(verify_checkpoints(readers, &TestHost::default(), options, request, &mut |event| match event {
            VerifyCheckpointsEvent::Progress { done, total } => last = Some((done, total)),
            VerifyCheckpointsEvent::Anchored { .. } => anchored += 1,
            VerifyCheckpointsEvent::Finding { .. } => {}
        }));
    if let Ok(verified) = &result {
        assert_eq!((last, anchored), (Some((verified.files, verified.files)), 1), "the last progress says that all is done");
    }
    result
}

fn quorum_sets(
    readers: &[&dyn ArchiveReader],
    options: &ReadOptions,
    range: RecentRange,
) -> Result<RecentQuorumSets, RecentQuorumSetsError> {
    futures_executor::block_on(recent_quorum_sets(readers.to_vec(), &TestHost::default(), options, range, &mut |_, _| {}))
}

fn given(hashes: &CheckpointHashes, ledger: u32) -> VerifyCheckpointsRequest {
    let ledger = LedgerSeq::new(ledger);
    VerifyCheckpointsRequest { history: Some((ledger, hashes.by_ledger()[&ledger])), ..VerifyCheckpointsRequest::default() }
}

fn ledger_path(last: u32, frequency: CheckpointFrequency) -> String {
    ArchivePath::of_checkpoint(FileKind::Ledger, frequency.ending_at(LedgerSeq::new(last)).unwrap()).as_str().to_owned()
}

fn scp_path(last: u32) -> String {
    let checkpoint = CheckpointFrequency::Accelerated.ending_at(LedgerSeq::new(last)).unwrap();
    ArchivePath::of_checkpoint(FileKind::Scp, checkpoint).as_str().to_owned()
}

fn unzipped(file: &[u8]) -> Vec<u8> {
    // Real files may have a name in their header; the last 8 bytes are the checksum and the length.
    let name = if file[3] & 8 == 0 { 0 } else { file[10..].iter().position(|byte| *byte == 0).unwrap() + 1 };
    miniz_oxide::inflate::decompress_to_vec(&file[10 + name..file.len() - 8]).unwrap()
}

/// The hash beside a header, which real archives have right.
fn header_hash(archive: &Path, ledger: u32) -> Hash256 {
    let checkpoint = CheckpointFrequency::Standard.containing(LedgerSeq::new(ledger));
    let path = ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint);
    let content = unzipped(&std::fs::read(archive.join(path.as_str())).unwrap());
    let (mut rest, mut place) = (content.as_slice(), ledger - checkpoint.first_ledger().value());
    loop {
        let (mark, after) = rest.split_first_chunk::<4>().unwrap();
        if place == 0 {
            return Hash256::new(after[..32].try_into().unwrap());
        }
        rest = &after[(u32::from_be_bytes(*mark) & 0x7fff_ffff) as usize..];
        place -= 1;
    }
}

fn hashes_of(archive: &Path, newest: u32) -> CheckpointHashes {
    let mut hashes = CheckpointHashes::default();
    for last in (63..=newest).step_by(64) {
        assert!(hashes.add(LedgerSeq::new(last), header_hash(archive, last)));
    }
    hashes
}

/// A ledger file of testnet: not there, cut off, with a header changed, and another one's; and what is wrong with it.
fn broken_files(archive: &Path) -> [(Option<Vec<u8>>, &'static str); 4] {
    let read = |last| std::fs::read(archive.join(ledger_path(last, CheckpointFrequency::Standard))).unwrap();
    let mut changed = unzipped(&read(1983));
    // A byte of the third header's fee pool or thereabouts: its hash no longer is what stands beside it.
    let third = changed.len() / 64 * 2 + 200;
    changed[third] ^= 1;
    let mut cut = read(1983);
    cut.truncate(cut.len() / 2);
    let gzip = stellar_archive_verifier::codec::gzip_encoder::gzip;
    [
        (None, "file-missing"),
        (Some(cut), "gzip-corrupt"),
        (Some(gzip(&changed)), "header-hash-mismatch"),
        (Some(read(2047)), "header-missing"),
    ]
}

/// An archive of which one file cannot be read.
struct Unreadable(Named<MemoryArchive>, String);

impl ArchiveReader for Unreadable {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> futures_util::future::LocalBoxFuture<'a, Result<Body, ReadError>> {
        if path.as_str() == self.1 {
            let error = ReadError::new(stellar_archive_verifier::archive::error::ReadErrorKind::Timeout, "nothing came");
            return Box::pin(futures_util::future::ready(Err(error)));
        }
        self.0.open(path)
    }
}

fn sample(seed: u64) -> Archive {
    sample_archive::make(&Config { seed, ledgers: LEDGERS, frequency: Frequency::Accelerated, ..Config::default() })
}

fn accelerated() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.frequency = CheckpointFrequency::Accelerated;
    options
}

fn memory(name: &'static str, files: &Files) -> Named<MemoryArchive> {
    Named(name, MemoryArchive::new(files.clone()))
}

fn believed(archive: &Archive) -> Believed {
    let set = serde_json::json!({ "threshold": archive.threshold, "validators": archive.validators });
    Believed::from_name_or_json(&set.to_string()).unwrap()
}

fn checkpoints_of(archive: &Archive, newest: u32) -> CheckpointHashes {
    let mut hashes = CheckpointHashes::default();
    for last in (7..=newest).step_by(8) {
        assert!(hashes.add(LedgerSeq::new(last), Hash256::new(archive.hashes[&last])));
    }
    hashes
}

fn owners(found: &RecentQuorumSets) -> Vec<String> {
    let mut nodes: Vec<_> = found.nodes.iter().map(|node| node.node.to_string()).collect();
    nodes.sort_unstable();
    let [set] = found.quorum_sets.as_slice() else { panic!("{:?}", found.quorum_sets) };
    assert!(found.nodes.iter().all(|node| node.quorum_set == set.hash));
    assert_eq!((set.quorum_set.threshold, set.quorum_set.validators.len()), (3, 4));
    nodes
}

fn validators_of(archive: &Archive) -> Vec<String> {
    let mut validators = archive.validators.clone();
    validators.sort_unstable();
    validators
}
