//! The keys as this program holds them: opened at the start, brought up to date while it runs, and
//! told to the others, since a key seals only once everybody can open what it sealed.
use super::{Parts, StartError};
use crate::{
    clock::Clock,
    config::{Config, SuiteName},
    crypto::{
        CryptoError, Keys, Purpose, RootKey, State, Suite, WrappedKey,
        random::{self, Random},
    },
    error::{Error, Result},
    model::id::{Id, SHARDS},
    source::{Adopted, HealthSource},
    store::{
        Store, Tx,
        keys::{self, KeyRow},
        refresh,
    },
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

/// A program that was not seen for so long is not waited for, in milliseconds.
pub const LIVE_MS: i64 = 30_000;

/// One program's hold on the keys.
pub struct Holder {
    server: Id,
    file: PathBuf,
    suite: Suite,
    store: Store,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Before this moment nobody looks again for what was left.
    pub(crate) look_again: AtomicI64,
    /// Whether what this program keeps outside the database is not by the active keys yet.
    adopts: AtomicBool,
}

impl Holder {
    /// Reads the root key and the keys that it wraps; makes both where the database is new.
    pub(super) async fn open(
        config: &Config,
        store: &Store,
        parts: &Parts,
    ) -> std::result::Result<Self, StartError> {
        let path = &config.keys.file;
        let suite = match config.crypto.suite {
            SuiteName::Aes => Suite::Aes,
            SuiteName::Sm => Suite::Sm,
        };
        let server = random::id(&*parts.random);
        let now = parts.clock.millis();
        let mut tx = store.write().await.map_err(StartError::of)?;
        refresh::seed(&mut tx, SHARDS)
            .await
            .map_err(StartError::of)?;
        refresh::lock(&mut tx).await.map_err(StartError::of)?;
        let mut rows = read(&mut tx).await.map_err(StartError::of)?;
        if rows.is_empty() && keys::anybody(&mut tx).await.map_err(StartError::of)? {
            return Err(StartError(
                "the table of keys is empty, but the database holds sealed data: restore the \
                 table of keys from a backup"
                    .into(),
            ));
        }
        let root = if rows.is_empty() && !path.exists() {
            RootKey::create(path, suite, &*parts.random)
        } else {
            RootKey::read(path)
        }
        .map_err(StartError::of)?;
        if rows.is_empty() {
            rows = Keys::draw(&root, suite, &*parts.random);
            for row in &rows {
                keys::insert(&mut tx, &key_row(row, now))
                    .await
                    .map_err(StartError::of)?;
            }
        }
        if rows.iter().all(|row| row.purpose != Purpose::Receipt) {
            // A database of before receipts were signed.
            let id = 1 + rows.iter().map(|row| row.id).max().unwrap_or_default();
            let (state, random) = (State::Active, &*parts.random);
            let new = crate::crypto::draw(&root, id, Purpose::Receipt, suite, state, random);
            keys::insert(&mut tx, &key_row(&new, now))
                .await
                .map_err(StartError::of)?;
            rows.push(new);
        }
        let keys = Keys::unwrap_all(&root, &rows, parts.random.clone()).map_err(StartError::of)?;
        // Until it has looked: whoever only imports says so to its end.
        keys::hold(&mut tx, server.bytes(), keys.version(), true, now)
            .await
            .map_err(StartError::of)?;
        tx.commit().await.map_err(StartError::of)?;
        let of_another = rows
            .iter()
            .filter(|row| row.state == State::Active && row.suite != suite);
        if of_another.count() > 0 {
            tracing::warn!(%suite, "keys of another suite are active; `tuantibu keys rotate` draws new ones");
        }
        Ok(Self {
            server,
            file: path.clone(),
            suite,
            store: store.clone(),
            keys: Arc::new(keys),
            clock: parts.clock.clone(),
            random: parts.random.clone(),
            look_again: AtomicI64::new(0),
            adopts: AtomicBool::new(true),
        })
    }

    /// This program among those that share the database.
    #[must_use]
    pub fn server(&self) -> Id {
        self.server
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.clone()
    }

    /// The suite of new keys.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The root key, read anew: it is in memory only while keys are wrapped or unwrapped.
    ///
    /// # Errors
    /// When the file is missing, readable by others, or another's.
    pub fn root(&self) -> Result<RootKey> {
        RootKey::read(&self.file).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Draws a key for a purpose, pending.
    ///
    /// # Errors
    /// As [`Holder::root`].
    pub fn draw(&self, id: u32, purpose: Purpose) -> Result<WrappedKey> {
        let (suite, random) = (self.suite, &*self.random);
        let root = self.root()?;
        Ok(crate::crypto::draw(
            &root,
            id,
            purpose,
            suite,
            State::Pending,
            random,
        ))
    }

    /// Loads the keys where they changed, and tells the others what is held. Whether they changed.
    ///
    /// # Errors
    /// When the database or the root key fails; then what was held stays, and says so to the others.
    pub async fn beat(&self) -> Result<bool> {
        let mut tx = self.store.read().await?;
        let changed = keys::version(&mut tx).await? != self.keys.version();
        let loaded = if changed {
            let rows = read(&mut tx).await?;
            self.root()
                .and_then(|root| Ok(self.keys.reload(&root, &rows)?))
        } else {
            Ok(())
        };
        drop(tx);
        let mut tx = self.store.write().await?;
        let (server, version) = (self.server.bytes(), self.keys.version());
        let adopts = self.adopts.load(Ordering::Relaxed);
        keys::hold(&mut tx, server, version, adopts, self.clock.millis()).await?;
        tx.commit().await?;
        loaded.map(|()| changed)
    }

    /// Loads the keys where they changed, and has a source go over to them, telling the others all the
    /// while. `loaded` is called at once where they changed.
    ///
    /// # Errors
    /// As [`Holder::beat`]. A source that cannot be written is told to the log, and to the others.
    pub async fn follow(&self, source: &dyn HealthSource, loaded: impl Fn()) -> Result<()> {
        loop {
            if self.beat().await? {
                loaded();
            }
            let adopted = source.adopt_keys().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the source's own records were not sealed anew");
                Adopted::Later
            });
            let adopts = adopted != Adopted::All;
            let changed = self.adopts.swap(adopts, Ordering::Relaxed) != adopts;
            if !changed && adopted != Adopted::Some {
                return Ok(());
            }
        }
    }

    /// This program ends: nobody waits for it any more.
    ///
    /// # Errors
    /// When the database fails; then the others wait until it was not seen for long enough.
    pub async fn let_go(&self) -> Result<()> {
        let mut tx = self.store.write().await?;
        keys::let_go(&mut tx, self.server.bytes()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The keys of a database.
///
/// # Errors
/// When the database fails, or a later version made one of them.
async fn read(tx: &mut Tx) -> Result<Vec<WrappedKey>> {
    keys::all(tx).await?.into_iter().map(wrapped_key).collect()
}

/// A key from its row.
///
/// # Errors
/// When a later version made it.
pub(crate) fn wrapped_key(row: KeyRow) -> Result<WrappedKey> {
    let unknown = CryptoError::Unknown(row.id);
    let known = || {
        Some(WrappedKey {
            id: u32::try_from(row.id).ok()?,
            purpose: Purpose::of(&row.purpose)?,
            suite: Suite::of(row.suite)?,
            state: State::of(row.state)?,
            wrapped: row.wrapped.clone(),
        })
    };
    Ok(known().ok_or(unknown)?)
}

/// A row of a key that was just drawn.
pub(crate) fn key_row(key: &WrappedKey, now: i64) -> KeyRow {
    KeyRow {
        id: i64::from(key.id),
        purpose: key.purpose.as_str().to_owned(),
        suite: i64::from(key.suite.number()),
        state: key.state.number(),
        wrapped: key.wrapped.clone(),
        created_at: now,
        changed_at: now,
    }
}
