//! `tuantibu audit`: verifying the log, and its counts.
use super::{Failure, Where, operate::json};
use crate::{
    actions::{count_audit, verify_audit},
    anchor,
};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Checks entries, chain and published heads; exit code 1 names the first entry that is bad.
    Verify {
        /// A file of published heads, in the place of audit.anchor_file.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        #[command(flatten)]
        place: Where,
    },
    /// Counts what was done on each day; nobody is named.
    Counts {
        /// How many days back.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=1100))]
        days: u16,
        #[command(flatten)]
        place: Where,
    },
}

pub(super) async fn audit(command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify { anchor, place } => verify(anchor, &place).await,
        AuditCommand::Counts { days, place } => {
            let app = place.open().await?;
            for count in count_audit::count_audit(&app, i64::from(days)).await? {
                println!("{}", json(&count)?);
            }
            Ok(())
        }
    }
}

async fn verify(file: Option<PathBuf>, place: &Where) -> Result<(), Failure> {
    let app = place.open().await?;
    let (anchors, unread) = match file.or_else(|| app.config.audit.anchor_file.clone()) {
        None => (Vec::new(), 0),
        Some(path) => anchor::read(&path)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?,
    };
    if unread > 0 {
        eprintln!("{unread} lines of the anchor file cannot be read");
    }
    let verified = verify_audit::verify_audit(&app, &anchors).await?;
    if let Some(bad) = verified.first_bad {
        return Err(Failure::Failed(format!("entry {} {}", bad.entry, bad.why)));
    }
    println!(
        "entries {}, waiting for the chain {}, pruned {}, lost by killed servers {}, published heads {}: all right",
        verified.events, verified.waiting, verified.pruned, verified.lost, verified.anchors
    );
    Ok(())
}
