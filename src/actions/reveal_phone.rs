//! Revealing one phone to call, which is logged and shown to the member.
use super::{
    Actor, audit,
    limits::{self, Limit, Window},
    looks::Look,
    profile,
    register_terms::json,
    view_register::may_see,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
    },
};

/// Reveals a member's phone.
///
/// # Errors
/// [`Error::NotFound`] for a member of another register or department;
/// [`Error::TooManyAttempts`].
pub async fn reveal_phone(app: &App, actor: &Actor, register: Id, member: Id) -> Result<String> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.write().await?;
    let row = member_of(app, &mut tx, actor, register, member).await?;
    let of = [session.person.bytes()];
    let most = &app.config.limits;
    for (kind, window, most) in [
        ("reveals-hour", Window::Hour, most.reveals_hour),
        ("reveals-day", Window::Day, most.reveals_day),
    ] {
        limits::take(
            app,
            &mut tx,
            Limit {
                kind,
                of: &of,
                window,
                most,
            },
        )
        .await?;
    }
    let person = super::id_of(&row.person_id)?;
    let identity = profile::of_person(app, &mut tx, person)
        .await?
        .ok_or(Error::NotFound)?;
    let detail = json(&Look::at("phone"))?;
    let event = audit::Event {
        actor: Some(session.person),
        from: Some(actor),
        action: "revealed_phone",
        register: Some(register),
        subject: Some(member),
        detail: Some(&detail),
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(identity.phone.national().to_owned())
}

/// The authorization of a member whom the actor may see.
pub(crate) async fn member_of(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    register: Id,
    member: Id,
) -> Result<AuthorizationRow> {
    let session = actor.fully_signed_in()?;
    let (_, role) = super::register_of(app, tx, session, register).await?;
    authorizations::by_id(tx, member.bytes())
        .await?
        .filter(|row| row.register_id == register.bytes())
        .filter(|row| may_see(&role, row.department.as_deref()))
        .ok_or(Error::NotFound)
}
