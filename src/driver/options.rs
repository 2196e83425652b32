//! How archives are read, whatever for.

use super::schedule::Timeouts;
use crate::archive::checkpoint::CheckpointFrequency;
use crate::archive::network::Network;
use crate::historywork::CONCURRENCY;
use crate::historywork::archives::Archives;
use crate::limits::Budget;
use crate::transport::pool::ArchivePool;
use crate::verify::checkpoint::Rules;
use crate::work::Concurrency;
use crate::work::retry::RetryPolicy;

/// Options that contradict themselves, archives that are not of one network, or a state of another run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// How archives are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The network; by default what the archives say.
    pub network: Option<Network>,
    /// Files read at once; at least 1.
    pub concurrency: Concurrency,
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
