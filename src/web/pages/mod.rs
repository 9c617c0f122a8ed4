//! The pages for people.
use super::error::Problem;
use crate::{app::App, texts::Lang};
use axum::{
    Router,
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

async fn home() -> Response {
    Html("<!doctype html><title>团体簿</title>").into_response()
}
