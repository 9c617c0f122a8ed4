//! The six digits of an SMS code.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::chars::fold_width;

/// How many bytes are looked at; a code with spaces between full-width digits needs fewer.
const MAX_BYTES: usize = 64;

/// A six-digit code, leading zeros kept; wiped when dropped and never shown by `Debug`.
///
/// It can be read, not compared: a code is checked by its MAC (SECURITY.md §4).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SmsCode([u8; 6]);

impl SmsCode {
    /// The code of a number from 0 to 999,999, as a random generator draws it: 42 is `000042`.
    /// `None` for a larger number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<SmsCode> {
        if number > 999_999 {
            return None;
        }
        let mut rest = number;
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            // A remainder by 10 fits a byte.
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Some(SmsCode(digits))
    }

    /// The six ASCII digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII digits are ever stored, so this is always text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The six ASCII digits as bytes, for a MAC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl fmt::Debug for SmsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmsCode(…)")
    }
}

/// Reads a code as people type or paste it: spaces of any kind and line ends are forgiven,
/// full-width digits are folded, leading zeros are kept. `None` unless exactly six digits remain.
#[must_use]
pub fn parse_sms_code(typed: &str) -> Option<SmsCode> {
    if typed.len() > MAX_BYTES {
        return None;
    }
    let mut digits = [0; 6];
    let mut count = 0;
    for c in typed.chars().filter(|c| !c.is_whitespace()).map(fold_width) {
        let digit = u8::try_from(c).ok().filter(u8::is_ascii_digit)?;
        *digits.get_mut(count)? = digit;
        count += 1;
    }
    (count == digits.len()).then_some(SmsCode(digits))
}
