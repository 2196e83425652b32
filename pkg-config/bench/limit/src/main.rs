//! The native limit: inflate every file of an archive with libdeflate, hash what the network's hashes cover with SHA-256 (SHA-NI where
//! the processor has it).
//!
//! What it is: the least work that any verifier does, on one thread, with the files in memory. What it is not: a verifier. It neither
//! decodes nor compares anything, so that it is somewhat faster than the fastest honest verifier could be.
//!
//! `bench-limit BUNDLE` reads the file that bench/archive.mjs makes. Every line on standard input is one round, answered by a line of JSON.

use std::io::{BufRead, Write};
use std::time::Instant;

use cpu_time::ProcessTime;
use libdeflater::Decompressor;
use sha2::{Digest, Sha256};

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
        // No hash of the network covers what validators said.
        if path.starts_with("scp/") {
            continue;
        }
        std::hint::black_box(Sha256::digest(scratch.get(..length).ok_or("libdeflate wrote more than there is")?));
        hashed += length;
    }
    Ok((inflated, hashed))
}
