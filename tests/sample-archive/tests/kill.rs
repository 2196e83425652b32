//! The command is killed at any moment, again and again: what is visible is sound, what is announced is there, and the next
//! run finishes the archive.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports what is wrong")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use sample_archive::{Archive, Config, Frequency, make};
use stellar_archive_verifier::archive::checkpoint::{CheckpointFrequency, LedgerSeq};
use stellar_archive_verifier::driver::native::NativeHost;
use stellar_archive_verifier::driver::{RunOptions, verify_archive};
use stellar_archive_verifier::report::Verdict;
use stellar_archive_verifier::transport::local::LocalArchive;

const KILLS: u32 = 50;
/// Fewer kills where the machine is too slow for all of them.
const PATIENCE: Duration = Duration::from_secs(240);
const LEDGERS: u32 = 48;
const WELL_KNOWN: &str = ".well-known/stellar-history.json";

#[test]
fn killed_at_any_moment_it_leaves_a_sound_archive_and_the_next_run_finishes_it() {
    let began = Instant::now();
    let root = std::env::temp_dir().join(format!("sample-archive-kill-{}", std::process::id()));
    let mut dice = Dice(0x5eed);
    let (mut kills, mut seed, mut moments) = (0, 1, Moments::default());
    while kills < KILLS && began.elapsed() < PATIENCE {
        let folder = root.join(seed.to_string());
        let expected = make(&config(seed));
        // How long it takes undisturbed.
        let whole = Instant::now();
        run(seed, &root.join("undisturbed"), None);
        let whole = whole.elapsed();
        fs::remove_dir_all(root.join("undisturbed")).unwrap();
        while kills < KILLS && began.elapsed() < PATIENCE {
            let moment = whole.mul_f64(f64::from(dice.below(1100)) / 1000.0);
            run(seed, &folder, Some(moment));
            kills += 1;
            let finished = look(&folder, &expected, &mut moments);
            // Some are finished by the next run, some are killed again.
            if finished || dice.below(2) == 0 {
                break;
            }
        }
        run(seed, &folder, None);
        let (files, staged) = visible(&folder);
        assert!(staged.is_empty(), "the next run removes what a killed one left: {staged:?}");
        assert!(files == expected.files, "seed {seed}: the archive is finished, as if nothing had happened");
        seed += 1;
    }
    fs::remove_dir_all(&root).unwrap();
    println!("{kills} kills in {:?}: {moments:?}", began.elapsed());
    assert!(kills >= 10, "only {kills} kills in {PATIENCE:?}");
    assert!(moments.partly > 0 && moments.announced > 0, "kills came in the middle: {moments:?}");
}

/// What was there when it was killed.
#[derive(Debug, Default)]
struct Moments {
    nothing: u32,
    /// Files, but none announced, or more than what is announced.
    partly: u32,
    announced: u32,
    staged: u32,
}

fn config(seed: u64) -> Config {
    Config { seed, ledgers: LEDGERS, frequency: Frequency::Accelerated, ..Config::default() }
}

fn run(seed: u64, folder: &Path, kill_after: Option<Duration>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sample-archive"));
    command.args(["--seed", &seed.to_string(), "--ledgers", &LEDGERS.to_string(), "--frequency", "8"]).arg(folder);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    match kill_after {
        Some(moment) => {
            thread::sleep(moment);
            // It may be done by then.
            let _ = child.kill();
            child.wait().unwrap();
        }
        None => assert!(child.wait().unwrap().success()),
    }
}

/// Whether the archive is finished. Whatever is visible is as it is in the whole archive; what is announced is there and
/// verified.
fn look(folder: &Path, expected: &Archive, moments: &mut Moments) -> bool {
    let (files, staged) = visible(folder);
    moments.staged += u32::from(!staged.is_empty());
    for (path, content) in files.iter().filter(|(path, _)| *path != WELL_KNOWN) {
        assert!(expected.files.get(path) == Some(content), "{path} is visible, and not what it is to be");
    }
    let Some(announced) = files.get(WELL_KNOWN) else {
        *(if files.is_empty() { &mut moments.nothing } else { &mut moments.partly }) += 1;
        return false;
    };
    moments.announced += 1;
    let state: serde_json::Value = serde_json::from_slice(announced).unwrap();
    let tip = u32::try_from(state["currentLedger"].as_u64().unwrap()).unwrap();
    // Without the verifier: the files of every checkpoint up to it, and the buckets that its states name.
    for checkpoint in (7..=tip).step_by(8) {
        let name = |kind: &str, extension: &str| format!("{kind}/00/00/00/{kind}-{checkpoint:08x}.{extension}");
        for kind in ["ledger", "transactions", "results", "scp"] {
            assert!(files.contains_key(&name(kind, "xdr.gz")), "{tip} is announced, {checkpoint} has no {kind} file");
        }
        let state = String::from_utf8(files[&name("history", "json")].clone()).unwrap();
        assert!(checkpoint < tip || state.as_bytes() == announced, "what is announced is the state of its checkpoint");
        let hashes = state.split('"').filter(|part| part.len() == 64 && part.bytes().any(|byte| byte != b'0'));
        for hash in hashes {
            let path = format!("bucket/{}/{}/{}/bucket-{hash}.xdr.gz", &hash[..2], &hash[2..4], &hash[4..6]);
            assert!(files.contains_key(&path), "{tip} is announced, {path} of {checkpoint} is not there");
        }
    }
    moments.partly += u32::from(files.keys().any(|path| path.contains(&format!("-{:08x}.", tip + 8))));
    let mut options = RunOptions::default();
    options.frequency = CheckpointFrequency::Accelerated;
    options.low = Some(LedgerSeq::GENESIS);
    let report = futures_executor::block_on(verify_archive(&LocalArchive::new(folder), &NativeHost::default(), &options, &mut |_| {}));
    let report = report.unwrap();
    assert_eq!((report.verdict, report.range.map(|range| range.high.value())), (Verdict::Verified, Some(tip)), "{:#?}", report.findings);
    files == expected.files
}

/// The files that archives know by their name, and those that are being written.
fn visible(folder: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<PathBuf>) {
    let (mut files, mut staged, mut folders) = (BTreeMap::new(), Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap().to_string_lossy().ends_with(".partial") {
                staged.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    (files, staged)
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).unwrap()
    }
}
