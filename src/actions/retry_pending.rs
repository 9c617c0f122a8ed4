//! When the source is back: waiting joins are matched, and who matches is invited to go on.
use super::{pending_join, sign_in::ask_source};
use crate::{
    app::App,
    clock,
    crypto::{Place, Table, random},
    error::{Error, Result},
    model::phone::Phone,
    sms::Sms,
    source::SourceError,
    store::{Tx, jobs, sms, verifications},
    texts::Lang,
};
use jiff::civil::{DateTime, Time};
use std::time::Duration;
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

    fn text(kind: &str) -> &'static str {
        if kind == Self::Passkey.kind() {
            "sms-passkey"
        } else {
            "sms-invitation"
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
        tx.commit().await?;
        let phone = app.keys.open(&place(&job.id), &job.payload)?;
        let phone = std::str::from_utf8(&phone)
            .ok()
            .and_then(|phone| Phone::parse(phone, &app.regions).ok())
            .ok_or_else(|| Error::unexpected("an invitation's phone"))?;
        if within_hours(app, now) > now {
            continue;
        }
        let text = Zeroizing::new(app.texts.get(Lang::default(), Told::text(&job.kind), &[]));
        let message = Sms {
            id: super::id_of(&job.id)?,
            phone: &phone,
            text: &text,
            code: None,
        };
        let limit = Duration::from_secs(app.config.sms.timeout_seconds);
        let sent = matches!(
            tokio::time::timeout(limit, app.sms.send(message)).await,
            Ok(Ok(()))
        );
        let mut tx = app.store.write().await?;
        if sent || job.attempts >= MOST_ATTEMPTS {
            jobs::delete(&mut tx, &job.id).await?;
            let id = random::id(&*app.random);
            let sealed = app.keys.seal(
                &Place {
                    table: Table::Sms,
                    column: "phone",
                    row: id.bytes(),
                    bound: b"",
                },
                phone.e164().as_bytes(),
            );
            let new = sms::NewSms {
                id: id.bytes(),
                kind: 1,
                verification_hash: None,
                phone: &sealed,
                code_salt: None,
                code_mac: None,
            };
            sms::insert(&mut tx, &new, app.now()).await?;
            let (state, reason) = if sent {
                (1, None)
            } else {
                (2, Some("not taken three times"))
            };
            sms::record(&mut tx, id.bytes(), state, reason, app.now()).await?;
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

fn place(job: &[u8]) -> Place<'_> {
    Place {
        table: Table::Jobs,
        column: "payload",
        row: job,
        bound: b"",
    }
}
