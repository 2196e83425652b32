//! From what a run has come to, to its report: the verdict, the claims, what counts for what.

use std::collections::{BTreeMap, BTreeSet};

use super::statement::{anchored, not_anchored, vouches_for_the_end};
use super::{
    Anchor, BelievedReport, Bytes, Claim, HashCount, LedgerRange, Meaning, NetworkName, Report, ReportOptions, SampleReport, Source,
    TrustReport, UncheckedCount, Verdict, Versions, meaning, statement,
};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::path::FileKind;
use crate::codec::hash::Hash256;
use crate::historywork::archives::{Accounts, Archives};
use crate::historywork::metrics::Metrics;
use crate::historywork::range::JoinedRange;
use crate::historywork::saved::SavedHead;
use crate::trust::preset::Believed;
use crate::trust::vouched::Vouched;
use crate::verify::checkpoint::{Rules, Unchecked};
use crate::verify::finding::{Finding, FindingCode, Note};
use crate::verify::segment::{Kept, Segment};

/// What a run has come to.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// What it began with.
    pub head: &'a SavedHead,
    /// The archives and the rules.
    pub archives: &'a Archives,
    /// What was joined; none if there was nothing to verify.
    pub range: Option<&'a JoinedRange>,
    /// What is wrong with the newest states.
    pub findings: Vec<Finding>,
    /// The quorum set that is believed.
    pub believed: Option<Believed>,
    /// What several archives announce as their newest state.
    pub agreed: Option<Agreed>,
    /// What is worth saying of the run.
    pub notes: Vec<Note>,
    /// What was asked of the archives before and after the range.
    pub accounts: Accounts,
    /// What the archives announced in the end.
    pub end_ledgers: Vec<Option<LedgerSeq>>,
    /// The code of the note that less was there than was asked for.
    pub clamped: &'static str,
    /// Whether it was stopped.
    pub cancelled: bool,
    /// Wall time.
    pub elapsed_ms: u64,
}

/// A newest state that several archives announce, and that the headers have.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// Its ledger.
    pub ledger: LedgerSeq,
    /// The hash of its live buckets' list.
    pub hash: Hash256,
    /// Their names.
    pub archives: Vec<String>,
}

/// Makes the report.
#[must_use]
pub fn compose(outcome: Outcome<'_>) -> Report {
    let Outcome { head, archives, range, findings, believed, agreed, mut notes, mut accounts, end_ledgers, clamped, cancelled, elapsed_ms } =
        outcome;
    let rules = archives.rules();
    let segments = range.map(JoinedRange::segments).unwrap_or_default();
    let kept = kept(findings, range, &segments, rules.budget.findings);
    if let Some(range) = range {
        accounts.add(range.accounts());
    }
    let span = range.map(|range| range.plan().range());
    let span = span.map(|range| LedgerRange { low: range.first().first_ledger(), high: range.last().last_ledger() });
    let kinds = FileKind::ALL.into_iter().map(Some).chain([None]);
    let totals: BTreeMap<_, _> =
        kinds.map(|kind| (kind.map_or("bucket", FileKind::name), range.map(|range| range.tally(kind)).unwrap_or_default())).collect();
    let why_unchecked = range.map(JoinedRange::unchecked).unwrap_or_default();
    let unread = why_unchecked.iter().any(|(_, why, _)| why.is_incomplete());
    let unchecked = why_unchecked.into_iter().map(|(kind, why, count)| UncheckedCount {
        kind: kind.map_or("bucket", FileKind::name),
        reason: Unchecked::reason(why),
        incomplete: why.is_incomplete(),
        count,
    });
    let (errors, _) = range.map_or((&[][..], 0), JoinedRange::errors);
    let mut errors: Vec<_> = errors.iter().chain(&head.errors).cloned().collect();
    errors.sort_by(|a, b| (&a.path, &a.code, &a.message).cmp(&(&b.path, &b.code, &b.message)));
    let was_clamped = notes.iter().any(|note| note.code == clamped);
    let nothing_read = !head.roots.iter().any(|root| root.read);
    let anchors = Anchors { rules, segments: &segments, range, believed: believed.as_ref() };
    let trust = anchors.trust();
    let anchors = anchors.all(agreed);
    let sealed_through = anchors.iter().find_map(|anchor| match anchor {
        Anchor::Seal { seal, covers: Some(_), .. } => Some(seal.ledger),
        _ => None,
    });
    // Who names somebody to believe wants to know that they vouch for it.
    let unmet = (believed.is_some_and(|believed| believed.asked_for) && sealed_through.is_none())
        || (trust.hashes.given > 0 && trust.hashes.met == 0);
    let incomplete = unmet || cancelled || was_clamped || range.is_none() || nothing_read || !errors.is_empty() || unread;
    let faulty = !kept.errors().is_empty() || totals.values().any(|tally| tally.faulty > 0);
    let verdict = match (faulty, incomplete) {
        (true, _) => Verdict::Faulty,
        (false, true) => Verdict::Incomplete,
        (false, false) => Verdict::Verified,
    };
    let claims = Claims { rules, range, segments: &segments, kept: &kept, anchors: &anchors, trust: &trust }.all(span);
    notes.extend(range.map(JoinedRange::bucket_notes).unwrap_or_default().iter().cloned());
    notes.extend(segments.iter().flat_map(|segment| segment.notes()).cloned());
    notes.sort_by(|a, b| (a.checkpoint, &a.code, &a.path).cmp(&(b.checkpoint, &b.code, &b.path)));
    let total = accounts.total();
    let request = &head.request;
    let sample = range.and_then(|range| {
        let plan = range.plan();
        Some(SampleReport { count: plan.count(), of: plan.range().count(), seed: plan.seed()?, guarantee: plan.guarantee()? })
    });
    let mut report = Report {
        schema: 1,
        verifier: Versions::CURRENT,
        archives: request.archives.clone(),
        network: NetworkName {
            passphrase: rules.network.as_ref().map(|network| network.passphrase().to_owned()),
            name: rules.network.as_ref().and_then(|network| network.name()),
        },
        range: span,
        options: ReportOptions {
            deep: request.deep,
            skip_optional: request.skip_optional,
            skip_buckets: request.skip_buckets,
            order: request.order,
            sample,
        },
        verdict,
        statement: String::new(),
        meaning: Meaning::NONE,
        sealed_through,
        anchors,
        trust,
        claims,
        totals,
        unchecked: unchecked.collect(),
        findings_dropped: kept.dropped(),
        findings: sorted(kept.list().to_vec(), request.archives.first()),
        errors,
        notes,
        sources: sources(head, archives, &accounts, &end_ledgers),
        metrics: Metrics::of_range(range, &accounts),
        started_at: head.started_at.clone(),
        elapsed_ms,
        bytes: Bytes { compressed: total.compressed.to_string(), inflated: total.inflated.to_string() },
    };
    let errors = kept.errors().values().fold(0, |sum: u64, count| sum.saturating_add(*count));
    report.meaning = meaning(&report);
    report.statement = statement(&report, errors, cancelled, unmet, range.map(JoinedRange::vouched));
    report
}

fn kept(findings: Vec<Finding>, range: Option<&JoinedRange>, segments: &[&Segment], limit: usize) -> Kept {
    let mut kept = Kept::default();
    kept.extend(findings, usize::MAX);
    if let Some(range) = range {
        kept.append(range.bucket_findings().clone(), limit);
    }
    for segment in segments {
        kept.append(segment.findings().clone(), limit);
    }
    kept
}

fn sorted(mut findings: Vec<Finding>, only: Option<&String>) -> Vec<Finding> {
    for finding in findings.iter_mut().filter(|finding| finding.archive.is_empty()) {
        finding.archive = only.cloned().unwrap_or_default();
    }
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.checkpoint, finding.code.rank(), finding.ledger);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.path.cmp(&b.path))
            .then_with(|| (a.offset, a.code).cmp(&(b.offset, b.code)))
            .then_with(|| a.archive.cmp(&b.archive))
    });
    findings
}

fn sources(head: &SavedHead, archives: &Archives, accounts: &Accounts, ends: &[Option<LedgerSeq>]) -> Vec<Source> {
    let source = |(id, root): (crate::archive::id::ArchiveId, &crate::historywork::saved::Root)| {
        let account = accounts.get(id);
        Source {
            archive: archives.name(id).to_owned(),
            ledger: root.state.as_ref().map(|state| state.current_ledger),
            end_ledger: ends.get(id.index()).copied().flatten(),
            requests: account.requests,
            failures: account.failures,
            throttled: account.throttled,
            missing: account.missing,
            faulty: account.faulty,
            bytes: account.compressed.to_string(),
        }
    };
    archives.everybody().zip(&head.roots).map(source).collect()
}

/// What the chain is tied to.
struct Anchors<'a> {
    rules: &'a Rules,
    segments: &'a [&'a Segment],
    range: Option<&'a JoinedRange>,
    believed: Option<&'a Believed>,
}

impl Anchors<'_> {
    /// Genesis, then seals and trusted hashes from the newest down: in a chain the newest says all.
    fn all(&self, agreed: Option<Agreed>) -> Vec<Anchor> {
        let first = self.segments.first().and_then(|segment| segment.first()).filter(|first| first.sequence == LedgerSeq::GENESIS);
        let genesis = first.filter(|first| Some(first.hash) == self.rules.genesis).map(|first| {
            let covers = Some(LedgerRange { low: first.sequence, high: first.sequence });
            Anchor::Genesis { ledger: first.sequence, hash: first.hash, covers }
        });
        let vouched = self.range.map(JoinedRange::vouched);
        let believed = self.believed.map(|believed| believed.name.clone()).unwrap_or_default();
        let mut met = BTreeSet::new();
        let mut first_of_segment = |ledger: &LedgerSeq| self.segment(*ledger).is_some_and(|segment| met.insert(segment.range().0));
        let seals = vouched.into_iter().flat_map(Vouched::seals).filter(|seal| first_of_segment(&seal.ledger)).map(|seal| Anchor::Seal {
            seal: seal.clone(),
            quorum_set: believed.clone(),
            covers: self.covers(seal.ledger),
        });
        let seals: Vec<_> = seals.collect();
        let mut met = BTreeSet::new();
        let mut first_of_segment = |ledger: &LedgerSeq| self.segment(*ledger).is_some_and(|segment| met.insert(segment.range().0));
        let hashes = vouched.into_iter().flat_map(Vouched::hashes).filter(|(ledger, _)| first_of_segment(ledger));
        let hashes = hashes.map(|(ledger, hash)| Anchor::TrustedHash { ledger, hash, covers: self.covers(ledger) });
        let agreed = agreed.map(|Agreed { ledger, hash, archives }| {
            let covers = Some(LedgerRange { low: ledger, high: ledger });
            Anchor::Archives { ledger, hash, archives, covers }
        });
        genesis.into_iter().chain(seals).chain(hashes).chain(agreed).collect()
    }

    fn segment(&self, ledger: LedgerSeq) -> Option<&Segment> {
        let holds = |segment: &&&Segment| {
            let (low, high) = segment.range();
            (low.first_ledger()..=high.last_ledger()).contains(&ledger)
        };
        self.segments.iter().find(holds).copied()
    }

    /// What the chain ties to a ledger: all of its segment that lies below, if the headers are sound.
    fn covers(&self, ledger: LedgerSeq) -> Option<LedgerRange> {
        let segment = self.segment(ledger)?;
        is_whole(segment).then(|| LedgerRange { low: segment.range().0.first_ledger(), high: ledger })
    }

    fn trust(&self) -> TrustReport {
        let vouched = self.range.map(JoinedRange::vouched);
        TrustReport {
            quorum_set: self.believed.map(|believed| BelievedReport {
                name: believed.name.clone(),
                asked_for: believed.asked_for,
                set: (*believed.set).clone(),
            }),
            all_signatures: self.rules.all_signatures,
            looked: vouched.map_or(0, Vouched::looked),
            quorums: vouched.filter(|_| self.rules.all_signatures && self.believed.is_some()).map(Vouched::quorums),
            hashes: HashCount {
                given: crate::codec::u64_from(self.rules.trusted_hashes.len()),
                met: vouched.map_or(0, Vouched::hash_count),
            },
        }
    }
}

/// Whether all headers of a segment are one sound chain.
fn is_whole(segment: &Segment) -> bool {
    let tally = segment.tally(FileKind::Ledger);
    segment.open_seams() == 0 && tally.total() == tally.verified
}

struct Claims<'a> {
    rules: &'a Rules,
    range: Option<&'a JoinedRange>,
    segments: &'a [&'a Segment],
    kept: &'a Kept,
    anchors: &'a [Anchor],
    trust: &'a TrustReport,
}

impl Claims<'_> {
    fn all(&self, span: Option<LedgerRange>) -> Vec<Claim> {
        span.map(|span| vec![self.network(), self.genesis(span), self.chain(span), self.tip()]).unwrap_or_default()
    }

    fn found(&self, codes: &[FindingCode]) -> bool {
        codes.iter().any(|code| self.kept.errors().contains_key(code))
    }

    fn network(&self) -> Claim {
        let saw_passphrase = self.range.is_some_and(JoinedRange::saw_passphrase);
        match &self.rules.network {
            None => claim(
                "network",
                "unchecked",
                "no state names the network, and none was given: genesis and transaction hashes were not checked".into(),
            ),
            Some(_) if self.found(&[FindingCode::HasPassphraseMismatch]) => {
                claim("network", "faulty", "a state names another network".into())
            }
            Some(network) if saw_passphrase => {
                claim("network", "verified", format!("every state that names a network names \"{network}\""))
            }
            Some(network) => claim("network", "unchecked", format!("no state names a network; \"{network}\" was taken on trust")),
        }
    }

    fn genesis(&self, span: LedgerRange) -> Claim {
        let lowest = self.segments.first().and_then(|segment| segment.first());
        let lowest = lowest.filter(|first| first.sequence == span.low);
        match (span.low, lowest, self.rules.genesis) {
            (low, ..) if low != LedgerSeq::GENESIS => {
                claim("genesis", "unchecked", format!("the range begins at ledger {low}, so the chain does not reach down to ledger 1"))
            }
            (_, None, _) => claim("genesis", "unchecked", "the header of ledger 1 was not looked at or could not be read".into()),
            (_, _, None) => claim("genesis", "unchecked", "without a passphrase there is no telling what ledger 1 must be".into()),
            (_, Some(first), Some(genesis)) if first.hash == genesis => {
                claim("genesis", "verified", "ledger 1 is the one that the network's passphrase implies".into())
            }
            _ => claim("genesis", "faulty", "ledger 1 is not the one that the network's passphrase implies".into()),
        }
    }

    fn chain(&self, LedgerRange { low, high }: LedgerRange) -> Claim {
        let broken: Vec<_> = FindingCode::ALL.iter().copied().filter(|code| code.is_about_headers()).collect();
        let whole = matches!(self.segments, [only] if is_whole(only)
            && only.range().0.first_ledger() == low && only.range().1.last_ledger() == high);
        let span = format!("ledgers {low} to {high}");
        if self.found(&broken) {
            claim("chain", "faulty", format!("the headers of {span} are not one sound chain"))
        } else if whole {
            claim("chain", "verified", format!("the headers of {span} are one unbroken chain of hashes"))
        } else if self.range.is_some_and(|range| range.plan().seed().is_some()) {
            claim("chain", "unchecked", format!("only a sample of {span} was looked at: nothing ties the checkpoints to each other"))
        } else {
            claim("chain", "unchecked", format!("not every header of {span} could be checked against its neighbours"))
        }
    }

    fn tip(&self) -> Claim {
        if self.found(&[FindingCode::AnchorMismatch]) {
            return claim("tip", "faulty", "the history is not the one that was trusted".into());
        }
        let newest = self.segments.last().and_then(|segment| segment.last());
        let to_the_end = self.anchors.iter().find(|anchor| newest.is_some_and(|last| vouches_for_the_end(anchor, last.sequence)));
        let partly = self
            .anchors
            .iter()
            .find(|anchor| matches!(anchor, Anchor::Seal { covers: Some(_), .. } | Anchor::TrustedHash { covers: Some(_), .. }));
        match (to_the_end.or(partly).map(anchored), newest) {
            (Some(anchored), _) if to_the_end.is_some() => claim("tip", "verified", anchored),
            (Some(anchored), Some(last)) => {
                let tail = format!("nothing vouches for what follows, up to the newest header {} of ledger {}", last.hash, last.sequence);
                claim("tip", "unchecked", format!("{anchored}; {tail}"))
            }
            (None, Some(last)) => {
                let head = format!("nothing vouches for the newest header {} of ledger {}", last.hash, last.sequence);
                claim("tip", "unchecked", format!("{head}: {}", not_anchored(self.trust, self.range.map(JoinedRange::vouched))))
            }
            (_, None) => claim("tip", "unchecked", "the newest header could not be read".into()),
        }
    }
}

fn claim(claim: &'static str, status: &'static str, statement: String) -> Claim {
    Claim { claim, status, statement }
}
