//! What each becomes and sees, and what stays when they go.
use super::{Seat, accept, person, show};
use crate::{
    app::{Person, TestApp, terms},
    on_both,
    privacy::dump,
    rows::{assert_whole, rows},
    world::{lift, text},
};
use serde_json::json;
use tuantibu::actions::{chores::chores, erase_expired::erase_expired};

on_both! {
    async fn who_is_invited_sees_what_it_is_for_and_becomes_it(app: TestApp) {
        let seat = Seat::open(&app).await;
        let made = seat.ask(&app, json!(["后勤"])).await.expect(201);
        let link = text(&made["link"]);
        assert_eq!(link.len(), 22, "128 bits");
        assert_eq!(made["url"], format!("https://register.example/invitations/{link}"));
        let shown = show(&app.client(), &link).await.expect(200);
        assert_eq!(shown["organisation"], terms()["organisation"]);
        assert_eq!(shown["purpose"], terms()["purpose"]);
        assert_eq!(shown["becomes"], "administrator");
        assert_eq!(shown["limited_to"], json!(["后勤"]));
        assert_eq!(shown["expires_at"], "2022-11-17T12:00:00+08:00");
        let inviter = Person::number(900);
        let masked = text(&shown["invited_by_masked"]);
        assert!(masked.contains('*') && masked != inviter.name, "{masked}");
        assert!(!shown.to_string().contains(&inviter.name));

        app.clock.advance(60);
        let me = person(&app, 901).await;
        let accepted = accept(&me, &link).await.expect(200);
        assert_eq!((&accepted["role"], &accepted["limited_to"]), (&json!("administrator"), &json!(["后勤"])));
        assert_eq!(accepted["register_id"], json!(seat.register.id));
        let own = me.get(&seat.path("")).await.expect(200);
        assert_eq!((&own["role"], &own["limited_to"]), (&json!("administrator"), &json!(["后勤"])));

        // Administrators see one another; each is marked for themselves.
        for (client, own) in [(&seat.owner, 0), (&me, 1)] {
            let all = seat.list(client).await;
            assert_eq!(all["invitations"], json!([]), "used once");
            let all = all["administrators"].as_array().unwrap().clone();
            assert_eq!(all.len(), 2);
            assert_eq!(all[0]["name"], inviter.name);
            assert_eq!((&all[0]["role"], &all[0]["limited_to"]), (&json!("owner"), &json!(null)));
            assert_eq!(all[1]["name"], Person::number(901).name);
            assert_eq!(all[1]["since"], "2022-11-14T12:01:00+08:00");
            for (at, one) in all.iter().enumerate() {
                assert_eq!(one["self"], json!(at == own));
            }
        }
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_administrator_who_accepts_again_changes_departments_alone(app: TestApp) {
        let seat = Seat::open(&app).await;
        let me = seat.administrator(&app, 901, json!(["后勤"])).await;
        let before = seat.list(&me).await["administrators"][1].clone();
        for (departments, limited_to) in [
            (json!(["一年级组", "后勤"]), json!(["一年级组", "后勤"])),
            (json!(null), json!(null)),
            (json!(["后勤", "一年级组"]), json!(["一年级组", "后勤"])),
        ] {
            app.clock.advance(60);
            let link = seat.invite(&app, departments).await;
            accept(&me, &link).await.expect(200);
            let mut after = seat.list(&me).await["administrators"][1].clone();
            assert_eq!(after["limited_to"], limited_to, "in the register's order");
            after["limited_to"] = before["limited_to"].clone();
            assert_eq!(after, before, "nothing else");
        }
        assert_whole(&app).await;
    }
}

on_both! {
    async fn a_hand_over_changes_the_owner_and_members_are_told(app: TestApp) {
        let seat = Seat::open(&app).await;
        let titled = json!({ "administrator_title": "校医" });
        seat.owner.patch(&seat.path(""), titled).await.expect(200);
        let joined = app.member(&seat.register, &Person::number(1)).await;
        let member = app.client().with(joined["token"].as_str());
        let mine = member.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(mine[0]["administrator_changed"], false);
        let join = format!("/api/v1/join/{}", seat.register.code);
        let preview = app.client().get(&join).await.expect(200);
        assert_eq!(preview["administrator_since"], "2022-11-14T12:00:00+08:00");

        app.clock.advance(120);
        let invited = seat.invite(&app, json!(null)).await;
        let link = seat.hand_over(&app).await;
        assert_eq!(show(&app.client(), &link).await.expect(200)["becomes"], "owner");
        let still = seat.owner.get(&seat.path("")).await.expect(200);
        assert_eq!(still["role"], "owner", "until it is accepted nothing changes");
        let new = person(&app, 901).await;
        app.clock.advance(60);
        assert_eq!(accept(&new, &link).await.expect(200)["role"], "owner");

        assert_eq!(new.get(&seat.path("")).await.expect(200)["role"], "owner");
        let former = seat.owner.get(&seat.path("")).await.expect(200);
        assert_eq!((&former["role"], &former["limited_to"]), (&json!("administrator"), &json!(null)));
        let patch = seat.owner.patch(&seat.path(""), json!({ "contact": "010-60000000" })).await;
        assert_eq!(patch.problem(404), "not_found");
        assert_eq!(show(&app.client(), &invited).await.problem(410), "invitation_ended",
            "what the former owner offered is over");

        let masked = text(&app.client().get(&join).await.expect(200)["administrator_masked"]);
        assert_ne!(masked, text(&preview["administrator_masked"]));
        let preview = app.client().get(&join).await.expect(200);
        assert_eq!(preview["administrator_since"], "2022-11-14T12:03:00+08:00");
        assert_eq!(preview["administrator_title"], json!(null), "the former one's");
        let mine = member.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(mine[0]["administrator_changed"], true);
        assert_eq!(mine[0]["administrator_masked"], masked);
        assert_eq!(mine[0]["administrator_since"], "2022-11-14T12:03:00+08:00");
        // Who joins now was told of nobody else.
        let later = app.member(&seat.register, &Person::number(2)).await;
        let later = app.client().with(later["token"].as_str());
        let mine = later.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(mine[0]["administrator_changed"], false);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_administrator_takes_over_in_a_full_register(app: TestApp) {
        let app = app.restarted(|config| config.limits.administrators_register = 2).await;
        let seat = Seat::open(&app).await;
        let other = seat.administrator(&app, 901, json!(["后勤"])).await;
        let link = seat.hand_over(&app).await;
        let stranger = person(&app, 902).await;
        assert_eq!(accept(&stranger, &link).await.problem(422), "too_many_administrators");
        let accepted = accept(&other, &link).await.expect(200);
        assert_eq!((&accepted["role"], &accepted["limited_to"]), (&json!("owner"), &json!(null)));
        assert_eq!(seat.list(&other).await["administrators"].as_array().unwrap().len(), 2);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn a_removed_administrator_is_out_at_once_and_erased_where_nothing_needs_them(app: TestApp) {
        let seat = Seat::open(&app).await;
        let removed = seat.administrator(&app, 901, json!(null)).await;
        let resigns = seat.administrator(&app, 902, json!(null)).await;
        app.put(&Person::number(903), app.healthy()).await;
        app.join(&seat.register, &Person::number(903)).await;
        let member = seat.administrator(&app, 903, json!(null)).await;
        assert_eq!(rows(&app).await.count("persons"), 4);

        let id = seat.id_of(901).await;
        let path = seat.path(&format!("/administrators/{id}"));
        assert_eq!(resigns.delete(&path).await.problem(404), "not_found", "the owner's alone");
        seat.owner.delete(&path).await.expect(204);
        assert_eq!(seat.owner.delete(&path).await.problem(404), "not_found");
        assert_eq!(removed.get(&seat.path("/members")).await.problem(404), "not_found");
        assert_eq!(removed.get("/api/v1/me").await.expect(200)["person"], json!(null), "erased");

        let own = seat.list(&resigns).await["administrators"].clone();
        let own = own.as_array().unwrap().iter().find(|one| one["self"] == true).unwrap().clone();
        let path = seat.path(&format!("/administrators/{}", text(&own["id"])));
        resigns.delete(&path).await.expect(204);
        assert_eq!(resigns.get(&seat.path("")).await.problem(404), "not_found");
        assert_eq!(rows(&app).await.count("persons"), 2);

        let path = seat.path(&format!("/administrators/{}", seat.id_of(903).await));
        seat.owner.delete(&path).await.expect(204);
        let me = member.get("/api/v1/me").await.expect(200);
        assert_eq!(me["person"]["name"], Person::number(903).name, "a member still");
        assert_eq!(rows(&app).await.count("persons"), 2);
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_invitation_runs_out_after_72_hours_and_is_erased(app: TestApp) {
        let seat = Seat::open(&app).await;
        let link = seat.invite(&app, json!(null)).await;
        app.clock.advance(72 * 3600 - 1);
        show(&app.client(), &link).await.expect(200);
        chores(&app.app, true).await.unwrap();
        assert_eq!(rows(&app).await.count("invitations"), 1);
        let me = person(&app, 901).await;
        app.clock.advance(1);
        assert_eq!(show(&app.client(), &link).await.problem(410), "invitation_ended");
        assert_eq!(accept(&me, &link).await.problem(410), "invitation_ended");
        let owner = person(&app, 900).await;
        assert_eq!(seat.list(&owner).await["invitations"], json!([]));
        erase_expired(&app.app).await.unwrap();
        assert_eq!(rows(&app).await.count("invitations"), 0);
    }
}

on_both! {
    async fn invitations_go_with_their_register(app: TestApp) {
        let seat = Seat::open(&app).await;
        let link = seat.invite(&app, json!(null)).await;
        let token = seat.token(&app, "delete_register").await;
        let body = json!({ "organisation": terms()["organisation"], "confirmation_token": token });
        seat.owner.send("DELETE", &seat.path(""), Some(body)).await.expect(200);
        assert_eq!(rows(&app).await.count("invitations"), 0);
        assert_eq!(show(&app.client(), &link).await.problem(410), "invitation_ended");
        // Over by its last day, though nobody has erased it yet.
        let owner = person(&app, 900).await;
        let register = app.register_with(&owner, |terms| terms["ends_on"] = json!("2022-11-15")).await;
        let seat = Seat::of(&owner, &register);
        let link = seat.invite(&app, json!(null)).await;
        app.at("2022-11-16T00:00:00+08:00");
        let me = person(&app, 901).await;
        assert_eq!(show(&me, &link).await.problem(410), "invitation_ended");
        assert_eq!(accept(&me, &link).await.problem(410), "invitation_ended");
    }
}

on_both! {
    async fn each_step_is_in_the_audit_log_by_ids_alone(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        let other = seat.administrator(&app, 901, json!(["后勤"])).await;
        let link = seat.invite(&app, json!(null)).await;
        accept(&other, &link).await.expect(200);
        seat.invite(&app, json!(null)).await;
        let open = text(&seat.list(&seat.owner).await["invitations"][0]["id"]);
        seat.owner.delete(&seat.path(&format!("/invitations/{open}"))).await.expect(204);
        seat.administrator(&app, 902, json!(null)).await;
        let id = seat.id_of(902).await;
        seat.owner.delete(&seat.path(&format!("/administrators/{id}"))).await.expect(204);
        let former = seat.id_of(900).await;
        let link = seat.hand_over(&app).await;
        accept(&other, &link).await.expect(200);
        seat.owner.delete(&seat.path(&format!("/administrators/{former}"))).await.expect(204);
        let held = dump(&app).await.bytes;
        let held = String::from_utf8_lossy(&held);
        for action in [
            "invited_administrator", "became_administrator", "changed_departments",
            "withdrew_invitation", "removed_administrator", "offered_hand_over", "took_over",
            "resigned",
        ] {
            assert!(held.contains(action), "{action}");
        }
        for secret in [&link, &Person::number(901).name, &Person::number(902).name] {
            assert!(!held.contains(secret.as_str()), "{secret}");
        }
        let verified = tuantibu::actions::verify_audit::verify_audit(&app.app, &[]).await.unwrap();
        assert_eq!(verified.first_bad, None);
        assert_whole(&app).await;
    }
}
