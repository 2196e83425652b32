//! What is to be done, in which order and how often: plain data about work items.
//!
//! It is a scheduler in the manner of stellar-core's `src/work` (rules A.1), turned inside out: the driver asks what to
//! start, runs it, and tells what came of it. It is not an executor, and knows no clock, no randomness and no Stellar:
//! times and jitter are arguments, and the payload of an item belongs to the driver.

pub mod concurrency;
mod entry;
mod item;
mod progress;
pub mod retry;
pub mod scheduler;
pub mod state;

pub use concurrency::{Concurrency, ConcurrencyLimit, Outcome};
pub use item::{AddError, Family, IllegalTransition, OnChildFailure, Ran, Started, WorkClass, WorkId, WorkSpec};
pub use progress::WorkCounts;
pub use retry::RetryPolicy;
pub use scheduler::WorkScheduler;
pub use state::WorkState;
