//! Writes `src/verify/xdr/types.rs`: what XDR values of an archive look like, from the definitions that stellar-xdr ships.
//!
//! What it is: the one reader of stellar-xdr's `xdr-definitions-json/xdr.json`, for `cargo xtask xdr-types` and for the test
//! that the checked-in file is what it would write. What it is not: a generator for all of XDR; it refuses what the types of
//! archives do not have. Nesting is counted as stellar-xdr's decoder counts it.
//!
//! The file is checked in because a build script cannot find the sources of a dependency: cargo tells it only the
//! metadata of crates with `links`, and whoever builds the published crate may have vendored them anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What goes wrong with definitions.
type Fault = Box<dyn Error + Send + Sync>;

/// The types that are asked for by name; the file has what they are made of besides.
const ROOTS: [&str; 13] = [
    "BucketEntry",
    "ContractCodeEntryExt",
    "DecoratedSignature",
    "FeeBumpTransaction",
    "HotArchiveBucketEntry",
    "LedgerHeaderHistoryEntry",
    "LedgerKey",
    "SCPHistoryEntry",
    "Transaction",
    "TransactionHistoryEntry",
    "TransactionHistoryResultEntry",
    "TransactionResultPair",
    "TransactionV0",
];

/// Values of this type are compared, so what it is made of keeps signed numbers apart.
const COMPARED: &str = "LedgerKey";

/// The cases of unions that only smart contract transactions have.
const OF_CONTRACTS: [(&str, &[i64]); 2] = [("OperationBody", &[24, 25, 26]), ("TransactionExt", &[1])];
/// What the first of those must be called, as numbers alone could change their meaning.
const CONTRACT_OPERATIONS: [&str; 3] = ["INVOKE_HOST_FUNCTION", "EXTEND_FOOTPRINT_TTL", "RESTORE_FOOTPRINT"];

const PACKAGE: &str = "stellar-xdr";
const DEFINITIONS: &str = "xdr-definitions-json/xdr.json";

/// The text of the generated file for the stellar-xdr that the repository at `root` depends on.
pub(crate) fn generated(root: &Path) -> Result<String, Fault> {
    let definitions = serde_json::from_slice(&std::fs::read(folder_of_package(root)?.join(DEFINITIONS))?)?;
    let version = std::fs::read_to_string(folder_of_package(root)?.join("xdr-version"))?;
    generate(&definitions, version.trim())
}

/// Where the file is, from the root of the repository.
pub(crate) fn place() -> PathBuf {
    PathBuf::from("src/verify/xdr/types.rs")
}

fn folder_of_package(root: &Path) -> Result<PathBuf, Fault> {
    let version = cargo(root, &["--version", "--verbose"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("cargo names no host")?;
    // Of what only other platforms need, nothing may be here yet.
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--locked", "--filter-platform", host])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let mut found = packages.iter().filter(|package| package["name"] == PACKAGE);
    match (found.next().and_then(|package| package["manifest_path"].as_str()), found.next()) {
        (Some(manifest), None) => Ok(Path::new(manifest).parent().ok_or("a manifest lies nowhere")?.to_owned()),
        _ => Err(format!("{PACKAGE} is not in the tree exactly once").into()),
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String, Fault> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        return Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The text of the generated file; `version` is the revision of the definitions.
pub(crate) fn generate(definitions: &Value, version: &str) -> Result<String, Fault> {
    let list = definitions["definitions"].as_array().ok_or("there are no definitions")?;
    let by_name = list.iter().filter_map(|definition| Some((definition["name"].as_str()?, definition))).collect();
    let mut types = Types { by_name, compared: BTreeSet::new(), done: BTreeMap::new(), under_way: BTreeSet::new() };
    types.check_contract_operations()?;
    types.compared = types.reachable(COMPARED)?;
    for name in ROOTS {
        types.named(name, name)?;
    }
    let mut text = format!(
        "//! What XDR values of an archive look like. Written by `cargo xtask xdr-types`; do not edit.\n//!\n\
         //! From the definitions in stellar-xdr. Types of which any bytes are a value stand where they are used, with their length\n\
         //! and their nesting.\n\n\
         use super::shape::Shape::{{self, Any, Bool, Enum, List, OfContract, Opaque, Optional, Signed, Struct, Union}};\n\n\
         /// The revision of the definitions.\npub const REVISION: &str = \"{version}\";\n\n\
         static VOID: Shape = Any {{ bytes: 0, depth: 0 }};\n"
    );
    for (name, shape) in &types.done {
        let root = ROOTS.contains(name);
        match shape {
            // It stands where it is used.
            Ty::Any { .. } if !root => {}
            _ if root => writeln!(text, "/// `{name}`.\npub static {}: Shape = {};", constant(name), shape.text())?,
            _ => writeln!(text, "static {}: Shape = {};", constant(name), shape.text())?,
        }
    }
    Ok(text)
}

/// A type, with everything that needs no look of its own folded together.
#[derive(Clone, Debug)]
enum Ty {
    /// So many bytes of any value, nested so deep.
    Any {
        bytes: u64,
        depth: u64,
    },
    Signed {
        bytes: u64,
    },
    Bool,
    /// One number from the first to the last; nested so deep.
    Enum {
        depth: u64,
        first: i64,
        last: i64,
    },
    Opaque {
        max: u64,
    },
    Optional(Box<Ty>),
    List {
        max: u64,
        of: Box<Ty>,
    },
    Struct(Vec<Ty>),
    Union {
        depth: u64,
        arms: BTreeMap<i64, Ty>,
    },
    OfContract(Box<Ty>),
    Named(String),
}

impl Ty {
    fn text(&self) -> String {
        let list = |types: &[Self]| types.iter().map(Self::reference).collect::<Vec<_>>().join(", ");
        match self {
            Self::Any { bytes: 0, depth: 0 } => "VOID".into(),
            Self::Any { bytes, depth } => format!("Any {{ bytes: {bytes}, depth: {depth} }}"),
            Self::Signed { bytes } => format!("Signed {{ bytes: {bytes} }}"),
            Self::Bool => "Bool".into(),
            Self::Enum { depth, first, last } => format!("Enum {{ depth: {depth}, first: {first}, last: {last} }}"),
            Self::Opaque { max } => format!("Opaque {{ max: {} }}", bound(*max)),
            Self::Optional(inner) => format!("Optional({})", inner.reference()),
            Self::List { max, of } => format!("List {{ max: {}, of: {} }}", bound(*max), of.reference()),
            Self::Struct(fields) => format!("Struct(&[{}])", list(fields)),
            Self::Union { depth, arms } => {
                let arms: Vec<_> = arms.iter().map(|(value, arm)| format!("({value}, {})", arm.reference())).collect();
                format!("Union {{ depth: {depth}, arms: &[{}] }}", arms.join(", "))
            }
            Self::OfContract(inner) => format!("OfContract({})", inner.reference()),
            Self::Named(name) => constant(name),
        }
    }

    fn reference(&self) -> String {
        format!("&{}", self.text())
    }
}

fn bound(max: u64) -> String {
    if max == u64::from(u32::MAX) { "u32::MAX".into() } else { max.to_string() }
}

struct Types<'a> {
    by_name: BTreeMap<&'a str, &'a Value>,
    compared: BTreeSet<&'a str>,
    done: BTreeMap<&'a str, Ty>,
    under_way: BTreeSet<&'a str>,
}

impl<'a> Types<'a> {
    fn definition(&self, name: &str) -> Result<(&'a str, &'a Value), Fault> {
        let (name, definition) = self.by_name.get_key_value(name).ok_or_else(|| format!("{name} is not defined"))?;
        Ok((name, definition))
    }

    /// The type of a name where `user` uses it: itself, if it is of a fixed length and any bytes are a value, else its name.
    fn named(&mut self, name: &str, user: &str) -> Result<Ty, Fault> {
        let (name, definition) = self.definition(name)?;
        let kind = text(definition, "kind")?;
        // stellar-xdr makes these the numbers themselves, every other typedef a type of its own.
        if kind == "typedef" && matches!(text(&definition["type"], "kind")?, "int" | "unsigned_int" | "hyper" | "unsigned_hyper") {
            return self.inline(&definition["type"], user);
        }
        if !self.done.contains_key(name) && self.under_way.insert(name) {
            let ty = self.define(name, kind, definition)?;
            self.under_way.remove(name);
            self.done.insert(name, ty);
        }
        Ok(match self.done.get(name) {
            Some(any @ Ty::Any { .. }) => any.clone(),
            _ => Ty::Named(name.to_owned()),
        })
    }

    fn define(&mut self, name: &'a str, kind: &str, definition: &'a Value) -> Result<Ty, Fault> {
        match kind {
            "enum" => {
                let values = array(definition, "members")?.iter().map(|member| int(member, "value")).collect::<Result<BTreeSet<_>, _>>()?;
                if self.compared.contains(name) && values.iter().any(|value| *value < 0) {
                    return Err(format!("{name} is compared, but has a negative value").into());
                }
                number_between(&values, 2).ok_or_else(|| format!("{name} has a gap between its values").into())
            }
            "typedef" => {
                let inner = self.inline(&definition["type"], name)?;
                Ok(folded(vec![inner]))
            }
            "struct" => {
                let fields =
                    array(definition, "fields")?.iter().map(|field| self.inline(&field["type"], name)).collect::<Result<_, _>>()?;
                Ok(folded(fields))
            }
            "union" => self.union(name, definition),
            other => Err(format!("{name} is a {other}").into()),
        }
    }

    fn union(&mut self, name: &'a str, definition: &'a Value) -> Result<Ty, Fault> {
        // The union, and its discriminant: a number, or an enum around one.
        let depth = match text(&definition["discriminant"]["type"], "kind")? {
            "int" => 2,
            "ref" => 3,
            other => return Err(format!("{name} is discriminated by a {other}").into()),
        };
        let of_contracts = OF_CONTRACTS.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, cases)| cases);
        let mut arms = BTreeMap::new();
        for arm in array(definition, "arms")? {
            for case in array(arm, "cases")? {
                let value = int(case, "value")?;
                let inner = if arm.get("type").is_some() { self.inline(&arm["type"], name)? } else { Ty::Any { bytes: 0, depth: 0 } };
                // Rust compares unions by the order in which their cases are defined, our comparison by their numbers.
                if self.compared.contains(name) && arms.last_key_value().is_some_and(|(last, _)| *last >= value) {
                    return Err(format!("{name} is compared, but its cases are not defined in their order").into());
                }
                let inner = if of_contracts.contains(&value) { Ty::OfContract(Box::new(inner)) } else { inner };
                if arms.insert(value, inner).is_some() {
                    return Err(format!("{name} has two cases {value}").into());
                }
            }
        }
        // A union of nothing but cases is as much as an enum.
        let cases = arms.keys().copied().collect();
        let is_void = |ty: &Ty| matches!(ty, Ty::Any { bytes: 0, depth: 0 });
        Ok(number_between(&cases, depth).filter(|_| arms.values().all(is_void)).unwrap_or(Ty::Union { depth, arms }))
    }

    /// A type as it is used in the definition of `user`.
    fn inline(&mut self, ty: &'a Value, user: &str) -> Result<Ty, Fault> {
        let kind = text(ty, "kind")?;
        let number = |bytes, signed| {
            if signed && self.compared.contains(user) { Ty::Signed { bytes } } else { Ty::Any { bytes, depth: 1 } }
        };
        Ok(match kind {
            "int" => number(4, true),
            "unsigned_int" => number(4, false),
            "hyper" => number(8, true),
            "unsigned_hyper" => number(8, false),
            "bool" => Ty::Bool,
            "opaque_fixed" => match int(ty, "size")? {
                size if size % 4 == 0 => Ty::Any { bytes: size.try_into()?, depth: 1 },
                size => return Err(format!("{user} has opaque data of {size} bytes, with padding").into()),
            },
            "opaque_var" | "string" => Ty::Opaque { max: max(ty, "max_size")? },
            "optional" => Ty::Optional(Box::new(self.element(ty, user)?)),
            "var_array" => Ty::List { max: max(ty, "max_count")?, of: Box::new(self.element(ty, user)?) },
            "array" => {
                let element = self.element(ty, user)?;
                folded(vec![element; int(ty, "count")?.try_into()?])
            }
            "ref" => self.named(text(ty, "name")?, user)?,
            other => return Err(format!("{user} has a {other}").into()),
        })
    }

    fn element(&mut self, ty: &'a Value, user: &str) -> Result<Ty, Fault> {
        let element = self.inline(&ty["element"], user)?;
        // A type that holds itself other than in a list is in a box, which stellar-xdr counts as nesting.
        let boxed = text(ty, "kind")? != "var_array"
            && ty["element"]["name"].as_str().is_some_and(|name| self.holds(name, user, &mut BTreeSet::new()));
        Ok(if boxed { folded(vec![element]) } else { element })
    }

    /// Whether a value of a type holds one of another, lists apart.
    fn holds(&self, outer: &str, inner: &str, seen: &mut BTreeSet<String>) -> bool {
        outer == inner
            || (seen.insert(outer.to_owned())
                && self
                    .by_name
                    .get(outer)
                    .is_some_and(|definition| names(definition, false).into_iter().any(|name| self.holds(name, inner, seen))))
    }

    fn reachable(&self, from: &str) -> Result<BTreeSet<&'a str>, Fault> {
        let mut found = BTreeSet::new();
        let mut open = vec![self.definition(from)?];
        while let Some((name, definition)) = open.pop() {
            if found.insert(name) {
                for inner in names(definition, true) {
                    open.push(self.definition(inner)?);
                }
            }
        }
        Ok(found)
    }

    fn check_contract_operations(&self) -> Result<(), Fault> {
        let (_, operations) = self.definition("OperationType")?;
        let values: Vec<_> = array(operations, "members")?
            .iter()
            .filter(|member| member["name"].as_str().is_some_and(|name| CONTRACT_OPERATIONS.contains(&name)))
            .map(|member| int(member, "value"))
            .collect::<Result<_, _>>()?;
        let expected = OF_CONTRACTS.iter().find(|(of, _)| *of == "OperationBody").map_or(&[][..], |(_, cases)| cases);
        if values == expected { Ok(()) } else { Err(format!("the operations of smart contracts are {values:?}").into()) }
    }
}

/// The types that a definition uses.
fn names(value: &Value, with_lists: bool) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(|item| names(item, with_lists)).collect(),
        Value::Object(_) if !with_lists && value["kind"] == "var_array" => Vec::new(),
        Value::Object(_) if value["kind"] == "ref" => value["name"].as_str().into_iter().collect(),
        Value::Object(fields) => fields.values().flat_map(|field| names(field, with_lists)).collect(),
        _ => Vec::new(),
    }
}

/// A number of these values, if they are without a gap.
fn number_between(values: &BTreeSet<i64>, depth: u64) -> Option<Ty> {
    let (first, last) = (*values.first()?, *values.last()?);
    values.iter().copied().eq(first..=last).then_some(Ty::Enum { depth, first, last })
}

/// A struct: neighbours of which any bytes are a value become one, and one that is nothing else goes up.
fn folded(fields: Vec<Ty>) -> Ty {
    let mut merged: Vec<Ty> = Vec::new();
    for field in fields {
        if let (Some(Ty::Any { bytes, depth }), Ty::Any { bytes: more, depth: deeper }) = (merged.last_mut(), &field) {
            *bytes += more;
            *depth = (*depth).max(*deeper);
        } else {
            merged.push(field);
        }
    }
    match merged.as_slice() {
        [Ty::Any { bytes, depth }] => Ty::Any { bytes: *bytes, depth: depth + 1 },
        _ => Ty::Struct(merged),
    }
}

/// The name of a static: `SCPHistoryEntry` is `SCP_HISTORY_ENTRY`.
fn constant(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut constant = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        let begins =
            letter.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if begins {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}

fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str, Fault> {
    value[field].as_str().ok_or_else(|| format!("{field} is missing in {value}").into())
}

fn array<'v>(value: &'v Value, field: &str) -> Result<&'v Vec<Value>, Fault> {
    value[field].as_array().ok_or_else(|| format!("{field} is missing in {value}").into())
}

fn int(value: &Value, field: &str) -> Result<i64, Fault> {
    value[field].as_i64().ok_or_else(|| format!("{field} is missing in {value}").into())
}

fn max(value: &Value, field: &str) -> Result<u64, Fault> {
    if value.get(field).is_none() { Ok(u32::MAX.into()) } else { Ok(int(value, field)?.try_into()?) }
}
