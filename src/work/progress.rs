//! How much of what is done: counts of work items by state. It is not a display; what is shown is the driver's.

use serde::Serialize;

use super::state::WorkState;

/// How many items are in each state. Their sum is the number of items that ever were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkCounts {
    /// Ready to run.
    pub pending: u64,
    /// Depending on what has not succeeded yet.
    pub blocked: u64,
    /// Running, or being stopped.
    pub running: u64,
    /// Waiting for a wake-up or for children.
    pub waiting: u64,
    /// Waiting for a retry.
    pub retrying: u64,
    /// Ended well.
    pub success: u64,
    /// Ended badly.
    pub failure: u64,
    /// Aborted.
    pub aborted: u64,
}

impl WorkCounts {
    /// Adds others' counts.
    pub const fn add(&mut self, other: Self) {
        self.pending += other.pending;
        self.blocked += other.blocked;
        self.running += other.running;
        self.waiting += other.waiting;
        self.retrying += other.retrying;
        self.success += other.success;
        self.failure += other.failure;
        self.aborted += other.aborted;
    }

    pub(super) const fn of(&mut self, state: WorkState) -> &mut u64 {
        match state {
            WorkState::Pending => &mut self.pending,
            WorkState::Blocked => &mut self.blocked,
            WorkState::Running | WorkState::Aborting => &mut self.running,
            WorkState::Waiting => &mut self.waiting,
            WorkState::Retrying => &mut self.retrying,
            WorkState::Success => &mut self.success,
            WorkState::Failure => &mut self.failure,
            WorkState::Aborted => &mut self.aborted,
        }
    }
}
