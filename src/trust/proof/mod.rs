//! Portable proofs: one JSON file that shows a stranger, without any network, that a transaction or a ledger entry is in the
//! history that the validators of the stranger's choice agreed on.
//!
//! What it is: [`verify_proof`], which takes the file and whom the reader trusts, and [`make`], which makes files of the records
//! of an archive. What it is not: reading archives; that is `driver::prove`. A proof is hostile input: it names its own
//! validators, so what decides is never in the file, but the reader's quorum set or hashes.
//!
//! The format is in the README, field by field. Rules: B.5 to B.8, B.10 ("what a quorum commits to").

mod entry;
pub mod make;
pub(crate) mod read;
mod seal;
pub(crate) mod transaction;
mod wire;
mod words;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use entry::{EntryFacts, Standing};
pub use read::Fault;
pub use transaction::TransactionFacts;

use super::Trust;
use super::preset::known_validator;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::Network;
use crate::archive::node::NodeId;
use crate::codec::hash::Hash256;
use crate::verify::header::Header;
use crate::verify::votes::{Seal, Strength};

/// The outcome for a proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofVerdict {
    /// Someone whom the reader trusts vouches for it.
    Proven,
    /// Something in it is wrong.
    Refuted,
    /// Everything fits together, but nobody whom the reader trusts vouches for it, or what would show it is not in the file.
    Unproven,
}

/// What a proof turned out to be.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProofReport {
    /// The version of this report's form.
    pub schema: u32,
    /// The outcome.
    pub verdict: ProofVerdict,
    /// What it proves, or why it does not, in words.
    pub statement: String,
    /// What it does not prove, in words.
    pub does_not_prove: String,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// The passphrase of the network.
    pub network: Option<String>,
    /// What it is about; nothing where it is refuted.
    pub facts: Option<ProofFacts>,
    /// Who vouches for it.
    pub anchors: Vec<ProofAnchor>,
    /// Who signed the ledger that seals it, whoever they are.
    pub signers: Vec<Signer>,
    /// What was checked, in order.
    pub steps: Vec<Step>,
}

/// What a sound proof is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofFacts {
    /// The ledger.
    pub ledger: LedgerSeq,
    /// The hash of its header.
    pub ledger_hash: Hash256,
    /// Seconds since 1970, decimal.
    pub close_time: String,
    /// The protocol after it.
    pub protocol: u32,
    /// The last ledger whose header is in the file.
    pub through: LedgerSeq,
    /// What of it.
    #[serde(flatten)]
    pub subject: Subject,
}

/// What of a ledger a proof is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// An entry of its state.
    Entry(EntryFacts),
    /// One of its transactions.
    Transaction(TransactionFacts),
}

/// Who vouches for a proof.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProofAnchor {
    /// Signatures that the reader believes.
    #[serde(rename_all = "camelCase")]
    Seal {
        /// Whose, and of how many.
        #[serde(flatten)]
        seal: Seal,
        /// The reader's quorum set.
        quorum_set: String,
    },
    /// A hash that the reader trusts.
    TrustedHash {
        /// The ledger.
        ledger: LedgerSeq,
        /// The hash of its header.
        hash: Hash256,
    },
}

/// A node whose signature over the sealing ledger is right.
#[derive(Clone, Debug, Serialize)]
pub struct Signer {
    /// Its key.
    pub node: NodeId,
    /// Its name, if it is known.
    pub name: Option<&'static str>,
    /// Who runs it, if that is known.
    pub organisation: Option<&'static str>,
    /// How much it says.
    pub strength: Strength,
    /// Whether the reader's quorum set has it.
    pub trusted: bool,
}

/// One step of the check.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The field that it is about.
    pub field: String,
    /// How it ended.
    pub status: StepStatus,
    /// What was held against what.
    pub says: String,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// It is wrong; nothing after it was looked at.
    Failed,
    /// It is right.
    Holds,
    /// It cannot be told.
    Unchecked,
}

/// Checks a proof. `network` is the reader's; where the reader names none, it is the proof's. Where the reader names
/// no quorum set, it is the network's preset.
#[must_use]
pub fn verify_proof(text: &str, network: Option<&Network>, trust: &Trust) -> ProofReport {
    let mut report = ProofReport {
        schema: 1,
        verdict: ProofVerdict::Unproven,
        statement: String::new(),
        does_not_prove: String::new(),
        fault: None,
        network: network.map(|network| network.passphrase().to_owned()),
        facts: None,
        anchors: Vec::new(),
        signers: Vec::new(),
        steps: Vec::new(),
    };
    let reader = Reader { network, trust };
    let mut steps = Steps::default();
    let checked = reader.check(text, &mut steps, &mut report);
    report.steps = steps.0;
    if let Err(fault) = checked {
        report.steps.push(Step { field: fault.field.clone(), status: StepStatus::Failed, says: fault.message.clone() });
        (report.verdict, report.fault, report.facts) = (ProofVerdict::Refuted, Some(fault), None);
        report.anchors.clear();
        report.signers.clear();
    }
    report.statement = words::statement(&report);
    report.does_not_prove = words::does_not_prove(&report);
    report
}

/// Whom the reader trusts.
struct Reader<'a> {
    network: Option<&'a Network>,
    trust: &'a Trust,
}

/// What all kinds of proof have.
struct Frame<'a> {
    network: &'a str,
    ledger: u32,
    headers: &'a [String],
    seal: Option<&'a wire::Seal>,
}

impl Reader<'_> {
    fn check(&self, text: &str, steps: &mut Steps, report: &mut ProofReport) -> Result<(), Fault> {
        if text.len() > wire::LARGEST {
            return Err(Fault::new("", format!("it is larger than {} MB, which no proof is", wire::LARGEST >> 20)));
        }
        let head: wire::Head = json(text)?;
        if head.schema != wire::SCHEMA {
            let fault = Fault::new("schema", "this verifier does not know the version; a newer one may");
            return Err(fault.comparing(wire::SCHEMA, head.schema));
        }
        match head.kind.as_str() {
            make::TRANSACTION => {
                let proof: wire::TransactionProof = json(text)?;
                let frame = Frame { network: &proof.network, ledger: proof.ledger, headers: &proof.headers, seal: proof.seal.as_ref() };
                let (network, headers) = self.check_frame(&frame, steps, report)?;
                let Some(header) = headers.first() else { return Ok(()) };
                let facts = transaction::check(steps, &proof, header, &network.id())?;
                self.settle(report, &headers, Subject::Transaction(facts), true);
            }
            make::LEDGER_ENTRY => {
                let proof: wire::EntryProof = json(text)?;
                let frame = Frame { network: &proof.network, ledger: proof.ledger, headers: &proof.headers, seal: proof.seal.as_ref() };
                let (_, headers) = self.check_frame(&frame, steps, report)?;
                let Some(header) = headers.first() else { return Ok(()) };
                let facts = entry::check(steps, &proof, header)?;
                let searched = facts.searched;
                self.settle(report, &headers, Subject::Entry(facts), searched);
            }
            other => {
                let fault = Fault::new("kind", "there is no such kind of proof");
                return Err(fault.comparing("transaction or ledger-entry", other));
            }
        }
        Ok(())
    }

    /// The network, the seal and the headers.
    fn check_frame(&self, frame: &Frame<'_>, steps: &mut Steps, report: &mut ProofReport) -> Result<(Network, Vec<Header>), Fault> {
        let network = Network::from_passphrase(frame.network);
        if let Some(own) = self.network {
            read::same("network", "it is a proof of another network than yours", &own.passphrase(), &network.passphrase())?;
            steps.holds("network", "it is the one that you asked for");
        }
        let believed = self.trust.believed_on(Some(&network));
        let sealed = frame.seal.map(|seal| seal::check_seal(steps, seal, &network.id())).transpose()?;
        let ledger = LedgerSeq::new(frame.ledger);
        let chain = seal::check_headers(steps, ledger, frame.headers, sealed.as_ref(), &self.trust.hashes)?;
        let mut by_quorum = false;
        if let Some(seal::Sealed { mut votes, quorum_sets, .. }) = sealed {
            let own = believed.as_ref().map(|believed| believed.set.nodes()).unwrap_or_default();
            report.signers = votes.nodes().map(|(node, vote)| signer(node, vote.strength, own.contains(node))).collect();
            let seal = believed.as_ref().and_then(|believed| {
                let seal = votes.judge(&network.id(), &believed.set, &quorum_sets).seal?;
                Some(ProofAnchor::Seal { seal, quorum_set: believed.name.clone() })
            });
            by_quorum = seal.is_some();
            match &believed {
                Some(believed) if by_quorum => {
                    steps.holds("seal", format!("they are a quorum by their own rules and by {}", believed.name));
                }
                Some(believed) => steps.unchecked("seal", format!("they are no quorum by {}", believed.name)),
                None => steps.unchecked("seal", "you named no validators, and nobody knows those of this network"),
            }
            report.anchors.extend(seal);
        } else {
            steps.unchecked("seal", "there is none: only a hash that you trust can vouch for the headers");
        }
        report.anchors.extend(chain.trusted.into_iter().map(|(ledger, hash)| ProofAnchor::TrustedHash { ledger, hash }));
        // A hash that the reader trusts is of a network that only the reader knows.
        if self.network.is_some() || by_quorum {
            report.network = Some(frame.network.to_owned());
        } else {
            steps.unchecked("network", format!("{:?} is the file's own word", frame.network));
        }
        Ok((network, chain.headers))
    }

    /// `shown`: whether the file itself shows what it says of the ledger.
    fn settle(&self, report: &mut ProofReport, headers: &[Header], subject: Subject, shown: bool) {
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return };
        if shown && !report.anchors.is_empty() {
            report.verdict = ProofVerdict::Proven;
        }
        report.facts = Some(ProofFacts {
            ledger: first.sequence,
            ledger_hash: first.hash,
            close_time: first.close_time.to_string(),
            protocol: first.version,
            through: last.sequence,
            subject,
        });
    }
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::new("", format!("it is no proof of this schema: {error}")))
}

fn signer(node: &NodeId, strength: Strength, trusted: bool) -> Signer {
    let known = known_validator(&node.to_string());
    Signer { node: *node, name: known.map(|known| known.name), organisation: known.map(|known| known.organisation), strength, trusted }
}

/// What was checked so far.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn holds(&mut self, field: &str, says: impl Into<String>) {
        self.0.push(Step { field: field.to_owned(), status: StepStatus::Holds, says: says.into() });
    }

    fn unchecked(&mut self, field: &str, says: impl Into<String>) {
        self.0.push(Step { field: field.to_owned(), status: StepStatus::Unchecked, says: says.into() });
    }
}
