//! No name, document, phone or code stands anywhere in clear, and who left is gone from the rows.
use crate::{
    app::{Person, TestApp},
    on_both,
};
use serde_json::json;
use sqlx::Row;
use tuantibu::{
    actions::overwrite_erased::overwrite_erased,
    model::document::{Document, DocumentType},
    store::persons,
};

/// Everything that the database holds.
pub(crate) struct Dump {
    pub(crate) bytes: Vec<u8>,
    pub(crate) persons: bool,
}

/// Reads every file of a SQLite database, or every row of a PostgreSQL one.
pub(crate) async fn dump(app: &TestApp) -> Dump {
    if app.is_sqlite() {
        let mut bytes = Vec::new();
        for file in [
            "tuantibu.db",
            "tuantibu.db-wal",
            "source.db",
            "source.db-wal",
        ] {
            bytes.extend(std::fs::read(app.folder.join(file)).unwrap_or_default());
        }
        let count = "select count(*) from persons";
        let persons: i64 = app.sqlite().query_row(count, [], |row| row.get(0)).unwrap();
        return Dump {
            bytes,
            persons: persons > 0,
        };
    }
    let pool = sqlx::PgPool::connect(&app.config.database.url)
        .await
        .unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut bytes = Vec::new();
    for table in tables {
        let statement = sqlx::AssertSqlSafe(format!("select t::text from {table} t"));
        for row in sqlx::query(statement).fetch_all(&pool).await.unwrap() {
            bytes.extend(row.get::<String, _>(0).into_bytes());
        }
    }
    let persons: i64 = sqlx::query_scalar("select count(*) from persons")
        .fetch_one(&pool)
        .await
        .unwrap();
    Dump {
        bytes,
        persons: persons > 0,
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Whether a row is found by a person's document.
pub(crate) async fn holds_document(app: &TestApp, person: &Person) -> bool {
    let kind = DocumentType::ResidentId;
    let document = Document::parse(kind, &person.document, app.today()).unwrap();
    let hash = app.app.keys.document_hashes(&document);
    let mut tx = app.app.store.read().await.unwrap();
    persons::by_document(&mut tx, &hash)
        .await
        .unwrap()
        .is_some()
}

on_both! {
    async fn a_stolen_database_tells_no_name_number_or_code(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        let people: Vec<Person> = (1..=10).map(Person::number).collect();
        let mut secrets: Vec<Vec<u8>> = Vec::new();
        for person in &people {
            let joined = app.member(&register, person).await;
            secrets.push(joined["authorization"]["leave_link"].as_str().unwrap().into());
            secrets.push(joined["token"].as_str().unwrap().into());
            for text in [&person.name, &person.document, &person.phones[0]] {
                secrets.push(text.clone().into_bytes());
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
                secrets.push(hash.as_ref().to_vec());
                let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                secrets.push(hex.into_bytes());
            }
        }
        secrets.push(register.code.clone().into_bytes());
        secrets.push(owner.name.clone().into_bytes());
        let dump = dump(&app).await;
        assert!(dump.persons);
        for secret in &secrets {
            assert!(!holds(&dump.bytes, secret), "{}", String::from_utf8_lossy(secret));
        }
    }
}

on_both! {
    async fn who_left_is_gone_from_every_row(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let document = Document::parse(
            DocumentType::ResidentId, &person.document, app.today(),
        ).unwrap();
        let hash = app.app.keys.document_hash(&document);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let before = dump(&app).await;
        assert!(holds(&before.bytes, if app.is_sqlite() { &hash } else { hex.as_bytes() }));
        let link = format!("/api/v1/leave/{}", joined["authorization"]["leave_link"].as_str().unwrap());
        app.client().post(&link, json!({})).await.expect(200);
        app.clock.advance(86_400);
        tuantibu::actions::erase_expired::erase_expired(&app.app).await.unwrap();
        if app.is_sqlite() {
            app.app.store.close().await;
        }
        let after = if app.is_sqlite() {
            std::fs::read(app.folder.join("tuantibu.db")).unwrap()
        } else {
            dump(&app).await.bytes
        };
        assert!(!holds(&after, if app.is_sqlite() { &hash } else { hex.as_bytes() }));
    }
}

on_both! {
    async fn a_snapshot_put_in_anothers_place_does_not_open_and_costs_nobody_else_a_row(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        for n in 1..=3 {
            app.member(&register, &Person::number(n)).await;
        }
        // Whoever can write the database gives one person another's sealed items.
        let swap = "update snapshots set items = \
                    (select items from snapshots order by person_id desc limit 1) where person_id = \
                    (select person_id from snapshots order by person_id limit 1)";
        if app.is_sqlite() {
            app.sqlite().execute(swap, []).unwrap();
        } else {
            let pool = sqlx::PgPool::connect(&app.config.database.url).await.unwrap();
            sqlx::query(swap).execute(&pool).await.unwrap();
        }
        session.patch(&register.path(""), json!({ "contact": "010-62345679" })).await.expect(200);
        let list = session.get(&register.path("/members")).await.expect(200);
        let mut states: Vec<&str> = list["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["items"]["health_code"]["state"].as_str().unwrap())
            .collect();
        states.sort_unstable();
        assert_eq!(states, ["ok", "ok", "source_unavailable"]);
    }
}

/// The bytes of the files that hold the tables and indexes of persons, while the server is at work.
async fn files(app: &TestApp) -> Vec<u8> {
    if app.is_sqlite() {
        let files = ["tuantibu.db", "tuantibu.db-wal"];
        let bytes = files.map(|file| std::fs::read(app.folder.join(file)).unwrap_or_default());
        return bytes.concat();
    }
    let pool = sqlx::PgPool::connect(&app.config.database.url)
        .await
        .unwrap();
    sqlx::query("checkpoint").execute(&pool).await.unwrap();
    let folder: String = sqlx::query_scalar("show data_directory")
        .fetch_one(&pool)
        .await
        .unwrap();
    let of_tables = "select pg_relation_filepath(c.oid) from pg_class c \
        join pg_namespace n on n.oid = c.relnamespace \
        where n.nspname in ('public', 'pg_toast') and c.relkind in ('r', 'i', 't') \
        and pg_relation_filepath(c.oid) is not null";
    let paths: Vec<String> = sqlx::query_scalar(of_tables)
        .fetch_all(&pool)
        .await
        .unwrap();
    let read = |path: &String| std::fs::read(std::path::Path::new(&folder).join(path));
    // A table that was written anew meanwhile has another file by now.
    paths
        .iter()
        .filter_map(|path| read(path).ok())
        .flatten()
        .collect()
}

on_both! {
    async fn sealed_bytes_and_hashes_of_who_left_are_gone_from_the_files_after_the_nightly_overwriting(
        app: TestApp
    ) {
        let (_, register) = crate::app::owned(&app).await;
        assert!(!overwrite_erased(&app.app).await.unwrap(), "not before its time");
        let mut links = Vec::new();
        for n in 1..=40 {
            let joined = app.member(&register, &Person::number(n)).await;
            links.push(joined["authorization"]["leave_link"].as_str().unwrap().to_owned());
        }
        let mut gone = Vec::new();
        let mut stay = Vec::new();
        for n in 1..=40 {
            let kind = DocumentType::ResidentId;
            let document = Document::parse(kind, &Person::number(n).document, app.today()).unwrap();
            let hashes = app.app.keys.document_hashes(&document);
            let mut tx = app.app.store.read().await.unwrap();
            let row = persons::by_document(&mut tx, &hashes).await.unwrap().unwrap();
            let snapshot = tuantibu::store::snapshots::get(&mut tx, &row.id).await.unwrap().unwrap();
            let all = [row.profile, row.phone_hash, hashes[0].to_vec(), snapshot.items.unwrap()];
            if n % 3 == 0 { stay.push(all) } else { gone.push(all) }
        }
        for (at, link) in links.iter().enumerate() {
            if (at + 1) % 3 != 0 {
                let path = format!("/api/v1/leave/{link}");
                app.client().post(&path, json!({})).await.expect(200);
            }
        }
        // Codes, gates and messages run out.
        app.clock.advance(8 * 86_400);
        tuantibu::actions::erase_expired::erase_expired(&app.app).await.unwrap();
        assert!(overwrite_erased(&app.app).await.unwrap(), "it is due");
        assert!(!overwrite_erased(&app.app).await.unwrap(), "once a day");
        let bytes = files(&app).await;
        for (parts, there) in stay.iter().map(|parts| (parts, true)).chain(gone.iter().map(|parts| (parts, false))) {
            for (part, name) in parts.iter().zip(["profile", "phone", "document", "items"]) {
                assert_eq!(holds(&bytes, part), there, "{name}");
            }
        }
        app.clock.advance(86_400);
        assert!(overwrite_erased(&app.app).await.unwrap(), "due again");
    }
}

on_both! {
    async fn equal_health_does_not_look_equal(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        for n in 1..=3 {
            app.member(&register, &Person::number(n)).await;
        }
        for column in ["fingerprint", "items"] {
            let count = format!("select count(distinct {column}) from snapshots");
            let different: i64 = if app.is_sqlite() {
                app.sqlite().query_row(&count, [], |row| row.get(0)).unwrap()
            } else {
                let pool = sqlx::PgPool::connect(&app.config.database.url).await.unwrap();
                sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&pool).await.unwrap()
            };
            assert_eq!(different, 3, "{column}");
        }
    }
}
