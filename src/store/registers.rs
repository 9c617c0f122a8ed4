//! Registers, their requirements, administrators and codes.
use super::{Result, Tx, execute, long_execute, long_rows, row, rows, statements};

statements! {
    INSERT = "insert into registers (id, version, organisation, administrator_title, contact, \
              street_code, purpose, items, departments, ends_on, requirements_version, code_hash, \
              code, frozen, vouched, joined_ever, members, created_at, opened_at) \
              values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, 0, 0, 0, 0, $12, $12)";
    GET = "select * from registers where id = $1";
    BY_CODE = "select * from registers where code_hash = $1";
    OF_ADMINISTRATOR = "select r.*, a.role, a.departments as limited_to from registers r \
        join register_administrators a on a.register_id = r.id \
        where a.person_id = $1 order by r.created_at, r.id";
    ALL = "select r.*, (select count(*) from reports p where p.register_id = r.id) as reports \
           from registers r order by r.created_at, r.id";
    UPDATE = "update registers set version = version + 1, organisation = $2, \
              administrator_title = $3, contact = $4, street_code = $5, purpose = $6, items = $7, \
              departments = $8, ends_on = $9, requirements_version = $10 where id = $1";
    SET_CODE = "update registers set code_hash = $2, code = $3, version = version + 1 where id = $1";
    SET_FROZEN = "update registers set frozen = $2, version = version + 1 where id = $1";
    SET_VOUCHED = "update registers set vouched = $2 where id = $1";
    ADD_MEMBER = "update registers set version = version + 1, members = members + $2, \
                  joined_ever = 1 where id = $1 and members + $2 <= $3 and code_hash = $4 \
                  and frozen = 0 and (ends_on is null or ends_on >= $5) returning *";
    DROP_MEMBER = "update registers set version = version + 1, members = members - 1 where id = $1";
    LOCK = "update registers set version = version where id = $1 returning *";
    BUMP = "update registers set version = version + 1 where id = $1";
    OPENED = "update registers set opened_at = $2 where id = $1 and opened_at < $2";
    DELETE = "delete from registers where id = $1";
    /// Moves the last day back, never ahead.
    END = "update registers set ends_on = $2, version = version + 1 \
           where id = $1 and (ends_on is null or ends_on > $2)";
    ENDED = "select id, case when ends_on < $1 then cast(1 as bigint) else 0 end from registers \
             where ends_on < $1 or opened_at < $2 limit $3";
    INSERT_REQUIREMENTS = "insert into register_requirements (register_id, version, body, created_at) \
                           values ($1, $2, $3, $4)";
    REQUIREMENTS = "select version, body, created_at from register_requirements \
                    where register_id = $1 order by version";
    DELETE_REQUIREMENTS = "delete from register_requirements where register_id = $1";
    INSERT_ADMINISTRATOR = "insert into register_administrators \
        (register_id, person_id, role, departments, added_at, id) values ($1, $2, $3, $4, $5, $6)";
    ADMINISTRATOR = "select person_id, role, departments, added_at from register_administrators \
                     where register_id = $1 and person_id = $2";
    /// What somebody is in a register, and whether what is known of it still holds. Each pair is the
    /// person's id and the register's, in hexadecimal.
    STANDINGS = "select a.person_id, a.register_id, a.role, a.departments, r.version, r.ends_on, \
        (select cast(sum(s.version) as bigint) from refresh_shards s) as shards, \
        (select count(*) from pending_joins p where p.register_id = r.id and p.expires_at > $2) as waiting \
        from json_each($1) as j join register_administrators a \
        on a.register_id = unhex(substr(j.value, 33)) and a.person_id = unhex(substr(j.value, 1, 32)) \
        join registers r on r.id = a.register_id";
    OWNER = "select person_id, role, departments, added_at from register_administrators \
             where register_id = $1 order by role desc, added_at limit 1";
    COUNT_OF_ADMINISTRATOR = "select count(*) from register_administrators where person_id = $1";
    DELETE_ADMINISTRATORS = "delete from register_administrators where register_id = $1 returning person_id";
    DELETE_ROLES = "delete from register_administrators where person_id = $1 and role = 0";
    REPLACE_CODE = "insert into replaced_codes (code_hash, replaced_at) values ($1, $2)";
    IS_REPLACED = "select replaced_at from replaced_codes where code_hash = $1";
    FORGET_REPLACED = "delete from replaced_codes where replaced_at < $1";
    REPORT = "insert into reports (id, register_id, reason, at) values ($1, $2, $3, $4)";
    REPORTS = "select id, reason, at from reports where register_id = $1 order by at, id";
    DELETE_REPORTS = "delete from reports where register_id = $1";
}

row! {
    /// A register's row.
    pub struct RegisterRow {
        /// The identifier.
        pub id: Vec<u8>,
        /// Rises with every change of what its list shows.
        pub version: i64,
        /// The organisation's name, the administrator's own word.
        pub organisation: String,
        /// What the administrator is there.
        pub administrator_title: Option<String>,
        /// The sealed contact.
        pub contact: Vec<u8>,
        /// The street's division code.
        pub street_code: String,
        /// The purpose.
        pub purpose: String,
        /// JSON: `[{"item": …, "required": …}]`.
        pub items: String,
        /// JSON: a list of names.
        pub departments: String,
        /// Last day, as a date.
        pub ends_on: Option<String>,
        /// The version of the requirements in force.
        pub requirements_version: i64,
        /// The hash of the registration code.
        pub code_hash: Vec<u8>,
        /// The sealed registration code.
        pub code: Vec<u8>,
        /// 1 when the operator froze it.
        pub frozen: i64,
        /// 1 when the operator vouched for the organisation's name.
        pub vouched: i64,
        /// 1 once anybody joined.
        pub joined_ever: i64,
        /// How many members.
        pub members: i64,
        /// When it was made.
        pub created_at: i64,
        /// When an administrator last opened it.
        pub opened_at: i64,
    }
}

row! {
    /// What somebody is in a register, and how it stands.
    pub struct StandingRow {
        /// Who.
        pub person_id: Vec<u8>,
        /// The register.
        pub register_id: Vec<u8>,
        /// 1 owner, 0 administrator.
        pub role: i64,
        /// JSON list of the departments that the administrator is limited to.
        pub departments: Option<String>,
        /// The register's version.
        pub version: i64,
        /// Its last day.
        pub ends_on: Option<String>,
        /// The version of the shards' times.
        pub shards: Option<i64>,
        /// How many joins wait for the source.
        pub waiting: i64,
    }
}

row! {
    /// A register with the role that somebody has in it.
    pub struct OwnRegisterRow {
        /// The register.
        in register: RegisterRow,
        /// 1 owner, 0 administrator.
        pub role: i64,
        /// JSON list of the departments that the administrator is limited to.
        pub limited_to: Option<String>,
    }
}

row! {
    /// A register with the number of its reports.
    pub struct ReportedRow {
        /// The register.
        in register: RegisterRow,
        /// How many reports it has.
        pub reports: i64,
    }
}

row! {
    /// A report's row.
    pub struct ReportRow {
        /// The identifier.
        pub id: Vec<u8>,
        /// The sealed reason.
        pub reason: Vec<u8>,
        /// When it came in.
        pub at: i64,
    }
}

row! {
    /// An administrator's row.
    pub struct AdministratorRow {
        /// The person.
        pub person_id: Vec<u8>,
        /// 1 owner, 0 administrator.
        pub role: i64,
        /// JSON list of the departments that the administrator is limited to.
        pub departments: Option<String>,
        /// Since when the role is theirs.
        pub added_at: i64,
    }
}

row! {
    /// Requirements as they stood from a moment on.
    pub struct RequirementsRow {
        /// Their version, from 1.
        pub version: i64,
        /// JSON list.
        pub body: String,
        /// When they were set.
        pub created_at: i64,
    }
}

/// Adds a register.
pub async fn insert(tx: &mut Tx, row: &RegisterRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.id.as_slice(),
        row.organisation.as_str(),
        row.administrator_title.as_deref(),
        row.contact.as_slice(),
        row.street_code.as_str(),
        row.purpose.as_str(),
        row.items.as_str(),
        row.departments.as_str(),
        row.ends_on.as_deref(),
        row.code_hash.as_slice(),
        row.code.as_slice(),
        row.created_at
    )?;
    Ok(())
}

/// A register by its id.
pub async fn get(tx: &mut Tx, id: &[u8]) -> Result<Option<RegisterRow>> {
    rows!(tx, fetch_optional, RegisterRow, GET, id)
}

/// A register by its code's hash.
pub async fn by_code(tx: &mut Tx, code_hash: &[u8]) -> Result<Option<RegisterRow>> {
    rows!(tx, fetch_optional, RegisterRow, BY_CODE, code_hash)
}

/// The registers that somebody administers.
pub async fn of_administrator(tx: &mut Tx, person: &[u8]) -> Result<Vec<OwnRegisterRow>> {
    rows!(tx, fetch_all, OwnRegisterRow, OF_ADMINISTRATOR, person)
}

/// Takes the roles of an administrator who owns nothing; how many.
pub async fn delete_roles(tx: &mut Tx, person: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_ROLES, person)
}

/// Every register with the number of its reports, for the operator.
pub async fn all(tx: &mut Tx) -> Result<Vec<ReportedRow>> {
    long_rows!(tx, fetch_all, ReportedRow, ALL)
}

/// Writes what an administrator may change.
pub async fn update(tx: &mut Tx, row: &RegisterRow) -> Result<()> {
    execute!(
        tx,
        UPDATE,
        row.id.as_slice(),
        row.organisation.as_str(),
        row.administrator_title.as_deref(),
        row.contact.as_slice(),
        row.street_code.as_str(),
        row.purpose.as_str(),
        row.items.as_str(),
        row.departments.as_str(),
        row.ends_on.as_deref(),
        row.requirements_version
    )?;
    Ok(())
}

/// Sets a new registration code.
pub async fn set_code(tx: &mut Tx, id: &[u8], code_hash: &[u8], code: &[u8]) -> Result<()> {
    execute!(tx, SET_CODE, id, code_hash, code)?;
    Ok(())
}

/// Freezes or unfreezes; whether there is such a register.
pub async fn set_frozen(tx: &mut Tx, id: &[u8], frozen: bool) -> Result<bool> {
    Ok(execute!(tx, SET_FROZEN, id, i64::from(frozen))? > 0)
}

/// Vouches for the organisation's name or takes it back; whether there is such a register.
pub async fn set_vouched(tx: &mut Tx, id: &[u8], vouched: bool) -> Result<bool> {
    Ok(execute!(tx, SET_VOUCHED, id, i64::from(vouched))? > 0)
}

/// What must hold of a register that takes members.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    /// The most members.
    pub most: i64,
    /// The hash of its registration code.
    pub code_hash: &'a [u8],
    /// The local date.
    pub today: &'a str,
}

/// Counts `new` members more (0 for one who was there) and bumps the version; the register, unless
/// it is not open. Locks the row: where it is the last thing that a transaction does, those who
/// join the same register wait for each other no longer than a commit takes.
pub async fn add_member(
    tx: &mut Tx,
    id: &[u8],
    new: i64,
    open: &Open<'_>,
) -> Result<Option<RegisterRow>> {
    rows!(
        tx,
        fetch_optional,
        RegisterRow,
        ADD_MEMBER,
        id,
        new,
        open.most,
        open.code_hash,
        open.today
    )
}

/// Counts one member less and bumps the version.
pub async fn drop_member(tx: &mut Tx, id: &[u8]) -> Result<()> {
    execute!(tx, DROP_MEMBER, id)?;
    Ok(())
}

/// The register, held until the transaction ends: who joins, leaves, changes or ends it at the same
/// time waits. Taken before rows of members; a join alone comes to it last.
pub async fn lock(tx: &mut Tx, id: &[u8]) -> Result<Option<RegisterRow>> {
    rows!(tx, fetch_optional, RegisterRow, LOCK, id)
}

/// Bumps the version.
pub async fn bump(tx: &mut Tx, id: &[u8]) -> Result<()> {
    execute!(tx, BUMP, id)?;
    Ok(())
}

/// Remembers that an administrator opened it.
pub async fn opened(tx: &mut Tx, id: &[u8], now: i64) -> Result<()> {
    execute!(tx, OPENED, id, now)?;
    Ok(())
}

/// Deletes the row of a register, its requirements, reports and administrators; who they were.
pub async fn delete(tx: &mut Tx, id: &[u8]) -> Result<Vec<(Vec<u8>,)>> {
    execute!(tx, DELETE, id)?;
    execute!(tx, DELETE_REQUIREMENTS, id)?;
    execute!(tx, DELETE_REPORTS, id)?;
    rows!(tx, fetch_all, (Vec<u8>,), DELETE_ADMINISTRATORS, id)
}

/// Ends a register with a day, unless it ended earlier.
pub async fn end(tx: &mut Tx, id: &[u8], last_day: &str) -> Result<()> {
    execute!(tx, END, id, last_day)?;
    Ok(())
}

/// Registers whose last day was before `today` (1), or that nobody opened since `opened_before`
/// (0).
pub async fn ended(
    tx: &mut Tx,
    today: &str,
    opened_before: i64,
    limit: i64,
) -> Result<Vec<(Vec<u8>, i64)>> {
    long_rows!(
        tx,
        fetch_all,
        (Vec<u8>, i64),
        ENDED,
        today,
        opened_before,
        limit
    )
}

/// Adds a version of the requirements.
pub async fn insert_requirements(
    tx: &mut Tx,
    id: &[u8],
    version: i64,
    body: &str,
    now: i64,
) -> Result<()> {
    execute!(tx, INSERT_REQUIREMENTS, id, version, body, now)?;
    Ok(())
}

/// Every version of the requirements, oldest first.
pub async fn requirements(tx: &mut Tx, id: &[u8]) -> Result<Vec<RequirementsRow>> {
    rows!(tx, fetch_all, RequirementsRow, REQUIREMENTS, id)
}

/// Adds an administrator by an id of this register alone; `role` 1 is the owner.
pub async fn insert_administrator(
    tx: &mut Tx,
    id: &[u8],
    register: &[u8],
    person: &[u8],
    role: i64,
    departments: Option<&str>,
    now: i64,
) -> Result<()> {
    execute!(
        tx,
        INSERT_ADMINISTRATOR,
        register,
        person,
        role,
        departments,
        now,
        id
    )?;
    Ok(())
}

/// Somebody's role in a register.
pub async fn administrator(
    tx: &mut Tx,
    register: &[u8],
    person: &[u8],
) -> Result<Option<AdministratorRow>> {
    rows!(
        tx,
        fetch_optional,
        AdministratorRow,
        ADMINISTRATOR,
        register,
        person
    )
}

/// A register's owner.
pub async fn owner(tx: &mut Tx, register: &[u8]) -> Result<Option<AdministratorRow>> {
    rows!(tx, fetch_optional, AdministratorRow, OWNER, register)
}

/// How many registers somebody administers.
pub async fn count_of_administrator(tx: &mut Tx, person: &[u8]) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), COUNT_OF_ADMINISTRATOR, person)?.0)
}

/// Remembers a replaced code, so that it says 已失效 instead of nothing.
pub async fn replace_code(tx: &mut Tx, code_hash: &[u8], now: i64) -> Result<()> {
    execute!(tx, REPLACE_CODE, code_hash, now)?;
    Ok(())
}

/// Whether a code was replaced.
pub async fn is_replaced(tx: &mut Tx, code_hash: &[u8]) -> Result<bool> {
    Ok(rows!(tx, fetch_optional, (i64,), IS_REPLACED, code_hash)?.is_some())
}

/// Forgets codes replaced before a time.
pub async fn forget_replaced(tx: &mut Tx, before: i64) -> Result<u64> {
    long_execute!(tx, FORGET_REPLACED, before)
}

/// Keeps a report for the operator; the reason is sealed.
pub async fn report(
    tx: &mut Tx,
    id: &[u8],
    register: &[u8],
    reason: &[u8],
    now: i64,
) -> Result<()> {
    execute!(tx, REPORT, id, register, reason, now)?;
    Ok(())
}

/// A register's reports, oldest first.
pub async fn reports(tx: &mut Tx, register: &[u8]) -> Result<Vec<ReportRow>> {
    rows!(tx, fetch_all, ReportRow, REPORTS, register)
}

/// How persons stand in registers: a JSON list of pairs, each a person's id and a register's in
/// hexadecimal. Who has no role in one has no row.
pub async fn standings(tx: &mut Tx, hex_pairs: &str, now: i64) -> Result<Vec<StandingRow>> {
    rows!(tx, fetch_all, StandingRow, STANDINGS, hex_pairs, now)
}
