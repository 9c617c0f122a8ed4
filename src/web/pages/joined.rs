//! The receipt of a join: what the group sees now, what was consented to, and the link to leave.
use super::{
    flow,
    page::{Area, Page, Visit},
    state::{self, Badge, State},
};
use crate::{
    actions::{
        join_register::Joined,
        my::{self, MyAuthorization},
        refresh_health::next_due,
        sessions::NewSession,
    },
    error::Result,
    web::cookies,
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "joined.html")]
struct Receipt<'a> {
    p: Page<'a>,
    joined: &'a Joined,
    own: MyAuthorization,
    document: String,
    badge: Option<Badge>,
    seen: Vec<(String, State<'a>)>,
    shows_items: bool,
    next: String,
    version: String,
}

/// The receipt, with the new session.
pub(super) async fn receipt(
    visit: &Visit,
    session: &NewSession,
    joined: &Joined,
) -> Result<Response> {
    let mut actor = visit.actor.clone();
    actor.session = Some(session.session);
    let words = visit.words();
    let own = my::authorizations(&visit.app, &actor)
        .await?
        .into_iter()
        .find(|own| own.id == joined.id)
        .ok_or(crate::error::Error::NotFound)?;
    let me = my::me(&visit.app, &actor).await?;
    let document = me
        .person
        .filter(|_| own.person.is_self)
        .map(|person| person.document_masked)
        .unwrap_or_default();
    let mut page = visit
        .page(words.t1("joined-title", "organisation", &joined.organisation))
        .within(Area::Own)
        .at("/me");
    page.session = actor.session;
    let template = Receipt {
        p: page,
        joined,
        document,
        badge: own
            .verdict
            .map(|verdict| state::badge(words, verdict, None)),
        seen: seen(words, &own),
        shows_items: own.sharing == "details",
        next: words.short_moment(&words.rfc3339(next_due(&visit.app, visit.app.now()))),
        version: super::parts::version(words, &joined.consent_version),
        own,
    };
    let html = visit.ok(&template);
    let response = (cookies::signed_in(&visit.app, &session.token), html).into_response();
    let response = (cookies::clear_pending(&visit.app), response).into_response();
    Ok(flow::end(visit, response))
}

/// The items that the group sees, in the register's order.
pub(super) fn seen<'a>(
    words: super::words::Words<'a>,
    own: &MyAuthorization,
) -> Vec<(String, State<'a>)> {
    own.asked
        .iter()
        .filter_map(|asked| {
            let shown = own.seen.get(&asked.item)?;
            let state = match shown.state() {
                crate::model::health::ItemState::Ok => {
                    State::of(words, &asked.item, shown, false).short()
                }
                other => State::without_value(words, other, None).short(),
            };
            Some((words.item(&asked.item), state))
        })
        .collect()
}
