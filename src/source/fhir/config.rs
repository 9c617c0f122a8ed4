//! How a FHIR server is reached and read.
use crate::{
    model::{document::DocumentType, phone::Regions},
    outbound::{self, AddressError},
};
use jiff::tz::TimeZone;
use std::{fmt, time::Duration};
use url::Url;
use zeroize::Zeroizing;

/// The identifier system of resident identity numbers.
pub const RESIDENT_ID_SYSTEM: &str = "urn:oid:2.16.156.10011.1.3";

/// Why a configuration is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The base URL is refused.
    #[error("source.url {0}")]
    Address(#[from] AddressError),
    /// No client can be made.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
    /// The credentials cannot stand in a header.
    #[error("the credentials of the source hold characters that no header may hold")]
    Credentials,
}

/// How we make ourselves known. Its `Debug` shows no secret.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// A bearer token.
    Bearer(Zeroizing<String>),
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

/// A FHIR server's address and how to read it.
#[derive(Clone, Debug)]
pub struct FhirConfig {
    /// `[base]` of every request; nothing outside of it is ever asked.
    pub(super) base: Url,
    /// The identifier system of each document type. Documents of another type match nobody.
    pub systems: Vec<(DocumentType, String)>,
    /// How we make ourselves known.
    pub credentials: Credentials,
    /// The zone of local days.
    pub zone: TimeZone,
    /// The countries whose phones are allowed.
    pub regions: Regions,
    /// Searches by `POST [base]/[type]/_search`, which keeps identifiers out of the server's log
    /// of URLs. Off by default, since not every server has it.
    pub post_search: bool,
    /// How many entries we ask for a page; the server may give fewer. `None` leaves it the choice.
    pub page_size: Option<u16>,
    /// Most pages of one search.
    pub max_pages: usize,
    /// Most bytes of one page.
    pub max_page_bytes: usize,
    /// Connecting, and the whole of one request.
    pub timeout: Duration,
    /// Everything that is asked of one person.
    pub person_timeout: Duration,
    /// People read at the same time.
    pub concurrency: usize,
}

impl FhirConfig {
    /// The defaults for a server: resident ids by the national OID, 200 entries a page, 15 s and
    /// 5 MiB a page, 100 pages, 60 s a person, 8 people at once.
    ///
    /// # Errors
    /// When the URL is no bare http(s) URL, or plain http to another machine.
    pub fn new(base: &str, zone: TimeZone, regions: Regions) -> Result<Self, ConfigError> {
        Ok(Self {
            base: outbound::address(base)?,
            systems: vec![(DocumentType::ResidentId, RESIDENT_ID_SYSTEM.to_owned())],
            credentials: Credentials::None,
            zone,
            regions,
            post_search: false,
            page_size: Some(200),
            max_pages: 100,
            max_page_bytes: 5 * 1024 * 1024,
            timeout: Duration::from_secs(15),
            person_timeout: Duration::from_secs(60),
            concurrency: 8,
        })
    }

    /// The identifier system of a document type.
    pub(super) fn system_of(&self, kind: DocumentType) -> Option<&str> {
        let mut systems = self.systems.iter();
        systems
            .find(|(of, _)| *of == kind)
            .map(|(_, system)| system.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut config = FhirConfig::new("https://h/", TimeZone::UTC, Regions::default()).unwrap();
        config.credentials = Credentials::Bearer("s3cret".to_owned().into());
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
