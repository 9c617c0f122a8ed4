//! Whatever is wrong with a passkey, it is refused by one and the same answer.
use super::{
    Administrator, CHALLENGE, OWN, Passkey, SIGN_IN,
    authenticator::{ATTESTED, Said, text as bytes},
    challenge, count, show, sign_in, token,
};
use crate::{
    administrators::Seat,
    app::{Answer, Client, Person, TestApp},
    on_both,
    world::{lift, text},
};
use serde_json::{Value, json};

/// An answer without what each has of its own.
fn plain(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body.clone();
    body["instance"] = Value::Null;
    let headers = answer.headers.keys().map(ToString::to_string);
    (answer.status, body, headers.collect())
}

async fn tried(client: &Client, body: Value) -> (u16, Value, Vec<String>) {
    plain(&client.post(SIGN_IN, body).await)
}

type Lie = fn(&mut Said);

/// Lies of a browser or an authenticator.
const LIES: &[(&str, Lie)] = &[
    ("another origin", |said| {
        said.origin = "https://register.example.evil"
    }),
    ("the origin without TLS", |said| {
        said.origin = "http://register.example"
    }),
    ("the origin at another port", |said| {
        said.origin = "https://register.example:8443"
    }),
    ("inside a frame of another's", |said| said.cross = true),
    ("another site", |said| said.site = "evil.example"),
    ("a part of the site", |said| said.site = "example"),
    ("nobody was verified", |said| said.flags = 0b001),
    ("nobody was there", |said| said.flags = 0b100),
    ("copied, and cannot be", |said| said.flags = 0b1_0101),
    ("a challenge of its own", |said| {
        said.challenge = bytes(&[7; 32])
    }),
    ("no challenge", |said| said.challenge.clear()),
    ("another ceremony", |said| {
        said.kind = if said.kind == "webauthn.get" {
            "webauthn.create"
        } else {
            "webauthn.get"
        };
    }),
];

on_both! {
    async fn every_lie_of_a_passkey_gets_the_answer_of_an_unknown_one(app: TestApp) {
        let app = app.restarted(lift).await;
        let own = Administrator::new(&app, 900).await;
        let other = Administrator::new(&app, 901).await;
        let mut passkey = own.passkey(&app).await;
        let mut theirs = other.passkey(&app).await;
        let client = app.client();
        let unknown = plain(&show(&client, &mut Passkey::new()).await);
        assert_eq!((unknown.0, &unknown.1["code"]), (422, &json!("passkey_refused")));
        for (what, lie) in LIES {
            let asked = challenge(&client).await;
            passkey.count += 1;
            let shown = passkey.shown_with(&asked, lie);
            assert_eq!(tried(&client, shown).await, unknown, "{what}");
            // The challenge went with the try, where it was told of.
            if !what.contains("challenge") {
                assert_eq!(tried(&client, passkey.shown(&asked)).await, unknown, "{what}, mended");
            }
        }
        let fields = |change: fn(&mut Value, &Value)| change;
        for (what, change) in [
            ("another's credential id", fields(|own, theirs| own["id"] = theirs["id"].clone())),
            ("another's user handle", fields(|own, theirs| own["user_id"] = theirs["user_id"].clone())),
            ("another's credential by one's own signature", fields(|own, theirs| {
                own["id"] = theirs["id"].clone();
                own["user_id"] = theirs["user_id"].clone();
            })),
            ("another's signature", fields(|own, theirs| own["signature"] = theirs["signature"].clone())),
            ("no signature", fields(|own, _| own["signature"] = json!(""))),
            ("what is no base64url", fields(|own, _| own["signature"] = json!("=+/"))),
            ("what is no JSON", fields(|own, _| own["client_data"] = json!("bm8"))),
            ("cut off", fields(|own, _| own["authenticator_data"] = json!("AAAA"))),
            ("no credential id", fields(|own, _| own["id"] = json!(""))),
            ("no user handle", fields(|own, _| own["user_id"] = json!(""))),
        ] {
            let asked = challenge(&client).await;
            let mut shown = passkey.shown(&asked);
            change(&mut shown, &theirs.shown(&asked));
            assert_eq!(tried(&client, shown).await, unknown, "{what}");
        }
        // A challenge that was used, one that ran out, and one that was for adding.
        let asked = challenge(&client).await;
        let shown = passkey.shown(&asked);
        assert_eq!(client.post(SIGN_IN, shown.clone()).await.status, 200);
        assert_eq!(tried(&client, shown).await, unknown, "replayed");
        assert_eq!(tried(&client, passkey.shown(&asked)).await, unknown, "signed anew");
        let asked = challenge(&client).await;
        app.clock.advance(5 * 60);
        assert_eq!(tried(&client, passkey.shown(&asked)).await, unknown, "five minutes later");
        let asked = own.asked(&app).await;
        assert_eq!(tried(&client, passkey.shown(&asked)).await, unknown, "to add one");
        let asked = challenge(&client).await;
        app.clock.advance(5 * 60 - 1);
        assert_eq!(client.post(SIGN_IN, passkey.shown(&asked)).await.status, 200);
    }
}

on_both! {
    async fn a_copy_whose_count_falls_behind_is_refused(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let mut passkey = own.passkey(&app).await;
        let client = app.client();
        for (counted, status) in [(5, 200), (5, 422), (4, 422), (0, 422), (6, 200), (u32::MAX, 200)] {
            passkey.count = counted;
            let shown = passkey.shown_with(&challenge(&client).await, |_| {});
            assert_eq!(client.post(SIGN_IN, shown).await.status, status, "{counted}");
        }
        // Most keep no count and say 0 always.
        let mut without = own.passkey(&app).await;
        for _ in 0..2 {
            let shown = without.shown_with(&challenge(&client).await, |_| {});
            assert_eq!(client.post(SIGN_IN, shown).await.status, 200);
        }
    }
}

on_both! {
    async fn a_passkey_is_added_after_a_fresh_code_by_the_session_that_asked(app: TestApp) {
        let app = app.restarted(lift).await;
        let own = Administrator::new(&app, 900).await;
        let other = Administrator::new(&app, 901).await;
        let begin = format!("{OWN}/challenge");
        let remove = own.token(&app, "remove_passkey").await;
        let export = own.client.confirmation(&app, &own.person, "export", &own.register).await;
        let theirs = other.token(&app, "add_passkey").await;
        for wrong in ["", "x", &remove, &export, &theirs] {
            let body = json!({ "confirmation_token": wrong });
            let answer = own.client.post(&begin, body).await;
            assert_eq!(answer.problem(422), "confirmation_required", "{wrong}");
        }
        let used = own.token(&app, "add_passkey").await;
        let body = json!({ "confirmation_token": used });
        let asked = own.client.post(&begin, body.clone()).await.expect(201);
        assert_eq!(own.client.post(&begin, body).await.problem(422), "confirmation_required");
        // Another's, another session of one's own, and a sign-in's challenge.
        let mut passkey = Passkey::new();
        let made = passkey.made(&asked);
        let again = app.sign_in(&own.person).await;
        for client in [&other.client, &again] {
            assert_eq!(client.post(OWN, made.clone()).await.problem(422), "passkey_refused");
        }
        let mut asked_to_sign_in = challenge(&own.client).await;
        asked_to_sign_in["user_id"] = asked["user_id"].clone();
        let answer = own.client.post(OWN, passkey.made(&asked_to_sign_in)).await;
        assert_eq!(answer.problem(422), "passkey_refused");
        for (label, code) in [("", "required"), ("  ", "required"), ("a\u{202e}b", "hidden_characters")] {
            let mut made = made.clone();
            made["label"] = json!(label);
            let answer = own.client.post(OWN, made).await;
            assert_eq!((answer.status, answer.fields()), (422, vec![format!("label:{code}")]));
        }
        own.client.post(OWN, made.clone()).await.expect(201);
        assert_eq!(own.client.post(OWN, made).await.problem(422), "passkey_refused", "once");
        // The same credential for another person.
        let taken = passkey.made(&other.asked(&app).await);
        assert_eq!(other.client.post(OWN, taken).await.problem(422), "passkey_refused");
        for (what, lie) in LIES {
            let asked = own.asked(&app).await;
            let made = Passkey::new().made_with(&asked, |said| {
                lie(said);
                said.flags |= ATTESTED;
            });
            assert_eq!(own.client.post(OWN, made).await.problem(422), "passkey_refused", "{what}");
        }
        let mut made = Passkey::new().made(&own.asked(&app).await);
        made["public_key"] = json!(bytes(&[4; 65]));
        assert_eq!(own.client.post(OWN, made).await.problem(422), "passkey_refused", "no point of the curve");
        let late = own.asked(&app).await;
        app.clock.advance(5 * 60);
        let made = Passkey::new().made(&late);
        assert_eq!(own.client.post(OWN, made).await.problem(422), "passkey_refused", "too late");
        assert_eq!(count(&app).await, 1);
    }
}

on_both! {
    async fn who_administers_nothing_has_no_passkey(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let member = app.member(&own.register, &Person::number(1)).await;
        let member = app.client().with(member["token"].as_str());
        for (method, path, body) in [
            ("GET", OWN.to_owned(), None),
            ("POST", "/api/v1/me/confirmations".to_owned(), Some(json!({ "action": "add_passkey" }))),
            ("POST", format!("{OWN}/challenge"), Some(json!({ "confirmation_token": "x" }))),
            ("POST", OWN.to_owned(), Some(json!({ "label": "手机" }))),
        ] {
            let answer = member.send(method, &path, body).await;
            assert_eq!(answer.problem(404), "not_found", "{method} {path}");
        }
        // The role went between asking and adding.
        let co = Seat::of(&own.client, &own.register).administrator(&app, 901, json!(null)).await;
        let co = Administrator { client: co, person: Person::number(901), register: own.register.clone() };
        let asked = co.asked(&app).await;
        let id = Seat::of(&own.client, &own.register).id_of(901).await;
        co.client.delete(&own.register.path(&format!("/administrators/{id}"))).await.expect(204);
        let answer = co.client.post(OWN, Passkey::new().made(&asked)).await;
        assert!([401, 404].contains(&answer.status), "{}", answer.body);
        assert_eq!(count(&app).await, 0);
    }
}

on_both! {
    async fn anothers_passkey_is_not_there_to_be_removed(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let other = Administrator::new(&app, 901).await;
        let mut passkey = Passkey::new();
        let id = own.add(&app, &mut passkey).await;
        other.passkey(&app).await;
        let path = format!("{OWN}/{id}");
        let theirs = token(&app, &other.client, &other.person, "remove_passkey").await;
        let body = json!({ "confirmation_token": theirs });
        let answer = other.client.send("DELETE", &path, Some(body)).await;
        assert_eq!(answer.problem(404), "not_found");
        let add = own.token(&app, "add_passkey").await;
        for wrong in ["", &add] {
            let body = json!({ "confirmation_token": wrong });
            let answer = own.client.send("DELETE", &path, Some(body)).await;
            assert_eq!(answer.problem(422), "confirmation_required");
        }
        assert_eq!(count(&app).await, 2);
        sign_in(&app.client(), &mut passkey).await;
    }
}

on_both! {
    async fn tries_with_passkeys_count_as_mismatches_of_their_address(app: TestApp) {
        let app = app.restarted(|config| config.limits.posts_address = 1_000_000).await;
        let own = Administrator::new(&app, 900).await;
        let mut passkey = own.passkey(&app).await;
        let client = app.client().behind("198.51.100.9");
        for _ in 0..59 {
            assert_eq!(client.post(SIGN_IN, json!({})).await.problem(422), "passkey_refused");
        }
        sign_in(&client, &mut passkey).await;
        assert_eq!(client.post(SIGN_IN, json!({})).await.problem(422), "passkey_refused");
        let shown = passkey.shown(&challenge(&client).await);
        let answer = client.post(SIGN_IN, shown.clone()).await;
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.problem(429), "too_many_attempts");
        sign_in(&app.client().behind("198.51.100.10"), &mut passkey).await;
        // Names and documents are counted with them.
        let answer = client.post("/api/v1/sign-in", own.person.identity()).await;
        assert_eq!(answer.problem(429), "too_many_attempts");
        app.clock.advance(3600);
        sign_in(&client, &mut passkey).await;
    }
}

on_both! {
    async fn challenges_are_counted_as_other_posts(app: TestApp) {
        let app = app.restarted(|config| config.limits.posts_address = 3).await;
        for _ in 0..3 {
            challenge(&app.client()).await;
        }
        assert_eq!(app.client().post(CHALLENGE, json!({})).await.problem(429), "too_many_attempts");
    }
}

on_both! {
    async fn there_are_as_many_passkeys_as_there_may_be(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.limits.passkeys_person = 2;
        }).await;
        let own = Administrator::new(&app, 900).await;
        let waits = own.asked(&app).await;
        let first = text(&json!(own.add(&app, &mut Passkey::new()).await));
        own.passkey(&app).await;
        let answer = own.client.post(OWN, Passkey::new().made(&waits)).await;
        assert_eq!(answer.problem(409), "too_many_passkeys");
        let sent = app.sms_count(own.person.phone());
        let asked = json!({ "action": "add_passkey" });
        let answer = own.client.post("/api/v1/me/confirmations", asked).await;
        assert_eq!(answer.problem(409), "too_many_passkeys");
        assert_eq!(app.sms_count(own.person.phone()), sent, "no code goes out for it");
        assert_eq!(own.remove(&app, &first).await.status, 204);
        own.passkey(&app).await;
    }
}

on_both! {
    async fn where_there_are_none_nothing_is_there(app: TestApp) {
        for (level, address) in [("off", "https://register.example"), ("offered", "https://192.0.2.1"),
            ("offered", "http://register.example")] {
            let own = app.another_with(|config| {
                config.server.public_url = address.into();
                config.auth.administrators = serde_json::from_value(json!(level)).unwrap();
            }).await;
            let client = own.client();
            for path in [CHALLENGE, SIGN_IN] {
                assert_eq!(client.post(path, json!({})).await.problem(404), "not_found", "{level} {address}");
            }
        }
    }
}
