//! The owner removes an administrator, or an administrator resigns. An owner hands over first.
use super::{
    Actor,
    audit::{self, Event},
    id_of, register_of,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{administrators, persons, registers},
};

/// Ends an administrator's role at once, and erases who nothing else needs.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for an administrator of another register, and for
/// anybody but oneself where the actor is not the owner; [`Error::Conflict`] with `last_owner` for
/// the owner.
pub async fn remove_administrator(
    app: &App,
    actor: &Actor,
    register: Id,
    administrator: Id,
) -> Result<()> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        // Held: who is the owner stands until the end.
        registers::lock(&mut tx, register.bytes())
            .await?
            .ok_or(Error::NotFound)?;
        let (_, role) = register_of(app, &mut tx, session, register).await?;
        let listed = administrators::by_id(&mut tx, register.bytes(), administrator.bytes())
            .await?
            .ok_or(Error::NotFound)?;
        let person = id_of(&listed.administrator.person_id)?;
        let resigns = person == session.person;
        if !resigns && !role.owner {
            return Err(Error::NotFound);
        }
        if listed.administrator.role == 1 {
            return Err(Error::Conflict("last_owner"));
        }
        administrators::delete(&mut tx, register.bytes(), administrator.bytes()).await?;
        persons::erase_unneeded(&mut tx, person.bytes(), 0).await?;
        let event = Event {
            actor: Some(session.person),
            action: if resigns {
                "resigned"
            } else {
                "removed_administrator"
            },
            register: Some(register),
            subject: Some(person),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
