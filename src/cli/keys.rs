//! `tuantibu keys`: what keys there are, their rotation, another root key.
use super::{Failure, Where, refresh::bar};
use crate::{
    actions::{
        list_keys::{list_keys, progress},
        rewrap_keys::{RewrapError, rewrap_keys},
        rotate_keys::{RotateError, rotate_keys},
        tend_keys::tend_keys,
    },
    app::{App, Holder},
    crypto::Purpose,
};
use clap::Subcommand;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Between two looks at how far a rotation is.
const LOOK: Duration = Duration::from_millis(500);
/// Between two words to the others about the keys that are held.
pub(super) const BEAT: Duration = Duration::from_secs(5);

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Lists every key, how it stands and how many cells it sealed.
    List {
        #[command(flatten)]
        place: Where,
    },
    /// Draws new keys; servers load them, seal anew in the background and destroy the old ones.
    Rotate {
        /// What the keys are for, as `keys list` names it; all of them if not said.
        #[arg(long, value_name = "PURPOSE")]
        purpose: Vec<String>,
        /// Waits until nothing needs the old keys any more, and does the work where no server is.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        place: Where,
    },
    /// Draws another root key into a new file and wraps every key by it.
    Root {
        /// The new file.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        place: Where,
    },
}

impl From<RotateError> for Failure {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Failed(error) => error.into(),
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<RewrapError> for Failure {
    fn from(error: RewrapError) -> Self {
        match error {
            RewrapError::File(error) => Self::Usage(error.to_string().replace("keys.file", "--to")),
            RewrapError::Failed(error) => error.into(),
        }
    }
}

pub(super) async fn keys(command: KeysCommand) -> Result<(), Failure> {
    let (KeysCommand::List { place }
    | KeysCommand::Rotate { place, .. }
    | KeysCommand::Root { place, .. }) = &command;
    if let KeysCommand::Root { to, .. } = &command
        && to.exists()
    {
        let to = to.display();
        return Err(Failure::Usage(format!("--to: {to} exists already")));
    }
    let app = place.open().await?;
    let outcome = match command {
        KeysCommand::List { .. } => list(&app).await,
        KeysCommand::Rotate { purpose, wait, .. } => rotate(&app, &purpose, wait).await,
        KeysCommand::Root { to, .. } => root(&app, to).await,
    };
    app.holder.let_go().await?;
    app.store.close().await;
    outcome
}

async fn list(app: &App) -> Result<(), Failure> {
    for key in list_keys(app).await? {
        let line =
            serde_json::to_string(&key).map_err(|error| Failure::Failed(error.to_string()))?;
        println!("{line}");
    }
    Ok(())
}

async fn rotate(app: &Arc<App>, names: &[String], wait: bool) -> Result<(), Failure> {
    let mut purposes = Vec::new();
    for name in names {
        let purpose = Purpose::of(name).ok_or_else(|| {
            Failure::Usage(format!(
                "--purpose: {name} is none; `tuantibu keys list` names them"
            ))
        })?;
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    if purposes.is_empty() {
        purposes = Purpose::ALL.to_vec();
    }
    let ids = rotate_keys(app, &purposes).await?;
    for (id, purpose) in ids.iter().zip(&purposes) {
        println!("key {id} drawn for {}", purpose.as_str());
    }
    if wait {
        wait_for_it(app).await?;
    }
    Ok(())
}

/// Shows how far it is until it is over, and takes part in the work.
async fn wait_for_it(app: &Arc<App>) -> Result<(), Failure> {
    let bar = bar();
    let mut work = tokio::spawn(tend(app.clone()));
    let outcome = loop {
        match progress(app).await {
            Ok(now) => {
                bar.set_length(now.cells.unsigned_abs());
                bar.set_position(now.done.unsigned_abs());
                if now.is_over {
                    break Ok(now);
                }
            }
            Err(error) => break Err(error.into()),
        }
        tokio::select! {
            // It ends only by failing.
            failed = &mut work => break Err(match failed {
                Ok(error) => error.into(),
                Err(error) => Failure::Failed(error.to_string()),
            }),
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    work.abort();
    bar.finish_and_clear();
    println!(
        "sealed by new keys: {} of {}",
        outcome.as_ref().map_or(0, |now| now.done),
        outcome.as_ref().map_or(0, |now| now.cells)
    );
    outcome.map(|_| ())
}

async fn tend(app: Arc<App>) -> crate::error::Error {
    loop {
        if let Err(error) = tend_keys(&app).await
            && !error.is_retryable()
        {
            return error;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn root(app: &App, to: PathBuf) -> Result<(), Failure> {
    let id = rewrap_keys(app, &to).await?;
    println!("root key {id:08x} in {}", to.display());
    println!(
        "every key is wrapped by it: put it in the place of {} on each server, with copies for its \
         custodians; backups made until now need the old one",
        app.config.keys.file.display()
    );
    Ok(())
}

/// Tells the others which keys a command holds, for as long as it runs.
pub(super) fn keep_told(holder: Arc<Holder>) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            if let Err(error) = holder.beat().await {
                tracing::error!(%error, "the keys were not loaded anew");
            }
        }
    });
}
