//! Which requests get in: strict JSON, small and readable, from this site or from programs.
use crate::{
    api_basics::{SIGN_IN, assert_headers, send, started},
    app::Person,
};
use axum::{body::Body, http::Request};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_read_strictly() {
    let app = started().await;
    let client = app.client();
    let post = |kind: &str| Request::post(SIGN_IN).header("content-type", kind);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=gbk",
        "multipart/form-data; boundary=x",
    ] {
        let answer = send(&client, post(kind), "{}").await;
        assert_eq!(answer.problem(415), "unsupported_media_type", "{kind}");
    }
    let answer = send(&client, Request::post(SIGN_IN), "{}").await;
    assert_eq!(answer.problem(415), "unsupported_media_type");
    let packed = post("application/json").header("content-encoding", "gzip");
    assert_eq!(send(&client, packed, "{}").await.status, 415);
    let utf8 = post("application/json; charset=UTF-8");
    assert_eq!(send(&client, utf8, "{}").await.status, 422);
    for (body, code) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("{} {}", "malformed_json"),
        (r#"{"name": NaN}"#, "malformed_json"),
        (r#"{"name": "a", "name": "b"}"#, "repeated_key"),
        (r#"{"name": "a\u0000"}"#, "nul"),
        (r#"{"name": {"a\u0000": 1}}"#, "nul"),
    ] {
        let answer = send(&client, post("application/json"), body).await;
        assert_eq!(answer.problem(400), code, "{body}");
    }
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let answer = send(&client, post("application/json"), &deep).await;
    assert_eq!(answer.problem(400), "malformed_json");
    let gbk = post("application/json").body(Body::from(b"{\"name\":\"\xcd\xf5\"}".to_vec()));
    assert_eq!(
        client.raw(gbk.unwrap()).await.problem(400),
        "wrong_encoding"
    );
    for (body, field) in [
        (json!({ "owner_id": "x" }), "owner_id:unknown_field"),
        (json!({ "name": 1 }), "name:wrong_type"),
        (json!({ "name": null }), "name:wrong_type"),
        (json!({ "purpose": "stay" }), "purpose:unknown_value"),
        (json!([]), ":wrong_type"),
    ] {
        let answer = client.post(SIGN_IN, body.clone()).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let answer = client.post(SIGN_IN, json!({})).await;
    assert_eq!(answer.fields().len(), 4, "{:?}", answer.fields());
    assert!(answer.fields().contains(&"name:required".to_owned()));
    let consent = json!({ "consent": { "accepted": "yes" } });
    let answer = client.post("/api/v1/join/x", consent).await;
    assert_eq!(answer.fields(), ["consent.accepted:wrong_type"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_or_unreadable_is_refused() {
    let app = started().await;
    let client = app.client();
    let large = json!({ "name": "王".repeat(6000) });
    assert_eq!(
        client.post(SIGN_IN, large.clone()).await.problem(413),
        "body_too_large"
    );
    // Without a length, by what arrives.
    let chunks = futures_util::stream::iter(
        (0..40).map(|_| Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[b' '; 1024]))),
    );
    let request = Request::post(SIGN_IN)
        .header("content-type", "application/json")
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(client.raw(request).await.problem(413), "body_too_large");
    // A PATCH may be larger; it is refused for who asks.
    let patch = format!("/api/v1/registers/{}", "A".repeat(22));
    assert_eq!(client.patch(&patch, large).await.status, 401);
    let long = format!("/api/v1/divisions?q={}", "a".repeat(2048));
    assert_eq!(client.get(&long).await.problem(414), "url_too_long");
    let headers = Request::get("/healthz").header("x-long", "a".repeat(17 * 1024));
    assert_eq!(
        send(&client, headers, "").await.problem(431),
        "headers_too_large"
    );
    for (path, code) in [
        ("/api/v1/divisions?q=%FF", "wrong_encoding"),
        ("/api/v1/divisions?q=%00", "nul"),
        ("/api/v1/join/%00", "nul"),
        ("/api/v1/join/%C3%28", "wrong_encoding"),
        ("/api/v1/divisions?q=a&q=b", "repeated_parameter"),
        ("/api/v1/divisions?q=a&%71=b", "repeated_parameter"),
    ] {
        assert_eq!(client.get(path).await.problem(400), code, "{path}");
    }
    let answer = client.get("/api/v1/divisions?limit=1").await;
    assert_eq!(answer.fields(), ["limit:unknown_field"]);
    // Decoded once: `%2531` stays `%31`.
    let found = client
        .get("/api/v1/divisions?parent=%2531%31")
        .await
        .expect(200);
    assert_eq!(found, json!([]));
    assert!(
        !client
            .get("/api/v1/divisions?parent=%31%31")
            .await
            .expect(200)
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_this_site_and_programs_get_in() {
    let app = started().await;
    let client = app.client();
    let request = |origin: &str| {
        Request::post(SIGN_IN)
            .header("content-type", "application/json")
            .header("host", "192.168.1.7:8080")
            .header("origin", origin)
    };
    for origin in [
        "https://evil.example",
        "null",
        "https://register.example.evil",
        "",
    ] {
        let answer = send(&client, request(origin), "{}").await;
        assert_eq!(answer.problem(403), "foreign_origin", "{origin}");
    }
    // Its own, and in the demo the host that it was reached by.
    for origin in ["https://register.example", "http://192.168.1.7:8080"] {
        assert_eq!(
            send(&client, request(origin), "{}").await.status,
            422,
            "{origin}"
        );
    }
    let preflight = Request::options(SIGN_IN)
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answer = send(&client, preflight, "").await;
    assert_eq!(answer.status, 403);
    assert_headers(&answer, "preflight");
    // A page's form, whatever it is: the check comes first.
    let form = |site: Option<&str>, origin: Option<&str>| {
        let mut request =
            Request::post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request
    };
    for (site, origin, passes) in [
        (Some("same-origin"), None, true),
        (Some("cross-site"), Some("https://register.example"), false),
        (Some("same-site"), None, false),
        (Some("none"), None, false),
        (None, Some("https://register.example"), true),
        (None, Some("null"), false),
        (None, None, false),
    ] {
        let answer = send(&client, form(site, origin), "").await;
        assert_eq!(answer.status != 403, passes, "{site:?} {origin:?}");
    }
    // A leave link is a page's form too, unless a program asks.
    let leave = "/leave/AAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(send(&client, Request::post(leave), "").await.status, 403);
    let program = Request::post(leave).header("accept", "application/json");
    assert_eq!(send(&client, program, "").await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_takes_a_bearer_token_alone() {
    let app = started().await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let me = app.sign_in(&person).await;
    let token = me.bearer.clone().unwrap();
    me.get("/api/v1/me").await.expect(200);
    let stranger = app.client();
    for cookie in ["__Host-tb_session", "tb_session"] {
        let request = Request::get("/api/v1/me").header("cookie", format!("{cookie}={token}"));
        assert_eq!(
            send(&stranger, request, "").await.problem(401),
            "not_signed_in"
        );
    }
    for value in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {token}x"),
        "Bearer ".to_owned(),
    ] {
        let request = Request::get("/api/v1/me").header("authorization", &value);
        assert_eq!(send(&stranger, request, "").await.status, 401, "{value}");
    }
    let request = Request::get("/api/v1/me").header("authorization", format!("bearer {token}"));
    assert_eq!(send(&stranger, request, "").await.status, 200);
}
