//! Transactions: built, hashed and really signed (rule B.8 for the hashes).

use ed25519_dalek::{Signer, SigningKey};
use stellar_xdr::{
    AccountId, DecoratedSignature, FeeBumpTransaction, FeeBumpTransactionEnvelope, FeeBumpTransactionExt, FeeBumpTransactionInnerTx, Hash,
    Memo, MuxedAccount, Operation, OperationBody, Preconditions, SequenceNumber, Signature, SignatureHint, TimeBounds, TimePoint,
    Transaction, TransactionEnvelope, TransactionExt, TransactionSignaturePayload, TransactionSignaturePayloadTaggedTransaction,
    TransactionV0, TransactionV0Envelope, TransactionV0Ext, TransactionV1Envelope, VecM,
};

use crate::codec::{bytes, hash_of, list};
use crate::network::{Network, account_id, key_bytes};

/// A signed transaction with what closing a ledger needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct SignedTx {
    pub(crate) envelope: TransactionEnvelope,
    /// The hash that results name, over network id, type and transaction.
    pub(crate) hash: Hash,
    /// The hash that orders a transaction set, over the whole envelope.
    pub(crate) envelope_hash: Hash,
    /// The transaction, or the inner one of a fee bump.
    pub(crate) tx: Transaction,
    pub(crate) bump: Option<Bump>,
}

/// What a fee bump adds to its inner transaction.
#[derive(Clone, Debug)]
pub(crate) struct Bump {
    pub(crate) fee_source: AccountId,
    pub(crate) fee: i64,
    pub(crate) inner_hash: Hash,
}

/// The first protocol with the envelope union and fee bumps (CAP-15).
pub(crate) const FIRST_WITH_FEE_BUMP: u32 = 13;

impl SignedTx {
    /// Signs a transaction of `source` for the protocol version it will be applied under.
    pub(crate) fn sign(network: &Network, version: u32, source: &SigningKey, fee: u32, seq_num: i64, body: Body) -> Self {
        let operations = body.operations.into_iter().map(|body| Operation { source_account: None, body }).collect();
        let tx = Transaction {
            source_account: MuxedAccount::Ed25519(key_bytes(&account_id(source))),
            fee,
            seq_num: SequenceNumber(seq_num),
            cond: body.time_bounds.clone().map_or(Preconditions::None, Preconditions::Time),
            memo: body.memo,
            operations: list(operations),
            ext: body.ext,
        };
        let hash = payload_hash(network, TransactionSignaturePayloadTaggedTransaction::Tx(tx.clone()));
        let signatures = signatures(source, &hash);
        let envelope = if version < FIRST_WITH_FEE_BUMP {
            TransactionEnvelope::TxV0(TransactionV0Envelope { tx: as_v0(source, &tx, body.time_bounds), signatures })
        } else {
            TransactionEnvelope::Tx(TransactionV1Envelope { tx: tx.clone(), signatures })
        };
        Self { envelope_hash: hash_of(&envelope), envelope, hash, tx, bump: None }
    }

    /// Wraps a transaction so that `payer` pays `fee` for it. Old envelopes cannot be wrapped and stay as they are.
    pub(crate) fn bumped(self, network: &Network, payer: &SigningKey, fee: i64) -> Self {
        let TransactionEnvelope::Tx(inner) = self.envelope.clone() else {
            return self;
        };
        let outer = FeeBumpTransaction {
            fee_source: MuxedAccount::Ed25519(key_bytes(&account_id(payer))),
            fee,
            inner_tx: FeeBumpTransactionInnerTx::Tx(inner),
            ext: FeeBumpTransactionExt::V0,
        };
        let hash = payload_hash(network, TransactionSignaturePayloadTaggedTransaction::TxFeeBump(outer.clone()));
        let signatures = signatures(payer, &hash);
        let envelope = TransactionEnvelope::TxFeeBump(FeeBumpTransactionEnvelope { tx: outer, signatures });
        Self {
            envelope_hash: hash_of(&envelope),
            envelope,
            bump: Some(Bump { fee_source: account_id(payer), fee, inner_hash: self.hash }),
            hash,
            tx: self.tx,
        }
    }

    /// The account whose sequence number is used.
    pub(crate) fn source(&self) -> AccountId {
        account_of(&self.tx.source_account)
    }

    /// The account that pays.
    pub(crate) fn fee_source(&self) -> AccountId {
        self.bump.as_ref().map_or_else(|| self.source(), |bump| bump.fee_source.clone())
    }

    /// Whether it belongs into the second phase of a generalized set.
    pub(crate) fn is_soroban(&self) -> bool {
        matches!(self.tx.ext, TransactionExt::V1(_))
    }

    /// What is offered for inclusion: the fee without the part that pays for a contract's resources.
    pub(crate) fn bid(&self) -> i64 {
        let fee = self.bump.as_ref().map_or(i64::from(self.tx.fee), |bump| bump.fee);
        fee - self.resource_fee()
    }

    pub(crate) fn resource_fee(&self) -> i64 {
        match &self.tx.ext {
            TransactionExt::V0 => 0,
            TransactionExt::V1(data) => data.resource_fee,
        }
    }

    /// How many operations are paid for. A fee bump pays for one more.
    pub(crate) fn operations(&self) -> i64 {
        let operations = i64::try_from(self.tx.operations.len()).expect("invariant: at most 100 operations");
        operations + i64::from(self.bump.is_some())
    }
}

/// What a transaction does, apart from who pays and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) operations: Vec<OperationBody>,
    pub(crate) memo: Memo,
    pub(crate) time_bounds: Option<TimeBounds>,
    pub(crate) ext: TransactionExt,
}

impl Body {
    /// A transaction without contracts.
    pub(crate) fn classic(operations: Vec<OperationBody>) -> Self {
        Self { operations, memo: Memo::None, time_bounds: None, ext: TransactionExt::V0 }
    }

    /// Valid until a time.
    pub(crate) fn until(mut self, time: u64) -> Self {
        self.time_bounds = Some(TimeBounds { min_time: TimePoint(0), max_time: TimePoint(time) });
        self
    }
}

/// The account behind an address. No multiplexed addresses are made here, but they would mean the same.
pub(crate) fn account_of(address: &MuxedAccount) -> AccountId {
    let key = match address {
        MuxedAccount::Ed25519(key) => key,
        MuxedAccount::MuxedEd25519(muxed) => &muxed.ed25519,
    };
    AccountId(stellar_xdr::PublicKey::PublicKeyTypeEd25519(key.clone()))
}

fn payload_hash(network: &Network, tagged_transaction: TransactionSignaturePayloadTaggedTransaction) -> Hash {
    hash_of(&TransactionSignaturePayload { network_id: network.id.clone(), tagged_transaction })
}

fn signatures(key: &SigningKey, hash: &Hash) -> VecM<DecoratedSignature, 20> {
    let public = key.verifying_key().to_bytes();
    let [.., a, b, c, d] = public;
    list(vec![DecoratedSignature { hint: SignatureHint([a, b, c, d]), signature: sign(key, &hash.0) }])
}

/// An Ed25519 signature.
pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    Signature(bytes(&key.sign(message).to_bytes()))
}

fn as_v0(source: &SigningKey, tx: &Transaction, time_bounds: Option<TimeBounds>) -> TransactionV0 {
    TransactionV0 {
        source_account_ed25519: key_bytes(&account_id(source)),
        fee: tx.fee,
        seq_num: tx.seq_num.clone(),
        time_bounds,
        memo: tx.memo.clone(),
        operations: tx.operations.clone(),
        ext: TransactionV0Ext::V0,
    }
}
