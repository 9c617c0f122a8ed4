//! The authority's database: PostgreSQL or MySQL, reached read-only, its values as texts.
use super::{
    pool::{Ask, Pool, Prepare},
    query::Parameter,
};
use crate::{
    config::{Sql, SqlTls},
    model::address::is_this_machines_host,
};
use sqlx::{
    Arguments, Column as _, ConnectOptions, MySql, Postgres, Statement, Type, TypeInfo,
    mysql::{MySqlArguments, MySqlConnectOptions, MySqlSslMode},
    postgres::{PgArguments, PgConnectOptions, PgSslMode},
};
use std::{str::FromStr, sync::Arc, time::Duration};

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 32;

/// What a session of PostgreSQL begins with.
const POSTGRES: &str = "set default_transaction_read_only = on; set statement_timeout = {millis};
    set idle_in_transaction_session_timeout = {millis}; set timezone = 'UTC'; set datestyle = 'ISO'";
/// The same of MySQL and MariaDB: one counts milliseconds, the other seconds, and each takes the
/// other's words for a comment.
const MYSQL: &str = "set session transaction read only;
    set /*M! session max_statement_time = {seconds} */ /*!50708 session max_execution_time = {millis} */";

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Postgres,
    MySql,
}

/// What a row holds, column by column.
pub(super) type Cells = Vec<Option<String>>;

/// What a query is given.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Text(String),
    List(Vec<String>),
}

/// Why there is no answer. Holds nothing of a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum DbError {
    /// The database is there and refuses: a matter of configuration.
    #[error("{0}")]
    Refused(String),
    /// It is not to be had, or fails.
    #[error("{0}")]
    Unavailable(String),
}

/// A column of a query.
pub(super) struct Column {
    pub(super) name: String,
    /// MySQL's TIMESTAMP: it is kept by its moment, and comes in the session's zone, which is UTC.
    pub(super) is_moment: bool,
}

/// The database, by its engine's connections.
pub(super) enum Database {
    Postgres(Pool<Postgres>),
    MySql(Pool<MySql>),
}

impl Database {
    /// Pools by the configuration; nothing is connected yet.
    ///
    /// # Errors
    /// Names the key that is wrong, never its value.
    pub(super) fn new(config: &Sql, url: &str, timeout: Duration) -> Result<Self, String> {
        let not_url = |_| "source.sql.url: cannot be read as a URL".to_owned();
        let database = match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                let mut options = PgConnectOptions::from_str(url)
                    .map_err(not_url)?
                    .application_name("tuantibu")
                    .statement_cache_capacity(STATEMENTS)
                    .disable_statement_logging();
                let near =
                    options.get_socket().is_some() || is_this_machines_host(options.get_host());
                options = options.ssl_mode(match (config.tls, near) {
                    (SqlTls::Verified, true) => PgSslMode::Prefer,
                    (SqlTls::Verified, false) => PgSslMode::VerifyFull,
                    (SqlTls::Unverified, _) => PgSslMode::Require,
                    (SqlTls::None, _) => PgSslMode::Disable,
                });
                if let Some(file) = &config.ca_file {
                    options = options.ssl_root_cert(file);
                }
                Self::Postgres(Pool::new(options, POSTGRES, timeout, config.connections))
            }
            Some("mysql" | "mariadb") => {
                let url = url.replacen("mariadb://", "mysql://", 1);
                let mut options = MySqlConnectOptions::from_str(&url)
                    .map_err(not_url)?
                    .statement_cache_capacity(STATEMENTS)
                    .timezone(Some("+00:00".to_owned()))
                    .pipes_as_concat(false)
                    .no_engine_substitution(false)
                    .disable_statement_logging();
                let near =
                    options.get_socket().is_some() || is_this_machines_host(options.get_host());
                options = options.ssl_mode(match (config.tls, near) {
                    (SqlTls::Verified, true) => MySqlSslMode::Preferred,
                    (SqlTls::Verified, false) => MySqlSslMode::VerifyIdentity,
                    (SqlTls::Unverified, _) => MySqlSslMode::Required,
                    (SqlTls::None, _) => MySqlSslMode::Disabled,
                });
                if let Some(file) = &config.ca_file {
                    options = options.ssl_ca(file);
                }
                Self::MySql(Pool::new(options, MYSQL, timeout, config.connections))
            }
            _ => {
                return Err("source.sql.url: must begin with postgres:// or mysql://".to_owned());
            }
        };
        Ok(database)
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::MySql(_) => Engine::MySql,
        }
    }

    /// The rows of a query whose columns are all texts; more than `most` are a failure.
    pub(super) async fn rows(
        &self,
        text: &Arc<str>,
        given: &[Given],
        most: usize,
    ) -> Result<Vec<Cells>, DbError> {
        let rows = match self {
            Self::Postgres(pool) => {
                let mut arguments = PgArguments::default();
                let added = given.iter().try_for_each(|given| match given {
                    Given::Text(text) => arguments.add(text),
                    Given::List(list) => arguments.add(list),
                });
                added.map_err(|error| failed(&sqlx::Error::Encode(error)))?;
                pool.with(&Ask {
                    text,
                    arguments,
                    most,
                })
                .await
            }
            Self::MySql(pool) => {
                let mut arguments = MySqlArguments::default();
                let added = given.iter().try_for_each(|given| match given {
                    Given::Text(text) => arguments.add(text),
                    Given::List(list) => list.iter().try_for_each(|text| arguments.add(text)),
                });
                added.map_err(|error| failed(&sqlx::Error::Encode(error)))?;
                pool.with(&Ask {
                    text,
                    arguments,
                    most,
                })
                .await
            }
        };
        rows.map_err(|error| failed(&error))
    }

    /// The one value of a query of ours that takes nothing.
    pub(super) async fn value(&self, text: &str) -> Result<Option<String>, DbError> {
        let rows = self.rows(&text.into(), &[], 1).await?;
        Ok(rows.into_iter().next().and_then(|mut row| row.pop()?))
    }

    /// The columns of a query, which is prepared and not run.
    ///
    /// # Errors
    /// With the database's words: there is no value yet that could stand in them.
    pub(super) async fn columns(
        &self,
        text: &str,
        takes: &[Parameter],
    ) -> Result<Vec<Column>, DbError> {
        let columns = match self {
            Self::Postgres(pool) => {
                let types = takes.iter().map(|parameter| match parameter {
                    Parameter::DocumentNumbers => <Vec<String> as Type<Postgres>>::type_info(),
                    _ => <String as Type<Postgres>>::type_info(),
                });
                let types = types.collect();
                let prepared = pool.with(&Prepare { text, types }).await;
                prepared.map(|statement| columns_of(&statement))
            }
            Self::MySql(pool) => {
                let types = Vec::new();
                let prepared = pool.with(&Prepare { text, types }).await;
                prepared.map(|statement| columns_of(&statement))
            }
        };
        columns.map_err(|error| match &error {
            sqlx::Error::Database(words) if !is_passing(&error) => {
                DbError::Refused(words.message().to_owned())
            }
            _ => failed(&error),
        })
    }
}

fn columns_of<S: Statement>(statement: &S) -> Vec<Column> {
    let columns = statement.columns().iter();
    columns
        .map(|column| Column {
            name: column.name().to_owned(),
            is_moment: TypeInfo::name(column.type_info()) == "TIMESTAMP"
                && <S::Database as sqlx::Database>::NAME == <MySql as sqlx::Database>::NAME,
        })
        .collect()
}

/// Whether a refusal is one of the moment: shutting down, starting, too many connections.
fn is_passing(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let begins = |classes: &[&str]| {
        code.as_deref()
            .is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
    };
    begins(&["08", "53", "57", "70100"])
}

/// What failed, without the database's words: they quote values.
fn failed(error: &sqlx::Error) -> DbError {
    let words = match error {
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("28P01" | "28000") => {
                return DbError::Refused(
                    "source.sql.url: the user or the password is refused".into(),
                );
            }
            Some("3D000" | "42000") if refusal.message().contains("atabase") => {
                return DbError::Refused(
                    "source.sql.url: there is no such database for this user".into(),
                );
            }
            Some("57014" | "70100") => "a query takes too long".to_owned(),
            Some(code) => format!("it refused a query (SQLSTATE {code})"),
            None => "it refused a query".to_owned(),
        },
        sqlx::Error::Io(error) => format!("no connection: {}", error.kind()),
        sqlx::Error::Tls(error) => format!("no TLS connection: {error}"),
        sqlx::Error::PoolTimedOut => "no answer in time".to_owned(),
        sqlx::Error::PoolClosed => "it was closed".to_owned(),
        sqlx::Error::Configuration(_) => {
            return DbError::Refused("source.sql.ca_file: cannot be read".into());
        }
        sqlx::Error::ColumnDecode { .. } => "a column is no text".to_owned(),
        _ => "its answer cannot be read".to_owned(),
    };
    DbError::Unavailable(words)
}
