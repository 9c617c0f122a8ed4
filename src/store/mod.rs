//! SQL and rows, nothing else. One text a statement for both engines.
pub mod administrators;
pub mod audit;
pub mod audit_chain;
pub mod authorizations;
mod engine;
pub mod erasures;
mod group;
pub mod jobs;
pub mod keys;
pub mod limits;
mod migrations;
pub mod numbers;
mod overwrite;
pub mod passkeys;
pub mod persons;
pub mod refresh;
pub mod registers;
pub mod sealed;
pub mod sessions;
pub mod sms;
pub mod snapshots;
mod tx;
pub mod verifications;

pub use engine::OpenError;
pub use tx::{Store, Tx};

use crate::{
    error::{Error, RETRYABLE},
    sqlite::SqliteError,
};

/// A failure of the database. Its text goes to the log, never to a person.
#[derive(Debug, thiserror::Error)]
#[error("the database failed")]
pub struct StoreError(#[source] Fault);

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        Self(error.into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl StoreError {
    /// Whether the same transaction, begun anew, may well succeed: a serialization failure, a
    /// deadlock, a race for a unique key, a connection lost to a fail-over.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.0 {
            Fault::Sqlite(error) => error.is_retryable(),
            Fault::Postgres(sqlx::Error::Database(error)) => {
                error.is_unique_violation()
                    || matches!(error.code().as_deref(), Some("40001" | "40P01" | "57P01"))
            }
            Fault::Postgres(error) => {
                matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
            }
        }
    }

    /// What kind of failure it is, without the values that a database's own words may quote.
    #[must_use]
    pub fn kind(&self) -> String {
        match &self.0 {
            Fault::Sqlite(error) => error.kind(),
            Fault::Postgres(error) => kind_on_postgres(error),
        }
    }
}

fn kind_on_postgres(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => format!(
            "database error {} {}",
            error.code().unwrap_or_default(),
            error.constraint().or(error.table()).unwrap_or_default()
        ),
        sqlx::Error::Io(error) => format!("database connection: {}", error.kind()),
        sqlx::Error::PoolTimedOut => "no database connection in time".to_owned(),
        sqlx::Error::PoolClosed => "the database is closed".to_owned(),
        sqlx::Error::RowNotFound => "a row that must be there is not".to_owned(),
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} has another type"),
        other => format!("database: {}", std::any::type_name_of_val(other)),
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = error.kind();
        Self::Internal(if error.is_retryable() {
            format!("{RETRYABLE}{kind}")
        } else {
            kind
        })
    }
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Declares a file's statements, and lists them so that a test can prepare each on both engines.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        /// Every statement of this file, by name.
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Declares a row: how PostgreSQL's and SQLite's columns are read into it. `in` takes another row's
/// columns first.
macro_rules! row {
    (
        $(#[$meta:meta])* pub struct $name:ident {
            $(#[$inner_meta:meta])* in $inner:ident: $other:ty,
            $($(#[$doc:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, sqlx::FromRow)]
        pub struct $name {
            $(#[$inner_meta])* #[sqlx(flatten)] pub $inner: $other,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $crate::sqlite::FromRow for $name {
            fn find(places: &mut $crate::sqlite::Places<'_>) -> rusqlite::Result<()> {
                <$other as $crate::sqlite::FromRow>::find(places)?;
                $(places.named(stringify!($field))?;)*
                Ok(())
            }

            fn take(columns: &mut $crate::sqlite::Columns<'_>) -> rusqlite::Result<Self> {
                Ok(Self {
                    $inner: <$other as $crate::sqlite::FromRow>::take(columns)?,
                    $($field: columns.take()?,)*
                })
            }
        }
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, sqlx::FromRow)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl $crate::sqlite::FromRow for $name {
            fn find(places: &mut $crate::sqlite::Places<'_>) -> rusqlite::Result<()> {
                $(places.named(stringify!($field))?;)*
                Ok(())
            }

            fn take(columns: &mut $crate::sqlite::Columns<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($field: columns.take()?,)* })
            }
        }
    };
}

/// Runs a statement that answers rows, on whichever engine the transaction is. SQLite runs it in
/// place: it must be short. [`long_rows`] is for what may touch thousands of rows.
macro_rules! rows {
    ($tx:expr, $method:ident, $row:ty, $text:expr $(, $argument:expr)* $(,)?) => {
        match $tx.on($text) {
            $crate::store::engine::On::Sqlite(held) => held.here(|connection| {
                $crate::sqlite::$method::<$row>(
                    connection, $text, &[$(&$argument as &dyn rusqlite::ToSql),*],
                )
            }),
            $crate::store::engine::On::Postgres(connection) => {
                sqlx::query_as::<sqlx::Postgres, $row>($text)
                    $(.bind($argument))*.$method(connection).await
                    .map_err($crate::store::StoreError::from)
            }
        }
    };
}

/// As [`rows`], where SQLite would keep a thread of the runtime from its other tasks.
macro_rules! long_rows {
    ($tx:expr, $method:ident, $row:ty, $text:expr $(, $argument:expr)* $(,)?) => {
        match $tx.on($text) {
            $crate::store::engine::On::Sqlite(held) => {
                let arguments = $crate::store::engine::owned(&[$(&$argument),*]);
                held.away(arguments, |connection, arguments| {
                    $crate::sqlite::$method::<$row>(connection, $text, arguments)
                }).await
            }
            $crate::store::engine::On::Postgres(connection) => {
                sqlx::query_as::<sqlx::Postgres, $row>($text)
                    $(.bind($argument))*.$method(connection).await
                    .map_err($crate::store::StoreError::from)
            }
        }
    };
}

/// Runs a statement that answers nothing; how many rows it touched. SQLite runs it in place, as
/// [`rows`].
macro_rules! execute {
    ($tx:expr, $text:expr $(, $argument:expr)* $(,)?) => {
        match $tx.on($text) {
            $crate::store::engine::On::Sqlite(held) => held.here(|connection| {
                $crate::sqlite::execute(
                    connection, $text, &[$(&$argument as &dyn rusqlite::ToSql),*],
                )
            }),
            $crate::store::engine::On::Postgres(connection) => {
                sqlx::query::<sqlx::Postgres>($text)
                    $(.bind($argument))*.execute(connection).await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::StoreError::from)
            }
        }
    };
}

/// As [`execute`], where SQLite would keep a thread of the runtime from its other tasks.
macro_rules! long_execute {
    ($tx:expr, $text:expr $(, $argument:expr)* $(,)?) => {
        match $tx.on($text) {
            $crate::store::engine::On::Sqlite(held) => {
                let arguments = $crate::store::engine::owned(&[$(&$argument),*]);
                held.away(arguments, |connection, arguments| {
                    $crate::sqlite::execute(connection, $text, arguments)
                }).await
            }
            $crate::store::engine::On::Postgres(connection) => {
                sqlx::query::<sqlx::Postgres>($text)
                    $(.bind($argument))*.execute(connection).await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::StoreError::from)
            }
        }
    };
}
use {execute, long_execute, long_rows, row, rows, statements};

/// Every statement of every file, as `file.NAME`.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static str)> {
    [
        ("administrators", administrators::STATEMENTS),
        ("audit", audit::STATEMENTS),
        ("audit_chain", audit_chain::STATEMENTS),
        ("authorizations", authorizations::STATEMENTS),
        ("erasures", erasures::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("limits", limits::STATEMENTS),
        ("passkeys", passkeys::STATEMENTS),
        ("persons", persons::STATEMENTS),
        ("refresh", refresh::STATEMENTS),
        ("registers", registers::STATEMENTS),
        ("sealed", sealed::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("sms", sms::STATEMENTS),
        ("snapshots", snapshots::STATEMENTS),
        ("verifications", verifications::STATEMENTS),
    ]
    .into_iter()
    .flat_map(|(file, all)| all.iter().map(move |(name, text)| (file, *name, *text)))
    .collect()
}

/// Bytes as the JSON list of hexadecimal that bulk statements take.
#[must_use]
pub fn hex_list<'a>(all: impl IntoIterator<Item = &'a [u8]>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut list = String::from("[");
    for (at, bytes) in all.into_iter().enumerate() {
        list.push_str(if at == 0 { "\"" } else { ",\"" });
        for byte in bytes {
            list.push(char::from(DIGITS[usize::from(byte >> 4)]));
            list.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        list.push('"');
    }
    list.push(']');
    list
}
