//! The fresh code that actions of consequence take: it is asked for by the first post, and brought by
//! the second.
use super::{
    failure::{self, Again},
    flow::{self, Flow},
    form::Form,
    page::Visit,
    sign_in,
};
use crate::{
    actions::{confirm_action::confirm_action, confirm_code::Confirmed},
    error::{Error, Result},
};
use axum::response::Response;

/// What a code is asked for.
pub(super) struct Wanted<'a> {
    /// The action, by its name in the API.
    pub(super) action: &'a str,
    /// The register, where the action is about one.
    pub(super) register: Option<&'a str>,
    /// The page of the code.
    pub(super) page: &'a str,
    /// The page that asks, to which one comes back.
    pub(super) back: &'a str,
    /// What follows, kept with the verification.
    pub(super) more: &'a [(&'a str, &'a str)],
}

/// Sends the code and goes to its page; where the gateway did not take it, a page to try again.
///
/// # Errors
/// Those of the action; [`Error::ResendTooEarly`] belongs onto the page that asks.
pub(super) async fn ask(visit: &Visit, wanted: Wanted<'_>, form: &Form) -> Result<Response> {
    let (actor, secret) = flow::tied(visit);
    match confirm_action(&visit.app, &actor, wanted.action, wanted.register).await {
        Ok(started) => {
            let mut more = wanted.more.to_vec();
            more.extend(wanted.register.map(|register| ("register", register)));
            more.push(("back", wanted.back));
            Ok(flow::begin(visit, &secret, &started, wanted.page, &more))
        }
        Err(error @ Error::SmsNotSent) => {
            let again = Again {
                action: wanted.back.to_owned(),
                pairs: form.without(&["code"]),
                label: visit.words().t("resend"),
            };
            Ok(failure::page(visit, &error, Some(again)))
        }
        Err(error) => Err(error),
    }
}

/// What came of a code that was brought.
pub(super) enum Brought {
    /// The confirmation token.
    Token(String),
    /// It was not right: the page of the code says so, and takes another.
    Again(Error),
}

/// Takes the code that was brought.
///
/// # Errors
/// [`Error::VerificationEnded`] too where no try is left.
pub(super) async fn bring(visit: &Visit, flow: &Flow, form: &Form) -> Result<Brought> {
    match sign_in::confirm(visit, flow.handle(), form.get("code")).await {
        Ok(Confirmed::Confirmation {
            confirmation_token, ..
        }) => Ok(Brought::Token(confirmation_token)),
        Ok(_) | Err(Error::WrongCode { tries_left: ..=0 }) => Err(Error::VerificationEnded),
        Err(error @ (Error::Invalid(_) | Error::WrongCode { .. })) => Ok(Brought::Again(error)),
        Err(error) => Err(error),
    }
}
