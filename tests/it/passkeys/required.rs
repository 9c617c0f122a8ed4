//! Where the operator asks for passkeys: what opens by SMS, and how a lost one is replaced.
use super::{Administrator, OWN, Passkey, count, show, sign_in};
use crate::{
    app::TestApp,
    on_both,
    world::{lift, text},
};
use serde_json::json;
use tuantibu::{actions::chores::chores, config::Administrators};

async fn required(app: TestApp) -> TestApp {
    app.restarted(|config| {
        lift(config);
        config.auth.administrators = Administrators::Required;
    })
    .await
}

on_both! {
    async fn a_register_opens_by_passkey_alone_where_one_is_required(app: TestApp) {
        let app = required(app).await;
        let own = Administrator::new(&app, 900).await;
        let members = own.register.path("/members");
        for path in ["", "/members", "/summary", "/administrators", "/code.png"] {
            let answer = own.client.get(&own.register.path(path)).await;
            assert_eq!(answer.problem(403), "passkey_required", "{path}");
        }
        for (action, register) in [("export", Some(&own.register.id)), ("delete_register", Some(&own.register.id))] {
            let asked = json!({ "action": action, "register_id": register });
            let answer = own.client.post("/api/v1/me/confirmations", asked).await;
            assert_eq!(answer.problem(403), "passkey_required", "{action}");
        }
        // Oneself stays open, and who has none is told by the same answer as ever.
        own.client.get("/api/v1/me").await.expect(200);
        let stranger = crate::administrators::person(&app, 901).await;
        assert_eq!(stranger.get(&members).await.problem(404), "not_found");
        // The first needs no other: the session goes on with it.
        let mut passkey = own.passkey(&app).await;
        own.client.get(&members).await.expect(200);
        let other = app.sign_in(&own.person).await;
        assert_eq!(other.get(&members).await.problem(403), "passkey_required");
        sign_in(&app.client(), &mut passkey).await.get(&members).await.expect(200);
    }
}

on_both! {
    async fn a_lost_passkey_is_replaced_after_a_code_a_notice_and_a_day(app: TestApp) {
        let app = required(app).await;
        let mut own = Administrator::new(&app, 900).await;
        let mut lost = Passkey::new();
        let id = own.add(&app, &mut lost).await;
        own.client = app.sign_in(&own.person).await;
        // Whoever has the number alone cannot clear the way.
        let asked = json!({ "action": "remove_passkey" });
        let answer = own.client.post("/api/v1/me/confirmations", asked).await;
        assert_eq!(answer.problem(403), "passkey_required");
        let mut new = Passkey::new();
        let replaced = own.add(&app, &mut new).await;
        let listed = own.client.get(OWN).await.expect(200);
        let waits = listed.as_array().unwrap().iter().find(|own| own["id"] == replaced);
        assert_eq!(waits.unwrap()["usable_from"], "2022-11-15T12:00:00+08:00");
        assert_eq!(own.client.get(&own.register.path("")).await.problem(403), "passkey_required");
        assert_eq!(show(&app.client(), &mut new).await.problem(422), "passkey_refused");
        // Its owner is told, whoever added it.
        let before = app.sms_count(own.person.phone());
        chores(&app.app, false).await.unwrap();
        assert_eq!(app.sms_count(own.person.phone()), before + 1);
        let told = app.app.demo.as_ref().unwrap().outbox.messages(Some(own.person.phone()));
        assert!(told[0].text.contains("通行密钥") && told[0].code.is_none(), "{}", told[0].text);
        app.clock.advance(24 * 3600 - 1);
        assert_eq!(show(&app.client(), &mut new).await.problem(422), "passkey_refused");
        app.clock.advance(1);
        own.client = sign_in(&app.client(), &mut new).await;
        own.client.get(&own.register.path("")).await.expect(200);
        assert_eq!(own.remove(&app, &id).await.status, 204);
        assert_eq!(show(&app.client(), &mut lost).await.problem(422), "passkey_refused");
        assert_eq!((count(&app).await, text(&own.client.get(OWN).await.expect(200)[0]["id"])), (1, replaced));
    }
}

on_both! {
    async fn the_owner_of_a_passkey_removes_one_that_another_added_meanwhile(app: TestApp) {
        let app = required(app).await;
        let mut own = Administrator::new(&app, 900).await;
        let mut passkey = own.passkey(&app).await;
        let stolen = Administrator { client: app.sign_in(&own.person).await, person: own.person.clone(), register: own.register.clone() };
        let mut theirs = Passkey::new();
        let id = stolen.add(&app, &mut theirs).await;
        own.client = sign_in(&app.client(), &mut passkey).await;
        assert_eq!(own.remove(&app, &id).await.status, 204);
        app.clock.advance(24 * 3600);
        assert_eq!(show(&app.client(), &mut theirs).await.problem(422), "passkey_refused");
        // With one's own at hand, another works at once.
        own.client = sign_in(&app.client(), &mut passkey).await;
        let mut second = own.passkey(&app).await;
        sign_in(&app.client(), &mut second).await;
    }
}

#[tokio::test]
async fn a_site_without_a_domain_cannot_require_passkeys() {
    let app = TestApp::start(crate::app::On::Sqlite).await;
    let mut config = app.config.clone();
    config.auth.administrators = Administrators::Required;
    config.sms.kind = tuantibu::config::SmsKind::None;
    for (address, starts) in [
        ("https://register.example", true),
        ("https://192.0.2.1", false),
        ("", false),
    ] {
        config.server.public_url = address.into();
        let started =
            tuantibu::app::App::start(config.clone(), tuantibu::app::Parts::default()).await;
        match started {
            Err(error) if !starts => assert!(
                error.to_string().starts_with("auth.administrators: "),
                "{error}"
            ),
            other => assert_eq!(other.is_ok(), starts, "{address}: {:?}", other.err()),
        }
    }
}

/// `config check` beside a database that is there.
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]
fn check(app: &TestApp, administrators: &str, address: &str) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_tuantibu"))
        .args(["config", "check"])
        .current_dir(&app.folder)
        .env("TUANTIBU_DATABASE__URL", &app.config.database.url)
        .env("TUANTIBU_KEYS__FILE", &app.config.keys.file)
        .env("TUANTIBU_SOURCE__URL", &app.config.source.url)
        .env("TUANTIBU_SERVER__PUBLIC_URL", address)
        .env("TUANTIBU_AUTH__ADMINISTRATORS", administrators)
        .output()
        .unwrap()
}

#[tokio::test]
async fn the_check_of_the_configuration_says_what_is_claimed() {
    let app = TestApp::start(crate::app::On::Sqlite).await;
    let site = "https://register.example";
    for (administrators, address, says) in [
        ("required", site, "administrators: a passkey is required"),
        (
            "offered",
            site,
            "administrators: a passkey is offered, a code by SMS does: no more than AAL1",
        ),
        (
            "offered",
            "https://192.0.2.1",
            "passkeys need a server.public_url",
        ),
        (
            "off",
            site,
            "administrators: a code by SMS: no more than AAL1",
        ),
    ] {
        let output = check(&app, administrators, address);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && said.contains(says),
            "{administrators}: {said}"
        );
    }
    for (administrators, address) in [("sometimes", site), ("required", "https://192.0.2.1")] {
        let output = check(&app, administrators, address);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.to_lowercase().contains("auth.administrators"),
            "{said}"
        );
    }
}
