//! The hashes of all checkpoints below a trusted end: `stellar-core verify-checkpoints` (rules A.2, C).
//!
//! The end is what the user trusts: a hash that he gives, or what the validators of his quorum set signed near the newest
//! ledger. Nothing is handed over unless all of it is proven.

use std::sync::{Arc, PoisonError};

use serde::{Serialize, Serializer};

use super::Host;
use super::options::{ReadOptions, UsageError};
use super::probe::Probe;
use super::roots::{Roots, read_roots, tip};
use super::schedule::{Drive, DriveEvent};
use super::verify::RunOptions;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::network::Network;
use crate::archive::path::FileKind;
use crate::codec::hash::Hash256;
use crate::historywork::archives::Archives;
use crate::historywork::verify_checkpoint_work::{CheckpointOrder, CheckpointsDone, VerifiedCheckpoint, VerifyCheckpointWork};
use crate::historywork::write_verified_checkpoint_hashes_work::{
    CheckpointWalk, SharedWalk, WalkFailure, WriteVerifiedCheckpointHashesWork,
};
use crate::historywork::{COORDINATE, HistoryEvent, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::Trust;
use crate::trust::checkpoint_hashes::CheckpointHashes;
use crate::trust::vouched::Vouched;
use crate::verify::finding::Finding;
use crate::verify::votes::Seal;
use crate::work::WorkSpec;

/// Checkpoints, from the newest down, that are looked at for a seal.
const LOOKED: usize = 8;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct VerifyCheckpointsRequest {
    /// A ledger whose hash the user trusts, any one; without it a seal near the newest ledger is looked for.
    pub history: Option<(LedgerSeq, Hash256)>,
    /// Hashes of an earlier file: the run stops at the newest of them, and they come out with the new ones. Only the newest
    /// is held against the chain.
    pub earlier: Option<CheckpointHashes>,
    /// Where to stop instead of at ledger 1; not together with earlier hashes.
    pub from: Option<LedgerSeq>,
    /// Whose signatures count, where no hash is given; the newest of trusted hashes is such a hash.
    pub trust: Trust,
}

/// The hashes of checkpoints, all proven by the anchor.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedCheckpoints {
    /// The hashes; in JSON the text of the file.
    #[serde(rename = "json", serialize_with = "as_file")]
    pub hashes: CheckpointHashes,
    /// How many, the earlier ones included.
    pub count: u64,
    /// The newest.
    pub newest: LedgerHash,
    /// The oldest.
    pub oldest: LedgerHash,
    /// What proves them.
    pub anchor: CheckpointsAnchor,
    /// The newest of the earlier hashes, which the chain led to; those below it were taken over as they were.
    pub earlier: Option<LedgerHash>,
    /// Whether the chain led to the ledger 1 that the network's passphrase implies.
    pub genesis: bool,
    /// The network, where it is known.
    pub network: Option<String>,
    /// Files that were verified for it.
    pub files: u32,
    /// What is wrong with archives that others made up for, and with the checkpoint that has the seal.
    pub findings: Vec<Finding>,
}

fn as_file<S: Serializer>(hashes: &CheckpointHashes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hashes.to_json())
}

/// A ledger and its hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct LedgerHash {
    /// The ledger.
    pub ledger: LedgerSeq,
    /// The hash of its header.
    pub hash: Hash256,
}

/// What proves the hashes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CheckpointsAnchor {
    /// A hash that the user gave.
    TrustedHash(LedgerHash),
    /// Signatures of the user's validators.
    #[serde(rename_all = "camelCase")]
    Seal {
        /// By whom, and what is sealed.
        #[serde(flatten)]
        seal: Seal,
        /// The quorum set, in words.
        quorum_set: String,
    },
}

impl CheckpointsAnchor {
    /// The trusted end.
    #[must_use]
    pub fn end(&self) -> (LedgerSeq, Hash256) {
        match self {
            Self::TrustedHash(LedgerHash { ledger, hash }) => (*ledger, *hash),
            Self::Seal { seal, .. } => (seal.ledger, seal.hash),
        }
    }
}

/// Why there are no hashes.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VerifyCheckpointsError {
    /// What is asked for contradicts itself.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// Nothing vouches for the end of the history. With a finding if others than the user's validators signed it.
    #[error("{0}")]
    Unanchored(String, Option<Box<Finding>>),
    /// No archive has a file as it must be: the main finding, and the other evidence.
    #[error("{}", in_words(.0))]
    Faulty(Box<Finding>, Vec<Finding>),
    /// A file could not be read.
    #[error("{}{}", .0.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default(), .0.message)]
    Unreadable(Box<RunError>),
    /// The run was cancelled.
    #[error("the run was cancelled before all hashes were verified: nothing is written")]
    Cancelled,
}

/// The file, the ledger, what is wrong, what should be there, and whose file it is.
fn in_words(finding: &Finding) -> String {
    let ledger = finding.ledger.map(|ledger| format!(", ledger {ledger}")).unwrap_or_default();
    let comparison = match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => format!("; expected {expected}, found {actual}"),
        _ => String::new(),
    };
    let archive = if finding.archive.is_empty() { String::new() } else { format!(" ({})", finding.archive) };
    format!("{}{ledger}: {}{comparison}{archive}", finding.path, finding.message)
}

/// What a run says while it runs.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum VerifyCheckpointsEvent {
    /// The trusted end is known.
    Anchored {
        /// What it is.
        anchor: CheckpointsAnchor,
    },
    /// An archive is to blame.
    Finding {
        /// For what.
        finding: Box<Finding>,
    },
    /// At most ten a second, and in the end.
    Progress {
        /// Files that are verified.
        done: u32,
        /// Of how many.
        total: u32,
    },
}

/// Verifies the hashes of checkpoints from a trusted end down.
///
/// # Errors
/// If anything of it could not be proven: then there are no hashes at all.
pub async fn verify_checkpoints(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    mut request: VerifyCheckpointsRequest,
    emit: &mut dyn FnMut(VerifyCheckpointsEvent),
) -> Result<VerifiedCheckpoints, VerifyCheckpointsError> {
    if readers.is_empty() {
        return Err(UsageError("there is no archive to read the ledger headers from".into()).into());
    }
    request.history = request.history.or_else(|| request.trust.hashes.newest());
    if let Some(end) = request.history {
        // A contradiction is told before anything is read.
        walk(&request, end, options)?;
    }
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let roots = read_roots(&drive, options, None, &mut |_| {}).await;
    let network = options.network.clone().or_else(|| roots.network());
    let tips = roots.list.iter().map(|root| tip(root, options.frequency).map(Checkpoint::last_ledger)).collect();
    let rules = request.trust.rules(network.clone(), false, options.budget.clone());
    let names = pool.ids().map(|id| pool.name(id).to_owned()).collect();
    let archives = Archives::new(names, rules).with_tips(tips);
    let mut findings = Vec::new();
    let anchor = match request.history {
        Some((ledger, hash)) => CheckpointsAnchor::TrustedHash(LedgerHash { ledger, hash }),
        None => {
            Search { drive: &drive, options, roots: &roots, network: network.as_ref(), findings: &mut findings }
                .seal(&request.trust)
                .await?
        }
    };
    emit(VerifyCheckpointsEvent::Anchored { anchor: anchor.clone() });
    let walk = walk(&request, anchor.end(), options)?;
    let (walked, genesis) = (SharedWalk::default(), archives.rules().genesis);
    let earlier = request.earlier.take();
    let newest_earlier = earlier.as_ref().and_then(CheckpointHashes::newest).map(|(ledger, hash)| LedgerHash { ledger, hash });
    walked.lock().hashes = earlier.unwrap_or_default();
    let item = WriteVerifiedCheckpointHashesWork::new(archives, walk, options.retry, walked.clone());
    let mut work = scheduler(options.concurrency);
    let spec = WorkSpec::new("WriteVerifiedCheckpointHashesWork", "WriteVerifiedCheckpointHashesWork", COORDINATE);
    // A fresh scheduler takes everything.
    let _ = work.add(spec.with_failing_children(), Box::new(item));
    let mut hear = |event: DriveEvent<'_>| match event {
        DriveEvent::History(HistoryEvent::Finding(finding)) => emit(VerifyCheckpointsEvent::Finding { finding }),
        DriveEvent::Tick(_) => {
            let walked = walked.lock();
            let (done, total) = (walked.done, walked.total);
            drop(walked);
            emit(VerifyCheckpointsEvent::Progress { done, total });
        }
        _ => {}
    };
    drive.run_to_completion(&mut work, &mut hear).await;
    let mut walked = walked.lock();
    match walked.end.take() {
        Some(Ok(())) => {}
        _ if host.is_cancelled() => return Err(VerifyCheckpointsError::Cancelled),
        Some(Err(WalkFailure::Faulty(main, others))) => return Err(VerifyCheckpointsError::Faulty(main, others)),
        Some(Err(WalkFailure::Unreadable(error))) => return Err(VerifyCheckpointsError::Unreadable(error)),
        None => return Err(VerifyCheckpointsError::Cancelled),
    }
    walked.findings.retain(|finding| !findings.contains(finding));
    findings.append(&mut walked.findings);
    let hashes = core::mem::take(&mut walked.hashes);
    let pair = |(ledger, hash): (&LedgerSeq, &Hash256)| LedgerHash { ledger: *ledger, hash: *hash };
    let all = hashes.by_ledger();
    let (Some(newest), Some(oldest)) = (all.last_key_value().map(pair), all.first_key_value().map(pair)) else {
        return Err(UsageError("no whole checkpoint lies between the trusted ledger and the one to stop at".into()).into());
    };
    let first = options.frequency.containing(LedgerSeq::GENESIS).last_ledger();
    Ok(VerifiedCheckpoints {
        count: crate::codec::u64_from(all.len()),
        newest,
        oldest,
        anchor,
        genesis: newest_earlier.is_none() && oldest.ledger == first && genesis.is_some(),
        earlier: newest_earlier,
        network: network.map(|network| network.passphrase().to_owned()),
        files: walked.done,
        findings,
        hashes,
    })
}

fn walk(
    request: &VerifyCheckpointsRequest,
    end: (LedgerSeq, Hash256),
    options: &ReadOptions,
) -> Result<CheckpointWalk, VerifyCheckpointsError> {
    let none = CheckpointHashes::default();
    let earlier = request.earlier.as_ref().unwrap_or(&none);
    Ok(CheckpointWalk::new(end, earlier, request.from, options.frequency).map_err(|error| UsageError(error.to_string()))?)
}

/// A look for signatures near the newest ledger.
struct Search<'a> {
    drive: &'a Drive<'a>,
    options: &'a ReadOptions,
    roots: &'a Roots,
    network: Option<&'a Network>,
    findings: &'a mut Vec<Finding>,
}

impl Search<'_> {
    /// The newest seal of the validators that are believed.
    async fn seal(&mut self, trust: &Trust) -> Result<CheckpointsAnchor, VerifyCheckpointsError> {
        let unanchored = |why: String, finding: Option<Finding>| {
            let message =
                format!("{why}: give the number and hash of a ledger that you trust, or the quorum set whose validators you trust");
            Err(VerifyCheckpointsError::Unanchored(message, finding.map(Box::new)))
        };
        let Some(network) = self.network else {
            if let Some(error) = self.roots.errors.first() {
                return Err(VerifyCheckpointsError::Unreadable(Box::new(error.clone())));
            }
            let why = "no archive names its network, so whose validators vouch for it is not known; name the network, too";
            return unanchored(why.into(), None);
        };
        let Some(believed) = trust.believed_on(Some(network)) else {
            return unanchored(format!("no quorum set is known for the network \"{network}\", so nobody vouches for its ledgers"), None);
        };
        let Some(tip) = self.tip().await else {
            return match self.roots.errors.first() {
                _ if self.drive.is_cancelled() => Err(VerifyCheckpointsError::Cancelled),
                Some(error) => Err(VerifyCheckpointsError::Unreadable(Box::new(error.clone()))),
                None => unanchored("no archive says how far it is".into(), None),
            };
        };
        let rules = trust.rules(Some(network.clone()), false, self.options.budget.clone());
        let names = self.drive.pool().ids().map(|id| self.drive.pool().name(id).to_owned()).collect();
        let archives = Archives::new(names, rules);
        let mut vouched = Vouched::default();
        let mut errors = Vec::new();
        let everybody: Vec<_> = archives.ids().collect();
        // All together make up for each other's holes. Each alone: files of two histories do not fit each other.
        let alone = everybody
            .iter()
            .filter(|_| everybody.len() > 1)
            .map(|one| archives.without(everybody.iter().copied().filter(|other| other != one).collect()));
        let groups: Vec<_> = core::iter::once(archives.clone()).chain(alone).collect();
        for checkpoint in core::iter::successors(Some(tip), |checkpoint| checkpoint.previous()).take(LOOKED) {
            for archives in &groups {
                for verified in self.look(archives, checkpoint).await {
                    let scp = verified.served.get(&FileKind::Scp).map_or("", |archive| archives.name(*archive));
                    vouched.add(verified.outcome.scp, &verified.headers, archives.rules(), scp);
                    errors.extend(verified.errors);
                    if let Some(seal) = vouched.seals().next() {
                        // Only now it is known who is right.
                        self.findings.extend(verified.outcome.segment.findings().list().iter().cloned());
                        return Ok(CheckpointsAnchor::Seal { seal: seal.clone(), quorum_set: believed.name });
                    }
                }
                if self.drive.is_cancelled() {
                    return Err(VerifyCheckpointsError::Cancelled);
                }
            }
        }
        if let Some(error) = errors.into_iter().next() {
            return Err(VerifyCheckpointsError::Unreadable(Box::new(error)));
        }
        let why = format!(
            "none of the newest {LOOKED} checkpoints, up to ledger {}, is signed by a quorum of {}",
            tip.last_ledger(),
            believed.name
        );
        unanchored(why, vouched.strangers(&believed.name))
    }

    /// The newest checkpoint that any of the archives really has.
    async fn tip(&self) -> Option<Checkpoint> {
        let asked = RunOptions { retry: self.options.retry, frequency: self.options.frequency, ..RunOptions::default() };
        Probe::new(self.drive, &asked, &self.roots.list).pinned_tip(&self.roots.list, self.options.frequency).await
    }

    async fn look(&self, archives: &Archives, checkpoint: Checkpoint) -> Vec<VerifiedCheckpoint> {
        let done = CheckpointsDone::default();
        let order = CheckpointOrder { index: 0, again: false, look: true, seek: false };
        let item = VerifyCheckpointWork::new(archives.clone(), checkpoint, self.options.retry, true, order, Arc::clone(&done));
        let mut work = scheduler(self.options.concurrency);
        // A fresh scheduler takes everything.
        let _ = work.add(WorkSpec::new("VerifyCheckpointWork", "VerifyCheckpointWork", COORDINATE), Box::new(item));
        self.drive.run_to_completion(&mut work, &mut |_| {}).await;
        let done = core::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
        done.into_iter().flat_map(|(_, verified)| verified).collect()
    }
}
