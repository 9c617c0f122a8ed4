//! The owner replaces the 登记码: the old one says 已失效 from then on, and members stay.
use super::{
    Actor,
    audit::{self, Event},
    create_register::creations,
    erasures, has_ended, limits, register_of_owner,
    register_terms::{draw_code, join_url},
};
use crate::{
    app::App,
    erasure_list::Kind,
    error::{Error, Result},
    model::id::Id,
    store::registers,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The code that replaced another.
#[derive(Clone, Serialize, ToSchema)]
pub struct ReplacedCode {
    /// The registration code.
    pub code: String,
    /// What the QR holds.
    pub join_url: String,
}

/// Draws a new registration code; the old one is remembered by its hash alone.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner;
/// [`Error::TooManyAttempts`] beyond the creations of a day.
pub async fn replace_code(app: &App, actor: &Actor, id: Id) -> Result<ReplacedCode> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.write().await?;
    register_of_owner(app, &mut tx, session, id).await?;
    limits::take(app, &mut tx, creations(app, &[session.person.bytes()])).await?;
    // Held, so that of two replacements each remembers the code before it.
    let row = registers::lock(&mut tx, id.bytes())
        .await?
        .filter(|row| !has_ended(app, row))
        .ok_or(Error::NotFound)?;
    let new = draw_code(app, id);
    registers::replace_code(&mut tx, &row.code_hash, app.now()).await?;
    erasures::record(app, &mut tx, Kind::Code, &row.code_hash, None).await?;
    registers::set_code(&mut tx, id.bytes(), &new.hash, &new.sealed).await?;
    let event = Event {
        actor: Some(session.person),
        from: Some(actor),
        action: "replaced_code",
        register: Some(id),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(ReplacedCode {
        join_url: join_url(app, &new.code),
        code: new.code.to_string(),
    })
}
