//! The 18-character number of GB 11643-1999 and the 15 digits that came before it.
//!
//! Six digits of area (GB/T 2260), eight of birth date, three of sequence, a check character by
//! ISO 7064 MOD 11-2. Three cards besides 居民身份证 have the same form:
//! - 港澳台居民居住证 (since 2018): areas 810000, 820000 and 830000;
//! - 外国人永久居留身份证 (since 1 December 2023, National Immigration Administration): `9`, the
//!   province that first received the application, the numeric nationality of ISO 3166-1, then
//!   the same birth date, sequence and MOD 11-2 check character.

use jiff::civil::Date;

use super::DocumentError;

/// Characters of the present form.
const LENGTH: usize = 18;
/// Digits of the form issued until 1 October 1999.
const OLD_LENGTH: usize = 15;

/// The provinces of GB/T 2260 and the three of residence permits (81, 82, 83).
///
/// Nothing below the province is looked at: a code that was abolished since, such as 110103 of
/// 崇文区, is valid for life, and new ones are made every year.
const PROVINCES: [&str; 35] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
    "81", "82", "83",
];

/// The first year a birth date may have: numbers are given since 1984, and the oldest people who
/// got one were born in the 1800s.
const FIRST_YEAR: i16 = 1800;

/// Checks folded text and gives the 18-character number with the birth date in it.
///
/// A 15-digit number gets its century and check character. Its sequence codes 996 to 999 were
/// kept for people who were a hundred years old when numbered, that is born in the 1800s; every
/// other number of that form is of the 1900s, since the form ended in 1999.
pub(super) fn parse(folded: &str, today: Date) -> Result<(String, Date), DocumentError> {
    let actual = folded.len();
    if !folded.bytes().all(|b| b.is_ascii_digit() || b == b'X') {
        return Err(DocumentError::Characters);
    }
    if actual != LENGTH && actual != OLD_LENGTH {
        return Err(DocumentError::Length {
            expected: LENGTH as u8,
            actual,
        });
    }
    let digits = if actual == LENGTH {
        &folded[..LENGTH - 1]
    } else {
        folded
    };
    if digits.contains('X') {
        return Err(DocumentError::Characters);
    }
    check_area(digits)?;
    if actual == OLD_LENGTH {
        return upgrade(digits, today);
    }
    let birth = birth_date(&digits[6..14], today)?;
    if !folded.ends_with(check_character(digits)) {
        return Err(DocumentError::CheckDigit);
    }
    Ok((folded.to_owned(), birth))
}

/// Writes a 15-digit number in 18 characters.
fn upgrade(digits: &str, today: Date) -> Result<(String, Date), DocumentError> {
    let century = if matches!(&digits[12..], "996" | "997" | "998" | "999") {
        "18"
    } else {
        "19"
    };
    let body = format!("{}{century}{}", &digits[..6], &digits[6..]);
    let birth = birth_date(&body[6..14], today).map_err(|error| {
        // Read as the first 15 of 18, an impossible date is the beginning of a year in full: the
        // end is missing, and saying so helps more than speaking of a date that nobody typed.
        if matches!(&digits[6..8], "18" | "19" | "20") {
            DocumentError::Length {
                expected: LENGTH as u8,
                actual: OLD_LENGTH,
            }
        } else {
            error
        }
    })?;
    let check = check_character(&body);
    Ok((format!("{body}{check}"), birth))
}

/// Whether the number begins with a province, or with a foreigner's 9 and a province.
fn check_area(digits: &str) -> Result<(), DocumentError> {
    let foreigner = digits.len() == LENGTH - 1 && digits.starts_with('9');
    let province = if foreigner {
        &digits[1..3]
    } else {
        &digits[..2]
    };
    if PROVINCES.contains(&province) {
        Ok(())
    } else {
        Err(DocumentError::Area)
    }
}

/// The date of eight digits YYYYMMDD, which must exist and not be later than `today`.
pub(super) fn birth_date(digits: &str, today: Date) -> Result<Date, DocumentError> {
    let number: i32 = digits.parse().map_err(|_| DocumentError::BirthDate)?;
    let part = |value: i32| i8::try_from(value).map_err(|_| DocumentError::BirthDate);
    let year = i16::try_from(number / 10_000).map_err(|_| DocumentError::BirthDate)?;
    let (month, day) = (part(number / 100 % 100)?, part(number % 100)?);
    let date = Date::new(year, month, day).map_err(|_| DocumentError::BirthDate)?;
    if year < FIRST_YEAR {
        return Err(DocumentError::BirthDate);
    }
    if date > today {
        Err(DocumentError::BirthDateFuture)
    } else {
        Ok(date)
    }
}

/// The check character of a resident number's first 17 digits (GB 11643-1999, ISO 7064 MOD 11-2); 10
/// is written X.
#[must_use]
pub fn check_character(digits: &str) -> char {
    let product = digits
        .bytes()
        .fold(0, |product, b| (product + u32::from(b - b'0')) * 2 % 11);
    match (12 - product) % 11 {
        10 => 'X',
        value => char::from_digit(value, 10).unwrap_or('X'),
    }
}
