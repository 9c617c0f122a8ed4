//! Rotation: nobody notices, nobody is lost, and the old key goes.
use super::{PAST_REST, keys_of, states, tend};
use crate::{
    app::{Client, On, Person, Register, TestApp, owned},
    on_both,
    world::text,
};
use std::time::Duration;
use tuantibu::{
    actions::{
        list_keys::progress,
        refresh_health::refresh_health,
        rotate_keys::{RotateError, rotate_keys},
        tend_keys::tend_keys,
    },
    crypto::{Keys, Purpose, RootKey, State, WrappedKey, random::OsRandom},
    store::{keys, sealed},
};

const MEMBERS: usize = 12;

async fn filled(app: &TestApp) -> (Client, Register) {
    let (owner, register) = owned(app).await;
    for n in 1..=MEMBERS {
        app.member(&register, &Person::number(n)).await;
    }
    (owner, register)
}

async fn names(owner: &Client, register: &Register) -> Vec<String> {
    let list = owner.get(&register.path("/members?limit=200")).await;
    let list = list.expect(200);
    let mut names: Vec<String> = list["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn expected(last: usize) -> Vec<String> {
    let mut names: Vec<String> = (1..=last).map(|n| Person::number(n).name).collect();
    names.sort_unstable();
    names
}

/// The keys as the database holds them.
async fn rows(app: &TestApp) -> Vec<keys::KeyRow> {
    let mut tx = app.app.store.read().await.unwrap();
    keys::all(&mut tx).await.unwrap()
}

/// Every cell of the main database.
async fn cells(app: &TestApp) -> Vec<Vec<u8>> {
    let mut tx = app.app.store.read().await.unwrap();
    let mut all = Vec::new();
    for column in sealed::COLUMNS {
        let page = sealed::page(&mut tx, column, b"", b"", 10_000)
            .await
            .unwrap();
        all.extend(page.into_iter().map(|row| row.cell));
    }
    let addresses = sealed::addresses(&mut tx, (b"", 0), b"", 10_000).await;
    all.extend(addresses.unwrap().into_iter().map(|row| row.cell));
    all
}

/// How many fields of whichever table begin as the cells of the data key do that was there first.
async fn of_first_key(app: &TestApp) -> usize {
    let key = rows(app)
        .await
        .into_iter()
        .find(|row| row.purpose == "data")
        .unwrap();
    let begins = format!("01{:02x}{:08x}", key.suite, key.id);
    let begins = if app.is_sqlite() {
        format!("X'{}", begins.to_uppercase())
    } else {
        format!("\\\\x{begins}")
    };
    crate::rows::rows(app).await.holding(&begins)
}

on_both! {
    async fn while_keys_are_rotated_people_join_are_listed_refreshed_and_leave(app: TestApp) {
        let app = app.restarted(|config| config.refresh.batch = 1).await;
        let (owner, register) = owned(&app).await;
        let mut left = String::new();
        for n in 1..=MEMBERS {
            let joined = app.member(&register, &Person::number(n)).await;
            left = text(&joined["authorization"]["id"]);
        }
        let before = cells(&app).await;
        assert!(before.len() > 2 * MEMBERS, "{}", before.len());
        assert!(of_first_key(&app).await > 2 * MEMBERS);
        rotate_keys(&app.app, &Purpose::ALL).await.unwrap();
        assert!(matches!(
            rotate_keys(&app.app, &[Purpose::Data]).await,
            Err(RotateError::UnderWay("data"))
        ));
        let work = tokio::spawn({
            let app = app.app.clone();
            async move { tend_keys(&app).await }
        });
        for n in MEMBERS + 1..=MEMBERS + 6 {
            app.member(&register, &Person::number(n)).await;
            assert_eq!(names(&owner, &register).await, expected(n));
        }
        refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        work.await.unwrap().unwrap();
        tend(&app).await;
        for purpose in Purpose::ALL {
            let old = match purpose {
                Purpose::Audit | Purpose::Receipt => "old",
                _ => "unneeded",
            };
            assert_eq!(states(&app, purpose.as_str()).await, [old, "active"]);
        }
        let data = keys_of(&app, "data").await;
        assert_eq!(data[0].cells, Some(0), "nothing needs it");
        assert_eq!(of_first_key(&app).await, 0, "a sealed column that nobody seals anew");
        assert_eq!(data[1].cells, Some(cells(&app).await.len() as i64));
        assert!(progress(&app.app).await.unwrap().is_over);
        // The old key is kept a little, then it is gone from the table.
        tend(&app).await;
        assert!(rows(&app).await.iter().all(|row| row.wrapped.len() > 60));
        let version = app.app.keys.version();
        app.clock.advance(PAST_REST);
        tend(&app).await;
        assert!(app.app.keys.version() > version);
        assert_eq!(states(&app, "data").await, ["destroyed", "active"]);
        for row in rows(&app).await {
            let is_gone = row.state == State::Destroyed.number();
            assert_eq!(row.wrapped.is_empty(), is_gone, "key {}", row.id);
        }
        // Whoever starts now cannot open what a backup from before holds.
        let again = app.another().await;
        assert_eq!(again.app.keys.version(), app.app.keys.version());
        let owner = app.sign_in(&Person::number(900)).await;
        assert_eq!(names(&owner, &register).await, expected(MEMBERS + 6));
        let leaver = app.sign_in(&Person::number(MEMBERS)).await;
        leaver
            .delete(&format!("/api/v1/me/authorizations/{left}"))
            .await
            .expect(200);
        assert_eq!(names(&owner, &register).await.len(), MEMBERS + 5);
    }
}

on_both! {
    async fn a_rotation_that_was_killed_half_way_is_gone_on_with(app: TestApp) {
        let app = app.restarted(|config| config.refresh.batch = 1).await;
        let (_, register) = filled(&app).await;
        rotate_keys(&app.app, &[Purpose::Data]).await.unwrap();
        // The work goes on a little at a time, and stands still while it is looked at.
        let mut work = Box::pin(tend_keys(&app.app));
        let half = loop {
            tokio::select! {
                biased;
                ended = &mut work => panic!("nobody looked in time: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
            let states = states(&app, "data").await;
            let now = progress(&app.app).await.unwrap();
            if states == ["old", "active"] && now.done > 0 {
                break now;
            }
        };
        drop(work);
        // Another server waits for the lease of the killed one, then does what is left.
        let other = app.another().await;
        let left = progress(&app.app).await.unwrap();
        assert!(left.done >= half.done && left.done < left.cells, "{left:?}");
        tend(&other).await;
        assert_eq!(progress(&other.app).await.unwrap(), left);
        other.clock.advance(other.config.refresh.lease_seconds + 1);
        tend(&other).await;
        assert_eq!(states(&other, "data").await, ["unneeded", "active"]);
        let owner = other.sign_in(&Person::number(900)).await;
        assert_eq!(names(&owner, &register).await, expected(MEMBERS));
    }
}

on_both! {
    async fn a_key_takes_a_step_only_once_every_live_server_follows(app: TestApp) {
        let (_, register) = filled(&app).await;
        let other = app.another().await;
        let third = app.another().await;
        rotate_keys(&app.app, &[Purpose::Data]).await.unwrap();
        tend(&app).await;
        tend(&other).await;
        assert_eq!(states(&app, "data").await, ["active", "pending"], "one has not loaded it");
        tend(&third).await;
        assert_eq!(states(&app, "data").await, ["old", "active"]);
        // The others seal by the old key still, and open what the third seals by the new one.
        other.member(&register, &Person::number(80)).await;
        third.member(&register, &Person::number(81)).await;
        let data = keys_of(&app, "data").await;
        assert!(data.iter().all(|key| key.cells > Some(0)), "{data:?}");
        let owner = other.sign_in(&Person::number(900)).await;
        assert_eq!(names(&owner, &register).await.len(), MEMBERS + 2);
        tend(&app).await;
        tend(&third).await;
        assert_eq!(states(&app, "data").await, ["old", "active"], "one seals by the old key");
        assert!(keys_of(&app, "data").await[0].cells > Some(0));
        tend(&other).await;
        assert_eq!(states(&app, "data").await, ["unneeded", "active"]);
        // Who was killed is not waited for, and who starts meanwhile is.
        rotate_keys(&app.app, &[Purpose::Code]).await.unwrap();
        tend(&app).await;
        assert_eq!(states(&app, "code").await, ["active", "pending"]);
        app.clock.advance(31);
        tend(&app).await;
        assert_eq!(states(&app, "code").await, ["unneeded", "active"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_destroyed_key_sealed_opens_by_no_key_that_is_left() {
    let app = TestApp::start(On::Sqlite).await;
    filled(&app).await;
    let copy = app.folder.join("backup.db");
    app.app.store.copy_to(copy.to_str().unwrap()).await.unwrap();
    let old = cells(&app).await;
    rotate_keys(&app.app, &[Purpose::Data]).await.unwrap();
    tend(&app).await;
    app.clock.advance(PAST_REST);
    tend(&app).await;
    let root = RootKey::read(&app.config.keys.file).unwrap();
    let left: Vec<WrappedKey> = rows(&app)
        .await
        .into_iter()
        .map(|row| WrappedKey {
            id: row.id as u32,
            purpose: Purpose::of(&row.purpose).unwrap(),
            suite: tuantibu::crypto::Suite::of(row.suite).unwrap(),
            state: State::of(row.state).unwrap(),
            wrapped: row.wrapped,
        })
        .collect();
    let keys = Keys::unwrap_all(&root, &left, std::sync::Arc::new(OsRandom::new())).unwrap();
    let header = keys.header(tuantibu::crypto::Table::Persons);
    assert!(old.iter().all(|cell| cell[1..6] != header));
    // Not in any page of the file either.
    let wrapped = {
        let copied = rusqlite::Connection::open(&copy).unwrap();
        let text = "select wrapped from keys where purpose = 'data'";
        let wrapped: Vec<u8> = copied.query_row(text, [], |row| row.get(0)).unwrap();
        wrapped
    };
    app.app.store.close().await;
    let file = std::fs::read(app.folder.join("tuantibu.db")).unwrap();
    assert!(!file.windows(wrapped.len()).any(|bytes| bytes == wrapped));
    let copied = std::fs::read(&copy).unwrap();
    assert!(
        copied.windows(wrapped.len()).any(|bytes| bytes == wrapped),
        "the search works"
    );
}

on_both! {
    async fn a_code_and_a_session_from_before_a_rotation_work_after_it(app: TestApp) {
        let (owner, register) = filled(&app).await;
        let person = Person::number(2);
        app.clock.advance(61);
        let started = app.client().post("/api/v1/sign-in", person.identity()).await.expect(202);
        rotate_keys(&app.app, &Purpose::ALL).await.unwrap();
        tend(&app).await;
        let client = app.client().confirm(&app, &started, person.phone()).await;
        client.get("/api/v1/me").await.expect(200);
        assert_eq!(names(&owner, &register).await, expected(MEMBERS));
        // Fingerprints: whoever is asked for counts as changed once, then nobody does.
        for n in 1..=MEMBERS {
            app.put(&Person::number(n), app.healthy()).await;
        }
        for updated in [MEMBERS as i64, 0] {
            let run = refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
            assert_eq!(run.updated, updated);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_does_not_open_keeps_its_key() {
    let app = TestApp::start(On::Sqlite).await;
    filled(&app).await;
    let mut tx = app.app.store.write().await.unwrap();
    let column = &sealed::COLUMNS[0];
    let page = sealed::page(&mut tx, column, b"", b"", 1).await.unwrap();
    let mut broken = page[0].cell.clone();
    *broken.last_mut().unwrap() ^= 1;
    let (id, old) = (&page[0].id, &page[0].cell);
    assert!(
        sealed::put(&mut tx, column, id, old, &broken)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    rotate_keys(&app.app, &[Purpose::Data]).await.unwrap();
    for _ in 0..3 {
        app.clock.advance(PAST_REST);
        tend(&app).await;
    }
    assert_eq!(states(&app, "data").await, ["old", "active"]);
    assert_eq!(keys_of(&app, "data").await[0].cells, Some(1));
}
