//! Connections for reading, opened when they are needed and kept for the next.
use super::{Access, BUSY, SqliteError, open};
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The connections of a file.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Shared>);

struct Shared {
    path: PathBuf,
    pragmas: &'static str,
    most: u32,
    turns: Arc<Semaphore>,
    /// Those that nobody uses; the last used is taken first, so that few are ever opened.
    idle: Mutex<Vec<Connection>>,
}

/// A connection of whoever has it; dropped, it is kept for the next.
pub(crate) struct Reader {
    connection: Option<Connection>,
    shared: Arc<Shared>,
    _turn: OwnedSemaphorePermit,
}

impl Readers {
    /// At most so many connections to a file that is there.
    pub(crate) fn new(path: PathBuf, pragmas: &'static str, most: u32) -> Self {
        let most = most.max(1);
        Self(Arc::new(Shared {
            path,
            pragmas,
            most,
            turns: Arc::new(Semaphore::new(most as usize)),
            idle: Mutex::default(),
        }))
    }

    /// A connection.
    pub(crate) async fn take(&self) -> Result<Reader, SqliteError> {
        let turns = self.0.turns.clone();
        let turn = timeout(BUSY, turns.acquire_owned())
            .await
            .map_err(|_| SqliteError::Late)?
            .map_err(|_| SqliteError::Closed)?;
        let idle = self.0.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open(&self.0.path, Access::Read, self.0.pragmas)?,
        };
        Ok(Reader {
            connection: Some(connection),
            shared: self.0.clone(),
            _turn: turn,
        })
    }

    /// Waits until nobody reads, and closes every connection.
    pub(crate) async fn close(&self) {
        let all = self.0.turns.acquire_many(self.0.most).await;
        self.0.turns.close();
        drop(all);
        self.0.idle().clear();
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Nothing panics while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Reads in place.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SqliteError> {
        Ok(work(self.connection()?)?)
    }

    /// The connection.
    pub(crate) fn connection(&self) -> Result<&Connection, SqliteError> {
        self.connection.as_ref().ok_or(SqliteError::Lost)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.shared.turns.is_closed()
        {
            self.shared.idle().push(connection);
        }
    }
}
