//! A checkpoint's state: its bucket lists, level by level, and what they hash to (rules B.3, B.6).

use std::collections::BTreeSet;

use serde::Serialize;

use super::Json;
use super::check::{Check, CheckName, Claim, Computed};
use super::checkpoint::{Held, parsed_state};
use super::file::HeldFile;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::path::ArchivePath;
use crate::archive::state::{BucketHash, BucketList, FIRST_PROTOCOL_WITH_HOT_ARCHIVE, HistoryArchiveState, NextBucket};
use crate::codec::hash::{Hash256, sha256};

/// A state.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointState {
    /// 1, or 2 with a hot archive.
    pub version: u32,
    /// What wrote it.
    pub server: Option<String>,
    /// The passphrase that it names.
    pub network: Option<String>,
    /// The ledger that it says it is of.
    pub current_ledger: LedgerSeq,
    /// The levels of the live bucket list.
    pub live: Vec<BucketLevel>,
    /// Those of the hot archive.
    pub hot_archive: Option<Vec<BucketLevel>>,
    /// The bucket lists' hash, and what the header names.
    pub check: Check,
    /// The file as it is.
    pub json: Option<Json>,
}

/// One level of a bucket list.
#[derive(Clone, Debug, Serialize)]
pub struct BucketLevel {
    /// Which one.
    pub level: usize,
    /// The newer bucket.
    pub curr: BucketRef,
    /// The older one.
    pub snap: BucketRef,
    /// The merge that makes the next `curr`.
    pub next: Merge,
}

/// A bucket by its name.
#[derive(Clone, Debug, Serialize)]
pub struct BucketRef {
    /// Its hash; zeros for the empty bucket.
    pub hash: BucketHash,
    /// Its file, unless it is empty.
    pub path: Option<ArchivePath>,
    /// Whether the checkpoint before names it as well; none where that is not known, and for the empty bucket.
    pub shared: Option<bool>,
}

/// The merge of a level.
#[derive(Clone, Debug, Serialize)]
pub struct Merge {
    /// `clear`, `output`, `inputs`, or `invalid` where it cannot be understood.
    pub state: &'static str,
    /// The buckets that it names.
    pub hashes: Vec<BucketHash>,
}

impl Held {
    /// What is wrong with the state by itself.
    pub(crate) fn state_fault(&self) -> Option<String> {
        match self.state() {
            Ok(state) if state.current_ledger == self.checkpoint.last_ledger() => None,
            Ok(state) => Some(format!("it is the state of ledger {}", state.current_ledger)),
            Err(why) => Some(why),
        }
    }

    /// The state, if it can be read.
    pub(crate) fn state_view(&self) -> Option<CheckpointState> {
        let state = self.state().ok()?;
        let before = match (&self.neighbours.previous_history, self.checkpoint.previous()) {
            (Some(file), Some(_)) => self.buckets_of(file),
            // Before the first checkpoint there is nothing to share.
            (_, None) => Some(BTreeSet::new()),
            (None, Some(_)) => None,
        };
        let levels = |list: &BucketList| levels(list, before.as_ref());
        Some(CheckpointState {
            version: state.version,
            server: state.server.clone(),
            network: state.network_passphrase.clone(),
            current_ledger: state.current_ledger,
            live: levels(&state.current_buckets),
            hot_archive: state.hot_archive_buckets.as_ref().map(levels),
            check: self.bucket_list(),
            json: serde_json::from_slice(self.files.history.content()).ok(),
        })
    }

    fn buckets_of(&self, file: &HeldFile) -> Option<BTreeSet<BucketHash>> {
        let state = parsed_state(file, &self.budget).ok()?;
        let mut buckets = BTreeSet::new();
        for list in core::iter::once(&state.current_buckets).chain(&state.hot_archive_buckets) {
            buckets.extend(list.buckets().map(|(_, bucket)| bucket));
        }
        Some(buckets)
    }

    /// B.6: the header of the checkpoint's last ledger names the buckets of the state.
    pub(crate) fn bucket_list(&self) -> Check {
        let ledger = self.checkpoint.last_ledger();
        let what = format!("The bucket list of the state hashes to what the header of ledger {ledger} names.");
        let located = self.header(ledger);
        let claims: Vec<_> = located
            .iter()
            .map(|located| Claim::new(format!("the header of ledger {ledger}, bucketListHash"), located.header.bucket_list_hash))
            .collect();
        let state = match self.state() {
            Ok(state) => state,
            Err(why) => return Check::unknown(CheckName::BucketList, what, why).claimed(claims),
        };
        let protocol = located.map(|located| located.header.version);
        let has_hot_archive = state.hot_archive_buckets.is_some();
        let wants_hot_archive = protocol.map_or(has_hot_archive, |protocol| protocol >= FIRST_PROTOCOL_WITH_HOT_ARCHIVE);
        let what = if has_hot_archive && wants_hot_archive {
            format!(
                "The hashes of the two bucket lists of the state, live and hot archive, hash to what the header of ledger {ledger} names."
            )
        } else {
            format!("The hashes of the state's eleven levels hash to what the header of ledger {ledger} names.")
        };
        let computed = Computed::of_bytes(&hashed(&state, wants_hot_archive));
        if claims.is_empty() {
            let why = self.files.ledger.why_unknown();
            let mut check = Check::comparing(CheckName::BucketList, what, computed, claims).because(why);
            check.outcome = super::check::Outcome::Unknown;
            return check;
        }
        let check = Check::comparing(CheckName::BucketList, what, computed, claims);
        match (has_hot_archive, wants_hot_archive) {
            (true, false) => check.broken().because("the state has a hot archive, which the header's protocol does not have"),
            (false, true) => check.broken().because("the header's protocol has a hot archive, which the state does not have"),
            _ => check,
        }
    }
}

/// What the bucket list's hash is over.
fn hashed(state: &HistoryArchiveState, with_hot_archive: bool) -> Vec<u8> {
    match (&state.hot_archive_buckets, with_hot_archive) {
        (Some(hot), true) => [*state.current_buckets.hash().as_bytes(), *hot.hash().as_bytes()].concat(),
        _ => {
            let level = |level: &crate::archive::state::BucketLevel| -> Hash256 {
                sha256(&[level.curr.hash().as_bytes(), level.snap.hash().as_bytes()])
            };
            state.current_buckets.levels().iter().flat_map(|own| *level(own).as_bytes()).collect()
        }
    }
}

fn levels(list: &BucketList, before: Option<&BTreeSet<BucketHash>>) -> Vec<BucketLevel> {
    let reference = |hash: BucketHash| {
        let there = (!hash.is_empty_bucket()).then_some(hash);
        BucketRef {
            hash,
            path: there.map(ArchivePath::of_bucket),
            shared: there.and_then(|hash| before.map(|before| before.contains(&hash))),
        }
    };
    let merge = |next: &NextBucket| match next {
        NextBucket::Clear => Merge { state: "clear", hashes: Vec::new() },
        NextBucket::Output(output) => Merge { state: "output", hashes: vec![*output] },
        NextBucket::Inputs { curr, snap, shadow } => {
            Merge { state: "inputs", hashes: [*curr, *snap].into_iter().chain(shadow.iter().copied()).collect() }
        }
        NextBucket::Invalid(_) => Merge { state: "invalid", hashes: Vec::new() },
    };
    let own = list.levels().iter().enumerate();
    own.map(|(level, own)| BucketLevel { level, curr: reference(own.curr), snap: reference(own.snap), next: merge(&own.next) }).collect()
}
