//! Adding a passkey: after a fresh code a challenge, and what the browser made of it.
use super::{
    Actor, Session,
    audit::{self, Event},
    confirm_action::{self, ADD_PASSKEY},
    passkey::{self, Credential, PasskeyView},
    profile, retry_pending,
};
use crate::{
    app::App,
    crypto::{
        random, token_hash,
        webauthn::{self, ALGORITHMS, Made},
    },
    error::{Error, Result},
    model::register::line,
    store::{
        Tx,
        passkeys::{self, PasskeyRow},
        persons, sessions,
    },
};
use serde::Serialize;

/// The most characters of a passkey's name.
pub const LABEL: usize = 40;

const HOUR: i64 = 60 * 60 * 1000;

/// What a browser makes a passkey of, for `navigator.credentials.create`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PasskeyCreation {
    /// The challenge, base64url; it lives 5 minutes and works once, in this session.
    pub challenge: String,
    /// The site's domain.
    pub rp_id: String,
    /// The user handle, base64url: of this passkey alone.
    pub user_id: String,
    /// What the authenticator lists it by: the name, masked.
    pub user_name: String,
    /// The signatures that are understood, as COSE numbers them.
    pub algorithms: Vec<i64>,
    /// Credential ids, base64url, that the person has already.
    pub exclude: Vec<String>,
    /// Milliseconds until the challenge runs out.
    pub timeout: i64,
}

/// What a browser made.
#[derive(Clone, Debug)]
pub struct MadePasskey {
    /// The name for it.
    pub label: String,
    /// `response.clientDataJSON`, base64url.
    pub client_data: String,
    /// `response.getAuthenticatorData()`, base64url.
    pub authenticator_data: String,
    /// `response.getPublicKey()`, base64url.
    pub public_key: String,
}

/// A name for a passkey, checked.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_label(typed: &str) -> Result<String> {
    let mut errors = Vec::new();
    line("label", typed, LABEL, &mut errors).ok_or(Error::Invalid(errors))
}

/// Begins to add a passkey.
///
/// # Errors
/// [`Error::ConfirmationRequired`] without a fresh token for this; [`Error::NotFound`] for who
/// administers nothing; [`Error::Conflict`] where there are as many as there may be.
pub async fn begin(app: &App, actor: &Actor, token: &str) -> Result<PasskeyCreation> {
    let session = actor.fully_signed_in()?;
    let site = passkey::site(app)?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        passkey::may_have(app, &mut tx, session).await?;
        let own = passkey::has_room(app, &mut tx, session).await?;
        confirm_action::take(app, &mut tx, actor, token, ADD_PASSKEY, None).await?;
        let identity = profile::of_person(app, &mut tx, session.person)
            .await?
            .ok_or(Error::NotSignedIn)?;
        let exclude = own
            .iter()
            .map(|row| Ok(webauthn::encode(&Credential::open(app, row)?.id)));
        let exclude = exclude.collect::<Result<_>>()?;
        let id = random::id(&*app.random);
        let challenge = passkey::challenge(app, &mut tx, Some((session, id))).await?;
        tx.commit().await?;
        Ok(PasskeyCreation {
            challenge,
            rp_id: site.id.clone(),
            user_id: webauthn::encode(id.bytes()),
            user_name: identity.name.masked(),
            algorithms: ALGORITHMS.to_vec(),
            exclude,
            timeout: passkey::CHALLENGE_MS,
        })
    })
    .await
}

/// Adds the passkey that a browser made.
///
/// # Errors
/// [`Error::Invalid`] for its name; [`Error::PasskeyRefused`] for what is no answer to a challenge of
/// this session, whatever is wrong with it; those of beginning.
pub async fn finish(app: &App, actor: &Actor, made: &MadePasskey) -> Result<PasskeyView> {
    let session = actor.fully_signed_in()?;
    passkey::site(app)?;
    let label = check_label(&made.label)?;
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        if !persons::lock(&mut tx, session.person.bytes()).await? {
            return Err(Error::NotSignedIn);
        }
        passkey::may_have(app, &mut tx, session).await?;
        let own = passkey::has_room(app, &mut tx, session).await?;
        let row = read(app, &mut tx, session, made, &label, &own).await?;
        let action = if row.is_some() {
            "added_passkey"
        } else {
            "passkey_refused"
        };
        let event = Event {
            actor: Some(session.person),
            from: Some(actor),
            action,
            subject: match &row {
                Some(row) => Some(super::id_of(&row.id)?),
                None => Some(session.person),
            },
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
        if let Some(row) = &row {
            add(app, &mut tx, session, row).await?;
        }
        tx.commit().await?;
        row.map_or(Err(Error::PasskeyRefused), |row| passkey::view(app, &row))
    })
    .await
}

/// The row of what was made, where all of it is right. A challenge of this session is used up in any
/// case.
async fn read(
    app: &App,
    tx: &mut Tx,
    session: Session,
    made: &MadePasskey,
    label: &str,
    own: &[PasskeyRow],
) -> Result<Option<PasskeyRow>> {
    let decoded = [
        &made.client_data,
        &made.authenticator_data,
        &made.public_key,
    ]
    .map(|text| webauthn::decode(text).unwrap_or_default());
    let [client_data, authenticator_data, public_key] = &decoded;
    // What answers nothing that was asked is not worth an entry of the log.
    let challenge = webauthn::challenge_of(client_data).ok_or(Error::PasskeyRefused)?;
    let hash = token_hash(&challenge);
    let own_session = Some(session.id.bytes());
    let taken = passkeys::take_challenge(tx, &hash, own_session, app.now()).await?;
    let id = taken.flatten().ok_or(Error::PasskeyRefused)?;
    let made = Made {
        client_data,
        authenticator_data,
        public_key,
    };
    let Some(new) = passkey::site(app)?.made(&challenge, &made) else {
        return Ok(None);
    };
    let hash = passkey::credential_hash(&new.id);
    // Whoever has it already: nobody takes another's over.
    if passkeys::by_credential(tx, &hash).await?.is_some() {
        return Ok(None);
    }
    let credential = Credential {
        label: label.to_owned(),
        id: new.id,
        public_key: public_key.clone(),
    };
    let now = app.now();
    let waits = passkey::is_required(app) && !session.by_passkey && !own.is_empty();
    let wait = if waits {
        app.config.limits.passkey_wait_hours * HOUR
    } else {
        0
    };
    Ok(Some(PasskeyRow {
        credential: credential.seal(app, &id, session.person.bytes())?,
        id,
        person_id: session.person.bytes().to_vec(),
        credential_hash: hash.to_vec(),
        sign_count: i64::from(new.count),
        added_at: now,
        used_at: None,
        usable_from: now + wait,
    }))
}

/// Adds it. In the place of one that may be lost it waits, and its owner is told; else the session
/// is one in which a passkey was shown.
async fn add(app: &App, tx: &mut Tx, session: Session, row: &PasskeyRow) -> Result<()> {
    passkeys::insert(tx, row).await?;
    if row.usable_from <= app.now() {
        sessions::raise(tx, session.id.bytes(), session.person.bytes()).await?;
        return Ok(());
    }
    let identity = profile::of_person(app, tx, session.person)
        .await?
        .ok_or(Error::NotSignedIn)?;
    retry_pending::tell(app, tx, retry_pending::Told::Passkey, &identity.phone).await
}
