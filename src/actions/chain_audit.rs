//! The chain over the audit log: committed entries are added by one server at a time, and the head
//! is published. Why it is built so: docs/adr/0011-the-audit-chain.md.
use super::audit::{fill_gaps, made};
use crate::{
    anchor::{self, Anchor},
    app::App,
    clock,
    error::{Error, Result},
    store::{
        Tx,
        audit::{self, EventRow},
        audit_chain::{self, LinkRow},
        jobs,
    },
};
use std::{fmt::Write, sync::atomic::Ordering};

const NAME: &str = "audit-chain";
/// How long a server that was killed keeps the others from the chain, in milliseconds.
const LEASE_MS: i64 = 5_000;
/// Entries a transaction.
const BATCH: i64 = 500;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// After how long a number without an entry is one that a killed server took with it. No
/// transaction lives as long.
const GAP_MS: i64 = 10 * MINUTE;
/// How long a server is looked at every second after it last wrote.
pub(crate) const SEEN_MS: i64 = 48 * HOUR;

/// Adds to the chain what was committed; how many entries. Nothing while another server is at it.
///
/// # Errors
/// When the database fails; what was not added is added next time.
pub async fn chain_audit(app: &App) -> Result<u64> {
    fill_gaps(app).await?;
    search(app).await?;
    let mut added = 0;
    loop {
        // Nobody takes SQLite's writer when there is nothing to write.
        let some = {
            let mut tx = app.store.read().await?;
            !next(app, &mut tx).await?.is_empty()
        };
        let batch = if some { chain_batch(app).await? } else { 0 };
        added += batch;
        if batch == 0 {
            break;
        }
    }
    publish(app).await?;
    Ok(added)
}

async fn chain_batch(app: &App) -> Result<u64> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    // Held until the commit: whoever waits here reads the head that is written now.
    if !jobs::lease(&mut tx, NAME, app.server.bytes(), now + LEASE_MS, now).await? {
        return Ok(0);
    }
    let (mut position, mut link, before) = head(&mut tx).await?;
    // A key that is active anywhere is held here too, though it may still be pending: no link is by
    // an older key than the one before.
    let key = before.max(Some(app.keys.audit_key()));
    let events = next(app, &mut tx).await?;
    for event in &events {
        position += 1;
        link = made(link_of(app, key, &link, position, event))?;
        let row = LinkRow {
            position,
            server: event.server.clone(),
            number: event.number,
            link: link.clone(),
            mac_key: key,
        };
        audit_chain::append(&mut tx, &row).await?;
    }
    let mut servers: Vec<&[u8]> = events.iter().map(|event| event.server.as_slice()).collect();
    servers.dedup();
    for server in servers {
        audit_chain::announce(&mut tx, server, now).await?;
    }
    tx.commit().await?;
    Ok(events.len() as u64)
}

/// What can be added now: of each server the numbers after its last in the chain, up to the first
/// that may still be committed.
async fn next(app: &App, tx: &mut Tx) -> Result<Vec<EventRow>> {
    let now = app.now();
    let mut next = Vec::new();
    for (server, mut last) in audit_chain::waiting(tx, now - SEEN_MS).await? {
        for event in audit::after(tx, &server, last, BATCH).await? {
            if event.number != last + 1 && now - event.at < GAP_MS {
                break;
            }
            last = event.number;
            next.push(event);
        }
        if next.len() as i64 >= BATCH {
            break;
        }
    }
    Ok(next)
}

/// Once an hour, and first of all: servers that nobody announced, or that were silent for long.
/// A server whose first number is not committed yet, and all of version 1, are such.
async fn search(app: &App) -> Result<()> {
    let now = app.now();
    if (0..HOUR).contains(&(now - app.audit_times.searched.load(Ordering::Relaxed))) {
        return Ok(());
    }
    let mut tx = app.store.read().await?;
    let mut found = Vec::new();
    for (server,) in audit::servers(&mut tx).await? {
        let last = audit_chain::last_of(&mut tx, &server).await?;
        if !audit::after(&mut tx, &server, last, 1).await?.is_empty() {
            found.push(server);
        }
    }
    drop(tx);
    // That it is alive, where it wrote anything.
    if app.audit_numbers.any() {
        found.push(app.server.bytes().to_vec());
    }
    if !found.is_empty() {
        let mut tx = app.store.write().await?;
        for server in found {
            audit_chain::announce(&mut tx, &server, now).await?;
        }
        tx.commit().await?;
    }
    app.audit_times.searched.store(now, Ordering::Relaxed);
    Ok(())
}

/// The chain's last place, its link and the link's key; of what was pruned where nothing is left.
async fn head(tx: &mut Tx) -> Result<(i64, Vec<u8>, Option<i64>)> {
    if let Some(head) = audit_chain::head(tx).await? {
        return Ok((head.position, head.link, head.mac_key));
    }
    let checkpoint = audit_chain::checkpoint(tx).await?;
    Ok(checkpoint.map_or((0, Vec::new(), None), |row| {
        (row.position, row.link, row.mac_key)
    }))
}

/// The link of an entry at its place, by a key; none where that is not here.
pub(crate) fn link_of(
    app: &App,
    key: Option<i64>,
    before: &[u8],
    position: i64,
    event: &EventRow,
) -> Option<[u8; 32]> {
    let parts: &[&[u8]] = &[
        b"link",
        before,
        &position.to_be_bytes(),
        &event.server,
        &event.number.to_be_bytes(),
        &event.mac,
    ];
    app.keys.audit_mac_by(key, parts)
}

/// Writes the head to the log and to the anchor file, at the start and once an hour.
async fn publish(app: &App) -> Result<()> {
    let now = app.now();
    if (0..HOUR).contains(&(now - app.audit_times.published.load(Ordering::Relaxed))) {
        return Ok(());
    }
    let (entries, link, _) = head(&mut app.store.read().await?).await?;
    if entries == 0 {
        return Ok(());
    }
    let anchor = Anchor {
        at: clock::rfc3339(now, &app.zone),
        entries,
        head: hex(&link),
    };
    tracing::info!(entries, head = anchor.head, "head of the audit chain");
    app.audit_times.published.store(now, Ordering::Relaxed);
    if let Some(path) = app.config.audit.anchor_file.clone() {
        let written = tokio::task::spawn_blocking(move || anchor::append(&path, &anchor)).await;
        written
            .map_err(|_| Error::unexpected("the writer of the anchor file stopped"))?
            .map_err(|error| Error::unexpected(&format!("audit.anchor_file: {error}")))?;
    }
    Ok(())
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
