//! Runs a scheduler to its end: the only place that waits.
//!
//! Writing is in [`super::write`]. What is wanted and when is the scheduler's (`work`), what a file must be is the items' (`historywork`), whom to ask is the
//! pool's (`transport::pool`). What is left is reading, and letting the platform's other work have its turn.

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::ops::ControlFlow;
use core::task::Poll;
use std::collections::BTreeMap;

use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, pin_mut};

use super::Host;
use super::event::{FileInFlight, MOST_IN_FLIGHT};
use super::write::{Copy, Writers, Written};
use crate::archive::error::{ReadError, ReadErrorKind, WriteError};
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::{BodyCoding, FileDecoder, FileError, RecordSink};
use crate::codec::gzip::{GzipError, GzipErrorKind};
use crate::codec::u64_from;
use crate::historywork::archives::Accounts;
use crate::historywork::{DOWNLOAD, FileForm, HistoryEvent, HistoryWork, ReadEnd, RemoteFile, Scheduler, Step, Turn, WriteEnd};
use crate::transport::pool::{ArchivePool, Choice};
use crate::transport::{ArchiveWriter, Body};
use crate::verify::checkpoint::Delivery;
use crate::work::retry::RetryPolicy;
use crate::work::{Outcome, Started, WorkId};

/// Between two looks at timers and messages: long enough to cost nothing, short enough for a cancel button.
const SLICE_MS: u64 = 30;
/// At most ten progress events a second.
const TICK_MS: u64 = 100;
/// Bytes a second, on average over [`Timeouts::idle_ms`], below which a server is given up: it keeps the connection, not the
/// file, alive.
const SLOWEST: u64 = 1024;

/// When a read is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// Nothing came for so long, or less than 1 kB a second for so long.
    pub idle_ms: u64,
}

impl Default for Timeouts {
    /// One minute (stellar-archivist: 30 s to connect, 300 s of I/O).
    fn default() -> Self {
        Self { idle_ms: 60_000 }
    }
}

/// What a driver needs.
#[allow(missing_debug_implementations)] // hosts and readers have none
pub struct Drive<'a> {
    pool: &'a ArchivePool<'a>,
    host: &'a dyn Host,
    timeouts: Timeouts,
    last_breath_ms: Cell<u64>,
    /// As it happens, for whoever watches; reports count what is settled.
    live: RefCell<Accounts>,
    retries: Cell<u64>,
    /// Reads under way, by their numbers.
    reads: RefCell<BTreeMap<u64, Underway>>,
    next_read: Cell<u64>,
    writers: Writers<'a>,
    /// Bytes a second that are read at most, and when the next may be.
    bandwidth: Option<u64>,
    next_bytes_ms: Cell<u64>,
}

/// What a driver says.
#[allow(missing_debug_implementations)] // a scheduler of items has none
pub enum DriveEvent<'a> {
    /// What an item said.
    History(HistoryEvent),
    /// A read, or a write, failed and is tried again.
    Retry {
        /// Which file.
        path: String,
        /// Who did not deliver, or take it.
        archive: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// When the next one starts; 0 where another archive is asked at once.
        delay_ms: u64,
        /// Why it failed.
        reason: String,
    },
    /// Time to look how far the work is; at most ten a second.
    Tick(&'a Scheduler),
}

/// A started item, and how what it wanted ended.
type Ended = (WorkId, Box<dyn HistoryWork>, u32, End);

/// What a read says of the way, and when it was begun.
type Observed = (Outcome, u64);

/// A read under way.
struct Underway {
    path: ArchivePath,
    archive: ArchiveId,
    bytes: u64,
}

/// Ends the telling of a read, however the read ends: one that is given up is dropped.
struct Told<'d> {
    reads: &'d RefCell<BTreeMap<u64, Underway>>,
    number: u64,
}

impl Told<'_> {
    fn count(&self, bytes: u64) {
        if let Some(read) = self.reads.borrow_mut().get_mut(&self.number) {
            read.bytes = read.bytes.saturating_add(bytes);
        }
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.reads.borrow_mut().remove(&self.number);
    }
}

/// How something that takes its time ended.
enum End {
    Read(RemoteFile, ReadEnd, Option<Observed>),
    /// What was written is told by its path, or by its folder; and where.
    Wrote(String, crate::archive::id::WriterId, WriteEnd),
}

impl<'a> Drive<'a> {
    /// A driver over a pool.
    #[must_use]
    pub fn new(pool: &'a ArchivePool<'a>, host: &'a dyn Host, timeouts: Timeouts) -> Self {
        let last_breath_ms = Cell::new(host.now_ms());
        Self {
            pool,
            host,
            timeouts,
            last_breath_ms,
            live: RefCell::default(),
            retries: Cell::new(0),
            reads: RefCell::default(),
            next_read: Cell::new(0),
            writers: Writers::default(),
            bandwidth: None,
            next_bytes_ms: Cell::new(0),
        }
    }

    /// With places to write to; a [`crate::archive::id::WriterId`] is a place in the list.
    #[must_use]
    pub fn with_writers(mut self, writers: Vec<&'a dyn ArchiveWriter>) -> Self {
        self.writers = Writers::new(writers);
        self
    }

    /// Reads at most so many bytes a second, over all archives together.
    #[must_use]
    pub fn with_bandwidth(mut self, bytes_a_second: Option<u64>) -> Self {
        self.bandwidth = bytes_a_second.filter(|limit| *limit > 0);
        self
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> Written {
        self.writers.written()
    }

    pub(super) fn writers(&self) -> &Writers<'a> {
        &self.writers
    }

    /// The archives.
    #[must_use]
    pub fn pool(&self) -> &'a ArchivePool<'a> {
        self.pool
    }

    /// What was asked of each archive, as it happens.
    #[must_use]
    pub fn live(&self) -> Accounts {
        self.live.borrow().clone()
    }

    /// Reads that were tried again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// The files that are being read, those first that were begun first, at most so many as a snapshot names; and how many there are.
    #[must_use]
    pub fn files_in_flight(&self) -> (Vec<FileInFlight>, u64) {
        let reads = self.reads.borrow();
        let file = |read: &Underway| FileInFlight {
            path: read.path.as_str().to_owned(),
            archive: self.pool.name(read.archive).to_owned(),
            bytes: read.bytes.to_string(),
        };
        (reads.values().take(MOST_IN_FLIGHT).map(file).collect(), u64_from(reads.len()))
    }

    fn tell(&self, archive: ArchiveId, path: &ArchivePath) -> Told<'_> {
        let number = self.next_read.get();
        self.next_read.set(number.wrapping_add(1));
        self.reads.borrow_mut().insert(number, Underway { path: path.clone(), archive, bytes: 0 });
        Told { reads: &self.reads, number }
    }

    /// Runs every item of the scheduler to its end. After a cancel nothing is started, and what runs is stopped.
    pub async fn run_to_completion(&self, scheduler: &mut Scheduler, emit: &mut dyn FnMut(DriveEvent<'_>)) {
        let mut tasks: FuturesUnordered<LocalBoxFuture<'_, Ended>> = FuturesUnordered::new();
        let mut timer = self.timer(TICK_MS);
        let mut ticked_ms = self.host.now_ms();
        loop {
            if self.host.is_cancelled() {
                scheduler.abort();
            }
            while let Some(started) = scheduler.start_next(self.host.now_ms()) {
                tasks.extend(self.start(started, scheduler, emit));
                if self.breathe().await.is_err() {
                    scheduler.abort();
                }
            }
            let now = self.host.now_ms();
            if tasks.is_empty() && scheduler.next_due_ms().is_none() {
                break;
            }
            if let Some(due) = scheduler.next_due_ms()
                && due < timer.0
            {
                timer = self.timer(due.saturating_sub(now));
            }
            let ended = if tasks.is_empty() {
                // Cancelling ends the sleep; the loop then notices.
                let _ = self.or_cancelled(&mut timer.1).await;
                None
            } else {
                match select(tasks.next(), &mut timer.1).await {
                    Either::Left((read, _)) => read,
                    Either::Right(_) => None,
                }
            };
            let Some(read) = ended else {
                timer = self.timer(TICK_MS);
                if self.host.now_ms().saturating_sub(ticked_ms) >= TICK_MS {
                    ticked_ms = self.host.now_ms();
                    emit(DriveEvent::Tick(scheduler));
                }
                continue;
            };
            self.ended(read, scheduler, emit);
        }
        emit(DriveEvent::Tick(scheduler));
    }

    fn timer(&self, ms: u64) -> (u64, LocalBoxFuture<'static, ()>) {
        (self.host.now_ms() + ms, self.host.sleep(ms))
    }

    /// A turn of an item; if it wants a file, the reading of it.
    fn start(
        &self,
        started: Started<Box<dyn HistoryWork>>,
        scheduler: &mut Scheduler,
        emit: &mut dyn FnMut(DriveEvent<'_>),
    ) -> Option<LocalBoxFuture<'_, Ended>> {
        let Started { id, mut work, retry, family } = started;
        let step = work.run(&mut Turn {
            id,
            family,
            scheduler,
            now_ms: self.host.now_ms(),
            unreachable: self.pool.is_dead(),
            emit: &mut |event| emit(DriveEvent::History(event)),
        });
        match step {
            Step::Get(file) => Some(Box::pin(async move {
                let (end, observed) = self.read(&*work, &file).await;
                (id, work, retry, End::Read(file, end, observed))
            })),
            Step::Put(file) => Some(Box::pin(async move {
                let end = self.put(&file).await;
                (id, work, retry, End::Wrote(file.path.as_str().to_owned(), file.writer, end))
            })),
            Step::MakeDir { writer, folder } => Some(Box::pin(async move {
                let end = self.make_dir(writer, &folder).await;
                (id, work, retry, End::Wrote(folder, writer, end))
            })),
            Step::Ended(ran) => {
                let ended = scheduler.ended(id, work, ran, self.host.now_ms(), self.host.jitter_thousandths());
                debug_assert!(ended.is_ok(), "invariant: {ended:?}");
                None
            }
        }
    }

    fn ended(&self, (id, mut work, retry, end): Ended, scheduler: &mut Scheduler, emit: &mut dyn FnMut(DriveEvent<'_>)) {
        let failed = match &end {
            End::Read(file, ReadEnd::Failed { archive, error }, _) if error.kind != ReadErrorKind::Aborted => {
                Some((file.path.as_str().to_owned(), self.pool.name(*archive).to_owned(), error.message.clone()))
            }
            End::Wrote(path, writer, WriteEnd::Failed { error }) => {
                Some((path.clone(), self.writers.name(*writer).to_owned(), error.message.clone()))
            }
            _ => None,
        };
        let now = self.host.now_ms();
        let ran = match end {
            End::Read(_, end, observed) => {
                if let Some((outcome, began_ms)) = observed {
                    scheduler.observe(DOWNLOAD, outcome, began_ms, now);
                }
                work.read(end, retry)
            }
            End::Wrote(.., end) => work.wrote(end, retry),
        };
        let now = self.host.now_ms();
        let state = scheduler.ended(id, work, ran, now, self.host.jitter_thousandths());
        debug_assert!(state.is_ok(), "invariant: {state:?}");
        if let (Ok(state), Some((path, archive, reason))) = (state, failed)
            && !state.is_terminal()
        {
            self.retries.set(self.retries.get() + 1);
            let delay_ms = scheduler.due_ms(id).map_or(0, |due| due.saturating_sub(now));
            emit(DriveEvent::Retry { path, archive, attempt: retry + 1, delay_ms, reason });
        }
    }

    /// Reads a file for an item from whichever archive the pool chooses.
    async fn read(&self, work: &dyn HistoryWork, file: &RemoteFile) -> (ReadEnd, Option<Observed>) {
        let archive = loop {
            if self.host.is_cancelled() {
                return (ReadEnd::Cancelled, None);
            }
            let now = self.host.now_ms();
            match self.pool.choose(&file.avoid, now, self.host.jitter_thousandths()) {
                Choice::Ask(archive) => break archive,
                Choice::Nobody => return (ReadEnd::Nobody, None),
                Choice::Wait { until_ms } if file.patience_ms.is_some_and(|patience| until_ms > now.saturating_add(patience)) => {
                    return (ReadEnd::Nobody, None);
                }
                // Cancelling ends the sleep; the loop then notices.
                Choice::Wait { until_ms } => drop(self.or_cancelled(self.host.sleep(until_ms.saturating_sub(now))).await),
            }
        };
        let Some(mut reading) = work.reading() else { return (ReadEnd::Nobody, None) };
        let began_ms = self.host.now_ms();
        // What is no request over a network says nothing of one.
        let observed = |outcome| self.pool.reader(archive).filter(|reader| reader.is_remote()).map(|_| (outcome, began_ms));
        self.live.borrow_mut().of(archive).requests += 1;
        match self.pump(archive, file, &mut *reading).await {
            Ok(Pumped { delivery, waited_ms, compressed, inflated, copy }) => {
                let observed = observed(Outcome::Answered { waited_ms, bytes: compressed });
                let sound = reading.finish(delivery);
                let copied = match copy {
                    Some(Err(error)) if sound => Some(Err(error)),
                    Some(Ok(copy)) if sound => Some(self.commit(copy).await),
                    Some(Ok(copy)) => {
                        self.abandon(copy).await;
                        None
                    }
                    Some(Err(_)) | None => None,
                };
                (ReadEnd::Answered { archive, compressed, inflated, copied }, observed)
            }
            Err(_) if self.host.is_cancelled() => (ReadEnd::Cancelled, None),
            Err(error) => {
                self.pool.failed(archive, &file.path, &error, self.host.now_ms());
                let mut live = self.live.borrow_mut();
                let account = live.of(archive);
                *(if error.is_throttling() { &mut account.throttled } else { &mut account.failures }) += 1;
                let observed = error.is_overload().then(|| observed(Outcome::Refused)).flatten();
                (ReadEnd::Failed { archive, error }, observed)
            }
        }
    }

    /// Reads a file of records of one archive, once, into a sink.
    ///
    /// # Errors
    /// Why it could not be read to its end; a file that is missing or unsound is a [`Delivery`].
    pub(super) async fn stream(
        &self,
        archive: ArchiveId,
        path: &ArchivePath,
        form: FileForm,
        sink: &mut dyn RecordSink,
    ) -> Result<Delivery, ReadError> {
        let file = RemoteFile { path: path.clone(), form, avoid: Vec::new(), fresh: false, patience_ms: None, copy_to: None };
        self.pump(archive, &file, sink).await.map(|pumped| pumped.delivery)
    }

    async fn pump<'f>(&self, archive: ArchiveId, file: &'f RemoteFile, reading: &mut dyn RecordSink) -> Result<Pumped<'f>, ReadError>
    where
        'a: 'f,
    {
        let opened_ms = self.host.now_ms();
        let told = self.tell(archive, &file.path);
        let mut body = match self.open(archive, &file.path, file.fresh).await {
            Ok(body) => body,
            Err(error) => {
                let missing = error.kind == ReadErrorKind::NotFound
                    // S3 answers 403 for missing keys when listing is not allowed (rules E 30).
                    || (error.kind == ReadErrorKind::Forbidden && file.path.is_optional());
                if missing {
                    let waited_ms = self.host.now_ms().saturating_sub(opened_ms);
                    self.pool.answered(archive, waited_ms);
                    return Ok(Pumped { delivery: Delivery::Missing, waited_ms, compressed: 0, inflated: 0, copy: None });
                }
                return Err(error);
            }
        };
        let waited_ms = self.host.now_ms().saturating_sub(opened_ms);
        let mut pipe = Pipe::new(file.form, body.coding);
        let mut pace = Pace { since_ms: self.host.now_ms(), bytes: 0 };
        let mut copy: Option<Result<Copy<'f>, WriteError>> = None;
        while let Some(chunk) = self.or_stop(body.chunks.next()).await? {
            let chunk = chunk?;
            self.keep_pace(&mut pace, u64_from(chunk.len()))?;
            // A transport may hand over a whole file at once: keep the slices short all the same.
            for part in chunk.chunks(1 << 18) {
                let inflated = pipe.inflated;
                reading.stored(part);
                let flow = pipe.push(part, reading);
                self.count_bytes(archive, u64_from(part.len()), pipe.inflated - inflated);
                told.count(u64_from(part.len()));
                if flow.is_break() {
                    return Ok(self.pumped(archive, opened_ms, waited_ms, pipe, copy));
                }
                if let Some(to) = file.copy_to {
                    let begun = match copy.take() {
                        None => self.stage(to, &file.path, pipe.comes_inflated()).await,
                        Some(begun) => begun,
                    };
                    // One that fails is gone; the file is still verified.
                    copy = Some(match begun {
                        Ok(begun) => self.copy(begun, part).await,
                        Err(error) => Err(error),
                    });
                }
                self.keep_to_bandwidth(u64_from(part.len()), &mut pace).await?;
                self.breathe().await?;
            }
        }
        if let Some(digest) = reading.undigested().and_then(|bytes| self.host.digest(bytes))
            && let Some(hash) = self.or_stop(digest).await?
        {
            reading.digested(hash);
        }
        Ok(self.pumped(archive, opened_ms, waited_ms, pipe, copy))
    }

    /// Waits until the bytes that were just read are allowed for.
    async fn keep_to_bandwidth(&self, bytes: u64, pace: &mut Pace) -> Result<(), ReadError> {
        let Some(limit) = self.bandwidth else { return Ok(()) };
        let now = self.host.now_ms();
        let until = self.next_bytes_ms.get().max(now).saturating_add(bytes.saturating_mul(1000) / limit);
        self.next_bytes_ms.set(until);
        if until > now {
            self.or_cancelled(self.host.sleep(until - now)).await?;
            // It was not the server that was slow.
            *pace = Pace { since_ms: self.host.now_ms(), bytes: 0 };
        }
        Ok(())
    }

    fn pumped<'f>(
        &self,
        archive: ArchiveId,
        opened_ms: u64,
        waited_ms: u64,
        pipe: Pipe,
        copy: Option<Result<Copy<'f>, WriteError>>,
    ) -> Pumped<'f> {
        // Long files are not slow archives: half a minute says enough.
        self.pool.answered(archive, self.host.now_ms().saturating_sub(opened_ms).min(30_000) / (1 + pipe.compressed / (1 << 20)));
        let Pipe { compressed, inflated, .. } = pipe;
        Pumped { delivery: pipe.finish(), waited_ms, compressed, inflated, copy }
    }

    /// Opens a file of an archive.
    pub(super) async fn open(&self, archive: ArchiveId, path: &ArchivePath, fresh: bool) -> Result<Body, ReadError> {
        // Polling starts the request: after an abort none is.
        if self.host.is_cancelled() {
            return Err(aborted());
        }
        let Some(reader) = self.pool.reader(archive) else {
            return Err(ReadError::new(ReadErrorKind::Unsupported, "there is no such archive"));
        };
        self.or_stop(if fresh { reader.open_fresh(path) } else { reader.open(path) }).await?
    }

    /// Whether the run is to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.host.is_cancelled()
    }

    /// Waits until an archive may be asked again after a failure; `false` if it is not to be.
    pub(super) async fn rest_after(
        &self,
        archive: ArchiveId,
        path: &ArchivePath,
        error: &ReadError,
        policy: RetryPolicy,
        retry: u32,
    ) -> bool {
        self.pool.failed(archive, path, error, self.host.now_ms());
        let Some(delay) = policy.delay_ms(retry, self.host.jitter_thousandths()) else { return false };
        let others: Vec<_> = self.pool.ids().filter(|id| *id != archive).collect();
        let now = self.host.now_ms();
        let rest = match self.pool.choose(&others, now, 0) {
            Choice::Ask(_) => 0,
            Choice::Wait { until_ms } => until_ms.saturating_sub(now),
            Choice::Nobody => return false,
        };
        self.or_cancelled(self.host.sleep(delay.max(rest))).await.is_ok()
    }

    fn count_bytes(&self, archive: ArchiveId, compressed: u64, inflated: u64) {
        let mut live = self.live.borrow_mut();
        let account = live.of(archive);
        account.compressed += compressed;
        account.inflated += inflated;
    }

    fn keep_pace(&self, pace: &mut Pace, bytes: u64) -> Result<(), ReadError> {
        pace.bytes += bytes;
        let now = self.host.now_ms();
        let ms = now.saturating_sub(pace.since_ms);
        if ms < self.timeouts.idle_ms {
            return Ok(());
        }
        if pace.bytes.saturating_mul(1000) / ms.max(1) < SLOWEST {
            let message = format!("only {} bytes came in {} s", pace.bytes, ms.div_ceil(1000));
            return Err(ReadError::new(ReadErrorKind::Timeout, message));
        }
        *pace = Pace { since_ms: now, bytes: 0 };
        Ok(())
    }

    /// Lets the platform's other work have its turn when it is time to.
    async fn breathe(&self) -> Result<(), ReadError> {
        if self.host.now_ms().saturating_sub(self.last_breath_ms.get()) >= SLICE_MS {
            self.host.yield_now().await;
            self.last_breath_ms.set(self.host.now_ms());
        }
        if self.host.is_cancelled() { Err(aborted()) } else { Ok(()) }
    }

    /// The future's outcome, unless the run is cancelled or nothing comes for too long.
    pub(super) async fn or_stop<T>(&self, future: impl Future<Output = T>) -> Result<T, ReadError> {
        self.or_stop_within(future, self.timeouts.idle_ms).await
    }

    /// How long a write may take: a place may take a large file only whole.
    pub(super) fn patience_for_writes_ms(&self) -> u64 {
        self.timeouts.idle_ms.saturating_mul(10)
    }

    /// The future's outcome, unless the run is cancelled or it takes longer.
    pub(super) async fn or_stop_within<T>(&self, future: impl Future<Output = T>, idle_ms: u64) -> Result<T, ReadError> {
        pin_mut!(future);
        let mut ends = None;
        let waited = poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(Some(output)));
            }
            // Most of what is waited for is there already: only what is not costs a timer.
            let (timeout, cancelled) = ends.get_or_insert_with(|| (self.host.sleep(idle_ms), self.host.cancelled()));
            match (cancelled.as_mut().poll(context), timeout.as_mut().poll(context)) {
                (Poll::Ready(()), _) => Poll::Ready(Err(aborted())),
                (_, Poll::Ready(())) => Poll::Ready(Ok(None)),
                _ => Poll::Pending,
            }
        });
        waited.await?.ok_or_else(|| {
            ReadError::new(ReadErrorKind::Timeout, format!("nothing came for {}.{} s", idle_ms / 1000, idle_ms % 1000 / 100))
        })
    }

    async fn or_cancelled<T>(&self, future: impl Future<Output = T>) -> Result<T, ReadError> {
        pin_mut!(future);
        match select(future, self.host.cancelled()).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(aborted()),
        }
    }
}

struct Pumped<'f> {
    delivery: Delivery,
    /// Until the answer began.
    waited_ms: u64,
    compressed: u64,
    inflated: u64,
    /// What of it was copied, where it was to be.
    copy: Option<Result<Copy<'f>, WriteError>>,
}

struct Pace {
    since_ms: u64,
    bytes: u64,
}

/// From the bytes of a body to what a reading takes.
struct Pipe {
    layer: Layer,
    compressed: u64,
    inflated: u64,
    fault: Option<FileError>,
}

enum Layer {
    Plain { limit: usize },
    Records(Box<FileDecoder>),
}

impl Pipe {
    fn new(form: FileForm, coding: BodyCoding) -> Self {
        let layer = match form {
            FileForm::Plain { limit } => Layer::Plain { limit },
            FileForm::Records(limits) => Layer::Records(Box::new(FileDecoder::new(limits, coding))),
        };
        Self { layer, compressed: 0, inflated: 0, fault: None }
    }

    /// Whether an HTTP layer inflated the file on the way.
    fn comes_inflated(&self) -> bool {
        matches!(&self.layer, Layer::Records(decoder) if decoder.comes_inflated())
    }

    fn push(&mut self, part: &[u8], reading: &mut dyn RecordSink) -> ControlFlow<()> {
        self.compressed += u64_from(part.len());
        match &mut self.layer {
            Layer::Plain { limit } => {
                let limit = u64_from(*limit);
                self.inflated = self.compressed;
                if self.inflated > limit {
                    self.fault = Some(GzipError { offset: limit, kind: GzipErrorKind::InflatedLimit(limit) }.into());
                    return ControlFlow::Break(());
                }
                reading.bytes(part);
                ControlFlow::Continue(())
            }
            Layer::Records(decoder) => {
                let flow = decoder.push(part, reading);
                self.inflated = decoder.inflated();
                flow.unwrap_or_else(|error| {
                    self.fault = Some(error);
                    ControlFlow::Break(())
                })
            }
        }
    }

    fn finish(self) -> Delivery {
        Delivery::Read(match (self.fault, self.layer) {
            (Some(fault), _) => Err(fault),
            (None, Layer::Records(mut decoder)) => decoder.finish(),
            (None, Layer::Plain { .. }) => Ok(crate::codec::file::FileSummary { already_inflated: false, zero_padding: 0, records: 0 }),
        })
    }
}

fn aborted() -> ReadError {
    ReadError::new(ReadErrorKind::Aborted, "the run was cancelled")
}
