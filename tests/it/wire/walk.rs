//! The headers of every answer: every route, every method, whoever asks, whatever goes wrong.
use super::{FOREVER, Face, Got, KIB, NO_STORE, ROWS, Row, Site, assert_wire, request, usual};
use crate::{
    app::{On, Person, TestApp},
    world::{World, lift},
};
use std::collections::BTreeSet;

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
];
/// What ends the session that asks.
const ENDING: &[&str] = &["/sign-out", "/api/v1/session", "/api/v1/me/sessions"];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As<'a> {
    Stranger,
    /// By the token, as a program or as a browser.
    Token(&'a str),
}

/// Asks a row's route, and holds the answer; its status.
async fn held(site: &Site, row: &Row, method: &str, path: &str, who: As<'_>) -> Got {
    let mut request = usual(row, method, path);
    if let As::Token(token) = who {
        request = match row.face {
            Face::Program => request.header("authorization", format!("Bearer {token}")),
            Face::Page | Face::Both => {
                request.header("cookie", format!("__Host-tb_session={token}"))
            }
        };
    }
    let body = match (method, row.face) {
        ("POST" | "PUT" | "PATCH" | "DELETE", Face::Program) => "{}",
        _ => "",
    };
    let got = site.ask(request, body).await;
    let what = format!("{method} {path} {who:?}");
    assert_wire(&got, row.caching, true, &what);
    let is_known = row.methods().any(|own| own == method)
        || method == "HEAD" && row.methods().any(|own| own == "GET");
    assert_eq!(got.status == 405, !is_known, "{what}: {}", got.status);
    if method == "HEAD" {
        assert!(got.bytes.is_empty(), "{what}");
    }
    if got.status >= 400 && method != "HEAD" {
        let kind = match row.face {
            Face::Program => "application/problem+json",
            Face::Page | Face::Both => "text/html; charset=utf-8",
        };
        assert_eq!(got.header("content-type"), Some(kind), "{what}");
    }
    if got.status == 500 {
        for word in ["sqlx", "pool", "closed", "database", "src/", "panicked"] {
            assert!(!got.text().contains(word), "{what}: {}", got.text());
        }
    }
    got
}

/// Every route and method: with ids of nothing, and where it only reads, with the world's own.
async fn everything(site: &Site, world: &World, token: &str) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::new();
    for row in ROWS {
        let (nowhere, own) = (row.nowhere(), world.path(row.path));
        for method in METHODS {
            let got = held(site, row, method, &nowhere, As::Stranger).await;
            statuses.insert(got.status);
            if !ENDING.contains(&row.path) {
                let got = held(site, row, method, &nowhere, As::Token(token)).await;
                statuses.insert(got.status);
            }
            if ["GET", "HEAD"].contains(method) {
                let got = held(site, row, method, &own, As::Token(token)).await;
                statuses.insert(got.status);
            }
        }
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_the_headers_also_when_everything_fails() {
    for on in [On::Sqlite, On::Postgres] {
        let world = World::start(on).await;
        let site = Site::of(&world.app);
        let token = world.owner.bearer.clone().unwrap();
        let statuses = everything(&site, &world, &token).await;
        for status in [200, 303, 401, 404, 405, 422] {
            assert!(statuses.contains(&status), "{status}: {statuses:?}");
        }
        assert!(!statuses.contains(&500), "{statuses:?}");
        world.app.app.store.close().await;
        let statuses = everything(&site, &world, &token).await;
        for status in [500, 503] {
            assert!(statuses.contains(&status), "{status}: {statuses:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_alike() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let long = "a".repeat(17 * KIB);
    for row in ROWS {
        for method in row.methods() {
            let path = row.nowhere();
            let all = [
                (400, usual(row, method, &format!("{path}?a=1&%61=2")), ""),
                (400, usual(row, method, &format!("{path}?a=%00")), ""),
                (400, usual(row, method, &format!("{path}?a=%FF")), ""),
                (
                    414,
                    usual(row, method, &format!("{path}?{}", &long[..2048])),
                    "",
                ),
                (431, usual(row, method, &path).header("x-long", &long), ""),
            ];
            for (status, request, body) in all {
                let got = site.ask(request, body).await;
                let what = format!("{method} {path}");
                assert_eq!(got.status, status, "{what}");
                assert_wire(&got, NO_STORE, true, &what);
            }
        }
    }
    for path in [
        "/nothing/at/all",
        "/api/v1/nothing",
        "/api",
        "/assets/",
        "/demo/",
    ] {
        let got = site.ask(request("GET", path), "").await;
        assert_eq!(got.status, 404, "{path}");
        assert_wire(&got, NO_STORE, true, path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_outages_carry_them_too() {
    let app = TestApp::start_with(On::Sqlite, |config| {
        lift(config);
        config.limits.previews_address = 0;
    })
    .await;
    let person = Person::number(1);
    app.put(&person, serde_json::json!({})).await;
    let site = Site::of(&app);
    for path in [
        "/j/AAAAAAAAAAAAAAAAAAAAAA",
        "/api/v1/join/AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let got = site.ask(request("GET", path), "").await;
        assert_eq!(got.status, 429, "{path}");
        assert_wire(&got, NO_STORE, true, path);
        if path.starts_with("/api") {
            assert!(got.header("retry-after").is_some());
        }
    }
    app.sms_fails(true);
    let form = serde_urlencoded::to_string([
        ("name", person.name.as_str()),
        ("document_type", "resident_id"),
        ("document_number", &person.document),
        ("phone", person.phone()),
    ])
    .unwrap();
    let json = person.identity().to_string();
    for (path, body) in [("/sign-in", form), ("/api/v1/sign-in", json)] {
        let row = ROWS.iter().find(|row| row.path == path).unwrap();
        let got = site.ask(usual(row, "POST", path), body).await;
        assert_eq!(got.status, 503, "{path}");
        assert_wire(&got, NO_STORE, true, path);
    }
}

/// Every asset that the pages name, by the name that changes with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assets_are_kept_for_ever_by_their_hashed_name_alone() {
    let app = TestApp::start(On::Sqlite).await;
    let site = Site::of(&app);
    let home = site.ask(request("GET", "/"), "").await.text();
    let assets: BTreeSet<&str> = home
        .match_indices("/assets/")
        .map(|(at, _)| &home[at..])
        .map(|rest| &rest[..rest.find(['"', '#', ' ']).unwrap()])
        .collect();
    assert!(assets.len() >= 3, "{assets:?}");
    for path in assets {
        let got = site.ask(request("GET", path), "").await;
        assert_eq!(got.status, 200, "{path}");
        assert_wire(&got, FOREVER, true, path);
        let other = path.replacen('-', "-0", 1);
        let got = site.ask(request("GET", &other), "").await;
        assert_eq!(got.status, 404, "{other}");
        assert_wire(&got, FOREVER, true, &other);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_there_is_no_strict_transport() {
    let app = TestApp::start_with(On::Sqlite, |config| {
        config.server.public_url = "http://127.0.0.1:8080".into();
    })
    .await;
    let site = Site::of(&app);
    for path in ["/", "/api/v1/me", "/api/v1/openapi.json"] {
        let row = ROWS.iter().find(|row| row.path == path).unwrap();
        let got = site.ask(request("GET", path), "").await;
        assert_wire(&got, row.caching, false, path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_carry_them_on_their_own_listener() {
    let app = TestApp::start(On::Sqlite).await;
    let site = Site(tuantibu::web::metrics_router(app.app.clone()));
    for (path, status) in [("/metrics", 200), ("/", 404), ("/api/v1/me", 404)] {
        let got = site.ask(request("GET", path), "").await;
        assert_eq!(got.status, status, "{path}");
        assert_wire(&got, NO_STORE, true, path);
    }
}
