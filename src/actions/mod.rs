//! One file a use case. An action takes the [`App`], an [`Actor`] and a typed input, checks that
//! the actor may, and writes in one transaction that holds its audit event too.
pub mod accept_invitation;
pub mod access_log;
pub mod add_passkey;
mod attempts;
pub mod audit;
pub mod chain_audit;
pub mod change_consent;
pub mod change_register;
pub mod chores;
pub mod code_image;
pub mod confirm_action;
pub mod confirm_code;
pub mod count_audit;
pub mod create_register;
pub mod delete_register;
pub mod erase_expired;
pub mod erase_person;
pub mod erasures;
pub mod export_register;
mod export_sheet;
pub mod hand_over;
pub mod health;
pub mod invitation;
pub mod invite_administrator;
pub mod join_register;
pub mod join_terms;
pub mod leave_register;
pub mod limits;
pub mod list_administrators;
pub mod list_keys;
pub mod list_passkeys;
pub mod list_registers;
mod looks;
mod member_json;
pub mod member_output;
mod members_view;
pub mod my;
pub mod operator;
pub mod overwrite_erased;
pub mod passkey;
pub mod passkey_sign_in;
pub mod pending_join;
pub mod preview_register;
pub mod profile;
pub mod prune_audit;
pub mod receipts;
mod refresh_batch;
pub mod refresh_health;
mod refresh_shard;
pub(crate) mod register_terms;
mod rehash;
pub mod remove_administrator;
pub mod remove_member;
pub mod remove_passkey;
pub mod replace_code;
pub mod replay_erasures;
pub mod report_register;
mod reseal;
pub mod retry_pending;
pub mod reveal_phone;
pub mod rewrap_keys;
pub mod rotate_keys;
pub mod sessions;
pub mod show_register;
pub mod show_verification;
pub mod sign_in;
pub mod sms_outcomes;
pub mod summarise_register;
pub mod tend_keys;
pub mod verification;
pub mod verify_audit;
pub mod view_register;
pub mod withdraw_invitation;

use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx,
        registers::{self, RegisterRow, StandingRow},
    },
    texts::Lang,
};
use std::net::IpAddr;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The client's address, by a configured proxy's word where there is one.
    pub address: IpAddr,
    /// The session, where somebody is signed in.
    pub session: Option<Session>,
    /// The cookie that ties a verification to the browser that began it; none over the API.
    pub flow: Option<String>,
    /// The language of texts that go out.
    pub lang: Lang,
}

/// A session that was looked up for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: Id,
    /// Whose it is. The person may have been erased since.
    pub person: Id,
    /// Whether it only serves leaving.
    pub leave_only: bool,
    /// Whether a passkey was shown in it.
    pub by_passkey: bool,
}

/// What somebody is in a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Whether they own it.
    pub owner: bool,
    /// The departments that they are limited to; all where there is none.
    pub departments: Option<Vec<String>>,
}

impl Role {
    /// From the columns of the database.
    fn of(role: i64, departments: Option<&str>) -> Result<Self> {
        let departments = departments
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| Error::unexpected("departments of an administrator"))?;
        Ok(Self {
            owner: role == 1,
            departments,
        })
    }
}

impl Actor {
    /// Where a request comes from, as limits count it: an IPv4 address, or the network of an IPv6
    /// one, since a single customer is given 2^64 of those.
    pub(crate) fn origin(&self) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let mut octets = address.octets();
                octets[8..].fill(0);
                format!("{}/64", std::net::Ipv6Addr::from(octets))
            }
        }
    }

    /// The session, for what needs one.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub fn signed_in(&self) -> Result<Session> {
        self.session.ok_or(Error::NotSignedIn)
    }

    /// The session, for what is more than leaving.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]: a session that only serves leaving does not do.
    pub fn fully_signed_in(&self) -> Result<Session> {
        self.session
            .filter(|session| !session.leave_only)
            .ok_or(Error::NotSignedIn)
    }
}

/// The register and the actor's role in it. Another group's register is not found.
///
/// # Errors
/// [`Error::NotFound`] where the actor has no role in it or it has ended;
/// [`Error::PasskeyRequired`] where the operator asks for one and the session is without.
pub(crate) async fn register_of(
    app: &App,
    tx: &mut Tx,
    session: Session,
    id: Id,
) -> Result<(RegisterRow, Role)> {
    let administrator = registers::administrator(tx, id.bytes(), session.person.bytes())
        .await?
        .ok_or(Error::NotFound)?;
    let row = registers::get(tx, id.bytes())
        .await?
        .ok_or(Error::NotFound)?;
    if has_ended(app, &row) {
        return Err(Error::NotFound);
    }
    passkey::is_enough(app, session)?;
    let role = Role::of(administrator.role, administrator.departments.as_deref())?;
    Ok((row, role))
}

/// How the actor stands in a register, for looking at it: by one gathered look-up.
///
/// # Errors
/// [`Error::NotFound`] where the actor has no role in it or it has ended;
/// [`Error::PasskeyRequired`] where the operator asks for one and the session is without.
pub(crate) async fn standing_of(
    app: &App,
    session: Session,
    id: Id,
) -> Result<(StandingRow, Role)> {
    let row = app
        .standings
        .get((session.person, id))
        .await?
        .ok_or(Error::NotFound)?;
    if is_over(app, row.ends_on.as_deref()) {
        return Err(Error::NotFound);
    }
    passkey::is_enough(app, session)?;
    let role = Role::of(row.role, row.departments.as_deref())?;
    Ok((row, role))
}

/// The same for what only the owner may. Others with a role are refused as strangers are.
pub(crate) async fn register_of_owner(
    app: &App,
    tx: &mut Tx,
    session: Session,
    id: Id,
) -> Result<RegisterRow> {
    let (row, role) = register_of(app, tx, session, id).await?;
    if role.owner {
        Ok(row)
    } else {
        Err(Error::NotFound)
    }
}

/// Whether a register's last day is over.
pub(crate) fn has_ended(app: &App, row: &RegisterRow) -> bool {
    is_over(app, row.ends_on.as_deref())
}

fn is_over(app: &App, ends_on: Option<&str>) -> bool {
    ends_on.is_some_and(|last| last < app.today().to_string().as_str())
}

/// How often a transaction that lost a race is begun anew.
const RACES: u32 = 5;

/// Does it, and anew where the database chose it among transactions that waited for each other.
/// Only for work that is one transaction: what was done in one that failed is undone.
pub(crate) async fn retried<T, W: Future<Output = Result<T>>>(work: impl Fn() -> W) -> Result<T> {
    let mut race = 0;
    loop {
        match work().await {
            Err(error) if error.is_retryable() && race < RACES => race += 1,
            outcome => return outcome,
        }
    }
}

/// The identifier in a row.
pub(crate) fn id_of(bytes: &[u8]) -> Result<Id> {
    Id::from_slice(bytes).ok_or_else(|| Error::unexpected("an identifier in the database"))
}
