//! A results file against the headers of its checkpoint, and in deep mode against its transactions (rules B.8).

use super::checkpoint::{Delivery, FileReport, Headers, Rules};
use super::entries::{EntryOrder, OrderCodes};
use super::finding::{Finding, FindingCode, Findings, Note};
use super::header::{Header, ValueKind};
use super::transactions::{SetEra, SetTransactions};
use super::xdr::{Cursor, XdrError, offset, types};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::RecordSink;
use crate::codec::hash::{Hash256, sha256};
use crate::codec::record::Record;

/// `sha256(00000000)`: the hash of no results.
pub const EMPTY_RESULTS_HASH: Hash256 = Hash256::new([
    0xdf, 0x3f, 0x61, 0x98, 0x04, 0xa9, 0x2f, 0xdb, 0x40, 0x57, 0x19, 0x2d, 0xc4, 0x3d, 0xd7, 0x48, 0xea, 0x77, 0x8a, 0xdc, 0x52, 0xbc,
    0x49, 0x8c, 0xe8, 0x05, 0x24, 0xc0, 0x14, 0xb8, 0x11, 0x19,
]);

/// Takes the records of one results file.
#[derive(Debug)]
pub struct ResultsCheck<'a> {
    rules: &'a Rules,
    headers: &'a Headers,
    transactions: &'a [Option<SetTransactions>],
    checkpoint: Checkpoint,
    path: ArchivePath,
    order: EntryOrder,
    findings: Findings,
    notes: Vec<Note>,
}

impl<'a> ResultsCheck<'a> {
    /// For the results file of the headers' checkpoint. `transactions` are those of
    /// [`super::transactions::TransactionFacts`], empty without deep mode.
    #[must_use]
    pub fn new(rules: &'a Rules, headers: &'a Headers, transactions: &'a [Option<SetTransactions>]) -> Self {
        let checkpoint = headers.checkpoint();
        Self {
            rules,
            headers,
            transactions,
            checkpoint,
            path: ArchivePath::of_checkpoint(FileKind::Results, checkpoint),
            order: EntryOrder::new(FileKind::Results, checkpoint, ORDER),
            findings: Findings::default(),
            notes: Vec::new(),
        }
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(mut self, delivery: Delivery) -> FileReport<()> {
        if matches!(delivery, Delivery::Read(Ok(_))) {
            self.check_ledgers_without_entry();
        }
        let mut report = FileReport::of(FileKind::Results, self.checkpoint, delivery, ());
        report.findings.extend(self.findings);
        report.notes.extend(self.notes);
        report.settle_status(self.headers);
        report
    }

    /// A ledger without an entry has no results.
    fn check_ledgers_without_entry(&mut self) {
        for (_, ledger) in self.order.without_entry() {
            let Some(header) = self.headers.header(ledger) else { continue };
            if header.result_hash == EMPTY_RESULTS_HASH && self.has_transactions(header) {
                let finding = self.finding(FindingCode::ResultTxMismatch, "the header names a set with transactions but no results");
                self.findings.push(finding.at_ledger(ledger).comparing("results", "none"));
            }
            let none = if ledger == LedgerSeq::GENESIS { Hash256::ZERO } else { EMPTY_RESULTS_HASH };
            if header.result_hash != none {
                let finding = self.finding(
                    FindingCode::ResultMissing,
                    "the file has no entry for the ledger, and its header does not name empty results",
                );
                self.findings.push(finding.at_ledger(ledger).comparing(header.result_hash, format!("{none} (no results)")));
            }
        }
    }

    /// Whether the set that the header names is another than the empty one, as far as that can be told.
    fn has_transactions(&self, header: &Header) -> bool {
        let empty = |era: SetEra| era.empty_set_hash(&header.previous_hash) == header.tx_set_hash;
        // Only a header that fits its chain can be held against the results.
        let before = header.sequence.value().checked_sub(1).and_then(|before| self.headers.header(LedgerSeq::new(before)));
        header.version <= self.rules.last_known_protocol
            && before.is_some_and(|before| before.hash == header.previous_hash)
            && !header.is_empty_tx_set()
            && !matches!(header.value_kind, ValueKind::Unknown(_))
            && !SetEra::ALL.into_iter().any(empty)
    }

    fn entry(&mut self, record: Record<'_>) -> Result<(), XdrError> {
        let ledger = LedgerSeq::new(Cursor::new(record.bytes).u32()?);
        let Some((results, [0, 0, 0, 0])) = record.bytes.get(4..).and_then(|rest| rest.split_last_chunk::<4>()) else {
            return Err(XdrError::Invalid("TransactionHistoryResultEntry.ext is not 0"));
        };
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
        self.check_results(header, results, record.offset);
        Ok(())
    }

    fn check_results(&mut self, header: &Header, results: &[u8], at: u64) {
        let hash = sha256(&[results]);
        let matches = hash == header.result_hash;
        if matches && !self.rules.deep {
            return;
        }
        let mut cursor = Cursor::new(results);
        match transaction_hashes(&mut cursor, self.rules.budget.xdr_depth) {
            Ok(hashes) if matches => self.check_transactions(header, &hashes, at),
            Ok(_) => self.mismatch(header, hash, at),
            Err(error) if matches && header.version > self.rules.last_known_protocol => self.notes.push(Note {
                code: "newer-xdr".into(),
                path: Some(self.path.clone()),
                checkpoint: Some(self.checkpoint.last_ledger()),
                message: format!("the results of ledger {} have the right hash but are newer than this verifier: {error}", header.sequence),
            }),
            Err(error) => {
                let finding = self.finding(FindingCode::XdrDecode, &format!("the results do not decode: {error}"));
                self.findings.push(finding.at_ledger(header.sequence).at_offset(offset(at, 4 + cursor.at())));
                if !matches {
                    self.mismatch(header, hash, at);
                }
            }
        }
    }

    /// Results are in apply order, sets in hash order: they match by hash, never by index.
    fn check_transactions(&mut self, header: &Header, hashes: &[Hash256], at: u64) {
        let known = self.headers.index(header.sequence).and_then(|index| self.transactions.get(index)).and_then(Option::as_ref);
        let Some(transactions) = known else { return };
        let finding = |message: &str| self.finding(FindingCode::ResultTxMismatch, message).at_ledger(header.sequence).at_offset(at);
        let stranger = hashes.iter().find(|hash| !transactions.contains(hash));
        let found = if hashes.len() != transactions.len() {
            finding("the ledger has another number of results than of transactions").comparing(transactions.len(), hashes.len())
        } else if let Some(hash) = stranger {
            finding("a result belongs to no transaction of the ledger's set").comparing("a transaction of the set", hash)
        } else if hashes.iter().collect::<std::collections::BTreeSet<_>>().len() != hashes.len() {
            finding("a transaction has two results")
        } else {
            return;
        };
        self.findings.push(found);
    }

    fn mismatch(&mut self, header: &Header, hash: Hash256, at: u64) {
        let finding = self.finding(FindingCode::ResultHashMismatch, "the results do not hash to what the header commits to");
        self.findings.push(finding.at_ledger(header.sequence).at_offset(at).comparing(header.result_hash, hash));
    }

    fn finding(&self, code: FindingCode, message: &str) -> Finding {
        Finding::new(code, self.path.clone(), message).at_checkpoint(self.checkpoint)
    }
}

const ORDER: OrderCodes = OrderCodes {
    duplicate: FindingCode::ResultDuplicate,
    out_of_range: FindingCode::ResultOutOfRange,
    sequence: FindingCode::ResultSequence,
};

impl RecordSink for ResultsCheck<'_> {
    fn is_faulty(&self) -> bool {
        self.findings.has_errors()
    }

    fn record(&mut self, record: Record<'_>) {
        if let Err(error) = self.entry(record) {
            let finding = self.finding(FindingCode::XdrDecode, &format!("the record is no TransactionHistoryResultEntry: {error}"));
            self.findings.push(finding.at_offset(record.offset));
        }
    }
}

/// `TransactionResultSet`, which must be all that is left.
fn transaction_hashes(cursor: &mut Cursor<'_>, depth: u32) -> Result<Vec<Hash256>, XdrError> {
    // The count is a claim: the list grows with what is really there.
    let mut hashes = Vec::new();
    for _ in 0..cursor.u32()? {
        let start = cursor.at();
        cursor.walk(&types::TRANSACTION_RESULT_PAIR, depth)?;
        // A pair begins with the transaction's hash.
        hashes.push(Cursor::new(cursor.since(start)).hash()?);
    }
    cursor.end()?;
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_no_results_is_that_of_an_empty_list() {
        assert_eq!(EMPTY_RESULTS_HASH, sha256(&[&[0; 4]]));
    }
}
