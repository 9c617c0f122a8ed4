//! A register's list as a file.
use crate::{
    actions::export_register::{self, ExportRequest},
    app::App,
    model::id::Id,
    web::{
        actor::ApiUser,
        error::Problem,
        json::{ApiJson, ApiPath},
    },
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Exports the list as it is shown; needs a confirmation token for `export`.
#[utoipa::path(
    post, path = "/registers/{id}/exports", tag = "Members", operation_id = "export_register",
    params(("id" = String, Path, description = "The register")),
    request_body = ExportRequest,
    responses((
        status = 200, description = "The file",
        content(
            (String = "text/csv"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        )
    )),
    security(("bearer" = []))
)]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<ExportRequest>,
) -> Result<Response, Problem> {
    let file = export_register::export_register(&app, &actor, id, &body).await?;
    // The name is ours, of ASCII letters and digits.
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let headers = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file.bytes).into_response())
}
