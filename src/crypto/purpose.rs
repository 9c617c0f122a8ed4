//! What a key is for, how it stands, and how the database keeps it.
use super::suite::Suite;

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
    /// Signatures of receipts.
    Receipt,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 9] = [
        Self::Data,
        Self::Source,
        Self::IndexDocument,
        Self::IndexPhone,
        Self::Limits,
        Self::Code,
        Self::Fingerprint,
        Self::Audit,
        Self::Receipt,
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
            Self::Receipt => "receipt",
        }
    }

    /// The purpose of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// How a key stands. It goes through these in order and never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Drawn; not every live server has loaded it yet.
    Pending,
    /// Seals and opens.
    Active,
    /// Opens only, while what it sealed is sealed anew.
    Old,
    /// Opens only; nothing that is stored needs it any more.
    Unneeded,
    /// Its secret is gone from the database.
    Destroyed,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Pending,
        Self::Active,
        Self::Old,
        Self::Unneeded,
        Self::Destroyed,
    ];

    /// As the database numbers it.
    #[must_use]
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The state of a number.
    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// As the operator reads it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Old => "old",
            Self::Unneeded => "unneeded",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A key as the database keeps it: wrapped by the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its number, named by every cell that it sealed.
    pub id: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// Which algorithms it is for.
    pub suite: Suite,
    /// How it stands.
    pub state: State,
    /// The key, sealed by the root key; empty once it is destroyed.
    pub wrapped: Vec<u8>,
}

/// A number that rises with every change among the keys, so that servers can tell whether they have
/// loaded the newest.
#[must_use]
pub fn version_of(rows: &[WrappedKey]) -> i64 {
    rows.iter().map(|row| row.state.number() + 1).sum()
}
