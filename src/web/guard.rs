//! What a request must be before any handler sees it: small, readable, and from where it may be.
use super::{error::Problem, wants_json};
use crate::app::App;
use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use std::{collections::HashSet, error::Error as _, sync::Arc, time::Duration};
use url::{Url, form_urlencoded};

const URL_BYTES: usize = 2 * 1024;
const HEADER_BYTES: usize = 16 * 1024;
const BODY_BYTES: usize = 16 * 1024;
const LARGE_BODY_BYTES: usize = 64 * 1024;
/// 200 departments of 40 characters: a form spells one of them with nine bytes, or twelve.
const LONG_FORM_BYTES: usize = 128 * 1024;
/// Routes whose body holds a register's departments.
const LONG_FORMS: [&str; 2] = ["/registers/new", "/registers/{id}/settings"];
const LONG_JSON: &str = "/api/v1/registers";
/// Routes that take longer than others.
const LONG: [&str; 2] = ["/exports", "/demo/refresh"];
const FETCH_SITE: &str = "sec-fetch-site";

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Until its body is there.
    pub(super) body: Duration,
    /// Until it is answered.
    pub(super) answer: Duration,
    /// Until it is answered, on a route that takes longer.
    pub(super) long: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(15),
            answer: Duration::from_secs(30),
            long: Duration::from_secs(120),
        }
    }
}

/// Checks a request, reads its body, and bounds the time of its answer.
pub(super) async fn check(
    State((app, times)): State<(Arc<App>, Times)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(problem) = check_head(&app, &parts) {
        return problem.into_response();
    }
    let body = match read_body(&parts, body, times.body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let is_long = LONG.iter().any(|end| route(&parts).ends_with(end));
    let time = if is_long { times.long } else { times.answer };
    let request = Request::from_parts(parts, body);
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let mut problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy");
            problem.retry_after = Some(10);
            problem.into_response()
        }
    }
}

fn route(parts: &Parts) -> &str {
    let path = parts.extensions.get::<MatchedPath>();
    path.map_or("", MatchedPath::as_str)
}

fn check_head(app: &App, parts: &Parts) -> Result<(), Problem> {
    let length = parts
        .uri
        .path_and_query()
        .map_or(0, |own| own.as_str().len());
    if length > URL_BYTES {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "url_too_long"));
    }
    let headers = parts.headers.iter();
    let bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes > HEADER_BYTES {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
        ));
    }
    check_url(&parts.uri)?;
    let from_here = if is_for_programs(parts) {
        !parts.headers.contains_key(header::ORIGIN) || is_own_origin(app, &parts.headers)
    } else {
        // No page answers to other methods; the router says which it does.
        parts.method != Method::POST || is_own_form(app, &parts.headers)
    };
    if !from_here {
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin"));
    }
    Ok(())
}

/// Whether the rules of the API hold: no cookies, JSON, no foreign origin at all.
pub(super) fn is_for_programs(parts: &Parts) -> bool {
    let path = parts.uri.path();
    ["/api/", "/demo/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
        || ["/api", "/healthz", "/readyz"].contains(&path)
        || (path.starts_with("/leave/") && wants_json(&parts.headers))
}

/// A page's form comes from a page of ours: by the browser's word, else by its origin.
fn is_own_form(app: &App, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => site == "same-origin",
        (None, _) => is_own_origin(app, headers),
        (Some(_), Some(_)) => false,
    }
}

/// Whether the one `Origin` is ours. The demo is reached by other addresses than its own, as by a
/// phone in the same network: there the host that was asked for is ours too.
fn is_own_origin(app: &App, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let own = Url::parse(app.public_url())
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if !own.is_empty() && origin == own {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    app.demo.is_some() && !host.is_empty() && origin == format!("http://{host}")
}

/// The URL decodes to UTF-8 without NUL, and no parameter stands twice.
fn check_url(uri: &Uri) -> Result<(), Problem> {
    let query = uri.query().unwrap_or_default();
    for part in [uri.path(), query] {
        let bytes = decode(part);
        if bytes.contains(&0) {
            return Err(Problem::bad("nul"));
        }
        if std::str::from_utf8(&bytes).is_err() {
            return Err(Problem::bad("wrong_encoding"));
        }
    }
    let mut seen = HashSet::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !seen.insert(name) {
            return Err(Problem::bad("repeated_parameter"));
        }
    }
    Ok(())
}

/// Decodes `%41`; what is no such triple stays.
fn decode(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((first, after)) = rest.split_first() {
        let pair = after
            .first()
            .and_then(digit)
            .zip(after.get(1).and_then(digit));
        match pair {
            Some((high, low)) if *first == b'%' => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// Reads the whole body: bodies are small here, and whoever sends one slowly waits alone.
async fn read_body(parts: &Parts, body: Body, time: Duration) -> Result<Body, Problem> {
    let too_large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    let most = match &parts.method {
        &Method::PATCH => LARGE_BODY_BYTES,
        _ if route(parts) == LONG_JSON => LARGE_BODY_BYTES,
        _ if LONG_FORMS.contains(&route(parts)) => LONG_FORM_BYTES,
        _ => BODY_BYTES,
    };
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(time, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(Body::from(bytes)),
        Ok(Err(error))
            if error
                .source()
                .is_some_and(|own| own.is::<LengthLimitError>()) =>
        {
            Err(too_large())
        }
        Ok(Err(_)) => Err(Problem::bad("unreadable_body")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow")),
    }
}
