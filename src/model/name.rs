//! Names: how they are written, and when two are the same.

mod private_use;

use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use super::chars::{first_hidden, fold_width, is_han, is_latin, is_space};
use super::mask::mask_name;

/// The most characters of a name, counted after normalising, one for each character of any plane.
pub const MAX_CHARS: usize = 100;

/// More bytes than a name of [`MAX_CHARS`] has, decomposed and with spaces around it.
const MAX_BYTES: usize = 4096;

/// U+00B7, the dot between the parts of a name (间隔号).
const DOT: char = '\u{B7}';

/// A person's name. Two are equal when their [`Name::key`] is.
///
/// `Debug` shows only how long it is.
#[derive(Clone)]
pub struct Name {
    text: String,
    key: String,
}

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing but spaces and commas.
    #[error("no name was given")]
    Empty,
    /// More characters than [`MAX_CHARS`].
    #[error("the name has more than {max} characters")]
    TooLong {
        /// The most characters of a name.
        max: usize,
    },
    /// A character that nobody sees: control, zero width, writing direction. Deleting the name
    /// and typing it anew mends it.
    #[error("character {position} of the name is a hidden one")]
    HiddenCharacters {
        /// Where the first one stands in what was typed, counted in characters from 1.
        position: usize,
    },
}

impl NameError {
    /// The stable code of a problem document: `empty`, `too_long` or `hidden_characters`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            NameError::Empty => "empty",
            NameError::TooLong { .. } => "too_long",
            NameError::HiddenCharacters { .. } => "hidden_characters",
        }
    }
}

impl Name {
    /// Normalises a name by the rules of PRODUCT.md:
    ///
    /// - full-width ASCII folded, private-use code points with a settled successor replaced, NFC;
    /// - every middle dot that people type becomes U+00B7, a full stop between two Chinese
    ///   characters too, and any other full stop a plain one;
    /// - outer spaces go, inner runs of spaces of any width become one space.
    ///
    /// Nothing else is folded: 王龑 is not 王䶮, and a name without its dot is another name.
    /// Markup is kept: escaping belongs to the page.
    ///
    /// # Errors
    ///
    /// [`NameError::HiddenCharacters`] (tabs and line ends are among them),
    /// [`NameError::TooLong`], [`NameError::Empty`].
    pub fn parse(typed: &str) -> Result<Name, NameError> {
        let too_long = NameError::TooLong { max: MAX_CHARS };
        if typed.len() > MAX_BYTES {
            return Err(too_long);
        }
        if let Some(position) = first_hidden(typed) {
            return Err(NameError::HiddenCharacters { position });
        }
        let text = normalise(typed);
        let key = comparison_key(&text);
        if key.is_empty() {
            return Err(NameError::Empty);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(too_long);
        }
        Ok(Name { text, key })
    }

    /// A name that was read before, from its [`Name::as_str`]. It is not judged again.
    #[must_use]
    pub fn stored(text: &str) -> Name {
        Name {
            text: text.to_owned(),
            key: comparison_key(text),
        }
    }

    /// The name as it is shown: normalised, case and commas kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form in which names are compared: Latin letters without case, a comma and the spaces
    /// around it as one space. It is for comparing alone, never shown.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What others are shown: 李\*敏, 张\*.
    #[must_use]
    pub fn masked(&self) -> String {
        mask_name(&self.text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.key == other.key
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({} characters)", self.text.chars().count())
    }
}

/// The shown form: widths, private use, NFC, dots, spaces.
fn normalise(typed: &str) -> String {
    let folded: Vec<char> = typed
        .chars()
        .map(|c| {
            if is_space(c) {
                ' '
            } else {
                private_use::successor(fold_width(c))
            }
        })
        .nfc()
        .collect();
    let mut text = String::with_capacity(typed.len());
    for (at, &c) in folded.iter().enumerate() {
        let c = if is_middle_dot(c) {
            DOT
        } else if is_full_stop(c) {
            let before = at.checked_sub(1).and_then(|before| folded.get(before));
            let between = before.copied().is_some_and(is_han)
                && folded.get(at + 1).copied().is_some_and(is_han);
            if between { DOT } else { '.' }
        } else {
            c
        };
        if c != ' ' || !text.ends_with(' ') {
            text.push(c);
        }
    }
    text.trim_matches(' ').to_owned()
}

/// The comparison form of a normalised name.
fn comparison_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || is_comma(c) {
            if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        } else if is_latin(c) {
            // By way of the capitals that documents print: ß and SS, ı and I are one there. Small
            // letters come first because the capital ẞ is its own.
            let capitals = c.to_lowercase().flat_map(char::to_uppercase);
            key.extend(capitals.flat_map(char::to_lowercase));
        } else {
            key.push(c);
        }
    }
    key.trim_end_matches(' ').nfc().collect()
}

/// A comma; the full-width one is folded before.
fn is_comma(c: char) -> bool {
    matches!(c, ',' | '\u{FE50}')
}

/// The dots that keyboards, input methods and other systems put between the parts of a name.
///
/// U+0387 is canonically U+00B7, so NFC has replaced it before.
fn is_middle_dot(c: char) -> bool {
    matches!(
        c,
        '\u{B7}'            // · middle dot, GB/T 15834 and the Unicode mapping of GB 18030
            | '\u{2D9}'     // ˙ dot above, typed in Taiwan
            | '\u{387}'     // · Greek ano teleia
            | '\u{1427}'    // ᐧ Canadian syllabics final middle dot
            | '\u{2022}'    // • bullet
            | '\u{2027}'    // ‧ hyphenation point, the dot of Big5
            | '\u{2219}'    // ∙ bullet operator
            | '\u{22C5}'    // ⋅ dot operator
            | '\u{2981}'    // ⦁ spot
            | '\u{2E31}'    // ⸱ word separator middle dot
            | '\u{2E33}'    // ⸳ raised dot
            | '\u{30FB}'    // ・ katakana middle dot
            | '\u{318D}'    // ㆍ Hangul araea, typed as a dot in Korea
            | '\u{A78F}'    // ꞏ sinological dot
            | '\u{FF65}'    // ･ half-width katakana middle dot
            | '\u{10101}' // 𐄁 Aegean word separator dot
    )
}

/// A full stop of any shape; the full-width one is folded before.
fn is_full_stop(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{FF61}' | '\u{2024}' | '\u{FE52}')
}
