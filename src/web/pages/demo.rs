//! `/demo`: people to try, and the messages that were "sent". Only the demo has it.
use super::page::{Page, Visit};
use crate::{app::SamplePerson, error::Error, sms::outbox::Message};
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
struct DemoPerson {
    person: SamplePerson,
    note: &'static str,
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
    let people = demo.people.get().into_iter().flatten();
    let template = DemoPage {
        p: visit.titled("demo-title"),
        sent,
        people: people
            .map(|person| DemoPerson {
                note: note(words.tag(), person.note),
                person: person.clone(),
            })
            .collect(),
    };
    visit.ok(&template)
}

/// A note in one of its two languages.
fn note(tag: &str, both: &'static str) -> &'static str {
    let mut parts = both.split(" / ");
    let first = parts.next().unwrap_or_default();
    if tag.starts_with("zh") {
        first
    } else {
        parts.next().unwrap_or(first)
    }
}
