//! Verifying the audit log: each event must carry the MAC of what it says.
use super::audit::mac_of;
use crate::{app::App, crypto::same, error::Result, store::audit};

/// Events looked at in one go.
const BATCH: i64 = 1000;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Events whose MAC is right.
    pub events: u64,
    /// The first event that was changed: its server and number.
    pub first_bad: Option<String>,
}

/// Checks every event, server by server, in order.
///
/// # Errors
/// When the database fails. A bad event is in the answer.
pub async fn verify_audit(app: &App) -> Result<Verified> {
    let mut verified = Verified::default();
    let mut tx = app.store.read().await?;
    for (server,) in audit::servers(&mut tx).await? {
        let mut after = 0;
        loop {
            let events = audit::after(&mut tx, &server, after, BATCH).await?;
            let Some(last) = events.last() else { break };
            after = last.number;
            for event in &events {
                if !same(&mac_of(app, event), &event.mac) {
                    let server = super::id_of(&server)?;
                    verified.first_bad = Some(format!("{server}/{}", event.number));
                    return Ok(verified);
                }
                verified.events += 1;
            }
        }
    }
    Ok(verified)
}
