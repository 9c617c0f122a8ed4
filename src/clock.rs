//! The time, handed in so that tests can move it.
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Now, in milliseconds since the Unix epoch, as the database keeps times.
    fn millis(&self) -> i64 {
        self.now().as_millisecond()
    }
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_millisecond()))
    }

    /// Shows another time.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_millisecond(), Ordering::SeqCst);
    }

    /// Moves on by seconds; back, when negative.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A stored time as a timestamp; beyond what a timestamp holds, the nearest that it does.
#[must_use]
pub fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// A stored time as RFC 3339 with the zone's offset, to the second.
#[must_use]
pub fn rfc3339(millis: i64, zone: &TimeZone) -> String {
    // Whole seconds, towards the past, as a clock shows them.
    let at = timestamp(millis.saturating_sub(millis.rem_euclid(1000)));
    at.display_with_offset(zone.to_offset(at)).to_string()
}

/// The local date of a stored time.
#[must_use]
pub fn date(millis: i64, zone: &TimeZone) -> Date {
    timestamp(millis).to_zoned_datetime(zone.clone()).date()
}

/// When the local day after that of `millis` begins, in milliseconds.
#[must_use]
pub fn next_midnight(millis: i64, zone: &TimeZone) -> i64 {
    let tomorrow = date(millis, zone).tomorrow().unwrap_or(Date::MAX);
    zone.to_timestamp(tomorrow.into())
        .map_or(i64::MAX, |at| at.as_millisecond())
}
