//! The receipt of a join: what the group sees now, what was consented to, and the link to leave.
use super::{
    flow,
    form::Form,
    page::{Area, Page, Visit, encode, to},
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
    own: MyAuthorization,
    document: String,
    badge: Option<Badge>,
    seen: Vec<(String, State<'a>)>,
    shows_items: bool,
    next: String,
    version: String,
    leave_url: String,
}

/// Signs in, and goes to the receipt: what a post answers with is lost by a reload.
pub(super) fn joined(visit: &Visit, session: &NewSession, joined: &Joined) -> Response {
    let kept = [
        ("id".to_owned(), joined.id.clone()),
        ("link".to_owned(), joined.leave_link.clone()),
    ];
    let response = (
        cookies::signed_in(&visit.app, &session.token),
        cookies::clear_pending(&visit.app),
        cookies::set_joined(&visit.app, &encode(&kept)),
        to("/joined"),
    )
        .into_response();
    flow::end(visit, response)
}

/// `GET /joined`: the receipt, for as long as this browser keeps the link.
pub(super) async fn show(visit: Visit) -> Response {
    let result = receipt(&visit).await;
    visit.answer(result)
}

async fn receipt(visit: &Visit) -> Result<Response> {
    let kept = cookies::joined(&visit.app, &visit.headers).unwrap_or_default();
    let kept = Form::parse(kept.as_bytes());
    let own = my::authorizations(&visit.app, &visit.actor)
        .await?
        .into_iter()
        .find(|own| own.id == kept.get("id"));
    let Some(own) = own else {
        return Ok(to("/me"));
    };
    let words = visit.words();
    let me = my::me(&visit.app, &visit.actor).await?;
    let document = me
        .person
        .filter(|_| own.person.is_self)
        .map(|person| person.document_masked)
        .unwrap_or_default();
    let template = Receipt {
        p: visit
            .page(words.t1("joined-title", "organisation", &own.organisation))
            .within(Area::Own),
        document,
        badge: own
            .verdict
            .map(|verdict| state::badge(words, verdict, None)),
        seen: seen(words, &own),
        shows_items: own.sharing == "details",
        next: words.short_moment(&words.rfc3339(next_due(&visit.app, visit.app.now()))),
        version: super::parts::version(words, &own.consent_version),
        leave_url: format!("{}/leave/{}", visit.app.public_url(), kept.get("link")),
        own,
    };
    Ok(visit.ok(&template))
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
