//! SCP messages of several archives, held together (rules B.10 S8): a quorum that no single archive shows may be found in all
//! of them.
//!
//! What it is: what the scp file of a checkpoint says, kept within bounds whatever its headers are, and the judgement of one
//! header by the messages of all. Signatures are verified only of nodes that the user's quorum set leads to, and until one of
//! a node is right: so neither a forged message nor a crowd of made-up nodes hides a real one.

use std::collections::{BTreeMap, BTreeSet};

use stellar_xdr::{ScpEnvelope, ScpHistoryEntryV0};

use super::header::Header;
use super::quorum::{QuorumSet, quorum_set_hash};
use super::votes::{LedgerVotes, Said, Seal, Vote};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::id::ArchiveId;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::Hash256;

/// Bytes of one scp file that are kept: those of real checkpoints are below 2 MB.
const MOST_BYTES: usize = 4 << 20;
/// Quorum sets that are kept of one file: real files have a handful.
const MOST_QUORUM_SETS: usize = 1000;
/// Signatures that are verified of one node over one ledger: real files have one, archives differ in a few.
const MOST_TRIES: usize = 32;

/// What the scp file of a checkpoint says.
#[derive(Clone, Debug, Default)]
pub struct ScpMessages {
    ledgers: BTreeMap<LedgerSeq, Vec<ScpEnvelope>>,
    quorum_sets: BTreeMap<Hash256, QuorumSet>,
    bytes: usize,
}

impl ScpMessages {
    /// Keeps an entry of that many bytes, as long as there is room.
    pub fn keep(&mut self, entry: &ScpHistoryEntryV0, bytes: usize) {
        if self.bytes.saturating_add(bytes) > MOST_BYTES {
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        for set in entry.quorum_sets.iter() {
            let Some(hash) = quorum_set_hash(set).filter(|_| self.quorum_sets.len() < MOST_QUORUM_SETS) else { continue };
            let sane = QuorumSet::sane(set);
            self.quorum_sets.extend(sane.map(|set| (hash, set)));
        }
        let of_ballots = entry.ledger_messages.messages.iter().filter(|envelope| Said::of(&envelope.statement).strength.is_some());
        self.ledgers.entry(LedgerSeq::new(entry.ledger_messages.ledger_seq)).or_default().extend(of_ballots.cloned());
    }

    /// What is said for the value of a header.
    fn votes<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = (NodeId, Vote)> + 'a {
        self.ledgers.get(&header.sequence).into_iter().flatten().filter_map(|envelope| Vote::of(envelope, header))
    }
}

/// A seal that the messages of several archives show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MergedSeal {
    /// The seal.
    pub seal: Seal,
    /// Whether no single archive shows it.
    pub merged: bool,
    /// Those who show it alone, or, if nobody does, those who have a message that it rests on.
    pub archives: Vec<ArchiveId>,
}

/// The messages of all archives, and whose word counts.
#[derive(Debug)]
pub struct Together<'a> {
    all: Vec<(ArchiveId, &'a ScpMessages)>,
    /// Sets are named by their hash: it is no matter whose file they are in.
    known: BTreeMap<Hash256, QuorumSet>,
    network: NetworkId,
    user: &'a QuorumSet,
}

impl<'a> Together<'a> {
    /// The messages of these archives.
    #[must_use]
    pub fn new(all: Vec<(ArchiveId, &'a ScpMessages)>, network: NetworkId, user: &'a QuorumSet) -> Self {
        let known = all.iter().flat_map(|(_, messages)| messages.quorum_sets.clone()).collect();
        Self { all, known, network, user }
    }

    /// Whether the user's validators agreed on a header's value, by what all archives have of their messages.
    #[must_use]
    pub fn judge(&self, header: &Header) -> Option<MergedSeal> {
        let (seal, sources) = self.judge_some(header, &self.all)?;
        let shows_it = |one: &&(ArchiveId, &ScpMessages)| {
            self.judge_some(header, core::slice::from_ref(*one)).is_some_and(|(own, _)| own.strength >= seal.strength)
        };
        let alone: Vec<_> = self.all.iter().filter(shows_it).map(|(archive, _)| *archive).collect();
        let merged = alone.is_empty();
        let rests_on = |archive: &ArchiveId| seal.signers.iter().any(|node| sources.get(node) == Some(archive));
        let archives = if merged { self.all.iter().map(|(archive, _)| *archive).filter(rests_on).collect() } else { alone };
        Some(MergedSeal { seal, merged, archives })
    }

    /// The seal, and whose message of each node counts.
    fn judge_some(&self, header: &Header, some: &[(ArchiveId, &ScpMessages)]) -> Option<(Seal, BTreeMap<NodeId, ArchiveId>)> {
        let mut said: BTreeMap<NodeId, Vec<(ArchiveId, Vote)>> = BTreeMap::new();
        for (archive, messages) in some {
            for (node, vote) in messages.votes(header) {
                said.entry(node).or_default().push((*archive, vote));
            }
        }
        let mut votes = LedgerVotes::new(header);
        let mut sources = BTreeMap::new();
        let mut ask: Vec<_> = self.user.nodes().into_iter().collect();
        while let Some(node) = ask.pop() {
            // What was asked once is taken out.
            let Some(said) = said.remove(&node) else { continue };
            let right = strongest_first(said).into_iter().find_map(|(archive, vote)| {
                let quorum_set = vote.quorum_set;
                votes.add_if_valid(node, vote, &self.network).then_some((archive, quorum_set))
            });
            let Some((archive, quorum_set)) = right else { continue };
            sources.insert(node, archive);
            ask.extend(self.known.get(&quorum_set).into_iter().flat_map(QuorumSet::nodes));
        }
        votes.judge(&self.network, self.user, &self.known).seal.map(|seal| (seal, sources))
    }
}

/// Turn by turn of each archive, so that many forged messages of one use up nobody else's tries; each one once.
fn strongest_first(said: Vec<(ArchiveId, Vote)>) -> Vec<(ArchiveId, Vote)> {
    let mut turns: BTreeMap<ArchiveId, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut ranked: Vec<_> = said
        .into_iter()
        .filter(|(_, vote)| seen.insert((vote.statement.clone(), vote.signature.clone())))
        .map(|(archive, vote)| {
            let turn = turns.entry(archive).or_default();
            let late = *turn / MOST_TRIES;
            *turn += 1;
            (late, core::cmp::Reverse(vote.strength), archive, vote)
        })
        .collect();
    ranked.sort_by_key(|(late, strength, ..)| (*late, *strength));
    ranked.retain(|(late, ..)| *late == 0);
    ranked.into_iter().map(|(.., archive, vote)| (archive, vote)).collect()
}
