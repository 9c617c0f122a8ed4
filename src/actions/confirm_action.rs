//! Asking for a fresh code before an action of consequence.
use super::{
    Actor,
    invite_administrator::has_room,
    profile::{self, Profile},
    verification::{self, Begin, ConfirmationPayload, Kind, Payload, Started},
};
use crate::{
    app::App,
    crypto::token_hash,
    error::{Error, Result},
    model::id::Id,
    store::{Tx, administrators, sessions},
};

/// The actions that take a fresh code, and whether only the owner may.
const ACTIONS: [(&str, bool); 4] = [
    ("export", false),
    ("delete_register", true),
    ("hand_over", true),
    ("add_administrator", true),
];

/// Sends a code for an action on a register.
///
/// # Errors
/// [`Error::Invalid`] for an unknown action or none named, [`Error::NotFound`] for another group's
/// register, [`Error::TooManyAdministrators`] where there is no room for one more, those of sending.
pub async fn confirm_action(
    app: &App,
    actor: &Actor,
    action: &str,
    register: Option<&str>,
) -> Result<Started> {
    let session = actor.fully_signed_in()?;
    let (action, owner_only) = ACTIONS
        .into_iter()
        .find(|(name, _)| *name == action)
        .ok_or_else(|| {
            Error::field(
                "action",
                if action.is_empty() {
                    "required"
                } else {
                    "unknown_value"
                },
            )
        })?;
    let register = register.ok_or_else(|| Error::field("register_id", "required"))?;
    let register = Id::parse(register).ok_or(Error::NotFound)?;
    let mut tx = app.store.read().await?;
    let (_, role) = super::register_of(app, &mut tx, session, register).await?;
    if owner_only && !role.owner {
        return Err(Error::NotFound);
    }
    if action == "add_administrator" {
        // No code goes out for what is refused anyway; whether there is room is looked at again then.
        let open = administrators::count_invitations(&mut tx, register.bytes(), app.now()).await?;
        has_room(app, &mut tx, register, open).await?;
    }
    let identity = profile::of_person(app, &mut tx, session.person)
        .await?
        .ok_or(Error::NotSignedIn)?;
    drop(tx);
    let confirmation = ConfirmationPayload {
        action: action.to_owned(),
        register: Some(register),
    };
    let payload = Payload {
        profile: Profile::of(&identity),
        blind: false,
        join: None,
        confirmation: Some(confirmation),
    };
    let begin = Begin {
        kind: Kind::Confirmation,
        identity: &identity,
        matched: true,
        payload,
        session: Some(session.id),
        attempt: None,
    };
    verification::begin(app, actor, begin).await
}

/// Uses a confirmation token up.
///
/// # Errors
/// [`Error::ConfirmationRequired`] for one that is missing, used, old, or for another session,
/// action or register.
pub(crate) async fn take(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    token: &str,
    action: &str,
    register: Id,
) -> Result<()> {
    let session = actor.fully_signed_in()?;
    let hash = token_hash(token);
    let session_id = session.id.bytes();
    let taken = sessions::take_token(
        tx,
        &hash,
        session_id,
        action,
        Some(register.bytes()),
        app.now(),
    )
    .await?;
    if taken {
        Ok(())
    } else {
        Err(Error::ConfirmationRequired)
    }
}
