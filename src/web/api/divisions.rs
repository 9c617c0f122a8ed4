//! China's divisions, for picking a street.
use crate::{
    model::division::{self, Division},
    web::{error::Problem, headers::Caching, json::ApiQuery},
};
use axum::{Extension, Json};
use serde::Deserialize;

/// Which divisions are wanted.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those below this one; the provinces where nothing is said.
    parent: Option<String>,
    /// Those at any depth whose names hold this.
    q: Option<String>,
}

/// Lists or searches divisions.
#[utoipa::path(
    get, path = "/divisions", tag = "Registers", operation_id = "list_divisions",
    params(Wanted),
    responses((status = 200, description = "The divisions", body = Vec<Division>))
)]
pub(super) async fn list(
    ApiQuery(wanted): ApiQuery<Wanted>,
) -> Result<(Extension<Caching>, Json<Vec<Division>>), Problem> {
    let parent = wanted.parent.as_deref().filter(|code| !code.is_empty());
    let found = division::search(parent, wanted.q.as_deref().unwrap_or_default());
    Ok((Extension(Caching::Hour), Json(found)))
}
