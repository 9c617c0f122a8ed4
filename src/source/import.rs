//! `tuantibu source import`: health records from NDJSON or CSV into the embedded source.
//!
//! A bad line is reported with its number and the rest goes in, or nothing at all when strict.
//! Memory does not grow with the file: one thread reads and checks, batches go through a bounded
//! channel, and each batch is a transaction (a strict import is one).
mod csv_lines;
mod lines;

use super::embedded::{self, EmbeddedError, EmbeddedSource, Stand, Writing, look_up, unseal};
use super::record::{FieldError, HealthRecord, Rules, Sealed, read_line};
use crate::crypto::Keys;
use csv_lines::CsvRecords;
pub(super) use csv_lines::{column, parts, phones, set};
use lines::{Line, Lines};
use rusqlite::Connection;
use std::{collections::BTreeMap, io::Read, path::Path};
use tokio::sync::mpsc;

/// Most bytes of a line (and of a CSV record with quoted line ends).
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// Errors that a report keeps; all are counted.
pub const MAX_KEPT_ERRORS: usize = 1000;
/// Lines of one batch, which is one transaction.
const BATCH: usize = 1000;
/// Batches read ahead of the one that is being written.
const AHEAD: usize = 2;

/// How the records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// A header and rows: the same names, dots flattened by `_`. Several phones in their cell are
    /// separated by `;`, `|`, a comma, a line end, or a space between whole numbers.
    Csv,
}

impl Format {
    /// The format that a file's name tells; `None` when it tells none.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// How to import.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the records are written.
    pub format: Format,
    /// Nothing at all goes in when one line is bad.
    pub strict: bool,
    /// What the records are checked by.
    pub rules: Rules,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Records read.
    pub lines: u64,
    /// Of them, taken in.
    pub imported: u64,
    /// Of them, refused.
    pub failed: u64,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LineError {
    /// Its number, from 1; of a CSV record over several lines, the first.
    pub line: u64,
    /// The field (CSV: the column), or `line`.
    pub field: String,
    /// What is wrong, without any value of the line.
    pub problem: String,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Records read; blank lines and the header are none.
    pub lines: u64,
    /// Records taken in.
    pub imported: u64,
    /// Records refused.
    pub failed: u64,
    /// The first [`MAX_KEPT_ERRORS`] of what is wrong.
    pub errors: Vec<LineError>,
}

/// Why an import ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// Another encoding from the first byte on.
    #[error("the file is UTF-16, not UTF-8; save it as UTF-8")]
    Utf16,
    /// The header of a CSV file is wrong.
    #[error("line {line}: {problem}")]
    Header {
        /// Its line.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] EmbeddedError),
    /// The reading thread is gone.
    #[error("the import was interrupted")]
    Interrupted,
}

/// What the reading thread hands over.
#[derive(Default)]
struct Batch {
    records: Vec<HealthRecord>,
    errors: Vec<LineError>,
    bytes: u64,
}

impl Batch {
    fn lines(&self) -> usize {
        self.records.len() + self.errors.len()
    }

    fn take(&mut self, line: u64, result: Result<HealthRecord, FieldError>) {
        match result {
            Ok(record) => self.records.push(record),
            Err(FieldError { field, problem }) => self.errors.push(LineError {
                line,
                field,
                problem,
            }),
        }
    }
}

/// Imports records. Several lines of one person, and what the store holds already, are merged: the
/// newest test by sampling time counts in whatever order the lines come; of other items, the name
/// and the phones the later line counts, and what it does not mention stays.
///
/// # Errors
/// When the file cannot be read or is none of the format, or the store refuses. Bad lines are in
/// the report.
pub async fn import(
    source: &EmbeddedSource,
    input: impl Read + Send + 'static,
    options: &Options,
    mut progress: impl FnMut(&Progress) + Send,
) -> Result<Report, ImportError> {
    let (send, mut batches) = mpsc::channel(AHEAD);
    let reading = {
        let options = options.clone();
        tokio::task::spawn_blocking(move || read_all(input, &options, &send))
    };
    let mut done = Progress::default();
    let mut report = Report::default();
    let mut whole = if options.strict {
        Some(source.begin().await?)
    } else {
        None
    };
    while let Some(batch) = batches.recv().await {
        let Batch {
            records,
            errors,
            bytes,
        } = batch;
        let taken = records.len() as u64;
        done.bytes = bytes;
        done.lines += taken + errors.len() as u64;
        done.failed += errors.len() as u64;
        let room = MAX_KEPT_ERRORS - report.errors.len();
        report.errors.extend(errors.into_iter().take(room));
        whole = match whole {
            // One bad line: the rest is only checked.
            Some(writing) if done.failed > 0 => Some(writing),
            Some(writing) => Some(write(source, writing, records).await?),
            None => {
                let writing = write(source, source.begin().await?, records).await?;
                writing.commit().await?;
                None
            }
        };
        done.imported += taken;
        progress(&done);
    }
    // Dropping the transaction of a strict import undoes it.
    reading.await.map_err(|_| ImportError::Interrupted)??;
    if let Some(writing) = whole {
        if done.failed > 0 {
            done.imported = 0;
            writing.undo().await?;
        } else {
            writing.commit().await?;
        }
    }
    progress(&done);
    report.lines = done.lines;
    report.imported = done.imported;
    report.failed = done.failed;
    Ok(report)
}

/// Writes a batch.
async fn write(
    source: &EmbeddedSource,
    writing: Writing,
    records: Vec<HealthRecord>,
) -> Result<Writing, EmbeddedError> {
    let keys = source.keys().clone();
    let (writing, ()) = writing
        .with(move |connection| merge(&keys, connection, records))
        .await?;
    Ok(writing)
}

/// Merges a batch into what is there.
fn merge(
    keys: &Keys,
    connection: &Connection,
    records: Vec<HealthRecord>,
) -> Result<(), EmbeddedError> {
    let stands: Vec<Stand> = records
        .iter()
        .map(|record| Stand::of_document(keys, &record.document))
        .collect();
    // In the order of the index, so that neighbours fall on one page.
    let mut people: BTreeMap<Stand, Sealed> = BTreeMap::new();
    for (at, (hash, cell)) in look_up(connection, &stands)? {
        people.insert(stands[at], unseal(keys, &hash, &cell)?);
    }
    let before = people.clone();
    for (stand, record) in stands.iter().zip(records) {
        match people.get_mut(stand) {
            Some(person) => person.merge(record),
            None => {
                people.insert(*stand, record.into_sealed());
            }
        }
    }
    // Who is as they were is left alone: an authority's whole list every night is no change of all.
    people.retain(|stand, person| before.get(stand) != Some(person));
    if people.is_empty() {
        return Ok(());
    }
    embedded::store(keys, connection, people.iter())
}

/// The reading thread: lines to checked records, in batches.
fn read_all(
    input: impl Read,
    options: &Options,
    send: &mpsc::Sender<Batch>,
) -> Result<(), ImportError> {
    let lines = Lines::new(input)?;
    match options.format {
        Format::Ndjson => read_ndjson(lines, &options.rules, send),
        Format::Csv => {
            let mut records = CsvRecords::new(lines, &options.rules.catalogue)?;
            let mut batch = Batch::default();
            while let Some((line, wire)) = records.next()? {
                let checked = wire
                    .and_then(|wire| HealthRecord::check(&wire, &options.rules))
                    .map_err(|error| FieldError {
                        field: error.field.replace('.', "_"),
                        ..error
                    });
                batch.take(line, checked);
                batch.bytes = records.bytes();
                if !pass_on(&mut batch, BATCH, send) {
                    return Ok(());
                }
            }
            pass_on(&mut batch, 1, send);
            Ok(())
        }
    }
}

fn read_ndjson(
    mut lines: Lines<impl Read>,
    rules: &Rules,
    send: &mpsc::Sender<Batch>,
) -> Result<(), ImportError> {
    let mut batch = Batch::default();
    while let Some(Line { number, text }) = lines.next()? {
        if matches!(&text, Ok(text) if text.trim().is_empty()) {
            continue;
        }
        let checked = text
            .and_then(|text| read_line(&text))
            .and_then(|wire| HealthRecord::check(&wire, rules));
        batch.take(number, checked);
        batch.bytes = lines.bytes();
        if !pass_on(&mut batch, BATCH, send) {
            return Ok(());
        }
    }
    pass_on(&mut batch, 1, send);
    Ok(())
}

/// Hands a batch over when it has `least` lines; `false` when nobody takes it any more.
fn pass_on(batch: &mut Batch, least: usize, send: &mpsc::Sender<Batch>) -> bool {
    batch.lines() < least || send.blocking_send(std::mem::take(batch)).is_ok()
}
