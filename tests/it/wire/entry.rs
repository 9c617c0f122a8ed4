//! Which requests get in: a page's form from this site's own pages, and from programs JSON, without
//! cookies and from no other site.
use super::{Face, NO_STORE, ROWS, Row, Site, assert_wire, request};
use crate::{app::On, app::TestApp, rows::rows, world::World};

const OWN: &str = "https://register.example";
const FOREIGN: &[&str] = &[
    "https://evil.example",
    "https://register.example.evil",
    "https://register.example:8443",
    "http://register.example",
    "null",
    "",
];

/// `Sec-Fetch-Site`, `Origin`, and whether a form gets in.
const FORMS: &[(&[&str], &[&str], bool)] = &[
    (&["same-origin"], &[], true),
    (&["same-origin"], &[OWN], true),
    (&["cross-site"], &[OWN], false),
    (&["same-site"], &[OWN], false),
    (&["none"], &[], false),
    (&["none"], &[OWN], false),
    (&[""], &[OWN], false),
    (&["same-origin", "same-origin"], &[OWN], false),
    (&["same-origin", "cross-site"], &[OWN], false),
    (&[], &[OWN], true),
    (&[], &[], false),
    (&[], &["null"], false),
    (&[], &["https://evil.example"], false),
    (&[], &[OWN, OWN], false),
    (&[], &["https://register.example/"], false),
];

fn methods<'a>(row: &'a Row, unsafe_alone: bool) -> impl Iterator<Item = &'static str> + 'a {
    row.methods()
        .filter(move |method| !unsafe_alone || *method != "GET")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_comes_from_a_page_of_ours_and_nothing_changes_where_it_does_not() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let token = world.owner.bearer.clone().unwrap();
    let before = rows(&world.app).await;
    let mut last = Vec::new();
    for row in ROWS.iter().filter(|row| row.face != Face::Program) {
        for method in methods(row, true) {
            for (sites, origins, passes) in FORMS {
                let path = world.path(row.path);
                let mut asked = request(method, &path)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("cookie", format!("__Host-tb_session={token}"));
                for value in *sites {
                    asked = asked.header("sec-fetch-site", *value);
                }
                for value in *origins {
                    asked = asked.header("origin", *value);
                }
                let what = format!("{method} {path} {sites:?} {origins:?}");
                if *passes {
                    // Later, since it may do what it is for; and on what is not there.
                    last.push((row.nowhere(), method, *sites, *origins, what));
                    continue;
                }
                let got = site.ask(asked, "accepted=yes").await;
                assert_eq!(got.status, 403, "{what}");
                assert_wire(&got, NO_STORE, true, &what);
            }
        }
    }
    let changed = before.changed(&rows(&world.app).await);
    assert_eq!(changed, Vec::<String>::new());
    for (path, method, sites, origins, what) in last {
        let mut asked =
            request(method, &path).header("content-type", "application/x-www-form-urlencoded");
        for value in sites {
            asked = asked.header("sec-fetch-site", *value);
        }
        for value in origins {
            asked = asked.header("origin", *value);
        }
        assert_ne!(site.ask(asked, "").await.status, 403, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_come_from_nowhere_or_from_here_and_cookies_mean_nothing_to_them() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let token = world.owner.bearer.clone().unwrap();
    let before = rows(&world.app)
        .await
        .without(&["counters", "passkey_challenges"]);
    for row in ROWS.iter().filter(|row| row.face != Face::Page) {
        for method in methods(row, false) {
            let ask = |path: &str| {
                request(method, path)
                    .header("content-type", "application/json")
                    .header("accept", "application/json")
            };
            for origin in FOREIGN {
                let asked = ask(&world.path(row.path))
                    .header("origin", *origin)
                    .header("authorization", format!("Bearer {token}"));
                let got = site.ask(asked, "{}").await;
                let what = format!("{method} {} from {origin}", row.path);
                assert_eq!(got.status, 403, "{what}");
                assert_wire(&got, NO_STORE, true, &what);
            }
            let path = row.nowhere();
            if path == "/demo/refresh" {
                continue;
            }
            let without = site.ask(ask(&path), "{}").await;
            let own = site.ask(ask(&path).header("origin", OWN), "{}").await;
            let what = format!("{method} {path}");
            assert!(without.status == own.status && own.status != 403, "{what}");
            for name in ["__Host-tb_session", "tb_session"] {
                let cookie = ask(&path).header("cookie", format!("{name}={token}"));
                let got = site.ask(cookie, "{}").await;
                assert_eq!(got.status, without.status, "{what} {name}");
                assert!(!got.headers.contains_key("set-cookie"), "{what}");
            }
        }
    }
    let after = rows(&world.app)
        .await
        .without(&["counters", "passkey_challenges"]);
    assert_eq!(before.changed(&after), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_send_json_alone() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let token = world.owner.bearer.clone().unwrap();
    for row in ROWS.iter().filter(|row| row.face == Face::Program) {
        for method in methods(row, true).filter(|method| *method != "DELETE") {
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json; charset=gbk",
                "application/xml",
                "text/json",
                "",
            ] {
                let asked = request(method, &world.path(row.path))
                    .header("authorization", format!("Bearer {token}"))
                    .header("content-type", kind);
                let got = site.ask(asked, "a=b").await;
                let what = format!("{method} {} {kind}", row.path);
                assert_eq!(got.status, 415, "{what}");
                assert_wire(&got, NO_STORE, true, &what);
            }
            let packed = request(method, &world.path(row.path))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .header("content-encoding", "gzip");
            assert_eq!(site.ask(packed, "{}").await.status, 415, "{}", row.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bearer_token_stands_once_and_in_its_own_header() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let token = world.owner.bearer.clone().unwrap();
    let me = || request("GET", "/api/v1/me");
    for value in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {token}x"),
        format!("Bearer {token},Bearer {token}"),
        "Bearer ".to_owned(),
        String::new(),
    ] {
        let got = site.ask(me().header("authorization", &value), "").await;
        assert_eq!(got.status, 401, "{value}");
    }
    let bearer = format!("Bearer {token}");
    let twice = me()
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    assert_eq!(site.ask(twice, "").await.status, 401);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let asked = me().header("authorization", format!("{scheme} {token}"));
        assert_eq!(site.ask(asked, "").await.status, 200, "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_lets_another_origin_read_it() {
    let app = TestApp::start(On::Sqlite).await;
    let site = Site::of(&app);
    for row in ROWS {
        let preflight = request("OPTIONS", &row.nowhere())
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization");
        let got = site.ask(preflight, "").await;
        assert!([403, 405].contains(&got.status), "{}", row.path);
        // Nothing beside what the table knows, so no leave either.
        assert_wire(&got, NO_STORE, true, row.path);
    }
}

/// A phone in the same network opens the demo by another name than its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_takes_the_host_that_it_was_reached_by_for_its_own() {
    let app = TestApp::start(On::Sqlite).await;
    let site = Site::of(&app);
    for (path, kind) in [
        ("/sign-in", "application/x-www-form-urlencoded"),
        ("/api/v1/sign-in", "application/json"),
    ] {
        let ask = |origin: &str| {
            request("POST", path)
                .header("content-type", kind)
                .header("host", "192.168.1.7:8080")
                .header("origin", origin)
        };
        let own = ask("http://192.168.1.7:8080");
        assert_eq!(site.ask(own, "{}").await.status, 422, "{path}");
        let other = ask("http://192.168.1.8:8080");
        assert_eq!(site.ask(other, "{}").await.status, 403, "{path}");
    }
}
