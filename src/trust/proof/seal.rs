//! The part that all proofs share: headers, and the signatures that seal them (rules B.5, B.7 T1 to T5, B.10).
//!
//! It goes from what is signed down to what is claimed, so that each field is held against one that is already known to be
//! right: envelopes, value, transaction set, last header, first header. What it is not: a judge of whose word counts; votes go
//! to [`LedgerVotes`], as they do when an archive is verified.

use std::collections::BTreeMap;

use stellar_xdr::{Limits, ScpEnvelope, ScpQuorumSet, WriteXdr};

use super::Steps;
use super::read::{Fault, XDR_DEPTH, base64, not_xdr, same, xdr};
use super::wire;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::{Hash256, sha256};
use crate::trust::checkpoint_hashes::CheckpointHashes;
use crate::verify::envelope::{Envelope, envelopes_of_set};
use crate::verify::header::{AgreedValue, Header, ValueKind};
use crate::verify::quorum::{MOST_NODES, QuorumSet, quorum_set_hash};
use crate::verify::signature::{Signed, is_signed_by};
use crate::verify::transactions::SetEra;
use crate::verify::votes::{LedgerVotes, Vote};

/// CAP-83.
const FIRST_PROTOCOL_WITH_DROPPED_SETS: u32 = 28;

/// What a sound seal says.
pub(super) struct Sealed {
    /// The votes, for whoever knows whom to believe.
    pub(super) votes: LedgerVotes,
    /// The quorum sets that the votes name.
    pub(super) quorum_sets: BTreeMap<Hash256, QuorumSet>,
    /// How the value names the ledger before it.
    base: Base,
}

enum Base {
    /// By its transaction set, which is of this era's format.
    Set { legacy: bool },
    /// By itself: the set was dropped (CAP-83).
    Value { previous_version: u32 },
}

/// Checks the signatures, and that what they sign names the hash of a header.
pub(super) fn check_seal(steps: &mut Steps, seal: &wire::Seal, network: &NetworkId) -> Result<Sealed, Fault> {
    let ledger = LedgerSeq::new(seal.ledger);
    let value = base64("seal.value", &seal.value)?;
    let votes = check_envelopes(seal, ledger, &value, network)?;
    let count = votes.len();
    steps.holds("seal.envelopes", format!("{count} nodes signed seal.value for ledger {ledger} of this network, each once"));
    let quorum_sets = check_quorum_sets(seal, &votes)?;
    steps.holds("seal.quorumSets", "each hashes to what an envelope names, and every envelope's is here");
    let (previous_hash, base) = check_base(seal, &value)?;
    steps.holds(
        if seal.transaction_set.is_some() { "seal.transactionSet" } else { "seal.value" },
        format!("what they signed names {previous_hash} as the hash of ledger {}", ledger.value().saturating_sub(1)),
    );
    let mut on_top = LedgerVotes::on_top_of(ledger, previous_hash);
    votes.into_iter().for_each(|(node, vote)| on_top.add(node, vote));
    Ok(Sealed { votes: on_top, quorum_sets, base })
}

/// Every envelope is of another node, rising, really signed, and for the value.
fn check_envelopes(seal: &wire::Seal, ledger: LedgerSeq, value: &[u8], network: &NetworkId) -> Result<Vec<(NodeId, Vote)>, Fault> {
    let count = seal.envelopes.len();
    if !(1..=MOST_NODES).contains(&count) {
        let message = format!("there must be from 1 to {MOST_NODES} envelopes; leave the seal out if there are none");
        return Err(Fault::new("seal.envelopes", message).comparing(format!("1 to {MOST_NODES}"), count));
    }
    let mut signed = Vec::new();
    for (index, text) in seal.envelopes.iter().enumerate() {
        let field = format!("seal.envelopes[{index}]");
        let envelope: ScpEnvelope = xdr(&field, "SCPEnvelope", &base64(&field, text)?)?;
        let node = NodeId::from_xdr(&envelope.statement.node_id);
        if signed.last().is_some_and(|(_, last, _, _)| *last >= node) {
            return Err(Fault::new(field, "envelopes must rise by their node's key, and each node has one"));
        }
        // What was decoded is encoded again to the same bytes.
        let statement = envelope.statement.to_xdr(Limits::none()).unwrap_or_default();
        let valid = is_signed_by(&node, network, Signed::Statement, &[&statement], &envelope.signature);
        signed.push((field, node, envelope, valid));
    }
    if count > 1 && signed.iter().all(|(_, _, _, valid)| !valid) {
        return Err(Fault::new("network", "none of seal.envelopes is signed by its node for this network"));
    }
    let vote = |(index, (field, node, envelope, valid)): (usize, (String, NodeId, ScpEnvelope, bool))| {
        if !valid {
            let fault = Fault::new(field, "the signature is not that of the envelope's node for this network");
            return Err(fault.comparing(format!("a signature of {node}"), "another"));
        }
        let slot = envelope.statement.slot_index;
        if slot != u64::from(ledger.value()) {
            let message = format!("{field} is of another slot than seal.ledger");
            return Err(Fault::new(blamed("seal.ledger", index, field), message).comparing(slot, ledger));
        }
        let quorum_vote = Vote::for_value(&envelope, ledger, value);
        quorum_vote.ok_or_else(|| {
            let message = format!("{field} is not for seal.value: it votes for another one, or for none yet");
            Fault::new(blamed("seal.value", index, field), message)
        })
    };
    signed.into_iter().enumerate().map(vote).collect()
}

/// Where the first envelope already disagrees, what it disagrees with is to blame: its own signature is right.
fn blamed(field: &str, index: usize, envelope: String) -> String {
    if index == 0 { field.to_owned() } else { envelope }
}

fn check_quorum_sets(seal: &wire::Seal, votes: &[(NodeId, Vote)]) -> Result<BTreeMap<Hash256, QuorumSet>, Fault> {
    let mut sets = BTreeMap::new();
    for (index, text) in seal.quorum_sets.iter().enumerate() {
        let field = format!("seal.quorumSets[{index}]");
        let set: ScpQuorumSet = xdr(&field, "SCPQuorumSet", &base64(&field, text)?)?;
        let hash = quorum_set_hash(&set).unwrap_or_default();
        if votes.iter().all(|(_, vote)| vote.quorum_set != hash) {
            return Err(Fault::new(field, format!("no envelope names the quorum set {hash}")));
        }
        if sets.last_key_value().is_some_and(|(last, _)| *last >= hash) {
            return Err(Fault::new(field, "quorum sets must rise by their hash, and each is there once"));
        }
        let read = QuorumSet::from_xdr(&set).ok_or_else(|| "its sets are nested too deep".to_owned());
        let sane = read.and_then(|set| set.check().map(|()| set).map_err(|error| error.to_string()));
        sets.insert(hash, sane.map_err(|why| Fault::new(field, format!("stellar-core takes no such quorum set: {why}")))?);
    }
    match votes.iter().find(|(_, vote)| !sets.contains_key(&vote.quorum_set)) {
        Some((node, vote)) => {
            let message = format!("the envelope of {node} names the quorum set {}, which is not here", vote.quorum_set);
            Err(Fault::new("seal.quorumSets", message))
        }
        None => Ok(sets),
    }
}

/// The hash of the ledger before, which the signed value names through its set or by itself.
fn check_base(seal: &wire::Seal, value: &[u8]) -> Result<(Hash256, Base), Fault> {
    let value = AgreedValue::parse(value).map_err(|error| not_xdr("seal.value", "StellarValue", &error))?;
    let field = "seal.transactionSet";
    match (value.kind, &seal.transaction_set) {
        (ValueKind::EmptyTxSet { previous_hash, previous_version }, None) => {
            same("seal.value", "a value without a set names the zero hash as its set", &Hash256::ZERO, &value.tx_set_hash)?;
            Ok((previous_hash, Base::Value { previous_version }))
        }
        (ValueKind::EmptyTxSet { .. }, Some(_)) => Err(Fault::new(field, "the validators dropped the set (CAP-83), so none belongs here")),
        (ValueKind::Unknown(kind), _) => {
            let message = format!("the value is of kind {kind}, which is newer than this verifier: what it commits to is not known");
            Err(Fault::new("seal.value", message))
        }
        (_, None) => Err(Fault::new(field, "it is missing: seal.value names a set by its hash")),
        (_, Some(set)) => {
            let set = Set::read(field, set)?;
            same(field, "it does not hash to what seal.value names", &value.tx_set_hash, &set.hash)?;
            Ok((set.previous_hash, Base::Set { legacy: set.legacy }))
        }
    }
}

/// Headers that follow each other, from the ledger that a proof is about up.
pub(super) struct Chain {
    pub(super) headers: Vec<Header>,
    /// Those whose hash the reader trusts.
    pub(super) trusted: Vec<(LedgerSeq, Hash256)>,
}

/// Checks headers from the sealed one down to the first, and against hashes that the user trusts; says which of those are
/// among them.
pub(super) fn check_headers(
    steps: &mut Steps,
    ledger: LedgerSeq,
    texts: &[String],
    sealed: Option<&Sealed>,
    trusted: &CheckpointHashes,
) -> Result<Chain, Fault> {
    let mut headers: Vec<Header> = Vec::new();
    let mut matched = Vec::new();
    for (index, text) in texts.iter().enumerate().rev() {
        let field = format!("headers[{index}]");
        let header = Header::parse(&base64(&field, text)?).map_err(|error| not_xdr(&field, "LedgerHeader", &error))?;
        let above = match (headers.last(), sealed) {
            (Some(above), _) => Some((above.previous_hash, above.sequence, format!("headers[{}]", index + 1))),
            (None, Some(sealed)) => Some((sealed.votes.previous_hash, sealed.votes.ledger, "what the seal signs".to_owned())),
            (None, None) => None,
        };
        if let Some((hash, sequence, by)) = above {
            same(&field, &format!("it does not hash to what {by} names as the ledger before it"), &hash, &header.hash)?;
            let next = header.sequence.next().unwrap_or(LedgerSeq::new(0));
            same(&field, &format!("it is not of the ledger before that of {by}"), &sequence, &next)?;
        }
        if headers.is_empty()
            && let Some(sealed) = sealed
        {
            check_version(&field, &header, &sealed.base)?;
        }
        if let Some(hash) = trusted.by_ledger().get(&header.sequence) {
            same(&field, &format!("ledger {} is not the one whose hash you trust", header.sequence), hash, &header.hash)?;
            matched.push((header.sequence, *hash));
        }
        headers.push(header);
    }
    headers.reverse();
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
        return Err(Fault::new("headers", "there is none"));
    };
    same("ledger", "headers begin at another ledger", &first.sequence, &ledger)?;
    let by = if sealed.is_some() { "the last one is the one that the seal names" } else { "nothing here names the last one" };
    steps.holds(
        "headers",
        format!("ledgers {} to {} each hash to what the next one names; {by}, {}", first.sequence, last.sequence, last.hash),
    );
    if !matched.is_empty() {
        steps.holds("headers", format!("{} of them have a hash that you trust", matched.len()));
    }
    Ok(Chain { headers, trusted: matched })
}

/// The version of the ledger before decides what a value may be (rules B.7 T3, T5).
fn check_version(field: &str, previous: &Header, base: &Base) -> Result<(), Fault> {
    match base {
        Base::Set { legacy } => check_format("seal.transactionSet", *legacy, previous.version),
        Base::Value { previous_version } => {
            same(field, "it is of another protocol than the signed value says of it", previous_version, &previous.version)?;
            if previous.version < FIRST_PROTOCOL_WITH_DROPPED_SETS {
                let message = format!("a set was dropped (CAP-83) on top of protocol {}, which has no such value", previous.version);
                return Err(Fault::new("seal.value", message));
            }
            Ok(())
        }
    }
}

/// Which format a set on top of a ledger of that version has.
pub(super) fn check_format(field: &str, legacy: bool, previous_version: u32) -> Result<(), Fault> {
    let name = |legacy| if legacy { "legacy" } else { "generalized" };
    let message = format!("sets on top of protocol {previous_version} are of the other format");
    same(field, &message, &name(SetEra::after(previous_version) == SetEra::Legacy), &name(legacy))
}

/// A transaction set, by its XDR.
pub(super) struct Set {
    pub(super) legacy: bool,
    /// The ledger that it was built on.
    pub(super) previous_hash: Hash256,
    pub(super) hash: Hash256,
    bytes: Vec<u8>,
}

impl Set {
    pub(super) fn read(field: &str, set: &wire::TransactionSet) -> Result<Self, Fault> {
        let (legacy, text) = match set {
            wire::TransactionSet::Legacy(text) => (true, text),
            wire::TransactionSet::Generalized(text) => (false, text),
        };
        let bytes = base64(field, text)?;
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        // T1 leaves the count out, T2 is over everything; either way the set is read to its last byte, which holds the count to it.
        let (previous, hash) = match legacy {
            true => (part(0, 32), sha256(&[part(0, 32), part(36, bytes.len())])),
            false => (part(4, 36), sha256(&[&bytes])),
        };
        let previous: [u8; 32] = previous.try_into().map_err(|_| Fault::new(field, "it is too short for a transaction set"))?;
        let set = Self { legacy, previous_hash: Hash256::new(previous), hash, bytes };
        set.envelopes(field, None)?;
        Ok(set)
    }

    /// Its transactions; their hashes, where the network is known.
    pub(super) fn envelopes(&self, field: &str, network: Option<&NetworkId>) -> Result<Vec<Envelope<'_>>, Fault> {
        let name = if self.legacy { "TransactionSet" } else { "GeneralizedTransactionSet" };
        envelopes_of_set(&self.bytes, !self.legacy, network, XDR_DEPTH).map_err(|error| not_xdr(field, name, &error))
    }
}
