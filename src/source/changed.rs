//! The people whose records changed, as every connector tells them.
use super::Changes;
use crate::{crypto::Keys, model::document::Document};
use std::{collections::HashSet, sync::Arc};

/// Where so many changed, everybody may as well be read.
pub(super) const MOST: usize = 500_000;

/// The documents whose records changed, by the hashes of a key.
pub(super) struct Changed {
    hashes: HashSet<[u8; 32]>,
    keys: Arc<Keys>,
    key: u32,
}

impl Changed {
    /// Nobody yet.
    pub(super) fn none(keys: &Arc<Keys>) -> Self {
        Self {
            hashes: HashSet::new(),
            // Before anything is hashed: who is hashed by a later key is touched in any case.
            key: keys.document_key(),
            keys: keys.clone(),
        }
    }

    /// Adds a document.
    pub(super) fn add(&mut self, document: &Document) {
        self.hashes.insert(self.keys.document_hash(document));
    }

    /// Adds one by its hash, which the key made that was active when this began.
    pub(super) fn add_hash(&mut self, hash: [u8; 32]) {
        self.hashes.insert(hash);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }
}

impl Changes for Changed {
    fn touch(&self, hash: &[u8]) -> bool {
        // While hashes are made anew a person may stand under either, and afterwards under another
        // than here: better read once more than once less.
        if self.keys.documents_have_two_hashes() || self.keys.document_key() != self.key {
            return true;
        }
        <[u8; 32]>::try_from(hash).map_or(true, |hash| self.hashes.contains(&hash))
    }
}
