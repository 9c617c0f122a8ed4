//! What time erases: sessions and who only signed in, verifications, waiting joins, counters,
//! old messages, registers that ended or that nobody opened, and old entries of the audit log.
use super::{
    delete_register::{self, Cause},
    erasures,
    prune_audit::prune_audit,
};
use crate::{
    app::App,
    error::Result,
    store::{
        administrators, limits, passkeys, persons, refresh, registers, sessions, sms, verifications,
    },
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Rows a transaction.
const BATCH: i64 = 500;
/// How long a replaced code says 已失效 (SECURITY.md §4).
const REPLACED_CODES_KEPT: i64 = 180 * DAY;
/// How long a sealed number stays with what became of its SMS (SECURITY.md §4).
const MESSAGES_KEPT: i64 = 7 * DAY;
const RUNS_KEPT: i64 = 30 * DAY;

/// Erases what is over. Each kind is a transaction of its own, so that none holds up another.
///
/// # Errors
/// When the database fails; what was erased until then stays so.
pub async fn erase_expired(app: &App) -> Result<()> {
    let now = app.now();
    let idle = app.config.limits.session_idle_minutes * MINUTE;
    let mut tx = app.store.write().await?;
    sessions::forget_over(&mut tx, now, now - idle).await?;
    verifications::forget_over(&mut tx, now - super::verification::RESENDABLE_MS).await?;
    verifications::forget_pending_over(&mut tx, now).await?;
    passkeys::forget_over(&mut tx, now).await?;
    limits::forget_over(&mut tx, now).await?;
    administrators::forget_over(&mut tx, now).await?;
    registers::forget_replaced(&mut tx, now - REPLACED_CODES_KEPT).await?;
    refresh::forget_over(&mut tx, now - RUNS_KEPT).await?;
    sms::mark_unknown(&mut tx, now - MINUTE).await?;
    sms::forget_over(&mut tx, now - MESSAGES_KEPT, now - 2 * DAY).await?;
    tx.commit().await?;
    end_registers(app).await?;
    erase_unneeded(app).await?;
    erasures::forget_over(app).await?;
    prune_audit(app).await
}

/// Registers whose last day is over, and those that nobody opened for 180 days.
pub(crate) async fn end_registers(app: &App) -> Result<()> {
    let today = app.today().to_string();
    let unread = app.now() - app.config.limits.unread_days * DAY;
    loop {
        let mut tx = app.store.read().await?;
        let ended = registers::ended(&mut tx, &today, unread, BATCH).await?;
        drop(tx);
        if ended.is_empty() {
            return Ok(());
        }
        for (id, last_day_is_over) in ended {
            let cause = if last_day_is_over == 1 {
                Cause::Ended
            } else {
                Cause::Unread
            };
            delete_register::erase_register(app, super::id_of(&id)?, cause).await?;
        }
    }
}

/// Persons whom no session needs any more, nor anything else.
async fn erase_unneeded(app: &App) -> Result<()> {
    loop {
        let mut tx = app.store.write().await?;
        let some = persons::unneeded(&mut tx, BATCH).await?;
        if some.is_empty() {
            return Ok(());
        }
        for (id,) in some {
            persons::erase_unneeded(&mut tx, &id, app.now()).await?;
        }
        tx.commit().await?;
    }
}
