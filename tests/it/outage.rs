//! What a mismatch and an outage tell: nothing that a stranger did not know.
use crate::{
    app::{Answer, On, Person, TestApp, join_body},
    on_both,
    probe::Probe,
    rows::rows,
    world::text,
};
use serde_json::{Value, json};
use tuantibu::source::faults::Fault;

const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

/// What of an answer anybody may compare: all but what is drawn anew each time.
fn told(mut answer: Answer) -> (u16, Vec<(String, String)>, Value) {
    if let Some(body) = answer.body.as_object_mut() {
        for drawn in ["instance", "verification_id", "phone_masked"] {
            body.remove(drawn);
        }
    }
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        (name.to_string(), value)
    });
    (answer.status, headers.collect(), answer.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mismatch_costs_the_same_and_leaves_the_same() {
    for on in BOTH {
        let (app, probe) = Probe::start(on, |_| {}).await;
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        let member = Person::number(1);
        app.member(&register, &member).await;
        let known = Person::number(2);
        app.put(&known, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let before = rows(&app).await.without(&["counters"]);
        probe.calls();
        let mut answers = Vec::new();
        for (n, person) in [&member, &known, &Person::number(3)]
            .into_iter()
            .enumerate()
        {
            for (field, value) in [
                ("name", json!("甲甲")),
                ("document_number", json!(Person::number(70 + n).document)),
                ("phone", json!(format!("1390000000{n}"))),
            ] {
                let client = app
                    .client()
                    .behind(&format!("198.51.100.{}", answers.len()));
                let mut body = person.identity();
                body[field] = value.clone();
                answers.push(told(client.post("/api/v1/sign-in", body).await));
                assert_eq!(probe.calls(), (1, 0), "{field}");
                let client = app
                    .client()
                    .behind(&format!("198.51.100.{}", answers.len()));
                let mut body = join_body(person);
                body[field] = value;
                answers.push(told(client.post(&path, body).await));
                assert_eq!(probe.calls(), (1, 0), "{field}");
            }
        }
        // Tries are counted by what was typed, not by who is known.
        for (_, _, body) in &mut answers {
            body.as_object_mut().unwrap().remove("tries_left");
        }
        assert_eq!(answers[0].0, 422);
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        let after = rows(&app).await.without(&["counters"]);
        assert_eq!(before.changed(&after), Vec::<String>::new());
    }
}

on_both! {
    async fn an_outage_of_source_and_gateway_tells_nobody_who_is_known_here(app: TestApp) {
        let (known, unknown) = (Person::number(1), Person::number(2));
        app.put(&known, json!({})).await;
        let session = app.sign_in(&known).await;
        app.register(&session).await;
        app.source_is(Fault::Down);
        let client = app.client();
        for fails in [true, false] {
            app.sms_fails(fails);
            let mut both = Vec::new();
            for person in [&known, &unknown] {
                let start = async || client.post("/api/v1/sign-in", person.identity()).await;
                let first = start().await;
                let handle = text(&first.body["verification_id"]);
                let resend = format!("/api/v1/verifications/{handle}/resend");
                let confirm = format!("/api/v1/verifications/{handle}/confirm");
                let again = start().await;
                let early = client.post(&resend, json!({})).await;
                let wrong = client.post(&confirm, json!({ "code": "12345" })).await;
                both.push((first, again, early, wrong, resend));
            }
            app.clock.advance(61);
            let mut told_both = Vec::new();
            for (first, again, early, wrong, resend) in both {
                let late = client.post(&resend, json!({})).await;
                let all = [first, again, early, wrong, late];
                told_both.push(all.map(told));
            }
            assert_eq!(told_both[0], told_both[1], "while the gateway fails: {fails}");
            let statuses: Vec<u16> = told_both[0].iter().map(|answer| answer.0).collect();
            assert_eq!(statuses, [202, 429, 429, 422, 202]);
            app.clock.advance(61);
        }
        assert_eq!(app.sms_count(unknown.phone()), 0);
        // Every further start is told the same, up to the last of the day.
        let mut statuses = [Vec::new(), Vec::new()];
        for (person, statuses) in [&known, &unknown].into_iter().zip(&mut statuses) {
            for _ in 0..5 {
                let answer = client.post("/api/v1/sign-in", person.identity()).await;
                statuses.push((answer.status, answer.body["code"].clone()));
                app.clock.advance(61);
            }
        }
        assert_eq!(statuses[0], statuses[1]);
        assert_eq!(statuses[0].last().unwrap().0, 429);
    }
}

on_both! {
    async fn a_phone_that_waits_for_another_code_tells_nothing_in_an_outage(app: TestApp) {
        // Somebody who shares a phone with the one who is asked about.
        let (mut own, known, unknown) = (Person::number(1), Person::number(2), Person::number(3));
        own.phones = known.phones.clone();
        for person in [&own, &known] {
            app.put(person, json!({})).await;
            let session = app.sign_in(person).await;
            app.register(&session).await;
        }
        let client = app.client();
        client.post("/api/v1/sign-in", own.identity()).await.expect(202);
        let sent = app.sms_count(known.phone());
        app.source_is(Fault::Down);
        let right = told(client.post("/api/v1/sign-in", known.identity()).await);
        let mut wrong = unknown.identity();
        wrong["phone"] = json!(known.phone());
        let wrong = told(client.post("/api/v1/sign-in", wrong).await);
        assert_eq!((right.0, &right.2), (wrong.0, &wrong.2));
        assert_eq!(app.sms_count(known.phone()), sent, "one unused code a minute, in an outage too");
    }
}

on_both! {
    async fn who_is_known_here_signs_in_during_an_outage_and_may_at_once_again(app: TestApp) {
        let known = Person::number(1);
        app.put(&known, json!({})).await;
        let session = app.sign_in(&known).await;
        app.register(&session).await;
        app.source_is(Fault::Down);
        let started = app.client().post("/api/v1/sign-in", known.identity()).await.expect(202);
        app.client().confirm(&app, &started, known.phone()).await.get("/api/v1/me").await.expect(200);
        let started = app.client().post("/api/v1/sign-in", known.identity()).await.expect(202);
        app.client().confirm(&app, &started, known.phone()).await.get("/api/v1/me").await.expect(200);
        app.source_is(Fault::Ok);
        let started = app.client().post("/api/v1/sign-in", known.identity()).await.expect(202);
        app.client().confirm(&app, &started, known.phone()).await;
    }
}

on_both! {
    async fn joins_that_wait_give_nobody_more_guesses(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        let victim = Person::number(1);
        app.put(&victim, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        app.source_is(Fault::Down);
        for n in 0..6 {
            let mut body = join_body(&victim);
            body["phone"] = json!(format!("1390000000{n}"));
            let answer = app.client().post(&path, body).await;
            if n < 5 {
                answer.expect(202);
            } else {
                assert_eq!(answer.problem(429), "too_many_attempts");
            }
        }
    }
}

on_both! {
    async fn a_waiting_join_by_a_replaced_code_sends_nothing(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register(&session).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        app.source_is(Fault::Down);
        let path = format!("/api/v1/join/{}", register.code);
        let pending = app.client().post(&path, join_body(&person)).await.expect(202);
        app.source_is(Fault::Ok);
        session.post(&register.path("/code"), json!({})).await.expect(201);
        let path = format!("/api/v1/pending/{}/send-code", text(&pending["pending_id"]));
        assert_eq!(app.client().post(&path, json!({})).await.problem(410), "code_replaced");
        assert_eq!(app.sms_count(person.phone()), 0);
    }
}

on_both! {
    async fn a_consent_in_a_register_that_ended_is_not_changed(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let session = app.sign_in(&owner).await;
        let register = app.register_with(&session, |terms| terms["ends_on"] = json!("2022-11-14")).await;
        app.at("2022-11-14T23:59:00+08:00");
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let me = app.client().with(joined["token"].as_str());
        app.at("2022-11-15T00:00:00+08:00");
        let before = rows(&app).await.without(&["counters", "sessions"]);
        let path = format!("/api/v1/me/authorizations/{}", text(&joined["authorization"]["id"]));
        let answer = me.patch(&path, join_body(&person)["consent"].clone()).await;
        assert_eq!(answer.problem(404), "not_found");
        let after = rows(&app).await.without(&["counters", "sessions"]);
        assert_eq!(before.changed(&after), Vec::<String>::new());
    }
}
