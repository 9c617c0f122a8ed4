//! What runs by itself beside the refresh, on one server at a time.
use super::{erase_expired, retry_pending};
use crate::{app::App, error::Result, store::jobs};

const NAME: &str = "chores";
/// How long a server that was killed keeps the others from the chores, in milliseconds.
const LEASE_MS: i64 = 60_000;

/// Matches waiting joins, sends due texts and, when `erase` says so, erases what is over. Does
/// nothing while another server is at it.
///
/// # Errors
/// When the database fails; the lease runs out then.
pub async fn chores(app: &App, erase: bool) -> Result<()> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let ours = jobs::lease(&mut tx, NAME, app.server.bytes(), now + LEASE_MS, now).await?;
    tx.commit().await?;
    if !ours {
        return Ok(());
    }
    retry_pending::retry_pending(app).await?;
    retry_pending::send_due(app).await?;
    if erase {
        erase_expired::erase_expired(app).await?;
    }
    let mut tx = app.store.write().await?;
    jobs::release(&mut tx, NAME, app.server.bytes()).await?;
    tx.commit().await?;
    Ok(())
}
