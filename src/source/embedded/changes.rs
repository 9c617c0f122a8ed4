//! What changed in `source.db`: each writing has a number, and each person that of their last.
use super::Hash;
use crate::{source::Changes, sqlite};
use rusqlite::{Connection, Result};
use std::collections::HashSet;

/// Where so many changed, everybody may as well be read.
const MOST: usize = 500_000;

/// The number of the last change.
const LAST: &str = "select coalesce(max(changed), 0) from people";

/// The number of the change that is being written. The writer is alone, so nobody else takes it.
pub(super) fn next(connection: &Connection) -> Result<i64> {
    let (last,): (i64,) = sqlite::fetch_one(connection, LAST, &[])?;
    Ok(last + 1)
}

/// Removes a person; whether there was one. Nothing is kept of who was removed: the file gets
/// another mark, so that everybody is read once.
pub(super) fn remove(connection: &Connection, hash: &Hash, mark: [u8; 16]) -> Result<bool> {
    let removed = sqlite::execute(
        connection,
        "delete from people where document_hash = $1",
        &[&hash.as_slice()],
    )?;
    if removed == 0 {
        return Ok(false);
    }
    sqlite::execute(
        connection,
        "update seal set mark = $1 where id = 1",
        &[&mark.as_slice()],
    )?;
    Ok(true)
}

/// The file's mark and its last change, by one statement: a removal comes before or after it.
pub(super) fn cursor(connection: &Connection) -> Result<String> {
    let (mark, last): (String, i64) = sqlite::fetch_one(
        connection,
        "select lower(hex(mark)), (select coalesce(max(changed), 0) from people)
         from seal where id = 1",
        &[],
    )?;
    Ok(format!("{mark}.{last}"))
}

/// Who changed since a cursor; `None` for another file's, a later one's (this file was put back from
/// a copy), and where too many did.
pub(super) fn since(connection: &Connection, cursor: &str) -> Result<Option<Changed>> {
    let now = self::cursor(connection)?;
    let split = |cursor: &str| {
        let (mark, number) = cursor.split_once('.')?;
        Some((mark.to_owned(), number.parse::<i64>().ok()?))
    };
    let (Some((mark, last)), Some((own, since))) = (split(&now), split(cursor)) else {
        return Ok(None);
    };
    if mark != own || since > last {
        return Ok(None);
    }
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows: Vec<(Vec<u8>,)> = sqlite::fetch_all(
        connection,
        "select document_hash from people where changed > $1 limit $2",
        &[&since, &(limit + 1)],
    )?;
    if rows.len() > MOST {
        return Ok(None);
    }
    Ok(Some(Changed(
        rows.into_iter()
            .filter_map(|(hash,)| hash.try_into().ok())
            .collect(),
    )))
}

/// The documents whose records changed.
pub(super) struct Changed(HashSet<Hash>);

impl Changes for Changed {
    fn touch(&self, hash: &[u8]) -> bool {
        // A hash of another length is none of ours: better read once more than once less.
        Hash::try_from(hash).map_or(true, |hash| self.0.contains(&hash))
    }
}
