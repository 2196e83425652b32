//! One ledger: its header, and every tie between it and what is around it, each to be followed with the bytes at hand.
//!
//! Rules: B.5 (headers), B.6 (bucket list), B.7 (sets), B.8 (results), B.10 S3 (values), B.11 (genesis).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stellar_xdr::LedgerHeaderHistoryEntry;

use super::check::{Check, CheckName, Claim, Computed};
use super::checkpoint::{Held, Located};
use super::file::{FileEnd, HeldFile, RawRecord};
use super::scp::ScpView;
use super::transaction::{Applied, TransactionRow};
use super::upgrade::UpgradeView;
use super::{Json, LookError, json};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::genesis::genesis_header_hash;
use crate::archive::node::NodeId;
use crate::codec::hash::{Hash256, sha256};
use crate::trust::proof::read::to_base64;
use crate::verify::header::Header;
use crate::verify::transactions::{SetEra, SetPlace};
use crate::verify::votes::Said;

/// Transactions of a ledger that are listed: networks close a few hundred at once.
const MOST_ROWS: usize = 20_000;
/// Values that are told apart: honest messages have one or two.
const MOST_VALUES: usize = 16;

/// Where a header's bytes begin in its record, behind the hash.
const HEADER_AT: usize = 32;
/// Where `scpValue` begins in a header.
const VALUE_AT: usize = 36;
/// The extension at the end of a record.
const EXT: usize = 4;

/// A ledger.
#[derive(Debug, Serialize)]
pub struct LedgerView {
    /// Its sequence.
    pub ledger: LedgerSeq,
    /// The last ledger of its checkpoint.
    pub checkpoint: LedgerSeq,
    /// `LedgerHeaderHistoryEntry`; none if it is newer than this verifier.
    pub json: Option<Json>,
    /// The same, XDR in base64.
    pub xdr: String,
    /// What changes with it.
    pub upgrades: Vec<UpgradeView>,
    /// What ties it to everything else.
    pub checks: Vec<Check>,
    /// Its transactions, in the order of the results.
    pub transactions: Vec<TransactionRow>,
    /// What validators said of it.
    pub scp: Option<ScpView>,
}

impl Held {
    /// A ledger.
    ///
    /// # Errors
    /// Why there is no header.
    pub fn ledger(&self, ledger: LedgerSeq) -> Result<LedgerView, LookError> {
        let Located { raw, .. } = self.header(ledger).ok_or_else(|| self.files.ledger.absent())?;
        let applied = Applied::of(self, ledger);
        Ok(LedgerView {
            ledger,
            checkpoint: self.checkpoint.last_ledger(),
            json: json::<LedgerHeaderHistoryEntry>(raw.bytes, self.budget.xdr_depth),
            xdr: to_base64(raw.bytes),
            upgrades: self.upgrades(ledger),
            checks: self.ledger_checks(ledger, &applied),
            transactions: applied.rows().take(MOST_ROWS).collect(),
            scp: self.scp_view(ledger),
        })
    }

    /// Everything that ties a ledger's header to what is around it.
    pub(crate) fn ledger_checks(&self, ledger: LedgerSeq, applied: &Applied<'_>) -> Vec<Check> {
        let Some(located) = self.header(ledger) else { return Vec::new() };
        let mut checks = Vec::new();
        if ledger == LedgerSeq::GENESIS {
            checks.push(self.genesis(&located));
        }
        let what = "The header's bytes hash to what stands beside them in its record.";
        let claims = vec![Claim::new("the header's record", located.claimed)];
        checks.push(Check::comparing(CheckName::HeaderHash, what, hash_of(&located), claims));
        if ledger > LedgerSeq::GENESIS {
            checks.push(self.previous(&located, ledger));
        }
        checks.extend(self.next(&located, ledger));
        // Ledger 1 is made, not closed: it has neither set nor results.
        if ledger > LedgerSeq::GENESIS {
            checks.extend([self.transaction_set(&located, ledger), self.results(&located, ledger), self.result_count(ledger, applied)]);
        }
        if ledger == self.checkpoint.last_ledger() {
            checks.push(self.bucket_list());
        }
        if ledger > LedgerSeq::GENESIS {
            checks.push(self.value(&located, ledger));
        }
        checks
    }

    fn genesis(&self, located: &Located<'_>) -> Check {
        let what = "The header's bytes hash to that of the ledger 1 that the network's passphrase implies.";
        match &self.network {
            Some(network) => {
                let by = format!("the passphrase {:?}", network.passphrase());
                let claims = vec![Claim::new(by, genesis_header_hash(&network.id()))];
                Check::comparing(CheckName::Genesis, what, hash_of(located), claims)
            }
            None => Check::unknown(CheckName::Genesis, what, "the archive does not name its network"),
        }
    }

    fn previous(&self, located: &Located<'_>, ledger: LedgerSeq) -> Check {
        let before = LedgerSeq::new(ledger.value().saturating_sub(1));
        let what = format!("The header of ledger {before} hashes to what this header, and the set built on it, name as the ledger before.");
        let mut claims = vec![Claim::new("this header, previousLedgerHash", located.header.previous_hash)];
        let based_on = self.set_record(ledger).and_then(|raw| set_previous(&raw, self.budget.xdr_depth));
        claims.extend(based_on.map(|hash| Claim::new("this ledger's transaction set, previousLedgerHash", hash)));
        match self.header(before) {
            Some(previous) => Check::comparing(CheckName::PreviousHeader, what, hash_of(&previous), claims),
            None => {
                let file =
                    if self.checkpoint.contains(before) { Some(&self.files.ledger) } else { self.neighbours.previous_ledger.as_ref() };
                let why = match file {
                    Some(file) if matches!(file.end, FileEnd::Missing) && !self.checkpoint.contains(before) => {
                        format!("{} is not there: the archive begins here, or has a hole", file.path)
                    }
                    file => file.map_or_else(|| "it was not read".to_owned(), |file| file.why_unknown()),
                };
                Check::unknown(CheckName::PreviousHeader, what, why).claimed(claims)
            }
        }
    }

    fn next(&self, located: &Located<'_>, ledger: LedgerSeq) -> Option<Check> {
        let after = ledger.next()?;
        let what = format!("The header's bytes hash to what the header of ledger {after} names as the ledger before.");
        if let Some(next) = self.header(after) {
            let claims = vec![Claim::new(format!("the header of ledger {after}, previousLedgerHash"), next.header.previous_hash)];
            return Some(Check::comparing(CheckName::NextHeader, what, hash_of(located), claims));
        }
        let file = if self.checkpoint.contains(after) { Some(&self.files.ledger) } else { self.neighbours.next_ledger.as_ref() };
        let why = match file {
            Some(file) if matches!(file.end, FileEnd::Missing) && !self.checkpoint.contains(after) => {
                format!("the archive ends here: {} is not there", file.path)
            }
            file => file.map_or_else(|| "it was not read".to_owned(), |file| file.why_unknown()),
        };
        Some(Check::unknown(CheckName::NextHeader, what, why))
    }

    pub(crate) fn transaction_set(&self, located: &Located<'_>, ledger: LedgerSeq) -> Check {
        let (header, file) = (located.header, &self.files.transactions);
        let claims = || vec![Claim::new("the header, scpValue.txSetHash", header.tx_set_hash)];
        let record = self.set_record(ledger);
        if header.is_empty_tx_set() {
            let what = "Validators dropped the transaction set (CAP-83): the header has to name none, and the file to have none.";
            let holds = header.tx_set_hash.is_zero() && record.is_none();
            return Check::plain(CheckName::TransactionSet, what, holds).claimed(claims());
        }
        if let Some(raw) = record {
            let what = "The transaction set hashes to what the header names.";
            let Some(place) = SetPlace::of(raw.bytes, self.budget.xdr_depth) else {
                return Check::plain(CheckName::TransactionSet, what, false).because("the record ends too early").claimed(claims());
            };
            let set = raw.bytes.get(place.start..place.end).unwrap_or_default();
            if place.generalized {
                let computed = Computed::of(set, file.excerpt(&raw, &(place.start..place.end)));
                return Check::comparing(CheckName::TransactionSet, what, computed, claims());
            }
            let what = "The set's previousLedgerHash and its transactions, without their count, hash to what the header names.";
            let hashed = [set.get(..32).unwrap_or_default(), set.get(36..).unwrap_or_default()].concat();
            let (previous_end, transactions) = (place.start.saturating_add(32), place.start.saturating_add(36));
            let parts = vec![file.excerpt(&raw, &(place.start..previous_end)), file.excerpt(&raw, &(transactions..place.end))];
            return Check::comparing(CheckName::TransactionSet, what, Computed::of_parts(&hashed, parts), claims());
        }
        let what = "The file has no transactions for the ledger, so its set is the empty one, which hashes to what the header names.";
        if !file.is_whole() {
            return Check::unknown(CheckName::TransactionSet, what, file.why_unknown()).claimed(claims());
        }
        let empty = self.empty_set(header, ledger);
        Check::comparing(CheckName::TransactionSet, what, Computed::of_bytes(&empty), claims())
    }

    /// The version of the ledger before decides how the empty set looks; where it is not known, the header's own hash does.
    fn empty_set(&self, header: &Header, ledger: LedgerSeq) -> Vec<u8> {
        let before = self.header(LedgerSeq::new(ledger.value().saturating_sub(1))).map(|previous| previous.header.version);
        let fits = |era: &SetEra| era.empty_set_hash(&header.previous_hash) == header.tx_set_hash;
        let era = match before {
            Some(version) => SetEra::after(version),
            None => SetEra::ALL.into_iter().find(fits).unwrap_or(SetEra::after(header.version)),
        };
        era.hashed_empty_set(&header.previous_hash)
    }

    pub(crate) fn results(&self, located: &Located<'_>, ledger: LedgerSeq) -> Check {
        let file = &self.files.results;
        let claims = vec![Claim::new("the header, txSetResultHash", located.header.result_hash)];
        if let Some(raw) = self.result_record(ledger) {
            let what = "The results hash to what the header names.";
            let part = 4..raw.bytes.len().saturating_sub(EXT).max(4);
            let computed = Computed::of(raw.bytes.get(part.clone()).unwrap_or_default(), file.excerpt(&raw, &part));
            return Check::comparing(CheckName::Results, what, computed, claims);
        }
        let what = "The file has no results for the ledger, so it has none, and a count of zero hashes to what the header names.";
        if !file.is_whole() {
            return Check::unknown(CheckName::Results, what, file.why_unknown()).claimed(claims);
        }
        Check::comparing(CheckName::Results, what, Computed::of_bytes(&[0; 4]), claims)
    }

    fn result_count(&self, ledger: LedgerSeq, applied: &Applied<'_>) -> Check {
        let what = "The ledger has as many results as transactions.";
        let unknown = |file: &HeldFile| Check::unknown(CheckName::ResultCount, what, file.why_unknown());
        let (set, results) = (self.set_record(ledger), self.result_record(ledger));
        if set.is_none() && !self.files.transactions.is_whole() {
            return unknown(&self.files.transactions);
        }
        if results.is_none() && !self.files.results.is_whole() {
            return unknown(&self.files.results);
        }
        match applied.counts() {
            Ok((transactions, results)) => {
                let what = format!("The ledger has as many results as transactions: {results} and {transactions}.");
                Check::plain(CheckName::ResultCount, what, transactions == results)
            }
            Err(why) => Check::unknown(CheckName::ResultCount, what, why),
        }
    }

    /// S3: ballots are for the value that the header has.
    fn value(&self, located: &Located<'_>, ledger: LedgerSeq) -> Check {
        let what = "The header's scpValue is what validators said in their ballots, byte by byte.";
        let Some(entry) = self.messages(ledger) else {
            return Check::unknown(CheckName::ScpValue, what, self.files.scp.why_unknown());
        };
        let mut said: BTreeMap<Hash256, (BTreeSet<NodeId>, usize)> = BTreeMap::new();
        for envelope in entry.ledger_messages.messages.iter() {
            let Some(value) = Said::of(&envelope.statement).value else { continue };
            let value = sha256(&[value]);
            if said.len() < MOST_VALUES || said.contains_key(&value) {
                let (nodes, messages) = said.entry(value).or_default();
                nodes.insert(NodeId::from_xdr(&envelope.statement.node_id));
                *messages = messages.saturating_add(1);
            }
        }
        if said.is_empty() {
            return Check::unknown(CheckName::ScpValue, what, format!("{} has no ballots for the ledger", self.files.scp.path));
        }
        let claims = said.into_iter().map(|(value, (nodes, messages))| {
            let by = format!("{messages} {} of {} {}", some(messages, "message"), nodes.len(), some(nodes.len(), "validator"));
            Claim::new(by, value)
        });
        let start = HEADER_AT + VALUE_AT;
        let part = start..start.saturating_add(located.header.scp_value.len());
        let computed = Computed::of(&located.header.scp_value, located.file.excerpt(&located.raw, &part));
        Check::comparing(CheckName::ScpValue, what, computed, claims.collect())
    }
}

fn some(count: usize, what: &str) -> String {
    if count == 1 { what.to_owned() } else { format!("{what}s") }
}

/// A header's hash, and the bytes that it is of.
fn hash_of(located: &Located<'_>) -> Computed {
    let part = HEADER_AT..located.raw.bytes.len().saturating_sub(EXT).max(HEADER_AT);
    let bytes = located.raw.bytes.get(part.clone()).unwrap_or_default();
    Computed::of(bytes, located.file.excerpt(&located.raw, &part))
}

/// The ledger that a set was built on.
fn set_previous(raw: &RawRecord<'_>, depth: u32) -> Option<Hash256> {
    let place = SetPlace::of(raw.bytes, depth)?;
    let at = if place.generalized { place.start.checked_add(4)? } else { place.start };
    let hash: [u8; 32] = raw.bytes.get(at..at.checked_add(32)?)?.try_into().ok()?;
    Some(Hash256::new(hash))
}
