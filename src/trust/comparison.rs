//! Archives against each other: who agrees with whom, who contradicts what is sealed (rules B.3, B.10 S8, E 13, E 26).
//!
//! What it is: what the archives have of one checkpoint after the other, from the newest down, and what that comes to. Only
//! what headers commit to is compared, never bytes: honest archives differ in the formatting of their states, in `server` and
//! in their SCP messages. What it is not: aware of where files come from.
//!
//! A seal near the end holds for all below it: the header that a sealed ledger names is sealed as well. So a chain is carried
//! down from one checkpoint to the next; whatever contradicts it is provably wrong. Without a seal archives merely differ,
//! whoever has the majority. Nothing here grows with the range beyond its bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::archive::state::HistoryArchiveState;
use crate::codec::hash::Hash256;
use crate::verify::checkpoint::{Headers, Rules};
use crate::verify::header::Header;
use crate::verify::messages::{MergedSeal, ScpMessages, Together};

/// Disagreements kept; the rest is counted.
const DISAGREEMENTS: usize = 1000;
/// Runs of missing files kept; the rest is counted.
const RUNS: usize = 1000;
/// Seals and trusted hashes kept: a chain has one, and one more below each hole.
const ANCHORS: usize = 64;
/// Starts of one network are months apart; clocks of one and the same are seconds apart.
const DAY: u64 = 24 * 60 * 60;

/// One file of a checkpoint in one archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeldFile {
    /// It is there and agrees with the archive's own headers.
    Sound,
    /// The archive does not have it.
    Missing,
    /// It does not agree with the archive's own headers, or is no such file.
    Faulty(Fault),
    /// It could not be read.
    Unread,
    /// The headers that it would be held against are missing, or nobody has such files.
    Unchecked,
}

/// What is wrong with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where, if it is one ledger.
    pub ledger: Option<LedgerSeq>,
    /// In words.
    pub message: String,
}

/// What one archive has of a checkpoint.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Whose.
    pub archive: ArchiveId,
    /// Its headers.
    pub headers: Arc<Headers>,
    /// Its files, as [`FileKind::ALL`].
    pub files: [HeldFile; FileKind::ALL.len()],
    /// Its state.
    pub state: Option<HistoryArchiveState>,
    /// What its scp file says, where signatures are looked at.
    pub messages: Option<Box<ScpMessages>>,
}

impl Holding {
    /// Of an archive of which nothing could be read.
    #[must_use]
    pub fn unread(archive: ArchiveId, checkpoint: Checkpoint) -> Self {
        let files = FileKind::ALL.map(|_| HeldFile::Unread);
        Self { archive, headers: Arc::new(Headers::none(checkpoint)), files, state: None, messages: None }
    }

    fn file(&self, kind: FileKind) -> &HeldFile {
        FileKind::ALL.iter().zip(&self.files).find(|(other, _)| **other == kind).map_or(&HeldFile::Unchecked, |(_, file)| file)
    }

    fn is_sound(&self, kind: FileKind) -> bool {
        *self.file(kind) == HeldFile::Sound
    }

    /// The header of a ledger, if the chain of the checkpoint holds in itself.
    fn header(&self, ledger: LedgerSeq) -> Option<&Header> {
        self.headers.header(ledger).filter(|_| self.is_sound(FileKind::Ledger))
    }

    fn hash(&self, ledger: LedgerSeq) -> Option<Hash256> {
        self.header(ledger).map(|header| header.hash)
    }

    /// What a file of the kind commits to; files that agree with the same headers are the same.
    fn value(&self, kind: FileKind, protocol: Option<u32>) -> Option<Hash256> {
        match kind {
            FileKind::History => self.state.as_ref()?.bucket_list_hash(self.headers.last().map(|last| last.version).or(protocol)?),
            FileKind::Ledger | FileKind::Transactions | FileKind::Results => self.headers.last().map(|last| last.hash),
            FileKind::Scp => None,
        }
    }
}

/// How the files of a kind of an archive compare.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// As what is sealed, or, without a seal, as what most archives have.
    pub agrees: u64,
    /// Not in the archive.
    pub lacks: u64,
    /// Not in agreement with the archive's own headers.
    pub faulty: u64,
    /// In contradiction to what is sealed.
    pub provably_wrong: u64,
    /// Sound by itself, and not what the others have.
    pub differs: u64,
    /// Not to be read.
    pub unreadable: u64,
    /// Nothing there to hold it against.
    pub unchecked: u64,
}

/// How an archive's file compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// As what is sealed, or as what most archives have.
    Agrees,
    /// Not in the archive.
    Lacks,
    /// Against its own headers.
    Faulty,
    /// Against what is sealed.
    ProvablyWrong,
    /// Merely different.
    Differs,
    /// Not to be read.
    Unreadable,
    /// Nothing there to hold it against.
    Unchecked,
}

impl Agreement {
    fn count(&mut self, cell: Cell) {
        let count = match cell {
            Cell::Agrees => &mut self.agrees,
            Cell::Lacks => &mut self.lacks,
            Cell::Faulty => &mut self.faulty,
            Cell::ProvablyWrong => &mut self.provably_wrong,
            Cell::Differs => &mut self.differs,
            Cell::Unreadable => &mut self.unreadable,
            Cell::Unchecked => &mut self.unchecked,
        };
        *count = count.saturating_add(1);
    }

    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        let Self { agrees, lacks, faulty, provably_wrong, differs, unreadable, unchecked } = other;
        for (own, more) in [
            (&mut self.agrees, agrees),
            (&mut self.lacks, lacks),
            (&mut self.faulty, faulty),
            (&mut self.provably_wrong, provably_wrong),
            (&mut self.differs, differs),
            (&mut self.unreadable, unreadable),
            (&mut self.unchecked, unchecked),
        ] {
            *own = own.saturating_add(more);
        }
    }
}

/// The archives' files of one checkpoint and kind that are not all the same.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// The checkpoint.
    pub checkpoint: LedgerSeq,
    /// The kind of file.
    pub kind: FileKind,
    /// The first ledger that differs, or that is faulty.
    pub ledger: Option<LedgerSeq>,
    /// Who has what.
    pub groups: Vec<Group>,
    /// What the sealed headers commit to.
    pub sealed: Option<Hash256>,
}

/// Archives that have the same.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What they have: the header hash of that ledger, the bucket list hash; none for a faulty file.
    pub value: Option<Hash256>,
    /// Who, by their places in the list of archives.
    pub archives: Vec<ArchiveId>,
    /// How that compares.
    pub standing: Cell,
    /// What is wrong with a faulty file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Checkpoints in a row of which an archive lacks a file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingRun {
    /// Who, by its place in the list of archives.
    pub archive: ArchiveId,
    /// The kind of file.
    pub kind: FileKind,
    /// The lowest checkpoint.
    pub low: LedgerSeq,
    /// The highest checkpoint.
    pub high: LedgerSeq,
    /// How many.
    pub checkpoints: u64,
}

/// What vouches for ledgers, and for which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SharedAnchor {
    /// The ledger that is vouched for.
    pub ledger: LedgerSeq,
    /// Its hash.
    pub hash: Hash256,
    /// The signatures; none if it is a hash that the user trusts.
    pub seal: Option<MergedSeal>,
    /// Archives that have that chain.
    pub holders: BTreeSet<ArchiveId>,
    /// The lowest and the highest ledger of that chain that an archive has.
    pub covers: Option<(LedgerSeq, LedgerSeq)>,
    /// Not of the network's history: another one is sealed as well, and is younger.
    pub superseded: bool,
    /// Another one is sealed as well, and nothing tells which is the network's.
    pub disputed: bool,
}

/// A file of an archive, compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct ComparedFile {
    /// How it compares.
    pub cell: Cell,
    /// Archives with the same number have the same; 0 is what is sealed, or what most have. None where there is nothing.
    pub group: Option<usize>,
}

/// One checkpoint, compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComparedCheckpoint {
    /// Which.
    pub checkpoint: Checkpoint,
    /// By kind, one an archive that takes part.
    pub files: BTreeMap<FileKind, Vec<ComparedFile>>,
    /// Up to where it is sealed.
    pub sealed: Option<LedgerSeq>,
}

/// Two archives that have no header in common: when they closed the lowest ledger of which both have a header.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    same: bool,
    lowest: Option<(LedgerSeq, u64, u64)>,
}

/// An archive of an earlier start of the network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EarlierStart {
    /// The lowest ledger that was compared.
    pub ledger: LedgerSeq,
    /// When it closed it, in seconds since 1970.
    pub closed: u64,
    /// When the others did.
    pub others_closed: u64,
    /// Whether those whom the user believes vouch for it, too.
    pub vouched: bool,
}

/// A chain as it stands at a checkpoint.
#[derive(Clone, Copy, Debug)]
struct Carried {
    anchor: usize,
    /// Sealed from here down.
    through: LedgerSeq,
    hash: Hash256,
}

/// What archives were found to have.
#[derive(Debug)]
pub struct Compared {
    rules: Rules,
    genesis: Option<Hash256>,
    archives: Vec<ArchiveId>,
    joined: u32,
    /// Chains that go on below the checkpoint that was joined last.
    carried: Vec<Carried>,
    anchors: Vec<SharedAnchor>,
    agreements: BTreeMap<(ArchiveId, FileKind), Agreement>,
    disagreements: Vec<Disagreement>,
    more_disagreements: u64,
    runs: Vec<MissingRun>,
    more_runs: u64,
    pairs: BTreeMap<(ArchiveId, ArchiveId), Pair>,
    passphrases: BTreeMap<ArchiveId, String>,
    geneses: BTreeMap<ArchiveId, Hash256>,
    looked: u64,
}

impl Compared {
    /// Nothing compared yet. The rules name the validators and the hashes that the user believes.
    #[must_use]
    pub fn new(rules: Rules, archives: Vec<ArchiveId>) -> Self {
        Self {
            genesis: rules.network_id.as_ref().map(crate::archive::genesis::genesis_header_hash),
            rules,
            archives,
            joined: 0,
            carried: Vec::new(),
            anchors: Vec::new(),
            agreements: BTreeMap::new(),
            disagreements: Vec::new(),
            more_disagreements: 0,
            runs: Vec::new(),
            more_runs: 0,
            pairs: BTreeMap::new(),
            passphrases: BTreeMap::new(),
            geneses: BTreeMap::new(),
            looked: 0,
        }
    }

    /// Checkpoints joined.
    #[must_use]
    pub fn joined(&self) -> u32 {
        self.joined
    }

    /// Checkpoints whose signatures were looked at.
    #[must_use]
    pub fn looked(&self) -> u64 {
        self.looked
    }

    /// What vouches for ledgers, from the newest down.
    #[must_use]
    pub fn anchors(&self) -> &[SharedAnchor] {
        &self.anchors
    }

    /// What is not the same, from the newest down, as far as it is kept, and how much more there was.
    #[must_use]
    pub fn disagreements(&self) -> (&[Disagreement], u64) {
        (&self.disagreements, self.more_disagreements)
    }

    /// What is missing, as far as it is kept, and how many more files there were.
    #[must_use]
    pub fn missing(&self) -> (&[MissingRun], u64) {
        (&self.runs, self.more_runs)
    }

    /// How an archive's files of a kind compare.
    #[must_use]
    pub fn agreement(&self, archive: ArchiveId, kind: FileKind) -> Agreement {
        self.agreements.get(&(archive, kind)).copied().unwrap_or_default()
    }

    /// The passphrase in an archive's states, where it is not the network's.
    #[must_use]
    pub fn other_passphrase(&self, archive: ArchiveId) -> Option<&str> {
        let own = self.passphrases.get(&archive)?;
        let network = self.rules.network.as_ref().map(|network| network.passphrase());
        (network != Some(own)).then_some(own)
    }

    /// The hash of an archive's ledger 1, where it is not the one that the passphrase implies and others have.
    #[must_use]
    pub fn other_genesis(&self, archive: ArchiveId) -> Option<Hash256> {
        let own = self.geneses.get(&archive).copied()?;
        let expected = self.genesis?;
        (own != expected && self.geneses.values().any(|other| *other == expected)).then_some(own)
    }

    /// Whether an archive holds another history than another one, and closed its ledgers earlier: an earlier start of the
    /// network, which has the same passphrase and genesis (rules E 13). A history that nobody vouches for cannot be told from a
    /// made-up one, so beside one that somebody vouches for it is not taken for that.
    #[must_use]
    pub fn earlier_start(&self, archive: ArchiveId) -> Option<EarlierStart> {
        let vouched = |id: ArchiveId| self.anchors.iter().any(|anchor| anchor.holders.contains(&id));
        let candidates = self.archives.iter().filter(|other| **other != archive).filter_map(|other| {
            let key = (archive.min(*other), archive.max(*other));
            let Pair { same: false, lowest: Some((ledger, first, second)) } = *self.pairs.get(&key)? else { return None };
            let (closed, others_closed) = if key.0 == archive { (first, second) } else { (second, first) };
            let earlier = closed.saturating_add(DAY) <= others_closed && vouched(archive) == vouched(*other);
            earlier.then(|| EarlierStart { ledger, closed, others_closed, vouched: vouched(archive) })
        });
        candidates.max_by_key(|start| start.others_closed)
    }

    /// When an archive closed its lowest ledger, if that is a day or more before one with another history did.
    #[must_use]
    pub fn closed_earlier(&self, archive: ArchiveId) -> Option<(LedgerSeq, u64, u64)> {
        self.archives.iter().filter(|other| **other != archive).find_map(|other| {
            let key = (archive.min(*other), archive.max(*other));
            let Pair { same: false, lowest: Some((ledger, first, second)) } = *self.pairs.get(&key)? else { return None };
            let (closed, others) = if key.0 == archive { (first, second) } else { (second, first) };
            (closed.saturating_add(DAY) <= others).then_some((ledger, closed, others))
        })
    }

    /// Compares the next checkpoint down. `look`: whether its signatures are looked at.
    pub fn add(&mut self, checkpoint: Checkpoint, holdings: &[Holding], look: bool) -> ComparedCheckpoint {
        self.joined = self.joined.saturating_add(1);
        self.remember(checkpoint, holdings);
        let (mut here, below): (Vec<_>, Vec<_>) =
            core::mem::take(&mut self.carried).into_iter().partition(|chain| checkpoint.contains(chain.through));
        // Chains are carried from neighbour to neighbour, so none is of another checkpoint.
        debug_assert!(below.is_empty(), "invariant: a chain is carried to the checkpoint that it goes on in");
        if look && self.rules.quorum_set.is_some() && self.rules.network_id.is_some() {
            self.looked = self.looked.saturating_add(1);
            self.look_for_seals(checkpoint, holdings, &mut here);
        }
        self.look_for_trusted_hashes(checkpoint, holdings, &mut here);
        let current = self.current(&here, holdings);
        let compared = self.compare(checkpoint, holdings, current);
        self.carry_on(checkpoint, holdings, here);
        compared
    }

    /// What tells networks, and starts of one network, from each other.
    fn remember(&mut self, checkpoint: Checkpoint, holdings: &[Holding]) {
        for holding in holdings {
            let passphrase = holding.state.as_ref().and_then(|state| state.network_passphrase.clone());
            if let Some(passphrase) = passphrase.filter(|own| self.rules.network.as_ref().is_none_or(|network| network.passphrase() != own))
            {
                self.passphrases.entry(holding.archive).or_insert(passphrase);
            }
            self.geneses.extend(holding.hash(LedgerSeq::GENESIS).map(|hash| (holding.archive, hash)));
        }
        // Ledger 1 is the same in every start of a network.
        let lowest = checkpoint.ledgers().find(|ledger| *ledger != LedgerSeq::GENESIS);
        let headers: Vec<_> =
            holdings.iter().filter_map(|holding| lowest.and_then(|ledger| Some((holding.archive, holding.header(ledger)?)))).collect();
        for (index, (one, header)) in headers.iter().enumerate() {
            for (other, its) in headers.iter().skip(index + 1) {
                let pair = self.pairs.entry(((*one).min(*other), (*one).max(*other))).or_default();
                pair.same |= header.hash == its.hash;
                let (first, second) = if one < other { (header, its) } else { (its, header) };
                pair.lowest = Some((header.sequence, first.close_time, second.close_time));
            }
        }
    }

    /// A seal for every chain that is not carried from above.
    fn look_for_seals(&mut self, checkpoint: Checkpoint, holdings: &[Holding], here: &mut Vec<Carried>) {
        let (Some(user), Some(network)) = (self.rules.quorum_set.clone(), self.rules.network_id) else { return };
        let messages: Vec<_> = holdings.iter().filter_map(|holding| Some((holding.archive, holding.messages.as_deref()?))).collect();
        let together = Together::new(messages, network, &user);
        let mut judged = BTreeSet::new();
        for holding in holdings {
            // The set names the header before: so the set must be sound as well.
            let Some(last) = holding.hash(checkpoint.last_ledger()).filter(|_| holding.is_sound(FileKind::Transactions)) else { continue };
            let carried = here.iter().any(|chain| holding.hash(chain.through) == Some(chain.hash));
            if carried || !judged.insert(last) {
                continue;
            }
            let ledgers = checkpoint.ledgers().rev().filter(|ledger| *ledger != LedgerSeq::GENESIS);
            let seal = ledgers.filter_map(|ledger| holding.header(ledger)).find_map(|header| together.judge(header));
            let Some(seal) = seal else { continue };
            let (ledger, hash) = (seal.seal.ledger, seal.seal.hash);
            // What archives have in common up to there is sealed already.
            let known = |chain: &Carried| {
                let with = holdings.iter().find(|other| other.hash(chain.through) == Some(chain.hash));
                with.is_some_and(|with| with.hash(ledger) == Some(hash)) && chain.through >= ledger
            };
            if !here.iter().any(known) {
                self.anchor(SharedAnchor::new(ledger, hash, Some(seal)), checkpoint, here);
            }
        }
    }

    fn look_for_trusted_hashes(&mut self, checkpoint: Checkpoint, holdings: &[Holding], here: &mut Vec<Carried>) {
        let trusted = Arc::clone(&self.rules.trusted_hashes);
        for (ledger, hash) in trusted.range(checkpoint.first_ledger()..=checkpoint.last_ledger()).rev() {
            let known = |chain: &Carried| {
                let with = holdings.iter().find(|other| other.hash(chain.through) == Some(chain.hash));
                chain.through >= *ledger && with.is_some_and(|with| with.hash(*ledger) == Some(*hash))
            };
            if !here.iter().any(known) {
                self.anchor(SharedAnchor::new(*ledger, *hash, None), checkpoint, here);
            }
        }
    }

    fn anchor(&mut self, anchor: SharedAnchor, checkpoint: Checkpoint, here: &mut Vec<Carried>) {
        if self.anchors.len() >= ANCHORS {
            return;
        }
        let chain = Carried { anchor: self.anchors.len(), through: anchor.ledger, hash: anchor.hash };
        self.anchors.push(anchor);
        // Signatures over the first ledger of a checkpoint seal the last one of the checkpoint before.
        if checkpoint.contains(chain.through) { &mut *here } else { &mut self.carried }.push(chain);
    }

    /// The chain that is the network's: of several, the one of a later start.
    fn current(&mut self, here: &[Carried], holdings: &[Holding]) -> Option<Carried> {
        let on = |chain: &Carried, other: &Carried| {
            let holder = holdings.iter().find(|holding| holding.hash(chain.through) == Some(chain.hash));
            holder.is_some_and(|holder| holder.hash(other.through) == Some(other.hash))
        };
        // What is vouched for twice is one chain.
        let reaches_further = |chain: &Carried, other: &Carried| (chain.through, other.anchor) > (other.through, chain.anchor);
        let rivals: Vec<_> =
            here.iter().filter(|chain| !here.iter().any(|other| reaches_further(other, chain) && on(other, chain))).collect();
        let closed = |chain: &Carried| {
            holdings.iter().find(|holding| holding.hash(chain.through) == Some(chain.hash)).and_then(|holding| {
                // The lowest ledger that any of them has: chains end at different ones.
                let first = holding.headers.checkpoint().ledgers().find(|ledger| *ledger != LedgerSeq::GENESIS)?;
                holding.header(first).map(|header| header.close_time)
            })
        };
        let youngest = rivals.iter().copied().max_by_key(|chain| closed(chain))?;
        let others: Vec<_> = rivals.iter().filter(|chain| chain.anchor != youngest.anchor).collect();
        let is_later =
            |other: &&&&Carried| closed(other).zip(closed(youngest)).is_some_and(|(other, own)| other.saturating_add(DAY) <= own);
        let all_earlier = others.iter().all(|other| is_later(&other));
        let marked: Vec<_> = others.iter().map(|chain| chain.anchor).collect();
        for anchor in marked {
            if let Some(anchor) = self.anchors.get_mut(anchor) {
                (anchor.superseded, anchor.disputed) = (all_earlier, !all_earlier);
            }
        }
        if let Some(anchor) = self.anchors.get_mut(youngest.anchor).filter(|_| !all_earlier) {
            anchor.disputed = true;
        }
        all_earlier.then_some(*youngest)
    }

    /// Takes each chain down to the next checkpoint, as far as an archive has it.
    fn carry_on(&mut self, checkpoint: Checkpoint, holdings: &[Holding], here: Vec<Carried>) {
        for chain in here {
            let holders: Vec<_> = holdings.iter().filter(|holding| holding.hash(chain.through) == Some(chain.hash)).collect();
            let Some(first) = holders.first().and_then(|holding| holding.header(checkpoint.first_ledger())) else { continue };
            if let Some(anchor) = self.anchors.get_mut(chain.anchor) {
                anchor.holders.extend(holders.iter().map(|holding| holding.archive));
                let high = anchor.covers.map_or(chain.through, |(_, high)| high);
                anchor.covers = Some((first.sequence, high));
            }
            let through = LedgerSeq::new(first.sequence.value().saturating_sub(1));
            let known = self.carried.iter().any(|other| other.hash == first.previous_hash);
            if first.sequence != LedgerSeq::GENESIS && !known {
                self.carried.push(Carried { anchor: chain.anchor, through, hash: first.previous_hash });
            }
        }
    }

    fn compare(&mut self, checkpoint: Checkpoint, holdings: &[Holding], current: Option<Carried>) -> ComparedCheckpoint {
        let member = current.and_then(|chain| holdings.iter().find(|holding| holding.hash(chain.through) == Some(chain.hash)));
        let table = Table { checkpoint, holdings, current, member };
        let mut files = BTreeMap::new();
        for kind in FileKind::ALL {
            let column = table.column(kind);
            for (holding, file) in holdings.iter().zip(&column.files) {
                self.agreements.entry((holding.archive, kind)).or_default().count(file.cell);
                if file.cell == Cell::Lacks {
                    self.lacks(holding.archive, kind, checkpoint);
                }
            }
            if let Some(disagreement) = table.disagreement(kind, &column) {
                if self.disagreements.len() < DISAGREEMENTS {
                    self.disagreements.push(disagreement);
                } else {
                    self.more_disagreements = self.more_disagreements.saturating_add(1);
                }
            }
            files.insert(kind, column.files);
        }
        ComparedCheckpoint { checkpoint, files, sealed: current.filter(|_| member.is_some()).map(|chain| chain.through) }
    }

    fn lacks(&mut self, archive: ArchiveId, kind: FileKind, checkpoint: Checkpoint) {
        let above = checkpoint.next().map(Checkpoint::last_ledger);
        let run = self.runs.iter_mut().rev().find(|run| run.archive == archive && run.kind == kind);
        if let Some(run) = run.filter(|run| Some(run.low) == above) {
            run.low = checkpoint.last_ledger();
            run.checkpoints = run.checkpoints.saturating_add(1);
        } else if self.runs.len() < RUNS {
            let ledger = checkpoint.last_ledger();
            self.runs.push(MissingRun { archive, kind, low: ledger, high: ledger, checkpoints: 1 });
        } else {
            self.more_runs = self.more_runs.saturating_add(1);
        }
    }
}

impl SharedAnchor {
    fn new(ledger: LedgerSeq, hash: Hash256, seal: Option<MergedSeal>) -> Self {
        Self { ledger, hash, seal, holders: BTreeSet::new(), covers: None, superseded: false, disputed: false }
    }
}

/// What the archives have of a checkpoint, and what is sealed of it.
struct Table<'a> {
    checkpoint: Checkpoint,
    holdings: &'a [Holding],
    current: Option<Carried>,
    /// One that has the sealed chain.
    member: Option<&'a Holding>,
}

/// The archives' files of one kind.
struct Column {
    /// One an archive, with the group that it is in.
    files: Vec<ComparedFile>,
    /// What the groups have; the sealed one or the largest comes first.
    values: Vec<Hash256>,
}

impl Table<'_> {
    fn column(&self, kind: FileKind) -> Column {
        let protocol = self.member.into_iter().chain(self.holdings).find_map(|holding| holding.headers.last()).map(|last| last.version);
        let own: Vec<_> = self
            .holdings
            .iter()
            .map(|holding| {
                holding
                    .value(kind, protocol)
                    .filter(|_| holding.is_sound(kind) || (kind == FileKind::History && *holding.file(kind) == HeldFile::Unchecked))
            })
            .collect();
        let sealed = self.sealed(kind);
        let mut values: Vec<Hash256> = Vec::new();
        for value in own.iter().flatten() {
            if !values.contains(value) {
                values.push(*value);
            }
        }
        // Whoever contradicts what is sealed has no say in what is not sealed yet.
        let heard = |(holding, value): (&Holding, &Option<Hash256>)| value.filter(|value| !self.contradicts(holding, kind, *value));
        let heard: Vec<_> = self.holdings.iter().zip(&own).filter_map(heard).collect();
        let size = |value: &Hash256| heard.iter().filter(|other| *other == value).count();
        values.sort_by_key(|value| (Some(*value) != sealed, core::cmp::Reverse(size(value))));
        // Without a seal, what most have is what the others differ from; if as many have another, all differ.
        let most = match values.as_slice() {
            [first, ..] if size(first) == 0 => sealed,
            [first, second, ..] if Some(*first) != sealed && size(first) == size(second) => None,
            [first, ..] => Some(*first),
            [] => None,
        };
        let files = self.holdings.iter().zip(&own).map(|(holding, value)| {
            let group = value.and_then(|value| values.iter().position(|other| *other == value));
            let cell = match holding.file(kind) {
                HeldFile::Missing => Cell::Lacks,
                HeldFile::Unread => Cell::Unreadable,
                HeldFile::Faulty(fault) if self.is_sealed(fault, holding, kind) => Cell::ProvablyWrong,
                HeldFile::Faulty(_) => Cell::Faulty,
                HeldFile::Sound | HeldFile::Unchecked => match value {
                    Some(value) if most == Some(*value) => Cell::Agrees,
                    Some(value) if self.contradicts(holding, kind, *value) => Cell::ProvablyWrong,
                    Some(_) => Cell::Differs,
                    // Messages are not the same in honest archives.
                    None if kind == FileKind::Scp && holding.is_sound(kind) => Cell::Agrees,
                    None => Cell::Unchecked,
                },
            };
            ComparedFile { cell, group }
        });
        Column { files: files.collect(), values }
    }

    /// What the sealed headers commit to.
    fn sealed(&self, kind: FileKind) -> Option<Hash256> {
        let (member, last) = (self.member?, self.checkpoint.last_ledger());
        let whole = self.current.is_some_and(|chain| chain.through >= last);
        match kind {
            FileKind::History => member.header(last).filter(|_| whole).map(|header| header.bucket_list_hash),
            FileKind::Scp => None,
            _ => member.hash(last).filter(|_| whole),
        }
    }

    /// Whether a sound file is not of the sealed chain.
    fn contradicts(&self, holding: &Holding, kind: FileKind, value: Hash256) -> bool {
        let of_another_chain = self.current.is_some_and(|chain| holding.hash(chain.through).is_some_and(|hash| hash != chain.hash));
        match (kind, self.sealed(kind)) {
            (FileKind::Scp, _) => false,
            (FileKind::History, Some(sealed)) => sealed != value,
            _ => of_another_chain,
        }
    }

    /// Whether what is wrong with a file is wrong by the sealed headers, too.
    fn is_sealed(&self, fault: &Fault, holding: &Holding, kind: FileKind) -> bool {
        let Some(chain) = self.current else { return false };
        let of_the_chain = kind == FileKind::Ledger || holding.hash(chain.through) == Some(chain.hash);
        kind != FileKind::Scp && of_the_chain && fault.ledger.unwrap_or(self.checkpoint.last_ledger()) <= chain.through
    }

    fn disagreement(&self, kind: FileKind, column: &Column) -> Option<Disagreement> {
        let with = |wanted: usize| {
            let files = self.holdings.iter().zip(&column.files).filter(move |(_, file)| file.group == Some(wanted));
            files.map(|(holding, file)| (holding.archive, file.cell)).collect::<Vec<_>>()
        };
        // Sets and results differ wherever headers do: once is enough.
        let follows = matches!(kind, FileKind::Transactions | FileKind::Results | FileKind::Scp);
        let wrong = column.files.iter().any(|file| file.cell == Cell::ProvablyWrong && file.group.is_some());
        let differ = !follows && (column.values.len() > 1 || wrong);
        let first = if differ && kind == FileKind::Ledger { self.first_difference() } else { None };
        let mut groups = Vec::new();
        if differ || !column.values.is_empty() {
            for (index, value) in column.values.iter().enumerate() {
                let members = with(index);
                let Some((archive, standing)) = members.first().copied() else { continue };
                let at_first = first.and_then(|ledger| self.holdings.iter().find(|holding| holding.archive == archive)?.hash(ledger));
                let archives = members.into_iter().map(|(archive, _)| archive).collect();
                groups.push(Group { value: Some(at_first.unwrap_or(*value)), archives, standing, fault: None });
            }
        }
        let mut ledger = first.or_else(|| (differ && kind == FileKind::History).then(|| self.checkpoint.last_ledger()));
        let mut faulty = false;
        for (holding, file) in self.holdings.iter().zip(&column.files) {
            if let HeldFile::Faulty(fault) = holding.file(kind) {
                faulty = true;
                ledger = ledger.or(fault.ledger);
                groups.push(Group {
                    value: None,
                    archives: vec![holding.archive],
                    standing: file.cell,
                    fault: Some(fault.message.clone()),
                });
            }
        }
        let sealed = match first {
            Some(ledger) => self.current.filter(|chain| chain.through >= ledger).and(self.member).and_then(|member| member.hash(ledger)),
            None => self.sealed(kind),
        };
        (differ || faulty).then(|| Disagreement { checkpoint: self.checkpoint.last_ledger(), kind, ledger, groups, sealed })
    }

    /// The first ledger of which two archives have different headers; without two, the one that is sealed.
    fn first_difference(&self) -> Option<LedgerSeq> {
        let differs = |ledger: &LedgerSeq| {
            let mut hashes = self.holdings.iter().filter_map(|holding| holding.hash(*ledger));
            let first = hashes.next();
            hashes.any(|hash| Some(hash) != first)
        };
        self.checkpoint.ledgers().find(differs).or_else(|| self.current.map(|chain| chain.through))
    }
}

/// How many of all files of an archive.
#[must_use]
pub fn total(kinds: impl IntoIterator<Item = Agreement>) -> Agreement {
    let mut sum = Agreement::default();
    kinds.into_iter().for_each(|agreement| sum.add(agreement));
    sum
}
