//! The two engines behind one door: pools, transactions, and which connection a statement takes.
use super::{
    group::{Member, Writer},
    migrations::{Dialect, migrator},
};
use sqlx::{
    ConnectOptions, Executor, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    Transaction,
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    collections::HashSet,
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long a writer waits for SQLite's lock before it fails.
const BUSY: Duration = Duration::from_secs(10);

/// Prepared statements that a connection keeps: all of them.
const STATEMENTS: usize = 300;

/// Rows that SQLite's thread may read ahead of who takes them.
const ROWS: usize = 512;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is neither SQLite's nor PostgreSQL's.
    #[error("database.url must begin with sqlite: or postgres:")]
    Url,
    /// It does not answer.
    #[error("database.url: {0}")]
    Connect(sqlx::Error),
    /// It was made by another version of this program.
    #[error("the database has a schema that this version does not know: {0}")]
    Schema(MigrateError),
}

/// The database of a running program.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    recorder: Option<Recorder>,
}

#[derive(Clone)]
enum Engine {
    Sqlite { write: Writer, read: SqlitePool },
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
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Member),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// The connection that a statement takes.
pub(super) enum On<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Store {
    /// Opens a database by its URL and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong: the URL, the connection, or an unknown schema.
    pub async fn open(url: &str, connections: u32) -> Result<Self, OpenError> {
        let engine = if let Some(path) = url.strip_prefix("sqlite:") {
            Engine::sqlite(PathBuf::from(path.trim_start_matches("//")), connections).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Engine::postgres(url, connections).await?
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

    /// A connection for reading: each statement sees the newest committed state.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn read(&self) -> super::Result<Tx> {
        let inner = match &self.engine {
            Engine::Sqlite { read, .. } => Inner::SqliteRead(read.acquire().await?),
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
            Engine::Sqlite { write, .. } => Inner::SqliteWrite(write.begin().await?),
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
        for (file, name, text) in &all {
            let outcome = match &self.engine {
                Engine::Sqlite { write, .. } => {
                    let text = sqlx::SqlSafeStr::into_sql_str(*text);
                    write
                        .alone(async |connection| connection.prepare(text).await.map(|_| ()))
                        .await
                }
                Engine::Postgres(pool) => pool
                    .prepare(sqlx::SqlSafeStr::into_sql_str(*text))
                    .await
                    .map(|_| ()),
            };
            outcome.map_err(|error| format!("{file}.{name}: {error}"))?;
        }
        Ok(all.len())
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
            Engine::Sqlite { write, .. } => write
                .alone(async |connection| {
                    let copy = sqlx::query::<Sqlite>("vacuum into $1").bind(path);
                    copy.execute(connection).await
                })
                .await
                .map(|_| ())
                .map_err(|error| error.to_string()),
            Engine::Postgres(_) => {
                Err("a PostgreSQL database is backed up with pg_dump".to_owned())
            }
        }
    }
}

impl Engine {
    async fn sqlite(path: PathBuf, connections: u32) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("secure_delete", "on")
            .pragma("trusted_schema", "off")
            // What a savepoint would undo is kept in memory, not in a file of plain pages.
            .pragma("temp_store", "memory")
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS)
            .disable_statement_logging();
        own_file(&path).map_err(|error| OpenError::Connect(sqlx::Error::Io(error)))?;
        let mut write = options.connect().await.map_err(OpenError::Connect)?;
        migrator(Dialect::Sqlite)
            .run(&mut write)
            .await
            .map_err(OpenError::Schema)?;
        let read = SqlitePoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(BUSY)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(OpenError::Connect)?;
        Ok(Self::Sqlite {
            write: Writer::new(write, BUSY),
            read,
        })
    }

    async fn postgres(url: &str, connections: u32) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(OpenError::Connect)?
            .application_name("tuantibu")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging()
            .options([("statement_timeout", "10s"), ("lock_timeout", "10s")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(2))
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(OpenError::Connect)?;
        migrator(Dialect::Postgres)
            .run(&pool)
            .await
            .map_err(OpenError::Schema)?;
        Ok(Self::Postgres(pool))
    }
}

/// Makes a missing file readable by its owner alone; SQLite gives its log the same mode.
fn own_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl Tx {
    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// When the database refuses; nothing is written then.
    pub async fn commit(self) -> super::Result<()> {
        match self.inner {
            Inner::SqliteWrite(member) => member.commit().await?,
            Inner::PostgresWrite(transaction) => transaction.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }

    pub(super) fn on(&mut self, statement: &'static str) -> On<'_> {
        if let Some(Ok(mut ran)) = self.recorder.as_ref().map(|recorder| recorder.lock()) {
            ran.insert(statement);
        }
        match &mut self.inner {
            Inner::SqliteRead(connection) => On::Sqlite(connection),
            Inner::SqliteWrite(member) => On::Sqlite(member.connection()),
            Inner::PostgresRead(connection) => On::Postgres(connection),
            Inner::PostgresWrite(transaction) => On::Postgres(transaction),
        }
    }
}
