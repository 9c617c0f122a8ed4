//! FHIR's dates and times, of every precision.
use super::{Moment, resources::Period};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A point in time as exactly as the server told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// With time and offset.
    Instant(Timestamp),
    /// A day.
    Day(Date),
    /// A month or a year, from its first day to its last.
    Span(Date, Date),
}

impl When {
    /// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a time with offset; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains('T') {
            return text.parse().ok().map(Self::Instant);
        }
        let parts: Vec<&str> = text.split('-').collect();
        let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !parts.iter().all(digits) {
            return None;
        }
        let first = |text: &str| text.parse::<Date>().ok();
        match widths.as_slice() {
            [4, 2, 2] => first(text).map(Self::Day),
            [4, 2] => {
                let first = first(&format!("{text}-01"))?;
                Some(Self::Span(first, first.last_of_month()))
            }
            [4] => {
                let first = first(&format!("{text}-01-01"))?;
                Some(Self::Span(first, first.last_of_year()))
            }
            _ => None,
        }
    }

    /// The local day, where it is told that exactly.
    pub(super) fn day(self, zone: &TimeZone) -> Option<Date> {
        match self {
            Self::Instant(at) => Some(at.to_zoned_datetime(zone.clone()).date()),
            Self::Day(day) => Some(day),
            Self::Span(..) => None,
        }
    }

    /// The moment, a day's being its local beginning; `None` for less than a day.
    pub(super) fn moment(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(at),
            Self::Day(day) => Some(day.to_zoned_datetime(zone.clone()).ok()?.timestamp()),
            Self::Span(..) => None,
        }
    }

    /// The first local day that it may be.
    pub(super) fn earliest(self, zone: &TimeZone) -> Date {
        match self {
            Self::Instant(at) => at.to_zoned_datetime(zone.clone()).date(),
            Self::Day(day) | Self::Span(day, _) => day,
        }
    }

    /// The last local day that it may be.
    pub(super) fn latest(self, zone: &TimeZone) -> Date {
        match self {
            Self::Instant(at) => at.to_zoned_datetime(zone.clone()).date(),
            Self::Day(day) | Self::Span(_, day) => day,
        }
    }
}

/// Whether a period holds at the moment. What cannot be read does not: an old name or phone must
/// not pass for a present one.
pub(super) fn holds(period: Option<&Period>, moment: &Moment) -> bool {
    let Some(period) = period else { return true };
    let begun = match period.start.as_deref().map(When::parse) {
        None => true,
        Some(None) => false,
        Some(Some(When::Instant(at))) => at <= moment.now,
        Some(Some(when)) => when.earliest(&moment.zone) <= moment.today,
    };
    let going_on = match period.end.as_deref().map(When::parse) {
        None => true,
        Some(None) => false,
        Some(Some(When::Instant(at))) => at >= moment.now,
        Some(Some(when)) => when.latest(&moment.zone) >= moment.today,
    };
    begun && going_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_precision_reads_and_nothing_else() {
        let span = |a: &str, b: &str| When::Span(a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(When::parse("2022"), Some(span("2022-01-01", "2022-12-31")));
        assert_eq!(
            When::parse("2024-02"),
            Some(span("2024-02-01", "2024-02-29"))
        );
        let day = "2022-11-14".parse().unwrap();
        assert_eq!(When::parse("2022-11-14"), Some(When::Day(day)));
        let at = "2022-11-13T23:00:00Z".parse().unwrap();
        for same in ["2022-11-14T07:00:00+08:00", "2022-11-13T23:00:00.000Z"] {
            assert_eq!(When::parse(same), Some(When::Instant(at)), "{same}");
        }
        for bad in [
            "",
            "yesterday",
            "2022-13",
            "2022-02-30",
            "20221114",
            "22",
            "2022-11-14T07:00:00",
            "2022-11-14 07:00",
            "-2022",
            "2022-11-14-01",
        ] {
            assert_eq!(When::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_local_day_is_the_zones_and_not_the_offsets() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let when = When::parse("2022-11-13T23:00:00-05:00").unwrap();
        assert_eq!(when.day(&zone), Some("2022-11-14".parse().unwrap()));
        let day = When::parse("2022-11-14").unwrap();
        assert_eq!(
            day.moment(&zone),
            Some("2022-11-13T16:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn a_period_holds_from_its_start_to_its_end_included() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now: Timestamp = "2022-11-14T15:58:00Z".parse().unwrap();
        let today = now.to_zoned_datetime(zone.clone()).date();
        let moment = Moment { now, today, zone };
        let check = |start: Option<&str>, end: Option<&str>| {
            let period = Period {
                start: start.map(str::to_owned),
                end: end.map(str::to_owned),
            };
            holds(Some(&period), &moment)
        };
        assert!(holds(None, &moment));
        assert!(check(None, None));
        assert!(check(Some("2022-11-14"), Some("2022-11-14")));
        assert!(check(Some("2000"), Some("2022")));
        assert!(!check(None, Some("2022-11-13")));
        assert!(!check(None, Some("2022-11-14T23:57:59+08:00")));
        assert!(!check(Some("2022-11-15"), None));
        assert!(!check(None, Some("soon")));
        assert!(!check(Some("once"), None));
    }
}
