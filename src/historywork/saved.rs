//! A run written down, to go on later (issue: an interrupted run's report is that of an uninterrupted one but for times).
//!
//! What it is: the form of the state, and the refusal of one that belongs to something else. What it is not: where it is
//! kept; that is a file in Node and IndexedDB in a page. It is trusted as far as its owner trusts the place.

use serde::{Deserialize, Serialize};

use super::archives::Accounts;
use super::plan::{Order, Seed};
use super::range::JoinedRange;
use crate::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::state::HistoryArchiveState;
use crate::codec::hash::Hash256;
use crate::verify::finding::{Finding, Note};
use crate::verify::quorum::QuorumSet;

/// The version of the form.
const SCHEMA: u32 = 3;

/// Bytes of a state: real ones stay below a few MB, with 10,000 findings below 20.
pub const LARGEST: usize = 64 << 20;

/// What a run was asked for, as far as its outcome depends on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Request {
    /// The verifier's version.
    pub verifier: String,
    /// The archives' names.
    pub archives: Vec<String>,
    /// The network's passphrase, if one was given.
    pub network: Option<String>,
    /// As asked.
    pub low: Option<LedgerSeq>,
    /// As asked.
    pub high: Option<LedgerSeq>,
    /// As asked.
    pub last: Option<u32>,
    /// As asked.
    pub order: Order,
    /// As asked.
    pub sample: Option<u32>,
    /// As asked; a state without one fits every seed that was drawn for it.
    pub seed: Option<Seed>,
    /// The quorum set that was given, if one was.
    pub quorum_set: Option<QuorumSet>,
    /// Whether nobody is believed.
    pub nobody: bool,
    /// What the trusted hashes hash to.
    pub trusted_hashes: Hash256,
    /// As asked.
    pub all_signatures: bool,
    /// As asked.
    pub deep: bool,
    /// As asked.
    pub skip_optional: bool,
    /// As asked.
    pub skip_buckets: bool,
    /// As asked.
    pub frequency: CheckpointFrequency,
}

/// What an archive said of itself at the start.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Root {
    /// Its newest state, if it is sound enough to be understood.
    pub state: Option<HistoryArchiveState>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// Whether it was looked at.
    pub read: bool,
    /// Whether the archive takes part in the run.
    pub excluded: bool,
}

/// What does not change while a run goes on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SavedHead {
    /// What was asked for.
    pub request: Request,
    /// The network that is verified against.
    pub network: Option<String>,
    /// The archives' newest states.
    pub roots: Vec<Root>,
    /// Newest states that could not be read, if none could.
    pub errors: Vec<RunError>,
    /// Archives that hold different histories, as many one as the other.
    pub disputes: Vec<Finding>,
    /// What was noted before the first checkpoint.
    pub notes: Vec<Note>,
    /// What was asked of the archives before the first checkpoint.
    pub accounts: Accounts,
    /// When the run began, as the report says it.
    pub started_at: String,
}

#[derive(Serialize)]
struct SavedRun<'a> {
    schema: u32,
    head: &'a SavedHead,
    range: &'a JoinedRange,
}

#[derive(Deserialize)]
struct ReadRun {
    head: SavedHead,
    range: JoinedRange,
}

impl SavedHead {
    /// The whole state as JSON.
    #[must_use]
    pub fn with(&self, range: &JoinedRange) -> String {
        // Every key of every map in it is a string or a number: it cannot fail.
        serde_json::to_string(&SavedRun { schema: SCHEMA, head: self, range }).unwrap_or_default()
    }

    /// What a run is resumed from, and how many checkpoints it has: without the parts that wait, where with them nobody could read it.
    #[must_use]
    pub fn state(&self, range: &JoinedRange) -> (String, u32) {
        let state = self.with(range);
        if state.len() <= LARGEST || range.apart().is_empty() {
            return (state, range.done());
        }
        let range = range.clone().without_parts_apart();
        (self.with(&range), range.done())
    }
}

/// Why a state cannot be gone on with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is no state of this verifier.
    #[error("the saved state cannot be read ({0}): remove it and start again")]
    Unreadable(String),
    /// It belongs to another run.
    #[error(
        "the saved state is of another run: its {what} is {saved}, not {asked}; give what it was started with, or remove it and start again"
    )]
    Other {
        /// What differs.
        what: &'static str,
        /// As it was.
        saved: String,
        /// As it is now.
        asked: String,
    },
}

/// Reads a state, if it is one of the run that is asked for.
///
/// # Errors
/// What differs.
pub fn resume(json: &str, asked: &Request) -> Result<(SavedHead, JoinedRange), Refusal> {
    let (head, range) = read(json)?;
    head.refuse_another(asked)?;
    if asked.seed.is_some() && asked.seed != range.plan().seed() {
        let seed = |seed: Option<Seed>| seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string());
        return Err(differs("seed", &seed(range.plan().seed()), &seed(asked.seed)));
    }
    Ok((head, range))
}

/// Reads a state, whatever was asked for.
///
/// # Errors
/// If it is none of this verifier's, or contradicts itself.
pub fn read(json: &str) -> Result<(SavedHead, JoinedRange), Refusal> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    if json.len() > LARGEST {
        return Err(Refusal::Unreadable(format!("it is larger than {} MB", LARGEST >> 20)));
    }
    let unreadable = |error: serde_json::Error| Refusal::Unreadable(error.to_string());
    let Schema { schema } = serde_json::from_str(json).map_err(unreadable)?;
    if schema != SCHEMA {
        return Err(differs("schema", &schema, &SCHEMA));
    }
    let ReadRun { head, range } = serde_json::from_str(json).map_err(unreadable)?;
    if let Some(problem) = range.contradiction(head.request.frequency) {
        return Err(Refusal::Unreadable(problem.into()));
    }
    if head.roots.len() != head.request.archives.len() {
        return Err(Refusal::Unreadable("it has not one newest state an archive".into()));
    }
    if head.roots.len() > 1 && !range.apart().is_empty() {
        return Err(Refusal::Unreadable("only a run over one archive has parts".into()));
    }
    Ok((head, range))
}

impl SavedHead {
    /// Whether it belongs to what is asked for.
    ///
    /// # Errors
    /// What differs.
    pub fn refuse_another(&self, asked: &Request) -> Result<(), Refusal> {
        let saved = &self.request;
        if saved.verifier != asked.verifier {
            return Err(differs("verifier version", &saved.verifier, &asked.verifier));
        }
        if saved.archives != asked.archives {
            return Err(differs("list of archives", &saved.archives.join(", "), &asked.archives.join(", ")));
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "what the archives say".into());
        // A network that is named now and was found out before may be the same.
        if saved.network != asked.network && (asked.network.is_none() || asked.network != self.network) {
            return Err(differs("network", &text(&saved.network), &text(&asked.network)));
        }
        let (ours, theirs) = (without_names(asked), without_names(saved));
        match theirs.into_iter().zip(ours).find(|((_, saved), (_, asked))| saved != asked) {
            Some(((what, saved), (_, asked))) => Err(differs(what, &saved, &asked)),
            None => Ok(()),
        }
    }
}

fn differs(what: &'static str, saved: &dyn ToString, asked: &dyn ToString) -> Refusal {
    Refusal::Other { what, saved: saved.to_string(), asked: asked.to_string() }
}

fn without_names(request: &Request) -> [(&'static str, String); 12] {
    let number = |value: Option<u32>| value.map_or_else(|| "not given".to_owned(), |value| value.to_string());
    let order = match request.order {
        Order::OldestFirst => "oldest first",
        Order::NewestFirst => "newest first",
    };
    [
        ("lowest ledger", number(request.low.map(LedgerSeq::value))),
        ("highest ledger", number(request.high.map(LedgerSeq::value))),
        ("number of last ledgers", number(request.last)),
        ("order", order.to_owned()),
        ("sample", number(request.sample)),
        (
            "quorum set",
            request
                .quorum_set
                .as_ref()
                .map_or_else(|| if request.nobody { "none" } else { "not given" }.to_owned(), |set| set.digest().to_string()),
        ),
        ("set of trusted hashes", request.trusted_hashes.to_string()),
        ("option to verify all signatures", request.all_signatures.to_string()),
        ("deep option", request.deep.to_string()),
        ("option to leave out scp files", request.skip_optional.to_string()),
        ("option to leave out buckets", request.skip_buckets.to_string()),
        ("checkpoint frequency", request.frequency.ledgers().to_string()),
    ]
}
