//! What one header must be, given the one before it (rules B.5: H2, H3 and the cross-header table; B.7 T5).
//!
//! Most of these rules nobody's scanner checks; each is from stellar-core's close path and holds on every real header
//! at hand. What this is not: the order of headers in a file; see [`crate::verify::checkpoint`].

use super::finding::FindingCode;
use super::header::{Header, Upgrade, ValueKind};
use super::results::EMPTY_RESULTS_HASH;
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::Network;
use crate::codec::hash::Hash256;

/// A rule that a header breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub code: FindingCode,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
    /// One English sentence.
    pub message: String,
}

/// The rules that `header` breaks as the successor of `previous`. Empty for an honest chain.
#[must_use]
pub fn violations(previous: &Header, header: &Header, network: Option<&Network>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut check = |holds: bool, code, expected: String, actual: String, message: &str| {
        if !holds {
            found.push(Violation { code, expected, actual, message: message.to_owned() });
        }
    };
    check(
        header.previous_hash == previous.hash,
        FindingCode::HeaderChainBreak,
        previous.hash.to_string(),
        header.previous_hash.to_string(),
        "the header does not name the header before it",
    );
    // stellar-core's apply-load closes ledgers without consensus, all of them at time 0.
    let timeless = header.close_time == 0 && previous.close_time == 0 && network.and_then(Network::name).is_none();
    check(
        header.close_time > previous.close_time || timeless,
        FindingCode::HeaderCloseTime,
        format!("after {}", previous.close_time),
        header.close_time.to_string(),
        "the close time does not rise",
    );
    check(
        header.version == previous.version || (header.version > previous.version && upgraded(header, Upgrade::VERSION, header.version)),
        FindingCode::HeaderVersion,
        previous.version.to_string(),
        header.version.to_string(),
        "the protocol version changes without an upgrade to it",
    );
    check(
        header.upgrades.is_sorted_by(|a, b| a.kind < b.kind),
        FindingCode::HeaderUpgrade,
        "types strictly rising".into(),
        format!("{:?}", header.upgrades.iter().map(|upgrade| upgrade.kind).collect::<Vec<_>>()),
        "the upgrades are out of order",
    );
    for (name, before, after, kind) in [
        ("base fee", previous.base_fee, header.base_fee, Upgrade::BASE_FEE),
        ("maximal set size", previous.max_tx_set_size, header.max_tx_set_size, Upgrade::MAX_TX_SET_SIZE),
        ("base reserve", previous.base_reserve, header.base_reserve, Upgrade::BASE_RESERVE),
        ("flags", previous.flags, header.flags, Upgrade::FLAGS),
    ] {
        check(
            before == after || upgraded(header, kind, after),
            FindingCode::HeaderUpgrade,
            before.to_string(),
            after.to_string(),
            &format!("the {name} changed without an upgrade to it"),
        );
    }
    // Several weeks of inflation may be made up for in one ledger.
    let inflated = header.inflation_sequence > previous.inflation_sequence && previous.version < FIRST_PROTOCOL_WITHOUT_INFLATION;
    check(
        header.inflation_sequence == previous.inflation_sequence || inflated,
        FindingCode::HeaderIdPool,
        previous.inflation_sequence.to_string(),
        header.inflation_sequence.to_string(),
        "the inflation sequence moved as no inflation moves it",
    );
    check(
        header.total_coins == previous.total_coins || (inflated && header.total_coins > previous.total_coins),
        FindingCode::HeaderCoins,
        previous.total_coins.to_string(),
        header.total_coins.to_string(),
        "the total of coins changed without inflation",
    );
    let fee_pool = fee_pool_rule(previous, header, inflated, network);
    check(fee_pool.0, FindingCode::HeaderFeePool, fee_pool.1, header.fee_pool.to_string(), "the fee pool moved as no ledger moves it");
    check(
        header.id_pool >= previous.id_pool,
        FindingCode::HeaderIdPool,
        format!("{} or more", previous.id_pool),
        header.id_pool.to_string(),
        "the id pool went back",
    );
    let skip_list = expected_skip_list(previous, header);
    check(
        header.skip_list == skip_list,
        FindingCode::HeaderSkiplist,
        list(&skip_list),
        list(&header.skip_list),
        "the skip list is not what its rule makes it",
    );
    check(
        header.value_kind != ValueKind::Basic || previous.version < FIRST_PROTOCOL_WITH_SIGNED_VALUES,
        FindingCode::HeaderValue,
        "a signed value".into(),
        "a basic value".into(),
        "the value is unsigned though the protocol signs values",
    );
    if let Some((expected, actual, message)) = cap83_violation(previous, header) {
        check(false, FindingCode::Cap83Invalid, expected, actual, message);
    }
    found
}

/// Inflation ended with CAP-26.
const FIRST_PROTOCOL_WITHOUT_INFLATION: u32 = 12;
/// CAP-34.
const FIRST_PROTOCOL_WITH_SIGNED_VALUES: u32 = 14;
/// CAP-83.
const FIRST_PROTOCOL_WITH_EMPTY_TX_SETS: u32 = 28;
/// Stroops that pubnet's upgrade from 23 to 24 adds to the fee pool (stellar-core `Upgrades.cpp:1267`).
const PUBNET_PROTOCOL_24_FEE_POOL_FIX: i64 = 31_879_035;

/// Whether the ledger lists an upgrade to that value. Listed but not applied is legal: an upgrade that fails is skipped.
fn upgraded(header: &Header, kind: u32, value: u32) -> bool {
    header.upgrades.iter().any(|upgrade| upgrade.kind == kind && upgrade.value == Some(value))
}

/// Whether the fee pool is possible, and what would be.
fn fee_pool_rule(previous: &Header, header: &Header, inflated: bool, network: Option<&Network>) -> (bool, String) {
    let to_24 = previous.version == 23 && header.version == 24;
    let fixed = previous.fee_pool.saturating_add(PUBNET_PROTOCOL_24_FEE_POOL_FIX);
    let base = if to_24 && network.is_some_and(Network::is_pubnet) { fixed } else { previous.fee_pool };
    let no_results = header.result_hash == EMPTY_RESULTS_HASH;
    match (inflated, no_results) {
        // Inflation hands the pool out.
        (true, _) => (header.fee_pool >= 0, "0 or more".into()),
        // Nothing was charged. A network that is not known may be public Stellar.
        (false, true) => (header.fee_pool == base || (to_24 && network.is_none() && header.fee_pool == fixed), base.to_string()),
        // Fees come in; Soroban refunds never exceed them within a ledger.
        (false, false) => (header.fee_pool >= base, format!("{base} or more")),
    }
}

/// stellar-core `BucketManager.cpp:1295`, `calculateSkipValues`.
fn expected_skip_list(previous: &Header, header: &Header) -> [Hash256; 4] {
    let [mut first, mut second, mut third, mut fourth] = previous.skip_list;
    let sequence = header.sequence.value();
    let on = |past: u32, step: u32| sequence.checked_sub(past).is_some_and(|value| value > 0 && value.is_multiple_of(step));
    if sequence.is_multiple_of(50) {
        if on(50, 5_000) {
            if on(50 + 5_000, 50_000) {
                if on(50 + 5_000 + 50_000, 500_000) {
                    fourth = third;
                }
                third = second;
            }
            second = first;
        }
        first = header.bucket_list_hash;
    }
    [first, second, third, fourth]
}

/// The rules of a dropped set that need the header before (T5); those that do not are in [`lone_violations`].
fn cap83_violation(previous: &Header, header: &Header) -> Option<(String, String, &'static str)> {
    let ValueKind::EmptyTxSet { previous_version, .. } = header.value_kind else { return None };
    if previous.version < FIRST_PROTOCOL_WITH_EMPTY_TX_SETS {
        let expected = format!("protocol {FIRST_PROTOCOL_WITH_EMPTY_TX_SETS} or later");
        return Some((expected, previous.version.to_string(), "the protocol has no values with dropped transaction sets"));
    }
    (previous_version != previous.version)
        .then(|| (previous.version.to_string(), previous_version.to_string(), "the proposed value was made for another protocol"))
}

/// The rules that a header breaks by itself, whatever came before it.
#[must_use]
pub fn lone_violations(header: &Header, last_known_protocol: u32) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut check = |holds: bool, code, expected: &str, actual: String, message: &str| {
        if !holds {
            found.push(Violation { code, expected: expected.to_owned(), actual, message: message.to_owned() });
        }
    };
    let zero = header.tx_set_hash.is_zero();
    let set_hash = || header.tx_set_hash.to_string();
    match header.value_kind {
        ValueKind::EmptyTxSet { previous_hash, .. } => {
            let message = "the transaction set hash is not zero though the value says that the set was dropped";
            check(zero, FindingCode::Cap83Invalid, &Hash256::ZERO.to_string(), set_hash(), message);
            let message = "the protocol has no values with dropped transaction sets";
            let known = header.version >= FIRST_PROTOCOL_WITH_EMPTY_TX_SETS;
            check(known, FindingCode::Cap83Invalid, "protocol 28 or later", header.version.to_string(), message);
            let message = "the proposed value was made for another previous ledger";
            let (expected, actual) = (header.previous_hash.to_string(), previous_hash.to_string());
            check(previous_hash == header.previous_hash, FindingCode::Cap83Invalid, &expected, actual, message);
        }
        ValueKind::Basic | ValueKind::Signed => {
            let message = "the transaction set hash is zero though the value does not say that the set was dropped";
            check(!zero || header.sequence == LedgerSeq::GENESIS, FindingCode::Cap83Invalid, "a hash", set_hash(), message);
        }
        // Values newer than this verifier may drop sets in ways of their own.
        ValueKind::Unknown(kind) => {
            let newer = header.version > last_known_protocol;
            check(
                newer,
                FindingCode::HeaderValue,
                "a kind from 0 to 2",
                kind.to_string(),
                "the value is of a kind that the protocol does not have",
            );
        }
    }
    let unknown = header.upgrades.iter().map(|upgrade| upgrade.kind).find(|kind| !(Upgrade::VERSION..=Upgrade::LAST_KNOWN).contains(kind));
    if let Some(kind) = unknown.filter(|_| header.version <= last_known_protocol) {
        check(
            false,
            FindingCode::HeaderUpgrade,
            "a type from 1 to 7",
            kind.to_string(),
            "an upgrade is of a type that the protocol does not have",
        );
    }
    check(header.fee_pool >= 0, FindingCode::HeaderFeePool, "0 or more", header.fee_pool.to_string(), "the fee pool is negative");
    check(header.total_coins >= 0, FindingCode::HeaderCoins, "0 or more", header.total_coins.to_string(), "the total of coins is negative");
    found
}

fn list(hashes: &[Hash256; 4]) -> String {
    hashes.map(|hash| hash.to_string()).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::header::ValueKind;

    fn header(version: u32, fee_pool: i64) -> Header {
        let zero = Hash256::ZERO;
        Header {
            hash: zero,
            version,
            previous_hash: zero,
            scp_value: Vec::new(),
            tx_set_hash: zero,
            close_time: 0,
            upgrades: Vec::new(),
            value_kind: ValueKind::Signed,
            result_hash: EMPTY_RESULTS_HASH,
            bucket_list_hash: zero,
            sequence: LedgerSeq::new(7),
            total_coins: 0,
            fee_pool,
            inflation_sequence: 0,
            id_pool: 0,
            base_fee: 0,
            base_reserve: 0,
            max_tx_set_size: 0,
            skip_list: [zero; 4],
            flags: 0,
        }
    }

    #[test]
    fn public_stellars_upgrade_to_24_adds_its_known_sum_to_the_fee_pool_and_no_other_ledger_does() {
        let (pubnet, testnet) = (Network::from_name_or_passphrase("pubnet"), Network::from_name_or_passphrase("testnet"));
        let rule = |from, to, network, rise| fee_pool_rule(&header(from, 5), &header(to, 5 + rise), false, network).0;
        let fix = PUBNET_PROTOCOL_24_FEE_POOL_FIX;
        assert!(rule(23, 24, Some(&pubnet), fix) && !rule(23, 24, Some(&pubnet), 0) && !rule(23, 24, Some(&pubnet), fix + 1));
        assert!(!rule(23, 24, Some(&testnet), fix) && rule(23, 24, Some(&testnet), 0));
        assert!(rule(23, 24, None, fix) && rule(23, 24, None, 0) && !rule(23, 24, None, 1));
        assert!(!rule(24, 24, Some(&pubnet), fix) && rule(24, 24, Some(&pubnet), 0));
    }

    #[test]
    fn skip_list_slots_move_at_their_distances() {
        let slot = |byte: u8| Hash256::new([byte; 32]);
        let before = Header { skip_list: [slot(1), slot(2), slot(3), slot(4)], ..header(22, 0) };
        let moved = |sequence| {
            let after = Header { sequence: LedgerSeq::new(sequence), bucket_list_hash: slot(9), ..header(22, 0) };
            expected_skip_list(&before, &after).map(|hash| hash.as_bytes()[0])
        };
        assert_eq!(moved(49), [1, 2, 3, 4]);
        assert_eq!(moved(50), [9, 2, 3, 4]);
        assert_eq!(moved(5_000), [9, 2, 3, 4]);
        assert_eq!(moved(5_050), [9, 1, 3, 4]);
        assert_eq!(moved(55_050), [9, 1, 2, 4]);
        assert_eq!(moved(555_050), [9, 1, 2, 3]);
    }

    /// A lawful pair; every rule of the table is broken in it once, by itself.
    #[test]
    fn each_rule_between_neighbours_is_found_when_it_alone_is_broken() {
        use FindingCode as F;
        let hash = |byte: u8| Hash256::new([byte; 32]);
        let before = Header { hash: hash(1), close_time: 100, total_coins: 1000, id_pool: 50, base_fee: 100, ..header(22, 10) };
        let after = Header { previous_hash: hash(1), close_time: 105, tx_set_hash: hash(2), ..before.clone() };
        let to = |kind, value| vec![Upgrade { kind, value: Some(value) }];
        let codes =
            |before: &Header, after: &Header| violations(before, after, None).into_iter().map(|found| found.code).collect::<Vec<_>>();
        assert_eq!(codes(&before, &after), []);
        type Change<'a> = &'a dyn Fn(&mut Header);
        let broken: [(F, Change<'_>); 17] = [
            (F::HeaderChainBreak, &|after| after.previous_hash = hash(3)),
            (F::HeaderCloseTime, &|after| after.close_time = 100),
            (F::HeaderCloseTime, &|after| after.close_time = 0),
            (F::HeaderVersion, &|after| after.version = 23),
            (F::HeaderVersion, &|after| (after.version, after.upgrades) = (21, to(Upgrade::VERSION, 21))),
            (F::HeaderUpgrade, &|after| after.base_fee = 200),
            (F::HeaderUpgrade, &|after| (after.base_fee, after.upgrades) = (200, to(Upgrade::BASE_FEE, 300))),
            (F::HeaderUpgrade, &|after| after.max_tx_set_size = 1),
            (F::HeaderUpgrade, &|after| after.base_reserve = 1),
            (F::HeaderUpgrade, &|after| after.flags = 1),
            (F::HeaderUpgrade, &|after| after.upgrades = [to(Upgrade::BASE_FEE, 100), to(Upgrade::VERSION, 22)].concat()),
            (F::HeaderCoins, &|after| after.total_coins = 1001),
            (F::HeaderFeePool, &|after| after.fee_pool = 9),
            (F::HeaderFeePool, &|after| after.fee_pool = 11),
            (F::HeaderIdPool, &|after| after.id_pool = 49),
            (F::HeaderIdPool, &|after| after.inflation_sequence = 1),
            (F::HeaderValue, &|after| after.value_kind = ValueKind::Basic),
        ];
        for (number, (code, breaks)) in broken.into_iter().enumerate() {
            let mut after = after.clone();
            breaks(&mut after);
            assert_eq!(codes(&before, &after), [code], "number {number}");
        }
        let lawful: [Change<'_>; 4] = [
            &|after| (after.version, after.upgrades) = (23, to(Upgrade::VERSION, 23)),
            &|after| (after.base_fee, after.upgrades) = (200, to(Upgrade::BASE_FEE, 200)),
            // Listed but not applied: an upgrade that fails is skipped.
            &|after| after.upgrades = to(Upgrade::BASE_RESERVE, 7),
            // Fees of a ledger with transactions.
            &|after| (after.fee_pool, after.result_hash) = (500, hash(4)),
        ];
        for (number, makes) in lawful.into_iter().enumerate() {
            let mut after = after.clone();
            makes(&mut after);
            assert_eq!(codes(&before, &after), [], "lawful number {number}");
        }
        let old = Header { version: 8, value_kind: ValueKind::Basic, ..before.clone() };
        let inflation = Header { inflation_sequence: 1, total_coins: 1900, fee_pool: 0, version: 8, value_kind: ValueKind::Basic, ..after };
        assert_eq!(codes(&old, &inflation), [], "inflation below protocol 12");
    }
}
