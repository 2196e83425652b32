//! How archives are read, whatever for.

use std::sync::Arc;

use super::schedule::Timeouts;
use crate::archive::checkpoint::CheckpointFrequency;
use crate::archive::network::Network;
use crate::historywork::CONCURRENCY;
use crate::historywork::archives::Archives;
use crate::limits::Budget;
use crate::transport::pool::ArchivePool;
use crate::trust::checkpoint_hashes::CheckpointHashes;
use crate::trust::preset::Believed;
use crate::verify::checkpoint::Rules;
use crate::work::retry::RetryPolicy;

/// Options that contradict themselves, archives that are not of one network, or a state of another run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Whose word counts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The quorum set that is believed; by default the network's preset, if it has one.
    pub believed: Option<Believed>,
    /// Believe nobody, not even the network's preset: no signature is looked at to seal anything.
    pub nobody: bool,
    /// Hashes of ledger headers that are trusted.
    pub hashes: CheckpointHashes,
    /// Verify every signature, and not only those that seal the newest ledgers.
    pub all_signatures: bool,
}

impl Trust {
    /// The quorum set that is believed on a network.
    #[must_use]
    pub fn believed_on(&self, network: Option<&Network>) -> Option<Believed> {
        if self.nobody {
            return None;
        }
        self.believed.clone().or_else(|| network.and_then(Believed::of_network))
    }

    /// Rules that go by it.
    #[must_use]
    pub fn rules(&self, network: Option<Network>, deep: bool, budget: Budget) -> Rules {
        let believed = self.believed_on(network.as_ref()).map(|believed| believed.set);
        let hashes = Arc::new(self.hashes.by_ledger().clone());
        Rules::new(network, deep, budget).believing(believed).with_all_signatures(self.all_signatures).trusting(hashes)
    }
}

/// How archives are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The network; by default what the archives say.
    pub network: Option<Network>,
    /// Files read at once; at least 1.
    pub concurrency: usize,
    /// For faults of the transport.
    pub retry: RetryPolicy,
    /// When a read is given up.
    pub timeouts: Timeouts,
    /// How far apart checkpoints are.
    pub frequency: CheckpointFrequency,
    /// The caps on input.
    pub budget: Budget,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            network: None,
            concurrency: CONCURRENCY,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            frequency: CheckpointFrequency::default(),
            budget: Budget::default(),
        }
    }
}

impl ReadOptions {
    pub(super) fn archives(&self, pool: &ArchivePool<'_>, network: Option<Network>) -> Archives {
        let names = pool.ids().map(|id| pool.name(id).to_owned()).collect();
        Archives::new(names, Rules::new(network, false, self.budget.clone()))
    }
}
