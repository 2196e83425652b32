//! `VerifyCheckpointWork`: the graph of one checkpoint, and its files held against each other.
//!
//! With several archives a file that is sound by itself may still be a lie: a forged ledger file accuses the honest files
//! that it is held against. So where files of two archives contradict each other, the checkpoint is verified again with the
//! ledger files of the others, and what most of them have counts. Where as many have one as another, nothing here can tell
//! who is right, and both stand as errors. Retries belong to the composite step (rules A.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::answers::ANSWERS;
use super::archives::{Accounts, Archives};
use super::builder::HistoryWorkBuilder;
use super::get_and_unzip_remote_file_work::AtDestination;
use super::state::{Hold, SharedHistoryState};
use super::{HistoryWork, Step, Turn};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::NextBucket;
use crate::codec::hash::Hash256;
use crate::verify::bucket_list::{FIRST_PROTOCOL_WITHOUT_SHADOWS, lists};
use crate::verify::checkpoint::{CheckpointFiles, CheckpointOutcome, Headers, Status, assemble};
use crate::verify::finding::{Finding, FindingCode};
use crate::work::Ran;
use crate::work::retry::RetryPolicy;

/// A checkpoint, verified.
#[derive(Clone, Debug)]
pub struct VerifiedCheckpoint {
    /// What its files turned out to be.
    pub outcome: CheckpointOutcome,
    /// Its headers.
    pub headers: Arc<Headers>,
    /// Whose files they are.
    pub served: BTreeMap<FileKind, ArchiveId>,
    /// What was asked of each archive.
    pub accounts: Accounts,
    /// Files that no archive delivered.
    pub errors: Vec<RunError>,
    /// Its files as archives store them, where they are to be copied: those that the destination lacks, and its state.
    pub stored: BTreeMap<FileKind, Vec<u8>>,
    /// What the destination has of them.
    pub at_destination: BTreeMap<FileKind, AtDestination>,
    /// Others that are as sound by themselves, and that as many archives have.
    pub rivals: Vec<VerifiedCheckpoint>,
}

/// Checkpoints that were verified, with what they were ordered by: one that counts, or all there are of one to be verified
/// again.
pub type CheckpointsDone = Arc<Mutex<Vec<(CheckpointOrder, Vec<VerifiedCheckpoint>)>>>;

/// How often a checkpoint is verified at most: with the ledger files of as many archives as are asked for a file, and with
/// other states where those are in doubt.
const TRIES: usize = 2 * ANSWERS + 1;

/// What a checkpoint was ordered for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckpointOrder {
    /// Its place in the plan.
    pub index: u32,
    /// Whether it was verified before, and what the other archives have is wanted.
    pub again: bool,
    /// Whether its signatures are looked at.
    pub look: bool,
    /// Whether other archives are asked for messages that seal more of it.
    pub seek: bool,
}

/// The item.
#[derive(Debug)]
pub struct VerifyCheckpointWork {
    archives: Archives,
    checkpoint: Checkpoint,
    retry: RetryPolicy,
    with_scp: bool,
    storing: bool,
    order: CheckpointOrder,
    avoid: BTreeMap<FileKind, Vec<ArchiveId>>,
    /// Whose ledger files were tried.
    ledgers: Vec<ArchiveId>,
    /// Whose states do not fit the ledger file that is tried.
    misfits: Vec<ArchiveId>,
    /// Whose scp files were tried.
    scps: Vec<ArchiveId>,
    /// The other states are looked at for their merges alone.
    merges: bool,
    state: Option<SharedHistoryState>,
    tried: Vec<VerifiedCheckpoint>,
    done: CheckpointsDone,
}

impl VerifyCheckpointWork {
    /// A checkpoint, its outcome into `done`.
    #[must_use]
    pub fn new(
        archives: Archives,
        checkpoint: Checkpoint,
        retry: RetryPolicy,
        with_scp: bool,
        order: CheckpointOrder,
        done: CheckpointsDone,
    ) -> Self {
        Self {
            archives,
            checkpoint,
            retry,
            with_scp,
            storing: false,
            order,
            avoid: BTreeMap::new(),
            ledgers: Vec::new(),
            misfits: Vec::new(),
            scps: Vec::new(),
            merges: false,
            state: None,
            tried: Vec::new(),
            done,
        }
    }

    /// Not to be asked for the ledger file: what they have is known.
    #[must_use]
    pub fn avoiding(mut self, archives: Vec<ArchiveId>) -> Self {
        self.avoid.insert(FileKind::Ledger, archives.clone());
        self.ledgers = archives;
        self
    }

    /// Holds the files as archives store them, to be copied.
    #[must_use]
    pub fn storing(mut self, storing: bool) -> Self {
        self.storing = storing;
        self
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Ran {
        let state = SharedHistoryState::holding(Hold { stored: self.storing, ..Hold::default() });
        let mut builder = HistoryWorkBuilder::new(self.archives.clone(), self.checkpoint, state.clone())
            .retrying(self.retry)
            .reporting()
            .without_buckets()
            .looking_at_signatures(self.order.look)
            .avoiding(self.avoid.clone());
        if !self.with_scp {
            builder = builder.without_scp();
        }
        self.state = Some(state);
        match builder.register_children(turn.scheduler, turn.id) {
            Ok(_) => Ran::Waiting,
            Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
        }
    }

    /// Scp files differ between honest archives and have holes (rules B.10 S8): another one may show the seal that this one does
    /// not.
    fn seeks_a_seal(&mut self) -> bool {
        let Some(last) = self.tried.last() else { return false };
        let signed = last.outcome.scp.seal.as_ref().map(|seal| seal.signed);
        let undisputed = self.ledgers.is_empty() && self.misfits.is_empty() && !last.outcome.statuses.contains(&Status::Faulty);
        if !self.order.seek || !undisputed || !last.outcome.scp.looked || signed == Some(self.checkpoint.last_ledger()) {
            return false;
        }
        let Some(scp) = last.served.get(&FileKind::Scp) else { return false };
        self.scps.push(*scp);
        self.avoid = BTreeMap::from([(FileKind::Scp, self.scps.clone())]);
        self.scps.len() < self.archives.count().min(ANSWERS)
    }

    /// A state's merges are covered by no hash. Where the destination's are none of any source's, all else being as sound, the sources'
    /// count: they are what the user has named to be right.
    fn prefer_the_state_of_a_source(&self, tried: &mut Vec<VerifiedCheckpoint>) {
        let Some(destination) = self.archives.destination() else { return };
        let from = |one: &VerifiedCheckpoint| one.served.get(&FileKind::History).copied();
        let Some(place) = tried.iter().position(|one| from(one) == Some(destination) && names_merges(one)) else { return };
        let Some(own) = tried.get(place) else { return };
        let as_sound = |one: &VerifiedCheckpoint| rank(one) <= rank(own) && first_difference(one, own).is_none();
        let is_source = |one: &VerifiedCheckpoint| from(one).is_some_and(|from| from != destination);
        let rivals = tried.iter().filter(|one| is_source(one) && one.outcome.state.is_some() && as_sound(one));
        let (same, others): (Vec<_>, Vec<_>) = rivals.partition(|one| have_same_merges(own, one));
        if !same.is_empty() {
            let others: Vec<_> = others.into_iter().filter_map(from).collect();
            tried.retain(|one| !is_source(one) || from(one).is_none_or(|from| !others.contains(&from)));
        } else if !others.is_empty() {
            tried.remove(place);
        }
    }

    /// Whether the destination's state names merges, and none of the sources that were asked names the same: one liar among them does
    /// not make it wrong.
    fn compares_merges(&mut self) -> bool {
        let Some(destination) = self.archives.destination() else { return false };
        let Some((own, others)) = self.tried.split_first() else { return false };
        let from = |one: &VerifiedCheckpoint| one.served.get(&FileKind::History).copied();
        let begun_so = others.is_empty() || self.merges;
        if from(own) != Some(destination) || !names_merges(own) || !begun_so || !self.ledgers.is_empty() {
            return false;
        }
        let asked = match others.last() {
            // There is nobody else.
            Some(last) if from(last).is_none_or(|from| self.misfits.contains(&from)) => return false,
            Some(last) if have_same_merges(own, last) => return false,
            Some(last) => from(last).unwrap_or(destination),
            None if self.misfits.is_empty() => destination,
            None => return false,
        };
        self.merges = true;
        self.misfits.push(asked);
        self.avoid = BTreeMap::from([(FileKind::History, self.misfits.clone())]);
        self.misfits.len() < self.archives.count().min(ANSWERS + 1)
    }

    /// Whether it is to be verified once more, and from whom not.
    fn doubt(&mut self) -> bool {
        if self.archives.count() < 2 || self.tried.len() >= TRIES {
            return false;
        }
        if self.compares_merges() || self.seeks_a_seal() {
            return true;
        }
        let Some(last) = self.tried.last() else { return false };
        let contradicts = |finding: &&Finding| finding.code.contradicts_another_file();
        let contradictions: Vec<_> = last.outcome.segment.findings().list().iter().filter(contradicts).collect();
        let unresolved = |of_state: bool| {
            let is_of_state = |finding: &&&Finding| (finding.code == FindingCode::BucketListHashMismatch) == of_state;
            contradictions.iter().filter(is_of_state).any(|finding| finding.is_error())
        };
        let resolved = contradictions.iter().any(|finding| finding.good_from.is_some());
        let Some(ledger) = last.served.get(&FileKind::Ledger).copied() else { return false };
        let all = self.archives.count();
        // Headers that other files agree with are not in doubt for a state that does not.
        if (unresolved(true) || has_suspicious_next(last)) && !unresolved(false) {
            self.misfits.extend(last.served.get(&FileKind::History));
            if self.misfits.len() < all {
                let others = self.archives.ids().filter(|id| *id != ledger).collect();
                self.avoid = BTreeMap::from([(FileKind::Ledger, others), (FileKind::History, self.misfits.clone())]);
                return true;
            }
        }
        if contradictions.is_empty() && self.ledgers.is_empty() {
            return false;
        }
        let in_doubt = unresolved(true) || unresolved(false) || resolved || !self.ledgers.is_empty();
        self.ledgers.push(ledger);
        self.misfits.clear();
        self.avoid = BTreeMap::from([(FileKind::Ledger, self.ledgers.clone())]);
        in_doubt && self.ledgers.len() < all.min(ANSWERS)
    }

    fn finish(&mut self) {
        let mut tried = core::mem::take(&mut self.tried);
        // What the destination has was found out once; later tries may have passed it over.
        let mut known = BTreeMap::new();
        for one in &mut tried {
            known.extend(one.at_destination.iter().map(|(kind, at)| (*kind, at.clone())));
            one.at_destination.clone_from(&known);
        }
        self.prefer_the_state_of_a_source(&mut tried);
        if !self.order.again {
            tried = best_of(tried, &self.archives).into_iter().collect();
        }
        self.done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((self.order, tried));
    }
}

impl HistoryWork for VerifyCheckpointWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        let Some(state) = self.state.take() else { return Step::Ended(self.begin(turn)) };
        let Some(verified) = put_together(&state, &self.archives) else {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        };
        self.tried.push(verified);
        if self.doubt() {
            return Step::Ended(self.begin(turn));
        }
        self.finish();
        Step::Ended(Ran::Success)
    }
}

/// Holds the files of a checkpoint against each other.
pub(super) fn put_together(state: &SharedHistoryState, archives: &Archives) -> Option<VerifiedCheckpoint> {
    let mut state = core::mem::take(&mut *state.lock());
    let ledger = state.ledger.take()?;
    let headers = Arc::clone(&ledger.facts);
    let files = CheckpointFiles {
        history: state.history.take()?,
        ledger,
        transactions: state.transactions.take()?,
        results: state.results.take()?,
        scp: state.scp.take()?,
    };
    let sound = files.history.status != Status::Faulty;
    let mut outcome = assemble(files);
    if let (true, Some(Status::Faulty), Some(archive)) = (sound, outcome.statuses.first(), state.served.get(&FileKind::History)) {
        state.accounts.of(*archive).faulty += 1;
    }
    let destination = archives.destination();
    state.stored.retain(|kind, _| *kind == FileKind::History || state.served.get(kind).copied() != destination);
    let served = &state.served;
    outcome.segment.name_archives(|path| {
        path.kind().and_then(|kind| served.get(&kind)).map_or_else(String::new, |archive| archives.name(*archive).to_owned())
    });
    let (stored, at_destination) = (state.stored, state.at_destination);
    let (served, accounts, errors) = (state.served, state.accounts, state.errors);
    Some(VerifiedCheckpoint { outcome, headers, served, accounts, errors, stored, at_destination, rivals: Vec::new() })
}

/// How many archives have the headers of one.
pub(super) fn votes(one: &VerifiedCheckpoint, tried: &[VerifiedCheckpoint]) -> usize {
    let same = tried.iter().filter(|other| first_difference(one, other).is_none());
    same.filter_map(|other| other.served.get(&FileKind::Ledger)).collect::<BTreeSet<_>>().len()
}

/// How good a try is; the least is the best.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rank {
    /// Of the two files that a try is nothing without, its headers and its state, those that were not heard.
    pub(super) unheard: usize,
    /// How far validators whom the user believes signed it.
    pub(super) sealed: core::cmp::Reverse<Option<LedgerSeq>>,
    /// What is not sound.
    pub(super) faulty: usize,
}

pub(super) fn rank(verified: &VerifiedCheckpoint) -> Rank {
    let unheard = [FileKind::History, FileKind::Ledger].iter().filter(|kind| !verified.served.contains_key(kind)).count();
    let faulty = verified.outcome.statuses.iter().filter(|status| **status == Status::Faulty).count();
    let sealed = core::cmp::Reverse(verified.outcome.scp.seal.as_ref().map(|seal| seal.ledger));
    // A fault weighs more than a suspicion.
    Rank { unheard, sealed, faulty: 2 * faulty + usize::from(has_suspicious_next(verified)) }
}

/// Whether two states name the same merges, and the same buckets.
fn have_same_merges(one: &VerifiedCheckpoint, other: &VerifiedCheckpoint) -> bool {
    one.outcome
        .state
        .as_ref()
        .zip(other.outcome.state.as_ref())
        .is_some_and(|(one, other)| one.current_buckets == other.current_buckets && one.hot_archive_buckets == other.hot_archive_buckets)
}

/// Whether the state names a merge, which no hash covers.
fn names_merges(verified: &VerifiedCheckpoint) -> bool {
    let state = verified.outcome.state.as_ref();
    state.is_some_and(|state| lists(state).any(|(_, list)| list.levels().iter().any(|level| level.next != NextBucket::Clear)))
}

/// Whether the state names a merge at a protocol that publishes none: no hash covers what it says there (rules B.3).
fn has_suspicious_next(verified: &VerifiedCheckpoint) -> bool {
    let shadows = verified.outcome.protocol.is_none_or(|protocol| protocol < FIRST_PROTOCOL_WITHOUT_SHADOWS);
    let state = verified.outcome.state.as_ref().filter(|_| !shadows);
    state.is_some_and(|state| lists(state).any(|(_, list)| list.levels().iter().any(|level| level.next != NextBucket::Clear)))
}

/// The one with the fewest faults; of equals, the one whose headers most have; of equals, the first, and the others are its
/// rivals: their neighbours may tell.
fn best_of(tried: Vec<VerifiedCheckpoint>, archives: &Archives) -> Option<VerifiedCheckpoint> {
    let ranks: Vec<_> = tried.iter().map(|one| (rank(one), core::cmp::Reverse(votes(one, &tried)))).collect();
    let best = (0..tried.len()).min_by_key(|index| ranks.get(*index).copied())?;
    choose(tried, best, archives, |other| ranks.get(other) <= ranks.get(best))
}

/// Takes one of them. Those for whom `is_rival` says so are kept for a later judgement; what the others show of archives that
/// are to blame is kept in it.
pub(super) fn choose(
    mut tried: Vec<VerifiedCheckpoint>,
    best: usize,
    archives: &Archives,
    is_rival: impl Fn(usize) -> bool,
) -> Option<VerifiedCheckpoint> {
    let rivals: Vec<_> = (0..tried.len()).filter(|index| *index != best).map(is_rival).collect();
    if best >= tried.len() {
        return None;
    }
    let mut chosen = tried.remove(best);
    for (mut other, is_rival) in tried.into_iter().zip(rivals) {
        let rivals = core::mem::take(&mut other.rivals);
        for other in rivals.into_iter().chain([other]) {
            if is_rival && first_difference(&chosen, &other).is_some() {
                chosen.rivals.push(other);
            } else {
                chosen.blame(other, archives, false);
            }
        }
    }
    Some(chosen)
}

impl VerifiedCheckpoint {
    /// Keeps what another one of the same checkpoint shows of archives that are to blame. `disputed`: it is as good as this
    /// one, and nothing here can tell which of the two is the network's.
    pub(super) fn blame(&mut self, other: Self, archives: &Archives, disputed: bool) {
        // Whom it blamed, it may have blamed by what was wrong itself: only the requests count.
        self.accounts.add(&other.accounts.without_blame());
        let differences = differences(self, &other, archives, disputed);
        // What does not depend on the doubted files stands.
        let doubtful = |finding: &Finding| {
            finding.code == FindingCode::ArchivesDisagree || (!differences.is_empty() && finding.code.contradicts_another_file())
        };
        let evidence = other.outcome.segment.findings().list().iter();
        let stands = evidence.filter(|finding| finding.good_from.is_some() && !doubtful(finding)).cloned();
        for finding in stands.chain(differences.iter().cloned()).collect::<Vec<_>>() {
            let known = |other: &Finding| other.path == finding.path && other.archive == finding.archive;
            if !self.outcome.segment.findings().list().iter().any(known)
                && let Some(archive) = archives.ids().find(|id| archives.name(*id) == finding.archive)
            {
                self.accounts.of(archive).faulty += 1;
            }
            self.outcome.segment.accuse(finding);
        }
    }
}

/// What the archives of the other one have other than those of the chosen one.
fn differences(chosen: &VerifiedCheckpoint, other: &VerifiedCheckpoint, archives: &Archives, disputed: bool) -> Vec<Finding> {
    let checkpoint = chosen.headers.checkpoint();
    let mut findings = Vec::new();
    let mut blame = |kind, ledger, expected: String, actual: String| {
        let (Some(good), Some(bad)) = (chosen.served.get(&kind), other.served.get(&kind)) else { return };
        if good == bad {
            return;
        }
        let (good, bad) = (archives.name(*good), archives.name(*bad));
        let message = if disputed {
            format!("{good} has another file, as sound as this one: nothing here can tell which of the two is the network's")
        } else {
            "the file is sound by itself, but does not fit what surrounds it or what most archives have".to_owned()
        };
        let finding = Finding::new(FindingCode::ArchivesDisagree, ArchivePath::of_checkpoint(kind, checkpoint), message)
            .at_checkpoint(checkpoint)
            .at_ledger(ledger)
            .comparing(expected, actual)
            .from_archive(bad);
        findings.push(if disputed { finding } else { finding.with_sound_copy(good) });
    };
    if let Some((ledger, good, bad)) = first_difference(chosen, other) {
        blame(FileKind::Ledger, ledger, good.to_string(), bad.to_string());
    }
    if let (Some(good), Some(bad)) = (&chosen.outcome.state, &other.outcome.state) {
        let (good, bad) = (good.current_buckets.hash(), bad.current_buckets.hash());
        if good != bad {
            blame(FileKind::History, checkpoint.last_ledger(), good.to_string(), bad.to_string());
        } else if has_suspicious_next(other) && !has_suspicious_next(chosen) {
            blame(FileKind::History, checkpoint.last_ledger(), "no merges under way".into(), "merges under way".into());
        }
    }
    findings
}

fn first_difference(one: &VerifiedCheckpoint, other: &VerifiedCheckpoint) -> Option<(LedgerSeq, Hash256, Hash256)> {
    one.headers.checkpoint().ledgers().find_map(|ledger| {
        let (good, bad) = (one.headers.header(ledger)?, other.headers.header(ledger)?);
        (good.hash != bad.hash).then_some((ledger, good.hash, bad.hash))
    })
}
