//! The other documents: their form, where one is published, and nothing beyond it.

use jiff::civil::Date;

use super::DocumentError;
use super::resident::birth_date;

/// The fewest characters of a passport number that are accepted.
const PASSPORT_MIN: usize = 5;
/// The most; ICAO 9303 has 9 in its machine-readable zone and lets longer ones overflow.
const PASSPORT_MAX: usize = 20;
/// Characters of the older foreigner's card.
const FOREIGN_LENGTH: usize = 15;

/// The foreigner's permanent residence card in use until 2023: the alpha-3 nationality of
/// ISO 3166-1, four digits of the place that received the application, the birth date as YYMMDD, a
/// sequence digit and a check digit.
///
/// The rule of that check digit is not published by the authority, so it is not judged. The birth
/// date is certain only if one century fits; it is wrong if none does.
pub(super) fn foreign(
    folded: String,
    today: Date,
) -> Result<(String, Option<Date>), DocumentError> {
    let actual = folded.len();
    if actual != FOREIGN_LENGTH {
        return Err(DocumentError::Length {
            expected: FOREIGN_LENGTH as u8,
            actual,
        });
    }
    let (nationality, digits) = folded.split_at(3);
    if !is_letters(nationality) || !is_digits(digits) {
        return Err(DocumentError::Form);
    }
    let born = |century: &str| birth_date(&format!("{century}{}", &digits[4..10]), today);
    let birth = match (born("19"), born("20")) {
        (Ok(_), Ok(_)) => None,
        (Ok(date), Err(_)) | (Err(_), Ok(date)) => Some(date),
        // No century has that day, or only one to come.
        (Err(_), Err(error)) => return Err(error),
    };
    Ok((folded, birth))
}

/// The permit of Hong Kong and Macao residents: H or M and 8 digits for life, on cards of 1999 to
/// 2012 followed by two digits that count the renewals; since 10 July 2024 HA or MA and 7 digits
/// for permanent residents who are not Chinese nationals.
pub(super) fn hk_macao(folded: String) -> Result<String, DocumentError> {
    let rest = folded.strip_prefix(['H', 'M']).ok_or(DocumentError::Form)?;
    let fits = match rest.len() {
        8 => is_digits(rest.strip_prefix('A').unwrap_or(rest)),
        10 => is_digits(rest),
        _ => false,
    };
    if fits {
        Ok(folded)
    } else {
        Err(DocumentError::Form)
    }
}

/// The permit of Taiwan residents: 8 digits for life; on booklets of 1992 to 2008 followed by two
/// digits that count the issues and, in brackets, a letter or digit for the issuing place.
pub(super) fn taiwan(folded: &str) -> Result<String, DocumentError> {
    let number = match folded
        .strip_suffix(')')
        .and_then(|rest| rest.split_once('('))
    {
        Some((number, place)) if number.len() == 10 && place.len() == 1 => {
            format!("{number}{place}")
        }
        Some(_) => return Err(DocumentError::Form),
        None => folded.to_owned(),
    };
    let fits = match number.len() {
        8 | 10 => is_digits(&number),
        11 => is_digits(&number[..10]) && is_plain(&number[10..]),
        _ => false,
    };
    if fits {
        Ok(number)
    } else {
        Err(DocumentError::Form)
    }
}

/// A passport of any country: letters and digits, since there is no form that all share.
pub(super) fn passport(folded: String) -> Result<String, DocumentError> {
    match folded.len() {
        0..PASSPORT_MIN => Err(DocumentError::Form),
        PASSPORT_MIN..=PASSPORT_MAX => Ok(folded),
        _ => Err(DocumentError::TooLong {
            max: PASSPORT_MAX as u8,
        }),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_letters(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}
