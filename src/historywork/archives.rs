//! What items know of the archives that their files come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::archive::checkpoint::LedgerSeq;
use crate::archive::id::ArchiveId;
use crate::verify::checkpoint::Rules;

/// The archives of a run, and the rules that their files must hold to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Archives(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    names: Vec<String>,
    tips: Vec<Option<LedgerSeq>>,
    /// Those that take no part.
    left_out: Vec<ArchiveId>,
    /// The one that is written to as well.
    destination: Option<ArchiveId>,
    rules: Rules,
}

impl Archives {
    /// Archives by their names; an id is a place in the list.
    #[must_use]
    pub fn new(names: Vec<String>, rules: Rules) -> Self {
        let tips = vec![None; names.len()];
        Self(Arc::new(Inner { names, tips, left_out: Vec::new(), destination: None, rules }))
    }

    /// The same, with the newest ledger that each announced: who lags is not asked for what is newer.
    #[must_use]
    pub fn with_tips(&self, tips: Vec<Option<LedgerSeq>>) -> Self {
        Self(Arc::new(Inner { tips, ..(*self.0).clone() }))
    }

    /// The same without some of them; ids stay what they are.
    #[must_use]
    pub fn without(&self, left_out: Vec<ArchiveId>) -> Self {
        Self(Arc::new(Inner { left_out, ..(*self.0).clone() }))
    }

    /// The same, of which one is written to as well: it is asked first, and the others only for what it lacks.
    #[must_use]
    pub fn with_destination(&self, destination: Option<ArchiveId>) -> Self {
        Self(Arc::new(Inner { destination, ..(*self.0).clone() }))
    }

    /// The one that is written to as well.
    #[must_use]
    pub fn destination(&self) -> Option<ArchiveId> {
        self.0.destination
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// How many take part.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.names.len().saturating_sub(self.0.left_out.len())
    }

    /// An archive's name.
    #[must_use]
    pub fn name(&self, id: ArchiveId) -> &str {
        self.0.names.get(id.index()).map_or("", String::as_str)
    }

    /// The ids of those that take part.
    pub fn ids(&self) -> impl Iterator<Item = ArchiveId> {
        (0..self.0.names.len()).map(ArchiveId::new).filter(|id| !self.0.left_out.contains(id))
    }

    /// The ids of all, those that take no part included.
    pub fn everybody(&self) -> impl Iterator<Item = ArchiveId> + use<> {
        (0..self.0.names.len()).map(ArchiveId::new)
    }

    /// The id of a name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<ArchiveId> {
        self.0.names.iter().position(|other| other == name).map(ArchiveId::new)
    }

    /// Archives that announced less than this ledger, unless all of them did.
    #[must_use]
    pub fn behind(&self, ledger: LedgerSeq) -> Vec<ArchiveId> {
        let lags = |id: &ArchiveId| self.0.tips.get(id.index()).copied().flatten().is_some_and(|tip| tip < ledger);
        // A destination may have more than it announces: what an interrupted run left.
        let behind: Vec<_> = self.ids().filter(|id| Some(*id) != self.0.destination).filter(lags).collect();
        if behind.len() == self.count() { Vec::new() } else { behind }
    }
}

/// What was asked of an archive and how it answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Account {
    /// Reads begun.
    pub requests: u64,
    /// Reads that failed for faults of the way.
    pub failures: u64,
    /// Reads refused because there were too many.
    pub throttled: u64,
    /// Files that it does not have, though it must.
    pub missing: u64,
    /// Files that it is to blame for.
    pub faulty: u64,
    /// Bytes as they came.
    pub compressed: u64,
    /// Bytes as they were checked.
    pub inflated: u64,
}

/// The accounts of several archives.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Accounts(BTreeMap<ArchiveId, Account>);

impl Accounts {
    /// An archive's account.
    #[must_use]
    pub fn get(&self, id: ArchiveId) -> Account {
        self.0.get(&id).copied().unwrap_or_default()
    }

    /// An archive's account, to write in.
    pub fn of(&mut self, id: ArchiveId) -> &mut Account {
        self.0.entry(id).or_default()
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, u64::saturating_add);
    }

    /// Takes back what others counted.
    pub fn take_back(&mut self, other: &Self) {
        self.combine(other, u64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, with: fn(u64, u64) -> u64) {
        for (id, theirs) in &other.0 {
            let own = self.of(*id);
            own.requests = with(own.requests, theirs.requests);
            own.failures = with(own.failures, theirs.failures);
            own.throttled = with(own.throttled, theirs.throttled);
            own.missing = with(own.missing, theirs.missing);
            own.faulty = with(own.faulty, theirs.faulty);
            own.compressed = with(own.compressed, theirs.compressed);
            own.inflated = with(own.inflated, theirs.inflated);
        }
    }

    /// The requests alone, without what was found wrong.
    #[must_use]
    pub fn without_blame(&self) -> Self {
        let innocent = |(id, account): (&ArchiveId, &Account)| (*id, Account { missing: 0, faulty: 0, ..*account });
        Self(self.0.iter().map(innocent).collect())
    }

    /// Whether any count is larger than that.
    #[must_use]
    pub fn exceed(&self, limit: u64) -> bool {
        let large = |account: &Account| {
            let Account { requests, failures, throttled, missing, faulty, compressed, inflated } = *account;
            [requests, failures, throttled, missing, faulty, compressed, inflated].iter().any(|count| *count > limit)
        };
        self.0.values().any(large)
    }

    /// All archives together.
    #[must_use]
    pub fn total(&self) -> Account {
        let mut sum = Self::default();
        for account in self.0.values() {
            sum.add(&Self(BTreeMap::from([(ArchiveId::new(0), *account)])));
        }
        sum.get(ArchiveId::new(0))
    }
}
