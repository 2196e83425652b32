//! That a ledger entry is in the bucket list, once the ledger's header is known (rules B.6, B.9).
//!
//! An entry may be in many buckets; the newest one that has it says what it is. So a bucket proof costs that bucket and every
//! newer one, whole: a bucket's name is the hash of all of it. Where they are too large to embed, the proof shows the state of
//! the list and leaves the rest to whoever has the buckets.

use serde::Serialize;
use stellar_xdr::{BucketEntry, LedgerKey, PublicKey, Uint256};

use super::Steps;
use super::read::{Fault, XDR_DEPTH, base64, hex, same, xdr};
use super::wire::{self, Half};
use crate::archive::node::NodeId;
use crate::archive::state::{BUCKET_LEVELS, FIRST_PROTOCOL_WITH_HOT_ARCHIVE};
use crate::codec::hash::{Hash256, Hasher, sha256};
use crate::codec::record::RecordReader;
use crate::codec::usize_from;
use crate::verify::header::Header;
use crate::verify::xdr::decode;

/// The entry that a proof is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryFacts {
    /// Its key: XDR of the `LedgerKey` in base64.
    pub key: String,
    /// The `LedgerEntryType`, as `Account`.
    pub entry_type: &'static str,
    /// The address of the account, if it is one.
    pub account: Option<NodeId>,
    /// What became of it.
    pub standing: Standing,
    /// Whether the buckets that show so are in the file and were searched.
    pub searched: bool,
    /// The buckets that show so, from the newest down.
    pub buckets: Vec<Hash256>,
    /// Where the newest version is, unless it is nowhere.
    pub level: Option<u32>,
    /// `BucketEntry`, XDR in base64.
    pub entry: Option<String>,
    /// Whether the protocol has a hot archive, which is not searched.
    pub hot_archive: bool,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// No bucket of the live list has it.
    Absent,
    /// It was removed.
    Dead,
    /// It is there.
    Live,
}

pub(super) fn check(steps: &mut Steps, proof: &wire::EntryProof, header: &Header) -> Result<EntryFacts, Fault> {
    let live = levels("liveBuckets", &proof.live_buckets)?;
    let hot_archive = header.version >= FIRST_PROTOCOL_WITH_HOT_ARCHIVE;
    let hash = match (&proof.hot_archive_buckets, hot_archive) {
        (None, false) => list_hash(&live),
        (Some(hot), true) => sha256(&[list_hash(&live).as_bytes(), list_hash(&levels("hotArchiveBuckets", hot)?).as_bytes()]),
        (None, true) => return Err(Fault::new("hotArchiveBuckets", "it is missing: the ledger's protocol has a hot archive")),
        (Some(_), false) => return Err(Fault::new("hotArchiveBuckets", "the ledger's protocol has no hot archive")),
    };
    let message = "liveBuckets, with hotArchiveBuckets where there are any, do not hash to what headers[0] names";
    same("liveBuckets", message, &header.bucket_list_hash, &hash)?;
    steps.holds("liveBuckets", format!("the bucket lists hash to the bucketListHash of headers[0], {hash}"));

    let key_bytes = base64("key", &proof.key)?;
    let key: LedgerKey = xdr("key", "LedgerKey", &key_bytes)?;
    let (standing, wanted) = match &proof.found {
        None => (Standing::Absent, buckets_down_to(&live, None)),
        Some(found) => {
            let standing = check_entry(found, &key)?;
            let Some((place, name)) = place(&live, found.level, found.bucket) else {
                return Err(Fault::new("found.level", "that level has no such bucket, or it is empty"));
            };
            let wanted = buckets_down_to(&live, Some(place));
            if wanted.last() != Some(&name) {
                return Err(Fault::new(
                    "found.level",
                    "the bucket at that level is a newer one's twin, so the newer one has the entry, too",
                ));
            }
            (standing, wanted)
        }
    };
    let searched = !proof.buckets.is_empty() || wanted.is_empty();
    if searched {
        search(proof, &key, &wanted)?;
        steps.holds("buckets", search_in_words(standing, wanted.len()));
    } else {
        let names = wanted.iter().map(Hash256::to_string).collect::<Vec<_>>().join(", ");
        steps.unchecked("found", format!("the buckets that would show it are not in the file: {names}"));
    }
    Ok(EntryFacts {
        key: proof.key.clone(),
        entry_type: key.name(),
        account: address(&key),
        standing,
        searched,
        buckets: wanted,
        level: proof.found.as_ref().map(|found| found.level),
        entry: proof.found.as_ref().map(|found| found.entry.clone()),
        hot_archive,
    })
}

fn search_in_words(standing: Standing, buckets: usize) -> String {
    match standing {
        Standing::Absent => format!("none of the {buckets} buckets of the live list has the key"),
        Standing::Dead | Standing::Live => format!("the last of the {buckets} buckets has the entry, and no newer one has its key"),
    }
}

/// Every bucket hashes to its name; the last one has the entry, byte by byte, and none before it has the key.
fn search(proof: &wire::EntryProof, key: &LedgerKey, wanted: &[Hash256]) -> Result<(), Fault> {
    same(
        "buckets",
        "every bucket from the newest to the one at found.level and found.bucket must be here, once, and no other",
        &wanted.len(),
        &proof.buckets.len(),
    )?;
    let entry = proof.found.as_ref().map(|found| base64("found.entry", &found.entry)).transpose()?;
    for (index, (text, name)) in proof.buckets.iter().zip(wanted).enumerate() {
        let field = format!("buckets[{index}]");
        let content = base64(&field, text)?;
        same(&field, "it does not hash to the name that liveBuckets has for it", name, &sha256(&[&content]))?;
        let own = find(&content, key).map_err(|why| Fault::new(&field, why))?;
        let last = index + 1 == wanted.len();
        match (own, &entry) {
            (None, None) => {}
            (None, Some(_)) if !last => {}
            (Some(own), Some(entry)) if last && own == *entry => {}
            (Some(_), Some(_)) if last => return Err(Fault::new("found.entry", format!("{field} has another version of the entry"))),
            (Some(_), _) => return Err(Fault::new("found", format!("{field}, which is newer, has a version of the entry"))),
            (None, Some(_)) => return Err(Fault::new("found", format!("{field} has no entry with the key"))),
        }
    }
    Ok(())
}

/// The record of a bucket that has a key.
fn find(content: &[u8], key: &LedgerKey) -> Result<Option<Vec<u8>>, String> {
    let (mut found, mut wrong) = (None, None);
    let mut reader = RecordReader::new(content.len(), u64::MAX);
    let mut record = |record: crate::codec::record::Record<'_>| match decode::<BucketEntry>(record.bytes, XDR_DEPTH) {
        Ok(entry) if key_of(&entry).as_ref() == Some(key) => found = Some(record.bytes.to_vec()),
        Ok(_) => {}
        Err(error) => wrong = Some(format!("the record at byte {} is no BucketEntry: {error}", record.offset)),
    };
    let framing = reader.push(content, &mut record).and_then(|()| reader.finish());
    framing.map_err(|error| error.to_string())?;
    wrong.map_or(Ok(found), Err)
}

fn address(key: &LedgerKey) -> Option<NodeId> {
    let LedgerKey::Account(account) = key else { return None };
    let PublicKey::PublicKeyTypeEd25519(Uint256(address)) = &account.account_id.0;
    Some(NodeId::new(*address))
}

/// The key of an entry; the METAENTRY has none.
pub(super) fn key_of(entry: &BucketEntry) -> Option<LedgerKey> {
    match entry {
        BucketEntry::Deadentry(key) => Some(key.clone()),
        BucketEntry::Initentry(entry) | BucketEntry::Liveentry(entry) => Some(entry.to_key()),
        BucketEntry::Metaentry(_) => None,
    }
}

fn check_entry(found: &wire::Found, key: &LedgerKey) -> Result<Standing, Fault> {
    let entry: BucketEntry = xdr("found.entry", "BucketEntry", &base64("found.entry", &found.entry)?)?;
    if key_of(&entry).as_ref() != Some(key) {
        return Err(Fault::new("found.entry", "it is the entry of another key than `key`"));
    }
    Ok(if matches!(entry, BucketEntry::Deadentry(_)) { Standing::Dead } else { Standing::Live })
}

/// Buckets by their name, newest first: the curr and snap of each level.
type Names = Vec<[Hash256; 2]>;

fn levels(field: &str, levels: &[wire::Level]) -> Result<Names, Fault> {
    same(field, "a bucket list has eleven levels", &BUCKET_LEVELS, &levels.len())?;
    let name = |index: usize, half: &str, text: &str| hex(&format!("{field}[{index}].{half}"), text);
    levels.iter().enumerate().map(|(index, level)| Ok([name(index, "curr", &level.curr)?, name(index, "snap", &level.snap)?])).collect()
}

/// B.6.
fn list_hash(levels: &Names) -> Hash256 {
    let mut hasher = Hasher::default();
    for [curr, snap] in levels {
        hasher.update(sha256(&[curr.as_bytes(), snap.as_bytes()]).as_bytes());
    }
    hasher.finish()
}

/// The number of a bucket, from the newest, and its name; none if it is empty.
fn place(levels: &Names, level: u32, half: Half) -> Option<(usize, Hash256)> {
    let [curr, snap] = levels.get(usize_from(level))?;
    let (name, offset) = if half == Half::Curr { (curr, 0) } else { (snap, 1) };
    (!name.is_zero()).then_some((usize_from(level) * 2 + offset, *name))
}

/// The buckets that are not empty down to one, each once; or all of them.
fn buckets_down_to(levels: &Names, place: Option<usize>) -> Vec<Hash256> {
    let mut names: Vec<Hash256> = Vec::new();
    for name in levels.iter().flatten().take(place.map_or(usize::MAX, |place| place + 1)) {
        if !name.is_zero() && !names.contains(name) {
            names.push(*name);
        }
    }
    names
}
