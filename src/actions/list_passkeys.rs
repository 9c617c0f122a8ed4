//! One's own passkeys.
use super::{
    Actor,
    passkey::{self, PasskeyView},
};
use crate::{
    app::App,
    error::Result,
    model::id::Id,
    store::{Tx, passkeys},
};

/// Lists one's passkeys, the oldest first.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`]; [`crate::error::Error::NotFound`] for who administers
/// nothing.
pub async fn list_passkeys(app: &App, actor: &Actor) -> Result<Vec<PasskeyView>> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    passkey::may_have(app, &mut tx, session).await?;
    of_person(app, &mut tx, session.person).await
}

/// Somebody's passkeys.
pub(crate) async fn of_person(app: &App, tx: &mut Tx, person: Id) -> Result<Vec<PasskeyView>> {
    let rows = passkeys::of_person(tx, person.bytes()).await?;
    rows.iter().map(|row| passkey::view(app, row)).collect()
}
