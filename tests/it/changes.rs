//! Where a source tells what changed, nobody else is read again; and whatever may have changed is.
use crate::{
    app::{Person, Register, TestApp, owned},
    on_both,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tuantibu::{
    actions::refresh_health::refresh_health,
    source::{Answer, Ask, Changes, HealthSource, Identity, SourceError, faults::Fault},
};

/// The sample source, and whom it was asked about.
struct Telling {
    inner: Arc<dyn HealthSource>,
    asked: Mutex<Vec<String>>,
    /// Whose reading fails, by document.
    failing: Mutex<Option<String>>,
}

#[async_trait]
impl HealthSource for Telling {
    fn kind(&self) -> &'static str {
        "telling"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        self.inner.matches(who).await
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let mut answers = self.inner.read(batch).await?;
        let failing = self.failing.lock().unwrap().clone();
        for (ask, answer) in batch.iter().zip(&mut answers) {
            let number = ask.document.number().to_owned();
            if failing.as_ref() == Some(&number) {
                *answer = Answer::Failed;
            }
            self.asked.lock().unwrap().push(number);
        }
        Ok(answers)
    }

    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        self.inner.cursor().await
    }

    async fn changes(&self, since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        self.inner.changes(since).await
    }
}

const PEOPLE: usize = 4;

/// A register of some members, all of them read once by a refresh.
struct Scene {
    app: TestApp,
    source: Arc<Telling>,
    owner: crate::app::Client,
    register: Register,
}

impl Scene {
    async fn open(mut app: TestApp) -> Self {
        let parts = Arc::get_mut(&mut app.app).unwrap();
        let source = Arc::new(Telling {
            inner: parts.source.clone(),
            asked: Mutex::default(),
            failing: Mutex::default(),
        });
        parts.source = source.clone();
        let (owner, register) = owned(&app).await;
        for n in 1..=PEOPLE {
            app.member(&register, &Person::number(n)).await;
        }
        let scene = Self {
            app,
            source,
            owner,
            register,
        };
        let (asked, counts) = scene.refresh().await;
        assert_eq!((asked.len(), counts), (PEOPLE, [0, PEOPLE as i64, 0, 0]));
        scene
    }

    /// One refresh, a minute later: whom it asked about, and its counts.
    async fn refresh(&self) -> (Vec<String>, [i64; 4]) {
        self.app.clock.advance(60);
        self.source.asked.lock().unwrap().clear();
        let run = refresh_health(&self.app.app, "test", &|_, _| {})
            .await
            .unwrap();
        let asked = std::mem::take(&mut *self.source.asked.lock().unwrap());
        (
            asked,
            [run.updated, run.unchanged, run.failed, run.unmatched],
        )
    }

    async fn red(&self, n: usize) {
        let items = json!({ "health_code": { "value": "red" } });
        self.app.put(&Person::number(n), items).await;
    }

    async fn members(&self) -> Vec<Value> {
        let page = self
            .owner
            .get(&self.register.path("/members"))
            .await
            .expect(200);
        page["members"].as_array().unwrap().clone()
    }
}

fn documents<const N: usize>(people: [usize; N]) -> Vec<String> {
    people.map(|n| Person::number(n).document).to_vec()
}

on_both! {
    async fn only_who_changed_is_read_again_and_everybody_has_the_new_time(app: TestApp) {
        let scene = Scene::open(app).await;
        assert_eq!(scene.refresh().await, (vec![], [0, 4, 0, 0]));
        scene.red(2).await;
        assert_eq!(scene.refresh().await, (documents([2]), [1, 3, 0, 0]));
        let now = tuantibu::clock::rfc3339(scene.app.app.now(), &scene.app.app.zone);
        let members = scene.members().await;
        let red = |member: &&Value| member["items"]["health_code"]["value"] == "red";
        assert_eq!(members.iter().filter(red).count(), 1);
        assert!(members.iter().all(|member| member["data_time"] == now.as_str()));
        assert_eq!(scene.refresh().await, (vec![], [0, 4, 0, 0]));
    }
}

on_both! {
    async fn who_was_removed_at_the_source_is_found_out(app: TestApp) {
        let scene = Scene::open(app).await;
        scene.app.remove_from_source(&Person::number(3)).await;
        let (asked, counts) = scene.refresh().await;
        assert_eq!((asked.len(), counts), (4, [0, 3, 0, 1]));
        // Who is not matched may come back, and is asked about at each refresh.
        assert_eq!(scene.refresh().await, (documents([3]), [0, 3, 0, 1]));
    }
}

on_both! {
    async fn what_changed_during_an_outage_is_read_after_it(app: TestApp) {
        let scene = Scene::open(app).await;
        scene.red(1).await;
        scene.app.source_is(Fault::Down);
        let (_, counts) = scene.refresh().await;
        assert_eq!(counts, [0, 0, 4, 0]);
        scene.app.source_is(Fault::Ok);
        assert_eq!(scene.refresh().await, (documents([1]), [1, 3, 0, 0]));
    }
}

on_both! {
    async fn who_could_not_be_read_is_read_at_the_next_refresh(app: TestApp) {
        let scene = Scene::open(app).await;
        scene.red(4).await;
        *scene.source.failing.lock().unwrap() = documents([4]).pop();
        assert_eq!(scene.refresh().await, (documents([4]), [0, 3, 1, 0]));
        *scene.source.failing.lock().unwrap() = None;
        assert_eq!(scene.refresh().await, (documents([4]), [1, 3, 0, 0]));
    }
}

on_both! {
    async fn nobody_is_asked_about_for_a_register_that_is_over(app: TestApp) {
        let scene = Scene::open(app).await;
        let over = scene
            .app
            .register_with(&scene.owner, |terms| terms["ends_on"] = json!("2022-11-14"))
            .await;
        scene.app.member(&over, &Person::number(9)).await;
        scene.app.clock.advance(24 * 3600);
        scene.red(1).await;
        scene.red(9).await;
        // Before any chore has run.
        assert_eq!(scene.refresh().await, (documents([1]), [1, 3, 0, 0]));
    }
}
