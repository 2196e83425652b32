//! One run of `verify`: the archives' newest states, the range that follows from them, and the graph of work over it.

mod share;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::Host;
use super::copy::CopyTask;
use super::event::{ArchiveProgress, Count, Event, InFlight, MOST_IN_FLIGHT, Progress, Stage};
use super::options::{ReadOptions, UsageError};
use super::probe::{CLAMPED, Probe, note};
use super::roots::{PATIENCE_IN_THE_END_MS, PATIENCE_MS, Roots, pinned_tip, read_roots, tip};
use super::schedule::{Drive, DriveEvent, Timeouts};
use super::workers::{NoWorkers, Workers};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::network::Network;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::HistoryArchiveState;
use crate::codec::hash::Hash256;
use crate::historywork::archives::{Accounts, Archives};
use crate::historywork::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use crate::historywork::get_remote_file_work::{GetRemoteFileWork, Plain, PlainFile};
use crate::historywork::plan::{Order, Plan, Seed};
use crate::historywork::range::JoinedRange;
use crate::historywork::saved::{Request, Root, SavedHead, resume};
use crate::historywork::verify_checkpoint_work::{CheckpointOrder, CheckpointsDone, VerifiedCheckpoint, VerifyCheckpointWork};
use crate::historywork::verify_range_work::{RangeSettings, SharedRange, VerifyRangeWork};
use crate::historywork::{CONCURRENCY, COORDINATE, DOWNLOAD, HistoryEvent, Scheduler, scheduler};
use crate::limits::Budget;
use crate::report::compose::{Agreed, Outcome, compose};
use crate::report::copy::CopyKind;
use crate::report::{Bytes, LedgerRange, Report, Versions};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::Trust;
use crate::verify::checkpoint::{Rules, Status, Unchecked};
use crate::verify::finding::{Finding, FindingCode, Note};
use crate::verify::state::check_root_against_checkpoint;
use crate::work::retry::RetryPolicy;
use crate::work::{Concurrency, WorkCounts, WorkSpec};

/// What a run is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// The lowest ledger; by default where the archive begins.
    pub low: Option<LedgerSeq>,
    /// The highest ledger; by default the newest.
    pub high: Option<LedgerSeq>,
    /// Instead of the lowest ledger: so many ledgers up to the highest.
    pub last: Option<u32>,
    /// Only so many checkpoints, drawn at random.
    pub sample: Option<u32>,
    /// What the sample is drawn from; by default the host's dice.
    pub seed: Option<Seed>,
    /// In which order checkpoints are verified.
    pub order: Order,
    /// The network; by default what the archive says.
    pub network: Option<Network>,
    /// Whose word counts.
    pub trust: Trust,
    /// Decode and check what no hash covers.
    pub deep: bool,
    /// Leave out scp files.
    pub skip_optional: bool,
    /// Leave out bucket files.
    pub skip_buckets: bool,
    /// Files read at once; at least 1.
    pub concurrency: Concurrency,
    /// For faults of the transport.
    pub retry: RetryPolicy,
    /// When a read is given up.
    pub timeouts: Timeouts,
    /// How far apart checkpoints are.
    pub frequency: CheckpointFrequency,
    /// The caps on input.
    pub budget: Budget,
    /// Say from time to time, and when the run is cancelled, what it can be resumed from.
    pub save_state: bool,
    /// What a run said so.
    pub resume: Option<String>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            low: None,
            high: None,
            last: None,
            sample: None,
            seed: None,
            order: Order::default(),
            network: None,
            trust: Trust::default(),
            deep: false,
            skip_optional: false,
            skip_buckets: false,
            concurrency: CONCURRENCY,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            frequency: CheckpointFrequency::default(),
            budget: Budget::default(),
            save_state: false,
            resume: None,
        }
    }
}

impl RunOptions {
    fn read(&self) -> ReadOptions {
        let Self { network, concurrency, retry, timeouts, frequency, budget, .. } = self.clone();
        ReadOptions { network, concurrency, retry, timeouts, frequency, budget }
    }
}

/// Verifies one archive: see [`verify_archives`].
///
/// # Errors
/// As [`verify_archives`].
pub async fn verify_archive(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    emit: &mut dyn FnMut(Event),
) -> Result<Report, UsageError> {
    verify_archives(vec![reader], host, options, emit).await
}

/// Verifies a history that several archives hold. Faults of archives and of the way to them are in the report.
///
/// # Errors
/// If the options contradict themselves, the archives are of different networks, or the state to resume is of another run.
pub async fn verify_archives(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &RunOptions,
    emit: &mut dyn FnMut(Event),
) -> Result<Report, UsageError> {
    check(options, &readers)?;
    let pool = ArchivePool::new(readers);
    run(&Drive::new(&pool, host, options.timeouts), host, options, None, emit).await
}

/// Verifies a history, and copies what a destination lacks of it.
pub(super) async fn run(
    drive: &Drive<'_>,
    host: &dyn Host,
    options: &RunOptions,
    copy: Option<&CopyTask>,
    emit: &mut dyn FnMut(Event),
) -> Result<Report, UsageError> {
    let pool = drive.pool();
    let mut run = Run::new(drive, host, options, copy, emit);
    (run.emit)(Event::Stage { stage: Stage::Root, range: None });
    let request = request(options, pool);
    let (head, range) = match &options.resume {
        Some(state) => {
            let (head, range) = resume(state, &request).map_err(|refusal| UsageError(refusal.to_string()))?;
            // Where something is copied, each checkpoint passes by.
            let range = if copy.is_some() { range.without_parts_apart() } else { range };
            for part in range.apart().iter().chain([&range]) {
                run.before.add(part.accounts());
            }
            (head, Some(range))
        }
        None => run.begin(request).await?,
    };
    for (id, _) in pool.ids().zip(&head.roots).filter(|(_, root)| root.excluded) {
        pool.exclude(id);
    }
    Ok(run.verify(head, range).await)
}

/// Refuses to copy into a destination that is of another network or another history; nothing else is looked at.
pub(super) async fn refuse(drive: &Drive<'_>, host: &dyn Host, options: &RunOptions, copy: &CopyTask) -> Result<(), UsageError> {
    let mut emit = |_| {};
    let mut run = Run::new(drive, host, options, Some(copy), &mut emit);
    run.begin(request(options, drive.pool())).await.map(drop)
}

/// What is found out before the first checkpoint.
pub(super) async fn begin(
    drive: &Drive<'_>,
    host: &dyn Host,
    options: &RunOptions,
) -> Result<(SavedHead, Option<JoinedRange>), UsageError> {
    let mut emit = |_| {};
    Run::new(drive, host, options, None, &mut emit).begin(request(options, drive.pool())).await
}

/// Goes through what is left of a range, as far as it comes.
pub(super) async fn go_through(
    drive: &Drive<'_>,
    host: &dyn Host,
    options: &RunOptions,
    head: &SavedHead,
    range: &SharedRange,
    emit: &mut dyn FnMut(Event),
) {
    let archives = archives(options, head, None);
    let mut run = Run::new(drive, host, options, None, emit);
    (run.stage, run.range) = (Stage::Checkpoints, Some(range.clone()));
    run.go_through(range, &archives, None).await;
    run.say_how_far(&scheduler(1));
}

/// The archives of a run, as its items know them.
pub(super) fn archives(options: &RunOptions, head: &SavedHead, destination: Option<ArchiveId>) -> Archives {
    let network = head.network.clone().map(Network::from_passphrase);
    let rules = options.trust.rules(network, options.deep, options.budget.clone());
    let tips = head.roots.iter().map(|root| tip(root, options.frequency).map(|tip| tip.last_ledger())).collect();
    let excluded = (0..).map(ArchiveId::new).zip(&head.roots).filter(|(_, root)| root.excluded).map(|(id, _)| id);
    let names = head.request.archives.clone();
    Archives::new(names, rules).with_tips(tips).without(excluded.collect()).with_destination(destination)
}

pub(super) fn check(options: &RunOptions, readers: &[&dyn ArchiveReader]) -> Result<(), UsageError> {
    let refuse = |why: String| Err(UsageError(why));
    if readers.is_empty() {
        return refuse("there is no archive to verify".into());
    }
    let mut names: Vec<_> = readers.iter().map(|reader| reader.name()).collect();
    names.iter_mut().for_each(|name| *name = name.trim_end_matches('/'));
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        return refuse(format!("the archive {twice} is given twice"));
    }
    match (options.low, options.high) {
        (Some(low), Some(high)) if low > high => return refuse(format!("the lowest ledger {low} is above the highest {high}")),
        (Some(_), _) if options.last.is_some() => {
            return refuse("either the lowest ledger or the number of last ledgers is given, not both".into());
        }
        _ => {}
    }
    match (options.last, options.sample, options.seed) {
        (Some(0), ..) => refuse("the last 0 ledgers are none".into()),
        (_, Some(0), _) => refuse("a sample of 0 checkpoints says nothing".into()),
        (_, None, Some(_)) => refuse("a seed is for a sample: say how many checkpoints it has".into()),
        _ => Ok(()),
    }
}

pub(super) fn request(options: &RunOptions, pool: &ArchivePool<'_>) -> Request {
    Request {
        verifier: Versions::CURRENT.version.to_owned(),
        archives: pool.ids().map(|id| pool.name(id).to_owned()).collect(),
        network: options.network.as_ref().map(|network| network.passphrase().to_owned()),
        low: options.low,
        high: options.high,
        last: options.last,
        order: options.order,
        sample: options.sample,
        seed: options.seed,
        quorum_set: options.trust.believed.as_ref().map(|believed| (*believed.set).clone()),
        trusted_hashes: options.trust.hashes.digest(),
        nobody: options.trust.nobody,
        all_signatures: options.trust.all_signatures,
        deep: options.deep,
        skip_optional: options.skip_optional,
        skip_buckets: options.skip_buckets,
        frequency: options.frequency,
    }
}

/// Checkpoints below a broken one that are looked at to tell whether a destination is of another history.
const LOOKED_AT_BELOW: usize = 8;

struct Run<'a, 'e> {
    drive: &'a Drive<'a>,
    host: &'a dyn Host,
    options: &'a RunOptions,
    copy: Option<&'a CopyTask>,
    emit: &'e mut dyn FnMut(Event),
    stage: Stage,
    findings: u64,
    range: Option<SharedRange>,
    /// The part of it that is verified here, where the run is shared.
    part: Option<SharedRange>,
    /// What other threads asked of the archive for their parts.
    elsewhere: Accounts,
    /// What goes before the state of a shared run, where one is wanted, and when it was handed out last.
    saving: Option<(SavedHead, u64)>,
    /// What a resumed run had counted before.
    before: Accounts,
    /// Work items of the range, once it is over.
    past: BTreeMap<&'static str, WorkCounts>,
    started_ms: u64,
}

impl<'a, 'e> Run<'a, 'e> {
    fn new(
        drive: &'a Drive<'a>,
        host: &'a dyn Host,
        options: &'a RunOptions,
        copy: Option<&'a CopyTask>,
        emit: &'e mut dyn FnMut(Event),
    ) -> Self {
        Self {
            drive,
            host,
            options,
            copy,
            emit,
            stage: Stage::Root,
            findings: 0,
            range: None,
            part: None,
            elsewhere: Accounts::default(),
            saving: None,
            before: Accounts::default(),
            past: BTreeMap::new(),
            started_ms: host.now_ms(),
        }
    }

    /// What is found out before the first checkpoint.
    async fn begin(&mut self, request: Request) -> Result<(SavedHead, Option<JoinedRange>), UsageError> {
        let started_at = self.host.timestamp();
        let options = self.options;
        let several = self.drive.pool().ids().count() > 1;
        let mut roots = self.roots(several.then_some(PATIENCE_MS)).await;
        if several && !roots.list.iter().any(|root| root.read) && !self.host.is_cancelled() {
            // All of them rest: there is nobody to go on with meanwhile.
            let before = roots.accounts;
            roots = self.roots(None).await;
            roots.accounts.add(&before);
        }
        let Roots { mut list, errors, mut accounts } = roots;
        if let Some(id) = self.destination()
            && let Some(root) = list.get_mut(id.index())
        {
            // What a destination says of itself decides nothing: it is what the sources have that it is to have.
            *root = Root { read: true, ..Root::default() };
        }
        // A host that cannot be reached for its newest state cannot be reached for a million other files either.
        for (id, root) in self.drive.pool().ids().zip(&mut list).filter(|(_, root)| !root.read) {
            root.excluded = true;
            self.drive.pool().exclude(id);
        }
        let mut network = self.network(&mut list)?;
        if let (Some(copy), Some(network)) = (self.copy, &network) {
            copy.refuse_other_sources(network, &list, self.drive.pool())?;
        }
        if let (Some(copy), Some(network)) = (self.copy, &network) {
            copy.refuse_another_network(network)?;
        }
        let disputes = self.leave_out_other_histories(&mut list, network.as_ref(), &mut accounts).await;
        let mut probe = Probe::new(self.drive, options, &list);
        let pinned = probe.pinned_tip(&list, options.frequency).await;
        let mut wanted = self.copy.map_or_else(|| options.clone(), |copy| copy.wanted(options, pinned));
        if let Some(copy) = self.copy
            && let Some(next) = copy.goes_on_with(options, pinned)
            && !probe.exists(next).await
        {
            if !copy.allow_gaps {
                let end = next.previous().map_or(LedgerSeq::new(0), Checkpoint::last_ledger);
                return Err(UsageError(format!(
                    "{} ends at ledger {end}, and no source has checkpoint {next}, the next one: a mirror would leave a gap. Name a source that has it, or allow gaps (--allow-mirror-gaps, allowGaps)",
                    copy.name
                )));
            }
            // Where the sources begin is still to be found.
            wanted.low = None;
        }
        let pinned = self.copy.map_or(pinned, |copy| copy.pinned(pinned));
        let (range, mut notes) = probe.find_range(&wanted, &list, pinned).await;
        accounts.add(&probe.accounts);
        if let (None, Some(range)) = (&network, range) {
            network = self.network_of(range, &mut accounts).await;
            match (self.copy, &network) {
                (Some(copy), Some(network)) => copy.refuse_another_network(network)?,
                (Some(copy), None) => copy.refuse_an_unknown_network()?,
                (None, _) => {}
            }
        }
        if let Some(copy) = self.copy {
            self.refuse_another_history(copy, &list, range, &mut accounts).await?;
        }
        notes.extend(self.notes_on(&list, &errors, pinned));
        // What could not be looked for was not found, which says nothing.
        let asked_for_both_ends = options.low.is_some() && options.high.is_some();
        let range = range.filter(|_| asked_for_both_ends || !self.host.is_cancelled());
        let plan = range.map(|range| Plan::new(range, options.order, options.sample.map(|count| (count, self.seed()))));
        let plan = self.copy.and_then(|copy| copy.only.as_ref()).and_then(|only| Plan::only(&only.checkpoints)).or(plan);
        notes.extend(plan.as_ref().and_then(Plan::guarantee).map(|guarantee| note("sampled", guarantee)));
        let saw_passphrase = list.iter().filter_map(|root| root.state.as_ref()).any(|state| state.network_passphrase.is_some());
        let announced = list.iter().filter_map(|root| root.state.as_ref()).map(|state| state.current_ledger);
        let joined = plan.map(|plan| JoinedRange::new(plan, announced, saw_passphrase));
        let joined = match self.copy.and_then(|copy| copy.only.as_ref()) {
            Some(only) => joined.map(|joined| joined.wanting(only.jobs())),
            None => joined,
        };
        let network = network.map(|network| network.passphrase().to_owned());
        let mut head = SavedHead { request, network, roots: list, errors: Vec::new(), disputes, notes, accounts, started_at };
        let sources = self.drive.pool().ids().zip(&head.roots).filter(|(id, _)| Some(*id) != self.destination());
        if !sources.into_iter().any(|(_, root)| root.read) {
            head.errors = errors;
        }
        Ok((head, joined))
    }

    fn destination(&self) -> Option<ArchiveId> {
        self.copy.and_then(|copy| copy.destination)
    }

    /// Refuses to write into an archive of another history of the same network, such as a test network before its reset: where
    /// both have a checkpoint, each agrees with itself and they are two, and so it is already one before. A single checkpoint that is
    /// another one is no other history, but for the last one of a mirror's destination: nothing above it would tell who is right.
    async fn refuse_another_history(
        &mut self,
        copy: &CopyTask,
        roots: &[Root],
        range: Option<CheckpointRange>,
        accounts: &mut Accounts,
    ) -> Result<(), UsageError> {
        let Some(destination) = copy.destination else { return Ok(()) };
        let tip = pinned_tip(roots, self.options.frequency);
        let newest = copy.root.tip.or(copy.root.found);
        let common = newest.map(|own| tip.map_or(own, |tip| tip.min(own)));
        let mut looked_at: Vec<_> = common.into_iter().chain(range.map(CheckpointRange::first)).collect();
        looked_at.dedup();
        for highest in looked_at {
            let is_end = copy.kind == CopyKind::Mirror && Some(highest) == newest;
            // One that is broken tells nothing; those below it may.
            let mut below = core::iter::successors(Some(highest), |checkpoint| checkpoint.previous()).take(LOOKED_AT_BELOW);
            let (checkpoint, two) = loop {
                let Some(checkpoint) = below.next() else { break (highest, None) };
                let two = self.are_two(checkpoint, destination, accounts).await;
                if two.is_some() {
                    break (checkpoint, two);
                }
            };
            if two != Some(true) {
                continue;
            }
            let before = checkpoint.previous().filter(|_| !is_end);
            let were_two = match before {
                Some(before) => self.are_two(before, destination, accounts).await,
                None => None,
            };
            if were_two != Some(false) {
                let ledger = checkpoint.last_ledger();
                return Err(UsageError(format!(
                    "{} holds another history of the network: its ledger {ledger} is another one than the sources'. Nothing was written; to keep it, take another destination, to replace it, empty it first",
                    copy.name
                )));
            }
        }
        Ok(())
    }

    /// Whether the destination and every source that can be heard have different checkpoints, each of which agrees with itself; none
    /// where that cannot be told.
    async fn are_two(&mut self, checkpoint: Checkpoint, destination: ArchiveId, accounts: &mut Accounts) -> Option<bool> {
        let own = self.sound_end_of(checkpoint, destination, accounts).await?;
        let mut other = None;
        for id in self.drive.pool().ids().filter(|id| *id != destination) {
            match self.sound_end_of(checkpoint, id, accounts).await {
                Some(hash) if hash == own => return Some(false),
                Some(_) => other = Some(true),
                None => {}
            }
        }
        other
    }

    /// The hash of a checkpoint's last header in one archive alone, if its headers and its state agree with each other.
    async fn sound_end_of(&self, checkpoint: Checkpoint, id: ArchiveId, accounts: &mut Accounts) -> Option<Hash256> {
        let verified = self.alone(checkpoint, id, None, false, accounts).await?;
        let [history, ledger, ..] = verified.outcome.statuses;
        let sound = history == Status::Verified && ledger == Status::Verified;
        verified.headers.last().filter(|_| sound).map(|header| header.hash)
    }

    fn seed(&self) -> Seed {
        self.options.seed.unwrap_or_else(|| {
            let dice = |seed: u64| (seed << 10) ^ (seed >> 54) ^ self.host.jitter_thousandths() ^ self.host.now_ms().rotate_left(40);
            Seed((0..8).fold(0, |seed, _| dice(seed)))
        })
    }

    /// Reads the newest state of every archive.
    async fn roots(&mut self, patience_ms: Option<u64>) -> Roots {
        let (drive, read) = (self.drive, self.options.read());
        let mut read = read;
        if patience_ms == Some(PATIENCE_IN_THE_END_MS) {
            read.retry = RetryPolicy::NEVER;
        } else if drive.pool().ids().count() > 1 {
            // The others need not wait for one that is silent.
            read.retry.max_retries = read.retry.max_retries.min(1);
        }
        read_roots(drive, &read, patience_ms, &mut |event| self.hear(event)).await
    }

    /// The network that the archives name. Those of another are left out.
    fn network(&self, roots: &mut [Root]) -> Result<Option<Network>, UsageError> {
        let named = |root: &Root| root.state.as_ref().and_then(|state| state.network_passphrase.clone());
        let network = match &self.options.network {
            Some(network) => network.clone(),
            None => {
                let all: Vec<_> = roots.iter().filter_map(named).collect();
                let votes = |passphrase: &String| all.iter().filter(|other| *other == passphrase).count();
                let Some(most) = all.iter().map(votes).max() else { return Ok(None) };
                let mut first = all.iter().filter(|passphrase| votes(passphrase) == most);
                let Some(passphrase) = first.next() else { return Ok(None) };
                if let Some(other) = first.find(|other| *other != passphrase) {
                    return Err(UsageError(format!(
                        "the archives are of different networks, \"{passphrase}\" and \"{other}\": say which one is meant"
                    )));
                }
                Network::from_passphrase(passphrase.as_str())
            }
        };
        // Without anybody else to ask, an archive of another network is looked at for what it is.
        if !roots.iter().any(|root| root.read && named(root).is_none_or(|passphrase| passphrase == network.passphrase())) || roots.len() < 2
        {
            return Ok(Some(network));
        }
        for (id, root) in self.drive.pool().ids().zip(roots) {
            let Some(other) = named(root).filter(|passphrase| passphrase != network.passphrase()) else { continue };
            root.excluded = true;
            self.drive.pool().exclude(id);
            if !root.findings.iter().any(|finding| finding.code == FindingCode::HasPassphraseMismatch) {
                let finding =
                    Finding::new(FindingCode::HasPassphraseMismatch, ArchivePath::well_known(), "the archive is of another network");
                root.findings.push(finding.comparing(&network, other).from_archive(self.drive.pool().name(id)));
            }
        }
        Ok(Some(network))
    }

    /// The network that the state of a checkpoint names: newest states of old mirrors lost it (rules E 7).
    async fn network_of(&mut self, range: CheckpointRange, accounts: &mut Accounts) -> Option<Network> {
        // What a destination says of itself decides nothing.
        let asked: Vec<_> = match self.destination() {
            Some(destination) => self.drive.pool().ids().filter(|id| *id != destination).map(Some).collect(),
            None => vec![None],
        };
        for checkpoint in [range.last(), range.first()] {
            for only in &asked {
                let state = self.state_of(checkpoint, *only, accounts).await;
                if let Some(passphrase) = state.and_then(|state| state.network_passphrase) {
                    return Some(Network::from_passphrase(passphrase));
                }
            }
        }
        None
    }

    /// The state of a checkpoint, of any archive or of a certain one.
    async fn state_of(&mut self, checkpoint: Checkpoint, only: Option<ArchiveId>, accounts: &mut Accounts) -> Option<HistoryArchiveState> {
        let options = self.options;
        let archives = Archives::new(self.names(), Rules::new(None, false, options.budget.clone()));
        let into = PlainFile::default();
        let path = ArchivePath::of_checkpoint(FileKind::History, checkpoint);
        let file = GetRemoteFileWork::new(path, options.budget.has_json_bytes, only, into.clone());
        let item = GetAndUnzipRemoteFileWork::new(file, archives, options.retry, OnFault::Report);
        let spec = WorkSpec::new("GetHistoryArchiveStateWork", checkpoint.to_string(), DOWNLOAD).retrying(options.retry);
        let mut work = scheduler(1);
        // A fresh scheduler takes everything.
        let _ = work.add(spec, Box::new(item));
        self.run(&mut work).await;
        let (plain, settled) = into.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        accounts.add(&settled.accounts);
        let Plain::Read(json) = plain else { return None };
        HistoryArchiveState::parse(&json, &options.budget).ok()
    }

    /// Leaves out archives that hold another history than most: their newest states differ from those of most archives at the
    /// same ledger, their own files agree with them, and already the checkpoint before was another one. Which archive is asked
    /// first must not decide which history is verified. An archive that lies about a single file stays: the file is named.
    async fn leave_out_other_histories(&mut self, roots: &mut [Root], network: Option<&Network>, accounts: &mut Accounts) -> Vec<Finding> {
        let mut disputes: Vec<Finding> = Vec::new();
        let Some(tip) = pinned_tip(roots, self.options.frequency) else { return disputes };
        let mut groups: BTreeMap<Hash256, Vec<ArchiveId>> = BTreeMap::new();
        for (id, root) in self.drive.pool().ids().zip(roots.iter()).filter(|(_, root)| !root.excluded) {
            if let Some(state) = root.state.as_ref().filter(|state| state.current_ledger == tip.last_ledger()) {
                groups.entry(state.current_buckets.hash()).or_default().push(id);
            }
        }
        let most = groups.values().map(Vec::len).max().unwrap_or(0);
        // What the user's validators signed counts more than how many archives have it.
        let signed = if groups.len() > 1 { self.signed_by_whom_is_believed(&groups, tip, network, accounts).await } else { None };
        let chosen = |(hash, ids): &(&Hash256, &Vec<ArchiveId>)| signed.map_or(ids.len() == most, |signed| signed == **hash);
        let mut largest = groups.iter().filter(chosen);
        let (Some((hash, members)), Some(before)) = (largest.next(), tip.previous()) else { return disputes };
        // As many hold one history as another: nobody is left out, and what differs stands as an error.
        let tied = largest.next().is_some();
        let Some(good) = members.first().copied().filter(|_| groups.len() > 1) else { return disputes };
        let Some(known) = self.state_of(before, Some(good), accounts).await else { return disputes };
        for (other, ids) in groups.iter().filter(|(other, _)| *other != hash) {
            for id in ids.iter().copied() {
                let own = self.state_of(tip, Some(id), accounts).await;
                let own_before = self.state_of(before, Some(id), accounts).await;
                let agrees_with_itself = own.is_some_and(|state| state.current_buckets.hash() == *other);
                let differed_before = own_before.is_some_and(|state| state.current_buckets.hash() != known.current_buckets.hash());
                if !(agrees_with_itself && differed_before) {
                    continue;
                }
                if tied {
                    let message =
                        "the archives hold different histories, as many one as the other: nothing here can tell which is the network's";
                    for (id, own, theirs) in [(id, hash, other), (good, other, hash)] {
                        let path = ArchivePath::of_checkpoint(FileKind::History, tip);
                        let finding = Finding::new(FindingCode::ArchivesDisagree, path, message).at_checkpoint(tip);
                        let finding = finding.at_ledger(tip.last_ledger()).comparing(own, theirs);
                        disputes.push(finding.from_archive(self.drive.pool().name(id)));
                    }
                    continue;
                }
                let Some(root) = roots.get_mut(id.index()) else { continue };
                root.excluded = true;
                self.drive.pool().exclude(id);
                let path = ArchivePath::of_checkpoint(FileKind::History, tip);
                let message = match signed {
                    Some(_) => {
                        "the archive holds another history than the one that the validators whom you believe signed, and was left out"
                    }
                    None => "the archive holds another history than most of the archives, and was left out",
                };
                let finding = Finding::new(FindingCode::ArchivesDisagree, path, message).at_checkpoint(tip).at_ledger(tip.last_ledger());
                root.findings.push(finding.comparing(hash, other).from_archive(self.drive.pool().name(id)));
            }
        }
        disputes.sort_by(|a, b| a.archive.cmp(&b.archive));
        disputes.dedup_by(|a, b| a.archive == b.archive);
        disputes
    }

    /// The one of several newest states whose checkpoint the user's validators signed; none if there are more, or none.
    async fn signed_by_whom_is_believed(
        &mut self,
        groups: &BTreeMap<Hash256, Vec<ArchiveId>>,
        checkpoint: Checkpoint,
        network: Option<&Network>,
        accounts: &mut Accounts,
    ) -> Option<Hash256> {
        self.options.trust.believed_on(network)?;
        let mut signed = Vec::new();
        for (hash, ids) in groups {
            for id in ids {
                if self.is_sealed(checkpoint, *id, network, accounts).await {
                    signed.push(*hash);
                    break;
                }
            }
        }
        if let [only] = signed.as_slice() { Some(*only) } else { None }
    }

    /// Whether a checkpoint of one archive alone is sealed by whom the user believes.
    async fn is_sealed(&self, checkpoint: Checkpoint, id: ArchiveId, network: Option<&Network>, accounts: &mut Accounts) -> bool {
        let verified = self.alone(checkpoint, id, network, true, accounts).await;
        verified.is_some_and(|verified| verified.outcome.scp.seal.is_some())
    }

    /// A checkpoint as one archive alone has it, `look`ing at its signatures or leaving out its messages.
    async fn alone(
        &self,
        checkpoint: Checkpoint,
        id: ArchiveId,
        network: Option<&Network>,
        look: bool,
        accounts: &mut Accounts,
    ) -> Option<VerifiedCheckpoint> {
        let options = self.options;
        let reader = self.drive.pool().reader(id)?;
        let pool = ArchivePool::new(vec![reader]);
        let drive = Drive::new(&pool, self.host, options.timeouts);
        let rules = options.trust.rules(network.cloned(), false, options.budget.clone());
        let archives = Archives::new(vec![reader.name().to_owned()], rules);
        let order = CheckpointOrder { index: 0, again: false, look, seek: false };
        let done = CheckpointsDone::default();
        let item = VerifyCheckpointWork::new(archives, checkpoint, options.retry, look, order, Arc::clone(&done));
        let mut work = scheduler(options.concurrency);
        let spec = WorkSpec::new("VerifyCheckpointWork", checkpoint.to_string(), COORDINATE).with_failing_children();
        // A fresh scheduler takes everything.
        let _ = work.add(spec, Box::new(item));
        drive.run_to_completion(&mut work, &mut |_| {}).await;
        let done = core::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
        let verified = done.into_iter().flat_map(|(_, verified)| verified).next()?;
        let account = verified.accounts.get(ArchiveId::new(0));
        let own = accounts.of(id);
        own.requests = own.requests.saturating_add(account.requests);
        own.failures = own.failures.saturating_add(account.failures);
        own.compressed = own.compressed.saturating_add(account.compressed);
        own.inflated = own.inflated.saturating_add(account.inflated);
        Some(verified)
    }

    /// What is worth saying of several archives before the run.
    fn notes_on(&self, roots: &[Root], errors: &[RunError], pinned: Option<Checkpoint>) -> Vec<Note> {
        let frequency = self.options.frequency;
        let mut notes = Vec::new();
        if roots.len() < 2 {
            return notes;
        }
        for (id, root) in self.drive.pool().ids().zip(roots) {
            let name = self.drive.pool().name(id);
            if let (Some(tip), Some(pinned)) = (tip(root, frequency), pinned)
                && tip != pinned
                && !root.excluded
            {
                let (tip, pinned) = (tip.last_ledger(), pinned.last_ledger());
                notes.push(if tip < pinned {
                    note("archive-lags", format!("{name} ends at ledger {tip}, {} ledgers before the others", pinned.value() - tip.value()))
                } else {
                    let message = format!("{name} names ledger {tip} as its newest; the run keeps to ledger {pinned}, because the files or the other archives go no further");
                    note("archive-ahead", message)
                });
            }
        }
        if roots.iter().any(|root| root.read) {
            notes.extend(errors.iter().map(|error| {
                note("archive-unreachable", format!("{} could not be read and took no part in the run: {}", error.archive, error.message))
            }));
        }
        notes
    }

    /// The range, and the report.
    async fn verify(&mut self, head: SavedHead, range: Option<JoinedRange>) -> Report {
        let options = self.options;
        let archives = archives(options, &head, self.destination());
        for finding in head.roots.iter().flat_map(|root| &root.findings).chain(&head.disputes).cloned() {
            self.say(finding);
        }
        let range = range.map(SharedRange::new);
        if let Some(range) = &range {
            self.range = Some(range.clone());
            self.verify_range(&head, range, &archives).await;
        }
        let ends =
            if self.host.is_cancelled() || range.is_none() { Roots::default() } else { self.roots(Some(PATIENCE_IN_THE_END_MS)).await };
        let joined = range.as_ref().map(|range| range.lock().clone());
        let mut notes = head.notes.clone();
        notes.extend(self.notes_on_the_end(&head, &ends));
        let mut accounts = head.accounts.clone();
        accounts.add(&ends.accounts);
        let mut findings = self.root_findings(&head, joined.as_ref(), &mut accounts);
        findings.extend(head.disputes.iter().cloned());
        let believed = options.trust.believed_on(archives.rules().network.as_ref());
        if let Some((range, believed)) = joined.as_ref().zip(believed.as_ref()).filter(|_| !self.host.is_cancelled())
            && let Some(finding) = range.vouched().strangers(&believed.name)
        {
            self.say(finding.clone());
            findings.push(finding);
        }
        let agreed = self.agreed(&head, joined.as_ref());
        let report = compose(Outcome {
            head: &head,
            archives: &archives,
            range: joined.as_ref(),
            findings,
            believed,
            agreed,
            notes,
            accounts,
            end_ledgers: ends.list.iter().map(|root| root.state.as_ref().map(|state| state.current_ledger)).collect(),
            clamped: CLAMPED,
            cancelled: self.host.is_cancelled(),
            elapsed_ms: self.host.now_ms().saturating_sub(self.started_ms),
        });
        self.stage = Stage::Done;
        (self.emit)(Event::Stage { stage: Stage::Done, range: report.range });
        (self.emit)(Event::Done { verdict: report.verdict });
        report
    }

    async fn verify_range(&mut self, head: &SavedHead, range: &SharedRange, archives: &Archives) {
        let options = self.options;
        self.stage = Stage::Checkpoints;
        let whole = range.lock().plan().range();
        let span = LedgerRange { low: whole.first().first_ledger(), high: whole.last().last_ledger() };
        (self.emit)(Event::Stage { stage: Stage::Checkpoints, range: Some(span) });
        let saving = options.save_state.then(|| Arc::new(head.clone()));
        let was_shared = !range.lock().apart().is_empty();
        match self.workers(range) {
            Some(workers) => self.share(head, range, archives, workers).await,
            None if was_shared => self.share(head, range, archives, &NoWorkers).await,
            None => self.go_through(range, archives, saving.clone()).await,
        }
        // A run that was stopped before anything was known begins anew.
        if let Some(head) = saving.filter(|head| head.roots.iter().any(|root| root.read)) {
            let (state, done) = head.state(&range.lock());
            (self.emit)(Event::State { state, done });
        }
        let mut joined = range.lock();
        let left = joined.joined() < joined.count() || joined.bucket_count().0 < joined.bucket_count().1;
        let mut found = Vec::new();
        if left {
            let cancelled = self.host.is_cancelled();
            let why = if cancelled { Unchecked::Cancelled } else { Unchecked::Unreadable };
            joined.stop(why, archives, &mut |event| found.push(event));
            // Where nothing more can be written, that is why.
            let stopped = self.copy.is_some_and(|copy| copy.copies.lock().stopped.is_some());
            if !cancelled && !stopped {
                // Said in the report only: a run that is resumed tries again.
                joined.add_error(RunError {
                    code: "NETWORK".into(),
                    archive: self.names().join(", "),
                    path: None,
                    message: "no archive could be reached any more, so the rest was not looked at".into(),
                    advice: "check the connection and run again; a run that keeps its state goes on where it stopped".into(),
                });
            }
        }
        drop(joined);
        self.say_all(found);
    }

    async fn go_through(&mut self, range: &SharedRange, archives: &Archives, saving: Option<Arc<SavedHead>>) {
        let options = self.options;
        let settings =
            RangeSettings { retry: options.retry, with_scp: !options.skip_optional, with_buckets: !options.skip_buckets, saving };
        let mut work = scheduler(options.concurrency);
        let copying = self.copy.map(|copy| copy.copying(archives));
        let item = VerifyRangeWork::new(archives.clone(), settings, range.clone()).copying(copying);
        // A fresh scheduler takes everything.
        let _ = work.add(WorkSpec::new("VerifyRangeWork", "VerifyRangeWork", COORDINATE).with_failing_children(), Box::new(item));
        self.run(&mut work).await;
        for (kind, counts) in work.progress() {
            self.past.entry(kind).or_default().add(counts);
        }
    }

    /// An archive's newest state against the state of its checkpoint; with a sound one from another archive, the others' faults
    /// are theirs alone.
    fn root_findings(&mut self, head: &SavedHead, range: Option<&JoinedRange>, accounts: &mut Accounts) -> Vec<Finding> {
        let mut lists: Vec<_> = head.roots.iter().map(|root| root.findings.clone()).collect();
        let (mut for_it, mut against) = (0, 0);
        for (id, (root, list)) in self.drive.pool().ids().zip(head.roots.iter().zip(&mut lists)) {
            let Some(state) = root.state.as_ref().filter(|_| !root.excluded) else { continue };
            let Some(checkpoint) = range.and_then(|range| range.announced(state.current_ledger)) else { continue };
            if let Some(finding) = check_root_against_checkpoint(state, checkpoint) {
                let finding = finding.from_archive(self.drive.pool().name(id));
                self.say(finding.clone());
                list.push(finding);
                against += 1;
            } else {
                for_it += 1;
            }
        }
        let sound = |(root, list): (&Root, &Vec<Finding>)| root.read && root.state.is_some() && !list.iter().any(Finding::is_error);
        // What most archives contradict is not their fault alone.
        let good = head.roots.iter().zip(&lists).position(sound).map(ArchiveId::new).filter(|_| against <= for_it);
        for (id, list) in self.drive.pool().ids().zip(&lists) {
            let errors = list.iter().filter(|finding| finding.is_error());
            match errors.map(|finding| finding.code).min_by_key(|code| *code != FindingCode::FileMissing) {
                Some(FindingCode::FileMissing) => accounts.of(id).missing += 1,
                Some(_) => accounts.of(id).faulty += 1,
                None => {}
            }
        }
        let all = lists.into_iter().flatten();
        match good {
            Some(good) => {
                let name = self.drive.pool().name(good).to_owned();
                all.map(|finding| if finding.is_error() { finding.with_sound_copy(&name) } else { finding }).collect()
            }
            None => all.collect(),
        }
    }

    /// The state that several archives announce as their newest and that the headers have.
    fn agreed(&self, head: &SavedHead, range: Option<&JoinedRange>) -> Option<Agreed> {
        let mut announced: BTreeMap<LedgerSeq, Agreed> = BTreeMap::new();
        for (id, root) in self.drive.pool().ids().zip(&head.roots).filter(|(_, root)| !root.excluded) {
            let Some(state) = &root.state else { continue };
            let Some(joined) = range.and_then(|range| range.announced(state.current_ledger)) else { continue };
            if check_root_against_checkpoint(state, joined).is_none() {
                let hash = state.current_buckets.hash();
                let agreed = announced.entry(state.current_ledger).or_insert_with(|| Agreed {
                    ledger: state.current_ledger,
                    hash,
                    archives: Vec::new(),
                });
                agreed.archives.push(self.drive.pool().name(id).to_owned());
            }
        }
        announced.into_values().rev().find(|agreed| agreed.archives.len() > 1)
    }

    /// What the archives' newest states say once the run is over.
    fn notes_on_the_end(&self, head: &SavedHead, ends: &Roots) -> Vec<Note> {
        let mut notes = Vec::new();
        for (id, (begin, end)) in self.drive.pool().ids().zip(head.roots.iter().zip(&ends.list)) {
            let (Some(begin), Some(end)) = (&begin.state, &end.state) else { continue };
            let (from, to, name) = (begin.current_ledger, end.current_ledger, self.drive.pool().name(id));
            match from.cmp(&to) {
                core::cmp::Ordering::Less => notes.push(note(
                    "archive-advanced",
                    format!("{name} advanced from ledger {from} to {to} during the run, which kept to what was there when it began"),
                )),
                core::cmp::Ordering::Greater => notes.push(note(
                    "archive-went-back",
                    format!("{name} named ledger {from} as its newest when the run began, and {to} when it ended: caches disagree, or the archive was replaced"),
                )),
                core::cmp::Ordering::Equal => {}
            }
        }
        notes
    }

    async fn run(&mut self, work: &mut Scheduler) {
        let drive = self.drive;
        drive.run_to_completion(work, &mut |event| self.hear(event)).await;
    }

    fn hear(&mut self, event: DriveEvent<'_>) {
        match event {
            DriveEvent::History(HistoryEvent::Checkpoint(checkpoint, statuses)) => {
                let status = FileKind::ALL.into_iter().zip(statuses.map(Status::name)).collect();
                (self.emit)(Event::Checkpoint { checkpoint: checkpoint.last_ledger(), status });
            }
            // What a part found is said when it is joined: two of them may have found the same.
            DriveEvent::History(HistoryEvent::Finding(_)) if self.part.is_some() => {}
            DriveEvent::History(HistoryEvent::Finding(finding)) => self.say(*finding),
            DriveEvent::History(HistoryEvent::Saved(state, done)) => (self.emit)(Event::State { state, done }),
            DriveEvent::History(HistoryEvent::Downloaded(..) | HistoryEvent::Compared(_)) => {}
            DriveEvent::Retry { path, archive, attempt, delay_ms, reason } => {
                (self.emit)(Event::Retry { path, archive, attempt, delay_ms, reason });
            }
            DriveEvent::Tick(work) => {
                self.say_how_far(work);
                self.save_now_and_then();
            }
        }
    }

    /// What was found by joining.
    fn say_all(&mut self, events: Vec<HistoryEvent>) {
        for event in events {
            if let HistoryEvent::Finding(finding) = event {
                self.say(*finding);
            }
        }
    }

    fn say(&mut self, finding: Finding) {
        self.findings += 1;
        (self.emit)(Event::Finding { finding: Box::new(finding) });
    }

    fn say_how_far(&mut self, work: &Scheduler) {
        let mut works = self.past.clone();
        for (kind, counts) in work.progress() {
            works.entry(kind).or_default().add(counts);
        }
        // What is being stopped is not under way any more.
        let most = if self.host.is_cancelled() { 0 } else { MOST_IN_FLIGHT };
        let there = self.part.as_ref().and(self.host.workers()).map(Workers::progress).unwrap_or_default();
        let here = self.part.as_ref().map_or((0, 0), |part| {
            let part = part.lock();
            (part.joined(), part.bucket_count().0)
        });
        let (checkpoints, buckets, faulty, under_way) = self.range.as_ref().map_or_else(
            || (Count { done: 0, total: 0 }, Count { done: 0, total: 0 }, Accounts::default(), Vec::new()),
            |range| {
                let range = range.lock();
                let (done, total) = range.bucket_count();
                let joined = u64::from(range.done()).saturating_add(here.0.into()).saturating_add(there.checkpoints);
                let checkpoints = Count { done: joined.min(range.count().into()), total: range.count().into() };
                let apart = range.apart().iter().fold(here.1, |sum: u64, part| sum.saturating_add(part.bucket_count().0));
                let done = done.saturating_add(apart).saturating_add(there.buckets);
                let under_way = self.part.as_ref().map_or_else(|| range.in_flight(most), |part| part.lock().in_flight(most));
                (checkpoints, Count { done, total: total.max(done) }, range.accounts().clone(), under_way)
            },
        );
        let (files, file_count) = self.drive.files_in_flight();
        let live = self.drive.live();
        let mut sum = live.clone();
        sum.add(&self.before);
        sum.add(&self.elsewhere);
        let (pool, now) = (self.drive.pool(), self.host.now_ms());
        let mut live = live;
        live.add(&self.elsewhere);
        let archives = pool
            .ids()
            .map(|id| {
                let account = live.get(id);
                ArchiveProgress {
                    name: pool.name(id).to_owned(),
                    // A run that is shared has one archive.
                    requests: account.requests.saturating_add(there.requests),
                    failures: account.failures.saturating_add(there.failures),
                    throttled: account.throttled,
                    faulty: faulty.get(id).faulty,
                    bytes: account.compressed.to_string(),
                    standing: pool.standing(id, now),
                }
            })
            .collect();
        let mut total = sum.total();
        total.compressed = total.compressed.saturating_add(there.compressed);
        total.inflated = total.inflated.saturating_add(there.inflated);
        (self.emit)(Event::Progress(Progress {
            stage: self.stage,
            checkpoints,
            buckets,
            bytes: Bytes { compressed: total.compressed.to_string(), inflated: total.inflated.to_string() },
            findings: self.findings,
            retries: self.drive.retries().saturating_add(there.retries),
            elapsed_ms: now.saturating_sub(self.started_ms),
            works,
            archives,
            in_flight: InFlight { checkpoints: under_way, files, file_count },
            written: self.copy.map(|copy| copy.progress()),
        }));
    }

    fn names(&self) -> Vec<String> {
        self.drive.pool().ids().map(|id| self.drive.pool().name(id).to_owned()).collect()
    }
}
