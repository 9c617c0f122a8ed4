//! Patients: whether a hit is who was asked for, what it is called, its phones.
use super::{
    FhirConfig, Moment,
    client::Entry,
    resources::{ContactPoint, HumanName, PatientResource, Period},
    time::holds,
};
use crate::model::{document::Document, name::Name, phone::Phone};
use crate::source::SourceError;
use serde::Deserialize;
use serde_json::Value;

/// A patient whose document was re-checked.
pub(super) struct Found {
    /// Its logical id.
    pub(super) id: String,
    /// The `urn:uuid` under which it came, if it came under one.
    pub(super) urn: Option<String>,
    /// Every name that it goes by now.
    pub(super) names: Vec<Name>,
    /// Its phones with their order of preference.
    pub(super) phones: Vec<(Preference, Phone)>,
}

/// Lower is preferred: the server's rank, then mobile phones.
pub(super) type Preference = (u32, bool);

impl Found {
    /// Whether it goes by this name now.
    pub(super) fn is_named(&self, name: &Name) -> bool {
        let mut any = false;
        for own in &self.names {
            any |= own.key() == name.key();
        }
        any
    }

    /// Whether this phone is its now.
    pub(super) fn has_phone(&self, phone: &Phone) -> bool {
        let mut any = false;
        for (_, own) in &self.phones {
            any |= own.e164() == phone.e164();
        }
        any
    }
}

/// The phones of all patients of one person, the preferred first, each once.
pub(super) fn phones(patients: Vec<Found>) -> Vec<Phone> {
    let mut ranked: Vec<_> = patients
        .into_iter()
        .flat_map(|patient| patient.phones)
        .collect();
    ranked.sort_by_key(|(preference, _)| *preference);
    let mut phones: Vec<Phone> = Vec::new();
    for (_, phone) in ranked {
        if phones.iter().all(|other| other.e164() != phone.e164()) {
            phones.push(phone);
        }
    }
    phones
}

/// Re-checks a hit by the document; `None` for a stranger or a record out of use.
///
/// A patient that has the document but cannot be read otherwise is an error: who is there must not
/// look like nobody.
pub(super) fn check(
    entry: &Entry,
    system: &str,
    document: &Document,
    moment: &Moment,
    config: &FhirConfig,
) -> Result<Option<Found>, SourceError> {
    let resource = &entry.resource;
    if !has_document(resource, system, document, moment) {
        return Ok(None);
    }
    let unreadable = || SourceError::Garbage("a Patient has fields of a wrong type".to_owned());
    let patient = PatientResource::deserialize(resource).map_err(|_| unreadable())?;
    if patient.active == Some(false) {
        return Ok(None);
    }
    let id = resource["id"].as_str().filter(|id| is_id(id));
    let id = id.ok_or_else(unreadable)?.to_owned();
    let current = patient.name.iter().filter(|name| {
        matches!(name.usage.as_deref(), None | Some("official"))
            && holds(name.period.as_ref(), moment)
    });
    let names = current
        .flat_map(written)
        .filter_map(|text| Name::parse(&text).ok())
        .collect();
    let phones = patient
        .telecom
        .iter()
        .filter(|contact| is_phone(contact, moment))
        .filter_map(|contact| {
            let phone = Phone::parse(contact.value.as_deref()?, &config.regions).ok()?;
            let preference = (
                contact.rank.unwrap_or(u32::MAX),
                contact.usage.as_deref() != Some("mobile"),
            );
            Some((preference, phone))
        })
        .collect();
    let urn = entry
        .full_url
        .clone()
        .filter(|url| url.starts_with("urn:uuid:"));
    Ok(Some(Found {
        id,
        urn,
        names,
        phones,
    }))
}

fn has_document(resource: &Value, system: &str, document: &Document, moment: &Moment) -> bool {
    let identifiers = resource["identifier"].as_array();
    identifiers.into_iter().flatten().any(|identifier| {
        let value = identifier["value"].as_str();
        let own = value.and_then(|v| Document::parse(document.kind(), v, moment.today).ok());
        let period = match &identifier["period"] {
            Value::Null => None,
            // An unreadable period does not hold.
            period => Some(Period::deserialize(period).unwrap_or(Period {
                start: None,
                end: Some(String::new()),
            })),
        };
        identifier["system"].as_str() == Some(system)
            && own.is_some_and(|own| own.number() == document.number())
            && identifier["use"].as_str() != Some("old")
            && holds(period.as_ref(), moment)
    })
}

fn is_phone(contact: &ContactPoint, moment: &Moment) -> bool {
    matches!(contact.system.as_deref(), Some("phone" | "sms"))
        && contact.usage.as_deref() != Some("old")
        && holds(contact.period.as_ref(), moment)
}

/// The ways in which a name may be typed: its text, else Han family and given without a space,
/// else both orders, with and without further given names.
fn written(name: &HumanName) -> Vec<String> {
    let filled = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or("").trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    if let Some(text) = filled(&name.text) {
        return vec![text];
    }
    let given: Vec<String> = name.given.iter().filter_map(filled).collect();
    let all = given.join(" ");
    let Some(family) = filled(&name.family) else {
        return vec![all];
    };
    let Some(first) = given.first() else {
        return vec![family];
    };
    if [&family, first].iter().all(|part| part.chars().any(is_han)) {
        return vec![format!("{family}{}", given.concat())];
    }
    let mut ways = vec![format!("{family} {all}"), format!("{all} {family}")];
    if given.len() > 1 {
        ways.push(format!("{family} {first}"));
        ways.push(format!("{first} {family}"));
    }
    ways
}

/// The blocks of Chinese characters, extensions and compatibility ideographs among them, and the
/// private use that older systems fill with them.
fn is_han(c: char) -> bool {
    matches!(u32::from(c),
        0x2e80..=0x2fdf | 0x3005 | 0x3007 | 0x3400..=0x4dbf | 0x4e00..=0x9fff
        | 0xe000..=0xf8ff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

/// FHIR's form of a logical id.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ways(name: Value) -> Vec<String> {
        written(&serde_json::from_value(name).unwrap())
    }

    #[test]
    fn names_are_written_by_text_else_in_the_order_of_their_script() {
        let both = json!({"text": "欧阳 小明", "family": "王", "given": ["明"]});
        assert_eq!(ways(both), ["欧阳 小明"]);
        assert_eq!(
            ways(json!({"family": "欧阳", "given": ["小", "明"]})),
            ["欧阳小明"]
        );
        assert_eq!(ways(json!({"family": "𠮷", "given": ["龑"]})), ["𠮷龑"]);
        assert_eq!(
            ways(json!({"family": "Li", "given": ["Wei"]})),
            ["Li Wei", "Wei Li"]
        );
        assert_eq!(
            ways(json!({"family": "Li", "given": ["Wei", null, "Ann"]})),
            ["Li Wei Ann", "Wei Ann Li", "Li Wei", "Wei Li"]
        );
        assert_eq!(ways(json!({"family": "Suharto"})), ["Suharto"]);
        assert_eq!(ways(json!({"given": ["Suharto"]})), ["Suharto"]);
    }

    #[test]
    fn ids_have_fhirs_form() {
        for bad in ["", "a/b", "a?b", "ä", &"a".repeat(65)] {
            assert!(!is_id(bad), "{bad}");
        }
        assert!(is_id("04ddd0b3-30c2.A"));
    }
}
