//! What was done on each day, for the operator: counts, nobody's name or id.
use crate::{
    app::App,
    clock,
    error::Result,
    store::audit::{self, CountRow},
};
use jiff::tz::TimeZone;
use serde::Serialize;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How often something was done on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The local day.
    pub day: String,
    /// What, as the log calls it.
    pub action: String,
    /// How often.
    pub count: i64,
}

/// Counts what was done in the last days, today included; days are those of the zone's present
/// offset.
///
/// # Errors
/// When the database fails.
pub async fn count_audit(app: &App, days: i64) -> Result<Vec<Count>> {
    let now = app.now();
    let offset = i64::from(app.zone.to_offset(clock::timestamp(now)).seconds()) * 1000;
    let since = (now + offset).div_euclid(DAY) * DAY - offset - (days - 1) * DAY;
    let mut tx = app.store.read().await?;
    let counts = audit::counts(&mut tx, offset, since).await?;
    Ok(counts.into_iter().map(count).collect())
}

fn count(row: CountRow) -> Count {
    Count {
        day: clock::date(row.day * DAY, &TimeZone::UTC).to_string(),
        action: row.action,
        count: row.amount,
    }
}
