//! The options of every call, read by hand, so that a mistake is named with its field and in JavaScript's words.

use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::usage;
use crate::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use crate::archive::network::Network;
use crate::driver::log::LogRange;
use crate::driver::{ReadOptions, RunOptions, Timeouts, Trust};
use crate::historywork::EDGE_CONCURRENCY;
use crate::historywork::check_single_ledger_header_work::KnownHeader;
use crate::historywork::plan::Order;
use crate::transport::web::is_workerd;
use crate::trust::checkpoint_hashes::{CheckpointHashes, trusted_pair};
use crate::trust::preset::Believed;

const READ: [&str; 5] = ["checkpointFrequency", "concurrency", "maxRetries", "network", "timeoutMs"];
const RANGE: [&str; 2] = ["high", "low"];

/// For [`super::verify`].
pub(super) fn run_options(object: &JsValue) -> Result<RunOptions, JsValue> {
    refuse_strangers(
        object,
        &["deep", "last", "order", "range", "resume", "sample", "saveState", "seed", "skipBuckets", "skipOptional", "threads", "trust"],
    )?;
    let (low, high) = range(object)?;
    let read = reading(object)?;
    let mut options = RunOptions::default();
    (options.network, options.concurrency, options.retry) = (read.network, read.concurrency, read.retry);
    (options.timeouts, options.frequency) = (read.timeouts, read.frequency);
    (options.low, options.high, options.order) = (low, high, order(object)?.unwrap_or_default());
    (options.last, options.sample) = (integer(object, "last")?, integer(object, "sample")?);
    options.seed = text(object, "seed")?.map(|seed| seed.parse().map_err(|why| usage(&format!("seed: {why}")))).transpose()?;
    (options.deep, options.skip_optional, options.skip_buckets) =
        (boolean(object, "deep")?, boolean(object, "skipOptional")?, boolean(object, "skipBuckets")?);
    options.trust = trust(object)?;
    (options.save_state, options.resume) = (boolean(object, "saveState")?, text(object, "resume")?);
    // The package says with how many others this instance shares the run, or will.
    let threads = integer(object, "threads")?.unwrap_or(1);
    options.concurrency = options.concurrency.shared_by(crate::codec::usize_from(threads));
    Ok(options)
}

/// For [`super::archive_status`].
pub(super) fn read_options(object: &JsValue) -> Result<ReadOptions, JsValue> {
    refuse_strangers(object, &[])?;
    reading(object)
}

/// For [`super::download_checkpoint`]: whether buckets are wanted, too.
pub(super) fn download_options(object: &JsValue) -> Result<(ReadOptions, bool), JsValue> {
    refuse_strangers(object, &["buckets"])?;
    Ok((reading(object)?, boolean(object, "buckets")?))
}

/// For [`super::check_header`]: the ledger and what is known of its header.
pub(super) fn header_options(object: &JsValue) -> Result<(ReadOptions, LedgerSeq, KnownHeader), JsValue> {
    refuse_strangers(object, &["entry", "hash", "ledger"])?;
    let ledger = integer(object, "ledger")?.ok_or_else(|| usage("ledger must be given: which header is to be compared?"))?;
    let entry = match field(object, "entry") {
        None => None,
        Some(entry) => {
            let bytes =
                entry.dyn_into::<Uint8Array>().map_err(|_| usage("entry must be a Uint8Array: the XDR of a LedgerHeaderHistoryEntry"))?;
            Some(bytes.to_vec())
        }
    };
    let known = match (entry, text(object, "hash")?) {
        (Some(_), Some(_)) => return Err(usage("either hash or entry is given, not both: an entry has its hash")),
        (Some(entry), None) => KnownHeader::Entry(entry),
        (None, Some(hash)) => KnownHeader::Hash(hash.parse().map_err(|_| usage("hash must be 64 hexadecimal digits"))?),
        (None, None) => KnownHeader::Nothing,
    };
    Ok((reading(object)?, LedgerSeq::new(ledger), known))
}

/// For [`super::checkpoint_log`]: which checkpoints.
pub(super) fn log_options(object: &JsValue) -> Result<(ReadOptions, LogRange), JsValue> {
    refuse_strangers(object, &["last", "order", "range"])?;
    let (low, high) = range(object)?;
    let last = integer(object, "last")?;
    if last.is_some() && low.is_some() {
        return Err(usage("either range.low or last is given, not both"));
    }
    Ok((reading(object)?, LogRange { low, high, last, order: order(object)?.unwrap_or(Order::NewestFirst) }))
}

/// Whose word counts: `{ quorumSet?, hashes?, checkpointHashes?, allSignatures? }`.
pub(super) fn trust(object: &JsValue) -> Result<Trust, JsValue> {
    let Some(object) = field(object, "trust") else { return Ok(Trust::default()) };
    if !object.is_object() {
        return Err(usage("trust must be an object"));
    }
    refuse_unknown(&object, &["allSignatures", "checkpointHashes", "hashes", "quorumSet"])?;
    let set = field(&object, "quorumSet");
    let nobody = set.as_ref().and_then(JsValue::as_string).is_some_and(|name| name == "none");
    let believed = match set {
        None => None,
        Some(_) if nobody => None,
        Some(set) => {
            let text = set.as_string().map_or_else(|| JSON::stringify(&set).map(String::from), Ok)?;
            Some(Believed::from_name_or_json(&text).map_err(|error| usage(&format!("trust.quorumSet: {error}")))?)
        }
    };
    let mut hashes = match text(&object, "checkpointHashes")? {
        None => CheckpointHashes::default(),
        Some(file) => CheckpointHashes::parse(&file).map_err(|error| usage(&format!("trust.checkpointHashes: {error}")))?,
    };
    for pair in field(&object, "hashes").map_or_else(Array::new, |pairs| Array::from(&pairs)) {
        let pair = pair.as_string().ok_or_else(|| usage("trust.hashes must be an array of \"LEDGER:HASH\""))?;
        let (ledger, hash) = trusted_pair(&pair).map_err(|error| usage(&format!("trust.hashes: {error}")))?;
        if !hashes.add(ledger, hash) {
            return Err(usage(&format!("two hashes are trusted for ledger {ledger}")));
        }
    }
    Ok(Trust { believed, nobody, hashes, all_signatures: boolean(&object, "allSignatures")? })
}

/// The options that all have in common.
pub(super) fn reading(object: &JsValue) -> Result<ReadOptions, JsValue> {
    let mut options = ReadOptions::default();
    if is_workerd() {
        options.concurrency = EDGE_CONCURRENCY.into();
    }
    options.network = text(object, "network")?.map(|network| Network::from_name_or_passphrase(&network));
    match integer(object, "concurrency")? {
        Some(files @ 1..=256) => options.concurrency = crate::codec::usize_from(files).into(),
        Some(_) => return Err(usage("concurrency must be from 1 to 256")),
        None => {}
    }
    options.retry.max_retries = integer(object, "maxRetries")?.unwrap_or(options.retry.max_retries);
    match integer(object, "timeoutMs")? {
        Some(0) => return Err(usage("timeoutMs must be at least 1")),
        Some(ms) => options.timeouts = Timeouts { idle_ms: u64::from(ms) },
        None => {}
    }
    if let Some(ledgers) = integer(object, "checkpointFrequency")? {
        let frequency = CheckpointFrequency::from_ledgers(ledgers);
        options.frequency = frequency.ok_or_else(|| usage("checkpointFrequency must be 64, or 8 for accelerated networks"))?;
    }
    Ok(options)
}

pub(super) fn range(object: &JsValue) -> Result<(Option<LedgerSeq>, Option<LedgerSeq>), JsValue> {
    let range = field(object, "range").unwrap_or(JsValue::UNDEFINED);
    refuse_unknown(&range, &RANGE)?;
    Ok((integer(&range, "low")?.map(LedgerSeq::new), integer(&range, "high")?.map(LedgerSeq::new)))
}

fn order(object: &JsValue) -> Result<Option<Order>, JsValue> {
    match text(object, "order")?.as_deref() {
        None => Ok(None),
        Some("oldest-first") => Ok(Some(Order::OldestFirst)),
        Some("newest-first") => Ok(Some(Order::NewestFirst)),
        Some(_) => Err(usage("order must be oldest-first or newest-first")),
    }
}

pub(super) fn text(object: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    field(object, name).map(|value| value.as_string().ok_or_else(|| usage(&format!("{name} must be a string")))).transpose()
}

fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

pub(super) fn boolean(object: &JsValue, name: &str) -> Result<bool, JsValue> {
    field(object, name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| usage(&format!("{name} must be true or false"))))
}

#[allow(clippy::as_conversions)] // checked to be a whole number in range
pub(super) fn integer(object: &JsValue, name: &str) -> Result<Option<u32>, JsValue> {
    let Some(value) = field(object, name) else { return Ok(None) };
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number));
    number.map(|number| Some(number as u32)).ok_or_else(|| usage(&format!("{name} must be a whole number from 0 to {}", u32::MAX)))
}

pub(super) fn refuse_strangers(value: &JsValue, own: &[&str]) -> Result<(), JsValue> {
    let mut known = [own, &READ].concat();
    known.sort_unstable();
    refuse_unknown(value, &known)
}

pub(super) fn refuse_unknown(value: &JsValue, known: &[&str]) -> Result<(), JsValue> {
    let Some(object) = value.dyn_ref::<Object>() else { return Ok(()) };
    match Object::keys(object).iter().filter_map(|key| key.as_string()).find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(usage(&format!("there is no option {stranger}; there are {}", known.join(", ")))),
        None => Ok(()),
    }
}
