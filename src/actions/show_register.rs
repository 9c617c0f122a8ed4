//! One register with everything that its administrators may know of its terms.
use super::{
    Actor, Role, id_of, register_of,
    register_terms::{
        code_of, contact_of, departments_of, from_json, in_force, items_of, join_url, json,
    },
};
use crate::{
    app::App,
    clock,
    error::Result,
    model::{
        address::{AddressProblem, problem_for_phones},
        division,
        id::Id,
        register::AskedItem,
        requirement::Requirement,
    },
    store::{
        Tx, authorizations,
        registers::{self, RegisterRow},
        verifications,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// How long an opening is remembered before it is written again: one day, in milliseconds.
const OPENED_FOR: i64 = 24 * 60 * 60 * 1000;

/// Everything about a register but its members.
#[derive(Clone, Serialize, ToSchema)]
pub struct RegisterDetails {
    /// The register's id.
    pub id: String,
    /// The registration code (登记码).
    pub code: String,
    /// What the QR holds.
    pub join_url: String,
    /// Why phones cannot open that address; a code with it is not to be printed.
    pub code_warning: Option<AddressProblem>,
    /// The organisation's name.
    pub organisation: String,
    /// Whether organisation and purpose are fixed, since somebody joined.
    pub fixed: bool,
    /// The contact that members see.
    pub contact: String,
    /// The number of that contact for a `tel:` link.
    pub contact_dial: Option<String>,
    /// What the administrator is there.
    pub administrator_title: Option<String>,
    /// The street's code.
    pub street_code: String,
    /// The street's whole name, from the province down.
    pub street: String,
    /// What the information is for.
    pub purpose: String,
    /// The items asked for.
    pub items: Vec<AskedItem>,
    /// The requirements in force.
    pub requirements: Vec<Requirement>,
    /// Their version.
    pub requirements_version: i64,
    /// Every version of the requirements, oldest first: members who share the verdict alone are
    /// judged by the one that they consented to.
    pub requirements_history: Vec<RequirementsVersion>,
    /// Departments to choose from.
    pub departments: Vec<String>,
    /// The last day.
    pub ends_on: Option<String>,
    /// `owner` or `administrator`.
    pub role: &'static str,
    /// The departments that the actor is limited to; `null` for all.
    pub limited_to: Option<Vec<String>>,
    /// Members, inside the actor's departments.
    pub members: i64,
    /// Joins that wait for the source.
    pub waiting: i64,
    /// Whether the operator froze it.
    pub frozen: bool,
    /// Whether the operator vouched for the organisation's name.
    pub vouched: bool,
    /// When it was made.
    pub created_at: String,
}

/// Requirements as they stood from a moment on.
#[derive(Clone, Serialize, ToSchema)]
pub struct RequirementsVersion {
    /// Their version, from 1.
    pub version: i64,
    /// Since when they are in force.
    pub since: String,
    /// The requirements.
    pub requirements: Vec<Requirement>,
}

/// Shows a register to one of its administrators, and remembers that it was opened.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`]; [`crate::error::Error::NotFound`] for a register that is
/// not there, has ended, or is another's.
pub async fn show_register(app: &App, actor: &Actor, id: Id) -> Result<RegisterDetails> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    let (row, role) = register_of(app, &mut tx, session, id).await?;
    let details = details(app, &mut tx, &row, &role).await?;
    drop(tx);
    if app.now() - row.opened_at > OPENED_FOR {
        let mut tx = app.store.write().await?;
        registers::opened(&mut tx, id.bytes(), app.now()).await?;
        tx.commit().await?;
    }
    Ok(details)
}

/// What somebody in `role` may know of a register.
pub(crate) async fn details(
    app: &App,
    tx: &mut Tx,
    row: &RegisterRow,
    role: &Role,
) -> Result<RegisterDetails> {
    let id = id_of(&row.id)?;
    let code = code_of(app, row)?;
    let contact = contact_of(app, row)?;
    let versions = registers::requirements(tx, id.bytes()).await?;
    let requirements_history = versions
        .iter()
        .map(|version| {
            Ok(RequirementsVersion {
                version: version.version,
                since: clock::rfc3339(version.created_at, &app.zone),
                requirements: from_json(&version.body)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(RegisterDetails {
        id: id.to_string(),
        join_url: join_url(app, &code),
        code: code.to_string(),
        code_warning: problem_for_phones(app.public_url(), app.demo.is_some()),
        organisation: row.organisation.clone(),
        fixed: row.joined_ever != 0,
        contact: contact.as_str().to_owned(),
        contact_dial: contact.dial(),
        administrator_title: row.administrator_title.clone(),
        street_code: row.street_code.clone(),
        street: division::full_name(&row.street_code),
        purpose: row.purpose.clone(),
        items: items_of(row)?,
        requirements: in_force(row, &versions)?,
        requirements_version: row.requirements_version,
        requirements_history,
        departments: departments_of(row)?,
        ends_on: row.ends_on.clone(),
        role: role_name(role),
        limited_to: role.departments.clone(),
        members: members(tx, row, role).await?,
        waiting: verifications::count_pending(tx, id.bytes(), app.now()).await?,
        frozen: row.frozen != 0,
        vouched: row.vouched != 0,
        created_at: clock::rfc3339(row.created_at, &app.zone),
    })
}

/// The name of a role on the wire.
pub(crate) fn role_name(role: &Role) -> &'static str {
    if role.owner { "owner" } else { "administrator" }
}

/// How many members somebody in `role` administers.
pub(crate) async fn members(tx: &mut Tx, row: &RegisterRow, role: &Role) -> Result<i64> {
    match &role.departments {
        None => Ok(row.members),
        Some(departments) => {
            let list = json(departments)?;
            Ok(authorizations::count_in_departments(tx, &row.id, &list).await?)
        }
    }
}
