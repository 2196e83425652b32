//! A place that JavaScript writes to: `{ name, stage(path, { signal }), exists(path, { signal }) }`, where `stage` gives
//! `{ write(bytes), commit(), abort() }`; with `get` it can be read, with `makeDir` folders are made first.

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::{JsArchive, describe};
use crate::archive::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::archive::path::ArchivePath;
use crate::transport::{ArchiveReader, ArchiveWriter, StagedFile};

/// A writer object.
#[derive(Debug)]
pub struct JsArchiveWriter {
    writer: JsValue,
    stage: Function,
    exists: Function,
    make_dir: Option<Function>,
    reader: Option<JsArchive>,
    name: String,
    options: Object,
    signal: AbortSignal,
}

impl JsArchiveWriter {
    /// Takes a writer object.
    ///
    /// # Errors
    /// If it has no methods `stage` and `exists`.
    pub fn new(writer: JsValue, signal: AbortSignal) -> Result<Self, ReadError> {
        let method = |name: &str| Reflect::get(&writer, &name.into()).ok().and_then(|method| method.dyn_into::<Function>().ok());
        let unsupported = || {
            let why = "the destination is no writer with the methods put(path, content, { signal }) and exists(path, { signal })";
            ReadError::new(ReadErrorKind::Unsupported, why)
        };
        let stage = method("stage").ok_or_else(unsupported)?;
        let exists = method("exists").ok_or_else(unsupported)?;
        let make_dir = method("makeDir");
        let reader = method("get").map(|_| JsArchive::new(writer.clone(), signal.clone())).transpose()?;
        let name = Reflect::get(&writer, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_else(|| "destination".into());
        let options = Object::new();
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&options, &"signal".into(), &signal);
        Ok(Self { writer, stage, exists, make_dir, reader, name, options, signal })
    }

    async fn call(&self, method: &Function, argument: &str) -> Result<JsValue, WriteError> {
        settle(method.call2(&self.writer, &argument.into(), &self.options), &self.signal).await
    }

    async fn begin(&self, path: &ArchivePath) -> Result<JsStagedFile, WriteError> {
        let file = self.call(&self.stage, path.as_str()).await?;
        let method = |name: &str| {
            let method = Reflect::get(&file, &name.into()).ok().and_then(|method| method.dyn_into::<Function>().ok());
            method.ok_or_else(|| WriteError::new(WriteErrorKind::Unsupported, format!("what stage() gave has no method {name}")))
        };
        let (write, commit, abort) = (method("write")?, method("commit")?, method("abort")?);
        Ok(JsStagedFile { write, commit, abort, file, signal: self.signal.clone(), ended: false })
    }
}

impl ArchiveWriter for JsArchiveWriter {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(async move {
            let mut file = self.begin(path).await?;
            for chunk in bytes.chunks(CHUNK) {
                file.take(chunk).await?;
            }
            file.commit().await
        })
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        Box::pin(async move { Ok(self.call(&self.exists, path.as_str()).await?.is_truthy()) })
    }

    fn stage<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Box<dyn StagedFile + 'a>, WriteError>> {
        Box::pin(async move {
            let file: Box<dyn StagedFile + 'a> = Box::new(self.begin(path).await?);
            Ok(file)
        })
    }

    fn needs_folders(&self) -> bool {
        self.make_dir.is_some()
    }

    fn make_dir<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(async move {
            if let Some(make_dir) = &self.make_dir {
                self.call(make_dir, folder).await?;
            }
            Ok(())
        })
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        self.reader.as_ref().map(|reader| -> &dyn ArchiveReader { reader })
    }
}

const CHUNK: usize = 1 << 18;

struct JsStagedFile {
    file: JsValue,
    write: Function,
    commit: Function,
    abort: Function,
    signal: AbortSignal,
    ended: bool,
}

impl JsStagedFile {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        settle(self.write.call1(&self.file, &Uint8Array::from(bytes)), &self.signal).await.map(drop)
    }

    async fn commit(mut self) -> Result<(), WriteError> {
        settle(self.commit.call0(&self.file), &self.signal).await?;
        self.ended = true;
        Ok(())
    }
}

impl StagedFile for JsStagedFile {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(self.take(bytes))
    }

    fn commit<'a>(self: Box<Self>) -> LocalBoxFuture<'a, Result<(), WriteError>>
    where
        Self: 'a,
    {
        Box::pin((*self).commit())
    }

    fn abort<'a>(mut self: Box<Self>) -> LocalBoxFuture<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(async move {
            self.ended = true;
            // It never rejects, and if it does all the same, there is nothing that could be done.
            let _ = settle(self.abort.call0(&self.file), &self.signal).await;
        })
    }
}

impl Drop for JsStagedFile {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(promise) = self.abort.call0(&self.file)
        {
            let promise = Promise::resolve(&promise);
            // Nobody waits for it, but a rejection that nobody hears would end a Node process.
            wasm_bindgen_futures::spawn_local(async move { drop(JsFuture::from(promise).await) });
        }
    }
}

/// What a call came to, once its promise is settled.
async fn settle(called: Result<JsValue, JsValue>, signal: &AbortSignal) -> Result<JsValue, WriteError> {
    let outcome = match called {
        Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
        Err(error) => Err(error),
    };
    outcome.map_err(|error| write_error(&error, signal))
}

#[allow(clippy::as_conversions)] // checked to be in range
fn write_error(error: &JsValue, signal: &AbortSignal) -> WriteError {
    let text = |name: &str| Reflect::get(error, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default();
    let number = |name: &str| Reflect::get(error, &name.into()).ok().and_then(|value| value.as_f64());
    let status = number("status").filter(|status| (100.0..600.0).contains(status)).map(|status| status as u16);
    let kind = match (status, text("code").as_str(), text("name").as_str()) {
        _ if signal.aborted() => WriteErrorKind::Aborted,
        (Some(401 | 403), ..) => WriteErrorKind::Forbidden,
        (Some(507), ..) => WriteErrorKind::Full,
        (Some(status), ..) => WriteErrorKind::Http(status),
        (_, "EACCES" | "EPERM" | "EROFS" | "FORBIDDEN", _) | (_, _, "NotAllowedError" | "NoModificationAllowedError" | "SecurityError") => {
            WriteErrorKind::Forbidden
        }
        (_, "ENOSPC" | "EDQUOT" | "EFBIG" | "FULL", _) | (_, _, "QuotaExceededError") => WriteErrorKind::Full,
        (_, "NETWORK", _) => WriteErrorKind::Network,
        (_, "UNSUPPORTED", _) => WriteErrorKind::Unsupported,
        _ => WriteErrorKind::Io,
    };
    let mut written = WriteError::new(kind, describe(error));
    written.retry_after_ms = number("retryAfterMs").filter(|ms| (0.0..1e12).contains(ms)).map(|ms| ms as u64);
    written
}
