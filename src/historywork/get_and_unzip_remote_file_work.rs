//! `GetAndUnzipRemoteFileWork`: a file is read, unzipped and checked in one go, and all of that is tried again together,
//! from another archive each time (rules A.1, A.2).
//!
//! What it is: the item under every download, around a [`FileWork`] that says which file and how it is checked. Nothing of
//! a file is held unless asked. What it is not: the choice of the archive (`transport::pool`) or of the moment.

use core::cell::RefCell;

use super::answers::{ANSWERS, Answer, settle};
use super::archives::{Accounts, Archives};
use super::stage::HistoryWorkStage;
use super::{CopyTo, FileForm, HistoryWork, ReadEnd, Reading, RemoteFile, Step, Turn};
use crate::archive::error::{ReadError, ReadErrorKind, RunError, WriteError};
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::RecordSink;
use crate::codec::gzip_encoder::gzip;
use crate::codec::hash::Hash256;
use crate::codec::record::Record;
use crate::verify::checkpoint::{Delivery, Status, Unchecked};
use crate::verify::finding::FindingCode;
use crate::work::Ran;
use crate::work::retry::RetryPolicy;

/// A file that is to be read and checked.
pub trait FileWork {
    /// What its check makes of it.
    type Report: Answer;
    /// Its check.
    type Check<'a>: RecordSink
    where
        Self: 'a;

    /// For progress.
    const STAGE: HistoryWorkStage;

    /// Where it is.
    fn path(&self) -> ArchivePath;

    /// What it is.
    fn form(&self) -> FileForm;

    /// The only archive to ask, if there is one.
    fn only(&self) -> Option<ArchiveId> {
        None
    }

    /// Archives that are known not to have it, or in doubt: asked only when there is no other.
    fn avoid(&self) -> Vec<ArchiveId> {
        Vec::new()
    }

    /// How long a host that asked for a rest is waited for; none: as long as it takes.
    fn patience_ms(&self) -> Option<u64> {
        None
    }

    /// Where it is written as well, if the destination lacks it.
    fn copy_to(&self) -> Option<CopyTo> {
        None
    }

    /// What of it is to be held.
    fn keep(&self) -> Keep {
        Keep::Nothing
    }

    /// Takes what other items left for it. `false`: it is not there, and there is nothing to be done.
    fn begin(&mut self) -> bool {
        true
    }

    /// A fresh check.
    fn check(&self) -> Self::Check<'_>;

    /// What the check makes of the file as it was delivered.
    fn report(&self, check: Self::Check<'_>, delivery: Delivery) -> Self::Report;

    /// Takes the answer that counts.
    fn settled(&mut self, settled: Settled<Self::Report>);
}

/// What is held of a file while it streams by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// Its inflated bytes.
    Content,
    /// Its records, without their marks.
    Records,
    /// Its bytes as archives store them.
    Stored,
}

/// What was held of a file.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The inflated bytes, or those that archives store.
    pub content: Vec<u8>,
    /// The records.
    pub records: Vec<Vec<u8>>,
}

/// How a file ended.
#[derive(Debug)]
pub struct Settled<R> {
    /// The report that counts, with the other archives' faults as evidence in it.
    pub report: R,
    /// Whose answer it is; none if no archive answered.
    pub archive: Option<ArchiveId>,
    /// What was held of it.
    pub kept: Kept,
    /// What was asked of each archive.
    pub accounts: Accounts,
    /// Why no archive answered.
    pub error: Option<RunError>,
    /// What the destination has of it, where there is one that was asked.
    pub destination: Option<AtDestination>,
    /// What came of writing it.
    pub copied: Copied,
}

/// What a destination has of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum AtDestination {
    /// The file, sound.
    Sound,
    /// Nothing.
    Missing,
    /// Something else, and what is wrong with it.
    Faulty(String),
}

/// What came of writing a file.
pub type Copied = Option<Result<u64, WriteError>>;

/// What becomes of an item whose file is faulty or could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnFault {
    /// It fails, and what depends on it does not start: downloads hold nothing that is wrong.
    Fail,
    /// It succeeds: it has a report, and the others are to have one too.
    Report,
}

/// How often a file is asked for again because a host wanted a rest, which uses up no retry.
const THROTTLED: u32 = 16;

/// The item.
#[derive(Debug)]
pub struct GetAndUnzipRemoteFileWork<F: FileWork> {
    file: F,
    archives: Archives,
    retry: RetryPolicy,
    on_fault: OnFault,
    begun: bool,
    /// What each archive answered, the oldest first.
    answers: RefCell<Vec<(F::Report, Kept)>>,
    /// Whose answers they are.
    answered: Vec<ArchiveId>,
    /// Archives that did not deliver since the last backoff.
    failed: Vec<ArchiveId>,
    /// Archives that will not deliver, however often they are asked.
    refused: Vec<ArchiveId>,
    fresh: bool,
    /// Those to be preferred are out of reach: whoever was to be avoided may have it all the same.
    anybody: bool,
    copied: Copied,
    throttled: u32,
    accounts: Accounts,
    error: Option<RunError>,
}

impl<F: FileWork> GetAndUnzipRemoteFileWork<F> {
    /// An item for a file. Give the scheduler the same policy.
    #[must_use]
    pub fn new(file: F, archives: Archives, retry: RetryPolicy, on_fault: OnFault) -> Self {
        Self {
            file,
            archives,
            retry,
            on_fault,
            begun: false,
            answers: RefCell::default(),
            answered: Vec::new(),
            failed: Vec::new(),
            refused: Vec::new(),
            fresh: false,
            anybody: false,
            copied: None,
            throttled: 0,
            accounts: Accounts::default(),
            error: None,
        }
    }

    /// Archives that may be asked, those to be preferred if there are any.
    fn candidates(&self) -> Vec<ArchiveId> {
        let asked = |id: &ArchiveId| self.failed.contains(id) || self.refused.contains(id) || (!self.fresh && self.answered.contains(id));
        let left: Vec<_> = self.archives.ids().filter(|id| self.file.only().is_none_or(|only| only == *id) && !asked(id)).collect();
        let avoid = self.file.avoid();
        let preferred: Vec<_> = left.iter().copied().filter(|id| !avoid.contains(id)).collect();
        let candidates = if preferred.is_empty() || self.anybody { left } else { preferred };
        // What is there need not be fetched. Asked again past all caches, it is not what is wanted.
        match self.archives.destination().filter(|id| candidates.contains(id)) {
            Some(destination) if !self.fresh => vec![destination],
            Some(destination) if candidates.len() > 1 => candidates.into_iter().filter(|id| *id != destination).collect(),
            _ => candidates,
        }
    }

    /// How many archives are asked at most.
    fn answers_wanted(&self) -> usize {
        ANSWERS + usize::from(self.archives.destination().is_some())
    }

    /// Whether there is one that neither answered nor failed.
    fn another_is_left(&self) -> bool {
        let may = |id: &ArchiveId| self.file.only().is_none_or(|only| only == *id);
        let left = |id: &ArchiveId| !self.answered.contains(id) && !self.failed.contains(id) && !self.refused.contains(id);
        self.answered.len() < self.answers_wanted() && self.archives.ids().any(|id| may(&id) && left(&id))
    }

    fn answered(&mut self, archive: ArchiveId) -> Ran {
        self.answered.push(archive);
        self.failed.clear();
        let answers = self.answers.borrow();
        let elsewhere = answers.last().is_some_and(|(report, _)| report.may_be_better_elsewhere());
        let heals = elsewhere && answers.iter().any(|(report, _)| report.may_heal());
        drop(answers);
        if elsewhere && !self.fresh && self.another_is_left() {
            return Ran::Running;
        }
        if heals && !self.fresh {
            self.fresh = true;
            return Ran::Running;
        }
        self.settle(Unchecked::Unreadable)
    }

    fn failed(&mut self, archive: ArchiveId, error: &ReadError, retry: u32) -> Ran {
        if error.is_throttling() && self.throttled < THROTTLED {
            // No fault of the file: whoever chooses the archive lets its host rest.
            self.throttled += 1;
            self.error = Some(RunError::new(error, self.archives.name(archive), &self.file.path()));
            self.accounts.of(archive).throttled += 1;
            return Ran::Running;
        }
        self.accounts.of(archive).failures += 1;
        self.error = Some(RunError::new(error, self.archives.name(archive), &self.file.path()));
        if error.is_retryable() { &mut self.failed } else { &mut self.refused }.push(archive);
        if self.another_is_left() {
            return Ran::Running;
        }
        if !self.failed.is_empty() && retry < self.retry.max_retries {
            self.failed.clear();
            return Ran::Failure { retry: true, at_least_ms: error.retry_after_ms.unwrap_or(0).min(self.retry.max_delay_ms) };
        }
        self.nobody_left(retry)
    }

    /// Those that are left cannot be reached: whoever failed before is tried again, whoever may heal is asked afresh.
    fn nobody_left(&mut self, retry: u32) -> Ran {
        if !self.failed.is_empty() && retry < self.retry.max_retries {
            self.failed.clear();
            return Ran::Failure { retry: true, at_least_ms: 0 };
        }
        if !self.file.avoid().is_empty() && !core::mem::replace(&mut self.anybody, true) {
            return Ran::Running;
        }
        let heals = self.answers.borrow().iter().any(|(report, _)| report.may_heal());
        if heals && !core::mem::replace(&mut self.fresh, true) {
            return Ran::Running;
        }
        self.settle(Unchecked::Unreadable)
    }

    fn out_of_reach(&self) -> RunError {
        let names = self.archives.ids().filter(|id| self.file.only().is_none_or(|only| only == *id));
        let names: Vec<_> = names.map(|id| self.archives.name(id)).collect();
        let error = ReadError::new(ReadErrorKind::Network, "no archive that may have the file can be reached any more");
        RunError::new(&error, &names.join(", "), &self.file.path())
    }

    /// Hands over the answer that counts; without any, that there is none, and why.
    fn settle(&mut self, why: Unchecked) -> Ran {
        let (mut reports, mut kept) = (Vec::new(), Vec::new());
        let lags = self.file.avoid();
        for (archive, (report, held)) in self.answered.drain(..).zip(self.answers.take()) {
            // Who never announced the file is not to blame for not having it.
            let excused = lags.contains(&archive) && lacks(&report);
            reports.push((archive, excused, report));
            kept.push((archive, held));
        }
        let destination = self.archives.destination().and_then(|destination| set_destination_apart(&mut reports, destination));
        if let (Some(AtDestination::Missing | AtDestination::Faulty(_)), Some(own)) = (&destination, self.archives.destination())
            && self.archives.count() > 1
            && reports.iter().all(|(archive, ..)| *archive == own)
        {
            // No source was heard: that the destination lacks the file says nothing of theirs.
            reports.clear();
        }
        let only_excuses = reports.iter().all(|(_, excused, _)| *excused);
        let reports = reports.into_iter().filter(|(_, excused, _)| !excused || only_excuses);
        let reports = reports.map(|(archive, _, report)| (archive, report)).collect();
        let mut accounts = core::mem::take(&mut self.accounts);
        let settled = match settle(reports, &self.archives, &mut accounts) {
            Some((archive, report)) => {
                let kept = kept.into_iter().rfind(|(from, _)| *from == archive).map(|(_, kept)| kept).unwrap_or_default();
                Settled { report, archive: Some(archive), kept, accounts, error: None, destination, copied: self.copied.take() }
            }
            None => {
                let report = self.file.report(self.file.check(), Delivery::NotRead(why));
                let error = self.error.take().or_else(|| (why == Unchecked::Unreadable).then(|| self.out_of_reach()));
                Settled { report, archive: None, kept: Kept::default(), accounts, error, destination, copied: None }
            }
        };
        let status = settled.report.status();
        self.file.settled(settled);
        match (self.on_fault, status) {
            (OnFault::Fail, Status::Faulty | Status::Unchecked(Unchecked::Unreadable | Unchecked::Cancelled)) => {
                Ran::Failure { retry: false, at_least_ms: 0 }
            }
            _ => Ran::Success,
        }
    }
}

/// What the destination answered. A file that it lacks is what the run is for, so it is no evidence; one that is faulty is none
/// either where an archive has it sound.
fn set_destination_apart<R: Answer>(reports: &mut Vec<(ArchiveId, bool, R)>, destination: ArchiveId) -> Option<AtDestination> {
    let last = reports.iter().rposition(|(archive, ..)| *archive == destination)?;
    let (_, _, answer) = reports.get(last)?;
    let absent = matches!(answer.status(), Status::Unchecked(Unchecked::OptionalAbsent));
    let fault = answer.findings().iter().find(|finding| finding.is_error()).map(|finding| finding.message.clone());
    let at = match answer.status() {
        Status::Faulty if lacks(answer) => AtDestination::Missing,
        Status::Faulty => AtDestination::Faulty(fault.unwrap_or_default()),
        _ if absent => AtDestination::Missing,
        _ => AtDestination::Sound,
    };
    let others = || reports.iter().filter(|(archive, ..)| *archive != destination);
    let sound_elsewhere = others().any(|(_, _, report)| report.status() == Status::Verified);
    let answered_elsewhere = others().next().is_some();
    let apart = match &at {
        AtDestination::Sound => false,
        AtDestination::Missing => answered_elsewhere,
        AtDestination::Faulty(_) => sound_elsewhere,
    };
    if apart {
        reports.retain(|(archive, ..)| *archive != destination);
    }
    Some(at)
}

fn lacks<R: Answer>(report: &R) -> bool {
    report.findings().iter().any(|finding| matches!(finding.code, FindingCode::FileMissing | FindingCode::BucketMissing))
}

impl<F: FileWork> HistoryWork for GetAndUnzipRemoteFileWork<F> {
    fn run(&mut self, _turn: &mut Turn<'_>) -> Step {
        if !self.begun && !self.file.begin() {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        }
        self.begun = true;
        let candidates = self.candidates();
        let avoid = self.archives.everybody().filter(|id| !candidates.contains(id)).collect();
        Step::Get(RemoteFile {
            path: self.file.path(),
            form: self.file.form(),
            avoid,
            fresh: self.fresh,
            patience_ms: self.file.patience_ms(),
            // What is read from the destination is there already.
            copy_to: self.file.copy_to().filter(|_| self.archives.destination().is_none_or(|id| !candidates.contains(&id))),
        })
    }

    fn reading(&self) -> Option<Box<dyn Reading + '_>> {
        Some(Box::new(OneReading { work: self, check: self.file.check(), keep: self.file.keep(), kept: Kept::default() }))
    }

    fn read(&mut self, end: ReadEnd, retry: u32) -> Ran {
        match end {
            ReadEnd::Answered { archive, compressed, inflated, copied } => {
                let account = self.accounts.of(archive);
                account.requests += 1;
                account.compressed += compressed;
                account.inflated += inflated;
                if let Some(Err(error)) = &copied
                    && error.is_retryable()
                    && retry < self.retry.max_retries
                {
                    // As if it had not been read: reading and writing are tried again together.
                    self.answers.borrow_mut().pop();
                    return Ran::Failure { retry: true, at_least_ms: error.retry_after_ms.unwrap_or(0).min(self.retry.max_delay_ms) };
                }
                self.copied = copied.or(self.copied.take());
                self.answered(archive)
            }
            ReadEnd::Failed { archive, error } => {
                self.accounts.of(archive).requests += 1;
                if error.kind == ReadErrorKind::Aborted { self.settle(Unchecked::Cancelled) } else { self.failed(archive, &error, retry) }
            }
            ReadEnd::Nobody => self.nobody_left(retry),
            ReadEnd::Cancelled => self.settle(Unchecked::Cancelled),
        }
    }
}

struct OneReading<'a, F: FileWork + 'a> {
    work: &'a GetAndUnzipRemoteFileWork<F>,
    check: F::Check<'a>,
    keep: Keep,
    kept: Kept,
}

impl<F: FileWork> RecordSink for OneReading<'_, F> {
    fn stored(&mut self, part: &[u8]) {
        if self.keep == Keep::Stored {
            // Hostile files may be large: what is wrong is not held a byte longer.
            if self.check.is_faulty() {
                self.kept.content = Vec::new();
            } else {
                self.kept.content.extend_from_slice(part);
            }
        }
    }

    fn bytes(&mut self, chunk: &[u8]) {
        if self.keep == Keep::Content {
            self.kept.content.extend_from_slice(chunk);
        }
        self.check.bytes(chunk);
    }

    fn record(&mut self, record: Record<'_>) {
        if self.keep == Keep::Records {
            self.kept.records.push(record.bytes.to_vec());
        }
        self.check.record(record);
    }

    fn undigested(&self) -> Option<&[u8]> {
        self.check.undigested()
    }

    fn digested(&mut self, hash: Hash256) {
        self.check.digested(hash);
    }

    fn wants_bytes_after_framing_error(&self) -> bool {
        self.check.wants_bytes_after_framing_error()
    }
}

impl<F: FileWork> Reading for OneReading<'_, F> {
    fn finish(self: Box<Self>, delivery: Delivery) -> bool {
        let mut this = *self;
        let came_inflated = matches!(&delivery, Delivery::Read(Ok(summary)) if summary.already_inflated);
        let report = this.work.file.report(this.check, delivery);
        let sound = report.status() == Status::Verified;
        if this.keep == Keep::Stored {
            this.kept.content = match (sound, came_inflated) {
                (true, true) => gzip(&this.kept.content),
                (true, false) => this.kept.content,
                (false, _) => Vec::new(),
            };
        }
        this.work.answers.borrow_mut().push((report, this.kept));
        sound
    }
}
