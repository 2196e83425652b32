//! What a run's signatures and trusted hashes come to: which ledgers are vouched for, by whom (rules B.5 H5, B.10).
//!
//! It takes checkpoints one by one, in any order, keeps little, and gives the same whatever came first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::hash::Hash256;
use crate::verify::checkpoint::{Headers, Rules};
use crate::verify::finding::{Finding, FindingCode};
use crate::verify::scp::{Quorums, ScpFacts};
use crate::verify::votes::Seal;

/// Seals and hashes kept of a run, the newest ones: in a chain the newest covers the others.
const KEPT: usize = 64;

/// Who vouches for what was seen so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Vouched {
    /// By the sealed ledger.
    seals: BTreeMap<LedgerSeq, Seal>,
    /// Checkpoints that have a seal.
    sealed: u64,
    /// Checkpoints whose signatures were looked at.
    looked: u64,
    /// The newest checkpoint of which one of the user's validators signed anything that was looked at.
    trusted: Option<LedgerSeq>,
    /// Checkpoints of which only others did, by their last ledger; the newest ones.
    strangers: BTreeMap<LedgerSeq, Strangers>,
    quorums: Quorums,
    hashes: BTreeMap<LedgerSeq, Hash256>,
    hash_count: u64,
}

/// A quorum of nodes of which the user named none.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct Strangers {
    ledger: LedgerSeq,
    count: u64,
    checkpoint: Checkpoint,
    archive: String,
}

impl Vouched {
    /// Takes a checkpoint: what its scp file said, and its headers; `archive` is whose scp file it was.
    pub fn add(&mut self, facts: ScpFacts, headers: &Headers, rules: &Rules, archive: &str) {
        self.looked = self.looked.saturating_add(u64::from(facts.looked));
        self.quorums.add(facts.quorums);
        if facts.trusted {
            self.trusted = self.trusted.max(Some(headers.checkpoint().last_ledger()));
        }
        if let Some((ledger, count)) = facts.strangers.filter(|_| !facts.trusted) {
            let checkpoint = headers.checkpoint();
            self.strangers.insert(checkpoint.last_ledger(), Strangers { ledger, count, checkpoint, archive: archive.to_owned() });
            keep_newest(&mut self.strangers);
        }
        if let Some(seal) = facts.seal {
            self.sealed = self.sealed.saturating_add(1);
            self.seals.insert(seal.ledger, seal);
            keep_newest(&mut self.seals);
        }
        let (first, last) = (headers.checkpoint().first_ledger(), headers.checkpoint().last_ledger());
        for (ledger, trusted) in rules.trusted_hashes.range(first..=last) {
            if headers.header(*ledger).is_some_and(|header| header.hash == *trusted) {
                self.hashes.insert(*ledger, *trusted);
                self.hash_count = self.hash_count.saturating_add(1);
            }
        }
        keep_newest(&mut self.hashes);
    }

    /// Takes what another has of other checkpoints.
    pub fn append(&mut self, other: Self) {
        self.looked = self.looked.saturating_add(other.looked);
        self.sealed = self.sealed.saturating_add(other.sealed);
        self.hash_count = self.hash_count.saturating_add(other.hash_count);
        self.quorums.add(other.quorums);
        self.trusted = self.trusted.max(other.trusted);
        append(&mut self.strangers, other.strangers);
        append(&mut self.seals, other.seals);
        append(&mut self.hashes, other.hashes);
    }

    /// Seals, from the newest down.
    pub fn seals(&self) -> impl Iterator<Item = &Seal> {
        self.seals.values().rev()
    }

    /// Trusted hashes that the headers have, from the newest down.
    pub fn hashes(&self) -> impl Iterator<Item = (LedgerSeq, Hash256)> {
        self.hashes.iter().rev().map(|(ledger, hash)| (*ledger, *hash))
    }

    /// How many trusted hashes the headers have.
    #[must_use]
    pub fn hash_count(&self) -> u64 {
        self.hash_count
    }

    /// Checkpoints that have a seal of their own.
    #[must_use]
    pub fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Checkpoints whose signatures were looked at.
    #[must_use]
    pub fn looked(&self) -> u64 {
        self.looked
    }

    /// Whether one of the user's validators signed anything that was looked at.
    #[must_use]
    pub fn saw_trusted(&self) -> bool {
        self.trusted.is_some()
    }

    /// Ledgers by what their signatures come to, where all were looked at.
    #[must_use]
    pub fn quorums(&self) -> Quorums {
        self.quorums
    }

    /// What is wrong with a history whose end a quorum of strangers signed, and none of the user's validators: a file without
    /// a quorum proves nothing (S6), but one with another quorum is another history, or the user's set is out of date. Where
    /// the user's own signed what lies below, a single checkpoint without them may be an outage: that is a warning.
    #[must_use]
    pub fn strangers(&self, believed: &str) -> Option<Finding> {
        let above: Vec<_> =
            self.strangers.iter().filter(|(last, _)| self.trusted.is_none_or(|trusted| trusted < **last)).map(|(_, one)| one).collect();
        let Strangers { ledger, count, checkpoint, archive } = above.last()?;
        let since = self.trusted.map(|trusted| format!(", and nobody of it signed anything that was looked at above ledger {trusted}"));
        let message = format!(
            "ledger {ledger} is signed by {count} validators that are a quorum by their own rules, but none of them is in {believed}{}: anyone can make up validators, so this may be a forged history, or one of a network whose validators changed",
            since.unwrap_or_default()
        );
        let path = ArchivePath::of_checkpoint(FileKind::Scp, *checkpoint);
        let finding = Finding::new(FindingCode::AnchorMismatch, path, message).at_checkpoint(*checkpoint).at_ledger(*ledger);
        let finding = finding.comparing("signatures of your validators", format!("{count} others")).from_archive(archive);
        Some(if self.trusted.is_some() && above.len() < 2 { finding.as_warning() } else { finding })
    }
}

fn append<T>(own: &mut BTreeMap<LedgerSeq, T>, other: BTreeMap<LedgerSeq, T>) {
    own.extend(other);
    keep_newest(own);
}

fn keep_newest<T>(by_ledger: &mut BTreeMap<LedgerSeq, T>) {
    while by_ledger.len() > KEPT {
        by_ledger.pop_first();
    }
}
