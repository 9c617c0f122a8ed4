//! The file `source.db`: how it is opened, made and recognised.
use super::EmbeddedError;
use crate::crypto::{Keys, Place, Table};
use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt, path::Path, time::Duration,
};

const VERSION: i64 = 2;
const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(10);
/// What the check cell holds; it opens under the keys that sealed the file.
const CHECK: &[u8] = b"tuantibu source";

const CHECK_PLACE: Place<'_> = Place {
    table: Table::Source,
    column: "check",
    row: b"check",
    bound: b"",
};

/// Opens the file with a pool for reading and one connection for writing.
pub(super) async fn open(
    path: &Path,
    keys: &Keys,
) -> Result<(SqlitePool, SqlitePool), EmbeddedError> {
    make(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(
            options
                .clone()
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("secure_delete", "on")
                .pragma("cache_size", "-65536")
                .pragma("wal_autocheckpoint", "8000"),
        )
        .await?;
    let mut transaction = writer.begin_with("begin immediate").await?;
    recognise(&mut transaction, path, keys).await?;
    transaction.commit().await?;
    let reader = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.read_only(true))
        .await?;
    Ok((reader, writer))
}

/// Makes an empty file for its owner alone; SQLite gives its companions the same mode.
fn make(path: &Path) -> Result<(), EmbeddedError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(EmbeddedError::Io(path.display().to_string(), error))
        }
        _ => Ok(()),
    }
}

async fn recognise(
    connection: &mut SqliteConnection,
    path: &Path,
    keys: &Keys,
) -> Result<(), EmbeddedError> {
    let shown = || path.display().to_string();
    let found: i64 = sqlx::query_scalar("pragma user_version")
        .fetch_one(&mut *connection)
        .await?;
    match found {
        VERSION => {
            let cell: Option<Vec<u8>> = sqlx::query_scalar("select cell from seal where id = 1")
                .fetch_optional(&mut *connection)
                .await?;
            let cell = cell.ok_or_else(|| EmbeddedError::Foreign(shown()))?;
            keys.open(&CHECK_PLACE, &cell)
                .map_err(|_| EmbeddedError::OtherKeys(shown()))?;
            Ok(())
        }
        1 => {
            bring_up(connection, keys).await?;
            Box::pin(recognise(connection, path, keys)).await
        }
        0 => {
            let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_schema")
                .fetch_one(&mut *connection)
                .await?;
            if tables > 0 {
                return Err(EmbeddedError::Foreign(shown()));
            }
            create(connection, keys).await
        }
        _ => Err(EmbeddedError::UnknownVersion {
            path: shown(),
            found,
            known: VERSION,
        }),
    }
}

/// People with the number of the change that wrote them, and the file's seal: its mark tells one
/// file's changes from another's, and those before a removal from those after.
const TABLES: [&str; 3] = [
    "create table people (document_hash blob primary key, changed integer not null,
     record blob not null) strict, without rowid",
    "create index people_by_change on people (changed)",
    "create table seal (id integer primary key check (id = 1), cell blob not null,
     mark blob not null) strict",
];

async fn run(connection: &mut SqliteConnection, text: &'static str) -> Result<(), EmbeddedError> {
    sqlx::query(text).execute(connection).await?;
    Ok(())
}

async fn create(connection: &mut SqliteConnection, keys: &Keys) -> Result<(), EmbeddedError> {
    for text in TABLES {
        run(connection, text).await?;
    }
    seal(connection, keys, &keys.seal(&CHECK_PLACE, CHECK)).await
}

/// From the first version, whose people carried no numbers of changes.
async fn bring_up(connection: &mut SqliteConnection, keys: &Keys) -> Result<(), EmbeddedError> {
    run(connection, "alter table people rename to old_people").await?;
    run(connection, "alter table seal rename to old_seal").await?;
    for text in TABLES {
        run(connection, text).await?;
    }
    run(
        connection,
        "insert into people (document_hash, changed, record)
         select document_hash, 1, record from old_people",
    )
    .await?;
    let cell: Vec<u8> = sqlx::query_scalar("select cell from old_seal where id = 1")
        .fetch_one(&mut *connection)
        .await?;
    run(connection, "drop table old_people").await?;
    run(connection, "drop table old_seal").await?;
    seal(connection, keys, &cell).await
}

/// A mark that no file had before.
pub(super) fn mark(keys: &Keys) -> [u8; 16] {
    let mut mark = [0; 16];
    keys.random().fill(&mut mark);
    mark
}

async fn seal(
    connection: &mut SqliteConnection,
    keys: &Keys,
    cell: &[u8],
) -> Result<(), EmbeddedError> {
    sqlx::query("insert into seal (id, cell, mark) values (1, $1, $2)")
        .bind(cell)
        .bind(mark(keys).as_slice())
        .execute(&mut *connection)
        .await?;
    run(connection, "pragma user_version = 2").await
}
