//! Repair plans are read back as they were written, and no text makes the reader panic or take what it would not write.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::path::FileKind;
use stellar_archive_verifier::archive::state::BucketHash;
use stellar_archive_verifier::codec::hash::Hash256;
use stellar_archive_verifier::report::plan::{PlanLimits, PlanSummary, RepairPlan};

const FREQUENCIES: [CheckpointFrequency; 2] = [CheckpointFrequency::Standard, CheckpointFrequency::Accelerated];

fn parse(text: &str, frequency: CheckpointFrequency) -> Option<RepairPlan> {
    RepairPlan::parse(text, frequency, &PlanLimits::default()).ok()
}

fn plans(frequency: CheckpointFrequency) -> impl Strategy<Value = RepairPlan> {
    let checkpoint = move || any::<u32>().prop_map(move |ledger| frequency.containing(LedgerSeq::new(ledger)));
    let kinds = || btree_set(proptest::sample::select(FileKind::ALL.to_vec()), 1..5);
    // The empty bucket has no file.
    let bucket = any::<[u8; 32]>().prop_filter("empty", |bytes| *bytes != [0; 32]).prop_map(|bytes| BucketHash::new(Hash256::new(bytes)));
    let counts = any::<[u64; 4]>();
    let parts = (
        proptest::option::of(checkpoint()),
        btree_map(checkpoint(), kinds(), 0..20),
        btree_set(bucket, 0..20),
        btree_set(checkpoint(), 0..20),
        counts.prop_map(|[succeeded, skipped, failed, retries]| PlanSummary { succeeded, skipped, failed, retries }),
    );
    parts.prop_map(|(well_known, files, buckets, checkpoints, summary)| RepairPlan { well_known, files, buckets, checkpoints, summary })
}

proptest! {
    #[test]
    fn a_plan_is_read_back_as_it_was_written(plans in FREQUENCIES.map(plans)) {
        for (plan, frequency) in plans.into_iter().zip(FREQUENCIES) {
            prop_assert_eq!(parse(&plan.to_json(), frequency), Some(plan.clone()));
            prop_assert_eq!(parse(&serde_json::to_string(&plan).unwrap(), frequency), Some(plan.clone()));
            let twice = format!("{{\"version\":1,\"sections\":{{\"a\":{0},\"b\":{0}}}}}", plan.to_json());
            let united = parse(&twice, frequency).unwrap();
            prop_assert_eq!(RepairPlan { summary: plan.summary, ..united }, plan);
        }
    }

    #[test]
    fn a_damaged_plan_is_refused_or_means_what_it_says(plan in plans(CheckpointFrequency::Standard), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let json = plan.to_json();
        let at = at.index(json.len());
        prop_assert_eq!(json.get(..at).and_then(|cut| parse(cut, CheckpointFrequency::Standard)), None);
        let mut damaged = json.into_bytes();
        damaged.iter_mut().skip(at).take(1).for_each(|there| *there = byte);
        if let Some(other) = parse(&String::from_utf8_lossy(&damaged), CheckpointFrequency::Standard) {
            prop_assert_eq!(parse(&other.to_json(), CheckpointFrequency::Standard), Some(other));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in r#"[\[\]{}:,"0-9a-z_ .-]{0,200}"#) {
        prop_assert!(parse(&text, CheckpointFrequency::Standard).is_none());
    }
}
