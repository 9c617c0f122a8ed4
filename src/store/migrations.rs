//! The schema: one text with placeholders, and a tail for PostgreSQL alone.
use super::OpenError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Which engine the text is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// SQLite 3.37 or later (STRICT tables).
    Sqlite,
    /// PostgreSQL 13 or later.
    Postgres,
}

/// Version, name, text, PostgreSQL's tail.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "initial",
        include_str!("../../migrations/0001_initial.sql"),
        include_str!("../../migrations/0001_initial.postgres.sql"),
    ),
    (
        2,
        "audit",
        include_str!("../../migrations/0002_audit.sql"),
        "",
    ),
    (
        3,
        "keys",
        include_str!("../../migrations/0003_keys.sql"),
        "",
    ),
    (
        4,
        "administrators",
        include_str!("../../migrations/0004_administrators.sql"),
        "",
    ),
    (
        5,
        "erasures",
        include_str!("../../migrations/0005_erasures.sql"),
        "",
    ),
    (
        6,
        "passkeys",
        include_str!("../../migrations/0006_passkeys.sql"),
        "",
    ),
    (
        7,
        "audit keys",
        include_str!("../../migrations/0007_audit_keys.sql"),
        "",
    ),
    (8, "sms", include_str!("../../migrations/0008_sms.sql"), ""),
];

pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, text, tail)| {
        let [blob, int, rows, clustered] = match dialect {
            Dialect::Sqlite => ["blob", "integer", " strict", " strict, without rowid"],
            Dialect::Postgres => ["bytea", "bigint", "", ""],
        };
        // Ids for rows that were there before there were any: no program draws them one by one.
        let random = match dialect {
            Dialect::Sqlite => "randomblob(16)",
            Dialect::Postgres => "decode(replace(gen_random_uuid()::text, '-', ''), 'hex')",
        };
        let mut text = text
            .replace("{blob}", blob)
            .replace("{int}", int)
            .replace("{text}", "text")
            .replace("{random}", random)
            .replace("{rows}", rows)
            .replace("{clustered}", clustered);
        if dialect == Dialect::Postgres {
            text.push_str(tail);
        }
        // The text is the program's own: nothing from outside is in it.
        let text = AssertSqlSafe(text).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// The table of what was done, with the columns of PostgreSQL's. Nobody reads when it was.
const DONE: &str = "create table if not exists _sqlx_migrations (
    version bigint primary key,
    description text not null,
    installed_on timestamp not null default 0,
    success boolean not null,
    checksum blob not null,
    execution_time bigint not null
)";

/// Brings a SQLite database up to date. One that is takes no lock.
pub(super) fn bring_up(connection: &mut Connection) -> Result<(), OpenError> {
    let migrator = migrator(Dialect::Sqlite);
    if is_up_to_date(connection, &migrator)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(OpenError::connect)?;
    transaction
        .execute_batch(DONE)
        .map_err(OpenError::connect)?;
    for migration in migrator.iter() {
        if is_done(&transaction, migration)? {
            continue;
        }
        let done = transaction
            .execute_batch(migration.sql.as_str())
            .and_then(|()| {
                transaction.execute(
                    "insert into _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     values ($1, $2, true, $3, 0)",
                    params![migration.version, migration.description, migration.checksum],
                )
            });
        done.map_err(OpenError::connect)?;
    }
    transaction.commit().map_err(OpenError::connect)
}

/// Whether nothing is to be done; an error where somebody else did what is not known here.
fn is_up_to_date(connection: &Connection, migrator: &Migrator) -> Result<bool, OpenError> {
    let known: bool = connection
        .query_row(
            "select count(*) from sqlite_schema where name = '_sqlx_migrations'",
            [],
            |row| row.get(0),
        )
        .map_err(OpenError::connect)?;
    if !known {
        return Ok(false);
    }
    let mut versions = connection
        .prepare("select version, success from _sqlx_migrations order by version")
        .map_err(OpenError::connect)?;
    let versions = versions
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(i64, bool)>>>)
        .map_err(OpenError::connect)?;
    for (version, success) in versions {
        if !success {
            return Err(OpenError::Schema(MigrateError::Dirty(version)));
        }
        if !migrator.version_exists(version) {
            return Err(OpenError::Schema(MigrateError::VersionMissing(version)));
        }
    }
    for migration in migrator.iter() {
        if !is_done(connection, migration)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_done(connection: &Connection, migration: &Migration) -> Result<bool, OpenError> {
    let checksum: Option<Vec<u8>> = connection
        .query_row(
            "select checksum from _sqlx_migrations where version = $1",
            [migration.version],
            |row| row.get(0),
        )
        .optional()
        .map_err(OpenError::connect)?;
    match checksum {
        Some(checksum) if checksum != *migration.checksum => Err(OpenError::Schema(
            MigrateError::VersionMismatch(migration.version),
        )),
        checksum => Ok(checksum.is_some()),
    }
}
