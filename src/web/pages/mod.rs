//! The pages for people: they work without scripts, in every language of `locales/`. A file holds
//! one page or step; rules are in the actions.
mod about;
mod administrators;
mod assets;
mod board;
mod code;
mod confirmed;
mod consent;
mod counts;
mod demo;
mod facets;
mod failure;
mod fields;
mod flow;
mod form;
mod fresh_code;
mod home;
mod identity;
mod invitation;
mod invite;
mod join;
mod joined;
mod leave;
mod me;
mod member;
mod page;
mod parts;
mod passkey_code;
mod passkeys;
mod pending;
mod registers;
mod report;
mod settings;
mod sign_in;
mod state;
mod street;
mod terms;
mod verify;
mod words;

use super::error::Problem;
use crate::{app::App, texts::Lang};
use axum::{
    Router,
    response::Response,
    routing::{MethodRouter, get, post},
};
use std::sync::Arc;
use words::Words;

/// Every page.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::show))
        .route("/privacy", get(about::privacy))
        .route("/help", get(about::help))
        .route("/accessibility", get(about::accessibility))
        .route("/children", get(about::children))
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .route("/demo", get(demo::show))
        .route("/demo/address.png", get(demo::address_image))
        .route("/{name}", get(about::verification_file))
        // Who somebody is
        .route("/sign-in", get(sign_in::show).post(sign_in::begin))
        .route("/sign-in/passkey", post(passkeys::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/verify", get(verify::show).post(verify::confirm))
        .route("/verify/resend", post(verify::resend))
        // Members
        .route("/j/{code}", get(join::show).post(join::post))
        .route("/j/{code}/report", get(report::show).post(report::post))
        .route("/joined", get(joined::show))
        .route("/pending", get(pending::show))
        .route("/pending/send-code", post(pending::send_code))
        .route("/pending/delete", post(pending::delete))
        .route(
            "/invitations/{link}",
            get(invitation::show).post(invitation::accept),
        )
        .merge(own())
        .merge(registers_routes())
        .merge(administrators_routes())
}

/// Oneself.
fn own() -> Router<Arc<App>> {
    Router::new()
        .route("/me", get(me::show))
        .route("/me/access-log", get(me::access_log))
        .route("/me/data", get(me::data))
        .route("/me/sessions", get(me::sessions))
        .route("/me/sessions/others", post(me::end_others))
        .route("/me/sessions/{id}", post(me::end_session))
        .route("/me/passkeys", get(passkeys::show).post(passkeys::add))
        .route(
            "/me/passkeys/new",
            get(passkey_code::new).post(passkey_code::begin),
        )
        .route(
            "/me/passkeys/code",
            get(passkey_code::code).post(passkey_code::finish),
        )
        .route("/me/passkeys/code/resend", post(passkey_code::resend))
        .route(
            "/me/passkeys/{id}/remove",
            get(passkey_code::ask).post(passkey_code::begin_removal),
        )
        .route(
            "/me/authorizations/{id}",
            get(consent::show).post(consent::post),
        )
        .route(
            "/me/authorizations/{id}/leave",
            get(leave::show).post(leave::post),
        )
        .route(
            "/me/authorizations/{id}/report",
            get(report::show_own).post(report::post_own),
        )
}

/// Administrators.
fn registers_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/registers", get(registers::list))
        .route(
            "/registers/new",
            get(registers::new).post(registers::create),
        )
        .route("/registers/{id}", get(board::show).post(board::search))
        .route("/registers/{id}/counts", get(counts::show))
        .route("/registers/{id}/filter", get(board::filter))
        .route("/registers/{id}/members/{member}", get(member::show))
        .route(
            "/registers/{id}/members/{member}/phone",
            get(member::show).post(member::reveal),
        )
        .route(
            "/registers/{id}/members/{member}/remove",
            get(member::ask).post(member::remove),
        )
        .route("/registers/{id}/code", get(code::show))
        .route("/registers/{id}/code.png", get(code::png))
        .route("/registers/{id}/code.svg", get(code::svg))
        .route(
            "/registers/{id}/code/replace",
            get(code::ask).post(code::replace),
        )
        .route("/registers/{id}/poster", get(code::poster))
        .route(
            "/registers/{id}/settings",
            get(settings::show).post(settings::save),
        )
        .route(
            "/registers/{id}/export",
            get(confirmed::export).post(confirmed::begin_export),
        )
        .route(
            "/registers/{id}/exports",
            get(confirmed::export_code).post(confirmed::finish_export),
        )
        .route(
            "/registers/{id}/exports/resend",
            post(confirmed::resend_export),
        )
        .route(
            "/registers/{id}/delete",
            get(confirmed::ask_delete).post(confirmed::delete),
        )
        .route(
            "/registers/{id}/delete/resend",
            post(confirmed::resend_delete),
        )
}

/// Who administers a register.
fn administrators_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/registers/{id}/administrators", get(administrators::show))
        .route(
            "/registers/{id}/administrators/invite",
            get(invite::show).post(invite::begin),
        )
        .route(
            "/registers/{id}/administrators/code",
            get(invite::code).post(invite::finish),
        )
        .route(
            "/registers/{id}/administrators/code/resend",
            post(invite::resend),
        )
        .route(
            "/registers/{id}/administrators/{administrator}/remove",
            get(administrators::ask).post(administrators::remove),
        )
        .route(
            "/registers/{id}/invitations/{invitation}/withdraw",
            post(administrators::withdraw),
        )
        .route(
            "/registers/{id}/hand-over",
            get(invite::show_hand_over).post(invite::begin_hand_over),
        )
}

/// The address of an asset, for pages that are made elsewhere.
pub(super) fn asset(name: &str) -> &'static str {
    assets::url(name)
}

/// The page of a leave link; the API answers programs under the same address.
pub(super) fn leave() -> MethodRouter<Arc<App>> {
    get(leave::show_link).post(leave::post_link)
}

/// A failure before any page's handler, as a page.
pub(super) fn problem(app: &App, lang: Lang, problem: &Problem, request_id: &str) -> Response {
    failure::bare(Words::new(app, lang), problem, request_id)
}
