//! Threads that a run may be shared with, each with an instance of the verifier of its own.
//!
//! What it is: what a host must offer for it. What it is not: which part is whose; that is [`super::verify_archives`]'s.

use futures_util::future::{LocalBoxFuture, ready};

use super::audit::AuditTask;

/// Threads beside this one.
pub trait Workers {
    /// How many; at least 1.
    fn count(&self) -> usize;

    /// Checkpoints from which on it is worth to share a range: fewer are done before other threads have begun.
    fn worth_sharing(&self) -> u32 {
        16
    }

    /// Hands out the state that all parts are of, before the first part.
    fn begin(&self, state: &str);

    /// Verifies a part; none where nothing came of it. Events of checkpoints and retries go where those of the run go.
    fn verify(&self, task: &AuditTask) -> LocalBoxFuture<'static, Option<Vec<u8>>>;

    /// What the parts under way have come to.
    fn progress(&self) -> Elsewhere;
}

/// What parts under way have come to, for the progress of the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere {
    /// Checkpoints verified.
    pub checkpoints: u64,
    /// Buckets verified.
    pub buckets: u64,
    /// Bytes as they came.
    pub compressed: u64,
    /// Bytes of content.
    pub inflated: u64,
    /// Reads begun.
    pub requests: u64,
    /// Reads that failed for faults of the way.
    pub failures: u64,
    /// Reads that were tried again.
    pub retries: u64,
}

/// No threads: what was begun in parts is ended by one.
pub(super) struct NoWorkers;

impl Workers for NoWorkers {
    fn count(&self) -> usize {
        0
    }

    fn begin(&self, _: &str) {}

    fn verify(&self, _: &AuditTask) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        Box::pin(ready(None))
    }

    fn progress(&self) -> Elsewhere {
        Elsewhere::default()
    }
}
