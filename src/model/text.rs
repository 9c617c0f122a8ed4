//! One line of free text: organisation, purpose, department, reason.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::chars::{first_hidden, is_space};

/// More bytes than a line of `max_chars` characters can have, decomposed and with outer spaces.
const fn max_bytes(max_chars: usize) -> usize {
    max_chars.saturating_mul(16).saturating_add(1024)
}

/// A line of text: NFC, without outer spaces, without hidden characters, not empty.
///
/// Markup and formula characters are kept as typed: escaping belongs to the output
/// (SECURITY.md 1.1.2). `Debug` shows only the length, since a reason may speak of a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Line(String);

/// Why a line of text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing, or nothing but spaces.
    #[error("the text is empty")]
    Empty,
    /// More characters than the field takes.
    #[error("the text has more than {max} characters")]
    TooLong {
        /// The most characters the field takes.
        max: usize,
    },
    /// A character that nobody sees: control, line end, zero width, writing direction.
    #[error("character {position} of the text is a hidden one")]
    HiddenCharacters {
        /// Where the first one stands in what was typed, counted in characters from 1.
        position: usize,
    },
}

impl TextError {
    /// The stable code of a problem document: `empty`, `too_long` or `hidden_characters`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            TextError::Empty => "empty",
            TextError::TooLong { .. } => "too_long",
            TextError::HiddenCharacters { .. } => "hidden_characters",
        }
    }
}

impl Line {
    /// Normalises and checks one line of at most `max_chars` characters.
    ///
    /// Outer spaces of any width go; inner ones stay. Characters are counted after normalising,
    /// and one of any plane counts as one.
    ///
    /// # Errors
    ///
    /// [`TextError::HiddenCharacters`] for control characters (tabs and line ends included),
    /// marks of writing direction, zero-width characters, noncharacters;
    /// [`TextError::TooLong`]; [`TextError::Empty`].
    pub fn parse(typed: &str, max_chars: usize) -> Result<Line, TextError> {
        let too_long = TextError::TooLong { max: max_chars };
        if typed.len() > max_bytes(max_chars) {
            return Err(too_long);
        }
        if let Some(position) = first_hidden(typed) {
            return Err(TextError::HiddenCharacters { position });
        }
        let text: String = typed.nfc().collect();
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.chars().count() > max_chars {
            return Err(too_long);
        }
        Ok(Line(text.to_owned()))
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The normalised text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({} characters)", self.0.chars().count())
    }
}
