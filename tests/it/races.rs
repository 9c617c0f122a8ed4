//! What happens at the same time: one use, one row, no limit passed, nothing brought back.
use crate::{
    app::{Answer, On, Person, Register, TestApp, confirm_path, join_body, owned},
    on_both,
    probe::Probe,
    rows::{assert_whole, rows},
    world::{lift, text},
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::sync::Arc;
use tuantibu::actions::refresh_health::refresh_health;

const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

/// Begins to join; the path of the confirmation and its body.
async fn begin(app: &TestApp, register: &Register, person: &Person) -> (String, Value) {
    app.put(person, app.healthy()).await;
    let path = format!("/api/v1/join/{}", register.code);
    let started = app
        .client()
        .post(&path, join_body(person))
        .await
        .expect(202);
    (
        confirm_path(&started),
        json!({ "code": app.code(person.phone()) }),
    )
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

async fn is_held(app: &TestApp, table: &str) -> usize {
    rows(app).await.count(table)
}

on_both! {
    async fn fifty_confirmations_of_a_join_at_once_are_one_row(app: TestApp) {
        let (_, register) = owned(&app).await;
        let (path, code) = begin(&app, &register, &Person::number(1)).await;
        let client = app.client();
        let answers = join_all((0..50).map(|_| client.post(&path, code.clone()))).await;
        assert_eq!((count(&answers, 200), count(&answers, 410)), (1, 49));
        assert_eq!(is_held(&app, "authorizations").await, 1);
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_while_a_refresh_reads_them_is_not_brought_back() {
    for on in BOTH {
        let (app, probe) = Probe::start(on, |_| {}).await;
        let (_, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let link = format!(
            "/api/v1/leave/{}",
            text(&joined["authorization"]["leave_link"])
        );
        // Something to write.
        app.put(&person, json!({ "health_code": { "value": "red" } }))
            .await;
        probe.hold();
        let running = app.app.clone();
        let run = tokio::spawn(async move { refresh_health(&running, "test", &|_, _| {}).await });
        probe.held().await;
        app.client().post(&link, json!({})).await.expect(200);
        probe.release();
        let run = run.await.unwrap().unwrap();
        assert_eq!(
            run.updated + run.unchanged + run.failed + run.unmatched,
            0,
            "{run:?}"
        );
        for table in ["snapshots", "authorizations"] {
            assert_eq!(is_held(&app, table).await, 0, "{table}");
        }
        assert_eq!(is_held(&app, "persons").await, 1, "the owner");
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_left_while_a_refresh_read_it_is_not_kept() {
    for on in BOTH {
        let (app, probe) = Probe::start(on, |_| {}).await;
        let (owner, first) = owned(&app).await;
        let second = app
            .register_with(&owner, |terms| {
                terms["items"] = json!([{ "item": "health_code", "required": true }]);
                terms["requirements"] = json!([]);
            })
            .await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        let kept = app
            .join_with(&app.client(), &second, &person, |body| {
                body["consent"]["items"] = json!(["health_code"]);
            })
            .await;
        // Joined, but not read: the snapshot does not hold the new items yet.
        probe.fail_to_read(true);
        let joined = app.join(&first, &person).await;
        probe.fail_to_read(false);
        probe.hold();
        let running = app.app.clone();
        let run = tokio::spawn(async move { refresh_health(&running, "test", &|_, _| {}).await });
        probe.held().await;
        let link = format!(
            "/api/v1/leave/{}",
            text(&joined["authorization"]["leave_link"])
        );
        app.client().post(&link, json!({})).await.expect(200);
        probe.release();
        run.await.unwrap().unwrap();
        let link = format!(
            "/api/v1/leave/{}",
            text(&kept["authorization"]["leave_link"])
        );
        let receipt = app.client().post(&link, json!({})).await.expect(200);
        let erased: Vec<&str> = receipt["erased"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|what| what.as_str()?.strip_prefix("health_items."))
            .collect();
        assert_eq!(erased, ["health_code"]);
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_is_changed_while_one_leaves_brings_nothing_back() {
    for on in BOTH {
        let (app, probe) = Probe::start(on, |_| {}).await;
        let (_, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let me = app.client().with(joined["token"].as_str());
        let id = text(&joined["authorization"]["id"]);
        let path = format!("/api/v1/me/authorizations/{id}");
        probe.hold();
        let (changing, to) = (me.clone(), path.clone());
        let consent = join_body(&person)["consent"].clone();
        let change = tokio::spawn(async move { changing.patch(&to, consent).await });
        probe.held().await;
        me.delete(&path).await.expect(200);
        probe.release();
        assert_eq!(change.await.unwrap().problem(404), "not_found");
        for table in ["snapshots", "authorizations"] {
            assert_eq!(is_held(&app, table).await, 0, "{table}");
        }
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_replaced_while_a_join_reads_ends_that_join() {
    for on in BOTH {
        let (app, probe) = Probe::start(on, |_| {}).await;
        let (owner, register) = owned(&app).await;
        let (path, code) = begin(&app, &register, &Person::number(1)).await;
        probe.hold();
        let client = app.client();
        let confirm = tokio::spawn(async move { client.post(&path, code).await });
        probe.held().await;
        owner
            .post(&register.path("/code"), json!({}))
            .await
            .expect(201);
        probe.release();
        assert_eq!(confirm.await.unwrap().problem(410), "code_replaced");
        assert_eq!(is_held(&app, "persons").await, 1, "the owner");
        assert_whole(&app).await;
    }
}

on_both! {
    async fn a_code_replaced_during_twenty_joins_leaves_each_whole_or_out(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut begun = Vec::new();
        for n in 1..=20 {
            begun.push(begin(&app, &register, &Person::number(n)).await);
        }
        let client = app.client();
        let confirms = join_all(begun.iter().map(|(path, code)| client.post(path, code.clone())));
        let path = register.path("/code");
        let replace = owner.post(&path, json!({}));
        let (answers, replaced) = join(confirms, replace).await;
        replaced.expect(201);
        let joined = count(&answers, 200);
        assert_eq!(joined + count(&answers, 410), 20);
        assert_eq!(is_held(&app, "authorizations").await, joined);
        assert_whole(&app).await;
        let late = client.get(&format!("/api/v1/join/{}", register.code)).await;
        assert_eq!(late.problem(410), "code_replaced");
    }
}

on_both! {
    async fn a_removal_and_a_new_consent_at_once_leave_one_row_or_none(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in 1..=8 {
            let person = Person::number(n);
            let joined = app.member(&register, &person).await;
            let id = text(&joined["authorization"]["id"]);
            let (path, code) = begin(&app, &register, &person).await;
            let client = app.client();
            let member = register.path(&format!("/members/{id}"));
            let (removed, again) = join(owner.delete(&member), client.post(&path, code)).await;
            removed.expect(204);
            again.expect(200);
            assert_whole(&app).await;
        }
    }
}

on_both! {
    async fn leaving_one_register_while_joining_another_keeps_the_person(app: TestApp) {
        let (owner, first) = owned(&app).await;
        let second = app.register(&owner).await;
        for n in 1..=8 {
            let person = Person::number(n);
            let joined = app.member(&first, &person).await;
            let link = format!("/api/v1/leave/{}", text(&joined["authorization"]["leave_link"]));
            let (path, code) = begin(&app, &second, &person).await;
            let client = app.client();
            let (left, other) = join(client.post(&link, json!({})), client.post(&path, code)).await;
            left.expect(200);
            other.expect(200);
            assert_whole(&app).await;
        }
        let list = owner.get(&second.path("/members")).await.expect(200);
        assert_eq!(list["members"].as_array().unwrap().len(), 8);
        assert_eq!(list["total"], 8);
    }
}

on_both! {
    async fn signing_out_while_making_a_register_leaves_no_register_without_an_owner(app: TestApp) {
        for n in 1..=8 {
            let person = Person::number(n);
            app.put(&person, json!({})).await;
            let me = app.sign_in(&person).await;
            let make = me.post("/api/v1/registers", crate::app::terms());
            let (made, out) = join(make, me.delete("/api/v1/session")).await;
            out.expect(204);
            assert!([201, 401].contains(&made.status), "{}", made.body);
            assert_whole(&app).await;
        }
    }
}

on_both! {
    async fn two_deletions_at_once_are_one(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in 1..=5 {
            app.member(&register, &Person::number(n)).await;
        }
        let person = Person::number(900);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            app.clock.advance(61);
            let token = owner.confirmation(&app, &person, "delete_register", &register).await;
            bodies.push(json!({ "organisation": "青禾实验小学", "confirmation_token": token }));
        }
        let path = register.path("");
        let answers = join_all(bodies.into_iter().map(|body| owner.send("DELETE", &path, Some(body)))).await;
        assert_eq!((count(&answers, 200), count(&answers, 404)), (1, 1));
        for table in ["registers", "authorizations", "snapshots", "register_administrators"] {
            assert_eq!(is_held(&app, table).await, 0, "{table}");
        }
        assert_whole(&app).await;
    }
}

on_both! {
    async fn members_leave_while_their_register_is_deleted_and_nothing_is_left(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut links = Vec::new();
        for n in 1..=6 {
            let joined = app.member(&register, &Person::number(n)).await;
            links.push(format!("/api/v1/leave/{}", text(&joined["authorization"]["leave_link"])));
        }
        let (path, code) = begin(&app, &register, &Person::number(7)).await;
        let token = owner.confirmation(&app, &Person::number(900), "delete_register", &register).await;
        let body = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
        let client = app.client();
        let leaves = join_all(links.iter().map(|link| client.post(link, json!({}))));
        let deleted = register.path("");
        let delete = owner.send("DELETE", &deleted, Some(body));
        let (leaves, (deleted, joined)) = join(leaves, join(delete, client.post(&path, code))).await;
        deleted.expect(200);
        assert!(leaves.iter().all(|answer| [200, 404].contains(&answer.status)));
        assert!([200, 410].contains(&joined.status), "{}", joined.body);
        for table in ["registers", "authorizations", "snapshots"] {
            assert_eq!(is_held(&app, table).await, 0, "{table}");
        }
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_registers_made_at_once_stop_at_fifty() {
    for on in BOTH {
        // A limit a day that is lifted altogether must not lift the other.
        let change = |config: &mut tuantibu::config::Config| {
            config.limits.creations_person = 1_000_000_000;
        };
        let app = TestApp::start_with(on, change).await;
        let (owner, _) = owned(&app).await;
        for _ in 1..35 {
            app.register(&owner).await;
        }
        let make = || owner.post("/api/v1/registers", crate::app::terms());
        let answers = join_all((0..30).map(|_| make())).await;
        assert_eq!((count(&answers, 201), count(&answers, 422)), (15, 15));
        assert_eq!(is_held(&app, "registers").await, 50);
        assert_eq!(make().await.problem(422), "too_many_registers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_joins_at_once_fill_the_last_place_once() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| config.limits.members_register = 3).await;
        let (_, register) = owned(&app).await;
        for n in 1..=2 {
            app.member(&register, &Person::number(n)).await;
        }
        let mut begun = Vec::new();
        for n in 3..=12 {
            begun.push(begin(&app, &register, &Person::number(n)).await);
        }
        let client = app.client();
        let answers = join_all(
            begun
                .iter()
                .map(|(path, code)| client.post(path, code.clone())),
        )
        .await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 9));
        assert_eq!(is_held(&app, "authorizations").await, 3);
        // Nobody who was refused left a person behind.
        assert_eq!(is_held(&app, "persons").await, 4);
        assert_whole(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_phone_used_twice_at_once_passes_no_limit() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| config.limits.persons_phone = 2).await;
        let (_, register) = owned(&app).await;
        let mut begun = Vec::new();
        for n in 1..=3 {
            let mut person = Person::number(n);
            person.phones = vec!["13900001111".into()];
            if n == 1 {
                app.member(&register, &person).await;
            } else {
                begun.push(begin(&app, &register, &person).await);
                app.clock.advance(61);
            }
        }
        let client = app.client();
        let answers = join_all(
            begun
                .iter()
                .map(|(path, code)| client.post(path, code.clone())),
        )
        .await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 1));
        assert_whole(&app).await;
    }
}

on_both! {
    async fn one_new_person_who_signs_in_five_times_at_once_is_one(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let mut begun = Vec::new();
        for _ in 0..5 {
            let started = client.post("/api/v1/sign-in", person.identity()).await.expect(202);
            begun.push((confirm_path(&started), json!({ "code": app.code(person.phone()) })));
            app.clock.advance(60);
        }
        // The first has run out by now.
        let answers = join_all(begun.iter().map(|(path, code)| client.post(path, code.clone()))).await;
        assert_eq!((count(&answers, 200), count(&answers, 410)), (4, 1));
        assert_eq!((is_held(&app, "persons").await, is_held(&app, "sessions").await), (1, 4));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_session_lives_however_many_begin_in_one_moment() {
    for on in BOTH {
        let app = TestApp::start_with(on, lift).await;
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let mut all = Vec::new();
        for _ in 0..12 {
            let me = app.sign_in(&person).await;
            me.get("/api/v1/me").await.expect(200);
            all.push(me);
        }
        assert_eq!(is_held(&app, "sessions").await, 5);
        let live = join_all(all.iter().map(|me| me.get("/api/v1/me"))).await;
        assert_eq!((count(&live, 200), count(&live, 401)), (5, 7));
    }
}

on_both! {
    async fn changes_of_one_register_at_once_are_each_whole(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let path = register.path("");
        let change = |n: usize| {
            owner.patch(&path, json!({
                "contact": format!("010-6234560{n}"),
                "requirements": [{ "item": "nucleic_acid", "max_days": n + 1 }],
            }))
        };
        let answers = join_all((0..10).map(change)).await;
        assert_eq!(count(&answers, 200), 10);
        let shown = owner.get(&path).await.expect(200);
        let days = shown["requirements"][0]["max_days"].as_u64().unwrap();
        assert_eq!(shown["contact"], format!("010-6234560{}", days - 1));
        assert_eq!(shown["requirements_version"], 11);
        assert_eq!(shown["requirements_history"].as_array().unwrap().len(), 11);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn two_servers_invite_who_waits_once(app: TestApp) {
        use tuantibu::{actions::retry_pending, source::faults::Fault};
        let (_, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        app.source_is(Fault::Down);
        let path = format!("/api/v1/join/{}", register.code);
        app.client().post(&path, join_body(&person)).await.expect(202);
        app.source_is(Fault::Ok);
        let other = app.another().await;
        let (first, second) = join(
            retry_pending::retry_pending(&app.app),
            retry_pending::retry_pending(&other.app),
        ).await;
        first.unwrap();
        second.unwrap();
        assert_eq!(is_held(&app, "jobs").await, 1);
    }
}

on_both! {
    async fn everybody_leaves_during_a_refresh_and_nobody_is_refused(app: TestApp) {
        let (_, register) = owned(&app).await;
        let mut links = Vec::new();
        let people: Vec<Person> = (1..=20).map(Person::number).collect();
        for person in &people {
            let joined = app.member(&register, person).await;
            links.push(format!("/api/v1/leave/{}", text(&joined["authorization"]["leave_link"])));
            app.put(person, json!({ "health_code": { "value": "yellow" } })).await;
        }
        let running = Arc::clone(&app.app);
        let run = tokio::spawn(async move { refresh_health(&running, "test", &|_, _| {}).await });
        let client = app.client();
        let answers = join_all(links.iter().map(|link| client.post(link, json!({})))).await;
        run.await.unwrap().unwrap();
        assert_eq!(count(&answers, 200), 20);
        for table in ["snapshots", "authorizations"] {
            assert_eq!(is_held(&app, table).await, 0, "{table}");
        }
        assert_whole(&app).await;
    }
}
