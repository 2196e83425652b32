//! The upgrades that a ledger's value carries, in words, each beside what the header says since (rules B.5).
//!
//! What it is: decoding for people. What it is not: a rule; the verifier has one of its own for upgrades that do not fit the
//! header. Bytes that are no upgrade are shown as what they are.

use serde::Serialize;
use stellar_xdr::LedgerUpgrade;

use super::checkpoint::Held;
use super::words::{lumens, snake_case};
use super::{Json, decode, to_json};
use crate::archive::checkpoint::LedgerSeq;
use crate::verify::header::Header;

/// Before it, sets are as large as they have transactions.
const FIRST_PROTOCOL_COUNTING_OPERATIONS: u32 = 11;
/// `LedgerHeaderFlags`.
const FLAGS: [(u32, &str); 3] = [(1, "no trading"), (2, "no deposits"), (4, "no withdrawals")];

/// What became of an upgrade.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The header says what it asked for.
    Applied,
    /// The header says something else: stellar-core skips an upgrade that fails.
    Skipped,
    /// No header says anything of it: it changes entries of the ledger.
    NotInHeader,
    /// The bytes are no upgrade that this verifier knows.
    Unknown,
}

/// What a header says of something.
type Saying = fn(&Header) -> u32;

/// One upgrade.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeView {
    /// As XDR-JSON names it; none where the bytes are no upgrade that this verifier knows.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What it changes, in a sentence.
    pub words: String,
    /// The new value: decimal, or the key of settings.
    pub value: Option<String>,
    /// What the header of the ledger before says, where that is at hand.
    pub before: Option<String>,
    /// What the header says; none where headers say nothing of it.
    pub header: Option<String>,
    /// What became of it, by the header.
    pub effect: Effect,
    /// `LedgerUpgrade`; none as for `type`.
    pub json: Option<Json>,
    /// Its bytes.
    pub hex: String,
}

impl Held {
    /// The upgrades of a ledger, in their order.
    pub(crate) fn upgrades(&self, ledger: LedgerSeq) -> Vec<UpgradeView> {
        let Some(located) = self.header(ledger) else { return Vec::new() };
        let before = self.header(LedgerSeq::new(ledger.value().saturating_sub(1))).map(|before| before.header);
        located.header.upgrade_bytes().into_iter().map(|bytes| view(bytes, located.header, before, self.budget.xdr_depth)).collect()
    }
}

fn view(bytes: &[u8], header: &Header, before: Option<&Header>, depth: u32) -> UpgradeView {
    let hex = hex::encode(bytes);
    let Ok(upgrade) = decode::<LedgerUpgrade>(bytes, depth) else {
        let words = "these bytes are no upgrade that this verifier knows".to_owned();
        return UpgradeView { kind: None, words, value: None, before: None, header: None, effect: Effect::Unknown, json: None, hex };
    };
    let (words, value, of): (String, String, Option<Saying>) = match &upgrade {
        LedgerUpgrade::Version(to) => (format!("protocol {to} from this ledger on"), to.to_string(), Some(|header| header.version)),
        LedgerUpgrade::BaseFee(to) => {
            (format!("the base fee of an operation becomes {to} stroops"), to.to_string(), Some(|header| header.base_fee))
        }
        LedgerUpgrade::MaxTxSetSize(to) => {
            let what = if header.version < FIRST_PROTOCOL_COUNTING_OPERATIONS { "transactions" } else { "operations" };
            (format!("a transaction set takes {to} {what} at most"), to.to_string(), Some(|header| header.max_tx_set_size))
        }
        LedgerUpgrade::BaseReserve(to) => {
            let reserve = lumens(i64::from(*to));
            (format!("the base reserve of an entry becomes {reserve} ({to} stroops)"), to.to_string(), Some(|header| header.base_reserve))
        }
        LedgerUpgrade::Flags(to) => (flags(*to), to.to_string(), Some(|header| header.flags)),
        LedgerUpgrade::Config(key) => {
            let (contract, hash) = (key.contract_id.to_string(), hex::encode(key.content_hash.0));
            let words = format!("the network's settings become those that the contract {contract} keeps under the hash {hash}");
            (words, format!("{contract} {hash}"), None)
        }
        LedgerUpgrade::MaxSorobanTxSetSize(to) => {
            (format!("a transaction set takes {to} transactions of contracts at most"), to.to_string(), None)
        }
    };
    let said = of.map(|of| of(header).to_string());
    let effect = match &said {
        Some(said) if *said == value => Effect::Applied,
        Some(_) => Effect::Skipped,
        None => Effect::NotInHeader,
    };
    UpgradeView {
        kind: Some(snake_case(upgrade.name())),
        words,
        before: of.zip(before).map(|(of, before)| of(before).to_string()),
        header: said,
        effect,
        json: to_json(&upgrade),
        hex,
        value: Some(value),
    }
}

fn flags(flags: u32) -> String {
    let known: Vec<_> = FLAGS.into_iter().filter(|(flag, _)| flags & flag != 0).map(|(_, words)| words).collect();
    let others = flags & !7;
    match (known.as_slice(), others) {
        ([], 0) => "liquidity pools have no restriction any more (flags 0)".to_owned(),
        (known, 0) => format!("liquidity pools: {} from this ledger on (flags {flags})", known.join(", ")),
        _ => format!("flags {flags}, of which this verifier does not know all"),
    }
}
