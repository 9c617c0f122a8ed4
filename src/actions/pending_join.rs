//! Joins that wait for a source that is down (待比对): no SMS, no session, only a handle.
use super::{
    Actor,
    attempts::Attempt,
    audit,
    limits::{self, Limit, Window},
    preview_register,
    sign_in::ask_source,
    verification::{self, Begin, JoinPayload, Kind, Payload, Started},
};
use crate::{
    app::App,
    clock,
    crypto::{Place, Table, random, token_hash},
    error::{Error, Result},
    source::Identity,
    store::{
        Tx, registers,
        verifications::{self, PendingRow},
    },
};
use serde::Serialize;

const HOUR: i64 = 3_600_000;

/// A join that waits.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Pending {
    /// The unguessable handle.
    pub pending_id: String,
    /// When it is erased at the latest.
    pub until: String,
}

/// What its handle shows of a waiting join.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PendingView {
    /// `waiting`, or `matched`: a code may be asked for.
    pub state: String,
    /// The register's organisation.
    pub organisation: String,
    /// When it is erased at the latest.
    pub until: String,
}

/// Keeps a join until the source answers. The try stays counted: its handle will tell whether it
/// matched, and an outage gives nobody more guesses.
pub(crate) async fn keep(
    app: &App,
    actor: &Actor,
    identity: &Identity,
    join: JoinPayload,
) -> Result<Pending> {
    let address = actor.origin();
    let handle = random::token(&*app.random, 16);
    let id_hash = token_hash(&handle);
    let now = app.now();
    let until = now + app.config.limits.pending_hours * HOUR;
    let register = join.register;
    let payload = Payload {
        profile: super::profile::Profile::of(identity),
        blind: false,
        join: Some(join),
        confirmation: None,
    };
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(&payload).map_err(|_| Error::unexpected("a payload's JSON"))?,
    );
    let row = PendingRow {
        id_hash: id_hash.to_vec(),
        register_id: register.bytes().to_vec(),
        payload: app.keys.seal(&place(&id_hash), &plain),
        state: 0,
        created_at: now,
        expires_at: until,
    };
    let mut tx = app.store.write().await?;
    let limit = Limit {
        kind: "pending",
        of: &[address.as_bytes()],
        window: Window::Hour,
        most: app.config.limits.pending_address_hour,
    };
    limits::take(app, &mut tx, limit).await?;
    verifications::insert_pending(&mut tx, &row).await?;
    registers::bump(&mut tx, register.bytes()).await?;
    let event = audit::Event {
        from: Some(actor),
        action: "join_waits",
        register: Some(register),
        ..audit::Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(Pending {
        pending_id: handle.to_string(),
        until: clock::rfc3339(until, &app.zone),
    })
}

/// Shows a waiting join to whoever has its handle.
///
/// # Errors
/// [`Error::NotFound`] for one that is over, was erased or never was.
pub async fn show(app: &App, handle: &str) -> Result<PendingView> {
    let mut tx = app.store.read().await?;
    let row = find(app, &mut tx, handle).await?;
    let register = registers::get(&mut tx, &row.register_id)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(PendingView {
        state: if row.state == 1 { "matched" } else { "waiting" }.to_owned(),
        organisation: register.organisation,
        until: clock::rfc3339(row.expires_at, &app.zone),
    })
}

/// Erases a waiting join.
///
/// # Errors
/// As [`show`].
pub async fn delete(app: &App, handle: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    let row = find(app, &mut tx, handle).await?;
    erase(app, &mut tx, &row, "join_withdrawn").await?;
    tx.commit().await?;
    Ok(())
}

/// Goes on with a waiting join: matches now, and sends a code where it does.
///
/// # Errors
/// [`Error::CodeReplaced`] and the like where the code is no longer good;
/// [`Error::SourceUnavailable`] while it still is; [`Error::IdentityMismatch`] erases the join;
/// those of sending.
pub async fn send_code(app: &App, actor: &Actor, handle: &str) -> Result<Started> {
    let mut tx = app.store.read().await?;
    let row = find(app, &mut tx, handle).await?;
    let mut payload = open(app, &row)?;
    check_code(app, &mut tx, &row, &payload).await?;
    drop(tx);
    let identity = payload.profile.identity(app)?;
    let attempt = Attempt::reserve(app, actor, &identity, false).await?;
    match ask_source(app, &identity).await {
        Ok(true) => {
            if let Some(join) = &mut payload.join {
                join.pending = Some(row.id_hash.clone());
            }
            let begin = Begin {
                kind: Kind::Join,
                identity: &identity,
                matched: true,
                payload,
                session: None,
                attempt: Some(&attempt),
            };
            verification::begin(app, actor, begin).await
        }
        Ok(false) => {
            let mut tx = app.store.write().await?;
            erase(app, &mut tx, &row, "join_not_matched").await?;
            tx.commit().await?;
            Err(Error::IdentityMismatch {
                tries_left: attempt.tries_left,
            })
        }
        Err(_) => {
            let mut tx = app.store.write().await?;
            attempt.give_back(app, &mut tx).await?;
            tx.commit().await?;
            Err(Error::SourceUnavailable)
        }
    }
}

/// A code that was replaced ends its joins also half-way.
async fn check_code(app: &App, tx: &mut Tx, row: &PendingRow, payload: &Payload) -> Result<()> {
    let register = registers::get(tx, &row.register_id)
        .await?
        .ok_or(Error::NotFound)?;
    let code = payload.join.as_ref().map(|join| join.code_hash.as_slice());
    if code != Some(register.code_hash.as_slice()) {
        return Err(Error::CodeReplaced);
    }
    preview_register::check_open(app, &register)
}

async fn find(app: &App, tx: &mut Tx, handle: &str) -> Result<PendingRow> {
    verifications::pending(tx, &token_hash(handle))
        .await?
        .filter(|row| row.expires_at > app.now())
        .ok_or(Error::NotFound)
}

pub(crate) fn open(app: &App, row: &PendingRow) -> Result<Payload> {
    let plain = app.keys.open(&place(&row.id_hash), &row.payload)?;
    serde_json::from_slice(&plain).map_err(|_| Error::unexpected("a payload's JSON"))
}

pub(crate) async fn erase(app: &App, tx: &mut Tx, row: &PendingRow, action: &str) -> Result<()> {
    verifications::delete_pending(tx, &row.id_hash).await?;
    let register = super::id_of(&row.register_id)?;
    registers::bump(tx, register.bytes()).await?;
    let event = audit::Event {
        action,
        register: Some(register),
        ..audit::Event::default()
    };
    audit::record(app, tx, event).await
}

fn place(id_hash: &[u8]) -> Place<'_> {
    Place {
        table: Table::PendingJoins,
        column: "payload",
        row: id_hash,
        bound: b"",
    }
}
