//! The database's own keys, wrapped by the root key that stands outside it.
use super::{Result, Tx, execute, rows, statements};

statements! {
    ALL = "select id, purpose, wrapped from keys order by id";
    INSERT = "insert into keys (id, purpose, wrapped, created_at) values ($1, $2, $3, $4)";
}

/// The wrapped keys: id, purpose, key.
pub async fn all(tx: &mut Tx) -> Result<Vec<(i64, String, Vec<u8>)>> {
    rows!(tx, fetch_all, (i64, String, Vec<u8>), ALL)
}

/// Adds a wrapped key.
pub async fn insert(tx: &mut Tx, id: i64, purpose: &str, wrapped: &[u8], now: i64) -> Result<()> {
    execute!(tx, INSERT, id, purpose, wrapped, now)?;
    Ok(())
}
