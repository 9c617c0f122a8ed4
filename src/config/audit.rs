//! `[audit]`.
use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The audit log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// A file to whose end the head of the chain is written every hour; none by default.
    pub anchor_file: Option<PathBuf>,
    /// Days that entries are kept.
    pub keep_days: i64,
    /// Days that the clients' addresses in them are kept.
    pub keep_addresses_days: i64,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            anchor_file: None,
            keep_days: 3 * 366,
            keep_addresses_days: 200,
        }
    }
}

impl Audit {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // What people are told: at least three years.
        if !(1096..=36_500).contains(&self.keep_days) {
            return Err(ConfigError::key("audit.keep_days", "1096 to 36500"));
        }
        if !(0..=self.keep_days).contains(&self.keep_addresses_days) {
            return Err(ConfigError::key(
                "audit.keep_addresses_days",
                "0 to audit.keep_days",
            ));
        }
        Ok(())
    }
}
