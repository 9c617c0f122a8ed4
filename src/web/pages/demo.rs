//! `/demo`: people to try, and the messages that were "sent". Only the demo has it.
use super::page::{Page, Visit};
use crate::{error::Error, sms::outbox::Message};
use askama::Template;
use axum::response::Response;

/// Messages that the page shows.
const SHOWN: usize = 20;

struct Sent {
    at: String,
    message: Message,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage<'a> {
    p: Page<'a>,
    sent: Vec<Sent>,
    people: Vec<DemoPerson>,
}

/// Somebody of the sample source.
pub(super) struct DemoPerson {
    pub(super) name: String,
    pub(super) document: String,
    pub(super) phone: String,
    pub(super) about: String,
}

/// `GET /demo`
pub(super) async fn show(visit: Visit) -> Response {
    let Some(demo) = &visit.app.demo else {
        return visit.fail(&Error::NotFound);
    };
    let words = visit.words();
    let sent = demo
        .outbox
        .messages(None)
        .into_iter()
        .take(SHOWN)
        .map(|message| Sent {
            at: words.moment(&words.rfc3339(message.at)),
            message,
        })
        .collect();
    let template = DemoPage {
        p: visit.titled("demo-title"),
        sent,
        people: Vec::new(),
    };
    visit.ok(&template)
}
