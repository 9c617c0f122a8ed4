//! Whose records changed, by the authority's own telling.
use super::database::Cells;
use crate::{
    crypto::Keys,
    model::document::{Document, DocumentType},
    source::Changes,
};
use jiff::civil::Date;
use std::{collections::HashSet, sync::Arc};

/// Where so many changed, everybody may as well be read.
pub(super) const MOST: usize = 500_000;

/// The documents whose records changed.
pub(super) struct Changed {
    hashes: HashSet<[u8; 32]>,
    keys: Arc<Keys>,
}

impl Changed {
    /// Who stands in the rows, whatever the type of their document: a number that two types share
    /// is read once too often.
    pub(super) fn of(rows: &[Cells], kinds: &[DocumentType], keys: Arc<Keys>, today: Date) -> Self {
        let numbers = rows.iter().filter_map(|row| row.first()?.as_deref());
        let documents = numbers.flat_map(|number| {
            let kinds = kinds.iter();
            kinds.filter_map(move |kind| Document::parse(*kind, number, today).ok())
        });
        let hashes = documents.map(|document| keys.document_hash(&document));
        Self {
            hashes: hashes.collect(),
            keys,
        }
    }
}

impl Changes for Changed {
    fn touch(&self, hash: &[u8]) -> bool {
        // While hashes are made anew a person may stand under either: better read once more.
        self.keys.documents_have_two_hashes()
            || <[u8; 32]>::try_from(hash).map_or(true, |hash| self.hashes.contains(&hash))
    }
}
