//! `GzipFileWork`: content zipped as archives have it: the same bytes for the same content, wherever and whenever
//! (rules A.2).

use std::sync::{Arc, Mutex, PoisonError};

use super::{HistoryWork, Step, Turn};
use crate::codec::gzip_encoder::gzip;
use crate::work::Ran;

/// A file that was zipped, for whoever puts it.
pub type Zipped = Arc<Mutex<Option<Arc<[u8]>>>>;

/// The item.
#[derive(Clone, Debug)]
pub struct GzipFileWork {
    content: Vec<u8>,
    into: Zipped,
}

impl GzipFileWork {
    /// Content, zipped into `into`.
    #[must_use]
    pub fn new(content: Vec<u8>, into: Zipped) -> Self {
        Self { content, into }
    }
}

impl HistoryWork for GzipFileWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        let content = core::mem::take(&mut self.content);
        *self.into.lock().unwrap_or_else(PoisonError::into_inner) = Some(gzip(&content).into());
        Step::Ended(Ran::Success)
    }
}
