//! What a person sees of themselves: who they are here, their authorizations, who looked.
use super::{
    Actor, Session, access_log, join_terms,
    leave_register::name_of,
    list_passkeys,
    member_output::{self, ItemOutput},
    members_view,
    passkey::PasskeyView,
    profile,
    register_terms::{contact_of, items_of},
    sessions,
    view_register::own_reading_session,
};
use crate::{
    app::App,
    clock,
    error::{Error, Result},
    model::{document::DocumentType, id::Id, register::AskedItem, requirement::Verdict},
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
        registers,
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Oneself.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    /// The person; null once everything about them was erased.
    pub person: Option<MyPerson>,
    /// Whether the session only serves leaving.
    pub leave_only: bool,
    /// Registers that one administers.
    pub registers: usize,
    /// Authorizations of one's own and of those one joined for.
    pub authorizations: usize,
}

/// The person of a session.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MyPerson {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The document's type.
    pub document_type: DocumentType,
    /// The document number, masked.
    pub document_masked: String,
    /// The phone, masked.
    pub phone_masked: String,
}

/// An authorization as who gave it sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MyAuthorization {
    /// The id.
    pub id: String,
    /// Whose information it is about.
    pub person: AboutPerson,
    /// The register.
    pub register_id: String,
    /// Its organisation.
    pub organisation: String,
    /// Whether the operator vouched for that name.
    pub vouched: bool,
    /// Whom to ask.
    pub contact: String,
    /// The administrator's name, masked.
    pub administrator_masked: String,
    /// Since when they are the owner; after joining where the register was handed over since.
    pub administrator_since: Option<String>,
    /// Whether the register was handed over after the member joined.
    pub administrator_changed: bool,
    /// The purpose.
    pub purpose: String,
    /// Items consented to.
    pub items: Vec<String>,
    /// Items that the register asks for now.
    pub asked: Vec<AskedItem>,
    /// `details` or `verdict`.
    pub sharing: String,
    /// The version of the text consented to.
    pub consent_version: String,
    /// The present version.
    pub present_version: String,
    /// When consent was given.
    pub consented_at: String,
    /// When the member joined.
    pub joined_at: String,
    /// The department.
    pub department: Option<String>,
    /// The register's last day.
    pub ends_on: Option<String>,
    /// What the administrator sees: the verdict …
    pub verdict: Option<Verdict>,
    /// … and the items.
    pub seen: BTreeMap<String, ItemOutput>,
    /// When the data was read.
    pub data_time: Option<String>,
}

/// Whose information an authorization is about.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AboutPerson {
    /// The person's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether it is the one who asks.
    #[serde(rename = "self")]
    pub is_self: bool,
}

/// Everything that is held about oneself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MyData {
    /// The whole profile.
    pub profile: Option<MyProfile>,
    /// Authorizations.
    pub authorizations: Vec<MyAuthorization>,
    /// Registers that one administers, by organisation.
    pub administers: Vec<String>,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// Sessions.
    pub sessions: Vec<sessions::SessionView>,
    /// Who looked.
    pub access_log: Vec<access_log::Access>,
    /// When this was put together.
    pub at: String,
}

/// The whole profile, for its owner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MyProfile {
    /// The name.
    pub name: String,
    /// The document's type.
    pub document_type: DocumentType,
    /// Its number.
    pub document_number: String,
    /// The phone.
    pub phone: String,
}

/// Oneself.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn me(app: &App, actor: &Actor) -> Result<Me> {
    let session = own_reading_session(app, actor).await?;
    let mut tx = app.store.read().await?;
    let identity = profile::of_person(app, &mut tx, session.person).await?;
    let registers = registers::count_of_administrator(&mut tx, session.person.bytes()).await?;
    let rows = rows_of(&mut tx, session).await?;
    Ok(Me {
        person: identity.map(|identity| MyPerson {
            id: session.person.to_string(),
            name: identity.name.as_str().to_owned(),
            document_type: identity.document.kind(),
            document_masked: identity.document.masked(),
            phone_masked: identity.phone.masked(),
        }),
        leave_only: session.leave_only,
        registers: usize::try_from(registers).unwrap_or(0),
        authorizations: rows.len(),
    })
}

/// One's own authorizations and those that one gave for others.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn authorizations(app: &App, actor: &Actor) -> Result<Vec<MyAuthorization>> {
    let session = own_reading_session(app, actor).await?;
    all_authorizations(app, session).await
}

async fn all_authorizations(app: &App, session: Session) -> Result<Vec<MyAuthorization>> {
    let mut tx = app.store.read().await?;
    let mut all = Vec::new();
    for row in rows_of(&mut tx, session).await? {
        if let Some(one) = my_authorization(app, &mut tx, session, &row).await? {
            all.push(one);
        }
    }
    Ok(all)
}

/// Everything that is held about oneself.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn data(app: &App, actor: &Actor) -> Result<MyData> {
    let session = own_reading_session(app, actor).await?;
    let mut tx = app.store.read().await?;
    let identity = profile::of_person(app, &mut tx, session.person).await?;
    let own = registers::of_administrator(&mut tx, session.person.bytes()).await?;
    let passkeys = list_passkeys::of_person(app, &mut tx, session.person).await?;
    drop(tx);
    Ok(MyData {
        passkeys,
        profile: identity.map(|identity| MyProfile {
            name: identity.name.as_str().to_owned(),
            document_type: identity.document.kind(),
            document_number: identity.document.number().to_owned(),
            phone: identity.phone.national().to_owned(),
        }),
        authorizations: all_authorizations(app, session).await?,
        administers: own
            .into_iter()
            .map(|own| own.register.organisation)
            .collect(),
        sessions: sessions::list(app, actor).await?,
        access_log: access_log::of_session(app, session).await?,
        at: clock::rfc3339(app.now(), &app.zone),
    })
}

pub(crate) async fn rows_of(tx: &mut Tx, session: Session) -> Result<Vec<AuthorizationRow>> {
    let mut rows = authorizations::of_person(tx, session.person.bytes()).await?;
    rows.extend(authorizations::of_guardian(tx, session.person.bytes()).await?);
    Ok(rows)
}

async fn my_authorization(
    app: &App,
    tx: &mut Tx,
    session: Session,
    row: &AuthorizationRow,
) -> Result<Option<MyAuthorization>> {
    let Some(register) = registers::get(tx, &row.register_id).await? else {
        return Ok(None);
    };
    if super::has_ended(app, &register) {
        return Ok(None);
    }
    let person = super::id_of(&row.person_id)?;
    let view = members_view::make_one(app, tx, &register, super::id_of(&row.id)?).await?;
    let entry = view.get(super::id_of(&row.id)?);
    let owner = registers::owner(tx, &row.register_id).await?;
    let since = owner.as_ref().map(|owner| owner.added_at);
    let administrator = match owner {
        Some(owner) => profile::of_person(app, tx, super::id_of(&owner.person_id)?).await?,
        None => None,
    };
    Ok(Some(MyAuthorization {
        id: super::id_of(&row.id)?.to_string(),
        person: AboutPerson {
            id: person.to_string(),
            name: name_of(app, tx, person).await?.unwrap_or_default(),
            is_self: person == session.person,
        },
        register_id: super::id_of(&row.register_id)?.to_string(),
        vouched: register.vouched == 1,
        contact: contact_of(app, &register)?.as_str().to_owned(),
        administrator_masked: administrator
            .map(|own| own.name.masked())
            .unwrap_or_default(),
        administrator_since: since.map(|at| clock::rfc3339(at, &app.zone)),
        administrator_changed: since.is_some_and(|at| at > row.joined_at),
        items: row.items.split(',').map(str::to_owned).collect(),
        asked: items_of(&register)?,
        sharing: join_terms::sharing_name(row.sharing == 1).to_owned(),
        consent_version: row.consent_version.clone(),
        present_version: join_terms::CONSENT_VERSION.to_owned(),
        consented_at: clock::rfc3339(row.consented_at, &app.zone),
        joined_at: clock::rfc3339(row.joined_at, &app.zone),
        department: row.department.clone(),
        ends_on: register.ends_on,
        verdict: entry.map(|entry| entry.verdict),
        seen: entry
            .map(|entry| member_output::items(app, &view, entry))
            .unwrap_or_default(),
        data_time: entry
            .and_then(|entry| entry.data_time)
            .map(|at| clock::rfc3339(at, &app.zone)),
        organisation: register.organisation,
        purpose: register.purpose,
    }))
}

/// One of one's authorizations.
///
/// # Errors
/// [`Error::NotFound`] for another's.
pub async fn authorization(app: &App, actor: &Actor, id: Id) -> Result<MyAuthorization> {
    let id = id.to_string();
    authorizations(app, actor)
        .await?
        .into_iter()
        .find(|authorization| authorization.id == id)
        .ok_or(Error::NotFound)
}
