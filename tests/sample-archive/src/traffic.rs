//! What happens on the network: who does what in which ledger, by the seed alone.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use stellar_xdr::{
    AccountId, AlphaNum4, Asset, AssetCode4, ContractExecutable, ContractIdPreimage, CreateAccountOp, CreateContractArgs, DataValue,
    ExtendFootprintTtlOp, ExtensionPoint, Hash, HostFunction, InvokeHostFunctionOp, LedgerFootprint, LedgerKey, LedgerKeyContractCode,
    LedgerKeyContractData, LedgerKeyData, LedgerUpgrade, ManageDataOp, ManageSellOfferOp, Memo, MuxedAccount, OperationBody, PaymentOp,
    Price, RestoreFootprintOp, ScVal, SorobanResources, SorobanTransactionData, SorobanTransactionDataExt, String64, TransactionExt,
};

use crate::Config;
use crate::apply::contract_address;
use crate::bucket::FIRST_WITH_META;
use crate::close::{Chain, Proposal, is_contract};
use crate::codec::{bytes, list, sha256};
use crate::network::{account_id, key_bytes};
use crate::random::{Random, seeded};
use crate::tx::{Body, FIRST_WITH_FEE_BUMP, SignedTx};
use crate::tx_set::FIRST_GENERALIZED;

/// The ledger that upgrades the network from version 0. As on real networks there are no transactions before it, and
/// its own set still has the old form (rule B.7 T3). Any later, and the bucket of ledger 1 would be shadowed whole when
/// it first reaches level 2, so that accelerated checkpoints had to name an empty merge output.
pub(crate) const UPGRADE_LEDGER: u32 = 3;
/// The first protocol whose values may drop a set (CAP-83).
pub(crate) const FIRST_WITH_DROPPED_SETS: u32 = 28;

/// The people and their plans.
#[derive(Debug)]
pub(crate) struct Traffic {
    protocol: u32,
    seed: u64,
    random: Random,
    keys: BTreeMap<AccountId, SigningKey>,
    accounts: u64,
    contracts: u32,
}

/// The transactions of one ledger while they are thought up.
struct Draft<'a> {
    chain: &'a Chain,
    txs: Vec<SignedTx>,
    /// One transaction an account and ledger.
    sources: BTreeSet<AccountId>,
    /// Contract entries in use: no two transactions of a ledger touch the same.
    touched: BTreeSet<LedgerKey>,
}

impl Traffic {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            protocol: config.protocol.number(),
            seed: config.seed,
            random: Random::new(config.seed, "traffic"),
            keys: BTreeMap::new(),
            accounts: 0,
            contracts: 0,
        }
    }

    /// What the validators agree on for the next ledger.
    pub(crate) fn proposal(&mut self, chain: &Chain) -> Proposal {
        let ledger = chain.header.ledger_seq + 1;
        let close_time = match chain.header.scp_value.close_time.0 {
            0 => FIRST_CLOSE_TIME + self.random.below(1_000_000),
            last => last + 4 + self.random.below(3),
        };
        let version = chain.header.ledger_version;
        let dropped =
            (version >= FIRST_WITH_DROPPED_SETS && ledger % 40 == 12).then(|| Hash(seeded(self.seed, "dropped", u64::from(ledger))));
        let txs = if dropped.is_some() || self.is_quiet(ledger) { Vec::new() } else { self.transactions(chain, ledger, close_time) };
        Proposal { txs, close_time, upgrades: self.upgrades(ledger), dropped }
    }

    /// In the order that the protocol asks for, that of their types.
    fn upgrades(&self, ledger: u32) -> Vec<LedgerUpgrade> {
        match ledger {
            UPGRADE_LEDGER => {
                vec![LedgerUpgrade::Version(self.protocol), LedgerUpgrade::MaxTxSetSize(200), LedgerUpgrade::BaseReserve(5_000_000)]
            }
            37 if self.protocol >= 18 => vec![LedgerUpgrade::Flags(1)],
            50 => vec![LedgerUpgrade::BaseFee(120)],
            _ => Vec::new(),
        }
    }

    /// Some ledgers have no transactions (T4). Before protocol 11 two in a row could leave an empty bucket where an
    /// archive has to name a merge output, so there they are never neighbours within one bucket.
    fn is_quiet(&mut self, ledger: u32) -> bool {
        let chance = self.random.one_in(6);
        ledger < UPGRADE_LEDGER || (ledger > UPGRADE_LEDGER + 2 && chance && (self.protocol >= FIRST_WITH_META || ledger % 2 == 1))
    }

    fn transactions(&mut self, chain: &Chain, ledger: u32, close_time: u64) -> Vec<SignedTx> {
        let mut draft = Draft { chain, txs: Vec::new(), sources: BTreeSet::new(), touched: BTreeSet::new() };
        if ledger <= UPGRADE_LEDGER + 1 {
            self.create_accounts(&mut draft, 16);
        } else if self.accounts < MOST_ACCOUNTS && self.random.one_in(4) {
            let count = 1 + self.random.below(3);
            self.create_accounts(&mut draft, count);
        }
        if ledger > UPGRADE_LEDGER {
            // Accounts take it easy at first, so that not all of them shadow what ledger 3 says of them.
            let most = if ledger < 8 { 1 } else { 5 };
            for _ in 0..=self.random.below(most) {
                self.classic(&mut draft, close_time);
            }
        }
        if chain.header.ledger_version >= FIRST_GENERALIZED {
            for _ in 0..self.random.below(4) {
                self.contract(&mut draft);
            }
        }
        // Chance may have left nothing to do; this ledger was not to be quiet.
        if draft.txs.is_empty() {
            self.create_accounts(&mut draft, 1);
        }
        draft.txs
    }

    fn create_accounts(&mut self, draft: &mut Draft<'_>, count: u64) {
        let mut operations = Vec::new();
        for _ in 0..count {
            let key = SigningKey::from_bytes(&seeded(self.seed, "account", self.accounts));
            let destination = account_id(&key);
            self.accounts += 1;
            self.keys.insert(destination.clone(), key);
            operations.push(OperationBody::CreateAccount(CreateAccountOp { destination, starting_balance: STARTING_BALANCE }));
        }
        let root = draft.chain.network.root.clone();
        self.submit(draft, &root, Body::classic(operations), 1);
    }

    /// One transaction without contracts, by anyone who has not acted in this ledger yet.
    fn classic(&mut self, draft: &mut Draft<'_>, close_time: u64) {
        let Some(key) = self.somebody(draft) else {
            return;
        };
        let version = draft.chain.header.ledger_version;
        let rate = if self.random.one_in(5) { 6 } else { 1 + self.random.below(2) };
        match self.random.below(12) {
            0 => {
                // More than anyone has but the root account: fails, and pays its fee all the same.
                let body = self.payment(draft, 1_000_000 * STARTING_BALANCE);
                self.submit(draft, &key, body, rate);
            }
            // Accounts hold data since protocol 2.
            1..=3 if version >= 2 => {
                let body = self.note(draft, &key);
                self.submit(draft, &key, body, rate);
            }
            4 if self.live_accounts(draft) > FEWEST_ACCOUNTS => {
                let into = self.anybody(draft);
                self.submit(draft, &key, Body::classic(vec![OperationBody::AccountMerge(into)]), rate);
            }
            5 => {
                let body = self.offer(&key);
                self.submit(draft, &key, body, rate);
            }
            6 if version >= FIRST_WITH_FEE_BUMP => {
                let body = self.payment(draft, 10_000_000);
                self.submit(draft, &key, body, 1);
                let root = &draft.chain.network.root;
                if let Some(tx) = draft.txs.pop() {
                    let fee = 2 * i64::from(draft.chain.header.base_fee) * (tx.operations() + 1);
                    draft.txs.push(tx.bumped(&draft.chain.network, root, fee));
                }
            }
            kind => {
                let amount = 1 + i64::try_from(self.random.below(500_000_000)).expect("invariant: small");
                let body = self.payment(draft, amount);
                let body = if kind.is_multiple_of(2) { body.until(close_time + 300) } else { body };
                self.submit(draft, &key, body, rate);
            }
        }
    }

    fn payment(&mut self, draft: &Draft<'_>, amount: i64) -> Body {
        let mut operations = Vec::new();
        for _ in 0..=self.random.below(3) {
            let destination = self.anybody(draft);
            operations.push(OperationBody::Payment(PaymentOp { destination, asset: Asset::Native, amount }));
        }
        let mut body = Body::classic(operations);
        if self.random.one_in(2) {
            body.memo = Memo::Id(self.random.below(1_000_000));
        }
        body
    }

    /// Sets a named note, or deletes it if it is there already, now and then.
    fn note(&mut self, draft: &Draft<'_>, key: &SigningKey) -> Body {
        let name = format!("note {}", self.random.below(3));
        let data_name = String64(name.as_str().try_into().expect("invariant: a short name"));
        let entry = LedgerKey::Data(LedgerKeyData { account_id: account_id(key), data_name: data_name.clone() });
        let delete = draft.chain.state.get(&entry).is_some() && self.random.one_in(2);
        let value = self.random.below(u64::MAX).to_be_bytes();
        let data_value = (!delete).then(|| DataValue(bytes(&value)));
        Body::classic(vec![OperationBody::ManageData(ManageDataOp { data_name, data_value })])
    }

    fn offer(&mut self, key: &SigningKey) -> Body {
        let buying = Asset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(*b"SMPL"), issuer: account_id(key) });
        let amount = 1 + i64::try_from(self.random.below(10_000_000)).expect("invariant: small");
        let op = ManageSellOfferOp { selling: Asset::Native, buying, amount, price: Price { n: 1, d: 1 }, offer_id: 0 };
        Body::classic(vec![OperationBody::ManageSellOffer(op)])
    }

    /// One transaction of the second phase.
    fn contract(&mut self, draft: &mut Draft<'_>) {
        let Some(key) = self.somebody(draft) else {
            return;
        };
        let ledger = draft.chain.header.ledger_seq + 1;
        let (footprint, operation) = match self.random.below(4) {
            0 => match self.contract_entry(draft, |live_until| live_until.is_some_and(|until| until >= ledger)) {
                None => return,
                Some(entry) => {
                    let op = ExtendFootprintTtlOp { ext: ExtensionPoint::V0, extend_to: 60 };
                    (footprint(vec![entry], Vec::new()), OperationBody::ExtendFootprintTtl(op))
                }
            },
            1 => match self.contract_entry(draft, |live_until| live_until.is_none_or(|until| until < ledger)) {
                None => return,
                Some(entry) => {
                    let op = RestoreFootprintOp { ext: ExtensionPoint::V0 };
                    (footprint(Vec::new(), vec![entry]), OperationBody::RestoreFootprint(op))
                }
            },
            2 => self.upload(),
            _ => self.deploy(draft, &key),
        };
        draft.touched.extend(footprint.read_only.iter().chain(footprint.read_write.iter()).cloned());
        let resources = SorobanResources { footprint, instructions: 2_000_000, disk_read_bytes: 1_000, write_bytes: 1_000 };
        let data = SorobanTransactionData { ext: SorobanTransactionDataExt::V0, resources, resource_fee: RESOURCE_FEE };
        let body = Body { ext: TransactionExt::V1(data), ..Body::classic(vec![operation]) };
        let rate = 1 + self.random.below(3);
        self.submit(draft, &key, body, rate);
    }

    /// A module that is new each time: the header of WebAssembly and a custom section with a number.
    fn upload(&mut self) -> (LedgerFootprint, OperationBody) {
        self.contracts += 1;
        let mut code = b"\0asm\x01\0\0\0\0\x0b\x06sample".to_vec();
        code.extend(self.contracts.to_be_bytes());
        let entry = LedgerKey::ContractCode(LedgerKeyContractCode { hash: sha256([&code]) });
        let host_function = HostFunction::UploadContractWasm(bytes(&code));
        (
            footprint(Vec::new(), vec![entry]),
            OperationBody::InvokeHostFunction(InvokeHostFunctionOp { host_function, auth: list(Vec::new()) }),
        )
    }

    /// The contract of an asset that is new each time.
    fn deploy(&mut self, draft: &Draft<'_>, key: &SigningKey) -> (LedgerFootprint, OperationBody) {
        self.contracts += 1;
        let letters = format!("{:04}", self.contracts % 10_000);
        let code = letters.as_bytes().first_chunk().copied().unwrap_or(*b"0000");
        let asset = Asset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(code), issuer: account_id(key) });
        let contract_id_preimage = ContractIdPreimage::Asset(asset);
        let entry = LedgerKey::ContractData(LedgerKeyContractData {
            contract: contract_address(&draft.chain.network, &contract_id_preimage),
            key: ScVal::LedgerKeyContractInstance,
            durability: stellar_xdr::ContractDataDurability::Persistent,
        });
        let host_function =
            HostFunction::CreateContract(CreateContractArgs { contract_id_preimage, executable: ContractExecutable::StellarAsset });
        (
            footprint(Vec::new(), vec![entry]),
            OperationBody::InvokeHostFunction(InvokeHostFunctionOp { host_function, auth: list(Vec::new()) }),
        )
    }

    /// A contract entry, live or archived, that nobody touches in this ledger and whose lifetime fits.
    fn contract_entry(&mut self, draft: &Draft<'_>, fits: impl Fn(Option<u32>) -> bool) -> Option<LedgerKey> {
        let state = &draft.chain.state;
        let live = state.iter().map(|(key, _)| key).filter(|key| is_contract(key));
        let entries: Vec<_> =
            live.chain(draft.chain.archived.keys()).filter(|key| !draft.touched.contains(key) && fits(state.live_until(key))).collect();
        if entries.is_empty() {
            return None;
        }
        entries.get(self.random.index(entries.len())).map(|key| (*key).clone())
    }

    /// Signs and adds a transaction that offers `rate` times the base fee.
    fn submit(&mut self, draft: &mut Draft<'_>, key: &SigningKey, body: Body, rate: u64) {
        let chain = draft.chain;
        let source = account_id(key);
        let Some(account) = chain.state.account(&source) else {
            return;
        };
        if !draft.sources.insert(source) {
            return;
        }
        let resource_fee = match &body.ext {
            TransactionExt::V0 => 0,
            TransactionExt::V1(data) => data.resource_fee,
        };
        let operations = u64::try_from(body.operations.len()).expect("invariant: at most 100 operations");
        let bid = rate * operations * u64::from(chain.header.base_fee);
        let fee = u32::try_from(resource_fee)
            .ok()
            .zip(u32::try_from(bid).ok())
            .map(|(resource_fee, bid)| resource_fee + bid)
            .expect("invariant: fees here are far below 2^31");
        let version = chain.header.ledger_version;
        draft.txs.push(SignedTx::sign(&chain.network, version, key, fee, account.seq_num.0 + 1, body));
    }

    /// Somebody who exists, has not acted in this ledger and can pay for it.
    fn somebody(&mut self, draft: &Draft<'_>) -> Option<SigningKey> {
        let free: Vec<_> = draft
            .chain
            .state
            .accounts()
            .filter(|account| !draft.sources.contains(&account.account_id) && account.balance > CAN_PAY)
            .filter_map(|account| self.keys.get(&account.account_id))
            .collect();
        if free.is_empty() {
            return None;
        }
        free.get(self.random.index(free.len())).map(|key| (*key).clone())
    }

    /// Any account, the root account too.
    fn anybody(&mut self, draft: &Draft<'_>) -> MuxedAccount {
        let index = self.random.index(self.live_accounts(draft));
        let account = draft.chain.state.accounts().nth(index).expect("invariant: the index is below the count");
        MuxedAccount::Ed25519(key_bytes(&account.account_id))
    }

    fn live_accounts(&self, draft: &Draft<'_>) -> usize {
        draft.chain.state.accounts().count()
    }
}

fn footprint(read_only: Vec<LedgerKey>, read_write: Vec<LedgerKey>) -> LedgerFootprint {
    LedgerFootprint { read_only: list(read_only), read_write: list(read_write) }
}

/// In stroops, ten million to a coin.
const STARTING_BALANCE: i64 = 10_000_000_000;
/// Enough for the reserve and a few fees.
const CAN_PAY: i64 = 1_000_000_000;
const FEWEST_ACCOUNTS: usize = 12;
const FIRST_CLOSE_TIME: u64 = 1_760_000_000;
const MOST_ACCOUNTS: u64 = 80;
const RESOURCE_FEE: i64 = 50_000;
