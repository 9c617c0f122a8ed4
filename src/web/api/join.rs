//! What a registration code leads to: a preview, joining, reporting.
use crate::{
    actions::{
        join_register::{self, Joining},
        join_terms::{TypedConsent, TypedJoin},
        pending_join::Pending,
        preview_register::{self, Preview},
        profile::TypedIdentity,
        report_register::{self, Report},
        verification::Started,
    },
    app::App,
    web::{
        actor::ApiActor,
        error::Problem,
        json::{ApiJson, ApiPath},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who joins, and what they consent to.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Join {
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
    /// One of the register's departments.
    department: Option<String>,
    /// The birth date, where the document holds none: under 14 a guardian joins.
    birth_date: Option<String>,
    /// The consent, to the preview's text.
    consent: Option<TypedConsent>,
}

/// How a join goes on.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum JoinAnswer {
    /// A code is on its way.
    Started(Started),
    /// The health source cannot be reached: the join waits for it.
    Pending(Pending),
}

impl From<Joining> for JoinAnswer {
    fn from(joining: Joining) -> Self {
        match joining {
            Joining::Started(started) => Self::Started(started),
            Joining::Pending(pending) => Self::Pending(pending),
        }
    }
}

/// Shows what a code leads to.
#[utoipa::path(
    get, path = "/join/{code}", tag = "Joining and leaving", operation_id = "preview_register",
    params(("code" = String, Path, description = "The registration code (登记码)")),
    responses((status = 200, description = "The preview", body = Preview))
)]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(code): ApiPath<String>,
) -> Result<Json<Preview>, Problem> {
    let preview = preview_register::preview_register(&app, &actor, &code).await?;
    Ok(Json(preview))
}

/// Begins to join: a code goes to the phone, or the join waits for the health source.
#[utoipa::path(
    post, path = "/join/{code}", tag = "Joining and leaving", operation_id = "join_register",
    params(("code" = String, Path, description = "The registration code (登记码)")),
    request_body = Join,
    responses((status = 202, description = "A code is on its way, or the join waits", body = JoinAnswer)),
    security((), ("bearer" = []))
)]
pub(super) async fn join(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(code): ApiPath<String>,
    ApiJson(body): ApiJson<Join>,
) -> Result<(StatusCode, Json<JoinAnswer>), Problem> {
    let typed = TypedJoin {
        identity: TypedIdentity {
            name: body.name,
            document_type: body.document_type,
            document_number: body.document_number,
            phone: body.phone,
        },
        department: body.department,
        birth_date: body.birth_date,
        consent: body.consent,
    };
    let joining = join_register::join_register(&app, &actor, &code, &typed).await?;
    Ok((StatusCode::ACCEPTED, Json(joining.into())))
}

/// Reports a register to the operator.
#[utoipa::path(
    post, path = "/join/{code}/report", tag = "Joining and leaving",
    operation_id = "report_register",
    params(("code" = String, Path, description = "The registration code (登记码)")),
    request_body = Report,
    responses((status = 202, description = "The operator will see it"))
)]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    ApiActor(actor): ApiActor,
    ApiPath(code): ApiPath<String>,
    ApiJson(body): ApiJson<Report>,
) -> Result<StatusCode, Problem> {
    report_register::report_register(&app, &actor, &code, &body).await?;
    Ok(StatusCode::ACCEPTED)
}
