//! What a join must bring: an identity, consent to the present text and to what is required, and
//! for a child a guardian.
use super::{
    Actor,
    profile::{self, TypedIdentity},
    register_terms::{departments_of, items_of},
    verification::JoinPayload,
};
use crate::{
    app::App,
    error::{Error, FieldError, Result},
    model::document,
    source::Identity,
    store::registers::RegisterRow,
};
use serde::Deserialize;

/// The version of the consent's text (`consent-text` in `locales/`). A changed text gets a new one.
pub const CONSENT_VERSION: &str = "2026-11";

/// Under this age a guardian signs in and joins for the child (PIPL article 31).
pub const GUARDIAN_UNDER: i16 = 14;
/// A guardian is of age (Civil Code article 17).
const OF_AGE: i16 = 18;

/// What a member typed and ticked.
#[derive(Clone, Default)]
pub struct TypedJoin {
    /// Who.
    pub identity: TypedIdentity,
    /// The department chosen.
    pub department: Option<String>,
    /// The birth date, asked for where the document holds none.
    pub birth_date: Option<String>,
    /// The consent.
    pub consent: Option<TypedConsent>,
}

/// A consent as it was given.
#[derive(Clone, Default, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypedConsent {
    /// The tick.
    #[serde(default)]
    pub accepted: bool,
    /// The version of the text that was shown.
    #[serde(default)]
    pub version: String,
    /// The items consented to.
    #[serde(default)]
    pub items: Option<Vec<String>>,
    /// `details` or `verdict`.
    #[serde(default)]
    pub sharing: Option<String>,
}

/// A consent that was checked.
pub(crate) struct Consent {
    pub(crate) items: Vec<String>,
    pub(crate) verdict_only: bool,
}

/// The name of a sharing mode on the wire.
pub(crate) fn sharing_name(verdict_only: bool) -> &'static str {
    if verdict_only { "verdict" } else { "details" }
}

/// Checks everything before anybody is asked anything.
pub(crate) async fn check(
    app: &App,
    actor: &Actor,
    register: &RegisterRow,
    typed: &TypedJoin,
) -> Result<(Identity, JoinPayload)> {
    let identity = typed.identity.check(app);
    let consent = consent(register, typed.consent.as_ref());
    let mut others = Vec::new();
    let department = department(register, typed.department.as_deref())
        .map_err(|error| others.push(error))
        .ok()
        .flatten();
    let birth = birth_date(app, typed)
        .map_err(|error| others.push(error))
        .ok()
        .flatten();
    let (identity, consent) = match (identity, consent) {
        (Ok(identity), Ok(consent)) if others.is_empty() => (identity, consent),
        (Ok(_), Err(Error::ConsentRequired(errors))) if others.is_empty() => {
            return Err(Error::ConsentRequired(errors));
        }
        (identity, consent) => {
            let mut all = Vec::new();
            if let Err(Error::Invalid(errors)) = identity {
                all.extend(errors);
            }
            all.append(&mut others);
            match consent {
                Err(Error::ConsentRequired(errors) | Error::Invalid(errors)) => all.extend(errors),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            return Err(Error::Invalid(all));
        }
    };
    let born = identity.document.birth_date().or(birth);
    let is_child = born.is_some_and(|born| document::age(born, app.today()) < GUARDIAN_UNDER);
    let guardian = guardian(app, actor, &identity, is_child).await?;
    let join = JoinPayload {
        register: super::id_of(&register.id)?,
        code_hash: register.code_hash.clone(),
        items: consent.items,
        verdict_only: consent.verdict_only,
        requirements_version: register.requirements_version,
        consent_version: CONSENT_VERSION.to_owned(),
        department,
        guardian,
        pending: None,
    };
    Ok((identity, join))
}

/// Checks a consent against what the register asks for.
///
/// # Errors
/// [`Error::ConsentRequired`] names what is missing; [`Error::Invalid`] items that nobody asked for.
pub(crate) fn consent(register: &RegisterRow, typed: Option<&TypedConsent>) -> Result<Consent> {
    let asked = items_of(register)?;
    let missing = |field: &str, code| FieldError::new(format!("consent.{field}"), code);
    let Some(typed) = typed else {
        return Err(Error::ConsentRequired(vec![missing(
            "accepted", "required",
        )]));
    };
    let mut errors = Vec::new();
    if !typed.accepted {
        errors.push(missing("accepted", "required"));
    }
    if typed.version != CONSENT_VERSION {
        let code = if typed.version.is_empty() {
            "required"
        } else {
            "outdated"
        };
        errors.push(missing("version", code));
    }
    let given = typed.items.as_deref();
    if given.is_none() {
        errors.push(missing("items", "required"));
    }
    let given = given.unwrap_or_default();
    let required = asked.iter().filter(|asked| asked.required);
    if typed.items.is_some()
        && required
            .into_iter()
            .any(|asked| !given.contains(&asked.item))
    {
        errors.push(missing("items", "required_item"));
    }
    let verdict_only = match typed.sharing.as_deref() {
        Some("details") => Some(false),
        Some("verdict") => Some(true),
        Some("") | None => {
            errors.push(missing("sharing", "required"));
            None
        }
        Some(_) => {
            errors.push(missing("sharing", "unknown_value"));
            None
        }
    };
    if given
        .iter()
        .any(|item| !asked.iter().any(|asked| asked.item == *item))
    {
        return Err(Error::Invalid(vec![missing("items", "unknown_item")]));
    }
    match verdict_only {
        Some(verdict_only) if errors.is_empty() => {
            let items = asked
                .into_iter()
                .map(|asked| asked.item)
                .filter(|item| given.contains(item));
            let items: Vec<String> = items.collect();
            if items.is_empty() {
                return Err(Error::ConsentRequired(vec![missing("items", "required")]));
            }
            Ok(Consent {
                items,
                verdict_only,
            })
        }
        _ => Err(Error::ConsentRequired(errors)),
    }
}

fn department(
    register: &RegisterRow,
    typed: Option<&str>,
) -> std::result::Result<Option<String>, FieldError> {
    let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else {
        return Ok(None);
    };
    let known = departments_of(register).unwrap_or_default();
    if known.iter().any(|name| name == typed) {
        Ok(Some(typed.to_owned()))
    } else {
        Err(FieldError::new("department", "unknown_value"))
    }
}

fn birth_date(
    app: &App,
    typed: &TypedJoin,
) -> std::result::Result<Option<jiff::civil::Date>, FieldError> {
    let Some(text) = typed
        .birth_date
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    match text.parse::<jiff::civil::Date>() {
        Ok(date) if date > app.today() => Err(FieldError::new("birth_date", "birth_date_future")),
        Ok(date) => Ok(Some(date)),
        Err(_) => Err(FieldError::new("birth_date", "birth_date")),
    }
}

/// Who joins for whom. A signed-in person joins themselves, or another whose record holds the
/// guardian's own phone; a child is joined by nobody else.
async fn guardian(
    app: &App,
    actor: &Actor,
    identity: &Identity,
    is_child: bool,
) -> Result<Option<crate::model::id::Id>> {
    let signed_in = match actor.fully_signed_in() {
        Ok(session) => {
            let mut tx = app.store.read().await?;
            profile::of_person(app, &mut tx, session.person)
                .await?
                .map(|own| (session, own))
        }
        Err(_) => None,
    };
    match signed_in {
        Some((session, own)) if own.document != identity.document => {
            if own
                .document
                .age_on(app.today())
                .is_some_and(|age| age < OF_AGE)
                && is_child
            {
                return Err(Error::GuardianRequired);
            }
            if own.phone != identity.phone {
                return Err(Error::field("phone", "not_own_phone"));
            }
            Ok(Some(session.person))
        }
        _ if is_child => Err(Error::GuardianRequired),
        _ => Ok(None),
    }
}
