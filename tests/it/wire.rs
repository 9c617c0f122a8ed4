//! SECURITY.md §3, "On the wire": what every answer carries, and which requests get in, by one table
//! of every route that there is.
mod cookies;
mod entry;
mod routes;
mod sizes;
mod times;
mod walk;

use crate::app::TestApp;
use axum::{
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use http_body_util::BodyExt;
use std::{net::SocketAddr, sync::Arc};
use tower::ServiceExt;
use tuantibu::app::App;

/// Who is meant to call a route: it decides how it is let in and how it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// People, by a browser.
    Page,
    /// Programs.
    Program,
    /// People, or programs that say so.
    Both,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) path: &'static str,
    /// What it answers to, but for HEAD.
    pub(crate) methods: &'static str,
    pub(crate) face: Face,
    /// How long a success may be kept.
    pub(crate) caching: &'static str,
    /// The most bytes of a body, but for PATCH's.
    pub(crate) body: usize,
}

pub(crate) const KIB: usize = 1024;
const NO_STORE: &str = "no-store";
const HOUR: &str = "public, max-age=3600";
const FOREVER: &str = "public, max-age=31536000, immutable";

impl Row {
    const fn page(path: &'static str, methods: &'static str) -> Self {
        Self {
            path,
            methods,
            face: Face::Page,
            caching: NO_STORE,
            body: 16 * KIB,
        }
    }

    const fn program(path: &'static str, methods: &'static str) -> Self {
        Self {
            face: Face::Program,
            ..Self::page(path, methods)
        }
    }

    const fn kept(self, caching: &'static str) -> Self {
        Self { caching, ..self }
    }

    const fn body(self, kib: usize) -> Self {
        Self {
            body: kib * KIB,
            ..self
        }
    }

    fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.methods.split(' ')
    }

    /// The most bytes of a method's body.
    fn most(&self, method: &str) -> usize {
        if method == "PATCH" {
            64 * KIB
        } else {
            self.body
        }
    }

    /// The path with something in its parts that nothing has.
    pub(crate) fn nowhere(&self) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{name}" => "nothing.txt",
            part if part.starts_with('{') => "AAAAAAAAAAAAAAAAAAAAAA",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Every route. A form spells a Han character of the basic plane with nine bytes and another with
/// twelve, and a register has up to 200 departments of 40 characters: that is why three routes take more
/// than 16 KiB.
pub(crate) const ROWS: &[Row] = &[
    Row::page("/", "GET"),
    Row::page("/privacy", "GET"),
    Row::page("/help", "GET"),
    Row::page("/accessibility", "GET"),
    Row::page("/children", "GET"),
    Row::page("/assets/{name}", "GET").kept(FOREVER),
    Row::page("/favicon.ico", "GET"),
    Row::page("/demo", "GET"),
    Row::program("/demo/address.png", "GET"),
    Row::page("/{name}", "GET"),
    Row::page("/docs/api", "GET"),
    Row::page("/docs/problems", "GET"),
    Row::page("/sign-in", "GET POST"),
    Row::page("/sign-in/passkey", "POST"),
    Row::page("/sign-out", "POST"),
    Row::page("/verify", "GET POST"),
    Row::page("/verify/resend", "POST"),
    Row::page("/j/{code}", "GET POST"),
    Row::page("/j/{code}/report", "GET POST"),
    Row::page("/joined", "GET"),
    Row::page("/pending", "GET"),
    Row::page("/pending/send-code", "POST"),
    Row::page("/pending/delete", "POST"),
    Row::page("/me", "GET"),
    Row::page("/me/access-log", "GET"),
    Row::page("/me/data", "GET"),
    Row::page("/me/sessions", "GET"),
    Row::page("/me/sessions/others", "POST"),
    Row::page("/me/sessions/{id}", "POST"),
    Row::page("/me/passkeys", "GET POST"),
    Row::page("/me/passkeys/new", "GET POST"),
    Row::page("/me/passkeys/code", "GET POST"),
    Row::page("/me/passkeys/code/resend", "POST"),
    Row::page("/me/passkeys/{id}/remove", "GET POST"),
    Row::page("/me/authorizations/{id}", "GET POST"),
    Row::page("/me/authorizations/{id}/leave", "GET POST"),
    Row::page("/me/authorizations/{id}/report", "GET POST"),
    Row::page("/invitations/{link}", "GET POST"),
    Row::page("/registers", "GET"),
    Row::page("/registers/new", "GET POST").body(128),
    Row::page("/registers/{id}", "GET POST"),
    Row::page("/registers/{id}/administrators", "GET"),
    Row::page("/registers/{id}/administrators/invite", "GET POST"),
    Row::page("/registers/{id}/administrators/code", "GET POST"),
    Row::page("/registers/{id}/administrators/code/resend", "POST"),
    Row::page(
        "/registers/{id}/administrators/{administrator}/remove",
        "GET POST",
    ),
    Row::page("/registers/{id}/invitations/{invitation}/withdraw", "POST"),
    Row::page("/registers/{id}/hand-over", "GET POST"),
    Row::page("/registers/{id}/counts", "GET"),
    Row::page("/registers/{id}/filter", "GET"),
    Row::page("/registers/{id}/members/{member}", "GET"),
    Row::page("/registers/{id}/members/{member}/phone", "GET POST"),
    Row::page("/registers/{id}/members/{member}/remove", "GET POST"),
    Row::page("/registers/{id}/code", "GET"),
    Row::page("/registers/{id}/code.png", "GET"),
    Row::page("/registers/{id}/code.svg", "GET"),
    Row::page("/registers/{id}/code/replace", "GET POST"),
    Row::page("/registers/{id}/poster", "GET"),
    Row::page("/registers/{id}/settings", "GET POST").body(128),
    Row::page("/registers/{id}/export", "GET POST"),
    Row::page("/registers/{id}/exports", "GET POST"),
    Row::page("/registers/{id}/exports/resend", "POST"),
    Row::page("/registers/{id}/delete", "GET POST"),
    Row::page("/registers/{id}/delete/resend", "POST"),
    Row {
        face: Face::Both,
        ..Row::page("/leave/{link}", "GET POST")
    },
    Row::program("/healthz", "GET"),
    Row::program("/readyz", "GET"),
    Row::program("/api/v1/openapi.json", "GET").kept(HOUR),
    Row::program("/api/v1/sign-in", "POST"),
    Row::program("/api/v1/sign-in/passkey", "POST"),
    Row::program("/api/v1/sign-in/passkey/challenge", "POST"),
    Row::program("/api/v1/verifications/{id}/resend", "POST"),
    Row::program("/api/v1/verifications/{id}/confirm", "POST"),
    Row::program("/api/v1/divisions", "GET").kept(HOUR),
    Row::program("/api/v1/join/{code}", "GET POST"),
    Row::program("/api/v1/join/{code}/report", "POST"),
    Row::program("/api/v1/pending/{id}", "GET DELETE"),
    Row::program("/api/v1/pending/{id}/send-code", "POST"),
    Row::program("/api/v1/leave/{link}", "GET POST"),
    Row::program("/api/v1/me", "GET"),
    Row::program("/api/v1/me/data", "GET"),
    Row::program("/api/v1/me/access-log", "GET"),
    Row::program("/api/v1/me/sessions", "GET DELETE"),
    Row::program("/api/v1/me/sessions/{id}", "DELETE"),
    Row::program("/api/v1/me/passkeys", "GET POST"),
    Row::program("/api/v1/me/passkeys/challenge", "POST"),
    Row::program("/api/v1/me/passkeys/{id}", "DELETE"),
    Row::program("/api/v1/session", "DELETE"),
    Row::program("/api/v1/me/authorizations", "GET"),
    Row::program("/api/v1/me/authorizations/{id}", "GET PATCH DELETE"),
    Row::program("/api/v1/me/confirmations", "POST"),
    Row::program("/api/v1/registers", "GET POST").body(64),
    Row::program("/api/v1/registers/{id}", "GET PATCH DELETE"),
    Row::program("/api/v1/registers/{id}/code", "POST"),
    Row::program("/api/v1/registers/{id}/code.png", "GET"),
    Row::program("/api/v1/registers/{id}/code.svg", "GET"),
    Row::program("/api/v1/registers/{id}/summary", "GET"),
    Row::program("/api/v1/invitations/{link}", "GET POST"),
    Row::program("/api/v1/registers/{id}/administrators", "GET POST"),
    Row::program(
        "/api/v1/registers/{id}/administrators/{administrator}",
        "DELETE",
    ),
    Row::program("/api/v1/registers/{id}/invitations/{invitation}", "DELETE"),
    Row::program("/api/v1/registers/{id}/hand-over", "POST"),
    Row::program("/api/v1/registers/{id}/members", "GET"),
    Row::program("/api/v1/registers/{id}/members/search", "POST"),
    Row::program("/api/v1/registers/{id}/members/{member}", "GET DELETE"),
    Row::program("/api/v1/registers/{id}/members/{member}/phone", "POST"),
    Row::program("/api/v1/registers/{id}/exports", "POST"),
    Row::program("/demo/sms", "GET"),
    Row::program("/demo/refresh", "POST"),
    Row::program("/demo/source/{document_number}", "PUT DELETE"),
    Row::program("/demo/faults", "PUT"),
];

/// An answer, whatever it is.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Got {
    /// A header's one value.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} stands twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The program, asked without a network.
#[derive(Clone)]
pub(crate) struct Site(axum::Router);

impl Site {
    pub(crate) fn of(app: &TestApp) -> Self {
        Self::new(app.app.clone())
    }

    pub(crate) fn new(app: Arc<App>) -> Self {
        Self(tuantibu::web::router(app))
    }

    pub(crate) async fn ask(&self, request: Builder, body: impl Into<Body>) -> Got {
        let mut request = request.body(body.into()).unwrap();
        let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Got {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes: body.collect().await.unwrap().to_bytes(),
        }
    }
}

pub(crate) fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

/// A request as the row's callers make it: from this site's own page, or JSON.
fn usual(row: &Row, method: &str, path: &str) -> Builder {
    let request = request(method, path);
    match row.face {
        Face::Program => request.header("content-type", "application/json"),
        Face::Page | Face::Both => request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin"),
    }
}

const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const SANDBOX: &str = "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";
const FIXED: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), hid=(), midi=(), display-capture=(), browsing-topics=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];
/// What an answer may carry beside the headers of every answer; nothing else, so no `Server`, and no
/// leave for another origin.
const SOMETIMES: &[&str] = &[
    "allow",
    "clear-site-data",
    "content-disposition",
    "content-language",
    "content-length",
    "content-type",
    "location",
    "retry-after",
    "set-cookie",
    "www-authenticate",
];
/// The types of answers; those that a browser shows as a page of ours come first.
const PAGES: &[&str] = &[
    "text/html; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/png",
];
const DATA: &[&str] = &[
    "application/json",
    "application/problem+json",
    "image/svg+xml; charset=utf-8",
    "text/csv; charset=utf-8",
    "text/plain; charset=utf-8",
    "text/plain; version=0.0.4; charset=utf-8",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
];

/// Holds an answer's headers to the page, each to its letter.
#[track_caller]
pub(crate) fn assert_wire(got: &Got, caching: &str, is_https: bool, what: &str) {
    let what = format!("{what}: {}", got.status);
    for (name, value) in FIXED {
        assert_eq!(got.header(name), Some(*value), "{what}: {name}");
    }
    let kind = got.header("content-type");
    let is_data = kind.is_some_and(|kind| DATA.contains(&kind))
        || got.headers.contains_key("content-disposition");
    assert!(
        kind.is_none_or(|kind| PAGES.contains(&kind) || DATA.contains(&kind)),
        "{what}: {kind:?}"
    );
    if kind.is_none() {
        assert!(got.bytes.is_empty(), "{what}: a body without a type");
    }
    let policy = if is_data { SANDBOX } else { STRICT };
    assert_eq!(
        got.header("content-security-policy"),
        Some(policy),
        "{what}"
    );
    let transport = is_https.then_some("max-age=63072000; includeSubDomains");
    assert_eq!(got.header("strict-transport-security"), transport, "{what}");
    let is_success = (200..300).contains(&got.status);
    let caching = if is_success { caching } else { NO_STORE };
    assert_eq!(got.header("cache-control"), Some(caching), "{what}");
    for name in got.headers.keys().map(|name| name.as_str()) {
        let always = [
            "content-security-policy",
            "strict-transport-security",
            "cache-control",
        ];
        let is_known = always.contains(&name)
            || SOMETIMES.contains(&name)
            || FIXED.iter().any(|(fixed, _)| *fixed == name);
        assert!(is_known, "{what}: {name}");
    }
    let challenge = got.status == StatusCode::UNAUTHORIZED.as_u16();
    let challenge = challenge.then_some("Bearer");
    assert_eq!(got.header("www-authenticate"), challenge, "{what}");
}
