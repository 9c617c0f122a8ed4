//! A restored copy: whoever was erased after it was made is erased again, before anybody is answered.
use super::{
    audit::{self, Event},
    delete_register::{self, Cause},
    erasures, health,
    leave_register::end_authorization,
    register_terms::draw_code,
};
use crate::{
    app::App,
    erasure_list::{self, Entry, Kind, Listed},
    error::Result,
    store::{authorizations, erasures as rows, passkeys, registers, sessions},
};
use std::collections::HashMap;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// What was done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Erasures that the database did not know of.
    pub unknown: u64,
    /// Authorizations that ended again.
    pub ended: u64,
    /// Authorizations that were narrowed again.
    pub narrowed: u64,
    /// Registers that were erased again.
    pub registers: u64,
    /// Codes that were replaced again.
    pub codes: u64,
    /// Passkeys that were removed again.
    pub passkeys: u64,
    /// Sessions that ended.
    pub sessions: u64,
}

/// Erases again whatever the list outside the database knows and the database does not. Where there
/// is any such thing the database is an old copy, and its sessions end too.
///
/// # Errors
/// When the list does not read or the database fails: then the server does not start.
pub async fn replay_erasures(app: &App) -> Result<Replayed> {
    let mut done = Replayed::default();
    let Some(path) = app.config.erasures_file() else {
        return Ok(done);
    };
    let mut all = erasure_list::read(&path).map_err(erasures::of_list)?;
    *app.erasures.lock().await = Listed::after(&all);
    let oldest = app.now() - app.config.backup.keep_days * DAY;
    all.retain(|entry| entry.at >= oldest);
    if all.is_empty() {
        return Ok(done);
    }
    let mut tx = app.store.read().await?;
    let known: HashMap<Vec<u8>, i64> = rows::since(&mut tx, 0)
        .await?
        .into_iter()
        .map(|(id, _, _, at)| (id, at))
        .collect();
    drop(tx);
    all.retain(|entry| known.get(&entry.id).is_none_or(|at| *at < entry.at));
    for entry in &all {
        done.unknown += 1;
        super::retried(|| again(app, entry))
            .await?
            .then(|| match entry.kind {
                Kind::Ended => done.ended += 1,
                Kind::Narrowed => done.narrowed += 1,
                Kind::Register => done.registers += 1,
                Kind::Code => done.codes += 1,
                Kind::Passkey => done.passkeys += 1,
            });
    }
    if done.unknown > 0 {
        done.sessions = finish(app, &all, done).await?;
        tracing::warn!(
            erasures = done.unknown,
            ended = done.ended,
            narrowed = done.narrowed,
            registers = done.registers,
            codes = done.codes,
            passkeys = done.passkeys,
            sessions = done.sessions,
            "the database is an older copy: what was erased since was erased again"
        );
    }
    Ok(done)
}

/// Erases one thing again; whether it was there.
async fn again(app: &App, entry: &Entry) -> Result<bool> {
    match entry.kind {
        Kind::Ended | Kind::Narrowed => authorization(app, entry).await,
        Kind::Register => {
            let id = super::id_of(&entry.id)?;
            let mut tx = app.store.read().await?;
            let there = registers::get(&mut tx, id.bytes()).await?.is_some();
            drop(tx);
            delete_register::erase_register(app, id, Cause::Deleted).await?;
            Ok(there)
        }
        Kind::Code => code(app, &entry.id).await,
        Kind::Passkey => {
            let mut tx = app.store.write().await?;
            let there = passkeys::forget(&mut tx, &entry.id).await?;
            tx.commit().await?;
            Ok(there)
        }
    }
}

async fn authorization(app: &App, entry: &Entry) -> Result<bool> {
    let mut tx = app.store.write().await?;
    let Some(mut row) = authorizations::by_id(&mut tx, &entry.id).await? else {
        return Ok(false);
    };
    registers::lock(&mut tx, &row.register_id).await?;
    erasures::narrow_to(&mut row, entry.keeps.as_deref().unwrap_or_default());
    if row.items.is_empty() {
        end_authorization(app, &mut tx, &row).await?;
    } else {
        authorizations::change(&mut tx, &row).await?;
        registers::bump(&mut tx, &row.register_id).await?;
        health::narrow(app, &mut tx, super::id_of(&row.person_id)?).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// A replaced code says so again. Its register gets another that nobody has seen.
async fn code(app: &App, hash: &[u8]) -> Result<bool> {
    let mut tx = app.store.write().await?;
    let Some(row) = registers::by_code(&mut tx, hash).await? else {
        return Ok(false);
    };
    let new = draw_code(app, super::id_of(&row.id)?);
    registers::replace_code(&mut tx, &row.code_hash, app.now()).await?;
    registers::set_code(&mut tx, &row.id, &new.hash, &new.sealed).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends every session, and remembers what is known now; how many sessions there were.
async fn finish(app: &App, entries: &[Entry], done: Replayed) -> Result<u64> {
    let mut tx = app.store.write().await?;
    let ended = sessions::delete_all(&mut tx).await?;
    for entry in entries {
        let keeps = entry.keeps.as_deref();
        rows::record(&mut tx, &entry.id, entry.kind.number(), keeps, entry.at).await?;
    }
    let detail = serde_json::json!({ "erasures": done.unknown }).to_string();
    let event = Event {
        action: "restored",
        detail: Some(&detail),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(ended)
}
