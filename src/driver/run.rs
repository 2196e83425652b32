//! One run: the newest state, then checkpoints from the oldest to the newest, their buckets beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use super::Host;
use super::event::{Count, Event, LedgerRange, Stage};
use super::file::{JsonBytes, Shared};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::network::Network;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::file::FileLimits;
use crate::limits::Budget;
use crate::report::{Anchor, Claim, NetworkName, Report, ReportOptions, UncheckedCount, Verdict, Versions, statement};
use crate::transport::ArchiveReader;
use crate::verify::bucket::{BucketCheck, BucketFacts, BucketReport, BucketUse};
use crate::verify::bucket_list::{buckets, check_levels};
use crate::verify::checkpoint::{CheckpointFiles, CheckpointOutcome, Delivery, LedgerCheck, Rules, Status, Unchecked, assemble};
use crate::verify::finding::{Finding, FindingCode, Note, fold};
use crate::verify::results::ResultsCheck;
use crate::verify::scp::ScpCheck;
use crate::verify::segment::{Kept, Segment, Tally};
use crate::verify::state::{JsonDelivery, check_checkpoint_state, check_root_against_checkpoint, check_root_state};
use crate::verify::transactions::TransactionsCheck;
use crate::work::retry::RetryPolicy;

/// What a run is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// The lowest ledger; by default where the archive begins.
    pub low: Option<LedgerSeq>,
    /// The highest ledger; by default the newest.
    pub high: Option<LedgerSeq>,
    /// The network; by default what the archive says.
    pub network: Option<Network>,
    /// Decode and check what no hash covers.
    pub deep: bool,
    /// Leave out scp files.
    pub skip_optional: bool,
    /// Leave out bucket files.
    pub skip_buckets: bool,
    /// Files read at once; at least 1.
    pub concurrency: usize,
    /// For faults of the transport.
    pub retry: RetryPolicy,
    /// How far apart checkpoints are.
    pub frequency: CheckpointFrequency,
    /// The caps on input.
    pub budget: Budget,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            low: None,
            high: None,
            network: None,
            deep: false,
            skip_optional: false,
            skip_buckets: false,
            // stellar-core's MAX_CONCURRENT_SUBPROCESSES.
            concurrency: 16,
            retry: RetryPolicy::default(),
            frequency: CheckpointFrequency::default(),
            budget: Budget::default(),
        }
    }
}

/// Options that contradict themselves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Verifies an archive. Faults of the archive and of the way to it are in the report; only options can be wrong.
///
/// # Errors
/// If the options contradict themselves.
pub async fn verify_archive(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    emit: &mut dyn FnMut(Event),
) -> Result<Report, UsageError> {
    if let (Some(low), Some(high)) = (options.low, options.high)
        && low > high
    {
        return Err(UsageError(format!("the lowest ledger {low} is above the highest {high}")));
    }
    let started_at = host.timestamp();
    let shared = Shared::new(reader, host, options, emit);
    shared.emit(Event::Stage { stage: Stage::Root, range: None });
    let root = Root::read(&shared).await;
    let (range, notes) = find_range(&shared, &root).await;
    let network = match (&root.network, range) {
        (None, Some(range)) => match network_of(&shared, range.last()).await {
            None => network_of(&shared, range.first()).await,
            known => known,
        },
        (known, _) => known.clone(),
    };
    let rules = Rules::new(network, options.deep, options.budget.clone());
    let mut run = Run::new(&shared, &rules, root, notes);
    if let Some(range) = range {
        run.verify(range).await;
    }
    Ok(run.report(range, started_at))
}

/// The newest state and what follows from it.
struct Root {
    state: Option<HistoryArchiveState>,
    findings: Vec<Finding>,
    network: Option<Network>,
    read: bool,
}

impl Root {
    async fn read(shared: &Shared<'_>) -> Self {
        let options = shared.options;
        let json = shared.read_json(&ArchivePath::well_known()).await;
        let rules = Rules::new(options.network.clone(), false, options.budget.clone());
        let (state, findings) = check_root_state(&rules, options.frequency, delivery(&json));
        let said = state.as_ref().and_then(|state| state.network_passphrase.clone()).map(Network::from_passphrase);
        // A host that cannot be reached for its newest state cannot be reached for a million other files either.
        if matches!(json, JsonBytes::NotRead(Unchecked::Unreadable)) {
            shared.give_up_on_a_dead_host();
        }
        Self { network: options.network.clone().or(said), read: !matches!(json, JsonBytes::NotRead(_)), state, findings }
    }

    /// The newest checkpoint, if the state names one: rounded down if it names another ledger, which is a finding, but no
    /// reason to look at nothing.
    fn tip(&self, frequency: CheckpointFrequency) -> Option<Checkpoint> {
        let ledger = self.state.as_ref()?.current_ledger;
        frequency.ending_at(ledger).or_else(|| frequency.containing(ledger).previous())
    }
}

fn delivery(json: &JsonBytes) -> JsonDelivery<'_> {
    match json {
        JsonBytes::Read(bytes) => JsonDelivery::Read(bytes),
        JsonBytes::Missing => JsonDelivery::Missing,
        JsonBytes::TooLarge => JsonDelivery::TooLarge,
        JsonBytes::NotRead(why) => JsonDelivery::NotRead(*why),
    }
}

/// The note that the archive ends below what was asked for: such a run did not complete.
const CLAMPED: &str = "range-clamped";

/// A newest state may claim any ledger; this many checkpoints past the last file are still looked for one by one.
const CLAIMED_CHECKPOINTS: u32 = 64;

/// The checkpoints to verify, and what is to be said about them.
async fn find_range(shared: &Shared<'_>, root: &Root) -> (Option<CheckpointRange>, Vec<Note>) {
    let options = shared.options;
    let mut notes = Vec::new();
    let note = |code, message: String| Note { code, path: None, checkpoint: None, message };
    let tip = root.tip(options.frequency).map(Checkpoint::last_ledger);
    if root.state.as_ref().is_some_and(|state| state.current_ledger == LedgerSeq::new(0)) {
        notes.push(note("archive-empty", "the archive is initialised but empty: nothing was published to it yet".into()));
        return (None, notes);
    }
    let high = match (options.high, tip) {
        (Some(high), Some(tip)) if options.frequency.containing(high) > options.frequency.containing(tip) => {
            let message = format!("the archive ends at ledger {tip}: ledgers up to {high} were asked for and are not there yet");
            notes.push(note(CLAMPED, message));
            tip
        }
        (Some(high), _) => high,
        (None, Some(tip)) => tip,
        (None, None) => return (None, notes),
    };
    let asked = |low| CheckpointRange::covering(low, high, options.frequency);
    let Some(whole) = asked(options.low.unwrap_or(LedgerSeq::GENESIS)) else {
        notes.clear();
        notes.push(note("range-empty", format!("the archive ends at ledger {high}, below the range that was asked for")));
        return (None, notes);
    };
    let mut range = whole;
    if options.low.is_none() && !exists(shared, whole.first()).await {
        let first = first_where(shared, whole, true).await;
        if let Some(first) = first {
            let below =
                first.previous().and_then(|last| CheckpointRange::covering(LedgerSeq::GENESIS, last.last_ledger(), options.frequency));
            let lower = match below {
                Some(below) => first_found(shared, below).await,
                None => None,
            };
            let first = lower.unwrap_or(first);
            range = asked(first.first_ledger()).unwrap_or(range);
            let begins = first.first_ledger();
            notes.push(note("starts-late", format!("the archive begins at ledger {begins}: nothing below it was verified, and it was looked at in places only to see that nothing is there")));
        }
    }
    // A state that claims a far future would cost a request for every file that is not there.
    if options.high.is_none() && range.count() > CLAIMED_CHECKPOINTS && !exists(shared, range.last()).await {
        let gone = first_where(shared, range, false).await;
        if let Some(gone) = gone
            && let Some(shorter) = CheckpointRange::covering(range.first().first_ledger(), gone.last_ledger(), options.frequency)
            && let Some(beyond) = gone.next().and_then(|next| CheckpointRange::covering(next.first_ledger(), high, options.frequency))
            && beyond.count() > CLAIMED_CHECKPOINTS
            && first_found(shared, beyond).await.is_none()
        {
            let message = format!("the newest state names ledger {high}, but the files end before ledger {}", gone.first_ledger());
            notes.push(note("ends-early", message));
            range = shorter;
        }
    }
    (Some(range), notes)
}

/// The network that a checkpoint's state names: newest states of old mirrors lost it (rules E 7).
async fn network_of(shared: &Shared<'_>, checkpoint: Checkpoint) -> Option<Network> {
    let JsonBytes::Read(json) = shared.read_json(&ArchivePath::of_checkpoint(FileKind::History, checkpoint)).await else { return None };
    let state = HistoryArchiveState::parse(&json, &shared.options.budget).ok()?;
    state.network_passphrase.map(Network::from_passphrase)
}

/// Whether an archive has anything of a checkpoint.
async fn exists(shared: &Shared<'_>, checkpoint: Checkpoint) -> bool {
    for kind in FileKind::ALL {
        if shared.probe(&ArchivePath::of_checkpoint(kind, checkpoint)).await {
            return true;
        }
    }
    false
}

/// Looks for a checkpoint at both ends of a range and at places in between: what tells a late start or an early end, which
/// have nothing beyond them, from a hole.
async fn first_found(shared: &Shared<'_>, range: CheckpointRange) -> Option<Checkpoint> {
    let count = range.count();
    let step = (count / PLACES).max(1);
    for index in (0..count).filter(|index| *index < PLACES || *index + PLACES >= count || index.is_multiple_of(step)) {
        let checkpoint = nth(range, index);
        if exists(shared, checkpoint).await {
            return Some(checkpoint);
        }
    }
    None
}

/// Places that are looked at on either side and in between.
const PLACES: u32 = 16;

fn nth(range: CheckpointRange, index: u32) -> Checkpoint {
    let frequency = range.first().frequency();
    frequency.containing(LedgerSeq::new(range.first().last_ledger().value() + index * frequency.ledgers()))
}

/// The first checkpoint that exists (or, with `false`, does not), taking for granted that there is one border only.
async fn first_where(shared: &Shared<'_>, range: CheckpointRange, wanted: bool) -> Option<Checkpoint> {
    let (mut low, mut high) = (0, range.count());
    while low < high {
        let middle = low + (high - low) / 2;
        if exists(shared, nth(range, middle)).await == wanted {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (low < range.count()).then(|| nth(range, low))
}

/// Checkpoints that stay known to the bucket table after the last state that named a bucket. Bucket lists change slowly:
/// a bucket that nobody named for so long does not come back, and if it does, it is verified again.
const BUCKET_MEMORY: u64 = 256;

struct Run<'a> {
    shared: &'a Shared<'a>,
    rules: &'a Rules,
    root: Root,
    notes: Vec<Note>,
    joined: Option<Segment>,
    /// Outcomes that wait for an earlier one.
    early: BTreeMap<LedgerSeq, CheckpointOutcome>,
    joined_count: u64,
    next_to_join: Option<Checkpoint>,
    /// The state of the checkpoint that the newest state names.
    tip_state: Option<HistoryArchiveState>,
    /// States that turned out faulty after they were counted.
    late_faults: LateFaults,
    /// Checkpoints that a run that stopped never came to, and why.
    not_started: Option<(Unchecked, u64)>,
    buckets: HashMap<BucketHash, BucketEntry>,
    bucket_queue: VecDeque<BucketJob>,
    bucket_tally: Tally,
    bucket_unchecked: BTreeMap<Unchecked, u64>,
    bucket_findings: Kept,
    /// Buckets that turned out faulty in their place, after they were counted.
    misplaced: BTreeSet<BucketHash>,
    waiting: Vec<WaitingState>,
    saw_passphrase: bool,
}

/// How states were counted that turned out faulty later.
#[derive(Default)]
struct LateFaults {
    verified: u64,
    unchecked: BTreeMap<Unchecked, u64>,
}

struct BucketEntry {
    known: Option<Option<BucketFacts>>,
    last_named: u64,
}

struct BucketJob {
    bucket: BucketHash,
    place: BucketUse,
    checkpoint: Checkpoint,
    protocol: Option<u32>,
}

/// A state whose buckets are not all known yet.
struct WaitingState {
    state: HistoryArchiveState,
    status: Status,
    checkpoint: Checkpoint,
    protocol: Option<u32>,
    awaited: BTreeSet<BucketHash>,
}

enum Done {
    Checkpoint(Box<CheckpointOutcome>),
    Bucket(BucketReport, Checkpoint),
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared<'a>, rules: &'a Rules, root: Root, notes: Vec<Note>) -> Self {
        let saw_passphrase = root.state.as_ref().is_some_and(|state| state.network_passphrase.is_some());
        let mut run = Self {
            shared,
            rules,
            root,
            notes,
            joined: None,
            early: BTreeMap::new(),
            joined_count: 0,
            next_to_join: None,
            tip_state: None,
            late_faults: LateFaults::default(),
            not_started: None,
            buckets: HashMap::new(),
            bucket_queue: VecDeque::new(),
            bucket_tally: Tally::default(),
            bucket_unchecked: BTreeMap::new(),
            bucket_findings: Kept::default(),
            misplaced: BTreeSet::new(),
            waiting: Vec::new(),
            saw_passphrase,
        };
        let findings = core::mem::take(&mut run.root.findings);
        run.root.findings = findings.into_iter().map(|finding| run.announce(finding)).collect();
        run
    }

    async fn verify(&mut self, range: CheckpointRange) {
        let count = u64::from(range.count());
        self.shared.counters.stage.set(Stage::Checkpoints);
        self.shared.counters.checkpoints.set(Count { done: 0, total: count });
        self.shared.emit(Event::Stage { stage: Stage::Checkpoints, range: Some(ledgers(range)) });
        let concurrency = self.shared.options.concurrency.max(1);
        // How far checkpoints may run ahead of the one that all later ones wait for.
        let window = crate::codec::u64_from(concurrency) * 4;
        self.next_to_join = Some(range.first());
        let mut checkpoints = range.iter();
        let mut started = 0;
        let mut tasks: FuturesUnordered<LocalBoxFuture<'_, Done>> = FuturesUnordered::new();
        let (shared, rules) = (self.shared, self.rules);
        loop {
            while tasks.len() < concurrency {
                if let Some(job) = self.bucket_queue.pop_front() {
                    tasks.push(Box::pin(verify_bucket(shared, rules, job)));
                } else if started < self.joined_count + window
                    && crate::codec::u64_from(self.waiting.len()) < window
                    && self.shared.stopped().is_none()
                    && let Some(checkpoint) = checkpoints.next()
                {
                    started += 1;
                    tasks.push(Box::pin(verify_checkpoint(shared, rules, checkpoint)));
                } else {
                    break;
                }
            }
            match tasks.next().await {
                Some(Done::Checkpoint(outcome)) => self.checkpoint_done(*outcome),
                Some(Done::Bucket(report, checkpoint)) => self.bucket_done(report, checkpoint),
                None => break,
            }
        }
        // A run that stops does not go through a million checkpoints to say of each that it was not looked at.
        if let Some(why) = self.shared.stopped() {
            self.not_started = Some((why, count - started));
        }
        self.check_root_buckets();
    }

    fn checkpoint_done(&mut self, outcome: CheckpointOutcome) {
        let (checkpoint, _) = outcome.segment.range();
        let status = FileKind::ALL.into_iter().zip(outcome.statuses.map(Status::name)).collect();
        self.shared.emit(Event::Checkpoint { checkpoint: checkpoint.last_ledger(), status });
        let done = self.shared.counters.checkpoints.get();
        self.shared.counters.checkpoints.set(Count { done: done.done + 1, ..done });
        self.early.insert(checkpoint.last_ledger(), outcome);
        while let Some(outcome) = self.next_to_join.and_then(|next| self.early.remove(&next.last_ledger())) {
            self.next_to_join = self.next_to_join.and_then(Checkpoint::next);
            self.join(outcome);
        }
        self.shared.emit_progress_if_due();
    }

    /// Takes the next checkpoint in order, so that everything that follows is the same whatever came first.
    fn join(&mut self, outcome: CheckpointOutcome) {
        self.joined_count += 1;
        let (checkpoint, _) = outcome.segment.range();
        for finding in outcome.segment.findings().list() {
            self.announce(finding.clone());
        }
        if let Some(state) = outcome.state {
            self.saw_passphrase |= state.network_passphrase.is_some();
            if self.root.state.as_ref().is_some_and(|root| root.current_ledger == state.current_ledger) {
                self.tip_state = Some(state.clone());
            }
            self.take_state(state, outcome.statuses[0], checkpoint, outcome.protocol);
        }
        let joined = match self.joined.take() {
            None => outcome.segment,
            Some(joined) => {
                for finding in fold(joined.seam(&outcome.segment, self.rules)) {
                    self.announce(finding);
                }
                match joined.join(outcome.segment, self.rules) {
                    Ok(joined) => joined,
                    // Checkpoints are joined in order, one by one: see `next_to_join`.
                    Err(error) => unreachable!("invariant: {error}"),
                }
            }
        };
        self.joined = Some(joined);
        if self.joined_count.is_multiple_of(BUCKET_MEMORY) {
            let window = crate::codec::u64_from(self.shared.options.concurrency.max(1)) * 8;
            let oldest = self.joined_count.saturating_sub(BUCKET_MEMORY.max(window));
            self.buckets.retain(|_, entry| entry.known.is_none() || entry.last_named >= oldest);
        }
    }

    /// Queues the buckets that were not met before, and remembers the state until all of its buckets are known.
    fn take_state(&mut self, state: HistoryArchiveState, status: Status, checkpoint: Checkpoint, protocol: Option<u32>) {
        let mut awaited = BTreeSet::new();
        for (place, bucket) in buckets(&state) {
            let entry = self.buckets.entry(bucket).or_insert_with(|| {
                if !self.shared.options.skip_buckets {
                    let counts = self.shared.counters.buckets.get();
                    self.shared.counters.buckets.set(Count { total: counts.total + 1, ..counts });
                    self.bucket_queue.push_back(BucketJob { bucket, place, checkpoint, protocol });
                    return BucketEntry { known: None, last_named: 0 };
                }
                self.bucket_tally.count(Status::Unchecked(Unchecked::Skipped));
                *self.bucket_unchecked.entry(Unchecked::Skipped).or_default() += 1;
                BucketEntry { known: Some(None), last_named: 0 }
            });
            entry.last_named = self.joined_count;
            if entry.known.is_none() {
                awaited.insert(bucket);
            }
        }
        self.waiting.push(WaitingState { state, status, checkpoint, protocol, awaited });
        self.check_states_that_wait_no_more();
    }

    fn bucket_done(&mut self, report: BucketReport, checkpoint: Checkpoint) {
        self.bucket_tally.count(report.status);
        if let Status::Unchecked(why) = report.status {
            *self.bucket_unchecked.entry(why).or_default() += 1;
        }
        let counts = self.shared.counters.buckets.get();
        self.shared.counters.buckets.set(Count { done: counts.done + 1, ..counts });
        self.notes.extend(report.notes);
        self.notes.truncate(NOTES_KEPT);
        for finding in report.findings {
            self.add_bucket_finding(finding.at_checkpoint(checkpoint));
        }
        if let Some(entry) = self.buckets.get_mut(&report.bucket) {
            entry.known = Some(report.facts);
        }
        for waiting in &mut self.waiting {
            waiting.awaited.remove(&report.bucket);
        }
        self.check_states_that_wait_no_more();
        self.shared.emit_progress_if_due();
    }

    fn check_states_that_wait_no_more(&mut self) {
        let (ready, waiting) = core::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.awaited.is_empty());
        self.waiting = waiting;
        for ready in ready {
            let WaitingState { state, status, checkpoint, protocol, .. }: WaitingState = ready;
            let mut counted = false;
            let facts = |bucket: &BucketHash| self.buckets.get(bucket).and_then(|entry| entry.known).flatten();
            let findings = check_levels(&state, checkpoint, protocol, self.rules.deep, &facts);
            for finding in findings {
                match finding.bucket {
                    None => {
                        if !core::mem::replace(&mut counted, true) {
                            self.recount_history(status);
                        }
                    }
                    // Later states name the same bucket in the same place: once is enough.
                    Some(bucket) if !self.misplaced.insert(bucket) => continue,
                    Some(_) => {
                        self.bucket_tally.verified = self.bucket_tally.verified.saturating_sub(1);
                        self.bucket_tally.faulty += 1;
                    }
                }
                self.add_bucket_finding(finding);
            }
        }
    }

    /// A state turned out faulty after its checkpoint was counted.
    fn recount_history(&mut self, status: Status) {
        match status {
            Status::Faulty => {}
            Status::Verified => self.late_faults.verified += 1,
            Status::Unchecked(why) => *self.late_faults.unchecked.entry(why).or_default() += 1,
        }
    }

    fn add_bucket_finding(&mut self, finding: Finding) {
        let finding = self.announce(finding);
        self.bucket_findings.extend([finding], self.rules.budget.findings);
    }

    fn check_root_buckets(&mut self) {
        let (Some(root), Some(state)) = (&self.root.state, &self.tip_state) else { return };
        if let Some(finding) = check_root_against_checkpoint(root, state) {
            let finding = self.announce(finding);
            self.root.findings.push(finding);
        }
    }

    /// Names the archive in a finding, counts it and tells the listener.
    fn announce(&self, mut finding: Finding) -> Finding {
        finding.archive = self.shared.reader.name().to_owned();
        self.shared.counters.findings.set(self.shared.counters.findings.get() + 1);
        self.shared.emit(Event::Finding { finding: Box::new(finding.clone()) });
        finding
    }

    fn report(mut self, range: Option<CheckpointRange>, started_at: String) -> Report {
        let options = self.shared.options;
        let cancelled = self.shared.host.is_cancelled();
        let joined = self.joined.take();
        let mut kept = Kept::default();
        kept.extend(core::mem::take(&mut self.root.findings), usize::MAX);
        kept.append(core::mem::take(&mut self.bucket_findings), usize::MAX);
        if let Some(joined) = &joined {
            kept.append(joined.findings().clone(), self.rules.budget.findings);
        }
        let mut findings = kept.list().to_vec();
        for finding in &mut findings {
            finding.archive = self.shared.reader.name().to_owned();
        }
        findings.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.checkpoint, finding.code.rank(), finding.ledger);
            key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path)).then_with(|| (a.offset, a.code).cmp(&(b.offset, b.code)))
        });
        let totals = self.totals(joined.as_ref());
        let unchecked = self.unchecked(joined.as_ref());
        let errors = core::mem::take(&mut *self.shared.errors.borrow_mut());
        let clamped = self.notes.iter().any(|note| note.code == CLAMPED);
        let incomplete =
            cancelled || clamped || range.is_none() || !self.root.read || !errors.is_empty() || self.has_incomplete(joined.as_ref());
        let faulty = !kept.errors().is_empty() || totals.values().any(|tally| tally.faulty > 0);
        let verdict = match (faulty, incomplete) {
            (true, _) => Verdict::Faulty,
            (false, true) => Verdict::Incomplete,
            (false, false) => Verdict::Verified,
        };
        let claims = self.claims(range, joined.as_ref(), &kept);
        let mut notes = core::mem::take(&mut self.notes);
        notes.extend(joined.iter().flat_map(Segment::notes).cloned());
        notes.sort_by(|a, b| (a.checkpoint, a.code, &a.path).cmp(&(b.checkpoint, b.code, &b.path)));
        let mut report = Report {
            schema: 1,
            verifier: Versions::CURRENT,
            archives: vec![self.shared.reader.name().to_owned()],
            network: NetworkName {
                passphrase: self.rules.network.as_ref().map(|network| network.passphrase().to_owned()),
                name: self.rules.network.as_ref().and_then(Network::name),
            },
            range: range.map(ledgers),
            options: ReportOptions { deep: options.deep, skip_optional: options.skip_optional, skip_buckets: options.skip_buckets },
            verdict,
            statement: String::new(),
            sealed_through: None,
            anchors: self.anchors(joined.as_ref()),
            claims,
            totals,
            unchecked,
            findings_dropped: kept.dropped(),
            findings,
            errors: sorted_errors(errors),
            notes,
            started_at,
            elapsed_ms: self.shared.elapsed_ms(),
            bytes: self.shared.bytes(),
        };
        report.statement = statement(&report, kept.errors().values().sum(), cancelled);
        self.shared.counters.stage.set(Stage::Done);
        self.shared.emit_progress();
        self.shared.emit(Event::Stage { stage: Stage::Done, range: report.range });
        self.shared.emit(Event::Done { verdict });
        report
    }

    fn totals(&self, joined: Option<&Segment>) -> BTreeMap<&'static str, Tally> {
        let not_started = self.not_started.map_or(0, |(_, count)| count);
        let kinds = FileKind::ALL.into_iter().map(|kind| {
            let mut tally = joined.map(|joined| joined.tally(kind)).unwrap_or_default();
            tally.unchecked += not_started;
            if kind == FileKind::History {
                let unchecked = self.late_faults.unchecked.values().sum::<u64>();
                tally.verified = tally.verified.saturating_sub(self.late_faults.verified);
                tally.unchecked = tally.unchecked.saturating_sub(unchecked);
                tally.faulty += self.late_faults.verified + unchecked;
            }
            (kind.name(), tally)
        });
        kinds.chain([("bucket", self.bucket_tally)]).collect()
    }

    fn unchecked(&self, joined: Option<&Segment>) -> Vec<UncheckedCount> {
        let mut counts: BTreeMap<(FileKind, Unchecked), u64> = BTreeMap::new();
        for (kind, why, count) in joined.into_iter().flat_map(Segment::unchecked) {
            let late = if kind == FileKind::History { self.late_faults.unchecked.get(&why).copied().unwrap_or(0) } else { 0 };
            *counts.entry((kind, why)).or_default() += count.saturating_sub(late);
        }
        if let Some((why, count)) = self.not_started {
            FileKind::ALL.into_iter().for_each(|kind| *counts.entry((kind, why)).or_default() += count);
        }
        let files = counts.into_iter().map(|((kind, why), count)| (kind.name(), why, count));
        let buckets = self.bucket_unchecked.iter().map(|(why, count)| ("bucket", *why, *count));
        let all = files.chain(buckets).filter(|(.., count)| *count > 0);
        all.map(|(kind, why, count)| UncheckedCount { kind, reason: why.reason(), count }).collect()
    }

    fn has_incomplete(&self, joined: Option<&Segment>) -> bool {
        let files = joined.into_iter().flat_map(Segment::unchecked).map(|(_, why, _)| why);
        let never = self.not_started.filter(|(_, count)| *count > 0).map(|(why, _)| why);
        files.chain(self.bucket_unchecked.keys().copied()).chain(never).any(Unchecked::is_incomplete)
    }

    fn anchors(&self, joined: Option<&Segment>) -> Vec<Anchor> {
        let first = joined.and_then(Segment::first).filter(|first| first.sequence == LedgerSeq::GENESIS);
        let genesis = first.filter(|first| Some(first.hash) == self.rules.genesis);
        genesis.map(|first| Anchor::Genesis { ledger: first.sequence, hash: first.hash }).into_iter().collect()
    }

    fn claims(&self, range: Option<CheckpointRange>, joined: Option<&Segment>, kept: &Kept) -> Vec<Claim> {
        let Some(range) = range.map(ledgers) else { return Vec::new() };
        let found = |codes: &[FindingCode]| codes.iter().any(|code| kept.errors().contains_key(code));
        let claim = |claim, status, statement: String| Claim { claim, status, statement };
        let network = match &self.rules.network {
            None => claim(
                "network",
                "unchecked",
                "no state names the network, and none was given: genesis and transaction hashes were not checked".into(),
            ),
            Some(_) if found(&[FindingCode::HasPassphraseMismatch]) => claim("network", "faulty", "a state names another network".into()),
            Some(network) if self.saw_passphrase => {
                claim("network", "verified", format!("every state that names a network names \"{network}\""))
            }
            Some(network) => claim("network", "unchecked", format!("no state names a network; \"{network}\" was taken on trust")),
        };
        let genesis = match (range.low, joined.and_then(Segment::first), self.rules.genesis) {
            (low, ..) if low != LedgerSeq::GENESIS => {
                claim("genesis", "unchecked", format!("the range begins at ledger {low}, so the chain does not reach down to ledger 1"))
            }
            (_, None, _) => claim("genesis", "unchecked", "the header of ledger 1 could not be read".into()),
            (_, _, None) => claim("genesis", "unchecked", "without a passphrase there is no telling what ledger 1 must be".into()),
            (_, Some(first), Some(genesis)) if first.hash == genesis => {
                claim("genesis", "verified", "ledger 1 is the one that the network's passphrase implies".into())
            }
            _ => claim("genesis", "faulty", "ledger 1 is not the one that the network's passphrase implies".into()),
        };
        let broken: Vec<_> = FindingCode::ALL.iter().copied().filter(|code| code.is_about_headers()).collect();
        let whole = joined.is_some_and(|joined| {
            joined.open_seams() == 0 && joined.tally(FileKind::Ledger).total() == joined.tally(FileKind::Ledger).verified
        });
        let whole = whole && joined.is_some_and(|joined| joined.range().1.last_ledger() == range.high);
        let span = format!("ledgers {} to {}", range.low, range.high);
        let chain = if found(&broken) {
            claim("chain", "faulty", format!("the headers of {span} are not one sound chain"))
        } else if whole {
            claim("chain", "verified", format!("the headers of {span} are one unbroken chain of hashes"))
        } else {
            claim("chain", "unchecked", format!("not every header of {span} could be checked against its neighbours"))
        };
        let tip = joined.and_then(Segment::last).map_or_else(
            || "the newest header could not be read".to_owned(),
            |last| {
                format!(
                    "nothing vouches for the newest header {} of ledger {}: signatures of validators were not checked",
                    last.hash, last.sequence
                )
            },
        );
        vec![network, genesis, chain, claim("tip", "unchecked", tip)]
    }
}

/// Notes kept of a run's buckets: they say the same of many files.
const NOTES_KEPT: usize = 100;

fn ledgers(range: CheckpointRange) -> LedgerRange {
    LedgerRange { low: range.first().first_ledger(), high: range.last().last_ledger() }
}

fn sorted_errors(mut errors: Vec<super::error::RunError>) -> Vec<super::error::RunError> {
    errors.sort_by(|a, b| (&a.path, a.code, &a.message).cmp(&(&b.path, b.code, &b.message)));
    errors
}

/// The five files of a checkpoint, one after another: what later ones need comes first, and a task holds one file.
async fn verify_checkpoint(shared: &Shared<'_>, rules: &Rules, checkpoint: Checkpoint) -> Done {
    let limits = FileLimits::checkpoint_file(&rules.budget);
    let path = |kind| ArchivePath::of_checkpoint(kind, checkpoint);

    let json = shared.read_json(&path(FileKind::History)).await;
    let history = check_checkpoint_state(rules, checkpoint, delivery(&json));
    drop(json);
    let (check, delivered) = shared.read_records(&path(FileKind::Ledger), limits, || LedgerCheck::new(rules, checkpoint)).await;
    let ledger = check.finish(delivered);
    let headers = &ledger.facts;
    let (check, delivered) = shared.read_records(&path(FileKind::Transactions), limits, || TransactionsCheck::new(rules, headers)).await;
    let transactions = check.finish(delivered);
    let sets = if rules.deep { transactions.facts.transactions.as_slice() } else { &[] };
    let (check, delivered) = shared.read_records(&path(FileKind::Results), limits, || ResultsCheck::new(rules, headers, sets)).await;
    let results = check.finish(delivered);
    let scp = if shared.options.skip_optional {
        ScpCheck::new(rules, headers).finish(Delivery::NotRead(Unchecked::Skipped))
    } else {
        let (check, delivered) = shared.read_records(&path(FileKind::Scp), limits, || ScpCheck::new(rules, headers)).await;
        check.finish(delivered)
    };
    Done::Checkpoint(Box::new(assemble(CheckpointFiles { history, ledger, transactions, results, scp })))
}

async fn verify_bucket(shared: &Shared<'_>, rules: &Rules, job: BucketJob) -> Done {
    let limits = FileLimits::bucket(&rules.budget);
    let make = || BucketCheck::new(rules, job.bucket, job.place.list, job.protocol);
    let (check, delivered) = shared.read_records(&ArchivePath::of_bucket(job.bucket), limits, make).await;
    Done::Bucket(check.finish(delivered), job.checkpoint)
}
