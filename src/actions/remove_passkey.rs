//! Removing a passkey.
use super::{
    Actor,
    audit::{self, Event},
    confirm_action::{self, REMOVE_PASSKEY},
    erasures, passkey,
};
use crate::{
    app::App,
    erasure_list::Kind,
    error::{Error, Result},
    model::id::Id,
    store::passkeys,
};

/// Removes one of one's passkeys.
///
/// # Errors
/// [`Error::NotFound`] for another's; [`Error::ConfirmationRequired`] without a fresh token for
/// this; [`Error::PasskeyRequired`] where the operator asks for passkeys and the session is without
/// one: whoever took over a phone number alone must not clear the way.
pub async fn remove_passkey(app: &App, actor: &Actor, id: Id, token: &str) -> Result<()> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        passkey::may_have(app, &mut tx, session).await?;
        passkey::is_enough(app, session)?;
        if !passkeys::delete(&mut tx, id.bytes(), session.person.bytes()).await? {
            return Err(Error::NotFound);
        }
        confirm_action::take(app, &mut tx, actor, token, REMOVE_PASSKEY, None).await?;
        erasures::record(app, &mut tx, Kind::Passkey, id.bytes(), None).await?;
        let event = Event {
            actor: Some(session.person),
            from: Some(actor),
            action: "removed_passkey",
            subject: Some(id),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
