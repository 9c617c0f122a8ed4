//! Sealed cells: AEAD under a key of the table and shard, bound to the place where they stand.
use super::{CryptoError, random::Random};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Version of the cell's layout: `version | suite | key id (4) | nonce (12) | ciphertext | tag (16)`.
const VERSION: u8 = 1;
/// AES-256-GCM with HKDF-SHA-256.
pub(super) const SUITE_AES: u8 = 1;
const HEADER: usize = 2 + 4 + NONCE_LEN;

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
}

const TABLES: usize = 9;
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
    secret: hkdf::Prk,
    derived: Vec<OnceLock<LessSafeKey>>,
}

struct KeyLength;
impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        AES_256_GCM.key_len()
    }
}

impl DataKey {
    pub(super) fn new(id: u32, secret: &[u8; 32]) -> Self {
        Self {
            id,
            secret: hkdf::Salt::new(hkdf::HKDF_SHA256, b"tuantibu cell").extract(secret),
            derived: (0..TABLES * SHARDS).map(|_| OnceLock::new()).collect(),
        }
    }

    #[expect(clippy::expect_used, reason = "lengths that are fixed here")]
    fn key(&self, place: &Place<'_>) -> &LessSafeKey {
        self.derived[place.table as usize * SHARDS + place.shard()].get_or_init(|| {
            let info: [&[u8]; 2] = [place.table.name().as_bytes(), &[place.shard() as u8]];
            let mut bytes = Zeroizing::new([0; 32]);
            // cannot fail: 32 bytes are within HKDF's bound and fill the key that they are for.
            self.secret
                .expand(&info, KeyLength)
                .and_then(|okm| okm.fill(&mut *bytes))
                .expect("HKDF output");
            // cannot fail: the key has AES-256's length.
            LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes).expect("key length"))
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
}

/// The key id that a cell names.
pub(super) fn key_id(sealed: &[u8]) -> Option<u32> {
    let header = sealed.get(..6)?;
    if header[0] != VERSION || header[1] != SUITE_AES {
        return None;
    }
    Some(u32::from_be_bytes([
        header[2], header[3], header[4], header[5],
    ]))
}

#[expect(clippy::expect_used, reason = "lengths far below the bound")]
pub(super) fn seal_with(
    key: &LessSafeKey,
    key_id: u32,
    associated: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut cell = Vec::with_capacity(HEADER + plain.len() + 16);
    cell.extend_from_slice(&[VERSION, SUITE_AES]);
    cell.extend_from_slice(&key_id.to_be_bytes());
    cell.extend_from_slice(&nonce);
    cell.extend_from_slice(plain);
    // cannot fail: the plain text is far below the algorithm's bound.
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            &mut cell[HEADER..],
        )
        .expect("sealing");
    cell.extend_from_slice(tag.as_ref());
    cell
}

pub(super) fn open_with(
    key: &LessSafeKey,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let nonce = sealed.get(6..HEADER).ok_or(CryptoError::DoesNotOpen)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::DoesNotOpen)?;
    let mut plain = Zeroizing::new(sealed[HEADER..].to_vec());
    let length = key
        .open_in_place(nonce, Aad::from(associated), &mut plain)
        .map_err(|_| CryptoError::DoesNotOpen)?
        .len();
    plain.truncate(length);
    Ok(plain)
}
