//! Other keys for the embedded source: its records are sealed and hashed anew in the background, and
//! everybody is found all the while.
use super::{PAST_REST, states, tend};
use crate::{
    app::{Client, Person, Register, TestApp, confirm_path, join_body, owned},
    on_both,
    support::{
        health_source::{Simulator, connector},
        people::{document, name, phone, resident},
        rules,
    },
};
use rusqlite::Connection;
use serde_json::json;
use tuantibu::{
    actions::{refresh_health::refresh_health, rotate_keys::rotate_keys},
    crypto::{Purpose, Table},
    source::{
        HealthSource,
        record::{HealthRecord, read_line},
    },
    web::health_source::Faults,
};

const BOTH: [Purpose; 2] = [Purpose::Source, Purpose::IndexDocument];
const MEMBERS: usize = 6;

fn file(app: &TestApp) -> Connection {
    let file = Connection::open(&app.config.source.url).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    file
}

/// How many records there are, and how many of them are by other keys than a server's active ones.
fn records(app: &TestApp) -> (i64, i64) {
    let keys = &app.app.keys;
    let text = "select count(*), count(*) filter (where substr(record, 2, 5) <> $1 or hashed <> $2) \
                from people";
    let header = keys.header(Table::Source);
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    file(app)
        .query_row(text, rusqlite::params![header, keys.document_key()], row)
        .unwrap()
}

async fn refused(app: &TestApp, register: &Register) {
    let mut stranger = join_body(&Person::number(1));
    stranger["document_number"] = json!(Person::number(77).document);
    let path = format!("/api/v1/join/{}", register.code);
    app.client().post(&path, stranger).await.expect(422);
}

async fn joins(app: &TestApp, register: &Register, n: usize) {
    let person = Person::number(n);
    let path = format!("/api/v1/join/{}", register.code);
    let client: Client = app.client();
    let started = client.post(&path, join_body(&person)).await.expect(202);
    let code = json!({ "code": app.code(person.phone()) });
    client.post(&confirm_path(&started), code).await.expect(200);
}

on_both! {
    async fn changes_that_were_told_before_other_keys_leave_nobody_out(app: TestApp) {
        let simulator = Simulator::start(&app.clock, Faults::default()).await;
        let source = connector(&simulator.url(), &app.app.keys, &app.clock);
        let hash = |n| app.app.keys.document_hash(&document(&resident(n)));
        let cursor = source.cursor().await.unwrap().unwrap();
        let line = json!({
            "name": name(1), "document_type": "resident_id", "document_number": resident(1),
            "phones": [phone(1)], "items": {},
        });
        let record = read_line(&line.to_string()).unwrap();
        let record = HealthRecord::check(&record, &rules()).unwrap();
        simulator.server.source.put(record).await.unwrap();
        let changes = source.changes(&cursor).await.unwrap().unwrap();
        assert!(changes.touch(&hash(1)) && !changes.touch(&hash(2)));
        let before = hash(1);
        rotate_keys(&app.app, &[Purpose::IndexDocument]).await.unwrap();
        for _ in 0..4 {
            tend(&app).await;
            assert!(changes.touch(&hash(1)) && changes.touch(&before));
        }
        app.clock.advance(PAST_REST);
        for _ in 0..4 {
            tend(&app).await;
            assert!(changes.touch(&hash(1)));
        }
        assert_ne!(hash(1), before);
        assert_eq!(states(&app, "index-document").await, ["destroyed", "active"]);
    }
}

on_both! {
    async fn everybody_is_found_while_the_records_are_sealed_and_hashed_anew(app: TestApp) {
        let (_, register) = owned(&app).await;
        for n in 1..=MEMBERS {
            app.member(&register, &Person::number(n)).await;
        }
        for n in MEMBERS + 1..=400 {
            app.put(&Person::number(n), app.healthy()).await;
        }
        refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        let other = app.another().await;
        let (people, left) = records(&app);
        assert_eq!(left, 0);
        rotate_keys(&app.app, &BOTH).await.unwrap();
        tend(&app).await;
        assert_eq!(states(&app, "source").await, ["active", "pending"]);
        tend(&other).await;
        assert_eq!(states(&app, "source").await, ["old", "active"]);
        // The other has gone over with the file, the first finds and writes by the old keys still.
        assert_eq!(records(&other), (people, 0));
        assert!(records(&app).1 > 300);
        for (app, n) in [(&app, 101), (&other, 102)] {
            joins(app, &register, n).await;
            refused(app, &register).await;
        }
        app.put(&Person::number(1), json!({ "health_code": { "value": "red" } })).await;
        app.put(&Person::number(500), app.healthy()).await;
        assert_eq!(records(&other), (people + 1, 2), "replaced, and not there twice");
        let run = refresh_health(&other.app, "test", &|_, _| {}).await.unwrap();
        assert_eq!((run.updated, run.failed), (1, 0), "nobody's change is missed meanwhile");
        tend(&other).await;
        assert_eq!(states(&app, "source").await, ["old", "active"]);
        assert_eq!(records(&other), (people + 1, 0), "what was written since is gone over with, too");
        tend(&app).await;
        tend(&other).await;
        for purpose in ["source", "index-document"] {
            assert_eq!(states(&app, purpose).await, ["unneeded", "active"]);
        }
        app.clock.advance(PAST_REST);
        tend(&app).await;
        tend(&other).await;
        tend(&app).await;
        for purpose in ["source", "index-document"] {
            assert_eq!(states(&app, purpose).await, ["destroyed", "active"]);
        }
        for (app, n) in [(&app, 103), (&other, 500)] {
            joins(app, &register, n).await;
            refused(app, &register).await;
        }
        app.put(&Person::number(2), json!({ "health_code": { "value": "red" } })).await;
        let run = refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        assert_eq!((run.updated, run.failed), (1, 0));
        other.app.holder.let_go().await.unwrap();
        let again = app.restarted(|_| {}).await;
        joins(&again, &register, 104).await;
        refused(&again, &register).await;
    }
}

on_both! {
    async fn a_server_that_is_not_done_with_its_file_keeps_the_keys(app: TestApp) {
        let (_, register) = owned(&app).await;
        app.member(&register, &Person::number(1)).await;
        // A second server with a file of its own, where one record does not open.
        let mut away = app.another().await;
        away.app.holder.let_go().await.unwrap();
        away.config.source.url = app.folder.join("other.db").display().to_string();
        let away = away.another().await;
        for n in 1..=3 {
            away.put(&Person::number(n), away.healthy()).await;
        }
        let broken = "update people set record = cast(substr(record, 1, length(record) - 1) || x'00' as blob) \
                      where document_hash = (select min(document_hash) from people)";
        assert_eq!(file(&away).execute(broken, []).unwrap(), 1);
        rotate_keys(&app.app, &BOTH).await.unwrap();
        for _ in 0..3 {
            tend(&app).await;
            tend(&away).await;
        }
        assert_eq!(records(&away), (3, 1));
        assert_eq!(records(&app).1, 0);
        assert_eq!(states(&app, "source").await, ["old", "active"]);
        assert_eq!(states(&app, "index-document").await, ["old", "active"]);
        // It goes, and nobody waits for it any more.
        away.app.holder.let_go().await.unwrap();
        tend(&app).await;
        assert_eq!(states(&app, "source").await, ["unneeded", "active"]);
    }
}

on_both! {
    async fn a_rotation_that_was_killed_half_way_through_the_file_is_gone_on_with(app: TestApp) {
        owned(&app).await;
        for n in 1..=700 {
            app.put(&Person::number(n), app.healthy()).await;
        }
        rotate_keys(&app.app, &BOTH).await.unwrap();
        let mut work = Box::pin(super::tend_keys(&app.app));
        let left = loop {
            tokio::select! {
                biased;
                ended = &mut work => panic!("nobody looked in time: {ended:?}"),
                () = tokio::time::sleep(std::time::Duration::from_micros(200)) => {}
            }
            let (all, left) = records(&app);
            // Keys are exchanged in memory before the first batch is written.
            if left > 0 && left < all {
                break left;
            }
        };
        drop(work);
        app.app.holder.let_go().await.unwrap();
        let again = app.another().await;
        assert!(records(&again).1 <= left);
        again.clock.advance(again.config.refresh.lease_seconds + 1);
        tend(&again).await;
        assert_eq!(records(&again), (701, 0));
        assert_eq!(states(&again, "source").await, ["unneeded", "active"]);
    }
}
