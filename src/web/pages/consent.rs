//! `/me/authorizations/{id}`: changing what one consented to.
use super::{
    fields::{Choice, Choices, Problems},
    form::Form,
    page::{Area, Page, Visit, status, to},
    words::rich,
};
use crate::{
    actions::{change_consent::change_consent, join_terms::TypedConsent, my},
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use fluent::FluentValue;

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent<'a> {
    p: Page<'a>,
    problems: Problems<'a>,
    own: my::MyAuthorization,
    items: Choices<'a>,
    required: Vec<String>,
    sharing: Choices<'a>,
    accepted: Choices<'a>,
    consent: Vec<String>,
}

/// `GET /me/authorizations/{id}`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = page(&visit, &id, None, None).await;
    visit.answer(result)
}

/// `POST /me/authorizations/{id}`
pub(super) async fn post(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = change(&visit, &id, &form).await;
    visit.answer(result)
}

async fn change(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let own = Id::parse(id).ok_or(Error::NotFound)?;
    let typed = TypedConsent {
        accepted: form.is("accepted", "yes"),
        version: form.get("version").to_owned(),
        items: Some(form.all("items")),
        sharing: form.typed("sharing"),
    };
    match change_consent(&visit.app, &visit.actor, own, &typed).await {
        Ok(()) => Ok(to("/me")),
        Err(error @ (Error::ConsentRequired(_) | Error::Invalid(_))) => {
            page(visit, id, Some(form), Some(&error)).await
        }
        Err(error) => Err(error),
    }
}

async fn page(
    visit: &Visit,
    id: &str,
    form: Option<&Form>,
    error: Option<&Error>,
) -> Result<Response> {
    visit.actor.fully_signed_in()?;
    let own = Id::parse(id).ok_or(Error::NotFound)?;
    let own = my::authorization(&visit.app, &visit.actor, own).await?;
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let given = form.map_or_else(|| own.items.clone(), |form| form.all("items"));
    let sharing = form.map_or_else(
        || own.sharing.clone(),
        |form| form.get("sharing").to_owned(),
    );
    let choice = |id: &str, kind, name: &str, value: &str, label, hint| Choice {
        id: id.to_owned(),
        kind,
        name: name.to_owned(),
        value: value.to_owned(),
        label,
        plain: false,
        tag: String::new(),
        must: false,
        hint,
        checked: false,
    };
    let items = own
        .asked
        .iter()
        .map(|asked| Choice {
            tag: words.t(if asked.required { "required" } else { "may" }),
            must: asked.required,
            checked: given.contains(&asked.item),
            ..choice(
                &format!("item-{}", asked.item),
                if asked.required { "fixed" } else { "checkbox" },
                "items",
                &asked.item,
                rich(&words.item(&asked.item)),
                words.item_hint(&asked.item),
            )
        })
        .collect();
    let modes = ["verdict", "details"]
        .into_iter()
        .map(|mode| Choice {
            checked: sharing == mode,
            ..choice(
                &format!("sharing-{mode}"),
                "radio",
                "sharing",
                mode,
                rich(&words.of("sharing", mode)),
                words.t(&format!("sharing-{mode}-hint")),
            )
        })
        .collect();
    let group = |id: &str, key: &str, rows| Choices {
        words,
        id: id.to_owned(),
        legend: words.t(key),
        hint: String::new(),
        error: problems.of(id),
        rows,
    };
    let version = super::parts::version(words, &own.present_version);
    let accept = Choice {
        plain: true,
        ..choice(
            "accepted-yes",
            "checkbox",
            "accepted",
            "yes",
            words.h1("join-accept", "version", version),
            String::new(),
        )
    };
    let text = words.with(
        "consent-text",
        &[
            ("organisation", FluentValue::from(own.organisation.clone())),
            ("times", FluentValue::from(words.refresh_times())),
        ],
    );
    let title = words.t1("consent-change-title", "organisation", &own.organisation);
    let template = Consent {
        p: visit
            .page(title)
            .within(Area::Own)
            .failing(error.is_some())
            .at(format!("/me/authorizations/{id}")),
        required: own
            .asked
            .iter()
            .filter(|asked| asked.required)
            .map(|asked| asked.item.clone())
            .collect(),
        items: group("items", "join-items", items),
        sharing: group("sharing", "join-sharing", modes),
        accepted: group("accepted", "join-consent", vec![accept]),
        consent: super::about::paragraphs(&text),
        problems,
        own,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}
