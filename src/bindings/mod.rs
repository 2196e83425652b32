//! The only `#[wasm_bindgen]`: options in, events and the report out, errors as `Error` with a `code`. No logic.
//!
//! Events are handed over as they happen; `onEvent` may call anything here, since every run has a state of its own.

#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "explore")]
mod explore;
mod host_hash;
mod options;
#[cfg(feature = "prove")]
pub mod prove;
#[cfg(feature = "publish")]
pub mod publish;
pub mod workers;

use js_sys::{Array, Error, Function, JSON, Map, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use self::workers::JsWorkers;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::error::ReadError;
use crate::archive::network::KNOWN_NETWORKS;
#[cfg(feature = "explore")]
use crate::driver::dump::DumpError;
use crate::driver::web::WebHost;
use crate::driver::workers::Workers;
use crate::driver::{self, verify_archives};
use crate::historywork::checkpoint_data::MissingData;
use crate::report::Versions;
use crate::transport::ArchiveReader;
use crate::transport::web::{FetchArchive, JsArchive};

/// Runs once, when the module is instantiated: panics reach the console with their place in the source.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
    host_hash::find();
}

/// Verifies a history: an archive, or an array of archives that hold it; each a URL or a reader object. Resolves with the
/// report, also after `signal` aborted. `workers`: threads that the run may be shared with, where there are any.
///
/// # Errors
/// Only what the caller got wrong: an `Error` with `code` `USAGE` or `UNSUPPORTED`.
#[wasm_bindgen]
pub async fn verify(
    source: JsValue,
    options: JsValue,
    on_event: Function,
    signal: AbortSignal,
    workers: JsValue,
) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let host = WebHost::new(&signal)?.with_workers(JsWorkers::new(workers).map(|workers| -> Box<dyn Workers> { Box::new(workers) }));
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
