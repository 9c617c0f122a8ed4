//! Leaving: one confirmation, no approval, and what nothing else needs is erased at once.
use super::{Actor, audit, erasures, health, profile, receipts};
use crate::{
    app::App,
    clock,
    crypto::token_hash,
    erasure_list::Kind,
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
        persons, registers, snapshots,
    },
};
use serde::Serialize;

/// What leaving erased, and what stays and why.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The register's organisation.
    pub organisation: String,
    /// What was erased: `authorization`, `health_items.nucleic_acid`, `profile`, …
    pub erased: Vec<String>,
    /// What stays.
    pub kept: Vec<Kept>,
    /// When.
    pub at: String,
    /// All of this and where it comes from, signed, in one line: to keep, and to be verified by
    /// `tuantibu receipt verify`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signed: String,
}

/// Something that stays, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Kept {
    /// What: `profile`, `health_items`, `sms_number`, `audit_log`, `exported_files`, `backups`.
    pub what: String,
    /// Why: `other_authorizations`, `administrator_role`, `guardian`, `seven_days`, `law`, `out_of_reach`,
    /// `backups_35_days`.
    pub why: String,
}

/// What a leave link shows before it is confirmed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LeaveLink {
    /// The register's organisation; nothing else.
    pub organisation: String,
}

/// What the end of an authorization erased.
#[derive(Clone, Debug, Default)]
pub(crate) struct Erased {
    pub(crate) items: Vec<String>,
    pub(crate) snapshot: bool,
    pub(crate) profile: bool,
}

/// Leaves by one's own session, or ends an authorization that one consented to as a guardian.
///
/// # Errors
/// [`Error::NotFound`] for one that is another's or has ended; [`Error::NotSignedIn`].
pub async fn leave_register(app: &App, actor: &Actor, authorization: Id) -> Result<Receipt> {
    let session = actor.signed_in()?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        let row = authorizations::by_id(&mut tx, authorization.bytes())
            .await?
            .filter(|row| is_holder(row, session.person))
            .ok_or(Error::NotFound)?;
        leave(app, actor, tx, &row, Some(session.person)).await
    })
    .await
}

/// Whether somebody may see and end an authorization: the member, or the guardian who consented.
pub(crate) fn is_holder(row: &AuthorizationRow, person: Id) -> bool {
    row.person_id == person.bytes() || row.guardian_id.as_deref() == Some(person.bytes())
}

/// What a leave link ends.
///
/// # Errors
/// [`Error::NotFound`] for a link that was used or never was.
pub async fn show_link(app: &App, link: &str) -> Result<LeaveLink> {
    let mut tx = app.store.read().await?;
    let row = authorizations::by_leave_link(&mut tx, &token_hash(link)).await?;
    let row = row.ok_or(Error::NotFound)?;
    let register = registers::get(&mut tx, &row.register_id)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(LeaveLink {
        organisation: register.organisation,
    })
}

/// Leaves by the link of the receipt: no match, no SMS, no source.
///
/// # Errors
/// As [`show_link`].
pub async fn leave_by_link(app: &App, actor: &Actor, link: &str) -> Result<Receipt> {
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        let row = authorizations::by_leave_link(&mut tx, &token_hash(link)).await?;
        let row = row.ok_or(Error::NotFound)?;
        leave(app, actor, tx, &row, None).await
    })
    .await
}

async fn leave(
    app: &App,
    actor: &Actor,
    mut tx: Tx,
    row: &AuthorizationRow,
    person: Option<Id>,
) -> Result<Receipt> {
    let register = registers::lock(&mut tx, &row.register_id)
        .await?
        .ok_or(Error::NotFound)?;
    let erased = end_authorization(app, &mut tx, row)
        .await?
        .ok_or(Error::NotFound)?;
    let event = audit::Event {
        actor: person,
        from: Some(actor),
        action: "left",
        register: Some(super::id_of(&row.register_id)?),
        subject: Some(super::id_of(&row.id)?),
        detail: None,
    };
    audit::record(app, &mut tx, event).await?;
    let kept = kept(&mut tx, row, &erased).await?;
    tx.commit().await?;
    receipt(app, register.organisation, &erased, kept)
}

/// Ends an authorization and erases what nothing else needs; `None` where it had ended already.
/// The register is held by then.
pub(crate) async fn end_authorization(
    app: &App,
    tx: &mut Tx,
    row: &AuthorizationRow,
) -> Result<Option<Erased>> {
    if !authorizations::delete(tx, &row.id).await? {
        return Ok(None);
    }
    erasures::record(app, tx, Kind::Ended, &row.id, None).await?;
    registers::drop_member(tx, &row.register_id).await?;
    let person = super::id_of(&row.person_id)?;
    let items = health::narrow(app, tx, person).await?;
    let snapshot = snapshots::get(tx, person.bytes()).await?.is_none();
    let profile = persons::erase_unneeded(tx, person.bytes(), 0).await?;
    if let Some(guardian) = &row.guardian_id {
        persons::erase_unneeded(tx, guardian, app.now()).await?;
    }
    Ok(Some(Erased {
        items,
        snapshot,
        profile,
    }))
}

async fn kept(tx: &mut Tx, row: &AuthorizationRow, erased: &Erased) -> Result<Vec<Kept>> {
    let kept = |what: &str, why: &str| Kept {
        what: what.to_owned(),
        why: why.to_owned(),
    };
    let mut all = Vec::new();
    if !erased.profile {
        let others = !authorizations::of_person(tx, &row.person_id)
            .await?
            .is_empty();
        let guards = !authorizations::of_guardian(tx, &row.person_id)
            .await?
            .is_empty();
        if others {
            all.push(kept("profile", "other_authorizations"));
        }
        if guards {
            all.push(kept("profile", "guardian"));
        }
        if registers::count_of_administrator(tx, &row.person_id).await? > 0 {
            all.push(kept("profile", "administrator_role"));
        }
        if !erased.snapshot {
            all.push(kept("health_items", "other_authorizations"));
        }
    }
    all.push(kept("sms_number", "seven_days"));
    all.push(kept("audit_log", "law"));
    all.push(kept("exported_files", "out_of_reach"));
    all.push(kept("backups", "backups_35_days"));
    Ok(all)
}

fn receipt(app: &App, organisation: String, erased: &Erased, kept: Vec<Kept>) -> Result<Receipt> {
    let mut what = vec![
        "authorization".to_owned(),
        "consent".to_owned(),
        "leave_link".to_owned(),
    ];
    what.extend(
        erased
            .items
            .iter()
            .map(|item| format!("health_items.{item}")),
    );
    if erased.profile {
        what.push("profile".to_owned());
    }
    let mut receipt = Receipt {
        organisation,
        erased: what,
        kept,
        at: clock::rfc3339(app.now(), &app.zone),
        signed: String::new(),
    };
    receipt.signed = receipts::sign(app, &receipt)?;
    Ok(receipt)
}

/// The name of a person as their own list shows it.
pub(crate) async fn name_of(app: &App, tx: &mut Tx, person: Id) -> Result<Option<String>> {
    let identity = profile::of_person(app, tx, person).await?;
    Ok(identity.map(|identity| identity.name.as_str().to_owned()))
}
