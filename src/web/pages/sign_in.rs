//! `/sign-in`: who somebody is, before a code is sent.
use super::{
    failure::{self, Again},
    fields::Problems,
    flow,
    form::Form,
    identity::{self, IdentityFields},
    page::{Page, Visit, own_path, status, to},
    passkeys::Way,
    words::Html,
};
use crate::{
    actions::{confirm_code, sessions, sign_in},
    error::Error,
    web::cookies,
};
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    p: Page<'a>,
    steps: Html,
    lead: String,
    problems: Problems<'a>,
    fields: IdentityFields<'a>,
    next: String,
    to_leave: bool,
    mismatch: bool,
    /// Where to correct a record, in the operator's words.
    correction: String,
    /// To sign in with a passkey.
    way: Option<Way>,
    /// Whether a code that was sent before waits to be typed.
    has_code: bool,
}

/// `GET /sign-in`
pub(super) async fn show(visit: Visit) -> Response {
    let to_leave = visit.query.is("purpose", "leave");
    let next = own_path(visit.query.get("next"));
    let signed_in = visit
        .actor
        .session
        .is_some_and(|session| to_leave || !session.leave_only);
    if signed_in {
        return to(next.as_deref().unwrap_or("/me"));
    }
    let form: Form = [("next".to_owned(), next.unwrap_or_default())]
        .into_iter()
        .chain(to_leave.then(|| ("purpose".to_owned(), "leave".to_owned())))
        .collect();
    form_page(&visit, &form, None)
}

/// `POST /sign-in`
pub(super) async fn begin(visit: Visit, form: Form) -> Response {
    let to_leave = form.is("purpose", "leave");
    let (actor, secret) = flow::tied(&visit);
    match sign_in::sign_in(&visit.app, &actor, &identity::typed(&form), to_leave).await {
        Ok(started) => {
            let next = own_path(form.get("next")).unwrap_or_default();
            flow::begin(&visit, &secret, &started, "/verify", &[("next", &next)])
        }
        Err(
            error @ (Error::Invalid(_)
            | Error::IdentityMismatch { .. }
            | Error::ResendTooEarly { .. }),
        ) => form_page(&visit, &form, Some(&error)),
        Err(error @ Error::SmsNotSent) => {
            let again = Again {
                action: "/sign-in".to_owned(),
                pairs: form.without(&[]),
                label: visit.words().t("resend"),
            };
            failure::page(&visit, &error, Some(again))
        }
        Err(error) => visit.fail(&error),
    }
}

fn form_page(visit: &Visit, form: &Form, error: Option<&Error>) -> Response {
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, &identity::document_name(words, form)),
    );
    let next = form.get("next").to_owned();
    let to_leave = form.is("purpose", "leave");
    let kind = if to_leave {
        "leave"
    } else if next.starts_with("/registers") {
        "registers"
    } else if next.starts_with("/invitations") {
        "invitation"
    } else {
        "mine"
    };
    let mut address = vec![("next".to_owned(), next.clone())];
    if to_leave {
        address.push(("purpose".to_owned(), "leave".to_owned()));
    }
    let page = visit
        .titled(&format!("sign-in-title-{kind}"))
        .failing(error.is_some())
        .at(format!("/sign-in?{}", super::page::encode(&address)));
    let template = SignIn {
        p: page,
        steps: super::parts::steps(words, 1, 2, "step-identity"),
        lead: words.t(&format!("sign-in-lead-{kind}")),
        fields: IdentityFields::new(words, form, &problems),
        way: Way::of(visit, &next).filter(|_| !to_leave),
        problems,
        next,
        to_leave,
        mismatch: matches!(error, Some(Error::IdentityMismatch { .. })),
        correction: super::parts::correction(words),
        has_code: matches!(error, Some(Error::ResendTooEarly { .. }))
            && flow::Flow::of(visit).is_some(),
    };
    visit.show(error.map_or(StatusCode::OK, status), &template)
}

/// `POST /sign-out`
pub(super) async fn sign_out(visit: Visit) -> Response {
    match sessions::sign_out(&visit.app, &visit.actor).await {
        Ok(()) | Err(Error::NotSignedIn | Error::NotFound) => {
            (cookies::signed_out(&visit.app), to("/")).into_response()
        }
        Err(error) => visit.fail(&error),
    }
}

/// Where a confirmed sign-in goes on, with the new session's cookie.
pub(super) fn signed_in(visit: &Visit, token: &str, next: &str) -> Response {
    let next = own_path(next).unwrap_or_else(|| "/me".to_owned());
    let response = (cookies::signed_in(&visit.app, token), to(&next)).into_response();
    flow::end(visit, response)
}

/// A code that was typed, checked.
pub(super) async fn confirm(
    visit: &Visit,
    handle: &str,
    code: &str,
) -> crate::error::Result<confirm_code::Confirmed> {
    confirm_code::confirm_code(&visit.app, &visit.actor, handle, code).await
}
