//! The order of a file's entries: of the checkpoint, rising, one a ledger (rules B.7, B.8).
//!
//! What transactions and results files have in common. What an entry says is theirs.

use super::finding::{Finding, FindingCode};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};

/// The codes for what can be wrong with the order of a kind of file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderCodes {
    pub(crate) duplicate: FindingCode,
    pub(crate) out_of_range: FindingCode,
    pub(crate) sequence: FindingCode,
}

/// Which ledgers of a checkpoint a file has entries of.
#[derive(Debug)]
pub(crate) struct EntryOrder {
    checkpoint: Checkpoint,
    path: ArchivePath,
    codes: OrderCodes,
    seen: Vec<bool>,
    last: Option<LedgerSeq>,
}

impl EntryOrder {
    pub(crate) fn new(kind: FileKind, checkpoint: Checkpoint, codes: OrderCodes) -> Self {
        let path = ArchivePath::of_checkpoint(kind, checkpoint);
        let seen = vec![false; crate::codec::usize_from(checkpoint.ledger_count())];
        Self { checkpoint, path, codes, seen, last: None }
    }

    /// Takes the entry of a ledger at an offset of the file; says what is wrong with its place.
    pub(crate) fn take(&mut self, ledger: LedgerSeq, at: u64) -> Option<Finding> {
        let finding = |code, message: &str| {
            let finding = Finding::new(code, self.path.clone(), message);
            Some(finding.at_checkpoint(self.checkpoint).at_ledger(ledger).at_offset(at))
        };
        let first = self.checkpoint.first_ledger();
        let index = ledger.value().checked_sub(first.value()).map(crate::codec::usize_from);
        let Some(seen) = index.and_then(|index| self.seen.get_mut(index)) else {
            let range = format!("{first} to {}", self.checkpoint.last_ledger());
            let finding = finding(self.codes.out_of_range, "the entry belongs to a ledger of another checkpoint");
            return finding.map(|finding| finding.comparing(range, ledger));
        };
        let again = core::mem::replace(seen, true);
        let late = self.last.is_some_and(|last| last > ledger);
        self.last = self.last.max(Some(ledger));
        match (again, late) {
            (true, _) => finding(self.codes.duplicate, "the ledger has more than one entry"),
            (false, true) => finding(self.codes.sequence, "the entry comes after one of a later ledger"),
            (false, false) => None,
        }
    }

    /// The ledgers without an entry, with their place in the checkpoint.
    pub(crate) fn without_entry(&self) -> Vec<(usize, LedgerSeq)> {
        let ledgers = self.checkpoint.ledgers().enumerate().zip(&self.seen);
        ledgers.filter(|(_, seen)| !**seen).map(|(ledger, _)| ledger).collect()
    }
}
