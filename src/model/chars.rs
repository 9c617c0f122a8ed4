//! What single characters are: hidden, a space, a hyphen, a full-width form.
//!
//! Shared by every field that people type, so that a character refused in a name is refused in an
//! organisation too.

/// Whether `c` is a character that nobody sees, or that changes how its neighbours are shown.
///
/// These are refused rather than dropped (SECURITY.md 1.3.3, threat 6): dropping them would make
/// two texts equal that a page shows differently. The set is
/// - controls, NUL, tab and line ends included (general category Cc);
/// - marks, embeddings, overrides and isolates of writing direction (UAX #9);
/// - the other default-ignorable code points of Unicode's `DerivedCoreProperties`: zero-width
///   spaces and joiners, soft hyphen, fillers, variation selectors, tags;
/// - line and paragraph separators, the blank Braille pattern, interlinear annotation marks;
/// - U+FFFC and U+FFFD, which stand where a character was lost;
/// - noncharacters (U+FDD0..U+FDEF and the last two code points of each plane).
///
/// Unassigned code points are *not* hidden: a later Unicode version may give one to an ideograph
/// that somebody's name needs.
pub(super) fn is_hidden(c: char) -> bool {
    if c.is_control() {
        return true;
    }
    let code = u32::from(c);
    if code & 0xFFFE == 0xFFFE {
        return true;
    }
    matches!(
        code,
        0x00AD
            | 0x034F
            | 0x061C
            | 0x115F..=0x1160
            | 0x17B4..=0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0x2800
            | 0x3164
            | 0xFDD0..=0xFDEF
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFA0
            | 0xFFF0..=0xFFFD
            | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
    )
}

/// The place of the first hidden character of `typed`, counted in characters from 1.
pub(super) fn first_hidden(typed: &str) -> Option<usize> {
    typed.chars().position(is_hidden).map(|index| index + 1)
}

/// Whether `c` is a space of any width, breaking or not (general category Zs).
///
/// Tabs and line ends are controls, not spaces: [`is_hidden`] has them.
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Whether `c` is a hyphen, a dash or a minus sign, as keyboards and word processors make them.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// The ASCII character that `c` is the full-width form of (U+FF01..U+FF5E), else `c` itself.
pub(super) fn fold_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Whether `c` is written as a Chinese character: a unified or compatibility ideograph of any
/// plane, a radical, U+3007 〇, an iteration mark, or private use, where rare ones used to live.
pub(super) fn is_han(c: char) -> bool {
    matches!(
        u32::from(c),
        0x2E80..=0x2FDF
            | 0x3005..=0x3007
            | 0x3021..=0x3029
            | 0x3038..=0x303B
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xE000..=0xFAFF
            | 0x20000..=0x3FFFD
            | 0xF0000..=0x10FFFD
    )
}

/// Whether `c` is a Latin letter, with or without marks.
pub(super) fn is_latin(c: char) -> bool {
    c.is_alphabetic()
        && matches!(
            u32::from(c),
            0x41..=0x5A
                | 0x61..=0x7A
                | 0xAA..=0x2AF
                | 0x1D00..=0x1DBF
                | 0x1E00..=0x1EFF
                | 0x2C60..=0x2C7F
                | 0xA722..=0xA7FF
                | 0xAB30..=0xAB6F
                | 0xFB00..=0xFB06
        )
}
