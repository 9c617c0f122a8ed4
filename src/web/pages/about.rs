//! `/privacy`, `/children`, `/help`, `/accessibility`, and the files by which a platform checks the domain.
use super::page::{Page, Visit};
use askama::Template;
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// A heading with its paragraphs.
struct Part {
    heading: String,
    paragraphs: Vec<String>,
}

#[derive(Template)]
#[template(path = "about.html")]
struct About<'a> {
    p: Page<'a>,
    lead: Vec<String>,
    parts: Vec<Part>,
    /// Whether the rules for children are a page further.
    to_children: bool,
    /// Who runs this service, where the operator gave a name.
    operator: String,
}

/// `GET /privacy`
pub(super) async fn privacy(visit: Visit) -> Response {
    about(&visit, "privacy")
}

/// `GET /children`: the rules for those under 14, apart as the law wants them (PIPL 31).
pub(super) async fn children(visit: Visit) -> Response {
    about(&visit, "children")
}

/// `GET /help`
pub(super) async fn help(visit: Visit) -> Response {
    about(&visit, "help")
}

/// `GET /accessibility`
pub(super) async fn accessibility(visit: Visit) -> Response {
    about(&visit, "accessibility")
}

/// A page whose parts are the texts `NAME-1`, `NAME-2` … with their headings.
fn about(visit: &Visit, name: &str) -> Response {
    let words = visit.words();
    let parts = (1..)
        .map(|number| format!("{name}-{number}"))
        .take_while(|key| words.has(key))
        .map(|key| Part {
            heading: words.t(&format!("{key}-heading")),
            paragraphs: paragraphs(&words.t1(
                &key,
                "days",
                visit.app.config.audit.keep_addresses_days,
            )),
        })
        .collect();
    let template = About {
        p: visit.titled(&format!("{name}-title")),
        lead: paragraphs(&words.t(&format!("{name}-lead"))),
        parts,
        to_children: name == "privacy",
        operator: visit.app.config.operator.name.clone(),
    };
    visit.ok(&template)
}

/// A text's paragraphs: an empty line stands between them.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n")
        .map(|paragraph| paragraph.split('\n').collect::<Vec<_>>().join(" "))
        .filter(|paragraph| !paragraph.trim().is_empty())
        .collect()
}

/// `GET /{name}`: what WeChat and others want to find under a name.
pub(super) async fn verification_file(visit: Visit, Path(name): Path<String>) -> Response {
    match visit.app.config.server.verification_files.get(&name) {
        Some(content) => (
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            content.clone(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
