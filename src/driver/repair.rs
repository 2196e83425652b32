//! `repair`: an archive is verified, and what it lacks or has wrong is fetched from the sources, verified, and written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Host;
use super::copy::{self, CopyOptions, DestinationRoot, Manner, Only, Places, own_range, tip_of};
use super::event::Event;
use super::options::UsageError;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::FileKind;
use crate::report::copy::{CopyKind, CopyReport};
use crate::report::plan::RepairPlan;
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
    let mut root = DestinationRoot::read(destination, host, &copy).await?;
    let mut to_the_end = true;
    // A newest state that looks sound may still contradict its checkpoint.
    if options.plan.is_some() {
        root.found = own_range(destination, &sources, &root, host, &copy).await.ok().map(|extent| extent.range.last());
    }
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
    let manner = Manner { kind: CopyKind::Repair, dry_run: options.dry_run, keeps: true, to_the_end, allow_gaps: true };
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
