//! The database's own keys, wrapped by the root key that stands outside it, and which programs hold
//! them.
use super::{Result, Tx, execute, row, rows, statements};

statements! {
    ALL = "select id, purpose, suite, state, wrapped, created_at, changed_at from keys order by id";
    VERSION = "select cast(coalesce(sum(state + 1), 0) as bigint) from keys";
    INSERT = "insert into keys (id, purpose, suite, state, wrapped, created_at, changed_at) \
              values ($1, $2, $3, $4, $5, $6, $6)";
    SET_STATE = "update keys set state = $3, changed_at = $4 where id = $1 and state = $2";
    DESTROY = "update keys set state = 4, wrapped = $2, changed_at = $3 where id = $1 and state = 3";
    REWRAP = "update keys set wrapped = $3 where id = $1 and wrapped = $2";
    ANYBODY = "select count(*) from (select 1 from persons limit 1) as p";
    HOLD = "insert into key_holders (server, version, seen_at, adopts) values ($1, $2, $3, $4) \
            on conflict (server) do update set version = excluded.version, \
            seen_at = excluded.seen_at, adopts = excluded.adopts";
    LET_GO = "delete from key_holders where server = $1";
    HOLDERS_OVER = "delete from key_holders where seen_at < $1";
    ADOPTING = "select count(*) from key_holders where seen_at >= $1 and adopts <> 0";
    BEHIND = "select count(*) from key_holders where seen_at >= $1 and version < $2";
}

row! {
    /// A key's row.
    pub struct KeyRow {
        /// Its number.
        pub id: i64,
        /// What it is for.
        pub purpose: String,
        /// The number of its suite.
        pub suite: i64,
        /// The number of its state.
        pub state: i64,
        /// The key, sealed by the root key.
        pub wrapped: Vec<u8>,
        /// When it was drawn.
        pub created_at: i64,
        /// Since when it stands as it does.
        pub changed_at: i64,
    }
}

/// Every key.
pub async fn all(tx: &mut Tx) -> Result<Vec<KeyRow>> {
    rows!(tx, fetch_all, KeyRow, ALL)
}

/// A number that rises with every change among them.
pub async fn version(tx: &mut Tx) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), VERSION)?.0)
}

/// Adds a key.
pub async fn insert(tx: &mut Tx, key: &KeyRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        key.id,
        key.purpose.as_str(),
        key.suite,
        key.state,
        key.wrapped.as_slice(),
        key.created_at
    )?;
    Ok(())
}

/// Moves a key from one state to another; whether it stood in the first.
pub async fn set_state(tx: &mut Tx, id: i64, from: i64, to: i64, now: i64) -> Result<bool> {
    Ok(execute!(tx, SET_STATE, id, from, to, now)? > 0)
}

/// Overwrites the secret of a key that nothing needs; whether there was such a one.
pub async fn destroy(tx: &mut Tx, id: i64, now: i64) -> Result<bool> {
    Ok(execute!(tx, DESTROY, id, &[][..] as &[u8], now)? > 0)
}

/// Puts another wrapping over what was read; whether that stood there still.
pub async fn rewrap(tx: &mut Tx, id: i64, old: &[u8], new: &[u8]) -> Result<bool> {
    Ok(execute!(tx, REWRAP, id, old, new)? > 0)
}

/// Whether there is anybody whose data is sealed.
pub async fn anybody(tx: &mut Tx) -> Result<bool> {
    Ok(rows!(tx, fetch_one, (i64,), ANYBODY)?.0 > 0)
}

/// Says which version of the keys a program holds now, and whether what it keeps outside the
/// database is not sealed and hashed by them yet.
pub async fn hold(tx: &mut Tx, server: &[u8], version: i64, adopts: bool, now: i64) -> Result<()> {
    execute!(tx, HOLD, server, version, now, i64::from(adopts))?;
    Ok(())
}

/// A program ends, and holds none any more.
pub async fn let_go(tx: &mut Tx, server: &[u8]) -> Result<()> {
    execute!(tx, LET_GO, server)?;
    Ok(())
}

/// Forgets programs that were not seen since a time.
pub async fn forget_holders(tx: &mut Tx, before: i64) -> Result<u64> {
    execute!(tx, HOLDERS_OVER, before)
}

/// How many programs that were seen since a time are not done with what they keep outside.
pub async fn adopting(tx: &mut Tx, since: i64) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), ADOPTING, since)?.0)
}

/// How many programs that were seen since a time hold an older version.
pub async fn behind(tx: &mut Tx, since: i64, version: i64) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), BEHIND, since, version)?.0)
}
