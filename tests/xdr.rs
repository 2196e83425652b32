//! Walking over XDR against stellar-xdr: a value passes exactly if stellar-xdr decodes it and writes the same bytes again.
//!
//! Over real records, values made from the layouts, and mutants of both. `STELLAR_XDR_MUTANTS` asks for more than the usual
//! number of them for each kind of value.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod common;
#[path = "../pkg-config/xtask/src/xdr.rs"]
mod generator;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::state::BucketHash;
use stellar_archive_verifier::codec::file::{BodyCoding, FileDecoder, FileLimits, RecordSink};
use stellar_archive_verifier::codec::hash::Hasher;
use stellar_archive_verifier::codec::record::Record;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::verify::bucket::{BucketCheck, BucketReport, ListKind};
use stellar_archive_verifier::verify::checkpoint::{Delivery, Rules};
use stellar_archive_verifier::verify::finding::FindingCode;
use stellar_archive_verifier::verify::xdr::shape::Shape;
use stellar_archive_verifier::verify::xdr::{XdrError, types};
use stellar_xdr::{
    BucketEntry, ContractCodeEntryExt, DecoratedSignature, Error, FeeBumpTransaction, FeeBumpTransactionInnerTx, GeneralizedTransactionSet,
    HotArchiveBucketEntry, LedgerEntry, LedgerHeaderHistoryEntry, LedgerKey, Limited, Limits, OperationBody, ReadXdr, ScpHistoryEntry,
    Transaction, TransactionEnvelope, TransactionExt, TransactionHistoryEntry, TransactionHistoryEntryExt, TransactionHistoryResultEntry,
    TransactionPhase, TransactionResultPair, TransactionV0, TxSetComponent, WriteXdr,
};

const DEPTH: u32 = 500;

/// What stellar-xdr makes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// It decodes them all and writes them again.
    Canonical,
    TooDeep,
    Refused,
}

/// A kind of value: its layout, and stellar-xdr's judgement.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    shape: &'static Shape,
    oracle: fn(&[u8], u32) -> Judged,
}

fn oracle<T: ReadXdr + WriteXdr>(bytes: &[u8], depth: u32) -> Judged {
    let mut reader = Limited::new(bytes, Limits { depth, len: bytes.len() });
    match T::read_xdr(&mut reader) {
        Ok(value) if reader.inner.is_empty() && value.to_xdr(Limits::none()).unwrap() == bytes => Judged::Canonical,
        Err(Error::DepthLimitExceeded) => Judged::TooDeep,
        _ => Judged::Refused,
    }
}

fn ours(kind: &Kind, bytes: &[u8], depth: u32) -> Judged {
    match kind.shape.check(bytes, depth) {
        Ok(()) => Judged::Canonical,
        Err(XdrError::TooDeep(limit)) => {
            assert_eq!(limit, depth);
            Judged::TooDeep
        }
        Err(_) => Judged::Refused,
    }
}

macro_rules! kinds {
    ($($layout:ident: $value:ident),* $(,)?) => {
        const KINDS: &[Kind] = &[$(Kind { name: stringify!($value), shape: &types::$layout, oracle: oracle::<$value> }),*];
    };
}

kinds! {
    BUCKET_ENTRY: BucketEntry,
    CONTRACT_CODE_ENTRY_EXT: ContractCodeEntryExt,
    DECORATED_SIGNATURE: DecoratedSignature,
    FEE_BUMP_TRANSACTION: FeeBumpTransaction,
    HOT_ARCHIVE_BUCKET_ENTRY: HotArchiveBucketEntry,
    LEDGER_HEADER_HISTORY_ENTRY: LedgerHeaderHistoryEntry,
    LEDGER_KEY: LedgerKey,
    SCP_HISTORY_ENTRY: ScpHistoryEntry,
    TRANSACTION: Transaction,
    TRANSACTION_HISTORY_ENTRY: TransactionHistoryEntry,
    TRANSACTION_HISTORY_RESULT_ENTRY: TransactionHistoryResultEntry,
    TRANSACTION_RESULT_PAIR: TransactionResultPair,
    TRANSACTION_V0: TransactionV0,
}

fn of(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A value of a layout: any case of a union, few elements, few bytes, mostly short of `depth`.
fn made(shape: &Shape, random: &mut Random, depth: u32, out: &mut Vec<u8>) {
    let number = |out: &mut Vec<u8>, number: u32| out.extend(number.to_be_bytes());
    match *shape {
        Shape::Any { bytes, .. } | Shape::Signed { bytes } => {
            let plain = random.below(3) == 0;
            out.extend((0..bytes).map(|_| if plain { 0 } else { random.next() as u8 }));
        }
        Shape::Bool => number(out, random.below(2) as u32),
        Shape::Enum { first, last, .. } => number(out, (first + random.below((last - first + 1) as usize) as i32) as u32),
        Shape::Opaque { max } => {
            let length = if random.below(20) == 0 { max.min(64) } else { random.below(max.min(9) as usize + 1) as u32 };
            number(out, length);
            out.extend((0..length).map(|_| b'a' + random.below(3) as u8));
            out.resize(out.len().next_multiple_of(4), 0);
        }
        Shape::Optional(inner) => {
            let present = depth > 4 && random.below(2) == 0;
            number(out, u32::from(present));
            if present {
                made(inner, random, depth - 1, out);
            }
        }
        Shape::List { max, of } => {
            let most = if depth > 8 { 4 } else { 0 };
            let length = if random.below(40) == 0 && depth > 8 { max.min(20) } else { random.below(max.min(most) as usize + 1) as u32 };
            number(out, length);
            for _ in 0..length {
                made(of, random, depth - 1, out);
            }
        }
        Shape::Struct(fields) => fields.iter().for_each(|field| made(field, random, depth.saturating_sub(1), out)),
        Shape::Union { arms, .. } => {
            let (value, inner) = arms[random.below(arms.len())];
            number(out, value as u32);
            made(inner, random, depth.saturating_sub(1), out);
        }
        Shape::OfContract(inner) => made(inner, random, depth, out),
        _ => panic!("a layout that this test does not know"),
    }
}

fn values_of(kind: &Kind, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut one = || {
        let mut value = Vec::new();
        made(kind.shape, &mut random, 24, &mut value);
        value
    };
    (0..count).map(|_| one()).filter(|value| value.len() < 20_000).collect()
}

fn mutated(original: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(2) {
        let word = random.below(bytes.len() / 4) * 4;
        match random.below(9) {
            0 => {
                let at = random.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            // Flags, cases, lengths and counts are small numbers, or just outside of them.
            1..=4 => {
                let number = [0, 1, 2, 3, random.below(40) as u32, u32::MAX - random.below(20) as u32, random.next() as u32];
                let number = number[random.below(number.len())].to_be_bytes();
                if let Some(found) = bytes.get_mut(word..word + 4) {
                    found.copy_from_slice(&number);
                }
            }
            5 => bytes.truncate(if random.below(2) == 0 { word } else { random.below(bytes.len()) }),
            6 => bytes.extend((0..random.below(9)).map(|_| random.next() as u8 & 1)),
            7 => {
                let from = random.below(other.len() / 4) * 4;
                let more = &other[from..(from + 4 * random.below(12)).min(other.len())];
                bytes.splice(word..word, more.iter().copied());
            }
            _ => {
                let end = (word + 4 * random.below(4)).min(bytes.len());
                bytes.drain(word..end);
            }
        }
    }
    bytes
}

/// Real values of every kind, a few of each.
static REAL: LazyLock<BTreeMap<&'static str, Vec<Vec<u8>>>> = LazyLock::new(|| {
    let mut found = BTreeMap::new();
    let sample = sample_archive::make(&sample_archive::Config { ledgers: 192, ..sample_archive::Config::default() });
    for (path, file) in &sample.files {
        collect(path, file, &mut found);
    }
    if let Some(data) = common::data("real values") {
        for name in ["pubnet-1.2m", "pubnet-12m", "synth-p27", "testnet-genesis-p24", "testnet-p22"] {
            let mut files = Vec::new();
            list(&data.join("archives").join(name), &mut files);
            files.sort();
            // Every so many, so that every kind of file, and buckets of all levels, are among them.
            let step = if std::env::var_os("STELLAR_XDR_MUTANTS").is_some() { 1 } else { files.len() / 120 + 1 };
            for file in files.iter().step_by(step) {
                collect(file, &fs::read(file).unwrap(), &mut found);
            }
        }
    }
    found
});

fn list(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list(&path, files) } else { files.push(path.to_str().unwrap().to_owned()) }
    }
}

#[derive(Default)]
struct Records(Vec<Vec<u8>>);

impl RecordSink for Records {
    fn record(&mut self, record: Record<'_>) {
        self.0.push(record.bytes.to_vec());
    }
}

fn collect(path: &str, file: &[u8], found: &mut BTreeMap<&'static str, Vec<Vec<u8>>>) {
    let name = path.rsplit('/').next().unwrap();
    if !name.ends_with(".xdr.gz") {
        return;
    }
    let mut records = Records::default();
    let mut decoder = FileDecoder::new(FileLimits::bucket(&Budget::default()), BodyCoding::AsStored);
    let _ = decoder.push(file, &mut records).unwrap();
    decoder.finish().unwrap();
    let mut put = |kind: &'static str, value: Vec<u8>| found.entry(kind).or_default().push(value);
    let xdr = |value: &dyn Fn() -> Result<Vec<u8>, Error>| value().unwrap();
    for record in records.0 {
        let limits = Limits { depth: DEPTH, len: record.len() };
        match name.split('-').next().unwrap() {
            "bucket" => match BucketEntry::from_xdr(&record, limits.clone()) {
                Ok(entry) => {
                    if let BucketEntry::Liveentry(entry) | BucketEntry::Initentry(entry) = &entry {
                        put("LedgerKey", xdr(&|| entry.to_key().to_xdr(Limits::none())));
                    }
                    put("BucketEntry", record);
                }
                Err(_) => put("HotArchiveBucketEntry", record),
            },
            "ledger" => put("LedgerHeaderHistoryEntry", record),
            "results" => {
                let entry = TransactionHistoryResultEntry::from_xdr(&record, limits).unwrap();
                for pair in entry.tx_result_set.results.iter() {
                    put("TransactionResultPair", xdr(&|| pair.to_xdr(Limits::none())));
                }
                put("TransactionHistoryResultEntry", record);
            }
            "scp" => put("ScpHistoryEntry", record),
            "transactions" => {
                let entry = TransactionHistoryEntry::from_xdr(&record, limits).unwrap();
                for envelope in envelopes(&entry) {
                    let signatures = match &envelope {
                        TransactionEnvelope::TxV0(envelope) => {
                            put("TransactionV0", xdr(&|| envelope.tx.to_xdr(Limits::none())));
                            &envelope.signatures
                        }
                        TransactionEnvelope::Tx(envelope) => {
                            put("Transaction", xdr(&|| envelope.tx.to_xdr(Limits::none())));
                            &envelope.signatures
                        }
                        TransactionEnvelope::TxFeeBump(envelope) => {
                            put("FeeBumpTransaction", xdr(&|| envelope.tx.to_xdr(Limits::none())));
                            &envelope.signatures
                        }
                    };
                    for signature in signatures.iter() {
                        put("DecoratedSignature", xdr(&|| signature.to_xdr(Limits::none())));
                    }
                }
                put("TransactionHistoryEntry", record);
            }
            _ => {}
        }
    }
}

fn envelopes(entry: &TransactionHistoryEntry) -> Vec<TransactionEnvelope> {
    let mut found = entry.tx_set.txs.to_vec();
    if let TransactionHistoryEntryExt::V1(GeneralizedTransactionSet::V1(set)) = &entry.ext {
        for phase in set.phases.iter() {
            match phase {
                TransactionPhase::V0(components) => components.iter().for_each(|component| {
                    let TxSetComponent::TxsetCompTxsMaybeDiscountedFee(component) = component;
                    found.extend(component.txs.iter().cloned());
                }),
                TransactionPhase::V1(phase) => {
                    phase
                        .execution_stages
                        .iter()
                        .flat_map(|stage| stage.0.iter())
                        .for_each(|cluster| found.extend(cluster.0.iter().cloned()));
                }
            }
        }
    }
    found
}

#[test]
fn the_layouts_are_those_that_stellar_xdr_ships() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = generator::generated(root).unwrap();
    let checked_in = fs::read_to_string(root.join(generator::place())).unwrap();
    assert!(generated == checked_in, "{} is out of date: cargo xtask xdr-types", generator::place().display());
    assert_eq!(types::REVISION, stellar_xdr::VERSION.xdr, "the layouts are of other definitions than the decoder's");
}

#[test]
fn every_real_value_is_walked_over_to_its_end() {
    for kind in KINDS {
        for value in REAL.get(kind.name).into_iter().flatten() {
            assert_eq!(kind.shape.check(value, DEPTH), Ok(()), "{}: {}", kind.name, hex::encode(value));
        }
    }
}

#[test]
fn whatever_fits_a_layout_is_decoded_and_written_the_same() {
    for kind in KINDS {
        for value in values_of(kind, 3000, 8) {
            assert_eq!((kind.oracle)(&value, DEPTH), Judged::Canonical, "{}: {}", kind.name, hex::encode(&value));
        }
    }
}

#[test]
fn a_mutant_passes_exactly_if_it_is_decoded_and_written_the_same() {
    let count = std::env::var("STELLAR_XDR_MUTANTS").map_or(12_000, |count| count.parse().unwrap());
    let mut random = Random(4);
    for kind in KINDS {
        let mut values = values_of(kind, 2000, 15);
        let real: Vec<_> = REAL.get(kind.name).into_iter().flatten().filter(|value| value.len() < 8000).collect();
        // As many real ones as made ones, so that both are drawn.
        values.extend((0..if real.is_empty() { 0 } else { 2000 }).map(|_| real[random.below(real.len())].clone()));
        let mut passed = 0_u32;
        for _ in 0..count {
            let mutant = mutated(&values[random.below(values.len())], &values[random.below(values.len())], &mut random);
            let (ours, theirs) = (ours(kind, &mutant, DEPTH), (kind.oracle)(&mutant, DEPTH));
            assert_eq!(ours, theirs, "{}: {}", kind.name, hex::encode(&mutant));
            passed += u32::from(ours == Judged::Canonical);
        }
        assert!(passed > 0 && passed < count, "{}: mutants are of both kinds, {passed} of {count} passed", kind.name);
    }
}

#[test]
fn nesting_is_counted_as_the_decoder_counts_it() {
    let mut random = Random(16);
    for kind in KINDS {
        let real = REAL.get(kind.name).into_iter().flatten().filter(|value| value.len() < 8000).take(300).cloned();
        let mut deepest = 0;
        for value in values_of(kind, 600, 23).into_iter().chain(real) {
            for depth in [1 + random.below(12) as u32, 4 + random.below(30) as u32] {
                let (ours, theirs) = (ours(kind, &value, depth), (kind.oracle)(&value, depth));
                assert_eq!(ours, theirs, "{} within {depth}: {}", kind.name, hex::encode(&value));
                deepest = deepest.max(if theirs == Judged::TooDeep { depth } else { 0 });
            }
        }
        assert!(deepest > 0, "{}: none was too deep", kind.name);
    }
}

#[test]
fn what_is_nested_to_the_limit_passes_and_one_deeper_is_named_as_such() {
    // A LedgerKey of contract data whose key is lists in lists: every one is a value, an option, a typedef and a list.
    let nested = |lists: usize| {
        let mut key = [[0, 0, 0, 6], [0, 0, 0, 1]].concat();
        key.extend([7; 32]);
        (0..lists).for_each(|_| key.extend([[0, 0, 0, 16], [0, 0, 0, 1], [0, 0, 0, 1]].concat()));
        key.extend([[0, 0, 0, 1], [0, 0, 0, 0]].concat());
        key
    };
    let limits: Vec<_> = (1..200).filter(|lists| types::LEDGER_KEY.check(&nested(*lists), DEPTH).is_ok()).collect();
    let last = *limits.last().unwrap();
    assert!(limits.len() == last && (100..150).contains(&last), "{last}");
    for lists in [last, last + 1, 100_000] {
        let key = nested(lists);
        assert_eq!(ours(of("LedgerKey"), &key, DEPTH), oracle::<LedgerKey>(&key, DEPTH));
    }
    assert_eq!(types::LEDGER_KEY.check(&nested(last + 1), DEPTH), Err(XdrError::TooDeep(DEPTH)));
}

#[test]
fn keys_are_ordered_as_stellar_xdr_orders_them() {
    let kind = of("LedgerKey");
    let mut random = Random(42);
    let mut values = values_of(kind, 2000, 99);
    values.extend(REAL.get(kind.name).into_iter().flatten().take(2000).cloned());
    let mut orders = BTreeMap::new();
    let mut judge = |left: &[u8], right: &[u8]| {
        let key = |bytes: &[u8]| LedgerKey::from_xdr(bytes, Limits::none()).unwrap();
        let order = key(left).cmp(&key(right));
        assert_eq!(types::LEDGER_KEY.compare(left, right), order, "{} {}", hex::encode(left), hex::encode(right));
        *orders.entry((order, left[..4] == right[..4])).or_insert(0) += 1;
    };
    for _ in 0..40_000 {
        let left = &values[random.below(values.len())];
        let mut near = mutated(left, left, &mut random);
        if kind.shape.check(&near, DEPTH).is_err() {
            near = values[random.below(values.len())].clone();
        }
        judge(left, &near);
        judge(&near, left);
        judge(&near, &near);
    }
    assert_eq!(orders.len(), 5, "equal ones, and both orders within and across types: {orders:?}");
}

#[test]
fn the_key_of_an_entry_is_found_without_decoding_it() {
    let made = values_of(of("BucketEntry"), 6000, 5).into_iter().chain(REAL.get("BucketEntry").into_iter().flatten().cloned());
    let mut entries: BTreeMap<LedgerKey, LedgerEntry> = BTreeMap::new();
    for value in made {
        if let BucketEntry::Liveentry(entry) | BucketEntry::Initentry(entry) = BucketEntry::from_xdr(&value, Limits::none()).unwrap() {
            entries.insert(entry.to_key(), entry);
        }
    }
    let kinds: std::collections::BTreeSet<_> = entries.keys().map(LedgerKey::discriminant).collect();
    assert_eq!(kinds.len(), stellar_xdr::LedgerEntryType::VARIANTS.len());
    let records: Vec<_> = entries.values().map(|entry| BucketEntry::Liveentry(entry.clone()).to_xdr(Limits::none()).unwrap()).collect();
    let report = read_bucket(&records);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let index = report.index.unwrap();
    let mut offset = 4;
    for (key, record) in entries.keys().zip(&records) {
        assert_eq!(index.offset(key), Some(offset));
        offset += record.len() as u64 + 4;
    }
    // Two that change places, and one that stands twice.
    let mut swapped = records.clone();
    swapped.swap(3, 4);
    assert!(read_bucket(&swapped).findings[0].message.contains("not in the order"));
    assert!(read_bucket(&[records[0].clone(), records[0].clone()]).findings[0].message.contains("same key"));
}

fn read_bucket(records: &[Vec<u8>]) -> BucketReport {
    let content: Vec<u8> =
        records.iter().flat_map(|record| [&(1 << 31 | record.len() as u32).to_be_bytes()[..], record].concat()).collect();
    let mut hasher = Hasher::default();
    hasher.update(&content);
    let rules = Rules::new(Some(Network::from_passphrase("any")), true, Budget::default());
    let mut check = BucketCheck::new(&rules, BucketHash::new(hasher.finish()), ListKind::Live, None).indexing();
    let mut decoder = FileDecoder::new(FileLimits::bucket(&Budget::default()), BodyCoding::MaybeDecoded);
    let pushed = decoder.push(&content, &mut check);
    let delivery = Delivery::Read(pushed.and_then(|_| decoder.finish()));
    check.finish(delivery)
}

/// Values that the decoder takes although it would write them in another way.
fn lax<T: ReadXdr + WriteXdr>(values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for value in values {
        for word in (0..value.len()).step_by(4) {
            let mut lax = value.clone();
            lax[word..word + 4].copy_from_slice(&[0, 0, 0, 2]);
            let decoded = T::from_xdr(&lax, Limits { depth: DEPTH, len: lax.len() });
            if decoded.is_ok_and(|decoded| decoded.to_xdr(Limits::none()).unwrap() != lax) {
                found.push(lax);
            }
        }
    }
    assert!(!found.is_empty(), "there are bools in them");
    found
}

#[test]
fn a_bool_of_two_is_refused_although_the_decoder_takes_it() {
    for value in lax::<Transaction>(&values_of(of("Transaction"), 400, 77)) {
        assert_eq!(types::TRANSACTION.check(&value, DEPTH), Err(XdrError::Invalid("a bool is neither 0 nor 1")));
    }
    let entries: Vec<_> = values_of(of("BucketEntry"), 2000, 78).into_iter().filter(|entry| entry[..4] == [0; 4]).collect();
    for entry in lax::<BucketEntry>(&entries) {
        let findings = read_bucket(&[entry]).findings;
        assert_eq!((findings.len(), findings[0].code, findings[0].offset), (1, FindingCode::XdrDecode, Some(4)));
    }
}

#[test]
fn what_only_smart_contract_transactions_have_is_seen_in_passing() {
    let of_contract = |transaction: &Transaction| {
        matches!(transaction.ext, TransactionExt::V1(_))
            || transaction.operations.iter().any(|operation| {
                use OperationBody::{ExtendFootprintTtl, InvokeHostFunction, RestoreFootprint};
                matches!(operation.body, ExtendFootprintTtl(_) | InvokeHostFunction(_) | RestoreFootprint(_))
            })
    };
    let mut seen = [0, 0];
    for value in values_of(of("Transaction"), 3000, 31).iter().chain(REAL.get("Transaction").into_iter().flatten()) {
        let expected = of_contract(&Transaction::from_xdr(value, Limits::none()).unwrap());
        assert_eq!(types::TRANSACTION.walk(value, DEPTH).unwrap().is_of_contract, expected, "{}", hex::encode(value));
        seen[usize::from(expected)] += 1;
    }
    for value in values_of(of("FeeBumpTransaction"), 1000, 32) {
        let FeeBumpTransactionInnerTx::Tx(inner) = FeeBumpTransaction::from_xdr(&value, Limits::none()).unwrap().inner_tx;
        assert_eq!(types::FEE_BUMP_TRANSACTION.walk(&value, DEPTH).unwrap().is_of_contract, of_contract(&inner.tx));
    }
    assert!(seen.iter().all(|seen| *seen > 100), "{seen:?}");
}
