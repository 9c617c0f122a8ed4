//! Leaving, being removed, deletion: it holds at once, and what nothing else needs is gone.
use crate::{
    app::{Client, Person, Register, TestApp, owned},
    on_both,
    rows::rows,
};
use serde_json::json;
use tuantibu::{actions::erase_expired, source::faults::Fault};

async fn count(owner: &Client, register: &Register) -> usize {
    let list = owner.get(&register.path("/members")).await.expect(200);
    list["members"].as_array().unwrap().len()
}

on_both! {
    async fn a_member_leaves_without_anybodys_approval_and_gets_a_receipt(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let me = app.client().with(joined["token"].as_str());
        let id = joined["authorization"]["id"].as_str().unwrap();
        let receipt = me.delete(&format!("/api/v1/me/authorizations/{id}")).await.expect(200);
        let erased = receipt["erased"].as_array().unwrap();
        for what in ["authorization", "health_items.nucleic_acid", "profile"] {
            assert!(erased.contains(&json!(what)), "{receipt}");
        }
        assert_eq!(receipt["at"], "2022-11-14T12:00:00+08:00");
        assert_eq!(count(&owner, &register).await, 0);
        let again = me.delete(&format!("/api/v1/me/authorizations/{id}")).await;
        assert_eq!(again.problem(404), "not_found");
        assert_eq!(me.get("/api/v1/me/authorizations").await.expect(200), json!([]));
    }
}

on_both! {
    async fn the_leave_link_needs_no_sign_in_no_sms_and_no_source(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let joined = app.member(&register, &Person::number(1)).await;
        app.source_is(Fault::Down);
        app.sms_fails(true);
        let link = format!("/api/v1/leave/{}", joined["authorization"]["leave_link"].as_str().unwrap());
        let stranger = app.client();
        assert_eq!(stranger.get(&link).await.expect(200), json!({ "organisation": "青禾实验小学" }));
        assert_eq!(count(&owner, &register).await, 1, "looking ends nothing");
        let receipt = stranger.post(&link, json!({})).await.expect(200);
        assert!(receipt["erased"].as_array().unwrap().contains(&json!("profile")));
        assert_eq!(count(&owner, &register).await, 0);
        assert_eq!(stranger.post(&link, json!({})).await.problem(404), "not_found");
    }
}

on_both! {
    async fn what_another_authorization_needs_stays_and_the_receipt_says_so(app: TestApp) {
        let (owner, first) = owned(&app).await;
        let second = app.register_with(&owner, |terms| {
            terms["organisation"] = json!("春晖展览");
            terms["items"] = json!([{ "item": "health_code", "required": true }]);
            terms["requirements"] = json!([]);
        }).await;
        let person = Person::number(1);
        let joined = app.member(&first, &person).await;
        app.clock.advance(61);
        app.join_with(&app.client(), &second, &person, |body| {
            body["consent"]["items"] = json!(["health_code"]);
        }).await;
        let me = app.client().with(joined["token"].as_str());
        let id = joined["authorization"]["id"].as_str().unwrap();
        let receipt = me.delete(&format!("/api/v1/me/authorizations/{id}")).await.expect(200);
        let erased = receipt["erased"].as_array().unwrap();
        assert!(erased.contains(&json!("health_items.nucleic_acid")), "{receipt}");
        assert!(!erased.contains(&json!("health_items.health_code")), "{receipt}");
        assert!(receipt["kept"].as_array().unwrap().contains(
            &json!({ "what": "profile", "why": "other_authorizations" })
        ));
        let rows = owner.get(&second.path("/members")).await.expect(200);
        assert_eq!(rows["members"][0]["items"]["health_code"]["value"], "green");
    }
}

on_both! {
    async fn a_removed_member_is_gone_and_may_join_again_by_a_new_consent(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let id = joined["authorization"]["id"].as_str().unwrap();
        owner.delete(&register.path(&format!("/members/{id}"))).await.expect(204);
        assert_eq!(count(&owner, &register).await, 0);
        assert_eq!(owner.delete(&register.path(&format!("/members/{id}"))).await.problem(404), "not_found");
        app.clock.advance(61);
        app.join(&register, &person).await;
        assert_eq!(count(&owner, &register).await, 1);
    }
}

on_both! {
    async fn deletion_takes_the_organisations_name_and_a_fresh_code_and_erases(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(900);
        app.member(&register, &Person::number(1)).await;
        let other = app.register(&owner).await;
        app.clock.advance(61);
        let elsewhere = owner.confirmation(&app, &person, "delete_register", &other).await;
        app.clock.advance(61);
        let export = owner.confirmation(&app, &person, "export", &register).await;
        for token in ["", "x", elsewhere.as_str(), export.as_str(), owner.bearer.as_deref().unwrap()] {
            let body = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
            let answer = owner.send("DELETE", &register.path(""), Some(body)).await;
            assert_eq!(answer.problem(422), "confirmation_required");
        }
        app.clock.advance(61);
        let token = owner.confirmation(&app, &person, "delete_register", &register).await;
        let wrong = json!({ "organisation": "青禾小学", "confirmation_token": token });
        let answer = owner.send("DELETE", &register.path(""), Some(wrong)).await;
        assert_eq!(answer.fields(), ["organisation:different"]);
        assert_eq!(count(&owner, &register).await, 1);
        let right = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
        let receipt = owner.send("DELETE", &register.path(""), Some(right.clone())).await.expect(200);
        assert!(!receipt["erased"].as_array().unwrap().is_empty());
        let answer = owner.send("DELETE", &register.path(""), Some(right)).await;
        assert_eq!(answer.problem(404), "not_found");
        assert_eq!(owner.get(&register.path("")).await.problem(404), "not_found");
    }
}

on_both! {
    async fn a_register_that_ended_shows_nothing_the_next_day_and_is_erased(app: TestApp) {
        let (owner, _) = owned(&app).await;
        let register = app.register_with(&owner, |terms| terms["ends_on"] = json!("2022-11-15")).await;
        app.member(&register, &Person::number(1)).await;
        app.at("2022-11-16T00:00:00+08:00");
        let owner = app.sign_in(&Person::number(900)).await;
        assert_eq!(owner.get(&register.path("/members")).await.problem(404), "not_found");
        let preview = app.client().get(&format!("/api/v1/join/{}", register.code)).await;
        assert_eq!(preview.problem(410), "register_ended");
        erase_expired::erase_expired(&app.app).await.unwrap();
        let preview = app.client().get(&format!("/api/v1/join/{}", register.code)).await;
        assert_eq!(preview.problem(410), "code_replaced");
    }
}

on_both! {
    async fn who_signs_in_and_neither_joins_nor_creates_is_erased_with_the_session(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let session = app.sign_in(&person).await;
        assert_eq!(rows(&app).await.count("persons"), 1, "signed in");
        session.delete("/api/v1/session").await.expect(204);
        let left = rows(&app).await;
        assert_eq!((left.count("persons"), left.count("sessions")), (0, 0), "signed out");
        let _session = app.sign_in(&person).await;
        app.clock.advance(3600);
        erase_expired::erase_expired(&app.app).await.unwrap();
        let left = rows(&app).await;
        assert_eq!((left.count("persons"), left.count("sessions")), (0, 0), "left alone");
    }
}

on_both! {
    async fn a_register_that_nobody_opened_for_180_days_ends_and_its_codes_are_forgotten(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let replaced = owner.post(&register.path("/code"), json!({})).await.expect(201);
        let old = format!("/api/v1/join/{}", register.code);
        let new = format!("/api/v1/join/{}", replaced["code"].as_str().unwrap());
        for (seconds, held, old_code, new_code) in [
            (180 * 86_400, 1, 410, 200),
            (1, 0, 404, 410),
            (180 * 86_400 + 1, 0, 404, 404),
        ] {
            app.clock.advance(seconds);
            erase_expired::erase_expired(&app.app).await.unwrap();
            assert_eq!(rows(&app).await.count("registers"), held);
            assert_eq!(app.client().get(&old).await.status, old_code, "{held} {seconds}");
            assert_eq!(app.client().get(&new).await.status, new_code, "{held} {seconds}");
        }
    }
}
