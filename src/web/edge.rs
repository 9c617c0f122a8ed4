//! The outermost layer: a request's id, its line in the log, its count, and what every answer
//! carries.
use super::{
    actor,
    error::{Cause, Problem},
    guard, headers, pages,
};
use crate::{app::App, crypto::random};
use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{any::Any, sync::Arc};

/// What is asked for where no route is there.
const NO_ROUTE: &str = "(none)";

/// Answers a request, whatever becomes of it.
pub(super) async fn answer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = app.now();
    let request_id = random::id(&*app.random).to_string();
    let method = method_name(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str)
        .to_owned();
    let (parts, body) = request.into_parts();
    let is_for_programs = guard::is_for_programs(&parts);
    let lang = actor::page_lang(&app, &parts.headers);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let mut code = "";
    let mut cause = response.extensions_mut().remove::<Cause>();
    if let Some(problem) = problem_of(&mut response) {
        code = problem.code;
        response = if is_for_programs {
            problem.write(&request_id)
        } else {
            let mut page = pages::problem(&app, lang, &problem, &request_id).into_response();
            page.headers_mut().extend(problem.headers());
            page
        };
        cause = cause.or(problem.cause);
    }
    headers::put(&app, &mut response);
    let status = response.status().as_u16();
    let duration_ms = app.now() - began;
    if let Some(Cause(cause)) = cause {
        tracing::error!(%request_id, route, %cause, "an answer failed");
    }
    tracing::info!(%request_id, method, route, status, code, duration_ms, "request");
    metrics::counter!(
        "tuantibu_requests_total",
        "method" => method, "route" => route, "status" => status.to_string()
    )
    .increment(1);
    response
}

/// The problem that a response stands for: one of ours, or a refusal of the router itself.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let is_bare = response.body().size_hint().exact() == Some(0)
        && !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::NOT_FOUND if is_bare => Some(Problem::new(StatusCode::NOT_FOUND, "not_found")),
        StatusCode::METHOD_NOT_ALLOWED if is_bare => {
            let mut problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            let allow = response.headers().get(header::ALLOW).cloned();
            problem.allow = allow.map(Box::new);
            Some(problem)
        }
        _ => None,
    }
}

/// Makes a panic a 500. Its words may quote what somebody typed: they go nowhere.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    let mut problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal");
    problem.cause = Some(Cause("a handler panicked".to_owned()));
    problem.into_response()
}

/// A method's name among those that are known, so that nobody fills the log or the counters.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}
