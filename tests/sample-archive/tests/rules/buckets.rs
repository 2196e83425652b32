//! HAS, bucket files and the state that they hold (rules B.3, B.6, B.9).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stellar_xdr::{
    BucketEntry, BucketListType, BucketMetadata, BucketMetadataExt, HotArchiveBucketEntry, LedgerEntry, LedgerEntryData, LedgerKey, Limits,
    ReadXdr,
};

use crate::check::Seen;
use crate::read::{Hash, ZERO, bucket_path, gunzip, records, sha};

/// Checks a HAS with its buckets against the header of its checkpoint and returns the live state.
pub fn check(
    files: &BTreeMap<String, Vec<u8>>,
    has: &Value,
    version: u32,
    expected: Hash,
    referenced: &mut BTreeSet<String>,
    seen: &mut Seen,
) -> BTreeMap<LedgerKey, LedgerEntry> {
    let live = &has["currentBuckets"];
    let live_hash = list_hash(live);
    check_versions(files, live);
    let state = state(files, live, version, referenced, seen);
    if version < 23 {
        assert!(has["version"] == 1 && has.get("hotArchiveBuckets").is_none());
        assert_eq!(live_hash, expected);
        return state;
    }
    assert_eq!(has["version"], 2);
    let hot = &has["hotArchiveBuckets"];
    assert_eq!(sha(&[&live_hash, &list_hash(hot)]), expected);
    for key in archived(files, hot, version, referenced, seen) {
        assert!(!state.contains_key(&key), "live and archived at once");
        seen.archived += 1;
    }
    state
}

fn list_hash(levels: &Value) -> Hash {
    let levels = levels.as_array().unwrap();
    assert_eq!(levels.len(), 11);
    let hashes: Vec<_> = levels
        .iter()
        .map(|level| sha(&[&hex::decode(text(&level["curr"])).unwrap(), &hex::decode(text(&level["snap"])).unwrap()]))
        .collect();
    sha(&[&hashes.concat()])
}

/// `HistoryArchiveState::containsValidBuckets` of stellar-core.
fn check_versions(files: &BTreeMap<String, Vec<u8>>, levels: &Value) {
    let version = |hash: &Value| bucket(files, text(hash)).map_or(0, |content| meta(&content).map_or(0, |meta| meta.ledger_version));
    let (mut lowest, mut anything) = (0, false);
    for index in (0..11).rev() {
        let level = &levels[index];
        for hash in [&level["snap"], &level["curr"]] {
            anything |= !is_zero(hash);
            assert!(version(hash) >= lowest, "level {index} is older than the one below");
            lowest = version(hash);
        }
        if index == 0 {
            assert_eq!(level["next"]["state"], 0);
            break;
        }
        let above = &levels[index - 1]["snap"];
        anything |= !is_zero(above);
        if anything && version(above) >= 12 {
            assert_eq!(level["next"]["state"], 0);
        } else if anything {
            assert_eq!(level["next"]["state"], 1, "level {index}");
            assert!(!is_zero(&level["next"]["output"]), "level {index} of {levels:#}");
        }
    }
}

fn state(
    files: &BTreeMap<String, Vec<u8>>,
    levels: &Value,
    version: u32,
    referenced: &mut BTreeSet<String>,
    seen: &mut Seen,
) -> BTreeMap<LedgerKey, LedgerEntry> {
    let mut newest: BTreeMap<LedgerKey, Option<LedgerEntry>> = BTreeMap::new();
    for level in levels.as_array().unwrap() {
        seen.merge_outputs += usize::from(level["next"]["state"] == 1);
        for hash in [&level["next"]["output"], &level["curr"], &level["snap"]] {
            let Some(content) = hash.as_str().and_then(|hash| bucket(files, hash)) else {
                continue;
            };
            let first_time = referenced.insert(bucket_path(text(hash)));
            let counts = hash != &level["next"]["output"];
            check_meta(meta(&content), version, BucketListType::Live);
            let mut last = None;
            for record in records(&content) {
                let entry = BucketEntry::from_xdr(record, Limits::none()).unwrap();
                let (key, entry) = match entry {
                    BucketEntry::Metaentry(_) => {
                        assert!(last.is_none());
                        seen.metas += 1;
                        continue;
                    }
                    BucketEntry::Initentry(entry) => {
                        assert!(version >= 11);
                        (entry.to_key(), Some(entry))
                    }
                    BucketEntry::Liveentry(entry) => (entry.to_key(), Some(entry)),
                    BucketEntry::Deadentry(key) => {
                        seen.dead += usize::from(first_time);
                        (key, None)
                    }
                };
                assert!(last.as_ref() < Some(&key), "entries ascend");
                last = Some(key.clone());
                if counts {
                    newest.entry(key).or_insert(entry);
                }
            }
        }
    }
    newest.into_iter().filter_map(|(key, entry)| Some((key, entry?))).collect()
}

/// What the hot archive holds.
fn archived(
    files: &BTreeMap<String, Vec<u8>>,
    levels: &Value,
    version: u32,
    referenced: &mut BTreeSet<String>,
    seen: &mut Seen,
) -> Vec<LedgerKey> {
    let mut newest: BTreeMap<LedgerKey, bool> = BTreeMap::new();
    for level in levels.as_array().unwrap() {
        assert_eq!(level["next"]["state"], 0);
        for hash in [&level["curr"], &level["snap"]] {
            let Some(content) = bucket(files, text(hash)) else {
                continue;
            };
            referenced.insert(bucket_path(text(hash)));
            check_meta(hot_meta(&content), version, BucketListType::HotArchive);
            let mut last = None;
            for record in records(&content).into_iter().skip(1) {
                let (key, archived) = match HotArchiveBucketEntry::from_xdr(record, Limits::none()).unwrap() {
                    HotArchiveBucketEntry::Metaentry(_) => panic!("META comes once"),
                    HotArchiveBucketEntry::Archived(entry) => {
                        assert!(matches!(entry.data, LedgerEntryData::ContractData(_) | LedgerEntryData::ContractCode(_)));
                        (entry.to_key(), true)
                    }
                    HotArchiveBucketEntry::Live(key) => {
                        seen.restored += 1;
                        (key, false)
                    }
                };
                assert!(last.as_ref() < Some(&key), "entries ascend");
                last = Some(key.clone());
                newest.entry(key).or_insert(archived);
            }
        }
    }
    newest.into_iter().filter_map(|(key, archived)| archived.then_some(key)).collect()
}

/// Rule K3 on META.
fn check_meta(meta: Option<BucketMetadata>, version: u32, list: BucketListType) {
    let Some(meta) = meta else {
        // Version 0 buckets of the first ledgers stay around for a while.
        return assert_eq!(list, BucketListType::Live);
    };
    assert!((11..=version).contains(&meta.ledger_version));
    let expected = if meta.ledger_version < 23 { BucketMetadataExt::V0 } else { BucketMetadataExt::V1(list) };
    assert_eq!(meta.ext, expected);
}

fn meta(content: &[u8]) -> Option<BucketMetadata> {
    match BucketEntry::from_xdr(records(content).first()?, Limits::none()).unwrap() {
        BucketEntry::Metaentry(meta) => Some(meta),
        _ => None,
    }
}

fn hot_meta(content: &[u8]) -> Option<BucketMetadata> {
    match HotArchiveBucketEntry::from_xdr(records(content).first()?, Limits::none()).unwrap() {
        HotArchiveBucketEntry::Metaentry(meta) => Some(meta),
        _ => None,
    }
}

/// The content of a bucket, whose name must be its hash (K1); nothing for the zero hash (K2).
fn bucket(files: &BTreeMap<String, Vec<u8>>, hash: &str) -> Option<Vec<u8>> {
    if hash == hex::encode(ZERO) {
        return None;
    }
    let content = gunzip(files.get(&bucket_path(hash)).unwrap_or_else(|| panic!("no bucket {hash}")));
    assert_eq!(hex::encode(sha(&[&content])), hash);
    Some(content)
}

fn is_zero(hash: &Value) -> bool {
    text(hash) == hex::encode(ZERO)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
