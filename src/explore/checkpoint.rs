//! A checkpoint, held: its five files and those of its neighbours that its own are tied to, by ledger.
//!
//! What it is: where the records of a ledger are, and the line of each ledger. What it is not: a verification: a file that is
//! missing or contradicts another is shown as it is, and the checks of its ledgers say so.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;
use stellar_xdr::{ScpHistoryEntry, ScpHistoryEntryV0};

use super::check::{CheckName, Outcome};
use super::file::{CheckpointFile, HeldFile, RawRecord};
use super::state::CheckpointState;
use super::transaction::Applied;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::network::{KNOWN_NETWORKS, Network};
use crate::archive::node::NodeId;
use crate::archive::state::HistoryArchiveState;
use crate::codec::hash::Hash256;
use crate::codec::usize_from;
use crate::limits::Budget;
use crate::verify::header::{Header, HeaderEntry};
use crate::verify::signature::{Signed, is_signed_by};
use crate::verify::xdr::{Cursor, decode};

/// The latest time that JavaScript can show, in seconds since 1970: headers may claim any.
const LAST_DATE: u64 = 8_640_000_000_000;

/// The files of a checkpoint.
#[derive(Clone, Debug)]
pub struct Files {
    /// `history-xxxxxxxx.json`.
    pub history: Rc<HeldFile>,
    /// The headers.
    pub ledger: Rc<HeldFile>,
    /// The transaction sets.
    pub transactions: Rc<HeldFile>,
    /// The results.
    pub results: Rc<HeldFile>,
    /// The messages of validators.
    pub scp: Rc<HeldFile>,
}

/// What of a checkpoint's neighbours its own files are tied to; none where there is no such checkpoint, or it is not needed.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The headers before.
    pub previous_ledger: Option<Rc<HeldFile>>,
    /// The state before.
    pub previous_history: Option<Rc<HeldFile>>,
    /// The headers after.
    pub next_ledger: Option<Rc<HeldFile>>,
}

/// A checkpoint that can be looked at.
#[derive(Debug)]
pub struct Held {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) network: Option<Network>,
    pub(crate) budget: Budget,
    pub(crate) files: Files,
    pub(crate) neighbours: Neighbours,
    headers: Headers,
    before: Headers,
    after: Headers,
    transactions: BTreeMap<LedgerSeq, usize>,
    results: BTreeMap<LedgerSeq, usize>,
    scp: BTreeMap<LedgerSeq, ScpHistoryEntryV0>,
    /// What is wrong with the records of a file by themselves, in the order of [`Held::files`].
    faults: [Option<String>; 4],
}

/// A header, and where it stands.
#[derive(Debug)]
pub(crate) struct HeaderAt {
    pub(crate) index: usize,
    pub(crate) header: Header,
    pub(crate) claimed: Hash256,
}

/// A header with its file and its record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located<'a> {
    pub(crate) file: &'a HeldFile,
    pub(crate) raw: RawRecord<'a>,
    pub(crate) header: &'a Header,
    pub(crate) claimed: Hash256,
}

type Headers = BTreeMap<LedgerSeq, HeaderAt>;

/// A line of a checkpoint's ledgers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerRow {
    /// Its sequence.
    pub ledger: LedgerSeq,
    /// What its header hashes to.
    pub hash: Hash256,
    /// Seconds since 1970.
    pub close_time: u64,
    /// Its version, after any upgrade.
    pub protocol: u32,
    /// Of its results; of its set where those are not there.
    pub transactions: usize,
    /// Of all of its transactions.
    pub operations: usize,
    /// Transactions that did not succeed.
    pub failed: usize,
    /// All of its checks together.
    pub outcome: Outcome,
    /// Those that are broken.
    pub broken: Vec<CheckName>,
    /// Messages that the scp file has for it.
    pub scp_messages: usize,
}

/// A checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct CheckpointView {
    /// Its last ledger.
    pub checkpoint: LedgerSeq,
    /// Its first one.
    pub low: LedgerSeq,
    /// Its last one.
    pub high: LedgerSeq,
    /// Its files.
    pub files: Vec<CheckpointFile>,
    /// Its state, if that can be read.
    pub state: Option<CheckpointState>,
    /// Its ledgers, as far as they have headers.
    pub ledgers: Vec<LedgerRow>,
}

impl Held {
    /// Finds the records of each ledger. `network`: what the archive says that it is of.
    #[must_use]
    pub fn new(checkpoint: Checkpoint, files: Files, neighbours: Neighbours, network: Option<Network>, budget: Budget) -> Self {
        let (headers, bad_header) = headers_of(&files.ledger, checkpoint);
        let around = |file: &Option<Rc<HeldFile>>, checkpoint: Option<Checkpoint>| match (file, checkpoint) {
            (Some(file), Some(checkpoint)) => headers_of(file, checkpoint).0,
            _ => Headers::new(),
        };
        let before = around(&neighbours.previous_ledger, checkpoint.previous());
        let after = around(&neighbours.next_ledger, checkpoint.next());
        let (transactions, bad_set) = by_ledger(&files.transactions, checkpoint);
        let (results, bad_results) = by_ledger(&files.results, checkpoint);
        let (scp, bad_messages) = messages_of(&files.scp, checkpoint, budget.xdr_depth);
        let faults = [bad_header, bad_set, bad_results, bad_messages];
        let mut held = Self { checkpoint, network, budget, files, neighbours, headers, before, after, transactions, results, scp, faults };
        let named = || held.state().ok().and_then(|state| state.network_passphrase).map(Network::from_passphrase);
        held.network = named().or_else(|| held.network.clone()).or_else(|| held.evident_network());
        held
    }

    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The files, as lines.
    #[must_use]
    pub fn file_lines(&self) -> Vec<CheckpointFile> {
        let Files { history, ledger, transactions, results, scp } = &self.files;
        let bad_state = history.is_whole().then(|| self.state_fault()).flatten();
        let faults = core::iter::once(bad_state).chain(self.faults.iter().cloned());
        [history, ledger, transactions, results, scp].into_iter().zip(faults).map(|(file, fault)| file.line(fault)).collect()
    }

    /// The ledgers that have a header.
    #[must_use]
    pub fn ledgers(&self) -> Vec<LedgerSeq> {
        self.headers.keys().copied().collect()
    }

    /// The line of a ledger; none without its header.
    #[must_use]
    pub fn row(&self, ledger: LedgerSeq) -> Option<LedgerRow> {
        let Located { header, .. } = self.header(ledger)?;
        let applied = Applied::of(self, ledger);
        let checks = self.ledger_checks(ledger, &applied);
        let broken: Vec<_> = checks.iter().filter(|check| check.outcome == Outcome::Broken).map(|check| check.name).collect();
        // The end of the archive and the optional scp file leave nothing undone.
        let matters = |name| !matches!(name, CheckName::NextHeader | CheckName::ScpValue);
        let outcome = if !broken.is_empty() {
            Outcome::Broken
        } else if checks.iter().any(|check| check.outcome == Outcome::Unknown && matters(check.name)) {
            Outcome::Unknown
        } else {
            Outcome::Holds
        };
        Some(LedgerRow {
            ledger,
            hash: header.hash,
            close_time: close_time(header),
            protocol: header.version,
            transactions: applied.count(),
            operations: applied.operations(),
            failed: applied.failed(),
            outcome,
            broken,
            scp_messages: self.messages(ledger).map_or(0, |entry| entry.ledger_messages.messages.len()),
        })
    }

    /// The checkpoint, with the lines of its ledgers.
    #[must_use]
    pub fn view(&self, ledgers: Vec<LedgerRow>) -> CheckpointView {
        CheckpointView {
            checkpoint: self.checkpoint.last_ledger(),
            low: self.checkpoint.first_ledger(),
            high: self.checkpoint.last_ledger(),
            files: self.file_lines(),
            state: self.state_view(),
            ledgers,
        }
    }

    /// The state, parsed.
    pub(crate) fn state(&self) -> Result<HistoryArchiveState, String> {
        parsed_state(&self.files.history, &self.budget)
    }

    /// The header of a ledger of this checkpoint or of one that its neighbours have.
    pub(crate) fn header(&self, ledger: LedgerSeq) -> Option<Located<'_>> {
        let (headers, file) = if ledger < self.checkpoint.first_ledger() {
            (&self.before, self.neighbours.previous_ledger.as_deref()?)
        } else if ledger > self.checkpoint.last_ledger() {
            (&self.after, self.neighbours.next_ledger.as_deref()?)
        } else {
            (&self.headers, &*self.files.ledger)
        };
        let at = headers.get(&ledger)?;
        Some(Located { file, raw: file.record(at.index)?, header: &at.header, claimed: at.claimed })
    }

    /// The `TransactionHistoryEntry` of a ledger.
    pub(crate) fn set_record(&self, ledger: LedgerSeq) -> Option<RawRecord<'_>> {
        self.files.transactions.record(*self.transactions.get(&ledger)?)
    }

    /// The `TransactionHistoryResultEntry` of a ledger.
    pub(crate) fn result_record(&self, ledger: LedgerSeq) -> Option<RawRecord<'_>> {
        self.files.results.record(*self.results.get(&ledger)?)
    }

    /// What validators said of a ledger.
    pub(crate) fn messages(&self, ledger: LedgerSeq) -> Option<&ScpHistoryEntryV0> {
        self.scp.get(&ledger)
    }

    /// Old states name no network. Then it is the known one whose id makes a transaction's hash that of its result, or a
    /// message's signature its node's.
    fn evident_network(&self) -> Option<Network> {
        let mut known = KNOWN_NETWORKS.iter().map(|known| Network::from_passphrase(known.passphrase));
        let with_results = self.results.keys().find(|ledger| self.transactions.contains_key(ledger));
        known.find(|network| with_results.is_some_and(|ledger| Applied::fits(self, *ledger, network)) || self.is_signed_on(network))
    }

    fn is_signed_on(&self, network: &Network) -> bool {
        let Some(envelope) = self.scp.values().next().and_then(|entry| entry.ledger_messages.messages.first()) else { return false };
        let node = NodeId::from_xdr(&envelope.statement.node_id);
        let statement = stellar_xdr::WriteXdr::to_xdr(&envelope.statement, stellar_xdr::Limits::none());
        statement.is_ok_and(|statement| is_signed_by(&node, &network.id(), Signed::Statement, &[&statement], &envelope.signature))
    }
}

pub(crate) fn parsed_state(file: &HeldFile, budget: &Budget) -> Result<HistoryArchiveState, String> {
    if !file.is_whole() {
        return Err(file.why_unknown());
    }
    HistoryArchiveState::parse(file.content(), budget).map_err(|error| format!("{} is no state: {error}", file.path))
}

/// When a ledger closed, as far as a date can say.
pub(crate) fn close_time(header: &Header) -> u64 {
    header.close_time.min(LAST_DATE)
}

/// The headers by their ledger; one that is of no ledger of the checkpoint counts by its place. And the first fault.
fn headers_of(file: &HeldFile, checkpoint: Checkpoint) -> (Headers, Option<String>) {
    let (mut headers, mut strangers, mut fault) = (Headers::new(), Vec::new(), None);
    for (index, raw) in file.records().enumerate() {
        let strictly = HeaderEntry::parse(raw.bytes);
        if let Err(error) = &strictly {
            fault = fault.or(Some(format!("record {index} is no LedgerHeaderHistoryEntry: {error}")));
        }
        // What is nearly a header can be looked at.
        let Ok(HeaderEntry { header, claimed_hash }) = strictly.or_else(|_| HeaderEntry::parse_leniently(raw.bytes)) else { continue };
        let at = HeaderAt { index, header, claimed: claimed_hash };
        if checkpoint.contains(at.header.sequence) && !headers.contains_key(&at.header.sequence) {
            headers.insert(at.header.sequence, at);
        } else {
            fault = fault.or(Some(format!("record {index} is of ledger {}, which is not its place", at.header.sequence)));
            strangers.push(at);
        }
    }
    for at in strangers {
        let place = checkpoint.ledgers().nth(at.index);
        if let Some(place) = place.filter(|place| !headers.contains_key(place)) {
            headers.insert(place, at);
        }
    }
    if file.is_whole() && fault.is_none() && headers.len() != usize_from(checkpoint.ledger_count()) {
        fault = Some(format!("it has {} headers, where there must be {}", headers.len(), checkpoint.ledger_count()));
    }
    (headers, fault)
}

/// Where a ledger's record is, for records that begin with their ledger.
fn by_ledger(file: &HeldFile, checkpoint: Checkpoint) -> (BTreeMap<LedgerSeq, usize>, Option<String>) {
    let (mut places, mut fault) = (BTreeMap::new(), None);
    for (index, raw) in file.records().enumerate() {
        match Cursor::new(raw.bytes).u32().map(LedgerSeq::new) {
            Ok(ledger) if checkpoint.contains(ledger) && !places.contains_key(&ledger) => {
                places.insert(ledger, index);
            }
            Ok(ledger) => fault = fault.or(Some(format!("record {index} is of ledger {ledger}, which is not its place"))),
            Err(error) => fault = fault.or(Some(format!("record {index}: {error}"))),
        }
    }
    (places, fault)
}

fn messages_of(file: &HeldFile, checkpoint: Checkpoint, depth: u32) -> (BTreeMap<LedgerSeq, ScpHistoryEntryV0>, Option<String>) {
    let (mut messages, mut fault) = (BTreeMap::new(), None);
    for (index, raw) in file.records().enumerate() {
        match decode::<ScpHistoryEntry>(raw.bytes, depth) {
            Ok(ScpHistoryEntry::V0(entry)) => {
                let ledger = LedgerSeq::new(entry.ledger_messages.ledger_seq);
                if checkpoint.contains(ledger) && !messages.contains_key(&ledger) {
                    messages.insert(ledger, entry);
                } else {
                    fault = fault.or(Some(format!("record {index} is of ledger {ledger}, which is not its place")));
                }
            }
            Err(error) => fault = fault.or(Some(format!("record {index} is no ScpHistoryEntry: {error}"))),
        }
    }
    (messages, fault)
}
