//! Mobile numbers, by the metadata of libphonenumber.

use std::fmt;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type, country};

use super::chars::{fold_width, is_hyphen, is_space};
use super::mask::mask_phone;

/// The calling code of mainland China; never that of Hong Kong, Macao or Taiwan.
const MAINLAND: &str = "86";
/// The digits of a mainland mobile number.
const MAINLAND_LENGTH: usize = 11;
/// The most digits that E.164 lets a number have (15), and an international prefix.
const MAX_DIGITS: usize = 20;

/// The regions whose mobile numbers the operator allows. Mainland China always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions(Vec<country::Id>);

/// A region that is no ISO 3166-1 alpha-2 code in capitals, or has no phone numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no region with phone numbers, such as HK or SG")]
pub struct UnknownRegion(pub String);

impl Regions {
    /// Mainland China alone, the default.
    #[must_use]
    pub fn mainland() -> Regions {
        Regions::default()
    }

    /// Mainland China and the given ISO 3166-1 alpha-2 codes (`HK`, `MO`, `TW`, `SG`, …).
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] naming the first code that is none.
    pub fn with<I>(codes: I) -> Result<Regions, UnknownRegion>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut regions = Vec::new();
        for code in codes {
            let code = code.as_ref();
            let unknown = || UnknownRegion(code.to_owned());
            let id: country::Id = code.parse().map_err(|_| unknown())?;
            DATABASE.by_id(code).ok_or_else(unknown)?;
            if id != country::CN && !regions.contains(&id) {
                regions.push(id);
            }
        }
        Ok(Regions(regions))
    }

    /// Whether numbers of this calling code can belong to a region that is allowed.
    fn has_calling_code(&self, digits: &str) -> bool {
        self.0.iter().any(|id| {
            DATABASE
                .by_id(id.as_ref())
                .is_some_and(|metadata| digits.starts_with(&metadata.country_code().to_string()))
        })
    }
}

/// A mobile number that can get an SMS. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    /// `+`, calling code, national number.
    e164: String,
    /// Where the national number begins.
    national: usize,
}

/// Why a phone number was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Nothing, or nothing but spaces, hyphens and signs.
    #[error("no phone number was given")]
    Empty,
    /// A mainland number that has not 11 digits (手机号应为 11 位).
    #[error("a mobile number has 11 digits, this has {actual}")]
    Length {
        /// How many digits it has, the country's code left out.
        actual: usize,
    },
    /// Something that is neither digit, space, hyphen, bracket nor a `+` in front.
    #[error("a phone number has digits only")]
    Characters,
    /// A landline, a service number, or digits that no operator has.
    #[error("this is not a mobile number")]
    NotMobile,
    /// A country that the operator does not allow.
    #[error("numbers of this country are not allowed")]
    Country,
}

impl PhoneError {
    /// The stable code of a problem document: `empty`, `length`, `characters`, `not_mobile` or
    /// `country`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            PhoneError::Empty => "empty",
            PhoneError::Length { .. } => "length",
            PhoneError::Characters => "characters",
            PhoneError::NotMobile => "not_mobile",
            PhoneError::Country => "country",
        }
    }
}

impl Phone {
    /// Reads a mobile number as people type it.
    ///
    /// Spaces of any width, hyphens and brackets are dropped, full-width digits folded. A mainland
    /// number may have `+86`, `0086` or `86` in front; another needs `+` or `00` and its calling
    /// code, and a region that `regions` allows.
    ///
    /// # Errors
    ///
    /// Each [`PhoneError`]; hidden characters are [`PhoneError::Characters`].
    pub fn parse(typed: &str, regions: &Regions) -> Result<Phone, PhoneError> {
        let (international, digits) = read_digits(typed)?;
        if international {
            return match digits.strip_prefix(MAINLAND) {
                Some(national) => mainland(national),
                None => foreign(&digits, regions),
            };
        }
        match digits.strip_prefix(MAINLAND) {
            Some(national) if national.len() == MAINLAND_LENGTH => mainland(national),
            _ => mainland(&digits),
        }
    }

    /// A number that was read before, from its [`Phone::e164`]. It is not judged again: the operator
    /// may have stopped allowing its region since. `None` for what no reading gives.
    #[must_use]
    pub fn stored(e164: &str) -> Option<Phone> {
        let digits = e164.strip_prefix('+')?;
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let code = if digits.starts_with(MAINLAND) {
            MAINLAND.len()
        } else {
            // No calling code begins with another.
            let is_code = |code: &str| {
                code.parse()
                    .is_ok_and(|code| DATABASE.by_code(&code).is_some())
            };
            (1..=3).find(|length| digits.get(..*length).is_some_and(is_code))?
        };
        (digits.len() > code).then(|| Phone {
            e164: e164.to_owned(),
            national: 1 + code,
        })
    }

    /// The number by E.164: `+8613800000000`.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The national number: 11 digits in the mainland, digits only elsewhere too.
    #[must_use]
    pub fn national(&self) -> &str {
        &self.e164[self.national..]
    }

    /// Whether this is a number of mainland China.
    #[must_use]
    pub fn is_mainland(&self) -> bool {
        self.e164[1..self.national] == *MAINLAND
    }

    /// `138****0000`; a number from elsewhere with its calling code, `+8525****678`.
    #[must_use]
    pub fn masked(&self) -> String {
        let masked = mask_phone(self.national());
        if self.is_mainland() {
            masked
        } else {
            format!("{}{masked}", &self.e164[..self.national])
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// The digits of `typed` and whether they begin with a calling code; its `+` or `00` is dropped.
fn read_digits(typed: &str) -> Result<(bool, String), PhoneError> {
    let mut digits = String::new();
    let mut count = 0;
    let mut plus = false;
    for c in typed.chars().map(fold_width) {
        match c {
            '0'..='9' => {
                count += 1;
                // Digits beyond the most that any number has are counted, not kept.
                if count <= MAX_DIGITS {
                    digits.push(c);
                }
            }
            '+' if count == 0 && !plus => plus = true,
            '(' | ')' => {}
            _ if is_space(c) || is_hyphen(c) => {}
            _ => return Err(PhoneError::Characters),
        }
    }
    if count == 0 {
        return Err(PhoneError::Empty);
    }
    if count > MAX_DIGITS {
        return Err(PhoneError::Length { actual: count });
    }
    let rest = if plus {
        None
    } else {
        digits.strip_prefix("00").map(str::to_owned)
    };
    Ok(match rest {
        Some(rest) => (true, rest),
        None => (plus, digits),
    })
}

/// A number of mainland China from its national digits.
fn mainland(national: &str) -> Result<Phone, PhoneError> {
    let actual = national.len();
    if national.starts_with('0') && matches!(actual, 10..=12) {
        // An area code and a landline, whatever the length: 010-12345678, 0755-12345678.
        return Err(PhoneError::NotMobile);
    }
    if actual != MAINLAND_LENGTH {
        return Err(PhoneError::Length { actual });
    }
    // Numbers are read on the hot path of joins: asking the one pattern costs 0.2 µs, parsing the
    // number with every pattern of the metadata 9 µs.
    let mobile = DATABASE
        .by_id("CN")
        .and_then(|metadata| metadata.descriptors().mobile());
    if !mobile.is_some_and(|range| range.is_match(national)) {
        return Err(PhoneError::NotMobile);
    }
    Ok(Phone {
        e164: format!("+{MAINLAND}{national}"),
        national: 1 + MAINLAND.len(),
    })
}

/// A number of another country from its digits, the calling code first.
fn foreign(digits: &str, regions: &Regions) -> Result<Phone, PhoneError> {
    if !regions.has_calling_code(digits) {
        return Err(PhoneError::Country);
    }
    let number =
        phonenumber::parse(None, format!("+{digits}")).map_err(|_| PhoneError::NotMobile)?;
    // Several regions share a calling code (+1); the metadata tells which one has the number.
    let region = number.country().id().ok_or(PhoneError::NotMobile)?;
    if !regions.0.contains(&region) {
        return Err(PhoneError::Country);
    }
    if !matches!(
        number.number_type(&DATABASE),
        Type::Mobile | Type::FixedLineOrMobile
    ) {
        return Err(PhoneError::NotMobile);
    }
    let e164 = number.format().mode(Mode::E164).to_string();
    Ok(Phone {
        e164,
        national: 1 + number.country().code().to_string().len(),
    })
}
