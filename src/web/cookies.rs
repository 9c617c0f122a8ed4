//! The cookies of pages. The API neither reads nor sets any.
use crate::{app::App, crypto::random, texts::Lang};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::AppendHeaders,
};

/// Headers to add to a response.
pub(super) type Headers<const N: usize> = AppendHeaders<[(HeaderName, HeaderValue); N]>;

/// Seconds that a verification stays tied to its browser.
const FLOW_SECONDS: i64 = 600;
/// Seconds that a page of a code can be come back to: as long as another code may be asked for.
const VERIFICATION_SECONDS: i64 = 1800;
/// Seconds that the receipt of a join can be shown again, with its link.
const JOINED_SECONDS: i64 = 1800;
/// Seconds that the language is remembered.
const LANG_SECONDS: i64 = 365 * 24 * 3600;
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Session,
    Flow,
    Pending,
    Verification,
    Joined,
    Lang,
}

impl Name {
    /// Browsers take `__Host-` over https alone, so the demo over http goes without.
    fn of(self, app: &App) -> &'static str {
        match (self, is_secure(app)) {
            (Self::Session, true) => "__Host-tb_session",
            (Self::Session, false) => "tb_session",
            (Self::Flow, true) => "__Host-tb_flow",
            (Self::Flow, false) => "tb_flow",
            (Self::Pending, true) => "__Host-tb_pending",
            (Self::Pending, false) => "tb_pending",
            (Self::Verification, true) => "__Host-tb_verification",
            (Self::Verification, false) => "tb_verification",
            (Self::Joined, true) => "__Host-tb_joined",
            (Self::Joined, false) => "tb_joined",
            (Self::Lang, _) => "tb_lang",
        }
    }
}

/// Only the demo, reached over http, sets cookies without `Secure`.
fn is_secure(app: &App) -> bool {
    app.demo.is_none() || app.public_url().starts_with("https://")
}

fn get(app: &App, headers: &HeaderMap, name: Name) -> Option<String> {
    let name = name.of(app);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

fn set(app: &App, name: Name, value: &str, max_age: Option<i64>) -> (HeaderName, HeaderValue) {
    let mut line = format!("{}={value}; Path=/", name.of(app));
    if is_secure(app) {
        line.push_str("; Secure");
    }
    line.push_str("; HttpOnly; SameSite=Lax");
    if let Some(seconds) = max_age {
        line.push_str(&format!("; Max-Age={seconds}"));
    }
    let value = HeaderValue::from_str(&line).unwrap_or_else(|_| HeaderValue::from_static(""));
    (header::SET_COOKIE, value)
}

/// The session's token.
pub(super) fn session(app: &App, headers: &HeaderMap) -> Option<String> {
    get(app, headers, Name::Session)
}

/// The secret that ties a verification to this browser.
pub(super) fn flow(app: &App, headers: &HeaderMap) -> Option<String> {
    get(app, headers, Name::Flow)
}

/// The handle of a join that waits for the source.
pub(super) fn pending(app: &App, headers: &HeaderMap) -> Option<String> {
    get(app, headers, Name::Pending)
}

/// The verification that this browser began, with what it leads to.
pub(super) fn verification(app: &App, headers: &HeaderMap) -> Option<String> {
    get(app, headers, Name::Verification)
}

/// The language that was chosen.
pub(super) fn lang(app: &App, headers: &HeaderMap) -> Option<Lang> {
    app.texts.find(&get(app, headers, Name::Lang)?)
}

/// Signs in: the new session, and the end of the flow that led to it.
pub(super) fn signed_in(app: &App, token: &str) -> Headers<2> {
    AppendHeaders([
        set(app, Name::Session, token, None),
        set(app, Name::Flow, "", Some(0)),
    ])
}

/// Signs out: nothing of this site stays in the browser.
pub(super) fn signed_out(app: &App) -> Headers<6> {
    AppendHeaders([
        set(app, Name::Session, "", Some(0)),
        set(app, Name::Flow, "", Some(0)),
        set(app, Name::Pending, "", Some(0)),
        set(app, Name::Verification, "", Some(0)),
        set(app, Name::Joined, "", Some(0)),
        (
            CLEAR_SITE_DATA,
            HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""),
        ),
    ])
}

/// A new secret for the flow cookie.
pub(super) fn new_flow(app: &App) -> String {
    random::token(&*app.random, 16).to_string()
}

/// Ties what begins to this browser.
pub(super) fn set_flow(app: &App, flow: &str) -> Headers<1> {
    AppendHeaders([set(app, Name::Flow, flow, Some(FLOW_SECONDS))])
}

/// Keeps the handle of a join that waits.
pub(super) fn set_pending(app: &App, handle: &str) -> Headers<1> {
    let seconds = app.config.limits.pending_hours * 3600;
    AppendHeaders([set(app, Name::Pending, handle, Some(seconds))])
}

/// Forgets the handle.
pub(super) fn clear_pending(app: &App) -> Headers<1> {
    AppendHeaders([set(app, Name::Pending, "", Some(0))])
}

/// Keeps a verification with what it leads to; `value` is form-encoded.
pub(super) fn set_verification(app: &App, value: &str) -> Headers<1> {
    let seconds = Some(VERIFICATION_SECONDS);
    AppendHeaders([set(app, Name::Verification, value, seconds)])
}

/// Forgets the verification.
pub(super) fn clear_verification(app: &App) -> Headers<1> {
    AppendHeaders([set(app, Name::Verification, "", Some(0))])
}

/// What was just joined, and its leave link, which nothing else tells twice; form-encoded.
pub(super) fn joined(app: &App, headers: &HeaderMap) -> Option<String> {
    get(app, headers, Name::Joined)
}

/// Keeps what was just joined.
pub(super) fn set_joined(app: &App, value: &str) -> Headers<1> {
    AppendHeaders([set(app, Name::Joined, value, Some(JOINED_SECONDS))])
}

/// Remembers the language.
pub(super) fn set_lang(app: &App, lang: Lang) -> Headers<1> {
    AppendHeaders([set(
        app,
        Name::Lang,
        app.texts.tag(lang),
        Some(LANG_SECONDS),
    )])
}
