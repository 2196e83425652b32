//! `PutSnapshotFilesWork`: a checkpoint into every place, each with what it lacks (rules A.2).
//!
//! The newest state of each place says which buckets it has; every file that is lacking anywhere is zipped once. One place
//! that fails does not stop the others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError};

use super::archives::Archives;
use super::download_ledger_headers_work::DownloadLedgerHeadersWork;
use super::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use super::get_remote_file_work::{GetRemoteFileWork, Plain, PlainFile};
use super::gzip_file_work::{GzipFileWork, Zipped};
use super::publish_history_archive_state_work::PublishHistoryArchiveStateWork;
use super::publishing::{Place, PublishTarget, ReadyFile};
use super::put_files_work::PutFilesWork;
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use super::{COORDINATE, DOWNLOAD, HistoryWork, Step, Turn};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::u64_from;
use crate::verify::bucket_list::buckets;
use crate::verify::checkpoint::{Rules, Unchecked};
use crate::verify::finding::Finding;
use crate::verify::state::{JsonDelivery, check_checkpoint_state, check_root_against_checkpoint, check_root_state};
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct PutSnapshotFilesWork {
    archives: Archives,
    checkpoint: Checkpoint,
    retry: RetryPolicy,
    state: SharedHistoryState,
    phase: Phase,
    /// The files that are read now, in the places' order; none where there is nothing to be read.
    reading: Vec<Option<PlainFile>>,
    /// The ledger files of the checkpoint before that are read now, of places that end there.
    before: Vec<Option<SharedHistoryState>>,
    /// What each place announces, in the places' order; none where it announces nothing or cannot be read.
    announced: Vec<Result<Option<HistoryArchiveState>, RunError>>,
    /// What is to be put into each place, in the places' order; none where nothing is.
    lacking: Vec<Option<Lacking>>,
    to_zip: VecDeque<Source>,
    zipped: BTreeMap<Source, Zipped>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Begin,
    /// What the places announce.
    Reading,
    /// What they have of this one already, and of the one before.
    Comparing,
    Zipping,
    Putting,
}

/// Where the content of a file comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Source {
    Bucket(BucketHash),
    Records(FileKind),
}

/// What a place lacks.
#[derive(Debug)]
struct Lacking {
    files: Vec<Source>,
    /// It announces the checkpoint, or a later one: what is there of it is left alone.
    announces_it: bool,
    /// The checkpoint becomes what it announces.
    newest: bool,
}

impl PutSnapshotFilesWork {
    /// The checkpoint that is in `state`, into the places that are there. Give its item the right to go on when children fail.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, retry: RetryPolicy, state: SharedHistoryState) -> Self {
        // Places are read by their id: none is left out, and none is a destination of reads.
        let archives = archives.without(Vec::new()).with_destination(None);
        Self {
            archives,
            checkpoint,
            retry,
            state,
            phase: Phase::Begin,
            reading: Vec::new(),
            before: Vec::new(),
            announced: Vec::new(),
            lacking: Vec::new(),
            to_zip: VecDeque::new(),
            zipped: BTreeMap::new(),
        }
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let mut state = self.state.lock();
        state.begin(HistoryWorkStage::PutSnapshotFiles);
        let readers: Vec<_> = state.publishing.places.iter().map(|place| place.target.reader).collect();
        drop(state);
        self.reading = self.read_all(&ArchivePath::well_known(), &readers, turn)?;
        self.phase = Phase::Reading;
        Ok(Ran::Running)
    }

    /// Reads a file of each of these archives.
    fn read_all(
        &self,
        path: &ArchivePath,
        archives: &[Option<ArchiveId>],
        turn: &mut Turn<'_>,
    ) -> Result<Vec<Option<PlainFile>>, AddError> {
        let mut reading = Vec::new();
        for (index, archive) in archives.iter().enumerate() {
            if archive.is_none() {
                reading.push(None);
                continue;
            }
            let into = PlainFile::default();
            let file = GetRemoteFileWork::new(path.clone(), self.archives.rules().budget.has_json_bytes, *archive, into.clone());
            let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, OnFault::Report);
            let spec = WorkSpec::new("GetHistoryArchiveStateWork", format!("{path} of {index}"), DOWNLOAD).retrying(self.retry);
            turn.scheduler.add_child(turn.id, spec, Box::new(work))?;
            reading.push(Some(into));
        }
        Ok(reading)
    }

    /// What is announced is known.
    fn take_announced(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let state = self.state.lock();
        let rules = self.archives.rules();
        let of = |(place, file): (&Place, &Option<PlainFile>)| match file {
            Some(file) => announced_by(place, file, self.checkpoint, rules),
            None => Ok(None),
        };
        let announced: Vec<_> = state.publishing.places.iter().zip(&self.reading).map(of).collect();
        let readers: Vec<_> = state.publishing.places.iter().map(|place| place.target.reader).collect();
        drop(state);
        let before = self.checkpoint.previous();
        for (reader, announced) in readers.iter().zip(&announced) {
            let ledger = announced.as_ref().ok().and_then(Option::as_ref).map(|announced| announced.current_ledger);
            let ends_before = before.filter(|before| ledger == Some(before.last_ledger()));
            let read = match (reader, ends_before) {
                (Some(reader), Some(before)) => Some(self.read_headers(before, *reader, turn)?),
                _ => None,
            };
            self.before.push(read);
        }
        self.announced = announced;
        self.reading = self.read_all(&ArchivePath::of_checkpoint(FileKind::History, self.checkpoint), &readers, turn)?;
        self.phase = Phase::Comparing;
        Ok(Ran::Running)
    }

    /// Reads the headers that an archive has of a checkpoint.
    fn read_headers(&self, checkpoint: Checkpoint, archive: ArchiveId, turn: &mut Turn<'_>) -> Result<SharedHistoryState, AddError> {
        let state = SharedHistoryState::default();
        let only = self.archives.without(self.archives.everybody().filter(|id| *id != archive).collect());
        let file = DownloadLedgerHeadersWork::new(only.clone(), checkpoint, Vec::new(), state.clone());
        let work = GetAndUnzipRemoteFileWork::new(file, only, self.retry, OnFault::Report);
        let spec = WorkSpec::new("DownloadLedgerHeadersWork", format!("{checkpoint} of {}", archive.index()), DOWNLOAD);
        turn.scheduler.add_child(turn.id, spec.retrying(self.retry), Box::new(work))?;
        Ok(state)
    }

    /// All that is there is known: what each place lacks.
    fn compare(&mut self) {
        let mut state = self.state.lock();
        let mut places = core::mem::take(&mut state.publishing.places);
        let mut to_zip = BTreeSet::new();
        let announced = core::mem::take(&mut self.announced);
        for (((place, announced), own), before) in places.iter_mut().zip(announced).zip(&self.reading).zip(&self.before) {
            let lacking = announced.and_then(|announced| {
                continues(&state, place, announced.as_ref(), before.as_ref(), self.checkpoint)?;
                let there = own.as_ref().map_or(Ok(None), |file| state_of(place, file, self.checkpoint, self.archives.rules()))?;
                lacking(&state, place, announced.as_ref(), there.as_ref(), self.checkpoint)
            });
            match lacking {
                Ok(lacking) => {
                    to_zip.extend(lacking.files.iter().copied());
                    place.wanted = Some(u64_from(lacking.files.len()) + 1 + u64::from(lacking.newest));
                    self.lacking.push(Some(lacking));
                }
                Err(error) => {
                    place.refused = Some(error);
                    self.lacking.push(None);
                }
            }
        }
        state.publishing.places = places;
        self.to_zip = to_zip.into_iter().collect();
        self.phase = Phase::Zipping;
    }

    /// One file after the other: of what is zipped only one is held twice.
    fn zip(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let Some(source) = self.to_zip.pop_front() else {
            self.phase = Phase::Putting;
            return self.put(turn);
        };
        let state = self.state.lock();
        let content = match source {
            Source::Bucket(bucket) => state.bucket_content.get(&bucket),
            Source::Records(kind) => state.publishing.content.get(&kind),
        };
        let (content, into) = (content.cloned().unwrap_or_default(), Zipped::default());
        drop(state);
        self.zipped.insert(source, into.clone());
        let spec = WorkSpec::new("GzipFileWork", self.path(source).as_str(), COORDINATE);
        turn.scheduler.add_child(turn.id, spec, Box::new(GzipFileWork::new(content, into)))?;
        Ok(Ran::Waiting)
    }

    fn put(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let state = self.state.lock();
        let json = state.publishing.resolved.as_ref().map(HistoryArchiveState::to_json).unwrap_or_default();
        let places: Vec<_> = state.publishing.places.iter().map(|place| (place.target.clone(), place.done.clone())).collect();
        drop(state);
        for (index, ((target, done), lacking)) in places.into_iter().zip(&self.lacking).enumerate() {
            let Some(lacking) = lacking else { continue };
            let files = lacking.files.iter().map(|source| self.ready(*source, lacking.announces_it)).collect();
            let work = PutFilesWork::new(target.clone(), files, done.clone(), self.state.clone());
            let spec = WorkSpec::new("PutFilesWork", format!("files of {index}"), COORDINATE);
            let files = turn.scheduler.add_child(turn.id, spec, Box::new(work))?;
            let path = ArchivePath::of_checkpoint(FileKind::History, self.checkpoint);
            let (unless_there, newest) = (lacking.announces_it, lacking.newest);
            let work = PublishHistoryArchiveStateWork::new(target, &json, path, unless_there, newest, done, self.state.clone());
            let spec = WorkSpec::new("PublishHistoryArchiveStateWork", format!("new state of {index}"), COORDINATE).after(files);
            turn.scheduler.add_child(turn.id, spec, Box::new(work))?;
        }
        // The puts hold what they need.
        self.zipped.clear();
        Ok(Ran::Running)
    }

    fn ready(&self, source: Source, announces_it: bool) -> ReadyFile {
        let zipped = self.zipped.get(&source).and_then(|zipped| zipped.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let content = zipped.unwrap_or_else(|| Arc::from([]));
        // A bucket's name says all of it; another file may be left from a publisher that was stopped.
        let unless_there = announces_it || matches!(source, Source::Bucket(_));
        ReadyFile { path: self.path(source), content, unless_there }
    }

    fn path(&self, source: Source) -> ArchivePath {
        match source {
            Source::Bucket(bucket) => ArchivePath::of_bucket(bucket),
            Source::Records(kind) => ArchivePath::of_checkpoint(kind, self.checkpoint),
        }
    }

    fn finish(&self) -> Ran {
        let complete = self.state.lock().publishing.places.iter().all(Place::is_complete);
        if complete { Ran::Success } else { Ran::Failure { retry: false, at_least_ms: 0 } }
    }
}

impl HistoryWork for PutSnapshotFilesWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        let ran = match self.phase {
            Phase::Begin => self.begin(turn),
            Phase::Reading => self.take_announced(turn),
            Phase::Comparing => {
                self.compare();
                Ok(Ran::Running)
            }
            Phase::Zipping => self.zip(turn),
            Phase::Putting => Ok(self.finish()),
        };
        Step::Ended(ran.unwrap_or(Ran::Failure { retry: false, at_least_ms: 0 }))
    }
}

/// The newest state of a place, if it has one. One that is broken, or of another network, is not written over.
fn announced_by(place: &Place, file: &PlainFile, checkpoint: Checkpoint, rules: &Rules) -> Result<Option<HistoryArchiveState>, RunError> {
    with_delivery(place, file, |delivery| check_root_state(rules, checkpoint.frequency(), delivery))
}

/// The state that a place has of the checkpoint, if it has one.
fn state_of(place: &Place, file: &PlainFile, checkpoint: Checkpoint, rules: &Rules) -> Result<Option<HistoryArchiveState>, RunError> {
    with_delivery(place, file, |delivery| {
        let report = check_checkpoint_state(rules, checkpoint, delivery);
        (report.facts, report.findings)
    })
}

fn with_delivery(
    place: &Place,
    file: &PlainFile,
    check: impl FnOnce(JsonDelivery<'_>) -> (Option<HistoryArchiveState>, Vec<Finding>),
) -> Result<Option<HistoryArchiveState>, RunError> {
    let read = file.lock().unwrap_or_else(PoisonError::into_inner).take();
    let delivery = match &read {
        Some((Plain::Missing, _)) => return Ok(None),
        Some((Plain::Read(json), _)) => JsonDelivery::Read(json),
        Some((Plain::TooLarge, _)) => JsonDelivery::TooLarge,
        Some((Plain::NotRead, settled)) => {
            let unread = || refusal(&place.target, "its newest state could not be read");
            return Err(settled.error.clone().unwrap_or_else(unread));
        }
        None => JsonDelivery::NotRead(Unchecked::Unreadable),
    };
    let (state, findings) = check(delivery);
    match findings.iter().find(|finding| finding.is_error()) {
        Some(finding) => Err(RunError { path: Some(finding.path.clone()), ..refusal(&place.target, &finding.message) }),
        None => Ok(state),
    }
}

/// Refuses to leave a gap, and to go on with another history: where a place ends, the checkpoint must go on.
fn continues(
    state: &HistoryWorkState,
    place: &Place,
    announced: Option<&HistoryArchiveState>,
    before: Option<&SharedHistoryState>,
    checkpoint: Checkpoint,
) -> Result<(), RunError> {
    let Some(end) = announced.map(|announced| announced.current_ledger).filter(|end| *end > LedgerSeq::new(0)) else { return Ok(()) };
    if let Some(next) = checkpoint.frequency().containing(end).next()
        && next < checkpoint
    {
        let message = format!("it ends at ledger {end}, so checkpoint {checkpoint} would leave a gap");
        let advice = format!("publish checkpoint {next} first, or mirror").into();
        return Err(RunError { advice, ..refusal(&place.target, &message) });
    }
    let Some(before) = before else { return Ok(()) };
    let before = before.lock();
    let last = before.headers().and_then(|headers| headers.last().map(|header| header.hash));
    match last {
        Some(last) if Some(last) == state.publishing.goes_on_from => Ok(()),
        Some(_) => Err(refusal(
            &place.target,
            &format!("its ledger {end} is not the one that checkpoint {checkpoint} goes on from, so it is of another history"),
        )),
        None => Err(refusal(
            &place.target,
            &format!("its headers of ledger {end} cannot be read, so it cannot be told whether it is of this history"),
        )),
    }
}

/// What a place lacks that announces this and has `there` of the checkpoint.
fn lacking(
    state: &HistoryWorkState,
    place: &Place,
    announced: Option<&HistoryArchiveState>,
    there: Option<&HistoryArchiveState>,
    checkpoint: Checkpoint,
) -> Result<Lacking, RunError> {
    let target = &place.target;
    let Some(own) = &state.publishing.resolved else { return Err(refusal(target, "there is no state to publish")) };
    for other in announced.into_iter().chain(there) {
        if let (Some(own), Some(other)) = (&own.network_passphrase, &other.network_passphrase)
            && own != other
        {
            return Err(refusal(target, &format!("it is of the network {other:?}, the checkpoint of {own:?}")));
        }
        if check_root_against_checkpoint(other, own).is_some() {
            return Err(refusal(target, &format!("it has another ledger {}, so it is of another history", own.current_ledger)));
        }
    }
    let there: BTreeSet<_> = announced.into_iter().flat_map(buckets).map(|(_, bucket)| bucket).collect();
    let differing: BTreeSet<_> = buckets(own).map(|(_, bucket)| bucket).filter(|bucket| !there.contains(bucket)).collect();
    if let Some(bucket) = differing.iter().find(|bucket| !state.bucket_content.contains_key(bucket)) {
        let message = format!("it lacks the bucket {bucket}, which is not held here");
        return Err(RunError { advice: "download the checkpoint with its buckets".into(), ..refusal(target, &message) });
    }
    let buckets = differing.into_iter().map(Source::Bucket);
    let records = state.publishing.content.keys().copied().map(Source::Records);
    let newest = announced.map(|announced| announced.current_ledger);
    Ok(Lacking {
        files: buckets.chain(records).collect(),
        announces_it: newest >= Some(checkpoint.last_ledger()),
        newest: newest <= Some(checkpoint.last_ledger()),
    })
}

fn refusal(target: &PublishTarget, message: &str) -> RunError {
    RunError {
        code: "USAGE".into(),
        archive: target.name.clone(),
        path: Some(ArchivePath::well_known()),
        message: format!("nothing is written over what is there: {message}"),
        advice: "publish to another place, or mend the archive there first".into(),
    }
}
