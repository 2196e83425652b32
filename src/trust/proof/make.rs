//! Making proofs of the records of an archive.
//!
//! It takes records that were verified against their headers and chooses what goes into the file; it judges no more than it
//! needs to choose. Whoever hands a proof out checks it with [`super::verify_proof`] first.

use std::collections::BTreeMap;

use stellar_xdr::{BucketEntry, Limits, ScpHistoryEntry, WriteXdr};

use super::entry::key_of;
use super::read::{XDR_DEPTH, to_base64};
use super::transaction::result_pairs;
use super::wire::{EntryProof, Found, Half, Level, SCHEMA, Seal, TransactionProof, TransactionSet};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::{Network, NetworkId};
use crate::archive::node::NodeId;
use crate::archive::state::{BucketHash, BucketList, HistoryArchiveState};
use crate::codec::hash::Hash256;
use crate::codec::usize_from;
use crate::trust::checkpoint_hashes::CheckpointHashes;
use crate::trust::preset::Believed;
use crate::verify::header::{Header, HeaderEntry};
use crate::verify::quorum::{QuorumSet, quorum_set_hash};
use crate::verify::transactions::SetEra;
use crate::verify::votes::{LedgerVotes, Strength, Vote};
use crate::verify::xdr::{Cursor, decode};

/// `kind` of a proof of a transaction.
pub const TRANSACTION: &str = "transaction";
/// `kind` of a proof of a ledger entry.
pub const LEDGER_ENTRY: &str = "ledger-entry";

/// The verified records of neighbouring checkpoints, each without its mark.
#[derive(Debug, Default)]
pub struct Records {
    headers: BTreeMap<LedgerSeq, (Header, Vec<u8>)>,
    transactions: BTreeMap<LedgerSeq, Vec<u8>>,
    results: BTreeMap<LedgerSeq, Vec<u8>>,
    messages: BTreeMap<LedgerSeq, stellar_xdr::ScpHistoryEntryV0>,
    quorum_sets: BTreeMap<Hash256, (QuorumSet, Vec<u8>)>,
}

/// The best that vouches for a ledger in some records.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Anchored {
    /// Nothing.
    Not,
    /// Messages that are no quorum of the validators that the user believes.
    ByMessages,
    /// A hash that the user trusts.
    ByHash,
    /// A quorum that the user believes.
    ByQuorum,
}

/// The end of a proof's headers, and what seals it.
#[derive(Debug)]
pub struct Top {
    /// How good it is.
    pub anchored: Anchored,
    last: LedgerSeq,
    seal: Option<Seal>,
}

/// Why there is no proof to make.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct CannotMake(String);

impl Records {
    /// Adds the files of a checkpoint.
    pub fn add(&mut self, headers: &[Vec<u8>], transactions: Vec<Vec<u8>>, results: Vec<Vec<u8>>, scp: &[Vec<u8>]) {
        for record in headers {
            if let (Ok(entry), Some(bytes)) = (HeaderEntry::parse(record), record.get(32..record.len().saturating_sub(4))) {
                self.headers.insert(entry.header.sequence, (entry.header, bytes.to_vec()));
            }
        }
        let by_ledger = |record: Vec<u8>| Some((LedgerSeq::new(Cursor::new(&record).u32().ok()?), record));
        self.transactions.extend(transactions.into_iter().filter_map(by_ledger));
        self.results.extend(results.into_iter().filter_map(by_ledger));
        for record in scp {
            let Ok(ScpHistoryEntry::V0(entry)) = decode::<ScpHistoryEntry>(record, XDR_DEPTH) else { continue };
            for set in entry.quorum_sets.iter() {
                if let (Some(hash), Ok(bytes)) = (quorum_set_hash(set), set.to_xdr(Limits::none()))
                    && let Some(sane) = QuorumSet::sane(set)
                {
                    self.quorum_sets.insert(hash, (sane, bytes));
                }
            }
            self.messages.insert(LedgerSeq::new(entry.ledger_messages.ledger_seq), entry);
        }
    }

    /// The header of a ledger.
    #[must_use]
    pub fn header(&self, ledger: LedgerSeq) -> Option<&Header> {
        self.headers.get(&ledger).map(|(header, _)| header)
    }

    /// The cheapest of the best ends for the headers of a proof that begin at a ledger.
    #[must_use]
    pub fn top(&self, ledger: LedgerSeq, network: &NetworkId, believed: Option<&Believed>, trusted: &CheckpointHashes) -> Top {
        let sets: BTreeMap<_, _> = self.quorum_sets.iter().map(|(hash, (set, _))| (*hash, set.clone())).collect();
        let is_believed = |votes: &mut LedgerVotes| believed.is_some_and(|own| votes.judge(network, &own.set, &sets).seal.is_some());
        let top = |anchored, seal: Seal| Top { anchored, last: LedgerSeq::new(seal.ledger.saturating_sub(1)), seal: Some(seal) };
        let mut signed: Vec<_> = self.messages.keys().copied().filter(|signed| *signed > ledger).collect();
        signed.sort_by_key(|signed| self.cost(ledger, *signed));
        let mut any = None;
        for signed in signed {
            let Some((seal, mut votes)) = self.seal(signed, network) else { continue };
            if is_believed(&mut votes) {
                return top(Anchored::ByQuorum, seal);
            }
            any = any.or(Some(seal));
            if believed.is_none() {
                break;
            }
        }
        let newest = self.headers.keys().next_back().copied().unwrap_or(ledger).max(ledger);
        if let Some((hashed, _)) = trusted.by_ledger().range(ledger..=newest).next() {
            return Top { anchored: Anchored::ByHash, last: *hashed, seal: None };
        }
        match any {
            Some(seal) => top(Anchored::ByMessages, seal),
            None => Top { anchored: Anchored::Not, last: newest, seal: None },
        }
    }

    /// The place of a transaction in a ledger's results.
    #[must_use]
    pub fn index_of(&self, ledger: LedgerSeq, hash: &Hash256) -> Option<u32> {
        index_of(self.results.get(&ledger)?, hash)
    }

    /// A proof of the transaction at a place of a ledger's results.
    ///
    /// # Errors
    /// What is not there.
    pub fn transaction_proof(&self, network: &Network, ledger: LedgerSeq, index: u32, top: Top) -> Result<String, CannotMake> {
        let none = || CannotMake(format!("ledger {ledger} has no transactions"));
        let set_record = self.transactions.get(&ledger).ok_or_else(none)?;
        let results = self.results.get(&ledger).and_then(|record| result_set(record)).ok_or_else(none)?;
        let pairs = result_pairs(results).map_err(|error| CannotMake(format!("the results of ledger {ledger} do not decode: {error}")))?;
        let Some((result, hash)) = pairs.get(usize_from(index)) else {
            let count = pairs.len();
            return Err(CannotMake(format!("ledger {ledger} has no transaction {index}: it has {count}, counted from 0")));
        };
        let transaction = find_transaction(set_record, hash, &network.id()).ok_or_else(|| {
            CannotMake(format!(
                "the transaction {hash} has a result in ledger {ledger} but is not in its set: was the right network named?"
            ))
        })?;
        let transaction_set = set_of(set_record).ok_or_else(none)?;
        json(&TransactionProof {
            schema: SCHEMA,
            kind: TRANSACTION.into(),
            network: network.passphrase().into(),
            ledger: ledger.value(),
            index,
            transaction_hash: hash.to_string(),
            transaction: to_base64(&transaction),
            transaction_set,
            result: to_base64(result),
            result_set: to_base64(results),
            headers: self.headers_through(ledger, top.last)?,
            seal: top.seal,
        })
    }

    /// A proof of an entry, or of its absence, after a checkpoint's last ledger. `buckets` are those from the newest down to the
    /// one that has the entry, each once; none, if they are too large to be in the file.
    ///
    /// # Errors
    /// What is not there.
    pub fn entry_proof(
        &self,
        network: &Network,
        key: &[u8],
        state: &HistoryArchiveState,
        found: Option<FoundEntry>,
        buckets: &[Vec<u8>],
        top: Top,
    ) -> Result<String, CannotMake> {
        let ledger = state.current_ledger;
        json(&EntryProof {
            schema: SCHEMA,
            kind: LEDGER_ENTRY.into(),
            network: network.passphrase().into(),
            ledger: ledger.value(),
            key: to_base64(key),
            found: found.map(|found| Found {
                level: found.level,
                bucket: if found.is_curr { Half::Curr } else { Half::Snap },
                entry: to_base64(&found.entry),
            }),
            live_buckets: levels(&state.current_buckets),
            hot_archive_buckets: state.hot_archive_buckets.as_ref().map(levels),
            buckets: buckets.iter().map(|bucket| to_base64(bucket)).collect(),
            headers: self.headers_through(ledger, top.last)?,
            seal: top.seal,
        })
    }

    fn headers_through(&self, ledger: LedgerSeq, last: LedgerSeq) -> Result<Vec<String>, CannotMake> {
        let missing = |ledger| CannotMake(format!("the header of ledger {ledger} was not read"));
        let header = |ledger| self.headers.get(&LedgerSeq::new(ledger)).map(|(_, bytes)| to_base64(bytes)).ok_or_else(|| missing(ledger));
        (ledger.value()..=last.value()).map(header).collect()
    }

    /// Roughly what a seal of a ledger adds to the file: headers up to it, and its set.
    fn cost(&self, ledger: LedgerSeq, signed: LedgerSeq) -> usize {
        let headers: usize = self.headers.range(ledger..signed).map(|(_, (_, bytes))| bytes.len()).sum();
        headers + self.transactions.get(&signed).map_or(0, Vec::len)
    }

    /// What nodes said for a ledger's value, as far as it is right.
    fn seal(&self, signed: LedgerSeq, network: &NetworkId) -> Option<(Seal, LedgerVotes)> {
        let header = self.header(signed)?;
        let previous = self.header(LedgerSeq::new(signed.value().checked_sub(1)?))?;
        let mut votes = LedgerVotes::new(header);
        let mut envelopes: BTreeMap<NodeId, (Strength, Hash256, Vec<u8>)> = BTreeMap::new();
        for envelope in self.messages.get(&signed)?.ledger_messages.messages.iter() {
            let Some((node, vote)) = Vote::of(envelope, header) else { continue };
            let (strength, quorum_set) = (vote.strength, vote.quorum_set);
            let stronger = envelopes.get(&node).is_none_or(|(known, _, _)| *known < strength);
            if stronger && self.quorum_sets.contains_key(&quorum_set) && votes.add_if_valid(node, vote, network) {
                envelopes.insert(node, (strength, quorum_set, envelope.to_xdr(Limits::none()).ok()?));
            }
        }
        if envelopes.is_empty() {
            return None;
        }
        let named = |hash: &&Hash256| envelopes.values().any(|(_, quorum_set, _)| quorum_set == *hash);
        let quorum_sets = self.quorum_sets.keys().filter(named).filter_map(|hash| self.quorum_sets.get(hash));
        let seal = Seal {
            ledger: signed.value(),
            value: to_base64(&header.scp_value),
            transaction_set: self.base_of(header, previous)?,
            quorum_sets: quorum_sets.map(|(_, bytes)| to_base64(bytes)).collect(),
            envelopes: envelopes.values().map(|(_, _, bytes)| to_base64(bytes)).collect(),
        };
        Some((seal, votes))
    }

    /// The set that names the hash of the ledger before: of the archive, or the empty one, or none where it was dropped.
    fn base_of(&self, header: &Header, previous: &Header) -> Option<Option<TransactionSet>> {
        if header.is_empty_tx_set() {
            return Some(None);
        }
        let set = match self.transactions.get(&header.sequence) {
            Some(record) => set_of(record)?,
            None => empty_set(SetEra::after(previous.version), &previous.hash),
        };
        Some(Some(set))
    }
}

/// Where an entry's newest version is.
#[derive(Clone, Debug)]
pub struct FoundEntry {
    /// The level.
    pub level: u32,
    /// Whether it is the level's newer bucket.
    pub is_curr: bool,
    /// `BucketEntry`.
    pub entry: Vec<u8>,
}

/// The buckets of a list that are not empty, from the newest down, each once, with where it is first.
pub fn buckets_newest_first(list: &BucketList) -> Vec<(u32, bool, BucketHash)> {
    let mut buckets: Vec<(u32, bool, BucketHash)> = Vec::new();
    for (level, places) in (0..).zip(list.levels()) {
        for (is_curr, bucket) in [(true, places.curr), (false, places.snap)] {
            if !bucket.is_empty_bucket() && buckets.iter().all(|(_, _, known)| *known != bucket) {
                buckets.push((level, is_curr, bucket));
            }
        }
    }
    buckets
}

/// The key that base64 spells.
#[must_use]
pub fn ledger_key(base64: &str) -> Option<stellar_xdr::LedgerKey> {
    super::read::xdr("", "LedgerKey", &super::read::base64("", base64).ok()?).ok()
}

/// Whether a record of a bucket is the entry with a key.
#[must_use]
pub fn is_entry_of(record: &[u8], key: &stellar_xdr::LedgerKey) -> bool {
    decode::<BucketEntry>(record, XDR_DEPTH).is_ok_and(|entry| key_of(&entry).as_ref() == Some(key))
}

/// The ledger of a `TransactionHistoryResultEntry`, and the place of a transaction among its results.
#[must_use]
pub fn find_result(record: &[u8], hash: &Hash256) -> Option<(LedgerSeq, u32)> {
    // Most records do not have it, and that is told without decoding.
    record.windows(32).any(|window| window == hash.as_bytes()).then_some(())?;
    Some((LedgerSeq::new(Cursor::new(record).u32().ok()?), index_of(record, hash)?))
}

fn index_of(record: &[u8], hash: &Hash256) -> Option<u32> {
    let pairs = result_pairs(result_set(record)?).ok()?;
    u32::try_from(pairs.iter().position(|(_, own)| own == hash)?).ok()
}

/// The `TransactionResultSet` of a `TransactionHistoryResultEntry`.
pub(crate) fn result_set(record: &[u8]) -> Option<&[u8]> {
    record.get(4..record.len().checked_sub(4)?)
}

/// The set of a `TransactionHistoryEntry`, in the form that is hashed.
fn set_of(record: &[u8]) -> Option<TransactionSet> {
    if record.get(36..44) == Some(&[0, 0, 0, 0, 0, 0, 0, 1]) {
        let set = record.get(44..)?;
        return Some(TransactionSet::Generalized(to_base64(set)));
    }
    let set = record.get(4..record.len().checked_sub(4)?)?;
    Some(TransactionSet::Legacy(to_base64(set)))
}

fn empty_set(era: SetEra, previous: &Hash256) -> TransactionSet {
    match era {
        SetEra::Legacy => TransactionSet::Legacy(to_base64(&[previous.as_bytes(), &[0; 4][..]].concat())),
        SetEra::Phases | SetEra::ParallelPhase => TransactionSet::Generalized(to_base64(&era.hashed_empty_set(previous))),
    }
}

/// The `TransactionEnvelope` with a hash.
fn find_transaction(record: &[u8], hash: &Hash256, network: &NetworkId) -> Option<Vec<u8>> {
    let set = super::seal::Set::read("transactionSet", &set_of(record)?).ok()?;
    let envelopes = set.envelopes("transactionSet", Some(network)).ok()?;
    envelopes.iter().find(|envelope| envelope.hash.as_ref() == Some(hash)).map(|envelope| envelope.bytes.to_vec())
}

fn levels(list: &BucketList) -> Vec<Level> {
    list.levels().iter().map(|level| Level { curr: level.curr.to_string(), snap: level.snap.to_string() }).collect()
}

fn json<T: serde::Serialize>(proof: &T) -> Result<String, CannotMake> {
    let mut text = serde_json::to_string_pretty(proof).map_err(|error| CannotMake(error.to_string()))?;
    text.push('\n');
    Ok(text)
}
