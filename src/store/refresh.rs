//! Refresh: runs, shards with leases, and the people of a shard.
use super::{Result, Tx, execute, rows, statements};

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
    INSERT_RUN = "insert into refresh_runs (id, cause, started_at, updated, unchanged, failed, unmatched) \
                  values ($1, $2, $3, 0, 0, 0, 0)";
    BEGIN_SHARDS = "update refresh_shards set run_id = $1, began_at = null, reached = null, done = 0, \
        lease_owner = null, lease_until = 0, updated = 0, unchanged = 0, failed = 0, unmatched = 0";
    LEASE = "update refresh_shards set lease_owner = $1, lease_until = $2, began_at = coalesce(began_at, $3) \
        where shard = (select shard from refresh_shards where run_id = $4 and done = 0 and lease_until <= $3 \
        order by shard limit 1) and run_id = $4 and done = 0 and lease_until <= $3 \
        returning shard, began_at, reached, read_at";
    EXTEND = "update refresh_shards set lease_until = $3 \
        where shard = $1 and lease_owner = $2 and done = 0";
    ADVANCE = "update refresh_shards set reached = $3, lease_until = $4, updated = updated + $5, \
        unchanged = unchanged + $6, failed = failed + $7, unmatched = unmatched + $8 \
        where shard = $1 and lease_owner = $2 and run_id = $9 and done = 0";
    FINISH_SHARD = "update refresh_shards set done = 1, read_at = coalesce($3, read_at), failed_at = $4, \
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
    /// People of an id range with a live authorization, with the items that these cover.
    PEOPLE = "select p.id, p.phone_hash, p.profile, s.items, s.fingerprint, s.read_at, s.miss, s.seen_at, \
        (select string_agg(a.items, ',') from authorizations a join registers r on r.id = a.register_id \
         where a.person_id = p.id and (r.ends_on is null or r.ends_on >= $4)) as wanted \
        from persons p join snapshots s on s.person_id = p.id \
        where p.id > $1 and p.id <= $2 and exists \
        (select 1 from authorizations a join registers r on r.id = a.register_id \
         where a.person_id = p.id and (r.ends_on is null or r.ends_on >= $4)) \
        order by p.id limit $3";
    ONE = "select p.id, p.phone_hash, p.profile, s.items, s.fingerprint, s.read_at, s.miss, s.seen_at, \
        (select string_agg(a.items, ',') from authorizations a join registers r on r.id = a.register_id \
         where a.person_id = p.id and (r.ends_on is null or r.ends_on >= $2)) as wanted \
        from persons p join snapshots s on s.person_id = p.id where p.id = $1";
    WANTED = "select p.id, \
        (select string_agg(a.items, ',') from authorizations a join registers r on r.id = a.register_id \
         where a.person_id = p.id and (r.ends_on is null or r.ends_on >= $2)) as wanted \
        from json_each($1) as j join persons p on p.id = unhex(j.value)";
    COUNT = "select count(*) from persons p where p.id > $1 and p.id <= $2 and exists \
        (select 1 from authorizations a join registers r on r.id = a.register_id \
         where a.person_id = p.id and (r.ends_on is null or r.ends_on >= $3))";
    /// Writes only over the snapshot that was read: nobody who left or changed meanwhile comes back.
    REPLACE = "update snapshots set items = $2, fingerprint = $3, read_at = $4, miss = $5, seen_at = $6 \
        where person_id = $1 and fingerprint is not distinct from $7 and miss = $8";
}

/// A shard's times.
#[derive(Debug, Clone, sqlx::FromRow)]
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

/// A run.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RunRow {
    /// Its id.
    pub id: Vec<u8>,
    /// `schedule`, `command`, `demo`.
    pub cause: String,
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

/// A shard that this server has a lease of.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LeasedRow {
    /// 0 to 63.
    pub shard: i64,
    /// When this run began to read it.
    pub began_at: Option<i64>,
    /// The last id that is done.
    pub reached: Option<Vec<u8>>,
    /// When its last complete reading began.
    pub read_at: Option<i64>,
}

/// A person to be read.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RefreshRow {
    /// The person.
    pub id: Vec<u8>,
    /// The keyed hash of the phone.
    pub phone_hash: Vec<u8>,
    /// The sealed profile.
    pub profile: Vec<u8>,
    /// The sealed items.
    pub items: Option<Vec<u8>>,
    /// Their fingerprint.
    pub fingerprint: Option<Vec<u8>>,
    /// When they were read.
    pub read_at: Option<i64>,
    /// How the last attempt went.
    pub miss: i64,
    /// The data time kept while there is a miss.
    pub seen_at: Option<i64>,
    /// Items of live authorizations, comma-separated, with repeats.
    pub wanted: Option<String>,
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
pub async fn insert_run(tx: &mut Tx, id: &[u8], cause: &str, now: i64) -> Result<()> {
    execute!(tx, INSERT_RUN, id, cause, now)?;
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

/// Ends a shard's reading: `read_at` where it was complete, `failed_at` where it was not.
pub async fn finish_shard(
    tx: &mut Tx,
    shard: i64,
    owner: &[u8],
    read_at: Option<i64>,
    failed_at: Option<i64>,
) -> Result<bool> {
    Ok(execute!(tx, FINISH_SHARD, shard, owner, read_at, failed_at)? > 0)
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
    execute!(tx, RUNS_OVER, before)
}

/// The next people of an id range (exclusive, inclusive) who have a live authorization on a day.
pub async fn people(
    tx: &mut Tx,
    after: &[u8],
    last: &[u8],
    limit: i64,
    today: &str,
) -> Result<Vec<RefreshRow>> {
    rows!(tx, fetch_all, RefreshRow, PEOPLE, after, last, limit, today)
}

/// One person as the refresh sees them.
pub async fn one(tx: &mut Tx, person: &[u8], today: &str) -> Result<Option<RefreshRow>> {
    rows!(tx, fetch_optional, RefreshRow, ONE, person, today)
}

/// The items that live authorizations of each of these people cover now, comma-separated.
pub async fn wanted(
    tx: &mut Tx,
    hex_ids: &str,
    today: &str,
) -> Result<Vec<(Vec<u8>, Option<String>)>> {
    rows!(
        tx,
        fetch_all,
        (Vec<u8>, Option<String>),
        WANTED,
        hex_ids,
        today
    )
}

/// How many people of an id range have a live authorization.
pub async fn count(tx: &mut Tx, after: &[u8], last: &[u8], today: &str) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), COUNT, after, last, today)?.0)
}

/// Replaces a snapshot that still is as it was read; whether it did.
pub async fn replace(
    tx: &mut Tx,
    person: &[u8],
    new: &super::snapshots::SnapshotRow,
    old_fingerprint: Option<&[u8]>,
    old_miss: i64,
) -> Result<bool> {
    let touched = execute!(
        tx,
        REPLACE,
        person,
        new.items.as_deref(),
        new.fingerprint.as_deref(),
        new.read_at,
        new.miss,
        new.seen_at,
        old_fingerprint,
        old_miss
    )?;
    Ok(touched > 0)
}
