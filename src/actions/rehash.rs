//! The keyed hashes by which persons are found, made anew by the active keys: from each profile, batch
//! by batch, only where the profile still is what was read.
use super::{id_of, profile::Profile, retried, tend_keys};
use crate::{
    app::App,
    error::Result,
    store::persons::{self, HashesRow},
};

/// Persons a transaction, at most.
const BATCH: i64 = 100;

/// Makes every hash anew that another key made; whether none is left.
pub(crate) async fn rehash(app: &App) -> Result<bool> {
    let batch = app.config.refresh.batch.min(BATCH);
    let (mut done, mut left, mut unreadable) = (0_usize, 0, 0_usize);
    let mut after = Vec::new();
    loop {
        let mut tx = app.store.read().await?;
        let page = persons::hashes(&mut tx, &after, batch).await?;
        drop(tx);
        let Some(last) = page.last() else {
            break;
        };
        after = last.id.clone();
        let mut changed = Vec::new();
        for row in page {
            match by_active_keys(app, &row) {
                Ok(Some(new)) => changed.push(new),
                Ok(None) => {}
                Err(_) => unreadable += 1,
            }
        }
        if !changed.is_empty() {
            let Some(written) = retried(|| write(app, &changed)).await? else {
                tracing::warn!("another server makes the hashes anew");
                return Ok(false);
            };
            done += written;
            left += changed.len() - written;
        }
        tokio::task::yield_now().await;
    }
    if unreadable > 0 {
        tracing::error!(
            unreadable,
            "profiles do not open; the key of their hashes is kept"
        );
    }
    if done > 0 {
        tracing::info!(done, left, "hashed anew");
    }
    Ok(left == 0 && unreadable == 0)
}

/// The row with the active keys' hashes; none where it has them.
fn by_active_keys(app: &App, row: &HashesRow) -> Result<Option<HashesRow>> {
    let identity = Profile::open(app, id_of(&row.id)?, &row.profile)?.identity(app)?;
    let document = app.keys.document_hash(&identity.document);
    let phone = app.keys.phone_hash(&identity.phone);
    if row.document_hash == document && row.phone_hash == phone {
        return Ok(None);
    }
    Ok(Some(HashesRow {
        id: row.id.clone(),
        profile: row.profile.clone(),
        document_hash: document.to_vec(),
        phone_hash: phone.to_vec(),
    }))
}

/// One batch; none where the lease was lost.
async fn write(app: &App, rows: &[HashesRow]) -> Result<Option<usize>> {
    let mut tx = app.store.write().await?;
    if !tend_keys::keep_lease(app, &mut tx).await? {
        return Ok(None);
    }
    let mut written = 0;
    for row in rows {
        written += usize::from(persons::rehash(&mut tx, row).await?);
    }
    tx.commit().await?;
    Ok(Some(written))
}
