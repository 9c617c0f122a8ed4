//! `/pending`: a join that waits for a source that is down (待比对), by the handle in a cookie.
use super::{
    failure::{self, Again},
    flow,
    page::{Page, Visit, to},
};
use crate::{
    actions::pending_join::{self, PendingView},
    error::{Error, Result},
    web::cookies,
};
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "pending.html")]
struct Pending<'a> {
    p: Page<'a>,
    view: PendingView,
    until: String,
    matched: bool,
    /// Whether it was just tried again, in vain.
    tried: bool,
}

/// `GET /pending`
pub(super) async fn show(visit: Visit) -> Response {
    let result = page(&visit, false).await;
    visit.answer(result)
}

/// `POST /pending/send-code`
pub(super) async fn send_code(visit: Visit) -> Response {
    let result = send(&visit).await;
    visit.answer(result)
}

/// `POST /pending/delete`
pub(super) async fn delete(visit: Visit) -> Response {
    let result = match handle(&visit) {
        Ok(handle) => pending_join::delete(&visit.app, &handle).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) | Err(Error::NotFound) => {
            let page = visit.titled("pending-deleted-title").at("/");
            let lines = vec![visit.words().t("pending-deleted")];
            let response = super::parts::told(&visit, page, lines, ("/", "go-home"));
            (cookies::clear_pending(&visit.app), response).into_response()
        }
        Err(error) => visit.fail(&error),
    }
}

fn handle(visit: &Visit) -> Result<String> {
    cookies::pending(&visit.app, &visit.headers).ok_or(Error::NotFound)
}

async fn send(visit: &Visit) -> Result<Response> {
    let handle = handle(visit)?;
    let (actor, secret) = flow::tied(visit);
    match pending_join::send_code(&visit.app, &actor, &handle).await {
        Ok(started) => {
            let more = [("back", "/pending")];
            Ok(flow::begin(visit, &secret, &started, "/verify", &more))
        }
        Err(Error::SourceUnavailable) => page(visit, true).await,
        Err(error @ Error::ResendTooEarly { .. }) if flow::Flow::of(visit).is_some() => {
            let again = Again {
                action: "/pending/send-code".to_owned(),
                pairs: Vec::new(),
                label: visit.words().t("resend"),
            };
            Ok(failure::page(visit, &error, Some(again)))
        }
        Err(error @ Error::SmsNotSent) => {
            let again = Again {
                action: "/pending/send-code".to_owned(),
                pairs: Vec::new(),
                label: visit.words().t("resend"),
            };
            Ok(failure::page(visit, &error, Some(again)))
        }
        Err(error @ Error::IdentityMismatch { .. }) => {
            let response = failure::page(visit, &error, None);
            Ok((cookies::clear_pending(&visit.app), response).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn page(visit: &Visit, tried: bool) -> Result<Response> {
    let view = match handle(visit) {
        Ok(handle) => pending_join::show(&visit.app, &handle).await,
        Err(_) => return Ok(to("/")),
    };
    let view = match view {
        Ok(view) => view,
        Err(Error::NotFound) => {
            let response = visit.fail(&Error::NotFound);
            return Ok((cookies::clear_pending(&visit.app), response).into_response());
        }
        Err(error) => return Err(error),
    };
    let words = visit.words();
    let matched = view.state == "matched";
    let title = if matched {
        "pending-title-matched"
    } else {
        "failure-source-unavailable"
    };
    let template = Pending {
        p: visit.titled(title).at("/pending"),
        until: words.moment(&view.until),
        matched,
        tried,
        view,
    };
    let status = if tried {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    Ok(visit.show(status, &template))
}
