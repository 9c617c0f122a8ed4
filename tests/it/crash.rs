//! The server killed under load, over and over: what was acknowledged stands, what was not stands
//! whole or not at all, and nobody who left is brought back.
//!
//! Some kills an engine in every run; `make crashes` does 200 on each, with other seeds.
mod group;

use crate::{
    app::{On, Person, new_database},
    rows,
    support::{
        process::{Server, program},
        receiver::Receiver,
        variable,
    },
};
use group::{Done, Group, Random};
use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;
use tuantibu::model::id::Id;

/// How many groups are at work at the same time.
const GROUPS: usize = 8;
/// After at most so many acknowledged changes the server is killed.
const MOST_CHANGES: u64 = 40;

/// Where the server lives.
struct Place {
    url: String,
    config: PathBuf,
    log: PathBuf,
    sms: Receiver,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new(on: On) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().to_owned();
        let path = |name: &str| within.join(name);
        let sms = Receiver::start().await;
        let url = match on {
            On::Sqlite => format!("sqlite:{}", path("tuantibu.db").display()),
            On::Postgres => new_database().await,
        };
        let lifted = [
            "mismatches_document_address",
            "mismatches_document",
            "mismatches_phone_address",
            "mismatches_phone",
            "mismatches_address_hour",
            "posts_address",
            "confirms_address",
            "previews_address",
            "unknown_codes_address",
            "reads_session",
            "sms_site_hour",
            "sms_phone",
            "creations_person",
        ];
        let lifted: Vec<String> = lifted.map(|own| format!("{own} = 1000000000\n")).into();
        // A refresh is due every minute, so that kills come amidst refreshes too.
        let minutes = (0..24 * 60).map(|at| format!("\"{:02}:{:02}\"", at / 60, at % 60));
        let text = format!(
            "[server]\npublic_url = \"https://register.example\"\n\
             [database]\nurl = \"{url}\"\n[keys]\nfile = \"{key}\"\n\
             [source]\nkind = \"embedded\"\nurl = \"{source}\"\n\
             [sms]\nkind = \"webhook\"\nurl = \"{sms}\"\nsecret_file = \"{secret}\"\n\
             [refresh]\nat = [{at}]\nlease_seconds = 3\n\
             [limits]\nresend_seconds = 0\n{lifted}",
            key = path("root.key").display(),
            source = path("source.db").display(),
            secret = sms.secret_file().display(),
            sms = sms.url,
            at = minutes.collect::<Vec<_>>().join(", "),
            lifted = lifted.concat(),
        );
        fs::write(path("serve.toml"), text).unwrap();
        let people = group::everybody(GROUPS).map(|person| record(&person));
        fs::write(path("people.ndjson"), people.collect::<String>()).unwrap();
        let place = Self {
            url,
            config: path("serve.toml"),
            log: path("serve.log"),
            sms,
            _folder: folder,
        };
        place.command(&["source", "import", path("people.ndjson").to_str().unwrap()]);
        place
    }

    /// One of the operator's commands, which must succeed.
    fn command(&self, arguments: &[&str]) {
        let done = program()
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{arguments:?}: {said}");
    }

    async fn start(&self) -> Server {
        Server::start(&self.config, &self.log).await
    }

    /// No message came twice, and each has the record that was made before it was sent.
    async fn assert_messages(&self) {
        let came: Vec<Id> = self
            .sms
            .received()
            .iter()
            .map(|sms| Id::parse(sms.body["message_id"].as_str().unwrap()).unwrap())
            .collect();
        let different: BTreeSet<&[u8]> = came.iter().map(Id::bytes).collect();
        assert_eq!(different.len(), came.len(), "a message was sent twice");
        let recorded = rows::messages(&self.url).await;
        for id in different {
            assert!(recorded.contains(id), "a message without a record");
        }
    }
}

fn record(person: &Person) -> String {
    let record = serde_json::json!({
        "name": person.name,
        "document_type": "resident_id",
        "document_number": person.document,
        "phones": person.phones,
        "items": { "health_code": { "value": "green" } },
    });
    format!("{record}\n")
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(otherwise, |text| text.parse().unwrap())
}

async fn every_kill_leaves_what_was_acknowledged(on: On) {
    // What `make test` hands over must be there, whichever the engine.
    let _ = variable("TUANTIBU_TEST_POSTGRES");
    let (kills, seed) = (number("TUANTIBU_KILLS", 6), number("TUANTIBU_SEED", 1));
    let mut random = Random(seed);
    let place = Arc::new(Place::new(on).await);
    let mut groups: Vec<Group> = (0..GROUPS)
        .map(|n| Group::new(n, Random(seed * 1000 + n as u64)))
        .collect();
    let mut done = Done::default();
    for kill in 0..=kills {
        let mut server = place.start().await;
        for group in &mut groups {
            group.settle(&server.caller(), &place.sms).await;
        }
        rows::assert_whole_at(&place.url).await;
        place.assert_messages().await;
        place.command(&["audit", "verify"]);
        if kill == kills {
            break;
        }
        // Every group goes on until it gets no answer.
        let changes = Arc::new((AtomicU64::new(0), Notify::new()));
        let most = 1 + random.below(MOST_CHANGES);
        let working = groups.drain(..).map(|mut group| {
            let (place, caller, changes) = (place.clone(), server.caller(), changes.clone());
            tokio::spawn(async move {
                while group.change(&caller, &place.sms).await.is_some() {
                    if changes.0.fetch_add(1, Ordering::Relaxed) + 1 == most {
                        changes.1.notify_one();
                    }
                }
                group
            })
        });
        let working: Vec<_> = working.collect();
        changes.1.notified().await;
        server.kill();
        for group in working {
            groups.push(group.await.unwrap());
        }
    }
    for group in &groups {
        done += group.done;
    }
    let engine = place.url.split(':').next().unwrap_or_default();
    println!("{engine}: seed {seed}: {kills} kills, {done:?}");
    assert!(done.joins > 0 && done.unanswered > 0, "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kill_leaves_what_was_acknowledged_on_sqlite() {
    every_kill_leaves_what_was_acknowledged(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kill_leaves_what_was_acknowledged_on_postgres() {
    every_kill_leaves_what_was_acknowledged(On::Postgres).await;
}
