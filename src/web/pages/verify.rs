//! `/verify`: the code of an SMS, for signing in and joining.
use super::{
    failure,
    fields::{Field, Kind, Problems},
    flow::Flow,
    form::Form,
    page::{Page, Visit, status, to},
    sign_in,
    words::Html,
};
use crate::{
    actions::{
        confirm_code::Confirmed,
        show_verification::{ShownVerification, show_verification},
        verification::{self, Kind as Purpose},
    },
    error::{Error, Result},
    web::cookies,
};
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "verify.html")]
struct Verify<'a> {
    p: Page<'a>,
    steps: Html,
    shown: ShownVerification,
    problems: Problems<'a>,
    code: Field<'a>,
    button: String,
    /// Where to correct what was typed.
    back: String,
    /// Whether another code was just sent.
    resent: bool,
}

/// `GET /verify`
pub(super) async fn show(visit: Visit) -> Response {
    let result = page(&visit, None).await;
    visit.answer(result)
}

/// `POST /verify`
pub(super) async fn confirm(visit: Visit, form: Form) -> Response {
    let result = confirmed(&visit, &form).await;
    visit.answer(result)
}

/// `POST /verify/resend`
pub(super) async fn resend(visit: Visit) -> Response {
    let result = resent(&visit, "/verify", "/verify?sent=again").await;
    visit.answer(match result {
        Err(error @ Error::ResendTooEarly { .. }) => page(&visit, Some(&error)).await,
        other => other,
    })
}

/// Sends another code, and goes back to the page of the code.
pub(super) async fn resent(visit: &Visit, action: &str, page: &str) -> Result<Response> {
    let flow = Flow::of(visit).ok_or(Error::VerificationEnded)?;
    match verification::resend(&visit.app, &visit.actor, flow.handle()).await {
        Ok(_) => {
            let response = to(page);
            Ok(match &visit.actor.flow {
                Some(secret) => (cookies::set_flow(&visit.app, secret), response).into_response(),
                None => response,
            })
        }
        Err(error @ Error::SmsNotSent) => {
            let again = failure::Again {
                action: format!("{action}/resend"),
                pairs: Vec::new(),
                label: visit.words().t("resend"),
            };
            Ok(failure::page(visit, &error, Some(again)))
        }
        Err(error) => Err(error),
    }
}

async fn confirmed(visit: &Visit, form: &Form) -> Result<Response> {
    let flow = Flow::of(visit).ok_or(Error::VerificationEnded)?;
    match sign_in::confirm(visit, flow.handle(), form.get("code")).await {
        Ok(Confirmed::Session { session, joined }) => match joined {
            None => Ok(sign_in::signed_in(visit, &session.token, flow.get("next"))),
            Some(joined) => Ok(super::joined::joined(visit, &session, &joined)),
        },
        Ok(Confirmed::Confirmation { .. }) => Err(Error::VerificationEnded),
        Err(error @ (Error::Invalid(_) | Error::WrongCode { .. })) => {
            if let Error::WrongCode { tries_left: 0 } = error {
                return Err(Error::VerificationEnded);
            }
            page(visit, Some(&error)).await
        }
        Err(error) => Err(error),
    }
}

async fn page(visit: &Visit, error: Option<&Error>) -> Result<Response> {
    let flow = Flow::of(visit).ok_or(Error::VerificationEnded)?;
    let shown = show_verification(&visit.app, &visit.actor, flow.handle()).await?;
    if shown.kind == Purpose::Confirmation {
        return Err(Error::VerificationEnded);
    }
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let is_join = shown.kind == Purpose::Join;
    let steps = if is_join { 3 } else { 2 };
    let back = match flow.get("back") {
        "" => "/sign-in".to_owned(),
        own => super::page::own_path(own).unwrap_or_else(|| "/".to_owned()),
    };
    let template = Verify {
        p: visit
            .titled("verify-title")
            .failing(error.is_some())
            .at("/verify"),
        steps: super::parts::steps(words, steps, steps, "step-code"),
        code: Field::new(words, "code", Kind::Code).checked(&problems),
        problems,
        button: words.t(match shown.kind {
            Purpose::Join => "verify-join",
            Purpose::SignInToLeave => "verify-leave",
            _ => "verify-sign-in",
        }),
        shown,
        back,
        resent: error.is_none() && visit.query.is("sent", "again"),
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}
