//! What is refused, and that nothing changes by it.
use super::{Seat, accept, person, show};
use crate::{
    app::{Person, TestApp, terms},
    on_both,
    rows::{assert_whole, rows},
    world::{lift, text},
};
use serde_json::json;

on_both! {
    async fn departments_that_are_not_the_registers_are_wrong_fields_and_use_nothing_up(app: TestApp) {
        let seat = Seat::open(&app).await;
        let token = seat.token(&app, "add_administrator").await;
        for (departments, fields) in [
            (json!([]), vec!["departments:required"]),
            (json!(["财务"]), vec!["departments.0:unknown_value"]),
            (json!(["后勤", "财务", "后勤"]), vec!["departments.1:unknown_value", "departments.2:duplicate"]),
            (json!(["后勤 "]), vec!["departments.0:unknown_value"]),
        ] {
            let body = json!({ "departments": departments, "confirmation_token": token });
            let answer = seat.owner.post(&seat.path("/administrators"), body).await;
            assert_eq!(answer.fields(), fields);
            assert_eq!(answer.problem(422), "invalid_fields");
        }
        let body = json!({ "departments": ["后勤"], "confirmation_token": token });
        seat.owner.post(&seat.path("/administrators"), body).await.expect(201);
    }
}

on_both! {
    async fn a_confirmation_serves_its_own_action_and_register_once(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        let other = Seat::of(&seat.owner, &app.register(&seat.owner).await);
        let before = rows(&app).await;
        for (action, path, wrong) in [
            ("add_administrator", "/administrators", "/hand-over"),
            ("hand_over", "/hand-over", "/administrators"),
        ] {
            let token = seat.token(&app, action).await;
            let body = json!({ "confirmation_token": token });
            for refused in [
                seat.owner.post(&seat.path(wrong), body.clone()).await,
                other.owner.post(&other.path(path), body.clone()).await,
                seat.owner.post(&seat.path(path), json!({ "confirmation_token": "" })).await,
                seat.owner.post(&seat.path(path), json!({})).await,
            ] {
                assert_eq!(refused.problem(422), "confirmation_required");
            }
            // Nor for another session of the same owner.
            let elsewhere = person(&app, 900).await;
            let answer = elsewhere.post(&seat.path(path), body.clone()).await;
            assert_eq!(answer.problem(422), "confirmation_required");
            assert_eq!(before.count("invitations"), 0);
            seat.owner.post(&seat.path(path), body.clone()).await.expect(201);
            assert_eq!(seat.owner.post(&seat.path(path), body).await.problem(422), "confirmation_required");
        }
        for (action, path) in [("add_administrator", "/administrators"), ("hand_over", "/hand-over")] {
            let token = seat.token(&app, action).await;
            app.clock.advance(300);
            let answer = seat.owner.post(&seat.path(path), json!({ "confirmation_token": token })).await;
            assert_eq!(answer.problem(422), "confirmation_required", "5 minutes");
        }
    }
}

on_both! {
    async fn ten_administrators_with_open_invitations_and_one_more_is_refused(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        let mut links = Vec::new();
        for _ in 0..8 {
            links.push(seat.invite(&app, json!(null)).await);
            app.clock.advance(1);
        }
        let token = seat.token(&app, "add_administrator").await;
        seat.administrator(&app, 901, json!(null)).await;
        // An owner, an administrator, eight invitations.
        let body = json!({ "confirmation_token": token });
        let full = seat.owner.post(&seat.path("/administrators"), body.clone()).await;
        assert_eq!(full.problem(422), "too_many_administrators");
        let open = seat.list(&seat.owner).await["invitations"].clone();
        assert_eq!(open.as_array().unwrap().len(), 8);
        let withdrawn = seat.path(&format!("/invitations/{}", text(&open[7]["id"])));
        seat.owner.delete(&withdrawn).await.expect(204);
        seat.owner.post(&seat.path("/administrators"), body).await.expect(201);
        for (n, link) in links.iter().take(7).enumerate() {
            accept(&person(&app, 910 + n).await, link).await.expect(200);
        }
        let all = seat.list(&seat.owner).await;
        assert_eq!(all["administrators"].as_array().unwrap().len(), 9);
        // No code goes out for it either.
        let sent = app.sms_count(Person::number(900).phone());
        let asked = json!({ "action": "add_administrator", "register_id": seat.register.id });
        let refused = seat.owner.post("/api/v1/me/confirmations", asked).await;
        assert_eq!(refused.problem(422), "too_many_administrators");
        assert_eq!(app.sms_count(Person::number(900).phone()), sent);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn who_runs_fifty_registers_accepts_no_further_one(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.limits.registers_administrator = 2;
        }).await;
        let seat = Seat::open(&app).await;
        let full = person(&app, 901).await;
        let own = app.register(&full).await;
        let link = seat.invite(&app, json!(null)).await;
        accept(&full, &link).await.expect(200);
        let other = Seat::of(&seat.owner, &app.register(&seat.owner).await);
        let link = other.invite(&app, json!(null)).await;
        assert_eq!(accept(&full, &link).await.problem(422), "too_many_registers");
        // A register that one is in already is none more.
        let again = seat.hand_over(&app).await;
        accept(&full, &again).await.expect(200);
        // What refused left the invitation open: it serves once there is room.
        let of = Seat::whose(&full, &own, 901);
        let token = of.token(&app, "delete_register").await;
        let body = json!({ "organisation": terms()["organisation"], "confirmation_token": token });
        full.send("DELETE", &of.path(""), Some(body)).await.expect(200);
        accept(&full, &link).await.expect(200);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_invitation_is_accepted_by_a_full_session_of_somebody_else(app: TestApp) {
        let seat = Seat::open(&app).await;
        let links = [seat.invite(&app, json!(null)).await, seat.hand_over(&app).await];
        let person = Person::number(901);
        app.put(&person, json!({})).await;
        let mut leaving = person.identity();
        leaving["purpose"] = json!("leave");
        let started = app.client().post("/api/v1/sign-in", leaving).await.expect(202);
        let leaving = app.client().confirm(&app, &started, person.phone()).await;
        let before = rows(&app).await.without(&["counters", "sessions"]);
        for link in &links {
            for client in [&app.client(), &leaving] {
                assert_eq!(accept(client, link).await.problem(401), "not_signed_in");
            }
            assert_eq!(accept(&seat.owner, link).await.problem(409), "own_invitation");
            show(&app.client(), link).await.expect(200);
        }
        let after = rows(&app).await.without(&["counters", "sessions"]);
        assert_eq!(before.changed(&after), Vec::<String>::new());
    }
}

on_both! {
    async fn a_link_is_used_once_withdrawn_once_and_replaced_by_a_new_hand_over(app: TestApp) {
        let seat = Seat::open(&app).await;
        let used = seat.invite(&app, json!(null)).await;
        let first = person(&app, 901).await;
        accept(&first, &used).await.expect(200);
        let second = person(&app, 902).await;
        for client in [&first, &second] {
            assert_eq!(accept(client, &used).await.problem(410), "invitation_ended");
            assert_eq!(show(client, &used).await.problem(410), "invitation_ended");
        }
        let old = seat.hand_over(&app).await;
        let new = seat.hand_over(&app).await;
        assert_eq!(show(&second, &old).await.problem(410), "invitation_ended");
        assert_eq!(accept(&second, &old).await.problem(410), "invitation_ended");
        show(&second, &new).await.expect(200);
        let open = seat.list(&seat.owner).await["invitations"].clone();
        assert_eq!(open.as_array().unwrap().len(), 1);
        assert_eq!(open[0]["becomes"], "owner");
        let path = seat.path(&format!("/invitations/{}", text(&open[0]["id"])));
        assert_eq!(first.delete(&path).await.problem(404), "not_found", "the owner's alone");
        let elsewhere = app.register(&seat.owner).await;
        let wrong = elsewhere.path(&format!("/invitations/{}", text(&open[0]["id"])));
        assert_eq!(seat.owner.delete(&wrong).await.problem(404), "not_found");
        show(&second, &new).await.expect(200);
        seat.owner.delete(&path).await.expect(204);
        assert_eq!(seat.owner.delete(&path).await.problem(404), "not_found");
        assert_eq!(accept(&second, &new).await.problem(410), "invitation_ended");
    }
}

on_both! {
    async fn the_owner_stays_until_somebody_took_over(app: TestApp) {
        let seat = Seat::open(&app).await;
        let other = seat.administrator(&app, 901, json!(null)).await;
        let own = seat.path(&format!("/administrators/{}", seat.id_of(900).await));
        assert_eq!(seat.owner.delete(&own).await.problem(409), "last_owner");
        let link = seat.hand_over(&app).await;
        assert_eq!(seat.owner.delete(&own).await.problem(409), "last_owner", "nobody accepted yet");
        accept(&other, &link).await.expect(200);
        seat.owner.delete(&own).await.expect(204);
        let all = seat.list(&other).await["administrators"].clone();
        assert_eq!(all.as_array().unwrap().len(), 1);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_administrator_of_another_register_is_not_found(app: TestApp) {
        let seat = Seat::open(&app).await;
        seat.administrator(&app, 901, json!(null)).await;
        let other = Seat::of(&seat.owner, &app.register(&seat.owner).await);
        let id = seat.id_of(901).await;
        let before = rows(&app).await.without(&["counters", "sessions"]);
        let path = other.path(&format!("/administrators/{id}"));
        assert_eq!(seat.owner.delete(&path).await.problem(404), "not_found");
        let person = seat.owner.get("/api/v1/me").await.expect(200)["person"]["id"].clone();
        let path = seat.path(&format!("/administrators/{}", text(&person)));
        assert_eq!(seat.owner.delete(&path).await.problem(404), "not_found", "a person's id is none");
        let after = rows(&app).await.without(&["counters", "sessions"]);
        assert_eq!(before.changed(&after), Vec::<String>::new());
    }
}
