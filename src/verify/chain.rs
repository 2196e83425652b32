//! What one header must be, given the one before it (rules B.5: H2, H3 and the cross-header table; B.7 T5).
//!
//! Most of these rules nobody's scanner checks; each is from stellar-core's close path and holds on every real header
//! at hand. What this is not: the order of headers in a file; see [`crate::verify::checkpoint`].

use super::finding::FindingCode;
use super::header::{Header, Upgrade, ValueKind};
use super::results::EMPTY_RESULTS_HASH;
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
    let timeless = header.close_time == 0 && previous.close_time == 0;
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
    let inflated = Some(header.inflation_sequence) == previous.inflation_sequence.checked_add(1)
        && previous.version < FIRST_PROTOCOL_WITHOUT_INFLATION;
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
    let fixed = previous.version == 23 && header.version == 24 && network.is_some_and(Network::is_pubnet);
    let base = previous.fee_pool.saturating_add(if fixed { PUBNET_PROTOCOL_24_FEE_POOL_FIX } else { 0 });
    let no_results = header.result_hash == EMPTY_RESULTS_HASH;
    match (inflated, no_results) {
        // Inflation hands the pool out.
        (true, _) => (header.fee_pool >= 0, "0 or more".into()),
        // Nothing was charged.
        (false, true) => (header.fee_pool == base, base.to_string()),
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

fn cap83_violation(previous: &Header, header: &Header) -> Option<(String, String, &'static str)> {
    let zero = header.tx_set_hash.is_zero();
    match header.value_kind {
        ValueKind::EmptyTxSet { previous_hash, previous_version } => {
            if !zero {
                let message = "the transaction set hash is not zero though the value says that the set was dropped";
                return Some((Hash256::ZERO.to_string(), header.tx_set_hash.to_string(), message));
            }
            if previous.version.min(header.version) < FIRST_PROTOCOL_WITH_EMPTY_TX_SETS {
                let expected = format!("protocol {FIRST_PROTOCOL_WITH_EMPTY_TX_SETS} or later");
                return Some((
                    expected,
                    previous.version.min(header.version).to_string(),
                    "the protocol has no values with dropped transaction sets",
                ));
            }
            if previous_hash != header.previous_hash {
                let message = "the proposed value was made for another previous ledger";
                return Some((header.previous_hash.to_string(), previous_hash.to_string(), message));
            }
            (previous_version != previous.version)
                .then(|| (previous.version.to_string(), previous_version.to_string(), "the proposed value was made for another protocol"))
        }
        // Values newer than this verifier may drop sets in ways of their own.
        ValueKind::Unknown(_) => None,
        ValueKind::Basic | ValueKind::Signed => zero.then(|| {
            (
                "a hash".into(),
                header.tx_set_hash.to_string(),
                "the transaction set hash is zero though the value does not say that the set was dropped",
            )
        }),
    }
}

fn list(hashes: &[Hash256; 4]) -> String {
    hashes.map(|hash| hash.to_string()).join(" ")
}
