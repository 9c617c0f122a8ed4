//! Whom a server is asked for: somebody it knows, and many whom nobody knows.
use super::Failure;
use crate::{
    clock::{Clock, SystemClock},
    model::{
        catalogue::Catalogue,
        document::{Document, DocumentType, check_character},
        phone::Regions,
    },
    source::record::{HealthRecord, Rules, read_line},
};
use jiff::tz::TimeZone;
use std::{fs, io, path::Path, sync::Arc};

/// Somebody whom the server knows.
pub(super) struct Sample(pub(super) HealthRecord);

impl Sample {
    /// Reads the record from a file, or from standard input where it is `-`.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = if file == Path::new("-") {
            io::read_to_string(io::stdin())
        } else {
            fs::read_to_string(file)
        };
        let text =
            text.map_err(|error| Failure::Usage(format!("--sample: {}: {error}", file.display())))?;
        let line = text.lines().next().unwrap_or_default();
        let record = read_line(line).and_then(|wire| HealthRecord::check(&wire, &rules()));
        let record = record.map_err(|error| Failure::Usage(format!("--sample: {error}")))?;
        if record.phones.is_empty() {
            return Err(Failure::Usage("--sample: phones: one is needed".into()));
        }
        Ok(Self(record))
    }
}

/// What records are read by.
pub(super) fn rules() -> Rules {
    let now = SystemClock.now();
    Rules {
        catalogue: Arc::new(Catalogue::embedded()),
        regions: Regions::default(),
        // Only somebody born today in the east could be missed.
        today: now.to_zoned_datetime(TimeZone::UTC).date(),
    }
}

/// Somebody whom nobody knows: of area 110100, which is issued to nobody, born in 1901 to 1910.
pub(super) fn nobody(number: usize) -> Option<Document> {
    let born = 1901 + number / 999;
    let body = format!("110100{born}0101{:03}", 1 + number % 999);
    let number = format!("{body}{}", check_character(&body));
    Document::parse(DocumentType::ResidentId, &number, rules().today).ok()
}
