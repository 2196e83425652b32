//! What a run counts, by stellar-core's names where it has them (rules A.2), by plain ones where it has not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::archives::Accounts;
use super::range::JoinedRange;
use crate::archive::path::FileKind;

/// Counts by name. 64-bit byte counts are decimal strings: JavaScript's numbers end at 2^53.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Metrics(BTreeMap<String, Metric>);

/// One of them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Metric {
    /// How often.
    Count(u64),
    /// How many bytes.
    Bytes(String),
    /// How often, by kind of file.
    ByKind(BTreeMap<String, u64>),
}

/// What publishing counts, by stellar-core's names.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PublishMetrics {
    /// Checkpoints that are in every place that they were to be published to.
    #[serde(rename = "history.publish.success")]
    pub success: u64,
    /// Checkpoints that are not.
    #[serde(rename = "history.publish.failure")]
    pub failure: u64,
    /// How long it took, in milliseconds.
    #[serde(rename = "history.publish.time")]
    pub time_ms: u64,
}

impl Metrics {
    /// Of a run that was asked for a range; `accounts` has the requests before and after it as well.
    ///
    /// `history.check` counts checkpoints whose files were all verified, or of which one is faulty; `history.ledger-check` the
    /// same of ledger files alone.
    #[must_use]
    pub fn of_range(range: Option<&JoinedRange>, accounts: &Accounts) -> Self {
        let total = accounts.total();
        let mut metrics = Self::default();
        metrics.bytes("history.get.throughput", total.compressed);
        metrics.count("history.get.failure", total.failures.saturating_add(total.throttled));
        metrics.bytes("bytes.compressed", total.compressed);
        metrics.bytes("bytes.inflated", total.inflated);
        let ledger = range.map(|range| range.tally(Some(FileKind::Ledger))).unwrap_or_default();
        let (success, failure) = range.map(JoinedRange::checked_checkpoints).unwrap_or_default();
        metrics.check(success, failure);
        metrics.ledger_check(ledger.verified, ledger.faulty);
        metrics.count("history.publish.success", 0);
        metrics.count("history.publish.failure", 0);
        let kinds = FileKind::ALL.into_iter().map(Some).chain([None]);
        let tallies: Vec<_> =
            kinds.map(|kind| (kind.map_or("bucket", FileKind::name), range.map(|range| range.tally(kind)).unwrap_or_default())).collect();
        metrics.by_kind("verified", tallies.iter().map(|(kind, tally)| (*kind, tally.verified)));
        metrics.by_kind("faulty", tallies.iter().map(|(kind, tally)| (*kind, tally.faulty)));
        metrics.by_kind("unchecked", tallies.iter().map(|(kind, tally)| (*kind, tally.unchecked)));
        metrics
    }

    /// Of single headers that were compared: archives that have them, and archives that have others.
    #[must_use]
    pub fn of_headers(success: u64, failure: u64, accounts: &Accounts) -> Self {
        let total = accounts.total();
        let mut metrics = Self::default();
        metrics.bytes("history.get.throughput", total.compressed);
        metrics.count("history.get.failure", total.failures.saturating_add(total.throttled));
        metrics.check(success, failure);
        metrics.ledger_check(success, failure);
        metrics
    }

    /// The counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Metric)> {
        self.0.iter().map(|(name, metric)| (name.as_str(), metric))
    }

    fn check(&mut self, success: u64, failure: u64) {
        self.count("history.check.success", success);
        self.count("history.check.failure", failure);
    }

    fn ledger_check(&mut self, success: u64, failure: u64) {
        self.count("history.ledger-check.success", success);
        self.count("history.ledger-check.failure", failure);
    }

    fn count(&mut self, name: &str, count: u64) {
        self.0.insert(name.into(), Metric::Count(count));
    }

    fn bytes(&mut self, name: &str, bytes: u64) {
        self.0.insert(name.into(), Metric::Bytes(bytes.to_string()));
    }

    fn by_kind<'a>(&mut self, name: &str, counts: impl Iterator<Item = (&'a str, u64)>) {
        self.0.insert(name.into(), Metric::ByKind(counts.map(|(kind, count)| (kind.to_owned(), count)).collect()));
    }
}
