//! The owner hands a register over: by a link whose acceptor becomes the owner.
use super::{
    Actor,
    audit::{self, Event},
    confirm_action,
    invitation::{self, Becomes, NewInvitation},
    register_of_owner,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::{administrators, registers},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a register is handed over with.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandOver {
    /// The token of a confirmation for `hand_over` and this register.
    #[schema(required)]
    pub confirmation_token: String,
}

/// Makes the link by which somebody becomes the owner; it replaces one that was open. Until it is
/// accepted nothing changes. A full register may be handed over, since one of its administrators
/// may accept; whether another may is looked at then.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner;
/// [`Error::ConfirmationRequired`] without a fresh token for exactly this.
pub async fn hand_over(
    app: &App,
    actor: &Actor,
    id: Id,
    typed: &HandOver,
) -> Result<NewInvitation> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        // Held, so that of two hand-overs at once one replaces the other.
        registers::lock(&mut tx, id.bytes())
            .await?
            .ok_or(Error::NotFound)?;
        register_of_owner(app, &mut tx, session, id).await?;
        let token = &typed.confirmation_token;
        confirm_action::take(app, &mut tx, actor, token, "hand_over", Some(id)).await?;
        administrators::delete_hand_overs(&mut tx, id.bytes()).await?;
        let owner = session.person;
        let new = invitation::invite(app, &mut tx, id, owner, Becomes::Owner, None).await?;
        let event = Event {
            actor: Some(owner),
            action: "offered_hand_over",
            register: Some(id),
            subject: Id::parse(&new.invitation.id),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(new)
    })
    .await
}
