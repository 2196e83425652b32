//! Transactions in words.
//!
//! What it is not: a record of their effects; that would take executing them.

use serde_json::Value;
use stellar_xdr::{Asset, Memo, MuxedAccount};

use super::operation;
use super::transaction::Parts;

/// Stroops of a lumen, and units of every asset.
const UNITS: u64 = 10_000_000;

/// What happened, in a sentence.
pub(super) fn transaction(parts: Option<&Parts<'_>>, outcome: &str, fee_charged: i64) -> String {
    let asked = parts.map_or_else(|| "A transaction that is not at hand".to_owned(), asked);
    format!("{asked}: {outcome}; {fee_charged} stroops were charged.")
}

fn asked(parts: &Parts<'_>) -> String {
    let source = short(&parts.source);
    let [only] = parts.operations else {
        let mut kinds: Vec<(String, usize)> = Vec::new();
        for operation in parts.operations {
            let kind = spaced(&snake_case(operation.body.name()));
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => kinds.push((kind, 1)),
            }
        }
        let kinds: Vec<_> = kinds.into_iter().map(|(kind, count)| if count == 1 { kind } else { format!("{count} × {kind}") }).collect();
        return format!("{source} asked for {} operations ({})", parts.operations.len(), kinds.join(", "));
    };
    let source = only.source_account.as_ref().map_or(source, short);
    format!("{source} was to {}", operation::asked(&only.body, parts))
}

/// What kind of memo it is.
pub(super) fn memo_kind(memo: &Memo) -> Option<&'static str> {
    match memo {
        Memo::None => None,
        Memo::Text(_) => Some("text"),
        Memo::Id(_) => Some("id"),
        Memo::Hash(_) => Some("hash"),
        Memo::Return(_) => Some("return"),
    }
}

/// A memo as text; hashes in hex.
pub(super) fn memo(memo: &Memo) -> Option<String> {
    match memo {
        Memo::None => None,
        Memo::Text(text) => Some(String::from_utf8_lossy(text.as_slice()).into_owned()),
        Memo::Id(id) => Some(id.to_string()),
        Memo::Hash(hash) | Memo::Return(hash) => Some(hex::encode(hash.0)),
    }
}

/// An `OperationResult` in words, by its XDR-JSON.
pub(super) fn operation_result(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    let (outer, inner) = name(&value)?;
    let Some((operation, code)) = inner.and_then(name) else {
        return Some(spaced(outer.strip_prefix("op_").unwrap_or(outer)));
    };
    let code = code.and_then(name).map(|(code, _)| code)?;
    Some(if code == "success" { code.to_owned() } else { spaced(&format!("{operation} {code}")) })
}

/// A union in XDR-JSON: its name, and what is in it.
fn name(value: &Value) -> Option<(&str, Option<&Value>)> {
    match value {
        Value::String(name) => Some((name, None)),
        Value::Object(fields) => fields.iter().next().map(|(name, inner)| (name.as_str(), Some(inner))),
        _ => None,
    }
}

/// `CreateAccount` as XDR-JSON writes it: `create_account`.
pub(super) fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

pub(super) fn short(account: &MuxedAccount) -> String {
    cut(&account.to_string())
}

/// The ends of an address, which people compare.
pub(super) fn cut(address: &str) -> String {
    match (address.get(..4), address.len().checked_sub(4).and_then(|end| address.get(end..))) {
        (Some(start), Some(end)) if address.len() > 12 => format!("{start}…{end}"),
        _ => address.to_owned(),
    }
}

pub(super) fn amount(units: i64) -> String {
    let (whole, rest) = (units.unsigned_abs() / UNITS, units.unsigned_abs() % UNITS);
    let sign = if units < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{rest:07}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Stroops in lumens.
pub(super) fn lumens(stroops: i64) -> String {
    format!("{} XLM", amount(stroops))
}

/// Its code; and whose, as codes alone say nothing.
pub(super) fn asset(asset: &Asset) -> String {
    match asset {
        Asset::Native => "XLM".to_owned(),
        Asset::CreditAlphanum4(own) => format!("{} ({})", own.asset_code, cut(&own.issuer.to_string())),
        Asset::CreditAlphanum12(own) => format!("{} ({})", own.asset_code, cut(&own.issuer.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_seven_decimals_at_most_and_none_that_say_nothing() {
        for (units, text) in [(0, "0"), (1, "0.0000001"), (105_000_000, "10.5"), (100_000_000, "10"), (-5, "-0.0000005")] {
            assert_eq!(amount(units), text);
        }
    }

    #[test]
    fn results_of_operations_are_named_by_their_operation_unless_they_succeeded() {
        for (json, text) in [
            (r#"{"op_inner":{"payment":"success"}}"#, "success"),
            (r#"{"op_inner":{"account_merge":{"success":"5"}}}"#, "success"),
            (r#"{"op_inner":{"payment":"underfunded"}}"#, "payment underfunded"),
            (r#"{"op_inner":{"manage_sell_offer":"cross_self"}}"#, "manage sell offer cross self"),
            (r#""op_bad_auth""#, "bad auth"),
        ] {
            assert_eq!(operation_result(json).as_deref(), Some(text));
        }
    }
}
