//! The SM suite: the main journey under it, and the way to it from the other one.
use super::{keys_of, tend};
use crate::{
    app::{On, Person, TestApp, owned},
    world::text,
};
use serde_json::json;
use tuantibu::{
    actions::{refresh_health::refresh_health, rotate_keys::rotate_keys},
    config::SuiteName,
    crypto::Purpose,
    store::sealed,
};

/// Which suites the cells of the main database name.
async fn suites(app: &TestApp) -> Vec<u8> {
    let mut tx = app.app.store.read().await.unwrap();
    let mut all = Vec::new();
    for column in sealed::COLUMNS {
        let counts = sealed::count(&mut tx, column).await.unwrap();
        all.extend(counts.into_iter().map(|(header, _)| header[0]));
    }
    all.sort_unstable();
    all.dedup();
    all
}

async fn journey(app: &TestApp) {
    let (owner, register) = owned(app).await;
    let joined = app.member(&register, &Person::number(1)).await;
    app.member(&register, &Person::number(2)).await;
    let list = owner.get(&register.path("/members")).await.expect(200);
    assert_eq!(list["members"].as_array().unwrap().len(), 2);
    assert_eq!(list["members"][0]["verdict"], "meets", "{list}");
    app.put(
        &Person::number(2),
        json!({ "health_code": { "value": "red" } }),
    )
    .await;
    let run = refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
    assert_eq!((run.updated, run.failed), (1, 0));
    let list = owner.get(&register.path("/members")).await.expect(200);
    let red = |row: &&serde_json::Value| row["items"]["health_code"]["value"] == "red";
    assert_eq!(
        list["members"]
            .as_array()
            .unwrap()
            .iter()
            .filter(red)
            .count(),
        1
    );
    let me = app.client().with(joined["token"].as_str());
    let data = me.get("/api/v1/me/data").await.expect(200);
    assert!(data.to_string().contains(&Person::number(1).document));
    let id = text(&joined["authorization"]["id"]);
    me.delete(&format!("/api/v1/me/authorizations/{id}"))
        .await
        .expect(200);
    let list = owner.get(&register.path("/members")).await.expect(200);
    assert_eq!(list["members"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_done_under_either_suite() {
    for (suite, number) in [(SuiteName::Aes, 1), (SuiteName::Sm, 2)] {
        let app = TestApp::start_with(On::Sqlite, |config| config.crypto.suite = suite).await;
        journey(&app).await;
        assert_eq!(suites(&app).await, [number]);
        let key = std::fs::read_to_string(&app.config.keys.file).unwrap();
        let name = ["aes", "sm"][usize::from(number) - 1];
        assert!(key.starts_with(&format!("tbk1:root:{name}:")));
        // And it opens again.
        let again = app.restarted(|_| {}).await;
        let owner = again.sign_in(&Person::number(900)).await;
        owner.get("/api/v1/me/data").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_suite_comes_by_a_rotation() {
    let app = TestApp::start(On::Sqlite).await;
    let (owner, register) = owned(&app).await;
    app.member(&register, &Person::number(1)).await;
    let app = app
        .restarted(|config| config.crypto.suite = SuiteName::Sm)
        .await;
    app.member(&register, &Person::number(2)).await;
    assert_eq!(
        suites(&app).await,
        [1],
        "keys keep their suite until they are rotated"
    );
    rotate_keys(&app.app, &Purpose::ALL).await.unwrap();
    tend(&app).await;
    assert_eq!(suites(&app).await, [2]);
    let data = keys_of(&app, "data").await;
    assert_eq!((data[0].suite, data[1].suite), ("aes", "sm"));
    let client = app.client().with(owner.bearer.as_deref());
    let list = client.get(&register.path("/members")).await.expect(200);
    assert_eq!(list["members"].as_array().unwrap().len(), 2);
    app.member(&register, &Person::number(3)).await;
    let run = refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
    assert_eq!(run.failed, 0);
}
