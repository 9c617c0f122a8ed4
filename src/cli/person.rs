//! `tuantibu person erase`: who asks the operator to be erased, by their document.
use super::{Failure, Where};
use crate::{
    actions::erase_person::erase_person,
    error::Error,
    model::document::{Document, DocumentType},
};
use clap::Subcommand;
use std::io::{self, BufRead};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(super) enum PersonCommand {
    /// Ends every authorization of a person and erases what is held of them. Reads the document's
    /// number from standard input, so that it stands in no list of commands.
    Erase {
        /// resident_id, passport, hk_macao_permit, taiwan_permit or foreign_permanent_resident.
        #[arg(long, value_name = "TYPE", default_value = "resident_id")]
        document_type: String,
        #[command(flatten)]
        place: Where,
    },
}

pub(super) async fn person(command: PersonCommand) -> Result<(), Failure> {
    let PersonCommand::Erase {
        document_type,
        place,
    } = command;
    let kind: DocumentType = document_type
        .parse()
        .map_err(|_| Failure::Usage("--document-type: no such type".into()))?;
    let app = place.open().await?;
    let mut number = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .read_line(&mut number)
        .map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
    // The number is not repeated.
    let document = Document::parse(kind, number.trim_end_matches(['\r', '\n']), app.today())
        .map_err(|error| Failure::Usage(format!("the document's number: {}", error.code())))?;
    let done = match erase_person(&app, &document).await {
        Err(Error::NotFound) => {
            return Err(Failure::Failed("nobody with this document is held".into()));
        }
        other => other?,
    };
    let said = serde_json::to_string(&done).map_err(|error| Failure::Failed(error.to_string()))?;
    if done.owns.is_empty() {
        println!("{said}");
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "nothing was erased: the person owns {}; each must be handed over or deleted first",
        done.owns.join(", ")
    )))
}
