//! SMPP 3.4 against the npm package `smpp`: binds, codings, long texts, throttling, silence, receipts,
//! reconnection and TLS.
use crate::{
    app::{On, Person, TestApp, confirm_path},
    services,
    support::{
        file,
        gateways::Gateway,
        process::until,
        smpp::{Centre, PASSWORD, SYSTEM_ID},
    },
};
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use tuantibu::{
    actions::sms_outcomes,
    config::{Purpose, Sms as Settings, SmsKind},
    model::{
        id::Id,
        phone::{Phone, Regions},
    },
    sms::{Handed, NotSent, Sms, SmsSender, smpp::Smpp},
    texts::Texts,
};

async fn start(on: On) -> (Gateway, TestApp, Person) {
    start_with(on, |_| {}).await
}

async fn start_with(on: On, change: impl FnOnce(&mut Settings)) -> (Gateway, TestApp, Person) {
    let gateway = Gateway::start(SmsKind::Smpp).await;
    let mut settings = gateway.settings();
    change(&mut settings);
    let app = TestApp::start_with(on, |config| config.sms = settings).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    (gateway, app, person)
}

async fn sign_in(app: &TestApp, person: &Person) -> u16 {
    let answer = app
        .client()
        .post("/api/v1/sign-in", person.identity())
        .await;
    answer.status
}

/// The state and reason of the one text that is in none of the usual ones.
async fn states(app: &TestApp) -> Vec<(&'static str, Option<String>)> {
    let counts = app.sms_outcomes().await;
    counts
        .into_iter()
        .map(|count| (count.state, count.reason))
        .collect()
}

/// Hands over any text at all.
async fn send(smpp: &Smpp, text: &str) -> Result<Option<String>, NotSent> {
    let phone = Phone::parse("13800000000", &Regions::default()).unwrap();
    let sms = Sms {
        id: Id([7; 16]),
        purpose: Purpose::SignIn,
        language: "zh-CN",
        phone: &phone,
        text,
        code: None,
    };
    let taken = smpp.send(&sms, &Handed::default()).await;
    taken.map(|taken| taken.message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_goes_out_in_ucs_2_over_a_bound_transceiver() {
    let (gateway, app, person) = start(On::Sqlite).await;
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202);
    let centre = gateway.centre();
    let bind = centre.all("bind").await;
    assert_eq!(
        bind,
        [json!({"system_id": SYSTEM_ID, "system_type": "", "interface_version": 0x34})]
    );
    let submit = centre.all("submit").await.remove(0);
    assert_eq!(submit["to"], format!("86{}", person.phone()));
    assert_eq!(
        (&submit["to_ton"], &submit["from"]),
        (&json!(1), &json!("1069000"))
    );
    assert_eq!(
        (&submit["data_coding"], &submit["esm_class"]),
        (&json!(8), &json!(0))
    );
    assert_eq!(submit["registered_delivery"], 1);
    let text = submit["text"].as_str().unwrap();
    assert!(text.starts_with("【团体簿】验证码 "), "{text}");
    let code = json!({ "code": gateway.codes().await.remove(0) });
    client.post(&confirm_path(&started), code).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latin_text_goes_out_in_gsm_s_alphabet_and_long_text_in_parts() {
    let gateway = Gateway::start(SmsKind::Smpp).await;
    let smpp = Smpp::new(&gateway.settings()).unwrap();
    assert_eq!(
        send(&smpp, "Code 012345 [tuantibu] €")
            .await
            .unwrap()
            .as_deref(),
        Some("m1")
    );
    let submit = gateway.centre().all("submit").await.remove(0);
    assert_eq!(
        (&submit["data_coding"], &submit["text"]),
        (&json!(0), &json!("Code 012345 [tuantibu] €"))
    );
    // The name of a text in parts is that of the last, which alone asks for a receipt.
    let chinese = "一二三四五六七八九十".repeat(15);
    assert_eq!(send(&smpp, &chinese).await.unwrap().as_deref(), Some("m4"));
    let latin = "0123456789".repeat(20);
    assert_eq!(send(&smpp, &latin).await.unwrap().as_deref(), Some("m6"));
    let submits = gateway.centre().all("submit").await;
    let joined = |from: usize, to: usize| -> String {
        submits[from..to]
            .iter()
            .map(|part| part["text"].as_str().unwrap())
            .collect()
    };
    assert_eq!((joined(1, 4), joined(4, 6)), (chinese, latin));
    for (from, to, count) in [(1, 4, 3), (4, 6, 2)] {
        for (at, part) in submits[from..to].iter().enumerate() {
            let header = part["header"].to_string();
            let ends = format!("{count:02x}{:02x}", at + 1);
            assert!(header.contains(&ends), "{header} has not {ends}");
            assert_eq!(part["esm_class"], 0x40);
            assert_eq!(part["registered_delivery"], i32::from(from + at + 1 == to));
        }
    }
    assert_eq!(
        gateway.centre().all("bind").await.len(),
        1,
        "all over one connection"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_text_of_ours_fits_one_message_in_every_language() {
    let gateway = Gateway::start(SmsKind::Smpp).await;
    let smpp = Smpp::new(&gateway.settings()).unwrap();
    let texts = Texts::embedded();
    let mut sent = 0;
    for language in texts.languages() {
        for key in [
            "sms-sign-in",
            "sms-leave",
            "sms-join",
            "sms-confirm",
            "sms-invitation",
        ] {
            let text = texts.get(language, key, &[("code", "012345".into())]);
            send(&smpp, &text).await.unwrap();
            sent += 1;
            let submits = gateway.centre().all("submit").await;
            assert_eq!(submits.len(), sent, "{text} takes more than one");
            assert_eq!(
                submits[sent - 1]["text"],
                json!(text),
                "it arrives as it was"
            );
        }
    }
    assert_eq!(sent, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centre_that_asks_for_time_gets_it_and_the_text_goes_out_once() {
    let (gateway, app, person) = start(On::Sqlite).await;
    gateway
        .centre()
        .told(json!({"mode": "throttle", "times": 1}))
        .await;
    assert_eq!(sign_in(&app, &person).await, 202);
    let modes: Vec<Value> = gateway
        .centre()
        .all("submit")
        .await
        .iter()
        .map(|s| s["mode"].clone())
        .collect();
    assert_eq!(modes, ["throttle", "ok"]);
    app.clock.advance(61);
    gateway.centre().told(json!({"mode": "throttle"})).await;
    assert_eq!(sign_in(&app, &person).await, 503);
    let failed = ("failed", Some("not taken in time".to_owned()));
    assert!(
        states(&app).await.contains(&failed),
        "it said that it took none"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_centre_answers_is_what_is_recorded() {
    for (order, state, reason) in [
        (json!({"mode": "silent"}), "unknown", "no answer in time"),
        (
            json!({"mode": "hangup"}),
            "unknown",
            "the connection broke off",
        ),
        (
            json!({"mode": "status", "status": 0x0b}),
            "failed",
            "status 0x0000000B",
        ),
        (
            json!({"mode": "status", "status": 0x08}),
            "failed",
            "status 0x00000008",
        ),
    ] {
        let (gateway, app, person) = start(On::Sqlite).await;
        gateway.centre().told(order).await;
        assert_eq!(sign_in(&app, &person).await, 503, "{reason}");
        assert_eq!(states(&app).await, [(state, Some(reason.to_owned()))]);
        assert_eq!(gateway.codes().await.len(), 1, "{reason}: it came once");
        gateway.centre().told(json!({"mode": "ok"})).await;
        assert_eq!(sign_in(&app, &person).await, 202, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_says_so() {
    let gateway = Gateway::start(SmsKind::Smpp).await;
    let mut settings = gateway.settings();
    settings.account = "somebody".into();
    let smpp = Smpp::new(&settings).unwrap();
    let refused = Err(NotSent::Down(
        "the bind is refused: status 0x0000000E".into(),
    ));
    assert_eq!(send(&smpp, "x").await, refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_ended_is_made_anew() {
    let (gateway, app, person) = start(On::Sqlite).await;
    let centre = gateway.centre();
    for round in 1..=3 {
        assert_eq!(sign_in(&app, &person).await, 202);
        assert_eq!(centre.all("bind").await.len(), round);
        app.clock.advance(61);
        centre.told(json!({"close": true})).await;
        // As soon as the end is seen, and before anybody sends.
        until("a new bind", async || {
            sms_outcomes::tend(&app.app).await.unwrap();
            (centre.all("bind").await.len() > round).then_some(())
        })
        .await;
    }
    assert_eq!(gateway.codes().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centre_that_gives_no_sign_of_life_is_left() {
    let (gateway, app, person) = start_with(On::Sqlite, |sms| sms.enquire_seconds = 1).await;
    let centre = gateway.centre();
    sms_outcomes::tend(&app.app).await.unwrap();
    centre.seen("enquire", 2).await;
    assert_eq!(centre.all("bind").await.len(), 1, "who answers stays");
    centre.told(json!({"mode": "nobody"})).await;
    until("a new bind", async || {
        sms_outcomes::tend(&app.app).await.unwrap();
        (centre.all("bind").await.len() > 1).then_some(())
    })
    .await;
    centre.told(json!({"mode": "ok"})).await;
    assert_eq!(sign_in(&app, &person).await, 202);
}

async fn receipts(on: On) {
    let (gateway, app, person) = start(on).await;
    let centre = gateway.centre();
    // A receipt that comes before its text is recorded is looked for again.
    sms_outcomes::tend(&app.app).await.unwrap();
    centre
        .told(json!({"receipt": {"text": "id:m1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:x"}}))
        .await;
    assert_eq!(centre.seen("receipt", 1).await, [json!(0)]);
    sms_outcomes::tend(&app.app).await.unwrap();
    assert_eq!(sign_in(&app, &person).await, 202);
    app.sms_outcomes().await;
    sms_outcomes::tend(&app.app).await.unwrap();
    assert_eq!(states(&app).await, [("delivered", None)]);
    // One that failed, told by fields; who has the code all the same may use it.
    app.clock.advance(61);
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202);
    centre
        .told(json!({"receipt": {"id": "m2", "state": 5}}))
        .await;
    centre.seen("receipt", 2).await;
    app.sms_outcomes().await;
    sms_outcomes::tend(&app.app).await.unwrap();
    let failed = ("failed", Some("receipt: UNDELIV".to_owned()));
    assert_eq!(states(&app).await, [failed.clone(), ("delivered", None)]);
    let code = json!({ "code": gateway.codes().await.remove(1) });
    client.post(&confirm_path(&started), code).await.expect(200);
    // Another's, and one that comes late, change nothing.
    for text in [
        "id:m9 stat:DELIVRD",
        "id:m2 stat:DELIVRD",
        "id:m1 stat:EXPIRED",
    ] {
        centre.told(json!({"receipt": {"text": text}})).await;
    }
    centre.seen("receipt", 5).await;
    for _ in 0..4 {
        sms_outcomes::tend(&app.app).await.unwrap();
    }
    assert_eq!(states(&app).await, [failed, ("delivered", None)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_tells_what_became_of_a_text_on_sqlite() {
    receipts(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_tells_what_became_of_a_text_on_postgres() {
    receipts(On::Postgres).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "certificates are made by Python's cryptography"
)]
fn certificates(folder: &Path) {
    let mut python = Command::new(services::python());
    let made = python
        .arg(file("vendors/certificate.py"))
        .arg(folder)
        .status();
    assert!(made.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_verified_by_the_systems_authorities_and_the_operators() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    certificates(folder.path());
    let centre = Centre::start_with(Some((&path("server.pem"), &path("server.key")))).await;
    crate::support::receiver::write_secret(&path("secret"), PASSWORD);
    let settings = |host: &str, ca_file: Option<&str>| Settings {
        kind: SmsKind::Smpp,
        url: format!("smpps://{host}:{}", centre.address.port()),
        account: SYSTEM_ID.into(),
        secret_file: Some(path("secret")),
        ca_file: ca_file.map(path),
        ..Settings::default()
    };
    for host in ["127.0.0.1", "localhost"] {
        let smpp = Smpp::new(&settings(host, Some("ca.pem"))).unwrap();
        assert!(send(&smpp, "over TLS").await.is_ok(), "{host}");
        assert_eq!(
            smpp.check().await.unwrap()[0],
            "connected, its certificate holds"
        );
    }
    let smpp = Smpp::new(&settings("127.0.0.1", None)).unwrap();
    let Err(NotSent::Down(reason)) = send(&smpp, "to a stranger").await else {
        panic!("it trusts anybody");
    };
    assert!(
        reason.starts_with("no connection: invalid peer certificate"),
        "{reason}"
    );
    let wrong = Smpp::new(&settings("127.0.0.1", Some("secret"))).unwrap_err();
    assert_eq!(
        (wrong.key, wrong.problem.as_str()),
        ("ca_file", "holds no certificate")
    );
    assert_eq!(centre.all("submit").await.len(), 2);
}
