//! Keys on their way: pending → active → old → unneeded → destroyed.
//!
//! A key takes a step only once every live program holds the keys as they stand: so whatever one of
//! them seals, all the others can open, and nobody seals by a key any more whose cells are counted.
use super::{rehash, reseal, retried};
use crate::{
    app::{App, LIVE_MS},
    crypto::{Purpose, State},
    error::Result,
    store::{
        Tx, audit_chain, jobs,
        keys::{self, KeyRow},
        refresh,
    },
};
use std::sync::atomic::Ordering;

const NAME: &str = "keys";
/// How long a key that nothing needs is kept all the same: longer than any transaction that was
/// under way when it last sealed, and than any code or page that was made by it.
const REST_MS: i64 = 60 * 60_000;
/// When cells that were left are looked at again, in milliseconds.
const AGAIN_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * 60_000;

/// Loads the keys where they changed, tells the others, and takes the steps that are due. Does no
/// step while another server is at it.
///
/// # Errors
/// When the database or the root key fails; the next look tries again.
pub async fn tend_keys(app: &App) -> Result<()> {
    beat(app).await?;
    if !is_due(app).await? {
        return Ok(());
    }
    let mut tx = app.store.write().await?;
    let ours = keep_lease(app, &mut tx).await?;
    keys::forget_holders(&mut tx, app.now() - 10 * LIVE_MS).await?;
    tx.commit().await?;
    if !ours {
        return Ok(());
    }
    let mut outcome = Ok(true);
    while matches!(outcome, Ok(true)) {
        outcome = step(app).await;
        if matches!(outcome, Ok(true)) {
            outcome = beat(app).await.map(|()| true);
        }
    }
    let mut tx = app.store.write().await?;
    jobs::release(&mut tx, NAME, app.server.bytes()).await?;
    tx.commit().await?;
    outcome.map(|_| ())
}

/// Loads the keys, and brings what is kept outside the database to them, telling the others all the
/// while. What lists keep sealed in memory goes when the keys change: those may be about to go.
async fn beat(app: &App) -> Result<()> {
    let loaded = || {
        app.views.invalidate_all();
        tracing::info!(version = app.keys.version(), "keys loaded");
    };
    app.holder.follow(&*app.source, loaded).await
}

/// Takes or keeps the lease of whoever takes the steps.
pub(crate) async fn keep_lease(app: &App, tx: &mut Tx) -> Result<bool> {
    let now = app.now();
    let until = now + app.config.refresh.lease_seconds * 1000;
    Ok(jobs::lease(tx, NAME, app.server.bytes(), until, now).await?)
}

/// Whether any key has a step before it.
async fn is_due(app: &App) -> Result<bool> {
    let rows = keys::all(&mut app.store.read().await?).await?;
    Ok(rows.iter().any(|row| next(app, row).is_some()))
}

/// The step that a key has before it, if all others have followed.
fn next(app: &App, row: &KeyRow) -> Option<State> {
    match State::of(row.state)? {
        State::Pending => Some(State::Active),
        // The events of years are checked by it.
        State::Old if row.purpose == Purpose::Audit.as_str() => {
            let kept = app.config.audit.keep_days * DAY_MS;
            (app.now() - row.changed_at >= kept).then_some(State::Unneeded)
        }
        // Whoever has a receipt may show it after any time.
        State::Old if row.purpose == Purpose::Receipt.as_str() => None,
        State::Old => Some(State::Unneeded),
        State::Unneeded if app.now() - row.changed_at >= REST_MS => Some(State::Destroyed),
        State::Active | State::Unneeded | State::Destroyed => None,
    }
}

/// One step of all keys that have the same one before them; whether there was one.
async fn step(app: &App) -> Result<bool> {
    if !everybody_follows(app, &mut app.store.read().await?).await? {
        return Ok(false);
    }
    let rows = keys::all(&mut app.store.read().await?).await?;
    // What seals comes first: the rest then is done once for all.
    for to in [State::Active, State::Unneeded, State::Destroyed] {
        let mut ready = Vec::new();
        for row in rows.iter().filter(|row| next(app, row) == Some(to)) {
            if is_ready(app, row).await? {
                ready.push(row);
            }
        }
        if !ready.is_empty() && retried(|| take(app, &ready, to)).await? {
            for key in ready {
                let (id, purpose) = (key.id, key.purpose.as_str());
                tracing::info!(key = id, purpose, state = to.as_str(), "a key's step");
            }
            return Ok(true);
        }
    }
    Ok(false)
}

async fn everybody_follows(app: &App, tx: &mut Tx) -> Result<bool> {
    let version = keys::version(tx).await?;
    Ok(keys::behind(tx, app.now() - LIVE_MS, version).await? == 0)
}

/// Does what must be done before a key's step; whether it is done.
async fn is_ready(app: &App, row: &KeyRow) -> Result<bool> {
    let purpose = Purpose::of(&row.purpose);
    let (Some(State::Old | State::Unneeded), Some(purpose)) = (State::of(row.state), purpose)
    else {
        return Ok(true);
    };
    if matches!(purpose, Purpose::Source | Purpose::IndexDocument) {
        let mut tx = app.store.read().await?;
        if keys::adopting(&mut tx, app.now() - LIVE_MS).await? > 0 {
            return Ok(false);
        }
    }
    if matches!(
        purpose,
        Purpose::Source | Purpose::Limits | Purpose::Code | Purpose::Fingerprint
    ) {
        return Ok(true);
    }
    if app.now() < app.holder.look_again.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let is_done = match purpose {
        Purpose::Data => {
            reseal::reseal(app).await?;
            !reseal::count(app).await?.contains_key(&header(row))
        }
        Purpose::Audit => {
            let mut tx = app.store.read().await?;
            let first = app.keys.first_audit_key();
            !audit_chain::names_key(&mut tx, row.id, first).await?
        }
        _ => rehash::rehash(app).await?,
    };
    if !is_done {
        // What does not open will not do so in five seconds either.
        let later = app.now() + AGAIN_MS;
        app.holder.look_again.store(later, Ordering::Relaxed);
    }
    Ok(is_done)
}

/// What the cells of a key begin with.
pub(crate) fn header(row: &KeyRow) -> [u8; 5] {
    let [a, b, c, d] = (row.id as u32).to_be_bytes();
    [row.suite as u8, a, b, c, d]
}

/// Takes a step, unless something changed meanwhile.
async fn take(app: &App, rows: &[&KeyRow], to: State) -> Result<bool> {
    let mut tx = app.store.write().await?;
    // Programs that start take the same lock: each holds the keys as they were before or are after.
    refresh::lock(&mut tx).await?;
    if !keep_lease(app, &mut tx).await? || !everybody_follows(app, &mut tx).await? {
        return Ok(false);
    }
    let now = app.now();
    let all = keys::all(&mut tx).await?;
    let mut done = true;
    for row in rows {
        if to == State::Active {
            let (active, old) = (State::Active.number(), State::Old.number());
            for other in all.iter().filter(|other| other.purpose == row.purpose) {
                keys::set_state(&mut tx, other.id, active, old, now).await?;
            }
        }
        done &= match to {
            State::Destroyed => keys::destroy(&mut tx, row.id, now).await?,
            _ => keys::set_state(&mut tx, row.id, row.state, to.number(), now).await?,
        };
    }
    if done {
        tx.commit().await?;
    }
    Ok(done)
}
