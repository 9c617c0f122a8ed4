//! The webhook: what is posted and how it is signed, what a gateway that fails costs, and that
//! nothing of a message stands in a log.
use crate::{
    app::{On, Person, TestApp, confirm_path, join_body},
    leaks::Log,
    services,
    support::{
        fake_fhir::Sentinel,
        file,
        receiver::{Received, Receiver, Reply, SECRET, hmac_sha256},
    },
    world::text,
};
use serde_json::json;
use std::process::{Command, Stdio};
use tuantibu::{actions::retry_pending, source::faults::Fault};

/// A program whose gateway is the receiver, with no more tries than one.
async fn start(on: On, receiver: &Receiver) -> TestApp {
    TestApp::start_with(on, |config| {
        receiver.serve(config);
        config.sms.timeout_seconds = 1;
        config.limits.sms_phone = 1;
        config.limits.mismatches_document = 1;
        config.limits.mismatches_document_address = 1;
        config.limits.mismatches_phone = 1;
        config.limits.mismatches_phone_address = 1;
        config.limits.mismatches_address_hour = 1;
    })
    .await
}

fn signature(received: &Received, key: &str) -> String {
    let mut message = received.header("x-tuantibu-timestamp").as_bytes().to_vec();
    message.push(b'.');
    message.extend_from_slice(&received.bytes);
    format!("sha256={}", hmac_sha256(key.as_bytes(), &message))
}

async fn is_signed(on: On) {
    let receiver = Receiver::start().await;
    let app = start(on, &receiver).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202);
    let all = receiver.received();
    assert_eq!(all.len(), 1);
    let sms = &all[0];
    assert_eq!((sms.method.as_str(), sms.uri.path()), ("POST", "/sms"));
    assert_eq!(sms.header("content-type"), "application/json");
    let mut keys: Vec<&str> = sms
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["code", "message_id", "phone", "sent_at", "text"]);
    assert_eq!(sms.body["phone"], format!("+86{}", person.phone()));
    assert_eq!(sms.body["sent_at"], crate::app::START);
    assert_eq!(sms.header("idempotency-key"), text(&sms.body["message_id"]));
    assert_eq!(sms.header("x-tuantibu-timestamp"), "1668398400");
    assert_eq!(
        sms.header("x-tuantibu-signature"),
        signature(sms, SECRET),
        "by the key of the file, without its line end"
    );
    let other = signature(sms, &SECRET.replace('0', "1"));
    assert_ne!(sms.header("x-tuantibu-signature"), other);
    let code = text(&sms.body["code"]);
    assert!(text(&sms.body["text"]).contains(&code));
    client
        .post(&confirm_path(&started), json!({ "code": code }))
        .await
        .expect(200);
    // What the documentation tells operators to check lets this one pass, and no other.
    assert!(documented_check(sms, 1_668_398_460));
    assert!(!documented_check(sms, 1_668_398_400 + 3600), "replayed");
    let mut altered = sms.clone();
    altered.bytes.push(b' ');
    assert!(!documented_check(&altered, 1_668_398_460), "altered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_posted_signed_and_lets_its_reader_in_on_sqlite() {
    is_signed(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_posted_signed_and_lets_its_reader_in_on_postgres() {
    is_signed(On::Postgres).await;
}

/// Runs the check that docs/OPERATING.md shows.
#[expect(
    clippy::disallowed_methods,
    reason = "the documentation's example is a program"
)]
fn documented_check(received: &Received, now: i64) -> bool {
    use std::io::Write;
    let page = std::fs::read_to_string(file("../docs/OPERATING.md")).unwrap();
    let from = page.find("```python\n").unwrap() + "```python\n".len();
    let example = &page[from..from + page[from..].find("```").unwrap()];
    let program = format!(
        "{example}\nimport sys\ntime.time = lambda: {now}\n\
         headers = {{'X-Tuantibu-Timestamp': sys.argv[1], 'X-Tuantibu-Signature': sys.argv[2]}}\n\
         print(ours(headers, sys.stdin.buffer.read(), sys.argv[3].encode()))\n"
    );
    let mut python = Command::new(services::python())
        .args(["-c", &program])
        .arg(received.header("x-tuantibu-timestamp"))
        .arg(received.header("x-tuantibu-signature"))
        .arg(SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(&received.bytes).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    match String::from_utf8(output.stdout).unwrap().trim() {
        "True" => true,
        "False" => false,
        other => panic!("the example prints {other}"),
    }
}

/// What the database says became of each SMS.
async fn reasons(app: &TestApp) -> Vec<(i64, Option<String>)> {
    app.sms_outcomes().await;
    let text = "select state, reason from sms_messages order by reserved_at, id";
    if app.is_sqlite() {
        let database = app.sqlite();
        let mut statement = database.prepare(text).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        return rows.unwrap().collect::<Result<_, _>>().unwrap();
    }
    let pool = sqlx::PgPool::connect(&app.config.database.url)
        .await
        .unwrap();
    sqlx::query_as(text).fetch_all(&pool).await.unwrap()
}

async fn costs_no_try(on: On) {
    let receiver = Receiver::start().await;
    let sentinel = Sentinel::start().await;
    let app = start(on, &receiver).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let client = app.client();
    let mut wanted = Vec::new();
    for (reply, reason) in [
        (Reply::Status(500), "status 500"),
        (Reply::Status(400), "status 400"),
        (Reply::Status(404), "status 404"),
        (Reply::Redirect(sentinel.url.clone()), "it redirects"),
        (Reply::Silence, "no answer in time"),
    ] {
        receiver.answers(reply);
        // The clock stands: a retry is allowed at once.
        let answer = client.post("/api/v1/sign-in", person.identity()).await;
        assert_eq!(answer.problem(503), "sms_not_sent", "{reason}");
        wanted.push(reason);
    }
    assert_eq!(receiver.received().len(), wanted.len(), "each came once");
    assert_eq!(sentinel.heard(), 0, "a redirect is not followed");
    let mut found: Vec<String> = Vec::new();
    for (state, reason) in reasons(&app).await {
        let reason = reason.unwrap();
        // Who says nothing may have taken it.
        assert_eq!(state, if reason == "no answer in time" { 3 } else { 2 });
        found.push(reason);
    }
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    // A taken message is sent, whatever its answer goes on to say.
    receiver.answers(Reply::Endless);
    let started = client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202);
    // That one is counted.
    app.clock.advance(61);
    let resend = format!(
        "/api/v1/verifications/{}/resend",
        text(&started["verification_id"])
    );
    let again = client.post(&resend, json!({})).await;
    assert_eq!(again.problem(429), "too_many_attempts", "one a day");
    client
        .post(
            &confirm_path(&started),
            json!({ "code": receiver.code(person.phone()) }),
        )
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_takes_nothing_says_so_and_costs_no_try_on_sqlite() {
    costs_no_try(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_takes_nothing_says_so_and_costs_no_try_on_postgres() {
    costs_no_try(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_not_there_says_so() {
    let receiver = Receiver::start().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let app = TestApp::start_with(On::Sqlite, |config| {
        receiver.serve(config);
        config.sms.url = nobody;
    })
    .await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    for _ in 0..5 {
        let answer = app
            .client()
            .post("/api/v1/sign-in", person.identity())
            .await;
        assert_eq!(answer.problem(503), "sms_not_sent");
    }
    for (state, reason) in reasons(&app).await {
        assert_eq!(state, 2);
        assert!(reason.unwrap().starts_with("no connection: "));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_that_is_tried_again_keeps_its_id_and_holds_no_code() {
    let receiver = Receiver::start().await;
    let app = TestApp::start_with(On::Sqlite, |config| receiver.serve(config)).await;
    let owner = Person::number(900);
    app.put(&owner, json!({})).await;
    let client = app.client();
    let started = client
        .post("/api/v1/sign-in", owner.identity())
        .await
        .expect(202);
    let code = json!({ "code": receiver.code(owner.phone()) });
    let session = client.post(&confirm_path(&started), code).await.expect(200);
    let register = app.register(&client.with(session["token"].as_str())).await;
    let person = Person::number(1);
    app.put(&person, app.healthy()).await;
    app.source_is(Fault::Down);
    client
        .post(
            &format!("/api/v1/join/{}", register.code),
            join_body(&person),
        )
        .await
        .expect(202);
    app.source_is(Fault::Ok);
    retry_pending::retry_pending(&app.app).await.unwrap();
    receiver.answers(Reply::Status(503));
    retry_pending::send_due(&app.app).await.unwrap();
    app.clock.advance(3600);
    receiver.answers(Reply::Status(202));
    retry_pending::send_due(&app.app).await.unwrap();
    let invitations: Vec<Received> = receiver
        .received()
        .into_iter()
        .filter(|sms| sms.body["phone"] == format!("+86{}", person.phone()))
        .collect();
    assert_eq!(invitations.len(), 2);
    let key = |n: usize| invitations[n].header("idempotency-key").to_owned();
    assert_eq!(key(0), key(1));
    assert!(invitations.iter().all(|sms| sms.body.get("code").is_none()));
}

async fn nothing_in_the_log(on: On) {
    let (log, _guard) = Log::at(tracing::Level::TRACE);
    let receiver = Receiver::start().await;
    let app = start(on, &receiver).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    for reply in [
        Reply::Status(500),
        Reply::Silence,
        Reply::Redirect("http://127.0.0.1:1/".into()),
        Reply::Status(200),
    ] {
        receiver.answers(reply);
        app.client()
            .post("/api/v1/sign-in", person.identity())
            .await;
    }
    let log = log.text();
    assert!(log.contains("an SMS was not sent") && log.contains("webhook"));
    assert!(log.contains(" TRACE "), "the log is of every level");
    for sms in receiver.received() {
        for secret in [&sms.body["phone"], &sms.body["text"], &sms.body["code"]] {
            assert!(!log.contains(&text(secret)), "{secret} stands in the log");
        }
        assert!(!log.contains(sms.header("x-tuantibu-signature")));
    }
    for secret in [person.phone(), &person.document, &person.name, SECRET] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

// One thread, so that its subscriber sees everything.
#[tokio::test]
async fn nothing_of_a_message_stands_in_a_log_of_any_level_on_sqlite() {
    nothing_in_the_log(On::Sqlite).await;
}

#[tokio::test]
async fn nothing_of_a_message_stands_in_a_log_of_any_level_on_postgres() {
    nothing_in_the_log(On::Postgres).await;
}
