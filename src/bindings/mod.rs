//! The only `#[wasm_bindgen]`: options in, events and the report out, errors as `Error` with a `code`. No logic.
//!
//! Events are handed over as they happen; `onEvent` may call anything here, since every run has a state of its own.

use js_sys::{Error, Function, Object, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use crate::archive::network::{KNOWN_NETWORKS, Network};
use crate::driver::error::ReadError;
use crate::driver::web::WebHost;
use crate::driver::{RunOptions, verify_archive};
use crate::report::Versions;
use crate::transport::ArchiveReader;
use crate::transport::web::{FetchArchive, JsArchive};

/// Runs once, when the module is instantiated: panics reach the console with their place in the source.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Verifies an archive: a URL, or a reader object. Resolves with the report, also after `signal` aborted.
///
/// # Errors
/// Only what the caller got wrong: an `Error` with `code` `USAGE` or `UNSUPPORTED`.
#[wasm_bindgen]
pub async fn verify(source: JsValue, options: JsValue, on_event: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let options = run_options(&options)?;
    let host = WebHost::new(&signal)?;
    let reader = reader(source, host.signal())?;
    // A listener that throws must not stop the run; the wrapper in www/lib never does.
    let mut emit = |event: crate::driver::event::Event| drop(to_js(&event).and_then(|event| on_event.call1(&JsValue::NULL, &event)));
    let report = verify_archive(&*reader, &host, &options, &mut emit).await;
    to_js(&report.map_err(|error| usage(&error.to_string()))?)
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

const OPTIONS: [&str; 8] = ["checkpointFrequency", "concurrency", "deep", "maxRetries", "network", "range", "skipBuckets", "skipOptional"];
const RANGE: [&str; 2] = ["high", "low"];

/// Reads the options by hand, so that a mistake is named with its field and in JavaScript's words.
fn run_options(object: &JsValue) -> Result<RunOptions, JsValue> {
    refuse_strangers(object, &OPTIONS)?;
    let range = field(object, "range").unwrap_or(JsValue::UNDEFINED);
    refuse_strangers(&range, &RANGE)?;
    let mut options = RunOptions {
        low: integer(&range, "low")?.map(LedgerSeq::new),
        high: integer(&range, "high")?.map(LedgerSeq::new),
        deep: boolean(object, "deep")?,
        skip_optional: boolean(object, "skipOptional")?,
        skip_buckets: boolean(object, "skipBuckets")?,
        ..RunOptions::default()
    };
    if let Some(network) = field(object, "network") {
        let network = network.as_string().ok_or_else(|| usage("network must be a string: a known name or a passphrase"))?;
        options.network = Some(Network::from_name_or_passphrase(&network));
    }
    match integer(object, "concurrency")? {
        Some(files @ 1..=256) => options.concurrency = crate::codec::usize_from(files),
        Some(_) => return Err(usage("concurrency must be from 1 to 256")),
        None => {}
    }
    options.retry.max_retries = integer(object, "maxRetries")?.unwrap_or(options.retry.max_retries);
    if let Some(ledgers) = integer(object, "checkpointFrequency")? {
        let frequency = CheckpointFrequency::from_ledgers(ledgers);
        options.frequency = frequency.ok_or_else(|| usage("checkpointFrequency must be 64, or 8 for accelerated networks"))?;
    }
    Ok(options)
}

fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

fn boolean(object: &JsValue, name: &str) -> Result<bool, JsValue> {
    field(object, name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| usage(&format!("{name} must be true or false"))))
}

#[allow(clippy::as_conversions)] // checked to be a whole number in range
fn integer(object: &JsValue, name: &str) -> Result<Option<u32>, JsValue> {
    let Some(value) = field(object, name) else { return Ok(None) };
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number));
    number.map(|number| Some(number as u32)).ok_or_else(|| usage(&format!("{name} must be a whole number from 0 to {}", u32::MAX)))
}

fn refuse_strangers(value: &JsValue, known: &[&str]) -> Result<(), JsValue> {
    let Some(object) = value.dyn_ref::<Object>() else { return Ok(()) };
    match Object::keys(object).iter().filter_map(|key| key.as_string()).find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(usage(&format!("there is no option {stranger}; there are {}", known.join(", ")))),
        None => Ok(()),
    }
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
