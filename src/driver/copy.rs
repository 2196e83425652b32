//! What a mirror and a repair have in common: a verification of the sources and the destination together, in which the
//! destination is asked first, and what it lacks is written to it.
//!
//! What it is: how far it goes, what is refused before anything is written, and the newest state, which is written last of
//! all. What it is not: when the other files are written; that is [`crate::historywork::copying`].

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::event::{Event, WrittenSoFar};
use super::options::{ReadOptions, UsageError};
use super::probe::Probe;
use super::roots::{pinned_tip, read_roots, tip};
use super::schedule::{Drive, Timeouts};
use super::verify::{self, RunOptions};
use super::{Host, Trust};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::id::{ArchiveId, WriterId};
use crate::archive::network::Network;
use crate::archive::path::ArchivePath;
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::hash::Hash256;
use crate::historywork::archives::Archives;
use crate::historywork::copying::{CopySettings, Copying, SharedCopies};
use crate::historywork::put_remote_file_work::{PUBLISH_RETRIES, PutRemoteFileWork, PutsDone};
use crate::historywork::saved::Root;
use crate::historywork::verify_bucket_work::BucketJob;
use crate::historywork::{CopyTo, PutFile, UPLOAD, scheduler};
use crate::limits::Budget;
use crate::report::Report;
use crate::report::copy::{CopyKind, CopyOutcomes, CopyReport, WellKnown, WellKnownStatus, compose_copy};
use crate::report::plan::RepairPlan;
use crate::transport::pool::ArchivePool;
use crate::transport::{ArchiveReader, ArchiveWriter};
use crate::verify::bucket::{BucketUse, ListKind};
use crate::verify::finding::FindingCode;
use crate::work::retry::RetryPolicy;
use crate::work::{Concurrency, WorkSpec};

/// What mirrors and repairs are asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CopyOptions {
    /// The lowest ledger.
    pub low: Option<LedgerSeq>,
    /// The highest ledger; by default the newest.
    pub high: Option<LedgerSeq>,
    /// The network; by default what the sources say.
    pub network: Option<Network>,
    /// Whose word counts.
    pub trust: Trust,
    /// Leave out scp files.
    pub skip_optional: bool,
    /// Bytes a second that are read at most.
    pub bandwidth: Option<u64>,
    /// Read every file back after it was written, and compare.
    pub read_back: bool,
    /// Files read, and files written, at once; at least 1.
    pub concurrency: Concurrency,
    /// For faults of the way.
    pub retry: RetryPolicy,
    /// When a read is given up.
    pub timeouts: Timeouts,
    /// How far apart checkpoints are.
    pub frequency: CheckpointFrequency,
    /// The caps on input.
    pub budget: Budget,
}

impl Default for CopyOptions {
    fn default() -> Self {
        let RunOptions { concurrency, retry, timeouts, frequency, budget, .. } = RunOptions::default();
        Self {
            low: None,
            high: None,
            network: None,
            trust: Trust::default(),
            skip_optional: false,
            bandwidth: None,
            read_back: false,
            concurrency,
            retry,
            timeouts,
            frequency,
            budget,
        }
    }
}

impl CopyOptions {
    pub(super) fn run(&self) -> RunOptions {
        let Self { low, high, network, trust, skip_optional, concurrency, retry, timeouts, frequency, budget, .. } = self.clone();
        RunOptions { low, high, network, trust, skip_optional, concurrency, retry, timeouts, frequency, budget, ..RunOptions::default() }
    }

    pub(super) fn read(&self) -> ReadOptions {
        let Self { network, concurrency, retry, timeouts, frequency, budget, .. } = self.clone();
        ReadOptions { network, concurrency, retry, timeouts, frequency, budget }
    }
}

/// What a destination says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct DestinationRoot {
    /// The checkpoint of its newest state.
    pub(super) tip: Option<Checkpoint>,
    /// The hash of that state's live buckets' list.
    pub(super) hash: Option<Hash256>,
    /// The network that it names.
    pub(super) passphrase: Option<String>,
    /// Its newest state can be relied on, as far as it can be told alone.
    pub(super) is_sound: bool,
    /// The newest checkpoint that it has files of, where its newest state is none to rely on and they were looked for.
    pub(super) found: Option<Checkpoint>,
}

impl DestinationRoot {
    /// Reads it; a place that cannot be read says nothing.
    pub(super) async fn read(destination: &dyn ArchiveWriter, host: &dyn Host, options: &CopyOptions) -> Result<Self, UsageError> {
        let Some(reader) = destination.reader() else { return Ok(Self::default()) };
        let pool = ArchivePool::new(vec![reader]);
        let drive = Drive::new(&pool, host, options.timeouts);
        let read = ReadOptions { network: None, ..options.read() };
        let roots = read_roots(&drive, &read, None, &mut |_| {}).await;
        if host.is_cancelled() {
            return Ok(Self::default());
        }
        let Some(root) = roots.list.first().filter(|root| root.read) else {
            let why = roots.errors.first().map_or_else(String::new, |error| format!(": {}", error.message));
            return Err(UsageError(format!("the destination {} cannot be read{why}", destination.name())));
        };
        Ok(Self {
            tip: tip(root, options.frequency).filter(|_| root.state.is_some()),
            hash: root.state.as_ref().map(|state| state.current_buckets.hash()),
            passphrase: root.state.as_ref().and_then(|state| state.network_passphrase.clone()),
            is_sound: root.state.is_some() && !root.findings.iter().any(crate::verify::finding::Finding::is_error),
            found: None,
        })
    }
}

/// The newest checkpoint that the sources announce.
pub(super) async fn tip_of(sources: &[&dyn ArchiveReader], host: &dyn Host, options: &CopyOptions) -> Option<Checkpoint> {
    let pool = ArchivePool::new(sources.to_vec());
    let drive = Drive::new(&pool, host, options.timeouts);
    let roots = read_roots(&drive, &options.read(), None, &mut |_| {}).await;
    pinned_tip(&roots.list, options.frequency)
}

/// How far a destination goes.
pub(super) struct Extent {
    pub(super) range: CheckpointRange,
    /// Whether there is nothing above the range.
    pub(super) to_the_end: bool,
    /// Its newest state names a checkpoint that neither it nor a source has.
    pub(super) announces_too_much: bool,
}

/// The checkpoints that the destination has, judged by its newest state or, where that is no help, by its files.
pub(super) async fn own_range(
    destination: &dyn ArchiveWriter,
    sources: &[&dyn ArchiveReader],
    root: &DestinationRoot,
    host: &dyn Host,
    options: &CopyOptions,
) -> Result<Extent, UsageError> {
    let nothing = || UsageError(format!("{} holds no archive: to fill it, mirror into it", destination.name()));
    let Some(reader) = destination.reader() else { return Err(nothing()) };
    let frequency = options.frequency;
    let pool = ArchivePool::new(vec![reader]);
    let drive = Drive::new(&pool, host, options.timeouts);
    let mut probe = Probe::new(&drive, &options.run(), &[]);
    let theirs = tip_of(sources, host, options).await;
    // One that is wrong in itself does not say how far it goes.
    let mut announced = root.tip.filter(|_| root.is_sound);
    let mut announces_too_much = false;
    if let Some(tip) = announced
        && theirs.is_none_or(|theirs| theirs < tip)
        && !probe.exists(tip).await
    {
        (announced, announces_too_much) = (None, true);
    }
    let end = options.high.map(|high| frequency.containing(high)).or(announced);
    let highest = end
        .or(theirs)
        .ok_or_else(|| UsageError("neither the destination nor a source says how far it goes: name the highest ledger".to_owned()))?;
    let low = options.low.unwrap_or(LedgerSeq::GENESIS);
    let whole = CheckpointRange::covering(low, highest.last_ledger(), frequency).ok_or_else(nothing)?;
    let range = probe.extent(whole, options.low.is_some(), end.is_some()).await.ok_or_else(nothing)?;
    let to_the_end = match range.last().next() {
        Some(next) if options.high.is_some() => !probe.exists(next).await,
        _ => true,
    };
    Ok(Extent { range, to_the_end, announces_too_much })
}

/// Only some checkpoints and buckets, as a plan lists them.
#[derive(Clone, Debug, Default)]
pub(super) struct Only {
    pub(super) checkpoints: BTreeSet<Checkpoint>,
    /// Those of them whose states are to be mended: only theirs need all buckets.
    pub(super) states: Arc<BTreeSet<Checkpoint>>,
    pub(super) buckets: BTreeSet<BucketHash>,
    /// What the newest state is to be made of, if that is to be mended.
    pub(super) well_known: Option<Checkpoint>,
}

impl Only {
    /// The buckets as work.
    pub(super) fn jobs(&self) -> Vec<BucketJob> {
        let place = BucketUse { list: ListKind::Live, lowest: false };
        let Some(checkpoint) = self.checkpoints.first().copied() else { return Vec::new() };
        self.buckets.iter().map(|bucket| BucketJob { bucket: *bucket, place, checkpoint, protocol: None }).collect()
    }
}

/// A mirror or a repair under way.
#[derive(Debug)]
pub(super) struct CopyTask {
    pub(super) kind: CopyKind,
    /// The destination's name.
    pub(super) name: String,
    /// The destination among the archives that are read, if it can be.
    pub(super) destination: Option<ArchiveId>,
    pub(super) root: DestinationRoot,
    pub(super) settings: CopySettings,
    pub(super) only: Option<Only>,
    /// Whether the range goes to where the newest state is to be.
    pub(super) to_the_end: bool,
    /// Whether the destination may lack what is between its end and the lowest ledger.
    pub(super) allow_gaps: bool,
    pub(super) copies: SharedCopies,
}

/// The one place that a run writes to.
const WRITER: WriterId = WriterId::new(0);

impl CopyTask {
    pub(super) fn copying(&self, archives: &Archives) -> Copying {
        Copying::new(self.settings.clone(), archives.clone(), self.copies.clone(), &self.name)
    }

    pub(super) fn progress(&self) -> WrittenSoFar {
        let copies = self.copies.lock();
        WrittenSoFar { files: copies.written_files(), bytes: copies.bytes.to_string() }
    }

    /// The checkpoint that a mirror goes on with, if it goes on where the destination ends.
    pub(super) fn goes_on_with(&self, options: &RunOptions, pinned: Option<Checkpoint>) -> Option<Checkpoint> {
        let is_mirror = self.kind == CopyKind::Mirror && options.low.is_none() && self.destination.is_some();
        let next = self.root.tip.filter(|_| is_mirror)?.next()?;
        let end = options.high.map(|high| options.frequency.containing(high)).into_iter().chain(pinned).min();
        (end >= Some(next)).then_some(next)
    }

    /// What is verified: a mirror goes on where the destination ends, with the last checkpoint that is there, so that the next one
    /// is held against it.
    pub(super) fn wanted(&self, options: &RunOptions, pinned: Option<Checkpoint>) -> RunOptions {
        let mut wanted = options.clone();
        if let (CopyKind::Mirror, None, Some(tip)) = (self.kind, options.low, self.root.tip)
            && self.destination.is_some()
        {
            let end = options.high.map(|high| options.frequency.containing(high)).into_iter().chain(pinned).min();
            wanted.low = Some(end.map_or(tip, |end| end.min(tip)).first_ledger());
        }
        wanted
    }

    /// How far it goes: a repair as far as the destination, even where the sources lag behind it.
    pub(super) fn pinned(&self, pinned: Option<Checkpoint>) -> Option<Checkpoint> {
        match self.kind {
            CopyKind::Mirror => pinned,
            CopyKind::Repair => pinned.max(self.root.tip),
        }
    }

    /// # Errors
    /// If every source that says so is of another network.
    pub(super) fn refuse_other_sources(&self, network: &Network, roots: &[Root], pool: &ArchivePool<'_>) -> Result<(), UsageError> {
        let sources = pool.ids().zip(roots).filter(|(id, _)| Some(*id) != self.destination);
        let named = sources.filter_map(|(id, root)| Some((id, root.state.as_ref()?.network_passphrase.as_ref()?)));
        let named: Vec<_> = named.collect();
        match named.first() {
            Some((id, other)) if named.iter().all(|(_, passphrase)| *passphrase != network.passphrase()) => Err(UsageError(format!(
                "{} is an archive of the network \"{other}\", not of \"{}\". Nothing was written: take another source, or leave the network out (--network, network)",
                pool.name(*id),
                network.passphrase()
            ))),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// If the destination is of a network, and nobody says that the sources are of the same.
    pub(super) fn refuse_an_unknown_network(&self) -> Result<(), UsageError> {
        match &self.root.passphrase {
            Some(passphrase) => Err(UsageError(unknown_network(&self.name, passphrase))),
            None => Ok(()),
        }
    }

    /// # Errors
    /// If the destination is of another network.
    pub(super) fn refuse_another_network(&self, network: &Network) -> Result<(), UsageError> {
        match &self.root.passphrase {
            Some(passphrase) if passphrase != network.passphrase() => Err(UsageError(format!(
                "{} is an archive of the network \"{passphrase}\", not of \"{}\". Nothing was written: take another destination; if only its newest state is wrong, remove {} and run again",
                self.name,
                network.passphrase(),
                ArchivePath::well_known()
            ))),
            _ => Ok(()),
        }
    }
}

/// Where a run reads and writes.
#[derive(Clone)]
pub(super) struct Places<'a> {
    pub(super) sources: Vec<&'a dyn ArchiveReader>,
    pub(super) destination: &'a dyn ArchiveWriter,
}

/// Why nothing is written into an archive that names a network, from archives that name none.
pub(super) fn unknown_network(name: &str, passphrase: &str) -> String {
    format!(
        "{name} is an archive of the network \"{passphrase}\", and the sources do not say which network they are of. Nothing was written: say which one (--network, network)"
    )
}

/// How a run writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) kind: CopyKind,
    pub(super) dry_run: bool,
    /// Whether what the destination has is looked at, and kept where it is sound.
    pub(super) keeps: bool,
    /// Whether the range goes to where the newest state is to be.
    pub(super) to_the_end: bool,
    /// Whether the destination may lack what is between its end and the lowest ledger.
    pub(super) allow_gaps: bool,
}

/// Verifies and copies.
pub(super) async fn run(
    places: Places<'_>,
    host: &dyn Host,
    options: &CopyOptions,
    manner: Manner,
    root: DestinationRoot,
    only: Option<Only>,
    emit: &mut dyn FnMut(Event),
) -> Result<CopyReport, UsageError> {
    let Places { sources, destination } = places;
    let started_ms = host.now_ms();
    let same = |name: &str| name.trim_end_matches('/') == destination.name().trim_end_matches('/');
    if sources.iter().any(|source| same(source.name())) {
        return Err(UsageError(format!("{} is both a source and the destination", destination.name())));
    }
    if options.read_back && destination.reader().is_none() {
        return Err(UsageError(format!("{} cannot be read, so nothing that is written to it can be read back", destination.name())));
    }
    let names = sources.iter().map(|source| source.name().to_owned()).collect();
    let mut readers = sources;
    let run_options = options.run();
    let own = destination.reader();
    let place = own.is_some().then(|| ArchiveId::new(readers.len()));
    let all: Vec<_> = readers.iter().copied().chain(own).collect();
    verify::check(&run_options, &all)?;
    let task = |place| CopyTask {
        kind: manner.kind,
        name: destination.name().to_owned(),
        destination: place,
        root: root.clone(),
        settings: CopySettings {
            to: CopyTo { writer: WRITER, read_back: options.read_back },
            // As often as publishing tries, unless the caller says how often.
            retry: if options.retry == RetryPolicy::default() { PUBLISH_RETRIES } else { options.retry },
            dry_run: manner.dry_run,
            lists_missing: manner.kind == CopyKind::Repair,
            buckets_of: only.as_ref().map(|only| Arc::clone(&only.states)),
        },
        only: only.clone(),
        to_the_end: manner.to_the_end,
        allow_gaps: manner.allow_gaps,
        copies: SharedCopies::default(),
    };
    let place = if manner.keeps {
        readers = all;
        place
    } else {
        // What is there is not looked at, but for whether it is of this history at all.
        let pool = ArchivePool::new(all).with_destination(place);
        verify::refuse(&Drive::new(&pool, host, options.timeouts), host, &run_options, &task(place)).await?;
        None
    };
    let task = task(place);
    let pool = ArchivePool::new(readers).with_destination(place);
    let drive = Drive::new(&pool, host, options.timeouts).with_writers(vec![destination]).with_bandwidth(options.bandwidth);
    let verification = verify::run(&drive, host, &run_options, Some(&task), emit).await?;
    let (well_known, broken) = put_well_known(&task, &drive, host, options, &verification).await;
    let copies = task.copies.lock();
    let mut plan = RepairPlan { files: copies.left.files.clone(), buckets: copies.left.buckets.clone(), ..RepairPlan::default() };
    plan.well_known = broken;
    plan.summary.failed = plan.failed();
    plan.summary.succeeded = copies.kept.values().chain(copies.written.values().filter(|_| !manner.dry_run)).sum();
    plan.summary.retries = drive.retries();
    Ok(compose_copy(CopyOutcomes {
        task: task.kind,
        destination: &task.name,
        sources: names,
        dry_run: manner.dry_run,
        copies: &copies,
        well_known,
        plan,
        verification,
        cancelled: host.is_cancelled(),
        elapsed_ms: host.now_ms().saturating_sub(started_ms),
    }))
}

/// Writes the newest state, if it is to be another one than there is, and everything below it is there. Also gives the checkpoint
/// that it is to be made of, where it is not as it should be still.
async fn put_well_known(
    task: &CopyTask,
    drive: &Drive<'_>,
    host: &dyn Host,
    options: &CopyOptions,
    verification: &Report,
) -> (WellKnown, Option<Checkpoint>) {
    let (whole, first_incomplete) = {
        let copies = task.copies.lock();
        (copies.complete_through.clone(), copies.first_incomplete)
    };
    let root = &task.root;
    let kept = |reason: Option<String>| WellKnown { status: WellKnownStatus::Kept, ledger: root.tip.map(Checkpoint::last_ledger), reason };
    let not_written = |reason: &str| {
        let ledger = root.tip.map(Checkpoint::last_ledger);
        WellKnown { status: WellKnownStatus::NotWritten, ledger, reason: Some(reason.to_owned()) }
    };
    let state = whole.as_ref().and_then(|(_, json)| HistoryArchiveState::parse(json, &options.budget).ok());
    let contradicts = |tip: Checkpoint| {
        let same = whole.as_ref().is_some_and(|(checkpoint, _)| *checkpoint == tip);
        same && state.as_ref().map(|state| state.current_buckets.hash()) != root.hash
    };
    let announced = root.tip.filter(|tip| root.is_sound && !contradicts(*tip));
    let (checkpoint, json) = match (whole, announced) {
        (Some((checkpoint, _)), Some(tip)) if checkpoint <= tip => {
            let reason = (checkpoint < tip && first_incomplete.is_none()).then(|| "the destination goes further".to_owned());
            return (kept(reason), None);
        }
        (None, Some(_)) => return (kept(Some("nothing new is whole".to_owned())), None),
        (None, None) => {
            let reason = match first_incomplete {
                Some(checkpoint) => format!("not even checkpoint {checkpoint} is whole"),
                None => "nothing was looked at".to_owned(),
            };
            return (not_written(&reason), verification.range.and_then(|range| options.frequency.ending_at(range.high)));
        }
        (Some(whole), _) => whole,
    };
    // A repair mends what there is, and does not go further.
    if task.kind == CopyKind::Repair && announced.is_some() {
        return (kept(None), None);
    }
    if !task.to_the_end {
        return (
            kept(Some("it is wrong, but the range ends below what it should name: repair it without a highest ledger".to_owned())),
            None,
        );
    }
    if let Some(wanted) = task.only.as_ref().and_then(|only| only.well_known)
        && checkpoint < wanted
    {
        return (not_written(&format!("checkpoint {wanted}, which the plan wants it to name, is not whole")), Some(wanted));
    }
    // A plan does not say what is below.
    let there = root.found.map(|found| found.next().unwrap_or(found));
    if task.only.is_some() && there.is_none_or(|there| checkpoint > there) {
        let why = format!("there are no files of checkpoints below {checkpoint}: repair without a plan, or mirror");
        return (not_written(&why), Some(checkpoint));
    }
    use FindingCode as F;
    for (codes, why) in [
        (&[F::AnchorMismatch][..], "the history is not the one that those vouch for whom you believe"),
        (
            &[F::ArchivesDisagree, F::RootMismatch],
            "the sources hold another history of these ledgers, and nothing tells which is the network's",
        ),
    ] {
        let mut errors = verification.findings.iter().filter(|finding| finding.is_error());
        if errors.any(|finding| codes.contains(&finding.code)) {
            return (not_written(why), None);
        }
    }
    let ledger = Some(checkpoint.last_ledger());
    let network = verification.network.passphrase.as_deref();
    let content = with_passphrase(json, network);
    let bytes = crate::codec::u64_from(content.len());
    if task.settings.dry_run {
        task.copies.lock().wrote_well_known(bytes);
        return (WellKnown { status: WellKnownStatus::Planned, ledger, reason: None }, Some(checkpoint));
    }
    if host.is_cancelled() {
        return (not_written("the run was stopped"), Some(checkpoint));
    }
    let (CopyTo { writer, read_back }, retry) = (task.settings.to, task.settings.retry);
    let path = ArchivePath::well_known();
    let file = PutFile { writer, path: path.clone(), content: content.into(), unless_there: false, read_back };
    let done = PutsDone::default();
    let mut work = scheduler(1);
    let spec = WorkSpec::new("PutRemoteFileWork", format!("PutRemoteFileWork {path}"), UPLOAD).retrying(retry);
    // A fresh scheduler takes everything.
    let _ = work.add(spec, Box::new(PutRemoteFileWork::new(file, retry, Arc::clone(&done))));
    drive.run_to_completion(&mut work, &mut |_| {}).await;
    let outcome = done.lock().unwrap_or_else(PoisonError::into_inner).pop();
    match outcome {
        Some((_, Ok(_))) => {
            task.copies.lock().wrote_well_known(bytes);
            let reason = first_incomplete.map(|checkpoint| format!("checkpoint {checkpoint}, the next one, is not whole"));
            (WellKnown { status: WellKnownStatus::Written, ledger, reason }, None)
        }
        Some((path, Err(error))) => {
            let why = not_written(&error.message);
            task.copies.lock().fail(&path, error);
            (why, Some(checkpoint))
        }
        None => (not_written("the run was stopped"), Some(checkpoint)),
    }
}

/// Newest states name the network; states of old checkpoints do not (rules E 7).
fn with_passphrase(json: Vec<u8>, network: Option<&str>) -> Vec<u8> {
    let parsed: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(&json).ok();
    match (parsed, network) {
        (Some(mut state), Some(network)) if !state.contains_key("networkPassphrase") => {
            state.insert("networkPassphrase".to_owned(), network.into());
            serde_json::to_vec_pretty(&state).unwrap_or(json)
        }
        _ => json,
    }
}
