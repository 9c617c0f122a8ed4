//! Snapshots: what was last read of each person, one sealed row.
use super::{Result, Tx, execute, row, rows, statements};

statements! {
    GET = "select items, fingerprint, read_at, miss, seen_at from snapshots where person_id = $1";
    /// Reads and locks the row at once, on both engines.
    LOCK = "update snapshots set miss = miss where person_id = $1 \
            returning items, fingerprint, read_at, miss, seen_at";
    PUT = "insert into snapshots (person_id, items, fingerprint, read_at, miss, seen_at, covers) \
           values ($1, $2, $3, $4, $5, $6, $7) \
           on conflict (person_id) do update set items = excluded.items, \
           fingerprint = excluded.fingerprint, read_at = excluded.read_at, \
           miss = excluded.miss, seen_at = excluded.seen_at, covers = excluded.covers";
    MARK = "insert into snapshots (person_id, miss, seen_at, covers) values ($1, $2, $3, $4) \
            on conflict (person_id) do update set miss = excluded.miss, seen_at = excluded.seen_at, \
            covers = excluded.covers";
    COVER = "update snapshots set covers = $2 where person_id = $1";
    ERASE = "delete from snapshots where person_id = $1 \
             and not exists (select 1 from authorizations a where a.person_id = snapshots.person_id)";
    BUMP_REGISTERS = "update registers set version = version + 1 where id in \
        (select a.register_id from json_each($1) as j join authorizations a on a.person_id = unhex(j.value))";
}

row! {
    /// A snapshot's row.
    pub struct SnapshotRow {
        /// The sealed items.
        pub items: Option<Vec<u8>>,
        /// Their keyed fingerprint.
        pub fingerprint: Option<Vec<u8>>,
        /// When they were read; bound into the seal.
        pub read_at: Option<i64>,
        /// 0 read, 1 failed, 2 not matched.
        pub miss: i64,
        /// The data time kept while `miss` is not 0.
        pub seen_at: Option<i64>,
    }
}

/// A person's snapshot.
pub async fn get(tx: &mut Tx, person: &[u8]) -> Result<Option<SnapshotRow>> {
    rows!(tx, fetch_optional, SnapshotRow, GET, person)
}

/// A person's snapshot, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, person: &[u8]) -> Result<Option<SnapshotRow>> {
    rows!(tx, fetch_optional, SnapshotRow, LOCK, person)
}

/// Writes a person's snapshot, and the items that authorizations cover now.
pub async fn put(tx: &mut Tx, person: &[u8], row: &SnapshotRow, covers: &str) -> Result<()> {
    execute!(
        tx,
        PUT,
        person,
        row.items.as_deref(),
        row.fingerprint.as_deref(),
        row.read_at,
        row.miss,
        row.seen_at,
        covers
    )?;
    Ok(())
}

/// Writes the items that authorizations cover now, leaving what was read as it is.
pub async fn cover(tx: &mut Tx, person: &[u8], covers: &str) -> Result<()> {
    execute!(tx, COVER, person, covers)?;
    Ok(())
}

/// Marks how the last attempt went, leaving the items as they are.
pub async fn mark(
    tx: &mut Tx,
    person: &[u8],
    miss: i64,
    seen_at: Option<i64>,
    covers: &str,
) -> Result<()> {
    execute!(tx, MARK, person, miss, seen_at, covers)?;
    Ok(())
}

/// Erases the snapshot of a person without any authorization.
pub async fn erase(tx: &mut Tx, person: &[u8]) -> Result<bool> {
    Ok(execute!(tx, ERASE, person)? > 0)
}

/// Tells the registers of these people (a JSON list of ids in hexadecimal) that something changed.
pub async fn bump_registers(tx: &mut Tx, hex_ids: &str) -> Result<()> {
    execute!(tx, BUMP_REGISTERS, hex_ids)?;
    Ok(())
}
