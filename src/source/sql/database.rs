//! The authority's database: PostgreSQL or MySQL, reached read-only, its values as texts.
use super::query::Parameter;
use crate::config::{Sql, SqlTls};
use sqlx::{
    Arguments, AssertSqlSafe, Column as _, ColumnIndex, ConnectOptions, Decode, Executor,
    IntoArguments, MySql, Pool, Postgres, Row, Statement, Type, TypeInfo,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use std::{net::IpAddr, str::FromStr, sync::Arc, time::Duration};

/// Most of a try that getting a connection may take, in seconds.
const CONNECT_SECONDS: u64 = 5;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 32;

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

/// The pools.
pub(super) struct Database {
    pools: Pools,
    timeout: Duration,
}

enum Pools {
    Postgres(Pool<Postgres>),
    MySql(Pool<MySql>),
}

/// A connection that is closed unless it is given back: what was under way on it is unknown.
struct Lent<DB: sqlx::Database>(Option<PoolConnection<DB>>);

impl<DB: sqlx::Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Database {
    /// Pools by the configuration; nothing is connected yet.
    ///
    /// # Errors
    /// Names the key that is wrong, never its value.
    pub(super) fn new(config: &Sql, url: &str, timeout: Duration) -> Result<Self, String> {
        let not_url = |_| "source.sql.url: cannot be read as a URL".to_owned();
        let wait = timeout.min(Duration::from_secs(CONNECT_SECONDS));
        let connections = config.connections.max(1);
        let millis = timeout.as_millis();
        let pools = match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                let mut options = PgConnectOptions::from_str(url)
                    .map_err(not_url)?
                    .application_name("tuantibu")
                    .statement_cache_capacity(STATEMENTS)
                    .disable_statement_logging();
                let near = options.get_socket().is_some() || is_near(options.get_host());
                options = options.ssl_mode(match (config.tls, near) {
                    (SqlTls::Verified, true) => PgSslMode::Prefer,
                    (SqlTls::Verified, false) => PgSslMode::VerifyFull,
                    (SqlTls::Unverified, _) => PgSslMode::Require,
                    (SqlTls::None, _) => PgSslMode::Disable,
                });
                if let Some(file) = &config.ca_file {
                    options = options.ssl_root_cert(file);
                }
                let session: Arc<str> = format!(
                    "set default_transaction_read_only = on; set statement_timeout = {millis}; \
                     set idle_in_transaction_session_timeout = {millis}; set timezone = 'UTC'; \
                     set datestyle = 'ISO'; set bytea_output = 'hex'"
                )
                .into();
                let pool = PgPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(wait)
                    .after_connect(move |connection, _| {
                        let session = AssertSqlSafe(session.clone());
                        Box::pin(async move {
                            connection.execute(sqlx::raw_sql(session)).await?;
                            Ok(())
                        })
                    })
                    .connect_lazy_with(options);
                Pools::Postgres(pool)
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
                let near = options.get_socket().is_some() || is_near(options.get_host());
                options = options.ssl_mode(match (config.tls, near) {
                    (SqlTls::Verified, true) => MySqlSslMode::Preferred,
                    (SqlTls::Verified, false) => MySqlSslMode::VerifyIdentity,
                    (SqlTls::Unverified, _) => MySqlSslMode::Required,
                    (SqlTls::None, _) => MySqlSslMode::Disabled,
                });
                if let Some(file) = &config.ca_file {
                    options = options.ssl_ca(file);
                }
                // MariaDB counts seconds, MySQL milliseconds; each refuses the other's name.
                let limits = [
                    format!("set session max_statement_time = {}", timeout.as_secs_f64()),
                    format!("set session max_execution_time = {millis}"),
                ];
                let pool = MySqlPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(wait)
                    .after_connect(move |connection, _| {
                        let limits = limits.clone();
                        Box::pin(async move {
                            connection
                                .execute("set session transaction read only")
                                .await?;
                            let [mariadb, mysql] = limits.map(AssertSqlSafe);
                            if connection.execute(mariadb).await.is_err() {
                                connection.execute(mysql).await?;
                            }
                            Ok(())
                        })
                    })
                    .connect_lazy_with(options);
                Pools::MySql(pool)
            }
            _ => {
                return Err("source.sql.url: must begin with postgres:// or mysql://".to_owned());
            }
        };
        Ok(Self { pools, timeout })
    }

    pub(super) fn engine(&self) -> Engine {
        match self.pools {
            Pools::Postgres(_) => Engine::Postgres,
            Pools::MySql(_) => Engine::MySql,
        }
    }

    /// The rows of a query whose columns are all texts; more than `most` are a failure.
    pub(super) async fn rows(
        &self,
        text: &Arc<str>,
        given: &[Given],
        most: usize,
    ) -> Result<Vec<Cells>, DbError> {
        let rows = async {
            match &self.pools {
                Pools::Postgres(pool) => {
                    let mut arguments = sqlx::postgres::PgArguments::default();
                    for given in given {
                        match given {
                            Given::Text(text) => arguments.add(text),
                            Given::List(list) => arguments.add(list),
                        }
                        .map_err(sqlx::Error::Encode)?;
                    }
                    fetch(pool, text, arguments, most).await
                }
                Pools::MySql(pool) => {
                    let mut arguments = sqlx::mysql::MySqlArguments::default();
                    for given in given {
                        match given {
                            Given::Text(text) => {
                                arguments.add(text).map_err(sqlx::Error::Encode)?
                            }
                            Given::List(list) => {
                                for text in list {
                                    arguments.add(text).map_err(sqlx::Error::Encode)?;
                                }
                            }
                        }
                    }
                    fetch(pool, text, arguments, most).await
                }
            }
        };
        self.in_time(rows).await.map_err(|error| failed(&error))
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
        let sql = || sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text.to_owned()));
        let columns = async {
            Ok(match &self.pools {
                Pools::Postgres(pool) => {
                    let types: Vec<_> = takes
                        .iter()
                        .map(|parameter| match parameter {
                            Parameter::DocumentNumbers => {
                                <Vec<String> as Type<Postgres>>::type_info()
                            }
                            _ => <String as Type<Postgres>>::type_info(),
                        })
                        .collect();
                    let mut connection = pool.acquire().await?;
                    columns_of(&connection.prepare_with(sql(), &types).await?)
                }
                Pools::MySql(pool) => {
                    let mut connection = pool.acquire().await?;
                    columns_of(&connection.prepare(sql()).await?)
                }
            })
        };
        self.in_time(columns).await.map_err(|error| match &error {
            sqlx::Error::Database(words) if !is_passing(&error) => {
                DbError::Refused(words.message().to_owned())
            }
            _ => failed(&error),
        })
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let outcome = tokio::time::timeout(self.timeout, work).await;
        outcome.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

async fn fetch<DB>(
    pool: &Pool<DB>,
    text: &Arc<str>,
    arguments: DB::Arguments,
    most: usize,
) -> Result<Vec<Cells>, sqlx::Error>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> String: Decode<'r, DB>,
    String: Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    use futures_util::TryStreamExt;
    let mut lent = Lent(Some(pool.acquire().await?));
    let Some(connection) = &mut lent.0 else {
        return Err(sqlx::Error::PoolClosed);
    };
    let query = sqlx::query_with(AssertSqlSafe(text.clone()), arguments);
    let mut stream = (&mut **connection).fetch(query);
    let mut rows = Vec::new();
    let outcome = loop {
        match stream.try_next().await {
            Ok(Some(_)) if rows.len() == most => {
                return Err(sqlx::Error::Protocol(
                    "more rows than anybody has".to_owned(),
                ));
            }
            Ok(Some(row)) => {
                let cells = (0..row.len()).map(|at| row.try_get(at)).collect();
                match cells {
                    Ok(cells) => rows.push(cells),
                    Err(error) => break Err(error),
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(stream);
    // What the database refuses leaves the connection as it was.
    if matches!(outcome, Ok(()) | Err(sqlx::Error::Database(_))) {
        drop(lent.0.take());
    }
    outcome.map(|()| rows)
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

/// Whether what is said stays on this machine.
fn is_near(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || host.starts_with('/') || address.is_ok_and(|ip| ip.is_loopback())
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
