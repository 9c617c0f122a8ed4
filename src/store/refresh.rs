//! Refresh: runs, shards with leases, and the people of a shard.
use super::{
    Result, Tx,
    engine::{Held, On},
    execute, long_execute, long_rows, row, rows, statements,
};
use crate::sqlite;
use rusqlite::ToSql;

/// Rows written in place before other tasks of the thread get their turn.
const AT_ONCE: usize = 100;

/// What [`REPLACE`] does with one person, on SQLite.
const REPLACE_EACH: &str = "update snapshots set items = $2, fingerprint = $3, read_at = $4, miss = 0, \
    seen_at = null where person_id = $1 and covers = $5 and fingerprint is not distinct from $6";

statements! {
    SEED = "insert into refresh_shards (shard, version, done, lease_until, updated, unchanged, failed, unmatched) \
            values ($1, 0, 1, 0, 0, 0, 0, 0) on conflict (shard) do nothing";
    /// Locks the schedule: whoever begins or finishes a run holds the first shard's row.
    LOCK = "update refresh_shards set done = done where shard = 0 returning shard";
    TIMES = "select shard, read_at, failed_at, failing_since from refresh_shards order by shard";
    VERSION = "select cast(sum(version) as bigint) from refresh_shards";
    OPEN_RUN = "select * from refresh_runs where finished_at is null order by started_at limit 1";
    RUN = "select * from refresh_runs where id = $1";
    LAST_RUN = "select * from refresh_runs where finished_at is not null order by finished_at desc limit 1";
    INSERT_RUN = "insert into refresh_runs (id, cause, started_at, cursor, updated, unchanged, failed, unmatched) \
                  values ($1, $2, $3, $4, 0, 0, 0, 0)";
    BEGIN_SHARDS = "update refresh_shards set run_id = $1, began_at = null, reached = null, done = 0, \
        lease_owner = null, lease_until = 0, updated = 0, unchanged = 0, failed = 0, unmatched = 0";
    LEASE = "update refresh_shards set lease_owner = $1, lease_until = $2, began_at = coalesce(began_at, $3) \
        where shard = (select shard from refresh_shards where run_id = $4 and done = 0 and lease_until <= $3 \
        order by shard limit 1) and run_id = $4 and done = 0 and lease_until <= $3 \
        returning shard, began_at, reached, read_at, cursor";
    EXTEND = "update refresh_shards set lease_until = $3 \
        where shard = $1 and lease_owner = $2 and done = 0";
    ADVANCE = "update refresh_shards set reached = $3, lease_until = $4, updated = updated + $5, \
        unchanged = unchanged + $6, failed = failed + $7, unmatched = unmatched + $8 \
        where shard = $1 and lease_owner = $2 and run_id = $9 and done = 0";
    FINISH_SHARD = "update refresh_shards set done = 1, read_at = coalesce($3, read_at), \
        cursor = case when cast($4 as bigint) is null then $5 else cursor end, failed_at = $4, \
        failing_since = case when cast($4 as bigint) is null then null else coalesce(failing_since, $4) end, \
        version = version + 1, lease_owner = null, lease_until = 0 \
        where shard = $1 and lease_owner = $2 and done = 0";
    FINISH_RUN = "update refresh_runs set finished_at = $2, \
        updated = (select cast(coalesce(sum(updated), 0) as bigint) from refresh_shards), \
        unchanged = (select cast(coalesce(sum(unchanged), 0) as bigint) from refresh_shards), \
        failed = (select cast(coalesce(sum(failed), 0) as bigint) from refresh_shards), \
        unmatched = (select cast(coalesce(sum(unmatched), 0) as bigint) from refresh_shards) \
        where id = $1 and finished_at is null \
        and not exists (select 1 from refresh_shards where run_id = $1 and done = 0)";
    PROGRESS = "select cast(coalesce(sum(updated + unchanged + failed + unmatched), 0) as bigint) \
                from refresh_shards where run_id = $1";
    RUNS_OVER = "delete from refresh_runs where finished_at < $1";
    /// People of an id range who are in a register.
    PEOPLE = "select s.person_id as id, p.document_hash, p.profile, s.fingerprint, s.miss, s.covers \
        from snapshots s join persons p on p.id = s.person_id \
        where s.person_id > $1 and s.person_id <= $2 and s.covers <> '' order by s.person_id limit $3";
    COUNT = "select count(*) from snapshots where person_id > $1 and person_id <= $2 and covers <> ''";
    HELD = "select items, fingerprint, read_at, miss, seen_at, covers from snapshots where person_id = $1";
    /// Each element: the person, the fingerprint that was read, the new one, the new items, in
    /// hexadecimal; zeros for no fingerprint. Writes only over what was read and asked for: nobody
    /// who left or changed a consent meanwhile comes back.
    REPLACE = "update snapshots set items = unhex(substr(j.value, 161)), \
        fingerprint = unhex(substr(j.value, 97, 64)), read_at = $2, miss = 0, seen_at = null \
        from json_each($1) as j where snapshots.person_id = unhex(substr(j.value, 1, 32)) \
        and snapshots.covers = $3 and snapshots.fingerprint is not distinct from \
        unhex(nullif(substr(j.value, 33, 64), \
        '0000000000000000000000000000000000000000000000000000000000000000'))";
    /// One person's, whatever the reading gave. The same condition.
    REPLACE_ONE = "update snapshots set items = $2, fingerprint = $3, read_at = $4, miss = $5, seen_at = $6 \
        where person_id = $1 and covers = $7 and fingerprint is not distinct from $8 and miss = $9";
    /// The registers of an id range's people: their lists may read otherwise.
    TELL = "update registers set version = version + 1 where id in \
        (select distinct a.register_id from authorizations a where a.person_id > $1 and a.person_id <= $2)";
}

row! {
    /// A shard's times.
    pub struct ShardRow {
        /// 0 to 63.
        pub shard: i64,
        /// When its last complete reading began.
        pub read_at: Option<i64>,
        /// When its last attempt failed; none once it succeeded.
        pub failed_at: Option<i64>,
        /// When the first of the attempts failed that have failed since; none once one succeeded.
        pub failing_since: Option<i64>,
    }
}

row! {
    /// A run.
    pub struct RunRow {
        /// Its id.
        pub id: Vec<u8>,
        /// `schedule`, `command`, `demo`.
        pub cause: String,
        /// Where the source's changes stood when it began, if it can tell.
        pub cursor: Option<String>,
        /// Beginning.
        pub started_at: i64,
        /// End.
        pub finished_at: Option<i64>,
        /// People whose information changed.
        pub updated: i64,
        /// People whose information did not.
        pub unchanged: i64,
        /// People who could not be read.
        pub failed: i64,
        /// People whom the source does not know.
        pub unmatched: i64,
    }
}

row! {
    /// A shard that this server has a lease of.
    pub struct LeasedRow {
        /// 0 to 63.
        pub shard: i64,
        /// When this run began to read it.
        pub began_at: Option<i64>,
        /// The last id that is done.
        pub reached: Option<Vec<u8>>,
        /// When its last complete reading began.
        pub read_at: Option<i64>,
        /// Where the source's changes stood then.
        pub cursor: Option<String>,
    }
}

row! {
    /// A person to be read.
    pub struct RefreshRow {
        /// The person.
        pub id: Vec<u8>,
        /// The keyed hash of the document.
        pub document_hash: Vec<u8>,
        /// The sealed profile.
        pub profile: Vec<u8>,
        /// The fingerprint of what is held.
        pub fingerprint: Option<Vec<u8>>,
        /// How the last attempt went.
        pub miss: i64,
        /// The items that authorizations cover, comma-separated.
        pub covers: String,
    }
}

row! {
    /// What is held of a person.
    pub struct HeldRow {
        /// The snapshot.
        in snapshot: super::snapshots::SnapshotRow,
        /// The items that authorizations cover, comma-separated.
        pub covers: String,
    }
}

/// A person's new items.
#[derive(Debug)]
pub struct Update {
    /// The person.
    pub id: Vec<u8>,
    /// The fingerprint that was read, if there was one.
    pub old: Option<Vec<u8>>,
    /// The fingerprint of the new items.
    pub fingerprint: [u8; 32],
    /// The sealed new items.
    pub items: Vec<u8>,
}

/// Makes the rows of all shards.
pub async fn seed(tx: &mut Tx, shards: u8) -> Result<()> {
    for shard in 0..shards {
        execute!(tx, SEED, i64::from(shard))?;
    }
    Ok(())
}

/// Takes the lock under which runs begin and end.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    rows!(tx, fetch_optional, (i64,), LOCK)?;
    Ok(())
}

/// The times of all shards.
pub async fn times(tx: &mut Tx) -> Result<Vec<ShardRow>> {
    rows!(tx, fetch_all, ShardRow, TIMES)
}

/// A number that rises whenever a shard's times change.
pub async fn version(tx: &mut Tx) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (Option<i64>,), VERSION)?
        .0
        .unwrap_or(0))
}

/// The run that is under way.
pub async fn open_run(tx: &mut Tx) -> Result<Option<RunRow>> {
    rows!(tx, fetch_optional, RunRow, OPEN_RUN)
}

/// A run.
pub async fn run(tx: &mut Tx, id: &[u8]) -> Result<Option<RunRow>> {
    rows!(tx, fetch_optional, RunRow, RUN, id)
}

/// The last run that finished.
pub async fn last_run(tx: &mut Tx) -> Result<Option<RunRow>> {
    rows!(tx, fetch_optional, RunRow, LAST_RUN)
}

/// Begins a run over all shards.
pub async fn insert_run(
    tx: &mut Tx,
    id: &[u8],
    cause: &str,
    now: i64,
    cursor: Option<&str>,
) -> Result<()> {
    execute!(tx, INSERT_RUN, id, cause, now, cursor)?;
    execute!(tx, BEGIN_SHARDS, id)?;
    Ok(())
}

/// Leases the next shard that nobody works on.
pub async fn lease(
    tx: &mut Tx,
    owner: &[u8],
    until: i64,
    now: i64,
    run: &[u8],
) -> Result<Option<LeasedRow>> {
    rows!(tx, fetch_optional, LeasedRow, LEASE, owner, until, now, run)
}

/// Keeps a lease while the source takes its time.
pub async fn extend(tx: &mut Tx, shard: i64, owner: &[u8], until: i64) -> Result<()> {
    execute!(tx, EXTEND, shard, owner, until)?;
    Ok(())
}

/// How a batch went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changed.
    pub updated: i64,
    /// Not changed.
    pub unchanged: i64,
    /// Not read.
    pub failed: i64,
    /// Not known.
    pub unmatched: i64,
}

/// Records a batch's end; false when the lease was lost, and then nothing may be committed.
pub async fn advance(
    tx: &mut Tx,
    shard: i64,
    owner: &[u8],
    reached: &[u8],
    until: i64,
    counts: Counts,
    run: &[u8],
) -> Result<bool> {
    let touched = execute!(
        tx,
        ADVANCE,
        shard,
        owner,
        reached,
        until,
        counts.updated,
        counts.unchanged,
        counts.failed,
        counts.unmatched,
        run
    )?;
    Ok(touched > 0)
}

/// Ends a shard's reading: `read_at` and the run's `cursor` where it was complete, `failed_at` where
/// it was not.
pub async fn finish_shard(
    tx: &mut Tx,
    shard: i64,
    owner: &[u8],
    read_at: Option<i64>,
    failed_at: Option<i64>,
    cursor: Option<&str>,
) -> Result<bool> {
    Ok(execute!(tx, FINISH_SHARD, shard, owner, read_at, failed_at, cursor)? > 0)
}

/// Finishes a run whose shards are all done; whether this call did it.
pub async fn finish_run(tx: &mut Tx, run: &[u8], now: i64) -> Result<bool> {
    Ok(execute!(tx, FINISH_RUN, run, now)? > 0)
}

/// How many people a run has done.
pub async fn progress(tx: &mut Tx, run: &[u8]) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), PROGRESS, run)?.0)
}

/// Forgets runs that finished before a time.
pub async fn forget_over(tx: &mut Tx, before: i64) -> Result<u64> {
    long_execute!(tx, RUNS_OVER, before)
}

/// The next people of an id range (exclusive, inclusive) who are in a register.
pub async fn people(tx: &mut Tx, after: &[u8], last: &[u8], limit: i64) -> Result<Vec<RefreshRow>> {
    long_rows!(tx, fetch_all, RefreshRow, PEOPLE, after, last, limit)
}

/// How many people of an id range are in a register.
pub async fn count(tx: &mut Tx, after: &[u8], last: &[u8]) -> Result<i64> {
    Ok(long_rows!(tx, fetch_one, (i64,), COUNT, after, last)?.0)
}

/// What is held of a person.
pub async fn held(tx: &mut Tx, person: &[u8]) -> Result<Option<HeldRow>> {
    rows!(tx, fetch_optional, HeldRow, HELD, person)
}

/// Writes the new items of people whose authorizations cover the same; of how many. Who changed
/// meanwhile is left as they are.
pub async fn replace(tx: &mut Tx, updates: &[&Update], read_at: i64, covers: &str) -> Result<u64> {
    if let On::Sqlite(held) = tx.on(REPLACE) {
        return replace_each(held, updates, read_at, covers).await;
    }
    const NONE: [u8; 32] = [0; 32];
    let rows: Vec<Vec<u8>> = updates
        .iter()
        .map(|update| {
            let old = update.old.as_deref().unwrap_or(&NONE);
            [&update.id, old, &update.fingerprint, &update.items].concat()
        })
        .collect();
    let list = super::hex_list(rows.iter().map(Vec::as_slice));
    execute!(tx, REPLACE, list, read_at, covers)
}

/// The same without a round trip, where a list of all would only be written and read again.
async fn replace_each(
    held: &mut Held,
    updates: &[&Update],
    read_at: i64,
    covers: &str,
) -> Result<u64> {
    let mut written = 0;
    for some in updates.chunks(AT_ONCE) {
        written += held.here(|connection| {
            some.iter().try_fold(0, |written, update| {
                let arguments: [&dyn ToSql; 6] = [
                    &update.id,
                    &update.items,
                    &update.fingerprint,
                    &read_at,
                    &covers,
                    &update.old,
                ];
                Ok(written + sqlite::execute(connection, REPLACE_EACH, &arguments)?)
            })
        })?;
        tokio::task::yield_now().await;
    }
    Ok(written)
}

/// Writes what a reading gave of one person, over what was read; whether it did.
pub async fn replace_one(
    tx: &mut Tx,
    person: &[u8],
    new: &super::snapshots::SnapshotRow,
    held: &HeldRow,
) -> Result<bool> {
    let touched = execute!(
        tx,
        REPLACE_ONE,
        person,
        new.items.as_deref(),
        new.fingerprint.as_deref(),
        new.read_at,
        new.miss,
        new.seen_at,
        held.covers.as_str(),
        held.snapshot.fingerprint.as_deref(),
        held.snapshot.miss
    )?;
    Ok(touched > 0)
}

/// Tells the registers of an id range's people (exclusive, inclusive) that something changed.
pub async fn tell(tx: &mut Tx, after: &[u8], last: &[u8]) -> Result<()> {
    long_execute!(tx, TELL, after, last)?;
    Ok(())
}
