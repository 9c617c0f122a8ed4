//! Who asks: read from a request, never from its body.
use super::{cookies, error::Problem};
use crate::{
    actions::{Actor, sessions},
    app::App,
    texts::Lang,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath},
    http::{Extensions, HeaderMap, header, request::Parts},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// What a register's page asks for while it is open.
const COUNTS: &str = "/registers/{id}/counts";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who calls the API: by a bearer token alone. Cookies mean nothing there.
pub(super) struct ApiActor(pub(super) Actor);

/// The same, signed in: nobody else's body is even read.
pub(super) struct ApiUser(pub(super) Actor);

/// Who looks at a page: by the session cookie.
pub(super) struct PageActor(pub(super) Actor);

impl FromRequestParts<Arc<App>> for ApiActor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let session = match bearer(&parts.headers) {
            Some(token) => sessions::find(app, token, true).await?,
            None => None,
        };
        Ok(Self(Actor {
            address: address(app, &parts.headers, &parts.extensions),
            session,
            flow: None,
            lang: accepted(app, &parts.headers),
        }))
    }
}

impl FromRequestParts<Arc<App>> for ApiUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let ApiActor(actor) = ApiActor::from_request_parts(parts, app).await?;
        actor.signed_in()?;
        Ok(Self(actor))
    }
}

impl FromRequestParts<Arc<App>> for PageActor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let session = match cookies::session(app, &parts.headers) {
            Some(token) => sessions::find(app, &token, !by_itself(parts)).await?,
            None => None,
        };
        Ok(Self(Actor {
            address: address(app, &parts.headers, &parts.extensions),
            session,
            flow: cookies::flow(app, &parts.headers),
            lang: page_lang(app, &parts.headers),
        }))
    }
}

/// Whether a page's script asks, and nobody's finger.
fn by_itself(parts: &Parts) -> bool {
    let path = parts.extensions.get::<MatchedPath>();
    path.is_some_and(|path| path.as_str() == COUNTS)
}

/// The token of `Authorization: Bearer …`; nothing where there are two.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The client's address: the peer's, or by a trusted proxy's word the nearest that is no trusted
/// proxy itself.
fn address(app: &App, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    let trusted = |address: IpAddr| {
        let networks = &app.config.server.trusted_proxies;
        networks.iter().any(|network| network.contains(&address))
    };
    let mut nearest = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip())
        .to_canonical();
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !trusted(nearest) {
            break;
        }
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
    }
    nearest
}

/// The language of a page: chosen, else accepted, else the default.
pub(super) fn page_lang(app: &App, headers: &HeaderMap) -> Lang {
    cookies::lang(app, headers).unwrap_or_else(|| accepted(app, headers))
}

/// The best language of `Accept-Language` that texts are there in, else the default.
pub(super) fn accepted(app: &App, headers: &HeaderMap) -> Lang {
    let Some(line) = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
    else {
        return Lang::default();
    };
    let mut best: Option<(f32, Lang)> = None;
    for part in line.split(',') {
        let (tag, quality) = match part.split_once(';') {
            Some((tag, weight)) => {
                let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
                (tag, weight.and_then(Result::ok).unwrap_or(0.0))
            }
            None => (part, 1.0),
        };
        let lang = match tag.trim() {
            "*" => Some(Lang::default()),
            tag => app.texts.find(tag),
        };
        if let Some(lang) = lang
            && quality > best.map_or(0.0, |(quality, _)| quality)
        {
            best = Some((quality, lang));
        }
    }
    best.map_or_else(Lang::default, |(_, lang)| lang)
}
