//! Records of a CSV file: a header with the wire's names, dots flattened by `_`.
use super::{
    ImportError, MAX_LINE_BYTES,
    lines::{Line, Lines},
};
use crate::model::{
    catalogue::{Catalogue, WireRecord},
    document::DocumentType,
    health::Kind,
};
use crate::source::record::{FieldError, WireHealthRecord, unknown};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::Error as ValueError},
};
use std::{collections::VecDeque, io::Read};

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Name,
    DocumentType,
    DocumentNumber,
    Phones,
    UpdatedAt,
    /// An item and one of its fields.
    Item(String, &'static str),
}

/// The records of a CSV file, each with the number of its first line.
pub(super) struct CsvRecords<R> {
    lines: Lines<R>,
    /// Lines to be read again: those behind a quote that never ended well.
    again: VecDeque<Line>,
    columns: Vec<Column>,
}

impl<R: Read> CsvRecords<R> {
    /// Reads the header.
    pub(super) fn new(lines: Lines<R>, catalogue: &Catalogue) -> Result<Self, ImportError> {
        let mut records = Self {
            lines,
            again: VecDeque::new(),
            columns: Vec::new(),
        };
        let header = |line, problem: String| ImportError::Header { line, problem };
        let Some((line, fields)) = records.fields(None)? else {
            return Err(header(1, "the file is empty: no header".to_owned()));
        };
        let fields = fields.map_err(|error| header(line, error.problem))?;
        let known = columns(catalogue);
        for (at, name) in (1..).zip(&fields) {
            let name = name.trim().to_ascii_lowercase();
            let Some((_, column)) = known.iter().find(|(known, _)| *known == name) else {
                let any = fields.iter().any(|field| {
                    known
                        .iter()
                        .any(|(known, _)| known.eq_ignore_ascii_case(field.trim()))
                });
                return Err(header(
                    line,
                    if any {
                        format!("column {at} has an unknown name: {}", unknown("", &name))
                    } else {
                        "no header: the first line must name the columns, such as name, \
                         document_type, document_number, phones"
                            .to_owned()
                    },
                ));
            };
            if records.columns.contains(column) {
                return Err(header(line, format!("column {name} stands twice")));
            }
            records.columns.push(column.clone());
        }
        for (needed, name) in [
            (Column::Name, "name"),
            (Column::DocumentType, "document_type"),
            (Column::DocumentNumber, "document_number"),
        ] {
            if !records.columns.contains(&needed) {
                return Err(header(line, format!("column {name} is missing")));
            }
        }
        Ok(records)
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// The next record; `None` at the end of the file.
    #[expect(
        clippy::type_complexity,
        reason = "a numbered result inside the reader's own"
    )]
    pub(super) fn next(
        &mut self,
    ) -> Result<Option<(u64, Result<WireHealthRecord, FieldError>)>, ImportError> {
        let Some((line, fields)) = self.fields(Some(self.columns.len()))? else {
            return Ok(None);
        };
        Ok(Some((line, fields.and_then(|fields| self.record(&fields)))))
    }

    /// The fields of the next record that is not blank, and its first line's number.
    #[expect(
        clippy::type_complexity,
        reason = "a numbered result inside the reader's own"
    )]
    fn fields(
        &mut self,
        wanted: Option<usize>,
    ) -> Result<Option<(u64, Result<Vec<String>, FieldError>)>, ImportError> {
        loop {
            let Some(Line { number, text }) = self.line()? else {
                return Ok(None);
            };
            let mut record = match text {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => text,
                Err(error) => return Ok(Some((number, Err(error)))),
            };
            let mut behind = Vec::new();
            while is_open(&record) {
                let Some(line) = self.line()? else { break };
                let fits = matches!(&line.text, Ok(text)
                    if record.len() + 1 + text.len() <= MAX_LINE_BYTES);
                if let (true, Ok(text)) = (fits, &line.text) {
                    record.push('\n');
                    record.push_str(text);
                }
                behind.push(line);
                if !fits {
                    break;
                }
            }
            let fields = if is_open(&record) {
                Err("a quote does not end".to_owned())
            } else {
                split(&record).ok_or_else(|| "not a CSV record".to_owned())
            };
            let fields = fields.and_then(|fields| match wanted {
                Some(wanted) if wanted != fields.len() => Err(format!(
                    "{} fields where the header has {wanted}",
                    fields.len()
                )),
                _ => Ok(fields),
            });
            // A quote too many must not swallow the good lines behind it.
            if fields.is_err() {
                for line in behind.into_iter().rev() {
                    self.again.push_front(line);
                }
            }
            let fields = fields.map_err(|problem| FieldError::new("line", problem));
            return Ok(Some((number, fields)));
        }
    }

    fn line(&mut self) -> Result<Option<Line>, ImportError> {
        match self.again.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }

    fn record(&self, fields: &[String]) -> Result<WireHealthRecord, FieldError> {
        let mut kind = None;
        let mut record = WireHealthRecord {
            name: String::new(),
            document_type: DocumentType::ResidentId,
            document_number: String::new(),
            phones: Vec::new(),
            items: std::collections::BTreeMap::new(),
            updated_at: None,
        };
        for (column, field) in self.columns.iter().zip(fields) {
            let field = field.trim();
            if field.is_empty() {
                continue;
            }
            match column {
                Column::Name => field.clone_into(&mut record.name),
                Column::DocumentNumber => field.clone_into(&mut record.document_number),
                Column::UpdatedAt => record.updated_at = Some(field.to_owned()),
                Column::DocumentType => {
                    let read: Result<DocumentType, ValueError> =
                        DocumentType::deserialize(field.into_deserializer());
                    kind =
                        Some(read.map_err(|_| {
                            FieldError::new("document_type", "not a document type")
                        })?);
                }
                Column::Phones => record.phones = phones(field),
                Column::Item(id, part) => {
                    let item = record.items.entry(id.clone()).or_default();
                    set(item, part, field).ok_or_else(|| {
                        FieldError::new(
                            format!("items.{id}.{part}"),
                            "not a whole number from 0 to 65535",
                        )
                    })?;
                }
            }
        }
        record.document_type = kind.ok_or_else(|| FieldError::new("document_type", "missing"))?;
        Ok(record)
    }
}

/// Every column that there can be, by its name.
fn columns(catalogue: &Catalogue) -> Vec<(String, Column)> {
    let mut all = vec![
        ("name".to_owned(), Column::Name),
        ("document_type".to_owned(), Column::DocumentType),
        ("document_number".to_owned(), Column::DocumentNumber),
        ("phones".to_owned(), Column::Phones),
        ("updated_at".to_owned(), Column::UpdatedAt),
    ];
    for item in &catalogue.items {
        for part in parts(item.kind) {
            let name = column(&item.id, part);
            all.push((name, Column::Item(item.id.clone(), part)));
        }
    }
    all
}

/// The fields of an item of a kind, the one without which there is no record first.
pub(in crate::source) fn parts(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Status => &["value", "since"],
        Kind::Test => &["result", "sampled_at", "reported_at"],
        Kind::Immunization => &["value", "doses", "last_on"],
        Kind::Certificate => &["valid_until", "value"],
    }
}

/// The name of an item's column.
pub(in crate::source) fn column(item: &str, part: &str) -> String {
    format!("items_{item}_{part}").to_ascii_lowercase()
}

/// Sets a field of an item; `None` when it is no number where one must be.
pub(in crate::source) fn set(item: &mut WireRecord, part: &str, text: &str) -> Option<()> {
    let target = match part {
        "doses" => {
            item.doses = Some(text.parse().ok()?);
            return Some(());
        }
        "value" => &mut item.value,
        "since" => &mut item.since,
        "result" => &mut item.result,
        "sampled_at" => &mut item.sampled_at,
        "reported_at" => &mut item.reported_at,
        "last_on" => &mut item.last_on,
        _ => &mut item.valid_until,
    };
    *target = Some(text.to_owned());
    Some(())
}

/// The phones of a cell. Spaces part them only where each part is a number of its own:
/// `138 0000 0000` and `+86 13800000000` are one.
pub(in crate::source) fn phones(cell: &str) -> Vec<String> {
    let digits = |part: &str| part.chars().filter(|c| c.is_numeric()).count();
    let mut phones = Vec::new();
    for piece in cell.split([';', '|', ',', '\n', '；', '｜', '，', '、']) {
        let parts: Vec<&str> = piece.split_whitespace().collect();
        if parts.iter().all(|part| digits(part) >= 7) {
            phones.extend(parts.into_iter().map(str::to_owned));
        } else {
            phones.push(piece.trim().to_owned());
        }
    }
    phones
}

/// Whether a quote is open at the end.
fn is_open(record: &str) -> bool {
    record.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// The fields of one record.
fn split(record: &str) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(record.len().max(1))
        .from_reader(record.as_bytes());
    let mut fields = csv::StringRecord::new();
    if !reader.read_record(&mut fields).ok()? {
        return None;
    }
    let rest = reader.read_record(&mut csv::StringRecord::new()).ok()?;
    (!rest).then(|| fields.iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_parted_by_signs_and_by_spaces_between_whole_numbers() {
        for (cell, expected) in [
            ("13800000000", &["13800000000"][..]),
            ("138 0000 0000", &["138 0000 0000"]),
            ("+86 13800000000", &["+86 13800000000"]),
            ("13800000000 13900000000", &["13800000000", "13900000000"]),
            ("13800000000;13900000000|", &["13800000000", "13900000000"]),
            (
                "13800000000、138 0000 0001",
                &["13800000000", "138 0000 0001"],
            ),
            ("13800000000\n13900000000", &["13800000000", "13900000000"]),
            ("nobody", &["nobody"]),
        ] {
            assert_eq!(phones(cell), expected, "{cell}");
        }
    }

    #[test]
    fn a_record_splits_into_its_fields_or_is_none() {
        assert_eq!(
            split("a,\"b\nc\",\"d\"\"e\",").unwrap(),
            ["a", "b\nc", "d\"e", ""]
        );
        assert!(is_open("a,\"b"));
        assert!(!is_open("a,\"b\"\"c\""));
    }
}
