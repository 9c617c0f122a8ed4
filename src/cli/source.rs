//! `tuantibu source`: loading the embedded health source, serving it over the Health Source API, and
//! checking anybody's server of that API.
mod check;
mod import;
mod serve;

use super::{Failure, Where};
use crate::web::health_source::Faults;
use clap::Subcommand;
use std::{net::SocketAddr, path::PathBuf};

#[derive(Subcommand)]
pub(super) enum SourceCommand {
    /// Loads health records into the embedded source.
    Import {
        /// CSV or NDJSON, by its ending or --format.
        file: PathBuf,
        /// How the records are written.
        #[arg(long, value_name = "csv|ndjson")]
        format: Option<String>,
        /// Nothing at all goes in when one line is bad.
        #[arg(long)]
        strict: bool,
        #[command(flatten)]
        place: Where,
    },
    /// Serves the embedded source over the Health Source API, with faults where they are asked for.
    Serve {
        /// Where to listen: plain HTTP, so this machine alone or behind a proxy with TLS.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// The file with the secret that requests are signed with.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        #[command(flatten)]
        faults: Faults,
        #[command(flatten)]
        place: Where,
    },
    /// Checks a server of the Health Source API, promise by promise; 1 at the first that is broken.
    Check {
        /// The base URL with the version, as `https://source.example/v1`.
        url: String,
        /// The file with the secret that requests are signed with.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        /// Who asks, as the server knows it.
        #[arg(long, value_name = "NAME", default_value = "tuantibu")]
        client: String,
        /// A file with one record that the server holds, as a line of NDJSON; - for standard input.
        /// Without it, what needs somebody known is not checked.
        #[arg(long, value_name = "FILE")]
        sample: Option<PathBuf>,
        /// Seconds that a request may take.
        #[arg(long, default_value_t = 15)]
        timeout_seconds: u64,
    },
}

pub(super) async fn source(command: SourceCommand) -> Result<(), Failure> {
    match command {
        SourceCommand::Import {
            file,
            format,
            strict,
            place,
        } => import::import(&file, format.as_deref(), strict, &place).await,
        SourceCommand::Serve {
            listen,
            secret_file,
            faults,
            place,
        } => serve::serve(listen, &secret_file, faults, &place).await,
        SourceCommand::Check {
            url,
            secret_file,
            client,
            sample,
            timeout_seconds,
        } => {
            let server = check::Server {
                url: &url,
                client: &client,
                secret_file: &secret_file,
                timeout_seconds,
            };
            check::check(&server, sample.as_deref()).await
        }
    }
}
