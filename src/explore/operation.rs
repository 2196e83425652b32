//! Operations in words: what each asked for, what came of it, and why not.
//!
//! What it is: sentences about what stands in the envelope and in the result, without subject and in the infinitive, so that
//! they are as true of what failed. What it is not: a record of effects; values of contracts are shortened.

use stellar_xdr::{
    AccountMergeResult, Asset, ChangeTrustAsset, ClaimableBalanceId, ContractExecutable, ContractIdPreimage, CreateClaimableBalanceResult,
    HostFunction, InflationResult, InvokeHostFunctionResult, LedgerKey, LiquidityPoolParameters, ManageBuyOfferResult,
    ManageOfferSuccessResult, ManageOfferSuccessResultOffer, ManageSellOfferResult, OperationBody, OperationResult, OperationResultTr,
    PathPaymentStrictReceiveResult, PathPaymentStrictSendResult, Price, RevokeSponsorshipOp, ScVal, SetOptionsOp, TrustLineAsset,
};

use super::transaction::Parts;
use super::words::{amount, asset, cut, short};

/// Arguments of a contract's function that are shown.
const MOST_ARGUMENTS: usize = 8;
/// Values of a list that are shown.
const MOST_VALUES: usize = 3;
/// Characters of a text of a contract.
const MOST_CHARACTERS: usize = 32;
/// Lists in lists of a contract's values.
const DEEPEST: u8 = 2;
/// Stellar's own limit means the most there is.
const UNLIMITED: i64 = i64::MAX;

/// What was asked for.
pub(super) fn asked(body: &OperationBody, parts: &Parts<'_>) -> String {
    match body {
        OperationBody::CreateAccount(own) => {
            format!("create the account {} with {} XLM", account(&own.destination), amount(own.starting_balance))
        }
        OperationBody::Payment(own) => format!("pay {} {} to {}", amount(own.amount), asset(&own.asset), short(&own.destination)),
        OperationBody::PathPaymentStrictReceive(own) => format!(
            "pay {} {} to {}, for at most {} {}{}",
            amount(own.dest_amount),
            asset(&own.dest_asset),
            short(&own.destination),
            amount(own.send_max),
            asset(&own.send_asset),
            by_way_of(own.path.as_slice())
        ),
        OperationBody::PathPaymentStrictSend(own) => format!(
            "send {} {} to {}, who gets at least {} {}{}",
            amount(own.send_amount),
            asset(&own.send_asset),
            short(&own.destination),
            amount(own.dest_min),
            asset(&own.dest_asset),
            by_way_of(own.path.as_slice())
        ),
        OperationBody::ManageSellOffer(own) => {
            offer(own.offer_id, own.amount, &format!("sell {}", amount(own.amount)), &own.selling, &own.buying, &own.price)
        }
        OperationBody::ManageBuyOffer(own) => buy_offer(own.offer_id, own.buy_amount, &own.buying, &own.selling, &own.price),
        OperationBody::CreatePassiveSellOffer(own) => format!(
            "offer to sell {} {} for {}, without taking an offer of the same price",
            amount(own.amount),
            asset(&own.selling),
            rate(&own.price, &own.buying, &own.selling)
        ),
        OperationBody::SetOptions(own) => options(own),
        OperationBody::ChangeTrust(own) => match own.limit {
            0 => format!("end the trustline to {}", trusted(&own.line)),
            UNLIMITED => format!("trust {} without limit", trusted(&own.line)),
            limit => format!("trust {} up to {}", trusted(&own.line), amount(limit)),
        },
        OperationBody::AllowTrust(own) => {
            let what = match own.authorize {
                0 => "take the authorization of",
                1 => "authorize",
                2 => "let keep its offers, but not pay, with",
                _ => "change the authorization of",
            };
            format!("{what} {}'s trustline to {}", account(&own.trustor), own.asset)
        }
        OperationBody::AccountMerge(into) => format!("merge the account into {}, with all its XLM", short(into)),
        OperationBody::Inflation => "run the yearly inflation".to_owned(),
        OperationBody::ManageData(own) => {
            let name = quoted(&own.data_name.to_utf8_string_lossy());
            match &own.data_value {
                Some(value) => format!("set the data entry {name} to {} bytes", value.0.len()),
                None => format!("remove the data entry {name}"),
            }
        }
        OperationBody::BumpSequence(own) => format!("raise the sequence number to {}", own.bump_to.0),
        OperationBody::CreateClaimableBalance(own) => format!(
            "put {} {} aside as a claimable balance for {}",
            amount(own.amount),
            asset(&own.asset),
            counted(own.claimants.len(), "claimant", "claimants")
        ),
        OperationBody::ClaimClaimableBalance(own) => format!("claim the claimable balance {}", balance(&own.balance_id)),
        OperationBody::BeginSponsoringFutureReserves(own) => format!("begin to pay the reserves of {}", account(&own.sponsored_id)),
        OperationBody::EndSponsoringFutureReserves => "end that another account pays the reserves".to_owned(),
        OperationBody::RevokeSponsorship(own) => match own {
            RevokeSponsorshipOp::LedgerEntry(key) => format!("stop paying the reserve of {}", entry(key)),
            RevokeSponsorshipOp::Signer(own) => {
                format!("stop paying the reserve of the signer {} of {}", cut(&own.signer_key.to_string()), account(&own.account_id))
            }
        },
        OperationBody::Clawback(own) => format!("take {} {} back from {}", amount(own.amount), asset(&own.asset), short(&own.from)),
        OperationBody::ClawbackClaimableBalance(own) => format!("take the claimable balance {} back", balance(&own.balance_id)),
        OperationBody::SetTrustLineFlags(own) => format!(
            "change the flags of {}'s trustline to {}: {}",
            account(&own.trustor),
            asset(&own.asset),
            flag_changes(own.set_flags, own.clear_flags, &[(1, "authorized"), (2, "may keep its offers"), (4, "clawback enabled")])
        ),
        OperationBody::LiquidityPoolDeposit(own) => format!(
            "deposit up to {} and {} in the liquidity pool {}",
            amount(own.max_amount_a),
            amount(own.max_amount_b),
            cut(&own.liquidity_pool_id.to_string())
        ),
        OperationBody::LiquidityPoolWithdraw(own) => format!(
            "withdraw {} shares of the liquidity pool {}, for at least {} and {}",
            amount(own.amount),
            cut(&own.liquidity_pool_id.to_string()),
            amount(own.min_amount_a),
            amount(own.min_amount_b)
        ),
        OperationBody::InvokeHostFunction(own) => host_function(&own.host_function),
        OperationBody::ExtendFootprintTtl(own) => {
            let entries = parts.soroban.map_or(0, |data| data.resources.footprint.read_only.len());
            format!("keep {} alive for {} more ledgers at least", counted(entries, "entry", "entries"), own.extend_to)
        }
        OperationBody::RestoreFootprint(_) => {
            let entries = parts.soroban.map_or(0, |data| data.resources.footprint.read_write.len());
            format!("restore {} from the archive of the state", counted(entries, "entry", "entries"))
        }
    }
}

/// What came of it, as far as the result says more than that it succeeded; or why it failed, where the code needs words.
pub(super) fn outcome(result: &OperationResult) -> Option<String> {
    let OperationResult::OpInner(inner) = result else { return reason(result.name()).map(str::to_owned) };
    let said = match inner {
        OperationResultTr::PathPaymentStrictReceive(PathPaymentStrictReceiveResult::Success(own)) => {
            arrived(own.last.amount, &own.last.asset, own.offers.len())
        }
        OperationResultTr::PathPaymentStrictSend(PathPaymentStrictSendResult::Success(own)) => {
            arrived(own.last.amount, &own.last.asset, own.offers.len())
        }
        OperationResultTr::ManageSellOffer(ManageSellOfferResult::Success(own))
        | OperationResultTr::CreatePassiveSellOffer(ManageSellOfferResult::Success(own))
        | OperationResultTr::ManageBuyOffer(ManageBuyOfferResult::Success(own)) => offered(own),
        OperationResultTr::AccountMerge(AccountMergeResult::Success(moved)) => format!("{} XLM went along", amount(*moved)),
        OperationResultTr::Inflation(InflationResult::Success(payouts)) => format!("{} paid", counted(payouts.len(), "payout", "payouts")),
        OperationResultTr::CreateClaimableBalance(CreateClaimableBalanceResult::Success(id)) => format!("the balance is {id}"),
        OperationResultTr::InvokeHostFunction(InvokeHostFunctionResult::Success(hash)) => {
            format!("what it returned, with its events, hashes to {}", hex::encode(hash.0))
        }
        other => return code(other).and_then(reason).map(str::to_owned),
    };
    Some(said)
}

/// The name of the code of an operation's own result.
fn code(result: &OperationResultTr) -> Option<&'static str> {
    Some(match result {
        OperationResultTr::CreateAccount(own) => own.name(),
        OperationResultTr::Payment(own) => own.name(),
        OperationResultTr::PathPaymentStrictReceive(own) => own.name(),
        OperationResultTr::ManageSellOffer(own) | OperationResultTr::CreatePassiveSellOffer(own) => own.name(),
        OperationResultTr::SetOptions(own) => own.name(),
        OperationResultTr::ChangeTrust(own) => own.name(),
        OperationResultTr::AllowTrust(own) => own.name(),
        OperationResultTr::AccountMerge(own) => own.name(),
        OperationResultTr::Inflation(own) => own.name(),
        OperationResultTr::ManageData(own) => own.name(),
        OperationResultTr::BumpSequence(own) => own.name(),
        OperationResultTr::ManageBuyOffer(own) => own.name(),
        OperationResultTr::PathPaymentStrictSend(own) => own.name(),
        OperationResultTr::CreateClaimableBalance(own) => own.name(),
        OperationResultTr::ClaimClaimableBalance(own) => own.name(),
        OperationResultTr::BeginSponsoringFutureReserves(own) => own.name(),
        OperationResultTr::EndSponsoringFutureReserves(own) => own.name(),
        OperationResultTr::RevokeSponsorship(own) => own.name(),
        OperationResultTr::Clawback(own) => own.name(),
        OperationResultTr::ClawbackClaimableBalance(own) => own.name(),
        OperationResultTr::SetTrustLineFlags(own) => own.name(),
        OperationResultTr::LiquidityPoolDeposit(own) => own.name(),
        OperationResultTr::LiquidityPoolWithdraw(own) => own.name(),
        OperationResultTr::InvokeHostFunction(own) => own.name(),
        OperationResultTr::ExtendFootprintTtl(own) => own.name(),
        OperationResultTr::RestoreFootprint(own) => own.name(),
    })
}

/// What a code means. Codes of one name mean the same in all operations.
fn reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "Success" => return None,
        "OpBadAuth" => "there are too few valid signatures, or the wrong ones",
        "OpNoAccount" => "the source account does not exist",
        "OpNotSupported" => "the network's protocol had no such operation then",
        "OpTooManySubentries" => "the account already has as many entries as accounts may have",
        "OpExceededWorkLimit" => "it took more work than an operation may",
        "OpTooManySponsoring" => "the account already pays as many reserves as accounts may",
        "Malformed" => "what was asked for makes no sense",
        "Underfunded" => "the source has too little of the asset",
        "LowReserve" => "the account that pays the reserve has too few XLM for it",
        "NoTrust" | "NoTrustLine" | "TrustLineMissing" => "a trustline to the asset is missing",
        "LineFull" => "who was to get it may not hold as much",
        "NotAuthorized" => "the issuer has not authorized one of the accounts",
        "NoIssuer" | "SellNoIssuer" | "BuyNoIssuer" => "the asset's issuer does not exist",
        "TrustlineFrozen" => "the trustline is frozen",
        "SrcNoTrust" => "the source has no trustline to the asset",
        "SrcNotAuthorized" => "the issuer has not authorized the source",
        "SellNoTrust" => "the source has no trustline to what it sells",
        "BuyNoTrust" => "the source has no trustline to what it buys",
        "SellNotAuthorized" => "the source is not authorized to sell this asset",
        "BuyNotAuthorized" => "the source is not authorized to buy this asset",
        "NoDestination" | "NoAccount" => "the destination account does not exist",
        "AlreadyExist" => "the account exists already",
        "TooFewOffers" => "there were too few offers on the way from one asset to the other",
        "OverSendmax" => "it would have cost more than was allowed",
        "UnderDestmin" => "less would have arrived than was asked for",
        "CrossSelf" | "OfferCrossSelf" => "it would have met an offer of the same account",
        "NotFound" => "there is no such offer",
        "TooManySigners" => "the account already has as many signers as accounts may have",
        "BadFlags" => "these flags cannot be set and cleared together",
        "InvalidInflation" => "the inflation destination does not exist",
        "CantChange" => "the account's flags cannot be changed any more",
        "UnknownFlag" => "there is no such flag",
        "ThresholdOutOfRange" => "a threshold or weight is beyond 255",
        "BadSigner" => "the signer cannot be one",
        "InvalidHomeDomain" => "the home domain is no domain",
        "AuthRevocableRequired" => "clawback needs authorization that can be revoked",
        "InvalidLimit" => "the limit is below what the account holds, or owes by offers",
        "SelfNotAllowed" => "an account cannot do that to itself",
        "CannotDelete" => "the trustline is still needed by a liquidity pool's shares",
        "NotAuthMaintainLiabilities" => "the source is not authorized to keep its offers",
        "TrustNotRequired" => "the issuer does not require authorization",
        "CantRevoke" => "the issuer's authorization cannot be revoked",
        "ImmutableSet" => "the account is immutable",
        "HasSubEntries" => "the account still has trustlines, offers, data or signers",
        "SeqnumTooFar" => "the account's sequence number is too high to be merged now",
        "DestFull" => "the destination cannot hold as many XLM",
        "IsSponsor" => "the account still pays reserves of others",
        "NotTime" => "a week has to pass between inflations",
        "NotSupportedYet" => "the network's protocol had no such entries then",
        "NameNotFound" => "there is no data entry of that name",
        "InvalidName" => "the name of the data entry is none",
        "BadSeq" => "the sequence number is out of range",
        "DoesNotExist" => "there is no such entry",
        "CannotClaim" => "the source may not claim it, or not at that time",
        "AlreadySponsored" => "another account pays its reserves already",
        "Recursive" => "who pays reserves of others cannot have its own paid meanwhile",
        "NotSponsored" => "no other account pays its reserves",
        "NotSponsor" => "the source is not who pays the reserve",
        "OnlyTransferable" => "this reserve can be handed on, but not be given back",
        "NotIssuer" => "the source is not the asset's issuer",
        "NotClawbackEnabled" => "the asset was not issued with clawback",
        "InvalidState" => "the trustline cannot have both kinds of authorization",
        "BadPrice" => "the pool's price was outside of what was asked for",
        "PoolFull" => "the pool cannot hold as much",
        "UnderMinimum" => "less would have come out than was asked for",
        "Trapped" => "the contract stopped with an error",
        "ResourceLimitExceeded" => "it took more than the resources that it asked for",
        "EntryArchived" => "it needs an entry that is archived, and has to be restored first",
        "InsufficientRefundableFee" => "its fee did not cover rent and events",
        _ => return None,
    })
}

fn host_function(function: &HostFunction) -> String {
    match function {
        HostFunction::InvokeContract(own) => format!(
            "call {}({}) of the contract {}",
            own.function_name.0.to_utf8_string_lossy(),
            arguments(own.args.as_slice()),
            cut(&own.contract_address.to_string())
        ),
        HostFunction::UploadContractWasm(code) => format!("upload the code of a contract, {} bytes", code.len()),
        HostFunction::CreateContract(own) => created(&own.contract_id_preimage, &own.executable, &[]),
        HostFunction::CreateContractV2(own) => created(&own.contract_id_preimage, &own.executable, own.constructor_args.as_slice()),
    }
}

fn created(from: &ContractIdPreimage, executable: &ContractExecutable, args: &[ScVal]) -> String {
    let code = match executable {
        ContractExecutable::Wasm(hash) => format!("that runs the code {}", cut(&hex::encode(hash.0))),
        ContractExecutable::StellarAsset => "of an asset".to_owned(),
        ContractExecutable::ExternalRef(own) => format!("that runs what {} names", cut(&own.executable_owner.to_string())),
    };
    let of = match from {
        ContractIdPreimage::Address(own) => format!(", deployed by {}", cut(&own.address.to_string())),
        ContractIdPreimage::Asset(own) => format!(", {}", asset(own)),
    };
    let with = if args.is_empty() { String::new() } else { format!(", made with ({})", arguments(args)) };
    format!("create a contract {code}{of}{with}")
}

fn arguments(args: &[ScVal]) -> String {
    listed(args.iter().map(|arg| value(arg, 0)), args.len(), MOST_ARGUMENTS)
}

fn listed(values: impl Iterator<Item = String>, count: usize, most: usize) -> String {
    let mut shown: Vec<_> = values.take(most).collect();
    if count > most {
        shown.push(format!("{} more", count.saturating_sub(most)));
    }
    shown.join(", ")
}

/// A value of a contract, shortened: the JSON has all of it.
fn value(of: &ScVal, depth: u8) -> String {
    match of {
        ScVal::Bool(own) => own.to_string(),
        ScVal::Void => "void".to_owned(),
        ScVal::Error(_) => "an error".to_owned(),
        ScVal::U32(own) => own.to_string(),
        ScVal::I32(own) => own.to_string(),
        ScVal::U64(own) => own.to_string(),
        ScVal::I64(own) => own.to_string(),
        ScVal::Timepoint(own) => own.0.to_string(),
        ScVal::Duration(own) => own.0.to_string(),
        ScVal::U128(own) => own.to_string(),
        ScVal::I128(own) => own.to_string(),
        ScVal::U256(own) => own.to_string(),
        ScVal::I256(own) => own.to_string(),
        ScVal::Bytes(own) if own.0.len() <= 8 => format!("0x{}", hex::encode(own.0.as_slice())),
        ScVal::Bytes(own) => format!("{} bytes", own.0.len()),
        ScVal::String(own) | ScVal::ExecutableTag(own) => quoted(&own.0.to_utf8_string_lossy()),
        ScVal::Symbol(own) => own.0.to_utf8_string_lossy(),
        ScVal::Vec(Some(own)) if depth < DEEPEST => {
            format!("[{}]", listed(own.iter().map(|inner| value(inner, depth.saturating_add(1))), own.len(), MOST_VALUES))
        }
        ScVal::Map(Some(own)) if depth < DEEPEST => {
            let entries = own.iter().map(|inner| {
                let below = depth.saturating_add(1);
                format!("{}: {}", value(&inner.key, below), value(&inner.val, below))
            });
            format!("{{{}}}", listed(entries, own.len(), MOST_VALUES))
        }
        ScVal::Vec(own) => format!("[{}]", own.as_ref().map_or(0, |own| own.len())),
        ScVal::Map(own) => format!("{{{}}}", own.as_ref().map_or(0, |own| own.len())),
        ScVal::Address(own) => cut(&own.to_string()),
        ScVal::ContractInstance(_) => "a contract's instance".to_owned(),
        ScVal::LedgerKeyContractInstance => "the key of the instance".to_owned(),
        ScVal::LedgerKeyNonce(own) => format!("nonce {}", own.nonce),
    }
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(MOST_CHARACTERS).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    if shown.chars().count() < text.chars().count() { format!("“{shown}…”") } else { format!("“{shown}”") }
}

fn options(own: &SetOptionsOp) -> String {
    const FLAGS: [(u32, &str); 4] =
        [(1, "authorization required"), (2, "authorization revocable"), (4, "immutable"), (8, "clawback enabled")];
    let mut said = Vec::new();
    if own.set_flags.is_some() || own.clear_flags.is_some() {
        said.push(format!("flags: {}", flag_changes(own.set_flags.unwrap_or(0), own.clear_flags.unwrap_or(0), &FLAGS)));
    }
    let thresholds = [("low", own.low_threshold), ("medium", own.med_threshold), ("high", own.high_threshold)];
    let thresholds: Vec<_> = thresholds.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect();
    if !thresholds.is_empty() {
        said.push(format!("thresholds {}", thresholds.join(", ")));
    }
    said.extend(own.master_weight.map(|weight| format!("weight {weight} for the account's own key")));
    said.extend(own.signer.as_ref().map(|signer| {
        let key = cut(&signer.key.to_string());
        if signer.weight == 0 { format!("without the signer {key}") } else { format!("signer {key} with weight {}", signer.weight) }
    }));
    said.extend(own.home_domain.as_ref().map(|domain| match domain.to_utf8_string_lossy() {
        none if none.is_empty() => "no home domain".to_owned(),
        domain => format!("home domain {}", quoted(&domain)),
    }));
    said.extend(own.inflation_dest.as_ref().map(|to| format!("inflation to {}", account(to))));
    if said.is_empty() { "set no option of the account".to_owned() } else { format!("set options of the account: {}", said.join("; ")) }
}

fn flag_changes(set: u32, clear: u32, names: &[(u32, &str)]) -> String {
    let of = |flags: u32| {
        let known = names.iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, name)| (*name).to_owned());
        let strange = flags & !names.iter().fold(0, |all, (flag, _)| all | flag);
        known.chain((strange != 0).then(|| format!("flag {strange}"))).collect::<Vec<_>>()
    };
    let changes: Vec<_> =
        of(set).into_iter().map(|name| format!("{name} on")).chain(of(clear).into_iter().map(|name| format!("{name} off"))).collect();
    if changes.is_empty() { "none".to_owned() } else { changes.join(", ") }
}

fn offer(id: i64, units: i64, what: &str, selling: &Asset, buying: &Asset, price: &Price) -> String {
    let terms = format!("{what} {} for {}", asset(selling), rate(price, buying, selling));
    match (id, units) {
        (0, _) => format!("offer to {terms}"),
        (id, 0) => format!("withdraw the offer {id} to sell {} for {}", asset(selling), asset(buying)),
        (id, _) => format!("change the offer {id}: {terms}"),
    }
}

fn buy_offer(id: i64, units: i64, buying: &Asset, selling: &Asset, price: &Price) -> String {
    let terms = format!("buy {} {} for {}", amount(units), asset(buying), rate(price, selling, buying));
    match (id, units) {
        (0, _) => format!("offer to {terms}"),
        (id, 0) => format!("withdraw the offer {id} to buy {} for {}", asset(buying), asset(selling)),
        (id, _) => format!("change the offer {id}: {terms}"),
    }
}

/// `price` in `of` for one `each`.
fn rate(price: &Price, of: &Asset, each: &Asset) -> String {
    let decimal = if price.d == 0 { format!("{}/0", price.n) } else { decimal(f64::from(price.n) / f64::from(price.d)) };
    format!("{decimal} {} each {}", asset(of), asset(each))
}

fn decimal(price: f64) -> String {
    let text = format!("{price:.7}");
    let shown = text.trim_end_matches('0').trim_end_matches('.');
    // Not nothing, but smaller than is shown.
    if shown == "0" && price != 0.0 { format!("{price:e}") } else { shown.to_owned() }
}

fn arrived(units: i64, of: &Asset, offers: usize) -> String {
    format!("{} {} arrived, through {}", amount(units), asset(of), counted(offers, "trade", "trades"))
}

fn offered(result: &ManageOfferSuccessResult) -> String {
    let left = match &result.offer {
        ManageOfferSuccessResultOffer::Created(own) => format!("the offer {} stands, {} left", own.offer_id, amount(own.amount)),
        ManageOfferSuccessResultOffer::Updated(own) => format!("the offer {} was changed, {} left", own.offer_id, amount(own.amount)),
        ManageOfferSuccessResultOffer::Deleted => "no offer is left".to_owned(),
    };
    match result.offers_claimed.len() {
        0 => left,
        trades => format!("{} at once; {left}", counted(trades, "trade", "trades")),
    }
}

fn by_way_of(path: &[Asset]) -> String {
    if path.is_empty() { String::new() } else { format!(", by way of {}", path.iter().map(asset).collect::<Vec<_>>().join(", ")) }
}

fn trusted(line: &ChangeTrustAsset) -> String {
    match line {
        ChangeTrustAsset::Native => asset(&Asset::Native),
        ChangeTrustAsset::CreditAlphanum4(own) => asset(&Asset::CreditAlphanum4(own.clone())),
        ChangeTrustAsset::CreditAlphanum12(own) => asset(&Asset::CreditAlphanum12(own.clone())),
        ChangeTrustAsset::PoolShare(LiquidityPoolParameters::LiquidityPoolConstantProduct(own)) => {
            format!("the shares of the liquidity pool of {} and {}", asset(&own.asset_a), asset(&own.asset_b))
        }
    }
}

fn entry(key: &LedgerKey) -> String {
    match key {
        LedgerKey::Account(own) => format!("the account {}", account(&own.account_id)),
        LedgerKey::Trustline(own) => {
            let line = match &own.asset {
                TrustLineAsset::Native => asset(&Asset::Native),
                TrustLineAsset::CreditAlphanum4(own) => asset(&Asset::CreditAlphanum4(own.clone())),
                TrustLineAsset::CreditAlphanum12(own) => asset(&Asset::CreditAlphanum12(own.clone())),
                TrustLineAsset::PoolShare(pool) => format!("the pool {}", cut(&pool.to_string())),
            };
            format!("{}'s trustline to {line}", account(&own.account_id))
        }
        LedgerKey::Offer(own) => format!("the offer {} of {}", own.offer_id, account(&own.seller_id)),
        LedgerKey::Data(own) => format!("{}'s data entry {}", account(&own.account_id), quoted(&own.data_name.to_utf8_string_lossy())),
        LedgerKey::ClaimableBalance(own) => format!("the claimable balance {}", balance(&own.balance_id)),
        LedgerKey::LiquidityPool(own) => format!("the liquidity pool {}", cut(&own.liquidity_pool_id.to_string())),
        LedgerKey::ContractData(_) | LedgerKey::ContractCode(_) | LedgerKey::ConfigSetting(_) | LedgerKey::Ttl(_) => {
            "an entry of contracts".to_owned()
        }
    }
}

fn balance(id: &ClaimableBalanceId) -> String {
    cut(&id.to_string())
}

fn account(id: &stellar_xdr::AccountId) -> String {
    cut(&id.to_string())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stellar_xdr::{
        AccountId, AccountMergeResultCode, AllowTrustResultCode, AlphaNum4, AssetCode4, BeginSponsoringFutureReservesResultCode,
        BumpSequenceResultCode, ChangeTrustResultCode, ClaimClaimableBalanceResultCode, ClawbackClaimableBalanceResultCode,
        ClawbackResultCode, CreateAccountResultCode, CreateClaimableBalanceResultCode, EndSponsoringFutureReservesResultCode,
        ExtendFootprintTtlOp, ExtendFootprintTtlResultCode, InflationResultCode, InvokeContractArgs, InvokeHostFunctionOp,
        InvokeHostFunctionResultCode, LedgerFootprint, LiquidityPoolDepositResultCode, LiquidityPoolWithdrawResultCode,
        ManageBuyOfferResultCode, ManageDataResultCode, ManageSellOfferOp, ManageSellOfferResultCode, OperationResultCode, OperationType,
        PathPaymentStrictReceiveResultCode, PathPaymentStrictSendResultCode, PaymentResultCode, ReadXdr, RestoreFootprintOp,
        RestoreFootprintResultCode, RevokeSponsorshipResultCode, ScString, ScSymbol, SetOptionsResultCode, SetTrustLineFlagsResultCode,
        SorobanResources, SorobanTransactionData, Transaction, TransactionEnvelope, TransactionExt, TransactionV1Envelope,
    };

    use super::*;

    fn said(body: OperationBody, soroban: Option<SorobanTransactionData>) -> String {
        let ext = soroban.map_or(TransactionExt::V0, TransactionExt::V1);
        let envelope =
            TransactionEnvelope::Tx(TransactionV1Envelope { tx: Transaction { ext, ..Transaction::default() }, ..Default::default() });
        asked(&body, &Parts::of(&envelope))
    }

    #[test]
    fn every_type_of_operation_has_words_of_its_own() {
        let mut all = std::collections::BTreeSet::new();
        for kind in OperationType::variants() {
            // Of zeros, but that codes of assets have no kind 0.
            let mut bytes = i32::from(kind).to_be_bytes().to_vec();
            bytes.resize(400, 0);
            if kind == OperationType::AllowTrust {
                bytes.splice(40..44, [0, 0, 0, 1]);
            }
            let limited = &mut stellar_xdr::Limited::new(bytes.as_slice(), stellar_xdr::Limits::none());
            let body = OperationBody::read_xdr(limited).unwrap();
            let words = said(body, None);
            assert!(words.len() > 10 && words.starts_with(|letter: char| letter.is_ascii_lowercase()), "{kind}: {words}");
            assert!(all.insert(words.clone()), "{kind}: {words}");
        }
        assert_eq!(all.len(), 27);
    }

    #[test]
    fn every_code_of_a_failure_has_a_reason() {
        macro_rules! names {
            ($($codes:ty),* $(,)?) => { [$(<$codes>::variants().iter().map(|code| (stringify!($codes), code.name())).collect::<Vec<_>>()),*].concat() };
        }
        let codes = names![
            CreateAccountResultCode,
            PaymentResultCode,
            PathPaymentStrictReceiveResultCode,
            PathPaymentStrictSendResultCode,
            ManageSellOfferResultCode,
            ManageBuyOfferResultCode,
            SetOptionsResultCode,
            ChangeTrustResultCode,
            AllowTrustResultCode,
            AccountMergeResultCode,
            InflationResultCode,
            ManageDataResultCode,
            BumpSequenceResultCode,
            CreateClaimableBalanceResultCode,
            ClaimClaimableBalanceResultCode,
            BeginSponsoringFutureReservesResultCode,
            EndSponsoringFutureReservesResultCode,
            RevokeSponsorshipResultCode,
            ClawbackResultCode,
            ClawbackClaimableBalanceResultCode,
            SetTrustLineFlagsResultCode,
            LiquidityPoolDepositResultCode,
            LiquidityPoolWithdrawResultCode,
            InvokeHostFunctionResultCode,
            ExtendFootprintTtlResultCode,
            RestoreFootprintResultCode,
            OperationResultCode,
        ];
        for (of, code) in codes {
            assert_eq!(reason(code).is_none(), matches!(code, "Success" | "OpInner"), "{of}: {code}");
        }
    }

    #[test]
    fn a_call_of_a_contract_names_its_function_and_shortens_its_arguments() {
        let text = ScVal::String(ScString("x".repeat(40).as_str().try_into().unwrap()));
        let list = ScVal::Vec(Some(vec![ScVal::U32(7), ScVal::Bool(true), ScVal::Void, ScVal::I32(-1), ScVal::U64(9)].try_into().unwrap()));
        let call = InvokeContractArgs {
            function_name: ScSymbol("transfer".try_into().unwrap()),
            args: [vec![text, list], vec![ScVal::I64(1); 9]].concat().try_into().unwrap(),
            ..InvokeContractArgs::default()
        };
        let words = said(
            OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
                host_function: HostFunction::InvokeContract(call),
                ..Default::default()
            }),
            None,
        );
        let shortened = format!("“{}…”", "x".repeat(32));
        assert!(
            words.starts_with(&format!("call transfer({shortened}, [7, true, void, 2 more], 1, 1, 1, 1, 1, 1, 3 more) of the contract ")),
            "{words}"
        );
    }

    #[test]
    fn what_is_restored_or_kept_alive_is_counted_in_the_footprint() {
        let footprint = |read_only: usize, read_write: usize| {
            let keys = |count| vec![LedgerKey::default(); count].try_into().unwrap();
            let footprint = LedgerFootprint { read_only: keys(read_only), read_write: keys(read_write) };
            Some(SorobanTransactionData { resources: SorobanResources { footprint, ..Default::default() }, ..Default::default() })
        };
        let extend = OperationBody::ExtendFootprintTtl(ExtendFootprintTtlOp { extend_to: 5000, ..Default::default() });
        assert_eq!(said(extend, footprint(2, 0)), "keep 2 entries alive for 5000 more ledgers at least");
        let restore = OperationBody::RestoreFootprint(RestoreFootprintOp::default());
        assert_eq!(said(restore, footprint(0, 1)), "restore 1 entry from the archive of the state");
    }

    #[test]
    fn offers_say_their_price_and_what_becomes_of_the_one_they_name() {
        let usd = Asset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(*b"USD\0"), issuer: AccountId::default() });
        let offer = |offer_id, amount, (n, d)| {
            let own = ManageSellOfferOp { selling: usd.clone(), buying: Asset::Native, amount, price: Price { n, d }, offer_id };
            said(OperationBody::ManageSellOffer(own), None)
        };
        assert_eq!(offer(0, 25_000_000, (1, 3)), "offer to sell 2.5 USD (GAAA…AWHF) for 0.3333333 XLM each USD (GAAA…AWHF)");
        assert_eq!(offer(9, 0, (1, 1)), "withdraw the offer 9 to sell USD (GAAA…AWHF) for XLM");
        assert!(offer(9, 10_000_000, (5, 2)).starts_with("change the offer 9: sell 1 USD"));
        // Hostile prices are shown, not divided by.
        assert!(offer(0, 1, (1, 0)).contains("1/0 XLM"));
        assert!(offer(0, 1, (1, i32::MAX)).contains("4.656612875245797e-10 XLM"));
    }
}
