//! Quorum sets, and whether votes are a quorum (rules B.10 S5 to S7; stellar-core `QuorumSetUtils.cpp`, `LocalNode.cpp`).
//!
//! What it is: sets and counting. What it is not: signatures; whoever calls has checked them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stellar_xdr::{Limits, PublicKey, ScpQuorumSet, Uint256, WriteXdr};

use crate::archive::node::NodeId;
use crate::codec::hash::{Hash256, sha256};
use crate::codec::usize_from;

/// stellar-core's `MAXIMUM_QUORUM_NESTING_LEVEL`: the outermost set is level 0.
const DEEPEST: u32 = 4;
/// stellar-core's `MAXIMUM_QUORUM_NODES`.
pub const MOST_NODES: usize = 1000;
/// Looks at a member that one question may cost: real questions cost a few thousand. Past it the answer is "unknown".
const MOST_LOOKS: u64 = 20_000_000;
/// Levels that JSON and XDR are read to; deeper ones are refused before they cost anything.
const READ_DEPTH: u32 = 16;

/// A quorum set: so many of its members, some of which may be sets themselves.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QuorumSet {
    /// How many members agree.
    pub threshold: u32,
    /// Nodes.
    #[serde(default)]
    pub validators: Vec<NodeId>,
    /// Sets.
    #[serde(alias = "inner_sets", alias = "innerQuorumSets", default)]
    pub inner_sets: Vec<QuorumSet>,
}

/// Why a quorum set is none that stellar-core would take.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QuorumSetError {
    /// JSON that is none.
    #[error(
        "it is no quorum set ({0}): one is {{\"threshold\":2,\"validators\":[\"G…\"],\"innerSets\":[…]}}, with innerSets of the same form"
    )]
    Json(String),
    /// A node is in it twice.
    #[error("the node {0} is in it twice")]
    Duplicate(NodeId),
    /// More than [`MOST_NODES`] nodes, or none.
    #[error("it has {0} nodes; there must be from 1 to {MOST_NODES}")]
    Nodes(usize),
    /// A threshold that cannot be met, or that nothing need meet.
    #[error("a threshold is {threshold} of {members} members: it must be from 1 to {members}")]
    Threshold {
        /// As it is.
        threshold: u32,
        /// Members of that set.
        members: usize,
    },
    /// Sets within sets within sets.
    #[error("its sets are nested deeper than {DEEPEST} levels")]
    TooDeep,
}

impl QuorumSet {
    /// Reads JSON, as this crate, stellar-core's XDR tools or network explorers write it.
    ///
    /// # Errors
    /// Why it is no quorum set that stellar-core would take.
    pub fn from_json(json: &str) -> Result<Self, QuorumSetError> {
        // serde_json itself refuses what is nested deeper than 128 levels.
        let set: Self = serde_json::from_str(json).map_err(|error| QuorumSetError::Json(error.to_string()))?;
        set.check()?;
        Ok(set)
    }

    /// The same set of an XDR value.
    #[must_use]
    pub fn from_xdr(set: &ScpQuorumSet) -> Option<Self> {
        Self::read(set, READ_DEPTH)
    }

    /// The same set of an XDR value, if stellar-core would take it.
    #[must_use]
    pub fn sane(set: &ScpQuorumSet) -> Option<Self> {
        Self::from_xdr(set).filter(|set| set.check().is_ok())
    }

    fn read(set: &ScpQuorumSet, depth: u32) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        Some(Self {
            threshold: set.threshold,
            validators: set.validators.iter().map(NodeId::from_xdr).collect(),
            inner_sets: set.inner_sets.iter().map(|inner| Self::read(inner, depth)).collect::<Option<_>>()?,
        })
    }

    /// Whether stellar-core would take it (`isQuorumSetSane` without its extra checks).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), QuorumSetError> {
        let mut seen = BTreeSet::new();
        self.check_level(0, &mut seen)?;
        match seen.len() {
            1..=MOST_NODES => Ok(()),
            other => Err(QuorumSetError::Nodes(other)),
        }
    }

    fn check_level(&self, depth: u32, seen: &mut BTreeSet<NodeId>) -> Result<(), QuorumSetError> {
        if depth > DEEPEST {
            return Err(QuorumSetError::TooDeep);
        }
        let members = self.validators.len() + self.inner_sets.len();
        if self.threshold == 0 || usize_from(self.threshold) > members {
            return Err(QuorumSetError::Threshold { threshold: self.threshold, members });
        }
        for node in &self.validators {
            if !seen.insert(*node) {
                return Err(QuorumSetError::Duplicate(*node));
            }
            if seen.len() > MOST_NODES {
                return Err(QuorumSetError::Nodes(seen.len()));
            }
        }
        self.inner_sets.iter().try_for_each(|inner| inner.check_level(depth + 1, seen))
    }

    /// The XDR value.
    #[must_use]
    pub fn to_xdr(&self) -> ScpQuorumSet {
        let node = |node: &NodeId| stellar_xdr::NodeId(PublicKey::PublicKeyTypeEd25519(Uint256(*node.as_bytes())));
        ScpQuorumSet {
            threshold: self.threshold,
            // XDR's own limit is 2^32 - 1 members.
            validators: self.validators.iter().map(node).collect::<Vec<_>>().try_into().unwrap_or_default(),
            inner_sets: self.inner_sets.iter().map(Self::to_xdr).collect::<Vec<_>>().try_into().unwrap_or_default(),
        }
    }

    /// SHA-256 of its XDR, as statements name it.
    #[must_use]
    pub fn digest(&self) -> Hash256 {
        quorum_set_hash(&self.to_xdr()).unwrap_or_default()
    }

    /// Every node in it, in their order.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<NodeId> {
        let inner = self.inner_sets.iter().flat_map(|inner| inner.nodes());
        self.validators.iter().copied().chain(inner).collect()
    }

    /// Whether those nodes are a slice of it: as many of its members as its threshold says.
    #[must_use]
    pub fn is_satisfied_by(&self, nodes: &BTreeSet<NodeId>) -> bool {
        let mut looks = 0;
        self.slice(&|node| nodes.contains(node), &mut looks)
    }

    fn slice(&self, agrees: &dyn Fn(&NodeId) -> bool, looks: &mut u64) -> bool {
        let mut missing = usize_from(self.threshold);
        for node in &self.validators {
            *looks += 1;
            missing -= usize::from(missing > 0 && agrees(node));
            if missing == 0 {
                return true;
            }
        }
        for inner in &self.inner_sets {
            missing -= usize::from(missing > 0 && inner.slice(agrees, looks));
            if missing == 0 {
                return true;
            }
        }
        false
    }
}

/// SHA-256 of the XDR of a set that came from an archive (S5). Decoding is strict, so encoding gives its bytes back.
#[must_use]
pub fn quorum_set_hash(set: &ScpQuorumSet) -> Option<Hash256> {
    // What was decoded within limits is encoded within the same.
    set.to_xdr(Limits::none()).ok().map(|bytes| sha256(&[&bytes]))
}

/// The greatest set of voters that is a quorum by the voters' own rules: those whose set is satisfied by it (S6). `None` if the
/// question costs more than any real one.
#[must_use]
pub fn greatest_quorum(voters: &BTreeMap<NodeId, &QuorumSet>) -> Option<BTreeSet<NodeId>> {
    let mut quorum: BTreeSet<NodeId> = voters.keys().copied().collect();
    let mut looks = 0;
    loop {
        // Nodes of one organisation share their set, and its answer.
        let mut answers: Vec<(&QuorumSet, bool)> = Vec::new();
        let mut left = BTreeSet::new();
        for (node, set) in voters.iter().filter(|(node, _)| quorum.contains(node)) {
            let known = answers.iter().find(|(other, _)| core::ptr::eq(*other, *set)).map(|(_, answer)| *answer);
            let holds = known.unwrap_or_else(|| {
                let holds = set.slice(&|node| quorum.contains(node), &mut looks);
                answers.push((set, holds));
                holds
            });
            if holds {
                left.insert(*node);
            }
            if looks > MOST_LOOKS {
                return None;
            }
        }
        if left.len() == quorum.len() {
            return Some(quorum);
        }
        quorum = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::new([number; 32])
    }

    fn set(threshold: u32, nodes: &[u8]) -> QuorumSet {
        QuorumSet { threshold, validators: nodes.iter().copied().map(node).collect(), inner_sets: Vec::new() }
    }

    fn nodes(numbers: &[u8]) -> BTreeSet<NodeId> {
        numbers.iter().copied().map(node).collect()
    }

    #[test]
    fn a_nested_set_counts_members_not_nodes() {
        let nested = QuorumSet { threshold: 2, validators: vec![node(9)], inner_sets: vec![set(2, &[1, 2, 3]), set(2, &[4, 5, 6])] };
        assert!(nested.is_satisfied_by(&nodes(&[1, 2, 4, 5])));
        assert!(nested.is_satisfied_by(&nodes(&[9, 5, 6])));
        assert!(!nested.is_satisfied_by(&nodes(&[1, 2, 3, 4])));
        assert!(!nested.is_satisfied_by(&nodes(&[9, 1, 4])));
    }

    #[test]
    fn the_greatest_quorum_drops_whoever_depends_on_the_absent() {
        let (ring, needs_absent, needs_dropped) = (set(2, &[1, 2, 3]), set(2, &[4, 99]), set(2, &[4, 5]));
        let voters =
            BTreeMap::from([(node(1), &ring), (node(2), &ring), (node(3), &ring), (node(4), &needs_absent), (node(5), &needs_dropped)]);
        assert_eq!(greatest_quorum(&voters), Some(nodes(&[1, 2, 3])));
        let alone = BTreeMap::from([(node(1), &ring)]);
        assert_eq!(greatest_quorum(&alone), Some(BTreeSet::new()));
    }

    #[test]
    fn a_question_that_was_made_to_cost_too_much_has_no_answer() {
        // Each round drops one node only, and each set is large.
        let count: u16 = 1000;
        let id = |number: u16| {
            let mut key = [0; 32];
            key[..2].copy_from_slice(&number.to_be_bytes());
            NodeId::new(key)
        };
        let sets: Vec<_> = (0..count)
            .map(|own| QuorumSet {
                threshold: u32::from(count - own),
                validators: (own..count).map(|other| id(if other == count - 1 { u16::MAX } else { other + 1 })).collect(),
                inner_sets: Vec::new(),
            })
            .collect();
        let voters: BTreeMap<_, _> = (0..count).zip(&sets).map(|(own, set)| (id(own), set)).collect();
        assert!(greatest_quorum(&voters).is_none_or(|quorum| quorum.is_empty()));
    }

    #[test]
    fn sets_that_stellar_core_refuses_are_refused() {
        let mut deep = set(1, &[1]);
        for _ in 0..5 {
            deep = QuorumSet { threshold: 1, validators: Vec::new(), inner_sets: vec![deep] };
        }
        for (wrong, why) in [
            (set(0, &[1]), "threshold"),
            (set(3, &[1, 2]), "threshold"),
            (set(1, &[1, 1]), "twice"),
            (QuorumSet { threshold: 1, validators: vec![node(1)], inner_sets: vec![set(1, &[1])] }, "twice"),
            (set(1, &[]), "threshold"),
            (deep.clone(), "deeper"),
        ] {
            assert!(wrong.check().is_err_and(|error| error.to_string().contains(why)), "{wrong:?}");
        }
        let QuorumSet { inner_sets, .. } = deep;
        assert!(inner_sets.iter().all(|inner| inner.check().is_ok()), "four levels below the first are lawful");
    }

    #[test]
    fn json_of_several_tools_is_read_and_what_is_wrong_with_it_is_said() {
        let key = "GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y";
        for text in [
            format!(r#"{{"threshold":1,"validators":["{key}"]}}"#),
            format!(r#"{{"threshold":1,"validators":["{key}"],"inner_sets":[]}}"#),
            format!(r#"{{"threshold":1,"validators":[],"innerQuorumSets":[{{"threshold":1,"validators":["{key}"]}}]}}"#),
        ] {
            assert!(QuorumSet::from_json(&text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("[]".to_owned(), "no quorum set"),
            (format!(r#"{{"threshold":1,"validators":["{key}"],"treshold":1}}"#), "treshold"),
            (r#"{"threshold":1,"validators":["GABC"]}"#.to_owned(), "no public key"),
            (format!(r#"{{"threshold":2,"validators":["{key}"]}}"#), "2 of 1"),
        ] {
            assert!(QuorumSet::from_json(&text).is_err_and(|error| error.to_string().contains(why)), "{text}");
        }
    }
}
