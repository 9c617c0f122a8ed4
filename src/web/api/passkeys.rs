//! Passkeys of administrators.
use crate::{
    actions::{
        add_passkey::{self, MadePasskey, PasskeyCreation},
        list_passkeys::list_passkeys,
        passkey::PasskeyView,
        passkey_sign_in::{self, PasskeyRequest, ShownPasskey},
        remove_passkey::remove_passkey,
    },
    app::App,
    model::id::Id,
    web::{
        actor::{ApiActor, ApiUser},
        error::Problem,
        json::{ApiJson, ApiPath, NoBody},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an authenticator answered.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    /// The credential's `rawId`, base64url.
    #[serde(default)]
    #[schema(required)]
    id: String,
    /// `response.userHandle`, base64url.
    #[serde(default)]
    #[schema(required)]
    user_id: String,
    /// `response.clientDataJSON`, base64url.
    #[serde(default)]
    #[schema(required)]
    client_data: String,
    /// `response.authenticatorData`, base64url.
    #[serde(default)]
    #[schema(required)]
    authenticator_data: String,
    /// `response.signature`, base64url.
    #[serde(default)]
    #[schema(required)]
    signature: String,
}

/// What a browser made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Added {
    /// The name for it.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    label: String,
    /// `response.clientDataJSON`, base64url.
    #[serde(default)]
    #[schema(required)]
    client_data: String,
    /// `response.getAuthenticatorData()`, base64url.
    #[serde(default)]
    #[schema(required)]
    authenticator_data: String,
    /// `response.getPublicKey()`, base64url.
    #[serde(default)]
    #[schema(required)]
    public_key: String,
}

/// A fresh code's token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasskeyConfirmation {
    /// The confirmation token, of `add_passkey` or `remove_passkey`.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    confirmation_token: String,
}

/// A session.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PasskeySession {
    /// The bearer token.
    token: String,
    /// The latest end.
    expires_at: String,
}

/// Begins to sign in with a passkey.
#[utoipa::path(
    post, path = "/sign-in/passkey/challenge", tag = "Signing in",
    operation_id = "ask_for_passkey",
    responses((status = 201, description = "What to ask an authenticator with", body = PasskeyRequest))
)]
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    _: NoBody,
) -> Result<(StatusCode, Json<PasskeyRequest>), Problem> {
    let request = passkey_sign_in::begin(&app, &actor).await?;
    Ok((StatusCode::CREATED, Json(request)))
}

/// Signs in with a passkey.
#[utoipa::path(
    post, path = "/sign-in/passkey", tag = "Signing in", operation_id = "sign_in_with_passkey",
    request_body = Shown,
    responses((status = 200, description = "A session", body = PasskeySession))
)]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiJson(body): ApiJson<Shown>,
) -> Result<Json<PasskeySession>, Problem> {
    let shown = ShownPasskey {
        id: body.id,
        user_id: body.user_id,
        client_data: body.client_data,
        authenticator_data: body.authenticator_data,
        signature: body.signature,
    };
    let session = passkey_sign_in::sign_in_with_passkey(&app, &actor, &shown).await?;
    Ok(Json(PasskeySession {
        token: session.token,
        expires_at: session.expires_at,
    }))
}

/// Lists one's passkeys.
#[utoipa::path(
    get, path = "/me/passkeys", tag = "Oneself", operation_id = "list_my_passkeys",
    responses((status = 200, description = "One's passkeys", body = Vec<PasskeyView>)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Vec<PasskeyView>>, Problem> {
    Ok(Json(list_passkeys(&app, &actor).await?))
}

/// Begins to add a passkey, after a fresh code.
#[utoipa::path(
    post, path = "/me/passkeys/challenge", tag = "Oneself", operation_id = "begin_my_passkey",
    request_body = PasskeyConfirmation,
    responses((status = 201, description = "What to make a passkey of", body = PasskeyCreation)),
    security(("bearer" = []))
)]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiJson(body): ApiJson<PasskeyConfirmation>,
) -> Result<(StatusCode, Json<PasskeyCreation>), Problem> {
    let creation = add_passkey::begin(&app, &actor, &body.confirmation_token).await?;
    Ok((StatusCode::CREATED, Json(creation)))
}

/// Adds the passkey that a browser made.
#[utoipa::path(
    post, path = "/me/passkeys", tag = "Oneself", operation_id = "add_my_passkey",
    request_body = Added,
    responses((status = 201, description = "It is added", body = PasskeyView)),
    security(("bearer" = []))
)]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiJson(body): ApiJson<Added>,
) -> Result<(StatusCode, Json<PasskeyView>), Problem> {
    let made = MadePasskey {
        label: body.label,
        client_data: body.client_data,
        authenticator_data: body.authenticator_data,
        public_key: body.public_key,
    };
    let added = add_passkey::finish(&app, &actor, &made).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Removes one of one's passkeys, after a fresh code.
#[utoipa::path(
    delete, path = "/me/passkeys/{id}", tag = "Oneself", operation_id = "remove_my_passkey",
    params(("id" = String, Path, description = "The passkey")),
    request_body = PasskeyConfirmation,
    responses((status = 204, description = "It is removed")),
    security(("bearer" = []))
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<PasskeyConfirmation>,
) -> Result<StatusCode, Problem> {
    remove_passkey(&app, &actor, id, &body.confirmation_token).await?;
    Ok(StatusCode::NO_CONTENT)
}
