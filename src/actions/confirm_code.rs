//! The one place where a code is checked: for signing in, joining and confirming.
use super::{
    Actor, Session, audit,
    join_register::{self, Joined},
    limits::{self, Limit, Window},
    profile::{self, Put},
    sessions::{self, NewSession},
    verification::{self, Kind, Payload},
};
use crate::{
    app::App,
    crypto::{random, token_hash},
    error::{Error, Result},
    model::code::parse_sms_code,
    source::Answer,
    store::{
        Tx, sessions as session_rows, sms,
        verifications::{self, VerificationRow},
    },
};

/// How long a confirmation token lives, in milliseconds.
const CONFIRMATION_MS: i64 = 5 * 60 * 1000;

/// What a right code gave.
#[derive(Debug)]
pub enum Confirmed {
    /// A session, and what was joined where it was a join.
    Session {
        /// The session and its token.
        session: NewSession,
        /// What was joined.
        joined: Option<Box<Joined>>,
    },
    /// A confirmation token.
    Confirmation {
        /// The token: bound to session, action and register, used once.
        confirmation_token: String,
        /// What it confirms.
        action: String,
    },
}

/// Checks a code and does what its verification is for.
///
/// # Errors
/// [`Error::WrongCode`] with the tries left; [`Error::VerificationEnded`] for one that was used,
/// ran out, had five wrong tries, belongs to another browser or never was; those of joining.
pub async fn confirm_code(
    app: &App,
    actor: &Actor,
    handle: &str,
    typed: &str,
) -> Result<Confirmed> {
    let address = actor.origin();
    limits::take_alone(
        app,
        Limit {
            kind: "confirms",
            of: &[address.as_bytes()],
            window: Window::FiveMinutes,
            most: app.config.limits.confirms_address,
        },
    )
    .await?;
    let Some(code) = parse_sms_code(typed) else {
        let code = if typed.trim().is_empty() {
            "required"
        } else {
            "six_digits"
        };
        return Err(Error::field("code", code));
    };
    let id_hash = token_hash(handle);
    let health = read_ahead(app, actor, &id_hash, code.as_str()).await?;
    super::retried(|| attempt(app, actor, &id_hash, code.as_str(), health.as_ref())).await
}

/// A source is never called inside a transaction: where the code is right and for a join, the
/// health items are read before it.
async fn read_ahead(
    app: &App,
    actor: &Actor,
    id_hash: &[u8],
    code: &str,
) -> Result<Option<Answer>> {
    let mut tx = app.store.read().await?;
    let Some(row) = verifications::get(&mut tx, id_hash).await? else {
        return Ok(None);
    };
    if row.kind != Kind::Join.number()
        || !is_open(app, &row)
        || !verification::belongs(&row, actor)
        || !is_right(app, &mut tx, &row, code).await?
    {
        return Ok(None);
    }
    let payload = verification::open(app, &row)?;
    let identity = payload.profile.identity(app)?;
    let join = payload
        .join
        .ok_or_else(|| Error::unexpected("a join without its consent"))?;
    let items = join_register::items_to_read(app, &mut tx, &identity, &join).await?;
    drop(tx);
    Ok(Some(
        super::refresh_health::read_one(app, &identity, items).await,
    ))
}

async fn attempt(
    app: &App,
    actor: &Actor,
    id_hash: &[u8],
    code: &str,
    health: Option<&Answer>,
) -> Result<Confirmed> {
    let mut tx = app.store.write().await?;
    let row = verifications::lock(&mut tx, id_hash)
        .await?
        .ok_or(Error::VerificationEnded)?;
    if !is_open(app, &row) || !verification::belongs(&row, actor) {
        return Err(Error::VerificationEnded);
    }
    if !is_right(app, &mut tx, &row, code).await? {
        let wrong = row.wrong_tries + 1;
        let most = app.config.limits.wrong_codes;
        verifications::set(&mut tx, id_hash, if wrong >= most { 2 } else { 0 }, wrong).await?;
        tx.commit().await?;
        return Err(Error::WrongCode {
            tries_left: most - wrong,
        });
    }
    // Used once: what was typed goes with it.
    verifications::delete(&mut tx, id_hash).await?;
    sms::free_gate(&mut tx, &row.phone_hash, id_hash).await?;
    let payload = verification::open(app, &row)?;
    if payload.blind {
        for phone in app.keys.phone_hashes(&payload.profile.identity(app)?.phone) {
            sms::free_gate(&mut tx, &phone, id_hash).await?;
        }
    }
    let confirmed = match Kind::of(row.kind)? {
        kind @ (Kind::SignIn | Kind::SignInToLeave) => {
            sign_in(app, actor, &mut tx, &payload, kind == Kind::SignInToLeave).await?
        }
        Kind::Join => {
            let (joined, person) = join_register::complete(app, &mut tx, &payload, health).await?;
            // A guardian goes on as themselves; anybody else is signed in as who joined.
            let holder = joined
                .guardian
                .map_or(person, |id| Put { id, is_new: false });
            let session = sessions::open(app, &mut tx, holder, false).await?;
            Confirmed::Session {
                session,
                joined: Some(Box::new(joined)),
            }
        }
        Kind::Confirmation => confirmation(app, &mut tx, actor.fully_signed_in()?, payload).await?,
    };
    tx.commit().await?;
    Ok(confirmed)
}

fn is_open(app: &App, row: &VerificationRow) -> bool {
    row.state == 0 && app.now() < row.expires_at
}

/// Whether the code is one of the last two, each within its own five minutes.
async fn is_right(app: &App, tx: &mut Tx, row: &VerificationRow, code: &str) -> Result<bool> {
    let after = app.now() - app.config.limits.code_seconds * 1000;
    let codes = sms::codes(tx, &row.id_hash, after).await?;
    let mut right = false;
    for (salt, mac) in codes {
        right |= app.keys.is_code(&row.id_hash, &salt, code, &mac);
    }
    Ok(right)
}

async fn sign_in(
    app: &App,
    actor: &Actor,
    tx: &mut Tx,
    payload: &Payload,
    leave_only: bool,
) -> Result<Confirmed> {
    let identity = payload.profile.identity(app)?;
    let person = profile::put_person(app, tx, &identity).await?;
    let session = sessions::open(app, tx, person, leave_only).await?;
    if let Some(old) = actor.session {
        sessions::end_presented(app, tx, old).await?;
    }
    let event = audit::Event {
        actor: Some(person.id),
        action: "signed_in",
        subject: Some(person.id),
        ..audit::Event::default()
    };
    audit::record(app, tx, event).await?;
    Ok(Confirmed::Session {
        session,
        joined: None,
    })
}

async fn confirmation(
    app: &App,
    tx: &mut Tx,
    session: Session,
    payload: Payload,
) -> Result<Confirmed> {
    let asked = payload
        .confirmation
        .ok_or_else(|| Error::unexpected("a confirmation of nothing"))?;
    let token = random::token(&*app.random, 32);
    let register = asked.register.as_ref().map(crate::model::id::Id::bytes);
    session_rows::insert_token(
        tx,
        &token_hash(&token),
        session.id.bytes(),
        &asked.action,
        register,
        app.now() + CONFIRMATION_MS,
    )
    .await?;
    Ok(Confirmed::Confirmation {
        confirmation_token: token.to_string(),
        action: asked.action,
    })
}
