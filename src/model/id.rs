//! Opaque identifiers: 128 random bits, base64url on the outside, bytes in the database.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Shards that people are spread over, by the first six bits of their id. Fixed for the life of a
/// database: keys, refresh times and leases hang on it.
pub const SHARDS: u8 = 64;

/// An identifier of 128 random bits. It says nothing about when or where it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// Reads the 22 characters that [`fmt::Display`] writes; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 22 {
            return None;
        }
        Self::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?)
    }

    /// Reads 16 bytes, as the database holds them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, as the database holds them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The shard (0 to 63) of the person with this id: a shard is a contiguous range of ids.
    #[must_use]
    pub fn shard(&self) -> u8 {
        self.0[0] >> 2
    }

    /// The smallest id of a shard.
    #[must_use]
    pub fn first_of(shard: u8) -> Self {
        let mut bytes = [0; 16];
        bytes[0] = shard << 2;
        Self(bytes)
    }

    /// The largest id of a shard.
    #[must_use]
    pub fn last_of(shard: u8) -> Self {
        let mut bytes = [0xff; 16];
        bytes[0] = (shard << 2) | 0b11;
        Self(bytes)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_nothing_else_is_an_id() {
        let id = Id([7; 16]);
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        for bad in [
            "",
            "x",
            "../../../../etc/passwd1",
            "\u{0}aaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(Id::parse(bad), None);
        }
    }

    #[test]
    fn shards_are_contiguous_ranges_that_cover_every_id() {
        for shard in 0..SHARDS {
            assert_eq!(Id::first_of(shard).shard(), shard);
            assert_eq!(Id::last_of(shard).shard(), shard);
        }
        assert_eq!(Id([0xff; 16]).shard(), SHARDS - 1);
    }
}
