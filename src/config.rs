//! Configuration: one TOML file, unknown keys refused, every key overridable by
//! `TUANTIBU_SECTION__KEY`.
mod audit;
mod auth;
mod backup;
mod erasure;
mod keys;
mod limits;
mod sms;
mod sql;

pub use {
    audit::Audit,
    auth::{Administrators, Auth},
    backup::Backup,
    erasure::Erasure,
    keys::{Crypto, KeyFile, SuiteName},
    limits::Limits,
    sms::{Purpose, Sms, SmsKind, Templates},
    sql::{Sql, SqlColumns, SqlItem, SqlTls},
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use ipnet::IpNet;
use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

/// Everything that an operator may set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The root key.
    pub keys: KeyFile,
    /// The algorithms of new keys.
    pub crypto: Crypto,
    /// The health source.
    pub source: Source,
    /// The SMS gateway.
    pub sms: Sms,
    /// The refresh.
    pub refresh: Refresh,
    /// Limits.
    pub limits: Limits,
    /// Whose phones are accepted.
    pub phones: Phones,
    /// The operator's own texts.
    pub operator: Operator,
    /// How administrators sign in.
    pub auth: Auth,
    /// The audit log.
    pub audit: Audit,
    /// Logs.
    pub log: Log,
    /// Backups.
    pub backup: Backup,
    /// Erasing.
    pub erasure: Erasure,
}

/// The HTTP server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address that QR codes and links carry, without a closing slash.
    pub public_url: String,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Files that a platform asks for to check the domain: name to content.
    pub verification_files: BTreeMap<String, String>,
    /// Where metrics are answered; nowhere by default.
    pub metrics_listen: Option<SocketAddr>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            verification_files: BTreeMap::new(),
            metrics_listen: None,
        }
    }
}

/// The database.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections, for reading where the engine is SQLite.
    pub connections: u32,
    /// PostgreSQL on another machine without a verified certificate: whoever is on the way reads all.
    pub allow_insecure: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite:data/tuantibu.db".into(),
            connections: 16,
            allow_insecure: false,
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database(…)")
    }
}

/// Which connector reads the authority's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A file of the program's own, filled by `tuantibu source import`.
    Embedded,
    /// A FHIR R4 server.
    Fhir,
    /// An authority's own server, over the Health Source API.
    Http,
    /// The authority's own database.
    Sql,
}

/// The health source.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// The connector.
    pub kind: SourceKind,
    /// FHIR and HTTP: the base URL. Embedded: the file.
    pub url: String,
    /// HTTP: a file with the secret that requests are signed with.
    pub secret_file: Option<PathBuf>,
    /// HTTP: who we say that we are.
    pub client: String,
    /// FHIR: a file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// FHIR: the identifier systems of documents, by their type.
    pub identifier_systems: BTreeMap<String, String>,
    /// Seconds that a request to the source may take.
    pub timeout_seconds: u64,
    /// SQL: the database and its queries.
    pub sql: Sql,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            kind: SourceKind::Embedded,
            url: "data/source.db".into(),
            secret_file: None,
            client: "tuantibu".into(),
            token_file: None,
            identifier_systems: BTreeMap::from([(
                "resident_id".to_owned(),
                "urn:oid:2.16.156.10011.1.3".to_owned(),
            )]),
            timeout_seconds: 15,
            sql: Sql::default(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// Local times of day.
    pub at: Vec<String>,
    /// The zone of these times, of days and of what people read.
    pub zone: String,
    /// People a batch.
    pub batch: i64,
    /// Shards that a server reads at once.
    pub at_once: u32,
    /// How often a batch that failed whole is tried in all.
    pub attempts: u32,
    /// Seconds before the second try; doubled before each further one.
    pub backoff_seconds: u64,
    /// Seconds after which others go on where a server was killed.
    pub lease_seconds: i64,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            at: ["06:00", "09:00", "12:00", "16:00"]
                .map(str::to_owned)
                .to_vec(),
            zone: "Asia/Shanghai".into(),
            batch: 1000,
            at_once: 2,
            attempts: 3,
            backoff_seconds: 2,
            lease_seconds: 30,
        }
    }
}

/// Whose phones are accepted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phones {
    /// Regions beside mainland China, as `HK`.
    pub regions: Vec<String>,
}

/// The operator's own texts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// Who runs this service.
    pub name: String,
    /// Where to correct a record at the health source.
    pub correction: String,
}

/// Logs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter, as `info` or `tuantibu=debug`.
    pub filter: String,
    /// JSON lines instead of text.
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            json: false,
        }
    }
}

/// What is wrong with a configuration; names the key.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error of one key.
    #[must_use]
    pub fn key(key: &str, problem: impl fmt::Display) -> Self {
        Self(format!("{key}: {problem}"))
    }
}

impl Config {
    /// Reads the file, then the environment over it.
    ///
    /// # Errors
    /// Names the key that is unknown, of the wrong type or out of range, or the missing file.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, ConfigError> {
        Self::load_over(Self::default(), file)
    }

    /// The same over other defaults, as the demo's.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_over(defaults: Self, file: Option<&std::path::Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(defaults));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("{} does not exist", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("TUANTIBU_")
            .filter(|key| key.as_str().contains("__"))
            .split("__");
        let config: Self = figment
            .merge(environment)
            .extract()
            .map_err(|error| ConfigError(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.zone()?;
        if self.times()?.is_empty() {
            return Err(ConfigError::key("refresh.at", "at least one time of day"));
        }
        let url = &self.server.public_url;
        let schemes = ["https://", "http://"];
        if !url.is_empty() && !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(ConfigError::key(
                "server.public_url",
                "must begin with https:// or http://",
            ));
        }
        if url.ends_with('/') {
            return Err(ConfigError::key(
                "server.public_url",
                "must not end with a slash",
            ));
        }
        if self.refresh.batch < 1 || self.refresh.batch > 10_000 {
            return Err(ConfigError::key("refresh.batch", "1 to 10000"));
        }
        if self.refresh.at_once < 1 || self.refresh.at_once > 64 {
            return Err(ConfigError::key("refresh.at_once", "1 to 64"));
        }
        // A living server renews its leases each second at the most often.
        if self.refresh.lease_seconds < 3 {
            return Err(ConfigError::key("refresh.lease_seconds", "at least 3"));
        }
        self.sms.check()?;
        if self.limits.members_register > 100_000 {
            return Err(ConfigError::key(
                "limits.members_register",
                "at most 100000",
            ));
        }
        if !cfg!(feature = "passkeys") && self.auth.administrators != Administrators::Off {
            return Err(ConfigError::key(
                "auth.administrators",
                "this program was built without passkeys",
            ));
        }
        self.audit.check()?;
        self.erasure.time()?;
        if !(1..=3650).contains(&self.backup.keep_days) {
            return Err(ConfigError::key("backup.keep_days", "1 to 3650"));
        }
        for name in self.server.verification_files.keys() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || name.starts_with('.') || !name.bytes().all(plain) {
                return Err(ConfigError::key(
                    "server.verification_files",
                    "a plain file name",
                ));
            }
        }
        Ok(())
    }

    /// The zone of days and times.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.refresh.zone)
            .map_err(|_| ConfigError::key("refresh.zone", "not a time zone like Asia/Shanghai"))
    }

    /// The times of day of the refresh, in order.
    ///
    /// # Errors
    /// When one is not like `06:00`.
    pub fn times(&self) -> Result<Vec<Time>, ConfigError> {
        let mut times = self
            .refresh
            .at
            .iter()
            .map(|text| Time::strptime("%H:%M", text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ConfigError::key("refresh.at", "times of day like 06:00"))?;
        times.sort_unstable();
        times.dedup();
        Ok(times)
    }
}
