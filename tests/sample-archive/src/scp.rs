//! Four validators with one quorum set, three of four: they sign values (S4) and ballots (S1) of rule B.10.

use ed25519_dalek::SigningKey;
use stellar_xdr::{
    Hash, LedgerCloseValueSignature, LedgerScpMessages, NodeId, ScpBallot, ScpEnvelope, ScpHistoryEntry, ScpHistoryEntryV0, ScpQuorumSet,
    ScpStatement, ScpStatementConfirm, ScpStatementExternalize, ScpStatementPledges, StellarValue, StellarValueExt,
    StellarValueProposedValue, Value,
};

use crate::codec::{bytes, hash_of, list, xdr};
use crate::network::{Network, node_id};
use crate::random::{Random, seeded};
use crate::tx::sign;

/// The validators of a network.
#[derive(Debug)]
pub(crate) struct Validators {
    /// In the order of their public keys, as a quorum set lists them.
    keys: Vec<SigningKey>,
    quorum_set: ScpQuorumSet,
    /// Whether values are signed by their proposer. Nodes do so since stellar-core of protocol 14, whatever the
    /// version of the ledger (CAP-34).
    signs_values: bool,
}

/// How many validators must agree.
pub(crate) const THRESHOLD: u32 = 3;
const COUNT: u64 = 4;
const FIRST_WITH_SIGNED_VALUES: u32 = 14;

impl Validators {
    /// The validators of a seed, running the node software of a protocol.
    pub(crate) fn new(seed: u64, protocol: u32) -> Self {
        let mut keys: Vec<_> = (0..COUNT).map(|number| SigningKey::from_bytes(&seeded(seed, "validator", number))).collect();
        keys.sort_by_key(|key| key.verifying_key().to_bytes());
        let quorum_set =
            ScpQuorumSet { threshold: THRESHOLD, validators: list(keys.iter().map(node_id).collect()), inner_sets: list(Vec::new()) };
        Self { keys, quorum_set, signs_values: protocol >= FIRST_WITH_SIGNED_VALUES }
    }

    /// Who they are.
    pub(crate) fn nodes(&self) -> &[NodeId] {
        &self.quorum_set.validators
    }

    /// The extension of a value with a set.
    pub(crate) fn signed_set(&self, network: &Network, ledger: u32, tx_set_hash: &Hash, close_time: u64) -> StellarValueExt {
        if self.signs_values {
            StellarValueExt::Signed(self.sign_value(network, ledger, tx_set_hash, close_time))
        } else {
            StellarValueExt::Basic
        }
    }

    /// The extension of a value whose set was dropped: it keeps what had been proposed, and the proposer's signature
    /// over that (rule B.7 T5).
    pub(crate) fn dropped_set(
        &self,
        network: &Network,
        ledger: u32,
        tx_set_hash: Hash,
        close_time: u64,
        previous: &Hash,
        previous_version: u32,
    ) -> StellarValueExt {
        StellarValueExt::EmptyTxSet(StellarValueProposedValue {
            lc_value_signature: self.sign_value(network, ledger, &tx_set_hash, close_time),
            tx_set_hash,
            previous_ledger_hash: previous.clone(),
            previous_ledger_version: previous_version,
        })
    }

    /// What the validators said last on the value of a ledger. One of them may be absent, and those that did not see
    /// the end are still confirming: both are usual in real archives.
    pub(crate) fn messages(&self, network: &Network, random: &mut Random, ledger: u32, value: &StellarValue) -> ScpHistoryEntry {
        let absent = random.one_in(8).then(|| random.index(self.keys.len()));
        let counter = if random.one_in(16) { 2 } else { 1 };
        let quorum_set_hash = hash_of(&self.quorum_set);
        let mut messages = Vec::new();
        for (number, key) in self.keys.iter().enumerate() {
            let confirms = random.one_in(3);
            if absent == Some(number) {
                continue;
            }
            let ballot = ScpBallot { counter, value: Value(bytes(&xdr(value))) };
            let pledges = if confirms {
                ScpStatementPledges::Confirm(ScpStatementConfirm {
                    ballot,
                    n_prepared: counter,
                    n_commit: counter,
                    n_h: counter,
                    quorum_set_hash: quorum_set_hash.clone(),
                })
            } else {
                ScpStatementPledges::Externalize(ScpStatementExternalize {
                    commit: ballot,
                    n_h: counter,
                    commit_quorum_set_hash: quorum_set_hash.clone(),
                })
            };
            let statement = ScpStatement { node_id: node_id(key), slot_index: u64::from(ledger), pledges };
            let signature = sign(key, &[&network.id.0[..], &ENVELOPE_TYPE_SCP, &xdr(&statement)].concat());
            messages.push(ScpEnvelope { statement, signature });
        }
        ScpHistoryEntry::V0(ScpHistoryEntryV0 {
            quorum_sets: list(vec![self.quorum_set.clone()]),
            ledger_messages: LedgerScpMessages { ledger_seq: ledger, messages: list(messages) },
        })
    }

    /// The validators take turns to propose.
    fn sign_value(&self, network: &Network, ledger: u32, tx_set_hash: &Hash, close_time: u64) -> LedgerCloseValueSignature {
        let turn = usize::try_from(ledger).unwrap_or_default() % self.keys.len();
        let key = self.keys.get(turn).expect("invariant: a remainder is below the length");
        let message = [&network.id.0[..], &ENVELOPE_TYPE_SCPVALUE, &tx_set_hash.0, &close_time.to_be_bytes()].concat();
        LedgerCloseValueSignature { node_id: node_id(key), signature: sign(key, &message) }
    }
}

const ENVELOPE_TYPE_SCP: [u8; 4] = [0, 0, 0, 1];
const ENVELOPE_TYPE_SCPVALUE: [u8; 4] = [0, 0, 0, 4];
