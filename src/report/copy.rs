//! What a mirror or a repair leaves behind: what was written, what the destination lacks still, and the verification of the
//! history on the way.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::RepairPlan;
use super::{LedgerRange, Report, Verdict, Versions};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::error::RunError;
use crate::archive::path::FileKind;
use crate::historywork::copying::{CopiedFile, Copies, CopyOutcome};

/// What was to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyKind {
    /// The destination is to have what the sources have.
    Mirror,
    /// The destination is to have what it lacks of its own.
    Repair,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyVerdict {
    /// The destination has all of the range, verified (in a dry run: would have).
    Complete,
    /// There is a file that no source has sound.
    Faulty,
    /// Something could not be read or written.
    Incomplete,
}

/// The report of a mirror or a repair, schema 1.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyReport {
    /// 1.
    pub schema: u32,
    /// What was to be done.
    pub task: CopyKind,
    /// What made it.
    pub verifier: Versions,
    /// Where from.
    pub sources: Vec<String>,
    /// Where to.
    pub destination: String,
    /// The network's passphrase, where it is known.
    pub network: Option<String>,
    /// The ledgers that were looked at.
    pub range: Option<LedgerRange>,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// How it ended.
    pub verdict: CopyVerdict,
    /// The same in words.
    pub statement: String,
    /// What was written, or would be.
    pub written: WrittenFiles,
    /// Files that were there and sound, by kind.
    pub kept: BTreeMap<&'static str, u64>,
    /// The newest state.
    pub well_known: WellKnown,
    /// Files of the destination that were not as they should be, and what became of them.
    pub files: Vec<CopiedFile>,
    /// How many more of them there were.
    pub files_dropped: u64,
    /// What the destination lacks still; in a dry run, what is to be mended.
    pub plan: RepairPlan,
    /// Why files could not be written.
    pub errors: Vec<RunError>,
    /// The history as the sources and the destination have it together.
    pub verification: Report,
    /// ISO 8601, UTC.
    pub started_at: String,
    /// Wall time.
    pub elapsed_ms: u64,
}

/// Files that were written.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenFiles {
    /// All of them.
    pub files: u64,
    /// Their bytes, decimal.
    pub bytes: String,
    /// By kind, without the newest state; `bucket` counts distinct buckets.
    pub by_kind: BTreeMap<&'static str, u64>,
}

/// What became of the newest state.
#[derive(Clone, Debug, Serialize)]
pub struct WellKnown {
    /// What became of it.
    pub status: WellKnownStatus,
    /// The ledger that it names now, or would.
    pub ledger: Option<LedgerSeq>,
    /// Why it was not written, or kept.
    pub reason: Option<String>,
}

/// What became of the newest state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WellKnownStatus {
    /// It was written.
    Written,
    /// It is as it was.
    Kept,
    /// It would be written.
    Planned,
    /// It should have been written.
    NotWritten,
}

/// Where a report comes from.
#[derive(Debug)]
pub struct CopyOutcomes<'a> {
    /// What was to be done.
    pub task: CopyKind,
    /// Where to.
    pub destination: &'a str,
    /// Where from.
    pub sources: Vec<String>,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// What was copied.
    pub copies: &'a Copies,
    /// What became of the newest state.
    pub well_known: WellKnown,
    /// The checkpoint that the newest state is to be made of, where it is not as it should be.
    pub plan: RepairPlan,
    /// The verification.
    pub verification: Report,
    /// Whether it was stopped.
    pub cancelled: bool,
    /// Wall time.
    pub elapsed_ms: u64,
}

/// Makes the report.
#[must_use]
pub fn compose_copy(outcomes: CopyOutcomes<'_>) -> CopyReport {
    let CopyOutcomes { task, destination, sources, dry_run, copies, well_known, plan, verification, cancelled, elapsed_ms } = outcomes;
    let by_kind = |counts: &BTreeMap<Option<FileKind>, u64>| -> BTreeMap<&'static str, u64> {
        let kinds = FileKind::ALL.into_iter().map(Some).chain([None]);
        kinds.map(|kind| (kind.map_or("bucket", FileKind::name), counts.get(&kind).copied().unwrap_or(0))).collect()
    };
    let written = WrittenFiles { files: copies.written_files(), bytes: copies.bytes.to_string(), by_kind: by_kind(&copies.written) };
    let unsound = copies.files.iter().any(|file| file.outcome == CopyOutcome::NoSoundSource) || verification.verdict == Verdict::Faulty;
    let lacks = !dry_run && (!plan.is_empty() || copies.left.dropped > 0);
    let failed = copies.files.iter().any(|file| file.outcome == CopyOutcome::Failed) || !copies.errors.is_empty();
    let incomplete =
        cancelled || lacks || failed || well_known.status == WellKnownStatus::NotWritten || verification.verdict == Verdict::Incomplete;
    let verdict = match (unsound, incomplete) {
        (true, _) => CopyVerdict::Faulty,
        (false, true) => CopyVerdict::Incomplete,
        (false, false) => CopyVerdict::Complete,
    };
    let mut report = CopyReport {
        schema: 1,
        task,
        verifier: Versions::CURRENT,
        sources,
        destination: destination.to_owned(),
        network: verification.network.passphrase.clone(),
        range: verification.range,
        dry_run,
        verdict,
        statement: String::new(),
        written,
        kept: by_kind(&copies.kept),
        well_known,
        files: copies.files.clone(),
        files_dropped: copies.files_dropped,
        plan,
        errors: copies.errors.clone(),
        started_at: verification.started_at.clone(),
        verification,
        elapsed_ms,
    };
    report.statement = statement(&report, cancelled, copies);
    report
}

/// Whether the sources end below what was asked for.
fn ends_below(report: &CopyReport) -> bool {
    report.verification.notes.iter().any(|note| note.code == "range-clamped")
}

fn statement(report: &CopyReport, cancelled: bool, copies: &Copies) -> String {
    let Some(LedgerRange { low, high }) = report.range else {
        let why = report.verification.notes.first().map_or("it could not be found out what there is to copy", |note| note.message.as_str());
        return format!("Nothing was written: {why}.");
    };
    let files = |count: u64| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let kept = report.kept.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
    let were = |count: u64| if count == 1 { "was" } else { "were" };
    let (written, there) = (files(report.written.files), files(kept));
    let (came, stood) = (were(report.written.files), were(kept));
    let done = match (report.dry_run, report.written.files) {
        (true, 0) => format!("Nothing is to be mended: {there} of ledgers {low} to {high} {stood} looked at and found sound."),
        (true, _) => format!("{written} of ledgers {low} to {high} would be written, {there} {stood} found sound; nothing was written."),
        (false, 0) if report.verdict == CopyVerdict::Complete => {
            format!("Nothing had to be written: {there} of ledgers {low} to {high} {stood} there already, and sound.")
        }
        (false, 0) => format!("Nothing was written; {there} of ledgers {low} to {high} {stood} there already, and sound."),
        (false, _) => {
            format!("{written} of ledgers {low} to {high} {came} written, each verified before; {there} {stood} there already, and sound.")
        }
    };
    let verdict = match report.verdict {
        CopyVerdict::Complete if report.dry_run => String::new(),
        CopyVerdict::Complete => " The destination has all of them.".to_owned(),
        CopyVerdict::Faulty => " There are faults that no source could mend.".to_owned(),
        CopyVerdict::Incomplete if report.plan.is_empty() && report.errors.is_empty() && !cancelled && ends_below(report) => {
            " The archives do not go as far as was asked for yet.".to_owned()
        }
        CopyVerdict::Incomplete => " The destination does not have all of them yet: run it again to go on.".to_owned(),
    };
    let why = match (&copies.stopped, cancelled) {
        (_, true) => " It was stopped before the end.".to_owned(),
        (Some(error), _) => format!(" It was given up: {error}."),
        (None, false) => String::new(),
    };
    let root = match (report.well_known.status, &report.well_known.reason) {
        (WellKnownStatus::NotWritten, Some(reason)) => format!(" Its newest state was not written: {reason}."),
        _ => String::new(),
    };
    format!("{done}{verdict}{why}{root}")
}
