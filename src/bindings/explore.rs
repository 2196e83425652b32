//! Looking into one archive: each call has its own signal, all of them share what was read.
//!
//! Views come as JSON text that is parsed once, since records in them are JSON already.

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, JSON};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::{reader, to_js, usage, with_code};
use crate::archive::checkpoint::LedgerSeq;
use crate::driver::ReadOptions;
use crate::driver::explore::{ExploreError, Explorer as Looking, Memory, SearchedSoFar};
use crate::driver::web::WebHost;

/// An archive that is looked into, and what was read of it.
#[derive(Debug)]
#[wasm_bindgen]
pub struct Explorer {
    source: JsValue,
    memory: Memory,
}

#[wasm_bindgen]
impl Explorer {
    /// Of a URL or a reader object; nothing is read yet.
    #[wasm_bindgen(constructor)]
    pub fn new(source: JsValue) -> Self {
        Self { source, memory: Memory::default() }
    }

    /// Forgets what was read.
    pub fn clear(&self) {
        self.memory.clear();
    }

    /// What the archive says of itself.
    ///
    /// # Errors
    /// `FAULTY`, `NOT_FOUND`, `ABORTED`, the code of what kept a file from being read; of other calls `USAGE`, too.
    pub async fn newest(&self, signal: AbortSignal) -> Result<JsValue, JsValue> {
        self.look(signal, Box::new(|looking| Box::pin(async { text(&looking.newest().await?) }))).await
    }

    /// The checkpoint of a ledger.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    pub async fn checkpoint(&self, ledger: u32, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let ledger = LedgerSeq::new(ledger);
        self.look(signal, Box::new(move |looking| Box::pin(async move { text(&looking.checkpoint(ledger).await?) }))).await
    }

    /// A ledger.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    pub async fn ledger(&self, ledger: u32, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let ledger = LedgerSeq::new(ledger);
        self.look(signal, Box::new(move |looking| Box::pin(async move { text(&looking.ledger(ledger).await?) }))).await
    }

    /// A transaction by its place among its ledger's results.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    pub async fn transaction(&self, ledger: u32, index: u32, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let ledger = LedgerSeq::new(ledger);
        self.look(signal, Box::new(move |looking| Box::pin(async move { text(&looking.transaction(ledger, index).await?) }))).await
    }

    /// Looks for a transaction by its hash; `null` if it is in none of the ledgers.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    #[wasm_bindgen(js_name = findTransaction)]
    pub async fn find_transaction(
        &self,
        hash: String,
        low: Option<u32>,
        high: Option<u32>,
        on_progress: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        let hash = hash.trim().parse().map_err(|_| usage("a transaction's hash is 64 hexadecimal digits"))?;
        let (low, high) = (low.map(LedgerSeq::new), high.map(LedgerSeq::new));
        let body: Body = Box::new(move |looking| {
            Box::pin(async move {
                let mut progress = |so_far: SearchedSoFar| tell(&on_progress, &so_far);
                text(&looking.find_transaction(&hash, low, high, &mut progress).await?)
            })
        });
        self.look(signal, body).await
    }

    /// A page of a bucket's entries.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    pub async fn bucket(&self, hash: String, from: u32, limit: u32, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let body: Body = Box::new(move |looking| Box::pin(async move { text(&looking.bucket(hash.trim(), from.into(), limit).await?) }));
        self.look(signal, body).await
    }

    /// Reads a bucket to its end.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    #[wasm_bindgen(js_name = verifyBucket)]
    pub async fn verify_bucket(&self, hash: String, on_progress: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let body: Body = Box::new(move |looking| {
            Box::pin(async move { text(&looking.verify_bucket(hash.trim(), &mut |read| tell(&on_progress, &read)).await?) })
        });
        self.look(signal, body).await
    }

    /// Looks for an entry as it was after a checkpoint.
    ///
    /// # Errors
    /// As [`Explorer::newest`].
    #[wasm_bindgen(js_name = findEntry)]
    pub async fn find_entry(&self, key: String, ledger: u32, on_progress: Function, signal: AbortSignal) -> Result<JsValue, JsValue> {
        let ledger = LedgerSeq::new(ledger);
        let body: Body = Box::new(move |looking| {
            Box::pin(async move { text(&looking.find_entry(key.trim(), ledger, &mut |so_far| tell(&on_progress, &so_far)).await?) })
        });
        self.look(signal, body).await
    }

    /// Boxed, so that all calls are one in the code.
    fn look(&self, signal: AbortSignal, body: Body) -> LocalBoxFuture<'_, Result<JsValue, JsValue>> {
        Box::pin(async move {
            let host = WebHost::new(&signal)?;
            let reader = reader(self.source.clone(), host.signal())?;
            let options = ReadOptions::default();
            let view = body(&Looking::new(&*reader, &host, &options, &self.memory)).await;
            JSON::parse(&view.map_err(|error| with_code(&error.to_string(), error.code(), error.advice()))?)
        })
    }
}

/// What a call does, and the JSON that comes of it.
type Body = Box<dyn for<'a> FnOnce(&'a Looking<'a>) -> LocalBoxFuture<'a, Result<String, ExploreError>>>;

fn text<T: Serialize>(view: &T) -> Result<String, ExploreError> {
    serde_json::to_string(view).map_err(|error| ExploreError::Faulty(error.to_string()))
}

/// A listener that throws must not stop the call; the wrapper in www/lib never does.
fn tell<T: Serialize>(listener: &Function, progress: &T) {
    drop(to_js(progress).and_then(|progress| listener.call1(&JsValue::NULL, &progress)));
}
