//! The owner changes a register's terms. What members consented to does not change with them: a
//! new item is theirs to give, and other requirements are a new version beside the old ones.
use super::{
    Actor, Role,
    audit::{self, Event},
    has_ended, register_of_owner,
    register_terms::{json, put_terms, terms_of},
    show_register::{self, RegisterDetails},
};
use crate::{
    app::App,
    error::{Error, Result},
    model::{
        id::Id,
        register::{AskedItem, Terms, TypedRequirement, TypedTerms},
    },
    store::registers,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// What is to change; what is not given stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangedRegister {
    /// The organisation's name; fixed once somebody joined.
    pub organisation: Option<String>,
    /// The contact that members see.
    pub contact: Option<String>,
    /// What the administrator is there; `null` or empty takes it away.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub administrator_title: Option<Option<String>>,
    /// The street's division code.
    pub street_code: Option<String>,
    /// What the information is for; fixed once somebody joined.
    pub purpose: Option<String>,
    /// The whole list of items. Members keep the consent that they gave.
    pub items: Option<Vec<AskedItem>>,
    /// The whole list of requirements.
    pub requirements: Option<Vec<TypedRequirement>>,
    /// The whole list of departments.
    pub departments: Option<Vec<String>>,
    /// The last day; `null` or empty takes it away.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub ends_on: Option<Option<String>>,
}

/// Tells `null` from what is not there.
fn given<'de, D: Deserializer<'de>>(
    input: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::deserialize(input).map(Some)
}

impl ChangedRegister {
    fn typed(&self) -> TypedTerms {
        let or_empty =
            |given: &Option<Option<String>>| given.clone().map(Option::unwrap_or_default);
        TypedTerms {
            organisation: self.organisation.clone(),
            contact: self.contact.clone(),
            administrator_title: or_empty(&self.administrator_title),
            street_code: self.street_code.clone(),
            purpose: self.purpose.clone(),
            items: self.items.clone(),
            requirements: self.requirements.clone(),
            departments: self.departments.clone(),
            ends_on: or_empty(&self.ends_on),
        }
    }
}

/// Changes a register's terms; how it reads afterwards.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] for anybody but the owner; [`Error::Invalid`] with
/// every field that is wrong, `fixed` for an organisation or purpose that members joined under.
pub async fn change_register(
    app: &App,
    actor: &Actor,
    id: Id,
    change: &ChangedRegister,
) -> Result<RegisterDetails> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.write().await?;
    register_of_owner(app, &mut tx, session, id).await?;
    // Held, so that nobody joins under a purpose that is about to change.
    let mut row = registers::lock(&mut tx, id.bytes())
        .await?
        .filter(|row| !has_ended(app, row))
        .ok_or(Error::NotFound)?;
    let old = terms_of(app, &mut tx, &row).await?;
    let new = change
        .typed()
        .over(
            old.clone(),
            row.joined_ever != 0,
            &app.catalogue,
            app.today(),
        )
        .map_err(Error::Invalid)?;
    let changed = changed_fields(&old, &new);
    if !changed.is_empty() {
        put_terms(app, &mut row, id, &new)?;
        if new.requirements != old.requirements {
            row.requirements_version += 1;
            let body = json(&new.requirements)?;
            let version = row.requirements_version;
            registers::insert_requirements(&mut tx, id.bytes(), version, &body, app.now()).await?;
        }
        registers::update(&mut tx, &row).await?;
        if new.organisation != old.organisation && row.vouched != 0 {
            // The operator vouched for the other name.
            registers::set_vouched(&mut tx, id.bytes(), false).await?;
            row.vouched = 0;
        }
        let detail = json(&serde_json::json!({ "fields": changed }))?;
        let event = Event {
            actor: Some(session.person),
            from: Some(actor),
            action: "changed_register",
            register: Some(id),
            detail: Some(&detail),
            ..Event::default()
        };
        audit::record(app, &mut tx, event).await?;
    }
    let owner = Role {
        owner: true,
        departments: None,
    };
    let details = show_register::details(app, &mut tx, &row, &owner).await?;
    tx.commit().await?;
    Ok(details)
}

fn changed_fields(old: &Terms, new: &Terms) -> Vec<&'static str> {
    [
        ("organisation", old.organisation != new.organisation),
        ("contact", old.contact != new.contact),
        (
            "administrator_title",
            old.administrator_title != new.administrator_title,
        ),
        ("street_code", old.street_code != new.street_code),
        ("purpose", old.purpose != new.purpose),
        ("items", old.items != new.items),
        ("requirements", old.requirements != new.requirements),
        ("departments", old.departments != new.departments),
        ("ends_on", old.ends_on != new.ends_on),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}
