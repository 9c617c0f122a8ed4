//! How much a request may hold: the figure passes, one byte more does not.
use super::{KIB, NO_STORE, ROWS, Site, assert_wire, request, usual};
use crate::{
    app::{On, terms},
    world::World,
};
use axum::body::Body;
use bytes::Bytes;
use serde_json::json;

/// A body without a length, in pieces.
fn pieces(bytes: usize) -> Body {
    let all = (0..bytes.div_ceil(KIB)).map(move |at| {
        let length = KIB.min(bytes - at * KIB);
        Ok::<_, std::io::Error>(Bytes::from(vec![b' '; length]))
    });
    Body::from_stream(futures_util::stream::iter(all))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_body_has_its_limit() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    for row in ROWS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let most = row.most(method);
            let path = row.nowhere();
            let what = format!("{method} {path}");
            let ask = || usual(row, method, &path);
            for body in [Body::from(vec![b' '; most]), pieces(most)] {
                let got = site.ask(ask(), body).await;
                assert_ne!(got.status, 413, "{what}");
            }
            let announced = ask().header("content-length", (most + 1).to_string());
            for (request, body) in [
                (ask(), Body::from(vec![b' '; most + 1])),
                (ask(), pieces(most + 1)),
                (announced, Body::empty()),
            ] {
                let got = site.ask(request, body).await;
                assert_eq!(got.status, 413, "{what}");
                assert_wire(&got, NO_STORE, true, &what);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_are_those_that_the_security_page_names() {
    for row in ROWS {
        for method in row.methods() {
            let most = row.most(method) / KIB;
            let wanted = match (method, row.path) {
                // 200 departments of 40 Chinese characters.
                ("POST", "/registers/new" | "/registers/{id}/settings") => 128,
                ("POST", "/api/v1/registers") => 64,
                ("PATCH", _) => 64,
                ("GET", _) => continue,
                _ => 16,
            };
            assert_eq!(most, wanted, "{method} {}", row.path);
        }
    }
}

/// The longest register that there may be, of characters that are spelled longest.
fn longest(character: char) -> serde_json::Value {
    let text = |most: usize| String::from(character).repeat(most);
    let mut body = terms();
    body["organisation"] = json!(text(100));
    body["purpose"] = json!(text(200));
    body["administrator_title"] = json!(text(30));
    let departments: Vec<String> = (0..200).map(|n| format!("{}{n:03}", text(37))).collect();
    body["departments"] = json!(departments);
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_register_there_may_be_goes_through() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let token = world.owner.bearer.clone().unwrap();
    for character in ['王', '𠮷'] {
        let body = longest(character);
        let asked = request("POST", "/api/v1/registers")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let got = site.ask(asked, body.to_string()).await;
        assert_eq!(got.status, 201, "{}", got.text());
        let made: serde_json::Value = serde_json::from_slice(&got.bytes).unwrap();
        let departments: Vec<&str> = body["departments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own.as_str().unwrap())
            .collect();
        let mut form = vec![("departments", departments.join("\r\n"))];
        for name in ["organisation", "purpose", "contact", "administrator_title"] {
            form.push((name, body[name].as_str().unwrap().to_owned()));
        }
        form.push(("health_code", "required".to_owned()));
        let form = serde_urlencoded::to_string(&form).unwrap();
        assert!(
            form.len() > 64 * KIB && form.len() <= 128 * KIB,
            "{}",
            form.len()
        );
        for path in [
            "/registers/new".to_owned(),
            format!("/registers/{}/settings", made["id"].as_str().unwrap()),
        ] {
            let asked = request("POST", &path)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin")
                .header("cookie", format!("__Host-tb_session={token}"));
            let got = site.ask(asked, form.clone()).await;
            // Read whole: what is still wrong, if anything, is said of its fields.
            assert!([303, 422].contains(&got.status), "{path}: {}", got.status);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_and_addresses_have_theirs() {
    let world = World::start(On::Sqlite).await;
    let site = Site::of(&world.app);
    let path = "/api/v1/divisions?parent=";
    for (length, status) in [(2 * KIB, 200), (2 * KIB + 1, 414)] {
        let path = format!("{path}{}", "1".repeat(length - path.len()));
        let got = site.ask(request("GET", &path), "").await;
        assert_eq!(got.status, status, "{length}");
    }
    // Each header counts with the four bytes around it.
    let name = "x-long";
    for (length, status) in [(16 * KIB, 200), (16 * KIB + 1, 431)] {
        let value = "a".repeat(length - name.len() - 4);
        let got = site
            .ask(request("GET", "/healthz").header(name, value), "")
            .await;
        assert_eq!(got.status, status, "{length}");
    }
    let many = (0..900).fold(request("GET", "/healthz"), |request, n| {
        request.header(format!("x-{n:03}"), "aaaaaaaaaa")
    });
    assert_eq!(site.ask(many, "").await.status, 431);
}
