//! The web platform as a [`Host`]: its clock, timers, task queue and `AbortSignal`.

use core::cell::Cell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Math, Promise, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, MessageChannel, MessagePort, Performance, SubtleCrypto};

use super::Host;
use super::workers::Workers;
use crate::codec::hash::Hash256;

/// `setTimeout` takes a signed 32-bit number, and fires at once past it.
const LONGEST_TIMER_MS: u32 = 0x7fff_ffff;

/// The platform that this module runs on.
#[allow(missing_debug_implementations)] // futures have none
pub struct WebHost {
    controller: AbortController,
    /// The same as a flag: it is asked for with every chunk.
    is_cancelled: Rc<Cell<bool>>,
    cancelled: Shared<LocalBoxFuture<'static, ()>>,
    performance: Option<Performance>,
    subtle: Option<SubtleCrypto>,
    workers: Option<Box<dyn Workers>>,
}

impl WebHost {
    /// A host whose run stops when the caller's signal says so.
    ///
    /// # Errors
    /// If the platform has no `AbortController`.
    pub fn new(signal: &AbortSignal) -> Result<Self, JsValue> {
        // A controller of our own: what callers abort with may be any value, and transports throw it as it is.
        let controller = AbortController::new()?;
        let is_cancelled = Rc::new(Cell::new(signal.aborted()));
        if signal.aborted() {
            controller.abort();
        }
        let stop = Closure::once_into_js({
            let (controller, is_cancelled) = (controller.clone(), Rc::clone(&is_cancelled));
            move || {
                is_cancelled.set(true);
                controller.abort();
            }
        });
        signal.add_event_listener_with_callback("abort", stop.unchecked_ref())?;
        let own = controller.signal();
        let aborted = Promise::new(&mut |resolve, _| {
            // A signal always takes a listener.
            let _ = own.add_event_listener_with_callback("abort", &resolve);
        });
        let already = signal.aborted();
        let cancelled: LocalBoxFuture<'static, ()> = Box::pin(async move {
            if !already {
                // The promise is only ever resolved.
                let _ = JsFuture::from(aborted).await;
            }
        });
        let performance = Reflect::get(&js_sys::global(), &"performance".into()).ok().map(JsCast::unchecked_into);
        Ok(Self { controller, is_cancelled, cancelled: cancelled.shared(), performance, subtle: subtle(), workers: None })
    }

    /// With threads that a run may be shared with.
    #[must_use]
    pub fn with_workers(self, workers: Option<Box<dyn Workers>>) -> Self {
        Self { workers, ..self }
    }

    /// The signal for transports.
    #[must_use]
    pub fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }
}

/// `crypto.subtle`, which pages have where they came over https or from this machine.
#[must_use]
pub fn subtle() -> Option<SubtleCrypto> {
    let field = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok().filter(JsValue::is_object);
    field(&field(&js_sys::global(), "crypto")?, "subtle").map(JsCast::unchecked_into)
}

/// Closed when it is dropped, also where nobody waits for its message any more: an open port would keep Node running.
struct OpenPort(MessagePort);

impl Drop for OpenPort {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Host for WebHost {
    #[allow(clippy::as_conversions)] // milliseconds since the start, well within 2^53
    fn now_ms(&self) -> u64 {
        self.performance.as_ref().map_or_else(Date::now, Performance::now).max(0.0) as u64
    }

    fn timestamp(&self) -> String {
        Date::new_0().to_iso_string().into()
    }

    #[allow(clippy::as_conversions)] // in 0..=1000
    fn jitter_thousandths(&self) -> u64 {
        (Math::random() * 1000.0) as u64
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        Box::pin(TimeoutFuture::new(u32::try_from(ms).unwrap_or(u32::MAX).min(LONGEST_TIMER_MS)))
    }

    /// A message to itself is a task of its own and, unlike nested timers, is not delayed.
    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        let Ok(channel) = MessageChannel::new() else { return Box::pin(TimeoutFuture::new(0)) };
        let (near, far) = (OpenPort(channel.port1()), channel.port2());
        let delivered = Promise::new(&mut |resolve, _| near.0.set_onmessage(Some(&resolve)));
        if far.post_message(&JsValue::NULL).is_err() {
            return Box::pin(TimeoutFuture::new(0));
        }
        Box::pin(async move {
            // The promise is only ever resolved.
            let _ = JsFuture::from(delivered).await;
            drop(near);
        })
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.get()
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.cancelled.clone())
    }

    fn digest(&self, bytes: &[u8]) -> Option<LocalBoxFuture<'static, Option<Hash256>>> {
        let digest = self.subtle.as_ref()?.digest_with_str_and_u8_array("SHA-256", bytes).ok()?;
        Some(Box::pin(async move {
            let digest = JsFuture::from(digest).await.ok()?;
            let bytes: [u8; 32] = Uint8Array::new(&digest).to_vec().try_into().ok()?;
            Some(Hash256::new(bytes))
        }))
    }

    fn workers(&self) -> Option<&dyn Workers> {
        self.workers.as_deref()
    }
}
