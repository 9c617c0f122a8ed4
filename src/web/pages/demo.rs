//! `/demo`: people to try, and the messages that were "sent". Only the demo has it.
use super::page::{Page, Visit};
use crate::{
    actions::code_image::{ImageFormat, draw},
    app::{App, SamplePerson},
    error::{Error, Result},
    model::address::problem_for_phones,
    sms::outbox::Message,
};
use askama::Template;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};

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
    note: String,
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
                note: words.t(person.note),
                person: person.clone(),
            })
            .collect(),
    };
    visit.ok(&template)
}

/// `GET /demo/address.png`: the demo's address as a QR, for a phone in the same network.
pub(super) async fn address_image(visit: Visit) -> Response {
    let result = address_png(&visit);
    visit.answer(result)
}

fn address_png(visit: &Visit) -> Result<Response> {
    let address = address(&visit.app).ok_or(Error::NotFound)?;
    let image = draw(&address, ImageFormat::Png)?;
    Ok(([(header::CONTENT_TYPE, image.content_type)], image.bytes).into_response())
}

/// The demo's own address, where phones can open it.
pub(super) fn address(app: &App) -> Option<String> {
    app.demo.as_ref()?;
    let url = app.public_url();
    let opens = problem_for_phones(url, true).is_none();
    opens.then(|| format!("{}/", url.trim_end_matches('/')))
}
