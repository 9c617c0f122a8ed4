//! Sessions: opened by a posted code or passkey alone, looked up at each request, listed and ended.
use super::{Actor, Session, audit, profile::Put};
use crate::{
    app::App,
    clock,
    crypto::{random, token_hash},
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx, persons,
        sessions::{self, SessionRow},
    },
};
use serde::Serialize;

const MINUTE: i64 = 60_000;

/// A session that was opened. The token is told once.
#[derive(Debug)]
pub struct NewSession {
    /// The bearer token or the cookie's value.
    pub token: String,
    /// The latest end, in RFC 3339.
    pub expires_at: String,
    /// The session.
    pub session: Session,
}

/// A session as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionView {
    /// The id by which it is ended.
    pub id: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used, to the minute.
    pub seen_at: String,
    /// Its latest end.
    pub expires_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether a passkey was shown in it.
    pub by_passkey: bool,
}

/// How a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By a code.
    Code,
    /// By a code, to leave alone.
    CodeToLeave,
    /// By a passkey.
    Passkey,
}

/// Opens a session; the oldest beyond the limit end.
pub(crate) async fn open(
    app: &App,
    tx: &mut Tx,
    Put { id: person, is_new }: Put,
    how: How,
) -> Result<NewSession> {
    let now = app.now();
    let token = random::token(&*app.random, 32);
    let id = random::id(&*app.random);
    let row = SessionRow {
        id: id.bytes().to_vec(),
        person_id: person.bytes().to_vec(),
        scope: i64::from(how == How::CodeToLeave),
        by_passkey: i64::from(how == How::Passkey),
        created_at: now,
        seen_at: now,
        expires_at: now + app.config.limits.session_hours * 60 * MINUTE,
    };
    sessions::insert(tx, &token_hash(&token), &row).await?;
    if !is_new {
        let most = app.config.limits.sessions_person;
        sessions::delete_beyond(tx, person.bytes(), most, id.bytes()).await?;
    }
    Ok(NewSession {
        token: token.to_string(),
        expires_at: clock::rfc3339(row.expires_at, &app.zone),
        session: Session {
            id,
            person,
            leave_only: how == How::CodeToLeave,
            by_passkey: how == How::Passkey,
        },
    })
}

/// The live session of a token, if there is one. Asking counts as using it, but for what a page
/// asks by itself: an idle session ends although its page is still open.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, token: &str, is_use: bool) -> Result<Option<Session>> {
    let hash = token_hash(token);
    let now = app.now();
    let Some(row) = app.sessions.get(hash).await? else {
        return Ok(None);
    };
    let idle = app.config.limits.session_idle_minutes * MINUTE;
    if now >= row.expires_at || now - row.seen_at >= idle {
        return Ok(None);
    }
    if is_use && now - row.seen_at >= MINUTE {
        let mut tx = app.store.write().await?;
        sessions::touch(&mut tx, &hash, now).await?;
        tx.commit().await?;
    }
    Ok(Some(Session {
        id: super::id_of(&row.id)?,
        person: super::id_of(&row.person_id)?,
        leave_only: row.scope == 1,
        by_passkey: row.by_passkey == 1,
    }))
}

/// Signs out: ends this session, and erases a person whom nothing else needs.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn sign_out(app: &App, actor: &Actor) -> Result<()> {
    let session = actor.signed_in()?;
    end(app, actor, session, session.id).await
}

/// One's own sessions, the last used first.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<SessionView>> {
    let session = actor.signed_in()?;
    let mut tx = app.store.read().await?;
    let rows = sessions::of_person(&mut tx, session.person.bytes()).await?;
    let now = app.now();
    let idle = app.config.limits.session_idle_minutes * MINUTE;
    rows.into_iter()
        .filter(|row| now < row.expires_at && now - row.seen_at < idle)
        .map(|row| {
            let id = super::id_of(&row.id)?;
            Ok(SessionView {
                id: id.to_string(),
                created_at: clock::rfc3339(row.created_at, &app.zone),
                seen_at: clock::rfc3339(row.seen_at, &app.zone),
                expires_at: clock::rfc3339(row.expires_at, &app.zone),
                current: id == session.id,
                by_passkey: row.by_passkey == 1,
            })
        })
        .collect()
}

/// Ends one of one's own sessions, or all of them.
///
/// # Errors
/// [`Error::NotFound`] for another's session; [`Error::NotSignedIn`].
pub async fn end_own(app: &App, actor: &Actor, which: Option<Id>) -> Result<()> {
    let session = actor.signed_in()?;
    match which {
        Some(id) => end(app, actor, session, id).await,
        None => {
            let mut tx = app.store.write().await?;
            sessions::delete_of_person(&mut tx, session.person.bytes()).await?;
            ended(app, actor, &mut tx, session).await?;
            tx.commit().await?;
            Ok(())
        }
    }
}

/// Ends all one's sessions but this one, as after a role was taken on; how many there were.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn end_others(app: &App, actor: &Actor) -> Result<u64> {
    let session = actor.signed_in()?;
    let mut tx = app.store.write().await?;
    let (person, own) = (session.person.bytes(), session.id.bytes());
    let ended = sessions::delete_others(&mut tx, person, own).await?;
    if ended > 0 {
        let event = audit::Event {
            actor: Some(session.person),
            action: "ended_other_sessions",
            subject: Some(session.person),
            from: Some(actor),
            ..audit::Event::default()
        };
        audit::record(app, &mut tx, event).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

async fn end(app: &App, actor: &Actor, session: Session, id: Id) -> Result<()> {
    let mut tx = app.store.write().await?;
    if !sessions::delete(&mut tx, id.bytes(), session.person.bytes()).await? {
        return Err(Error::NotFound);
    }
    ended(app, actor, &mut tx, session).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the session that was presented when a new one begins, whoever's it is: on a shared computer
/// nobody's stays behind (SECURITY.md 7.2.4).
pub(crate) async fn end_presented(
    app: &App,
    actor: &Actor,
    tx: &mut Tx,
    old: Session,
) -> Result<()> {
    if sessions::delete(tx, old.id.bytes(), old.person.bytes()).await? {
        ended(app, actor, tx, old).await?;
    }
    Ok(())
}

async fn ended(app: &App, actor: &Actor, tx: &mut Tx, session: Session) -> Result<()> {
    persons::erase_unneeded(tx, session.person.bytes(), app.now()).await?;
    let event = audit::Event {
        actor: Some(session.person),
        from: Some(actor),
        action: "signed_out",
        subject: Some(session.person),
        ..audit::Event::default()
    };
    audit::record(app, tx, event).await
}
