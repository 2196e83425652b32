//! The native limit: inflate every file of an archive with libdeflate, hash what the network's hashes cover with SHA-256 (SHA-NI where
//! the processor has it), walk over every record to see that it is canonical XDR.
//!
//! What it is: the least work that any verifier does, on one thread, with the files in memory. What it is not: a verifier. It
//! compares nothing with anything, so that it is somewhat faster than the fastest honest verifier could be.
//!
//! `bench-limit BUNDLE` reads the file that bench/archive.mjs makes. Every line on standard input is one round, answered by a line of JSON.

use std::io::{BufRead, Write};
use std::time::Instant;

use cpu_time::ProcessTime;
use libdeflater::Decompressor;
use sha2::{Digest, Sha256};
use stellar_archive_verifier::verify::xdr::shape::Shape;
use stellar_archive_verifier::verify::xdr::types;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let bundle = std::fs::read(std::env::args().nth(1).ok_or("which bundle?")?)?;
    let files = files(&bundle).ok_or("the bundle ends too early")?;
    let mut scratch = Vec::new();
    for line in std::io::stdin().lock().lines() {
        line?;
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let (inflated, hashed) = round(&files, &mut scratch)?;
        let (wall, cpu) = (wall.elapsed().as_secs_f64() * 1e3, cpu.elapsed().as_secs_f64() * 1e3);
        println!(r#"{{"wallMs":{wall},"cpuMs":{cpu},"inflatedBytes":{inflated},"hashedBytes":{hashed}}}"#);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// `path length, path, content length, content`, again and again; lengths are four bytes, the lowest first.
fn files(mut rest: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut files = Vec::new();
    while !rest.is_empty() {
        let path = field(&mut rest)?;
        files.push((std::str::from_utf8(path).ok()?, field(&mut rest)?));
    }
    Some(files)
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (field, after) = after.split_at_checked(u32::from_le_bytes(*length).try_into().ok()?)?;
    *rest = after;
    Some(field)
}

fn round(files: &[(&str, &[u8])], scratch: &mut Vec<u8>) -> Result<(usize, usize), Failure> {
    let mut decompressor = Decompressor::new();
    let (mut inflated, mut hashed) = (0, 0);
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".gz")) {
        // The last four bytes of gzip are its content's length.
        let (_, length) = content.split_last_chunk::<4>().ok_or("a file is too short")?;
        scratch.resize(scratch.len().max(usize::try_from(u32::from_le_bytes(*length))?), 0);
        let length = decompressor.gzip_decompress(content, scratch)?;
        inflated += length;
        let content = scratch.get(..length).ok_or("libdeflate wrote more than there is")?;
        validate(shape(path).ok_or("what kind of file is that?")?, content)?;
        // No hash of the network covers what validators said.
        if path.starts_with("scp/") {
            continue;
        }
        std::hint::black_box(Sha256::digest(content));
        hashed += length;
    }
    Ok((inflated, hashed))
}

fn shape(path: &str) -> Option<&'static Shape> {
    match path.split_once('/')?.0 {
        "bucket" => Some(&types::BUCKET_ENTRY),
        "ledger" => Some(&types::LEDGER_HEADER_HISTORY_ENTRY),
        "results" => Some(&types::TRANSACTION_HISTORY_RESULT_ENTRY),
        "scp" => Some(&types::SCP_HISTORY_ENTRY),
        "transactions" => Some(&types::TRANSACTION_HISTORY_ENTRY),
        _ => None,
    }
}

/// Deeper than any entry of the network.
const DEPTH: u32 = 500;

/// `mark, record`, again and again; the mark's high bit says that the record is whole, the others are its length.
fn validate(shape: &Shape, mut rest: &[u8]) -> Result<(), Failure> {
    while let Some((mark, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*mark) & 0x7fff_ffff)?;
        let (record, after) = after.split_at_checked(length).ok_or("a record is cut off")?;
        shape.check(record, DEPTH)?;
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err("bytes after the last record".into()) }
}
