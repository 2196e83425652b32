//! The only async loop: reads an archive through a transport and hands its bytes to the rules.
//!
//! What it is: what is read when, how often it is tried again, when to let others run, when to stop. What it is not:
//! a judge of bytes; that is [`crate::verify`]. Clock, timers and randomness come from a [`Host`].

pub mod audit;
pub mod compare;
pub mod copy;
pub mod download;
pub mod dump;
pub mod estimate;
pub mod event;
#[cfg(feature = "explore")]
pub mod explore;
pub mod header;
pub mod log;
pub mod mirror;
#[cfg(feature = "native")]
pub mod native;
mod options;
mod probe;
pub mod prove;
pub mod provenance;
pub mod publish;
pub mod recent_quorum_sets;
pub mod repair;
mod roots;
mod schedule;
mod search;
pub mod status;
mod verify;
pub mod verify_checkpoints;
#[cfg(feature = "web")]
pub mod web;
pub mod workers;
mod write;

use futures_util::future::LocalBoxFuture;

pub use options::{ReadOptions, UsageError};
pub use schedule::{Drive, DriveEvent, Timeouts};
pub use verify::{RunOptions, verify_archive, verify_archives};
pub use write::Written;

pub use crate::trust::Trust;

use crate::codec::hash::Hash256;
use workers::Workers;

/// What the platform gives a run.
pub trait Host {
    /// A monotonic clock, in milliseconds.
    fn now_ms(&self) -> u64;

    /// The wall clock as ISO 8601 in UTC, for the report.
    fn timestamp(&self) -> String;

    /// A number from 0 to 1000, for jitter.
    fn jitter_thousandths(&self) -> u64;

    /// Resolves after that time.
    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()>;

    /// Resolves after other work of the platform had its turn (timers, messages, a cancel button).
    fn yield_now(&self) -> LocalBoxFuture<'static, ()>;

    /// Whether the run is to stop.
    fn is_cancelled(&self) -> bool;

    /// Resolves when the run is to stop; never, if it never is.
    fn cancelled(&self) -> LocalBoxFuture<'static, ()>;

    /// The SHA-256 of bytes that are taken when it is called, where the platform has it; none, if it fails.
    fn digest(&self, _bytes: &[u8]) -> Option<LocalBoxFuture<'static, Option<Hash256>>> {
        None
    }

    /// Threads that a run may be shared with.
    fn workers(&self) -> Option<&dyn Workers> {
        None
    }
}
