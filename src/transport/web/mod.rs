//! Archives on the web platform: over `fetch`, and through readers and writers that JavaScript brings (a folder, a zip, S3,
//! anything).

mod fetch;
mod reader;
mod writer;

use futures_util::{StreamExt, TryStreamExt};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;

pub use fetch::{FetchArchive, is_workerd};
pub use reader::JsArchive;
pub use writer::JsArchiveWriter;

use super::Body;
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::codec::file::BodyCoding;

/// A body that streams; dropping it cancels the stream.
fn streamed(stream: ReadableStream, coding: BodyCoding) -> Result<Body, ReadError> {
    let stream = wasm_streams::ReadableStream::from_raw(stream)
        .try_into_stream()
        .map_err(|(error, _)| ReadError::new(ReadErrorKind::Unsupported, describe(&error)))?;
    let chunks =
        stream.map_err(|error| ReadError::new(ReadErrorKind::Body, format!("the body broke off: {}", describe(&error)))).map(|chunk| {
            let chunk = chunk?.dyn_into::<Uint8Array>();
            chunk
                .map(|bytes| bytes.to_vec())
                .map_err(|_| ReadError::new(ReadErrorKind::Unsupported, "a chunk of the body is no Uint8Array"))
        });
    Ok(Body { chunks: Box::pin(chunks), coding })
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
