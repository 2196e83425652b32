//! Quorum sets that people know (rules D.2), and the one that a user believes.
//!
//! They are made of the validators in [`KNOWN_NETWORKS`] as stellar-core makes them of equal organisations (`Config.cpp`,
//! QUALITY=HIGH): a simple majority of each organisation's validators, two thirds of the organisations.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::archive::network::{KNOWN_NETWORKS, KnownArchive, Network};
use crate::archive::node::NodeId;
use crate::verify::quorum::{QuorumSet, QuorumSetError};

/// A quorum set that people know.
#[derive(Clone, Copy, Debug)]
pub struct QuorumSetPreset {
    /// Short name.
    pub name: &'static str,
    /// The short name of its network.
    pub network: &'static str,
    /// Where it comes from and when.
    pub source: &'static str,
    /// Home domains; those of validators that other lists have and this one has not are in `without`.
    organisations: &'static [&'static str],
    without: &'static [&'static str],
}

/// The first of a network is the one that is taken when none is named.
pub const QUORUM_SET_PRESETS: &[QuorumSetPreset] = &[
    QuorumSetPreset {
        name: "pubnet",
        network: "pubnet",
        source: "stellar/quickstart, 16 July 2026: 7 organisations, with OBSRVR",
        organisations: &[
            "www.stellar.org",
            "publicnode.org",
            "lobstr.co",
            "www.franklintempleton.com",
            "stellar.blockdaemon.com",
            "stellar.creit.tech",
            "stellar.withobsrvr.com",
        ],
        without: &["LOBSTR 3 (North America)", "LOBSTR 4 (Asia)"],
    },
    QuorumSetPreset {
        name: "pubnet-packages",
        network: "pubnet",
        source: "stellar/packages and stellar/go, August 2026: 7 organisations, with SatoshiPay",
        organisations: &[
            "www.stellar.org",
            "publicnode.org",
            "lobstr.co",
            "www.franklintempleton.com",
            "stellar.blockdaemon.com",
            "stellar.creit.tech",
            "satoshipay.io",
        ],
        without: &[],
    },
    QuorumSetPreset {
        name: "pubnet-sdf",
        network: "pubnet",
        source: "SDF's three validators alone, whose keys are the same since 2016: for old ranges, which today's organisations did not sign",
        organisations: &["www.stellar.org"],
        without: &[],
    },
    QuorumSetPreset {
        name: "testnet",
        network: "testnet",
        source: "SDF's three test validators, August 2026",
        organisations: &["testnet.stellar.org"],
        without: &[],
    },
    QuorumSetPreset {
        name: "futurenet",
        network: "futurenet",
        source: "SDF's three validators of futurenet, August 2026",
        organisations: &["www.stellar.org"],
        without: &[],
    },
];

impl QuorumSetPreset {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        QUORUM_SET_PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The one that is taken for a network when none is named.
    #[must_use]
    pub fn of_network(network: &Network) -> Option<&'static Self> {
        QUORUM_SET_PRESETS.iter().find(|preset| Some(preset.network) == network.name())
    }

    /// The set.
    #[must_use]
    pub fn set(&self) -> QuorumSet {
        let mut organisations: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let known = KNOWN_NETWORKS.iter().filter(|known| known.name == self.network).flat_map(|known| known.archives);
        let wanted = |one: &&KnownArchive| self.organisations.contains(&one.home_domain) && !self.without.contains(&one.name);
        for validator in known.filter(wanted) {
            // A test reads every key of the table.
            organisations.entry(validator.home_domain).or_default().extend(validator.key.parse::<NodeId>());
        }
        let mut inner_sets = self.organisations.iter().filter_map(|domain| organisations.remove(domain)).map(|validators| QuorumSet {
            threshold: simple_majority(validators.len()),
            validators,
            inner_sets: Vec::new(),
        });
        if self.organisations.len() == 1 {
            return inner_sets.next().unwrap_or_default();
        }
        let inner_sets: Vec<_> = inner_sets.collect();
        QuorumSet { threshold: two_thirds(inner_sets.len()), validators: Vec::new(), inner_sets }
    }
}

/// `n - (n - 1) / 2`.
fn simple_majority(members: usize) -> u32 {
    count(members - members.saturating_sub(1) / 2)
}

/// `n - (n - 1) / 3`.
fn two_thirds(members: usize) -> u32 {
    count(members - members.saturating_sub(1) / 3)
}

fn count(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}

/// The quorum set that a run believes, and where it is from.
#[derive(Clone, Debug)]
pub struct Believed {
    /// In words, for reports: `the quorum set testnet (…)` or `your own quorum set`.
    pub name: String,
    /// The set.
    pub set: Arc<QuorumSet>,
    /// Whether the user named it; else it is the preset of the network.
    pub asked_for: bool,
}

impl Believed {
    /// A preset by its name, or JSON (the user's own).
    ///
    /// # Errors
    /// If it is neither.
    pub fn from_name_or_json(text: &str) -> Result<Self, QuorumSetError> {
        if let Some(preset) = QuorumSetPreset::named(text) {
            return Ok(Self { asked_for: true, ..Self::preset(preset) });
        }
        Ok(Self { name: "your own quorum set".into(), set: Arc::new(QuorumSet::from_json(text)?), asked_for: true })
    }

    /// The preset of a network, if there is one.
    #[must_use]
    pub fn of_network(network: &Network) -> Option<Self> {
        QuorumSetPreset::of_network(network).map(Self::preset)
    }

    fn preset(preset: &QuorumSetPreset) -> Self {
        Self { name: format!("the quorum set {} ({})", preset.name, preset.source), set: Arc::new(preset.set()), asked_for: false }
    }
}

/// A quorum set preset as JavaScript gets it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PresetReport {
    /// Short name.
    pub name: &'static str,
    /// The network's short name.
    pub network: &'static str,
    /// Where it comes from and when.
    pub source: &'static str,
    /// The set.
    pub quorum_set: QuorumSet,
}

/// Every preset.
#[must_use]
pub fn presets() -> Vec<PresetReport> {
    let report = |preset: &QuorumSetPreset| PresetReport {
        name: preset.name,
        network: preset.network,
        source: preset.source,
        quorum_set: preset.set(),
    };
    QUORUM_SET_PRESETS.iter().map(report).collect()
}

/// The name of a validator that people know.
#[must_use]
pub fn known_validator(key: &str) -> Option<&'static KnownArchive> {
    KNOWN_NETWORKS.iter().flat_map(|known| known.archives).find(|known| known.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_what_the_lists_say() {
        let shape = |name: &str| {
            let set = QuorumSetPreset::named(name).map(QuorumSetPreset::set).unwrap_or_default();
            assert_eq!(set.check(), Ok(()), "{name}");
            let inner: Vec<_> = set.inner_sets.iter().map(|inner| (inner.threshold, inner.validators.len())).collect();
            (set.threshold, set.validators.len(), inner)
        };
        assert_eq!(shape("testnet"), (2, 3, vec![]));
        assert_eq!(shape("futurenet"), (2, 3, vec![]));
        assert_eq!(shape("pubnet-sdf"), (2, 3, vec![]));
        assert_eq!(shape("pubnet"), (5, 0, vec![(2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3)]));
        assert_eq!(shape("pubnet-packages"), (5, 0, vec![(2, 3), (2, 3), (3, 5), (2, 3), (2, 3), (2, 3), (2, 3)]));
    }

    #[test]
    fn every_known_key_is_a_key_and_none_is_there_twice() {
        let keys: Vec<_> = KNOWN_NETWORKS.iter().flat_map(|known| known.archives).map(|known| known.key).collect();
        assert!(keys.iter().all(|key| key.parse::<NodeId>().is_ok()));
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn the_default_of_a_network_is_its_first() {
        for (network, name) in [("pubnet", Some("pubnet")), ("testnet", Some("testnet")), ("standalone", None)] {
            let network = Network::from_name_or_passphrase(network);
            assert_eq!(QuorumSetPreset::of_network(&network).map(|preset| preset.name), name);
        }
    }
}
