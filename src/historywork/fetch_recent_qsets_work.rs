//! `FetchRecentQsetsWork`: the quorum sets that nodes named in the scp files of the last checkpoints (rules A.2, B.10 S5).
//!
//! stellar-core's item of this name only reads the files; this one says who named what. Headers are not read: a message
//! need not be about the right value to tell what its node goes by. It must be signed by its node, though, where the
//! network is known: anyone can write a message without. A file that is missing is counted and is no fault (S8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stellar_xdr::{Limits, ScpEnvelope, ScpHistoryEntryV0, WriteXdr};

use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, GetAndUnzipRemoteFileWork, OnFault, Settled};
use super::plan::Plan;
use super::stage::HistoryWorkStage;
use super::{DOWNLOAD, FileForm, HistoryWork, Step, Turn};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::node::NodeId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::{FileLimits, RecordSink};
use crate::codec::hash::Hash256;
use crate::codec::record::Record;
use crate::trust::preset::known_validator;
use crate::verify::checkpoint::{Delivery, FileReport, Rules, Status, decode_finding};
use crate::verify::finding::{Finding, FindingCode, Findings};
use crate::verify::quorum::{QuorumSet, quorum_set_hash};
use crate::verify::scp::{as_optional, scp_entry};
use crate::verify::signature::{Signed, is_signed_by};
use crate::verify::votes::Said;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// Nodes that are kept: public Stellar has below 100 that say anything. Known validators are kept whatever comes.
pub const MOST_NODES: usize = 10_000;
/// Quorum sets that are kept. Those of known validators are kept whatever comes.
pub const MOST_SETS: usize = 1000;
/// Signatures of a file that are verified at most: real files have up to a few thousand.
const SIGNATURES: u64 = 32_768;
/// Files that could not be read, of which the reason is kept.
const ERRORS_KEPT: usize = 1000;

/// Which node went by which quorum set.
#[derive(Clone, Debug, Default)]
pub struct RecentQsets {
    sets: BTreeMap<Hash256, QuorumSet>,
    nodes: BTreeMap<NodeId, NodeQset>,
    /// Messages that count.
    pub counted: u64,
    /// Messages that say nothing: signed by somebody else, or of another ledger than their entry.
    pub rejected: u64,
    /// Messages past the cap on signatures, which were not looked at.
    pub unchecked: u64,
    /// Messages of nodes past the cap on nodes.
    pub crowded_out: u64,
    /// Whether a quorum set did not fit below the cap.
    pub sets_capped: bool,
}

/// What a node said of its quorum set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NodeQset {
    /// The hash of the set that it named last.
    pub quorum_set: Hash256,
    /// The first ledger with a message of it.
    pub first: LedgerSeq,
    /// The last one.
    pub last: LedgerSeq,
    /// How many messages.
    pub messages: u64,
}

impl RecentQsets {
    /// The sets that were named, as far as their files have them and stellar-core would take them.
    #[must_use]
    pub fn sets(&self) -> &BTreeMap<Hash256, QuorumSet> {
        &self.sets
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &BTreeMap<NodeId, NodeQset> {
        &self.nodes
    }

    fn add(&mut self, node: NodeId, said: NodeQset) -> bool {
        let full = self.nodes.len() >= MOST_NODES;
        if full && !self.nodes.contains_key(&node) && !is_known(&node) {
            self.crowded_out = self.crowded_out.saturating_add(said.messages);
            return false;
        }
        self.counted = self.counted.saturating_add(said.messages);
        self.nodes.entry(node).and_modify(|own| own.join(said)).or_insert(said);
        true
    }

    /// Adds what another file says, whatever its place.
    pub fn join(&mut self, other: Self) {
        let known: BTreeSet<_> = other.nodes.iter().filter(|(node, _)| is_known(node)).map(|(_, said)| said.quorum_set).collect();
        for (hash, set) in other.sets {
            if self.sets.len() < MOST_SETS || self.sets.contains_key(&hash) || known.contains(&hash) {
                self.sets.insert(hash, set);
            } else {
                self.sets_capped = true;
            }
        }
        for (node, said) in other.nodes {
            self.add(node, said);
        }
        self.rejected = self.rejected.saturating_add(other.rejected);
        self.unchecked = self.unchecked.saturating_add(other.unchecked);
        self.crowded_out = self.crowded_out.saturating_add(other.crowded_out);
        self.sets_capped |= other.sets_capped;
    }
}

impl NodeQset {
    fn join(&mut self, other: Self) {
        if other.last >= self.last {
            self.quorum_set = other.quorum_set;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.messages = self.messages.saturating_add(other.messages);
    }
}

fn is_known(node: &NodeId) -> bool {
    known_validator(&node.to_string()).is_some()
}

/// What a fetch has come to.
#[derive(Debug, Default)]
pub struct FetchedQsets {
    /// What the files say.
    pub qsets: RecentQsets,
    /// Files that were read.
    pub read: u64,
    /// Files that no archive has.
    pub missing: u64,
    /// Files that are faulty; what is signed in them counts all the same.
    pub faulty: u64,
    /// Files that could not be read.
    pub unreadable: u64,
    /// What is wrong with files.
    pub findings: Vec<Finding>,
    /// Why files could not be read.
    pub errors: Vec<RunError>,
}

impl FetchedQsets {
    fn take(&mut self, settled: Settled<FileReport<RecentQsets>>, most_findings: usize) {
        let Settled { report, error, .. } = settled;
        *(match report.status {
            Status::Verified => &mut self.read,
            Status::Faulty => &mut self.faulty,
            Status::Unchecked(why) if why.is_incomplete() => &mut self.unreadable,
            Status::Unchecked(_) => &mut self.missing,
        }) += 1;
        self.qsets.join(report.facts);
        self.errors.extend(error.filter(|_| self.errors.len() < ERRORS_KEPT));
        let missing = |finding: &Finding| finding.code == FindingCode::FileMissing;
        let room = most_findings.saturating_sub(self.findings.len());
        self.findings.extend(report.findings.into_iter().filter(|finding| !missing(finding)).take(room));
    }
}

/// A handle to what a fetch has come to; whoever reports holds one as well.
#[derive(Clone, Debug, Default)]
pub struct SharedQsets(Arc<Mutex<FetchedQsets>>);

impl SharedQsets {
    /// The fetch, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, FetchedQsets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The item.
#[derive(Debug)]
pub struct FetchRecentQsetsWork {
    archives: Archives,
    plan: Plan,
    ahead: usize,
    retry: RetryPolicy,
    started: u32,
    into: SharedQsets,
}

impl FetchRecentQsetsWork {
    /// The scp files of a plan's checkpoints, `ahead` of them at once, into `into`.
    #[must_use]
    pub fn new(archives: Archives, plan: Plan, ahead: usize, retry: RetryPolicy, into: SharedQsets) -> Self {
        Self { archives, plan, ahead: ahead.max(1), retry, started: 0, into }
    }

    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let mut under_way = turn.family.unfinished;
        while under_way < self.ahead {
            let Some(checkpoint) = self.plan.get(self.started) else { break };
            self.started += 1;
            if turn.unreachable {
                self.into.lock().unreadable += 1;
                continue;
            }
            let file = ScpFile {
                archives: self.archives.clone(),
                checkpoint,
                avoid: self.archives.behind(checkpoint.last_ledger()),
                into: self.into.clone(),
            };
            let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, OnFault::Report);
            let spec = WorkSpec::new("DownloadScpHistoryWork", format!("DownloadScpHistoryWork {checkpoint}"), DOWNLOAD);
            turn.scheduler.add_child(turn.id, spec.retrying(self.retry), Box::new(work))?;
            under_way += 1;
        }
        Ok(if under_way == 0 { Ran::Success } else { Ran::Waiting })
    }
}

impl HistoryWork for FetchRecentQsetsWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        // Children can be refused only after an abort, which ends this item as well.
        Step::Ended(self.start_more(turn).unwrap_or(Ran::Failure { retry: false, at_least_ms: 0 }))
    }
}

/// One scp file, without the headers of its checkpoint.
#[derive(Clone, Debug)]
struct ScpFile {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    into: SharedQsets,
}

impl FileWork for ScpFile {
    type Report = FileReport<RecentQsets>;
    type Check<'a> = QsetScan<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadScpHistory;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Scp, self.checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::checkpoint_file(&self.archives.rules().budget))
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.avoid.clone()
    }

    fn check(&self) -> QsetScan<'_> {
        QsetScan::new(self.archives.rules(), self.checkpoint)
    }

    fn report(&self, scan: QsetScan<'_>, delivery: Delivery) -> Self::Report {
        scan.finish(delivery)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        self.into.lock().take(settled, self.archives.rules().budget.findings);
    }
}

/// Takes the records of one scp file and keeps who named which quorum set.
#[derive(Debug)]
pub struct QsetScan<'a> {
    rules: &'a Rules,
    checkpoint: Checkpoint,
    path: ArchivePath,
    /// The hashes of sets that messages name, and whether a known validator does.
    named: BTreeMap<Hash256, bool>,
    signatures: u64,
    found: RecentQsets,
    findings: Findings,
}

impl<'a> QsetScan<'a> {
    /// For the scp file of a checkpoint.
    #[must_use]
    pub fn new(rules: &'a Rules, checkpoint: Checkpoint) -> Self {
        Self {
            rules,
            checkpoint,
            path: ArchivePath::of_checkpoint(FileKind::Scp, checkpoint),
            named: BTreeMap::new(),
            signatures: 0,
            found: RecentQsets::default(),
            findings: Findings::default(),
        }
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(self, delivery: Delivery) -> FileReport<RecentQsets> {
        let missing = delivery == Delivery::Missing;
        let mut report = FileReport::of(FileKind::Scp, self.checkpoint, delivery, self.found);
        report.findings.extend(self.findings);
        report.settle();
        if missing {
            as_optional(&mut report, self.rules, self.checkpoint);
        }
        report
    }

    fn entry(&mut self, entry: &ScpHistoryEntryV0, at: u64) {
        let ledger = LedgerSeq::new(entry.ledger_messages.ledger_seq);
        if !self.checkpoint.contains(ledger) {
            let finding = self.finding(FindingCode::ScpOutOfRange, "the entry belongs to a ledger of another checkpoint", ledger, at);
            let range = format!("{} to {}", self.checkpoint.first_ledger(), self.checkpoint.last_ledger());
            self.findings.push(finding.comparing(range, ledger));
            return;
        }
        for envelope in entry.ledger_messages.messages.iter() {
            self.message(ledger, envelope, at);
        }
        for set in entry.quorum_sets.iter() {
            let Some(hash) = quorum_set_hash(set).filter(|hash| !self.found.sets.contains_key(hash)) else { continue };
            let Some(by_known) = self.named.get(&hash) else { continue };
            if self.found.sets.len() >= MOST_SETS && !by_known {
                self.found.sets_capped = true;
                continue;
            }
            let sane = QuorumSet::sane(set);
            self.found.sets.extend(sane.map(|set| (hash, set)));
        }
    }

    fn message(&mut self, ledger: LedgerSeq, envelope: &ScpEnvelope, at: u64) {
        let statement = &envelope.statement;
        let node = NodeId::from_xdr(&statement.node_id);
        if statement.slot_index != u64::from(ledger.value()) {
            self.found.rejected = self.found.rejected.saturating_add(1);
            let finding = self.finding(FindingCode::ScpSequence, "a message is of another slot than its entry's ledger", ledger, at);
            self.findings.push(finding.comparing(ledger, statement.slot_index));
            return;
        }
        if let Some(network) = &self.rules.network_id {
            self.signatures = self.signatures.saturating_add(1);
            if self.signatures > SIGNATURES {
                self.found.unchecked = self.found.unchecked.saturating_add(1);
                return;
            }
            // What was decoded within limits is encoded within the same.
            let bytes = statement.to_xdr(Limits::none()).unwrap_or_default();
            if !is_signed_by(&node, network, Signed::Statement, &[&bytes], &envelope.signature) {
                self.found.rejected = self.found.rejected.saturating_add(1);
                let finding = self.finding(FindingCode::ScpSignature, "the signature of a message is not its node's", ledger, at);
                self.findings.push(finding.comparing(format!("a signature of {node}"), "another"));
                return;
            }
        }
        let Said { quorum_set, .. } = Said::of(statement);
        if self.found.add(node, NodeQset { quorum_set, first: ledger, last: ledger, messages: 1 }) {
            *self.named.entry(quorum_set).or_default() |= is_known(&node);
        }
    }

    fn finding(&self, code: FindingCode, message: &str, ledger: LedgerSeq, at: u64) -> Finding {
        Finding::new(code, self.path.clone(), message).at_checkpoint(self.checkpoint).at_ledger(ledger).at_offset(at)
    }
}

impl RecordSink for QsetScan<'_> {
    fn record(&mut self, record: Record<'_>) {
        match scp_entry(record.bytes, self.rules) {
            Ok(entry) => self.entry(&entry, record.offset),
            Err(error) => {
                let finding = decode_finding(self.path.clone(), "the record is no ScpHistoryEntry", &error);
                self.findings.push(finding.at_checkpoint(self.checkpoint).at_offset(record.offset));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u32) -> NodeId {
        let mut key = [0; 32];
        key.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, digit)| *byte = digit);
        NodeId::new(key)
    }

    fn said(set: u8, ledger: u32) -> NodeQset {
        let ledger = LedgerSeq::new(ledger);
        NodeQset { quorum_set: Hash256::new([set; 32]), first: ledger, last: ledger, messages: 1 }
    }

    #[test]
    fn the_newest_word_of_a_node_counts_whatever_file_came_first() {
        let file = |ledgers: &[(u8, u32)]| {
            let mut file = RecentQsets::default();
            ledgers.iter().for_each(|(set, ledger)| assert!(file.add(node(1), said(*set, *ledger))));
            file
        };
        let (older, newer) = (file(&[(1, 10), (2, 11)]), file(&[(3, 70), (4, 71)]));
        for files in [[older.clone(), newer.clone()], [newer, older]] {
            let mut all = RecentQsets::default();
            files.into_iter().for_each(|file| all.join(file));
            let wanted = NodeQset { quorum_set: Hash256::new([4; 32]), first: LedgerSeq::new(10), last: LedgerSeq::new(71), messages: 4 };
            assert_eq!((all.nodes.get(&node(1)), all.counted), (Some(&wanted), 4));
        }
    }

    #[test]
    fn made_up_nodes_and_sets_are_capped_and_do_not_crowd_out_known_validators() {
        let mut all = RecentQsets::default();
        (0..20_000).for_each(|number| {
            all.add(node(number), said(1, 5));
        });
        assert_eq!((all.nodes.len(), all.crowded_out, all.counted), (MOST_NODES, 10_000, 10_000));
        let sets = RecentQsets {
            sets: (0..2000).map(|number| (Hash256::new(*node(number).as_bytes()), QuorumSet::default())).collect(),
            ..RecentQsets::default()
        };
        all.join(sets);
        assert_eq!((all.sets.len(), all.sets_capped), (MOST_SETS, true));
        let known: Option<NodeId> = "GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y".parse().ok();
        let mut file = RecentQsets::default();
        let set = Hash256::new([0xff; 32]);
        assert!(known.is_some_and(|known| file.add(known, said(0xff, 6))));
        file.sets.insert(set, QuorumSet::default());
        all.join(file);
        assert!(known.is_some_and(|known| all.nodes.contains_key(&known)) && all.sets.contains_key(&set));
    }
}
