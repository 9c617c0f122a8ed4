//! Leaving by the link of a receipt: nobody needs to be signed in. Offered here and, to programs,
//! under the link itself.
use crate::{
    actions::leave_register::{self, LeaveLink, Receipt},
    app::App,
    web::{
        actor::ApiActor,
        error::Problem,
        json::{ApiPath, NoBody},
    },
};
use axum::{Json, extract::State, routing::MethodRouter};
use std::sync::Arc;

/// The link itself, for programs.
pub(in crate::web) fn link() -> MethodRouter<Arc<App>> {
    MethodRouter::new().get(show).post(leave)
}

/// Shows the register that a link leaves, and nothing else.
#[utoipa::path(
    get, path = "/leave/{link}", tag = "Joining and leaving", operation_id = "show_leave_link",
    params(("link" = String, Path, description = "The secret part of the link")),
    responses((status = 200, description = "The register's name", body = LeaveLink))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiPath(link): ApiPath<String>,
) -> Result<Json<LeaveLink>, Problem> {
    Ok(Json(leave_register::show_link(&app, &link).await?))
}

/// Leaves the register.
#[utoipa::path(
    post, path = "/leave/{link}", tag = "Joining and leaving", operation_id = "leave_by_link",
    params(("link" = String, Path, description = "The secret part of the link")),
    responses((status = 200, description = "What was erased and what stays", body = Receipt))
)]
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(link): ApiPath<String>,
    NoBody: NoBody,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json(
        leave_register::leave_by_link(&app, &actor, &link).await?,
    ))
}
