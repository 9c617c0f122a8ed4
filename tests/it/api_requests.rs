//! Which requests are read: strict JSON, and addresses that decode once.
use crate::api_basics::{SIGN_IN, send, started};
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
async fn what_is_unreadable_is_refused() {
    let app = started().await;
    let client = app.client();
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
