//! What the operator does from the command line: look at registers and reports, freeze, vouch, end
//! sessions. No health value and no member is seen here.
use super::{
    audit::{self, Event},
    id_of,
    register_terms::contact_of,
    report_register::place,
};
use crate::{
    app::App,
    clock,
    crypto::token_hash,
    error::{Error, Result},
    model::{division, id::Id},
    store::{
        Tx,
        registers::{self, RegisterRow},
        sessions, verifications,
    },
};
use serde::Serialize;

/// A register as the operator sees it.
#[derive(Clone, Serialize)]
pub struct ListedRegister {
    /// The register's id.
    pub id: String,
    /// The organisation's name.
    pub organisation: String,
    /// The street's whole name.
    pub street: String,
    /// What the information is for.
    pub purpose: String,
    /// How many members.
    pub members: i64,
    /// Whether it is frozen.
    pub frozen: bool,
    /// Whether the organisation's name is vouched for.
    pub vouched: bool,
    /// How many reports.
    pub reports: i64,
    /// The last day.
    pub ends_on: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A register with its contact and its reports.
#[derive(Clone, Serialize)]
pub struct ShownRegister {
    /// What the list has of it.
    #[serde(flatten)]
    pub register: ListedRegister,
    /// The contact that members see.
    pub contact: String,
    /// Joins that wait for the source.
    pub waiting: i64,
    /// The reports' reasons, oldest first.
    pub reasons: Vec<ReportedReason>,
}

/// A report.
#[derive(Clone, Serialize)]
pub struct ReportedReason {
    /// When it came in.
    pub at: String,
    /// What was written.
    pub reason: String,
}

/// Every register, or those with reports.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, reported: bool) -> Result<Vec<ListedRegister>> {
    let mut tx = app.store.read().await?;
    registers::all(&mut tx)
        .await?
        .into_iter()
        .filter(|row| !reported || row.reports > 0)
        .map(|row| listed(app, &row.register, row.reports))
        .collect()
}

/// One register, by its id, its code or its join address.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(app: &App, id_or_code: &str) -> Result<ShownRegister> {
    let mut tx = app.store.read().await?;
    let row = find(&mut tx, id_or_code).await?;
    shown(app, &mut tx, &row).await
}

/// Freezes a register, so that its code says so and nobody joins, or unfreezes it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn set_frozen(app: &App, id_or_code: &str, frozen: bool) -> Result<ShownRegister> {
    let mut tx = app.store.write().await?;
    let mut row = find(&mut tx, id_or_code).await?;
    registers::set_frozen(&mut tx, &row.id, frozen).await?;
    row.frozen = i64::from(frozen);
    let action = if frozen { "froze" } else { "unfroze" };
    finish(app, tx, &row, action).await
}

/// Vouches for the organisation's name, or takes it back.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn set_vouched(app: &App, id_or_code: &str, vouched: bool) -> Result<ShownRegister> {
    let mut tx = app.store.write().await?;
    let mut row = find(&mut tx, id_or_code).await?;
    registers::set_vouched(&mut tx, &row.id, vouched).await?;
    row.vouched = i64::from(vouched);
    let action = if vouched { "vouched" } else { "unvouched" };
    finish(app, tx, &row, action).await
}

/// Ends a person's sessions, or everybody's; how many. Authorizations and leave links stay.
///
/// # Errors
/// When the database fails.
pub async fn end_sessions(app: &App, person: Option<Id>) -> Result<u64> {
    let mut tx = app.store.write().await?;
    let ended = match person {
        Some(person) => sessions::delete_of_person(&mut tx, person.bytes()).await?,
        None => sessions::delete_all(&mut tx).await?,
    };
    let event = Event {
        action: "ended_sessions",
        subject: person,
        detail: Some(BY_OPERATOR),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(ended)
}

const BY_OPERATOR: &str = r#"{"by":"operator"}"#;

async fn finish(app: &App, mut tx: Tx, row: &RegisterRow, action: &str) -> Result<ShownRegister> {
    let event = Event {
        action,
        register: Some(id_of(&row.id)?),
        detail: Some(BY_OPERATOR),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    let shown = shown(app, &mut tx, row).await?;
    tx.commit().await?;
    Ok(shown)
}

/// An id and a code look alike: whichever finds a register.
async fn find(tx: &mut Tx, id_or_code: &str) -> Result<RegisterRow> {
    let text = id_or_code.trim();
    let text = text.rsplit('/').next().unwrap_or(text);
    if let Some(id) = Id::parse(text)
        && let Some(row) = registers::get(tx, id.bytes()).await?
    {
        return Ok(row);
    }
    registers::by_code(tx, &token_hash(text))
        .await?
        .ok_or(Error::NotFound)
}

fn listed(app: &App, row: &RegisterRow, reports: i64) -> Result<ListedRegister> {
    Ok(ListedRegister {
        id: id_of(&row.id)?.to_string(),
        organisation: row.organisation.clone(),
        street: division::full_name(&row.street_code),
        purpose: row.purpose.clone(),
        members: row.members,
        frozen: row.frozen != 0,
        vouched: row.vouched != 0,
        reports,
        ends_on: row.ends_on.clone(),
        created_at: clock::rfc3339(row.created_at, &app.zone),
    })
}

async fn shown(app: &App, tx: &mut Tx, row: &RegisterRow) -> Result<ShownRegister> {
    let mut reasons = Vec::new();
    for report in registers::reports(tx, &row.id).await? {
        let plain = app.keys.open(&place(&report.id), &report.reason)?;
        reasons.push(ReportedReason {
            at: clock::rfc3339(report.at, &app.zone),
            reason: String::from_utf8_lossy(&plain).into_owned(),
        });
    }
    let reports = i64::try_from(reasons.len()).unwrap_or(i64::MAX);
    Ok(ShownRegister {
        register: listed(app, row, reports)?,
        contact: contact_of(app, row)?.as_str().to_owned(),
        waiting: verifications::count_pending(tx, &row.id, app.now()).await?,
        reasons,
    })
}
