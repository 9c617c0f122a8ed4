//! The file `source.db`: how it is opened, made and recognised.
use super::{EmbeddedError, adopting::Target};
use crate::crypto::{Keys, Place, Table};
use crate::sqlite::{self, Access, Readers, own_file};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;

const VERSION: i64 = 3;
const READERS: u32 = 4;
/// What the writer keeps to: an import is much at once.
const PRAGMAS: &str =
    "pragma secure_delete = on; pragma cache_size = -65536; pragma wal_autocheckpoint = 8000";
/// What the check cell holds; it opens under the keys that sealed the file.
const CHECK: &[u8] = b"tuantibu source";

const CHECK_PLACE: Place<'_> = Place {
    table: Table::Source,
    column: "check",
    row: b"check",
    bound: b"",
};

/// Opens the file with connections for reading and one for writing.
pub(super) fn open(path: &Path, keys: &Keys) -> Result<(Readers, Connection), EmbeddedError> {
    own_file(path).map_err(|error| EmbeddedError::Io(path.display().to_string(), error))?;
    let mut writer = sqlite::open(path, Access::Write, PRAGMAS)?;
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    recognise(&transaction, path, keys)?;
    transaction.commit()?;
    Ok((Readers::new(path.to_owned(), "", READERS), writer))
}

fn recognise(connection: &Connection, path: &Path, keys: &Keys) -> Result<(), EmbeddedError> {
    let shown = || path.display().to_string();
    let found: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    match found {
        VERSION => {
            let cell: Option<Vec<u8>> = connection
                .query_row("select cell from seal where id = 1", [], |row| row.get(0))
                .optional()?;
            let cell = cell.ok_or_else(|| EmbeddedError::Foreign(shown()))?;
            keys.open(&CHECK_PLACE, &cell)
                .map_err(|_| EmbeddedError::OtherKeys(shown()))?;
            Ok(())
        }
        1 => {
            bring_up(connection, keys)?;
            recognise(connection, path, keys)
        }
        2 => {
            connection.execute_batch(SINCE_3)?;
            recognise(connection, path, keys)
        }
        0 => {
            let tables: i64 =
                connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
            if tables > 0 {
                return Err(EmbeddedError::Foreign(shown()));
            }
            create(connection, keys)
        }
        _ => Err(EmbeddedError::UnknownVersion {
            path: shown(),
            found,
            known: VERSION,
        }),
    }
}

/// People with the number of the change that wrote them and of the key that their hash is by (0 where
/// nobody noted it), and the file's seal: its mark tells one file's changes from another's, and those
/// before a removal from those after; `adopted` names the keys that all of it is by.
const TABLES: [&str; 3] = [
    "create table people (document_hash blob primary key, changed integer not null,
     record blob not null, hashed integer not null default 0) strict, without rowid",
    "create index people_by_change on people (changed)",
    "create table seal (id integer primary key check (id = 1), cell blob not null,
     mark blob not null, adopted blob not null default x'') strict",
];

const SINCE_3: &str = "alter table people add column hashed integer not null default 0;
    alter table seal add column adopted blob not null default x'';
    pragma user_version = 3";

fn create(connection: &Connection, keys: &Keys) -> Result<(), EmbeddedError> {
    for text in TABLES {
        connection.execute_batch(text)?;
    }
    seal(connection, keys, &keys.seal(&CHECK_PLACE, CHECK))?;
    Ok(written_by(connection, keys)?)
}

/// By which keys all of the file is; empty where nobody looked.
pub(super) fn adopted(connection: &Connection) -> rusqlite::Result<Vec<u8>> {
    let (adopted,): (Vec<u8>,) =
        sqlite::fetch_one(connection, "select adopted from seal where id = 1", &[])?;
    Ok(adopted)
}

/// Somebody writes by the keys that are active there: where others stood, all is looked through again.
pub(super) fn written_by(connection: &Connection, keys: &Keys) -> rusqlite::Result<()> {
    let (now, then) = (Target::of(keys).bytes(), adopted(connection)?);
    if now == then {
        return Ok(());
    }
    let (people,): (i64,) = sqlite::fetch_one(
        connection,
        "select count(*) from (select 1 from people limit 1)",
        &[],
    )?;
    let adopted = if people == 0 { now } else { Vec::new() };
    sqlite::execute(
        connection,
        "update seal set adopted = $1 where id = 1",
        &[&adopted],
    )?;
    Ok(())
}

/// All records are by the active keys, and so is the check now.
pub(super) fn adopt(
    connection: &Connection,
    keys: &Keys,
    to: &Target,
) -> Result<(), EmbeddedError> {
    let (cell,): (Vec<u8>,) =
        sqlite::fetch_one(connection, "select cell from seal where id = 1", &[])?;
    let cell = keys.reseal(&CHECK_PLACE, &cell)?;
    sqlite::execute(
        connection,
        "update seal set cell = $1, adopted = $2 where id = 1",
        &[&cell, &to.bytes()],
    )?;
    Ok(())
}

/// From the first version, whose people carried no numbers of changes.
fn bring_up(connection: &Connection, keys: &Keys) -> Result<(), EmbeddedError> {
    connection.execute_batch(
        "alter table people rename to old_people; alter table seal rename to old_seal",
    )?;
    for text in TABLES {
        connection.execute_batch(text)?;
    }
    connection.execute_batch(
        "insert into people (document_hash, changed, record)
         select document_hash, 1, record from old_people",
    )?;
    let cell: Vec<u8> =
        connection.query_row("select cell from old_seal where id = 1", [], |row| {
            row.get(0)
        })?;
    connection.execute_batch("drop table old_people; drop table old_seal")?;
    seal(connection, keys, &cell)
}

/// A mark that no file had before.
pub(super) fn mark(keys: &Keys) -> [u8; 16] {
    let mut mark = [0; 16];
    keys.random().fill(&mut mark);
    mark
}

fn seal(connection: &Connection, keys: &Keys, cell: &[u8]) -> Result<(), EmbeddedError> {
    sqlite::execute(
        connection,
        "insert into seal (id, cell, mark) values (1, $1, $2)",
        &[&cell, &mark(keys).as_slice()],
    )?;
    Ok(connection.execute_batch("pragma user_version = 3")?)
}
