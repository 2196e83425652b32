//! Makes a proof from an archive: finds the transaction or the entry, reads verified checkpoints, hands out what holds.
//!
//! What it is: which files are read, in which order. What it is not: the proof's form or its rules; those are
//! [`crate::trust::proof`], which has the last word: a proof that does not verify here is not handed out.

use stellar_xdr::{AccountId, LedgerKey, LedgerKeyAccount, Limits, PublicKey, Uint256, WriteXdr};

use super::Host;
use super::download::download_checkpoint;
use super::dump::DumpError;
use super::options::ReadOptions;
use super::roots::{pinned_tip, read_roots};
use super::schedule::Drive;
pub use super::search::SearchProgress;
use super::search::{Searched, scan_bucket, search_transaction};
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::network::Network;
use crate::archive::node::NodeId;
use crate::archive::path::ArchivePath;
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::hash::Hash256;
use crate::codec::u64_from;
use crate::historywork::checkpoint_data::MissingData;
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::Trust;
use crate::trust::proof::make::{Anchored, CannotMake, FoundEntry, Records, Top, buckets_newest_first};
use crate::trust::proof::{Fault, verify_proof};
use crate::verify::finding::FindingCode;

/// Bytes of inflated buckets that are embedded by default.
pub const MAX_BUCKET_BYTES: u64 = 1 << 20;

/// Which transaction to prove.
#[derive(Clone, Debug)]
pub enum WantedTransaction {
    /// By its hash. Archives have no index, so the results files of the range are searched, from the newest down.
    ByHash {
        /// The hash.
        hash: Hash256,
        /// The first ledger that is searched.
        low: Option<LedgerSeq>,
        /// The last ledger that is searched.
        high: Option<LedgerSeq>,
    },
    /// By its place among a ledger's results, which are in apply order, from 0.
    ByPlace {
        /// The ledger.
        ledger: LedgerSeq,
        /// The place.
        index: u32,
    },
}

/// Why there is no proof.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The bucket list does not have the entry, and its buckets are too large to show that.
    #[error(
        "no bucket of ledger {ledger} has the entry, which only all of its {buckets} buckets show: they are more than {limit} bytes; allow more bytes of buckets to embed them"
    )]
    Absent {
        /// The ledger.
        ledger: LedgerSeq,
        /// How many buckets.
        buckets: usize,
        /// The most that may be embedded.
        limit: u64,
    },
    /// A bucket could not be read, or is not what its name says.
    #[error("{path}: {why}; verify the archive, or name others that hold the same history")]
    Bucket {
        /// The file.
        path: ArchivePath,
        /// What is wrong.
        why: String,
    },
    /// The run was cancelled.
    #[error("the search was cancelled")]
    Cancelled,
    /// The records do not have what a proof takes.
    #[error(transparent)]
    CannotMake(#[from] CannotMake),
    /// No checkpoint of the range has the transaction.
    #[error("no ledger from {low} to {high} has the transaction{}", .unread.as_ref().map_or_else(String::new, |path| format!(", but not all could be searched: {path} could not be read")))]
    NotFound {
        /// The first ledger.
        low: LedgerSeq,
        /// The last ledger.
        high: LedgerSeq,
        /// A file that could not be read.
        unread: Option<ArchivePath>,
    },
    /// A checkpoint could not be read, or is faulty.
    #[error("{0}")]
    Read(MissingData),
    /// The proof that was made is wrong: the archive is, or this program is.
    #[error("the proof that the archive's files make is wrong, so it is not handed out: {}: {}", .0.field, .0.message)]
    Refuted(Fault),
    /// Options that make no sense.
    #[error("{0}")]
    Usage(String),
}

impl ProveError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent { .. } | Self::CannotMake(_) | Self::Usage(_) => "USAGE",
            Self::Bucket { .. } | Self::Read(_) | Self::Refuted(_) => "FAULTY",
            Self::Cancelled => "ABORTED",
            Self::NotFound { .. } => "NOT_FOUND",
        }
    }
}

impl From<MissingData> for ProveError {
    fn from(error: MissingData) -> Self {
        Self::Read(error)
    }
}

/// Makes a proof of a transaction.
///
/// # Errors
/// Why there is none.
pub async fn prove_transaction(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    trust: &Trust,
    wanted: WantedTransaction,
    progress: &mut dyn FnMut(SearchProgress),
) -> Result<String, ProveError> {
    let prover = Prover { readers, host, options, trust };
    let (ledger, index) = match wanted {
        WantedTransaction::ByHash { hash, low, high } => prover.search(&hash, low, high, progress).await?,
        WantedTransaction::ByPlace { ledger, index } => (ledger, index),
    };
    if ledger <= LedgerSeq::GENESIS {
        return Err(ProveError::Usage(format!("ledger {ledger} has no transactions: the first that can have some is 2")));
    }
    let (records, network, _) = prover.read(options.frequency.containing(ledger)).await?;
    let (records, top) = prover.top(records, ledger, &network).await?;
    let proof = records.transaction_proof(&network, ledger, index, top)?;
    prover.checked(proof, &network)
}

/// Makes a proof of a ledger entry after a checkpoint's last ledger. `max_bucket_bytes`: inflated buckets beyond that are named
/// but not embedded.
///
/// # Errors
/// Why there is none.
pub async fn prove_entry(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    trust: &Trust,
    key: &LedgerKey,
    checkpoint: LedgerSeq,
    max_bucket_bytes: u64,
) -> Result<String, ProveError> {
    let prover = Prover { readers, host, options, trust };
    let checkpoint = options.frequency.ending_at(checkpoint).ok_or_else(|| {
        let containing = options.frequency.containing(checkpoint);
        ProveError::Usage(format!(
            "ledger {checkpoint} is no checkpoint: archives hold the ledger's state after the last ledger of each, such as {}",
            containing.last_ledger()
        ))
    })?;
    let (records, network, state) = prover.read(checkpoint).await?;
    let (records, top) = prover.top(records, checkpoint.last_ledger(), &network).await?;
    let (found, buckets) = prover.find_entry(&state, key, max_bucket_bytes).await?;
    // A key that was decoded is encoded again to the same bytes.
    let key = key.to_xdr(Limits::none()).map_err(|error| ProveError::Usage(format!("the key cannot be written: {error}")))?;
    let proof = records.entry_proof(&network, &key, &state, found, &buckets, top)?;
    prover.checked(proof, &network)
}

/// Reads a key as people write it: the XDR of a `LedgerKey` in base64, or an account's address.
///
/// # Errors
/// If it is neither.
pub fn parse_ledger_key(text: &str) -> Result<LedgerKey, ProveError> {
    if let Ok(account) = text.parse::<NodeId>() {
        let account_id = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(*account.as_bytes())));
        return Ok(LedgerKey::Account(LedgerKeyAccount { account_id }));
    }
    crate::trust::proof::make::ledger_key(text)
        .ok_or_else(|| ProveError::Usage("the key must be an account's address (G…) or the XDR of a LedgerKey in base64".into()))
}

struct Prover<'a> {
    readers: Vec<&'a dyn ArchiveReader>,
    host: &'a dyn Host,
    options: &'a ReadOptions,
    trust: &'a Trust,
}

impl Prover<'_> {
    /// The ledger of a transaction, and its place in it.
    async fn search(
        &self,
        hash: &Hash256,
        low: Option<LedgerSeq>,
        high: Option<LedgerSeq>,
        progress: &mut dyn FnMut(SearchProgress),
    ) -> Result<(LedgerSeq, u32), ProveError> {
        let high = match high {
            Some(high) => high,
            None => self.tip().await?.last_ledger(),
        };
        let low = low.unwrap_or(LedgerSeq::GENESIS);
        let range = CheckpointRange::covering(low, high, self.options.frequency)
            .ok_or_else(|| ProveError::Usage(format!("there is no ledger from {low} to {high}")))?;
        let (low, high) = (range.first().first_ledger(), range.last().last_ledger());
        match search_transaction(&self.readers, self.host, self.options, hash, range, progress).await {
            Searched::Found(ledger, index) => Ok((ledger, index)),
            Searched::Nowhere { unread } => Err(ProveError::NotFound { low, high, unread }),
            Searched::Cancelled => Err(ProveError::Cancelled),
        }
    }

    async fn tip(&self) -> Result<Checkpoint, ProveError> {
        let pool = ArchivePool::new(self.readers.clone());
        let drive = Drive::new(&pool, self.host, self.options.timeouts);
        let roots = read_roots(&drive, self.options, None, &mut |_| {}).await;
        let why = "the archive does not say how far it reaches: name the last ledger to search";
        pinned_tip(&roots.list, self.options.frequency).ok_or_else(|| ProveError::Usage(why.into()))
    }

    /// The verified records of a checkpoint, and its state.
    async fn read(&self, checkpoint: Checkpoint) -> Result<(Records, Network, HistoryArchiveState), ProveError> {
        let (data, network) = download_checkpoint(self.readers.clone(), self.host, self.options, checkpoint, false)
            .await
            .map_err(|error| if self.host.is_cancelled() { ProveError::Cancelled } else { error.into() })?;
        let why = "the archive does not name its network, whose id is part of every transaction's hash: name it";
        let network = network.ok_or_else(|| ProveError::Usage(why.into()))?;
        let mut records = Records::default();
        records.add(&data.headers, data.transactions, data.tx_results, &data.scp_history);
        Ok((records, network, data.history_archive_state))
    }

    /// The end of the headers: within the ledger's checkpoint if that has what the user believes, else within the next one, too.
    async fn top(&self, mut records: Records, ledger: LedgerSeq, network: &Network) -> Result<(Records, Top), ProveError> {
        let believed = self.trust.believed_on(Some(network));
        let top = |records: &Records| records.top(ledger, &network.id(), believed.as_ref(), &self.trust.hashes);
        let near = top(&records);
        let good_enough = if believed.is_some() { Anchored::ByHash } else { Anchored::ByMessages };
        if near.anchored >= good_enough {
            return Ok((records, near));
        }
        let Some(next) = self.options.frequency.containing(ledger).next() else { return Ok((records, near)) };
        match download_checkpoint(self.readers.clone(), self.host, self.options, next, false).await {
            _ if self.host.is_cancelled() => Err(ProveError::Cancelled),
            Ok((data, _)) => {
                records.add(&data.headers, data.transactions, data.tx_results, &data.scp_history);
                let far = top(&records);
                // Headers of a checkpoint more are worth it only if they end in something better.
                let best = if far.anchored > near.anchored { far } else { near };
                Ok((records, best))
            }
            // The archive ends here.
            Err(MissingData::Faulty(finding)) if finding.code == FindingCode::FileMissing => Ok((records, near)),
            Err(error) => Err(error.into()),
        }
    }

    /// The newest version of an entry, and the buckets that show so, as far as they may be embedded.
    async fn find_entry(
        &self,
        state: &HistoryArchiveState,
        key: &LedgerKey,
        max_bucket_bytes: u64,
    ) -> Result<(Option<FoundEntry>, Vec<Vec<u8>>), ProveError> {
        let mut kept = Kept { buckets: Some(Vec::new()), left: max_bucket_bytes };
        let buckets = buckets_newest_first(&state.current_buckets);
        for (level, is_curr, bucket) in &buckets {
            if let Some(entry) = self.scan(*bucket, key, &mut kept).await? {
                let found = FoundEntry { level: *level, is_curr: *is_curr, entry };
                return Ok((Some(found), kept.buckets.unwrap_or_default()));
            }
        }
        let limit = max_bucket_bytes;
        let too_large = ProveError::Absent { ledger: state.current_ledger, buckets: buckets.len(), limit };
        kept.buckets.map(|all| (None, all)).ok_or(too_large)
    }

    /// Reads a bucket to its end, since only all of it has its name, and keeps it if there is room.
    async fn scan(&self, bucket: BucketHash, key: &LedgerKey, kept: &mut Kept) -> Result<Option<Vec<u8>>, ProveError> {
        let path = ArchivePath::of_bucket(bucket);
        let mut why = String::new();
        for reader in &self.readers {
            let mut content = kept.buckets.is_some().then(Vec::new);
            let mut keep = |part: &[u8]| {
                if let Some(held) = &mut content {
                    held.extend_from_slice(part);
                }
                if content.as_ref().is_some_and(|held| u64_from(held.len()) > kept.left) {
                    content = None;
                }
            };
            let scanned = scan_bucket(*reader, self.host, self.options, &path, key, &mut keep).await;
            if self.host.is_cancelled() {
                return Err(ProveError::Cancelled);
            }
            match scanned {
                Ok(scanned) if scanned.actual == bucket => {
                    kept.add(content);
                    return Ok(scanned.entry);
                }
                Ok(scanned) => why = format!("its content hashes to {}", scanned.actual),
                Err(DumpError::Missing) if !why.is_empty() => {}
                Err(error) => why = error.to_string(),
            }
        }
        Err(ProveError::Bucket { path, why })
    }

    /// The proof, if it holds.
    fn checked(&self, proof: String, network: &Network) -> Result<String, ProveError> {
        let report = verify_proof(&proof, Some(network), self.trust);
        report.fault.map_or(Ok(proof), |fault| Err(ProveError::Refuted(fault)))
    }
}

/// Buckets that were kept to be embedded: all of those that were read, or none.
struct Kept {
    buckets: Option<Vec<Vec<u8>>>,
    left: u64,
}

impl Kept {
    fn add(&mut self, content: Option<Vec<u8>>) {
        let Some(content) = content else {
            self.buckets = None;
            return;
        };
        self.left = self.left.saturating_sub(u64_from(content.len()));
        if let Some(buckets) = &mut self.buckets {
            buckets.push(content);
        }
    }
}
