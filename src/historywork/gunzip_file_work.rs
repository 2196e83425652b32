//! `GunzipFileWork`: a file that is there already, unzipped: every member, with its length and checksum (rules A.2, E 19).

use core::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::{HistoryWork, Step, Turn};
use crate::codec::gzip::{GzipDecoder, GzipError, GzipLimits};
use crate::work::Ran;

/// The unzipped bytes, or why there are none.
pub type Gunzipped = Arc<Mutex<Option<Result<Vec<u8>, GzipError>>>>;

/// The item.
#[derive(Clone, Debug)]
pub struct GunzipFileWork {
    zipped: Vec<u8>,
    limits: GzipLimits,
    into: Gunzipped,
}

impl GunzipFileWork {
    /// A file, its content into `into`.
    #[must_use]
    pub fn new(zipped: Vec<u8>, limits: GzipLimits, into: Gunzipped) -> Self {
        Self { zipped, limits, into }
    }
}

impl HistoryWork for GunzipFileWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        let outcome = gunzip(&self.zipped, self.limits);
        // The same bytes unzip the same way: no retry.
        let ran = if outcome.is_ok() { Ran::Success } else { Ran::Failure { retry: false, at_least_ms: 0 } };
        *self.into.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        Step::Ended(ran)
    }
}

/// Unzips a file that is in memory.
///
/// # Errors
/// The first fault of any member, or the limit that it reached.
pub fn gunzip(zipped: &[u8], limits: GzipLimits) -> Result<Vec<u8>, GzipError> {
    let mut content = Vec::new();
    let mut decoder = GzipDecoder::new(limits);
    let _ = decoder.push(zipped, &mut |bytes| {
        content.extend_from_slice(bytes);
        ControlFlow::Continue(())
    })?;
    decoder.finish()?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::gzip_encoder::gzip;
    use crate::limits::Budget;

    #[test]
    fn every_member_is_unzipped_and_a_cut_one_is_an_error() {
        let limits = GzipLimits::new(&Budget::default(), 1000);
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(gunzip(&two, limits).as_deref(), Ok(b"onetwo".as_slice()));
        for end in [0, 1, two.len() / 2 + 1, two.len() - 1] {
            assert!(gunzip(two.get(..end).unwrap_or_default(), limits).is_err(), "{end}");
        }
        assert!(gunzip(&gzip(&[0; 2000]), limits).is_err(), "the limit holds");
    }
}
