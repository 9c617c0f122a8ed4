//! When the source is back: waiting joins are matched, and who matches is invited to go on.
use super::{pending_join, sign_in::ask_source, sms_outcomes};
use crate::{
    app::App,
    clock,
    config::Purpose,
    crypto::{Place, Table, random},
    error::{Error, Result},
    model::phone::Phone,
    sms::{NotSent, Sms},
    source::SourceError,
    store::{Tx, jobs, sms, verifications},
    texts::Lang,
};
use jiff::civil::{DateTime, Time};
use zeroize::Zeroizing;

/// Invitations go out between these local hours (PRODUCT.md, Match and SMS).
const FROM_HOUR: i8 = 8;
const TO_HOUR: i8 = 21;
const BATCH: i64 = 50;
const MOST_ATTEMPTS: i64 = 3;
const AGAIN_MS: i64 = 10 * 60 * 1000;

/// Matches joins that wait. Stops at the first sign that the source is still down.
///
/// # Errors
/// When the database fails.
pub async fn retry_pending(app: &App) -> Result<()> {
    let mut tx = app.store.read().await?;
    let rows = verifications::pending_waiting(&mut tx, app.now(), BATCH).await?;
    drop(tx);
    for row in rows {
        let opened =
            pending_join::open(app, &row).and_then(|payload| payload.profile.identity(app));
        let identity = match opened {
            Ok(identity) => identity,
            Err(error) => {
                tracing::error!(%error, "a waiting join does not open");
                continue;
            }
        };
        let matched = match ask_source(app, &identity).await {
            Ok(matched) => matched,
            // One record that cannot be read holds up nobody else.
            Err(SourceError::Garbage(_)) => continue,
            Err(SourceError::Unavailable(_)) => return Ok(()),
        };
        let mut tx = app.store.write().await?;
        if matched {
            if !verifications::set_pending(&mut tx, &row.id_hash, 1).await? {
                // Withdrawn, or invited by another server.
                continue;
            }
            tell(app, &mut tx, Told::Invitation, &identity.phone).await?;
        } else {
            pending_join::erase(app, &mut tx, &row, "join_not_matched").await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// What somebody is told by a text without a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A join that waited can go on.
    Invitation,
    /// A passkey was added in the place of others.
    Passkey,
}

impl Told {
    /// The name of the kind of job.
    fn kind(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Passkey => "passkey",
        }
    }

    /// What a job of that kind tells: gateways know it by its purpose, people by its text.
    fn of(kind: &str) -> (Purpose, &'static str) {
        if kind == Self::Passkey.kind() {
            (Purpose::Passkey, "sms-passkey")
        } else {
            (Purpose::Invitation, "sms-invitation")
        }
    }
}

/// Tells somebody, within the hours of the day that texts go out in.
pub(crate) async fn tell(app: &App, tx: &mut Tx, what: Told, phone: &Phone) -> Result<()> {
    let id = random::id(&*app.random);
    let payload = app.keys.seal(&place(id.bytes()), phone.e164().as_bytes());
    let due = within_hours(app, app.now());
    jobs::insert(tx, id.bytes(), what.kind(), &payload, due).await?;
    Ok(())
}

/// Sends the texts without a secret that are due.
///
/// # Errors
/// When the database fails.
pub async fn send_due(app: &App) -> Result<()> {
    loop {
        let now = app.now();
        let again = within_hours(app, now + AGAIN_MS);
        let mut tx = app.store.write().await?;
        let Some(job) = jobs::take(&mut tx, now, again).await? else {
            return Ok(());
        };
        let phone = app.keys.open(&place(&job.id), &job.payload)?;
        let phone = std::str::from_utf8(&phone)
            .ok()
            .and_then(|phone| Phone::parse(phone, &app.regions).ok())
            .ok_or_else(|| Error::unexpected("an invitation's phone"))?;
        if within_hours(app, now) > now {
            tx.commit().await?;
            continue;
        }
        let id = super::id_of(&job.id)?;
        // One id for all its tries: it is reserved before each, and after a try of which nobody
        // knows what became of it there is no other.
        let sealed = app.keys.seal(&number(&job.id), phone.e164().as_bytes());
        let reserved = sms::reserve_again(&mut tx, id.bytes(), &sealed, now).await?;
        if !reserved {
            jobs::delete(&mut tx, &job.id).await?;
        }
        tx.commit().await?;
        if !reserved {
            continue;
        }
        let (purpose, text) = Told::of(&job.kind);
        let text = Zeroizing::new(app.texts.get(Lang::default(), text, &[]));
        let message = Sms {
            id,
            purpose,
            language: app.texts.tag(Lang::default()),
            phone: &phone,
            text: &text,
            code: None,
        };
        let outcome = app.sms.send(&message).await;
        let mut tx = app.store.write().await?;
        sms_outcomes::record(app, &mut tx, id, &outcome).await?;
        let is_over = match &outcome {
            Ok(_) => true,
            Err(unsent) => {
                matches!(unsent.why, NotSent::Unknown(_)) || job.attempts >= MOST_ATTEMPTS
            }
        };
        if is_over {
            jobs::delete(&mut tx, &job.id).await?;
        }
        tx.commit().await?;
    }
}

/// The same moment where it lies between 08:00 and 21:00, else the next 08:00.
fn within_hours(app: &App, millis: i64) -> i64 {
    let local = clock::timestamp(millis).to_zoned_datetime(app.zone.clone());
    if (FROM_HOUR..TO_HOUR).contains(&local.hour()) {
        return millis;
    }
    let date = local.date();
    let day = if local.hour() < FROM_HOUR {
        date
    } else {
        date.tomorrow().unwrap_or(date)
    };
    let opens = DateTime::from_parts(day, Time::constant(FROM_HOUR, 0, 0, 0));
    app.zone
        .to_timestamp(opens)
        .map_or(millis, |at| at.as_millisecond())
}

/// Where the number of an invitation is sealed once it is reserved.
fn number(id: &[u8]) -> Place<'_> {
    Place {
        table: Table::Sms,
        column: "phone",
        row: id,
        bound: b"",
    }
}

fn place(job: &[u8]) -> Place<'_> {
    Place {
        table: Table::Jobs,
        column: "payload",
        row: job,
        bound: b"",
    }
}
