//! The records of one file of an archive, as they are.

use super::Host;
use super::options::ReadOptions;
use super::schedule::Drive;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::{FileLimits, RecordSink};
use crate::codec::record::Record;
use crate::historywork::FileForm;
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::checkpoint::Delivery;

/// Reads the records of one file of an archive, each as it comes.
///
/// # Errors
/// Why the file could not be read to its end.
pub async fn read_records(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
    record: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<u64, String> {
    struct Sink<'a> {
        record: &'a mut dyn FnMut(&[u8]) -> Result<(), String>,
        failed: Option<String>,
    }
    impl RecordSink for Sink<'_> {
        fn record(&mut self, record: Record<'_>) {
            if self.failed.is_none() {
                self.failed = (self.record)(record.bytes).err().map(|error| format!("record {}: {error}", record.index));
            }
        }
    }
    let pool = ArchivePool::new(vec![reader]);
    let drive = Drive::new(&pool, host, options.timeouts);
    let limits = if path.kind().is_some() { FileLimits::checkpoint_file(&options.budget) } else { FileLimits::bucket(&options.budget) };
    let mut sink = Sink { record, failed: None };
    let outcome = drive.stream(ArchiveId::new(0), path, FileForm::Records(limits), &mut sink).await;
    match (sink.failed, outcome) {
        (Some(failed), _) => Err(failed),
        (None, Ok(Delivery::Read(summary))) => summary.map(|summary| summary.records).map_err(|error| error.to_string()),
        (None, Ok(_)) => Err("the file is not in the archive".into()),
        (None, Err(error)) => Err(format!("{}: {}", error.message, error.advice())),
    }
}
