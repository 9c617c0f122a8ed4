//! Signing in: one answer for every mismatch, codes used once, limits that hold.
use crate::{
    app::{Client, Person, TestApp, confirm_path, owned},
    on_both,
};
use futures_util::future::join_all;
use serde_json::json;
use tuantibu::source::faults::Fault;

async fn start(client: &Client, person: &Person) -> serde_json::Value {
    client
        .post("/api/v1/sign-in", person.identity())
        .await
        .expect(202)
}

on_both! {
    async fn a_right_code_opens_a_session_and_is_used_once(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let started = start(&client, &person).await;
        assert_eq!(started["phone_masked"], "138****0001");
        assert_eq!((&started["expires_in"], &started["resend_in"]), (&json!(300), &json!(60)));
        let code = json!({ "code": app.code(person.phone()) });
        let confirmed = client.post(&confirm_path(&started), code.clone()).await.expect(200);
        let me = client.with(confirmed["token"].as_str());
        assert_eq!(me.get("/api/v1/me").await.expect(200)["person"]["name"], person.name);
        assert_eq!(client.post(&confirm_path(&started), code).await.problem(410), "verification_ended");
        me.delete("/api/v1/session").await.expect(204);
        assert_eq!(me.get("/api/v1/me").await.problem(401), "not_signed_in");
    }
}

on_both! {
    async fn every_mismatch_gets_one_identical_answer_and_no_sms(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let mut bodies = Vec::new();
        for (field, value) in [
            ("name", "甲二".to_owned()),
            ("document_number", Person::number(2).document),
            ("phone", "13900000000".to_owned()),
        ] {
            let mut body = person.identity();
            body[field] = json!(value);
            // Each from an address and under an identity of its own, so that tries do not add up.
            let client = client.behind(&format!("192.0.2.{}", bodies.len() + 1));
            let mut answer = client.post("/api/v1/sign-in", body).await;
            assert_eq!(answer.status, 422);
            answer.body.as_object_mut().unwrap().remove("instance");
            answer.body.as_object_mut().unwrap().remove("tries_left");
            bodies.push(answer.body);
        }
        assert_eq!(bodies[0]["code"], "identity_mismatch");
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        assert_eq!(app.sms_count(person.phone()) + app.sms_count("13900000000"), 0);
    }
}

on_both! {
    async fn five_mismatches_of_a_document_are_the_last_of_the_day(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let mut wrong = person.identity();
        wrong["name"] = json!("甲二");
        let client = app.client();
        for left in [4, 3, 2, 1, 0] {
            let answer = client.post("/api/v1/sign-in", wrong.clone()).await;
            assert_eq!(answer.body["tries_left"], left);
            assert_eq!(answer.problem(422), "identity_mismatch");
        }
        let refused = client.post("/api/v1/sign-in", person.identity()).await;
        assert_eq!(refused.headers["retry-after"], "43200", "until midnight");
        assert_eq!(refused.problem(429), "too_many_attempts");
        app.at("2022-11-15T00:00:00+08:00");
        start(&client, &person).await;
    }
}

on_both! {
    async fn eleven_documents_under_one_phone_from_one_address_are_one_too_many(app: TestApp) {
        let client = app.client();
        for n in 1..=10 {
            let mut body = Person::number(n).identity();
            body["phone"] = json!("13900000000");
            assert_eq!(client.post("/api/v1/sign-in", body).await.problem(422), "identity_mismatch");
        }
        let mut body = Person::number(11).identity();
        body["phone"] = json!("13900000000");
        assert_eq!(client.post("/api/v1/sign-in", body).await.problem(429), "too_many_attempts");
    }
}

on_both! {
    async fn five_wrong_codes_end_a_verification_and_a_resend_does_not_refill_them(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let started = start(&client, &person).await;
        let wrong = |code: &str| json!({ "code": if code == "000000" { "000001" } else { "000000" } });
        for left in [4, 3] {
            let answer = client.post(&confirm_path(&started), wrong(&app.code(person.phone()))).await;
            assert_eq!((answer.status, &answer.body["tries_left"]), (422, &json!(left)));
        }
        app.clock.advance(60);
        let resend = confirm_path(&started).replace("/confirm", "/resend");
        client.post(&resend, json!({})).await.expect(202);
        for left in [2, 1, 0] {
            let answer = client.post(&confirm_path(&started), wrong(&app.code(person.phone()))).await;
            assert_eq!((answer.status, &answer.body["tries_left"]), (422, &json!(left)));
        }
        let right = json!({ "code": app.code(person.phone()) });
        assert_eq!(client.post(&confirm_path(&started), right).await.problem(410), "verification_ended");
    }
}

on_both! {
    async fn the_last_two_codes_work_until_one_is_used_and_each_lives_five_minutes(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let started = start(&client, &person).await;
        let first = app.code(person.phone());
        let resend = confirm_path(&started).replace("/confirm", "/resend");
        let early = client.post(&resend, json!({})).await;
        assert_eq!(early.headers["retry-after"], "60");
        assert_eq!(early.problem(429), "resend_too_early");
        app.clock.advance(200);
        client.post(&resend, json!({})).await.expect(202);
        app.clock.advance(99);
        let spaced = format!(" {} {} ", &first[..3], &first[3..]);
        client.post(&confirm_path(&started), json!({ "code": spaced })).await.expect(200);
        // A used code frees the phone at once; the next verification runs out by itself.
        let started = start(&client, &person).await;
        app.clock.advance(300);
        let code = json!({ "code": app.code(person.phone()) });
        assert_eq!(client.post(&confirm_path(&started), code).await.problem(410), "verification_ended");
    }
}

on_both! {
    async fn ten_right_codes_at_once_give_one_success(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let started = start(&client, &person).await;
        let code = json!({ "code": app.code(person.phone()) });
        let path = confirm_path(&started);
        let answers = join_all((0..10).map(|_| client.post(&path, code.clone()))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 9, "{statuses:?}");
    }
}

on_both! {
    async fn twenty_starts_at_once_send_one_sms(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        let answers =
            join_all((0..20).map(|_| client.post("/api/v1/sign-in", person.identity()))).await;
        let started = answers.iter().filter(|answer| answer.status == 202).count();
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!((started, refused), (1, 19));
        assert_eq!(app.sms_count(person.phone()), 1);
    }
}

on_both! {
    async fn five_sms_a_phone_a_day_and_three_more_that_only_serve_leaving(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        for _ in 0..5 {
            start(&client, &person).await;
            app.clock.advance(61);
        }
        let refused = client.post("/api/v1/sign-in", person.identity()).await;
        assert_eq!(refused.problem(429), "too_many_attempts");
        let mut leaving = person.identity();
        leaving["purpose"] = json!("leave");
        for _ in 0..3 {
            client.post("/api/v1/sign-in", leaving.clone()).await.expect(202);
            app.clock.advance(61);
        }
        let refused = client.post("/api/v1/sign-in", leaving).await;
        assert_eq!(refused.problem(429), "too_many_attempts");
        assert_eq!(app.sms_count(person.phone()), 8);
    }
}

on_both! {
    async fn an_sms_that_the_gateway_did_not_take_may_be_tried_again_at_once(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let client = app.client();
        app.sms_fails(true);
        for _ in 0..7 {
            let answer = client.post("/api/v1/sign-in", person.identity()).await;
            assert_eq!(answer.problem(503), "sms_not_sent");
        }
        app.sms_fails(false);
        let started = start(&client, &person).await;
        client.confirm(&app, &started, person.phone()).await;
    }
}

on_both! {
    async fn while_the_source_is_down_the_profile_held_here_is_matched(app: TestApp) {
        let (known, unknown) = (Person::number(1), Person::number(2));
        app.put(&known, json!({})).await;
        let session = app.sign_in(&known).await;
        let _register = app.register(&session).await;
        app.source_is(Fault::Down);
        let client = app.client();
        let mut right = client.post("/api/v1/sign-in", known.identity()).await;
        let mut wrong = client.post("/api/v1/sign-in", unknown.identity()).await;
        assert_eq!((right.status, wrong.status), (202, 202));
        for answer in [&mut right, &mut wrong] {
            let body = answer.body.as_object_mut().unwrap();
            body.remove("verification_id");
            body.remove("phone_masked");
        }
        assert_eq!(right.body, wrong.body);
        assert_eq!(app.sms_count(unknown.phone()), 0);
        assert_eq!(app.sms_count(known.phone()), 2);
    }
}

on_both! {
    async fn a_session_ends_after_thirty_idle_minutes_and_after_eight_hours(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let session = app.sign_in(&person).await;
        app.clock.advance(29 * 60);
        session.get("/api/v1/me").await.expect(200);
        app.clock.advance(30 * 60);
        assert_eq!(session.get("/api/v1/me").await.problem(401), "not_signed_in");
        let session = app.sign_in(&person).await;
        for _ in 0..19 {
            app.clock.advance(25 * 60);
            session.get("/api/v1/me").await.expect(200);
        }
        app.clock.advance(25 * 60);
        assert_eq!(session.get("/api/v1/me").await.problem(401), "not_signed_in");
    }
}

on_both! {
    async fn a_number_that_went_to_somebody_else_opens_nothing_of_who_had_it_before(app: TestApp) {
        let (_, register) = owned(&app).await;
        let (mut former, mut next) = (Person::number(1), Person::number(2));
        app.member(&register, &former).await;
        let typed = former.identity();
        next.phones = std::mem::replace(&mut former.phones, vec!["13900001111".to_owned()]);
        app.put(&former, app.healthy()).await;
        app.put(&next, app.healthy()).await;
        app.clock.advance(61);
        let sent = app.sms_count(next.phone());
        let refused = app.client().post("/api/v1/sign-in", typed).await;
        assert_eq!(refused.problem(422), "identity_mismatch", "the old number of one's own");
        assert_eq!(app.sms_count(next.phone()), sent);
        let session = app.sign_in(&next).await;
        assert_eq!(session.get("/api/v1/me/authorizations").await.expect(200), json!([]));
        let session = app.sign_in(&former).await;
        let own = session.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(own.as_array().unwrap().len(), 1, "by the new number");
    }
}
