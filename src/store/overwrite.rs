//! Overwriting what was erased in the database's own files.
use super::engine::{Engine, Store};
use crate::sqlite::{self, SqliteError};
use sqlx::{Executor, PgConnection};

/// Tables whose rows tell of persons.
const TABLES: &[&str] = &[
    "persons",
    "snapshots",
    "authorizations",
    "verifications",
    "pending_joins",
    "sms_messages",
    "sms_gates",
    "counters",
    "sessions",
    "passkeys",
    "passkey_challenges",
    "confirmation_tokens",
    "registers",
    "register_administrators",
    "invitations",
    "reports",
    "jobs",
    "erasures",
    "keys",
];

impl Store {
    /// Overwrites what was erased. SQLite does so as rows go (`secure_delete`); here its log is
    /// folded in and cut off. PostgreSQL's vacuum leaves bytes in the holes of pages, so a table of
    /// at most so many bytes is written anew; the names of those that were vacuumed alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overwrite_erased(&self, most: i64) -> super::Result<Vec<&'static str>> {
        match &self.engine {
            Engine::Sqlite { write, .. } => {
                let folded = write.alone(|connection| {
                    sqlite::fetch_optional::<(i64,)>(
                        connection,
                        "pragma wal_checkpoint(truncate)",
                        &[],
                    )
                });
                folded.await?.map_err(SqliteError::from)?;
                Ok(Vec::new())
            }
            Engine::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                // Longer than any request may take.
                connection.execute("set statement_timeout = 0").await?;
                let left = rewrite(&mut connection, most).await;
                connection.execute("reset statement_timeout").await?;
                Ok(left?)
            }
        }
    }
}

async fn rewrite(
    connection: &mut PgConnection,
    most: i64,
) -> Result<Vec<&'static str>, sqlx::Error> {
    let mut left = Vec::new();
    for table in TABLES {
        let size: i64 = sqlx::query_scalar("select pg_total_relation_size($1::regclass)")
            .bind(table)
            .fetch_one(&mut *connection)
            .await?;
        // The names are the program's own.
        let full = sqlx::AssertSqlSafe(format!("vacuum (full, analyze) {table}"));
        if size <= most && connection.execute(full).await.is_ok() {
            continue;
        }
        left.push(*table);
        let plain = sqlx::AssertSqlSafe(format!("vacuum (analyze) {table}"));
        connection.execute(plain).await?;
    }
    Ok(left)
}
