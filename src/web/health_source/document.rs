//! The OpenAPI document of the Health Source API.
use axum::{Json, response::IntoResponse};
use utoipa::OpenApi;

/// The contract, for whoever builds a server.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Health Source API",
        version = "1.0.0",
        description = "What tuantibu asks of an authority's server. Each request carries \
            X-Tuantibu-Client, X-Tuantibu-Timestamp (seconds since the Unix epoch) and \
            X-Tuantibu-Signature: sha256= and the hexadecimal HMAC-SHA256, with the shared secret, \
            of timestamp, method, path with query and body, with a full stop between each two."
    ),
    paths(super::about, super::match_one, super::read, super::changes)
)]
pub(crate) struct Contract;

/// `GET /v1/openapi.json`
pub(super) async fn show() -> impl IntoResponse {
    Json(Contract::openapi())
}
