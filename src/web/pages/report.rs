//! 举报: telling the operator about a register, by its code or by one's own authorization.
use super::{
    fields::{Field, Kind, Problems},
    form::Form,
    page::{Page, Visit, status},
};
use crate::{
    actions::{
        my, preview_register,
        report_register::{Report, report_own, report_register},
    },
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    p: Page<'a>,
    problems: Problems<'a>,
    organisation: String,
    action: String,
    back: String,
    reason: Field<'a>,
}

/// `GET /j/{code}/report`
pub(super) async fn show(visit: Visit, Path(code): Path<String>) -> Response {
    let result = of_code(&visit, &code, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /j/{code}/report`
pub(super) async fn post(visit: Visit, Path(code): Path<String>, form: Form) -> Response {
    let report = typed(&form);
    let result = match report_register(&visit.app, &visit.actor, &code, &report).await {
        Ok(()) => Ok(done(&visit, &format!("/j/{code}"))),
        Err(error @ Error::Invalid(_)) => of_code(&visit, &code, &form, Some(&error)).await,
        Err(error) => Err(error),
    };
    visit.answer(result)
}

/// `GET /me/authorizations/{id}/report`
pub(super) async fn show_own(visit: Visit, Path(id): Path<String>) -> Response {
    let result = of_own(&visit, &id, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /me/authorizations/{id}/report`
pub(super) async fn post_own(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let report = typed(&form);
    let kept = match Id::parse(&id) {
        Some(own) => report_own(&visit.app, &visit.actor, own, &report).await,
        None => Err(Error::NotFound),
    };
    let result = match kept {
        Ok(()) => Ok(done(&visit, "/me")),
        Err(error @ Error::Invalid(_)) => of_own(&visit, &id, &form, Some(&error)).await,
        Err(error) => Err(error),
    };
    visit.answer(result)
}

fn typed(form: &Form) -> Report {
    Report {
        reason: form.get("reason").to_owned(),
    }
}

async fn of_code(
    visit: &Visit,
    code: &str,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let found = preview_register::preview_register(&visit.app, &visit.actor, code).await;
    let organisation = match found {
        Ok(preview) => preview.organisation,
        Err(Error::RegisterFrozen | Error::RegisterEnded) => String::new(),
        Err(error) => return Err(error),
    };
    Ok(page(visit, organisation, format!("/j/{code}"), form, error))
}

async fn of_own(visit: &Visit, id: &str, form: &Form, error: Option<&Error>) -> Result<Response> {
    let own = Id::parse(id).ok_or(Error::NotFound)?;
    let authorization = my::authorization(&visit.app, &visit.actor, own).await?;
    let back = format!("/me/authorizations/{id}");
    Ok(page(visit, authorization.organisation, back, form, error))
}

fn page(
    visit: &Visit,
    organisation: String,
    back: String,
    form: &Form,
    error: Option<&Error>,
) -> Response {
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let action = format!("{back}/report");
    let back = if back.starts_with("/me/") {
        "/me".to_owned()
    } else {
        back
    };
    let template = ReportPage {
        p: visit
            .titled("report-title")
            .failing(error.is_some())
            .at(action.clone()),
        organisation,
        action,
        back,
        reason: Field::new(words, "reason", Kind::Text)
            .value(form.get("reason"))
            .checked(&problems),
        problems,
    };
    visit.show(error.map_or(StatusCode::OK, status), &template)
}

fn done(visit: &Visit, back: &str) -> Response {
    let page = visit.titled("report-done-title").at(back);
    let lines = vec![visit.words().t("report-done")];
    super::parts::told(visit, page, lines, (back, "go-back"))
}
