//! SQLite's one writer, and the waiting writers' commits in a group.
//!
//! Making a commit durable costs a write to the disk that others may share. So whoever writes takes
//! the writer in turn, each within a savepoint of one transaction, and all who were waiting when the
//! first of them was done are made durable by one commit: only then is any of them told so. Who is
//! dropped half-way is undone alone. Nothing of a group is seen by readers before its commit.
use sqlx::{SqliteConnection, raw_sql};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::timeout,
};

/// The outer savepoint tells at the end whether the transaction is still the one that was begun:
/// after some errors, as of a full disk, SQLite has undone it all by itself.
const BEGIN: &str = "begin immediate; savepoint everybody";
const COMMIT: &str = "release everybody; commit";
const UNDO_ALL: &str = "rollback";
const MEMBER: &str = "savepoint member";
const UNDO_FIRST: &str = "rollback to everybody";
const UNDO_MEMBER: &str = "rollback to member";
const FOLD: &str = "pragma wal_checkpoint(truncate)";

type Told = Result<(), sqlx::Error>;

/// The writer, in turn.
#[derive(Clone)]
pub(super) struct Writer {
    state: Arc<Mutex<State>>,
    patience: Duration,
}

struct State {
    connection: SqliteConnection,
    closed: bool,
    /// Whether a transaction is open.
    open: bool,
    /// Whether what was written since the last savepoint is to be undone.
    undo: bool,
    /// Those who are done and wait for the commit.
    done: Vec<oneshot::Sender<Told>>,
}

/// One writer of a group. Dropped without [`Member::commit`], it is undone.
pub(super) struct Member {
    state: OwnedMutexGuard<State>,
    finished: bool,
    writer: Writer,
    runtime: Handle,
}

impl Writer {
    /// A writer on its own connection; `patience` is how long one waits for a turn.
    pub(super) fn new(connection: SqliteConnection, patience: Duration) -> Self {
        let state = State {
            connection,
            closed: false,
            open: false,
            undo: false,
            done: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            patience,
        }
    }

    /// Takes the writer in turn.
    pub(super) async fn begin(&self) -> Result<Member, sqlx::Error> {
        let writer = self.clone();
        // On a task of its own: a request that is given up half-way leaves no half-made savepoint.
        let begun = tokio::spawn(async move {
            let mut state = writer.turn().await?;
            state.enter().await?;
            Ok(Member {
                state,
                finished: false,
                writer,
                runtime: Handle::current(),
            })
        });
        begun
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
    }

    /// Runs something on the connection while no transaction is open.
    pub(super) async fn alone<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut state = self.turn().await?;
        state.settle().await;
        work(&mut state.connection).await
    }

    /// Commits what is done, folds SQLite's log in and lets nobody write any more.
    pub(super) async fn close(&self) {
        let mut state = self.state.clone().lock_owned().await;
        state.settle().await;
        state.closed = true;
        // A reader elsewhere may hold some of the log; the next program to open it folds that in.
        let _ = state.run(FOLD).await;
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<State>, sqlx::Error> {
        let state = timeout(self.patience, self.state.clone().lock_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        if state.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        Ok(state)
    }

    /// Ends the group, once those who are waiting for a turn by now have had theirs.
    fn settle_after_those_who_wait(&self, runtime: &Handle) {
        let state = self.state.clone();
        runtime.spawn(async move { state.lock_owned().await.settle().await });
    }
}

impl State {
    async fn run(&mut self, text: &'static str) -> Told {
        raw_sql(text)
            .execute(&mut self.connection)
            .await
            .map(|_| ())
    }

    async fn enter(&mut self) -> Told {
        self.undo_dropped().await;
        if self.open {
            self.run(MEMBER).await
        } else {
            self.run(BEGIN).await?;
            self.open = true;
            Ok(())
        }
    }

    /// Undoes the member that was dropped, if one was.
    async fn undo_dropped(&mut self) {
        if !std::mem::take(&mut self.undo) {
            return;
        }
        let text = if self.done.is_empty() {
            UNDO_FIRST
        } else {
            UNDO_MEMBER
        };
        if let Err(error) = self.run(text).await {
            self.fail(error).await;
        }
    }

    /// Commits for all who are done, or ends the transaction where nobody is.
    async fn settle(&mut self) {
        self.undo_dropped().await;
        if !self.open {
            return;
        }
        if self.done.is_empty() {
            if let Err(error) = self.run(UNDO_ALL).await {
                self.fail(error).await;
            }
            self.open = false;
            return;
        }
        match self.run(COMMIT).await {
            Ok(()) => {
                self.open = false;
                for waiting in self.done.drain(..) {
                    // Who has gone away meanwhile is told nothing, and their write stands.
                    let _ = waiting.send(Ok(()));
                }
            }
            Err(error) => self.fail(error).await,
        }
    }

    /// The whole group is lost: everybody is told, so that nobody believes in a write that is not.
    async fn fail(&mut self, error: sqlx::Error) {
        let kind = super::StoreError::from(error).kind();
        tracing::error!(waiting = self.done.len(), error = %kind, "a commit failed");
        // Nothing to undo where SQLite did so itself.
        let _ = self.run(UNDO_ALL).await;
        self.open = false;
        for waiting in self.done.drain(..) {
            let _ = waiting.send(Err(sqlx::Error::Protocol(format!("commit: {kind}"))));
        }
    }
}

impl Member {
    /// The connection.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.state.connection
    }

    /// Waits until the group, and this with it, is durable.
    pub(super) async fn commit(mut self) -> Told {
        let (tell, told) = oneshot::channel();
        self.state.done.push(tell);
        self.finished = true;
        if self.state.done.len() == 1 {
            self.writer.settle_after_those_who_wait(&self.runtime);
        }
        drop(self);
        told.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.state.undo = true;
        // Where somebody is done already, the group's end is on its way.
        if self.state.done.is_empty() {
            self.writer.settle_after_those_who_wait(&self.runtime);
        }
    }
}
