//! SQLite's one writer, and the waiting writers' commits in a group.
//!
//! Making a commit durable costs a write to the disk that others may share. So whoever writes takes
//! the writer in turn, each within a savepoint of one transaction, and all who were waiting when the
//! first of them was done are made durable by one commit: only then is any of them told so. Who is
//! dropped half-way is undone alone. Nothing of a group is seen by readers before its commit.
//!
//! Statements run in place, on the thread of whoever has the turn. What waits for the disk or for
//! another program runs where it keeps no task waiting, and the turn goes along.
use crate::sqlite::{BUSY, SqliteError, away};
use rusqlite::{Connection, ErrorCode};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::timeout,
};

/// The outer savepoint tells at the end whether the transaction is still the one that was begun:
/// after some errors, as of a full disk, SQLite has undone it all by itself.
const BEGIN: &str = "begin immediate";
const EVERYBODY: &str = "savepoint everybody";
const RELEASE: &str = "release everybody";
const COMMIT: &str = "commit";
const UNDO_ALL: &str = "rollback";
const MEMBER: &str = "savepoint member";
const UNDO_FIRST: &str = "rollback to everybody";
const UNDO_MEMBER: &str = "rollback to member";
const FOLD: &str = "pragma wal_checkpoint(truncate)";

type Told = Result<(), SqliteError>;

/// The writer, in turn.
#[derive(Clone)]
pub(super) struct Writer {
    state: Arc<Mutex<State>>,
    patience: Duration,
}

struct State {
    connection: Connection,
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
    pub(super) fn new(connection: Connection, patience: Duration) -> Self {
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
    pub(super) async fn begin(&self) -> Result<Member, SqliteError> {
        // From the turn on nothing is awaited unless the member goes along: a request that is given
        // up half-way leaves no half-made savepoint.
        let mut member = Member {
            state: self.turn().await?,
            finished: false,
            writer: self.clone(),
            runtime: Handle::current(),
        };
        let (mut member, begun) = match member.state.enter() {
            // Another program writes: it is waited for elsewhere.
            Ok(false) => away(member, |member| member.state.begin()).await?,
            begun => (member, begun.map(|_| ())),
        };
        // Who never began has nothing to undo: the last savepoint is somebody else's.
        member.finished = begun.is_err();
        begun.map(|()| member)
    }

    /// Runs something on the connection while no transaction is open.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, SqliteError> {
        let state = self.turn().await?;
        let alone = away(state, |state| {
            state.settle();
            work(&mut state.connection)
        });
        alone.await.map(|(_, outcome)| outcome)
    }

    /// Commits what is done, folds SQLite's log in and lets nobody write any more.
    pub(super) async fn close(&self) {
        let state = self.state.clone().lock_owned().await;
        let _ = away(state, |state| {
            state.settle();
            state.closed = true;
            // A reader elsewhere may hold some of the log; the next program to open it folds that in.
            let _ = state.run(FOLD);
        })
        .await;
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<State>, SqliteError> {
        let state = match self.state.clone().try_lock_owned() {
            Ok(state) => state,
            Err(_) => timeout(self.patience, self.state.clone().lock_owned())
                .await
                .map_err(|_| SqliteError::Late)?,
        };
        if state.closed {
            return Err(SqliteError::Closed);
        }
        Ok(state)
    }

    /// Ends the group, once those who are waiting for a turn by now have had theirs.
    fn settle_after_those_who_wait(&self, runtime: &Handle) {
        // Nobody waits: the way over a task of its own is saved.
        match self.state.clone().try_lock_owned() {
            Ok(state) => settle(state, runtime),
            Err(_) => {
                let (state, handle) = (self.state.clone(), runtime.clone());
                runtime.spawn(async move { settle(state.lock_owned().await, &handle) });
            }
        }
    }
}

/// Ends a group: in place where nothing is to be made durable.
fn settle(mut state: OwnedMutexGuard<State>, runtime: &Handle) {
    if state.done.is_empty() {
        state.settle();
    } else {
        runtime.spawn_blocking(move || state.settle());
    }
}

impl State {
    fn run(&mut self, text: &'static str) -> Told {
        self.connection.prepare_cached(text)?.raw_query().next()?;
        Ok(())
    }

    /// Begins a member's part; false where the lock must be waited for first.
    fn enter(&mut self) -> Result<bool, SqliteError> {
        self.undo_dropped();
        if self.open {
            self.run(MEMBER)?;
            return Ok(true);
        }
        self.connection.busy_timeout(Duration::ZERO)?;
        let begun = self.begin();
        self.connection.busy_timeout(BUSY)?;
        match begun {
            Err(SqliteError::Engine(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) =>
            {
                Ok(false)
            }
            begun => begun.map(|()| true),
        }
    }

    fn begin(&mut self) -> Told {
        self.run(BEGIN)?;
        self.open = true;
        self.run(EVERYBODY)
    }

    /// Undoes the member that was dropped, if one was.
    fn undo_dropped(&mut self) {
        if !std::mem::take(&mut self.undo) || !self.open {
            return;
        }
        let text = if self.done.is_empty() {
            UNDO_FIRST
        } else {
            UNDO_MEMBER
        };
        if let Err(error) = self.run(text) {
            self.fail(&error);
        }
    }

    /// Commits for all who are done, or ends the transaction where nobody is.
    fn settle(&mut self) {
        self.undo_dropped();
        if !self.open {
            return;
        }
        if self.done.is_empty() {
            if let Err(error) = self.run(UNDO_ALL) {
                self.fail(&error);
            }
            self.open = false;
            return;
        }
        match self.run(RELEASE).and_then(|()| self.run(COMMIT)) {
            Ok(()) => {
                self.open = false;
                for waiting in self.done.drain(..) {
                    // Who has gone away meanwhile is told nothing, and their write stands.
                    let _ = waiting.send(Ok(()));
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The whole group is lost: everybody is told, so that nobody believes in a write that is not.
    fn fail(&mut self, error: &SqliteError) {
        let kind = error.kind();
        tracing::error!(waiting = self.done.len(), error = %kind, "a commit failed");
        // Nothing to undo where SQLite did so itself.
        let _ = self.run(UNDO_ALL);
        self.open = false;
        for waiting in self.done.drain(..) {
            let _ = waiting.send(Err(SqliteError::Commit(kind.clone())));
        }
    }
}

impl Member {
    /// The connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.state.connection
    }

    /// Ends this one's part; what comes back is told when the group is durable.
    pub(super) fn commit(mut self) -> oneshot::Receiver<Told> {
        let (tell, told) = oneshot::channel();
        self.state.done.push(tell);
        self.finished = true;
        let first = self.state.done.len() == 1;
        let (writer, runtime) = (self.writer.clone(), self.runtime.clone());
        drop(self);
        if first {
            writer.settle_after_those_who_wait(&runtime);
        }
        told
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
