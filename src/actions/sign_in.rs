//! Signing in: match with the source, then a code.
use super::{
    Actor,
    attempts::Attempt,
    profile::{Profile, TypedIdentity},
    verification::{self, Begin, Kind, Payload, Started},
};
use crate::{
    app::App,
    error::{Error, Result},
    source::{Identity, SourceError},
    store::persons,
};
use std::time::Duration;

/// Begins to sign somebody in. While the source is down, the profile held here is matched: every
/// well-formed request then gets the same answer, and a code goes only where it matches.
///
/// # Errors
/// [`Error::Invalid`] names every wrong field; [`Error::IdentityMismatch`] is one and the same for
/// an unknown document, another name and another phone; [`Error::TooManyAttempts`],
/// [`Error::ResendTooEarly`], [`Error::SmsNotSent`].
pub async fn sign_in(
    app: &App,
    actor: &Actor,
    typed: &TypedIdentity,
    to_leave: bool,
) -> Result<Started> {
    let identity = typed.check(app)?;
    let attempt = Attempt::reserve(app, actor, &identity, to_leave).await?;
    let (matched, blind) = match ask_source(app, &identity).await {
        Ok(true) => (true, false),
        Ok(false) => {
            return Err(Error::IdentityMismatch {
                tries_left: attempt.tries_left,
            });
        }
        Err(_) => (matches_profile(app, &identity).await?, true),
    };
    let kind = if to_leave {
        Kind::SignInToLeave
    } else {
        Kind::SignIn
    };
    let payload = Payload {
        profile: Profile::of(&identity),
        blind,
        join: None,
        confirmation: None,
    };
    let begin = Begin {
        kind,
        identity: &identity,
        matched,
        payload,
        session: None,
        // A blind one stays counted, matched or not: an outage gives nobody more guesses, and the
        // tries that are left tell nothing.
        attempt: (!blind).then_some(&attempt),
    };
    verification::begin(app, actor, begin).await
}

/// Asks the source whether an identity matches, within the time that it has.
pub(crate) async fn ask_source(
    app: &App,
    identity: &Identity,
) -> std::result::Result<bool, SourceError> {
    let limit = Duration::from_secs(app.config.source.timeout_seconds);
    let answer = match tokio::time::timeout(limit, app.source.matches(identity)).await {
        Ok(answer) => answer,
        Err(_) => Err(SourceError::Unavailable("no answer in time".into())),
    };
    if let Err(error) = &answer {
        tracing::warn!(source = app.source.kind(), %error, "a match got no answer");
    }
    answer
}

/// Whether the identity is the one of the profile held here.
async fn matches_profile(app: &App, identity: &Identity) -> Result<bool> {
    let hashes = app.keys.document_hashes(&identity.document);
    let mut tx = app.store.read().await?;
    let Some(row) = persons::by_document(&mut tx, &hashes).await? else {
        return Ok(false);
    };
    let held = Profile::open(app, super::id_of(&row.id)?, &row.profile)?.identity(app)?;
    Ok(held == *identity)
}
