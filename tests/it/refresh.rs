//! The refresh: counts that add up, runs that resume, writes for change alone, truthful times.
use crate::{
    app::{Client, On, Person, Register, TestApp, join_body, owned},
    on_both,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tuantibu::{
    actions::refresh_health::{self, Run, refresh_health},
    app::App,
    source::{Answer, Ask, HealthSource, Identity, SourceError, faults::Fault},
};

async fn refresh(app: &Arc<App>) -> Run {
    refresh_health(app, "command", &|_, _| {}).await.unwrap()
}

fn counts(run: &Run) -> [i64; 4] {
    [run.updated, run.unchanged, run.failed, run.unmatched]
}

async fn row(owner: &Client, register: &Register, n: usize) -> Value {
    let list = owner
        .get(&register.path("/members?sort=joined_at&limit=200"))
        .await
        .expect(200);
    list["members"][n].clone()
}

on_both! {
    async fn a_change_at_the_source_is_seen_after_the_refresh_and_not_before(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.member(&register, &person).await;
        let mut items = app.healthy();
        items["health_code"]["value"] = json!("red");
        app.put(&person, items).await;
        app.clock.advance(1200);
        let before = row(&owner, &register, 0).await;
        assert_eq!(before["items"]["health_code"]["value"], "green");
        assert_eq!(before["data_time"], "2022-11-14T12:00:00+08:00");
        assert_eq!(counts(&refresh(&app.app).await), [1, 0, 0, 0]);
        let after = row(&owner, &register, 0).await;
        assert_eq!(after["items"]["health_code"]["value"], "red");
        assert_eq!(after["verdict"], "fails");
        assert_eq!(after["failing"], json!(["health_code"]));
        assert_eq!(after["data_time"], "2022-11-14T12:20:00+08:00");
    }
}

on_both! {
    async fn who_did_not_change_costs_no_write_and_has_the_new_time(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in 1..=5 {
            app.member(&register, &Person::number(n)).await;
        }
        let before = snapshots(&app).await;
        app.clock.advance(1200);
        assert_eq!(counts(&refresh(&app.app).await), [0, 5, 0, 0]);
        assert_eq!(snapshots(&app).await, before);
        assert_eq!(row(&owner, &register, 0).await["data_time"], "2022-11-14T12:20:00+08:00");
    }
}

on_both! {
    async fn another_name_or_no_record_is_not_matched_and_comes_back(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let (renamed, removed) = (Person::number(1), Person::number(2));
        app.member(&register, &renamed).await;
        app.clock.advance(1);
        app.member(&register, &removed).await;
        let mut other = renamed.clone();
        other.name = "丙丁".into();
        app.put(&other, app.healthy()).await;
        app.remove_from_source(&removed).await;
        assert_eq!(counts(&refresh(&app.app).await), [0, 0, 0, 2]);
        for n in [0, 1] {
            let shown = row(&owner, &register, n).await;
            assert_eq!(shown["items"]["health_code"], json!({
                "state": "not_matched", "value": null, "since": null
            }));
            assert_eq!(shown["verdict"], "unknown");
        }
        assert_eq!(counts(&refresh(&app.app).await), [0, 0, 0, 2]);
        app.put(&renamed, app.healthy()).await;
        app.clock.advance(60);
        assert_eq!(counts(&refresh(&app.app).await), [1, 0, 0, 1]);
        assert_eq!(row(&owner, &register, 0).await["verdict"], "meets");
    }
}

on_both! {
    async fn a_source_that_is_down_leaves_values_with_their_time_and_then_says_so(app: TestApp) {
        let (owner, register) = owned(&app).await;
        app.member(&register, &Person::number(1)).await;
        for fault in [Fault::Down, Fault::Garbage] {
            app.source_is(fault);
            app.clock.advance(1200);
            assert_eq!(counts(&refresh(&app.app).await), [0, 0, 1, 0]);
            let shown = row(&owner.clone(), &register, 0).await;
            assert_eq!(shown["items"]["health_code"]["value"], "green");
            assert_eq!(shown["data_time"], "2022-11-14T12:00:00+08:00");
        }
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["source_failing_since"], "2022-11-14T12:20:00+08:00");
        // 24 hours after our read, not after the record's own time.
        app.at("2022-11-15T11:59:59+08:00");
        let owner = app.sign_in(&Person::number(900)).await;
        assert_eq!(row(&owner, &register, 0).await["items"]["health_code"]["state"], "ok");
        app.at("2022-11-15T12:00:00+08:00");
        let shown = row(&owner, &register, 0).await;
        assert_eq!(shown["items"]["health_code"]["state"], "source_unavailable");
        assert_eq!(shown["verdict"], "unknown");
        app.source_is(Fault::Ok);
        refresh(&app.app).await;
        assert_eq!(row(&owner, &register, 0).await["items"]["health_code"]["value"], "green");
        app.at("2022-11-16T12:00:00+08:00");
        let owner = app.sign_in(&Person::number(900)).await;
        assert_eq!(row(&owner, &register, 0).await["items"]["health_code"]["state"], "stale");
    }
}

on_both! {
    async fn who_joined_while_the_items_could_not_be_read_says_so_until_they_are(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let started = app.client().post(&path, join_body(&person)).await.expect(202);
        app.source_is(Fault::Down);
        app.client().confirm(&app, &started, person.phone()).await;
        let shown = row(&owner, &register, 0).await;
        assert_eq!(shown["items"]["health_code"]["state"], "source_unavailable");
        assert_eq!(shown["data_time"], Value::Null);
        app.source_is(Fault::Ok);
        assert_eq!(counts(&refresh(&app.app).await), [1, 0, 0, 0]);
        assert_eq!(row(&owner, &register, 0).await["items"]["health_code"]["value"], "green");
    }
}

on_both! {
    async fn a_changed_phone_at_the_source_replaces_ours(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut person = Person::number(1);
        app.member(&register, &person).await;
        person.phones = vec!["13911112222".into()];
        app.put(&person, app.healthy()).await;
        refresh(&app.app).await;
        assert_eq!(row(&owner, &register, 0).await["phone_masked"], "139****2222");
        app.clock.advance(61);
        let mut old = person.identity();
        old["phone"] = json!("13800000001");
        assert_eq!(app.client().post("/api/v1/sign-in", old).await.problem(422), "identity_mismatch");
        app.sign_in(&person).await;
    }
}

on_both! {
    async fn the_schedule_is_in_beijing_whatever_the_hosts_zone(app: TestApp) {
        for (moment, next) in [
            ("2022-11-14T05:59:59+08:00", "2022-11-14T06:00:00+08:00"),
            ("2022-11-14T06:00:00+08:00", "2022-11-14T09:00:00+08:00"),
            ("2022-11-14T04:00:00Z", "2022-11-14T16:00:00+08:00"),
            ("2022-11-14T23:59:00+08:00", "2022-11-15T06:00:00+08:00"),
        ] {
            app.at(moment);
            let due = refresh_health::next_due(&app.app, app.app.now());
            assert_eq!(tuantibu::clock::rfc3339(due, &app.app.zone), next, "{moment}");
        }
        app.at("2022-11-14T08:59:59+08:00");
        refresh(&app.app).await;
        assert!(!refresh_health::is_due(&app.app).await.unwrap());
        app.clock.advance(1);
        assert!(refresh_health::is_due(&app.app).await.unwrap());
        refresh(&app.app).await;
        assert!(!refresh_health::is_due(&app.app).await.unwrap());
    }
}

/// A source of many people that fails for some, and can be killed in the middle of a run.
struct Many {
    failing: Mutex<HashSet<String>>,
    asked: AtomicUsize,
    killed_after: AtomicUsize,
    code: Mutex<&'static str>,
}

#[async_trait]
impl HealthSource for Many {
    fn kind(&self) -> &'static str {
        "many"
    }

    async fn matches(&self, _: &Identity) -> Result<bool, SourceError> {
        Ok(true)
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let before = self.asked.fetch_add(batch.len(), Ordering::SeqCst);
        if before > self.killed_after.load(Ordering::SeqCst) {
            // Whoever waits here is killed: the future is dropped and never comes back.
            std::future::pending::<()>().await;
        }
        let failing = self.failing.lock().unwrap().clone();
        let code = *self.code.lock().unwrap();
        Ok(batch
            .iter()
            .map(|ask| {
                if failing.contains(ask.document.number()) {
                    return Answer::Failed;
                }
                let record = tuantibu::model::health::ItemRecord::Status {
                    value: code.into(),
                    since: None,
                };
                Answer::Found {
                    phones: Vec::new(),
                    items: ask
                        .items
                        .iter()
                        .map(|item| (item.clone(), Some(record.clone())))
                        .collect(),
                }
            })
            .collect())
    }
}

/// Every snapshot as the database holds it, to see that nothing was written.
async fn snapshots(app: &TestApp) -> Vec<(Vec<u8>, Option<Vec<u8>>, Option<i64>)> {
    let text = "select person_id, items, read_at from snapshots order by person_id";
    if app.is_sqlite() {
        let database = app.sqlite();
        let mut statement = database.prepare(text).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        return rows.unwrap().collect::<Result<_, _>>().unwrap();
    }
    let pool = sqlx::PgPool::connect(&app.config.database.url)
        .await
        .unwrap();
    sqlx::query_as(text).fetch_all(&pool).await.unwrap()
}

async fn one_thousand_and_one(on: On) {
    const PEOPLE: usize = 1001;
    let many = Arc::new(Many {
        failing: Mutex::default(),
        asked: AtomicUsize::new(0),
        killed_after: AtomicUsize::new(usize::MAX),
        code: Mutex::new("green"),
    });
    let app = TestApp::start_with_source(on, many.clone(), |config| {
        config.refresh.batch = 100;
        config.limits.mismatches_address_hour = i64::MAX;
        config.limits.posts_address = i64::MAX;
        config.limits.confirms_address = i64::MAX;
        config.limits.previews_address = i64::MAX;
        config.limits.sms_site_hour = i64::MAX;
    })
    .await;
    let owner = app.sign_in(&Person::number(5000)).await;
    let register = app
        .register_with(&owner, |terms| {
            terms["items"] = json!([{ "item": "health_code", "required": true }]);
            terms["requirements"] = json!([{ "item": "health_code", "allowed": ["green"] }]);
        })
        .await;
    let people: Vec<Person> = (1..=PEOPLE).map(Person::number).collect();
    for chunk in people.chunks(50) {
        let client = app.client();
        let joins = chunk.iter().map(|person| {
            app.join_with(&client, &register, person, |body| {
                body["consent"]["items"] = json!(["health_code"]);
            })
        });
        futures_util::future::join_all(joins).await;
    }
    let first = refresh(&app.app).await;
    assert_eq!(counts(&first), [0, PEOPLE as i64, 0, 0]);

    // Everything changes, three fail, and the run is killed half-way.
    *many.code.lock().unwrap() = "yellow";
    *many.failing.lock().unwrap() = [3, 400, 1000]
        .iter()
        .map(|n| people[*n].document.clone())
        .collect();
    many.asked.store(0, Ordering::SeqCst);
    many.killed_after.store(PEOPLE / 2, Ordering::SeqCst);
    app.clock.advance(1200);
    let killed = tokio::spawn({
        let app = app.app.clone();
        async move { refresh(&app).await }
    });
    while many.asked.load(Ordering::SeqCst) <= PEOPLE / 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    killed.abort();
    assert!(killed.await.is_err());
    assert!(
        refresh_health::last_run(&app.app).await.unwrap().unwrap().1,
        "left half-way"
    );

    // The lease of the killed server runs out, and the run goes on where it stopped.
    many.killed_after.store(usize::MAX, Ordering::SeqCst);
    let asked_before = many.asked.load(Ordering::SeqCst);
    app.clock.advance(app.config.refresh.lease_seconds + 1);
    let resumed = refresh(&app.app).await;
    assert_eq!(counts(&resumed).iter().sum::<i64>(), PEOPLE as i64);
    assert_eq!(counts(&resumed), [PEOPLE as i64 - 3, 0, 3, 0]);
    let asked_twice = many.asked.load(Ordering::SeqCst) - PEOPLE;
    assert!(
        asked_twice <= 100,
        "{asked_twice} were asked again, {asked_before} before the kill"
    );

    // The three keep value and time; everybody else has the new ones.
    let owner = app.sign_in(&Person::number(5000)).await;
    let (mut old, mut new, mut after) = (0, 0, String::new());
    loop {
        let path = register.path(&format!("/members?limit=200&sort=joined_at&after={after}"));
        let page = owner.get(&path).await.expect(200);
        for member in page["members"].as_array().unwrap() {
            match member["items"]["health_code"]["value"].as_str().unwrap() {
                "green" => {
                    assert_eq!(member["data_time"], "2022-11-14T12:00:00+08:00");
                    old += 1;
                }
                _ => new += 1,
            }
        }
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((old, new), (3, PEOPLE - 3));

    // Over unchanged data no snapshot is written, misses included.
    let before = snapshots(&app).await;
    app.clock.advance(60);
    assert_eq!(
        counts(&refresh(&app.app).await),
        [0, PEOPLE as i64 - 3, 3, 0]
    );
    assert_eq!(snapshots(&app).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_1001_people_each_is_counted_once_though_the_run_was_killed_on_sqlite() {
    one_thousand_and_one(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_1001_people_each_is_counted_once_though_the_run_was_killed_on_postgres() {
    one_thousand_and_one(On::Postgres).await;
}

on_both! {
    async fn two_servers_share_one_run_and_read_nobody_twice(app: TestApp) {
        let (_, register) = owned(&app).await;
        for n in 1..=40 {
            app.member(&register, &Person::number(n)).await;
        }
        app.clock.advance(1200);
        let other = app.another().await;
        let (one, two) = tokio::join!(refresh(&app.app), refresh(&other.app));
        assert_eq!(one, two, "both wait for the end of the same run");
        assert_eq!(counts(&one), [0, 40, 0, 0]);
    }
}

on_both! {
    async fn a_due_run_that_another_server_ends_while_we_turn_to_it_is_not_run_again(app: TestApp) {
        let other = app.another().await;
        app.at("2022-11-14T16:00:00+08:00");
        // As the schedule does it: a look, and then the refresh.
        assert!(refresh_health::is_due(&app.app).await.unwrap());
        let theirs = refresh_health(&other.app, "schedule", &|_, _| {}).await.unwrap();
        let ours = refresh_health(&app.app, "schedule", &|_, _| {}).await.unwrap();
        assert_eq!(crate::rows::rows(&app).await.count("refresh_runs"), 1);
        assert_eq!(ours, theirs);
    }
}

/// A source whose first answer of each run is none.
struct Flaky(AtomicUsize);

#[async_trait]
impl HealthSource for Flaky {
    fn kind(&self) -> &'static str {
        "flaky"
    }

    async fn matches(&self, _: &Identity) -> Result<bool, SourceError> {
        Ok(true)
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(SourceError::Unavailable("the first of the run".into()));
        }
        let found = |ask: &Ask| Answer::Found {
            phones: Vec::new(),
            items: ask.items.iter().map(|item| (item.clone(), None)).collect(),
        };
        Ok(batch.iter().map(found).collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_failed_whole_is_tried_again_before_it_is_given_up() {
    let flaky = Arc::new(Flaky(AtomicUsize::new(0)));
    let app = TestApp::start_with_source(On::Sqlite, flaky.clone(), |_| {}).await;
    let owner = app.sign_in(&Person::number(900)).await;
    let register = app.register(&owner).await;
    app.join(&register, &Person::number(1)).await;
    assert_eq!(flaky.0.load(Ordering::SeqCst), 1, "read on joining");
    app.clock.advance(1200);
    assert_eq!(counts(&refresh(&app.app).await), [0, 1, 0, 0]);
    assert_eq!(flaky.0.load(Ordering::SeqCst), 3, "failed, and tried again");
}
