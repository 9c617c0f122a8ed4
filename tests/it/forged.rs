//! What a client may make up about itself: its host, its address.
use crate::{
    app::{On, Person, TestApp, join_body, terms},
    world::text,
};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_host_changes_no_link() {
    let app = TestApp::start(On::Sqlite).await;
    let owner = Person::number(900);
    app.put(&owner, json!({})).await;
    let session = app.sign_in(&owner).await;
    let forged = |method: &str, path: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example;proto=http")
            .header("x-original-url", "https://evil.example/")
            .header(
                "authorization",
                format!("Bearer {}", session.bearer.as_deref().unwrap()),
            )
            .header("content-type", "application/json");
        request
            .body(Body::from(serde_json::to_vec(&body).unwrap()))
            .unwrap()
    };
    let mut all = Vec::new();
    let made = session
        .raw(forged("POST", "/api/v1/registers", terms()))
        .await;
    let id = text(&made.body["id"]);
    let own = format!("https://register.example/j/{}", text(&made.body["code"]));
    assert_eq!(made.body["join_url"], own);
    assert_eq!(made.headers["location"], format!("/api/v1/registers/{id}"));
    all.push(made);
    let register = format!("/api/v1/registers/{id}");
    all.push(session.raw(forged("GET", &register, Value::Null)).await);
    let replaced = session
        .raw(forged("POST", &format!("{register}/code"), json!({})))
        .await;
    let code = text(&replaced.body["code"]);
    all.push(replaced);
    let member = Person::number(1);
    app.put(&member, app.healthy()).await;
    let join = format!("/api/v1/join/{code}");
    all.push(app.client().raw(forged("GET", &join, Value::Null)).await);
    let started = app
        .client()
        .post(&join, join_body(&member))
        .await
        .expect(202);
    let confirm = crate::app::confirm_path(&started);
    let body = json!({ "code": app.code(member.phone()) });
    let joined = app.client().raw(forged("POST", &confirm, body)).await;
    let link = text(&joined.body["authorization"]["leave_url"]);
    assert!(
        link.starts_with("https://register.example/leave/"),
        "{link}"
    );
    all.push(joined);
    all.push(
        session
            .raw(forged("GET", &format!("{register}/code.svg"), Value::Null))
            .await,
    );
    all.push(
        session
            .raw(forged("GET", "/api/v1/nothing", Value::Null))
            .await,
    );
    for answer in all {
        let whole = format!(
            "{:?}{}",
            answer.headers,
            String::from_utf8_lossy(&answer.bytes)
        );
        assert!(!whole.contains("evil.example"), "{whole}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarded_address_counts_behind_a_configured_proxy_alone() {
    for (proxies, peer, counted_apart) in [
        (vec![], "10.1.2.3", false),
        (vec!["10.0.0.0/8"], "10.1.2.3", true),
        (vec!["10.0.0.0/8"], "192.0.2.7", false),
    ] {
        let app = TestApp::start_with(On::Sqlite, |config| {
            config.server.trusted_proxies =
                proxies.iter().map(|net| net.parse().unwrap()).collect();
        })
        .await;
        let client = app.client().behind(peer);
        let mut wrong = Person::number(1).identity();
        wrong["name"] = json!("甲甲");
        let mut last = 0;
        for n in 0..6 {
            let request = Request::post("/api/v1/sign-in")
                .header("content-type", "application/json")
                // What a client made up stands before what the proxy saw.
                .header("x-forwarded-for", format!("203.0.113.200, 203.0.113.{n}"))
                .header("x-real-ip", format!("203.0.113.{}", 100 + n))
                .header("forwarded", format!("for=203.0.113.{}", 150 + n));
            let body = Body::from(serde_json::to_vec(&wrong).unwrap());
            last = client.raw(request.body(body).unwrap()).await.status;
        }
        assert_eq!(last == 422, counted_apart, "{proxies:?} {peer}");
    }
}
