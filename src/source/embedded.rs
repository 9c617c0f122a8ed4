//! The embedded source: sealed health records in a file of their own, `source.db`.
mod adopting;
mod cells;
mod changes;
mod schema;
mod serving;
mod writing;

pub(super) use cells::{Stand, look_up, store, unseal};
pub(super) use writing::Writing;

use super::record::{HealthRecord, Rules};
use super::{Adopted, Answer, Ask, Changes, HealthSource, Identity, SourceError};
use crate::crypto::{self, CryptoError, Keys};
use crate::model::{
    catalogue::Catalogue,
    document::{Document, DocumentType},
    name::Name,
    phone::Regions,
};
use crate::sqlite::{self, Reader, Readers, SqliteError};
use adopting::{Progress, Target};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use cells::{decoy, get};
use jiff::civil::Date;
use rusqlite::Connection;
use std::{fmt, path::Path, sync::Arc};
use tokio::sync::Mutex;
use writing::Writer;

/// Documents looked up on one way to a thread that may block.
const LOOKED_UP_AT_ONCE: usize = 1000;
/// So few are looked up in place: who joins is one.
const FEW: usize = 20;
/// Records opened before other tasks of the thread get their turn.
const OPENED_AT_ONCE: usize = 100;

/// Why `source.db` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The file cannot be made or opened.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// The database refuses. Its messages name statements, never values.
    #[error("source.db: {0}")]
    Database(#[from] SqliteError),
    /// Another program's file.
    #[error("{0} is a database, but not one of health records")]
    Foreign(String),
    /// A later version's file.
    #[error("{path} has schema version {found}, this program knows {known}")]
    UnknownVersion {
        /// The file.
        path: String,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Sealed by other keys: nobody would be found in it.
    #[error("{0} was sealed by other keys than this database's")]
    OtherKeys(String),
    /// A record does not open.
    #[error("source.db: {0}")]
    Sealed(#[from] CryptoError),
    /// A record opens, but does not read.
    #[error("source.db: a record cannot be read")]
    Unreadable,
}

impl From<rusqlite::Error> for EmbeddedError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<EmbeddedError> for SourceError {
    fn from(error: EmbeddedError) -> Self {
        match error {
            EmbeddedError::Sealed(_) | EmbeddedError::Unreadable => {
                Self::Garbage(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// Health records in a file of their own.
pub struct EmbeddedSource {
    readers: Readers,
    writer: Writer,
    keys: Arc<Keys>,
    catalogue: Arc<Catalogue>,
    regions: Regions,
    /// What is opened and compared where there is no such document, so that a mismatch costs the
    /// same whatever is wrong.
    decoy: ArcSwap<Decoy>,
    /// How far it is with going over to other keys.
    progress: Mutex<Progress>,
}

/// A record of nobody, and the keys that it is by.
struct Decoy {
    by: Target,
    hash: Hash,
    cell: Vec<u8>,
}

fn new_decoy(keys: &Keys) -> Result<Decoy, EmbeddedError> {
    let by = Target::of(keys);
    let (hash, cell) = decoy(keys)?;
    Ok(Decoy { by, hash, cell })
}

/// A document's keyed hash.
pub(super) type Hash = [u8; 32];

impl fmt::Debug for EmbeddedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedSource(…)")
    }
}

impl EmbeddedSource {
    /// Opens `source.db`, making it (readable by its owner alone) where it is missing.
    ///
    /// # Errors
    /// When it cannot be opened, is not ours, of an unknown version, or sealed by other keys.
    pub async fn open(
        path: &Path,
        keys: Arc<Keys>,
        catalogue: Arc<Catalogue>,
        regions: Regions,
    ) -> Result<Self, EmbeddedError> {
        let to_open = (path.to_owned(), keys.clone());
        let (_, opened) = sqlite::away(to_open, |(path, keys)| schema::open(path, keys)).await?;
        let (readers, writer) = opened?;
        let decoy = ArcSwap::from_pointee(new_decoy(&keys)?);
        Ok(Self {
            readers,
            writer: Writer::new(writer),
            keys,
            catalogue,
            regions,
            decoy,
            progress: Mutex::default(),
        })
    }

    /// Before the key goes by which it was sealed.
    fn renew_decoy(&self, by: &Target) -> Result<(), EmbeddedError> {
        if self.decoy.load().by != *by {
            self.decoy.store(Arc::new(new_decoy(&self.keys)?));
        }
        Ok(())
    }

    /// What records are checked by before they are put or imported. `today` is the local date.
    #[must_use]
    pub fn rules(&self, today: Date) -> Rules {
        Rules {
            catalogue: self.catalogue.clone(),
            regions: self.regions.clone(),
            today,
        }
    }

    /// Writes a record; what was there of that document is replaced.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put(&self, record: HealthRecord) -> Result<(), EmbeddedError> {
        let keys = self.keys.clone();
        let put = move |connection: &Connection| {
            let stand = Stand::of_document(&keys, &record.document);
            let sealed = record.into_sealed();
            store(&keys, connection, [(&stand, &sealed)].into_iter())
        };
        let (writing, ()) = self.begin().await?.with(put).await?;
        writing.commit().await
    }

    /// Removes a record; whether there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove(&self, document: &Document) -> Result<bool, EmbeddedError> {
        let stand = Stand::of_document(&self.keys, document);
        let mark = schema::mark(&self.keys);
        let remove = move |connection: &Connection| Ok(changes::remove(connection, &stand, mark)?);
        let (writing, was_there) = self.begin().await?.with(remove).await?;
        writing.commit().await?;
        Ok(was_there)
    }

    /// Removes the records of a number, of whatever type of document; how many there were.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_number(&self, number: &str, today: Date) -> Result<u32, EmbeddedError> {
        let mut removed = 0;
        for kind in DocumentType::ALL {
            if let Ok(document) = Document::parse(kind, number, today) {
                removed += u32::from(self.remove(&document).await?);
            }
        }
        Ok(removed)
    }

    /// How many people there are.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self) -> Result<u64, EmbeddedError> {
        let (count,): (i64,) = self
            .read_away(|connection| {
                sqlite::fetch_one(connection, "select count(*) from people", &[])
            })
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Closes the file, so that its write-ahead log is folded in.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(super) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub(super) async fn begin(&self) -> Result<Writing, EmbeddedError> {
        self.writer.begin().await
    }

    /// Reads what may be much, where it keeps no task waiting.
    async fn read_away<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EmbeddedError> {
        let reader = self.readers.take().await?;
        let (_, outcome) = sqlite::away(reader, |reader: &mut Reader| reader.read(work)).await?;
        Ok(outcome?)
    }

    fn answer(&self, ask: &Ask, hash: &Hash, cell: &[u8]) -> Answer {
        unseal(&self.keys, hash, cell).map_or(Answer::Failed, |record| record.answer(ask))
    }

    async fn read_some(&self, batch: &[Ask]) -> Result<Vec<Answer>, EmbeddedError> {
        let stands: Vec<Stand> = batch
            .iter()
            .map(|ask| Stand::of_document(&self.keys, &ask.document))
            .collect();
        let mut answers = vec![Answer::NotMatched; batch.len()];
        let look_up = move |connection: &Connection| look_up(connection, &stands);
        let found = if batch.len() <= FEW {
            self.readers.take().await?.read(look_up)?
        } else {
            self.read_away(look_up).await?
        };
        for (done, (at, (hash, cell))) in found.iter().enumerate() {
            if done % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            answers[*at] = self.answer(&batch[*at], hash, cell);
        }
        Ok(answers)
    }
}

#[async_trait]
impl HealthSource for EmbeddedSource {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        // One hash, one look-up, one opening and every comparison, whatever is wrong.
        let stand = Stand::of_document(&self.keys, &who.document);
        let reader = self.readers.take().await.map_err(EmbeddedError::from)?;
        let found = reader.read(|connection| get(connection, &stand));
        let found = found.map_err(EmbeddedError::from)?;
        drop(reader);
        let known = found.is_some();
        let decoy = self.decoy.load();
        let (hash, cell) = match &found {
            Some((hash, cell)) => (hash, cell),
            None => (&decoy.hash, &decoy.cell),
        };
        let record = unseal(&self.keys, hash, cell)?;
        let own = Name::parse(&record.name);
        let name =
            own.is_ok_and(|own| crypto::same(own.key().as_bytes(), who.name.key().as_bytes()));
        let wanted = who.phone.e164().as_bytes();
        let mut phone = false;
        for own in &record.phones {
            phone |= crypto::same(own.as_bytes(), wanted);
        }
        Ok(known & name & phone)
    }

    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        let reader = self.readers.take().await.map_err(EmbeddedError::from)?;
        let cursor = reader.read(changes::cursor);
        Ok(Some(cursor.map_err(EmbeddedError::from)?))
    }

    async fn changes(&self, since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        let (since, keys) = (since.to_owned(), self.keys.clone());
        let changed = self
            .read_away(move |connection| changes::since(connection, &keys, &since))
            .await?;
        Ok(changed.map(|changed| Box::new(changed) as Box<dyn Changes>))
    }

    async fn adopt_keys(&self) -> Result<Adopted, SourceError> {
        Ok(adopting::adopt(self).await?)
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let mut answers = Vec::with_capacity(batch.len());
        for some in batch.chunks(LOOKED_UP_AT_ONCE) {
            answers.extend(self.read_some(some).await?);
        }
        let failed = answers.iter().filter(|a| **a == Answer::Failed).count();
        if failed > 0 {
            tracing::warn!(failed, "source.db: records do not open or read");
            if failed == answers.len() {
                return Err(EmbeddedError::Unreadable.into());
            }
        }
        Ok(answers)
    }
}
