//! The audit log: what is changed in it is found, and what is honest verifies.
mod chain;
mod looks;
mod pruning;
mod tampering;

use crate::app::{Client, Person, Register, TestApp, owned};
use serde_json::json;
use std::process::{Command, Output};
use tuantibu::{
    actions::{
        chain_audit::chain_audit,
        verify_audit::{Verified, verify_audit},
    },
    anchor,
};

/// Somebody who can write the database, and has no key.
enum Intruder {
    Sqlite(rusqlite::Connection),
    Postgres(sqlx::PgPool),
}

impl Intruder {
    async fn into(app: &TestApp) -> Self {
        let url = &app.config.database.url;
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let database = rusqlite::Connection::open(path).unwrap();
                database
                    .busy_timeout(std::time::Duration::from_secs(5))
                    .unwrap();
                Self::Sqlite(database)
            }
            None => Self::Postgres(sqlx::PgPool::connect(url).await.unwrap()),
        }
    }

    /// Runs statements; how many rows they touched.
    async fn run(&self, text: &str) -> u64 {
        match self {
            Self::Sqlite(database) => {
                let before = database.total_changes();
                database.execute_batch(text).unwrap();
                database.total_changes() - before
            }
            Self::Postgres(pool) => sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned()))
                .execute(pool)
                .await
                .unwrap()
                .rows_affected(),
        }
    }

    async fn number(&self, text: &str) -> i64 {
        match self {
            Self::Sqlite(database) => database.query_row(text, [], |row| row.get(0)).unwrap(),
            Self::Postgres(pool) => {
                let number = sqlx::query_scalar(sqlx::AssertSqlSafe(text.to_owned()));
                number.fetch_one(pool).await.unwrap()
            }
        }
    }

    /// Puts the log aside, to take it back after a change.
    async fn save(&self) {
        for table in TABLES {
            self.run(&format!(
                "create table saved_{table} as select * from {table}"
            ))
            .await;
        }
    }

    async fn restore(&self) {
        for table in TABLES {
            self.run(&format!(
                "delete from {table}; insert into {table} select * from saved_{table}"
            ))
            .await;
        }
    }
}

const TABLES: [&str; 3] = ["audit_events", "audit_chain", "audit_checkpoint"];

/// A register with members at whom somebody looked; all of it is in the chain.
async fn log_of(app: &TestApp) -> (Client, Register) {
    let (owner, register) = owned(app).await;
    for n in 1..=3 {
        app.member(&register, &Person::number(n)).await;
    }
    look(&owner, &register).await;
    assert!(chain_audit(&app.app).await.unwrap() >= 6);
    (owner, register)
}

/// One more entry.
async fn look(owner: &Client, register: &Register) {
    let body = json!({ "name": "甲" });
    owner
        .post(&register.path("/members/search"), body)
        .await
        .expect(200);
}

async fn verified(app: &TestApp) -> Verified {
    let anchors = app
        .config
        .audit
        .anchor_file
        .as_deref()
        .filter(|path| path.exists());
    let anchors = anchors
        .map(|path| anchor::read(path).unwrap().0)
        .unwrap_or_default();
    verify_audit(&app.app, &anchors).await.unwrap()
}

#[track_caller]
fn bad(verified: &Verified) -> (&str, &str) {
    let bad = verified.first_bad.as_ref().expect("it verifies");
    (&bad.entry, bad.why)
}

/// `tuantibu audit …` on a test's database.
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]
fn command(app: &TestApp, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tuantibu"))
        .arg("audit")
        .args(arguments)
        .current_dir(&app.folder)
        .env("TUANTIBU_DATABASE__URL", &app.config.database.url)
        .env("TUANTIBU_KEYS__FILE", &app.config.keys.file)
        .env("TUANTIBU_SOURCE__URL", &app.config.source.url)
        .output()
        .unwrap()
}
