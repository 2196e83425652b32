//! The command: `sample-archive [options] OUT`. Killed at any moment it leaves a sound archive, and run again it finishes it.

#![cfg(not(target_arch = "wasm32"))]

use std::path::PathBuf;
use std::process::ExitCode;

use sample_archive::{Config, publish};
use stellar_archive_verifier::transport::local::LocalArchiveWriter;

const USAGE: &str = "\
Usage: sample-archive [options] OUT

Closes the ledgers of a small made-up network and writes its history archive to the folder OUT.

Options:
  --protocol N      protocol version, 1 to 28 (default 23)
  --ledgers N       how many ledgers, rounded up to whole checkpoints (default 320)
  --seed N          decides accounts, transactions and keys (default 1)
  --validators N    the seed of the validators' keys, if it is not that of --seed
  --passphrase S    network passphrase
  --frequency N     ledgers a checkpoint, 64 or 8 (default 64)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match parse(args).and_then(|(config, folder)| write(&config, folder)) {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("sample-archive: {message}");
            ExitCode::from(2)
        }
    }
}

fn parse(args: Vec<String>) -> Result<(Config, PathBuf), String> {
    let mut config = Config::default();
    let mut folder = None;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if !arg.starts_with("--") {
            if folder.replace(PathBuf::from(&arg)).is_some() {
                return Err(format!("one folder is enough, what is {arg}?"));
            }
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{arg} needs a number, not {value}"));
        match arg.as_str() {
            "--protocol" => config.protocol = value.parse().map_err(|error| format!("{error}"))?,
            "--ledgers" => config.ledgers = u32::try_from(number()?).unwrap_or(u32::MAX),
            "--seed" => config.seed = number()?,
            "--validators" => config.validators_seed = Some(number()?),
            "--passphrase" => config.passphrase = value,
            "--frequency" => config.frequency = value.parse().map_err(|error| format!("{error}"))?,
            _ => return Err(format!("unknown option {arg}; try --help")),
        }
    }
    Ok((config, folder.ok_or_else(|| format!("where to? \n\n{USAGE}"))?))
}

fn write(config: &Config, folder: PathBuf) -> Result<String, String> {
    let archive = publish(config, &LocalArchiveWriter::new(&folder)).map_err(|error| error.to_string())?;
    Ok(format!(
        "{}: protocol {}, ledgers 1 to {}, last hash {}",
        folder.display(),
        config.protocol.number(),
        archive.tip,
        hex::encode(archive.tip_hash())
    ))
}
