//! The two engines behind one door: pools, transactions, and which connection a statement takes.
use super::{
    group::{Member, Writer},
    migrations::{Dialect, bring_up, migrator},
};
use crate::config::Database;
use crate::model::address::is_this_machines_host;
use crate::sqlite::{self, Access, BUSY, Reader, Readers, STATEMENTS, SqliteError, own_file};
use rusqlite::{Connection, ToSql, types::Value};
use sqlx::{
    ConnectOptions, Executor, PgConnection, PgPool, Postgres, Transaction,
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex},
};

/// What every connection of SQLite keeps to. What a savepoint would undo is kept in memory, not in
/// a file of plain pages.
const PRAGMAS: &str =
    "pragma secure_delete = on; pragma trusted_schema = off; pragma temp_store = memory";

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is neither SQLite's nor PostgreSQL's.
    #[error("database.url must begin with sqlite: or postgres:")]
    Url,
    /// Whoever is on the way to it could read everything.
    #[error(
        "database.url: the database is on another machine, and its certificate would not be verified; \
         add sslmode=verify-full (and sslrootcert=FILE for a CA of your own), or set \
         database.allow_insecure = true if nobody else can reach that network"
    )]
    Insecure,
    /// It does not answer.
    #[error("database.url: {0}")]
    Connect(Box<dyn std::error::Error + Send + Sync>),
    /// It was made by another version of this program.
    #[error("the database has a schema that this version does not know: {0}")]
    Schema(MigrateError),
}

impl OpenError {
    pub(super) fn connect(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Connect(Box::new(error))
    }
}

/// The database of a running program.
#[derive(Clone)]
pub struct Store {
    pub(super) engine: Engine,
    recorder: Option<Recorder>,
}

#[derive(Clone)]
pub(super) enum Engine {
    Sqlite { write: Writer, read: Readers },
    Postgres(PgPool),
}

/// The statements that ran, for the test that holds that each runs on both engines.
type Recorder = Arc<Mutex<HashSet<&'static str>>>;

/// A transaction, or a connection for reading alone. Dropped without [`Tx::commit`], it is undone.
pub struct Tx {
    inner: Inner,
    recorder: Option<Recorder>,
}

enum Inner {
    Sqlite(Held),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// A connection of SQLite's.
pub(super) enum Held {
    Read(Reader),
    Write(Member),
    /// It went with a statement that did not come back.
    Lost,
}

/// The connection that a statement takes.
pub(super) enum On<'a> {
    Sqlite(&'a mut Held),
    Postgres(&'a mut PgConnection),
}

/// The arguments of a statement that goes to another thread.
pub(super) fn owned(arguments: &[&dyn ToSql]) -> rusqlite::Result<Vec<Value>> {
    arguments.iter().copied().map(sqlite::owned).collect()
}

impl Held {
    fn connection(&self) -> Result<&Connection, SqliteError> {
        match self {
            Self::Read(reader) => reader.connection(),
            Self::Write(member) => Ok(member.connection()),
            Self::Lost => Err(SqliteError::Lost),
        }
    }

    /// Runs a short statement.
    pub(super) fn here<T>(
        &mut self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> super::Result<T> {
        Ok(statement(self.connection()?).map_err(SqliteError::from)?)
    }

    /// Runs a long one where it keeps no task waiting. Whoever is given up meanwhile ends, and is
    /// undone, when it is over.
    pub(super) async fn away<T: Send + 'static>(
        &mut self,
        arguments: rusqlite::Result<Vec<Value>>,
        statement: impl FnOnce(&Connection, &[&dyn ToSql]) -> rusqlite::Result<T> + Send + 'static,
    ) -> super::Result<T> {
        let arguments = arguments.map_err(SqliteError::from)?;
        let held = std::mem::replace(self, Self::Lost);
        let (held, outcome) = sqlite::away(held, move |held| {
            let arguments: Vec<&dyn ToSql> =
                arguments.iter().map(|value| value as &dyn ToSql).collect();
            held.here(|connection| statement(connection, &arguments))
        })
        .await?;
        *self = held;
        outcome
    }
}

impl Store {
    /// Opens a database by its URL and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong: the URL, the connection, or an unknown schema.
    pub async fn open(database: &Database) -> Result<Self, OpenError> {
        let (url, connections) = (&*database.url, database.connections);
        let engine = if let Some(path) = url.strip_prefix("sqlite:") {
            Engine::sqlite(PathBuf::from(path.trim_start_matches("//")), connections).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Engine::postgres(database).await?
        } else {
            return Err(OpenError::Url);
        };
        Ok(Self {
            engine,
            recorder: None,
        })
    }

    /// The same store, remembering the statements that run.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.recorder = Some(Recorder::default());
        self
    }

    /// Which of the listed statements have not run on a recording store.
    #[must_use]
    pub fn not_yet_run(&self) -> Vec<String> {
        let ran = self
            .recorder
            .as_ref()
            .and_then(|recorder| recorder.lock().ok())
            .map(|ran| ran.clone())
            .unwrap_or_default();
        super::all_statements()
            .into_iter()
            .filter(|(_, _, text)| !ran.contains(text))
            .map(|(file, name, _)| format!("{file}.{name}"))
            .collect()
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite { .. } => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Whether a statement costs a way to a server and back.
    #[must_use]
    pub fn has_round_trips(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// A connection for reading: each statement sees the newest committed state.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn read(&self) -> super::Result<Tx> {
        let inner = match &self.engine {
            Engine::Sqlite { read, .. } => Inner::Sqlite(Held::Read(read.take().await?)),
            Engine::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
        };
        Ok(Tx {
            inner,
            recorder: self.recorder.clone(),
        })
    }

    /// A transaction that may write. On SQLite there is one at a time, and it takes the lock at
    /// once, so that it never fails half-way for another's sake; those who wait share a commit.
    ///
    /// # Errors
    /// When none is to be had in time.
    pub async fn write(&self) -> super::Result<Tx> {
        let inner = match &self.engine {
            Engine::Sqlite { write, .. } => Inner::Sqlite(Held::Write(write.begin().await?)),
            Engine::Postgres(pool) => Inner::PostgresWrite(pool.begin().await?),
        };
        Ok(Tx {
            inner,
            recorder: self.recorder.clone(),
        })
    }

    /// Prepares every statement, as a check that each is right on this engine.
    ///
    /// # Errors
    /// The name of the first that is not, with the engine's words.
    pub async fn prepare_all(&self) -> Result<usize, String> {
        let all = super::all_statements();
        let count = all.len();
        match &self.engine {
            Engine::Sqlite { write, .. } => {
                let prepare = move |connection: &mut Connection| {
                    all.into_iter().try_for_each(|(file, name, text)| {
                        let prepared = connection.prepare(text);
                        prepared.map_err(|error| format!("{file}.{name}: {error}"))?;
                        Ok::<_, String>(())
                    })
                };
                let prepared = write.alone(prepare).await;
                prepared.map_err(|error| error.to_string())??;
            }
            Engine::Postgres(pool) => {
                for (file, name, text) in all {
                    let prepared = pool.prepare(sqlx::SqlSafeStr::into_sql_str(text)).await;
                    prepared.map_err(|error| format!("{file}.{name}: {error}"))?;
                }
            }
        }
        Ok(count)
    }

    /// Waits until nothing is under way and closes every connection; SQLite's WAL is folded in.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    /// Writes a consistent copy of a SQLite database to a new file.
    ///
    /// # Errors
    /// On PostgreSQL, which has tools of its own, and when the file cannot be written.
    pub async fn copy_to(&self, path: &str) -> Result<(), String> {
        own_file(Path::new(path)).map_err(|error| error.to_string())?;
        match &self.engine {
            Engine::Sqlite { write, .. } => {
                let path = path.to_owned();
                let copied = write.alone(move |connection| {
                    sqlite::execute(connection, "vacuum into $1", &[&path])
                });
                match copied.await {
                    Ok(copied) => copied.map(|_| ()).map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                }
            }
            Engine::Postgres(_) => {
                Err("a PostgreSQL database is backed up with pg_dump".to_owned())
            }
        }
    }
}

impl Engine {
    async fn sqlite(path: PathBuf, connections: u32) -> Result<Self, OpenError> {
        let (path, write) = sqlite::away(path, |path| {
            own_file(path).map_err(OpenError::connect)?;
            let mut write =
                sqlite::open(path, Access::Write, PRAGMAS).map_err(OpenError::connect)?;
            bring_up(&mut write)?;
            Ok::<_, OpenError>(write)
        })
        .await
        .map_err(OpenError::connect)?;
        Ok(Self::Sqlite {
            write: Writer::new(write?, BUSY),
            read: Readers::new(path, PRAGMAS, connections),
        })
    }

    async fn postgres(database: &Database) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(&database.url).map_err(OpenError::connect)?;
        if !database.allow_insecure && !is_sealed_or_local(&options) {
            return Err(OpenError::Insecure);
        }
        let connections = database.connections;
        let options = options
            .application_name("tuantibu")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging()
            .options([("statement_timeout", "10s"), ("lock_timeout", "10s")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(2))
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(OpenError::connect)?;
        migrator(Dialect::Postgres)
            .run(&pool)
            .await
            .map_err(OpenError::Schema)?;
        Ok(Self::Postgres(pool))
    }
}

/// Whether nobody on the way can read or answer: verified TLS, or this machine alone.
fn is_sealed_or_local(options: &PgConnectOptions) -> bool {
    matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
        || options.get_socket().is_some()
        || is_this_machines_host(options.get_host())
}

impl Tx {
    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// When the database refuses; nothing is written then.
    pub async fn commit(self) -> super::Result<()> {
        match self.inner {
            Inner::Sqlite(Held::Write(member)) => {
                let told = member.commit().await;
                told.unwrap_or(Err(SqliteError::Lost))?;
            }
            Inner::Sqlite(Held::Read(_)) | Inner::PostgresRead(_) => {}
            Inner::Sqlite(Held::Lost) => return Err(SqliteError::Lost.into()),
            Inner::PostgresWrite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Ends the transaction, and lets it become durable while its caller goes on.
    pub fn commit_soon(self) {
        match self.inner {
            // The group tells nobody, and logs where it fails.
            Inner::Sqlite(Held::Write(member)) => drop(member.commit()),
            Inner::Sqlite(_) | Inner::PostgresRead(_) => {}
            Inner::PostgresWrite(transaction) => {
                tokio::spawn(async move {
                    if let Err(error) = transaction.commit().await {
                        let error = super::kind_on_postgres(&error);
                        tracing::error!(%error, "a commit failed");
                    }
                });
            }
        }
    }

    pub(super) fn on(&mut self, statement: &'static str) -> On<'_> {
        if let Some(Ok(mut ran)) = self.recorder.as_ref().map(|recorder| recorder.lock()) {
            ran.insert(statement);
        }
        match &mut self.inner {
            Inner::Sqlite(held) => On::Sqlite(held),
            Inner::PostgresRead(connection) => On::Postgres(connection),
            Inner::PostgresWrite(transaction) => On::Postgres(transaction),
        }
    }
}
