//! Files, gzip members, records and hashes, written down once more.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];
pub const ZERO: Hash = [0; 32];

pub fn sha(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), |hasher, part| hasher.chain_update(part)).finalize().into()
}

pub fn path(kind: &str, checkpoint: u32, extension: &str) -> String {
    let name = format!("{checkpoint:08x}");
    format!("{kind}/{}/{}/{}/{kind}-{name}.{extension}", &name[0..2], &name[2..4], &name[4..6])
}

pub fn bucket_path(hash: &str) -> String {
    format!("bucket/{}/{}/{}/bucket-{hash}.xdr.gz", &hash[0..2], &hash[2..4], &hash[4..6])
}

/// One member, no flags, no time, right checksum and length.
pub fn gunzip(file: &[u8]) -> Vec<u8> {
    assert_eq!(file[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let (body, trailer) = file[10..].split_at(file.len() - 18);
    let content = miniz_oxide::inflate::decompress_to_vec(body).unwrap();
    assert_eq!(trailer[..4], crc32fast::hash(&content).to_le_bytes());
    assert_eq!(trailer[4..], u32::try_from(content.len()).unwrap().to_le_bytes());
    content
}

/// Rule B.4.
pub fn records(content: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut records) = (content, Vec::new());
    while !rest.is_empty() {
        let mark = number(&rest[..4]);
        assert!(mark & 0x8000_0000 != 0, "last fragment");
        let (record, after) = rest[4..].split_at(usize::try_from(mark & 0x7fff_ffff).unwrap());
        records.push(record);
        rest = after;
    }
    records
}

pub fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

pub fn hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap()
}
