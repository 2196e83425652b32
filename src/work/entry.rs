//! What the scheduler keeps about an item and about a class (rules A.1). It decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::concurrency::{Concurrency, ConcurrencyLimit};
use super::item::{Family, WorkId, WorkSpec};
use super::state::WorkState;

#[derive(Debug)]
pub(super) struct Item<W> {
    pub(super) parent: Option<WorkId>,
    /// Its dependencies are moved to `needs`.
    pub(super) spec: WorkSpec,
    pub(super) state: WorkState,
    /// With the driver while it runs.
    pub(super) work: Option<W>,
    pub(super) retries: u32,
    pub(super) due_ms: u64,
    pub(super) woken: bool,
    /// It fails as soon as its last child has ended.
    pub(super) failing: Option<Failing>,
    /// It failed, or was aborted because something else did: so its parent fails too.
    pub(super) ended_by_failure: bool,
    /// What it is blocked by.
    pub(super) needs: BTreeSet<WorkId>,
    /// What is blocked by it.
    pub(super) needed_by: BTreeSet<WorkId>,
    /// Those that are unfinished.
    pub(super) children: BTreeMap<String, WorkId>,
    /// The others.
    pub(super) past: Family,
}

impl<W> Item<W> {
    pub(super) fn new(parent: Option<WorkId>, spec: WorkSpec, work: W) -> Self {
        Self {
            parent,
            spec,
            state: WorkState::Blocked,
            work: Some(work),
            retries: 0,
            due_ms: 0,
            woken: false,
            failing: None,
            ended_by_failure: false,
            needs: BTreeSet::new(),
            needed_by: BTreeSet::new(),
            children: BTreeMap::new(),
            past: Family::default(),
        }
    }

    pub(super) fn family(&self) -> Family {
        Family { unfinished: self.children.len(), ..self.past }
    }

    pub(super) fn abort_children(&self, failed: bool) -> Vec<End> {
        self.children.values().map(|id| End::abort(*id, failed)).collect()
    }
}

/// How an item is going to fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failing {
    pub(super) retry: bool,
    pub(super) at_least_ms: u64,
}

/// An end that an item is to come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) id: WorkId,
    /// Aborting asks for the abort, which for what does not run is the same as Aborted.
    pub(super) to: WorkState,
    /// Whether a failure is the reason.
    pub(super) failed: bool,
}

impl End {
    pub(super) const fn abort(id: WorkId, failed: bool) -> Self {
        Self { id, to: WorkState::Aborting, failed }
    }
}

/// The items of one class.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) limit: Option<ConcurrencyLimit>,
    pub(super) running: usize,
    pub(super) ready: BTreeSet<WorkId>,
}

impl Room {
    pub(super) fn limited(concurrency: Concurrency) -> Self {
        Self { limit: Some(ConcurrencyLimit::new(concurrency)), ..Self::default() }
    }

    pub(super) fn has_space(&self) -> bool {
        self.limit.as_ref().is_none_or(|limit| self.running < limit.limit())
    }
}
