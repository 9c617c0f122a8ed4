//! The newest test among observations.
use super::{
    Moment,
    resources::{CodeableConcept, ObservationResource},
    time::When,
};
use crate::model::{
    catalogue::Item,
    health::{ItemRecord, TestResult},
};
use crate::source::record::newest;
use jiff::civil::Date;
use std::cmp::Ordering;

/// `interpretation`'s code system.
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

/// One test, and the local day of its sampling where no time of day is known.
struct Test {
    record: ItemRecord,
    only_day: Option<Date>,
}

/// The newest test of an item by sampling time; `None` without any.
///
/// Of tests on one local day, one of which has no time of day, the worse result counts.
pub(super) fn read(
    item: &Item,
    resources: &[ObservationResource],
    moment: &Moment,
) -> Option<ItemRecord> {
    let tests: Vec<Test> = resources
        .iter()
        .filter(|resource| counts(item, resource))
        .map(|resource| test(item, resource, moment))
        .collect();
    let newest_test = tests
        .iter()
        .map(|test| test.record.clone())
        .reduce(newest)?;
    let day = newest_test.counted_from(&moment.zone);
    let same_day = tests
        .into_iter()
        .filter(|test| test.only_day.is_some() && test.only_day == day)
        .map(|test| test.record);
    Some(same_day.fold(newest_test, |counted, test| {
        match result_of(&test).cmp(&result_of(&counted)) {
            Ordering::Greater => test,
            // Of one result, the same whatever the order they came in.
            Ordering::Equal => newest(counted, test),
            Ordering::Less => counted,
        }
    }))
}

fn result_of(record: &ItemRecord) -> Option<TestResult> {
    match record {
        ItemRecord::Test { result, .. } => Some(*result),
        _ => None,
    }
}

fn counts(item: &Item, resource: &ObservationResource) -> bool {
    let codings = &resource.code.coding;
    matches!(
        resource.status.as_deref(),
        Some("final" | "amended" | "corrected")
    ) && item
        .tests
        .iter()
        .any(|test| codings.iter().any(|c| c.is(&test.system, &test.code)))
}

fn test(item: &Item, resource: &ObservationResource, moment: &Moment) -> Test {
    let effective = effective(resource);
    let told = effective.map(When::parse);
    let sampled = told.flatten();
    let sampled_at = sampled.and_then(|when| when.moment(&moment.zone));
    let issued = resource.issued.as_deref().and_then(When::parse);
    let mut reported_at = issued.and_then(|when| when.moment(&moment.zone));
    let mut result = result(item, resource);
    let day = sampled.and_then(|when| when.day(&moment.zone));
    let report_day = issued.map(|when| when.latest(&moment.zone));
    // A time that is there and cannot be read, lies ahead, or lies behind its own report is not
    // believed, and then neither is a good result. A bad one stays bad.
    let unreadable = told == Some(None);
    let ahead = day.or(report_day).is_some_and(|day| day > moment.today);
    let after_report = matches!((day, report_day), (Some(day), Some(report)) if day > report);
    if (unreadable || ahead || after_report) && result == TestResult::Negative {
        result = TestResult::Unknown;
    }
    if sampled_at > reported_at {
        reported_at = None;
    }
    Test {
        record: ItemRecord::Test {
            result,
            sampled_at,
            reported_at,
        },
        only_day: match sampled {
            Some(When::Day(day)) => Some(day),
            _ => None,
        },
    }
}

/// `effective[x]`: of a period its start, else its end.
fn effective(resource: &ObservationResource) -> Option<&str> {
    let period = resource.effective_period.as_ref();
    resource
        .effective_date_time
        .as_deref()
        .or(resource.effective_instant.as_deref())
        .or_else(|| period.and_then(|p| p.start.as_deref().or(p.end.as_deref())))
}

/// The value by the catalogue's codes; where it says nothing, the interpretation; else unknown.
/// Where two codes, or value and interpretation, disagree, the result is never negative.
fn result(item: &Item, resource: &ObservationResource) -> TestResult {
    let value = resource.value_codeable_concept.as_ref();
    let by_value = value.and_then(|value| {
        let known = value.coding.iter().filter_map(|coding| {
            let mut results = item.results.iter();
            results.find(|known| coding.is(&known.system, &known.code))
        });
        known.map(|known| known.result).max()
    });
    let by_interpretation = resource.interpretation.iter().filter_map(interpreted).max();
    match (by_value, by_interpretation) {
        (Some(TestResult::Negative), Some(TestResult::Positive)) => TestResult::Unknown,
        (Some(result), _) | (None, Some(result)) => result,
        (None, None) => TestResult::Unknown,
    }
}

fn interpreted(concept: &CodeableConcept) -> Option<TestResult> {
    let of = |code, result| {
        let mut codings = concept.coding.iter();
        codings
            .any(|c| c.is(INTERPRETATION, code))
            .then_some(result)
    };
    of("POS", TestResult::Positive).or_else(|| of("NEG", TestResult::Negative))
}

#[cfg(test)]
mod tests;
