//! What can go wrong, as kinds. They become a page or a problem at the edge only; causes go to the
//! log and never to a body.
pub use crate::model::field::FieldError;

/// The kinds of failure of an action.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields were filled wrongly (422).
    #[error("invalid fields")]
    Invalid(Vec<FieldError>),
    /// Name, document and phone do not stand in one record (422).
    #[error("identity mismatch")]
    IdentityMismatch {
        /// Tries that are left today.
        tries_left: i64,
    },
    /// The SMS code is not right (422).
    #[error("wrong code")]
    WrongCode {
        /// Tries that are left for this verification.
        tries_left: i64,
    },
    /// The verification was used, ran out or never was (410).
    #[error("verification ended")]
    VerificationEnded,
    /// No consent, or to another text, or not to what is required (422).
    #[error("consent required")]
    ConsentRequired(Vec<FieldError>),
    /// Under 14, and no guardian is signed in (422).
    #[error("guardian required")]
    GuardianRequired,
    /// The phone verifies its owner and four others already (422).
    #[error("phone limit")]
    PhoneLimit,
    /// The confirmation token is missing, used, old or for something else (422).
    #[error("confirmation required")]
    ConfirmationRequired,
    /// The passkey does not open anything: unknown, of another site, not signed by it, a copy (422).
    #[error("passkey refused")]
    PasskeyRefused,
    /// Only a session by passkey may (403).
    #[error("passkey required")]
    PasskeyRequired,
    /// The register has as many members as it may (422).
    #[error("register full")]
    RegisterFull,
    /// The administrator has as many registers as allowed (422).
    #[error("too many registers")]
    TooManyRegisters,
    /// The register has as many administrators as it may, open invitations counted (422).
    #[error("too many administrators")]
    TooManyAdministrators,
    /// The invitation was used or withdrawn, ran out or never was (410).
    #[error("invitation ended")]
    InvitationEnded,
    /// The registration code was replaced (410).
    #[error("code replaced")]
    CodeReplaced,
    /// The register has ended (410).
    #[error("register ended")]
    RegisterEnded,
    /// The operator froze the register (410).
    #[error("register frozen")]
    RegisterFrozen,
    /// A code was sent less than a minute ago and is unused (429).
    #[error("resend too early")]
    ResendTooEarly {
        /// Seconds to wait.
        retry_after: i64,
    },
    /// A limit is used up (429).
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds to wait.
        retry_after: i64,
        /// Whether it is a limit of the day, used up until midnight.
        today: bool,
    },
    /// This server does as much of it at once as it may (503).
    #[error("busy")]
    Busy {
        /// Seconds to wait.
        retry_after: i64,
    },
    /// Nobody is signed in (401).
    #[error("not signed in")]
    NotSignedIn,
    /// There is no such thing, or it is another's (404).
    #[error("not found")]
    NotFound,
    /// What was to be done contradicts what is there (409).
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// The health source cannot be reached (503).
    #[error("source unavailable")]
    SourceUnavailable,
    /// The gateway did not take the SMS (503).
    #[error("sms not sent")]
    SmsNotSent,
    /// Anything unexpected (500). The cause is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

/// The result of an action.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// One invalid field.
    #[must_use]
    pub fn field(field: impl Into<String>, code: &'static str) -> Self {
        Self::Invalid(vec![FieldError::new(field, code)])
    }

    /// An unexpected state, told to the log in words that hold nothing personal.
    #[must_use]
    pub fn unexpected(what: &str) -> Self {
        Self::Internal(what.to_owned())
    }

    /// The stable code of API.md.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_fields",
            Self::IdentityMismatch { .. } => "identity_mismatch",
            Self::WrongCode { .. } => "wrong_code",
            Self::VerificationEnded => "verification_ended",
            Self::ConsentRequired(_) => "consent_required",
            Self::GuardianRequired => "guardian_required",
            Self::PhoneLimit => "phone_limit",
            Self::ConfirmationRequired => "confirmation_required",
            Self::PasskeyRefused => "passkey_refused",
            Self::PasskeyRequired => "passkey_required",
            Self::RegisterFull => "register_full",
            Self::TooManyRegisters => "too_many_registers",
            Self::TooManyAdministrators => "too_many_administrators",
            Self::InvitationEnded => "invitation_ended",
            Self::CodeReplaced => "code_replaced",
            Self::RegisterEnded => "register_ended",
            Self::RegisterFrozen => "register_frozen",
            Self::ResendTooEarly { .. } => "resend_too_early",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Busy { .. } => "busy",
            Self::NotSignedIn => "not_signed_in",
            Self::NotFound => "not_found",
            Self::Conflict(code) => code,
            Self::SourceUnavailable => "source_unavailable",
            Self::SmsNotSent => "sms_not_sent",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same action, tried again, may well succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Internal(cause) if cause.starts_with(RETRYABLE))
    }
}

/// How the cause of a failure begins that a new try may well mend.
pub(crate) const RETRYABLE: &str = "again: ";
