//! Settings that belong to the database itself, and its wrapped keys.
use super::{Result, Tx, execute, rows, statements};

statements! {
    GET = "select value from settings where name = $1";
    PUT = "insert into settings (name, value) values ($1, $2) \
           on conflict (name) do update set value = excluded.value";
    KEYS = "select id, purpose, wrapped from keys order by id";
    INSERT_KEY = "insert into keys (id, purpose, wrapped, created_at) values ($1, $2, $3, $4)";
}

/// A setting.
///
/// # Errors
/// When the database fails, as every function here.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Vec<u8>>> {
    let row = rows!(tx, fetch_optional, (Vec<u8>,), GET, name)?;
    Ok(row.map(|(value,)| value))
}

/// Sets a setting.
pub async fn put(tx: &mut Tx, name: &str, value: &[u8]) -> Result<()> {
    execute!(tx, PUT, name, value)?;
    Ok(())
}

/// The wrapped keys: id, purpose, key.
pub async fn keys(tx: &mut Tx) -> Result<Vec<(i64, String, Vec<u8>)>> {
    rows!(tx, fetch_all, (i64, String, Vec<u8>), KEYS)
}

/// Adds a wrapped key.
pub async fn insert_key(
    tx: &mut Tx,
    id: i64,
    purpose: &str,
    wrapped: &[u8],
    now: i64,
) -> Result<()> {
    execute!(tx, INSERT_KEY, id, purpose, wrapped, now)?;
    Ok(())
}
