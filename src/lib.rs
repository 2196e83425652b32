#![doc = include_str!("../README.md")]
#![deny(rustdoc::broken_intra_doc_links)]

pub mod archive;
#[cfg(feature = "web")]
pub mod bindings;
pub mod codec;
pub mod driver;
pub mod limits;
pub mod report;
pub mod transport;
pub mod verify;
pub mod work;
