#![doc = include_str!("../README.md")]
//!
//! # Glossary
//!
//! * **Checkpoint**: 64 ledgers (8 on accelerated networks), named by the last of them; what archives are cut into.
//! * **HistoryArchiveState (HAS)**: the JSON file that names the buckets of a checkpoint.
//! * **Bucket**: a sorted file of ledger entries, named by its SHA-256; two of them a level, eleven levels a bucket list.
//! * **Header chain**: ledger headers, each naming the hash of the one before.
//! * **Quorum set**: so many of these validators, some of which may be sets themselves; the user's own says whose word counts.
//! * **Seal**: signatures of a quorum over ledger N, which fix ledger N - 1 and all before it.
//! * **Anchor**: what a chain is tied to: genesis, a seal, a hash that the user trusts.
//! * **Finding**: evidence that the archive is wrong. **Error**: something could not be looked at.
//! * **Segment**: what is kept of verified checkpoints; neighbours join.
//! * **Mirror**, **repair**: a verification that writes what it verified where the destination lacks it, or has it wrong.
//! * **Plan**: what a repair is to look at, as stellar-archivist writes it; a hint, never evidence.

pub mod archive;
#[cfg(feature = "web")]
pub mod bindings;
pub mod codec;
pub mod driver;
#[cfg(feature = "explore")]
pub mod explore;
pub mod historywork;
pub mod limits;
pub mod report;
pub mod transport;
pub mod trust;
pub mod verify;
pub mod work;
