//! Archives against each other over a range: see [`crate::trust::comparison`] for what is compared and what that proves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Host;
use super::event::{ArchiveProgress, Count};
use super::options::{ReadOptions, UsageError};
use super::probe::{CLAMPED, Probe, note};
use super::roots::{PATIENCE_MS, Roots, read_roots, tip};
use super::schedule::{Drive, DriveEvent};
use super::verify::RunOptions;
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::network::Network;
use crate::archive::path::FileKind;
use crate::archive::time::iso_8601;
use crate::codec::hash::Hash256;
use crate::codec::u64_from;
use crate::historywork::archives::{Accounts, Archives};
use crate::historywork::compare_archives_work::{CompareArchivesWork, Comparing, SharedComparing};
use crate::historywork::plan::{Order, Plan};
use crate::historywork::saved::Root;
use crate::historywork::{COORDINATE, HistoryEvent, scheduler};
use crate::report::{Bytes, LedgerRange, Versions};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::Trust;
use crate::trust::comparison::{Agreement, Compared, ComparedCheckpoint, ComparedFile, Disagreement, MissingRun, SharedAnchor, total};
use crate::trust::preset::Believed;
use crate::verify::checkpoint::Rules;
use crate::verify::finding::Note;
use crate::verify::votes::Seal;
use crate::work::WorkSpec;

/// Which ledgers are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareRange {
    /// The lowest ledger; by default where the first of the archives begins.
    pub low: Option<LedgerSeq>,
    /// The highest ledger; by default the newest that all archives announce.
    pub high: Option<LedgerSeq>,
    /// Instead of the lowest ledger: so many ledgers up to the highest.
    pub last: Option<u32>,
}

/// What a comparison says while it runs.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CompareEvent {
    /// The range is known.
    #[serde(rename_all = "camelCase")]
    Range {
        /// The ledgers, whole checkpoints.
        range: LedgerRange,
        /// The archives that are compared, by their places in the list of archives.
        archives: Vec<ArchiveId>,
    },
    /// A checkpoint was compared; they come from the newest down.
    Checkpoint(CheckpointLine),
    /// A file is tried again.
    #[serde(rename_all = "camelCase")]
    Retry {
        /// Which.
        path: String,
        /// Which archive did not deliver.
        archive: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// When the next one starts.
        delay_ms: u64,
        /// Why it failed.
        reason: String,
    },
    /// At most ten a second.
    #[serde(rename_all = "camelCase")]
    Progress {
        /// Checkpoints.
        checkpoints: Count,
        /// Bytes so far.
        bytes: Bytes,
        /// Since the start.
        elapsed_ms: u64,
        /// The archives.
        archives: Vec<ArchiveProgress>,
    },
}

/// A checkpoint for a map.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointLine {
    /// Which.
    pub checkpoint: LedgerSeq,
    /// By kind, one an archive that is compared.
    pub files: BTreeMap<FileKind, Vec<ComparedFile>>,
    /// Up to where it is sealed.
    pub sealed: Option<LedgerSeq>,
}

/// How an archive compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveStanding {
    /// It has what is sealed or what most have.
    Agrees,
    /// It has nothing else, but not all of it.
    Lacks,
    /// Files of it do not agree with its own headers.
    Faulty,
    /// Files of it contradict what is sealed.
    ProvablyWrong,
    /// It has something else, and nothing is sealed.
    Differs,
    /// It is of another network.
    OtherNetwork,
    /// It is of an earlier start of the network.
    EarlierNetwork,
    /// It could not be read.
    Unreadable,
}

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompareVerdict {
    /// All have the same.
    Agree,
    /// They have not: content or whole files differ.
    Disagree,
    /// Nothing differs in what was compared, but something could not be.
    Incomplete,
}

/// An archive in a comparison.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedArchive {
    /// Its name.
    pub name: String,
    /// How it compares.
    pub standing: ArchiveStanding,
    /// Why, in words; none if it agrees.
    pub reason: Option<String>,
    /// The newest ledger that it announces.
    pub tip: Option<LedgerSeq>,
    /// Ledgers that it is behind the one that is furthest.
    pub behind: Option<u32>,
    /// What wrote its newest state.
    pub server: Option<String>,
    /// The passphrase that its newest state names.
    pub network: Option<String>,
    /// How its files compare, by kind.
    pub files: BTreeMap<FileKind, Agreement>,
    /// Reads begun.
    pub requests: u64,
    /// Bytes as they came, decimal.
    pub bytes: String,
}

/// What vouches for ledgers of a comparison.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ComparedAnchor {
    /// Signatures.
    #[serde(rename_all = "camelCase")]
    Seal {
        /// Who signed what.
        #[serde(flatten)]
        seal: Seal,
        /// The quorum set that the user believes.
        quorum_set: String,
        /// Whether no single archive shows the quorum.
        merged: bool,
        /// Archives that show it, or, where it was merged, that have messages which it rests on; by their places.
        archives: Vec<ArchiveId>,
        /// Archives that have the chain, by their places.
        holders: Vec<ArchiveId>,
        /// Whether it is of a start of the network that a later one replaced.
        superseded: bool,
        /// Whether another chain is sealed as well.
        disputed: bool,
        /// The ledgers that it vouches for.
        covers: Option<LedgerRange>,
    },
    /// A hash that the user trusts.
    #[serde(rename_all = "camelCase")]
    TrustedHash {
        /// The ledger.
        ledger: LedgerSeq,
        /// Its hash.
        hash: Hash256,
        /// Archives that have the chain, by their places.
        holders: Vec<ArchiveId>,
        /// Whether another chain is vouched for as well.
        disputed: bool,
        /// The ledgers that it vouches for; none if no archive has it.
        covers: Option<LedgerRange>,
    },
}

/// Archives, compared. Schema 1. Deterministic but for `startedAt` and `elapsedMs`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// 1.
    pub schema: u32,
    /// What made it.
    pub verifier: Versions,
    /// The outcome.
    pub verdict: CompareVerdict,
    /// What it proves and what it does not.
    pub statement: String,
    /// Whether all that was asked for was compared.
    pub complete: bool,
    /// The passphrase of the network.
    pub network: Option<String>,
    /// The quorum set that the user believes.
    pub quorum_set: Option<String>,
    /// The ledgers, whole checkpoints; none if nothing could be compared.
    pub range: Option<LedgerRange>,
    /// Checkpoints compared.
    pub checkpoints: Count,
    /// Checkpoints whose signatures were looked at.
    pub looked: u64,
    /// The archives. Elsewhere they are named by their places here.
    pub archives: Vec<ComparedArchive>,
    /// The ledger up to which the network's history is vouched for.
    pub sealed_through: Option<LedgerSeq>,
    /// By what, from the newest down.
    pub anchors: Vec<ComparedAnchor>,
    /// What is not the same, from the newest down.
    pub disagreements: Vec<Disagreement>,
    /// Disagreements past those kept.
    pub disagreements_dropped: u64,
    /// What is missing, from the newest down.
    pub missing: Vec<MissingRun>,
    /// Missing files past those kept.
    pub missing_dropped: u64,
    /// What could not be read.
    pub errors: Vec<RunError>,
    /// Errors past those kept.
    pub errors_dropped: u64,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// When it started, in UTC.
    pub started_at: String,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// Compares archives with each other. Faults of archives and of the way to them are in the result; after a cancel it is of what
/// was compared until then.
///
/// # Errors
/// If there are not two different archives, or the range contradicts itself.
pub async fn compare_archives(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    range: CompareRange,
    trust: &Trust,
    emit: &mut dyn FnMut(CompareEvent),
) -> Result<Comparison, UsageError> {
    check(&readers, range)?;
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let mut run = Run { drive: &drive, host, options, started_ms: host.now_ms(), emit, comparing: None, total: 0, taking_part: Vec::new() };
    Ok(run.compare(range, trust).await)
}

fn check(readers: &[&dyn ArchiveReader], range: CompareRange) -> Result<(), UsageError> {
    let refuse = |why: String| Err(UsageError(why));
    if readers.len() < 2 {
        return refuse("at least two archives are needed to compare them".into());
    }
    let mut names: Vec<_> = readers.iter().map(|reader| reader.name().trim_end_matches('/')).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        return refuse(format!("the archive {twice} is given twice"));
    }
    match (range.low, range.high, range.last) {
        (Some(low), Some(high), _) if low > high => refuse(format!("the lowest ledger {low} is above the highest {high}")),
        (Some(_), _, Some(_)) => refuse("either the lowest ledger or the number of last ledgers is given, not both".into()),
        (_, _, Some(0)) => refuse("the last 0 ledgers are none".into()),
        _ => Ok(()),
    }
}

struct Run<'a, 'e> {
    drive: &'a Drive<'a>,
    host: &'a dyn Host,
    options: &'a ReadOptions,
    started_ms: u64,
    emit: &'e mut dyn FnMut(CompareEvent),
    comparing: Option<SharedComparing>,
    total: u32,
    taking_part: Vec<ArchiveId>,
}

impl Run<'_, '_> {
    async fn compare(&mut self, range: CompareRange, trust: &Trust) -> Comparison {
        let started_at = self.host.timestamp();
        let (drive, options, pool) = (self.drive, self.options, self.drive.pool());
        let mut roots = read_roots(drive, options, Some(PATIENCE_MS), &mut |event| self.hear(event)).await;
        let network = options.network.clone().or_else(|| roots.network());
        for (id, root) in pool.ids().zip(&mut roots.list) {
            // Whose newest state names another network, or cannot be read, has nothing to be compared.
            root.excluded =
                !root.read || passphrase(root).is_some_and(|own| network.as_ref().is_none_or(|network| network.passphrase() != own));
            if root.excluded {
                pool.exclude(id);
            }
        }
        self.taking_part = pool.ids().zip(&roots.list).filter(|(_, root)| !root.excluded).map(|(id, _)| id).collect();
        let believed = trust.believed_on(network.as_ref());
        let (covered, notes, mut accounts) = self.find_range(range, &roots.list).await;
        accounts.add(&roots.accounts);
        let covered = covered.filter(|_| self.taking_part.len() > 1 && !self.host.is_cancelled());
        if let Some(covered) = covered {
            let mut rules = Rules::new(network.clone(), false, options.budget.clone())
                .believing(believed.as_ref().map(|believed| Arc::clone(&believed.set)))
                .trusting(Arc::new(trust.hashes.by_ledger().clone()))
                .with_all_signatures(trust.all_signatures);
            let compared = SharedComparing::new(Compared::new(rules.clone(), self.taking_part.clone()));
            // Each archive is held against itself first: what the user trusts is held against what they have in common.
            (rules.quorum_set, rules.genesis) = (None, None);
            rules = rules.trusting(Arc::default());
            self.comparing = Some(compared.clone());
            self.run(covered, rules, compared).await;
        }
        let comparing = self.comparing.take();
        let comparing = comparing.as_ref().map(SharedComparing::lock);
        let empty = Comparing::none();
        Composer {
            run: self,
            roots: &roots,
            network: network.as_ref(),
            believed: believed.as_ref(),
            range: covered,
            comparing: comparing.as_deref().unwrap_or(&empty),
            accounts,
            notes,
        }
        .compose(started_at)
    }

    /// The checkpoints to compare: by default up to the newest that all have.
    async fn find_range(&mut self, range: CompareRange, roots: &[Root]) -> (Option<CheckpointRange>, Vec<Note>, Accounts) {
        let frequency = self.options.frequency;
        let tips: Vec<_> = roots.iter().filter(|root| !root.excluded).filter_map(|root| tip(root, frequency)).collect();
        let end = if range.high.is_some() { tips.iter().max() } else { tips.iter().min() }.copied();
        let asked = RunOptions {
            low: range.low,
            high: range.high,
            last: range.last,
            retry: self.options.retry,
            frequency,
            ..RunOptions::default()
        };
        let mut probe = Probe::new(self.drive, &asked, roots);
        let (covered, notes) = probe.find_range(&asked, roots, end).await;
        (covered, notes, probe.accounts)
    }

    async fn run(&mut self, covered: CheckpointRange, rules: Rules, compared: SharedComparing) {
        let (drive, options) = (self.drive, self.options);
        let names = drive.pool().ids().map(|id| drive.pool().name(id).to_owned()).collect();
        let left_out = drive.pool().ids().filter(|id| !self.taking_part.contains(id)).collect();
        let archives = Archives::new(names, rules).without(left_out);
        let plan = Plan::new(covered, Order::NewestFirst, None);
        self.total = plan.count();
        let range = LedgerRange { low: covered.first().first_ledger(), high: covered.last().last_ledger() };
        (self.emit)(CompareEvent::Range { range, archives: self.taking_part.clone() });
        let files = options.concurrency.first();
        // Enough to keep every connection busy: a checkpoint of an archive reads one file after the other.
        let window = (files / self.taking_part.len().max(1)).saturating_add(2);
        let item = CompareArchivesWork::new(archives, plan, options.retry, u32::try_from(window).unwrap_or(u32::MAX), compared);
        let mut work = scheduler(files);
        let spec = WorkSpec::new("CompareArchivesWork", "CompareArchivesWork", COORDINATE).with_failing_children();
        // A fresh scheduler takes everything.
        let _ = work.add(spec, Box::new(item));
        drive.run_to_completion(&mut work, &mut |event| self.hear(event)).await;
    }

    fn hear(&mut self, event: DriveEvent<'_>) {
        match event {
            DriveEvent::History(HistoryEvent::Compared(compared)) => {
                let ComparedCheckpoint { checkpoint, files, sealed } = *compared;
                (self.emit)(CompareEvent::Checkpoint(CheckpointLine { checkpoint: checkpoint.last_ledger(), files, sealed }));
            }
            DriveEvent::History(_) => {}
            DriveEvent::Retry { path, archive, attempt, delay_ms, reason } => {
                (self.emit)(CompareEvent::Retry { path, archive, attempt, delay_ms, reason });
            }
            DriveEvent::Tick(_) => self.say_how_far(),
        }
    }

    fn say_how_far(&mut self) {
        let done = self.comparing.as_ref().map_or(0, |comparing| comparing.lock().compared.joined());
        let (live, pool, now) = (self.drive.live(), self.drive.pool(), self.host.now_ms());
        let archives = pool
            .ids()
            .map(|id| {
                let account = live.get(id);
                ArchiveProgress {
                    name: pool.name(id).to_owned(),
                    requests: account.requests,
                    failures: account.failures,
                    throttled: account.throttled,
                    faulty: 0,
                    bytes: account.compressed.to_string(),
                    standing: pool.standing(id, now),
                }
            })
            .collect();
        let all = live.total();
        (self.emit)(CompareEvent::Progress {
            checkpoints: Count { done: done.into(), total: self.total.into() },
            bytes: Bytes { compressed: all.compressed.to_string(), inflated: all.inflated.to_string() },
            elapsed_ms: now.saturating_sub(self.started_ms),
            archives,
        });
    }
}

fn passphrase(root: &Root) -> Option<&str> {
    root.state.as_ref().and_then(|state| state.network_passphrase.as_deref())
}

/// What a comparison comes to.
struct Composer<'a, 'r, 'e> {
    run: &'a Run<'r, 'e>,
    roots: &'a Roots,
    network: Option<&'a Network>,
    believed: Option<&'a Believed>,
    range: Option<CheckpointRange>,
    comparing: &'a Comparing,
    accounts: Accounts,
    notes: Vec<Note>,
}

impl Composer<'_, '_, '_> {
    fn compose(mut self, started_at: String) -> Comparison {
        let range = self.range.map(|range| LedgerRange { low: range.first().first_ledger(), high: range.last().last_ledger() });
        let compared = &self.comparing.compared;
        let archives: Vec<_> = self.run.drive.pool().ids().zip(&self.roots.list).map(|(id, root)| self.archive(id, root)).collect();
        let anchors = compared.anchors();
        let of_the_network = |anchor: &&SharedAnchor| !anchor.superseded && !anchor.disputed;
        let sealed_through = anchors.iter().filter(of_the_network).filter_map(|anchor| anchor.covers.map(|(_, high)| high)).max();
        let joined = compared.joined();
        let unreadable = archives
            .iter()
            .any(|archive| archive.standing == ArchiveStanding::Unreadable || total(archive.files.values().copied()).unreadable > 0);
        let clamped = self.notes.iter().any(|note| note.code == CLAMPED);
        let complete = range.is_some() && joined == self.run.total && !unreadable && !clamped;
        let sound = |archive: &ComparedArchive| matches!(archive.standing, ArchiveStanding::Agrees | ArchiveStanding::Unreadable);
        let verdict = match () {
            () if !archives.iter().all(sound) => CompareVerdict::Disagree,
            () if !complete => CompareVerdict::Incomplete,
            () => CompareVerdict::Agree,
        };
        let (disagreements, disagreements_dropped) = compared.disagreements();
        let (missing, missing_dropped) = compared.missing();
        let mut errors = self.roots.errors.clone();
        errors.extend(self.comparing.errors.iter().cloned());
        self.notes.extend(archives.iter().filter_map(|archive| {
            let behind = archive.behind.filter(|behind| *behind > 0)?;
            Some(note("archive-lags", format!("{} is {behind} ledgers behind the archive that is furthest", archive.name)))
        }));
        let mut comparison = Comparison {
            schema: 1,
            verifier: Versions::CURRENT,
            verdict,
            statement: String::new(),
            complete,
            network: self.network.map(|network| network.passphrase().to_owned()),
            quorum_set: self.believed.map(|believed| believed.name.clone()),
            range,
            checkpoints: Count { done: joined.into(), total: self.run.total.into() },
            looked: compared.looked(),
            archives,
            sealed_through,
            anchors: anchors.iter().map(|anchor| self.anchor(anchor)).collect(),
            disagreements: disagreements.to_vec(),
            disagreements_dropped,
            missing: missing.to_vec(),
            missing_dropped,
            errors,
            errors_dropped: self.comparing.errors_dropped,
            notes: self.notes,
            started_at,
            elapsed_ms: self.run.host.now_ms().saturating_sub(self.run.started_ms),
        };
        comparison.statement = statement(&comparison, self.run.host.is_cancelled());
        comparison
    }

    fn archive(&self, id: ArchiveId, root: &Root) -> ComparedArchive {
        let compared = &self.comparing.compared;
        let files: BTreeMap<_, _> = FileKind::ALL.into_iter().map(|kind| (kind, compared.agreement(id, kind))).collect();
        let (standing, reason) = self.standing(id, root, &files);
        let tip_of = |root: &Root| tip(root, self.run.options.frequency).map(Checkpoint::last_ledger);
        let furthest = self.roots.list.iter().filter(|root| !root.excluded).filter_map(tip_of).max();
        let own_tip = tip_of(root);
        let mut account = self.accounts.get(id);
        let more = self.comparing.accounts.get(id);
        account.requests = account.requests.saturating_add(more.requests);
        account.compressed = account.compressed.saturating_add(more.compressed);
        ComparedArchive {
            name: self.run.drive.pool().name(id).to_owned(),
            standing,
            reason,
            tip: own_tip,
            behind: furthest.zip(own_tip).filter(|_| !root.excluded).map(|(all, own)| all.value().saturating_sub(own.value())),
            server: root.state.as_ref().and_then(|state| state.server.clone()),
            network: passphrase(root).map(str::to_owned),
            files,
            requests: account.requests,
            bytes: account.compressed.to_string(),
        }
    }

    fn standing(&self, id: ArchiveId, root: &Root, files: &BTreeMap<FileKind, Agreement>) -> (ArchiveStanding, Option<String>) {
        use ArchiveStanding as S;
        let compared = &self.comparing.compared;
        if !root.read {
            return (S::Unreadable, Some("it could not be read".into()));
        }
        let named = passphrase(root).filter(|_| root.excluded).or_else(|| compared.other_passphrase(id));
        if let Some(passphrase) = named {
            return (S::OtherNetwork, Some(format!("it is of another network: its states name \"{passphrase}\"")));
        }
        if let Some(hash) = compared.other_genesis(id) {
            let reason = format!("it is of another network: its ledger 1 is {hash}, which is not the one that the passphrase implies");
            return (S::OtherNetwork, Some(reason));
        }
        if let Some(start) = compared.earlier_start(id) {
            let (closed, others) = (iso_8601(start.closed), iso_8601(start.others_closed));
            let whose = if start.vouched {
                "those whom you believe vouch for both, so the later one is the network's current history"
            } else {
                "those whom you believe vouch for neither, so either may as well be made up"
            };
            let ledger = start.ledger;
            let reason =
                format!("it is of an earlier start of the network: ledger {ledger} closed on {closed}, in the others on {others}; {whose}");
            return (S::EarlierNetwork, Some(reason));
        }
        let required = total(files.iter().filter(|(kind, _)| **kind != FileKind::Scp).map(|(_, agreement)| *agreement));
        let all = total(files.values().copied());
        let mut reasons = Vec::new();
        let mut add = |count: u64, what: &str| {
            if count > 0 {
                reasons.push(format!("{count} {} {what}", if count == 1 { "file" } else { "files" }));
            }
        };
        add(all.provably_wrong, "contradicting what is sealed");
        add(all.faulty, "not in agreement with its own headers");
        add(all.differs, "other than those of other archives, which nothing here can tell right from wrong");
        add(required.lacks, "missing");
        let standing = match () {
            () if all.provably_wrong > 0 => S::ProvablyWrong,
            () if all.faulty > 0 => S::Faulty,
            () if all.differs > 0 => S::Differs,
            () if required.lacks > 0 => S::Lacks,
            () if all.unreadable > 0 && all.agrees == 0 => S::Unreadable,
            () => S::Agrees,
        };
        if standing == S::Unreadable {
            return (standing, Some("none of its files could be read".into()));
        }
        if let (S::ProvablyWrong, Some((ledger, closed, others))) = (standing, compared.closed_earlier(id)) {
            reasons.push(format!(
                "no header in common with the sealed history, which closed ledger {ledger} on {} and not on {}: it may be of an earlier start of the network, or made up",
                iso_8601(others),
                iso_8601(closed)
            ));
        }
        (standing, (!reasons.is_empty()).then(|| format!("it has {}", reasons.join("; "))))
    }

    fn anchor(&self, anchor: &SharedAnchor) -> ComparedAnchor {
        let covers = anchor.covers.map(|(low, high)| LedgerRange { low, high });
        let holders = anchor.holders.iter().copied().collect();
        match &anchor.seal {
            Some(merged) => ComparedAnchor::Seal {
                seal: merged.seal.clone(),
                quorum_set: self.believed.map(|believed| believed.name.clone()).unwrap_or_default(),
                merged: merged.merged,
                archives: merged.archives.clone(),
                holders,
                superseded: anchor.superseded,
                disputed: anchor.disputed,
                covers,
            },
            None => ComparedAnchor::TrustedHash { ledger: anchor.ledger, hash: anchor.hash, holders, disputed: anchor.disputed, covers },
        }
    }
}

/// One to a few sentences: what a comparison proves and what it does not.
fn statement(comparison: &Comparison, cancelled: bool) -> String {
    let reasons =
        comparison.archives.iter().filter_map(|archive| archive.reason.as_ref().map(|reason| format!("{}: {reason}.", archive.name)));
    let reasons = reasons.collect::<Vec<_>>().join(" ");
    let Some(range) = comparison.range else {
        let why = match () {
            () if cancelled => "The comparison was cancelled before anything was compared.",
            () if comparison.archives.iter().filter(|archive| archive.standing == ArchiveStanding::Agrees).count() < 2 => {
                "Nothing was compared: there are no two archives of one network that can be read."
            }
            () => "Nothing was compared: the archives have no ledgers of the range that was asked for.",
        };
        return format!("{why} {reasons}").trim_end().to_owned();
    };
    let count = u64_from(comparison.archives.len());
    let span = format!("ledgers {} to {}", range.low, range.high);
    let Count { done, total } = comparison.checkpoints;
    let how_far = match () {
        () if comparison.complete => String::new(),
        () if done < total => {
            let why = if cancelled { "the comparison was cancelled" } else { "the archives could not be reached any more" };
            format!(" Only the newest {done} of {total} checkpoints were compared, because {why}.")
        }
        () => " Not all of what was asked for could be compared.".into(),
    };
    let head = match comparison.verdict {
        CompareVerdict::Agree => {
            format!("The {count} archives agree on {span}: they have the same headers, and every file that is there agrees with them.")
        }
        CompareVerdict::Incomplete => format!("The {count} archives agree in what was compared of {span}.{how_far}"),
        CompareVerdict::Disagree => format!("The {count} archives do not agree on {span}.{how_far}"),
    };
    let head = if reasons.is_empty() { head } else { format!("{head} {reasons}") };
    format!("{head} {} Bucket files were not read.", vouched(comparison))
}

fn vouched(comparison: &Comparison) -> String {
    let disputed = comparison.anchors.iter().any(|anchor| match anchor {
        ComparedAnchor::Seal { disputed, .. } | ComparedAnchor::TrustedHash { disputed, .. } => *disputed,
    });
    if disputed {
        return "Two histories are vouched for by those whom you believe, and nothing here can tell which is the network's.".into();
    }
    let Some(through) = comparison.sealed_through else {
        return match &comparison.quorum_set {
            Some(name) => format!(
                "No seal of {name} was found, so nothing ties what they have to the network: archives that agree may all be made up, and those that differ may be right."
            ),
            None => "No validators are known for this network, so nothing ties what they have to it: name those whom you believe.".into(),
        };
    };
    let whose = comparison.anchors.iter().find_map(|anchor| match anchor {
        ComparedAnchor::Seal { seal, quorum_set, merged, superseded: false, covers: Some(_), .. } => {
            let merging = if *merged { ", which only the messages of several archives together show" } else { "" };
            Some(format!("signatures of {} of {} validators of {quorum_set}{merging}", seal.signers.len(), seal.of))
        }
        ComparedAnchor::TrustedHash { covers: Some(_), .. } => Some("a hash that you trust".to_owned()),
        _ => None,
    });
    let whose = whose.unwrap_or_default();
    format!(
        "Ledgers up to {through} are sealed by {whose}: whoever contradicts them is wrong; later ones are only what archives have in common."
    )
}
