//! The SQL source: the authority's own database, and the queries that read it.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// `[source.sql]`. Its `Debug` shows neither address nor queries.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sql {
    /// `postgres://USER@HOST/DATABASE` or `mysql://…`, with or without a password.
    pub url: String,
    /// A file with that URL, which then may hold the password.
    pub url_file: Option<PathBuf>,
    /// How the connection is secured.
    pub tls: SqlTls,
    /// Certificates (PEM) that the database's is verified by, in the place of the public ones.
    pub ca_file: Option<PathBuf>,
    /// The zone of times without offset; the refresh's where it is not said.
    pub zone: Option<String>,
    /// Connections at most.
    pub connections: u32,
    /// The authority's codes of document types. A type that is not here matches nobody.
    pub document_types: BTreeMap<String, String>,
    /// The query that finds one person: `:document_type`, `:document_number`. `batch` where it is not set.
    #[serde(rename = "match")]
    pub matching: Option<String>,
    /// The query that reads many people: `:document_type`, `:document_numbers`.
    pub batch: String,
    /// The query that tells whose records changed: `:since`.
    pub changes: Option<String>,
    /// The query that tells where the changes stand now.
    pub cursor: Option<String>,
    /// A query that names anybody, for `config check`.
    pub sample: Option<String>,
    /// Columns of the queries that have names of their own.
    pub columns: SqlColumns,
    /// The items' columns and codes, where they have names of their own.
    pub items: BTreeMap<String, SqlItem>,
}

/// How the connection to the database is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlTls {
    /// TLS with a verified certificate and name; on this machine whatever the database offers.
    #[default]
    Verified,
    /// TLS, whoever answers: who can put himself between reads everything.
    Unverified,
    /// None: who can listen on the way reads everything.
    None,
}

/// The columns of a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqlColumns {
    /// The document's number, as the query was asked for it or in another way of writing.
    pub document_number: String,
    /// The name.
    pub name: String,
    /// The phones, the preferred first; a column may hold several.
    pub phones: Vec<String>,
}

impl Default for SqlColumns {
    fn default() -> Self {
        Self {
            document_number: "document_number".into(),
            name: "name".into(),
            phones: vec!["phones".into()],
        }
    }
}

/// The columns of an item: the field of a health record, and the column that holds it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqlItem {
    /// The authority's codes, and what each means; `none` is no record.
    pub values: BTreeMap<String, String>,
    /// Status, immunization, certificate.
    pub value: Option<String>,
    /// Status.
    pub since: Option<String>,
    /// Test.
    pub result: Option<String>,
    /// Test.
    pub sampled_at: Option<String>,
    /// Test.
    pub reported_at: Option<String>,
    /// Immunization.
    pub doses: Option<String>,
    /// Immunization.
    pub last_on: Option<String>,
    /// Certificate.
    pub valid_until: Option<String>,
}

impl SqlItem {
    /// The fields that have columns named for them.
    #[must_use]
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        [
            ("value", &self.value),
            ("since", &self.since),
            ("result", &self.result),
            ("sampled_at", &self.sampled_at),
            ("reported_at", &self.reported_at),
            ("doses", &self.doses),
            ("last_on", &self.last_on),
            ("valid_until", &self.valid_until),
        ]
        .into_iter()
        .filter_map(|(field, column)| Some((field, column.as_deref()?)))
        .collect()
    }
}

impl Default for Sql {
    fn default() -> Self {
        Self {
            url: String::new(),
            url_file: None,
            tls: SqlTls::default(),
            ca_file: None,
            zone: None,
            connections: 4,
            document_types: BTreeMap::from([("resident_id".to_owned(), "resident_id".to_owned())]),
            matching: None,
            batch: String::new(),
            changes: None,
            cursor: None,
            sample: None,
            columns: SqlColumns::default(),
            items: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sql(…)")
    }
}
