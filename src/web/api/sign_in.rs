//! Signing in.
use crate::{
    actions::{profile::TypedIdentity, sign_in as action, verification::Started},
    app::App,
    web::{actor::ApiActor, error::Problem, json::ApiJson},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use std::sync::Arc;

/// Who signs in, and what for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The name.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    name: String,
    /// The type of document, as `resident_id`.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    document_type: String,
    /// Its number.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    document_number: String,
    /// The mobile number that the health source lists.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    phone: String,
    /// `leave` for a session that serves nothing but leaving.
    purpose: Option<Purpose>,
}

/// What a session is limited to.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// Leaving.
    Leave,
}

/// Matches an identity and sends a code to its phone.
#[utoipa::path(
    post, path = "/sign-in", tag = "Signing in", operation_id = "sign_in",
    request_body = SignIn,
    responses((status = 202, description = "A code is on its way", body = Started))
)]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiJson(body): ApiJson<SignIn>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let to_leave = body.purpose == Some(Purpose::Leave);
    let typed = TypedIdentity {
        name: body.name,
        document_type: body.document_type,
        document_number: body.document_number,
        phone: body.phone,
    };
    let started = action::sign_in(&app, &actor, &typed, to_leave).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}
