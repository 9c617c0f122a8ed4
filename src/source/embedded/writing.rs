//! A transaction that writes to `source.db`: one at a time, away from the runtime's own threads.
use super::EmbeddedError;
use crate::sqlite::{SqliteError, away};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The one connection that writes; none once it was closed.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<Option<Connection>>>);

/// A transaction. Dropped without [`Writing::commit`], it is undone.
pub(in crate::source) struct Writing {
    connection: OwnedMutexGuard<Option<Connection>>,
    open: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(Some(connection))))
    }

    /// Begins a transaction, once nobody else writes.
    pub(super) async fn begin(&self) -> Result<Writing, EmbeddedError> {
        let writing = Writing {
            connection: self.0.clone().lock_owned().await,
            open: false,
        };
        let (writing, begun) = away(writing, |writing| {
            writing.run("begin immediate")?;
            writing.open = true;
            Ok(())
        })
        .await?;
        begun.map(|()| writing)
    }

    /// Closes the file, so that its write-ahead log is folded in.
    pub(super) async fn close(&self) {
        let connection = self.0.clone().lock_owned().await;
        let _ = away(connection, |connection| drop(connection.take())).await;
    }
}

impl Writing {
    /// Does some of it.
    pub(in crate::source) async fn with<T: Send + 'static>(
        self,
        work: impl FnOnce(&Connection) -> Result<T, EmbeddedError> + Send + 'static,
    ) -> Result<(Self, T), EmbeddedError> {
        let (writing, outcome) = away(self, |writing| work(writing.connection()?)).await?;
        Ok((writing, outcome?))
    }

    /// Makes it durable.
    pub(in crate::source) async fn commit(self) -> Result<(), EmbeddedError> {
        let (_, committed) = away(self, |writing| {
            writing.run("commit")?;
            writing.open = false;
            Ok(())
        })
        .await?;
        committed
    }

    /// Undoes it.
    pub(in crate::source) async fn undo(self) -> Result<(), EmbeddedError> {
        let (_, undone) = away(self, |writing| {
            writing.open = false;
            writing.run("rollback")
        })
        .await?;
        undone
    }

    fn connection(&self) -> Result<&Connection, EmbeddedError> {
        Ok(self.connection.as_ref().ok_or(SqliteError::Closed)?)
    }

    fn run(&self, text: &str) -> Result<(), EmbeddedError> {
        Ok(self.connection()?.execute_batch(text)?)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.open {
            // Where it fails the transaction is over already.
            let _ = self.run("rollback");
        }
    }
}
