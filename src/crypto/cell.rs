//! Sealed cells: AEAD under a key of the table and shard, bound to the place where they stand.
use super::suite::{Derivation, NONCE, SealingKey, Suite, TAG};
use super::{CryptoError, random::Random};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Version of the cell's layout: `version | suite | key id (4) | nonce (12) | ciphertext | tag (16)`.
const VERSION: u8 = 1;
const HEADER: usize = 2 + 4 + NONCE;

/// The tables that hold sealed cells; each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `persons.profile`
    Persons,
    /// `snapshots.items`
    Snapshots,
    /// `verifications.payload`
    Verifications,
    /// `pending_joins.payload`
    PendingJoins,
    /// `registers.code`, `registers.contact`
    Registers,
    /// `sms_messages.phone`
    Sms,
    /// `reports.reason`
    Reports,
    /// `jobs.payload`
    Jobs,
    /// `source.db`'s records
    Source,
    /// `audit_events.address`
    Audit,
    /// `passkeys.credential`
    Passkeys,
}

const TABLES: usize = 11;
const SHARDS: usize = crate::model::id::SHARDS as usize;

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Persons => "persons",
            Self::Snapshots => "snapshots",
            Self::Verifications => "verifications",
            Self::PendingJoins => "pending_joins",
            Self::Registers => "registers",
            Self::Sms => "sms_messages",
            Self::Reports => "reports",
            Self::Jobs => "jobs",
            Self::Source => "source",
            Self::Audit => "audit_events",
            Self::Passkeys => "passkeys",
        }
    }
}

/// Where a cell stands. A cell moved elsewhere does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: Table,
    /// The column.
    pub column: &'static str,
    /// The row's identifier.
    pub row: &'a [u8],
    /// What else is bound: a snapshot's time, a verification's kind.
    pub bound: &'a [u8],
}

impl Place<'_> {
    fn shard(&self) -> usize {
        self.row.first().map_or(0, |byte| usize::from(byte >> 2))
    }

    /// Length-prefixed, so that no two places read alike.
    fn associated_data(&self) -> Vec<u8> {
        let parts = [
            self.table.name().as_bytes(),
            self.column.as_bytes(),
            self.row,
            self.bound,
        ];
        let mut data = Vec::with_capacity(64);
        data.push(VERSION);
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_le_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// One data key, from which each table's and shard's key is derived once and kept.
pub(super) struct DataKey {
    pub(super) id: u32,
    suite: Suite,
    secret: Derivation,
    derived: Vec<OnceLock<SealingKey>>,
}

impl DataKey {
    pub(super) fn new(id: u32, suite: Suite, secret: &[u8; 32]) -> Self {
        Self {
            id,
            suite,
            secret: Derivation::new(suite, secret),
            derived: (0..TABLES * SHARDS).map(|_| OnceLock::new()).collect(),
        }
    }

    fn key(&self, place: &Place<'_>) -> &SealingKey {
        self.derived[place.table as usize * SHARDS + place.shard()].get_or_init(|| {
            let info: [&[u8]; 2] = [place.table.name().as_bytes(), &[place.shard() as u8]];
            self.secret.key(&info)
        })
    }

    pub(super) fn seal(&self, place: &Place<'_>, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        seal_with(
            self.key(place),
            self.id,
            &place.associated_data(),
            plain,
            random,
        )
    }

    pub(super) fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        open_with(self.key(place), &place.associated_data(), sealed)
    }

    /// What its cells begin with after the layout's version.
    pub(super) fn header(&self) -> [u8; 5] {
        let [a, b, c, d] = self.id.to_be_bytes();
        [self.suite.number(), a, b, c, d]
    }

    /// Whether a cell's header names this key and its suite.
    pub(super) fn is_of(&self, named: (Suite, u32)) -> bool {
        named == (self.suite, self.id)
    }
}

/// The suite and the key id that a cell names.
pub(super) fn named(sealed: &[u8]) -> Option<(Suite, u32)> {
    let header = sealed.get(..6)?;
    if header[0] != VERSION {
        return None;
    }
    let suite = Suite::of(i64::from(header[1]))?;
    let id = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
    Some((suite, id))
}

pub(super) fn seal_with(
    key: &SealingKey,
    key_id: u32,
    associated: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    random.fill(&mut nonce);
    let mut cell = Vec::with_capacity(HEADER + plain.len() + TAG);
    cell.extend_from_slice(&[VERSION, key.suite().number()]);
    cell.extend_from_slice(&key_id.to_be_bytes());
    cell.extend_from_slice(&nonce);
    cell.extend_from_slice(plain);
    let tag = key.seal(nonce, associated, &mut cell[HEADER..]);
    cell.extend_from_slice(&tag);
    cell
}

pub(super) fn open_with(
    key: &SealingKey,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (header, text) = sealed
        .split_at_checked(HEADER)
        .ok_or(CryptoError::DoesNotOpen)?;
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&header[6..]);
    key.open(nonce, associated, text)
}
