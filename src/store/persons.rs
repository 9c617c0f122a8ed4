//! Persons: found by keyed hashes, read by opening one sealed profile.
use super::{Result, Tx, execute, long_rows, row, rows, statements};

statements! {
    /// The row of a document wins over ours: its id comes back.
    UPSERT = "insert into persons (id, document_hash, phone_hash, profile, created_at, updated_at) \
              values ($1, $2, $3, $4, $5, $5) \
              on conflict (document_hash) do update set updated_at = excluded.updated_at \
              returning id, phone_hash, profile";
    UPDATE_PROFILE = "update persons set phone_hash = $2, profile = $3, updated_at = $4 where id = $1";
    /// Under either hash: during a rotation of the index key there are two.
    BY_DOCUMENT = "select id, phone_hash, profile from persons where document_hash in ($1, $2)";
    BY_ID = "select id, phone_hash, profile from persons where id = $1";
    BY_IDS = "select p.id, p.phone_hash, p.profile from json_each($1) as j \
              join persons p on p.id = unhex(j.value)";
    COUNT_BY_PHONE = "select count(*) from persons where phone_hash in ($1, $2) and id <> $3";
    HASHES = "select id, profile, document_hash, phone_hash from persons where id > $1 order by id limit $2";
    /// Only where the profile still is what was hashed.
    REHASH = "update persons set document_hash = $3, phone_hash = $4 where id = $1 and profile = $2";
    /// A person whom no authorization, guardianship, role or live session needs.
    LOCK = "update persons set updated_at = updated_at where id = $1 returning id";
    ERASE_UNNEEDED = "delete from persons where id = $1 \
        and not exists (select 1 from authorizations a where a.person_id = persons.id) \
        and not exists (select 1 from authorizations a where a.guardian_id = persons.id) \
        and not exists (select 1 from register_administrators r where r.person_id = persons.id) \
        and not exists (select 1 from sessions s where s.person_id = persons.id and $2 > 0 and s.expires_at > $2)";
    /// Passkeys are for administrators: they go with the last role.
    ERASE_PASSKEYS = "delete from passkeys where person_id = $1 \
        and not exists (select 1 from register_administrators r where r.person_id = passkeys.person_id)";
    UNNEEDED = "select p.id from persons p \
        where not exists (select 1 from authorizations a where a.person_id = p.id) \
        and not exists (select 1 from authorizations a where a.guardian_id = p.id) \
        and not exists (select 1 from register_administrators r where r.person_id = p.id) \
        and not exists (select 1 from sessions s where s.person_id = p.id) \
        limit $1";
}

row! {
    /// A person's row.
    pub struct PersonRow {
        /// The identifier.
        pub id: Vec<u8>,
        /// The keyed hash of the phone.
        pub phone_hash: Vec<u8>,
        /// The sealed profile.
        pub profile: Vec<u8>,
    }
}

/// Adds a person, or finds the one with that document; the row of whichever it is.
pub async fn upsert(
    tx: &mut Tx,
    id: &[u8],
    document_hash: &[u8],
    phone_hash: &[u8],
    profile: &[u8],
    now: i64,
) -> Result<PersonRow> {
    rows!(
        tx,
        fetch_one,
        PersonRow,
        UPSERT,
        id,
        document_hash,
        phone_hash,
        profile,
        now
    )
}

/// Replaces the profile and the phone's hash.
pub async fn update_profile(
    tx: &mut Tx,
    id: &[u8],
    phone_hash: &[u8],
    profile: &[u8],
    now: i64,
) -> Result<()> {
    execute!(tx, UPDATE_PROFILE, id, phone_hash, profile, now)?;
    Ok(())
}

/// The person with that document.
pub async fn by_document(tx: &mut Tx, hashes: &[[u8; 32]; 2]) -> Result<Option<PersonRow>> {
    let [one, other] = hashes;
    rows!(
        tx,
        fetch_optional,
        PersonRow,
        BY_DOCUMENT,
        one.as_slice(),
        other.as_slice()
    )
}

/// The person with that id.
pub async fn by_id(tx: &mut Tx, id: &[u8]) -> Result<Option<PersonRow>> {
    rows!(tx, fetch_optional, PersonRow, BY_ID, id)
}

/// The persons of a JSON list of ids in hexadecimal, in any order.
pub async fn by_ids(tx: &mut Tx, hex_ids: &str) -> Result<Vec<PersonRow>> {
    rows!(tx, fetch_all, PersonRow, BY_IDS, hex_ids)
}

/// How many other persons are verified by that phone.
pub async fn count_by_phone(tx: &mut Tx, hashes: &[[u8; 32]; 2], except: &[u8]) -> Result<i64> {
    let [one, other] = hashes;
    let count = rows!(
        tx,
        fetch_one,
        (i64,),
        COUNT_BY_PHONE,
        one.as_slice(),
        other.as_slice(),
        except
    );
    Ok(count?.0)
}

row! {
    /// A person's hashes, and what they are of.
    pub struct HashesRow {
        /// The identifier.
        pub id: Vec<u8>,
        /// The sealed profile.
        pub profile: Vec<u8>,
        /// The keyed hash of the document.
        pub document_hash: Vec<u8>,
        /// The keyed hash of the phone.
        pub phone_hash: Vec<u8>,
    }
}

/// The hashes of the persons after an id.
pub async fn hashes(tx: &mut Tx, after: &[u8], limit: i64) -> Result<Vec<HashesRow>> {
    rows!(tx, fetch_all, HashesRow, HASHES, after, limit)
}

/// Writes hashes of the profile that was read; whether it stood there still.
pub async fn rehash(tx: &mut Tx, row: &HashesRow) -> Result<bool> {
    let done = execute!(
        tx,
        REHASH,
        row.id.as_slice(),
        row.profile.as_slice(),
        row.document_hash.as_slice(),
        row.phone_hash.as_slice()
    )?;
    Ok(done > 0)
}

/// Holds a person until the transaction ends, so that nobody erases them meanwhile; whether there
/// is one.
pub async fn lock(tx: &mut Tx, id: &[u8]) -> Result<bool> {
    Ok(rows!(tx, fetch_optional, (Vec<u8>,), LOCK, id)?.is_some())
}

/// Erases a person whom nothing needs any more; whether it did. Who has no role any more has no
/// passkey either, whatever else needs them. A live session keeps nobody when
/// `sessions_alive_at` is 0: leaving erases at once, and the session goes on without a person.
pub async fn erase_unneeded(tx: &mut Tx, id: &[u8], sessions_alive_at: i64) -> Result<bool> {
    // Held first: one statement that had to wait for a join would not see what it wrote, and
    // would erase who just joined.
    if !lock(tx, id).await? {
        return Ok(false);
    }
    execute!(tx, ERASE_PASSKEYS, id)?;
    Ok(execute!(tx, ERASE_UNNEEDED, id, sessions_alive_at)? > 0)
}

/// Some persons whom nothing needs, sessions included.
pub async fn unneeded(tx: &mut Tx, limit: i64) -> Result<Vec<(Vec<u8>,)>> {
    long_rows!(tx, fetch_all, (Vec<u8>,), UNNEEDED, limit)
}
