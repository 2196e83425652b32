//! What a proof's report says in sentences: what it proves, and what it does not.

use super::{EntryFacts, ProofAnchor, ProofFacts, ProofReport, ProofVerdict, Standing, Subject};
use crate::archive::time::iso_8601;
use crate::verify::votes::Strength;

pub(super) fn statement(report: &ProofReport) -> String {
    if let Some(fault) = &report.fault {
        let field = if fault.field.is_empty() { String::new() } else { format!("{}: ", fault.field) };
        return format!("The proof is wrong and proves nothing. {field}{}.", fault.message);
    }
    let Some(facts) = &report.facts else { return "There is nothing to say.".into() };
    let says = subject(report, facts);
    match report.verdict {
        ProofVerdict::Proven => format!("{says} {}", anchors(report)),
        _ if report.anchors.is_empty() => {
            format!("The file fits together, but nobody whom you trust vouches for it. It says: {says} {}", nobody(report))
        }
        _ => format!("{} {}", anchors(report), unsearched(facts)),
    }
}

pub(super) fn does_not_prove(report: &ProofReport) -> String {
    let Some(facts) = &report.facts else {
        return "It does not prove that the opposite is true, either: whoever made the file may have damaged it.".into();
    };
    let trust = match report.anchors.first() {
        Some(ProofAnchor::Seal { .. }) => {
            "It rests on your choice of validators: if enough of them sign another history, it proves that one."
        }
        Some(ProofAnchor::TrustedHash { .. }) => "It rests on where you have the hash from.",
        None => "It names its own signers, and anyone can make up signers.",
    };
    let subject = match &facts.subject {
        Subject::Transaction(_) => {
            "It does not prove what the transaction changed beyond its result, nor that later transactions left it so."
        }
        Subject::Entry(entry) if entry.hot_archive && entry.standing != Standing::Live => {
            "It says nothing of later ledgers, nor of the hot archive, which was not searched: an archived contract entry may be there and can be restored."
        }
        Subject::Entry(_) => "It says nothing of later ledgers, in which the entry may have changed.",
    };
    format!("{trust} {subject}")
}

fn subject(report: &ProofReport, facts: &ProofFacts) -> String {
    let of = report.network.as_ref().map(|network| format!(" of the network {network:?}")).unwrap_or_default();
    // A number that was written by `to_string`.
    let closed = facts.close_time.parse().map_or_else(|_| facts.close_time.clone(), iso_8601);
    let ledger = format!("ledger {}{of} (closed {closed})", facts.ledger);
    match &facts.subject {
        Subject::Transaction(transaction) => format!(
            "Transaction {} is number {} of the {} that {ledger} applied, counted from 0; {}, and it paid {} stroops.",
            transaction.hash, transaction.index, transaction.of, transaction.result_in_words, transaction.fee_charged
        ),
        Subject::Entry(entry) => {
            let is = match entry.standing {
                Standing::Absent => "does not exist: no bucket of the live list has it",
                Standing::Dead => "does not exist any more: its newest version says that it was removed",
                Standing::Live => "exists, as the file has it",
            };
            let which = match &entry.account {
                Some(address) => format!("of {address}"),
                None => format!("with the key {}", entry.key),
            };
            format!("After {ledger} the {} entry {which} {is}.", entry.entry_type)
        }
    }
}

fn anchors(report: &ProofReport) -> String {
    let anchor = |anchor: &ProofAnchor| match anchor {
        ProofAnchor::Seal { seal, quorum_set } => {
            let strength = match seal.strength {
                Strength::AcceptedCommit => "accepted",
                Strength::CommitVote => "voted to commit",
            };
            format!(
                "{} of the {} validators of {quorum_set} {strength} ledger {}, whose value commits to ledger {} and all before it.",
                seal.signers.len(),
                seal.of,
                seal.signed,
                seal.ledger
            )
        }
        ProofAnchor::TrustedHash { ledger, hash } => format!("Ledger {ledger} has the hash that you trust, {hash}."),
    };
    report.anchors.iter().map(anchor).collect::<Vec<_>>().join(" ")
}

fn nobody(report: &ProofReport) -> String {
    let trusted = report.signers.iter().filter(|signer| signer.trusted).count();
    match report.signers.len() {
        0 => "No signatures are in the file: compare a hash of one of its headers with one that you trust.".into(),
        all if trusted > 0 => format!("{trusted} of its {all} signers are in your quorum set, which are too few."),
        all => format!("Its {all} signers are not in your quorum set: name one that has them only if you know who they are."),
    }
}

fn unsearched(facts: &ProofFacts) -> String {
    let Subject::Entry(EntryFacts { buckets, .. }) = &facts.subject else { return String::new() };
    format!(
        "So the bucket list of ledger {} is known, but the entry was not looked for: that takes {}, not in the file. Fetch what the step names from any archive, check that each hashes to its name, and search from the newest down.",
        facts.ledger,
        match buckets.len() {
            1 => "the newest bucket".to_owned(),
            count => format!("the {count} newest buckets"),
        }
    )
}
