//! Adding, listing, using and removing, on either of two servers; what is kept, and when it goes.
use super::{Administrator, CHALLENGE, OWN, Passkey, SIGN_IN, challenge, count, show, sign_in};
use crate::{
    administrators::Seat,
    app::{Person, TestApp, terms},
    on_both,
    privacy::dump,
    world::{lift, text},
};
use serde_json::{Value, json};
use tuantibu::actions::chores::chores;

on_both! {
    async fn an_administrator_adds_a_passkey_signs_in_with_it_and_removes_it(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        assert_eq!(own.client.get(OWN).await.expect(200), json!([]));
        let asked = own.asked(&app).await;
        assert_eq!(asked["user_name"], "甲**零", "masked, as it stands in the device's list");
        assert_eq!((&asked["algorithms"], &asked["exclude"]), (&json!([-7, -8, -257]), &json!([])));
        let mut passkey = Passkey::new();
        let added = own.client.post(OWN, passkey.made(&asked)).await.expect(201);
        assert_eq!((&added["label"], &added["used_at"]), (&json!("办公室电脑"), &Value::Null));
        app.clock.advance(3600);
        let again = sign_in(&app.client(), &mut passkey).await;
        let me = again.get("/api/v1/me").await.expect(200);
        assert_eq!(me["person"]["name"], own.person.name);
        again.get(&own.register.path("/members")).await.expect(200);
        let listed = again.get(OWN).await.expect(200);
        assert_eq!(listed[0]["added_at"], "2022-11-14T12:00:00+08:00");
        assert_eq!(listed[0]["used_at"], "2022-11-14T13:00:00+08:00");
        let held = again.get("/api/v1/me/data").await.expect(200);
        assert_eq!(held["passkeys"], listed, "all that is held");
        let sessions = again.get("/api/v1/me/sessions").await.expect(200);
        assert_eq!(sessions[0]["by_passkey"], true);
        // Another in the same device is what the browser is told to prevent.
        let second = Administrator { client: again.clone(), person: own.person.clone(), register: own.register.clone() };
        let asked = second.asked(&app).await;
        assert_eq!(asked["exclude"], json!([super::authenticator::text(&passkey.id)]));
        let mut ed25519 = Passkey::of_ed25519();
        second.client.post(OWN, ed25519.made(&asked)).await.expect(201);
        sign_in(&app.client(), &mut ed25519).await;
        let id = text(&listed[0]["id"]);
        let removed = second.remove(&app, &id).await;
        assert_eq!(removed.status, 204, "{}", removed.body);
        assert_eq!(show(&app.client(), &mut passkey).await.problem(422), "passkey_refused");
        sign_in(&app.client(), &mut ed25519).await;
        assert_eq!(count(&app).await, 1);
    }
}

on_both! {
    async fn every_signature_that_is_offered_is_understood(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        for mut passkey in [Passkey::new(), Passkey::of_ed25519(), Passkey::of_rsa()] {
            own.add(&app, &mut passkey).await;
            sign_in(&app.client(), &mut passkey).await;
        }
    }
}

on_both! {
    async fn what_one_server_asked_another_takes_once(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let other = app.another().await;
        let mut passkey = Passkey::new();
        let asked = own.asked(&app).await;
        let there = other.client().with(own.client.bearer.as_deref());
        there.post(OWN, passkey.made(&asked)).await.expect(201);
        let asked = challenge(&app.client()).await;
        let shown = passkey.shown(&asked);
        let (one, two) = tokio::join!(
            async { app.client().post(SIGN_IN, shown.clone()).await.status },
            async { other.client().post(SIGN_IN, shown.clone()).await.status },
        );
        let mut both = [one, two];
        both.sort_unstable();
        assert_eq!(both, [200, 422]);
    }
}

on_both! {
    async fn a_passkey_is_sealed_and_goes_with_the_last_role(app: TestApp) {
        let app = app.restarted(lift).await;
        let own = Administrator::new(&app, 900).await;
        let second = app.register(&own.client).await;
        let passkey = own.passkey(&app).await;
        let kept = dump(&app).await.bytes;
        let contains = |bytes: &[u8]| kept.windows(bytes.len()).any(|window| window == bytes);
        assert!(!contains("办公室电脑".as_bytes()) && !contains(&passkey.id));
        // A co-administrator who is a member of another register as well.
        let seat = Seat::of(&own.client, &own.register);
        let other = seat.administrator(&app, 901, json!(null)).await;
        app.put(&Person::number(901), app.healthy()).await;
        app.join(&second, &Person::number(901)).await;
        let other = Administrator { client: other, person: Person::number(901), register: own.register.clone() };
        let mut theirs = other.passkey(&app).await;
        assert_eq!(count(&app).await, 2);
        let id = seat.id_of(901).await;
        own.client.delete(&seat.path(&format!("/administrators/{id}"))).await.expect(204);
        assert_eq!(count(&app).await, 1, "they stay a member, without a passkey");
        assert_eq!(other.client.get(OWN).await.problem(404), "not_found");
        assert_eq!(show(&app.client(), &mut theirs).await.problem(422), "passkey_refused");
        // The owner's goes with the second of two registers, not with the first.
        for (register, left) in [(&own.register, 1), (&second, 0)] {
            let confirmation = own.client.confirmation(&app, &own.person, "delete_register", register).await;
            let body = json!({ "organisation": terms()["organisation"], "confirmation_token": confirmation });
            own.client.send("DELETE", &register.path(""), Some(body)).await.expect(200);
            assert_eq!(count(&app).await, left);
        }
    }
}

on_both! {
    async fn a_register_that_ends_and_an_erased_person_take_the_passkey_along(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let passkey = &mut own.passkey(&app).await;
        app.client().post(CHALLENGE, json!({})).await.expect(201);
        assert_eq!(count(&app).await, 1);
        app.clock.advance(181 * 24 * 3600);
        chores(&app.app, true).await.unwrap();
        assert_eq!(count(&app).await, 0);
        assert_eq!(crate::rows::rows(&app).await.count("passkey_challenges"), 0);
        assert_eq!(show(&app.client(), passkey).await.problem(422), "passkey_refused");
    }
}

on_both! {
    async fn what_is_done_with_passkeys_is_in_the_log(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let mut passkey = Passkey::new();
        let id = own.add(&app, &mut passkey).await;
        sign_in(&app.client(), &mut passkey).await;
        passkey.count = 0;
        show(&app.client(), &mut passkey).await.problem(422);
        show(&app.client(), &mut Passkey::new()).await.problem(422);
        assert_eq!(own.remove(&app, &id).await.status, 204);
        let actions = super::actions(&app).await;
        let own: Vec<&str> = actions
            .iter()
            .map(String::as_str)
            .filter(|action| action.contains("passkey"))
            .collect();
        assert_eq!(own, ["added_passkey", "signed_in_by_passkey", "passkey_refused", "passkey_refused", "removed_passkey"]);
    }
}
