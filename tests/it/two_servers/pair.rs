//! Two `serve` processes, A and B, on one PostgreSQL database, one hospital and one gateway.
use super::hospital::Hospital;
pub(crate) use crate::support::process::{Caller, Server, until};
use crate::{
    app::{Person, Register, confirm_path, join_body, new_database, terms},
    support::{process::program, receiver::Receiver},
    world::text,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// Both servers and what they share.
pub(crate) struct Pair {
    pub(crate) a: Server,
    pub(crate) b: Server,
    pub(crate) hospital: Hospital,
    pub(crate) sms: Receiver,
    pub(crate) database: String,
    pub(crate) pool: PgPool,
    folder: tempfile::TempDir,
}

/// Limits that no test of anything else runs into.
pub(crate) const LIFTED: &str = "posts_address = 1000000000\nconfirms_address = 1000000000\n\
    previews_address = 1000000000\nsms_site_hour = 1000000000\nreads_session = 1000000000\n";

impl Pair {
    /// Both start at the same moment on a database that nobody has used, with `limits` as the
    /// lines of that section.
    pub(crate) async fn start(limits: &str) -> Self {
        Self::start_with(limits, 30).await
    }

    /// The same with leases of so many seconds, for a test that waits for their end.
    pub(crate) async fn start_with(limits: &str, lease: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hospital, sms) = (Hospital::start().await, Receiver::start().await);
        let database = new_database().await;
        for server in ["a", "b"] {
            let text = format!(
                "[server]\npublic_url = \"https://register.example\"\n\
                 [database]\nurl = \"{database}\"\nconnections = 8\n\
                 [keys]\nfile = \"{key}\"\n\
                 [source]\nkind = \"fhir\"\nurl = \"{base}\"\ntimeout_seconds = 60\n\
                 [sms]\nkind = \"webhook\"\nurl = \"{sms}\"\nsecret_file = \"{secret}\"\n\
                 [refresh]\nbatch = 1\nlease_seconds = {lease}\n\
                 [limits]\n{limits}",
                key = folder.path().join("root.key").display(),
                base = hospital.base(server),
                sms = sms.url,
                secret = sms.secret_file().display(),
            );
            fs::write(config_of(folder.path(), server), text).unwrap();
        }
        let (a, b) = tokio::join!(start(folder.path(), "a"), start(folder.path(), "b"));
        let pool = PgPool::connect(&database).await.unwrap();
        let pair = Self {
            a,
            b,
            hospital,
            sms,
            database,
            pool,
            folder,
        };
        // A new database is due at once, over nobody.
        pair.finished(1).await;
        pair
    }

    /// Starts A anew, as after a crash.
    pub(crate) async fn restart_a(&mut self) {
        self.a = start(self.folder.path(), "a").await;
    }

    /// One of the operator's commands.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let config = config_of(self.folder.path(), "b");
        program()
            .args(arguments)
            .arg("--config")
            .arg(config)
            .output()
            .unwrap()
    }

    /// A number of the database.
    pub(crate) async fn number(&self, text: &'static str) -> i64 {
        sqlx::query_scalar(text)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Waits until so many runs have finished in all: `[updated, unchanged, failed, unmatched]` of
    /// the last.
    pub(crate) async fn finished(&self, runs: i64) -> [i64; 4] {
        until("the end of a refresh", async || {
            let done = "select count(*) from refresh_runs where finished_at is not null";
            (self.number(done).await >= runs).then_some(())
        })
        .await;
        let last = "select updated, unchanged, failed, unmatched from refresh_runs \
                    order by started_at desc limit 1";
        let (updated, unchanged, failed, unmatched) =
            sqlx::query_as(last).fetch_one(&self.pool).await.unwrap();
        [updated, unchanged, failed, unmatched]
    }

    /// Makes a refresh due, as if every run had been two days earlier.
    pub(crate) async fn is_due(&self) {
        let earlier = "update refresh_runs set started_at = started_at - 172800000";
        sqlx::query(earlier).execute(&self.pool).await.unwrap();
    }

    /// Signs a person in through a server.
    pub(crate) async fn sign_in(&self, server: &Server, person: &Person) -> Caller {
        let caller = server.caller();
        let begun = caller.post("/api/v1/sign-in", person.identity()).await;
        let confirmed = self.confirm(&caller, &begun.expect(202), person).await;
        caller.with(confirmed["token"].as_str())
    }

    /// Confirms with the last code that came for a person.
    pub(crate) async fn confirm(&self, caller: &Caller, begun: &Value, person: &Person) -> Value {
        let code = json!({ "code": self.sms.code(person.phone()) });
        caller.post(&confirm_path(begun), code).await.expect(200)
    }

    /// A register that asks for the test alone.
    pub(crate) async fn register(&self, owner: &Caller) -> Register {
        let mut body = terms();
        body["items"] = json!([{ "item": "nucleic_acid", "required": true }]);
        body["requirements"] = json!([{ "item": "nucleic_acid", "max_days": 3 }]);
        body["departments"] = json!([]);
        let made = owner.post("/api/v1/registers", body).await.expect(201);
        Register {
            id: text(&made["id"]),
            code: text(&made["code"]),
        }
    }

    /// Begins to join through a server; the path of the confirmation and its body.
    pub(crate) async fn begin(
        &self,
        server: &Server,
        register: &Register,
        person: &Person,
    ) -> (String, Value) {
        let mut body = join_body(person);
        body["consent"]["items"] = json!(["nucleic_acid"]);
        let path = format!("/api/v1/join/{}", register.code);
        let begun = server.caller().post(&path, body).await.expect(202);
        let code = json!({ "code": self.sms.code(person.phone()) });
        (confirm_path(&begun), code)
    }

    /// Joins through a server.
    pub(crate) async fn join(
        &self,
        server: &Server,
        register: &Register,
        person: &Person,
    ) -> Value {
        let (path, code) = self.begin(server, register, person).await;
        server.caller().post(&path, code).await.expect(200)
    }
}

async fn start(folder: &Path, server: &str) -> Server {
    let log = folder.join(format!("{server}.log"));
    Server::start(&config_of(folder, server), &log).await
}

fn config_of(folder: &Path, server: &str) -> PathBuf {
    folder.join(format!("{server}.toml"))
}

/// Every row of a list.
pub(crate) async fn list(owner: &Caller, register: &Register) -> Vec<Value> {
    let page = owner.get(&register.path("/members?limit=200")).await;
    page.expect(200)["members"].as_array().unwrap().clone()
}
