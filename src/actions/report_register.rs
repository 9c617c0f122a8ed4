//! 举报: anybody who sees a register's preview, or is a member, tells the operator about it.
use super::{
    Actor,
    audit::{self, Event},
    id_of,
    limits::{self, Limit, Window},
};
use crate::{
    app::App,
    crypto::{Place, Table, random, token_hash},
    error::{Error, Result},
    model::{id::Id, register::line},
    store::{Tx, authorizations, registers},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// The most characters of a reason.
pub const REASON: usize = 500;

/// Why a register is reported.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// The reason, up to 500 characters.
    #[schema(required, min_length = 1)]
    pub reason: String,
}

/// Where a report's reason stands.
pub(crate) fn place(report: &[u8]) -> Place<'_> {
    Place {
        table: Table::Reports,
        column: "reason",
        row: report,
        bound: b"",
    }
}

/// Keeps a report on the register of a code, also a frozen one, for the operator.
///
/// # Errors
/// [`Error::Invalid`] for the reason; [`Error::TooManyAttempts`] beyond an address's reports of an
/// hour, unknown codes included; [`Error::CodeReplaced`]; [`Error::NotFound`] for another code.
pub async fn report_register(app: &App, actor: &Actor, code: &str, report: &Report) -> Result<()> {
    let reason = checked(report)?;
    count(app, actor).await?;
    let mut tx = app.store.write().await?;
    let hash = token_hash(code);
    let Some(row) = registers::by_code(&mut tx, &hash).await? else {
        return Err(if registers::is_replaced(&mut tx, &hash).await? {
            Error::CodeReplaced
        } else {
            Error::NotFound
        });
    };
    keep(app, actor, &mut tx, None, id_of(&row.id)?, &reason).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps a report on the register of one of the actor's own authorizations.
///
/// # Errors
/// As [`report_register`], [`Error::NotSignedIn`], and [`Error::NotFound`] for an authorization
/// that neither is the actor's nor was given by them.
pub async fn report_own(
    app: &App,
    actor: &Actor,
    authorization: Id,
    report: &Report,
) -> Result<()> {
    let session = actor.signed_in()?;
    let reason = checked(report)?;
    count(app, actor).await?;
    let mut tx = app.store.write().await?;
    let own = session.person.bytes();
    let row = authorizations::by_id(&mut tx, authorization.bytes())
        .await?
        .filter(|row| row.person_id == own || row.guardian_id.as_deref() == Some(own))
        .ok_or(Error::NotFound)?;
    let register = id_of(&row.register_id)?;
    keep(app, actor, &mut tx, Some(session.person), register, &reason).await?;
    tx.commit().await?;
    Ok(())
}

/// The reason as one line; ends of lines count as spaces.
fn checked(report: &Report) -> Result<String> {
    let mut errors = Vec::new();
    let typed = report.reason.replace(['\r', '\n', '\t'], " ");
    line("reason", &typed, REASON, &mut errors).ok_or(Error::Invalid(errors))
}

async fn count(app: &App, actor: &Actor) -> Result<()> {
    let address = actor.origin();
    let limit = Limit {
        kind: "report-address",
        of: &[address.as_bytes()],
        window: Window::Hour,
        most: app.config.limits.reports_address_hour,
    };
    limits::take_alone(app, limit).await
}

async fn keep(
    app: &App,
    actor: &Actor,
    tx: &mut Tx,
    person: Option<Id>,
    register: Id,
    reason: &str,
) -> Result<()> {
    let id = random::id(&*app.random);
    let sealed = app.keys.seal(&place(id.bytes()), reason.as_bytes());
    registers::report(tx, id.bytes(), register.bytes(), &sealed, app.now()).await?;
    let event = Event {
        actor: person,
        from: Some(actor),
        action: "reported_register",
        register: Some(register),
        subject: Some(id),
        ..Event::default()
    };
    audit::record(app, tx, event).await
}
