//! A verdict in words: what it proves and what it does not. The one place that says it, for report, page and README.

use super::{Anchor, Report, Verdict};
use crate::verify::finding::FindingCode;

/// One to three sentences about a report with that many errors, kept or not.
#[must_use]
pub fn statement(report: &Report, errors: u64, cancelled: bool) -> String {
    let Some(range) = report.range else {
        return match report.verdict {
            Verdict::Faulty if report.findings.iter().any(|finding| finding.code == FindingCode::FileMissing) => {
                "There is no newest state at this address, so it is not known what there is to verify: the address may be wrong.".into()
            }
            Verdict::Faulty => "The newest state of the archive is faulty, so it is not known what there is to verify.".into(),
            _ if cancelled => "The run was cancelled before it was known what there is to verify.".into(),
            _ if report.notes.iter().any(|note| note.code == "archive-empty") => {
                "The archive is initialised but empty: there is nothing to verify yet.".into()
            }
            _ if report.errors.is_empty() => "There is nothing to verify in the range that was asked for.".into(),
            _ => "The archive could not be read, so nothing was verified.".into(),
        };
    };
    let span = match &report.options.sample {
        Some(sample) => format!("{} of the {} checkpoints of ledgers {} to {}", sample.count, sample.of, range.low, range.high),
        None => format!("ledgers {} to {}", range.low, range.high),
    };
    let blame = blame(report);
    match report.verdict {
        Verdict::Faulty => {
            let findings = if errors == 1 { "1 fault".to_owned() } else { format!("{errors} faults") };
            let rest = if cancelled { " The run was cancelled before the rest was looked at." } else { "" };
            let who = if report.archives.len() > 1 { "No archive has all of it sound" } else { "The archive is faulty" };
            format!("{who}: {findings} in {span}.{rest}{blame}")
        }
        Verdict::Incomplete => {
            let why = match () {
                () if cancelled => "the run was cancelled",
                () if report.errors.is_empty() && report.notes.iter().any(|note| note.code == "range-clamped") => {
                    "the archive ends below the ledgers that were asked for"
                }
                () => "some files could not be read",
            };
            format!("No fault was found in what was read of {span}, but {why}: this is no verdict on the rest.{blame}")
        }
        Verdict::Verified => {
            let skipped = match (report.options.skip_buckets, report.options.skip_optional) {
                (true, true) => " (buckets and scp files left out)",
                (true, false) => " (buckets left out)",
                (false, true) => " (scp files left out)",
                (false, false) => "",
            };
            let genesis = report.anchors.iter().any(|anchor| matches!(anchor, Anchor::Genesis { .. }));
            let start = if genesis {
                "It begins at the genesis ledger that the network's passphrase implies"
            } else {
                "It does not begin at the genesis ledger, so nothing ties its start to the network"
            };
            let end = "its end is not anchored: no validator's signature was checked, and a forger could make up a consistent archive";
            match &report.options.sample {
                Some(sample) => format!(
                    "Every file of {span}{skipped} agrees with the headers of its checkpoint. {}. Nothing ties the checkpoints to each other or to the network: no validator's signature was checked.{blame}",
                    sample.guarantee
                ),
                None => format!("Every file of {span}{skipped} agrees with the chain of ledger headers. {start}; {end}.{blame}"),
            }
        }
    }
}

/// Archives whose files were not what other archives have, and sound.
fn blame(report: &Report) -> String {
    if report.findings.iter().any(|finding| finding.code == FindingCode::ArchivesDisagree && finding.is_error()) {
        return " The archives hold different histories that are sound by themselves: nothing here can tell which one is the network's."
            .into();
    }
    let is_to_blame = |archive: &&str| report.findings.iter().any(|finding| finding.good_from.is_some() && finding.archive == *archive);
    let blamed = report.sources.iter().map(|source| source.archive.as_str()).filter(is_to_blame);
    let sentences = blamed.map(|archive| {
        let source = report.sources.iter().find(|source| source.archive == archive);
        let (faulty, missing) = source.map_or((0, 0), |source| (source.faulty, source.missing));
        let what = match (faulty, missing) {
            (0, 0) => "has a newest state that is not sound".to_owned(),
            (0, missing) => format!("lacks {}", files(missing)),
            (faulty, 0) => format!("served {}", unsound(faulty)),
            (faulty, missing) => format!("served {} and lacks {}", unsound(faulty), files(missing)),
        };
        format!(" {archive} {what}; other archives have the same sound.")
    });
    sentences.collect()
}

fn unsound(count: u64) -> String {
    if count == 1 { "1 unsound file".into() } else { format!("{count} unsound files") }
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}
