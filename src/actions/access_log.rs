//! Who looked at oneself and at those one joined for, and what they could see.
use super::{Actor, Session, looks::Look, my, profile, view_register::own_reading_session};
use crate::{
    app::App,
    clock,
    error::Result,
    model::id::Id,
    store::{
        Tx,
        audit::{self, EventRow},
        authorizations::AuthorizationRow,
        registers::{self, RegisterRow},
    },
};
use serde::Serialize;
use std::collections::HashMap;

/// How many entries are shown of each register.
const ENTRIES: i64 = 500;

/// Somebody looked.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Access {
    /// The register's organisation.
    pub register: String,
    /// The administrator's name, masked; empty once nothing is held about them any more.
    pub administrator_masked: String,
    /// What the administrator is there, where they own the register and said so.
    pub administrator_title: Option<String>,
    /// `viewed`, `searched`, `revealed_phone` or `exported`.
    pub action: String,
    /// What they could see: `name`, `document_masked`, `phone_masked`, `phone`, `department`,
    /// `verdict`, and items. Empty for what was logged before this was.
    pub fields: Vec<String>,
    /// The purpose of an export.
    pub purpose: Option<String>,
    /// When.
    pub at: String,
}

/// Who looked at oneself and at those one joined for, newest first.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`].
pub async fn access_log(app: &App, actor: &Actor) -> Result<Vec<Access>> {
    let session = own_reading_session(app, actor).await?;
    of_session(app, session).await
}

pub(crate) async fn of_session(app: &App, session: Session) -> Result<Vec<Access>> {
    let mut tx = app.store.read().await?;
    let mut entries = Vec::new();
    let mut names: HashMap<Id, String> = HashMap::new();
    for row in my::rows_of(&mut tx, session).await? {
        let Some(register) = registers::get(&mut tx, &row.register_id).await? else {
            continue;
        };
        let owner = registers::owner(&mut tx, &row.register_id).await?;
        let owner = owner.map(|owner| owner.person_id);
        let since = row.joined_at;
        let events = audit::looked(&mut tx, &row.register_id, since, &row.id, ENTRIES).await?;
        for event in events {
            let Some(mut access) = access(app, &row, &register, &event) else {
                continue;
            };
            if let Some(id) = event.actor.as_deref().and_then(Id::from_slice) {
                access.administrator_masked = masked_name(app, &mut tx, id, &mut names).await?;
            }
            if event.actor.is_some() && event.actor == owner {
                access.administrator_title = register.administrator_title.clone();
            }
            entries.push((event.at, access));
        }
    }
    entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(entries.into_iter().map(|(_, access)| access).collect())
}

/// What an event means to a member; nothing where it was about other departments.
fn access(
    app: &App,
    row: &AuthorizationRow,
    register: &RegisterRow,
    event: &EventRow,
) -> Option<Access> {
    let look = event.detail.as_deref().map(serde_json::from_str::<Look>);
    let look = look.and_then(std::result::Result::ok).unwrap_or_default();
    // Who joins again may be in another department since; before that nobody knows any more.
    let elsewhere = look.departments.is_some_and(|seen| {
        !row.department
            .as_ref()
            .is_some_and(|own| seen.contains(own))
    });
    if elsewhere && event.at >= row.consented_at {
        return None;
    }
    let consented = |item: &str| row.sharing == 0 && row.items.split(',').any(|own| own == item);
    let seen = |field: &String| match field.as_str() {
        "department" => row.department.is_some(),
        item if Look::is_item(item) => consented(item),
        _ => true,
    };
    Some(Access {
        register: register.organisation.clone(),
        administrator_masked: String::new(),
        administrator_title: None,
        action: event.action.clone(),
        fields: look.fields.into_iter().filter(seen).collect(),
        purpose: look.purpose,
        at: clock::rfc3339(event.at, &app.zone),
    })
}

/// An administrator's masked name, opened once for all the entries that they left.
async fn masked_name(
    app: &App,
    tx: &mut Tx,
    person: Id,
    known: &mut HashMap<Id, String>,
) -> Result<String> {
    if let Some(name) = known.get(&person) {
        return Ok(name.clone());
    }
    let identity = profile::of_person(app, tx, person).await?;
    let name = identity.map(|own| own.name.masked()).unwrap_or_default();
    known.insert(person, name.clone());
    Ok(name)
}
