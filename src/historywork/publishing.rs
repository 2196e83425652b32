//! What the items that publish a checkpoint leave for each other, and what came of it.
//!
//! What it is: the places, the files that are ready, who took them. What it is not: an item.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use super::checkpoint_data::MissingData;
use super::make_remote_dir_work::MakeRemoteDirWork;
use super::metrics::PublishMetrics;
use super::put_remote_file_work::{PUBLISH_RETRIES, PutRemoteFileWork, PutsDone};
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use super::{PutFile, Step, Turn, UPLOAD};
use crate::archive::error::RunError;
use crate::archive::id::{ArchiveId, WriterId};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::HistoryArchiveState;
use crate::codec::hash::Hash256;
use crate::work::{AddError, Ran, WorkSpec};

/// A place that a checkpoint is published to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishTarget {
    /// Which writer of the driver.
    pub writer: WriterId,
    /// What it is called when something fails.
    pub name: String,
    /// The same place among the archives that are read, where it can be: its newest state says what it lacks. Without it
    /// everything is put, and what was announced there before is not known.
    pub reader: Option<ArchiveId>,
    /// Whether folders are made before files are put into them. A driver makes those that are missing all the same.
    pub with_folders: bool,
    /// Whether files are read back and compared.
    pub read_back: bool,
}

impl PublishTarget {
    /// A place that is only written to.
    #[must_use]
    pub fn new(writer: WriterId, name: impl Into<String>) -> Self {
        Self { writer, name: name.into(), reader: None, with_folders: false, read_back: false }
    }

    /// A place that can be read as that archive.
    #[must_use]
    pub fn reading(mut self, reader: Option<ArchiveId>) -> Self {
        self.reader = reader;
        self
    }

    /// With folders made first.
    #[must_use]
    pub fn with_folders(mut self, folders: bool) -> Self {
        self.with_folders = folders;
        self
    }

    /// With files read back.
    #[must_use]
    pub fn read_back(mut self, read_back: bool) -> Self {
        self.read_back = read_back;
        self
    }
}

/// What publishing a checkpoint came to.
#[derive(Debug, Default)]
pub struct Publishing {
    /// The state as it is published.
    pub(crate) resolved: Option<HistoryArchiveState>,
    /// The files' content, before it is zipped.
    pub(crate) content: BTreeMap<FileKind, Vec<u8>>,
    /// The hash of the header before the checkpoint, by its first header.
    pub(crate) goes_on_from: Option<Hash256>,
    pub(crate) refused: Option<MissingData>,
    pub(crate) places: Vec<Place>,
    pub(crate) metrics: PublishMetrics,
}

/// What a place was given so far.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) target: PublishTarget,
    pub(crate) done: PutsDone,
    /// Files that are to be there in the end, once that is known.
    pub(crate) wanted: Option<u64>,
    /// Why nothing is put there.
    pub(crate) refused: Option<RunError>,
}

/// What came of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTo {
    /// Which.
    pub target: PublishTarget,
    /// Files that were written.
    pub written: u64,
    /// Files that were there.
    pub kept: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Why the checkpoint is not there, or not all of it; none if it is.
    pub error: Option<RunError>,
}

impl Publishing {
    /// Why the checkpoint may not be published at all.
    #[must_use]
    pub fn refused(&self) -> Option<&MissingData> {
        self.refused.as_ref()
    }

    /// What came of each place.
    #[must_use]
    pub fn places(&self) -> Vec<PublishedTo> {
        self.places.iter().map(Place::outcome).collect()
    }

    /// The counts.
    #[must_use]
    pub fn metrics(&self) -> PublishMetrics {
        self.metrics
    }
}

impl Place {
    pub(super) fn new(target: PublishTarget) -> Self {
        Self { target, done: PutsDone::default(), wanted: None, refused: None }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.outcome().error.is_none()
    }

    fn outcome(&self) -> PublishedTo {
        let (mut written, mut kept, mut bytes, mut failed) = (0u64, 0u64, 0u64, None);
        for (path, outcome) in self.done.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match outcome {
                Ok(Some(size)) => {
                    written += 1;
                    bytes = bytes.saturating_add(*size);
                }
                Ok(None) => kept += 1,
                Err(error) => failed = failed.or_else(|| Some(RunError::of_write(error, &self.target.name, path))),
            }
        }
        let stopped = || RunError {
            code: "ABORTED".into(),
            archive: self.target.name.clone(),
            path: None,
            message: "publishing was stopped before every file was there".to_owned(),
            advice: "publish the checkpoint again to finish it".into(),
        };
        let error = self.refused.clone().or(failed).or_else(|| (self.wanted != Some(written + kept)).then(stopped));
        PublishedTo { target: self.target.clone(), written, kept, bytes, error }
    }
}

/// A file that is ready to be put.
#[derive(Clone, Debug)]
pub struct ReadyFile {
    /// Under which path.
    pub path: ArchivePath,
    /// Its bytes, as archives store them.
    pub content: Arc<[u8]>,
    /// Whether it is left alone if it is there.
    pub unless_there: bool,
}

/// What the items that put files into a place have in common: they differ in the files.
#[derive(Debug)]
pub struct PublishFiles {
    stage: HistoryWorkStage,
    target: PublishTarget,
    files: Vec<ReadyFile>,
    done: PutsDone,
    state: SharedHistoryState,
    begun: bool,
}

impl PublishFiles {
    /// Files for a place, outcomes into `done`.
    #[must_use]
    pub fn new(stage: HistoryWorkStage, target: PublishTarget, files: Vec<ReadyFile>, done: PutsDone, state: SharedHistoryState) -> Self {
        Self { stage, target, files, done, state, begun: false }
    }

    /// A turn of the item: its children put the files at once.
    pub(super) fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.turn(turn, false)
    }

    /// The same, each file only when the one before it is there.
    pub(super) fn run_in_order(&mut self, turn: &mut Turn<'_>) -> Step {
        self.turn(turn, true)
    }

    fn turn(&mut self, turn: &mut Turn<'_>, in_order: bool) -> Step {
        if !core::mem::replace(&mut self.begun, true) {
            self.state.lock().begin(self.stage);
            return Step::Ended(match self.add_children(turn, in_order) {
                Ok(()) if self.files.is_empty() => Ran::Success,
                Ok(()) => Ran::Waiting,
                Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
            });
        }
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        self.state.lock().done(crate::codec::u64_from(self.files.len()));
        Step::Ended(Ran::Success)
    }

    fn add_children(&self, turn: &mut Turn<'_>, in_order: bool) -> Result<(), AddError> {
        let writer = self.target.writer;
        let (mut folders, mut previous) = (BTreeMap::new(), None);
        let mut made = BTreeSet::new();
        for file in &self.files {
            let mut spec = WorkSpec::new("PutRemoteFileWork", file.path.as_str(), UPLOAD).retrying(PUBLISH_RETRIES);
            if self.target.with_folders {
                let folder = file.path.folder();
                if made.insert(folder) {
                    let work = MakeRemoteDirWork::of(writer, &file.path, self.done.clone());
                    let spec = WorkSpec::new("MakeRemoteDirWork", folder, UPLOAD).retrying(PUBLISH_RETRIES);
                    let spec = previous.filter(|_| in_order).into_iter().fold(spec, WorkSpec::after);
                    folders.insert(folder, turn.scheduler.add_child(turn.id, spec, Box::new(work))?);
                }
                spec = folders.get(folder).copied().into_iter().fold(spec, WorkSpec::after);
            }
            spec = previous.filter(|_| in_order).into_iter().fold(spec, WorkSpec::after);
            let put = PutFile {
                writer,
                path: file.path.clone(),
                content: Arc::clone(&file.content),
                unless_there: file.unless_there,
                read_back: self.target.read_back,
            };
            let work = PutRemoteFileWork::new(put, PUBLISH_RETRIES, self.done.clone());
            previous = Some(turn.scheduler.add_child(turn.id, spec, Box::new(work))?);
        }
        Ok(())
    }
}
