//! Removing a member who does not belong. Who was removed may join again by a new consent.
use super::{Actor, audit, leave_register::end_authorization, reveal_phone::member_of};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    store::registers,
};

/// Ends a member's authorization and erases what nothing else needs.
///
/// # Errors
/// [`Error::NotFound`] for a member of another register or department.
pub async fn remove_member(app: &App, actor: &Actor, register: Id, member: Id) -> Result<()> {
    let session = actor.fully_signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        let row = member_of(app, &mut tx, actor, register, member).await?;
        registers::lock(&mut tx, register.bytes()).await?;
        end_authorization(app, &mut tx, &row)
            .await?
            .ok_or(Error::NotFound)?;
        let event = audit::Event {
            actor: Some(session.person),
            from: Some(actor),
            action: "removed",
            register: Some(register),
            subject: Some(member),
            detail: None,
        };
        audit::record(app, &mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
