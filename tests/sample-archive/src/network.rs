//! A network: its passphrase, its id, its root account and its first ledger (rule B.11).

use ed25519_dalek::SigningKey;
use stellar_xdr::{
    AccountEntry, AccountEntryExt, AccountId, Hash, LedgerEntry, LedgerEntryData, LedgerEntryExt, LedgerHeader, LedgerHeaderExt, NodeId,
    PublicKey, SequenceNumber, StellarValue, StellarValueExt, Thresholds, TimePoint, Uint256,
};

use crate::codec::sha256;

/// What every account and validator agrees on before the first ledger.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) passphrase: String,
    /// SHA-256 of the passphrase; part of everything that is signed.
    pub(crate) id: Hash,
    /// The key of the account that owns all coins at first. Its seed is the network id.
    pub(crate) root: SigningKey,
}

impl Network {
    pub(crate) fn new(passphrase: &str) -> Self {
        let id = sha256([passphrase.as_bytes()]);
        Self { passphrase: passphrase.to_owned(), root: SigningKey::from_bytes(&id.0), id }
    }

    /// The one entry of ledger 1.
    pub(crate) fn root_entry(&self) -> LedgerEntry {
        account_entry(account_id(&self.root), TOTAL_COINS, 0, 1)
    }

    /// Header 1, but for its bucket list hash, which the bucket list gives.
    pub(crate) fn genesis_header(&self, bucket_list_hash: Hash) -> LedgerHeader {
        LedgerHeader {
            ledger_version: 0,
            previous_ledger_hash: Hash([0; 32]),
            scp_value: StellarValue {
                tx_set_hash: Hash([0; 32]),
                close_time: TimePoint(0),
                upgrades: Default::default(),
                ext: StellarValueExt::Basic,
            },
            tx_set_result_hash: Hash([0; 32]),
            bucket_list_hash,
            ledger_seq: 1,
            total_coins: TOTAL_COINS,
            fee_pool: 0,
            inflation_seq: 0,
            id_pool: 0,
            base_fee: 100,
            base_reserve: 100_000_000,
            max_tx_set_size: 100,
            skip_list: [const { Hash([0; 32]) }; 4],
            ext: LedgerHeaderExt::V0,
        }
    }
}

/// A new account with default thresholds and no extension.
pub(crate) fn account_entry(account_id: AccountId, balance: i64, seq_num: i64, ledger: u32) -> LedgerEntry {
    LedgerEntry {
        last_modified_ledger_seq: ledger,
        data: LedgerEntryData::Account(AccountEntry {
            account_id,
            balance,
            seq_num: SequenceNumber(seq_num),
            num_sub_entries: 0,
            inflation_dest: None,
            flags: 0,
            home_domain: Default::default(),
            thresholds: Thresholds([1, 0, 0, 0]),
            signers: Default::default(),
            ext: AccountEntryExt::V0,
        }),
        ext: LedgerEntryExt::V0,
    }
}

/// The account of a key.
pub(crate) fn account_id(key: &SigningKey) -> AccountId {
    AccountId(public_key(key))
}

/// The validator of a key.
pub(crate) fn node_id(key: &SigningKey) -> NodeId {
    NodeId(public_key(key))
}

/// The 32 bytes of an account's public key.
pub(crate) fn key_bytes(account: &AccountId) -> Uint256 {
    let AccountId(PublicKey::PublicKeyTypeEd25519(bytes)) = account;
    bytes.clone()
}

fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes()))
}

const TOTAL_COINS: i64 = 1_000_000_000_000_000_000;
