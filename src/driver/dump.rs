//! The records of one file of an archive, as they are.

use super::Host;
use super::options::ReadOptions;
use super::schedule::Drive;
use crate::archive::error::ReadError;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::{FileLimits, RecordSink};
use crate::codec::record::Record;
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

/// Reads the records of one file of an archive, each as it comes. A read that fails before the first one is tried again.
///
/// # Errors
/// Why the file could not be read to its end; what stands before the fault was handed over.
pub async fn read_records(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
    record: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<u64, DumpError> {
    let limits = if path.kind().is_some() { FileLimits::checkpoint_file(&options.budget) } else { FileLimits::bucket(&options.budget) };
    let mut sink = Records { record, count: 0, failed: None };
    let outcome = read(reader, host, options, path, FileForm::Records(limits), &mut sink).await;
    match (sink.failed, outcome?) {
        (Some(failed), _) => Err(DumpError::Faulty(failed)),
        (None, Delivery::Read(summary)) => summary.map(|summary| summary.records).map_err(|error| DumpError::Faulty(error.to_string())),
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
    let mut bytes = Content(Vec::new());
    match read(reader, host, options, path, FileForm::Plain { limit: options.budget.has_json_bytes }, &mut bytes).await? {
        Delivery::Read(Ok(_)) => {
            serde_json::from_slice(&bytes.0).map_err(|error| DumpError::Faulty(format!("it is not valid JSON: {error}")))
        }
        Delivery::Read(Err(error)) => Err(DumpError::Faulty(error.to_string())),
        Delivery::Missing | Delivery::NotRead(_) => Err(DumpError::Missing),
    }
}

async fn read<S: Progress>(
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
                let Some(delay) = delay.filter(|_| error.is_retryable() && !sink.has_begun() && !host.is_cancelled()) else {
                    return Err(DumpError::Unread(error));
                };
                host.sleep(delay.max(error.retry_after_ms.unwrap_or(0).min(options.retry.max_delay_ms))).await;
            }
        }
    }
    Ok(Delivery::Missing)
}

/// A sink that knows whether another attempt would repeat what was handed over.
trait Progress: RecordSink {
    fn has_begun(&self) -> bool;
}

struct Records<'a> {
    record: &'a mut dyn FnMut(&[u8]) -> Result<(), String>,
    count: u64,
    failed: Option<String>,
}

impl RecordSink for Records<'_> {
    fn record(&mut self, record: Record<'_>) {
        self.count += 1;
        if self.failed.is_none() {
            self.failed = (self.record)(record.bytes).err().map(|error| format!("record {}: {error}", record.index));
        }
    }
}

impl Progress for Records<'_> {
    fn has_begun(&self) -> bool {
        self.count > 0
    }
}

struct Content(Vec<u8>);

impl RecordSink for Content {
    fn bytes(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
    }

    fn record(&mut self, _: Record<'_>) {}
}

impl Progress for Content {
    fn has_begun(&self) -> bool {
        !self.0.is_empty()
    }
}
