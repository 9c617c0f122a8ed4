//! The cells of `source.db`: sealing, the decoy, and looking many up at once.
use super::{EmbeddedError, Hash, changes, schema};
use crate::crypto::{Keys, Place, Table};
use crate::model::{
    document::{Document, DocumentType},
    health,
};
use crate::source::record::Sealed;
use crate::sqlite;
use jiff::{Timestamp, civil::Date};
use rusqlite::Connection;
use zeroize::Zeroizing;

pub(super) fn place(hash: &Hash) -> Place<'_> {
    Place {
        table: Table::Source,
        column: "record",
        row: hash,
        bound: b"",
    }
}

pub(super) fn seal(keys: &Keys, hash: &Hash, record: &Sealed) -> Result<Vec<u8>, EmbeddedError> {
    let plain = serde_json::to_vec(record).map_err(|_| EmbeddedError::Unreadable)?;
    Ok(keys.seal(&place(hash), &Zeroizing::new(plain)))
}

/// A record of nobody, of common size, under a hash that no document has.
pub(super) fn decoy(keys: &Keys) -> Result<(Hash, Vec<u8>), EmbeddedError> {
    let mut hash = [0; 32];
    keys.random().fill(&mut hash);
    let tested = health::ItemRecord::Test {
        result: health::TestResult::Unknown,
        sampled_at: Some(Timestamp::UNIX_EPOCH),
        reported_at: Some(Timestamp::UNIX_EPOCH),
    };
    let vaccinated = health::ItemRecord::Immunization {
        value: health::Progress::Unknown,
        doses: Some(0),
        last_on: Some(Date::default()),
    };
    let record = Sealed {
        name: "某某某".to_owned(),
        kind: DocumentType::ResidentId,
        number: "0".repeat(18),
        phones: vec!["+8600000000000".to_owned()],
        items: [
            ("nucleic_acid".to_owned(), tested),
            ("vaccination".to_owned(), vaccinated),
        ]
        .into(),
        updated_at: None,
    };
    let cell = seal(keys, &hash, &record)?;
    Ok((hash, cell))
}

/// Opens and reads one record.
pub(in crate::source) fn unseal(
    keys: &Keys,
    hash: &Hash,
    cell: &[u8],
) -> Result<Sealed, EmbeddedError> {
    let plain = keys.open(&place(hash), cell)?;
    serde_json::from_slice(&plain).map_err(|_| EmbeddedError::Unreadable)
}

/// Under which hashes a document may stand: the active key's, and another's while keys change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::source) struct Stand {
    pub(in crate::source) hash: Hash,
    /// The same where there is no other key.
    pub(super) other: Hash,
    /// The number of the active key.
    pub(super) key: i64,
}

impl Stand {
    pub(super) fn of(keys: &Keys, kind: DocumentType, number: &str) -> Self {
        let (key, [hash, other]) = keys.document_stand(kind, number);
        let key = i64::from(key);
        Self { hash, other, key }
    }

    pub(in crate::source) fn of_document(keys: &Keys, document: &Document) -> Self {
        Self::of(keys, document.kind(), document.number())
    }
}

/// A sealed record and the hash under which it stands.
pub(in crate::source) type Found = (Hash, Vec<u8>);

/// The sealed record of a document. As much work where there is none.
pub(super) fn get(connection: &Connection, stand: &Stand) -> rusqlite::Result<Option<Found>> {
    let by = |hash: &Hash| -> rusqlite::Result<Option<Found>> {
        let record: Option<(Vec<u8>,)> = sqlite::fetch_optional(
            connection,
            "select record from people where document_hash = $1",
            &[&hash.as_slice()],
        )?;
        Ok(record.map(|(record,)| (*hash, record)))
    };
    let found = by(&stand.hash)?;
    if stand.other == stand.hash {
        return Ok(found);
    }
    let other = by(&stand.other)?;
    Ok(found.or(other))
}

/// The sealed records of these documents, each with its place in the list.
pub(in crate::source) fn look_up(
    connection: &Connection,
    stands: &[Stand],
) -> rusqlite::Result<Vec<(usize, Found)>> {
    let mut all = Vec::with_capacity(stands.len());
    for (at, stand) in stands.iter().enumerate() {
        if let Some(found) = get(connection, stand)? {
            all.push((at, found));
        }
    }
    Ok(all)
}

/// Seals records and writes them under their hashes, as the next change; what stands there is
/// replaced.
pub(in crate::source) fn store<'a>(
    keys: &Keys,
    connection: &Connection,
    records: impl Iterator<Item = (&'a Stand, &'a Sealed)>,
) -> Result<(), EmbeddedError> {
    let change = changes::next(connection)?;
    schema::written_by(connection, keys)?;
    for (stand, record) in records {
        let cell = seal(keys, &stand.hash, record)?;
        if stand.other != stand.hash {
            sqlite::execute(connection, changes::REMOVE, &[&stand.other.as_slice()])?;
        }
        sqlite::execute(
            connection,
            "insert into people (document_hash, changed, record, hashed) values ($1, $2, $3, $4)
             on conflict (document_hash) do update set changed = excluded.changed,
             record = excluded.record, hashed = excluded.hashed",
            &[&stand.hash.as_slice(), &change, &cell, &stand.key],
        )?;
    }
    Ok(())
}
