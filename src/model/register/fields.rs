//! What is right in each field of a register's terms.
use super::{
    AskedItem, DEPARTMENT, DEPARTMENTS, ORGANISATION, PURPOSE, TITLE, Terms, TypedRequirement,
    YEARS,
};
use crate::model::{
    catalogue::Catalogue,
    contact::{Contact, ContactError},
    division,
    field::FieldError,
    requirement::{Requirement, Rule},
    text::{Line, TextError},
};
use jiff::{ToSpan, civil::Date};
use std::collections::HashSet;

pub(super) fn keep_fixed(
    field: &str,
    old: &mut String,
    new: String,
    fixed: bool,
    errors: &mut Vec<FieldError>,
) {
    if fixed && *old != new {
        errors.push(FieldError::new(field, "fixed"));
    } else {
        *old = new;
    }
}

fn text_error(field: &str, error: TextError) -> FieldError {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    match error {
        TextError::Empty => FieldError::new(field, "required"),
        TextError::TooLong { max } => FieldError::new(field, error.code()).with("max", number(max)),
        TextError::HiddenCharacters { position } => {
            FieldError::new(field, error.code()).with("position", number(position))
        }
    }
}

/// A line of text in a field, or the field's error.
pub(crate) fn line(
    field: &str,
    typed: &str,
    max: usize,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    Line::parse(typed, max)
        .map(Line::into_string)
        .map_err(|error| errors.push(text_error(field, error)))
        .ok()
}

pub(super) fn organisation(typed: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    line("organisation", typed, ORGANISATION, errors)
}

pub(super) fn purpose(typed: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    line("purpose", typed, PURPOSE, errors)
}

pub(super) fn contact(typed: &str, errors: &mut Vec<FieldError>) -> Option<Contact> {
    Contact::parse(typed)
        .map_err(|error| {
            errors.push(match error {
                ContactError::Text(error) => text_error("contact", error),
                ContactError::Form => FieldError::new("contact", error.code()),
            });
        })
        .ok()
}

pub(super) fn title(typed: Option<&str>, errors: &mut Vec<FieldError>) -> Option<String> {
    let typed = typed.filter(|typed| !typed.trim().is_empty())?;
    line("administrator_title", typed, TITLE, errors)
}

pub(super) fn street(typed: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let code = typed.trim();
    if division::is_street(code) {
        return Some(code.to_owned());
    }
    let problem = if code.is_empty() {
        "required"
    } else {
        "unknown_street"
    };
    errors.push(FieldError::new("street_code", problem));
    None
}

pub(super) fn items(
    typed: &[AskedItem],
    catalogue: &Catalogue,
    errors: &mut Vec<FieldError>,
) -> Vec<AskedItem> {
    if typed.is_empty() {
        errors.push(FieldError::new("items", "required"));
    }
    let mut seen = HashSet::new();
    for (at, asked) in typed.iter().enumerate() {
        let problem = if catalogue.get(&asked.item).is_none() {
            "unknown_item"
        } else if !seen.insert(asked.item.as_str()) {
            "duplicate"
        } else {
            continue;
        };
        errors.push(FieldError::new(format!("items.{at}.item"), problem));
    }
    typed.to_vec()
}

pub(super) fn check_requirements(
    typed: &[TypedRequirement],
    asked: &[AskedItem],
    catalogue: &Catalogue,
    errors: &mut Vec<FieldError>,
) -> Vec<Requirement> {
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(typed.len());
    for (at, requirement) in typed.iter().enumerate() {
        let item = requirement.item.as_str();
        let problem = if catalogue.get(item).is_none() {
            Err(("item", "unknown_item"))
        } else if !asked.iter().any(|asked| asked.item == item) {
            Err(("item", "not_asked"))
        } else if !seen.insert(item) {
            Err(("item", "duplicate"))
        } else {
            requirement.check(catalogue)
        };
        match problem {
            Ok(requirement) => checked.push(requirement),
            Err((field, code)) => {
                let dot = if field.is_empty() { "" } else { "." };
                errors.push(FieldError::new(
                    format!("requirements.{at}{dot}{field}"),
                    code,
                ));
            }
        }
    }
    checked
}

/// Requirements that stay must be on items that stay.
pub(super) fn still_asked(terms: &Terms, errors: &mut Vec<FieldError>) {
    for (at, requirement) in terms.requirements.iter().enumerate() {
        if !terms.items.iter().any(|a| a.item == requirement.item) {
            errors.push(FieldError::new(
                format!("requirements.{at}.item"),
                "not_asked",
            ));
        }
    }
}

impl TypedRequirement {
    /// The requirement, or the field below it with what is wrong.
    fn check(&self, catalogue: &Catalogue) -> Result<Requirement, (&'static str, &'static str)> {
        let (field, rule) = match (self.max_days, &self.allowed, &self.at_least) {
            (Some(days), None, None) => {
                let days = u16::try_from(days).map_err(|_| ("max_days", "range"))?;
                ("max_days", Rule::MaxDays(days))
            }
            (None, Some(values), None) => {
                let mut seen = HashSet::new();
                let values = values.iter().filter(|value| seen.insert(value.as_str()));
                ("allowed", Rule::Allowed(values.cloned().collect()))
            }
            (None, None, Some(value)) => ("at_least", Rule::AtLeast(value.clone())),
            _ => return Err(("", "one_rule")),
        };
        let requirement = Requirement {
            item: self.item.clone(),
            rule,
        };
        requirement.check(catalogue).map_err(|code| (field, code))?;
        Ok(requirement)
    }
}

pub(super) fn departments(typed: &[String], errors: &mut Vec<FieldError>) -> Vec<String> {
    if typed.len() > DEPARTMENTS {
        let most = i64::try_from(DEPARTMENTS).unwrap_or(i64::MAX);
        errors.push(FieldError::new("departments", "too_many").with("max", most));
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::with_capacity(typed.len());
    for (at, typed) in typed.iter().enumerate() {
        let field = format!("departments.{at}");
        if let Some(name) = line(&field, typed, DEPARTMENT, errors) {
            if names.contains(&name) {
                errors.push(FieldError::new(field, "duplicate"));
            }
            names.push(name);
        }
    }
    names
}

pub(super) fn last_day(
    typed: Option<&str>,
    today: Date,
    errors: &mut Vec<FieldError>,
) -> Option<Date> {
    let typed = typed.map(str::trim).filter(|typed| !typed.is_empty())?;
    let problem = match typed.parse::<Date>() {
        Err(_) => "date",
        Ok(day) if day < today => "past",
        Ok(day) if today.checked_add(YEARS.years()).is_ok_and(|far| day > far) => "too_far",
        Ok(day) => return Some(day),
    };
    errors.push(FieldError::new("ends_on", problem));
    None
}
