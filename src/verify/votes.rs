//! What validators said of one ledger, and whether it is enough for the user (rules B.10 S1, S5 to S7).
//!
//! What it is: one statement a node, the strongest, whichever archives they came from (S8), and their judgement: signatures
//! are verified only as far as the user's validators, and those whom they depend on, need them. What it is not: aware of files.
//!
//! A quorum over ledger N is a quorum over N's value. The value names N's transaction set, and the set names the hash of
//! header N - 1: so it seals ledger N - 1 and all before it, but not N's own results.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stellar_xdr::{Limits, ScpEnvelope, ScpStatement, ScpStatementPledges, WriteXdr};

use super::header::{Header, ValueKind};
use super::quorum::{MOST_NODES, QuorumSet, greatest_quorum};
use super::signature::{Signed, is_signed_by};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::Hash256;
use crate::codec::u64_from;

/// Signatures of strangers that are verified to tell a quorum of strangers from noise.
const MOST_STRANGERS: usize = 16;

/// Bytes of the statements of one ledger that are kept: those of a hundred nodes are below 100 kB.
const MOST_BYTES: usize = 1 << 20;

/// How much a statement says for its value (S6).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// PREPARE that votes to commit: weaker, but where quorums intersect no other value can be ratified.
    CommitVote,
    /// EXTERNALIZE or CONFIRM: the node accepted the commit.
    AcceptedCommit,
}

/// What a statement says, whatever its kind.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// `externalize`, `confirm`, `prepare` or `nominate`.
    pub kind: &'static str,
    /// How much it says for its value; none if it does not commit to one.
    pub strength: Option<Strength>,
    /// The hash of the quorum set that the node went by.
    pub quorum_set: Hash256,
    /// The value of its ballot; nominations have none.
    pub value: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    /// Reads a statement.
    #[must_use]
    pub fn of(statement: &'a ScpStatement) -> Self {
        let (kind, strength, quorum_set, value) = match &statement.pledges {
            ScpStatementPledges::Externalize(said) => {
                ("externalize", Some(Strength::AcceptedCommit), &said.commit_quorum_set_hash, Some(&said.commit.value))
            }
            ScpStatementPledges::Confirm(said) => {
                ("confirm", Some(Strength::AcceptedCommit), &said.quorum_set_hash, Some(&said.ballot.value))
            }
            ScpStatementPledges::Prepare(said) => {
                ("prepare", (said.n_c != 0).then_some(Strength::CommitVote), &said.quorum_set_hash, Some(&said.ballot.value))
            }
            ScpStatementPledges::Nominate(said) => ("nominate", None, &said.quorum_set_hash, None),
        };
        Self { kind, strength, quorum_set: Hash256::new(quorum_set.0), value: value.map(|value| value.as_slice()) }
    }
}

/// One node's statement.
#[derive(Clone, Debug)]
pub struct Vote {
    /// How much it says.
    pub strength: Strength,
    /// The hash of the quorum set that the node went by.
    pub quorum_set: Hash256,
    /// XDR of the `SCPStatement`.
    pub statement: Vec<u8>,
    /// Over the statement.
    pub signature: Vec<u8>,
    /// Whether the signature is right, once it was looked at.
    valid: Option<bool>,
}

impl Vote {
    /// What an envelope says for the value of a header; `None` if it says nothing or something else.
    #[must_use]
    pub fn of(envelope: &ScpEnvelope, header: &Header) -> Option<(NodeId, Self)> {
        // What a value of a newer kind commits to is not known.
        if matches!(header.value_kind, ValueKind::Unknown(_)) {
            return None;
        }
        Self::for_value(envelope, header.sequence, &header.scp_value)
    }

    /// What an envelope says for the value of a ledger; `None` if it says nothing or something else.
    #[must_use]
    pub fn for_value(envelope: &ScpEnvelope, ledger: LedgerSeq, agreed: &[u8]) -> Option<(NodeId, Self)> {
        let statement = &envelope.statement;
        let Said { strength, quorum_set, value, .. } = Said::of(statement);
        let strength = strength?;
        if statement.slot_index != u64::from(ledger.value()) || value != Some(agreed) {
            return None;
        }
        // What was decoded within limits is encoded within the same.
        let bytes = statement.to_xdr(Limits::none()).ok()?;
        let vote = Self { strength, quorum_set, statement: bytes, signature: envelope.signature.to_vec(), valid: None };
        Some((NodeId::from_xdr(&statement.node_id), vote))
    }

    /// Whether the node signed it; looked at once.
    pub fn verify(&mut self, node: &NodeId, network: &NetworkId) -> bool {
        let verify = || is_signed_by(node, network, Signed::Statement, &[&self.statement], &self.signature);
        *self.valid.get_or_insert_with(verify)
    }
}

/// The statements about one ledger that are for its header's value.
#[derive(Clone, Debug)]
pub struct LedgerVotes {
    /// The ledger.
    pub ledger: LedgerSeq,
    /// The hash of the ledger before, which a quorum seals.
    pub previous_hash: Hash256,
    votes: BTreeMap<NodeId, Vote>,
    bytes: usize,
}

/// The signatures over one ledger that the user believes, and what they seal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// The highest ledger that is sealed.
    pub ledger: LedgerSeq,
    /// The hash of its header.
    pub hash: Hash256,
    /// The ledger whose value was signed: the one after.
    pub signed: LedgerSeq,
    /// How much the signatures say.
    pub strength: Strength,
    /// Validators of the user's quorum set that signed.
    pub signers: Vec<NodeId>,
    /// Validators in the user's quorum set.
    pub of: u64,
    /// Signers that the user does not name but the quorum rests on.
    pub others: u64,
}

/// What the signatures over a ledger come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// A quorum that the user believes; without one, nothing is proven, and nothing is wrong.
    pub seal: Option<Seal>,
    /// Validators of the user's quorum set whose signatures are right.
    pub trusted: Vec<NodeId>,
    /// Nodes whose signature is not theirs.
    pub forged: Vec<NodeId>,
    /// Nodes outside of the user's quorum set that are a quorum by their own rules, where none of the user's signed.
    pub strangers: u64,
}

impl LedgerVotes {
    /// No votes yet for a header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self::on_top_of(header.sequence, header.previous_hash)
    }

    /// No votes yet for a ledger, by the hash of the one before it.
    #[must_use]
    pub fn on_top_of(ledger: LedgerSeq, previous_hash: Hash256) -> Self {
        Self { ledger, previous_hash, votes: BTreeMap::new(), bytes: 0 }
    }

    /// Adds a node's vote; of several, the strongest counts.
    pub fn add(&mut self, node: NodeId, vote: Vote) {
        let known = self.votes.get(&node);
        let bytes = self.bytes.saturating_add(vote.statement.len());
        if known.is_some_and(|known| known.strength >= vote.strength) || bytes > MOST_BYTES || self.votes.len() >= MOST_NODES {
            return;
        }
        self.bytes = bytes;
        self.votes.insert(node, vote);
    }

    /// Adds a vote of another archive, whose signature must be right: a forged one must not hide a real one (S8).
    pub fn add_if_valid(&mut self, node: NodeId, mut vote: Vote, network: &NetworkId) -> bool {
        let valid = vote.verify(&node, network);
        if valid {
            self.add(node, vote);
        }
        valid
    }

    /// Whether one of those said something.
    #[must_use]
    pub fn has_one_of(&self, nodes: &BTreeSet<NodeId>) -> bool {
        nodes.iter().any(|node| self.votes.contains_key(node))
    }

    /// Whether one of those said something and signed it.
    pub fn is_signed_by_one_of(&mut self, nodes: &BTreeSet<NodeId>, network: &NetworkId) -> bool {
        nodes.iter().any(|node| self.votes.get_mut(node).is_some_and(|vote| vote.verify(node, network)))
    }

    /// Who said something.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &Vote)> {
        self.votes.iter()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.votes.is_empty()
    }

    /// Whether the user's validators, by their own quorum sets, agreed on it. `known` are the sets by their hash.
    pub fn judge(&mut self, network: &NetworkId, user: &QuorumSet, known: &BTreeMap<Hash256, QuorumSet>) -> Judgement {
        let own = user.nodes();
        let (heard, forged) = self.hear(network, &own, known);
        let trusted: Vec<_> = own.intersection(&heard).copied().collect();
        let seal = [Strength::AcceptedCommit, Strength::CommitVote].into_iter().find_map(|strength| {
            let quorum = self.quorum(&heard, strength, known)?;
            user.is_satisfied_by(&quorum).then(|| self.seal(strength, &quorum, &own))
        });
        let strangers = if seal.is_none() && trusted.is_empty() { self.strangers(network, known) } else { 0 };
        Judgement { seal, trusted, forged: forged.into_iter().collect(), strangers }
    }

    /// The nodes with a right signature among the user's and those whom they depend on, and those with a wrong one.
    fn hear(
        &mut self,
        network: &NetworkId,
        own: &BTreeSet<NodeId>,
        known: &BTreeMap<Hash256, QuorumSet>,
    ) -> (BTreeSet<NodeId>, BTreeSet<NodeId>) {
        let (mut heard, mut forged) = (BTreeSet::new(), BTreeSet::new());
        let mut sets = BTreeSet::new();
        let mut ask: Vec<_> = own.iter().copied().collect();
        while let Some(node) = ask.pop() {
            let Some(vote) = self.votes.get_mut(&node).filter(|_| !heard.contains(&node) && !forged.contains(&node)) else { continue };
            if !vote.verify(&node, network) {
                forged.insert(node);
                continue;
            }
            heard.insert(node);
            if sets.insert(vote.quorum_set)
                && let Some(set) = known.get(&vote.quorum_set)
            {
                ask.extend(set.nodes());
            }
        }
        (heard, forged)
    }

    fn quorum(&self, heard: &BTreeSet<NodeId>, strength: Strength, known: &BTreeMap<Hash256, QuorumSet>) -> Option<BTreeSet<NodeId>> {
        let voters = self.votes.iter().filter(|(node, vote)| heard.contains(node) && vote.strength >= strength);
        // A node whose set is unknown is no member (rules E 10).
        let voters: BTreeMap<_, _> = voters.filter_map(|(node, vote)| Some((*node, known.get(&vote.quorum_set)?))).collect();
        greatest_quorum(&voters)
    }

    fn seal(&self, strength: Strength, quorum: &BTreeSet<NodeId>, own: &BTreeSet<NodeId>) -> Seal {
        Seal {
            ledger: LedgerSeq::new(self.ledger.value().saturating_sub(1)),
            hash: self.previous_hash,
            signed: self.ledger,
            strength,
            signers: own.intersection(quorum).copied().collect(),
            of: u64_from(own.len()),
            others: u64_from(quorum.difference(own).count()),
        }
    }

    fn strangers(&mut self, network: &NetworkId, known: &BTreeMap<Hash256, QuorumSet>) -> u64 {
        let mut heard = BTreeSet::new();
        for (node, vote) in self.votes.iter_mut().take(MOST_STRANGERS) {
            if vote.verify(node, network) {
                heard.insert(*node);
            }
        }
        self.quorum(&heard, Strength::CommitVote, known).map_or(0, |quorum| u64_from(quorum.len()))
    }
}
