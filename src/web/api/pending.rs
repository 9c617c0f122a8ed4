//! Joins that wait for the health source, by their handle.
use crate::{
    actions::{
        pending_join::{self, PendingView},
        verification::Started,
    },
    app::App,
    web::{
        actor::ApiActor,
        error::Problem,
        json::{ApiPath, NoBody},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use std::sync::Arc;

/// Shows a waiting join.
#[utoipa::path(
    get, path = "/pending/{id}", tag = "Joining and leaving", operation_id = "show_pending_join",
    params(("id" = String, Path, description = "The handle")),
    responses((status = 200, description = "The waiting join", body = PendingView))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<PendingView>, Problem> {
    Ok(Json(pending_join::show(&app, &id).await?))
}

/// Erases a waiting join.
#[utoipa::path(
    delete, path = "/pending/{id}", tag = "Joining and leaving",
    operation_id = "withdraw_pending_join",
    params(("id" = String, Path, description = "The handle")),
    responses((status = 204, description = "It is erased"))
)]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    ApiPath(id): ApiPath<String>,
) -> Result<StatusCode, Problem> {
    pending_join::delete(&app, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes on with a waiting join: matches now, and sends a code.
#[utoipa::path(
    post, path = "/pending/{id}/send-code", tag = "Joining and leaving",
    operation_id = "continue_pending_join",
    params(("id" = String, Path, description = "The handle")),
    responses((status = 202, description = "A code is on its way", body = Started))
)]
pub(super) async fn send_code(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(id): ApiPath<String>,
    NoBody: NoBody,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let started = pending_join::send_code(&app, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}
