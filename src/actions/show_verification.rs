//! What the page of a code shows: where it went, how many tries are left, how long to wait.
use super::{
    Actor,
    verification::{self, Kind, RESENDABLE_MS},
};
use crate::{
    app::App,
    crypto::token_hash,
    error::{Error, Result},
    store::{registers, sms, verifications},
};

/// A verification that goes on, as the browser sees it that began it.
#[derive(Clone, Debug)]
pub struct ShownVerification {
    /// What it is for.
    pub kind: Kind,
    /// Where the code went, as 138****0000.
    pub phone_masked: String,
    /// The register that is joined.
    pub organisation: Option<String>,
    /// Wrong tries that are left.
    pub tries_left: i64,
    /// Seconds until another code may be asked for.
    pub resend_in: i64,
    /// Whether the last code has run out; another may be asked for.
    pub expired: bool,
}

/// Shows a verification to the browser that began it. Nothing is sent.
///
/// # Errors
/// [`Error::VerificationEnded`] for one that was used, ended, belongs to another or never was.
pub async fn show_verification(
    app: &App,
    actor: &Actor,
    handle: &str,
) -> Result<ShownVerification> {
    let id_hash = token_hash(handle);
    let now = app.now();
    let mut tx = app.store.read().await?;
    let row = verifications::get(&mut tx, &id_hash)
        .await?
        .filter(|row| row.state == 0 && now < row.created_at + RESENDABLE_MS)
        .filter(|row| verification::belongs(row, actor))
        .ok_or(Error::VerificationEnded)?;
    let payload = verification::open(app, &row)?;
    let organisation = match &payload.join {
        Some(join) => registers::get(&mut tx, join.register.bytes())
            .await?
            .map(|register| register.organisation),
        None => None,
    };
    let apart = app.config.limits.resend_seconds * 1000;
    let opens = sms::gate(&mut tx, &row.phone_hash)
        .await?
        .filter(|gate| gate.waiting == 1)
        .map_or(now, |gate| gate.last_at + apart);
    Ok(ShownVerification {
        kind: Kind::of(row.kind)?,
        phone_masked: payload.profile.identity(app)?.phone.masked(),
        organisation,
        tries_left: app.config.limits.wrong_codes - row.wrong_tries,
        resend_in: ((opens - now + 999) / 1000).max(0),
        expired: now >= row.expires_at,
    })
}
