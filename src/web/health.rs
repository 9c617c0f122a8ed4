//! Whether the program lives, and whether it can work. Neither tells any detail.
use super::error::Problem;
use crate::{
    actions::{refresh_health, sms_outcomes},
    app::App,
    sms::gateways::Standing,
};
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

/// The database answers too. A gateway that is down is told in a line of its own: it keeps nobody
/// from the pages, so the server stays ready.
#[utoipa::path(
    get, path = "/readyz", tag = "Operating", operation_id = "is_ready",
    responses((status = 200, description = "It is ready", body = str, content_type = "text/plain"))
)]
async fn is_ready(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    match tokio::time::timeout(TIME, refresh_health::last_run(&app)).await {
        Ok(Ok(_)) => Ok(ready(&sms_outcomes::standings(&app))),
        _ => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready")),
    }
}

fn ready(gateways: &[Standing]) -> &'static str {
    let open = gateways.iter().filter(|gateway| gateway.is_open).count();
    match (open, gateways.len()) {
        (0, _) => "ok\n",
        (open, all) if open == all => "ok\nsms: down\n",
        _ => "ok\nsms: one gateway is down, the other sends\n",
    }
}
