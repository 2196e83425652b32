//! The stages of a verification one by one, for `npm run bench`.
//!
//! What it is: the verifier's own parts (its inflater, its hasher, its checks, its joins) over the files of one archive, each alone and
//! on one thread. What it is not: a second verifier. It uses nothing but the crate's public API, so that what is measured is what is
//! shipped; only records are decoded here by `stellar-xdr` itself, because the verifier has no such step by itself.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use stellar_archive_verifier::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::network::Network;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::archive::state::BucketHash;
use stellar_archive_verifier::codec::file::{BodyCoding, FileDecoder, FileLimits, RecordSink};
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipLimits};
use stellar_archive_verifier::codec::hash::{Hash256, Hasher, sha256};
use stellar_archive_verifier::codec::record::{Record, RecordReader};
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::verify::bucket::{BucketCheck, ListKind};
use stellar_archive_verifier::verify::checkpoint::{CheckpointFiles, Delivery, LedgerCheck, Rules, Status, assemble};
use stellar_archive_verifier::verify::results::ResultsCheck;
use stellar_archive_verifier::verify::scp::ScpCheck;
use stellar_archive_verifier::verify::segment::Segment;
use stellar_archive_verifier::verify::state::{JsonDelivery, check_checkpoint_state};
use stellar_archive_verifier::verify::transactions::TransactionsCheck;
use stellar_xdr::{
    BucketEntry, LedgerHeaderHistoryEntry, Limited, Limits, ReadXdr, ScpHistoryEntry, TransactionHistoryEntry,
    TransactionHistoryResultEntry,
};

#[cfg(target_arch = "wasm32")]
mod exports;

/// What goes wrong, in words: whoever measures is told.
pub type Failure = Box<dyn std::error::Error>;

/// As transports deliver.
const CHUNK: usize = 64 * 1024;

/// The files of one archive, as they are and inflated.
pub struct Stages {
    stored: Vec<(String, Vec<u8>)>,
    inflated: BTreeMap<String, Vec<u8>>,
    checkpoints: Vec<Checkpoint>,
    rules: Rules,
}

impl Stages {
    /// Takes what bench/archive.mjs made: `path length, path, content length, content`, again and again.
    pub fn load(mut bundle: &[u8]) -> Result<Self, Failure> {
        let mut stages = Self { stored: Vec::new(), inflated: BTreeMap::new(), checkpoints: Vec::new(), rules: Rules::default() };
        while !bundle.is_empty() {
            let path = std::str::from_utf8(field(&mut bundle)?)?.to_owned();
            stages.stored.push((path, field(&mut bundle)?.to_owned()));
        }
        for (path, content) in &stages.stored {
            let mut whole = Vec::new();
            match path.ends_with(".gz") {
                true => drop(inflate(content, &mut |chunk| whole.extend_from_slice(chunk))?),
                false => whole.clone_from(content),
            }
            if let Some(hex) = path.strip_prefix("history/").and_then(|rest| rest.strip_suffix(".json")?.rsplit_once('-')) {
                let ledger = LedgerSeq::new(u32::from_str_radix(hex.1, 16)?);
                stages.checkpoints.push(CheckpointFrequency::Standard.ending_at(ledger).ok_or("no checkpoint ends there")?);
            }
            if path == ".well-known/stellar-history.json" {
                let state: serde_json::Value = serde_json::from_slice(content)?;
                let network = state.get("networkPassphrase").and_then(|name| name.as_str()).map(Network::from_passphrase);
                stages.rules = Rules::new(network, false, Budget::default());
            }
            stages.inflated.insert(path.clone(), whole);
        }
        stages.checkpoints.sort_by_key(|checkpoint| checkpoint.last_ledger());
        Ok(stages)
    }

    /// gzip, with its checksums.
    pub fn inflate(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for (_, content) in self.stored.iter().filter(|(path, _)| path.ends_with(".gz")) {
            bytes += inflate(content, &mut |chunk| {
                std::hint::black_box(chunk);
            })?;
        }
        Ok(bytes)
    }

    /// SHA-256 of what hashes cover: buckets as they stream, records of the other files at once. No hash covers what validators said.
    pub fn hash(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for (path, content) in self.gzipped().filter(|(path, _)| !path.starts_with("scp/")) {
            if path.starts_with("bucket/") {
                let mut hasher = Hasher::default();
                content.chunks(CHUNK).for_each(|chunk| hasher.update(chunk));
                std::hint::black_box(hasher.finish());
                bytes += u64::try_from(content.len())?;
            } else {
                records(content, &mut |record| {
                    bytes += record.bytes.len() as u64;
                    std::hint::black_box(sha256(&[record.bytes]));
                })?;
            }
        }
        Ok(bytes)
    }

    /// Every record as a value of stellar-xdr, bucket entries included (which a verification does only when it is deep).
    pub fn decode(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for (path, content) in self.gzipped() {
            let read = match path.split('/').next() {
                Some("bucket") => read::<BucketEntry>,
                Some("ledger") => read::<LedgerHeaderHistoryEntry>,
                Some("results") => read::<TransactionHistoryResultEntry>,
                Some("scp") => read::<ScpHistoryEntry>,
                _ => read::<TransactionHistoryEntry>,
            };
            let mut outcome = Ok(());
            records(content, &mut |record| {
                bytes += record.bytes.len() as u64;
                if let Err(error) = read(record.bytes) {
                    outcome = Err(error);
                }
            })?;
            outcome?;
        }
        Ok(bytes)
    }

    /// All that follows inflating, as a run does it: record marks, hashes, values, rules.
    pub fn check(&self) -> Result<u64, Failure> {
        for checkpoint in &self.checkpoints {
            self.segment(*checkpoint)?;
        }
        for (path, content) in self.gzipped().filter(|(path, _)| path.starts_with("bucket/")) {
            let name = path.rsplit_once('-').and_then(|(_, name)| name.strip_suffix(".xdr.gz")).ok_or("a bucket without a name")?;
            let mut check = BucketCheck::new(&self.rules, BucketHash::new(name.parse::<Hash256>()?), ListKind::Live, None);
            let delivery = deliver(content, FileLimits::bucket(&self.rules.budget), &mut check);
            let report = check.finish(delivery);
            if report.status != Status::Verified {
                return Err(format!("{path} is not verified: {:?}", report.findings).into());
            }
        }
        Ok(self.gzipped().map(|(_, content)| content.len() as u64).sum())
    }

    /// The last checkpoint, verified.
    pub fn last_segment(&self) -> Result<Segment, Failure> {
        self.segment(*self.checkpoints.last().ok_or("no checkpoints")?)
    }

    fn segment(&self, checkpoint: Checkpoint) -> Result<Segment, Failure> {
        let file = |kind| self.inflated.get(ArchivePath::of_checkpoint(kind, checkpoint).as_str()).map(Vec::as_slice);
        let limits = || FileLimits::checkpoint_file(&self.rules.budget);
        let give = |kind, sink: &mut dyn RecordSink| file(kind).map_or(Delivery::Missing, |content| deliver(content, limits(), sink));
        let state = file(FileKind::History).ok_or("no state file")?;
        let history = check_checkpoint_state(&self.rules, checkpoint, JsonDelivery::Read(state));
        let mut check = LedgerCheck::new(&self.rules, checkpoint);
        let delivery = give(FileKind::Ledger, &mut check);
        let ledger = check.finish(delivery).map(Arc::new);
        let mut check = TransactionsCheck::new(&self.rules, &ledger.facts);
        let delivery = give(FileKind::Transactions, &mut check);
        let transactions = check.finish(delivery).map(Arc::new);
        let mut check = ResultsCheck::new(&self.rules, &ledger.facts, &transactions.facts.transactions);
        let delivery = give(FileKind::Results, &mut check);
        let results = check.finish(delivery);
        let mut check = ScpCheck::new(&self.rules, &ledger.facts, false);
        let delivery = give(FileKind::Scp, &mut check);
        let scp = check.finish(delivery);
        let outcome = assemble(CheckpointFiles { history, ledger, transactions, results, scp });
        match outcome.statuses.iter().all(|status| *status == Status::Verified) {
            true => Ok(outcome.segment),
            false => Err(format!("checkpoint {checkpoint} is not verified: {:?}", outcome.segment.findings().list()).into()),
        }
    }

    fn gzipped(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        self.inflated.iter().filter(|(path, _)| path.ends_with(".gz"))
    }
}

/// Joining segments of one checkpoint each, one after the other, as many as one likes.
pub struct Joins {
    rules: Rules,
    pattern: serde_json::Value,
    joined: Option<Segment>,
    waiting: Vec<Segment>,
    next: Checkpoint,
}

impl Joins {
    /// Segments like `pattern`.
    pub fn new(pattern: &Segment) -> Result<Self, Failure> {
        let next = CheckpointFrequency::Standard.containing(LedgerSeq::new(127));
        Ok(Self { rules: Rules::default(), pattern: serde_json::to_value(pattern)?, joined: None, waiting: Vec::new(), next })
    }

    /// Makes the next `count` segments. Their chain is sound, made-up as it is: every header names the one before.
    pub fn prepare(&mut self, count: u32) -> Result<(), Failure> {
        let mut header = serde_json::from_value::<Option<_>>(self.pattern["last"].clone())?.ok_or("a segment without headers")?;
        let hash = |sequence: u32| sha256(&[&sequence.to_be_bytes()]);
        for _ in 0..count {
            let stellar_archive_verifier::verify::header::Header { skip_list, bucket_list_hash, .. } = &mut header;
            *skip_list = [*bucket_list_hash; 4];
            let mut segment = self.pattern.clone();
            for (end, ledger) in [("first", self.next.first_ledger()), ("last", self.next.last_ledger())] {
                header.sequence = ledger;
                header.close_time = ledger.value().into();
                header.hash = hash(ledger.value());
                header.previous_hash = hash(ledger.value() - 1);
                segment[end] = serde_json::to_value(&header)?;
            }
            segment["low"] = serde_json::to_value(self.next)?;
            segment["high"] = segment["low"].clone();
            self.waiting.push(serde_json::from_value(segment)?);
            self.next = self.next.next().ok_or("no more checkpoints")?;
        }
        Ok(())
    }

    /// Joins them to what was joined before, and says how many checkpoints that is.
    pub fn run(&mut self) -> Result<u64, Failure> {
        for segment in self.waiting.drain(..) {
            self.joined = Some(match self.joined.take() {
                Some(joined) => joined.join(segment, &self.rules)?,
                None => segment,
            });
        }
        let joined = self.joined.as_ref().ok_or("nothing to join")?;
        if !joined.findings().list().is_empty() || joined.open_seams() > 0 {
            return Err(format!("the made-up chain is not sound: {:?}", joined.findings().list().first()).into());
        }
        Ok(joined.tally(FileKind::Ledger).total())
    }
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Failure> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or("the bundle ends too early")?;
    let (field, after) = after.split_at_checked(u32::from_le_bytes(*length).try_into()?).ok_or("the bundle ends too early")?;
    *rest = after;
    Ok(field)
}

fn inflate(content: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<u64, Failure> {
    let budget = Budget::default();
    let mut decoder = GzipDecoder::new(GzipLimits::new(&budget, budget.bucket_bytes));
    for chunk in content.chunks(CHUNK) {
        let _ = decoder.push(chunk, &mut |bytes| {
            sink(bytes);
            ControlFlow::Continue(())
        })?;
    }
    decoder.finish()?;
    Ok(decoder.inflated())
}

fn records(content: &[u8], sink: &mut dyn FnMut(Record<'_>)) -> Result<(), Failure> {
    let mut reader = RecordReader::new(Budget::default().record_bytes, u64::MAX);
    for chunk in content.chunks(CHUNK) {
        reader.push(chunk, sink)?;
    }
    Ok(reader.finish()?)
}

fn read<T: ReadXdr>(bytes: &[u8]) -> Result<(), stellar_xdr::Error> {
    let depth = Budget::default().xdr_depth;
    T::read_xdr_to_end(&mut Limited::new(bytes, Limits { depth, len: bytes.len() })).map(|value| drop(std::hint::black_box(value)))
}

/// As a server that undid the compression on the way delivers it.
fn deliver(content: &[u8], limits: FileLimits, sink: &mut dyn RecordSink) -> Delivery {
    let mut decoder = FileDecoder::new(limits, BodyCoding::MaybeDecoded);
    for chunk in content.chunks(CHUNK) {
        if let Err(error) = decoder.push(chunk, sink) {
            return Delivery::Read(Err(error));
        }
    }
    Delivery::Read(decoder.finish())
}
