//! Makes history archives of a network that never was.
//!
//! From a seed a small network closes a few hundred ledgers: accounts are created, pay each other, leave notes and
//! offers, upload and revive contracts, and leave again. Every transaction, value and ballot is really signed, and every
//! hash is right, so a verifier must find nothing wrong with the archive. Real archives with transactions at protocol 23
//! and later could not be had; these stand in for them. Same configuration, same bytes.
//!
//! Ledgers, hashes, signatures and buckets are made without the verifier's code, so that both cannot be wrong in the same
//! way by accident; the rules are those of the archive format, by the numbers that the verifier's documentation also uses
//! (B.1 to B.11). The files are written by the verifier's publish works: every sample archive is a test of them, and
//! `tests/rules` reads the files with code that shares nothing with either.
//!
//! From the outside in:
//! - `archive` publishes each checkpoint.
//! - `traffic` decides what happens in a ledger, `scp` who agrees on it.
//! - `close` closes a ledger; `tx_set`, `tx` and `apply` are about its transactions, `state` about its entries.
//! - `bucket_list` and `bucket` hold the state as the archive stores it.
//! - `network` is the passphrase and what follows from it; `codec` and `random` are the tools.
//!
//! What is made up: contracts never run and live for 40 ledgers only, resource fees are not refunded, and few of the
//! network's settings are in the ledger.

mod apply;
mod archive;
mod bucket;
mod bucket_list;
mod close;
mod codec;
mod network;
mod random;
mod scp;
mod state;
mod traffic;
mod tx;
mod tx_set;

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::str::FromStr;
use std::{fmt, fs, io};

pub use archive::PublishError;
use stellar_archive_verifier::archive::checkpoint::CheckpointFrequency;
use stellar_archive_verifier::transport::ArchiveWriter;
use stellar_archive_verifier::transport::memory::MemoryArchiveWriter;

/// What to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The protocol that ledger 3 upgrades to.
    pub protocol: Protocol,
    /// How many ledgers at least; rounded up to whole checkpoints.
    pub ledgers: u32,
    /// Decides everything that is up to chance.
    pub seed: u64,
    /// The seed of the validators' keys, if it is not `seed`. Two archives with the same passphrase and other seeds are
    /// two histories of one network, of which a user who trusts the validators of one must reject the other; with the
    /// same validators they are a fork that the validators signed.
    pub validators_seed: Option<u64>,
    /// What the network is called.
    pub passphrase: String,
    /// How far checkpoints are apart.
    pub frequency: Frequency,
}

/// A protocol version that this crate can make ledgers of, 1 to 28.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Protocol(u32);

/// How many ledgers make a checkpoint (rule B.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Frequency {
    /// 8, as local networks that run faster use it.
    Accelerated,
    /// 64, as every public network uses it.
    #[default]
    Standard,
}

/// An archive in memory, and what a test may want to know of it without reading it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Archive {
    /// The content of each file by its path below the archive's root.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The last ledger, which is a checkpoint.
    pub tip: u32,
    /// The hash of every ledger's header, from ledger 1 to the tip.
    pub hashes: BTreeMap<u32, [u8; 32]>,
    /// The ledgers that have transactions.
    pub busy_ledgers: Vec<u32>,
    /// The ledgers whose transaction set was dropped by agreement, at protocol 28 (CAP-83).
    pub dropped_ledgers: Vec<u32>,
    /// The public keys of the four validators, in strkey form (`G…`).
    pub validators: Vec<String>,
    /// How many of them make a quorum.
    pub threshold: u32,
}

/// What was asked for cannot be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConfigError {
    /// Not a frequency that any network uses.
    Frequency(String),
    /// Not a protocol version that this crate knows.
    Protocol(String),
}

/// Makes the archive of a configuration.
pub fn make(config: &Config) -> Archive {
    let writer = MemoryArchiveWriter::default();
    let archive = publish(config, &writer).expect("invariant: what is closed here is sound, and memory takes it");
    Archive { files: writer.take(), ..archive }
}

/// Makes the archive of a configuration and publishes it into a place, checkpoint by checkpoint, each when the ledger after
/// it has closed. What is there already is kept: a run that was stopped is finished by the next one. The files are in the
/// place and not in what is returned. Only for places that never wait, as memory and local folders.
///
/// # Errors
/// If the place has another history, or does not take a file.
pub fn publish(config: &Config, writer: &dyn ArchiveWriter) -> Result<Archive, PublishError> {
    let validators = scp::Validators::new(config.validators_seed.unwrap_or(config.seed), config.protocol.number());
    let mut traffic = traffic::Traffic::new(config);
    let mut ballots = random::Random::new(config.seed, "ballots");
    let (mut chain, genesis) = close::Chain::genesis(network::Network::new(&config.passphrase));
    let mut publisher = archive::Publisher::new(writer, config.frequency.of_archive());
    publisher.add(&chain, &genesis, None)?;

    let tip = config.tip();
    let mut hashes = BTreeMap::from([(1, chain.hash.0)]);
    let (mut busy_ledgers, mut dropped_ledgers) = (Vec::new(), Vec::new());
    // The ledger after the tip is in no archive: the last checkpoint waits for it.
    for ledger in 2..=tip + 1 {
        let proposal = traffic.proposal(&chain);
        let dropped = proposal.dropped.is_some();
        let closed = chain.close(proposal, &validators);
        let messages = validators.messages(&chain.network, &mut ballots, ledger, &chain.header.scp_value);
        publisher.add(&chain, &closed, Some(&messages))?;
        if ledger <= tip {
            dropped_ledgers.extend(dropped.then_some(ledger));
            busy_ledgers.extend(closed.txs.is_some().then_some(ledger));
            hashes.insert(ledger, chain.hash.0);
        }
    }
    Ok(Archive {
        files: BTreeMap::new(),
        tip,
        hashes,
        busy_ledgers,
        dropped_ledgers,
        validators: validators.nodes().iter().map(ToString::to_string).collect(),
        threshold: scp::THRESHOLD,
    })
}

impl Config {
    /// The last ledger: the end of the checkpoint that `ledgers` reaches into.
    pub fn tip(&self) -> u32 {
        let frequency = self.frequency.ledgers();
        let checkpoints = self.ledgers.clamp(1, MOST_LEDGERS).div_ceil(frequency);
        checkpoints * frequency - 1
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol(23),
            ledgers: 320,
            seed: 1,
            validators_seed: None,
            passphrase: "Sample Network ; stellar-archive-verifier".to_owned(),
            frequency: Frequency::Standard,
        }
    }
}

impl Protocol {
    /// The version as headers name it.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Protocol {
    type Error = ConfigError;

    fn try_from(number: u32) -> Result<Self, ConfigError> {
        if (1..=traffic::FIRST_WITH_DROPPED_SETS).contains(&number) {
            Ok(Self(number))
        } else {
            Err(ConfigError::Protocol(number.to_string()))
        }
    }
}

impl FromStr for Protocol {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let number = text.parse::<u32>().map_err(|_| ConfigError::Protocol(text.to_owned()))?;
        Self::try_from(number)
    }
}

impl Frequency {
    /// The number of ledgers.
    pub fn ledgers(self) -> u32 {
        match self {
            Self::Accelerated => 8,
            Self::Standard => 64,
        }
    }

    fn of_archive(self) -> CheckpointFrequency {
        match self {
            Self::Accelerated => CheckpointFrequency::Accelerated,
            Self::Standard => CheckpointFrequency::Standard,
        }
    }
}

impl FromStr for Frequency {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "8" => Ok(Self::Accelerated),
            "64" => Ok(Self::Standard),
            _ => Err(ConfigError::Frequency(text.to_owned())),
        }
    }
}

impl Archive {
    /// The hash of the last ledger's header.
    pub fn tip_hash(&self) -> [u8; 32] {
        self.hashes.get(&self.tip).copied().expect("invariant: `make` keeps the hash of every ledger up to the tip")
    }

    /// Writes the files below a folder, which is made if need be. Files that are there already are overwritten; files
    /// that do not belong to the archive stay.
    ///
    /// # Errors
    /// Whatever the file system says; the files written so far remain.
    pub fn write_to(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        for (path, content) in &self.files {
            let relative = Path::new(path);
            debug_assert!(relative.components().all(|part| matches!(part, Component::Normal(_))), "paths stay below the root");
            let file = folder.as_ref().join(relative);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(file, content)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frequency(text) => write!(f, "checkpoints are 64 or 8 ledgers apart, not {text}"),
            Self::Protocol(text) => write!(f, "protocols 1 to {} can be made, not {text}", traffic::FIRST_WITH_DROPPED_SETS),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Keeps an archive in memory within reason.
const MOST_LEDGERS: u32 = 100_000;
