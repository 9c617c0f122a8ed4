//! Requests: cookies and headers, handles in addresses, page cursors, the JSON of a register.
use super::is_unseen;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Request, header},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use tuantibu::{
    app::{App, Parts},
    config::{Config, SmsKind},
    source::record::{HealthRecord, WireHealthRecord},
};

/// A program with a signed-in owner and a register.
struct Site {
    runtime: Runtime,
    router: Router,
    token: String,
    register: String,
    _folder: tempfile::TempDir,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (folder, router, token, register) = runtime.block_on(start());
        Site {
            runtime,
            router,
            token,
            register,
            _folder: folder,
        }
    })
}

async fn start() -> (tempfile::TempDir, Router, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let mut config = Config::default();
    config.server.public_url = "https://register.example".into();
    config.database.url = format!("sqlite:{}", place("tuantibu.db").display());
    config.keys.file = place("root.key");
    config.source.url = place("source.db").display().to_string();
    config.sms.kind = SmsKind::Outbox;
    for limit in [
        &mut config.limits.creations_person,
        &mut config.limits.reads_session,
        &mut config.limits.registers_administrator,
        &mut config.limits.previews_address,
        &mut config.limits.unknown_codes_address,
        &mut config.limits.confirms_address,
        &mut config.limits.posts_address,
    ] {
        *limit = i64::from(i32::MAX);
    }
    let parts = Parts {
        demo: true,
        ..Parts::default()
    };
    let app: Arc<App> = App::start(config, parts).await.unwrap();
    let demo = app.demo.as_ref().unwrap();
    let person = json!({
        "name": "王小明", "document_type": "resident_id", "document_number": "110100195801010019",
        "phones": ["13800000000"], "items": {},
    });
    let sample = demo.sample.as_ref().unwrap();
    let wire: WireHealthRecord = serde_json::from_value(person).unwrap();
    let record = HealthRecord::check(&wire, &sample.rules(app.today())).unwrap();
    sample.put(record).await.unwrap();
    let router = tuantibu::web::router(app.clone());
    let post = async |path: &str, token: &str, body: Value| {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        ask(&router, request.body(Body::from(body.to_string())).unwrap())
            .await
            .body
    };
    let identity = json!({
        "name": "王小明", "document_type": "resident_id", "document_number": "110100195801010019",
        "phone": "13800000000",
    });
    let started = post("/api/v1/sign-in", "none", identity).await;
    let code = demo.outbox.messages(None)[0].code.clone();
    let path = format!(
        "/api/v1/verifications/{}/confirm",
        started["verification_id"].as_str().unwrap()
    );
    let confirmed = post(&path, "none", json!({ "code": code })).await;
    let token = confirmed["token"].as_str().unwrap().to_owned();
    let terms = json!({
        "organisation": "青禾实验小学", "contact": "010-62345678", "street_code": "110108011",
        "purpose": "登记", "items": [{ "item": "health_code", "required": true }],
    });
    let made = post("/api/v1/registers", &token, terms).await;
    let register = made["id"].as_str().unwrap().to_owned();
    (folder, router, token, register)
}

async fn ask(router: &Router, mut request: Request<Body>) -> Got {
    let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    assert!(
        parts.status.as_u16() < 500,
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    assert!(parts.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

fn asked(request: Request<Body>) -> Got {
    let site = site();
    site.runtime.block_on(ask(&site.router, request))
}

/// Lines of headers' values: no one of them signs anybody in.
pub(super) fn headers(data: &[u8]) {
    let values: Vec<HeaderValue> = data
        .split(|byte| *byte == b'\n')
        .take(20)
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    if data
        .windows(site().token.len())
        .any(|part| part == site().token.as_bytes())
    {
        return;
    }
    for name in [
        "cookie",
        "authorization",
        "accept-language",
        "x-forwarded-for",
        "origin",
    ] {
        for path in ["/me", "/api/v1/me"] {
            let mut request = Request::get(path).body(Body::empty()).unwrap();
            for value in &values {
                request.headers_mut().append(name, value.clone());
            }
            let got = asked(request);
            let refused = [303, 400, 401, 403, 431].contains(&got.status);
            assert!(refused, "{name} at {path}: {}", got.status);
            let place = got.headers.get(header::LOCATION);
            assert!(place.is_none_or(|place| place.as_bytes().starts_with(b"/sign-in")));
        }
    }
}

/// A part of an address, spelled as it must be.
fn spelled(data: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(data)
        .collect::<String>()
        .replace('+', "%20")
}

/// Handles in addresses: what nobody has is not there.
pub(super) fn handles(data: &[u8]) {
    let handle = spelled(&data[..data.len().min(500)]);
    for (method, path) in [
        ("GET", format!("/api/v1/pending/{handle}")),
        ("POST", format!("/api/v1/verifications/{handle}/resend")),
        ("GET", format!("/api/v1/join/{handle}")),
        ("GET", format!("/api/v1/leave/{handle}")),
        ("GET", format!("/api/v1/registers/{handle}")),
        ("GET", format!("/j/{handle}")),
        ("GET", format!("/assets/{handle}")),
        ("GET", format!("/{handle}")),
        ("GET", format!("/sign-in?next={handle}")),
    ] {
        let request = Request::builder().method(method).uri(&path);
        let Ok(request) = request.body(Body::empty()) else {
            continue;
        };
        let got = asked(request);
        let known = path.starts_with("/sign-in") || path.len() < 3 || !path.starts_with("/api");
        assert!(
            known || got.status >= 400,
            "{method} {path}: {}",
            got.status
        );
        let place = got.headers.get(header::LOCATION).map(HeaderValue::as_bytes);
        assert!(
            place.is_none_or(|place| place.starts_with(b"/") && !place.starts_with(b"//")),
            "{path}"
        );
    }
}

/// A list's parameters: a page of it, or what is wrong with which.
pub(super) fn cursor(data: &[u8]) {
    let site = site();
    let list = format!("/api/v1/registers/{}/members", site.register);
    let value = spelled(&data[..data.len().min(500)]);
    for name in [
        "after", "limit", "sort", "days", "value", "verdict", "state", "item",
    ] {
        let request = Request::get(format!("{list}?{name}={value}"))
            .header("authorization", format!("Bearer {}", site.token));
        let got = asked(request.body(Body::empty()).unwrap());
        match got.status {
            200 => assert_eq!(got.body["members"], json!([]), "nobody is in it"),
            422 => assert!(!got.body["errors"].as_array().unwrap().is_empty()),
            status => assert!([400, 414].contains(&status), "{name}: {status}"),
        }
    }
}

/// A register's JSON: taken whole, with no word that hides something, or refused with its field.
pub(super) fn register(data: &[u8]) {
    let site = site();
    let post = Request::post("/api/v1/registers")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", site.token));
    let got = asked(post.body(Body::from(data.to_vec())).unwrap());
    match got.status {
        201 => {
            let id = got.body["id"].as_str().unwrap();
            let show = Request::get(format!("/api/v1/registers/{id}"))
                .header("authorization", format!("Bearer {}", site.token));
            let shown = asked(show.body(Body::empty()).unwrap());
            assert_eq!(shown.status, 200);
            let typed: Value = serde_json::from_slice(data).unwrap();
            for name in ["organisation", "purpose", "contact"] {
                let text = shown.body[name].as_str().unwrap();
                assert!(!text.chars().any(is_unseen), "{name}");
                assert!(typed[name].is_string());
            }
            let items = shown.body["items"].as_array().unwrap().len();
            assert_eq!(items, typed["items"].as_array().unwrap().len());
        }
        422 => {
            let errors = got.body["errors"].as_array().cloned().unwrap_or_default();
            assert!(!errors.is_empty() || got.body["code"] != "invalid_fields");
        }
        status => assert!([400, 413].contains(&status), "{status}"),
    }
}
