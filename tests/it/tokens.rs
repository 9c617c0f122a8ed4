//! Tokens, codes, links and ids are never taken for one another, nor by anybody else.
use crate::{
    app::{Client, Person, TestApp, confirm_path, join_body},
    on_both,
    rows::rows,
    world::{OWNER, World, text},
};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use tuantibu::{
    actions::{Actor, confirm_code::confirm_code, profile::TypedIdentity, sign_in::sign_in},
    error::Error,
    texts::Lang,
};

on_both! {
    async fn no_secret_serves_in_anothers_place(app: TestApp) {
        let world = World::of(app).await;
        let app = &world.app;
        let owner = Person::number(OWNER);
        app.clock.advance(61);
        let confirmation = world.owner.confirmation(app, &owner, "export", &world.register).await;
        let secrets = [
            ("a session", world.member.bearer.clone().unwrap()),
            ("a confirmation token", confirmation),
            ("a verification", world.verification.clone()),
            ("a pending join", world.pending.clone()),
            ("a leave link", world.leave_link.clone()),
            ("an invitation", world.invitation_link.clone()),
            ("an invitation's id", world.invitation.clone()),
            ("an administrator's id", world.administrator.clone()),
            ("a registration code", world.register.code.clone()),
            ("a register", world.register.id.clone()),
            ("an authorization", world.authorization.clone()),
            ("a session's id", world.session.clone()),
        ];
        let before = rows(app).await.without(&["counters", "sessions"]);
        for (what, secret) in &secrets {
            let client = app.client();
            let me = client.with(Some(secret)).get("/api/v1/me").await;
            assert_eq!(me.status == 200, *what == "a session", "{what} as a bearer token");
            if *what != "a verification" {
                let path = format!("/api/v1/verifications/{secret}");
                let answer = client.post(&format!("{path}/confirm"), json!({ "code": "123456" })).await;
                assert_eq!(answer.problem(410), "verification_ended", "{what}");
                let answer = client.post(&format!("{path}/resend"), json!({})).await;
                assert_eq!(answer.problem(410), "verification_ended", "{what}");
            }
            if *what != "a pending join" {
                let path = format!("/api/v1/pending/{secret}");
                assert_eq!(client.get(&path).await.problem(404), "not_found", "{what}");
                assert_eq!(client.delete(&path).await.problem(404), "not_found", "{what}");
                let answer = client.post(&format!("{path}/send-code"), json!({})).await;
                assert_eq!(answer.problem(404), "not_found", "{what}");
            }
            if *what != "a leave link" {
                for path in [format!("/api/v1/leave/{secret}"), format!("/leave/{secret}")] {
                    let answer = client.post(&path, json!({})).await;
                    assert_eq!(answer.problem(404), "not_found", "{what}");
                }
            }
            if *what != "an invitation" {
                let path = format!("/api/v1/invitations/{secret}");
                assert_eq!(client.get(&path).await.problem(410), "invitation_ended", "{what}");
                let answer = world.member.post(&path, json!({})).await;
                assert_eq!(answer.problem(410), "invitation_ended", "{what}");
            }
            if *what != "a registration code" {
                let path = format!("/api/v1/join/{secret}");
                assert_eq!(client.get(&path).await.problem(404), "not_found", "{what}");
                let answer = client.post(&path, join_body(&Person::number(9))).await;
                assert_eq!(answer.problem(404), "not_found", "{what}");
                let answer = client.post(&format!("{path}/report"), json!({ "reason": "x" })).await;
                assert_eq!(answer.problem(404), "not_found", "{what}");
            }
            if *what != "a confirmation token" {
                let export = json!({ "format": "csv", "purpose": "核对", "confirmation_token": secret });
                let answer = world.owner.post(&world.register.path("/exports"), export).await;
                assert_eq!(answer.problem(422), "confirmation_required", "{what}");
                for path in ["/administrators", "/hand-over"] {
                    let body = json!({ "confirmation_token": secret });
                    let answer = world.owner.post(&world.register.path(path), body).await;
                    assert_eq!(answer.problem(422), "confirmation_required", "{what}");
                }
            }
        }
        assert_eq!(before.changed(&rows(app).await.without(&["counters", "sessions"])), Vec::<String>::new());
    }
}

on_both! {
    async fn a_code_serves_its_own_verification_alone(app: TestApp) {
        let (first, second) = (Person::number(1), Person::number(2));
        let client = app.client();
        let mut begun = Vec::new();
        for person in [&first, &second] {
            app.put(person, json!({})).await;
            let started = client.post("/api/v1/sign-in", person.identity()).await.expect(202);
            begun.push((confirm_path(&started), json!({ "code": app.code(person.phone()) })));
        }
        let swapped = client.post(&begun[0].0, begun[1].1.clone()).await;
        // One in a million times both have the same code.
        if begun[0].1 != begun[1].1 {
            assert_eq!(swapped.problem(422), "wrong_code");
        }
        client.post(&begun[0].0, begun[0].1.clone()).await.expect(200);
        client.post(&begun[1].0, begun[1].1.clone()).await.expect(200);
    }
}

/// Asks for a confirmation and types its code right, as whoever.
async fn confirm_as(
    client: &Client,
    app: &TestApp,
    started: &Value,
    n: usize,
) -> crate::app::Answer {
    let code = json!({ "code": app.code(Person::number(n).phone()) });
    client.post(&confirm_path(started), code).await
}

on_both! {
    async fn a_confirmation_is_confirmed_by_the_session_that_asked_for_it(app: TestApp) {
        let world = World::of(app).await;
        let app = &world.app;
        app.clock.advance(61);
        let asked = json!({ "action": "export", "register_id": world.register.id });
        let started = world.owner.post("/api/v1/me/confirmations", asked).await.expect(202);
        let also = {
            let other = app.client();
            for who in [&other, &world.member] {
                let answer = confirm_as(who, app, &started, OWNER).await;
                assert_eq!(answer.problem(410), "verification_ended");
            }
            let path = confirm_path(&started).replace("/confirm", "/resend");
            assert_eq!(other.post(&path, json!({})).await.problem(410), "verification_ended");
            other
        };
        let confirmed = confirm_as(&world.owner, app, &started, OWNER).await.expect(200);
        assert!(confirmed.get("token").is_none(), "never a session");
        let token = text(&confirmed["confirmation_token"]);
        assert_eq!(also.with(Some(&token)).get("/api/v1/me").await.problem(401), "not_signed_in");
    }
}

on_both! {
    async fn a_confirmation_token_works_once_for_its_own_session_action_and_register(app: TestApp) {
        let world = World::of(app).await;
        let app = &world.app;
        let owner = Person::number(OWNER);
        let other_register = app.register(&world.owner).await;
        let other_session = app.sign_in(&owner).await;
        let export = |token: &str| json!({ "format": "csv", "purpose": "核对", "confirmation_token": token });
        let token = world.owner.confirmation(app, &owner, "export", &world.register).await;
        let path = world.register.path("/exports");
        let refused = [
            other_session.post(&path, export(&token)).await,
            world.owner.post(&other_register.path("/exports"), export(&token)).await,
            world.owner.send("DELETE", &world.register.path(""), Some(json!({
                "organisation": "青禾实验小学", "confirmation_token": token,
            }))).await,
            world.owner.post(&world.register.path("/administrators"), json!({ "confirmation_token": token })).await,
            world.owner.post(&world.register.path("/hand-over"), json!({ "confirmation_token": token })).await,
            world.owner.post(&path, export(&format!("{token} "))).await,
            world.owner.post(&path, export(&token.to_uppercase())).await,
        ];
        for answer in refused {
            assert_eq!(answer.problem(422), "confirmation_required");
        }
        let purpose = json!({ "format": "csv", "purpose": "", "confirmation_token": token });
        let answer = world.owner.post(&path, purpose).await;
        assert_eq!(answer.fields(), ["purpose:required"], "and nothing is used up");
        assert_eq!(world.owner.post(&path, export(&token)).await.status, 200);
        assert_eq!(world.owner.post(&path, export(&token)).await.problem(422), "confirmation_required");
        app.clock.advance(61);
        let token = world.owner.confirmation(app, &owner, "export", &world.register).await;
        app.clock.advance(300);
        assert_eq!(world.owner.post(&path, export(&token)).await.problem(422), "confirmation_required");
        let token = world.owner.confirmation(app, &owner, "export", &world.register).await;
        app.clock.advance(299);
        assert_eq!(world.owner.post(&path, export(&token)).await.status, 200);
    }
}

on_both! {
    async fn what_one_browser_began_no_other_ends(app: TestApp) {
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let browser = |flow: Option<&str>| Actor {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
            session: None,
            flow: flow.map(str::to_owned),
            lang: Lang::default(),
        };
        let typed = TypedIdentity {
            name: person.name.clone(),
            document_type: "resident_id".into(),
            document_number: person.document.clone(),
            phone: person.phone().into(),
        };
        let own = browser(Some("one"));
        let started = sign_in(&app.app, &own, &typed, false).await.unwrap();
        let code = app.code(person.phone());
        let handle = started.verification_id.as_str();
        let api = app.client().post(
            &format!("/api/v1/verifications/{handle}/confirm"), json!({ "code": code }),
        ).await;
        assert_eq!(api.problem(410), "verification_ended");
        for other in [browser(Some("two")), browser(Some("")), browser(None)] {
            let answer = confirm_code(&app.app, &other, handle, &code).await;
            assert!(matches!(answer, Err(Error::VerificationEnded)));
        }
        confirm_code(&app.app, &own, handle, &code).await.unwrap();
    }
}

on_both! {
    async fn a_new_sign_in_ends_the_session_that_it_was_made_under(app: TestApp) {
        let (first, second) = (Person::number(1), Person::number(2));
        for person in [&first, &second] {
            app.put(person, json!({})).await;
        }
        let alone = app.sign_in(&first).await;
        for person in [&first, &second] {
            let shared = app.sign_in(&first).await;
            let started = shared.post("/api/v1/sign-in", person.identity()).await.expect(202);
            let new = shared.confirm(&app, &started, person.phone()).await;
            assert_eq!(shared.get("/api/v1/me").await.problem(401), "not_signed_in");
            let me = new.get("/api/v1/me").await.expect(200);
            assert_eq!(me["person"]["name"], person.name);
        }
        alone.get("/api/v1/me").await.expect(200);
    }
}

on_both! {
    async fn a_session_that_serves_leaving_serves_nothing_more(app: TestApp) {
        let world = World::of(app).await;
        let app = &world.app;
        let member = Person::number(crate::world::MEMBER);
        let mut body = member.identity();
        body["purpose"] = json!("leave");
        let started = app.client().post("/api/v1/sign-in", body).await.expect(202);
        let leaving = app.client().confirm(app, &started, member.phone()).await;
        assert_eq!(leaving.get("/api/v1/me").await.expect(200)["leave_only"], true);
        for answer in [
            leaving.get("/api/v1/registers").await,
            leaving.post("/api/v1/registers", crate::app::terms()).await,
            leaving.patch(
                &format!("/api/v1/me/authorizations/{}", world.authorization),
                join_body(&member)["consent"].clone(),
            ).await,
            leaving.post(&format!("/api/v1/invitations/{}", world.invitation_link), json!({})).await,
            leaving.get(&world.register.path("/administrators")).await,
            leaving.post("/api/v1/me/confirmations", json!({
                "action": "export", "register_id": world.register.id,
            })).await,
        ] {
            assert_eq!(answer.problem(401), "not_signed_in");
        }
        let child = Person::child("2012-06-01", &member);
        app.put(&child, app.healthy()).await;
        let join = format!("/api/v1/join/{}", world.register.code);
        assert_eq!(leaving.post(&join, join_body(&child)).await.problem(422), "guardian_required");
        let mine = leaving.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(mine[0]["id"], json!(world.authorization));
        let path = format!("/api/v1/me/authorizations/{}", world.authorization);
        leaving.delete(&path).await.expect(200);
    }
}
