//! A register over the Health Source API behind every fault: what the member sees, what the
//! administrator sees, and that all is well again without a restart. The table of
//! docs/CONNECTORS.md is this one.
use crate::{
    app::{On, Person, TestApp, confirm_path, join_body},
    support::{
        fault_proxy::{Fault, FaultProxy},
        file,
        health_source::{SECRET, Simulator},
        receiver::write_secret,
        rules,
    },
};
use serde_json::{Value, json};
use std::{fs, sync::Arc, time::Duration};
use tuantibu::{
    actions::refresh_health::refresh_health,
    clock::ManualClock,
    config::SourceKind,
    source::record::{HealthRecord, read_line},
    web::health_source::Faults,
};

const FAULTS: [(Fault, &str); 8] = [
    (
        Fault::Delay(Duration::from_millis(200)),
        "answers 0.2 s late",
    ),
    (
        Fault::Delay(Duration::from_secs(4)),
        "answers after the time is over",
    ),
    (Fault::Refuse, "nobody listens"),
    (Fault::Drop, "takes connections, nothing passes"),
    (Fault::CutRequest(80), "cut 80 bytes into what is asked"),
    (Fault::CutAnswer(30), "cut 30 bytes into the answer"),
    (Fault::CutAnswer(200), "cut 200 bytes into the answer"),
    (Fault::Garbage, "garbage comes back"),
];

struct World {
    app: TestApp,
    simulator: Simulator,
    proxy: FaultProxy,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(on: On) -> Self {
        let clock = Arc::new(ManualClock::new(crate::app::START.parse().unwrap()));
        let simulator = Simulator::start(&clock, Faults::default()).await;
        let proxy = FaultProxy::before(simulator.address).await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{}/v1", proxy.address);
        let secret = folder.path().join("secret");
        write_secret(&secret, std::str::from_utf8(SECRET).unwrap());
        let app = TestApp::start_with(on, |config| {
            config.source.kind = SourceKind::Http;
            config.source.url = url;
            config.source.secret_file = Some(secret);
            config.source.timeout_seconds = 2;
            config.refresh.attempts = 1;
        })
        .await;
        Self {
            app,
            simulator,
            proxy,
            _folder: folder,
        }
    }

    async fn put(&self, person: &Person, result: &str) {
        let line = json!({
            "name": person.name,
            "document_type": "resident_id",
            "document_number": person.document,
            "phones": person.phones,
            "items": {
                "health_code": { "value": "green" },
                "nucleic_acid": { "result": result, "sampled_at": "2022-11-14T07:00:00+08:00" },
                "vaccination": { "value": "booster" },
            },
        });
        let wire = read_line(&line.to_string()).unwrap();
        let record = HealthRecord::check(&wire, &rules()).unwrap();
        self.simulator.server.source.put(record).await.unwrap();
    }

    async fn refresh(&self) -> (i64, i64) {
        let run = refresh_health(&self.app.app, "test", &|_, _| {})
            .await
            .unwrap();
        assert_eq!(run.unmatched, 0, "nobody is written off");
        (run.updated, run.failed)
    }
}

/// The one member's test, as the list shows it.
async fn result(session: &crate::app::Client, path: &str) -> Value {
    let page = session.get(path).await.expect(200);
    page["members"][0]["items"]["nucleic_acid"].clone()
}

async fn line(on: On, fault: Fault, words: &str) -> String {
    let world = World::start(on).await;
    let (owner, member, late) = (Person::number(900), Person::number(1), Person::number(2));
    for person in [&owner, &member, &late] {
        world.put(person, "negative").await;
    }
    let app = &world.app;
    let started = app.client().post("/api/v1/sign-in", owner.identity()).await;
    let session = app
        .client()
        .confirm(app, &started.expect(202), owner.phone())
        .await;
    let register = app.register(&session).await;
    app.join(&register, &member).await;
    let list = register.path("/members");
    assert_eq!(result(&session, &list).await["result"], "negative");
    world.put(&member, "positive").await;

    world.proxy.has(fault).await;
    let client = app.client().behind("198.51.100.9");
    let path = format!("/api/v1/join/{}", register.code);
    let joined = client.post(&path, join_body(&late)).await.expect(202);
    let waits = joined["pending_id"].is_string();
    let (updated, failed) = world.refresh().await;
    let shown = result(&session, &list).await["result"].clone();
    let saw = match (failed, shown.as_str()) {
        (0, Some("positive")) => "the new value",
        (1, Some("negative")) => "the old value with its time",
        other => panic!("{words}: {other:?}, {updated} updated"),
    };

    world.proxy.has(Fault::None).await;
    if failed > 0 {
        assert_eq!(world.refresh().await, (1, 0), "{words}");
        assert_eq!(result(&session, &list).await["result"], "positive");
    }
    let mends = match (failed > 0, waits) {
        (true, true) => "the next refresh; the join completes by itself",
        (true, false) => "the next refresh",
        (false, _) => "–",
    };
    let handle = joined["pending_id"].as_str();
    let started = match handle {
        Some(handle) => {
            let send = format!("/api/v1/pending/{handle}/send-code");
            client.post(&send, json!({})).await.expect(202)
        }
        None => joined.clone(),
    };
    let code = json!({ "code": app.code(late.phone()) });
    client.post(&confirm_path(&started), code).await.expect(200);
    let member_saw = if waits { "待比对" } else { "the code came" };
    format!("| {words} | {member_saw} | {saw} | {mends} |")
}

async fn lines(on: On) {
    let page = fs::read_to_string(file("../docs/CONNECTORS.md")).unwrap();
    let mut missing = Vec::new();
    for (fault, words) in FAULTS {
        let line = line(on, fault, words).await;
        if !page.lines().any(|there| there == line) {
            missing.push(line);
        }
    }
    let missing = missing.join("\n");
    assert!(missing.is_empty(), "docs/CONNECTORS.md lacks\n{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_source_api_behind_every_fault_is_as_the_table_says_on_sqlite() {
    lines(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_source_api_behind_every_fault_is_as_the_table_says_on_postgres() {
    lines(On::Postgres).await;
}
