//! Doses of a vaccine and what they amount to.
use super::{Moment, resources::ImmunizationResource, time::When};
use crate::model::{
    catalogue::{Item, Vaccine},
    health::{ItemRecord, Progress},
};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// When a dose was given: what two resources of one dose have in common, besides the vaccine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    /// The last day that it may have been.
    latest: Date,
    /// The first day that it may have been; the same where the day is known.
    earliest: Date,
}

/// What the doses of an item's vaccines amount to; `None` without any.
///
/// Only completed, potent doses count; several resources of one local day and code are one dose.
/// The series is the first vaccine's: two doses of a vaccine of two complete it whatever the second
/// was of, and a third is a booster. Doses without a day that can be believed (none, unreadable,
/// ahead of today) make the state unknown if they would change it.
pub(super) fn read(
    item: &Item,
    resources: &[ImmunizationResource],
    moment: &Moment,
) -> Option<ItemRecord> {
    // By day and vaccine: a duplicate falls together with its dose.
    let mut doses: BTreeMap<(Given, (&str, &str)), &Vaccine> = BTreeMap::new();
    let mut unbelieved: Vec<&Vaccine> = Vec::new();
    for resource in resources {
        if resource.status.as_deref() != Some("completed") || resource.is_subpotent == Some(true) {
            continue;
        }
        let Some(vaccine) = vaccine_of(item, resource) else {
            continue;
        };
        let when = resource
            .occurrence_date_time
            .as_deref()
            .and_then(When::parse);
        match when {
            Some(when) if when.earliest(&moment.zone) <= moment.today => {
                let given = Given {
                    latest: when.latest(&moment.zone),
                    earliest: when.earliest(&moment.zone),
                };
                doses.insert((given, (&vaccine.system, &vaccine.code)), vaccine);
            }
            _ => unbelieved.push(vaccine),
        }
    }
    if doses.is_empty() && unbelieved.is_empty() {
        return None;
    }
    let count = u16::try_from(doses.len()).unwrap_or(u16::MAX);
    let extra = u16::try_from(unbelieved.len()).unwrap_or(u16::MAX);
    let first = doses.keys().map(|(given, _)| given.earliest).min();
    let series = doses
        .iter()
        .filter(|((given, _), _)| Some(given.earliest) == first)
        .map(|(_, vaccine)| vaccine.doses)
        .chain(unbelieved.iter().map(|vaccine| vaccine.doses))
        .max()
        .unwrap_or(1);
    let believed = progress(count, series);
    let value = if extra > 0 && progress(count.saturating_add(extra), series) != believed {
        Progress::Unknown
    } else {
        believed
    };
    let last = doses.keys().map(|(given, _)| *given).max();
    Some(ItemRecord::Immunization {
        value,
        doses: (extra == 0).then_some(count),
        last_on: last
            .filter(|last| last.latest == last.earliest)
            .map(|last| last.latest),
    })
}

fn progress(doses: u16, series: u16) -> Progress {
    match doses.cmp(&series) {
        std::cmp::Ordering::Less => Progress::Incomplete,
        std::cmp::Ordering::Equal => Progress::Complete,
        std::cmp::Ordering::Greater => Progress::Booster,
    }
}

fn vaccine_of<'a>(item: &'a Item, resource: &ImmunizationResource) -> Option<&'a Vaccine> {
    let codings = &resource.vaccine_code.coding;
    item.vaccines
        .iter()
        .find(|vaccine| codings.iter().any(|c| c.is(&vaccine.system, &vaccine.code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::Catalogue;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn moment() -> Moment {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now: jiff::Timestamp = "2022-11-14T23:58:00+08:00".parse().unwrap();
        let today = now.to_zoned_datetime(zone.clone()).date();
        Moment { now, today, zone }
    }

    fn given(code: &str, status: &str, day: Option<&str>) -> ImmunizationResource {
        serde_json::from_value(json!({
            "status": status, "occurrenceDateTime": day,
            "vaccineCode": {"coding": [
                {"system": "urn:local", "code": "1"},
                {"system": "http://hl7.org/fhir/sid/cvx", "code": code}]},
        }))
        .unwrap()
    }

    fn state(doses: &[(&str, &str)]) -> (Progress, Option<u16>, Option<String>) {
        let all: Vec<_> = doses
            .iter()
            .map(|(code, day)| given(code, "completed", (!day.is_empty()).then_some(day)))
            .collect();
        let catalogue = Catalogue::embedded();
        match read(catalogue.get("vaccination").unwrap(), &all, &moment()) {
            Some(ItemRecord::Immunization {
                value,
                doses,
                last_on,
            }) => (value, doses, last_on.map(|day| day.to_string())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn doses_amount_to_the_series_of_the_first_vaccine() {
        use Progress::{Booster, Complete, Incomplete};
        let day = |n: u8| format!("2021-0{n}-01");
        let (one, two, three) = (day(1), day(2), day(3));
        let last = |day: &String| Some(day.clone());
        assert_eq!(state(&[("207", &one)]), (Incomplete, Some(1), last(&one)));
        assert_eq!(
            state(&[("208", &two), ("207", &one)]),
            (Complete, Some(2), last(&two))
        );
        assert_eq!(
            state(&[("207", &one), ("207", &three), ("207", &two)]),
            (Booster, Some(3), last(&three))
        );
        assert_eq!(state(&[("212", &one)]).0, Complete);
        assert_eq!(state(&[("212", &one), ("207", &two)]).0, Booster);
        assert_eq!(state(&[("207", &one), ("212", &two)]).0, Complete);
    }

    #[test]
    fn one_day_and_code_is_one_dose_by_the_local_day() {
        let doses = [
            ("207", "2021-01-01T16:30:00Z"),
            ("207", "2021-01-02T09:00:00+08:00"),
            ("207", "2021-01-02"),
        ];
        let last = Some("2021-01-02".to_owned());
        assert_eq!(state(&doses), (Progress::Incomplete, Some(1), last));
    }

    #[test]
    fn what_was_not_done_is_no_dose_and_no_other_system_counts() {
        let catalogue = Catalogue::embedded();
        let item = catalogue.get("vaccination").unwrap();
        let mut foreign = given("207", "completed", Some("2021-01-01"));
        foreign.vaccine_code.coding[1].system = Some("urn:other".to_owned());
        let mut weak = given("207", "completed", Some("2021-01-01"));
        weak.is_subpotent = Some(true);
        let all = [
            given("207", "not-done", Some("2021-01-01")),
            given("207", "entered-in-error", Some("2021-01-01")),
            given("140", "completed", Some("2021-01-01")),
            foreign,
            weak,
        ];
        assert_eq!(read(item, &all, &moment()), None);
    }

    #[test]
    fn days_that_cannot_be_believed_make_unknown_what_they_would_change() {
        use Progress::{Booster, Unknown};
        let ahead = "2022-11-15";
        assert_eq!(state(&[("207", "2021-01-01"), ("207", ahead)]).0, Unknown);
        assert_eq!(state(&[("207", "2021-01-01"), ("207", "")]).0, Unknown);
        assert_eq!(
            state(&[("207", "soon")]),
            (Progress::Incomplete, None, None)
        );
        let boosted = ["2021-01-01", "2021-02-01", "2021-03-01", ahead].map(|day| ("207", day));
        assert_eq!(state(&boosted).0, Booster);
    }

    #[test]
    fn a_month_is_a_dose_without_a_last_day() {
        let doses = [("207", "2021-01-01"), ("207", "2021-02")];
        assert_eq!(state(&doses), (Progress::Complete, Some(2), None));
    }
}
