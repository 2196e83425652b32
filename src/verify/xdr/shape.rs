//! Walking XDR values without decoding them (RFC 4506).
//!
//! What it is: a look at every byte of a value, by a table of what its type allows, and the order of two values; nothing is
//! allocated. What it is not: a decoder, nor the tables, which [`super::types`] has. A value passes exactly if stellar-xdr
//! decodes it, within the same nesting, and writes the same bytes again: stellar-xdr alone takes every number but 1 for
//! `false`, so two files could say the same.

use core::cmp::Ordering;

use super::XdrError;
use crate::codec::usize_from;

/// What the values of a type look like. Tables of these are statics that point to each other.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Any bytes are a value: numbers, opaque data of a fixed length, and structs of nothing else.
    Any {
        /// How many.
        bytes: u32,
        /// How deep they are nested, themselves included.
        depth: u32,
    },
    /// A bool.
    Bool,
    /// An enum, or a union of nothing but cases.
    Enum {
        /// How deep its number is nested, itself included.
        depth: u32,
        /// The first value.
        first: i32,
        /// The last value: there is no gap between them.
        last: i32,
    },
    /// A list.
    List {
        /// Of that many elements at most.
        max: u32,
        /// Each of this shape.
        of: &'static Shape,
    },
    /// What only smart contract transactions have.
    OfContract(&'static Shape),
    /// Opaque data or a string.
    Opaque {
        /// Of that many bytes at most.
        max: u32,
    },
    /// A value or none.
    Optional(&'static Shape),
    /// A signed number, kept apart where values are compared.
    Signed {
        /// 4 or 8.
        bytes: u32,
    },
    /// A struct of these fields, or a typedef of one.
    Struct(&'static [&'static Shape]),
    /// A union.
    Union {
        /// How deep its discriminant is nested, itself included.
        depth: u32,
        /// The cases, in the order of their numbers.
        arms: &'static [(i32, &'static Shape)],
    },
}

/// What a walk over a value found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked<'a> {
    /// The bytes behind the value.
    pub rest: &'a [u8],
    /// Whether the value has what only smart contract transactions have.
    pub is_of_contract: bool,
}

impl Shape {
    /// Walks over the value that `bytes` begin with.
    ///
    /// # Errors
    /// If they begin with none, or with one that is nested deeper than `depth`, as stellar-xdr counts it. Of bytes that end
    /// too early inside what is nested too deep either may be said.
    pub fn walk<'a>(&self, bytes: &'a [u8], depth: u32) -> Result<Walked<'a>, XdrError> {
        let mut walk = Walk { rest: bytes, is_of_contract: false };
        match walk.over(self, depth) {
            Ok(()) => Ok(Walked { rest: walk.rest, is_of_contract: walk.is_of_contract }),
            Err(Fault::TooDeep) => Err(XdrError::TooDeep(depth)),
            Err(Fault::Invalid(why)) => Err(XdrError::Invalid(why)),
        }
    }

    /// Checks that `bytes` are one value and nothing else.
    ///
    /// # Errors
    /// As [`Shape::walk`].
    pub fn check(&self, bytes: &[u8], depth: u32) -> Result<(), XdrError> {
        if self.walk(bytes, depth)?.rest.is_empty() { Ok(()) } else { Err(XdrError::Invalid("the record has bytes after the value")) }
    }

    /// The order of two values that were walked over, as stellar-core and stellar-xdr order them: field by field, numbers by
    /// their value, data by its bytes before its length.
    #[must_use]
    pub fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        compare(self, &mut Values { left, right })
    }

    /// The shape of a case of a union.
    pub(crate) fn arm(&self, value: i32) -> Option<&'static Self> {
        let Self::Union { arms, .. } = self else { return None };
        arm(arms, value)
    }
}

enum Fault {
    Invalid(&'static str),
    TooDeep,
}

const END: Fault = Fault::Invalid("the record ends too early");

struct Walk<'a> {
    rest: &'a [u8],
    is_of_contract: bool,
}

impl Walk<'_> {
    fn over(&mut self, shape: &Shape, depth: u32) -> Result<(), Fault> {
        match *shape {
            Shape::Any { bytes, depth: needed } => {
                deep(depth, needed)?;
                self.skip(usize_from(bytes))
            }
            Shape::Signed { bytes } => {
                deep(depth, 1)?;
                self.skip(usize_from(bytes))
            }
            Shape::Bool => {
                deep(depth, 2)?;
                match self.u32()? {
                    0 | 1 => Ok(()),
                    _ => Err(Fault::Invalid("a bool is neither 0 nor 1")),
                }
            }
            Shape::Enum { depth: needed, first, last } => {
                deep(depth, needed)?;
                let known = (first..=last).contains(&self.u32()?.cast_signed());
                if known { Ok(()) } else { Err(Fault::Invalid("an enum or a union has an unknown value")) }
            }
            Shape::Opaque { max } => {
                deep(depth, 2)?;
                self.opaque(max)
            }
            Shape::Optional(inner) => {
                deep(depth, 2)?;
                match self.u32()? {
                    0 => Ok(()),
                    1 => self.over(inner, depth - 1),
                    _ => Err(Fault::Invalid("an optional value is neither absent nor present")),
                }
            }
            Shape::List { max, of } => {
                deep(depth, 2)?;
                let count = self.u32()?;
                if count > max {
                    return Err(Fault::Invalid("a list is longer than its type allows"));
                }
                // Every element has bytes, so a claim of many ends with the bytes that are there.
                for _ in 0..count {
                    self.over_inner(of, depth - 1)?;
                }
                Ok(())
            }
            Shape::Struct(fields) => {
                deep(depth, 1)?;
                for field in fields {
                    self.over_inner(field, depth - 1)?;
                }
                Ok(())
            }
            Shape::Union { depth: needed, arms } => {
                deep(depth, needed)?;
                match arm(arms, self.u32()?.cast_signed()) {
                    Some(inner) => self.over_inner(inner, depth - 1),
                    None => Err(Fault::Invalid("an enum or a union has an unknown value")),
                }
            }
            Shape::OfContract(inner) => {
                self.is_of_contract = true;
                self.over(inner, depth)
            }
        }
    }

    /// The same without a call for what is most of a value.
    #[inline(always)]
    fn over_inner(&mut self, shape: &Shape, depth: u32) -> Result<(), Fault> {
        if let Shape::Any { bytes, depth: needed } = *shape {
            deep(depth, needed)?;
            return self.skip(usize_from(bytes));
        }
        self.over(shape, depth)
    }

    fn opaque(&mut self, max: u32) -> Result<(), Fault> {
        let length = self.u32()?;
        if length > max {
            return Err(Fault::Invalid("data is longer than its type allows"));
        }
        let length = usize_from(length);
        self.skip(length)?;
        let (padding, rest) = self.rest.split_at_checked(length.wrapping_neg() % 4).ok_or(END)?;
        self.rest = rest;
        if padding.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(Fault::Invalid("XDR padding is not zero")) }
    }

    fn skip(&mut self, count: usize) -> Result<(), Fault> {
        self.rest = self.rest.get(count..).ok_or(END)?;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        let (number, rest) = self.rest.split_first_chunk().ok_or(END)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*number))
    }
}

/// Afterwards `depth` is at least `needed`.
fn deep(depth: u32, needed: u32) -> Result<(), Fault> {
    if depth < needed { Err(Fault::TooDeep) } else { Ok(()) }
}

fn arm(arms: &'static [(i32, &'static Shape)], value: i32) -> Option<&'static Shape> {
    let (first, _) = arms.first()?;
    // Nearly all unions number their cases without a gap.
    let guess = usize::try_from(value.checked_sub(*first)?).ok().and_then(|index| arms.get(index));
    let found = guess.filter(|(known, _)| *known == value).or_else(|| arms.iter().find(|(known, _)| *known == value));
    found.map(|(_, shape)| *shape)
}

/// Two values side by side. Reads past an end give what is there: values that were walked over have none.
struct Values<'a> {
    left: &'a [u8],
    right: &'a [u8],
}

impl<'a> Values<'a> {
    fn take(&mut self, left: usize, right: usize) -> (&'a [u8], &'a [u8]) {
        (take(&mut self.left, left), take(&mut self.right, right))
    }

    fn numbers(&mut self) -> (u32, u32) {
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_be_bytes);
        let (left, right) = self.take(4, 4);
        (number(left), number(right))
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
    *bytes = rest;
    taken
}

fn compare(shape: &Shape, values: &mut Values<'_>) -> Ordering {
    match *shape {
        Shape::Any { bytes, .. } => {
            let (left, right) = values.take(usize_from(bytes), usize_from(bytes));
            left.cmp(right)
        }
        Shape::Signed { bytes } => {
            let (left, right) = values.take(usize_from(bytes), usize_from(bytes));
            // The sign bit turned over, two's complement is in the order of its bytes.
            let sign = |bytes: &[u8]| bytes.first().map(|first| first ^ 0x80);
            sign(left).cmp(&sign(right)).then_with(|| left.cmp(right))
        }
        // Values that are compared have no negative cases: the generator sees to that.
        Shape::Bool | Shape::Enum { .. } => {
            let (left, right) = values.numbers();
            left.cmp(&right)
        }
        Shape::Opaque { .. } => {
            let (left, right) = values.numbers();
            let (left, right) = (usize_from(left), usize_from(right));
            let data = values.take(left, right);
            values.take(left.wrapping_neg() % 4, right.wrapping_neg() % 4);
            data.0.cmp(data.1)
        }
        Shape::Optional(inner) => match values.numbers() {
            (1, 1) => compare(inner, values),
            (left, right) => left.cmp(&right),
        },
        Shape::List { of, .. } => {
            let (left, right) = values.numbers();
            let mut elements = left.min(right);
            // A count that was never walked over may claim anything.
            while elements > 0 && !values.left.is_empty() {
                elements -= 1;
                let order = compare(of, values);
                if order.is_ne() {
                    return order;
                }
            }
            left.cmp(&right)
        }
        Shape::Struct(fields) => fields.iter().map(|field| compare(field, values)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal),
        Shape::Union { arms, .. } => {
            let (left, right) = values.numbers();
            match arm(arms, left.cast_signed()) {
                Some(inner) if left == right => compare(inner, values),
                _ => left.cmp(&right),
            }
        }
        Shape::OfContract(inner) => compare(inner, values),
    }
}
