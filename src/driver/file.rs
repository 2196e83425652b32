//! Reading one file into its check: retries, idle timeouts, cancellation, breathing.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::ops::ControlFlow;

use futures_util::future::{Either, select};
use futures_util::{StreamExt, pin_mut};

use super::error::{ReadError, ReadErrorKind, RunError};
use super::event::{Bytes, Count, Event, Progress, Stage};
use super::{Host, RunOptions};
use crate::archive::path::ArchivePath;
use crate::codec::file::{FileDecoder, FileLimits, RecordSink};
use crate::codec::u64_from;
use crate::transport::ArchiveReader;
use crate::verify::checkpoint::{Delivery, Unchecked};

/// Between two looks at timers and messages: long enough to cost nothing, short enough for a cancel button.
const SLICE_MS: u64 = 30;
/// At most ten progress events a second.
const PROGRESS_MS: u64 = 100;
/// A server that sends nothing for that long is given up (stellar-archivist: 30 s to connect, 300 s of I/O).
const IDLE_TIMEOUT_MS: u64 = 60_000;
/// Files in a row that fail for want of a connection before the rest is not tried any more: each takes all its retries, and
/// a range of a million files would take days to say what the first ones said.
const DEAD_AFTER: u32 = 8;
/// Errors kept of one run; the rest says the same.
const ERRORS_KEPT: usize = 1000;

/// What the tasks of a run share.
pub(super) struct Shared<'a> {
    pub(super) reader: &'a dyn ArchiveReader,
    pub(super) host: &'a dyn Host,
    pub(super) options: &'a RunOptions,
    pub(super) counters: Counters,
    pub(super) errors: RefCell<Vec<RunError>>,
    emit: RefCell<&'a mut dyn FnMut(Event)>,
    started_ms: u64,
    last_breath_ms: Cell<u64>,
    last_progress_ms: Cell<u64>,
    /// Files in a row that failed for want of a connection, retries included.
    unreachable: Cell<u32>,
}

/// How far the run is. Cells, because tasks interleave on one thread.
pub(super) struct Counters {
    pub(super) stage: Cell<Stage>,
    pub(super) checkpoints: Cell<Count>,
    pub(super) buckets: Cell<Count>,
    pub(super) findings: Cell<u64>,
    retries: Cell<u64>,
    compressed: Cell<u64>,
    inflated: Cell<u64>,
}

/// A JSON file's bytes, or why there are none.
pub(super) enum JsonBytes {
    Read(Vec<u8>),
    Missing,
    TooLarge,
    NotRead(Unchecked),
}

impl<'a> Shared<'a> {
    pub(super) fn new(reader: &'a dyn ArchiveReader, host: &'a dyn Host, options: &'a RunOptions, emit: &'a mut dyn FnMut(Event)) -> Self {
        let now = host.now_ms();
        let none = Count { done: 0, total: 0 };
        let counters = Counters {
            stage: Cell::new(Stage::Root),
            checkpoints: Cell::new(none),
            buckets: Cell::new(none),
            findings: Cell::new(0),
            retries: Cell::new(0),
            compressed: Cell::new(0),
            inflated: Cell::new(0),
        };
        Self {
            reader,
            host,
            options,
            counters,
            errors: RefCell::new(Vec::new()),
            emit: RefCell::new(emit),
            started_ms: now,
            last_breath_ms: Cell::new(now),
            last_progress_ms: Cell::new(now),
            unreachable: Cell::new(0),
        }
    }

    pub(super) fn emit(&self, event: Event) {
        (self.emit.borrow_mut())(event);
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        self.host.now_ms().saturating_sub(self.started_ms)
    }

    pub(super) fn bytes(&self) -> Bytes {
        Bytes { compressed: self.counters.compressed.get().to_string(), inflated: self.counters.inflated.get().to_string() }
    }

    pub(super) fn emit_progress(&self) {
        self.last_progress_ms.set(self.host.now_ms());
        self.emit(Event::Progress(Progress {
            stage: self.counters.stage.get(),
            checkpoints: self.counters.checkpoints.get(),
            buckets: self.counters.buckets.get(),
            bytes: self.bytes(),
            findings: self.counters.findings.get(),
            retries: self.counters.retries.get(),
            elapsed_ms: self.elapsed_ms(),
        }));
    }

    pub(super) fn emit_progress_if_due(&self) {
        if self.host.now_ms().saturating_sub(self.last_progress_ms.get()) >= PROGRESS_MS {
            self.emit_progress();
        }
    }

    /// Reads a file of records into the check that `make` makes; a retry starts with a fresh one.
    pub(super) async fn read_records<S: RecordSink>(&self, path: &ArchivePath, limits: FileLimits, make: impl Fn() -> S) -> (S, Delivery) {
        let attempt = async || {
            let mut sink = make();
            match self.pump(path, limits, &mut sink).await {
                Ok(delivery) => Ok((sink, delivery)),
                Err(error) => Err(error),
            }
        };
        match self.with_retries(path, attempt).await {
            Ok(read) => read,
            Err(Failure::Missing) => (make(), Delivery::Missing),
            Err(Failure::NotRead(why)) => (make(), Delivery::NotRead(why)),
        }
    }

    /// Reads a JSON file whole, as far as the budget allows.
    pub(super) async fn read_json(&self, path: &ArchivePath) -> JsonBytes {
        match self.with_retries(path, async || self.collect(path).await).await {
            Ok(Some(bytes)) => JsonBytes::Read(bytes),
            Ok(None) => JsonBytes::TooLarge,
            Err(Failure::Missing) => JsonBytes::Missing,
            Err(Failure::NotRead(why)) => JsonBytes::NotRead(why),
        }
    }

    /// Why nothing more is to be started, if so.
    pub(super) fn stopped(&self) -> Option<Unchecked> {
        match () {
            () if self.host.is_cancelled() => Some(Unchecked::Cancelled),
            () if self.unreachable.get() >= DEAD_AFTER => Some(Unchecked::Unreadable),
            () => None,
        }
    }

    /// Stops trying, if the last file failed for want of a connection.
    pub(super) fn give_up_on_a_dead_host(&self) {
        if self.unreachable.get() > 0 {
            self.unreachable.set(DEAD_AFTER);
        }
    }

    /// Whether there is a file, judged by its first bytes: servers that answer missing files with a page or with 403 say
    /// that there is none. When in doubt there is one, and reading it will tell.
    pub(super) async fn probe(&self, path: &ArchivePath) -> bool {
        let first = async {
            let mut body = self.or_stop(self.reader.open(path)).await??;
            self.or_stop(body.chunks.next()).await?.transpose()
        };
        match first.await {
            Ok(first) => first.is_some_and(|bytes| bytes.first() != Some(&b'<')),
            Err(error) => !matches!(error.kind, ReadErrorKind::NotFound | ReadErrorKind::Forbidden),
        }
    }

    async fn pump(&self, path: &ArchivePath, limits: FileLimits, sink: &mut dyn RecordSink) -> Result<Delivery, ReadError> {
        let mut body = self.or_stop(self.reader.open(path)).await??;
        let mut decoder = FileDecoder::new(limits, body.coding);
        while let Some(chunk) = self.or_stop(body.chunks.next()).await? {
            let chunk = chunk?;
            // A transport may hand over a whole file at once: keep the slices short all the same.
            for part in chunk.chunks(1 << 18) {
                let inflated = decoder.inflated();
                let flow = decoder.push(part, sink);
                self.count_bytes(u64_from(part.len()), decoder.inflated() - inflated);
                match flow {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => return Ok(Delivery::Read(decoder.finish())),
                    Err(error) => return Ok(Delivery::Read(Err(error))),
                }
                self.breathe().await?;
            }
        }
        Ok(Delivery::Read(decoder.finish()))
    }

    async fn collect(&self, path: &ArchivePath) -> Result<Option<Vec<u8>>, ReadError> {
        let mut body = self.or_stop(self.reader.open(path)).await??;
        let mut bytes = Vec::new();
        while let Some(chunk) = self.or_stop(body.chunks.next()).await? {
            let chunk = chunk?;
            self.count_bytes(u64_from(chunk.len()), u64_from(chunk.len()));
            if bytes.len() + chunk.len() > self.options.budget.has_json_bytes {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        self.breathe().await?;
        Ok(Some(bytes))
    }

    async fn with_retries<T>(&self, path: &ArchivePath, attempt: impl AsyncFn() -> Result<T, ReadError>) -> Result<T, Failure> {
        let mut retry = 0;
        loop {
            if self.host.is_cancelled() {
                return Err(Failure::NotRead(Unchecked::Cancelled));
            }
            if self.unreachable.get() >= DEAD_AFTER {
                return Err(Failure::NotRead(Unchecked::Unreadable));
            }
            let error = match attempt().await {
                Ok(read) => {
                    self.unreachable.set(0);
                    return Ok(read);
                }
                Err(_) if self.host.is_cancelled() => return Err(Failure::NotRead(Unchecked::Cancelled)),
                Err(error) => error,
            };
            match error.kind {
                ReadErrorKind::NotFound => return Err(Failure::Missing),
                // S3 answers 403 for missing keys when listing is not allowed (rules E 30).
                ReadErrorKind::Forbidden if path.is_optional() => return Err(Failure::Missing),
                ReadErrorKind::Aborted => return Err(Failure::NotRead(Unchecked::Cancelled)),
                _ => {}
            }
            let delay = self.options.retry.delay_ms(retry, self.host.jitter_thousandths()).filter(|_| error.is_retryable());
            let Some(delay_ms) = delay else {
                self.fail(path, &error);
                let unreachable = if error.is_want_of_connection() { self.unreachable.get() + 1 } else { 0 };
                self.unreachable.set(unreachable);
                return Err(Failure::NotRead(Unchecked::Unreadable));
            };
            let delay_ms = error.retry_after_ms.unwrap_or(0).min(self.options.retry.max_delay_ms).max(delay_ms);
            retry += 1;
            self.counters.retries.set(self.counters.retries.get() + 1);
            self.emit(Event::Retry { path: path.clone(), attempt: retry, delay_ms, reason: error.message });
            // Cancelling ends the sleep; the loop then notices.
            let _ = self.or_cancelled(self.host.sleep(delay_ms)).await;
        }
    }

    fn fail(&self, path: &ArchivePath, error: &ReadError) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < ERRORS_KEPT {
            errors.push(RunError { code: error.code(), path: Some(path.clone()), message: error.message.clone(), advice: error.advice() });
        }
    }

    fn count_bytes(&self, compressed: u64, inflated: u64) {
        self.counters.compressed.set(self.counters.compressed.get() + compressed);
        self.counters.inflated.set(self.counters.inflated.get() + inflated);
    }

    /// Lets the platform's other work have its turn, and says how far the run is, when it is time to.
    async fn breathe(&self) -> Result<(), ReadError> {
        self.emit_progress_if_due();
        let now = self.host.now_ms();
        if now.saturating_sub(self.last_breath_ms.get()) >= SLICE_MS {
            self.host.yield_now().await;
            self.last_breath_ms.set(self.host.now_ms());
        }
        if self.host.is_cancelled() { Err(aborted()) } else { Ok(()) }
    }

    /// The future's outcome, unless the run is cancelled or nothing comes for too long.
    async fn or_stop<T>(&self, future: impl Future<Output = T>) -> Result<T, ReadError> {
        let timeout = self.host.sleep(IDLE_TIMEOUT_MS);
        pin_mut!(future);
        match self.or_cancelled(select(future, timeout)).await? {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(ReadError::new(ReadErrorKind::Timeout, format!("nothing came for {} seconds", IDLE_TIMEOUT_MS / 1000))),
        }
    }

    async fn or_cancelled<T>(&self, future: impl Future<Output = T>) -> Result<T, ReadError> {
        pin_mut!(future);
        match select(future, self.host.cancelled()).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(aborted()),
        }
    }
}

enum Failure {
    Missing,
    NotRead(Unchecked),
}

fn aborted() -> ReadError {
    ReadError::new(ReadErrorKind::Aborted, "the run was cancelled")
}
