//! The owner invites an administrator or hands the register over. Two posts: the first sends the
//! code, the second brings it and gets the link, which is shown once.
use super::{
    administrators::{becomes, limits},
    fields::{Choice, Choices, Field, Kind, Problems},
    flow::{self, Flow},
    form::Form,
    fresh_code::{self, Brought},
    page::{Area, Page, Visit, status, to},
    words::{Html, rich},
};
use crate::{
    actions::{
        hand_over::{HandOver, hand_over},
        invitation::{Becomes, NewInvitation},
        invite_administrator::{AdministratorInvitation, invite_administrator},
        show_register::{RegisterDetails, show_register},
        show_verification::{ShownVerification, show_verification},
    },
    crypto::token_hash,
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use std::fmt::Write;

#[derive(Template)]
#[template(path = "invite.html")]
struct InvitePage<'a> {
    p: Page<'a>,
    steps: Html,
    details: RegisterDetails,
    problems: Problems<'a>,
    departments: Option<Choices<'a>>,
}

#[derive(Template)]
#[template(path = "hand_over.html")]
struct HandOverPage<'a> {
    p: Page<'a>,
    steps: Html,
    details: RegisterDetails,
    problems: Problems<'a>,
}

#[derive(Template)]
#[template(path = "invite_code.html")]
struct CodePage<'a> {
    p: Page<'a>,
    steps: Html,
    details: RegisterDetails,
    problems: Problems<'a>,
    shown: ShownVerification,
    code: Field<'a>,
    becomes: String,
    limits: String,
}

#[derive(Template)]
#[template(path = "invited.html")]
struct Invited<'a> {
    p: Page<'a>,
    register: String,
    new: NewInvitation,
    becomes: String,
    limits: String,
    qr: Html,
}

/// `GET /registers/{id}/administrators/invite`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = first_page(&visit, &id, Becomes::Administrator, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/administrators/invite`: sends the code.
pub(super) async fn begin(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = begun(&visit, &id, Becomes::Administrator, &form).await;
    visit.answer(result)
}

/// `GET /registers/{id}/hand-over`
pub(super) async fn show_hand_over(visit: Visit, Path(id): Path<String>) -> Response {
    let result = first_page(&visit, &id, Becomes::Owner, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/hand-over`: sends the code.
pub(super) async fn begin_hand_over(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = begun(&visit, &id, Becomes::Owner, &form).await;
    visit.answer(result)
}

/// `GET /registers/{id}/administrators/code`
pub(super) async fn code(visit: Visit, Path(id): Path<String>) -> Response {
    let result = code_page(&visit, &id, None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/administrators/code`: brings the code and gets the link.
pub(super) async fn finish(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = finished(&visit, &id, &form).await;
    visit.answer(result)
}

/// `POST /registers/{id}/administrators/code/resend`
pub(super) async fn resend(visit: Visit, Path(id): Path<String>) -> Response {
    let page = page_of_code(&id);
    let result = super::verify::resent(&visit, &page, &page).await;
    visit.answer(result)
}

fn page_of_code(id: &str) -> String {
    format!("/registers/{id}/administrators/code")
}

fn first_address(id: &str, becomes: Becomes) -> String {
    match becomes {
        Becomes::Administrator => format!("/registers/{id}/administrators/invite"),
        Becomes::Owner => format!("/registers/{id}/hand-over"),
    }
}

async fn details(visit: &Visit, id: &str) -> Result<RegisterDetails> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let details = show_register(&visit.app, &visit.actor, register).await?;
    if details.role == "owner" {
        Ok(details)
    } else {
        Err(Error::NotFound)
    }
}

async fn begun(visit: &Visit, id: &str, becomes: Becomes, form: &Form) -> Result<Response> {
    let details = details(visit, id).await?;
    let chosen = chosen(form, &details);
    let action = match becomes {
        Becomes::Administrator => "add_administrator",
        Becomes::Owner => "hand_over",
    };
    let back = first_address(id, becomes);
    let wanted = fresh_code::Wanted {
        action,
        register: Some(id),
        page: &page_of_code(id),
        back: &back,
        more: &[
            ("invite", action),
            ("departments", &chosen),
            ("of", &mark(&details.departments)),
        ],
    };
    match fresh_code::ask(visit, wanted, form).await {
        Err(error @ Error::ResendTooEarly { .. }) => {
            first_page(visit, id, becomes, form, Some(&error)).await
        }
        asked => asked,
    }
}

/// The places of the chosen departments among the register's: a cookie has no room for names.
fn chosen(form: &Form, details: &RegisterDetails) -> String {
    let places: Vec<String> = (0..details.departments.len())
        .map(|at| at.to_string())
        .filter(|at| form.is("departments", at))
        .collect();
    places.join("-")
}

/// Tells whether the departments are still those that places were chosen among.
fn mark(departments: &[String]) -> String {
    let hash = token_hash(&departments.join("\n"));
    hash.iter().take(8).fold(String::new(), |mut text, byte| {
        // cannot fail: writing to a string.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a flow of this register invites to, and the chosen departments; none for all.
struct Wanted {
    flow: Flow,
    becomes: Becomes,
    departments: Option<Vec<String>>,
}

fn wanted(visit: &Visit, id: &str, details: &RegisterDetails) -> Option<Wanted> {
    let flow = Flow::of(visit).filter(|flow| flow.get("register") == id)?;
    let becomes = match flow.get("invite") {
        "add_administrator" => Becomes::Administrator,
        "hand_over" => Becomes::Owner,
        _ => return None,
    };
    if flow.get("of") != mark(&details.departments) {
        return None;
    }
    let departments = match flow.get("departments") {
        "" => None,
        places => Some(
            places
                .split('-')
                .map(|at| details.departments.get(at.parse::<usize>().ok()?).cloned())
                .collect::<Option<_>>()?,
        ),
    };
    Some(Wanted {
        flow,
        becomes,
        departments,
    })
}

async fn finished(visit: &Visit, id: &str, form: &Form) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let details = details(visit, id).await?;
    let wanted = wanted(visit, id, &details).ok_or(Error::VerificationEnded)?;
    let token = match fresh_code::bring(visit, &wanted.flow, form).await? {
        Brought::Token(token) => token,
        Brought::Again(error) => return code_page(visit, id, Some(&error)).await,
    };
    let new = match wanted.becomes {
        Becomes::Administrator => {
            let typed = AdministratorInvitation {
                departments: wanted.departments,
                confirmation_token: token,
            };
            invite_administrator(&visit.app, &visit.actor, register, &typed).await?
        }
        Becomes::Owner => {
            let typed = HandOver {
                confirmation_token: token,
            };
            hand_over(&visit.app, &visit.actor, register, &typed).await?
        }
    };
    let words = visit.words();
    let template = Invited {
        p: visit
            .titled("invited-title")
            .within(Area::Registers)
            .at(format!("/registers/{id}/administrators")),
        register: id.to_owned(),
        becomes: becomes(words, new.invitation.becomes),
        limits: limits(words, new.invitation.limited_to.as_ref()),
        qr: Html::qr(&new.url),
        new,
    };
    Ok(flow::end(visit, visit.ok(&template)))
}

async fn first_page(
    visit: &Visit,
    id: &str,
    becomes: Becomes,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let details = details(visit, id).await?;
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let page = |title| {
        visit
            .titled(title)
            .within(Area::Registers)
            .failing(error.is_some())
    };
    let status = error.map_or(StatusCode::OK, status);
    if becomes == Becomes::Owner {
        let template = HandOverPage {
            p: page("hand-over-title"),
            steps: super::parts::steps(words, 1, 2, "step-hand-over"),
            details,
            problems,
        };
        return Ok(visit.show(status, &template));
    }
    let rows = details
        .departments
        .iter()
        .enumerate()
        .map(|(at, name)| Choice {
            id: format!("department-{at}"),
            kind: "checkbox",
            name: "departments".to_owned(),
            value: at.to_string(),
            label: rich(name),
            plain: false,
            tag: String::new(),
            must: false,
            hint: String::new(),
            checked: form.is("departments", &at.to_string()),
        });
    let departments = (!details.departments.is_empty()).then(|| Choices {
        words,
        id: "departments".to_owned(),
        legend: words.t("invite-departments"),
        hint: words.t("invite-departments-hint"),
        error: String::new(),
        rows: rows.collect(),
    });
    let template = InvitePage {
        p: page("invite-title"),
        steps: super::parts::steps(words, 1, 2, "step-invite"),
        departments,
        details,
        problems,
    };
    Ok(visit.show(status, &template))
}

async fn code_page(visit: &Visit, id: &str, error: Option<&Error>) -> Result<Response> {
    let details = details(visit, id).await?;
    let Some(wanted) = wanted(visit, id, &details) else {
        return Ok(to(&format!("/registers/{id}/administrators")));
    };
    let shown = show_verification(&visit.app, &visit.actor, wanted.flow.handle()).await?;
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let template = CodePage {
        p: visit
            .titled("invite-code-title")
            .within(Area::Registers)
            .failing(error.is_some()),
        steps: super::parts::steps(words, 2, 2, "step-code"),
        code: Field::new(words, "code", Kind::Code).checked(&problems),
        problems,
        shown,
        becomes: becomes(words, wanted.becomes),
        limits: limits(words, wanted.departments.as_ref()),
        details,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}
