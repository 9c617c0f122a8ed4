//! Limits, counted in the database so that they hold across servers and restarts (SECURITY.md §3).
use crate::{
    app::App,
    clock,
    error::{Error, Result},
    store::{Tx, limits},
};

/// A limit of this height is none: it is not even counted, so that a load test can lift it.
const UNLIMITED: i64 = 1_000_000_000;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The stretch of time that a limit counts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// One minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
    /// Until local midnight.
    Day,
}

/// Something that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit<'a> {
    /// What, as `mismatch-document`.
    pub kind: &'static str,
    /// Of whom: the bytes that name the document, phone, address or person.
    pub of: &'a [&'a [u8]],
    /// Over how long.
    pub window: Window,
    /// How many are allowed.
    pub most: i64,
}

/// Whether a limit of this height is counted at all.
pub(crate) fn counts(most: i64) -> bool {
    most < UNLIMITED
}

impl Limit<'_> {
    /// Whether it is counted at all.
    pub(crate) fn counts(&self) -> bool {
        counts(self.most)
    }
}

impl Window {
    /// The present bucket and when it ends.
    fn bucket(self, app: &App) -> (i64, i64) {
        let now = app.now();
        let fixed = |length: i64| {
            (
                now.div_euclid(length),
                (now.div_euclid(length) + 1) * length,
            )
        };
        match self {
            Self::Minute => fixed(MINUTE),
            Self::FiveMinutes => fixed(5 * MINUTE),
            Self::Hour => fixed(HOUR),
            Self::Day => {
                let end = clock::next_midnight(now, &app.zone);
                (end, end)
            }
        }
    }
}

/// Counts one more; how many are left after it.
///
/// # Errors
/// [`Error::TooManyAttempts`] where none was left. The transaction is to be dropped then, so that
/// what is refused does not count.
pub(crate) async fn take(app: &App, tx: &mut Tx, limit: Limit<'_>) -> Result<i64> {
    if !limit.counts() {
        return Ok(limit.most);
    }
    let (bucket, end) = limit.window.bucket(app);
    let amount = limits::take(tx, &app.keys.counter_key(limit.kind, limit.of), bucket, end).await?;
    if amount > limit.most {
        return Err(refusal(app, limit.window, end));
    }
    Ok(limit.most - amount)
}

/// Takes back one that turned out not to count.
pub(crate) async fn give_back(app: &App, tx: &mut Tx, limit: Limit<'_>) -> Result<()> {
    if !limit.counts() {
        return Ok(());
    }
    let (bucket, _) = limit.window.bucket(app);
    limits::give_back(tx, &app.keys.counter_key(limit.kind, limit.of), bucket).await?;
    Ok(())
}

fn refusal(app: &App, window: Window, end: i64) -> Error {
    let retry_after = (end - app.now() + 999) / 1000;
    Error::TooManyAttempts {
        retry_after: retry_after.max(1),
        today: window == Window::Day,
    }
}

/// Counts one more in a transaction of its own.
///
/// # Errors
/// [`Error::TooManyAttempts`] where none was left.
pub(crate) async fn take_alone(app: &App, limit: Limit<'_>) -> Result<()> {
    if !limit.counts() {
        return Ok(());
    }
    let mut tx = app.store.write().await?;
    take(app, &mut tx, limit).await?;
    tx.commit().await?;
    Ok(())
}
