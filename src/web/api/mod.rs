//! The JSON API.
use crate::app::App;
use axum::Router;
use std::sync::Arc;

/// Every route of the API.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
}
