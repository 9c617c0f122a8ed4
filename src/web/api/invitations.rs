//! The link of an invitation: whoever has it sees what it is for, and accepts when signed in.
use crate::{
    actions::accept_invitation::{self, Accepted, ShownInvitation},
    app::App,
    web::{
        actor::{ApiActor, ApiUser},
        error::Problem,
        json::{ApiPath, NoBody},
    },
};
use axum::{Json, extract::State};
use std::sync::Arc;

/// Shows what an invitation is for.
#[utoipa::path(
    get, path = "/invitations/{link}", tag = "Administrators", operation_id = "show_invitation",
    params(("link" = String, Path, description = "The secret part of the link")),
    responses((status = 200, description = "What it is for", body = ShownInvitation))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(link): ApiPath<String>,
) -> Result<Json<ShownInvitation>, Problem> {
    let shown = accept_invitation::show_invitation(&app, &actor, &link).await?;
    Ok(Json(shown))
}

/// Accepts an invitation.
#[utoipa::path(
    post, path = "/invitations/{link}", tag = "Administrators",
    operation_id = "accept_invitation",
    params(("link" = String, Path, description = "The secret part of the link")),
    responses((status = 200, description = "What one became", body = Accepted)),
    security(("bearer" = []))
)]
pub(super) async fn accept(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(link): ApiPath<String>,
    NoBody: NoBody,
) -> Result<Json<Accepted>, Problem> {
    let accepted = accept_invitation::accept_invitation(&app, &actor, &link).await?;
    Ok(Json(accepted))
}
