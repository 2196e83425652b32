//! Archives against each other: real ones with changes laid over them, and made-up ones whose validators are known.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::made::Named;
use common::{Overlay, TestHost, data};
use futures_util::future::LocalBoxFuture;
use sample_archive::{Archive, Config};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::ReadError;
use stellar_archive_verifier::archive::id::ArchiveId;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::hash::Hash256;
use stellar_archive_verifier::driver::compare::{
    ArchiveStanding, CompareEvent, CompareRange, CompareVerdict, ComparedAnchor, Comparison, compare_archives,
};
use stellar_archive_verifier::driver::{ReadOptions, Trust};
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::transport::{ArchiveReader, Body};
use stellar_archive_verifier::trust::comparison::{Cell, Compared, Fault, HeldFile, Holding, total};
use stellar_archive_verifier::trust::preset::Believed;
use stellar_archive_verifier::verify::checkpoint::Rules;
use stellar_xdr::{Limits, ReadXdr, ScpEnvelope, ScpHistoryEntry, WriteXdr};

fn memory(name: &'static str, archive: &Archive) -> Named<MemoryArchive> {
    Named(name, MemoryArchive::new(archive.files.clone()))
}

fn sample(seed: u64, validators_seed: Option<u64>, ledgers: u32) -> Archive {
    sample_archive::make(&Config { seed, validators_seed, ledgers, ..Config::default() })
}

/// Believing the validators of a made-up archive.
fn believing(archive: &Archive) -> Trust {
    let keys: Vec<_> = archive.validators.iter().map(|key| format!("{key:?}")).collect();
    let json = format!(r#"{{"threshold":{},"validators":[{}]}}"#, archive.threshold, keys.join(","));
    Trust { believed: Some(Believed::from_name_or_json(&json).unwrap()), ..Trust::default() }
}

fn range(low: u32, high: u32) -> CompareRange {
    CompareRange { low: Some(LedgerSeq::new(low)), high: Some(LedgerSeq::new(high)), last: None }
}

fn compare_with(host: &TestHost, readers: &[&dyn ArchiveReader], network: Option<&str>, range: CompareRange, trust: &Trust) -> Comparison {
    let mut options = ReadOptions::default();
    options.network = network.map(Network::from_name_or_passphrase);
    options.concurrency = 4.into();
    let mut lines = 0;
    let comparison = futures_executor::block_on(compare_archives(readers.to_vec(), host, &options, range, trust, &mut |event| {
        if let CompareEvent::Checkpoint(_) = event {
            lines += 1;
        }
    }))
    .unwrap();
    assert_eq!(lines, comparison.checkpoints.done, "every checkpoint is announced once");
    comparison
}

fn compare(readers: &[&dyn ArchiveReader], range: CompareRange, trust: &Trust) -> Comparison {
    compare_with(&TestHost::default(), readers, None, range, trust)
}

fn standings(comparison: &Comparison) -> Vec<ArchiveStanding> {
    comparison.archives.iter().map(|archive| archive.standing).collect()
}

/// Changes the records of a gzipped file of SCP messages.
fn rewrite_scp(files: &mut std::collections::BTreeMap<String, Vec<u8>>, change: impl Fn(Vec<ScpEnvelope>) -> Vec<ScpEnvelope>) {
    for (_, file) in files.iter_mut().filter(|(path, _)| path.starts_with("scp/")) {
        let content = miniz_oxide::inflate::decompress_to_vec(&file[10..file.len() - 8]).unwrap();
        let mut rest = &content[..];
        let mut changed = Vec::new();
        while let Some((mark, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*mark) & 0x7fff_ffff).unwrap();
            let ScpHistoryEntry::V0(mut entry) = ScpHistoryEntry::from_xdr(&after[..length], Limits::none()).unwrap();
            entry.ledger_messages.messages = change(entry.ledger_messages.messages.to_vec()).try_into().unwrap();
            let record = ScpHistoryEntry::V0(entry).to_xdr(Limits::none()).unwrap();
            changed.extend((u32::try_from(record.len()).unwrap() | 0x8000_0000).to_be_bytes());
            changed.extend(record);
            rest = &after[length..];
        }
        *file = gzip(&changed);
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
    file.extend(crc32fast::hash(content).to_le_bytes());
    file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    file
}

/// The keys of the first so many validators of a made-up archive, as messages name them.
fn of_the_first(archive: &Archive, count: usize) -> impl Fn(&ScpEnvelope) -> bool {
    let keys: Vec<_> = archive.validators[..count].to_vec();
    move |envelope| keys.contains(&envelope.statement.node_id.to_string())
}

#[test]
fn a_real_archive_and_a_mirror_with_holes_and_a_corrupted_file_are_told_apart() {
    let Some(data) = data("a_real_archive_and_a_mirror_with_holes_and_a_corrupted_file_are_told_apart") else { return };
    let folder = data.join("archives/testnet-p22");
    let path = |kind: &str, checkpoint: &str| format!("{kind}/00/00/{}/{kind}-0000{checkpoint}.xdr.gz", &checkpoint[..2]);
    let whole = Named("whole", LocalArchive::new(&folder));
    let holes = [path("transactions", "01bf"), path("transactions", "01ff"), path("transactions", "033f"), path("scp", "01bf")];
    let mirror = holes.iter().fold(Overlay::new(&folder), |mirror, path| mirror.replace(path, None));
    let mirror = Named("mirror", mirror);
    // The results of another checkpoint in its place.
    let other = std::fs::read(folder.join(path("results", "017f"))).unwrap();
    let corrupt = Named("corrupt", Overlay::new(&folder).replace(path("results", "01bf"), Some(other)));

    let comparison = compare(&[&whole, &mirror, &corrupt], range(1, 1023), &Trust::default());
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::Lacks, ArchiveStanding::ProvablyWrong]);
    assert_eq!(comparison.verdict, CompareVerdict::Disagree);
    assert!(comparison.complete);
    assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(1022)), "{}", comparison.statement);
    let runs: Vec<_> = comparison
        .missing
        .iter()
        .filter(|run| run.kind == FileKind::Transactions)
        .map(|run| (run.archive, run.low.value(), run.high.value(), run.checkpoints))
        .collect();
    assert_eq!(runs, [(ArchiveId::new(1), 0x33f, 0x33f, 1), (ArchiveId::new(1), 0x1bf, 0x1ff, 2)]);
    let [wrong] = comparison.disagreements.as_slice() else { panic!("{:#?}", comparison.disagreements) };
    assert_eq!((wrong.checkpoint.value(), wrong.kind, wrong.sealed.is_some()), (0x1bf, FileKind::Results, true));
    assert!(wrong.groups.iter().any(|group| group.standing == Cell::ProvablyWrong && group.archives == [ArchiveId::new(2)]));
    let anchor = &comparison.anchors[0];
    assert!(matches!(anchor, ComparedAnchor::Seal { seal, merged: false, .. } if seal.signers.len() == 3), "{anchor:?}");

    // Without the validators the same file is faulty by its own headers, and no more.
    let strangers = believing(&sample(1, None, 63));
    let comparison = compare(&[&whole, &corrupt], range(1, 1023), &strangers);
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::Faulty]);
    assert_eq!(comparison.sealed_through, None);
}

#[test]
fn what_honest_archives_differ_in_is_no_disagreement() {
    let archive = sample(1, None, 128);
    let mut other = archive.clone();
    for (path, file) in other.files.iter_mut().filter(|(path, _)| path.ends_with(".json")) {
        let state: serde_json::Value = serde_json::from_slice(file).unwrap();
        let mut state = state.as_object().unwrap().clone();
        state.insert("server".into(), format!("another one {path}").into());
        *file = serde_json::to_vec(&state).unwrap();
    }
    other.files.retain(|path, _| !path.starts_with("scp/"));
    let comparison = compare(&[&memory("one", &archive), &memory("other", &other)], CompareRange::default(), &believing(&archive));
    assert_eq!(comparison.verdict, CompareVerdict::Agree, "{:#?}", comparison.disagreements);
    assert_eq!(comparison.archives[1].files[&FileKind::Scp].lacks, 2, "it is said all the same");
    assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(archive.tip - 1)));
    let ComparedAnchor::Seal { archives, holders, .. } = &comparison.anchors[0] else { panic!("{:?}", comparison.anchors) };
    assert_eq!((archives.as_slice(), holders.len()), ([ArchiveId::new(0)].as_slice(), 2));
}

#[test]
fn a_forged_history_is_provably_wrong_to_whoever_believes_the_validators_and_merely_different_to_others() {
    let (real, forged) = (sample(1, None, 128), sample(2, None, 128));
    let readers: [&dyn ArchiveReader; 2] = [&memory("forged", &forged), &memory("real", &real)];
    let comparison = compare(&readers, CompareRange::default(), &believing(&real));
    assert_eq!(standings(&comparison), [ArchiveStanding::ProvablyWrong, ArchiveStanding::Agrees], "{}", comparison.statement);
    let lowest = comparison.disagreements.iter().rfind(|one| one.kind == FileKind::Ledger).unwrap();
    assert_eq!(lowest.ledger, Some(LedgerSeq::new(2)), "ledger 1 is the same in every history of a network");
    assert_eq!(lowest.sealed, Some(Hash256::new(real.hashes[&2])));

    let json = serde_json::to_value(&comparison).unwrap();
    assert_eq!((&json["schema"], &json["archives"][0]["standing"]), (&1.into(), &"provably-wrong".into()));
    assert_eq!((&json["anchors"][0]["kind"], &json["anchors"][0]["ledger"]), (&"seal".into(), &126.into()));
    assert_eq!(json["archives"][0]["files"]["ledger"]["provablyWrong"], 2);

    // Two of each against one: the majority is no proof.
    let copy = memory("copy", &forged);
    let readers: [&dyn ArchiveReader; 3] = [readers[0], readers[1], &copy];
    let comparison = compare(&readers, CompareRange::default(), &Trust::default());
    assert_eq!(comparison.sealed_through, None);
    assert!(!standings(&comparison).contains(&ArchiveStanding::ProvablyWrong));
    assert_eq!(comparison.verdict, CompareVerdict::Disagree);
    let comparison = compare(&readers, CompareRange::default(), &believing(&real));
    let wrong = ArchiveStanding::ProvablyWrong;
    assert_eq!(standings(&comparison), [wrong, ArchiveStanding::Agrees, wrong], "a seal goes before a majority");
}

#[test]
fn a_trusted_hash_tells_who_is_wrong_without_any_signature() {
    let (real, forged) = (sample(1, None, 128), sample(2, None, 128));
    let mut trust = Trust::default();
    trust.hashes.add(LedgerSeq::new(100), Hash256::new(real.hashes[&100]));
    let comparison = compare(&[&memory("real", &real), &memory("forged", &forged)], CompareRange::default(), &trust);
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::ProvablyWrong], "{}", comparison.statement);
    assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(100)));

    // Nobody has the hash that is trusted: all are wrong.
    let mut trust = Trust::default();
    trust.hashes.add(LedgerSeq::new(100), Hash256::new([7; 32]));
    let comparison = compare(&[&memory("real", &real), &memory("copy", &real)], CompareRange::default(), &trust);
    assert_eq!(standings(&comparison), [ArchiveStanding::ProvablyWrong; 2], "{}", comparison.statement);
    assert_eq!(comparison.sealed_through, None);
}

#[test]
fn a_trusted_hash_of_the_sealed_chain_adds_to_it_and_one_of_another_chain_is_a_dispute() {
    let (real, forged) = (sample(1, None, 192), sample(2, None, 192));
    let readers: [&dyn ArchiveReader; 2] = [&memory("real", &real), &memory("forged", &forged)];
    for ledger in [real.tip, real.tip - 1, 100, 3] {
        let mut trust = believing(&real);
        trust.hashes.add(LedgerSeq::new(ledger), Hash256::new(real.hashes[&ledger]));
        let comparison = compare(&readers, CompareRange::default(), &trust);
        assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::ProvablyWrong], "{ledger}: {}", comparison.statement);
        assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(ledger.max(real.tip - 1))), "{ledger}: {}", comparison.statement);

        let mut trust = believing(&real);
        trust.hashes.add(LedgerSeq::new(ledger), Hash256::new([7; 32]));
        let comparison = compare(&readers, CompareRange::default(), &trust);
        assert!(comparison.statement.contains("Two histories"), "{ledger}: {}", comparison.statement);
        assert_eq!(comparison.verdict, CompareVerdict::Disagree);
    }
}

#[test]
fn a_quorum_that_no_single_archive_shows_is_found_in_all_of_them_together() {
    let archive = sample(1, None, 128);
    let is_first = of_the_first(&archive, 2);
    let (mut one, mut other) = (archive.clone(), archive.clone());
    rewrite_scp(&mut one.files, |messages| messages.into_iter().filter(|message| is_first(message)).collect());
    rewrite_scp(&mut other.files, |messages| messages.into_iter().filter(|message| !is_first(message)).collect());
    let trust = believing(&archive);
    let comparison = compare(&[&memory("one", &one), &memory("other", &other)], CompareRange::default(), &trust);
    assert_eq!(comparison.verdict, CompareVerdict::Agree, "{:#?}", comparison.disagreements);
    assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(archive.tip - 1)));
    let ComparedAnchor::Seal { merged, archives, .. } = &comparison.anchors[0] else { panic!("{:?}", comparison.anchors) };
    assert_eq!((*merged, archives.len()), (true, 2));
    assert!(comparison.statement.contains("together"), "{}", comparison.statement);
    let alone = compare(&[&memory("one", &one), &memory("copy", &one)], CompareRange::default(), &trust);
    assert_eq!(alone.sealed_through, None);
}

#[test]
fn forged_messages_do_not_hide_real_ones() {
    let archive = sample(1, None, 128);
    let is_first = of_the_first(&archive, 2);
    let (mut one, mut other) = (archive.clone(), archive.clone());
    rewrite_scp(&mut one.files, |messages| {
        let forge = |mut message: ScpEnvelope| {
            if is_first(&message) {
                let mut signature = message.signature.to_vec();
                signature[5] ^= 1;
                message.signature = signature.try_into().unwrap();
            }
            message
        };
        messages.into_iter().map(forge).collect()
    });
    rewrite_scp(&mut other.files, |messages| messages.into_iter().filter(|message| is_first(message)).collect());
    for order in [["one", "other"], ["other", "one"]] {
        let by_name = |name: &'static str| memory(name, if name == "one" { &one } else { &other });
        let (first, second) = (by_name(order[0]), by_name(order[1]));
        let comparison = compare(&[&first, &second], CompareRange::default(), &believing(&archive));
        assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(archive.tip - 1)), "{order:?}");
    }
    let mut trust = believing(&archive);
    trust.all_signatures = true;
    let comparison = compare(&[&memory("one", &one), &memory("other", &other)], CompareRange::default(), &trust);
    assert_eq!(standings(&comparison), [ArchiveStanding::Faulty, ArchiveStanding::Agrees], "{}", comparison.statement);
}

#[test]
fn two_histories_that_the_same_validators_signed_are_told_apart_by_their_time_or_not_at_all() {
    let now = sample(1, None, 64);
    let closed = |archive: &Archive| {
        let readers: [&dyn ArchiveReader; 2] = [&memory("now", &now), &memory("other", archive)];
        compare(&readers, CompareRange::default(), &believing(&now))
    };
    let (mut apart, mut close) = (false, false);
    for seed in 2..40 {
        let comparison = closed(&sample(seed, Some(1), 64));
        let standings = standings(&comparison);
        if standings.contains(&ArchiveStanding::EarlierNetwork) {
            apart = true;
            assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(62)), "the later start is the network's");
            assert!(
                standings.contains(&ArchiveStanding::Agrees) && comparison.statement.contains("earlier start"),
                "{}",
                comparison.statement
            );
        } else {
            close = true;
            assert_eq!((standings, comparison.sealed_through), (vec![ArchiveStanding::Differs; 2], None), "{}", comparison.statement);
            assert!(comparison.statement.contains("Two histories"), "{}", comparison.statement);
        }
        if apart && close {
            return;
        }
    }
    panic!("the seeds have both: apart {apart}, close {close}");
}

#[test]
fn an_archive_of_the_testnet_of_another_year_is_recognised_by_its_content() {
    let Some(data) = data("an_archive_of_the_testnet_of_another_year_is_recognised_by_its_content") else { return };
    let old = Named("old", LocalArchive::new(data.join("archives/testnet-p22")));
    let new = Named("new", LocalArchive::new(data.join("archives/testnet-genesis-p24")));
    let (old, new): (&dyn ArchiveReader, &dyn ArchiveReader) = (&old, &new);
    for readers in [[old, new], [new, old]] {
        let comparison = compare(&readers, CompareRange::default(), &Trust::default());
        assert_eq!(comparison.range.map(|range| range.high), Some(LedgerSeq::new(127)), "as far as both go");
        let by_name = |name: &str| comparison.archives.iter().find(|archive| archive.name == name).unwrap();
        assert_eq!(by_name("new").standing, ArchiveStanding::Agrees, "{}", comparison.statement);
        assert_eq!(by_name("old").standing, ArchiveStanding::EarlierNetwork, "{}", comparison.statement);
        assert!(by_name("old").reason.as_ref().unwrap().contains("ledger 2 closed on 202"), "{}", comparison.statement);
        assert_eq!(comparison.sealed_through, Some(LedgerSeq::new(126)));
    }
}

#[test]
fn archives_of_another_network_are_named_and_take_no_part() {
    let own = sample(1, None, 64);
    let stranger = sample_archive::make(&Config { passphrase: "Another Network".into(), ledgers: 64, ..Config::default() });
    let (one, copy, other) = (memory("one", &own), memory("copy", &own), memory("other", &stranger));
    let comparison = compare(&[&one, &other, &copy], CompareRange::default(), &believing(&own));
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::OtherNetwork, ArchiveStanding::Agrees]);
    assert!(comparison.statement.contains("Another Network"), "{}", comparison.statement);
    assert_eq!(comparison.verdict, CompareVerdict::Disagree);

    // The newest state lost its passphrase, as mirrors do; the other states still have it.
    let mut quiet = stranger.clone();
    let root = quiet.files.get_mut(".well-known/stellar-history.json").unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(root).unwrap();
    state["networkPassphrase"] = "Sample Network ; stellar-archive-verifier".into();
    *root = serde_json::to_vec(&state).unwrap();
    let comparison = compare(&[&one, &memory("quiet", &quiet), &copy], CompareRange::default(), &believing(&own));
    assert_eq!(standings(&comparison)[1], ArchiveStanding::OtherNetwork, "{}", comparison.statement);

    // Genesis alone gives it away.
    for (_, file) in quiet.files.iter_mut().filter(|(path, _)| path.starts_with("history/")) {
        *file =
            String::from_utf8(file.clone()).unwrap().replace("Another Network", "Sample Network ; stellar-archive-verifier").into_bytes();
    }
    let comparison = compare(&[&one, &memory("quiet", &quiet), &copy], CompareRange::default(), &believing(&own));
    assert_eq!(standings(&comparison)[1], ArchiveStanding::OtherNetwork, "{}", comparison.statement);
    assert!(comparison.statement.contains("ledger 1"), "{}", comparison.statement);
}

#[test]
fn archives_that_end_at_different_ledgers_are_compared_as_far_as_both_go() {
    let long = sample(1, None, 256);
    let mut short = sample(1, None, 256);
    let root = short.files[&"history/00/00/00/history-0000007f.json".to_owned()].clone();
    short.files.insert(".well-known/stellar-history.json".into(), root);
    short.files.retain(|path, _| !path.contains("-000000bf.") && !path.contains("-000000ff."));
    let readers: [&dyn ArchiveReader; 2] = [&memory("long", &long), &memory("short", &short)];
    let trust = believing(&long);
    let comparison = compare(&readers, CompareRange::default(), &trust);
    assert_eq!(comparison.range.map(|range| range.high.value()), Some(127));
    assert_eq!((comparison.verdict, comparison.archives[1].behind), (CompareVerdict::Agree, Some(128)));
    assert!(comparison.notes.iter().any(|note| note.code == "archive-lags"));
    let comparison = compare(&readers, range(1, 255), &trust);
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::Lacks]);
    assert_eq!(comparison.missing.len(), 5, "one run a kind: {:?}", comparison.missing);
}

#[test]
fn real_archives_of_public_stellar_need_validators_that_signed_them() {
    let Some(data) = data("real_archives_of_public_stellar_need_validators_that_signed_them") else { return };
    let folder = data.join("archives/pubnet-12m");
    let (one, other) = (Named("one", LocalArchive::new(&folder)), Named("other", LocalArchive::new(&folder)));
    let range = range(12_000_000, 12_000_511);
    let host = TestHost::default();
    let today = compare_with(&host, &[&one, &other], Some("pubnet"), range, &Trust::default());
    assert_eq!((today.verdict, today.sealed_through), (CompareVerdict::Agree, None), "{}", today.statement);
    let trust = Trust { believed: Some(Believed::from_name_or_json("pubnet-sdf").unwrap()), ..Trust::default() };
    let sdf = compare_with(&host, &[&one, &other], Some("pubnet"), range, &trust);
    assert_eq!(sdf.sealed_through, Some(LedgerSeq::new(12_000_510)), "{}", sdf.statement);
}

#[test]
fn a_comparison_that_is_cancelled_says_how_far_it_came() {
    let archive = sample(1, None, 320);
    for after in (0..600).step_by(41) {
        let host = TestHost::default();
        host.cancel_after.set(Some(after));
        let readers: [&dyn ArchiveReader; 2] = [&memory("one", &archive), &memory("other", &archive)];
        let comparison = compare_with(&host, &readers, None, CompareRange::default(), &believing(&archive));
        let agreed = comparison.complete && comparison.verdict == CompareVerdict::Agree;
        let stopped = !comparison.complete && comparison.verdict == CompareVerdict::Incomplete;
        assert!(agreed || stopped, "cancelled after {after}: {:?} {}", comparison.verdict, comparison.statement);
        assert!(comparison.disagreements.is_empty(), "a cancelled run accuses nobody");
    }
}

#[test]
fn an_archive_that_cannot_be_read_leaves_the_comparison_incomplete() {
    struct Dead;
    impl ArchiveReader for Dead {
        fn name(&self) -> &str {
            "dead"
        }

        fn open<'a>(&'a self, _: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
            use stellar_archive_verifier::archive::error::ReadErrorKind;
            Box::pin(futures_util::future::ready(Err(ReadError::new(ReadErrorKind::Network, "the host is down"))))
        }
    }
    let archive = sample(1, None, 64);
    let comparison = compare(&[&memory("one", &archive), &Dead, &memory("other", &archive)], CompareRange::default(), &believing(&archive));
    assert_eq!(standings(&comparison), [ArchiveStanding::Agrees, ArchiveStanding::Unreadable, ArchiveStanding::Agrees]);
    assert_eq!((comparison.verdict, comparison.complete), (CompareVerdict::Incomplete, false));
    assert_eq!(total(comparison.archives[0].files.values().copied()).agrees, 5);
}

#[test]
fn what_is_kept_of_a_long_range_is_bounded_and_the_rest_is_counted() {
    let mut compared = Compared::new(Rules::default(), vec![ArchiveId::new(0), ArchiveId::new(1)]);
    let frequency = CheckpointFrequency::Standard;
    for number in (1..=3000u32).rev() {
        let checkpoint = frequency.containing(LedgerSeq::new(number * 64));
        let fault = Fault { ledger: None, message: "made up".into() };
        let faulty = HeldFile::Faulty(fault);
        let holes = if number % 2 == 0 { HeldFile::Missing } else { HeldFile::Unchecked };
        let holdings = [faulty, holes].into_iter().enumerate().map(|(index, file)| Holding {
            files: core::array::from_fn(|_| file.clone()),
            ..Holding::unread(ArchiveId::new(index), checkpoint)
        });
        compared.add(checkpoint, &holdings.collect::<Vec<_>>(), true);
    }
    let ((kept, more), (runs, more_runs)) = (compared.disagreements(), compared.missing());
    assert_eq!((kept.len(), more, runs.len(), more_runs), (1000, 14_000, 1000, 6500));
    assert_eq!(compared.agreement(ArchiveId::new(1), FileKind::Ledger).lacks, 1500);
}
