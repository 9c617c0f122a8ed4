//! The wire's form of a health record, and what is wrong with a line that does not have it.
use super::FieldError;
use crate::model::{catalogue::WireRecord, document::DocumentType};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A health record as it stands on the wire. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WireHealthRecord {
    /// The name.
    pub name: String,
    /// The document's type.
    pub document_type: DocumentType,
    /// The document's number. It may be left out where a path already names it; [`check`] then
    /// wants it filled in.
    ///
    /// [`check`]: super::HealthRecord::check
    #[serde(default)]
    pub document_number: String,
    /// The phones, the preferred first.
    #[serde(default)]
    pub phones: Vec<String>,
    /// The items by their ids.
    #[serde(default, deserialize_with = "each_once")]
    pub items: BTreeMap<String, WireRecord>,
    /// When the authority last changed it; informative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

impl fmt::Debug for WireHealthRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireHealthRecord(…)")
    }
}

/// What stands as an object: serde would also fill its fields from a list, in the order in which
/// they happen to be declared.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData)).map(Self)
    }
}

/// A map in which no key stands twice.
fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, WireRecord>, D::Error> {
    struct Once;
    impl<'de> Visitor<'de> for Once {
        type Value = BTreeMap<String, WireRecord>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of items")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = access.next_key::<String>()? {
                if map.contains_key(&key) {
                    access.next_value::<IgnoredAny>()?;
                    return Err(A::Error::custom("duplicate field `items`"));
                }
                let Object(item) = access.next_value()?;
                map.insert(key, item);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Once)
}

/// Reads one line of NDJSON.
///
/// # Errors
/// Names the field. The parser's own messages quote values, so none of them is passed on.
pub fn read_line(line: &str) -> Result<WireHealthRecord, FieldError> {
    serde_json::from_str(line)
        .map(|Object(record)| record)
        .map_err(|error| diagnose(line, &error))
}

const FIELDS: [&str; 6] = [
    "name",
    "document_type",
    "document_number",
    "phones",
    "items",
    "updated_at",
];
const ITEM_FIELDS: [&str; 8] = [
    "value",
    "since",
    "result",
    "sampled_at",
    "reported_at",
    "doses",
    "last_on",
    "valid_until",
];

fn diagnose(line: &str, error: &serde_json::Error) -> FieldError {
    if let Ok(value) = serde_json::from_str::<Value>(line) {
        let Value::Object(record) = value else {
            return FieldError::new("line", "not a JSON object");
        };
        if let Some(found) = in_record(&record) {
            return found;
        }
    } else {
        let problem = format!("not valid JSON at column {}", error.column());
        return FieldError::new("line", problem);
    }
    let message = error.to_string();
    let twice = message.starts_with("duplicate field");
    let field = FIELDS
        .iter()
        .chain(&ITEM_FIELDS)
        .find(|field| message.contains(&format!("`{field}`")));
    match field {
        Some(field) if twice => FieldError::new(*field, "stands twice"),
        _ => FieldError::new("line", "not a health record"),
    }
}

fn in_record(record: &Map<String, Value>) -> Option<FieldError> {
    if let Some(key) = record.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Some(FieldError::new(unknown("", key), "unknown field"));
    }
    for field in ["name", "document_type"] {
        if !record.contains_key(field) {
            return Some(FieldError::new(field, "missing"));
        }
    }
    for (field, value) in record {
        let fits = match field.as_str() {
            "phones" => value
                .as_array()
                .is_some_and(|phones| phones.iter().all(Value::is_string)),
            "items" => value.is_object(),
            "updated_at" => value.is_string() || value.is_null(),
            _ => value.is_string(),
        };
        if !fits {
            let wanted = match field.as_str() {
                "phones" => "not a list of texts",
                "items" => "not an object",
                _ => "not a text",
            };
            return Some(FieldError::new(field, wanted));
        }
    }
    if DocumentType::deserialize(record.get("document_type")?).is_err() {
        let problem = "not a document type";
        return Some(FieldError::new("document_type", problem));
    }
    record.get("items")?.as_object()?.iter().find_map(in_item)
}

fn in_item((id, value): (&String, &Value)) -> Option<FieldError> {
    let at = unknown("items.", id);
    let Some(item) = value.as_object() else {
        return Some(FieldError::new(at, "not an object"));
    };
    for (field, value) in item {
        if !ITEM_FIELDS.contains(&field.as_str()) {
            let at = unknown(&format!("{at}."), field);
            return Some(FieldError::new(at, "unknown field"));
        }
        let (fits, problem) = if field == "doses" {
            let number = value.as_u64().is_some_and(|n| n <= u64::from(u16::MAX));
            (number, "not a whole number from 0 to 65535")
        } else {
            (value.is_string(), "not a text")
        };
        if !fits && !value.is_null() {
            return Some(FieldError::new(format!("{at}.{field}"), problem));
        }
    }
    None
}

/// A name that somebody else made up, as far as it can be shown: an identifier. Anything else may
/// be a value that slipped into the place of a name.
pub(in crate::source) fn unknown(before: &str, name: &str) -> String {
    let identifier = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    format!("{before}{}", if identifier { name } else { "…" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        read_line(line).unwrap_err().to_string()
    }

    #[test]
    fn each_fault_is_named_by_its_field_and_no_value_is_repeated() {
        let cases = [
            ("{", "line: not valid JSON at column 1"),
            ("[]", "line: not a JSON object"),
            (r#"{"name":"王小明"}"#, "document_type: missing"),
            (
                r#"{"name":1,"document_type":"passport"}"#,
                "name: not a text",
            ),
            (
                r#"{"name":"王小明","document_type":"王小明"}"#,
                "document_type: not a document type",
            ),
            (
                r#"{"name":"王小明","document_type":"passport","姓名":"x"}"#,
                "…: unknown field",
            ),
            (
                r#"{"name":"王小明","document_type":"passport","owner_id":"x"}"#,
                "owner_id: unknown field",
            ),
            (
                r#"{"name":"王小明","document_type":"passport","phones":"13800000000"}"#,
                "phones: not a list of texts",
            ),
            (
                r#"{"name":"王小明","document_type":"passport","name":"王小明"}"#,
                "name: stands twice",
            ),
            (
                r#"{"name":"a","document_type":"passport","items":{"a":{},"a":{}}}"#,
                "items: stands twice",
            ),
            (
                r#"{"name":"a","document_type":"passport","items":{"v":{"doses":-1}}}"#,
                "items.v.doses: not a whole number from 0 to 65535",
            ),
            (
                r#"{"name":"a","document_type":"passport","items":{"v":{"days":3}}}"#,
                "items.v.days: unknown field",
            ),
            (
                r#"{"name":"a","document_type":"passport","items":{"v":null}}"#,
                "items.v: not an object",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(error(line), expected, "{line}");
        }
    }

    #[test]
    fn the_example_of_the_interface_reads() {
        let line = r#"{"name": "王小明", "document_type": "resident_id",
            "document_number": "110100199001010015", "phones": ["13800000000"],
            "items": {"health_code": {"value": "green"}}, "updated_at": null}"#;
        let record = read_line(line).unwrap();
        assert_eq!(record.phones.len(), 1);
        assert_eq!(format!("{record:?}"), "WireHealthRecord(…)");
    }
}
