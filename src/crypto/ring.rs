//! The keys of each purpose as a program holds them: one seals, the others still open.
use super::{
    CryptoError, Purpose, State, WrappedKey,
    cell::DataKey,
    key_file::{Named, RootKey},
    purpose::version_of,
    sign::SigningKey,
    suite::MacKey,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A key and how it stands.
pub(super) struct Held<K> {
    pub(super) id: u32,
    pub(super) state: State,
    pub(super) key: Arc<K>,
}

/// The keys of one purpose: the active one first.
pub(super) struct Ring<K>(Vec<Held<K>>);

impl<K> Ring<K> {
    /// Unwraps the keys of a purpose, taking over those that are held already.
    fn load(
        root: &RootKey,
        rows: &[WrappedKey],
        purpose: Purpose,
        held: Option<&Self>,
        make: impl Fn(&WrappedKey, &Zeroizing<[u8; 32]>) -> K,
    ) -> Result<Self, CryptoError> {
        let mut all = Vec::new();
        for row in rows {
            if row.purpose != purpose || row.state == State::Destroyed {
                continue;
            }
            let known = held.and_then(|held| held.0.iter().find(|held| held.id == row.id));
            let key = match known {
                Some(known) => known.key.clone(),
                None => {
                    let named = Named {
                        id: row.id,
                        purpose,
                        suite: row.suite,
                    };
                    Arc::new(make(row, &root.open_key(&named, &row.wrapped)?))
                }
            };
            let held = Held {
                id: row.id,
                state: row.state,
                key,
            };
            if row.state == State::Active {
                all.insert(0, held);
            } else {
                all.push(held);
            }
        }
        match all.first() {
            Some(first) if first.state == State::Active => Ok(Self(all)),
            _ => Err(CryptoError::Missing(purpose.as_str())),
        }
    }

    /// The one that seals.
    pub(super) fn active(&self) -> &Held<K> {
        // There is an active one, or `load` had refused.
        &self.0[0]
    }

    /// All of them, the active one first.
    pub(super) fn all(&self) -> &[Held<K>] {
        &self.0
    }
}

/// Every key that a program holds at a moment.
pub(super) struct KeySet {
    pub(super) version: i64,
    pub(super) data: Ring<DataKey>,
    pub(super) source: Ring<DataKey>,
    pub(super) documents: Ring<MacKey>,
    pub(super) phones: Ring<MacKey>,
    pub(super) limits: Ring<MacKey>,
    pub(super) code: Ring<MacKey>,
    pub(super) fingerprint: Ring<MacKey>,
    pub(super) audit: Ring<MacKey>,
    pub(super) receipts: Ring<SigningKey>,
}

impl KeySet {
    pub(super) fn load(
        root: &RootKey,
        rows: &[WrappedKey],
        held: Option<&Self>,
    ) -> Result<Self, CryptoError> {
        let cells = |purpose, held| {
            Ring::load(root, rows, purpose, held, |row, secret| {
                DataKey::new(row.id, row.suite, secret)
            })
        };
        let macs = |purpose, held| {
            Ring::load(root, rows, purpose, held, |row, secret| {
                MacKey::new(row.suite, &**secret)
            })
        };
        Ok(Self {
            version: version_of(rows),
            data: cells(Purpose::Data, held.map(|held| &held.data))?,
            source: cells(Purpose::Source, held.map(|held| &held.source))?,
            documents: macs(Purpose::IndexDocument, held.map(|held| &held.documents))?,
            phones: macs(Purpose::IndexPhone, held.map(|held| &held.phones))?,
            limits: macs(Purpose::Limits, held.map(|held| &held.limits))?,
            code: macs(Purpose::Code, held.map(|held| &held.code))?,
            fingerprint: macs(Purpose::Fingerprint, held.map(|held| &held.fingerprint))?,
            audit: macs(Purpose::Audit, held.map(|held| &held.audit))?,
            receipts: Ring::load(
                root,
                rows,
                Purpose::Receipt,
                held.map(|held| &held.receipts),
                |_, secret| SigningKey::new(secret),
            )?,
        })
    }
}
