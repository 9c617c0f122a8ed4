//! What a registration code shows before anything is typed.
use super::{
    Actor,
    join_terms::CONSENT_VERSION,
    limits::{self, Limit, Window},
    profile,
    register_terms::{contact_of, departments_of, items_of},
};
use crate::{
    app::App,
    clock,
    crypto::token_hash,
    error::{Error, Result},
    model::{division, register::AskedItem},
    store::registers::{self, RegisterRow},
};
use fluent::FluentValue;
use serde::Serialize;

/// What a member sees before typing anything.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// The organisation's name, the administrator's own word.
    pub organisation: String,
    /// Whether the operator vouched for that name.
    pub vouched: bool,
    /// An office phone or e-mail.
    pub contact: String,
    /// The street's full name.
    pub street: String,
    /// The administrator's name, masked; the person is verified.
    pub administrator_masked: String,
    /// Since when they are the owner.
    pub administrator_since: String,
    /// What the administrator is there.
    pub administrator_title: Option<String>,
    /// The purpose.
    pub purpose: String,
    /// The items asked for.
    pub items: Vec<AskedItem>,
    /// The departments to choose from.
    pub departments: Vec<String>,
    /// The last day.
    pub ends_on: Option<String>,
    /// When the source is read, local times of day.
    pub refresh_times: Vec<String>,
    /// The consent's text.
    pub consent: ConsentText,
}

/// The text that is consented to.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ConsentText {
    /// Its version, which a join must name.
    pub version: String,
    /// The words.
    pub text: String,
}

/// Shows what a code leads to.
///
/// # Errors
/// [`Error::NotFound`], [`Error::CodeReplaced`], [`Error::RegisterEnded`],
/// [`Error::RegisterFrozen`], [`Error::TooManyAttempts`].
pub async fn preview_register(app: &App, actor: &Actor, code: &str) -> Result<Preview> {
    let row = find(app, actor, code).await?;
    let mut tx = app.store.read().await?;
    let owner = registers::owner(&mut tx, &row.id)
        .await?
        .ok_or(Error::NotFound)?;
    let since = clock::rfc3339(owner.added_at, &app.zone);
    let owner = profile::of_person(app, &mut tx, super::id_of(&owner.person_id)?).await?;
    let times: Vec<String> = app
        .times
        .iter()
        .map(|time| time.strftime("%H:%M").to_string())
        .collect();
    let text = app.texts.get(
        actor.lang,
        "consent-text",
        &[
            ("organisation", FluentValue::from(row.organisation.as_str())),
            ("times", FluentValue::from(times.join(" "))),
        ],
    );
    Ok(Preview {
        vouched: row.vouched == 1,
        contact: contact_of(app, &row)?.as_str().to_owned(),
        street: division::full_name(&row.street_code),
        administrator_masked: owner.map(|owner| owner.name.masked()).unwrap_or_default(),
        administrator_since: since,
        administrator_title: row.administrator_title.clone(),
        items: items_of(&row)?,
        departments: departments_of(&row)?,
        refresh_times: times,
        consent: ConsentText {
            version: CONSENT_VERSION.to_owned(),
            text,
        },
        organisation: row.organisation,
        purpose: row.purpose,
        ends_on: row.ends_on,
    })
}

/// The open register of a code, counted against the limits of its address.
pub(crate) async fn find(app: &App, actor: &Actor, code: &str) -> Result<RegisterRow> {
    let address = actor.origin();
    let of = [address.as_bytes()];
    let most = &app.config.limits;
    let limit = |kind, most| Limit {
        kind,
        of: &of,
        window: Window::Minute,
        most,
    };
    limits::take_alone(app, limit("previews", most.previews_address)).await?;
    let hash = token_hash(code);
    let mut tx = app.store.read().await?;
    if let Some(row) = registers::by_code(&mut tx, &hash).await? {
        check_open(app, &row)?;
        return Ok(row);
    }
    let replaced = registers::is_replaced(&mut tx, &hash).await?;
    drop(tx);
    limits::take_alone(app, limit("unknown-codes", most.unknown_codes_address)).await?;
    Err(if replaced {
        Error::CodeReplaced
    } else {
        Error::NotFound
    })
}

/// Whether a register takes members now.
pub(crate) fn check_open(app: &App, row: &RegisterRow) -> Result<()> {
    if super::has_ended(app, row) {
        return Err(Error::RegisterEnded);
    }
    if row.frozen == 1 {
        return Err(Error::RegisterFrozen);
    }
    Ok(())
}
