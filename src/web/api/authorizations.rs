//! One's own authorizations, and those that one gave for others.
use crate::{
    actions::{
        change_consent,
        join_terms::TypedConsent,
        leave_register::{self, Receipt},
        my::{self, MyAuthorization},
    },
    app::App,
    model::id::Id,
    web::{
        actor::ApiUser,
        error::Problem,
        json::{ApiJson, ApiPath},
    },
};
use axum::{Json, extract::State};
use serde::Deserialize;
use std::sync::Arc;

/// A changed consent: the whole of it, as in a join.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedConsent {
    /// The tick.
    #[serde(default)]
    accepted: bool,
    /// The version of the text that was shown.
    #[serde(default)]
    version: String,
    /// The items consented to.
    items: Option<Vec<String>>,
    /// `details` or `verdict`.
    sharing: Option<String>,
    /// The same in one object, as in a join; then nothing stands beside it.
    consent: Option<TypedConsent>,
}

impl ChangedConsent {
    fn typed(self) -> TypedConsent {
        self.consent.unwrap_or(TypedConsent {
            accepted: self.accepted,
            version: self.version,
            items: self.items,
            sharing: self.sharing,
        })
    }
}

/// Lists authorizations.
#[utoipa::path(
    get, path = "/me/authorizations", tag = "Oneself", operation_id = "list_my_authorizations",
    responses((status = 200, description = "One's authorizations", body = Vec<MyAuthorization>)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
) -> Result<Json<Vec<MyAuthorization>>, Problem> {
    Ok(Json(my::authorizations(&app, &actor).await?))
}

/// Shows one authorization.
#[utoipa::path(
    get, path = "/me/authorizations/{id}", tag = "Oneself",
    operation_id = "show_my_authorization",
    params(("id" = String, Path, description = "The authorization")),
    responses((status = 200, description = "The authorization", body = MyAuthorization)),
    security(("bearer" = []))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Json<MyAuthorization>, Problem> {
    Ok(Json(my::authorization(&app, &actor, id).await?))
}

/// Changes what one consented to. What is no longer covered is erased at once.
#[utoipa::path(
    patch, path = "/me/authorizations/{id}", tag = "Oneself", operation_id = "change_consent",
    params(("id" = String, Path, description = "The authorization")),
    request_body = ChangedConsent,
    responses((status = 200, description = "The changed consent", body = MyAuthorization)),
    security(("bearer" = []))
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<ChangedConsent>,
) -> Result<Json<MyAuthorization>, Problem> {
    change_consent::change_consent(&app, &actor, id, &body.typed()).await?;
    Ok(Json(my::authorization(&app, &actor, id).await?))
}

/// Leaves a register.
#[utoipa::path(
    delete, path = "/me/authorizations/{id}", tag = "Oneself", operation_id = "leave_register",
    params(("id" = String, Path, description = "The authorization")),
    responses((status = 200, description = "What was erased and what stays", body = Receipt)),
    security(("bearer" = []))
)]
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json(
        leave_register::leave_register(&app, &actor, id).await?,
    ))
}
