//! `/registers`: the registers that one administers, and making a new one in three steps.
use super::{
    fields::{Field, Kind, Problems},
    form::Form,
    page::{Area, Page, Visit, status, to},
    street::Street,
    terms::{self, ItemFields},
    words::Html,
};
use crate::{
    actions::{
        create_register::{NewRegister, create_register},
        list_registers::{OwnRegister, list_registers},
    },
    error::{Error, FieldError, Result},
    model::{
        division,
        register::{ORGANISATION, PURPOSE, TITLE, TypedTerms},
        requirement::Requirement,
    },
};
use askama::Template;
use axum::{http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "registers.html")]
struct Registers<'a> {
    p: Page<'a>,
    registers: Vec<OwnRegister>,
}

/// `GET /registers`
pub(super) async fn list(visit: Visit) -> Response {
    let result = list_registers(&visit.app, &visit.actor)
        .await
        .map(|registers| {
            visit.ok(&Registers {
                p: visit.titled("registers-title").within(Area::Registers),
                registers,
            })
        });
    visit.answer(result)
}

/// The fields of the first step.
const FIRST: [&str; 7] = [
    "organisation",
    "street_code",
    "contact",
    "administrator_title",
    "purpose",
    "departments",
    "ends_on",
];

#[derive(Template)]
#[template(path = "new_register.html")]
struct NewFirst<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    kept: Vec<(String, String)>,
    organisation: Field<'a>,
    street: Street<'a>,
    rest: Vec<Field<'a>>,
}

#[derive(Template)]
#[template(path = "new_items.html")]
struct NewItems<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    kept: Vec<(String, String)>,
    items: Vec<ItemFields<'a>>,
}

#[derive(Template)]
#[template(path = "new_check.html")]
struct NewCheck<'a> {
    p: Page<'a>,
    steps: Html,
    kept: Vec<(String, String)>,
    form: Form,
    street: String,
    departments: Vec<String>,
    items: Vec<Checked>,
}

/// An item as the last step shows it.
struct Checked {
    name: String,
    required: bool,
    rule: String,
}

/// `GET /registers/new`
pub(super) async fn new(visit: Visit) -> Response {
    if let Err(error) = visit.actor.fully_signed_in() {
        return visit.fail(&error);
    }
    let form: Form = terms::suggested(visit.words()).into_iter().collect();
    first(&visit, &form, None)
}

/// `POST /registers/new`
pub(super) async fn create(visit: Visit, form: Form) -> Response {
    if let Err(error) = visit.actor.fully_signed_in() {
        return visit.fail(&error);
    }
    if form.has("pick") {
        let mut pairs = form.without(&["pick", "street_code", "step"]);
        pairs.push(("street_code".to_owned(), form.get("pick").to_owned()));
        return first(&visit, &pairs.into_iter().collect(), None);
    }
    let wrong = check(&visit, &form);
    let (in_first, in_items): (Vec<_>, Vec<_>) = wrong.into_iter().partition(is_of_first);
    match form.get("step") {
        "back" => return first(&visit, &form, None),
        "items" if in_first.is_empty() => return items(&visit, &form, None),
        "back-to-items" => return items(&visit, &form, None),
        _ => {}
    }
    if !in_first.is_empty() {
        return first(&visit, &form, Some(&Error::Invalid(in_first)));
    }
    if !in_items.is_empty() {
        return items(&visit, &form, Some(&Error::Invalid(in_items)));
    }
    if !form.is("step", "create") {
        return last(&visit, &form);
    }
    let result = made(&visit, &form).await;
    visit.answer(result)
}

async fn made(visit: &Visit, form: &Form) -> Result<Response> {
    let words = visit.words();
    let new = NewRegister {
        organisation: form.get("organisation").to_owned(),
        contact: form.get("contact").to_owned(),
        administrator_title: form.typed("administrator_title"),
        street_code: form.get("street_code").to_owned(),
        purpose: form.get("purpose").to_owned(),
        items: terms::asked(words, form),
        requirements: terms::requirements(words, form),
        departments: Some(terms::departments(form)),
        ends_on: form.typed("ends_on"),
    };
    match create_register(&visit.app, &visit.actor, &new).await {
        Ok(made) => Ok(to(&format!("/registers/{}/code", made.id))),
        Err(error @ Error::Invalid(_)) => Ok(first(visit, form, Some(&error))),
        Err(error) => Err(error),
    }
}

/// What is wrong so far, by the rules of the model alone.
fn check(visit: &Visit, form: &Form) -> Vec<FieldError> {
    let words = visit.words();
    let typed = TypedTerms {
        organisation: Some(form.get("organisation").to_owned()),
        contact: Some(form.get("contact").to_owned()),
        administrator_title: form.typed("administrator_title"),
        street_code: Some(form.get("street_code").to_owned()),
        purpose: Some(form.get("purpose").to_owned()),
        items: Some(terms::asked(words, form)),
        requirements: Some(terms::requirements(words, form)),
        departments: Some(terms::departments(form)),
        ends_on: form.typed("ends_on"),
    };
    let checked = typed.check(&visit.app.catalogue, visit.app.today());
    checked.err().unwrap_or_default()
}

fn is_of_first(error: &FieldError) -> bool {
    let name = error.field.split('.').next().unwrap_or_default();
    FIRST.contains(&name)
}

fn first(visit: &Visit, form: &Form, error: Option<&Error>) -> Response {
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let line = |name: &str, most: usize| {
        Field::line(words, name)
            .value(form.get(name))
            .most(most)
            .checked(&problems)
    };
    let ends = Field::date(words, "ends_on", form.get("ends_on"));
    let departments = Field::new(words, "departments", Kind::Text);
    let template = NewFirst {
        p: page(visit, "new-title", error),
        steps: super::parts::steps(words, 1, 3, "step-organisation"),
        kept: form.without(&[&FIRST[..], &["step", "pick"]].concat()),
        organisation: line("organisation", ORGANISATION).autocomplete("organization"),
        street: Street::at(words, form.get("street_code"), &problems),
        rest: vec![
            line("purpose", PURPOSE),
            line("contact", 254),
            line("administrator_title", TITLE).optional(),
            departments
                .optional()
                .value(form.get("departments"))
                .checked(&problems),
            ends.optional().checked(&problems),
        ],
        problems,
    };
    visit.show(error.map_or(StatusCode::OK, status), &template)
}

fn items(visit: &Visit, form: &Form, error: Option<&Error>) -> Response {
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let template = NewItems {
        p: page(visit, "new-items-title", error),
        steps: super::parts::steps(words, 2, 3, "step-items"),
        kept: of_first(form),
        items: terms::item_fields(words, form, &problems),
        problems,
    };
    visit.show(error.map_or(StatusCode::OK, status), &template)
}

fn last(visit: &Visit, form: &Form) -> Response {
    let words = visit.words();
    let rules = terms::requirements(words, form);
    let items = terms::asked(words, form)
        .into_iter()
        .map(|asked| {
            let rule = rules
                .iter()
                .find(|rule| rule.item == asked.item)
                .and_then(as_requirement)
                .map(|own| terms::rule_words(words, &own.item, &own.rule));
            Checked {
                name: words.item(&asked.item),
                required: asked.required,
                rule: rule.unwrap_or_else(|| words.t("rule-none")),
            }
        })
        .collect();
    let template = NewCheck {
        p: page(visit, "new-check-title", None),
        steps: super::parts::steps(words, 3, 3, "step-check"),
        kept: form.without(&["step", "pick"]),
        street: division::full_name(form.get("street_code")),
        departments: terms::departments(form),
        items,
        form: form.clone(),
    };
    visit.ok(&template)
}

/// A typed requirement that was checked.
fn as_requirement(typed: &crate::model::register::TypedRequirement) -> Option<Requirement> {
    use crate::model::requirement::Rule;
    let rule = match (typed.max_days, &typed.allowed, &typed.at_least) {
        (Some(days), _, _) => Rule::MaxDays(u16::try_from(days).ok()?),
        (_, Some(values), _) => Rule::Allowed(values.clone()),
        (_, _, Some(value)) => Rule::AtLeast(value.clone()),
        _ => return None,
    };
    Some(Requirement {
        item: typed.item.clone(),
        rule,
    })
}

fn of_first(form: &Form) -> Vec<(String, String)> {
    let pairs = form.without(&[]).into_iter();
    pairs
        .filter(|(name, _)| FIRST.contains(&name.as_str()))
        .collect()
}

fn page<'a>(visit: &'a Visit, title: &str, error: Option<&Error>) -> Page<'a> {
    visit
        .titled(title)
        .within(Area::Registers)
        .failing(error.is_some())
        .at("/registers/new")
}
