//! Transactions in their envelopes, by slicing (rules B.8).
//!
//! A transaction's hash is `sha256(networkId ‖ envelope type ‖ transaction)`, over the very bytes of the file. A v0
//! envelope hashes as a v1 one: its key gets the type it lacks, everything else has the same bytes.

use stellar_xdr::{
    DecoratedSignature, FeeBumpTransaction, FeeBumpTransactionInnerTx, OperationBody, Transaction, TransactionExt, TransactionV0, VecM,
};

use super::xdr::{Cursor, XdrError};
use crate::archive::network::NetworkId;
use crate::codec::hash::{Hash256, sha256};

/// What a set needs to know of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// The envelope's bytes.
    pub(crate) bytes: &'a [u8],
    /// Its transaction's hash, where the network is known.
    pub(crate) hash: Option<Hash256>,
    /// Whether it is a smart contract transaction.
    pub(crate) is_soroban: bool,
    /// What stands between the network's id and the transaction where it is hashed.
    type_and_prefix: &'static [u8],
    transaction: &'a [u8],
}

const ENVELOPE_TYPE_TX_V0: u32 = 0;
const ENVELOPE_TYPE_TX: u32 = 2;
const ENVELOPE_TYPE_TX_FEE_BUMP: u32 = 5;

impl<'a> Envelope<'a> {
    /// Reads one `TransactionEnvelope`.
    pub(crate) fn read(cursor: &mut Cursor<'a>, network: Option<&NetworkId>, depth: u32) -> Result<Self, XdrError> {
        let start = cursor.at();
        let kind = cursor.u32()?;
        let body = cursor.at();
        let (type_and_prefix, is_soroban): (&'static [u8], bool) = match kind {
            ENVELOPE_TYPE_TX_V0 => {
                cursor.read::<TransactionV0>(depth)?;
                (&[0, 0, 0, 2, 0, 0, 0, 0], false)
            }
            ENVELOPE_TYPE_TX => (&[0, 0, 0, 2], is_soroban(&cursor.read(depth)?)),
            ENVELOPE_TYPE_TX_FEE_BUMP => {
                let FeeBumpTransactionInnerTx::Tx(inner) = cursor.read::<FeeBumpTransaction>(depth)?.inner_tx;
                (&[0, 0, 0, 5], is_soroban(&inner.tx))
            }
            _ => return Err(XdrError::Invalid("a TransactionEnvelope has an unknown type")),
        };
        let transaction = cursor.since(body);
        cursor.read::<VecM<DecoratedSignature, 20>>(depth)?;
        let hash = network.map(|network| sha256(&[network.hash().as_bytes(), type_and_prefix, transaction]));
        Ok(Self { bytes: cursor.since(start), hash, is_soroban, type_and_prefix, transaction })
    }

    /// The bytes that its transaction's hash is over.
    #[cfg(feature = "explore")]
    pub(crate) fn hashed(&self, network: &NetworkId) -> Vec<u8> {
        [network.hash().as_bytes(), self.type_and_prefix, self.transaction].concat()
    }

    /// What sets are ordered by.
    pub(crate) fn order_hash(&self) -> Hash256 {
        sha256(&[self.bytes])
    }
}

/// The envelopes of a `TransactionSet` or `GeneralizedTransactionSet`, in their order; of their structure only what it takes to
/// read them. One is decoded at a time, so that a large set costs no more than its bytes.
pub(crate) fn envelopes_of_set<'a>(
    set: &'a [u8],
    generalized: bool,
    network: Option<&NetworkId>,
    depth: u32,
) -> Result<Vec<Envelope<'a>>, XdrError> {
    let mut cursor = Cursor::new(set);
    let mut envelopes = Vec::new();
    let mut list = |cursor: &mut Cursor<'a>| {
        for _ in 0..cursor.u32()? {
            envelopes.push(Envelope::read(cursor, network, depth)?);
        }
        Ok(())
    };
    if generalized {
        if cursor.u32()? != 1 {
            return Err(XdrError::Invalid("GeneralizedTransactionSet has an unknown version"));
        }
        cursor.hash()?;
        for _ in 0..cursor.u32()? {
            read_phase(&mut cursor, &mut list)?;
        }
    } else {
        cursor.hash()?;
        list(&mut cursor)?;
    }
    cursor.end()?;
    Ok(envelopes)
}

fn read_phase<'a>(cursor: &mut Cursor<'a>, list: &mut dyn FnMut(&mut Cursor<'a>) -> Result<(), XdrError>) -> Result<(), XdrError> {
    match cursor.u32()? {
        0 => {
            for _ in 0..cursor.u32()? {
                if cursor.u32()? != 0 {
                    return Err(XdrError::Invalid("a TxSetComponent has an unknown type"));
                }
                skip_optional_fee(cursor)?;
                list(cursor)?;
            }
        }
        1 => {
            skip_optional_fee(cursor)?;
            for _ in 0..cursor.u32()? {
                for _ in 0..cursor.u32()? {
                    list(cursor)?;
                }
            }
        }
        _ => return Err(XdrError::Invalid("a TransactionPhase has an unknown version")),
    }
    Ok(())
}

fn skip_optional_fee(cursor: &mut Cursor<'_>) -> Result<(), XdrError> {
    match cursor.u32()? {
        0 => Ok(()),
        1 => cursor.i64().map(drop),
        _ => Err(XdrError::Invalid("an optional field is neither absent nor present")),
    }
}

fn is_soroban(transaction: &Transaction) -> bool {
    matches!(transaction.ext, TransactionExt::V1(_))
        || transaction.operations.iter().any(|operation| {
            matches!(
                operation.body,
                OperationBody::ExtendFootprintTtl(_) | OperationBody::InvokeHostFunction(_) | OperationBody::RestoreFootprint(_)
            )
        })
}
