//! What is shown of a document number, a phone number or a name to somebody it is not for.
//!
//! PRODUCT.md, "What an administrator sees": a document keeps at most its first 3 and last 2
//! characters of 18, a short one at most 2 in all, a phone its first 3 and last 4; the name of an
//! administrator is shown to members as 李*敏 or 张*. A mask has as many characters as what it
//! hides, one `*` for each hidden one.

use super::chars::{is_han, is_space};

/// The shortest document number that keeps 3 + 2 characters; a shorter one keeps 1 + 1.
const LONG_DOCUMENT: usize = 18;

/// The fewest digits of a phone number that stay hidden (4 of 11 in the mainland).
const HIDDEN_DIGITS: usize = 4;

/// Masks a document number: `110*************14`, `E*******8`.
///
/// 18 characters and more keep their first 3 and last 2, shorter ones their first and last, and
/// fewer than 4 keep nothing.
#[must_use]
pub fn mask_document(number: &str) -> String {
    match number.chars().count() {
        0..4 => keep(number, 0, 0),
        4..LONG_DOCUMENT => keep(number, 1, 1),
        _ => keep(number, 3, 2),
    }
}

/// Masks a national phone number: `138****0000`.
///
/// At most the first 3 and last 4 digits stay, and at least 4 are hidden: of the 8 digits of Hong
/// Kong that leaves `5****678`.
#[must_use]
pub fn mask_phone(national: &str) -> String {
    let shown = national
        .chars()
        .count()
        .saturating_sub(HIDDEN_DIGITS)
        .min(7);
    let first = shown * 3 / 7;
    keep(national, first, shown - first)
}

/// Masks a name: 李敏敏 → 李\*敏, 张三 → 张\*, Anna Mayer → A\*\*\* M\*\*\*\*.
///
/// Never more than two characters are shown, and always fewer than the name has letters. A name
/// with a Chinese character keeps its first and last one; another keeps its spaces and the first
/// letters of its first and its last word. Two letters keep the first, one letter nothing.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let letters: Vec<usize> = (0..chars.len())
        .filter(|&at| is_letter(chars[at]))
        .collect();
    let han = chars.iter().copied().any(is_han);
    let (Some(&first), Some(&last)) = (letters.first(), letters.last()) else {
        return "*".repeat(chars.len());
    };
    let second = match letters.len() {
        1 => return "*".repeat(chars.len()),
        2 => None,
        _ if han => Some(last),
        _ => last_word(&chars, &letters).filter(|&at| at != first),
    };
    let shown = |at: usize| at == first || Some(at) == second || (!han && chars[at] == ' ');
    (0..chars.len())
        .map(|at| if shown(at) { chars[at] } else { '*' })
        .collect()
}

/// Where the first letter of the last word that has one stands.
fn last_word(chars: &[char], letters: &[usize]) -> Option<usize> {
    let last = letters.last().copied()?;
    let start = (0..last)
        .rev()
        .find(|&at| is_space(chars[at]))
        .map_or(0, |at| at + 1);
    letters.iter().copied().find(|&at| at >= start)
}

/// Letters and digits of any script; private use too, where rare characters used to live.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_han(c)
}

/// Keeps `first` and `last` characters of `text` and stars the others.
fn keep(text: &str, first: usize, last: usize) -> String {
    let count = text.chars().count();
    text.chars()
        .enumerate()
        .map(|(at, c)| {
            if at < first || at + last >= count {
                c
            } else {
                '*'
            }
        })
        .collect()
}
