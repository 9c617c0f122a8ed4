//! The whole journey over a FHIR server that none of us wrote: every patient joins, and the list
//! equals what an independent script reckons from the same files, at three moments.
use crate::{
    app::{On, Person, TestApp, confirm_path},
    services,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, process::Command};
use tuantibu::{actions::refresh_health::refresh_health, config::SourceKind};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fhir");

/// What the script reckons: by resident number.
#[expect(
    clippy::disallowed_methods,
    reason = "the script is the independent opinion"
)]
fn expected(moment: &str) -> BTreeMap<String, Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/expected.py");
    let output = Command::new(services::python())
        .args([script, FIXTURES, moment])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The patients of the files, as people who join.
fn patients() -> Vec<Person> {
    let text = std::fs::read_to_string(format!("{FIXTURES}/Patient.ndjson")).unwrap();
    text.lines()
        .map(|line| {
            let patient: Value = serde_json::from_str(line).unwrap();
            let names = patient["name"].as_array().unwrap();
            let name = names.iter().find(|name| name["use"] == "official").unwrap();
            Person {
                name: format!(
                    "{} {}",
                    name["given"][0].as_str().unwrap(),
                    name["family"].as_str().unwrap()
                ),
                document: patient["identifier"][0]["value"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                phones: vec![patient["telecom"][0]["value"].as_str().unwrap().to_owned()],
            }
        })
        .collect()
}

async fn journey(on: On) {
    let url = services::fhir_url();
    let app = TestApp::start_with(on, |config| {
        config.source.kind = SourceKind::Fhir;
        config.source.url = url;
    })
    .await;
    app.at("2022-11-14T12:00:00+08:00");
    let people = patients();
    assert_eq!(people.len(), 40);
    let session = app.sign_in(&people[0]).await;
    let register = app
        .register_with(&session, |terms| {
            terms["items"] = json!([
                { "item": "nucleic_acid", "required": true },
                { "item": "vaccination", "required": true },
                { "item": "influenza_vaccine", "required": true },
            ]);
            terms["requirements"] = json!([{ "item": "nucleic_acid", "max_days": 3 }]);
            terms["departments"] = json!([]);
        })
        .await;
    for (n, person) in people.iter().enumerate() {
        app.clock.advance(61);
        let client = app.client().behind(&format!("192.0.2.{}", n + 1));
        let mut body = crate::app::join_body(person);
        body["consent"]["items"] = json!(["nucleic_acid", "vaccination", "influenza_vaccine"]);
        let path = format!("/api/v1/join/{}", register.code);
        let started = client.post(&path, body).await;
        let started = started.expect(202);
        let code = json!({ "code": app.code(person.phone()) });
        client.post(&confirm_path(&started), code).await.expect(200);
    }
    for moment in [
        "2022-11-14T23:58:00+08:00",
        "2022-11-15T00:01:00+08:00",
        "2022-11-15T06:30:00+08:00",
    ] {
        app.at(moment);
        let run = refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        assert_eq!(
            run.updated + run.unchanged + run.failed + run.unmatched,
            people.len() as i64
        );
        assert_eq!((run.failed, run.unmatched), (0, 0));
        let session = app.sign_in(&people[0]).await;
        let page = session
            .get(&register.path("/members?limit=200"))
            .await
            .expect(200);
        let rows = page["members"].as_array().unwrap();
        assert_eq!(rows.len(), people.len());
        let expected = expected(moment);
        for person in &people {
            let row = rows
                .iter()
                .find(|row| row["name"] == person.name.as_str())
                .unwrap();
            compare(
                row,
                &expected[&person.document],
                &format!("{} at {moment}", person.name),
            );
        }
    }
}

/// The row against the script's reckoning.
fn compare(row: &Value, expected: &Value, whose: &str) {
    let items = &row["items"];
    match &expected["nucleic_acid"] {
        Value::Null => {
            assert_eq!(items["nucleic_acid"]["state"], "none", "{whose}");
            assert_eq!(items["nucleic_acid"]["days"], Value::Null, "{whose}");
        }
        test => {
            for field in ["result", "days"] {
                assert_eq!(
                    items["nucleic_acid"][field], test[field],
                    "{whose}: {field}"
                );
            }
            let sampled = |value: &Value| {
                value
                    .as_str()
                    .map(|text| text.parse::<jiff::Timestamp>().unwrap())
            };
            assert_eq!(
                sampled(&items["nucleic_acid"]["sampled_at"]),
                sampled(&test["sampled_at"]),
                "{whose}"
            );
        }
    }
    for item in ["vaccination", "influenza_vaccine"] {
        match &expected[item] {
            Value::Null => assert_eq!(items[item]["state"], "none", "{whose}: {item}"),
            doses => {
                for field in ["value", "doses", "last_on"] {
                    assert_eq!(items[item][field], doses[field], "{whose}: {item}.{field}");
                }
            }
        }
    }
    assert_eq!(row["verdict"], expected["verdict"], "{whose}");
    assert_eq!(
        row["expires_tomorrow"], expected["expires_tomorrow"],
        "{whose}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_patient_joins_and_the_list_is_what_the_script_reckons_on_sqlite() {
    journey(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_patient_joins_and_the_list_is_what_the_script_reckons_on_postgres() {
    journey(On::Postgres).await;
}
