//! Archives on the web platform: over `fetch`, and through readers and writers that JavaScript brings (a folder, a zip, S3,
//! anything).

mod fetch;
mod reader;
mod writer;

use futures_util::stream;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, ReadableStreamReadResult};

pub use fetch::{FetchArchive, is_workerd};
pub use reader::JsArchive;
pub use writer::JsArchiveWriter;

use super::Body;
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::codec::file::BodyCoding;

/// A body that streams; dropping it before its end cancels the stream.
fn streamed(stream: &ReadableStream, coding: BodyCoding) -> Result<Body, ReadError> {
    let reader = ReadableStreamDefaultReader::new(stream).map_err(|error| ReadError::new(ReadErrorKind::Unsupported, describe(&error)))?;
    let chunks = stream::unfold(Some(CancelOnDrop(Some(reader))), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Body { chunks: Box::pin(chunks), coding })
}

/// The reader of a stream, until that has ended. Its lock is never released: nobody else wants the stream, and for each release the
/// platform makes an error with its stack, to reject a promise that nobody looks at.
struct CancelOnDrop(Option<ReadableStreamDefaultReader>);

impl CancelOnDrop {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let result = JsFuture::from(reader.read()).await.map_err(|error| {
            self.0 = None;
            ReadError::new(ReadErrorKind::Body, format!("the body broke off: {}", describe(&error)))
        })?;
        let result: ReadableStreamReadResult = result.unchecked_into();
        if result.get_done().unwrap_or_default() {
            self.0 = None;
            return Ok(None);
        }
        let chunk = result.get_value().dyn_into::<Uint8Array>();
        let chunk = chunk.map_err(|_| ReadError::new(ReadErrorKind::Unsupported, "a chunk of the body is no Uint8Array"))?;
        Ok(Some(chunk.to_vec()))
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(reader) = self.0.take() {
            let cancelled = JsFuture::from(reader.cancel());
            // A stream that cannot be cancelled is no loss, but a rejection that nobody looks at is reported as one.
            wasm_bindgen_futures::spawn_local(async move {
                let _ = cancelled.await;
            });
        }
    }
}

/// What a thrown value says, with its cause: Node puts the interesting part there.
fn describe(error: &JsValue) -> String {
    let field =
        |value: &JsValue, name: &str| Reflect::get(value, &name.into()).ok().filter(|field| !field.is_undefined() && !field.is_null());
    let message = field(error, "message").and_then(|message| message.as_string()).or_else(|| error.as_string());
    let mut text = message.filter(|message| !message.is_empty()).unwrap_or_else(|| "no reason given".into());
    if let Some(cause) = field(error, "cause") {
        let detail = field(&cause, "message").and_then(|message| message.as_string()).filter(|message| !message.is_empty());
        if let Some(detail) = detail.or_else(|| field(&cause, "code").and_then(|code| code.as_string())) {
            text = format!("{text}: {detail}");
        }
    }
    text
}
