use super::*;
use crate::model::catalogue::Catalogue;
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use serde_json::{Value, json};

fn moment() -> Moment {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let now: Timestamp = "2022-11-14T23:58:00+08:00".parse().unwrap();
    let today = now.to_zoned_datetime(zone.clone()).date();
    Moment { now, today, zone }
}

const NEGATIVE: &str = "260415000";
const POSITIVE: &str = "260373001";

fn observation(code: &str, changes: Value) -> ObservationResource {
    let mut value = json!({
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94500-6"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
    });
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    serde_json::from_value(value).unwrap()
}

fn newest(all: &[ObservationResource]) -> Option<(TestResult, Option<String>, Option<String>)> {
    let catalogue = Catalogue::embedded();
    let record = read(catalogue.get("nucleic_acid").unwrap(), all, &moment())?;
    match record {
        ItemRecord::Test {
            result,
            sampled_at,
            reported_at,
        } => Some((
            result,
            sampled_at.map(|at| at.to_string()),
            reported_at.map(|at| at.to_string()),
        )),
        _ => None,
    }
}

fn result_of_one(code: &str, changes: Value) -> TestResult {
    newest(&[observation(code, changes)]).unwrap().0
}

#[test]
fn only_settled_tests_of_the_items_codes_count() {
    for status in [
        "registered",
        "preliminary",
        "cancelled",
        "entered-in-error",
        "unknown",
    ] {
        assert_eq!(
            newest(&[observation(NEGATIVE, json!({"status": status}))]),
            None,
            "{status}"
        );
    }
    for status in ["final", "amended", "corrected"] {
        assert!(newest(&[observation(NEGATIVE, json!({"status": status}))]).is_some());
    }
    for (system, code) in [("http://loinc.org", "1-8"), ("urn:x", "94500-6")] {
        let other = json!({"code": {"coding": [{"system": system, "code": code}]}});
        assert_eq!(newest(&[observation(NEGATIVE, other)]), None);
    }
}

#[test]
fn a_result_that_no_rule_maps_is_unknown_and_never_negative() {
    let interpretation =
        |code: &str| json!([{"coding": [{"system": INTERPRETATION, "code": code}]}]);
    let none = json!({"valueCodeableConcept": null});
    assert_eq!(result_of_one(NEGATIVE, json!({})), TestResult::Negative);
    assert_eq!(result_of_one(POSITIVE, json!({})), TestResult::Positive);
    assert_eq!(result_of_one("419984006", json!({})), TestResult::Unknown);
    assert_eq!(result_of_one("", none.clone()), TestResult::Unknown);
    let value = json!({"valueCodeableConcept": {"text": "negative"}});
    assert_eq!(result_of_one("", value), TestResult::Unknown);
    let other_system =
        json!({"valueCodeableConcept": {"coding": [{"system": "urn:x", "code": NEGATIVE}]}});
    assert_eq!(result_of_one("", other_system), TestResult::Unknown);
    for (code, expected) in [
        ("POS", TestResult::Positive),
        ("NEG", TestResult::Negative),
        ("IND", TestResult::Unknown),
    ] {
        let mut changes = none.clone();
        changes["interpretation"] = interpretation(code);
        assert_eq!(result_of_one("", changes), expected, "{code}");
    }
    let contradiction = json!({"interpretation": interpretation("POS")});
    assert_eq!(result_of_one(NEGATIVE, contradiction), TestResult::Unknown);
    let both = json!({"valueCodeableConcept": {"coding": [
        {"system": "http://snomed.info/sct", "code": NEGATIVE},
        {"system": "http://snomed.info/sct", "code": POSITIVE}]}});
    assert_eq!(result_of_one("", both), TestResult::Positive);
}

#[test]
fn times_are_read_as_exactly_as_they_are_told() {
    let issued = "2022-11-14T05:30:00+08:00";
    let report = Some("2022-11-13T21:30:00Z".to_owned());
    let read = |changes: Value| {
        let mut changes = changes;
        changes["issued"] = json!(issued);
        newest(&[observation(NEGATIVE, changes)]).unwrap()
    };
    let negative = TestResult::Negative;
    assert_eq!(read(json!({})), (negative, None, report.clone()));
    for partial in ["2022-11", "2022"] {
        let got = read(json!({"effectiveDateTime": partial}));
        assert_eq!(got, (negative, None, report.clone()), "{partial}");
    }
    let sampled = Some("2022-11-12T16:00:00Z".to_owned());
    for exact in [
        json!({"effectiveDateTime": "2022-11-13"}),
        json!({"effectiveDateTime": "2022-11-13T00:00:00+08:00"}),
        json!({"effectiveInstant": "2022-11-12T16:00:00Z"}),
        json!({"effectivePeriod": {"start": "2022-11-12T16:00:00Z", "end": "2022-11-13"}}),
        json!({"effectivePeriod": {"end": "2022-11-13"}}),
    ] {
        assert_eq!(
            read(exact.clone()),
            (negative, sampled.clone(), report.clone()),
            "{exact}"
        );
    }
}

#[test]
fn a_time_that_cannot_be_believed_makes_a_negative_unknown_and_leaves_a_positive() {
    for changes in [
        json!({"effectiveDateTime": "yesterday"}),
        json!({"effectiveDateTime": "2022-11-14T07:00:00"}),
        json!({"effectiveDateTime": "2022-11-15"}),
        json!({"effectiveDateTime": "2099-01-01T00:00:00Z"}),
        json!({"issued": "2022-11-15T00:00:00+08:00"}),
        json!({"effectiveDateTime": "2022-11-14", "issued": "2022-11-13T23:00:00+08:00"}),
    ] {
        let got = result_of_one(NEGATIVE, changes.clone());
        assert_eq!(got, TestResult::Unknown, "{changes}");
        assert_eq!(result_of_one(POSITIVE, changes), TestResult::Positive);
    }
}

#[test]
fn a_positive_without_a_time_of_day_is_not_hidden_by_a_negative_of_that_day() {
    let all = [
        observation(POSITIVE, json!({"effectiveDateTime": "2022-11-14"})),
        observation(
            NEGATIVE,
            json!({"effectiveDateTime": "2022-11-14T07:00:00+08:00"}),
        ),
    ];
    assert_eq!(newest(&all).unwrap().0, TestResult::Positive);
    let later = observation(
        NEGATIVE,
        json!({"effectiveDateTime": "2022-11-14T07:00:00+08:00"}),
    );
    let earlier = observation(POSITIVE, json!({"effectiveDateTime": "2022-11-13"}));
    assert_eq!(newest(&[later, earlier]).unwrap().0, TestResult::Negative);
}

proptest! {
    #[test]
    fn the_newest_counts_whatever_the_order(
        hours in prop::collection::vec((0i64..200, any::<bool>(), any::<bool>()), 1..8),
        seed in any::<usize>(),
    ) {
        let base: Timestamp = "2022-11-05T00:00:00Z".parse().unwrap();
        let all: Vec<_> = hours
            .iter()
            .map(|(hour, positive, day)| {
                let at = base + jiff::SignedDuration::from_hours(*hour);
                let text = at.to_string();
                let text = if *day { &text[..10] } else { &text };
                let code = if *positive { POSITIVE } else { NEGATIVE };
                observation(code, json!({"effectiveDateTime": text}))
            })
            .collect();
        let mut turned = all.clone();
        turned.rotate_left(seed % all.len());
        let mut back = all.clone();
        back.reverse();
        prop_assert_eq!(newest(&all), newest(&turned));
        prop_assert_eq!(newest(&all), newest(&back));
    }
}
