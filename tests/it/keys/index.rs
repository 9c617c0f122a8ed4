//! The keys by which persons are found are rotated: in every phase, and where one server is a phase
//! ahead of the other, one document is one person, and a phone verifies so many.
use super::{PAST_REST, states, tend};
use crate::app::{Client, On, Person, Register, TestApp, confirm_path, join_body};
use async_trait::async_trait;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use tuantibu::{
    actions::rotate_keys::{RotateError, rotate_keys},
    crypto::Purpose,
    source::{Answer, Ask, HealthSource, Identity, SourceError},
    store::persons,
};

/// Knows everybody, and nothing about them.
struct Everybody;

#[async_trait]
impl HealthSource for Everybody {
    fn kind(&self) -> &'static str {
        "everybody"
    }

    async fn matches(&self, _: &Identity) -> Result<bool, SourceError> {
        Ok(true)
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let found = |ask: &Ask| Answer::Found {
            phones: Vec::new(),
            items: ask.items.iter().map(|id| (id.clone(), None)).collect(),
        };
        Ok(batch.iter().map(found).collect())
    }
}

/// The hashes of everybody's document and phone, and how many people there are.
async fn hashes(app: &TestApp) -> (usize, BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    let mut tx = app.app.store.read().await.unwrap();
    let rows = persons::hashes(&mut tx, b"", 1000).await.unwrap();
    let documents = rows.iter().map(|row| row.document_hash.clone()).collect();
    let phones = rows.iter().map(|row| row.phone_hash.clone()).collect();
    (rows.len(), documents, phones)
}

struct Scene {
    one: TestApp,
    two: TestApp,
    register: Register,
    people: usize,
}

impl Scene {
    async fn start(on: On) -> (Self, Client) {
        let one = TestApp::start_with_source(on, Arc::new(Everybody), |config| {
            config.limits.resend_seconds = 0;
            config.limits.sms_phone = 1000;
            config.refresh.batch = 2;
        })
        .await;
        let owner = Person::number(900);
        let session = one.sign_in(&owner).await;
        let register = one.register(&session).await;
        let two = one.another_with_source(Arc::new(Everybody)).await;
        let scene = Self {
            one,
            two,
            register,
            people: 1,
        };
        (scene, session)
    }

    /// Somebody new begins at both servers and confirms at both at once, and somebody who was there
    /// comes again; nobody is there twice.
    async fn holds(&mut self, n: usize) {
        let person = Person::number(n);
        let path = format!("/api/v1/join/{}", self.register.code);
        let mut begun = Vec::new();
        for app in [&self.one, &self.two] {
            let client = app.client();
            let started = client.post(&path, join_body(&person)).await.expect(202);
            let code = json!({ "code": app.code(person.phone()) });
            begun.push((client, confirm_path(&started), code));
        }
        let [(a, at_a, code_a), (b, at_b, code_b)] = <[_; 2]>::try_from(begun).ok().unwrap();
        let (a, b) = tokio::join!(a.post(&at_a, code_a), b.post(&at_b, code_b));
        assert_eq!((a.status, b.status), (200, 200), "{} {}", a.body, b.body);
        self.people += 1;
        assert_eq!(
            hashes(&self.one).await.0,
            self.people,
            "one document, one person"
        );
        for app in [&self.one, &self.two] {
            for known in [900, n] {
                app.sign_in(&Person::number(known)).await;
            }
        }
        assert_eq!(
            hashes(&self.one).await.0,
            self.people,
            "nobody new by signing in"
        );
    }

    /// Somebody of another document joins with the phone of all tests.
    async fn shares_a_phone(&mut self, app: usize, n: usize) -> u16 {
        let mut person = Person::number(n);
        person.phones = vec!["13911112222".to_owned()];
        let app = [&self.one, &self.two][app];
        let path = format!("/api/v1/join/{}", self.register.code);
        let started = app
            .client()
            .post(&path, join_body(&person))
            .await
            .expect(202);
        let code = json!({ "code": app.code(person.phone()) });
        let joined = app.client().post(&confirm_path(&started), code).await;
        self.people += usize::from(joined.status == 200);
        joined.status
    }
}

async fn rotated(on: On) {
    let (mut scene, _) = Scene::start(on).await;
    scene.holds(1).await;
    assert_eq!(scene.shares_a_phone(0, 101).await, 200);
    assert_eq!(scene.shares_a_phone(1, 102).await, 200);
    let before = hashes(&scene.one).await;
    let purposes = [Purpose::IndexDocument, Purpose::IndexPhone];
    rotate_keys(&scene.one.app, &purposes).await.unwrap();
    // Neither has loaded the new keys, then one.
    scene.holds(2).await;
    tend(&scene.one).await;
    assert_eq!(
        states(&scene.one, "index-document").await,
        ["active", "pending"]
    );
    scene.holds(3).await;
    // The second makes both active, and the first finds by the old ones still.
    tend(&scene.two).await;
    assert_eq!(
        states(&scene.one, "index-document").await,
        ["old", "active"]
    );
    assert_eq!(states(&scene.one, "index-phone").await, ["old", "active"]);
    scene.holds(4).await;
    assert_eq!(scene.shares_a_phone(0, 103).await, 200);
    assert_eq!(scene.shares_a_phone(1, 104).await, 200);
    // Both find by the new ones; hashes are made anew.
    tend(&scene.one).await;
    tend(&scene.two).await;
    tend(&scene.one).await;
    assert_eq!(
        states(&scene.one, "index-document").await,
        ["unneeded", "active"]
    );
    let after = hashes(&scene.one).await;
    assert!(before.1.is_disjoint(&after.1) && before.2.is_disjoint(&after.2));
    assert!(matches!(
        rotate_keys(&scene.one.app, &[Purpose::IndexPhone]).await,
        Err(RotateError::UnderWay("index-phone"))
    ));
    scene.holds(5).await;
    assert_eq!(scene.shares_a_phone(0, 105).await, 200);
    assert_eq!(
        scene.shares_a_phone(1, 106).await,
        422,
        "six would share a phone"
    );
    scene.one.clock.advance(PAST_REST);
    tend(&scene.one).await;
    tend(&scene.two).await;
    tend(&scene.one).await;
    for purpose in ["index-document", "index-phone"] {
        assert_eq!(states(&scene.one, purpose).await, ["destroyed", "active"]);
    }
    scene.holds(6).await;
    assert_eq!(scene.shares_a_phone(0, 107).await, 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_is_one_person_in_every_phase_of_a_rotation_on_sqlite() {
    rotated(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_is_one_person_in_every_phase_of_a_rotation_on_postgres() {
    rotated(On::Postgres).await;
}
