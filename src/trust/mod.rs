//! Whose word a history has: the user's validators and hashes, what they vouch for, and how that is shown to strangers.
//!
//! What it is: quorum sets that people know, what a run's signatures and hashes come to, the file of trusted checkpoint
//! hashes, and proofs of single transactions and ledger entries. What it is not: the rules that signatures and quorums
//! follow; those are [`crate::verify`]. Rules: B.5 H5, B.10, B.11, D.2.

pub mod checkpoint_hashes;
pub mod comparison;
pub mod preset;
pub mod proof;
pub mod provenance;
pub mod vouched;

use std::sync::Arc;

use self::checkpoint_hashes::CheckpointHashes;
use self::preset::Believed;
use crate::archive::network::Network;
use crate::limits::Budget;
use crate::verify::checkpoint::Rules;

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
