//! What `tuantibu source serve` answers with: records and changes as the Health Source API carries
//! them.
use super::{EmbeddedError, EmbeddedSource, Stand, changes, look_up, unseal};
use crate::{
    model::{catalogue::WireRecord, document::Document},
    source::{
        contract::{ChangesAnswer, DocumentNamed},
        record::WireHealthRecord,
    },
};
use rusqlite::Connection;

/// Documents of one answer about changes.
const CHANGES_AT_ONCE: i64 = 5000;

impl EmbeddedSource {
    /// The records of documents, in their order; `Err` where one does not open.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn records(
        &self,
        documents: &[Document],
    ) -> Result<Vec<Option<Result<WireHealthRecord, EmbeddedError>>>, EmbeddedError> {
        let stands: Vec<Stand> = documents
            .iter()
            .map(|document| Stand::of_document(&self.keys, document))
            .collect();
        let mut records: Vec<_> = documents.iter().map(|_| None).collect();
        let found = self
            .read_away(move |connection| look_up(connection, &stands))
            .await?;
        for (at, (hash, cell)) in found {
            records[at] = Some(unseal(&self.keys, &hash, &cell).map(|record| {
                let items = record.items.iter();
                WireHealthRecord {
                    name: record.name,
                    document_type: record.kind,
                    document_number: record.number,
                    phones: record.phones,
                    items: items
                        .map(|(id, item)| (id.clone(), WireRecord::from_record(item)))
                        .collect(),
                    updated_at: record.updated_at.map(|at| at.to_string()),
                }
            }));
        }
        Ok(records)
    }

    /// What changed since a cursor, some thousands at once, or where the changes stand now; `None`
    /// for a cursor that is none of this file's.
    ///
    /// # Errors
    /// When the database refuses, or a record does not open.
    pub async fn changed(
        &self,
        since: Option<String>,
    ) -> Result<Option<ChangesAnswer>, EmbeddedError> {
        let page = move |connection: &Connection| match &since {
            None => changes::cursor(connection).map(|cursor| Some((Vec::new(), cursor, false))),
            Some(since) => changes::page(connection, since, CHANGES_AT_ONCE),
        };
        let Some((cells, cursor, more)) = self.read_away(page).await? else {
            return Ok(None);
        };
        let mut documents = Vec::with_capacity(cells.len());
        for (hash, cell) in &cells {
            let record = unseal(&self.keys, hash, cell)?;
            documents.push(DocumentNamed {
                document_type: record.kind,
                document_number: record.number,
            });
        }
        Ok(Some(ChangesAnswer {
            documents,
            cursor,
            more,
        }))
    }
}
