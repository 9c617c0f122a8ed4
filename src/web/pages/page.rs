//! A visit to a page: who comes, in which language, and what is shown.
use super::{
    failure,
    form::Form,
    words::{Html, Words, plain, rich},
};
use crate::{
    actions::{Actor, Session},
    app::App,
    error::{Error, Result},
    texts::Lang,
    web::{
        actor::PageActor,
        cookies,
        error::{Cause, Problem, status_of},
    },
};
use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use std::{ops::Deref, sync::Arc};
use url::form_urlencoded;

/// Who comes, and what for.
pub(super) struct Visit {
    pub(super) app: Arc<App>,
    pub(super) actor: Actor,
    pub(super) headers: HeaderMap,
    /// The parameters of the address, but for the language.
    pub(super) query: Form,
    path: String,
    /// The language that the address chooses, to be remembered.
    chosen: Option<Lang>,
}

/// Where a page belongs: it decides the links at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    /// For everybody.
    Open,
    /// One's own authorizations.
    Own,
    /// Registers.
    Registers,
}

/// What the frame of a page shows.
pub(super) struct Page<'a> {
    words: Words<'a>,
    /// The heading, with the marks where it may break.
    title: String,
    /// The address that shows this page again in another language.
    path: String,
    pub(super) session: Option<Session>,
    pub(super) area: Area,
    /// Whether something went wrong: the title says so first.
    pub(super) failed: bool,
}

/// Another language that a page is there in.
pub(super) struct Other {
    pub(super) tag: String,
    pub(super) name: String,
    pub(super) href: String,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> std::result::Result<Self, Problem> {
        let PageActor(mut actor) = PageActor::from_request_parts(parts, app).await?;
        let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let chosen = app.texts.find(query.get("lang"));
        if let Some(lang) = chosen {
            actor.lang = lang;
        }
        Ok(Self {
            app: app.clone(),
            actor,
            headers: parts.headers.clone(),
            query: query.without(&["lang"]).into_iter().collect(),
            path: parts.uri.path().to_owned(),
            chosen,
        })
    }
}

impl Visit {
    /// The words of this page.
    pub(super) fn words(&self) -> Words<'_> {
        Words::new(&self.app, self.actor.lang)
    }

    /// A page with this heading, which may hold marks.
    pub(super) fn page(&self, title: String) -> Page<'_> {
        let query = encode(&self.query.without(&[]));
        Page {
            words: self.words(),
            title,
            path: join(&self.path, &query),
            session: self.actor.session,
            area: Area::Open,
            failed: false,
        }
    }

    /// A page whose heading is a text.
    pub(super) fn titled(&self, key: &str) -> Page<'_> {
        self.page(self.words().t(key))
    }

    /// Shows a page.
    pub(super) fn show(&self, status: StatusCode, template: &impl Template) -> Response {
        let response = show(self.words(), status, template);
        match self.chosen {
            Some(lang) => (cookies::set_lang(&self.app, lang), response).into_response(),
            None => response,
        }
    }

    /// Shows a page that is as it should be.
    pub(super) fn ok(&self, template: &impl Template) -> Response {
        self.show(StatusCode::OK, template)
    }

    /// The answer, or the page of what went wrong.
    pub(super) fn answer(&self, result: Result<Response>) -> Response {
        result.unwrap_or_else(|error| self.fail(&error))
    }

    /// The page of what went wrong.
    pub(super) fn fail(&self, error: &Error) -> Response {
        if let Error::NotSignedIn = error {
            return to(&sign_in_address(&self.path_and_query()));
        }
        failure::page(self, error, None)
    }

    /// This page's own address, without the language.
    pub(super) fn path_and_query(&self) -> String {
        join(&self.path, &encode(&self.query.without(&[])))
    }
}

/// Shows a page in a language.
pub(super) fn show(words: Words<'_>, status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_LANGUAGE, words.tag()),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => Problem::from(Error::unexpected(&error.to_string())).into_response(),
    }
}

/// Goes on to another page of this site.
pub(super) fn to(path: &str) -> Response {
    match header::HeaderValue::from_str(path) {
        Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response(),
    }
}

/// The sign-in page that leads back to a page of this site.
pub(super) fn sign_in_address(next: &str) -> String {
    join("/sign-in", &encode(&[("next".to_owned(), next.to_owned())]))
}

/// A path of this site to return to; nothing that could lead elsewhere.
pub(super) fn own_path(next: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let own = next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain);
    own.then(|| next.to_owned())
}

/// Pairs as a query.
pub(super) fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn join(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Adds the log's cause to a response that failed.
pub(super) fn with_cause(mut response: Response, error: &Error) -> Response {
    if let Error::Internal(cause) = error {
        response.extensions_mut().insert(Cause(cause.clone()));
    }
    response
}

/// The status of a page that shows an error.
pub(super) fn status(error: &Error) -> StatusCode {
    status_of(error)
}

impl<'a> Page<'a> {
    /// A page without a visit: what failed before any handler.
    pub(super) fn bare(words: Words<'a>, title: String) -> Self {
        Self {
            words,
            title,
            path: "/".to_owned(),
            session: None,
            area: Area::Open,
            failed: true,
        }
    }

    /// The same page in an area.
    pub(super) fn within(mut self, area: Area) -> Self {
        self.area = area;
        self
    }

    /// The same page as one that tells of a failure.
    pub(super) fn failing(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }

    /// The same page, shown again by another address than the one that was posted to.
    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The heading.
    pub(super) fn heading(&self) -> Html {
        rich(&self.title)
    }

    /// The title of the document.
    pub(super) fn title(&self) -> String {
        let key = if self.failed { "title-failed" } else { "title" };
        self.words.t1(key, "heading", plain(&self.title))
    }

    /// Whether this is a demo.
    pub(super) fn demo(&self) -> bool {
        self.words.app.demo.is_some()
    }

    /// Whether administrators are offered passkeys.
    pub(super) fn passkeys(&self) -> bool {
        self.words.app.passkeys.is_some()
    }

    /// Whether the links for registers stand at the top.
    pub(super) fn in_registers(&self) -> bool {
        self.area == Area::Registers
    }

    /// Whether the links for one's own stand at the top.
    pub(super) fn in_own(&self) -> bool {
        self.area == Area::Own
    }

    /// Whether somebody is signed in for more than leaving.
    pub(super) fn fully(&self) -> bool {
        self.session.is_some_and(|session| !session.leave_only)
    }

    /// The other languages.
    pub(super) fn others(&self) -> Vec<Other> {
        let texts = self.words.texts();
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        texts
            .languages()
            .filter(|lang| *lang != self.words.lang)
            .map(|lang| {
                let mut pairs = Form::parse(query.as_bytes()).without(&["lang"]);
                pairs.push(("lang".to_owned(), texts.tag(lang).to_owned()));
                Other {
                    tag: texts.tag(lang).to_owned(),
                    name: texts.get(lang, "language-name", &[]),
                    href: join(path, &encode(&pairs)),
                }
            })
            .collect()
    }
}

impl<'a> Deref for Page<'a> {
    type Target = Words<'a>;

    fn deref(&self) -> &Words<'a> {
        &self.words
    }
}
