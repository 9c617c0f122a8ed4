//! HTTP: every route on one page, grouped by who calls. Handlers call actions and hold no rules.
mod actor;
mod api;
mod cookies;
mod edge;
mod error;
mod guard;
mod headers;
mod json;
mod pages;

use crate::app::App;
use axum::{
    Router,
    http::{HeaderMap, header},
    middleware::from_fn_with_state,
};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The whole program over HTTP, but for the metrics, which have a listener of their own.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        // People
        .merge(pages::routes())
        // Programs
        .merge(api::routes())
        // From the inside out.
        .layer(from_fn_with_state(app.clone(), guard::check))
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn_with_state(app.clone(), edge::answer))
        .with_state(app)
}

/// Whether a program asks, where pages and the API share an address.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("application/json"));
    accepts || json::is_json(headers)
}

/// stub
pub fn metrics_router() -> Router {
    Router::new()
}
