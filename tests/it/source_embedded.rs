//! The embedded source: matching, reading, replacing, removing, and a file without anything in clear.
use crate::support::{Store, catalogue, keys, people::*, rules};
use rusqlite::Connection;
use std::{fs, os::unix::fs::PermissionsExt};
use tuantibu::{
    crypto::{Keys, token_hash},
    model::{
        health::{ItemRecord, Progress, TestResult},
        phone::Regions,
    },
    source::{
        Answer, Ask, HealthSource,
        embedded::{EmbeddedError, EmbeddedSource},
        import::{Format, Options, import},
        record::{HealthRecord, read_line},
    },
};

fn record(n: u32) -> HealthRecord {
    let line = format!(
        r#"{{"name": "{}", "document_type": "resident_id", "document_number": "{}",
            "phones": ["{}", "{}"], "items": {{"health_code": {{"value": "green"}},
            "nucleic_acid": {{"result": "negative", "sampled_at": "2022-11-14T07:00:00+08:00"}},
            "vaccination": {{"value": "booster", "doses": 3, "last_on": "2022-03-01"}}}}}}"#,
        name(n),
        resident(n),
        phone(n),
        phone(n + 500_000),
    );
    HealthRecord::check(&read_line(&line).unwrap(), &rules()).unwrap()
}

async fn filled(people: u32) -> Store {
    let store = Store::new().await;
    for n in 0..people {
        store.source.put(record(n)).await.unwrap();
    }
    store
}

#[tokio::test]
async fn name_document_and_phone_must_all_stand_in_one_record() {
    let store = filled(2).await;
    let matches = async |name: &str, number: &str, phone: &str| {
        let who = identity(name, number, phone);
        store.source.matches(&who).await.unwrap()
    };
    let (one, other) = (resident(0), resident(1));
    assert!(matches(&name(0), &one, &phone(0)).await);
    assert!(matches(&name(0), &one, &phone(500_000)).await);
    assert!(!matches(&name(1), &one, &phone(0)).await);
    assert!(!matches(&name(0), &one, &phone(1)).await);
    assert!(!matches(&name(0), &other, &phone(0)).await);
    assert!(!matches(&name(0), &resident(2), &phone(0)).await);
}

#[tokio::test]
async fn a_reading_answers_each_ask_in_its_place_with_the_items_asked_for() {
    let store = filled(3).await;
    let batch = [
        ask(
            &name(2),
            &resident(2),
            &["vaccination", "influenza_vaccine"],
        ),
        ask(&name(0), &resident(9), &["vaccination"]),
        ask(&name(1), &resident(0), &["vaccination"]),
        ask(&name(1), &resident(1), &[]),
        ask(&name(2), &resident(2), &["nucleic_acid"]),
    ];
    let answers = store.source.read(&batch).await.unwrap();
    assert_eq!(answers.len(), 5);
    let Answer::Found { phones, items } = &answers[0] else {
        panic!("{:?}", answers[0]);
    };
    assert_eq!(phones.len(), 2);
    assert!(phones[0].e164().ends_with(&phone(2)));
    assert_eq!(items.len(), 2);
    assert_eq!(
        items["vaccination"],
        Some(ItemRecord::Immunization {
            value: Progress::Booster,
            doses: Some(3),
            last_on: Some("2022-03-01".parse().unwrap()),
        })
    );
    assert_eq!(items["influenza_vaccine"], None);
    assert_eq!(answers[1], Answer::NotMatched);
    assert_eq!(answers[2], Answer::NotMatched);
    assert!(matches!(&answers[3], Answer::Found { items, .. } if items.is_empty()));
    assert!(matches!(&answers[4], Answer::Found { items, .. }
        if matches!(items["nucleic_acid"], Some(ItemRecord::Test { result: TestResult::Negative, .. }))));
    assert_eq!(store.source.read(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn batches_of_any_size_are_read() {
    let store = filled(300).await;
    let batch: Vec<Ask> = (0..2500)
        .map(|n| ask(&name(n), &resident(n), &["health_code"]))
        .collect();
    let answers = store.source.read(&batch).await.unwrap();
    assert_eq!(answers.len(), 2500);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(matches!(answer, Answer::Found { .. }), n < 300, "{n}");
    }
}

#[tokio::test]
async fn a_record_is_replaced_whole_and_removed() {
    let store = filled(1).await;
    let mut other = record(0);
    other.items.clear();
    store.source.put(other).await.unwrap();
    let batch = [ask(&name(0), &resident(0), &["health_code"])];
    let answer = store.source.read(&batch).await.unwrap().remove(0);
    assert!(matches!(answer, Answer::Found { items, .. } if items["health_code"].is_none()));
    assert_eq!(store.source.count().await.unwrap(), 1);
    let today = rules().today;
    assert_eq!(
        store
            .source
            .remove_number(&resident(0), today)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .source
            .remove_number(&resident(0), today)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .source
            .remove_number("no number", today)
            .await
            .unwrap(),
        0
    );
    assert!(!store.source.remove(&document(&resident(0))).await.unwrap());
    assert_eq!(
        store.source.read(&batch).await.unwrap(),
        [Answer::NotMatched]
    );
}

#[tokio::test]
async fn nothing_of_anybody_stands_in_clear() {
    let store = filled(50).await;
    let mut dump = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(store.folder.path()).unwrap() {
        dump.extend(fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 2 && dump.len() > 50 * 200, "the log is part of it");
    let holds = |needle: &[u8]| dump.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"document_hash"), "the search works");
    for n in 0..50 {
        for text in [
            name(n),
            resident(n),
            phone(n),
            phone(n + 500_000),
            format!("+86{}", phone(n)),
        ] {
            assert!(!holds(text.as_bytes()), "{text}");
            let hash = token_hash(&text);
            assert!(!holds(&hash), "the hash of {text}");
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!holds(hex.as_bytes()), "the hash of {text}");
            assert!(!holds(hex.to_uppercase().as_bytes()), "the hash of {text}");
        }
    }
    for text in ["booster", "negative", "vaccination", "2022-11"] {
        assert!(!holds(text.as_bytes()), "{text}");
    }
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_opens_again() {
    let store = filled(1).await;
    for entry in fs::read_dir(store.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.source.close().await;
    let again = EmbeddedSource::open(
        &store.path(),
        store.keys.clone(),
        catalogue(),
        Regions::default(),
    )
    .await;
    assert_eq!(again.unwrap().count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_file_of_other_keys_another_program_or_a_later_version_is_refused() {
    let store = filled(1).await;
    store.source.close().await;
    let open = async |path: &std::path::Path| {
        EmbeddedSource::open(path, keys(), catalogue(), Regions::default())
            .await
            .unwrap_err()
    };
    let error = open(&store.path()).await;
    assert!(matches!(error, EmbeddedError::OtherKeys(_)), "{error}");

    let set = |name: &str, statement: &str| {
        let path = store.folder.path().join(name);
        let file = Connection::open(&path).unwrap();
        file.execute_batch(statement).unwrap();
        path
    };
    let path = set("source.db", "pragma user_version = 9");
    let error = open(&path).await;
    assert!(
        matches!(error, EmbeddedError::UnknownVersion { found: 9, .. }),
        "{error}"
    );
    let path = set("other.db", "create table t (a)");
    let error = open(&path).await;
    assert!(matches!(error, EmbeddedError::Foreign(_)), "{error}");
    let path = store.folder.path().join("text.db");
    fs::write(
        &path,
        "not a database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    assert!(matches!(open(&path).await, EmbeddedError::Database(_)));
    let path = store.folder.path().join("missing").join("source.db");
    assert!(matches!(open(&path).await, EmbeddedError::Io(..)));
}

#[tokio::test]
async fn a_record_that_does_not_open_fails_alone_and_a_moved_one_does_not_open() {
    let store = filled(3).await;
    let hash = |n| store.keys.document_hash(&document(&resident(n)));
    let moved = Connection::open(store.path()).unwrap().execute(
        "update people set record = (select record from people where document_hash = $1)
         where document_hash = $2",
        [hash(0), hash(1)],
    );
    assert_eq!(moved.unwrap(), 1);
    let batch = [0, 1, 2].map(|n| ask(&name(n), &resident(n), &[]));
    let answers = store.source.read(&batch).await.unwrap();
    assert!(matches!(answers[0], Answer::Found { .. }));
    assert_eq!(answers[1], Answer::Failed);
    assert!(matches!(answers[2], Answer::Found { .. }));
    // Alone it is a batch that failed whole: nobody is written off.
    assert!(store.source.read(&batch[1..2]).await.is_err());
}

/// Of the first `people`, who changed since a cursor; `None` where the file cannot tell.
async fn changed_since(
    keys: &Keys,
    source: &EmbeddedSource,
    cursor: &str,
    people: u32,
) -> Option<Vec<u32>> {
    let changes = source.changes(cursor).await.unwrap()?;
    let hash = |n| keys.document_hash(&document(&resident(n)));
    let touched = |n: &u32| changes.touch(&hash(*n));
    Some((0..people).filter(touched).collect())
}

async fn cursor(source: &EmbeddedSource) -> String {
    source.cursor().await.unwrap().unwrap()
}

#[tokio::test]
async fn since_a_cursor_those_changed_who_were_written_since() {
    let store = filled(3).await;
    let source = &store.source;
    let before = cursor(source).await;
    assert_eq!(
        changed_since(&store.keys, source, &before, 4).await,
        Some(vec![])
    );
    source.put(record(1)).await.unwrap();
    source.put(record(3)).await.unwrap();
    assert_eq!(
        changed_since(&store.keys, source, &before, 4).await,
        Some(vec![1, 3])
    );
    let later = cursor(source).await;
    assert_ne!(later, before);
    assert_eq!(
        changed_since(&store.keys, source, &later, 4).await,
        Some(vec![])
    );
    assert!(source.remove(&document(&resident(1))).await.unwrap());
    assert_eq!(
        changed_since(&store.keys, source, &later, 4).await,
        None,
        "removed"
    );
    assert!(!source.remove(&document(&resident(1))).await.unwrap());
    let last = cursor(source).await;
    assert_eq!(
        changed_since(&store.keys, source, &last, 4).await,
        Some(vec![])
    );
}

#[tokio::test]
async fn a_cursor_of_another_file_or_of_later_than_a_copy_tells_nothing() {
    let store = filled(2).await;
    let other = filled(2).await;
    let theirs = cursor(&other.source).await;
    assert_eq!(
        changed_since(&store.keys, &store.source, &theirs, 2).await,
        None
    );
    for rubbish in ["", ".", "x.1", "99", "é.é"] {
        assert_eq!(
            changed_since(&store.keys, &store.source, rubbish, 2).await,
            None
        );
    }
    // The file is put back from a copy that is older than the cursor.
    store.source.close().await;
    let copy = fs::read(store.path()).unwrap();
    let again = store.open_again().await;
    again.put(record(2)).await.unwrap();
    let later = cursor(&again).await;
    again.close().await;
    fs::write(store.path(), copy).unwrap();
    let restored = store.open_again().await;
    assert_eq!(changed_since(&store.keys, &restored, &later, 3).await, None);
}

#[tokio::test]
async fn a_list_that_is_imported_again_changes_nobody_who_is_as_they_were() {
    let store = Store::new().await;
    let line = |n: u32, value: &str| {
        format!(
            r#"{{"name": "{}", "document_type": "resident_id", "document_number": "{}", "phones": ["{}"], "items": {{"health_code": {{"value": "{value}"}}}}}}"#,
            name(n),
            resident(n),
            phone(n),
        )
    };
    let take_in = async |lines: Vec<String>| {
        let options = Options {
            format: Format::Ndjson,
            strict: false,
            rules: rules(),
        };
        let input = std::io::Cursor::new(lines.join("\n"));
        let report = import(&store.source, input, &options, |_| {})
            .await
            .unwrap();
        assert_eq!(report.failed, 0);
    };
    take_in((0..3).map(|n| line(n, "green")).collect()).await;
    let before = cursor(&store.source).await;
    take_in((0..3).map(|n| line(n, "green")).collect()).await;
    assert_eq!(cursor(&store.source).await, before);
    take_in(vec![line(0, "green"), line(1, "red"), line(2, "green")]).await;
    assert_eq!(
        changed_since(&store.keys, &store.source, &before, 3).await,
        Some(vec![1])
    );
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_with_everybody_in_it() {
    let store = filled(2).await;
    store.source.close().await;
    let file = Connection::open(store.path()).unwrap();
    file.execute_batch(
        "create table old (document_hash blob primary key, record blob not null) strict;
         insert into old select document_hash, record from people;
         drop table people;
         alter table old rename to people;
         create table first (id integer primary key check (id = 1), cell blob not null) strict;
         insert into first select id, cell from seal;
         drop table seal;
         alter table first rename to seal;
         pragma user_version = 1",
    )
    .unwrap();
    drop(file);
    let source = store.open_again().await;
    assert_eq!(source.count().await.unwrap(), 2);
    let who = identity(&name(1), &resident(1), &phone(1));
    assert!(source.matches(&who).await.unwrap());
    let begin = cursor(&source).await;
    source.put(record(0)).await.unwrap();
    assert_eq!(
        changed_since(&store.keys, &source, &begin, 2).await,
        Some(vec![0])
    );
}
