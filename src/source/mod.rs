//! Health sources: the authority's database, through one of the connectors.
mod changed;
pub mod contract;
pub mod embedded;
pub mod faults;
pub mod fhir;
pub mod http;
pub mod import;
pub mod record;
pub mod sql;

use crate::model::{document::Document, health::Items, name::Name, phone::Phone};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// The present moment, handed in so that tests can move it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who is to be matched: what somebody typed, normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: Name,
    /// The document.
    pub document: Document,
    /// The phone.
    pub phone: Phone,
}

/// One person to be read at a refresh.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The name held here; another name at the source is 未匹配.
    pub name: Name,
    /// The document.
    pub document: Document,
    /// The items that live authorisations cover; nothing else is asked for.
    pub items: Vec<String>,
}

/// What the source answered of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The person is there by document and name.
    Found {
        /// The phones that stand in the record, the preferred first.
        phones: Vec<Phone>,
        /// Each item that was asked for, `None` where there is no record.
        items: Items,
    },
    /// No such document, or another name.
    NotMatched,
    /// This person's record could not be read; the others of the batch could.
    Failed,
}

/// Why a source gave no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be reached, is too slow, or says that it is out of order.
    #[error("the health source is unavailable: {0}")]
    Unavailable(String),
    /// It answered something that cannot be read.
    #[error("the health source answered something unreadable: {0}")]
    Garbage(String),
}

/// What changed at a source since a cursor.
pub trait Changes: Send + Sync {
    /// Whether the record of a person may have changed. `hash` is the keyed hash by which the
    /// program finds the document.
    fn touch(&self, hash: &[u8]) -> bool;
}

/// How far a source is with going over to the active keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It keeps nothing by another key.
    All,
    /// There is more to do.
    Some,
    /// The rest cannot be done now: records do not open.
    Later,
}

/// A health source.
#[async_trait]
pub trait HealthSource: Send + Sync {
    /// Which connector this is, for logs and metrics.
    fn kind(&self) -> &'static str;

    /// Whether name, document and phone all stand in one record. The same work for every mismatch.
    ///
    /// # Errors
    /// When the source gave no readable answer; that is not a mismatch.
    async fn matches(&self, who: &Identity) -> Result<bool, SourceError>;

    /// Reads a batch; answers stand in the order of the asks, one each.
    ///
    /// # Errors
    /// When the batch failed whole. Nobody is written off then.
    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError>;

    /// What `config check` tells an operator of it: what was reached and seen, naming nobody.
    ///
    /// # Errors
    /// When it cannot be reached, or does not work.
    async fn check(&self) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    /// Where its changes stand now: whatever changes later is among the changes since this cursor.
    /// `None` where it cannot tell.
    ///
    /// # Errors
    /// When the source gave no readable answer.
    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    /// What changed since a cursor, so that nobody else need be read again. `None` where it cannot
    /// tell, or where so much changed that everybody may as well be read.
    ///
    /// # Errors
    /// As [`HealthSource::cursor`].
    async fn changes(&self, _since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        Ok(None)
    }

    /// Goes over to the keys that are active now, for some seconds at most, with what it keeps sealed
    /// and hashed outside the database. Most sources keep nothing.
    ///
    /// # Errors
    /// When its file cannot be read or written; the next call goes on.
    async fn adopt_keys(&self) -> Result<Adopted, SourceError> {
        Ok(Adopted::All)
    }
}
