//! Who administers a register besides its owner, and open invitations; links stand hashed.
use super::{Result, Tx, execute, registers::AdministratorRow, row, rows, statements};

statements! {
    LIST = "select id, person_id, role, departments, added_at from register_administrators \
            where register_id = $1 order by role desc, added_at, id";
    BY_ID = "select id, person_id, role, departments, added_at from register_administrators \
             where register_id = $1 and id = $2";
    COUNT = "select count(*) from register_administrators where register_id = $1";
    SET_ROLE = "update register_administrators set role = $3, departments = null, added_at = $4 \
                where register_id = $1 and person_id = $2";
    SET_DEPARTMENTS = "update register_administrators set departments = $3 \
                       where register_id = $1 and person_id = $2";
    DELETE = "delete from register_administrators where register_id = $1 and id = $2";
    INSERT_INVITATION = "insert into invitations (id, register_id, link_hash, becomes, inviter_id, \
                         departments, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    INVITATIONS = "select * from invitations where register_id = $1 and expires_at > $2 \
                   order by created_at, id";
    COUNT_INVITATIONS = "select count(*) from invitations where register_id = $1 and expires_at > $2";
    INVITATION = "select * from invitations where link_hash = $1 and expires_at > $2";
    /// Used once: only the first of two comes away with it.
    TAKE_INVITATION = "delete from invitations where link_hash = $1 and expires_at > $2 returning *";
    DELETE_INVITATION = "delete from invitations where register_id = $1 and id = $2 and expires_at > $3";
    DELETE_HAND_OVERS = "delete from invitations where register_id = $1 and becomes = 1";
    DELETE_INVITATIONS = "delete from invitations where register_id = $1";
    INVITATIONS_OVER = "delete from invitations where expires_at <= $1";
}

row! {
    /// An administrator with the id that is theirs in the register.
    pub struct ListedRow {
        /// The administrator.
        in administrator: AdministratorRow,
        /// The id.
        pub id: Vec<u8>,
    }
}

row! {
    /// An open invitation's row.
    pub struct InvitationRow {
        /// The identifier, by which it is withdrawn.
        pub id: Vec<u8>,
        /// The register.
        pub register_id: Vec<u8>,
        /// The hash of the link.
        pub link_hash: Vec<u8>,
        /// What who accepts becomes: 0 administrator, 1 owner.
        pub becomes: i64,
        /// The owner who invites.
        pub inviter_id: Vec<u8>,
        /// JSON list of the departments that the administrator will be limited to.
        pub departments: Option<String>,
        /// When it was made.
        pub created_at: i64,
        /// When it runs out.
        pub expires_at: i64,
    }
}

/// Everybody who administers a register, its owner first.
pub async fn list(tx: &mut Tx, register: &[u8]) -> Result<Vec<ListedRow>> {
    rows!(tx, fetch_all, ListedRow, LIST, register)
}

/// An administrator by their id in the register.
pub async fn by_id(tx: &mut Tx, register: &[u8], id: &[u8]) -> Result<Option<ListedRow>> {
    rows!(tx, fetch_optional, ListedRow, BY_ID, register, id)
}

/// How many administer a register.
pub async fn count(tx: &mut Tx, register: &[u8]) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), COUNT, register)?.0)
}

/// Makes an administrator the owner (1) or the owner an administrator (0), of every department.
pub async fn set_role(
    tx: &mut Tx,
    register: &[u8],
    person: &[u8],
    role: i64,
    now: i64,
) -> Result<()> {
    execute!(tx, SET_ROLE, register, person, role, now)?;
    Ok(())
}

/// Limits an administrator to departments, or to none.
pub async fn set_departments(
    tx: &mut Tx,
    register: &[u8],
    person: &[u8],
    departments: Option<&str>,
) -> Result<()> {
    execute!(tx, SET_DEPARTMENTS, register, person, departments)?;
    Ok(())
}

/// Removes an administrator.
pub async fn delete(tx: &mut Tx, register: &[u8], id: &[u8]) -> Result<()> {
    execute!(tx, DELETE, register, id)?;
    Ok(())
}

/// Adds an invitation.
pub async fn insert_invitation(tx: &mut Tx, row: &InvitationRow) -> Result<()> {
    execute!(
        tx,
        INSERT_INVITATION,
        row.id.as_slice(),
        row.register_id.as_slice(),
        row.link_hash.as_slice(),
        row.becomes,
        row.inviter_id.as_slice(),
        row.departments.as_deref(),
        row.created_at,
        row.expires_at
    )?;
    Ok(())
}

/// A register's open invitations, oldest first.
pub async fn invitations(tx: &mut Tx, register: &[u8], now: i64) -> Result<Vec<InvitationRow>> {
    rows!(tx, fetch_all, InvitationRow, INVITATIONS, register, now)
}

/// How many invitations of a register are open.
pub async fn count_invitations(tx: &mut Tx, register: &[u8], now: i64) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), COUNT_INVITATIONS, register, now)?.0)
}

/// The open invitation of a link.
pub async fn invitation(tx: &mut Tx, link_hash: &[u8], now: i64) -> Result<Option<InvitationRow>> {
    rows!(
        tx,
        fetch_optional,
        InvitationRow,
        INVITATION,
        link_hash,
        now
    )
}

/// Uses an invitation up; what it was, where it was still open.
pub async fn take_invitation(
    tx: &mut Tx,
    link_hash: &[u8],
    now: i64,
) -> Result<Option<InvitationRow>> {
    rows!(
        tx,
        fetch_optional,
        InvitationRow,
        TAKE_INVITATION,
        link_hash,
        now
    )
}

/// Withdraws an invitation; whether it was this register's and open.
pub async fn delete_invitation(tx: &mut Tx, register: &[u8], id: &[u8], now: i64) -> Result<bool> {
    Ok(execute!(tx, DELETE_INVITATION, register, id, now)? > 0)
}

/// Withdraws the register's open hand-over.
pub async fn delete_hand_overs(tx: &mut Tx, register: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_HAND_OVERS, register)
}

/// Withdraws every invitation of a register.
pub async fn delete_invitations(tx: &mut Tx, register: &[u8]) -> Result<u64> {
    execute!(tx, DELETE_INVITATIONS, register)
}

/// Forgets invitations that ran out.
pub async fn forget_over(tx: &mut Tx, now: i64) -> Result<u64> {
    execute!(tx, INVITATIONS_OVER, now)
}
