//! Once a day what was erased is overwritten in the database's own files: a row that was deleted is
//! not read any more, but its bytes may stand there for a while.
use crate::{
    app::App,
    error::{Error, Result},
    store::jobs,
};
use jiff::Timestamp;

const NAME: &str = "overwrite-erased";

/// Overwrites what was erased, where that is due; whether it was.
///
/// # Errors
/// When the database fails; it is due again the next day.
pub async fn overwrite_erased(app: &App) -> Result<bool> {
    let now = app.now();
    let next = next_time(app)?;
    let mut tx = app.store.write().await?;
    let due = jobs::due(&mut tx, NAME, app.server.bytes(), next, now).await?;
    tx.commit().await?;
    if due {
        overwrite_now(app).await?;
    }
    Ok(due)
}

/// Overwrites what was erased.
///
/// # Errors
/// When the database fails.
pub async fn overwrite_now(app: &App) -> Result<()> {
    let most = app.config.erasure.rewrite_mib << 20;
    let left = app.store.overwrite_erased(most).await?;
    if !left.is_empty() {
        tracing::warn!(
            tables = left.join(" "),
            "vacuumed, not written anew: larger than erasure.rewrite_mib, or in use"
        );
    }
    Ok(())
}

/// The next moment of the configured time of day.
fn next_time(app: &App) -> Result<i64> {
    let bad = || Error::unexpected("a time of day");
    let time = app.config.erasure.time().map_err(|_| bad())?;
    let now = Timestamp::from_millisecond(app.now()).map_err(|_| bad())?;
    let mut day = app.today();
    loop {
        let moment = app
            .zone
            .to_timestamp(day.to_datetime(time))
            .map_err(|_| bad())?;
        if moment > now {
            return Ok(moment.as_millisecond());
        }
        day = day.tomorrow().map_err(|_| bad())?;
    }
}
