//! `/`: what this is, and the two ways in.
use super::page::{Page, Visit};
use crate::web::cookies;
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    p: Page<'a>,
    /// Whether a join of this browser waits for the source.
    pending: bool,
    /// Where a phone opens this demo.
    phone: Option<String>,
}

/// `GET /`
pub(super) async fn show(visit: Visit) -> Response {
    let template = Home {
        p: visit.titled("home-title"),
        pending: cookies::pending(&visit.app, &visit.headers).is_some(),
        phone: super::demo::address(&visit.app),
    };
    visit.ok(&template)
}
