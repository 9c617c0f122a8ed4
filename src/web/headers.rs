//! The headers of every answer, errors too.
use crate::app::App;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};

const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";
const SANDBOX: &str = "default-src 'none'; base-uri 'none'; object-src 'none'; \
    form-action 'none'; frame-ancestors 'none'; sandbox";
const TRANSPORT: &str = "max-age=63072000; includeSubDomains";

const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Never `no-referrer`: it turns the Origin of our own forms into `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), \
         hid=(), midi=(), display-capture=(), browsing-topics=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// How long an answer may be kept, put into a response's extensions; not at all where nothing is
/// said, or where the answer is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caching {
    /// An asset whose name changes with its content.
    Immutable,
    /// The same for everybody, and seldom another: divisions, the OpenAPI document.
    Hour,
}

/// Puts the headers onto an answer.
pub(super) fn put(app: &App, response: &mut Response) {
    let caching = response
        .extensions()
        .get::<Caching>()
        .copied()
        .filter(|_| response.status().is_success());
    let headers = response.headers_mut();
    let policy = if is_data(headers) { SANDBOX } else { STRICT };
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    if app.public_url().starts_with("https://") {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TRANSPORT),
        );
    }
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let caching = match caching {
        Some(Caching::Immutable) => "public, max-age=31536000, immutable",
        Some(Caching::Hour) => "public, max-age=3600",
        None => "no-store",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
}

/// What is data alone, and never a document of ours: JSON, SVG, files to keep.
fn is_data(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    headers.contains_key(header::CONTENT_DISPOSITION)
        || kind.ends_with("json")
        || ["image/svg+xml", "text/csv", "text/plain"].contains(&kind)
}
