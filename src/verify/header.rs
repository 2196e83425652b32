//! Ledger headers by slicing (rules B.5).
//!
//! `LedgerHeaderHistoryEntry { Hash hash; LedgerHeader header; ext }`. The hash is over `record[32 .. len - 4]`; the
//! fields after `scpValue` are read from the end, so a header stays verifiable when its value is of a kind that this
//! verifier does not know.

use serde::{Deserialize, Serialize};

use super::signature::{Signed, is_signed_by};
use super::xdr::{Cursor, XdrError};
use crate::archive::checkpoint::LedgerSeq;
use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;
use crate::codec::hash::{Hash256, sha256};

/// What a header says, and what it hashes to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Header {
    /// SHA-256 of the header's bytes.
    pub hash: Hash256,
    /// `ledgerVersion`, after any upgrade of this ledger.
    pub version: u32,
    /// `previousLedgerHash`.
    pub previous_hash: Hash256,
    /// The bytes of `scpValue`: what validators agreed on.
    pub scp_value: Vec<u8>,
    /// `scpValue.txSetHash`.
    pub tx_set_hash: Hash256,
    /// `scpValue.closeTime`, seconds since 1970.
    pub close_time: u64,
    /// `scpValue.upgrades`.
    pub upgrades: Vec<Upgrade>,
    /// `scpValue.ext`.
    pub value_kind: ValueKind,
    /// `txSetResultHash`.
    pub result_hash: Hash256,
    /// `bucketListHash`.
    pub bucket_list_hash: Hash256,
    /// `ledgerSeq`.
    pub sequence: LedgerSeq,
    /// Stroops.
    pub total_coins: i64,
    /// Stroops.
    pub fee_pool: i64,
    /// `inflationSeq`.
    pub inflation_sequence: u32,
    /// `idPool`.
    pub id_pool: u64,
    /// Stroops.
    pub base_fee: u32,
    /// Stroops.
    pub base_reserve: u32,
    /// Operations (transactions before protocol 11).
    pub max_tx_set_size: u32,
    /// `skipList`: bucket list hashes, not ledger hashes.
    pub skip_list: [Hash256; 4],
    /// `ext.v1.flags`; 0 without the extension.
    pub flags: u32,
}

/// One entry of `scpValue.upgrades`: its type and, where it is a plain number, its value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// `LedgerUpgradeType`.
    pub kind: u32,
    /// The new value, for types 1 to 5 and 7.
    pub value: Option<u32>,
}

impl Upgrade {
    /// `LEDGER_UPGRADE_VERSION`.
    pub const VERSION: u32 = 1;
    /// `LEDGER_UPGRADE_BASE_FEE`.
    pub const BASE_FEE: u32 = 2;
    /// `LEDGER_UPGRADE_MAX_TX_SET_SIZE`.
    pub const MAX_TX_SET_SIZE: u32 = 3;
    /// `LEDGER_UPGRADE_BASE_RESERVE`.
    pub const BASE_RESERVE: u32 = 4;
    /// `LEDGER_UPGRADE_FLAGS`.
    pub const FLAGS: u32 = 5;
    /// The highest type there is: `LEDGER_UPGRADE_MAX_SOROBAN_TX_SET_SIZE`.
    pub const LAST_KNOWN: u32 = 7;
}

/// `scpValue.ext`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum ValueKind {
    /// `STELLAR_VALUE_BASIC`.
    Basic,
    /// `STELLAR_VALUE_SIGNED` (CAP-34).
    Signed,
    /// `STELLAR_VALUE_EMPTY_TX_SET` (CAP-83).
    EmptyTxSet {
        /// `proposedValue.previousLedgerHash`.
        previous_hash: Hash256,
        /// `proposedValue.previousLedgerVersion`.
        previous_version: u32,
    },
    /// A kind that is newer than this verifier.
    Unknown(u32),
}

/// `lcValueSignature`: who proposed a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSignature {
    /// Who says so.
    pub proposer: NodeId,
    signature: Vec<u8>,
    /// The proposed set: not the header's, where validators dropped it (CAP-83).
    tx_set_hash: Hash256,
    close_time: u64,
}

impl ValueSignature {
    /// Whether the proposer signed it.
    #[must_use]
    pub fn is_valid(&self, network: &NetworkId) -> bool {
        let body: [&[u8]; 2] = [self.tx_set_hash.as_bytes(), &self.close_time.to_be_bytes()];
        is_signed_by(&self.proposer, network, Signed::Value, &body, &self.signature)
    }
}

/// A `StellarValue` on its own: what validators agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgreedValue {
    pub(crate) tx_set_hash: Hash256,
    pub(crate) kind: ValueKind,
}

impl AgreedValue {
    /// Reads a value; one of a kind that this verifier does not know only as far as all kinds are the same.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XdrError> {
        let mut cursor = Cursor::new(bytes);
        let tx_set_hash = cursor.hash()?;
        cursor.u64()?;
        upgrades(&mut cursor)?;
        let kind = value_kind(&mut cursor)?;
        if !matches!(kind, ValueKind::Unknown(_)) {
            cursor.end()?;
        }
        Ok(Self { tx_set_hash, kind })
    }
}

/// A header as an archive holds it.
#[derive(Clone, Debug)]
pub struct HeaderEntry {
    /// The header.
    pub header: Header,
    /// The hash beside it: a claim (rules E 24).
    pub claimed_hash: Hash256,
}

const TAIL_V0: usize = 32 + 32 + 4 + 8 + 8 + 4 + 8 + 4 + 4 + 4 + 4 * 32 + 4;
const TAIL_V1: usize = TAIL_V0 + 8;
const VALUE_AT: usize = 36;
/// A value with six upgrades of the largest size ends before 1.2 kB; newer kinds get room.
const MAX_VALUE_END: usize = 4096;
const MAX_UPGRADES: u32 = 6;
const MAX_UPGRADE_BYTES: usize = 128;

impl HeaderEntry {
    /// Reads one record of a ledger file.
    ///
    /// # Errors
    /// If it is no `LedgerHeaderHistoryEntry`.
    pub(crate) fn parse(record: &[u8]) -> Result<Self, XdrError> {
        let mut cursor = Cursor::new(record);
        let claimed_hash = cursor.hash()?;
        let body = cursor.rest();
        let Some((header, [0, 0, 0, 0])) = body.split_last_chunk::<4>() else {
            return Err(XdrError::Invalid("LedgerHeaderHistoryEntry.ext is not 0"));
        };
        Ok(Self { header: Header::parse(header)?, claimed_hash })
    }

    /// The same, also where an upgrade is none: for those who only look.
    ///
    /// # Errors
    /// If it is nearly no `LedgerHeaderHistoryEntry`.
    #[cfg(feature = "explore")]
    pub(crate) fn parse_leniently(record: &[u8]) -> Result<Self, XdrError> {
        let mut cursor = Cursor::new(record);
        let claimed_hash = cursor.hash()?;
        let (header, _ext) = cursor.rest().split_last_chunk::<4>().ok_or(XdrError::Invalid("the record ends too early"))?;
        Ok(Self { header: Header::read(header, any_upgrade)?, claimed_hash })
    }
}

impl Header {
    /// Reads a `LedgerHeader`.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XdrError> {
        Self::read(bytes, upgrade)
    }

    fn read(bytes: &[u8], upgrade: fn(&[u8]) -> Result<Upgrade, XdrError>) -> Result<Self, XdrError> {
        let mut cursor = Cursor::new(bytes);
        let version = cursor.u32()?;
        let previous_hash = cursor.hash()?;
        let tx_set_hash = cursor.hash()?;
        let close_time = cursor.u64()?;
        let upgrades = upgrade_bytes(&mut cursor)?.into_iter().map(upgrade).collect::<Result<_, _>>()?;
        let value_kind = value_kind(&mut cursor)?;
        let tail = match value_kind {
            ValueKind::Unknown(_) => tail_from_the_end(bytes)?,
            _ => cursor.rest(),
        };
        if bytes.len() - tail.len() > MAX_VALUE_END {
            return Err(XdrError::Invalid("scpValue is longer than any value"));
        }
        let scp_value = bytes.get(VALUE_AT..bytes.len() - tail.len()).unwrap_or_default().to_vec();
        let mut tail = Cursor::new(tail);
        let header = Self {
            hash: sha256(&[bytes]),
            version,
            previous_hash,
            scp_value,
            tx_set_hash,
            close_time,
            upgrades,
            value_kind,
            result_hash: tail.hash()?,
            bucket_list_hash: tail.hash()?,
            sequence: LedgerSeq::new(tail.u32()?),
            total_coins: tail.i64()?,
            fee_pool: tail.i64()?,
            inflation_sequence: tail.u32()?,
            id_pool: tail.u64()?,
            base_fee: tail.u32()?,
            base_reserve: tail.u32()?,
            max_tx_set_size: tail.u32()?,
            skip_list: [tail.hash()?, tail.hash()?, tail.hash()?, tail.hash()?],
            flags: flags(&mut tail)?,
        };
        tail.end()?;
        Ok(header)
    }

    /// The protocol that this ledger's transaction set was built for, if the header before it is not at hand: its own,
    /// unless it upgrades (rules B.7 T3).
    #[must_use]
    pub fn previous_version_if_not_upgraded(&self) -> Option<u32> {
        self.upgrades.iter().all(|upgrade| upgrade.kind != Upgrade::VERSION).then_some(self.version)
    }

    /// The signature of the validator that proposed the value, if its kind has one (rules B.10 S4).
    #[must_use]
    pub fn value_signature(&self) -> Option<ValueSignature> {
        let mut cursor = Cursor::new(&self.scp_value);
        let tx_set_hash = cursor.hash().ok()?;
        cursor.u64().ok()?;
        upgrade_bytes(&mut cursor).ok()?;
        let tx_set_hash = match cursor.u32().ok()? {
            1 => tx_set_hash,
            2 => {
                let proposed = cursor.hash().ok()?;
                let _previous = (cursor.hash().ok()?, cursor.u32().ok()?);
                proposed
            }
            _ => return None,
        };
        let (proposer, signature) = close_value_signature(&mut cursor).ok()?;
        Some(ValueSignature { proposer, signature: signature.to_vec(), tx_set_hash, close_time: self.close_time })
    }

    /// The bytes of each of `scpValue.upgrades`.
    #[cfg(feature = "explore")]
    pub(crate) fn upgrade_bytes(&self) -> Vec<&[u8]> {
        let mut cursor = Cursor::new(&self.scp_value);
        let skipped = cursor.hash().is_ok() && cursor.u64().is_ok();
        if skipped { upgrade_bytes(&mut cursor).unwrap_or_default() } else { Vec::new() }
    }

    /// Whether validators dropped the transaction set (CAP-83).
    #[must_use]
    pub fn is_empty_tx_set(&self) -> bool {
        matches!(self.value_kind, ValueKind::EmptyTxSet { .. })
    }
}

fn upgrades(cursor: &mut Cursor<'_>) -> Result<Vec<Upgrade>, XdrError> {
    upgrade_bytes(cursor)?.into_iter().map(upgrade).collect()
}

fn upgrade_bytes<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<&'a [u8]>, XdrError> {
    let count = cursor.u32()?;
    if count > MAX_UPGRADES {
        return Err(XdrError::Invalid("scpValue has more than 6 upgrades"));
    }
    (0..count).map(|_| cursor.opaque(MAX_UPGRADE_BYTES)).collect()
}

fn upgrade(bytes: &[u8]) -> Result<Upgrade, XdrError> {
    let mut cursor = Cursor::new(bytes);
    let kind = cursor.u32()?;
    let value = match kind {
        // LEDGER_UPGRADE_CONFIG names two hashes.
        6 => {
            cursor.take(64)?;
            None
        }
        1..=Upgrade::LAST_KNOWN => Some(cursor.u32()?),
        _ => return Ok(Upgrade { kind, value: None }),
    };
    cursor.end()?;
    Ok(Upgrade { kind, value })
}

/// Bytes that are no upgrade count as one of no kind.
#[cfg(feature = "explore")]
fn any_upgrade(bytes: &[u8]) -> Result<Upgrade, XdrError> {
    Ok(upgrade(bytes).unwrap_or(Upgrade { kind: 0, value: None }))
}

fn value_kind(cursor: &mut Cursor<'_>) -> Result<ValueKind, XdrError> {
    match cursor.u32()? {
        0 => Ok(ValueKind::Basic),
        1 => close_value_signature(cursor).map(|_| ValueKind::Signed),
        2 => {
            let _unarchived_tx_set_hash = cursor.hash()?;
            let (previous_hash, previous_version) = (cursor.hash()?, cursor.u32()?);
            close_value_signature(cursor)?;
            Ok(ValueKind::EmptyTxSet { previous_hash, previous_version })
        }
        other => Ok(ValueKind::Unknown(other)),
    }
}

/// `LedgerCloseValueSignature { NodeID nodeID; Signature signature<64>; }`
fn close_value_signature<'a>(cursor: &mut Cursor<'a>) -> Result<(NodeId, &'a [u8]), XdrError> {
    if cursor.u32()? != 0 {
        return Err(XdrError::Invalid("the node of lcValueSignature is no Ed25519 key"));
    }
    Ok((NodeId::new(cursor.array()?), cursor.opaque(64)?))
}

/// The two forms of the tail both end in four zero bytes; the ledger sequence that repeats the extension's layout tells
/// them apart: in the right form `ext.v` has its own value.
fn tail_from_the_end(bytes: &[u8]) -> Result<&[u8], XdrError> {
    for (length, ext) in [(TAIL_V1, 1), (TAIL_V0, 0)] {
        let Some(tail) = bytes.len().checked_sub(length).filter(|start| *start >= VALUE_AT + 48).and_then(|start| bytes.get(start..))
        else {
            continue;
        };
        let mut at_ext = Cursor::new(tail.get(TAIL_V0 - 4..).unwrap_or_default());
        if at_ext.u32() == Ok(ext) && flags_follow(tail, ext) {
            return Ok(tail);
        }
    }
    Err(XdrError::Invalid("the header ends too early"))
}

/// A v1 extension ends in its own extension 0 and has only the three flags that exist; anything else is a v0 tail that
/// happens to have a 1 eight bytes before its end.
fn flags_follow(tail: &[u8], ext: u32) -> bool {
    if ext == 0 {
        return true;
    }
    let mut cursor = Cursor::new(tail.get(TAIL_V0..).unwrap_or_default());
    matches!((cursor.u32(), cursor.u32()), (Ok(flags), Ok(0)) if flags <= 7)
}

fn flags(tail: &mut Cursor<'_>) -> Result<u32, XdrError> {
    match tail.u32()? {
        0 => Ok(0),
        1 => {
            let flags = tail.u32()?;
            if tail.u32()? == 0 { Ok(flags) } else { Err(XdrError::Invalid("LedgerHeaderExtensionV1.ext is not 0")) }
        }
        _ => Err(XdrError::Invalid("LedgerHeader.ext is neither 0 nor 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value_ext: &[u8], header_ext: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; VALUE_AT + 44];
        bytes.extend_from_slice(value_ext);
        bytes.extend_from_slice(&[0x11; 64]);
        bytes.extend_from_slice(&7u32.to_be_bytes());
        bytes.extend_from_slice(&[0; TAIL_V0 - 64 - 4 - 4]);
        bytes.extend_from_slice(header_ext);
        bytes
    }

    #[test]
    fn a_header_with_a_value_of_an_unknown_kind_is_still_read_from_its_end() {
        for header_ext in [&[0; 4][..], &[0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0]] {
            let parsed = Header::parse(&header(&[0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8], header_ext));
            let facts = parsed.map(|header| (header.value_kind, header.sequence.value(), header.scp_value.len()));
            assert_eq!(facts, Ok((ValueKind::Unknown(9), 7, 44 + 12)));
        }
    }

    #[test]
    fn bytes_after_a_header_are_refused() {
        assert!(Header::parse(&header(&[0; 4], &[0; 4])).is_ok());
        assert!(Header::parse(&header(&[0; 4], &[0; 8])).is_err());
        assert!(Header::parse(&header(&[0; 4], &[0; 2])).is_err());
    }
}
