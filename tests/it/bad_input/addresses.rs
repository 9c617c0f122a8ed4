//! Ids and parameters that lead nowhere.
use super::{
    ask::{assert_names, assert_problem, program},
    routes::{Who, with_body},
};
use crate::{
    api_basics::operations,
    app::{On, Person},
    world::World,
};
use serde_json::{Value, json};

/// Parts of paths that lead nowhere.
#[rustfmt::skip]
const STRANGE: &[&str] = &[
    "AAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAB",
    "x",
    "-1",
    "0",
    "null",
    "me",
    "%20",
    "%F0%9F%80%84",
    "%E7%8E%8B",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "'%20or%20'1'='1",
    "1;drop%20table%20registers",
    "%22%3E%3Csvg%20onload=1%3E",
    "%0D%0ASet-Cookie:x=1",
    "%",
    "%zz",
    "018f9b7c-5b1e-7f3a-8c2d-1234567890ab",
    "99999999999999999999999999",
];

async fn unknown_and_malformed_ids_lead_nowhere(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    let long = "A".repeat(1500);
    let bodies = with_body();
    let mut all = operations(&world.app.client()).await;
    all.retain(|(_, path)| path.contains('{') && !path.starts_with("/demo/"));
    for (method, template) in all {
        let route = bodies
            .iter()
            .find(|route| route.method == method && route.path == template);
        let who = route.map_or(Who::Owner, |route| route.who);
        let client = if template.contains("/me/") {
            world.member.clone()
        } else {
            world.client(who)
        };
        let body = match route {
            // Right in itself: only the id is wrong.
            Some(route) if template.contains("/verifications/") => {
                assert_eq!(route.path, template);
                Some(json!({ "code": "123456" }))
            }
            Some(route) if template.ends_with("/search") => {
                assert_eq!(route.path, template);
                Some(json!({ "name": "甲" }))
            }
            Some(route) => Some(route.body.clone()),
            None if method == "POST" => Some(json!({})),
            None => None,
        };
        let parts: Vec<&str> = template
            .split('/')
            .filter(|part| part.starts_with('{'))
            .collect();
        for part in parts {
            for strange in STRANGE.iter().chain([&long.as_str()]) {
                let path = world.path(&template.replace(part, strange));
                let what = format!("{method} {path}");
                let answer = program(&client, &method, &path, &body).await;
                assert_problem(&answer, &what);
                let ended = answer.status == 410
                    && (template.contains("/verifications/")
                        || template.contains("/invitations/{link}"));
                assert!(
                    answer.status == 404 || ended,
                    "{what}: {} {}",
                    answer.status,
                    answer.body
                );
            }
            for (strange, code) in [
                ("%00", "nul"),
                ("%FF%FE", "wrong_encoding"),
                ("a%00b", "nul"),
            ] {
                let path = world.path(&template.replace(part, strange));
                let answer = program(&client, &method, &path, &body).await;
                assert_eq!(answer.problem(400), code, "{method} {path}");
            }
            let path = world.path(&template.replace(part, &"A".repeat(3000)));
            let answer = program(&client, &method, &path, &body).await;
            assert_eq!(answer.problem(414), "url_too_long", "{method} {template}");
        }
    }
    assert_eq!(before.changed(&world.state().await), Vec::<String>::new());
}

async fn a_parameter_that_cannot_be_read_is_refused_with_its_name(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    let list = world.register.path("/members");
    let sql = "'; drop table registers; --";
    let mut cases: Vec<(&str, String)> = [
        "0",
        "201",
        "-1",
        "abc",
        "9999999999999",
        "99999999999999999999999999",
        "1.5",
        "1e2",
        "0x10",
        "٣",
        "１",
        " 1",
        "1 ",
        "null",
        sql,
    ]
    .iter()
    .map(|limit| ("limit", (*limit).to_owned()))
    .collect();
    for (name, values) in [
        ("days", ["-1", "4", "3+", "+4", "1.0", sql]),
        (
            "verdict",
            ["Meets", "meets,fails", "*", "%", "' or 1=1", sql],
        ),
        (
            "item",
            [
                "*",
                "health_code,nucleic_acid",
                "green",
                "..",
                "' or 1=1",
                sql,
            ],
        ),
        ("state", ["OK", "ok,none", "%", "null", "' or 1=1", sql]),
        (
            "sort",
            [
                "name",
                "id desc",
                "joined_at; --",
                "VERDICT",
                "random()",
                sql,
            ],
        ),
        ("after", ["x", "AAAA", "../", "=", "' or 1=1", sql]),
    ] {
        cases.extend(values.iter().map(|value| (name, (*value).to_owned())));
    }
    for (name, value) in &cases {
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let answer = world.owner.get(&format!("{list}?{name}={encoded}")).await;
        assert_names(&answer, name, &format!("{name}={value}"));
        let body = json!({ "name": "甲", (*name): value });
        let answer = world.owner.post(&format!("{list}/search"), body).await;
        assert_names(&answer, name, &format!("searched {name}={value}"));
    }
    for (query, code) in [
        ("limit=1&limit=2", "repeated_parameter"),
        ("limit=1&%6Cimit=2", "repeated_parameter"),
        ("department=%FF", "wrong_encoding"),
        ("department=%CD%F5", "wrong_encoding"),
        ("department=%00", "nul"),
    ] {
        let answer = world.owner.get(&format!("{list}?{query}")).await;
        assert_eq!(answer.problem(400), code, "{query}");
    }
    for query in [
        "offset=1",
        "limit[]=1",
        "Limit=1",
        "q=1",
        "__proto__=1",
        "name=x",
    ] {
        let answer = world.owner.get(&format!("{list}?{query}")).await;
        assert_names(&answer, query.split('=').next().unwrap(), query);
    }
    // What only narrows finds nothing.
    for query in [
        "department=%27%20or%201%3D1",
        "value=%25&item=health_code",
        "department=%E2%80%AE",
    ] {
        let found = world
            .owner
            .get(&format!("{list}?{query}"))
            .await
            .expect(200);
        assert_eq!(found["members"], json!([]), "{query}");
    }
    for query in [
        "q=%27%20or%201%3D1",
        "q=%25",
        "q=_",
        "parent=%27",
        "parent=-1",
        "parent=9999999999999999",
        "q=%F0%9F%80%84",
        "parent=11%27",
    ] {
        let found = world
            .app
            .client()
            .get(&format!("/api/v1/divisions?{query}"))
            .await;
        assert_eq!(found.expect(200), json!([]), "{query}");
    }
    // A cursor serves the register that it was drawn for.
    let page = world
        .owner
        .get(&format!("{list}?limit=1"))
        .await
        .expect(200);
    assert_eq!(page["next"], Value::Null);
    for n in [60, 61] {
        world.app.member(&world.register, &Person::number(n)).await;
    }
    let page = world
        .owner
        .get(&format!("{list}?limit=1"))
        .await
        .expect(200);
    let next = page["next"].as_str().unwrap().to_owned();
    world
        .owner
        .get(&format!("{list}?limit=1&after={next}"))
        .await
        .expect(200);
    let other = world.app.register(&world.owner).await;
    let answer = world
        .owner
        .get(&format!("{}?after={next}", other.path("/members")))
        .await;
    assert_names(&answer, "after", "another register's cursor");
    let answer = world.owner.get(&format!("{list}?after={next}A")).await;
    assert_names(&answer, "after", "a changed cursor");
    let changed = before.changed(&world.state().await);
    assert!(!changed.contains(&"keys".to_owned()), "{changed:?}");
}

/// Makes each a test on both engines.
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
    unknown_and_malformed_ids_lead_nowhere,
    a_parameter_that_cannot_be_read_is_refused_with_its_name,
);
