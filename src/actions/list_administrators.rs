//! Who administers a register: administrators see one another.
use super::{
    Actor, Role, id_of,
    invitation::{self, Invitation},
    profile, register_of,
    show_register::role_name,
};
use crate::{
    app::App,
    clock,
    error::Result,
    model::id::Id,
    store::Tx,
    store::administrators::{self, ListedRow},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Everybody who administers a register, and who may become it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Administrators {
    /// The owner first, then the others, the longest there first.
    pub administrators: Vec<Administrator>,
    /// Invitations that are open; the owner alone sees them.
    pub invitations: Vec<Invitation>,
}

/// Somebody who administers a register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Administrator {
    /// The id by which they are removed, another one in each register.
    pub id: String,
    /// The name.
    pub name: String,
    /// `owner` or `administrator`.
    pub role: &'static str,
    /// The departments that they are limited to; `null` for all.
    pub limited_to: Option<Vec<String>>,
    /// Since when that role is theirs.
    pub since: String,
    /// Whether it is the one who asks.
    #[serde(rename = "self")]
    pub is_self: bool,
}

/// Lists a register's administrators for any of them.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`]; [`crate::error::Error::NotFound`] as for the register
/// itself.
pub async fn list_administrators(app: &App, actor: &Actor, id: Id) -> Result<Administrators> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    let (row, role) = register_of(app, &mut tx, session, id).await?;
    let mut all = Vec::new();
    for listed in administrators::list(&mut tx, &row.id).await? {
        all.push(entry(app, &mut tx, &listed, session.person).await?);
    }
    let invitations = if role.owner {
        administrators::invitations(&mut tx, &row.id, app.now())
            .await?
            .iter()
            .map(|row| invitation::shown(app, row))
            .collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok(Administrators {
        administrators: all,
        invitations,
    })
}

async fn entry(app: &App, tx: &mut Tx, listed: &ListedRow, asks: Id) -> Result<Administrator> {
    let row = &listed.administrator;
    let person = id_of(&row.person_id)?;
    let role = Role::of(row.role, row.departments.as_deref())?;
    let identity = profile::of_person(app, tx, person).await?;
    Ok(Administrator {
        id: id_of(&listed.id)?.to_string(),
        name: identity.map_or_else(String::new, |own| own.name.as_str().to_owned()),
        role: role_name(&role),
        limited_to: role.departments,
        since: clock::rfc3339(row.added_at, &app.zone),
        is_self: person == asks,
    })
}
