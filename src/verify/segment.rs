//! Segments: what is kept of verified checkpoints, and how neighbours join (rules B.5 H3; design section 1).
//!
//! One checkpoint gives a segment; two adjacent segments give one. `join` is associative, so checkpoints can be verified
//! anywhere, in any order, and the answer is the same. A segment does not grow with its range.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checkpoint::{Rules, Status, Unchecked, chain_findings};
use super::finding::{Finding, FindingCode, Note, fold};
use super::header::Header;
use super::transactions::FirstSet;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::{ArchivePath, FileKind};

/// How many files ended how.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tally {
    /// Every rule holds.
    pub verified: u64,
    /// There is a finding.
    pub faulty: u64,
    /// Not looked at, or not against all it must agree with.
    pub unchecked: u64,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, status: Status) {
        let count = self.of(status);
        *count = count.saturating_add(1);
    }

    /// Moves one from one outcome to another.
    fn recount(&mut self, from: Status, to: Status) {
        self.uncount(from);
        self.count(to);
    }

    /// Takes back one that was counted.
    pub fn uncount(&mut self, status: Status) {
        let count = self.of(status);
        *count = count.saturating_sub(1);
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.verified.saturating_add(self.faulty).saturating_add(self.unchecked)
    }

    fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Verified => &mut self.verified,
            Status::Faulty => &mut self.faulty,
            Status::Unchecked(_) => &mut self.unchecked,
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.verified = self.verified.saturating_add(other.verified);
        self.faulty = self.faulty.saturating_add(other.faulty);
        self.unchecked = self.unchecked.saturating_add(other.unchecked);
    }
}

/// One checkpoint, or several in a row.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Segment {
    low: Checkpoint,
    high: Checkpoint,
    /// The first ledger's header and set, which the segment before must lead to.
    first: Option<Header>,
    first_set: Option<FirstSet>,
    /// The outcomes of the first checkpoint, which the seam may still change.
    first_statuses: [Status; FileKind::ALL.len()],
    last: Option<Header>,
    tallies: [Tally; FileKind::ALL.len()],
    unchecked: BTreeMap<FileKind, BTreeMap<Unchecked, u64>>,
    findings: Kept,
    notes: Vec<Note>,
    /// Seams that could not be looked at, because a header is missing.
    open_seams: u64,
}

/// Two segments that are not neighbours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the segment up to {left} and the segment from {right} are not neighbours")]
pub struct NotAdjacent {
    /// The left segment's last checkpoint.
    pub left: Checkpoint,
    /// The right segment's first.
    pub right: Checkpoint,
}

/// Notes kept of a segment: they say the same of many files.
const NOTES_KEPT: usize = 100;

impl Segment {
    pub(crate) fn of_checkpoint(
        checkpoint: Checkpoint,
        first: Option<Header>,
        last: Option<Header>,
        first_set: Option<FirstSet>,
        statuses: [Status; FileKind::ALL.len()],
        findings: Vec<Finding>,
        notes: Vec<Note>,
    ) -> Self {
        let mut segment = Self {
            low: checkpoint,
            high: checkpoint,
            first,
            first_set,
            first_statuses: statuses,
            last,
            tallies: Default::default(),
            unchecked: BTreeMap::new(),
            findings: Kept::default(),
            notes,
            open_seams: 0,
        };
        for ((kind, status), tally) in FileKind::ALL.into_iter().zip(statuses).zip(&mut segment.tallies) {
            tally.count(status);
            if let Status::Unchecked(why) = status {
                *segment.unchecked.entry(kind).or_default().entry(why).or_default() += 1;
            }
        }
        segment.notes.truncate(NOTES_KEPT);
        segment.findings.extend(findings, usize::MAX);
        segment
    }

    /// The two as one: checks that `right`'s first header follows `self`'s last one.
    ///
    /// # Errors
    /// If they are not neighbours.
    pub fn join(mut self, mut right: Self, rules: &Rules) -> Result<Self, NotAdjacent> {
        if self.high.next() != Some(right.low) {
            return Err(NotAdjacent { left: self.high, right: right.low });
        }
        let seam = self.seam(&right, rules);
        for finding in &seam {
            right.fault(if finding.path.as_str().starts_with("ledger/") { FileKind::Ledger } else { FileKind::Transactions });
        }
        if self.last.is_none() || right.first.is_none() {
            self.open_seams = self.open_seams.saturating_add(1);
        }
        self.findings.extend(fold(seam), rules.budget.findings);
        self.findings.append(right.findings, rules.budget.findings);
        self.notes.append(&mut right.notes);
        self.notes.truncate(NOTES_KEPT);
        for (tally, other) in self.tallies.iter_mut().zip(right.tallies) {
            tally.add(other);
        }
        for (kind, counts) in right.unchecked {
            let own = self.unchecked.entry(kind).or_default();
            counts.into_iter().for_each(|(why, count)| {
                let own = own.entry(why).or_default();
                *own = own.saturating_add(count);
            });
        }
        self.open_seams = self.open_seams.saturating_add(right.open_seams);
        self.high = right.high;
        self.last = right.last;
        Ok(self)
    }

    /// Its checkpoints: the lowest and the highest.
    #[must_use]
    pub fn range(&self) -> (Checkpoint, Checkpoint) {
        (self.low, self.high)
    }

    /// The header of its first ledger.
    #[must_use]
    pub fn first(&self) -> Option<&Header> {
        self.first.as_ref()
    }

    /// The header of its last ledger.
    #[must_use]
    pub fn last(&self) -> Option<&Header> {
        self.last.as_ref()
    }

    /// How the files of a kind ended.
    #[must_use]
    pub fn tally(&self, kind: FileKind) -> Tally {
        FileKind::ALL.into_iter().zip(self.tallies).find(|(other, _)| *other == kind).map(|(_, tally)| tally).unwrap_or_default()
    }

    /// Why files were not checked, with how many.
    pub fn unchecked(&self) -> impl Iterator<Item = (FileKind, Unchecked, u64)> {
        self.unchecked.iter().flat_map(|(kind, counts)| counts.iter().map(|(why, count)| (*kind, *why, *count)))
    }

    /// What is wrong, in the order of the checkpoints, as far as it is kept.
    #[must_use]
    pub fn findings(&self) -> &Kept {
        &self.findings
    }

    /// Names the archives of findings that were made where none was known.
    pub(crate) fn name_archives(&mut self, name: impl Fn(&ArchivePath) -> String) {
        for finding in self.findings.list.iter_mut().filter(|finding| finding.archive.is_empty()) {
            finding.archive = name(&finding.path);
        }
    }

    /// Adds what is wrong with an archive whose file was not taken. It changes no tally.
    pub(crate) fn accuse(&mut self, finding: Finding) {
        if !self.findings.list.contains(&finding) {
            self.findings.extend([finding], usize::MAX);
        }
    }

    /// What is worth saying.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Seams between checkpoints that could not be looked at, because a header is missing.
    #[must_use]
    pub fn open_seams(&self) -> u64 {
        self.open_seams
    }

    /// What is wrong between the two.
    #[must_use]
    pub fn seam(&self, right: &Self, rules: &Rules) -> Vec<Finding> {
        let (Some(last), Some(first)) = (&self.last, &right.first) else { return Vec::new() };
        let mut findings: Vec<_> = chain_findings(last, first, rules, right.low).collect();
        if right.first_set.is_some_and(|set| !set.fits(last.version)) {
            let path = ArchivePath::of_checkpoint(FileKind::Transactions, right.low);
            let message = "the set is of the wrong format for the protocol of the ledger before it";
            let finding = Finding::new(FindingCode::TxsetFormat, path, message).at_checkpoint(right.low).at_ledger(first.sequence);
            findings.push(finding.comparing(format!("the format of protocol {}", last.version), "another"));
        }
        findings
    }

    fn fault(&mut self, kind: FileKind) {
        for ((other, status), tally) in FileKind::ALL.into_iter().zip(&mut self.first_statuses).zip(&mut self.tallies) {
            if other != kind || *status == Status::Faulty {
                continue;
            }
            if let Status::Unchecked(why) = *status
                && let Some(counts) = self.unchecked.get_mut(&kind)
            {
                counts.entry(why).and_modify(|count| *count = count.saturating_sub(1));
                counts.retain(|_, count| *count > 0);
            }
            tally.recount(*status, Status::Faulty);
            *status = Status::Faulty;
        }
    }
}

/// Findings as far as they are kept, and how many there were: a list that is full forgets warnings before errors, and never
/// that there was one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    list: Vec<Finding>,
    errors: BTreeMap<FindingCode, u64>,
    dropped: u64,
}

impl Kept {
    /// Adds findings and keeps at most `limit`.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>, limit: usize) {
        for finding in findings {
            if finding.is_error() {
                let count = self.errors.entry(finding.code).or_default();
                *count = count.saturating_add(1);
            }
            self.list.push(finding);
        }
        self.shrink(limit);
    }

    /// Adds what another list kept and counted.
    pub fn append(&mut self, other: Self, limit: usize) {
        self.list.extend(other.list);
        for (code, count) in other.errors {
            let own = self.errors.entry(code).or_default();
            *own = own.saturating_add(count);
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.shrink(limit);
    }

    /// Forgets findings, those of them that were counted as errors included.
    pub fn forget(&mut self, which: impl Fn(&Finding) -> bool) {
        let (forgotten, kept): (Vec<_>, Vec<_>) = core::mem::take(&mut self.list).into_iter().partition(which);
        self.list = kept;
        for finding in forgotten.iter().filter(|finding| finding.is_error()) {
            self.errors.entry(finding.code).and_modify(|count| *count = count.saturating_sub(1));
        }
        self.errors.retain(|_, count| *count > 0);
    }

    /// Those kept.
    #[must_use]
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// How many errors there were, by code.
    #[must_use]
    pub fn errors(&self) -> &BTreeMap<FindingCode, u64> {
        &self.errors
    }

    /// How many findings were not kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn shrink(&mut self, limit: usize) {
        let length = self.list.len();
        if length <= limit {
            return;
        }
        let errors = self.list.iter().filter(|finding| finding.is_error()).count().min(limit);
        let (mut errors_left, mut warnings_left) = (errors, limit - errors);
        self.list.retain(|finding| {
            let left = if finding.is_error() { &mut errors_left } else { &mut warnings_left };
            let keep = *left > 0;
            *left = left.saturating_sub(1);
            keep
        });
        self.dropped = self.dropped.saturating_add(crate::codec::u64_from(length - self.list.len()));
    }
}
