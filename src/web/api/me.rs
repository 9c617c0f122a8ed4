//! Oneself.
use crate::{
    actions::{
        access_log::{self as log, Access},
        my::{self, Me, MyData},
    },
    app::App,
    web::{actor::ApiUser, error::Problem},
};
use axum::{Json, extract::State};
use std::sync::Arc;

/// Shows who is signed in.
#[utoipa::path(
    get, path = "/me", tag = "Oneself", operation_id = "show_me",
    responses((status = 200, description = "Oneself", body = Me)),
    security(("bearer" = []))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Me>, Problem> {
    Ok(Json(my::me(&app, &actor).await?))
}

/// Shows everything that is held about oneself.
#[utoipa::path(
    get, path = "/me/data", tag = "Oneself", operation_id = "show_my_data",
    responses((status = 200, description = "Everything held about oneself", body = MyData)),
    security(("bearer" = []))
)]
pub(super) async fn data(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<MyData>, Problem> {
    Ok(Json(my::data(&app, &actor).await?))
}

/// Shows who looked at one's information.
#[utoipa::path(
    get, path = "/me/access-log", tag = "Oneself", operation_id = "list_my_access_log",
    responses((status = 200, description = "Who looked, newest first", body = Vec<Access>)),
    security(("bearer" = []))
)]
pub(super) async fn access_log(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Vec<Access>>, Problem> {
    Ok(Json(log::access_log(&app, &actor).await?))
}
