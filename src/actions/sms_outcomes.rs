//! What became of texts: recorded after each try, told later by gateways, and counted for the
//! operator. No number and no text is seen here.
use crate::{
    app::App,
    error::Result,
    model::id::Id,
    sms::{
        NotSent, Receipt,
        gateways::{Sent, Standing, Unsent},
    },
    store::{
        Tx,
        sms::{self, Outcome},
    },
};
use serde::Serialize;
use std::sync::PoisonError;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a receipt is looked for that came before its text was recorded.
const LOOKS: u32 = 3;
/// How many such receipts wait.
const WAITING: usize = 1000;

/// How many texts came to one end.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Count {
    /// `reserved`, `sent`, `delivered`, `failed` or `unknown`.
    pub state: &'static str,
    /// `code`, or `invitation`: a text without one, the notice of a passkey too.
    pub kind: &'static str,
    /// The gateway that was asked last.
    pub gateway: Option<String>,
    /// Why it failed or is unknown.
    pub reason: Option<String>,
    /// How many.
    pub messages: i64,
}

/// Every state, by its number in the database.
pub const STATES: [&str; 5] = ["reserved", "sent", "failed", "unknown", "delivered"];

/// Records what became of a reserved text.
pub(crate) async fn record(
    app: &App,
    tx: &mut Tx,
    id: Id,
    outcome: &std::result::Result<Sent, Unsent>,
) -> Result<()> {
    let outcome = match outcome {
        Ok(sent) => Outcome {
            state: 1,
            reason: None,
            gateway: &sent.gateway,
            message: sent.message.as_deref(),
        },
        Err(unsent) => Outcome {
            state: if matches!(unsent.why, NotSent::Unknown(_)) {
                3
            } else {
                2
            },
            reason: Some(unsent.why.reason()),
            gateway: &unsent.gateway,
            message: None,
        },
    };
    sms::record(tx, id.bytes(), &outcome, app.now()).await?;
    Ok(())
}

/// Keeps the gateways' connections up, and records the receipts that came in.
///
/// # Errors
/// When the database fails; what came in is looked for again.
pub async fn tend(app: &App) -> Result<()> {
    let fresh = app.sms.tend().await;
    let mut receipts = {
        let mut early = app
            .early_receipts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *early)
    };
    receipts.extend(
        fresh
            .into_iter()
            .map(|(gateway, receipt)| (gateway, receipt, 0)),
    );
    if receipts.is_empty() {
        return Ok(());
    }
    let mut left = Vec::new();
    let recorded = record_receipts(app, &receipts, &mut left).await;
    if recorded.is_err() {
        left = receipts;
    }
    left.truncate(WAITING);
    *app.early_receipts
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = left;
    recorded
}

async fn record_receipts(
    app: &App,
    receipts: &[(String, Receipt, u32)],
    left: &mut Vec<(String, Receipt, u32)>,
) -> Result<()> {
    let mut tx = app.store.write().await?;
    for (gateway, receipt, looks) in receipts {
        let of = (gateway.as_str(), receipt.message.as_str());
        let reason = receipt.failure.as_deref();
        let state = if reason.is_some() { 2 } else { 4 };
        let found = sms::record_receipt(&mut tx, of, state, reason, app.now()).await?;
        if !found && looks + 1 < LOOKS {
            left.push((gateway.clone(), receipt.clone(), looks + 1));
        }
    }
    tx.commit().await?;
    Ok(())
}

/// What became of the texts of the last days.
///
/// # Errors
/// When the database fails.
pub async fn counts(app: &App, days: i64) -> Result<Vec<Count>> {
    let mut tx = app.store.read().await?;
    let rows = sms::counts(&mut tx, app.now() - days * DAY_MS).await?;
    let count = |row: sms::CountRow| Count {
        state: usize::try_from(row.state)
            .ok()
            .and_then(|state| STATES.get(state).copied())
            .unwrap_or("unknown"),
        kind: if row.kind == 0 { "code" } else { "invitation" },
        gateway: row.gateway,
        reason: row.reason,
        messages: row.messages,
    };
    Ok(rows.into_iter().map(count).collect())
}

/// How each gateway stands on this server.
pub fn standings(app: &App) -> Vec<Standing> {
    app.sms.standings()
}
