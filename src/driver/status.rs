//! How far archives are.

use serde::Serialize;

use super::Host;
use super::header::one_header;
use super::options::ReadOptions;
use super::roots::{Roots, read_roots, tip};
use super::schedule::Drive;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::network::Network;
use crate::codec::hash::Hash256;
use crate::historywork::check_single_ledger_header_work::{HeaderComparison, KnownHeader};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::finding::Finding;
use crate::verify::header::HeaderEntry;

/// How far an archive is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveStatus {
    /// Its name.
    pub archive: String,
    /// The newest ledger that it announces.
    pub ledger: Option<LedgerSeq>,
    /// The checkpoint that it ends.
    pub checkpoint: Option<LedgerSeq>,
    /// When that ledger closed, in seconds since 1970, decimal.
    pub close_time: Option<String>,
    /// What wrote the state.
    pub server: Option<String>,
    /// The passphrase.
    pub network: Option<String>,
    /// The network's short name, where it has one.
    pub network_name: Option<&'static str>,
    /// The protocol of that ledger.
    pub protocol: Option<u32>,
    /// What its header commits to.
    pub bucket_list_hash: Option<Hash256>,
    /// Why the archive could not be read.
    pub error: Option<RunError>,
    /// What is wrong with its newest state and its newest ledger file.
    pub findings: Vec<Finding>,
}

/// Asks archives how far they are: their newest states and the newest header of each.
pub async fn archive_status(readers: Vec<&dyn ArchiveReader>, host: &dyn Host, options: &ReadOptions) -> Vec<ArchiveStatus> {
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let Roots { list, mut errors, .. } = read_roots(&drive, options, None, &mut |_| {}).await;
    let mut statuses = Vec::new();
    for (id, root) in pool.ids().zip(list) {
        let name = pool.name(id).to_owned();
        let error = errors.iter().position(|error| error.archive == name).map(|index| errors.swap_remove(index));
        let network = root.state.as_ref().and_then(|state| state.network_passphrase.clone()).map(Network::from_passphrase);
        let tip = tip(&root, options.frequency);
        let mut status = ArchiveStatus {
            archive: name,
            ledger: root.state.as_ref().map(|state| state.current_ledger),
            checkpoint: tip.map(Checkpoint::last_ledger),
            close_time: None,
            server: root.state.as_ref().and_then(|state| state.server.clone()),
            network: network.as_ref().map(|network| network.passphrase().to_owned()),
            network_name: network.as_ref().and_then(Network::name),
            protocol: None,
            bucket_list_hash: None,
            error,
            findings: root.findings,
        };
        if let Some(tip) = tip {
            let archives = options.archives(&pool, network);
            let (comparison, settled) = one_header(&drive, options, archives, id, tip, tip.last_ledger(), KnownHeader::Nothing).await;
            let found = match comparison {
                HeaderComparison::Match(found) | HeaderComparison::Differs(found) => Some(found),
                HeaderComparison::Missing(_) | HeaderComparison::Unread => None,
            };
            let header = found.and_then(|found| HeaderEntry::parse(&found.entry).ok());
            if let Some(entry) = header {
                status.close_time = Some(entry.header.close_time.to_string());
                status.protocol = Some(entry.header.version);
                status.bucket_list_hash = Some(entry.header.bucket_list_hash);
            }
            status.findings.extend(settled.findings);
            status.error = status.error.or(settled.error);
        }
        statuses.push(status);
    }
    statuses
}
