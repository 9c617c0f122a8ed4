//! 申领登记簿: somebody who proved who they are makes a register and gets its 登记码.
use super::{
    Actor, Role,
    audit::{self, Event},
    limits::{self, Limit, Window},
    register_terms::{draw_code, json, put_terms},
    show_register::{self, RegisterDetails},
};
use crate::{
    app::App,
    crypto::random,
    error::{Error, Result},
    model::register::{AskedItem, TypedRequirement, TypedTerms},
    store::{
        persons,
        registers::{self, RegisterRow},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

/// A register as it was typed. What is missing is told as a field error like what is wrong.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewRegister {
    /// The organisation's name, up to 100 characters.
    #[schema(required, min_length = 1)]
    pub organisation: String,
    /// An office phone or e-mail address that members see, words around it allowed.
    #[schema(required, min_length = 1)]
    pub contact: String,
    /// What the administrator is there, up to 30 characters.
    pub administrator_title: Option<String>,
    /// The street's division code, of nine digits.
    #[schema(required, min_length = 1)]
    pub street_code: String,
    /// What the information is for, up to 200 characters.
    #[schema(required, min_length = 1)]
    pub purpose: String,
    /// The items asked for, at least one.
    #[schema(required, min_items = 1)]
    pub items: Vec<AskedItem>,
    /// Requirements on items asked for, at most one each.
    pub requirements: Vec<TypedRequirement>,
    /// Departments to choose from, up to 200.
    pub departments: Option<Vec<String>>,
    /// The last day, at most five years ahead.
    pub ends_on: Option<String>,
}

impl NewRegister {
    fn typed(&self) -> TypedTerms {
        TypedTerms {
            organisation: Some(self.organisation.clone()),
            contact: Some(self.contact.clone()),
            administrator_title: self.administrator_title.clone(),
            street_code: Some(self.street_code.clone()),
            purpose: Some(self.purpose.clone()),
            items: Some(self.items.clone()),
            requirements: Some(self.requirements.clone()),
            departments: self.departments.clone(),
            ends_on: self.ends_on.clone(),
        }
    }
}

/// The limit on registers made and codes replaced by a person.
pub(crate) fn creations<'a>(app: &App, of: &'a [&'a [u8]]) -> Limit<'a> {
    Limit {
        kind: "creation",
        of,
        window: Window::Day,
        most: app.config.limits.creations_person,
    }
}

/// Makes a register that the actor owns; everything about it, its code included.
///
/// # Errors
/// [`Error::NotSignedIn`], also where the person was erased since; [`Error::Invalid`] with every
/// field that is wrong; [`Error::TooManyAttempts`] beyond the creations of a day;
/// [`Error::TooManyRegisters`].
pub async fn create_register(
    app: &App,
    actor: &Actor,
    new: &NewRegister,
) -> Result<RegisterDetails> {
    let session = actor.fully_signed_in()?;
    let terms = new
        .typed()
        .check(&app.catalogue, app.today())
        .map_err(Error::Invalid)?;
    let mut tx = app.store.write().await?;
    let person = session.person;
    // Held from here on: two creations at once cannot both be the last, and nobody is erased while
    // they become an owner.
    if !persons::lock(&mut tx, person.bytes()).await? {
        return Err(Error::NotSignedIn);
    }
    limits::take(app, &mut tx, creations(app, &[person.bytes()])).await?;
    let own = registers::count_of_administrator(&mut tx, person.bytes()).await?;
    if own >= app.config.limits.registers_administrator {
        return Err(Error::TooManyRegisters);
    }
    let id = random::id(&*app.random);
    let code = draw_code(app, id);
    let now = app.now();
    let mut row = RegisterRow {
        id: id.bytes().to_vec(),
        version: 1,
        organisation: String::new(),
        administrator_title: None,
        contact: Vec::new(),
        street_code: String::new(),
        purpose: String::new(),
        items: String::new(),
        departments: String::new(),
        ends_on: None,
        requirements_version: 1,
        code_hash: code.hash.to_vec(),
        code: code.sealed,
        frozen: 0,
        vouched: 0,
        joined_ever: 0,
        members: 0,
        created_at: now,
        opened_at: now,
    };
    put_terms(app, &mut row, id, &terms)?;
    registers::insert(&mut tx, &row).await?;
    let body = json(&terms.requirements)?;
    registers::insert_requirements(&mut tx, id.bytes(), 1, &body, now).await?;
    let owner = random::id(&*app.random);
    registers::insert_administrator(
        &mut tx,
        owner.bytes(),
        id.bytes(),
        person.bytes(),
        1,
        None,
        now,
    )
    .await?;
    let event = Event {
        actor: Some(person),
        from: Some(actor),
        action: "created_register",
        register: Some(id),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    let owner = Role {
        owner: true,
        departments: None,
    };
    let details = show_register::details(app, &mut tx, &row, &owner).await?;
    tx.commit().await?;
    Ok(details)
}
