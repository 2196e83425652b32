//! The states of a work item and which may follow which (rules A.1). It is only the table; who moves an item, and when,
//! is the scheduler's.

/// Where a work item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkState {
    /// Ready: runs as soon as its class has room.
    Pending,
    /// Something it depends on has not succeeded yet.
    Blocked,
    /// The driver runs it.
    Running,
    /// Until it is woken, or a child ends.
    Waiting,
    /// It failed and is Pending again when its delay is over.
    Retrying,
    /// It was aborted while it ran; the driver stops it.
    Aborting,
    /// Ended well.
    Success,
    /// Ended badly, with no retries left or none wanted.
    Failure,
    /// Ended because it was told to, or because it could no longer start.
    Aborted,
}

impl WorkState {
    /// Whether an item may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use WorkState::{Aborted, Aborting, Blocked, Failure, Pending, Retrying, Running, Success, Waiting};
        match self {
            // Pending to Waiting: a child failed, so the item does not run again but waits for its other children to end.
            Pending => matches!(next, Running | Waiting | Aborted),
            Blocked | Retrying => matches!(next, Pending | Aborted),
            Running => matches!(next, Pending | Waiting | Retrying | Aborting | Success | Failure),
            Waiting => matches!(next, Pending | Retrying | Failure | Aborted),
            Aborting => matches!(next, Aborted),
            Success | Failure | Aborted => false,
        }
    }

    /// Whether the item has ended.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Aborted)
    }

    /// In lower case, for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Aborting => "aborting",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the driver holds it, so that it takes up room in its class.
    pub(super) const fn is_held(self) -> bool {
        matches!(self, Self::Running | Self::Aborting)
    }
}

#[cfg(test)]
mod tests {
    use super::WorkState::{self, *};

    const ALL: [WorkState; 9] = [Pending, Blocked, Running, Waiting, Retrying, Aborting, Success, Failure, Aborted];

    /// A row for each state before, a column for each state after, both in the order of `ALL`.
    const LEGAL: [&str; 9] = [
        "..xx....x", // Pending
        "x.......x", // Blocked
        "x..xxxxx.", // Running
        "x...x..xx", // Waiting
        "x.......x", // Retrying
        "........x", // Aborting
        ".........", // Success
        ".........", // Failure
        ".........", // Aborted
    ];

    #[test]
    fn exactly_the_legal_transitions_are_allowed() {
        for (before, row) in ALL.into_iter().zip(LEGAL) {
            for (after, legal) in ALL.into_iter().zip(row.chars()) {
                assert_eq!(before.may_become(after), legal == 'x', "{} to {}", before.name(), after.name());
            }
        }
    }

    #[test]
    fn exactly_the_terminal_states_lead_nowhere() {
        for state in ALL {
            assert_eq!(state.is_terminal(), ALL.iter().all(|next| !state.may_become(*next)), "{}", state.name());
        }
    }

    #[test]
    fn names_are_those_of_the_states() {
        for state in ALL {
            assert_eq!(state.name(), format!("{state:?}").to_lowercase());
        }
    }
}
