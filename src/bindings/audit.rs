//! Audits in parts (feature `audit`): states and parts as bytes, what they come to as objects. No logic.

use js_sys::{Array, Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use super::{listener, options, reader, to_js, usage, with_code};
use crate::driver::audit::{self, AuditError, AuditState, AuditTask};
use crate::driver::web::WebHost;

/// Finds out what is to be audited: see `AuditState` in www/lib.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`, `ABORTED`, the code of what kept the newest state from being read, `FAULTY` where there is none.
#[wasm_bindgen(js_name = beginAudit)]
pub async fn begin_audit(source: JsValue, options: JsValue, signal: AbortSignal) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let host = WebHost::new(&signal)?;
    let reader = reader(source, host.signal())?;
    state(audit::begin_audit(&*reader, &host, &options).await)
}

/// Verifies one part of an audit.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`, `ABORTED`, `NETWORK` if the archive cannot be reached any more.
#[wasm_bindgen(js_name = verifyAuditPart)]
pub async fn verify_part(
    source: JsValue,
    task: JsValue,
    begun: Vec<u8>,
    options: JsValue,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let task = of_js(task)?;
    let host = WebHost::new(&signal)?;
    let reader = reader(source, host.signal())?;
    state(audit::verify_part(&*reader, &host, &options, &begun, task).await)
}

/// Adds parts to what was joined.
///
/// # Errors
/// `USAGE` for what does not fit.
#[wasm_bindgen(js_name = joinAuditParts)]
pub fn join_parts(joined: Vec<u8>, parts: Array, options: JsValue) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let parts: Result<Vec<_>, _> = parts.iter().map(JsCast::dyn_into::<Uint8Array>).collect();
    let parts = parts.map_err(|_| usage("every part must be a Uint8Array"))?;
    state(audit::join_parts(&options, &joined, &parts.iter().map(Uint8Array::to_vec).collect::<Vec<_>>()))
}

/// The part of a task that nobody can do.
///
/// # Errors
/// `USAGE` for what does not fit.
#[wasm_bindgen(js_name = giveUpAuditPart)]
pub fn give_up_part(task: JsValue, begun: Vec<u8>, why: &str, options: JsValue) -> Result<JsValue, JsValue> {
    state(audit::give_up_part(&options::run_options(&options)?, &begun, of_js(task)?, why))
}

/// The report of an audit.
///
/// # Errors
/// `USAGE`, `UNSUPPORTED`.
#[wasm_bindgen(js_name = finishAudit)]
pub async fn finish_audit(
    source: JsValue,
    joined: Vec<u8>,
    options: JsValue,
    on_event: Function,
    signal: AbortSignal,
) -> Result<JsValue, JsValue> {
    let options = options::run_options(&options)?;
    let host = WebHost::new(&signal)?;
    let reader = reader(source, host.signal())?;
    let mut emit = listener(on_event);
    let report = audit::finish_audit(&*reader, &host, &options, &joined, &mut emit).await;
    to_js(&report.map_err(refused)?)
}

fn of_js(task: JsValue) -> Result<AuditTask, JsValue> {
    let why = "task must be { first, count }, or { buckets } as a state's openBuckets has them";
    serde_wasm_bindgen::from_value(task).map_err(|_| usage(why))
}

fn state(state: Result<AuditState, AuditError>) -> Result<JsValue, JsValue> {
    let AuditState { bytes, facts } = state.map_err(refused)?;
    let object = to_js(&facts)?;
    Reflect::set(&object, &"state".into(), &Uint8Array::from(bytes.as_slice()))?;
    Ok(object)
}

fn refused(error: AuditError) -> JsValue {
    match error {
        AuditError::Unread(error) => with_code(&error.message, &error.code, Some(&error.advice)),
        AuditError::Cancelled => with_code(&error.to_string(), "ABORTED", None),
        AuditError::Usage(_) | AuditError::State(_) | AuditError::NotJoined(_) => usage(&error.to_string()),
    }
}
