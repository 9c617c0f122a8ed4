//! A fresh code before an action of consequence.
use crate::{
    actions::{confirm_action, verification::Started},
    app::App,
    web::{actor::ApiUser, error::Problem, json::ApiJson},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use std::sync::Arc;

/// What is to be confirmed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// `export`, `delete_register`, `hand_over`, `add_administrator`, `add_passkey` or
    /// `remove_passkey`.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    action: String,
    /// The register; none for one's own passkeys.
    register_id: Option<String>,
}

/// Sends a code; its confirmation answers a token for that one action on that one register.
#[utoipa::path(
    post, path = "/me/confirmations", tag = "Registers", operation_id = "ask_for_confirmation",
    request_body = Asked,
    responses((status = 202, description = "A code is on its way", body = Started)),
    security(("bearer" = []))
)]
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiJson(body): ApiJson<Asked>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let register = body.register_id.as_deref();
    let started = confirm_action::confirm_action(&app, &actor, &body.action, register).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}
