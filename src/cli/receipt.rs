//! `tuantibu receipt`: whether a receipt that somebody shows is ours.
use super::{Failure, Where};
use crate::actions::receipts::{self, ReceiptError};
use clap::Subcommand;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// No file is read further: a receipt is some hundred characters.
const MOST: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(super) enum ReceiptCommand {
    /// Checks a receipt and prints what was signed; exit code 1 where it is not ours.
    Verify {
        /// The receipt, as JSON or as its line; - for standard input.
        file: PathBuf,
        /// The public key in hexadecimal; then no database is needed.
        #[arg(long, value_name = "HEX", conflicts_with_all = ["config", "data"])]
        key: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// Prints the public keys of receipts, a JSON line each, the one that signs now first.
    Key {
        #[command(flatten)]
        place: Where,
    },
}

pub(super) async fn receipt(command: ReceiptCommand) -> Result<(), Failure> {
    match command {
        ReceiptCommand::Key { place } => {
            let app = place.open().await?;
            for key in receipts::public_keys(&app).await? {
                println!("{}", json(&key)?);
            }
            Ok(())
        }
        ReceiptCommand::Verify { file, key, place } => {
            let text = read(&file)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
            let key = key
                .map(|key| hex::decode(key.trim()))
                .transpose()
                .map_err(|_| Failure::Usage("--key: hexadecimal digits".into()))?;
            let not_ours = |error: ReceiptError| Failure::Failed(error.to_string());
            let verified = match &key {
                Some(key) => receipts::verify(None, &text, Some(key)).map_err(not_ours)?,
                None => {
                    let app = place.open().await?;
                    let outcome = receipts::verify_here(&app, &text).await;
                    let (verified, key) = outcome.map_err(not_ours)?;
                    if let Some(key) = key {
                        eprintln!("signed by {}", json(&key)?);
                    }
                    verified
                }
            };
            println!("{}", json(&verified.says)?);
            Ok(())
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().lock().take(MOST).read_to_string(&mut text)?;
    } else {
        File::open(file)?.take(MOST).read_to_string(&mut text)?;
    }
    Ok(text)
}
