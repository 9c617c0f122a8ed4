//! Leaving: one confirmation page, then a receipt; by one's session or by the link of the receipt.
use super::page::{Area, Page, Visit};
use crate::{
    actions::{
        access_log,
        leave_register::{self, Receipt},
        my,
    },
    error::{Error, Result},
    model::id::Id,
    web::cookies,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "leave.html")]
struct Confirm<'a> {
    p: Page<'a>,
    action: String,
    /// Whose authorization it is, where it is not one's own.
    other: Option<String>,
    /// Exports that were made since joining, in words.
    exported: Option<String>,
    /// Where one stays.
    back: String,
}

#[derive(Template)]
#[template(path = "left.html")]
struct Left<'a> {
    p: Page<'a>,
    organisation: String,
    erased: Vec<String>,
    kept: Vec<String>,
    at: String,
    signed: String,
    signed_in: bool,
}

/// `GET /me/authorizations/{id}/leave`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = confirm_own(&visit, &id).await;
    visit.answer(result)
}

/// `POST /me/authorizations/{id}/leave`
pub(super) async fn post(visit: Visit, Path(id): Path<String>) -> Response {
    let left = match Id::parse(&id) {
        Some(id) => leave_register::leave_register(&visit.app, &visit.actor, id).await,
        None => Err(Error::NotFound),
    };
    let result = left.map(|receipt| left_page(&visit, &receipt));
    visit.answer(result)
}

/// `GET /leave/{link}`
pub(super) async fn show_link(visit: Visit, Path(link): Path<String>) -> Response {
    let result = leave_register::show_link(&visit.app, &link)
        .await
        .map(|shown| {
            let words = visit.words();
            visit.ok(&Confirm {
                p: visit.page(words.t1("leave-title", "organisation", &shown.organisation)),
                action: format!("/leave/{link}"),
                other: None,
                exported: None,
                back: "/".to_owned(),
            })
        });
    visit.answer(result)
}

/// `POST /leave/{link}`
pub(super) async fn post_link(visit: Visit, Path(link): Path<String>) -> Response {
    let result = leave_register::leave_by_link(&visit.app, &visit.actor, &link)
        .await
        .map(|receipt| left_page(&visit, &receipt));
    visit.answer(result)
}

async fn confirm_own(visit: &Visit, id: &str) -> Result<Response> {
    let own = Id::parse(id).ok_or(Error::NotFound)?;
    let own = my::authorization(&visit.app, &visit.actor, own).await?;
    let words = visit.words();
    let exports: Vec<_> = access_log::access_log(&visit.app, &visit.actor)
        .await?
        .into_iter()
        .filter(|access| access.action == "exported" && access.register == own.organisation)
        .collect();
    let exported = exports.first().map(|last| {
        words.t2(
            "leave-exported",
            "time",
            words.moment(&last.at),
            "count",
            exports.len(),
        )
    });
    let title = words.t1("leave-title", "organisation", &own.organisation);
    let template = Confirm {
        p: visit.page(title).within(Area::Own),
        action: format!("/me/authorizations/{id}/leave"),
        other: (!own.person.is_self).then_some(own.person.name),
        exported,
        back: "/me".to_owned(),
    };
    Ok(visit.ok(&template))
}

fn left_page(visit: &Visit, receipt: &Receipt) -> Response {
    let words = visit.words();
    let erased = receipt
        .erased
        .iter()
        .map(|what| match what.strip_prefix("health_items.") {
            Some(item) => words.item(item),
            None => words.of("erased", what),
        })
        .collect();
    let kept = receipt
        .kept
        .iter()
        .map(|kept| words.of("kept", &format!("{}-{}", kept.what, kept.why)))
        .collect();
    let template = Left {
        p: visit.titled("left-title").within(Area::Own).at("/"),
        organisation: receipt.organisation.clone(),
        erased,
        kept,
        at: words.full_moment(&receipt.at),
        signed: receipt.signed.clone(),
        signed_in: visit.actor.session.is_some(),
    };
    let response = visit.ok(&template);
    (cookies::clear_pending(&visit.app), response).into_response()
}
