//! The only `#[wasm_bindgen]`: options in, events and the report out, errors as `Error` with a `code`. No logic.
//!
//! Events are handed to JavaScript while no borrow of the run is held, and `onEvent` may call anything here.

use js_sys::{Error, Function, Object, Reflect};
use serde::{Deserialize, Serialize};
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
    let options = JsOptions::read(options)?.into_run_options()?;
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsOptions {
    range: Option<JsRange>,
    network: Option<String>,
    deep: Option<bool>,
    skip_optional: Option<bool>,
    skip_buckets: Option<bool>,
    concurrency: Option<u32>,
    max_retries: Option<u32>,
    checkpoint_frequency: Option<u32>,
}

#[derive(Deserialize)]
struct JsRange {
    low: Option<u32>,
    high: Option<u32>,
}

impl JsOptions {
    /// serde-wasm-bindgen looks only at the fields that a struct has, so strangers are looked for here.
    const FIELDS: [&str; 8] =
        ["checkpointFrequency", "concurrency", "deep", "maxRetries", "network", "range", "skipBuckets", "skipOptional"];
    const RANGE_FIELDS: [&str; 2] = ["high", "low"];

    fn read(options: JsValue) -> Result<Self, JsValue> {
        refuse_strangers(&options, &Self::FIELDS)?;
        if let Ok(range) = Reflect::get(&options, &"range".into()) {
            refuse_strangers(&range, &Self::RANGE_FIELDS)?;
        }
        serde_wasm_bindgen::from_value(options).map_err(|error| usage(&error.to_string()))
    }

    fn into_run_options(self) -> Result<RunOptions, JsValue> {
        let mut options = RunOptions::default();
        let range = self.range.unwrap_or(JsRange { low: None, high: None });
        options.low = range.low.map(LedgerSeq::new);
        options.high = range.high.map(LedgerSeq::new);
        options.network = self.network.as_deref().map(Network::from_name_or_passphrase);
        options.deep = self.deep.unwrap_or(false);
        options.skip_optional = self.skip_optional.unwrap_or(false);
        options.skip_buckets = self.skip_buckets.unwrap_or(false);
        match self.concurrency {
            Some(files @ 1..=256) => options.concurrency = crate::codec::usize_from(files),
            Some(_) => return Err(usage("concurrency is from 1 to 256")),
            None => {}
        }
        options.retry.max_retries = self.max_retries.unwrap_or(options.retry.max_retries);
        if let Some(ledgers) = self.checkpoint_frequency {
            options.frequency = CheckpointFrequency::from_ledgers(ledgers)
                .ok_or_else(|| usage("checkpointFrequency is 64, or 8 for accelerated networks"))?;
        }
        Ok(options)
    }
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
