//! What the layers make of handlers that fail, and whom they take a client for.
use super::*;
use crate::{
    actions::Actor,
    app::Parts,
    config::{Config, SmsKind},
    error::Error,
};
use actor::{ApiActor, PageActor};
use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::{Request, StatusCode},
    response::IntoResponse,
    routing::{self, get},
};
use error::Problem;
use std::net::SocketAddr;

async fn app(change: impl FnOnce(&mut Config)) -> (Arc<App>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.public_url = "https://register.example".into();
    config.database.url = format!("sqlite:{}", folder.path().join("t.db").display());
    config.keys.file = folder.path().join("root.key");
    config.source.url = folder.path().join("s.db").display().to_string();
    config.sms.kind = SmsKind::Outbox;
    change(&mut config);
    let parts = Parts {
        demo: true,
        ..Parts::default()
    };
    (App::start(config, parts).await.unwrap(), folder)
}

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_failure_tells_a_code_and_the_requests_id_alone() {
    let (app, _folder) = app(|_| {}).await;
    async fn panics() -> &'static str {
        panic!("secret 13800000000")
    }
    async fn fails() -> Result<(), Problem> {
        Err(Error::unexpected("secret cause").into())
    }
    async fn races() -> Result<(), Problem> {
        Err(Error::unexpected("again: secret race").into())
    }
    let routes = Router::new()
        .route("/api/panics", get(panics))
        .route("/api/fails", get(fails))
        .route("/api/races", get(races));
    let router = layered(app, routes, guard::Times::default());
    for (path, status, code) in [
        ("/api/panics", 500, "internal"),
        ("/api/fails", 500, "internal"),
        ("/api/races", 503, "busy"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (own, headers, body) = ask(&router, request).await;
        assert_eq!(own, status, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["cache-control"], "no-store");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["code"], code);
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

/// A router that tells whom it takes a client for.
async fn who(app: Arc<App>) -> Router {
    fn told(app: &App, actor: &Actor) -> String {
        format!(
            "{} {} {}",
            actor.address,
            app.texts.tag(actor.lang),
            actor.flow.is_some()
        )
    }
    let program = async |State(app): State<Arc<App>>, ApiActor(actor): ApiActor| {
        told(&app, &actor).into_response()
    };
    let page = async |State(app): State<Arc<App>>, PageActor(actor): PageActor| {
        told(&app, &actor).into_response()
    };
    let routes = Router::new()
        .route("/api/who", get(program))
        .route("/who", get(page));
    layered(app, routes, guard::Times::default())
}

async fn told(router: &Router, path: &str, peer: &str, headers: &[(&str, &str)]) -> String {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer: SocketAddr = format!("{peer}:4000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    ask(router, request).await.2
}

#[tokio::test]
async fn forwarded_addresses_count_by_a_trusted_proxys_word_alone() {
    let (app, _folder) = app(|config| {
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let router = who(app).await;
    for (peer, forwarded, taken) in [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.9"),
        (
            "10.0.0.1",
            "1.1.1.1, 198.51.100.9, 10.0.0.2",
            "198.51.100.9",
        ),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("[::ffff:10.0.0.1]", "2001:db8::1", "2001:db8::1"),
    ] {
        let text = told(&router, "/api/who", peer, &[("x-forwarded-for", forwarded)]).await;
        assert_eq!(text.split(' ').next(), Some(taken), "{peer} {forwarded}");
    }
}

#[tokio::test]
async fn languages_come_from_the_cookie_on_pages_and_from_the_header_else() {
    let (app, _folder) = app(|_| {}).await;
    let router = who(app).await;
    for (path, headers, lang) in [
        ("/api/who", vec![], "zh-CN"),
        (
            "/api/who",
            vec![("accept-language", "en-GB,zh;q=0.5")],
            "en",
        ),
        (
            "/api/who",
            vec![("accept-language", "fr, zh;q=0.3, en;q=0.7")],
            "en",
        ),
        ("/api/who", vec![("accept-language", "en;q=0, fr")], "zh-CN"),
        ("/api/who", vec![("accept-language", "*")], "zh-CN"),
        ("/api/who", vec![("cookie", "tb_lang=en")], "zh-CN"),
        ("/who", vec![("cookie", "a=b; tb_lang=en")], "en"),
        (
            "/who",
            vec![("cookie", "tb_lang=xx"), ("accept-language", "en")],
            "en",
        ),
    ] {
        let text = told(&router, path, "192.0.2.1", &headers).await;
        assert_eq!(text.split(' ').nth(1), Some(lang), "{path} {headers:?}");
    }
    // The API does not know the flow either.
    let flow = [("cookie", "__Host-tb_flow=abc")];
    assert!(
        told(&router, "/who", "192.0.2.1", &flow)
            .await
            .ends_with("true")
    );
    assert!(
        told(&router, "/api/who", "192.0.2.1", &flow)
            .await
            .ends_with("false")
    );
}

#[tokio::test]
async fn slow_bodies_and_slow_answers_end_in_their_time() {
    use std::time::Duration;
    let times = guard::Times::default();
    assert_eq!(
        [times.body, times.answer, times.long].map(|time| time.as_secs()),
        [15, 30, 120]
    );
    let times = guard::Times {
        body: Duration::from_millis(50),
        answer: Duration::from_millis(100),
        long: Duration::from_millis(400),
    };
    let (app, _folder) = app(|_| {}).await;
    let routes = Router::new()
        .route("/api/quick", routing::post(async || "read"))
        .route("/api/slow", get(std::future::pending::<&'static str>))
        .route("/api/exports", get(std::future::pending::<&'static str>));
    let router = layered(app, routes, times);
    let trickle = || {
        let pieces = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let piece = Ok::<_, std::io::Error>(bytes::Bytes::from_static(b" "));
            Some((piece, ()))
        });
        Body::from_stream(pieces)
    };
    for (method, path, body, time, status, code) in [
        (
            "POST",
            "/api/quick",
            trickle(),
            times.body,
            408,
            "body_too_slow",
        ),
        ("GET", "/api/slow", Body::empty(), times.answer, 503, "busy"),
        (
            "GET",
            "/api/exports",
            Body::empty(),
            times.long,
            503,
            "busy",
        ),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(body).unwrap();
        // Not before its time, which a timer measures that began with it.
        let (own, headers, body) = {
            let asked = ask(&router, request);
            let early = tokio::time::sleep(time - Duration::from_millis(20));
            tokio::pin!(asked, early);
            let before = tokio::select! {
                biased;
                _ = &mut asked => true,
                () = &mut early => false,
            };
            assert!(!before, "{path}");
            asked.await
        };
        assert_eq!(own, status, "{path}");
        assert_eq!(headers.contains_key("retry-after"), status == 503, "{path}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["code"], code, "{path}");
    }
}
