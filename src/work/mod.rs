//! Work policies: plain data, no clock, no Stellar.

pub mod retry;
