//! Sealing, keyed hashes and the keys behind them (SECURITY.md §4).
mod cell;
mod key_file;
pub mod random;

pub use cell::{Place, Table};
pub use key_file::{KeyFileError, RootKey};

use crate::error::Error;
use crate::model::{document::Document, id::Id, phone::Phone};
use aws_lc_rs::{digest, hmac};
use cell::DataKey;
use random::Random;
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// What a key is for. Each is drawn and wrapped apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sealed cells of the main database.
    Data,
    /// Sealed records of `source.db`.
    Source,
    /// Keyed hashes of documents.
    IndexDocument,
    /// Keyed hashes of phones.
    IndexPhone,
    /// Keys of counters.
    Limits,
    /// MACs of SMS codes.
    Code,
    /// Fingerprints of snapshots.
    Fingerprint,
    /// MACs of audit events.
    Audit,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::Data,
        Self::Source,
        Self::IndexDocument,
        Self::IndexPhone,
        Self::Limits,
        Self::Code,
        Self::Fingerprint,
        Self::Audit,
    ];

    /// The name in the table of keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Source => "source",
            Self::IndexDocument => "index-document",
            Self::IndexPhone => "index-phone",
            Self::Limits => "limits",
            Self::Code => "code",
            Self::Fingerprint => "fingerprint",
            Self::Audit => "audit",
        }
    }
}

/// A key as the database keeps it: wrapped by the root key.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// Its number, named by every cell that it sealed.
    pub id: u32,
    /// What it is for, as [`Purpose::as_str`].
    pub purpose: String,
    /// The key, sealed by the root key.
    pub wrapped: Vec<u8>,
}

/// What can go wrong with keys and cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A cell was changed, moved or sealed by a key that is not here.
    #[error("a sealed value does not open: it was changed, moved, or its key is not here")]
    DoesNotOpen,
    /// The root key is not the one that wrapped this database's keys.
    #[error(
        "keys.file holds root key {given:08x}, but this database's keys are wrapped by {needed:08x}"
    )]
    WrongRoot {
        /// The id of the root key that was given.
        given: u32,
        /// The id of the one that is needed.
        needed: u32,
    },
    /// A purpose has no key.
    #[error("the database has no key for {0}")]
    Missing(&'static str),
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// The keys of a running program. Its `Debug` shows nothing.
pub struct Keys {
    data: DataKey,
    source: DataKey,
    index_document: hmac::Key,
    index_phone: hmac::Key,
    limits: hmac::Key,
    code: hmac::Key,
    fingerprint: hmac::Key,
    audit: hmac::Key,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Draws a key for each purpose and wraps it with the root key.
    #[must_use]
    pub fn draw(root: &RootKey, random: &dyn Random) -> Vec<WrappedKey> {
        (1..)
            .zip(Purpose::ALL)
            .map(|(id, purpose)| {
                let mut secret = Zeroizing::new([0; 32]);
                random.fill(&mut *secret);
                let wrapped = root.wrap(id, purpose.as_str(), &*secret, random);
                WrappedKey {
                    id,
                    purpose: purpose.as_str().to_owned(),
                    wrapped,
                }
            })
            .collect()
    }

    /// Unwraps the keys of a database.
    ///
    /// # Errors
    /// [`CryptoError::WrongRoot`] when another root key wrapped them, [`CryptoError::Missing`]
    /// when a purpose has none.
    pub fn unwrap_all(
        root: &RootKey,
        rows: &[WrappedKey],
        random: Arc<dyn Random>,
    ) -> Result<Self, CryptoError> {
        let find = |purpose: Purpose| -> Result<(u32, Zeroizing<[u8; 32]>), CryptoError> {
            let row = rows
                .iter()
                .find(|row| row.purpose == purpose.as_str())
                .ok_or(CryptoError::Missing(purpose.as_str()))?;
            Ok((
                row.id,
                root.open_key(row.id, purpose.as_str(), &row.wrapped)?,
            ))
        };
        let mac =
            |purpose| find(purpose).map(|(_, secret)| hmac::Key::new(hmac::HMAC_SHA256, &*secret));
        let cells = |purpose| find(purpose).map(|(id, secret)| DataKey::new(id, &secret));
        Ok(Self {
            data: cells(Purpose::Data)?,
            source: cells(Purpose::Source)?,
            index_document: mac(Purpose::IndexDocument)?,
            index_phone: mac(Purpose::IndexPhone)?,
            limits: mac(Purpose::Limits)?,
            code: mac(Purpose::Code)?,
            fingerprint: mac(Purpose::Fingerprint)?,
            audit: mac(Purpose::Audit)?,
            random,
        })
    }

    fn cells(&self, table: Table) -> &DataKey {
        if table == Table::Source {
            &self.source
        } else {
            &self.data
        }
    }

    /// Seals a value for the place where it will stand.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.cells(place.table).seal(place, plain, &*self.random)
    }

    /// Opens a sealed value that stands at `place`.
    ///
    /// # Errors
    /// [`CryptoError::DoesNotOpen`].
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = self.cells(place.table);
        if cell::key_id(sealed) != Some(key.id) {
            return Err(CryptoError::DoesNotOpen);
        }
        key.open(place, sealed)
    }

    /// The keyed hash by which a document is found: over type and whole normalised number.
    #[must_use]
    pub fn document_hash(&self, document: &Document) -> [u8; 32] {
        mac(
            &self.index_document,
            &[
                document.kind().as_str().as_bytes(),
                document.number().as_bytes(),
            ],
        )
    }

    /// The keyed hash by which a phone is found.
    #[must_use]
    pub fn phone_hash(&self, phone: &Phone) -> [u8; 32] {
        mac(&self.index_phone, &[b"phone", phone.e164().as_bytes()])
    }

    /// The key of a counter: no address, document or phone stands in the table of counters.
    #[must_use]
    pub fn counter_key(&self, kind: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![kind.as_bytes()];
        all.extend_from_slice(parts);
        mac(&self.limits, &all)
    }

    /// The MAC of an SMS code, over its verification, salt and digits.
    #[must_use]
    pub fn code_mac(&self, verification: &[u8], salt: &[u8], code: &str) -> [u8; 32] {
        mac(&self.code, &[verification, salt, code.as_bytes()])
    }

    /// A snapshot's fingerprint: keyed and over the person too, so that equal health does not show
    /// as equal bytes.
    #[must_use]
    pub fn fingerprint(&self, person: Id, items: &[u8]) -> [u8; 32] {
        mac(&self.fingerprint, &[person.bytes(), items])
    }

    /// The MAC of an audit event.
    #[must_use]
    pub fn audit_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.audit, parts)
    }

    /// The random source of the program.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }
}

/// HMAC-SHA-256 over length-prefixed parts.
fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// SHA-256 of a token of at least 128 random bits: what the database holds of it.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    out
}

/// Compares in time that does not depend on where they differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests;
