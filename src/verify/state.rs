//! HistoryArchiveState files: a checkpoint's and the newest one (rules B.3).

use super::bucket_list::lists;
use super::checkpoint::{FileReport, Rules, Status, Unchecked};
use super::finding::{Finding, FindingCode};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{HistoryArchiveState, NextBucket, StateError};

/// How a JSON file reached its check.
#[derive(Clone, Copy, Debug)]
pub enum JsonDelivery<'a> {
    /// Its bytes.
    Read(&'a [u8]),
    /// The archive has no such file.
    Missing,
    /// It is larger than the budget.
    TooLarge,
    /// It was not read.
    NotRead(Unchecked),
}

/// Checks `history-xxxxxxxx.json` by itself. Its buckets against the header: [`super::bucket_list`].
#[must_use]
pub fn check_checkpoint_state(
    rules: &Rules,
    checkpoint: Checkpoint,
    delivery: JsonDelivery<'_>,
) -> FileReport<Option<HistoryArchiveState>> {
    let path = ArchivePath::of_checkpoint(FileKind::History, checkpoint);
    let (mut state, mut findings, status) = read(rules, &path, delivery);
    if let Some(parsed) = &state
        && parsed.current_ledger != checkpoint.last_ledger()
    {
        let message = "the state is of another ledger than its file name says";
        findings
            .push(Finding::new(FindingCode::HasLedgerMismatch, path, message).comparing(checkpoint.last_ledger(), parsed.current_ledger));
        // Its buckets are those of another ledger: comparing them would only repeat the finding.
        state = None;
    }
    let findings: Vec<_> = findings.into_iter().map(|finding| finding.at_checkpoint(checkpoint)).collect();
    let status = if findings.iter().any(Finding::is_error) { Status::Faulty } else { status };
    FileReport { kind: FileKind::History, checkpoint, status, findings, notes: Vec::new(), facts: state }
}

/// Checks `.well-known/stellar-history.json` by itself.
#[must_use]
pub fn check_root_state(
    rules: &Rules,
    frequency: CheckpointFrequency,
    delivery: JsonDelivery<'_>,
) -> (Option<HistoryArchiveState>, Vec<Finding>) {
    let path = ArchivePath::well_known();
    let (state, mut findings, _) = read(rules, &path, delivery);
    if let (JsonDelivery::Missing, Some(missing)) = (delivery, findings.first_mut()) {
        missing.advice = "check that the address is the root of an archive; if it is, publish the file again: without it nobody knows how far the archive goes".into();
    }
    if let Some(parsed) = &state
        && frequency.ending_at(parsed.current_ledger).is_none()
        && parsed.current_ledger != LedgerSeq::new(0)
    {
        let mut message = "the newest state is not at a checkpoint".to_owned();
        if CheckpointFrequency::Accelerated.ending_at(parsed.current_ledger).is_some() {
            message.push_str("; a local network may have one every 8 ledgers, which must be asked for");
        }
        let expected = format!("a ledger before a multiple of {}", frequency.ledgers());
        findings.push(Finding::new(FindingCode::HasLedgerMismatch, path, message).comparing(expected, parsed.current_ledger));
    }
    (state, findings)
}

/// Compares the newest state with the one of its checkpoint, in terms of buckets: servers, formatting and pending merges
/// may differ between honest files (rules E 26).
#[must_use]
pub fn check_root_against_checkpoint(root: &HistoryArchiveState, state: &HistoryArchiveState) -> Option<Finding> {
    let hashes = |state: &HistoryArchiveState| {
        let hot = state.hot_archive_buckets.as_ref().map(|list| format!(" and hot archive {}", list.hash()));
        format!("{}{}", state.current_buckets.hash(), hot.unwrap_or_default())
    };
    let (expected, actual) = (hashes(state), hashes(root));
    (root.current_ledger == state.current_ledger && expected != actual).then(|| {
        let message = "the newest state names other buckets than the history file of its checkpoint";
        Finding::new(FindingCode::RootMismatch, ArchivePath::well_known(), message)
            .at_ledger(root.current_ledger)
            .comparing(expected, actual)
    })
}

fn read(rules: &Rules, path: &ArchivePath, delivery: JsonDelivery<'_>) -> (Option<HistoryArchiveState>, Vec<Finding>, Status) {
    let finding = |code, message: String| (None, vec![Finding::new(code, path.clone(), message)], Status::Faulty);
    let json = match delivery {
        JsonDelivery::Missing => return finding(FindingCode::FileMissing, "the file is not in the archive".into()),
        JsonDelivery::NotRead(why) => return (None, Vec::new(), Status::Unchecked(why)),
        JsonDelivery::TooLarge => {
            return finding(
                FindingCode::LimitExceeded,
                format!("the file is larger than the budget of {} bytes", rules.budget.has_json_bytes),
            );
        }
        JsonDelivery::Read(json) => json,
    };
    let state = match HistoryArchiveState::parse(json, &rules.budget) {
        Ok(state) => state,
        Err(error) => {
            let code = match error {
                StateError::Json { .. } => FindingCode::HasJson,
                StateError::Schema { .. } => FindingCode::HasSchema,
                StateError::TooLarge { .. } => FindingCode::LimitExceeded,
                StateError::Version(_) => FindingCode::HasVersion,
            };
            let subject = if code == FindingCode::HasVersion { "" } else { "the file is no HistoryArchiveState: " };
            return finding(code, format!("{subject}{error}"));
        }
    };
    let mut findings = Vec::new();
    if let (Some(network), Some(passphrase)) = (&rules.network, &state.network_passphrase)
        && network.passphrase() != passphrase
    {
        let message = "the state is of another network";
        findings.push(Finding::new(FindingCode::HasPassphraseMismatch, path.clone(), message).comparing(network, passphrase));
    }
    for (kind, list) in lists(&state) {
        for (index, level) in list.levels().iter().enumerate() {
            if let NextBucket::Invalid(problem) = &level.next {
                let message = format!("{}[{index}].next {problem}", kind.field());
                findings.push(Finding::new(FindingCode::HasNextInvalid, path.clone(), message));
            }
        }
    }
    (Some(state), findings, Status::Verified)
}
