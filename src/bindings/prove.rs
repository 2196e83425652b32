//! What somebody is told beyond a verdict: proofs, provenance, comparisons, trusted checkpoint hashes; the calls and their options.

use js_sys::Function;
use stellar_xdr::LedgerKey;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::options::{integer, range, reading, refuse_strangers, refuse_unknown, text, trust};
use super::{borrowed, missing, readers, to_js, usage, with_code};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::Network;
use crate::driver::compare::CompareRange;
use crate::driver::prove::{MAX_BUCKET_BYTES, ProveError, WantedTransaction, parse_ledger_key};
use crate::driver::provenance::ProvenanceError;
use crate::driver::recent_quorum_sets::{DEFAULT_LAST, RecentQuorumSetsError, RecentRange};
use crate::driver::verify_checkpoints::{VerifyCheckpointsError, VerifyCheckpointsRequest};
use crate::driver::web::WebHost;
use crate::driver::{self, ReadOptions, Trust};
use crate::trust::checkpoint_hashes::CheckpointHashes;

/// Who made one ledger: its proposer, what each validator said, and whether those whom the user believes agreed.
///
/// # Errors
/// As [`super::download_checkpoint`].
#[wasm_bindgen(js_name = ledgerProvenance)]
pub async fn ledger_provenance(source: JsValue, ledger: u32, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, trust) = provenance_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let made = driver::provenance::ledger_provenance(borrowed(&readers), &host, &options, LedgerSeq::new(ledger), &trust).await;
    to_js(&made.map_err(|error| match error {
        ProvenanceError::Usage(error) => usage(&error.to_string()),
        ProvenanceError::Missing(error) => missing(error, &signal),
    })?)
}

/// Compares archives with each other. Resolves with the comparison, also after `signal` aborted.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`.
#[wasm_bindgen(js_name = compareArchives)]
pub async fn compare_archives(
    sources: JsValue,
    options: JsValue,
    on_event: Option<Function>,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let (options, range, trust) = compare_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let mut emit = |event: driver::compare::CompareEvent| {
        if let Some(on_event) = &on_event {
            drop(to_js(&event).and_then(|event| on_event.call1(&JsValue::NULL, &event)));
        }
    };
    let comparison = driver::compare::compare_archives(borrowed(&readers), &host, &options, range, &trust, &mut emit).await;
    to_js(&comparison.map_err(|error| usage(&error.to_string()))?)
}

/// Verifies the hashes of checkpoints from a trusted end down; resolves with them, their file's text in `json`.
///
/// # Errors
/// `FAULTY` with the fault, `UNANCHORED` if nothing vouches for the end, the code of what kept a file from being read,
/// `ABORTED`, `USAGE`.
#[wasm_bindgen(js_name = verifyCheckpoints)]
pub async fn verify_checkpoints(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, request) = checkpoints_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let verified = driver::verify_checkpoints::verify_checkpoints(borrowed(&readers), &host, &options, request, &mut |_| {}).await;
    to_js(&verified.map_err(|error| match &error {
        VerifyCheckpointsError::Usage(why) => usage(&why.to_string()),
        VerifyCheckpointsError::Unanchored(_, finding) => {
            let advice = finding.as_ref().map(|finding| finding.message.as_str());
            with_code(&error.to_string(), "UNANCHORED", advice)
        }
        VerifyCheckpointsError::Faulty(finding, _) => with_code(&error.to_string(), "FAULTY", Some(&finding.advice)),
        VerifyCheckpointsError::Unreadable(read) => with_code(&error.to_string(), &read.code, Some(&read.advice)),
        VerifyCheckpointsError::Cancelled => with_code(&error.to_string(), "ABORTED", None),
    })?)
}

/// Looks who went by which quorum set in the last checkpoints.
///
/// # Errors
/// `FAULTY` if no archive says how far it is, the code of what kept its newest state from being read, `ABORTED`, `USAGE`.
#[wasm_bindgen(js_name = recentQuorumSets)]
pub async fn recent_quorum_sets(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, range) = quorum_sets_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let found = driver::recent_quorum_sets::recent_quorum_sets(borrowed(&readers), &host, &options, range, &mut |_, _| {}).await;
    to_js(&found.map_err(|error| match &error {
        RecentQuorumSetsError::Usage(why) => usage(&why.to_string()),
        RecentQuorumSetsError::NoTip => with_code(&error.to_string(), "FAULTY", None),
        RecentQuorumSetsError::Unreadable(read) => with_code(&error.to_string(), &read.code, Some(&read.advice)),
        RecentQuorumSetsError::Cancelled => with_code(&error.to_string(), "ABORTED", None),
    })?)
}

/// Makes a proof of a transaction; resolves with its JSON text.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`, `ABORTED`; `NOT_FOUND` where the range has no such transaction; `FAULTY` or the code of what kept a
/// file from being read.
#[wasm_bindgen(js_name = proveTransaction)]
pub async fn prove_transaction(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<String, JsValue> {
    let (options, trust, wanted) = prove_transaction_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let proof = driver::prove::prove_transaction(borrowed(&readers), &host, &options, &trust, wanted, &mut |_| {}).await;
    proof.map_err(|error| prove_error(error, &signal))
}

/// Makes a proof of a ledger entry; resolves with its JSON text.
///
/// # Errors
/// As [`prove_transaction`].
#[wasm_bindgen(js_name = proveEntry)]
pub async fn prove_entry(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<String, JsValue> {
    let EntryWanted { read, trust, key, checkpoint, max_bucket_bytes } = prove_entry_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let proof = driver::prove::prove_entry(borrowed(&readers), &host, &read, &trust, &key, checkpoint, max_bucket_bytes).await;
    proof.map_err(|error| prove_error(error, &signal))
}

/// Checks a proof, without any network. What is wrong with the proof is in the report.
///
/// # Errors
/// `USAGE` for options that make no sense.
#[wasm_bindgen(js_name = verifyProof)]
pub fn verify_proof(text: &str, options: JsValue) -> Result<JsValue, JsValue> {
    let (network, trust) = verify_proof_options(&options)?;
    to_js(&crate::trust::proof::verify_proof(text, network.as_ref(), &trust))
}

fn prove_error(error: ProveError, signal: &AbortSignal) -> JsValue {
    match error {
        ProveError::Read(error) => missing(error, signal),
        other => with_code(&other.to_string(), other.code(), None),
    }
}

/// For [`ledger_provenance`].
fn provenance_options(object: &JsValue) -> Result<(ReadOptions, Trust), JsValue> {
    refuse_strangers(object, &["trust"])?;
    Ok((reading(object)?, trust(object)?))
}

/// For [`verify_checkpoints`]: what is trusted, and where to stop.
fn checkpoints_options(object: &JsValue) -> Result<(ReadOptions, VerifyCheckpointsRequest), JsValue> {
    refuse_strangers(object, &["fromLedger", "historyHash", "historyLedger", "trust", "trustedHashes"])?;
    let hash = text(object, "historyHash")?.map(|hash| hash.parse().map_err(|_| usage("historyHash must be 64 hexadecimal digits")));
    let history = match (integer(object, "historyLedger")?, hash.transpose()?) {
        (Some(ledger), Some(hash)) => Some((LedgerSeq::new(ledger), hash)),
        (None, None) => None,
        _ => return Err(usage("historyLedger and historyHash belong together: a ledger and its hash")),
    };
    let earlier = text(object, "trustedHashes")?.map(|json| CheckpointHashes::parse(&json));
    let earlier = earlier.transpose().map_err(|error| usage(&format!("trustedHashes: {error}")))?;
    let from = integer(object, "fromLedger")?.map(LedgerSeq::new);
    Ok((reading(object)?, VerifyCheckpointsRequest { history, earlier, from, trust: trust(object)? }))
}

/// For [`recent_quorum_sets`]: which checkpoints.
fn quorum_sets_options(object: &JsValue) -> Result<(ReadOptions, RecentRange), JsValue> {
    refuse_strangers(object, &["high", "last"])?;
    let last = integer(object, "last")?.unwrap_or(DEFAULT_LAST);
    Ok((reading(object)?, RecentRange { last, high: integer(object, "high")?.map(LedgerSeq::new) }))
}

/// For [`compare_archives`]: which ledgers, and whom the user believes.
fn compare_options(object: &JsValue) -> Result<(ReadOptions, CompareRange, Trust), JsValue> {
    refuse_strangers(object, &["last", "range", "trust"])?;
    let (low, high) = range(object)?;
    Ok((reading(object)?, CompareRange { low, high, last: integer(object, "last")? }, trust(object)?))
}

/// For [`prove_transaction`].
fn prove_transaction_options(object: &JsValue) -> Result<(ReadOptions, Trust, WantedTransaction), JsValue> {
    refuse_strangers(object, &["hash", "index", "ledger", "range", "trust"])?;
    let (low, high) = range(object)?;
    let wanted = match (text(object, "hash")?, integer(object, "ledger")?, integer(object, "index")?) {
        (Some(hash), None, None) => {
            let hash = hash.parse().map_err(|_| usage("hash must be 64 hexadecimal digits"))?;
            WantedTransaction::ByHash { hash, low, high }
        }
        (None, Some(ledger), Some(index)) => WantedTransaction::ByPlace { ledger: LedgerSeq::new(ledger), index },
        _ => return Err(usage("either hash is given, or ledger and index: which transaction is to be proven?")),
    };
    Ok((reading(object)?, trust(object)?, wanted))
}

/// For [`prove_entry`].
struct EntryWanted {
    read: ReadOptions,
    trust: Trust,
    key: LedgerKey,
    checkpoint: LedgerSeq,
    max_bucket_bytes: u64,
}

/// For [`prove_entry`].
fn prove_entry_options(object: &JsValue) -> Result<EntryWanted, JsValue> {
    refuse_strangers(object, &["checkpoint", "key", "maxBucketBytes", "trust"])?;
    let key = text(object, "key")?.ok_or_else(|| usage("key must be given: which entry is to be proven?"))?;
    let checkpoint = integer(object, "checkpoint")?.ok_or_else(|| usage("checkpoint must be given: the last ledger of one"))?;
    Ok(EntryWanted {
        read: reading(object)?,
        trust: trust(object)?,
        key: parse_ledger_key(&key).map_err(|error| usage(&error.to_string()))?,
        checkpoint: LedgerSeq::new(checkpoint),
        max_bucket_bytes: integer(object, "maxBucketBytes")?.map_or(MAX_BUCKET_BYTES, u64::from),
    })
}

/// For [`verify_proof`]: the reader's network and trust.
fn verify_proof_options(object: &JsValue) -> Result<(Option<Network>, Trust), JsValue> {
    refuse_unknown(object, &["network", "trust"])?;
    Ok((text(object, "network")?.map(|network| Network::from_name_or_passphrase(&network)), trust(object)?))
}
