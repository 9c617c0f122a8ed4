//! The limits of SECURITY.md §3: the figure passes, one more does not; on every server, after a
//! restart, and for nobody else.
use crate::{
    app::{Answer, Client, On, Person, TestApp, confirm_path, join_body, owned},
    on_both,
    world::{lift, text},
};
use serde_json::{Value, json};
use tuantibu::{config::Config, source::faults::Fault};

const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

#[track_caller]
fn assert_refused(answer: &Answer, today: bool, most: i64) {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert_eq!(answer.body["code"], "too_many_attempts");
    assert_eq!(answer.body["today"], today);
    let seconds: i64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=most).contains(&seconds), "{seconds}");
    assert_eq!(answer.body["retry_after"], seconds);
}

/// Asks `most` times, in turn on two servers; each passes, and one more on either does not.
async fn exactly(
    most: usize,
    clients: &[Client; 2],
    ask: impl AsyncFn(&Client, usize) -> Answer,
) -> [Answer; 2] {
    for n in 0..most {
        let answer = ask(&clients[n % 2], n).await;
        assert_ne!(answer.status, 429, "{n} of {most}: {}", answer.body);
    }
    [
        ask(&clients[0], most).await,
        ask(&clients[1], most + 1).await,
    ]
}

#[test]
fn the_figures_are_those_that_the_security_page_names() {
    let limits = Config::default().limits;
    let figures = [
        (limits.mismatches_document_address, 5),
        (limits.mismatches_document, 20),
        (limits.mismatches_phone_address, 10),
        (limits.mismatches_phone, 50),
        (limits.mismatches_address_hour, 60),
        (limits.posts_address, 180),
        (limits.resend_seconds, 60),
        (limits.sms_phone, 5),
        (limits.sms_phone_leave, 3),
        (limits.sms_site_hour, 2000),
        (limits.wrong_codes, 5),
        (limits.code_seconds, 300),
        (limits.confirms_address, 600),
        (limits.previews_address, 600),
        (limits.unknown_codes_address, 60),
        (limits.creations_person, 20),
        (limits.reads_session, 120),
        (limits.reveals_hour, 60),
        (limits.reveals_day, 200),
        (limits.exports_day, 10),
        (limits.pending_address_hour, 20),
        (limits.members_register, 10_000),
        (limits.registers_administrator, 50),
        (limits.administrators_register, 10),
        (limits.persons_phone, 5),
        (limits.session_idle_minutes, 30),
        (limits.session_hours, 8),
        (limits.sessions_person, 5),
    ];
    assert!(
        figures.iter().all(|(is, wanted)| is == wanted),
        "{figures:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previews_and_unknown_codes_of_an_address() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| config.limits.previews_address = 90).await;
        let other = app.another().await;
        let (_, register) = owned(&app).await;
        let path = format!("/api/v1/join/{}", register.code);
        let clients = [app.client(), other.client()];
        // 60 unknown codes, whether previewed or joined by, and then none; a known one passes.
        let refused = exactly(60, &clients, async |client, n| {
            let path = format!("/api/v1/join/{n:022}");
            match n % 2 {
                0 => client.get(&path).await,
                _ => client.post(&path, join_body(&Person::number(1))).await,
            }
        })
        .await;
        refused
            .iter()
            .for_each(|answer| assert_refused(answer, false, 60));
        clients[0].get(&path).await.expect(200);
        for _ in 63..90 {
            clients[1].get(&path).await.expect(200);
        }
        let refused = clients[0].get(&path).await;
        assert_refused(&refused, false, 60);
        clients[0].behind("192.0.2.8").get(&path).await.expect(200);
        app.clock.advance(60);
        clients[0].get(&path).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posts_of_an_address_in_five_minutes() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| {
            lift(config);
            config.limits.posts_address = 180;
        })
        .await;
        let other = app.another().await;
        let (_, register) = owned(&app).await;
        app.clock.advance(300);
        let path = format!("/api/v1/join/{}", register.code);
        let clients = [app.client(), other.client()];
        let refused = exactly(180, &clients, async |client, n| {
            let person = Person::number(1000 + n);
            match n % 3 {
                0 => client.post(&path, join_body(&person)).await,
                _ => client.post("/api/v1/sign-in", person.identity()).await,
            }
        })
        .await;
        refused
            .iter()
            .for_each(|answer| assert_refused(answer, false, 300));
        let elsewhere = clients[0].behind("192.0.2.8");
        let answer = elsewhere
            .post("/api/v1/sign-in", Person::number(1).identity())
            .await;
        assert_eq!(answer.problem(422), "identity_mismatch");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmations_of_an_address_in_five_minutes() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| config.limits.confirms_address = 40).await;
        let other = app.another().await;
        let clients = [app.client(), other.client()];
        let refused = exactly(40, &clients, async |client, n| {
            let path = format!("/api/v1/verifications/{n:022}/confirm");
            client.post(&path, json!({ "code": "123456" })).await
        })
        .await;
        refused
            .iter()
            .for_each(|answer| assert_refused(answer, false, 300));
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let started = clients[0]
            .post("/api/v1/sign-in", person.identity())
            .await
            .expect(202);
        let code = json!({ "code": app.code(person.phone()) });
        assert_refused(
            &clients[0].post(&confirm_path(&started), code.clone()).await,
            false,
            300,
        );
        // What was refused used nothing up.
        let elsewhere = clients[1].behind("192.0.2.8");
        elsewhere
            .post(&confirm_path(&started), code)
            .await
            .expect(200);
    }
}

on_both! {
    async fn registers_made_and_codes_replaced_by_a_person_a_day(app: TestApp) {
        let other = app.another().await;
        let (owner, register) = owned(&app).await;
        let clients = [owner.clone(), other.client().with(owner.bearer.as_deref())];
        // One register is there already.
        let refused = exactly(19, &clients, async |client, n| match n % 2 {
            0 => client.post("/api/v1/registers", crate::app::terms()).await,
            _ => client.post(&register.path("/code"), json!({})).await,
        }).await;
        refused.iter().for_each(|answer| assert_refused(answer, true, 86_400));
        app.at("2022-11-15T00:00:00+08:00");
        let owner = app.sign_in(&Person::number(900)).await;
        owner.post(&register.path("/code"), json!({})).await.expect(201);
    }
}

on_both! {
    async fn lists_summaries_and_own_pages_of_a_session_a_minute(app: TestApp) {
        let other = app.another().await;
        let (owner, register) = owned(&app).await;
        let clients = [owner.clone(), other.client().with(owner.bearer.as_deref())];
        let paths = [
            register.path("/members"),
            register.path("/summary"),
            "/api/v1/me".to_owned(),
            "/api/v1/me/authorizations".to_owned(),
            "/api/v1/me/access-log".to_owned(),
            "/api/v1/me/data".to_owned(),
            "/api/v1/registers".to_owned(),
        ];
        let refused = exactly(120, &clients, async |client, n| {
            if n % 8 == 7 {
                return client.post(&register.path("/members/search"), json!({ "name": "甲" })).await;
            }
            client.get(&paths[n % 8]).await
        }).await;
        refused.iter().for_each(|answer| assert_refused(answer, false, 60));
        // Another session of the same person has its own.
        let elsewhere = app.sign_in(&Person::number(900)).await;
        elsewhere.get("/api/v1/me").await.expect(200);
        app.clock.advance(60);
        owner.get("/api/v1/me").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_is_not_changed_without_end_since_each_change_asks_the_source() {
    let app = TestApp::start_with(On::Sqlite, |config| config.limits.reads_session = 10).await;
    let (_, register) = owned(&app).await;
    let person = Person::number(1);
    let joined = app.member(&register, &person).await;
    let me = app.client().with(joined["token"].as_str());
    let path = format!(
        "/api/v1/me/authorizations/{}",
        text(&joined["authorization"]["id"])
    );
    let consent = join_body(&person)["consent"].clone();
    let mut refused = 0;
    for _ in 0..11 {
        refused += u32::from(me.patch(&path, consent.clone()).await.status == 429);
    }
    assert!(refused > 0);
    me.delete(&path).await.expect(200);
}

on_both! {
    async fn phones_revealed_by_a_person_an_hour(app: TestApp) {
        let other = app.another().await;
        let (owner, register) = owned(&app).await;
        let joined = app.member(&register, &Person::number(1)).await;
        let id = text(&joined["authorization"]["id"]);
        let path = register.path(&format!("/members/{id}/phone"));
        // By the person, not the session.
        let clients = [owner.clone(), other.client().with(app.sign_in(&Person::number(900)).await.bearer.as_deref())];
        let refused = exactly(60, &clients, async |client, _| client.post(&path, json!({})).await).await;
        refused.iter().for_each(|answer| assert_refused(answer, false, 3600));
        let log = app.client().with(joined["token"].as_str()).get("/api/v1/me/access-log").await.expect(200);
        assert_eq!(log.as_array().unwrap().len(), 60, "what was refused is not in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_of_a_person_a_day() {
    for on in BOTH {
        let app = TestApp::start_with(on, lift).await;
        let other = app.another().await;
        let (owner, register) = owned(&app).await;
        let person = Person::number(900);
        let clients = [owner.clone(), other.client().with(owner.bearer.as_deref())];
        let path = register.path("/exports");
        let mut statuses = Vec::new();
        for n in 0..12 {
            let token = owner.confirmation(&app, &person, "export", &register).await;
            let export = json!({ "format": "csv", "purpose": "核对", "confirmation_token": token });
            let answer = clients[n % 2].post(&path, export).await;
            statuses.push(answer.status);
            if n >= 10 {
                assert_refused(&answer, true, 86_400);
            }
        }
        assert_eq!(statuses[..10], [200; 10]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_export_at_once_waits_and_uses_no_confirmation_up() {
    let app = TestApp::start(On::Sqlite).await;
    let (owner, register) = owned(&app).await;
    let token = owner
        .confirmation(&app, &Person::number(900), "export", &register)
        .await;
    let export = json!({ "format": "csv", "purpose": "核对", "confirmation_token": token });
    let turns = app.app.exports.clone().try_acquire_many_owned(2).unwrap();
    let answer = owner.post(&register.path("/exports"), export.clone()).await;
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(answer.problem(503), "busy");
    drop(turns);
    assert_eq!(
        owner.post(&register.path("/exports"), export).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_of_the_whole_site_an_hour() {
    for on in BOTH {
        let app = TestApp::start_with(on, |config| config.limits.sms_site_hour = 12).await;
        let other = app.another().await;
        for n in 1..=14 {
            app.put(&Person::number(n), json!({})).await;
        }
        let clients = [app.client(), other.client()];
        let refused = exactly(12, &clients, async |client, n| {
            client
                .post("/api/v1/sign-in", Person::number(n + 1).identity())
                .await
        })
        .await;
        refused
            .iter()
            .for_each(|answer| assert_refused(answer, false, 3600));
        assert_eq!(app.sms_count(Person::number(13).phone()), 0);
        app.clock.advance(3600);
        clients[0]
            .post("/api/v1/sign-in", Person::number(13).identity())
            .await
            .expect(202);
    }
}

on_both! {
    async fn reports_of_an_address_an_hour(app: TestApp) {
        let other = app.another().await;
        let (_, register) = owned(&app).await;
        let path = format!("/api/v1/join/{}/report", register.code);
        let clients = [app.client(), other.client()];
        let refused = exactly(20, &clients, async |client, _| {
            client.post(&path, json!({ "reason": "名称有误" })).await
        }).await;
        refused.iter().for_each(|answer| assert_refused(answer, false, 3600));
        clients[0].behind("192.0.2.8").post(&path, json!({ "reason": "x" })).await.expect(202);
    }
}

on_both! {
    async fn waiting_joins_of_an_address_an_hour(app: TestApp) {
        let other = app.another().await;
        let (owner, register) = owned(&app).await;
        let path = format!("/api/v1/join/{}", register.code);
        app.source_is(Fault::Down);
        other.source_is(Fault::Down);
        let clients = [app.client(), other.client()];
        let refused = exactly(20, &clients, async |client, n| {
            client.post(&path, join_body(&Person::number(n + 1))).await
        }).await;
        refused.iter().for_each(|answer| assert_refused(answer, false, 3600));
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["waiting"], 20);
        clients[0].behind("192.0.2.8").post(&path, join_body(&Person::number(50))).await.expect(202);
    }
}

on_both! {
    async fn mismatches_count_on_every_server_and_after_a_restart(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let other = app.another().await;
        let mut wrong = person.identity();
        wrong["name"] = json!("甲二");
        let clients = [app.client(), other.client()];
        for (n, left) in [4, 3, 2, 1, 0].into_iter().enumerate() {
            let answer = clients[n % 2].post("/api/v1/sign-in", wrong.clone()).await;
            assert_eq!((answer.status, &answer.body["tries_left"]), (422, &json!(left)));
        }
        let restarted = app.another().await;
        for client in [&clients[0], &clients[1], &restarted.client()] {
            assert_refused(&client.post("/api/v1/sign-in", person.identity()).await, true, 86_400);
        }
        // From elsewhere it goes on, up to twenty in all; leaving is counted apart.
        for n in 0..15 {
            let elsewhere = clients[n % 2].behind(&format!("192.0.2.{}", 20 + n));
            assert_eq!(elsewhere.post("/api/v1/sign-in", wrong.clone()).await.problem(422), "identity_mismatch");
        }
        let elsewhere = clients[0].behind("192.0.2.99");
        assert_refused(&elsewhere.post("/api/v1/sign-in", wrong).await, true, 86_400);
        let mut leaving = person.identity();
        leaving["purpose"] = json!("leave");
        elsewhere.post("/api/v1/sign-in", leaving).await.expect(202);
    }
}

on_both! {
    async fn a_document_that_others_locked_still_leaves_by_its_session_and_its_link(app: TestApp) {
        let (_, register) = owned(&app).await;
        let (first, second) = (Person::number(1), Person::number(2));
        let mut held = Vec::new();
        for person in [&first, &second] {
            held.push(app.member(&register, person).await);
            let mut wrong = person.identity();
            wrong["name"] = json!("甲甲");
            for n in 0..4 {
                for _ in 0..5 {
                    let elsewhere = app.client().behind(&format!("198.51.100.{n}"));
                    elsewhere.post("/api/v1/sign-in", wrong.clone()).await.expect(422);
                }
            }
            let refused = app.client().post("/api/v1/sign-in", person.identity()).await;
            assert_refused(&refused, true, 86_400);
        }
        let me = app.client().with(held[0]["token"].as_str());
        me.get("/api/v1/me/authorizations").await.expect(200);
        let path = format!("/api/v1/me/authorizations/{}", text(&held[0]["authorization"]["id"]));
        me.delete(&path).await.expect(200);
        let link = format!("/api/v1/leave/{}", text(&held[1]["authorization"]["leave_link"]));
        app.client().post(&link, json!({})).await.expect(200);
    }
}

on_both! {
    async fn the_whole_network_of_a_customer_is_one_address(app: TestApp) {
        let person = Person::number(1);
        let mut wrong = person.identity();
        wrong["name"] = json!("甲二");
        let client = app.client();
        for n in 0..5 {
            let near = client.behind(&format!("[2001:db8:1:2::{n}]"));
            assert_eq!(near.post("/api/v1/sign-in", wrong.clone()).await.problem(422), "identity_mismatch");
        }
        let near = client.behind("[2001:db8:1:2:ffff::1]");
        assert_refused(&near.post("/api/v1/sign-in", wrong.clone()).await, true, 86_400);
        let far = client.behind("[2001:db8:1:3::1]");
        assert_eq!(far.post("/api/v1/sign-in", wrong.clone()).await.problem(422), "identity_mismatch");
        // An IPv4 address in IPv6 clothes is itself.
        for n in 0..5 {
            let dressed = client.behind(if n % 2 == 0 { "[::ffff:192.0.2.77]" } else { "192.0.2.77" });
            assert_eq!(dressed.post("/api/v1/sign-in", wrong.clone()).await.status, 422);
        }
        assert_refused(&client.behind("192.0.2.77").post("/api/v1/sign-in", wrong).await, true, 86_400);
    }
}

on_both! {
    async fn sixty_people_behind_one_address_join_within_five_minutes(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in 1..=60 {
            let person = Person::number(n);
            app.put(&person, app.healthy()).await;
            app.clock.advance(4);
            let client = app.client();
            client.get(&format!("/api/v1/join/{}", register.code)).await.expect(200);
            // Every third mistypes something first.
            if n % 3 == 0 {
                let mut wrong = join_body(&person);
                wrong["name"] = json!("甲甲");
                let path = format!("/api/v1/join/{}", register.code);
                assert_eq!(client.post(&path, wrong).await.problem(422), "identity_mismatch");
            }
            app.join(&register, &person).await;
        }
        let shown = owner.get(&register.path("")).await.expect(200);
        assert_eq!(shown["members"], Value::from(60));
    }
}
