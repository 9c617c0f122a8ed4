//! What holds for every route of the API, whatever it does: its place in the document, its problems.
use crate::{
    app::{Answer, Client, On, Person, TestApp},
    wire::{Got, assert_wire},
};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use tuantibu::{
    app::{App, Parts},
    config::{Config, SmsKind},
};

pub(crate) const SIGN_IN: &str = "/api/v1/sign-in";

/// Every route of API.md, with the names of the parts of its path.
const ROUTES: &[&str] = &[
    "POST /api/v1/sign-in",
    "POST /api/v1/verifications/{id}/resend",
    "POST /api/v1/verifications/{id}/confirm",
    "GET /api/v1/divisions",
    "POST /api/v1/registers",
    "GET /api/v1/registers",
    "GET /api/v1/registers/{id}",
    "PATCH /api/v1/registers/{id}",
    "DELETE /api/v1/registers/{id}",
    "POST /api/v1/registers/{id}/code",
    "GET /api/v1/registers/{id}/code.png",
    "GET /api/v1/registers/{id}/code.svg",
    "GET /api/v1/registers/{id}/summary",
    "GET /api/v1/registers/{id}/members",
    "POST /api/v1/registers/{id}/members/search",
    "POST /api/v1/registers/{id}/members/{member}/phone",
    "DELETE /api/v1/registers/{id}/members/{member}",
    "POST /api/v1/registers/{id}/exports",
    "GET /api/v1/registers/{id}/administrators",
    "POST /api/v1/registers/{id}/administrators",
    "DELETE /api/v1/registers/{id}/administrators/{administrator}",
    "DELETE /api/v1/registers/{id}/invitations/{invitation}",
    "POST /api/v1/registers/{id}/hand-over",
    "GET /api/v1/invitations/{link}",
    "POST /api/v1/invitations/{link}",
    "GET /api/v1/join/{code}",
    "POST /api/v1/join/{code}",
    "GET /api/v1/pending/{id}",
    "DELETE /api/v1/pending/{id}",
    "POST /api/v1/pending/{id}/send-code",
    "GET /api/v1/me",
    "GET /api/v1/me/data",
    "GET /api/v1/me/sessions",
    "DELETE /api/v1/me/sessions",
    "DELETE /api/v1/me/sessions/{id}",
    "DELETE /api/v1/session",
    "GET /api/v1/me/authorizations",
    "PATCH /api/v1/me/authorizations/{id}",
    "DELETE /api/v1/me/authorizations/{id}",
    "GET /leave/{link}",
    "POST /leave/{link}",
    "POST /api/v1/join/{code}/report",
    "GET /api/v1/me/access-log",
    "POST /api/v1/me/confirmations",
    "POST /api/v1/sign-in/passkey/challenge",
    "POST /api/v1/sign-in/passkey",
    "GET /api/v1/me/passkeys",
    "POST /api/v1/me/passkeys",
    "POST /api/v1/me/passkeys/challenge",
    "DELETE /api/v1/me/passkeys/{id}",
    "GET /healthz",
    "GET /readyz",
];

const DEMO_ROUTES: &[&str] = &[
    "GET /demo/sms",
    "POST /demo/refresh",
    "PUT /demo/source/{document_number}",
    "DELETE /demo/source/{document_number}",
    "PUT /demo/faults",
];

pub(crate) async fn started() -> TestApp {
    TestApp::start(On::Sqlite).await
}

/// The same program as `serve` runs it.
async fn serving(app: &TestApp) -> axum::Router {
    let mut config: Config = app.config.clone();
    config.sms.kind = SmsKind::None;
    config.database.url = format!("sqlite:{}", app.folder.join("serve.db").display());
    config.keys.file = app.folder.join("serve.key");
    config.source.url = app.folder.join("serve-source.db").display().to_string();
    let parts = Parts {
        clock: app.clock.clone(),
        ..Parts::default()
    };
    let app: Arc<App> = App::start(config, parts).await.unwrap();
    tuantibu::web::router(app)
}

pub(crate) async fn send(
    client: &Client,
    request: axum::http::request::Builder,
    body: &str,
) -> Answer {
    client
        .raw(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

/// Every operation that the program itself lists.
pub(crate) async fn operations(client: &Client) -> BTreeSet<(String, String)> {
    let document = client.get("/api/v1/openapi.json").await.expect(200);
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            all.insert((method.to_uppercase(), path.clone()));
        }
    }
    all
}

/// A path with something in its parts that nothing has.
fn filled(path: &str) -> String {
    let mut parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            "AAAAAAAAAAAAAAAAAAAAAA"
        } else {
            part
        }
    });
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |path, part| format!("{path}/{part}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_lists_every_route_and_no_other_is_served() {
    let app = started().await;
    let client = app.client();
    let document = client.get("/api/v1/openapi.json").await;
    assert_eq!(document.headers["cache-control"], "public, max-age=3600");
    let document = document.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let listed = operations(&client).await;
    for route in ROUTES.iter().chain(DEMO_ROUTES) {
        let (method, path) = route.split_once(' ').unwrap();
        assert!(
            listed.contains(&(method.to_owned(), path.to_owned())),
            "{route}"
        );
    }
    let mut ids = BTreeSet::new();
    for (method, path) in &listed {
        let operation = &document["paths"][path][method.to_lowercase()];
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.len() > 1 && answers.contains_key("default"), "{id}");
        let named = operation["parameters"].as_array().cloned();
        let named: BTreeSet<String> = named
            .unwrap_or_default()
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let parts: BTreeSet<String> = path
            .split('/')
            .filter(|part| part.starts_with('{'))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, parts, "{id}");
        // It is served: an unknown route has no allowed method.
        let answer = client.send("TRACE", &filled(path), None).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    assert_references(&document, &document);
}

/// Every `$ref` leads somewhere.
fn assert_references(document: &Value, value: &Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "$ref" {
                    let path = value.as_str().unwrap().trim_start_matches('#');
                    assert!(document.pointer(path).is_some(), "{path}");
                }
                assert_references(document, value);
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| assert_references(document, value)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_is_a_problem_and_strangers_are_told_nothing() {
    let app = started().await;
    let client = app.client();
    for (method, path) in operations(&client).await {
        let filled = filled(&path);
        let body = (method != "GET").then(|| json!({}));
        let answer = client.send(&method, &filled, body).await;
        let unauthorized = answer.status == 401;
        assert_eq!(
            answer.headers.contains_key("www-authenticate"),
            unauthorized,
            "{method} {filled}"
        );
        // People get a page under a leave link.
        if answer.status >= 400 && !path.starts_with("/leave/") {
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.body["status"], answer.status);
            assert_eq!(answer.body["instance"].as_str().unwrap().len(), 22);
            assert!(!answer.body["title"].as_str().unwrap().is_empty());
        }
        // Nobody is signed in, so that nothing of a person is told.
        let needs_session = ["/me", "/registers", "/session"];
        if needs_session
            .iter()
            .any(|part| path.starts_with(&format!("/api/v1{part}")))
        {
            assert!(unauthorized, "{method} {filled} {}", answer.status);
        }
    }
    let nothing = client.get("/api/v1/nothing").await;
    assert_eq!(nothing.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_has_nothing_of_the_demo() {
    use tower::ServiceExt;
    let app = started().await;
    let router = serving(&app).await;
    for route in DEMO_ROUTES {
        let (method, path) = route.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(filled(path))
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 404, "{route}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_can_be_broken_and_mended() {
    let app = started().await;
    let client = app.client();
    let put = async |body: Value| client.send("PUT", "/demo/faults", Some(body)).await;
    let broken = put(json!({ "source": "down" })).await.expect(200);
    assert_eq!(broken, json!({ "source": "down", "sms": "ok" }));
    let broken = put(json!({ "sms": "fail" })).await.expect(200);
    assert_eq!(broken, json!({ "source": "down", "sms": "fail" }));
    assert_eq!(
        put(json!({ "sms": "down" })).await.fields(),
        ["sms:unknown_value"]
    );
    let mended = put(json!({ "source": "ok", "sms": "ok" }))
        .await
        .expect(200);
    assert_eq!(mended, json!({ "source": "ok", "sms": "ok" }));
    let person = Person::number(3);
    let path = format!("/demo/source/{}", person.document);
    let mut record = json!({
        "name": person.name,
        "document_type": "resident_id",
        "phones": person.phones,
        "items": { "health_code": { "value": "green" } },
    });
    client
        .send("PUT", &path, Some(record.clone()))
        .await
        .expect(204);
    record["items"] = json!({ "health_code": { "value": "pink" } });
    let answer = client.send("PUT", &path, Some(record)).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.fields()[0].starts_with("items.health_code"),
        "{:?}",
        answer.fields()
    );
    app.sign_in(&person).await;
    let sms = format!("/demo/sms?phone={}", person.phone());
    let sms = client.get(&sms).await.expect(200);
    assert_eq!(sms.as_array().unwrap().len(), 1);
    assert_eq!(sms[0]["phone"], person.phone());
    assert_eq!(sms[0]["code"].as_str().unwrap().len(), 6);
    client.post("/demo/refresh", json!({})).await.expect(200);
    client.delete(&path).await.expect(204);
    assert_eq!(client.delete(&path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_have_our_names_and_types() {
    let app = started().await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let owner = app.sign_in(&person).await;
    let register = app
        .register_with(&owner, |terms| {
            terms["organisation"] = json!("甲\"; filename=\"x.exe");
        })
        .await;
    for (path, kind) in [
        ("/code.png", "image/png"),
        ("/code.svg", "image/svg+xml; charset=utf-8"),
    ] {
        let image = owner.get(&register.path(path)).await;
        assert_eq!(image.headers["content-type"], kind);
        assert!(image.status == 200 && !image.bytes.is_empty());
        let head = owner.send("HEAD", &register.path(path), None).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(
            head.headers["content-length"],
            image.bytes.len().to_string()
        );
    }
    let exports = register.path("/exports");
    let answer = owner.post(&exports, json!({ "format": "pdf" })).await;
    assert_eq!(answer.fields(), ["format:unknown_value"]);
    let without = json!({ "format": "csv", "purpose": "核对名单" });
    let answer = owner.post(&exports, without).await;
    assert_eq!(answer.problem(422), "confirmation_required");
    let token = owner.confirmation(&app, &person, "export", &register).await;
    let body = json!({ "format": "csv", "purpose": "核对名单", "confirmation_token": token });
    let file = owner.post(&exports, body.clone()).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"tuantibu-2022-11-14.csv\""
    );
    let got = Got {
        status: file.status,
        headers: file.headers.clone(),
        bytes: file.bytes.clone().into(),
    };
    assert_wire(&got, "no-store", true, "an export");
    assert!(file.bytes.starts_with("\u{feff}".as_bytes()));
    let again = owner.post(&exports, body).await;
    assert_eq!(again.problem(422), "confirmation_required");
    // A confirmation token is no bearer token.
    let bearer = owner.with(Some(&token));
    assert_eq!(bearer.get("/api/v1/me").await.status, 401);
}
