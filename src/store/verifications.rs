//! Verifications (a code that was asked for) and joins that wait for the source.
use super::{Result, Tx, execute, long_execute, row, rows, statements};

statements! {
    INSERT = "insert into verifications (id_hash, kind, matched, payload, phone_hash, flow_hash, \
              session_id, wrong_tries, state, created_at, expires_at) \
              values ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9)";
    GET = "select * from verifications where id_hash = $1";
    /// Reads and locks the row at once, on both engines.
    LOCK = "update verifications set state = state where id_hash = $1 returning *";
    SET = "update verifications set state = $2, wrong_tries = $3 where id_hash = $1";
    EXTEND = "update verifications set expires_at = $2 where id_hash = $1";
    USE_UP = "delete from verifications where id_hash = $1 and state = 0 and wrong_tries = $2 \
              and expires_at = $3 and expires_at > $4";
    DELETE_OF_PHONE = "delete from verifications where phone_hash = $1";
    OVER = "delete from verifications where expires_at < $1";
    INSERT_PENDING = "insert into pending_joins (id_hash, register_id, payload, state, created_at, expires_at) \
                      values ($1, $2, $3, 0, $4, $5)";
    PENDING = "select * from pending_joins where id_hash = $1";
    PENDING_WAITING = "select * from pending_joins where state = 0 and expires_at > $1 order by created_at limit $2";
    COUNT_PENDING = "select count(*) from pending_joins where register_id = $1 and expires_at > $2";
    SET_PENDING = "update pending_joins set state = $2 where id_hash = $1 and state <> $2";
    DELETE_PENDING = "delete from pending_joins where id_hash = $1";
    DELETE_PENDING_OF_REGISTER = "delete from pending_joins where register_id = $1";
    PENDING_OVER = "delete from pending_joins where expires_at <= $1";
}

row! {
    /// A verification's row.
    pub struct VerificationRow {
        /// The hash of its handle.
        pub id_hash: Vec<u8>,
        /// What it is for.
        pub kind: i64,
        /// 0 for a decoy, whose code nobody was sent.
        pub matched: i64,
        /// What was typed and consented to, sealed.
        pub payload: Vec<u8>,
        /// The keyed hash of the phone, or of a decoy's gate.
        pub phone_hash: Vec<u8>,
        /// The hash of the cookie of the browser that began it.
        pub flow_hash: Option<Vec<u8>>,
        /// The session that asked for it.
        pub session_id: Option<Vec<u8>>,
        /// Wrong codes so far.
        pub wrong_tries: i64,
        /// 0 open, 2 ended.
        pub state: i64,
        /// Beginning.
        pub created_at: i64,
        /// End of the newest code.
        pub expires_at: i64,
    }
}

row! {
    /// A waiting join's row.
    pub struct PendingRow {
        /// The hash of its handle.
        pub id_hash: Vec<u8>,
        /// The register.
        pub register_id: Vec<u8>,
        /// What was typed and consented to, sealed.
        pub payload: Vec<u8>,
        /// 0 waits, 1 matched.
        pub state: i64,
        /// Beginning.
        pub created_at: i64,
        /// End.
        pub expires_at: i64,
    }
}

/// Adds a verification.
pub async fn insert(tx: &mut Tx, row: &VerificationRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.id_hash.as_slice(),
        row.kind,
        row.matched,
        row.payload.as_slice(),
        row.phone_hash.as_slice(),
        row.flow_hash.as_deref(),
        row.session_id.as_deref(),
        row.created_at,
        row.expires_at
    )?;
    Ok(())
}

/// A verification.
pub async fn get(tx: &mut Tx, id_hash: &[u8]) -> Result<Option<VerificationRow>> {
    rows!(tx, fetch_optional, VerificationRow, GET, id_hash)
}

/// A verification, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id_hash: &[u8]) -> Result<Option<VerificationRow>> {
    rows!(tx, fetch_optional, VerificationRow, LOCK, id_hash)
}

/// Sets state and wrong tries of a locked verification.
pub async fn set(tx: &mut Tx, id_hash: &[u8], state: i64, wrong_tries: i64) -> Result<()> {
    execute!(tx, SET, id_hash, state, wrong_tries)?;
    Ok(())
}

/// Erases a verification whose code is right, if it still is as it was read: no try, no new code and
/// no use came between. Whether it did.
pub async fn use_up(tx: &mut Tx, row: &VerificationRow, now: i64) -> Result<bool> {
    let used = execute!(
        tx,
        USE_UP,
        row.id_hash.as_slice(),
        row.wrong_tries,
        row.expires_at,
        now
    )?;
    Ok(used > 0)
}

/// Moves a verification's end, as a new code does.
pub async fn extend(tx: &mut Tx, id_hash: &[u8], expires_at: i64) -> Result<()> {
    execute!(tx, EXTEND, id_hash, expires_at)?;
    Ok(())
}

/// Erases the verifications of a phone.
pub async fn delete_of_phone(tx: &mut Tx, phone_hash: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_OF_PHONE, phone_hash)
}

/// Forgets verifications that ended before a time.
pub async fn forget_over(tx: &mut Tx, before: i64) -> Result<u64> {
    long_execute!(tx, OVER, before)
}

/// Keeps a join while the source is down.
pub async fn insert_pending(tx: &mut Tx, row: &PendingRow) -> Result<()> {
    execute!(
        tx,
        INSERT_PENDING,
        row.id_hash.as_slice(),
        row.register_id.as_slice(),
        row.payload.as_slice(),
        row.created_at,
        row.expires_at
    )?;
    Ok(())
}

/// A waiting join.
pub async fn pending(tx: &mut Tx, id_hash: &[u8]) -> Result<Option<PendingRow>> {
    rows!(tx, fetch_optional, PendingRow, PENDING, id_hash)
}

/// Some joins that wait for the source, oldest first.
pub async fn pending_waiting(tx: &mut Tx, now: i64, limit: i64) -> Result<Vec<PendingRow>> {
    rows!(tx, fetch_all, PendingRow, PENDING_WAITING, now, limit)
}

/// How many wait in a register.
pub async fn count_pending(tx: &mut Tx, register: &[u8], now: i64) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), COUNT_PENDING, register, now)?.0)
}

/// Sets a waiting join's state; false where it had it already, or is gone.
pub async fn set_pending(tx: &mut Tx, id_hash: &[u8], state: i64) -> Result<bool> {
    Ok(execute!(tx, SET_PENDING, id_hash, state)? > 0)
}

/// Erases a waiting join; whether it was there.
pub async fn delete_pending(tx: &mut Tx, id_hash: &[u8]) -> Result<bool> {
    Ok(execute!(tx, DELETE_PENDING, id_hash)? > 0)
}

/// Erases the waiting joins of a register.
pub async fn delete_pending_of_register(tx: &mut Tx, register: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_PENDING_OF_REGISTER, register)
}

/// Erases waiting joins whose day is over.
pub async fn forget_pending_over(tx: &mut Tx, now: i64) -> Result<u64> {
    long_execute!(tx, PENDING_OVER, now)
}
