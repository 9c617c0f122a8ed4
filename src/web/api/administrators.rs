//! Who administers a register: listed, invited, handed over to, removed.
use crate::{
    actions::{
        hand_over::{self, HandOver},
        invitation::NewInvitation,
        invite_administrator::{self, AdministratorInvitation},
        list_administrators::{self, Administrators},
        remove_administrator, withdraw_invitation,
    },
    app::App,
    model::id::Id,
    web::{
        actor::ApiUser,
        error::Problem,
        json::{ApiJson, ApiPath},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use std::sync::Arc;

/// Lists a register's administrators and, for its owner, open invitations.
#[utoipa::path(
    get, path = "/registers/{id}/administrators", tag = "Administrators",
    operation_id = "list_administrators",
    params(("id" = String, Path, description = "The register")),
    responses((status = 200, description = "Who administers it", body = Administrators)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Json<Administrators>, Problem> {
    let all = list_administrators::list_administrators(&app, &actor, id).await?;
    Ok(Json(all))
}

/// Invites an administrator by a link; needs a confirmation token for `add_administrator`.
#[utoipa::path(
    post, path = "/registers/{id}/administrators", tag = "Administrators",
    operation_id = "invite_administrator",
    params(("id" = String, Path, description = "The register")),
    request_body = AdministratorInvitation,
    responses((status = 201, description = "The invitation and its link", body = NewInvitation)),
    security(("bearer" = []))
)]
pub(super) async fn invite(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<AdministratorInvitation>,
) -> Result<(StatusCode, Json<NewInvitation>), Problem> {
    let new = invite_administrator::invite_administrator(&app, &actor, id, &body).await?;
    Ok((StatusCode::CREATED, Json(new)))
}

/// Removes an administrator, or resigns.
#[utoipa::path(
    delete, path = "/registers/{id}/administrators/{administrator}", tag = "Administrators",
    operation_id = "remove_administrator",
    params(
        ("id" = String, Path, description = "The register"),
        ("administrator" = String, Path, description = "The administrator's id in it")
    ),
    responses((status = 204, description = "The role has ended")),
    security(("bearer" = []))
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath((id, administrator)): ApiPath<(Id, Id)>,
) -> Result<StatusCode, Problem> {
    remove_administrator::remove_administrator(&app, &actor, id, administrator).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraws an invitation or a hand-over that nobody accepted yet.
#[utoipa::path(
    delete, path = "/registers/{id}/invitations/{invitation}", tag = "Administrators",
    operation_id = "withdraw_invitation",
    params(
        ("id" = String, Path, description = "The register"),
        ("invitation" = String, Path, description = "The invitation's id")
    ),
    responses((status = 204, description = "Its link leads nowhere any more")),
    security(("bearer" = []))
)]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath((id, invitation)): ApiPath<(Id, Id)>,
) -> Result<StatusCode, Problem> {
    withdraw_invitation::withdraw_invitation(&app, &actor, id, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hands a register over by a link whose acceptor becomes the owner; needs a confirmation token
/// for `hand_over`. It replaces a link that was open.
#[utoipa::path(
    post, path = "/registers/{id}/hand-over", tag = "Administrators",
    operation_id = "hand_over",
    params(("id" = String, Path, description = "The register")),
    request_body = HandOver,
    responses((status = 201, description = "The invitation and its link", body = NewInvitation)),
    security(("bearer" = []))
)]
pub(super) async fn hand_over(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<HandOver>,
) -> Result<(StatusCode, Json<NewInvitation>), Problem> {
    let new = hand_over::hand_over(&app, &actor, id, &body).await?;
    Ok((StatusCode::CREATED, Json(new)))
}
