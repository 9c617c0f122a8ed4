//! When what was erased is overwritten.
use super::ConfigError;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// Erasing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Erasure {
    /// The local time of day at which what was erased is overwritten in the database's files.
    pub overwrite_at: String,
    /// PostgreSQL: tables of up to so many MiB are written anew, which shuts them meanwhile;
    /// larger ones are vacuumed.
    pub rewrite_mib: i64,
}

impl Default for Erasure {
    fn default() -> Self {
        Self {
            overwrite_at: "03:30".into(),
            rewrite_mib: 256,
        }
    }
}

impl Erasure {
    /// The time of day.
    ///
    /// # Errors
    /// When it is not like `03:30`.
    pub fn time(&self) -> Result<Time, ConfigError> {
        Time::strptime("%H:%M", &self.overwrite_at)
            .map_err(|_| ConfigError::key("erasure.overwrite_at", "a time of day like 03:30"))
    }
}
