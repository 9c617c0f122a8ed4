//! Changing what one consented to: items and sharing, under the present text.
use super::{
    Actor, Session, audit, erasures, health,
    join_terms::{self, TypedConsent},
    leave_register::is_holder,
    profile, refresh_health,
    view_register::reading_session,
};
use crate::{
    app::App,
    erasure_list::Kind,
    error::{Error, Result},
    model::id::Id,
    source::Answer,
    store::{
        authorizations::{self, AuthorizationRow},
        registers,
    },
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
    let session = reading_session(app, actor).await?;
    let mut tx = app.store.read().await?;
    let row = authorizations::by_id(&mut tx, authorization.bytes())
        .await?
        .filter(|row| is_holder(row, session.person))
        .ok_or(Error::NotFound)?;
    let register = registers::get(&mut tx, &row.register_id)
        .await?
        .filter(|register| !super::has_ended(app, register))
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
    let changed = AuthorizationRow {
        items: consent.items.join(","),
        sharing: i64::from(consent.verdict_only),
        requirements_version: register.requirements_version,
        consent_version: join_terms::CONSENT_VERSION.to_owned(),
        consented_at: app.now(),
        ..row
    };
    super::retried(|| write(app, actor, session, &changed, person, &answer)).await
}

/// Writes a changed consent, unless it or its register ended while the source was asked: nothing
/// is brought back then.
async fn write(
    app: &App,
    actor: &Actor,
    session: Session,
    row: &AuthorizationRow,
    person: Id,
    answer: &Answer,
) -> Result<()> {
    let mut tx = app.store.write().await?;
    registers::lock(&mut tx, &row.register_id)
        .await?
        .filter(|register| !super::has_ended(app, register))
        .ok_or(Error::NotFound)?;
    if !authorizations::change(&mut tx, row).await? {
        return Err(Error::NotFound);
    }
    let keeps = erasures::keeps(row);
    erasures::record(app, &mut tx, Kind::Narrowed, &row.id, Some(&keeps)).await?;
    registers::bump(&mut tx, &row.register_id).await?;
    health::narrow(app, &mut tx, person).await?;
    health::keep(app, &mut tx, person, Some(answer), None).await?;
    let event = audit::Event {
        actor: Some(session.person),
        from: Some(actor),
        action: "consent_changed",
        register: Some(super::id_of(&row.register_id)?),
        subject: Some(super::id_of(&row.id)?),
        detail: None,
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(())
}
