//! The schema: one text with placeholders, and a tail for PostgreSQL alone.
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
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
        3,
        "keys",
        include_str!("../../migrations/0003_keys.sql"),
        "",
    ),
];

pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, text, tail)| {
        let [blob, int, rows, clustered] = match dialect {
            Dialect::Sqlite => ["blob", "integer", " strict", " strict, without rowid"],
            Dialect::Postgres => ["bytea", "bigint", "", ""],
        };
        let mut text = text
            .replace("{blob}", blob)
            .replace("{int}", int)
            .replace("{text}", "text")
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
