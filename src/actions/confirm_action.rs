//! Asking for a fresh code before an action of consequence.
use super::{
    Actor,
    invite_administrator::has_room,
    passkey,
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

/// Who may do what takes a fresh code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Who administers the register.
    Administrators,
    /// Its owner.
    Owner,
    /// Who administers any register, for themselves.
    Oneself,
}

/// The actions that take a fresh code.
const ACTIONS: [(&str, By); 6] = [
    ("export", By::Administrators),
    ("delete_register", By::Owner),
    ("hand_over", By::Owner),
    ("add_administrator", By::Owner),
    (ADD_PASSKEY, By::Oneself),
    (REMOVE_PASSKEY, By::Oneself),
];
/// Adding a passkey.
pub(crate) const ADD_PASSKEY: &str = "add_passkey";
/// Removing one.
pub(crate) const REMOVE_PASSKEY: &str = "remove_passkey";

/// Sends a code for an action on a register, or on one's own passkeys.
///
/// # Errors
/// [`Error::Invalid`] for an unknown action or none named, [`Error::NotFound`] for another group's
/// register, [`Error::TooManyAdministrators`] where there is no room for one more, those of sending;
/// [`Error::NotFound`] for a passkey of who administers nothing.
pub async fn confirm_action(
    app: &App,
    actor: &Actor,
    action: &str,
    register: Option<&str>,
) -> Result<Started> {
    let session = actor.fully_signed_in()?;
    let (action, by) = ACTIONS
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
    let mut tx = app.store.read().await?;
    let register = if by == By::Oneself {
        passkey::may_have(app, &mut tx, session).await?;
        None
    } else {
        let register = register.ok_or_else(|| Error::field("register_id", "required"))?;
        let register = Id::parse(register).ok_or(Error::NotFound)?;
        let (_, role) = super::register_of(app, &mut tx, session, register).await?;
        if by == By::Owner && !role.owner {
            return Err(Error::NotFound);
        }
        Some(register)
    };
    // No code goes out for what is refused anyway; it is looked at again then.
    if let ("add_administrator", Some(register)) = (action, register) {
        let open = administrators::count_invitations(&mut tx, register.bytes(), app.now()).await?;
        has_room(app, &mut tx, register, open).await?;
    }
    match action {
        ADD_PASSKEY => {
            passkey::has_room(app, &mut tx, session).await?;
        }
        REMOVE_PASSKEY => passkey::is_enough(app, session)?,
        _ => {}
    }
    let identity = profile::of_person(app, &mut tx, session.person)
        .await?
        .ok_or(Error::NotSignedIn)?;
    drop(tx);
    let confirmation = ConfirmationPayload {
        action: action.to_owned(),
        register,
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
    register: Option<Id>,
) -> Result<()> {
    let session = actor.fully_signed_in()?;
    let hash = token_hash(token);
    let session_id = session.id.bytes();
    let taken = sessions::take_token(
        tx,
        &hash,
        session_id,
        action,
        register.as_ref().map(Id::bytes),
        app.now(),
    )
    .await?;
    if taken {
        Ok(())
    } else {
        Err(Error::ConfirmationRequired)
    }
}
