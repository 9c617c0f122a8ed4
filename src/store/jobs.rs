//! Jobs: texts to send later, written in the action's own transaction.
use super::{Result, Tx, execute, row, rows, statements};

statements! {
    INSERT = "insert into jobs (id, kind, payload, due_at, attempts) values ($1, $2, $3, $4, 0)";
    /// Takes the next that is due by moving it ahead: nobody else takes it meanwhile.
    TAKE = "update jobs set due_at = $2, attempts = attempts + 1 where id = \
        (select id from jobs where due_at <= $1 order by due_at limit 1) and due_at <= $1 \
        returning id, kind, payload, attempts";
    DELETE = "delete from jobs where id = $1";
    LEASE = "insert into leases (name, owner, until) values ($1, $2, $3) \
        on conflict (name) do update set owner = excluded.owner, until = excluded.until \
        where leases.until < $4 or leases.owner = excluded.owner returning until";
    /// Nothing is due before its first time.
    PLAN = "insert into leases (name, owner, until) values ($1, $2, $3) on conflict (name) do nothing";
    /// Takes what is due, for one server, until it is due again.
    DUE = "update leases set owner = $2, until = $3 where name = $1 and until <= $4 returning until";
    RELEASE = "delete from leases where name = $1 and owner = $2";
}

row! {
    /// A job's row.
    pub struct JobRow {
        /// Its id.
        pub id: Vec<u8>,
        /// What is to be done.
        pub kind: String,
        /// With what, sealed.
        pub payload: Vec<u8>,
        /// How often it was tried.
        pub attempts: i64,
    }
}

/// Adds a job.
pub async fn insert(tx: &mut Tx, id: &[u8], kind: &str, payload: &[u8], due_at: i64) -> Result<()> {
    execute!(tx, INSERT, id, kind, payload, due_at)?;
    Ok(())
}

/// Takes the next job that is due; it comes again at `again_at` unless it is deleted.
pub async fn take(tx: &mut Tx, now: i64, again_at: i64) -> Result<Option<JobRow>> {
    rows!(tx, fetch_optional, JobRow, TAKE, now, again_at)
}

/// Deletes a job that is done.
pub async fn delete(tx: &mut Tx, id: &[u8]) -> Result<()> {
    execute!(tx, DELETE, id)?;
    Ok(())
}

/// Takes or keeps a lease until a time; whether this owner has it now.
pub async fn lease(tx: &mut Tx, name: &str, owner: &[u8], until: i64, now: i64) -> Result<bool> {
    Ok(rows!(tx, fetch_optional, (i64,), LEASE, name, owner, until, now)?.is_some())
}

/// Whether something is due; it is due again at `next`, and until then for nobody.
pub async fn due(tx: &mut Tx, name: &str, owner: &[u8], next: i64, now: i64) -> Result<bool> {
    execute!(tx, PLAN, name, owner, next)?;
    Ok(rows!(tx, fetch_optional, (i64,), DUE, name, owner, next, now)?.is_some())
}

/// Gives a lease back.
pub async fn release(tx: &mut Tx, name: &str, owner: &[u8]) -> Result<()> {
    execute!(tx, RELEASE, name, owner)?;
    Ok(())
}
