//! The root key's file, and the algorithms of new keys.
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The root key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyFile {
    /// Its file, outside the database and its backups.
    pub file: PathBuf,
}

impl Default for KeyFile {
    fn default() -> Self {
        Self {
            file: "data/root.key".into(),
        }
    }
}

/// The algorithms of new keys. Those that are there keep theirs until they are rotated.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crypto {
    /// The suite.
    pub suite: SuiteName,
}

/// A suite by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteName {
    /// AES-256-GCM, HMAC-SHA-256, HKDF-SHA-256.
    #[default]
    Aes,
    /// SM4-GCM, HMAC-SM3, HKDF-SM3.
    Sm,
}
