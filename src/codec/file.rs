//! One `.xdr.gz` file of an archive: gzip, then records.
//!
//! What it is: the pipe from compressed chunks to records, with one place that decides what the first bytes are. What
//! it is not: a judge of the records; they go to a [`RecordSink`]. Rules: B.4, E 17, 18, 19, 20.

use core::ops::ControlFlow;

use super::gzip::{GzipDecoder, GzipError, GzipErrorKind, GzipLimits};
use super::hash::Hash256;
use super::record::{FramingError, Record, RecordReader};
use super::u64_from;
use crate::limits::Budget;

/// Where a file's records go.
pub trait RecordSink {
    /// Inflated bytes, in order, before they are cut into records.
    fn bytes(&mut self, _chunk: &[u8]) {}

    /// One complete record.
    fn record(&mut self, record: Record<'_>);

    /// The file as it came, before it is inflated.
    fn stored(&mut self, _part: &[u8]) {}

    /// Content that the host may hash, once all of it came.
    fn undigested(&self) -> Option<&[u8]> {
        None
    }

    /// The SHA-256 of that.
    fn digested(&mut self, _hash: Hash256) {}

    /// Whether the file is known to be wrong: nothing of it needs to be held any more.
    fn is_faulty(&self) -> bool {
        false
    }

    /// Whether the rest of the file is wanted at all.
    fn wants_more(&self) -> bool {
        true
    }

    /// Whether [`RecordSink::bytes`] still wants the rest after the record marks turned out wrong.
    fn wants_bytes_after_framing_error(&self) -> bool {
        false
    }
}

/// How bodies of a transport come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyCoding {
    /// The bytes of the file, as stored.
    AsStored,
    /// An HTTP layer may have undone a `Content-Encoding: gzip` on the way (rules E 20).
    MaybeDecoded,
}

/// Why a file is not a sound sequence of records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The gzip layer is unsound, or a cap of it was reached.
    #[error(transparent)]
    Gzip(#[from] GzipError),
    /// The record marks are unsound.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The file is something else than gzip.
    #[error("the file is not gzip: it starts with {}", describe(.head))]
    NotGzip {
        /// Its first bytes, at most 8.
        head: Vec<u8>,
    },
}

fn describe(head: &[u8]) -> String {
    let kind = match head.first() {
        None => "nothing, it is empty",
        Some(b'<') => "a '<', as a web page does",
        Some(first) if first & 0x80 != 0 => "a record mark, as uncompressed XDR does",
        Some(_) => "other bytes",
    };
    format!("{kind} ({})", if head.is_empty() { "no bytes".to_owned() } else { hex::encode(head) })
}

/// What a sound file was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// Whether the body came already inflated.
    pub already_inflated: bool,
    /// Zero bytes after the gzip data.
    pub zero_padding: u64,
    /// Records in it.
    pub records: u64,
}

/// Caps for one file.
#[derive(Clone, Copy, Debug)]
pub struct FileLimits {
    /// For the gzip layer.
    pub gzip: GzipLimits,
    /// Bytes of a record.
    pub record: usize,
    /// Records of the file.
    pub records: u64,
}

impl FileLimits {
    /// For a ledger, transactions, results or scp file.
    #[must_use]
    pub fn checkpoint_file(budget: &Budget) -> Self {
        Self { gzip: GzipLimits::new(budget, budget.checkpoint_file_bytes), record: budget.record_bytes, records: budget.records_per_file }
    }

    /// For a bucket.
    #[must_use]
    pub fn bucket(budget: &Budget) -> Self {
        Self { gzip: GzipLimits::new(budget, budget.bucket_bytes), record: budget.bucket_record_bytes, records: u64::MAX }
    }
}

/// The push pipe for one file.
#[derive(Debug)]
pub struct FileDecoder {
    coding: BodyCoding,
    layer: Layer,
    limits: FileLimits,
    records: RecordReader,
    framing_error: Option<FramingError>,
    head: Vec<u8>,
    compressed: u64,
    inflated: u64,
}

/// Bytes that a file may be longer than its content, for headers and what tools pad with.
const PADDING: u64 = 1 << 20;

/// First bytes kept to say what a file is that is no gzip.
const HEAD: usize = 8;

#[derive(Debug)]
enum Layer {
    /// No byte has come yet.
    Unknown,
    Gzip(Box<GzipDecoder>),
    Identity,
}

impl FileDecoder {
    /// A pipe at the start of a file.
    #[must_use]
    pub fn new(limits: FileLimits, coding: BodyCoding) -> Self {
        Self {
            coding,
            layer: Layer::Unknown,
            limits,
            records: RecordReader::new(limits.record, limits.records),
            framing_error: None,
            head: Vec::new(),
            compressed: 0,
            inflated: 0,
        }
    }

    /// Whether an HTTP layer inflated the file on the way; known once the first byte has come.
    #[must_use]
    pub fn comes_inflated(&self) -> bool {
        matches!(self.layer, Layer::Identity)
    }

    /// Bytes taken in so far.
    #[must_use]
    pub fn compressed(&self) -> u64 {
        self.compressed
    }

    /// Bytes that came out of the gzip layer so far.
    #[must_use]
    pub fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Takes a chunk of the body. `Break` means that no more is wanted: the outcome is known.
    ///
    /// # Errors
    /// The first fault of the gzip layer. Faults of the record marks come from [`FileDecoder::finish`].
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn RecordSink) -> Result<ControlFlow<()>, FileError> {
        self.compressed += u64_from(chunk.len());
        self.head.extend(chunk.iter().take(HEAD - self.head.len()));
        if let (Layer::Unknown, Some(first)) = (&self.layer, chunk.first()) {
            self.layer = self.sniff(*first);
        }
        // Deflate never makes content longer by more than a few bytes a block: what does is padding or empty members.
        let limit = self.inflated.saturating_add(self.inflated / 8).saturating_add(PADDING).min(self.limits.gzip.inflated);
        if self.compressed > limit.saturating_add(u64_from(chunk.len())) {
            return Err(GzipError { offset: self.compressed, kind: GzipErrorKind::CompressedLimit(limit) }.into());
        }
        let mut into = Into { records: &mut self.records, error: &mut self.framing_error, inflated: &mut self.inflated, sink };
        match &mut self.layer {
            Layer::Unknown => Ok(ControlFlow::Continue(())),
            Layer::Gzip(gzip) => match gzip.push(chunk, &mut |bytes| into.take(bytes)) {
                Err(GzipError { kind: GzipErrorKind::BadMagic, .. }) => Err(FileError::NotGzip { head: self.head.clone() }),
                flow => Ok(flow?),
            },
            Layer::Identity => {
                let flow = into.take(chunk);
                if self.inflated > self.limits.gzip.inflated {
                    let kind = GzipErrorKind::InflatedLimit(self.limits.gzip.inflated);
                    return Err(GzipError { offset: self.compressed, kind }.into());
                }
                Ok(flow)
            }
        }
    }

    /// Says that the body ends here (or that `push` wanted no more).
    ///
    /// # Errors
    /// What is wrong with the file, if anything.
    pub fn finish(&mut self) -> Result<FileSummary, FileError> {
        if let Some(error) = self.framing_error.take() {
            return Err(error.into());
        }
        let (already_inflated, zero_padding) = match (&mut self.layer, self.coding) {
            // An empty body: `gzip` of nothing, undone on the way, is legal for empty transactions and results files.
            (Layer::Unknown, BodyCoding::MaybeDecoded) => (true, 0),
            (Layer::Unknown, BodyCoding::AsStored) => {
                return Err(FileError::NotGzip { head: Vec::new() });
            }
            (Layer::Gzip(gzip), _) => (false, gzip.finish()?.zero_padding),
            (Layer::Identity, _) => (true, 0),
        };
        self.records.finish()?;
        Ok(FileSummary { already_inflated, zero_padding, records: self.records.records() })
    }

    /// Record marks start with the high bit set, gzip with 1f: one byte tells them (and HTML) apart.
    fn sniff(&self, first: u8) -> Layer {
        if self.coding == BodyCoding::MaybeDecoded && first & 0x80 != 0 {
            return Layer::Identity;
        }
        Layer::Gzip(Box::new(GzipDecoder::new(self.limits.gzip)))
    }
}

/// The second half of the pipe, borrowed apart from the gzip layer.
struct Into<'a> {
    records: &'a mut RecordReader,
    error: &'a mut Option<FramingError>,
    inflated: &'a mut u64,
    sink: &'a mut dyn RecordSink,
}

impl Into<'_> {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        *self.inflated += u64_from(bytes.len());
        self.sink.bytes(bytes);
        if self.error.is_none()
            && let Err(error) = self.records.push(bytes, &mut |record| self.sink.record(record))
        {
            *self.error = Some(error);
        }
        if (self.error.is_some() && !self.sink.wants_bytes_after_framing_error()) || !self.sink.wants_more() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
