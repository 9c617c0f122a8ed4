//! A program in memory for tests: its clock stands still until a test moves it, its source and its
//! SMS are the demo's, its database is one of its own.
use crate::support::process::until;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tuantibu::{
    actions::sms_outcomes,
    app::{App, Parts},
    clock::ManualClock,
    config::{Config, SmsKind},
    crypto::random::OsRandom,
    source::{HealthSource, faults::Fault, record},
};

/// Monday noon in Beijing, the week in which the service began.
pub(crate) const START: &str = "2022-11-14T12:00:00+08:00";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// A running program and the folder of its files.
pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: Config,
    pub(crate) folder: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

/// Runs a test once on each engine.
#[macro_export]
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($app:ident: $type:ty) $body:block) => {
        async fn $name($app: $type) $body

        mod $name {
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::app::TestApp::start($crate::app::On::Sqlite).await).await;
            }
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::app::TestApp::start($crate::app::On::Postgres).await).await;
            }
        }
    };
}

impl TestApp {
    pub(crate) async fn start(on: On) -> Self {
        Self::start_with(on, |_| {}).await
    }

    /// Starts with a changed configuration.
    pub(crate) async fn start_with(on: On, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_all(on, None, change).await
    }

    /// Starts with a source of the test's own.
    pub(crate) async fn start_with_source(
        on: On,
        source: Arc<dyn HealthSource>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::start_all(on, Some(source), change).await
    }

    async fn start_all(
        on: On,
        source: Option<Arc<dyn HealthSource>>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mut config = Config::default();
        config.server.public_url = "https://register.example".into();
        config.database.url = match on {
            On::Sqlite => format!("sqlite:{}", path.join("tuantibu.db").display()),
            On::Postgres => new_database().await,
        };
        config.database.connections = 8;
        config.keys.file = path.join("root.key");
        config.source.url = path.join("source.db").display().to_string();
        config.sms.kind = SmsKind::Outbox;
        config.refresh.backoff_seconds = 0;
        change(&mut config);
        let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
        let mut parts = parts(&clock);
        parts.source = source;
        let app = App::start(config.clone(), parts).await.unwrap();
        Self {
            app,
            clock,
            config,
            folder: path,
            _folder: Some(folder),
        }
    }

    /// The same server again with a changed configuration.
    pub(crate) async fn restarted(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        // A store that a test closed lets go by itself.
        let _ = self.app.holder.let_go().await;
        self.app = App::start(self.config.clone(), parts(&self.clock))
            .await
            .unwrap();
        self
    }

    /// A second server on the same database, keys and clock.
    pub(crate) async fn another(&self) -> Self {
        Self {
            app: App::start(self.config.clone(), parts(&self.clock))
                .await
                .unwrap(),
            clock: self.clock.clone(),
            config: self.config.clone(),
            folder: self.folder.clone(),
            _folder: None,
        }
    }

    /// A second server with a changed configuration.
    pub(crate) async fn another_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.config.clone();
        change(&mut config);
        Self {
            app: App::start(config.clone(), parts(&self.clock))
                .await
                .unwrap(),
            clock: self.clock.clone(),
            config,
            folder: self.folder.clone(),
            _folder: None,
        }
    }

    /// A server on another database, with the same keys, files and clock.
    pub(crate) async fn on_copy(&self, url: String) -> Self {
        let mut config = self.config.clone();
        config.database.url = url;
        Self {
            app: App::start(config.clone(), parts(&self.clock))
                .await
                .unwrap(),
            clock: self.clock.clone(),
            config,
            folder: self.folder.clone(),
            _folder: None,
        }
    }

    /// A second server with a source of the test's own.
    pub(crate) async fn another_with_source(&self, source: Arc<dyn HealthSource>) -> Self {
        let mut parts = parts(&self.clock);
        parts.source = Some(source);
        Self {
            app: App::start(self.config.clone(), parts).await.unwrap(),
            clock: self.clock.clone(),
            config: self.config.clone(),
            folder: self.folder.clone(),
            _folder: None,
        }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.config.database.url.starts_with("sqlite:")
    }

    /// A connection of its own to the SQLite database.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        let path = self.config.database.url.strip_prefix("sqlite:");
        rusqlite::Connection::open(path.unwrap()).unwrap()
    }

    pub(crate) fn today(&self) -> Date {
        self.app.today()
    }

    /// Moves the clock to a moment, as `2022-11-15T06:30:00+08:00`.
    pub(crate) fn at(&self, moment: &str) {
        self.clock.set(moment.parse().unwrap());
    }

    /// Puts a person into the sample source.
    pub(crate) async fn put(&self, person: &Person, items: Value) {
        self.put_record(&json!({
            "name": person.name,
            "document_type": "resident_id",
            "document_number": person.document,
            "phones": person.phones,
            "items": items,
        }))
        .await;
    }

    pub(crate) async fn put_record(&self, wire: &Value) {
        let demo = self.app.demo.as_ref().unwrap();
        let sample = demo.sample.as_ref().unwrap();
        let wire: record::WireHealthRecord = serde_json::from_value(wire.clone()).unwrap();
        let rules = sample.rules(self.today());
        let record = record::HealthRecord::check(&wire, &rules).unwrap();
        sample.put(record).await.unwrap();
    }

    pub(crate) async fn remove_from_source(&self, person: &Person) {
        let demo = self.app.demo.as_ref().unwrap();
        let sample = demo.sample.as_ref().unwrap();
        assert_eq!(
            sample
                .remove_number(&person.document, self.today())
                .await
                .unwrap(),
            1
        );
    }

    pub(crate) fn source_is(&self, fault: Fault) {
        self.app.demo.as_ref().unwrap().faults.set(fault);
    }

    pub(crate) fn sms_fails(&self, fails: bool) {
        self.app.demo.as_ref().unwrap().outbox.set_failing(fails);
    }

    /// What became of texts, once that is recorded: a request goes on before.
    pub(crate) async fn sms_outcomes(&self) -> Vec<sms_outcomes::Count> {
        until("an SMS that is recorded", async || {
            let counts = sms_outcomes::counts(&self.app, 1).await.unwrap();
            let open = counts.iter().any(|count| count.state == "reserved");
            (!open).then_some(counts)
        })
        .await
    }

    /// How many messages went to a phone.
    pub(crate) fn sms_count(&self, phone: &str) -> usize {
        let outbox = &self.app.demo.as_ref().unwrap().outbox;
        outbox.messages(Some(phone)).len()
    }

    /// The last code that went to a phone.
    pub(crate) fn code(&self, phone: &str) -> String {
        let outbox = &self.app.demo.as_ref().unwrap().outbox;
        let messages = outbox.messages(Some(phone));
        messages
            .iter()
            .find_map(|message| message.code.clone())
            .unwrap_or_else(|| panic!("no code went out"))
    }
}

fn parts(clock: &Arc<ManualClock>) -> Parts {
    Parts {
        clock: clock.clone(),
        random: Arc::new(OsRandom::new()),
        demo: true,
        source: None,
        recording: true,
    }
}

/// A database of its own on the test's PostgreSQL.
pub(crate) async fn new_database() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let url = crate::services::postgres_url();
    let name = format!(
        "t{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    let statement = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// An invented person, with a resident number of area 110100, which is issued to nobody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) document: String,
    pub(crate) phones: Vec<String>,
}

impl Person {
    /// The n-th grown-up of the tests.
    pub(crate) fn number(n: usize) -> Self {
        let born = format!("{}{:02}{:02}", 1950 + n % 50, 1 + n % 12, 1 + n / 600 % 28);
        Self {
            name: format!("甲{}", han(n)),
            document: resident_id(&born, n % 1000),
            phones: vec![format!("138{:08}", n)],
        }
    }

    /// A child born on a day, whose record holds a guardian's phone.
    pub(crate) fn child(born: &str, guardian: &Person) -> Self {
        Self {
            name: "乙小童".into(),
            document: resident_id(&born.replace('-', ""), 7),
            phones: guardian.phones.clone(),
        }
    }

    pub(crate) fn phone(&self) -> &str {
        &self.phones[0]
    }

    /// The body of a sign-in.
    pub(crate) fn identity(&self) -> Value {
        json!({
            "name": self.name,
            "document_type": "resident_id",
            "document_number": self.document,
            "phone": self.phone(),
        })
    }
}

/// A resident number of area 110100 with a right check digit (GB 11643-1999).
pub(crate) fn resident_id(born: &str, sequence: usize) -> String {
    let body = format!("110100{born}{sequence:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .chars()
        .zip(weights)
        .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
        .sum();
    format!("{body}{}", b"10X98765432"[sum as usize % 11] as char)
}

/// A number in Han digits, so that every test person has a name of their own.
fn han(n: usize) -> String {
    n.to_string()
        .bytes()
        .map(|digit| {
            "零一二三四五六七八九"
                .chars()
                .nth(usize::from(digit - b'0'))
                .unwrap()
        })
        .collect()
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Answer {
    /// The answer's body, which must have come with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The problem's code, which must have come with this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.body
        );
        self.body["code"].as_str().unwrap().to_owned()
    }

    /// The names of the fields that were refused.
    pub(crate) fn fields(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                format!(
                    "{}:{}",
                    error["field"].as_str().unwrap_or("?"),
                    error["code"].as_str().unwrap_or("?")
                )
            })
            .collect()
    }
}

/// Somebody who calls the API.
#[derive(Clone)]
pub(crate) struct Client {
    router: axum::Router,
    pub(crate) bearer: Option<String>,
    address: String,
}

impl TestApp {
    /// A stranger, behind an address.
    pub(crate) fn client(&self) -> Client {
        Client {
            router: tuantibu::web::router(self.app.clone()),
            bearer: None,
            address: "192.0.2.7:40000".into(),
        }
    }

    /// Signs a person in, who is put into the source first.
    pub(crate) async fn sign_in(&self, person: &Person) -> Client {
        let client = self.client();
        let started = client
            .post("/api/v1/sign-in", person.identity())
            .await
            .expect(202);
        client.confirm(self, &started, person.phone()).await
    }

    /// A register of a signed-in owner; its id and code.
    pub(crate) async fn register(&self, owner: &Client) -> Register {
        self.register_with(owner, |_| {}).await
    }

    pub(crate) async fn register_with(
        &self,
        owner: &Client,
        change: impl FnOnce(&mut Value),
    ) -> Register {
        let mut body = terms();
        change(&mut body);
        let made = owner.post("/api/v1/registers", body).await.expect(201);
        Register {
            id: made["id"].as_str().unwrap().to_owned(),
            code: made["code"].as_str().unwrap().to_owned(),
        }
    }

    /// Begins to join and confirms; the answer of the confirmation.
    pub(crate) async fn join(&self, register: &Register, person: &Person) -> Value {
        self.join_with(&self.client(), register, person, |_| {})
            .await
    }

    pub(crate) async fn join_with(
        &self,
        client: &Client,
        register: &Register,
        person: &Person,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let mut body = join_body(person);
        change(&mut body);
        let path = format!("/api/v1/join/{}", register.code);
        let started = client.post(&path, body).await.expect(202);
        client
            .post(
                &confirm_path(&started),
                json!({ "code": self.code(person.phone()) }),
            )
            .await
            .expect(200)
    }

    /// Puts a person into the source with everything in order, and joins.
    pub(crate) async fn member(&self, register: &Register, person: &Person) -> Value {
        self.put(person, self.healthy()).await;
        self.join(register, person).await
    }

    /// Items that meet every requirement of [`terms`] today.
    pub(crate) fn healthy(&self) -> Value {
        json!({
            "health_code": { "value": "green" },
            "nucleic_acid": {
                "result": "negative",
                "sampled_at": tuantibu::clock::rfc3339(self.app.now() - 3_600_000, &self.app.zone),
            },
            "vaccination": { "value": "booster", "doses": 3, "last_on": "2022-03-01" },
        })
    }
}

/// A register's id and code.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    pub(crate) id: String,
    pub(crate) code: String,
}

impl Register {
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/registers/{}{rest}", self.id)
    }
}

/// A register and its owner, who is person 900 of the tests.
pub(crate) async fn owned(app: &TestApp) -> (Client, Register) {
    let owner = Person::number(900);
    app.put(&owner, json!({})).await;
    let session = app.sign_in(&owner).await;
    let register = app.register(&session).await;
    (session, register)
}

/// What the tests' registers ask and require.
pub(crate) fn terms() -> Value {
    json!({
        "organisation": "青禾实验小学",
        "contact": "010-62345678",
        "street_code": "110108011",
        "purpose": "2022 年秋季学期师生健康登记",
        "items": [
            { "item": "health_code", "required": true },
            { "item": "nucleic_acid", "required": true },
            { "item": "vaccination", "required": false },
        ],
        "requirements": [
            { "item": "health_code", "allowed": ["green"] },
            { "item": "nucleic_acid", "max_days": 3 },
        ],
        "departments": ["一年级组", "后勤"],
    })
}

/// A join that consents to everything, in details.
pub(crate) fn join_body(person: &Person) -> Value {
    let mut body = person.identity();
    body["consent"] = json!({
        "accepted": true,
        "version": tuantibu::actions::join_terms::CONSENT_VERSION,
        "items": ["health_code", "nucleic_acid", "vaccination"],
        "sharing": "details",
    });
    body
}

pub(crate) fn confirm_path(started: &Value) -> String {
    format!(
        "/api/v1/verifications/{}/confirm",
        started["verification_id"].as_str().unwrap()
    )
}

impl Client {
    /// The same caller behind another address.
    pub(crate) fn behind(&self, address: &str) -> Self {
        Self {
            address: format!("{address}:40000"),
            ..self.clone()
        }
    }

    /// The same caller with another token, or none.
    pub(crate) fn with(&self, bearer: Option<&str>) -> Self {
        Self {
            bearer: bearer.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Confirms with the last code that went to a phone; the caller with the new session.
    pub(crate) async fn confirm(&self, app: &TestApp, started: &Value, phone: &str) -> Self {
        let confirmed = self
            .post(&confirm_path(started), json!({ "code": app.code(phone) }))
            .await
            .expect(200);
        self.with(Some(confirmed["token"].as_str().unwrap()))
    }

    /// A confirmation token for an action on a register.
    pub(crate) async fn confirmation(
        &self,
        app: &TestApp,
        person: &Person,
        action: &str,
        register: &Register,
    ) -> String {
        let asked = json!({ "action": action, "register_id": register.id });
        let started = self
            .post("/api/v1/me/confirmations", asked)
            .await
            .expect(202);
        let code = json!({ "code": app.code(person.phone()) });
        let confirmed = self.post(&confirm_path(&started), code).await.expect(200);
        confirmed["confirmation_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = axum::http::Request::builder().method(method).uri(path);
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                axum::body::Body::from(serde_json::to_vec(&body).unwrap())
            }
            None => axum::body::Body::empty(),
        };
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        self.raw(request.body(bytes).unwrap()).await
    }

    /// Sends any request at all.
    pub(crate) async fn raw(&self, mut request: axum::http::Request<axum::body::Body>) -> Answer {
        use http_body_util::BodyExt;
        use tower::ServiceExt;
        let peer: std::net::SocketAddr = self.address.parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        assert_ne!(
            status,
            500,
            "{method}",
            method = String::from_utf8_lossy(&bytes)
        );
        Answer {
            status,
            headers,
            bytes,
            body,
        }
    }
}
