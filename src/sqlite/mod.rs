//! SQLite, called where the caller stands: a statement costs no way to another thread and back.
//!
//! What is short runs in place. What waits for the disk or for another program, and what touches
//! thousands of rows, goes [`away`] to the pool of threads that may block, the connection with it.
mod readers;
mod rows;

pub(crate) use readers::{Reader, Readers};
pub(crate) use rows::{Columns, FromRow, Places, execute, fetch_all, fetch_one, fetch_optional};

use rusqlite::{
    Connection, Error, OpenFlags,
    ffi::{
        SQLITE_BUSY, SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT, SQLITE_CONSTRAINT_PRIMARYKEY,
        SQLITE_CONSTRAINT_UNIQUE,
    },
    types::{ToSqlOutput, Value},
};
use std::{
    fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt, path::Path, time::Duration,
};
use tokio::task::spawn_blocking;

/// How long one waits for SQLite's lock, a turn or a connection before it fails.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// Prepared statements that a connection keeps: all of them.
pub(crate) const STATEMENTS: usize = 300;

/// What who writes keeps to. Pages that joins go on writing are folded in once for many commits; the
/// log is then 16 MiB of 4 KiB pages.
const WRITER: &str = "pragma journal_mode = wal; pragma synchronous = full; \
    pragma wal_autocheckpoint = 4000; pragma cache_size = -8192";
/// Who reads sees the system's own copy of the first 256 MiB of a file: neither a call nor a copy a
/// page, and the connections share it.
const READER: &str = "pragma mmap_size = 268435456";

/// A failure of SQLite. Its words name tables and statements, never values.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The engine's own.
    #[error(transparent)]
    Engine(#[from] Error),
    /// Nobody gave a connection or a turn back in time.
    #[error("no database connection in time")]
    Late,
    /// It was closed.
    #[error("the database is closed")]
    Closed,
    /// The commit that this one shared failed.
    #[error("commit: {0}")]
    Commit(String),
    /// The thread that had the connection did not give it back.
    #[error("the database's connection was lost")]
    Lost,
}

impl SqliteError {
    /// Whether the same, begun anew, may well succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        const AGAIN: [i32; 5] = [
            SQLITE_BUSY,
            SQLITE_BUSY_RECOVERY,
            SQLITE_BUSY_SNAPSHOT,
            SQLITE_CONSTRAINT_PRIMARYKEY,
            SQLITE_CONSTRAINT_UNIQUE,
        ];
        match self {
            Self::Engine(Error::SqliteFailure(error, _)) => AGAIN.contains(&error.extended_code),
            Self::Late => true,
            _ => false,
        }
    }

    /// What kind of failure it is, without any value.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Engine(Error::SqliteFailure(error, _)) => {
                format!("database error {}", error.extended_code)
            }
            Self::Engine(Error::QueryReturnedNoRows) => {
                "a row that must be there is not".to_owned()
            }
            Self::Engine(Error::InvalidColumnType(index, ..)) => {
                format!("column {index} has another type")
            }
            Self::Engine(_) => "database: a statement and its arguments do not fit".to_owned(),
            other => other.to_string(),
        }
    }
}

/// Who opens a file, and with what settings beyond those that all have.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// Writes; makes a write-ahead log.
    Write,
    /// Reads alone.
    Read,
}

/// Opens a file. `pragmas` are its own, as SQL.
pub(crate) fn open(path: &Path, access: Access, pragmas: &str) -> Result<Connection, Error> {
    let flags = match access {
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // One task at a time has a connection, so that it needs no lock of its own.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(match access {
        Access::Write => WRITER,
        Access::Read => READER,
    })?;
    connection.execute_batch("pragma foreign_keys = on")?;
    connection.execute_batch(pragmas)?;
    Ok(connection)
}

/// Makes a missing file readable by its owner alone; SQLite gives its log the same mode.
pub(crate) fn own_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Runs something that may take long where it keeps no task waiting. What it has goes along, so that
/// whoever is given up meanwhile drops it only when it is done.
pub(crate) async fn away<H, T>(
    held: H,
    work: impl FnOnce(&mut H) -> T + Send + 'static,
) -> Result<(H, T), SqliteError>
where
    H: Send + 'static,
    T: Send + 'static,
{
    let done = spawn_blocking(move || {
        let mut held = held;
        let outcome = work(&mut held);
        (held, outcome)
    });
    done.await.map_err(|_| SqliteError::Lost)
}

/// An argument that may go to another thread.
pub(crate) fn owned(argument: &dyn rusqlite::ToSql) -> Result<Value, Error> {
    match argument.to_sql()? {
        ToSqlOutput::Owned(value) => Ok(value),
        ToSqlOutput::Borrowed(value) => {
            Value::try_from(value).map_err(|error| Error::ToSqlConversionFailure(error.into()))
        }
        _ => Err(Error::ToSqlConversionFailure("no plain value".into())),
    }
}
