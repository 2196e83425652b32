//! Threads that the package started for a run: `{ count, begin(state), verify(task), progress() }`. No logic.

use futures_util::future::LocalBoxFuture;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::{listener, options, reader, usage};
use crate::codec::usize_from;
use crate::driver::audit::{AuditTask, verify_shared_part};
use crate::driver::web::WebHost;
use crate::driver::workers::{Elsewhere, Workers};

/// The package's object.
pub(super) struct JsWorkers {
    object: JsValue,
    begin: Function,
    verify: Function,
    progress: Function,
    count: usize,
}

impl JsWorkers {
    /// None, where there are none.
    pub(super) fn new(object: JsValue) -> Option<Self> {
        let field = |name: &str| Reflect::get(&object, &name.into()).ok();
        let function = |name: &str| field(name).and_then(|function| function.dyn_into::<Function>().ok());
        let (begin, verify, progress) = (function("begin")?, function("verify")?, function("progress")?);
        let count = number(&field("count")?);
        Some(Self { object, begin, verify, progress, count: usize_from(u32::try_from(count).unwrap_or_default()) })
    }
}

impl Workers for JsWorkers {
    fn count(&self) -> usize {
        self.count
    }

    fn begin(&self, state: &str) {
        // What is wrong with it shows when a part is asked for.
        let _ = self.begin.call1(&self.object, &state.into());
    }

    fn verify(&self, task: &AuditTask) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        let called = serde_json::to_string(task).ok().and_then(|task| self.verify.call1(&self.object, &task.into()).ok());
        Box::pin(async move {
            let part = JsFuture::from(Promise::resolve(&called?)).await.ok()?;
            part.dyn_into::<Uint8Array>().ok().map(|part| part.to_vec())
        })
    }

    fn progress(&self) -> Elsewhere {
        let list = self.progress.call0(&self.object).ok().and_then(|list| list.dyn_into::<Array>().ok()).unwrap_or_default();
        let at = |index: u32| number(&list.get(index));
        Elsewhere {
            checkpoints: at(0),
            buckets: at(1),
            compressed: at(2),
            inflated: at(3),
            requests: at(4),
            failures: at(5),
            retries: at(6),
        }
    }
}

#[allow(clippy::as_conversions)] // saturates
fn number(value: &JsValue) -> u64 {
    value.as_f64().unwrap_or_default().max(0.0) as u64
}

/// Verifies a part of a run that another thread shares: bytes of JSON, to be joined there.
///
/// # Errors
/// As for a part of an audit.
#[wasm_bindgen(js_name = verifySharedPart)]
pub async fn verify_part(
    source: JsValue,
    task: &str,
    begun: &str,
    options: JsValue,
    on_event: Function,
    signal: AbortSignal,
) -> Result<Uint8Array, JsValue> {
    let options = options::run_options(&options)?;
    let task: AuditTask = serde_json::from_str(task).map_err(|error| usage(&error.to_string()))?;
    let begun = begun.to_owned();
    let host = WebHost::new(&signal)?;
    let reader = reader(source, host.signal())?;
    let mut emit = listener(on_event);
    let part = verify_shared_part(&*reader, &host, &options, &begun, task, &mut emit).await;
    let part = part.map_err(|error| usage(&error.to_string()))?;
    Ok(Uint8Array::from(part.as_bytes()))
}
