//! One's own sessions.
use crate::{
    actions::sessions::{self, SessionView},
    app::App,
    model::id::Id,
    web::{actor::ApiUser, error::Problem, json::ApiPath},
};
use axum::{Json, extract::State, http::StatusCode};
use std::sync::Arc;

/// Lists one's sessions.
#[utoipa::path(
    get, path = "/me/sessions", tag = "Oneself", operation_id = "list_my_sessions",
    responses((status = 200, description = "One's sessions", body = Vec<SessionView>)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Vec<SessionView>>, Problem> {
    Ok(Json(sessions::list(&app, &actor).await?))
}

/// Ends all one's sessions, this one too.
#[utoipa::path(
    delete, path = "/me/sessions", tag = "Oneself", operation_id = "end_my_sessions",
    responses((status = 204, description = "They are ended")),
    security(("bearer" = []))
)]
pub(super) async fn end_all(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<StatusCode, Problem> {
    sessions::end_own(&app, &actor, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's sessions.
#[utoipa::path(
    delete, path = "/me/sessions/{id}", tag = "Oneself", operation_id = "end_my_session",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "It is ended")),
    security(("bearer" = []))
)]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<StatusCode, Problem> {
    sessions::end_own(&app, &actor, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs out.
#[utoipa::path(
    delete, path = "/session", tag = "Signing in", operation_id = "sign_out",
    responses((status = 204, description = "The session is ended")),
    security(("bearer" = []))
)]
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<StatusCode, Problem> {
    sessions::sign_out(&app, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
