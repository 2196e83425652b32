//! The ledger's entries, and the changes of the ledger being closed.

use std::collections::BTreeMap;

use stellar_xdr::{
    AccountEntry, AccountId, BucketEntry, LedgerEntry, LedgerEntryData, LedgerEntryExt, LedgerKey, LedgerKeyAccount, LedgerKeyTtl, TtlEntry,
};

use crate::bucket::FIRST_WITH_META;
use crate::codec::hash_of;

/// All live entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    entries: BTreeMap<LedgerKey, LedgerEntry>,
}

/// What a ledger changes in the state, until it is committed or thrown away.
#[derive(Clone, Debug)]
pub(crate) struct Changes<'a> {
    state: &'a State,
    ledger: u32,
    /// The entry after the change; none means erased.
    changed: BTreeMap<LedgerKey, Option<LedgerEntry>>,
}

/// Changes that no longer borrow the state.
pub(crate) type Delta = BTreeMap<LedgerKey, Option<LedgerEntry>>;

impl State {
    pub(crate) fn get(&self, key: &LedgerKey) -> Option<&LedgerEntry> {
        self.entries.get(key)
    }

    pub(crate) fn account(&self, id: &AccountId) -> Option<&AccountEntry> {
        self.get(&account_key(id)).and_then(as_account)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&LedgerKey, &LedgerEntry)> {
        self.entries.iter()
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &AccountEntry> {
        self.entries.values().filter_map(as_account)
    }

    /// The last ledger at which a contract's entry is still live; none if it has no lifetime.
    pub(crate) fn live_until(&self, key: &LedgerKey) -> Option<u32> {
        live_until(self.get(&ttl_key(key))?)
    }

    /// Takes over the changes of a ledger and says what goes into its bucket. Before protocol 11 a new entry is not
    /// told apart from a changed one.
    pub(crate) fn commit(&mut self, version: u32, delta: Delta) -> Vec<BucketEntry> {
        let mut batch = Vec::new();
        for (key, after) in delta {
            let before = match &after {
                Some(entry) => self.entries.insert(key.clone(), entry.clone()),
                None => self.entries.remove(&key),
            };
            match (before, after) {
                (None, Some(entry)) if version >= FIRST_WITH_META => batch.push(BucketEntry::Initentry(entry)),
                (_, Some(entry)) => batch.push(BucketEntry::Liveentry(entry)),
                (Some(_), None) => batch.push(BucketEntry::Deadentry(key)),
                (None, None) => {}
            }
        }
        batch
    }
}

impl<'a> Changes<'a> {
    pub(crate) fn new(state: &'a State, ledger: u32) -> Self {
        Self { state, ledger, changed: BTreeMap::new() }
    }

    /// The ledger being closed.
    pub(crate) fn ledger(&self) -> u32 {
        self.ledger
    }

    pub(crate) fn get(&self, key: &LedgerKey) -> Option<&LedgerEntry> {
        match self.changed.get(key) {
            Some(entry) => entry.as_ref(),
            None => self.state.get(key),
        }
    }

    pub(crate) fn account(&self, id: &AccountId) -> Option<&AccountEntry> {
        self.get(&account_key(id)).and_then(as_account)
    }

    pub(crate) fn live_until(&self, key: &LedgerKey) -> Option<u32> {
        live_until(self.get(&ttl_key(key))?)
    }

    /// Writes an entry, new or changed.
    pub(crate) fn put(&mut self, data: LedgerEntryData) {
        let entry = LedgerEntry { last_modified_ledger_seq: self.ledger, data, ext: LedgerEntryExt::V0 };
        self.changed.insert(entry.to_key(), Some(entry));
    }

    /// Writes a contract's entry and until when it lives.
    pub(crate) fn put_with_lifetime(&mut self, data: LedgerEntryData, live_until: u32) {
        self.set_live_until(&data.to_key(), live_until);
        self.put(data);
    }

    pub(crate) fn set_live_until(&mut self, key: &LedgerKey, live_until: u32) {
        self.put(LedgerEntryData::Ttl(TtlEntry { key_hash: hash_of(key), live_until_ledger_seq: live_until }));
    }

    /// Changes an account that exists.
    pub(crate) fn change_account(&mut self, id: &AccountId, change: impl FnOnce(&mut AccountEntry)) {
        let mut account = self.account(id).expect("invariant: callers have looked the account up").clone();
        change(&mut account);
        self.put(LedgerEntryData::Account(account));
    }

    pub(crate) fn erase(&mut self, key: LedgerKey) {
        self.changed.insert(key, None);
    }

    pub(crate) fn into_delta(self) -> Delta {
        self.changed
    }
}

pub(crate) fn account_key(id: &AccountId) -> LedgerKey {
    LedgerKey::Account(LedgerKeyAccount { account_id: id.clone() })
}

/// The key of the entry that holds the lifetime of a contract's entry.
pub(crate) fn ttl_key(key: &LedgerKey) -> LedgerKey {
    LedgerKey::Ttl(LedgerKeyTtl { key_hash: hash_of(key) })
}

fn as_account(entry: &LedgerEntry) -> Option<&AccountEntry> {
    match &entry.data {
        LedgerEntryData::Account(account) => Some(account),
        _ => None,
    }
}

fn live_until(entry: &LedgerEntry) -> Option<u32> {
    match &entry.data {
        LedgerEntryData::Ttl(ttl) => Some(ttl.live_until_ledger_seq),
        _ => None,
    }
}
