//! Mirror, repair, publish: the calls that write archives, and their options.

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::options::{boolean, integer, range, read_options, reading, refuse_strangers, refuse_unknown, text, trust};
use super::{borrowed, listener, missing, readers, to_js, usage, with_code};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::Network;
use crate::driver;
use crate::driver::copy::CopyOptions;
use crate::driver::mirror::MirrorOptions;
use crate::driver::publish::PublishError;
use crate::driver::repair::RepairOptions;
use crate::driver::web::WebHost;
use crate::report::plan::{PlanLimits, RepairPlan};
use crate::transport::ArchiveWriter;
use crate::transport::web::JsArchiveWriter;

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
    let options = mirror_options(&options)?;
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
    let options = repair_options(&options)?;
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
    let (options, sample) = estimate_options(&options)?;
    let host = WebHost::new(&signal)?;
    let readers = readers(sources, &host)?;
    let estimate = driver::estimate::estimate_mirror(borrowed(&readers), &host, &options, sample).await;
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
    let options = read_options(&options)?;
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
    let network = new_history_options(&options)?;
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

fn writer(destination: JsValue, host: &WebHost) -> Result<JsArchiveWriter, JsValue> {
    JsArchiveWriter::new(destination, host.signal()).map_err(|error| with_code(&error.message, error.code(), Some(error.advice())))
}

/// For [`mirror_archive`].
fn mirror_options(object: &JsValue) -> Result<MirrorOptions, JsValue> {
    mirror_options_with(object, &[])
}

/// For [`estimate_mirror`]: of how many random checkpoints the buckets are wanted, too.
fn estimate_options(object: &JsValue) -> Result<(MirrorOptions, Option<u32>), JsValue> {
    let sample = integer(object, "sample")?;
    if sample == Some(0) {
        return Err(usage("a sample of 0 checkpoints says nothing"));
    }
    Ok((mirror_options_with(object, &["sample"])?, sample))
}

fn mirror_options_with(object: &JsValue, own: &[&str]) -> Result<MirrorOptions, JsValue> {
    let copy = copy_options(object, &[own, &["allowGaps", "overwrite"]].concat())?;
    Ok(MirrorOptions { copy, overwrite: boolean(object, "overwrite")?, allow_gaps: boolean(object, "allowGaps")? })
}

/// For [`repair_archive`].
fn repair_options(object: &JsValue) -> Result<RepairOptions, JsValue> {
    let copy = copy_options(object, &["dryRun", "plan"])?;
    let plan = text(object, "plan")?.map(|plan| RepairPlan::parse(&plan, copy.frequency, &PlanLimits::default()));
    let plan = plan.transpose().map_err(|error| usage(&format!("plan: {error}")))?;
    Ok(RepairOptions { copy, dry_run: boolean(object, "dryRun")?, plan })
}

/// For [`new_history`]: the network that the archive is for.
fn new_history_options(object: &JsValue) -> Result<Network, JsValue> {
    refuse_unknown(object, &["network"])?;
    let network = text(object, "network")?.ok_or_else(|| usage("network must be given: which one is the archive for?"))?;
    Ok(Network::from_name_or_passphrase(&network))
}

fn copy_options(object: &JsValue, own: &[&str]) -> Result<CopyOptions, JsValue> {
    refuse_strangers(object, &[own, &["bandwidthLimit", "range", "readBack", "skipOptional", "trust"]].concat())?;
    let read = reading(object)?;
    let mut options = CopyOptions::default();
    (options.network, options.concurrency, options.retry) = (read.network, read.concurrency, read.retry);
    (options.timeouts, options.frequency) = (read.timeouts, read.frequency);
    (options.low, options.high) = range(object)?;
    (options.skip_optional, options.read_back) = (boolean(object, "skipOptional")?, boolean(object, "readBack")?);
    options.bandwidth = integer(object, "bandwidthLimit")?.map(u64::from);
    options.trust = trust(object)?;
    Ok(options)
}
