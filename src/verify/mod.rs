//! The rules: pure, synchronous, deterministic.
//!
//! What it is: one file's records in, facts and [`finding::Finding`]s out; one checkpoint's files in, one
//! [`segment::Segment`] out. What it is not: aware of where bytes come from, of time, or of the work that fetches them.
//! Rules: B.3 to B.11.

mod batch;
pub mod bucket;
pub mod bucket_list;
pub mod chain;
pub mod checkpoint;
mod entries;
pub mod envelope;
pub mod finding;
pub mod header;
pub mod messages;
pub mod quorum;
pub mod results;
pub mod scp;
pub mod segment;
pub mod signature;
pub mod state;
pub mod transactions;
pub mod votes;
pub mod xdr;
