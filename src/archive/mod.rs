//! What an archive is: paths, checkpoints, HistoryArchiveState, networks, and how reading one can fail.
//!
//! What it is: names and arithmetic, and the parsed form of the one JSON file. What it is not: verification of anything
//! against anything else; that is [`crate::verify`]. Rules: B.1, B.2, B.3, B.6, B.11, D.2.

pub mod checkpoint;
pub mod error;
pub mod genesis;
pub mod id;
pub mod network;
pub mod node;
pub mod path;
pub mod state;
pub mod time;
