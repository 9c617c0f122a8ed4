//! The one place where a code is checked: for signing in, joining and confirming.
use super::{
    Actor, Session, audit,
    join_register::{self, Joined},
    limits::{self, Limit, Window},
    profile,
    sessions::{self, How, NewSession},
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
    for _ in 0..super::RACES {
        let Some(looked) = look(app, actor, &id_hash, code.as_str()).await? else {
            return Err(count_wrong(app, actor, &id_hash).await?);
        };
        if let Some(confirmed) = super::retried(|| attempt(app, actor, &looked)).await? {
            return Ok(confirmed);
        }
        // A try, a new code or a use came between: it is looked at again.
    }
    Err(Error::VerificationEnded)
}

/// A verification whose code is right, as it stood before the transaction.
struct Looked {
    row: VerificationRow,
    /// For a join: the health items.
    health: Option<Answer>,
}

/// A source is never called inside a transaction: where the code is right and for a join, the
/// health items are read before it.
async fn look(app: &App, actor: &Actor, id_hash: &[u8], code: &str) -> Result<Option<Looked>> {
    let mut tx = app.store.read().await?;
    let Some(row) = verifications::get(&mut tx, id_hash).await? else {
        return Ok(None);
    };
    if !is_open(app, &row)
        || !verification::belongs(&row, actor)
        || !is_right(app, &mut tx, &row, code).await?
    {
        return Ok(None);
    }
    if row.kind != Kind::Join.number() {
        return Ok(Some(Looked { row, health: None }));
    }
    let payload = verification::open(app, &row)?;
    let identity = payload.profile.identity(app)?;
    let join = payload
        .join
        .ok_or_else(|| Error::unexpected("a join without its consent"))?;
    let items = join_register::items_to_read(app, &mut tx, &identity, &join).await?;
    drop(tx);
    let answer = super::refresh_health::read_one(app, &identity, items).await;
    Ok(Some(Looked {
        row,
        health: Some(answer),
    }))
}

/// Does what a right code is for; `None` where the verification is not as it was looked at.
async fn attempt(app: &App, actor: &Actor, looked: &Looked) -> Result<Option<Confirmed>> {
    let row = &looked.row;
    let id_hash = row.id_hash.as_slice();
    let mut tx = app.store.write().await?;
    // Used once: what was typed goes with it.
    if !verifications::use_up(&mut tx, row, app.now()).await? {
        return Ok(None);
    }
    sms::free_gate(&mut tx, &row.phone_hash, id_hash).await?;
    let payload = verification::open(app, row)?;
    if payload.blind {
        for phone in app.keys.phone_hashes(&payload.profile.identity(app)?.phone) {
            sms::free_gate(&mut tx, &phone, id_hash).await?;
        }
    }
    let confirmed = match Kind::of(row.kind)? {
        Kind::SignIn => sign_in(app, actor, &mut tx, &payload, How::Code).await?,
        Kind::SignInToLeave => sign_in(app, actor, &mut tx, &payload, How::CodeToLeave).await?,
        Kind::Join => {
            let health = looked.health.as_ref();
            let (joined, session) =
                join_register::complete(app, actor, &mut tx, &payload, health).await?;
            Confirmed::Session {
                session,
                joined: Some(Box::new(joined)),
            }
        }
        Kind::Confirmation => confirmation(app, &mut tx, actor.fully_signed_in()?, payload).await?,
    };
    tx.commit().await?;
    Ok(Some(confirmed))
}

/// Counts a wrong code, where there is a verification to try; the answer to it.
async fn count_wrong(app: &App, actor: &Actor, id_hash: &[u8]) -> Result<Error> {
    let mut tx = app.store.write().await?;
    let row = verifications::lock(&mut tx, id_hash)
        .await?
        .filter(|row| is_open(app, row) && verification::belongs(row, actor));
    let Some(row) = row else {
        return Ok(Error::VerificationEnded);
    };
    let wrong = row.wrong_tries + 1;
    let most = app.config.limits.wrong_codes;
    let state = if wrong >= most { 2 } else { 0 };
    verifications::set(&mut tx, id_hash, state, wrong).await?;
    tx.commit().await?;
    Ok(Error::WrongCode {
        tries_left: most - wrong,
    })
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
    how: How,
) -> Result<Confirmed> {
    let identity = payload.profile.identity(app)?;
    let person = profile::put_person(app, tx, &identity).await?;
    let session = sessions::open(app, tx, person, how).await?;
    if let Some(old) = actor.session {
        sessions::end_presented(app, actor, tx, old).await?;
    }
    let event = audit::Event {
        actor: Some(person.id),
        from: Some(actor),
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
