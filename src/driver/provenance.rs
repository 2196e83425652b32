//! Who made one ledger, from an archive whose checkpoint is verified first.

use stellar_xdr::{ScpHistoryEntry, ScpHistoryEntryV0};

use super::download::download_checkpoint;
use super::options::ReadOptions;
use super::{Host, UsageError};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::Network;
use crate::historywork::checkpoint_data::{MissingData, decode};
use crate::transport::ArchiveReader;
use crate::trust::Trust;
use crate::trust::provenance::{Provenance, provenance};
use crate::verify::header::HeaderEntry;

/// Why it cannot be said who made a ledger.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// The caller's mistake.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The checkpoint is faulty or could not be read.
    #[error(transparent)]
    Missing(#[from] MissingData),
}

/// Who proposed a ledger's value, what each validator said of it, and whether those whom the user believes agreed.
///
/// # Errors
/// If the checkpoint cannot be had, or the network is not known: signatures are bound to it.
pub async fn ledger_provenance(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    ledger: LedgerSeq,
    trust: &Trust,
) -> Result<Provenance, ProvenanceError> {
    if ledger.value() == 0 {
        return Err(UsageError("ledger 0 does not exist: the first ledger is 1".into()).into());
    }
    let checkpoint = options.frequency.containing(ledger);
    let (data, network) = download_checkpoint(readers, host, options, checkpoint, false).await?;
    let network: Option<Network> = network.or_else(|| data.history_archive_state.network_passphrase.clone().map(Network::from_passphrase));
    let Some(network) = network else {
        return Err(
            UsageError("the archive does not name its network, and signatures are bound to it: say which network is meant".into()).into()
        );
    };
    let header = data.headers.iter().filter_map(|record| HeaderEntry::parse(record).ok()).find(|entry| entry.header.sequence == ledger);
    let Some(HeaderEntry { header, .. }) = header else {
        return Err(MissingData::NotDownloaded("ledger").into());
    };
    // The records were decoded when they were verified.
    let entries: Vec<ScpHistoryEntry> = decode(&data.scp_history).unwrap_or_default();
    let of_ledger = |ScpHistoryEntry::V0(entry): &ScpHistoryEntry| -> Option<ScpHistoryEntryV0> {
        (entry.ledger_messages.ledger_seq == ledger.value()).then(|| entry.clone())
    };
    let entry = entries.iter().find_map(of_ledger);
    let believed = trust.believed_on(Some(&network));
    Ok(provenance(&header, entry.as_ref(), &network.id(), believed.as_ref()))
}
