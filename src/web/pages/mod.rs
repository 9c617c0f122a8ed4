//! The pages for people.
use super::error::Problem;
use crate::{app::App, sms::outbox::Message, texts::Lang};
use axum::{
    Json, Router,
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use std::sync::Arc;

/// Every page.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(home))
}

/// The page of a leave link; the API answers programs under the same address.
pub(super) fn leave() -> MethodRouter<Arc<App>> {
    get(home)
}

/// A failure before any page's handler, as a page.
pub(super) fn problem(app: &App, lang: Lang, problem: &Problem, request_id: &str) -> Response {
    let _ = (app, lang);
    problem.write(request_id)
}

/// The demo's messages, as a page that looks for new ones.
pub(super) fn demo_sms(app: &App, lang: Lang, messages: &[Message]) -> Response {
    let _ = (app, lang);
    Json(messages).into_response()
}

async fn home() -> Response {
    Html("<!doctype html><title>团体簿</title>").into_response()
}
