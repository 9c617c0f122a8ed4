//! What changed in `source.db`: each writing has a number, and each person that of their last.
use super::{Hash, Stand};
use crate::{
    crypto::Keys,
    source::changed::{Changed, MOST},
    sqlite,
};
use rusqlite::{Connection, Result};
use std::sync::Arc;

pub(super) const REMOVE: &str = "delete from people where document_hash = $1";

/// The number of the last change.
const LAST: &str = "select coalesce(max(changed), 0) from people";

/// The number of the change that is being written. The writer is alone, so nobody else takes it.
pub(super) fn next(connection: &Connection) -> Result<i64> {
    let (last,): (i64,) = sqlite::fetch_one(connection, LAST, &[])?;
    Ok(last + 1)
}

/// Removes a person; whether there was one. Nothing is kept of who was removed: the file gets
/// another mark, so that everybody is read once.
pub(super) fn remove(connection: &Connection, stand: &Stand, mark: [u8; 16]) -> Result<bool> {
    let mut removed = sqlite::execute(connection, REMOVE, &[&stand.hash.as_slice()])?;
    removed += sqlite::execute(connection, REMOVE, &[&stand.other.as_slice()])?;
    if removed == 0 {
        return Ok(false);
    }
    mark_anew(connection, mark)?;
    Ok(true)
}

/// Whatever cursor was told is worth nothing any more: everybody is read once.
pub(super) fn mark_anew(connection: &Connection, mark: [u8; 16]) -> Result<()> {
    sqlite::execute(
        connection,
        "update seal set mark = $1 where id = 1",
        &[&mark.as_slice()],
    )?;
    Ok(())
}

/// The file's mark and its last change.
pub(super) fn cursor(connection: &Connection) -> Result<String> {
    let (mark, last) = mark_and_last(connection)?;
    Ok(format!("{mark}.{last}"))
}

/// Who changed since a cursor; `None` for another file's, a later one's (this file was put back from
/// a copy), and where too many did.
pub(super) fn since(
    connection: &Connection,
    keys: &Arc<Keys>,
    cursor: &str,
) -> Result<Option<Changed>> {
    let mut changed = Changed::none(keys);
    if keys.documents_have_two_hashes() {
        return Ok(None);
    }
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
    for (hash,) in rows {
        if let Ok(hash) = Hash::try_from(hash) {
            changed.add_hash(hash);
        }
    }
    Ok(Some(changed))
}

/// A page of who changed, with their sealed records; where the next goes on; whether there is one.
pub(super) type Page = (Vec<(Hash, Vec<u8>)>, String, bool);

/// Who changed since a cursor, at most so many; `None` as [`since`]. Of one writing, which may be
/// thousands, a page ends anywhere: its cursor names the last.
pub(super) fn page(connection: &Connection, cursor: &str, most: i64) -> Result<Option<Page>> {
    let (mark, last) = mark_and_last(connection)?;
    let Some((own, change, after)) = place(cursor) else {
        return Ok(None);
    };
    if mark != own || change > last {
        return Ok(None);
    }
    let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = sqlite::fetch_all(
        connection,
        "select document_hash, changed, record from people
         where (changed, document_hash) > ($1, $2)
         order by changed, document_hash limit $3",
        &[&change, &after, &(most + 1)],
    )?;
    let more = rows.len() > usize::try_from(most).unwrap_or(usize::MAX);
    let mut page = Vec::with_capacity(rows.len());
    let mut next = format!("{mark}.{last}");
    for (hash, change, record) in rows.into_iter().take(usize::try_from(most).unwrap_or(0)) {
        let Ok(hash) = Hash::try_from(hash) else {
            continue;
        };
        if more {
            next = format!("{mark}.{change}.{}", hex::encode(hash));
        }
        page.push((hash, record));
    }
    Ok(Some((page, next, more)))
}

/// A cursor's mark, its change, and the last hash of that change; all of the change where it names
/// none.
fn place(cursor: &str) -> Option<(&str, i64, Vec<u8>)> {
    let mut parts = cursor.split('.');
    let (mark, change) = (parts.next()?, parts.next()?.parse().ok()?);
    let after = match parts.next() {
        Some(hash) => hex::decode(hash).ok().filter(|hash| hash.len() == 32)?,
        // No hash is greater.
        None => vec![0xff; 33],
    };
    parts.next().is_none().then_some((mark, change, after))
}

/// By one statement: a removal comes before or after it.
fn mark_and_last(connection: &Connection) -> Result<(String, i64)> {
    sqlite::fetch_one(
        connection,
        "select lower(hex(mark)), (select coalesce(max(changed), 0) from people)
         from seal where id = 1",
        &[],
    )
}
