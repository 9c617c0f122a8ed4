//! Registers: their terms and their codes.
use crate::{
    actions::{
        change_register::{self, ChangedRegister},
        code_image::{self, ImageFormat},
        create_register::{self, NewRegister},
        delete_register::{self, DeletionReceipt, RegisterDeletion},
        list_registers::{self, OwnRegister},
        replace_code as replace,
        replace_code::ReplacedCode,
        show_register::{self, RegisterDetails},
    },
    app::App,
    model::id::Id,
    web::{
        actor::ApiUser,
        error::Problem,
        json::{ApiJson, ApiPath, NoBody},
    },
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Lists the registers that one administers.
#[utoipa::path(
    get, path = "/registers", tag = "Registers", operation_id = "list_registers",
    responses((status = 200, description = "One's registers", body = Vec<OwnRegister>)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Vec<OwnRegister>>, Problem> {
    Ok(Json(list_registers::list_registers(&app, &actor).await?))
}

/// Makes a register and its registration code (登记码).
#[utoipa::path(
    post, path = "/registers", tag = "Registers", operation_id = "create_register",
    request_body = NewRegister,
    responses((status = 201, description = "The register", body = RegisterDetails)),
    security(("bearer" = []))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiJson(body): ApiJson<NewRegister>,
) -> Result<Response, Problem> {
    let made = create_register::create_register(&app, &actor, &body).await?;
    let place = [(header::LOCATION, format!("/api/v1/registers/{}", made.id))];
    Ok((StatusCode::CREATED, place, Json(made)).into_response())
}

/// Shows a register.
#[utoipa::path(
    get, path = "/registers/{id}", tag = "Registers", operation_id = "show_register",
    params(("id" = String, Path, description = "The register")),
    responses((status = 200, description = "The register", body = RegisterDetails)),
    security(("bearer" = []))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Json<RegisterDetails>, Problem> {
    Ok(Json(show_register::show_register(&app, &actor, id).await?))
}

/// Changes a register's terms; what is not given stays.
#[utoipa::path(
    patch, path = "/registers/{id}", tag = "Registers", operation_id = "change_register",
    params(("id" = String, Path, description = "The register")),
    request_body = ChangedRegister,
    responses((status = 200, description = "The changed register", body = RegisterDetails)),
    security(("bearer" = []))
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<ChangedRegister>,
) -> Result<Json<RegisterDetails>, Problem> {
    let changed = change_register::change_register(&app, &actor, id, &body).await?;
    Ok(Json(changed))
}

/// Deletes a register and erases what nothing else needs; needs a confirmation token for
/// `delete_register`.
#[utoipa::path(
    delete, path = "/registers/{id}", tag = "Registers", operation_id = "delete_register",
    params(("id" = String, Path, description = "The register")),
    request_body = RegisterDeletion,
    responses((status = 200, description = "What was erased and what stays", body = DeletionReceipt)),
    security(("bearer" = []))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<RegisterDeletion>,
) -> Result<Json<DeletionReceipt>, Problem> {
    let receipt = delete_register::delete_register(&app, &actor, id, &body).await?;
    Ok(Json(receipt))
}

/// Replaces the registration code; the old one says so from then on.
#[utoipa::path(
    post, path = "/registers/{id}/code", tag = "Registers", operation_id = "replace_code",
    params(("id" = String, Path, description = "The register")),
    responses((status = 201, description = "The new code", body = ReplacedCode)),
    security(("bearer" = []))
)]
pub(super) async fn replace_code(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    NoBody: NoBody,
) -> Result<(StatusCode, Json<ReplacedCode>), Problem> {
    let replaced = replace::replace_code(&app, &actor, id).await?;
    Ok((StatusCode::CREATED, Json(replaced)))
}

/// Draws the QR of the registration code as PNG.
#[utoipa::path(
    get, path = "/registers/{id}/code.png", tag = "Registers", operation_id = "draw_code_png",
    params(("id" = String, Path, description = "The register")),
    responses((status = 200, description = "The QR", body = [u8], content_type = "image/png")),
    security(("bearer" = []))
)]
pub(super) async fn code_png(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Response, Problem> {
    let image = code_image::code_image(&app, &actor, id, ImageFormat::Png).await?;
    Ok(([(header::CONTENT_TYPE, image.content_type)], image.bytes).into_response())
}

/// Draws the QR of the registration code as SVG.
#[utoipa::path(
    get, path = "/registers/{id}/code.svg", tag = "Registers", operation_id = "draw_code_svg",
    params(("id" = String, Path, description = "The register")),
    responses((status = 200, description = "The QR", body = str, content_type = "image/svg+xml")),
    security(("bearer" = []))
)]
pub(super) async fn code_svg(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Response, Problem> {
    let image = code_image::code_image(&app, &actor, id, ImageFormat::Svg).await?;
    Ok(([(header::CONTENT_TYPE, image.content_type)], image.bytes).into_response())
}
