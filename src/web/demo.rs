//! What only the demo has: the SMS that were "sent", the sample source, switches that break things.
use super::{
    error::Problem,
    json::{ApiJson, ApiPath, ApiQuery, NoBody},
    wants_page,
};
use crate::{
    actions::refresh_health::{self, Run},
    app::{App, Demo},
    model::phone::Phone,
    sms::outbox::Message,
    source::{
        embedded::{EmbeddedError, EmbeddedSource},
        faults::Fault,
        record::{HealthRecord, WireHealthRecord},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The demo's routes; nobody mounts them in `serve`.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sms))
        .routes(routes!(refresh))
        .routes(routes!(put_person, remove_person))
        .routes(routes!(set_faults))
}

fn demo(app: &App) -> Result<&Demo, Problem> {
    app.demo
        .as_ref()
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "not_found"))
}

/// The sample source; there is none where the demo reads another's.
fn sample(app: &App) -> Result<&EmbeddedSource, Problem> {
    demo(app)?
        .sample
        .as_deref()
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "not_found"))
}

/// Whose messages are wanted.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// A phone; all where there is none.
    phone: Option<String>,
}

/// Shows the last messages, newest first.
#[utoipa::path(
    get, path = "/demo/sms", tag = "Demo", operation_id = "demo_sms", params(Whose),
    responses((status = 200, description = "The messages", body = Vec<Message>))
)]
async fn sms(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    ApiQuery(whose): ApiQuery<Whose>,
) -> Result<Response, Problem> {
    let phone = whose
        .phone
        .filter(|typed| !typed.trim().is_empty())
        .map(|typed| Phone::parse(&typed, &app.regions))
        .transpose()
        .map_err(|error| Problem::field("phone", error.code()))?;
    let outbox = &demo(&app)?.outbox;
    let messages = outbox.messages(phone.as_ref().map(Phone::national));
    if wants_page(&headers) {
        return Ok(Redirect::to("/demo").into_response());
    }
    Ok(Json(messages).into_response())
}

/// Refreshes everybody now.
#[utoipa::path(
    post, path = "/demo/refresh", tag = "Demo", operation_id = "demo_refresh",
    responses((status = 200, description = "The counts", body = Run))
)]
async fn refresh(State(app): State<Arc<App>>, NoBody: NoBody) -> Result<Json<Run>, Problem> {
    demo(&app)?;
    let run = refresh_health::refresh_health(&app, "demo", &|_, _| {}).await?;
    Ok(Json(run))
}

/// Replaces a person of the sample source.
#[utoipa::path(
    put, path = "/demo/source/{document_number}", tag = "Demo", operation_id = "demo_put_person",
    params(("document_number" = String, Path, description = "The document's number")),
    request_body(content = WireHealthRecord, description = "A health record"),
    responses((status = 204, description = "It is there"))
)]
async fn put_person(
    State(app): State<Arc<App>>,
    ApiPath(number): ApiPath<String>,
    ApiJson(mut record): ApiJson<WireHealthRecord>,
) -> Result<StatusCode, Problem> {
    let source = sample(&app)?;
    if record.document_number.is_empty() {
        record.document_number = number;
    } else if record.document_number != number {
        return Err(Problem::field("document_number", "another_number"));
    }
    let record = HealthRecord::check(&record, &source.rules(app.today()))
        .map_err(|error| Problem::field(error.field, "invalid"))?;
    source.put(record).await.map_err(broken)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a person from the sample source.
#[utoipa::path(
    delete, path = "/demo/source/{document_number}", tag = "Demo",
    operation_id = "demo_remove_person",
    params(("document_number" = String, Path, description = "The document's number")),
    responses((status = 204, description = "It is gone"))
)]
async fn remove_person(
    State(app): State<Arc<App>>,
    ApiPath(number): ApiPath<String>,
) -> Result<StatusCode, Problem> {
    let source = sample(&app)?;
    let removed = source.remove_number(&number, app.today()).await;
    match removed.map_err(broken)? {
        0 => Err(Problem::new(StatusCode::NOT_FOUND, "not_found")),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn broken(error: EmbeddedError) -> Problem {
    crate::error::Error::unexpected(&error.to_string()).into()
}

/// What to break or mend; what is not said stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedFaults {
    /// The health source.
    source: Option<Fault>,
    /// The SMS gateway.
    sms: Option<SmsFault>,
}

/// What is broken.
#[derive(Serialize, utoipa::ToSchema)]
struct Faults {
    /// The health source.
    source: Fault,
    /// The SMS gateway.
    sms: SmsFault,
}

/// What is wrong with the SMS gateway.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SmsFault {
    /// Nothing.
    Ok,
    /// It takes no message.
    Fail,
}

/// Breaks a part, until it is set back.
#[utoipa::path(
    put, path = "/demo/faults", tag = "Demo", operation_id = "demo_set_faults",
    request_body = WantedFaults,
    responses((status = 200, description = "What is broken now", body = Faults))
)]
async fn set_faults(
    State(app): State<Arc<App>>,
    ApiJson(wanted): ApiJson<WantedFaults>,
) -> Result<Json<Faults>, Problem> {
    let demo = demo(&app)?;
    if let Some(fault) = wanted.source {
        demo.faults.set(fault);
    }
    if let Some(fault) = wanted.sms {
        demo.outbox.set_failing(fault == SmsFault::Fail);
    }
    Ok(Json(Faults {
        source: demo.faults.get(),
        sms: if demo.outbox.is_failing() {
            SmsFault::Fail
        } else {
            SmsFault::Ok
        },
    }))
}
