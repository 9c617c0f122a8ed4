//! The owner invites an administrator, for every department or for some.
use super::{
    Actor,
    audit::{self, Event},
    confirm_action,
    invitation::{self, Becomes, NewInvitation},
    register_of_owner,
    register_terms::{departments_of, json},
};
use crate::{
    app::App,
    error::{Error, FieldError, Result},
    model::id::Id,
    store::{Tx, administrators, registers},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// What an administrator is invited with.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdministratorInvitation {
    /// The departments that the administrator will be limited to, of the register's own; missing
    /// or `null` for all of them.
    pub departments: Option<Vec<String>>,
    /// The token of a confirmation for `add_administrator` and this register.
    #[schema(required)]
    pub confirmation_token: String,
}

/// Makes the link by which somebody becomes an administrator.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner; [`Error::Invalid`] for
/// departments that are not the register's; [`Error::TooManyAdministrators`], open invitations
/// counted; [`Error::ConfirmationRequired`] without a fresh token for exactly this, which nothing
/// else uses up.
pub async fn invite_administrator(
    app: &App,
    actor: &Actor,
    id: Id,
    typed: &AdministratorInvitation,
) -> Result<NewInvitation> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        // Held, so that of two invitations at once each counts the other.
        registers::lock(&mut tx, id.bytes())
            .await?
            .ok_or(Error::NotFound)?;
        let row = register_of_owner(app, &mut tx, session, id).await?;
        let own = departments_of(&row)?;
        let departments = check(typed.departments.as_deref(), &own)?;
        let open = administrators::count_invitations(&mut tx, id.bytes(), app.now()).await?;
        has_room(app, &mut tx, id, open).await?;
        let token = &typed.confirmation_token;
        confirm_action::take(app, &mut tx, actor, token, "add_administrator", Some(id)).await?;
        let departments = departments.as_ref().map(json).transpose()?;
        let new = invitation::invite(
            app,
            &mut tx,
            id,
            session.person,
            Becomes::Administrator,
            departments,
        )
        .await?;
        let event = Event {
            actor: Some(session.person),
            action: "invited_administrator",
            register: Some(id),
            subject: Id::parse(&new.invitation.id),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(new)
    })
    .await
}

/// The departments in the register's order; `None` for all. Nobody is limited to nothing.
fn check(typed: Option<&[String]>, own: &[String]) -> Result<Option<Vec<String>>> {
    let Some(typed) = typed else {
        return Ok(None);
    };
    if typed.is_empty() {
        return Err(Error::field("departments", "required"));
    }
    let mut errors = Vec::new();
    for (at, name) in typed.iter().enumerate() {
        let code = if !own.contains(name) {
            "unknown_value"
        } else if typed.iter().take(at).any(|before| before == name) {
            "duplicate"
        } else {
            continue;
        };
        errors.push(FieldError::new(format!("departments.{at}"), code));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(Some(
        own.iter()
            .filter(|name| typed.contains(name))
            .cloned()
            .collect(),
    ))
}

/// Whether a register takes one more administrator, with so many on their way.
pub(crate) async fn has_room(app: &App, tx: &mut Tx, register: Id, coming: i64) -> Result<()> {
    let own = administrators::count(tx, register.bytes()).await?;
    if own + coming < app.config.limits.administrators_register {
        Ok(())
    } else {
        Err(Error::TooManyAdministrators)
    }
}
