//! Store and transaction as everybody sees them: the engine's, which tell the numbers of audit
//! entries how their transaction ended.
use super::{Result, engine, numbers::Number};
use crate::config::Database;
use std::ops::Deref;

/// The database of a running program.
#[derive(Clone)]
pub struct Store(engine::Store);

/// A transaction, or a connection for reading alone. Dropped without [`Tx::commit`], it is undone.
pub struct Tx {
    engine: engine::Tx,
    numbers: Vec<Number>,
}

impl Deref for Store {
    type Target = engine::Store;

    fn deref(&self) -> &engine::Store {
        &self.0
    }
}

impl Store {
    /// As the engine's.
    ///
    /// # Errors
    /// [`engine::OpenError`] names what is wrong: the URL, the connection, or an unknown schema.
    pub async fn open(database: &Database) -> std::result::Result<Self, engine::OpenError> {
        engine::Store::open(database).await.map(Self)
    }

    /// The same store, remembering the statements that run.
    #[must_use]
    pub fn recording(self) -> Self {
        Self(self.0.recording())
    }

    /// A connection for reading: each statement sees the newest committed state.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn read(&self) -> Result<Tx> {
        self.0.read().await.map(Tx::of)
    }

    /// A transaction that may write.
    ///
    /// # Errors
    /// When none is to be had in time.
    pub async fn write(&self) -> Result<Tx> {
        self.0.write().await.map(Tx::of)
    }
}

impl Tx {
    fn of(engine: engine::Tx) -> Self {
        Self {
            engine,
            numbers: Vec::new(),
        }
    }

    /// Lets a number know how this transaction ends.
    pub fn hold(&mut self, number: Number) {
        self.numbers.push(number);
    }

    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// When the database refuses; nothing is written then.
    pub async fn commit(self) -> Result<()> {
        let Self { engine, numbers } = self;
        engine.commit().await?;
        numbers.into_iter().for_each(Number::committed);
        Ok(())
    }

    /// Ends the transaction, and lets it become durable while its caller goes on: for what a crash
    /// may take away.
    pub fn commit_soon(self) {
        let Self { engine, numbers } = self;
        debug_assert!(numbers.is_empty(), "who records an event waits for it");
        engine.commit_soon();
    }

    pub(super) fn on(&mut self, statement: &'static str) -> engine::On<'_> {
        self.engine.on(statement)
    }
}
