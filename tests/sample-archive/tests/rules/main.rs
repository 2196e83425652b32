//! Reads archives back and holds them to the rules, with code that shares nothing with the maker: hashes are taken over
//! slices of the files, state is rebuilt from the buckets, signatures are verified.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a panic is how a test reports what is wrong")]

mod buckets;
mod check;
mod read;

use sample_archive::{Archive, Config, Frequency, Protocol, make};

use check::{Seen, check};

fn config(protocol: u32, frequency: Frequency) -> Config {
    Config { protocol: Protocol::try_from(protocol).unwrap(), frequency, ..Config::default() }
}

fn made_and_checked(protocol: u32, frequency: Frequency) -> (Archive, Seen) {
    let config = config(protocol, frequency);
    let archive = make(&config);
    let seen = check(&archive, &config);
    (archive, seen)
}

/// The hashes of public networks, computed from their passphrases by others (rule B.11).
#[test]
fn genesis_of_known_networks() {
    let networks = [
        ("Public Global Stellar Network ; September 2015", "39c2a3cd4141b2853e70d84601faa44744660334b48f3228e0309342e3f4eb48"),
        ("Test SDF Network ; September 2015", "63d98f536ee68d1b27b5b89f23af5311b7569a24faf1403ad0b52b633b07be99"),
        ("Test SDF Future Network ; October 2022", "471c12c0dd073c1c8a70cd722a7c4ae26fc6b9d42923a52459354dc69d4efd03"),
        ("Standalone Network ; February 2017", "76df1b9ff762a7a8af1f3c88549fe742e488e80fde561e34b1b6115bdac8d397"),
    ];
    for (passphrase, hash) in networks {
        let config = Config { passphrase: passphrase.to_owned(), ledgers: 1, frequency: Frequency::Accelerated, ..Config::default() };
        assert_eq!(hex::encode(make(&config).hashes[&1]), hash, "{passphrase}");
    }
}

#[test]
fn protocol_8_with_shadows_and_merge_outputs() {
    for frequency in [Frequency::Standard, Frequency::Accelerated] {
        let (_, seen) = made_and_checked(8, frequency);
        assert!(seen.merge_outputs > 0 && seen.v0_envelopes > 0 && seen.metas == 0);
    }
}

#[test]
fn protocols_around_the_bucket_changes() {
    for protocol in [1, 9, 10, 11, 12, 13, 14, 17, 18, 20, 21] {
        for frequency in [Frequency::Standard, Frequency::Accelerated] {
            made_and_checked(protocol, frequency);
        }
    }
}

#[test]
fn protocol_19_with_legacy_sets() {
    let (archive, seen) = made_and_checked(19, Frequency::Standard);
    assert_eq!(archive.tip, 319);
    assert!(seen.generalized == 0 && seen.legacy == archive.busy_ledgers.len());
    assert!(seen.fee_bumps > 0 && seen.failed > 0 && seen.dead > 0 && seen.quiet > 0 && seen.offers > 0);
}

#[test]
fn protocol_22_with_generalized_sets() {
    let (_, seen) = made_and_checked(22, Frequency::Standard);
    assert!(seen.generalized > 0 && seen.legacy > 0 && seen.contracts > 0 && seen.stages == 0);
    assert!(seen.without_discount > 0 && seen.archived == 0);
}

#[test]
fn protocols_with_hot_archive_and_parallel_phase() {
    for protocol in 23..=27 {
        let (_, seen) = made_and_checked(protocol, Frequency::Standard);
        assert!(seen.stages > 0 && seen.archived > 0 && seen.restored > 0, "{seen:?}");
    }
}

#[test]
fn protocol_28_with_dropped_sets() {
    let (archive, seen) = made_and_checked(28, Frequency::Standard);
    assert!(seen.dropped > 0);
    assert_eq!(seen.dropped, archive.dropped_ledgers.len());
}

#[test]
fn accelerated_checkpoints() {
    for protocol in [19, 22, 23, 25, 28] {
        let (archive, _) = made_and_checked(protocol, Frequency::Accelerated);
        assert!(archive.files.contains_key("history/00/00/00/history-0000000f.json"));
    }
}

#[test]
fn many_seeds() {
    for seed in 0..16 {
        for protocol in [8, 11, 28] {
            let config = Config { seed, ledgers: 128, ..config(protocol, Frequency::Accelerated) };
            check(&make(&config), &config);
        }
    }
}

#[test]
fn a_longer_history() {
    let config = Config { ledgers: 1_300, ..config(23, Frequency::Standard) };
    check(&make(&config), &config);
}

#[test]
fn same_configuration_same_bytes() {
    let config = config(28, Frequency::Standard);
    assert_eq!(make(&config), make(&config));
}

/// Two histories of one network start alike, differ from ledger 2 on, and only the validators tell them apart.
#[test]
fn a_forged_history() {
    let honest_config = config(23, Frequency::Standard);
    let forged_config = Config { seed: 2, ..honest_config.clone() };
    let fork_config = Config { validators_seed: Some(1), ..forged_config.clone() };
    let (honest, forged, fork) = (make(&honest_config), make(&forged_config), make(&fork_config));
    check(&forged, &forged_config);
    check(&fork, &fork_config);
    for other in [&forged, &fork] {
        assert_eq!(honest.hashes[&1], other.hashes[&1]);
        assert_ne!(honest.hashes[&2], other.hashes[&2]);
    }
    assert!(honest.validators.iter().all(|validator| !forged.validators.contains(validator)));
    assert_eq!(honest.validators, fork.validators);
}

#[test]
fn configuration() {
    let tips = [(0, 63), (1, 63), (64, 63), (65, 127), (320, 319)];
    for (ledgers, tip) in tips {
        assert_eq!(Config { ledgers, ..Config::default() }.tip(), tip);
    }
    assert!(Protocol::try_from(0).is_err() && Protocol::try_from(29).is_err() && "x".parse::<Protocol>().is_err());
    assert!("16".parse::<Frequency>().is_err());
}

#[test]
fn written_to_a_folder() {
    let folder = std::env::temp_dir().join(format!("sample-archive-{}", std::process::id()));
    let archive = make(&Config { ledgers: 1, ..Config::default() });
    archive.write_to(&folder).unwrap();
    for (path, content) in &archive.files {
        assert_eq!(std::fs::read(folder.join(path)).unwrap(), *content);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
