//! Which work item runs next, and what the end of one means for the others: dependencies, children, retries, aborts and
//! limits by class (rules A.1). It runs nothing itself: the driver starts what it is given, and says how that ended.
//!
//! Waiting cannot go in circles: dependencies are known before the item is, parents before their children, and a child
//! may not depend on what waits for its parent.

use core::mem;
use std::collections::{BTreeMap, BTreeSet};

use super::concurrency::{Concurrency, ConcurrencyLimit, Outcome};
use super::entry::{End, Failing, Item, Room};
use super::item::{AddError, Family, IllegalTransition, OnChildFailure, Ran, Started, WorkClass, WorkId, WorkSpec};
use super::progress::WorkCounts;
use super::state::WorkState;

/// The work items of a run, and for each of them a payload `W` that the driver understands.
///
/// Operations take time logarithmic in the number of items that are known, plus what they end.
#[derive(Debug)]
pub struct WorkScheduler<W> {
    items: BTreeMap<WorkId, Item<W>>,
    rooms: BTreeMap<WorkClass, Room>,
    /// When retries are due.
    due: BTreeSet<(u64, WorkId)>,
    counts: BTreeMap<&'static str, WorkCounts>,
    next_id: u64,
    unfinished: usize,
    aborted: bool,
    /// Children that have ended in the call under way; it forgets them last, so that it can still look at them.
    to_forget: Vec<WorkId>,
    /// As last told: for a parent that fails because of a child.
    now_ms: u64,
    jitter_thousandths: u64,
}

impl<W> WorkScheduler<W> {
    /// Without any work. At most so many items of each class run at once: a limit of 0 counts as 1, and a class that is
    /// not named has none.
    pub fn new(limits: impl IntoIterator<Item = (WorkClass, usize)>) -> Self {
        Self {
            items: BTreeMap::new(),
            rooms: limits.into_iter().map(|(class, limit)| (class, Room::limited(limit.into()))).collect(),
            due: BTreeSet::new(),
            counts: BTreeMap::new(),
            next_id: 0,
            unfinished: 0,
            aborted: false,
            to_forget: Vec::new(),
            now_ms: 0,
            jitter_thousandths: 0,
        }
    }

    /// The same, with a limit for a class that may adapt to what [`observe`](Self::observe) is told.
    #[must_use]
    pub fn limiting(mut self, class: WorkClass, concurrency: Concurrency) -> Self {
        self.rooms.insert(class, Room::limited(concurrency));
        self
    }

    /// How many items of a class may run at once now; `None` if there is no limit.
    #[must_use]
    pub fn limit(&self, class: WorkClass) -> Option<usize> {
        self.rooms.get(&class)?.limit.as_ref().map(ConcurrencyLimit::limit)
    }

    /// Takes how what an item of a class did since `began_ms` came out; to be called before the item [has ended](Self::ended).
    pub fn observe(&mut self, class: WorkClass, outcome: Outcome, began_ms: u64, now_ms: u64) {
        if let Some(room) = self.rooms.get_mut(&class)
            && let Some(limit) = &mut room.limit
        {
            limit.ended(outcome, began_ms, room.running, now_ms);
        }
    }

    /// Adds an item. If something it depends on has already ended without success, it is Aborted at once.
    ///
    /// # Errors
    ///
    /// [`AddError::Aborted`] and [`AddError::UnknownDependency`].
    pub fn add(&mut self, spec: WorkSpec, work: W) -> Result<WorkId, AddError> {
        self.insert(None, spec, work)
    }

    /// Adds a child of an item that is Running or Waiting. If that item is about to fail, or something the child depends
    /// on has already ended without success, the child is Aborted at once.
    ///
    /// A child is forgotten when it ends: its id is then unknown, and what it came to is in its parent's [`Family`].
    ///
    /// # Errors
    ///
    /// Any [`AddError`].
    pub fn add_child(&mut self, parent: WorkId, spec: WorkSpec, work: W) -> Result<WorkId, AddError> {
        self.insert(Some(parent), spec, work)
    }

    /// The item to run now: the one that was added first among those that are ready and whose class has room. Retries that
    /// are due at `now_ms`, in milliseconds from any fixed moment, are ready.
    pub fn start_next(&mut self, now_ms: u64) -> Option<Started<W>> {
        self.now_ms = now_ms;
        while let Some((_, id)) = self.due.first().copied().filter(|(due_ms, _)| *due_ms <= now_ms) {
            self.turn(id, WorkState::Pending);
        }
        let id = self.rooms.values().filter(|room| room.has_space()).filter_map(|room| room.ready.first()).min().copied()?;
        self.turn(id, WorkState::Running);
        let item = self.items.get_mut(&id)?;
        let work = item.work.take()?;
        Some(Started { id, work, retry: item.retries, family: item.family() })
    }

    /// Takes back a started item, says what its run came to, and returns its state after that.
    ///
    /// An item that was aborted while it ran ends as Aborted whatever `ran` says. One that fails while it has children is
    /// Waiting till they are aborted, and fails then. One that fails with its children ([`OnChildFailure::Fail`]), and had
    /// a child fail while it ran, fails whatever `ran` says.
    ///
    /// `jitter_thousandths`, in 0..=1000, is the dice for the delay of a retry.
    ///
    /// # Errors
    ///
    /// If the item is neither Running nor Aborting, or is said to have succeeded while children of it are unfinished.
    pub fn ended(&mut self, id: WorkId, work: W, ran: Ran, now_ms: u64, jitter_thousandths: u64) -> Result<WorkState, IllegalTransition> {
        let item = self.items.get_mut(&id);
        let (from, unfinished_children) = item.as_ref().map_or((None, 0), |item| (Some(item.state), item.children.len()));
        let to = match (from, ran) {
            (Some(WorkState::Aborting), _) => WorkState::Aborted,
            (_, Ran::Running) => WorkState::Pending,
            (_, Ran::Waiting) => WorkState::Waiting,
            (_, Ran::Success) => WorkState::Success,
            (_, Ran::Failure { .. }) => WorkState::Failure,
        };
        let illegal = IllegalTransition { id, from, to, unfinished_children };
        let item = item.filter(|item| item.state.is_held()).ok_or(illegal)?;
        if to == WorkState::Success && unfinished_children > 0 {
            return Err(illegal);
        }
        (self.now_ms, self.jitter_thousandths) = (now_ms, jitter_thousandths);
        let failed = item.ended_by_failure;
        let woken = mem::take(&mut item.woken);
        if let Ran::Failure { retry, at_least_ms } = ran {
            item.failing = Some(Failing { retry, at_least_ms });
        }
        item.work = Some(work);
        if to == WorkState::Aborted {
            self.end(vec![End { id, to, failed }]);
        } else if item.failing.is_some() {
            let children = item.abort_children(true);
            self.turn(id, WorkState::Waiting);
            self.end(children);
            let failed = self.fail_if_alone(id);
            self.end(failed.into_iter().collect());
        } else if to == WorkState::Success {
            self.end(vec![End { id, to, failed: false }]);
        } else {
            self.turn(id, if woken { WorkState::Pending } else { to });
        }
        let state = self.state(id).unwrap_or(to);
        self.forget();
        Ok(state)
    }

    /// What has become of an item's children, those included that were added since it was started.
    #[must_use]
    pub fn family(&self, id: WorkId) -> Option<Family> {
        self.items.get(&id).map(Item::family)
    }

    /// When a Retrying item is due.
    #[must_use]
    pub fn due_ms(&self, id: WorkId) -> Option<u64> {
        self.items.get(&id).filter(|item| item.state == WorkState::Retrying).map(|item| item.due_ms)
    }

    /// Makes a Waiting item ready. If it runs just now, that is remembered for when it wants to wait.
    pub fn wake(&mut self, id: WorkId) {
        let Some(item) = self.items.get_mut(&id) else { return };
        match item.state {
            WorkState::Running => item.woken = true,
            WorkState::Waiting if item.failing.is_none() => self.turn(id, WorkState::Pending),
            _ => {}
        }
    }

    /// Ends everything: what runs becomes Aborting, and Aborted once the driver has stopped it and called
    /// [`ended`](Self::ended); all else is Aborted now. Nothing starts any more, and nothing can be added.
    pub fn abort(&mut self) {
        self.aborted = true;
        // The first last, as the last is taken first: parents go before their children.
        self.end(self.items.keys().rev().map(|id| End::abort(*id, false)).collect());
        self.forget();
    }

    /// Aborts one item, its children and whatever depends on any of them.
    pub fn abort_work(&mut self, id: WorkId) {
        self.end(vec![End::abort(id, false)]);
        self.forget();
    }

    /// Forgets an item that has ended and is no child; `false` if there is none such.
    pub fn remove(&mut self, id: WorkId) -> bool {
        let removable = self.items.get(&id).is_some_and(|item| item.state.is_terminal() && item.parent.is_none());
        removable && self.items.remove(&id).is_some()
    }

    /// When the earliest retry is due, in the milliseconds of [`start_next`](Self::start_next).
    #[must_use]
    pub fn next_due_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    /// Whether every item has ended.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.unfinished == 0
    }

    /// The state of an item; `None` if it was never added or is forgotten.
    #[must_use]
    pub fn state(&self, id: WorkId) -> Option<WorkState> {
        self.items.get(&id).map(|item| item.state)
    }

    /// How many items of each kind are in which state. Those that are forgotten stay counted.
    #[must_use]
    pub fn progress(&self) -> BTreeMap<&'static str, WorkCounts> {
        self.counts.clone()
    }

    fn insert(&mut self, parent: Option<WorkId>, mut spec: WorkSpec, work: W) -> Result<WorkId, AddError> {
        let dependencies = mem::take(&mut spec.dependencies);
        self.may_add(parent, &spec.name, &dependencies)?;
        let id = WorkId(self.next_id);
        self.next_id += 1;
        self.unfinished += 1;
        let mut item = Item::new(parent, spec, work);
        // It never had a chance if what it needs, or its parent, is not going to succeed.
        let mut hopeless = None;
        for dependency in dependencies {
            let Some(needed) = self.items.get_mut(&dependency) else { continue };
            match needed.state {
                WorkState::Success => {}
                WorkState::Failure | WorkState::Aborted | WorkState::Aborting => {
                    hopeless = Some(needed.ended_by_failure || hopeless == Some(true));
                }
                _ => {
                    needed.needed_by.insert(id);
                    item.needs.insert(dependency);
                }
            }
        }
        if let Some(parent) = parent.and_then(|parent| self.items.get_mut(&parent)) {
            parent.children.insert(item.spec.name.clone(), id);
            hopeless = hopeless.or(parent.failing.is_some().then_some(true));
        }
        self.counts.entry(item.spec.kind).or_default().blocked += 1;
        let ready = item.needs.is_empty();
        self.items.insert(id, item);
        if let Some(failed) = hopeless {
            self.end(vec![End::abort(id, failed)]);
            self.forget();
        } else if ready {
            self.turn(id, WorkState::Pending);
        }
        Ok(id)
    }

    fn may_add(&self, parent: Option<WorkId>, name: &str, dependencies: &[WorkId]) -> Result<(), AddError> {
        if self.aborted {
            return Err(AddError::Aborted);
        }
        if let Some(parent) = parent {
            let parent = self.items.get(&parent).ok_or(AddError::UnknownParent)?;
            if !matches!(parent.state, WorkState::Running | WorkState::Waiting) {
                return Err(AddError::ParentNotRunning);
            }
            if parent.children.contains_key(name) {
                return Err(AddError::DuplicateName);
            }
        }
        let mut strangers = BTreeSet::new();
        for id in dependencies {
            let item = self.items.get(id).ok_or(AddError::UnknownDependency)?;
            // A sibling cannot wait for the parent: it would not have been added.
            if item.parent != parent && !item.state.is_terminal() {
                strangers.insert(*id);
            }
        }
        match parent {
            Some(parent) if !strangers.is_empty() && self.is_awaited_by_any(parent, &strangers) => Err(AddError::CircularDependency),
            _ => Ok(()),
        }
    }

    /// Whether one of these is the item, or waits for it, if only for a child or a dependency that does.
    fn is_awaited_by_any(&self, id: WorkId, suspects: &BTreeSet<WorkId>) -> bool {
        let (mut seen, mut to_see) = (BTreeSet::new(), vec![id]);
        while let Some(id) = to_see.pop() {
            if suspects.contains(&id) {
                return true;
            }
            if let Some(item) = self.items.get(&id).filter(|_| seen.insert(id)) {
                to_see.extend(item.needed_by.iter().chain(&item.parent));
            }
        }
        false
    }

    /// Ends items and, with them, whatever cannot go on without them. A list, not a recursion: chains may be long.
    fn end(&mut self, mut ends: Vec<End>) {
        while let Some(End { id, to, failed }) = ends.pop() {
            let Some(item) = self.items.get_mut(&id) else { continue };
            let to = match (item.state, to) {
                (state, _) if state.is_terminal() => continue,
                (WorkState::Aborting, WorkState::Aborting) => continue,
                (WorkState::Running, WorkState::Aborting) => WorkState::Aborting,
                (_, WorkState::Aborting) => WorkState::Aborted,
                (_, to) => to,
            };
            item.work = None;
            item.ended_by_failure = failed;
            ends.extend(item.abort_children(failed));
            let (needs, needed_by, parent) = (mem::take(&mut item.needs), mem::take(&mut item.needed_by), item.parent);
            self.turn(id, to);
            for needed in needs {
                if let Some(needed) = self.items.get_mut(&needed) {
                    needed.needed_by.remove(&id);
                }
            }
            for dependent in needed_by {
                if to == WorkState::Success {
                    self.unblock(dependent, id);
                } else {
                    ends.push(End::abort(dependent, failed));
                }
            }
            if let Some(parent) = parent.filter(|_| to.is_terminal()) {
                self.to_forget.push(id);
                self.tell_parent(parent, id, to, failed, &mut ends);
            }
        }
    }

    fn unblock(&mut self, id: WorkId, by: WorkId) {
        let Some(item) = self.items.get_mut(&id) else { return };
        item.needs.remove(&by);
        if item.needs.is_empty() && item.state == WorkState::Blocked {
            self.turn(id, WorkState::Pending);
        }
    }

    fn tell_parent(&mut self, id: WorkId, child: WorkId, to: WorkState, failed: bool, ends: &mut Vec<End>) {
        let name = self.items.get_mut(&child).map(|child| mem::take(&mut child.spec.name));
        let (Some(item), Some(name)) = (self.items.get_mut(&id), name) else { return };
        item.children.remove(&name);
        match to {
            WorkState::Success => item.past.succeeded += 1,
            WorkState::Failure => item.past.failed += 1,
            _ => item.past.aborted += 1,
        }
        if failed && item.failing.is_none() && item.spec.on_child_failure == OnChildFailure::Fail && !item.state.is_terminal() {
            item.failing = Some(Failing { retry: true, at_least_ms: 0 });
            ends.extend(item.abort_children(true));
            if item.state == WorkState::Pending {
                self.turn(id, WorkState::Waiting);
            }
        }
        self.wake(id);
        ends.extend(self.fail_if_alone(id));
    }

    /// If the item only waited for its children to end before it fails, and they have: a retry, or else the end to come.
    fn fail_if_alone(&mut self, id: WorkId) -> Option<End> {
        let alone = |item: &&mut Item<W>| item.state == WorkState::Waiting && item.children.is_empty();
        let item = self.items.get_mut(&id).filter(alone)?;
        let Failing { retry, at_least_ms } = item.failing.take()?;
        let delay_ms = if retry { item.spec.retry.delay_ms(item.retries, self.jitter_thousandths) } else { None };
        let Some(delay_ms) = delay_ms else { return Some(End { id, to: WorkState::Failure, failed: true }) };
        item.retries += 1;
        item.due_ms = self.now_ms.saturating_add(delay_ms.max(at_least_ms));
        item.past = Family::default();
        self.turn(id, WorkState::Retrying);
        None
    }

    fn forget(&mut self) {
        for id in mem::take(&mut self.to_forget) {
            self.items.remove(&id);
        }
    }

    /// The one place where a state changes, so that queues, limits and counts always agree with it.
    fn turn(&mut self, id: WorkId, next: WorkState) {
        let Some(item) = self.items.get_mut(&id) else { return };
        let before = mem::replace(&mut item.state, next);
        debug_assert!(before.may_become(next), "{id} went from {} to {}", before.name(), next.name());
        let room = self.rooms.entry(item.spec.class).or_default();
        room.running = room.running + usize::from(next.is_held()) - usize::from(before.is_held());
        match before {
            WorkState::Pending => room.ready.remove(&id),
            WorkState::Retrying => self.due.remove(&(item.due_ms, id)),
            _ => false,
        };
        match next {
            WorkState::Pending => room.ready.insert(id),
            WorkState::Retrying => self.due.insert((item.due_ms, id)),
            _ => false,
        };
        self.unfinished -= usize::from(next.is_terminal());
        let counts = self.counts.entry(item.spec.kind).or_default();
        *counts.of(before) -= 1;
        *counts.of(next) += 1;
    }
}
