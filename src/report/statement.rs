//! A verdict in words: what it proves and what it does not. The one place that says it, for report, page and README.

use super::{Anchor, Report, Verdict};

/// One to three sentences about a report with that many errors, kept or not.
#[must_use]
pub fn statement(report: &Report, errors: u64, cancelled: bool) -> String {
    let Some(range) = report.range else {
        return match report.verdict {
            Verdict::Faulty => "The newest state of the archive is faulty, so it is not known what there is to verify.".into(),
            _ if cancelled => "The run was cancelled before it was known what there is to verify.".into(),
            _ if report.notes.iter().any(|note| note.code == "archive-empty") => {
                "The archive is initialised but empty: there is nothing to verify yet.".into()
            }
            _ if report.errors.is_empty() => "There is nothing to verify in the range that was asked for.".into(),
            _ => "The archive could not be read, so nothing was verified.".into(),
        };
    };
    let span = format!("ledgers {} to {}", range.low, range.high);
    match report.verdict {
        Verdict::Faulty => {
            let findings = if errors == 1 { "1 fault".to_owned() } else { format!("{errors} faults") };
            let rest = if cancelled { " The run was cancelled before the rest was looked at." } else { "" };
            format!("The archive is faulty: {findings} in {span}.{rest}")
        }
        Verdict::Incomplete => {
            let why = if cancelled { "the run was cancelled" } else { "some files could not be read" };
            format!("No fault was found in what was read of {span}, but {why}: this is no verdict on the rest.")
        }
        Verdict::Verified => {
            let skipped = if report.options.skip_buckets { " (buckets left out)" } else { "" };
            let genesis = report.anchors.iter().any(|anchor| matches!(anchor, Anchor::Genesis { .. }));
            let start = if genesis {
                "It begins at the genesis ledger that the network's passphrase implies"
            } else {
                "It does not begin at the genesis ledger, so nothing ties its start to the network"
            };
            let end = "its end is not anchored: no validator's signature was checked, and a forger could make up a consistent archive";
            format!("Every file of {span} agrees with the chain of ledger headers{skipped}. {start}; {end}.")
        }
    }
}
