//! Problems of RFC 9457: every failure of the API, and of a page before its own handler saw it.
use crate::error::{Error, FieldError};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A failure on its way out. The edge of the router writes it, since only there the request's id
/// is known: as `application/problem+json` to programs, as a page to browsers.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) errors: Vec<FieldError>,
    pub(super) tries_left: Option<i64>,
    pub(super) retry_after: Option<i64>,
    /// Whether the limit is one of the day, used up until midnight.
    pub(super) today: Option<bool>,
    /// What a browser or program may do instead, where the method is wrong.
    pub(super) allow: Option<Box<HeaderValue>>,
    /// What happened, for the log alone.
    pub(super) cause: Option<Cause>,
}

/// Why an answer is a 500. A page puts it into its response's extensions: it goes to the log, with
/// the request's id, and nowhere else.
#[derive(Clone, Debug)]
pub(super) struct Cause(pub(super) String);

/// A problem as it is written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProblemBody {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The same in short English words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// The stable code.
    code: &'static str,
    /// The request's id, as it stands in the log.
    instance: String,
    /// The fields that were filled wrongly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField>,
    /// Tries that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<i64>,
    /// Seconds to wait, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
    /// Whether the limit is one of the day, used up until midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<bool>,
}

/// One field that was filled wrongly.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProblemField {
    /// The field, nested ones with dots.
    field: String,
    /// The stable code.
    code: &'static str,
    /// Numbers of the code, as `expected` and `actual`.
    #[serde(flatten)]
    numbers: BTreeMap<&'static str, i64>,
}

/// Every code there is, with its words. What an action adds as a conflict has its own here too.
pub(super) const CODES: &[(&str, &str)] = &[
    ("invalid_fields", "Fields are filled wrongly"),
    (
        "identity_mismatch",
        "Name, document and phone do not stand in one record",
    ),
    ("wrong_code", "The SMS code is not right"),
    ("verification_ended", "The verification has ended"),
    (
        "consent_required",
        "Consent is missing or not to the present text",
    ),
    (
        "guardian_required",
        "A guardian must be signed in to join a child",
    ),
    ("phone_limit", "The phone verifies as many people as it may"),
    (
        "confirmation_required",
        "A fresh confirmation token is required",
    ),
    ("passkey_refused", "The passkey opens nothing here"),
    (
        "passkey_required",
        "Administrators must sign in with a passkey here",
    ),
    (
        "too_many_passkeys",
        "There are as many passkeys as there may be",
    ),
    ("register_full", "The register is full"),
    ("too_many_registers", "No more registers may be made"),
    (
        "too_many_administrators",
        "The register has as many administrators as it may",
    ),
    ("invitation_ended", "The invitation has ended"),
    (
        "own_invitation",
        "The owner cannot accept the own invitation",
    ),
    ("last_owner", "The owner hands the register over first"),
    ("code_replaced", "The registration code was replaced"),
    ("register_ended", "The register has ended"),
    ("register_frozen", "The register is frozen"),
    ("resend_too_early", "The last code is still on its way"),
    ("too_many_attempts", "Too many attempts"),
    ("not_signed_in", "Nobody is signed in"),
    ("not_found", "There is no such thing"),
    ("source_unavailable", "The health source cannot be reached"),
    ("sms_not_sent", "The SMS was not sent"),
    ("internal", "Something unexpected happened"),
    ("malformed_json", "The body is not JSON"),
    ("wrong_encoding", "The request is not UTF-8"),
    ("nul", "The request holds a NUL character"),
    ("repeated_key", "A key stands twice in an object"),
    ("repeated_parameter", "A parameter stands twice in the URL"),
    ("unreadable_body", "The body broke off"),
    ("foreign_origin", "The request comes from another site"),
    ("method_not_allowed", "That method is not offered here"),
    ("body_too_slow", "The body took too long"),
    ("body_too_large", "The body is too large"),
    ("url_too_long", "The URL is too long"),
    ("headers_too_large", "The headers are too large"),
    (
        "unsupported_media_type",
        "The body must be application/json",
    ),
    ("busy", "Too much at once: the same again may succeed"),
    ("not_ready", "The database does not answer"),
];

/// The status of a failed action.
pub(super) fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_)
        | Error::IdentityMismatch { .. }
        | Error::WrongCode { .. }
        | Error::ConsentRequired(_)
        | Error::GuardianRequired
        | Error::PhoneLimit
        | Error::ConfirmationRequired
        | Error::PasskeyRefused
        | Error::RegisterFull
        | Error::TooManyAdministrators
        | Error::TooManyRegisters => StatusCode::UNPROCESSABLE_ENTITY,
        Error::VerificationEnded
        | Error::InvitationEnded
        | Error::CodeReplaced
        | Error::RegisterEnded
        | Error::RegisterFrozen => StatusCode::GONE,
        Error::ResendTooEarly { .. } | Error::TooManyAttempts { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Error::NotSignedIn => StatusCode::UNAUTHORIZED,
        Error::PasskeyRequired => StatusCode::FORBIDDEN,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::SourceUnavailable | Error::SmsNotSent | Error::Busy { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        // Others were faster, or the database just changed hands: again, it may well succeed.
        Error::Internal(_) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            errors: Vec::new(),
            tries_left: None,
            retry_after: None,
            today: None,
            allow: None,
            cause: None,
        }
    }

    /// 400
    pub(super) fn bad(code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    /// 422 of one field.
    pub(super) fn field(field: impl Into<String>, code: &'static str) -> Self {
        Error::field(field, code).into()
    }

    fn body(&self, request_id: &str) -> ProblemBody {
        let title = CODES
            .iter()
            .find(|(code, _)| *code == self.code)
            .map_or("It contradicts what is there", |(_, title)| title);
        ProblemBody {
            kind: format!("/docs/problems#{}", self.code),
            title,
            status: self.status.as_u16(),
            code: self.code,
            instance: request_id.to_owned(),
            errors: self
                .errors
                .iter()
                .map(|error| ProblemField {
                    field: error.field.clone(),
                    code: error.code,
                    numbers: error.numbers.iter().copied().collect(),
                })
                .collect(),
            tries_left: self.tries_left,
            retry_after: self.retry_after,
            today: self.today,
        }
    }

    /// Headers that belong to it, whoever writes it.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        if let Some(allow) = &self.allow {
            headers.insert(header::ALLOW, HeaderValue::clone(allow));
        }
        headers
    }

    /// Writes it for a program.
    pub(super) fn write(&self, request_id: &str) -> Response {
        let mut headers = self.headers();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let body = serde_json::to_vec(&self.body(request_id)).unwrap_or_default();
        (self.status, headers, body).into_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(status_of(&error), error.code());
        if error.is_retryable() {
            problem.code = "busy";
            problem.retry_after = Some(1);
        }
        match error {
            Error::Invalid(errors) | Error::ConsentRequired(errors) => problem.errors = errors,
            Error::IdentityMismatch { tries_left } | Error::WrongCode { tries_left } => {
                problem.tries_left = Some(tries_left);
            }
            Error::ResendTooEarly { retry_after } | Error::Busy { retry_after } => {
                problem.retry_after = Some(retry_after);
            }
            Error::TooManyAttempts { retry_after, today } => {
                problem.retry_after = Some(retry_after);
                problem.today = Some(today);
            }
            Error::Internal(cause) => problem.cause = Some(Cause(cause)),
            _ => {}
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
