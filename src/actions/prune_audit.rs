//! Pruning the audit log: addresses after their time, whole beginnings of the chain after theirs.
use super::{
    audit::{self, Event},
    chain_audit::SEEN_MS,
    register_terms::json,
};
use crate::{
    app::App,
    crypto::same,
    error::{Error, Result},
    model::id::Id,
    store::{
        audit as rows,
        audit_chain::{self, CheckpointRow},
    },
};
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// Entries a transaction.
const BATCH: i64 = 500;

/// Erases addresses and entries whose time is over. The last entry stays, so that the chain goes on
/// from it.
///
/// # Errors
/// When the database fails, or the checkpoint was tampered with; what was pruned until then stays so.
pub async fn prune_audit(app: &App) -> Result<()> {
    loop {
        let mut tx = app.store.write().await?;
        let before = app.now() - app.config.audit.keep_addresses_days * DAY;
        if rows::forget_addresses(&mut tx, before, BATCH).await? == 0 {
            break;
        }
        tx.commit().await?;
    }
    let mut pruned = 0;
    loop {
        let batch = prune_batch(app).await?;
        pruned += batch;
        if batch == 0 {
            break;
        }
    }
    if pruned > 0 {
        tracing::info!(entries = pruned, "pruned the audit log");
    }
    Ok(())
}

/// Prunes some of the chain's beginning; how many entries.
async fn prune_batch(app: &App) -> Result<i64> {
    let before = app.now() - app.config.audit.keep_days * DAY;
    let mut tx = app.store.read().await?;
    let old = audit_chain::checkpoint(&mut tx).await?;
    let (from, mut numbers) = match &old {
        Some(row) if !is_right(app, row) => {
            return Err(Error::unexpected(
                "the checkpoint of the audit log was changed",
            ));
        }
        Some(row) => (row.position, numbers_of(row)?),
        None => (0, BTreeMap::new()),
    };
    let head = audit_chain::head(&mut tx)
        .await?
        .map_or(0, |row| row.position);
    let walked = audit_chain::walk(&mut tx, from, BATCH).await?;
    drop(tx);
    // An entry that is gone stops it: what is left is evidence.
    let over = walked
        .into_iter()
        .take_while(|row| row.position < head && row.at.is_some_and(|at| at < before));
    let mut last = None;
    for row in over {
        numbers.insert(
            super::id_of(&row.chain_server)?.to_string(),
            row.chain_number,
        );
        last = Some(row);
    }
    let Some(last) = last else { return Ok(0) };
    let mut tx = app.store.write().await?;
    audit_chain::prune(&mut tx, last.position).await?;
    // A server that is silent for years may go on with its numbers.
    let left = audit_chain::left(&mut tx, app.now() - SEEN_MS).await?;
    numbers.retain(|known, _| {
        Id::parse(known).is_some_and(|id| left.iter().any(|(server,)| server == id.bytes()))
    });
    let mut checkpoint = CheckpointRow {
        position: last.position,
        link: last.link,
        numbers: json(&numbers)?,
        at: app.now(),
        mac: Vec::new(),
        mac_key: Some(app.keys.audit_key()),
    };
    checkpoint.mac = audit::made(checkpoint_mac(app, &checkpoint))?;
    audit_chain::set_checkpoint(&mut tx, &checkpoint).await?;
    audit_chain::forget_servers(&mut tx, before).await?;
    let detail = json(&serde_json::json!({ "to": last.position }))?;
    let event = Event {
        action: "pruned_audit",
        detail: Some(&detail),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(last.position - from)
}

/// The MAC that a checkpoint must carry; none where its key is not here.
fn checkpoint_mac(app: &App, row: &CheckpointRow) -> Option<[u8; 32]> {
    let parts: &[&[u8]] = &[
        b"checkpoint",
        &row.position.to_be_bytes(),
        &row.link,
        row.numbers.as_bytes(),
        &row.at.to_be_bytes(),
    ];
    app.keys.audit_mac_by(row.mac_key, parts)
}

/// Whether a checkpoint is as it was written.
pub(crate) fn is_right(app: &App, row: &CheckpointRow) -> bool {
    checkpoint_mac(app, row).is_some_and(|mac| same(&mac, &row.mac))
}

/// Of each server that has entries left, its last pruned number.
pub(crate) fn numbers_of(row: &CheckpointRow) -> Result<BTreeMap<String, i64>> {
    serde_json::from_str(&row.numbers)
        .map_err(|_| Error::unexpected("the numbers of the audit log's checkpoint"))
}
