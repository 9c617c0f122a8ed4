//! What adding, listing, removing and showing a passkey share.
use super::Session;
use crate::{
    app::App,
    clock,
    config::Administrators,
    crypto::{Place, Table, random, token_hash, webauthn::Site},
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx,
        passkeys::{self, PasskeyRow},
        registers,
    },
};
use serde::{Deserialize, Serialize};

/// How long a challenge lives, in milliseconds.
pub(crate) const CHALLENGE_MS: i64 = 5 * 60 * 1000;

/// A passkey as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PasskeyView {
    /// The id by which it is removed.
    pub id: String,
    /// The name that its owner gave it.
    pub label: String,
    /// When it was added.
    pub added_at: String,
    /// When it was last used to sign in.
    pub used_at: Option<String>,
    /// From when it opens a session, where that is still to come.
    pub usable_from: Option<String>,
}

/// What is sealed of a passkey.
#[derive(Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(crate) label: String,
    pub(crate) id: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
}

impl Credential {
    pub(crate) fn seal(&self, app: &App, passkey: &[u8], person: &[u8]) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|_| Error::unexpected("a passkey's JSON"))?;
        Ok(app.keys.seal(&place(passkey, person), &plain))
    }

    pub(crate) fn open(app: &App, row: &PasskeyRow) -> Result<Self> {
        let plain = app
            .keys
            .open(&place(&row.id, &row.person_id), &row.credential)?;
        serde_json::from_slice(&plain).map_err(|_| Error::unexpected("a passkey's JSON"))
    }
}

fn place<'a>(passkey: &'a [u8], person: &'a [u8]) -> Place<'a> {
    Place {
        table: Table::Passkeys,
        column: "credential",
        row: passkey,
        bound: person,
    }
}

/// A passkey's row as its owner sees it.
pub(crate) fn view(app: &App, row: &PasskeyRow) -> Result<PasskeyView> {
    let moment = |millis| clock::rfc3339(millis, &app.zone);
    Ok(PasskeyView {
        id: super::id_of(&row.id)?.to_string(),
        label: Credential::open(app, row)?.label,
        added_at: moment(row.added_at),
        used_at: row.used_at.map(moment),
        usable_from: Some(row.usable_from)
            .filter(|from| *from > app.now())
            .map(moment),
    })
}

/// What a credential id is found by: it is at least 128 random bits.
pub(crate) fn credential_hash(id: &[u8]) -> [u8; 32] {
    token_hash(&crate::crypto::webauthn::encode(id))
}

/// The site that passkeys are made for.
///
/// # Errors
/// [`Error::NotFound`] where there are none.
pub(crate) fn site(app: &App) -> Result<&Site> {
    app.passkeys.as_ref().ok_or(Error::NotFound)
}

/// Whether the operator asks for a passkey before anybody sees a register.
#[must_use]
pub fn is_required(app: &App) -> bool {
    app.config.auth.administrators == Administrators::Required
}

/// Whether a session may do what administrators may.
///
/// # Errors
/// [`Error::PasskeyRequired`].
pub(crate) fn is_enough(app: &App, session: Session) -> Result<()> {
    if session.by_passkey || !is_required(app) {
        Ok(())
    } else {
        Err(Error::PasskeyRequired)
    }
}

/// Whether somebody may have passkeys: who administers a register.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn may_have(app: &App, tx: &mut Tx, session: Session) -> Result<()> {
    site(app)?;
    if registers::count_of_administrator(tx, session.person.bytes()).await? > 0 {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Somebody's passkeys, where there may be one more.
///
/// # Errors
/// [`Error::Conflict`].
pub(crate) async fn has_room(app: &App, tx: &mut Tx, session: Session) -> Result<Vec<PasskeyRow>> {
    let own = passkeys::of_person(tx, session.person.bytes()).await?;
    let count = i64::try_from(own.len()).unwrap_or(i64::MAX);
    if count < app.config.limits.passkeys_person {
        Ok(own)
    } else {
        Err(Error::Conflict("too_many_passkeys"))
    }
}

/// A new challenge, kept so that every server knows it: for signing in, or for adding a passkey by a
/// session.
pub(crate) async fn challenge(
    app: &App,
    tx: &mut Tx,
    adding: Option<(Session, Id)>,
) -> Result<String> {
    let challenge = random::token(&*app.random, 32);
    let adding = adding
        .as_ref()
        .map(|(session, id)| (session.id.bytes(), id.bytes()));
    let expires_at = app.now() + CHALLENGE_MS;
    passkeys::insert_challenge(tx, &token_hash(&challenge), adding, expires_at).await?;
    Ok(challenge.to_string())
}
