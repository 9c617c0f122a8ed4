//! Authorizations: one row for a person and register.
use super::{Result, Tx, execute, long_rows, row, rows, statements};

statements! {
    /// Joining again replaces the consent and keeps id and day of joining. 1 when it is new.
    UPSERT = "insert into authorizations (register_id, person_id, id, guardian_id, items, sharing, \
        requirements_version, consent_version, consented_at, department, joined_at, leave_hash) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11) \
        on conflict (register_id, person_id) do update set guardian_id = excluded.guardian_id, \
        items = excluded.items, sharing = excluded.sharing, \
        requirements_version = excluded.requirements_version, \
        consent_version = excluded.consent_version, consented_at = excluded.consented_at, \
        department = excluded.department, leave_hash = excluded.leave_hash \
        returning id, joined_at";
    CHANGE = "update authorizations set items = $2, sharing = $3, requirements_version = $4, \
              consent_version = $5, consented_at = $6 where id = $1";
    BY_ID = "select * from authorizations where id = $1";
    BY_LEAVE_LINK = "select * from authorizations where leave_hash = $1";
    OF_PERSON = "select * from authorizations where person_id = $1 order by joined_at, id";
    OF_GUARDIAN = "select * from authorizations where guardian_id = $1 order by joined_at, id";
    SOME_OF_REGISTER = "select * from authorizations where register_id = $1 limit $2";
    COUNT_IN_DEPARTMENTS = "select count(*) from authorizations a where a.register_id = $1 \
        and a.department in (select j.value from json_each($2) as j)";
    DELETE = "delete from authorizations where id = $1";
    /// What the view of a register is made of.
    WITH_SNAPSHOTS = "select a.register_id, a.id, a.person_id, a.items, a.sharing, a.requirements_version, \
        a.department, a.joined_at, s.items as snapshot, s.read_at, s.miss, s.seen_at \
        from authorizations a left join snapshots s on s.person_id = a.person_id \
        where a.register_id = $1";
    /// The same of one member.
    ONE_WITH_SNAPSHOT = "select a.register_id, a.id, a.person_id, a.items, a.sharing, a.requirements_version, \
        a.department, a.joined_at, s.items as snapshot, s.read_at, s.miss, s.seen_at \
        from authorizations a left join snapshots s on s.person_id = a.person_id \
        where a.id = $1";
    /// The items that live authorisations of a person cover, each row a comma-separated list.
    ITEMS_OF_PERSON = "select a.items from authorizations a join registers r on r.id = a.register_id \
        where a.person_id = $1 and (r.ends_on is null or r.ends_on >= $2)";
}

row! {
    /// An authorization's row.
    pub struct AuthorizationRow {
        /// The register.
        pub register_id: Vec<u8>,
        /// The member.
        pub person_id: Vec<u8>,
        /// The authorization; also the member's id in this register.
        pub id: Vec<u8>,
        /// Who consented for the member, where it was not the member.
        pub guardian_id: Option<Vec<u8>>,
        /// Items consented to, comma-separated.
        pub items: String,
        /// 0 details, 1 the verdict alone.
        pub sharing: i64,
        /// The requirements consented to.
        pub requirements_version: i64,
        /// The version of the consent's text.
        pub consent_version: String,
        /// When consent was given.
        pub consented_at: i64,
        /// The department that the member chose.
        pub department: Option<String>,
        /// When the member first joined.
        pub joined_at: i64,
        /// The hash of the leave link.
        pub leave_hash: Vec<u8>,
    }
}

row! {
    /// A member with the snapshot, for the view.
    pub struct MemberRow {
        /// The register.
        pub register_id: Vec<u8>,
        /// The authorization.
        pub id: Vec<u8>,
        /// The person.
        pub person_id: Vec<u8>,
        /// Items consented to, comma-separated.
        pub items: String,
        /// 0 details, 1 the verdict alone.
        pub sharing: i64,
        /// The requirements consented to.
        pub requirements_version: i64,
        /// The department.
        pub department: Option<String>,
        /// When the member joined.
        pub joined_at: i64,
        /// The sealed items.
        pub snapshot: Option<Vec<u8>>,
        /// When they were read.
        pub read_at: Option<i64>,
        /// How the last attempt went; `None` without a snapshot.
        pub miss: Option<i64>,
        /// The data time kept while there is a miss.
        pub seen_at: Option<i64>,
    }
}

/// Adds an authorization, or renews the one that is there; its id and day of joining.
pub async fn upsert(tx: &mut Tx, row: &AuthorizationRow) -> Result<(Vec<u8>, i64)> {
    rows!(
        tx,
        fetch_one,
        (Vec<u8>, i64),
        UPSERT,
        row.register_id.as_slice(),
        row.person_id.as_slice(),
        row.id.as_slice(),
        row.guardian_id.as_deref(),
        row.items.as_str(),
        row.sharing,
        row.requirements_version,
        row.consent_version.as_str(),
        row.consented_at,
        row.department.as_deref(),
        row.leave_hash.as_slice()
    )
}

/// Changes what was consented to; false where it has ended meanwhile.
pub async fn change(tx: &mut Tx, row: &AuthorizationRow) -> Result<bool> {
    let changed = execute!(
        tx,
        CHANGE,
        row.id.as_slice(),
        row.items.as_str(),
        row.sharing,
        row.requirements_version,
        row.consent_version.as_str(),
        row.consented_at
    )?;
    Ok(changed > 0)
}

/// An authorization by its id.
pub async fn by_id(tx: &mut Tx, id: &[u8]) -> Result<Option<AuthorizationRow>> {
    rows!(tx, fetch_optional, AuthorizationRow, BY_ID, id)
}

/// The authorization that a leave link ends.
pub async fn by_leave_link(tx: &mut Tx, leave_hash: &[u8]) -> Result<Option<AuthorizationRow>> {
    rows!(
        tx,
        fetch_optional,
        AuthorizationRow,
        BY_LEAVE_LINK,
        leave_hash
    )
}

/// A person's own authorizations.
pub async fn of_person(tx: &mut Tx, person: &[u8]) -> Result<Vec<AuthorizationRow>> {
    rows!(tx, fetch_all, AuthorizationRow, OF_PERSON, person)
}

/// Those that somebody consented to for others.
pub async fn of_guardian(tx: &mut Tx, guardian: &[u8]) -> Result<Vec<AuthorizationRow>> {
    rows!(tx, fetch_all, AuthorizationRow, OF_GUARDIAN, guardian)
}

/// Some authorizations of a register, whole.
pub async fn some_of_register(
    tx: &mut Tx,
    register: &[u8],
    limit: i64,
) -> Result<Vec<AuthorizationRow>> {
    long_rows!(
        tx,
        fetch_all,
        AuthorizationRow,
        SOME_OF_REGISTER,
        register,
        limit
    )
}

/// How many members of a register are in the departments of a JSON list.
pub async fn count_in_departments(tx: &mut Tx, register: &[u8], departments: &str) -> Result<i64> {
    let count = long_rows!(
        tx,
        fetch_one,
        (i64,),
        COUNT_IN_DEPARTMENTS,
        register,
        departments
    )?;
    Ok(count.0)
}

/// Deletes an authorization; whether it was there.
pub async fn delete(tx: &mut Tx, id: &[u8]) -> Result<bool> {
    Ok(execute!(tx, DELETE, id)? > 0)
}

/// Every member of a register with the snapshot, in no order.
pub async fn with_snapshots(tx: &mut Tx, register: &[u8]) -> Result<Vec<MemberRow>> {
    long_rows!(tx, fetch_all, MemberRow, WITH_SNAPSHOTS, register)
}

/// One member with the snapshot.
pub async fn one_with_snapshot(tx: &mut Tx, id: &[u8]) -> Result<Option<MemberRow>> {
    rows!(tx, fetch_optional, MemberRow, ONE_WITH_SNAPSHOT, id)
}

/// The items that a person's live authorizations cover on a day, each a comma-separated list.
pub async fn items_of_person(tx: &mut Tx, person: &[u8], today: &str) -> Result<Vec<(String,)>> {
    rows!(tx, fetch_all, (String,), ITEMS_OF_PERSON, person, today)
}
