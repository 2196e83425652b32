//! What validators said of a ledger: who, how strongly, whether it is really theirs, and by which quorum set (rules B.10).
//!
//! What it is not: a judgement on whether they are enough; that depends on whom one believes.

use std::collections::BTreeMap;

use serde::Serialize;
use stellar_xdr::{Limits, ScpEnvelope, ScpStatementPledges, WriteXdr};

use super::check::Outcome;
use super::checkpoint::Held;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::{Hash256, sha256};
use crate::verify::quorum::{QuorumSet, quorum_set_hash};
use crate::verify::signature::{Signed, is_signed_by};
use crate::verify::votes::Said;

/// Nodes that are shown, whose signatures are verified: real ledgers have up to a hundred.
const MOST_NODES: usize = 1000;

/// Messages that are shown, whose signatures are verified as well: nodes keep one or two for a ledger.
const MOST_MESSAGES: usize = 4000;

/// Kinds of statements, the strongest first.
const KINDS: [&str; 4] = ["externalize", "confirm", "prepare", "nominate"];

/// The messages over a ledger.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScpView {
    /// Who said something; the strongest first.
    pub nodes: Vec<ScpNode>,
    /// The quorum sets that they went by, as far as the file has them.
    pub quorum_sets: Vec<NamedSet>,
    /// Who proposed the value, where values are signed.
    pub proposer: Option<NodeId>,
}

/// What a node said.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScpNode {
    /// Who.
    pub node: NodeId,
    /// `EXTERNALIZE`, `CONFIRM`, `PREPARE`, `NOMINATE`; the strongest first, each once.
    pub statements: Vec<String>,
    /// Whether the strongest is signed by the node.
    pub signature: Outcome,
    /// Whether its value is the header's; nominations have none.
    pub same_value: Option<bool>,
    /// The hash of the quorum set that it named.
    pub quorum_set: Option<Hash256>,
    /// All that it said, the strongest first.
    pub said: Vec<Statement>,
}

/// One message of a node.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// As in `statements`.
    pub kind: String,
    /// The counter of its ballot; nominations have none.
    pub counter: Option<u32>,
    /// What else it says, in words.
    pub words: String,
    /// SHA-256 of the value of its ballot.
    pub value: Option<Hash256>,
    /// Whether that is the header's.
    pub same_value: Option<bool>,
    /// Whether it is signed by the node.
    pub signature: Outcome,
}

/// A quorum set by its hash.
#[derive(Clone, Debug, Serialize)]
pub struct NamedSet {
    /// As messages name it.
    pub hash: Hash256,
    /// What it is.
    pub set: QuorumSet,
}

impl Held {
    /// What validators said of a ledger; none without messages.
    pub(crate) fn scp_view(&self, ledger: LedgerSeq) -> Option<ScpView> {
        let entry = self.messages(ledger)?;
        let header = self.header(ledger)?.header;
        let network = self.network.as_ref().map(crate::archive::network::Network::id);
        let mut nodes: BTreeMap<NodeId, Vec<&ScpEnvelope>> = BTreeMap::new();
        for envelope in entry.ledger_messages.messages.iter().take(MOST_MESSAGES) {
            let node = NodeId::from_xdr(&envelope.statement.node_id);
            if nodes.len() < MOST_NODES || nodes.contains_key(&node) {
                nodes.entry(node).or_default().push(envelope);
            }
        }
        let view = |node: &NodeId, said: &[&ScpEnvelope]| {
            let of_kind = |kind: &str| said.iter().find(|envelope| Said::of(&envelope.statement).kind == kind).copied();
            let statements: Vec<_> = KINDS.into_iter().filter(|kind| of_kind(kind).is_some()).collect();
            let strongest = of_kind(statements.first()?)?;
            let Said { quorum_set, value, .. } = Said::of(&strongest.statement);
            let shown = |kind: &'static str| said.iter().filter(move |envelope| Said::of(&envelope.statement).kind == kind);
            Some(ScpNode {
                said: KINDS
                    .into_iter()
                    .flat_map(shown)
                    .map(|envelope| statement(node, envelope, &header.scp_value, network.as_ref()))
                    .collect(),
                node: *node,
                statements: statements.into_iter().map(str::to_uppercase).collect(),
                signature: signature(node, strongest, network.as_ref()),
                same_value: value.map(|value| value == header.scp_value),
                quorum_set: Some(quorum_set),
            })
        };
        let views: Vec<_> = nodes.iter().filter_map(|(node, said)| view(node, said)).collect();
        let strongest =
            |kind: &'static str| views.iter().filter(move |view| view.statements.first().is_some_and(|own| own.eq_ignore_ascii_case(kind)));
        let mut sets = BTreeMap::new();
        for set in entry.quorum_sets.iter() {
            sets.extend(quorum_set_hash(set).zip(QuorumSet::from_xdr(set)));
        }
        Some(ScpView {
            nodes: KINDS.into_iter().flat_map(strongest).cloned().collect(),
            quorum_sets: sets.into_iter().map(|(hash, set)| NamedSet { hash, set }).collect(),
            proposer: header.value_signature().map(|signature| signature.proposer),
        })
    }
}

fn statement(node: &NodeId, envelope: &ScpEnvelope, agreed: &[u8], network: Option<&NetworkId>) -> Statement {
    let Said { kind, value, .. } = Said::of(&envelope.statement);
    let (counter, words) = match &envelope.statement.pledges {
        ScpStatementPledges::Externalize(said) => (Some(said.commit.counter), format!("committed up to ballot {}", said.n_h)),
        ScpStatementPledges::Confirm(said) => (
            Some(said.ballot.counter),
            format!("prepared up to ballot {}, accepts the commit of ballots {} to {}", said.n_prepared, said.n_commit, said.n_h),
        ),
        ScpStatementPledges::Prepare(said) => {
            let prepared = said
                .prepared
                .as_ref()
                .map_or_else(|| "nothing prepared".to_owned(), |ballot| format!("prepared ballot {}", ballot.counter));
            let commit = if said.n_c == 0 { String::new() } else { format!(", votes to commit ballots {} to {}", said.n_c, said.n_h) };
            (Some(said.ballot.counter), format!("{prepared}{commit}"))
        }
        ScpStatementPledges::Nominate(said) => (None, format!("voted for {}, accepted {}", said.votes.len(), said.accepted.len())),
    };
    Statement {
        kind: kind.to_uppercase(),
        counter,
        words,
        value: value.map(|value| sha256(&[value])),
        same_value: value.map(|value| value == agreed),
        signature: signature(node, envelope, network),
    }
}

fn signature(node: &NodeId, envelope: &ScpEnvelope, network: Option<&NetworkId>) -> Outcome {
    let Some(network) = network else { return Outcome::Unknown };
    // What was decoded within limits is encoded within the same.
    let Ok(statement) = envelope.statement.to_xdr(Limits::none()) else { return Outcome::Unknown };
    if is_signed_by(node, network, Signed::Statement, &[&statement], &envelope.signature) { Outcome::Holds } else { Outcome::Broken }
}
