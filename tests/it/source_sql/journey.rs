//! The whole program over an authority's database: joining, refreshing, an outage and its end.
use crate::{
    app::{Client, On, Person, TestApp, join_body},
    on_theirs,
    support::{
        fault_proxy::{Fault, FaultProxy},
        their_database::*,
    },
};
use serde_json::{Value, json};
use tuantibu::{
    actions::{refresh_health::refresh_health, retry_pending::retry_pending},
    config::SourceKind,
};

async fn put(theirs: &Theirs, n: usize, code: &str) {
    let Person {
        name,
        document,
        phones,
    } = Person::number(n);
    theirs
        .resident(
            &document,
            &format!(
                "'{name}', '{}', null, '{code}', '3', '2022-03-01', {n}",
                phones[0]
            ),
        )
        .await;
    theirs.test(&document, "1", "2022-11-14 08:00:00").await;
}

async fn members(session: &Client, path: &str) -> Vec<Value> {
    let page = session.get(path).await.expect(200);
    page["members"].as_array().unwrap().clone()
}

on_theirs! {
    async fn people_join_are_refreshed_and_nobody_is_written_off_while_it_is_down(theirs: Theirs) {
        let proxy = FaultProxy::before(theirs.address).await;
        for n in [900, 1, 2, 3, 4] {
            put(&theirs, n, "00").await;
        }
        let mut sql = theirs.config();
        sql.url = theirs.url(proxy.address);
        let app = TestApp::start_with(On::Sqlite, |config| {
            config.source.kind = SourceKind::Sql;
            config.source.timeout_seconds = 2;
            config.source.sql = sql;
            config.refresh.attempts = 1;
        }).await;
        let owner = Person::number(900);
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        for n in 1..=3 {
            app.join(&register, &Person::number(n)).await;
        }
        let refresh = async || refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        let run = refresh().await;
        assert_eq!((run.updated, run.unchanged, run.failed, run.unmatched), (0, 3, 0, 0));
        // One changed, and says so; one is another; one cannot be read.
        theirs.run(&format!(
            "update residents set code = '10', version = 1000 where id_no = '{}';
             update residents set full_name = '别人', version = 1001 where id_no = '{}';
             update residents set code = 'purple', version = 1002 where id_no = '{}'",
            Person::number(1).document, Person::number(2).document, Person::number(3).document,
        )).await;
        app.clock.advance(600);
        let run = refresh().await;
        assert_eq!((run.updated, run.unchanged, run.failed, run.unmatched), (1, 0, 1, 1));
        let path = register.path("/members?limit=200");
        let before = members(&session, &path).await;
        let state = |rows: &[Value], n: usize, item: &str| {
            let name = Person::number(n).name;
            let row = rows.iter().find(|row| row["name"] == name.as_str()).unwrap();
            (row["items"][item]["state"].clone(), row["items"][item]["value"].clone())
        };
        assert_eq!(state(&before, 1, "health_code"), (json!("ok"), json!("red")));
        assert_eq!(state(&before, 2, "health_code").0, "not_matched");
        assert_eq!(state(&before, 3, "health_code"), (json!("ok"), json!("green")));
        // It is gone, and is back.
        for fault in [Fault::Refuse, Fault::Drop, Fault::Garbage] {
            proxy.has(fault).await;
            app.clock.advance(60);
            let run = refresh().await;
            assert_eq!((run.updated, run.unmatched), (0, 0), "{fault:?}");
            let rows = members(&session, &path).await;
            assert_eq!(state(&rows, 1, "health_code"), (json!("ok"), json!("red")), "{fault:?}");
        }
        // Who joins meanwhile waits.
        let late = Person::number(4);
        let path_of_join = format!("/api/v1/join/{}", register.code);
        let pending = app.client().post(&path_of_join, join_body(&late)).await.expect(202);
        assert!(pending["pending_id"].is_string(), "{:?}", pending);
        proxy.has(Fault::None).await;
        retry_pending(&app.app).await.unwrap();
        let waiting = format!("/api/v1/pending/{}", pending["pending_id"].as_str().unwrap());
        let now = app.client().get(&waiting).await.expect(200);
        assert_eq!(now["state"], "matched", "{:?}", now);
        theirs.run("update residents set code = '01', version = 2000 where code = 'purple'").await;
        app.clock.advance(60);
        let run = refresh().await;
        assert_eq!((run.failed, run.unmatched), (0, 1));
        let rows = members(&session, &path).await;
        assert_eq!(state(&rows, 3, "health_code"), (json!("ok"), json!("yellow")));
    }
}

on_theirs! {
    async fn the_program_checks_it_and_refuses_to_start_on_a_wrong_one(theirs: Theirs) {
        use crate::command_line::{configuration, refused, run};
        put(&theirs, 1, "00").await;
        let folder = tempfile::tempdir().unwrap();
        let sql = |url: &str| {
            let mut value = serde_json::to_value(theirs.config()).unwrap();
            value["url"] = json!(url);
            value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            for item in value["items"].as_object_mut().unwrap().values_mut() {
                item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
            let text = toml::to_string(&json!({ "source": { "sql": value } })).unwrap();
            configuration(folder.path(), &format!("kind = \"sql\"\n{text}"))
        };
        let own = theirs.url(theirs.address);
        let output = run(&["config", "check", "--config", &sql(&own)]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        for words in ["source: sql: connected to", "may only read", "right columns", "sample person found: yes", "its clock is"] {
            assert!(said.contains(words), "{words} is not in {said}");
        }
        let nobody = "127.0.0.1:9";
        let down = own.replace(&theirs.address.to_string(), nobody);
        let output = run(&["config", "check", "--config", &sql(&down)]);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("source: sql: does not work"), "{said}");
        assert!(!said.contains(PASSWORD) && !String::from_utf8_lossy(&output.stderr).contains(PASSWORD));
        theirs.run("alter table residents drop column landline").await;
        for command in [&["config", "check"][..], &["refresh"]] {
            refused(&[command, &["--config", &sql(&own)]].concat(), &["source.sql.batch", "landline"]);
        }
    }
}
