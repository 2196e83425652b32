//! One archive against the rules.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use sample_archive::{Archive, Config};
use stellar_xdr::{
    AccountEntry, FeeBumpTransactionInnerTx, GeneralizedTransactionSet, LedgerEntryData, LedgerHeader, LedgerHeaderExt,
    LedgerHeaderHistoryEntry, LedgerUpgrade, Limits, MuxedAccount, NodeId, Operation, OperationBody, PublicKey, ReadXdr, ScpHistoryEntry,
    ScpStatementPledges, Signature, StellarValueExt, Transaction, TransactionEnvelope, TransactionExt, TransactionHistoryEntry,
    TransactionHistoryEntryExt, TransactionHistoryResultEntry, TransactionPhase, TransactionResultResult, TxSetComponent, WriteXdr,
};

use crate::buckets;
use crate::read::{Hash, ZERO, gunzip, hash, number, path, records, sha};

/// What an archive was seen to hold, so that a test knows that the rules had something to bite on.
#[derive(Debug, Default)]
pub struct Seen {
    pub archived: usize,
    pub contracts: usize,
    pub dead: usize,
    pub dropped: usize,
    pub failed: usize,
    pub fee_bumps: usize,
    pub generalized: usize,
    pub legacy: usize,
    pub merge_outputs: usize,
    pub metas: usize,
    pub offers: usize,
    pub quiet: usize,
    pub restored: usize,
    pub stages: usize,
    pub v0_envelopes: usize,
    pub without_discount: usize,
}

struct Run<'a> {
    archive: &'a Archive,
    network_id: Hash,
    previous: Option<(LedgerHeader, Hash)>,
    /// The sequence number that each account used last.
    sequences: BTreeMap<[u8; 32], i64>,
    seen: Seen,
}

/// Checks everything in the archive.
pub fn check(archive: &Archive, config: &Config) -> Seen {
    let network_id = sha(&[config.passphrase.as_bytes()]);
    let mut run = Run { archive, network_id, previous: None, sequences: BTreeMap::new(), seen: Seen::default() };
    let mut known = BTreeSet::from([".well-known/stellar-history.json".to_owned()]);
    let frequency = config.frequency.ledgers();
    let checkpoints: Vec<_> = (1..=(archive.tip + 1) / frequency).map(|count| count * frequency - 1).collect();
    assert_eq!(checkpoints.last(), Some(&archive.tip));
    for &checkpoint in &checkpoints {
        let has_path = path("history", checkpoint, "json");
        let has: serde_json::Value = serde_json::from_slice(&archive.files[&has_path]).unwrap();
        assert_eq!(has["currentLedger"], checkpoint);
        assert_eq!(has["networkPassphrase"], config.passphrase);
        if checkpoint == archive.tip {
            assert_eq!(archive.files[&has_path], archive.files[".well-known/stellar-history.json"]);
        }
        known.extend(["ledger", "transactions", "results", "scp"].map(|kind| path(kind, checkpoint, "xdr.gz")));
        known.insert(has_path);

        let first = if checkpoint < frequency { 1 } else { checkpoint - frequency + 1 };
        run.records(first, checkpoint);
        let (header, _) = run.previous.clone().unwrap();
        let expected = header.bucket_list_hash.0;
        let state = buckets::check(&archive.files, &has, header.ledger_version, expected, &mut known, &mut run.seen);
        run.state(&header, state.into_values().map(|entry| entry.data));
    }
    assert_eq!(known, archive.files.keys().cloned().collect(), "every file is known, every known file is there");
    let (last, _) = run.previous.unwrap();
    assert_eq!(last.ledger_version, config.protocol.number());
    run.seen
}

impl Run<'_> {
    fn records(&mut self, first: u32, checkpoint: u32) {
        let [headers, txs, results, scp] =
            ["ledger", "transactions", "results", "scp"].map(|kind| gunzip(&self.archive.files[&path(kind, checkpoint, "xdr.gz")]));
        let headers = records(&headers);
        assert_eq!(headers.len(), usize::try_from(checkpoint - first + 1).unwrap());
        let (mut txs, mut results) = (by_ledger(&txs), by_ledger(&results));
        let mut scp = records(&scp).into_iter();
        for (ledger, record) in (first..).zip(headers) {
            let entry = LedgerHeaderHistoryEntry::from_xdr(record, Limits::none()).unwrap();
            let header_hash = sha(&[&record[32..record.len() - 4]]);
            assert_eq!(header_hash, hash(&record[..32]));
            assert_eq!(header_hash, self.archive.hashes[&ledger]);
            assert_eq!(entry.header.ledger_seq, ledger);
            let (txs, results) = (txs.remove(&ledger), results.remove(&ledger));
            match self.previous.take() {
                None => assert!(ledger == 1 && txs.is_none() && results.is_none()),
                Some((previous, previous_hash)) => {
                    let messages = ScpHistoryEntry::from_xdr(scp.next().unwrap(), Limits::none()).unwrap();
                    self.header(&previous, previous_hash, &entry.header);
                    self.transactions(&previous, &entry.header, txs, results);
                    self.value(&previous, &entry.header);
                    self.messages(&entry.header, &messages);
                }
            }
            self.previous = Some((entry.header, header_hash));
        }
        assert!(txs.is_empty() && results.is_empty() && scp.next().is_none(), "no stray records");
    }

    /// The cross-header rules of B.5.
    fn header(&self, previous: &LedgerHeader, previous_hash: Hash, header: &LedgerHeader) {
        assert_eq!(header.previous_ledger_hash.0, previous_hash);
        assert!(header.scp_value.close_time > previous.scp_value.close_time);
        assert_eq!(header.total_coins, previous.total_coins);
        assert_eq!(header.inflation_seq, previous.inflation_seq);
        assert!(header.id_pool >= previous.id_pool);
        let mut expected = previous.clone();
        let mut order = Vec::new();
        for upgrade in header.scp_value.upgrades.iter() {
            let upgrade = LedgerUpgrade::from_xdr(upgrade.0.as_slice(), Limits::none()).unwrap();
            order.push(upgrade.discriminant());
            match upgrade {
                LedgerUpgrade::Version(version) => expected.ledger_version = version,
                LedgerUpgrade::BaseFee(fee) => expected.base_fee = fee,
                LedgerUpgrade::MaxTxSetSize(size) => expected.max_tx_set_size = size,
                LedgerUpgrade::BaseReserve(reserve) => expected.base_reserve = reserve,
                LedgerUpgrade::Flags(flags) => {
                    let LedgerHeaderExt::V1(ext) = &header.ext else { panic!("flags have a place") };
                    assert_eq!(ext.flags, flags);
                    expected.ext = header.ext.clone();
                }
                _ => panic!("not used"),
            }
        }
        assert!(order.is_sorted() && header.ledger_version >= previous.ledger_version);
        assert_eq!(
            (header.ledger_version, header.base_fee, header.base_reserve, header.max_tx_set_size, &header.ext),
            (expected.ledger_version, expected.base_fee, expected.base_reserve, expected.max_tx_set_size, &expected.ext)
        );
        // Deeper skips need ledger 5050, which no sample here reaches.
        let [skip, rest @ ..] = &header.skip_list;
        assert!(header.ledger_seq < 5_050 && rest.iter().all(|hash| hash.0 == ZERO));
        assert_eq!(skip, if header.ledger_seq.is_multiple_of(50) { &header.bucket_list_hash } else { &previous.skip_list[0] });
    }

    /// Rules B.7 and B.8.
    fn transactions(&mut self, previous: &LedgerHeader, header: &LedgerHeader, txs: Option<&[u8]>, results: Option<&[u8]>) {
        let (previous_hash, version) = (header.previous_ledger_hash.0, previous.ledger_version);
        assert_eq!(txs.is_some(), results.is_some());
        assert_eq!(txs.is_some(), self.archive.busy_ledgers.contains(&header.ledger_seq));
        let set_hash = header.scp_value.tx_set_hash.0;
        let (Some(txs), Some(results)) = (txs, results) else {
            assert_eq!(header.tx_set_result_hash.0, sha(&[&[0; 4]]));
            assert_eq!(header.fee_pool, previous.fee_pool);
            if self.archive.dropped_ledgers.contains(&header.ledger_seq) {
                self.seen.dropped += 1;
                return assert!(set_hash == ZERO && version >= 28);
            }
            self.seen.quiet += 1;
            let empty = match version {
                ..20 => sha(&[&previous_hash]),
                20..23 => sha(&[&[0, 0, 0, 1], &previous_hash, &[0, 0, 0, 2], &[0; 16]]),
                _ => sha(&[&[0, 0, 0, 1], &previous_hash, &[0, 0, 0, 2], &[0; 8], &[0, 0, 0, 1], &[0; 8]]),
            };
            return assert_eq!(set_hash, empty);
        };

        assert_eq!(header.tx_set_result_hash.0, sha(&[&results[4..results.len() - 4]]));
        if version < 20 {
            assert_eq!(set_hash, sha(&[&txs[4..36], &txs[40..txs.len() - 4]]));
            assert_eq!(txs[txs.len() - 4..], [0; 4]);
        } else {
            assert_eq!(txs[36..44], [0, 0, 0, 0, 0, 0, 0, 1]);
            assert_eq!(set_hash, sha(&[&txs[44..]]));
        }
        let entry = TransactionHistoryEntry::from_xdr(txs, Limits::none()).unwrap();
        // stellar-core leaves the legacy half of a generalized entry untouched.
        let legacy_half = if version < 20 { previous_hash } else { ZERO };
        assert_eq!(entry.tx_set.previous_ledger_hash.0, legacy_half);
        let envelopes = match entry.ext {
            TransactionHistoryEntryExt::V0 => {
                self.seen.legacy += 1;
                assert_hash_order(&entry.tx_set.txs);
                entry.tx_set.txs.to_vec()
            }
            TransactionHistoryEntryExt::V1(set) => {
                self.seen.generalized += 1;
                self.generalized(version, previous_hash, &set)
            }
        };
        assert!(envelopes.len() <= usize::try_from(previous.max_tx_set_size).unwrap());

        let results = TransactionHistoryResultEntry::from_xdr(results, Limits::none()).unwrap().tx_result_set.results;
        let mut fees = 0;
        let mut unmatched = BTreeMap::new();
        for envelope in &envelopes {
            assert!(unmatched.insert(self.envelope(version, envelope), envelope).is_none(), "no transaction twice");
        }
        for result in results.iter() {
            let envelope = unmatched.remove(&result.transaction_hash.0).expect("a result of a transaction in the set");
            let fee = result.result.fee_charged;
            assert!(fee > 0 && fee <= fee_limit(envelope));
            fees += fee;
            let failed =
                matches!(result.result.result, TransactionResultResult::TxFailed(_) | TransactionResultResult::TxFeeBumpInnerFailed(_));
            self.seen.failed += usize::from(failed);
        }
        assert!(unmatched.is_empty(), "every transaction has a result");
        assert_eq!(header.fee_pool, previous.fee_pool + fees);
    }

    /// Rule T6. Returns all transactions.
    fn generalized(&mut self, version: u32, previous: Hash, set: &GeneralizedTransactionSet) -> Vec<TransactionEnvelope> {
        let GeneralizedTransactionSet::V1(set) = set;
        assert_eq!(set.previous_ledger_hash.0, previous);
        let [TransactionPhase::V0(classic), second] = set.phases.as_slice() else { panic!("two phases, the first simple") };
        let mut all = self.components(classic, false);
        match second {
            TransactionPhase::V0(components) => {
                assert!(version < 23);
                all.extend(self.components(components, true));
            }
            TransactionPhase::V1(parallel) => {
                assert!(version >= 23);
                let mut firsts = Vec::new();
                for stage in parallel.execution_stages.iter() {
                    self.seen.stages += 1;
                    assert!(!stage.0.is_empty() && stage.0.iter().all(|cluster| !cluster.0.is_empty()));
                    let heads: Vec<_> = stage.0.iter().map(|cluster| cluster.0[0].clone()).collect();
                    assert_hash_order(&heads);
                    firsts.push(heads[0].clone());
                    for cluster in stage.0.iter() {
                        assert_hash_order(&cluster.0);
                        assert!(cluster.0.iter().all(is_soroban));
                        all.extend(cluster.0.to_vec());
                    }
                }
                assert_hash_order(&firsts);
            }
        }
        self.seen.contracts += all.iter().filter(|tx| is_soroban(tx)).count();
        all
    }

    fn components(&mut self, components: &[TxSetComponent], soroban: bool) -> Vec<TransactionEnvelope> {
        let components: Vec<_> = components.iter().map(|TxSetComponent::TxsetCompTxsMaybeDiscountedFee(component)| component).collect();
        assert!(components.is_sorted_by(|a, b| a.base_fee < b.base_fee));
        self.seen.without_discount += components.iter().filter(|component| component.base_fee.is_none()).count();
        for component in &components {
            assert!(!component.txs.is_empty() && component.txs.iter().all(|tx| is_soroban(tx) == soroban));
            assert_hash_order(&component.txs);
        }
        components.iter().flat_map(|component| component.txs.to_vec()).collect()
    }

    /// Checks the signatures and the sequence number of a transaction and returns its hash.
    fn envelope(&mut self, version: u32, envelope: &TransactionEnvelope) -> Hash {
        match envelope {
            TransactionEnvelope::TxV0(old) => {
                self.seen.v0_envelopes += 1;
                assert!(version < 13);
                // A v0 transaction is hashed as if its source were a tagged key.
                let body = old.tx.to_xdr(Limits::none()).unwrap();
                let id = sha(&[&self.network_id, &[0, 0, 0, 2], &[0; 4], &body]);
                verify(&old.tx.source_account_ed25519.0, &id, &old.signatures[0].signature);
                self.operations(&old.tx.operations);
                self.sequence(old.tx.source_account_ed25519.0, old.tx.seq_num.0);
                id
            }
            TransactionEnvelope::Tx(v1) => {
                assert!(version >= 13);
                self.inner(&v1.tx, &v1.signatures[0].signature)
            }
            TransactionEnvelope::TxFeeBump(bump) => {
                self.seen.fee_bumps += 1;
                let FeeBumpTransactionInnerTx::Tx(v1) = &bump.tx.inner_tx;
                self.inner(&v1.tx, &v1.signatures[0].signature);
                let id = sha(&[&self.network_id, &[0, 0, 0, 5], &bump.tx.to_xdr(Limits::none()).unwrap()]);
                verify(&key(&bump.tx.fee_source), &id, &bump.signatures[0].signature);
                id
            }
        }
    }

    fn inner(&mut self, tx: &Transaction, signature: &Signature) -> Hash {
        let id = sha(&[&self.network_id, &[0, 0, 0, 2], &tx.to_xdr(Limits::none()).unwrap()]);
        verify(&key(&tx.source_account), &id, signature);
        self.operations(&tx.operations);
        self.sequence(key(&tx.source_account), tx.seq_num.0);
        id
    }

    fn operations(&mut self, operations: &[Operation]) {
        self.seen.offers += operations.iter().filter(|operation| matches!(operation.body, OperationBody::ManageSellOffer(_))).count();
    }

    fn sequence(&mut self, account: [u8; 32], sequence: i64) {
        if let Some(last) = self.sequences.insert(account, sequence) {
            assert_eq!(sequence, last + 1);
        }
    }

    /// Rules S4 and T5: who proposed the value.
    fn value(&self, previous: &LedgerHeader, header: &LedgerHeader) {
        let value = &header.scp_value;
        let (set_hash, signed) = match &value.ext {
            StellarValueExt::Basic => return,
            StellarValueExt::Signed(signed) => (&value.tx_set_hash, signed),
            StellarValueExt::EmptyTxSet(proposed) => {
                assert_eq!(proposed.previous_ledger_hash, header.previous_ledger_hash);
                assert_eq!(proposed.previous_ledger_version, previous.ledger_version);
                (&proposed.tx_set_hash, &proposed.lc_value_signature)
            }
            _ => panic!("not used"),
        };
        let dropped = matches!(value.ext, StellarValueExt::EmptyTxSet(_));
        assert_eq!(dropped, value.tx_set_hash.0 == ZERO);
        assert_eq!(dropped, self.archive.dropped_ledgers.contains(&header.ledger_seq));
        assert!(self.archive.validators.contains(&signed.node_id.to_string()));
        let message = [&self.network_id[..], &[0, 0, 0, 4], &set_hash.0, &value.close_time.0.to_be_bytes()].concat();
        verify(&node(&signed.node_id), &message, &signed.signature);
    }

    /// Rules S1 to S7.
    fn messages(&self, header: &LedgerHeader, entry: &ScpHistoryEntry) {
        let ScpHistoryEntry::V0(entry) = entry;
        let [quorum_set] = entry.quorum_sets.as_slice() else { panic!("one quorum set") };
        let quorum_set_hash = sha(&[&quorum_set.to_xdr(Limits::none()).unwrap()]);
        let members: BTreeSet<_> = quorum_set.validators.iter().map(ToString::to_string).collect();
        assert_eq!(members, self.archive.validators.iter().cloned().collect());
        assert_eq!(quorum_set.threshold, self.archive.threshold);
        assert_eq!(entry.ledger_messages.ledger_seq, header.ledger_seq);
        let value = header.scp_value.to_xdr(Limits::none()).unwrap();
        let mut signers = BTreeSet::new();
        for envelope in entry.ledger_messages.messages.iter() {
            let statement = &envelope.statement;
            assert_eq!(statement.slot_index, u64::from(header.ledger_seq));
            let (ballot, named) = match &statement.pledges {
                ScpStatementPledges::Confirm(confirm) => (&confirm.ballot, &confirm.quorum_set_hash),
                ScpStatementPledges::Externalize(externalize) => (&externalize.commit, &externalize.commit_quorum_set_hash),
                _ => panic!("not used"),
            };
            assert_eq!(ballot.value.0.as_slice(), value);
            assert_eq!(named.0, quorum_set_hash);
            let message = [&self.network_id[..], &[0, 0, 0, 1], &statement.to_xdr(Limits::none()).unwrap()].concat();
            verify(&node(&statement.node_id), &message, &envelope.signature);
            assert!(signers.insert(statement.node_id.to_string()), "one message each");
        }
        assert!(signers.is_subset(&members));
        assert!(signers.len() >= usize::try_from(self.archive.threshold).unwrap());
    }

    /// All coins are in an account or in the fee pool, and the accounts are where their last transactions left them.
    fn state(&self, header: &LedgerHeader, entries: impl Iterator<Item = LedgerEntryData>) {
        let mut coins = header.fee_pool;
        let mut sub_entries: BTreeMap<[u8; 32], u32> = BTreeMap::new();
        let mut accounts: BTreeMap<[u8; 32], AccountEntry> = BTreeMap::new();
        for entry in entries {
            match entry {
                LedgerEntryData::Account(account) => {
                    coins += account.balance;
                    assert!(account.balance >= i64::from(2 + account.num_sub_entries) * i64::from(header.base_reserve));
                    accounts.insert(account_key(&account.account_id.0), account);
                }
                LedgerEntryData::Data(data) => *sub_entries.entry(account_key(&data.account_id.0)).or_default() += 1,
                LedgerEntryData::Offer(offer) => *sub_entries.entry(account_key(&offer.seller_id.0)).or_default() += 1,
                _ => {}
            }
        }
        assert_eq!(coins, header.total_coins);
        for (id, account) in &accounts {
            assert_eq!(account.num_sub_entries, sub_entries.remove(id).unwrap_or_default());
            if let Some(last) = self.sequences.get(id) {
                assert_eq!(account.seq_num.0, *last);
            }
        }
        assert!(sub_entries.is_empty(), "every entry has an owner");
    }
}

fn by_ledger(file: &[u8]) -> BTreeMap<u32, &[u8]> {
    let records = records(file);
    let numbered: BTreeMap<_, _> = records.iter().map(|record| (number(&record[..4]), *record)).collect();
    assert!(records.iter().map(|record| number(&record[..4])).is_sorted() && numbered.len() == records.len());
    numbered
}

fn assert_hash_order(txs: &[TransactionEnvelope]) {
    assert!(txs.is_sorted_by_key(|tx| sha(&[&tx.to_xdr(Limits::none()).unwrap()])));
}

fn is_soroban(envelope: &TransactionEnvelope) -> bool {
    matches!(envelope, TransactionEnvelope::Tx(v1) if matches!(v1.tx.ext, TransactionExt::V1(_)))
}

fn fee_limit(envelope: &TransactionEnvelope) -> i64 {
    match envelope {
        TransactionEnvelope::TxV0(old) => i64::from(old.tx.fee),
        TransactionEnvelope::Tx(v1) => i64::from(v1.tx.fee),
        TransactionEnvelope::TxFeeBump(bump) => bump.tx.fee,
    }
}

fn verify(key: &[u8; 32], message: &[u8], signature: &Signature) {
    let signature = ed25519_dalek::Signature::from_slice(signature.0.as_slice()).unwrap();
    VerifyingKey::from_bytes(key).unwrap().verify_strict(message, &signature).unwrap();
}

fn key(account: &MuxedAccount) -> [u8; 32] {
    let MuxedAccount::Ed25519(key) = account else { panic!("not used") };
    key.0
}

fn node(id: &NodeId) -> [u8; 32] {
    account_key(&id.0)
}

fn account_key(key: &PublicKey) -> [u8; 32] {
    let PublicKey::PublicKeyTypeEd25519(key) = key;
    key.0
}
