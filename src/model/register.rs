//! What an administrator types about a register, and what of it is right.
mod fields;

use super::{catalogue::Catalogue, contact::Contact, requirement::Requirement};
use crate::model::field::FieldError;
pub(crate) use fields::line;
use fields::{
    check_requirements, contact, departments, items, keep_fixed, last_day, organisation, purpose,
    still_asked, street, title,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most characters of an organisation's name.
pub const ORGANISATION: usize = 100;
/// The most characters of what the administrator is there.
pub const TITLE: usize = 30;
/// The most characters of a purpose.
pub const PURPOSE: usize = 200;
/// The most departments.
pub const DEPARTMENTS: usize = 200;
/// The most characters of a department's name.
pub const DEPARTMENT: usize = 40;
/// The most years that a register may be planned ahead.
pub const YEARS: i64 = 5;

/// An item that a register asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedItem {
    /// The item's id in the catalogue.
    pub item: String,
    /// Whether nobody joins without it.
    pub required: bool,
}

/// A requirement as it was typed: an item and exactly one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypedRequirement {
    /// The item's id.
    pub item: String,
    /// At most so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
    /// One of these values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// At least this far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
}

/// A register's terms as they were typed; what is `None` was not given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TypedTerms {
    /// The organisation's name.
    pub organisation: Option<String>,
    /// An office phone or e-mail address for members.
    pub contact: Option<String>,
    /// What the administrator is there; empty for nothing.
    pub administrator_title: Option<String>,
    /// The street's code.
    pub street_code: Option<String>,
    /// What the information is for.
    pub purpose: Option<String>,
    /// The items asked for.
    pub items: Option<Vec<AskedItem>>,
    /// The requirements on them.
    pub requirements: Option<Vec<TypedRequirement>>,
    /// Departments to choose from.
    pub departments: Option<Vec<String>>,
    /// The last day; empty for none.
    pub ends_on: Option<String>,
}

/// A register's terms, each checked by the rules of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The organisation's name.
    pub organisation: String,
    /// The contact that members see.
    pub contact: Contact,
    /// What the administrator is there.
    pub administrator_title: Option<String>,
    /// The street's code.
    pub street_code: String,
    /// What the information is for.
    pub purpose: String,
    /// The items asked for, in the order of the form.
    pub items: Vec<AskedItem>,
    /// The requirements on them.
    pub requirements: Vec<Requirement>,
    /// Departments to choose from.
    pub departments: Vec<String>,
    /// The last day.
    pub ends_on: Option<Date>,
}

impl TypedTerms {
    /// Checks every field of a new register.
    ///
    /// # Errors
    /// One error for each field that is missing or wrong, nested ones as `items.0.item`. Codes:
    /// `required`, `too_long`, `hidden_characters`, `form` (contact), `unknown_street`,
    /// `unknown_item`, `duplicate`, `not_asked`, `one_rule`, `wrong_rule`, `unknown_value`,
    /// `range`, `too_many`, `date`, `past`, `too_far`.
    pub fn check(&self, catalogue: &Catalogue, today: Date) -> Result<Terms, Vec<FieldError>> {
        let mut errors = Vec::new();
        let blank = String::new();
        let none = Vec::new();
        let requirements = Vec::new();
        let organisation = organisation(self.organisation.as_ref().unwrap_or(&blank), &mut errors);
        let contact = contact(self.contact.as_ref().unwrap_or(&blank), &mut errors);
        let title = title(self.administrator_title.as_deref(), &mut errors);
        let street = street(self.street_code.as_ref().unwrap_or(&blank), &mut errors);
        let purpose = purpose(self.purpose.as_ref().unwrap_or(&blank), &mut errors);
        let asked = self.items.as_ref().unwrap_or(&none);
        let items = items(asked, catalogue, &mut errors);
        let requirements = check_requirements(
            self.requirements.as_ref().unwrap_or(&requirements),
            asked,
            catalogue,
            &mut errors,
        );
        let departments = departments(self.departments.as_deref().unwrap_or(&[]), &mut errors);
        let ends_on = last_day(self.ends_on.as_deref(), today, &mut errors);
        match (organisation, contact, street, purpose) {
            (Some(organisation), Some(contact), Some(street_code), Some(purpose))
                if errors.is_empty() =>
            {
                Ok(Terms {
                    organisation,
                    contact,
                    administrator_title: title,
                    street_code,
                    purpose,
                    items,
                    requirements,
                    departments,
                    ends_on,
                })
            }
            _ => Err(errors),
        }
    }

    /// Puts what was given over the terms that a register has. What was not given is kept as it
    /// is, also where today's rules would refuse it.
    ///
    /// # Errors
    /// As [`TypedTerms::check`], and `fixed` for an organisation or purpose that would change
    /// although `fixed` says that somebody joined under it.
    pub fn over(
        &self,
        mut terms: Terms,
        fixed: bool,
        catalogue: &Catalogue,
        today: Date,
    ) -> Result<Terms, Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Some(new) = self
            .organisation
            .as_ref()
            .and_then(|typed| organisation(typed, &mut errors))
        {
            keep_fixed(
                "organisation",
                &mut terms.organisation,
                new,
                fixed,
                &mut errors,
            );
        }
        if let Some(new) = self
            .purpose
            .as_ref()
            .and_then(|typed| purpose(typed, &mut errors))
        {
            keep_fixed("purpose", &mut terms.purpose, new, fixed, &mut errors);
        }
        if let Some(new) = self
            .contact
            .as_ref()
            .and_then(|typed| contact(typed, &mut errors))
        {
            terms.contact = new;
        }
        if let Some(new) = self
            .street_code
            .as_ref()
            .and_then(|typed| street(typed, &mut errors))
        {
            terms.street_code = new;
        }
        if let Some(typed) = &self.administrator_title {
            terms.administrator_title = title(Some(typed), &mut errors);
        }
        if let Some(typed) = &self.items {
            terms.items = items(typed, catalogue, &mut errors);
        }
        if let Some(typed) = &self.requirements {
            terms.requirements = check_requirements(typed, &terms.items, catalogue, &mut errors);
        } else if self.items.is_some() {
            still_asked(&terms, &mut errors);
        }
        if let Some(typed) = &self.departments {
            terms.departments = departments(typed, &mut errors);
        }
        if let Some(typed) = &self.ends_on {
            terms.ends_on = last_day(Some(typed), today, &mut errors);
        }
        if errors.is_empty() {
            Ok(terms)
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests;
