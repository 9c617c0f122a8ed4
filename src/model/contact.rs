//! The contact that an administrator gives and members see: an office phone or an e-mail address.

use std::fmt;

use super::chars::{fold_width, is_hyphen, is_space};
use super::text::{Line, TextError};

/// The most characters of a contact; RFC 5321 lets an address have 254.
const MAX_CHARS: usize = 254;

/// What stands before the number of an extension, longest first.
const EXTENSION_MARKS: [&str; 9] = ["分机", "內線", "内线", "转", "轉", "ext.", "ext", "x", "#"];

/// An office phone (any country, landline too, with or without an extension) or an e-mail address.
///
/// Only its form is checked: nothing is ever sent to it. `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Contact {
    text: String,
    kind: ContactKind,
}

/// Which of the two a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactKind {
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
}

/// Why a contact was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Empty, too long, or with hidden characters.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Neither a phone number nor an e-mail address.
    #[error("the contact is neither a phone number nor an e-mail address")]
    Form,
}

impl ContactError {
    /// The stable code of a problem document: those of [`TextError::code`], or `form`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            ContactError::Text(error) => error.code(),
            ContactError::Form => "form",
        }
    }
}

impl Contact {
    /// Checks a contact; full-width letters, digits and signs are folded first.
    ///
    /// # Errors
    ///
    /// [`ContactError::Text`] as [`Line::parse`] has it; [`ContactError::Form`] for what is
    /// neither a phone number of 5 to 15 digits (spaces, hyphens, brackets, a leading `+` and an
    /// extension of up to 6 digits allowed) nor a plausible e-mail address.
    pub fn parse(typed: &str) -> Result<Contact, ContactError> {
        let line = Line::parse(typed, MAX_CHARS)?.into_string();
        let text: String = line.chars().map(fold_width).collect();
        let text = text.trim_matches(is_space).to_owned();
        let kind = if is_email(&text) {
            ContactKind::Email
        } else if phone_digits(&text).is_some() {
            ContactKind::Phone
        } else {
            return Err(ContactError::Form);
        };
        Ok(Contact { text, kind })
    }

    /// The contact as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A phone or an e-mail address.
    #[must_use]
    pub fn kind(&self) -> ContactKind {
        self.kind
    }

    /// The number for a `tel:` link, nothing but digits after an optional `+` and without the
    /// extension (SECURITY.md 1.2.2). `None` for an e-mail address.
    #[must_use]
    pub fn dial(&self) -> Option<String> {
        match self.kind {
            ContactKind::Phone => phone_digits(&self.text),
            ContactKind::Email => None,
        }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({:?})", self.kind)
    }
}

/// One `@`, a local part of at most 64 characters without empty atoms, a domain with a dot.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    local.chars().count() <= 64
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
        && domain.contains('.')
        && domain.split('.').all(label)
        && top.chars().count() >= 2
        && !top.chars().all(|c| c.is_ascii_digit())
}

/// The digits of the main number, with its `+` if it had one; `None` if this is no phone number.
fn phone_digits(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let (main, extension) = EXTENSION_MARKS
        .iter()
        .find_map(|mark| lower.split_once(mark))
        .map_or((lower.as_str(), None), |(main, extension)| {
            (main, Some(extension))
        });
    let mut digits = String::new();
    for c in main.chars() {
        match c {
            '+' if digits.is_empty() => digits.push(c),
            '0'..='9' => digits.push(c),
            '(' | ')' => {}
            _ if is_space(c) || is_hyphen(c) => {}
            _ => return None,
        }
    }
    let extension_fits = extension.is_none_or(|typed| {
        let extension = typed.trim_matches(|c| is_space(c) || matches!(c, ':' | '.'));
        matches!(extension.len(), 1..=6) && extension.bytes().all(|b| b.is_ascii_digit())
    });
    let count = digits.trim_start_matches('+').len();
    (extension_fits && matches!(count, 5..=15)).then_some(digits)
}
