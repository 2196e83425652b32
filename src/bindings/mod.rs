//! The only `#[wasm_bindgen]`: options in, events and the report out, errors as `Error` with a `code`. No logic.
//!
//! Events are handed over as they happen; `onEvent` may call anything here, since every run has a state of its own.

#[cfg(feature = "explore")]
mod explore;
mod options;

use js_sys::{Array, Error, Function, JSON, Map, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::archive::checkpoint::LedgerSeq;
use crate::archive::error::ReadError;
use crate::archive::network::KNOWN_NETWORKS;
#[cfg(feature = "explore")]
use crate::driver::dump::DumpError;
use crate::driver::prove::ProveError;
use crate::driver::provenance::ProvenanceError;
use crate::driver::publish::PublishError;
use crate::driver::recent_quorum_sets::RecentQuorumSetsError;
use crate::driver::verify_checkpoints::VerifyCheckpointsError;
use crate::driver::web::WebHost;
use crate::driver::{self, verify_archives};
use crate::historywork::checkpoint_data::MissingData;
use crate::report::Versions;
use crate::transport::web::{FetchArchive, JsArchive, JsArchiveWriter};
use crate::transport::{ArchiveReader, ArchiveWriter};

/// Runs once, when the module is instantiated: panics reach the console with their place in the source.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Verifies a history: an archive, or an array of archives that hold it; each a URL or a reader object. Resolves with the
/// report, also after `signal` aborted.
///
/// # Errors
/// Only what the caller got wrong: an `Error` with `code` `USAGE` or `UNSUPPORTED`.
#[wasm_bindgen]
pub async fn verify(source: JsValue, options: JsValue, on_event: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let mut emit = listener(on_event);
    let report = verify_archives(borrowed(&readers), &host, &options, &mut emit).await;
    to_js(&report.map_err(|error| usage(&error.to_string()))?)
}

/// Downloads a checkpoint, verified: see `CheckpointData` in www/lib. `checkpoint` is any ledger of it.
///
/// # Errors
/// `FAULTY` with the fault, the code of what kept a file from being read, `ABORTED`, `USAGE`.
#[wasm_bindgen(js_name = downloadCheckpoint)]
pub async fn download_checkpoint(source: JsValue, checkpoint: u32, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, with_buckets) = options::download_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let checkpoint = options.frequency.containing(LedgerSeq::new(checkpoint));
    let download = driver::download::download_checkpoint(borrowed(&readers), &host, &options, checkpoint, with_buckets).await;
    let (data, network) = download.map_err(|error| missing(error, &signal))?;
    let buckets = Map::new();
    for (bucket, content) in &data.buckets {
        buckets.set(&bucket.to_string().into(), &Uint8Array::from(content.as_slice()));
    }
    let records = |records: &[Vec<u8>]| records.iter().map(|record| Uint8Array::from(record.as_slice())).collect::<Array>();
    let state = JSON::parse(&String::from_utf8_lossy(&data.history_json))?;
    let object = Object::new();
    for (name, value) in [
        ("checkpoint", JsValue::from(checkpoint.last_ledger().value())),
        ("network", network.map_or(JsValue::NULL, |network| network.passphrase().into())),
        ("state", state),
        ("headers", records(&data.headers).into()),
        ("transactions", records(&data.transactions).into()),
        ("results", records(&data.tx_results).into()),
        ("scp", records(&data.scp_history).into()),
        ("buckets", buckets.into()),
    ] {
        Reflect::set(&object, &name.into(), &value)?;
    }
    Ok(object.into())
}

/// Who made one ledger: its proposer, what each validator said, and whether those whom the user believes agreed.
///
/// # Errors
/// As [`download_checkpoint`].
#[wasm_bindgen(js_name = ledgerProvenance)]
pub async fn ledger_provenance(source: JsValue, ledger: u32, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, trust) = options::provenance_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let made = driver::provenance::ledger_provenance(borrowed(&readers), &host, &options, LedgerSeq::new(ledger), &trust).await;
    to_js(&made.map_err(|error| match error {
        ProvenanceError::Usage(error) => usage(&error.to_string()),
        ProvenanceError::Missing(error) => missing(error, &signal),
    })?)
}

/// Asks archives how far they are.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`.
#[wasm_bindgen(js_name = archiveStatus)]
pub async fn archive_status(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let options = options::read_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    to_js(&driver::status::archive_status(borrowed(&readers), &host, &options).await)
}

/// Compares one header in several archives.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`.
#[wasm_bindgen(js_name = checkHeader)]
pub async fn check_header(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, ledger, known) = options::header_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let checks = driver::header::check_header(borrowed(&readers), &host, &options, ledger, known).await;
    to_js(&checks.map_err(|error| usage(&error.to_string()))?)
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
    let (options, range, trust) = options::compare_options(&options)?;
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

/// Hands over each record of a file of an archive as JSON, a state as one; resolves with how many there were.
///
/// # Errors
/// `USAGE` for a path that is none of an archive's, `FAULTY` for a file that is missing or cannot be read to its end, the
/// code of what kept it from being read.
#[cfg(feature = "explore")]
#[wasm_bindgen(js_name = dumpFile)]
pub async fn dump_file(source: JsValue, path: String, on_line: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let path = crate::archive::path::ArchivePath::parse(&path)
        .ok_or_else(|| usage("the path is none of an archive's files, such as ledger/00/00/00/ledger-0000003f.xdr.gz"))?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let [reader] = readers.as_slice() else { return Err(usage("a file is dumped of one archive")) };
    let options = driver::ReadOptions::default();
    let print = |line: String| on_line.call1(&JsValue::NULL, &line.into()).map(drop).map_err(|_| "the listener failed".to_owned());
    let records = if path.as_str().ends_with(".json") {
        let state = driver::dump::read_json(&**reader, &host, &options, &path).await;
        state.and_then(|state| print(state.to_string()).map(|()| 1).map_err(DumpError::Faulty))
    } else {
        let mut printer = crate::explore::RecordPrinter::new(&path, &options.budget);
        let mut record = |bytes: &[u8]| print(printer.print(bytes)?);
        driver::dump::read_records(&**reader, &host, &options, &path, &mut record).await.map(|read| read.records)
    };
    let records = records.map_err(|error| match &error {
        _ if signal.aborted() => with_code(&format!("{path}: {error}"), "ABORTED", None),
        DumpError::Unread(read) => with_code(&format!("{path}: {error}"), read.code(), Some(read.advice())),
        DumpError::Faulty(_) | DumpError::Missing => with_code(&format!("{path}: {error}"), "FAULTY", None),
    })?;
    to_js(&Records { records })
}

#[cfg(feature = "explore")]
#[derive(Serialize)]
struct Records {
    records: u64,
}

/// Hands over a line a checkpoint; resolves with how many there were and what was found wrong.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`.
#[wasm_bindgen(js_name = checkpointLog)]
pub async fn checkpoint_log(source: JsValue, options: JsValue, on_line: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, range) = options::log_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(source, &host)?;
    let mut line = |line: driver::log::LogLine| drop(to_js(&line).and_then(|line| on_line.call1(&JsValue::NULL, &line)));
    to_js(&driver::log::checkpoint_log(borrowed(&readers), &host, &options, range, &mut line).await)
}

/// Verifies the hashes of checkpoints from a trusted end down; resolves with them, their file's text in `json`.
///
/// # Errors
/// `FAULTY` with the fault, `UNANCHORED` if nothing vouches for the end, the code of what kept a file from being read,
/// `ABORTED`, `USAGE`.
#[wasm_bindgen(js_name = verifyCheckpoints)]
pub async fn verify_checkpoints(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let (options, request) = options::checkpoints_options(&options)?;
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
    let (options, range) = options::quorum_sets_options(&options)?;
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
    let (options, trust, wanted) = options::prove_transaction_options(&options)?;
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
    let options::EntryWanted { read, trust, key, checkpoint, max_bucket_bytes } = options::prove_entry_options(&options)?;
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
    let (network, trust) = options::verify_proof_options(&options)?;
    to_js(&crate::trust::proof::verify_proof(text, network.as_ref(), &trust))
}

fn prove_error(error: ProveError, signal: &AbortSignal) -> JsValue {
    match error {
        ProveError::Read(error) => missing(error, signal),
        other => with_code(&other.to_string(), other.code(), None),
    }
}

/// Copies what sources have and the destination has not. Resolves with the report, also after `signal` aborted.
///
/// # Errors
/// Before anything is written: `USAGE` for what the caller got wrong, which another network at the destination is too; `UNSUPPORTED`.
#[wasm_bindgen(js_name = mirrorArchive)]
pub async fn mirror_archive(
    sources: JsValue,
    destination: JsValue,
    options: JsValue,
    on_event: Function,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let options = options::mirror_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let writer = writer(destination, &host)?;
    let mut emit = listener(on_event);
    let report = driver::mirror::mirror_archive(borrowed(&readers), &writer, &host, &options, &mut emit).await;
    to_js(&report.map_err(|error| usage(&error.to_string()))?)
}

/// Fetches what an archive lacks or has wrong. Resolves with the report, also after `signal` aborted.
///
/// # Errors
/// As [`mirror_archive`].
#[wasm_bindgen(js_name = repairArchive)]
pub async fn repair_archive(
    sources: JsValue,
    destination: JsValue,
    options: JsValue,
    on_event: Function,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let options = options::repair_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let writer = writer(destination, &host)?;
    let mut emit = listener(on_event);
    let report = driver::repair::repair_archive(borrowed(&readers), &writer, &host, &options, &mut emit).await;
    to_js(&report.map_err(|error| usage(&error.to_string()))?)
}

/// Estimates what a mirror into an empty place will cost.
///
/// # Errors
/// `USAGE`, also where no source says how far it goes; `UNSUPPORTED`.
#[wasm_bindgen(js_name = estimateMirror)]
pub async fn estimate_mirror(sources: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let options = options::mirror_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let estimate = driver::estimate::estimate_mirror(borrowed(&readers), &host, &options).await;
    to_js(&estimate.map_err(|error| usage(&error.to_string()))?)
}

/// Downloads a checkpoint, verified, and publishes it into one or several places; resolves with what each was given.
///
/// # Errors
/// `FAULTY` for a checkpoint that is not sound, `USAGE`, also for a place of another network, `ABORTED`, or the code of what kept a
/// file from being read.
#[wasm_bindgen(js_name = publishCheckpoint)]
pub async fn publish_checkpoint(
    sources: JsValue,
    checkpoint: u32,
    destinations: Vec<JsValue>,
    options: JsValue,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let options = options::read_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let writers = destinations.into_iter().map(|destination| writer(destination, &host)).collect::<Result<Vec<_>, _>>()?;
    let places = writers.iter().map(|writer| -> &dyn ArchiveWriter { writer }).collect();
    let checkpoint = options.frequency.containing(LedgerSeq::new(checkpoint));
    let published = driver::publish::publish_checkpoint(borrowed(&readers), places, &host, &options, checkpoint).await;
    to_js(&published.map_err(|error| publish_error(error, &signal))?)
}

/// Begins an archive: the state of ledger 0.
///
/// # Errors
/// `USAGE` where there is an archive already; the code of what kept the state from being written.
#[wasm_bindgen(js_name = newHistory)]
pub async fn new_history(destination: JsValue, options: JsValue, signal: AbortSignal) -> Result<(), JsValue> {
    let network = options::new_history_options(&options)?;
    let host = WebHost::new(&signal)?;
    let writer = writer(destination, &host)?;
    let begun = driver::publish::new_history(&writer, &host, &driver::ReadOptions::default(), &network).await;
    begun.map(drop).map_err(|error| publish_error(error, &signal))
}

fn publish_error(error: PublishError, signal: &AbortSignal) -> JsValue {
    match error {
        PublishError::Usage(why) => usage(&why.to_string()),
        PublishError::Checkpoint(reason) => missing(*reason, signal),
        PublishError::Write(reason) => with_code(&reason.message, &reason.code, Some(&reason.advice)),
        PublishError::Aborted => with_code(&error.to_string(), "ABORTED", None),
    }
}

/// The plan of what a report found, in stellar-archivist's form.
///
/// # Errors
/// `USAGE` for what is no report.
#[wasm_bindgen(js_name = repairPlan)]
pub fn repair_plan(report: JsValue) -> Result<JsValue, JsValue> {
    let found = serde_wasm_bindgen::from_value(report).map_err(|error| usage(&format!("this is no report: {error}")))?;
    to_js(&crate::report::plan::RepairPlan::of_report(&found))
}

fn listener(on_event: Function) -> impl FnMut(crate::driver::event::Event) {
    // A listener that throws must not stop the run; the wrapper in www/lib never does.
    move |event| drop(to_js(&event).and_then(|event| on_event.call1(&JsValue::NULL, &event)))
}

fn writer(destination: JsValue, host: &WebHost) -> Result<JsArchiveWriter, JsValue> {
    JsArchiveWriter::new(destination, host.signal()).map_err(|error| with_code(&error.message, error.code(), Some(error.advice())))
}

/// The metrics of a report in Prometheus' text format.
///
/// # Errors
/// `USAGE` for what is no report.
#[wasm_bindgen(js_name = prometheusText)]
pub fn prometheus_text(report: JsValue) -> Result<String, JsValue> {
    let measured = serde_wasm_bindgen::from_value(report).map_err(|error| usage(&format!("this is no report: {error}")))?;
    Ok(crate::report::prometheus::prometheus_text(&measured))
}

/// The versions of this module.
#[wasm_bindgen]
pub fn versions() -> Result<JsValue, JsValue> {
    to_js(&Versions::CURRENT)
}

/// The networks that everybody knows, with their public archives.
#[wasm_bindgen(js_name = networkPresets)]
pub fn network_presets() -> Result<JsValue, JsValue> {
    to_js(KNOWN_NETWORKS)
}

/// The quorum sets that people know, with where they come from.
#[wasm_bindgen(js_name = quorumSetPresets)]
pub fn quorum_set_presets() -> Result<JsValue, JsValue> {
    to_js(&crate::trust::preset::presets())
}

fn missing(error: MissingData, signal: &AbortSignal) -> JsValue {
    match error {
        MissingData::Faulty(finding) => {
            with_code(&format!("{}: {} ({})", finding.path, finding.message, finding.archive), "FAULTY", Some(&finding.advice))
        }
        MissingData::Unreadable(error) => {
            let path = error.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
            with_code(&format!("{path}{}", error.message), &error.code, Some(&error.advice))
        }
        other if signal.aborted() => with_code(&other.to_string(), "ABORTED", None),
        other => with_code(&other.to_string(), "NETWORK", Some("check the archive and run again")),
    }
}

/// One archive, or an array of them.
fn readers(source: JsValue, host: &WebHost) -> Result<Vec<Box<dyn ArchiveReader>>, JsValue> {
    let sources = match source.dyn_into::<Array>() {
        Ok(sources) => sources.iter().collect(),
        Err(source) => vec![source],
    };
    sources.into_iter().map(|source| reader(source, host.signal())).collect()
}

fn borrowed(readers: &[Box<dyn ArchiveReader>]) -> Vec<&dyn ArchiveReader> {
    readers.iter().map(|reader| &**reader).collect()
}

fn reader(source: JsValue, signal: AbortSignal) -> Result<Box<dyn ArchiveReader>, JsValue> {
    let reader: Result<Box<dyn ArchiveReader>, ReadError> = match source.as_string() {
        Some(url) => FetchArchive::new(&url, signal).map(|archive| -> Box<dyn ArchiveReader> { Box::new(archive) }),
        None => JsArchive::new(source, signal).map(|archive| -> Box<dyn ArchiveReader> { Box::new(archive) }),
    };
    reader.map_err(|error| with_code(&error.message, error.code(), Some(error.advice())))
}

fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(JsValue::from)
}

fn usage(message: &str) -> JsValue {
    with_code(message, "USAGE", None)
}

fn with_code(message: &str, code: &str, advice: Option<&str>) -> JsValue {
    let error: JsValue = Error::new(message).unchecked_into();
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    if let Some(advice) = advice {
        let _ = Reflect::set(&error, &"advice".into(), &advice.into());
    }
    error
}
