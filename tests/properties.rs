//! What holds for all inputs: hostile bytes never panic and never pass, and segments join the same in any grouping.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use core::ops::ControlFlow;
use std::sync::LazyLock;

use common::{options, verify};
use proptest::prelude::{Just, ProptestConfig, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::strategy::Strategy;
use stellar_archive_verifier::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::archive::state::HistoryArchiveState;
use stellar_archive_verifier::codec::file::{BodyCoding, FileDecoder, FileLimits, RecordSink};
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipLimits};
use stellar_archive_verifier::codec::record::Record;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::transport::memory::MemoryArchive;
use stellar_archive_verifier::verify::checkpoint::{CheckpointFiles, Delivery, LedgerCheck, Rules, assemble};
use stellar_archive_verifier::verify::results::ResultsCheck;
use stellar_archive_verifier::verify::scp::ScpCheck;
use stellar_archive_verifier::verify::segment::Segment;
use stellar_archive_verifier::verify::state::{JsonDelivery, check_checkpoint_state};
use stellar_archive_verifier::verify::transactions::TransactionsCheck;

static SAMPLE: LazyLock<sample_archive::Archive> =
    LazyLock::new(|| sample_archive::make(&sample_archive::Config { ledgers: 320, ..sample_archive::Config::default() }));

/// How a file is damaged.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, u8),
    Append(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        proptest::collection::vec(1..=255u8, 1..40).prop_map(Damage::Append),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Self::Append(more) => bytes.extend_from_slice(more),
        }
    }
}

/// Gzip header bytes that mean nothing: time, extra flags, operating system. A flip there changes no archive.
fn says_nothing(path: &str, original: &[u8], damaged: &[u8]) -> bool {
    if path.ends_with(".json") {
        // White space, the server's name and letter case of hex are free.
        let same = |bytes: &[u8]| {
            HistoryArchiveState::parse(bytes, &Budget::default()).ok().map(|state| HistoryArchiveState { server: None, ..state })
        };
        return same(original) == same(damaged);
    }
    original.len() == damaged.len() && original[..4] == damaged[..4] && original[10..] == damaged[10..]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, rng_seed: proptest::test_runner::RngSeed::Fixed(1701), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_always_found(file in any::<Index>(), damage in damage(), deep in any::<bool>()) {
        let mut files = SAMPLE.files.clone();
        let path = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
        let original = files[&path].clone();
        damage.apply(files.get_mut(&path).unwrap());
        if says_nothing(&path, &original, &files[&path]) {
            return Ok(());
        }
        let mut options = options(1, SAMPLE.tip, None);
        options.deep = deep;
        let report = verify(&MemoryArchive::new(files), &options);
        prop_assert_eq!(report.verdict, Verdict::Faulty, "{}: {:?}", path, damage);
        prop_assert!(report.findings.iter().any(|finding| finding.path.as_str() == path || path.contains("/ledger-") || path.ends_with(".json")), "{}: {:?}", path, report.findings);
    }

    #[test]
    fn gzip_inflates_the_same_however_it_is_cut(cuts in proptest::collection::vec(any::<Index>(), 0..20), members in 1..4usize) {
        let content: Vec<u8> = SAMPLE.files.values().filter(|bytes| bytes.starts_with(b"{")).flatten().copied().collect();
        let part = content.len() / members + 1;
        let file: Vec<u8> = content.chunks(part).flat_map(gzip).collect();
        let mut edges: Vec<_> = cuts.iter().map(|cut| cut.index(file.len())).chain([0, file.len()]).collect();
        edges.sort_unstable();
        let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), u64::MAX));
        let mut inflated = Vec::new();
        for edge in edges.windows(2) {
            let flow = decoder.push(&file[edge[0]..edge[1]], &mut |bytes| { inflated.extend_from_slice(bytes); ControlFlow::Continue(()) });
            prop_assert_eq!(flow, Ok(ControlFlow::Continue(())));
        }
        prop_assert_eq!(decoder.finish().map(|summary| summary.members), Ok(u32::try_from(members).unwrap()));
        prop_assert!(inflated == content);
    }

    #[test]
    fn arbitrary_bytes_are_refused_in_peace(bytes in proptest::collection::vec(any::<u8>(), 0..400), marked in any::<bool>()) {
        let rules = Rules::new(Some(Network::from_passphrase("any")), true, Budget::default());
        let checkpoint = CheckpointFrequency::Standard.containing(LedgerSeq::new(1));
        let headers = LedgerCheck::new(&rules, checkpoint).finish(Delivery::Missing).facts;
        let record = Record { index: 0, offset: 4, bytes: &bytes };
        LedgerCheck::new(&rules, checkpoint).record(record);
        TransactionsCheck::new(&rules, &headers).record(record);
        ResultsCheck::new(&rules, &headers, &[]).record(record);
        ScpCheck::new(&rules, &headers, true).record(record);
        let mut decoder = FileDecoder::new(FileLimits::checkpoint_file(&Budget::default()), BodyCoding::MaybeDecoded);
        let mut sink = LedgerCheck::new(&rules, checkpoint);
        let body = if marked { [&[0x80, 0, 0, 92][..], &bytes].concat() } else { bytes.clone() };
        let _ = decoder.push(&body, &mut sink);
        let _ = decoder.finish();
        let _ = HistoryArchiveState::parse(&bytes, &Budget::default());
    }

    #[test]
    fn segments_join_the_same_in_any_grouping(damaged in proptest::collection::vec((any::<Index>(), damage()), 0..4), order in Just((0..4).collect::<Vec<usize>>()).prop_shuffle()) {
        let mut files = SAMPLE.files.clone();
        for (file, damage) in &damaged {
            let path = file.get(&files.keys().filter(|path| !path.starts_with("bucket")).cloned().collect::<Vec<_>>()).clone();
            damage.apply(files.get_mut(&path).unwrap());
        }
        let rules = Rules::new(Some(Network::from_passphrase(sample_archive::Config::default().passphrase)), false, Budget::default());
        let segments: Vec<_> = (1..=5).map(|number| segment(&files, &rules, CheckpointFrequency::Standard.containing(LedgerSeq::new(number * 64 - 1)))).collect();
        let in_order = segments.iter().cloned().reduce(|left, right| left.join(right, &rules).unwrap()).unwrap();
        // Seams are closed in a random order.
        let mut groups: Vec<Option<Segment>> = segments.into_iter().map(Some).collect();
        for seam in order {
            let left = (0..=seam).rev().find(|at| groups[*at].is_some()).unwrap();
            let joined = groups[left].take().unwrap().join(groups[seam + 1].take().unwrap(), &rules).unwrap();
            groups[left] = Some(joined);
        }
        prop_assert_eq!(groups[0].as_ref().unwrap(), &in_order);
    }
}

fn segment(files: &std::collections::BTreeMap<String, Vec<u8>>, rules: &Rules, checkpoint: Checkpoint) -> Segment {
    let file = |kind| files[ArchivePath::of_checkpoint(kind, checkpoint).as_str()].as_slice();
    let history = check_checkpoint_state(rules, checkpoint, JsonDelivery::Read(file(FileKind::History)));
    let mut check = LedgerCheck::new(rules, checkpoint);
    let delivery = deliver(file(FileKind::Ledger), &mut check);
    let ledger = check.finish(delivery);
    let mut check = TransactionsCheck::new(rules, &ledger.facts);
    let delivery = deliver(file(FileKind::Transactions), &mut check);
    let transactions = check.finish(delivery);
    let mut check = ResultsCheck::new(rules, &ledger.facts, &[]);
    let delivery = deliver(file(FileKind::Results), &mut check);
    let results = check.finish(delivery);
    let mut check = ScpCheck::new(rules, &ledger.facts, true);
    let delivery = deliver(file(FileKind::Scp), &mut check);
    let scp = check.finish(delivery);
    let (ledger, transactions) = (ledger.map(std::sync::Arc::new), transactions.map(std::sync::Arc::new));
    assemble(CheckpointFiles { history, ledger, transactions, results, scp }).segment
}

fn deliver(file: &[u8], sink: &mut dyn RecordSink) -> Delivery {
    let mut decoder = FileDecoder::new(FileLimits::checkpoint_file(&Budget::default()), BodyCoding::AsStored);
    match decoder.push(file, sink) {
        Ok(_) => Delivery::Read(decoder.finish()),
        Err(error) => Delivery::Read(Err(error)),
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
    file.extend(crc32fast::hash(content).to_le_bytes());
    file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    file
}

#[test]
fn segments_that_are_not_neighbours_do_not_join() {
    let rules = Rules::new(None, false, Budget::default());
    let at = |ledger| segment(&SAMPLE.files, &rules, CheckpointFrequency::Standard.containing(LedgerSeq::new(ledger)));
    assert!(at(63).join(at(191), &rules).is_err());
    assert!(at(127).join(at(63), &rules).is_err());
    assert!(at(63).join(at(127), &rules).is_ok());
}
