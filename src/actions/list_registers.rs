//! The registers that somebody administers.
use super::{
    Actor, Role, has_ended, id_of,
    register_terms::{code_of, from_json, join_url},
    show_register::{members, role_name},
    view_register::reading_session,
};
use crate::{
    app::App,
    clock,
    error::Result,
    model::division,
    store::{Tx, registers, registers::OwnRegisterRow, verifications},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A register in the list of one's own.
#[derive(Clone, Serialize, ToSchema)]
pub struct OwnRegister {
    /// The register's id.
    pub id: String,
    /// The organisation's name.
    pub organisation: String,
    /// What the information is for.
    pub purpose: String,
    /// The street's whole name.
    pub street: String,
    /// `owner` or `administrator`.
    pub role: &'static str,
    /// Members, inside the actor's departments.
    pub members: i64,
    /// Joins that wait for the source.
    pub waiting: i64,
    /// The registration code.
    pub code: String,
    /// What the QR holds.
    pub join_url: String,
    /// The last day.
    pub ends_on: Option<String>,
    /// Whether the operator froze it.
    pub frozen: bool,
    /// Whether the operator vouched for the organisation's name.
    pub vouched: bool,
    /// When it was made.
    pub created_at: String,
}

/// The actor's registers, the oldest first. Those that have ended are not among them.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`].
pub async fn list_registers(app: &App, actor: &Actor) -> Result<Vec<OwnRegister>> {
    let session = reading_session(app, actor).await?;
    let mut tx = app.store.read().await?;
    let rows = registers::of_administrator(&mut tx, session.person.bytes()).await?;
    let mut own = Vec::with_capacity(rows.len());
    for row in rows {
        if !has_ended(app, &row.register) {
            own.push(entry(app, &mut tx, &row).await?);
        }
    }
    Ok(own)
}

async fn entry(app: &App, tx: &mut Tx, own: &OwnRegisterRow) -> Result<OwnRegister> {
    let row = &own.register;
    let role = Role {
        owner: own.role == 1,
        departments: own.limited_to.as_deref().map(from_json).transpose()?,
    };
    let code = code_of(app, row)?;
    Ok(OwnRegister {
        id: id_of(&row.id)?.to_string(),
        organisation: row.organisation.clone(),
        purpose: row.purpose.clone(),
        street: division::full_name(&row.street_code),
        role: role_name(&role),
        members: members(tx, row, &role).await?,
        waiting: verifications::count_pending(tx, &row.id, app.now()).await?,
        join_url: join_url(app, &code),
        code: code.to_string(),
        ends_on: row.ends_on.clone(),
        frozen: row.frozen != 0,
        vouched: row.vouched != 0,
        created_at: clock::rfc3339(row.created_at, &app.zone),
    })
}
