//! `tuantibu source import`: loads health records, with progress and errors by line number.
use super::{
    super::{keys::keep_told, refresh::bar},
    Failure, Where,
};
use crate::{
    app::{self, Parts},
    clock::{Clock, SystemClock, date},
    source::import::{Format, ImportError, Options, import as load},
};
use std::{fs::File, path::Path};

pub(in crate::cli) async fn import(
    file: &Path,
    format: Option<&str>,
    strict: bool,
    place: &Where,
) -> Result<(), Failure> {
    let format = match format {
        Some("csv") => Some(Format::Csv),
        Some("ndjson") => Some(Format::Ndjson),
        Some(other) => {
            return Err(Failure::Usage(format!(
                "--format: {other} is neither csv nor ndjson"
            )));
        }
        None => Format::of(file),
    };
    let format = format
        .ok_or_else(|| Failure::Usage(format!("{}: say --format csv or ndjson", file.display())))?;
    let config = place.load()?;
    let zone = config.zone()?;
    let (source, holder) = app::open_embedded(&config, &Parts::default()).await?;
    keep_told(holder.clone());
    let input = File::open(file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    let size = input.metadata().map_or(0, |metadata| metadata.len());
    let rules = source.rules(date(SystemClock.millis(), &zone));
    let options = Options {
        format,
        strict,
        rules,
    };
    let bar = bar();
    bar.set_length(size);
    let outcome = load(&source, input, &options, |progress| {
        bar.set_position(progress.bytes.min(size));
    })
    .await;
    bar.finish_and_clear();
    source.close().await;
    holder.let_go().await?;
    let report = outcome.map_err(|error: ImportError| Failure::Failed(error.to_string()))?;
    for error in &report.errors {
        eprintln!(
            "{}:{}: {}: {}",
            file.display(),
            error.line,
            error.field,
            error.problem
        );
    }
    println!(
        "lines {}, imported {}, failed {}",
        report.lines, report.imported, report.failed
    );
    if strict && report.failed > 0 {
        return Err(Failure::Failed("nothing was imported (--strict)".into()));
    }
    Ok(())
}
