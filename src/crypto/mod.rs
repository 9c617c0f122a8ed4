//! Sealing, keyed hashes and the keys behind them (SECURITY.md §4).
mod cell;
mod key_file;
mod purpose;
pub mod random;
mod ring;
mod shared;
mod sign;
mod suite;
pub mod webauthn;

pub use cell::{Place, Table};
pub use key_file::{KeyFileError, RootKey, loose_mode};
pub use purpose::{Purpose, State, WrappedKey, version_of};
pub use shared::{SecretError, SharedSecret, secret_bytes, secret_text};
pub use sign::is_signed_by;
pub use suite::Suite;

use crate::error::Error;
use crate::model::{
    document::{Document, DocumentType},
    id::Id,
    phone::Phone,
};
use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cell::DataKey;
use key_file::Named;
use random::Random;
use ring::{KeySet, Ring};
use std::{fmt, sync::Arc};
use suite::MacKey;
use zeroize::Zeroizing;

/// What can go wrong with keys and cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A cell was changed, moved or sealed by a key that is not here.
    #[error("a sealed value does not open: it was changed, moved, or its key is not here")]
    DoesNotOpen,
    /// The root key is not the one that wrapped this database's keys.
    #[error(
        "keys.file holds root key {given:08x}, but this database's keys are wrapped by {needed:08x}; \
         bring that key's file back"
    )]
    WrongRoot {
        /// The id of the root key that was given.
        given: u32,
        /// The id of the one that is needed.
        needed: u32,
    },
    /// A purpose has no key.
    #[error("the database has no active key for {0}: restore the table of keys from a backup")]
    Missing(&'static str),
    /// A wrapped key does not open, although it names this root key.
    #[error(
        "key {0} of the database does not open by the root key in keys.file: one of the two was \
         changed; restore both from copies"
    )]
    Changed(u32),
    /// A key is of a kind that a later version made.
    #[error("key {0} of the database is of a kind that this version does not know")]
    Unknown(i64),
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// The keys of a running program, exchanged as a whole when they change. Its `Debug` shows nothing.
pub struct Keys {
    set: ArcSwap<KeySet>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Draws a key and wraps it with the root key.
#[must_use]
pub fn draw(
    root: &RootKey,
    id: u32,
    purpose: Purpose,
    suite: Suite,
    state: State,
    random: &dyn Random,
) -> WrappedKey {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill(&mut *secret);
    let named = Named { id, purpose, suite };
    WrappedKey {
        id,
        purpose,
        suite,
        state,
        wrapped: root.wrap(&named, &*secret, random),
    }
}

/// Wraps a key by another root key.
///
/// # Errors
/// When `from` did not wrap it.
pub fn rewrap(
    from: &RootKey,
    to: &RootKey,
    row: &WrappedKey,
    random: &dyn Random,
) -> Result<Vec<u8>, CryptoError> {
    let named = Named {
        id: row.id,
        purpose: row.purpose,
        suite: row.suite,
    };
    let secret = from.open_key(&named, &row.wrapped)?;
    Ok(to.wrap(&named, &*secret, random))
}

impl Keys {
    /// Draws a key for each purpose and wraps it with the root key.
    #[must_use]
    pub fn draw(root: &RootKey, suite: Suite, random: &dyn Random) -> Vec<WrappedKey> {
        (1..)
            .zip(Purpose::ALL)
            .map(|(id, purpose)| draw(root, id, purpose, suite, State::Active, random))
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
        let set = KeySet::load(root, rows, None)?;
        Ok(Self {
            set: ArcSwap::from_pointee(set),
            random,
        })
    }

    /// Takes the keys of a database as they stand now. Those that are held already need no root key.
    ///
    /// # Errors
    /// As [`Keys::unwrap_all`]; then what was held stays.
    pub fn reload(&self, root: &RootKey, rows: &[WrappedKey]) -> Result<(), CryptoError> {
        let set = KeySet::load(root, rows, Some(&self.set.load()))?;
        self.set.store(Arc::new(set));
        Ok(())
    }

    /// Which state of the database's keys is held.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.set.load().version
    }

    /// Seals a value for the place where it will stand.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        let set = self.set.load();
        let active = cells(&set, place.table).active();
        active.key.seal(place, plain, &*self.random)
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
        let set = self.set.load();
        let named = cell::named(sealed).ok_or(CryptoError::DoesNotOpen)?;
        cells(&set, place.table)
            .all()
            .iter()
            .find(|held| held.key.is_of(named))
            .ok_or(CryptoError::DoesNotOpen)?
            .key
            .open(place, sealed)
    }

    /// The value of a cell sealed anew by the active key.
    ///
    /// # Errors
    /// [`CryptoError::DoesNotOpen`].
    pub fn reseal(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.seal(place, &self.open(place, sealed)?))
    }

    /// What the cells of the active key begin with, after the layout's version: suite and key id.
    #[must_use]
    pub fn header(&self, table: Table) -> [u8; 5] {
        cells(&self.set.load(), table).active().key.header()
    }

    /// The hashes under which a document may stand, the active key's first: during a rotation there
    /// are two, else the same one twice.
    #[must_use]
    pub fn document_hashes(&self, document: &Document) -> [[u8; 32]; 2] {
        both(&self.set.load().documents, |key| {
            document_mac(key, document)
        })
    }

    /// The number of the active key of documents, and the hashes as [`Keys::document_hashes`] gives them.
    #[must_use]
    pub fn document_stand(&self, kind: DocumentType, number: &str) -> (u32, [[u8; 32]; 2]) {
        let set = self.set.load();
        let hashes = both(&set.documents, |key| number_mac(key, kind, number));
        (set.documents.active().id, hashes)
    }

    /// The number of the active key of documents.
    #[must_use]
    pub fn document_key(&self) -> u32 {
        self.set.load().documents.active().id
    }

    /// The same for a phone.
    #[must_use]
    pub fn phone_hashes(&self, phone: &Phone) -> [[u8; 32]; 2] {
        both(&self.set.load().phones, |key| phone_mac(key, phone))
    }

    /// Whether documents may stand under either of two hashes now.
    #[must_use]
    pub fn documents_have_two_hashes(&self) -> bool {
        self.set.load().documents.all().len() > 1
    }

    /// The keyed hash by which a document is found: over type and whole normalised number.
    #[must_use]
    pub fn document_hash(&self, document: &Document) -> [u8; 32] {
        document_mac(&self.set.load().documents.active().key, document)
    }

    /// The keyed hash by which a phone is found.
    #[must_use]
    pub fn phone_hash(&self, phone: &Phone) -> [u8; 32] {
        phone_mac(&self.set.load().phones.active().key, phone)
    }

    /// The key of a counter: no address, document or phone stands in the table of counters.
    #[must_use]
    pub fn counter_key(&self, kind: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![kind.as_bytes()];
        all.extend_from_slice(parts);
        self.set.load().limits.active().key.mac(&all)
    }

    /// The MAC of an SMS code, over its verification, salt and digits.
    #[must_use]
    pub fn code_mac(&self, verification: &[u8], salt: &[u8], code: &str) -> [u8; 32] {
        let parts = [verification, salt, code.as_bytes()];
        self.set.load().code.active().key.mac(&parts)
    }

    /// Whether a MAC is that of an SMS code, by any key that is still here: a code that went out
    /// before a rotation works after it.
    #[must_use]
    pub fn is_code(&self, verification: &[u8], salt: &[u8], code: &str, mac: &[u8]) -> bool {
        let parts = [verification, salt, code.as_bytes()];
        let set = self.set.load();
        let all = set.code.all().iter();
        all.fold(false, |right, held| {
            right | same(&held.key.mac(&parts), mac)
        })
    }

    /// A snapshot's fingerprint: keyed and over the person too, so that equal health does not show
    /// as equal bytes.
    #[must_use]
    pub fn fingerprint(&self, person: Id, items: &[u8]) -> [u8; 32] {
        let parts = [person.bytes(), items];
        self.set.load().fingerprint.active().key.mac(&parts)
    }

    /// The MAC of an audit event.
    #[must_use]
    pub fn audit_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.set.load().audit.active().key.mac(parts)
    }

    /// The key by which [`Keys::audit_mac`] makes MACs now.
    #[must_use]
    pub fn audit_key(&self) -> i64 {
        i64::from(self.set.load().audit.active().id)
    }

    /// The oldest key of the audit log that is held.
    #[must_use]
    pub fn first_audit_key(&self) -> i64 {
        let set = self.set.load();
        let ids = set.audit.all().iter().map(|held| i64::from(held.id));
        ids.min().unwrap_or_default()
    }

    /// The MAC of an audit event by a named key, or by the first where none is named; none where that
    /// key is not here.
    #[must_use]
    pub fn audit_mac_by(&self, key: Option<i64>, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let set = self.set.load();
        let mut all = set.audit.all().iter();
        let held = match key {
            Some(key) => all.find(|held| i64::from(held.id) == key),
            None => all.min_by_key(|held| held.id),
        };
        Some(held?.key.mac(parts))
    }

    /// A line, made for the active key of receipts, and its signature after it.
    #[must_use]
    pub fn sign_receipt(&self, line: impl FnOnce(u32) -> String) -> String {
        let set = self.set.load();
        let active = set.receipts.active();
        let line = line(active.id);
        let signature = URL_SAFE_NO_PAD.encode(active.key.sign(line.as_bytes()));
        format!("{line}.{signature}")
    }

    /// The public part of a key of receipts; none where that key is not here.
    #[must_use]
    pub fn receipt_key(&self, key: u32) -> Option<Vec<u8>> {
        let set = self.set.load();
        let held = set.receipts.all().iter().find(|held| held.id == key)?;
        Some(held.key.public().to_vec())
    }

    /// The keys of receipts, the one that signs now first: number and public part.
    #[must_use]
    pub fn receipt_public_keys(&self) -> Vec<(u32, Vec<u8>)> {
        let set = self.set.load();
        let all = set.receipts.all().iter();
        all.map(|held| (held.id, held.key.public().to_vec()))
            .collect()
    }

    /// The random source of the program.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }
}

fn cells(set: &KeySet, table: Table) -> &Ring<DataKey> {
    if table == Table::Source {
        &set.source
    } else {
        &set.data
    }
}

/// By the active key, and by the other where there is one: no rotation of an index key begins before
/// the one before it is over.
fn both(ring: &Ring<MacKey>, mac: impl Fn(&MacKey) -> [u8; 32]) -> [[u8; 32]; 2] {
    let active = mac(&ring.active().key);
    let other = ring.all().get(1).map(|held| mac(&held.key));
    [active, other.unwrap_or(active)]
}

fn document_mac(key: &MacKey, document: &Document) -> [u8; 32] {
    number_mac(key, document.kind(), document.number())
}

fn number_mac(key: &MacKey, kind: DocumentType, number: &str) -> [u8; 32] {
    key.mac(&[kind.as_str().as_bytes(), number.as_bytes()])
}

fn phone_mac(key: &MacKey, phone: &Phone) -> [u8; 32] {
    key.mac(&[b"phone", phone.e164().as_bytes()])
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
