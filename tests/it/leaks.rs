//! Nothing personal and no secret in a log, a problem or a header.
use crate::{
    app::{Answer, Client, On, Person, TestApp, join_body, terms},
    world::text,
};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;
use tuantibu::source::faults::Fault;

/// Everything that was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        Self::at(tracing::Level::DEBUG)
    }

    /// Begins to log everything of this thread, which is the whole test's, down to a level.
    pub(crate) fn at(level: tracing::Level) -> (Self, tracing::subscriber::DefaultGuard) {
        // As long as there is one subscriber alone, tracing asks the thread that first meets an event,
        // and a thread of another test says no for all.
        static OTHER: OnceLock<tracing::Dispatch> = OnceLock::new();
        OTHER.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

const CANARY_ORGANISATION: &str = "金丝雀学校";
const CANARY_PURPOSE: &str = "金丝雀目的";
const CANARY_CONTACT: &str = "canary@canary.example";
const CANARY_REASON: &str = "金丝雀举报";
const CANARY_SEARCH: &str = "金丝雀搜";

/// What must stand nowhere; it grows as secrets are told.
struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, secret: &Value) {
        self.0.push(text(secret));
    }

    #[track_caller]
    fn absent_from(&self, place: &str, what: &str) {
        for secret in &self.0 {
            assert!(
                !place.contains(secret.as_str()),
                "{secret} stands in {what}:\n{place}"
            );
        }
    }
}

/// Asks, and looks at the headers and, where it is a problem, at the body.
async fn ask(
    client: &Client,
    secrets: &Secrets,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let answer = client.send(method, path, body).await;
    let headers = format!("{:?}", answer.headers);
    secrets.absent_from(&headers, "headers");
    if answer.status >= 400 {
        secrets.absent_from(&String::from_utf8_lossy(&answer.bytes), "a problem");
    }
    answer
}

async fn a_whole_journey_leaves_nothing_in_the_log(on: On) {
    let (log, _guard) = Log::begin();
    let app = TestApp::start(on).await;
    let (owner, member, waits) = (Person::number(900), Person::number(1), Person::number(2));
    let mut secrets = Secrets(Vec::new());
    for person in [&owner, &member, &waits] {
        secrets.0.extend([
            person.name.clone(),
            person.document.clone(),
            person.phone().to_owned(),
        ]);
        app.put(person, app.healthy()).await;
    }
    for canary in [
        CANARY_CONTACT,
        CANARY_PURPOSE,
        CANARY_REASON,
        CANARY_SEARCH,
        CANARY_ORGANISATION,
    ] {
        secrets.0.push(canary.to_owned());
    }
    let client = app.client();
    // Signing in, wrongly and rightly.
    let mut wrong = owner.identity();
    wrong["name"] = json!(CANARY_SEARCH);
    ask(&client, &secrets, "POST", "/api/v1/sign-in", Some(wrong))
        .await
        .expect(422);
    let mut odd = owner.identity();
    odd["document_number"] = json!(format!("{}1", owner.document));
    odd["phone"] = json!(format!("{}1", owner.phone()));
    ask(&client, &secrets, "POST", "/api/v1/sign-in", Some(odd))
        .await
        .expect(422);
    let started = ask(
        &client,
        &secrets,
        "POST",
        "/api/v1/sign-in",
        Some(owner.identity()),
    )
    .await
    .expect(202);
    secrets.add(&started["verification_id"]);
    secrets.0.push(app.code(owner.phone()));
    let session = client.confirm(&app, &started, owner.phone()).await;
    secrets.0.push(session.bearer.clone().unwrap());
    // A register.
    let mut body = terms();
    body["organisation"] = json!(CANARY_ORGANISATION);
    body["purpose"] = json!(CANARY_PURPOSE);
    body["contact"] = json!(CANARY_CONTACT);
    let made = session.post("/api/v1/registers", body).await.expect(201);
    secrets.add(&made["code"]);
    let (id, code) = (text(&made["id"]), text(&made["code"]));
    let join = format!("/api/v1/join/{code}");
    ask(
        &client,
        &secrets,
        "GET",
        &format!("{join}?{}=1", CANARY_SEARCH.len()),
        None,
    )
    .await;
    ask(
        &client,
        &secrets,
        "POST",
        &format!("{join}/report"),
        Some(json!({ "reason": CANARY_REASON })),
    )
    .await;
    // Joining, also in an outage, and with everything wrong.
    let started = client.post(&join, join_body(&member)).await.expect(202);
    secrets.add(&started["verification_id"]);
    secrets.0.push(app.code(member.phone()));
    let path = crate::app::confirm_path(&started);
    ask(
        &client,
        &secrets,
        "POST",
        &path,
        Some(json!({ "code": "000" })),
    )
    .await
    .expect(422);
    let joined = client
        .post(&path, json!({ "code": app.code(member.phone()) }))
        .await
        .expect(200);
    secrets.add(&joined["token"]);
    secrets.add(&joined["authorization"]["leave_link"]);
    app.sms_fails(true);
    ask(
        &client,
        &secrets,
        "POST",
        "/api/v1/sign-in",
        Some(waits.identity()),
    )
    .await
    .expect(503);
    app.sms_fails(false);
    app.source_is(Fault::Garbage);
    ask(
        &client,
        &secrets,
        "POST",
        "/api/v1/sign-in",
        Some(member.identity()),
    )
    .await
    .expect(202);
    app.source_is(Fault::Down);
    let pending = client.post(&join, join_body(&waits)).await.expect(202);
    secrets.add(&pending["pending_id"]);
    let waiting = format!("/api/v1/pending/{}", text(&pending["pending_id"]));
    ask(&client, &secrets, "GET", &waiting, None)
        .await
        .expect(200);
    ask(
        &client,
        &secrets,
        "POST",
        &format!("{waiting}/send-code"),
        None,
    )
    .await
    .expect(503);
    tuantibu::actions::retry_pending::retry_pending(&app.app)
        .await
        .unwrap();
    tuantibu::actions::refresh_health::refresh_health(&app.app, "test", &|_, _| {})
        .await
        .unwrap();
    app.source_is(Fault::Ok);
    tuantibu::actions::retry_pending::retry_pending(&app.app)
        .await
        .unwrap();
    tuantibu::actions::retry_pending::send_due(&app.app)
        .await
        .unwrap();
    tuantibu::actions::refresh_health::refresh_health(&app.app, "test", &|_, _| {})
        .await
        .unwrap();
    // Seeing.
    let register = format!("/api/v1/registers/{id}");
    for path in ["", "/members", "/summary", "/code.png", "/code.svg"] {
        ask(
            &session,
            &secrets,
            "GET",
            &format!("{register}{path}"),
            None,
        )
        .await;
    }
    let search = json!({ "name": CANARY_SEARCH });
    ask(
        &session,
        &secrets,
        "POST",
        &format!("{register}/members/search"),
        Some(search),
    )
    .await
    .expect(200);
    let shown = text(&joined["authorization"]["id"]);
    let phone = format!("{register}/members/{shown}/phone");
    ask(&session, &secrets, "POST", &phone, None)
        .await
        .expect(200);
    let wrong = format!(
        "{register}/members?department={}&sort={}",
        "%E9%87%91%E4%B8%9D%E9%9B%80",
        waits.phone()
    );
    ask(&session, &secrets, "GET", &wrong, None)
        .await
        .expect(422);
    app.clock.advance(61);
    let asked = json!({ "action": "export", "register_id": id });
    let started = session
        .post("/api/v1/me/confirmations", asked)
        .await
        .expect(202);
    secrets.add(&started["verification_id"]);
    secrets.0.push(app.code(owner.phone()));
    let code = json!({ "code": app.code(owner.phone()) });
    let confirmed = session
        .post(&crate::app::confirm_path(&started), code)
        .await
        .expect(200);
    secrets.add(&confirmed["confirmation_token"]);
    let export = json!({
        "format": "xlsx", "purpose": CANARY_PURPOSE, "confirmation_token": confirmed["confirmation_token"],
    });
    let file = ask(
        &session,
        &secrets,
        "POST",
        &format!("{register}/exports"),
        Some(export),
    )
    .await;
    assert_eq!(file.status, 200);
    // Oneself, and leaving.
    let me = client.with(joined["token"].as_str());
    for path in [
        "/me",
        "/me/data",
        "/me/authorizations",
        "/me/access-log",
        "/me/sessions",
    ] {
        ask(&me, &secrets, "GET", &format!("/api/v1{path}"), None)
            .await
            .expect(200);
    }
    let link = text(&joined["authorization"]["leave_link"]);
    for (method, status) in [("GET", 200), ("POST", 200), ("POST", 404)] {
        ask(
            &client,
            &secrets,
            method,
            &format!("/api/v1/leave/{link}"),
            None,
        )
        .await
        .expect(status);
    }
    // Words in every part of a request that is refused.
    for path in [
        format!("/api/v1/nothing/{}", member.document),
        format!("/{}?phone={}", member.phone(), member.phone()),
        format!("/api/v1/registers/{}", member.document),
        format!("/api/v1/divisions?{}=1", member.phone()),
    ] {
        client.send("GET", &path, None).await;
    }
    let referred = Request::get("/api/v1/me")
        .header(
            "user-agent",
            CANARY_SEARCH.replace(|c: char| !c.is_ascii(), "canary"),
        )
        .header(
            "referer",
            format!("https://register.example/?phone={}", member.phone()),
        )
        .header("cookie", format!("tb_session={}", member.document))
        .header("authorization", format!("Bearer {}", member.phone()))
        .header("x-forwarded-for", format!("{}, evil", member.document));
    client.raw(referred.body(Body::empty()).unwrap()).await;
    tuantibu::actions::erase_expired::erase_expired(&app.app)
        .await
        .unwrap();
    // And everything that fails.
    app.app.store.close().await;
    for (client, method, path, body) in [
        (
            &client,
            "POST",
            "/api/v1/sign-in".to_owned(),
            Some(owner.identity()),
        ),
        (&client, "GET", join.clone(), None),
        (&session, "GET", "/api/v1/me".to_owned(), None),
        (&client, "POST", join.clone(), Some(join_body(&member))),
    ] {
        let (status, headers, bytes) = unchecked(&app, client, method, &path, body).await;
        assert_eq!(status, 500, "{method} {path}");
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        let mut keys: Vec<&str> = problem
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, ["code", "instance", "status", "title", "type"]);
        assert_eq!(problem["code"], "internal");
        secrets.absent_from(&format!("{headers:?}{problem}"), "a failure");
        assert!(
            log.text().contains(problem["instance"].as_str().unwrap()),
            "the log has its cause"
        );
    }
    let log = log.text();
    assert!(
        log.contains("/api/v1/registers/{id}/members/search"),
        "routes are logged as templates"
    );
    secrets.absent_from(&log, "the log");
    for part in [&id, &shown] {
        assert!(!log.contains(part.as_str()), "a path stands in the log");
    }
    assert!(!log.contains("canary"), "a header stands in the log");
}

/// As [`Client::raw`], where a failure is wanted.
async fn unchecked(
    app: &TestApp,
    client: &Client,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, axum::http::HeaderMap, Vec<u8>) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    if let Some(bearer) = &client.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let bytes = body.map_or_else(Vec::new, |body| serde_json::to_vec(&body).unwrap());
    let request = request.body(Body::from(bytes)).unwrap();
    let response = tuantibu::web::router(app.app.clone())
        .oneshot(request)
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), parts.headers, bytes)
}

// One thread, so that its subscriber sees everything.
#[tokio::test]
async fn a_whole_journey_leaves_nothing_in_the_log_of_sqlite() {
    a_whole_journey_leaves_nothing_in_the_log(On::Sqlite).await;
}

#[tokio::test]
async fn a_whole_journey_leaves_nothing_in_the_log_of_postgres() {
    a_whole_journey_leaves_nothing_in_the_log(On::Postgres).await;
}

#[tokio::test]
async fn each_refusal_leaves_a_line_with_its_code() {
    let (log, _guard) = Log::begin();
    let app = TestApp::start(On::Sqlite).await;
    let client = app.client();
    for _ in 0..6 {
        let person = Person::number(1);
        client.post("/api/v1/sign-in", person.identity()).await;
    }
    client.get("/api/v1/me").await;
    client.post("/api/v1/sign-in", json!({ "x": 1 })).await;
    let forged = Request::post("/api/v1/sign-in").header("origin", "https://evil.example");
    client.raw(forged.body(Body::from("{}")).unwrap()).await;
    let log = log.text();
    for (code, times) in [
        ("identity_mismatch", 5),
        ("too_many_attempts", 1),
        ("not_signed_in", 1),
        ("invalid_fields", 1),
        ("foreign_origin", 1),
    ] {
        let line = |line: &&str| line.contains("request_id=") && line.contains(code);
        assert_eq!(log.lines().filter(line).count(), times, "{code}\n{log}");
    }
}
