//! Closing ledgers: from a header and a proposal to the next header with all that depends on it.
//!
//! The cross-header rules (B.5) hold by construction: everything in a header comes from the one before it, the
//! transactions, or an upgrade that the value names.

use std::collections::BTreeMap;

use stellar_xdr::{
    BucketEntry, ConfigSettingEntry, Hash, HotArchiveBucketEntry, LedgerEntry, LedgerEntryData, LedgerHeader, LedgerHeaderExt,
    LedgerHeaderExtensionV1, LedgerHeaderExtensionV1Ext, LedgerHeaderHistoryEntry, LedgerHeaderHistoryEntryExt, LedgerKey, LedgerUpgrade,
    StateArchivalSettings, StellarValue, TimePoint, TransactionHistoryEntry, TransactionHistoryResultEntry,
    TransactionHistoryResultEntryExt, TransactionResultSet, UpgradeType,
};

use crate::apply::{Applying, LIFETIME, evict};
use crate::bucket::FIRST_WITH_HOT_ARCHIVE;
use crate::bucket_list::BucketList;
use crate::codec::{bytes, hash_of, list, sha256, xdr};
use crate::network::Network;
use crate::scp::Validators;
use crate::state::{Changes, State};
use crate::tx::SignedTx;
use crate::tx_set::{FIRST_GENERALIZED, TxSet};

/// The network's ledger after the last close.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) network: Network,
    pub(crate) header: LedgerHeader,
    pub(crate) hash: Hash,
    pub(crate) state: State,
    /// What the hot archive holds, newest entry of each key.
    pub(crate) archived: BTreeMap<LedgerKey, LedgerEntry>,
    pub(crate) live: BucketList<BucketEntry>,
    pub(crate) hot: BucketList<HotArchiveBucketEntry>,
}

/// What goes into a ledger.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) txs: Vec<SignedTx>,
    pub(crate) close_time: u64,
    pub(crate) upgrades: Vec<LedgerUpgrade>,
    /// The hash of a set that the validators agreed to drop, which leaves the ledger without transactions (CAP-83).
    pub(crate) dropped: Option<Hash>,
}

/// The records of one ledger.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) header: LedgerHeaderHistoryEntry,
    pub(crate) txs: Option<TransactionHistoryEntry>,
    pub(crate) results: Option<TransactionHistoryResultEntry>,
}

impl Chain {
    /// Ledger 1, which follows from the passphrase alone (B.11).
    pub(crate) fn genesis(network: Network) -> (Self, Closed) {
        let mut state = State::default();
        let mut changes = Changes::new(&state, 1);
        changes.put(network.root_entry().data);
        let delta = changes.into_delta();
        let mut live = BucketList::new();
        live.add_batch(1, 0, state.commit(0, delta));
        let header = network.genesis_header(live.hash());
        let hash = hash_of(&header);
        let closed = Closed { header: history_entry(&hash, &header), txs: None, results: None };
        (Self { network, header, hash, state, archived: BTreeMap::new(), live, hot: BucketList::new() }, closed)
    }

    /// Closes the next ledger.
    pub(crate) fn close(&mut self, proposal: Proposal, validators: &Validators) -> Closed {
        let previous = &self.header;
        let version = previous.ledger_version;
        let ledger = previous.ledger_seq + 1;
        let set = TxSet::build(version, previous.base_fee, &self.hash, proposal.txs);
        let (tx_set_hash, ext) = match proposal.dropped {
            Some(dropped) => {
                let ext = validators.dropped_set(&self.network, ledger, dropped, proposal.close_time, &self.hash, version);
                (Hash([0; 32]), ext)
            }
            None => (set.hash().clone(), validators.signed_set(&self.network, ledger, set.hash(), proposal.close_time)),
        };

        let mut applying = Applying {
            network: &self.network,
            version,
            base_fee: previous.base_fee,
            base_reserve: previous.base_reserve,
            close_time: proposal.close_time,
            id_pool: previous.id_pool,
            archived: &self.archived,
            restored: Vec::new(),
            changes: Changes::new(&self.state, ledger),
        };
        for (tx, fee) in set.apply_order() {
            applying.charge(tx, *fee);
        }
        let results: Vec<_> = set.apply_order().iter().map(|(tx, fee)| applying.apply(tx, *fee)).collect();
        let fees: i64 = set.apply_order().iter().map(|(_, fee)| fee).sum();
        let results = TransactionResultSet { results: list(results) };
        let Applying { id_pool, restored, mut changes, .. } = applying;

        let mut header = LedgerHeader {
            previous_ledger_hash: self.hash.clone(),
            scp_value: StellarValue {
                tx_set_hash,
                close_time: TimePoint(proposal.close_time),
                upgrades: list(proposal.upgrades.iter().map(as_upgrade_type).collect()),
                ext,
            },
            tx_set_result_hash: hash_of(&results),
            ledger_seq: ledger,
            fee_pool: previous.fee_pool + fees,
            id_pool,
            ..previous.clone()
        };
        for upgrade in proposal.upgrades {
            apply_upgrade(&mut header, &mut changes, upgrade);
        }

        let evicted = if version < FIRST_WITH_HOT_ARCHIVE { Vec::new() } else { evict(&mut changes, self.expired(ledger)) };
        let delta = changes.into_delta();
        self.live.add_batch(ledger, header.ledger_version, self.state.commit(header.ledger_version, delta));
        // The upgrade ledger itself still leaves the hot archive alone, so that its list is empty there.
        if version >= FIRST_WITH_HOT_ARCHIVE {
            self.archive(ledger, header.ledger_version, evicted, restored);
        }
        header.bucket_list_hash = self.bucket_list_hash(header.ledger_version);
        header.skip_list = skip_list(header.skip_list, ledger, &header.bucket_list_hash);

        self.hash = hash_of(&header);
        self.header = header;
        let results = (!results.results.is_empty()).then_some(TransactionHistoryResultEntry {
            ledger_seq: ledger,
            tx_result_set: results,
            ext: TransactionHistoryResultEntryExt::V0,
        });
        Closed { header: history_entry(&self.hash, &self.header), txs: set.history_entry(ledger), results }
    }

    /// Rule B.6: from protocol 23 on both lists count.
    fn bucket_list_hash(&self, version: u32) -> Hash {
        let live = self.live.hash();
        if version < FIRST_WITH_HOT_ARCHIVE { live } else { sha256([&live.0, &self.hot.hash().0]) }
    }

    /// The contract entries that ran out a while ago. The scan of a real network also takes its time to find them.
    fn expired(&self, ledger: u32) -> Vec<LedgerKey> {
        let keys = self.state.iter().map(|(key, _)| key);
        keys.filter(|key| is_contract(key) && self.state.live_until(key).is_some_and(|until| until + EVICTION_DELAY < ledger))
            .cloned()
            .collect()
    }

    fn archive(&mut self, ledger: u32, version: u32, evicted: Vec<LedgerEntry>, restored: Vec<LedgerKey>) {
        let mut batch = Vec::new();
        for key in restored {
            self.archived.remove(&key);
            batch.push(HotArchiveBucketEntry::Live(key));
        }
        for entry in evicted {
            self.archived.insert(entry.to_key(), entry.clone());
            batch.push(HotArchiveBucketEntry::Archived(entry));
        }
        self.hot.add_batch(ledger, version, batch);
    }
}

/// Whether a key is that of a contract's data or code; both are persistent here.
pub(crate) fn is_contract(key: &LedgerKey) -> bool {
    matches!(key, LedgerKey::ContractData(_) | LedgerKey::ContractCode(_))
}

fn apply_upgrade(header: &mut LedgerHeader, changes: &mut Changes<'_>, upgrade: LedgerUpgrade) {
    match upgrade {
        LedgerUpgrade::Version(version) => {
            if header.ledger_version < FIRST_GENERALIZED && version >= FIRST_GENERALIZED {
                first_settings().into_iter().for_each(|setting| changes.put(LedgerEntryData::ConfigSetting(setting)));
            }
            header.ledger_version = version;
        }
        LedgerUpgrade::BaseFee(fee) => header.base_fee = fee,
        LedgerUpgrade::MaxTxSetSize(size) => header.max_tx_set_size = size,
        LedgerUpgrade::BaseReserve(reserve) => header.base_reserve = reserve,
        LedgerUpgrade::Flags(flags) => {
            header.ext = LedgerHeaderExt::V1(LedgerHeaderExtensionV1 { flags, ext: LedgerHeaderExtensionV1Ext::V0 });
        }
        // Settings change nothing in a header and are not upgraded here.
        LedgerUpgrade::Config(_) | LedgerUpgrade::MaxSorobanTxSetSize(_) => {}
    }
}

/// A few of the settings that the upgrade to protocol 20 writes. A real network writes all of them.
fn first_settings() -> [ConfigSettingEntry; 4] {
    [
        ConfigSettingEntry::ContractMaxSizeBytes(2_000),
        ConfigSettingEntry::ContractDataKeySizeBytes(200),
        ConfigSettingEntry::ContractDataEntrySizeBytes(2_000),
        ConfigSettingEntry::StateArchival(StateArchivalSettings {
            max_entry_ttl: 1_054_080,
            min_temporary_ttl: 16,
            min_persistent_ttl: LIFETIME,
            persistent_rent_rate_denominator: 252_480,
            temp_rent_rate_denominator: 2_524_800,
            max_entries_to_archive: 100,
            live_soroban_state_size_window_sample_size: 30,
            live_soroban_state_size_window_sample_period: 64,
            eviction_scan_size: 100_000,
            starting_eviction_scan_level: 1,
        }),
    ]
}

/// The skip list of B.5, which holds bucket list hashes.
fn skip_list(previous: [Hash; 4], ledger: u32, bucket_list_hash: &Hash) -> [Hash; 4] {
    let [mut a, mut b, mut c, mut d] = previous;
    if ledger.is_multiple_of(SKIP[0]) {
        if skips(ledger - SKIP[0], SKIP[1]) {
            if skips(ledger - SKIP[0] - SKIP[1], SKIP[2]) {
                if skips(ledger - SKIP[0] - SKIP[1] - SKIP[2], SKIP[3]) {
                    d = c;
                }
                c = b;
            }
            b = a;
        }
        a = bucket_list_hash.clone();
    }
    [a, b, c, d]
}

fn skips(ledger: u32, step: u32) -> bool {
    ledger > 0 && ledger.is_multiple_of(step)
}

fn as_upgrade_type(upgrade: &LedgerUpgrade) -> UpgradeType {
    UpgradeType(bytes(&xdr(upgrade)))
}

fn history_entry(hash: &Hash, header: &LedgerHeader) -> LedgerHeaderHistoryEntry {
    LedgerHeaderHistoryEntry { hash: hash.clone(), header: header.clone(), ext: LedgerHeaderHistoryEntryExt::V0 }
}

const EVICTION_DELAY: u32 = 8;
const SKIP: [u32; 4] = [50, 5_000, 50_000, 500_000];
