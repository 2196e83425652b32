//! `mirror`: what the sources have and the destination has not, verified file by file before a byte of it becomes visible, and
//! across files too.

use super::Host;
use super::copy::{self, CopyOptions, DestinationRoot, Manner, Places, own_range};
use super::event::Event;
use super::options::UsageError;
use crate::report::copy::{CopyKind, CopyReport};
use crate::transport::{ArchiveReader, ArchiveWriter};

/// What a mirror is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MirrorOptions {
    /// As for repairs. Without a lowest ledger it goes on where the destination ends; in an empty one it begins where the sources do.
    pub copy: CopyOptions,
    /// Fetch and replace what is there.
    pub overwrite: bool,
    /// Let the lowest ledger be above the end of what is there.
    pub allow_gaps: bool,
}

/// Mirrors a history that one or several archives hold. What could not be done is in the report.
///
/// # Errors
/// Before anything is written: if the options contradict themselves, a gap would come about, or the destination cannot be read, or is of
/// another network or another history.
pub async fn mirror_archive(
    sources: Vec<&dyn ArchiveReader>,
    destination: &dyn ArchiveWriter,
    host: &dyn Host,
    options: &MirrorOptions,
    emit: &mut dyn FnMut(Event),
) -> Result<CopyReport, UsageError> {
    let mut root = DestinationRoot::read(destination, host, &options.copy).await?;
    if root.tip.is_none() {
        let extent = own_range(destination, &sources, &root, host, &options.copy).await;
        root.found = extent.ok().map(|extent| extent.range.last());
    }
    if let (Some(low), Some(tip), false) = (options.copy.low, root.tip, options.allow_gaps) {
        let next = tip.next().unwrap_or(tip);
        if options.copy.frequency.containing(low) > next {
            return Err(UsageError(format!(
                "{} ends at ledger {}: a mirror from ledger {low} would leave a gap. Begin at ledger {} or below, or allow gaps (--allow-mirror-gaps, allowGaps)",
                destination.name(),
                tip.last_ledger(),
                next.first_ledger()
            )));
        }
    }
    let manner =
        Manner { kind: CopyKind::Mirror, dry_run: false, keeps: !options.overwrite, to_the_end: true, allow_gaps: options.allow_gaps };
    copy::run(Places { sources, destination }, host, &options.copy, manner, root, None, emit).await
}
