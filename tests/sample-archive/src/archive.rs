//! The archive's files: names (rule B.1), HAS (B.3), one file a kind and checkpoint, and the buckets.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stellar_xdr::{Hash, ScpHistoryEntry};

use crate::bucket::{Bucket, Entry, FIRST_WITH_HOT_ARCHIVE};
use crate::bucket_list::BucketList;
use crate::close::{Chain, Closed};
use crate::codec::{gzip, push_record, xdr};

/// Collects records and writes files at each checkpoint.
#[derive(Debug)]
pub(crate) struct Writer {
    frequency: u32,
    files: BTreeMap<String, Vec<u8>>,
    ledger: Vec<u8>,
    transactions: Vec<u8>,
    results: Vec<u8>,
    scp: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(frequency: u32) -> Self {
        Self { frequency, files: BTreeMap::new(), ledger: Vec::new(), transactions: Vec::new(), results: Vec::new(), scp: Vec::new() }
    }

    /// Adds a ledger's records, and writes the checkpoint if it is the last of one. A ledger without transactions has
    /// neither a transaction nor a result record (B.7 T4), and ledger 1 no messages.
    pub(crate) fn add(&mut self, chain: &Chain, closed: &Closed, messages: Option<&ScpHistoryEntry>) {
        push_record(&mut self.ledger, &xdr(&closed.header));
        if let Some(txs) = &closed.txs {
            push_record(&mut self.transactions, &xdr(txs));
        }
        if let Some(results) = &closed.results {
            push_record(&mut self.results, &xdr(results));
        }
        if let Some(messages) = messages {
            push_record(&mut self.scp, &xdr(messages));
        }
        if (chain.header.ledger_seq + 1).is_multiple_of(self.frequency) {
            self.checkpoint(chain);
        }
    }

    pub(crate) fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.files
    }

    fn checkpoint(&mut self, chain: &Chain) {
        let checkpoint = chain.header.ledger_seq;
        let records = [
            ("ledger", std::mem::take(&mut self.ledger)),
            ("transactions", std::mem::take(&mut self.transactions)),
            ("results", std::mem::take(&mut self.results)),
            ("scp", std::mem::take(&mut self.scp)),
        ];
        for (kind, records) in records {
            self.files.insert(checkpoint_path(kind, checkpoint, "xdr.gz"), gzip(&records));
        }
        let mut has = json!({
            "currentBuckets": self.publish(&chain.live),
            "currentLedger": checkpoint,
            "networkPassphrase": chain.network.passphrase,
            "server": concat!("sample-archive ", env!("CARGO_PKG_VERSION")),
            "version": 1,
        });
        if let (true, Some(has)) = (chain.header.ledger_version >= FIRST_WITH_HOT_ARCHIVE, has.as_object_mut()) {
            has.insert("hotArchiveBuckets".to_owned(), self.publish(&chain.hot));
            has.insert("version".to_owned(), json!(2));
        }
        let has = format!("{has:#}\n").into_bytes();
        self.files.insert(checkpoint_path("history", checkpoint, "json"), has.clone());
        self.files.insert(".well-known/stellar-history.json".to_owned(), has);
    }

    /// Writes the buckets of a list that are not there yet and describes its levels.
    fn publish<E: Entry>(&mut self, list: &BucketList<E>) -> Value {
        let levels = list.published().map(|(level, output)| {
            let next = match output {
                Some(output) => json!({ "output": self.bucket(output), "state": 1 }),
                None => json!({ "state": 0 }),
            };
            json!({ "curr": self.bucket(&level.curr), "next": next, "snap": self.bucket(&level.snap) })
        });
        Value::Array(levels.collect())
    }

    fn bucket<E: Entry>(&mut self, bucket: &Bucket<E>) -> String {
        let Hash(hash) = bucket.hash();
        let name = hex::encode(hash);
        if !bucket.is_empty() {
            let [a, b, c, ..] = hash;
            let path = format!("bucket/{a:02x}/{b:02x}/{c:02x}/bucket-{name}.xdr.gz");
            self.files.entry(path).or_insert_with(|| gzip(bucket.file()));
        }
        name
    }
}

fn checkpoint_path(kind: &str, checkpoint: u32, extension: &str) -> String {
    let [a, b, c, _] = checkpoint.to_be_bytes();
    format!("{kind}/{a:02x}/{b:02x}/{c:02x}/{kind}-{checkpoint:08x}.{extension}")
}
