//! The 登记码: to save, forward or print, its images, its poster, and replacing it.
use super::{
    board::{Tabs, tabs},
    page::{Area, Page, Visit, to},
};
use crate::{
    actions::{
        code_image::{ImageFormat, code_image},
        my,
        replace_code::replace_code,
        show_register::{RegisterDetails, show_register},
    },
    error::{Error, Result},
    model::{id::Id, name::Name},
};
use askama::Template;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// Characters of the code that the poster prints, to tell an old one.
const TAIL: usize = 3;

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    p: Page<'a>,
    tabs: Tabs,
    details: RegisterDetails,
    /// Why phones cannot open the address, in words.
    warning: Option<String>,
}

#[derive(Template)]
#[template(path = "replace.html")]
struct ReplacePage<'a> {
    p: Page<'a>,
    details: RegisterDetails,
}

#[derive(Template)]
#[template(path = "poster.html")]
struct Poster<'a> {
    p: Page<'a>,
    details: RegisterDetails,
    warning: Option<String>,
    host: String,
    /// The administrator's masked name, where it is the owner who prints.
    administrator: String,
    must: String,
    may: String,
    today: String,
    tail: String,
}

/// `GET /registers/{id}/code`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = details(&visit, &id).await.map(|details| {
        visit.ok(&CodePage {
            p: visit
                .page(details.organisation.clone())
                .within(Area::Registers),
            tabs: tabs(&id, "code", &details),
            warning: warning(&visit, &details),
            details,
        })
    });
    visit.answer(result)
}

/// `GET /registers/{id}/code.png`
pub(super) async fn png(visit: Visit, Path(id): Path<String>) -> Response {
    image(&visit, &id, ImageFormat::Png).await
}

/// `GET /registers/{id}/code.svg`
pub(super) async fn svg(visit: Visit, Path(id): Path<String>) -> Response {
    image(&visit, &id, ImageFormat::Svg).await
}

async fn image(visit: &Visit, id: &str, format: ImageFormat) -> Response {
    let result = match Id::parse(id) {
        Some(register) => code_image(&visit.app, &visit.actor, register, format).await,
        None => Err(Error::NotFound),
    };
    let result = result
        .map(|image| ([(header::CONTENT_TYPE, image.content_type)], image.bytes).into_response());
    visit.answer(result)
}

/// `GET /registers/{id}/code/replace`
pub(super) async fn ask(visit: Visit, Path(id): Path<String>) -> Response {
    let result = details(&visit, &id).await.and_then(owner).map(|details| {
        visit.ok(&ReplacePage {
            p: visit.titled("replace-title").within(Area::Registers),
            details,
        })
    });
    visit.answer(result)
}

/// `POST /registers/{id}/code/replace`
pub(super) async fn replace(visit: Visit, Path(id): Path<String>) -> Response {
    let result = match Id::parse(&id) {
        Some(register) => replace_code(&visit.app, &visit.actor, register)
            .await
            .map(|_| to(&format!("/registers/{id}/code"))),
        None => Err(Error::NotFound),
    };
    visit.answer(result)
}

/// `GET /registers/{id}/poster`
pub(super) async fn poster(visit: Visit, Path(id): Path<String>) -> Response {
    let result = poster_page(&visit, &id).await;
    visit.answer(result)
}

async fn poster_page(visit: &Visit, id: &str) -> Result<Response> {
    let details = details(visit, id).await?;
    let words = visit.words();
    let me = my::me(&visit.app, &visit.actor).await?;
    let administrator = me
        .person
        .filter(|_| details.role == "owner")
        .and_then(|person| Name::parse(&person.name).ok())
        .map(|name| name.masked())
        .unwrap_or_default();
    let named = |required: bool| {
        let items: Vec<&str> = details
            .items
            .iter()
            .filter(|own| own.required == required)
            .map(|own| own.item.as_str())
            .collect();
        words.items(&items)
    };
    let host = visit
        .app
        .public_url()
        .split("://")
        .nth(1)
        .unwrap_or_default();
    let tail: Vec<char> = details.code.chars().rev().take(TAIL).collect();
    let template = Poster {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers),
        warning: warning(visit, &details),
        host: host.to_owned(),
        administrator,
        must: named(true),
        may: named(false),
        today: words.day(&visit.app.today().to_string()),
        tail: tail.into_iter().rev().collect(),
        details,
    };
    Ok(visit.ok(&template))
}

async fn details(visit: &Visit, id: &str) -> Result<RegisterDetails> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    show_register(&visit.app, &visit.actor, register).await
}

fn owner(details: RegisterDetails) -> Result<RegisterDetails> {
    if details.role == "owner" {
        Ok(details)
    } else {
        Err(Error::NotFound)
    }
}

fn warning(visit: &Visit, details: &RegisterDetails) -> Option<String> {
    let problem = serde_json::to_value(details.code_warning?).ok()?;
    let Value::String(name) = problem else {
        return None;
    };
    Some(visit.words().of("code-warning", &name))
}
