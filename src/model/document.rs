//! Identity documents: types, normal forms, and what a number can be wrong in.
//!
//! The type is chosen by the person, never guessed from the number (PRODUCT.md). Checking looks at
//! form only; whether such a document exists is the source's to say.

mod cards;
mod resident;

pub use resident::check_character;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::chars::{fold_width, is_hyphen, is_space};
use super::mask::mask_document;

/// How many bytes of typed text are looked at. The longest number has 20 characters; full-width
/// ones with a space between them have 120 bytes.
const MAX_BYTES: usize = 256;

/// The kinds of document.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// 居民身份证, and the cards that share its 18-character form: 港澳台居民居住证 (81, 82, 83)
    /// and 外国人永久居留身份证 of 2023 (9).
    ResidentId,
    /// The older 外国人永久居留(身份)证: 3 letters and 12 digits.
    ForeignPermanentResident,
    /// 港澳居民来往内地通行证.
    HkMacaoPermit,
    /// 台湾居民来往大陆通行证.
    TaiwanPermit,
    /// A passport of any country.
    Passport,
}

/// A name that is none of [`DocumentType::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown document type")]
pub struct UnknownDocumentType;

impl DocumentType {
    /// Every type, in the order in which a page offers them.
    pub const ALL: [DocumentType; 5] = [
        DocumentType::ResidentId,
        DocumentType::HkMacaoPermit,
        DocumentType::TaiwanPermit,
        DocumentType::ForeignPermanentResident,
        DocumentType::Passport,
    ];

    /// The name in the API, in forms and in the database, the same as serde's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentType::ResidentId => "resident_id",
            DocumentType::ForeignPermanentResident => "foreign_permanent_resident",
            DocumentType::HkMacaoPermit => "hk_macao_permit",
            DocumentType::TaiwanPermit => "taiwan_permit",
            DocumentType::Passport => "passport",
        }
    }

    /// The most characters that a number of this type has, once normalised.
    #[must_use]
    pub fn max_length(self) -> u8 {
        match self {
            DocumentType::ResidentId => 18,
            DocumentType::ForeignPermanentResident => 15,
            DocumentType::HkMacaoPermit | DocumentType::TaiwanPermit => 11,
            DocumentType::Passport => 20,
        }
    }
}

impl fmt::Display for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DocumentType {
    type Err = UnknownDocumentType;

    fn from_str(name: &str) -> Result<DocumentType, UnknownDocumentType> {
        DocumentType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or(UnknownDocumentType)
    }
}

/// Why a document number was refused. Carries nothing of the number itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing, or nothing but spaces and hyphens.
    #[error("no document number was given")]
    Empty,
    /// More characters than any number of this type has.
    #[error("the document number has more than {max} characters")]
    TooLong {
        /// The most characters that the type has.
        max: u8,
    },
    /// Another number of characters than the type has (居民身份证是 18 位，现在是 17 位).
    #[error("the document number has {actual} characters instead of {expected}")]
    Length {
        /// How many characters the type has.
        expected: u8,
        /// How many there are, spaces and hyphens left out.
        actual: usize,
    },
    /// A character that this type never has, or never in that place; hidden ones too.
    #[error("the document number has a character that does not belong there")]
    Characters,
    /// Letters and digits in no arrangement that the type has.
    #[error("the document number has not the form of its type")]
    Form,
    /// The first digits name no province.
    #[error("the document number begins with no known area")]
    Area,
    /// The birth date inside does not exist.
    #[error("the birth date in the document number does not exist")]
    BirthDate,
    /// The birth date inside is later than today.
    #[error("the birth date in the document number is in the future")]
    BirthDateFuture,
    /// The check digit does not fit the others (证件号码有一位不对，请对照证件).
    #[error("one character of the document number is wrong")]
    CheckDigit,
}

impl DocumentError {
    /// The stable code of a problem document: `empty`, `too_long`, `length`, `characters`, `form`,
    /// `area`, `birth_date`, `birth_date_future` or `check_digit`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            DocumentError::Empty => "empty",
            DocumentError::TooLong { .. } => "too_long",
            DocumentError::Length { .. } => "length",
            DocumentError::Characters => "characters",
            DocumentError::Form => "form",
            DocumentError::Area => "area",
            DocumentError::BirthDate => "birth_date",
            DocumentError::BirthDateFuture => "birth_date_future",
            DocumentError::CheckDigit => "check_digit",
        }
    }
}

/// A document number in its normal form. Two are equal when type and number are.
///
/// `Debug` shows the type only.
#[derive(Clone)]
pub struct Document {
    kind: DocumentType,
    number: String,
    /// Follows from the number, but for the century of an older foreigner's card.
    birth: Option<Date>,
}

impl Document {
    /// Normalises and checks a number as it was typed or pasted.
    ///
    /// Spaces of any width and hyphens are dropped wherever they stand, full-width characters
    /// folded, letters made capitals (x becomes X), 15-digit resident numbers upgraded to 18.
    /// `today` is the register's date: a birth date may be today, not later.
    ///
    /// # Errors
    ///
    /// The first [`DocumentError`] found, in the order characters, length, form, area, birth date,
    /// check digit.
    pub fn parse(kind: DocumentType, typed: &str, today: Date) -> Result<Document, DocumentError> {
        let folded = fold(kind, typed)?;
        let (number, birth) = match kind {
            DocumentType::ResidentId => {
                let (number, birth) = resident::parse(&folded, today)?;
                (number, Some(birth))
            }
            DocumentType::ForeignPermanentResident => cards::foreign(folded, today)?,
            DocumentType::HkMacaoPermit => (cards::hk_macao(folded)?, None),
            DocumentType::TaiwanPermit => (cards::taiwan(&folded)?, None),
            DocumentType::Passport => (cards::passport(folded)?, None),
        };
        Ok(Document {
            kind,
            number,
            birth,
        })
    }

    /// The type that was chosen.
    #[must_use]
    pub fn kind(&self) -> DocumentType {
        self.kind
    }

    /// The normal form: capitals and digits only.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The birth date that the number tells for certain. `None` for permits and passports, and for
    /// an older foreigner's card whose two-digit year fits two centuries: there it is asked.
    #[must_use]
    pub fn birth_date(&self) -> Option<Date> {
        self.birth
    }

    /// Whole years on `date`, if the number tells the birth date. A year is completed on the
    /// birthday itself; who was born on 29 February completes it on 1 March of a common year.
    #[must_use]
    pub fn age_on(&self, date: Date) -> Option<i16> {
        self.birth.map(|birth| age(birth, date))
    }

    /// What others are shown: `110*************14`.
    #[must_use]
    pub fn masked(&self) -> String {
        mask_document(&self.number)
    }
}

/// Whole years from `birth` to `date`, also for a birth date that was asked for; see
/// [`Document::age_on`]. Negative before the birth.
#[must_use]
pub fn age(birth: Date, date: Date) -> i16 {
    let not_yet = (date.month(), date.day()) < (birth.month(), birth.day());
    date.year() - birth.year() - i16::from(not_yet)
}

impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.kind == other.kind && self.number == other.number
    }
}

impl Eq for Document {}

impl Hash for Document {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.number.hash(state);
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, …)", self.kind)
    }
}

/// Drops spaces and hyphens, folds widths and case. What remains is ASCII: capitals, digits, and
/// the brackets of an older Taiwan permit.
fn fold(kind: DocumentType, typed: &str) -> Result<String, DocumentError> {
    if typed.len() > MAX_BYTES {
        return Err(DocumentError::TooLong {
            max: kind.max_length(),
        });
    }
    let mut folded = String::new();
    for c in typed.chars().map(fold_width) {
        match c {
            '0'..='9' | 'A'..='Z' => folded.push(c),
            'a'..='z' => folded.push(c.to_ascii_uppercase()),
            '(' | ')' if kind == DocumentType::TaiwanPermit => folded.push(c),
            _ if is_space(c) || is_hyphen(c) => {}
            _ => return Err(DocumentError::Characters),
        }
    }
    if folded.is_empty() {
        Err(DocumentError::Empty)
    } else {
        Ok(folded)
    }
}
