//! The metrics of a report in Prometheus' text exposition format, version 0.0.4.

use core::fmt::Write;

use serde::Deserialize;

use super::Source;
use crate::historywork::metrics::{Metric, Metrics};

/// Of every name: other programs count history, too.
const PREFIX: &str = "stellar_archive_verifier_";

/// A name, and what it counts of an archive.
type Column = (&'static str, fn(&Source) -> u64);

/// The part of a report that is exposed.
#[derive(Debug, Deserialize)]
pub struct Measured {
    /// What was counted.
    pub metrics: Metrics,
    /// The archives.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// The text. Names are those of the metrics, with `_` for what Prometheus does not allow.
#[must_use]
pub fn prometheus_text(measured: &Measured) -> String {
    let mut text = String::new();
    for (dotted, metric) in measured.metrics.iter() {
        let name = legal(dotted);
        family(&mut text, &name, dotted);
        match metric {
            Metric::Count(count) => line(&mut text, &name, "", count),
            Metric::Bytes(bytes) => line(&mut text, &name, "", &bytes.parse::<u64>().unwrap_or(0)),
            Metric::ByKind(counts) => {
                counts.iter().for_each(|(kind, count)| line(&mut text, &name, &format!("{{kind=\"{}\"}}", escaped(kind)), count));
            }
        }
    }
    let columns: [Column; 6] = [
        ("archive_requests", |source| source.requests),
        ("archive_failures", |source| source.failures),
        ("archive_throttled", |source| source.throttled),
        ("archive_missing", |source| source.missing),
        ("archive_faulty", |source| source.faulty),
        ("archive_bytes", |source| source.bytes.parse().unwrap_or(0)),
    ];
    for (dotted, value) in columns.into_iter().filter(|_| !measured.sources.is_empty()) {
        let name = legal(dotted);
        family(&mut text, &name, dotted);
        for source in &measured.sources {
            line(&mut text, &name, &format!("{{archive=\"{}\"}}", escaped(&source.archive)), &value(source));
        }
    }
    text
}

fn family(text: &mut String, name: &str, dotted: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {dotted} of the last run");
    let _ = writeln!(text, "# TYPE {name} counter");
}

fn line(text: &mut String, name: &str, labels: &str, value: &u64) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn legal(name: &str) -> String {
    let legal = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' });
    format!("{PREFIX}{}", legal.collect::<String>())
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_legal_and_labels_are_escaped() {
        let json = r#"{"metrics":{"history.ledger-check.success":3,"history.get.throughput":"18446744073709551615","faulty":{"ledger":1}},
            "sources":[{"archive":"a\"b\\c\nd","ledger":63,"endLedger":null,"requests":7,"failures":0,"throttled":0,"missing":0,"faulty":2,"bytes":"9"}]}"#;
        let measured: Option<Measured> = serde_json::from_str(json).ok();
        let text = measured.as_ref().map(prometheus_text).unwrap_or_default();
        for line in [
            "# TYPE stellar_archive_verifier_history_ledger_check_success counter",
            "stellar_archive_verifier_history_ledger_check_success 3",
            "stellar_archive_verifier_history_get_throughput 18446744073709551615",
            "stellar_archive_verifier_faulty{kind=\"ledger\"} 1",
            "stellar_archive_verifier_archive_faulty{archive=\"a\\\"b\\\\c\\nd\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
