//! The real binary: what it refuses to start with, imports, refreshes, and the demo.
use crate::{
    app::{Person, resident_id},
    services,
    support::receiver::write_secret,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuantibu"));
    command.args(arguments).env("TZ", "UTC");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

#[track_caller]
pub(crate) fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for word in words {
        assert!(error.contains(word), "{word} is not in: {error}");
    }
}

/// A configuration in a folder, with more lines.
pub(crate) fn configuration(folder: &Path, more: &str) -> String {
    let path = folder.join("tuantibu.toml");
    let text = format!(
        "[database]\nurl = \"sqlite:{0}/t.db\"\n[keys]\nfile = \"{0}/root.key\"\n\
         [source]\nurl = \"{0}/source.db\"\n{more}",
        folder.display()
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_wrong_configuration_stops_the_start_and_names_the_key() {
    let folder = tempfile::tempdir().unwrap();
    for (more, words) in [
        (
            "[server]\nlisten_on = \"x\"\n",
            ["listen_on", "configuration"],
        ),
        (
            "[limits]\nsms_phone = \"many\"\n",
            ["sms_phone", "configuration"],
        ),
        ("[refresh]\nat = [\"25:00\"]\n", ["refresh.at", "06:00"]),
        (
            "[refresh]\nzone = \"Mars/Olympus\"\n",
            ["refresh.zone", "Asia/Shanghai"],
        ),
        (
            "[server]\npublic_url = \"ftp://x\"\n",
            ["server.public_url", "https://"],
        ),
        (
            "[refresh]\nlease_seconds = 2\n",
            ["refresh.lease_seconds", "at least 3"],
        ),
        ("[sms]\nkind = \"pigeon\"\n", ["kind", "configuration"]),
        (
            "[sms]\nkind = \"outbox\"\n[server]\npublic_url = \"https://x.example\"\nlisten = \"127.0.0.1:0\"\n",
            ["sms.kind", "demo"],
        ),
        (
            "[server]\npublic_url = \"https://x.example\"\nlisten = \"0.0.0.0:0\"\n",
            ["server.listen", "trusted_proxies"],
        ),
        ("", ["server.public_url", "phones"]),
    ] {
        let config = configuration(folder.path(), more);
        refused(&["serve", "--config", &config], &words);
    }
    refused(
        &["serve", "--config", "/nowhere/x.toml"],
        &["does not exist"],
    );
    refused(&["nonsense"], &["unrecognized subcommand"]);
}

#[test]
fn a_webhook_that_anybody_could_read_or_forge_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, bytes, mode) in [
        ("good", 32, 0o400),
        ("short", 31, 0o400),
        ("loose", 32, 0o440),
    ] {
        write_secret(&folder.path().join(name), &"k".repeat(bytes));
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let webhook = |url: &str, secret: &str| {
        let secret = path(secret);
        let sms = format!(
            "[sms]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"{secret}\"\n\
             [server]\npublic_url = \"https://x.example\"\nlisten = \"127.0.0.1:0\"\n"
        );
        configuration(folder.path(), &sms)
    };
    let fine = "https://sms.example/send?account=1";
    for (url, secret, word) in [
        (fine, "nowhere", "sms.secret_file"),
        (fine, "short", "sms.secret_file: holds fewer than 32 bytes"),
        (fine, "loose", "sms.secret_file: has mode 0440"),
        ("", "good", "sms.url"),
        ("sms.example", "good", "sms.url: not an http or https URL"),
        ("http://sms.example/", "good", "sms.url: must be https"),
        ("http://10.0.0.1/", "good", "sms.url: must be https"),
        ("https://u:p@sms.example/", "good", "sms.url: must have no"),
    ] {
        let config = webhook(url, secret);
        for command in [&["serve"][..], &["config", "check"]] {
            refused(&[command, &["--config", &config]].concat(), &[word]);
        }
    }
    let config = configuration(
        folder.path(),
        "[sms]\nkind = \"webhook\"\nurl = \"https://x\"\n",
    );
    refused(
        &["config", "check", "--config", &config],
        &["sms.secret_file: this gateway needs one"],
    );
    let config = configuration(folder.path(), "[sms]\ntimeout_seconds = 0\n");
    refused(
        &["config", "check", "--config", &config],
        &["sms.timeout_seconds: 1 to 30"],
    );
    let config = configuration(folder.path(), "[sms]\nsecret = \"x\"\n");
    refused(
        &["config", "check", "--config", &config],
        &["unknown field", "secret"],
    );
    // Nobody listens there, which is said after all else was found right.
    for url in [
        "http://127.0.0.1:9/",
        "http://[::1]:9/",
        "http://localhost:9/",
    ] {
        let config = webhook(url, "good");
        let output = run(&["config", "check", "--config", &config]);
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{url}: {out}");
        assert!(
            out.contains("sms: webhook: does not work: no connection"),
            "{url}: {out}"
        );
    }
}

#[test]
fn a_key_that_others_can_read_is_wrong_or_is_lost_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let check = ["config", "check", "--config", &config];
    assert!(run(&check).status.success());
    let key = folder.path().join("root.key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o400
    );
    let secret = fs::read_to_string(&key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o444)).unwrap();
    refused(&check, &["keys.file", "0444", "chmod"]);
    fs::remove_file(&key).unwrap();
    refused(&check, &["keys.file", "does not exist"]);
    let other = tempfile::tempdir().unwrap();
    let elsewhere = configuration(other.path(), "");
    assert!(
        run(&["config", "check", "--config", &elsewhere])
            .status
            .success()
    );
    fs::copy(other.path().join("root.key"), &key).unwrap();
    let output = run(&check);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("wrapped by"), "{error}");
    assert!(!error.contains(secret.trim().rsplit(':').next().unwrap()));
}

#[test]
fn a_schema_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let check = ["config", "check", "--config", &config];
    assert!(run(&check).status.success());
    let path = folder.path().join("t.db");
    let set = |statement: &str| {
        let database = rusqlite::Connection::open(&path).unwrap();
        assert_eq!(database.execute(statement, []).unwrap(), 1, "{statement}");
    };
    set("insert into _sqlx_migrations values (99, 'later', 0, 1, x'00', 0)");
    refused(&check, &["schema", "99"]);
    // One that was changed since, and one that broke off half-way.
    set("delete from _sqlx_migrations where version = 99");
    assert!(run(&check).status.success());
    set("update _sqlx_migrations set checksum = x'00' where version = 1");
    refused(&check, &["schema", "1"]);
    set("update _sqlx_migrations set success = 0 where version = 1");
    refused(&check, &["schema", "1"]);
}

#[test]
fn an_import_names_bad_lines_by_number_and_strict_takes_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let good = |n: usize| {
        let person = Person::number(n);
        json!({
            "name": person.name, "document_type": "resident_id",
            "document_number": person.document, "phones": person.phones,
            "items": { "health_code": { "value": "green" } },
        })
        .to_string()
    };
    let lines = [
        good(1),
        "{ rubbish".to_owned(),
        good(2),
        good(3).replace("green", "blue"),
    ];
    let file = folder.path().join("records.ndjson");
    fs::write(&file, lines.join("\n")).unwrap();
    let import = [
        "source",
        "import",
        file.to_str().unwrap(),
        "--config",
        &config,
    ];
    let strict = run(&[&import[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(1));
    let output = run(&import);
    assert!(output.status.success());
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.contains("lines 4, imported 2, failed 2"), "{out}");
    assert!(error.contains(":2: ") && error.contains(":4: ") && error.contains("health_code"));
    assert!(!error.contains(&Person::number(3).document) && !error.contains("blue"));
    let csv = folder.path().join("records.csv");
    fs::write(&csv, format!(
        "name,document_type,document_number,phones,items_health_code_value\n甲四,resident_id,{},13800000004,green\n",
        resident_id("19800101", 4)
    ))
    .unwrap();
    let output = run(&[
        "source",
        "import",
        csv.to_str().unwrap(),
        "--config",
        &config,
    ]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("imported 1"));
}

#[test]
fn an_id_or_code_that_begins_with_a_hyphen_is_no_option() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let id = "-AAAAAAAAAAAAAAAAAAAAA";
    let said = |arguments: &[&str], code: i32| {
        let output = run(&[arguments, &["--config", &config]].concat());
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
    };
    said(&["sessions", "end", id], 0);
    for command in ["show", "freeze", "unfreeze", "vouch", "unvouch"] {
        said(&["register", command, id], 1);
    }
    said(&["sessions", "end", "--all"], 0);
}

#[test]
fn a_refresh_ends_with_its_counts_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let output = run(&["refresh", "--json", "--config", &config]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let out = String::from_utf8(output.stdout).unwrap();
    let counts: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(counts["updated"], 0);
}

/// The pixels of a QR that a terminal draws with half blocks, light letters on a dark ground.
fn drawn(rows: &[String]) -> (usize, Vec<bool>) {
    let mut light = Vec::new();
    for half in [['█', '▀'], ['█', '▄']].iter().cycle().take(rows.len() * 2) {
        let row = &rows[light.len() / 2];
        light.push(row.chars().map(|c| half.contains(&c)).collect::<Vec<_>>());
    }
    (light[0].len(), light.concat())
}

#[test]
fn the_demo_draws_its_address_for_a_phone_in_the_same_network() {
    let url = "http://192.168.1.5:8080";
    let mut child = program(&["demo", "--listen", "127.0.0.1:0"])
        .env("TUANTIBU_SERVER__PUBLIC_URL", url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Vec<String> = out
        .map(Result::unwrap)
        .skip_while(|line| !line.contains("scan with a phone"))
        // The line itself, and 33 rows of modules, two a line.
        .take(1 + 17)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let code = &said[1..];
    assert!(!code[0].contains('\x1b'), "a pipe gets no colours");
    let (width, light) = drawn(code);
    let height = light.len() / width;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * 4, height * 4, |x, y| {
        if light[y / 4 * width + x / 4] { 255 } else { 0 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids[0].decode().unwrap().1, format!("{url}/"));
}

/// A demo that is stopped by its pid.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = program(&[&["demo", "--listen", "127.0.0.1:0"], arguments].concat());
        command
            .envs(environment.iter().copied())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let url = first.rsplit(' ').next().unwrap().to_owned();
        // The rest is read so that the program is never held up by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (
            response.status().as_u16(),
            response.json().await.unwrap_or(Value::Null),
        )
    }

    async fn post(&self, path: &str, body: Value, bearer: Option<&str>) -> (u16, Value) {
        let mut request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .json(&body);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let response = request.send().await.unwrap();
        (
            response.status().as_u16(),
            response.json().await.unwrap_or(Value::Null),
        )
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_runs_the_main_job_and_reckons_days_in_beijing_on_a_host_in_utc() {
    let folder = tempfile::tempdir().unwrap();
    let library = services::faketime_library();
    // Real time goes on from here, so that the server's timers run as usual.
    let environment = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME", "@2022-11-14 15:58:00"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let data = folder.path().to_str().unwrap();
    let demo = Demo::start(&["--data", data], &environment);
    assert_eq!(demo.get("/readyz").await.0, 200);
    let person = Person::number(1);
    let record = json!({
        "name": person.name, "document_type": "resident_id", "phones": person.phones,
        "items": {
            "health_code": { "value": "green" },
            "nucleic_acid": { "result": "negative", "sampled_at": "2022-11-14T15:30:00Z" },
        },
    });
    let put = reqwest::Client::new()
        .put(format!("{}/demo/source/{}", demo.url, person.document))
        .json(&record)
        .send()
        .await
        .unwrap();
    assert!(put.status().is_success());
    let (status, started) = demo.post("/api/v1/sign-in", person.identity(), None).await;
    assert_eq!(status, 202, "{started}");
    let (_, messages) = demo
        .get(&format!("/demo/sms?phone={}", person.phone()))
        .await;
    let confirm = format!(
        "/api/v1/verifications/{}/confirm",
        started["verification_id"].as_str().unwrap()
    );
    let (status, session) = demo
        .post(&confirm, json!({ "code": messages[0]["code"] }), None)
        .await;
    assert_eq!(status, 200, "{session}");
    let token = session["token"].as_str().unwrap();
    let (status, register) = demo
        .post("/api/v1/registers", crate::app::terms(), Some(token))
        .await;
    assert_eq!(status, 201, "{register}");
    let path = format!("/api/v1/join/{}", register["code"].as_str().unwrap());
    let (status, started) = demo.post(&path, crate::app::join_body(&person), None).await;
    assert_eq!(status, 202, "{started}");
    let (_, messages) = demo
        .get(&format!("/demo/sms?phone={}", person.phone()))
        .await;
    let confirm = format!(
        "/api/v1/verifications/{}/confirm",
        started["verification_id"].as_str().unwrap()
    );
    demo.post(&confirm, json!({ "code": messages[0]["code"] }), None)
        .await;
    let list = reqwest::Client::new()
        .get(format!(
            "{}/api/v1/registers/{}/members",
            demo.url,
            register["id"].as_str().unwrap()
        ))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    let list: Value = list.json().await.unwrap();
    // 23:58 in Beijing: sampled at 23:30 of the same local day, though it is afternoon in UTC.
    assert_eq!(list["members"][0]["items"]["nucleic_acid"]["days"], 0);
    assert_eq!(
        list["members"][0]["items"]["nucleic_acid"]["sampled_at"],
        "2022-11-14T23:30:00+08:00"
    );
    drop(demo);
    let output = run(&["register", "list", "--data", data]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("青禾实验小学"));
    let output = run(&["audit", "verify", "--data", data]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let copy = folder.path().join("copy.db");
    assert!(
        run(&["backup", copy.to_str().unwrap(), "--data", data])
            .status
            .success()
    );
    assert!(fs::metadata(&copy).unwrap().len() > 0);
}
