//! Applying transactions: fees, sequence numbers and the few operations that the sample's accounts use.
//!
//! Contract code is stored but never run, and no resource fee is refunded; everything else follows stellar-core.

use std::collections::BTreeMap;

use stellar_xdr::{
    AccountEntry, AccountEntryExt, AccountEntryExtensionV1, AccountEntryExtensionV1Ext, AccountEntryExtensionV2,
    AccountEntryExtensionV2Ext, AccountEntryExtensionV3, AccountId, AccountMergeResult, Asset, ContractCodeCostInputs, ContractCodeEntry,
    ContractCodeEntryExt, ContractCodeEntryV1, ContractDataDurability, ContractDataEntry, ContractId, ContractIdPreimage, CreateAccountOp,
    CreateAccountResult, CreateContractArgs, DataEntry, DataEntryExt, ExtendFootprintTtlOp, ExtendFootprintTtlResult, ExtensionPoint,
    HashIdPreimage, HashIdPreimageContractId, HostFunction, InnerTransactionResult, InnerTransactionResultExt, InnerTransactionResultPair,
    InnerTransactionResultResult, InvokeHostFunctionResult, InvokeHostFunctionSuccessPreImage, LedgerEntry, LedgerEntryData, LedgerKey,
    LedgerKeyData, Liabilities, ManageDataOp, ManageDataResult, ManageOfferSuccessResult, ManageOfferSuccessResultOffer, ManageSellOfferOp,
    ManageSellOfferResult, MuxedAccount, OfferEntry, OfferEntryExt, OperationBody, OperationResult, OperationResultTr, PaymentOp,
    PaymentResult, RestoreFootprintResult, ScAddress, ScContractInstance, ScVal, SorobanTransactionData, TimePoint, TransactionExt,
    TransactionResult, TransactionResultExt, TransactionResultPair, TransactionResultResult,
};

use crate::codec::{bytes, hash_of, list, sha256};
use crate::network::{Network, account_entry};
use crate::state::{Changes, account_key, ttl_key};
use crate::tx::{SignedTx, account_of};

/// How many ledgers a contract's entry lives when written or restored. Real networks say months; here it has to run
/// out within a few hundred ledgers.
pub(crate) const LIFETIME: u32 = 40;

/// The ledger while its transactions are applied.
#[derive(Debug)]
pub(crate) struct Applying<'a> {
    pub(crate) network: &'a Network,
    /// The protocol version before this ledger's upgrades.
    pub(crate) version: u32,
    pub(crate) base_fee: u32,
    pub(crate) base_reserve: u32,
    pub(crate) close_time: u64,
    pub(crate) id_pool: u64,
    /// The hot archive before this ledger.
    pub(crate) archived: &'a BTreeMap<LedgerKey, LedgerEntry>,
    /// What this ledger takes out of the hot archive.
    pub(crate) restored: Vec<LedgerKey>,
    pub(crate) changes: Changes<'a>,
}

impl Applying<'_> {
    /// Takes the fee. All fees of a ledger are taken before its first transaction is applied.
    pub(crate) fn charge(&mut self, tx: &SignedTx, fee: i64) {
        self.changes.change_account(&tx.fee_source(), |account| account.balance -= fee);
    }

    /// Applies one transaction: its sequence number is used in any case, its operations take effect all or none.
    pub(crate) fn apply(&mut self, tx: &SignedTx, fee_charged: i64) -> TransactionResultPair {
        self.use_sequence_number(tx);
        let (changes, id_pool, restored) = (self.changes.clone(), self.id_pool, self.restored.clone());
        let results: Vec<_> = tx.tx.operations.iter().map(|operation| self.operation(tx, &operation.body)).collect();
        let success = results.iter().all(is_success);
        if !success {
            (self.changes, self.id_pool, self.restored) = (changes, id_pool, restored);
        }
        let results = list(results);
        let result = match &tx.bump {
            None if success => TransactionResultResult::TxSuccess(results),
            None => TransactionResultResult::TxFailed(results),
            Some(bump) => {
                let inner = InnerTransactionResultPair {
                    transaction_hash: bump.inner_hash.clone(),
                    result: InnerTransactionResult {
                        fee_charged: i64::from(tx.tx.fee).min(i64::from(self.base_fee) * (tx.operations() - 1)),
                        result: if success {
                            InnerTransactionResultResult::TxSuccess(results)
                        } else {
                            InnerTransactionResultResult::TxFailed(results)
                        },
                        ext: InnerTransactionResultExt::V0,
                    },
                };
                if success {
                    TransactionResultResult::TxFeeBumpInnerSuccess(inner)
                } else {
                    TransactionResultResult::TxFeeBumpInnerFailed(inner)
                }
            }
        };
        TransactionResultPair {
            transaction_hash: tx.hash.clone(),
            result: TransactionResult { fee_charged, result, ext: TransactionResultExt::V0 },
        }
    }

    fn use_sequence_number(&mut self, tx: &SignedTx) {
        let (version, ledger, time) = (self.version, self.changes.ledger(), TimePoint(self.close_time));
        self.changes.change_account(&tx.source(), |account| {
            account.seq_num = tx.tx.seq_num.clone();
            // From protocol 19 on an account knows when its sequence number last changed (CAP-21).
            if version >= 19 {
                let v2 = extension_v2(extension_v1(account));
                v2.ext =
                    AccountEntryExtensionV2Ext::V3(AccountEntryExtensionV3 { ext: ExtensionPoint::V0, seq_ledger: ledger, seq_time: time });
            }
        });
    }

    fn operation(&mut self, tx: &SignedTx, body: &OperationBody) -> OperationResult {
        let source = tx.source();
        OperationResult::OpInner(match body {
            OperationBody::CreateAccount(op) => OperationResultTr::CreateAccount(self.create_account(&source, op)),
            OperationBody::Payment(op) => OperationResultTr::Payment(self.payment(&source, op)),
            OperationBody::ManageData(op) => OperationResultTr::ManageData(self.manage_data(&source, op)),
            OperationBody::ManageSellOffer(op) => OperationResultTr::ManageSellOffer(self.sell(&source, op)),
            OperationBody::AccountMerge(into) => OperationResultTr::AccountMerge(self.merge(&source, into)),
            OperationBody::InvokeHostFunction(op) => OperationResultTr::InvokeHostFunction(self.invoke(&op.host_function)),
            OperationBody::ExtendFootprintTtl(op) => OperationResultTr::ExtendFootprintTtl(self.extend(&tx.tx.ext, op)),
            OperationBody::RestoreFootprint(_) => OperationResultTr::RestoreFootprint(self.restore(&tx.tx.ext)),
            _ => return OperationResult::OpNotSupported,
        })
    }

    fn create_account(&mut self, source: &AccountId, op: &CreateAccountOp) -> CreateAccountResult {
        if self.changes.account(&op.destination).is_some() {
            return CreateAccountResult::AlreadyExist;
        }
        if op.starting_balance < self.reserve(0) {
            return CreateAccountResult::LowReserve;
        }
        if self.spendable(source) < op.starting_balance {
            return CreateAccountResult::Underfunded;
        }
        self.changes.change_account(source, |account| account.balance -= op.starting_balance);
        let ledger = self.changes.ledger();
        let first_sequence = i64::from(ledger) << 32;
        self.changes.put(account_entry(op.destination.clone(), op.starting_balance, first_sequence, ledger).data);
        CreateAccountResult::Success
    }

    fn payment(&mut self, source: &AccountId, op: &PaymentOp) -> PaymentResult {
        let destination = account_of(&op.destination);
        if op.asset != Asset::Native {
            return PaymentResult::SrcNoTrust;
        }
        if self.changes.account(&destination).is_none() {
            return PaymentResult::NoDestination;
        }
        if self.spendable(source) < op.amount {
            return PaymentResult::Underfunded;
        }
        self.changes.change_account(source, |account| account.balance -= op.amount);
        self.changes.change_account(&destination, |account| account.balance += op.amount);
        PaymentResult::Success
    }

    fn manage_data(&mut self, source: &AccountId, op: &ManageDataOp) -> ManageDataResult {
        let key = LedgerKey::Data(LedgerKeyData { account_id: source.clone(), data_name: op.data_name.clone() });
        let exists = self.changes.get(&key).is_some();
        let Some(data_value) = op.data_value.clone() else {
            if !exists {
                return ManageDataResult::NameNotFound;
            }
            self.changes.erase(key);
            self.changes.change_account(source, |account| account.num_sub_entries -= 1);
            return ManageDataResult::Success;
        };
        if !exists {
            if self.spendable(source) < i64::from(self.base_reserve) {
                return ManageDataResult::LowReserve;
            }
            self.changes.change_account(source, |account| account.num_sub_entries += 1);
        }
        self.changes.put(LedgerEntryData::Data(DataEntry {
            account_id: source.clone(),
            data_name: op.data_name.clone(),
            data_value,
            ext: DataEntryExt::V0,
        }));
        ManageDataResult::Success
    }

    /// Offers native coins for an asset that the seller itself issues, so that no trust line is needed and no other
    /// offer can cross.
    fn sell(&mut self, source: &AccountId, op: &ManageSellOfferOp) -> ManageSellOfferResult {
        if self.spendable(source) < i64::from(self.base_reserve) + op.amount {
            return ManageSellOfferResult::LowReserve;
        }
        let version = self.version;
        self.changes.change_account(source, |account| {
            account.num_sub_entries += 1;
            // Offers bind what they sell since protocol 10 (CAP-3).
            if version >= 10 {
                extension_v1(account).liabilities.selling += op.amount;
            }
        });
        self.id_pool += 1;
        let offer = OfferEntry {
            seller_id: source.clone(),
            offer_id: i64::try_from(self.id_pool).expect("invariant: a sample makes few offers"),
            selling: op.selling.clone(),
            buying: op.buying.clone(),
            amount: op.amount,
            price: op.price.clone(),
            flags: 0,
            ext: OfferEntryExt::V0,
        };
        self.changes.put(LedgerEntryData::Offer(offer.clone()));
        ManageSellOfferResult::Success(ManageOfferSuccessResult {
            offers_claimed: list(Vec::new()),
            offer: ManageOfferSuccessResultOffer::Created(offer),
        })
    }

    fn merge(&mut self, source: &AccountId, into: &MuxedAccount) -> AccountMergeResult {
        let into = account_of(into);
        if *source == into {
            return AccountMergeResult::Malformed;
        }
        let Some(account) = self.changes.account(source).filter(|_| self.changes.account(&into).is_some()) else {
            return AccountMergeResult::NoAccount;
        };
        if account.num_sub_entries != 0 {
            return AccountMergeResult::HasSubEntries;
        }
        let balance = account.balance;
        self.changes.erase(account_key(source));
        self.changes.change_account(&into, |account| account.balance += balance);
        AccountMergeResult::Success(balance)
    }

    fn invoke(&mut self, function: &HostFunction) -> InvokeHostFunctionResult {
        let returned = match function {
            HostFunction::UploadContractWasm(code) => self.upload(code),
            HostFunction::CreateContract(args) => self.deploy(args),
            HostFunction::InvokeContract(_) | HostFunction::CreateContractV2(_) => return InvokeHostFunctionResult::Trapped,
        };
        let preimage = InvokeHostFunctionSuccessPreImage { return_value: returned, events: list(Vec::new()) };
        InvokeHostFunctionResult::Success(hash_of(&preimage))
    }

    fn upload(&mut self, code: &[u8]) -> ScVal {
        let hash = sha256([code]);
        // From protocol 21 on an entry remembers what its code costs to load (CAP-54).
        let ext = if self.version < 21 {
            ContractCodeEntryExt::V0
        } else {
            let cost_inputs = ContractCodeCostInputs { ext: ExtensionPoint::V0, ..Default::default() };
            ContractCodeEntryExt::V1(ContractCodeEntryV1 { ext: ExtensionPoint::V0, cost_inputs })
        };
        let data = LedgerEntryData::ContractCode(ContractCodeEntry { ext, hash: hash.clone(), code: bytes(code) });
        self.changes.put_with_lifetime(data, self.new_lifetime());
        ScVal::Bytes(stellar_xdr::ScBytes(bytes(&hash.0)))
    }

    fn deploy(&mut self, args: &CreateContractArgs) -> ScVal {
        let contract = contract_address(self.network, &args.contract_id_preimage);
        let data = LedgerEntryData::ContractData(ContractDataEntry {
            ext: ExtensionPoint::V0,
            contract: contract.clone(),
            key: ScVal::LedgerKeyContractInstance,
            durability: ContractDataDurability::Persistent,
            val: ScVal::ContractInstance(ScContractInstance { executable: args.executable.clone(), storage: None }),
        });
        self.changes.put_with_lifetime(data, self.new_lifetime());
        ScVal::Address(contract)
    }

    fn extend(&mut self, ext: &TransactionExt, op: &ExtendFootprintTtlOp) -> ExtendFootprintTtlResult {
        let live_until = self.changes.ledger() + op.extend_to;
        for key in footprint(ext).resources.footprint.read_only.iter() {
            // Only what is still alive is extended, and never shortened.
            if self.changes.live_until(key).is_some_and(|until| (self.changes.ledger()..live_until).contains(&until)) {
                self.changes.set_live_until(key, live_until);
            }
        }
        ExtendFootprintTtlResult::Success
    }

    fn restore(&mut self, ext: &TransactionExt) -> RestoreFootprintResult {
        for key in footprint(ext).resources.footprint.read_write.iter() {
            if let Some(entry) = self.archived.get(key) {
                self.changes.put_with_lifetime(entry.data.clone(), self.new_lifetime());
                self.restored.push(key.clone());
            } else if self.changes.live_until(key).is_some_and(|until| until < self.changes.ledger()) {
                self.changes.set_live_until(key, self.new_lifetime());
            }
        }
        RestoreFootprintResult::Success
    }

    fn new_lifetime(&self) -> u32 {
        self.changes.ledger() + LIFETIME - 1
    }

    /// What an account can give away: all but its reserve and what its offers bind.
    fn spendable(&self, id: &AccountId) -> i64 {
        let Some(account) = self.changes.account(id) else {
            return 0;
        };
        let bound = match &account.ext {
            AccountEntryExt::V0 => 0,
            AccountEntryExt::V1(v1) => v1.liabilities.selling,
        };
        account.balance - self.reserve(account.num_sub_entries) - bound
    }

    fn reserve(&self, sub_entries: u32) -> i64 {
        i64::from(2 + sub_entries) * i64::from(self.base_reserve)
    }
}

/// The address of a contract made from an asset.
pub(crate) fn contract_address(network: &Network, preimage: &ContractIdPreimage) -> ScAddress {
    let preimage = HashIdPreimageContractId { network_id: network.id.clone(), contract_id_preimage: preimage.clone() };
    ScAddress::Contract(ContractId(hash_of(&HashIdPreimage::ContractId(preimage))))
}

/// Erases contract entries whose lifetime is over, as the eviction scan does, and returns them for the hot archive.
pub(crate) fn evict(changes: &mut Changes<'_>, expired: Vec<LedgerKey>) -> Vec<LedgerEntry> {
    let mut evicted = Vec::new();
    for key in expired {
        let over = changes.live_until(&key).is_some_and(|until| until < changes.ledger());
        if let Some(entry) = changes.get(&key).filter(|_| over).cloned() {
            changes.erase(ttl_key(&key));
            changes.erase(key);
            evicted.push(entry);
        }
    }
    evicted
}

fn footprint(ext: &TransactionExt) -> SorobanTransactionData {
    match ext {
        TransactionExt::V0 => SorobanTransactionData::default(),
        TransactionExt::V1(data) => data.clone(),
    }
}

fn extension_v1(account: &mut AccountEntry) -> &mut AccountEntryExtensionV1 {
    if account.ext == AccountEntryExt::V0 {
        let liabilities = Liabilities { buying: 0, selling: 0 };
        account.ext = AccountEntryExt::V1(AccountEntryExtensionV1 { liabilities, ext: AccountEntryExtensionV1Ext::V0 });
    }
    match &mut account.ext {
        AccountEntryExt::V1(v1) => v1,
        AccountEntryExt::V0 => unreachable!("invariant: set above"),
    }
}

fn extension_v2(v1: &mut AccountEntryExtensionV1) -> &mut AccountEntryExtensionV2 {
    if v1.ext == AccountEntryExtensionV1Ext::V0 {
        v1.ext = AccountEntryExtensionV1Ext::V2(AccountEntryExtensionV2 {
            num_sponsored: 0,
            num_sponsoring: 0,
            signer_sponsoring_i_ds: list(Vec::new()),
            ext: AccountEntryExtensionV2Ext::V0,
        });
    }
    match &mut v1.ext {
        AccountEntryExtensionV1Ext::V2(v2) => v2,
        AccountEntryExtensionV1Ext::V0 => unreachable!("invariant: set above"),
    }
}

fn is_success(result: &OperationResult) -> bool {
    let OperationResult::OpInner(result) = result else {
        return false;
    };
    matches!(
        result,
        OperationResultTr::CreateAccount(CreateAccountResult::Success)
            | OperationResultTr::Payment(PaymentResult::Success)
            | OperationResultTr::ManageData(ManageDataResult::Success)
            | OperationResultTr::ManageSellOffer(ManageSellOfferResult::Success(_))
            | OperationResultTr::AccountMerge(AccountMergeResult::Success(_))
            | OperationResultTr::InvokeHostFunction(InvokeHostFunctionResult::Success(_))
            | OperationResultTr::ExtendFootprintTtl(ExtendFootprintTtlResult::Success)
            | OperationResultTr::RestoreFootprint(RestoreFootprintResult::Success)
    )
}
