//! What went wrong, as a page: what happened, what stays, what to do.
use super::{
    flow::Flow,
    page::{self, Page, Visit},
    words::{Html, Words, rich},
};
use crate::{error::Error, web::error::Problem};
use askama::Template;
use axum::response::Response;

/// A form that is posted again as it was.
pub(super) struct Again {
    /// Where to.
    pub(super) action: String,
    /// Everything that was in it.
    pub(super) pairs: Vec<(String, String)>,
    /// The button's words.
    pub(super) label: String,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    p: Page<'a>,
    icon: &'static str,
    warns: bool,
    lines: Vec<Html>,
    again: Option<Again>,
    /// Other ways on: address and words.
    on: Vec<(String, String)>,
}

/// The title and the lines for an error.
pub(super) fn texts(words: Words<'_>, error: &Error) -> (String, Vec<String>) {
    let key = key(error);
    let mut lines = Vec::new();
    match error {
        Error::IdentityMismatch { tries_left } => {
            lines.push(words.t("failure-identity-mismatch-1"));
            lines.push(words.t1("failure-identity-mismatch-2", "tries", *tries_left));
        }
        Error::ResendTooEarly { retry_after } => {
            lines.push(words.t1("failure-resend-too-early-1", "seconds", *retry_after));
        }
        Error::TooManyAttempts { today: true, .. } => {
            lines.push(words.t("failure-too-many-today-1"));
            lines.push(words.t("failure-too-many-today-2"));
        }
        Error::TooManyAttempts { retry_after, .. } => {
            lines.push(wait(words, *retry_after));
        }
        _ => {
            for number in 1..=3 {
                let line = format!("{key}-{number}");
                if words.has(&line) {
                    lines.push(words.t(&line));
                }
            }
        }
    }
    if matches!(error, Error::IdentityMismatch { .. }) || is_of_the_day(error) {
        let correction = &words.app.config.operator.correction;
        if error.code() == "too_many_attempts" && !correction.is_empty() {
            lines.push(correction.clone());
        }
    }
    (words.t(&key), lines)
}

fn is_of_the_day(error: &Error) -> bool {
    matches!(error, Error::TooManyAttempts { today: true, .. })
}

fn wait(words: Words<'_>, seconds: i64) -> String {
    if seconds <= 90 {
        words.t1("failure-too-many-now-seconds", "seconds", seconds)
    } else {
        words.t1(
            "failure-too-many-now-minutes",
            "minutes",
            (seconds + 59) / 60,
        )
    }
}

/// The family of texts of an error.
fn key(error: &Error) -> String {
    let name = match error {
        Error::TooManyAttempts { today: true, .. } => "too-many-today".to_owned(),
        Error::TooManyAttempts { .. } => "too-many-now".to_owned(),
        error => error.code().replace('_', "-"),
    };
    format!("failure-{name}")
}

fn icon(code: &str) -> &'static str {
    match code {
        "code_replaced" => "swap",
        "source_unavailable" => "source-unavailable",
        "too_many_attempts" | "resend_too_early" => "waiting",
        "sms_not_sent" => "message",
        "register_ended" | "verification_ended" | "invitation_ended" => "clock",
        "not_found" => "missing",
        "passkey_refused" | "passkey_required" | "too_many_passkeys" | "register_frozen"
        | "not_signed_in" | "foreign_origin" => "lock",
        "guardian_required" | "too_many_administrators" | "own_invitation" | "last_owner" => "user",
        _ => "warning",
    }
}

/// The page of an error; with `again`, what was typed is posted once more by one button.
pub(super) fn page(visit: &Visit, error: &Error, again: Option<Again>) -> Response {
    let words = visit.words();
    let (title, lines) = texts(words, error);
    let way = |path: &str, key| (path.to_owned(), words.t(key));
    let on = match error {
        Error::CodeReplaced | Error::RegisterEnded | Error::RegisterFrozen => {
            vec![way("/me", "go-to-mine")]
        }
        Error::PasskeyRequired => vec![way("/me/passkeys", "passkeys-title")],
        Error::Conflict("too_many_passkeys") => vec![way("/me/passkeys", "passkeys-title")],
        Error::PasskeyRefused if visit.actor.session.is_some() => {
            vec![way("/me/passkeys", "passkeys-title")]
        }
        Error::PasskeyRefused => vec![way("/sign-in", "go-to-sign-in")],
        Error::TooManyAdministrators | Error::Conflict(_) => {
            vec![way("/registers", "nav-registers")]
        }
        Error::VerificationEnded => match back(visit) {
            Some(back) => vec![way(&back, "go-again")],
            None => vec![way("/sign-in", "go-to-sign-in")],
        },
        // Codes and tries that only serve leaving are counted apart.
        error if is_of_the_day(error) && visit.actor.session.is_none() => vec![
            way("/", "go-home"),
            way("/sign-in?purpose=leave", "sign-in-to-leave-link"),
        ],
        _ => vec![way("/", "go-home")],
    };
    let page = visit.page(title).failing(true).at("/");
    let failure = Failure {
        p: page,
        icon: icon(error.code()),
        warns: matches!(
            error,
            Error::TooManyAttempts { .. } | Error::ResendTooEarly { .. } | Error::SmsNotSent
        ),
        lines: lines.iter().map(|line| rich(line)).collect(),
        again,
        on,
    };
    let response = visit.show(page::status(error), &failure);
    page::with_cause(response, error)
}

/// Where the code that ended was asked for.
fn back(visit: &Visit) -> Option<String> {
    let flow = Flow::of(visit)?;
    page::own_path(flow.get("back"))
}

/// The page of a failure before any handler.
pub(super) fn bare(words: Words<'_>, problem: &Problem, request_id: &str) -> Response {
    let name = match (problem.code, problem.today) {
        ("too_many_attempts", Some(true)) => "too-many-today".to_owned(),
        ("too_many_attempts", _) => "too-many-now".to_owned(),
        (code, _) => code.replace('_', "-"),
    };
    let mut key = format!("failure-{name}");
    if !words.has(&key) {
        key = "failure-bad-request".to_owned();
    }
    let mut lines: Vec<String> = (1..=3)
        .map(|number| format!("{key}-{number}"))
        .filter(|line| words.has(line))
        .map(|line| words.t(&line))
        .collect();
    if let (Some(seconds), "too-many-now") = (problem.retry_after, name.as_str()) {
        lines.push(wait(words, seconds));
    }
    if problem.status.is_server_error() {
        lines.push(words.t1("failure-request", "id", request_id));
    }
    let failure = Failure {
        p: Page::bare(words, words.t(&key)),
        icon: icon(problem.code),
        warns: false,
        lines: lines.iter().map(|line| rich(line)).collect(),
        again: None,
        on: vec![("/".to_owned(), words.t("go-home"))],
    };
    page::show(words, problem.status, &failure)
}
