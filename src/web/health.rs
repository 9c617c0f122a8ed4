//! Whether the program lives, and whether it can work. Neither tells any detail.
use super::error::Problem;
use crate::{actions::refresh_health, app::App};
use axum::{extract::State, http::StatusCode};
use std::{sync::Arc, time::Duration};
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long the database may take.
const TIME: Duration = Duration::from_secs(3);

/// Both routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(lives))
        .routes(routes!(is_ready))
}

/// The program answers.
#[utoipa::path(
    get, path = "/healthz", tag = "Operating", operation_id = "lives",
    responses((status = 200, description = "It lives", body = str, content_type = "text/plain"))
)]
async fn lives() -> &'static str {
    "ok\n"
}

/// The database answers too.
#[utoipa::path(
    get, path = "/readyz", tag = "Operating", operation_id = "is_ready",
    responses((status = 200, description = "It is ready", body = str, content_type = "text/plain"))
)]
async fn is_ready(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    match tokio::time::timeout(TIME, refresh_health::last_run(&app)).await {
        Ok(Ok(_)) => Ok("ok\n"),
        _ => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready")),
    }
}
