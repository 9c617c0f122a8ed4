//! The FHIR source against a real server that holds tests/fixtures/fhir, an independent reckoning
//! of what it must say, and the embedded source with the same people.
use crate::support::{Store, catalogue, file, people::*, rules, shanghai, variable};
use serde_json::Value;
use std::{collections::BTreeMap, fs};
use tuantibu::{
    model::{
        health::{ItemRecord, ItemState, Items, TestResult},
        phone::Regions,
        requirement::{Rule, days_shown, judge, overall},
    },
    source::{
        Answer, Ask, HealthSource,
        fhir::{FhirConfig, FhirSource},
        import::{Format, Options, import},
    },
};

const ITEMS: [&str; 5] = [
    "health_code",
    "nucleic_acid",
    "vaccination",
    "influenza_vaccine",
    "health_certificate",
];
const MOMENTS: [&str; 3] = [
    "2022-11-14T23:58:00+08:00",
    "2022-11-15T00:01:00+08:00",
    "2022-11-15T06:30:00+08:00",
];

/// The source at a moment, its configuration changed.
fn source(moment: &str, change: impl FnOnce(&mut FhirConfig)) -> FhirSource {
    let url = variable("TUANTIBU_TEST_FHIR");
    let mut config = FhirConfig::new(&url, shanghai(), Regions::default()).unwrap();
    change(&mut config);
    let now = moment.parse().unwrap();
    FhirSource::new(config, catalogue(), std::sync::Arc::new(move || now)).unwrap()
}

struct Patient {
    number: String,
    phone: String,
    family: String,
    given: String,
    maiden: Option<String>,
}

fn patients() -> Vec<Patient> {
    let text = fs::read_to_string(file("fixtures/fhir/Patient.ndjson")).unwrap();
    let read = |line: &str| {
        let patient: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let family = |usage: &str| {
            let mut names = patient["name"].as_array().unwrap().iter();
            names
                .find(|name| name["use"] == usage)
                .map(|name| text(&name["family"]))
        };
        Patient {
            number: text(&patient["identifier"][0]["value"]),
            phone: text(&patient["telecom"][0]["value"]),
            family: family("official").unwrap(),
            given: text(&patient["name"][0]["given"][0]),
            maiden: family("maiden"),
        }
    };
    let patients: Vec<_> = text.lines().map(read).collect();
    assert_eq!(patients.len(), 40);
    patients
}

fn asks(patients: &[Patient]) -> Vec<Ask> {
    patients
        .iter()
        .map(|p| ask(&format!("{} {}", p.given, p.family), &p.number, &ITEMS))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the reckoning is independent by being another program in another language"
)]
fn python(script: &str, arguments: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new(variable("TUANTIBU_TEST_PYTHON"))
        .arg(file(script))
        .arg(file("fixtures/fhir"))
        .args(arguments)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    output.stdout
}

#[tokio::test]
async fn every_patient_matches_by_name_document_and_phone_and_by_no_former_name() {
    let patients = patients();
    let source = source(MOMENTS[0], |_| {});
    let mut maidens = 0;
    for (at, patient) in patients.iter().enumerate() {
        let Patient {
            number,
            phone,
            family,
            given,
            maiden,
        } = patient;
        let matches = async |name: String, phone: &str| {
            let who = identity(&name, number, phone);
            source.matches(&who).await.unwrap()
        };
        assert!(matches(format!("{given} {family}"), phone).await, "{at}");
        assert!(matches(format!("{family} {given}"), phone).await, "{at}");
        let other = &patients[(at + 1) % patients.len()];
        assert!(
            !matches(format!("{given} {family}"), &other.phone).await,
            "{at}"
        );
        assert!(
            !matches(format!("{} {}", other.given, other.family), phone).await,
            "{at}"
        );
        if let Some(maiden) = maiden {
            maidens += 1;
            assert!(!matches(format!("{given} {maiden}"), phone).await, "{at}");
            assert!(!matches(format!("{maiden} {given}"), phone).await, "{at}");
        }
    }
    assert!(maidens > 10, "the fixtures have former names");
}

/// What the list would show of one person, in the reckoning's own words.
fn shown(items: &Items, moment: &str) -> Value {
    let zone = shanghai();
    let now: jiff::Timestamp = moment.parse().unwrap();
    let today = now.to_zoned_datetime(zone.clone()).date();
    let immunization = |item: &str| match &items[item] {
        None => Value::Null,
        Some(ItemRecord::Immunization {
            value,
            doses,
            last_on,
        }) => serde_json::json!({"value": value, "doses": doses, "last_on": last_on}),
        other => panic!("{other:?}"),
    };
    let test = items["nucleic_acid"].as_ref();
    let nucleic_acid = match test {
        None => Value::Null,
        Some(
            record @ ItemRecord::Test {
                result,
                sampled_at,
                reported_at,
            },
        ) => serde_json::json!({
            "result": result, "sampled_at": sampled_at, "reported_at": reported_at,
            "days": days_shown(record, today, &zone),
        }),
        other => panic!("{other:?}"),
    };
    let state = test.map_or(ItemState::None, |_| ItemState::Ok);
    let (verdict, tomorrow) = overall([judge(&Rule::MaxDays(3), state, test, today, &zone)]);
    serde_json::json!({
        "vaccination": immunization("vaccination"),
        "influenza_vaccine": immunization("influenza_vaccine"),
        "nucleic_acid": nucleic_acid,
        "verdict": verdict,
        "expires_tomorrow": tomorrow,
    })
}

#[tokio::test]
async fn doses_tests_days_and_verdicts_are_those_of_the_independent_reckoning() {
    let patients = patients();
    let asks = asks(&patients);
    let mut verdicts = BTreeMap::new();
    for moment in MOMENTS {
        let expected: BTreeMap<String, Value> =
            serde_json::from_slice(&python("oracle/expected.py", &[moment])).unwrap();
        assert_eq!(expected.len(), 40);
        // The server's own pages of 20, large pages, and searches by POST say the same.
        for (page_size, post_search) in [(None, false), (Some(200), false), (Some(7), true)] {
            let source = source(moment, |config| {
                config.page_size = page_size;
                config.post_search = post_search;
            });
            let answers = source.read(&asks).await.unwrap();
            for (patient, answer) in patients.iter().zip(answers) {
                let Answer::Found { phones, items } = answer else {
                    panic!("{answer:?}");
                };
                assert!(phones.len() == 1 && phones[0].e164().ends_with(&patient.phone));
                assert_eq!(items.len(), ITEMS.len());
                assert_eq!(items["health_code"], None);
                assert_eq!(items["health_certificate"], None);
                let shown = shown(&items, moment);
                assert_eq!(
                    shown, expected[&patient.number],
                    "{moment} {}",
                    patient.number
                );
                let key = (moment, shown["verdict"].to_string());
                *verdicts.entry(key).or_insert(0) += 1;
            }
        }
    }
    // The moments differ, or the comparison would prove little.
    assert_eq!(verdicts.len(), 6, "{verdicts:?}");
    let meets = |moment| verdicts[&(moment, "\"meets\"".to_owned())];
    assert!(meets(MOMENTS[0]) > meets(MOMENTS[1]), "{verdicts:?}");
    assert_eq!(meets(MOMENTS[1]), meets(MOMENTS[2]));
}

#[tokio::test]
async fn the_same_people_imported_give_the_same_answers() {
    let patients = patients();
    let store = Store::new().await;
    let records = python("oracle/to_records.py", &[]);
    let options = Options {
        format: Format::Ndjson,
        strict: true,
        rules: rules(),
    };
    let report = import(
        &store.source,
        std::io::Cursor::new(records),
        &options,
        |_| {},
    )
    .await
    .unwrap();
    assert_eq!(
        (report.failed, report.imported),
        (0, 110),
        "{:?}",
        report.errors
    );
    assert_eq!(store.source.count().await.unwrap(), 40);
    let asks = asks(&patients);
    let here = store.source.read(&asks).await.unwrap();
    let there = source(MOMENTS[0], |_| {}).read(&asks).await.unwrap();
    for (at, (here, there)) in here.iter().zip(&there).enumerate() {
        assert_eq!(here, there, "{at}");
    }
    for patient in &patients {
        let name = format!("{} {}", patient.given, patient.family);
        let who = identity(&name, &patient.number, &patient.phone);
        assert!(store.source.matches(&who).await.unwrap());
        if let Some(maiden) = &patient.maiden {
            let name = format!("{} {maiden}", patient.given);
            let who = identity(&name, &patient.number, &patient.phone);
            assert!(!store.source.matches(&who).await.unwrap());
        }
    }
}

#[tokio::test]
async fn never_tested_is_no_record_and_positive_shows_no_days() {
    let patients = patients();
    let answers = source(MOMENTS[0], |_| {})
        .read(&asks(&patients))
        .await
        .unwrap();
    let (mut never, mut positive) = (0, 0);
    for answer in &answers {
        let Answer::Found { items, .. } = answer else {
            panic!("{answer:?}");
        };
        match &items["nucleic_acid"] {
            None => never += 1,
            Some(ItemRecord::Test {
                result: TestResult::Positive,
                ..
            }) => positive += 1,
            Some(_) => {}
        }
    }
    assert_eq!((never, positive), (5, 5));
}

#[tokio::test]
async fn who_is_not_there_or_has_another_name_is_not_matched() {
    let patients = patients();
    let number = &patients[0].number;
    let batch = [
        ask("Nobody Atall", &resident(3), &ITEMS),
        ask("Nobody Atall", number, &ITEMS),
    ];
    let answers = source(MOMENTS[0], |_| {}).read(&batch).await.unwrap();
    assert_eq!(answers, [Answer::NotMatched, Answer::NotMatched]);
}
