//! Codes that were sent: another one, and the right one.
use crate::{
    actions::{
        confirm_code::{self, Confirmed},
        join_register::Joined,
        verification::{self, Started},
    },
    app::App,
    web::{
        actor::ApiActor,
        error::Problem,
        json::{ApiJson, ApiPath, NoBody},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A code as it was typed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    /// The six digits of the SMS.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    code: String,
}

/// What a right code gave.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum Confirmation {
    /// A session, and what was joined where it was a join.
    Session {
        /// The bearer token.
        token: String,
        /// When it ends at the latest.
        expires_at: String,
        /// The authorization that a join gave.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorization: Option<Box<Joined>>,
    },
    /// Leave to do one thing once, within five minutes. Never a bearer token.
    Token {
        /// The confirmation token.
        confirmation_token: String,
    },
}

/// Sends another code.
#[utoipa::path(
    post, path = "/verifications/{id}/resend", tag = "Signing in", operation_id = "resend_code",
    params(("id" = String, Path, description = "The verification")),
    responses((status = 202, description = "Another code is on its way", body = Started))
)]
pub(super) async fn resend(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(id): ApiPath<String>,
    NoBody: NoBody,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let started = verification::resend(&app, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}

/// Takes the code of an SMS: a session, a join, or leave to do something.
#[utoipa::path(
    post, path = "/verifications/{id}/confirm", tag = "Signing in", operation_id = "confirm_code",
    params(("id" = String, Path, description = "The verification")),
    request_body = Code,
    responses((status = 200, description = "The code is right", body = Confirmation)),
    security((), ("bearer" = []))
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(id): ApiPath<String>,
    ApiJson(body): ApiJson<Code>,
) -> Result<Json<Confirmation>, Problem> {
    let confirmed = confirm_code::confirm_code(&app, &actor, &id, &body.code).await?;
    Ok(Json(match confirmed {
        Confirmed::Session { session, joined } => Confirmation::Session {
            token: session.token,
            expires_at: session.expires_at,
            authorization: joined,
        },
        Confirmed::Confirmation {
            confirmation_token, ..
        } => Confirmation::Token { confirmation_token },
    }))
}
