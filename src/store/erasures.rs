//! What was erased, by identifiers that lead to nobody.
use super::{Result, Tx, execute, rows, statements};

statements! {
    /// What is erased later says more than what was erased earlier.
    RECORD = "insert into erasures (id, kind, keeps, at) values ($1, $2, $3, $4) \
        on conflict (id) do update set kind = excluded.kind, keeps = excluded.keeps, at = excluded.at \
        where erasures.kind <> 0";
    SINCE = "select id, kind, keeps, at from erasures where at >= $1 order by at, id";
    OVER = "delete from erasures where at < $1";
}

/// An erasure: of what, of which kind, what stays of it, and when.
pub type ErasureRow = (Vec<u8>, i64, Option<String>, i64);

/// Records an erasure in the transaction that erases.
pub async fn record(tx: &mut Tx, id: &[u8], kind: i64, keeps: Option<&str>, at: i64) -> Result<()> {
    execute!(tx, RECORD, id, kind, keeps, at)?;
    Ok(())
}

/// The erasures since a time, oldest first.
pub async fn since(tx: &mut Tx, at: i64) -> Result<Vec<ErasureRow>> {
    rows!(
        tx,
        fetch_all,
        (Vec<u8>, i64, Option<String>, i64),
        SINCE,
        at
    )
}

/// Forgets erasures of before a time: no backup is older.
pub async fn forget_over(tx: &mut Tx, before: i64) -> Result<u64> {
    execute!(tx, OVER, before)
}
