//! Whose word a history has: the user's validators and hashes, what they vouch for, and how that is shown to strangers.
//!
//! What it is: quorum sets that people know, what a run's signatures and hashes come to, the file of trusted checkpoint
//! hashes, and proofs of single transactions and ledger entries. What it is not: the rules that signatures and quorums
//! follow; those are [`crate::verify`]. Rules: B.5 H5, B.10, B.11, D.2.

pub mod checkpoint_hashes;
pub mod comparison;
pub mod preset;
pub mod provenance;
pub mod vouched;
