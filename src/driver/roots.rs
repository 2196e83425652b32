//! The archives' newest states: what each says of itself, and how far the run goes by what they say.

use std::sync::PoisonError;

use super::options::ReadOptions;
use super::schedule::{Drive, DriveEvent};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency};
use crate::archive::error::RunError;
use crate::archive::network::Network;
use crate::archive::path::ArchivePath;
use crate::historywork::archives::Accounts;
use crate::historywork::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use crate::historywork::get_remote_file_work::{GetRemoteFileWork, Plain, PlainFile};
use crate::historywork::saved::Root;
use crate::historywork::{DOWNLOAD, scheduler};
use crate::verify::checkpoint::Unchecked;
use crate::verify::state::{JsonDelivery, check_root_state};
use crate::work::WorkSpec;

/// The newest states of the archives, and what was asked of them.
#[derive(Default)]
pub(super) struct Roots {
    pub(super) list: Vec<Root>,
    pub(super) errors: Vec<RunError>,
    pub(super) accounts: Accounts,
}

impl Roots {
    /// The network that most of them name.
    pub(super) fn network(&self) -> Option<Network> {
        let states = self.list.iter().filter_map(|root| root.state.as_ref());
        let named: Vec<_> = states.filter_map(|state| state.network_passphrase.as_ref()).collect();
        let votes = |passphrase: &&String| named.iter().filter(|other| *other == passphrase).count();
        named.iter().copied().rev().max_by_key(votes).map(|passphrase| Network::from_passphrase(passphrase.as_str()))
    }
}

/// The newest checkpoint that a state names: rounded down if it names another ledger, which is a finding, but no reason to
/// look at nothing.
pub(super) fn tip(root: &Root, frequency: CheckpointFrequency) -> Option<Checkpoint> {
    let ledger = root.state.as_ref()?.current_ledger;
    frequency.ending_at(ledger).or_else(|| frequency.containing(ledger).previous())
}

/// The newest checkpoint that at least half of the archives announce, so that neither one that lags nor one that claims a far
/// future decides alone.
pub(super) fn pinned_tip(roots: &[Root], frequency: CheckpointFrequency) -> Option<Checkpoint> {
    let mut tips: Vec<_> = roots.iter().filter(|root| !root.excluded).filter_map(|root| tip(root, frequency)).collect();
    tips.sort_by(|a, b| b.cmp(a));
    tips.get(tips.len().saturating_sub(1) / 2).copied()
}

/// A host among several that asks for more rest than this before its newest state was read takes no part in the run.
pub(super) const PATIENCE_MS: u64 = 30_000;
/// How long a host that rests when the run is over is waited for, to see whether its archive advanced.
pub(super) const PATIENCE_IN_THE_END_MS: u64 = 1000;

/// Reads the newest state of every archive.
pub(super) async fn read_roots(
    drive: &Drive<'_>,
    options: &ReadOptions,
    patience_ms: Option<u64>,
    emit: &mut dyn FnMut(DriveEvent<'_>),
) -> Roots {
    let archives = options.archives(drive.pool(), options.network.clone());
    let mut work = scheduler(options.concurrency);
    let files: Vec<_> = archives
        .ids()
        .map(|id| {
            let into = PlainFile::default();
            let file = GetRemoteFileWork::new(ArchivePath::well_known(), options.budget.has_json_bytes, Some(id), into.clone());
            let file = file.with_patience(patience_ms);
            let item = GetAndUnzipRemoteFileWork::new(file, archives.clone(), options.retry, OnFault::Report);
            let spec = WorkSpec::new("GetHistoryArchiveStateWork", archives.name(id), DOWNLOAD).retrying(options.retry);
            // A fresh scheduler takes everything.
            let _ = work.add(spec, Box::new(item));
            into
        })
        .collect();
    drive.run_to_completion(&mut work, emit).await;
    let mut roots = Roots::default();
    for (id, file) in archives.ids().zip(files) {
        let (plain, settled) = match file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some((plain, settled)) => (plain, Some(settled)),
            None => (Plain::NotRead, None),
        };
        let delivery = match &plain {
            Plain::Read(json) => JsonDelivery::Read(json),
            Plain::Missing => JsonDelivery::Missing,
            Plain::TooLarge => JsonDelivery::TooLarge,
            Plain::NotRead => JsonDelivery::NotRead(Unchecked::Unreadable),
        };
        let (state, findings) = check_root_state(archives.rules(), options.frequency, delivery);
        let findings = findings.into_iter().map(|finding| finding.from_archive(archives.name(id))).collect();
        roots.list.push(Root { state, findings, read: plain != Plain::NotRead, excluded: false });
        if let Some(settled) = settled {
            roots.accounts.add(&settled.accounts);
            roots.errors.extend(settled.error);
        }
    }
    roots
}
