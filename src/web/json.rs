//! JSON and parameters, read strictly: what is refused names where.
use super::{
    error::Problem,
    strict::{read, typed},
};
use crate::app::App;
use axum::{
    body::Bytes,
    extract::{self, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::sync::Arc;
use url::form_urlencoded;

/// A JSON body.
pub(super) struct ApiJson<T>(pub(super) T);

/// The parameters of a URL. Every one is text; the action reads it.
pub(super) struct ApiQuery<T>(pub(super) T);

/// The parts of a path; what cannot be read is not found.
pub(super) struct ApiPath<T>(pub(super) T);

/// No body, or an empty object.
pub(super) struct NoBody;

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(unsupported());
        }
        read(&body(request, app).await?).map(Self)
    }
}

impl FromRequest<Arc<App>> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let has_type = request.headers().contains_key(header::CONTENT_TYPE);
        let is_json = is_json(request.headers());
        let bytes = body(request, app).await?;
        if bytes.is_empty() && (is_json || !has_type) {
            return Ok(Self);
        }
        if !is_json {
            return Err(unsupported());
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let Nothing {} = read(&bytes)?;
        Ok(Self)
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        // That it is UTF-8 and repeats nothing was checked for every request.
        let pairs = form_urlencoded::parse(query.as_bytes());
        let values: Map<String, Value> = pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        typed(Value::Object(values)).map(Self)
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for ApiPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(StatusCode::NOT_FOUND, "not_found")),
        }
    }
}

fn unsupported() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
}

async fn body(request: Request, app: &Arc<App>) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app)
        .await
        .map_err(|_| Problem::bad("unreadable_body"))
}

/// Whether the one `Content-Type` is `application/json`, in UTF-8 where it says, and nothing is
/// packed.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return false;
    };
    let mut parts = kind.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    is_json && is_utf8 && !headers.contains_key(header::CONTENT_ENCODING)
}
