//! What a mirror or a repair writes, and when: the files of a checkpoint once they agree with each other and with their
//! neighbours, its state once every bucket that it names is there too.
//!
//! What it is: the part of [`super::verify_range_work`] that knows of a destination. The destination is one of the archives
//! that are read, and the first that is asked; what it has and is sound stays as it is. What it is not: the newest state
//! (`.well-known`), which the driver writes last of all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{AtDestination, Settled};
use super::put_remote_file_work::{PutRemoteFileWork, PutsDone};
use super::range::{BucketStanding, JoinedRange};
use super::verify_bucket_work::BucketJob;
use super::verify_checkpoint_work::VerifiedCheckpoint;
use super::{CopyTo, PutFile, Turn, UPLOAD};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::error::{RunError, WriteError};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::BucketHash;
use crate::verify::bucket::BucketReport;
use crate::verify::bucket_list::buckets;
use crate::verify::checkpoint::{Status, Unchecked};
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, WorkSpec};

/// Files that are listed one by one; the others are only counted.
const LISTED: usize = 1000;
/// Bytes that may wait for a slow destination before reading pauses.
const HELD: usize = 128 << 20;
/// Files that are remembered as not mended, for a plan: some 100 MB.
const REMEMBERED: usize = 1_000_000;

/// How a range is copied.
#[derive(Clone, Debug)]
pub struct CopySettings {
    /// Where to, and whether what was written is read back.
    pub to: CopyTo,
    /// How often a file is put again.
    pub retry: RetryPolicy,
    /// Nothing is written; it is only said what would be.
    pub dry_run: bool,
    /// Whether files that are simply not there yet are listed: a repair's news, but what a mirror is for.
    pub lists_missing: bool,
    /// Only the buckets of these checkpoints' states; none: of all.
    pub buckets_of: Option<Arc<BTreeSet<Checkpoint>>>,
}

/// What was copied so far; whoever reports holds one as well.
#[derive(Clone, Debug, Default)]
pub struct SharedCopies(Arc<Mutex<Copies>>);

impl SharedCopies {
    /// The copies, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, Copies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was copied.
#[derive(Debug, Default)]
pub struct Copies {
    /// Files that were written (or would be), by kind; `None` for buckets.
    pub written: BTreeMap<Option<FileKind>, u64>,
    /// Whether the newest state was written as well, or would be.
    pub well_known: bool,
    /// Bytes of them, as archives store them.
    pub bytes: u64,
    /// Files that were there and sound.
    pub kept: BTreeMap<Option<FileKind>, u64>,
    /// Files of the destination that were not as they should be.
    pub files: Vec<CopiedFile>,
    /// How many more of them there were.
    pub files_dropped: u64,
    /// What the destination still lacks.
    pub left: Left,
    /// Why files could not be written.
    pub errors: Vec<RunError>,
    /// The highest checkpoint up to which all of the range is at the destination, with the text of its state.
    pub complete_through: Option<(Checkpoint, Vec<u8>)>,
    /// The first checkpoint of the range that is not all at the destination.
    pub first_incomplete: Option<Checkpoint>,
    /// Why no more is written: what would fail for every file.
    pub stopped: Option<WriteError>,
    failed_buckets: BTreeSet<BucketHash>,
    writer: String,
}

/// What a destination lacks.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// Files of checkpoints.
    pub files: BTreeMap<Checkpoint, BTreeSet<FileKind>>,
    /// Buckets.
    pub buckets: BTreeSet<BucketHash>,
    remembered: usize,
    /// How many more files there were.
    pub dropped: u64,
}

impl Left {
    fn file(&mut self, checkpoint: Checkpoint, kind: FileKind) {
        if self.has_room() && self.files.entry(checkpoint).or_default().insert(kind) {
            self.remembered += 1;
        }
    }

    fn bucket(&mut self, bucket: BucketHash) {
        if self.has_room() && self.buckets.insert(bucket) {
            self.remembered += 1;
        }
    }

    fn has_room(&mut self) -> bool {
        let room = self.remembered < REMEMBERED;
        self.dropped += u64::from(!room);
        room
    }
}

/// A file of the destination that was not as it should be, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CopiedFile {
    /// Which.
    pub path: ArchivePath,
    /// What was wrong.
    pub problem: Problem,
    /// What became of it.
    pub outcome: CopyOutcome,
    /// Whose file it is now, or would be.
    pub from: Option<String>,
    /// More on the problem, or why it was not mended.
    pub message: Option<String>,
}

/// What is wrong with a destination's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It is not what it should be.
    Faulty,
}

/// What becomes of a destination's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyOutcome {
    /// It was written.
    Written,
    /// It would be written.
    Planned,
    /// No source has it sound.
    NoSoundSource,
    /// It could not be read from a source, or not be written.
    Failed,
}

impl Copies {
    fn write(&mut self, kind: Option<FileKind>, bytes: u64) {
        *self.written.entry(kind).or_default() += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn keep(&mut self, kind: Option<FileKind>) {
        *self.kept.entry(kind).or_default() += 1;
    }

    fn list(&mut self, file: CopiedFile) {
        if self.files.len() < LISTED {
            self.files.push(file);
        } else {
            self.files_dropped += 1;
        }
    }

    /// A file could not be written.
    pub fn fail(&mut self, path: &ArchivePath, error: WriteError) {
        if self.errors.len() < LISTED {
            self.errors.push(RunError::of_write(&error, &self.writer, path));
        }
        if error.is_general() && self.stopped.is_none() {
            self.stopped = Some(error);
        }
    }

    /// The newest state was written, or would be.
    pub fn wrote_well_known(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.well_known = true;
    }

    /// How many files were written, or would be.
    #[must_use]
    pub fn written_files(&self) -> u64 {
        self.written.values().fold(u64::from(self.well_known), |sum, count| sum.saturating_add(*count))
    }
}

/// What is known of a file that the destination lacks.
#[derive(Clone, Debug)]
struct Lacking {
    checkpoint: Checkpoint,
    kind: FileKind,
    problem: Problem,
    message: Option<String>,
    from: Option<String>,
}

/// A checkpoint whose files are being written, and whose state is not there yet.
#[derive(Debug)]
struct Pending {
    checkpoint: Checkpoint,
    /// Files under way.
    under_way: usize,
    /// Everything but the state and its buckets is at the destination.
    whole: bool,
    /// The state's text.
    state: Vec<u8>,
    /// Why the state is to be written; none: it is there.
    lacking: Option<Lacking>,
    /// Buckets that must be there first.
    buckets: BTreeSet<BucketHash>,
    /// Whether its buckets are looked at in this run.
    with_buckets: bool,
    /// The state is under way, or there was none to write.
    last: bool,
}

/// The copying of a range.
#[derive(Debug)]
pub struct Copying {
    settings: CopySettings,
    archives: Archives,
    copies: SharedCopies,
    /// In the order of the plan.
    pending: VecDeque<Pending>,
    under_way: BTreeMap<ArchivePath, (Lacking, usize)>,
    /// Bytes of files that are being written.
    held: usize,
    puts: PutsDone,
}

impl Copying {
    /// What comes of it goes into `copies`; `writer` is the destination's name.
    #[must_use]
    pub fn new(settings: CopySettings, archives: Archives, copies: SharedCopies, writer: &str) -> Self {
        writer.clone_into(&mut copies.lock().writer);
        Self { settings, archives, copies, pending: VecDeque::new(), under_way: BTreeMap::new(), held: 0, puts: PutsDone::default() }
    }

    /// Whether it is of no use to go on.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.copies.lock().stopped.is_some()
    }

    /// Checkpoints that are not settled.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Whether so much waits to be written that nothing more is to be read.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held > HELD
    }

    /// Whether the headers of a checkpoint are the destination's own, and sound.
    #[must_use]
    pub fn is_sound_there(&self, verified: &VerifiedCheckpoint) -> bool {
        let served = verified.served.get(&FileKind::Ledger).copied();
        let [_, ledger, ..] = verified.outcome.statuses;
        served.is_some() && served == self.archives.destination() && ledger == Status::Verified
    }

    /// Where buckets are copied to while they are verified.
    #[must_use]
    pub fn buckets_to(&self) -> Option<CopyTo> {
        (!self.settings.dry_run).then_some(self.settings.to)
    }

    /// Whether the buckets of a checkpoint's state are looked at.
    #[must_use]
    pub fn wants_buckets_of(&self, checkpoint: Checkpoint) -> bool {
        self.settings.buckets_of.as_ref().is_none_or(|wanted| wanted.contains(&checkpoint))
    }

    /// Takes the files of the next checkpoint of the plan. `torn`: it does not fit what was joined before, or what the destination has
    /// after it, or archives contradict each other, and nothing tells which is wrong.
    ///
    /// # Errors
    /// If the scheduler was aborted.
    pub fn take(&mut self, verified: &mut VerifiedCheckpoint, torn: bool, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let checkpoint = verified.headers.checkpoint();
        let statuses: BTreeMap<_, _> = FileKind::ALL.into_iter().zip(verified.outcome.statuses).collect();
        let mut stored = core::mem::take(&mut verified.stored);
        let named: BTreeSet<_> = verified.outcome.state.iter().flat_map(|state| buckets(state).map(|(_, bucket)| bucket)).collect();
        let mut pending = Pending {
            checkpoint,
            under_way: 0,
            whole: true,
            state: stored.remove(&FileKind::History).unwrap_or_default(),
            lacking: None,
            buckets: named,
            with_buckets: self.wants_buckets_of(checkpoint),
            last: false,
        };
        for kind in FileKind::ALL {
            let status = statuses.get(&kind).copied().unwrap_or(Status::Unchecked(Unchecked::Unreadable));
            let served = verified.served.get(&kind).copied();
            let at = verified.at_destination.get(&kind).cloned();
            // What an unsound ledger file vouches for is as good as what nobody vouches for.
            let vouched = kind == FileKind::Ledger || statuses.get(&FileKind::Ledger) == Some(&Status::Verified);
            let sound = status == Status::Verified && !torn;
            let there = served.is_some() && served == self.archives.destination();
            if sound && there {
                self.copies.lock().keep(Some(kind));
                continue;
            }
            // Its messages are as good, even if others that seal more were read.
            let same_headers = verified.served.get(&FileKind::Ledger).copied() == self.archives.destination();
            if kind == FileKind::Scp && sound && same_headers && at == Some(AtDestination::Sound) {
                self.copies.lock().keep(Some(kind));
                continue;
            }
            // Files that archives may lack, or that nobody asked for.
            if matches!(status, Status::Unchecked(Unchecked::OptionalAbsent | Unchecked::NotPublished | Unchecked::Skipped)) {
                continue;
            }
            let (problem, message) = match at {
                Some(AtDestination::Faulty(why)) => (Problem::Faulty, Some(why)),
                // It was sound by itself, and another one is taken: it does not fit the others.
                Some(AtDestination::Sound) => (Problem::Faulty, Some("it does not fit the files around it".to_owned())),
                None if self.archives.destination().is_some() && sound => {
                    (Problem::Faulty, Some("it does not fit the files around it".to_owned()))
                }
                Some(AtDestination::Missing) | None => (Problem::Missing, None),
            };
            let from = served.filter(|_| !there).map(|id| self.archives.name(id).to_owned());
            let lacking = Lacking { checkpoint, kind, problem, message, from };
            if !sound || !vouched {
                pending.whole = false;
                let why = if torn {
                    Some("it does not fit the checkpoint beside it, and no source tells which of the two is wrong")
                } else {
                    (sound && !vouched).then_some("the ledger file that vouches for it is not sound")
                };
                self.give_up(lacking, status, why);
            } else if kind == FileKind::History {
                pending.lacking = Some(lacking);
            } else if let Some(content) = stored.remove(&kind) {
                pending.under_way += self.put(lacking, content, turn)?;
            } else {
                pending.whole = false;
                self.give_up(lacking, Status::Unchecked(Unchecked::Unreadable), Some("its bytes were not held"));
            }
        }
        self.pending.push_back(pending);
        Ok(())
    }

    /// Takes a bucket that was verified and, where the destination lacked it, written.
    pub fn take_bucket(&mut self, job: &BucketJob, settled: &Settled<BucketReport>) {
        let path = ArchivePath::of_bucket(job.bucket);
        let mut copies = self.copies.lock();
        let there = settled.archive.is_some() && settled.archive == self.archives.destination();
        let (problem, why) = match &settled.destination {
            Some(AtDestination::Faulty(why)) => (Problem::Faulty, Some(why.clone())),
            _ => (Problem::Missing, None),
        };
        let listed = self.settings.lists_missing || problem == Problem::Faulty;
        let from = settled.archive.filter(|_| !there).map(|id| self.archives.name(id).to_owned());
        let file = |outcome, message| CopiedFile { path: path.clone(), problem, outcome, from: from.clone(), message };
        match (settled.report.status, &settled.copied) {
            (Status::Verified, _) if there => copies.keep(None),
            (Status::Verified, _) if self.settings.dry_run => {
                // As many bytes as came would be written.
                copies.write(None, settled.accounts.total().compressed);
                copies.left.bucket(job.bucket);
                if listed {
                    copies.list(file(CopyOutcome::Planned, why));
                }
            }
            (Status::Verified, Some(Ok(bytes))) => {
                copies.write(None, *bytes);
                if listed {
                    copies.list(file(CopyOutcome::Written, why));
                }
            }
            (Status::Verified, Some(Err(error))) => {
                copies.failed_buckets.insert(job.bucket);
                copies.left.bucket(job.bucket);
                copies.list(file(CopyOutcome::Failed, Some(error.message.clone())));
                copies.fail(&path, error.clone());
            }
            (status, _) => {
                copies.failed_buckets.insert(job.bucket);
                copies.left.bucket(job.bucket);
                let why = settled.report.findings.iter().find(|finding| finding.is_error()).map(|finding| finding.message.clone());
                let why = why.or_else(|| settled.error.as_ref().map(|error| error.message.clone()));
                copies.list(file(if status == Status::Faulty { CopyOutcome::NoSoundSource } else { CopyOutcome::Failed }, why));
            }
        }
    }

    /// Goes on with what is waiting, in the order of the plan. `idle`: nothing is under way any more, so nothing will come.
    ///
    /// # Errors
    /// If the scheduler was aborted.
    pub fn advance(&mut self, range: &JoinedRange, idle: bool, turn: &mut Turn<'_>) -> Result<(), AddError> {
        self.take_puts();
        while let Some(front) = self.pending.front() {
            if front.under_way > 0 && !idle {
                return Ok(());
            }
            let mut whole = front.whole && front.under_way == 0;
            if !front.last {
                let standing = |bucket: &BucketHash| if front.with_buckets { range.bucket_standing(bucket) } else { BucketStanding::Sound };
                let standings: Vec<_> = front.buckets.iter().map(standing).collect();
                if standings.contains(&BucketStanding::UnderWay) && !idle {
                    return Ok(());
                }
                let lost = front.buckets.iter().any(|bucket| self.copies.lock().failed_buckets.contains(bucket));
                let sound = standings.iter().all(|standing| *standing == BucketStanding::Sound) && !range.is_late_fault(front.checkpoint);
                whole &= sound && !lost;
                let unseen = !front.with_buckets && front.lacking.is_some();
                if self.begin_state(whole && !unseen, turn)? {
                    return Ok(());
                }
                whole &= !unseen;
            }
            if let Some(settled) = self.pending.pop_front() {
                let mut copies = self.copies.lock();
                if whole && copies.first_incomplete.is_none() {
                    copies.complete_through = Some((settled.checkpoint, settled.state));
                } else if copies.first_incomplete.is_none() {
                    copies.first_incomplete = Some(settled.checkpoint);
                }
            }
        }
        Ok(())
    }

    /// Writes the state of the checkpoint that is next, if it lacks one and is whole. `true`: it is under way.
    fn begin_state(&mut self, whole: bool, turn: &mut Turn<'_>) -> Result<bool, AddError> {
        let Some((lacking, content)) = self.pending.front_mut().and_then(|front| {
            front.last = true;
            Some((front.lacking.take()?, front.state.clone()))
        }) else {
            return Ok(false);
        };
        if !whole {
            let why = "it is not written before everything that it names is there";
            self.give_up(lacking, Status::Unchecked(Unchecked::Unreadable), Some(why));
            return Ok(false);
        }
        let under_way = self.put(lacking, content, turn)?;
        if let Some(front) = self.pending.front_mut() {
            front.under_way = under_way;
        }
        Ok(under_way > 0)
    }

    /// Begins to write a file. Gives how many are under way for it: none in a dry run.
    fn put(&mut self, lacking: Lacking, content: Vec<u8>, turn: &mut Turn<'_>) -> Result<usize, AddError> {
        if self.settings.dry_run {
            self.done(lacking, CopyOutcome::Planned, crate::codec::u64_from(content.len()));
            return Ok(0);
        }
        let path = ArchivePath::of_checkpoint(lacking.kind, lacking.checkpoint);
        let CopyTo { writer, read_back } = self.settings.to;
        let length = content.len();
        let file = PutFile { writer, path: path.clone(), content: content.into(), unless_there: false, read_back };
        let spec = WorkSpec::new("PutRemoteFileWork", format!("PutRemoteFileWork {path}"), UPLOAD).retrying(self.settings.retry);
        let work = PutRemoteFileWork::new(file, self.settings.retry, Arc::clone(&self.puts));
        turn.scheduler.add_child(turn.id, spec, Box::new(work))?;
        self.under_way.insert(path, (lacking, length));
        self.held = self.held.saturating_add(length);
        Ok(1)
    }

    fn take_puts(&mut self) {
        let done: Vec<_> = self.puts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for (path, outcome) in done {
            let Some((mut lacking, length)) = self.under_way.remove(&path) else { continue };
            self.held = self.held.saturating_sub(length);
            let place = self.pending.iter_mut().find(|pending| pending.checkpoint == lacking.checkpoint);
            if let Some(pending) = place {
                pending.under_way = pending.under_way.saturating_sub(1);
                pending.whole &= outcome.is_ok();
            }
            match outcome {
                Ok(bytes) => self.done(lacking, CopyOutcome::Written, bytes.unwrap_or(0)),
                Err(error) => {
                    lacking.message = Some(error.message.clone());
                    let mut copies = self.copies.lock();
                    copies.fail(&path, error);
                    copies.left.file(lacking.checkpoint, lacking.kind);
                    copies.list(listed(lacking, CopyOutcome::Failed));
                }
            }
        }
    }

    fn done(&self, lacking: Lacking, outcome: CopyOutcome, bytes: u64) {
        let mut copies = self.copies.lock();
        copies.write(Some(lacking.kind), bytes);
        if outcome == CopyOutcome::Planned {
            copies.left.file(lacking.checkpoint, lacking.kind);
        }
        if self.settings.lists_missing || lacking.problem == Problem::Faulty {
            copies.list(listed(lacking, outcome));
        }
    }

    /// A file that the destination lacks and that no source has sound.
    fn give_up(&self, mut lacking: Lacking, status: Status, why: Option<&str>) {
        let outcome = if status == Status::Faulty { CopyOutcome::NoSoundSource } else { CopyOutcome::Failed };
        if let Some(why) = why {
            lacking.message = Some(why.to_owned());
        } else if let Status::Unchecked(why) = status {
            lacking.message = Some(why.reason().to_owned());
        }
        let mut copies = self.copies.lock();
        copies.left.file(lacking.checkpoint, lacking.kind);
        copies.list(listed(lacking, outcome));
    }
}

fn listed(lacking: Lacking, outcome: CopyOutcome) -> CopiedFile {
    let Lacking { checkpoint, kind, problem, message, from } = lacking;
    CopiedFile { path: ArchivePath::of_checkpoint(kind, checkpoint), problem, outcome, from, message }
}
