//! `[auth]`.
use serde::{Deserialize, Serialize};

/// How people sign in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Whether administrators may, or must, show a passkey.
    pub administrators: Administrators,
}

/// Passkeys of administrators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Administrators {
    /// There are none.
    #[cfg_attr(not(feature = "passkeys"), default)]
    Off,
    /// A passkey is a second way to sign in.
    #[cfg_attr(feature = "passkeys", default)]
    Offered,
    /// Registers open to sessions alone in which a passkey was shown.
    Required,
}
