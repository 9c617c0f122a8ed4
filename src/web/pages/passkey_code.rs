//! Adding and removing a passkey take a fresh code. Two posts: the first sends it, the second
//! brings it.
use super::{
    fields::{Field, Kind, Problems},
    flow::{self, Flow},
    form::Form,
    fresh_code::{self, Brought, Wanted},
    page::{Area, Page, Visit, status, to},
    passkeys::PAGE,
    words::Html,
};
use crate::{
    actions::{
        add_passkey::{self, LABEL, PasskeyCreation, check_label},
        list_passkeys::list_passkeys,
        passkey::{PasskeyView, is_required},
        remove_passkey::remove_passkey,
        show_verification::{ShownVerification, show_verification},
    },
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

const CODE_PAGE: &str = "/me/passkeys/code";
const ADD: &str = "add_passkey";
const REMOVE: &str = "remove_passkey";

#[derive(Template)]
#[template(path = "passkey_new.html")]
struct New<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    label: Field<'a>,
}

#[derive(Template)]
#[template(path = "passkey_remove.html")]
struct Remove<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    passkey: PasskeyView,
    /// Whether an SMS alone signs in after it.
    last: bool,
}

#[derive(Template)]
#[template(path = "passkey_code.html")]
struct Code<'a> {
    p: Page<'a>,
    steps: Html,
    shown: ShownVerification,
    code: Field<'a>,
    label: String,
    removes: bool,
}

#[derive(Template)]
#[template(path = "passkey_make.html")]
struct Make<'a> {
    p: Page<'a>,
    steps: Html,
    label: String,
    rp: String,
    options: String,
}

/// `GET /me/passkeys/new`
pub(super) async fn new(visit: Visit) -> Response {
    let result = new_page(&visit, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /me/passkeys/new`: sends the code.
pub(super) async fn begin(visit: Visit, form: Form) -> Response {
    let result = match check_label(form.get("label")) {
        Ok(label) => {
            let more = [("passkey", ADD), ("label", &label)];
            begun(&visit, "/me/passkeys/new", &more, &form).await
        }
        Err(error) => Err(error),
    };
    let result = match result {
        Err(error @ (Error::Invalid(_) | Error::ResendTooEarly { .. })) => {
            new_page(&visit, &form, Some(&error)).await
        }
        result => result,
    };
    visit.answer(result)
}

/// `GET /me/passkeys/{id}/remove`
pub(super) async fn ask(visit: Visit, Path(id): Path<String>) -> Response {
    let result = remove_page(&visit, &id, None).await;
    visit.answer(result)
}

/// `POST /me/passkeys/{id}/remove`: sends the code.
pub(super) async fn begin_removal(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = match find(&visit, &id).await {
        Ok((passkey, _)) => {
            let more = [
                ("passkey", REMOVE),
                ("id", &passkey.id),
                ("label", &passkey.label),
            ];
            let back = format!("/me/passkeys/{id}/remove");
            begun(&visit, &back, &more, &form).await
        }
        Err(error) => Err(error),
    };
    let result = match result {
        Err(error @ Error::ResendTooEarly { .. }) => remove_page(&visit, &id, Some(&error)).await,
        result => result,
    };
    visit.answer(result)
}

async fn begun(visit: &Visit, back: &str, more: &[(&str, &str)], form: &Form) -> Result<Response> {
    let wanted = Wanted {
        action: more.first().map_or("", |(_, action)| action),
        register: None,
        page: CODE_PAGE,
        back,
        more,
    };
    fresh_code::ask(visit, wanted, form).await
}

/// `GET /me/passkeys/code`
pub(super) async fn code(visit: Visit) -> Response {
    let result = code_page(&visit, None).await;
    visit.answer(result)
}

/// `POST /me/passkeys/code/resend`
pub(super) async fn resend(visit: Visit) -> Response {
    let result = super::verify::resent(&visit, CODE_PAGE, CODE_PAGE).await;
    visit.answer(result)
}

/// `POST /me/passkeys/code`: brings the code.
pub(super) async fn finish(visit: Visit, form: Form) -> Response {
    let result = finished(&visit, &form).await;
    visit.answer(result)
}

/// The flow of this page, where a code was asked for here.
fn flow_of(visit: &Visit) -> Option<Flow> {
    Flow::of(visit).filter(|flow| [ADD, REMOVE].contains(&flow.get("passkey")))
}

async fn finished(visit: &Visit, form: &Form) -> Result<Response> {
    let flow = flow_of(visit).ok_or(Error::VerificationEnded)?;
    let token = match fresh_code::bring(visit, &flow, form).await? {
        Brought::Token(token) => token,
        Brought::Again(error) => return code_page(visit, Some(&error)).await,
    };
    if flow.get("passkey") == REMOVE {
        let id = Id::parse(flow.get("id")).ok_or(Error::NotFound)?;
        remove_passkey(&visit.app, &visit.actor, id, &token).await?;
        return Ok(flow::end(visit, to("/me/passkeys?done=removed")));
    }
    let made = add_passkey::begin(&visit.app, &visit.actor, &token).await?;
    let page = make_page(visit, flow.get("label"), &made)?;
    Ok(flow::end(visit, page))
}

fn make_page(visit: &Visit, label: &str, made: &PasskeyCreation) -> Result<Response> {
    let options =
        serde_json::to_string(made).map_err(|_| Error::unexpected("a passkey's options"))?;
    let template = Make {
        p: visit
            .titled("passkey-make-title")
            .within(Area::Own)
            .at(PAGE),
        steps: super::parts::steps(visit.words(), 3, 3, "step-passkey-make"),
        label: label.to_owned(),
        rp: made.rp_id.clone(),
        options,
    };
    Ok(visit.ok(&template))
}

async fn find(visit: &Visit, id: &str) -> Result<(PasskeyView, usize)> {
    let own = list_passkeys(&visit.app, &visit.actor).await?;
    let count = own.len();
    let passkey = own.into_iter().find(|own| own.id == id);
    Ok((passkey.ok_or(Error::NotFound)?, count))
}

async fn new_page(visit: &Visit, form: &Form, error: Option<&Error>) -> Result<Response> {
    // Who may have none is not asked for a name either.
    list_passkeys(&visit.app, &visit.actor).await?;
    let words = visit.words();
    let problems = problems(visit, error);
    let template = New {
        p: visit
            .titled("passkey-new-title")
            .within(Area::Own)
            .failing(error.is_some()),
        steps: super::parts::steps(words, 1, 3, "step-passkey"),
        label: Field::line(words, "label")
            .value(form.get("label"))
            .most(LABEL)
            .checked(&problems),
        problems,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

async fn remove_page(visit: &Visit, id: &str, error: Option<&Error>) -> Result<Response> {
    let (passkey, count) = find(visit, id).await?;
    let title = visit
        .words()
        .t1("passkey-remove-title", "label", &passkey.label);
    let template = Remove {
        p: visit.page(title).within(Area::Own).failing(error.is_some()),
        steps: super::parts::steps(visit.words(), 1, 2, "step-passkey-remove"),
        problems: problems(visit, error),
        passkey,
        last: count == 1 && !is_required(&visit.app),
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

async fn code_page(visit: &Visit, error: Option<&Error>) -> Result<Response> {
    let Some(flow) = flow_of(visit) else {
        return Ok(to(PAGE));
    };
    let shown = show_verification(&visit.app, &visit.actor, flow.handle()).await?;
    let words = visit.words();
    let removes = flow.get("passkey") == REMOVE;
    let steps = if removes { 2 } else { 3 };
    let template = Code {
        p: visit
            .titled("passkey-code-title")
            .within(Area::Own)
            .failing(error.is_some()),
        steps: super::parts::steps(words, 2, steps, "step-code"),
        code: Field::new(words, "code", Kind::Code).checked(&problems(visit, error)),
        shown,
        label: flow.get("label").to_owned(),
        removes,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

fn problems<'a>(visit: &'a Visit, error: Option<&Error>) -> Problems<'a> {
    let words = visit.words();
    error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    )
}
