//! Health records as API.md carries them: the wire's form, its checking, and the sealed form.
mod wire;

pub(super) use wire::unknown;
pub use wire::{WireHealthRecord, read_line};

use super::{Answer, Ask};
use crate::model::{
    catalogue::Catalogue,
    document::{Document, DocumentType},
    health::ItemRecord,
    name::Name,
    phone::{Phone, Regions},
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Most phones that a record may have.
pub const MAX_PHONES: usize = 20;

/// What is wrong with a record: the field, and the problem in words that hold nothing of its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field by its name on the wire, as `phones` or `items.nucleic_acid.sampled_at`.
    pub field: String,
    /// What is wrong, for an operator.
    pub problem: String,
}

impl FieldError {
    /// An error of that field.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// What records are checked by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The items that there are.
    pub catalogue: Arc<Catalogue>,
    /// The countries whose phones are allowed.
    pub regions: Regions,
    /// The register's date: nobody is born after it.
    pub today: Date,
}

/// A checked health record. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct HealthRecord {
    /// The name.
    pub name: Name,
    /// The document.
    pub document: Document,
    /// The phones, the preferred first.
    pub phones: Vec<Phone>,
    /// The items that there is something of.
    pub items: BTreeMap<String, ItemRecord>,
    /// When the authority last changed it; informative.
    pub updated_at: Option<Timestamp>,
}

impl fmt::Debug for HealthRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HealthRecord(…)")
    }
}

impl HealthRecord {
    /// Checks a record from the wire.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(wire: &WireHealthRecord, rules: &Rules) -> Result<Self, FieldError> {
        let name =
            Name::parse(&wire.name).map_err(|error| FieldError::new("name", error.to_string()))?;
        if wire.document_number.is_empty() {
            return Err(FieldError::new("document_number", "missing"));
        }
        let document = Document::parse(wire.document_type, &wire.document_number, rules.today)
            .map_err(|error| FieldError::new("document_number", error.to_string()))?;
        if wire.phones.len() > MAX_PHONES {
            return Err(FieldError::new("phones", "more than 20"));
        }
        let mut phones: Vec<Phone> = Vec::with_capacity(wire.phones.len());
        for typed in &wire.phones {
            let phone = Phone::parse(typed, &rules.regions)
                .map_err(|error| FieldError::new("phones", error.to_string()))?;
            if phones.iter().all(|other| other.e164() != phone.e164()) {
                phones.push(phone);
            }
        }
        let mut items = BTreeMap::new();
        for (id, record) in &wire.items {
            let item = rules.catalogue.get(id).ok_or_else(|| {
                FieldError::new(unknown("items.", id), "not an item of the catalogue")
            })?;
            let record = item.read(record).map_err(|error| {
                FieldError::new(format!("items.{}", error.field), error.problem)
            })?;
            items.insert(id.clone(), record);
        }
        let updated_at =
            match wire.updated_at.as_deref() {
                None | Some("") => None,
                Some(text) => Some(text.parse().map_err(|_| {
                    FieldError::new("updated_at", "not an RFC 3339 time with offset")
                })?),
            };
        Ok(Self {
            name,
            document,
            phones,
            items,
            updated_at,
        })
    }

    /// The form that is sealed. `source.db` holds nothing else of the person.
    pub(super) fn into_sealed(self) -> Sealed {
        Sealed {
            name: self.name.as_str().to_owned(),
            kind: self.document.kind(),
            number: self.document.number().to_owned(),
            phones: self.phones.iter().map(|p| p.e164().to_owned()).collect(),
            items: self.items,
            updated_at: self.updated_at,
        }
    }
}

/// A record as it is sealed. The document stands in it so that hashes can be made anew when their
/// key is replaced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "t")]
    pub(super) kind: DocumentType,
    #[serde(rename = "d")]
    pub(super) number: String,
    #[serde(rename = "p")]
    pub(super) phones: Vec<String>,
    #[serde(rename = "i")]
    pub(super) items: BTreeMap<String, ItemRecord>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<Timestamp>,
}

impl Sealed {
    /// Whether the names are equal by their keys.
    pub(super) fn is_named(&self, name: &Name) -> bool {
        self.name == name.as_str()
            || Name::parse(&self.name).is_ok_and(|own| own.key() == name.key())
    }

    /// What it answers to somebody who asks for a person of this document.
    pub(super) fn answer(mut self, ask: &Ask) -> Answer {
        if !self.is_named(&ask.name) {
            return Answer::NotMatched;
        }
        let phones = self.phones.iter();
        let phones = phones.filter_map(|phone| Phone::stored(phone)).collect();
        let items = ask.items.iter();
        let items = items.map(|id| (id.clone(), self.items.remove(id)));
        Answer::Found {
            phones,
            items: items.collect(),
        }
    }

    /// Takes in a later line on the same person. The newest test by sampling time counts, whatever
    /// the order; of other items the later line's. What the line does not mention stays: items,
    /// and the phones where it has none.
    pub(super) fn merge(&mut self, later: HealthRecord) {
        let later = later.into_sealed();
        self.name = later.name;
        if !later.phones.is_empty() {
            self.phones = later.phones;
        }
        for (id, record) in later.items {
            let record = match self.items.remove(&id) {
                Some(earlier) => newest(earlier, record),
                None => record,
            };
            self.items.insert(id, record);
        }
        self.updated_at = later.updated_at.or(self.updated_at);
    }
}

/// Of two tests the one that counts, the same whichever stands first; of other kinds the later.
pub(super) fn newest(earlier: ItemRecord, later: ItemRecord) -> ItemRecord {
    let times = |record: &ItemRecord| match record {
        ItemRecord::Test {
            sampled_at,
            reported_at,
            ..
        } => Some((*sampled_at, *reported_at)),
        _ => None,
    };
    let (Some(earlier_times), Some(later_times)) = (times(&earlier), times(&later)) else {
        return later;
    };
    let one = earlier.clone().newer_test(later.clone());
    let other = later.clone().newer_test(earlier.clone());
    if one == other {
        one
    } else if later_times > earlier_times {
        // A tie by the time that counts and by result: the fuller record.
        later
    } else {
        earlier
    }
}
