//! A register's members and their counts.
use crate::{
    actions::{
        member_output::Member,
        remove_member, reveal_phone as reveal,
        summarise_register::{self, Summary},
        view_register::{self, MembersPage, MembersQuery},
    },
    app::App,
    model::id::Id,
    web::{
        actor::ApiUser,
        error::Problem,
        json::{ApiJson, ApiPath, ApiQuery, NoBody},
        strict::{Word, word},
    },
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const JSON: &str = "application/json";

/// A part of a name, and the filters of the list.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// A part of the name.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    name: String,
    /// As in the list.
    verdict: Option<String>,
    /// As in the list.
    item: Option<String>,
    /// As in the list.
    value: Option<String>,
    /// As in the list.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = Option<Word>)]
    days: Option<String>,
    /// As in the list.
    state: Option<String>,
    /// As in the list.
    department: Option<String>,
    /// As in the list.
    sort: Option<String>,
    /// As in the list.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = Option<Word>)]
    limit: Option<String>,
    /// As in the list.
    after: Option<String>,
}

/// A revealed phone.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Revealed {
    /// The whole number.
    phone: String,
}

/// Counts members by verdict and by item.
#[utoipa::path(
    get, path = "/registers/{id}/summary", tag = "Members", operation_id = "summarise_register",
    params(("id" = String, Path, description = "The register")),
    responses((status = 200, description = "The counts", body = Summary)),
    security(("bearer" = []))
)]
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
) -> Result<Json<Summary>, Problem> {
    Ok(Json(
        summarise_register::summarise_register(&app, &actor, id).await?,
    ))
}

/// Lists members, filtered and paged.
#[utoipa::path(
    get, path = "/registers/{id}/members", tag = "Members", operation_id = "list_members",
    params(("id" = String, Path, description = "The register"), MembersQuery),
    responses((status = 200, description = "A page of members", body = MembersPage)),
    security(("bearer" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiQuery(query): ApiQuery<MembersQuery>,
) -> Result<Response, Problem> {
    let found = view_register::list_members(&app, &actor, id, &query).await?;
    Ok(([(header::CONTENT_TYPE, JSON)], found.json(&app)).into_response())
}

/// Searches members by name; the words stand in no URL.
#[utoipa::path(
    post, path = "/registers/{id}/members/search", tag = "Members",
    operation_id = "search_members",
    params(("id" = String, Path, description = "The register")),
    request_body = Search,
    responses((status = 200, description = "A page of members", body = MembersPage)),
    security(("bearer" = []))
)]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath(id): ApiPath<Id>,
    ApiJson(body): ApiJson<Search>,
) -> Result<Response, Problem> {
    let query = MembersQuery {
        verdict: body.verdict,
        item: body.item,
        value: body.value,
        days: body.days,
        state: body.state,
        department: body.department,
        sort: body.sort,
        limit: body.limit,
        after: body.after,
    };
    let found = view_register::search_members(&app, &actor, id, &body.name, &query).await?;
    Ok(([(header::CONTENT_TYPE, JSON)], found.json(&app)).into_response())
}

/// Shows one member.
#[utoipa::path(
    get, path = "/registers/{id}/members/{member}", tag = "Members", operation_id = "show_member",
    params(
        ("id" = String, Path, description = "The register"),
        ("member" = String, Path, description = "The member")
    ),
    responses((status = 200, description = "The member", body = Member)),
    security(("bearer" = []))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath((id, member)): ApiPath<(Id, Id)>,
) -> Result<Json<Member>, Problem> {
    Ok(Json(
        view_register::show_member(&app, &actor, id, member).await?,
    ))
}

/// Removes a member.
#[utoipa::path(
    delete, path = "/registers/{id}/members/{member}", tag = "Members",
    operation_id = "remove_member",
    params(
        ("id" = String, Path, description = "The register"),
        ("member" = String, Path, description = "The member")
    ),
    responses((status = 204, description = "The member is removed")),
    security(("bearer" = []))
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath((id, member)): ApiPath<(Id, Id)>,
) -> Result<StatusCode, Problem> {
    remove_member::remove_member(&app, &actor, id, member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reveals a member's phone, which is logged and shown to the member.
#[utoipa::path(
    post, path = "/registers/{id}/members/{member}/phone", tag = "Members",
    operation_id = "reveal_phone",
    params(
        ("id" = String, Path, description = "The register"),
        ("member" = String, Path, description = "The member")
    ),
    responses((status = 200, description = "The phone", body = Revealed)),
    security(("bearer" = []))
)]
pub(super) async fn reveal_phone(
    State(app): State<Arc<App>>,
    ApiUser(actor): ApiUser,
    ApiPath((id, member)): ApiPath<(Id, Id)>,
    NoBody: NoBody,
) -> Result<Json<Revealed>, Problem> {
    let phone = reveal::reveal_phone(&app, &actor, id, member).await?;
    Ok(Json(Revealed { phone }))
}
