//! Changing what one consented to: items and sharing, under the present text.
use super::{
    Actor, audit, health,
    join_terms::{self, TypedConsent},
    leave_register::is_holder,
    profile, refresh_health,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{authorizations, registers},
};

/// Changes a consent. What is no longer covered is erased at once.
///
/// # Errors
/// [`Error::NotFound`] for another's authorization, [`Error::ConsentRequired`], [`Error::Invalid`].
pub async fn change_consent(
    app: &App,
    actor: &Actor,
    authorization: Id,
    typed: &TypedConsent,
) -> Result<()> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    let row = authorizations::by_id(&mut tx, authorization.bytes())
        .await?
        .filter(|row| is_holder(row, session.person))
        .ok_or(Error::NotFound)?;
    let register = registers::get(&mut tx, &row.register_id)
        .await?
        .ok_or(Error::NotFound)?;
    let consent = join_terms::consent(&register, Some(typed))?;
    let person = super::id_of(&row.person_id)?;
    let identity = profile::of_person(app, &mut tx, person)
        .await?
        .ok_or(Error::NotFound)?;
    let mut items = health::covered(app, &mut tx, person).await?;
    drop(tx);
    items.extend(consent.items.iter().cloned());
    items.sort_unstable();
    items.dedup();
    let answer = refresh_health::read_one(app, &identity, items).await;
    let mut tx = app.store.write().await?;
    let mut row = authorizations::by_id(&mut tx, authorization.bytes())
        .await?
        .filter(|row| is_holder(row, session.person))
        .ok_or(Error::NotFound)?;
    row.items = consent.items.join(",");
    row.sharing = i64::from(consent.verdict_only);
    row.requirements_version = register.requirements_version;
    row.consent_version = join_terms::CONSENT_VERSION.to_owned();
    row.consented_at = app.now();
    authorizations::change(&mut tx, &row).await?;
    registers::bump(&mut tx, &row.register_id).await?;
    health::narrow(app, &mut tx, person).await?;
    health::keep(app, &mut tx, person, Some(&answer)).await?;
    let event = audit::Event {
        actor: Some(session.person),
        action: "consent_changed",
        register: Some(super::id_of(&row.register_id)?),
        subject: Some(authorization),
        detail: None,
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(())
}
