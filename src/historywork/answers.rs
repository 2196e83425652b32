//! What several archives answered for one file, and which of the answers counts.
//!
//! A file is sound if one archive has it sound; the others are then to blame, each with its own finding. If none has,
//! every answer is evidence. Rules: A.1 ("a failure names the archive that served the file").

use super::archives::{Accounts, Archives};
use crate::archive::id::ArchiveId;
use crate::verify::bucket::BucketReport;
use crate::verify::checkpoint::{FileReport, Status, Unchecked};
use crate::verify::finding::{Finding, FindingCode, Note};

/// Archives that are asked for one file at most: enough to tell a liar from a network that is so.
pub const ANSWERS: usize = 3;

/// A report on one file.
pub trait Answer {
    /// The outcome.
    fn status(&self) -> Status;

    /// What is wrong with it.
    fn findings(&self) -> &[Finding];

    /// What is wrong with it, to be changed.
    fn findings_mut(&mut self) -> &mut Vec<Finding>;

    /// What is worth saying of it, to be added to.
    fn notes_mut(&mut self) -> Option<&mut Vec<Note>> {
        None
    }

    /// Whether another archive may have the file sound, or have it at all.
    fn may_be_better_elsewhere(&self) -> bool {
        match self.status() {
            Status::Faulty => true,
            Status::Unchecked(why) => why == Unchecked::OptionalAbsent,
            Status::Verified => false,
        }
    }

    /// Whether the same archive may answer better in a moment: caches keep files that are missing, cut off, or a page that
    /// says so (rules E 17, E 18).
    fn may_heal(&self) -> bool {
        use FindingCode as F;
        let passing = |finding: &Finding| matches!(finding.code, F::FileMissing | F::BucketMissing | F::GzipCorrupt | F::HasJson);
        self.status() == Status::Faulty && self.findings().iter().any(|finding| finding.is_error() && passing(finding))
    }
}

impl<T> Answer for FileReport<T> {
    fn status(&self) -> Status {
        self.status
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn findings_mut(&mut self) -> &mut Vec<Finding> {
        &mut self.findings
    }

    fn notes_mut(&mut self) -> Option<&mut Vec<Note>> {
        Some(&mut self.notes)
    }
}

impl Answer for BucketReport {
    fn status(&self) -> Status {
        self.status
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn findings_mut(&mut self) -> &mut Vec<Finding> {
        &mut self.findings
    }

    fn notes_mut(&mut self) -> Option<&mut Vec<Note>> {
        Some(&mut self.notes)
    }

    /// A bucket that hashes to its name is the same everywhere.
    fn may_be_better_elsewhere(&self) -> bool {
        use FindingCode as F;
        let own = |finding: &Finding| matches!(finding.code, F::BucketMissing | F::BucketHashMismatch | F::GzipCorrupt | F::LimitExceeded);
        self.status == Status::Faulty && self.findings.iter().any(own)
    }
}

/// Makes one report of the answers, the oldest first, and blames in `accounts`. Gives the archive whose answer it is.
pub fn settle<R: Answer>(answers: Vec<(ArchiveId, R)>, archives: &Archives, accounts: &mut Accounts) -> Option<(ArchiveId, R)> {
    let rank = |report: &R| match report.status() {
        Status::Verified => 0,
        Status::Unchecked(Unchecked::NoHeaders) => 1,
        Status::Faulty => 2,
        Status::Unchecked(_) => 3,
    };
    let best = answers.iter().enumerate().min_by_key(|(_, (_, report))| rank(report)).map(|(index, _)| index)?;
    let sound = answers.get(best).is_some_and(|(_, report)| rank(report) < 2);
    let best_archive = answers.get(best).map(|(archive, _)| *archive);
    let mut evidence = Vec::new();
    let mut settled = None;
    let mut blamed = Vec::new();
    for (index, (archive, mut report)) in answers.into_iter().enumerate() {
        let missing = |finding: &Finding| matches!(finding.code, FindingCode::FileMissing | FindingCode::BucketMissing);
        let healed = sound && Some(archive) == best_archive;
        if report.status() == Status::Faulty && !healed && !blamed.contains(&archive) {
            blamed.push(archive);
            let account = accounts.of(archive);
            if report.findings().iter().any(missing) {
                account.missing += 1;
            } else {
                account.faulty += 1;
            }
        }
        for finding in report.findings_mut() {
            archives.name(archive).clone_into(&mut finding.archive);
        }
        if index == best {
            settled = Some((archive, report));
        } else {
            evidence.push((archive, core::mem::take(report.findings_mut())));
        }
    }
    let (archive, mut report) = settled?;
    for (other, findings) in evidence {
        if other == archive && sound {
            // The same archive, asked again: its last word counts.
            if let (Some(notes), Some(finding)) = (report.notes_mut(), findings.into_iter().find(Finding::is_error)) {
                notes.push(healed(finding));
            }
            continue;
        }
        let known = |finding: &Finding, list: &[Finding]| list.contains(finding);
        for finding in findings.into_iter().filter(|finding| finding.is_error() || sound) {
            let finding = if sound { finding.with_sound_copy(archives.name(archive)) } else { finding };
            if !known(&finding, report.findings()) {
                report.findings_mut().push(finding);
            }
        }
    }
    Some((archive, report))
}

fn healed(finding: Finding) -> Note {
    let Finding { archive, message, path, checkpoint, .. } = finding;
    let message = format!("{archive} served the file wrong at first ({message}), and sound when it was asked again past the caches");
    Note { code: "healed".into(), path: Some(path), checkpoint, message }
}
