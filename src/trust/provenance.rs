//! Who made one ledger: the validator that proposed its value, and what each validator said of it (rules B.10 S2 to S4).
//!
//! What it is: what a page shows of a ledger. What it is not: a verdict on an archive; its records are verified before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stellar_xdr::{Limits, ScpEnvelope, ScpHistoryEntryV0, WriteXdr};

use super::preset::{Believed, known_validator};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::Hash256;
use crate::verify::header::Header;
use crate::verify::quorum::{QuorumSet, quorum_set_hash};
use crate::verify::signature::{Signed, is_signed_by};
use crate::verify::votes::{LedgerVotes, Said, Seal, Vote};

/// Statements that are shown: real ledgers have up to a hundred.
const MOST_STATEMENTS: usize = 1000;

/// Who made a ledger.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The ledger.
    pub ledger: LedgerSeq,
    /// The hash of its header.
    pub hash: Hash256,
    /// Who proposed its value; none where values are not signed (before protocol 14).
    pub proposer: Option<Proposer>,
    /// What validators said, in the archive's order.
    pub statements: Vec<Statement>,
    /// The seal of the ledger before, where the believed validators agreed on this one.
    pub seal: Option<Seal>,
    /// The quorum set that is believed.
    pub quorum_set: Option<String>,
}

/// A validator, by its key and the name that people know it by.
#[derive(Clone, Debug, Serialize)]
pub struct Validator {
    /// Its key.
    pub node: NodeId,
    /// Its name.
    pub name: Option<&'static str>,
    /// Whose it is.
    pub organisation: Option<&'static str>,
    /// Whether it is in the quorum set that is believed.
    pub believed: bool,
}

/// Who proposed a value.
#[derive(Clone, Debug, Serialize)]
pub struct Proposer {
    /// Who.
    #[serde(flatten)]
    pub validator: Validator,
    /// Whether its signature is right.
    pub valid: bool,
}

/// What a validator said.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Who.
    #[serde(flatten)]
    pub validator: Validator,
    /// `externalize`, `confirm`, `prepare` or `nominate`.
    pub kind: &'static str,
    /// Whether its signature is right.
    pub valid: bool,
    /// Whether it is of this ledger's slot and value; nominations say no value.
    pub agrees: bool,
    /// The hash of the quorum set that it went by.
    pub quorum_set: Hash256,
}

/// Who made the ledger of a header; `entry` is what the archive has of its messages.
#[must_use]
pub fn provenance(header: &Header, entry: Option<&ScpHistoryEntryV0>, network: &NetworkId, believed: Option<&Believed>) -> Provenance {
    let own = believed.map(|believed| believed.set.nodes()).unwrap_or_default();
    let proposer = header
        .value_signature()
        .map(|signature| Proposer { validator: validator(signature.proposer, &own), valid: signature.is_valid(network) });
    let messages = entry.map_or(&[][..], |entry| entry.ledger_messages.messages.as_slice());
    let statements = messages.iter().take(MOST_STATEMENTS).map(|envelope| statement(envelope, header, network, &own)).collect();
    let sets = entry.into_iter().flat_map(|entry| entry.quorum_sets.iter());
    let sets: BTreeMap<_, _> = sets.filter_map(|set| Some((quorum_set_hash(set)?, QuorumSet::sane(set)?))).collect();
    let mut votes = LedgerVotes::new(header);
    messages.iter().filter_map(|envelope| Vote::of(envelope, header)).for_each(|(node, vote)| votes.add(node, vote));
    Provenance {
        ledger: header.sequence,
        hash: header.hash,
        proposer,
        statements,
        seal: believed.and_then(|believed| votes.judge(network, &believed.set, &sets).seal),
        quorum_set: believed.map(|believed| believed.name.clone()),
    }
}

fn validator(node: NodeId, own: &BTreeSet<NodeId>) -> Validator {
    let known = known_validator(&node.to_string());
    Validator {
        node,
        name: known.map(|known| known.name),
        organisation: known.map(|known| known.organisation),
        believed: own.contains(&node),
    }
}

fn statement(envelope: &ScpEnvelope, header: &Header, network: &NetworkId, own: &BTreeSet<NodeId>) -> Statement {
    let said = &envelope.statement;
    let node = NodeId::from_xdr(&said.node_id);
    let Said { kind, quorum_set, value, .. } = Said::of(said);
    // What was decoded within limits is encoded within the same.
    let valid =
        said.to_xdr(Limits::none()).is_ok_and(|bytes| is_signed_by(&node, network, Signed::Statement, &[&bytes], &envelope.signature));
    Statement {
        validator: validator(node, own),
        kind,
        valid,
        agrees: said.slot_index == u64::from(header.sequence.value()) && value.is_none_or(|value| value == header.scp_value),
        quorum_set,
    }
}
