//! One's own passkeys.
use super::{
    Actor,
    passkey::{self, PasskeyView},
};
use crate::{app::App, error::Result, store::passkeys};

/// Lists one's passkeys, the oldest first.
///
/// # Errors
/// [`crate::error::Error::NotSignedIn`]; [`crate::error::Error::NotFound`] for who administers
/// nothing.
pub async fn list_passkeys(app: &App, actor: &Actor) -> Result<Vec<PasskeyView>> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    passkey::may_have(app, &mut tx, session).await?;
    let rows = passkeys::of_person(&mut tx, session.person.bytes()).await?;
    rows.iter().map(|row| passkey::view(app, row)).collect()
}
