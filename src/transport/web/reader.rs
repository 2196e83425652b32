//! An archive that JavaScript reads: `{ name, get(path, { signal }) }` with bytes, a stream, or `null` for no such file; with
//! `size(path, { signal })` it can tell how large a file is before it is read.

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStream};

use super::{describe, streamed};
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::archive::path::ArchivePath;
use crate::codec::file::BodyCoding;
use crate::transport::{ArchiveReader, Body};

/// A reader object.
#[derive(Debug)]
pub struct JsArchive {
    reader: JsValue,
    get: Function,
    name: String,
    options: Object,
    signal: AbortSignal,
}

impl JsArchive {
    /// Takes a reader object.
    ///
    /// # Errors
    /// If it has no method `get`.
    pub fn new(reader: JsValue, signal: AbortSignal) -> Result<Self, ReadError> {
        let field = |name: &str| Reflect::get(&reader, &name.into()).ok();
        let get = field("get").and_then(|get| get.dyn_into().ok());
        let get = get.ok_or_else(|| {
            ReadError::new(ReadErrorKind::Unsupported, "the archive is neither a URL nor a reader with a method get(path, { signal })")
        })?;
        let name = field("name").and_then(|name| name.as_string()).unwrap_or_else(|| "reader".into());
        let options = Object::new();
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&options, &"signal".into(), &signal);
        Ok(Self { reader, get, name, options, signal })
    }

    async fn read(&self, path: &ArchivePath) -> Result<Body, ReadError> {
        let called = self.get.call2(&self.reader, &path.as_str().into(), &self.options);
        let answer = match called {
            Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.read_error(&error))?;
        if answer.is_null() || answer.is_undefined() {
            return Err(ReadError::new(ReadErrorKind::NotFound, "there is no such file"));
        }
        match answer.dyn_into::<Uint8Array>() {
            Ok(bytes) => Ok(in_chunks(bytes)),
            Err(answer) => match answer.dyn_into::<ReadableStream>() {
                Ok(stream) => streamed(&stream, BodyCoding::AsStored),
                Err(_) => Err(ReadError::new(ReadErrorKind::Unsupported, "the reader returned neither bytes, a stream nor null")),
            },
        }
    }

    fn read_error(&self, error: &JsValue) -> ReadError {
        let code = Reflect::get(error, &"code".into()).ok().and_then(|code| code.as_string()).unwrap_or_default();
        let kind = match code.as_str() {
            _ if self.signal.aborted() => ReadErrorKind::Aborted,
            "EACCES" | "EPERM" | "FORBIDDEN" | "NotAllowedError" => ReadErrorKind::Forbidden,
            _ => ReadErrorKind::Io,
        };
        ReadError::new(kind, describe(error))
    }
}

/// A file that JavaScript has whole stays there: only a chunk at a time is copied into wasm's memory, which never shrinks.
fn in_chunks(bytes: Uint8Array) -> Body {
    let offsets = (0..bytes.length()).step_by(crate::codec::usize_from(CHUNK));
    let chunks = offsets.map(move |offset| {
        let end = offset.saturating_add(CHUNK).min(bytes.length());
        Ok(bytes.subarray(offset, end).to_vec())
    });
    Body { chunks: Box::pin(futures_util::stream::iter(chunks)), coding: BodyCoding::AsStored }
}

const CHUNK: u32 = 1 << 18;

#[allow(clippy::as_conversions)] // checked to be a whole number in range
fn whole_number(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number)).then_some(number as u64)
}

impl ArchiveReader for JsArchive {
    fn name(&self) -> &str {
        &self.name
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        Box::pin(self.read(path))
    }

    fn size<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Option<u64>> {
        Box::pin(async move {
            let size: Function = Reflect::get(&self.reader, &"size".into()).ok()?.dyn_into().ok()?;
            let called = size.call2(&self.reader, &path.as_str().into(), &self.options).ok()?;
            whole_number(JsFuture::from(Promise::resolve(&called)).await.ok()?.as_f64()?)
        })
    }
}
