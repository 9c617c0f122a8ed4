//! The cells of `source.db`: sealing, the decoy, and looking many up at once.
use super::{EmbeddedError, Hash, changes};
use crate::crypto::{Keys, Place, Table};
use crate::model::{document::DocumentType, health};
use crate::source::record::Sealed;
use futures_util::TryStreamExt;
use jiff::{Timestamp, civil::Date};
use sqlx::{Row, SqliteConnection};
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

/// The sealed records of these documents, each with its place in the list. One statement.
pub(in crate::source) async fn look_up(
    connection: &mut SqliteConnection,
    hashes: &[Hash],
) -> Result<Vec<(usize, Vec<u8>)>, sqlx::Error> {
    let mut rows = sqlx::query(
        "select asked.key, people.record from json_each($1) as asked
         cross join people on people.document_hash = unhex(asked.value)",
    )
    .bind(hex_list(hashes))
    .fetch(connection);
    let mut found = Vec::with_capacity(hashes.len());
    while let Some(row) = rows.try_next().await? {
        let at: i64 = row.try_get(0)?;
        if let Ok(at) = usize::try_from(at) {
            found.push((at, row.try_get(1)?));
        }
    }
    Ok(found)
}

/// Writes cells under their hashes, as the next change; what stands there is replaced.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    cells: &[(Hash, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    let bytes: usize = cells.iter().map(|(_, cell)| cell.len()).sum();
    let mut list = String::with_capacity(2 * bytes + 80 * cells.len() + 2);
    list.push('[');
    for (at, (hash, cell)) in cells.iter().enumerate() {
        list.push_str(if at == 0 { "[" } else { ",[" });
        push_hex(&mut list, hash);
        list.push(',');
        push_hex(&mut list, cell);
        list.push(']');
    }
    list.push(']');
    let change = changes::next(connection).await?;
    sqlx::query(
        "insert into people (document_hash, changed, record)
         select unhex(value ->> 0), $2, unhex(value ->> 1) from json_each($1) where true
         on conflict (document_hash) do update set changed = excluded.changed,
         record = excluded.record",
    )
    .bind(list)
    .bind(change)
    .execute(connection)
    .await?;
    Ok(())
}

/// A JSON list of the hashes in hexadecimal.
fn hex_list(hashes: &[Hash]) -> String {
    let mut list = String::with_capacity(2 + hashes.len() * 67);
    list.push('[');
    for (at, hash) in hashes.iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        push_hex(&mut list, hash);
    }
    list.push(']');
    list
}

/// Bytes as a JSON text in hexadecimal.
fn push_hex(list: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    list.push('"');
    for byte in bytes {
        list.push(DIGITS[usize::from(byte >> 4)]);
        list.push(DIGITS[usize::from(byte & 15)]);
    }
    list.push('"');
}
