//! Real archives: clean ones raise nothing, every corrupted variant of the manifest gets its verdict and code.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Overlay, codes, data, options, verify};
use serde_json::Value;
use stellar_archive_verifier::archive::checkpoint::LedgerSeq;
use stellar_archive_verifier::report::{Anchor, Report, Verdict};
use stellar_archive_verifier::transport::local::LocalArchive;
use stellar_archive_verifier::verify::finding::Severity;

const PUBNET: &str = "Public Global Stellar Network ; September 2015";

/// The clean archives: name, first and last ledger, passphrase.
const CLEAN: [(&str, u32, u32, Option<&str>); 5] = [
    ("testnet-p22", 1, 3647, None),
    ("testnet-genesis-p24", 1, 127, None),
    ("pubnet-12m", 12_000_000, 12_000_511, Some(PUBNET)),
    ("pubnet-1.2m", 0x1285ff, 0x1286bf, None),
    ("synth-p27", 10_111, 10_175, None),
];

#[test]
fn clean_archives_raise_nothing_and_everything_is_verified() {
    let Some(data) = data("clean_archives_raise_nothing_and_everything_is_verified") else { return };
    for (name, low, high, network) in CLEAN {
        for deep in [false, true] {
            let report = run(&data.join("archives").join(name), low, high, network, deep);
            assert!(report.findings.is_empty(), "{name} deep {deep}: {:#?}", report.findings);
            assert_eq!(report.verdict, Verdict::Verified, "{name}: {:?}", report.errors);
            for (kind, tally) in &report.totals {
                let all = tally.verified == tally.total();
                let scp_before_the_first = *kind == "scp" && name == "pubnet-1.2m" && tally.unchecked == 2;
                assert!(all || scp_before_the_first, "{name}: {kind} {tally:?}");
            }
            let from_genesis = report.anchors.iter().any(|anchor| matches!(anchor, Anchor::Genesis { .. }));
            // testnet's preset is who signed it; today's list of pubnet's validators did not sign its old ledgers.
            let sealed = report.sealed_through.map(LedgerSeq::value);
            assert_eq!(sealed, name.starts_with("testnet").then(|| high - 1), "{name}");
            assert_eq!(from_genesis, low == 1, "{name}: genesis is an anchor where the range reaches it");
            assert_eq!(report.claims.iter().find(|claim| claim.claim == "chain").unwrap().status, "verified");
        }
    }
}

#[test]
fn every_corrupted_variant_gets_its_verdict_and_code() {
    let Some(data) = data("every_corrupted_variant_gets_its_verdict_and_code") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(data.join("variants/manifest.json")).unwrap()).unwrap();
    let variants = manifest["variants"].as_array().unwrap();
    let mut failures = Vec::new();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for variant in variants {
        let tier = variant["expect"]["tier"].as_str().unwrap();
        *seen.entry(tier).or_default() += 1;
        for deep in [false, true] {
            let report = run_variant(&data, variant, deep, false);
            if let Err(problem) = judge(variant, &report, deep) {
                failures.push(format!("{} (deep {deep}): {problem}, got {:?} {:?}", variant["id"], report.verdict, codes(&report)));
            }
        }
        if variant["notes"]["trusted_tip_hash"].is_string() {
            let report = run_variant(&data, variant, true, true);
            if report.verdict != Verdict::Faulty || !codes(&report).contains(&"anchor-mismatch") {
                failures.push(format!("{} (trusted hash): got {:?} {:?}", variant["id"], report.verdict, codes(&report)));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} variants:\n{}", failures.len(), variants.len(), failures.join("\n"));
    assert_eq!(seen.values().sum::<u32>(), 442, "the manifest is the one that these rules were written for: {seen:?}");
}

fn judge(variant: &Value, report: &Report, deep: bool) -> Result<(), String> {
    let expect = &variant["expect"];
    let tier = expect["tier"].as_str().unwrap();
    match (expect["verdict"].as_str().unwrap(), tier) {
        ("pass", _) => {
            if report.verdict == Verdict::Verified && report.findings.is_empty() {
                Ok(())
            } else {
                Err("must pass".into())
            }
        }
        ("any", _) => Ok(()),
        ("warn", _) => {
            let warned = report
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Warning && Some(finding.code.as_str()) == expect["class"].as_str());
            if warned && report.verdict == Verdict::Verified { Ok(()) } else { Err("must warn".into()) }
        }
        ("fail", "deep") if !deep => Ok(()),
        // Without the trusted hash the archive is consistent, and the report must say that nothing vouches for its end.
        ("fail", "anchor") if report.sealed_through.is_none_or(|sealed| Some(sealed) < report.range.map(|range| range.high)) => Ok(()),
        ("fail", _) => {
            let mut wanted = vec![expect["class"].as_str().unwrap()];
            let also = expect["also"].as_array().unwrap();
            wanted.extend(also.iter().flat_map(|code| code.as_str().unwrap().split(", ")));
            if report.verdict != Verdict::Faulty {
                Err(format!("must fail with one of {wanted:?}"))
            } else if !codes(report).iter().any(|code| wanted.contains(code)) {
                Err(format!("must name one of {wanted:?}"))
            } else {
                Ok(())
            }
        }
        other => Err(format!("unknown expectation {other:?}")),
    }
}

fn run_variant(data: &Path, variant: &Value, deep: bool, trusting: bool) -> Report {
    let archive = Overlay::of_variant(data, variant);
    let ledger = |index: usize| variant["range"][index].as_u64().unwrap() as u32;
    let mut options = options(ledger(0), ledger(1), variant["networkPassphrase"].as_str());
    if variant["notes"]["open_high"] == true {
        options.high = None;
    }
    options.deep = deep;
    options.trust.all_signatures = deep;
    if trusting {
        let hash = variant["notes"]["trusted_tip_hash"].as_str().unwrap();
        assert!(options.trust.hashes.add(LedgerSeq::new(ledger(1)), hash.parse().unwrap()));
    }
    verify(&archive, &options)
}

fn run(folder: &Path, low: u32, high: u32, network: Option<&str>, deep: bool) -> Report {
    let mut options = options(low, high, network);
    options.deep = deep;
    options.trust.all_signatures = deep;
    verify(&LocalArchive::new(folder), &options)
}
