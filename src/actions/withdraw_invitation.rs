//! The owner withdraws an invitation or a hand-over that nobody accepted yet.
use super::{
    Actor,
    audit::{self, Event},
    register_of_owner,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{administrators, registers},
};

/// Ends an open invitation: from this commit on its link leads nowhere.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner, and for an invitation of
/// another register, or one that is not open any more.
pub async fn withdraw_invitation(
    app: &App,
    actor: &Actor,
    register: Id,
    invitation: Id,
) -> Result<()> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        registers::lock(&mut tx, register.bytes())
            .await?
            .ok_or(Error::NotFound)?;
        register_of_owner(app, &mut tx, session, register).await?;
        let (of, id) = (register.bytes(), invitation.bytes());
        if !administrators::delete_invitation(&mut tx, of, id, app.now()).await? {
            return Err(Error::NotFound);
        }
        let event = Event {
            actor: Some(session.person),
            action: "withdrew_invitation",
            register: Some(register),
            subject: Some(invitation),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
