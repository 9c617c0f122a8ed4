//! The Health Source API as served and as checked: the real binary's `source serve` and
//! `source check`.
use crate::{
    app::{START, resident_id},
    command_line::{configuration, program, refused, run},
    support::{
        file,
        health_source::{SECRET, Simulator},
        process::first_line,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Output, Stdio},
    sync::Arc,
    time::Duration,
};
use tuantibu::{
    clock::{Clock, ManualClock},
    crypto::SharedSecret,
    source::http::client::Client,
    web::health_source::Faults,
};

/// A running `source serve`, stopped when it is dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn secret(folder: &Path, bytes: &[u8]) -> String {
    let path = folder.join("secret");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn sample() -> Value {
    json!({
        "name": "甲一",
        "document_type": "resident_id",
        "document_number": resident_id("19700101", 1),
        "phones": ["13800000001"],
        "items": {
            "health_code": { "value": "green" },
            "nucleic_acid": { "result": "negative", "sampled_at": "2022-11-14T07:00:00+08:00" },
        },
    })
}

fn serve(folder: &Path, faults: &[&str]) -> Serving {
    let config = configuration(folder, "");
    let records = folder.join("records.ndjson");
    fs::write(&records, sample().to_string()).unwrap();
    let records = records.to_str().unwrap();
    let output = run(&["source", "import", records, "--config", &config]);
    assert!(output.status.success(), "{}", said(&output));
    let secret = folder.join("secret");
    let mut arguments = vec![
        "source",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        &config,
    ];
    arguments.extend(["--secret-file", secret.to_str().unwrap()]);
    arguments.extend(faults);
    let mut child = program(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let line = first_line(&mut child);
    let url = line.strip_prefix("Health Source API: ").unwrap().to_owned();
    Serving { child, url }
}

fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).unwrap()
}

fn check(folder: &Path, url: &str) -> Output {
    let sample_file = folder.join("sample.ndjson");
    fs::write(&sample_file, sample().to_string()).unwrap();
    let secret = folder.join("secret");
    run(&[
        "source",
        "check",
        url,
        "--secret-file",
        secret.to_str().unwrap(),
        "--sample",
        sample_file.to_str().unwrap(),
    ])
}

#[test]
fn our_own_server_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), SECRET);
    let server = serve(folder.path(), &[]);
    let output = check(folder.path(), &server.url);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("kept    ").count(), 18, "{said}");
    for hidden in ["甲一", "13800000001", &resident_id("19700101", 1)] {
        assert!(!said.contains(hidden), "{hidden} is told");
    }
}

#[test]
fn each_broken_promise_ends_the_check_with_what_came_and_what_to_do() {
    for (faults, promise) in [
        (&["--clock-skew-seconds=200"][..], None),
        (&["--clock-skew-seconds=400"][..], Some("GET /about")),
        (&["--error-rate=1"][..], Some("GET /about")),
        (&["--half-rate=1"][..], Some("GET /about")),
        (&["--duplicates"][..], Some("a reading of nobody")),
        (&["--out-of-order"][..], Some("a reading of nobody")),
        (&["--missing-rate=1"][..], Some("a reading of nobody")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        secret(folder.path(), SECRET);
        let server = serve(folder.path(), faults);
        let output = check(folder.path(), &server.url);
        let said = said(&output);
        let code = if promise.is_some() { 1 } else { 0 };
        assert_eq!(output.status.code(), Some(code), "{faults:?}: {said}");
        if let Some(promise) = promise {
            assert!(
                said.contains(&format!("BROKEN  {promise}")),
                "{faults:?}: {said}"
            );
            assert!(said.contains("came: ") && said.contains("mend: "), "{said}");
        }
    }
}

#[test]
fn a_server_with_another_secret_is_told_from_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), SECRET);
    let server = serve(folder.path(), &[]);
    let other = tempfile::tempdir().unwrap();
    secret(other.path(), b"another secret, of as many bytes as need be");
    let output = check(other.path(), &server.url);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("status 401"), "{}", said(&output));
    let url = server.url.clone();
    drop(server);
    let output = check(folder.path(), &url);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no connection"), "{}", said(&output));
}

#[test]
fn a_secret_that_others_may_read_and_an_address_in_clear_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret(folder.path(), SECRET);
    let far = "http://192.0.2.1/v1";
    refused(
        &["source", "check", far, "--secret-file", &file],
        &["https"],
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let near = "http://127.0.0.1:1/v1";
    refused(
        &["source", "check", near, "--secret-file", &file],
        &["0644", "chmod"],
    );
    let config = configuration(folder.path(), "kind = \"http\"\n");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace(&format!("{}/source.db", folder.path().display()), near),
    )
    .unwrap();
    refused(&["refresh", "--config", &config], &["source.secret_file"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the example is a shell's")]
fn the_worked_example_of_the_page_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), SECRET);
    let server = serve(folder.path(), &[]);
    let page = fs::read_to_string(file("../docs/HEALTH-SOURCE-API.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let output = std::process::Command::new("sh")
        .args(["-eu", "-c", example])
        .env("ORIGIN", server.url.trim_end_matches("/v1"))
        .env("SECRET", std::str::from_utf8(SECRET).unwrap())
        .output()
        .unwrap();
    let said = said(&output);
    let answers: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}")))
        .collect();
    assert_eq!(answers.len(), 4, "{said}");
    assert_eq!(answers[0]["api"], "health-source");
    assert_eq!(answers[1], json!({ "outcome": "matched" }));
    let read = &answers[2]["answers"][0];
    assert_eq!(read["outcome"], "found");
    assert_eq!(
        read["record"]["items"]["nucleic_acid"]["result"],
        "negative"
    );
    assert_eq!(read["record"]["items"].as_object().unwrap().len(), 1);
    assert_eq!(answers[3]["more"], false);
}

#[tokio::test]
async fn the_document_names_every_question_and_every_refusal_has_a_stable_code() {
    let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
    let simulator = Simulator::start(&clock, Faults::default()).await;
    let origin = format!("http://{}", simulator.address);
    let document: Value = reqwest::get(format!("{origin}/v1/openapi.json"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/v1/about", "/v1/changes", "/v1/match", "/v1/read"]);
    let secret = SharedSecret::new(SECRET).unwrap();
    let client = Client::new(
        &simulator.url(),
        "tests",
        secret,
        Duration::from_secs(5),
        Arc::new(move || clock.now()),
    )
    .unwrap();
    let person = |number: &str, items: Value| json!({ "document_type": "resident_id", "document_number": number, "name": "甲一", "items": items });
    let one = resident_id("19700101", 1);
    let of = |people: Vec<Value>| json!({ "people": people }).to_string();
    let many = (0..1001).map(|n| person(&resident_id("19700102", n % 1000), json!([])));
    let big = format!("{{\"people\": \"{}\"}}", "a".repeat(2 * 1024 * 1024));
    for (path, body, status, code, place) in [
        ("read", "[]".to_owned(), 400, "bad_json", "."),
        ("read", "{} {}".to_owned(), 400, "bad_json", "."),
        (
            "read",
            of(vec![person("17", json!([]))]),
            400,
            "bad_field",
            "people[0].document_number",
        ),
        (
            "read",
            of(vec![person(&one, json!(["mood"]))]),
            400,
            "unknown_item",
            "people[0].items",
        ),
        (
            "read",
            of(vec![person(&one, json!([])), person(&one, json!([]))]),
            400,
            "twice",
            "people[1]",
        ),
        (
            "read",
            of(vec![person(&one, json!(17))]),
            400,
            "bad_json",
            "people[0].items",
        ),
        ("read", of(many.collect()), 413, "too_many", ""),
        ("read", big, 413, "too_large", ""),
        ("match", "{\"name\": 1}".to_owned(), 400, "bad_json", "name"),
        ("nothing", String::new(), 404, "not_found", ""),
    ] {
        let body = body.into_bytes();
        let response = client.ask(Method::POST, path, None, body).await.unwrap();
        assert_eq!(response.status(), status, "{path} {code}");
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(kind, "application/problem+json");
        let refusal: Value = response.json().await.unwrap();
        assert_eq!(refusal["code"], code, "{refusal}");
        assert!(
            refusal["title"].as_str().unwrap().contains(place),
            "{refusal}"
        );
        assert!(!refusal.to_string().contains(&one), "{refusal}");
    }
    for query in [
        ("since", "x"),
        ("since", "00.1"),
        ("until", "1"),
        ("since", ""),
    ] {
        let response = client
            .ask(Method::GET, "changes", Some(query), Vec::new())
            .await
            .unwrap();
        let refusal: Value = response.json().await.unwrap();
        let gone = query.0 == "since" && !query.1.is_empty();
        let code = if gone { "cursor_gone" } else { "bad_query" };
        assert_eq!(refusal["code"], code, "{query:?}");
    }
}
