//! Sealing anew: every cell that another key than the active one sealed, batch by batch, each only
//! over what was read. What is done stands in the cells themselves, so that whoever takes over after
//! a crash goes on with what is left.
use super::{audit, retried, tend_keys};
use crate::{
    app::App,
    crypto::{Place, Table},
    error::Result,
    store::sealed::{self, Bound, COLUMNS, CellRow, Column},
};
use std::collections::HashMap;

/// Cells a transaction, at most: few, so that nobody waits long for it.
const BATCH: i64 = 100;
/// Cells between two lines of the log.
const TOLD_EVERY: u64 = 10_000;

/// Seals anew what other keys sealed; how many cells were.
pub(crate) async fn reseal(app: &App) -> Result<u64> {
    let (mut done, mut unreadable, mut told) = (0, 0, 0);
    let batch = app.config.refresh.batch.min(BATCH);
    for column in COLUMNS {
        let header = app.keys.header(column.table);
        let mut after = Vec::new();
        loop {
            let mut tx = app.store.read().await?;
            let page = sealed::page(&mut tx, column, &after, &header, batch).await?;
            drop(tx);
            let Some(last) = page.last() else {
                break;
            };
            after = last.id.clone();
            let mut cells = Vec::with_capacity(page.len());
            for row in &page {
                match app
                    .keys
                    .reseal(&place(column, row, &bound(column, row)), &row.cell)
                {
                    Ok(cell) => cells.push((row, cell)),
                    Err(_) => unreadable += 1,
                }
            }
            let Some(written) = retried(|| write(app, column, &cells)).await? else {
                tracing::warn!("another server seals anew");
                return Ok(done);
            };
            done += written;
            if done - told >= TOLD_EVERY {
                told = done;
                tracing::info!(done, "sealing anew");
            }
            // Requests of this thread get their turn.
            tokio::task::yield_now().await;
        }
    }
    let Some(addresses) = addresses(app, batch, &mut unreadable).await? else {
        tracing::warn!("another server seals anew");
        return Ok(done);
    };
    done += addresses;
    if unreadable > 0 {
        tracing::error!(unreadable, "sealed values do not open; their key is kept");
    }
    if done > 0 {
        tracing::info!(done, "sealed anew");
    }
    Ok(done)
}

/// The addresses of the audit log; none where the lease was lost.
async fn addresses(app: &App, batch: i64, unreadable: &mut u64) -> Result<Option<u64>> {
    let header = app.keys.header(Table::Audit);
    let (mut done, mut after) = (0, (Vec::new(), 0));
    loop {
        let mut tx = app.store.read().await?;
        let page = sealed::addresses(&mut tx, (&after.0, after.1), &header, batch).await?;
        drop(tx);
        let Some(last) = page.last() else {
            return Ok(Some(done));
        };
        after = (last.id.clone(), last.number.unwrap_or_default());
        let mut cells = Vec::with_capacity(page.len());
        for row in &page {
            let number = row.number.unwrap_or_default().to_be_bytes();
            let place = audit::address_place(&row.id, &number);
            match app.keys.reseal(&place, &row.cell) {
                Ok(cell) => cells.push((row, cell)),
                Err(_) => *unreadable += 1,
            }
        }
        let written = retried(|| async {
            let mut tx = app.store.write().await?;
            if !tend_keys::keep_lease(app, &mut tx).await? {
                return Ok(None);
            }
            let mut written = 0;
            for (row, cell) in &cells {
                written += u64::from(sealed::put_address(&mut tx, row, cell).await?);
            }
            tx.commit().await?;
            Ok(Some(written))
        });
        let Some(written) = written.await? else {
            return Ok(None);
        };
        done += written;
        tokio::task::yield_now().await;
    }
}

/// One batch; none where the lease was lost.
async fn write(app: &App, column: &Column, cells: &[(&CellRow, Vec<u8>)]) -> Result<Option<u64>> {
    let mut tx = app.store.write().await?;
    if !tend_keys::keep_lease(app, &mut tx).await? {
        return Ok(None);
    }
    let mut written = 0;
    for (row, cell) in cells {
        written += u64::from(sealed::put(&mut tx, column, &row.id, &row.cell, cell).await?);
    }
    tx.commit().await?;
    Ok(Some(written))
}

/// How many cells there are by what they begin with: suite and key id.
pub(crate) async fn count(app: &App) -> Result<HashMap<[u8; 5], i64>> {
    let mut counts = HashMap::new();
    let mut tx = app.store.read().await?;
    let mut all = Vec::new();
    for column in COLUMNS {
        all.extend(sealed::count(&mut tx, column).await?);
    }
    all.extend(sealed::count_addresses(&mut tx).await?);
    for (header, cells) in all {
        // A cell that is too short names no key, and opens by none.
        if let Ok(header) = header.try_into() {
            *counts.entry(header).or_default() += cells;
        }
    }
    Ok(counts)
}

fn bound(column: &Column, row: &CellRow) -> Vec<u8> {
    let number = row.number.unwrap_or_default();
    match column.bound {
        Bound::Nothing => Vec::new(),
        Bound::Number => number.to_be_bytes().to_vec(),
        Bound::Byte => vec![number as u8],
        Bound::Other => row.other.clone().unwrap_or_default(),
    }
}

fn place<'a>(column: &Column, row: &'a CellRow, bound: &'a [u8]) -> Place<'a> {
    Place {
        table: column.table,
        column: column.name,
        row: &row.id,
        bound,
    }
}
