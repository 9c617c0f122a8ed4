//! Passkeys of administrators, and the challenges that wait for one.
use super::{Result, Tx, execute, long_execute, row, rows, statements};

statements! {
    INSERT = "insert into passkeys (id, person_id, credential_hash, credential, sign_count, added_at, \
              usable_from) values ($1, $2, $3, $4, $5, $6, $7)";
    BY_CREDENTIAL = "select * from passkeys where credential_hash = $1";
    OF_PERSON = "select * from passkeys where person_id = $1 order by added_at, id";
    /// A count that did not grow is that of a copy; authenticators without a counter say 0 always.
    USE = "update passkeys set sign_count = $2, used_at = $3 where id = $1 and usable_from <= $3 \
           and (sign_count < $2 or (sign_count = 0 and $2 = 0))";
    DELETE = "delete from passkeys where id = $1 and person_id = $2";
    FORGET = "delete from passkeys where id = $1";
    INSERT_CHALLENGE = "insert into passkey_challenges (challenge_hash, session_id, passkey_id, expires_at) \
                        values ($1, $2, $3, $4)";
    /// Used once: only the first of two comes away with it.
    TAKE_CHALLENGE = "delete from passkey_challenges where challenge_hash = $1 and expires_at > $2 \
        and session_id is not distinct from $3 returning passkey_id";
    CHALLENGES_OVER = "delete from passkey_challenges where expires_at <= $1";
}

row! {
    /// A passkey's row.
    pub struct PasskeyRow {
        /// The identifier, which is its user handle too.
        pub id: Vec<u8>,
        /// Whose it is.
        pub person_id: Vec<u8>,
        /// The hash of its credential id.
        pub credential_hash: Vec<u8>,
        /// Name, credential id and public key, sealed.
        pub credential: Vec<u8>,
        /// The authenticator's last count of signatures.
        pub sign_count: i64,
        /// When it was added.
        pub added_at: i64,
        /// When it was last used.
        pub used_at: Option<i64>,
        /// From when it opens a session.
        pub usable_from: i64,
    }
}

/// Adds a passkey.
pub async fn insert(tx: &mut Tx, row: &PasskeyRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.id.as_slice(),
        row.person_id.as_slice(),
        row.credential_hash.as_slice(),
        row.credential.as_slice(),
        row.sign_count,
        row.added_at,
        row.usable_from
    )?;
    Ok(())
}

/// The passkey of a credential id.
pub async fn by_credential(tx: &mut Tx, hash: &[u8]) -> Result<Option<PasskeyRow>> {
    rows!(tx, fetch_optional, PasskeyRow, BY_CREDENTIAL, hash)
}

/// Somebody's passkeys, the oldest first.
pub async fn of_person(tx: &mut Tx, person: &[u8]) -> Result<Vec<PasskeyRow>> {
    rows!(tx, fetch_all, PasskeyRow, OF_PERSON, person)
}

/// Uses a passkey; whether it is usable and its count grew.
pub async fn put_to_use(tx: &mut Tx, id: &[u8], count: i64, now: i64) -> Result<bool> {
    Ok(execute!(tx, USE, id, count, now)? > 0)
}

/// Removes one of somebody's passkeys; whether it was theirs.
pub async fn delete(tx: &mut Tx, id: &[u8], person: &[u8]) -> Result<bool> {
    Ok(execute!(tx, DELETE, id, person)? > 0)
}

/// Removes a passkey, whosever it is; whether it was there.
pub async fn forget(tx: &mut Tx, id: &[u8]) -> Result<bool> {
    Ok(execute!(tx, FORGET, id)? > 0)
}

/// Adds a challenge: for adding a passkey by a session, or for signing in.
pub async fn insert_challenge(
    tx: &mut Tx,
    hash: &[u8],
    adding: Option<(&[u8], &[u8])>,
    expires_at: i64,
) -> Result<()> {
    let (session, passkey) = adding.unzip();
    execute!(tx, INSERT_CHALLENGE, hash, session, passkey, expires_at)?;
    Ok(())
}

/// Uses a challenge up; the id of the passkey to add, where it was there, live, and of this session.
pub async fn take_challenge(
    tx: &mut Tx,
    hash: &[u8],
    session: Option<&[u8]>,
    now: i64,
) -> Result<Option<Option<Vec<u8>>>> {
    let taken = rows!(
        tx,
        fetch_optional,
        (Option<Vec<u8>>,),
        TAKE_CHALLENGE,
        hash,
        now,
        session
    );
    Ok(taken?.map(|(passkey,)| passkey))
}

/// Forgets challenges that ran out.
pub async fn forget_over(tx: &mut Tx, now: i64) -> Result<u64> {
    long_execute!(tx, CHALLENGES_OVER, now)
}
