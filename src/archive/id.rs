//! Which of several archives.

use core::fmt;

use serde::{Deserialize, Serialize};

/// An archive's place in the list of a run's archives.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ArchiveId(usize);

impl ArchiveId {
    /// The archive at a place.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place that files are written to, by its place among those of a run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct WriterId(usize);

impl WriterId {
    /// The id of a place in the list.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place in the list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}
