//! Made archives, taken apart and put together again, and archives by another name.

#![allow(clippy::indexing_slicing)]

use std::ops::ControlFlow;

use futures_util::future::LocalBoxFuture;
use sample_archive::Archive;
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::archive::error::ReadError;
use stellar_archive_verifier::archive::path::{ArchivePath, FileKind};
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipLimits};
use stellar_archive_verifier::codec::gzip_encoder::gzip;
use stellar_archive_verifier::limits::Budget;
use stellar_archive_verifier::report::Report;
use stellar_archive_verifier::transport::{ArchiveReader, Body};
use stellar_archive_verifier::trust::preset::Believed;
use stellar_xdr::{Limits, ReadXdr, ScpHistoryEntry, ScpHistoryEntryV0, WriteXdr};

/// An archive by another name.
pub struct Named<R>(pub &'static str, pub R);

impl<R: ArchiveReader> ArchiveReader for Named<R> {
    fn name(&self) -> &str {
        self.0
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        self.1.open(path)
    }
}

/// The file of the checkpoint that a ledger is in.
pub fn path(kind: FileKind, ledger: u32) -> String {
    ArchivePath::of_checkpoint(kind, CheckpointFrequency::Standard.containing(LedgerSeq::new(ledger))).as_str().to_owned()
}

pub fn inflate(gz: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), 1 << 30));
    let flow = decoder.push(gz, &mut |part: &[u8]| {
        bytes.extend_from_slice(part);
        ControlFlow::Continue(())
    });
    assert!(flow.is_ok(), "it is sound gzip");
    bytes
}

/// The records of a file, without their marks.
pub fn records(gz: &[u8]) -> Vec<Vec<u8>> {
    let bytes = inflate(gz);
    let mut rest = bytes.as_slice();
    let mut list = Vec::new();
    while let Some((mark, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*mark) & 0x7fff_ffff).unwrap();
        let (record, after) = after.split_at(length);
        list.push(record.to_vec());
        rest = after;
    }
    list
}

/// A file of these records.
pub fn file(records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for record in records {
        file.extend_from_slice(&(u32::try_from(record.len()).unwrap() | 1 << 31).to_be_bytes());
        file.extend_from_slice(record);
    }
    gzip(&file)
}

/// The archive with the entries of its scp files changed.
pub fn edit(archive: &Archive, mut change: impl FnMut(u32, &mut ScpHistoryEntryV0)) -> Archive {
    let mut edited = archive.clone();
    for (_, content) in edited.files.iter_mut().filter(|(path, _)| path.starts_with("scp/")) {
        let list: Vec<_> = records(content)
            .into_iter()
            .map(|record| {
                let ScpHistoryEntry::V0(mut entry) = ScpHistoryEntry::from_xdr(&record, Limits::none()).unwrap();
                change(entry.ledger_messages.ledger_seq, &mut entry);
                ScpHistoryEntry::V0(entry).to_xdr(Limits::none()).unwrap()
            })
            .collect();
        *content = file(&list);
    }
    edited
}

/// A quorum set of these validators, so many of which must agree.
pub fn believed_keys(keys: &[String], threshold: u32) -> Believed {
    let json = serde_json::json!({ "threshold": threshold, "validators": keys });
    Believed::from_name_or_json(&json.to_string()).unwrap()
}

/// The validators of an archive, so many of which must agree.
pub fn believed(archive: &Archive, threshold: u32) -> Believed {
    believed_keys(&archive.validators, threshold)
}

pub fn sealed(report: &Report) -> Option<u32> {
    report.sealed_through.map(LedgerSeq::value)
}
