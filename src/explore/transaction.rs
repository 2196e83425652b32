//! The transactions of a ledger: each result beside the transaction of the set that it belongs to (rules B.7, B.8).
//!
//! Results are in the order of application, sets in hash order: they meet by hash, which the network's id is part of. Without
//! a network, or without a set, a result is shown by itself.

use std::collections::BTreeMap;

use serde::Serialize;
use stellar_xdr::{
    FeeBumpTransactionInnerTx, InnerTransactionResultResult, Memo, MuxedAccount, Operation, OperationResult, Preconditions,
    SorobanTransactionData, TimeBounds, TransactionEnvelope, TransactionExt, TransactionResultPair, TransactionResultResult,
};

use super::check::{Check, CheckName, Claim, Computed};
use super::checkpoint::{Held, Located, close_time};
use super::operation;
use super::words;
use super::{Json, LookError, json, to_json};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::{Network, NetworkId};
use crate::codec::hash::Hash256;
use crate::codec::usize_from;
use crate::trust::proof::make::result_set;
use crate::trust::proof::read::to_base64;
use crate::trust::proof::transaction::{facts, result_pairs};
use crate::verify::envelope::{Envelope, envelopes_of_set};
use crate::verify::transactions::SetPlace;
use crate::verify::xdr::decode;

/// Operations whose names a line has: no transaction may have more.
const MOST_OPERATIONS: usize = 100;

/// A transaction as a line.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionRow {
    /// Of its result, from 0.
    pub index: usize,
    /// Its hash.
    pub hash: Hash256,
    /// Its account; none where the transaction is not at hand.
    pub source: Option<String>,
    /// As XDR-JSON names them.
    pub operations: Vec<String>,
    /// Stroops, decimal.
    pub fee_charged: String,
    /// Whether its operations took effect.
    pub successful: bool,
    /// As XDR-JSON names it.
    pub result: String,
}

/// A transaction.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionView {
    /// Its line.
    #[serde(flatten)]
    pub row: TransactionRow,
    /// Its ledger.
    pub ledger: LedgerSeq,
    /// Seconds since 1970.
    pub close_time: u64,
    /// Who pays, where a fee bump says so.
    pub fee_source: Option<String>,
    /// The most that it offered, in stroops.
    pub max_fee: String,
    /// Of its account.
    pub sequence_number: String,
    /// Its memo, as text.
    pub memo: Option<String>,
    /// `text`, `id`, `hash` or `return`.
    pub memo_kind: Option<&'static str>,
    /// How many it has.
    pub signatures: usize,
    /// The account and the id that a muxed source stands for.
    pub source_muxed: Option<Muxed>,
    /// Those of a muxed `fee_source`.
    pub fee_source_muxed: Option<Muxed>,
    /// What is inside, where it is a fee bump.
    pub fee_bump: Option<FeeBump>,
    /// When it may be applied.
    pub preconditions: Conditions,
    /// What it asked for to run contracts.
    pub soroban: Option<Resources>,
    /// What happened.
    pub words: String,
    /// `TransactionEnvelope`; none where it is not at hand.
    pub envelope: Option<Xdr>,
    /// `TransactionResultPair`.
    pub result_pair: Xdr,
    /// Its operations.
    pub details: Vec<OperationView>,
    /// What ties it to its ledger.
    pub checks: Vec<Check>,
}

/// A multiplexed account.
#[derive(Debug, Serialize)]
pub struct Muxed {
    /// The account.
    pub account: String,
    /// Whose it is within the account, decimal.
    pub id: String,
}

/// The transaction within a fee bump.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeBump {
    /// Its own hash, as the result has it; none where the fee bump did not get that far.
    pub inner_hash: Option<Hash256>,
    /// The most that it offered by itself, in stroops.
    pub inner_max_fee: String,
    /// What its own result says was charged, in stroops.
    pub inner_fee_charged: Option<String>,
    /// Signatures of the one who pays.
    pub signatures: usize,
}

/// Preconditions; numbers are decimal, and 0 is no bound.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conditions {
    /// The first and the last second since 1970.
    pub time_bounds: Option<[String; 2]>,
    /// The first ledger, and the one before which it must be.
    pub ledger_bounds: Option<[u32; 2]>,
    /// Of the account, at least.
    pub min_sequence: Option<String>,
    /// Seconds since the account's last transaction, at least.
    pub min_sequence_age: Option<String>,
    /// Ledgers since the account's last transaction, at least.
    pub min_sequence_ledger_gap: Option<u32>,
    /// Who has to sign besides.
    pub extra_signers: Vec<String>,
}

/// What a transaction of contracts asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// The most for resources, in stroops; part of the fee.
    pub fee: String,
    /// Instructions of the contracts.
    pub instructions: u32,
    /// Bytes that are read from disk.
    pub disk_read_bytes: u32,
    /// Bytes that are written.
    pub write_bytes: u32,
    /// Entries that are only read.
    pub read_only: usize,
    /// Entries that are also written.
    pub read_write: usize,
}

/// A value in both forms.
#[derive(Debug, Serialize)]
pub struct Xdr {
    /// None if it is newer than this verifier.
    pub json: Option<Json>,
    /// Base64.
    pub xdr: String,
}

/// An operation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    /// Its place, from 0.
    pub index: usize,
    /// As XDR-JSON names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is not the transaction's.
    pub source: Option<String>,
    /// `Operation`.
    pub json: Option<Json>,
    /// `OperationResult`; none where the transaction did not get that far.
    pub result: Option<Json>,
    /// The result in words.
    pub result_words: Option<String>,
    /// What was asked for, in words.
    pub words: String,
    /// What came of it beyond that, or why it failed; none where there is nothing to add.
    pub outcome: Option<String>,
}

impl Xdr {
    pub(crate) fn of<T: stellar_xdr::ReadXdr + Serialize>(bytes: &[u8], depth: u32) -> Self {
        Self { json: json::<T>(bytes, depth), xdr: to_base64(bytes) }
    }
}

/// A list, or why it cannot be read.
type Read<T> = Result<Vec<T>, String>;

/// The transactions and the results of one ledger, as far as they can be read.
pub(crate) struct Applied<'a> {
    depth: u32,
    network: Option<NetworkId>,
    /// Each result's bytes and whose it is; none without a record.
    pairs: Option<Read<(&'a [u8], Hash256)>>,
    envelopes: Option<Read<Envelope<'a>>>,
    by_hash: BTreeMap<Hash256, usize>,
}

impl<'a> Applied<'a> {
    pub(crate) fn of(held: &'a Held, ledger: LedgerSeq) -> Self {
        Self::on(held, ledger, held.network.as_ref())
    }

    fn on(held: &'a Held, ledger: LedgerSeq, network: Option<&Network>) -> Self {
        let (depth, network) = (held.budget.xdr_depth, network.map(Network::id));
        let pairs = held.result_record(ledger).map(|raw| {
            let results = result_set(raw.bytes).ok_or_else(|| "the results end too early".to_owned())?;
            result_pairs(results).map_err(|error| format!("the results do not decode: {error}"))
        });
        let envelopes = held.set_record(ledger).map(|raw| {
            let place = SetPlace::of(raw.bytes, depth);
            let set = place.and_then(|place| Some((raw.bytes.get(place.start..place.end)?, place.generalized)));
            let (set, generalized) = set.ok_or_else(|| "the transaction set ends too early".to_owned())?;
            let read = envelopes_of_set(set, generalized, network.as_ref(), depth);
            read.map_err(|error| format!("the transaction set does not decode: {error}"))
        });
        let mut by_hash = BTreeMap::new();
        for (index, envelope) in envelopes.iter().flatten().flatten().enumerate() {
            by_hash.extend(envelope.hash.map(|hash| (hash, index)));
        }
        Self { depth, network, pairs, envelopes, by_hash }
    }

    /// Whether a ledger's results are of its transactions if the network is this one.
    pub(crate) fn fits(held: &'a Held, ledger: LedgerSeq, network: &Network) -> bool {
        let applied = Self::on(held, ledger, Some(network));
        applied.pairs().first().is_some_and(|(_, hash)| applied.by_hash.contains_key(hash))
    }

    fn pairs(&self) -> &[(&'a [u8], Hash256)] {
        self.pairs.as_ref().and_then(|pairs| pairs.as_deref().ok()).unwrap_or_default()
    }

    fn envelopes(&self) -> &[Envelope<'a>] {
        self.envelopes.as_ref().and_then(|envelopes| envelopes.as_deref().ok()).unwrap_or_default()
    }

    /// Transactions, by the results or, without them, by the set.
    pub(crate) fn count(&self) -> usize {
        if self.pairs.is_some() { self.pairs().len() } else { self.envelopes().len() }
    }

    /// Transactions of the set, and results.
    pub(crate) fn counts(&self) -> Result<(usize, usize), String> {
        if let Some(Err(why)) = &self.envelopes {
            return Err(why.clone());
        }
        if let Some(Err(why)) = &self.pairs {
            return Err(why.clone());
        }
        Ok((self.envelopes().len(), self.pairs().len()))
    }

    pub(crate) fn operations(&self) -> usize {
        let envelopes = self.envelopes().iter().filter_map(|envelope| decode::<TransactionEnvelope>(envelope.bytes, self.depth).ok());
        envelopes.map(|envelope| Parts::of(&envelope).operations.len()).sum()
    }

    pub(crate) fn failed(&self) -> usize {
        let results = self.pairs().iter().filter_map(|(bytes, _)| decode::<TransactionResultPair>(bytes, self.depth).ok());
        results.filter(|pair| !is_success(&pair.result.result)).count()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = TransactionRow> {
        self.pairs().iter().enumerate().filter_map(|(index, (bytes, hash))| {
            let pair = decode::<TransactionResultPair>(bytes, self.depth).ok()?;
            Some(row(index, hash, &pair, self.envelope(hash).as_ref().map(|(_, envelope)| envelope)))
        })
    }

    /// The transaction with a hash: where it stands, and what it is.
    fn envelope(&self, hash: &Hash256) -> Option<(&Envelope<'a>, TransactionEnvelope)> {
        let found = self.envelopes().get(*self.by_hash.get(hash)?)?;
        Some((found, decode::<TransactionEnvelope>(found.bytes, self.depth).ok()?))
    }
}

impl Held {
    /// The transaction whose result is at a place of a ledger's.
    ///
    /// # Errors
    /// Why there is none.
    pub fn transaction(&self, ledger: LedgerSeq, index: u32) -> Result<TransactionView, LookError> {
        let applied = Applied::of(self, ledger);
        let located = self.header(ledger).ok_or_else(|| self.files.ledger.absent())?;
        match &applied.pairs {
            None if !self.files.results.is_whole() => return Err(self.files.results.absent()),
            Some(Err(why)) => {
                return Err(LookError::Faulty(format!("{}: ledger {ledger}: {why}", self.files.results.path)));
            }
            None | Some(Ok(_)) => {}
        }
        let pairs = applied.pairs();
        let Some((bytes, hash)) = pairs.get(usize_from(index)).copied() else {
            let count = pairs.len();
            let none = format!("ledger {ledger} has no transaction {index}: it has {count}, counted from 0");
            return Err(LookError::NotThere(none));
        };
        let pair = decode::<TransactionResultPair>(bytes, self.budget.xdr_depth).map_err(|error| LookError::Faulty(error.to_string()))?;
        let found = applied.envelope(&hash);
        let envelope = found.as_ref().map(|(_, envelope)| envelope);
        let row = row(usize_from(index), &hash, &pair, envelope);
        let parts = envelope.map(Parts::of);
        let facts = facts(hash, index, pairs.len(), &pair.result);
        let details = parts.as_ref().map(|parts| details(parts, &pair)).unwrap_or_default();
        Ok(TransactionView {
            ledger,
            close_time: close_time(located.header),
            fee_source: parts.as_ref().and_then(|parts| parts.fee_source.as_ref()).map(ToString::to_string),
            max_fee: parts.as_ref().map_or_else(String::new, |parts| parts.fee.to_string()),
            sequence_number: parts.as_ref().map_or_else(String::new, |parts| parts.sequence_number.to_string()),
            memo: parts.as_ref().and_then(|parts| words::memo(parts.memo)),
            memo_kind: parts.as_ref().and_then(|parts| words::memo_kind(parts.memo)),
            signatures: parts.as_ref().map_or(0, |parts| parts.signatures),
            source_muxed: parts.as_ref().and_then(|parts| muxed(&parts.source)),
            fee_source_muxed: parts.as_ref().and_then(|parts| parts.fee_source.as_ref()).and_then(muxed),
            fee_bump: parts.as_ref().and_then(|parts| fee_bump(parts, &pair)),
            preconditions: parts.as_ref().map(|parts| conditions(parts.preconditions.as_ref())).unwrap_or_default(),
            soroban: parts.as_ref().and_then(|parts| parts.soroban).map(resources),
            words: words::transaction(parts.as_ref(), &facts.result_in_words, pair.result.fee_charged),
            envelope: found.as_ref().map(|(raw, _)| Xdr::of::<TransactionEnvelope>(raw.bytes, self.budget.xdr_depth)),
            result_pair: Xdr::of::<TransactionResultPair>(bytes, self.budget.xdr_depth),
            details,
            checks: self.transaction_checks(&located, ledger, &applied, &hash),
            row,
        })
    }

    fn transaction_checks(&self, located: &Located<'_>, ledger: LedgerSeq, applied: &Applied<'_>, hash: &Hash256) -> Vec<Check> {
        let what = "The network's id and the transaction, without its signatures, hash to what the result names.";
        let claims = vec![Claim::new("its result, transactionHash", *hash)];
        let whole_set = self.set_record(ledger).is_some() || self.files.transactions.is_whole();
        let why_no_set = match (&applied.network, &applied.envelopes) {
            (None, _) => Some("the archive does not name its network, whose id is part of the hash".to_owned()),
            (_, Some(Err(why))) => Some(why.clone()),
            _ if !whole_set => Some(self.files.transactions.why_unknown()),
            _ => None,
        };
        let found = applied.by_hash.get(hash).and_then(|index| applied.envelopes().get(*index));
        let transaction_hash = match (found, &applied.network, &why_no_set) {
            (Some(envelope), Some(network), _) => {
                Check::comparing(CheckName::TransactionHash, what, Computed::of_bytes(&envelope.hashed(network)), claims)
            }
            (_, _, Some(why)) => Check::unknown(CheckName::TransactionHash, what, why).claimed(claims),
            _ => Check::plain(CheckName::TransactionHash, what, false).claimed(claims).because("no transaction of the set has that hash"),
        };
        let what = "The result belongs to one transaction of the ledger's set, and no other result does.";
        let result = match why_no_set {
            Some(why) => Check::unknown(CheckName::ResultOfTransaction, what, why),
            None => {
                let transactions = applied.envelopes().iter().filter(|envelope| envelope.hash.as_ref() == Some(hash)).count();
                let results = applied.pairs().iter().filter(|(_, own)| own == hash).count();
                let check = Check::plain(CheckName::ResultOfTransaction, what, (transactions, results) == (1, 1));
                if (transactions, results) == (1, 1) {
                    check
                } else {
                    check.because(format!("the set has the transaction {transactions} times, the results {results} times"))
                }
            }
        };
        vec![transaction_hash, result, self.transaction_set(located, ledger), self.results(located, ledger)]
    }
}

/// What all kinds of envelopes have.
pub(crate) struct Parts<'a> {
    pub(crate) source: MuxedAccount,
    fee_source: Option<MuxedAccount>,
    fee: i64,
    sequence_number: i64,
    memo: &'a Memo,
    pub(crate) operations: &'a [Operation],
    signatures: usize,
    /// Of which those are of the one who pays for a fee bump, and what the transaction within offered.
    outer: Option<(usize, u32)>,
    preconditions: Option<Preconditions>,
    pub(crate) soroban: Option<&'a SorobanTransactionData>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(envelope: &'a TransactionEnvelope) -> Self {
        match envelope {
            TransactionEnvelope::TxV0(own) => Self {
                source: MuxedAccount::Ed25519(own.tx.source_account_ed25519.clone()),
                fee_source: None,
                fee: own.tx.fee.into(),
                sequence_number: own.tx.seq_num.0,
                memo: &own.tx.memo,
                operations: own.tx.operations.as_slice(),
                signatures: own.signatures.len(),
                outer: None,
                preconditions: own.tx.time_bounds.clone().map(Preconditions::Time),
                soroban: None,
            },
            TransactionEnvelope::Tx(own) => Self {
                source: own.tx.source_account.clone(),
                fee_source: None,
                fee: own.tx.fee.into(),
                sequence_number: own.tx.seq_num.0,
                memo: &own.tx.memo,
                operations: own.tx.operations.as_slice(),
                signatures: own.signatures.len(),
                outer: None,
                preconditions: Some(own.tx.cond.clone()),
                soroban: soroban(&own.tx.ext),
            },
            TransactionEnvelope::TxFeeBump(outer) => {
                let FeeBumpTransactionInnerTx::Tx(own) = &outer.tx.inner_tx;
                Self {
                    source: own.tx.source_account.clone(),
                    fee_source: Some(outer.tx.fee_source.clone()),
                    fee: outer.tx.fee,
                    sequence_number: own.tx.seq_num.0,
                    memo: &own.tx.memo,
                    operations: own.tx.operations.as_slice(),
                    signatures: outer.signatures.len().saturating_add(own.signatures.len()),
                    outer: Some((outer.signatures.len(), own.tx.fee)),
                    preconditions: Some(own.tx.cond.clone()),
                    soroban: soroban(&own.tx.ext),
                }
            }
        }
    }
}

fn soroban(ext: &TransactionExt) -> Option<&SorobanTransactionData> {
    match ext {
        TransactionExt::V0 => None,
        TransactionExt::V1(data) => Some(data),
    }
}

fn muxed(account: &MuxedAccount) -> Option<Muxed> {
    match account {
        MuxedAccount::Ed25519(_) => None,
        MuxedAccount::MuxedEd25519(own) => {
            Some(Muxed { account: MuxedAccount::Ed25519(own.ed25519.clone()).to_string(), id: own.id.to_string() })
        }
    }
}

fn fee_bump(parts: &Parts<'_>, pair: &TransactionResultPair) -> Option<FeeBump> {
    let (signatures, inner_max_fee) = parts.outer?;
    let inner = match &pair.result.result {
        TransactionResultResult::TxFeeBumpInnerSuccess(inner) | TransactionResultResult::TxFeeBumpInnerFailed(inner) => Some(inner),
        _ => None,
    };
    Some(FeeBump {
        inner_hash: inner.map(|inner| Hash256::new(inner.transaction_hash.0)),
        inner_max_fee: inner_max_fee.to_string(),
        inner_fee_charged: inner.map(|inner| inner.result.fee_charged.to_string()),
        signatures,
    })
}

fn conditions(of: Option<&Preconditions>) -> Conditions {
    let times = |bounds: &TimeBounds| [bounds.min_time.0.to_string(), bounds.max_time.0.to_string()];
    match of {
        None | Some(Preconditions::None) => Conditions::default(),
        Some(Preconditions::Time(bounds)) => Conditions { time_bounds: Some(times(bounds)), ..Conditions::default() },
        Some(Preconditions::V2(own)) => Conditions {
            time_bounds: own.time_bounds.as_ref().map(times),
            ledger_bounds: own.ledger_bounds.as_ref().map(|bounds| [bounds.min_ledger, bounds.max_ledger]),
            min_sequence: own.min_seq_num.as_ref().map(|number| number.0.to_string()),
            min_sequence_age: (own.min_seq_age.0 != 0).then(|| own.min_seq_age.0.to_string()),
            min_sequence_ledger_gap: (own.min_seq_ledger_gap != 0).then_some(own.min_seq_ledger_gap),
            extra_signers: own.extra_signers.iter().map(ToString::to_string).collect(),
        },
    }
}

fn resources(of: &SorobanTransactionData) -> Resources {
    Resources {
        fee: of.resource_fee.to_string(),
        instructions: of.resources.instructions,
        disk_read_bytes: of.resources.disk_read_bytes,
        write_bytes: of.resources.write_bytes,
        read_only: of.resources.footprint.read_only.len(),
        read_write: of.resources.footprint.read_write.len(),
    }
}

fn row(index: usize, hash: &Hash256, pair: &TransactionResultPair, envelope: Option<&TransactionEnvelope>) -> TransactionRow {
    let parts = envelope.map(Parts::of);
    let operations = parts.as_ref().map_or(&[][..], |parts| parts.operations);
    TransactionRow {
        index,
        hash: *hash,
        source: parts.as_ref().map(|parts| parts.source.to_string()),
        operations: operations.iter().take(MOST_OPERATIONS).map(|operation| words::snake_case(operation.body.name())).collect(),
        fee_charged: pair.result.fee_charged.to_string(),
        successful: is_success(&pair.result.result),
        result: words::snake_case(pair.result.result.name()),
    }
}

fn is_success(result: &TransactionResultResult) -> bool {
    matches!(result, TransactionResultResult::TxSuccess(_) | TransactionResultResult::TxFeeBumpInnerSuccess(_))
}

fn details(parts: &Parts<'_>, pair: &TransactionResultPair) -> Vec<OperationView> {
    let results: &[OperationResult] = match &pair.result.result {
        TransactionResultResult::TxSuccess(results) | TransactionResultResult::TxFailed(results) => results.as_slice(),
        TransactionResultResult::TxFeeBumpInnerSuccess(inner) | TransactionResultResult::TxFeeBumpInnerFailed(inner) => {
            match &inner.result.result {
                InnerTransactionResultResult::TxSuccess(results) | InnerTransactionResultResult::TxFailed(results) => results.as_slice(),
                _ => &[],
            }
        }
        _ => &[],
    };
    let view = |(index, operation): (usize, &Operation)| {
        let result = results.get(index).and_then(to_json);
        OperationView {
            index,
            kind: words::snake_case(operation.body.name()),
            source: operation.source_account.as_ref().filter(|source| **source != parts.source).map(ToString::to_string),
            json: to_json(operation),
            result_words: result.as_deref().and_then(|result| words::operation_result(result.get())),
            result,
            words: operation::asked(&operation.body, parts),
            outcome: results.get(index).and_then(operation::outcome),
        }
    };
    parts.operations.iter().enumerate().map(view).collect()
}
