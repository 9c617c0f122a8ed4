//! The catalogue of health items: data that the binary embeds, so that an item is data, not code.
use super::health::{ItemRecord, Kind, Progress, TestResult};
use super::requirement::Rule;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text in each language, by its tag (`zh-CN`, `en`).
pub type Texts = BTreeMap<String, String>;

/// Every item that registers may ask for, in the order in which pages list them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The items.
    pub items: Vec<Item>,
}

/// One health item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The name on the wire and in the database.
    pub id: String,
    /// What its records look like.
    pub kind: Kind,
    /// Its name for people.
    pub name: Texts,
    /// One line on what is seen of it.
    pub hint: Texts,
    /// The requirement that the form proposes.
    #[serde(default)]
    pub suggested: Option<Rule>,
    /// (status) The values with their severities.
    #[serde(default)]
    pub values: Vec<StatusValue>,
    /// (test) The observations that count.
    #[serde(default)]
    pub tests: Vec<Coding>,
    /// (test) How result codes read.
    #[serde(default)]
    pub results: Vec<ResultCode>,
    /// (immunization) The vaccines that count.
    #[serde(default)]
    pub vaccines: Vec<Vaccine>,
}

/// A value of a status.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusValue {
    /// The name on the wire.
    pub value: String,
    /// 0 is harmless; what is higher sorts first.
    pub severity: u8,
    /// Its name for people.
    pub name: Texts,
}

/// A code of a coding system.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The system's URI.
    pub system: String,
    /// The code.
    pub code: String,
}

/// What a result's code means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultCode {
    /// The system's URI.
    pub system: String,
    /// The code.
    pub code: String,
    /// What it reads as.
    pub result: TestResult,
}

/// A vaccine that counts for an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vaccine {
    /// The system's URI.
    pub system: String,
    /// The code.
    pub code: String,
    /// Doses of its primary series.
    pub doses: u16,
}

/// What is wrong with a record that somebody wants to import.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("items.{field}: {problem}")]
pub struct RecordError {
    /// The item, or the item and its field, as `nucleic_acid.sampled_at`.
    pub field: String,
    /// What is wrong, for an operator.
    pub problem: String,
}

/// The fields that an item's record may have on the wire, of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WireRecord {
    /// status, immunization, certificate
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// status
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// test
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// test
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled_at: Option<String>,
    /// test
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<String>,
    /// immunization
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doses: Option<u16>,
    /// immunization
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_on: Option<String>,
    /// certificate
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

impl Catalogue {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let catalogue: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for (at, item) in catalogue.items.iter().enumerate() {
            if catalogue.items[..at]
                .iter()
                .any(|other| other.id == item.id)
            {
                return Err(format!("item {} stands twice", item.id));
            }
            if item.kind == Kind::Status && item.values.is_empty() {
                return Err(format!("item {} has no values", item.id));
            }
        }
        Ok(catalogue)
    }

    /// The catalogue that the binary embeds.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is embedded and tested")]
    pub fn embedded() -> Self {
        // cannot fail: a test reads the embedded text.
        Self::parse(include_str!("../../catalogue/items.toml")).expect("embedded catalogue")
    }

    /// The item of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }
}

impl Item {
    /// Its name in a language, or its id.
    #[must_use]
    pub fn name_in(&self, lang: &str) -> &str {
        self.name
            .get(lang)
            .or_else(|| self.name.values().next())
            .unwrap_or(&self.id)
    }

    /// The severity of a status value; unknown values are the worst.
    #[must_use]
    pub fn severity(&self, value: &str) -> u8 {
        self.values
            .iter()
            .find(|v| v.value == value)
            .map_or(u8::MAX, |v| v.severity)
    }

    /// Reads a record from the wire.
    ///
    /// # Errors
    /// Names the field: a value that the catalogue does not list, a time without offset, a sample
    /// later than its report, a field of another kind.
    pub fn read(&self, wire: &WireRecord) -> Result<ItemRecord, RecordError> {
        let fail = |field: &str, problem: &str| {
            let field = if field.is_empty() {
                self.id.clone()
            } else {
                format!("{}.{field}", self.id)
            };
            RecordError {
                field,
                problem: problem.to_owned(),
            }
        };
        let time = |field: &str, text: &Option<String>| -> Result<Option<Timestamp>, RecordError> {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            text.parse()
                .map(Some)
                .map_err(|_| fail(field, "not an RFC 3339 time with offset"))
        };
        let day = |field: &str, text: &Option<String>| -> Result<Option<Date>, RecordError> {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            text.parse()
                .map(Some)
                .map_err(|_| fail(field, "not a date like 2022-03-01"))
        };
        let only = |allowed: &[&str]| -> Result<(), RecordError> {
            wire.present()
                .into_iter()
                .find(|field| !allowed.contains(field))
                .map_or(Ok(()), |field| {
                    Err(fail(field, "does not belong to an item of this kind"))
                })
        };
        match self.kind {
            Kind::Status => {
                only(&["value", "since"])?;
                let value = wire
                    .value
                    .as_deref()
                    .ok_or_else(|| fail("value", "missing"))?;
                if !self.values.iter().any(|known| known.value == value) {
                    return Err(fail("value", "not a value of this item"));
                }
                let since = time("since", &wire.since)?;
                Ok(ItemRecord::Status {
                    value: value.to_owned(),
                    since,
                })
            }
            Kind::Test => {
                only(&["result", "sampled_at", "reported_at"])?;
                let result = match wire.result.as_deref() {
                    Some("negative") => TestResult::Negative,
                    Some("positive") => TestResult::Positive,
                    Some(_) => return Err(fail("result", "neither negative nor positive")),
                    None => return Err(fail("result", "missing")),
                };
                let sampled_at = time("sampled_at", &wire.sampled_at)?;
                let reported_at = time("reported_at", &wire.reported_at)?;
                if matches!((sampled_at, reported_at), (Some(s), Some(r)) if s > r) {
                    return Err(fail("sampled_at", "later than reported_at"));
                }
                Ok(ItemRecord::Test {
                    result,
                    sampled_at,
                    reported_at,
                })
            }
            Kind::Immunization => {
                only(&["value", "doses", "last_on"])?;
                let value = wire
                    .value
                    .as_deref()
                    .ok_or_else(|| fail("value", "missing"))?;
                let value = Progress::parse(value).ok_or_else(|| {
                    fail("value", "not booster, complete, incomplete, unsuitable")
                })?;
                let last_on = day("last_on", &wire.last_on)?;
                Ok(ItemRecord::Immunization {
                    value,
                    doses: wire.doses,
                    last_on,
                })
            }
            Kind::Certificate => {
                only(&["value", "valid_until"])?;
                if wire.value.as_deref().is_some_and(|value| value != "valid") {
                    return Err(fail("value", "a certificate's only value is valid"));
                }
                let valid_until = day("valid_until", &wire.valid_until)?
                    .ok_or_else(|| fail("valid_until", "missing"))?;
                Ok(ItemRecord::Certificate { valid_until })
            }
        }
    }
}

impl WireRecord {
    /// The names of the fields that are there.
    #[must_use]
    pub fn present(&self) -> Vec<&'static str> {
        [
            ("value", self.value.is_some()),
            ("since", self.since.is_some()),
            ("result", self.result.is_some()),
            ("sampled_at", self.sampled_at.is_some()),
            ("reported_at", self.reported_at.is_some()),
            ("doses", self.doses.is_some()),
            ("last_on", self.last_on.is_some()),
            ("valid_until", self.valid_until.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect()
    }

    /// A record as it stands on the wire.
    #[must_use]
    pub fn from_record(record: &ItemRecord) -> Self {
        let text = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        match record {
            ItemRecord::Status { value, since } => Self {
                value: Some(value.clone()),
                since: text(since),
                ..Self::default()
            },
            ItemRecord::Test {
                result,
                sampled_at,
                reported_at,
            } => Self {
                result: Some(
                    match result {
                        TestResult::Negative => "negative",
                        TestResult::Positive => "positive",
                        TestResult::Unknown => "unknown",
                    }
                    .to_owned(),
                ),
                sampled_at: text(sampled_at),
                reported_at: text(reported_at),
                ..Self::default()
            },
            ItemRecord::Immunization {
                value,
                doses,
                last_on,
            } => Self {
                value: Some(value.as_str().to_owned()),
                doses: *doses,
                last_on: last_on.map(|day| day.to_string()),
                ..Self::default()
            },
            ItemRecord::Certificate { valid_until } => Self {
                valid_until: Some(valid_until.to_string()),
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_holds_the_items_of_the_service_and_two_more() {
        let ids: Vec<_> = Catalogue::embedded()
            .items
            .into_iter()
            .map(|item| item.id)
            .collect();
        assert_eq!(
            ids,
            [
                "health_code",
                "nucleic_acid",
                "vaccination",
                "influenza_vaccine",
                "health_certificate"
            ]
        );
    }

    #[test]
    fn a_record_of_another_kind_or_with_an_unlisted_value_is_refused_by_field() {
        let catalogue = Catalogue::embedded();
        let code = catalogue.get("health_code").unwrap();
        let wire = WireRecord {
            value: Some("blue".into()),
            ..WireRecord::default()
        };
        assert_eq!(code.read(&wire).unwrap_err().field, "health_code.value");
        let wire = WireRecord {
            result: Some("negative".into()),
            ..WireRecord::default()
        };
        assert_eq!(code.read(&wire).unwrap_err().field, "health_code.result");
        let test = catalogue.get("nucleic_acid").unwrap();
        let wire = WireRecord {
            result: Some("negative".into()),
            sampled_at: Some("2022-11-14T08:00:00".into()),
            ..WireRecord::default()
        };
        assert_eq!(
            test.read(&wire).unwrap_err().field,
            "nucleic_acid.sampled_at"
        );
    }
}
