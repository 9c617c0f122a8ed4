//! The FHIR source against servers that are hostile, broken or merely odd.
mod records;
mod tricks;

use crate::support::{
    catalogue,
    fake_fhir::{Asked, FakeFhir, Reply, Sentinel, bundle},
    people::*,
    shanghai,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tuantibu::{
    model::{
        health::{ItemRecord, TestResult},
        phone::Regions,
    },
    source::{
        Answer, HealthSource, SourceError,
        fhir::{FhirConfig, FhirSource, RESIDENT_ID_SYSTEM},
    },
};

pub(super) const ITEMS: [&str; 2] = ["nucleic_acid", "vaccination"];

pub(super) fn source_at(base: &str, change: impl FnOnce(&mut FhirConfig)) -> FhirSource {
    let mut config = FhirConfig::new(base, shanghai(), Regions::default()).unwrap();
    config.timeout = Duration::from_millis(500);
    change(&mut config);
    let now = "2022-11-14T23:58:00+08:00".parse().unwrap();
    FhirSource::new(config, catalogue(), Arc::new(move || now)).unwrap()
}

pub(super) fn source(server: &FakeFhir) -> FhirSource {
    source_at(&server.base, |_| {})
}

pub(super) fn patient(n: u32) -> Value {
    json!({
        "resourceType": "Patient", "id": format!("p{n}"),
        "identifier": [{"system": RESIDENT_ID_SYSTEM, "value": resident(n)}],
        "name": [{"family": "王", "given": [format!("小{}", name(n))]}],
        "telecom": [{"system": "phone", "value": phone(n)}],
    })
}

pub(super) fn called(n: u32) -> String {
    format!("王小{}", name(n))
}

pub(super) fn observation(n: u32, result: &str, at: &str) -> Value {
    let code = if result == "positive" {
        "260373001"
    } else {
        "260415000"
    };
    json!({
        "resourceType": "Observation", "id": format!("o{n}{at}"), "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94500-6"}]},
        "subject": {"reference": format!("Patient/p{n}")}, "effectiveDateTime": at,
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
    })
}

/// A server of one patient and, for each type, a reply.
pub(super) async fn of_one(
    reply: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> FakeFhir {
    FakeFhir::start(move |asked| {
        if let Some(reply) = reply(asked) {
            return reply;
        }
        match &*asked.path {
            "/Patient" => Reply::Json(bundle(&[patient(0)], None)),
            _ => Reply::Json(bundle(&[], None)),
        }
    })
    .await
}

/// A server of one patient with these observations.
pub(super) async fn of_tests(tests: Vec<Value>) -> FakeFhir {
    of_one(move |asked| (asked.path == "/Observation").then(|| Reply::Json(bundle(&tests, None))))
        .await
}

pub(super) async fn read(server: &FakeFhir) -> Result<Answer, SourceError> {
    let batch = [ask(&called(0), &resident(0), &ITEMS)];
    let answers = source(server).read(&batch).await;
    answers.map(|mut answers| answers.remove(0))
}

pub(super) async fn newest(server: &FakeFhir) -> Option<ItemRecord> {
    match read(server).await {
        Ok(Answer::Found { mut items, .. }) => items.remove("nucleic_acid").unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn result(tests: Vec<Value>) -> Option<TestResult> {
    match newest(&of_tests(tests).await).await {
        Some(ItemRecord::Test { result, .. }) => Some(result),
        None => None,
        other => panic!("{other:?}"),
    }
}

pub(super) fn is_garbage(answer: &Result<Answer, SourceError>) -> bool {
    matches!(answer, Err(SourceError::Garbage(_)))
}
