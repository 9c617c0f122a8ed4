//! A register ends: by its owner's word, by its last day, or because nobody opens it. It is closed
//! at once, and erased in batches that another run picks up where one was killed.
use super::{
    Actor,
    audit::{self, Event},
    confirm_action, erasures, has_ended, id_of,
    leave_register::end_authorization,
    receipts, register_of_owner,
    register_terms::json,
};
use crate::{
    app::App,
    clock,
    erasure_list::Kind,
    error::{Error, Result},
    model::{id::Id, register::ORGANISATION, text::Line},
    store::{Tx, administrators, authorizations, persons, registers, verifications},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Members that one transaction erases.
const BATCH: i64 = 200;

/// What the owner confirms a deletion with.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterDeletion {
    /// The organisation's name, typed anew.
    #[schema(required, min_length = 1)]
    pub organisation: String,
    /// The token of a confirmation for `delete_register` and this register.
    #[schema(required, min_length = 1)]
    pub confirmation_token: String,
}

/// What was erased with a register, and what stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeletionReceipt {
    /// The register's organisation.
    pub organisation: String,
    /// What is gone: `register`, `registration_code`, `requirements`, `members`, `pending_joins`,
    /// `reports`, `administrators`, and `own_profile` where nothing else needs it.
    pub erased: Vec<&'static str>,
    /// What stays, and why.
    pub kept: Vec<DeletionKept>,
    /// When.
    pub at: String,
    /// All of this and where it comes from, signed, in one line: to keep, and to be verified by
    /// `tuantibu receipt verify`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signed: String,
}

/// Something that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeletionKept {
    /// What: `audit_events`, `code_hash`, `backups`, `exported_files`, `own_profile`.
    pub what: &'static str,
    /// Why: `required_by_law`, `says_replaced_180_days`, `up_to_35_days`, `cannot_be_recalled`,
    /// `needed_by_others`.
    pub why: &'static str,
}

/// Why a register ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its owner deletes it.
    Deleted,
    /// Its last day is over.
    Ended,
    /// Nobody opened it for too long.
    Unread,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Ended => "ended",
            Self::Unread => "unread",
        }
    }
}

/// What an erasure came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Authorizations that ended.
    pub members: u64,
    /// Administrators whose profiles nothing needed any more.
    pub administrators: Vec<Id>,
}

/// Deletes a register and everything that only it needs.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner; [`Error::Invalid`] with
/// `different` where the organisation typed is not the register's; [`Error::ConfirmationRequired`]
/// without a fresh token for exactly this. After the register is closed, a failure leaves the rest
/// of the erasing to the worker.
pub async fn delete_register(
    app: &App,
    actor: &Actor,
    id: Id,
    typed: &RegisterDeletion,
) -> Result<DeletionReceipt> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.write().await?;
    register_of_owner(app, &mut tx, session, id).await?;
    // Held, so that of two deletions at once the second finds it closed.
    let row = registers::lock(&mut tx, id.bytes())
        .await?
        .filter(|row| !has_ended(app, row))
        .ok_or(Error::NotFound)?;
    let same = Line::parse(&typed.organisation, ORGANISATION)
        .is_ok_and(|line| line.as_str() == row.organisation);
    if !same {
        return Err(Error::field("organisation", "different"));
    }
    confirm_action::take(
        app,
        &mut tx,
        actor,
        &typed.confirmation_token,
        "delete_register",
        Some(id),
    )
    .await?;
    close(
        app,
        &mut tx,
        id,
        Some((actor, session.person)),
        Cause::Deleted,
    )
    .await?;
    tx.commit().await?;
    let erasure = erase_closed(app, id).await?;
    let own_profile = erasure.administrators.contains(&session.person);
    receipt(app, row.organisation, own_profile)
}

/// Ends a register for the worker: closes it, if that was not done, and erases it.
///
/// # Errors
/// When the database fails; what was erased until then stays erased, and a new run goes on.
pub async fn erase_register(app: &App, id: Id, cause: Cause) -> Result<Erasure> {
    let mut tx = app.store.write().await?;
    if registers::get(&mut tx, id.bytes()).await?.is_none() {
        return Ok(Erasure::default());
    }
    close(app, &mut tx, id, None, cause).await?;
    tx.commit().await?;
    erase_closed(app, id).await
}

/// Moves the last day into the past: from this commit on it is in no list, no join goes in, and
/// the source is not asked for its items.
async fn close(
    app: &App,
    tx: &mut Tx,
    id: Id,
    owner: Option<(&Actor, Id)>,
    cause: Cause,
) -> Result<()> {
    let yesterday = app.today().yesterday().unwrap_or(Date::MIN);
    registers::end(tx, id.bytes(), &yesterday.to_string()).await?;
    verifications::delete_pending_of_register(tx, id.bytes()).await?;
    administrators::delete_invitations(tx, id.bytes()).await?;
    let detail = json(&serde_json::json!({ "cause": cause.as_str() }))?;
    let event = Event {
        actor: owner.map(|(_, person)| person),
        from: owner.map(|(actor, _)| actor),
        action: "ended_register",
        register: Some(id),
        detail: Some(&detail),
        ..Event::default()
    };
    audit::record(app, tx, event).await
}

/// Erases a closed register, some members a transaction, itself in the last.
async fn erase_closed(app: &App, id: Id) -> Result<Erasure> {
    let mut erasure = Erasure::default();
    loop {
        let members = erasure.members;
        let batch = super::retried(|| erase_batch(app, id, members)).await?;
        erasure.members += batch.members;
        if let Some(administrators) = batch.administrators {
            erasure.administrators = administrators;
            break;
        }
    }
    app.views.invalidate(&id).await;
    Ok(erasure)
}

/// What one transaction of an erasure came to.
struct Batch {
    members: u64,
    /// The administrators who went with the register itself, in the last batch.
    administrators: Option<Vec<Id>>,
}

async fn erase_batch(app: &App, id: Id, before: u64) -> Result<Batch> {
    let mut tx = app.store.write().await?;
    // Held: who erases at the same time takes the next batch, and whoever was still joining either
    // stands in this one or finds no register.
    let Some(row) = registers::lock(&mut tx, id.bytes()).await? else {
        return Ok(Batch {
            members: 0,
            administrators: Some(Vec::new()),
        });
    };
    let some = authorizations::some_of_register(&mut tx, id.bytes(), BATCH).await?;
    let mut batch = Batch {
        members: 0,
        administrators: None,
    };
    for authorization in &some {
        end_authorization(app, &mut tx, authorization).await?;
        batch.members += 1;
    }
    if some.is_empty() {
        verifications::delete_pending_of_register(&mut tx, id.bytes()).await?;
        // A poster that still hangs says 已失效.
        registers::replace_code(&mut tx, &row.code_hash, app.now()).await?;
        batch.administrators = Some(erase_row(app, &mut tx, id, before).await?);
    }
    tx.commit().await?;
    Ok(batch)
}

/// Deletes the register's own rows; the administrators whose profiles went with it.
async fn erase_row(app: &App, tx: &mut Tx, id: Id, members: u64) -> Result<Vec<Id>> {
    let mut erased = Vec::new();
    erasures::record(app, tx, Kind::Register, id.bytes(), None).await?;
    for (person,) in registers::delete(tx, id.bytes()).await? {
        if persons::erase_unneeded(tx, &person, 0).await? {
            erased.push(id_of(&person)?);
        }
    }
    let detail = json(&serde_json::json!({ "members": members }))?;
    let event = Event {
        action: "erased_register",
        register: Some(id),
        detail: Some(&detail),
        ..Event::default()
    };
    audit::record(app, tx, event).await?;
    Ok(erased)
}

fn receipt(app: &App, organisation: String, own_profile: bool) -> Result<DeletionReceipt> {
    let mut erased = vec![
        "register",
        "registration_code",
        "requirements",
        "members",
        "pending_joins",
        "reports",
        "administrators",
    ];
    let mut kept = vec![
        ("audit_events", "required_by_law"),
        ("code_hash", "says_replaced_180_days"),
        ("backups", "up_to_35_days"),
        ("exported_files", "cannot_be_recalled"),
    ];
    if own_profile {
        erased.push("own_profile");
    } else {
        kept.push(("own_profile", "needed_by_others"));
    }
    let mut receipt = DeletionReceipt {
        organisation,
        erased,
        kept: kept
            .into_iter()
            .map(|(what, why)| DeletionKept { what, why })
            .collect(),
        at: clock::rfc3339(app.now(), &app.zone),
        signed: String::new(),
    };
    receipt.signed = receipts::sign(app, &receipt)?;
    Ok(receipt)
}
