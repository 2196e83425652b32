//! What a run over a range has come to: segments that join, buckets that were met, what is still unknown.
//!
//! What it is: plain data with the logic that adds the next checkpoint in the order of the plan, so that what follows is the
//! same whatever came first. All of it can be written down and read back ([`super::saved`]). It does not grow with the
//! range: segments join, and buckets that nobody names any more are forgotten.

mod part;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::HistoryEvent;
use super::archives::{Accounts, Archives};
use super::get_and_unzip_remote_file_work::Settled;
use super::plan::{Order, Plan};
use super::verify_bucket_work::BucketJob;
use super::verify_checkpoint_work::VerifiedCheckpoint;
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::path::FileKind;
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::trust::vouched::Vouched;
use crate::verify::bucket::{BucketFacts, BucketReport};
use crate::verify::bucket_list::{buckets, check_levels};
use crate::verify::checkpoint::{CheckpointOutcome, Rules, Status, Unchecked};
use crate::verify::finding::{Finding, Note, fold};
use crate::verify::segment::{Kept, Segment, Tally};

pub use part::NotJoined;

/// Checkpoints that stay known to the bucket table after the last state that named a bucket. Bucket lists change slowly:
/// a bucket that nobody named for so long does not come back, and if it does, it is verified again.
const BUCKET_MEMORY: u32 = 256;
/// Notes kept of a run's buckets: they say the same of many files.
const NOTES_KEPT: usize = 100;
/// Counts of real runs stay far below; JavaScript's numbers end at 2^53.
const LARGEST_COUNT: u64 = 1 << 50;
/// Errors kept of one run; the rest says the same.
const ERRORS_KEPT: usize = 1000;

/// The checkpoints of a run that were joined, and what is known of their buckets.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct JoinedRange {
    plan: Plan,
    /// The places of the plan that it begins at and ends before: all of them, but for a [part](part).
    first: u32,
    end: u32,
    /// How many checkpoints were joined.
    joined: u32,
    /// The place before which all were begun. Whoever resumes begins those again that were not joined.
    #[serde(skip)]
    begun: u32,
    /// The buckets of its first state are left to whoever joins the parts.
    #[serde(skip)]
    is_part: bool,
    segments: Vec<Segment>,
    /// Ledgers that archives announced as their newest, and the states of their checkpoints.
    announced: BTreeMap<LedgerSeq, Option<HistoryArchiveState>>,
    late_faults: LateFaults,
    buckets: BTreeMap<BucketHash, BucketEntry>,
    bucket_tally: Tally,
    bucket_unchecked: BTreeMap<Unchecked, u64>,
    bucket_findings: Kept,
    bucket_notes: Vec<Note>,
    /// Buckets that turned out faulty in their place, after they were counted.
    misplaced: BTreeSet<BucketHash>,
    waiting: Vec<WaitingState>,
    saw_passphrase: bool,
    errors: Vec<RunError>,
    errors_dropped: u64,
    accounts: Accounts,
    /// Checkpoints whose five files were all verified, and those with a faulty one.
    checked: (u64, u64),
    /// Rivals of the checkpoint joined last that leave the question open which of them is the network's.
    forks: Vec<Segment>,
    /// Whose files those of the checkpoint joined last are.
    last_served: BTreeMap<FileKind, String>,
    /// States that turned out faulty after their checkpoint was joined.
    #[serde(skip)]
    late: BTreeSet<Checkpoint>,
    /// Checkpoints that a run that stopped never came to, and why.
    not_started: Option<(Unchecked, u64)>,
    vouched: Vouched,
    /// Parts above what was joined that wait for those between, from the lowest to the highest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apart: Vec<JoinedRange>,
}

/// How states were counted that turned out faulty later.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct LateFaults {
    verified: u64,
    unchecked: BTreeMap<Unchecked, u64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct BucketEntry {
    /// Being verified; `None` once it is known.
    job: Option<BucketJob>,
    /// How it was counted, if that was not as verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsound: Option<Status>,
    /// What was asked for it, in a part: whoever joins may have asked for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accounts: Option<Accounts>,
    facts: Option<BucketFacts>,
    last_named: u64,
    /// It was left out, though a later state may want it.
    #[serde(default)]
    skipped: bool,
}

impl BucketEntry {
    fn wanted(job: BucketJob) -> Self {
        Self { job: Some(job), unsound: None, accounts: None, facts: None, last_named: 0, skipped: false }
    }
}

/// What is known of a bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BucketStanding {
    /// It is being verified.
    UnderWay,
    /// Its content is what its name says.
    Sound,
    /// It is not, or could not be looked at.
    Unsound,
}

/// A state whose buckets are not all known yet.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct WaitingState {
    state: HistoryArchiveState,
    status: Status,
    checkpoint: Checkpoint,
    protocol: Option<u32>,
    /// Whose file it is.
    archive: String,
    unknown: BTreeSet<BucketHash>,
}

impl JoinedRange {
    /// Nothing joined yet. `announced` are the newest ledgers of the archives, whose states are kept.
    #[must_use]
    pub fn new(plan: Plan, announced: impl IntoIterator<Item = LedgerSeq>, saw_passphrase: bool) -> Self {
        Self {
            first: 0,
            end: plan.count(),
            plan,
            joined: 0,
            begun: 0,
            is_part: false,
            segments: Vec::new(),
            announced: announced.into_iter().map(|ledger| (ledger, None)).collect(),
            late_faults: LateFaults::default(),
            buckets: BTreeMap::new(),
            bucket_tally: Tally::default(),
            bucket_unchecked: BTreeMap::new(),
            bucket_findings: Kept::default(),
            bucket_notes: Vec::new(),
            misplaced: BTreeSet::new(),
            waiting: Vec::new(),
            saw_passphrase,
            errors: Vec::new(),
            errors_dropped: 0,
            accounts: Accounts::default(),
            checked: (0, 0),
            forks: Vec::new(),
            last_served: BTreeMap::new(),
            late: BTreeSet::new(),
            not_started: None,
            vouched: Vouched::default(),
            apart: Vec::new(),
        }
    }

    /// The same, with buckets that are wanted whatever states name them.
    #[must_use]
    pub fn wanting(mut self, jobs: impl IntoIterator<Item = BucketJob>) -> Self {
        self.buckets.extend(jobs.into_iter().map(|job| (job.bucket, BucketEntry { last_named: u64::MAX, ..BucketEntry::wanted(job) })));
        self
    }

    /// What is known of a bucket that a state of late named.
    #[must_use]
    pub fn bucket_standing(&self, bucket: &BucketHash) -> BucketStanding {
        match self.buckets.get(bucket) {
            Some(BucketEntry { job: Some(_), .. }) => BucketStanding::UnderWay,
            Some(BucketEntry { facts: Some(_), .. }) if !self.misplaced.contains(bucket) => BucketStanding::Sound,
            _ => BucketStanding::Unsound,
        }
    }

    /// Whether a state turned out faulty in the light of its buckets.
    #[must_use]
    pub fn is_late_fault(&self, checkpoint: Checkpoint) -> bool {
        self.late.contains(&checkpoint)
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many checkpoints were joined.
    #[must_use]
    pub fn joined(&self) -> u32 {
        self.joined
    }

    /// How many checkpoints were verified: those joined, and those of parts that wait.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.apart.iter().fold(self.joined, |sum, part| sum.saturating_add(part.joined))
    }

    /// How many checkpoints it has when all are joined.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.end.saturating_sub(self.first)
    }

    /// The place of the plan that is joined next.
    #[must_use]
    pub fn next_place(&self) -> u32 {
        self.first.saturating_add(self.joined)
    }

    /// The place of the plan before which it ends.
    #[must_use]
    pub fn end_place(&self) -> u32 {
        self.end
    }

    /// Takes the place of the plan before which all checkpoints were begun.
    pub fn begun(&mut self, place: u32) {
        self.begun = place;
    }

    /// The first checkpoints that were begun and are not joined, in the order of the plan.
    #[must_use]
    pub fn in_flight(&self, most: usize) -> Vec<LedgerSeq> {
        (self.next_place()..self.begun).filter_map(|place| self.plan.get(place)).map(Checkpoint::last_ledger).take(most).collect()
    }

    /// States whose buckets are not all known.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Those of them that wait for buckets that are on their way.
    #[must_use]
    pub fn waiting_for_own(&self) -> usize {
        if self.is_part { 0 } else { self.waiting.len() }
    }

    /// Buckets whose verification is under way or was lost with an interrupted run.
    #[must_use]
    pub fn bucket_jobs(&self) -> Vec<BucketJob> {
        self.buckets.values().filter_map(|entry| entry.job).collect()
    }

    /// Distinct buckets: done and named.
    #[must_use]
    pub fn bucket_count(&self) -> (u64, u64) {
        let under_way = self.buckets.values().filter(|entry| entry.job.is_some()).count();
        let done = self.bucket_tally.total();
        (done, done.saturating_add(crate::codec::u64_from(under_way)))
    }

    /// The segments, from the lowest ledgers to the highest.
    #[must_use]
    pub fn segments(&self) -> Vec<&Segment> {
        let mut segments: Vec<_> = self.segments.iter().collect();
        segments.sort_by_key(|segment| segment.range().0);
        segments
    }

    /// The joined state of the checkpoint that an archive announced as its newest.
    #[must_use]
    pub fn announced(&self, ledger: LedgerSeq) -> Option<&HistoryArchiveState> {
        self.announced.get(&ledger).and_then(Option::as_ref)
    }

    /// Who vouches for what was joined.
    #[must_use]
    pub fn vouched(&self) -> &Vouched {
        &self.vouched
    }

    /// Whether a state named a network.
    #[must_use]
    pub fn saw_passphrase(&self) -> bool {
        self.saw_passphrase
    }

    /// What is wrong with buckets, and with states in the light of their buckets.
    #[must_use]
    pub fn bucket_findings(&self) -> &Kept {
        &self.bucket_findings
    }

    /// What is worth saying of buckets.
    #[must_use]
    pub fn bucket_notes(&self) -> &[Note] {
        &self.bucket_notes
    }

    /// What could not be looked at, as far as it is kept, and how much more there was.
    #[must_use]
    pub fn errors(&self) -> (&[RunError], u64) {
        (&self.errors, self.errors_dropped)
    }

    /// What was asked of each archive.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Checkpoints whose files were all verified (an absent optional one does not count against it), and those with a
    /// faulty one.
    #[must_use]
    pub fn checked_checkpoints(&self) -> (u64, u64) {
        self.checked
    }

    /// How many files of a kind ended how; `None` for buckets.
    #[must_use]
    pub fn tally(&self, kind: Option<FileKind>) -> Tally {
        let Some(kind) = kind else { return self.bucket_tally };
        let mut tally = Tally::default();
        for segment in &self.segments {
            let own = segment.tally(kind);
            tally.add(own);
        }
        tally.unchecked = tally.unchecked.saturating_add(self.not_started.map_or(0, |(_, count)| count));
        if kind == FileKind::History {
            let unchecked = self.late_faults.unchecked.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
            tally.verified = tally.verified.saturating_sub(self.late_faults.verified);
            tally.unchecked = tally.unchecked.saturating_sub(unchecked);
            tally.faulty = tally.faulty.saturating_add(self.late_faults.verified).saturating_add(unchecked);
        }
        tally
    }

    /// Why files were not checked, by kind (`None` for buckets), with how many.
    #[must_use]
    pub fn unchecked(&self) -> Vec<(Option<FileKind>, Unchecked, u64)> {
        let mut counts: BTreeMap<(FileKind, Unchecked), u64> = BTreeMap::new();
        for (kind, why, count) in self.segments.iter().flat_map(Segment::unchecked) {
            let own = counts.entry((kind, why)).or_default();
            *own = own.saturating_add(count);
        }
        for (why, late) in &self.late_faults.unchecked {
            counts.entry((FileKind::History, *why)).and_modify(|count| *count = count.saturating_sub(*late));
        }
        if let Some((why, count)) = self.not_started {
            FileKind::ALL.into_iter().for_each(|kind| {
                let own = counts.entry((kind, why)).or_default();
                *own = own.saturating_add(count);
            });
        }
        let files = counts.into_iter().map(|((kind, why), count)| (Some(kind), why, count));
        let buckets = self.bucket_unchecked.iter().map(|(why, count)| (None, *why, *count));
        files.chain(buckets).filter(|(.., count)| *count > 0).collect()
    }

    /// What cannot be of a range that a run left: whoever reads a state must not report what never was.
    #[must_use]
    pub fn contradiction(&self, frequency: CheckpointFrequency) -> Option<&'static str> {
        let covered = |segment: &Segment| {
            let (low, high) = segment.range();
            CheckpointRange::covering(low.first_ledger(), high.last_ledger(), low.frequency()).map_or(0, CheckpointRange::count)
        };
        let segments = self.segments();
        let apart = segments.windows(2).all(|pair| matches!(pair, [left, right] if left.range().1 < right.range().0));
        let joined = u64::from(self.joined);
        let tallied = |segment: &&Segment| FileKind::ALL.iter().all(|kind| segment.tally(*kind).total() == u64::from(covered(segment)));
        // The places of the plan that were joined, at both of their ends.
        let ends = [self.plan.get(self.first), self.next_place().checked_sub(1).and_then(|last| self.plan.get(last))];
        let is_end = |end: &Option<Checkpoint>| {
            end.is_some_and(|end| segments.iter().any(|segment| segment.range().0 == end || segment.range().1 == end))
        };
        let counts = [self.bucket_tally.total(), self.checked.0, self.checked.1, self.errors_dropped, self.late_faults.verified];
        let reasons = self.bucket_unchecked.values().chain(self.late_faults.unchecked.values());
        match () {
            () if self.first > self.end || self.end > self.plan.count() || self.joined > self.count() => {
                Some("it has more checkpoints than its range")
            }
            () if self.plan.range().first().frequency() != frequency => Some("its checkpoints are of another frequency"),
            () if segments.iter().map(|segment| u64::from(covered(segment))).sum::<u64>() != joined => {
                Some("its segments are not what was joined")
            }
            () if !apart || !segments.iter().all(tallied) => Some("its segments contradict themselves"),
            () if self.joined > 0 && !ends.iter().all(is_end) => Some("its segments are not those of its range"),
            () if self.not_started.is_some() => Some("it is of a run that was stopped and reported"),
            () if !self.parts_apart_fit(frequency) => Some("its parts do not fit"),
            () if counts.iter().chain(reasons).any(|count| *count > LARGEST_COUNT) || self.accounts.exceed(LARGEST_COUNT) => {
                Some("its counts are larger than any")
            }
            () => None,
        }
    }

    /// Says that the rest of the plan is not looked at, nor the buckets that are under way, and why. Parts that wait count as they are:
    /// what lies between them is what nobody came to.
    pub fn stop(&mut self, why: Unchecked, archives: &Archives, emit: &mut dyn FnMut(HistoryEvent)) {
        for part in core::mem::take(&mut self.apart) {
            self.add_part(part, archives, emit);
        }
        let rest = self.count().saturating_sub(self.joined);
        self.not_started = Some((why, u64::from(rest)));
        for entry in self.buckets.values_mut().filter(|entry| entry.job.is_some()) {
            entry.job = None;
            self.bucket_tally.count(Status::Unchecked(why));
            let count = self.bucket_unchecked.entry(why).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The rivals of the checkpoint joined last, which the next one is held against.
    pub fn take_forks(&mut self) -> Vec<Segment> {
        core::mem::take(&mut self.forks)
    }

    /// Remembers a rival of the checkpoint that is joined next.
    pub fn add_fork(&mut self, rival: Segment) {
        self.forks.push(rival);
    }

    /// What is wrong between what was joined last and a checkpoint.
    #[must_use]
    pub fn seam_with(&self, verified: &VerifiedCheckpoint, rules: &Rules) -> Vec<Finding> {
        self.segments.last().map(|joined| seam(joined, &verified.outcome.segment, rules)).unwrap_or_default()
    }

    /// Adds the next checkpoint of the plan, and gives the buckets that were not met before.
    pub fn join(
        &mut self,
        verified: VerifiedCheckpoint,
        archives: &Archives,
        skip_buckets: bool,
        emit: &mut dyn FnMut(HistoryEvent),
    ) -> Vec<BucketJob> {
        let rules = archives.rules();
        self.joined = self.joined.saturating_add(1);
        self.accounts.add(&verified.accounts);
        verified.errors.into_iter().for_each(|error| self.add_error(error));
        let CheckpointOutcome { segment, statuses, state, protocol, scp } = verified.outcome;
        let scp_from = verified.served.get(&FileKind::Scp).map_or("", |id| archives.name(*id));
        self.vouched.add(scp, &verified.headers, rules, scp_from);
        let (checkpoint, _) = segment.range();
        if statuses.contains(&Status::Faulty) {
            self.checked.1 = self.checked.1.saturating_add(1);
        } else if !statuses.iter().any(|status| matches!(status, Status::Unchecked(why) if why.is_incomplete())) {
            self.checked.0 = self.checked.0.saturating_add(1);
        }
        emit(HistoryEvent::Checkpoint(checkpoint, statuses));
        for finding in segment.findings().list() {
            emit(HistoryEvent::Finding(Box::new(finding.clone())));
        }
        let mut jobs = Vec::new();
        // What the first state of a part names, the parts before have named, but for a few.
        let left_open = self.is_part && self.waiting.is_empty();
        if let Some(state) = state {
            self.saw_passphrase |= state.network_passphrase.is_some();
            if let Some(announced) = self.announced.get_mut(&state.current_ledger) {
                *announced = Some(state.clone());
            }
            let archive = verified.served.get(&FileKind::History).map_or_else(String::new, |id| archives.name(*id).to_owned());
            jobs = self.take_state(state, statuses[0], checkpoint, protocol, archive, rules, skip_buckets, emit);
        }
        let served: BTreeMap<_, _> = verified.served.iter().map(|(kind, id)| (*kind, archives.name(*id).to_owned())).collect();
        let before = core::mem::replace(&mut self.last_served, served.clone());
        // A seam's finding is about the file above it.
        let above = if self.plan.order() == Order::OldestFirst { served } else { before };
        let name = |path: &crate::archive::path::ArchivePath| path.kind().and_then(|kind| above.get(&kind)).cloned().unwrap_or_default();
        self.add_segment(segment, archives, &name, emit);
        if self.next_place().is_multiple_of(BUCKET_MEMORY) {
            self.forget_buckets(self.next_place());
        }
        if left_open { Vec::new() } else { jobs }
    }

    /// Forgets the buckets that nobody named for long before a place.
    fn forget_buckets(&mut self, place: u32) {
        let waiting = crate::codec::u64_from(self.waiting.len());
        let oldest = u64::from(place).saturating_sub(u64::from(BUCKET_MEMORY).max(waiting.saturating_mul(2)));
        self.buckets.retain(|_, entry| entry.job.is_some() || entry.last_named >= oldest);
    }

    fn add_segment(
        &mut self,
        segment: Segment,
        archives: &Archives,
        name: &dyn Fn(&crate::archive::path::ArchivePath) -> String,
        emit: &mut dyn FnMut(HistoryEvent),
    ) {
        let rules = archives.rules();
        let Some(joined) = self.segments.pop() else {
            self.segments.push(segment);
            return;
        };
        let (left, right) = if self.plan.order() == Order::OldestFirst { (joined, segment) } else { (segment, joined) };
        let adjacent = left.range().1.next() == Some(right.range().0);
        if !adjacent {
            let pair = if self.plan.order() == Order::OldestFirst { [left, right] } else { [right, left] };
            self.segments.extend(pair);
            return;
        }
        let seam = fold(left.seam(&right, rules));
        let mut blamed = BTreeSet::new();
        for mut finding in seam.iter().cloned() {
            finding.archive = name(&finding.path);
            if blamed.insert(finding.path.clone())
                && let Some(id) = archives.id(&finding.archive)
            {
                let account = self.accounts.of(id);
                account.faulty = account.faulty.saturating_add(1);
            }
            emit(HistoryEvent::Finding(Box::new(finding)));
        }
        match left.join(right, rules) {
            Ok(mut joined) => {
                if !seam.is_empty() {
                    joined.name_archives(name);
                }
                self.segments.push(joined);
            }
            // They were just seen to be neighbours.
            Err(error) => unreachable!("invariant: {error}"),
        }
    }

    /// Gives the buckets that were not met before, and remembers the state until all of its buckets are known.
    #[allow(clippy::too_many_arguments)] // a state and where it stands
    fn take_state(
        &mut self,
        state: HistoryArchiveState,
        status: Status,
        checkpoint: Checkpoint,
        protocol: Option<u32>,
        archive: String,
        rules: &Rules,
        skip_buckets: bool,
        emit: &mut dyn FnMut(HistoryEvent),
    ) -> Vec<BucketJob> {
        let named_at = self.next_place();
        let mut unknown = BTreeSet::new();
        let mut jobs = Vec::new();
        for (place, bucket) in buckets(&state) {
            let entry = self.buckets.entry(bucket).or_insert_with(|| {
                if skip_buckets {
                    self.bucket_tally.count(Status::Unchecked(Unchecked::Skipped));
                    let count = self.bucket_unchecked.entry(Unchecked::Skipped).or_default();
                    *count = count.saturating_add(1);
                    return BucketEntry { job: None, unsound: None, accounts: None, facts: None, last_named: 0, skipped: true };
                }
                let job = BucketJob { bucket, place, checkpoint, protocol };
                jobs.push(job);
                BucketEntry::wanted(job)
            });
            if entry.skipped && !skip_buckets {
                // Now it is wanted after all.
                let job = BucketJob { bucket, place, checkpoint, protocol };
                jobs.push(job);
                (entry.job, entry.skipped) = (Some(job), false);
                self.bucket_tally.unchecked = self.bucket_tally.unchecked.saturating_sub(1);
                let count = self.bucket_unchecked.entry(Unchecked::Skipped).or_default();
                *count = count.saturating_sub(1);
            }
            entry.last_named = entry.last_named.max(u64::from(named_at));
            if entry.job.is_some() {
                unknown.insert(bucket);
            }
        }
        self.waiting.push(WaitingState { state, status, checkpoint, protocol, archive, unknown });
        self.check_states_that_wait_no_more(rules, emit);
        jobs
    }

    /// Takes a bucket that was verified.
    pub fn bucket_done(&mut self, job: &BucketJob, settled: Settled<BucketReport>, rules: &Rules, emit: &mut dyn FnMut(HistoryEvent)) {
        self.accounts.add(&settled.accounts);
        settled.error.into_iter().for_each(|error| self.add_error(error));
        let report = settled.report;
        self.bucket_tally.count(report.status);
        if let Status::Unchecked(why) = report.status {
            let count = self.bucket_unchecked.entry(why).or_default();
            *count = count.saturating_add(1);
        }
        self.bucket_notes.extend(report.notes);
        self.bucket_notes.truncate(NOTES_KEPT);
        for finding in report.findings {
            self.add_bucket_finding(finding.at_checkpoint(job.checkpoint), rules, emit);
        }
        if let Some(entry) = self.buckets.get_mut(&report.bucket) {
            entry.job = None;
            entry.unsound = Some(report.status).filter(|status| *status != Status::Verified);
            entry.facts = report.facts;
            entry.accounts = self.is_part.then_some(settled.accounts);
        }
        for waiting in &mut self.waiting {
            waiting.unknown.remove(&report.bucket);
        }
        self.check_states_that_wait_no_more(rules, emit);
    }

    fn check_states_that_wait_no_more(&mut self, rules: &Rules, emit: &mut dyn FnMut(HistoryEvent)) {
        // In the order of the plan, so that the same finding always names the same checkpoint.
        let ready = self.waiting.iter().take_while(|waiting| waiting.unknown.is_empty()).count();
        for ready in self.waiting.drain(..ready).collect::<Vec<_>>() {
            let WaitingState { state, status, checkpoint, protocol, archive, .. }: WaitingState = ready;
            let mut counted = false;
            let facts = |bucket: &BucketHash| self.buckets.get(bucket).and_then(|entry| entry.facts);
            for finding in check_levels(&state, checkpoint, protocol, rules.deep, &facts) {
                match finding.bucket {
                    None => {
                        if !core::mem::replace(&mut counted, true) {
                            self.late.insert(checkpoint);
                            self.recount_history(status);
                        }
                    }
                    // Later states name the same bucket in the same place: once is enough.
                    Some(bucket) if !self.misplaced.insert(bucket) => continue,
                    Some(_) => {
                        self.bucket_tally.verified = self.bucket_tally.verified.saturating_sub(1);
                        self.bucket_tally.faulty = self.bucket_tally.faulty.saturating_add(1);
                    }
                }
                self.add_bucket_finding(finding.from_archive(&archive), rules, emit);
            }
        }
    }

    /// A state turned out faulty after its checkpoint was counted.
    fn recount_history(&mut self, status: Status) {
        match status {
            Status::Faulty => {}
            Status::Verified => self.late_faults.verified = self.late_faults.verified.saturating_add(1),
            Status::Unchecked(why) => {
                let count = self.late_faults.unchecked.entry(why).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Keeps what could not be looked at, as far as there is room.
    pub fn add_error(&mut self, error: RunError) {
        if self.errors.len() < ERRORS_KEPT {
            self.errors.push(error);
        } else {
            self.errors_dropped = self.errors_dropped.saturating_add(1);
        }
    }

    fn add_bucket_finding(&mut self, finding: Finding, rules: &Rules, emit: &mut dyn FnMut(HistoryEvent)) {
        emit(HistoryEvent::Finding(Box::new(finding.clone())));
        self.bucket_findings.extend([finding], rules.budget.findings);
    }
}

/// What is wrong between two segments, whichever is the lower.
#[must_use]
pub fn seam(one: &Segment, other: &Segment, rules: &Rules) -> Vec<Finding> {
    let (left, right) = if one.range().0 < other.range().0 { (one, other) } else { (other, one) };
    if left.range().1.next() == Some(right.range().0) { left.seam(right, rules) } else { Vec::new() }
}
