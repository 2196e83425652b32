//! Transactions in their envelopes, by slicing (rules B.8).
//!
//! A transaction's hash is `sha256(networkId ‖ envelope type ‖ transaction)`, over the very bytes of the file. A v0
//! envelope hashes as a v1 one: its key gets the type it lacks, everything else has the same bytes.

use super::xdr::shape::Shape;
use super::xdr::{Cursor, XdrError, types};
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

/// The same in every kind of envelope.
static SIGNATURES: Shape = Shape::List { max: 20, of: &types::DECORATED_SIGNATURE };

impl<'a> Envelope<'a> {
    /// Reads one `TransactionEnvelope`.
    pub(crate) fn read(cursor: &mut Cursor<'a>, network: Option<&NetworkId>, depth: u32) -> Result<Self, XdrError> {
        let start = cursor.at();
        let kind = cursor.u32()?;
        let body = cursor.at();
        let (type_and_prefix, is_soroban): (&'static [u8], bool) = match kind {
            ENVELOPE_TYPE_TX_V0 => {
                cursor.walk(&types::TRANSACTION_V0, depth)?;
                (&[0, 0, 0, 2, 0, 0, 0, 0], false)
            }
            ENVELOPE_TYPE_TX => (&[0, 0, 0, 2], cursor.walk(&types::TRANSACTION, depth)?),
            ENVELOPE_TYPE_TX_FEE_BUMP => (&[0, 0, 0, 5], cursor.walk(&types::FEE_BUMP_TRANSACTION, depth)?),
            _ => return Err(XdrError::Invalid("a TransactionEnvelope has an unknown type")),
        };
        let transaction = cursor.since(body);
        cursor.walk(&SIGNATURES, depth)?;
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
/// read them. None is decoded: a large set costs no more than its bytes.
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

#[cfg(test)]
mod tests {
    use stellar_xdr::{
        FeeBumpTransaction, FeeBumpTransactionEnvelope, FeeBumpTransactionExt, FeeBumpTransactionInnerTx, HostFunction, InvokeContractArgs,
        InvokeHostFunctionOp, Limits, Memo, MuxedAccount, Operation, OperationBody, Preconditions, ScAddress, ScVal, SequenceNumber,
        Transaction, TransactionEnvelope, TransactionExt, TransactionV1Envelope, Uint256, WriteXdr,
    };

    use super::*;

    const ACCOUNT: MuxedAccount = MuxedAccount::Ed25519(Uint256([7; 32]));

    fn invoking() -> TransactionV1Envelope {
        let arguments = InvokeContractArgs {
            contract_address: ScAddress::Contract(stellar_xdr::ContractId(stellar_xdr::Hash([9; 32]))),
            function_name: stellar_xdr::ScSymbol("set".try_into().unwrap_or_default()),
            args: vec![ScVal::Bool(true)].try_into().unwrap_or_default(),
        };
        let invoke = InvokeHostFunctionOp { host_function: HostFunction::InvokeContract(arguments), auth: Default::default() };
        let operation = Operation { source_account: None, body: OperationBody::InvokeHostFunction(invoke) };
        let tx = Transaction {
            source_account: ACCOUNT,
            fee: 100,
            seq_num: SequenceNumber(1),
            cond: Preconditions::None,
            memo: Memo::None,
            operations: vec![operation].try_into().unwrap_or_default(),
            ext: TransactionExt::V0,
        };
        TransactionV1Envelope { tx, signatures: Default::default() }
    }

    fn fee_bump() -> FeeBumpTransactionEnvelope {
        let inner_tx = FeeBumpTransactionInnerTx::Tx(invoking());
        let tx = FeeBumpTransaction { fee_source: ACCOUNT, fee: 200, inner_tx, ext: FeeBumpTransactionExt::V0 };
        FeeBumpTransactionEnvelope { tx, signatures: Default::default() }
    }

    #[test]
    fn an_envelope_is_sliced_and_hashed_as_the_decoder_encodes_it() -> Result<(), Box<dyn std::error::Error>> {
        let network = crate::archive::network::Network::from_passphrase("any").id();
        for envelope in [TransactionEnvelope::Tx(invoking()), TransactionEnvelope::TxFeeBump(fee_bump())] {
            let bytes = envelope.to_xdr(Limits::none())?;
            let more = [&bytes[..], &[1, 2, 3, 4]].concat();
            let mut cursor = Cursor::new(&more);
            let read = Envelope::read(&mut cursor, Some(&network), 500)?;
            assert_eq!((read.bytes, read.is_soroban, cursor.rest()), (&bytes[..], true, &[1, 2, 3, 4][..]));
            assert_eq!(read.hash.map(|hash| *hash.as_bytes()), Some(envelope.hash(*network.hash().as_bytes())?));
        }
        Ok(())
    }

    #[test]
    fn an_envelope_with_a_bool_of_two_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let bytes = TransactionEnvelope::Tx(invoking()).to_xdr(Limits::none())?;
        // Behind the bool: no authorizations, the extension, no signatures.
        let bool = bytes.len() - 12 - 4;
        for (value, refused) in [(0, false), (1, false), (2, true), (u32::MAX, true)] {
            let mut bytes = bytes.clone();
            bytes.splice(bool..bool + 4, u32::to_be_bytes(value));
            assert_eq!(Envelope::read(&mut Cursor::new(&bytes), None, 500).is_err(), refused, "{value}");
        }
        Ok(())
    }
}
