//! Signing in with a passkey: a challenge, and what an authenticator signed.
use super::{
    Actor,
    attempts::{OF_ADDRESS, posts},
    audit::{self, Event},
    limits::{self, Limit, Window},
    passkey::{self, Credential},
    profile::Put,
    sessions::{self, How, NewSession},
};
use crate::{
    app::App,
    crypto::{
        token_hash,
        webauthn::{self, Signed},
    },
    error::{Error, Result},
    model::id::Id,
    store::{Tx, passkeys, persons},
};
use serde::Serialize;

/// What an authenticator is asked with, for `navigator.credentials.get`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PasskeyRequest {
    /// The challenge, base64url; it lives 5 minutes and works once.
    pub challenge: String,
    /// The site's domain.
    pub rp_id: String,
    /// Milliseconds until the challenge runs out.
    pub timeout: i64,
}

/// What an authenticator answered, each base64url.
#[derive(Clone, Debug)]
pub struct ShownPasskey {
    /// The credential's `rawId`.
    pub id: String,
    /// `response.userHandle`
    pub user_id: String,
    /// `response.clientDataJSON`
    pub client_data: String,
    /// `response.authenticatorData`
    pub authenticator_data: String,
    /// `response.signature`
    pub signature: String,
}

/// Begins to sign in with a passkey: nothing is said of whom.
///
/// # Errors
/// [`Error::NotFound`] where there are no passkeys; [`Error::TooManyAttempts`].
pub async fn begin(app: &App, actor: &Actor) -> Result<PasskeyRequest> {
    let site = passkey::site(app)?;
    let address = actor.origin();
    let mut tx = app.store.write().await?;
    limits::take(app, &mut tx, posts(app, &[address.as_bytes()])).await?;
    let challenge = passkey::challenge(app, &mut tx, None).await?;
    tx.commit().await?;
    Ok(PasskeyRequest {
        challenge,
        rp_id: site.id.clone(),
        timeout: passkey::CHALLENGE_MS,
    })
}

/// Signs in with what an authenticator answered.
///
/// # Errors
/// [`Error::PasskeyRefused`] is one and the same for a credential that is unknown, removed, not yet
/// usable or copied, another site, an old challenge and a wrong signature;
/// [`Error::TooManyAttempts`] as for mismatches.
pub async fn sign_in_with_passkey(
    app: &App,
    actor: &Actor,
    shown: &ShownPasskey,
) -> Result<NewSession> {
    passkey::site(app)?;
    let address = actor.origin();
    let address = [address.as_bytes()];
    super::retried(|| async {
        let mut tx = app.store.write().await?;
        limits::take(app, &mut tx, posts(app, &address)).await?;
        limits::take(app, &mut tx, mismatches(app, &address)).await?;
        let looked = look(app, &mut tx, shown).await?;
        let session = match looked.person.filter(|_| looked.is_right) {
            Some(person) => Some(open(app, actor, &mut tx, person).await?),
            None => None,
        };
        if session.is_some() {
            limits::give_back(app, &mut tx, mismatches(app, &address)).await?;
        }
        // What answers nothing that was asked, by nobody who is known, is counted alone.
        if looked.is_answer || looked.person.is_some() {
            let event = Event {
                actor: looked.person.filter(|_| looked.is_right),
                from: Some(actor),
                action: if looked.is_right {
                    "signed_in_by_passkey"
                } else {
                    "passkey_refused"
                },
                subject: looked.person,
                ..Event::default()
            };
            audit::record(app, &mut tx, event).await?;
        }
        tx.commit().await?;
        session.ok_or(Error::PasskeyRefused)
    })
    .await
}

/// What an answer is.
struct Looked {
    /// Whether it is one to a challenge of ours, which is used up.
    is_answer: bool,
    /// Whose passkey it names.
    person: Option<Id>,
    /// Whether all of it is right.
    is_right: bool,
}

/// Looks at an answer. The same is done for a passkey that is unknown.
async fn look(app: &App, tx: &mut Tx, shown: &ShownPasskey) -> Result<Looked> {
    let decoded = [
        &shown.id,
        &shown.user_id,
        &shown.client_data,
        &shown.authenticator_data,
        &shown.signature,
    ]
    .map(|text| webauthn::decode(text).unwrap_or_default());
    let [id, user_id, client_data, authenticator_data, signature] = &decoded;
    let challenge = webauthn::challenge_of(client_data).unwrap_or_default();
    let taken = passkeys::take_challenge(tx, &token_hash(&challenge), None, app.now()).await?;
    let row = passkeys::by_credential(tx, &passkey::credential_hash(id)).await?;
    let credential = match &row {
        Some(row) => Some(Credential::open(app, row)?),
        None => None,
    };
    let signed = Signed {
        client_data,
        authenticator_data,
        signature,
    };
    let key = credential.as_ref().map(|own| own.public_key.as_slice());
    let count = passkey::site(app)?.signed(&challenge, &signed, key);
    let mut looked = Looked {
        is_answer: taken.is_some(),
        person: row
            .as_ref()
            .map(|row| super::id_of(&row.person_id))
            .transpose()?,
        is_right: false,
    };
    if let (Some(row), Some(count), true) = (&row, count, looked.is_answer) {
        looked.is_right = row.id == *user_id
            && persons::lock(tx, &row.person_id).await?
            && passkeys::put_to_use(tx, &row.id, i64::from(count), app.now()).await?;
    }
    Ok(looked)
}

async fn open(app: &App, actor: &Actor, tx: &mut Tx, person: Id) -> Result<NewSession> {
    let put = Put::known(person);
    let session = sessions::open(app, tx, put, How::Passkey).await?;
    if let Some(old) = actor.session {
        sessions::end_presented(app, actor, tx, old).await?;
    }
    Ok(session)
}

/// Counted with the mismatches of names and documents.
fn mismatches<'a>(app: &App, of: &'a [&'a [u8]]) -> Limit<'a> {
    Limit {
        kind: OF_ADDRESS,
        of,
        window: Window::Hour,
        most: app.config.limits.mismatches_address_hour,
    }
}
