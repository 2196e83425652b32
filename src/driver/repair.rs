//! `repair`: an archive is verified, and what it lacks or has wrong is fetched from the sources, verified, and written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Host;
use super::copy::{self, CopyOptions, DestinationRoot, Manner, Only, Places};
use super::event::Event;
use super::options::UsageError;
use super::probe::Probe;
use super::roots::{pinned_tip, read_roots};
use super::schedule::Drive;
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::path::FileKind;
use crate::report::copy::{CopyKind, CopyReport};
use crate::report::plan::RepairPlan;
use crate::transport::pool::ArchivePool;
use crate::transport::{ArchiveReader, ArchiveWriter};

/// What a repair is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RepairOptions {
    /// As for mirrors. Without a range it is the destination's own.
    pub copy: CopyOptions,
    /// Write nothing; the report says what would be.
    pub dry_run: bool,
    /// Look only at what it lists. Nothing in it is believed: what turns out sound is kept.
    pub plan: Option<RepairPlan>,
}

/// Repairs an archive from one or several others. What could not be done is in the report.
///
/// # Errors
/// Before anything is written: if the options contradict themselves, the destination cannot be read, holds nothing, or is of another
/// network or another history.
pub async fn repair_archive(
    sources: Vec<&dyn ArchiveReader>,
    destination: &dyn ArchiveWriter,
    host: &dyn Host,
    options: &RepairOptions,
    emit: &mut dyn FnMut(Event),
) -> Result<CopyReport, UsageError> {
    if options.plan.is_some() && (options.dry_run || options.copy.low.is_some() || options.copy.high.is_some()) {
        return Err(UsageError("a plan says what is repaired: it goes neither with a range nor with a dry run".into()));
    }
    if destination.reader().is_none() {
        return Err(UsageError(format!("{} cannot be read, so it cannot be seen what it lacks", destination.name())));
    }
    let mut copy = options.copy.clone();
    let root = DestinationRoot::read(destination, host, &copy).await?;
    let mut root = root;
    let mut to_the_end = true;
    let only = match &options.plan {
        Some(plan) if plan.lists_checkpoints() => Some(only(plan, &sources, host, &copy).await),
        Some(plan) => {
            // Buckets are looked at in the course of a checkpoint: any that the destination has will do. So it will for the plan of an
            // archive without faults.
            let newest = own_range(destination, &sources, &root, host, &copy).await?.range.last();
            let checkpoints = BTreeSet::from([newest]);
            Some(Only { checkpoints, states: Arc::default(), buckets: plan.buckets.clone(), well_known: None })
        }
        None => {
            let extent = own_range(destination, &sources, &root, host, &copy).await?;
            copy.low = copy.low.or(Some(extent.range.first().first_ledger()));
            copy.high = copy.high.or(Some(extent.range.last().last_ledger()));
            to_the_end = extent.to_the_end;
            root.is_sound &= !extent.announces_too_much;
            None
        }
    };
    let manner = Manner { kind: CopyKind::Repair, dry_run: options.dry_run, keeps: true, to_the_end };
    copy::run(Places { sources, destination }, host, &copy, manner, root, only, emit).await
}

/// What a plan lists, with the neighbours of checkpoints whose files contradict others: the fault may be theirs.
async fn only(plan: &RepairPlan, sources: &[&dyn ArchiveReader], host: &dyn Host, options: &CopyOptions) -> Only {
    let mut checkpoints: BTreeSet<_> = plan.files.keys().chain(&plan.checkpoints).chain(&plan.well_known).copied().collect();
    let tip = tip_of(sources, host, options).await;
    for checkpoint in &plan.checkpoints {
        checkpoints.extend(checkpoint.previous());
        checkpoints.extend(checkpoint.next().filter(|next| tip.is_none_or(|tip| *next <= tip)));
    }
    let of_state = |(checkpoint, kinds): (&Checkpoint, &BTreeSet<FileKind>)| kinds.contains(&FileKind::History).then_some(*checkpoint);
    let states = plan.files.iter().filter_map(of_state).chain(plan.checkpoints.iter().copied()).chain(plan.well_known).collect();
    Only { checkpoints, states: Arc::new(states), buckets: plan.buckets.clone(), well_known: plan.well_known }
}

/// The newest checkpoint that the sources announce.
async fn tip_of(sources: &[&dyn ArchiveReader], host: &dyn Host, options: &CopyOptions) -> Option<Checkpoint> {
    let pool = ArchivePool::new(sources.to_vec());
    let drive = Drive::new(&pool, host, options.timeouts);
    let roots = read_roots(&drive, &options.read(), None, &mut |_| {}).await;
    pinned_tip(&roots.list, options.frequency)
}

/// How far a destination goes.
struct Extent {
    range: CheckpointRange,
    /// Whether there is nothing above the range.
    to_the_end: bool,
    /// Its newest state names a checkpoint that neither it nor a source has.
    announces_too_much: bool,
}

/// The checkpoints that the destination has, judged by its newest state or, where that is no help, by its files.
async fn own_range(
    destination: &dyn ArchiveWriter,
    sources: &[&dyn ArchiveReader],
    root: &DestinationRoot,
    host: &dyn Host,
    options: &CopyOptions,
) -> Result<Extent, UsageError> {
    let nothing = || UsageError(format!("{} holds no archive: to fill it, mirror into it", destination.name()));
    let Some(reader) = destination.reader() else { return Err(nothing()) };
    let frequency = options.frequency;
    let pool = ArchivePool::new(vec![reader]);
    let drive = Drive::new(&pool, host, options.timeouts);
    let mut probe = Probe::new(&drive, &options.run(), &[]);
    let theirs = tip_of(sources, host, options).await;
    // One that is wrong in itself does not say how far it goes.
    let mut announced = root.tip.filter(|_| root.is_sound);
    let mut announces_too_much = false;
    if let Some(tip) = announced
        && theirs.is_none_or(|theirs| theirs < tip)
        && !probe.exists(tip).await
    {
        (announced, announces_too_much) = (None, true);
    }
    let end = options.high.map(|high| frequency.containing(high)).or(announced);
    let highest = end
        .or(theirs)
        .ok_or_else(|| UsageError("neither the destination nor a source says how far it goes: name the highest ledger".to_owned()))?;
    let low = options.low.unwrap_or(LedgerSeq::GENESIS);
    let whole = CheckpointRange::covering(low, highest.last_ledger(), frequency).ok_or_else(nothing)?;
    let range = probe.extent(whole, options.low.is_some(), end.is_some()).await.ok_or_else(nothing)?;
    let to_the_end = match range.last().next() {
        Some(next) if options.high.is_some() => !probe.exists(next).await,
        _ => true,
    };
    Ok(Extent { range, to_the_end, announces_too_much })
}
