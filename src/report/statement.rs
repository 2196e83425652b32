//! A verdict in words: what it proves and what it does not. The one place that says it, for report, page, command line and README
//! (a test holds the README to it).

use serde::Serialize;

use super::{Anchor, LedgerRange, Report, TrustReport, Verdict};
use crate::archive::checkpoint::LedgerSeq;
use crate::trust::vouched::Vouched;
use crate::verify::finding::FindingCode;
use crate::verify::votes::Strength;

/// What a verdict proves and what it does not, whatever the archive.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meaning {
    /// The verdict, with what vouches for it.
    pub title: &'static str,
    /// What it proves.
    pub proves: &'static str,
    /// What it does not.
    pub does_not_prove: &'static str,
}

/// Every meaning there is; the README shows them in this order.
pub const MEANINGS: [Meaning; 7] = [SEALED, PARTLY, TRUSTED, CONSISTENT, SAMPLED, INCOMPLETE, FAULTY];

const SEALED: Meaning = Meaning {
    title: "verified, sealed by validators",
    proves: "every file of the range agrees with the chain of ledger headers, and a quorum of the validators whom you believe signed its end: any other history up to the sealed ledger would need other signatures of theirs, or a collision of SHA-256",
    does_not_prove: "that the validators deserve it, that they executed transactions as the protocol says, or what the ledgers above the sealed one did: those are consistent, but their own effects are only sealed by the ledger after them",
};

const PARTLY: Meaning = Meaning {
    title: "verified, vouched for in part",
    proves: "every file of the range agrees with the chain of ledger headers, and those whom you believe vouch for it up to the ledger that the report names",
    does_not_prove: "that the ledgers above that one are the network's: they follow it without a fault, but whoever goes on with a real history by himself gets the same verdict",
};

const TRUSTED: Meaning = Meaning {
    title: "verified, with a hash that you trust",
    proves: "every file of the range agrees with the chain of ledger headers, and its end has the hash that you trust: any other history would need a collision of SHA-256",
    does_not_prove: "that the hash is the network's: that is as good as where you have it from",
};

const CONSISTENT: Meaning = Meaning {
    title: "verified: consistent, not anchored",
    proves: "every file of the range agrees with the chain of ledger headers: nothing is missing, damaged or exchanged without all the rest being made to fit",
    does_not_prove: "that this history is the network's: nobody whom you believe vouches for its end, and whoever makes up a whole history, or keeps one of an earlier start of the network, gets the same verdict",
};

const SAMPLED: Meaning = Meaning {
    title: "verified, of a sample",
    proves: "every file of the drawn checkpoints agrees with the headers of its checkpoint, and validators vouch for those that are sealed",
    does_not_prove: "anything of the checkpoints that were not drawn beyond the odds that the report gives, nor that the drawn ones belong to one chain",
};

const INCOMPLETE: Meaning = Meaning {
    title: "incomplete",
    proves: "what was read has no fault",
    does_not_prove: "anything of what could not be read, or that anybody vouches for it whom you named and who was not found to",
};

const FAULTY: Meaning = Meaning {
    title: "faulty",
    proves: "at least one file is not what the rest of the archive, the network or those whom you trust say that it must be; each finding has the file, the ledger and both sides",
    does_not_prove: "that somebody meant it: damaged disks and interrupted uploads look the same; nor that all other files are sound, where the run stopped early",
};

impl Meaning {
    /// Of a report that has no verdict yet.
    pub(super) const NONE: &'static Self = &INCOMPLETE;
}

/// The meaning of a report.
#[must_use]
pub fn meaning(report: &Report) -> &'static Meaning {
    let vouches = |anchor: &Anchor| covers(anchor).is_some();
    match report.verdict {
        Verdict::Faulty => &FAULTY,
        Verdict::Incomplete => &INCOMPLETE,
        Verdict::Verified if report.options.sample.is_some() => &SAMPLED,
        Verdict::Verified if report.anchors.iter().any(vouches) && !reaches_the_end(report) => &PARTLY,
        Verdict::Verified => match report.anchors.iter().find(|anchor| vouches(anchor)) {
            Some(Anchor::Seal { .. }) => &SEALED,
            Some(_) => &TRUSTED,
            None => &CONSISTENT,
        },
    }
}

/// A few sentences about a report with that many errors, kept or not. `unmet`: nobody vouched for it of whom it was asked.
#[must_use]
pub fn statement(report: &Report, errors: u64, cancelled: bool, unmet: bool, vouched: Option<&Vouched>) -> String {
    let Some(range) = report.range else {
        return match report.verdict {
            Verdict::Faulty if report.findings.iter().any(|finding| finding.code == FindingCode::FileMissing) => {
                "There is no newest state at this address, so it is not known what there is to verify: the address may be wrong.".into()
            }
            Verdict::Faulty => "The newest state of the archive is faulty, so it is not known what there is to verify.".into(),
            _ if cancelled => "The run was cancelled before it was known what there is to verify.".into(),
            _ if report.notes.iter().any(|note| note.code == "archive-empty") => {
                "The archive is initialised but empty: there is nothing to verify yet.".into()
            }
            _ if report.errors.is_empty() => "There is nothing to verify in the range that was asked for.".into(),
            _ => "The archive could not be read, so nothing was verified.".into(),
        };
    };
    let span = match &report.options.sample {
        Some(sample) => format!("{} of the {} checkpoints of ledgers {} to {}", sample.count, sample.of, range.low, range.high),
        None => format!("ledgers {} to {}", range.low, range.high),
    };
    let blame = blame(report);
    match report.verdict {
        Verdict::Faulty => {
            let findings = if errors == 1 { "1 fault".to_owned() } else { format!("{errors} faults") };
            // One file that is not what it should be can be many findings: a reader wants to know how much of the archive it is.
            let (faulty, all) = faulty_files(report);
            let is = if faulty == 1 { "is" } else { "are" };
            let what = match faulty {
                0 => format!("{findings} in {span}"),
                _ => format!("{faulty} of {all} files {is} missing or wrong in {span} ({findings})"),
            };
            let foreign = report.findings.iter().any(|finding| finding.code == FindingCode::HasPassphraseMismatch && finding.is_error());
            let foreign = if foreign {
                " It says that it is of another network than the one that was asked for, and all the rest may follow from that."
            } else {
                ""
            };
            let rest = if cancelled { " The run was cancelled before the rest was looked at." } else { "" };
            let who = if report.archives.len() > 1 { "No archive has all of it sound" } else { "The archive is faulty" };
            let mismatch = report.findings.iter().find(|finding| finding.code == FindingCode::AnchorMismatch && finding.is_error());
            let mismatch =
                mismatch.map(|finding| format!(" It is not the history that you trust: {}.", finding.message)).unwrap_or_default();
            format!("{who}: {what}.{foreign}{mismatch}{rest}{blame}")
        }
        Verdict::Incomplete => {
            let why = match () {
                () if cancelled => "the run was cancelled",
                () if unmet && report.errors.is_empty() && !report.unchecked.iter().any(|count| count.incomplete) => {
                    let head = format!("Every file that was read of {span} agrees with the chain of ledger headers");
                    return if report.anchors.iter().any(|anchor| covers(anchor).is_some()) {
                        format!("{head}. {} But {}.{blame}", end(report, range, vouched), missed(report))
                    } else {
                        let why = not_anchored(&report.trust, vouched);
                        format!("{head}, but nobody of those that you named vouches for it. It is consistent, not anchored: {why}.{blame}")
                    };
                }
                () if report.errors.is_empty() && report.notes.iter().any(|note| note.code == "range-clamped") => {
                    "the archive ends below the ledgers that were asked for"
                }
                () => "some files could not be read",
            };
            format!("No fault was found in what was read of {span}, but {why}: this is no verdict on the rest.{blame}")
        }
        Verdict::Verified => {
            let skipped = match (report.options.skip_buckets, report.options.skip_optional) {
                (true, true) => " (buckets and scp files left out)",
                (true, false) => " (buckets left out)",
                (false, true) => " (scp files left out)",
                (false, false) => "",
            };
            let genesis = report.anchors.iter().any(|anchor| matches!(anchor, Anchor::Genesis { .. }));
            let start = if genesis {
                "It begins at the genesis ledger that the network's passphrase implies"
            } else if report.anchors.iter().any(|anchor| covers(anchor).is_some()) {
                "It does not begin at the genesis ledger: what lies below was not looked at"
            } else {
                "It does not begin at the genesis ledger, so nothing ties its start to the network"
            };
            let agreed = report.anchors.iter().find_map(|anchor| match anchor {
                Anchor::Archives { ledger, archives, .. } => {
                    Some(format!(" {} archives announce the same state of ledger {ledger}.", archives.len()))
                }
                _ => None,
            });
            let agreed = agreed.unwrap_or_default();
            match &report.options.sample {
                Some(sample) => format!(
                    "Every file of {span}{skipped} agrees with the headers of its checkpoint. {}. Nothing ties the checkpoints to each other. {}{agreed}{blame}",
                    sample.guarantee,
                    sample_end(report, vouched)
                ),
                None => format!(
                    "Every file of {span}{skipped} agrees with the chain of ledger headers. {start}. {}{agreed}{blame}",
                    end(report, range, vouched)
                ),
            }
        }
    }
}

/// Files that are missing or wrong, and all that the run was about.
fn faulty_files(report: &Report) -> (u64, u64) {
    report.totals.values().fold((0, 0), |(faulty, all), tally| (faulty.saturating_add(tally.faulty), all.saturating_add(tally.total())))
}

/// Who was named and does not vouch for it, as a clause.
fn missed(report: &Report) -> String {
    let sealed = report.anchors.iter().any(|anchor| matches!(anchor, Anchor::Seal { covers: Some(_), .. }));
    match &report.trust.quorum_set {
        Some(set) if set.asked_for && !sealed => format!("no quorum of {} was found to have signed any of it", set.name),
        _ => "none of the hashes that you trust is of a ledger of this range".into(),
    }
}

/// What vouches for the end of a chain, and what is left.
fn end(report: &Report, range: LedgerRange, vouched: Option<&Vouched>) -> String {
    let covered = |anchor: &&Anchor| covers(anchor).is_some();
    let Some(anchor) = report.anchors.iter().find(covered) else {
        return format!("It is consistent, not anchored: {}.", not_anchored(&report.trust, vouched));
    };
    let through = covers(anchor).map_or(range.low, |covers| covers.high);
    let rest = match through.next().filter(|next| *next <= range.high) {
        None => String::new(),
        Some(next) if next == range.high => {
            format!(
                " What ledger {next} itself did (its results and its state) is consistent, but not sealed: only the ledger after it does that."
            )
        }
        Some(next) => format!(" Ledgers {next} to {} are consistent, but not sealed.", range.high),
    };
    let sentence = anchored(anchor);
    format!("{}{}.{rest}", sentence.get(..1).unwrap_or_default().to_uppercase(), sentence.get(1..).unwrap_or_default())
}

fn sample_end(report: &Report, vouched: Option<&Vouched>) -> String {
    match vouched.map_or(0, Vouched::sealed) {
        0 if vouched.is_some_and(|vouched| vouched.hash_count() > 0) => "Some of them have hashes that you trust.".into(),
        0 => format!("They are consistent, not anchored: {}.", not_anchored(&report.trust, vouched)),
        1 => "One of them is sealed by validators whom you believe.".into(),
        many => format!("{many} of them are sealed by validators whom you believe."),
    }
}

/// Whether the end is vouched for: by a seal as far as any can, by a trusted hash to the last ledger.
fn reaches_the_end(report: &Report) -> bool {
    let Some(range) = report.range else { return false };
    report.anchors.iter().any(|anchor| vouches_for_the_end(anchor, range.high))
}

/// Whether an anchor vouches for a chain that ends at a ledger: no seal covers the last ledger itself.
pub(super) fn vouches_for_the_end(anchor: &Anchor, last: LedgerSeq) -> bool {
    match anchor {
        Anchor::Seal { covers: Some(covers), .. } => covers.high.next() >= Some(last),
        Anchor::TrustedHash { covers: Some(covers), .. } => covers.high == last,
        _ => false,
    }
}

/// What a seal or a trusted hash covers.
fn covers(anchor: &Anchor) -> Option<LedgerRange> {
    match anchor {
        Anchor::Seal { covers, .. } | Anchor::TrustedHash { covers, .. } => *covers,
        Anchor::Genesis { .. } | Anchor::Archives { .. } => None,
    }
}

/// What an anchor proves, as a clause.
pub(super) fn anchored(anchor: &Anchor) -> String {
    let span = |covers: &Option<LedgerRange>, ledger: &LedgerSeq| match covers {
        Some(LedgerRange { low, high }) if low == high => format!("ledger {ledger}"),
        Some(LedgerRange { low, high }) => format!("ledgers {low} to {high}"),
        None => format!("ledger {ledger}"),
    };
    match anchor {
        Anchor::Genesis { .. } => "ledger 1 is the one that the network's passphrase implies".into(),
        Anchor::Seal { seal, quorum_set, covers } => {
            let what = match seal.strength {
                Strength::AcceptedCommit => "signed",
                Strength::CommitVote => "signed that they vote to commit",
            };
            format!(
                "{} are sealed by {} of the {} validators of {quorum_set}: they {what} ledger {}, whose transaction set names the header before it",
                span(covers, &seal.ledger),
                seal.signers.len(),
                seal.of,
                seal.signed
            )
        }
        Anchor::TrustedHash { ledger, covers, .. } => {
            format!("ledger {ledger} has the hash that you trust, which vouches for {}", span(covers, ledger))
        }
        Anchor::Archives { ledger, archives, .. } => format!("{} archives announce the same state of ledger {ledger}", archives.len()),
    }
}

/// Why nobody vouches for a history, as a clause.
pub(super) fn not_anchored(trust: &TrustReport, vouched: Option<&Vouched>) -> String {
    let hashes = if trust.hashes.given > 0 && trust.hashes.met == 0 {
        "none of the hashes that you trust is of a ledger of this range, and "
    } else {
        ""
    };
    let forger = "a forger could make up a consistent history";
    let why = match (&trust.quorum_set, vouched) {
        (None, _) => {
            format!(
                "no quorum set is believed (none is known for this network, or none was wanted), so no validator's signature vouches for it, and {forger}"
            )
        }
        (Some(set), Some(vouched)) if vouched.looked() > 0 && vouched.saw_trusted() => format!(
            "some validators of {} signed ledgers near its end, but the files show no quorum of them, which proves nothing either way",
            set.name
        ),
        (Some(set), Some(vouched)) if vouched.looked() > 0 => {
            format!("no validator of {} signed any of the ledgers near its end that have messages, and {forger}", set.name)
        }
        (Some(_), _) => format!("no messages of validators were looked at, and {forger}"),
    };
    format!("{hashes}{why}")
}

/// Archives whose files were not what other archives have, and sound.
fn blame(report: &Report) -> String {
    if report.findings.iter().any(|finding| finding.code == FindingCode::ArchivesDisagree && finding.is_error()) {
        return " The archives hold different histories that are sound by themselves: nothing here can tell which one is the network's."
            .into();
    }
    let is_to_blame = |archive: &&str| report.findings.iter().any(|finding| finding.good_from.is_some() && finding.archive == *archive);
    let blamed = report.sources.iter().map(|source| source.archive.as_str()).filter(is_to_blame);
    let sentences = blamed.map(|archive| {
        let source = report.sources.iter().find(|source| source.archive == archive);
        let (faulty, missing) = source.map_or((0, 0), |source| (source.faulty, source.missing));
        let what = match (faulty, missing) {
            (0, 0) => "has a newest state that is not sound".to_owned(),
            (0, missing) => format!("lacks {}", files(missing)),
            (faulty, 0) => format!("served {}", unsound(faulty)),
            (faulty, missing) => format!("served {} and lacks {}", unsound(faulty), files(missing)),
        };
        format!(" {archive} {what}; other archives have the same sound.")
    });
    sentences.collect()
}

fn unsound(count: u64) -> String {
    if count == 1 { "1 unsound file".into() } else { format!("{count} unsound files") }
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}
