//! Counters of limits, shared by every server.
use super::{Result, Tx, execute, long_execute, rows, statements};

statements! {
    TAKE = "insert into counters (counter, bucket, amount, expires_at) values ($1, $2, $3, $4) \
            on conflict (counter) do update set \
            amount = case when counters.bucket = excluded.bucket then counters.amount else 0 end + excluded.amount, \
            bucket = excluded.bucket, expires_at = excluded.expires_at \
            returning amount";
    GIVE_BACK = "update counters set amount = amount - 1 where counter = $1 and bucket = $2 and amount > 0";
    OVER = "delete from counters where expires_at < $1";
}

/// Counts one more of something in a bucket of time; how many it are now.
pub async fn take(tx: &mut Tx, counter: &[u8], bucket: i64, expires_at: i64) -> Result<i64> {
    Ok(rows!(
        tx,
        fetch_one,
        (i64,),
        TAKE,
        counter,
        bucket,
        1_i64,
        expires_at
    )?
    .0)
}

/// Takes back one that turned out not to count.
pub async fn give_back(tx: &mut Tx, counter: &[u8], bucket: i64) -> Result<()> {
    execute!(tx, GIVE_BACK, counter, bucket)?;
    Ok(())
}

/// Forgets counters that ended before a time.
pub async fn forget_over(tx: &mut Tx, before: i64) -> Result<u64> {
    long_execute!(tx, OVER, before)
}
