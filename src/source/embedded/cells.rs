//! The cells of `source.db`: sealing, the decoy, and looking many up at once.
use super::{EmbeddedError, Hash, changes};
use crate::crypto::{Keys, Place, Table};
use crate::model::{document::DocumentType, health};
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

/// The sealed record of a document.
pub(super) fn get(connection: &Connection, hash: &Hash) -> rusqlite::Result<Option<Vec<u8>>> {
    let record: Option<(Vec<u8>,)> = sqlite::fetch_optional(
        connection,
        "select record from people where document_hash = $1",
        &[&hash.as_slice()],
    )?;
    Ok(record.map(|(record,)| record))
}

/// The sealed records of these documents, each with its place in the list.
pub(in crate::source) fn look_up(
    connection: &Connection,
    hashes: &[Hash],
) -> rusqlite::Result<Vec<(usize, Vec<u8>)>> {
    let mut found = Vec::with_capacity(hashes.len());
    for (at, hash) in hashes.iter().enumerate() {
        if let Some(cell) = get(connection, hash)? {
            found.push((at, cell));
        }
    }
    Ok(found)
}

/// Seals records and writes them under their hashes, as the next change; what stands there is
/// replaced.
pub(in crate::source) fn store<'a>(
    keys: &Keys,
    connection: &Connection,
    records: impl Iterator<Item = (&'a Hash, &'a Sealed)>,
) -> Result<(), EmbeddedError> {
    let change = changes::next(connection)?;
    for (hash, record) in records {
        let cell = seal(keys, hash, record)?;
        sqlite::execute(
            connection,
            "insert into people (document_hash, changed, record) values ($1, $2, $3)
             on conflict (document_hash) do update set changed = excluded.changed,
             record = excluded.record",
            &[&hash.as_slice(), &change, &cell],
        )?;
    }
    Ok(())
}
