//! What is to be mended of an archive, as stellar-archivist 28 writes and reads it: its report, schema 1 (rules C).
//!
//! What it is: the form that both programs' `repair --plan` take, from text and to text, and the way from findings to it. What
//! it is not: a statement that anything is wrong; whoever acts on a plan looks for himself, since a plan is anybody's text.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{LedgerRange, Report, SampleReport, Source};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::BucketHash;
use crate::codec::u64_from;
use crate::verify::finding::{Finding, FindingCode};
use crate::verify::segment::Tally;

/// The version of the schema.
const VERSION: u32 = 1;

/// What is to be mended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RepairPlan {
    /// Where `.well-known/stellar-history.json` is wrong: the checkpoint whose state it is to be made of.
    pub well_known: Option<Checkpoint>,
    /// Files that are missing, or wrong by themselves.
    pub files: BTreeMap<Checkpoint, BTreeSet<FileKind>>,
    /// Buckets that are missing, or not what their names say.
    pub buckets: BTreeSet<BucketHash>,
    /// Checkpoints whose files contradict each other or those of a neighbour: any of them may be the wrong one.
    pub checkpoints: BTreeSet<Checkpoint>,
    /// What whoever made the plan counted.
    pub summary: PlanSummary,
}

/// Counts of the run that a plan is of. Nothing depends on them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlanSummary {
    /// Files that are sound.
    pub succeeded: u64,
    /// Files that were not looked at.
    pub skipped: u64,
    /// Files and buckets that the plan lists.
    pub failed: u64,
    /// Reads that were tried again.
    pub retries: u64,
}

/// Caps on a plan from outside.
#[derive(Clone, Copy, Debug)]
pub struct PlanLimits {
    /// Bytes of text.
    pub bytes: usize,
    /// Files, buckets and checkpoints, doubles counted.
    pub entries: usize,
}

impl Default for PlanLimits {
    /// Public Stellar's archives have fewer checkpoints than a million; that many buckets, indented, are 80 MB.
    fn default() -> Self {
        Self { bytes: 128 << 20, entries: 1_000_000 }
    }
}

/// Text that is no plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is no repair plan: {0}; one is a report of stellar-archivist, schema 1, or what --plan of this program writes")]
pub struct RepairPlanError(String);

impl RepairPlan {
    /// Reads a plan: a report of one section, or of several, which are united.
    ///
    /// Unknown fields are passed over, as stellar-archivist does.
    ///
    /// # Errors
    /// If it is none: the reason names the line and the field.
    pub fn parse(text: &str, frequency: CheckpointFrequency, limits: &PlanLimits) -> Result<Self, RepairPlanError> {
        if text.len() > limits.bytes {
            return Err(RepairPlanError(format!("it is larger than {} bytes", limits.bytes)));
        }
        let mut reading = Reading { plan: Self::default(), frequency, left: limits.entries, limits };
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Document(&mut reading).deserialize(&mut json).and_then(|()| json.end());
        match read {
            Ok(()) => Ok(reading.plan),
            Err(error) => Err(RepairPlanError(in_words(&error))),
        }
    }

    /// The plan of findings, those of them that a sound copy of a file can mend: the errors, and what another archive has sound.
    ///
    /// `whole` is the checkpoint that `.well-known` can be made of.
    #[must_use]
    pub fn from_findings<'a>(
        findings: impl IntoIterator<Item = &'a Finding>,
        frequency: CheckpointFrequency,
        whole: Option<Checkpoint>,
    ) -> Self {
        let mut plan = Self::default();
        let mut missing: BTreeMap<BucketHash, BTreeSet<Option<Checkpoint>>> = BTreeMap::new();
        for finding in findings.into_iter().filter(|finding| finding.is_error() || finding.good_from.is_some()) {
            plan.add(finding, frequency, whole);
            if let (FindingCode::BucketMissing, Some(bucket)) = (finding.code, finding.bucket.or_else(|| bucket_of(&finding.path))) {
                let named_by = finding.checkpoint.and_then(|ledger| frequency.ending_at(ledger));
                missing.entry(bucket).or_default().insert(named_by);
            }
        }
        // What only states name that are to be mended themselves may never have been: the states that replace them tell.
        let is_mended = |checkpoint: &Option<Checkpoint>| {
            checkpoint.is_some_and(|checkpoint| {
                let kinds = plan.files.get(&checkpoint);
                plan.checkpoints.contains(&checkpoint) || kinds.is_some_and(|kinds| kinds.contains(&FileKind::History))
            })
        };
        let made_up: Vec<_> = missing.iter().filter(|(_, named_by)| named_by.iter().all(is_mended)).map(|(bucket, _)| *bucket).collect();
        plan.buckets.retain(|bucket| !made_up.contains(bucket));
        plan.summary.failed = plan.failed();
        plan
    }

    /// The plan of what a report found.
    #[must_use]
    pub fn of_report(found: &Found) -> Self {
        let frequency = found.frequency();
        let mut plan = Self::from_findings(&found.findings, frequency, found.whole(frequency));
        let sum = |of: fn(&Tally) -> u64| found.totals.values().map(of).fold(0, u64::saturating_add);
        plan.summary.succeeded = sum(|tally| tally.verified);
        plan.summary.skipped = sum(|tally| tally.unchecked);
        plan.summary.retries = found.sources.iter().map(|source| source.failures).fold(0, u64::saturating_add);
        plan
    }

    /// Adds what a finding says is to be mended, whatever its severity. Says whether a plan can express it: not where it is about
    /// `.well-known` and no checkpoint is known that it could be made of.
    pub fn add(&mut self, finding: &Finding, frequency: CheckpointFrequency, whole: Option<Checkpoint>) -> bool {
        let placed = self.place(finding, finding.code, frequency, whole);
        for code in finding.consequences.keys() {
            // What is explained by a file's own fault stands in the same file; what contradicts another file may outlive its cause.
            if Remedy::of(*code) == Remedy::Checkpoint {
                self.place(finding, *code, frequency, whole);
            }
        }
        placed
    }

    /// Whether there is nothing to mend.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty() && !self.lists_checkpoints()
    }

    /// Whether there is more to mend than buckets.
    #[must_use]
    pub fn lists_checkpoints(&self) -> bool {
        self.well_known.is_some() || !self.files.is_empty() || !self.checkpoints.is_empty()
    }

    /// Adds a file of a checkpoint.
    pub fn add_file(&mut self, checkpoint: Checkpoint, kind: FileKind) {
        self.files.entry(checkpoint).or_default().insert(kind);
    }

    /// Takes in all of another plan.
    pub fn merge(&mut self, other: Self) {
        self.well_known = self.well_known.max(other.well_known);
        for (checkpoint, kinds) in other.files {
            self.files.entry(checkpoint).or_default().extend(kinds);
        }
        self.buckets.extend(other.buckets);
        self.checkpoints.extend(other.checkpoints);
        self.summary.merge(&other.summary);
    }

    /// Files and buckets that it lists: what stellar-archivist counts as failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        u64_from(self.files.values().map(BTreeSet::len).sum::<usize>()).saturating_add(u64_from(self.buckets.len()))
    }

    /// The JSON, byte by byte as stellar-archivist writes the same plan.
    #[must_use]
    pub fn to_json(&self) -> String {
        // It has nothing but numbers and text under keys of text: that can be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn place(&mut self, finding: &Finding, code: FindingCode, frequency: CheckpointFrequency, whole: Option<Checkpoint>) -> bool {
        let path = &finding.path;
        let of_file = checkpoint_of(path, frequency);
        let checkpoint = of_file.or_else(|| finding.checkpoint.and_then(|ledger| frequency.ending_at(ledger)));
        if path.is_well_known() {
            self.well_known = self.well_known.max(whole);
            return whole.is_some();
        }
        match (Remedy::of(code), path.kind(), finding.bucket.or_else(|| bucket_of(path)), checkpoint) {
            (Remedy::File, Some(kind), _, Some(checkpoint)) => self.add_file(checkpoint, kind),
            // A bucket that no checkpoint is known for is all that can be named.
            (Remedy::File, None, Some(bucket), _) | (Remedy::Checkpoint, None, Some(bucket), None) => {
                self.buckets.insert(bucket);
            }
            (Remedy::Checkpoint, _, _, Some(checkpoint)) => {
                self.checkpoints.insert(checkpoint);
                // The link to the checkpoint before is a matter of both.
                let at_seam = code.is_about_headers() && finding.ledger == Some(checkpoint.first_ledger());
                self.checkpoints.extend(checkpoint.previous().filter(|_| at_seam));
            }
            _ => return false,
        }
        true
    }
}

/// What mends a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Remedy {
    /// A sound copy of the file.
    File,
    /// Sound copies of all files of the checkpoint: it is not known which one is wrong.
    Checkpoint,
}

impl Remedy {
    fn of(code: FindingCode) -> Self {
        use FindingCode as F;
        let whose_fault_is_open = match code {
            // The file is unsound whatever stands beside it.
            F::HeaderHashMismatch | F::HeaderMissing | F::HeaderOutOfRange | F::HeaderSequence => false,
            F::AnchorMismatch | F::ArchivesDisagree => true,
            // Such a bucket agrees with its name: what can be wrong is that the state names it.
            F::BucketOrder | F::BucketMeta | F::BucketEntry => true,
            other => other.contradicts_another_file() || other.is_about_headers(),
        };
        if whose_fault_is_open { Self::Checkpoint } else { Self::File }
    }
}

/// The checkpoint in a file's name.
fn checkpoint_of(path: &ArchivePath, frequency: CheckpointFrequency) -> Option<Checkpoint> {
    path.kind()?;
    let (_, name) = path.as_str().rsplit_once('-')?;
    let ledger = u32::from_str_radix(name.split('.').next()?, 16).ok()?;
    frequency.ending_at(LedgerSeq::new(ledger))
}

/// The bucket that a file's name has.
fn bucket_of(path: &ArchivePath) -> Option<BucketHash> {
    let (_, name) = path.as_str().rsplit_once("/bucket-")?;
    name.split('.').next()?.parse().ok().map(BucketHash::new)
}

impl PlanSummary {
    fn merge(&mut self, other: &Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.failed = self.failed.saturating_add(other.failed);
        self.retries = self.retries.saturating_add(other.retries);
    }
}

/// The part of a report that a plan is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Findings that the report has not kept: what they are about is not in the plan.
    #[serde(default)]
    pub findings_dropped: u64,
    /// What was verified.
    pub range: Option<LedgerRange>,
    /// How files ended.
    #[serde(default)]
    pub totals: BTreeMap<String, Tally>,
    /// The archives.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// What was asked for.
    #[serde(default)]
    pub options: FoundOptions,
}

/// The part of [`super::ReportOptions`] that a plan depends on.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FoundOptions {
    /// The sample, where only some checkpoints were looked at.
    pub sample: Option<FoundSample>,
}

/// The part of a [`SampleReport`] that a plan depends on.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FoundSample {
    /// Checkpoints that were drawn from.
    pub of: u32,
}

impl From<&Report> for Found {
    fn from(report: &Report) -> Self {
        Self {
            findings: report.findings.clone(),
            findings_dropped: report.findings_dropped,
            range: report.range,
            totals: report.totals.iter().map(|(kind, tally)| ((*kind).to_owned(), *tally)).collect(),
            sources: report.sources.clone(),
            options: FoundOptions { sample: report.options.sample.as_ref().map(|SampleReport { of, .. }| FoundSample { of: *of }) },
        }
    }
}

impl Found {
    /// How many ledgers apart the checkpoints were: reports do not say it, but they count them.
    fn frequency(&self) -> CheckpointFrequency {
        let Some(LedgerRange { low, high }) = self.range else { return CheckpointFrequency::Standard };
        let standard = CheckpointFrequency::Standard;
        let aligned = standard.ending_at(high).is_some() && standard.containing(low).first_ledger() == low;
        let checkpoints = high.value().saturating_sub(low.value()) / standard.ledgers() + 1;
        let counted = self.totals.get(FileKind::History.name()).map_or(0, Tally::total);
        let counted = self.options.sample.map_or(counted, |sample| sample.of.into());
        if aligned && counted <= checkpoints.into() { standard } else { CheckpointFrequency::Accelerated }
    }

    /// The highest checkpoint that nothing is wrong with; if there is none, the highest, which the rest of the plan mends.
    fn whole(&self, frequency: CheckpointFrequency) -> Option<Checkpoint> {
        let announced = || self.sources.iter().filter_map(|source| source.ledger).max();
        let highest = self.range.map(|range| range.high).or_else(announced)?;
        let highest = frequency.ending_at(highest).or_else(|| frequency.containing(highest).previous())?;
        let mut at_fault = BTreeSet::new();
        for finding in &self.findings {
            at_fault.extend(checkpoint_of(&finding.path, frequency));
            at_fault.extend(finding.checkpoint.and_then(|ledger| frequency.ending_at(ledger)));
        }
        let low = self.range.map_or(highest, |range| frequency.containing(range.low));
        let mut down = core::iter::successors(Some(highest), |checkpoint| checkpoint.previous().filter(|previous| *previous >= low));
        down.find(|checkpoint| !at_fault.contains(checkpoint)).or(Some(highest))
    }
}

impl Serialize for RepairPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By their text, as a map with keys of text has them.
        let files: BTreeMap<String, &BTreeSet<FileKind>> =
            self.files.iter().map(|(checkpoint, kinds)| (checkpoint.last_ledger().to_string(), kinds)).collect();
        let mut plan = serializer.serialize_struct("RepairPlan", 6)?;
        plan.serialize_field("version", &VERSION)?;
        plan.serialize_field("well_known", &self.well_known.map(Checkpoint::last_ledger))?;
        plan.serialize_field("files", &files)?;
        plan.serialize_field("buckets", &self.buckets)?;
        let checkpoints: Vec<_> = self.checkpoints.iter().map(|checkpoint| checkpoint.last_ledger()).collect();
        plan.serialize_field("checkpoints", &checkpoints)?;
        plan.serialize_field("summary", &self.summary)?;
        plan.end()
    }
}

/// Characters kept of what a reader says: it quotes the text, which may be long.
const WORDS_KEPT: usize = 300;

/// What is wrong with a text, its place first.
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&place).unwrap_or(&text);
    let mut words: String = what.chars().take(WORDS_KEPT).collect();
    if words.len() < what.len() {
        words.push('…');
    }
    format!("line {}, column {}: {words}", error.line(), error.column())
}

/// A plan while it is read, straight into its place: nothing is kept that is not of the plan.
struct Reading<'a> {
    plan: RepairPlan,
    frequency: CheckpointFrequency,
    /// Entries that may still come.
    left: usize,
    limits: &'a PlanLimits,
}

impl Reading<'_> {
    fn count<E: de::Error>(&mut self) -> Result<(), E> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| E::custom(format_args!("it has more than {} entries", self.limits.entries)))?;
        Ok(())
    }

    fn checkpoint<E: de::Error>(&self, place: &str, ledger: u32) -> Result<Checkpoint, E> {
        self.frequency.ending_at(LedgerSeq::new(ledger)).ok_or_else(|| {
            let (first, every) = (self.frequency.ledgers() - 1, self.frequency.ledgers());
            E::custom(format_args!("{place}: no checkpoint ends at ledger {ledger}: the first ends at {first}, then every {every} ledgers"))
        })
    }
}

/// Text of a plan as messages quote it.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

/// Keys of an object; a second one of a name is refused, since readers differ on which of the two counts.
#[derive(Default)]
struct Keys(BTreeSet<String>);

impl Keys {
    fn next<'de, A: MapAccess<'de>>(&mut self, map: &mut A, place: &str) -> Result<Option<String>, A::Error> {
        let Some(key) = map.next_key::<String>()? else { return Ok(None) };
        if !self.0.insert(key.clone()) {
            return Err(de::Error::custom(format_args!("{place}: {} stands there twice", quoted(&key))));
        }
        Ok(Some(key))
    }
}

/// The whole document.
struct Document<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a report: an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut keys, mut body) = (Keys::default(), Body::default());
        while let Some(key) = keys.next(&mut map, "the report")? {
            match key.as_str() {
                "version" => match map.next_value::<u32>()? {
                    VERSION => {}
                    other => {
                        return Err(de::Error::custom(format_args!("version: it is {other}, and only version {VERSION} is known")));
                    }
                },
                "sections" => map.next_value_seed(Sections(self.0))?,
                field => body.field(field, &mut map, self.0)?,
            }
        }
        if !keys.0.contains("version") {
            return Err(de::Error::custom("version is not there"));
        }
        if keys.0.contains("sections") { Ok(()) } else { body.is_whole("the report") }
    }
}

/// The sections of a report of several.
struct Sections<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Sections<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Sections<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("sections: an object of sections by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(name) = keys.next(&mut map, "sections")? {
            map.next_value_seed(Section { reading: self.0, name: &name })?;
        }
        Ok(())
    }
}

/// One of several sections.
struct Section<'a, 'b> {
    reading: &'a mut Reading<'b>,
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Section<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Section<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "section {}: an object", quoted(self.name))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let place = format!("section {}", quoted(self.name));
        let (mut keys, mut body) = (Keys::default(), Body::default());
        while let Some(key) = keys.next(&mut map, &place)? {
            body.field(&key, &mut map, self.reading)?;
        }
        body.is_whole(&place)
    }
}

/// Which fields of a section were met.
#[derive(Default)]
struct Body {
    files: bool,
    buckets: bool,
    checkpoints: bool,
}

impl Body {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A, reading: &mut Reading<'_>) -> Result<(), A::Error> {
        match key {
            "well_known" => {
                if let Some(ledger) = map.next_value::<Option<u32>>()? {
                    let checkpoint = reading.checkpoint("well_known", ledger)?;
                    reading.plan.well_known = reading.plan.well_known.max(Some(checkpoint));
                }
            }
            "files" => {
                self.files = true;
                map.next_value_seed(Files(reading))?;
            }
            "buckets" => {
                self.buckets = true;
                map.next_value_seed(Items { reading, of: Of::Buckets })?;
            }
            "checkpoints" => {
                self.checkpoints = true;
                map.next_value_seed(Items { reading, of: Of::Checkpoints })?;
            }
            "summary" => reading.plan.summary.merge(&map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn is_whole<E: de::Error>(&self, place: &str) -> Result<(), E> {
        let fields = [("files", self.files), ("buckets", self.buckets), ("checkpoints", self.checkpoints)];
        match fields.iter().find(|(_, met)| !met) {
            Some((name, _)) => Err(E::custom(format_args!("{place}: {name} is not there"))),
            None => Ok(()),
        }
    }
}

/// The files, by checkpoint.
struct Files<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Files<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Files<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("files: an object of kinds by checkpoint")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut met = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let refused = |_| de::Error::custom(format_args!("files: {} is no ledger", quoted(&key)));
            let checkpoint = self.0.checkpoint("files", key.parse().map_err(refused)?)?;
            if !met.insert(checkpoint) {
                return Err(de::Error::custom(format_args!("files: {} stands there twice", quoted(&key))));
            }
            map.next_value_seed(Items { reading: self.0, of: Of::Kinds(checkpoint) })?;
        }
        Ok(())
    }
}

/// What an array has.
#[derive(Clone, Copy)]
enum Of {
    Buckets,
    Checkpoints,
    /// Kinds of files of a checkpoint.
    Kinds(Checkpoint),
}

/// An array of the plan.
struct Items<'a, 'b> {
    reading: &'a mut Reading<'b>,
    of: Of,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.of {
            Of::Buckets => "buckets: an array of hashes",
            Of::Checkpoints => "checkpoints: an array of ledgers",
            Of::Kinds(_) => "files: an array of kinds of files",
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            match self.of {
                Of::Checkpoints => {
                    let Some(ledger) = items.next_element()? else { return Ok(()) };
                    let checkpoint = self.reading.checkpoint("checkpoints", ledger)?;
                    self.reading.plan.checkpoints.insert(checkpoint);
                }
                Of::Buckets => {
                    let Some(text) = items.next_element::<String>()? else { return Ok(()) };
                    let refused = |_| de::Error::custom(format_args!("buckets: {} is not 64 hexadecimal digits", quoted(&text)));
                    let bucket = BucketHash::new(text.parse().map_err(refused)?);
                    // The empty bucket has no file.
                    if !bucket.is_empty_bucket() {
                        self.reading.plan.buckets.insert(bucket);
                    }
                }
                Of::Kinds(checkpoint) => {
                    let Some(name) = items.next_element::<String>()? else { return Ok(()) };
                    let kind = FileKind::ALL.into_iter().find(|kind| kind.name() == name);
                    let refused = || {
                        let kinds = FileKind::ALL.map(FileKind::name).join(", ");
                        de::Error::custom(format_args!("files of {}: {} is none of {kinds}", checkpoint.last_ledger(), quoted(&name)))
                    };
                    self.reading.plan.add_file(checkpoint, kind.ok_or_else(refused)?);
                }
            }
            self.reading.count()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hash::sha256;

    const STANDARD: CheckpointFrequency = CheckpointFrequency::Standard;

    /// As stellar-archivist 28 writes it.
    const OF_THE_PEER: &str = r#"{
  "version": 1,
  "well_known": 319,
  "files": {
    "127": [
      "history",
      "ledger",
      "transactions",
      "results",
      "scp"
    ],
    "1407": [
      "results"
    ],
    "191": [
      "scp"
    ]
  },
  "buckets": [
    "0b9c5b5e0a3a0c6f0a3a0c6f0a3a0c6f0a3a0c6f0a3a0c6f0a3a0c6f0a3a0c6f",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  ],
  "checkpoints": [
    63,
    127
  ],
  "summary": {
    "succeeded": 25,
    "skipped": 1,
    "failed": 9,
    "retries": 2
  }
}"#;

    fn parse(text: &str) -> Result<RepairPlan, String> {
        RepairPlan::parse(text, STANDARD, &PlanLimits::default()).map_err(|error| error.to_string())
    }

    fn checkpoint(last: u32) -> Checkpoint {
        STANDARD.containing(LedgerSeq::new(last))
    }

    #[test]
    fn the_report_of_the_peer_is_read_and_written_byte_by_byte() {
        let plan = parse(OF_THE_PEER).unwrap_or_default();
        assert_eq!(plan.well_known, Some(checkpoint(319)));
        assert_eq!(plan.files.get(&checkpoint(127)).map(BTreeSet::len), Some(5));
        assert_eq!(plan.files.get(&checkpoint(1407)), Some(&BTreeSet::from([FileKind::Results])));
        assert!(plan.buckets.contains(&BucketHash::new(sha256(&[]))));
        assert_eq!(plan.checkpoints, BTreeSet::from([checkpoint(63), checkpoint(127)]));
        assert_eq!(plan.summary, PlanSummary { succeeded: 25, skipped: 1, failed: 9, retries: 2 });
        assert_eq!(plan.to_json(), OF_THE_PEER);
    }

    #[test]
    fn what_the_peer_takes_is_taken() {
        for (text, ledgers) in [
            (r#"{"version":1,"files":{},"buckets":[],"checkpoints":[]}"#, [].as_slice()),
            (r#"{"version":1,"well_known":null,"files":{"127":[]},"buckets":[],"checkpoints":[191,191],"note":[{"x":1}]}"#, &[191]),
            (
                r#"{"files":{"063":["scp","scp"]},"checkpoints":[],"version":1,"buckets":["E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"]}"#,
                &[63],
            ),
        ] {
            let named = parse(text).map(|plan| {
                let named = plan.files.keys().chain(&plan.checkpoints).map(|checkpoint| checkpoint.last_ledger().value());
                (named.collect::<Vec<_>>(), plan.summary)
            });
            assert_eq!(named, Ok((ledgers.to_vec(), PlanSummary::default())), "{text}");
        }
    }

    #[test]
    fn all_sections_of_a_report_are_united() {
        let text = r#"{"version":1,"sections":{
            "main_pass":{"well_known":191,"files":{"63":["ledger"],"127":["scp"]},"buckets":[],"checkpoints":[63],
                "summary":{"succeeded":5,"skipped":0,"failed":2,"retries":1}},
            "file_retry":{"well_known":null,"files":{"63":["results"]},
                "buckets":["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],"checkpoints":[]}}}"#;
        let plan = parse(text).unwrap_or_default();
        assert_eq!(plan.files.get(&checkpoint(63)), Some(&BTreeSet::from([FileKind::Ledger, FileKind::Results])));
        assert_eq!((plan.files.len(), plan.buckets.len(), plan.well_known), (2, 1, Some(checkpoint(191))));
        assert_eq!((plan.checkpoints.len(), plan.summary.succeeded), (1, 5));
        assert_eq!(parse(&plan.to_json()), Ok(plan));
    }

    #[test]
    fn a_checkpoint_is_one_of_the_frequency() {
        let text = r#"{"version":1,"well_known":15,"files":{"7":["ledger"]},"buckets":[],"checkpoints":[]}"#;
        assert!(parse(text).is_err_and(|why| why.contains("well_known: no checkpoint ends at ledger 15")));
        let plan = RepairPlan::parse(text, CheckpointFrequency::Accelerated, &PlanLimits::default()).unwrap_or_default();
        assert_eq!(plan.files.keys().map(|checkpoint| checkpoint.last_ledger().value()).collect::<Vec<_>>(), [7]);
        assert!(plan.to_json().contains("\"well_known\": 15"));
    }

    #[test]
    fn what_is_no_plan_is_refused_with_the_place_and_the_reason() {
        let with = |files: &str, buckets: &str, checkpoints: &str| {
            format!("{{\"version\":1,\n\"files\":{{{files}}},\n\"buckets\":[{buckets}],\n\"checkpoints\":[{checkpoints}]}}")
        };
        let long = format!("\"{}\"", "x".repeat(1 << 20));
        let deep = format!("{{\"version\":1,\"files\":{}", "{\"63\":[".repeat(100_000));
        let cases: Vec<(String, &[&str])> = vec![
            (String::new(), &["line 1", "EOF"]),
            ("null".into(), &["expected a report"]),
            ("[]".into(), &["expected a report"]),
            (r#"{"files":{},"buckets":[],"checkpoints":[]}"#.into(), &["version is not there"]),
            (r#"{"version":1,"buckets":[],"checkpoints":[]}"#.into(), &["files is not there"]),
            (r#"{"version":1,"sections":{"a":{"files":{},"buckets":[]}}}"#.into(), &["section \"a\": checkpoints is not there"]),
            (r#"{"version":2}"#.into(), &["version: it is 2"]),
            (r#"{"version":"1"}"#.into(), &["invalid type"]),
            (r#"{"version":1,"version":1}"#.into(), &["\"version\" stands there twice"]),
            (with("\"63\":[],\"063\":[]", "", ""), &["line 2", "\"063\" stands there twice"]),
            (with("\"64\":[]", "", ""), &["line 2", "files: no checkpoint ends at ledger 64"]),
            (with("\"-1\":[]", "", ""), &["files: \"-1\" is no ledger"]),
            (with("\"63\":[\"bucket\"]", "", ""), &["line 2", "files of 63: \"bucket\" is none of history, ledger"]),
            (with("\"63\":\"ledger\"", "", ""), &["line 2", "an array of kinds"]),
            (with("", "\"abc\"", ""), &["line 3", "buckets: \"abc\" is not 64"]),
            (with("", &long, ""), &["line 3", "…"]),
            (with("", "", "4294967296"), &["line 4", "4294967296"]),
            (with("", "", "0"), &["line 4", "no checkpoint ends at ledger 0"]),
            (with("", "", "63.0"), &["line 4"]),
            (format!("{} x", with("", "", "")), &["line 4", "trailing"]),
            (format!("{{\"version\":1,\"x\":{}", "[".repeat(1 << 20)), &["EOF"]),
            (deep, &["line 1"]),
        ];
        for (text, expected) in cases {
            let why = parse(&text).err().unwrap_or_default();
            let start: String = text.chars().take(100).collect();
            assert!(expected.iter().all(|words| why.contains(words)), "{start}: {why}");
            assert!(why.len() < 1000, "{start}: {} bytes of words", why.len());
        }
    }

    #[test]
    fn a_plan_is_capped_in_bytes_and_in_entries() {
        let text = |checkpoints: usize| {
            format!("{{\"version\":1,\"files\":{{}},\"buckets\":[],\"checkpoints\":[63{}]}}", ",63".repeat(checkpoints - 1))
        };
        assert!(parse(&text(1_000_000)).is_ok());
        assert!(parse(&text(1_000_001)).is_err_and(|why| why.contains("more than 1000000 entries")));
        let limits = PlanLimits { bytes: 50, ..PlanLimits::default() };
        assert!(RepairPlan::parse(&text(10), STANDARD, &limits).is_err_and(|error| error.to_string().contains("larger than 50 bytes")));
    }

    fn finding(code: FindingCode, kind: FileKind, last: u32) -> Finding {
        Finding::new(code, ArchivePath::of_checkpoint(kind, checkpoint(last)), "m").at_checkpoint(checkpoint(last))
    }

    #[test]
    fn findings_become_files_buckets_and_checkpoints() {
        use FindingCode as F;
        let bucket = BucketHash::new(sha256(&[b"bucket"]));
        let of_bucket = |code| Finding::new(code, ArchivePath::of_bucket(bucket), "m").at_checkpoint(checkpoint(319)).at_bucket(bucket);
        let mut folded = finding(F::HeaderHashMismatch, FileKind::Ledger, 575).at_ledger(LedgerSeq::new(512));
        folded.consequences = BTreeMap::from([(F::HeaderChainBreak, 2)]);
        let plan = RepairPlan::from_findings(
            &[
                finding(F::FileMissing, FileKind::Scp, 63),
                finding(F::GzipCorrupt, FileKind::Ledger, 63),
                finding(F::HasJson, FileKind::History, 127),
                finding(F::TxDuplicate, FileKind::Transactions, 127).with_sound_copy("another"),
                finding(F::FileMissing, FileKind::Scp, 191).as_warning(),
                finding(F::ResultHashMismatch, FileKind::Results, 255),
                finding(F::HeaderChainBreak, FileKind::Ledger, 447).at_ledger(LedgerSeq::new(384)),
                finding(F::HeaderCoins, FileKind::Ledger, 703).at_ledger(LedgerSeq::new(700)),
                folded,
                of_bucket(F::BucketHashMismatch),
                of_bucket(F::BucketOrder),
                Finding::new(F::RootMismatch, ArchivePath::well_known(), "m"),
            ],
            STANDARD,
            Some(checkpoint(767)),
        );
        let files: Vec<_> = plan.files.iter().map(|(at, kinds)| (at.last_ledger().value(), kinds.iter().copied().collect())).collect();
        let expected: Vec<(u32, Vec<FileKind>)> = vec![
            (63, vec![FileKind::Ledger, FileKind::Scp]),
            (127, vec![FileKind::History, FileKind::Transactions]),
            (575, vec![FileKind::Ledger]),
        ];
        assert_eq!(files, expected);
        let checkpoints: Vec<_> = plan.checkpoints.iter().map(|at| at.last_ledger().value()).collect();
        assert_eq!(checkpoints, [255, 319, 383, 447, 511, 575, 703]);
        assert_eq!((plan.buckets.clone(), plan.well_known), (BTreeSet::from([bucket]), Some(checkpoint(767))));
        assert_eq!(plan.summary.failed, 6);
    }

    #[test]
    fn every_code_finds_its_place_in_a_plan() {
        for code in FindingCode::ALL {
            for kind in FileKind::ALL {
                let mut plan = RepairPlan::default();
                assert!(plan.add(&finding(*code, kind, 127), STANDARD, None) && !plan.is_empty(), "{code:?} of {kind}");
            }
            let bucket = ArchivePath::of_bucket(BucketHash::new(sha256(&[])));
            let mut plan = RepairPlan::default();
            assert!(plan.add(&Finding::new(*code, bucket, "m"), STANDARD, None) && !plan.is_empty(), "{code:?} of a bucket");
            let root = Finding::new(*code, ArchivePath::well_known(), "m");
            assert!(plan.add(&root, STANDARD, Some(checkpoint(63))) && plan.well_known.is_some(), "{code:?} of .well-known");
            assert!(!RepairPlan::default().add(&root, STANDARD, None), "{code:?}: nothing is known to make .well-known of");
        }
    }

    fn found(findings: &[Finding], low: u32, high: u32, checkpoints: u64) -> Found {
        let tally = Tally { verified: checkpoints, ..Tally::default() };
        Found {
            findings: findings.to_vec(),
            findings_dropped: 0,
            range: Some(LedgerRange { low: LedgerSeq::new(low), high: LedgerSeq::new(high) }),
            totals: BTreeMap::from([("history".to_owned(), tally)]),
            sources: Vec::new(),
            options: FoundOptions::default(),
        }
    }

    #[test]
    fn well_known_is_made_of_the_highest_checkpoint_without_a_fault() {
        let root = Finding::new(FindingCode::HasJson, ArchivePath::well_known(), "m");
        let bad = |last| finding(FindingCode::FileMissing, FileKind::Results, last);
        let of = |findings: &[Finding]| RepairPlan::of_report(&found(findings, 1, 319, 5)).well_known.map(|at| at.last_ledger().value());
        assert_eq!(of(core::slice::from_ref(&root)), Some(319));
        assert_eq!(of(&[root.clone(), bad(319), bad(191)]), Some(255));
        let all: Vec<_> = [63, 127, 191, 255, 319].map(bad).into_iter().chain([root]).collect();
        assert_eq!(of(&all), Some(319), "the rest of the plan mends it");
        assert_eq!(of(&[bad(319)]), None);
    }

    #[test]
    fn the_frequency_of_a_report_is_told_by_how_many_checkpoints_it_counts() {
        for (low, high, checkpoints, frequency) in [
            (1, 63, 1, STANDARD),
            (1, 63, 8, CheckpointFrequency::Accelerated),
            (1, 71, 9, CheckpointFrequency::Accelerated),
            (72, 127, 7, CheckpointFrequency::Accelerated),
            (64, 319, 4, STANDARD),
            (64, 319, 32, CheckpointFrequency::Accelerated),
        ] {
            assert_eq!(found(&[], low, high, checkpoints).frequency(), frequency, "{low} to {high}: {checkpoints}");
        }
        let mut sample = found(&[], 1, 319, 2);
        sample.options.sample = Some(FoundSample { of: 40 });
        assert_eq!(sample.frequency(), CheckpointFrequency::Accelerated);
    }
}
