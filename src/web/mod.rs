//! HTTP: every route on one page, grouped by who calls. Handlers call actions and hold no rules.
mod actor;
mod api;
mod cookies;
mod demo;
mod edge;
mod error;
mod guard;
mod headers;
mod health;
pub mod health_source;
mod json;
mod metrics;
mod objects;
mod pages;
mod strict;

pub use metrics::metrics_router;

use crate::app::App;
use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, header},
    middleware::from_fn_with_state,
    routing::{MethodRouter, any},
};
use std::sync::Arc;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

/// The whole program over HTTP, but for the metrics, which have a listener of their own.
pub fn router(app: Arc<App>) -> Router {
    // Programs
    let programs = api::routes().merge(health::routes());
    let programs = match &app.demo {
        Some(_) => programs.merge(demo::routes()),
        None => programs,
    };
    let (programs, document) = programs.split_for_parts();
    let routes = Router::new()
        .merge(programs)
        .merge(api::document::routes(document))
        // People
        .merge(pages::routes())
        // Both
        .route("/leave/{link}", leave(app.clone()));
    layered(app, routes, guard::Times::default())
}

/// What stands around every route, from the inside out.
fn layered(app: Arc<App>, routes: Router<Arc<App>>, times: guard::Times) -> Router {
    routes
        .layer(from_fn_with_state((app.clone(), times), guard::check))
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn_with_state(app.clone(), edge::answer))
        .with_state(app)
}

/// A leave link: a page to people, JSON to programs.
fn leave(app: Arc<App>) -> MethodRouter<Arc<App>> {
    let page = pages::leave().with_state::<()>(app.clone());
    let program = api::leave::link().with_state::<()>(app);
    any(async move |request: Request| {
        let is_program = wants_json(request.headers());
        let chosen = if is_program { program } else { page };
        chosen.oneshot(request).await
    })
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains(kind))
}

/// Whether a program asks, where pages and the API share an address.
fn wants_json(headers: &HeaderMap) -> bool {
    accepts(headers, "application/json") || json::is_json(headers)
}

/// Whether a browser asks, where JSON is the usual answer.
fn wants_page(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

#[cfg(test)]
mod tests;
