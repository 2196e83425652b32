//! Who vouches for a history: validators whom the user believes, hashes that the user trusts, and what happens where neither
//! does (rules B.5 H5, B.10).

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::made::{Named, believed, edit, inflate, path, sealed};
use common::{TestHost, codes, data, options, verify};
use ed25519_dalek::{Signer, SigningKey};
use futures_executor::block_on;
use sample_archive::{Archive, Config};
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::FileKind;
use stellar_archive_verifier::codec::gzip_encoder::gzip;
use stellar_archive_verifier::codec::hash::{Hash256, sha256};
use stellar_archive_verifier::driver::provenance::ledger_provenance;
use stellar_archive_verifier::driver::{ReadOptions, RunOptions, Trust, verify_archive, verify_archives};
use stellar_archive_verifier::historywork::plan::{Order, Seed};
use stellar_archive_verifier::report::{Anchor, LedgerRange, MEANINGS, Meaning, Report, Verdict};
use stellar_archive_verifier::transport::ArchiveReader;
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::trust::preset::Believed;
use stellar_archive_verifier::verify::finding::Severity;
use stellar_archive_verifier::verify::votes::{Seal, Strength};
use stellar_xdr::{Hash, Limits, NodeId, PublicKey, ScpHistoryEntryV0, ScpQuorumSet, ScpStatementPledges, Uint256, WriteXdr};

const TESTNET: &str = "Test SDF Network ; September 2015";

#[test]
fn the_real_testnet_is_sealed_through_the_ledger_before_its_newest_by_all_three_of_its_validators() {
    let Some(data) = data("the_real_testnet_is_sealed_through_the_ledger_before_its_newest_by_all_three_of_its_validators") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut options = RunOptions::default();
        options.order = order;
        let report = verify(&archive, &options);
        assert_eq!((report.verdict, sealed(&report)), (Verdict::Verified, Some(3646)));
        assert_eq!(report.meaning.title, "verified, sealed by validators");
        let (seal, covers) = seal(&report);
        assert_eq!((seal.signers.len(), seal.of, seal.others, seal.signed.value()), (3, 3, 0, 3647));
        assert_eq!(seal.strength, Strength::AcceptedCommit);
        assert_eq!(covers, Some(range(1, 3646)));
        assert_eq!(claim(&report, "tip"), "verified");
        for words in ["genesis ledger that the network's passphrase implies", "sealed by 3 of the 3 validators", "ledger 3647 itself"] {
            assert!(report.statement.contains(words), "{words}: {}", report.statement);
        }
        // Few signatures do: those of the newest checkpoints, and of some below.
        assert_eq!(report.trust.looked, 8, "the newest four, and those 4, 8, 16 and 32 below the newest");
    }
}

#[test]
fn ledgers_of_old_pubnet_without_a_provable_quorum_are_inconclusive_and_never_faulty() {
    let Some(data) = data("ledgers_of_old_pubnet_without_a_provable_quorum_are_inconclusive_and_never_faulty") else { return };
    let archive = LocalArchive::new(data.join("archives/pubnet-1.2m"));
    for (set, accepted, voted, inconclusive) in [("pubnet", 0, 0, 106), ("pubnet-packages", 0, 0, 106), ("pubnet-sdf", 93, 12, 1)] {
        let mut options = options(0x1285ff, 0x1286bf, Some("pubnet"));
        options.trust.all_signatures = true;
        options.trust.believed = Some(Believed::from_name_or_json(set).unwrap());
        let report = verify(&archive, &options);
        assert!(report.findings.is_empty(), "{set}: {:#?}", report.findings);
        let quorums = report.trust.quorums.unwrap();
        assert_eq!((quorums.accepted_commit, quorums.commit_vote, quorums.inconclusive), (accepted, voted, inconclusive), "{set}");
        // Who names validators wants to know that they vouch for it.
        let verdict = if accepted > 0 { Verdict::Verified } else { Verdict::Incomplete };
        assert_eq!(report.verdict, verdict, "{set}");
    }
    // Whom nobody named is not missed.
    let report = verify(&archive, &options(0x1285ff, 0x1286bf, Some("pubnet")));
    assert_eq!((report.verdict, sealed(&report), claim(&report, "tip")), (Verdict::Verified, None, "unchecked"));
    assert!(report.statement.contains("consistent, not anchored") && report.statement.contains("proves nothing either way"));
}

#[test]
fn a_forged_history_under_the_same_passphrase_is_caught_and_the_message_says_why() {
    let honest = sample(&Config { passphrase: TESTNET.into(), ..Config::default() });
    let forged = sample(&Config { passphrase: TESTNET.into(), seed: 2, ..Config::default() });
    // Both agree with themselves, and neither is signed by testnet's validators.
    for archive in [&honest, &forged] {
        let report = verify(&memory(archive), &options(1, archive.tip, None));
        assert_eq!((report.verdict, codes(&report)), (Verdict::Faulty, vec!["anchor-mismatch"]));
        assert_eq!((sealed(&report), claim(&report, "tip")), (None, "faulty"));
        let message = &report.findings[0].message;
        assert!(message.contains("none of them is in the quorum set testnet") && message.contains("forged"), "{message}");
        assert!(report.statement.contains(message), "{}", report.statement);
    }
    // Who believes the validators of the one rejects the other.
    let believing = |archive: &Archive| {
        let mut options = options(1, archive.tip, None);
        options.trust.believed = Some(believed(&honest, honest.threshold));
        verify(&memory(archive), &options)
    };
    let report = believing(&honest);
    assert_eq!((report.verdict, sealed(&report)), (Verdict::Verified, Some(honest.tip - 1)), "{:#?}", report.findings);
    assert_eq!((believing(&forged).verdict, codes(&believing(&forged))), (Verdict::Faulty, vec!["anchor-mismatch"]));
    // A fork that they signed themselves is theirs: signatures cannot tell it apart.
    let fork = sample(&Config { passphrase: TESTNET.into(), seed: 2, validators_seed: Some(1), ..Config::default() });
    assert_eq!(believing(&fork).verdict, Verdict::Verified);
    // Without messages there is nobody to contradict: the report says that nobody vouches for it.
    let mut silent = memory(&forged);
    silent.files_mut().retain(|path, _| !path.starts_with("scp/"));
    let mut options = options(1, forged.tip, None);
    let report = verify(&silent, &options);
    assert_eq!((report.verdict, sealed(&report)), (Verdict::Verified, None));
    assert!(report.statement.contains("consistent, not anchored"), "{}", report.statement);
    options.trust.believed = Some(believed(&honest, honest.threshold));
    let report = verify(&silent, &options);
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.statement.contains("nobody of those that you named vouches for it"), "{}", report.statement);
}

#[test]
fn a_real_history_that_strangers_go_on_with_is_sealed_as_far_as_it_is_real_and_caught_above() {
    let archive = sample(&Config { ledgers: 64 * 6, ..Config::default() });
    let network = Network::from_passphrase(Config::default().passphrase).id();
    let strangers: Vec<_> = (1..=3).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
    let node = |key: &SigningKey| NodeId(PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes())));
    let set = ScpQuorumSet {
        threshold: 2,
        validators: strangers.iter().map(node).collect::<Vec<_>>().try_into().unwrap(),
        inner_sets: Vec::new().try_into().unwrap(),
    };
    let hash = Hash(sha256(&[&set.to_xdr(Limits::none()).unwrap()]).as_bytes().to_owned());
    // Above ledger 255 made-up validators sign the values instead.
    let taken_over = edit(&archive, |ledger, entry| {
        if ledger < 256 {
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
            let mut signed = network.hash().as_bytes().to_vec();
            signed.extend_from_slice(&1u32.to_be_bytes());
            signed.extend_from_slice(&message.statement.to_xdr(Limits::none()).unwrap());
            message.signature = key.sign(&signed).to_bytes().to_vec().try_into().unwrap();
        }
        entry.ledger_messages.messages = messages.try_into().unwrap();
    });
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let report = run(&taken_over, |options| {
            options.order = order;
            options.trust.believed = Some(believed(&archive, archive.threshold));
        });
        assert_eq!((report.verdict, codes(&report), sealed(&report)), (Verdict::Faulty, vec!["anchor-mismatch"], Some(254)));
        let message = &report.findings[0].message;
        assert!(message.contains("signed by 3 validators") && message.contains("above ledger 255"), "{message}");
    }
}

#[test]
fn of_several_archives_the_one_that_believed_validators_signed_is_taken_though_more_hold_another() {
    let honest = sample(&Config { passphrase: "A network".into(), ..Config::default() });
    let forged = sample(&Config { passphrase: "A network".into(), seed: 2, ..Config::default() });
    for names in [["honest", "forged 1", "forged 2"], ["forged 1", "forged 2", "honest"]] {
        let archives: Vec<_> = names.iter().map(|name| Named(name, memory(if *name == "honest" { &honest } else { &forged }))).collect();
        let mut options = RunOptions::default();
        options.concurrency = 4.into();
        let report = |options: &RunOptions| {
            let readers = archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect();
            block_on(verify_archives(readers, &TestHost::default(), options, &mut |_| {})).unwrap()
        };
        // Nobody is believed: what most hold is taken.
        assert!(report(&options).findings.iter().all(|finding| finding.archive == "honest"));
        options.trust.believed = Some(believed(&honest, honest.threshold));
        let report = report(&options);
        assert_eq!((report.verdict, sealed(&report)), (Verdict::Verified, Some(honest.tip - 1)), "{:#?}", report.findings);
        let blamed: Vec<_> = report.findings.iter().map(|finding| finding.archive.as_str()).collect();
        assert_eq!(blamed, ["forged 1", "forged 2"]);
        assert!(report.findings[0].message.contains("the validators whom you believe signed"), "{}", report.findings[0].message);
    }
}

#[test]
fn archives_that_announce_the_same_state_are_an_anchor_that_covers_only_that_state() {
    let archive = sample(&Config::default());
    let archives = [Named("one", memory(&archive)), Named("two", memory(&archive))];
    let readers = archives.iter().map(|archive| -> &dyn ArchiveReader { archive }).collect();
    let report = block_on(verify_archives(readers, &TestHost::default(), &RunOptions::default(), &mut |_| {})).unwrap();
    let agreed = report.anchors.iter().find_map(|anchor| match anchor {
        Anchor::Archives { ledger, archives, covers, .. } => Some((ledger.value(), archives.len(), *covers)),
        _ => None,
    });
    assert_eq!(agreed, Some((archive.tip, 2, Some(range(archive.tip, archive.tip)))));
    // That vouches for nothing: both may be one liar's.
    assert_eq!((claim(&report, "tip"), report.verdict), ("unchecked", Verdict::Verified));
}

#[test]
fn a_quorum_set_that_is_not_met_seals_nothing() {
    let archive = sample(&Config::default());
    let count = u32::try_from(archive.validators.len()).unwrap();
    let report = run(&archive, |options| options.trust.believed = Some(believed(&archive, count)));
    assert_eq!(sealed(&report), Some(archive.tip - 1), "all of them sign");
    // One message of the newest eight ledgers taken away each: three of four are left.
    let quiet = edit(&archive, |_, entry| drop_message(entry, 0));
    assert_eq!(sealed(&run(&quiet, |options| options.trust.believed = Some(believed(&archive, count - 1)))), Some(archive.tip - 1));
    let report = run(&quiet, |options| options.trust.believed = Some(believed(&archive, count)));
    assert_eq!((report.verdict, sealed(&report)), (Verdict::Incomplete, None));
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    // A validator whose own quorum set is not met does not count, however the user's is.
    let lonely = edit(&archive, |_, entry| {
        while entry.ledger_messages.messages.len() > 1 {
            drop_message(entry, 1)
        }
    });
    assert_eq!(sealed(&run(&lonely, |options| options.trust.believed = Some(believed(&archive, 1)))), None);
}

#[test]
fn a_message_with_another_signature_is_a_fault_and_does_not_count() {
    let archive = sample(&Config::default());
    let forged = edit(&archive, |ledger, entry| {
        if ledger == archive.tip {
            entry.ledger_messages.messages = change(&entry.ledger_messages.messages, |index, message| {
                if index == 0 {
                    message.signature = vec![7; 64].try_into().unwrap();
                }
            });
        }
    });
    let report = run(&forged, |options| options.trust.believed = Some(believed(&archive, archive.threshold)));
    assert_eq!((report.verdict, codes(&report), sealed(&report)), (Verdict::Faulty, vec!["scp-signature"], Some(archive.tip - 1)));
    let finding = &report.findings[0];
    assert_eq!((finding.ledger.map(LedgerSeq::value), finding.severity), (Some(archive.tip), Severity::Error));
    assert!(archive.validators.iter().any(|validator| finding.expected.as_deref().is_some_and(|text| text.contains(validator))));
    let (seal, _) = seal(&report);
    assert_eq!(seal.signers.len(), archive.validators.len() - 1);
    // Far from the end nobody looks, unless all signatures are asked for.
    let far = edit(&archive, |ledger, entry| {
        if ledger == 2 {
            entry.ledger_messages.messages =
                change(&entry.ledger_messages.messages, |_, message| message.signature = vec![7; 64].try_into().unwrap());
        }
    });
    for (all, verdict) in [(false, Verdict::Verified), (true, Verdict::Faulty)] {
        let report = run(&far, |options| {
            options.trust.believed = Some(believed(&archive, archive.threshold));
            options.trust.all_signatures = all;
        });
        assert_eq!(report.verdict, verdict, "{:#?}", report.findings);
    }
}

#[test]
fn sdf_alone_seals_old_pubnet() {
    let Some(data) = data("sdf_alone_seals_old_pubnet") else { return };
    let archive = LocalArchive::new(data.join("archives/pubnet-1.2m"));
    let mut options = options(0x1285ff, 0x1286bf, Some("pubnet"));
    options.trust.believed = Some(Believed::from_name_or_json("pubnet-sdf").unwrap());
    let report = verify(&archive, &options);
    let (seal, covers) = seal(&report);
    assert_eq!((seal.of, covers.map(|covers| covers.low.value())), (3, Some(1_213_888)));
    assert!(report.sealed_through.is_some_and(|sealed| sealed.value() > 1_214_100), "{:?}", report.sealed_through);
}

#[test]
fn messages_of_another_value_do_not_count() {
    let archive = sample(&Config::default());
    let other = edit(&archive, |_, entry| {
        entry.ledger_messages.messages = change(&entry.ledger_messages.messages, |_, message| {
            if let ScpStatementPledges::Externalize(said) = &mut message.statement.pledges {
                said.commit.value = vec![0; 44].try_into().unwrap();
            }
        });
    });
    let report = run(&other, |options| options.trust.believed = Some(believed(&archive, 1)));
    assert!(codes(&report).contains(&"scp-value-mismatch"));
}

#[test]
fn a_quorum_is_found_with_the_sets_of_the_whole_file_though_a_set_missing_in_its_entry_is_a_fault() {
    let archive = sample(&Config::default());
    let shared = edit(&archive, |ledger, entry| {
        if ledger == archive.tip {
            entry.quorum_sets = Vec::new().try_into().unwrap();
        }
    });
    let report = run(&shared, |options| options.trust.believed = Some(believed(&archive, archive.threshold)));
    assert_eq!(sealed(&report), Some(archive.tip - 1));
    assert!(codes(&report).iter().all(|code| *code == "scp-qset-missing") && report.verdict == Verdict::Faulty);
}

#[test]
fn where_the_newest_checkpoints_have_no_messages_a_lower_one_seals() {
    let archive = sample(&Config { ledgers: 64 * 12, ..Config::default() });
    let mut files = archive.files.clone();
    for index in 7..12u32 {
        files.remove(&format!("scp/00/00/{:02x}/scp-{:08x}.xdr.gz", (64 * index + 63) >> 8, 64 * index + 63));
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut options = options(1, archive.tip, None);
        options.order = order;
        options.trust.believed = Some(believed(&archive, archive.threshold));
        let report = verify(&MemoryArchive::new(files.clone()), &options);
        // The eighth from the end is the next that is looked at.
        assert_eq!(sealed(&report), Some(64 * 4 - 2), "{:?}", report.trust);
        assert!(
            report.statement.contains(&format!("Ledgers 255 to {} are consistent, but not sealed", archive.tip)),
            "{}",
            report.statement
        );
    }
}

#[test]
fn a_ledger_is_not_sealed_by_a_set_that_is_not_there() {
    let archive = sample(&Config::default());
    let mut memory = memory(&archive);
    let path = path(FileKind::Transactions, archive.tip);
    memory.files_mut().remove(&path).unwrap();
    let mut options = options(1, archive.tip, None);
    options.trust.believed = Some(believed(&archive, archive.threshold));
    let report = verify(&memory, &options);
    // The checkpoint below has all its files, and is sealed by its own newest ledger.
    assert_eq!((report.verdict, sealed(&report)), (Verdict::Faulty, Some(archive.tip - 65)));
}

#[test]
fn a_trusted_hash_vouches_for_all_below_it_and_another_hash_is_a_fault() {
    let archive = sample(&Config { ledgers: 128, ..Config::default() });
    let hash = |ledger: u32| Hash256::new(archive.hashes[&ledger]);
    let trusting = |pairs: &[(u32, Hash256)]| {
        run(&archive, |options| {
            for (ledger, hash) in pairs {
                assert!(options.trust.hashes.add(LedgerSeq::new(*ledger), *hash));
            }
        })
    };
    let report = trusting(&[(63, hash(63)), (100, hash(100))]);
    assert_eq!((report.verdict, sealed(&report), claim(&report, "tip")), (Verdict::Verified, None, "unchecked"));
    assert_eq!(report.meaning.title, "verified, vouched for in part");
    let to_the_end = trusting(&[(127, hash(127))]);
    assert_eq!((claim(&to_the_end, "tip"), to_the_end.meaning.title), ("verified", "verified, with a hash that you trust"));
    let anchored = report.anchors.iter().find_map(|anchor| match anchor {
        Anchor::TrustedHash { ledger, covers, .. } => Some((ledger.value(), *covers)),
        _ => None,
    });
    assert_eq!(anchored, Some((100, Some(range(1, 100)))));
    assert!(
        report.statement.contains("ledger 100 has the hash that you trust")
            || report.statement.contains("Ledger 100 has the hash that you trust")
    );
    let report = trusting(&[(100, hash(99))]);
    assert_eq!((report.verdict, codes(&report), claim(&report, "tip")), (Verdict::Faulty, vec!["anchor-mismatch"], "faulty"));
    assert_eq!(report.findings[0].expected, Some(hash(99).to_string()));
    // One that is of no ledger of the range was not looked at.
    let report = trusting(&[(1000, hash(100))]);
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(report.statement.contains("none of the hashes that you trust"), "{}", report.statement);
}

#[test]
fn every_signature_means_those_in_headers_as_well() {
    let archive = sample(&Config { ledgers: 64, ..Config::default() });
    let mut memory = memory(&archive);
    let path = path(FileKind::Ledger, archive.tip);
    let mut file = inflate(&memory.files_mut()[&path]);
    // The last record: flip a bit of its value's signature and make its hash right again.
    let mut at = 0;
    while let Some(mark) = file.get(at..at + 4) {
        let length = usize::try_from(u32::from_be_bytes(mark.try_into().unwrap()) & 0x7fff_ffff).unwrap();
        if at + 4 + length == file.len() {
            break;
        }
        at += 4 + length;
    }
    let header = at + 4 + 32;
    // After version, previous hash, set hash, close time, no upgrades, kind, key type and key comes the signature.
    let signature = header + 36 + 32 + 8 + 4 + 4 + 4 + 32 + 4;
    file[signature] ^= 1;
    let end = file.len() - 4;
    let hash = sha256(&[&file[header..end]]);
    file[at + 4..header].copy_from_slice(hash.as_bytes());
    memory.files_mut().insert(path, gzip(&file));
    for (all, wanted) in [(false, false), (true, true)] {
        let mut options = options(1, archive.tip, None);
        options.trust.all_signatures = all;
        let report = verify(&memory, &options);
        assert_eq!(codes(&report).contains(&"header-signature"), wanted, "{:#?}", report.findings);
    }
}

#[test]
fn a_ledger_tells_who_proposed_it_and_what_each_validator_said() {
    let Some(data) = data("a_ledger_tells_who_proposed_it_and_what_each_validator_said") else { return };
    let archive = LocalArchive::new(data.join("archives/testnet-p22"));
    let made = |ledger, trust: &Trust| {
        block_on(ledger_provenance(vec![&archive], &TestHost::default(), &ReadOptions::default(), LedgerSeq::new(ledger), trust))
    };
    let provenance = made(3647, &Trust::default()).unwrap();
    let proposer = provenance.proposer.unwrap();
    assert!(proposer.valid && proposer.validator.believed && proposer.validator.name.is_some_and(|name| name.starts_with("SDF testnet")));
    assert_eq!(provenance.statements.len(), 3);
    assert!(provenance.statements.iter().all(|said| said.valid && said.agrees && said.validator.believed && said.validator.name.is_some()));
    assert_eq!(provenance.seal.map(|seal| (seal.ledger.value(), seal.signers.len())), Some((3646, 3)));
    // Of another quorum set nobody is believed.
    let trust = Trust { believed: Some(Believed::from_name_or_json("pubnet").unwrap()), ..Trust::default() };
    let provenance = made(3647, &trust).unwrap();
    assert!(provenance.seal.is_none() && provenance.statements.iter().all(|said| said.valid && !said.validator.believed));
    assert!(made(1, &Trust::default()).unwrap().proposer.is_none(), "nobody proposed ledger 1");
    assert!(made(0, &Trust::default()).is_err() && made(100_000, &Trust::default()).is_err());
}

#[test]
fn each_checkpoint_of_a_sample_is_sealed_by_itself() {
    let archive = sample(&Config { ledgers: 64 * 8, ..Config::default() });
    let mut options = options(1, archive.tip, None);
    (options.sample, options.seed) = (Some(3), Some(Seed(3)));
    options.trust.believed = Some(believed(&archive, archive.threshold));
    let report = block_on(verify_archive(&memory(&archive), &TestHost::default(), &options, &mut |_| {})).unwrap();
    let seals: Vec<_> = report.anchors.iter().filter(|anchor| matches!(anchor, Anchor::Seal { covers: Some(_), .. })).collect();
    assert_eq!((report.verdict, report.trust.looked), (Verdict::Verified, 3));
    assert!(!seals.is_empty() && seals.len() <= 3);
    assert!(report.statement.contains("sealed"), "{}", report.statement);
}

#[test]
fn readme_says_of_each_verdict_what_the_report_says() {
    let readme = include_str!("../README.md");
    for Meaning { title, proves, does_not_prove } in MEANINGS {
        assert!(readme.contains(&format!("| **{title}** | {proves} | {does_not_prove} |")), "{title}");
    }
}

fn sample(config: &Config) -> Archive {
    sample_archive::make(config)
}

fn memory(archive: &Archive) -> MemoryArchive {
    MemoryArchive::new(archive.files.clone())
}

fn run(archive: &Archive, change: impl FnOnce(&mut RunOptions)) -> Report {
    let mut options = options(1, archive.tip, None);
    change(&mut options);
    verify(&memory(archive), &options)
}

fn seal(report: &Report) -> (&Seal, Option<LedgerRange>) {
    let seal = report.anchors.iter().find_map(|anchor| match anchor {
        Anchor::Seal { seal, covers, .. } => Some((seal, *covers)),
        _ => None,
    });
    seal.unwrap()
}

fn claim(report: &Report, name: &str) -> &'static str {
    report.claims.iter().find(|claim| claim.claim == name).unwrap().status
}

fn range(low: u32, high: u32) -> LedgerRange {
    LedgerRange { low: LedgerSeq::new(low), high: LedgerSeq::new(high) }
}

fn change<T: Clone, const N: u32>(list: &stellar_xdr::VecM<T, N>, change: impl Fn(usize, &mut T)) -> stellar_xdr::VecM<T, N> {
    let mut list = list.to_vec();
    list.iter_mut().enumerate().for_each(|(index, item)| change(index, item));
    list.try_into().unwrap_or_default()
}

fn drop_message(entry: &mut ScpHistoryEntryV0, index: usize) {
    let mut messages = entry.ledger_messages.messages.to_vec();
    messages.remove(index);
    entry.ledger_messages.messages = messages.try_into().unwrap();
}
