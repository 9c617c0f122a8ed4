//! Several gateways, circuits, and what the operator sees of texts.
use crate::{
    app::{On, Person, TestApp, confirm_path, join_body},
    leaks::Log,
    support::{
        fault_proxy::Fault,
        gateways::{CLOUD_SECRET, Gateway, taken},
        process::{program, until},
        receiver::{Reply, SECRET},
        smpp::PASSWORD,
    },
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{path::Path, process::Output, time::Duration};
use tower::ServiceExt;
use tuantibu::{
    actions::{retry_pending, sms_outcomes},
    config::{Config, Sms, SmsKind},
};

const KINDS: [SmsKind; 4] = [
    SmsKind::Smpp,
    SmsKind::Aliyun,
    SmsKind::Tencent,
    SmsKind::Webhook,
];

async fn start(on: On, settings: Sms) -> (TestApp, Person) {
    let app = TestApp::start_with(on, |config| config.sms = settings).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    (app, person)
}

/// How many texts came to a state.
async fn count(app: &TestApp, state: &str) -> i64 {
    let counts = if state == "reserved" {
        sms_outcomes::counts(&app.app, 1).await.unwrap()
    } else {
        app.sms_outcomes().await
    };
    let of = counts.iter().filter(|count| count.state == state);
    of.map(|count| count.messages).sum()
}

async fn sign_in_status(app: &TestApp, person: &Person) -> u16 {
    let answer = app
        .client()
        .post("/api/v1/sign-in", person.identity())
        .await;
    answer.status
}

async fn falls_back(on: On) {
    let first = Gateway::start(SmsKind::Smpp).await;
    let second = Gateway::start(SmsKind::Aliyun).await;
    let mut settings = first.settings();
    settings.fallback = Some(Box::new(second.settings()));
    let (app, person) = start(on, settings).await;
    first.proxy.has(Fault::Refuse).await;
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202);
    let code = json!({ "code": second.codes().await.remove(0) });
    client.post(&confirm_path(&started), code).await.expect(200);
    let counts = app.sms_outcomes().await;
    assert_eq!((counts.len(), counts[0].state), (1, "sent"));
    assert_eq!(counts[0].gateway.as_deref(), Some("fallback-aliyun"));
    // It took the text, or may have: the second is not asked.
    first.proxy.has(Fault::None).await;
    for order in [json!({ "mode": "ok" }), json!({ "mode": "hangup" })] {
        first.centre().told(order).await;
        sign_in_status(&app, &person).await;
        app.clock.advance(61);
    }
    assert_eq!(
        (first.codes().await.len(), second.codes().await.len()),
        (2, 1)
    );
    assert_eq!(count(&app, "unknown").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_gateway_is_asked_only_where_the_first_certainly_did_not_take_it_on_sqlite() {
    falls_back(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_gateway_is_asked_only_where_the_first_certainly_did_not_take_it_on_postgres() {
    falls_back(On::Postgres).await;
}

/// What monitoring reads, once it holds some lines: another test's program may write gauges of the
/// same names in between.
async fn told(metrics: &axum::Router, lines: &[&str]) -> String {
    until(&lines.join(", "), async || {
        let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty());
        let answer = metrics.clone().oneshot(request.unwrap()).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let told = String::from_utf8(bytes.to_vec()).unwrap();
        lines.iter().all(|line| told.contains(line)).then_some(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circuit_opens_and_closes_by_itself_and_monitoring_is_told() {
    let gateway = Gateway::start(SmsKind::Webhook).await;
    let mut settings = gateway.settings();
    (settings.circuit_failures, settings.circuit_seconds) = (3, 30);
    let (app, person) = start(On::Sqlite, settings).await;
    let metrics = tuantibu::web::metrics_router(app.app.clone());
    let circuit = |open| format!("tuantibu_sms_circuit_open{{gateway=\"webhook\"}} {open}");
    let ready = async || String::from_utf8(app.client().get("/readyz").await.bytes).unwrap();
    assert_eq!(ready().await, "ok\n");
    gateway.receiver().answers(Reply::Status(500));
    for _ in 0..5 {
        assert_eq!(sign_in_status(&app, &person).await, 503);
    }
    assert_eq!(
        gateway.codes().await.len(),
        3,
        "the last two were not tried"
    );
    assert_eq!(ready().await, "ok\nsms: down\n");
    let failed = "tuantibu_sms_messages{state=\"failed\"} 5";
    let open = "tuantibu_sms_total{gateway=\"webhook\",outcome=\"open\"}";
    told(&metrics, &[&circuit(1), failed, open]).await;
    // After its time one text is the trial, and a failure keeps it open.
    app.clock.advance(30);
    assert_eq!(sign_in_status(&app, &person).await, 503);
    assert_eq!(sign_in_status(&app, &person).await, 503);
    assert_eq!(gateway.codes().await.len(), 4);
    gateway.receiver().answers(taken(SmsKind::Webhook));
    app.clock.advance(30);
    assert_eq!(sign_in_status(&app, &person).await, 202);
    assert_eq!(ready().await, "ok\n");
    let told = told(&metrics, &[&circuit(0)]).await;
    for secret in [person.phone(), &person.name, &person.document] {
        assert!(!told.contains(secret));
    }
}

/// A waiting join whose invitation is due.
async fn invited(app: &TestApp, owner: &Person, gateway: &Gateway) {
    app.put(owner, json!({})).await;
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", owner.identity())
        .await
        .expect(202);
    let code = json!({ "code": gateway.codes().await.last().unwrap() });
    let session = client.post(&confirm_path(&started), code).await.expect(200);
    let register = app.register(&client.with(session["token"].as_str())).await;
    let person = Person::number(1);
    app.put(&person, app.healthy()).await;
    app.source_is(tuantibu::source::faults::Fault::Down);
    client
        .post(
            &format!("/api/v1/join/{}", register.code),
            join_body(&person),
        )
        .await
        .expect(202);
    app.source_is(tuantibu::source::faults::Fault::Ok);
    retry_pending::retry_pending(&app.app).await.unwrap();
}

async fn an_invitation_is_not_sent_twice(on: On) {
    let gateway = Gateway::start(SmsKind::Webhook).await;
    let (app, _) = start(on, gateway.settings()).await;
    invited(&app, &Person::number(900), &gateway).await;
    let before = gateway.codes().await.len();
    gateway.receiver().answers(Reply::Silence);
    retry_pending::send_due(&app.app).await.unwrap();
    assert_eq!(count(&app, "unknown").await, 1);
    gateway.receiver().answers(taken(SmsKind::Webhook));
    for _ in 0..3 {
        app.clock.advance(3600);
        retry_pending::send_due(&app.app).await.unwrap();
    }
    assert_eq!(
        gateway.codes().await.len(),
        before + 1,
        "it may have arrived"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_of_which_nobody_knows_what_became_is_not_sent_again_on_sqlite() {
    an_invitation_is_not_sent_twice(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_of_which_nobody_knows_what_became_is_not_sent_again_on_postgres() {
    an_invitation_is_not_sent_twice(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_while_it_sends_an_invitation_leaves_it_unknown() {
    let gateway = Gateway::start(SmsKind::Webhook).await;
    let mut settings = gateway.settings();
    settings.timeout_seconds = 10;
    let (app, _) = start(On::Sqlite, settings).await;
    invited(&app, &Person::number(900), &gateway).await;
    let before = gateway.codes().await.len();
    gateway.receiver().answers(Reply::Silence);
    // What stops it is that nobody goes on with it, as when the process is killed.
    let cut = tokio::time::timeout(
        Duration::from_millis(500),
        retry_pending::send_due(&app.app),
    );
    assert!(cut.await.is_err());
    assert_eq!(gateway.codes().await.len(), before + 1);
    assert_eq!(count(&app, "reserved").await, 1);
    gateway.receiver().answers(taken(SmsKind::Webhook));
    app.clock.advance(3600);
    retry_pending::send_due(&app.app).await.unwrap();
    tuantibu::actions::erase_expired::erase_expired(&app.app)
        .await
        .unwrap();
    assert_eq!(gateway.codes().await.len(), before + 1);
    assert_eq!(count(&app, "unknown").await, 1);
}

fn run(folder: &Path, config: &Config, arguments: &[&str]) -> Output {
    let path = folder.join("check.toml");
    std::fs::write(&path, toml::to_string(config).unwrap()).unwrap();
    let mut command = program();
    let command = command.args(arguments).arg("--config").arg(path);
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_counts_texts_by_state_and_sees_nobody() {
    let gateway = Gateway::start(SmsKind::Aliyun).await;
    let (app, person) = start(On::Sqlite, gateway.settings()).await;
    assert_eq!(sign_in_status(&app, &person).await, 202);
    let counts = app.sms_outcomes().await;
    let line = serde_json::to_value(&counts[0]).unwrap();
    assert_eq!(
        line,
        json!({"state": "sent", "kind": "code", "gateway": "aliyun", "reason": null, "messages": 1})
    );
    // The program's clock is not the test's: nothing is of its last days.
    let output = run(&app.folder, &app.config, &["sms", "status", "--days", "7"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!said.contains(person.phone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_check_tries_each_gateway_and_says_what_it_saw() {
    let clouds: Value = json!({
        "Code": "OK", "SignStatus": 1, "TemplateStatus": 1,
        "Response": {"RequestId": "R", "DescribeTemplateStatusSet": [
            {"TemplateId": 1000, "StatusCode": 0}, {"TemplateId": 1001, "StatusCode": 1},
        ]},
    });
    for (kind, words) in [
        (
            SmsKind::Smpp,
            &["sms: smpp: connected", "bound to \"centre\""][..],
        ),
        (
            SmsKind::Aliyun,
            &["clock", "the signature is approved", "SMS_1000 is approved"],
        ),
        (
            SmsKind::Tencent,
            &[
                "clock",
                "1000 is approved",
                "1001 is waiting",
                "2000 is not there",
            ],
        ),
        (SmsKind::Webhook, &["sms: webhook: connected", "clock"]),
    ] {
        let gateway = Gateway::start(kind).await;
        if matches!(kind, SmsKind::Aliyun | SmsKind::Tencent) {
            gateway.receiver().answers(Reply::Json(200, clouds.clone()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut config = Config::default();
        config.database.url = format!("sqlite:{}", path("t.db").display());
        config.keys.file = path("root.key");
        config.source.url = path("source.db").display().to_string();
        config.sms = gateway.settings();
        config.sms.timeout_seconds = 5;
        let output = run(folder.path(), &config, &["config", "check"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert!(
            gateway.codes().await.iter().all(String::is_empty),
            "nothing is sent"
        );
        gateway.proxy.has(Fault::Refuse).await;
        let output = run(folder.path(), &config, &["config", "check"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("does not work: no connection"), "{said}");
    }
}

// One thread, so that its subscriber sees everything.
#[tokio::test]
async fn nothing_of_a_text_stands_in_a_log_of_any_level_whatever_the_gateway() {
    let (log, _guard) = Log::at(tracing::Level::TRACE);
    let person = Person::number(1);
    let mut secrets: Vec<String> = [PASSWORD, SECRET, CLOUD_SECRET, person.phone(), &person.name]
        .map(str::to_owned)
        .to_vec();
    for kind in KINDS {
        let gateway = Gateway::start(kind).await;
        let (app, _) = start(On::Sqlite, gateway.settings()).await;
        for fault in [
            Fault::None,
            Fault::CutRequest(80),
            Fault::Garbage,
            Fault::Drop,
            Fault::None,
        ] {
            gateway.proxy.has(fault).await;
            sign_in_status(&app, &person).await;
            app.clock.advance(61);
        }
        if kind == SmsKind::Smpp {
            let receipt = format!("id:m1 stat:UNDELIV text:{}", person.phone());
            let order = json!({ "receipt": { "text": receipt } });
            gateway.centre().told(order).await;
            gateway.centre().seen("receipt", 1).await;
            sms_outcomes::tend(&app.app).await.unwrap();
        }
        secrets.extend(
            gateway
                .codes()
                .await
                .into_iter()
                .filter(|code| !code.is_empty()),
        );
    }
    let log = log.text();
    assert!(log.contains(" TRACE "), "the log is of every level");
    assert!(log.contains("an SMS was not sent"));
    assert!(secrets.len() > 8, "codes came");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} stands in the log");
    }
}
