//! What a driver says about a work item and what it hears back (rules A.1). It is vocabulary only: what the words do is
//! in the scheduler.

use core::fmt;

use thiserror::Error;

use super::retry::RetryPolicy;
use super::state::WorkState;

/// One item of one scheduler; never given out twice. Lower ones were added earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub(super) u64);

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "work {}", self.0)
    }
}

/// What items compete for, such as downloads or hashing: at most so many of a class run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkClass(pub &'static str);

/// What a parent does when a child fails for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnChildFailure {
    /// Its other children are aborted, and when all have ended it fails too, by its retry policy. A child that
    /// [`abort_work`](super::WorkScheduler::abort_work) ended is no failure: the parent is woken and sees the count.
    #[default]
    Fail,
    /// It is woken and sees the counts.
    Continue,
}

/// An item to be added.
#[derive(Clone, Debug)]
pub struct WorkSpec {
    /// The type's name: progress is counted by it.
    pub kind: &'static str,
    /// The item's own name, unique among the unfinished children of one parent.
    pub name: String,
    /// What it competes for while it runs.
    pub class: WorkClass,
    /// How often, and after how long, it is tried again.
    pub retry: RetryPolicy,
    /// It starts when all of these have succeeded, and is aborted when one of them does not.
    pub dependencies: Vec<WorkId>,
    /// What becomes of it when a child of it fails for good.
    pub on_child_failure: OnChildFailure,
}

impl WorkSpec {
    /// An item that is never retried, depends on nothing, and fails with its children.
    pub fn new(kind: &'static str, name: impl Into<String>, class: WorkClass) -> Self {
        Self { kind, name: name.into(), class, retry: RetryPolicy::NEVER, dependencies: Vec::new(), on_child_failure: OnChildFailure::Fail }
    }

    /// Starts only when `dependency`, too, has succeeded.
    #[must_use]
    pub fn after(mut self, dependency: WorkId) -> Self {
        self.dependencies.push(dependency);
        self
    }

    /// Is retried by `policy`.
    #[must_use]
    pub const fn retrying(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Goes on when children fail.
    #[must_use]
    pub const fn with_failing_children(mut self) -> Self {
        self.on_child_failure = OnChildFailure::Continue;
        self
    }
}

/// What a run of an item came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// There is more to do: run it again. This is no retry.
    Running,
    /// There is nothing to do until it is woken or a child ends. This is no retry either.
    Waiting,
    /// It is done.
    Success,
    /// It failed.
    Failure {
        /// Whether another attempt may go better; the item's policy says whether there is one.
        retry: bool,
        /// The next attempt is not sooner than this many milliseconds from now, whatever the policy says.
        at_least_ms: u64,
    },
}

/// An item that the driver is to run now, and then to hand back with [`ended`](super::WorkScheduler::ended).
#[derive(Debug)]
pub struct Started<W> {
    /// Which item.
    pub id: WorkId,
    /// The driver's payload.
    pub work: W,
    /// Retries so far.
    pub retry: u32,
    /// What has become of its children.
    pub family: Family,
}

/// The children of an item since it was added or last retried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Not ended yet.
    pub unfinished: usize,
    /// Ended well.
    pub succeeded: u64,
    /// Ended badly.
    pub failed: u64,
    /// Aborted, such as those that depended on a failed one.
    pub aborted: u64,
}

/// Why an item cannot be added. Nothing has changed then.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AddError {
    /// All work was aborted.
    #[error("all work was aborted")]
    Aborted,
    /// The dependency cannot end before the parent does, nor the parent before this child: both would wait forever.
    #[error("a dependency waits for the parent itself")]
    CircularDependency,
    /// The parent has an unfinished child of the same name.
    #[error("an unfinished child of the same name exists")]
    DuplicateName,
    /// The parent is neither running nor waiting.
    #[error("the parent is neither running nor waiting")]
    ParentNotRunning,
    /// The dependency was never added, or is forgotten.
    #[error("a dependency is not known")]
    UnknownDependency,
    /// The parent was never added, or is forgotten.
    #[error("the parent is not known")]
    UnknownParent,
}

/// A run was said to have ended in a way it cannot: a bug of the driver. Nothing has changed then, but the payload is gone.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "{id}, with {unfinished_children} unfinished children, may not go from {} to {}",
    .from.map_or("forgotten", WorkState::name),
    .to.name()
)]
pub struct IllegalTransition {
    /// Which item.
    pub id: WorkId,
    /// Its state; `None` if it is not known.
    pub from: Option<WorkState>,
    /// What it was to become.
    pub to: WorkState,
    /// Its children that have not ended.
    pub unfinished_children: usize,
}
