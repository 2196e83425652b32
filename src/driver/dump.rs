//! The records of one file of an archive, as they are.

use super::Host;
use super::options::ReadOptions;
use super::schedule::Drive;
use crate::archive::error::ReadError;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::{FileLimits, RecordSink};
use crate::codec::record::Record;
use crate::codec::u64_from;
use crate::historywork::FileForm;
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::checkpoint::Delivery;

/// Why a file could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DumpError {
    /// What is wrong with it.
    #[error("{0}")]
    Faulty(String),
    /// There is no such file.
    #[error("the file is not in the archive")]
    Missing,
    /// The way to it failed.
    #[error("{}", .0.message)]
    Unread(ReadError),
}

/// What was read of a file.
#[derive(Clone, Copy, Debug)]
pub struct ReadRecords {
    /// Records handed over.
    pub records: u64,
    /// Bytes as stored.
    pub compressed: u64,
}

/// Reads the records of one file of an archive, each as it comes. A read that fails before the first one is tried again.
/// Where `record` fails, no more is read.
///
/// # Errors
/// Why the file could not be read to its end; what stands before the fault was handed over.
pub async fn read_records(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
    record: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<ReadRecords, DumpError> {
    let limits = if path.kind().is_some() { FileLimits::checkpoint_file(&options.budget) } else { FileLimits::bucket(&options.budget) };
    let mut sink = Records { record, count: 0, compressed: 0, failed: None };
    let outcome = read(reader, host, options, path, FileForm::Records(limits), &mut sink).await;
    match (sink.failed, outcome?) {
        (Some(failed), _) => Err(DumpError::Faulty(failed)),
        (None, Delivery::Read(Ok(summary))) => Ok(ReadRecords { records: summary.records, compressed: sink.compressed }),
        (None, Delivery::Read(Err(error))) => Err(DumpError::Faulty(error.to_string())),
        (None, _) => Err(DumpError::Missing),
    }
}

/// Reads a state.
///
/// # Errors
/// Why it could not be read.
pub async fn read_json(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
) -> Result<serde_json::Value, DumpError> {
    let bytes = read_plain(reader, host, options, path).await?;
    serde_json::from_slice(&bytes).map_err(|error| DumpError::Faulty(format!("it is not valid JSON: {error}")))
}

/// Reads a state as it is.
///
/// # Errors
/// Why it could not be read.
pub async fn read_plain(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
) -> Result<Vec<u8>, DumpError> {
    let mut bytes = Content(Vec::new());
    match read(reader, host, options, path, FileForm::Plain { limit: options.budget.has_json_bytes }, &mut bytes).await? {
        Delivery::Read(Ok(_)) => Ok(bytes.0),
        Delivery::Read(Err(error)) => Err(DumpError::Faulty(error.to_string())),
        Delivery::Missing | Delivery::NotRead(_) => Err(DumpError::Missing),
    }
}

/// Reads a file of an archive into a sink. A read that fails is tried again as long as the sink can begin again.
///
/// # Errors
/// Why it could not be read to its end; a file that is missing or unsound is a [`Delivery`].
pub(super) async fn read<S: Restart>(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
    form: FileForm,
    sink: &mut S,
) -> Result<Delivery, DumpError> {
    let pool = ArchivePool::new(vec![reader]);
    let drive = Drive::new(&pool, host, options.timeouts);
    for retry in 0.. {
        match drive.stream(ArchiveId::new(0), path, form, sink).await {
            Ok(delivery) => return Ok(delivery),
            Err(error) => {
                let delay = options.retry.delay_ms(retry, host.jitter_thousandths());
                let Some(delay) = delay.filter(|_| error.is_retryable() && !host.is_cancelled() && sink.restart()) else {
                    return Err(DumpError::Unread(error));
                };
                host.sleep(delay.max(error.retry_after_ms.unwrap_or(0).min(options.retry.max_delay_ms))).await;
            }
        }
    }
    Ok(Delivery::Missing)
}

/// A sink that may be read into again.
pub(super) trait Restart: RecordSink {
    /// Forgets what it took; `false` where that was handed on already, so that another attempt would repeat it.
    fn restart(&mut self) -> bool;
}

struct Records<'a> {
    record: &'a mut dyn FnMut(&[u8]) -> Result<(), String>,
    count: u64,
    compressed: u64,
    failed: Option<String>,
}

impl RecordSink for Records<'_> {
    fn record(&mut self, record: Record<'_>) {
        self.count += 1;
        if self.failed.is_none() {
            self.failed = (self.record)(record.bytes).err().map(|error| format!("record {}: {error}", record.index));
        }
    }

    fn stored(&mut self, part: &[u8]) {
        self.compressed = self.compressed.saturating_add(u64_from(part.len()));
    }

    fn wants_more(&self) -> bool {
        self.failed.is_none()
    }
}

impl Restart for Records<'_> {
    fn restart(&mut self) -> bool {
        self.compressed = 0;
        self.count == 0
    }
}

struct Content(Vec<u8>);

impl RecordSink for Content {
    fn bytes(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
    }

    fn record(&mut self, _: Record<'_>) {}
}

impl Restart for Content {
    fn restart(&mut self) -> bool {
        self.0.clear();
        true
    }
}
