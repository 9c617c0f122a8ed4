//! Sessions and confirmation tokens; tokens stand hashed.
use super::{Result, Tx, execute, long_execute, row, rows, statements};

statements! {
    INSERT = "insert into sessions (token_hash, id, person_id, scope, by_passkey, created_at, seen_at, expires_at) \
              values ($1, $2, $3, $4, $5, $6, $6, $7)";
    BY_TOKENS = "select s.token_hash, s.id, s.person_id, s.scope, s.by_passkey, s.created_at, s.seen_at, s.expires_at \
        from json_each($1) as j join sessions s on s.token_hash = unhex(j.value)";
    TOUCH = "update sessions set seen_at = $2 where token_hash = $1";
    RAISE = "update sessions set by_passkey = 1 where id = $1 and person_id = $2";
    OF_PERSON = "select id, person_id, scope, by_passkey, created_at, seen_at, expires_at from sessions \
                 where person_id = $1 order by seen_at desc";
    DELETE = "delete from sessions where id = $1 and person_id = $2";
    DELETE_BEYOND = "delete from sessions where person_id = $1 and id not in \
        (select id from sessions where person_id = $1 \
        order by case when id = $3 then 0 else 1 end, seen_at desc, created_at desc, id limit $2)";
    DELETE_OTHERS = "delete from sessions where person_id = $1 and id <> $2";
    DELETE_OF_PERSON = "delete from sessions where person_id = $1";
    DELETE_ALL = "delete from sessions";
    OVER = "delete from sessions where expires_at <= $1 or seen_at <= $2";
    INSERT_TOKEN = "insert into confirmation_tokens (token_hash, session_id, action, register_id, expires_at) \
                    values ($1, $2, $3, $4, $5)";
    /// Used once: only the first of two comes away with it.
    TAKE_TOKEN = "delete from confirmation_tokens where token_hash = $1 and session_id = $2 \
        and action = $3 and register_id is not distinct from $4 and expires_at > $5";
    TOKENS_OVER = "delete from confirmation_tokens where expires_at <= $1";
}

row! {
    /// A session's row.
    pub struct SessionRow {
        /// The session's public id.
        pub id: Vec<u8>,
        /// Whose it is.
        pub person_id: Vec<u8>,
        /// 0 everything, 1 leaving only.
        pub scope: i64,
        /// Whether a passkey opened it, or was added in it.
        pub by_passkey: i64,
        /// Beginning.
        pub created_at: i64,
        /// Last use, to the minute.
        pub seen_at: i64,
        /// The latest end.
        pub expires_at: i64,
    }
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, token_hash: &[u8], row: &SessionRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        token_hash,
        row.id.as_slice(),
        row.person_id.as_slice(),
        row.scope,
        row.by_passkey,
        row.created_at,
        row.expires_at
    )?;
    Ok(())
}

row! {
    /// A session with its token's hash.
    pub struct TokenRow {
        /// The session.
        in session: SessionRow,
        /// The hash.
        pub token_hash: Vec<u8>,
    }
}

/// The sessions of tokens: a JSON list of their hashes in hexadecimal.
pub async fn by_tokens(tx: &mut Tx, hex_hashes: &str) -> Result<Vec<TokenRow>> {
    rows!(tx, fetch_all, TokenRow, BY_TOKENS, hex_hashes)
}

/// Remembers that a session was used.
pub async fn touch(tx: &mut Tx, token_hash: &[u8], now: i64) -> Result<()> {
    execute!(tx, TOUCH, token_hash, now)?;
    Ok(())
}

/// A session in which somebody showed a passkey is as one that a passkey opened.
pub async fn raise(tx: &mut Tx, id: &[u8], person: &[u8]) -> Result<()> {
    execute!(tx, RAISE, id, person)?;
    Ok(())
}

/// Somebody's sessions, the last used first.
pub async fn of_person(tx: &mut Tx, person: &[u8]) -> Result<Vec<SessionRow>> {
    rows!(tx, fetch_all, SessionRow, OF_PERSON, person)
}

/// Ends one of somebody's sessions; whether it was theirs.
pub async fn delete(tx: &mut Tx, id: &[u8], person: &[u8]) -> Result<bool> {
    Ok(execute!(tx, DELETE, id, person)? > 0)
}

/// Ends the oldest sessions of somebody beyond so many; never the one that was just opened.
pub async fn delete_beyond(tx: &mut Tx, person: &[u8], most: i64, new: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_BEYOND, person, most, new)
}

/// Ends all sessions of a person but one; how many.
pub async fn delete_others(tx: &mut Tx, person: &[u8], but: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_OTHERS, person, but)
}

/// Ends all sessions of a person; how many.
pub async fn delete_of_person(tx: &mut Tx, person: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_OF_PERSON, person)
}

/// Ends every session; how many.
pub async fn delete_all(tx: &mut Tx) -> Result<u64> {
    long_execute!(tx, DELETE_ALL)
}

/// Forgets sessions that are over: past their end, or unused since `idle_since`.
pub async fn forget_over(tx: &mut Tx, now: i64, idle_since: i64) -> Result<u64> {
    long_execute!(tx, TOKENS_OVER, now)?;
    long_execute!(tx, OVER, now, idle_since)
}

/// Adds a confirmation token, bound to session, action and register.
pub async fn insert_token(
    tx: &mut Tx,
    token_hash: &[u8],
    session: &[u8],
    action: &str,
    register: Option<&[u8]>,
    expires_at: i64,
) -> Result<()> {
    execute!(
        tx,
        INSERT_TOKEN,
        token_hash,
        session,
        action,
        register,
        expires_at
    )?;
    Ok(())
}

/// Uses a confirmation token up; whether it was there, live and for exactly this.
pub async fn take_token(
    tx: &mut Tx,
    token_hash: &[u8],
    session: &[u8],
    action: &str,
    register: Option<&[u8]>,
    now: i64,
) -> Result<bool> {
    Ok(execute!(tx, TAKE_TOKEN, token_hash, session, action, register, now)? > 0)
}
