//! JSON, read strictly: no key twice, no NUL, nothing unknown; what is refused names where.
use super::{error::Problem, objects::Objects};
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_path_to_error::{Path, Segment};
use std::{collections::HashSet, fmt};

const REPEATED: &str = "a repeated key";
const NUL: &str = "a NUL character";

/// Reads a body: 400 where it is no JSON, 422 where it is not what is wanted.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::bad("wrong_encoding"))?;
    let Strict(value) = serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        Problem::bad(if words.starts_with(REPEATED) {
            "repeated_key"
        } else if words.starts_with(NUL) {
            "nul"
        } else {
            "malformed_json"
        })
    })?;
    typed(value)
}

/// Gives a value its type; the error names the field, nested ones with dots.
pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Objects(value)).map_err(|error| {
        let words = error.inner().to_string();
        let path = dotted(error.path());
        let quoted = |prefix: &str| {
            let rest = words.strip_prefix(prefix)?;
            rest.split('`').next().map(str::to_owned)
        };
        let within = |name: String| match path.as_str() {
            "" => name,
            path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
            path => format!("{path}.{name}"),
        };
        if let Some(name) = quoted("missing field `") {
            Problem::field(within(name), "required")
        } else if let Some(name) = quoted("unknown field `") {
            Problem::field(within(name), "unknown_field")
        } else if words.starts_with("unknown variant") {
            Problem::field(path, "unknown_value")
        } else {
            Problem::field(path, "wrong_type")
        }
    })
}

/// `items.0.item`, as actions name fields too; empty for the whole.
fn dotted(path: &Path) -> String {
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    });
    parts.collect::<Vec<_>>().join(".")
}

/// A text that may stand as a number.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it tells the document what `word` reads")]
pub(super) enum Word {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

/// Reads a text that may stand as a number, as `4+` or `3`.
pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("neither a text nor a number")),
    }
}

/// A JSON value whose objects repeat no key and whose strings hold no NUL.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom(NUL));
        }
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut seen = HashSet::new();
        let mut values = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom(NUL));
            }
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(REPEATED));
            }
            let Strict(value) = entries.next_value()?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
