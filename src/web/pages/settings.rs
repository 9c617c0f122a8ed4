//! `/registers/{id}/settings`: what the owner may still change, and the way to deletion.
use super::{
    board::{Tabs, tabs},
    fields::{Field, Kind, Problems},
    form::Form,
    page::{Area, Page, Visit, status, to},
    terms::{self, ItemFields},
};
use crate::{
    actions::{
        change_register::{ChangedRegister, change_register},
        show_register::{RegisterDetails, show_register},
    },
    error::{Error, Result},
    model::{
        id::Id,
        register::{ORGANISATION, PURPOSE, TITLE},
    },
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings<'a> {
    p: Page<'a>,
    tabs: Tabs,
    details: RegisterDetails,
    problems: Problems<'a>,
    saved: bool,
    open: Vec<Field<'a>>,
    fields: Vec<Field<'a>>,
    items: Vec<ItemFields<'a>>,
}

/// `GET /registers/{id}/settings`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = page(&visit, &id, None, None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/settings`
pub(super) async fn save(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = change(&visit, &id, &form).await;
    visit.answer(result)
}

async fn change(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let words = visit.words();
    let given = |name: &str| form.has(name).then(|| form.get(name).to_owned());
    let changed = ChangedRegister {
        organisation: given("organisation"),
        purpose: given("purpose"),
        contact: given("contact"),
        administrator_title: given("administrator_title").map(Some),
        street_code: None,
        items: Some(terms::asked(words, form)),
        requirements: Some(terms::requirements(words, form)),
        departments: Some(terms::departments(form)),
        ends_on: given("ends_on").map(Some),
    };
    match change_register(&visit.app, &visit.actor, register, &changed).await {
        Ok(_) => Ok(to(&format!("/registers/{id}/settings?saved=yes"))),
        Err(error @ Error::Invalid(_)) => page(visit, id, Some(form), Some(&error)).await,
        Err(error) => Err(error),
    }
}

async fn page(
    visit: &Visit,
    id: &str,
    form: Option<&Form>,
    error: Option<&Error>,
) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let words = visit.words();
    let details = show_register(&visit.app, &visit.actor, register).await?;
    if details.role != "owner" {
        return Err(Error::NotFound);
    }
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let form = form.cloned().unwrap_or_else(|| as_form(&details));
    let line = |name: &str, most: usize| {
        Field::line(words, name)
            .value(form.get(name))
            .most(most)
            .checked(&problems)
    };
    let open = if details.fixed {
        Vec::new()
    } else {
        vec![line("organisation", ORGANISATION), line("purpose", PURPOSE)]
    };
    let template = Settings {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers)
            .failing(error.is_some()),
        tabs: tabs(id, "settings", &details),
        saved: error.is_none() && visit.query.is("saved", "yes"),
        open,
        fields: vec![
            line("contact", 254),
            line("administrator_title", TITLE).optional(),
            Field::new(words, "departments", Kind::Text)
                .optional()
                .value(form.get("departments"))
                .checked(&problems),
            Field::date(words, "ends_on", form.get("ends_on"))
                .optional()
                .checked(&problems),
        ],
        items: terms::item_fields(words, &form, &problems),
        problems,
        details,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

fn as_form(details: &RegisterDetails) -> Form {
    let own = [
        ("organisation", details.organisation.clone()),
        ("purpose", details.purpose.clone()),
        ("contact", details.contact.clone()),
        (
            "administrator_title",
            details.administrator_title.clone().unwrap_or_default(),
        ),
        ("departments", details.departments.join("\n")),
        ("ends_on", details.ends_on.clone().unwrap_or_default()),
    ];
    own.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(terms::chosen(&details.items, &details.requirements))
        .collect()
}
