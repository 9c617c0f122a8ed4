//! The Health Source API as served and as checked: the real binary's `source serve` and
//! `source check`.
use crate::{
    app::resident_id,
    command_line::{configuration, program, refused, run},
    support::{health_source::SECRET, process::first_line},
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Output, Stdio},
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
