//! That a transaction is in a ledger, with a result, once the ledger's header is known (rules B.7, B.8).

use serde::Serialize;
use stellar_xdr::{InnerTransactionResultResult, TransactionResult, TransactionResultPair, TransactionResultResult};

use super::Steps;
use super::read::{Fault, XDR_DEPTH, base64, hex, not_xdr, same, xdr};
use super::seal::{Set, check_format};
use super::wire;
use crate::archive::network::NetworkId;
use crate::codec::hash::{Hash256, sha256};
use crate::codec::usize_from;
use crate::verify::header::Header;
use crate::verify::xdr::{Cursor, XdrError};

/// The transaction that a proof is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionFacts {
    /// Its hash.
    pub hash: Hash256,
    /// Its place in the order in which the ledger applied its transactions, from 0.
    pub index: u32,
    /// How many transactions the ledger has.
    pub of: usize,
    /// Whether its operations took effect.
    pub successful: bool,
    /// The `TransactionResultCode`, as `TxSuccess`.
    pub result: &'static str,
    /// The result in words.
    pub result_in_words: String,
    /// Stroops, decimal.
    pub fee_charged: String,
}

pub(super) fn check(
    steps: &mut Steps,
    proof: &wire::TransactionProof,
    header: &Header,
    network: &NetworkId,
) -> Result<TransactionFacts, Fault> {
    let set = Set::read("transactionSet", &proof.transaction_set)?;
    same("transactionSet", "it does not hash to what headers[0] names", &header.tx_set_hash, &set.hash)?;
    same("transactionSet", "it was built on another ledger than headers[0]", &header.previous_hash, &set.previous_hash)?;
    if let Some(version) = header.previous_version_if_not_upgraded() {
        check_format("transactionSet", set.legacy, version)?;
    }
    steps.holds("transactionSet", format!("it hashes to the txSetHash of headers[0], {}", set.hash));

    let bytes = base64("transaction", &proof.transaction)?;
    let envelopes = set.envelopes("transactionSet", Some(network))?;
    let Some(envelope) = envelopes.iter().find(|envelope| envelope.bytes == bytes) else {
        return Err(Fault::new("transaction", "transactionSet has no such transaction"));
    };
    let hash = envelope.hash.unwrap_or_default();
    same("transactionHash", "transaction has another hash in this network", &hash, &hex("transactionHash", &proof.transaction_hash)?)?;
    steps.holds("transaction", format!("transactionSet has it, and its hash in this network is {hash}"));

    let bytes = base64("resultSet", &proof.result_set)?;
    same("resultSet", "it does not hash to what headers[0] names", &header.result_hash, &sha256(&[&bytes]))?;
    let pairs = result_pairs(&bytes).map_err(|error| not_xdr("resultSet", "TransactionResultSet", &error))?;
    steps.holds("resultSet", format!("it hashes to the txSetResultHash of headers[0], {}", header.result_hash));

    let Some((own, of)) = pairs.get(usize_from(proof.index)) else {
        let fault = Fault::new("index", "resultSet has fewer results");
        return Err(fault.comparing(format!("below {}", pairs.len()), proof.index));
    };
    same("index", "the result at that place of resultSet is of another transaction", &hash, of)?;
    if base64("result", &proof.result)? != *own {
        return Err(Fault::new("result", format!("it is not the one at place {} of resultSet", proof.index)));
    }
    steps.holds("result", format!("it is the one at place {} of resultSet, and names the transaction", proof.index));
    let pair: TransactionResultPair = xdr("result", "TransactionResultPair", own)?;
    Ok(facts(hash, proof.index, pairs.len(), &pair.result))
}

/// The results of a `TransactionResultSet`: the bytes of each, and whose it is. One is decoded at a time.
pub(crate) fn result_pairs(bytes: &[u8]) -> Result<Vec<(&[u8], Hash256)>, XdrError> {
    let mut cursor = Cursor::new(bytes);
    // The count is a claim: the list grows with what is really there.
    let mut pairs = Vec::new();
    for _ in 0..cursor.u32()? {
        let start = cursor.at();
        let pair: TransactionResultPair = cursor.read(XDR_DEPTH)?;
        pairs.push((cursor.since(start), Hash256::new(pair.transaction_hash.0)));
    }
    cursor.end()?;
    Ok(pairs)
}

pub(crate) fn facts(hash: Hash256, index: u32, of: usize, result: &TransactionResult) -> TransactionFacts {
    let failed = |operations: usize| format!("it failed: not all of its {operations} operations succeeded, so none took effect");
    let (successful, result_in_words) = match &result.result {
        TransactionResultResult::TxSuccess(_) => (true, "it succeeded".to_owned()),
        TransactionResultResult::TxFeeBumpInnerSuccess(_) => (true, "it succeeded, its fee paid by another account".to_owned()),
        TransactionResultResult::TxFailed(operations) => (false, failed(operations.len())),
        TransactionResultResult::TxFeeBumpInnerFailed(inner) => match &inner.result.result {
            InnerTransactionResultResult::TxFailed(operations) => (false, failed(operations.len())),
            inner => (false, format!("it failed with {} and none of its operations took effect", inner.name())),
        },
        other => (false, format!("it failed with {} and none of its operations took effect", other.name())),
    };
    let fee_charged = result.fee_charged.to_string();
    TransactionFacts { hash, index, of, successful, result: result.result.name(), result_in_words, fee_charged }
}
