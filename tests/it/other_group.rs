//! Another group's object is not there: every route, whoever asks for it, and nothing changes.
use crate::{
    administrators::Seat,
    api_basics::operations,
    app::{Client, On, Person, Register, TestApp, terms},
    on_both,
    rows::{Rows, rows},
    world::{OWNER, World, text},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tuantibu::{model::id::Id, store::registers};

/// Routes whose id is a secret of its own: whoever has it may.
const BY_SECRET: &[&str] = &[
    "/api/v1/verifications/",
    "/api/v1/pending/",
    "/api/v1/leave/",
    "/leave/",
    "/api/v1/join/",
];

/// A body that is right, so that nothing but who asks is wrong.
fn body(method: &str, path: &str, token: &str) -> Option<Value> {
    let named = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
    match (method, path) {
        ("PATCH", "/api/v1/registers/{id}") => Some(json!({ "contact": "010-60000000" })),
        ("DELETE", "/api/v1/registers/{id}") => Some(named),
        ("POST", path) if path.ends_with("/search") => Some(json!({ "name": "甲" })),
        ("POST", path) if path.ends_with("/exports") => {
            Some(json!({ "format": "csv", "purpose": "核对", "confirmation_token": token }))
        }
        ("POST", path) if path.ends_with("/administrators") || path.ends_with("/hand-over") => {
            Some(json!({ "confirmation_token": token }))
        }
        ("DELETE", path) if path.contains("/me/passkeys/") => {
            Some(json!({ "confirmation_token": token }))
        }
        ("PATCH", path) if path.contains("/me/authorizations/") => Some(json!({
            "accepted": true,
            "version": tuantibu::actions::join_terms::CONSENT_VERSION,
            "items": ["health_code", "nucleic_acid"],
            "sharing": "details",
        })),
        ("POST", _) => Some(json!({})),
        _ => None,
    }
}

async fn state(world: &World) -> Rows {
    rows(&world.app).await.without(&["counters", "sessions"])
}

/// Everybody who is not who they should be, with the answer that they get where a session is
/// needed at all.
struct Others {
    all: Vec<(&'static str, Client, u16)>,
}

impl Others {
    async fn of(world: &World) -> Self {
        let app = &world.app;
        let owner = Person::number(OWNER);
        let elsewhere = Person::number(901);
        app.put(&elsewhere, json!({})).await;
        let elsewhere = app.sign_in(&elsewhere).await;
        app.register(&elsewhere).await;
        let mut leaving = owner.identity();
        leaving["purpose"] = json!("leave");
        let started = app
            .client()
            .post("/api/v1/sign-in", leaving)
            .await
            .expect(202);
        let leaving = app.client().confirm(app, &started, owner.phone()).await;
        let gone = app.sign_in(&owner).await;
        gone.delete("/api/v1/session").await.expect(204);
        app.clock.advance(61);
        let token = world
            .owner
            .confirmation(app, &owner, "export", &world.register)
            .await;
        let with = |token: &str| app.client().with(Some(token));
        Self {
            all: vec![
                ("a stranger", app.client(), 401),
                ("a leave-only session of the owner", leaving, 401),
                ("a session that was signed out", gone, 401),
                ("a confirmation token", with(&token), 401),
                ("the registration code", with(&world.register.code), 401),
                ("the leave link", with(&world.leave_link), 401),
                ("a verification", with(&world.verification), 401),
                ("the register's id", with(&world.register.id), 401),
                ("a long token", with(&"A".repeat(4000)), 401),
                ("an administrator elsewhere", elsewhere, 404),
            ],
        }
    }
}

async fn nobody_else_gets_at_a_register(on: On) {
    let world = World::start(on).await;
    let mut others = Others::of(&world).await;
    others
        .all
        .push(("a member of that register", world.member.clone(), 404));
    let before = state(&world).await;
    let mut tried = 0;
    for (method, template) in operations(&world.app.client()).await {
        if !template.starts_with("/api/v1/registers/{id}") {
            continue;
        }
        for (who, client, status) in &others.all {
            tried += 1;
            let path = world.path(&template);
            let body = body(&method, &template, "x");
            let answer = client.send(&method, &path, body).await;
            let what = format!("{method} {template} by {who}");
            assert_eq!(answer.status, *status, "{what}: {}", answer.body);
            let code = if *status == 401 {
                "not_signed_in"
            } else {
                "not_found"
            };
            assert_eq!(answer.problem(*status), code, "{what}");
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(before.changed(&state(&world).await), Vec::<String>::new());
}

async fn nobody_else_gets_at_what_is_ones_own(on: On) {
    let world = World::start(on).await;
    let mut others = Others::of(&world).await;
    // The register's own owner is another here.
    others
        .all
        .push(("the owner of that register", world.owner.clone(), 404));
    let before = state(&world).await;
    for (method, template) in operations(&world.app.client()).await {
        if !template.starts_with("/api/v1/me/") || !template.contains("{id}") {
            continue;
        }
        for (who, client, status) in &others.all {
            // A leave-only session may look and leave: what is its own.
            let leaves = who.starts_with("a leave-only")
                && method != "PATCH"
                && !template.contains("/passkeys/");
            let status = if leaves { 404 } else { *status };
            let body = body(&method, &template, "x");
            let answer = client.send(&method, &world.path(&template), body).await;
            assert_eq!(
                answer.status, status,
                "{method} {template} by {who}: {}",
                answer.body
            );
        }
    }
    assert_eq!(before.changed(&state(&world).await), Vec::<String>::new());
}

async fn an_expired_session_is_nobodys(on: On) {
    let world = World::start(on).await;
    world.app.clock.advance(30 * 60);
    let before = state(&world).await;
    for (method, template) in operations(&world.app.client()).await {
        let is_open = template.starts_with("/demo/")
            || BY_SECRET.iter().any(|own| template.starts_with(own))
            || method == "GET" && template.starts_with("/api/v1/invitations/")
            || [
                "/api/v1/sign-in",
                "/api/v1/sign-in/passkey",
                "/api/v1/sign-in/passkey/challenge",
                "/api/v1/divisions",
                "/healthz",
                "/readyz",
            ]
            .contains(&template.as_str());
        if is_open {
            continue;
        }
        for client in [&world.owner, &world.member] {
            let body = body(&method, &template, "x");
            let answer = client.send(&method, &world.path(&template), body).await;
            assert_eq!(answer.problem(401), "not_signed_in", "{method} {template}");
        }
    }
    assert_eq!(before.changed(&state(&world).await), Vec::<String>::new());
}

async fn a_member_is_found_in_their_own_register_alone(on: On) {
    let world = World::start(on).await;
    let other = world.app.register(&world.owner).await;
    let elsewhere = Person::number(901);
    world.app.put(&elsewhere, json!({})).await;
    let elsewhere = world.app.sign_in(&elsewhere).await;
    let theirs = world.app.register(&elsewhere).await;
    let before = state(&world).await;
    // By the member's id, their person's id, and from registers of the same owner and another's.
    let mine = world
        .member
        .get("/api/v1/me/authorizations")
        .await
        .expect(200);
    let person = text(&mine[0]["person"]["id"]);
    for (client, register) in [(&world.owner, &other), (&elsewhere, &theirs)] {
        for member in [&world.authorization, &person] {
            let path = register.path(&format!("/members/{member}"));
            for (method, path) in [
                ("GET", path.clone()),
                ("DELETE", path.clone()),
                ("POST", format!("{path}/phone")),
            ] {
                let body = (method == "POST").then(|| json!({}));
                let answer = client.send(method, &path, body).await;
                assert_eq!(answer.problem(404), "not_found", "{method} {path}");
            }
        }
    }
    let path = world.register.path(&format!("/members/{person}"));
    assert_eq!(world.owner.get(&path).await.problem(404), "not_found");
    assert_eq!(before.changed(&state(&world).await), Vec::<String>::new());
    // The id differs in each register, so that lists cannot be laid side by side.
    world.app.clock.advance(61);
    let joined = world
        .app
        .join(&other, &Person::number(crate::world::MEMBER))
        .await;
    assert_ne!(text(&joined["authorization"]["id"]), world.authorization);
}

macro_rules! both {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::app::On::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::app::On::Postgres).await;
            }
        })*
    };
}
both!(
    nobody_else_gets_at_a_register,
    nobody_else_gets_at_what_is_ones_own,
    an_expired_session_is_nobodys,
    a_member_is_found_in_their_own_register_alone,
);

/// Makes a person an administrator of departments that no owner can limit anybody to.
async fn administrator(app: &TestApp, register: &Register, n: usize, departments: &str) -> Client {
    let person = Person::number(n);
    app.put(&person, json!({})).await;
    let me = app.sign_in(&person).await;
    let id = me.get("/api/v1/me").await.expect(200)["person"]["id"].clone();
    let mut tx = app.app.store.write().await.unwrap();
    registers::insert_administrator(
        &mut tx,
        &[8; 16],
        Id::parse(&register.id).unwrap().bytes(),
        Id::parse(id.as_str().unwrap()).unwrap().bytes(),
        0,
        Some(departments),
        app.app.now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    me
}

/// Three members: of 后勤, of 一年级组, of no department; their ids.
async fn three(app: &TestApp, register: &Register) -> Vec<String> {
    let mut ids = Vec::new();
    for (n, department) in [(1, Some("后勤")), (2, Some("一年级组")), (3, None)] {
        let person = Person::number(n);
        app.put(&person, app.healthy()).await;
        let joined = app
            .join_with(&app.client(), register, &person, |body| {
                body["department"] = json!(department);
            })
            .await;
        ids.push(text(&joined["authorization"]["id"]));
    }
    ids
}

on_both! {
    async fn an_administrator_of_a_department_sees_and_does_nothing_beyond_it(app: TestApp) {
        let owner = Person::number(OWNER);
        app.put(&owner, json!({})).await;
        let owner = app.sign_in(&owner).await;
        let register = app.register(&owner).await;
        let ids = three(&app, &register).await;
        app.clock.advance(61);
        let limited = Seat::of(&owner, &register).administrator(&app, 902, json!(["后勤"])).await;
        let list = limited.get(&register.path("/members")).await.expect(200);
        assert_eq!((&list["total"], &list["members"][0]["id"]), (&json!(1), &json!(ids[0])));
        for (query, found) in [
            ("department=%E5%90%8E%E5%8B%A4", 1),
            ("department=%E4%B8%80%E5%B9%B4%E7%BA%A7%E7%BB%84", 0),
            ("verdict=meets", 1),
            ("verdict=fails", 0),
            ("item=health_code&value=green", 1),
            ("sort=-joined_at&limit=200", 1),
        ] {
            let list = limited.get(&register.path(&format!("/members?{query}"))).await.expect(200);
            assert_eq!((&list["total"], &list["next"]), (&json!(found), &Value::Null), "{query}");
        }
        let search = register.path("/members/search");
        for (name, found) in [("甲", 1), ("甲一", 1), ("甲二", 0), ("甲三", 0)] {
            let list = limited.post(&search, json!({ "name": name })).await.expect(200);
            assert_eq!(list["total"], found, "{name}");
        }
        let summary = limited.get(&register.path("/summary")).await.expect(200);
        assert_eq!((&summary["members"], &summary["verdicts"]["meets"]), (&json!(1), &json!(1)));
        assert_eq!(summary["items"]["health_code"]["green"], 1);
        let shown = limited.get(&register.path("")).await.expect(200);
        assert_eq!((&shown["members"], &shown["limited_to"], &shown["role"]),
            (&json!(1), &json!(["后勤"]), &json!("administrator")));
        assert_eq!(limited.get("/api/v1/registers").await.expect(200)[0]["members"], 1);
        let before = rows(&app).await.without(&["counters", "sessions"]);
        for id in &ids[1..] {
            let member = register.path(&format!("/members/{id}"));
            for (method, path) in [
                ("GET", member.clone()), ("DELETE", member.clone()), ("POST", format!("{member}/phone")),
            ] {
                let body = (method == "POST").then(|| json!({}));
                assert_eq!(limited.send(method, &path, body).await.problem(404), "not_found");
            }
        }
        // What the owner alone may.
        let patch = limited.patch(&register.path(""), json!({ "contact": "010-60000000" })).await;
        assert_eq!(patch.problem(404), "not_found");
        assert_eq!(limited.post(&register.path("/code"), json!({})).await.problem(404), "not_found");
        let delete = json!({ "organisation": terms()["organisation"], "confirmation_token": "x" });
        let delete = limited.send("DELETE", &register.path(""), Some(delete)).await;
        assert_eq!(delete.problem(404), "not_found");
        for action in ["delete_register", "hand_over", "add_administrator"] {
            let asked = json!({ "action": action, "register_id": register.id });
            let answer = limited.post("/api/v1/me/confirmations", asked).await;
            assert_eq!(answer.problem(404), "not_found", "{action}");
        }
        assert_eq!(before.changed(&rows(&app).await.without(&["counters", "sessions"])), Vec::<String>::new());
        // What is theirs to see of the others, and to end: their own role alone.
        let seen = limited.get(&register.path("/administrators")).await.expect(200);
        assert_eq!(seen["invitations"], json!([]), "the owner's alone");
        let of_owner = text(&seen["administrators"][0]["id"]);
        let answer = limited.delete(&register.path(&format!("/administrators/{of_owner}"))).await;
        assert_eq!(answer.problem(404), "not_found");
        for path in ["/administrators", "/hand-over"] {
            let body = json!({ "confirmation_token": "x" });
            assert_eq!(limited.post(&register.path(path), body).await.problem(404), "not_found");
        }
        // What is theirs to do, inside.
        let own = register.path(&format!("/members/{}", ids[0]));
        limited.get(&own).await.expect(200);
        let revealed = limited.post(&format!("{own}/phone"), json!({})).await.expect(200);
        assert_eq!(revealed["phone"], Person::number(1).phone());
        app.clock.advance(61);
        let token = limited.confirmation(&app, &Person::number(902), "export", &register).await;
        let export = json!({ "format": "csv", "purpose": "核对", "confirmation_token": token });
        let file = limited.post(&register.path("/exports"), export).await;
        let csv = String::from_utf8(file.bytes).unwrap();
        let names: BTreeSet<bool> = [2, 3].iter().map(|n| csv.contains(&Person::number(*n).name)).collect();
        assert!(csv.contains(&Person::number(1).name) && names == BTreeSet::from([false]), "{csv}");
        limited.delete(&own).await.expect(204);
        let list = owner.get(&register.path("/members")).await.expect(200);
        assert_eq!(list["total"], 2);
    }
}

on_both! {
    async fn an_administrator_of_no_department_sees_nobody(app: TestApp) {
        let owner = Person::number(OWNER);
        app.put(&owner, json!({})).await;
        let owner = app.sign_in(&owner).await;
        let register = app.register(&owner).await;
        three(&app, &register).await;
        let nobody = administrator(&app, &register, 902, "[]").await;
        assert_eq!(nobody.get(&register.path("/members")).await.expect(200)["total"], 0);
        assert_eq!(nobody.get(&register.path("/summary")).await.expect(200)["members"], 0);
        assert_eq!(nobody.get(&register.path("")).await.expect(200)["members"], 0);
    }
}
