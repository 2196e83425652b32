//! A transactions file against the headers of its checkpoint (rules B.7).
//!
//! The hash of every set is taken over a slice of the record. A set is read only to say why its hash is wrong, and in
//! deep mode to check its structure (T6) and to list its transactions for [`super::results`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::checkpoint::{Delivery, FileReport, Headers, Rules, Status};
use super::entries::{EntryOrder, OrderCodes};
use super::envelope::Envelope;
use super::finding::{Finding, FindingCode, Findings, Note};
use super::header::{Header, ValueKind};
use super::xdr::{Cursor, XdrError, offset};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::RecordSink;
use crate::codec::hash::{Hash256, Hasher, sha256};
use crate::codec::record::Record;

/// The eras of transaction sets, decided by the version of the ledger *before* (T3).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum SetEra {
    /// Below 20: `TransactionSet`.
    Legacy,
    /// 20 to 22: generalized, two sequential phases.
    Phases,
    /// 23 and later: generalized, the second phase parallel.
    ParallelPhase,
}

impl SetEra {
    /// The era after a ledger of that version.
    #[must_use]
    pub const fn after(previous_version: u32) -> Self {
        match previous_version {
            0..20 => Self::Legacy,
            20..23 => Self::Phases,
            _ => Self::ParallelPhase,
        }
    }

    /// The hash of the empty set on top of a ledger (T4).
    #[must_use]
    pub fn empty_set_hash(self, previous: &Hash256) -> Hash256 {
        sha256(&[&self.hashed_empty_set(previous)])
    }

    /// The bytes that the empty set's hash is over.
    pub(crate) fn hashed_empty_set(self, previous: &Hash256) -> Vec<u8> {
        let phases: &[u8] = match self {
            Self::Legacy => return previous.as_bytes().to_vec(),
            Self::Phases => &[0; 16],
            Self::ParallelPhase => &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        [&[0, 0, 0, 1][..], previous.as_bytes(), &[0, 0, 0, 2], phases].concat()
    }

    /// Every era.
    pub const ALL: [Self; 3] = [Self::Legacy, Self::Phases, Self::ParallelPhase];
}

/// What a checkpoint's first set turned out to be, for the join with the checkpoint before it (T3).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum FirstSet {
    /// Missing or present, it fits only this era.
    Empty(SetEra),
    /// Present, legacy.
    Legacy,
    /// Present, generalized.
    Generalized,
}

impl FirstSet {
    /// Whether a set like this may follow a ledger of that version.
    #[must_use]
    pub fn fits(self, previous_version: u32) -> bool {
        let era = SetEra::after(previous_version);
        match self {
            Self::Empty(own) => own == era,
            Self::Legacy => era == SetEra::Legacy,
            Self::Generalized => era != SetEra::Legacy,
        }
    }
}

/// The transaction hashes of a ledger's set.
pub type SetTransactions = BTreeSet<Hash256>;

/// What a transactions file says, for the files that are read after it.
#[derive(Clone, Debug, Default)]
pub struct TransactionFacts {
    /// Deep mode: each ledger's transactions, as far as they could be listed, in the order of the checkpoint's ledgers.
    pub transactions: Vec<Option<SetTransactions>>,
    /// What the first ledger's set is.
    pub first_set: Option<FirstSet>,
    /// Ledgers whose value is known to name the hash of the ledger before: by their set, or by itself (CAP-83). Signatures over
    /// such a value seal the ledger before.
    pub tied: BTreeSet<LedgerSeq>,
}

/// Takes the records of one transactions file.
#[derive(Debug)]
pub struct TransactionsCheck<'a> {
    rules: &'a Rules,
    headers: &'a Headers,
    checkpoint: Checkpoint,
    path: ArchivePath,
    order: EntryOrder,
    batch: Batch,
    findings: Findings,
    notes: Vec<Note>,
    facts: TransactionFacts,
}

impl<'a> TransactionsCheck<'a> {
    /// For the transactions file of the headers' checkpoint.
    #[must_use]
    pub fn new(rules: &'a Rules, headers: &'a Headers) -> Self {
        let checkpoint = headers.checkpoint();
        let ledgers = crate::codec::usize_from(checkpoint.ledger_count());
        Self {
            rules,
            headers,
            checkpoint,
            path: ArchivePath::of_checkpoint(FileKind::Transactions, checkpoint),
            order: EntryOrder::new(FileKind::Transactions, checkpoint, ORDER),
            batch: Batch::default(),
            findings: Findings::default(),
            notes: Vec::new(),
            facts: TransactionFacts { transactions: vec![None; ledgers], ..TransactionFacts::default() },
        }
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(mut self, delivery: Delivery) -> FileReport<TransactionFacts> {
        self.flush();
        if matches!(delivery, Delivery::Read(Ok(_))) {
            self.check_ledgers_without_entry();
        }
        let mut report = FileReport::of(FileKind::Transactions, self.checkpoint, delivery, self.facts);
        report.findings.extend(self.findings);
        report.notes.extend(self.notes);
        report.settle_status(self.headers);
        if report.status == Status::Faulty {
            report.facts.first_set = None;
        }
        report
    }

    /// A ledger without an entry has the empty set (T4), or none at all (ledger 1, CAP-83).
    fn check_ledgers_without_entry(&mut self) {
        for (index, ledger) in self.order.without_entry() {
            let Some(header) = self.headers.header(ledger) else { continue };
            if let Some(transactions) = self.facts.transactions.get_mut(index) {
                *transactions = Some(SetTransactions::new());
            }
            // Values newer than this verifier may drop sets in ways of their own.
            let newer = matches!(header.value_kind, ValueKind::Unknown(_)) && header.tx_set_hash.is_zero();
            if let ValueKind::EmptyTxSet { previous_hash, .. } = header.value_kind
                && previous_hash == header.previous_hash
            {
                self.facts.tied.insert(ledger);
            }
            if header.is_empty_tx_set() || newer {
                continue;
            }
            if ledger == LedgerSeq::GENESIS {
                if !header.tx_set_hash.is_zero() {
                    self.missing(header, Hash256::ZERO);
                }
                continue;
            }
            let fits = |era: &SetEra| era.empty_set_hash(&header.previous_hash) == header.tx_set_hash;
            let era = match self.headers.previous_version(ledger) {
                Some(version) => {
                    let era = SetEra::after(version);
                    if fits(&era) {
                        Some(era)
                    } else {
                        self.missing(header, era.empty_set_hash(&header.previous_hash));
                        None
                    }
                }
                // The version before is only known to the checkpoint before: the join decides.
                None => match SetEra::ALL.into_iter().find(fits) {
                    Some(era) => Some(era),
                    None => {
                        self.missing(header, SetEra::after(header.version).empty_set_hash(&header.previous_hash));
                        None
                    }
                },
            };
            if era.is_some() {
                self.facts.tied.insert(ledger);
            }
            if index == 0 {
                self.facts.first_set = era.map(FirstSet::Empty);
            }
        }
    }

    fn missing(&mut self, header: &Header, empty: Hash256) {
        let finding =
            self.finding(FindingCode::TxsetMissing, "the file has no entry for the ledger, and its header does not name the empty set");
        self.findings.push(finding.at_ledger(header.sequence).comparing(header.tx_set_hash, format!("{empty} (the empty set)")));
    }

    fn flush(&mut self) {
        for (held, hash) in self.batch.take(Set::hashed) {
            self.take(held.record(), Some(hash));
        }
    }

    /// `hash`: that of what [`Set::hashed`] gives, if it is known.
    fn take(&mut self, record: Record<'_>, hash: Option<Hash256>) {
        if let Err(error) = self.entry(record, hash) {
            let finding = self.finding(FindingCode::XdrDecode, &format!("the record is no TransactionHistoryEntry: {error}"));
            self.findings.push(finding.at_offset(record.offset));
        }
    }

    fn entry(&mut self, record: Record<'_>, hash: Option<Hash256>) -> Result<(), XdrError> {
        let mut cursor = Cursor::new(record.bytes);
        let ledger = LedgerSeq::new(cursor.u32()?);
        if record.bytes.len() < MIN_ENTRY {
            return Err(XdrError::Invalid("the record ends too early"));
        }
        if let Some(finding) = self.order.take(ledger, record.offset) {
            self.findings.push(finding);
        }
        let Some(header) = self.headers.header(ledger) else { return Ok(()) };
        if header.is_empty_tx_set() {
            let finding =
                self.finding(FindingCode::Cap83EntryPresent, "the ledger's set was dropped (CAP-83), but the file has an entry for it");
            self.findings.push(finding.at_ledger(ledger).at_offset(record.offset));
            return Ok(());
        }
        let set = Set::slice(record.bytes, hash).ok_or(XdrError::Invalid("the transaction set ends too early"))?;
        self.check_set(header, &set, record);
        Ok(())
    }

    fn check_set(&mut self, header: &Header, set: &Set, record: Record<'_>) {
        if set.previous != header.previous_hash {
            let finding = self.finding(FindingCode::TxsetPrevHashMismatch, "the set was built on another ledger than the header");
            self.findings.push(finding.at_ledger(header.sequence).at_offset(record.offset).comparing(header.previous_hash, set.previous));
        }
        let matches = set.hash == header.tx_set_hash;
        if matches {
            if set.previous == header.previous_hash {
                self.facts.tied.insert(header.sequence);
            }
            self.check_format(header, set, record.offset);
            if !set.legacy_part_is_clear {
                self.legacy_part(header, record.offset);
            }
        }
        // No hash covers the count and the extension of a legacy entry, so it is always read.
        if matches && !self.rules.deep && set.generalized {
            return;
        }
        match Walk::of(record.bytes, self.rules) {
            Ok(walk) if matches => self.check_structure(header, &walk, record.offset),
            Ok(walk) => self.explain_mismatch(header, set, &walk, record.offset),
            // The bytes are those that the header commits to; a network newer than this verifier may mean them.
            Err((_, error)) if matches && header.version > self.rules.last_known_protocol => self.notes.push(Note {
                code: "newer-xdr".into(),
                path: Some(self.path.clone()),
                checkpoint: Some(self.checkpoint.last_ledger()),
                message: format!("the set of ledger {} has the right hash but is newer than this verifier: {error}", header.sequence),
            }),
            Err((at, error)) => {
                let finding = self.finding(FindingCode::XdrDecode, &format!("the transaction set does not decode: {error}"));
                self.findings.push(finding.at_ledger(header.sequence).at_offset(offset(record.offset, at)));
                if !matches {
                    self.mismatch(header, set, record.offset);
                }
            }
        }
    }

    /// The hash covers the format, so a wrong one is a rule that the whole chain breaks, not a damaged file.
    fn check_format(&mut self, header: &Header, set: &Set, at: u64) {
        let first_set = if set.generalized { FirstSet::Generalized } else { FirstSet::Legacy };
        match self.headers.previous_version(header.sequence) {
            Some(version) if !first_set.fits(version) => {
                let finding =
                    self.finding(FindingCode::TxsetFormat, "the set is of the wrong format for the protocol of the ledger before it");
                let name = |generalized| if generalized { "generalized" } else { "legacy" };
                self.findings
                    .push(finding.at_ledger(header.sequence).at_offset(at).comparing(name(!set.generalized), name(set.generalized)));
            }
            _ => {
                if header.sequence == self.checkpoint.first_ledger() {
                    self.facts.first_set = Some(first_set);
                }
            }
        }
    }

    fn check_structure(&mut self, header: &Header, walk: &Walk, at: u64) {
        let wrong_phase = match self.headers.previous_version(header.sequence).map(SetEra::after) {
            Some(SetEra::Phases) => walk.parallel_phases != 0,
            Some(SetEra::ParallelPhase) => walk.parallel_phases != 1,
            _ => false,
        };
        let wrong_phase = wrong_phase.then_some("the contract phase of the set is of another protocol's form");
        if let Some(problem) = walk.problem.or(wrong_phase).filter(|_| self.rules.deep) {
            let finding = self.finding(FindingCode::TxsetStructure, problem);
            self.findings.push(finding.at_ledger(header.sequence).at_offset(at));
        }
        let Some(index) = self.headers.index(header.sequence) else { return };
        if let Some(transactions) = self.facts.transactions.get_mut(index) {
            *transactions = walk.hashes.clone();
        }
    }

    /// Very old archives may hold a set in apply order, while its hash is taken in hash order (T7). stellar-core does not
    /// take such a file, so it is a finding, but one that says that nothing is lost.
    fn explain_mismatch(&mut self, header: &Header, set: &Set, walk: &Walk, at: u64) {
        if let Some((hash, previous)) = walk.as_generalized
            && hash == header.tx_set_hash
        {
            self.legacy_part(header, at);
            // The half that was compared before is the unused one.
            if previous == header.previous_hash {
                self.facts.tied.insert(header.sequence);
            } else {
                let finding = self.finding(FindingCode::TxsetPrevHashMismatch, "the set was built on another ledger than the header");
                self.findings.push(finding.at_ledger(header.sequence).at_offset(at).comparing(header.previous_hash, previous));
            }
        } else if walk.sorted_hash == Some(header.tx_set_hash) {
            let finding = self.finding(
                FindingCode::TxsetOrder,
                "the set's transactions are right but stored in another order than the one that is hashed",
            );
            self.findings.push(finding.at_ledger(header.sequence).at_offset(at).comparing(header.tx_set_hash, set.hash));
        } else {
            self.mismatch(header, set, at);
        }
    }

    fn mismatch(&mut self, header: &Header, set: &Set, at: u64) {
        let finding = self.finding(FindingCode::TxsetHashMismatch, "the transaction set does not hash to what the header commits to");
        self.findings.push(finding.at_ledger(header.sequence).at_offset(at).comparing(header.tx_set_hash, set.hash));
    }

    fn legacy_part(&mut self, header: &Header, at: u64) {
        let message = "the entry's unused legacy half is filled, which no hash covers";
        self.findings.push(self.finding(FindingCode::TxsetLegacyPart, message).at_ledger(header.sequence).at_offset(at).as_warning());
    }

    fn finding(&self, code: FindingCode, message: &str) -> Finding {
        Finding::new(code, self.path.clone(), message).at_checkpoint(self.checkpoint)
    }
}

const ORDER: OrderCodes =
    OrderCodes { duplicate: FindingCode::TxDuplicate, out_of_range: FindingCode::TxOutOfRange, sequence: FindingCode::TxSequence };

impl RecordSink for TransactionsCheck<'_> {
    fn is_faulty(&self) -> bool {
        self.findings.has_errors()
    }

    fn record(&mut self, record: Record<'_>) {
        if !self.batch.hold(record) {
            self.flush();
            self.take(record, None);
        } else if self.batch.is_full() {
            self.flush();
        }
    }
}

/// ledgerSeq, previousLedgerHash, an empty list, ext.
const MIN_ENTRY: usize = 4 + 32 + 4 + 4;

/// A set as its record's layout shows it, without decoding.
struct Set {
    generalized: bool,
    previous: Hash256,
    hash: Hash256,
    legacy_part_is_clear: bool,
}

impl Set {
    /// An empty legacy part and ext 1: the generalized set is the rest.
    fn is_generalized(record: &[u8]) -> bool {
        record.get(36..44) == Some(&[0, 0, 0, 0, 0, 0, 0, 1])
    }

    /// What is hashed of a record with a generalized set; nothing of another.
    fn hashed(record: &[u8]) -> &[u8] {
        record.get(44..).filter(|_| Self::is_generalized(record)).unwrap_or_default()
    }

    /// T1, T2. `record` has at least [`MIN_ENTRY`] bytes.
    /// `hash`: that of what [`Set::hashed`] gives, if it is known.
    fn slice(record: &[u8], hash: Option<Hash256>) -> Option<Self> {
        let legacy_previous: [u8; 32] = record.get(4..36)?.try_into().ok()?;
        let txs = record.get(40..record.len().checked_sub(4)?)?;
        if Self::is_generalized(record) {
            let set = Self::hashed(record);
            let previous = set.get(4..36)?.try_into().ok()?;
            return Some(Self {
                generalized: true,
                previous: Hash256::new(previous),
                hash: hash.unwrap_or_else(|| sha256(&[set])),
                legacy_part_is_clear: legacy_previous == [0; 32],
            });
        }
        let hash = sha256(&[&legacy_previous, txs]);
        Some(Self { generalized: false, previous: Hash256::new(legacy_previous), hash, legacy_part_is_clear: true })
    }
}

/// Where the set of a `TransactionHistoryEntry` stands in its record.
#[cfg(feature = "explore")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetPlace {
    /// A `GeneralizedTransactionSet`, else a `TransactionSet`, whose hash leaves out the count at its byte 32 (T1, T2).
    pub(crate) generalized: bool,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[cfg(feature = "explore")]
impl SetPlace {
    /// Looks for it; a legacy half that is filled although it is unused is passed over.
    pub(crate) fn of(record: &[u8], depth: u32) -> Option<Self> {
        let generalized = |start| Self { generalized: true, start, end: record.len() };
        if record.get(36..44) == Some(&[0, 0, 0, 0, 0, 0, 0, 1]) {
            return Some(generalized(44));
        }
        let end = record.len().checked_sub(4).filter(|end| *end >= MIN_ENTRY - 4)?;
        let mut cursor = Cursor::new(record);
        let mut after_legacy_half = || -> Result<u32, XdrError> {
            cursor.take(36)?;
            for _ in 0..cursor.u32()? {
                Envelope::read(&mut cursor, None, depth)?;
            }
            cursor.u32()
        };
        match after_legacy_half() {
            Ok(1) => Some(generalized(cursor.at())),
            _ => Some(Self { generalized: false, start: 4, end }),
        }
    }
}

/// A set read, its transactions walked over.
#[derive(Default)]
struct Walk {
    /// The transactions' hashes, where the network is known.
    hashes: Option<SetTransactions>,
    /// The hash of a generalized set, and of the ledger that it names, which a filled legacy part may hide.
    as_generalized: Option<(Hash256, Hash256)>,
    /// The hash of a legacy set in hash order.
    sorted_hash: Option<Hash256>,
    /// How many of its phases are parallel.
    parallel_phases: u32,
    /// What T6 or T7 it breaks.
    problem: Option<&'static str>,
}

impl Walk {
    /// Reads a `TransactionHistoryEntry`; on failure says where in it.
    fn of(record: &[u8], rules: &Rules) -> Result<Self, (usize, XdrError)> {
        let mut cursor = Cursor::new(record);
        let mut walk = Self { hashes: rules.network_id.is_some().then(SetTransactions::new), ..Self::default() };
        walk.read(&mut cursor, rules).map_err(|error| (cursor.at(), error))?;
        Ok(walk)
    }

    fn read(&mut self, cursor: &mut Cursor<'_>, rules: &Rules) -> Result<(), XdrError> {
        cursor.u32()?;
        let previous = cursor.hash()?;
        let envelopes = self.envelopes(cursor, rules)?;
        match cursor.u32()? {
            0 => {
                let sorted = sorted_by_hash(&envelopes);
                if !sorted {
                    self.problem = Some("the transactions of the set are not in hash order, or one is in it twice");
                }
                let mut ordered: Vec<_> = envelopes.iter().map(|envelope| (envelope.order_hash(), envelope.bytes)).collect();
                ordered.sort_unstable();
                let mut hasher = Hasher::default();
                hasher.update(previous.as_bytes());
                for (_, bytes) in ordered {
                    hasher.update(bytes);
                }
                self.sorted_hash = Some(hasher.finish());
            }
            1 => {
                let start = cursor.at();
                let previous = self.generalized(cursor, rules)?;
                self.as_generalized = Some((sha256(&[cursor.since(start)]), previous));
            }
            _ => return Err(XdrError::Invalid("TransactionHistoryEntry.ext is neither 0 nor 1")),
        }
        cursor.end()
    }

    /// Gives the hash of the ledger that the set was built on.
    fn generalized(&mut self, cursor: &mut Cursor<'_>, rules: &Rules) -> Result<Hash256, XdrError> {
        if cursor.u32()? != 1 {
            return Err(XdrError::Invalid("GeneralizedTransactionSet has an unknown version"));
        }
        let previous = cursor.hash()?;
        let phases = cursor.u32()?;
        if phases != 2 {
            self.problem = Some("the set has not exactly two phases");
        }
        for phase in 0..phases {
            match cursor.u32()? {
                0 => self.sequential_phase(cursor, rules, phase)?,
                1 => self.parallel_phase(cursor, rules, phase)?,
                _ => return Err(XdrError::Invalid("a TransactionPhase has an unknown version")),
            }
        }
        Ok(previous)
    }

    fn sequential_phase(&mut self, cursor: &mut Cursor<'_>, rules: &Rules, phase: u32) -> Result<(), XdrError> {
        let mut last_fee: Option<Option<i64>> = None;
        for _ in 0..cursor.u32()? {
            if cursor.u32()? != 0 {
                return Err(XdrError::Invalid("a TxSetComponent has an unknown type"));
            }
            let fee = optional_fee(cursor)?;
            if last_fee.is_some_and(|last| last >= fee) {
                self.problem = Some("the components of a phase are not in order of their base fee");
            }
            last_fee = Some(fee);
            let envelopes = self.envelopes(cursor, rules)?;
            if envelopes.is_empty() {
                self.problem = Some("a component of the set is empty");
            }
            if !sorted_by_hash(&envelopes) {
                self.problem = Some("the transactions of a component are not in hash order, or one is in it twice");
            }
            self.check_kind(&envelopes, phase);
        }
        Ok(())
    }

    fn parallel_phase(&mut self, cursor: &mut Cursor<'_>, rules: &Rules, phase: u32) -> Result<(), XdrError> {
        if phase == 0 {
            self.problem = Some("the classic phase is parallel");
        }
        self.parallel_phases += 1;
        optional_fee(cursor)?;
        let mut last_stage: Option<Hash256> = None;
        for _ in 0..cursor.u32()? {
            let mut last_cluster: Option<Hash256> = None;
            let mut stage: Option<Hash256> = None;
            let clusters = cursor.u32()?;
            if clusters == 0 {
                self.problem = Some("a stage of the set is empty");
            }
            for _ in 0..clusters {
                let envelopes = self.envelopes(cursor, rules)?;
                if envelopes.is_empty() {
                    self.problem = Some("a cluster of the set is empty");
                }
                if !sorted_by_hash(&envelopes) {
                    self.problem = Some("the transactions of a cluster are not in hash order, or one is in it twice");
                }
                self.check_kind(&envelopes, phase);
                let cluster = envelopes.first().map(Envelope::order_hash);
                if last_cluster.is_some() && last_cluster >= cluster {
                    self.problem = Some("the clusters of a stage are out of order");
                }
                last_cluster = cluster;
                stage = stage.or(cluster);
            }
            if last_stage.is_some() && last_stage >= stage {
                self.problem = Some("the stages of the set are out of order");
            }
            last_stage = stage;
        }
        Ok(())
    }

    fn check_kind(&mut self, envelopes: &[Envelope<'_>], phase: u32) {
        if envelopes.iter().any(|envelope| envelope.is_soroban != (phase == 1)) {
            self.problem = Some("a transaction is in the phase of the other kind, classic or smart contract");
        }
    }

    fn envelopes<'r>(&mut self, cursor: &mut Cursor<'r>, rules: &Rules) -> Result<Vec<Envelope<'r>>, XdrError> {
        // The count is a claim: the list grows with what is really there.
        let mut envelopes = Vec::new();
        for _ in 0..cursor.u32()? {
            let envelope = Envelope::read(cursor, rules.network_id.as_ref(), rules.budget.xdr_depth)?;
            if let (Some(hashes), Some(hash)) = (&mut self.hashes, envelope.hash)
                && !hashes.insert(hash)
            {
                self.problem = Some("a transaction is in the set twice");
            }
            envelopes.push(envelope);
        }
        Ok(envelopes)
    }
}

fn optional_fee(cursor: &mut Cursor<'_>) -> Result<Option<i64>, XdrError> {
    match cursor.u32()? {
        0 => Ok(None),
        1 => cursor.i64().map(Some),
        _ => Err(XdrError::Invalid("an optional field is neither absent nor present")),
    }
}

fn sorted_by_hash(envelopes: &[Envelope<'_>]) -> bool {
    envelopes.iter().map(Envelope::order_hash).is_sorted_by(|a, b| a < b)
}
