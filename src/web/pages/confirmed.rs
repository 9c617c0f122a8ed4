//! What takes a fresh code: exporting the list, and deleting a register. Two posts each: the first
//! sends the code, the second brings it.
use super::{
    board::{Tabs, tabs},
    fields::{Choice, Choices, Field, Kind, Problems},
    flow::{self, Flow},
    form::Form,
    fresh_code::{self, Brought, Wanted},
    page::{Area, Page, Visit, status},
    words::{Html, Words, rich},
};
use crate::{
    actions::{
        delete_register::{DeletionReceipt, RegisterDeletion, delete_register},
        export_register::{ExportFormat, ExportRequest, export_register},
        show_register::{RegisterDetails, show_register},
        show_verification::{ShownVerification, show_verification},
    },
    error::{Error, FieldError, Result},
    model::{id::Id, register::PURPOSE, text::Line},
};
use askama::Template;
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "export.html")]
struct ExportPage<'a> {
    p: Page<'a>,
    tabs: Tabs,
    steps: Html,
    details: RegisterDetails,
    problems: Problems<'a>,
    format: Choices<'a>,
    purpose: Field<'a>,
}

#[derive(Template)]
#[template(path = "export_code.html")]
struct ExportCode<'a> {
    p: Page<'a>,
    tabs: Tabs,
    steps: Html,
    details: RegisterDetails,
    shown: ShownVerification,
    code: Field<'a>,
    format: String,
    purpose: String,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage<'a> {
    p: Page<'a>,
    details: RegisterDetails,
    problems: Problems<'a>,
    organisation: Field<'a>,
    /// The second post's, once a code was sent.
    sent: Option<(ShownVerification, Field<'a>)>,
}

#[derive(Template)]
#[template(path = "deleted.html")]
struct Deleted<'a> {
    p: Page<'a>,
    organisation: String,
    erased: Vec<String>,
    kept: Vec<String>,
    at: String,
    signed: String,
}

/// `GET /registers/{id}/export`
pub(super) async fn export(visit: Visit, Path(id): Path<String>) -> Response {
    let result = export_page(&visit, &id, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/export`: sends the code.
pub(super) async fn begin_export(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = begun_export(&visit, &id, &form).await;
    visit.answer(result)
}

/// `GET /registers/{id}/exports`: the page of the code.
pub(super) async fn export_code(visit: Visit, Path(id): Path<String>) -> Response {
    let result = export_code_page(&visit, &id, None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/exports`: brings the code and gets the file.
pub(super) async fn finish_export(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = finished_export(&visit, &id, &form).await;
    visit.answer(result)
}

/// `POST /registers/{id}/exports/resend` and `…/delete/resend`
pub(super) async fn resend_export(visit: Visit, Path(id): Path<String>) -> Response {
    let page = format!("/registers/{id}/exports");
    let result = super::verify::resent(&visit, &page, &page).await;
    visit.answer(result)
}

/// `POST /registers/{id}/delete/resend`
pub(super) async fn resend_delete(visit: Visit, Path(id): Path<String>) -> Response {
    let page = format!("/registers/{id}/delete");
    let result = super::verify::resent(&visit, &page, &page).await;
    visit.answer(result)
}

async fn begun_export(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let mut errors = Vec::new();
    if format_of(form.get("format")).is_none() {
        errors.push(FieldError::new("format", "required"));
    }
    if Line::parse(form.get("purpose"), PURPOSE).is_err() {
        let typed = !form.get("purpose").trim().is_empty();
        let code = if typed { "too_long" } else { "required" };
        let most = i64::try_from(PURPOSE).unwrap_or(i64::MAX);
        errors.push(FieldError::new("purpose", code).with("max", most));
    }
    if !errors.is_empty() {
        return export_page(visit, id, form, Some(&Error::Invalid(errors))).await;
    }
    let wanted = Wanted {
        action: "export",
        register: Some(id),
        page: &format!("/registers/{id}/exports"),
        back: &format!("/registers/{id}/export"),
        more: &[
            ("format", form.get("format")),
            ("purpose", form.get("purpose")),
        ],
    };
    match fresh_code::ask(visit, wanted, form).await {
        Err(error @ Error::ResendTooEarly { .. }) => {
            export_page(visit, id, form, Some(&error)).await
        }
        asked => asked,
    }
}

/// The flow of this register, where a code was asked for here.
fn flow_of(visit: &Visit, id: &str) -> Option<Flow> {
    Flow::of(visit).filter(|flow| flow.get("register") == id)
}

async fn finished_export(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let flow = flow_of(visit, id).ok_or(Error::VerificationEnded)?;
    let format = format_of(flow.get("format")).ok_or(Error::VerificationEnded)?;
    let token = match fresh_code::bring(visit, &flow, form).await? {
        Brought::Token(token) => token,
        Brought::Again(error) => return export_code_page(visit, id, Some(&error)).await,
    };
    let request = ExportRequest {
        format,
        purpose: flow.get("purpose").to_owned(),
        confirmation_token: token,
    };
    let file = export_register(&visit.app, &visit.actor, register, &request).await?;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let headers = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok(flow::end(visit, (headers, file.bytes).into_response()))
}

fn format_of(name: &str) -> Option<ExportFormat> {
    match name {
        "xlsx" => Some(ExportFormat::Xlsx),
        "csv" => Some(ExportFormat::Csv),
        _ => None,
    }
}

fn problems<'a>(words: Words<'a>, error: Option<&Error>) -> Problems<'a> {
    error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    )
}

async fn details(visit: &Visit, id: &str) -> Result<RegisterDetails> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    show_register(&visit.app, &visit.actor, register).await
}

async fn export_page(
    visit: &Visit,
    id: &str,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let details = details(visit, id).await?;
    let words = visit.words();
    let problems = problems(words, error);
    let rows = ["xlsx", "csv"].map(|format| Choice {
        id: format!("format-{format}"),
        kind: "radio",
        name: "format".to_owned(),
        value: format.to_owned(),
        label: rich(&words.of("format", format)),
        plain: false,
        tag: String::new(),
        must: false,
        hint: String::new(),
        checked: form.is("format", format) || (form.get("format").is_empty() && format == "xlsx"),
    });
    let template = ExportPage {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers)
            .failing(error.is_some())
            .at(format!("/registers/{id}/export")),
        tabs: tabs(id, "export", &details),
        steps: super::parts::steps(words, 1, 2, "step-export"),
        format: Choices {
            words,
            id: "format".to_owned(),
            legend: words.t("field-format"),
            hint: String::new(),
            error: problems.of("format"),
            rows: rows.into(),
        },
        purpose: Field::line(words, "purpose")
            .hint(words.t("export-purpose-hint"))
            .value(form.get("purpose"))
            .most(PURPOSE)
            .checked(&problems),
        problems,
        details,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

async fn export_code_page(visit: &Visit, id: &str, error: Option<&Error>) -> Result<Response> {
    let details = details(visit, id).await?;
    let Some(flow) = flow_of(visit, id) else {
        return export_page(visit, id, &Form::default(), None).await;
    };
    let shown = show_verification(&visit.app, &visit.actor, flow.handle()).await?;
    let words = visit.words();
    let problems = problems(words, error);
    let template = ExportCode {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers)
            .failing(error.is_some()),
        tabs: tabs(id, "export", &details),
        steps: super::parts::steps(words, 2, 2, "step-code"),
        code: Field::new(words, "code", Kind::Code).checked(&problems),
        shown,
        format: words.of("format", flow.get("format")),
        purpose: flow.get("purpose").to_owned(),
        details,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

/// `GET /registers/{id}/delete`
pub(super) async fn ask_delete(visit: Visit, Path(id): Path<String>) -> Response {
    let result = delete_page(&visit, &id, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/delete`: without a code it sends one, with a code it deletes.
pub(super) async fn delete(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = if form.has("code") {
        deleted(&visit, &id, &form).await
    } else {
        begun_delete(&visit, &id, &form).await
    };
    visit.answer(result)
}

async fn begun_delete(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let details = details(visit, id).await?;
    if !is_same(form.get("organisation"), &details) {
        return delete_page(visit, id, form, Some(&different())).await;
    }
    let page = format!("/registers/{id}/delete");
    let wanted = Wanted {
        action: "delete_register",
        register: Some(id),
        page: &page,
        back: &page,
        more: &[("organisation", form.get("organisation"))],
    };
    match fresh_code::ask(visit, wanted, form).await {
        Err(error @ Error::ResendTooEarly { .. }) => {
            delete_page(visit, id, form, Some(&error)).await
        }
        asked => asked,
    }
}

fn different() -> Error {
    Error::field("organisation", "different")
}

fn is_same(typed: &str, details: &RegisterDetails) -> bool {
    Line::parse(typed, crate::model::register::ORGANISATION)
        .is_ok_and(|line| line.as_str() == details.organisation)
}

async fn deleted(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let flow = flow_of(visit, id).ok_or(Error::VerificationEnded)?;
    let details = details(visit, id).await?;
    if !is_same(form.get("organisation"), &details) {
        return delete_page(visit, id, form, Some(&different())).await;
    }
    let token = match fresh_code::bring(visit, &flow, form).await? {
        Brought::Token(token) => token,
        Brought::Again(error) => return delete_page(visit, id, form, Some(&error)).await,
    };
    let typed = RegisterDeletion {
        organisation: form.get("organisation").to_owned(),
        confirmation_token: token,
    };
    let receipt = delete_register(&visit.app, &visit.actor, register, &typed).await?;
    let page = deleted_page(visit, details.organisation, &receipt);
    Ok(flow::end(visit, page))
}

async fn delete_page(
    visit: &Visit,
    id: &str,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let details = details(visit, id).await?;
    if details.role != "owner" {
        return Err(Error::NotFound);
    }
    let words = visit.words();
    let problems = problems(words, error);
    let flow = flow_of(visit, id).filter(|flow| !flow.get("organisation").is_empty());
    let sent = match &flow {
        Some(flow) => match show_verification(&visit.app, &visit.actor, flow.handle()).await {
            Ok(shown) => {
                let code = Field::new(words, "code", Kind::Code).checked(&problems);
                Some((shown, code))
            }
            Err(_) => None,
        },
        None => None,
    };
    let typed = match (&flow, form.get("organisation")) {
        (Some(flow), "") => flow.get("organisation"),
        (_, typed) => typed,
    };
    let template = DeletePage {
        p: visit
            .page(words.t1("delete-title", "organisation", &details.organisation))
            .within(Area::Registers)
            .failing(error.is_some()),
        organisation: Field::line(words, "organisation")
            .label(words.t("delete-organisation"))
            .hint(words.t1(
                "delete-organisation-hint",
                "organisation",
                &details.organisation,
            ))
            .value(typed)
            .checked(&problems),
        sent,
        problems,
        details,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

fn deleted_page(visit: &Visit, organisation: String, receipt: &DeletionReceipt) -> Response {
    let words = visit.words();
    let template = Deleted {
        p: visit
            .titled("deleted-title")
            .within(Area::Registers)
            .at("/registers"),
        organisation,
        erased: receipt
            .erased
            .iter()
            .map(|what| words.of("deleted", what))
            .collect(),
        kept: receipt
            .kept
            .iter()
            .map(|kept| words.of("deleted-kept", &format!("{}-{}", kept.what, kept.why)))
            .collect(),
        at: words.full_moment(&receipt.at),
        signed: receipt.signed.clone(),
    };
    visit.ok(&template)
}
