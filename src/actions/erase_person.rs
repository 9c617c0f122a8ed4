//! The operator erases a person who asked for it by their document: everything that is held of them,
//! in every register.
use super::{
    audit::{self, Event},
    leave_register::end_authorization,
    receipts,
};
use crate::{
    app::App,
    clock,
    error::{Error, Result},
    model::{document::Document, id::Id},
    store::{authorizations, persons, registers, sessions, verifications},
};
use serde::Serialize;

const BY_OPERATOR: &str = r#"{"by":"operator"}"#;

/// What was erased of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PersonErasure {
    /// Registers that the person owns: they must be handed over or deleted first, and nothing was
    /// erased.
    pub owns: Vec<String>,
    /// The person's own authorizations that ended.
    pub authorizations: u64,
    /// Authorizations that ended because the person had consented to them for others.
    pub consented_for_others: u64,
    /// Registers in which the person was an administrator.
    pub administered: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// Whether the profile is gone: false where something that came meanwhile needs it.
    pub profile: bool,
    /// When.
    pub at: String,
    /// All of this and where it comes from, signed, in one line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signed: String,
}

/// Erases a person. What a leaving member's receipt says of what stays holds here too.
///
/// # Errors
/// [`Error::NotFound`] where nobody with that document is held.
pub async fn erase_person(app: &App, document: &Document) -> Result<PersonErasure> {
    let mut done = PersonErasure::default();
    let mut tx = app.store.read().await?;
    let person = persons::by_document(&mut tx, &app.keys.document_hashes(document))
        .await?
        .ok_or(Error::NotFound)?;
    let id = super::id_of(&person.id)?;
    for row in registers::of_administrator(&mut tx, id.bytes()).await? {
        if row.role == 1 {
            done.owns.push(super::id_of(&row.register.id)?.to_string());
        }
    }
    if !done.owns.is_empty() {
        return Ok(done);
    }
    let own = authorizations::of_person(&mut tx, id.bytes()).await?;
    let others = authorizations::of_guardian(&mut tx, id.bytes()).await?;
    drop(tx);
    for row in own.iter().chain(&others) {
        let ended = super::retried(|| end(app, &row.id)).await?;
        match row.person_id == id.bytes() {
            true => done.authorizations += u64::from(ended),
            false => done.consented_for_others += u64::from(ended),
        }
    }
    super::retried(|| finish(app, id, &person.phone_hash, done.clone())).await
}

/// Ends one authorization; whether it was still there.
async fn end(app: &App, id: &[u8]) -> Result<bool> {
    let mut tx = app.store.write().await?;
    let Some(row) = authorizations::by_id(&mut tx, id).await? else {
        return Ok(false);
    };
    registers::lock(&mut tx, &row.register_id).await?;
    if end_authorization(app, &mut tx, &row).await?.is_none() {
        return Ok(false);
    }
    let event = Event {
        action: "erased_by_operator",
        register: Some(super::id_of(&row.register_id)?),
        subject: Some(super::id_of(&row.id)?),
        detail: Some(BY_OPERATOR),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(true)
}

async fn finish(
    app: &App,
    person: Id,
    phone_hash: &[u8],
    mut done: PersonErasure,
) -> Result<PersonErasure> {
    let mut tx = app.store.write().await?;
    verifications::delete_of_phone(&mut tx, phone_hash).await?;
    done.administered = registers::delete_roles(&mut tx, person.bytes()).await?;
    done.sessions = sessions::delete_of_person(&mut tx, person.bytes()).await?;
    persons::erase_unneeded(&mut tx, person.bytes(), 0).await?;
    done.profile = persons::by_id(&mut tx, person.bytes()).await?.is_none();
    let event = Event {
        action: "erased_person",
        subject: Some(person),
        detail: Some(BY_OPERATOR),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    done.at = clock::rfc3339(app.now(), &app.zone);
    done.signed = receipts::sign(app, &done)?;
    Ok(done)
}
