//! The SMS gateway.
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// Which gateway sends SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsKind {
    /// None: every SMS fails, and says so.
    None,
    /// Kept in memory and shown on `/demo/sms`; the demo's alone.
    Outbox,
    /// Posted as signed JSON to an address of the operator's.
    Webhook,
}

/// The SMS gateway.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// Which.
    pub kind: SmsKind,
    /// Webhook: where messages are posted.
    pub url: String,
    /// Webhook: a file with the key that signs them.
    pub secret_file: Option<PathBuf>,
    /// Seconds that the gateway may take.
    pub timeout_seconds: u64,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            kind: SmsKind::None,
            url: String::new(),
            secret_file: None,
            timeout_seconds: 5,
        }
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sms")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
