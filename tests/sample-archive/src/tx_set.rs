//! Transaction sets: legacy below protocol 20, generalized from there on, with a parallel phase from 23 on
//! (rules B.7 T1 to T4, T6, T7), what each transaction is charged, and the order in which a set is applied.

use stellar_xdr::{
    DependentTxCluster, GeneralizedTransactionSet, Hash, ParallelTxExecutionStage, ParallelTxsComponent, TransactionEnvelope,
    TransactionHistoryEntry, TransactionHistoryEntryExt, TransactionPhase, TransactionSet, TransactionSetV1, TxSetComponent,
    TxSetComponentTxsMaybeDiscountedFee,
};

use crate::codec::{hash_of, list, sha256, xdr};
use crate::tx::SignedTx;

/// The first protocol with generalized sets.
pub(crate) const FIRST_GENERALIZED: u32 = 20;
/// The first protocol whose contract phase is parallel (CAP-63).
pub(crate) const FIRST_PARALLEL: u32 = 23;
/// The first protocol that charges what the set needs, not what was offered (CAP-5).
const FIRST_WITH_SURGE_PRICING: u32 = 11;

/// A set as it was agreed on.
#[derive(Debug)]
pub(crate) struct TxSet {
    form: Form,
    hash: Hash,
    /// The transactions in apply order, with what each is charged.
    apply: Vec<(SignedTx, i64)>,
}

#[derive(Debug)]
enum Form {
    Generalized(GeneralizedTransactionSet),
    Legacy(TransactionSet),
}

impl TxSet {
    /// Builds the set on top of a header: its hash goes in, and its version decides the form (T3).
    pub(crate) fn build(version: u32, base_fee: u32, previous: &Hash, mut txs: Vec<SignedTx>) -> Self {
        txs.sort_by(|a, b| a.envelope_hash.cmp(&b.envelope_hash));
        let base_fee = i64::from(base_fee);
        if version < FIRST_GENERALIZED {
            Self::legacy(version, base_fee, previous, txs)
        } else {
            Self::generalized(version, base_fee, previous, txs)
        }
    }

    pub(crate) fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The transactions in apply order, with what each is charged.
    pub(crate) fn apply_order(&self) -> &[(SignedTx, i64)] {
        &self.apply
    }

    /// The record for the transactions file; none if there are no transactions (T4).
    pub(crate) fn history_entry(self, ledger_seq: u32) -> Option<TransactionHistoryEntry> {
        if self.apply.is_empty() {
            return None;
        }
        Some(match self.form {
            Form::Legacy(tx_set) => TransactionHistoryEntry { ledger_seq, tx_set, ext: TransactionHistoryEntryExt::V0 },
            Form::Generalized(set) => {
                let tx_set = TransactionSet { previous_ledger_hash: Hash([0; 32]), txs: list(Vec::new()) };
                TransactionHistoryEntry { ledger_seq, tx_set, ext: TransactionHistoryEntryExt::V1(set) }
            }
        })
    }

    fn legacy(version: u32, base_fee: i64, previous: &Hash, txs: Vec<SignedTx>) -> Self {
        let mut preimage = previous.0.to_vec();
        for tx in &txs {
            preimage.extend(xdr(&tx.envelope));
        }
        // T1: unlike the XDR of the set, the preimage has no count.
        let hash = sha256([&preimage]);
        let set = TransactionSet { previous_ledger_hash: previous.clone(), txs: list(envelopes(&txs)) };
        let fee = |tx: &SignedTx| if version < FIRST_WITH_SURGE_PRICING { tx.bid() } else { discounted(tx, base_fee) };
        let apply = apply_order(&hash, txs, fee);
        Self { form: Form::Legacy(set), hash, apply }
    }

    fn generalized(version: u32, base_fee: i64, previous: &Hash, txs: Vec<SignedTx>) -> Self {
        let (soroban, classic): (Vec<_>, Vec<_>) = txs.into_iter().partition(SignedTx::is_soroban);
        let (full, discount): (Vec<_>, Vec<_>) = classic.iter().cloned().partition(|tx| is_generous(tx, base_fee));
        let first =
            TransactionPhase::V0(list([component(None, &full), component(Some(base_fee), &discount)].into_iter().flatten().collect()));
        let stages = if version < FIRST_PARALLEL { Vec::new() } else { stages(&soroban) };
        let second = if version < FIRST_PARALLEL {
            TransactionPhase::V0(list(component(Some(base_fee), &soroban).into_iter().collect()))
        } else {
            TransactionPhase::V1(ParallelTxsComponent {
                base_fee: (!soroban.is_empty()).then_some(base_fee),
                execution_stages: list(stages.iter().map(|stage| as_stage(stage)).collect()),
            })
        };
        let set =
            GeneralizedTransactionSet::V1(TransactionSetV1 { previous_ledger_hash: previous.clone(), phases: list(vec![first, second]) });
        let hash = hash_of(&set);

        let fee = |tx: &SignedTx| {
            let inclusion = if is_generous(tx, base_fee) { tx.bid() } else { discounted(tx, base_fee) };
            tx.resource_fee() + inclusion
        };
        let mut apply = apply_order(&hash, classic, fee);
        let stages = if version < FIRST_PARALLEL { vec![soroban] } else { stages };
        apply.extend(stages.into_iter().flat_map(|stage| apply_order(&hash, stage, fee)));
        Self { form: Form::Generalized(set), hash, apply }
    }
}

/// A component with its transactions in hash order, or nothing: empty components are not allowed (T6).
fn component(base_fee: Option<i64>, txs: &[SignedTx]) -> Option<TxSetComponent> {
    let part = TxSetComponentTxsMaybeDiscountedFee { base_fee, txs: list(envelopes(txs)) };
    (!txs.is_empty()).then_some(TxSetComponent::TxsetCompTxsMaybeDiscountedFee(part))
}

/// Spreads transactions, which come in hash order, over at most two stages. Filling them in that order keeps the
/// stages, and the clusters in each, in canonical order.
fn stages(txs: &[SignedTx]) -> Vec<Vec<SignedTx>> {
    txs.chunks(txs.len().div_ceil(2).max(2)).map(<[_]>::to_vec).collect()
}

/// A stage with one cluster a transaction: no two transactions of a ledger touch the same contract entry here.
fn as_stage(txs: &[SignedTx]) -> ParallelTxExecutionStage {
    ParallelTxExecutionStage(list(txs.iter().map(|tx| DependentTxCluster(list(vec![tx.envelope.clone()]))).collect()))
}

fn envelopes(txs: &[SignedTx]) -> Vec<TransactionEnvelope> {
    txs.iter().map(|tx| tx.envelope.clone()).collect()
}

/// Whoever offers more than four times what is needed goes into a component without discount, so that sets with both
/// kinds of components exist. Contracts never offer that much here, as their phase has only one kind.
fn is_generous(tx: &SignedTx, base_fee: i64) -> bool {
    tx.bid() > 4 * base_fee * tx.operations()
}

fn discounted(tx: &SignedTx, base_fee: i64) -> i64 {
    tx.bid().min(base_fee * tx.operations())
}

/// The order of application, with fees: by envelope hash combined with the set's hash, so that nobody can choose their
/// place.
fn apply_order(set: &Hash, txs: Vec<SignedTx>, fee: impl Fn(&SignedTx) -> i64) -> Vec<(SignedTx, i64)> {
    let mut txs: Vec<_> = txs
        .into_iter()
        .map(|tx| {
            let fee = fee(&tx);
            (tx, fee)
        })
        .collect();
    txs.sort_by_key(|(tx, _)| {
        let mut place = tx.envelope_hash.0;
        place.iter_mut().zip(set.0).for_each(|(byte, mask)| *byte ^= mask);
        place
    });
    txs
}
